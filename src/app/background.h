/*
 * What is left to do once a reset is complete: dropping databases that are no longer wanted, and
 * making the next spare. A detached process does it, which holds no terminal and no file, says
 * nothing and ends by itself; killed at any moment it leaves nothing that the next one does not
 * clear away.
 */
#ifndef APP_BACKGROUND_H
#define APP_BACKGROUND_H

#include "app/context.h"

/* Starts it; the caller's connections stay the caller's. That it cannot be started is no error. */
void background_start(struct context *context, bool spare);

/*
 * The same work done here and now over a maintenance connection: with spare false only what is to
 * be dropped. That something stays for later is said with -v.
 */
void background_work(struct context *context, struct conn *conn, bool spare);

#endif
