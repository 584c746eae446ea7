#include "app/heal.h"

#include "app/alias.h"
#include "base/mem.h"
#include "base/message.h"
#include "pg/database.h"
#include "term/out.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

bool heal_is_half_made(const struct siblings *siblings)
{
	return siblings->found && siblings->self.mark.kind == MARK_LOADING;
}

/*
 * Its comment is the only thing that nobody but its owner writes: without our mark in it somebody
 * may have gone on with it. Who says to be its old one need not be.
 */
static bool gives_way(const struct siblings *siblings, const struct sibling *old)
{
	return heal_is_half_made(siblings) && (!old || old->fits);
}

/* What it was made from, or a copy of, is in its mark while it is aside. */
static void set_mark_back(struct database_change *change, const struct mark *old, struct mark *made)
{
	if (mark_back(made, old))
		change->mark = made;
	else
		change->unmark = true;
}

char *heal_name(const char *database, enum mark_kind kind, uint32_t oid)
{
	char tag[16];

	snprintf(tag, sizeof(tag), "%08x", oid);
	return sibling_name(database, kind, tag, false);
}

int heal(struct conn *conn, const char *database, struct siblings *siblings, bool own,
	enum healed *ret_healed, struct err *err)
{
	const struct sibling *old = siblings_get(siblings, MARK_OLD, NULL);
	const bool half = gives_way(siblings, old) || (own && old && siblings->found);
	CLEANUP(mark_release)
	struct mark aside = { .kind = own ? MARK_DROP : MARK_KILLED, .of = mem_strdup(database) };
	CLEANUP(mark_release) struct mark made = MARK_INIT;
	CLEANUP(mem_cleanup)
	char *aside_name = heal_name(database, aside.kind, siblings->self.oid);
	struct database_change changes[] = { DATABASE_CHANGE_INIT, DATABASE_CHANGE_INIT };
	size_t count = 0;

	*ret_healed = HEAL_NOTHING;
	if (old && siblings->found && !half) {
		*ret_healed = HEAL_SUPERSEDED;
		return 0;
	}
	if (half) {
		mark_sign(&aside);
		changes[count].name = database;
		changes[count].new_name = aside_name;
		changes[count].comment = siblings->self.comment;
		changes[count++].mark = &aside;
	}
	if (old) {
		changes[count].name = old->name;
		changes[count].new_name = database;
		changes[count].comment = old->comment;
		set_mark_back(&changes[count++], &old->mark, &made);
	}
	if (count == 0)
		return 0;
	if (databases_change(conn, changes, count, true, err) != 0)
		return -1;
	*ret_healed = old ? HEAL_RESTORED : HEAL_REMOVED;
	return siblings_find(conn, database, siblings, err);
}

/* "(process 12 of user u on host h, 2026-11-21 15:00:03)"; the caller owns it. */
static char *describe(const struct mark *mark)
{
	char when[32] = "";
	time_t at = (time_t)mark->at;
	struct tm parts;

	if (mark->at != 0 && localtime_r(&at, &parts))
		strftime(when, sizeof(when), ", %Y-%m-%d %H:%M:%S", &parts);
	return message_line("process %ld of %s on %s%s", mark->pid, mark->user ? mark->user : "?",
		mark->host ? mark->host : "?", when);
}

/* Both were left as they are. */
static void tell_superseded(const char *database, const struct siblings *siblings,
	const char *old_name, const char *who)
{
	const struct sibling *old = siblings_get(siblings, MARK_OLD, NULL);

	if (!old->fits)
		out_warning("a reset of database \"%s\" was killed (%s); \"%s\" stays aside, since "
			    "it belongs to role \"%s\", and \"%s\" to role \"%s\"",
			database, who, old_name, old->owner, database, siblings->self.owner);
	else if (old->mark.oid != siblings->self.oid)
		out_warning("a reset of database \"%s\" was killed (%s); its old database stays "
			    "aside as \"%s\", since \"%s\" was made anew by somebody else",
			database, who, old_name, database);
	else
		out_warning(
			"a reset of database \"%s\" was killed (%s); its old database stays "
			"aside as \"%s\", since somebody has written the comment of \"%s\" anew "
			"and may have gone on with it",
			database, who, old_name, database);
	out_info("db-drop and then db-create give \"%s\" its name back; db-setup keeps it as a "
		 "snapshot",
		old_name);
}

/* The same, and says on stderr what was healed. */
static int heal_and_tell(
	struct conn *conn, const char *database, struct siblings *siblings, struct err *err)
{
	const struct sibling *old = siblings_get(siblings, MARK_OLD, NULL);
	CLEANUP(mem_cleanup) char *who = describe(old ? &old->mark : &siblings->self.mark);
	CLEANUP(mem_cleanup) char *old_name = old ? mem_strdup(old->name) : NULL;
	CLEANUP(mem_cleanup)
	char *aside = siblings->found ? heal_name(database, MARK_KILLED, siblings->self.oid) : NULL;
	enum healed healed;

	if (heal(conn, database, siblings, false, &healed, err) != 0)
		return -1;
	switch (healed) {
	case HEAL_RESTORED:
		out_info("a reset of database \"%s\" was killed (%s): its old database is back",
			database, who);
		break;
	case HEAL_REMOVED:
		out_info(
			"a reset of database \"%s\" was killed (%s): what it had made is no longer "
			"under that name",
			database, who);
		break;
	case HEAL_SUPERSEDED:
		tell_superseded(database, siblings, old_name, who);
		return 0;
	default:
		return 0;
	}
	if (aside)
		out_info("%s stays as \"%s\" until a reset succeeds, or db-drop",
			healed == HEAL_RESTORED ? "what it had made" : "it", aside);
	return 0;
}

static void tell_lock(void *context, const char *holder)
{
	const char *database = context;

	out_info("waiting: another command has database \"%s\"%s%s%s", database, holder ? " (" : "",
		holder ? holder : "", holder ? ")" : "");
}

/* Whose comment says whether the database is protected. */
static const struct sibling *bearer(const struct siblings *siblings)
{
	const struct sibling *old = siblings_get(siblings, MARK_OLD, NULL);

	if (old && protection_read(siblings->self.comment, NULL) == PROTECTION_UNMARKED)
		return old;
	/* What is left of it has the mark that it had; its snapshots stay whatever is done. */
	for (size_t i = 0; i < siblings->count && !siblings->found; i++)
		if (siblings->items[i].mark.kind != MARK_SNAPSHOT &&
			protection_read(siblings->items[i].comment, NULL) == PROTECTION_MARKED)
			return &siblings->items[i];
	return &siblings->self;
}

const char *heal_comment(const struct siblings *siblings)
{
	return bearer(siblings)->comment;
}

/* It takes connections, and whoever does not get there has not been led to it. */
static bool is_reachable(const struct siblings *siblings)
{
	return siblings->found && !siblings->self.invalid &&
	       siblings->self.mark.kind != MARK_LOADING;
}

int heal_lock(struct context *context, struct conn *conn, bool makes, struct siblings *siblings,
	struct err *err)
{
	CLEANUP(mem_cleanup) char *name = mem_strdup(context->target.database);
	bool reachable;

	if (database_lock(conn, name, tell_lock, name, err) != 0 ||
		siblings_find(conn, name, siblings, err) != 0)
		return -1;
	reachable = is_reachable(siblings);
	if (!reachable && (makes || siblings->found))
		return 0;
	return alias_check(context, conn, reachable, err);
}

int heal_found(
	struct context *context, struct conn *conn, struct siblings *siblings, struct err *err)
{
	const bool reachable = is_reachable(siblings);

	/* What they want to do tells them. */
	if (siblings->in_recovery || !siblings->may_create)
		return 0;
	if (heal_and_tell(conn, context->target.database, siblings, err) != 0)
		return -1;
	/* An old database has its name back. */
	return !reachable && is_reachable(siblings) ? alias_check(context, conn, true, err) : 0;
}

/* One that goes with the database, and that a mark protects; NULL: none. */
static const struct sibling *marked_killed(const struct siblings *siblings)
{
	for (size_t i = 0; i < siblings->count; i++) {
		const struct sibling *sibling = &siblings->items[i];

		if (sibling->mark.kind == MARK_KILLED && sibling->is_owner &&
			protection_read(sibling->comment, NULL) == PROTECTION_MARKED)
			return sibling;
	}
	return NULL;
}

/* By what a sibling has in its comment, which is named if that protects. */
static int decide_by(const struct guard *guard, struct conn *conn, const struct sibling *sibling,
	const char *what, struct err *err)
{
	CLEANUP(mem_cleanup) char *carrier = NULL;
	struct guard own = *guard;

	if (protection_read(sibling->comment, NULL) == PROTECTION_MARKED) {
		carrier = mem_printf("database \"%s\", which %s,", sibling->name, what);
		own.carrier = carrier;
	}
	return guard_decide(&own, conn, sibling->comment, err);
}

int heal_decide(const struct guard *guard, struct conn *conn, const struct siblings *siblings,
	struct err *err)
{
	const struct sibling *killed = guard->clears ? marked_killed(siblings) : NULL;
	const struct sibling *own = bearer(siblings);

	if (own == &siblings->self) {
		if (guard_decide(guard, conn, own->comment, err) != 0)
			return -1;
	} else if (decide_by(guard, conn, own,
			   own->mark.kind == MARK_OLD ? "a reset that was killed has put aside"
						      : "is left of it",
			   err) != 0) {
		return -1;
	}
	if (!killed || killed == own || guard->context->confirmed)
		return 0;
	return decide_by(guard, conn, killed, "goes with it", err);
}

int heal_locked(struct context *context, struct conn *conn, const struct guard *guard, bool makes,
	struct siblings *siblings, struct err *err)
{
	if (heal_lock(context, conn, makes, siblings, err) != 0)
		return -1;
	if (guard && heal_decide(guard, conn, siblings, err) != 0)
		return -1;
	return heal_found(context, conn, siblings, err);
}

void drop_unwanted(struct conn *conn, const struct siblings *siblings)
{
	for (size_t i = 0; i < siblings->count; i++) {
		CLEANUP(err_release) struct err ignored = ERR_INIT;
		const struct sibling *sibling = &siblings->items[i];
		bool dropped;

		if (sibling->mark.kind == MARK_DROP && sibling->is_owner &&
			database_drop(conn, sibling->name, NULL, true, &dropped, &ignored) != 0)
			out_detail("database \"%s\" stays for now: %s", sibling->name,
				ignored.message);
	}
}

int drop_kept(struct conn *conn, const struct siblings *siblings, struct err *err)
{
	size_t snapshots = 0, copies = 0;
	bool dropped;

	for (size_t i = 0; i < siblings->count; i++) {
		const struct sibling *sibling = &siblings->items[i];

		if (sibling->mark.kind == MARK_SNAPSHOT) {
			snapshots++;
			continue;
		}
		copies += sibling->mark.kind == MARK_COPY;
		if (sibling->mark.kind != MARK_COPY && sibling->mark.kind != MARK_OLD &&
			!sibling->is_owner)
			out_info("database \"%s\", kept for resets, is not dropped: it belongs to "
				 "role \"%s\"",
				sibling->name, sibling->owner);
		/* An old one that is still aside was superseded; it comes back now. */
		if (sibling->mark.kind == MARK_COPY || sibling->mark.kind == MARK_OLD ||
			!sibling->is_owner)
			continue;
		if (database_drop(conn, sibling->name, NULL, true, &dropped, err) != 0)
			return -1;
		if (dropped)
			out_detail("dropped database \"%s\" too", sibling->name);
	}
	if (snapshots > 0)
		out_info("%zu snapshot%s of it stay%s; db-snapshot lists and drops them", snapshots,
			snapshots == 1 ? "" : "s", snapshots == 1 ? "s" : "");
	if (copies > 0)
		out_info("%zu cop%s made by db-setup --copies stay%s", copies,
			copies == 1 ? "y" : "ies", copies == 1 ? "s" : "");
	return 0;
}
