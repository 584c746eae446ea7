#include "unit.h"

#include "app/client_arguments.h"
#include "base/mem.h"

#include <string.h>

/* The words of text, with blanks between them. */
static void split(const char *text, struct strlist *list)
{
	while (*text) {
		size_t length = strcspn(text, " ");

		strlist_addf(list, "%.*s", (int)length, text);
		text += length + (text[length] == ' ');
	}
}

static void test_overrule(void **state)
{
	static const struct {
		const char *arguments, *psql, *other;
	} cases[] = {
		{ "", NULL, NULL },
		{ "shop app", NULL, NULL },
		{ "dbname=shop", NULL, NULL },
		{ "service=own", "service", "service" },
		{ "postgresql:///?service=own", "service", "service" },
		{ "postgres://a/b?options=-cx%3D1", "options", "options" },
		{ "postgresql:///?service=own&options=x", "options", "options" },
		{ "-d service=own", "service", "service" },
		{ "-dservice=own", "service", "service" },
		{ "-qAtd service=own", "service", "service" },
		{ "-qAtdservice=own", "service", NULL },
		{ "--dbname=service=own", "service", "service" },
		{ "--dbname service=own", "service", "service" },
		{ "--db options=x", "options", "options" },
		{ "-X -c x -- service=own", "service", "service" },
		{ "-v service=own", NULL, "service" },
		{ "-vservice=own", NULL, NULL },
		{ "-qc service=own shop", NULL, "service" },
		{ "--set service=own", NULL, "service" },
		{ "--set=a=b service=own", "service", "service" },
		{ "--csv service=own", "service", "service" },
		{ "--no-psqlrc -", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(strlist_release) struct strlist list = STRLIST_INIT;
		const char *psql, *other;

		split(cases[i].arguments, &list);
		psql = client_arguments_overrule(&list, true);
		other = client_arguments_overrule(&list, false);
		if (strcmp(psql ? psql : "", cases[i].psql ? cases[i].psql : "") != 0 ||
			strcmp(other ? other : "", cases[i].other ? cases[i].other : "") != 0)
			fail_msg("%s: %s, %s", cases[i].arguments, psql ? psql : "none",
				other ? other : "none");
	}
}

static void test_lead(void **state)
{
	static const struct {
		const char *arguments, *database;
		bool takes_place, elsewhere;
	} cases[] = {
		{ "", NULL, false, false },
		{ "-X -c x", NULL, false, false },
		{ "shop", "shop", true, false },
		{ "-X shop -c x", "shop", true, false },
		{ "-c x -- shop", "shop", true, false },
		{ "-- -shop", "-shop", true, false },
		{ "-d shop", "shop", true, false },
		{ "-dshop", "shop", true, false },
		{ "-qAtd shop -c x", "shop", true, false },
		{ "--dbname=shop", "shop", true, false },
		{ "--db shop", "shop", true, false },
		{ "-d one -d two", "two", true, false },
		{ "-d one --dbname=two", "two", true, false },
		{ "-d a://b", "a://b", true, false },
		{ "-v shop", NULL, false, false },
		{ "--set shop", NULL, false, false },
		{ "--csv shop", "shop", true, false },
		{ "--record-separator-zero shop", "shop", true, false },
		{ "-d", NULL, false, false },
		{ "-d ", NULL, false, false },
		{ "shop app", "shop", true, true },
		{ "-d shop app", "shop", true, true },
		{ "-U app", NULL, false, true },
		{ "-h far -d shop", "shop", true, true },
		{ "-qp5433", NULL, false, true },
		{ "--host=far", NULL, false, true },
		{ "--port 1 shop", "shop", true, true },
		{ "--user app", NULL, false, true },
		{ "dbname=shop", NULL, true, true },
		{ "-d postgres:///shop", NULL, true, true },
		{ "--dbname=postgresql://", NULL, true, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(strlist_release) struct strlist list = STRLIST_INIT;
		const char *expected = cases[i].database;
		struct client_lead lead;

		split(cases[i].arguments, &list);
		lead = client_arguments_lead(&list);
		if (strcmp(lead.database ? lead.database : "", expected ? expected : "") != 0 ||
			lead.takes_place != cases[i].takes_place ||
			lead.elsewhere != cases[i].elsewhere)
			fail_msg("%s: %s%s%s", cases[i].arguments,
				lead.database ? lead.database : "none",
				lead.takes_place ? ", takes place" : "",
				lead.elsewhere ? ", elsewhere" : "");
	}
}

static void test_no_startup_file(void **state)
{
	static const struct {
		const char *arguments;
		bool expected;
	} cases[] = {
		{ "", false },
		{ "-X", true },
		{ "-AtX -c x", true },
		{ "--no-psqlrc", true },
		{ "--no-ps", true },
		{ "-F -X", false },
		{ "-FX", false },
		{ "--command -X", false },
		{ "-- -X", false },
		{ "--no-password", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(strlist_release) struct strlist list = STRLIST_INIT;

		split(cases[i].arguments, &list);
		if (client_arguments_no_startup_file(&list) != cases[i].expected)
			fail_msg("%s: not %d", cases[i].arguments, cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lead),
		cmocka_unit_test(test_no_startup_file),
		cmocka_unit_test(test_overrule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
