/* What the files of a target share: how Amazon RDS servers are verified and signed in to. */
#ifndef PG_TARGET_INTERNAL_H
#define PG_TARGET_INTERNAL_H

#include "pg/target.h"

/* A letter, then letters, digits, - and _. */
bool target_is_name(const char *text, size_t length);

/*
 * "prod-eu", "CONNECTION_URL" → "PROD_EU_CONNECTION_URL", which the caller owns; local has no
 * prefix.
 */
char *target_variable(const char *target, const char *suffix);

/* Fills target->is_iam from NAME_AUTH; fails with USAGE for a value that is none. */
int target_read_auth(struct target *target, const struct env *env, struct err *err);

/*
 * Sets target->project_ca when the connection parameters, which file (.env; NULL: another source)
 * holds in that variable, choose the authorities that the server is verified with.
 */
void target_note_ca(struct target *target, const char *variable, const char *file);

/*
 * For an RDS host without a mode of its own: sslmode verify-full and a CA bundle. Sets
 * target->project_ca when .env names the bundle. Fails with USAGE when there is none.
 */
int target_require_verified_tls(struct target *target, const struct env *env, struct err *err);

/*
 * A target with is_iam: fails with USAGE unless it names one RDS host, a user, and TLS that
 * verifies, by authorities that no .env chose. Removes the password, and GSSAPI encryption, which
 * would take the place of TLS.
 */
int target_check_iam(struct target *target, struct err *err);

#endif
