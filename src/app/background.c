#include "app/background.h"

#include "app/cache.h"
#include "app/heal.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/process.h"
#include "pg/database.h"
#include "term/out.h"

#include <string.h>
#include <unistd.h>

/* Each round begins because another command left something to do; that has an end. */
#define ROUNDS 20
/* How often, and after how long, it is looked whether another one has done the work. */
#define WAITS 150
#define WAIT_MS 200

/*
 * The one template that fits what the database was made from; the youngest if there are several
 * (with and without the seed). NULL also while a reset is running: it is not known then what it
 * will leave.
 */
static const struct sibling *good_template(const struct siblings *siblings)
{
	const struct mark *made = &siblings->self.mark;
	const struct sibling *good = NULL;

	if (!siblings->found || made->kind != MARK_MADE)
		return NULL;
	for (size_t i = 0; i < siblings->count; i++) {
		const struct sibling *sibling = &siblings->items[i];

		if (sibling->mark.kind == MARK_TEMPLATE && !sibling->invalid &&
			!cache_is_stale(&sibling->mark, made->base, made->key) &&
			(!good || sibling->oid > good->oid))
			good = sibling;
	}
	return good;
}

/* The template of which a spare is to be made; NULL: none. */
static const struct sibling *spare_source(const struct siblings *siblings)
{
	const struct sibling *good = good_template(siblings);

	return good && !siblings_get(siblings, MARK_SPARE, good->mark.key) ? good : NULL;
}

/* What no reset will take any more. */
static bool is_unwanted(
	const struct siblings *siblings, const struct sibling *sibling, const char *new_name)
{
	const struct sibling *good;

	switch (sibling->mark.kind) {
	case MARK_DROP:
		return true;
	case MARK_NEW:
		/* One under new_name is in the works of a reset; the others are ours, killed. */
		return strcmp(sibling->name, new_name) != 0;
	case MARK_TEMPLATE:
	case MARK_SPARE:
		if (!siblings->found || siblings->self.mark.kind != MARK_MADE)
			return false;
		good = good_template(siblings);
		return !good || strcmp(good->mark.key, sibling->mark.key) != 0 ||
		       good->mark.seeded != sibling->mark.seeded;
	default:
		return false;
	}
}

static bool has_work(const struct siblings *siblings, const char *new_name, bool spare)
{
	for (size_t i = 0; i < siblings->count; i++)
		if (siblings->items[i].is_owner &&
			is_unwanted(siblings, &siblings->items[i], new_name))
			return true;
	return spare && spare_source(siblings);
}

static int make_spare(
	struct conn *conn, const char *database, const struct sibling *template, struct err *err)
{
	CLEANUP(mem_cleanup)
	char *making = sibling_name(database, MARK_SPARE, template->mark.key, true);
	CLEANUP(mem_cleanup)
	char *name = sibling_name(database, MARK_SPARE, template->mark.key, false);
	CLEANUP(siblings_release) struct siblings now = SIBLINGS_INIT;
	CLEANUP(mark_release) struct mark mark = MARK_INIT;
	struct database_change change = DATABASE_CHANGE_INIT;
	bool dropped;

	if (database_copy(conn, template->name, making, false, true, err) != 0)
		return -1;
	mark_copy(&mark, &template->mark);
	mark.kind = MARK_SPARE;
	change.name = making;
	change.new_name = name;
	change.mark = &mark;
	if (databases_change(conn, &change, 1, true, err) != 0 ||
		siblings_find(conn, database, &now, err) != 0)
		return -1;
	/* Dropped for good in the meantime. */
	if (!now.found && now.count > 0 && !siblings_get(&now, MARK_OLD, NULL) &&
		!siblings_get(&now, MARK_TEMPLATE, NULL))
		return database_drop(conn, name, NULL, true, &dropped, err);
	return 0;
}

static int one_round(struct conn *conn, const char *database, bool spare, struct err *err)
{
	CLEANUP(siblings_release) struct siblings siblings = SIBLINGS_INIT;
	CLEANUP(mem_cleanup) char *new_name = sibling_name(database, MARK_NEW, NULL, false);
	const struct sibling *source;
	bool dropped;

	if (siblings_find(conn, database, &siblings, err) != 0)
		return -1;
	for (size_t i = 0; i < siblings.count; i++)
		if (siblings.items[i].is_owner &&
			is_unwanted(&siblings, &siblings.items[i], new_name) &&
			database_drop(conn, siblings.items[i].name, NULL, true, &dropped, err) != 0)
			return -1;
	source = spare ? spare_source(&siblings) : NULL;
	return source ? make_spare(conn, database, source, err) : 0;
}

/*
 * Only one process at a time works for a database. One that finds another at work leaves it the
 * work, and stays only until it is done: the other one may have been killed, when its session keeps
 * the lock up to the end of its statement.
 */
static int work(struct conn *conn, const char *database, bool spare, struct err *err)
{
	CLEANUP(mem_cleanup) char *new_name = sibling_name(database, MARK_NEW, NULL, false);

	for (int round = 0, wait = 0; round < ROUNDS && wait < WAITS; round++) {
		CLEANUP(siblings_release) struct siblings siblings = SIBLINGS_INIT;
		bool locked;

		if (siblings_find(conn, database, &siblings, err) != 0)
			return -1;
		if (!has_work(&siblings, new_name, spare))
			return 0;
		if (database_try_background_lock(conn, database, &locked, err) != 0)
			return -1;
		if (!locked) {
			wait++;
			round--;
			clock_sleep_ms(WAIT_MS);
			continue;
		}
		if (one_round(conn, database, spare, err) != 0 ||
			database_release_background_lock(conn, database, err) != 0)
			return -1;
	}
	return 0;
}

void background_work(struct context *context, struct conn *conn, bool spare)
{
	CLEANUP(err_release) struct err err = ERR_INIT;

	if (work(conn, context->target.database, spare, &err) != 0)
		out_detail("what is no longer wanted is cleared away later: %s", err.message);
}

void background_start(struct context *context, bool spare)
{
	struct conn *conn;
	struct err ignored = ERR_INIT;

	if (!process_detach())
		return;
	out_set_quiet(true);
	if (context_connect_maintenance(context, &conn, &ignored) == 0) {
		background_work(context, conn, spare);
		conn_close(conn);
	}
	_exit(0);
}
