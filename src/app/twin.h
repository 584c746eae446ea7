/*
 * Whether another way leads to a protected database: a tunnel, an alias of its host, its URL under
 * another name.
 */
#ifndef APP_TWIN_H
#define APP_TWIN_H

#include "app/context.h"

/*
 * Looks through the targets that are protected by name or by DB_PROTECTED_TARGETS for one whose URL
 * leads to the context's database; conn is any connection to its server. Servers are the same when
 * they say so (system identifier), else by address and port. What a protected server says is
 * remembered, so that it is asked once in a while only, for three seconds at most.
 *
 * *ret_origin: where that URL stands, "PROD_CONNECTION_URL in .env"; the caller's; NULL: none.
 * Fails with INTERRUPTED only.
 */
int twin_find(struct context *context, struct conn *conn, char **ret_origin, struct err *err);

/* Remembers what the context's server says, when the target is protected. */
void twin_remember(struct context *context, struct conn *conn);

#endif
