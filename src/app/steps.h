/* The steps that commands of their own and db-setup have in common, with what the user sees of
 * them. */
#ifndef APP_STEPS_H
#define APP_STEPS_H

#include "app/scripts.h"
#include "pg/database.h"

/* Drops the database; known and force as for database_drop. */
int step_drop(struct conn *conn, const char *database, const struct database_state *known,
	bool force, struct err *err);

/* Creates it; already there is success, and *ret_created false. */
int step_create(struct conn *conn, const char *database,
	const struct database_create_options *options, bool *ret_created, struct err *err);

/* Runs scripts under a step line of that name. */
int step_scripts(struct conn *conn, const char *name, struct scripts *scripts, struct err *err);

/* --dry-run: checks and lists them instead, under such a line. */
int step_list(const char *name, struct scripts *scripts, struct err *err);

#endif
