#include "unit.h"

#include "base/clock.h"

static void test_format(void **state)
{
	static const struct {
		int64_t microseconds;
		const char *expected;
	} cases[] = {
		{ 0, "0.0 ms" },
		{ 49, "0.0 ms" },
		{ 51, "0.1 ms" },
		{ 1234, "1.2 ms" },
		{ 9940, "9.9 ms" },
		{ 10000, "10 ms" },
		{ 12999, "12 ms" },
		{ 999999, "999 ms" },
		{ 1000000, "1.00 s" },
		{ 1344000, "1.34 s" },
		{ 59990000, "59.99 s" },
		{ 60000000, "1 min 0 s" },
		{ 125000000, "2 min 5 s" },
		{ 125999999, "2 min 5 s" },
		{ INT64_C(7200000000), "120 min 0 s" },
	};
	char buffer[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_text(cases[i].expected,
			clock_format(cases[i].microseconds, buffer, sizeof(buffer)),
			cases[i].expected);
}

/* Never more than the buffer holds. */
static void test_small_buffer(void **state)
{
	char buffer[] = "########";

	(void)state;
	clock_format(125000000, buffer, 4);
	check_text("cut", buffer, "2 m");
	check_text("the rest is untouched", buffer + 4, "####");
}

static void test_clock_goes_forward(void **state)
{
	int64_t before = clock_us();
	int64_t slept;

	(void)state;
	clock_sleep_ms(20);
	slept = clock_us() - before;
	check_number("slept 20 ms", slept >= 19000 && slept < 5000000, true);
	check_number("both clocks are one", clock_ms() - clock_us() / 1000 <= 0, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_format),
		UNIT_TEST(test_small_buffer),
		UNIT_TEST(test_clock_goes_forward),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
