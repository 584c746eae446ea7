#include "app/guard.h"
#include "app/heal.h"
#include "app/making.h"
#include "base/clock.h"
#include "base/mem.h"
#include "pg/database.h"
#include "term/json.h"
#include "term/out.h"

#include <string.h>

static bool opt_force, opt_json, opt_url;

static const struct option clone_options[] = {
	{ .name = "force",
		.letter = 'f',
		.type = OPTION_FLAG,
		.value = &opt_force,
		.help = "end the sessions that are connected to the target's database" },
	{ .name = "url",
		.type = OPTION_FLAG,
		.value = &opt_url,
		.help = "print the clone's connection URL, without the password" },
	{ .name = "json",
		.type = OPTION_FLAG,
		.value = &opt_json,
		.help = "print a JSON object with the clone's name and URL" },
	{ 0 },
};

/* What the server keeps for itself, or dbrig: a name of its siblings would be taken for one. */
static int check_name(const char *name, struct err *err)
{
	static const char *const maintenance[] = { "postgres", "template0", "template1" };

	if (!*name)
		return err_set(err, ERR_USAGE, "the new database's name is empty");
	if (target_check_new_name(name, err) != 0)
		return -1;
	if (strlen(name) > DATABASE_NAME_MAX)
		return err_set(err, ERR_USAGE,
			"the name \"%s\" has %zu bytes, more than the %d PostgreSQL keeps", name,
			strlen(name), DATABASE_NAME_MAX);
	if (strstr(name, ".dbrig-"))
		return err_set(err, ERR_USAGE,
			"the name \"%s\" is one that dbrig keeps for itself: it holds \".dbrig-\"",
			name);
	for (size_t i = 0; i < ARRAY_SIZE(maintenance); i++)
		if (strcmp(name, maintenance[i]) == 0)
			return err_set(err, ERR_REFUSED,
				"refusing to make the maintenance database \"%s\"", name);
	return 0;
}

static int check_free(struct conn *conn, const char *name, struct err *err)
{
	struct database_state state = { 0 };
	bool locked;

	if (database_try_lock(conn, name, &locked, err) != 0 ||
		database_inspect(conn, name, &state, err) != 0)
		return -1;
	if (!locked)
		return err_set(err, ERR_FAILED,
			"database \"%s\" is being made by another command just now", name);
	if (state.found)
		return err_set(err, ERR_FAILED, "database \"%s\" exists already", name);
	return 0;
}

/* *ret_url: the clone's, the caller's. */
static int clone(const struct guard *guard, const char *name, char **ret_url, struct err *err)
{
	struct context *context = guard->context;
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	CLEANUP(siblings_release) struct siblings siblings = SIBLINGS_INIT;
	const char *source = context->target.database;

	if (context_connect_maintenance(context, &conn, err) != 0 ||
		heal_locked(context, conn, guard, false, &siblings, err) != 0)
		return -1;
	if (!siblings.found)
		return err_set(err, ERR_FAILED, "database \"%s\" does not exist", source);
	/* Whether the copy is allowed is for the server to say: a template is anybody's. */
	siblings.self.is_owner = true;
	if (making_check(conn, &siblings, source, "clone", err) != 0 ||
		check_free(conn, name, err) != 0 ||
		making_warn(conn, source, "the clone", false, err) != 0 ||
		database_copy(conn, source, name, true, opt_force, err) != 0)
		return -1;
	*ret_url = conn_url(conn, &context->target.params, name);
	return 0;
}

static void print(const char *name, const char *url)
{
	json_t *object;

	if (opt_url)
		out_data("%s\n", url);
	if (!opt_json)
		return;
	object = json_object();
	json_object_set_new(object, "name", out_json_text(name));
	json_object_set_new(object, "url", out_json_text(url));
	out_json(object);
}

static int run_clone(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	CLEANUP(mem_cleanup) char *url = NULL;
	const struct guard guard = {
		.context = &context, .what = "end the sessions of", .destroys = opt_force
	};
	struct run shifted = *run;
	int64_t start = clock_us();
	const char *name;
	char elapsed[32];

	if (opt_json && opt_url)
		return err_set(err, ERR_USAGE, "--json and --url exclude each other");
	if (run->words.count == 0) {
		err_set(err, ERR_USAGE, "the new database's name is missing");
		err_hint(err, "db-clone NEWNAME, or db-clone TARGET NEWNAME.");
		return -1;
	}
	name = run->words.items[run->words.count - 1];
	shifted.words.count--;
	if (check_name(name, err) != 0 || context_open(&context, &shifted, err) != 0 ||
		target_require_own_database(&context.target, "clone", err) != 0 ||
		guard_check(&guard, err) != 0)
		return -1;
	out_step("db-clone");
	if (clone(&guard, name, &url, err) != 0)
		return -1;
	out_info("made database \"%s\", a copy of \"%s\" (%s)", name, context.target.database,
		clock_format(clock_us() - start, elapsed, sizeof(elapsed)));
	print(name, url);
	return 0;
}

const struct command command = {
	.name = "db-clone",
	.summary = "copy the database of a target under a new name",
	.synopsis = "[options] [TARGET] NEWNAME",
	.options = (const struct option *const[]){ clone_options, maintenance_options,
		guard_options, echo_options, target_options, env_options, NULL },
	.variables = (const struct variable *const[]){ guard_variables, target_variables, NULL },
	.examples =
		(const struct example[]){
			{ "db-clone shop_feature", "copies the development database" },
			{ "db-clone --force test shop_test_2",
				"ends the sessions that are connected to the one copied" },
			{ 0 },
		},
	.max_words = 2,
	.run = run_clone,
};
