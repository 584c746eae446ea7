/*
 * The option table: one source for parsing, --help, defaults from the environment, the man page and
 * shell completion.
 */
#ifndef CLI_OPTION_H
#define CLI_OPTION_H

#include "base/err.h"
#include "base/strlist.h"

enum option_type {
	OPTION_FLAG,    /* value: bool *, set to true */
	OPTION_COUNT,   /* value: int *, one more each time */
	OPTION_STRING,  /* value: const char **, borrowed from argv or the environment */
	OPTION_LIST,    /* value: struct strlist *, one more each time */
	OPTION_SECONDS, /* value: double *; the argument is optional (--wait, --wait=5) and stands
			   for option.fallback when it is missing */
};

struct option {
	const char *name; /* long name without dashes; NULL ends the table */
	char letter;      /* 0: none */
	enum option_type type;
	void *value;
	const char *argument;    /* its name in the help, e.g. "FILE"; NULL for flags */
	const char *help;        /* one sentence without a full stop, lower case */
	const char *environment; /* variable whose value is the default; NULL: none */
	double fallback;         /* OPTION_SECONDS without an argument */
};

/* One environment variable a command reads, for the help and the man page. */
struct variable {
	const char *name; /* NULL ends the table */
	const char *help;
};

/*
 * Parses argv[1..] by the tables (a NULL-terminated list of tables). Words that are not options go
 * to words; everything after "--" goes to rest when rest is not NULL, else to words. Long names
 * must be whole (no abbreviation); a value that begins with "--" is refused unless written
 * --name=value; short flags may be bundled (-qe), -fFILE and -f FILE are the same. Values found in
 * the environment are set first. Errors are of kind USAGE and change nothing that matters: the
 * command does not run.
 */
int option_parse(const struct option *const *tables, int argc, char **argv, struct strlist *words,
	struct strlist *rest, struct err *err);

#endif
