#include "target_fixture.h"

/* Which variable is taken. */
static void test_order(void **state)
{
	static const struct {
		const char *variables, *file, *name;
		const char *origin, *host;
	} cases[] = {
		{ "CONNECTION_URL" URL("a"), NULL, "local", "CONNECTION_URL", "a" },
		{ "DATABASE_URL" URL("a"), NULL, "local", "DATABASE_URL", "a" },
		{ "DATABASE_URL" URL("b") "|CONNECTION_URL" URL("a"), NULL, "local",
			"CONNECTION_URL", "a" },
		{ "CONNECTION_URL=|DATABASE_URL" URL("b"), NULL, "local", "DATABASE_URL", "b" },
		{ "CONNECTION_URL" URL("a") "|PGHOST=p|PGSERVICE=x", NULL, "local",
			"CONNECTION_URL", "a" },
		{ "LOCAL_CONNECTION_URL" URL("x") "|DATABASE_URL" URL("b"), NULL, "local",
			"DATABASE_URL", "b" },
		{ "PROD_CONNECTION_URL" URL("x") "|CONNECTION_URL" URL("a"), NULL, "local",
			"CONNECTION_URL", "a" },
		/* .env: the process environment wins, variable by variable */
		{ "", "CONNECTION_URL" URL("f"), "local", "CONNECTION_URL in the/.env", "f" },
		{ "", "DATABASE_URL" URL("f"), "local", "DATABASE_URL in the/.env", "f" },
		{ "CONNECTION_URL" URL("a"), "CONNECTION_URL" URL("f"), "local", "CONNECTION_URL",
			"a" },
		{ "DATABASE_URL" URL("b"), "CONNECTION_URL" URL("f"), "local",
			"CONNECTION_URL in the/.env", "f" },
		{ "CONNECTION_URL=", "CONNECTION_URL" URL("f") "\nDATABASE_URL" URL("g"), "local",
			"DATABASE_URL in the/.env", "g" },
		{ "PGHOST=p", "CONNECTION_URL" URL("f"), "local", "CONNECTION_URL in the/.env",
			"f" },
		{ "", "CONNECTION_URL='postgresql://me@f/db' # mine", "local",
			"CONNECTION_URL in the/.env", "f" },
		/* other targets */
		{ "PROD_CONNECTION_URL" URL("x") "|CONNECTION_URL" URL("a"), NULL, "prod",
			"PROD_CONNECTION_URL", "x" },
		{ "PROD_DATABASE_URL" URL("y"), NULL, "prod", "PROD_DATABASE_URL", "y" },
		{ "PROD_DATABASE_URL" URL("y") "|PROD_CONNECTION_URL" URL("x"), NULL, "prod",
			"PROD_CONNECTION_URL", "x" },
		{ "", "PROD_CONNECTION_URL" URL("f"), "prod", "PROD_CONNECTION_URL in the/.env",
			"f" },
		{ "TEST_CONNECTION_URL" URL("t"), NULL, "test", "TEST_CONNECTION_URL", "t" },
		{ "TEST_CONNECTION_URL" URL("t"), NULL, "Test", "TEST_CONNECTION_URL", "t" },
		{ "PROD_EU_1_CONNECTION_URL" URL("t"), NULL, "prod-eu-1",
			"PROD_EU_1_CONNECTION_URL", "t" },
		{ "PROD_EU_DATABASE_URL" URL("t"), NULL, "prod_eu", "PROD_EU_DATABASE_URL", "t" },
		{ "LOCAL_CONNECTION_URL" URL("x") "|CONNECTION_URL" URL("a"), NULL, "LOCAL",
			"LOCAL_CONNECTION_URL", "x" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(resolved_release) struct resolved r = { .result = 0 };

		resolve(&r, cases[i].variables, cases[i].file, cases[i].name);
		check_number(cases[i].variables, r.result, 0);
		check_text(cases[i].variables, r.err.message, NULL);
		check_text(cases[i].variables, r.target.origin, cases[i].origin);
		check_text(cases[i].variables, params_get(&r.target.params, "host"), cases[i].host);
		check_text(cases[i].variables, r.target.database, "db");
		check_text(cases[i].variables, params_get(&r.target.params, "dbname"), NULL);
		check_text(cases[i].variables, r.target.name, cases[i].name);
	}
}

/* The one that is given, whatever goes before it. */
static void test_value(void **state)
{
	static char variable[] = "PROD_DATABASE_URL";
	static const struct env_value url = {
		.name = variable, .value = "postgresql://me@hidden/production", .file = "the/.env"
	};
	static const struct env_value wrong = { .name = variable, .value = "nonsense" };
	CLEANUP(resolved_release) struct resolved r = { .result = 0 };
	CLEANUP(target_release) struct target read = TARGET_INIT, resolved = TARGET_INIT;
	CLEANUP(target_release) struct target failed = TARGET_INIT;

	(void)state;
	resolve(&r, "PROD_CONNECTION_URL" URL("x") "|PROD_DATABASE_URL" URL("y"), NULL, "prod");
	check_number("read", target_read_value(&read, "prod", &r.env, &url, &r.err), 0);
	check_number("resolve", target_resolve_value(&resolved, "prod", &r.env, &url, &r.err), 0);
	check_text("host", params_get(&read.params, "host"), "hidden");
	check_text("host to connect to", params_get(&resolved.params, "host"), "hidden");
	check_text("database", read.database, "production");
	check_text("origin", read.origin, "PROD_DATABASE_URL in the/.env");
	check_number("wrong", target_read_value(&failed, "prod", &r.env, &wrong, &r.err), -1);
	check_text("name, all the same", failed.name, "prod");
	check_holds("its place", r.err.message, "PROD_DATABASE_URL is not a valid connection URL");
}

/* Parameters (without libpq's own defaults that come from the machine) and the database's name. */
static const struct {
	const char *variables, *file;
	const char *params, *database;
} libpq_cases[] = {
	{ "PGUSER=me|PGHOST=h", NULL, "user=me host=h port=5432", NULL },
	{ "PGUSER=me|PGHOST=h|PGPORT=7|PGDATABASE=db", NULL, "user=me host=h port=7", "db" },
	{ "PGUSER=me|PGDATABASE=db", NULL, "user=me port=5432", "db" },
	{ "PGUSER=me|PGHOSTADDR=127.0.0.1|PGDATABASE=db", NULL, "user=me port=5432", "db" },
	{ "PGUSER=me|PGHOSTADDR=127.0.0.1", NULL, "user=me port=5432", NULL },
	/* the password stays where libpq finds it by itself */
	{ "PGUSER=me|PGHOST=h|PGPASSWORD=JQXZVK", NULL, "user=me host=h port=5432", NULL },
	/* in .env only, or in both */
	{ "", "PGUSER=me\nPGHOST=f\nPGPORT=8\nPGDATABASE=fd\nPGPASSWORD=pw",
		"user=me password=pw host=f port=8", "fd" },
	{ "PGHOST=h|PGUSER=me", "PGHOST=f\nPGDATABASE=fd", "user=me host=h port=5432", "fd" },
	{ "PGUSER=me", "PGHOST=f\nPGUSER=you\nPGSSLMODE=require",
		"user=me host=f port=5432 sslmode=require", NULL },
	{ "PGUSER=me|PGHOST=", "PGHOST=f\nPGDATABASE=fd", "user=me port=5432", "fd" },
	/* services */
	{ SERVICE "PGSERVICE=one", NULL, "user=service-user host=service-host port=7777",
		"service-db" },
	{ SERVICE "PGSERVICE=one|PGDATABASE=db|PGHOST=h|PGUSER=me", NULL,
		"user=service-user host=service-host port=7777", "service-db" },
	{ SERVICE "PGSERVICE=bare|PGDATABASE=db|PGUSER=me", NULL,
		"user=me host=bare-host port=5432", "db" },
	{ SERVICE "PGUSER=me", "PGSERVICE=one", "service=one host=service-host", "service-db" },
	{ SERVICE "PGUSER=me|PGHOST=h|PGPORT=1", "PGSERVICE=one\nPGDATABASE=fd",
		"service=one host=service-host", "fd" },
	/* what a URL leaves open libpq takes from its own variables */
	{ "CONNECTION_URL=postgresql:///db|PGHOST=h|PGPORT=1|PGSSLMODE=disable", NULL,
		"host=h sslmode=disable", "db" },
	{ SERVICE "CONNECTION_URL=postgresql://me@/db|PGSERVICE=one", NULL,
		"user=me host=service-host", "db" },
	{ "CONNECTION_URL=postgresql://me@h/db|PGHOST=p|PGDATABASE=pd|PGSSLMODE=prefer", NULL,
		"user=me host=h", "db" },
	{ SERVICE "CONNECTION_URL=postgresql:///?service=one", NULL,
		"service=one host=service-host", "service-db" },
	{ SERVICE "CONNECTION_URL=postgresql://me@h:1/db?service=one", NULL,
		"service=one user=me host=h port=1", "db" },
	{ SERVICE "CONNECTION_URL=service=bare|PGDATABASE=db", NULL, "service=bare host=bare-host",
		"db" },
	{ "CONNECTION_URL=postgresql://me@h|PGDATABASE=pd", NULL, "user=me host=h", NULL },
	/* a URL is a target of its own: what .env says about others does not mix in */
	{ "CONNECTION_URL=postgresql://me@h/db", "PGHOST=f\nPGPASSWORD=pw\nPGPORT=8",
		"user=me host=h", "db" },
};

static void test_libpq_variables(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(libpq_cases); i++) {
		CLEANUP(resolved_release) struct resolved r = { .result = 0 };
		CLEANUP(mem_cleanup) char *got = NULL;

		resolve(&r, libpq_cases[i].variables, libpq_cases[i].file, "local");
		check_number(libpq_cases[i].variables, r.result, 0);
		check_text(libpq_cases[i].variables, r.err.message, NULL);
		got = params_text(&r.target.params);
		check_text(libpq_cases[i].variables, got, libpq_cases[i].params);
		check_text(libpq_cases[i].variables, r.target.database, libpq_cases[i].database);
		check_number("private server", r.target.is_private, false);
	}
}

static void test_service_is_left_alone(void **state)
{
	CLEANUP(resolved_release) struct resolved r = { .result = 0 };

	(void)state;
	resolve(&r, SERVICE "PGSERVICE=bare|CONNECTION_URL=service=one", NULL, "local");
	check_text("database", r.target.database, "service-db");
	check_text("PGSERVICE", getenv("PGSERVICE"), "bare");
	resolved_release(&r);
	memset(&r, 0, sizeof(r));
	resolve(&r, SERVICE "CONNECTION_URL=service=one", NULL, "local");
	check_text("database", r.target.database, "service-db");
	check_text("PGSERVICE", getenv("PGSERVICE"), NULL);
}

/* Each piece stands in the message, detail or hint. */
static void test_errors(void **state)
{
	static const struct {
		const char *variables, *file, *name;
		const char *message, *detail, *hint;
	} cases[] = {
		{ "", NULL, "local", "no project and no connection URL found", "CONNECTION_URL",
			"Set CONNECTION_URL" },
		{ "", NULL, "local", "no project", "DATABASE_URL", NULL },
		{ "", NULL, "local", "no project", "PGHOST, PGHOSTADDR, PGSERVICE and PGDATABASE",
			NULL },
		{ "PGUSER=me|PGPORT=1|PGPASSWORD=x", NULL, "local", "no project", NULL, NULL },
		{ "CONNECTION_URL" URL("a"), NULL, "prod", "no connection URL for target \"prod\"",
			"Neither PROD_CONNECTION_URL nor PROD_DATABASE_URL is set in the "
			"environment "
			"(and there is no .env file).",
			"Set PROD_CONNECTION_URL=postgresql://" },
		{ "", "A=1", "prod", "no connection URL for target \"prod\"",
			"PROD_DATABASE_URL is set in the environment or in the/.env.", NULL },
		{ "PROD_CONNECTION_URL=", "PROD_CONNECTION_URL" URL("f"), "prod",
			"no connection URL for target \"prod\"", NULL, NULL },
		{ "PGHOST=h", NULL, "prod-eu", "no connection URL for target \"prod-eu\"",
			"Neither PROD_EU_CONNECTION_URL nor PROD_EU_DATABASE_URL",
			"Set PROD_EU_CONNECTION_URL=" },
		{ "TEST_CONNECTION_URL" URL("t"), NULL, "tests", "target \"tests\"",
			"TESTS_CONNECTION_URL", NULL },
		/* names */
		{ "", NULL, "", "\"\" is not a target name", NULL, "<NAME>_CONNECTION_URL" },
		{ "", NULL, "-", "\"-\" is not a target name", NULL, "local, prod or test" },
		{ "", NULL, "1st", "\"1st\" is not a target name", NULL, NULL },
		{ "", NULL, "a b", "\"a b\" is not a target name", NULL, NULL },
		{ "", NULL, "a=b", "\"a=b\" is not a target name", NULL, NULL },
		{ "", NULL, "db/schema.sql", "\"db/schema.sql\" is not a target name", NULL, NULL },
		{ "", NULL, "postgresql://h/db", "is not a target name", NULL, NULL },
		{ "", NULL,
			"pr\xC3\xB6"
			"d",
			"is not a target name", NULL, NULL },
		/* URLs that are not valid name their variable and its file */
		{ "CONNECTION_URL=JQXZVK", NULL, "local",
			"CONNECTION_URL is not a valid connection URL: ", NULL, "postgresql://" },
		{ "", "PROD_DATABASE_URL=JQXZVK", "prod",
			"PROD_DATABASE_URL in the/.env is not a valid connection URL: ", NULL,
			NULL },
		{ "CONNECTION_URL=x|DATABASE_URL" URL("b"), NULL, "local", "CONNECTION_URL is not",
			NULL, NULL },
		/* lists of protected targets, in force or not */
		{ "CONNECTION_URL" URL("a") "|DB_PROTECTED_TARGETS=\"live\"", NULL, "local",
			"DB_PROTECTED_TARGETS: \"\"live\"\" is not a target name", NULL,
			"without quotes" },
		{ "CONNECTION_URL" URL("a") "|DB_PROTECTED_TARGETS=a, live:prd", NULL, "local",
			"\"live:prd\" is not", NULL, "DB_PROTECTED_TARGETS=live,staging." },
		{ "CONNECTION_URL" URL("a") "|DB_PROTECTED_TARGETS=*", NULL, "local",
			"\"*\" is not", NULL, NULL },
		{ "CONNECTION_URL" URL("a") "|DB_PROTECTED_TARGETS=p://u:JQXZVK@h/d", NULL, "local",
			"\"p://...\" is not", NULL, NULL },
		{ "CONNECTION_URL" URL("a") "|DB_PROTECTED_TARGETS=a",
			"DB_PROTECTED_TARGETS=live|x", "local",
			"DB_PROTECTED_TARGETS in the/.env: \"live|x\" is not", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(resolved_release) struct resolved r = { .result = 0 };

		resolve(&r, cases[i].variables, cases[i].file, cases[i].name);
		check_number(cases[i].message, r.result, -1);
		check_number(cases[i].message, r.err.kind, ERR_USAGE);
		check_holds("message", r.err.message, cases[i].message);
		check_holds("detail", r.err.detail, cases[i].detail);
		check_holds("hint", r.err.hint, cases[i].hint);
		check_number("no value shown", r.err.message && strstr(r.err.message, "JQX"), 0);
	}
}

/* An exported list leaves that of .env in force. */
static void test_listed(void **state)
{
	static const struct {
		const char *exported, *name;
		bool is_listed;
	} cases[] = { { "", "live", true }, { "foo", "live", true }, { "foo", "foo", true },
		{ "foo", "local", false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(resolved_release) struct resolved r = { .result = 0 };
		CLEANUP(mem_cleanup)
		char *variables = mem_printf(
			"CONNECTION_URL" URL("a") "|FOO_CONNECTION_URL" URL(
				"b") "|LIVE_CONNECTION_URL" URL("c") "|DB_PROTECTED_TARGETS=%s",
			cases[i].exported);

		resolve(&r, variables, "DB_PROTECTED_TARGETS=live", cases[i].name);
		check_text(cases[i].name, r.err.message, NULL);
		check_number(cases[i].name, r.target.is_listed, cases[i].is_listed);
	}
}

static void test_several_hosts(void **state)
{
	static const struct {
		const char *variables, *expected; /* target_session_attrs */
	} cases[] = {
		{ "CONNECTION_URL=postgresql://a,b/db", "read-write" },
		{ "CONNECTION_URL=postgresql://a:1,b:2/db", "read-write" },
		{ "CONNECTION_URL=postgresql:///db?host=a,b", "read-write" },
		{ "PGHOST=a,b|PGUSER=me", "read-write" },
		{ "CONNECTION_URL=postgresql://a,b/db?target_session_attrs=any", "any" },
		{ "CONNECTION_URL=postgresql://a/db", NULL },
		{ "CONNECTION_URL=postgresql:///a,b", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(resolved_release) struct resolved r = { .result = 0 };

		resolve(&r, cases[i].variables, NULL, "local");
		check_text(cases[i].variables, r.err.message, NULL);
		check_text(cases[i].variables, params_get(&r.target.params, "target_session_attrs"),
			cases[i].expected);
	}
}

#define TEN "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN

/* Names the server would cut. */
static void test_name_length(void **state)
{
	static const struct {
		const char *name;
		const char *message; /* NULL: accepted */
	} cases[] = {
		{ "d", NULL },
		{ SIXTY "123", NULL },
		{ SIXTY "1234", "CONNECTION_URL: the database name has 64 bytes, more than the 63 "
				"PostgreSQL "
				"keeps" },
		{ SIXTY "1%C3%A9", NULL },
		{ SIXTY "12%C3%A9", "CONNECTION_URL: the database name has 64 bytes, more than the "
				    "63 PostgreSQL "
				    "keeps" },
		{ SIXTY "\xE2\x82\xAC", NULL },
		{ SIXTY "\xE2\x82\xAC"
			"4",
			"CONNECTION_URL: the database name has 64 bytes, more than the 63 "
			"PostgreSQL "
			"keeps" },
		{ SIXTY SIXTY, "CONNECTION_URL: the database name has 120 bytes, more than the 63 "
			       "PostgreSQL "
			       "keeps" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(resolved_release) struct resolved r = { .result = 0 };
		CLEANUP(mem_cleanup)
		char *variable = mem_printf("CONNECTION_URL=postgresql://h/%s", cases[i].name);

		resolve(&r, variable, NULL, "local");
		check_number(cases[i].name, r.result, cases[i].message ? -1 : 0);
		check_err(cases[i].name, &r.err, cases[i].message ? ERR_USAGE : ERR_NONE,
			cases[i].message);
		if (cases[i].message)
			check_holds("hint", r.err.hint, "use another database");
	}
}

/* What may be created, dropped, reset. */
static void test_own_database(void **state)
{
	static const struct {
		const char *variables;
		int any, own;       /* results for a database at all, and one of the user's own */
		enum err_kind kind; /* of the second */
		const char *message;
	} cases[] = {
		{ "CONNECTION_URL=postgresql://h/db", 0, 0, ERR_NONE, NULL },
		{ "CONNECTION_URL=postgresql://h/Postgres", 0, 0, ERR_NONE, NULL },
		{ "CONNECTION_URL=postgresql://h/postgres2", 0, 0, ERR_NONE, NULL },
		{ "CONNECTION_URL=postgresql://h/template", 0, 0, ERR_NONE, NULL },
		{ "CONNECTION_URL=postgresql://h/d%22%20b", 0, 0, ERR_NONE, NULL },
		{ "CONNECTION_URL=postgresql://h/postgres", 0, -1, ERR_REFUSED,
			"refusing to drop the maintenance database \"postgres\"" },
		{ "CONNECTION_URL=postgresql://h/p%6Fstgres", 0, -1, ERR_REFUSED,
			"refusing to drop the maintenance database \"postgres\"" },
		{ "CONNECTION_URL=postgresql://h/db?dbname=postgres", 0, -1, ERR_REFUSED,
			"refusing to drop the maintenance database \"postgres\"" },
		{ "CONNECTION_URL=postgresql://h/template0", 0, -1, ERR_REFUSED,
			"refusing to drop the maintenance database \"template0\"" },
		{ "CONNECTION_URL=dbname=template1", 0, -1, ERR_REFUSED,
			"refusing to drop the maintenance database \"template1\"" },
		{ "PGHOST=h|PGUSER=me|PGDATABASE=postgres", 0, -1, ERR_REFUSED,
			"refusing to drop the maintenance database \"postgres\"" },
		/* libpq would take the user's name */
		{ "CONNECTION_URL=postgresql://me@h", -1, -1, ERR_USAGE,
			"CONNECTION_URL names no database" },
		{ "CONNECTION_URL=postgresql://me@h/", -1, -1, ERR_USAGE,
			"CONNECTION_URL names no database" },
		{ "CONNECTION_URL=host=h user=me", -1, -1, ERR_USAGE,
			"CONNECTION_URL names no database" },
		{ "PGHOST=h|PGUSER=me", -1, -1, ERR_USAGE, "the PG* variables name no database" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(resolved_release) struct resolved r = { .result = 0 };
		CLEANUP(err_release) struct err err = ERR_INIT;

		resolve(&r, cases[i].variables, NULL, "local");
		check_text(cases[i].variables, r.err.message, NULL);
		check_number(
			cases[i].variables, target_require_database(&r.target, &err), cases[i].any);
		check_number(cases[i].variables,
			target_require_own_database(&r.target, "drop", &err), cases[i].own);
		check_err(cases[i].variables, &err, cases[i].kind, cases[i].message);
		check_number("a hint", !err.message || (err.hint && *err.hint), true);
	}
}

static void test_protected(void **state)
{
	static const struct {
		const char *name;
		bool protected;
	} cases[] = {
		{ "prod", true },
		{ "production", true },
		{ "PROD", true },
		{ "Production", true },
		{ "local", false },
		{ "test", false },
		{ "produce", false },
		{ "pro", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct target target = { .name = mem_strdup(cases[i].name) };

		check_number(cases[i].name, target_is_protected(&target), cases[i].protected);
		target_release(&target);
	}
}

static void test_describe(void **state)
{
	CLEANUP(resolved_release) struct resolved r = { .result = 0 };
	CLEANUP(mem_cleanup) char *got = NULL;

	(void)state;
	resolve(&r, "CONNECTION_URL=postgresql://me:JQXZVK@h:1/db?password=JQXZVK", NULL, "local");
	got = target_describe(&r.target);
	check_text("without the password", got, "me@h:1/db");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_order),
		UNIT_TEST(test_value),
		UNIT_TEST(test_listed),
		UNIT_TEST(test_libpq_variables),
		UNIT_TEST(test_service_is_left_alone),
		UNIT_TEST(test_errors),
		UNIT_TEST(test_several_hosts),
		UNIT_TEST(test_name_length),
		UNIT_TEST(test_own_database),
		UNIT_TEST(test_protected),
		UNIT_TEST(test_describe),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
