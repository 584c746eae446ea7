#include "pg/suffix.h"

#include "base/mem.h"
#include "pg/target.h"

#include <string.h>

#define ALLOWED                                                                                    \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"                                     \
	"0123456789_-."

int suffix_add(const struct env *env, char **name, char **ret_origin, struct err *err)
{
	const char *file;
	const char *suffix = env_get(env, SUFFIX_VARIABLE, &file);
	CLEANUP(mem_cleanup) char *origin = NULL;
	CLEANUP(mem_cleanup) char *whole = NULL;

	*ret_origin = NULL;
	if (!suffix)
		return 0;
	origin = env_origin(SUFFIX_VARIABLE, file);
	if (suffix[strspn(suffix, ALLOWED)]) {
		err_set(err, ERR_USAGE, "%s: \"%s\" cannot be appended to a database name", origin,
			suffix);
		err_hint(err, "It may hold letters, digits, \"_\", \"-\" and \".\".");
		return -1;
	}
	whole = mem_printf("%s%s", *name, suffix);
	if (strlen(whole) > DATABASE_NAME_MAX) {
		err_set(err, ERR_USAGE,
			"%s: \"%s\" with \"%s\" has %zu bytes, more than the %d PostgreSQL keeps",
			origin, *name, suffix, strlen(whole), DATABASE_NAME_MAX);
		err_hint(err, "Choose a shorter suffix.");
		return -1;
	}
	mem_free(*name);
	*name = take_ptr(whole);
	*ret_origin = take_ptr(origin);
	return 0;
}
