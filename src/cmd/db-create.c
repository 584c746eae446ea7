#include "app/alias.h"
#include "app/half_made.h"
#include "app/heal.h"
#include "app/steps.h"

static struct database_create_options opt_create;

static const struct option create_options[] = {
	{ .name = "owner",
		.letter = 'O',
		.type = OPTION_STRING,
		.value = &opt_create.owner,
		.argument = "ROLE",
		.help = "the role that shall own the database" },
	{ .name = "template",
		.letter = 'T',
		.type = OPTION_STRING,
		.value = &opt_create.template,
		.argument = "NAME",
		.help = "the database to copy" },
	{ .name = "encoding",
		.letter = 'E',
		.type = OPTION_STRING,
		.value = &opt_create.encoding,
		.argument = "NAME",
		.help = "the database's encoding" },
	{ .name = "locale",
		.letter = 'l',
		.type = OPTION_STRING,
		.value = &opt_create.locale,
		.argument = "NAME",
		.help = "the database's locale" },
	{ 0 },
};

/* What a pooler's clients would never see is not left behind. */
static int check_way(struct context *context, struct conn *conn, struct err *err)
{
	CLEANUP(err_release) struct err own = ERR_INIT;
	bool dropped;

	if (alias_check(context, conn, false, err) == 0)
		return 0;
	if (err->kind == ERR_REFUSED &&
		database_drop(conn, context->target.database, NULL, false, &dropped, &own) != 0)
		err_detail_line(err, "The database that was made stays: %s.", own.message);
	return -1;
}

static int run_create(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	CLEANUP(siblings_release) struct siblings siblings = SIBLINGS_INIT;
	bool created;

	if (context_open(&context, run, err) != 0 ||
		target_require_own_database(&context.target, "create", err) != 0 ||
		target_check_new_name(context.target.database, err) != 0 ||
		context_connect_maintenance(&context, &conn, err) != 0 ||
		heal_locked(&context, conn, NULL, true, &siblings, err) != 0 ||
		(!siblings.may_create &&
			half_made_left(context.target.database, &siblings, err) != 0) ||
		step_create(conn, context.target.database, &opt_create, &created, err) != 0 ||
		(created && check_way(&context, conn, err) != 0))
		return -1;
	guard_mark(&context, conn, siblings.self.comment);
	return 0;
}

const struct command command = {
	.name = "db-create",
	.summary = "create the database of a target",
	.synopsis = "[options] [TARGET]",
	.options = (const struct option *const[]){ create_options, maintenance_options,
		echo_options, target_options, env_options, NULL },
	.variables = (const struct variable *const[]){ target_variables, NULL },
	.examples =
		(const struct example[]){
			{ "db-create", "creates the development database" },
			{ "db-create test --wait=30",
				"the one of TEST_CONNECTION_URL, once the server is up" },
			{ 0 },
		},
	.max_words = 1,
	.run = run_create,
};
