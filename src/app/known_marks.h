/* Which databases were marked as protected from here, as far as the state directory knows. */
#ifndef APP_KNOWN_MARKS_H
#define APP_KNOWN_MARKS_H

#include "app/context.h"
#include "base/strlist.h"

/* Whether the database of the context's target was; *ret_as: as which target, the caller's. */
bool known_marks_get(const struct context *context, char **ret_as);

/* The same, if that of this oid was the one and the server is the same; otherwise *ret_as is left
 * as it is. conn: to the server; fails as conn_query does. */
int known_marks_was(const struct context *context, struct conn *conn, uint32_t oid, char **ret_as,
	struct err *err);

/*
 * With what the comment of the context's target's database says now. marked: which database that is
 * is remembered, if it was marked from here. Otherwise *ret_gone, the caller's, is set to what
 * known_marks_get gives if it is the same one of the same server: its mark has gone. conn: any
 * connection to the server. It is asked only where one was marked; fails as conn_query does.
 */
int known_marks_compare(const struct context *context, struct conn *conn, bool marked,
	char **ret_gone, struct err *err);

/* as: which target it is marked as now; NULL: it is not. conn: to the server. */
void known_marks_set(const struct context *context, struct conn *conn, const char *as);

/*
 * After the database of the context's target was dropped with its name confirmed. keeps: something
 * that was made of it, and has its mark, is still in the server.
 */
void known_marks_dropped(const struct context *context, struct conn *conn, bool keeps);

/*
 * For the private server of the context's target, which need not run: adds the names of the
 * databases in it that were marked, or what was made of them.
 */
void known_marks_in_server(const struct context *context, struct strlist *names);

/* After that server was removed. */
void known_marks_forget_server(const struct context *context);

#endif
