/*
 * XML answers as a tree. Refused: a DOCTYPE (and with it entities), depth over 32, more than
 * 100,000 elements, anything expat refuses. Namespaces and attributes are dropped.
 */
#ifndef AWS_XML_H
#define AWS_XML_H

#include "base/err.h"

struct xml {
	char *name;
	char *text;        /* all character data in it, "" if none */
	struct xml *first; /* child */
	struct xml *next;  /* sibling */
};

/* Fails with FAILED; the message says what is wrong, not where it came from. */
int xml_parse(const char *bytes, size_t length, struct xml **ret_root, struct err *err);

/* The first descendant along a path of names, "a/b/c", each a child of the one before; NULL: none.
 */
const struct xml *xml_find(const struct xml *node, const char *path);

/* Its text; NULL when there is no such element. "" when it is empty. */
const char *xml_text(const struct xml *node, const char *path);

/* The first element of that name anywhere below node, in document order; NULL: none. */
const struct xml *xml_search(const struct xml *node, const char *name);

/*
 * Wipes the texts (an answer may hold keys) and frees; NULL is allowed. xml_cleanup is the CLEANUP
 * handler.
 */
void xml_free(struct xml *root);
void xml_cleanup(struct xml **root);

#endif
