/* Database instances on RDS: finding one, and waiting until it is what it shall be. */
#ifndef APP_INSTANCE_H
#define APP_INSTANCE_H

#include "aws/rds.h"

/* What --wait without a number stands for: half an hour, as the AWS CLI waits. */
#define INSTANCE_WAIT_SECONDS 1800

/* The one instance; fails with FAILED and a hint when there is none of that name. */
int instance_get(
	struct aws *aws, const char *id, struct rds_instances *ret_instances, struct err *err);

/* The code that AWS gives for an instance that does not exist. */
bool instance_is_missing(const struct aws_reply *reply);

/* Connections are accepted in that status: available, backing-up, modifying, …. */
bool instance_is_running(const char *status);

/*
 * Nothing leads from that status to available or stopped without help: failed, deleting,
 * storage-full, ….
 */
bool instance_is_lost(const char *status);

/* Puts into err's hint what helps an instance with such a status. */
void instance_explain_lost(const char *id, const char *status, struct err *err);

struct instance_wait {
	const char *until; /* what it shall be, for messages: "available" */
	bool (*is_reached)(void *context, const struct rds_instance *instance);
	void *context;
	double seconds;
	/* A new one: AWS's list may not hold it at once. */
	bool may_be_missing;
};

/* An is_reached whose context is the name of the status. */
bool instance_has_status(void *status, const struct rds_instance *instance);

/*
 * Looks again and again, first after one second, later every 15, and tells each change of the
 * status. *ret_instances is the last look. Fails with TIMEOUT when the time ran out, FAILED when
 * the instance is lost or gone or AWS says no, INTERRUPTED. An answer that does not come is waited
 * for as long as there is time.
 */
int instance_wait(struct aws *aws, const char *id, const struct instance_wait *wait,
	struct rds_instances *ret_instances, struct err *err);

/*
 * Tells when AWS starts a stopped instance again: the time it says itself, else seven days from
 * now. instance may be NULL.
 */
void instance_tell_restart(
	const struct aws *aws, const char *id, const struct rds_instance *instance);

#endif
