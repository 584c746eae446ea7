#include "pg/protected_targets.h"

#include "base/mem.h"
#include "pg/protection.h"
#include "pg/target_internal.h"

#include <string.h>

#define VARIABLE "DB_PROTECTED_TARGETS"

bool protected_targets_have(const struct env_values *values, const char *name)
{
	for (size_t i = 0; i < values->count; i++)
		if (strcmp(values->items[i].name, VARIABLE) == 0 &&
			protection_lists(values->items[i].value, name))
			return true;
	return false;
}

/* A URL may hold a password. */
static int refuse_word(
	const struct env_value *list, const char *word, size_t length, struct err *err)
{
	CLEANUP(mem_cleanup) char *origin = env_origin(list->name, list->file);
	CLEANUP(mem_cleanup) char *text = mem_strndup(word, length);
	char *scheme_end = strstr(text, "://");

	if (scheme_end)
		*scheme_end = '\0';
	err_set(err, ERR_USAGE, "%s: \"%s%s\" is not a target name", origin, text,
		scheme_end ? "://..." : "");
	err_hint(err,
		"Write the names of targets, without quotes or other signs, and blanks, commas or "
		"semicolons between them: " VARIABLE "=live,staging.");
	return -1;
}

static int check(const struct env_value *list, struct err *err)
{
	for (const char *at = list->value; *at;) {
		size_t length;

		at += strspn(at, PROTECTION_SEPARATORS);
		length = strcspn(at, PROTECTION_SEPARATORS);
		if (length > 0 && !target_is_name(at, length))
			return refuse_word(list, at, length, err);
		at += length;
	}
	return 0;
}

int protected_targets_find(
	const struct env *env, const char *name, bool *ret_found, struct err *err)
{
	CLEANUP(env_values_release) struct env_values values = ENV_VALUES_INIT;

	env_values(env, &values);
	for (size_t i = 0; i < values.count; i++)
		if (strcmp(values.items[i].name, VARIABLE) == 0 &&
			check(&values.items[i], err) != 0)
			return -1;
	*ret_found = protected_targets_have(&values, name);
	return 0;
}
