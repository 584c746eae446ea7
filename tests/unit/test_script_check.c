/* What is found out about a script without a server. */
#include "unit.h"

#include "base/mem.h"
#include "sql/check.h"

#include <stdio.h>

static char directory[] = "/tmp/checkXXXXXX";

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int begin(void **state)
{
	(void)state;
	return mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	unlink("x.sql");
	unlink("y.sql");
	return chdir("/") == 0 && rmdir(directory) == 0 ? 0 : -1;
}

static int check(const char *text, struct script_summary *summary, struct err *err)
{
	const struct script_options options = { 0 };

	write_file("x.sql", text);
	return script_check("x.sql", "x.sql", &options, summary, err);
}

static void test_counts(void **state)
{
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(script_summary_release) struct script_summary summary = SCRIPT_SUMMARY_INIT;

	(void)state;
	check_number("result",
		check("a; COPY t FROM stdin;\nBEGIN;\n\\.\n"
		      "SET standard_conforming_strings = off; '\\';VACUUM;';\n"
		      "  create index concurrently i on t (a); COMMIT; VACUUM",
			&summary, &err),
		0);
	check_number("statements", (long long)summary.statements, 7);
	check_number("copies", (long long)summary.copies, 1);
	check_text("transaction", summary.transaction.name, "COMMIT");
	check_text("its file", summary.transaction.file, "x.sql");
	check_number("its line", (long long)summary.transaction.line, 5);
	check_number("its column", (long long)summary.transaction.column, 41);
	check_text("no transaction", summary.no_transaction.name, "CREATE INDEX CONCURRENTLY");
	check_number("its line", (long long)summary.no_transaction.line, 5);
	check_number("its column", (long long)summary.no_transaction.column, 3);
}

static void test_unchanged_on_error(void **state)
{
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(script_summary_release) struct script_summary summary = SCRIPT_SUMMARY_INIT;

	(void)state;
	summary.statements = 5;
	check_number("result", check("BEGIN; 'b", &summary, &err), -1);
	check_number("column", (long long)err.place.column, 8);
	check_number("statements", (long long)summary.statements, 5);
	check_text("transaction", summary.transaction.file, NULL);
}

/* KIND NAME FILE:LINE of what keeps the script from running in one transaction. */
static char *describe(const char *text, const char *included)
{
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(script_summary_release) struct script_summary summary = SCRIPT_SUMMARY_INIT;

	write_file("y.sql", included);
	if (check(text, &summary, &err) != 0)
		return mem_printf("%s:%zu: %s", err.place.file, err.place.line, err.message);
	if (summary.no_transaction.line)
		return mem_printf("N %s %s:%zu", summary.no_transaction.name,
			summary.no_transaction.file, summary.no_transaction.line);
	if (summary.transaction.line)
		return mem_printf("T %s %s:%zu", summary.transaction.name, summary.transaction.file,
			summary.transaction.line);
	return mem_printf("%zu", summary.statements);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *text, *included, *expected;
	} examples[] = {
		{ "", "", "0" },
		{ "a;\n\\i y.sql\nb;", "c;d;", "4" },
		{ "a;\n\\i y.sql\nb;", "\nVACUUM;", "N VACUUM y.sql:2" },
		{ "a;\n\\ir y.sql\nb;", "c '", "y.sql:1: quoted string is never closed" },
		{ "\n\\c x\na;", "", "N \\connect x.sql:2" },
		{ "\\set AUTOCOMMIT off\na;", "", "T \\set AUTOCOMMIT off x.sql:2" },
		{ "\\set ON_ERROR_STOP off\na;", "", "N \\set ON_ERROR_STOP off x.sql:2" },
		{ "\\set ON_ERROR_STOP off\n\\set ON_ERROR_STOP on\na;", "", "1" },
		{ "a \\gset\n\\if :x\nVACUUM;\n\\else\n\\i missing\n\\endif", "",
			"N VACUUM x.sql:3" },
		{ "\\if 0\nVACUUM;\n\\endif", "", "0" },
		{ "a\\;\n commit\\; begin;", "", "T COMMIT x.sql:2" },
		{ "a\\;\nb\\;\nvacuum;", "", "N VACUUM x.sql:3" },
		{ "vacuum\\;\nrollback;", "", "T ROLLBACK x.sql:2" },
		{ "\\set b end\na\\;\n:b;", "", "T END x.sql:3" },
		{ "\\set b 'commit; begin;'\na\\;\n:b", "", "T COMMIT x.sql:3" },
		{ "a\\;\n commit\\;\\g\n", "", "T COMMIT x.sql:2" },
		{ "a\\; 'commit'\\; rollback to b;", "", "1" },
		{ "create function f() begin atomic\na; end\\;\nend;", "", "T END x.sql:3" },
		{ "create function f() begin atomic\na; case a when b then c end; end;", "", "1" },
		{ "create function begin() return 1;\ncommit; begin; a; end; end;", "",
			"T COMMIT x.sql:2" },
		{ "create function begin() return 1; end;", "", "T END x.sql:1" },
		{ "\\copy t from y.sql", "", "1" },
		{ "a;\n\\copy t from none.csv", "",
			"x.sql:2: could not open file \"none.csv\": No such file or directory" },
		{ "\\copy t to none.csv\n\\copy t from none.csv", "", "2" },
		{ "a;\n\\i none.sql", "",
			"x.sql:2: could not open file \"none.sql\": No such file or directory" },
		{ "a\\gset\n\\i :none", "", "1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		CLEANUP(mem_cleanup)
		char *got = describe(examples[i].text, examples[i].included);

		check_text(examples[i].text, got, examples[i].expected);
	}
}

/* NAME FILE:LINE:COLUMN of what destroys first, and whether all is known beforehand. */
static void check_destructive(const char *text, const char *expected)
{
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(script_summary_release) struct script_summary summary = SCRIPT_SUMMARY_INIT;
	CLEANUP(mem_cleanup) char *described = NULL;
	const struct script_found *found = &summary.destructive;

	check_number(text, check(text, &summary, &err), 0);
	described = mem_printf("%s %s:%zu:%zu%s", found->name, found->file ? found->file : "",
		found->line, found->column, summary.unforeseen ? " unforeseen" : "");
	check_text(text, described, expected);
}

static void test_destructive(void **state)
{
	static const char *const examples[][2] = {
		{ "SELECT 1;\n  TRUNCATE a;\nDROP TABLE b;", "TRUNCATE x.sql:2:3" },
		{ "SELECT 1\\;\n DROP TABLE a;", "DROP TABLE x.sql:2:2" },
		{ "INSERT INTO a VALUES ('TRUNCATE a');", " :0:0" },
		{ "DROP DATABASE a", "DROP DATABASE x.sql:1:1" },
		{ "COMMENT ON DATABASE a IS NULL", " :0:0" },
		{ "COMMENT ON DATABASE a IS NULL\\; TRUNCATE a", "TRUNCATE x.sql:1:33" },
		{ "\\copy (DELETE FROM a RETURNING *) TO stdout",
			"DELETE without WHERE x.sql:1:1" },
		{ "\\set a TRUNCATE\n:a b;", "TRUNCATE x.sql:2:1" },
		{ "\\i y.sql\n", "DELETE without WHERE y.sql:2:1" },
		{ "SELECT 'TRUNCATE a' \\gexec", " :0:0 unforeseen" },
		{ "SELECT 1 AS a \\gset\n:a", " :0:0 unforeseen" },
		{ "SELECT 1 AS a \\gset\n\\if :a\nDELETE FROM a;\n\\endif",
			"DELETE without WHERE x.sql:3:1 unforeseen" },
		{ "SET standard_conforming_strings = off; UPDATE a SET b = '\\' WHERE ';",
			"UPDATE without WHERE x.sql:1:40" },
	};

	(void)state;
	write_file("y.sql", "\nDELETE FROM a;");
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
		check_destructive(examples[i][0], examples[i][1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_counts),
		UNIT_TEST(test_unchanged_on_error),
		UNIT_TEST(test_kinds),
		UNIT_TEST(test_destructive),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
