/* The project's private local server, whichever way a connection has come to it. */
#ifndef APP_PRIVATE_SERVER_H
#define APP_PRIVATE_SERVER_H

#include "app/context.h"

/*
 * The directory of the project's private server when conn leads to that, also by a URL that names
 * its socket (db-server url); the caller owns it. NULL: it leads elsewhere.
 */
char *private_server_of(const struct context *context, struct conn *conn);

#endif
