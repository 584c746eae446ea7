#include "base/strlist.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void append_owned(struct strlist *list, char *text)
{
	if (list->count + 2 > list->capacity) {
		list->capacity = list->capacity ? list->capacity * 2 : 8;
		list->items = mem_resize(list->items, list->capacity, sizeof(*list->items));
	}
	list->items[list->count++] = text;
	list->items[list->count] = NULL;
}

void strlist_add(struct strlist *list, const char *text)
{
	append_owned(list, mem_strdup(text));
}

bool strlist_has(const struct strlist *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

void strlist_addf(struct strlist *list, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	append_owned(list, mem_vprintf(format, arguments));
	va_end(arguments);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strlist_sort(struct strlist *list)
{
	if (list->count > 1)
		qsort(list->items, list->count, sizeof(*list->items), compare);
}

void strlist_release(struct strlist *list)
{
	for (size_t i = 0; i < list->count; i++)
		mem_free(list->items[i]);
	mem_free(list->items);
	*list = (struct strlist)STRLIST_INIT;
}

void strlist_release_secret(struct strlist *list)
{
	for (size_t i = 0; i < list->count; i++)
		mem_wipe(list->items[i], strlen(list->items[i]));
	strlist_release(list);
}
