/* Reads a whole script without a server, so that what is wrong with it shows before anything runs.
 */
#ifndef SQL_CHECK_H
#define SQL_CHECK_H

#include "sql/script.h"

/* The first of its kind; line is 0 when there is none. */
struct script_found {
	char *file;
	size_t line;
	size_t column;
	char name[48]; /* such as "COMMIT" or "CREATE INDEX CONCURRENTLY" */
};

struct script_summary {
	size_t statements;
	size_t copies; /* those of them that are followed by COPY data */
	size_t others; /* what else it has to do: \connect, \echo and the like */
	uint64_t bytes;
	/* Of SCRIPT_CLASS_TRANSACTION, or AUTOCOMMIT switched off. */
	struct script_found transaction;
	/* Of SCRIPT_CLASS_NO_TRANSACTION, or \connect, or ON_ERROR_STOP switched off. */
	struct script_found no_transaction;
	/* That loses data or a database (sql/destructive.h), a comment's mark aside. */
	struct script_found destructive;
	/* What is run is not known beforehand in all: \gexec, what \gset sets, a file that \copy
	 * writes; or reading ended early, with keep_going. */
	bool unforeseen;
};

#define SCRIPT_SUMMARY_INIT                                                                        \
	{                                                                                          \
		0                                                                                  \
	}

/*
 * Reads to the end with all includes, follows SET standard_conforming_strings and client_encoding,
 * and takes every COPY FROM STDIN to be followed by its data. options->dry need not be set. Fails
 * as script_open and script_next do, and when a file that \copy is to read cannot be read; summary
 * is then unchanged. With options->keep_going what is wrong in the text is no failure: the run
 * will report it.
 */
int script_check(const char *path, const char *name, const struct script_options *options,
	struct script_summary *summary, struct err *err);

/* Usable as a CLEANUP handler. */
void script_summary_release(struct script_summary *summary);

#endif
