#include "unit.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "term/safe.h"

static void test_decode(void **state)
{
	static const struct {
		const char *text;
		size_t size; /* 0: not valid */
		uint32_t code;
	} cases[] = {
		{ "a", 1, 'a' },
		{ "\x7F", 1, 0x7F },
		{ "\x80", 0, 0 },
		{ "\xBF", 0, 0 },
		{ "\xC2\x80", 2, 0x80 },
		{ "\xC3\xA9x", 2, 0xE9 },
		{ "\xDF\xBF", 2, 0x7FF },
		{ "\xE0\xA0\x80", 3, 0x800 },
		{ "\xE2\x82\xAC", 3, 0x20AC },
		{ "\xED\x9F\xBF", 3, 0xD7FF },
		{ "\xEE\x80\x80", 3, 0xE000 },
		{ "\xEF\xBF\xBF", 3, 0xFFFF },
		{ "\xF0\x90\x80\x80", 4, 0x10000 },
		{ "\xF0\x9F\x98\x80", 4, 0x1F600 },
		{ "\xF4\x8F\xBF\xBF", 4, 0x10FFFF },
		/* overlong */
		{ "\xC0\x80", 0, 0 },
		{ "\xC1\xBF", 0, 0 },
		{ "\xE0\x80\x80", 0, 0 },
		{ "\xE0\x9F\xBF", 0, 0 },
		{ "\xF0\x80\x80\x80", 0, 0 },
		{ "\xF0\x8F\xBF\xBF", 0, 0 },
		/* surrogates, above the last one */
		{ "\xED\xA0\x80", 0, 0 },
		{ "\xED\xBF\xBF", 0, 0 },
		{ "\xF4\x90\x80\x80", 0, 0 },
		{ "\xF5\x80\x80\x80", 0, 0 },
		{ "\xF8\x88\x80\x80\x80", 0, 0 },
		{ "\xFE", 0, 0 },
		{ "\xFF", 0, 0 },
		/* cut off, or continued by something else */
		{ "\xC3", 0, 0 },
		{ "\xE2\x82", 0, 0 },
		{ "\xF0\x9F\x98", 0, 0 },
		{ "\xC3x", 0, 0 },
		{ "\xE2\x82x", 0, 0 },
		{ "\xE2x\xAC", 0, 0 },
		{ "\xF0\x9F\x98x", 0, 0 },
		{ "\xC3\xC3", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(mem_cleanup) char *shown = safe_text(cases[i].text, SAFE_LINE);
		uint32_t code = 0;
		size_t size = utf8_decode(cases[i].text, strlen(cases[i].text), &code);

		check_number(shown, (long long)size, (long long)cases[i].size);
		check_number(shown, code, cases[i].code);
	}
}

static void test_safe(void **state)
{
	static const struct {
		const char *text, *line;
		const char *lines; /* NULL: the same as line */
	} cases[] = {
		{ "", "", NULL },
		{ "plain text ~!", "plain text ~!", NULL },
		{ "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
			NULL },
		{ "e\xCC\x81", "e\xCC\x81", NULL },
		{ "a\nb", "a\\nb", "a\nb" },
		{ "a\tb", "a\\tb", "a\tb" },
		{ "a\rb", "a\\rb", NULL },
		{ "a\r\n", "a\\r\\n", "a\\r\n" },
		{ "\x1B[31mred\x1B[0m", "\\x1B[31mred\\x1B[0m", NULL },
		{ "\x1B]0;title\x07", "\\x1B]0;title\\x07", NULL },
		{ "\x01\x08\x0B\x0C\x1F", "\\x01\\x08\\x0B\\x0C\\x1F", NULL },
		{ "\x7F", "\\x7F", NULL },
		/* C1 as characters (\u009B is CSI to some terminals) and as raw bytes */
		{ "\xC2\x9B"
		  "31m",
			"\\x9B31m", NULL },
		{ "\xC2\x80\xC2\x9F", "\\x80\\x9F", NULL },
		{ "\x9B"
		  "31m",
			"\\x9B31m", NULL },
		{ "\xC2\xA0", "\xC2\xA0", NULL },
		/* bidirectional controls, separators, invisible ones */
		{ "a\xE2\x80\xAE"
		  "b",
			"a\\u202Eb", NULL },
		{ "\xE2\x80\xAA\xE2\x80\xAB\xE2\x80\xAC\xE2\x80\xAD",
			"\\u202A\\u202B\\u202C\\u202D", NULL },
		{ "\xE2\x81\xA6\xE2\x81\xA7\xE2\x81\xA8\xE2\x81\xA9",
			"\\u2066\\u2067\\u2068\\u2069", NULL },
		{ "\xE2\x80\x8E\xE2\x80\x8F\xD8\x9C", "\\u200E\\u200F\\u061C", NULL },
		{ "\xE2\x80\xA8\xE2\x80\xA9", "\\u2028\\u2029", NULL },
		{ "\xE2\x80\x8B\xE2\x80\x8D\xE2\x81\xA0\xEF\xBB\xBF",
			"\\u200B\\u200D\\u2060\\uFEFF", NULL },
		{ "\xC2\xAD\xE1\xA0\x8E\xEF\xBF\xBB", "\\xAD\\u180E\\uFFFB", NULL },
		{ "\xF3\xA0\x80\x81", "\\uE0001", NULL },
		{ "\xE2\x80\x90\xE2\x80\xA7\xE2\x80\xAF", "\xE2\x80\x90\xE2\x80\xA7\xE2\x80\xAF",
			NULL },
		/* not UTF-8 */
		{ "a\xFFz", "a\\xFFz", NULL },
		{ "\xC0\x9B", "\\xC0\\x9B", NULL },
		{ "\xE0\x80\x9B", "\\xE0\\x80\\x9B", NULL },
		{ "\xED\xA0\x80", "\\xED\\xA0\\x80", NULL },
		{ "\xC3", "\\xC3", NULL },
		{ "\xE2\x82", "\\xE2\\x82", NULL },
		{ "\xC3\x1B[m", "\\xC3\\x1B[m", NULL },
		{ "\xF0\x9F\x98\n", "\\xF0\\x9F\\x98\\n", "\\xF0\\x9F\\x98\n" },
		{ "caf\xE9", "caf\\xE9", NULL },
	};

	(void)state;
	check_text("NULL", safe_text(NULL, SAFE_LINE), NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(mem_cleanup) char *line = safe_text(cases[i].text, SAFE_LINE);
		CLEANUP(mem_cleanup) char *lines = safe_text(cases[i].text, SAFE_LINES);

		check_text(cases[i].line, line, cases[i].line);
		check_text(cases[i].line, lines, cases[i].lines ? cases[i].lines : cases[i].line);
	}
}

/* Every single byte and every pair of bytes: what comes out holds no control and is UTF-8. */
static void test_every_pair(void **state)
{
	(void)state;
	for (unsigned pair = 0; pair < 0x10000 && !unit_failures; pair++) {
		const char text[] = { (char)(pair >> 8), (char)(pair & 0xFF) };
		CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

		safe_add(&out, text, sizeof(text), SAFE_LINE);
		for (size_t at = 0; at < out.length;) {
			uint32_t code = 0;
			size_t size = utf8_decode(out.data + at, out.length - at, &code);

			if (size == 0 || code < 0x20 || (code >= 0x7F && code < 0xA0)) {
				check_number("a control came through in pair", pair, -1);
				break;
			}
			at += size;
		}
	}
}

static void test_length_counts(void **state)
{
	CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

	(void)state;
	safe_add(&out, "a\0b", 3, SAFE_LINES);
	check_text("NUL is shown", out.data, "a\\x00b");
	strbuf_reset(&out);
	safe_add(&out, "\xE2\x82\xAC", 2, SAFE_LINES);
	check_text("not read beyond the length", out.data, "\\xE2\\x82");
	strbuf_reset(&out);
	strbuf_adds(&out, "> ");
	safe_add(&out, "x", 1, SAFE_LINES);
	check_text("appends", out.data, "> x");
}

static void test_width(void **state)
{
	static const struct {
		const char *text;
		size_t width;
	} cases[] = {
		{ "", 0 },
		{ "abc", 3 },
		{ "\xC3\xA9t\xC3\xA9", 3 },
		{ "e\xCC\x81", 1 },                /* combining acute */
		{ "\xE2\x82\xAC", 1 },             /* euro */
		{ "\xE6\x97\xA5\xE6\x9C\xAC", 4 }, /* two ideographs */
		{ "\xED\x95\x9C", 2 },             /* Hangul syllable */
		{ "\xEF\xBC\xA1", 2 },             /* fullwidth A */
		{ "\xEF\xBD\xB1", 1 },             /* halfwidth katakana */
		{ "\xF0\x9F\x98\x80", 2 },         /* pictograph */
		{ "\xF0\xA0\x80\x80", 2 },         /* ideograph of plane 2 */
		{ "a\xE6\x97\xA5"
		  "b",
			4 },
		{ "\xE2\x9D\xA4\xEF\xB8\x8F", 1 }, /* variation selector */
		{ "\xFF", 1 },                     /* would be a replacement character */
		{ "\\x1B[m", 6 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_number(cases[i].text,
			(long long)safe_width(cases[i].text, strlen(cases[i].text)),
			(long long)cases[i].width);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_decode),
		UNIT_TEST(test_safe),
		UNIT_TEST(test_every_pair),
		UNIT_TEST(test_length_counts),
		UNIT_TEST(test_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
