/* How a client is given the target: in the variables that libpq reads. */
#ifndef APP_CLIENT_ENVIRONMENT_H
#define APP_CLIENT_ENVIRONMENT_H

#include "base/strbuf.h"
#include "pg/target.h"

/* What it is given of the target. */
struct client_passing {
	const char *database; /* that the URL names; NULL: none, the choice is libpq's; borrowed */
	bool resolve;         /* a service becomes what it stands for, as its options would count
				 before PGOPTIONS */
	bool no_password;     /* it goes to another server */
};

/* The target or PGSERVICE names a service. */
bool client_environment_has_service(const struct target *target);

/* The target has a password beside the one of the user's own environment. */
bool client_environment_has_password(const struct target *target);

/*
 * Puts the target into the environment, where no other user of the machine can read it. What libpq
 * has no variable for goes into conninfo, which will stand on the command line: never a secret; one
 * is left out with a warning.
 */
void client_environment_export(
	const struct target *target, const struct client_passing *passing, struct strbuf *conninfo);

#endif
