#include "app/guard.h"
#include "app/steps.h"
#include "base/mem.h"

static int list_seed(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	CLEANUP(scripts_release) struct scripts scripts = SCRIPTS_INIT;

	if (context_open_project(&context, run, err) != 0 ||
		scripts_find_seed(&context, false, &scripts, err) != 0)
		return -1;
	return step_list("db-seed", &scripts, err);
}

/* The first write to a target that is protected marks its database. */
static int mark(struct context *context, struct conn *conn, char **ret_comment, struct err *err)
{
	if (database_comment(conn, context->target.database, ret_comment, err) != 0)
		return -1;
	guard_mark(context, conn, *ret_comment);
	return 0;
}

static int run_seed(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	CLEANUP(scripts_release) struct scripts scripts = SCRIPTS_INIT;
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	CLEANUP(mem_cleanup) char *comment = NULL;
	int result;

	if (scripts_dry_run())
		return list_seed(run, err);
	if (context_open(&context, run, err) != 0 ||
		target_require_database(&context.target, err) != 0 ||
		scripts_find_seed(&context, false, &scripts, err) != 0 ||
		scripts_check(&scripts, err) != 0 ||
		context_connect(&context, false, &conn, err) != 0 ||
		mark(&context, conn, &comment, err) != 0)
		return -1;
	result = step_scripts(conn, "db-seed", &scripts, err);
	guard_keep_mark(&context, comment);
	return result;
}

const struct command command = {
	.name = "db-seed",
	.summary = "load the seed data into the database of a target",
	.synopsis = "[options] [TARGET]",
	.options = (const struct option *const[]){ script_options, script_run_options, echo_options,
		target_options, env_options, NULL },
	.variables = (const struct variable *const[]){ target_variables, NULL },
	.examples =
		(const struct example[]){
			{ "db-seed",
				"runs db/seed.sql, or the files of db/seeds/, in one transaction" },
			{ "db-seed -f db/demo.sql", "runs that file instead" },
			{ 0 },
		},
	.max_words = 1,
	.run = run_seed,
};
