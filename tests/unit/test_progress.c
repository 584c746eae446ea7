#include "unit.h"

#include "base/strbuf.h"
#include "term/progress.h"
#include "term/safe.h"

#define SECOND 1000000

static void test_lines(void **state)
{
	static const struct {
		struct progress progress;
		int64_t elapsed_us;
		size_t width;
		const char *line;
	} cases[] = {
		/* everything; statements, or rows when there are more of them */
		{ { "db/seed.sql", 48000000, 96000000, 3, 450000 }, 2 * SECOND, 120,
			"db/seed.sql  [================                ]   50%  48.0 of 96.0 MB"
			"  450000 rows"
			"  24.0 MB/s  0:02 left" },
		{ { "a.sql", 500, 1000, 1, 0 }, 2 * SECOND, 79,
			"a.sql  [========        ]   50%  0.5 of 1.0 kB  1 statement  0 kB/s  0:02 "
			"left" },
		{ { "a.sql", 1500000, 6000000, 2, 2 }, 10 * SECOND, 79,
			"a.sql  [==      ]   25%  1.5 of 6.0 MB  2 statements  150 kB/s"
			"  0:30 left" },
		{ { "a.sql", 1, 7200, 0, 1 }, SECOND, 79,
			"a.sql  [                ]    0%  0.0 of 7.2 kB  1 row  0 kB/s  1:59:59 "
			"left" },
		/* nothing to go by yet, all read, more read than was thought */
		{ { "a.sql", 0, 999, 0, 0 }, SECOND, 60,
			"a.sql  [        ]    0%  0 of 999 B  0 statements  0 kB/s" },
		{ { "a.sql", 1000, 1000, 9, 0 }, SECOND, 60,
			"a.sql  [========]  100%  1.0 of 1.0 kB  9 statements  1 kB/s" },
		{ { "a.sql", 2000, 1000, 9, 0 }, SECOND, 60,
			"a.sql  [========]  100%  2.0 of 1.0 kB  9 statements  2 kB/s" },
		{ { "a.sql", 9999, 10000, 9, 0 }, SECOND, 60,
			"a.sql   99%  10.0 of 10.0 kB  9 statements  0:00 left" },
		{ { "a.sql", 1, UINT64_C(1) << 60, 9, 0 }, SECOND, 60,
			"a.sql    0%  0.0 of 1152921.5 TB  9 statements  0 kB/s" },
		{ { "a.sql", 1, 2, 9, 0 }, 0, 60,
			"a.sql  [========        ]   50%  1 of 2 B  9 statements" },
		/* a pipe: neither percent nor time left */
		{ { "<stdin>", 2500000, 0, 12, 0 }, SECOND, 79,
			"<stdin>  2.5 MB  12 statements  2.5 MB/s" },
		/* narrower and narrower */
		{ { "db/seed.sql", 48000000, 96000000, 3, 450000 }, 2 * SECOND, 69,
			"db/seed.sql   50%  48.0 of 96.0 MB  450000 rows  24.0 MB/s  0:02 left" },
		{ { "db/seed.sql", 48000000, 96000000, 3, 450000 }, 2 * SECOND, 68,
			"db/seed.sql   50%  48.0 of 96.0 MB  450000 rows  0:02 left" },
		{ { "db/seed.sql", 48000000, 96000000, 3, 450000 }, 2 * SECOND, 57,
			"db/seed.sql  [====    ]   50%  48.0 of 96.0 MB  0:02 left" },
		{ { "db/seed.sql", 48000000, 96000000, 3, 450000 }, 2 * SECOND, 40,
			"db/seed.sql  [====    ]   50%  0:02 left" },
		{ { "db/seed.sql", 48000000, 96000000, 3, 450000 }, 2 * SECOND, 28,
			"db/seed.sql   50%  0:02 left" },
		{ { "db/seed.sql", 48000000, 96000000, 3, 450000 }, 2 * SECOND, 27,
			"db/seed.sql   50%" },
		{ { "db/seed.sql", 48000000, 96000000, 3, 450000 }, 2 * SECOND, 16,
			" 50%  0:02 left" },
		{ { "db/seed.sql", 48000000, 96000000, 3, 450000 }, 2 * SECOND, 4, " 50%" },
		{ { "db/seed.sql", 48000000, 96000000, 3, 450000 }, 2 * SECOND, 3, "" },
		{ { "<stdin>", 2500000, 0, 12, 0 }, SECOND, 15, "<stdin>  2.5 MB" },
		{ { "<stdin>", 2500000, 0, 12, 0 }, SECOND, 14, "2.5 MB" },
		{ { "<stdin>", 2500000, 0, 12, 0 }, SECOND, 5, "" },
		/* a long name loses its front */
		{ { "a/very/long/path/to/some/script.sql", 5, 10, 1, 0 }, SECOND, 30,
			"...script.sql   50%  0:01 left" },
		/* controls and wide characters */
		{ { "a\x1B[2J\n.sql", 1, 2, 9, 0 }, 0, 40, "a\\x1B[2J\\n.sql   50%  1 of 2 B" },
		{ { "\xE6\x97\xA5\xE6\x9C\xAC\xE6\x97\xA5\xE6\x9C\xAC\xE6\x97\xA5\xE6\x9C\xAC"
		    "x.sql",
			  1, 2, 0, 0 },
			0, 20,
			"...\xE6\x9C\xAC\xE6\x97\xA5\xE6\x9C\xAC"
			"x.sql   50%" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

		progress_format(&cases[i].progress, cases[i].elapsed_us, cases[i].width, &out);
		check_text(cases[i].progress.name, out.data, cases[i].line);
	}
}

/* Whatever the width, the line does not wrap. */
static void test_never_wraps(void **state)
{
	static const struct progress cases[] = {
		{ "db/seed.sql", 48000000, 96000000, 3, 450000 },
		{ "<stdin>", UINT64_MAX, 0, UINT64_MAX, UINT64_MAX },
		{ "x", UINT64_MAX / 3, UINT64_MAX, UINT64_MAX, 0 },
		{ "", 1, 2, 0, 0 },
		{ "\xE6\x97\xA5\xE6\x9C\xAC\xE6\x97\xA5\xE6\x9C\xAC/\xE6\x97\xA5\xE6\x9C\xAC.sql",
			7, 9, 1, 1 },
		{ "a/very/long/path/to/a/\x1B]0;title\x07/e\xCC\x81t\xC3\xA9/script.sql", 7, 0, 1,
			1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t longest = 0;

		for (size_t width = 0; width <= 200; width++) {
			CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
			size_t columns;

			progress_format(&cases[i], 3 * SECOND, width, &out);
			columns = safe_width(out.data, out.length);
			check_number(cases[i].name, columns > width, 0);
			longest = columns > longest ? columns : longest;
		}
		check_number("something is shown", longest > 20, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_lines),
		UNIT_TEST(test_never_wraps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
