/* Whether a pooler gives every client a session of its own. */
#ifndef PG_POOL_MODE_H
#define PG_POOL_MODE_H

#include "pg/conn.h"

/*
 * Two connections that a pooler has accepted and given nothing to do yet: whether they meet in one
 * session, or one of them changes its session, or may not begin a transaction. That shows that
 * sessions are shared; the contrary cannot be shown for certain. A pool of one session is told by
 * who is served: poolers serve those that wait in their order, so that one who overtakes has a
 * session already. Where both have one, they are looked at by turns, for 50 ms and eight
 * transactions at least. Afterwards second is of no more use.
 */
int pool_mode_shares(struct conn *first, struct conn *second, bool *ret_shares, struct err *err);

/* What was left in a session, by a setting of ours that means nothing to the server. */
struct pool_trace {
	char mark[48];
	long pid; /* the server's process */
};

int pool_mode_leave_trace(struct conn *conn, struct pool_trace *ret_trace, struct err *err);

enum pool_find {
	POOL_OTHER, /* another session, which says nothing */
	POOL_RESET, /* the same one, without the trace: the pooler resets its sessions */
	POOL_KEPT,  /* the trace is there, for any client: it was taken away now */
};

/* Looks for it in another client's session, once conn that left it is closed. */
int pool_mode_find_trace(struct conn *conn, const struct pool_trace *trace,
	enum pool_find *ret_find, struct err *err);

#endif
