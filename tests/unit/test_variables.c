#include "unit.h"

#include "sql/variables.h"

#include <stdio.h>

static void test_names(void **state)
{
	static const struct {
		const char *name;
		bool valid;
	} cases[] = {
		{ "", false },
		{ "a", true },
		{ "azAZ09_", true },
		{ "0", true },
		{ "_", true },
		{ "\xC3\xA9", true },
		{ "\x80\xFF", true },
		{ "a b", false },
		{ " a", false },
		{ "a-b", false },
		{ "a.b", false },
		{ "a$", false },
		{ "a\x7F", false },
		/* the neighbours of the ranges */
		{ "@", false },
		{ "[", false },
		{ "`", false },
		{ "{", false },
		{ "/", false },
		{ ":", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_number(cases[i].name, variables_valid_name(cases[i].name), cases[i].valid);
}

static void test_setting(void **state)
{
	CLEANUP(variables_release) struct variables variables = VARIABLES_INIT;

	(void)state;
	check_text("in an empty set", variables_get(&variables, "a"), NULL);
	variables_unset(&variables, "a");
	variables_set(&variables, "a", "1");
	variables_set(&variables, "A", "2");
	variables_set(&variables, "b", "");
	check_text("a", variables_get(&variables, "a"), "1");
	check_text("A", variables_get(&variables, "A"), "2");
	check_text("empty is set", variables_get(&variables, "b"), "");
	check_text("a name that begins another", variables_get(&variables, ""), NULL);
	check_text("a longer name", variables_get(&variables, "ab"), NULL);
	variables_set(&variables, "a", "3");
	check_text("set again", variables_get(&variables, "a"), "3");
	variables_set(&variables, "a", variables_get(&variables, "a"));
	check_text("set to itself", variables_get(&variables, "a"), "3");
	check_number("count", (long long)variables.count, 3);
	variables_unset(&variables, "a");
	check_text("unset", variables_get(&variables, "a"), NULL);
	check_text("its neighbours stay", variables_get(&variables, "A"), "2");
	check_text("its neighbours stay", variables_get(&variables, "b"), "");
	variables_unset(&variables, "zz");
	check_number("count", (long long)variables.count, 2);
}

static void test_copies(void **state)
{
	CLEANUP(variables_release) struct variables variables = VARIABLES_INIT;
	char name[] = "name", value[] = "value";

	(void)state;
	variables_set(&variables, name, value);
	name[0] = value[0] = 'x';
	check_text("value", variables_get(&variables, "name"), "value");
	check_text("the changed name", variables_get(&variables, "xame"), NULL);
}

static void test_order(void **state)
{
	static const char *const sorted[] = { "A", "B", "_", "a", "a1", "aa", "b", "\xC3\xA9" };
	CLEANUP(variables_release) struct variables variables = VARIABLES_INIT;
	const char *value = "untouched";

	(void)state;
	check_text("of an empty set", variables_at(&variables, 0, &value), NULL);
	check_text("value behind the last", value, "untouched");
	for (size_t i = 0; i < ARRAY_SIZE(sorted); i++) {
		const char *name = sorted[i * 3 % ARRAY_SIZE(sorted)];

		variables_set(&variables, name, name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sorted); i++) {
		check_text("name", variables_at(&variables, i, &value), sorted[i]);
		check_text("value", value, sorted[i]);
	}
	check_text("behind the last", variables_at(&variables, ARRAY_SIZE(sorted), &value), NULL);
}

static void test_many(void **state)
{
	CLEANUP(variables_release) struct variables variables = VARIABLES_INIT;
	char name[16], value[16];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "v%d", i * 7 % 1000);
		variables_set(&variables, name, name + 1);
	}
	for (int i = 0; i < 1000; i += 2) {
		snprintf(name, sizeof(name), "v%d", i);
		variables_unset(&variables, name);
	}
	check_number("count", (long long)variables.count, 500);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "v%d", i);
		snprintf(value, sizeof(value), "%d", i);
		check_text(name, variables_get(&variables, name), i % 2 ? value : NULL);
	}
}

static void test_bool(void **state)
{
	enum { NO, YES, NEITHER };
	static const struct {
		const char *text;
		int expected;
	} cases[] = {
		{ "true", YES },
		{ "tru", YES },
		{ "t", YES },
		{ "TRUE", YES },
		{ "yes", YES },
		{ "ye", YES },
		{ "Y", YES },
		{ "on", YES },
		{ "On", YES },
		{ "1", YES },
		{ "false", NO },
		{ "fALs", NO },
		{ "f", NO },
		{ "no", NO },
		{ "n", NO },
		{ "off", NO },
		{ "oF", NO },
		{ "0", NO },
		{ "", NEITHER },
		{ "o", NEITHER },
		{ "O", NEITHER },
		{ "ont", NEITHER },
		{ "offf", NEITHER },
		{ "truee", NEITHER },
		{ "nope", NEITHER },
		{ "yess", NEITHER },
		{ "10", NEITHER },
		{ "01", NEITHER },
		{ "00", NEITHER },
		{ "2", NEITHER },
		{ "-1", NEITHER },
		{ " on", NEITHER },
		{ "on ", NEITHER },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool unknown = cases[i].expected == NEITHER;

		for (int before = 0; before < 2; before++) {
			bool value = before;

			check_number(cases[i].text, variables_parse_bool(cases[i].text, &value),
				!unknown);
			check_number(cases[i].text, value, unknown ? before : cases[i].expected);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_names),
		UNIT_TEST(test_setting),
		UNIT_TEST(test_copies),
		UNIT_TEST(test_order),
		UNIT_TEST(test_many),
		UNIT_TEST(test_bool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
