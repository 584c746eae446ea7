/* What names a server and a database whatever way leads to them. */
#ifndef PG_IDENTITY_H
#define PG_IDENTITY_H

#include "pg/conn.h"

#include <stdint.h>

struct identity {
	char *system;   /* its system identifier; NULL: our role may not ask, or it was not asked */
	char *start;    /* when it was started, in microseconds; another server's differs */
	char *database; /* that one is connected to; a pooler's name for it may differ */
	char *comment;  /* of that database; NULL: none */
	char *process;  /* the server's, which behind a pooler is another one each time */
};

#define IDENTITY_INIT                                                                              \
	{                                                                                          \
		0                                                                                  \
	}

/*
 * Asks conn, whose own setting of search_path does not matter, until the deadline (clock_ms). Fails
 * with TIMEOUT then, when conn is good for nothing but being closed; else as conn_query does.
 */
int identity_ask(struct conn *conn, int64_t deadline, struct identity *identity, struct err *err);

/* The same by one query, without the system identifier. */
int identity_ask_place(
	struct conn *conn, int64_t deadline, struct identity *identity, struct err *err);

/*
 * The server's system identifier alone, without a deadline; NULL: our role may not ask. The caller
 * owns it. Fails as conn_query does.
 */
int identity_ask_system(struct conn *conn, char **ret_system, struct err *err);

/* Whether the server of conn has that role; otherwise as identity_ask. */
int identity_has_role(
	struct conn *conn, const char *role, int64_t deadline, bool *ret_has, struct err *err);

/*
 * Whether two connections that were asked just now lead to one run of one server: not to its
 * standby, or to one that was restored from its backup.
 */
bool identity_same_run(const struct identity *a, const struct identity *b);

/* By the system identifier where both have said it, else by when they were started. */
bool identity_same_server(const struct identity *a, const struct identity *b);

/* Usable as a CLEANUP handler. */
void identity_release(struct identity *identity);

#endif
