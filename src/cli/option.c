#include "cli/option.h"

#include "base/mem.h"
#include "base/message.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The tables and the word being parsed. */
struct parser {
	const struct option *const *tables;
	int argc;
	char **argv;
	int at;
};

static const struct option *find_long(const struct parser *parser, const char *name, size_t length)
{
	for (const struct option *const *table = parser->tables; *table; table++)
		for (const struct option *option = *table; option->name; option++)
			if (strlen(option->name) == length &&
				strncmp(option->name, name, length) == 0)
				return option;
	return NULL;
}

static const struct option *find_letter(const struct parser *parser, char letter)
{
	for (const struct option *const *table = parser->tables; *table; table++)
		for (const struct option *option = *table; option->name; option++)
			if (option->letter == letter)
				return option;
	return NULL;
}

static bool takes_argument(const struct option *option)
{
	return option->type == OPTION_STRING || option->type == OPTION_LIST;
}

static int usage(struct err *err)
{
	err_hint(err, "Try --help for the options.");
	return -1;
}

static int parse_seconds(const char *text, double *ret_seconds)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || (*end && strcmp(end, "s") != 0) || !isfinite(seconds) || seconds < 0 ||
		seconds > 1e6)
		return -1;
	*ret_seconds = seconds;
	return 0;
}

/* Stores the option; value is NULL when none was given. where names the option in messages. */
static int apply(const struct option *option, const char *value, const char *where, struct err *err)
{
	switch (option->type) {
	case OPTION_FLAG:
		*(bool *)option->value = true;
		break;
	case OPTION_COUNT:
		++*(int *)option->value;
		break;
	case OPTION_STRING:
		*(const char **)option->value = value;
		break;
	case OPTION_LIST:
		strlist_add(option->value, value);
		break;
	case OPTION_SECONDS:
		if (!value) {
			*(double *)option->value = option->fallback;
		} else if (parse_seconds(value, option->value) != 0) {
			err_set(err, ERR_USAGE, "%s: \"%s\" is not a number of seconds", where,
				value);
			return usage(err);
		}
		break;
	}
	return 0;
}

static int apply_environment(const struct parser *parser, struct err *err)
{
	for (const struct option *const *table = parser->tables; *table; table++) {
		for (const struct option *option = *table; option->name; option++) {
			const char *value =
				option->environment ? getenv(option->environment) : NULL;

			if (!value || !*value)
				continue;
			if (apply(option, value, option->environment, err) != 0)
				return -1;
		}
	}
	return 0;
}

static void hint_value(const char *where, const char *value, struct err *err)
{
	CLEANUP(mem_cleanup) char *word = message_shell_word(value);

	err_hint(err, "Write %s=%s if that is the value.", where, word);
}

/* The value that follows in the next word. */
static int next_value(
	struct parser *parser, const char *where, const char **ret_value, struct err *err)
{
	const char *value;

	if (parser->at + 1 >= parser->argc) {
		err_set(err, ERR_USAGE, "option %s needs a value", where);
		return usage(err);
	}
	value = parser->argv[parser->at + 1];
	/* Almost always a forgotten value, and in a tool that destroys data an accident. */
	if (strncmp(value, "--", 2) == 0) {
		err_set(err, ERR_USAGE, "option %s needs a value, but \"%s\" follows", where,
			value);
		if (strncmp(where, "--", 2) == 0)
			hint_value(where, value, err);
		return -1;
	}
	parser->at++;
	*ret_value = value;
	return 0;
}

static int parse_long(struct parser *parser, struct err *err)
{
	const char *word = parser->argv[parser->at];
	const char *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);
	CLEANUP(mem_cleanup) char *where = mem_strndup(word, length);
	const struct option *option = find_long(parser, word + 2, length - 2);
	const char *value = equals ? equals + 1 : NULL;

	if (!option) {
		/* Whole, a URL is known as one, and its password hidden. */
		err_set(err, ERR_USAGE, "unknown option \"%s\"", strstr(word, ":/") ? word : where);
		return usage(err);
	}
	if (value && !takes_argument(option) && option->type != OPTION_SECONDS) {
		err_set(err, ERR_USAGE, "option %s takes no value", where);
		return usage(err);
	}
	if (!value && takes_argument(option) && next_value(parser, where, &value, err) != 0)
		return -1;
	return apply(option, value, where, err);
}

static int parse_letters(struct parser *parser, struct err *err)
{
	const char *letters = parser->argv[parser->at] + 1;

	for (; *letters; letters++) {
		const char where[] = { '-', *letters, '\0' };
		const struct option *option = find_letter(parser, *letters);
		const char *value = NULL;

		if (!option) {
			err_set(err, ERR_USAGE, "unknown option \"%s\"", where);
			return usage(err);
		}
		if (takes_argument(option)) {
			if (letters[1])
				value = letters + 1;
			else if (next_value(parser, where, &value, err) != 0)
				return -1;
			return apply(option, value, where, err);
		}
		if (apply(option, value, where, err) != 0)
			return -1;
	}
	return 0;
}

int option_parse(const struct option *const *tables, int argc, char **argv, struct strlist *words,
	struct strlist *rest, struct err *err)
{
	struct parser parser = { .tables = tables, .argc = argc, .argv = argv, .at = 1 };

	if (apply_environment(&parser, err) != 0)
		return -1;
	for (; parser.at < argc; parser.at++) {
		const char *word = argv[parser.at];

		if (strcmp(word, "--") == 0) {
			while (++parser.at < argc)
				strlist_add(rest ? rest : words, argv[parser.at]);
			return 0;
		}
		if (strncmp(word, "--", 2) == 0) {
			if (parse_long(&parser, err) != 0)
				return -1;
		} else if (word[0] == '-' && word[1]) {
			if (parse_letters(&parser, err) != 0)
				return -1;
		} else {
			strlist_add(words, word);
		}
	}
	return 0;
}
