#include "app/guard.h"
#include "app/steps.h"
#include "base/mem.h"
#include "pg/truncate.h"
#include "term/out.h"

static bool opt_truncate;

static const struct option seed_options[] = {
	{ .name = "truncate",
		.type = OPTION_FLAG,
		.value = &opt_truncate,
		.help = "empty all tables first, in the same transaction: when the seed fails, "
			"every row is as it was" },
	{ 0 },
};

static int find_scripts(struct context *context, struct scripts *scripts, struct err *err)
{
	if (scripts_find_seed(context, false, scripts, err) != 0)
		return -1;
	return opt_truncate ? scripts_insist(scripts, "--truncate", err) : 0;
}

static int list_seed(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	CLEANUP(scripts_release) struct scripts scripts = SCRIPTS_INIT;

	if (context_open_project(&context, run, err) != 0 ||
		find_scripts(&context, &scripts, err) != 0 ||
		step_list("db-seed", &scripts, err) != 0)
		return -1;
	if (opt_truncate)
		out_info("--truncate: before that, all tables would be emptied");
	return 0;
}

/* --- emptying the tables ---------------------------------------------------------------------- */

static struct guard guard_for(struct context *context, bool destroys)
{
	return (struct guard){ .context = context,
		.what = opt_truncate ? "empty the tables of" : "seed",
		.destroys = destroys,
		.loses = destroys };
}

/* Where there is a table to empty, a protected database needs the confirmation. */
static int confirm(struct context *context, struct conn *conn, const struct truncate_plan *plan,
	struct err *err)
{
	const struct guard guard = guard_for(context, plan->sql != NULL);

	if (guard_decide(&guard, conn, plan->comment, err) == 0)
		return 0;
	if (plan->sql)
		err_detail_line(err, "It has %zu table%s to empty.", plan->count,
			plan->count == 1 ? "" : "s");
	return -1;
}

static int seed_emptied(struct conn *conn, struct scripts *scripts,
	const struct truncate_plan *plan, struct err *err)
{
	CLEANUP(mem_cleanup)
	char *done = plan->sql ? mem_printf("emptied %zu table%s", plan->count,
					 plan->count == 1 ? "" : "s")
			       : mem_strdup("there was no table to empty");

	scripts->first = (struct load_first){ .sql = plan->sql, .doing = "emptying the tables" };
	scripts->first_done = done;
	if (step_scripts(conn, "db-seed", scripts, err) == 0)
		return 0;
	if (scripts->first_failed)
		truncate_explain(err);
	return -1;
}

/* --- the command ------------------------------------------------------------------------------ */

/* The first write to a target that is protected marks its database. */
static int seed(
	struct context *context, struct conn *conn, struct scripts *scripts, struct err *err)
{
	CLEANUP(truncate_release) struct truncate_plan plan = TRUNCATE_PLAN_INIT;
	int result;

	if (opt_truncate) {
		if (truncate_find(conn, &plan, err) != 0 || confirm(context, conn, &plan, err) != 0)
			return -1;
	} else if (database_comment(conn, context->target.database, &plan.comment, err) != 0) {
		return -1;
	}
	guard_mark(context, conn, plan.comment);
	result = opt_truncate ? seed_emptied(conn, scripts, &plan, err)
			      : step_scripts(conn, "db-seed", scripts, err);
	guard_keep_mark(context, plan.comment);
	return result;
}

static int run_seed(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	CLEANUP(scripts_release) struct scripts scripts = SCRIPTS_INIT;
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	const struct guard guard = guard_for(&context, opt_truncate);

	if (scripts_dry_run())
		return list_seed(run, err);
	if (context_open(&context, run, err) != 0 ||
		target_require_database(&context.target, err) != 0 ||
		guard_check(&guard, err) != 0 || find_scripts(&context, &scripts, err) != 0 ||
		scripts_check(&scripts, err) != 0 ||
		context_connect(&context, false, &conn, err) != 0)
		return -1;
	return seed(&context, conn, &scripts, err);
}

const struct command command = {
	.name = "db-seed",
	.summary = "load the seed data into the database of a target",
	.synopsis = "[options] [TARGET]",
	.options = (const struct option *const[]){ seed_options, script_options, script_run_options,
		guard_options, echo_options, target_options, env_options, NULL },
	.variables = (const struct variable *const[]){ guard_variables, target_variables, NULL },
	.examples =
		(const struct example[]){
			{ "db-seed",
				"runs db/seed.sql, or the files of db/seeds/, in one transaction" },
			{ "db-seed -f db/demo.sql", "runs that file instead" },
			{ "db-seed --truncate", "empties all tables first; both or none" },
			{ 0 },
		},
	.max_words = 1,
	.run = run_seed,
};
