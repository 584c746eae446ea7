#include "app/making.h"

#include "app/background.h"
#include "app/heal.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "pg/database.h"
#include "term/out.h"

/* How often it is looked whether the background is done, and when the user is told. */
#define LOOK_MS 20
#define TELL_MS 1000

static int wait_for_background(struct conn *conn, const char *database, struct err *err)
{
	int64_t start = clock_ms();
	bool locked = false, told = false;

	for (;;) {
		if (database_try_background_lock(conn, database, &locked, err) != 0)
			return -1;
		if (locked)
			return 0;
		if (!told && clock_ms() - start >= TELL_MS) {
			out_info("waiting: a copy of database \"%s\" is being made in the "
				 "background",
				database);
			told = true;
		}
		clock_sleep_ms(LOOK_MS);
		if (interrupt_check(err) != 0)
			return -1;
	}
}

int making_begin(
	struct conn *conn, const char *database, struct siblings *siblings, struct err *err)
{
	bool dropped;

	if (wait_for_background(conn, database, err) != 0)
		return -1;
	siblings_release(siblings);
	if (siblings_find(conn, database, siblings, err) != 0)
		return -1;
	/* With both locks held nobody is at work on these. */
	for (size_t i = 0; i < siblings->count; i++)
		if (siblings->items[i].mark.kind == MARK_NEW && siblings->items[i].is_owner &&
			database_drop(conn, siblings->items[i].name, NULL, true, &dropped, err) !=
				0)
			return -1;
	drop_unwanted(conn, siblings);
	siblings_release(siblings);
	return siblings_find(conn, database, siblings, err);
}

void making_end(struct context *context, struct conn *conn, bool held)
{
	CLEANUP(err_release) struct err ignored = ERR_INIT;

	/* Who has sent a signal does not want to wait; the lock ends with the connection. */
	if (interrupt_seen() || (held && database_release_background_lock(
						 conn, context->target.database, &ignored) != 0))
		return;
	(void)background_work(context, conn, 0, &ignored);
}

int making_copy(
	struct conn *conn, const char *source, const char *making, bool force, struct err *err)
{
	if (database_copy(conn, source, making, false, force, err) == 0)
		return 0;
	/* A signal may have come too late to prevent it. */
	if (err->kind == ERR_INTERRUPTED)
		making_drop(conn, making);
	return -1;
}

void making_drop(struct conn *conn, const char *making)
{
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	bool dropped;

	if (database_drop(conn, making, NULL, true, &dropped, &ignored) != 0)
		out_detail("database \"%s\" stays for now: %s", making, ignored.message);
}

static void refuse(const char *database, const char *verb, const char *why, struct err *err)
{
	err_set(err, ERR_FAILED, "cannot %s database \"%s\": %s", verb, database, why);
}

/* A statement that a superuser may type. */
static int refuse_role(struct conn *conn, const struct siblings *siblings, const char *database,
	const char *verb, struct err *err)
{
	CLEANUP(mem_cleanup) char *role = conn_identifier(conn, siblings->role);
	CLEANUP(mem_cleanup) char *name = conn_identifier(conn, database);

	if (!siblings->may_create) {
		refuse(database, verb, "your role may not create databases", err);
		err_hint(err, "A superuser allows it with: ALTER ROLE %s CREATEDB", role);
		return -1;
	}
	refuse(database, verb, "you are not its owner", err);
	err_hint(err,
		"Its owner, \"%s\", or a superuser gives it to your role with: ALTER DATABASE "
		"%s OWNER TO %s",
		siblings->self.owner, name, role);
	return -1;
}

int making_check(struct conn *conn, const struct siblings *siblings, const char *database,
	const char *verb, struct err *err)
{
	if (siblings->in_recovery) {
		refuse(database, verb, "the server is a read-only standby", err);
		err_hint(err, "Use the URL of its primary.");
		return -1;
	}
	if (!siblings->may_create || (siblings->found && !siblings->self.is_owner))
		return refuse_role(conn, siblings, database, verb, err);
	return 0;
}

int making_warn(struct conn *conn, const char *database, const char *what, bool keeps_comment,
	struct err *err)
{
	CLEANUP(mem_cleanup) char *lacking = NULL;

	if (database_uncopied(conn, database, !keeps_comment, &lacking, err) != 0)
		return -1;
	if (lacking)
		out_warning("%s does not have what database \"%s\" has besides its contents: %s",
			what, database, lacking);
	return 0;
}
