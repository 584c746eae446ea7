/*
 * What the user does not want to hear of: rules like `fk-without-index`,
 * `no-primary-key:public.log` and `rls-missing:auth.*`, from options and from a file. Pure.
 */
#ifndef APP_DOCTOR_IGNORE_H
#define APP_DOCTOR_IGNORE_H

#include "base/err.h"

struct ignore_rule {
	char *id;
	char *object; /* NULL: whatever it is about; "auth.*": all of that schema */
	size_t line;  /* of the file; 0: from an option */
	bool is_used;
};

struct ignore_rules {
	struct ignore_rule *items;
	size_t count;
};

#define IGNORE_RULES_INIT                                                                          \
	{                                                                                          \
		0                                                                                  \
	}

/* True for the id of a check. */
typedef bool ignore_known_fn(const char *id);

/* Adds ID or ID:OBJECT. USAGE for an id that is none; of a file's line, not 0, it is told only when
 * it could be one. */
int ignore_add(struct ignore_rules *rules, const char *text, size_t length, size_t line,
	ignore_known_fn *known, struct err *err);

/*
 * Adds the rules of a file's text, one a line; blank lines and those that begin with # are none.
 * USAGE with the line; name is for messages.
 */
int ignore_parse(struct ignore_rules *rules, const char *name, const char *text, size_t length,
	ignore_known_fn *known, struct err *err);

/* True when a rule (which is used thereby) says so, of the object as it is or as it is printed.
 * object may be NULL. */
bool ignore_matches(struct ignore_rules *rules, const char *id, const char *object);

/* Usable as a CLEANUP handler. */
void ignore_release(struct ignore_rules *rules);

#endif
