#include "app/guard.h"
#include "app/half_made.h"
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

/*
 * Emptying tables and a seed that destroys data need the confirmation on a protected database, one
 * that adds does not. What is not known beforehand is refused while it runs.
 */
static int confirm(struct guard *guard, struct conn *conn, struct scripts *scripts,
	const struct truncate_plan *plan, struct err *err)
{
	guard->destroys = guard->loses = guard->cause || plan->sql;
	scripts->unasked = !opt_truncate && !guard->destroys && !scripts->unforeseen &&
			   !guard_has_confirmation();
	if (!scripts->unasked && guard_decide(guard, conn, plan->comment, err) != 0) {
		if (plan->sql)
			err_detail_line(err, "It has %zu table%s to empty.", plan->count,
				plan->count == 1 ? "" : "s");
		return -1;
	}
	guard_foresee(guard, &scripts->refusal);
	return 0;
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

static int seed(struct guard *guard, struct conn *conn, struct scripts *scripts, struct err *err)
{
	CLEANUP(truncate_release) struct truncate_plan plan = TRUNCATE_PLAN_INIT;
	int result = opt_truncate ? truncate_find(conn, &plan, err)
				  : database_comment(conn, NULL, &plan.comment, err);

	if (result != 0 || half_made_refuse(conn, plan.comment, err) != 0 ||
		confirm(guard, conn, scripts, &plan, err) != 0)
		return -1;
	/* The first write to a target that is protected marks its database. */
	guard_mark(guard->context, conn, plan.comment);
	result = opt_truncate ? seed_emptied(conn, scripts, &plan, err)
			      : step_scripts(conn, "db-seed", scripts, err);
	guard_keep_mark(guard->context, conn, plan.comment);
	return result;
}

static int run_seed(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	CLEANUP(scripts_release) struct scripts scripts = SCRIPTS_INIT;
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	CLEANUP(mem_cleanup) char *cause = NULL;
	struct guard guard = { .context = &context };

	if (scripts_dry_run())
		return list_seed(run, err);
	if (context_open(&context, run, err) != 0 ||
		target_require_database(&context.target, err) != 0 ||
		find_scripts(&context, &scripts, err) != 0 || scripts_check(&scripts, err) != 0)
		return -1;
	guard.cause = cause = scripts_cause(&scripts);
	guard.destroys = opt_truncate || cause;
	guard.what = opt_truncate ? "empty the tables of" : "run a seed that destroys data in";
	if (!guard.destroys && !scripts.unforeseen)
		guard.what = "seed";
	scripts.judge = guard_judge(&context);
	if (guard_check(&guard, err) != 0 || context_connect(&context, false, &conn, err) != 0)
		return -1;
	return seed(&guard, conn, &scripts, err);
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
