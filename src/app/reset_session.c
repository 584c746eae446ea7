/* The session that schema and seed are loaded by. */
#include "app/reset_internal.h"

#include "app/alias.h"
#include "base/mem.h"
#include "pg/database.h"
#include "term/out.h"

#include <string.h>
#include <unistd.h>

int reset_allow_connections(struct reset *reset, bool allow, struct err *err)
{
	const struct database_change change = {
		.name = reset->database,
		.allow_connections = allow,
	};

	if (reset->open == allow)
		return 0;
	if (databases_change(reset->conn, &change, 1, true, err) != 0)
		return -1;
	reset->open = allow;
	return 0;
}

/* --- where it leads ----------------------------------------------------------------------------
 */

static int refuse_place(const struct reset *reset, struct err *err)
{
	err_set(err, ERR_REFUSED,
		"what %s leads to is not the database \"%s\" that was made for this reset",
		reset->context->target.origin, reset->database);
	err_detail(err, "A pooler or a proxy on the way leads elsewhere with that name.");
	err_hint(err, "Name the server itself in %s.", reset->context->target.origin);
	return -1;
}

/* Both end at one socket, so that there is nobody between who could lead elsewhere. */
static bool is_same_socket(struct conn *a, struct conn *b)
{
	PGconn *one = conn_pg(a), *other = conn_pg(b);

	return *PQhost(one) == '/' && strcmp(PQhost(one), PQhost(other)) == 0 &&
	       strcmp(PQport(one), PQport(other)) == 0 && !conn_is_pooled(a);
}

/* Until a script has run, the comment is the one that we have given it. */
static bool has_our_mark(const struct reset *reset, const char *comment)
{
	CLEANUP(mark_release) struct mark mark = MARK_INIT;

	mark_parse(comment, &mark);
	return mark.kind == MARK_LOADING && mark.pid == (long)getpid() &&
	       strcmp(mark.of, reset->database) == 0;
}

int reset_mark_again(struct reset *reset, struct err *err)
{
	CLEANUP(mark_release) struct mark mark = reset_mark(reset, MARK_LOADING);
	CLEANUP(mem_cleanup) char *comment = NULL;
	CLEANUP(mem_cleanup) char *protected_comment = NULL;
	struct database_change change = DATABASE_CHANGE_INIT;

	if (database_comment(reset->conn, reset->database, &comment, err) != 0)
		return -1;
	if (has_our_mark(reset, comment))
		return 0;
	protected_comment = reset_protect(reset, comment);
	change.name = reset->database;
	change.comment = protected_comment;
	change.mark = &mark;
	return databases_change(reset->conn, &change, 1, true, err);
}

/* Before anything is run there. */
static int check_place(struct reset *reset, struct err *err)
{
	CLEANUP(identity_release) struct identity identity = IDENTITY_INIT;
	const struct identity maintenance = { .start = reset->started };

	if (is_same_socket(reset->conn, reset->work))
		return 0;
	if (alias_place(reset->work, &identity, err) != 0 ||
		alias_compare(reset->context, &identity, &maintenance, err) != 0)
		return -1;
	if (!reset->placed && !has_our_mark(reset, identity.comment))
		return refuse_place(reset, err);
	reset->placed = true;
	return 0;
}

/* --- opening -----------------------------------------------------------------------------------
 */

static int open_to_others(struct reset *reset, struct err *err)
{
	return reset_allow_connections(reset, true, err) != 0 ||
			       (!reset->work && context_connect(reset->context, false, &reset->work,
							err) != 0)
		       ? -1
		       : check_place(reset, err);
}

/*
 * Who slips in while the door is open for us is sent away again. Where we may not do that the
 * result is not kept.
 */
static int open_closed(struct reset *reset, struct err *err)
{
	CLEANUP(err_release) struct err own = ERR_INIT;
	bool ours = true;

	if (reset_allow_connections(reset, true, err) != 0 ||
		context_connect(reset->context, false, &reset->work, err) != 0 ||
		reset_allow_connections(reset, false, err) != 0)
		return -1;
	reset->openings++;
	if (database_end_others(reset->conn, reset->database, reset->work, &reset->closed_xid,
		    &ours, &own) == 0)
		return ours ? 0 : refuse_place(reset, err);
	if (own.kind == ERR_INTERRUPTED || own.kind == ERR_CONNECT) {
		*err = own;
		own = (struct err)ERR_INIT;
		return -1;
	}
	out_detail("no copy is kept, since others are connected: %s", own.message);
	reset->closed = false;
	return open_to_others(reset, err);
}

int reset_open(struct reset *reset, struct err *err)
{
	if (conn_is_open(reset->work))
		return 0;
	/* A script that connects elsewhere has left it. */
	reset_close(reset);
	return reset->closed ? open_closed(reset, err) : open_to_others(reset, err);
}

void reset_close(struct reset *reset)
{
	conn_close(take_ptr(reset->work));
}
