#include "app/background.h"

#include "app/cache.h"
#include "app/heal.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/process.h"
#include "pg/database.h"
#include "pg/protection.h"
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
static bool is_unwanted(const struct siblings *siblings, const struct sibling *sibling,
	const char *new_name, unsigned flags)
{
	const struct sibling *good;

	switch (sibling->mark.kind) {
	case MARK_DROP:
		return true;
	case MARK_KILLED:
		return flags & BACKGROUND_KILLED &&
		       (flags & BACKGROUND_MARKED ||
			       protection_read(sibling->comment, NULL) != PROTECTION_MARKED);
	case MARK_NEW:
		/* One under new_name is in the works of a reset; the others are ours, killed. */
		return strcmp(sibling->name, new_name) != 0;
	case MARK_TEMPLATE:
	case MARK_SPARE:
		if (flags & BACKGROUND_FORGET)
			return true;
		if (!siblings->found || siblings->self.mark.kind != MARK_MADE)
			return false;
		good = good_template(siblings);
		return !good || strcmp(good->mark.key, sibling->mark.key) != 0 ||
		       good->mark.seeded != sibling->mark.seeded;
	default:
		return false;
	}
}

static bool has_work(const struct siblings *siblings, const char *new_name, unsigned flags)
{
	for (size_t i = 0; i < siblings->count; i++)
		if (siblings->items[i].is_owner &&
			is_unwanted(siblings, &siblings->items[i], new_name, flags))
			return true;
	return (flags & BACKGROUND_SPARE) && spare_source(siblings);
}

/*
 * The first session of a database writes a file that saves every later one a millisecond or two
 * (pg_internal.init), and finds what it reads in no memory yet.
 */
static void warm(struct context *context, const char *name)
{
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	CLEANUP(err_release) struct err ignored = ERR_INIT;

	(void)context_connect_database(context, name, true, &conn, &ignored);
}

static int make_spare(
	struct context *context, struct conn *conn, const struct sibling *template, struct err *err)
{
	const char *database = context->target.database;
	CLEANUP(mem_cleanup)
	char *making = sibling_name(database, MARK_SPARE, template->mark.key, true);
	CLEANUP(mem_cleanup)
	char *name = sibling_name(database, MARK_SPARE, template->mark.key, false);
	CLEANUP(siblings_release) struct siblings now = SIBLINGS_INIT;
	CLEANUP(mark_release) struct mark mark = MARK_INIT;
	struct database_change change = DATABASE_CHANGE_INIT;
	bool dropped;

	if (database_copy(conn, template->name, making, true, true, err) != 0)
		return -1;
	warm(context, making);
	mark_copy(&mark, &template->mark);
	mark.kind = MARK_SPARE;
	change.name = making;
	change.new_name = name;
	change.mark = &mark;
	change.allow_connections = 0;
	if (databases_change(conn, &change, 1, true, err) != 0 ||
		siblings_find(conn, database, &now, err) != 0)
		return -1;
	/* Dropped for good in the meantime. */
	if (!now.found && !siblings_get(&now, MARK_OLD, NULL))
		return database_drop(conn, name, NULL, true, &dropped, err);
	return 0;
}

/* What cannot be dropped now keeps nothing else from being done; the first reason is told. */
static int one_round(struct context *context, struct conn *conn, unsigned flags, struct err *err)
{
	const char *database = context->target.database;
	CLEANUP(siblings_release) struct siblings siblings = SIBLINGS_INIT;
	CLEANUP(mem_cleanup) char *new_name = sibling_name(database, MARK_NEW, NULL, false);
	const struct sibling *source;
	bool dropped;

	if (siblings_find(conn, database, &siblings, err) != 0)
		return -1;
	for (size_t i = 0; i < siblings.count; i++) {
		CLEANUP(err_release) struct err one = ERR_INIT;

		if (!siblings.items[i].is_owner ||
			!is_unwanted(&siblings, &siblings.items[i], new_name, flags) ||
			database_drop(conn, siblings.items[i].name, NULL, true, &dropped, &one) ==
				0)
			continue;
		if (err->kind == ERR_NONE) {
			*err = one;
			one = (struct err)ERR_INIT;
		}
		if (err->kind == ERR_CONNECT || err->kind == ERR_INTERRUPTED)
			return -1;
	}
	source = flags & BACKGROUND_SPARE ? spare_source(&siblings) : NULL;
	if (source) {
		CLEANUP(err_release) struct err one = ERR_INIT;

		if (make_spare(context, conn, source, &one) != 0 && err->kind == ERR_NONE) {
			*err = one;
			one = (struct err)ERR_INIT;
		}
	}
	return err->kind == ERR_NONE ? 0 : -1;
}

/*
 * Only one process at a time works for a database. One that finds another at work leaves it the
 * work, but may stay until it is done: the other one may have been killed, when its session keeps
 * the lock up to the end of its statement. Of the processes in the background one stays.
 */
int background_work(struct context *context, struct conn *conn, unsigned flags, struct err *err)
{
	const char *database = context->target.database;
	CLEANUP(mem_cleanup) char *new_name = sibling_name(database, MARK_NEW, NULL, false);

	for (int round = 0, wait = 0; round < ROUNDS && wait < WAITS; round++) {
		CLEANUP(siblings_release) struct siblings siblings = SIBLINGS_INIT;
		CLEANUP(err_release) struct err ignored = ERR_INIT;
		bool locked;
		int failed;

		if (siblings_find(conn, database, &siblings, err) != 0)
			return -1;
		if (!has_work(&siblings, new_name, flags))
			return 0;
		if (database_try_background_lock(conn, database, &locked, err) != 0)
			return -1;
		if (!locked && !(flags & BACKGROUND_WAIT))
			return 0;
		if (!locked && (flags & BACKGROUND_CHILD) && wait == 0) {
			bool first = !database_maintains_template1(conn);

			if (first && database_try_waiting_lock(conn, database, &first, err) != 0)
				return -1;
			if (!first)
				return 0;
		}
		if (!locked) {
			wait++;
			round--;
			clock_sleep_ms(WAIT_MS);
			if (interrupt_check(err) != 0)
				return -1;
			continue;
		}
		if ((flags & BACKGROUND_CHILD) && wait > 0) {
			if (database_release_waiting_lock(conn, database, err) != 0)
				return -1;
			wait = 0;
		}
		failed = one_round(context, conn, flags, err);
		if (database_release_background_lock(conn, database, failed ? &ignored : err) !=
				0 ||
			failed)
			return -1;
	}
	return 0;
}

void background_start(struct context *context, unsigned flags)
{
	struct conn *conn;
	struct err ignored = ERR_INIT;

	if (!process_detach())
		return;
	context->at_once = true;
	out_set_quiet(true);
	if (context_connect_maintenance(context, &conn, &ignored) == 0) {
		(void)background_work(
			context, conn, flags | BACKGROUND_WAIT | BACKGROUND_CHILD, &ignored);
		conn_close(conn);
	}
	_exit(0);
}
