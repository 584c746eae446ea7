/* psql variables: names and values, and psql's rules about both. */
#ifndef SQL_VARIABLES_H
#define SQL_VARIABLES_H

#include "base/base.h"

struct variables {
	struct variable_value *items; /* by name */
	size_t count;
	size_t capacity;
};

#define VARIABLES_INIT                                                                             \
	{                                                                                          \
		0                                                                                  \
	}

/* Usable as a CLEANUP handler. */
void variables_release(struct variables *variables);

/* Letters, digits, underscores and bytes over 127, at least one. */
bool variables_valid_name(const char *name);

/* The value, valid until the variable is changed; NULL: not set. */
const char *variables_get(const struct variables *variables, const char *name);

/* Copies both. */
void variables_set(struct variables *variables, const char *name, const char *value);

/* Does nothing when it is not set. */
void variables_unset(struct variables *variables, const char *name);

/* The name and the value at index, by name; NULL behind the last. For listing. */
const char *variables_at(const struct variables *variables, size_t index, const char **ret_value);

/*
 * psql's reading of a boolean: on, off, true, false, yes, no, 1, 0 and what they can be abbreviated
 * to without ambiguity, in any case. False when text is none; *ret is then unchanged.
 */
bool variables_parse_bool(const char *text, bool *ret);

/* How a reference asks for a value. */
enum variable_form {
	VARIABLE_PLAIN,      /* :name */
	VARIABLE_LITERAL,    /* :'name', as an SQL literal */
	VARIABLE_IDENTIFIER, /* :"name", as an SQL identifier */
};

#endif
