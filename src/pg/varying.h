/* Whether what scripts do in a database comes out the same every time. */
#ifndef PG_VARYING_H
#define PG_VARYING_H

#include "base/strlist.h"
#include "pg/conn.h"

/*
 * Asks the connected database, in which the schema is loaded, whether anything that statements with
 * these names (struct script_inputs) run yields something that varies between runs: time, chance,
 * who is connected. From the names it follows the defaults, generated columns, checks, domains,
 * triggers, rules, policies and partitions of tables, the definitions of views, the bodies of
 * functions, and event triggers. What only counts on (nextval) or has no result does not vary. In
 * doubt it varies: names are taken without their schema.
 *
 * *ret_reason, such as "gen_random_uuid(), the default of users.id" or "random()", is the caller's;
 * NULL: nothing varies. One query; servers 13 and later. Fails as conn_query.
 */
int varying_find(
	struct conn *conn, const struct strlist *names, char **ret_reason, struct err *err);

#endif
