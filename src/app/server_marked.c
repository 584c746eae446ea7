#include "app/server_marked.h"

#include "app/known_marks.h"
#include "app/private_server.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/message.h"
#include "base/strbuf.h"
#include "pg/database.h"
#include "pg/mark.h"
#include "term/out.h"

#include <string.h>

/* Somebody else may stop or remove the server while it is looked at. */
#define LOOKS 5
#define LOOK_PAUSE_MS 100

/* Beside each other: the names to confirm, and of each a comment with the mark and what has it,
 * "": the database itself; and why it counts where the mark does not say so, "": the mark does. */
struct marked {
	struct strlist names, comments, carriers, whys;
	size_t seen; /* so many were seen in the server; what follows was marked from here or may be
		      */
};

#define MARKED_INIT                                                                                \
	{                                                                                          \
		STRLIST_INIT, STRLIST_INIT, STRLIST_INIT, STRLIST_INIT, 0                          \
	}

static void marked_release(struct marked *marked)
{
	strlist_release(&marked->names);
	strlist_release(&marked->comments);
	strlist_release(&marked->carriers);
	strlist_release(&marked->whys);
}

static void add(struct marked *marked, const char *name, const char *comment, const char *carrier,
	const char *why)
{
	if (strlist_has(&marked->names, name))
		return;
	strlist_add(&marked->names, name);
	strlist_add(&marked->comments, comment);
	strlist_add(&marked->carriers, carrier);
	strlist_add(&marked->whys, why);
}

/* Whether it is kept beside another, as a snapshot is; that one's name is the one to confirm. */
static bool is_kept(const char *name, const char *comment, struct mark *mark)
{
	return strstr(name, ".dbrig-") && mark_parse(comment, mark) && mark->kind != MARK_MADE &&
	       mark->kind != MARK_LOADING && mark->kind != MARK_COPY;
}

static void sort_out(const struct target *target, const struct strlist *names,
	const struct strlist *comments, struct marked *marked)
{
	/* The databases themselves first: then what is kept beside them adds nothing. */
	for (int kept = 0; kept < 2; kept++) {
		for (size_t i = 0; i < names->count; i++) {
			const char *name = names->items[i], *comment = comments->items[i];
			CLEANUP(mark_release) struct mark mark = MARK_INIT;
			CLEANUP(mem_cleanup) char *carrier = NULL;

			if (is_kept(name, comment, &mark) != kept ||
				(protection_read(comment, NULL) != PROTECTION_MARKED &&
					!(target_is_protected(target) &&
						strcmp(name, target->database) == 0)))
				continue;
			if (kept)
				carrier = mem_printf("database \"%s\" beside it", name);
			add(marked, kept ? mark.of : name, comment, kept ? carrier : "", "");
		}
	}
}

/* The context's target is then that database of its server; what is returned puts it back. */
static char *go_to(struct context *context, const char *name)
{
	char *own = context->target.database;

	context->target.database = mem_strdup(name);
	return own;
}

static void go_back(struct context *context, char *own)
{
	mem_free(context->target.database);
	context->target.database = own;
}

/* Whether the database has been marked from here, and is not known to be another one than that. Of
 * those that were made anew after a drop, or marked by another way, no more is known. */
static int was_marked(struct context *context, struct conn *conn, bool *ret_was, struct err *err)
{
	CLEANUP(mem_cleanup) char *same = NULL;
	CLEANUP(mem_cleanup) char *any = NULL;
	uint32_t oid;

	if (database_oid(conn, context->target.database, &oid, err) != 0 ||
		(oid != 0 && known_marks_was(context, conn, oid, &same, err) != 0))
		return -1;
	*ret_was = oid != 0 && (same || !known_marks_get(context, &any));
	return 0;
}

/* What was marked from here, and has lost its mark. */
static int add_remembered(struct context *context, struct conn *conn, const struct strlist *names,
	const struct strlist *comments, struct marked *marked, struct err *err)
{
	CLEANUP(strlist_release) struct strlist known = STRLIST_INIT;
	int result = 0;

	known_marks_in_server(context, &known);
	for (size_t i = 0; i < names->count && result == 0; i++) {
		const char *name = names->items[i], *comment = comments->items[i];
		bool was;
		char *own;

		if (!strlist_has(&known, name) ||
			protection_read(comment, NULL) != PROTECTION_UNMARKED)
			continue;
		own = go_to(context, name);
		result = was_marked(context, conn, &was, err);
		go_back(context, own);
		if (result == 0 && was)
			add(marked, name, comment, "", "it was marked once, and has no mark now");
	}
	return result;
}

/* What URLs of protected targets lead to; names, comments: of what there is, NULL: not known. */
static void add_named(const struct context *context, const struct strlist *names,
	const struct strlist *comments, struct marked *marked)
{
	CLEANUP(strlist_release) struct strlist databases = STRLIST_INIT, origins = STRLIST_INIT;

	private_server_named(context, &databases, &origins);
	for (size_t i = 0; i < databases.count; i++) {
		const char *name = databases.items[i];
		CLEANUP(mem_cleanup) char *why = message_line("%s leads to it", origins.items[i]);

		if (!names)
			add(marked, name, "", "", why);
		for (size_t j = 0; names && j < names->count; j++)
			if (strcmp(names->items[j], name) == 0)
				add(marked, name, comments->items[j], "", why);
	}
}

/* --- looking --------------------------------------------------------------------------------- */

static void tell_progress(void *unused, const char *what)
{
	(void)unused;
	out_info("%s", what);
}

/* For what is there of which it is not known whose mark it is. */
static void add_own(const struct context *context, struct marked *marked, const char *why)
{
	add(marked, context->target.database, "", "", why);
}

static void add_leftovers(const struct context *context, struct marked *marked)
{
	enum server_holds holds = server_leftovers_hold(&context->target.server, PROTECTION_TOKEN);

	if (holds != SERVER_HOLDS_NOT)
		add_own(context, marked,
			holds == SERVER_HOLDS
				? "what an earlier removal has left (data.tmp.*) holds a mark"
				: "what an earlier removal has left (data.tmp.*) cannot be read, "
				  "and may hold a mark");
}

static void add_known(const struct context *context, struct marked *marked)
{
	CLEANUP(strlist_release) struct strlist known = STRLIST_INIT;

	known_marks_in_server(context, &known);
	for (size_t i = 0; i < known.count; i++)
		add(marked, known.items[i], "", "", "");
}

static void recall(const struct context *context, struct marked *marked)
{
	const struct target *target = &context->target;
	enum server_holds holds;

	add_known(context, marked);
	add_named(context, NULL, NULL, marked);
	if (target_is_protected(target))
		add_own(context, marked, "");
	if (marked->names.count > 0)
		return;
	/* Marked by hand, or by somebody with another home directory. */
	holds = server_files_hold(&target->server, PROTECTION_TOKEN);
	if (holds == SERVER_HOLDS)
		add_own(context, marked, "");
	else if (holds == SERVER_HOLDS_UNREADABLE)
		add_own(context, marked, "its server's files cannot be read, and may hold a mark");
	add_leftovers(context, marked);
}

/* 0: done, 1: it may be worth another look, -1. */
static int look_once(
	struct context *context, struct marked *marked, bool *ret_started, struct err *err)
{
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	CLEANUP(strlist_release) struct strlist names = STRLIST_INIT, comments = STRLIST_INIT;
	bool running, started = false;
	int failed =
		server_start(&context->target.server, tell_progress, NULL, &running, &started, err);

	*ret_started = *ret_started || started;
	if (failed && err->kind == ERR_FAILED) {
		out_warning("the private server could not be looked at for protected databases: %s",
			err->message);
		err_release(err);
		recall(context, marked);
		return 0;
	}
	if (failed)
		return -1;
	if (!running) {
		if (server_leftovers_hold(&context->target.server, PROTECTION_TOKEN) !=
			SERVER_HOLDS_NOT)
			recall(context, marked);
		/* Where somebody has moved the data away, they may come back. */
		else if (path_is_directory(context->target.server.directory))
			add_known(context, marked);
		return 0;
	}
	if (context_connect_maintenance(context, &conn, err) != 0 ||
		database_comments(conn, &names, &comments, err) != 0)
		return err->kind == ERR_INTERRUPTED ? -1 : 1;
	sort_out(&context->target, &names, &comments, marked);
	add_named(context, &names, &comments, marked);
	if (add_remembered(context, conn, &names, &comments, marked, err) != 0)
		return err->kind == ERR_INTERRUPTED ? -1 : 1;
	marked->seen = marked->names.count;
	add_leftovers(context, marked);
	return 0;
}

static int look(struct context *context, struct marked *marked, bool *ret_started, struct err *err)
{
	int result;

	for (int looks = 1; (result = look_once(context, marked, ret_started, err)) == 1; looks++) {
		if (looks == LOOKS) {
			err_hint(err,
				"Whether it holds protected databases is not known. If nothing in "
				"it is needed, stop it (db-server stop) and remove the directory "
				"\"%s\".",
				context->target.server.directory);
			return -1;
		}
		err_release(err);
		marked_release(marked);
		clock_sleep_ms(LOOK_PAUSE_MS);
	}
	return result;
}

/* --- deciding -------------------------------------------------------------------------------- */

/* Of several --confirm can name one only. */
static void tell_all(const struct context *context, const struct marked *marked, struct err *err)
{
	CLEANUP(strbuf_release) struct strbuf list = STRBUF_INIT_UNBOUNDED;

	for (size_t i = 0; i < marked->names.count; i++)
		message_add(&list, "%s\"%s\"", i ? ", " : "", marked->names.items[i]);
	err_detail_line(err, "Protected in it are the databases %s.", list.data);
	err_note_line(err, "Nothing was changed.");
	if (!protection_agent() && marked->seen < marked->names.count)
		err_hint(err,
			"If you mean it, type their names on a terminal, or remove the directory "
			"\"%s\".",
			context->target.server.directory);
	else if (!protection_agent())
		err_hint(err,
			"If you mean it, type their names on a terminal, or lift the protection "
			"of all but one: DB_NAME=NAME db-protect --off --confirm NAME.");
}

static int ask_guard(
	struct context *context, const struct marked *marked, size_t i, struct err *err)
{
	const bool seen = i < marked->seen;
	const char *carrier = marked->carriers.items[i], *why = marked->whys.items[i];
	struct guard guard = { .context = context,
		.what = "destroy the private server with",
		.carrier = *carrier ? carrier : NULL,
		.unseen = *why ? why : NULL,
		.destroys = true,
		.loses = seen };
	CLEANUP(conn_cleanup) struct conn *conn = NULL;

	if (seen && context_connect_maintenance(context, &conn, err) != 0)
		return -1;
	if (seen && guard_decide(&guard, conn, marked->comments.items[i], err) != 0)
		return -1;
	/* The guard does not see all that makes it count. */
	if (seen && (!guard.unseen || context->protected_why))
		return 0;
	guard.loses = false;
	context->mark_is_gone = false;
	return guard_decide_unseen(&guard, err);
}

static int decide_one(
	struct context *context, const struct marked *marked, size_t i, struct err *err)
{
	char *own = go_to(context, marked->names.items[i]);
	int result = ask_guard(context, marked, i, err);

	go_back(context, own);
	return result;
}

static int decide(struct context *context, const struct marked *marked, struct err *err)
{
	const struct guard guard = { .context = context,
		.what = "destroy the private server with" };

	if (marked->names.count == 0)
		return guard_check(&guard, err);
	for (size_t i = 0; i < marked->names.count; i++) {
		if (decide_one(context, marked, i, err) == 0)
			continue;
		if (err->kind == ERR_REFUSED && marked->names.count > 1)
			tell_all(context, marked, err);
		return -1;
	}
	return 0;
}

int server_marked_decide(struct context *context, struct err *err)
{
	CLEANUP(marked_release) struct marked marked = MARKED_INIT;
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	bool started = false, stopped;

	if (look(context, &marked, &started, err) == 0 && decide(context, &marked, err) == 0)
		return 0;
	if (started)
		server_stop(&context->target.server, &stopped, &ignored);
	return -1;
}
