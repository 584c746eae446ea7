#include "app/reset_internal.h"

#include "app/background.h"
#include "app/heal.h"
#include "app/steps.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "pg/database.h"
#include "term/out.h"

#include <stdio.h>
#include <string.h>

/* How long undoing waits for a server that is starting again. */
#define UNDO_WAIT_SECONDS 10

struct mark reset_mark(const struct reset *reset, enum mark_kind kind)
{
	struct mark mark = { .kind = kind, .of = mem_strdup(reset->database) };

	mark_sign(&mark);
	return mark;
}

int reset_open(struct reset *reset, struct err *err)
{
	return reset->work ? 0 : context_connect(reset->context, false, &reset->work, err);
}

void reset_close(struct reset *reset)
{
	conn_close(take_ptr(reset->work));
}

static void reset_cleanup(struct reset *reset)
{
	reset_close(reset);
	conn_close(take_ptr(reset->conn));
	siblings_release(&reset->siblings);
	mem_free(reset->schema_varying);
	mem_free(reset->seed_varying);
}

static char *drop_name(const char *database, uint32_t oid)
{
	char tag[16];

	snprintf(tag, sizeof(tag), "%08x", oid);
	return sibling_name(database, MARK_DROP, tag, false);
}

/* --- before anything is changed ----------------------------------------------------------------
 */

static int refuse(const struct reset *reset, const char *why, const char *hint, struct err *err)
{
	err_set(err, ERR_FAILED, "cannot reset database \"%s\": %s", reset->database, why);
	err_note_line(err, "Nothing was changed.");
	err_hint(err, "%s", hint);
	return -1;
}

/* Everything that would make a later step fail is found before something is changed. */
static int check_server(struct reset *reset, struct err *err)
{
	struct database_state state = { 0 };

	if (database_inspect(reset->conn, reset->database, &state, err) != 0)
		return -1;
	if (state.in_recovery)
		return refuse(reset, "the server is a read-only standby",
			"Use the URL of its primary.", err);
	if (!state.may_create)
		return refuse(reset, "your role may not create databases",
			"A superuser allows it with ALTER ROLE … CREATEDB.", err);
	if (state.found && state.is_template)
		return refuse(reset, "it is a template",
			"ALTER DATABASE … IS_TEMPLATE false makes it an ordinary one.", err);
	if (state.found && !state.is_owner)
		return refuse(reset, "you are not its owner",
			"ALTER DATABASE … OWNER TO gives it to your role.", err);
	return 0;
}

/* What is neither a database to come back to nor in anybody's use. */
static int clear_way(struct reset *reset, struct err *err)
{
	CLEANUP(mem_cleanup)
	char *new_name = sibling_name(reset->database, MARK_NEW, NULL, false);
	const struct sibling *old = siblings_get(&reset->siblings, MARK_OLD, NULL);
	bool dropped;

	for (size_t i = 0; i < reset->siblings.count; i++)
		if (strcmp(reset->siblings.items[i].name, new_name) == 0 &&
			database_drop(reset->conn, new_name, NULL, true, &dropped, err) != 0)
			return -1;
	/* The user has replaced it (app/heal.h), and said now that all may go. */
	if (old && database_drop(reset->conn, old->name, NULL, true, &dropped, err) != 0)
		return -1;
	if (!reset->had_old)
		return 0;
	if (!reset->siblings.self.invalid && !reset->options->drop_first)
		return 0;
	reset->had_old = false;
	return step_drop(reset->conn, reset->database, NULL, reset->options->force, err);
}

static int begin(struct reset *reset, struct err *err)
{
	const struct mark *mark = &reset->siblings.self.mark;

	if (context_connect_maintenance(reset->context, &reset->conn, err) != 0 ||
		heal_locked(reset->conn, reset->database, &reset->siblings, err) != 0 ||
		check_server(reset, err) != 0)
		return -1;
	reset->had_old = reset->siblings.found;
	reset->caching = reset->options->policy.on && !reset->schema->inputs.obstacle;
	if (reset->options->policy.on && reset->schema->inputs.obstacle)
		out_detail("no copy is kept: %s", reset->schema->inputs.obstacle);
	if (reset->caching &&
		cache_keys(reset->conn, reset->schema, reset->seed, &reset->keys, err) != 0)
		return -1;
	reset->again = reset->caching && mark->kind == MARK_MADE &&
		       strcmp(mark->key, reset->keys.full) == 0;
	return clear_way(reset, err);
}

/* --- giving the new database its name ------------------------------------------------------------
 */

/*
 * One transaction: the old database is put aside, or is already one to drop when nothing is left to
 * be loaded, and the new one gets the name.
 */
static int exchange(struct reset *reset, const char *new_name, uint32_t new_oid,
	const char *comment, bool complete, struct err *err)
{
	const struct sibling *self = &reset->siblings.self;
	CLEANUP(mark_release)
	struct mark old_mark = reset_mark(reset, complete ? MARK_DROP : MARK_OLD);
	CLEANUP(mark_release)
	struct mark new_mark = reset_mark(reset, complete ? MARK_MADE : MARK_LOADING);
	CLEANUP(mem_cleanup)
	char *old_name = complete ? drop_name(reset->database, self->oid)
				  : sibling_name(reset->database, MARK_OLD, NULL, false);
	struct database_change changes[2] = { DATABASE_CHANGE_INIT, DATABASE_CHANGE_INIT };
	size_t count = 0;

	old_mark.oid = new_oid;
	if (self->mark.kind == MARK_MADE) {
		memcpy(old_mark.key, self->mark.key, sizeof(old_mark.key));
		memcpy(old_mark.base, self->mark.base, sizeof(old_mark.base));
	}
	if (complete) {
		memcpy(new_mark.key, reset->keys.full, sizeof(new_mark.key));
		memcpy(new_mark.base, reset->keys.schema, sizeof(new_mark.base));
		new_mark.seeded = true;
	}
	if (reset->had_old) {
		changes[count].name = reset->database;
		changes[count].new_name = old_name;
		changes[count].mark = &old_mark;
		changes[count++].comment = self->comment;
	}
	changes[count].name = new_name;
	changes[count].new_name = reset->database;
	changes[count].mark = &new_mark;
	changes[count].comment = comment;
	changes[count++].allow_connections = 1;
	return databases_change(reset->conn, changes, count, reset->options->force, err);
}

/* The same transaction for the end of a load: the new database is complete. */
static int complete(struct reset *reset, struct err *err)
{
	CLEANUP(siblings_release) struct siblings now = SIBLINGS_INIT;
	CLEANUP(mark_release) struct mark drop = reset_mark(reset, MARK_DROP);
	CLEANUP(mark_release) struct mark made = reset_mark(reset, MARK_MADE);
	CLEANUP(mem_cleanup) char *name = NULL;
	struct database_change changes[2] = { DATABASE_CHANGE_INIT, DATABASE_CHANGE_INIT };
	const struct sibling *old;
	struct cache_keys keys;
	size_t count = 1;

	if (siblings_find(reset->conn, reset->database, &now, err) != 0)
		return -1;
	if (!now.found)
		return err_set(err, ERR_FAILED,
			"database \"%s\" is gone: the scripts or somebody else dropped it",
			reset->database);
	changes[0].name = reset->database;
	changes[0].comment = now.self.comment;
	changes[0].unmark = !reset->caching;
	if (reset->caching) {
		/* What the scripts did to the server (CREATE ROLE) belongs to the keys. */
		if (cache_keys(reset->conn, reset->schema, reset->seed, &keys, err) != 0)
			return -1;
		memcpy(made.key, keys.full, sizeof(made.key));
		memcpy(made.base, keys.schema, sizeof(made.base));
		changes[0].mark = &made;
	}
	old = siblings_get(&now, MARK_OLD, NULL);
	if (old) {
		name = drop_name(reset->database, old->oid);
		changes[count].name = old->name;
		changes[count].new_name = name;
		changes[count].mark = &drop;
		changes[count++].comment = old->comment;
	}
	return databases_change(reset->conn, changes, count, true, err);
}

/* --- loading -------------------------------------------------------------------------------------
 */

/*
 * The schema may have set defaults for the database or the role, which only a new session has: the
 * seed shall see what it would see in a session of its own.
 */
static int renew_session(struct reset *reset, struct err *err)
{
	bool has_settings;

	if (!reset->work)
		return reset_open(reset, err);
	if (database_has_settings(reset->work, &has_settings, err) != 0)
		return -1;
	if (has_settings)
		reset_close(reset);
	return reset_open(reset, err);
}

static int load_schema(struct reset *reset, struct err *err)
{
	int64_t start = clock_us();

	if (reset_open(reset, err) != 0 ||
		step_scripts(reset->work, "db-schema-load", reset->schema, err) != 0)
		return -1;
	reset->schema_us = clock_us() - start;
	return reset->caching ? reset_keep(reset, false, err) : 0;
}

static int load_seed(struct reset *reset, struct err *err)
{
	int64_t start;

	if (reset->seed->count == 0) {
		out_step("db-seed");
		out_info("no seed.sql and no seeds/*.sql, nothing to load");
		return 0;
	}
	start = clock_us();
	if (renew_session(reset, err) != 0 ||
		step_scripts(reset->work, "db-seed", reset->seed, err) != 0)
		return -1;
	reset->seed_us = clock_us() - start;
	return reset->caching ? reset_keep(reset, true, err) : 0;
}

static int load(struct reset *reset, struct err *err)
{
	if (!reset->holds_schema && load_schema(reset, err) != 0)
		return -1;
	if (!reset->holds_seed && load_seed(reset, err) != 0)
		return -1;
	reset_close(reset);
	return complete(reset, err);
}

/* --- going back ----------------------------------------------------------------------------------
 */

/* The server may have ended our sessions and come up again. */
static int reopen(struct reset *reset, struct err *err)
{
	int64_t deadline = clock_ms() + UNDO_WAIT_SECONDS * INT64_C(1000);

	reset_close(reset);
	siblings_release(&reset->siblings);
	if (siblings_find(reset->conn, reset->database, &reset->siblings, err) == 0)
		return 0;
	/* Who has sent a signal does not want to wait; the next command heals. */
	if (interrupt_seen())
		return -1;
	for (;;) {
		conn_close(take_ptr(reset->conn));
		err_release(err);
		if (context_connect_maintenance(reset->context, &reset->conn, err) == 0)
			break;
		if (err->kind != ERR_CONNECT || clock_ms() > deadline)
			return -1;
		clock_sleep_ms(100);
	}
	if (database_lock(reset->conn, reset->database, NULL, NULL, err) != 0)
		return -1;
	return siblings_find(reset->conn, reset->database, &reset->siblings, err);
}

/* What was made and did not get the name. */
void reset_drop_new(struct reset *reset)
{
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	CLEANUP(mem_cleanup)
	char *name = sibling_name(reset->database, MARK_NEW, NULL, false);
	bool dropped;

	if (database_drop(reset->conn, name, NULL, true, &dropped, &ignored) != 0)
		out_detail("database \"%s\" stays for now: %s", name, ignored.message);
}

/* Puts the old database back after a failure, and adds to its error what there is now. */
static int undo(struct reset *reset, struct err *err)
{
	CLEANUP(err_release) struct err own = ERR_INIT;
	CLEANUP(mem_cleanup) char *old = sibling_name(reset->database, MARK_OLD, NULL, false);
	enum healed healed = HEAL_NOTHING;

	if (reopen(reset, &own) != 0 ||
		heal(reset->conn, reset->database, &reset->siblings, &healed, &own) != 0) {
		if (reset->had_old)
			err_note_line(err,
				"The old database is kept as \"%s\"; the next db-setup, db-create "
				"or db-drop gives it its name back. That failed now: %s.",
				old, own.message);
		else
			err_note_line(err,
				"What was made stays as database \"%s\" until the next db-setup. "
				"Removing it failed: %s.",
				reset->database, own.message);
		return -1;
	}
	reset_drop_new(reset);
	drop_unwanted(reset->conn, &reset->siblings);
	if (reset->had_old && healed == HEAL_RESTORED)
		err_note_line(err, "The old database \"%s\" is back as it was.", reset->database);
	else if (healed == HEAL_REMOVED)
		err_note_line(err, "Database \"%s\" does not exist%s.", reset->database,
			reset->options->drop_first ? ": --drop-first gave the old one up"
						   : ", as before");
	else if (reset->siblings.found && reset->siblings.self.mark.kind == MARK_MADE)
		err_note_line(err, "It came too late: the reset is complete.");
	else if (reset->siblings.found)
		err_note_line(err, "The old database \"%s\" is as it was.", reset->database);
	if (!err->hint && err->kind != ERR_INTERRUPTED)
		err_hint(err, "Mend the cause and run db-setup again.");
	return -1;
}

/* --- all of it -----------------------------------------------------------------------------------
 */

static int replace(struct reset *reset, struct err *err)
{
	const struct sibling *kept = NULL;
	CLEANUP(mem_cleanup) char *name = NULL;
	uint32_t oid = 0;
	int64_t start = clock_us();
	bool nothing_to_load;

	if (reset_make(reset, &name, &oid, &kept, err) != 0)
		return -1;
	nothing_to_load = reset->holds_schema && reset->holds_seed;
	if (exchange(reset, name, oid, kept && kept->mark.kind == MARK_SPARE ? kept->comment : NULL,
		    nothing_to_load, err) != 0)
		return -1;
	reset_tell_made(reset, kept, start);
	return nothing_to_load ? 0 : load(reset, err);
}

int reset_run(struct context *context, struct scripts *schema, struct scripts *seed,
	const struct reset_options *options, struct err *err)
{
	CLEANUP(reset_cleanup)
	struct reset reset = { .context = context,
		.schema = schema,
		.seed = seed,
		.options = options,
		.database = context->target.database,
		.siblings = SIBLINGS_INIT };
	bool spare;

	if (begin(&reset, err) != 0)
		return -1;
	if (replace(&reset, err) != 0)
		return undo(&reset, err);
	/* From here on nothing can fail that the user would have to know. */
	spare = reset.caching && options->policy.spare;
	if (options->policy.wait_drop)
		background_work(context, reset.conn, false);
	conn_close(take_ptr(reset.conn));
	if (spare || (reset.had_old && !options->policy.wait_drop))
		background_start(context, spare);
	return 0;
}
