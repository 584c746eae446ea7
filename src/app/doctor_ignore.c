#include "app/doctor_ignore.h"

#include "base/mem.h"
#include "term/safe.h"

#include <ctype.h>
#include <string.h>

static void trim(const char **text, size_t *length)
{
	while (*length > 0 && isspace((unsigned char)**text)) {
		(*text)++;
		(*length)--;
	}
	while (*length > 0 && isspace((unsigned char)(*text)[*length - 1]))
		(*length)--;
}

/* What is none may be a line of any file, and is not for a log. */
static bool is_like_id(const char *text)
{
	enum { LONGEST = 40 };
	const size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz-");

	return length <= LONGEST && text[length] == '\0';
}

int ignore_add(struct ignore_rules *rules, const char *text, size_t length, size_t line,
	ignore_known_fn *known, struct err *err)
{
	CLEANUP(mem_cleanup) char *id = NULL;
	const char *colon, *object, *id_text;
	size_t object_length, id_length;

	trim(&text, &length);
	id_text = text;
	colon = memchr(text, ':', length);
	id_length = colon ? (size_t)(colon - text) : length;
	trim(&id_text, &id_length);
	id = mem_strndup(id_text, id_length);
	if (!known(id) && line > 0 && !is_like_id(id))
		return err_set(err, ERR_USAGE, "there is no id of a check");
	if (!known(id))
		return err_set(err, ERR_USAGE, "there is no check \"%s\"", id);
	object = colon ? colon + 1 : NULL;
	object_length = colon ? length - (size_t)(colon + 1 - text) : 0;
	if (colon)
		trim(&object, &object_length);
	if (colon && object_length == 0)
		return err_set(err, ERR_USAGE, "\"%s:\" names no object", id);
	rules->items = mem_resize(rules->items, rules->count + 1, sizeof(*rules->items));
	rules->items[rules->count++] = (struct ignore_rule){
		.id = take_ptr(id),
		.object = colon ? mem_strndup(object, object_length) : NULL,
		.line = line,
	};
	return 0;
}

int ignore_parse(struct ignore_rules *rules, const char *name, const char *text, size_t length,
	ignore_known_fn *known, struct err *err)
{
	static const char bom[] = "\xEF\xBB\xBF";
	size_t line = 0;

	if (length >= 3 && memcmp(text, bom, 3) == 0) {
		text += 3;
		length -= 3;
	}
	if (memchr(text, '\0', length))
		return err_set(err, ERR_USAGE, "\"%s\" is not a text file", name);
	while (length > 0) {
		const char *end = memchr(text, '\n', length);
		size_t size = end ? (size_t)(end - text) : length;
		const char *rule = text;
		size_t rule_length = size;

		line++;
		trim(&rule, &rule_length);
		if (rule_length > 0 && *rule != '#' &&
			ignore_add(rules, rule, rule_length, line, known, err) != 0) {
			CLEANUP(mem_cleanup) char *what = mem_strdup(err->message);

			return err_set(
				err, ERR_USAGE, "%s in line %zu of \"%s\"", what, line, name);
		}
		text += end ? size + 1 : size;
		length -= end ? size + 1 : size;
	}
	return 0;
}

/* "auth.*" stands for what begins with "auth."; any other star is one of a name. */
static bool covers(const char *pattern, const char *object)
{
	size_t length = strlen(pattern);

	if (length > 2 && strcmp(pattern + length - 2, ".*") == 0)
		return strncmp(pattern, object, length - 1) == 0;
	return strcmp(pattern, object) == 0;
}

bool ignore_matches(struct ignore_rules *rules, const char *id, const char *object)
{
	CLEANUP(mem_cleanup) char *printed = safe_text(object, SAFE_LINE);
	bool matches = false;

	for (size_t i = 0; i < rules->count; i++) {
		struct ignore_rule *rule = &rules->items[i];

		if (strcmp(rule->id, id) == 0 &&
			(!rule->object || (object && (covers(rule->object, object) ||
							     covers(rule->object, printed)))))
			rule->is_used = matches = true;
	}
	return matches;
}

void ignore_release(struct ignore_rules *rules)
{
	for (size_t i = 0; i < rules->count; i++) {
		mem_free(rules->items[i].id);
		mem_free(rules->items[i].object);
	}
	mem_free(rules->items);
	*rules = (struct ignore_rules)IGNORE_RULES_INIT;
}
