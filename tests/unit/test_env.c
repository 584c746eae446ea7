#include "unit.h"

#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/strbuf.h"

#include <stdio.h>
#include <sys/stat.h>

static int parse(struct env *env, const char *text, struct err *err)
{
	return env_parse(env, ".env", text, strlen(text), err);
}

/* The value of A. */
static const struct {
	const char *text;
	const char *value; /* NULL: not set, or empty */
} values[] = {
	{ "A=x", "x" },
	{ "A=x\n", "x" },
	{ "A=x\r\n", "x" },
	{ "A=x\r", "x" },
	{ "A=x\ry\n", "x\ry" },
	{ "\n\n  \n\tA=x\n\n", "x" },
	{ "  A  =  x  y  \t\n", "x  y" },
	{ "B=1\nA=x\nC=2\n", "x" },
	{ "A=1\nA=2", "2" },
	{ "A=1\nA=", NULL },
	{ "A=\nA=2", "2" },
	{ "A=1\nAA=2\nB=3", "1" },
	{ "a=1", NULL },
	{ "A=", NULL },
	{ "A=   ", NULL },
	{ "A=\r\n", NULL },
	{ "", NULL },
	{ "# A=x", NULL },
	{ "  # A=x\n", NULL },
	{ "#\n#\r\nA=x", "x" },
	{ "\xEF\xBB\xBF"
	  "A=x",
		"x" },
	{ "\xEF\xBB\xBF", NULL },
	{ "export A=x", "x" },
	{ "export\tA=x", "x" },
	{ "  export   A=x", "x" },
	{ "export=1\nA=x", "x" },
	{ "export = 1\nA=x", "x" },
	{ "exported=1\nA=x", "x" },
	{ "A.B=1\nA_2=2\n_=3\nA=x", "x" },
	/* # begins a comment only at the value's beginning or behind a blank. */
	{ "A=x #y", "x" },
	{ "A=x\t# y", "x" },
	{ "A=x#y", "x#y" },
	{ "A=p#ss #w", "p#ss" },
	{ "A=#y", NULL },
	{ "A= # y", NULL },
	{ "A=x # y #z\nB=1", "x" },
	/* Nothing is expanded. */
	{ "B=1\nA=$B", "$B" },
	{ "A=${HOME}`id`$(id)", "${HOME}`id`$(id)" },
	{ "A=a=b==", "a=b==" },
	{ "A=x\\n\\\\", "x\\n\\\\" },
	{ "A=it's", "it's" },
	{ "A=a\"b\"", "a\"b\"" },
	{ "A=postgresql://u:p%40s@h:1/d?a=b&c=d", "postgresql://u:p%40s@h:1/d?a=b&c=d" },
	{ "A=\xC3\xA9\xFF", "\xC3\xA9\xFF" },
	/* Single quotes: as they stand. */
	{ "A='x'", "x" },
	{ "A=' x '", " x " },
	{ "A='x # y'", "x # y" },
	{ "A='a\\n\"b\\'", "a\\n\"b\\" },
	{ "A='a$B'", "a$B" },
	{ "A=''", NULL },
	{ "A=''\nA='x'  # y", "x" },
	{ "A='x'# y", "x" },
	{ "A='x'\t\r\n", "x" },
	{ "A= 'x'", "x" },
	/* Double quotes: a few escapes. */
	{ "A=\"x\"", "x" },
	{ "A=\" x # y \"", " x # y " },
	{ "A=\"a\\nb\\tc\\rd\"", "a\nb\tc\rd" },
	{ "A=\"\\\"\\\\\\$\\`\"", "\"\\$`" },
	{ "A=\"\\a\\x\\'\"", "\\a\\x\\'" },
	{ "A=\"it's $B `c`\"", "it's $B `c`" },
	{ "A=\"\"", NULL },
	{ "A=\"\\\\\" # y", "\\" },
	/* Over several lines. */
	{ "A=\"a\nb\n\nc\"\nB=1", "a\nb\n\nc" },
	{ "A='a\n# b\nc'\nB=1", "a\n# b\nc" },
	{ "B=\"\nA=1\n\"\n", NULL },
	{ "B='\nA=1'\nA=2", "2" },
};

static void test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		CLEANUP(env_release) struct env env = ENV_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;

		check_number(values[i].text, parse(&env, values[i].text, &err), 0);
		check_text(values[i].text, err.message, NULL);
		check_text(values[i].text, env_get(&env, "A", NULL), values[i].value);
	}
}

/* The message names file and line; neither it nor the rest of the error holds "Zq", which stands
 * for a value in all of them. */
static void test_errors(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "A", "expected NAME=value in line 1 of \".env\"" },
		{ "A\nB=1", "expected NAME=value in line 1 of \".env\"" },
		{ "B=1\n\n# c\nA Zq", "expected NAME=value in line 4 of \".env\"" },
		{ "B=1\r\nZq\r\n", "expected NAME=value in line 2 of \".env\"" },
		{ "=Zq", "expected NAME=value in line 1 of \".env\"" },
		{ "1A=Zq", "expected NAME=value in line 1 of \".env\"" },
		{ ".A=Zq", "expected NAME=value in line 1 of \".env\"" },
		{ "A-B=Zq", "expected NAME=value in line 1 of \".env\"" },
		{ "A B=Zq", "expected NAME=value in line 1 of \".env\"" },
		{ "export", "expected NAME=value in line 1 of \".env\"" },
		{ "export\nA=Zq", "expected NAME=value in line 1 of \".env\"" },
		{ "export A", "expected NAME=value in line 1 of \".env\"" },
		{ "export export A=Zq", "expected NAME=value in line 1 of \".env\"" },
		{ "\xEF\xBB\xBF\xEF\xBB\xBF"
		  "A=Zq",
			"expected NAME=value in line 1 of \".env\"" },
		{ "A=Zq\npostgresql://u:Zq@h/d", "expected NAME=value in line 2 of \".env\"" },
		{ "A=\"Zq", "unclosed quote in line 1 of \".env\"" },
		{ "A='Zq\nB=Zq\n", "unclosed quote in line 1 of \".env\"" },
		{ "B=1\nA=\"Zq\\\"\nC=1", "unclosed quote in line 2 of \".env\"" },
		{ "A=\"", "unclosed quote in line 1 of \".env\"" },
		{ "A=\"Zq\\", "unclosed quote in line 1 of \".env\"" },
		{ "A='it''Zq'", "text after the closing quote in line 1 of \".env\"" },
		{ "A=\"a\"Zq", "text after the closing quote in line 1 of \".env\"" },
		{ "A='\n\n' Zq", "text after the closing quote in line 3 of \".env\"" },
		{ "B='\n'\nA Zq", "expected NAME=value in line 3 of \".env\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(env_release) struct env env = ENV_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;

		check_number(cases[i].text, parse(&env, cases[i].text, &err), -1);
		check_err(cases[i].text, &err, ERR_USAGE, cases[i].message);
		check_text(cases[i].text, err.detail, NULL);
		check_text(cases[i].text, err.hint,
			"Write NAME=value, one per line; quote a value that holds blanks or #.");
	}
}

static void test_binary(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
	} cases[] = {
		{ "A=1\n\0", 5 }, { "\0", 1 }, { "A\0=\0x\0\n\0", 8 }, /* UTF-16 */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(env_release) struct env env = ENV_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;

		check_number("result",
			env_parse(&env, ".env", cases[i].bytes, cases[i].length, &err), -1);
		check_err("binary", &err, ERR_USAGE, "\".env\" is not a text file");
	}
}

/* A line of 700 kB that repeats a keyword neither passes nor eats the stack. */
static void test_endless_export(void **state)
{
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
	CLEANUP(env_release) struct env env = ENV_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;

	(void)state;
	for (int i = 0; i < 100000; i++)
		strbuf_adds(&text, "export ");
	strbuf_adds(&text, "A=x");
	check_number("result", parse(&env, text.data, &err), -1);
	check_err("message", &err, ERR_USAGE, "expected NAME=value in line 1 of \".env\"");
}

static void test_process_environment_wins(void **state)
{
	static const struct {
		const char *process; /* NULL: not set */
		const char *file;    /* NULL: not set */
		const char *value, *source;
	} cases[] = {
		{ NULL, NULL, NULL, NULL },
		{ NULL, "A=f", "f", "the/.env" },
		{ "p", NULL, "p", NULL },
		{ "p", "A=f", "p", NULL },
		{ "", "A=f", NULL, NULL },
		{ "", NULL, NULL, NULL },
		{ NULL, "A=", NULL, "the/.env" },
		{ " ", "A=f", " ", NULL },
		{ "p", "A=", "p", NULL },
		{ NULL, "A=f\nA=g", "g", "the/.env" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(env_release) struct env env = ENV_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;
		const char *source = "unchanged";

		if (cases[i].process)
			setenv("A", cases[i].process, 1);
		else
			unsetenv("A");
		env.file = mem_strdup("the/.env");
		parse(&env, cases[i].file ? cases[i].file : "", &err);
		check_text("value", env_get(&env, "A", &source), cases[i].value);
		check_text("source", source, cases[i].source);
		check_text("value, source not asked for", env_get(&env, "A", NULL), cases[i].value);
	}
}

/* Everything that is set, hidden or not. */
static void test_values_of_all_places(void **state)
{
	static const char *const expected[][3] = { { "A", "p", NULL }, { "B", "", NULL },
		{ "A", "f", "the/.env" }, { "B", "g", "the/.env" }, { "A", "h", "the/.env" },
		{ "C", "", "the/.env" }, { "A", "i", "the other" } };
	char set[] = "A=p", none[] = "no variable", empty[] = "B=";
	char *environment[] = { set, none, empty, NULL };
	CLEANUP(env_release) struct env aside = ENV_INIT;
	CLEANUP(env_release) struct env env = ENV_INIT;
	CLEANUP(env_values_release) struct env_values all = ENV_VALUES_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;
	char **saved = environ;

	(void)state;
	env.file = mem_strdup("the/.env");
	parse(&env, "A=f\nB=g\nA=h\nC=\n", &err);
	environ = environment;
	aside.file = mem_strdup("the other");
	parse(&aside, "A=i\n", &err);
	env.aside = &aside;
	env_values(&env, &all);
	env.aside = NULL;
	environ = saved;
	check_number("count", (long long)all.count, ARRAY_SIZE(expected));
	for (size_t i = 0; i < all.count && i < ARRAY_SIZE(expected); i++) {
		check_text("name", all.items[i].name, expected[i][0]);
		check_text("value", all.items[i].value, expected[i][1]);
		check_text("file", all.items[i].file, expected[i][2]);
	}
}

static void test_origin(void **state)
{
	CLEANUP(mem_cleanup) char *process = env_origin("A", NULL);
	CLEANUP(mem_cleanup) char *file = env_origin("A", "the/.env");

	(void)state;
	check_text("of the process environment", process, "A");
	check_text("of the file", file, "A in the/.env");
}

static char *write_file(const char *name, const char *text, size_t length)
{
	char *path = mem_printf("/tmp/dbrig-unit-%ld-%s", (long)getpid(), name);
	CLEANUP(file_cleanup) FILE *file = fopen(path, "w");

	if (!file || fwrite(text, 1, length, file) != length)
		BUG("could not write a file for the test");
	return path;
}

static void test_file(void **state)
{
	CLEANUP(env_release) struct env env = ENV_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(mem_cleanup) char *path = write_file("env", "A=x\nB='y\nz'\n", 12);
	const char *source = NULL;

	(void)state;
	check_number("result", env_read(&env, path, false, &err), 0);
	check_text("file", env.file, path);
	check_text("A", env_get(&env, "A", &source), "x");
	check_text("source", source, path);
	check_text("B", env_get(&env, "B", NULL), "y\nz");
	unlink(path);
}

static void test_file_that_cannot_be_read(void **state)
{
	static const struct {
		const char *label, *path;
		bool missing_ok;
		int result;
		const char *message;
	} cases[] = {
		{ "missing", "/nowhere/.env", false, -1,
			"could not open file \"/nowhere/.env\": No such file or directory" },
		{ "missing, allowed", "/nowhere/.env", true, 0, NULL },
		{ "below a file, allowed", "/dev/null/.env", true, 0, NULL },
		{ "below a file", "/dev/null/.env", false, -1,
			"could not open file \"/dev/null/.env\": Not a directory" },
		{ "a directory", "/tmp", true, -1,
			"could not read file \"/tmp\": it is a directory" },
		{ "without an end", "/dev/zero", true, -1,
			"file \"/dev/zero\" is larger than 1048576 bytes" },
		{ "empty", "/dev/null", false, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(env_release) struct env env = ENV_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;

		check_number(cases[i].label,
			env_read(&env, cases[i].path, cases[i].missing_ok, &err), cases[i].result);
		check_err(cases[i].label, &err, cases[i].result ? ERR_USAGE : ERR_NONE,
			cases[i].message);
		check_number(cases[i].label, (long long)env.count, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_values),
		UNIT_TEST(test_errors),
		UNIT_TEST(test_binary),
		UNIT_TEST(test_endless_export),
		UNIT_TEST(test_process_environment_wins),
		UNIT_TEST(test_values_of_all_places),
		UNIT_TEST(test_origin),
		UNIT_TEST(test_file),
		UNIT_TEST(test_file_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
