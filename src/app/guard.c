#include "app/guard.h"

#include "app/holdings.h"
#include "app/known_marks.h"
#include "app/private_server.h"
#include "app/twin.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/message.h"
#include "pg/database.h"
#include "pg/sibling.h"
#include "term/out.h"
#include "term/prompt.h"
#include "term/safe.h"

#include <stdlib.h>
#include <string.h>

static const char *opt_confirm;

const struct option guard_options[] = {
	{ .name = "confirm",
		.type = OPTION_STRING,
		.value = &opt_confirm,
		.argument = "NAME",
		.help = "the database's name: needed to destroy data in a protected database "
			"where there is no terminal to type it on" },
	{ 0 },
};

const struct variable guard_variables[] = {
	{ "DB_PROTECTED_TARGETS", "Targets that are protected as prod is, with blanks or commas "
				  "between them; one in .env counts besides." },
	{ "DBRIG_CONSENT",
		"The user's own words, two at least, that allow an AI agent to destroy a protected "
		"database; they are printed." },
	{ "DBRIG_AGENT", "0: the caller is no AI agent, whatever the environment says; 1: it is." },
	{ 0 },
};

/* What the name that is typed was asked for. */
struct shown {
	uint32_t oid; /* 0: there is none of that name */
	char *comment;
};

static void shown_release(struct shown *shown)
{
	mem_free(shown->comment);
}

/* --- the decision ---------------------------------------------------------------------------- */

static struct protection_case request_for(const struct target *target, bool is_protected)
{
	return (struct protection_case){
		.is_protected = is_protected,
		.database = target->database,
		.confirm = opt_confirm,
		.has_terminal = is_protected && prompt_possible(),
		.is_agent = is_protected && protection_agent() != NULL,
		.consent = getenv("DBRIG_CONSENT"),
	};
}

static const char nothing_changed[] = "Nothing was changed.";

static bool has_consent(void)
{
	const char *consent = getenv("DBRIG_CONSENT");

	return consent && *consent;
}

/* Why there is no question for the name. */
static void tell_agent(enum protection_verdict verdict, struct err *err)
{
	const char *agent = protection_agent();

	if (verdict == PROTECTION_UNCONFIRMED && agent)
		err_detail_line(err,
			"The user's words in DBRIG_CONSENT were read; since %s says that an AI "
			"agent is calling, the name is not asked for on a terminal and has to be "
			"given besides.",
			agent);
}

static int refuse(const struct guard *guard, enum protection_verdict verdict, const char *why,
	struct err *err)
{
	const char *name = guard->context->target.database, *what = guard->what;
	CLEANUP(mem_cleanup) char *confirm = protection_confirm_option(name);

	switch (verdict) {
	case PROTECTION_OTHER_CONFIRM:
		return err_set(err, ERR_REFUSED,
			"refusing to %s database \"%s\": --confirm names \"%s\"", what, name,
			opt_confirm);
	case PROTECTION_OTHER_TYPED:
		err_set(err, ERR_REFUSED, "refusing to %s database \"%s\": that is not its name",
			what, name);
		break;
	default:
		err_set(err, ERR_REFUSED, "refusing to %s database \"%s\", which is protected: %s",
			what, name, why);
		break;
	}
	if (guard->cause)
		err_detail(err, "%s destroys data.", guard->cause);
	if (verdict == PROTECTION_NO_CONSENT && has_consent())
		err_detail_line(err,
			"What DBRIG_CONSENT holds are not a user's own words: those are two at "
			"least.");
	tell_agent(verdict, err);
	err_note_line(err, nothing_changed);
	if (verdict == PROTECTION_NO_CONSENT)
		err_hint(err,
			"%s says that an AI agent is calling. Do not go on by yourself: show your "
			"user this message and ask. If your user agrees, set DBRIG_CONSENT to "
			"their own words and give %s. (DBRIG_AGENT=0 when there is no "
			"agent.)",
			protection_agent(), confirm);
	else if (guard->context->mark_is_gone)
		err_hint(err,
			"db-protect --off %s says that it is not protected any more. If you mean "
			"it anyway: %s.",
			confirm, confirm);
	else
		err_hint(err, "If you mean it: %s.", confirm);
	return -1;
}

int guard_check(const struct guard *guard, struct err *err)
{
	const struct target *target = &guard->context->target;
	const struct protection_case request =
		request_for(target, guard->destroys && target_is_protected(target));
	const struct protection_signs signs = { .target = target->name,
		.is_listed = target->is_listed };
	enum protection_verdict verdict = protection_decide(&request);
	CLEANUP(mem_cleanup) char *why = NULL;

	if (verdict == PROTECTION_ALLOWED || verdict == PROTECTION_ASK)
		return 0;
	why = protection_reason(&signs);
	return refuse(guard, verdict, why, err);
}

/* The private server is production's only where its URL names it. */
static int ask_twin(const struct guard *guard, struct conn *conn, bool is_private,
	struct twin *ret_twin, struct err *err)
{
	const struct twin_question question = {
		.context = guard->context,
		.conn = conn,
		.database = guard->context->target.database,
		.mark = guard->context->mark,
		.destroys = guard->destroys || guard->shows,
		.anew = guard->anew,
		.by_place = is_private,
	};

	return twin_find(&question, ret_twin, err);
}

/* *ret_gone: as which target the database was marked whose mark is gone; NULL: none. The caller's.
 */
static int find_gone(const struct guard *guard, struct conn *conn, char **ret_gone, struct err *err)
{
	const struct context *context = guard->context;

	if (!context->target.database || guard->carrier || guard->supposed ||
		context->mark == PROTECTION_LIFTED)
		return 0;
	return known_marks_compare(
		context, conn, context->mark == PROTECTION_MARKED, ret_gone, err);
}

static int find_out(
	const struct guard *guard, struct conn *conn, const char *comment, struct err *err)
{
	struct context *context = guard->context;
	const struct target *target = &context->target;
	CLEANUP(mem_cleanup) char *private_server = private_server_of(context, conn);
	CLEANUP(mem_cleanup) char *marked_as = NULL;
	CLEANUP(mem_cleanup) char *gone = NULL;
	CLEANUP(twin_release) struct twin twin = TWIN_INIT;
	struct protection_signs signs = { .target = target->name, .is_listed = target->is_listed };

	signs.mark = context->mark = protection_read(comment, &marked_as);
	if (find_gone(guard, conn, &gone, err) != 0)
		return -1;
	signs.marked_as = marked_as;
	signs.was_marked_as = gone;
	context->mark_is_gone = gone != NULL;
	signs.carrier = guard->carrier;
	if (!private_server) {
		signs.host = params_get(&target->params, "host");
		signs.address = conn_public_address(conn);
	}
	mem_free(take_ptr(context->protected_why));
	mem_free(take_ptr(context->unknown_why));
	context->protected_why = protection_reason(&signs);
	if (context->protected_why || !target->database) {
		twin_remember(context, conn);
		return 0;
	}
	if (ask_twin(guard, conn, private_server != NULL, &twin, err) != 0)
		return -1;
	signs.twin = twin.same;
	context->protected_why = protection_reason(&signs);
	if (!context->protected_why)
		context->unknown_why = take_ptr(twin.unknown);
	return 0;
}

/* Over a connection of its own, since the caller's may be one for scripts. */
static int tell_holdings(const struct guard *guard, struct err *err)
{
	struct context *context = guard->context;
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	CLEANUP(err_release) struct err own = ERR_INIT;

	if (context_connect_maintenance(context, &conn, &own) == 0)
		holdings_tell(context, conn, guard->clears);
	else
		out_detail("what it holds is not known: %s", own.message);
	return interrupt_check(err);
}

/* On the terminal, whose answer decides. */
static int ask(struct context *context, const char *what, struct protection_case *request,
	char **ret_typed, struct err *err)
{
	CLEANUP(mem_cleanup)
	char *question =
		context->protected_why
			? message_format(
				  "Database \"%s\" is protected: %s. Type its name to %s it:",
				  context->target.database, context->protected_why, what)
			: message_format("Database \"%s\" may be production's. Type its name to %s "
					 "it:",
				  context->target.database, what);

	if (prompt_line(question, ret_typed, err) != 0) {
		/* Too long, or the terminal is gone. */
		if (err->kind == ERR_FAILED) {
			err->kind = ERR_REFUSED;
			err_note_line(err, nothing_changed);
		}
		return -1;
	}
	request->typed = *ret_typed ? *ret_typed : "";
	return 0;
}

/* A pooler may have another name for the database that conn is connected to. */
static bool is_connected_to(const struct target *target, struct conn *conn)
{
	const char *connected = PQdb(conn_pg(conn));

	return connected && strcmp(connected, target->database) == 0;
}

static int look_at(
	const struct target *target, struct conn *conn, struct shown *ret_shown, struct err *err)
{
	return database_identity(conn, is_connected_to(target, conn) ? NULL : target->database,
		&ret_shown->oid, &ret_shown->comment, err);
}

static bool is_marked_alike(const char *comment, const char *other)
{
	CLEANUP(mem_cleanup) char *target = NULL;
	CLEANUP(mem_cleanup) char *other_target = NULL;

	return protection_read(comment, &target) == protection_read(other, &other_target) &&
	       !target == !other_target && (!target || strcmp(target, other_target) == 0);
}

/* Who types takes their time: somebody may have renamed another database to that name meanwhile. */
static int look_again(
	const struct guard *guard, struct conn *conn, const struct shown *before, struct err *err)
{
	const struct target *target = &guard->context->target;
	CLEANUP(shown_release) struct shown now = { 0 };

	if (look_at(target, conn, &now, err) != 0)
		return -1;
	if (now.oid != before->oid)
		err_set(err, ERR_REFUSED,
			"database \"%s\" is another one than when its name was asked for",
			target->database);
	else if (!is_marked_alike(now.comment, before->comment))
		err_set(err, ERR_REFUSED,
			"the protection mark of database \"%s\" is another one than when its name "
			"was asked for",
			target->database);
	else
		return 0;
	err_note_line(err, nothing_changed);
	err_hint(err, "Run it again to see what it is now.");
	return -1;
}

/* Where there is nothing of that name yet, nothing of production's can be lost. */
static int exists(
	const struct context *context, struct conn *conn, bool *ret_exists, struct err *err)
{
	CLEANUP(siblings_release) struct siblings siblings = SIBLINGS_INIT;

	*ret_exists = is_connected_to(&context->target, conn);
	if (*ret_exists)
		return 0;
	if (siblings_find(conn, context->target.database, &siblings, err) != 0)
		return -1;
	*ret_exists = siblings.found || siblings_get(&siblings, MARK_OLD, NULL) ||
		      siblings_get(&siblings, MARK_SNAPSHOT, NULL);
	return 0;
}

/* Whether it is not known if the database is production's; says so. */
static int doubt(const struct guard *guard, struct conn *conn, bool *ret_doubtful, struct err *err)
{
	struct context *context = guard->context;

	*ret_doubtful = false;
	if (!context->unknown_why)
		return 0;
	if (exists(context, conn, ret_doubtful, err) != 0)
		return -1;
	if (*ret_doubtful)
		out_warning("whether database \"%s\" is production's could not be found out: %s",
			context->target.database, context->unknown_why);
	else
		mem_free(take_ptr(context->unknown_why));
	return 0;
}

static int refuse_doubtful(
	const struct guard *guard, enum protection_verdict verdict, struct err *err)
{
	const struct context *context = guard->context;
	const char *name = context->target.database;
	CLEANUP(mem_cleanup) char *confirm = protection_confirm_option(name);

	refuse(guard, verdict, context->unknown_why, err);
	if (verdict != PROTECTION_UNCONFIRMED)
		return -1;
	err_set(err, ERR_REFUSED,
		"refusing to %s database \"%s\", which may be production's: that could not be "
		"found out",
		guard->what, name);
	if (guard->cause)
		err_detail(err, "%s destroys data.", guard->cause);
	err_detail_line(err, "Not known is where this leads: %s.", context->unknown_why);
	tell_agent(verdict, err);
	err_note_line(err, nothing_changed);
	err_hint(err,
		"If it is not: db-protect --off %s says so until it is dropped, as does "
		"putting the variable right, or unsetting it. If you mean it anyway: %s.",
		confirm, confirm);
	return -1;
}

/* Of who was allowed by it. */
static void tell_consent(const struct protection_case *request)
{
	CLEANUP(mem_cleanup) char *words = safe_text(request->consent, SAFE_LINE);

	if (request->is_protected && request->is_agent)
		out_info("the user's words, by DBRIG_CONSENT: %s", words);
}

/* conn: NULL where the server cannot be asked. */
static int ask_and_look(const struct guard *guard, struct conn *conn,
	struct protection_case *request, char **ret_typed, struct err *err)
{
	CLEANUP(shown_release) struct shown shown = { 0 };

	if (conn && look_at(&guard->context->target, conn, &shown, err) != 0)
		return -1;
	if (guard->loses && tell_holdings(guard, err) != 0)
		return -1;
	if (ask(guard->context, guard->what, request, ret_typed, err) != 0)
		return -1;
	if (!conn || protection_decide(request) != PROTECTION_ALLOWED)
		return 0;
	return look_again(guard, conn, &shown, err);
}

/* With what was found out. */
static int conclude(const struct guard *guard, struct conn *conn, bool doubtful, struct err *err)
{
	struct context *context = guard->context;
	CLEANUP(mem_cleanup) char *typed = NULL;
	struct protection_case request = request_for(
		&context->target, guard->destroys && (context->protected_why || doubtful));
	enum protection_verdict verdict = protection_decide(&request);

	if (guard->cause && request.is_protected)
		out_info("%s destroys data", guard->cause);
	if (verdict == PROTECTION_ALLOWED && guard->loses && request.is_protected &&
		tell_holdings(guard, err) != 0)
		return -1;
	if (verdict == PROTECTION_ASK) {
		if (ask_and_look(guard, conn, &request, &typed, err) != 0)
			return -1;
		verdict = protection_decide(&request);
	}
	if (verdict != PROTECTION_ALLOWED)
		return doubtful ? refuse_doubtful(guard, verdict, err)
				: refuse(guard, verdict, context->protected_why, err);
	context->confirmed = request.is_protected;
	tell_consent(&request);
	return 0;
}

int guard_decide(const struct guard *guard, struct conn *conn, const char *comment, struct err *err)
{
	bool doubtful;

	if (find_out(guard, conn, comment, err) != 0 || doubt(guard, conn, &doubtful, err) != 0)
		return -1;
	return conclude(guard, conn, doubtful, err);
}

int guard_decide_unseen(const struct guard *guard, struct err *err)
{
	struct context *context = guard->context;
	const struct protection_signs signs = { .target = context->target.name,
		.is_listed = context->target.is_listed };

	mem_free(take_ptr(context->protected_why));
	context->protected_why = protection_reason(&signs);
	if (!context->protected_why)
		context->protected_why = mem_strdup(
			guard->unseen ? guard->unseen
				      : "it was marked once, and cannot be looked at now");
	return conclude(guard, NULL, false, err);
}

bool guard_has_confirmation(void)
{
	return opt_confirm != NULL;
}

int guard_foresee(const struct guard *guard, struct err *err)
{
	const struct context *context = guard->context;
	const struct target *target = &context->target;
	const struct protection_signs signs = { .target = target->name,
		.is_listed = target->is_listed };
	struct protection_case request =
		request_for(target, guard_protects(context) || context->unknown_why);
	CLEANUP(mem_cleanup) char *why = NULL;
	enum protection_verdict verdict;

	request.has_terminal = false;
	verdict = protection_decide(&request);
	if (context->confirmed)
		return 0;
	if (verdict == PROTECTION_ALLOWED) {
		tell_consent(&request);
		return 0;
	}
	why = context->protected_why ? mem_strdup(context->protected_why)
				     : protection_reason(&signs);
	return why ? refuse(guard, verdict, why, err) : refuse_doubtful(guard, verdict, err);
}

bool guard_protects(const struct context *context)
{
	return context->protected_why || target_is_protected(&context->target);
}

/* --- the mark -------------------------------------------------------------------------------- */

static int set_comment(
	const struct target *target, struct conn *conn, const char *comment, struct err *err)
{
	CLEANUP(mem_cleanup) char *own = NULL;

	if (is_connected_to(target, conn) && database_own_name(conn, &own, err) != 0)
		return -1;
	return database_set_comment(conn, own ? own : target->database, comment, err);
}

int guard_set_mark(struct context *context, struct conn *conn, const char *comment,
	enum protection_mark mark, struct err *err)
{
	const struct target *target = &context->target;
	CLEANUP(mem_cleanup) char *changed = protection_write(comment, mark, target->name);

	if (set_comment(target, conn, changed, err) != 0)
		return -1;
	known_marks_set(context, conn, mark == PROTECTION_MARKED ? target->name : NULL);
	twin_remember(context, conn);
	return 0;
}

void guard_mark(struct context *context, struct conn *conn, const char *comment)
{
	const struct target *target = &context->target;
	CLEANUP(err_release) struct err err = ERR_INIT;

	if (!target_is_protected(target) || protection_read(comment, NULL) != PROTECTION_UNMARKED)
		return;
	if (guard_set_mark(context, conn, comment, PROTECTION_MARKED, &err) == 0)
		out_info("marked database \"%s\" as protected (db-protect tells more)",
			target->database);
	else
		out_warning("database \"%s\" is not marked as protected: %s", target->database,
			err.message);
}

/* Over the script's own connection, where that is of use, as a pooler may have no other session. */
static bool is_still_marked(struct conn *conn)
{
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	CLEANUP(mem_cleanup) char *comment = NULL;

	return conn_is_open(conn) && PQtransactionStatus(conn_pg(conn)) == PQTRANS_IDLE &&
	       database_comment(conn, NULL, &comment, &ignored) == 0 &&
	       protection_read(comment, NULL) != PROTECTION_UNMARKED;
}

void guard_keep_mark(struct context *context, struct conn *script, const char *before)
{
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(mem_cleanup) char *comment = NULL;
	CLEANUP(mem_cleanup) char *marked = NULL;
	const char *name = context->target.database, *reason;

	if (protection_read(before, NULL) != PROTECTION_MARKED || is_still_marked(script))
		return;
	if (context_connect(context, true, &conn, &err) == 0) {
		conn_limit_silence(conn, conn_timeout_ms(&context->target.params));
		if (database_comment(conn, NULL, &comment, &err) == 0 &&
			protection_read(comment, NULL) != PROTECTION_UNMARKED)
			return;
	}
	if (err.kind == ERR_NONE) {
		marked = protection_carry(comment, before);
		if (set_comment(&context->target, conn, marked, &err) == 0) {
			out_info("the script has written the comment of database \"%s\" anew; it "
				 "is marked as protected again",
				name);
			return;
		}
	}
	reason = err.detail ? err.detail : err.message;
	out_warning("whether database \"%s\" is still marked as protected is not known: %.*s", name,
		(int)strcspn(reason, "\n"), reason);
}
