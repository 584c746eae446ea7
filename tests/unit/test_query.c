#include "unit.h"

#include "aws/query.h"

static void test_encoding(void **state)
{
	static const struct {
		const char *value, *body;
	} cases[] = {
		{ "", "V=" },
		{ "abcXYZ019", "V=abcXYZ019" },
		{ "-._~", "V=-._~" },
		{ " ", "V=%20" },
		{ "a+b", "V=a%2Bb" },
		{ "a&b=c", "V=a%26b%3Dc" },
		{ "1.2.3.4/32", "V=1.2.3.4%2F32" },
		{ "2001:db8::1/128", "V=2001%3Adb8%3A%3A1%2F128" },
		{ "100%", "V=100%25" },
		{ "!*'()", "V=%21%2A%27%28%29" },
		{ "\x01\x7F\n\t", "V=%01%7F%0A%09" },
		{ "\xC3\xA9\xFF", "V=%C3%A9%FF" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(query_release) struct query query = QUERY_INIT;

		query_add(&query, cases[i].value, "V");
		check_text(cases[i].value, query.body.data, cases[i].body);
	}
}

static void test_order_is_that_of_the_calls(void **state)
{
	CLEANUP(query_release) struct query query = QUERY_INIT;

	(void)state;
	query_add(&query, "group-id", "Filter.%d.Name", 1);
	query_add(&query, "sg-1", "Filter.%d.Value.%d", 1, 2);
	query_add_bool(&query, true, "DryRun");
	query_add_bool(&query, false, "A");
	query_add_int(&query, -1, "FromPort");
	query_add_int(&query, 9223372036854775807LL, "Max");
	query_add(&query, "x", "B C");
	check_text("body", query.body.data,
		"Filter.1.Name=group-id&Filter.1.Value.2=sg-1&DryRun=true&A=false&FromPort=-1"
		"&Max=9223372036854775807&B%20C=x");
	query_release(&query);
	check_number("released", (long long)query.body.length, 0);
	query_add(&query, "1", "A");
	check_text("used again", query.body.data, "A=1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_encoding),
		UNIT_TEST(test_order_is_that_of_the_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
