#include "app/guard.h"
#include "app/steps.h"
#include "base/clock.h"
#include "term/out.h"

static bool opt_force;

static const struct option setup_options[] = {
	{ .name = "force",
		.letter = 'f',
		.type = OPTION_FLAG,
		.value = &opt_force,
		.help = "end the sessions that are connected to the database on the target prod "
			"too; "
			"elsewhere a reset always does" },
	{ 0 },
};

static void tell_lock(void *unused, const char *holder)
{
	(void)unused;
	out_info("waiting: another db-setup is resetting this database%s%s%s", holder ? " (" : "",
		holder ? holder : "", holder ? ")" : "");
}

/* Everything that would make a later step fail is found before the old database is dropped. */
static int check_server(
	struct conn *conn, const char *database, struct database_state *state, struct err *err)
{
	if (database_inspect(conn, database, state, err) != 0)
		return -1;
	if (state->in_recovery) {
		err_set(err, ERR_FAILED,
			"cannot reset database \"%s\": the server is a read-only standby",
			database);
		err_hint(err, "Use the URL of its primary.");
		return -1;
	}
	if (!state->may_create) {
		err_set(err, ERR_FAILED,
			"cannot reset database \"%s\": your role may not create "
			"databases",
			database);
		err_note_line(err, "Nothing was changed.");
		err_hint(err, "A superuser allows it with ALTER ROLE … CREATEDB.");
		return -1;
	}
	return 0;
}

/* What a failure leaves behind once the old database, if there was one, has been dropped. */
static int tell_left(const char *database, bool existed, const char *left, struct err *err)
{
	err_note_line(err, "%s \"%s\" %s.",
		existed ? "The old database is gone; the new database" : "Database", database,
		left);
	if (!err->hint && err->kind != ERR_INTERRUPTED)
		err_hint(err, "Mend the cause and run db-setup again.");
	return -1;
}

/* A signal may come too late, and a connection may be lost while the server goes on. */
static const char *what_create_left(struct conn *conn, const char *database, const struct err *err)
{
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	struct database_state state = { 0 };

	if (err->kind == ERR_CONNECT)
		return "may not have been created";
	if (err->kind == ERR_INTERRUPTED &&
		database_inspect(conn, database, &state, &ignored) == 0 && state.found)
		return "is empty";
	return "was not created";
}

/*
 * The schema may have set defaults for the database or the role, which only a new session has: the
 * seed shall see what it would see in a session of its own.
 */
static int renew_session(struct context *context, struct conn **conn, struct err *err)
{
	bool has_settings;

	if (database_has_settings(*conn, &has_settings, err) != 0)
		return -1;
	if (!has_settings)
		return 0;
	conn_close(take_ptr(*conn));
	return context_connect(context, false, conn, err);
}

/* *ret_left says what the database holds when this fails. */
static int load(struct context *context, struct scripts *schema, struct scripts *seed,
	const char **ret_left, struct err *err)
{
	CLEANUP(conn_cleanup) struct conn *conn = NULL;

	*ret_left = "is empty";
	if (context_connect(context, false, &conn, err) != 0)
		return -1;
	if (step_scripts(conn, "db-schema-load", schema, err) != 0) {
		if (!schema->transaction)
			*ret_left = "holds a part of the schema";
		else if (schema->commit_sent && err->kind != ERR_SQL)
			*ret_left = "may hold the schema";
		return -1;
	}
	if (seed->count == 0) {
		out_step("db-seed");
		out_info("no seed.sql and no seeds/*.sql, nothing to load");
		return 0;
	}
	*ret_left = "holds the schema and no seed data";
	if (renew_session(context, &conn, err) != 0)
		return -1;
	if (step_scripts(conn, "db-seed", seed, err) != 0) {
		if (!seed->transaction)
			*ret_left = "holds the schema and a part of the seed data";
		else if (seed->commit_sent && err->kind != ERR_SQL)
			*ret_left = "holds the schema and perhaps the seed data";
		return -1;
	}
	return 0;
}

static int reset(
	struct context *context, struct scripts *schema, struct scripts *seed, struct err *err)
{
	/* Held to the end: its lock keeps a second db-setup of this database waiting. */
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	const struct database_create_options options = { 0 };
	const char *database = context->target.database;
	const bool force = opt_force || !target_is_protected(&context->target);
	struct database_state state = { 0 };
	const char *left;

	if (context_connect_maintenance(context, &conn, err) != 0 ||
		database_lock(conn, database, tell_lock, NULL, err) != 0 ||
		check_server(conn, database, &state, err) != 0 ||
		step_drop(conn, database, &state, force, err) != 0)
		return -1;
	if (step_create(conn, database, &options, err) != 0)
		return tell_left(database, state.found, what_create_left(conn, database, err), err);
	if (load(context, schema, seed, &left, err) != 0)
		return tell_left(database, state.found, left, err);
	return 0;
}

static int list_scripts(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	CLEANUP(scripts_release) struct scripts schema = SCRIPTS_INIT;
	CLEANUP(scripts_release) struct scripts seed = SCRIPTS_INIT;

	if (context_open_project(&context, run, err) != 0 ||
		scripts_find_default(&context, &schema, &seed, err) != 0 ||
		step_list("db-schema-load", &schema, err) != 0)
		return -1;
	return step_list("db-seed", &seed, err);
}

static int run_setup(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	CLEANUP(scripts_release) struct scripts schema = SCRIPTS_INIT;
	CLEANUP(scripts_release) struct scripts seed = SCRIPTS_INIT;
	int64_t start = clock_us();
	char elapsed[32];

	if (scripts_dry_run())
		return list_scripts(run, err);
	if (context_open(&context, run, err) != 0 ||
		target_require_own_database(&context.target, "reset", err) != 0 ||
		guard_destroy(&context.target, "reset", err) != 0 ||
		scripts_find_default(&context, &schema, &seed, err) != 0 ||
		scripts_check(&schema, err) != 0 || scripts_check(&seed, err) != 0 ||
		reset(&context, &schema, &seed, err) != 0)
		return -1;
	out_step("done in %s", clock_format(clock_us() - start, elapsed, sizeof(elapsed)));
	return 0;
}

const struct command command = {
	.name = "db-setup",
	.summary = "reset the database of a target: drop, create, load the schema, seed",
	.synopsis = "[options] [TARGET]",
	.options = (const struct option *const[]){ setup_options, script_run_options,
		maintenance_options, guard_options, echo_options, target_options, env_options,
		NULL },
	.variables = (const struct variable *const[]){ target_variables, NULL },
	.examples =
		(const struct example[]){
			{ "db-setup", "resets the development database" },
			{ "db-setup test", "resets the one of TEST_CONNECTION_URL" },
			{ "db-setup prod --confirm shop",
				"destroys and remakes production's database \"shop\"" },
			{ 0 },
		},
	.max_words = 1,
	.run = run_setup,
};
