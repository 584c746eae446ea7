#include "sql/variables.h"

#include "base/mem.h"

#include <string.h>
#include <strings.h>

struct variable_value {
	char *name;
	char *value;
};

void variables_release(struct variables *variables)
{
	for (size_t i = 0; i < variables->count; i++) {
		mem_free(variables->items[i].name);
		mem_free(variables->items[i].value);
	}
	mem_free(variables->items);
	*variables = (struct variables)VARIABLES_INIT;
}

bool variables_valid_name(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
			    (*c >= '0' && *c <= '9') || *c == '_' || (unsigned char)*c >= 0x80))
			return false;
	return *name != '\0';
}

/* Where the name is, or would have to be put in. */
static size_t find(const struct variables *variables, const char *name, bool *ret_found)
{
	size_t low = 0, high = variables->count;

	*ret_found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(variables->items[middle].name, name);

		if (order == 0) {
			*ret_found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const char *variables_get(const struct variables *variables, const char *name)
{
	bool found;
	size_t index = find(variables, name, &found);

	return found ? variables->items[index].value : NULL;
}

void variables_set(struct variables *variables, const char *name, const char *value)
{
	/* Before anything is freed: value may be the one that is replaced. */
	char *copy = mem_strdup(value);
	bool found;
	size_t index = find(variables, name, &found);

	if (found) {
		mem_free(variables->items[index].value);
		variables->items[index].value = copy;
		return;
	}
	if (variables->count == variables->capacity) {
		variables->capacity = variables->capacity ? variables->capacity * 2 : 16;
		variables->items = mem_resize(
			variables->items, variables->capacity, sizeof(*variables->items));
	}
	memmove(&variables->items[index + 1], &variables->items[index],
		(variables->count - index) * sizeof(*variables->items));
	variables->items[index] =
		(struct variable_value){ .name = mem_strdup(name), .value = copy };
	variables->count++;
}

void variables_unset(struct variables *variables, const char *name)
{
	bool found;
	size_t index = find(variables, name, &found);

	if (!found)
		return;
	mem_free(variables->items[index].name);
	mem_free(variables->items[index].value);
	variables->count--;
	memmove(&variables->items[index], &variables->items[index + 1],
		(variables->count - index) * sizeof(*variables->items));
}

const char *variables_at(const struct variables *variables, size_t index, const char **ret_value)
{
	if (index >= variables->count)
		return NULL;
	*ret_value = variables->items[index].value;
	return variables->items[index].name;
}

bool variables_parse_bool(const char *text, bool *ret)
{
	static const struct {
		const char *word;
		size_t shortest;
		bool value;
	} words[] = {
		{ "true", 1, true },
		{ "false", 1, false },
		{ "yes", 1, true },
		{ "no", 1, false },
		{ "on", 2, true },
		{ "off", 2, false },
		{ "1", 1, true },
		{ "0", 1, false },
	};
	size_t length = strlen(text);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (length < words[i].shortest || strncasecmp(text, words[i].word, length) != 0)
			continue;
		*ret = words[i].value;
		return true;
	}
	return false;
}
