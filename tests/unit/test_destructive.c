/* Which statements destroy, and what. */
#include "unit.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "sql/destructive.h"

#define DATABASE_SHOP "DATABASE [DROP DATABASE] shop"
#define RENAME_SHOP "DATABASE [ALTER DATABASE ... RENAME] shop"
#define CHANGE_SHOP "CHANGE [ALTER DATABASE] shop"
#define COMMENT_SHOP "COMMENT [COMMENT ON DATABASE] shop"
#define DROP_COLUMN "DATA [ALTER TABLE ... DROP COLUMN]"
#define DELETE_ALL "DATA [DELETE without WHERE]"
#define CASCADES "DATA [DROP ... CASCADE]"
#define MERGE_DELETE "DATA [MERGE ... THEN DELETE]"
#define CONVERTS "DATA [ALTER TABLE ... TYPE]"
#define DROP_ATTRIBUTE "DATA [ALTER TYPE ... DROP ATTRIBUTE]"
#define UPDATE_ALL "DATA [UPDATE without WHERE]"

static const char *const kinds[] = { "NONE", "DATA", "DATABASE", "COMMENT", "CREATE", "CHANGE" };

/* KIND [NAME] DATABASE@PLACE, one behind the other; the place only when it is not the beginning. */
static char *describe(const char *text, bool several, bool standard_strings)
{
	const struct script_statement statement = {
		.text = text, .length = strlen(text), .several = several
	};
	struct strbuf out = STRBUF_INIT;
	size_t at = 0;

	for (;;) {
		CLEANUP(destructive_release) struct destructive found = DESTRUCTIVE_INIT;

		if (!destructive_next(&statement, standard_strings, &at, &found))
			return strbuf_detach(&out);
		if (out.length > 0)
			strbuf_adds(&out, ", ");
		strbuf_addf(&out, "%s [%s]", kinds[found.kind], found.name);
		if (found.kind != DESTRUCTIVE_DATA)
			strbuf_addf(&out, " %s", found.database ? found.database : "?");
		if (found.at > 0)
			strbuf_addf(&out, "@%zu", found.at);
	}
}

static void check(const char *text, bool several, bool standard_strings, const char *expected)
{
	CLEANUP(mem_cleanup) char *described = describe(text, several, standard_strings);

	check_text(text, described, expected);
}

struct example {
	const char *text, *expected;
};

static void check_all(const struct example *examples, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check(examples[i].text, false, true, examples[i].expected);
}

static void test_objects(void **state)
{
	static const struct example examples[] = {
		{ "TRUNCATE users;", "DATA [TRUNCATE]" },
		{ "truncate table only a, b restart identity cascade", "DATA [TRUNCATE]" },
		{ "Truncate/**/--\n\"a\"", "DATA [TRUNCATE]" },
		{ "DROP TABLE a;", "DATA [DROP TABLE]" },
		{ "drop table if exists a, b", "DATA [DROP TABLE]" },
		{ "DROP /* /* x */ */ TABLE a", "DATA [DROP TABLE]" },
		{ "DROP SCHEMA a CASCADE;", "DATA [DROP SCHEMA]" },
		{ "DROP MATERIALIZED VIEW a;", "DATA [DROP MATERIALIZED VIEW]" },
		{ "DROP SEQUENCE a;", "DATA [DROP SEQUENCE]" },
		{ "DROP EXTENSION hstore;", "DATA [DROP EXTENSION]" },
		{ "DROP OWNED BY app;", "DATA [DROP OWNED]" },
		{ "DROP TYPE a CASCADE;", CASCADES },
		{ "DROP TYPE IF EXISTS a, b.c cascade", CASCADES },
		{ "DROP DOMAIN a CASCADE", CASCADES },
		{ "DROP VIEW a CASCADE;", CASCADES },
		{ "DROP FUNCTION a(int, text) CASCADE", CASCADES },
		{ "DROP FOREIGN TABLE a CASCADE", CASCADES },
		{ "DROP SERVER a /* all of it */ CASCADE -- yes", CASCADES },
		{ "DROP TRIGGER a ON b CASCADE", CASCADES },
		{ "DROP SCHEMA a CASCADE", "DATA [DROP SCHEMA]" },
		{ "DROP TYPE a;", "" },
		{ "DROP TYPE a RESTRICT;", "" },
		{ "DROP TYPE \"cascade\";", "" },
		{ "DROP DOMAIN a", "" },
		{ "DROP VIEW a RESTRICT;", "" },
		{ "DROP VIEW cascade.a;", "" },
		{ "DROP FUNCTION a;", "" },
		{ "DROP INDEX a;", "" },
		{ "DROP ROLE a;", "" },
		{ "DROP TRIGGER a ON b;", "" },
		{ "DROP", "" },
		{ "\"truncate\" a", "" },
		{ "'TRUNCATE a'", "" },
		{ "SELECT 'TRUNCATE a';", "" },
		{ "DO $$BEGIN TRUNCATE a; END$$;", "" },
		{ "CREATE FUNCTION f() RETURNS void AS $$TRUNCATE a; DELETE FROM a$$", "" },
		{ "CREATE FUNCTION f() RETURNS void BEGIN ATOMIC DELETE FROM a; END", "" },
		{ "CREATE RULE r AS ON DELETE TO a DO INSTEAD DELETE FROM b", "" },
		{ "CREATE TRIGGER t BEFORE TRUNCATE ON a EXECUTE FUNCTION f()", "" },
		{ "GRANT TRUNCATE, DELETE ON a TO b", "" },
		{ "INSERT INTO a VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1;", "" },
		{ "COMMENT ON TABLE a IS 'DROP TABLE'", "" },
		{ "", "" },
		{ ";", "" },
	};

	(void)state;
	check_all(examples, ARRAY_SIZE(examples));
}

static void test_columns(void **state)
{
	static const struct example examples[] = {
		{ "ALTER TABLE a DROP COLUMN b;", DROP_COLUMN },
		{ "ALTER TABLE a DROP b;", DROP_COLUMN },
		{ "alter table if exists only s.a * drop if exists b cascade", DROP_COLUMN },
		{ "ALTER TABLE ONLY (a) DROP \"constraint\"", DROP_COLUMN },
		{ "ALTER TABLE a DROP COLUMN IF EXISTS b", DROP_COLUMN },
		{ "ALTER TABLE a DROP identity", DROP_COLUMN },
		{ "ALTER TABLE a ADD b numeric(3, 1), DROP c;", DROP_COLUMN },
		{ "ALTER TABLE a DROP CONSTRAINT b, ALTER c DROP DEFAULT, DROP d", DROP_COLUMN },
		{ "ALTER TABLE a ALTER COLUMN b TYPE int USING b::int;", CONVERTS },
		{ "alter table only a alter b set data type numeric(9, 2) using (null)", CONVERTS },
		{ "ALTER TABLE a ADD c int, ALTER \"type\" TYPE text COLLATE \"C\" USING ''",
			CONVERTS },
		{ "ALTER TABLE a ALTER b TYPE int, ALTER c TYPE int USING 0", CONVERTS },
		{ "ALTER TABLE a ALTER b TYPE bigint;", CONVERTS },
		{ "ALTER TABLE a ALTER COLUMN b SET DATA TYPE varchar(9), ADD EXCLUDE USING gist "
		  "(c WITH &&)",
			CONVERTS },
		{ "ALTER TABLE a ALTER b SET DATA", "" },
		{ "ALTER TABLE a ALTER type SET DEFAULT 'using'", "" },
		{ "ALTER TABLE a ALTER b SET STORAGE plain, ADD PRIMARY KEY USING INDEX i", "" },
		{ "ALTER TYPE a DROP ATTRIBUTE b;", DROP_ATTRIBUTE },
		{ "ALTER TYPE s.\"A\" ADD ATTRIBUTE b numeric(3, 1), drop attribute if exists c "
		  "cascade",
			DROP_ATTRIBUTE },
		{ "ALTER TYPE a ADD ATTRIBUTE b int, ALTER ATTRIBUTE c TYPE text", "" },
		{ "ALTER TYPE a ADD VALUE 'drop attribute'", "" },
		{ "ALTER TYPE drop RENAME ATTRIBUTE attribute TO b", "" },
		{ "ALTER TABLE \"drop\" ADD b int", "" },
		{ "ALTER TABLE drop ADD b int", "" },
		{ "ALTER TABLE a DROP CONSTRAINT b;", "" },
		{ "ALTER TABLE a DROP CONSTRAINT IF EXISTS b CASCADE;", "" },
		{ "ALTER TABLE a ALTER COLUMN b DROP NOT NULL, ALTER c DROP DEFAULT;", "" },
		{ "ALTER TABLE a ALTER b DROP IDENTITY IF EXISTS;", "" },
		{ "ALTER TABLE a ALTER b DROP EXPRESSION;", "" },
		{ "ALTER TABLE a ADD CHECK (b <> ', drop'), ADD c int DEFAULT f(1, drop)", "" },
		{ "ALTER TABLE a -- DROP b\n ADD c int", "" },
		{ "ALTER VIEW a ALTER b DROP DEFAULT", "" },
		{ "ALTER TABLE", "" },
	};

	(void)state;
	check_all(examples, ARRAY_SIZE(examples));
}

static void test_rows(void **state)
{
	static const struct example examples[] = {
		{ "DELETE FROM a;", DELETE_ALL },
		{ "delete from only a as b using c returning *", DELETE_ALL },
		{ "DELETE FROM a USING (SELECT 1 WHERE true) b", DELETE_ALL },
		{ "DELETE FROM a -- WHERE b\n;", DELETE_ALL },
		{ "DELETE FROM a RETURNING 'WHERE', \"where\"", DELETE_ALL },
		{ "DELETE FROM a RETURNING b AS where", DELETE_ALL },
		{ "DELETE FROM a RETURNING a.where", DELETE_ALL },
		{ "DELETE FROM a WHERE b = 1;", "" },
		{ "DELETE FROM a USING b WHERE a.c = b.c", "" },
		{ "DELETE FROM a WHERE CURRENT OF c", "" },
		{ "UPDATE a SET b = 1;", UPDATE_ALL },
		{ "UPDATE ONLY a SET (b, c) = (SELECT 1, 2 WHERE true) FROM d", UPDATE_ALL },
		{ "UPDATE a SET b = count(*) FILTER (WHERE c)", UPDATE_ALL },
		{ "UPDATE a SET b = 1 WHERE c;", "" },
		{ "WITH b AS (SELECT 1) DELETE FROM a", DELETE_ALL },
		{ "WITH b AS (SELECT 1 WHERE true) UPDATE a SET b = 1", UPDATE_ALL },
		{ "WITH b AS (DELETE FROM a RETURNING *) SELECT * FROM b WHERE c", DELETE_ALL },
		{ "WITH b AS MATERIALIZED (UPDATE a SET c = 1 RETURNING *) SELECT 1", UPDATE_ALL },
		{ "WITH b AS NOT MATERIALIZED (DELETE FROM a RETURNING *) TABLE b", DELETE_ALL },
		{ "WITH b (x, y) AS (SELECT 1, 2), c AS (DELETE FROM a) SELECT 1", DELETE_ALL },
		{ "WITH b AS (WITH c AS (DELETE FROM a RETURNING *) TABLE c) TABLE b", DELETE_ALL },
		{ "WITH RECURSIVE b AS (SELECT 1) SEARCH DEPTH FIRST BY c SET d DELETE FROM a",
			DELETE_ALL },
		{ "WITH b AS (DELETE FROM a WHERE c RETURNING *) INSERT INTO d TABLE b", "" },
		{ "WITH b AS (SELECT 1) DELETE FROM a WHERE c IN (TABLE b)", "" },
		{ "WITH delete AS (SELECT 1) SELECT * FROM delete", "" },
		{ "WITH b AS (SELECT 1), update (c) AS (SELECT 1) TABLE update", "" },
		{ "WITH b AS (SELECT 1) SELECT delete, c AS update FROM b FOR UPDATE", "" },
		{ "WITH b AS (SELECT 1 AS delete, (delete) FROM c) TABLE b", "" },
		{ "WITH b AS (TABLE c) MERGE INTO a USING b ON true WHEN MATCHED THEN DELETE",
			MERGE_DELETE },
		{ "MERGE INTO a USING b ON a.c = b.c WHEN MATCHED THEN DELETE;", MERGE_DELETE },
		{ "merge into a using (SELECT 1 WHERE true) b on true when matched and a.d > 1 "
		  "then/**/delete when not matched then do nothing",
			MERGE_DELETE },
		{ "MERGE INTO a USING b ON true WHEN NOT MATCHED BY SOURCE THEN DELETE RETURNING *",
			MERGE_DELETE },
		{ "WITH d AS (MERGE INTO a USING b ON true WHEN MATCHED THEN DELETE RETURNING *) "
		  "TABLE d",
			MERGE_DELETE },
		{ "COPY (MERGE INTO a USING b ON true WHEN MATCHED THEN DELETE RETURNING *) TO "
		  "stdout",
			MERGE_DELETE },
		{ "EXPLAIN ANALYZE MERGE INTO a USING b ON true WHEN MATCHED THEN DELETE",
			MERGE_DELETE },
		{ "PREPARE p AS MERGE INTO a USING b ON true WHEN MATCHED THEN DELETE",
			MERGE_DELETE },
		{ "MERGE INTO a USING b ON true WHEN MATCHED THEN UPDATE SET c = delete WHEN NOT "
		  "MATCHED THEN INSERT VALUES (1)",
			"" },
		{ "MERGE INTO a USING b ON true WHEN MATCHED THEN DO NOTHING", "" },
		{ "MERGE INTO delete USING b ON (CASE WHEN c THEN delete END) WHEN MATCHED THEN DO "
		  "NOTHING",
			"" },
		{ "EXPLAIN MERGE INTO a USING b ON true WHEN MATCHED THEN DELETE", "" },
		{ "WITH b AS (SELECT 1) SELECT CASE WHEN c THEN delete END FROM b", "" },
		{ "WITH b AS (TABLE c) INSERT INTO a TABLE b ON CONFLICT (c) DO UPDATE SET d = 1",
			"" },
		{ "(WITH b AS (DELETE FROM a RETURNING *) TABLE b)", DELETE_ALL },
		{ "(SELECT 1)", "" },
		{ "COPY (DELETE FROM a RETURNING *) TO stdout", DELETE_ALL },
		{ "COPY (DELETE FROM a WHERE b RETURNING *) TO stdout", "" },
		{ "COPY a (update, delete) FROM stdin", "" },
		{ "COPY a FROM stdin WHERE b", "" },
		{ "PREPARE p (int, text) AS DELETE FROM a", DELETE_ALL },
		{ "PREPARE p AS UPDATE a SET b = $1 WHERE c = $2", "" },
		{ "PREPARE TRANSACTION 'x'", "" },
		{ "EXPLAIN ANALYZE DELETE FROM a", DELETE_ALL },
		{ "EXPLAIN (COSTS off, ANALYZE) UPDATE a SET b = 1", UPDATE_ALL },
		{ "EXPLAIN (analyse true) DELETE FROM a", DELETE_ALL },
		{ "EXPLAIN ANALYSE VERBOSE DELETE FROM a", DELETE_ALL },
		{ "EXPLAIN ANALYZE CREATE TABLE b AS WITH c AS (DELETE FROM a RETURNING *) TABLE c",
			DELETE_ALL },
		{ "EXPLAIN (\"analyze\") DELETE FROM a", DELETE_ALL },
		{ "EXPLAIN (VERBOSE, U&\"\\0061nalyze\") DELETE FROM a", DELETE_ALL },
		{ "EXPLAIN (\"verbose\") DELETE FROM a", "" },
		{ "EXPLAIN DELETE FROM a", "" },
		{ "EXPLAIN VERBOSE DELETE FROM a", "" },
		{ "EXPLAIN (VERBOSE) DELETE FROM a", "" },
		{ "EXPLAIN (ANALYZE off) DELETE FROM a", "" },
		{ "EXPLAIN ANALYZE DELETE FROM a WHERE b", "" },
		{ "CREATE TABLE b AS WITH c AS (DELETE FROM a RETURNING *) TABLE c", DELETE_ALL },
		{ "CREATE TEMP TABLE b (x) AS WITH c AS (UPDATE a SET d = 1 RETURNING *) TABLE c",
			UPDATE_ALL },
		{ "CREATE TABLE t (update timestamp, set int, delete int GENERATED ALWAYS AS (1) "
		  "STORED)",
			"" },
		{ "CREATE UNLOGGED TABLE t AS SELECT 1", "" },
		{ "((((", "" },
		{ "DELETE FROM a))))", DELETE_ALL },
		{ "WITH", "" },
	};

	(void)state;
	check_all(examples, ARRAY_SIZE(examples));
}

static void test_databases(void **state)
{
	static const struct example examples[] = {
		{ "DROP DATABASE shop;", DATABASE_SHOP },
		{ "drop database if exists SHOP with (force)", DATABASE_SHOP },
		{ "DROP DATABASE \"shop\"", DATABASE_SHOP },
		{ "DROP DATABASE U&\"shop\"", DATABASE_SHOP },
		{ "DROP DATABASE \"a\"\"B.c\"", "DATABASE [DROP DATABASE] a\"B.c" },
		{ "CREATE DATABASE Shop TEMPLATE template0", "CREATE [CREATE DATABASE] shop" },
		{ "CREATE DATABASE U&\"\\0073hop\"", "CREATE [CREATE DATABASE] ?" },
		{ "DROP DATABASE größe", "DATABASE [DROP DATABASE] größe" },
		{ "DROP DATABASE U&\"\\0073hop\"", "DATABASE [DROP DATABASE] ?" },
		{ "DROP DATABASE U&\"!0073hop\" UESCAPE '!'", "DATABASE [DROP DATABASE] ?" },
		{ "DROP DATABASE :name", "DATABASE [DROP DATABASE] ?" },
		{ "DROP DATABASE", "DATABASE [DROP DATABASE] ?" },
		{ "DROP DATABASE a23456789b123456789c123456789d123456789e123456789f123456789g123X",
			"DATABASE [DROP DATABASE] "
			"a23456789b123456789c123456789d123456789e123456789f123456789g123" },
		{ "DROP DATABASE ä23456789b123456789c123456789d123456789e123456789f123456789g12X",
			"DATABASE [DROP DATABASE] ?" },
		{ "ALTER DATABASE shop RENAME TO other;", RENAME_SHOP },
		{ "ALTER DATABASE \"shop\"rename to other", RENAME_SHOP },
		{ "ALTER DATABASE shop SET a = 1", CHANGE_SHOP },
		{ "ALTER DATABASE \"shop\"ALLOW_CONNECTIONS false", CHANGE_SHOP },
		{ "ALTER DATABASE shop OWNER TO rename", CHANGE_SHOP },
		{ "ALTER DATABASE rename OWNER TO b", "CHANGE [ALTER DATABASE] rename" },
		{ "COMMENT ON DATABASE shop IS 'x';", COMMENT_SHOP },
		{ "comment/**/on database Shop is null", COMMENT_SHOP },
		{ "COMMENT ON COLUMN database.shop IS 'x'", "" },
		{ "DROP TABLE database", "DATA [DROP TABLE]" },
	};

	(void)state;
	check_all(examples, ARRAY_SIZE(examples));
}

static void test_several(void **state)
{
	static const struct example examples[] = {
		{ "SELECT 1; TRUNCATE a;", "DATA [TRUNCATE]@10" },
		{ "DROP DATABASE a; DROP DATABASE b",
			"DATABASE [DROP DATABASE] a, DATABASE [DROP DATABASE] b@17" },
		{ "DELETE FROM a; UPDATE b SET c = 1 WHERE d; DELETE FROM e;",
			"DATA [DELETE without WHERE], DATA [DELETE without WHERE]@43" },
		{ "DELETE FROM a WHERE b; SELECT 1", "" },
		{ "DELETE FROM a; SELECT 1 WHERE true", DELETE_ALL },
		{ ";; -- TRUNCATE\n TRUNCATE a", "DATA [TRUNCATE]@16" },
		{ "CREATE RULE r AS ON INSERT TO a DO (SELECT 1; DELETE FROM b); SELECT 1", "" },
		{ "ALTER TABLE a ADD b int; DROP TABLE c", "DATA [DROP TABLE]@25" },
		{ "DROP TYPE a; SELECT b cascade", "" },
		{ "INSERT INTO a VALUES ('; TRUNCATE a')", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
		check(examples[i].text, true, true, examples[i].expected);
}

static void test_strings(void **state)
{
	(void)state;
	check("UPDATE a SET b = '\\' WHERE '", false, false, UPDATE_ALL);
	check("UPDATE a SET b = '\\' WHERE c = ''", false, true, "");
	check("UPDATE a SET b = E'\\' WHERE '", false, true, UPDATE_ALL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_objects),
		UNIT_TEST(test_columns),
		UNIT_TEST(test_rows),
		UNIT_TEST(test_databases),
		UNIT_TEST(test_several),
		UNIT_TEST(test_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
