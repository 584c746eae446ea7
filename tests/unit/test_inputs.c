/* What the outcome of a load depends on, as the scripts tell. */
#include "unit.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "sql/check.h"

#include <stdio.h>

static char directory[] = "/tmp/inputsXXXXXX";

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
	unlink("z.sql");
	return chdir("/") == 0 && rmdir(directory) == 0 ? 0 : -1;
}

static void gather(const char *text, struct script_inputs *inputs)
{
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(script_summary_release) struct script_summary summary = SCRIPT_SUMMARY_INIT;
	CLEANUP(variables_release) struct variables variables = VARIABLES_INIT;
	const struct script_options options = { .variables = &variables, .inputs = inputs };
	const struct script_inputs_settings settings = { .variables = &variables };

	variables_set(&variables, "given", "y.sql");
	write_file("x.sql", text);
	if (script_check("x.sql", "x.sql", &options, &summary, &err) != 0 ||
		script_inputs_digest(inputs, &settings, &err) != 0)
		print_error("%s: %s\n", text, err.message);
	assert_int_equal(err.kind, ERR_NONE);
}

static const struct {
	const char *text, *expected;
} obstacles[] = {
	{ "CREATE TABLE t (a int); INSERT INTO t VALUES (1);", NULL },
	{ "\n\\connect other\nSELECT 1;", "x.sql:2: \\connect" },
	{ "\\getenv home HOME", "x.sql:1: \\getenv" },
	{ "\\copy t to out.csv", "x.sql:1: \\copy to a file" },
	{ "\\copy t from pstdin", "x.sql:1: \\copy from standard input" },
	{ "\\copy t from y.sql", NULL },
	{ "\\copy t from stdin\n1\n\\.\n", NULL },
	{ "\\set AUTOCOMMIT off\nSELECT 1;", "x.sql:2: \\set AUTOCOMMIT or ON_ERROR_STOP off" },
	{ "\\set ON_ERROR_STOP off\nSELECT 1;", "x.sql:2: \\set AUTOCOMMIT or ON_ERROR_STOP off" },
	{ "SELECT 1;\nCOPY t FROM '/tmp/t.csv';", "x.sql:2: COPY with a file on the server" },
	{ "COPY t (a, b) TO E'/tmp/t.csv'", "x.sql:1: COPY with a file on the server" },
	{ "COPY (SELECT 1) TO PROGRAM 'cat'", "x.sql:1: COPY with a program" },
	{ "COPY t FROM stdin;\n1\n\\.\n", NULL },
	{ "COPY (SELECT 'a' FROM t) TO STDOUT", NULL },
	{ "SELECT substring(a FROM 'x') FROM t", NULL },
	{ "ALTER ROLE app SET work_mem = '1GB'", "x.sql:1: ALTER ROLE" },
	{ "alter /* x */ -- y\n user app PASSWORD 'x'", "x.sql:2: ALTER USER" },
	{ "ALTER USER MAPPING FOR app SERVER s", NULL },
	{ "ALTER GROUP g ADD USER u", "x.sql:1: ALTER GROUP" },
	{ "ALTER SYSTEM SET x = 1", "x.sql:1: ALTER SYSTEM" },
	{ "ALTER DATABASE shop SET x = 1", "x.sql:1: ALTER DATABASE" },
	{ "CREATE DATABASE other", "x.sql:1: CREATE DATABASE" },
	{ "DROP DATABASE other", "x.sql:1: DROP DATABASE" },
	{ "GRANT CONNECT ON DATABASE shop TO app", "x.sql:1: ON DATABASE" },
	{ "REVOKE ALL ON DATABASE shop FROM public", "x.sql:1: ON DATABASE" },
	{ "COMMENT ON DATABASE shop IS 'x'", "x.sql:1: ON DATABASE" },
	{ "SECURITY LABEL FOR p ON DATABASE shop IS 'x'", "x.sql:1: ON DATABASE" },
	{ "GRANT SELECT ON t TO app; SELECT * FROM a JOIN b ON database = x", NULL },
	{ "CREATE TRIGGER t AFTER INSERT ON role FOR EACH ROW EXECUTE FUNCTION f()", NULL },
	{ "CREATE TABLESPACE s LOCATION '/x'", "x.sql:1: CREATE TABLESPACE" },
	{ "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p", "x.sql:1: CREATE SUBSCRIPTION" },
	{ "BEGIN; PREPARE TRANSACTION 'x'", "x.sql:1: PREPARE TRANSACTION" },
	{ "PREPARE q AS SELECT 1", NULL },
	{ "CREATE ROLE app LOGIN", NULL },
	{ "DROP ROLE app", "x.sql:1: DROP ROLE" },
	{ "SELECT pg_create_logical_replication_slot('a', 'b')",
		"x.sql:1: a function that reaches outside of the database" },
	{ "SELECT pg_read_file ('a')", "x.sql:1: a function that reaches outside of the database" },
	{ "SELECT pg_read_file FROM t", NULL },
	{ "UPDATE pg_catalog.pg_database SET datallowconn = false",
		"x.sql:1: a catalog that all databases share" },
	{ "SELECT 1 FROM pg_database \\gset", NULL },
	{ "SELECT 'ALTER ROLE app'", NULL },
	{ "SELECT \"alter\" role", NULL },
	{ "-- ALTER ROLE\n/* ALTER ROLE */ SELECT 1", NULL },
	{ "SELECT 'ALTER ROLE app' \\gexec", "x.sql:1: ALTER ROLE" },
	{ "DO $$\nBEGIN\n  ALTER ROLE app LOGIN;\nEND$$", "x.sql:3: ALTER ROLE" },
	{ "DO $$ BEGIN EXECUTE 'ALTER ' || 'ROLE ' || 'app'; END $$", "x.sql:1: ALTER ROLE" },
	{ "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET x = 1', 'a'); END $$",
		"x.sql:1: ALTER DATABASE" },
	{ "DO $$ BEGIN EXECUTE $x$ ALTER ROLE app $x$; END $$", "x.sql:1: ALTER ROLE" },
	{ "DO $$ BEGIN EXECUTE 'COPY t FROM ' || quote_literal(f); END $$",
		"x.sql:1: COPY with a file on the server" },
	{ "DO 'BEGIN EXECUTE ''ALTER ROLE app''; END'", "x.sql:1: ALTER ROLE" },
	{ "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'ALTER ROLE app LOGIN'",
		"x.sql:1: ALTER ROLE" },
	{ "CREATE OR REPLACE PROCEDURE f() LANGUAGE sql BEGIN ATOMIC SELECT 1; END", NULL },
	{ "INSERT INTO t VALUES ($$ please alter role $$)", NULL },
	{ "CREATE FOREIGN TABLE t (a int) SERVER s", "x.sql:1: FOREIGN TABLE" },
	{ "SET client_encoding = 'SJIS'; SELECT 1;",
		"x.sql:1: a client encoding that takes the server to be read" },
	{ "\\i y.sql", NULL },
	{ "\\i :given", NULL },
	{ "SELECT 1 AS a \\gset\n\\i y.sql", NULL },
	{ "SELECT 'y.sql' AS a \\gset\n\\i :a",
		"x.sql:2: include whose name a query may decide on" },
	{ "SELECT 1 AS a \\gset\n\\if :a\n\\i y.sql\n\\endif",
		"x.sql:3: include in a branch that a query decides on" },
	{ "\\set a off\nSELECT 1 AS a \\gset\n\\if :a\n\\i y.sql\n\\endif",
		"x.sql:3: condition that a query may decide on" },
	{ "SELECT 1 AS a \\gset\n\\if :a\nSELECT 2;\n\\endif", NULL },
};

static void test_obstacles(void **state)
{
	(void)state;
	write_file("y.sql", "SELECT 1;");
	for (size_t i = 0; i < ARRAY_SIZE(obstacles); i++) {
		CLEANUP(script_inputs_release) struct script_inputs inputs = SCRIPT_INPUTS_INIT;

		gather(obstacles[i].text, &inputs);
		check_text(obstacles[i].text, inputs.obstacle, obstacles[i].expected);
	}
}

/* Names with blanks between them. */
static const struct {
	const char *text, *expected;
} names[] = {
	{ "SELECT 1", "" },
	{ "SELECT Now(), \"Now\"(), \"a\"\"b\" FROM S.T", "Now( a\"b from now( s t" },
	{ "SELECT a -- b\n/* c /* d */ e */, 'f', E'\\'g' FROM h", "a from h" },
	{ "INSERT INTO s.users (id) VALUES (f (1))", "f( id into s users values(" },
	{ "INSERT INTO u VALUES (1); INSERT INTO u VALUES (g(1)); INSERT INTO u VALUES (h(1))",
		"g( h( into u values(" },
	{ "COPY t (a) FROM stdin;\nb\n\\.\n", "a from stdin t" },
	{ "CREATE TABLE t (at timestamptz DEFAULT now())", "" },
	{ "CREATE TABLE t AS SELECT random() FROM u", "from random( select u" },
	{ "CREATE TABLE p PARTITION OF t FOR VALUES FROM (now()) TO (f())", "f( from( now( to(" },
	{ "CREATE MATERIALIZED VIEW v AS SELECT random()", "as random( select v view" },
	{ "CREATE VIEW v AS SELECT random()", "" },
	{ "CREATE FUNCTION f() RETURNS float LANGUAGE sql AS $$ SELECT random() $$", "" },
	{ "ALTER TABLE t ALTER a SET DEFAULT now()", "" },
	{ "ALTER TABLE t ADD CONSTRAINT c CHECK (f(a))", "" },
	{ "ALTER TABLE t ADD COLUMN b date DEFAULT now()", "b date default now(" },
	{ "ALTER TABLE t ALTER a TYPE int USING random()", "random(" },
	{ "DO $$BEGIN PERFORM f('g()'); END$$", "begin end f( g( perform" },
	{ "SELECT 'f()' \\gexec", "f(" },
	{ "SELECT 'f()'", "" },
	{ "SELECT age(a), 1", "a age(" },
	{ "SELECT age(a, b)", "a b" },
	{ "SELECT a$b, $1, $x$ y $x$, 12e5, 1a", "a$b y" },
	{ "SELECT abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqr",
		"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk" },
	{ "SET standard_conforming_strings = off; SELECT 'a\\'b(', c", "c" },
	{ "GRANT a TO b; COMMENT ON TABLE c IS 'd'; DROP TABLE e", "" },
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(script_inputs_release) struct script_inputs inputs = SCRIPT_INPUTS_INIT;
		CLEANUP(strbuf_release) struct strbuf got = STRBUF_INIT;

		gather(names[i].text, &inputs);
		for (size_t j = 0; j < inputs.names.count; j++)
			strbuf_addf(&got, "%s%s", j > 0 ? " " : "", inputs.names.items[j]);
		check_text(names[i].text, got.data, names[i].expected);
	}
}

static const struct {
	const char *text, *expected;
} varying[] = {
	{ "SELECT 1", NULL },
	{ "\nINSERT INTO t VALUES (CURRENT_TIMESTAMP)", "x.sql:2: CURRENT_TIMESTAMP" },
	{ "INSERT INTO t VALUES (1);\nINSERT INTO t VALUES (current_date)",
		"x.sql:2: CURRENT_DATE" },
	{ "SELECT LOCALTIME(0)", "x.sql:1: LOCALTIME" },
	{ "SELECT user", "x.sql:1: USER" },
	{ "SELECT u.user, 1 AS user, u.current_date FROM u", NULL },
	{ "CREATE USER app; CREATE USER MAPPING FOR app SERVER s", NULL },
	{ "SELECT current_user, session_user", "x.sql:1: CURRENT_USER" },
	{ "INSERT INTO t VALUES ('now')", "x.sql:1: 'now'" },
	{ "INSERT INTO t VALUES (' Today ')", "x.sql:1: ' Today '" },
	{ "INSERT INTO t VALUES ('tomorrow 10:00+02')", "x.sql:1: 'tomorrow 10:00+02'" },
	{ "INSERT INTO t VALUES ('yesterday allballs')", "x.sql:1: 'yesterday allballs'" },
	{ "INSERT INTO t VALUES ('now or never'), ('known'), ('10:00'), ('not now')", NULL },
	{ "SELECT '{\"a\":1,\"x\":\"now\"}'", "x.sql:1: '{\"a\":1,\"x\":\"now\"}'" },
	{ "SELECT '{now}'::timestamptz[], 1", "x.sql:1: '{now}'" },
	{ "SELECT '{1,now}'::timestamptz[], 1", "x.sql:1: '{1,now}'" },
	{ "SELECT '[now,infinity)'::tstzrange", "x.sql:1: '[now,infinity)'" },
	{ "SELECT timestamptz 'today 08:00 CET'", "x.sql:1: 'today 08:00 CET'" },
	{ "SELECT timestamptz 'Today10:00 America/New_York'",
		"x.sql:1: 'Today10:00 America/New_York'" },
	{ "SELECT timestamptz '10:00 today'", "x.sql:1: '10:00 today'" },
	{ "SELECT '{\"a text that is longer than what is shown of it\": \"yesterday\"}'",
		"x.sql:1: 'yesterday' in a string" },
	{ "SELECT 'Today we went', '{nowhere}', 'x, now we see', '{\"now_\"}', 'note'", NULL },
	{ "CREATE TABLE t (a timestamp DEFAULT 'now')", "x.sql:1: 'now'" },
	{ "DO $$BEGIN EXECUTE 'SELECT ' || f; END$$", "x.sql:1: EXECUTE" },
	{ "DO $$BEGIN EXECUTE format('SELECT %I', f); END$$", "x.sql:1: EXECUTE" },
	{ "DO $$BEGIN EXECUTE f; END$$", "x.sql:1: EXECUTE" },
	{ "DO $$BEGIN EXECUTE '' || f || ''; END$$", "x.sql:1: EXECUTE" },
	{ "DO $$BEGIN EXECUTE 'a''' || f || ''; END$$", "x.sql:1: EXECUTE" },
	{ "DO 'BEGIN EXECUTE '''' || f || ''''; END'", "x.sql:1: EXECUTE" },
	{ "DO $$BEGIN EXECUTE 'SELECT ''a''' INTO b USING c; EXECUTE /* x */ 'b'; END$$", NULL },
	{ "DO 'BEGIN EXECUTE ''SELECT a''; END'", NULL },
	{ "DO $$BEGIN GRANT EXECUTE ON FUNCTION f TO a; END$$", NULL },
	{ "PREPARE q AS SELECT 1; EXECUTE q", NULL },
	{ "CREATE TABLE t (a timestamp DEFAULT CURRENT_TIMESTAMP)", NULL },
	{ "CREATE TABLE t AS SELECT CURRENT_TIMESTAMP", "x.sql:1: CURRENT_TIMESTAMP" },
	{ "COMMENT ON TABLE t IS 'now'", NULL },
	{ "DO $$BEGIN INSERT INTO t VALUES ('now'); END$$", "x.sql:1: 'now'" },
	{ "DO LANGUAGE plv8 $$ x $$", "x.sql:1: DO in another language" },
	{ "DO LANGUAGE plpgsql $$ BEGIN END $$", NULL },
	{ "SELECT * FROM t TABLESAMPLE system (10)", "x.sql:1: TABLESAMPLE" },
	{ "SELECT 'CURRENT_TIMESTAMP', \"user\" -- CURRENT_USER", NULL },
	{ "SELECT :'DBNAME'", "x.sql:1: :DBNAME" },
	{ "SELECT U&\"\\0066\"()", "x.sql:1: a name with Unicode escapes" },
};

static void test_varying(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(varying); i++) {
		CLEANUP(script_inputs_release) struct script_inputs inputs = SCRIPT_INPUTS_INIT;

		gather(varying[i].text, &inputs);
		check_text(varying[i].text, inputs.varying.count ? inputs.varying.items[0] : NULL,
			varying[i].expected);
	}
}

/* What exists when the server is asked is not all that was used. */
static const struct {
	bool seed;
	const char *text, *names, *varying;
} definitions[] = {
	{ true, "CREATE FUNCTION h() RETURNS int LANGUAGE sql AS 'SELECT random()'", "random(",
		NULL },
	{ true, "CREATE TABLE u (a int, x timestamptz DEFAULT now()); INSERT INTO u (a) VALUES (1)",
		"now(", NULL },
	{ true, "CREATE TABLE u (x timestamptz DEFAULT CURRENT_TIMESTAMP)", NULL,
		"x.sql:1: CURRENT_TIMESTAMP" },
	{ true, "CREATE VIEW v AS SELECT clock_timestamp()", "clock_timestamp(", NULL },
	{ true, "ALTER TABLE t ALTER x SET DEFAULT now()", "now(", NULL },
	{ true, "CREATE TRIGGER g BEFORE INSERT ON t EXECUTE FUNCTION g()", "g(", NULL },
	{ true, "CREATE FUNCTION h() RETURNS timestamptz LANGUAGE sql AS $$ SELECT 'now' $$", NULL,
		"x.sql:1: 'now'" },
	{ true, "CREATE FUNCTION h() RETURNS int LANGUAGE internal AS 'x'", NULL,
		"x.sql:1: a function in another language" },
	{ true, "CREATE FUNCTION h() RETURNS int LANGUAGE plpgsql AS $$BEGIN EXECUTE f; END$$",
		NULL, "x.sql:1: EXECUTE" },
	{ true, "CREATE EXTENSION x", NULL, "x.sql:1: CREATE EXTENSION" },
	{ true, "GRANT SELECT ON t TO app; COMMENT ON TABLE t IS 'now()'; ANALYZE t", "", NULL },
	{ false, "CREATE EXTENSION x", NULL, NULL },
	{ false, "CREATE FUNCTION f() AS $$BEGIN EXECUTE f; END$$ LANGUAGE plpgsql", "", NULL },
	{ false, "INSERT INTO t VALUES (1); CREATE TABLE u (x timestamptz DEFAULT now())",
		"into t values(", NULL },
	{ false,
		"CREATE FUNCTION h() RETURNS int LANGUAGE sql AS 'SELECT random()';"
		"INSERT INTO t VALUES (h()); DROP FUNCTION h()",
		"random(", NULL },
	{ false, "DROP FUNCTION h(); CREATE TABLE t (x date DEFAULT now())", "", NULL },
	{ false,
		"SELECT pg_catalog.set_config('search_path', '', false);"
		"BEGIN; DROP TABLE t; CREATE TABLE t (x date DEFAULT now())",
		"false pg_catalog set_config(", NULL },
	{ false,
		"ALTER TABLE t ALTER x SET DEFAULT now(); INSERT INTO t DEFAULT VALUES;"
		"ALTER TABLE t ALTER x DROP DEFAULT",
		"now(", NULL },
	{ false,
		"ALTER TABLE t ALTER x SET DEFAULT now(); COPY t (a) FROM stdin;\n1\n\\.\n"
		"ALTER TABLE t ALTER x SET DEFAULT NULL",
		"now(", NULL },
	{ false,
		"CREATE TABLE t (x date DEFAULT now()); INSERT INTO t VALUES (1);"
		"ALTER TABLE t RENAME TO u",
		"now(", NULL },
	{ false,
		"CREATE FUNCTION g() RETURNS trigger AS 'now()'; CALL f();"
		"ALTER TABLE t DISABLE TRIGGER g",
		"now(", NULL },
	{ false,
		"CREATE TABLE t (x date DEFAULT now()); UPDATE t SET a = 1;"
		"CREATE OR REPLACE FUNCTION f() RETURNS int AS 'SELECT 1'",
		"now(", NULL },
	{ false,
		"CREATE TEMP TABLE s (a int, x timestamptz DEFAULT now());"
		"INSERT INTO s VALUES (1); INSERT INTO t SELECT * FROM s",
		"now(", NULL },
	{ false, "CREATE FUNCTION pg_temp.f() RETURNS float AS 'SELECT random()'; SELECT f()",
		"random(", NULL },
	{ false,
		"CREATE FUNCTION f() RETURNS float SET search_path = a, pg_temp AS 'random()';"
		"SELECT a",
		"a", NULL },
	{ false, "CREATE VIEW v AS SELECT random(); DO $$BEGIN f(v); DROP VIEW v; END$$", "random(",
		NULL },
	{ false, "CREATE VIEW v AS SELECT random(); TABLE v; ROLLBACK TO a", "random(", NULL },
};

/* One of the names expected is enough; with a blank in it or empty: all of them. */
static bool has_names(const struct strlist *list, const char *expected)
{
	CLEANUP(strbuf_release) struct strbuf all = STRBUF_INIT;

	for (size_t i = 0; i < list->count; i++) {
		if (list->count > 1 && strcmp(list->items[i], expected) == 0)
			return strlen(expected) > 1;
		strbuf_addf(&all, "%s%s", i > 0 ? " " : "", list->items[i]);
	}
	return strcmp(all.length > 0 ? all.data : "", expected) == 0;
}

static void test_definitions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(definitions); i++) {
		CLEANUP(script_inputs_release)
		struct script_inputs inputs = { .definitions_run = definitions[i].seed };

		gather(definitions[i].text, &inputs);
		check_text(definitions[i].text,
			inputs.varying.count ? inputs.varying.items[0] : NULL,
			definitions[i].varying);
		if (definitions[i].names)
			check_number(definitions[i].text,
				has_names(&inputs.names, definitions[i].names), true);
	}
}

/* COPY data count only when they are asked for. */
static void test_data(void **state)
{
	static const struct {
		const char *text, *file, *expected;
	} data[] = {
		{ "COPY t FROM stdin;\n1\tx\n2\tnow\n\\.\n", "", "x.sql:3: 'now' in the data" },
		{ "COPY t FROM stdin CSV;\n1,Today\n\\.\n", "", "x.sql:2: 'Today' in the data" },
		{ "COPY t FROM stdin;\n{\"today 08:00\",x}\n\\.\n", "",
			"x.sql:2: 'today' in the data" },
		{ "COPY t FROM stdin;\n1\tnowhere\n2\tnow_\n3\tHello, now we are\n\\.\n", "",
			NULL },
		{ "\\copy t from stdin\nyesterday\n\\.\n", "", "x.sql:2: 'yesterday' in the data" },
		{ "\\copy t from y.sql", "1\n2\ntomorrow\n", "y.sql:3: 'tomorrow' in the data" },
		{ "\\copy t from y.sql", "1,[now", "y.sql:1: 'now' in the data" },
		{ "\\copy t from y.sql", "1\n2\nknow\n", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(data); i++) {
		CLEANUP(script_inputs_release) struct script_inputs plain = SCRIPT_INPUTS_INIT;
		CLEANUP(script_inputs_release)
		struct script_inputs inputs = { .reads_data = true };

		write_file("y.sql", data[i].file);
		gather(data[i].text, &plain);
		check_number(data[i].text, plain.has_data && plain.varying.count == 0, true);
		gather(data[i].text, &inputs);
		check_text(data[i].text, inputs.varying.count ? inputs.varying.items[0] : NULL,
			data[i].expected);
	}
}

/* Larger than what is read at once, the date where two pieces meet. */
static void test_large_data(void **state)
{
	const size_t piece = (size_t)1 << 20;

	(void)state;
	for (size_t before = piece - 7; before < piece + 2; before++) {
		CLEANUP(script_inputs_release)
		struct script_inputs inputs = { .reads_data = true };
		CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT_UNBOUNDED;

		strbuf_adds(&text, "first\n");
		while (text.length < before)
			strbuf_addc(&text, 'x');
		strbuf_adds(&text, "\ttoday\n");
		write_file("y.sql", text.data);
		gather("\\copy t from y.sql", &inputs);
		check_text("large", inputs.varying.count ? inputs.varying.items[0] : NULL,
			"y.sql:2: 'today' in the data");
	}
}

static void test_extensions(void **state)
{
	CLEANUP(script_inputs_release) struct script_inputs with = SCRIPT_INPUTS_INIT;
	CLEANUP(script_inputs_release) struct script_inputs without = SCRIPT_INPUTS_INIT;

	(void)state;
	gather("CREATE Extension IF NOT EXISTS pgcrypto", &with);
	gather("SELECT 'extension' -- extension", &without);
	check_number("with", with.wants_extensions, 1);
	check_number("without", without.wants_extensions, 0);
}

/* One more than are told apart. */
static void test_too_many_names(void **state)
{
	CLEANUP(script_inputs_release) struct script_inputs inputs = SCRIPT_INPUTS_INIT;
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT_UNBOUNDED;

	(void)state;
	strbuf_adds(&text, "SELECT ");
	for (size_t i = 0; i < SCRIPT_INPUTS_NAMES; i++)
		strbuf_addf(&text, "a%zu,\n", i);
	gather(text.data, &inputs);
	check_text("obstacle", inputs.obstacle, "x.sql:100000: too many different names");
}

/* Code in strings in strings: doubled with each level. */
static void test_nested_too_deep(void **state)
{
	CLEANUP(script_inputs_release) struct script_inputs inputs = SCRIPT_INPUTS_INIT;
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT_UNBOUNDED;

	(void)state;
	strbuf_adds(&text, "DO ");
	for (char c = 'a'; c <= 'z'; c++)
		strbuf_addf(&text, "$%c$ ", c);
	for (char c = 'z'; c >= 'a'; c--)
		strbuf_addf(&text, "$%c$ ", c);
	gather(text.data, &inputs);
	check_text("obstacle", inputs.obstacle, "x.sql:1: strings nested too deep");
}

/* The key of x.sql with this text, which includes the others. */
static char *key_of(const char *x, const char *y, const char *z)
{
	CLEANUP(script_inputs_release) struct script_inputs inputs = SCRIPT_INPUTS_INIT;

	write_file("y.sql", y);
	write_file("z.sql", z);
	gather(x, &inputs);
	return mem_strdup(inputs.key);
}

static void test_keys(void **state)
{
	static const struct {
		const char *x, *y, *z;
		bool same; /* as the first */
	} keys[] = {
		{ "\\i y.sql\n\\i z.sql\n", "a;", "b;", true },
		{ "\\i y.sql\n\\i z.sql\n", "a;", "b; ", false },
		{ "\\i y.sql\n\\i z.sql\n", "b;", "a;", false },
		{ "\\i y.sql\n\\i z.sql \n", "a;", "b;", false },
		{ "\\i z.sql\n\\i y.sql\n", "b;", "a;", false },
		{ "\\i y.sql\n\\i y.sql\n", "a;", "b;", false },
		{ "\\i y.sql\n\\i z.sql\n", "a;b;", "", false },
		{ "\\i y.sql\n\\i z.sql\n", "a;", "b;", true },
	};
	CLEANUP(mem_cleanup) char *first = key_of(keys[0].x, keys[0].y, keys[0].z);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		CLEANUP(mem_cleanup) char *key = key_of(keys[i].x, keys[i].y, keys[i].z);

		check_number(keys[i].x, strcmp(key, first) == 0, keys[i].same);
	}
}

static void test_changed_file(void **state)
{
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(script_summary_release) struct script_summary summary = SCRIPT_SUMMARY_INIT;
	CLEANUP(script_inputs_release) struct script_inputs inputs = SCRIPT_INPUTS_INIT;
	const struct script_options options = { .inputs = &inputs };
	const struct script_inputs_settings settings = { 0 };

	(void)state;
	write_file("x.sql", "a;");
	check_number("check", script_check("x.sql", "x.sql", &options, &summary, &err), 0);
	write_file("x.sql", "ab;");
	check_number("digest", script_inputs_digest(&inputs, &settings, &err), -1);
	check_err("changed", &err, ERR_SQL, "file \"x.sql\" changed after it was checked");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_obstacles),
		UNIT_TEST(test_names),
		UNIT_TEST(test_varying),
		UNIT_TEST(test_definitions),
		UNIT_TEST(test_data),
		UNIT_TEST(test_large_data),
		UNIT_TEST(test_extensions),
		UNIT_TEST(test_too_many_names),
		UNIT_TEST(test_nested_too_deep),
		UNIT_TEST(test_keys),
		UNIT_TEST(test_changed_file),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
