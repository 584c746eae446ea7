#include "app/guard.h"
#include "app/half_made.h"
#include "app/steps.h"
#include "base/mem.h"

/* A schema script often begins with DROP: over what a protected database holds it needs the
 * confirmation, into an empty one it does not. */
static int check_objects(
	struct context *context, struct conn *conn, char **ret_comment, struct err *err)
{
	struct guard guard = { .context = context, .what = "load a schema over what is in" };
	CLEANUP(mem_cleanup) char *objects = NULL;

	if (database_objects(conn, &objects, ret_comment, err) != 0 ||
		half_made_refuse(conn, *ret_comment, err) != 0)
		return -1;
	guard.destroys = guard.loses = objects;
	if (guard_decide(&guard, conn, *ret_comment, err) != 0) {
		if (objects)
			err_detail_line(err, "It holds %s.", objects);
		return -1;
	}
	guard_mark(context, conn, *ret_comment);
	return 0;
}

static int list_schema(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	CLEANUP(scripts_release) struct scripts scripts = SCRIPTS_INIT;

	if (context_open_project(&context, run, err) != 0 ||
		scripts_find_schema(&context, &scripts, err) != 0)
		return -1;
	return step_list("db-schema-load", &scripts, err);
}

static int run_schema_load(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	CLEANUP(scripts_release) struct scripts scripts = SCRIPTS_INIT;
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	CLEANUP(mem_cleanup) char *comment = NULL;
	int result;

	if (scripts_dry_run())
		return list_schema(run, err);
	if (context_open(&context, run, err) != 0 ||
		target_require_database(&context.target, err) != 0 ||
		scripts_find_schema(&context, &scripts, err) != 0 ||
		scripts_check(&scripts, err) != 0 ||
		context_connect(&context, false, &conn, err) != 0 ||
		check_objects(&context, conn, &comment, err) != 0)
		return -1;
	scripts.judge = guard_judge(&context);
	result = step_scripts(conn, "db-schema-load", &scripts, err);
	guard_keep_mark(&context, conn, comment);
	return result;
}

const struct command command = {
	.name = "db-schema-load",
	.summary = "load the schema script into the database of a target",
	.synopsis = "[options] [TARGET]",
	.options = (const struct option *const[]){ script_options, script_run_options,
		guard_options, echo_options, target_options, env_options, NULL },
	.variables = (const struct variable *const[]){ guard_variables, target_variables, NULL },
	.examples =
		(const struct example[]){
			{ "db-schema-load", "runs db/schema.sql in one transaction" },
			{ "db-schema-load -f a.sql -f b.sql test",
				"runs both files on the target test" },
			{ "cat db/schema/*.sql | db-schema-load -f -",
				"loads what standard input gives" },
			{ "db-schema-load --set owner=app",
				"gives :owner, :'owner' and :\"owner\" in the script a value" },
			{ "db-schema-load --dry-run", "lists what it would run" },
			{ 0 },
		},
	.max_words = 1,
	.run = run_schema_load,
};
