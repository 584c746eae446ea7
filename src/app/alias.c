#include "app/alias.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "pg/database.h"
#include "pg/sessions.h"

#include <string.h>

#define ANSWER_MS 15000
/* How long a session that we have left may take to end. */
#define END_MS 2000
#define END_PAUSE_MS 2

static int refuse_name(const struct context *context, const char *name, struct err *err)
{
	err_set(err, ERR_REFUSED, "database \"%s\" is called \"%s\" on the server",
		context->target.database, name);
	err_detail(err, "A pooler on the way has it under another name.");
	err_hint(err, "Name the server itself and \"%s\" in %s.", name, context->target.origin);
	return -1;
}

int alias_refuse(const struct context *context, struct conn *conn, struct err *err)
{
	CLEANUP(mem_cleanup) char *name = NULL;

	if (database_own_name(conn, &name, err) != 0)
		return -1;
	return strcmp(name, context->target.database) == 0 ? 0 : refuse_name(context, name, err);
}

int alias_compare(const struct context *context, const struct identity *ours,
	const struct identity *theirs, struct err *err)
{
	if (strcmp(ours->database, context->target.database) != 0)
		return refuse_name(context, ours->database, err);
	if (identity_same_run(ours, theirs))
		return 0;
	err_set(err, ERR_REFUSED,
		"database \"%s\" is on another server than the maintenance database",
		context->target.database);
	err_detail(err, "A pooler or a proxy on the way leads to several servers.");
	err_hint(err, "Name the server itself in %s.", context->target.origin);
	return -1;
}

int alias_place(struct conn *conn, struct identity *ret_identity, struct err *err)
{
	return identity_ask_place(conn, clock_ms() + ANSWER_MS, ret_identity, err);
}

/*
 * In a transaction that stays open: so the pooler closes its session too, which would be in the way
 * of what is to be done.
 */
static int ask(struct context *context, struct identity *identity, struct err *err)
{
	CLEANUP(conn_cleanup) struct conn *conn = NULL;

	if (context_connect_database(context, context->target.database, false, &conn, err) != 0 ||
		conn_exec(conn, "BEGIN", err) != 0)
		return -1;
	return alias_place(conn, identity, err);
}

static int wait_for_end(struct conn *conn, const char *process, struct err *err)
{
	const int64_t deadline = clock_ms() + END_MS;

	do {
		bool exists;

		if (session_exists(conn, process, &exists, err) != 0)
			return -1;
		if (!exists)
			return 0;
		clock_sleep_ms(END_PAUSE_MS);
		if (interrupt_check(err) != 0)
			return -1;
	} while (clock_ms() < deadline);
	return 0;
}

int alias_check(struct context *context, struct conn *conn, bool found, struct err *err)
{
	CLEANUP(identity_release) struct identity ours = IDENTITY_INIT, theirs = IDENTITY_INIT;

	if (!conn_is_pooled(conn))
		return 0;
	if (ask(context, &ours, err) != 0) {
		if (found || err->kind == ERR_INTERRUPTED) {
			err_note_line(err, "Nothing was changed.");
			return -1;
		}
		err_release(err);
		return 0;
	}
	if (alias_place(conn, &theirs, err) != 0)
		return -1;
	if (alias_compare(context, &ours, &theirs, err) != 0) {
		err_note_line(err, "Nothing was changed.");
		return -1;
	}
	return wait_for_end(conn, ours.process, err);
}
