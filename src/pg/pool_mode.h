/* Whether a pooler gives every client a session of its own. */
#ifndef PG_POOL_MODE_H
#define PG_POOL_MODE_H

#include "pg/conn.h"

/*
 * Two connections that a pooler has accepted and given nothing to do yet: whether they meet in one
 * session, or one of them changes its session, or may not begin a transaction. That shows that
 * sessions are shared; the contrary cannot be shown for certain. A pool of one session is told by
 * who is served: poolers serve those that wait in their order, so that one who overtakes has a
 * session already. Afterwards second is of no more use.
 */
int pool_mode_shares(struct conn *first, struct conn *second, bool *ret_shares, struct err *err);

#endif
