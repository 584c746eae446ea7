#include "unit.h"

#include "base/mem.h"

#include <errno.h>

static void test_exit_statuses(void **state)
{
	static const struct {
		const char *name;
		enum err_kind kind;
		int status;
	} cases[] = {
		{ "none", ERR_NONE, 0 },
		{ "failed", ERR_FAILED, 1 },
		{ "connect", ERR_CONNECT, 2 },
		{ "sql", ERR_SQL, 3 },
		{ "refused", ERR_REFUSED, 4 },
		{ "found", ERR_FOUND, 5 },
		{ "timeout", ERR_TIMEOUT, 6 },
		{ "usage", ERR_USAGE, 64 },
		{ "interrupted", ERR_INTERRUPTED, 1 },
	};
	int status = -1;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_number(cases[i].name, err_exit_status(cases[i].kind), cases[i].status);
	for (size_t i = 0; i < 7; i++) {
		const char *text = err_kind_text(i, &status);

		check_number("text of a kind", text && *text, true);
		check_number("its status", status, cases[i + 1].status);
	}
	check_text("behind the last", err_kind_text(7, &status), NULL);
}

static void test_setting(void **state)
{
	CLEANUP(err_release) struct err err = ERR_INIT;

	(void)state;
	check_number("result", err_set(&err, ERR_SQL, "no %s \"%d%%\"", "x", 5), -1);
	check_err("formatted", &err, ERR_SQL, "no x \"5%\"");
	check_text("no detail", err.detail, NULL);
	err_detail(&err, "%s", "first");
	err_detail(&err, "second %d", 2);
	check_text("detail is replaced", err.detail, "second 2");
	err_detail_line(&err, "third %s", "%s");
	check_text("a line is added", err.detail, "second 2\nthird %s");
	err_hint(&err, "try");
	err_hint(&err, "try %d", 2);
	check_text("hint is replaced", err.hint, "try 2");
	err_set(&err, ERR_USAGE, "could not: %s", err.message);
	check_err("its own message as argument", &err, ERR_USAGE, "could not: no x \"5%\"");
	check_text("a new error has no detail", err.detail, NULL);
	check_text("a new error has no hint", err.hint, NULL);
	err_detail_line(&err, "alone");
	check_text("the first line of a detail", err.detail, "alone");
	err_note_line(&err, "note %d", 1);
	err_note_line(&err, "note %d", 2);
	check_text("notes", err.note, "note 1\nnote 2");
	err_set(&err, ERR_USAGE, "x");
	check_text("a new error has no note", err.note, NULL);
	err_release(&err);
	err_release(&err);
	check_err("released", &err, ERR_NONE, NULL);
}

static void test_note_is_told_once(void **state)
{
	CLEANUP(err_release) struct err err = ERR_INIT;

	(void)state;
	err_set(&err, ERR_FAILED, "x");
	err_note_line(&err, "Nothing was changed.");
	err_note_line(&err, "Nothing was changed.");
	check_text("once", err.note, "Nothing was changed.");
	err_note_line(&err, "changed.");
	err_note_line(&err, "changed.");
	check_text("whole lines count", err.note, "Nothing was changed.\nchanged.");
	err_note_line(&err, "Nothing was changed.");
	check_text("the last one counts", err.note,
		"Nothing was changed.\nchanged.\nNothing was changed.");
}

static void test_quoted_text_stays_on_its_line(void **state)
{
	CLEANUP(err_release) struct err err = ERR_INIT;

	(void)state;
	err_set(&err, ERR_FAILED, "database \"%s\" %s", "a\nhint: b", "c\nd");
	check_err("message", &err, ERR_FAILED, "database \"a\\nhint: b\" c\nd");
	err_hint(&err, "\"%s\"", "a\nb");
	check_text("hint", err.hint, "\"a\\nb\"");
	err_detail_line(&err, "\"%s\"", "a\nb");
	check_text("detail", err.detail, "\"a\\nb\"");
}

static void test_place_is_forgotten(void **state)
{
	CLEANUP(err_release) struct err err = ERR_INIT;

	(void)state;
	err_set(&err, ERR_SQL, "x");
	err.place.file = mem_strdup("f");
	err.place.excerpt = mem_strdup("e");
	err.place.line = 3;
	err.severity = mem_strdup("FATAL");
	err.context = mem_strdup("c");
	strcpy(err.sqlstate, "42P01");
	err.signal = SIGINT;
	err_set(&err, ERR_FAILED, "y");
	check_text("file", err.place.file, NULL);
	check_text("excerpt", err.place.excerpt, NULL);
	check_number("line", (long long)err.place.line, 0);
	check_text("severity", err.severity, NULL);
	check_text("context", err.context, NULL);
	check_text("sqlstate", err.sqlstate, "");
	check_number("signal", err.signal, 0);
}

static void test_errno(void **state)
{
	CLEANUP(err_release) struct err err = ERR_INIT;

	(void)state;
	errno = ENOENT;
	check_number("result", err_errno(&err, "could not open file \"%s\"", "a%d"), -1);
	check_err(
		"text", &err, ERR_FAILED, "could not open file \"a%d\": No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_exit_statuses),
		UNIT_TEST(test_setting),
		UNIT_TEST(test_note_is_told_once),
		UNIT_TEST(test_quoted_text_stays_on_its_line),
		UNIT_TEST(test_place_is_forgotten),
		UNIT_TEST(test_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
