/* Databases that a pooler has under another name than the server, or on another server. */
#ifndef APP_ALIAS_H
#define APP_ALIAS_H

#include "app/context.h"
#include "pg/identity.h"

/*
 * That conn's database, the target's, which its URL names (target_require_database), is called on
 * the server what it was asked for. REFUSED where it is not: what goes by the name would be done to
 * no database, or to another one.
 */
int alias_refuse(const struct context *context, struct conn *conn, struct err *err);

/*
 * For what is done by the name of the target's database over conn, a connection to another one:
 * REFUSED where a pooler stands between and leads with that name to a database that is called
 * otherwise or is on another server. conn_is_pooled has to know by now; nothing is asked on a
 * direct connection. found: conn's server has a database of the name that takes connections; that
 * the pooler does not lead there is an error then, and success otherwise. No session is left there.
 */
int alias_check(struct context *context, struct conn *conn, bool found, struct err *err);

/* The same for what two connections have said: ours to the target's database, theirs to another. */
int alias_compare(const struct context *context, const struct identity *ours,
	const struct identity *theirs, struct err *err);

/* Whose database conn leads to, asked with the limit that all such questions here have. */
int alias_place(struct conn *conn, struct identity *ret_identity, struct err *err);

#endif
