#include "pg/protected_url.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "pg/protected_targets.h"
#include "pg/protection.h"

#include <ctype.h>
#include <libpq-fe.h>
#include <string.h>

/* "PROD_EU_CONNECTION_URL" -> "prod_eu", "DATABASE_URL" -> "local"; NULL: no variable of a target.
 * The caller owns it. */
static char *target_of(const char *variable)
{
	static const char *const endings[] = { "_CONNECTION_URL", "_DATABASE_URL" };

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t length = strlen(variable), tail = strlen(endings[i]);
		char *name;

		if (strcmp(variable, endings[i] + 1) == 0)
			return mem_strdup("local");
		if (length <= tail || strcmp(variable + length - tail, endings[i]) != 0)
			continue;
		name = mem_strndup(variable, length - tail);
		for (char *c = name; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		return name;
	}
	return NULL;
}

static bool is_protected(const struct env_values *values, const char *name)
{
	return protection_is_name(name) || protected_targets_have(values, name);
}

static bool is_one_of(const char *text, size_t length, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(words[i]) == length && strncasecmp(text, words[i], length) == 0)
			return true;
	return false;
}

/* A word that stands for what is still to come; others may stand for a URL that is somewhere else,
 * as $DATABASE_URL does. */
static bool is_word(const char *text, size_t length)
{
	static const char *const words[] = { "changeme", "change_me", "change-me", "todo", "tbd",
		"fixme", "none", "null", "nil", "undefined", "unset", "placeholder", "replaceme",
		"replace_me", "replace-me", "dummy", "secret", "fake", "false", "n/a", "not-set",
		"not_set", "not set", "your-url-here", "your_url_here", "example", "set-me",
		"set_me", "setme", "fill-in", "fill_in", "fill-me-in", "0" };

	return is_one_of(text, length, words, ARRAY_SIZE(words)) ||
	       (length >= 3 && strspn(text, "xX") >= length) ||
	       (strncasecmp(text, "TODO:", strlen("TODO:")) == 0 && !strstr(text, "://"));
}

/* What something else puts the URL in the place of: here it is as good as unset. */
static bool is_reference(const char *text, size_t length)
{
	static const char *const beginnings[] = { "op://", "vault:", "ENC[",
		"arn:aws:secretsmanager:", "arn:aws:ssm:", "encrypted:", "file:", "prisma://",
		"prisma+postgres://", "ssm:", "gcp-secret://", "doppler://", "!vault",
		"sops:", "aws-sm://", "sm://", "secretref:", "@Microsoft.KeyVault(", "ref+",
		"secret://", "infisical://", "keyring:" };

	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
		if (strncmp(text, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	/* Its default may be a URL. */
	return text[length - 1] == '}' && !strstr(text, "://") &&
	       (strncmp(text, "${", 2) == 0 ||
		       (length >= 4 && strncmp(text, "{{", 2) == 0 && text[length - 2] == '}'));
}

/* "<your URL>", but not "<postgresql://host/database>", which a person has not finished. */
static bool is_bracketed_text(const char *text, size_t length)
{
	const char *scheme_end = strstr(text, "://");

	if (*text != '<' || strcspn(text, ">") != length - 1 || strchr(text, '='))
		return false;
	return !scheme_end || strchr("> \t", scheme_end[strlen("://")]);
}

/* The scheme of what is no PostgreSQL. Many that are have one of their own: ecto, postgis, psql. */
static bool is_foreign(const char *text)
{
	static const char *const schemes[] = { "mysql", "mysql2", "mariadb", "jdbc:mysql",
		"jdbc:mariadb", "jdbc:sqlserver", "jdbc:oracle", "jdbc:sqlite", "sqlserver",
		"mssql", "oracle", "sqlite", "sqlite3", "mongodb", "mongodb+srv", "libsql", "redis",
		"rediss", "amqp", "amqps", "http", "https" };
	const char *end = strstr(text, "://");

	return end && is_one_of(text, (size_t)(end - text), schemes, ARRAY_SIZE(schemes));
}

/* --- templates ------------------------------------------------------------------------------- */

/*
 * What stands between the user and the path of a URL. NULL: text is no URL with a host there, or
 * one that has another in its query, or whose password may hold what looks so. The caller owns it.
 */
static char *authority_of(const char *text)
{
	const char *start = strstr(text, "://"), *rest, *query, *closing;
	CLEANUP(mem_cleanup_secret) char *authority = NULL;
	char *user_end;

	if (!start)
		return NULL;
	start += strlen("://");
	/* "<postgresql://host>", but not "postgresql://<user>:<password>@<host>". */
	for (rest = start; *rest && !strchr("/?#>", *rest); rest++)
		if (*rest == '<' && (closing = strchr(rest, '>')))
			rest = closing;
	query = strchr(rest, '?');
	if (strchr(rest, '@') || (query && strstr(query, "host")))
		return NULL;
	authority = mem_strndup(start, (size_t)(rest - start));
	user_end = strrchr(authority, '@');
	return mem_strdup(user_end ? user_end + 1 : authority);
}

static bool ends_with(const char *text, size_t length, const char *end)
{
	const size_t tail = strlen(end);

	return length > tail && strncasecmp(text + length - tail, end, tail) == 0;
}

/* In capitals as a variable is: PROD_HOST. */
static bool is_variable_of_host(const char *host, size_t length)
{
	return strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") >= length && length >= strlen("HOST") &&
	       memcmp(host + length - strlen("HOST"), "HOST", strlen("HOST")) == 0;
}

/* "<host>", but not a host that somebody has put there: "<10.0.0.1>", "<localhost>". */
static bool is_bracketed_host(const char *host, size_t length)
{
	return host[0] == '<' && !memchr(host, '.', length) &&
	       strncasecmp(host, "<localhost>", strlen("<localhost>")) != 0;
}

/* The domains are those that RFC 2606 keeps for examples, where nobody has a host; a host with a
 * sign of shells and templates is put there by something else. */
static bool is_template_host(const char *host, size_t length)
{
	static const char *const words[] = { "host", "hostname", "your-host", "your_host",
		"your-hostname", "your-db-host", "your_db_host", "prod-host", "prod_host", "server",
		"my-host.com", "example.com", "example.org", "example.net" };
	static const char *const domains[] = { ".example.com", ".example.org", ".example.net",
		".example", ".invalid" };

	for (size_t i = 0; i < ARRAY_SIZE(domains); i++)
		if (ends_with(host, length, domains[i]))
			return true;
	return memchr(host, '$', length) || strncmp(host, "{{", 2) == 0 ||
	       is_bracketed_host(host, length) || is_variable_of_host(host, length) ||
	       strspn(host, ".") == length || is_one_of(host, length, words, ARRAY_SIZE(words));
}

bool protected_url_is_template(const char *value)
{
	CLEANUP(mem_cleanup) char *hosts = authority_of(value);

	/* "${HOST:-127.0.0.1}" */
	if (!hosts || !*hosts || strstr(hosts, ":-"))
		return false;
	for (const char *host = hosts;; host++) {
		const size_t length = strcspn(host, ",:");

		if (length == 0 || !is_template_host(host, length))
			return false;
		host += strcspn(host, ",");
		if (!*host)
			return true;
	}
}

bool protected_url_is_bracketed(const char *value)
{
	return value[strspn(value, " \t\r\n")] == '<';
}

/* --- what other drivers understand ----------------------------------------------------------- */

/* Of those that libpq does not know, what some driver takes for where to connect. */
static bool says_where(const char *key, size_t length)
{
	static const char *const keys[] = { "host", "hostname", "hostaddress", "port", "server",
		"servername", "socket", "socketfactory", "unix_sock", "unix_socket", "unixsocket",
		"cloudsqlinstance", "instance", "database", "databasename", "dbname", "db",
		"username" };

	return is_one_of(key, length, keys, ARRAY_SIZE(keys));
}

/* pair: "schema=public", of a query. */
static bool is_of_driver(const char *pair, size_t length, const PQconninfoOption *known)
{
	const char *equals = memchr(pair, '=', length);
	const size_t key_length = equals ? (size_t)(equals - pair) : 0;

	if (!equals || memchr(pair, '%', key_length) || says_where(pair, key_length))
		return false;
	/* libpq takes that one for sslmode=require. */
	if (length == strlen("ssl=true") && memcmp(pair, "ssl=true", length) == 0)
		return false;
	for (; known->keyword; known++)
		if (strlen(known->keyword) == key_length &&
			memcmp(known->keyword, pair, key_length) == 0)
			return false;
	return true;
}

/* Where libpq finds it: a password may hold its sign. */
static const char *query_of(const char *url)
{
	const char *authority = strstr(url, "://") + strlen("://");
	const char *user_end = authority + strcspn(authority, "@/");

	return strchr(*user_end == '@' ? user_end : authority, '?');
}

/* false: there is none of a driver's. */
static bool drop_parameters_of_driver(const char *url, struct strbuf *plain)
{
	const char *pair = query_of(url);
	PQconninfoOption *known = pair ? PQconninfoParse("", NULL) : NULL;
	bool dropped = false;
	char separator = '?';

	if (!known)
		return false;
	strbuf_add(plain, url, (size_t)(pair - url));
	while (*pair) {
		const size_t length = strcspn(++pair, "&");

		if (is_of_driver(pair, length, known)) {
			dropped = true;
		} else {
			strbuf_addc(plain, separator);
			strbuf_add(plain, pair, length);
			separator = '&';
		}
		pair += length;
	}
	PQconninfoFree(known);
	return dropped;
}

char *protected_url_plain(const char *value)
{
	static const char *const schemes[] = { "jdbc:postgresql:", "postgresql+", "postgres+",
		"postgresql:", "postgres:" };
	CLEANUP(strbuf_release_secret) struct strbuf plain = STRBUF_INIT_UNBOUNDED;
	CLEANUP(mem_cleanup_secret) char *url = NULL;
	const char *rest = strstr(value, "://");

	for (size_t i = 0; rest && !url && i < ARRAY_SIZE(schemes); i++)
		if (strncmp(value, schemes[i], strlen(schemes[i])) == 0 &&
			strcspn(value, "/") == (size_t)(rest + 1 - value))
			url = mem_printf("postgresql%s", rest);
	if (!url)
		return NULL;
	if (drop_parameters_of_driver(url, &plain))
		return strbuf_detach(&plain);
	return strncmp(value, "postgres://", 11) == 0 || strncmp(value, "postgresql://", 13) == 0
		       ? NULL
		       : take_ptr(url);
}

/* --- which count ----------------------------------------------------------------------------- */

/* Set to nothing, as it is where it is not wanted, to a placeholder, or to something else than
 * PostgreSQL. In doubt it is a database's. */
static bool names_none(const char *value)
{
	static const char blanks[] = " \t\r\n";
	const char *text = value + strspn(value, blanks);
	size_t length = strlen(text);

	while (length > 0 && strchr(blanks, text[length - 1]))
		length--;
	if (text[strspn(text, " \t\r\n.-_*?")] == '\0')
		return true;
	return is_bracketed_text(text, length) || is_word(text, length) ||
	       is_reference(text, length) || is_foreign(text);
}

/* The same URL of the same target in an earlier place. */
static bool is_repeated(const struct env_values *values, size_t index, const char *name)
{
	for (size_t i = 0; i < index; i++) {
		CLEANUP(mem_cleanup) char *other = target_of(values->items[i].name);

		if (other && strcmp(other, name) == 0 &&
			strcmp(values->items[i].value, values->items[index].value) == 0)
			return true;
	}
	return false;
}

char *protected_url_target(const struct env_values *values, size_t index)
{
	CLEANUP(mem_cleanup) char *name = target_of(values->items[index].name);

	if (!name || names_none(values->items[index].value) || !is_protected(values, name) ||
		is_repeated(values, index, name))
		return NULL;
	return take_ptr(name);
}
