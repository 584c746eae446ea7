#include "aws/aws.h"

#include "base/mem.h"
#include "base/message.h"

#include <string.h>
#include <strings.h>

/* Credentials with less than this left are asked for anew. */
#define REFRESH_SECONDS 300

struct aws {
	struct aws_options options;
	struct http *http;
	struct config *config;
	char *profile;
	char *region; /* NULL: not known so far */
	struct credentials credentials;
	bool has_credentials;
	bool is_finding; /* credentials; what they need must not ask for credentials */
	bool has_warned; /* of the credentials file */
	time_t skew;     /* AWS's clock minus this machine's */
};

/* --- settings ------------------------------------------------------------------------------- */

const char *aws_setting(const struct aws *aws, const char *variable, const char *name)
{
	const char *value = variable ? config_variable(aws->options.env, variable) : NULL;

	if (value || !name)
		return value;
	return config_get(aws->config, aws->profile, name, NULL);
}

bool aws_setting_is_true(const struct aws *aws, const char *variable, const char *name)
{
	const char *value = aws_setting(aws, variable, name);

	return value && strcasecmp(value, "true") == 0;
}

/* The profile: the option, the variables in the order of the CLI's version 2. */
static int choose_profile(struct aws *aws, struct err *err)
{
	static const char *const variables[] = { "AWS_PROFILE", "AWS_DEFAULT_PROFILE" };
	const char *from = "--profile";
	const char *profile = aws->options.profile;
	CLEANUP(mem_cleanup) char *word = NULL;

	for (size_t i = 0; !profile && i < ARRAY_SIZE(variables); i++) {
		from = variables[i];
		profile = env_get(aws->options.env, from, NULL);
	}
	aws->profile = mem_strdup(profile ? profile : "default");
	if (!profile || strcmp(profile, "default") == 0 || config_has_profile(aws->config, profile))
		return 0;
	err_set(err, ERR_USAGE, "profile \"%s\" (%s) is neither in \"%s\" nor in \"%s\"", profile,
		from, config_path(aws->config), config_credentials_path(aws->config));
	word = message_shell_word(profile);
	err_hint(err, "Name one that is there, or write it there with: aws configure --profile %s",
		word);
	return -1;
}

static int bad_region(const char *region, const char *from, struct err *err)
{
	err_set(err, ERR_USAGE, "\"%s\" (%s) is not the name of an AWS region", region, from);
	err_hint(err, "Write it like eu-central-1.");
	return -1;
}

static int choose_region(struct aws *aws, struct err *err)
{
	static const char *const variables[] = { "AWS_REGION", "AWS_DEFAULT_REGION" };
	const char *from = "--region";
	const char *region = aws->options.region;

	for (size_t i = 0; !region && i < ARRAY_SIZE(variables); i++) {
		from = variables[i];
		region = env_get(aws->options.env, from, NULL);
	}
	if (!region)
		region = config_get(aws->config, aws->profile, "region", &from);
	if (!region)
		return 0;
	if (!aws_is_region(region))
		return bad_region(region, from, err);
	aws->region = mem_strdup(region);
	return 0;
}

const char *aws_ca_bundle(const struct aws *aws)
{
	static const char *const variables[] = { "SSL_CERT_FILE", "CURL_CA_BUNDLE" };
	const char *path = aws_setting(aws, "AWS_CA_BUNDLE", "ca_bundle");

	for (size_t i = 0; !path && i < ARRAY_SIZE(variables); i++)
		path = config_variable(aws->options.env, variables[i]);
	return path;
}

/* --- the object ----------------------------------------------------------------------------- */

static void warn_of_ignored(const struct aws_options *options)
{
	const char *name;
	size_t index = 0;

	while (options->warn && (name = config_ignored(options->env, &index))) {
		CLEANUP(mem_cleanup)
		char *text =
			mem_printf("%s in \"%s\" is ignored: it counts in the environment only",
				name, options->env->file);

		options->warn(text);
	}
}

int aws_open(const struct aws_options *options, struct aws **ret_aws, struct err *err)
{
	CLEANUP(aws_cleanup) struct aws *aws = mem_calloc(1, sizeof(*aws));

	aws->options = *options;
	warn_of_ignored(options);
	if (config_read(options->env, &aws->config, err) != 0 || choose_profile(aws, err) != 0 ||
		choose_region(aws, err) != 0 || http_open(&aws->http, err) != 0)
		return -1;
	*ret_aws = take_ptr(aws);
	return 0;
}

void aws_cleanup(struct aws **pointer)
{
	struct aws *aws = *pointer;

	if (!aws)
		return;
	http_cleanup(&aws->http);
	config_cleanup(&aws->config);
	credentials_release(&aws->credentials);
	mem_free(aws->profile);
	mem_free(aws->region);
	mem_free(aws);
	*pointer = NULL;
}

struct http *aws_http(struct aws *aws)
{
	return aws->http;
}

const struct aws_options *aws_options(const struct aws *aws)
{
	return &aws->options;
}

const struct config *aws_config(const struct aws *aws)
{
	return aws->config;
}

const char *aws_profile(const struct aws *aws)
{
	return aws->profile;
}

time_t aws_now(const struct aws *aws)
{
	return time(NULL) + aws->skew;
}

void aws_set_clock(struct aws *aws, time_t server_now)
{
	aws->skew = server_now - time(NULL);
}

/* --- region and credentials ----------------------------------------------------------------- */

/* An instance that is used with the role it has been given is taken to mean its own region. */
static int region_of_instance(struct aws *aws, struct err *err)
{
	CLEANUP(mem_cleanup) char *region = NULL;
	const struct credentials *credentials;

	if (aws_credentials(aws, &credentials, err) != 0)
		return -1;
	if (!credentials->source || strncmp(credentials->source, CREDENTIALS_FROM_METADATA,
					    strlen(CREDENTIALS_FROM_METADATA)) != 0)
		return 0;
	if (credentials_metadata_region(aws, &region, err) != 0)
		return -1;
	if (!aws_is_region(region))
		return bad_region(region, CREDENTIALS_FROM_METADATA, err);
	aws->region = take_ptr(region);
	return 0;
}

int aws_region(struct aws *aws, const char **ret_region, struct err *err)
{
	if (!aws->region && !aws->is_finding && region_of_instance(aws, err) != 0)
		return -1;
	if (!aws->region) {
		err_set(err, ERR_USAGE, "no AWS region is set");
		err_detail(err,
			"Looked at --region, AWS_REGION, AWS_DEFAULT_REGION and \"region\" of the "
			"profile \"%s\" (%s).",
			aws->profile, config_path(aws->config));
		err_hint(err, "Set AWS_REGION, like eu-central-1.");
		return -1;
	}
	*ret_region = aws->region;
	return 0;
}

static bool lasts(const struct aws *aws, time_t seconds)
{
	return aws->has_credentials && (aws->credentials.expires == 0 ||
					       aws->credentials.expires - aws_now(aws) >= seconds);
}

static void warn_of_file(struct aws *aws)
{
	const char *path = config_credentials_path(aws->config);
	const char *source = aws->credentials.source;
	CLEANUP(mem_cleanup) char *word = message_shell_word(path);
	CLEANUP(mem_cleanup) char *line = NULL;

	if (aws->has_warned || !aws->options.warn || !config_credentials_exposed(aws->config) ||
		!source || !strstr(source, path))
		return;
	aws->has_warned = true;
	line = mem_printf("others can read \"%s\"; type: chmod 600 %s", path, word);
	aws->options.warn(line);
}

/* New ones; when there are none to be had the old ones serve while they last. */
static int find_credentials(struct aws *aws, struct err *err)
{
	CLEANUP(credentials_release) struct credentials found = CREDENTIALS_INIT;
	int result;

	aws->is_finding = true;
	result = credentials_find(aws, &found, err);
	aws->is_finding = false;
	if (result != 0) {
		if (err->kind == ERR_INTERRUPTED || !lasts(aws, 1))
			return -1;
		err_release(err);
		return 0;
	}
	credentials_release(&aws->credentials);
	aws->credentials = found;
	aws->has_credentials = true;
	found = (struct credentials)CREDENTIALS_INIT;
	warn_of_file(aws);
	return 0;
}

int aws_credentials(struct aws *aws, const struct credentials **ret_credentials, struct err *err)
{
	if (aws->is_finding)
		BUG("credentials are needed to find credentials");
	if (!lasts(aws, REFRESH_SECONDS) && find_credentials(aws, err) != 0)
		return -1;
	*ret_credentials = &aws->credentials;
	return 0;
}
