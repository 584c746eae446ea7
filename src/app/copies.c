#include "app/copies.h"

#include "app/heal.h"
#include "app/making.h"
#include "app/private_server.h"
#include "app/twin.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/message.h"
#include "base/strbuf.h"
#include "pg/database.h"
#include "pg/protection.h"
#include "term/json.h"
#include "term/out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COPIES_MAX 256

static const char *opt_copies;
static bool opt_json;

const struct option copies_options[] = {
	{ .name = "copies",
		.type = OPTION_STRING,
		.value = &opt_copies,
		.argument = "N",
		.help = "afterwards make N copies of the database, NAME_1 to NAME_N, in place of "
			"those that an earlier --copies has made, and print their URLs without "
			"passwords" },
	{ .name = "json",
		.type = OPTION_FLAG,
		.value = &opt_json,
		.help = "with --copies: print a JSON array of their names and URLs instead" },
	{ 0 },
};

int copies_wanted(size_t *ret_count, struct err *err)
{
	const char *text = opt_copies;
	size_t length = text ? strlen(text) : 0;
	long count = 0;

	*ret_count = 0;
	if (!text)
		return opt_json ? err_set(err, ERR_USAGE, "--json goes with --copies") : 0;
	if (length >= 1 && length <= 3 && strspn(text, "0123456789") == length)
		count = strtol(text, NULL, 10);
	if (count < 1 || count > COPIES_MAX)
		return err_set(err, ERR_USAGE, "--copies: \"%s\" is not a number from 1 to %d",
			text, COPIES_MAX);
	*ret_count = (size_t)count;
	return 0;
}

static char *copy_name(const char *database, size_t number)
{
	return mem_printf("%s_%zu", database, number);
}

/* One that somebody has protected since is no longer ours to replace. */
static bool is_copy(const struct sibling *sibling)
{
	return sibling->mark.kind == MARK_COPY &&
	       protection_read(sibling->comment, NULL) != PROTECTION_MARKED;
}

static const struct sibling *find(const struct siblings *siblings, const char *name)
{
	for (size_t i = 0; i < siblings->count; i++)
		if (is_copy(&siblings->items[i]) && strcmp(siblings->items[i].name, name) == 0)
			return &siblings->items[i];
	return NULL;
}

static bool has(const struct strlist *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

/* What is not ours is for its owner to drop: how is said, for all of them. */
static int refuse(
	struct conn *conn, const struct strlist *foreign, const char *database, struct err *err)
{
	CLEANUP(strbuf_release) struct strbuf sql = STRBUF_INIT_UNBOUNDED;

	for (size_t i = 0; i < foreign->count; i++) {
		CLEANUP(mem_cleanup) char *quoted = conn_identifier(conn, foreign->items[i]);

		message_add(&sql, "%sDROP DATABASE %s;", i ? " " : "",
			quoted ? quoted : foreign->items[i]);
	}
	err_set(err, ERR_REFUSED,
		"refusing to replace database \"%s\": it is no copy that --copies has made",
		foreign->items[0]);
	for (size_t i = 1; i < foreign->count; i++)
		err_detail_line(err, "Nor is database \"%s\".", foreign->items[i]);
	err_hint(err,
		"Nothing was changed. A copy of \"%s\" whose comment was written over, or that "
		"db-setup was called for itself, counts as yours, as does one that is protected. "
		"Ask for fewer copies, or rename it if nobody goes by its name. If nobody "
		"needs what is in it, in production neither: %s",
		database, sql.data);
	return -1;
}

/* Nothing but copies of ours may be replaced. */
static int check_places(struct conn *conn, const struct siblings *siblings,
	const struct strlist *existing, const char *database, size_t count, struct err *err)
{
	CLEANUP(strlist_release) struct strlist foreign = STRLIST_INIT;

	for (size_t i = 1; i <= count; i++) {
		CLEANUP(mem_cleanup) char *name = copy_name(database, i);
		const struct sibling *copy = find(siblings, name);

		if (copy && !copy->is_owner)
			return err_set(err, ERR_FAILED,
				"cannot replace database \"%s\": you are not its owner", name);
		if (!copy && has(existing, name))
			strlist_add(&foreign, name);
	}
	return foreign.count > 0 ? refuse(conn, &foreign, database, err) : 0;
}

static int check_target(const struct target *target, size_t count, struct err *err)
{
	CLEANUP(mem_cleanup) char *last = copy_name(target->database, count);

	if (strlen(last) > DATABASE_NAME_MAX)
		return err_set(err, ERR_USAGE,
			"--copies: the name \"%s\" has %zu bytes, more than the %d PostgreSQL "
			"keeps",
			last, strlen(last), DATABASE_NAME_MAX);
	return 0;
}

static int look(struct conn *conn, const char *database, size_t count, struct siblings *siblings,
	struct err *err)
{
	CLEANUP(strlist_release) struct strlist existing = STRLIST_INIT;

	siblings_release(siblings);
	if (database_names(conn, &existing, err) != 0 ||
		siblings_find(conn, database, siblings, err) != 0)
		return -1;
	return check_places(conn, siblings, &existing, database, count, err);
}

/* Copies of a production database are nothing for tests. */
static int refuse_protected(struct context *context, struct err *err)
{
	if (!guard_protects(context))
		return 0;
	err_set(err, ERR_REFUSED, "refusing to make copies of database \"%s\", which is protected",
		context->target.database);
	if (context->protected_why)
		err_detail(err, "It is: %s.", context->protected_why);
	err_note_line(err, "Nothing was changed.");
	return -1;
}

static int refuse_twin(const char *name, const struct twin *twin, struct err *err)
{
	if (twin->same)
		err_set(err, ERR_REFUSED,
			"refusing to replace database \"%s\", which is protected: %s leads to it",
			name, twin->same);
	else
		err_set(err, ERR_REFUSED,
			"refusing to replace database \"%s\", which may be production's: %s", name,
			twin->unknown);
	err_note_line(err, "Nothing was changed.");
	err_hint(err, "Ask for fewer copies.");
	return -1;
}

/* A copy of ours may have become somebody's production since. */
static int check_twins(struct context *context, struct conn *conn, const struct siblings *siblings,
	struct err *err)
{
	CLEANUP(mem_cleanup) char *private_server = private_server_of(context, conn);

	for (size_t i = 0; i < siblings->count && !private_server; i++) {
		const struct sibling *copy = &siblings->items[i];
		CLEANUP(twin_release) struct twin twin = TWIN_INIT;
		const struct twin_question question = {
			.context = context,
			.conn = conn,
			.database = copy->name,
			.mark = protection_read(copy->comment, NULL),
			.destroys = true,
			.by_name = true,
		};

		if (!is_copy(copy) || !copy->is_owner)
			continue;
		if (twin_find(&question, &twin, err) != 0)
			return -1;
		if (twin.same || twin.unknown)
			return refuse_twin(copy->name, &twin, err);
	}
	return 0;
}

int copies_check(struct context *context, size_t count, struct err *err)
{
	const struct guard guard = { .context = context, .what = "copy" };
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	CLEANUP(siblings_release) struct siblings siblings = SIBLINGS_INIT;

	if (check_target(&context->target, count, err) != 0 ||
		refuse_protected(context, err) != 0 ||
		context_connect_maintenance(context, &conn, err) != 0 ||
		look(conn, context->target.database, count, &siblings, err) != 0 ||
		guard_decide(&guard, conn, heal_comment(&siblings), err) != 0 ||
		refuse_protected(context, err) != 0)
		return -1;
	return check_twins(context, conn, &siblings, err);
}

/* --- making
 * ---------------------------------------------------------------------------------------- */

/*
 * What is copied: the template from which the database could have been made, since nobody is
 * connected to that and nobody has changed it; otherwise the database itself.
 */
static const struct sibling *source_of(const struct siblings *siblings)
{
	const struct mark *made = &siblings->self.mark;

	for (size_t i = 0; i < siblings->count && made->kind == MARK_MADE; i++) {
		const struct sibling *sibling = &siblings->items[i];
		const struct mark *mark = &sibling->mark;

		if (mark->kind == MARK_TEMPLATE && mark->seeded && mark->data_at == 0 &&
			sibling->is_owner && !sibling->invalid && strcmp(mark->key, made->key) == 0)
			return sibling;
	}
	return &siblings->self;
}

/* All copies that there are, those beyond the ones wanted included. */
static int drop_earlier(struct conn *conn, const struct siblings *siblings, struct err *err)
{
	for (size_t i = 0; i < siblings->count; i++) {
		const struct sibling *sibling = &siblings->items[i];
		bool dropped;

		if (is_copy(sibling) && sibling->is_owner &&
			database_drop(conn, sibling->name, NULL, true, &dropped, err) != 0)
			return -1;
	}
	return 0;
}

/* Marked and named in one transaction, so that there is never one without its mark. */
static int make_one(struct conn *conn, const struct siblings *siblings,
	const struct sibling *source, size_t number, struct err *err)
{
	const struct sibling *self = &siblings->self;
	CLEANUP(mem_cleanup) char *name = copy_name(self->name, number);
	CLEANUP(mem_cleanup) char *making = sibling_name(self->name, MARK_COPY, NULL, true);
	/* A copy for tests is nobody's production. */
	CLEANUP(mem_cleanup)
	char *comment = protection_write(self->comment, PROTECTION_UNMARKED, NULL);
	CLEANUP(mark_release)
	struct mark mark = {
		.kind = MARK_COPY, .of = mem_strdup(self->name), .tag = mem_strdup(name)
	};
	struct database_change change = { .name = making,
		.new_name = name,
		.mark = &mark,
		.comment = comment,
		.allow_connections = 1 };

	mark_sign(&mark);
	if (self->may_give && strcmp(siblings_owner_of_copy(siblings, source), self->owner) != 0)
		change.owner = self->owner;
	if (making_copy(conn, source->name, making, true, err) != 0)
		return -1;
	if (databases_change(conn, &change, 1, true, err) == 0)
		return 0;
	making_drop(conn, making);
	return -1;
}

static void print(const struct context *context, struct conn *conn, size_t count)
{
	json_t *array = opt_json ? json_array() : NULL;

	for (size_t i = 1; i <= count; i++) {
		CLEANUP(mem_cleanup) char *name = copy_name(context->target.database, i);
		CLEANUP(mem_cleanup) char *url = conn_url(conn, &context->target.params, name);
		json_t *object;

		if (!array) {
			out_data("%s\n", url);
			continue;
		}
		object = json_object();
		json_object_set_new(object, "name", out_json_text(name));
		json_object_set_new(object, "url", out_json_text(url));
		json_array_append_new(array, object);
	}
	if (array)
		out_json(array);
}

static int make_all(struct conn *conn, const char *database, size_t count,
	struct siblings *siblings, struct err *err)
{
	const struct sibling *source;

	if (look(conn, database, count, siblings, err) != 0)
		return -1;
	if (!siblings->found)
		return err_set(err, ERR_FAILED, "database \"%s\" is gone: somebody else dropped it",
			database);
	if (drop_earlier(conn, siblings, err) != 0 ||
		making_warn(conn, database, "a copy", true, err) != 0)
		return -1;
	source = source_of(siblings);
	for (size_t i = 1; i <= count; i++)
		if (make_one(conn, siblings, source, i, err) != 0)
			return -1;
	return 0;
}

/* The copies made since then by this process, or the others that there are: \"a\", \"b\"; NULL:
 * none. */
static char *list(const struct siblings *siblings, bool ours, int64_t since)
{
	CLEANUP(strbuf_release) struct strbuf names = STRBUF_INIT_UNBOUNDED;

	for (size_t i = 0; i < siblings->count; i++) {
		const struct sibling *sibling = &siblings->items[i];
		const struct mark *mark = &sibling->mark;

		if (mark->kind == MARK_COPY && !sibling->invalid &&
			ours == (mark->pid == (long)getpid() && mark->at >= since))
			message_add(&names, "%s\"%s\"", names.length ? ", " : "", sibling->name);
	}
	return names.length ? strbuf_detach(&names) : NULL;
}

/*
 * Adds to an error which copies there are. It is the server that is asked: a signal may have come
 * too late to prevent the last.
 */
static int tell_left(struct conn *conn, const char *database, int64_t since, struct err *err)
{
	CLEANUP(siblings_release) struct siblings siblings = SIBLINGS_INIT;
	CLEANUP(err_release) struct err own = ERR_INIT;
	CLEANUP(mem_cleanup) char *made = NULL, *earlier = NULL;

	if (!conn) {
		err_note_line(err, "The reset itself is complete; no copy was made or dropped.");
		return -1;
	}
	if (siblings_find(conn, database, &siblings, &own) != 0) {
		err_note_line(err,
			"The reset itself is complete; which copies there are is not known: %s.",
			own.message);
		return -1;
	}
	made = list(&siblings, true, since);
	earlier = list(&siblings, false, since);
	err_note_line(err, "The reset itself is complete; %s%s.",
		made ? "these copies were made: " : "no copy was made", made ? made : "");
	if (earlier)
		err_note_line(err, "Those of an earlier run that are still there: %s.", earlier);
	return -1;
}

int copies_make(struct context *context, size_t count, struct err *err)
{
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	CLEANUP(siblings_release) struct siblings siblings = SIBLINGS_INIT;
	const char *database = context->target.database;
	const int64_t since = (int64_t)time(NULL);
	int64_t start = clock_us();
	char elapsed[32];

	out_step("copies");
	if (context_connect_maintenance(context, &conn, err) != 0 ||
		heal_locked(context, conn, NULL, true, &siblings, err) != 0 ||
		making_begin(conn, database, &siblings, err) != 0)
		return tell_left(conn, database, since, err);
	if (make_all(conn, database, count, &siblings, err) != 0)
		tell_left(conn, database, since, err);
	making_end(context, conn, true);
	if (err->kind != ERR_NONE)
		return -1;
	out_info("made %zu cop%s of database \"%s\" (%s)", count, count == 1 ? "y" : "ies",
		database, clock_format(clock_us() - start, elapsed, sizeof(elapsed)));
	print(context, conn, count);
	return 0;
}
