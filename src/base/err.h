/*
 * The error object. What can fail returns int (0, or non-zero) and fills a struct err that its
 * caller passed; only the run wrapper in cli/ prints it. The kind decides the exit status.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/base.h"

/* kind, exit status, text for the man pages' EXIT STATUS block */
#define ERR_KINDS(X)                                                                               \
	X(FAILED, 1, "The command failed.")                                                        \
	X(CONNECT, 2, "The server could not be reached, or the connection was lost.")              \
	X(SQL, 3, "A statement in a script failed; the message names file, line and column.")      \
	X(REFUSED, 4,                                                                              \
		"Refused: the database is protected, the confirmation was declined, or a script "  \
		"asks "                                                                            \
		"for what has to be allowed by an option.")                                        \
	X(FOUND, 5, "Something was found (only when asked for).")                                  \
	X(TIMEOUT, 6, "The time allowed for waiting ran out.")                                     \
	X(USAGE, 64, "Wrong usage or configuration.")

enum err_kind {
	ERR_NONE = 0,
#define X(kind, status, text) ERR_##kind,
	ERR_KINDS(X)
#undef X
		ERR_INTERRUPTED, /* by a signal: the program ends by that same signal */
};

/*
 * Where in a file something is wrong. line and column count from 1; column counts characters.
 * excerpt is the file's line (without its newline), excerpt_column the column in the excerpt, which
 * differs from column when a very long line was cut.
 */
struct err_place {
	char *file; /* NULL: no place */
	size_t line;
	size_t column; /* 0: unknown */
	char *excerpt; /* NULL: none */
	size_t excerpt_column;
};

/* All texts are owned by the object. A zeroed object (ERR_INIT) is an empty one. */
struct err {
	enum err_kind kind;
	char *message;    /* primary message: lower case, no full stop */
	char *detail;     /* full sentences; NULL: none */
	char *hint;       /* full sentences saying what to type next; NULL: none */
	char *context;    /* PostgreSQL's CONTEXT; NULL: none */
	char *note;       /* what the failure left behind; NULL: none */
	char *severity;   /* "ERROR", "FATAL" as the server said; NULL: our own error */
	char sqlstate[6]; /* of the server's error; empty: none */
	struct err_place place;
	int signal; /* with ERR_INTERRUPTED: the signal's number */
};

#define ERR_INIT                                                                                   \
	{                                                                                          \
		0                                                                                  \
	}

/* Frees the texts and empties the object; usable as a CLEANUP handler. */
void err_release(struct err *err);

/*
 * Replaces whatever the object held by an error of this kind with this message. Always returns -1,
 * so that `return err_set(err, …)` sets and returns. Texts are formatted as in base/message.h: what
 * they have in double quotes stays on one line. So it is in the functions below.
 */
int err_set(struct err *err, enum err_kind kind, const char *format, ...) PRINTF_LIKE(3, 4);

/* Sets detail or hint of an error that is set. An earlier detail or hint is replaced. */
void err_detail(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);
void err_hint(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * Adds one more line to the detail, or to the note unless that ends with this very line: several
 * may know that nothing was changed.
 */
void err_detail_line(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);
void err_note_line(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* err_set(FAILED) with ": " and the text of errno, as perror would. */
int err_errno(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Exit status of a kind: 0 for ERR_NONE; ERR_INTERRUPTED has none and gives 1. */
int err_exit_status(enum err_kind kind);

/* The table behind the man pages: text of the i-th kind that has an exit status; NULL at the end.
 */
const char *err_kind_text(size_t index, int *ret_status);

#endif
