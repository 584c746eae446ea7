/* What must not be lost with the private local server. */
#ifndef APP_SERVER_MARKED_H
#define APP_SERVER_MARKED_H

#include "app/guard.h"

/*
 * Before the private server of the context's target is removed: looks for databases in it that are
 * protected, starting it if need be, and has the guard decide on each. Where none is, only a
 * --confirm that names another database than the project's is refused. A server that cannot be
 * started is said not to have been looked at; the guard decides then on the databases that were
 * marked from here, as it does where there is a server without its data, and where none was it is
 * no error. Fails with REFUSED and, when a server that runs does not answer, as a connection does;
 * a server that was started is stopped again then.
 */
int server_marked_decide(struct context *context, struct err *err);

#endif
