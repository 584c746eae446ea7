/*
 * Resetting a database without ever losing it. The new database is made beside the old one; one
 * transaction gives it the name and puts the old one aside; then it is loaded. When that fails, or
 * a signal comes, one transaction puts the old one back. When it succeeds, one transaction says so,
 * and the old one is dropped. See pg/mark.h for how the databases are told apart, app/heal.h for
 * what happens when the program is killed, app/cache.h for results that are kept.
 */
#ifndef APP_RESET_H
#define APP_RESET_H

#include "app/cache.h"
#include "app/guard.h"
#include "app/scripts.h"

struct reset_options {
	bool force;      /* end the sessions that are connected to the old database even if it is
			    protected */
	bool drop_first; /* drop the old one before the new one is made: half the disk, no way back
			  */
	struct cache_policy policy;
};

/*
 * Runs the steps with what the user sees of them. schema and seed were checked with wants_inputs
 * when policy.on. After an error the old database is under its name, unless the error's note says
 * otherwise.
 */
int reset_run(const struct guard *guard, struct scripts *schema, struct scripts *seed,
	const struct reset_options *options, struct err *err);

#endif
