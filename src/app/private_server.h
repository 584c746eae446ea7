/* The project's private local server, whichever way a connection has come to it. */
#ifndef APP_PRIVATE_SERVER_H
#define APP_PRIVATE_SERVER_H

#include "app/context.h"
#include "base/strlist.h"

/*
 * The directory of the project's private server when conn leads to that, also by a URL that names
 * its socket (db-server url); the caller owns it. NULL: it leads elsewhere.
 */
char *private_server_of(const struct context *context, struct conn *conn);

/*
 * Adds the databases of the private server of the context's target that URLs of protected targets
 * name, and as many texts of where the URL stands ("PROD_CONNECTION_URL in .env"). The place in the
 * URL decides: nobody is asked.
 */
void private_server_named(
	const struct context *context, struct strlist *databases, struct strlist *origins);

#endif
