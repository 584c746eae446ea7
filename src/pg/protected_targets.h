/*
 * DB_PROTECTED_TARGETS: the targets that are protected as prod is. Each list that is set counts,
 * the environment's and .env's: an exported one must not take away what the project protects.
 */
#ifndef PG_PROTECTED_TARGETS_H
#define PG_PROTECTED_TARGETS_H

#include "base/env.h"

/* Whether a list of values (of env_values) holds the target. */
bool protected_targets_have(const struct env_values *values, const char *name);

/*
 * The same of everything that env has. Fails with USAGE where a list has a word that no target can
 * be called by, and so was meant for another: what it was to protect is not known.
 */
int protected_targets_find(
	const struct env *env, const char *name, bool *ret_found, struct err *err);

#endif
