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
	bool is_listed;            /* in DB_PROTECTED_TARGETS */
	bool is_iam;               /* NAME_AUTH=iam: the password is a token of AWS's */
	char *project_ca; /* what in .env names the CA of an RDS host, for messages; NULL: nothing
			   */
	struct server server;
};

#define TARGET_INIT                                                                                \
	{                                                                                          \
		0                                                                                  \
	}

/* One server of a target; of several hosts it is the first. */
struct target_endpoint {
	char *host;    /* hostaddr's where the URL names that only; NULL: neither */
	char *address; /* hostaddr, the way to host; NULL: by the name itself */
	int port;
	char *user;   /* NULL: not named */
	bool several; /* there are more hosts */
};

#define TARGET_ENDPOINT_INIT                                                                       \
	{                                                                                          \
		.port = 5432                                                                       \
	}

/*
 * Resolves a target. project_root (may be NULL: no project) is needed for the private local server
 * only. Nothing is connected or started. Fails with USAGE: a name that is none, no variable set
 * (the message lists those that were looked at), a URL that is not valid, an RDS host without a CA
 * bundle, NAME_AUTH=iam where no token can be used. With is_iam the caller sets params.source.
 */
int target_resolve(struct target *target, const char *name, const struct env *env,
	const char *project_root, struct err *err);

/* The same by that URL, whether or not it is the one that target_resolve takes; NULL: that one, but
 * not the private local server. */
int target_resolve_value(struct target *target, const char *name, const struct env *env,
	const struct env_value *url, struct err *err);

/*
 * The part of it that reads: what the URL says, also where nothing could be connected to by it.
 * name and is_listed are set, unless name is none, when it fails.
 */
int target_read_value(struct target *target, const char *name, const struct env *env,
	const struct env_value *url, struct err *err);

/*
 * The target local as the project's private local server, whatever the variables say. Fails with
 * USAGE as target_resolve does.
 */
int target_use_private(
	struct target *target, const struct env *env, const char *project_root, struct err *err);

/*
 * Where the target's URL points, without what a connection needs besides (a CA bundle, a running
 * server): for commands that talk about the server, not to it. Fails with USAGE as target_resolve
 * does.
 */
int target_endpoint(const char *name, const struct env *env, struct target_endpoint *ret_endpoint,
	struct err *err);

/* Usable as a CLEANUP handler. */
void target_endpoint_release(struct target_endpoint *endpoint);

/* True when a host of the target is an endpoint of Amazon RDS. */
bool target_is_rds(const struct target *target);

/* The variable that says how a target signs in, PROD_AUTH or LOCAL_AUTH; the caller owns it. */
char *target_auth_variable(const char *name);

/* The variable that says how a pooler shares its sessions: PROD_POOL_MODE; the caller owns it. */
char *target_pool_mode_variable(const char *name);

/*
 * The path of the CA bundle that PGSSLROOTCERT or RDS_CA_BUNDLE names, which in .env is relative to
 * that file's directory; the caller owns it. NULL: not set. *ret_file (may be NULL) as by env_get.
 */
char *target_ca_variable(const struct env *env, const char *variable, const char **ret_file);

/*
 * Where rds-ca-bundle installs the CA bundle and target_resolve finds it; the caller owns the path.
 * NULL: there is neither XDG_DATA_HOME nor HOME.
 */
char *target_bundle_path(void);

/*
 * True when the target is protected by its name (protection_is_name) or listed in
 * DB_PROTECTED_TARGETS. What its server or its database says besides is app/guard's to find out.
 */
bool target_is_protected(const struct target *target);

/* "user@host:port/database", or the private server's name, for messages; the caller owns it. */
char *target_describe(const struct target *target);

/*
 * A connection URL or string where the name of something new is wanted fails with USAGE: the server
 * would take it, and show the password in it from then on.
 */
int target_check_new_name(const char *name, struct err *err);

/*
 * Fails when the target's database must not be created, dropped or reset: not named by the URL
 * (USAGE), or postgres, template0, template1, or one that dbrig keeps beside another (REFUSED).
 * verb: "drop", "reset", … for the message.
 */
int target_require_own_database(const struct target *target, const char *verb, struct err *err);

/*
 * Fails with USAGE where the URL, or PGSERVICE, names a service that libpq does not find: no
 * connection is then made anywhere.
 */
int target_check_service(const struct target *target, struct err *err);

/* Fails with USAGE when the URL names no database at all, or a service that is not found. */
int target_require_database(const struct target *target, struct err *err);

void target_release(struct target *target);

#endif
