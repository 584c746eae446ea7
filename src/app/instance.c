#include "app/instance.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "term/out.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Milliseconds between two looks: the first after one second, which is all a test needs. */
static const int64_t intervals[] = { 1000, 1000, 2000, 3000, 5000, 8000, 12000, 15000 };

/* How long a new instance may be missing from AWS's lists. */
#define MISSING_MS 60000

/* A stopped instance is started by AWS after that many days. */
#define RESTART_DAYS 7

bool instance_is_missing(const struct aws_reply *reply)
{
	return reply->code && (strcmp(reply->code, "DBInstanceNotFound") == 0 ||
				      strcmp(reply->code, "DBInstanceNotFoundFault") == 0);
}

static int explain_missing(
	struct aws *aws, const char *id, const struct aws_reply *reply, struct err *err)
{
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	const char *region = NULL;

	if (!instance_is_missing(reply))
		return -1;
	if (aws_region(aws, &region, &ignored) != 0)
		region = "this region";
	err_set(err, ERR_FAILED, "instance \"%s\" does not exist in %s (%s%s%s)", id, region,
		reply->code, reply->request_id ? ", request " : "",
		reply->request_id ? reply->request_id : "");
	err_hint(err, "rds-status --all lists the instances; --region looks in another region.");
	return -1;
}

int instance_get(
	struct aws *aws, const char *id, struct rds_instances *ret_instances, struct err *err)
{
	CLEANUP(aws_reply_release) struct aws_reply reply = AWS_REPLY_INIT;

	if (rds_describe(aws, id, ret_instances, &reply, err) != 0)
		return explain_missing(aws, id, &reply, err);
	return 0;
}

static bool is_listed(const char *status, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(status, *list) == 0)
			return true;
	return false;
}

/*
 * The lists are from "Viewing Amazon RDS DB instance status":
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html
 */
bool instance_is_running(const char *status)
{
	static const char *const running[] = { "available", "backing-up", "maintenance",
		"modifying", "rebooting", "renaming", "resetting-master-credentials",
		"storage-config-upgrade", "storage-initialization", "storage-optimization",
		"upgrading", NULL };

	return is_listed(status, running) || strncmp(status, "configuring-", 12) == 0;
}

bool instance_is_lost(const char *status)
{
	static const char *const lost[] = { "failed", "deleting", "deleted", "restore-error",
		"storage-full", "insufficient-capacity", "inaccessible-encryption-credentials",
		"inaccessible-encryption-credentials-recoverable", NULL };

	return is_listed(status, lost) || strncmp(status, "incompatible-", 13) == 0;
}

void instance_explain_lost(const char *id, const char *status, struct err *err)
{
	if (strcmp(status, "storage-full") == 0)
		err_hint(err,
			"It runs, but its storage is full. Enlarge it: aws rds modify-db-instance "
			"--db-instance-identifier %s --apply-immediately --allocated-storage …",
			id);
	else
		err_hint(err, "The instance's events in the RDS console tell why.");
}

bool instance_has_status(void *status, const struct rds_instance *instance)
{
	return strcmp(instance->status, status) == 0;
}

/* --- waiting ---------------------------------------------------------------------------------- */

/* One wait: what was seen, and when it began. */
struct watch {
	struct aws *aws;
	const char *id;
	const struct instance_wait *wait;
	int64_t begin_ms;
	char *told; /* the last status told */
};

static void watch_release(struct watch *watch)
{
	mem_free(watch->told);
}

static void tell_status(struct watch *watch, const char *status)
{
	if (watch->told && strcmp(watch->told, status) == 0)
		return;
	out_info("instance \"%s\": %s", watch->id, status);
	mem_free(watch->told);
	watch->told = mem_strdup(status);
}

/* No answer, or one that says that AWS itself is in trouble: the next look may tell. */
static bool may_pass(const struct aws_reply *reply, const struct err *err)
{
	if (err->kind == ERR_CONNECT)
		return true;
	return err->kind == ERR_FAILED &&
	       (reply->status >= 500 || reply->status == 429 ||
		       (reply->code && (strstr(reply->code, "Throttl") != NULL ||
					       strcmp(reply->code, "RequestLimitExceeded") == 0)));
}

/* One look. 0 with *ret_reached, or what ends the waiting. */
static int look(
	struct watch *watch, struct rds_instances *instances, bool *ret_reached, struct err *err)
{
	CLEANUP(aws_reply_release) struct aws_reply reply = AWS_REPLY_INIT;
	const struct rds_instance *instance;
	CLEANUP(err_release) struct err failure = ERR_INIT;

	*ret_reached = false;
	rds_instances_release(instances);
	if (rds_describe(watch->aws, watch->id, instances, &reply, &failure) != 0) {
		if (may_pass(&reply, &failure)) {
			tell_status(watch, failure.message);
			return 0;
		}
		if (instance_is_missing(&reply) && watch->wait->may_be_missing &&
			clock_ms() - watch->begin_ms < MISSING_MS)
			return 0;
		*err = failure;
		failure = (struct err)ERR_INIT;
		return explain_missing(watch->aws, watch->id, &reply, err);
	}
	instance = &instances->items[0];
	tell_status(watch, *instance->status ? instance->status : "not known");
	*ret_reached = watch->wait->is_reached(watch->wait->context, instance);
	if (!*ret_reached && instance_is_lost(instance->status)) {
		err_set(err, ERR_FAILED, "instance \"%s\" is %s: it will not become %s", watch->id,
			instance->status, watch->wait->until);
		instance_explain_lost(watch->id, instance->status, err);
		return -1;
	}
	return 0;
}

int instance_wait(struct aws *aws, const char *id, const struct instance_wait *wait,
	struct rds_instances *ret_instances, struct err *err)
{
	CLEANUP(rds_instances_release) struct rds_instances instances = RDS_INSTANCES_INIT;
	CLEANUP(watch_release)
	struct watch watch = { .aws = aws, .id = id, .wait = wait, .begin_ms = clock_ms() };
	int64_t end_ms = watch.begin_ms + (int64_t)(wait->seconds * 1000);

	for (size_t i = 0;; i++) {
		int64_t left,
			pause = intervals[i < ARRAY_SIZE(intervals) ? i
								    : ARRAY_SIZE(intervals) - 1];
		bool reached;

		if (look(&watch, &instances, &reached, err) != 0)
			return -1;
		if (reached)
			break;
		left = end_ms - clock_ms();
		if (left <= 0)
			return err_set(err, ERR_TIMEOUT,
				"instance \"%s\" did not become %s within %.0f s: it is %s", id,
				wait->until, wait->seconds,
				instances.count > 0 && *instances.items[0].status
					? instances.items[0].status
					: "not known");
		clock_sleep_ms(pause < left ? pause : left);
		if (interrupt_check(err) != 0)
			return -1;
	}
	*ret_instances = instances;
	instances = (struct rds_instances)RDS_INSTANCES_INIT;
	return 0;
}

/* --- in words --------------------------------------------------------------------------------- */

void instance_tell_restart(
	const struct aws *aws, const char *id, const struct rds_instance *instance)
{
	time_t when = aws_now(aws) + (time_t)RESTART_DAYS * 24 * 3600;
	char day[32];
	struct tm parts;

	if (instance && instance->restart) {
		out_info("AWS starts a stopped instance again after seven days: \"%s\" on %s", id,
			instance->restart);
		return;
	}
	gmtime_r(&when, &parts);
	strftime(day, sizeof(day), "%Y-%m-%d", &parts);
	out_info("AWS starts a stopped instance again after seven days: \"%s\" about %s", id, day);
}
