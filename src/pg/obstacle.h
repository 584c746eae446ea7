/* What stands in the way of dropping, renaming or copying a database, told in errors. */
#ifndef PG_OBSTACLE_H
#define PG_OBSTACLE_H

#include "base/strbuf.h"
#include "pg/conn.h"

#define SQLSTATE_IN_USE "55006"
#define SQLSTATE_PRIVILEGE "42501"
#define SQLSTATE_DUPLICATE_DATABASE "42P04"

/*
 * Makes an error of the server (kind FAILED) say "could not VERB database "x": reason"; its other
 * fields stay. Returns -1.
 */
int obstacle_failure(struct err *err, const char *verb, const char *name);

/*
 * Adds a line for each session of the database, with fixed only of those that our role may not end;
 * *ret_count tells how many there are.
 */
int obstacle_list_sessions(struct conn *conn, const char *name, bool fixed, struct strbuf *list,
	int *ret_count, struct err *err);

/* 1 with err set to an error that lists the sessions when there are any, 0 when not, -1: failed. */
int obstacle_sessions(
	struct conn *conn, const char *verb, const char *name, bool fixed, struct err *err);

/*
 * Fails when there is something that no ending of sessions clears: prepared transactions, and with
 * drop also active replication slots and subscriptions. The error's detail names each with the
 * command that does.
 */
int obstacle_check(
	struct conn *conn, const char *verb, const char *name, bool drop, struct err *err);

/* Adds the same to a server's refusal; leaves err alone when there is nothing of the kind. */
void obstacle_explain(struct conn *conn, const char *name, bool drop, struct err *err);

#endif
