/* What the commands share: the project, the environment, the target and connections to it. */
#ifndef APP_CONTEXT_H
#define APP_CONTEXT_H

#include "app/iam_token.h"
#include "base/env.h"
#include "cli/command.h"
#include "pg/conn.h"
#include "pg/protection.h"
#include "pg/target.h"

struct context {
	const char *program; /* the command's name, for application_name */
	struct env env;
	char *cwd;
	char *root;   /* the project's root; NULL: no project */
	char *db_dir; /* its db directory (DB_DIR); NULL: no project */
	struct target target;
	struct iam_token token; /* when target.is_iam: its password */
	/* Found out by app/guard: why the database is protected, NULL: it is not, or nobody has
	 * asked yet; and its mark. */
	char *protected_why;
	/* Whose URL may lead to the same database, and why that could not be found out; NULL. */
	char *unknown_why;
	enum protection_mark mark;
	bool mark_is_gone;                    /* that it had a mark is why it is protected */
	bool confirmed;                       /* by app/guard: that it is destroyed all the same */
	const struct conn_observer *observer; /* of connections; NULL: nobody */
	bool at_once;                         /* connections are tried once, whatever --wait says */
};

#define CONTEXT_INIT                                                                               \
	{                                                                                          \
		0                                                                                  \
	}

/* --env-file, --no-env-file: for every command. */
extern const struct option env_options[];

/* The options and variables of every command that has a target. */
extern const struct option target_options[];
extern const struct variable target_variables[];

/* --maintenance-db, for commands that create or drop a database. */
extern const struct option maintenance_options[];

/* -e/--echo, for commands that change something. */
extern const struct option echo_options[];

/* True with -e. */
bool context_echo(void);

/*
 * Reads .env, finds the project, resolves the target that the first word names (default: local).
 * The context must then stay where it is.
 */
int context_open(struct context *context, const struct run *run, struct err *err);

/*
 * Finds the project and reads .env, without a target: for commands that work on the project alone.
 */
int context_open_project(struct context *context, const struct run *run, struct err *err);

/*
 * Connects to the target's database, starting the private local server when that is the target;
 * waits as --wait says. own_queries: see pg/conn.h.
 */
int context_connect(
	struct context *context, bool own_queries, struct conn **ret_conn, struct err *err);

/* The same for another database of the target's server. */
int context_connect_database(struct context *context, const char *database, bool own_queries,
	struct conn **ret_conn, struct err *err);

/* Makes sure that the private local server runs when it is the target; otherwise does nothing. */
int context_ensure_server(struct context *context, struct err *err);

/*
 * Without connecting for itself: starts the private local server when that is the target, and with
 * --wait returns once the target accepts connections.
 */
int context_wait(struct context *context, struct err *err);

/* The same for the server's maintenance database, or the one that --maintenance-db names. */
int context_connect_maintenance(struct context *context, struct conn **ret_conn, struct err *err);

/* With --wait: how many seconds; 0: no waiting. */
double context_wait_seconds(void);

/*
 * Adds to the error of a connection to the target what is known of it here: what RDS has to do with
 * it, where the connection comes from. A service that libpq does not find makes it USAGE. Returns
 * -1.
 */
int context_explain(const struct context *context, struct err *err);

/* Usable as a CLEANUP handler. */
void context_release(struct context *context);

#endif
