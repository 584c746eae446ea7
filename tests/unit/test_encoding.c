#include "unit.h"

#include "sql/encoding.h"

#include <stdio.h>

static void test_names(void **state)
{
	static const struct {
		const char *name;
		enum encoding expected;
	} cases[] = {
		{ "SJIS", ENCODING_SJIS },
		{ "sjis", ENCODING_SJIS },
		{ "Shift_JIS", ENCODING_SJIS },
		{ "shift-jis", ENCODING_SJIS },
		{ "MSKANJI", ENCODING_SJIS },
		{ "WIN932", ENCODING_SJIS },
		{ "Windows-932", ENCODING_SJIS },
		{ "SHIFT_JIS_2004", ENCODING_SJIS },
		{ "shiftjis2004", ENCODING_SJIS },
		{ "BIG5", ENCODING_BIG5 },
		{ "Big-5", ENCODING_BIG5 },
		{ "win950", ENCODING_BIG5 },
		{ "Windows950", ENCODING_BIG5 },
		{ "GBK", ENCODING_GBK },
		{ "WIN936", ENCODING_GBK },
		{ "windows-936", ENCODING_GBK },
		{ "UHC", ENCODING_UHC },
		{ "Win949", ENCODING_UHC },
		{ "Windows949", ENCODING_UHC },
		{ "JOHAB", ENCODING_JOHAB },
		{ "gb-18030", ENCODING_GB18030 },
		{ "GB18030", ENCODING_GB18030 },
		{ " '.G_b,K-' ", ENCODING_GBK },
		{ "G\xC3\xA9"
		  "BK",
			ENCODING_GBK },
		{ "", ENCODING_SAFE },
		{ "-", ENCODING_SAFE },
		{ "UTF8", ENCODING_SAFE },
		{ "UTF-8", ENCODING_SAFE },
		{ "SQL_ASCII", ENCODING_SAFE },
		{ "LATIN1", ENCODING_SAFE },
		{ "EUC_JP", ENCODING_SAFE },
		{ "EUC_KR", ENCODING_SAFE },
		{ "EUC_JIS_2004", ENCODING_SAFE },
		{ "win1252", ENCODING_SAFE },
		{ "MULE_INTERNAL", ENCODING_SAFE },
		{ "gb", ENCODING_SAFE },
		{ "gbkk", ENCODING_SAFE },
		{ "sjis2004", ENCODING_SAFE },
		{ "nonsense", ENCODING_SAFE },
		/* 63 and 64 bytes: the longest that PostgreSQL looks at, and the first it does not
		 */
		{ "gbk------------------------------------------------------------", ENCODING_GBK },
		{ "gbk-------------------------------------------------------------",
			ENCODING_SAFE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_number(cases[i].name, encoding_by_name(cases[i].name), cases[i].expected);
}

#define H "\xff"

/* What is hidden, and the same by encoding_step; bytes of one line but for newlines. */
static const struct {
	enum encoding encoding;
	const char *bytes, *hidden;
} texts[] = {
	{ ENCODING_SJIS, "", "" },
	{ ENCODING_SJIS, "abc\\'\x7f", "abc\\'\x7f" },
	{ ENCODING_SJIS, "\x83\\'", "\x83" H "'" },
	{ ENCODING_SJIS, "a\x95\\\\b", "a\x95" H "\\b" },
	{ ENCODING_SJIS, "\x80\\\x81\\\xa0\\", "\x80" H "\x81" H "\xa0" H },
	{ ENCODING_SJIS, "\xa1\\\xdf\\", "\xa1\\\xdf\\" },
	{ ENCODING_SJIS, "\xe0\\\xfc\\\xff\\", "\xe0" H "\xfc" H "\xff" H },
	{ ENCODING_SJIS, "\x83\x83\\", "\x83" H "\\" },
	{ ENCODING_SJIS, "\x83", "\x83" },
	{ ENCODING_BIG5, "\xa5\\\\", "\xa5" H "\\" },
	{ ENCODING_BIG5, "\xa1|\x80'x", "\xa1" H "\x80" H "x" },
	{ ENCODING_GBK, "\x81\\\xdf'x", "\x81" H "\xdf" H "x" },
	{ ENCODING_UHC,
		"\x81"
		"A\xa1'x",
		"\x81" H "\xa1" H "x" },
	{ ENCODING_JOHAB, "\x84\\\\", "\x84" H "\\" },
	{ ENCODING_JOHAB, "\x8e\\\\", "\x8e" H "\\" },
	{ ENCODING_JOHAB, "\x8f\\\\\\", "\x8f" H H "\\" },
	{ ENCODING_JOHAB, "\x8f'", "\x8f" H },
	{ ENCODING_GB18030, "\x81\\\\", "\x81" H "\\" },
	{ ENCODING_GB18030, "\x81\x30\\'x", "\x81" H H H "x" },
	{ ENCODING_GB18030, "\x81\x39\x81'x", "\x81" H H H "x" },
	{ ENCODING_GB18030, "\x81/'\x81:'", "\x81" H "'\x81" H "'" },
	{ ENCODING_GB18030, "\xff\x30\x30\x30\x30", "\xff" H H H "\x30" },
	{ ENCODING_GB18030, "1\x81\x31", "1\x81" H },
	{ ENCODING_GB18030, "\x81\x31'", "\x81" H H },
	{ ENCODING_GB18030, "\x81\x40\x30", "\x81" H "\x30" },
	/* a newline ends what lacks bytes */
	{ ENCODING_SJIS, "\x83\n\\", "\x83\n\\" },
	{ ENCODING_SJIS, "\x83\\\n\\", "\x83" H "\n\\" },
	{ ENCODING_JOHAB, "\x8f'\n'", "\x8f" H "\n'" },
	{ ENCODING_GB18030, "\x81\n\x30\x30", "\x81\n\x30\x30" },
	{ ENCODING_GB18030, "\x81\x30\n'", "\x81" H "\n'" },
	{ ENCODING_GB18030, "\x81\x30'\n\x81''", "\x81" H H "\n\x81" H "'" },
};

static void test_hiding(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		size_t length = strlen(texts[i].bytes);

		for (size_t chunk = 1; chunk <= length || chunk == 1; chunk++) {
			struct encoding_state between = { 0 };
			char out[32] = "";

			for (size_t at = 0; at < length; at += chunk)
				encoding_hide(texts[i].encoding, &between, texts[i].bytes + at,
					length - at < chunk ? length - at : chunk, out + at);
			check_text(texts[i].bytes, out, texts[i].hidden);
		}
	}
}

static void test_steps(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		size_t length = strcspn(texts[i].bytes, "\n");
		char out[32] = "";

		for (size_t at = 0, step; at < length; at += step) {
			step = encoding_step(texts[i].encoding, texts[i].bytes + at, length - at);
			if (step < 1 || step > length - at) {
				check_number(texts[i].bytes, (long long)step, 1);
				break;
			}
			memset(out + at, 0xff, step);
			out[at] = texts[i].bytes[at];
		}
		check_number(texts[i].bytes, memcmp(out, texts[i].hidden, length), 0);
	}
	check_number("in an encoding that is safe",
		(long long)encoding_step(ENCODING_SAFE, "\xC3\xA9", 2), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_names),
		UNIT_TEST(test_hiding),
		UNIT_TEST(test_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
