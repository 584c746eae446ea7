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
		{ "shop other", "shop", true, true },
		{ "-d shop other", "shop", true, true },
		{ "-U other", NULL, false, true },
		{ "-h far -d shop", "shop", true, true },
		{ "-qp5433", NULL, false, true },
		{ "--host=far", NULL, false, true },
		{ "--port 1 shop", "shop", true, true },
		{ "--user other", NULL, false, true },
		/* What the target has itself leads nowhere else. */
		{ "-h near -p 5432 -U app shop", "shop", true, false },
		{ "-h far -h near", NULL, false, false },
		{ "-h near -h far", NULL, false, true },
		{ "--port=5432 shop app", "shop", true, false },
		{ "shop app rest", "shop", true, false },
		{ "shop other -U app", "shop", true, false },
		{ "-d shop app -U other", "shop", true, true },
		{ "dbname=shop", "shop", true, false },
		{ "-d postgres:///shop", "shop", true, false },
		{ "--dbname=postgresql://", NULL, true, false },
		{ "postgresql://app:x@near:5432/shop", "shop", true, false },
		{ "-h far postgresql://near/shop", "shop", true, false },
		{ "-h near postgresql://far/shop", NULL, true, true },
		{ "postgresql://near:5433/shop", NULL, true, true },
		{ "postgresql://other@/shop", "shop", true, true },
		{ "-d host=", NULL, true, true },
		{ "-d hostaddr=127.0.0.1", NULL, true, true },
		{ "-d service=own", NULL, true, true },
		{ "-d dbname=", "app", true, false },
		{ "-d dbname", "dbname", true, false },
		{ "-d nonsense=shop", NULL, true, true },
	};

	CLEANUP(params_release) struct params params = PARAMS_INIT;

	params_set(&params, "host", "near");
	params_set(&params, "port", "5432");
	params_set(&params, "user", "app");
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(strlist_release) struct strlist list = STRLIST_INIT;
		const char *expected = cases[i].database;
		CLEANUP(client_lead_release) struct client_lead lead = { 0 };

		split(cases[i].arguments, &list);
		client_arguments_lead(&list, &params, &lead);
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

static void test_password(void **state)
{
	static const struct {
		const char *arguments;
		enum client_password_wish wish;
		const char *rest;
	} cases[] = {
		{ "", CLIENT_PASSWORD_AS_NEEDED, "" },
		{ "-W", CLIENT_PASSWORD_ASK, "" },
		{ "-W shop -c x", CLIENT_PASSWORD_ASK, "shop -c x" },
		{ "shop -W", CLIENT_PASSWORD_ASK, "shop" },
		{ "-qAWt", CLIENT_PASSWORD_ASK, "-qAt" },
		{ "-WX -WW", CLIENT_PASSWORD_ASK, "-X" },
		{ "-WtcW x", CLIENT_PASSWORD_ASK, "-tcW x" },
		{ "-Wc -W -W", CLIENT_PASSWORD_ASK, "-c -W" },
		{ "--password --csv", CLIENT_PASSWORD_ASK, "--csv" },
		{ "--pass", CLIENT_PASSWORD_ASK, "" },
		{ "-c -W", CLIENT_PASSWORD_AS_NEEDED, "-c -W" },
		{ "--command -W", CLIENT_PASSWORD_AS_NEEDED, "--command -W" },
		{ "-dWW", CLIENT_PASSWORD_AS_NEEDED, "-dWW" },
		{ "- -- -W", CLIENT_PASSWORD_AS_NEEDED, "- -- -W" },
		{ "-W --", CLIENT_PASSWORD_ASK, "--" },
		{ "-w", CLIENT_PASSWORD_NEVER, "-w" },
		{ "-Xw", CLIENT_PASSWORD_NEVER, "-Xw" },
		{ "--no-password", CLIENT_PASSWORD_NEVER, "--no-password" },
		{ "-wW", CLIENT_PASSWORD_ASK, "-w" },
		{ "-W -w", CLIENT_PASSWORD_NEVER, "-w" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(strlist_release) struct strlist list = STRLIST_INIT;
		CLEANUP(strlist_release) struct strlist rest = STRLIST_INIT;
		CLEANUP(strlist_release) struct strlist expected = STRLIST_INIT;
		bool same;

		split(cases[i].arguments, &list);
		split(cases[i].rest, &expected);
		client_arguments_drop_password(&list, &rest);
		same = rest.count == expected.count;
		for (size_t j = 0; same && j < rest.count; j++)
			same = strcmp(rest.items[j], expected.items[j]) == 0;
		if (!same || client_arguments_password(&list) != cases[i].wish)
			fail_msg("%s", cases[i].arguments);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lead),
		cmocka_unit_test(test_no_startup_file),
		cmocka_unit_test(test_overrule),
		cmocka_unit_test(test_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
