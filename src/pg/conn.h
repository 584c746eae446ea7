/*
 * One connection to a server. Nothing here blocks without looking at signals: a SIGINT or SIGTERM
 * cancels the running statement on the server and comes back as an error of kind INTERRUPTED.
 */
#ifndef PG_CONN_H
#define PG_CONN_H

#include "pg/params.h"

#include <libpq-fe.h>

/* What the server says beside results; texts are valid during the call only. */
struct notice {
	const char *severity; /* "NOTICE", "WARNING", … not translated */
	const char *sqlstate;
	const char *message;
	const char *detail; /* may be NULL, as may the rest */
	const char *hint;
	const char *context;
};

typedef void notice_fn(void *context, const struct notice *notice);

/*
 * Told whenever an attempt to connect has come further, with libpq's handle to look at: PQstatus,
 * and what TLS agreed on. There may be more than one attempt.
 */
struct conn_observer {
	void (*look)(void *context, PGconn *pg);
	void *context;
};

struct conn_options {
	const char *application; /* application_name unless the user set one */
	const char *database;    /* to connect to */
	double wait_seconds;     /* 0: one attempt; otherwise retry so long what may pass */
	int64_t deadline;        /* clock_ms, of a single attempt with all its addresses; 0: none */
	bool own_queries; /* for our queries, not for scripts: search_path is pinned to nothing, and
			     client_encoding to UTF-8 */
	bool pin_later;   /* not by the start, which hides defaults, but by the first request */
	notice_fn *notice; /* NULL: notices are dropped */
	void *notice_context;
	void (*waiting)(
		void *context, const struct err *reason); /* told once when waiting begins */
	void *waiting_context;
	void (*trace)(const char *sql);       /* told of every conn_exec; NULL: nobody */
	const struct conn_observer *observer; /* NULL: nobody */
};

struct conn;

/*
 * Connects, with a new password from params' source if there is one; its failure is passed on.
 * A host's name is looked up, and each of its addresses tried in turn, for as long as
 * conn_timeout_ms says; as in libpq the next one is for those that cannot be reached or do not
 * answer in that time, not for what a server refuses. Of several hosts all that is libpq's, for
 * that long together. Retried while waiting is only what conn_failure_may_pass says. Errors:
 * CONNECT with the server's or libpq's reason as detail and never a password; TIMEOUT when
 * wait_seconds ran out; INTERRUPTED. The SQLSTATE is kept (3D000: no such database; 28P01: wrong
 * password).
 */
int conn_open(const struct params *params, const struct conn_options *options,
	struct conn **ret_conn, struct err *err);

/*
 * A second connection to where conn leads, by the same role and with the first's application name
 * (options->application is not looked at). seconds: its connect_timeout; 0: as for the first. With
 * a deadline in options no new password is made: that could take as long as it likes.
 */
int conn_open_beside(struct conn *conn, const struct conn_options *options, int seconds,
	struct conn **ret_conn, struct err *err);

/* How long an address may take to let us in: connect_timeout (in params, a service file or
 * PGCONNECT_TIMEOUT), or 15 seconds. */
int64_t conn_timeout_ms(const struct params *params);

/* The server's address, where it is one of the internet; NULL otherwise. conn's. */
const char *conn_public_address(const struct conn *conn);

/* Closes; NULL is allowed. */
void conn_close(struct conn *conn);

/* False when a script has left it (pg/load.h); NULL is allowed. Says nothing about the server. */
bool conn_is_open(const struct conn *conn);
void conn_cleanup(struct conn **conn);

/*
 * Poolers tell clients of a process that the server does not have. pid: what a query got from
 * pg_backend_pid(); conn_is_pooled is false until one has told of a pooler.
 */
void conn_note_process(struct conn *conn, const char *pid);
bool conn_is_pooled(const struct conn *conn);

/*
 * A connection to the server's maintenance database: the one named, else postgres, else template1,
 * for what cannot be done from inside the target database. options->database is not looked at.
 */
int conn_open_maintenance(const struct params *params, const struct conn_options *options,
	const char *maintenance_db, struct conn **ret_conn, struct err *err);

/*
 * Has work called while the server is busy with the next request, once, unless it answers within
 * milliseconds. work may not use conn, and fails only with INTERRUPTED.
 */
void conn_meanwhile(struct conn *conn, int (*work)(void *context, struct err *err), void *context);

/*
 * From now on the server may be silent for so long while it is waited for, as a pooler is that has
 * no session free; then the request fails with CONNECT, and the connection is of no more use.
 */
void conn_limit_silence(struct conn *conn, int64_t milliseconds);

/* Runs SQL (one or more statements by the simple protocol), results dropped. */
int conn_exec(struct conn *conn, const char *sql, struct err *err);

/* The same for SET statements; best as the first request, since it may save one. */
int conn_set(struct conn *conn, const char *sql, struct err *err);

/* One statement with text parameters; *ret_result is the caller's (PQclear). */
int conn_query(struct conn *conn, const char *sql, int count, const char *const *values,
	PGresult **ret_result, struct err *err);

/* The same for a statement that always yields a row; a result without one is an error. */
int conn_query_row(struct conn *conn, const char *sql, int count, const char *const *values,
	PGresult **ret_result, struct err *err);

void result_cleanup(PGresult **result);

/* name quoted as an identifier; the caller owns it (mem_free). */
char *conn_identifier(struct conn *conn, const char *name);

/* text quoted as a literal; the caller owns it. */
char *conn_literal(struct conn *conn, const char *text);

/* The server's version as a number, e.g. 150018. */
int conn_server_version(const struct conn *conn);

/*
 * The parameters that conn was opened with, defaults and password (or its source) included; the
 * host is the one it is connected to.
 */
void conn_params(struct conn *conn, struct params *params);

/*
 * As params_url of the parameters that conn was opened with, complete without anybody's environment
 * and service files: host, port, user and how the server is verified are as they are in conn. The
 * caller owns it.
 */
char *conn_url(struct conn *conn, const struct params *params, const char *database);

/* For pg/ only: the handle, and the steps a query is made of. */
PGconn *conn_pg(struct conn *conn);

/* Waits for the next result of what was sent; *ret_result NULL: no more. Cancels on a signal. */
int conn_next_result(struct conn *conn, PGresult **ret_result, struct err *err);

/* Sends what libpq has buffered. */
int conn_flush(struct conn *conn, struct err *err);

/* Reads and drops all remaining results. */
void conn_drain(struct conn *conn);

/*
 * Fills err from a failed result: kind (FAILED as given; CONNECT when the connection is gone),
 * message, detail, hint, context, severity, SQLSTATE. Returns -1.
 */
int conn_result_error(
	struct conn *conn, const PGresult *result, enum err_kind kind, struct err *err);

/* "could not …" errors of a send that failed. */
int conn_send_error(struct conn *conn, struct err *err);

#endif
