/* What the files of one connection share among themselves. */
#ifndef PG_CONN_INTERNAL_H
#define PG_CONN_INTERNAL_H

#include "base/strlist.h"
#include "pg/conn.h"

/* A lock that behind a pooler a transaction holds (pg/database_lock.c). */
struct conn_lock {
	char *key;
	struct conn *keeper; /* with the transaction, which ends with it */
	unsigned count;      /* how often it was taken */
	struct conn_lock *next;
};

struct conn {
	PGconn *pg;
	notice_fn *notice;
	void *notice_context;
	void (*trace)(const char *sql);
	bool unpinned; /* what own_queries pins is still to be set, by the first request */
	/* A pooler stands between, as far as is known: it has refused options, or the session is
	 * another's process. Settings may stay for others. */
	bool pooled;
	struct conn_lock *locks;
	struct err interrupted; /* a signal that came while a request was running */
	bool completed;         /* the last request succeeded, also when a signal ended it for us */
	int64_t answer_deadline; /* with that: until when the server may answer */
	/*
	 * Called when the server has been silent for stall_ms while it was waited for, and then
	 * every stall_again_ms (0: two seconds and thirty), which the call may change; NULL:
	 * nobody. Fails only with INTERRUPTED.
	 */
	int (*stalled)(void *context, struct err *err);
	void *stalled_context;
	int64_t stall_ms, stall_again_ms;
	bool stalled_once;     /* it is for one request, and called once */
	int64_t stalled_due;   /* when the next call is; 0: the server is not waited for */
	int64_t answer_ms;     /* how long the server may be silent while waited for; 0: for ever */
	int64_t answer_due;    /* when that is over; 0: the server is not waited for */
	size_t inputs;         /* how often the server has sent something */
	int64_t round_trip_us; /* how long the server's first answer took; 0: not measured */
	struct password_source *source; /* of the parameters it was opened with */
	char *last_words; /* why the server ends the connection; NULL: it has not said so */
	bool looked_up;   /* its hostaddr is not what anybody asked for, but what we have found */
};

/*
 * The addresses of the one host that libpq would look up with these parameters, in its order; none
 * where it would look nothing up (a socket, an address, hostaddr) or has more to do than that
 * (several hosts, load_balance_hosts). 1: the name has none; *ret_reason is why, in libpq's words,
 * the caller's. -1: INTERRUPTED or FAILED.
 */
int conn_look_up(const struct params *params, int64_t deadline, struct strlist *addresses,
	char **ret_reason, struct err *err);

/*
 * The hint for SQLSTATE 28000, about by whom one wants to come in, and from where; pg is the
 * connection that failed, err its error.
 */
void conn_explain_identity(const struct params *params, PGconn *pg, struct err *err);

/*
 * For a connection that a server has refused: puts the names that pg wanted into err's hint, where
 * one of conn_failure's has "DATABASE …", "ROLE …" or "TO …", as SQL identifiers.
 */
void conn_name_hint(PGconn *pg, struct err *err);

/* Ends the transactions of a list of locks by closing their connections; NULL is allowed. */
void conn_locks_free(struct conn_lock *locks);

/* Waits until the server has sent something. Cancels on a signal, as everything that waits does. */
int conn_wait_input(struct conn *conn, struct err *err);

/* Hands a remembered signal out as err and returns -1; 0 when there is none. */
int conn_take_interrupt(struct conn *conn, struct err *err);

#endif
