#include "aws/xml.h"

#include "base/mem.h"
#include "base/strbuf.h"

#include <expat.h>
#include <limits.h>
#include <string.h>

#define DEPTH_LIMIT 32
#define ELEMENT_LIMIT 100000

/* An element that is open: its node, the last of its children so far and its text so far. */
struct level {
	struct xml *node;
	struct xml *last;
	struct strbuf text;
};

struct parse {
	XML_Parser parser;
	struct xml *root;
	struct level levels[DEPTH_LIMIT];
	size_t depth;
	size_t elements;
	const char *stopped; /* why we stopped it; NULL: we did not */
};

static void stop(struct parse *parse, const char *why)
{
	if (!parse->stopped)
		parse->stopped = why;
	XML_StopParser(parse->parser, XML_FALSE);
}

static void on_doctype(void *context, const XML_Char *name, const XML_Char *system_id,
	const XML_Char *public_id, int has_internal_subset)
{
	(void)name;
	(void)system_id;
	(void)public_id;
	(void)has_internal_subset;
	stop(context, "it has a DOCTYPE");
}

static void on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
	struct parse *parse = context;
	const char *colon = strrchr(name, ':');
	struct level *level;
	struct xml *node;

	(void)attributes;
	if (parse->stopped)
		return;
	if (parse->depth == DEPTH_LIMIT) {
		stop(parse, "it is nested too deeply");
		return;
	}
	if (++parse->elements > ELEMENT_LIMIT) {
		stop(parse, "it has too many elements");
		return;
	}
	node = mem_calloc(1, sizeof(*node));
	node->name = mem_strdup(colon ? colon + 1 : name);
	if (parse->depth) {
		struct level *parent = &parse->levels[parse->depth - 1];

		*(parent->last ? &parent->last->next : &parent->node->first) = node;
		parent->last = node;
	} else {
		parse->root = node;
	}
	level = &parse->levels[parse->depth++];
	level->node = node;
	level->last = NULL;
	strbuf_init(&level->text, INT_MAX);
}

static void on_text(void *context, const XML_Char *text, int length)
{
	struct parse *parse = context;
	struct strbuf *buf;

	if (parse->stopped || !parse->depth)
		return;
	buf = &parse->levels[parse->depth - 1].text;
	if (!strbuf_grow_secret(buf, (size_t)length)) {
		stop(parse, "it is too long");
		return;
	}
	strbuf_add(buf, text, (size_t)length);
}

static void on_end(void *context, const XML_Char *name)
{
	struct parse *parse = context;
	struct level *level;

	(void)name;
	if (parse->stopped)
		return;
	level = &parse->levels[--parse->depth];
	level->node->text = mem_strndup(level->text.data, level->text.length);
	strbuf_release_secret(&level->text);
}

/* What is open after a failure has no text yet. */
static void abandon(struct parse *parse)
{
	while (parse->depth)
		strbuf_release_secret(&parse->levels[--parse->depth].text);
	xml_free(parse->root);
}

int xml_parse(const char *bytes, size_t length, struct xml **ret_root, struct err *err)
{
	struct parse parse = { .parser = XML_ParserCreate(NULL) };
	enum XML_Status status;

	if (!parse.parser)
		BUG("no XML parser");
	XML_SetUserData(parse.parser, &parse);
	XML_SetElementHandler(parse.parser, on_start, on_end);
	XML_SetCharacterDataHandler(parse.parser, on_text);
	XML_SetStartDoctypeDeclHandler(parse.parser, on_doctype);
	if (length > INT_MAX) {
		status = XML_STATUS_ERROR;
		parse.stopped = "it is too long";
	} else {
		status = XML_Parse(parse.parser, bytes, (int)length, XML_TRUE);
	}
	if (status == XML_STATUS_OK) {
		*ret_root = parse.root;
	} else if (parse.stopped) {
		err_set(err, ERR_FAILED, "%s", parse.stopped);
	} else if (length == 0) {
		err_set(err, ERR_FAILED, "it is empty");
	} else {
		err_set(err, ERR_FAILED, "it is not well-formed XML: %s in line %lu",
			XML_ErrorString(XML_GetErrorCode(parse.parser)),
			(unsigned long)XML_GetCurrentLineNumber(parse.parser));
	}
	XML_ParserFree(parse.parser);
	if (status != XML_STATUS_OK) {
		abandon(&parse);
		return -1;
	}
	return 0;
}

const struct xml *xml_find(const struct xml *node, const char *path)
{
	while (node && *path) {
		size_t length = strcspn(path, "/");

		node = node->first;
		while (node &&
			(strncmp(node->name, path, length) != 0 || node->name[length] != '\0'))
			node = node->next;
		path += length;
		path += *path == '/';
	}
	return node;
}

const char *xml_text(const struct xml *node, const char *path)
{
	const struct xml *found = xml_find(node, path);

	return found ? found->text : NULL;
}

const struct xml *xml_search(const struct xml *node, const char *name)
{
	for (const struct xml *child = node->first; child; child = child->next) {
		const struct xml *found;

		if (strcmp(child->name, name) == 0)
			return child;
		found = xml_search(child, name);
		if (found)
			return found;
	}
	return NULL;
}

void xml_free(struct xml *root)
{
	while (root) {
		struct xml *next = root->next;

		xml_free(root->first);
		mem_free(root->name);
		mem_free_secret(root->text);
		mem_free(root);
		root = next;
	}
}

void xml_cleanup(struct xml **root)
{
	xml_free(*root);
	*root = NULL;
}
