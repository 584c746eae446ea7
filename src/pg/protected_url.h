/*
 * The URLs of protected targets in view. Which of them goes first says where to connect; as a sign
 * of where production is each counts: a stale variable may hide the right one.
 */
#ifndef PG_PROTECTED_URL_H
#define PG_PROTECTED_URL_H

#include "base/env.h"

/*
 * "prod_eu" when values (of env_values) holds at index a URL of that target, which its name or
 * DB_PROTECTED_TARGETS protects; the caller owns it. NULL: something else, a blank value, or the
 * same URL of the same target as at a lower index.
 */
char *protected_url_target(const struct env_values *values, size_t index);

#endif
