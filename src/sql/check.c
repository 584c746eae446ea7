#include "sql/check.h"

#include "base/mem.h"
#include "sql/destructive.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct check {
	struct script *script;
	struct script_inputs *inputs; /* NULL: they are not gathered */
	struct script_summary found;
	bool writes; /* an earlier \copy writes a file, which a later one may read */
};

static void note_at(struct script_found *found, const struct script_statement *statement, size_t at,
	const char *name)
{
	CLEANUP(err_release) struct err place = ERR_INIT;

	if (found->line > 0)
		return;
	origin_place(&statement->origin, statement->text, statement->length, at, &place);
	found->file = mem_strdup(place.place.file);
	found->line = place.place.line;
	found->column = place.place.column;
	snprintf(found->name, sizeof(found->name), "%s", name ? name : "");
}

static void note(
	struct script_found *found, const struct script_statement *statement, const char *name)
{
	note_at(found, statement, 0, name);
}

static void note_destructive(struct check *check, const struct script_statement *statement)
{
	const bool standard = script_has_standard_strings(check->script);
	size_t at = 0;

	while (check->found.destructive.line == 0) {
		CLEANUP(destructive_release) struct destructive found = DESTRUCTIVE_INIT;

		if (!destructive_next(statement, standard, &at, &found))
			return;
		if (found.kind == DESTRUCTIVE_DATA || found.kind == DESTRUCTIVE_DATABASE)
			note_at(&check->found.destructive, statement, found.at, found.name);
	}
}

static void assume_unknown(struct check *check)
{
	check->found.unforeseen = true;
	script_assume_unknown(check->script);
}

/* --- what the outcome depends on ------------------------------------------------------------- */

static void obstacle(
	struct check *check, const struct script_statement *statement, const char *what)
{
	if (check->inputs && !check->inputs->obstacle)
		script_inputs_obstacle(check->inputs, statement->origin.file,
			origin_line(&statement->origin, statement->text, statement->length, 0),
			what);
}

static void gather(struct check *check, const struct script_statement *statement, bool dynamic)
{
	if (!check->inputs)
		return;
	if (!script_has_safe_encoding(check->script))
		obstacle(check, statement, "a client encoding that takes the server to be read");
	script_inputs_statement(
		check->inputs, statement, dynamic, !script_has_standard_strings(check->script));
}

static void gather_copy(struct check *check, const struct script_action *action)
{
	const struct script_statement *statement = &action->statement;
	struct stat state;

	gather(check, statement, false);
	if (!check->inputs || action->copy.where == SCRIPT_COPY_SCRIPT)
		return;
	if (!action->copy.from || action->copy.where == SCRIPT_COPY_PROCESS)
		obstacle(check, statement,
			action->copy.from ? "\\copy from standard input" : "\\copy to a file");
	else if (check->writes || script_is_uncertain(check->script) ||
		 stat(action->copy.file, &state) != 0)
		obstacle(check, statement, "\\copy from a file that may not be there");
	else
		script_inputs_file(check->inputs, SCRIPT_INPUT_DATA, action->copy.file,
			action->copy.file, &state);
}

static void gather_data(struct check *check, const char *data, size_t length, size_t line)
{
	if (!check->inputs)
		return;
	check->inputs->has_data = true;
	if (check->inputs->reads_data)
		script_inputs_data(check->inputs, script_file(check->script), line, data, length);
}

static int gather_file(struct check *check, const char *file, struct err *err)
{
	if (!check->inputs || check->inputs->obstacle)
		return 0;
	check->inputs->has_data = true;
	return check->inputs->reads_data ? script_inputs_data_file(check->inputs, file, err) : 0;
}

/* --- reading --------------------------------------------------------------------------------- */

static int skip_copy(struct check *check, struct err *err)
{
	struct script *script = check->script;
	const char *data;
	size_t length, line;
	int result = script_copy_begin(script, err);

	if (result)
		return result;
	line = script_copy_line(script);
	while ((result = script_copy_data(script, &data, &length, err)) > 0) {
		gather_data(check, data, length, line);
		line = script_line(script);
	}
	return result;
}

static int statement(struct check *check, const struct script_statement *statement, bool dynamic,
	struct err *err)
{
	gather(check, statement, dynamic);
	check->found.statements++;
	check->found.copies += statement->copies;
	note_destructive(check, statement);
	if (statement->class == SCRIPT_CLASS_TRANSACTION)
		note_at(&check->found.transaction, statement, statement->class_at,
			statement->class_name);
	if (statement->class == SCRIPT_CLASS_NO_TRANSACTION)
		note_at(&check->found.no_transaction, statement, statement->class_at,
			statement->class_name);
	for (size_t i = 0; i < statement->copies; i++)
		if (skip_copy(check, err) != 0)
			return -1;
	return 0;
}

static int copy(struct check *check, const struct script_action *action, struct err *err)
{
	const char *file = action->copy.file;

	gather_copy(check, action);
	check->found.statements++;
	note_destructive(check, &action->statement);
	if (action->copy.where == SCRIPT_COPY_SCRIPT && action->copy.from)
		return skip_copy(check, err);
	if (action->copy.where != SCRIPT_COPY_FILE)
		return 0;
	if (!action->copy.from) {
		check->writes = true;
		assume_unknown(check);
		return 0;
	}
	if (check->writes || script_is_uncertain(check->script))
		return 0;
	if (access(file, R_OK) == 0)
		return gather_file(check, file, err);
	err_errno(err, "could not open file \"%s\"", file);
	err->kind = ERR_SQL;
	origin_place(&action->statement.origin, action->statement.text, action->statement.length, 0,
		err);
	return -1;
}

/* A script that settles itself what happens after each statement cannot run as a whole. */
static void note_modes(struct check *check, const struct script_statement *statement)
{
	if (!script_autocommits(check->script) || !script_stops_on_error(check->script))
		obstacle(check, statement, "\\set AUTOCOMMIT or ON_ERROR_STOP off");
	if (!script_autocommits(check->script))
		note(&check->found.transaction, statement, "\\set AUTOCOMMIT off");
	if (!script_stops_on_error(check->script))
		note(&check->found.no_transaction, statement, "\\set ON_ERROR_STOP off");
}

static int step(
	struct check *check, const struct script_action *action, bool keep_going, struct err *err)
{
	if (!keep_going && action->statement.text)
		note_modes(check, &action->statement);
	check->found.others += !action->statement.text || action->kind == SCRIPT_CONNECT;
	switch (action->kind) {
	case SCRIPT_GSET:
	case SCRIPT_GEXEC:
		assume_unknown(check);
		return statement(check, &action->statement, true, err);
	case SCRIPT_STATEMENT:
		return statement(check, &action->statement, false, err);
	case SCRIPT_CONNECT:
		obstacle(check, &action->statement, "\\connect");
		note(&check->found.no_transaction, &action->statement, "\\connect");
		return 0;
	case SCRIPT_COPY:
		return copy(check, action, err);
	default:
		return 0;
	}
}

static int walk(struct check *check, bool keep_going, struct err *err)
{
	struct script_action action;

	for (;;) {
		if (script_next(check->script, &action, err) != 0) {
			if (!keep_going || !script_can_go_on(check->script))
				return -1;
			check->found.unforeseen = true;
			err_release(err);
		} else if (action.kind == SCRIPT_END) {
			return 0;
		} else if (step(check, &action, keep_going, err) != 0) {
			return -1;
		}
	}
}

int script_check(const char *path, const char *name, const struct script_options *options,
	struct script_summary *summary, struct err *err)
{
	CLEANUP(script_cleanup) struct script *script = NULL;
	struct script_options dry = *options;
	struct check check = { 0 };
	int result;

	dry.dry = true;
	if (script_open(path, name, &dry, NULL, &script, err) != 0)
		return -1;
	check.script = script;
	check.inputs = dry.inputs;
	result = walk(&check, options->keep_going, err);
	/* A run that goes on after errors will meet and report it. */
	if (result != 0 && options->keep_going && err->kind == ERR_SQL) {
		err_release(err);
		check.found.unforeseen = true;
		result = 0;
	}
	check.found.bytes = script_bytes(script);
	if (result != 0) {
		script_summary_release(&check.found);
		return -1;
	}
	*summary = check.found;
	return 0;
}

void script_summary_release(struct script_summary *summary)
{
	mem_free(summary->transaction.file);
	mem_free(summary->no_transaction.file);
	mem_free(summary->destructive.file);
	*summary = (struct script_summary)SCRIPT_SUMMARY_INIT;
}
