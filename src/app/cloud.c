#include "app/cloud.h"

#include "base/interrupt.h"
#include "term/out.h"

#include <stdlib.h>
#include <string.h>

#define LONGEST_TIMEOUT 3600

static const char *opt_profile, *opt_region, *opt_timeout;

const struct option cloud_options[] = {
	{ .name = "profile",
		.type = OPTION_STRING,
		.value = &opt_profile,
		.argument = "NAME",
		.help = "the AWS profile to use; goes before keys in the environment" },
	{ .name = "region",
		.type = OPTION_STRING,
		.value = &opt_region,
		.argument = "NAME",
		.help = "the AWS region, like eu-central-1" },
	{ .name = "timeout",
		.type = OPTION_STRING,
		.value = &opt_timeout,
		.argument = "SECONDS",
		.help = "how long one call to AWS may last with its retries (45)" },
	{ 0 },
};

const struct variable cloud_variables[] = {
	{ "AWS_ACCESS_KEY_ID",
		"Access key; AWS_SECRET_ACCESS_KEY belongs to it, and AWS_SESSION_TOKEN to a "
		"temporary one." },
	{ "AWS_PROFILE", "Profile in the files; AWS_DEFAULT_PROFILE is looked at next." },
	{ "AWS_REGION", "Region; AWS_DEFAULT_REGION and the profile's are looked at next." },
	{ "AWS_CONFIG_FILE",
		"The configuration, if it is not ~/.aws/config. Of the AWS_* variables only keys, "
		"region and profile count in .env, and AWS_MAX_ATTEMPTS, "
		"AWS_EC2_METADATA_DISABLED, AWS_USE_FIPS_ENDPOINT and "
		"AWS_USE_DUALSTACK_ENDPOINT." },
	{ "AWS_SHARED_CREDENTIALS_FILE", "The credentials, if they are not ~/.aws/credentials." },
	{ "AWS_WEB_IDENTITY_TOKEN_FILE",
		"Token that is exchanged for the role AWS_ROLE_ARN; AWS_ROLE_SESSION_NAME names "
		"the session." },
	{ "AWS_CONTAINER_CREDENTIALS_FULL_URI", "Where a container finds credentials; so does "
						"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI." },
	{ "AWS_EC2_METADATA_DISABLED", "true: the instance metadata are not asked." },
	{ "AWS_ENDPOINT_URL",
		"Endpoint of all services; AWS_ENDPOINT_URL_EC2, _RDS and _STS go before it. http "
		"is allowed on this machine only." },
	{ "AWS_CA_BUNDLE", "Certificates that AWS is verified with instead of the system's." },
	{ "AWS_MAX_ATTEMPTS", "How often a call is tried (3)." },
	{ "HTTPS_PROXY", "Proxy for calls to AWS; NO_PROXY lists hosts it is not used for." },
	{ 0 },
};

static int parse_timeout(double *ret_seconds, struct err *err)
{
	char *end;
	double seconds;

	*ret_seconds = 0;
	if (!opt_timeout)
		return 0;
	seconds = strtod(opt_timeout, &end);
	/* strtod alone takes "0x10", "1e3", "+5" and " 5" too. */
	if (end == opt_timeout || *end || opt_timeout[strspn(opt_timeout, "0123456789.")] ||
		seconds <= 0 || seconds > LONGEST_TIMEOUT)
		return err_set(err, ERR_USAGE,
			"--timeout: \"%s\" is not a number of seconds from 0 to %d", opt_timeout,
			LONGEST_TIMEOUT);
	*ret_seconds = seconds;
	return 0;
}

const char *cloud_profile(void)
{
	return opt_profile;
}

char *cloud_where(struct aws *aws)
{
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	struct strbuf text = STRBUF_INIT;
	const char *region;

	if (opt_profile) {
		strbuf_adds(&text, " --profile ");
		strbuf_add_shell_word(&text, opt_profile);
	}
	if (aws_region(aws, &region, &ignored) == 0)
		strbuf_addf(&text, " --region %s", region);
	return strbuf_detach(&text);
}

static void trace(const char *line)
{
	out_detail("%s", line);
}

static void warn(const char *line)
{
	out_warning("%s", line);
}

int cloud_open(struct context *context, struct aws **ret_aws, struct err *err)
{
	struct aws_options options = {
		.env = &context->env,
		.profile = opt_profile,
		.region = opt_region,
		.trace = trace,
		.warn = warn,
	};

	if (parse_timeout(&options.timeout_seconds, err) != 0)
		return -1;
	/* From here on a signal ends the waiting for an answer, not the program. */
	interrupt_install();
	return aws_open(&options, ret_aws, err);
}
