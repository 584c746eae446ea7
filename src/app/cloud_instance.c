#include "app/cloud.h"
#include "aws/rds.h"
#include "base/mem.h"
#include "base/rds_endpoint.h"
#include "term/out.h"

#include <ctype.h>

static const char *opt_instance;

/* For aws_options, whose texts are borrowed as those of the options are: until the program ends. */
static char *endpoint_region;

const struct option instance_options[] = {
	{ .name = "instance",
		.type = OPTION_STRING,
		.value = &opt_instance,
		.argument = "ID",
		.help = "the instance's identifier, instead of a target" },
	{ 0 },
};

const struct variable instance_variables[] = {
	{ "DB_INSTANCE_ID", "Identifier of the RDS instance, when neither --instance nor a target "
			    "names one." },
	{ "PROD_CONNECTION_URL",
		"Connection URL of the target prod, from whose host the instance and its region "
		"are "
		"known when nothing else names them; PROD_DATABASE_URL is looked at next." },
	{ "NAME_CONNECTION_URL", "The same of the target NAME, in upper case and with _ for -." },
	{ 0 },
};

const char *cloud_instance_option(void)
{
	return opt_instance;
}

static int take_id(const char *id, const char *from, char **ret_id, struct err *err)
{
	if (!rds_is_instance_id(id)) {
		err_set(err, ERR_USAGE, "%s: \"%s\" is not the identifier of a database instance",
			from, id);
		err_detail(err, "An identifier has 1 to 63 letters, digits and single hyphens and "
				"begins with a letter.");
		return -1;
	}
	/* As AWS keeps it. */
	*ret_id = mem_strdup(id);
	for (char *c = *ret_id; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return 0;
}

static int from_endpoint(struct context *context, const char *target, char **ret_id,
	char **ret_region, struct err *err)
{
	CLEANUP(target_endpoint_release) struct target_endpoint endpoint = TARGET_ENDPOINT_INIT;
	CLEANUP(mem_cleanup) char *id = NULL;
	CLEANUP(mem_cleanup) char *region = NULL;
	const char *host;

	if (target_endpoint(target, &context->env, &endpoint, err) != 0) {
		if (err->kind == ERR_USAGE && !err->hint)
			err_hint(err, "Name the instance: --instance ID, or set DB_INSTANCE_ID.");
		return -1;
	}
	host = endpoint.host;
	if (!host || !rds_parse_host(host, &id, &region)) {
		err_set(err, ERR_USAGE,
			"the URL of the target \"%s\" does not tell which instance it is", target);
		if (host)
			err_detail(err,
				"Its host \"%s\" is not the name of an RDS endpoint (like "
				"mydb.abc123.eu-central-1.rds.amazonaws.com).",
				host);
		else
			err_detail(err, "It names no host.");
		err_hint(err, "Name the instance: --instance ID, or set DB_INSTANCE_ID.");
		return -1;
	}
	if (!id) {
		err_set(err, ERR_USAGE,
			"\"%s\" is the endpoint of a cluster or proxy, not of an "
			"instance",
			host);
		err_hint(err, "Name the instance: --instance ID, or set DB_INSTANCE_ID.");
		return -1;
	}
	out_detail("instance %s in %s, from the URL of the target %s", id, region, target);
	*ret_id = take_ptr(id);
	*ret_region = take_ptr(region);
	return 0;
}

int cloud_instance(struct context *context, const struct run *run, char **ret_id, char **ret_region,
	struct err *err)
{
	const char *variable = env_get(&context->env, "DB_INSTANCE_ID", NULL);

	*ret_region = NULL;
	if (opt_instance && run->words.count > 0)
		return err_set(err, ERR_USAGE, "--instance and a target exclude each other");
	if (opt_instance)
		return take_id(opt_instance, "--instance", ret_id, err);
	if (run->words.count > 0)
		return from_endpoint(context, run->words.items[0], ret_id, ret_region, err);
	if (variable)
		return take_id(variable, "DB_INSTANCE_ID", ret_id, err);
	if (!env_get(&context->env, "PROD_CONNECTION_URL", NULL) &&
		!env_get(&context->env, "PROD_DATABASE_URL", NULL)) {
		err_set(err, ERR_USAGE, "no instance is named");
		err_detail(err, "Neither DB_INSTANCE_ID nor PROD_CONNECTION_URL is set.");
		err_hint(err, "Name it: --instance ID, or a target whose URL names its endpoint.");
		return -1;
	}
	return from_endpoint(context, "prod", ret_id, ret_region, err);
}

int cloud_open_instance(struct context *context, const struct run *run, struct aws **ret_aws,
	char **ret_id, struct err *err)
{
	CLEANUP(mem_cleanup) char *id = NULL;
	CLEANUP(mem_cleanup) char *region = NULL;
	CLEANUP(aws_cleanup) struct aws *aws = NULL;

	if (cloud_instance(context, run, &id, &region, err) != 0 ||
		cloud_open(context, &aws, err) != 0)
		return -1;
	if (region && !aws_options(aws)->region) {
		struct aws_options options = *aws_options(aws);

		aws_cleanup(&aws);
		mem_free(endpoint_region);
		endpoint_region = take_ptr(region);
		options.region = endpoint_region;
		if (aws_open(&options, &aws, err) != 0)
			return -1;
	}
	*ret_aws = take_ptr(aws);
	*ret_id = take_ptr(id);
	return 0;
}
