/* How the new database gets the old one's name, and what becomes of the old one. */
#include "app/reset_internal.h"

#include "app/heal.h"
#include "app/known_marks.h"
#include "base/mem.h"
#include "pg/database.h"
#include "term/out.h"

#include <string.h>

/* Whom the new database is to belong to besides who it was made for: the old one's owner. */
static const char *new_owner(const struct reset *reset)
{
	const struct sibling *old = &reset->siblings.self;

	if (!reset->siblings.found || strcmp(reset->owner, old->owner) == 0)
		return NULL;
	if (old->may_give)
		return old->owner;
	out_warning(
		"the new database \"%s\" belongs to role \"%s\": yours may not give it to \"%s\", "
		"which the old one belongs to",
		reset->database, reset->owner, old->owner);
	return NULL;
}

/* Whether the comment has a mark that protects, which the database had not at the beginning. */
static bool is_newly_marked(const struct reset *reset, const char *comment)
{
	return reset->mark != PROTECTION_MARKED &&
	       protection_read(comment, NULL) == PROTECTION_MARKED;
}

static int refuse_marked(const struct reset *reset, struct err *err)
{
	CLEANUP(mem_cleanup) char *confirm = protection_confirm_option(reset->database);

	err_set(err, ERR_REFUSED,
		"refusing to reset database \"%s\": it was marked as protected while the new "
		"one was made",
		reset->database);
	err_hint(err, "If you mean it: %s.", confirm);
	return -1;
}

/*
 * Making the new database may take its time, in which somebody may have marked the old one: nobody
 * has given its name for that. What else its comment says by now is kept.
 */
static int look_again(struct reset *reset, struct err *err)
{
	struct sibling *self = &reset->siblings.self;
	CLEANUP(mem_cleanup) char *comment = NULL;

	if (!reset->had_old)
		return 0;
	if (database_comment(reset->conn, reset->database, &comment, err) != 0)
		return -1;
	if (is_newly_marked(reset, comment)) {
		if (!reset->context->confirmed)
			return refuse_marked(reset, err);
		reset->mark = protection_read(comment, &reset->marked_as);
	}
	mem_free(self->comment);
	self->comment = take_ptr(comment);
	return 0;
}

static int exchange(struct reset *reset, const char *new_name, const char *comment, bool complete,
	struct err *err)
{
	const struct sibling *self = &reset->siblings.self;
	CLEANUP(mark_release)
	struct mark old_mark = reset_mark(reset, complete ? MARK_DROP : MARK_OLD);
	CLEANUP(mark_release)
	struct mark new_mark = reset_mark(reset, complete ? MARK_MADE : MARK_LOADING);
	CLEANUP(mem_cleanup)
	char *old_name = complete ? heal_name(reset->database, MARK_DROP, self->oid)
				  : sibling_name(reset->database, MARK_OLD, NULL, false);
	CLEANUP(mem_cleanup)
	char *new_comment = protection_write(comment, reset->mark, reset->marked_as);
	struct database_change changes[2] = { DATABASE_CHANGE_INIT, DATABASE_CHANGE_INIT };
	size_t count = 0;

	/* Where a script has written over the comment of the half-made one it can still be told
	 * from one that somebody else has made. */
	if (reset->had_old && !complete &&
		database_oid(reset->conn, new_name, &old_mark.oid, err) != 0)
		return -1;
	mark_keep(&old_mark, &self->mark, reset->database);
	if (complete) {
		memcpy(new_mark.key, reset->keys.full, sizeof(new_mark.key));
		memcpy(new_mark.base, reset->keys.schema, sizeof(new_mark.base));
		new_mark.seeded = true;
	}
	if (reset->had_old) {
		changes[count].name = reset->database;
		changes[count].new_name = old_name;
		changes[count].mark = &old_mark;
		changes[count].unused = !reset->connected;
		changes[count++].comment = self->comment;
	}
	changes[count].name = new_name;
	changes[count].new_name = reset->database;
	changes[count].mark = &new_mark;
	changes[count].comment = new_comment;
	changes[count].owner = new_owner(reset);
	changes[count].unused = true;
	/* A copy that was kept may have taken none; a new database does. */
	if (reset->holds_schema)
		changes[count].allow_connections = 1;
	count++;
	reset->completing = complete;
	reset->sent = true;
	if (databases_change(reset->conn, changes, count, reset->force, err) != 0)
		return -1;
	reset->open = reset->exchanged = true;
	reset->made_new = false;
	return 0;
}

int reset_exchange(struct reset *reset, const char *new_name, const char *comment, bool complete,
	struct err *err)
{
	return look_again(reset, err) != 0 || exchange(reset, new_name, comment, complete, err) != 0
		       ? -1
		       : 0;
}

char *reset_protect(const struct reset *reset, const char *comment)
{
	if (reset->mark == PROTECTION_UNMARKED ||
		(reset->mark == PROTECTION_LIFTED &&
			protection_read(comment, NULL) == PROTECTION_MARKED))
		return mem_strdup(comment);
	return protection_write(comment, reset->mark, reset->marked_as);
}

/* What the old database becomes. */
struct farewell {
	struct mark mark;
	char *name;
};

static void farewell_release(struct farewell *farewell)
{
	mark_release(&farewell->mark);
	mem_free(farewell->name);
}

/* One that somebody has marked since it was put aside is not dropped. */
static void take_leave(const struct reset *reset, const struct sibling *old,
	struct farewell *ret_farewell, struct database_change *change)
{
	const bool keeps = is_newly_marked(reset, old->comment);

	ret_farewell->mark = reset_mark(reset, keeps ? MARK_SNAPSHOT : MARK_DROP);
	if (keeps) {
		ret_farewell->mark.tag = mem_printf("marked-%lu", (unsigned long)old->oid);
		ret_farewell->name =
			sibling_name(reset->database, MARK_SNAPSHOT, ret_farewell->mark.tag, false);
		change->allow_connections = 0;
	} else {
		ret_farewell->name = heal_name(reset->database, MARK_DROP, old->oid);
	}
	change->name = old->name;
	change->new_name = ret_farewell->name;
	change->mark = &ret_farewell->mark;
	change->unused = !keeps;
	change->comment = old->comment;
}

/* Of an old database that is not dropped. */
static void tell_kept(
	const struct reset *reset, const struct siblings *now, const struct farewell *farewell)
{
	if (farewell->mark.tag)
		out_warning("the old database was marked as protected while the reset was at work, "
			    "and is kept as snapshot \"%s\"; db-snapshot lists, restores and drops "
			    "it",
			farewell->mark.tag);
	else if (reset->had_old && !farewell->name && now->in_the_way.name)
		out_warning(
			"database \"%s\" stays: it had the name of the old one, and its comment, "
			"written anew while the reset was at work, does not say any more that it "
			"is; rename or drop it before the next reset",
			now->in_the_way.name);
}

/* By a script, or by somebody while the reset was at work: the next one needs the name. */
static void tell_marked(const struct reset *reset, const char *comment)
{
	CLEANUP(mem_cleanup) char *as = NULL;

	protection_read(comment, &as);
	out_info(
		"database \"%s\" was marked as protected meanwhile, and stays so", reset->database);
	known_marks_set(reset->context, reset->conn, as ? as : reset->context->target.name);
}

int reset_complete(struct reset *reset, struct err *err)
{
	CLEANUP(siblings_release) struct siblings now = SIBLINGS_INIT;
	CLEANUP(farewell_release) struct farewell farewell = { 0 };
	CLEANUP(mark_release) struct mark made = reset_mark(reset, MARK_MADE);
	CLEANUP(mem_cleanup) char *comment = NULL;
	struct database_change changes[2] = { DATABASE_CHANGE_INIT, DATABASE_CHANGE_INIT };
	const struct sibling *old;
	size_t count = 1;

	if (siblings_find(reset->conn, reset->database, &now, err) != 0)
		return -1;
	if (!now.found)
		return err_set(err, ERR_FAILED,
			"database \"%s\" is gone: the scripts or somebody else dropped it",
			reset->database);
	changes[0].name = reset->database;
	comment = reset_protect(reset, now.self.comment);
	changes[0].comment = comment;
	changes[0].unmark = !reset->caching;
	if (!reset->open)
		changes[0].allow_connections = 1;
	if (reset->caching) {
		memcpy(made.key, reset->keys.full, sizeof(made.key));
		memcpy(made.base, reset->keys.schema, sizeof(made.base));
		changes[0].mark = &made;
	}
	old = siblings_get(&now, MARK_OLD, NULL);
	if (old)
		take_leave(reset, old, &farewell, &changes[count++]);
	reset->completing = true;
	if (databases_change(reset->conn, changes, count, true, err) != 0)
		return -1;
	tell_kept(reset, &now, &farewell);
	if (is_newly_marked(reset, comment))
		tell_marked(reset, comment);
	return 0;
}
