#include "app/reset_internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "pg/database.h"
#include "pg/obstacle.h"
#include "pg/varying.h"
#include "term/out.h"

#include <string.h>
#include <time.h>

/* "3m20s" ago, by the client's clock. */
static const char *age(int64_t at, char *buffer, size_t size)
{
	int64_t seconds = (int64_t)time(NULL) - at;

	return clock_format_age(seconds > 0 ? seconds : 0, buffer, size);
}

/* dbrig would have dropped one that it had made. */
static int in_the_way(const char *name, struct err *err)
{
	err_set(err, ERR_FAILED, "database \"%s\" is in the way", name);
	err_detail(err, "It has a comment of its own, so it is not one that dbrig has left.");
	err_hint(err, "Rename or drop it: names with .dbrig- are dbrig's.");
	return -1;
}

/* Another role's database has the name for a new one, without a comment: it is not ours to drop. */
static int check_new_name(const struct reset *reset, struct err *err)
{
	CLEANUP(mem_cleanup)
	char *new_name = sibling_name(reset->database, MARK_NEW, NULL, false);
	CLEANUP(mem_cleanup) char *name = conn_identifier(reset->conn, new_name);

	for (size_t i = 0; i < reset->siblings.count; i++) {
		const struct sibling *sibling = &reset->siblings.items[i];

		if (sibling->is_owner || strcmp(sibling->name, new_name) != 0)
			continue;
		err_set(err, ERR_FAILED, "database \"%s\" is in the way", new_name);
		err_detail_line(err,
			"A reset makes the new database under that name. It belongs to role "
			"\"%s\", so yours may not drop it: a reset by that role may have been "
			"killed.",
			sibling->owner);
		err_note_line(err, "Nothing was changed.");
		err_hint(err,
			"If nobody needs it, role \"%s\" or a superuser drops it: DROP "
			"DATABASE %s",
			sibling->owner, name);
		return -1;
	}
	return 0;
}

int reset_check_way(const struct reset *reset, struct err *err)
{
	const struct siblings *siblings = &reset->siblings;
	const struct sibling *other = &siblings->in_the_way;
	CLEANUP(mem_cleanup) char *target = NULL;
	CLEANUP(mem_cleanup) char *name = NULL;
	CLEANUP(mem_cleanup) char *new_name = NULL;
	CLEANUP(mem_cleanup) char *quoted = NULL;

	if (check_new_name(reset, err) != 0)
		return -1;
	if (!other->name || !siblings->found || reset->options->drop_first)
		return 0;
	name = conn_identifier(reset->conn, other->name);
	new_name = mem_printf("%s_kept", reset->database);
	quoted = conn_identifier(reset->conn, new_name);
	err_set(err, ERR_FAILED, "database \"%s\" is in the way", other->name);
	if (other->mark.kind == MARK_OLD && strcmp(other->mark.of, reset->database) == 0)
		err_detail_line(err,
			"It says to be the old one of \"%s\", but belongs to role \"%s\", and "
			"\"%s\" to role \"%s\".",
			reset->database, other->owner, reset->database, siblings->self.owner);
	else
		err_detail_line(err,
			"A reset puts the old database aside under that name. Its comment does not "
			"say that one has left it, so it stays: it may be an old database whose "
			"comment was written anew.");
	if (protection_read(other->comment, &target) == PROTECTION_MARKED)
		err_detail_line(err, "It is protected: it is marked %s%s%s.",
			target ? "as that of the target \"" : "by hand", target ? target : "",
			target ? "\"" : "");
	err_note_line(err, "Nothing was changed.");
	err_hint(err,
		"Look into it, and give it another name: ALTER DATABASE %s RENAME TO %s. If nobody "
		"needs it: DROP DATABASE %s",
		name, quoted, name);
	return -1;
}

/* Under the name for a new database, which has to be free. */
static int copy(struct reset *reset, const char *source, const char *name, bool allow_connections,
	struct err *err)
{
	reset->made_new = true;
	if (database_copy(reset->conn, source, name, allow_connections, true, err) == 0)
		return 0;
	if (strcmp(err->sqlstate, SQLSTATE_DUPLICATE_DATABASE) != 0)
		return -1;
	reset->made_new = false;
	return in_the_way(name, err);
}

int reset_find_keys(struct reset *reset, struct conn *conn, struct err *err)
{
	const struct mark *mark = &reset->siblings.self.mark;

	if (cache_keys(conn, &reset->context->target, reset->schema, reset->seed, &reset->keys,
		    err) != 0)
		return -1;
	reset->has_keys = true;
	reset->again = mark->kind == MARK_MADE && strcmp(mark->key, reset->keys.full) == 0;
	return 0;
}

/* While the server makes a database; what fails is done afterwards. */
static int find_keys_meanwhile(void *context, struct err *err)
{
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	CLEANUP(err_release) struct err own = ERR_INIT;
	struct reset *reset = context;
	const bool at_once = reset->context->at_once;
	bool found;

	/* In template1 it would keep that from being copied. */
	if (database_maintains_template1(reset->conn))
		return 0;
	reset->context->at_once = true;
	found = context_connect_maintenance(reset->context, &conn, &own) == 0 &&
		reset_find_keys(reset, conn, &own) == 0;
	reset->context->at_once = at_once;
	if (found)
		return 0;
	if (own.kind != ERR_INTERRUPTED)
		return 0;
	*err = own;
	own = (struct err)ERR_INIT;
	return -1;
}

static int create_empty(struct reset *reset, const char *name, struct err *err)
{
	const struct sibling *old = reset->siblings.found ? &reset->siblings.self : NULL;
	struct database_create_options options = { 0 };
	bool created = true;

	reset->owner = siblings_owner_of_copy(&reset->siblings, old);
	if (strcmp(reset->owner, reset->siblings.role) != 0)
		options.owner = reset->owner;

	/* After a signal that came too late it is there, and ours. */
	reset->made_new = true;
	if (reset->caching && !reset->has_keys)
		conn_meanwhile(reset->conn, find_keys_meanwhile, reset);
	if (database_create(reset->conn, name, &options, &created, err) != 0)
		return -1;
	if (created)
		return reset->caching && !reset->has_keys ? reset_find_keys(reset, reset->conn, err)
							  : 0;
	reset->made_new = false;
	return in_the_way(name, err);
}

static int copy_kept(
	struct reset *reset, const struct sibling *kept, const char *name, struct err *err)
{
	reset->owner = kept->owner;
	if (kept->mark.kind == MARK_SPARE)
		return 0;
	reset->owner = siblings_owner_of_copy(&reset->siblings, kept);
	return copy(reset, kept->name, name, true, err);
}

void reset_tell_made(const struct reset *reset, const struct sibling *kept, int64_t start_us)
{
	const char *what = !kept                           ? "created"
			   : kept->mark.kind == MARK_SPARE ? "put the spare in place as"
							   : "copied";
	char elapsed[32], made[32], data[32];

	if (!kept) {
		out_info("%s database \"%s\" (%s)", what, reset->database,
			clock_format(clock_us() - start_us, elapsed, sizeof(elapsed)));
		return;
	}
	out_info("nothing has changed: %s database \"%s\" with %s, kept for %s (%s)", what,
		reset->database, reset->holds_seed ? "schema and seed" : "the schema",
		age(kept->mark.at, made, sizeof(made)),
		clock_format(clock_us() - start_us, elapsed, sizeof(elapsed)));
	if (kept->mark.data_at != 0)
		out_info("--cached-seed: data that vary are those of %s ago",
			age(kept->mark.data_at, data, sizeof(data)));
}

/*
 * A result that will be kept is not begun from a copy: its tables could be written to while the
 * database is open for our own session.
 */
static bool keeps_any_seed(const struct reset *reset)
{
	return reset->options->policy.frozen_seed && reset->seed->count > 0 &&
	       !reset->seed->inputs.obstacle;
}

int reset_make(
	struct reset *reset, char **ret_name, const struct sibling **ret_kept, struct err *err)
{
	CLEANUP(mem_cleanup)
	char *name = sibling_name(reset->database, MARK_NEW, NULL, false);
	const struct sibling *kept = NULL;

	if (reset->has_keys)
		kept = cache_find(&reset->siblings, &reset->keys, &reset->options->policy,
			keeps_any_seed(reset));
	if (kept && copy_kept(reset, kept, name, err) != 0) {
		if (err->kind == ERR_INTERRUPTED || err->kind == ERR_CONNECT)
			return -1;
		out_detail("could not use the copy that was kept: %s", err->message);
		err_release(err);
		kept = NULL;
	}
	if (!kept && create_empty(reset, name, err) != 0)
		return -1;
	reset->holds_schema = kept != NULL;
	reset->holds_seed = kept && (kept->mark.seeded || reset->seed->count == 0);
	if (kept && kept->mark.kind == MARK_SPARE) {
		mem_free(name);
		name = mem_strdup(kept->name);
	}
	*ret_name = take_ptr(name);
	*ret_kept = kept;
	return 0;
}

/* *ret_why: what makes these scripts yield something else each time; NULL: nothing. */
static int find_varying(
	struct reset *reset, struct scripts *scripts, char **ret_why, struct err *err)
{
	if (scripts->inputs.obstacle) {
		*ret_why = mem_strdup(scripts->inputs.obstacle);
		return 0;
	}
	if (scripts->count == 0)
		return 0;
	if (scripts_names(scripts, err) != 0)
		return -1;
	if (scripts->inputs.varying.count > 0) {
		*ret_why = mem_strdup(scripts->inputs.varying.items[0]);
		return 0;
	}
	return varying_find(reset->work, &scripts->inputs.names, ret_why, err);
}

/* When the schema is loaded: whether schema and seed yield something else each time. */
static int examine(struct reset *reset, struct err *err)
{
	if (reset->examined)
		return 0;
	if (reset_open(reset, err) != 0 ||
		find_varying(reset, reset->schema, &reset->schema_varying, err) != 0 ||
		find_varying(reset, reset->seed, &reset->seed_varying, err) != 0)
		return -1;
	reset->examined = true;
	return 0;
}

/* Whether the seed's data belong into the template. */
static bool wants_seed(const struct reset *reset)
{
	return reset->seed->count > 0 && !reset->seed->inputs.obstacle &&
	       (!reset->seed_varying || reset->options->policy.frozen_seed);
}

/* Whether it would pay, by what loading has cost so far. */
static bool is_worth(struct reset *reset, bool seeded, struct err *err)
{
	int64_t load_us = reset->schema_us + (seeded ? reset->seed_us : 0);
	bool again = reset->again || (seeded && reset->options->policy.frozen_seed);
	int64_t size = 0;

	if (!cache_is_worth(load_us, 0, again))
		return false;
	if (!again && database_size(reset->conn, reset->database, &size, err) != 0)
		return false;
	return cache_is_worth(load_us, size, again);
}

/* Whether somebody has been in the database in the moment it was open for our own session. */
static int find_strangers(struct reset *reset, char **ret_why, struct err *err)
{
	bool changed;

	/* Once, and others were sent away: otherwise nothing is known of what they did. */
	changed = !reset->closed || reset->openings != 1;
	if (!changed && database_was_changed(reset->work, reset->first_xid, reset->closed_xid,
				&changed, err) != 0)
		return -1;
	if (changed)
		*ret_why = mem_strdup("others may have changed something in it");
	return 0;
}

/* *ret_why: what stands in the way; NULL: nothing. */
static int find_obstacle(struct reset *reset, char **ret_why, struct err *err)
{
	CLEANUP(mem_cleanup) char *what = NULL;
	CLEANUP(mem_cleanup) char *comment = NULL;

	if (reset->schema_varying && !reset->options->policy.frozen_seed) {
		*ret_why = mem_printf("the schema's data vary: %s", reset->schema_varying);
		return 0;
	}
	if (find_strangers(reset, ret_why, err) != 0)
		return -1;
	if (*ret_why)
		return 0;
	if (database_comment(reset->conn, reset->database, &comment, err) != 0 ||
		database_uncopied(reset->conn, reset->database, true, &what, err) != 0)
		return -1;
	/* A copy would be without it. */
	if (reset->mark != PROTECTION_MARKED && protection_read(comment, NULL) == PROTECTION_MARKED)
		*ret_why = mem_strdup("the database was marked as protected");
	else if (what)
		*ret_why = mem_printf("the database has %s", what);
	return 0;
}

/* Copies the database and turns the copy into the template. */
static int make_template(struct reset *reset, bool seeded, struct err *err)
{
	CLEANUP(mem_cleanup)
	char *making = sibling_name(reset->database, MARK_NEW, NULL, false);
	CLEANUP(mem_cleanup) char *name = NULL;
	CLEANUP(mark_release) struct mark mark = reset_mark(reset, MARK_TEMPLATE);
	struct database_change change = DATABASE_CHANGE_INIT;
	struct cache_keys keys;

	if (cache_keys(reset->conn, &reset->context->target, reset->schema, reset->seed, &keys,
		    err) != 0)
		return -1;
	/* Data may depend on what was before; the next time it is as it is now. */
	if (strcmp(keys.schema, reset->keys.schema) != 0)
		return err_set(err, ERR_FAILED, "the scripts have changed something on the server");
	memcpy(mark.key, seeded ? keys.full : keys.schema, sizeof(mark.key));
	mark.seeded = seeded;
	if (reset->schema_varying || (seeded && reset->seed_varying))
		mark.data_at = mark.at;
	name = sibling_name(reset->database, MARK_TEMPLATE, mark.key, false);
	if (copy(reset, reset->database, making, false, err) != 0)
		return -1;
	change.name = making;
	change.new_name = name;
	change.mark = &mark;
	change.unused = true;
	if (databases_change(reset->conn, &change, 1, true, err) != 0) {
		reset_drop_new(reset);
		return -1;
	}
	reset->made_new = false;
	return 0;
}

/* *ret_kept: it is kept now. */
static int keep(struct reset *reset, bool seeded, bool *ret_kept, struct err *err)
{
	CLEANUP(mem_cleanup) char *why = NULL;

	*ret_kept = false;
	/* What was copied is kept already, with all that belongs into it. */
	if (reset->holds_schema)
		return 0;
	if (!is_worth(reset, seeded, err))
		return err->kind == ERR_NONE ? 0 : -1;
	if (examine(reset, err) != 0)
		return -1;
	/* With the seed if that is of any use, otherwise without; not both. */
	if (seeded != wants_seed(reset))
		return 0;
	if (find_obstacle(reset, &why, err) != 0)
		return -1;
	if (why) {
		out_detail("no copy is kept: %s", why);
		return 0;
	}
	reset_close(reset);
	if (make_template(reset, seeded, err) != 0)
		return -1;
	*ret_kept = true;
	return 0;
}

int reset_keep(struct reset *reset, bool seeded, struct err *err)
{
	CLEANUP(err_release) struct err own = ERR_INIT;
	int64_t start = clock_us();
	char elapsed[32];
	bool kept;

	if (keep(reset, seeded, &kept, &own) == 0) {
		if (!kept)
			return 0;
		out_info("kept a copy with %s for resets to come (%s)",
			seeded ? "schema and seed" : "the schema",
			clock_format(clock_us() - start, elapsed, sizeof(elapsed)));
		if (!seeded && reset->seed_varying)
			out_detail("the seed is run each time: %s", reset->seed_varying);
		return 0;
	}
	if (own.kind == ERR_INTERRUPTED || own.kind == ERR_CONNECT) {
		*err = own;
		own = (struct err)ERR_INIT;
		return -1;
	}
	out_detail("no copy is kept: %s", own.message);
	return 0;
}
