#include "pg/protected_url.h"

#include "base/mem.h"
#include "pg/protected_targets.h"
#include "pg/protection.h"

#include <ctype.h>
#include <string.h>

/* "PROD_EU_CONNECTION_URL" -> "prod_eu"; NULL: no variable of a target. The caller owns it. */
static char *target_of(const char *variable)
{
	static const char *const endings[] = { "_CONNECTION_URL", "_DATABASE_URL" };

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t length = strlen(variable), tail = strlen(endings[i]);
		char *name;

		if (length <= tail || strcmp(variable + length - tail, endings[i]) != 0)
			continue;
		name = mem_strndup(variable, length - tail);
		for (char *c = name; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		return name;
	}
	return NULL;
}

static bool is_protected(const struct env_values *values, const char *name)
{
	return protection_is_name(name) || protected_targets_have(values, name);
}

static bool is_one_of(const char *text, size_t length, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(words[i]) == length && strncasecmp(text, words[i], length) == 0)
			return true;
	return false;
}

/* A word that stands for what is still to come; others may stand for a URL that is somewhere else,
 * as $DATABASE_URL does. */
static bool is_placeholder(const char *text)
{
	static const char *const words[] = { "changeme", "change_me", "change-me", "todo", "tbd",
		"fixme", "none", "null", "nil", "undefined", "unset", "placeholder", "replaceme",
		"replace_me", "replace-me", "xxx" };
	const size_t length = strlen(text);

	return text[strspn(text, " \t\r\n.-_*?")] == '\0' ||
	       (*text == '<' && strcspn(text, ">") == length - 1) ||
	       is_one_of(text, length, words, ARRAY_SIZE(words));
}

/* The scheme of what is no PostgreSQL. Many that are have one of their own: ecto, postgis, psql. */
static bool is_foreign(const char *text)
{
	static const char *const schemes[] = { "mysql", "mysql2", "mariadb", "jdbc:mysql",
		"jdbc:mariadb", "jdbc:sqlserver", "jdbc:oracle", "jdbc:sqlite", "sqlserver",
		"mssql", "oracle", "sqlite", "sqlite3", "mongodb", "mongodb+srv", "redis", "rediss",
		"amqp", "amqps", "http", "https" };
	const char *end = strstr(text, "://");

	return end && is_one_of(text, (size_t)(end - text), schemes, ARRAY_SIZE(schemes));
}

/* Set to nothing, as it is where it is not wanted, to a placeholder, or to something else than
 * PostgreSQL. In doubt it is a database's. */
static bool names_none(const char *text)
{
	return is_placeholder(text) || is_foreign(text);
}

/* The same URL of the same target in an earlier place. */
static bool is_repeated(const struct env_values *values, size_t index, const char *name)
{
	for (size_t i = 0; i < index; i++) {
		CLEANUP(mem_cleanup) char *other = target_of(values->items[i].name);

		if (other && strcmp(other, name) == 0 &&
			strcmp(values->items[i].value, values->items[index].value) == 0)
			return true;
	}
	return false;
}

char *protected_url_target(const struct env_values *values, size_t index)
{
	CLEANUP(mem_cleanup) char *name = target_of(values->items[index].name);

	if (!name || names_none(values->items[index].value) || !is_protected(values, name) ||
		is_repeated(values, index, name))
		return NULL;
	return take_ptr(name);
}
