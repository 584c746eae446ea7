#include "app/cloud.h"
#include "app/instance.h"
#include "app/instance_create.h"
#include "app/master_password.h"
#include "base/mem.h"
#include "base/message.h"
#include "base/strbuf.h"
#include "term/out.h"
#include "term/prompt.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *opt_class, *opt_version, *opt_storage, *opt_database, *opt_user;
static const char *opt_subnet_group, *opt_group, *opt_backup_days;
static bool opt_public, opt_multi_az, opt_iam, opt_no_protection;
static bool opt_password, opt_yes, opt_dry_run;
static double opt_wait = -1;

static const struct option create_options[] = {
	{ .name = "class",
		.type = OPTION_STRING,
		.value = &opt_class,
		.argument = "CLASS",
		.help = "its size (db.t4g.micro)" },
	{ .name = "engine-version",
		.type = OPTION_STRING,
		.value = &opt_version,
		.argument = "VERSION",
		.help = "PostgreSQL's version, like 16 or 16.3 (AWS's default)" },
	{ .name = "storage",
		.type = OPTION_STRING,
		.value = &opt_storage,
		.argument = "GB",
		.help = "its storage, 20 to 65536 GB of gp3 (20)" },
	{ .name = "database",
		.type = OPTION_STRING,
		.value = &opt_database,
		.argument = "NAME",
		.help = "a database to create in it besides postgres" },
	{ .name = "user",
		.type = OPTION_STRING,
		.value = &opt_user,
		.argument = "NAME",
		.help = "the master user (postgres)" },
	{ .name = "group-id",
		.type = OPTION_STRING,
		.value = &opt_group,
		.argument = "SG",
		.help = "its security group (DB_SG_ID, else the VPC's default)" },
	{ .name = "subnet-group",
		.type = OPTION_STRING,
		.value = &opt_subnet_group,
		.argument = "NAME",
		.help = "its subnet group (the default VPC's)" },
	{ .name = "backup-days",
		.type = OPTION_STRING,
		.value = &opt_backup_days,
		.argument = "DAYS",
		.help = "how long backups are kept, 0 to 35 days (7)" },
	{ .name = "public",
		.type = OPTION_FLAG,
		.value = &opt_public,
		.help = "give it an address on the internet; the security group still decides who "
			"gets in" },
	{ .name = "multi-az",
		.type = OPTION_FLAG,
		.value = &opt_multi_az,
		.help = "keep a standby in another availability zone" },
	{ .name = "iam",
		.type = OPTION_FLAG,
		.value = &opt_iam,
		.help = "allow to log in with IAM tokens (rds-token)" },
	{ .name = "no-deletion-protection",
		.type = OPTION_FLAG,
		.value = &opt_no_protection,
		.help = "allow to delete it without lifting a protection first" },
	{ .name = "password",
		.type = OPTION_FLAG,
		.value = &opt_password,
		.help = "ask for the master password, instead of having AWS make and keep it" },
	{ .name = "yes",
		.letter = 'y',
		.type = OPTION_FLAG,
		.value = &opt_yes,
		.help = "create it without asking" },
	{ .name = "dry-run",
		.type = OPTION_FLAG,
		.value = &opt_dry_run,
		.help = "print what would be sent to AWS, and create nothing" },
	{ .name = "wait",
		.type = OPTION_SECONDS,
		.value = &opt_wait,
		.argument = "SECONDS",
		.fallback = INSTANCE_WAIT_SECONDS,
		.help = "wait so long (1800 without a number) until it is available" },
	{ 0 },
};

static const struct variable create_variables[] = {
	{ "DB_INSTANCE_ID", "Identifier of the instance when --instance names none." },
	{ "DB_SG_ID", "Its security group when --group-id names none." },
	{ 0 },
};

/* What one run is about. */
struct creation {
	struct aws *aws;
	char *id;
	struct secret password;
	struct rds_wanted asked;  /* what the command line says */
	struct rds_wanted wanted; /* the same with the defaults */
};

static void creation_release(struct creation *creation)
{
	aws_cleanup(&creation->aws);
	mem_free(creation->id);
	secret_release(&creation->password);
}

static int parse_number(
	const char *option, const char *text, int otherwise, int *ret_number, struct err *err)
{
	char *end;
	long number;

	*ret_number = otherwise;
	if (!text)
		return 0;
	number = strtol(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end || number > 1000000)
		return err_set(err, ERR_USAGE, "%s: \"%s\" is not a number", option, text);
	*ret_number = (int)number;
	return 0;
}

static int find_id(
	struct context *context, const struct run *run, struct creation *creation, struct err *err)
{
	CLEANUP(mem_cleanup) char *region = NULL;

	/* The URL of a target names what is there already. */
	if (!cloud_instance_option() && !env_get(&context->env, "DB_INSTANCE_ID", NULL)) {
		err_set(err, ERR_USAGE, "the new instance has no name");
		err_hint(err, "Name it: --instance mydb, or set DB_INSTANCE_ID.");
		return -1;
	}
	return cloud_instance(context, run, &creation->id, &region, err);
}

static int read_settings(struct context *context, struct creation *creation, struct err *err)
{
	struct rds_wanted *asked = &creation->asked, *wanted = &creation->wanted;

	*asked = (struct rds_wanted){
		.id = creation->id,
		.class = opt_class,
		.engine_version = opt_version,
		.database = opt_database,
		.user = opt_user,
		.subnet_group = opt_subnet_group,
		.group = opt_group ? opt_group : env_get(&context->env, "DB_SG_ID", NULL),
		.is_public = opt_public,
		.multi_az = opt_multi_az,
		.iam_authentication = opt_iam,
		.deletion_protection = !opt_no_protection,
	};
	if (parse_number("--storage", opt_storage, 0, &asked->storage_gb, err) != 0 ||
		parse_number("--backup-days", opt_backup_days, -1, &asked->backup_days, err) != 0)
		return -1;
	*wanted = *asked;
	if (!wanted->class)
		wanted->class = "db.t4g.micro";
	if (!wanted->user)
		wanted->user = "postgres";
	if (!opt_storage)
		wanted->storage_gb = 20;
	if (!opt_backup_days)
		wanted->backup_days = 7;
	if (instance_check_wanted(wanted, err) != 0)
		return -1;
	master_password_from_environment(&context->env, &creation->password);
	if (!secret_is_set(&creation->password))
		return 0;
	wanted->password = &creation->password;
	return master_password_check(&creation->password, err);
}

/* --- one that is there ------------------------------------------------------------------------ */

static int wait_until_available(const struct creation *creation, bool is_new, struct err *err)
{
	CLEANUP(rds_instances_release) struct rds_instances instances = RDS_INSTANCES_INIT;
	char available[] = "available";
	const struct instance_wait wait = {
		.until = available,
		.is_reached = instance_has_status,
		.context = available,
		.seconds = opt_wait,
		.may_be_missing = is_new,
	};
	CLEANUP(mem_cleanup) char *secret = NULL;
	const struct rds_instance *instance;

	if (instance_wait(creation->aws, creation->id, &wait, &instances, err) != 0)
		return -1;
	instance = &instances.items[0];
	out_data("available %s %s:%d\n", creation->id, instance->host ? instance->host : "",
		instance->port);
	if (is_new)
		out_info("its URL: postgresql://%s@%s:%d/%s", instance->master_user,
			instance->host ? instance->host : "", instance->port,
			instance->database ? instance->database : "postgres");
	if (instance->secret_arn) {
		secret = message_shell_word(instance->secret_arn);
		out_info("its master password: aws secretsmanager get-secret-value --secret-id %s "
			 "--query SecretString --output text",
			secret);
	}
	return 0;
}

static int settle_existing(
	const struct creation *creation, const struct rds_instance *instance, struct err *err)
{
	CLEANUP(strlist_release) struct strlist differences = STRLIST_INIT;

	if (instance_is_lost(instance->status))
		return err_set(err, ERR_FAILED, "instance \"%s\" exists, but is %s", creation->id,
			instance->status);
	out_info("instance \"%s\" exists already (%s); nothing is changed", creation->id,
		instance->status);
	instance_differences(instance, &creation->asked, &differences);
	for (size_t i = 0; i < differences.count; i++)
		out_warning("of instance \"%s\" %s", creation->id, differences.items[i]);
	if (secret_is_set(&creation->password))
		out_warning("the master password is not changed; rds-password changes it");
	if (opt_wait >= 0 && !opt_dry_run)
		return wait_until_available(creation, false, err);
	out_data("unchanged %s\n", creation->id);
	return 0;
}

/* --- a new one -------------------------------------------------------------------------------- */

static int get_password(struct creation *creation, struct err *err)
{
	if (!opt_password || secret_is_set(&creation->password))
		return 0;
	if (master_password_ask(creation->id, &creation->password, err) != 0 ||
		master_password_check(&creation->password, err) != 0)
		return -1;
	creation->wanted.password = &creation->password;
	return 0;
}

/* Shown with the question, however quiet the rest shall be. */
static int confirm(const struct creation *creation, struct err *err)
{
	CLEANUP(strlist_release) struct strlist lines = STRLIST_INIT;
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
	bool yes = false;

	instance_describe_wanted(&creation->wanted, &lines);
	strbuf_addf(&text, "instance \"%s\" will cost money:\n", creation->id);
	for (size_t i = 0; i < lines.count; i++)
		strbuf_addf(&text, "  %s\n", lines.items[i]);
	if (opt_yes) {
		strbuf_truncate(&text, text.length - 1);
		out_info("%s", text.data);
		return 0;
	}
	strbuf_addf(&text, "Create instance \"%s\"? [y/N]", creation->id);
	if (prompt_yes(text.data, &yes, err) != 0)
		return -1;
	if (!yes)
		return err_set(err, ERR_REFUSED, "instance \"%s\" was not created: declined",
			creation->id);
	return 0;
}

static void print_dry_run(const struct creation *creation)
{
	CLEANUP(query_release) struct query query = QUERY_INIT;
	CLEANUP(strlist_release) struct strlist lines = STRLIST_INIT;
	CLEANUP(secret_release) struct secret placeholder = SECRET_INIT;
	struct rds_wanted wanted = creation->wanted;

	secret_set(&placeholder, "****", 4);
	wanted.password = wanted.password || opt_password ? &placeholder : NULL;
	rds_create_query(&wanted, &query);
	instance_list_query(&query, &lines);
	out_data("would-create %s\n", creation->id);
	for (size_t i = 0; i < lines.count; i++)
		out_data("%s\n", lines.items[i]);
}

/* True when AWS shows an instance of that name; otherwise the error says that there may be one. */
static bool look_after_silence(
	const struct creation *creation, struct rds_instances *instances, struct err *err)
{
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	CLEANUP(mem_cleanup) char *where = cloud_where(creation->aws);

	if (instance_get(creation->aws, creation->id, instances, &ignored) == 0) {
		err_release(err);
		return true;
	}
	err_detail_line(
		err, "AWS may have got the request: the instance may be there, and cost money.");
	err_hint(err,
		"See whether it is there with rds-status --instance %s%s; calling rds-create "
		"again makes no second one.",
		creation->id, where);
	return false;
}

/* What was begun goes on at AWS. */
static int finish(const struct creation *creation, struct err *err)
{
	CLEANUP(mem_cleanup) char *where = cloud_where(creation->aws);

	if (opt_wait >= 0)
		return wait_until_available(creation, true, err);
	out_data("creating %s\n", creation->id);
	out_info("it takes some minutes: rds-status --instance %s --wait-for available%s",
		creation->id, where);
	return 0;
}

/*
 * AWS's answer was lost, and there is an instance of that name which was not there before: it is
 * the one that was asked for, unless it looks otherwise.
 */
static int settle_lost(
	const struct creation *creation, const struct rds_instance *instance, struct err *err)
{
	CLEANUP(strlist_release) struct strlist differences = STRLIST_INIT;

	instance_differences(instance, &creation->wanted, &differences);
	if (differences.count > 0 || instance_is_lost(instance->status))
		return settle_existing(creation, instance, err);
	out_info("AWS's answer was lost, but instance \"%s\" is there as it was asked for (%s)",
		creation->id, instance->status);
	return finish(creation, err);
}

static int create(struct creation *creation, struct err *err)
{
	CLEANUP(rds_instances_release) struct rds_instances instances = RDS_INSTANCES_INIT;
	CLEANUP(aws_reply_release) struct aws_reply reply = AWS_REPLY_INIT;

	if (rds_create(creation->aws, &creation->wanted, &instances, &reply, err) != 0) {
		if (aws_is_unclear(&reply, err)) {
			if (!look_after_silence(creation, &instances, err))
				return -1;
			return settle_lost(creation, &instances.items[0], err);
		}
		if (!reply.code || strncmp(reply.code, "DBInstanceAlreadyExists", 23) != 0)
			return -1;
		/* By another caller meanwhile, or by ourselves: an answer that was lost. */
		err_release(err);
		if (instance_get(creation->aws, creation->id, &instances, err) != 0)
			return -1;
		return reply.attempts > 1 ? settle_lost(creation, &instances.items[0], err)
					  : settle_existing(creation, &instances.items[0], err);
	}
	return finish(creation, err);
}

static int run_create(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	CLEANUP(creation_release) struct creation creation = { 0 };
	CLEANUP(rds_instances_release) struct rds_instances instances = RDS_INSTANCES_INIT;
	CLEANUP(aws_reply_release) struct aws_reply reply = AWS_REPLY_INIT;

	if (context_open_project(&context, run, err) != 0 ||
		find_id(&context, run, &creation, err) != 0 ||
		read_settings(&context, &creation, err) != 0 ||
		cloud_open(&context, &creation.aws, err) != 0)
		return -1;
	if (rds_describe(creation.aws, creation.id, &instances, &reply, err) == 0)
		return settle_existing(&creation, &instances.items[0], err);
	if (!instance_is_missing(&reply))
		return -1;
	err_release(err);
	if (opt_dry_run) {
		print_dry_run(&creation);
		return 0;
	}
	if (!opt_yes && !prompt_possible()) {
		err_set(err, ERR_REFUSED,
			"refusing to create instance \"%s\" unasked: it costs money", creation.id);
		err_hint(err, "There is no terminal to ask on. If you mean it: --yes.");
		return -1;
	}
	if (get_password(&creation, err) != 0 || confirm(&creation, err) != 0)
		return -1;
	return create(&creation, err);
}

const struct command command = {
	.name = "rds-create",
	.summary = "create a small, safe PostgreSQL instance on RDS",
	.synopsis = "[options] --instance ID",
	.options = (const struct option *const[]){ create_options, instance_options, cloud_options,
		env_options, NULL },
	.variables = (const struct variable *const[]){ create_variables, master_password_variables,
		cloud_variables, NULL },
	.examples =
		(const struct example[]){
			{ "rds-create --instance mydb --database shop",
				"shows what will cost money, asks, and creates it" },
			{ "rds-create --instance mydb --dry-run", "shows what would be sent" },
			{ "rds-create --instance mydb --yes --wait",
				"for a script: creates it unasked, returns once it is available" },
			{ 0 },
		},
	.secret_words = MASTER_PASSWORD_WORDS,
	.run = run_create,
};
