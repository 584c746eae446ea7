/*
 * A second opinion on where statements end: what our script engine cuts out of the files of the
 * corpus must be one statement each to PostgreSQL's own parser (libpg_query). Statements it takes
 * for wrong are counted, and a file may have only as many as the comment "-- parser errors: N" at
 * its head says, or tests/corpus/parser/errors.list where a comment would be in the way.
 *
 * With arguments: prints, for each of these files, the statements that are several to the parser.
 */
#include "unit.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "sql/classify.h"
#include "sql/script.h"

#include <dirent.h>
#include <pg_query.h>
#include <stdio.h>

#define ERRORS_LIST "tests/corpus/parser/errors.list"

/* Of one file. */
struct opinion {
	const char *path;
	FILE *report;    /* every error as well; NULL: none */
	bool standard;   /* strings; the parser knows no others */
	bool plain;      /* the encoding: other bytes than characters' first are over 127 */
	bool ended;      /* the engine came to the end of the file */
	size_t asked;    /* statements that the parser was given */
	size_t left_out; /* that it cannot judge */
	size_t errors;   /* that it takes for wrong */
	size_t differ;   /* that are none, or several, to it */
};

/* --- what the parser says --------------------------------------------------------------------- */

enum verdict { ONE, ERROR, OTHER };

/* White space and at most the one semicolon. */
static bool is_rest(const char *text, const char *end)
{
	while (text < end && strchr(" \t\r\n\f\v", *text))
		text++;
	return text == end || (*text == ';' && text + 1 == end);
}

static bool spans(const PgQuerySplitStmt *found, const char *text)
{
	size_t length = strlen(text);
	size_t at = (size_t)found->stmt_location, size = (size_t)found->stmt_len;

	return at == 0 && size <= length && is_rest(text + size, text + length);
}

static enum verdict ask(const char *text, int *ret_count, struct strbuf *message)
{
	PgQuerySplitResult result = pg_query_split_with_parser(text);
	enum verdict verdict = OTHER;

	*ret_count = result.n_stmts;
	if (result.error) {
		verdict = ERROR;
		strbuf_adds(message, result.error->message);
	} else if (result.n_stmts == 1 && spans(result.stmts[0], text)) {
		verdict = ONE;
	}
	pg_query_free_split_result(result);
	return verdict;
}

static void judge(struct opinion *opinion, const struct script_statement *statement)
{
	CLEANUP(strbuf_release) struct strbuf message = STRBUF_INIT;
	size_t line = origin_line(&statement->origin, statement->text, statement->length, 0);
	int count = 0;

	if (statement->several || !opinion->standard || !opinion->plain) {
		opinion->left_out++;
		return;
	}
	opinion->asked++;
	switch (ask(statement->text, &count, &message)) {
	case ONE:
		break;
	case ERROR:
		opinion->errors++;
		if (opinion->report)
			fprintf(opinion->report, "%s:%zu: error: %s\n", opinion->path, line,
				message.data);
		break;
	case OTHER:
		opinion->differ++;
		fprintf(opinion->report ? opinion->report : stderr, "%s:%zu: %d statements: %s\n",
			opinion->path, line, count, statement->text);
		break;
	}
}

/* --- what our engine cuts --------------------------------------------------------------------- */

static int skip_data(struct script *script, struct err *err)
{
	const char *data;
	size_t length;
	int result = script_copy_begin(script, err);

	if (result != 0)
		return result;
	while ((result = script_copy_data(script, &data, &length, err)) > 0)
		continue;
	return result;
}

static void follow(struct opinion *opinion, const struct script_statement *statement)
{
	CLEANUP(mem_cleanup) char *name = NULL;
	bool on, local;

	if (classify_standard_strings(statement->text, statement->length, &on, &local))
		opinion->standard = on;
	if (classify_encoding(statement->text, statement->length, &name))
		opinion->plain = encoding_by_name(name) == ENCODING_SAFE;
}

static int take(struct opinion *opinion, struct script *script, const struct script_action *action,
	struct err *err)
{
	size_t copies = 0;

	switch (action->kind) {
	case SCRIPT_GSET:
	case SCRIPT_GEXEC:
		script_assume_unknown(script);
		judge(opinion, &action->statement);
		break;
	case SCRIPT_STATEMENT:
		judge(opinion, &action->statement);
		follow(opinion, &action->statement);
		copies = action->statement.copies;
		break;
	case SCRIPT_COPY:
		judge(opinion, &action->statement);
		copies = action->copy.from && action->copy.where == SCRIPT_COPY_SCRIPT;
		break;
	case SCRIPT_ENCODING:
		opinion->plain = encoding_by_name(action->text) == ENCODING_SAFE;
		break;
	default:
		break;
	}
	for (; copies > 0; copies--)
		if (skip_data(script, err) != 0)
			return -1;
	return 0;
}

static bool examine(struct opinion *opinion, struct script *script)
{
	for (;;) {
		CLEANUP(err_release) struct err err = ERR_INIT;
		struct script_action action;

		if (script_next(script, &action, &err) == 0) {
			if (action.kind == SCRIPT_END)
				return true;
			if (take(opinion, script, &action, &err) == 0)
				continue;
		}
		if (opinion->report)
			fprintf(opinion->report, "%s:%zu: %s\n", opinion->path, err.place.line,
				err.message);
		if (!script_can_go_on(script))
			return false;
	}
}

static void examine_file(struct opinion *opinion, const char *path, FILE *report)
{
	const struct script_options options = { .dry = true };
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(script_cleanup) struct script *script = NULL;

	*opinion =
		(struct opinion){ .path = path, .report = report, .standard = true, .plain = true };
	if (script_open(path, path, &options, NULL, &script, &err) == 0)
		opinion->ended = examine(opinion, script);
	else
		unit_fail(path, err.message, NULL);
}

/* --- the corpus ------------------------------------------------------------------------------- */

/* The number behind label in a file's first lines that begin with it; 0 where there is none. */
static size_t named_in(const char *path, const char *label, bool head)
{
	FILE *file = fopen(path, "r");
	char line[512];
	size_t number = 0;

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, label, strlen(label)) == 0)
			number = strtoul(line + strlen(label), NULL, 10);
		else if (head && strncmp(line, "--", 2) != 0)
			break;
	}
	if (file)
		fclose(file);
	return number;
}

static size_t errors_named(const char *path)
{
	CLEANUP(strbuf_release) struct strbuf label = STRBUF_INIT;
	size_t number = named_in(path, "-- parser errors: ", true);

	strbuf_addf(&label, "%s ", path);
	return number ? number : named_in(ERRORS_LIST, label.data, false);
}

/* Returns how many statements the parser was asked about. */
static size_t check_file(const char *path)
{
	struct opinion opinion;
	size_t named = errors_named(path);

	examine_file(&opinion, path, NULL);
	if (!check_number(path, (long long)opinion.errors, (long long)named))
		examine_file(&opinion, path, stderr);
	check_number(path, (long long)opinion.differ, 0);
	return opinion.asked;
}

static int is_script(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 4 && strcmp(entry->d_name + length - 4, ".sql") == 0;
}

static void check_directory(const char *directory, size_t least)
{
	struct dirent **entries = NULL;
	size_t asked = 0;
	int count = scandir(directory, &entries, is_script, alphasort);

	for (int i = 0; i < count; i++) {
		CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;

		strbuf_addf(&path, "%s/%s", directory, entries[i]->d_name);
		asked += check_file(path.data);
		free(entries[i]);
	}
	free(entries);
	if (asked < least)
		check_number(directory, (long long)asked, (long long)least);
}

static void test_corpus(void **state)
{
	(void)state;
	check_directory("tests/corpus", 250);
}

static void test_parser_corpus(void **state)
{
	(void)state;
	check_directory("tests/corpus/parser", 150);
}

static void test_sample(void **state)
{
	(void)state;
	check_directory("db", 10);
}

/* Wrong cuts are noticed. */
static void test_verdict(void **state)
{
	static const struct {
		const char *text;
		enum verdict verdict;
		int count;
	} examples[] = {
		{ "SELECT 1;", ONE, 1 },
		{ "SELECT 1", ONE, 1 },
		{ "SELECT 1 /* a; */ ;", ONE, 1 },
		{ "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2);", ONE, 1 },
		{ "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;", ONE, 1 },
		{ "SELECT 1; SELECT 2;", OTHER, 2 },
		{ "BEGIN; COMMIT; SELECT 1", OTHER, 3 },
		{ "SELECT 1;;", OTHER, 1 },
		{ "SELECT 1; -- rest", OTHER, 1 },
		{ "/* nothing */", OTHER, 0 },
		{ "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1;", ERROR, 0 },
		{ "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1;", ERROR, 0 },
		{ "SELECT 'a", ERROR, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		CLEANUP(strbuf_release) struct strbuf message = STRBUF_INIT;
		int count = 0;

		check_number(examples[i].text, ask(examples[i].text, &count, &message),
			examples[i].verdict);
		check_number(examples[i].text, count, examples[i].count);
	}
}

static int report(char **paths)
{
	size_t asked = 0, left_out = 0, errors = 0, differ = 0;

	for (; *paths; paths++) {
		struct opinion opinion;

		examine_file(&opinion, *paths, stdout);
		if (!opinion.ended)
			printf("%s: not read to its end\n", *paths);
		asked += opinion.asked;
		left_out += opinion.left_out;
		errors += opinion.errors;
		differ += opinion.differ;
	}
	printf("%zu statements, %zu left out, %zu errors, %zu not one\n", asked, left_out, errors,
		differ);
	return differ > 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_verdict),
		UNIT_TEST(test_corpus),
		UNIT_TEST(test_parser_corpus),
		UNIT_TEST(test_sample),
	};

	return argc > 1 ? report(argv + 1) : cmocka_run_group_tests(tests, NULL, NULL);
}
