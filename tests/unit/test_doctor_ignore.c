#include "unit.h"

#include "app/doctor_ignore.h"
#include "base/mem.h"

#include <string.h>

static bool known(const char *id)
{
	return strcmp(id, "no-key") == 0 || strcmp(id, "rls") == 0;
}

static void test_rules(void **state)
{
	static const struct {
		const char *rule, *id, *object;
		bool matches;
	} cases[] = {
		{ "no-key", "no-key", "public.a", true },
		{ "no-key", "no-key", NULL, true },
		{ "no-key", "rls", "public.a", false },
		{ "  no-key : public.a \r", "no-key", "public.a", true },
		{ "no-key:public.a", "no-key", "public.ab", false },
		{ "no-key:public.a", "no-key", "public", false },
		{ "no-key:public.a", "no-key", NULL, false },
		{ "no-key:public.*", "no-key", "public.a", true },
		{ "no-key:public.*", "no-key", "public2.a", false },
		{ "no-key:public.*", "no-key", "public", false },
		{ "no-key:\"a:b\".\"c d\"", "no-key", "\"a:b\".\"c d\"", true },
		{ "no-key:.*", "no-key", "public.a", false },
		{ "no-key:public.a*", "no-key", "public.ab", false },
		{ "no-key:\"a\\nb\\x1Bc\".d", "no-key",
			"\"a\nb\x1b"
			"c\".d",
			true },
		{ "no-key:\"a\\nb\".*", "no-key", "\"a\nb\".d", true },
		{ "no-key:public.a (b_fkey)", "no-key", "public.a (b_fkey)", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(ignore_release) struct ignore_rules rules = IGNORE_RULES_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;

		if (ignore_add(&rules, cases[i].rule, strlen(cases[i].rule), 1, known, &err) != 0)
			fail_msg("\"%s\": %s", cases[i].rule, err.message);
		if (ignore_matches(&rules, cases[i].id, cases[i].object) != cases[i].matches)
			fail_msg("\"%s\" and %s of %s: expected %d", cases[i].rule, cases[i].id,
				cases[i].object ? cases[i].object : "nothing", cases[i].matches);
		assert_int_equal(cases[i].matches, rules.items[0].is_used);
	}
}

static void test_wrong(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "nothing\n", "there is no check \"nothing\" in line 1 of \"f\"" },
		{ "# c\n\nno-key\n rls:\n", "\"rls:\" names no object in line 4 of \"f\"" },
		{ "no-key\n:public.a", "there is no check \"\" in line 2 of \"f\"" },
		{ "no-key public.a", "there is no id of a check in line 1 of \"f\"" },
		{ "API_KEY=s3cret: x", "there is no id of a check in line 1 of \"f\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(ignore_release) struct ignore_rules rules = IGNORE_RULES_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;

		assert_int_equal(-1, ignore_parse(&rules, "f", cases[i].text, strlen(cases[i].text),
					     known, &err));
		assert_int_equal(ERR_USAGE, err.kind);
		assert_string_equal(cases[i].message, err.message);
	}
}

static void test_file(void **state)
{
	static const char text[] = "\xEF\xBB\xBF# logs\r\n\r\nno-key:a.b\r\n\t# more\n  rls\n";
	CLEANUP(ignore_release) struct ignore_rules rules = IGNORE_RULES_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(0, ignore_parse(&rules, "f", text, sizeof(text) - 1, known, &err));
	assert_int_equal(2, rules.count);
	assert_string_equal("a.b", rules.items[0].object);
	assert_int_equal(3, rules.items[0].line);
	assert_int_equal(5, rules.items[1].line);
	assert_true(ignore_matches(&rules, "rls", "x"));
	assert_false(rules.items[0].is_used);
	assert_int_equal(-1, ignore_parse(&rules, "f", "a\0b", 3, known, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
