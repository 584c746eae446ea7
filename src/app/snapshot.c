#include "app/snapshot.h"

#include "app/heal.h"
#include "app/making.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "pg/database.h"
#include "pg/obstacle.h"

#include <string.h>

int snapshot_check_name(const char *name, struct err *err)
{
	size_t length = strlen(name);

	if (length < 1 || length > SNAPSHOT_NAME_MAX)
		return err_set(err, ERR_USAGE,
			"a snapshot's name has 1 to %d bytes; this one has %zu", SNAPSHOT_NAME_MAX,
			length);
	for (size_t i = 0; i < length;) {
		uint32_t code;
		size_t bytes = utf8_decode(name + i, length - i, &code);

		if (bytes == 0)
			return err_set(
				err, ERR_USAGE, "the snapshot's name \"%s\" is not UTF-8", name);
		if (code < 0x20 || (code >= 0x7F && code < 0xA0))
			return err_set(err, ERR_USAGE,
				"the snapshot's name \"%s\" holds a control character", name);
		i += bytes;
	}
	return 0;
}

/* --- the session ---------------------------------------------------------------------------------
 */

static bool is_marked(const char *comment)
{
	return protection_read(comment, NULL) == PROTECTION_MARKED;
}

static bool is_lost(const struct mark *mark, const struct snapshot_loss *loss)
{
	if (mark->kind != MARK_SNAPSHOT || mark->undo)
		return mark->kind == MARK_SNAPSHOT && loss->undo;
	return loss->name && mark->tag && strcmp(mark->tag, loss->name) == 0;
}

static int decide(const struct snapshot_session *session, const struct guard *guard,
	const struct snapshot_loss *loss, struct err *err)
{
	const struct siblings *siblings = &session->siblings;
	const char *comment = heal_comment(siblings);
	CLEANUP(mem_cleanup) char *carrier = NULL;
	struct guard own = *guard;

	for (size_t i = 0; i < siblings->count && loss && !is_marked(comment); i++) {
		const struct sibling *sibling = &siblings->items[i];

		if (!is_lost(&sibling->mark, loss) || !is_marked(sibling->comment))
			continue;
		comment = sibling->comment;
		carrier = sibling->mark.undo ? mem_strdup("what the last restore has kept")
					     : mem_printf("its snapshot \"%s\"", sibling->mark.tag);
		own.carrier = carrier;
	}
	return guard_decide(&own, session->conn, comment, err);
}

int snapshot_open(struct snapshot_session *session, const struct guard *guard,
	const struct snapshot_loss *loss, struct err *err)
{
	struct context *context = guard->context;

	session->context = context;
	session->database = context->target.database;
	if (context_connect_maintenance(context, &session->conn, err) != 0)
		return -1;
	session->locked = true;
	if (heal_lock(context, session->conn, false, &session->siblings, err) != 0 ||
		decide(session, guard, loss, err) != 0)
		return -1;
	return heal_found(context, session->conn, &session->siblings, err);
}

int snapshot_look(struct snapshot_session *session, struct context *context, struct err *err)
{
	session->context = context;
	session->database = context->target.database;
	if (context_connect_maintenance(context, &session->conn, err) != 0)
		return -1;
	return siblings_find(session->conn, session->database, &session->siblings, err);
}

void snapshot_close(struct snapshot_session *session)
{
	if (session->conn && session->locked)
		making_end(session->context, session->conn, session->making);
	conn_close(take_ptr(session->conn));
	siblings_release(&session->siblings);
}

static int begin_making(struct snapshot_session *session, struct err *err)
{
	if (making_begin(session->conn, session->database, &session->siblings, err) != 0)
		return -1;
	session->making = true;
	return 0;
}

static const struct sibling *find(const struct siblings *siblings, const char *name)
{
	for (size_t i = 0; i < siblings->count; i++) {
		const struct mark *mark = &siblings->items[i].mark;

		if (mark->kind == MARK_SNAPSHOT && !mark->undo && mark->tag &&
			strcmp(mark->tag, name) == 0)
			return &siblings->items[i];
	}
	return NULL;
}

static const struct sibling *find_undo(const struct siblings *siblings)
{
	const struct sibling *found = NULL;

	for (size_t i = 0; i < siblings->count; i++) {
		const struct mark *mark = &siblings->items[i].mark;

		if (mark->kind == MARK_SNAPSHOT && mark->undo &&
			(!found || mark->at > found->mark.at))
			found = &siblings->items[i];
	}
	return found;
}

static int require(const struct snapshot_session *session, const char *name,
	const struct sibling **ret_found, struct err *err)
{
	*ret_found = find(&session->siblings, name);
	if (!*ret_found) {
		err_set(err, ERR_FAILED, "there is no snapshot \"%s\" of database \"%s\"", name,
			session->database);
		err_hint(err, "db-snapshot list shows those that there are.");
		return -1;
	}
	if (!(*ret_found)->is_owner)
		return err_set(err, ERR_FAILED,
			"the snapshot \"%s\" (database \"%s\") belongs to another role", name,
			(*ret_found)->name);
	return 0;
}

/* The database's name of a snapshot, unless something else is in its place. */
static int name_of(
	const struct snapshot_session *session, const char *name, char **ret_name, struct err *err)
{
	CLEANUP(mem_cleanup)
	char *wanted = sibling_name(session->database, MARK_SNAPSHOT, name, false);

	for (size_t i = 0; i < session->siblings.count; i++) {
		const struct sibling *sibling = &session->siblings.items[i];

		if (strcmp(sibling->name, wanted) == 0 && sibling != find(&session->siblings, name))
			return err_set(err, ERR_FAILED,
				"the snapshot cannot be named \"%s\": its database would be "
				"\"%s\", which belongs to another one",
				name, wanted);
	}
	*ret_name = take_ptr(wanted);
	return 0;
}

static struct mark new_mark(const struct snapshot_session *session, enum mark_kind kind)
{
	struct mark mark = { .kind = kind, .of = mem_strdup(session->database) };

	mark_sign(&mark);
	return mark;
}

/* --- changes in one transaction ------------------------------------------------------------------
 */

/* At most: undos that are given up, and the two databases that change places. */
struct plan {
	const struct snapshot_session *session;
	struct database_change *changes;
	struct mark *marks;
	char **names;
	size_t count;
};

static void plan_begin(struct plan *plan, const struct snapshot_session *session)
{
	size_t room = session->siblings.count + 2;

	*plan = (struct plan){
		.session = session,
		.changes = mem_calloc(room, sizeof(*plan->changes)),
		.marks = mem_calloc(room, sizeof(*plan->marks)),
		.names = mem_calloc(room, sizeof(*plan->names)),
	};
}

static void plan_release(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		mark_release(&plan->marks[i]);
		mem_free(plan->names[i]);
	}
	mem_free(plan->changes);
	mem_free(plan->marks);
	mem_free(plan->names);
}

/* The change that database name becomes new_name, which the plan then owns. */
static struct database_change *plan_rename(
	struct plan *plan, const char *name, char *new_name, const char *comment)
{
	struct database_change *change = &plan->changes[plan->count];

	*change = (struct database_change)DATABASE_CHANGE_INIT;
	plan->names[plan->count++] = new_name;
	change->name = name;
	change->new_name = new_name;
	change->comment = comment;
	return change;
}

/* The mark of the last change, which is what that puts into the comment. */
static struct mark *plan_mark(
	struct plan *plan, struct database_change *change, enum mark_kind kind)
{
	struct mark *mark = &plan->marks[plan->count - 1];

	*mark = new_mark(plan->session, kind);
	change->mark = mark;
	return mark;
}

static void plan_give_up(struct plan *plan, const struct sibling *sibling)
{
	char *name = heal_name(plan->session->database, MARK_DROP, sibling->oid);

	plan_mark(plan, plan_rename(plan, sibling->name, name, sibling->comment), MARK_DROP);
}

/*
 * The present database becomes the one that an undo brings back. What it was made from is kept in
 * its mark. Its name holds what no user can write, so that it is nobody else's.
 */
static void plan_keep(struct plan *plan)
{
	const struct sibling *self = &plan->session->siblings.self;
	CLEANUP(mem_cleanup) char *tag = mem_printf("\nundo %lu", (unsigned long)self->oid);
	char *name = sibling_name(plan->session->database, MARK_SNAPSHOT, tag, false);
	struct database_change *change =
		plan_rename(plan, plan->session->database, name, self->comment);
	struct mark *mark = plan_mark(plan, change, MARK_SNAPSHOT);

	mark->undo = true;
	mark_keep(mark, &self->mark, plan->session->database);
	change->allow_connections = 0;
}

static struct database_change *plan_take_name(
	struct plan *plan, const char *name, const char *comment)
{
	const struct siblings *siblings = &plan->session->siblings;
	struct database_change *change =
		plan_rename(plan, name, mem_strdup(plan->session->database), comment);

	change->allow_connections = !siblings->found || siblings->self.allows_connections;
	return change;
}

static int plan_run(struct plan *plan, bool force, struct err *err)
{
	return databases_change(plan->session->conn, plan->changes, plan->count, force, err);
}

/* --- save
 * ------------------------------------------------------------------------------------------ */

int snapshot_save(struct snapshot_session *session, const char *name, bool replace, bool force,
	struct err *err)
{
	CLEANUP(mem_cleanup)
	char *making = sibling_name(session->database, MARK_SNAPSHOT, name, true);
	CLEANUP(mem_cleanup) char *new_name = NULL;
	CLEANUP(plan_release) struct plan plan = { 0 };
	const struct sibling *old;
	struct database_change *change;

	if (!session->siblings.found)
		return err_set(
			err, ERR_FAILED, "database \"%s\" does not exist", session->database);
	if (making_check(session->conn, &session->siblings, session->database, "save", err) != 0 ||
		begin_making(session, err) != 0 || name_of(session, name, &new_name, err) != 0)
		return -1;
	old = find(&session->siblings, name);
	if (old && !replace) {
		err_set(err, ERR_FAILED, "there is a snapshot \"%s\" of database \"%s\" already",
			name, session->database);
		err_hint(err, "--replace puts the new one in its place.");
		return -1;
	}
	if (old && require(session, name, &old, err) != 0)
		return -1;
	if (making_warn(session->conn, session->database, "the snapshot", true, err) != 0 ||
		making_copy(session->conn, session->database, making, force, err) != 0)
		return -1;
	plan_begin(&plan, session);
	if (old)
		plan_give_up(&plan, old);
	change = plan_rename(&plan, making, take_ptr(new_name), session->siblings.self.comment);
	plan_mark(&plan, change, MARK_SNAPSHOT)->tag = mem_strdup(name);
	if (plan_run(&plan, true, err) == 0)
		return 0;
	making_drop(session->conn, making);
	return -1;
}

/* --- restore and undo
 * ------------------------------------------------------------------------------ */

/* Half dropped: nothing in it can be kept. */
static int drop_invalid(struct snapshot_session *session, struct err *err)
{
	bool dropped;

	if (!session->siblings.found || !session->siblings.self.invalid)
		return 0;
	session->siblings.found = false;
	return database_drop(session->conn, session->database, NULL, true, &dropped, err);
}

/*
 * The comment with the mark that protects, if what is brought back or the database in whose place
 * it comes has one; the caller owns it.
 */
static char *carry_mark(
	struct snapshot_session *session, const char *comment, const struct sibling *source)
{
	const char *present = session->siblings.self.comment;

	session->carried = is_marked(source->comment) && !is_marked(present);
	session->stayed = is_marked(present) && !is_marked(source->comment);
	if (is_marked(comment))
		return mem_strdup(comment);
	if (session->carried)
		return protection_carry(comment, source->comment);
	return is_marked(present) ? protection_carry(comment, present) : mem_strdup(comment);
}

/* The present database's comment, or else the one it had when the snapshot was saved. */
static const char *comment_for(const struct siblings *siblings, const struct sibling *snapshot)
{
	return siblings->found ? siblings->self.comment : snapshot->comment;
}

/*
 * What a restore puts in the place of one of db-setup --copies is one as well: the next --copies
 * would refuse it otherwise.
 */
static void stay_copy(struct plan *plan, struct database_change *change)
{
	const struct sibling *self = &plan->session->siblings.self;
	struct mark *mark = &plan->marks[plan->count - 1];

	change->unmark = true;
	if (self->mark.kind != MARK_COPY || !self->mark.tag ||
		strcmp(self->mark.tag, plan->session->database) != 0)
		return;
	mark_copy(mark, &self->mark);
	change->unmark = false;
	change->mark = mark;
}

/* What would stop the renaming is found before a copy is made in vain. */
static int check_movable(struct snapshot_session *session, bool force, struct err *err)
{
	struct database_state state = { 0 };

	if (database_inspect(session->conn, session->database, &state, err) != 0)
		return -1;
	if (state.is_template)
		return database_refuse_template(session->conn, "replace", session->database, err);
	if (obstacle_check(session->conn, "rename", session->database, false, err) != 0 ||
		(!force && obstacle_sessions(
				   session->conn, "rename", session->database, false, err) != 0))
		return -1;
	return making_warn(session->conn, session->database, "what is restored", true, err);
}

int snapshot_restore(
	struct snapshot_session *session, const char *name, bool force, struct err *err)
{
	CLEANUP(mem_cleanup)
	char *making = sibling_name(session->database, MARK_SNAPSHOT, name, true);
	CLEANUP(mem_cleanup) char *comment = NULL;
	CLEANUP(plan_release) struct plan plan = { 0 };
	const struct sibling *snapshot;

	if (making_check(session->conn, &session->siblings, session->database, "restore", err) !=
			0 ||
		begin_making(session, err) != 0 || require(session, name, &snapshot, err) != 0 ||
		drop_invalid(session, err) != 0)
		return -1;
	if (session->siblings.found && check_movable(session, force, err) != 0)
		return -1;
	if (making_copy(session->conn, snapshot->name, making, true, err) != 0)
		return -1;
	plan_begin(&plan, session);
	for (size_t i = 0; i < session->siblings.count && session->siblings.found; i++) {
		const struct sibling *other = &session->siblings.items[i];

		if (other->mark.kind == MARK_SNAPSHOT && other->mark.undo && other->is_owner)
			plan_give_up(&plan, other);
	}
	if (session->siblings.found)
		plan_keep(&plan);
	comment = carry_mark(session, comment_for(&session->siblings, snapshot), snapshot);
	stay_copy(&plan, plan_take_name(&plan, making, comment));
	if (plan_run(&plan, force, err) == 0)
		return 0;
	making_drop(session->conn, making);
	return -1;
}

int snapshot_undo(struct snapshot_session *session, bool force, int64_t *ret_at, struct err *err)
{
	CLEANUP(mem_cleanup) char *comment = NULL;
	CLEANUP(plan_release) struct plan plan = { 0 };
	const struct sibling *kept;
	struct database_change *change;
	struct mark *mark;

	if (making_check(session->conn, &session->siblings, session->database,
		    "undo the restore of", err) != 0 ||
		begin_making(session, err) != 0 || drop_invalid(session, err) != 0)
		return -1;
	kept = find_undo(&session->siblings);
	if (!kept)
		return err_set(err, ERR_FAILED, "there is no restore of database \"%s\" to undo",
			session->database);
	if (!kept->is_owner)
		return err_set(
			err, ERR_FAILED, "database \"%s\" belongs to another role", kept->name);
	if (session->siblings.found && check_movable(session, force, err) != 0)
		return -1;
	plan_begin(&plan, session);
	if (session->siblings.found)
		plan_keep(&plan);
	comment = carry_mark(session, kept->comment, kept);
	change = plan_take_name(&plan, kept->name, comment);
	mark = &plan.marks[plan.count - 1];
	if (mark_back(mark, &kept->mark))
		change->mark = mark;
	else
		change->unmark = true;
	*ret_at = kept->mark.at;
	return plan_run(&plan, force, err);
}

/* --- drop and rename
 * ------------------------------------------------------------------------------- */

int snapshot_drop(struct snapshot_session *session, const char *name, struct err *err)
{
	const struct sibling *snapshot = find_undo(&session->siblings);
	bool dropped;

	if (name && require(session, name, &snapshot, err) != 0)
		return -1;
	if (!snapshot)
		return err_set(err, ERR_FAILED, "no restore of database \"%s\" has kept anything",
			session->database);
	return database_drop(session->conn, snapshot->name, NULL, true, &dropped, err);
}

int snapshot_rename(
	struct snapshot_session *session, const char *name, const char *new_name, struct err *err)
{
	CLEANUP(mem_cleanup) char *database = NULL;
	CLEANUP(mark_release) struct mark mark = MARK_INIT;
	struct database_change change = DATABASE_CHANGE_INIT;
	const struct sibling *snapshot;

	if (require(session, name, &snapshot, err) != 0)
		return -1;
	if (find(&session->siblings, new_name))
		return err_set(err, ERR_FAILED,
			"there is a snapshot \"%s\" of database \"%s\" already", new_name,
			session->database);
	if (making_check(session->conn, &session->siblings, session->database,
		    "rename a snapshot of", err) != 0 ||
		name_of(session, new_name, &database, err) != 0)
		return -1;
	mark_copy(&mark, &snapshot->mark);
	mem_free(mark.tag);
	mark.tag = mem_strdup(new_name);
	change.name = snapshot->name;
	change.new_name = database;
	change.mark = &mark;
	change.comment = snapshot->comment;
	return databases_change(session->conn, &change, 1, true, err);
}
