/*
 * The environment as the commands see it: the process environment first, then the project's .env
 * file. .env is data: NAME=value lines, quotes and # as in dotenv, nothing is expanded or executed.
 */
#ifndef BASE_ENV_H
#define BASE_ENV_H

#include "base/err.h"
#include "base/strlist.h"

struct env {
	struct env_entry *entries; /* from the file, in its order */
	size_t count;
	char *file; /* the .env file that was read; NULL: none */
};

#define ENV_INIT                                                                                   \
	{                                                                                          \
		0                                                                                  \
	}

/*
 * Parses text (a .env file's contents; name is for messages). Accepted: blank lines, # comments, an
 * optional "export ", NAME=value, 'literal', "with \n \t \" \\ \$ escapes", unquoted values ending
 * at " #", CRLF, a BOM. The last of two equal names wins. Fails with USAGE and the line otherwise;
 * the message never holds a value.
 */
int env_parse(struct env *env, const char *name, const char *text, size_t length, struct err *err);

/* Reads a file by that; missing_ok: a missing file is no error and leaves env empty. */
int env_read(struct env *env, const char *path, bool missing_ok, struct err *err);

/*
 * The value of a variable that is set and not empty; NULL otherwise. *ret_source (may be NULL) is
 * the .env file's path when the value comes from there, NULL when it is from the process
 * environment.
 */
const char *env_get(const struct env *env, const char *name, const char **ret_source);

/* Adds the names of all variables that are set and not empty, each once. */
void env_names(const struct env *env, struct strlist *names);

/* Wipes and frees; usable as a CLEANUP handler. */
void env_release(struct env *env);

#endif
