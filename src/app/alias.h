/* Databases that a pooler has under another name than the server. */
#ifndef APP_ALIAS_H
#define APP_ALIAS_H

#include "app/context.h"

/*
 * That conn's database is called on the server what it was asked for. REFUSED where it is not: what
 * goes by the name would be done to no database, or to another one.
 */
int alias_refuse(const struct context *context, struct conn *conn, struct err *err);

/*
 * The same for a target whose database the server does not have, over a connection to it; none can
 * be made where it does not exist, and that is success. conn: any on that server.
 */
int alias_refuse_missing(struct context *context, struct conn *conn, struct err *err);

#endif
