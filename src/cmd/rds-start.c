#include "app/cloud.h"
#include "app/instance.h"
#include "app/instance_power.h"
#include "base/mem.h"

static double opt_wait = -1;

static const struct option start_options[] = {
	{ .name = "wait",
		.type = OPTION_SECONDS,
		.value = &opt_wait,
		.argument = "SECONDS",
		.fallback = INSTANCE_WAIT_SECONDS,
		.help = "wait so long (1800 without a number) until the instance is available" },
	{ 0 },
};

static int run_start(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	CLEANUP(aws_cleanup) struct aws *aws = NULL;
	CLEANUP(mem_cleanup) char *id = NULL;

	if (context_open_project(&context, run, err) != 0 ||
		cloud_open_instance(&context, run, &aws, &id, err) != 0)
		return -1;
	return instance_switch(aws, id, INSTANCE_POWER_ON, opt_wait, err);
}

const struct command command = {
	.name = "rds-start",
	.summary = "start a stopped database instance on RDS",
	.synopsis = "[options] [TARGET]",
	.options = (const struct option *const[]){ start_options, instance_options, cloud_options,
		env_options, NULL },
	.variables = (const struct variable *const[]){ instance_variables, cloud_variables, NULL },
	.examples =
		(const struct example[]){
			{ "rds-start --wait",
				"starts prod's instance and waits until it accepts connections" },
			{ "rds-start staging", "starts the one that STAGING_CONNECTION_URL names" },
			{ "rds-start --instance mydb", "starts the one of that identifier" },
			{ 0 },
		},
	.max_words = 1,
	.run = run_start,
};
