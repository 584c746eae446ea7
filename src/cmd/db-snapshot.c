#include "app/guard.h"
#include "app/snapshot.h"
#include "base/clock.h"
#include "base/mem.h"
#include "term/json.h"
#include "term/out.h"
#include "term/table.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static bool opt_force, opt_replace, opt_undo, opt_json;

static const struct option snapshot_options[] = {
	{ .name = "force",
		.letter = 'f',
		.type = OPTION_FLAG,
		.value = &opt_force,
		.help = "save: end the sessions that are connected to the database; restore and "
			"undo do so on the target prod only with it, elsewhere always" },
	{ .name = "replace",
		.type = OPTION_FLAG,
		.value = &opt_replace,
		.help = "save: take the place of a snapshot of the same name" },
	{ .name = "undo",
		.type = OPTION_FLAG,
		.value = &opt_undo,
		.help = "drop: the one that the last restore has kept, instead of a NAME" },
	{ .name = "json",
		.type = OPTION_FLAG,
		.value = &opt_json,
		.help = "list: print a JSON array instead of a table" },
	{ 0 },
};

/* What a verb is given: names, then at most the target. */
struct request {
	struct context *context;
	struct snapshot_session *session;
	const char *const *names;
};

/* --- verbs ---------------------------------------------------------------------------------------
 */

static bool force(const struct request *request)
{
	return opt_force || !guard_protects(request->context);
}

static void tell_carried(const struct request *request)
{
	if (request->session->carried)
		out_info("database \"%s\" is protected now, as what is in it was",
			request->session->database);
	if (request->session->stayed)
		out_info("database \"%s\" stays protected, which what is in it was not",
			request->session->database);
}

static int run_save(struct request *request, struct err *err)
{
	const struct target *target = &request->context->target;
	const struct guard guard = { .context = request->context,
		.what = opt_replace ? "replace a snapshot of" : "end the sessions of",
		.destroys = opt_replace || opt_force };
	const struct snapshot_loss loss = { .name = opt_replace ? request->names[0] : NULL };
	int64_t start = clock_us();
	char elapsed[32];

	if (target_check_new_name(request->names[0], err) != 0 ||
		snapshot_check_name(request->names[0], err) != 0 ||
		target_require_own_database(target, "save", err) != 0 ||
		guard_check(&guard, err) != 0 ||
		snapshot_open(request->session, &guard, &loss, err) != 0 ||
		snapshot_save(request->session, request->names[0], opt_replace, opt_force, err) !=
			0)
		return -1;
	out_info("saved database \"%s\" as snapshot \"%s\" (%s)", target->database,
		request->names[0], clock_format(clock_us() - start, elapsed, sizeof(elapsed)));
	return 0;
}

static int run_restore(struct request *request, struct err *err)
{
	const struct target *target = &request->context->target;
	const struct guard guard = {
		.context = request->context, .what = "restore", .destroys = true, .loses = true
	};
	const struct snapshot_loss loss = { .undo = true };
	int64_t start = clock_us();
	char elapsed[32];
	bool existed;

	if (snapshot_check_name(request->names[0], err) != 0 ||
		target_require_own_database(target, "restore", err) != 0 ||
		guard_check(&guard, err) != 0 ||
		snapshot_open(request->session, &guard, &loss, err) != 0)
		return -1;
	existed = request->session->siblings.found;
	if (snapshot_restore(request->session, request->names[0], force(request), err) != 0)
		return -1;
	out_info("restored database \"%s\" from snapshot \"%s\" (%s)", target->database,
		request->names[0], clock_format(clock_us() - start, elapsed, sizeof(elapsed)));
	tell_carried(request);
	if (existed && request->session->siblings.found)
		out_info("db-snapshot undo brings back what it was before");
	return 0;
}

static int run_undo(struct request *request, struct err *err)
{
	const struct target *target = &request->context->target;
	const struct guard guard = { .context = request->context,
		.what = "undo the restore of",
		.destroys = true,
		.loses = true };
	int64_t start = clock_us(), at;
	char elapsed[32], age[32];

	if (target_require_own_database(target, "undo the restore of", err) != 0 ||
		guard_check(&guard, err) != 0 ||
		snapshot_open(request->session, &guard, NULL, err) != 0 ||
		snapshot_undo(request->session, force(request), &at, err) != 0)
		return -1;
	out_info("database \"%s\" is back as it was %s ago (%s); db-snapshot undo changes it back",
		target->database, clock_format_age((int64_t)time(NULL) - at, age, sizeof(age)),
		clock_format(clock_us() - start, elapsed, sizeof(elapsed)));
	tell_carried(request);
	return 0;
}

static int run_drop(struct request *request, struct err *err)
{
	const char *name = opt_undo ? NULL : request->names[0];
	const struct guard guard = {
		.context = request->context, .what = "drop a snapshot of", .destroys = true
	};
	const struct snapshot_loss loss = { .name = name, .undo = !name };

	if ((name && snapshot_check_name(name, err) != 0) ||
		target_require_own_database(&request->context->target, "drop a snapshot of", err) !=
			0 ||
		guard_check(&guard, err) != 0 ||
		snapshot_open(request->session, &guard, &loss, err) != 0 ||
		snapshot_drop(request->session, name, err) != 0)
		return -1;
	if (name)
		out_info("dropped snapshot \"%s\" of database \"%s\"", name,
			request->session->database);
	else
		out_info("dropped what the last restore of database \"%s\" had kept",
			request->session->database);
	return 0;
}

static int run_rename(struct request *request, struct err *err)
{
	const char *name = request->names[0], *new_name = request->names[1];
	const struct guard guard = { .context = request->context, .what = "rename a snapshot of" };

	if (snapshot_check_name(name, err) != 0 || target_check_new_name(new_name, err) != 0 ||
		snapshot_check_name(new_name, err) != 0 ||
		target_require_own_database(
			&request->context->target, "rename a snapshot of", err) != 0 ||
		guard_check(&guard, err) != 0 ||
		snapshot_open(request->session, &guard, NULL, err) != 0 ||
		snapshot_rename(request->session, name, new_name, err) != 0)
		return -1;
	out_info("snapshot \"%s\" of database \"%s\" is now \"%s\"", name,
		request->session->database, new_name);
	return 0;
}

/* --- list ----------------------------------------------------------------------------------------
 */

static void format_size(int64_t bytes, char *buffer, size_t size)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	double value = (double)bytes;
	size_t i = 0;

	for (; i + 1 < ARRAY_SIZE(units) && value >= 1000; i++)
		value /= 1000;
	snprintf(buffer, size, "%.*f %s", i ? 1 : 0, value, units[i]);
}

static void format_time(int64_t at, char *buffer, size_t size)
{
	time_t seconds = (time_t)at;
	struct tm parts;

	*buffer = '\0';
	if (at != 0 && gmtime_r(&seconds, &parts))
		strftime(buffer, size, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

static int64_t age_of(const struct mark *mark)
{
	int64_t age = (int64_t)time(NULL) - mark->at;

	return age > 0 ? age : 0;
}

static bool is_protected(const struct sibling *sibling)
{
	return protection_read(sibling->comment, NULL) == PROTECTION_MARKED;
}

static void add_row(struct table *table, const struct sibling *sibling, int64_t bytes)
{
	const struct mark *mark = &sibling->mark;
	CLEANUP(mem_cleanup)
	char *who = mem_printf("%s%s%s", mark->user ? mark->user : "", mark->host ? " on " : "",
		mark->host ? mark->host : "");
	char size[32] = "", age[32] = "";

	if (bytes >= 0)
		format_size(bytes, size, sizeof(size));
	if (mark->at != 0)
		clock_format_age(age_of(mark), age, sizeof(age));
	table_cell(table, mark->undo ? "(undo)" : mark->tag);
	table_cell(table, size);
	table_cell(table, age);
	table_cell(table, who);
	table_cell(table, sibling->name);
	table_cell(table, is_protected(sibling) ? "yes" : "");
}

static json_t *json_row(const struct sibling *sibling, int64_t bytes)
{
	const struct mark *mark = &sibling->mark;
	json_t *object = json_object();
	char at[32];

	format_time(mark->at, at, sizeof(at));
	json_object_set_new(object, "name", out_json_text(mark->undo ? NULL : mark->tag));
	json_object_set_new(object, "undo", json_boolean(mark->undo));
	json_object_set_new(object, "bytes", bytes >= 0 ? json_integer(bytes) : json_null());
	json_object_set_new(object, "at", out_json_text(*at ? at : NULL));
	json_object_set_new(
		object, "age_seconds", mark->at != 0 ? json_integer(age_of(mark)) : json_null());
	json_object_set_new(object, "user", out_json_text(mark->user));
	json_object_set_new(object, "host", out_json_text(mark->host));
	json_object_set_new(object, "database", out_json_text(sibling->name));
	json_object_set_new(object, "protected", json_boolean(is_protected(sibling)));
	return object;
}

/* Bytes, or -1 where the role may not know. */
static int size_of(struct conn *conn, const char *name, int64_t *ret_bytes, struct err *err)
{
	if (database_size(conn, name, ret_bytes, err) == 0)
		return 0;
	if (err->kind != ERR_FAILED)
		return -1;
	err_release(err);
	*ret_bytes = -1;
	return 0;
}

static int run_list(struct request *request, struct err *err)
{
	static const char *const headers[] = { "name", "size", "age", "by", "database",
		"protected" };
	CLEANUP(table_cleanup) struct table *table = table_new(headers, ARRAY_SIZE(headers));
	struct snapshot_session *session = request->session;
	json_t *array = NULL;
	size_t count = 0;

	if (target_require_database(&request->context->target, err) != 0 ||
		snapshot_look(session, request->context, err) != 0)
		return -1;
	array = json_array();
	for (size_t i = 0; i < session->siblings.count; i++) {
		const struct sibling *sibling = &session->siblings.items[i];
		int64_t bytes;

		if (sibling->mark.kind != MARK_SNAPSHOT)
			continue;
		if (size_of(session->conn, sibling->name, &bytes, err) != 0) {
			json_decref(array);
			return -1;
		}
		add_row(table, sibling, bytes);
		json_array_append_new(array, json_row(sibling, bytes));
		count++;
	}
	if (count == 0)
		out_info("there is no snapshot of database \"%s\"", session->database);
	else if (!opt_json)
		table_print(table);
	if (opt_json)
		out_json(array);
	else
		json_decref(array);
	return 0;
}

/* --- the command ---------------------------------------------------------------------------------
 */

static const struct verb {
	const char *name;
	size_t names;
	int (*run)(struct request *request, struct err *err);
	bool changes;
} verbs[] = {
	{ "save", 1, run_save, true },
	{ "restore", 1, run_restore, true },
	{ "undo", 0, run_undo, true },
	{ "list", 0, run_list, false },
	{ "drop", 1, run_drop, true },
	{ "rename", 2, run_rename, true },
};

static int usage(struct err *err)
{
	err_hint(err,
		"It is save NAME, restore NAME, undo, list, drop NAME or rename NAME NEWNAME, "
		"and then the target.");
	return -1;
}

static int find_verb(const struct run *run, const struct verb **ret_verb, struct err *err)
{
	if (run->words.count == 0) {
		err_set(err, ERR_USAGE, "nothing to do was named");
		return usage(err);
	}
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(run->words.items[0], verbs[i].name) == 0) {
			*ret_verb = &verbs[i];
			return 0;
		}
	err_set(err, ERR_USAGE, "\"%s\" is not a command of db-snapshot", run->words.items[0]);
	return usage(err);
}

static int check_words(
	const struct run *run, const struct verb *verb, size_t names, struct err *err)
{
	if ((opt_replace && verb->run != run_save) || (opt_undo && verb->run != run_drop) ||
		(opt_json && verb->run != run_list))
		return err_set(
			err, ERR_USAGE, "--replace is for save, --undo for drop, --json for list");
	if (opt_force &&
		(verb->run == run_list || verb->run == run_drop || verb->run == run_rename))
		return err_set(
			err, ERR_USAGE, "%s ends no sessions: --force is not for it", verb->name);
	if (run->words.count < 1 + names) {
		err_set(err, ERR_USAGE, "%s needs a name", verb->name);
		return usage(err);
	}
	if (run->words.count > 2 + names) {
		err_set(err, ERR_USAGE, "unexpected \"%s\"", run->words.items[2 + names]);
		return usage(err);
	}
	return 0;
}

static int run_snapshot(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	CLEANUP(snapshot_close) struct snapshot_session session = { 0 };
	struct request request = { .context = &context, .session = &session };
	struct run shifted = *run;
	const struct verb *verb;
	size_t names;

	if (find_verb(run, &verb, err) != 0)
		return -1;
	names = opt_undo ? 0 : verb->names;
	if (check_words(run, verb, names, err) != 0)
		return -1;
	request.names = (const char *const *)run->words.items + 1;
	/* What is left is the target. */
	shifted.words.items += 1 + names;
	shifted.words.count -= 1 + names;
	if (context_open(&context, &shifted, err) != 0)
		return -1;
	if (verb->changes)
		out_step("db-snapshot %s", verb->name);
	return verb->run(&request, err);
}

const struct command command = {
	.name = "db-snapshot",
	.summary = "keep named copies of a target's database, and bring them back",
	.synopsis = "[options] save|restore|drop NAME [TARGET] | rename NAME NEWNAME [TARGET] | "
		    "list|undo [TARGET]",
	.options = (const struct option *const[]){ snapshot_options, maintenance_options,
		guard_options, echo_options, target_options, env_options, NULL },
	.variables = (const struct variable *const[]){ guard_variables, target_variables, NULL },
	.examples =
		(const struct example[]){
			{ "db-snapshot save 'before the migration'",
				"keeps the development database as it is" },
			{ "db-snapshot restore 'before the migration'", "brings that state back" },
			{ "db-snapshot undo", "changes the restore back" },
			{ "db-snapshot list --json test", "what is kept of another target" },
			{ 0 },
		},
	.max_words = 4,
	.run = run_snapshot,
};
