/* What can be found out about an RDS host from here: why a connection failed, its backups. */
#ifndef APP_RDS_HOST_H
#define APP_RDS_HOST_H

#include "app/context.h"

/*
 * Adds the likely cause and what to type to the error of a connection to the context's target; does
 * nothing for other hosts and other errors. When the server was not reached it looks the host up
 * and asks rds-status, if that has credentials, for up to three seconds.
 */
void rds_host_explain(const struct context *context, struct err *err);

/* What rds-status --snapshots says. Times as AWS writes them; ages in seconds, -1: none. */
struct rds_backups {
	char *snapshot, *type; /* NULL: there is no snapshot */
	int64_t snapshot_age;
	char *restorable; /* NULL: not restorable to a point in time */
	int64_t restorable_age;
	char *denied; /* what AWS said when it did not tell all of that; NULL: it did */
};

#define RDS_BACKUPS_INIT                                                                           \
	{                                                                                          \
		.snapshot_age = -1, .restorable_age = -1                                           \
	}

/* Usable as a CLEANUP handler. */
void rds_backups_release(struct rds_backups *backups);

/*
 * The backups of the instance behind the context's target, whose host is an endpoint of RDS; asks
 * rds-status for so long. Fails with the reason why they are not known, and with INTERRUPTED.
 */
int rds_host_backups(const struct context *context, int64_t timeout_ms,
	struct rds_backups *ret_backups, struct err *err);

#endif
