/* Who may destroy what: the confirmation that a protected database needs. */
#ifndef APP_GUARD_H
#define APP_GUARD_H

#include "cli/option.h"
#include "pg/target.h"

/* --confirm NAME */
extern const struct option guard_options[];

/*
 * Fails with REFUSED when the target is protected and --confirm does not give its database's name.
 * A --confirm that names another database is refused on any target. what: "drop", "reset", "load a
 * schema over" for the message.
 */
int guard_destroy(const struct target *target, const char *what, struct err *err);

/*
 * The same for what destroys nothing: only with force, which ends sessions, a protected target
 * needs --confirm.
 */
int guard_sessions(const struct target *target, bool force, const char *what, struct err *err);

#endif
