#include "unit.h"

#include "base/mem.h"
#include "base/strlist.h"
#include "sql/slash.h"

/* Variables: a, e (empty), q, and BAD, which cannot be had; literals and identifiers in angles. */
static int get(
	void *context, const char *name, enum variable_form form, char **ret_text, struct err *err)
{
	static const struct {
		const char *name, *value;
	} known[] = {
		{ "a", "va l;" },
		{ "e", "" },
		{ "q", "x'Y\"Z\"" },
		{ "\x83\\", "kanji" },
	};

	if (context)
		strlist_add(context, name);
	if (strcmp(name, "BAD") == 0)
		return err_set(err, ERR_CONNECT, "no answer");
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(name, known[i].name) != 0)
			continue;
		*ret_text = form == VARIABLE_PLAIN     ? mem_strdup(known[i].value)
			    : form == VARIABLE_LITERAL ? mem_printf("<%s>", known[i].value)
						       : mem_printf("<<%s>>", known[i].value);
		return 0;
	}
	return 0;
}

static const struct slash_variables variables = { .get = get };

/* How a line is read: everything but its text. */
struct manner {
	enum slash_mode mode;
	bool strip;
	bool inactive;
	enum encoding encoding;
};

/*
 * All arguments of a line: "[text]" with the quote behind it, and what is left of the line, or the
 * error. The line stands in memory of exactly its size.
 */
static char *read_all(const char *text, struct manner manner)
{
	CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
	CLEANUP(slash_argument_release) struct slash_argument argument = SLASH_ARGUMENT_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(mem_cleanup) char *exact = mem_resize(NULL, strlen(text) + 1, 1);
	struct slash_line line = { .length = strlen(text), .encoding = manner.encoding };
	int result;

	exact = mem_resize(exact, line.length ? line.length : 1, 1);
	memcpy(exact, text, line.length);
	line.text = exact;
	while ((result = slash_next(&line, manner.mode, manner.strip,
			manner.inactive ? NULL : &variables, &argument, &err)) == 1) {
		strbuf_addf(&out, "[%s]", argument.text.data);
		if (argument.quote)
			strbuf_addc(&out, argument.quote);
		check_number(text, (long long)strlen(argument.text.data),
			(long long)argument.text.length);
	}
	if (result != 0)
		strbuf_addf(&out, "%d:%s", (int)err.kind, err.message);
	strbuf_add(&out, exact + line.at, line.length - line.at);
	return strbuf_detach(&out);
}

static void check_line(const char *text, struct manner manner, const char *expected)
{
	CLEANUP(mem_cleanup) char *got = read_all(text, manner);

	check_text(text, got, expected);
}

struct line_case {
	const char *text, *expected;
};

static void check_lines(const struct line_case *cases, size_t count, struct manner manner)
{
	for (size_t i = 0; i < count; i++)
		check_line(cases[i].text, manner, cases[i].expected);
}

#define UNTERMINATED "3:unterminated quoted string"
#define BACKQUOTES "3:backquotes, which run a program, are not supported"

static void test_words(void **state)
{
	static const struct line_case cases[] = {
		{ "", "" },
		{ " \t\r\f ", "" },
		{ " a", "[a]" },
		{ "a b\tc\fd\r", "[a][b][c][d]" },
		{ " a;b c; ;", "[a;b][c;][;]" },
		{ "a\vb", "[a\vb]" },
		{ "|a b|", "[|a][b|]" },
		{ "-n --", "[-n][--]" },
		{ "\xC3\xA9 \xFF", "[\xC3\xA9][\xFF]" },
		/* the command's end */
		{ " a \\b c", "[a]\\b c" },
		{ "a\\b", "[a]\\b" },
		{ "a\\\\ SELECT", "[a]\\\\ SELECT" },
		{ "\\", "\\" },
	};

	(void)state;
	check_lines(cases, ARRAY_SIZE(cases), (struct manner){ 0 });
}

static void test_quotes(void **state)
{
	static const struct line_case cases[] = {
		{ "'a b'", "[a b]'" },
		{ "''", "[]'" },
		{ "'' ''", "[]'[]'" },
		{ "'it''s'", "[it's]'" },
		{ "''''", "[']'" },
		{ "a'b'c", "[abc]'" },
		{ "'a'\"b\"", "[a\"b\"]\"" },
		{ "\"b\"'a'", "[\"b\"a]'" },
		{ "'a\"b:a`c'", "[a\"b:a`c]'" },
		{ "\"a b\"c d", "[\"a b\"c]\"[d]" },
		{ "\"a\"\"b\"", "[\"a\"\"b\"]\"" },
		{ "\"\"", "[\"\"]\"" },
		{ "\"a\\b\"", "[\"a\\b\"]\"" },
		{ "\":a\"", "[\":a\"]\"" },
		{ "'a", UNTERMINATED },
		{ "x 'a''", "[x]" UNTERMINATED },
		{ "x \"a b \\c", "[x]" UNTERMINATED },
		{ "'", UNTERMINATED },
		{ "'a\\'", UNTERMINATED },
		{ "'a\\", UNTERMINATED },
		{ "a b's \\c", "[a]" UNTERMINATED },
	};

	(void)state;
	check_lines(cases, ARRAY_SIZE(cases), (struct manner){ 0 });
}

static void test_escapes(void **state)
{
	static const struct line_case cases[] = {
		{ "'\\n\\t\\b\\r\\f'", "[\n\t\b\r\f]'" },
		{ "'\\a\\e\\\\\\'\\\"'", "[ae\\'\"]'" },
		{ "'\\101\\1012'", "[AA2]'" },
		{ "'\\7\\78\\778\\777'", "[\a\a8?8\xFF]'" },
		{ "'\\8\\9'", "[89]'" },
		{ "'\\x41\\x4a\\x4A\\x414'", "[AJJA4]'" },
		{ "'\\xag\\xg'", "[\ngxg]'" },
		{ "'\\x'", "[x]'" },
		{ "'\\X41'", "[X41]'" },
		{ "'\\xff'", "[\xFF]'" },
		{ "'a\\0b' c", "[a]'[c]" },
		{ "'\\x00b'c d", "[]'[d]" },
		{ "'\\x", UNTERMINATED },
		{ "'\\12", UNTERMINATED },
		{ "'\\x4", UNTERMINATED },
	};

	(void)state;
	check_lines(cases, ARRAY_SIZE(cases), (struct manner){ 0 });
}

static void test_references(void **state)
{
	static const struct line_case cases[] = {
		{ ":a", "[va l;]:" },
		{ "x:a:a", "[xva l;va l;]:" },
		{ ":a'b'", "[va l;b]'" },
		{ "'b':a", "[bva l;]:" },
		{ ":e", "[]:" },
		{ ":e :e", "[]:[]:" },
		{ ":zz", "[:zz]:" },
		{ ":'zz' :\"zz\"", "[:'zz']:[:\"zz\"]:" },
		{ ":'a' :\"q\"", "[<va l;>]:[<<x'Y\"Z\">>]:" },
		{ ":q", "[x'Y\"Z\"]:" },
		{ "x::a", "[x:va l;]:" },
		{ ":a.b :a-b", "[va l;.b]:[va l;-b]:" },
		{ ":{?a}", "[TRUE]" },
		{ ":{?e}:{?zz}", "[TRUEFALSE]" },
		{ "x:{?zz}y", "[xFALSEy]" },
		{ "'':{?a}", "[TRUE]'" },
		{ ":\xC3\xA9", "[:\xC3\xA9]:" },
		/* none */
		{ ":", "[:]" },
		{ ": a", "[:][a]" },
		{ ":: :; :-", "[::][:;][:-]" },
		{ ":'' :'a b'", "[:]'[:a b]'" },
		{ ":\"\" :\"a b\"", "[:\"\"]\"[:\"a b\"]\"" },
		{ ":'a", UNTERMINATED },
		{ ":\"a", UNTERMINATED },
		{ ":{a} :{?} :{?a :{?a-b}", "[:{a}][:{?}][:{?a][:{?a-b}]" },
		{ ":{?a'b'}", "[:{?ab}]'" },
		{ "':a' \":'a'\"", "[:a]'[\":'a'\"]\"" },
	};

	(void)state;
	check_lines(cases, ARRAY_SIZE(cases), (struct manner){ 0 });
}

static void test_names_asked_for(void **state)
{
	static const char text[] = ":a x:'b_1':\"C\" :{?d}:' :e' \":f\"";
	static const char *const expected[] = { "a", "b_1", "C", "d" };
	CLEANUP(strlist_release) struct strlist names = STRLIST_INIT;
	CLEANUP(slash_argument_release) struct slash_argument argument = SLASH_ARGUMENT_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;
	const struct slash_variables asked = { .get = get, .context = &names };
	struct slash_line line = { .text = text, .length = strlen(text) };

	(void)state;
	while (slash_next(&line, SLASH_NORMAL, false, &asked, &argument, &err) == 1)
		continue;
	check_number("error", err.kind, ERR_NONE);
	check_number("count", (long long)names.count, ARRAY_SIZE(expected));
	for (size_t i = 0; i < names.count && i < ARRAY_SIZE(expected); i++)
		check_text("name", names.items[i], expected[i]);
}

static void test_variable_failure(void **state)
{
	static const struct line_case cases[] = {
		{ "x :BAD y", "[x]2:no answer" },
		{ "x:'BAD' y", "2:no answer" },
		{ ":{?BAD}", "2:no answer" },
	};

	(void)state;
	check_lines(cases, ARRAY_SIZE(cases), (struct manner){ 0 });
}

static void test_backquotes(void **state)
{
	static const struct line_case cases[] = {
		{ "x `a b` y", "[x]" BACKQUOTES },
		{ "x`", BACKQUOTES },
		{ "'`' \"`\"", "[`]'[\"`\"]\"" },
	};

	(void)state;
	check_lines(cases, ARRAY_SIZE(cases), (struct manner){ 0 });
}

static void test_inactive(void **state)
{
	static const struct line_case cases[] = {
		{ ":a :'a' :\"a\" :{?a} :BAD", "[:a]:[:'a']:[:\"a\"]:[:{?a}][:BAD]:" },
		{ "x`a 'b' \\c :a`y z", "[xa 'b' \\c :ay]`[z]" },
		{ "`` `'`", "[]`[']`" },
		{ "'a' \\b", "[a]'\\b" },
		{ "`a", UNTERMINATED },
		{ "x y'a", "[x]" UNTERMINATED },
	};

	(void)state;
	check_lines(cases, ARRAY_SIZE(cases), (struct manner){ .inactive = true });
}

static void test_strip(void **state)
{
	static const struct line_case cases[] = {
		{ "a;", "[a]" },
		{ "a;;; b;", "[a][b]" },
		{ ";a;b;", "[;a;b]" },
		{ "';'", "[;]'" },
		{ "';';", "[;]'" },
		{ "'a;';;", "[a;]'" },
		{ "\"a\";", "[\"a\"]\"" },
		{ "'';", "[]'" },
		{ ":a", "[va l;]:" },
		{ ":a;", "[va l;]:" },
		{ ";';'", "[;;]'" },
		{ ";:a", "[;va l;]:" },
		{ ":zz;", "[:zz]:" },
		{ ":{?a};;", "[TRUE]" },
		{ "a;\\b", "[a]\\b" },
		/* nothing is left of the argument, so it is none */
		{ "a ; b", "[a] b" },
	};

	(void)state;
	check_lines(cases, ARRAY_SIZE(cases), (struct manner){ .strip = true });
}

static void test_identifiers(void **state)
{
	static const struct {
		const char *text, *lower, *cased;
	} cases[] = {
		{ "Foo", "[foo]", "[Foo]" },
		{ "\"Foo\"", "[Foo]\"", "[Foo]\"" },
		{ "FOO\"BAR\"BAZ", "[fooBARbaz]\"", "[FOOBARBAZ]\"" },
		{ "\"Foo\".\"bar\"", "[Foo.bar]\"", "[Foo.bar]\"" },
		{ "\"A\"\"B\"C", "[A\"Bc]\"", "[A\"BC]\"" },
		{ "\"\"", "[]\"", "[]\"" },
		{ "\"\"\"\"", "[\"]\"", "[\"]\"" },
		{ "A\"\"B", "[ab]\"", "[AB]\"" },
		{ "\"A B\" C", "[A B]\"[c]", "[A B]\"[C]" },
		{ "'Foo'", "[foo]'", "[Foo]'" },
		{ "'A\"B'", "[aB]'", "[AB]'" },
		{ ":q", "[x'yZ]:", "[x'YZ]:" },
		{ "\xC3\x89", "[\xC3\x89]", "[\xC3\x89]" },
		{ "|A b", "[|a][b]", "[|A][b]" },
		{ "\"A", UNTERMINATED, UNTERMINATED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		check_line(cases[i].text, (struct manner){ .mode = SLASH_NAME }, cases[i].lower);
		check_line(
			cases[i].text, (struct manner){ .mode = SLASH_NAME_CASED }, cases[i].cased);
	}
	check_line("Foo;", (struct manner){ .mode = SLASH_NAME, .strip = true }, "[foo]");
	check_line("\"Foo;\"", (struct manner){ .mode = SLASH_NAME, .strip = true }, "[Foo;]\"");
}

static void test_files(void **state)
{
	static const struct line_case cases[] = {
		{ " a.sql b", "[a.sql][b]" },
		{ "'a b.sql';", "[a b.sql]'" },
		{ " |cat  'x` \\y :a; ", "[|cat  'x` \\y :a; ]" },
		{ "a | b", "[a][| b]" },
		{ "a|b c", "[a|b][c]" },
		{ "'|a' b", "[|a]'[b]" },
		{ "|", "[|]" },
	};

	(void)state;
	check_lines(cases, ARRAY_SIZE(cases), (struct manner){ .mode = SLASH_FILE, .strip = true });
}

static void test_whole_line(void **state)
{
	static const struct line_case cases[] = {
		{ "", "" },
		{ " \t ", "" },
		{ " a  b ", "[a  b ]" },
		{ "\t'a \\b \\\\ `c` :a \"d;\r", "['a \\b \\\\ `c` :a \"d;\r]" },
		{ "\\", "[\\]" },
		{ ";;", "[;;]" },
	};

	(void)state;
	check_lines(cases, ARRAY_SIZE(cases),
		(struct manner){ .mode = SLASH_WHOLE_LINE, .strip = true });
	check_lines(cases, ARRAY_SIZE(cases),
		(struct manner){ .mode = SLASH_WHOLE_LINE, .inactive = true });
}

static void test_encodings(void **state)
{
	static const struct {
		const char *text;
		struct manner manner;
		const char *expected;
	} cases[] = {
		{ "\x83\\ \\b", { .encoding = ENCODING_SJIS }, "[\x83\\]\\b" },
		{ "\x83\\ \\b", { .encoding = ENCODING_SAFE }, "[\x83]\\ \\b" },
		{ "'\x83\\'", { .encoding = ENCODING_SJIS }, "[\x83\\]'" },
		{ "'\\\x83\\' x", { .encoding = ENCODING_SJIS }, "[\x83\\]'[x]" },
		{ "'\x83\\'", { .encoding = ENCODING_SAFE }, UNTERMINATED },
		{ "\"\x83\"\"", { .encoding = ENCODING_SJIS }, "[\"\x83\"\"]\"" },
		{ "`\x83``", { .encoding = ENCODING_SJIS, .inactive = true }, "[\x83`]`" },
		{ "\xb1\\b", { .encoding = ENCODING_SJIS }, "[\xb1]\\b" },
		{ ":\x83\\ :'\x83\\'", { .encoding = ENCODING_SJIS }, "[kanji]:[<kanji>]:" },
		{ ":\x83\\", { .encoding = ENCODING_SAFE }, "[:\x83]:\\" },
		{ "\x81:a", { .encoding = ENCODING_GB18030 }, "[\x81:a]" },
		{ "\x81\x30\\'x", { .encoding = ENCODING_GB18030 }, "[\x81\x30\\'x]" },
		{ "x\x81", { .encoding = ENCODING_GB18030 }, "[x\x81]" },
		{ "A\x83"
		  "A",
			{ .mode = SLASH_NAME, .encoding = ENCODING_SJIS },
			"[a\x83"
			"A]" },
		{ "A\x83"
		  "A",
			{ .mode = SLASH_NAME, .encoding = ENCODING_SAFE },
			"[a\x83"
			"a]" },
		{ "\x81\"A\"B", { .mode = SLASH_NAME, .encoding = ENCODING_GBK }, UNTERMINATED },
		{ "\x83|", { .mode = SLASH_FILE, .encoding = ENCODING_SJIS }, "[\x83|]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_line(cases[i].text, cases[i].manner, cases[i].expected);
}

static void test_ceiling(void **state)
{
	static const char *const texts[] = { "abcd", "'abcd'", "\"ab\"", "ab:{?a}", ":a", ":zzz",
		"'abc\\n'", "'abc\\101'" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		CLEANUP(slash_argument_release)
		struct slash_argument argument = { .text = STRBUF_INIT_CEILING(3) };
		CLEANUP(err_release) struct err err = ERR_INIT;
		struct slash_line line = { .text = texts[i], .length = strlen(texts[i]) };

		check_number(texts[i],
			slash_next(&line, SLASH_NORMAL, false, &variables, &argument, &err), -1);
		check_err(texts[i], &err, ERR_SQL,
			"argument of a meta-command is longer than 16 MiB");
		check_number("nothing is left", (long long)line.at, (long long)line.length);
	}
}

static void test_end(void **state)
{
	static const struct {
		const char *text;
		size_t at, expected;
	} cases[] = {
		{ "", 0, 0 },
		{ "\\", 0, 0 },
		{ "\\\\", 0, 2 },
		{ "a \\\\b", 2, 4 },
		{ "a \\b", 2, 2 },
		{ " \\\\", 0, 0 },
		{ "\\\\\\\\", 0, 2 },
		{ "a", 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct slash_line line = {
			.text = cases[i].text, .length = strlen(cases[i].text), .at = cases[i].at
		};

		slash_end(&line);
		check_number(cases[i].text, (long long)line.at, (long long)cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_words),
		UNIT_TEST(test_quotes),
		UNIT_TEST(test_escapes),
		UNIT_TEST(test_references),
		UNIT_TEST(test_names_asked_for),
		UNIT_TEST(test_variable_failure),
		UNIT_TEST(test_backquotes),
		UNIT_TEST(test_inactive),
		UNIT_TEST(test_strip),
		UNIT_TEST(test_identifiers),
		UNIT_TEST(test_files),
		UNIT_TEST(test_whole_line),
		UNIT_TEST(test_encodings),
		UNIT_TEST(test_ceiling),
		UNIT_TEST(test_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
