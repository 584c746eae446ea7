#include "unit.h"

#include "base/mem.h"
#include "base/message.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

/* As printf, but for what stands in quotes. */
#define CHECK(expected, ...)                                                                       \
	do {                                                                                       \
		CLEANUP(mem_cleanup) char *text = message_format(__VA_ARGS__);                     \
		check_text(expected, text, expected);                                              \
	} while (0)

static void test_as_printf(void **state)
{
	static const char *const words[] = { "", "a", "long word" };

	(void)state;
	CHECK("", "%s", "");
	CHECK("100% of \"%\"", "100%% of \"%%\"");
	CHECK("-5 5 5 ff FF x", "%d %i %u %x %X %c", -5, 5, 5U, 255U, 255U, 'x');
	CHECK("-2147483648 4294967295", "%d %u", INT_MIN, UINT_MAX);
	CHECK("-9223372036854775807 18446744073709551615 7", "%ld %llu %zu", -LONG_MAX, ULLONG_MAX,
		(size_t)7);
	CHECK("9223372036854775807 18446744073709551615", "%" PRId64 " %" PRIu64, INT64_MAX,
		UINT64_MAX);
	CHECK("1.50 2 0.1 1000000.25", "%.2f %.0f %g %.10g", 1.5, 2.0, 0.1, 1000000.25);
	CHECK("[  7][7  ][007][+7][0x07]", "[%3d][%-3d][%03d][%+d][%#04x]", 7, 7, 7, 7, 7U);
	CHECK("[  a][a  ][ab]", "[%3s][%-3s][%.2s]", "a", "a", "abc");
	CHECK("[  a][a  ][ab][ ab]", "[%*s][%*s][%.*s][%*.*s]", 3, "a", -3, "a", 2, "abc", 3, 2,
		"abc");
	CHECK("1 a 2.5 b 3", "%d %s %g %s %zu", 1, "a", 2.5, "b", (size_t)3);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		CLEANUP(mem_cleanup) char *text = message_format("x%sy%zu", words[i], i);
		CLEANUP(mem_cleanup) char *expected = mem_printf("x%sy%zu", words[i], i);

		check_text(words[i], text, expected);
	}
}

static void test_quoted(void **state)
{
	(void)state;
	CHECK("\"a\\nb\\tc\"", "\"%s\"", "a\nb\tc");
	CHECK("a\nb\tc", "%s", "a\nb\tc");
	CHECK("\"a\\nb\"\nc\nd", "\"%s\"\n%s", "a\nb", "c\nd");
	CHECK("\"x.a\\nb on y\" a\nb", "\"x.%s on %s\" %s", "a\nb", "y", "a\nb");
	CHECK("\"a\\\"", "\"%.*s\"", 2, "a\\b");
	CHECK("\"a\\n\"", "\"%.*s\"", 2, "a\nb");
	/* A quote in what is shown ends nothing. */
	CHECK("\"a\"\\nb\" \"\\n\"", "\"%s\" \"%s\"", "a\"\nb", "\n");
}

static void test_secrets(void **state)
{
	(void)state;
	CHECK("\"postgresql://app:***@h\" is", "\"%s\" is", "postgresql://app:s k@h");
	CHECK("--x password=***", "%s %s", "--x", "password=s\"k");
	/* A format is our own text. */
	CHECK("postgresql://user:password@h", "postgresql://user:password@%s", "h");
}

static void test_list(void **state)
{
	CLEANUP(strbuf_release) struct strbuf list = STRBUF_INIT;

	(void)state;
	message_add(&list, "pid %d, user %s", 5, "a\nb");
	message_add(&list, "\n%s \"%s\"", "c\td", "e\n");
	check_text(
		"every text is kept to its line", list.data, "pid 5, user a\\nb\nc\\td \"e\\n\"");
}

static void test_shell_words(void **state)
{
	static const struct {
		const char *word, *expected;
	} cases[] = {
		{ "", "''" },
		{ "shop", "shop" },
		{ "a-Z_0@%+=:,./", "a-Z_0@%+=:,./" },
		{ "My Shop", "'My Shop'" },
		{ "o'neil", "'o'\\''neil'" },
		{ "$(id)", "'$(id)'" },
		{ "a\nb", "$'a\\nb'" },
		{ "a\tb\rc\033d", "$'a\\tb\\rc\\ed'" },
		{ "a\001b\x7F'\\", "$'a\\x01b\\x7F\\'\\\\'" },
		{ "caf\xE9", "$'caf\\xE9'" },
		{ "caf\xC3\xA9\xE2\x80\xAE", "$'caf\xC3\xA9\\xE2\\x80\\xAE'" },
		{ "postgresql://app:se k@h", "'postgresql://app:***@h'" },
		{ "~", "'~'" },
		{ "`x`\"\\", "'`x`\"\\'" },
		{ "gr\xC3\xB6\xC3\x9F"
		  "e",
			"'gr\xC3\xB6\xC3\x9F"
			"e'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(mem_cleanup) char *word = message_shell_word(cases[i].word);

		check_text(cases[i].word, word, cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_as_printf),
		UNIT_TEST(test_quoted),
		UNIT_TEST(test_secrets),
		UNIT_TEST(test_list),
		UNIT_TEST(test_shell_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
