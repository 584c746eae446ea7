/* Statements that need databases to themselves: RENAME, CREATE DATABASE … TEMPLATE. */
#ifndef PG_EXCLUSIVE_H
#define PG_EXCLUSIVE_H

#include "base/strlist.h"
#include "pg/conn.h"

struct exclusive {
	const char *verb;     /* "rename", for messages */
	struct strlist names; /* the databases, as they are called beforehand */
	bool force;           /* sessions are ended */
	bool unused; /* there were none a moment ago: looked for only when the server waits */
};

/*
 * Runs sql, which is one request and happens as a whole or not at all, on a maintenance connection.
 * Without force sessions of the databases are an error that lists them, and none is ended. With
 * force those that are there are ended, and those that come while the server waits for the last to
 * go: it looks every 100 ms for 5 s, and lets nobody in meanwhile who is not in already. Sessions
 * that our role may not end, and prepared transactions, are errors that name them; no session is
 * ended then. What fails because of sessions is tried again for half a minute.
 *
 * The errors are those of conn_exec. After INTERRUPTED the note says whether sql took effect, after
 * CONNECT the detail that this is not known.
 */
int exclusive_exec(
	struct conn *conn, const struct exclusive *need, const char *sql, struct err *err);

#endif
