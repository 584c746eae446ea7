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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overrule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
