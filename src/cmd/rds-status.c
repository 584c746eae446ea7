#include "app/cloud.h"
#include "app/instance.h"
#include "aws/credentials.h"
#include "base/clock.h"
#include "base/mem.h"
#include "term/json.h"
#include "term/out.h"
#include "term/table.h"

#include <string.h>

static bool opt_all, opt_json, opt_snapshots;
static const char *opt_wait_for;
static double opt_wait = -1;

static const struct option status_options[] = {
	{ .name = "all",
		.letter = 'a',
		.type = OPTION_FLAG,
		.value = &opt_all,
		.help = "show all instances of the region" },
	{ .name = "json",
		.type = OPTION_FLAG,
		.value = &opt_json,
		.help = "print JSON: an object, with --all an array of them" },
	{ .name = "snapshots",
		.type = OPTION_FLAG,
		.value = &opt_snapshots,
		.help = "also show the last snapshot, and up to when it can be restored" },
	{ .name = "wait-for",
		.type = OPTION_STRING,
		.value = &opt_wait_for,
		.argument = "STATUS",
		.help = "wait until the instance is available, or stopped, then show it" },
	{ .name = "wait",
		.type = OPTION_SECONDS,
		.value = &opt_wait,
		.argument = "SECONDS",
		.fallback = INSTANCE_WAIT_SECONDS,
		.help = "with --wait-for: so long (1800)" },
	{ 0 },
};

/* --- a table ---------------------------------------------------------------------------------- */

static void add_row(struct table *table, const struct rds_instance *instance)
{
	CLEANUP(mem_cleanup)
	char *engine = mem_printf("%s %s", instance->engine, instance->engine_version);
	CLEANUP(mem_cleanup)
	char *storage = mem_printf("%d GB %s%s", instance->storage_gb, instance->storage_type,
		instance->encrypted ? "" : ", not encrypted");
	CLEANUP(mem_cleanup)
	char *endpoint =
		instance->host ? mem_printf("%s:%d", instance->host, instance->port) : NULL;

	table_cell(table, instance->id);
	table_cell(table, instance->status);
	table_cell(table, engine);
	table_cell(table, instance->class);
	table_cell(table, storage);
	table_cell(table, instance->multi_az ? "yes" : "no");
	table_cell(table, instance->is_public ? "yes" : "no");
	table_cell(table, instance->ca);
	table_cell(table, endpoint);
}

static void print_table(const struct rds_instances *instances)
{
	static const char *const headers[] = { "instance", "status", "engine", "class", "storage",
		"multi-AZ", "public", "CA", "endpoint" };
	CLEANUP(table_cleanup) struct table *table = table_new(headers, ARRAY_SIZE(headers));

	for (size_t i = 0; i < instances->count; i++)
		add_row(table, &instances->items[i]);
	table_print(table);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void add_text(json_t *object, const char *name, const char *text)
{
	json_object_set_new(object, name, out_json_text(text));
}

static json_t *to_json(const struct rds_instance *instance)
{
	json_t *object = json_object();

	add_text(object, "instance", instance->id);
	add_text(object, "status", instance->status);
	add_text(object, "host", instance->host);
	json_object_set_new(
		object, "port", instance->host ? json_integer(instance->port) : json_null());
	add_text(object, "engine", instance->engine);
	add_text(object, "engine_version", instance->engine_version);
	add_text(object, "class", instance->class);
	json_object_set_new(object, "storage_gb", json_integer(instance->storage_gb));
	add_text(object, "storage_type", instance->storage_type);
	json_object_set_new(object, "encrypted", json_boolean(instance->encrypted));
	json_object_set_new(object, "public", json_boolean(instance->is_public));
	json_object_set_new(object, "multi_az", json_boolean(instance->multi_az));
	json_object_set_new(
		object, "deletion_protection", json_boolean(instance->deletion_protection));
	json_object_set_new(
		object, "iam_authentication", json_boolean(instance->iam_authentication));
	json_object_set_new(object, "backup_days", json_integer(instance->backup_days));
	add_text(object, "database", instance->database);
	add_text(object, "user", instance->master_user);
	add_text(object, "secret_arn", instance->secret_arn);
	json_object_set_new(object, "password_pending", json_boolean(instance->password_pending));
	add_text(object, "security_groups", instance->groups);
	add_text(object, "ca", instance->ca);
	add_text(object, "zone", instance->zone);
	add_text(object, "cluster", instance->cluster);
	add_text(object, "automatic_restart", instance->restart);
	return object;
}

static void print_json(const struct rds_instances *instances)
{
	json_t *array = json_array();

	for (size_t i = 0; i < instances->count; i++)
		json_array_append_new(array, to_json(&instances->items[i]));
	out_json(array);
}

/* --- snapshots -------------------------------------------------------------------------------- */

struct backups {
	struct rds_snapshot last;
	char *restorable; /* NULL: not to any point in time */
	char *denied;     /* what AWS said when it kept one of the two for itself; NULL: nothing */
};

static void backups_release(struct backups *backups)
{
	rds_snapshot_release(&backups->last);
	mem_free(backups->restorable);
	mem_free(backups->denied);
}

/* A missing permission is something to show, not a failure. */
static int pass_denial(struct backups *backups, const struct aws_reply *reply, struct err *err)
{
	if (err->kind != ERR_FAILED || !aws_code_is_permission(reply->code))
		return -1;
	if (!backups->denied)
		backups->denied = mem_strdup(err->message);
	err_release(err);
	return 0;
}

static int get_backups(struct aws *aws, const struct rds_instance *instance,
	struct backups *backups, struct err *err)
{
	CLEANUP(aws_reply_release) struct aws_reply reply = AWS_REPLY_INIT;

	if (rds_last_snapshot(aws, instance, &backups->last, &reply, err) != 0 &&
		pass_denial(backups, &reply, err) != 0)
		return -1;
	if (rds_restorable(aws, instance, &backups->restorable, &reply, err) != 0 &&
		pass_denial(backups, &reply, err) != 0)
		return -1;
	return 0;
}

/* Seconds since then by AWS's clock; -1: the text is no time. */
static int64_t age_of(const struct aws *aws, const char *text)
{
	time_t then;
	int64_t age;

	if (!text || !credentials_parse_time(text, &then))
		return -1;
	age = (int64_t)(aws_now(aws) - then);
	return age > 0 ? age : 0;
}

/* "2026-11-21T05:10:00Z, 3h10m ago"; the caller owns it. */
static char *describe_time(const struct aws *aws, const char *text)
{
	int64_t age = age_of(aws, text);
	char buffer[32];

	if (age < 0)
		return mem_strdup(text);
	return mem_printf("%s, %s ago", text, clock_format_age(age, buffer, sizeof(buffer)));
}

static void print_backups(
	const struct aws *aws, const struct rds_instance *instance, const struct backups *backups)
{
	CLEANUP(mem_cleanup) char *created = describe_time(aws, backups->last.created);
	CLEANUP(mem_cleanup) char *restorable = describe_time(aws, backups->restorable);

	if (backups->last.id)
		out_data("last snapshot  %s (%s), %s\n", backups->last.id, backups->last.type,
			created);
	else if (!backups->denied)
		out_data("last snapshot  none\n");
	if (restorable)
		out_data("restorable to  %s\n", restorable);
	else if (!backups->denied || !instance->cluster)
		out_data("restorable to  nothing%s\n",
			instance->backup_days > 0 ? " yet" : ": automated backups are off");
	if (backups->denied)
		out_data("not known      %s\n", backups->denied);
}

static void add_age(json_t *object, const char *name, const struct aws *aws, const char *time)
{
	int64_t age = age_of(aws, time);

	json_object_set_new(object, name, age < 0 ? json_null() : json_integer(age));
}

static void add_backups(json_t *object, const struct aws *aws, const struct backups *backups)
{
	json_t *last = backups->last.id ? json_object() : json_null();

	if (backups->last.id) {
		add_text(last, "snapshot", backups->last.id);
		add_text(last, "type", backups->last.type);
		add_text(last, "created", backups->last.created);
		add_age(last, "age_seconds", aws, backups->last.created);
	}
	json_object_set_new(object, "last_snapshot", last);
	add_text(object, "restorable_to", backups->restorable);
	add_age(object, "restorable_age_seconds", aws, backups->restorable);
	add_text(object, "snapshots_denied", backups->denied);
}

/* --- the command ------------------------------------------------------------------------------ */

static int show_all(struct context *context, const struct run *run, struct err *err)
{
	CLEANUP(aws_cleanup) struct aws *aws = NULL;
	CLEANUP(rds_instances_release) struct rds_instances instances = RDS_INSTANCES_INIT;
	CLEANUP(aws_reply_release) struct aws_reply reply = AWS_REPLY_INIT;

	if (run->words.count > 0 || cloud_instance_option() || opt_wait_for || opt_snapshots)
		return err_set(err, ERR_USAGE,
			"--all and an instance, a target, --snapshots or --wait-for exclude each "
			"other");
	if (cloud_open(context, &aws, err) != 0 ||
		rds_describe(aws, NULL, &instances, &reply, err) != 0)
		return -1;
	if (opt_json)
		print_json(&instances);
	else
		print_table(&instances);
	return 0;
}

static int get(struct aws *aws, const char *id, struct rds_instances *instances, struct err *err)
{
	CLEANUP(mem_cleanup) char *status = mem_strdup(opt_wait_for);
	const struct instance_wait wait = {
		.until = status,
		.is_reached = instance_has_status,
		.context = status,
		.seconds = opt_wait >= 0 ? opt_wait : INSTANCE_WAIT_SECONDS,
	};

	if (!opt_wait_for)
		return instance_get(aws, id, instances, err);
	if (instance_wait(aws, id, &wait, instances, err) != 0) {
		if (err->kind == ERR_TIMEOUT)
			err_hint(err, "rds-start starts an instance, rds-stop stops it.");
		return -1;
	}
	return 0;
}

static int show_one(struct context *context, const struct run *run, struct err *err)
{
	CLEANUP(aws_cleanup) struct aws *aws = NULL;
	CLEANUP(mem_cleanup) char *id = NULL;
	CLEANUP(rds_instances_release) struct rds_instances instances = RDS_INSTANCES_INIT;
	CLEANUP(backups_release) struct backups backups = { .denied = NULL };

	if (cloud_open_instance(context, run, &aws, &id, err) != 0 ||
		get(aws, id, &instances, err) != 0)
		return -1;
	if (opt_snapshots && get_backups(aws, &instances.items[0], &backups, err) != 0)
		return -1;
	if (opt_json) {
		json_t *object = to_json(&instances.items[0]);

		if (opt_snapshots)
			add_backups(object, aws, &backups);
		out_json(object);
		return 0;
	}
	print_table(&instances);
	if (opt_snapshots)
		print_backups(aws, &instances.items[0], &backups);
	if (strcmp(instances.items[0].status, "stopped") == 0)
		instance_tell_restart(aws, id, &instances.items[0]);
	return 0;
}

static int run_status(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;

	if (opt_wait_for && strcmp(opt_wait_for, "available") != 0 &&
		strcmp(opt_wait_for, "stopped") != 0)
		return err_set(err, ERR_USAGE,
			"--wait-for takes \"available\" or \"stopped\", not \"%s\"", opt_wait_for);
	if (opt_wait >= 0 && !opt_wait_for)
		return err_set(err, ERR_USAGE, "--wait needs --wait-for");
	if (context_open_project(&context, run, err) != 0)
		return -1;
	return opt_all ? show_all(&context, run, err) : show_one(&context, run, err);
}

const struct command command = {
	.name = "rds-status",
	.summary = "show a database instance on RDS, or wait for it",
	.synopsis = "[options] [TARGET]",
	.options = (const struct option *const[]){ status_options, instance_options, cloud_options,
		env_options, NULL },
	.variables = (const struct variable *const[]){ instance_variables, cloud_variables, NULL },
	.examples =
		(const struct example[]){
			{ "rds-status", "status, endpoint and settings of prod's instance" },
			{ "rds-status --all", "all instances of the region" },
			{ "rds-status --snapshots", "also how old the last snapshot is" },
			{ "rds-status --wait-for available",
				"returns once it can be connected to" },
			{ 0 },
		},
	.max_words = 1,
	.run = run_status,
};
