/* Why a session does not get on: who holds the lock it waits for. */
#ifndef PG_LOCK_WAIT_H
#define PG_LOCK_WAIT_H

#include "pg/conn.h"

struct lock_wait {
	char *holder;   /* "pid 12 (user u, application a, idle in transaction for 5 min 1 s)" */
	char *relation; /* as the server names it; NULL: the lock is not one of a relation */
};

#define LOCK_WAIT_INIT                                                                             \
	{                                                                                          \
		0                                                                                  \
	}

/*
 * Asks over a second connection with the same parameters while conn's server process is busy; takes
 * a few seconds at most. Returns 1 with *wait filled when it waits for a lock of another session, 0
 * when it does not or when that could not be found out, -1 with err set to INTERRUPTED.
 */
int lock_wait_ask(struct conn *conn, struct lock_wait *wait, struct err *err);

/* Usable as a CLEANUP handler. */
void lock_wait_release(struct lock_wait *wait);

#endif
