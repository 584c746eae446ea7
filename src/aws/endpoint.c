/* Names of regions, and where their services are reached. */
#include "aws/aws.h"

#include "base/mem.h"

#include <ctype.h>
#include <string.h>

/*
 * The domains of AWS's partitions by how their regions' names begin; the last is for all others.
 * From the partitions.json that AWS's SDKs share.
 */
static const struct partition {
	const char *prefix;
	const char *domain;
	const char *dual_stack;
	bool has_plain_fips; /* its ordinary endpoints are the FIPS ones */
} partitions[] = {
	{ "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn", false },
	{ "eusc-", "amazonaws.eu", "api.amazonwebservices.eu", false },
	{ "us-iso-", "c2s.ic.gov", "api.aws.ic.gov", false },
	{ "us-isob-", "sc2s.sgov.gov", "api.aws.scloud", false },
	{ "eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", false },
	{ "us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov", false },
	{ "us-gov-", "amazonaws.com", "api.aws", true },
	{ "", "amazonaws.com", "api.aws", false },
};

static size_t letters(const char *text)
{
	return strspn(text, "abcdefghijklmnopqrstuvwxyz");
}

/* ^([a-z]{2}|eusc)(-[a-z]+)+-[0-9]+$ */
bool aws_is_region(const char *text)
{
	size_t length = letters(text);
	size_t words = 0;

	if (length != 2 && (length != 4 || strncmp(text, "eusc", 4) != 0))
		return false;
	text += length;
	while (*text == '-' && (length = letters(text + 1)) > 0) {
		text += 1 + length;
		words++;
	}
	if (*text != '-' || words == 0 || strlen(text) > 8)
		return false;
	length = strspn(text + 1, "0123456789");
	return length > 0 && text[1 + length] == '\0';
}

static const struct partition *partition_of(const char *region)
{
	const struct partition *partition = partitions;

	while (strncmp(region, partition->prefix, strlen(partition->prefix)) != 0)
		partition++;
	return partition;
}

static char *built_in(const struct aws *aws, const char *service, const char *region)
{
	const struct partition *partition = partition_of(region);
	bool is_fips = aws_setting_is_true(aws, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
	bool is_dual =
		aws_setting_is_true(aws, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");

	return mem_printf("https://%s%s.%s.%s", service,
		is_fips && (is_dual || !partition->has_plain_fips) ? "-fips" : "", region,
		is_dual ? partition->dual_stack : partition->domain);
}

/* What the user has set; *ret_from says where. NULL: nothing. */
static const char *configured(const struct aws *aws, const char *service, char **ret_from)
{
	CLEANUP(mem_cleanup) char *variable = mem_printf("AWS_ENDPOINT_URL_%s", service);
	const struct env *env = aws_options(aws)->env;
	const char *url;

	if (aws_setting_is_true(
		    aws, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls"))
		return NULL;
	for (char *c = variable; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	url = config_variable(env, variable);
	if (url) {
		*ret_from = take_ptr(variable);
		return url;
	}
	url = config_variable(env, "AWS_ENDPOINT_URL");
	if (url) {
		*ret_from = mem_strdup("AWS_ENDPOINT_URL");
		return url;
	}
	url = config_service_endpoint(aws_config(aws), aws_profile(aws), service);
	if (!url)
		url = config_get(aws_config(aws), aws_profile(aws), "endpoint_url", NULL);
	if (url)
		*ret_from = mem_printf(
			"profile \"%s\", %s", aws_profile(aws), config_path(aws_config(aws)));
	return url;
}

/* Requests are POST /, so an endpoint ends with its host, or with a slash behind it. */
static bool has_path(const char *url)
{
	const char *rest = strstr(url, "://") + 3;

	rest += strcspn(rest, "/?#\\");
	return strcmp(rest, "") != 0 && strcmp(rest, "/") != 0;
}

int aws_endpoint(
	struct aws *aws, const char *service, const char *region, char **ret_url, struct err *err)
{
	CLEANUP(mem_cleanup) char *from = NULL;
	const char *url = configured(aws, service, &from);
	const char *why;
	size_t length;

	if (!url) {
		if (!aws_is_region(region))
			return err_set(
				err, ERR_USAGE, "\"%s\" is not the name of an AWS region", region);
		*ret_url = built_in(aws, service, region);
		return 0;
	}
	why = http_refuses(url, false);
	if (!*why && has_path(url))
		why = "it has a path or a query";
	if (*why) {
		/* The URL is not shown: it may hold a password. */
		err_set(err, ERR_USAGE, "cannot use the endpoint for \"%s\" (%s): %s", service,
			from, why);
		err_hint(err,
			"Write it like https://host:port; http:// is for 127.0.0.1, [::1] and "
			"localhost.");
		return -1;
	}
	length = strlen(url);
	*ret_url = mem_strndup(url, url[length - 1] == '/' ? length - 1 : length);
	return 0;
}
