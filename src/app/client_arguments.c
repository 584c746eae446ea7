#include "app/client_arguments.h"

#include "base/mem.h"

#include <libpq-fe.h>
#include <string.h>

/* psql's options with a value. */
static const char with_value[] = "cdfFhLoPpRTUv";
static const char *const long_with_value[] = { "command", "field-separator", "file", "host",
	"log-file", "output", "port", "pset", "record-separator", "set", "table-attr", "username",
	"variable" };

bool client_arguments_no_startup_file(const struct strlist *arguments)
{
	static const char whole[] = "--no-psqlrc";

	for (size_t i = 0; i < arguments->count; i++) {
		const char *argument = arguments->items[i];

		/* It may be cut to --no-ps. */
		if (strncmp(argument, "--no-ps", 7) == 0 &&
			strncmp(argument, whole, strlen(argument)) == 0)
			return true;
		if (argument[0] != '-' || argument[1] == '-')
			continue;
		for (argument++; *argument && !strchr(with_value, *argument); argument++)
			if (*argument == 'X')
				return true;
		/* A value that is a word of its own. */
		if (*argument && !argument[1])
			i++;
	}
	return false;
}

/* "options" or "service" of a connection string; NULL: none, or it is no connection string. */
static const char *overruling(const char *text)
{
	PQconninfoOption *options = PQconninfoParse(text, NULL);
	const char *found = NULL;

	for (const PQconninfoOption *option = options; option && option->keyword; option++) {
		if (!option->val)
			continue;
		if (strcmp(option->keyword, "options") == 0)
			found = "options";
		else if (strcmp(option->keyword, "service") == 0 && !found)
			found = "service";
	}
	PQconninfoFree(options);
	return found;
}

/* Whether --name or its beginning is an option whose value is the next word. */
static bool takes_next(const char *name)
{
	for (size_t i = 0; !strchr(name, '=') && i < ARRAY_SIZE(long_with_value); i++)
		if (strncmp(name, long_with_value[i], strlen(name)) == 0)
			return true;
	return false;
}

/* The connection that psql's i-th argument may be; NULL: it is none. *i: its last word. */
static const char *connection(const struct strlist *arguments, size_t *i)
{
	const char *argument = arguments->items[*i];

	if (argument[0] != '-' || !argument[1])
		return argument;
	if (argument[1] == '-') {
		if (argument[2] == 'd' && strchr(argument, '='))
			return strchr(argument, '=') + 1;
		if (argument[2] && argument[2] != 'd' && takes_next(argument + 2))
			(*i)++;
		return NULL;
	}
	for (argument++; *argument && !strchr(with_value, *argument); argument++)
		;
	if (*argument == 'd')
		return argument[1] ? argument + 1 : NULL;
	if (*argument && !argument[1])
		(*i)++;
	return NULL;
}

/* The value of -d or --dbname that is a word of its own comes next, and is looked at like a name.
 */
const char *client_arguments_overrule(const struct strlist *arguments, bool is_psql)
{
	for (size_t i = 0; i < arguments->count; i++) {
		const char *argument = arguments->items[i];
		const char *value = is_psql ? connection(arguments, &i) : argument;
		const char *found;

		if (!is_psql && argument[0] == '-' && argument[1] == '-')
			value = strchr(argument, '=') ? strchr(argument, '=') + 1 : argument;
		else if (!is_psql && argument[0] == '-' && argument[1] == 'd' && argument[2])
			value = argument + 2;
		found = value ? overruling(value) : NULL;
		if (found)
			return found;
	}
	return NULL;
}
