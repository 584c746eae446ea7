/*
 * The target of a command: its first word (local, prod, any other name) resolved to connection
 * parameters through the environment.
 */
#ifndef PG_TARGET_H
#define PG_TARGET_H

#include "base/env.h"
#include "pg/params.h"
#include "pg/server.h"

/* Names longer than this are cut by the server without an error. */
#define DATABASE_NAME_MAX 63

struct target {
	char *name;           /* "local", "prod", … */
	char *origin;         /* where the connection comes from, for messages: "CONNECTION_URL" */
	struct params params; /* without dbname */
	char *database;       /* NULL: not named by the URL */
	bool from_libpq_variables; /* PGHOST, PGSERVICE, … */
	bool is_private;           /* the private local server; server is filled */
	struct server server;
};

#define TARGET_INIT                                                                                \
	{                                                                                          \
		0                                                                                  \
	}

/*
 * Resolves a target. project_root (may be NULL: no project) is needed for the private local server
 * only. Nothing is connected or started. Fails with USAGE: a name that is none, no variable set
 * (the message lists those that were looked at), a URL that is not valid, an RDS host without a CA
 * bundle.
 */
int target_resolve(struct target *target, const char *name, const struct env *env,
	const char *project_root, struct err *err);

/* True for prod and production, also with a suffix (prod-eu): destroying needs a confirmation. */
bool target_is_protected(const struct target *target);

/* "user@host:port/database", or the private server's name, for messages; the caller owns it. */
char *target_describe(const struct target *target);

/*
 * Fails when the target's database must not be created, dropped or reset: not named by the URL
 * (USAGE), or postgres, template0, template1 (REFUSED). verb: "drop", "reset", … for the message.
 */
int target_require_own_database(const struct target *target, const char *verb, struct err *err);

/* Fails with USAGE when the URL names no database at all. */
int target_require_database(const struct target *target, struct err *err);

void target_release(struct target *target);

#endif
