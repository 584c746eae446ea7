/* \copy, by the rules of psql's parse_slash_copy (src/bin/psql/copy.c, stringutils.c). */
#include "sql/script_internal.h"

#include "base/file.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct words {
	const char *at;
	char *word; /* the current one; NULL at the end */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* E'…', where strings are looked for at all. */
static bool is_escape_string(const char *text, const char *quotes)
{
	return (*text == 'E' || *text == 'e') && text[1] == '\'' && strchr(quotes, '\'');
}

/*
 * The next word: one of the delimiters, a quoted text with its quotes (two of them stand for one; a
 * backslash escapes the next byte when it is escape), or all up to white space, a delimiter or a
 * quote. False at the end.
 */
static bool next(struct words *words, const char *delimiters, const char *quotes, char escape)
{
	const char *from;

	mem_free(take_ptr(words->word));
	while (is_blank(*words->at))
		words->at++;
	from = words->at;
	if (!*from)
		return false;
	if (strchr(delimiters, *from)) {
		words->at++;
	} else if (strchr(quotes, *from) || is_escape_string(from, quotes)) {
		const bool prefixed = !strchr(quotes, *from);
		const char mark = prefixed ? '\'' : *from;

		if (prefixed) {
			words->at++;
			escape = '\\';
		}
		for (words->at++; *words->at; words->at++) {
			if (escape && *words->at == escape && words->at[1]) {
				words->at++;
			} else if (*words->at == mark) {
				if (words->at[1] != mark)
					break;
				words->at++;
			}
		}
		if (*words->at)
			words->at++;
	} else {
		while (*words->at && !is_blank(*words->at) && !strchr(delimiters, *words->at) &&
			!strchr(quotes, *words->at))
			words->at++;
	}
	words->word = mem_strndup(from, (size_t)(words->at - from));
	return true;
}

static bool is(const struct words *words, const char *expected)
{
	return words->word && strcasecmp(words->word, expected) == 0;
}

static bool is_symbol(const struct words *words, char symbol)
{
	return words->word && *words->word == symbol;
}

/* '…' without its quotes and with its doubled ones made single; anything else as it is. */
static char *unquote(const char *word)
{
	size_t length = strlen(word);
	struct strbuf out = STRBUF_INIT;

	if (length < 2 || word[0] != '\'' || word[length - 1] != '\'')
		return mem_strdup(word);
	for (size_t i = 1; i + 1 < length; i++) {
		strbuf_addc(&out, word[i]);
		if (word[i] == '\'' && word[i + 1] == '\'' && i + 2 < length)
			i++;
	}
	return strbuf_detach(&out);
}

/* The words of a parenthesized text, which has begun, through its end. */
static bool parentheses(
	struct words *words, bool nested, const char *quotes, char escape, struct strbuf *out)
{
	size_t depth = 1;

	while (depth > 0) {
		strbuf_addf(out, " %s", words->word);
		if (!next(words, "()", quotes, escape))
			return false;
		if (nested && is_symbol(words, '('))
			depth++;
		else if (is_symbol(words, ')'))
			depth--;
	}
	strbuf_addf(out, " %s", words->word);
	return true;
}

/* What stands before FROM or TO: a query, or a table and its columns. */
static bool subject(struct words *words, char escape, struct strbuf *out)
{
	if (!next(words, ".,()", "\"", 0))
		return false;
	if (is(words, "binary")) {
		strbuf_adds(out, words->word);
		if (!next(words, ".,()", "\"", 0))
			return false;
	}
	if (is_symbol(words, '('))
		return parentheses(words, true, "\"'", escape, out) && next(words, ".,()", "\"", 0);
	strbuf_addf(out, " %s", words->word);
	if (!next(words, ".,()", "\"", 0))
		return false;
	if (is_symbol(words, '.')) {
		strbuf_adds(out, ".");
		if (!next(words, ".,()", "\"", 0))
			return false;
		strbuf_adds(out, words->word);
		if (!next(words, ".,()", "\"", 0))
			return false;
	}
	if (is_symbol(words, '('))
		return parentheses(words, false, "\"", 0, out) && next(words, ".,()", "\"", 0);
	return true;
}

static int parse_error(const struct words *words, struct err *err)
{
	if (words->word)
		return err_set(err, ERR_SQL, "\\copy: syntax error at \"%s\"", words->word);
	return err_set(err, ERR_SQL, "\\copy: syntax error at the end of the line");
}

static int place_of_data(
	struct script *script, struct words *words, struct script_action *action, struct err *err)
{
	if (!next(words, ";", "'", 0))
		return parse_error(words, err);
	if (is(words, "program"))
		return err_set(err, ERR_SQL, "\\copy from or to a program is not supported");
	if (is(words, "stdin") || is(words, "stdout")) {
		action->copy.where = SCRIPT_COPY_SCRIPT;
	} else if (is(words, "pstdin") || is(words, "pstdout")) {
		action->copy.where = SCRIPT_COPY_PROCESS;
	} else {
		mem_free(script->words[0]);
		script->words[0] = path_expand_home(unquote(words->word));
		action->copy.where = SCRIPT_COPY_FILE;
		action->copy.file = script->words[0];
	}
	return 0;
}

/* The statement stands where its meta-command does. */
static void place(struct script *script, struct script_action *action)
{
	origin_detail_free(script->place);
	script->place = origin_detail_new();
	script->place->substituted = true;
	strbuf_adds(&script->place->raw, "\\copy");
	script->place->pieces = mem_calloc(1, sizeof(*script->place->pieces));
	script->place->pieces[0].fixed = true;
	script->place->count = script->place->capacity = 1;
	script_reader_command_origin(script_top(script)->reader, &action->statement.origin);
	action->statement.origin.detail = script->place;
}

int script_copy_parse(
	struct script *script, const char *args, struct script_action *action, struct err *err)
{
	struct words words = { .at = args };
	struct strbuf *sql = &script->sql;
	const char escape = script->standard_strings ? '\0' : '\\';
	int result;

	strbuf_reset(sql);
	strbuf_adds(sql, "COPY ");
	if (!subject(&words, escape, sql) || (!is(&words, "from") && !is(&words, "to"))) {
		result = parse_error(&words, err);
		mem_free(words.word);
		return result;
	}
	action->copy.from = is(&words, "from");
	result = place_of_data(script, &words, action, err);
	mem_free(words.word);
	if (result != 0)
		return -1;
	strbuf_adds(sql, action->copy.from ? " FROM STDIN " : " TO STDOUT ");
	while (is_blank(*words.at))
		words.at++;
	strbuf_adds(sql, words.at);
	action->kind = SCRIPT_COPY;
	action->statement.text = sql->data;
	action->statement.length = sql->length;
	action->statement.class =
		action->copy.from ? SCRIPT_CLASS_COPY_FROM_STDIN : SCRIPT_CLASS_OTHER;
	place(script, action);
	return 1;
}
