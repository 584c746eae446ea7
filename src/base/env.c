#include "base/env.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENV_FILE_CEILING ((size_t)1 << 20)

struct env_entry {
	char *name;
	char *value;
};

/* One line being parsed; line counts from 1. */
struct cursor {
	const char *at, *end;
	const char *name;
	size_t line;
};

static bool is_name_character(char c, bool first)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
	       (!first && ((c >= '0' && c <= '9') || c == '.'));
}

static void skip_blanks(struct cursor *cursor)
{
	while (cursor->at < cursor->end && (*cursor->at == ' ' || *cursor->at == '\t'))
		cursor->at++;
}

static bool at_line_end(const struct cursor *cursor)
{
	return cursor->at == cursor->end || *cursor->at == '\n' ||
	       (*cursor->at == '\r' && (cursor->at + 1 == cursor->end || cursor->at[1] == '\n'));
}

static int fail(const struct cursor *cursor, struct err *err, const char *what)
{
	err_set(err, ERR_USAGE, "%s in line %zu of \"%s\"", what, cursor->line, cursor->name);
	err_hint(err, "Write NAME=value, one per line; quote a value that holds blanks or #.");
	return -1;
}

static char unescape(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return c;
	}
}

/* Reads a quoted value, which may go over several lines. */
static int parse_quoted(struct cursor *cursor, struct strbuf *value, struct err *err)
{
	struct cursor start = *cursor;
	char quote = *cursor->at++;

	while (cursor->at < cursor->end && *cursor->at != quote) {
		char c = *cursor->at++;

		if (c == '\n')
			cursor->line++;
		if (c == '\\' && quote == '"' && cursor->at < cursor->end &&
			strchr("nrt\"\\$`", *cursor->at))
			c = unescape(*cursor->at++);
		strbuf_addc(value, c);
	}
	if (cursor->at == cursor->end)
		return fail(&start, err, "unclosed quote");
	cursor->at++;
	skip_blanks(cursor);
	if (!at_line_end(cursor) && *cursor->at != '#')
		return fail(cursor, err, "text after the closing quote");
	return 0;
}

/* Reads an unquoted value: up to the line's end or a # that follows a blank. */
static void parse_plain(struct cursor *cursor, struct strbuf *value)
{
	const char *start = cursor->at;
	const char *stop;

	while (!at_line_end(cursor)) {
		if (*cursor->at == '#' &&
			(cursor->at == start || cursor->at[-1] == ' ' || cursor->at[-1] == '\t'))
			break;
		cursor->at++;
	}
	stop = cursor->at;
	while (stop > start && (stop[-1] == ' ' || stop[-1] == '\t'))
		stop--;
	strbuf_add(value, start, (size_t)(stop - start));
}

static void store(struct env *env, char *name, const char *value)
{
	env->entries = mem_resize(env->entries, env->count + 1, sizeof(*env->entries));
	env->entries[env->count++] = (struct env_entry){ .name = name, .value = mem_strdup(value) };
}

/* The word export as a shell has it; followed by "=" it is a name. */
static void skip_export(struct cursor *cursor)
{
	struct cursor after = *cursor;

	if (after.end - after.at < 7 || strncmp(after.at, "export", 6) != 0 ||
		(after.at[6] != ' ' && after.at[6] != '\t'))
		return;
	after.at += 6;
	skip_blanks(&after);
	if (after.at < after.end && *after.at != '=')
		*cursor = after;
}

static int parse_assignment(struct env *env, struct cursor *cursor, struct err *err)
{
	CLEANUP(strbuf_release_secret) struct strbuf value = STRBUF_INIT;
	const char *name;
	size_t length;

	skip_export(cursor);
	name = cursor->at;
	while (cursor->at < cursor->end && is_name_character(*cursor->at, cursor->at == name))
		cursor->at++;
	length = (size_t)(cursor->at - name);
	skip_blanks(cursor);
	if (length == 0 || cursor->at == cursor->end || *cursor->at != '=')
		return fail(cursor, err, "expected NAME=value");
	cursor->at++;
	skip_blanks(cursor);
	if (cursor->at < cursor->end && (*cursor->at == '"' || *cursor->at == '\'')) {
		if (parse_quoted(cursor, &value, err) != 0)
			return -1;
	} else {
		parse_plain(cursor, &value);
	}
	store(env, mem_strndup(name, length), value.data);
	while (!at_line_end(cursor))
		cursor->at++;
	return 0;
}

int env_parse(struct env *env, const char *name, const char *text, size_t length, struct err *err)
{
	struct cursor cursor = { .at = text, .end = text + length, .name = name, .line = 1 };
	const char *nul = memchr(text, '\0', length);

	if (nul)
		return err_set(err, ERR_USAGE, "\"%s\" is not a text file", name);
	if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		cursor.at += 3;
	while (cursor.at < cursor.end) {
		skip_blanks(&cursor);
		if (cursor.at < cursor.end && *cursor.at == '#')
			while (!at_line_end(&cursor))
				cursor.at++;
		else if (!at_line_end(&cursor) && parse_assignment(env, &cursor, err) != 0)
			return -1;
		if (cursor.at < cursor.end && *cursor.at == '\r')
			cursor.at++;
		if (cursor.at < cursor.end) {
			cursor.at++;
			cursor.line++;
		}
	}
	return 0;
}

int env_read(struct env *env, const char *path, bool missing_ok, struct err *err)
{
	CLEANUP(strbuf_release_secret) struct strbuf text = STRBUF_INIT_CEILING(ENV_FILE_CEILING);
	struct stat info;

	if (missing_ok && lstat(path, &info) != 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (file_read_all(path, &text, err) != 0) {
		if (err->kind == ERR_FAILED)
			err->kind = ERR_USAGE;
		return -1;
	}
	env->file = mem_strdup(path);
	return env_parse(env, path, text.data, text.length, err);
}

int env_read_aside(struct env *env, const char *path, struct err *err)
{
	CLEANUP(err_release) struct err own = ERR_INIT;

	env->aside = mem_calloc(1, sizeof(*env->aside));
	if (env_read(env->aside, path, true, &own) == 0)
		return 0;
	if (own.kind == ERR_INTERRUPTED) {
		*err = own;
		own = (struct err)ERR_INIT;
		return -1;
	}
	env->aside_trouble = mem_strdup(own.message);
	if (!env->aside->file)
		env->aside->file = mem_strdup(path);
	return 0;
}

const char *env_get(const struct env *env, const char *name, const char **ret_source)
{
	const char *value = getenv(name);

	if (ret_source)
		*ret_source = NULL;
	/* A variable that is set but empty hides the file's: that is how a user switches it off. */
	if (value)
		return *value ? value : NULL;
	for (size_t i = env->count; i-- > 0;) {
		if (strcmp(env->entries[i].name, name) != 0)
			continue;
		if (ret_source)
			*ret_source = env->file;
		return *env->entries[i].value ? env->entries[i].value : NULL;
	}
	return NULL;
}

static void add_value(struct env_values *values, char *name, const char *value, const char *file)
{
	values->items = mem_resize(values->items, values->count + 1, sizeof(*values->items));
	values->items[values->count++] =
		(struct env_value){ .name = name, .value = value, .file = file };
}

void env_values(const struct env *env, struct env_values *values)
{
	for (char **entry = environ; entry && *entry; entry++) {
		const char *equals = strchr(*entry, '=');

		if (equals)
			add_value(values, mem_strndup(*entry, (size_t)(equals - *entry)),
				equals + 1, NULL);
	}
	for (; env; env = env->aside)
		for (size_t i = 0; i < env->count; i++)
			add_value(values, mem_strdup(env->entries[i].name), env->entries[i].value,
				env->file);
}

void env_values_release(struct env_values *values)
{
	for (size_t i = 0; i < values->count; i++)
		mem_free(values->items[i].name);
	mem_free(values->items);
	*values = (struct env_values)ENV_VALUES_INIT;
}

char *env_origin(const char *name, const char *file)
{
	return file ? mem_printf("%s in %s", name, file) : mem_strdup(name);
}

void env_release(struct env *env)
{
	for (size_t i = 0; i < env->count; i++) {
		mem_free(env->entries[i].name);
		mem_free_secret(env->entries[i].value);
	}
	mem_free(env->entries);
	mem_free(env->file);
	if (env->aside)
		env_release(env->aside);
	mem_free(env->aside);
	mem_free(env->aside_trouble);
	*env = (struct env)ENV_INIT;
}
