#include "app/reset_internal.h"

#include "app/background.h"
#include "app/heal.h"
#include "app/known_marks.h"
#include "app/making.h"
#include "app/steps.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "pg/conn_failure.h"
#include "pg/database.h"
#include "pg/obstacle.h"
#include "term/out.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* How long undoing waits for a server that is starting again. */
#define UNDO_WAIT_SECONDS 10
#define UNDO_PAUSE_MS 100
#define UNDO_ATTEMPTS 5

struct mark reset_mark(const struct reset *reset, enum mark_kind kind)
{
	struct mark mark = { .kind = kind, .of = mem_strdup(reset->database) };

	mark_sign(&mark);
	return mark;
}

static void reset_cleanup(struct reset *reset)
{
	reset_close(reset);
	conn_close(take_ptr(reset->conn));
	siblings_release(&reset->siblings);
	mem_free(reset->marked_as);
	mem_free(reset->schema_varying);
	mem_free(reset->seed_varying);
}

/* --- before anything is changed ----------------------------------------------------------------
 */

/* Everything that would make a later step fail is found before something is changed. */
static int check_server(struct reset *reset, struct err *err)
{
	struct database_state state = { 0 };

	if (making_check(reset->conn, &reset->siblings, reset->database, "reset", err) != 0) {
		err_note_line(err, "Nothing was changed.");
		return -1;
	}
	if (database_inspect(reset->conn, reset->database, &state, err) != 0)
		return -1;
	if (state.found && state.is_template)
		return database_refuse_template(reset->conn, "reset", reset->database, err);
	if (state.obstructed &&
		obstacle_check(reset->conn, "reset", reset->database, true, err) != 0)
		return -1;
	/* Sessions that are not to be ended, or that our role may not end. */
	reset->connected = state.connected;
	reset->first_xid = state.next_xid;
	snprintf(reset->started, sizeof(reset->started), "%s", state.started);
	if (state.connected &&
		obstacle_sessions(reset->conn, "reset", reset->database, reset->force, err) != 0)
		return -1;
	return 0;
}

/*
 * An old database that a killed reset has put aside, and whose name somebody has given to another
 * since, becomes a snapshot: nobody has said that it may go.
 */
static int keep_superseded(struct reset *reset, const struct sibling *old, struct err *err)
{
	CLEANUP(mark_release) struct mark mark = reset_mark(reset, MARK_SNAPSHOT);
	CLEANUP(mem_cleanup) char *name = NULL;
	struct database_change change = DATABASE_CHANGE_INIT;

	mark.tag = mem_printf("killed-%lu", (unsigned long)old->oid);
	name = sibling_name(reset->database, MARK_SNAPSHOT, mark.tag, false);
	change.name = old->name;
	change.new_name = name;
	change.comment = old->comment;
	change.mark = &mark;
	change.allow_connections = 0;
	if (databases_change(reset->conn, &change, 1, true, err) != 0)
		return -1;
	out_info("it is kept as snapshot \"%s\"; db-snapshot lists, restores and drops it",
		mark.tag);
	return 0;
}

/* The database that was given up is gone, its mark with it, and no new one has taken its place. */
static void tell_lost_mark(struct reset *reset, struct err *err)
{
	CLEANUP(err_release) struct err own = ERR_INIT;
	uint32_t oid;

	if (!reset->gave_up_old || reset->mark != PROTECTION_MARKED ||
		database_oid(reset->conn, reset->database, &oid, &own) != 0 || oid != 0)
		return;
	known_marks_dropped(reset->context, reset->conn,
		siblings_get(&reset->siblings, MARK_SNAPSHOT, NULL) != NULL);
	/* That of a target which is protected by its name comes by itself. */
	if (!target_is_protected(&reset->context->target))
		err_note_line(err, "Its mark went with it: db-protect sets it again when there is "
				   "a new one.");
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
	if (old && keep_superseded(reset, old, err) != 0)
		return -1;
	if (!reset->had_old)
		return 0;
	if (!reset->siblings.self.invalid && !reset->options->drop_first)
		return 0;
	reset->had_old = false;
	reset->gave_up_old = true;
	if (step_drop(reset->conn, reset->database, NULL, reset->force, err) == 0)
		return 0;
	tell_lost_mark(reset, err);
	return -1;
}

/* What follows from the database's being protected or not, which is known only now. */
static int take_protection(struct reset *reset, struct err *err)
{
	const struct target *target = &reset->context->target;
	const bool is_protected = guard_protects(reset->context);

	reset->force = reset->options->force || !is_protected;
	reset->caching = reset->options->policy.on && !reset->schema->inputs.obstacle &&
			 (!is_protected || reset->options->policy.asked);
	reset->wait_drop = reset->options->policy.wait_drop || is_protected;
	reset->mark = protection_read(heal_comment(&reset->siblings), &reset->marked_as);
	if (reset->mark != PROTECTION_UNMARKED)
		return 0;
	/* Its mark is gone, which protects it as well: the new one has it again. */
	if (known_marks_was(reset->context, reset->conn, reset->siblings.self.oid,
		    &reset->marked_as, err) != 0)
		return -1;
	if (!reset->marked_as && target_is_protected(target))
		reset->marked_as = mem_strdup(target->name);
	if (reset->marked_as)
		reset->mark = PROTECTION_MARKED;
	return 0;
}

static int begin(struct reset *reset, struct err *err)
{
	if (context_connect_maintenance(reset->context, &reset->conn, err) != 0 ||
		heal_locked(reset->context, reset->conn, reset->guard, true, &reset->siblings,
			err) != 0 ||
		take_protection(reset, err) != 0)
		return -1;
	if (check_server(reset, err) != 0 || reset_check_way(reset, err) != 0)
		return -1;
	reset->had_old = reset->siblings.found;
	if (reset->options->policy.on && reset->schema->inputs.obstacle)
		out_detail("no copy is kept: %s", reset->schema->inputs.obstacle);
	/* Without anything that it might find they can wait. */
	if (reset->caching && cache_has_any(&reset->siblings) &&
		reset_find_keys(reset, reset->conn, err) != 0)
		return -1;
	return clear_way(reset, err);
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

	if (!conn_is_open(reset->work))
		return reset_open(reset, err);
	/* Scripts that change settings keep a result from being kept, so these do not; and nobody
	 * is to slip in. */
	if (reset->closed)
		return 0;
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
	if (reset->schema->commented && reset_mark_again(reset, err) != 0)
		return -1;
	if (!reset->caching)
		return 0;
	if (reset_keep(reset, false, err) != 0)
		return -1;
	/* Its seed is run in the open: what keeps it from being copied may need that. */
	if (!reset->closed || !reset->seed->inputs.obstacle)
		return 0;
	reset->closed = false;
	return reset_allow_connections(reset, true, err);
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
	return reset_complete(reset, err);
}

/* --- going back ----------------------------------------------------------------------------------
 */

/* The server may have ended our sessions and come up again, until deadline (clock_ms). *told: that
 * it is waited for was said. */
static int reopen(struct reset *reset, int64_t deadline, bool *told, struct err *err)
{
	reset_close(reset);
	siblings_release(&reset->siblings);
	if (reset->conn && siblings_find(reset->conn, reset->database, &reset->siblings, err) == 0)
		return 0;
	/* Who has sent a signal does not want to wait; the next command heals. */
	if (interrupt_seen())
		return -1;
	for (;;) {
		conn_close(take_ptr(reset->conn));
		err_release(err);
		if (context_connect_maintenance(reset->context, &reset->conn, err) == 0)
			break;
		if (err->kind != ERR_CONNECT || clock_ms() > deadline || interrupt_seen())
			return -1;
		if (!*told)
			out_info("waiting up to %d s for the server, to undo what was done",
				UNDO_WAIT_SECONDS);
		*told = true;
		clock_sleep_ms(UNDO_PAUSE_MS);
	}
	if (database_lock(reset->conn, reset->database, NULL, NULL, err) != 0)
		return -1;
	return siblings_find(reset->conn, reset->database, &reset->siblings, err);
}

/* What was made and did not get the name. */
void reset_drop_new(struct reset *reset)
{
	CLEANUP(mem_cleanup)
	char *name = sibling_name(reset->database, MARK_NEW, NULL, false);

	if (reset->made_new)
		making_drop(reset->conn, name);
	reset->made_new = false;
}

/* The server is going down or coming up; or somebody has just renamed or dropped a database. */
static bool may_pass(const struct err *err)
{
	return err->kind == ERR_CONNECT || strcmp(err->sqlstate, CONN_STATE_NO_DATABASE) == 0 ||
	       strcmp(err->sqlstate, SQLSTATE_DUPLICATE_DATABASE) == 0;
}

/* The server may be going down at every step, and is waited for until it is up again. */
static int go_back(struct reset *reset, enum healed *ret_healed, struct err *err)
{
	const int64_t deadline = clock_ms() + UNDO_WAIT_SECONDS * INT64_C(1000);
	bool told = false;

	for (int attempt = 0; attempt < UNDO_ATTEMPTS; attempt++) {
		err_release(err);
		if (reopen(reset, deadline, &told, err) == 0 &&
			heal(reset->conn, reset->database, &reset->siblings, reset->sent,
				ret_healed, err) == 0)
			return 0;
		if (!may_pass(err) || interrupt_seen() || clock_ms() > deadline)
			return -1;
	}
	return -1;
}

/* The last transaction took effect although it was reported as failed. */
static bool is_complete(const struct reset *reset)
{
	const struct mark *mark = &reset->siblings.self.mark;

	return reset->completing && reset->siblings.found && mark->kind != MARK_LOADING &&
	       (reset->exchanged || (mark->kind == MARK_MADE && mark->pid == (long)getpid()));
}

/* Puts the old database back after a failure, and adds to its error what there is now. */
static int undo(struct reset *reset, struct err *err)
{
	CLEANUP(err_release) struct err own = ERR_INIT;
	CLEANUP(mem_cleanup) char *old = sibling_name(reset->database, MARK_OLD, NULL, false);
	enum healed healed = HEAL_NOTHING;

	if (go_back(reset, &healed, &own) != 0) {
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
	/* What became of the scripts' transaction does not matter any more. */
	if (healed == HEAL_RESTORED || healed == HEAL_REMOVED)
		mem_free(take_ptr(err->note));
	if (reset->had_old && healed == HEAL_RESTORED)
		err_note_line(err, "The old database \"%s\" is back as it was.", reset->database);
	else if (healed == HEAL_REMOVED || (reset->gave_up_old && !reset->siblings.found))
		err_note_line(err, "Database \"%s\" does not exist%s.", reset->database,
			reset->gave_up_old ? ": --drop-first gave the old one up" : ", as before");
	else if (is_complete(reset))
		err_note_line(err, "It came too late: the reset is complete.");
	else if (reset->had_old && reset->siblings.found)
		err_note_line(err, "The old database \"%s\" is as it was.", reset->database);
	tell_lost_mark(reset, err);
	/* A spare that was used up is made anew. */
	if (reset->caching && reset->options->policy.spare && healed == HEAL_RESTORED &&
		!interrupt_seen())
		background_start(reset->context, BACKGROUND_SPARE);
	if (!err->hint && err->kind != ERR_INTERRUPTED)
		err_hint(err, "Mend the cause and run db-setup again.");
	return -1;
}

/* --- all of it -----------------------------------------------------------------------------------
 */

/* Makes or takes the new database and gives it the name. *ret_kept: as reset_make says. */
static int put_in_place(struct reset *reset, const struct sibling **ret_kept, struct err *err)
{
	const struct sibling *kept = NULL;
	CLEANUP(mem_cleanup) char *name = NULL;

	if (reset_make(reset, &name, &kept, err) != 0)
		return -1;
	*ret_kept = kept;
	/* What is going to be run may be kept. Behind a pooler nobody can tell our session from
	 * others', which would have to be sent away. */
	reset->closed = reset->caching && !kept && !conn_is_pooled(reset->conn);
	return reset_exchange(reset, name,
		kept && kept->mark.kind == MARK_SPARE ? kept->comment : NULL,
		reset->holds_schema && reset->holds_seed, err);
}

/*
 * An earlier reset that had other scripts, or was to keep nothing, may still be dropping what this
 * one has just found: then nothing was changed, and there is more to look for.
 */
static bool has_lost_spare(struct reset *reset, const struct sibling *kept, const struct err *err)
{
	CLEANUP(err_release) struct err own = ERR_INIT;
	uint32_t oid;

	return kept && kept->mark.kind == MARK_SPARE &&
	       strcmp(err->sqlstate, CONN_STATE_NO_DATABASE) == 0 &&
	       database_oid(reset->conn, kept->name, &oid, &own) == 0 && oid != kept->oid;
}

static int replace(struct reset *reset, struct err *err)
{
	const struct sibling *kept = NULL;
	int64_t start = clock_us();

	out_step("db-create");
	while (put_in_place(reset, &kept, err) != 0) {
		if (!has_lost_spare(reset, kept, err))
			return -1;
		out_detail("could not use the copy that was kept: %s", err->message);
		err_release(err);
		kept = NULL;
		siblings_release(&reset->siblings);
		if (siblings_find(reset->conn, reset->database, &reset->siblings, err) != 0)
			return -1;
	}
	reset_tell_made(reset, kept, start);
	return reset->holds_schema && reset->holds_seed ? 0 : load(reset, err);
}

/* The new database is another one than that which was marked. */
static void remember_mark(const struct reset *reset)
{
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	CLEANUP(mem_cleanup) char *gone = NULL;

	if (reset->mark == PROTECTION_MARKED &&
		known_marks_compare(reset->context, reset->conn, true, &gone, &ignored) != 0)
		interrupt_put_back(ignored.signal);
}

/* The reset is complete: what is left to do, now or in the background. */
static void clear_up(struct reset *reset)
{
	CLEANUP(err_release) struct err err = ERR_INIT;
	const struct cache_policy *policy = &reset->options->policy;
	const bool spare = reset->caching && policy->spare;
	/* What was kept of scripts that could be kept is of no use to those that cannot. */
	const bool forget =
		policy->forget || (policy->on && reset->schema->inputs.obstacle != NULL);
	unsigned flags = BACKGROUND_KILLED | (forget ? BACKGROUND_FORGET : 0u) |
			 (reset->context->confirmed ? BACKGROUND_MARKED : 0u);

	if (reset->wait_drop &&
		background_work(reset->context, reset->conn, flags | BACKGROUND_WAIT, &err) != 0)
		out_warning("something stays to be dropped by the next reset: %s", err.message);
	/* Only now: while a session ends, a server with few processors answers no other at once. */
	reset_close(reset);
	/* Its lock would keep the next reset waiting. */
	conn_close(take_ptr(reset->conn));
	if (spare || (!reset->wait_drop && (reset->had_old || reset->siblings.count > 0)))
		background_start(reset->context, flags | (spare ? BACKGROUND_SPARE : 0u));
}

int reset_run(const struct guard *guard, struct scripts *schema, struct scripts *seed,
	const struct reset_options *options, struct err *err)
{
	struct context *context = guard->context;
	CLEANUP(reset_cleanup)
	struct reset reset = { .guard = guard,
		.context = context,
		.schema = schema,
		.seed = seed,
		.options = options,
		.database = context->target.database,
		.siblings = SIBLINGS_INIT };

	if (begin(&reset, err) != 0)
		return -1;
	if (replace(&reset, err) != 0)
		return undo(&reset, err);
	remember_mark(&reset);
	clear_up(&reset);
	return 0;
}
