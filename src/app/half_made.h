/* Databases under their real name that a reset has not completed: what is done there is lost. */
#ifndef APP_HALF_MADE_H
#define APP_HALF_MADE_H

#include "pg/sibling.h"

/*
 * Fails, with what conn's database is, when that is one: a reset is at work on it, or was killed.
 * comment: its own, NULL: none; only one that has a reset's mark makes the server be asked.
 */
int half_made_refuse(struct conn *conn, const char *comment, struct err *err);

/* The same as a warning. Fails as conn_query does. */
int half_made_warn(struct conn *conn, const char *comment, struct err *err);

/* Fails when the database is one after heal_found, which may not heal everything, or is only there
 * as the old one that was put aside. */
int half_made_left(const char *database, const struct siblings *siblings, struct err *err);

#endif
