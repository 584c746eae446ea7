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

/*
 * Whether all hosts of a URL are what documentation has in the place of one: host, example.com, a
 * name under .invalid, "${HOST}". Nothing of the kind can be connected to, unless somebody has
 * given a machine that name.
 */
bool protected_url_is_template(const char *value);

/* Whether it begins with the < of "<postgresql://...>". */
bool protected_url_is_bracketed(const char *value);

/*
 * A URL with a driver's name in its scheme (postgresql+asyncpg://, jdbc:postgresql://) or with
 * parameters of one that libpq does not know (schema=public) without these; the caller owns it, and
 * it may hold a password. Parameters that some driver takes for where to connect stay. NULL: there
 * is nothing of the kind.
 */
char *protected_url_plain(const char *value);

#endif
