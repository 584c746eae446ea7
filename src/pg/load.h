/* Running SQL scripts over a connection: statements and COPY data, errors with their place. */
#ifndef PG_LOAD_H
#define PG_LOAD_H

#include "pg/conn.h"

#include <stdint.h>

struct load_file {
	char *path; /* "-": standard input */
	char *name; /* as messages show it */
};

struct load_options {
	bool transaction; /* all files in one; otherwise each statement by itself */
	bool keep_going;  /* without a transaction: go on after a failed statement */
};

/* Told what happens; any function may be NULL. Texts are valid during the call. */
struct load_observer {
	void *context;
	void (*notice)(void *context, const char *file, size_t line, const struct notice *notice);
	void (*statement)(void *context, const char *text, size_t length); /* passwords masked */
	void (*copy_out)(void *context, const char *bytes, size_t length); /* COPY … TO STDOUT */
	void (*failed)(void *context, const struct err *err); /* keep_going: one failed statement */
};

struct load_counts {
	uint64_t statements; /* that succeeded */
	uint64_t failed;     /* with keep_going */
	uint64_t bytes;      /* read from the files */
	bool commit_sent;    /* of the transaction; an error's note then says what became of it */
};

/*
 * Runs the files in their order. With options->transaction everything is rolled back on any error.
 * What a file leaves in the session (search_path of a dump, other SETs) is undone before the next
 * and at the end. Errors: SQL with file, line and column, from the server or the reader; CONNECT
 * when the connection was lost (the detail says when it is unknown whether COMMIT took effect);
 * FAILED when a file cannot be read; INTERRUPTED. With keep_going the result is an error of kind
 * SQL when any failed.
 */
int load_run(struct conn *conn, const struct load_file *files, size_t count,
	const struct load_options *options, const struct load_observer *observer,
	struct load_counts *counts, struct err *err);

#endif
