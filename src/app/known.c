#include "app/known.h"

#include "base/digest.h"
#include "base/mem.h"
#include "base/private_file.h"

#include <string.h>
#include <time.h>

#define VALUE_MOST 4096
/* By so much clocks may differ; what is dated further ahead is as old as anything. */
#define CLOCK_SECONDS 60

/* The caller owns the path; NULL: there is no place for it. */
static char *path_of(const char *kind, const char *key, bool make)
{
	CLEANUP(mem_cleanup)
	char *place = private_directory("XDG_STATE_HOME", ".local/state", make);
	CLEANUP(digest_release) struct digest digest = DIGEST_INIT;
	char hex[DIGEST_HEX_SIZE];

	if (!place)
		return NULL;
	digest_add_text(&digest, key);
	digest_end(&digest, hex);
	return mem_printf("%s/known-%s-%.32s", place, kind, hex);
}

bool known_get(const char *kind, const char *key, int64_t most_seconds, char **ret_value)
{
	CLEANUP(mem_cleanup) char *path = path_of(kind, key, false);
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT_CEILING(VALUE_MOST);
	time_t written;
	int64_t age;

	if (!path || !private_read(path, &text, &written))
		return false;
	age = (int64_t)time(NULL) - (int64_t)written;
	if (age > most_seconds || (age < -CLOCK_SECONDS && most_seconds != KNOWN_FOR_EVER))
		return false;
	*ret_value = strbuf_detach(&text);
	return true;
}

void known_put(const char *kind, const char *key, const char *value)
{
	CLEANUP(mem_cleanup) char *path = path_of(kind, key, *value != '\0');

	if (path && strlen(value) <= VALUE_MOST)
		private_write(path, value, strlen(value));
}
