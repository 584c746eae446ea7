#include "app/instance_power.h"

#include "app/instance.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "term/out.h"

#include <string.h>

/* AWS's lists may lag behind what it has just refused: so often they are asked again. */
#define STALE_LOOKS 5
#define STALE_PAUSE_MS 1000

/* How often AWS is asked to switch an instance that is busy again each time. */
#define REQUESTS 3

struct direction {
	const char *verb;
	const char *goal;        /* the status in the end */
	const char *origin;      /* the one AWS asks for */
	const char *underway[2]; /* the first is what AWS calls it after our request */
	const char *cluster_action;
	int (*call)(struct aws *aws, const char *id, struct rds_instances *ret_instances,
		struct aws_reply *reply, struct err *err);
};

static const struct direction directions[] = {
	[INSTANCE_POWER_ON] = {
		.verb = "start",
		.goal = "available",
		.origin = "stopped",
		.underway = { "starting", "creating" },
		.cluster_action = "start-db-cluster",
		.call = rds_start,
	},
	[INSTANCE_POWER_OFF] = {
		.verb = "stop",
		.goal = "stopped",
		.origin = "available",
		.underway = { "stopping", NULL },
		.cluster_action = "stop-db-cluster",
		.call = rds_stop,
	},
};

/* One run: the wait's end holds for all it waits for. */
struct change {
	struct aws *aws;
	const char *id;
	const struct direction *direction;
	bool waits;
	int64_t end_ms;
	struct rds_instances last; /* as AWS described it last; one item */
};

static void change_release(struct change *change)
{
	rds_instances_release(&change->last);
}

static const char *last_status(const struct change *change)
{
	return change->last.items[0].status;
}

/* A failed look leaves none. */
static int look(struct change *change, struct err *err)
{
	rds_instances_release(&change->last);
	return instance_get(change->aws, change->id, &change->last, err);
}

static bool is_status(const char *status, const char *name)
{
	return name && strcmp(status, name) == 0;
}

static bool is_underway(const struct change *change, const char *status)
{
	return is_status(status, change->direction->underway[0]) ||
	       is_status(status, change->direction->underway[1]);
}

/* An instance that is busy with something else than starting runs already. */
static bool is_done(const struct change *change, const char *status)
{
	if (change->direction == &directions[INSTANCE_POWER_ON])
		return instance_is_running(status);
	return is_status(status, change->direction->goal);
}

static bool status_is(void *wanted, const struct rds_instance *instance)
{
	const char *const *name = wanted;

	return is_status(instance->status, *name);
}

static int wait_for(struct change *change, const char *status, struct err *err)
{
	int64_t left_ms = change->end_ms - clock_ms();
	const struct instance_wait wait = {
		.until = status,
		.is_reached = status_is,
		.context = &status,
		.seconds = left_ms > 0 ? (double)left_ms / 1000 : 0,
	};

	rds_instances_release(&change->last);
	return instance_wait(change->aws, change->id, &wait, &change->last, err);
}

static int refuse_member(const struct change *change, struct err *err)
{
	const struct rds_instance *instance = &change->last.items[0];

	if (!instance->cluster)
		return 0;
	err_set(err, ERR_FAILED, "could not %s instance \"%s\": it belongs to the cluster \"%s\"",
		change->direction->verb, change->id, instance->cluster);
	err_hint(err, "A cluster is switched as a whole: aws rds %s --db-cluster-identifier %s",
		change->direction->cluster_action, instance->cluster);
	return -1;
}

static bool is_wrong_state(const struct aws_reply *reply)
{
	return reply->code && strncmp(reply->code, "InvalidDBInstanceState", 22) == 0;
}

/* Looks until AWS's list tells why it refused; false: it never did, or cannot be asked. */
static bool look_after_refusal(struct change *change, struct err *err)
{
	for (int i = 0; i < STALE_LOOKS; i++) {
		CLEANUP(err_release) struct err second = ERR_INIT;

		if (i > 0)
			clock_sleep_ms(STALE_PAUSE_MS);
		if (interrupt_check(&second) != 0 || look(change, &second) != 0) {
			if (second.kind == ERR_INTERRUPTED) {
				err_release(err);
				*err = second;
				second = (struct err)ERR_INIT;
			}
			return false;
		}
		if (!is_status(last_status(change), change->direction->origin))
			return true;
	}
	return false;
}

/*
 * AWS said that the instance is in a state it cannot be switched in. *ret_settled: it is on its way
 * all the same, because another caller was faster or because an answer got lost. Otherwise, when
 * there is time to wait, returns once it can be switched.
 */
static int settle(struct change *change, bool *ret_settled, struct err *err)
{
	const char *status;

	*ret_settled = false;
	if (!look_after_refusal(change, err))
		return -1;
	status = last_status(change);
	*ret_settled = is_done(change, status) || is_underway(change, status);
	if (!*ret_settled && instance_is_lost(status))
		return -1;
	if (!*ret_settled && !change->waits) {
		err_hint(err, "It is %s; --wait waits until it can be %s.", status,
			change->direction == &directions[INSTANCE_POWER_ON] ? "started"
									    : "stopped");
		return -1;
	}
	err_release(err);
	if (*ret_settled)
		return 0;
	out_info("instance \"%s\" is %s; AWS takes the request once it is %s", change->id, status,
		change->direction->origin);
	return wait_for(change, change->direction->origin, err);
}

static int request(struct change *change, struct err *err)
{
	for (int i = 0;; i++) {
		CLEANUP(rds_instances_release) struct rds_instances instances = RDS_INSTANCES_INIT;
		CLEANUP(aws_reply_release) struct aws_reply reply = AWS_REPLY_INIT;
		bool settled;

		if (change->direction->call(change->aws, change->id, &instances, &reply, err) == 0)
			return 0;
		if (!is_wrong_state(&reply) || i + 1 >= REQUESTS ||
			settle(change, &settled, err) != 0)
			return -1;
		if (settled)
			return 0;
	}
}

/* With --wait the last word is what the instance became. */
static int finish(struct change *change, struct err *err)
{
	const struct rds_instance *instance;

	if (!change->waits) {
		out_data("%s %s\n", change->direction->underway[0], change->id);
		return 0;
	}
	if (wait_for(change, change->direction->goal, err) != 0)
		return -1;
	instance = &change->last.items[0];
	if (change->direction == &directions[INSTANCE_POWER_ON] && instance->host)
		out_data("available %s %s:%d\n", change->id, instance->host, instance->port);
	else
		out_data("%s %s\n", change->direction->goal, change->id);
	return 0;
}

static int switch_instance(struct change *change, struct err *err)
{
	const char *status;

	if (look(change, err) != 0)
		return -1;
	status = last_status(change);
	if (is_done(change, status) || is_underway(change, status)) {
		out_info("instance \"%s\" is %s already", change->id, status);
		if (is_underway(change, status) ||
			(change->waits && !is_status(status, change->direction->goal)))
			return finish(change, err);
		out_data("unchanged %s\n", change->id);
		return 0;
	}
	if (is_status(status, "storage-full")) {
		err_set(err, ERR_FAILED, "could not %s instance \"%s\": it is %s",
			change->direction->verb, change->id, status);
		instance_explain_lost(change->id, status, err);
		return -1;
	}
	if (refuse_member(change, err) != 0 || request(change, err) != 0)
		return -1;
	return finish(change, err);
}

int instance_switch(struct aws *aws, const char *id, enum instance_power power, double wait_seconds,
	struct err *err)
{
	CLEANUP(change_release)
	struct change change = {
		.aws = aws,
		.id = id,
		.direction = &directions[power],
		.waits = wait_seconds >= 0,
		.end_ms = clock_ms() + (int64_t)(wait_seconds * 1000),
	};

	if (switch_instance(&change, err) != 0)
		return -1;
	/* Who stops an instance to save money has to know that it will not stay so. */
	if (power == INSTANCE_POWER_OFF)
		instance_tell_restart(
			aws, id, change.last.count > 0 ? &change.last.items[0] : NULL);
	return 0;
}
