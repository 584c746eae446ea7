#include "app/background.h"
#include "app/copies.h"
#include "app/guard.h"
#include "app/reset.h"
#include "app/steps.h"
#include "base/clock.h"
#include "term/out.h"

static bool opt_force;
static bool opt_drop_first;

static const struct option setup_options[] = {
	{ .name = "force",
		.letter = 'f',
		.type = OPTION_FLAG,
		.value = &opt_force,
		.help = "end the sessions that are connected to the database on the target prod "
			"too; "
			"elsewhere a reset always does" },
	{ .name = "drop-first",
		.type = OPTION_FLAG,
		.value = &opt_drop_first,
		.help = "drop the old database before the new one is made: needs less disk, and a "
			"failure then leaves none" },
	{ 0 },
};

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
	const struct guard guard = { .context = &context,
		.what = "reset",
		.destroys = true,
		.loses = true,
		.clears = true };
	struct reset_options options = { .force = opt_force, .drop_first = opt_drop_first };
	int64_t start = clock_us();
	char elapsed[32];
	size_t copies;
	bool spare;

	if (copies_wanted(&copies, err) != 0)
		return -1;
	if (scripts_dry_run())
		return list_scripts(run, err);
	if (context_open(&context, run, err) != 0 ||
		target_require_own_database(&context.target, "reset", err) != 0 ||
		target_check_new_name(context.target.database, err) != 0 ||
		guard_check(&guard, err) != 0 ||
		cache_policy(&context, &options.policy, err) != 0 ||
		scripts_find_default(&context, &schema, &seed, err) != 0)
		return -1;
	schema.wants_inputs = seed.wants_inputs = options.policy.on;
	seed.definitions_run = true;
	schema.judge = seed.judge = guard_judge(&context);
	/* Whatever becomes of a load that fails, the reset is undone. */
	schema.at_once = seed.at_once = true;
	/* The next spare is made after the copies, which it would hold up. */
	spare = options.policy.spare;
	options.policy.spare = spare && copies == 0;
	if (scripts_check(&schema, err) != 0 || scripts_check(&seed, err) != 0 ||
		(copies > 0 && copies_check(&context, copies, err) != 0) ||
		reset_run(&guard, &schema, &seed, &options, err) != 0)
		return -1;
	if (copies > 0 && copies_make(&context, copies, err) != 0)
		return -1;
	if (out_finish(err) != 0)
		return -1;
	if (copies > 0 && spare && options.policy.on)
		background_start(&context, BACKGROUND_SPARE);
	out_step("done in %s", clock_format(clock_us() - start, elapsed, sizeof(elapsed)));
	return 0;
}

const struct command command = {
	.name = "db-setup",
	.summary = "reset the database of a target: a new one with schema and seed takes its place",
	.synopsis = "[options] [TARGET]",
	.options = (const struct option *const[]){ setup_options, copies_options, cache_options,
		script_run_options, maintenance_options, guard_options, echo_options,
		target_options, env_options, NULL },
	.variables = (const struct variable *const[]){ cache_variables, guard_variables,
		target_variables, NULL },
	.examples =
		(const struct example[]){
			{ "db-setup", "resets the development database" },
			{ "db-setup test", "resets the one of TEST_CONNECTION_URL" },
			{ "db-setup test --copies 4",
				"and makes four copies of it for tests in parallel" },
			{ "db-setup prod --confirm shop",
				"destroys and remakes production's database \"shop\"" },
			{ 0 },
		},
	.max_words = 1,
	.run = run_setup,
};
