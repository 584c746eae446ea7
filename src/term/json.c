#include "term/json.h"

#include "base/mem.h"
#include "term/out.h"
#include "term/safe.h"

#include <string.h>

json_t *out_json_text(const char *text)
{
	CLEANUP(mem_cleanup) char *safe = NULL;
	json_t *string;

	if (!text)
		return json_null();
	string = json_string(text);
	if (string)
		return string;
	safe = safe_text(text, SAFE_LINES);
	return json_string(safe);
}

/* jansson's strings come from its own allocator. */
static void release_text(char *text)
{
	json_malloc_t allocate;
	json_free_t release;

	json_get_alloc_funcs(&allocate, &release);
	release(text);
}

void out_json(json_t *value)
{
	char *text =
		json_dumps(value, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15));

	json_decref(value);
	if (!text)
		BUG("a value cannot be written as JSON");
	out_raw(text, strlen(text));
	out_raw("\n", 1);
	release_text(text);
}
