#include "sql/stamps.h"

#include "base/mem.h"

#include <string.h>

struct stamp {
	char *path;
	struct stat state;
};

bool stamp_equal(const struct stat *one, const struct stat *other)
{
	return one->st_dev == other->st_dev && one->st_ino == other->st_ino &&
	       one->st_size == other->st_size && one->st_mtim.tv_sec == other->st_mtim.tv_sec &&
	       one->st_mtim.tv_nsec == other->st_mtim.tv_nsec;
}

static const struct stamp *find(const struct stamps *stamps, const char *path)
{
	for (size_t i = 0; i < stamps->count; i++)
		if (strcmp(stamps->items[i].path, path) == 0)
			return &stamps->items[i];
	return NULL;
}

void stamps_add(struct stamps *stamps, const char *path, const struct stat *state)
{
	if (find(stamps, path))
		return;
	stamps->items = mem_resize(stamps->items, stamps->count + 1, sizeof(*stamps->items));
	stamps->items[stamps->count++] =
		(struct stamp){ .path = mem_strdup(path), .state = *state };
}

bool stamps_match(const struct stamps *stamps, const char *path, const struct stat *state)
{
	const struct stamp *stamp = find(stamps, path);

	return !stamp || stamp_equal(&stamp->state, state);
}

void stamps_release(struct stamps *stamps)
{
	for (size_t i = 0; i < stamps->count; i++)
		mem_free(stamps->items[i].path);
	mem_free(stamps->items);
	*stamps = (struct stamps)STAMPS_INIT;
}
