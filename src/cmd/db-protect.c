#include "app/alias.h"
#include "app/guard.h"
#include "app/half_made.h"
#include "app/heal.h"
#include "app/known_marks.h"
#include "base/mem.h"
#include "pg/database.h"
#include "term/json.h"
#include "term/out.h"

#include <string.h>

#define SQLSTATE_PRIVILEGE "42501"

static bool opt_show, opt_off, opt_json;

static const struct option protect_options[] = {
	{ .name = "show",
		.type = OPTION_FLAG,
		.value = &opt_show,
		.help = "say whether the database is protected and why, and change nothing" },
	{ .name = "off",
		.type = OPTION_FLAG,
		.value = &opt_off,
		.help = "take the mark away; on a host that is protected by its name, or where it "
			"cannot be found out whether it is production's, mark the database as not "
			"protected" },
	{ .name = "json",
		.type = OPTION_FLAG,
		.value = &opt_json,
		.help = "with --show: print a JSON object" },
	{ 0 },
};

/* What is known of the database. */
struct state {
	struct context *context;
	struct conn *conn;
	char *comment;
	char *marked_as;     /* NULL: it is not marked, or by hand */
	char *marked_once;   /* and was, from here; NULL: not known to have been */
	bool known_unmarked; /* what the context tells was found out without a mark */
};

static void state_release(struct state *state)
{
	conn_close(state->conn);
	mem_free(state->comment);
	mem_free(state->marked_as);
	mem_free(state->marked_once);
}

static int is_missing(const struct context *context, struct err *err)
{
	return err_set(err, ERR_FAILED, "database \"%s\" does not exist", context->target.database);
}

/* By the mark of the database itself, or of the old one that a killed reset has put aside. */
static int look_at_mark(struct state *state, const struct guard *guard, struct err *err)
{
	const char *name = state->context->target.database;
	CLEANUP(siblings_release) struct siblings siblings = SIBLINGS_INIT;
	bool at_work;

	if (siblings_find(state->conn, name, &siblings, err) != 0 ||
		database_is_locked(state->conn, name, &at_work, err) != 0)
		return -1;
	if (at_work) {
		state->comment = take_ptr(siblings.self.comment);
		return guard_decide(guard, state->conn, state->comment, err);
	}
	state->comment = mem_strdup(heal_comment(&siblings));
	return heal_decide(guard, state->conn, &siblings, err);
}

/* As it is now, whoever works on it. */
static int look(struct state *state, const struct guard *guard, struct err *err)
{
	struct context *context = state->context;
	const char *name = context->target.database;
	struct database_state database = { 0 };

	if (database_inspect(state->conn, name, &database, err) != 0 ||
		alias_check(context, state->conn, database.found && !database.invalid, err) != 0)
		return -1;
	if (!database.found)
		return is_missing(context, err);
	if (look_at_mark(state, guard, err) != 0)
		return -1;
	protection_read(state->comment, &state->marked_as);
	if (context->mark == PROTECTION_UNMARKED)
		known_marks_get(context, &state->marked_once);
	return 0;
}

/*
 * With its lock, since a reset or a restore has read the mark that it is going to write, and puts
 * another database under the name.
 */
static int hold(struct state *state, const struct guard *guard, struct err *err)
{
	struct context *context = state->context;
	const char *name = context->target.database;
	CLEANUP(siblings_release) struct siblings siblings = SIBLINGS_INIT;

	if (heal_lock(context, state->conn, false, &siblings, err) != 0)
		return -1;
	if (!siblings.found && !siblings_get(&siblings, MARK_OLD, NULL))
		return is_missing(context, err);
	if (heal_decide(guard, state->conn, &siblings, err) != 0)
		return -1;
	state->known_unmarked = context->mark == PROTECTION_UNMARKED;
	if (heal_found(context, state->conn, &siblings, err) != 0 ||
		half_made_left(name, &siblings, err) != 0)
		return -1;
	if (!siblings.found)
		return is_missing(context, err);
	state->comment = take_ptr(siblings.self.comment);
	/* That of another one was decided on if it was healed. */
	context->mark = protection_read(state->comment, &state->marked_as);
	state->known_unmarked = state->known_unmarked && context->mark == PROTECTION_UNMARKED;
	return 0;
}

static int find_out(struct state *state, struct err *err)
{
	struct context *context = state->context;
	const struct guard guard = {
		.context = context,
		.what = "lift the protection of",
		.destroys = opt_off,
		.shows = opt_show,
	};

	if (guard_check(&guard, err) != 0 ||
		context_connect_maintenance(context, &state->conn, err) != 0)
		return -1;
	return opt_show ? look(state, &guard, err) : hold(state, &guard, err);
}

/* --- --show ---------------------------------------------------------------------------------- */

static const char *mark_word(enum protection_mark mark)
{
	switch (mark) {
	case PROTECTION_MARKED:
		return "protected";
	case PROTECTION_LIFTED:
		return "unprotected";
	default:
		return NULL;
	}
}

static void show_json(const struct state *state)
{
	const struct context *context = state->context;
	const char *word = mark_word(context->mark);
	json_t *object = json_object();

	json_object_set_new(object, "database", out_json_text(context->target.database));
	json_object_set_new(object, "protected", json_boolean(context->protected_why != NULL));
	json_object_set_new(object, "why",
		context->protected_why ? out_json_text(context->protected_why) : json_null());
	json_object_set_new(object, "mark", word ? json_string(word) : json_null());
	json_object_set_new(object, "marked_as",
		state->marked_as ? out_json_text(state->marked_as) : json_null());
	json_object_set_new(object, "not_known",
		context->unknown_why ? out_json_text(context->unknown_why) : json_null());
	json_object_set_new(object, "mark_is_gone", json_boolean(state->marked_once != NULL));
	out_json(object);
}

static void show(const struct state *state)
{
	const struct context *context = state->context;
	const char *name = context->target.database;

	if (opt_json) {
		show_json(state);
		return;
	}
	if (context->protected_why)
		out_data("database \"%s\" is protected: %s\n", name, context->protected_why);
	else if (context->unknown_why)
		out_data("database \"%s\" is not known to be protected: destroying commands ask, "
			 "since it may be that of %s\n",
			name, context->unknown_why);
	else
		out_data("database \"%s\" is not protected\n", name);
	if (context->mark == PROTECTION_LIFTED)
		out_data("its mark says that its host does not protect it (db-protect --off)\n");
	if (state->marked_once)
		out_warning("its mark is gone: it was marked as that of the target \"%s\", and "
			    "since then its comment was written anew, or the database made anew; "
			    "db-protect marks it again, db-protect --off forgets that it was",
			state->marked_once);
}

/* --- changing -------------------------------------------------------------------------------- */

static int change(struct state *state, enum protection_mark mark, struct err *err)
{
	struct context *context = state->context;

	if (guard_set_mark(context, state->conn, state->comment, mark, err) == 0)
		return 0;
	if (strcmp(err->sqlstate, SQLSTATE_PRIVILEGE) == 0)
		err_hint(err, "Only its owner may comment on a database, and the mark is in the "
			      "comment.");
	return -1;
}

static int protect(struct state *state, struct err *err)
{
	const char *name = state->context->target.database;

	if (state->context->mark == PROTECTION_MARKED && !state->marked_as) {
		out_info("database \"%s\" is marked already, by hand", name);
		return 0;
	}
	if (state->context->mark == PROTECTION_MARKED) {
		out_info("database \"%s\" is marked already, as that of the target \"%s\"", name,
			state->marked_as);
		return 0;
	}
	if (change(state, PROTECTION_MARKED, err) != 0)
		return -1;
	out_info("database \"%s\" is protected now, whatever way leads to it", name);
	return 0;
}

/* Whether the database would be protected with another mark, for the context to tell. */
static int look_with(struct state *state, enum protection_mark mark, bool anew, struct err *err)
{
	const struct guard guard = {
		.context = state->context, .what = "look at", .anew = anew, .supposed = true
	};
	CLEANUP(mem_cleanup) char *comment = protection_write(state->comment, mark, NULL);

	return guard_decide(&guard, state->conn, comment, err);
}

/*
 * A copy of production's server is told from it by this mark alone: when production's database has
 * it now, it is that one, and gets its comment back.
 */
static int verify(struct state *state, bool *ret_restored, struct err *err)
{
	if (look_with(state, PROTECTION_LIFTED, true, err) != 0)
		return -1;
	*ret_restored = state->context->protected_why != NULL;
	if (!*ret_restored)
		return 0;
	return database_set_comment(
		state->conn, state->context->target.database, state->comment, err);
}

/* What is still protected without its mark is so by variables that others need not have. */
static void tell_protected(const struct context *context, bool is_gone)
{
	const struct target *target = &context->target;
	const char *name = target->database, *why = context->protected_why;

	if (!is_gone)
		out_warning("database \"%s\" stays protected: %s", name, why);
	else if (target_is_protected(target))
		out_warning("the mark of database \"%s\" is gone, but it stays protected: %s; by "
			    "another URL than that of %s, and where that is not set, no mark "
			    "protects it any more",
			name, why, target->origin);
	else
		out_warning("the mark of database \"%s\" is gone, but it stays protected: %s; "
			    "where that variable is not set, no mark protects it any more",
			name, why);
}

/* The mark to set in place of the one there is. What host and address say, and what could not be
 * found out, a mark can contradict; not a name. */
static int choose(
	struct state *state, enum protection_mark *ret_mark, bool *ret_contradicts, struct err *err)
{
	const struct context *context = state->context;

	*ret_mark = PROTECTION_UNMARKED;
	/* Servers are asked for each. */
	if ((context->protected_why || !state->known_unmarked) &&
		look_with(state, PROTECTION_UNMARKED, false, err) != 0)
		return -1;
	*ret_contradicts = context->protected_why;
	if (*ret_contradicts && look_with(state, PROTECTION_LIFTED, false, err) != 0)
		return -1;
	if (!context->protected_why && (*ret_contradicts || context->unknown_why))
		*ret_mark = PROTECTION_LIFTED;
	*ret_contradicts = *ret_contradicts && *ret_mark == PROTECTION_LIFTED;
	return 0;
}

static int lift(struct state *state, struct err *err)
{
	struct context *context = state->context;
	const enum protection_mark before = context->mark;
	const char *name = context->target.database;
	const bool was_protected = context->protected_why != NULL;
	enum protection_mark mark;
	bool contradicts, restored = false;

	if (choose(state, &mark, &contradicts, err) != 0)
		return -1;
	if (mark != before && change(state, mark, err) != 0)
		return -1;
	/* That it had one is nothing to go by any more. */
	if (mark == before && mark == PROTECTION_UNMARKED)
		known_marks_set(context, state->conn, NULL);
	if (contradicts && verify(state, &restored, err) != 0)
		return -1;
	if (context->protected_why)
		tell_protected(context, before == PROTECTION_MARKED && !restored);
	else if ((mark == before && !was_protected) || before == PROTECTION_LIFTED)
		out_info("database \"%s\" is not protected", name);
	else
		out_info("database \"%s\" is not protected any more", name);
	return 0;
}

static int run_protect(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	CLEANUP(state_release) struct state state = { .context = &context };

	if (opt_show && opt_off)
		return err_set(err, ERR_USAGE, "--show and --off exclude each other");
	if (opt_json && !opt_show)
		return err_set(err, ERR_USAGE, "--json goes with --show");
	if (guard_has_confirmation() && !opt_off)
		return err_set(err, ERR_USAGE, "--confirm goes with --off");
	if (context_open(&context, run, err) != 0 ||
		target_require_own_database(&context.target, "protect", err) != 0 ||
		find_out(&state, err) != 0)
		return -1;
	if (opt_show) {
		show(&state);
		return 0;
	}
	return opt_off ? lift(&state, err) : protect(&state, err);
}

const struct command command = {
	.name = "db-protect",
	.summary =
		"protect the database of a target from being destroyed, whatever way leads to it",
	.synopsis = "[options] [TARGET]",
	.options = (const struct option *const[]){ protect_options, guard_options,
		maintenance_options, echo_options, target_options, env_options, NULL },
	.variables = (const struct variable *const[]){ guard_variables, target_variables, NULL },
	.examples =
		(const struct example[]){
			{ "db-protect prod",
				"marks production's database: reset and drop need its name from "
				"now on" },
			{ "db-protect --show", "is the development database protected, and why?" },
			{ "db-protect --off --confirm shop", "takes the mark away" },
			{ 0 },
		},
	.max_words = 1,
	.run = run_protect,
};
