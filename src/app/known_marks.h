/* Which databases were marked as protected from here, as far as the state directory knows. */
#ifndef APP_KNOWN_MARKS_H
#define APP_KNOWN_MARKS_H

#include "app/context.h"
#include "base/strlist.h"

/* Whether the database of the context's target was; *ret_as: as which target, the caller's. */
bool known_marks_get(const struct context *context, char **ret_as);

/* conn: to the server. */
void known_marks_set(const struct context *context, struct conn *conn, bool marked);

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
