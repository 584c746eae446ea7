/* What kind of statement a text is. */
#include "sql/classify.h"

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

static void test_standard_strings(void **state)
{
	static const struct {
		const char *text;
		int expected; /* -1: not that statement */
	} examples[] = {
		{ "SET standard_conforming_strings = off;", 0 },
		{ "SET standard_conforming_strings = on;", 1 },
		{ "set session Standard_Conforming_Strings to 'on'", 1 },
		{ "SET standard_conforming_strings TO false;", 0 },
		{ "SET standard_conforming_strings TO DEFAULT;", 1 },
		{ "SET standard_conforming_strings", -1 },
		{ "SET client_encoding = off;", -1 },
		{ "SELECT standard_conforming_strings = off;", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		bool on = false;
		bool is =
			classify_standard_strings(examples[i].text, strlen(examples[i].text), &on);

		if ((is ? on : -1) != examples[i].expected)
			fail_msg("%s: %d, expected %d", examples[i].text, is ? on : -1,
				examples[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_standard_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
