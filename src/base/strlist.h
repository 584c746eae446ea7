/* A list of owned strings, NULL-terminated so that it can serve as an argument vector. */
#ifndef BASE_STRLIST_H
#define BASE_STRLIST_H

#include "base/base.h"

struct strlist {
	char **items; /* items[count] is NULL once anything was added; NULL before */
	size_t count;
	size_t capacity;
};

#define STRLIST_INIT                                                                               \
	{                                                                                          \
		0                                                                                  \
	}

/* Adds a copy. */
void strlist_add(struct strlist *list, const char *text);
void strlist_addf(struct strlist *list, const char *format, ...) PRINTF_LIKE(2, 3);

bool strlist_has(const struct strlist *list, const char *text);

/* Sorts by byte value, the order of `LC_ALL=C ls`. */
void strlist_sort(struct strlist *list);

/* Frees all; usable as a CLEANUP handler. */
void strlist_release(struct strlist *list);

/* The same after wiping the strings. */
void strlist_release_secret(struct strlist *list);

#endif
