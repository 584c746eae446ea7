#include "app/guard.h"
#include "app/heal.h"
#include "app/known_marks.h"
#include "app/steps.h"

static bool opt_force;

static const struct option drop_options[] = {
	{ .name = "force",
		.letter = 'f',
		.type = OPTION_FLAG,
		.value = &opt_force,
		.help = "end the sessions that are connected to the database" },
	{ 0 },
};

static int run_drop(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	CLEANUP(siblings_release) struct siblings siblings = SIBLINGS_INIT;
	const struct guard guard = {
		.context = &context, .what = "drop", .destroys = true, .loses = true, .clears = true
	};

	if (context_open(&context, run, err) != 0 ||
		target_require_own_database(&context.target, "drop", err) != 0 ||
		guard_check(&guard, err) != 0 ||
		context_connect_maintenance(&context, &conn, err) != 0 ||
		heal_locked(&context, conn, &guard, false, &siblings, err) != 0 ||
		step_drop(conn, context.target.database, NULL, opt_force, err) != 0)
		return -1;
	if (context.confirmed)
		known_marks_dropped(
			&context, conn, siblings_get(&siblings, MARK_SNAPSHOT, NULL) != NULL);
	return drop_kept(conn, &siblings, err);
}

const struct command command = {
	.name = "db-drop",
	.summary = "drop the database of a target",
	.synopsis = "[options] [TARGET]",
	.options = (const struct option *const[]){ drop_options, maintenance_options, guard_options,
		echo_options, target_options, env_options, NULL },
	.variables = (const struct variable *const[]){ guard_variables, target_variables, NULL },
	.examples =
		(const struct example[]){
			{ "db-drop",
				"drops the development database; lists the sessions in its way" },
			{ "db-drop --force", "ends those sessions" },
			{ "db-drop prod --confirm shop", "drops production's database \"shop\"" },
			{ 0 },
		},
	.max_words = 1,
	.run = run_drop,
};
