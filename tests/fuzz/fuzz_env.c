/*
 * .env files of arbitrary bytes. What must hold: no crash; a refused one says so by a line that
 * exists and shows nothing of the text; a name and value that are written out again, quoted, are
 * read as the same.
 */
#include "base/env.h"
#include "base/mem.h"
#include "base/strbuf.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds, const char *what)
{
	if (!holds)
		BUG(what);
}

static void check_error(const char *text, size_t size, const struct err *err)
{
	static const char *const beginnings[] = { "expected NAME=value in line ",
		"unclosed quote in line ", "text after the closing quote in line " };
	size_t lines = 1, line = 0;

	expect(err->kind == ERR_USAGE && !err->detail, "refused without an error");
	if (memchr(text, '\0', size)) {
		expect(strcmp(err->message, "\"f\" is not a text file") == 0, "binary");
		return;
	}
	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++) {
		size_t length = strlen(beginnings[i]);
		CLEANUP(mem_cleanup) char *expected = NULL;

		if (strncmp(err->message, beginnings[i], length) != 0)
			continue;
		line = strtoul(err->message + length, NULL, 10);
		expected = mem_printf("%s%zu of \"f\"", beginnings[i], line);
		expect(strcmp(err->message, expected) == 0, "the message holds something else");
	}
	expect(line >= 1 && line <= lines, "a line that is none");
}

/* Any value without a NUL can be written in double quotes. */
static void check_round_trip(const char *value)
{
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
	CLEANUP(env_release) struct env env = ENV_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;
	const char *got;

	strbuf_adds(&text, "\xEF\xBB\xBF# c\r\n\r\n export FUZZ_VALUE = \"");
	for (const char *c = value; *c; c++) {
		if (strchr("\"\\$`", *c))
			strbuf_addc(&text, '\\');
		strbuf_addc(&text, *c);
	}
	strbuf_adds(&text, "\" # c\r\nFUZZ_OTHER=1");
	expect(env_parse(&env, "f", text.data, text.length, &err) == 0,
		"a quoted value is refused");
	got = env_get(&env, "FUZZ_VALUE", NULL);
	expect(strcmp(got ? got : "", value) == 0, "a quoted value is read as another");
	expect(env_get(&env, "FUZZ_OTHER", NULL) != NULL, "the next line is lost");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(env_release) struct env env = ENV_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(mem_cleanup) char *exact = mem_calloc(size ? size : 1, 1);
	CLEANUP(mem_cleanup) char *text = mem_calloc(size + 1, 1);
	const char *source;

	/* exact has no byte behind its end, so that the sanitizer sees every one read too far. */
	memcpy(exact, size ? (const char *)data : "", size);
	memcpy(text, exact, size);
	if (env_parse(&env, "f", exact, size, &err) != 0)
		check_error(exact, size, &err);
	else
		expect(err.kind == ERR_NONE, "accepted with an error");
	env_get(&env, "A", &source);
	check_round_trip(text);
	return 0;
}
