#include "sql/slash.h"

#include "base/mem.h"

#include <string.h>

/* One argument being read. */
struct cursor {
	struct slash_line *line;
	const struct slash_variables *variables;
	struct slash_argument *argument;
	size_t unquoted; /* bytes at its end that no quoting has touched */
	struct err *err;
};

/* A reference to a variable at the line's place. */
struct reference {
	size_t length; /* with all that belongs to it */
	const char *name;
	size_t name_length;
	enum variable_form form;
	bool test; /* :{?name} */
};

void slash_argument_release(struct slash_argument *argument)
{
	strbuf_release(&argument->text);
	argument->quote = 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool is_variable_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || (unsigned char)c >= 0x80;
}

static size_t left(const struct slash_line *line)
{
	return line->length - line->at;
}

static const char *here(const struct slash_line *line)
{
	return line->text + line->at;
}

static bool at_end(const struct slash_line *line)
{
	return line->at >= line->length;
}

static bool stands(const struct slash_line *line, char c)
{
	return !at_end(line) && *here(line) == c;
}

/* Bytes of the character at the line's place. */
static size_t step(const struct slash_line *line)
{
	return encoding_step(line->encoding, here(line), left(line));
}

static int append(struct cursor *cursor, const char *bytes, size_t length)
{
	if (!strbuf_grow(&cursor->argument->text, length))
		return err_set(
			cursor->err, ERR_SQL, "argument of a meta-command is longer than 16 MiB");
	strbuf_add(&cursor->argument->text, bytes, length);
	return 0;
}

/* Takes the next length bytes of the line as they are. */
static int take(struct cursor *cursor, size_t length)
{
	const char *bytes = here(cursor->line);

	cursor->line->at += length;
	return append(cursor, bytes, length);
}

static int unterminated(struct cursor *cursor)
{
	return err_set(cursor->err, ERR_SQL, "unterminated quoted string");
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* A byte written as at most digits digits of that base; the first one is there. */
static int numeric_escape(struct cursor *cursor, int base, int digits)
{
	struct slash_line *line = cursor->line;
	int code = 0;
	char byte;

	for (; digits > 0 && !at_end(line); digits--, line->at++) {
		int value = hex_value(*here(line));

		if (value < 0 || value >= base)
			break;
		code = code * base + value;
	}
	byte = (char)(code & 0xff);
	return append(cursor, &byte, 1);
}

/* Behind a backslash in '…', with something following it. */
static int escape(struct cursor *cursor)
{
	static const char letters[] = "ntbrf", codes[] = "\n\t\b\r\f";
	struct slash_line *line = cursor->line;
	char c = *here(line);
	const char *letter = strchr(letters, c);

	if (c >= '0' && c <= '7')
		return numeric_escape(cursor, 8, 3);
	if (c == 'x' && left(line) > 1 && hex_value(here(line)[1]) >= 0) {
		line->at++;
		return numeric_escape(cursor, 16, 2);
	}
	if (c && letter) {
		line->at++;
		return append(cursor, &codes[letter - letters], 1);
	}
	return take(cursor, step(line));
}

/* The line's place is behind the opening quote. */
static int single_quoted(struct cursor *cursor)
{
	struct slash_line *line = cursor->line;

	while (!at_end(line)) {
		int failed;

		if (stands(line, '\'')) {
			line->at++;
			if (!stands(line, '\''))
				return 0;
			failed = take(cursor, 1);
		} else if (stands(line, '\\') && left(line) > 1) {
			line->at++;
			failed = escape(cursor);
		} else {
			failed = take(cursor, step(line));
		}
		if (failed)
			return -1;
	}
	return unterminated(cursor);
}

/* Up to the next quote, which is not taken; the line's place is behind the opening one. */
static int verbatim(struct cursor *cursor, char quote)
{
	struct slash_line *line = cursor->line;

	while (!at_end(line) && !stands(line, quote))
		if (take(cursor, step(line)) != 0)
			return -1;
	return at_end(line) ? unterminated(cursor) : 0;
}

static int quoted(struct cursor *cursor, char quote)
{
	struct slash_line *line = cursor->line;

	cursor->argument->quote = quote;
	cursor->unquoted = 0;
	if (quote == '"')
		return take(cursor, 1) || verbatim(cursor, '"') || take(cursor, 1) ? -1 : 0;
	if (quote == '`' && cursor->variables)
		return err_set(
			cursor->err, ERR_SQL, "backquotes, which run a program, are not supported");
	line->at++;
	if (quote == '\'')
		return single_quoted(cursor);
	if (verbatim(cursor, '`') != 0)
		return -1;
	line->at++;
	return 0;
}

/* Whether the line goes on with these bytes at a place. */
static bool goes_on(const struct slash_line *line, size_t at, const char *bytes)
{
	size_t length = strlen(bytes);

	return line->length - at >= length && memcmp(line->text + at, bytes, length) == 0;
}

static bool find_reference(const struct slash_line *line, struct reference *ret)
{
	static const struct {
		const char *open, *close;
		enum variable_form form;
		bool test;
	} shapes[] = {
		{ ":", "", VARIABLE_PLAIN, false },
		{ ":'", "'", VARIABLE_LITERAL, false },
		{ ":\"", "\"", VARIABLE_IDENTIFIER, false },
		{ ":{?", "}", VARIABLE_PLAIN, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		size_t start = line->at + strlen(shapes[i].open);
		struct slash_line name = *line;

		if (!goes_on(line, line->at, shapes[i].open))
			continue;
		for (name.at = start; !at_end(&name) && is_variable_char(*here(&name));)
			name.at += step(&name);
		if (name.at == start || !goes_on(line, name.at, shapes[i].close))
			continue;
		*ret = (struct reference){
			.length = name.at + strlen(shapes[i].close) - line->at,
			.name = line->text + start,
			.name_length = name.at - start,
			.form = shapes[i].form,
			.test = shapes[i].test,
		};
		return true;
	}
	return false;
}

static int substitute(struct cursor *cursor, const struct reference *reference)
{
	const struct slash_variables *variables = cursor->variables;
	CLEANUP(mem_cleanup) char *name = mem_strndup(reference->name, reference->name_length);
	CLEANUP(mem_cleanup) char *value = NULL;

	/* As in psql, a test neither counts as quoting nor changes what does not. */
	if (!reference->test) {
		cursor->argument->quote = ':';
		cursor->unquoted = 0;
	}
	if (!variables)
		return take(cursor, reference->length);
	if (variables->get(variables->context, name, reference->form, &value, cursor->err) != 0)
		return -1;
	if (!value && !reference->test)
		return take(cursor, reference->length);
	cursor->line->at += reference->length;
	if (reference->test)
		return append(cursor, value ? "TRUE" : "FALSE", value ? 4 : 5);
	return append(cursor, value, strlen(value));
}

static int word(struct cursor *cursor)
{
	struct slash_line *line = cursor->line;

	while (!at_end(line) && !is_space(*here(line)) && *here(line) != '\\') {
		char c = *here(line);
		struct reference reference;
		int failed;

		if (c == '\'' || c == '"' || c == '`') {
			failed = quoted(cursor, c);
		} else if (c == ':' && find_reference(line, &reference)) {
			failed = substitute(cursor, &reference);
		} else {
			size_t length = step(line);

			cursor->unquoted += length;
			failed = take(cursor, length);
		}
		if (failed)
			return -1;
	}
	return 0;
}

static void strip(struct cursor *cursor)
{
	struct strbuf *text = &cursor->argument->text;

	for (; cursor->unquoted > 0 && text->length > 0; cursor->unquoted--) {
		if (text->data[text->length - 1] != ';')
			break;
		strbuf_truncate(text, text->length - 1);
	}
}

/*
 * Double quotes may stand anywhere in it ("a".B), and what came out of '…' or a variable is not
 * told apart: psql does not either.
 */
static void identify(struct strbuf *text, bool lower, enum encoding encoding)
{
	bool quotes = false;
	size_t from = 0, to = 0;

	while (from < text->length) {
		char *bytes = text->data + from;
		size_t length = encoding_step(encoding, bytes, text->length - from);

		if (*bytes == '"' && !(quotes && bytes[1] == '"')) {
			quotes = !quotes;
			from++;
			continue;
		}
		from += *bytes == '"' ? 2 : length;
		if (lower && !quotes && *bytes >= 'A' && *bytes <= 'Z')
			*bytes = (char)(*bytes - 'A' + 'a');
		memmove(text->data + to, bytes, length);
		to += length;
	}
	strbuf_truncate(text, to);
}

int slash_next(struct slash_line *line, enum slash_mode mode, bool strip_semicolons,
	const struct slash_variables *variables, struct slash_argument *argument, struct err *err)
{
	struct cursor cursor = {
		.line = line, .variables = variables, .argument = argument, .err = err
	};
	bool whole = mode == SLASH_WHOLE_LINE;
	int failed;

	strbuf_reset(&argument->text);
	argument->quote = 0;
	while (!at_end(line) && is_space(*here(line)))
		line->at++;
	if (mode == SLASH_FILE && stands(line, '|'))
		whole = true;
	failed = whole ? take(&cursor, left(line)) : word(&cursor);
	if (failed) {
		line->at = line->length;
		return -1;
	}
	if (strip_semicolons)
		strip(&cursor);
	strbuf_truncate(&argument->text, strlen(argument->text.data));
	if (mode == SLASH_NAME || mode == SLASH_NAME_CASED)
		identify(&argument->text, mode == SLASH_NAME, line->encoding);
	return argument->text.length > 0 || argument->quote != 0;
}

void slash_end(struct slash_line *line)
{
	if (goes_on(line, line->at, "\\\\"))
		line->at += 2;
}
