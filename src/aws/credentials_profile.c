#include "aws/credentials.h"

#include "base/mem.h"
#include "base/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Roles that are assumed on the way to one: more is a mistake. */
#define CHAIN_CEILING 8

/* What the resolution of a role has passed through. */
struct chain {
	struct aws *aws;
	struct strlist visited; /* profiles */
};

static void chain_cleanup(struct chain *chain)
{
	strlist_release(&chain->visited);
}

static const char *get(struct aws *aws, const char *profile, const char *name)
{
	return config_get(aws_config(aws), profile, name, NULL);
}

/* For what asks somebody something, or needs tokens that are renewed by other programs. */
static int fail_delegated(const char *profile, const char *what, struct err *err)
{
	CLEANUP(mem_cleanup) char *word = message_shell_word(profile);

	err_set(err, ERR_USAGE, "profile \"%s\" %s", profile, what);
	err_hint(err,
		"Add a profile with: credential_process = aws configure export-credentials "
		"--profile %s (AWS CLI v2).",
		word);
	return -1;
}

/* --- keys, processes ------------------------------------------------------------------------ */

static int from_keys(struct aws *aws, const char *profile, enum config_file file,
	struct credentials *credentials, struct err *err)
{
	const struct config *config = aws_config(aws);
	const char *path =
		file == CONFIG_FILE_CONFIG ? config_path(config) : config_credentials_path(config);
	const char *key = config_get_from(config, file, profile, "aws_access_key_id");
	const char *secret = config_get_from(config, file, profile, "aws_secret_access_key");
	const char *token = config_get_from(config, file, profile, "aws_session_token");
	CLEANUP(mem_cleanup) char *source = mem_printf("profile \"%s\" (%s)", profile, path);

	if (!key)
		return 0;
	if (!secret)
		return err_set(err, ERR_USAGE,
			"%s has aws_access_key_id but no aws_secret_access_key", source);
	if (!token)
		token = config_get_from(config, file, profile, "aws_security_token");
	return credentials_set(credentials, source, key, secret, token, err);
}

static bool has_keys(struct aws *aws, const char *profile)
{
	return get(aws, profile, "aws_access_key_id") || get(aws, profile, "aws_secret_access_key");
}

/* --- web identity --------------------------------------------------------------------------- */

static const char *get_either(struct aws *aws, const char *profile, bool use_environment,
	const char *variable, const char *name)
{
	const char *value = NULL;

	if (use_environment)
		value = config_variable(aws_options(aws)->env, variable);
	return value ? value : get(aws, profile, name);
}

static int from_web_identity(struct aws *aws, const char *profile, bool use_environment,
	struct credentials *credentials, struct err *err)
{
	const char *file = get_either(aws, profile, use_environment, "AWS_WEB_IDENTITY_TOKEN_FILE",
		"web_identity_token_file");
	const struct credentials_role role = {
		.profile = profile,
		.arn = get_either(aws, profile, use_environment, "AWS_ROLE_ARN", "role_arn"),
		.session_name = get_either(aws, profile, use_environment, "AWS_ROLE_SESSION_NAME",
			"role_session_name"),
	};

	if (!file)
		return 0;
	if (!role.arn)
		return err_set(err, ERR_USAGE,
			get(aws, profile, "web_identity_token_file") == file
				? "profile \"%s\" has web_identity_token_file but no role_arn"
				: "AWS_WEB_IDENTITY_TOKEN_FILE is set but AWS_ROLE_ARN is not "
				  "(profile \"%s\")",
			profile);
	return credentials_assume_role_with_web_identity(aws, &role, file, credentials, err);
}

int credentials_from_profile(struct aws *aws, const char *profile, bool use_environment,
	struct credentials *credentials, struct err *err)
{
	const char *command = get(aws, profile, "credential_process");

	if (from_web_identity(aws, profile, use_environment, credentials, err) != 0)
		return -1;
	if (!credentials->access_key &&
		from_keys(aws, profile, CONFIG_FILE_CREDENTIALS, credentials, err) != 0)
		return -1;
	if (!credentials->access_key && command)
		return credentials_from_process(aws, profile, command, credentials, err);
	if (!credentials->access_key &&
		from_keys(aws, profile, CONFIG_FILE_CONFIG, credentials, err) != 0)
		return -1;
	if (credentials->access_key)
		return 0;
	if (get(aws, profile, "sso_account_id") || get(aws, profile, "sso_role_name"))
		return fail_delegated(profile, "uses IAM Identity Center", err);
	if (get(aws, profile, "login_session"))
		return fail_delegated(profile, "uses aws login", err);
	return 0;
}

/* --- roles ---------------------------------------------------------------------------------- */

static bool has_role(struct aws *aws, const char *profile)
{
	return get(aws, profile, "role_arn") && !get(aws, profile, "web_identity_token_file");
}

static bool was_visited(const struct chain *chain, const char *profile)
{
	for (size_t i = 0; i < chain->visited.count; i++)
		if (strcmp(chain->visited.items[i], profile) == 0)
			return true;
	return false;
}

static int from_source(struct aws *aws, const char *profile, const char *name,
	struct credentials *credentials, struct err *err)
{
	CLEANUP(mem_cleanup) char *why = NULL;
	int result;

	if (strcmp(name, "Environment") == 0)
		result = credentials_from_environment(aws, credentials, err);
	else if (strcmp(name, "EcsContainer") == 0)
		result = credentials_from_container(aws, credentials, err);
	else if (strcmp(name, "Ec2InstanceMetadata") == 0)
		result = credentials_from_instance(aws, credentials, &why, err);
	else
		return err_set(err, ERR_USAGE,
			"credential_source \"%s\" of profile \"%s\" is not one of Environment, "
			"EcsContainer, Ec2InstanceMetadata",
			name, profile);
	if (result != 0)
		return -1;
	if (credentials->access_key)
		return 0;
	err_set(err, ERR_USAGE, "no credentials in %s, the credential_source of profile \"%s\"",
		name, profile);
	if (why)
		err_detail(err, "EC2 metadata: %s.", why);
	return -1;
}

static int resolve_role(
	struct chain *chain, const char *profile, struct credentials *credentials, struct err *err);

/*
 * A profile may be its own source: it then has keys besides its role. Any other way back to a
 * profile is a loop.
 */
static int from_source_profile(struct chain *chain, const char *profile, const char *source,
	struct credentials *credentials, struct err *err)
{
	struct aws *aws = chain->aws;

	if (!config_has_profile(aws_config(aws), source))
		return err_set(err, ERR_USAGE,
			"source_profile \"%s\" of profile \"%s\" does not exist", source, profile);
	if (was_visited(chain, source) && (strcmp(source, profile) != 0 || !has_keys(aws, source)))
		return err_set(err, ERR_USAGE,
			"source_profile \"%s\" of profile \"%s\" leads back to itself", source,
			profile);
	if (chain->visited.count > CHAIN_CEILING)
		return err_set(err, ERR_USAGE,
			"profile \"%s\" goes through more than %d profiles with roles",
			chain->visited.items[0], CHAIN_CEILING);
	strlist_add(&chain->visited, source);
	if (has_role(aws, source) && !has_keys(aws, source))
		return resolve_role(chain, source, credentials, err);
	if (credentials_from_profile(aws, source, false, credentials, err) != 0)
		return -1;
	if (!credentials->access_key)
		return err_set(err, ERR_USAGE,
			"source_profile \"%s\" of profile \"%s\" has no credentials", source,
			profile);
	return 0;
}

static int read_role(
	struct aws *aws, const char *profile, struct credentials_role *ret_role, struct err *err)
{
	const char *duration = get(aws, profile, "duration_seconds");
	char *end = NULL;
	long seconds = 0;

	if (duration) {
		errno = 0;
		seconds = strtol(duration, &end, 10);
		if (errno || *end || seconds < 900 || seconds > 43200)
			return err_set(err, ERR_USAGE,
				"duration_seconds of profile \"%s\" is not a number from 900 to "
				"43200",
				profile);
	}
	*ret_role = (struct credentials_role){
		.profile = profile,
		.arn = get(aws, profile, "role_arn"),
		.session_name = get(aws, profile, "role_session_name"),
		.external_id = get(aws, profile, "external_id"),
		.duration_seconds = (int)seconds,
	};
	return 0;
}

static int resolve_role(
	struct chain *chain, const char *profile, struct credentials *credentials, struct err *err)
{
	CLEANUP(credentials_release) struct credentials base = CREDENTIALS_INIT;
	struct aws *aws = chain->aws;
	const char *source_profile = get(aws, profile, "source_profile");
	const char *source = get(aws, profile, "credential_source");
	struct credentials_role role;

	if (get(aws, profile, "mfa_serial")) {
		const char *command = get(aws, profile, "credential_process");

		/* Then somebody has arranged for another program to ask. */
		if (command)
			return credentials_from_process(aws, profile, command, credentials, err);
		return fail_delegated(profile, "asks for an MFA code", err);
	}
	if (source_profile && source)
		return err_set(err, ERR_USAGE,
			"profile \"%s\" has both source_profile and credential_source", profile);
	if (!source_profile && !source)
		return err_set(err, ERR_USAGE,
			"profile \"%s\" has role_arn but neither source_profile nor "
			"credential_source",
			profile);
	if (read_role(aws, profile, &role, err) != 0)
		return -1;
	if (source ? from_source(aws, profile, source, &base, err) != 0
		   : from_source_profile(chain, profile, source_profile, &base, err) != 0)
		return -1;
	return credentials_assume_role(aws, &role, &base, credentials, err);
}

int credentials_from_role(
	struct aws *aws, const char *profile, struct credentials *credentials, struct err *err)
{
	CLEANUP(chain_cleanup) struct chain chain = { .aws = aws };

	if (!has_role(aws, profile))
		return 0;
	strlist_add(&chain.visited, profile);
	return resolve_role(&chain, profile, credentials, err);
}
