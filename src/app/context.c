#include "app/context.h"

#include "app/rds_host.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/project.h"
#include "base/strbuf.h"
#include "pg/conn_failure.h"
#include "sql/mask.h"
#include "term/out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_DEFAULT_SECONDS 60

static const char *opt_env_file;
static bool opt_no_env_file;
static bool opt_echo;
static const char *opt_maintenance_db;
static double opt_wait;

const struct option target_options[] = {
	{ .name = "wait",
		.type = OPTION_SECONDS,
		.value = &opt_wait,
		.argument = "SECONDS",
		.fallback = WAIT_DEFAULT_SECONDS,
		.help = "wait so long (60 without a number) for a server that is not there yet, is "
			"starting up or has no connection free" },
	{ 0 },
};

const struct option env_options[] = {
	{ .name = "env-file",
		.type = OPTION_STRING,
		.value = &opt_env_file,
		.argument = "FILE",
		.help = "read variables from FILE instead of .env in the project's root, whose "
			"URLs of production and DB_PROTECTED_TARGETS protect all the same" },
	{ .name = "no-env-file",
		.type = OPTION_FLAG,
		.value = &opt_no_env_file,
		.help = "read no .env file, but for what protects" },
	{ 0 },
};

const struct option maintenance_options[] = {
	{ .name = "maintenance-db",
		.type = OPTION_STRING,
		.value = &opt_maintenance_db,
		.argument = "NAME",
		.help = "the database to connect to meanwhile (postgres, else template1)" },
	{ 0 },
};

const struct option echo_options[] = {
	{ .name = "echo",
		.letter = 'e',
		.type = OPTION_FLAG,
		.value = &opt_echo,
		.help = "show the SQL that is sent, passwords masked" },
	{ 0 },
};

const struct variable target_variables[] = {
	{ "CONNECTION_URL",
		"Connection URL of the target local. DATABASE_URL is looked at next, then "
		"libpq's PG* variables, then the private local server is used." },
	{ "DATABASE_URL", "Connection URL of the target local when CONNECTION_URL is not set." },
	{ "PROD_CONNECTION_URL",
		"Connection URL of the target prod; PROD_DATABASE_URL is looked at "
		"next." },
	{ "NAME_CONNECTION_URL",
		"Connection URL of the target NAME, in upper case and with _ for -; "
		"NAME_DATABASE_URL is looked at next." },
	{ "DB_NAME_SUFFIX",
		"Appended to the name of the database, except on a protected target; see "
		"dbrig(7)." },
	{ "DB_DIR", "The project's directory of scripts, if it is not db." },
	{ "DB_SERVER_DIR", "Where the private local server lives; see db-server(1)." },
	{ "RDS_CA_BUNDLE", "CA bundle that RDS servers are verified with, instead of the one that "
			   "rds-ca-bundle installed." },
	{ "PROD_AUTH",
		"When it is iam, each connection to the target prod signs in with a fresh token of "
		"AWS's, made by rds-token. Likewise LOCAL_AUTH and NAME_AUTH." },
	{ "PGHOST", "This and libpq's other PG* variables hold for what a URL leaves open. A "
		    "command that changes a database wants its name in the URL." },
	{ 0 },
};

bool context_echo(void)
{
	return opt_echo;
}

static int find_project(struct context *context, struct err *err)
{
	const char *db_dir = getenv("DB_DIR");

	context->cwd = project_cwd(err);
	if (!context->cwd)
		return -1;
	if (db_dir && !*db_dir)
		db_dir = NULL;
	if (db_dir && db_dir[0] == '/') {
		size_t length = strlen(db_dir);
		char *slash;

		while (length > 1 && db_dir[length - 1] == '/')
			length--;
		context->db_dir = mem_strndup(db_dir, length);
		context->root = mem_strdup(context->db_dir);
		slash = strrchr(context->root, '/');
		slash[slash == context->root ? 1 : 0] = '\0';
		return 0;
	}
	context->root = project_find_root(context->cwd, db_dir);
	if (context->root)
		context->db_dir = path_join(context->root, db_dir ? db_dir : "db");
	return 0;
}

/* Where production is remains true: another file is to say where to connect, not that. */
static int read_aside(struct env *env, const char *path, struct err *err)
{
	if (env_read_aside(env, path, err) != 0)
		return -1;
	if (env->aside_trouble)
		out_warning("a URL of production that stands in \"%s\" may not be known: %s", path,
			env->aside_trouble);
	return 0;
}

int context_open_project(struct context *context, const struct run *run, struct err *err)
{
	CLEANUP(mem_cleanup) char *path = NULL;

	context->program = run->command->name;
	if (find_project(context, err) != 0)
		return -1;
	if (opt_env_file && opt_no_env_file)
		return err_set(err, ERR_USAGE, "--env-file and --no-env-file exclude each other");
	path = path_join(context->root ? context->root : context->cwd, ".env");
	if (!opt_env_file && !opt_no_env_file)
		return env_read(&context->env, path, true, err);
	if (read_aside(&context->env, path, err) != 0)
		return -1;
	return opt_env_file ? env_read(&context->env, opt_env_file, false, err) : 0;
}

int context_open(struct context *context, const struct run *run, struct err *err)
{
	const char *name = run->words.count > 0 ? run->words.items[0] : "local";
	CLEANUP(mem_cleanup) char *where = NULL;

	if (context_open_project(context, run, err) != 0 ||
		target_resolve(&context->target, name, &context->env, context->root, err) != 0)
		return -1;
	if (context->target.is_iam)
		iam_token_use(&context->token, context);
	where = target_describe(&context->target);
	if (context->target.is_private)
		out_detail("target %s: %s", name, where);
	else
		out_detail("target %s: %s, from %s", name, where, context->target.origin);
	return 0;
}

static void tell_progress(void *unused, const char *what)
{
	(void)unused;
	out_info("%s", what);
}

static void tell_waiting(void *unused, const struct err *reason)
{
	(void)unused;
	out_info("waiting: %s%s%s", reason->message, reason->detail ? ": " : "",
		reason->detail ? reason->detail : "");
}

static void tell_sql(const char *sql)
{
	CLEANUP(strbuf_release) struct strbuf masked = STRBUF_INIT;

	sql_mask(sql, strlen(sql), &masked);
	out_info("%s", masked.data);
}

static void tell_notice(void *unused, const struct notice *notice)
{
	(void)unused;
	if (strcmp(notice->severity, "WARNING") == 0)
		out_warning("%s", notice->message);
	else
		out_detail("%s: %s", notice->severity, notice->message);
}

static struct conn_options connection(const struct context *context)
{
	return (struct conn_options){
		.application = context->program,
		.database = context->target.database,
		.wait_seconds = context->at_once ? 0 : opt_wait,
		.notice = tell_notice,
		.waiting = tell_waiting,
		.trace = opt_echo ? tell_sql : NULL,
		.observer = context->observer,
	};
}

int context_ensure_server(struct context *context, struct err *err)
{
	struct target *target = &context->target;
	char port[16];

	if (!target->is_private)
		return 0;
	if (server_ensure(&target->server, tell_progress, NULL, err) != 0)
		return -1;
	/* One that was already running may listen elsewhere than a new one would. */
	snprintf(port, sizeof(port), "%d", target->server.port);
	params_set(&target->params, "host", target->server.socket_dir);
	params_set(&target->params, "port", port);
	return 0;
}

/* The URL's origin is what the user can change, so it belongs into the message. */
int context_explain(const struct context *context, struct err *err)
{
	/* Not about the server then. */
	if (context->token.failed)
		return -1;
	/* Nor here: nothing was connected. */
	if (err->kind == ERR_CONNECT && target_check_service(&context->target, err) != 0)
		return -1;
	rds_host_explain(context, err);
	if (err->kind == ERR_CONNECT && !context->target.is_private)
		err_detail_line(err, "The connection comes from %s.", context->target.origin);
	return -1;
}

/* libpq takes the user's name for the database's then; db-create does not. */
static void explain_nameless(const struct context *context, struct err *err)
{
	const struct target *target = &context->target;

	err_hint(err,
		"%s %s no database, and one named like the user was asked for: %s. db-create needs "
		"that too.",
		target->origin, target->from_libpq_variables ? "name" : "names",
		target->from_libpq_variables ? "set PGDATABASE"
					     : "add the name at the end of the URL, "
					       "postgresql://user@host:5432/database");
}

int context_connect(
	struct context *context, bool own_queries, struct conn **ret_conn, struct err *err)
{
	return context_connect_database(
		context, context->target.database, own_queries, ret_conn, err);
}

int context_connect_database(struct context *context, const char *database, bool own_queries,
	struct conn **ret_conn, struct err *err)
{
	struct conn_options options = connection(context);

	options.database = database;
	options.own_queries = own_queries;
	if (context_ensure_server(context, err) != 0)
		return -1;
	if (conn_open(&context->target.params, &options, ret_conn, err) == 0)
		return 0;
	if (!database && strcmp(err->sqlstate, CONN_STATE_NO_DATABASE) == 0)
		explain_nameless(context, err);
	return context_explain(context, err);
}

double context_wait_seconds(void)
{
	return opt_wait;
}

int context_wait(struct context *context, struct err *err)
{
	CLEANUP(conn_cleanup) struct conn *conn = NULL;

	if (opt_wait > 0)
		return context_connect(context, true, &conn, err);
	return context_ensure_server(context, err);
}

int context_connect_maintenance(struct context *context, struct conn **ret_conn, struct err *err)
{
	struct conn_options options = connection(context);
	const char *database = context->target.database;

	if (opt_maintenance_db && database && strcmp(opt_maintenance_db, database) == 0)
		return err_set(err, ERR_USAGE,
			"--maintenance-db names \"%s\", the database to work on: name another",
			database);
	if (context_ensure_server(context, err) != 0)
		return -1;
	if (conn_open_maintenance(
		    &context->target.params, &options, opt_maintenance_db, ret_conn, err) != 0)
		return context_explain(context, err);
	return 0;
}

void context_release(struct context *context)
{
	env_release(&context->env);
	mem_free(context->cwd);
	mem_free(context->root);
	mem_free(context->db_dir);
	iam_token_release(&context->token);
	mem_free(context->protected_why);
	mem_free(context->unknown_why);
	target_release(&context->target);
	*context = (struct context)CONTEXT_INIT;
}
