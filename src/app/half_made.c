#include "app/half_made.h"

#include "app/heal.h"
#include "base/mem.h"
#include "base/message.h"
#include "pg/database.h"
#include "term/out.h"

#include <string.h>

/* old: the name that the old database has; NULL: there is none. The caller owns it. */
static char *describe(const char *database, const char *old, bool at_work)
{
	return message_line("database \"%s\" is not complete: %s%s%s%s", database,
		at_work ? "a reset is at work on it" : "a reset of it was killed",
		old ? "; the old one is kept as \"" : "", old ? old : "", old ? "\"" : "");
}

/* *ret_what: the caller's; NULL: it is complete. */
static int find(
	struct conn *conn, const char *comment, char **ret_what, bool *ret_at_work, struct err *err)
{
	CLEANUP(mark_release) struct mark mark = MARK_INIT;
	CLEANUP(mem_cleanup) char *name = NULL;
	CLEANUP(mem_cleanup) char *old = NULL;
	uint32_t oid = 0;

	*ret_what = NULL;
	if (!mark_parse(comment, &mark) || mark.kind != MARK_LOADING)
		return 0;
	if (database_own_name(conn, &name, err) != 0)
		return -1;
	/* One that was renamed is its owner's. */
	if (strcmp(name, mark.of) != 0)
		return 0;
	old = sibling_name(name, MARK_OLD, NULL, false);
	if (database_is_locked(conn, name, ret_at_work, err) != 0 ||
		database_oid(conn, old, &oid, err) != 0)
		return -1;
	*ret_what = describe(name, oid != 0 ? old : NULL, *ret_at_work);
	return 0;
}

int half_made_refuse(struct conn *conn, const char *comment, struct err *err)
{
	CLEANUP(mem_cleanup) char *what = NULL;
	bool at_work;

	if (find(conn, comment, &what, &at_work, err) != 0)
		return -1;
	if (!what)
		return 0;
	err_set(err, ERR_FAILED, "%s", what);
	err_note_line(err, "Nothing was changed.");
	err_hint(err, at_work ? "Run it again when the reset is done."
			      : "Run db-setup or db-create first.");
	return -1;
}

int half_made_warn(struct conn *conn, const char *comment, struct err *err)
{
	CLEANUP(mem_cleanup) char *what = NULL;
	bool at_work;

	if (find(conn, comment, &what, &at_work, err) != 0)
		return -1;
	if (what)
		out_warning("%s", what);
	return 0;
}

int half_made_left(const char *database, const struct siblings *siblings, struct err *err)
{
	const struct sibling *old = siblings_get(siblings, MARK_OLD, NULL);
	CLEANUP(mem_cleanup) char *what = NULL;

	if (heal_is_half_made(siblings))
		what = describe(database, old ? old->name : NULL, false);
	else if (!siblings->found && old)
		what = message_line("database \"%s\" does not exist: a reset of it was killed; the "
				    "old one is kept as \"%s\"",
			database, old->name);
	else
		return 0;
	err_set(err, ERR_FAILED, "%s", what);
	err_note_line(err, "Nothing was changed.");
	err_hint(err, "A role that may create databases has to run db-create first.");
	return -1;
}
