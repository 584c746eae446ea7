/* What stands behind -- for the client, as psql reads it. */
#ifndef APP_CLIENT_ARGUMENTS_H
#define APP_CLIENT_ARGUMENTS_H

#include "base/strlist.h"
#include "pg/params.h"

#include <stdbool.h>

/* -X or --no-psqlrc, also cut as psql allows it. */
bool client_arguments_no_startup_file(const struct strlist *arguments);

/* What they say of a password: -W, -w; the last one counts. */
enum client_password_wish {
	CLIENT_PASSWORD_AS_NEEDED,
	CLIENT_PASSWORD_ASK,
	CLIENT_PASSWORD_NEVER,
};

enum client_password_wish client_arguments_password(const struct strlist *arguments);

/* Adds them to ret_arguments, without -W and --password. */
void client_arguments_drop_password(const struct strlist *arguments, struct strlist *ret_arguments);

/*
 * The keyword, "options" or "service", of a connection string or URL among the arguments that
 * counts before PGOPTIONS; NULL: there is none. What psql takes for something else is passed over;
 * of other programs, whose options are not known, every argument is looked at. Static text.
 */
const char *client_arguments_overrule(const struct strlist *arguments, bool is_psql);

/* Where they lead psql, seen from the target. */
struct client_lead {
	/* The database that they name on the target's server, plainly or in a connection string;
	 * NULL: none, which leaves the target's own. */
	char *database;
	char *password; /* of a connection string; NULL: none */
	/* A database or a connection string is named, which takes the place of one before it. */
	bool takes_place;
	bool elsewhere;    /* another host, port or user than the target's is named, or a service */
	bool other_server; /* elsewhere, and not by another user alone */
};

/*
 * params: the target's; what they leave out libpq adds, as probe_param does. *lead is zero before
 * and is released by client_lead_release.
 */
void client_arguments_lead(
	const struct strlist *arguments, const struct params *params, struct client_lead *lead);

/* Wipes and frees; usable as a CLEANUP handler. */
void client_lead_release(struct client_lead *lead);

#endif
