#include "target_fixture.h"

#define LONG60 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff"

static const struct {
	const char *variables, *file, *name;
	const char *database, *origin;
} accepted[] = {
	{ "CONNECTION_URL" URL("h") "|DB_NAME_SUFFIX=_wt", NULL, "local", "db_wt",
		"CONNECTION_URL and DB_NAME_SUFFIX" },
	{ "TEST_CONNECTION_URL" URL("h") "|DB_NAME_SUFFIX=-a.B_9", NULL, "test", "db-a.B_9",
		"TEST_CONNECTION_URL and DB_NAME_SUFFIX" },
	{ "PGHOST=h|PGDATABASE=db", "DB_NAME_SUFFIX=_f", "local", "db_f",
		"the PG* variables and DB_NAME_SUFFIX in the/.env" },
	{ "DB_NAME_SUFFIX=_e|CONNECTION_URL" URL("h"), "DB_NAME_SUFFIX=_f", "local", "db_e",
		"CONNECTION_URL and DB_NAME_SUFFIX" },
	{ "DB_NAME_SUFFIX=|CONNECTION_URL" URL("h"), "DB_NAME_SUFFIX=_f", "local", "db",
		"CONNECTION_URL" },
	{ "CONNECTION_URL=postgresql://h/" LONG60 "|DB_NAME_SUFFIX=_12", NULL, "local",
		LONG60 "_12", "CONNECTION_URL and DB_NAME_SUFFIX" },
	/* never what is protected */
	{ "PROD_CONNECTION_URL" URL("h") "|DB_NAME_SUFFIX=_wt", NULL, "prod", "db",
		"PROD_CONNECTION_URL" },
	{ "PROD_EU_CONNECTION_URL" URL("h") "|DB_NAME_SUFFIX=% bad", NULL, "prod-eu", "db",
		"PROD_EU_CONNECTION_URL" },
	{ "PRODUCTION_CONNECTION_URL" URL("h"), "DB_NAME_SUFFIX=_f", "production", "db",
		"PRODUCTION_CONNECTION_URL" },
	/* no name, nothing to append to */
	{ "CONNECTION_URL=postgresql://h|DB_NAME_SUFFIX=_wt", NULL, "local", NULL,
		"CONNECTION_URL" },
};

static void test_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(accepted); i++) {
		CLEANUP(resolved_release) struct resolved r = { .result = 0 };

		resolve(&r, accepted[i].variables, accepted[i].file, accepted[i].name);
		check_number(accepted[i].variables, r.result, 0);
		check_text(accepted[i].variables, r.err.message, NULL);
		check_text(accepted[i].variables, r.target.database, accepted[i].database);
		check_text(accepted[i].variables, r.target.origin, accepted[i].origin);
	}
}

static void test_refused(void **state)
{
	static const char *const suffixes[] = { "a b", "/x", "\"", "'", "%41", "gr\xC3\xB6",
		"\x1b[31m", "a\nb", "$(id)", "_1234" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		CLEANUP(resolved_release) struct resolved r = { .result = 0 };
		CLEANUP(mem_cleanup)
		char *variables = mem_printf(
			"CONNECTION_URL=postgresql://h/" LONG60 "|DB_NAME_SUFFIX=%s", suffixes[i]);

		resolve(&r, variables, NULL, "local");
		check_number(suffixes[i], r.result != 0, true);
		check_number(suffixes[i], r.err.kind, ERR_USAGE);
		check_number("the variable is named",
			r.err.message && strstr(r.err.message, "DB_NAME_SUFFIX") != NULL, true);
	}
}

/* Both parts of a name that is too long. */
static void test_too_long(void **state)
{
	CLEANUP(resolved_release) struct resolved r = { .result = 0 };

	(void)state;
	resolve(&r, "CONNECTION_URL=postgresql://h/" LONG60 "|DB_NAME_SUFFIX=_1234", NULL, "local");
	check_text("message", r.err.message,
		"DB_NAME_SUFFIX: \"" LONG60
		"\" with \"_1234\" has 65 bytes, more than the 63 PostgreSQL keeps");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_accepted),
		UNIT_TEST(test_refused),
		UNIT_TEST(test_too_long),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
