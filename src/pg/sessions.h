/* Sessions: the rows of pg_stat_activity. */
#ifndef PG_SESSIONS_H
#define PG_SESSIONS_H

#include "pg/conn.h"

/* Texts belong to the list; NULL where the server says NULL. */
struct session {
	long pid;
	const char *user;
	const char *database;
	const char *client;      /* address, "local", or NULL for a background process */
	const char *application; /* or the kind of a background process */
	const char *state;
	double age_seconds;     /* active: since the statement began; else since the state changed;
				   negative: not known */
	const char *wait;       /* "Lock: transactionid" */
	const char *blocked_by; /* process ids, separated by commas */
	const char *query;
	const char *backend_type;
};

struct session_list {
	struct session *items;
	size_t count;
	PGresult *result; /* holds the texts */
};

/* All sessions but our own; background_workers: also the server's own idle processes. */
int sessions_list(
	struct conn *conn, bool background_workers, struct session_list *list, struct err *err);

void session_list_release(struct session_list *list);

/*
 * Cancels the statement of session pid (end false), or ends the session (end true) and waits until
 * it is gone (TIMEOUT after 5 seconds). Fails with FAILED when there is no such session or the
 * right is missing, with REFUSED for our own session, rdsadmin's and background processes.
 */
int session_signal(struct conn *conn, long pid, bool end, struct err *err);

/* Process ids of all client sessions of a database that may be ended; the caller frees with
 * mem_free. */
int sessions_of_database(struct conn *conn, const char *database, long **ret_pids,
	size_t *ret_count, struct err *err);

/* Whether the server of conn has process pid. */
int session_exists(struct conn *conn, const char *pid, bool *ret_exists, struct err *err);

#endif
