/*
 * The environment as the commands see it: the process environment first, then the project's .env
 * file. .env is data: NAME=value lines, quotes and # as in dotenv, nothing is expanded or executed.
 */
#ifndef BASE_ENV_H
#define BASE_ENV_H

#include "base/err.h"

#include <stddef.h>

struct env {
	struct env_entry *entries; /* from the file, in its order */
	size_t count;
	char *file; /* the .env file that was read; NULL: none */
	/* One that was not to be read, of which env_values alone knows; NULL: none. Owned. */
	struct env *aside;
	char *aside_trouble; /* why not all of that file was read; NULL: all was, or none is there
			      */
};

/* A variable as one place sets it, also where another place's value goes before it. */
struct env_value {
	char *name;
	const char *value; /* the environment's, or env's */
	const char *file;  /* the .env file's path, which is env's; NULL: the process environment */
};

struct env_values {
	struct env_value *items;
	size_t count;
};

#define ENV_VALUES_INIT                                                                            \
	{                                                                                          \
		0                                                                                  \
	}

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

/*
 * Reads a file by that; missing_ok: a missing file is no error and leaves env empty, but a symbolic
 * link that leads nowhere is one.
 */
int env_read(struct env *env, const char *path, bool missing_ok, struct err *err);

/*
 * Reads a file into env->aside, where there is one. Where env_read would fail, env->aside_trouble
 * says why, and what stands before the line that is wrong is there. Fails with INTERRUPTED.
 */
int env_read_aside(struct env *env, const char *path, struct err *err);

/*
 * The value of a variable that is set and not empty; NULL otherwise. *ret_source (may be NULL) is
 * the .env file's path when the value comes from there, NULL when it is from the process
 * environment.
 */
const char *env_get(const struct env *env, const char *name, const char **ret_source);

/*
 * Adds everything that is set: the process environment's variables, then every line of the file,
 * empty values and those that env_get does not see included, and of the file aside.
 */
void env_values(const struct env *env, struct env_values *values);

/* Usable as a CLEANUP handler. */
void env_values_release(struct env_values *values);

/* "NAME in FILE", or NAME when file is NULL, for messages; the caller owns it. */
char *env_origin(const char *name, const char *file);

/* Wipes and frees; usable as a CLEANUP handler. */
void env_release(struct env *env);

#endif
