/* What kind of statement a text is. */
#include "base/mem.h"
#include "sql/classify.h"
#include "sql/parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define OTHER SCRIPT_CLASS_OTHER
#define COPY SCRIPT_CLASS_COPY_FROM_STDIN
#define TX SCRIPT_CLASS_TRANSACTION
#define NO_TX SCRIPT_CLASS_NO_TRANSACTION

static void test_classes(void **state)
{
	static const struct {
		const char *text;
		enum script_class class;
		const char *name;
	} examples[] = {
		{ "SELECT 1;", OTHER, NULL },
		{ ";", OTHER, NULL },
		{ "COPY t FROM stdin;", COPY, "COPY FROM STDIN" },
		{ "copy\"t\"from STDIN", COPY, "COPY FROM STDIN" },
		{ "COPY public.\"a\"\"b\" (\"c\"\"\") FROM stdin;", COPY, "COPY FROM STDIN" },
		{ "COPY U&\"\\0074\"\"\" FROM stdin;", COPY, "COPY FROM STDIN" },
		{ "COPY a.u&\"!0074\" UESCAPE '!' FROM stdin;", COPY, "COPY FROM STDIN" },
		{ "COPY uescape FROM stdin;", COPY, "COPY FROM STDIN" },
		{ "COPY a.\"b;\" (a, \"from\") FROM STDIN WITH (FORMAT csv);", COPY,
			"COPY FROM STDIN" },
		{ "COPY BINARY t FROM stdin;", COPY, "COPY FROM STDIN" },
		{ "COPY t /* to */ (a)--x\nFROM stdin;", COPY, "COPY FROM STDIN" },
		{ "COPY t FROM stdout;", COPY, "COPY FROM STDIN" },
		{ "COPY (SELECT a FROM stdin) TO STDOUT;", OTHER, NULL },
		{ "COPY t TO STDOUT;", OTHER, NULL },
		{ "COPY t FROM 'stdin';", OTHER, NULL },
		{ "COPY t FROM \"stdin\";", OTHER, NULL },
		{ "COPY t FROM PROGRAM 'stdin';", OTHER, NULL },
		{ "COPY t (a", OTHER, NULL },
		{ "begin;", TX, "BEGIN" },
		{ "BEGIN ISOLATION LEVEL SERIALIZABLE;", TX, "BEGIN" },
		{ "START/**/TRANSACTION;", TX, "START TRANSACTION" },
		{ "COMMIT", TX, "COMMIT" },
		{ "END;", TX, "END" },
		{ "ABORT;", TX, "ABORT" },
		{ "ROLLBACK;", TX, "ROLLBACK" },
		{ "ROLLBACK WORK;", TX, "ROLLBACK" },
		{ "ROLLBACK TO a;", OTHER, NULL },
		{ "ROLLBACK TRANSACTION TO SAVEPOINT a;", OTHER, NULL },
		{ "SAVEPOINT a;", OTHER, NULL },
		{ "PREPARE TRANSACTION 'x';", TX, "PREPARE TRANSACTION" },
		{ "PREPARE transactions AS SELECT 1;", OTHER, NULL },
		{ "COMMIT PREPARED 'x';", TX, "COMMIT PREPARED" },
		{ "ROLLBACK PREPARED 'x';", TX, "ROLLBACK PREPARED" },
		{ "CREATE DATABASE x;", NO_TX, "CREATE DATABASE" },
		{ "CREATE TABLE database (a int);", OTHER, NULL },
		{ "CREATE TABLE x AS SELECT 'VACUUM';", OTHER, NULL },
		{ "DROP DATABASE IF EXISTS x;", NO_TX, "DROP DATABASE" },
		{ "CREATE TABLESPACE x LOCATION '/x';", NO_TX, "CREATE TABLESPACE" },
		{ "ALTER SYSTEM SET a = 1;", NO_TX, "ALTER SYSTEM" },
		{ "SELECT pg_create_logical_replication_slot('a', 'b')", NO_TX,
			"SELECT of a logical replication slot" },
		{ "VACUUM;", NO_TX, "VACUUM" },
		{ "vacuum(full) t;", NO_TX, "VACUUM" },
		{ "ANALYZE;", OTHER, NULL },
		{ "CREATE FUNCTION f() RETURNS void AS $$ VACUUM; $$;", OTHER, NULL },
		{ "DO $$BEGIN COMMIT; END$$", OTHER, NULL },
		{ "CREATE INDEX CONCURRENTLY i ON t (a);", NO_TX, "CREATE INDEX CONCURRENTLY" },
		{ "CREATE UNIQUE INDEX concurrently ON t (a);", NO_TX,
			"CREATE INDEX CONCURRENTLY" },
		{ "CREATE INDEX \"concurrently\" ON t (a);", OTHER, NULL },
		{ "DROP INDEX CONCURRENTLY i;", NO_TX, "DROP INDEX CONCURRENTLY" },
		{ "DROP INDEX i;", OTHER, NULL },
		{ "REINDEX TABLE t;", OTHER, NULL },
		{ "REINDEX INDEX CONCURRENTLY i;", NO_TX, "REINDEX CONCURRENTLY" },
		{ "REINDEX (VERBOSE, CONCURRENTLY) TABLE t;", NO_TX, "REINDEX CONCURRENTLY" },
		{ "REINDEX (CONCURRENTLY off) TABLE t;", OTHER, NULL },
		{ "REINDEX (VERBOSE) TABLE CONCURRENTLY t;", NO_TX, "REINDEX CONCURRENTLY" },
		{ "REINDEX DATABASE x;", NO_TX, "REINDEX DATABASE" },
		{ "REINDEX SCHEMA x;", NO_TX, "REINDEX SCHEMA" },
		{ "ALTER DATABASE x SET TABLESPACE y;", NO_TX, "ALTER DATABASE SET TABLESPACE" },
		{ "ALTER DATABASE x SET search_path TO tablespace;", OTHER, NULL },
		{ "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p;", NO_TX,
			"CREATE SUBSCRIPTION" },
		{ "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p WITH (slot_name = x, "
		  "create_slot = false);",
			OTHER, NULL },
		{ "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p WITH (connect='false');",
			OTHER, NULL },
		{ "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p WITH (enabled = false);",
			NO_TX, "CREATE SUBSCRIPTION" },
		{ "DROP SUBSCRIPTION s;", NO_TX, "DROP SUBSCRIPTION" },
		{ "ALTER SUBSCRIPTION s DISABLE;", OTHER, NULL },
		{ "ALTER SUBSCRIPTION s REFRESH PUBLICATION;", NO_TX,
			"ALTER SUBSCRIPTION REFRESH PUBLICATION" },
		{ "ALTER SUBSCRIPTION s SET PUBLICATION p WITH (refresh = false);", OTHER, NULL },
		{ "ALTER SUBSCRIPTION s SET (slot_name = NONE);", OTHER, NULL },
		{ "CLUSTER;", NO_TX, "CLUSTER" },
		{ "CLUSTER (VERBOSE)", NO_TX, "CLUSTER" },
		{ "CLUSTER t;", OTHER, NULL },
		{ "ALTER TABLE a.b DETACH PARTITION c CONCURRENTLY;", NO_TX,
			"DETACH PARTITION CONCURRENTLY" },
		{ "ALTER TABLE b DETACH PARTITION c;", OTHER, NULL },
		{ "ALTER TABLE b ADD detach int, ADD concurrently int;", OTHER, NULL },
		{ "DISCARD ALL;", NO_TX, "DISCARD ALL" },
		{ "DISCARD PLANS;", OTHER, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		const char *name;
		enum script_class class =
			classify_statement(examples[i].text, strlen(examples[i].text), &name);

		if (class != examples[i].class)
			fail_msg("%s: class %d, expected %d", examples[i].text, (int)class,
				(int)examples[i].class);
		if (strcmp(name ? name : "", examples[i].name ? examples[i].name : "") != 0)
			fail_msg("%s: %s, expected %s", examples[i].text, name, examples[i].name);
	}
}

/* [CLASS NAME@AT] and whether there are several. */
static char *describe_parts(const char *text, bool standard, enum encoding encoding)
{
	struct script_statement statement = { .text = text, .length = strlen(text) };

	parts_classify(&statement, standard, encoding);
	return mem_printf("%d %s@%zu%s", (int)statement.class,
		statement.class_name ? statement.class_name : "-", statement.class_at,
		statement.several ? " several" : "");
}

#define BODY "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; "

static void test_parts(void **state)
{
	static const struct {
		const char *text, *expected;
	} examples[] = {
		{ "SELECT 1;", "0 -@0" },
		{ "", "0 -@0" },
		{ "SELECT 1; SELECT 2", "0 -@0 several" },
		{ "SELECT 1; commit; begin;", "2 COMMIT@10 several" },
		{ "/* ; */ COMMIT", "2 COMMIT@8" },
		{ ";;COMMIT;;", "2 COMMIT@2" },
		{ "begin; commit", "2 BEGIN@0 several" },
		{ "VACUUM; COPY t FROM stdin; SELECT 1", "3 VACUUM@0 several" },
		{ "SELECT 1; COPY t FROM stdin", "1 COPY FROM STDIN@10 several" },
		{ "COPY t FROM stdin; VACUUM; ROLLBACK TO a; ABORT", "2 ABORT@42 several" },
		{ "SELECT ';COMMIT;', $$;COMMIT;$$, \";COMMIT;\" /* ;COMMIT; */ --;COMMIT;\n",
			"0 -@0" },
		{ "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; COMMIT; SELECT 2);",
			"0 -@0" },
		{ "DO $$BEGIN COMMIT; END$$; SELECT 1", "0 -@0 several" },
		{ "SELECT CASE WHEN a THEN 1 END; END", "2 END@31 several" },
		/* bodies of routines */
		{ BODY "SELECT CASE a WHEN 1 THEN 2 END; END; COMMIT", "2 COMMIT@93 several" },
		{ BODY "SELECT 1 AS end; SELECT a case, 1 end; END", "0 -@0" },
		{ BODY "END", "0 -@0" },
		{ "CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC END; COMMIT",
			"2 COMMIT@50 several" },
		{ "CREATE PROCEDURE p() BEGIN ATOMIC COMMIT; END;", "0 -@0" },
		{ "CREATE FUNCTION begin() RETURN 1; COMMIT; BEGIN; END;", "2 COMMIT@34 several" },
		{ "CREATE FUNCTION f(a int DEFAULT (1)) RETURN begin; COMMIT",
			"2 COMMIT@51 several" },
		{ BODY "SELECT begin, a case; END; COMMIT; END; END;", "2 COMMIT@82 several" },
		{ "CREATE TABLE t (a int); BEGIN; atomic; COMMIT", "2 BEGIN@24 several" },
		/* strings */
		{ "SELECT '\\'; COMMIT; SELECT ''", "2 COMMIT@12 several" },
		{ "SELECT E'\\'; COMMIT; SELECT ''", "0 -@0" },
		{ "SELECT E'a' -- b\n'\\''; COMMIT; SELECT '", "2 COMMIT@23 several" },
		{ "SELECT E'a' '\\'; COMMIT; SELECT ''", "2 COMMIT@17 several" },
		{ "SELECT E'\x95\\'; COMMIT; SELECT ''", "0 -@0" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		CLEANUP(mem_cleanup)
		char *got = describe_parts(examples[i].text, true, ENCODING_SAFE);

		if (strcmp(got, examples[i].expected) != 0)
			fail_msg(
				"%s: %s, expected %s", examples[i].text, got, examples[i].expected);
	}
}

/* How the server reads strings decides where a statement ends. */
static void test_parts_reading(void **state)
{
	CLEANUP(mem_cleanup)
	char *escapes = describe_parts("SELECT '\\'; COMMIT; SELECT ''", false, ENCODING_SAFE);
	CLEANUP(mem_cleanup)
	char *sjis = describe_parts("SELECT E'\x95\\'; COMMIT; SELECT ''", true, ENCODING_SJIS);

	(void)state;
	assert_string_equal("0 -@0", escapes);
	assert_string_equal("2 COMMIT@14 several", sjis);
}

static void test_standard_strings(void **state)
{
	static const struct {
		const char *text;
		int expected; /* -1: not that statement; 2 more: LOCAL */
	} examples[] = {
		{ "SET standard_conforming_strings = off;", 0 },
		{ "SET standard_conforming_strings = on;", 1 },
		{ "set session Standard_Conforming_Strings to 'on'", 1 },
		{ "SET standard_conforming_strings TO false;", 0 },
		{ "SET LOCAL standard_conforming_strings TO false;", 2 },
		{ "SET local standard_conforming_strings = 1;", 3 },
		{ "SET standard_conforming_strings TO DEFAULT;", 1 },
		{ "SELECT set_config('standard_conforming_strings', 'off', false)", 0 },
		{ "select pg_catalog.set_config('standard_conforming_strings', 'on', true)", 3 },
		{ "SELECT set_config('search_path', '', false)", -1 },
		{ "RESET standard_conforming_strings", 1 },
		{ "reset all;", 1 },
		{ "DISCARD ALL", 1 },
		{ "RESET client_encoding", -1 },
		{ "SET standard_conforming_strings", -1 },
		{ "SET client_encoding = off;", -1 },
		{ "SELECT standard_conforming_strings = off;", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		bool on = false, local = false;
		bool is = classify_standard_strings(
			examples[i].text, strlen(examples[i].text), &on, &local);

		if ((is ? on + 2 * local : -1) != examples[i].expected)
			fail_msg("%s: %d, expected %d", examples[i].text, is ? on + 2 * local : -1,
				examples[i].expected);
	}
}

static void test_changes_reading(void **state)
{
	static const struct {
		const char *text;
		bool expected;
		const char *encoding; /* NULL: sets none */
	} examples[] = {
		{ "SET client_encoding = 'sjis'", true, "sjis" },
		{ "/* c */ set Local CLIENT_ENCODING to big5;", true, "big5" },
		{ "SET NAMES 'GBK'", true, "GBK" },
		{ "SET SESSION NAMES 'a'", true, "a" },
		{ "SET standard_conforming_strings = on", true, NULL },
		{ "SET \"client_encoding\" = 'x'", true, NULL },
		{ "SET escape_string_warning = off", true, NULL },
		{ "SET LOCAL backslash_quote TO on", true, NULL },
		{ "RESET escape_string_warning", true, NULL },
		{ "RESET client_encoding", true, "" },
		{ "RESET ALL", true, "" },
		{ "DISCARD ALL", true, "" },
		{ "ROLLBACK TO a", true, NULL },
		{ "SELECT pg_catalog.set_config('client_encoding', 'x', false)", true, "x" },
		{ "select Set_Config('standard_CONFORMING_strings', 'off', true)", true, NULL },
		{ "SELECT pg_catalog.set_config('search_path', '', false)", false, NULL },
		{ "SET search_path = a", false, NULL },
		{ "RESET search_path", false, NULL },
		{ "DISCARD PLANS", false, NULL },
		{ "INSERT INTO names VALUES ('client_encoding')", false, NULL },
		{ "UPDATE a SET client_encoding = 1", false, NULL },
		{ "", false, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		const char *text = examples[i].text;
		CLEANUP(mem_cleanup) char *encoding = NULL;

		if (classify_changes_reading(text, strlen(text)) != examples[i].expected)
			fail_msg("%s: expected %d", text, examples[i].expected);
		if (!classify_encoding(text, strlen(text), &encoding))
			assert_null(examples[i].encoding);
		else
			assert_string_equal(encoding, examples[i].encoding);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_parts_reading),
		cmocka_unit_test(test_standard_strings),
		cmocka_unit_test(test_changes_reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
