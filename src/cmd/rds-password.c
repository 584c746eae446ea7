#include "app/cloud.h"
#include "app/instance.h"
#include "app/master_password.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/message.h"
#include "term/out.h"

#include <string.h>
#include <unistd.h>

/* AWS's list may lag behind: before it shows the change, it looks as if there were nothing to do.
 */
#define QUIET_MS 8000

static double opt_wait = -1;
static bool opt_no_wait;

static const struct option password_options[] = {
	{ .name = "wait",
		.type = OPTION_SECONDS,
		.value = &opt_wait,
		.argument = "SECONDS",
		.fallback = INSTANCE_WAIT_SECONDS,
		.help = "how long to wait until the password is in force (1800)" },
	{ .name = "no-wait",
		.type = OPTION_FLAG,
		.value = &opt_no_wait,
		.help = "do not wait for that" },
	{ 0 },
};

static int refuse_managed(const struct rds_instance *instance, struct err *err)
{
	CLEANUP(mem_cleanup) char *secret = NULL;

	if (!instance->secret_arn)
		return 0;
	secret = message_shell_word(instance->secret_arn);
	err_set(err, ERR_REFUSED, "AWS manages the master password of instance \"%s\"",
		instance->id);
	err_detail(err, "It is in Secrets Manager, and RDS changes it there by itself.");
	err_hint(err,
		"Read it with: aws secretsmanager get-secret-value --secret-id %s --query "
		"SecretString --output text",
		secret);
	return -1;
}

static int refuse_member(const struct rds_instance *instance, struct err *err)
{
	if (!instance->cluster)
		return 0;
	err_set(err, ERR_FAILED, "could not change the master password of instance \"%s\"",
		instance->id);
	err_detail(
		err, "It belongs to the cluster \"%s\", whose password it is.", instance->cluster);
	return -1;
}

static int get_password(const char *id, struct secret *ret_password, struct err *err)
{
	int result = isatty(STDIN_FILENO) ? master_password_ask(id, ret_password, err)
					  : master_password_from_stdin(ret_password, err);

	return result != 0 ? -1 : master_password_check(ret_password, err);
}

/* What was seen since AWS took the password. */
struct progress {
	bool seen; /* the change under way */
	int64_t begin_ms;
};

static bool is_applied(void *context, const struct rds_instance *instance)
{
	struct progress *progress = context;

	if (instance->password_pending || strcmp(instance->status, "available") != 0) {
		progress->seen = true;
		return false;
	}
	return progress->seen || clock_ms() - progress->begin_ms >= QUIET_MS;
}

static void explain_state(struct aws *aws, const struct rds_instance *instance, struct err *err)
{
	CLEANUP(mem_cleanup) char *where = cloud_where(aws);
	const char *status = instance->status;

	if (instance_is_lost(status))
		instance_explain_lost(instance->id, status, err);
	else if (strcmp(status, "stopped") == 0 || strcmp(status, "stopping") == 0)
		err_hint(err, "It is %s: rds-start --instance %s --wait%s", status, instance->id,
			where);
	else
		err_hint(err,
			"The instance has to be available: rds-status --instance %s --wait-for "
			"available%s",
			instance->id, where);
}

/*
 * No answer of AWS's was understood, and the password may have been taken all the same. Success
 * when the instance is seen to get a new one; otherwise the error says what is not known.
 */
static int look_after_silence(struct aws *aws, const char *id, bool *ret_seen, struct err *err)
{
	CLEANUP(rds_instances_release) struct rds_instances instances = RDS_INSTANCES_INIT;
	CLEANUP(err_release) struct err second = ERR_INIT;
	const struct rds_instance *instance;

	if (instance_get(aws, id, &instances, &second) == 0) {
		instance = &instances.items[0];
		*ret_seen = instance->password_pending ||
			    strcmp(instance->status, "resetting-master-credentials") == 0;
	}
	if (*ret_seen) {
		err_release(err);
		return 0;
	}
	if (second.kind == ERR_INTERRUPTED) {
		err_release(err);
		*err = second;
		second = (struct err)ERR_INIT;
	}
	err_note_line(err,
		"AWS may have taken the new password: try which one is in force. Setting "
		"it once more does no harm.");
	return -1;
}

/* *ret_seen: the change was seen under way already. */
static int set_password(struct aws *aws, const struct rds_instance *instance,
	const struct secret *password, bool *ret_seen, struct err *err)
{
	CLEANUP(rds_instances_release) struct rds_instances instances = RDS_INSTANCES_INIT;
	CLEANUP(aws_reply_release) struct aws_reply reply = AWS_REPLY_INIT;

	if (rds_set_password(aws, instance->id, password, &instances, &reply, err) == 0)
		return 0;
	if (reply.code && strncmp(reply.code, "InvalidDBInstanceState", 22) == 0)
		explain_state(aws, instance, err);
	if (err->kind == ERR_INTERRUPTED || aws_is_unclear(&reply, err))
		return look_after_silence(aws, instance->id, ret_seen, err);
	return -1;
}

static int wait_until_applied(struct aws *aws, const char *id, bool is_seen, struct err *err)
{
	CLEANUP(rds_instances_release) struct rds_instances instances = RDS_INSTANCES_INIT;
	struct progress progress = { .seen = is_seen, .begin_ms = clock_ms() };
	const struct instance_wait wait = {
		.until = "available with the new password",
		.is_reached = is_applied,
		.context = &progress,
		.seconds = opt_wait >= 0 ? opt_wait : INSTANCE_WAIT_SECONDS,
	};

	if (instance_wait(aws, id, &wait, &instances, err) == 0)
		return 0;
	if (progress.seen)
		err_note_line(err, "AWS has taken the new password and goes on applying it.");
	else
		err_note_line(err, "AWS has taken the new password, and does not show yet that it "
				   "applies it.");
	return -1;
}

static int run_password(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	CLEANUP(aws_cleanup) struct aws *aws = NULL;
	CLEANUP(mem_cleanup) char *id = NULL;
	CLEANUP(secret_release) struct secret password = SECRET_INIT;
	CLEANUP(rds_instances_release) struct rds_instances instances = RDS_INSTANCES_INIT;
	bool seen = false;

	if (opt_no_wait && opt_wait >= 0)
		return err_set(err, ERR_USAGE, "--wait and --no-wait exclude each other");
	if (context_open_project(&context, run, err) != 0)
		return -1;
	master_password_from_environment(&context.env, &password);
	if (secret_is_set(&password) && master_password_check(&password, err) != 0)
		return -1;
	/* Before anybody types one that AWS would not take. */
	if (cloud_open_instance(&context, run, &aws, &id, err) != 0 ||
		instance_get(aws, id, &instances, err) != 0 ||
		refuse_managed(&instances.items[0], err) != 0 ||
		refuse_member(&instances.items[0], err) != 0)
		return -1;
	if (!secret_is_set(&password) && get_password(id, &password, err) != 0)
		return -1;
	if (set_password(aws, &instances.items[0], &password, &seen, err) != 0)
		return -1;
	secret_release(&password);
	if (opt_no_wait) {
		out_data("changing %s\n", id);
		return 0;
	}
	if (wait_until_applied(aws, id, seen, err) != 0)
		return -1;
	out_data("changed %s\n", id);
	return 0;
}

const struct command command = {
	.name = "rds-password",
	.summary = "set a new master password of a database instance on RDS",
	.synopsis = "[options] [TARGET]",
	.options = (const struct option *const[]){ password_options, instance_options,
		cloud_options, env_options, NULL },
	.variables = (const struct variable *const[]){ master_password_variables,
		instance_variables, cloud_variables, NULL },
	.examples =
		(const struct example[]){
			{ "rds-password", "asks for a new password for prod's instance" },
			{ "openssl rand -hex 20 | tee -a vault | rds-password --instance mydb",
				"takes it from a pipe" },
			{ 0 },
		},
	.max_words = 1,
	.secret_words = MASTER_PASSWORD_WORDS,
	.run = run_password,
};
