/*
 * What the outcome of a load depends on, as far as the scripts go: gathered while script_check
 * reads them, for whoever keeps the outcome and copies it instead of loading again. In doubt
 * something stands in the way, or varies.
 */
#ifndef SQL_INPUTS_H
#define SQL_INPUTS_H

#include "base/digest.h"
#include "base/err.h"
#include "base/strlist.h"
#include "sql/stamps.h"
#include "sql/variables.h"

/* Different words that are told apart; more of them are an obstacle. */
#define SCRIPT_INPUTS_NAMES 100000

/* Things that vary, of which the first are kept. */
#define SCRIPT_INPUTS_VARYING 5

enum script_input_kind {
	SCRIPT_INPUT_SCRIPT,  /* one of the list */
	SCRIPT_INPUT_INCLUDE, /* \i, \ir */
	SCRIPT_INPUT_DATA,    /* \copy … from 'file' */
};

/* A regular file, in the state in which it was read. */
struct script_input_file {
	char *path;
	char *name; /* for messages */
	struct stat state;
};

struct script_inputs {
	/*
	 * Set before scripts are read. definitions_run: what is defined counts as run: the server
	 * is asked before it is there (seeds). reads_data: the data of COPY and \copy are looked at
	 * for what varies.
	 */
	bool definitions_run, reads_data;
	/* SHA-256 of everything the outcome depends on; "" before script_inputs_digest. */
	char key[DIGEST_HEX_SIZE];
	/* Why an outcome must not be kept and copied, as "db/schema.sql:12: \connect", the first
	 * that was found; NULL: nothing is in the way. */
	char *obstacle;
	/*
	 * Every word that statements which run something mention outside of comments and plain
	 * strings, as the server folds it (quoted ones as written), with "(" behind it where a
	 * parenthesis follows; sorted, without doubles. Those of DO bodies and of strings that are
	 * run (EXECUTE, \gexec) count, those of definitions (CREATE TABLE without AS, CREATE
	 * FUNCTION, ALTER) do not: what is defined is found again on the server, by the names of
	 * what runs. They do with definitions_run, and when a definition may have been undone or
	 * replaced after something ran that may have used it (DROP, CREATE OR REPLACE, temporary
	 * tables). No strings are in it, but words of dollar-quoted text may be.
	 */
	struct strlist names;
	bool names_known; /* false: they were not gathered (app/scripts.h, scripts_names) */
	/* What the text alone shows to vary from run to run, as "db/seed.sql:12:
	 * CURRENT_TIMESTAMP"; the first few. */
	struct strlist varying;
	bool wants_extensions; /* the word EXTENSION occurs */
	bool has_data;         /* there are data of COPY or \copy */

	/* The files that were read, each once, and the order in which they were opened. */
	struct script_input_file *files;
	size_t file_count, file_capacity;
	struct script_input_open *opens;
	size_t open_count, open_capacity;
	struct script_words *words; /* while scripts are read */
};

#define SCRIPT_INPUTS_INIT                                                                         \
	{                                                                                          \
		0                                                                                  \
	}

/* What else the outcome depends on. */
struct script_inputs_settings {
	const struct variables *variables; /* --set */
	bool allow_connect;
	bool keep_going;
	bool transaction;
	bool insists;
};

/*
 * To be called when all scripts were read without an error: sorts the names, and unless there is
 * an obstacle computes the key: of the settings and of the contents of every file in the order in
 * which they were opened, again and again if they were; how the files are named does not count,
 * except that what names an include is in a file. Fails with SQL when a file is no longer as it
 * was read, with FAILED when it cannot be read, with INTERRUPTED.
 */
int script_inputs_digest(struct script_inputs *inputs,
	const struct script_inputs_settings *settings, struct err *err);

/* Usable as a CLEANUP handler. */
void script_inputs_release(struct script_inputs *inputs);

/* --- for those who read scripts -------------------------------------------------------------- */

/* A file has been opened; one that is not regular is an obstacle. */
void script_inputs_file(struct script_inputs *inputs, enum script_input_kind kind, const char *path,
	const char *name, const struct stat *state);

/* Notes an obstacle unless there is one. line 0: none. */
void script_inputs_obstacle(
	struct script_inputs *inputs, const char *file, size_t line, const char *what);

/* Notes that the outcome varies. */
void script_inputs_varies(
	struct script_inputs *inputs, const char *file, size_t line, const char *what);

/* Data of COPY, in whole lines; line: the number of the first. */
void script_inputs_data(struct script_inputs *inputs, const char *file, size_t line,
	const char *data, size_t length);

/* The same from a file. Fails as input_open and input_read do. */
int script_inputs_data_file(struct script_inputs *inputs, const char *path, struct err *err);

struct script_statement;

/*
 * Looks through a statement. dynamic: what its strings hold may be run later (\gexec, \gset);
 * escapes: plain strings have backslash escapes.
 */
void script_inputs_statement(struct script_inputs *inputs, const struct script_statement *statement,
	bool dynamic, bool escapes);

#endif
