#include "aws/credentials.h"

#include "base/file.h"
#include "base/mem.h"

#include <string.h>
#include <strings.h>

#define TOKEN_CEILING ((size_t)64 << 10)

static bool is_key_text(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

int credentials_set(struct credentials *credentials, const char *source, const char *access_key,
	const char *secret_key, const char *session_token, struct err *err)
{
	const char *token = session_token ? session_token : "";
	const char *wrong = !is_key_text(access_key)   ? "access key id"
			    : !is_key_text(secret_key) ? "secret access key"
			    : !is_key_text(token)      ? "session token"
						       : NULL;

	if (wrong) {
		err_set(err, ERR_USAGE, "the %s from %s is not usable", wrong, source);
		err_detail(err, "It holds a blank, a control character or a letter outside ASCII.");
		return -1;
	}
	credentials_release(credentials);
	credentials->access_key = mem_strdup(access_key);
	secret_set(&credentials->secret_key, secret_key, strlen(secret_key));
	if (*token)
		secret_set(&credentials->session_token, token, strlen(token));
	credentials->source = mem_strdup(source);
	return 0;
}

/* --- time ----------------------------------------------------------------------------------- */

/* count digits at *at. */
static bool take_digits(const char **at, int count, int *ret_number)
{
	*ret_number = 0;
	for (int i = 0; i < count; i++) {
		if (**at < '0' || **at > '9')
			return false;
		*ret_number = *ret_number * 10 + (*(*at)++ - '0');
	}
	return true;
}

static bool take_number(const char **at, char before, int *ret_number)
{
	return *(*at)++ == before && take_digits(at, 2, ret_number);
}

/* "Z", "+02:00", "-0230", to the end of the text. */
static bool take_offset(const char *at, int *ret_seconds)
{
	int hours, minutes, sign = *at == '-' ? -1 : 1;

	*ret_seconds = 0;
	if (strcmp(at, "Z") == 0 || strcmp(at, "z") == 0)
		return true;
	if (*at != '+' && *at != '-')
		return false;
	at++;
	if (!take_digits(&at, 2, &hours))
		return false;
	if (*at == ':')
		at++;
	if (!take_digits(&at, 2, &minutes) || *at)
		return false;
	*ret_seconds = sign * (hours * 60 + minutes) * 60;
	return true;
}

bool credentials_parse_time(const char *text, time_t *ret_time)
{
	struct tm parts = { 0 };
	const char *at = text;
	int offset;

	if (!take_digits(&at, 4, &parts.tm_year) || !take_number(&at, '-', &parts.tm_mon) ||
		!take_number(&at, '-', &parts.tm_mday) || (*at != 'T' && *at != ' ') ||
		!take_number(&at, *at, &parts.tm_hour) || !take_number(&at, ':', &parts.tm_min) ||
		!take_number(&at, ':', &parts.tm_sec))
		return false;
	if (*at == '.') {
		at++;
		if (*at < '0' || *at > '9')
			return false;
		at += strspn(at, "0123456789");
	}
	if (!take_offset(at, &offset) || parts.tm_year < 1970 || parts.tm_mon < 1 ||
		parts.tm_mon > 12 || parts.tm_mday < 1 || parts.tm_mday > 31 ||
		parts.tm_hour > 23 || parts.tm_min > 59 || parts.tm_sec > 60)
		return false;
	parts.tm_year -= 1900;
	parts.tm_mon -= 1;
	*ret_time = timegm(&parts) - offset;
	return true;
}

int credentials_set_expiry(
	struct credentials *credentials, struct aws *aws, const char *text, struct err *err)
{
	if (!credentials_parse_time(text, &credentials->expires))
		return err_set(err, ERR_FAILED,
			"the expiry of the credentials from %s is not a time like \"%s\"",
			credentials->source, "2030-01-31T12:00:00Z");
	if (credentials->expires <= aws_now(aws))
		return err_set(err, ERR_FAILED, "the credentials from %s expired at %s",
			credentials->source, text);
	return 0;
}

/* --- a token's file ------------------------------------------------------------------------- */

int credentials_read_token(
	const char *path, const char *what, struct secret *ret_token, struct err *err)
{
	CLEANUP(strbuf_release_secret) struct strbuf text = STRBUF_INIT_CEILING(TOKEN_CEILING);
	const char *start, *end;

	strbuf_grow(&text, TOKEN_CEILING);
	if (file_read_all(path, &text, err) != 0) {
		if (err->kind == ERR_FAILED)
			err->kind = ERR_USAGE;
		return -1;
	}
	start = text.data + strspn(text.data, " \t\r\n");
	end = text.data + text.length;
	while (end > start && strchr(" \t\r\n", end[-1]))
		end--;
	if (end == start)
		return err_set(err, ERR_USAGE, "%s file \"%s\" is empty", what, path);
	for (const char *at = start; at < end; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7F)
			return err_set(err, ERR_USAGE, "%s file \"%s\" holds no token", what, path);
	secret_set(ret_token, start, (size_t)(end - start));
	return 0;
}

/* --- the environment ------------------------------------------------------------------------ */

/* A variable from the same place as another: keys of the process are not paired with .env's. */
static const char *get_beside(const struct env *env, const char *name, const char *place)
{
	const char *source;
	const char *value = env_get(env, name, &source);

	return source == place ? value : NULL;
}

int credentials_from_environment(struct aws *aws, struct credentials *credentials, struct err *err)
{
	const struct env *env = aws_options(aws)->env;
	const char *place, *secret, *token, *expiry;
	const char *key = env_get(env, "AWS_ACCESS_KEY_ID", &place);
	CLEANUP(mem_cleanup) char *source = NULL;

	if (!key)
		return 0;
	source = place ? mem_printf("\"%s\"", place) : mem_strdup("environment");
	secret = get_beside(env, "AWS_SECRET_ACCESS_KEY", place);
	if (!secret) {
		err_set(err, ERR_USAGE,
			"AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not");
		if (env_get(env, "AWS_SECRET_ACCESS_KEY", NULL))
			err_detail(err, "One is in the environment, the other in \"%s\".",
				place ? place : env->file);
		return -1;
	}
	token = get_beside(env, "AWS_SESSION_TOKEN", place);
	if (!token)
		token = get_beside(env, "AWS_SECURITY_TOKEN", place);
	if (credentials_set(credentials, source, key, secret, token, err) != 0)
		return -1;
	expiry = get_beside(env, "AWS_CREDENTIAL_EXPIRATION", place);
	return expiry ? credentials_set_expiry(credentials, aws, expiry, err) : 0;
}

/* --- all of them ---------------------------------------------------------------------------- */

static int fail_none(struct aws *aws, bool explicit, const char *why, struct err *err)
{
	err_set(err, ERR_USAGE,
		"no AWS credentials: looked at %sprofile \"%s\" (%s), web identity, container, "
		"EC2 metadata%s",
		explicit ? "" : "environment, ", aws_profile(aws),
		config_credentials_path(aws_config(aws)),
		credentials_instance_disabled(aws) ? " (switched off)" : "");
	if (why)
		err_detail(err, "EC2 metadata: %s.", why);
	err_hint(err, "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with "
		      "--profile or AWS_PROFILE.");
	return -1;
}

int credentials_find(struct aws *aws, struct credentials *credentials, struct err *err)
{
	CLEANUP(credentials_release) struct credentials found = CREDENTIALS_INIT;
	CLEANUP(mem_cleanup) char *why = NULL;
	const char *profile = aws_profile(aws);
	bool explicit = aws_options(aws)->profile != NULL;

	if (!explicit && credentials_from_environment(aws, &found, err) != 0)
		return -1;
	if (!found.access_key && credentials_from_role(aws, profile, &found, err) != 0)
		return -1;
	if (!found.access_key &&
		credentials_from_profile(aws, profile, !explicit, &found, err) != 0)
		return -1;
	if (!found.access_key && credentials_from_container(aws, &found, err) != 0)
		return -1;
	if (!found.access_key && credentials_from_instance(aws, &found, &why, err) != 0)
		return -1;
	if (!found.access_key)
		return fail_none(aws, explicit, why, err);
	credentials_release(credentials);
	*credentials = found;
	found = (struct credentials)CREDENTIALS_INIT;
	return 0;
}
