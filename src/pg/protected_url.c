#include "pg/protected_url.h"

#include "base/mem.h"
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

static bool is_protected(const struct env *env, const char *name)
{
	return protection_is_name(name) ||
	       protection_lists(env_get(env, "DB_PROTECTED_TARGETS", NULL), name);
}

/*
 * Set to nothing, as it is where it is not wanted; to a word that stands for what is still to come
 * (changeme); or to the URL of something else than PostgreSQL. In doubt it is a database's.
 */
static bool names_none(const char *text)
{
	const char *scheme_end = strstr(text, "://");
	CLEANUP(mem_cleanup) char *scheme = NULL;

	if (!text[strcspn(text, ":/=@.")])
		return true;
	if (!scheme_end || strcspn(text, "/=@?") < (size_t)(scheme_end - text))
		return false;
	scheme = mem_strndup(text, (size_t)(scheme_end - text));
	return !strcasestr(scheme, "postgres") && !strcasestr(scheme, "pg");
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

char *protected_url_target(const struct env *env, const struct env_values *values, size_t index)
{
	CLEANUP(mem_cleanup) char *name = target_of(values->items[index].name);

	if (!name || names_none(values->items[index].value) || !is_protected(env, name) ||
		is_repeated(values, index, name))
		return NULL;
	return take_ptr(name);
}
