/* DB_NAME_SUFFIX: what parallel working trees append to the name of their database. */
#ifndef PG_SUFFIX_H
#define PG_SUFFIX_H

#include "base/env.h"

#define SUFFIX_VARIABLE "DB_NAME_SUFFIX"

/*
 * Appends the suffix that env holds to *name, which the caller owns. *ret_origin: where it comes
 * from, "DB_NAME_SUFFIX in .env", the caller's; NULL: there is none, and *name is as it was. Fails
 * with USAGE when it holds anything but letters, digits, "_", "-" and ".", or makes the name longer
 * than PostgreSQL keeps.
 */
int suffix_add(const struct env *env, char **name, char **ret_origin, struct err *err);

#endif
