#include "unit.h"

#include "base/mem.h"
#include "pg/protected_url.h"

#include <stdlib.h>

#define PROD "PROD_CONNECTION_URL"

/* Which URLs count, and as which target's; the second is in .env, behind the first. */
static void test_which_count(void **state)
{
	static const struct {
		const char *name, *value, *target; /* target NULL: does not count */
		const char *file_name, *file_value, *file_target;
	} cases[] = {
		{ PROD, "h:a", "prod", PROD, "h:b", "prod" },
		{ PROD, "h:a", "prod", PROD, "h:a", NULL },
		{ PROD, "h:a", "prod", "PROD_DATABASE_URL", "h:b", "prod" },
		{ PROD, "h:a", "prod", "PROD_DATABASE_URL", "h:a", NULL },
		{ PROD, "", NULL, PROD, "h:b", "prod" },
		{ PROD, " \t", NULL, PROD, "h:b", "prod" },
		{ PROD, "h:a", "prod", PROD, "", NULL },
		{ PROD, "h:a", "prod", "PROD_EU_CONNECTION_URL", "h:a", "prod_eu" },
		{ "LIVE_CONNECTION_URL", "h:a", "live", "TEST_CONNECTION_URL", "h:a", NULL },
		{ "CONNECTION_URL", "h:a", NULL, PROD, "h:a", "prod" },
		{ "_CONNECTION_URL", "h:a", NULL, "PROD_URL", "h:a", NULL },
		{ PROD, "changeme", NULL, PROD, "<your URL here>", NULL },
		{ PROD, "ChangeMe", NULL, PROD, "...", NULL },
		{ PROD, "mysql://h/shop", NULL, PROD, "jdbc:mysql://h/shop", NULL },
		{ PROD, "jdbc:postgresql://h/shop", "prod", PROD, "postgres+x://h", "prod" },
		{ PROD, "ecto://h/shop", "prod", PROD, "psql://h/shop", "prod" },
		{ PROD, "op://vault/url", "prod", PROD, "$DATABASE_URL", "prod" },
		{ PROD, "DATABASE_URL", "prod", PROD, "<a>b", "prod" },
		{ PROD, "db.example.com", "prod", PROD, "dbname=mysql://h", "prod" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char listed[] = "DB_PROTECTED_TARGETS";
		CLEANUP(mem_cleanup) char *name = mem_strdup(cases[i].name);
		CLEANUP(mem_cleanup) char *file_name = mem_strdup(cases[i].file_name);
		struct env_value items[] = { { .name = name, .value = cases[i].value },
			{ .name = file_name, .value = cases[i].file_value, .file = ".env" },
			{ .name = listed, .value = "later" },
			{ .name = listed, .value = "live", .file = ".env" } };
		const struct env_values values = { .items = items, .count = ARRAY_SIZE(items) };
		CLEANUP(mem_cleanup) char *first = protected_url_target(&values, 0);
		CLEANUP(mem_cleanup) char *second = protected_url_target(&values, 1);

		check_text(cases[i].name, first, cases[i].target);
		check_text(cases[i].file_name, second, cases[i].file_target);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_which_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
