/*
 * What is left to do once a reset is complete: dropping databases that are no longer wanted, and
 * making the next spare. A detached process does it, which holds no terminal and no file, says
 * nothing and ends by itself; killed at any moment it leaves nothing that the next one does not
 * clear away.
 */
#ifndef APP_BACKGROUND_H
#define APP_BACKGROUND_H

#include "app/context.h"

enum {
	BACKGROUND_SPARE = 1,   /* make a spare of the template that fits, if there is one */
	BACKGROUND_KILLED = 2,  /* drop what killed resets have left: one has succeeded */
	BACKGROUND_FORGET = 4,  /* drop templates and spares: nothing is to be kept */
	BACKGROUND_WAIT = 8,    /* when another process is at this work, stay until it is done */
	BACKGROUND_CHILD = 16,  /* but not if another one like this stays already */
	BACKGROUND_MARKED = 32, /* KILLED also where a mark protects it: the name was confirmed */
};

/*
 * Starts it; the caller's connections stay the caller's. That it cannot be started is no error.
 * What is to be dropped is dropped with any flags.
 */
void background_start(struct context *context, unsigned flags);

/*
 * The same work done here and now over a maintenance connection. Non-zero when something stays for
 * later: err then says why.
 */
int background_work(struct context *context, struct conn *conn, unsigned flags, struct err *err);

#endif
