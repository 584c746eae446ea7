/*
 * The arguments of psql's meta-commands, by the rules of PostgreSQL's
 * src/bin/psql/psqlscanslash.l (15.18): words, '…' with C escapes, "…" kept with its quotes,
 * variables, and a further backslash as the command's end. Backquotes, which run a program in psql,
 * are refused.
 */
#ifndef SQL_SLASH_H
#define SQL_SLASH_H

#include "base/err.h"
#include "base/strbuf.h"
#include "sql/encoding.h"
#include "sql/variables.h"

/* The rest of a line behind a command's name, without its newline; at moves on. */
struct slash_line {
	const char *text; /* as it was read, nothing hidden */
	size_t length;
	size_t at;
	enum encoding encoding; /* of text */
};

/* Asked for each reference to a variable; for :{?name} as for VARIABLE_PLAIN. */
struct slash_variables {
	/* *ret_text is the caller's (mem_free); NULL: not set, the reference stays as it is. */
	int (*get)(void *context, const char *name, enum variable_form form, char **ret_text,
		struct err *err);
	void *context;
};

enum slash_mode {
	SLASH_NORMAL,
	SLASH_NAME, /* an SQL identifier: lower case outside of double quotes, quotes removed */
	SLASH_NAME_CASED, /* the same with the case kept */
	SLASH_FILE,       /* a word; one that begins with | is the whole rest of the line */
	SLASH_WHOLE_LINE, /* all that is left, without white space in front, as it is */
};

struct slash_argument {
	struct strbuf text; /* not to be looked at unless slash_next returned 1 */
	char quote;         /* the last sort of quoting used in it: ' " ` : or 0 */
};

#define SLASH_ARGUMENT_INIT                                                                        \
	{                                                                                          \
		.text = STRBUF_INIT                                                                \
	}

void slash_argument_release(struct slash_argument *argument);

/*
 * The next argument: 1, or 0 when there is none on the line before its end or the next backslash,
 * or -1 with err set (kind SQL, without a place): unterminated quoted string, a backquote, what get
 * reported, longer than argument->text's ceiling of 16 MiB; nothing is then left of the line.
 * strip_semicolons: those at its end that are not quoted are no part of it, which may leave none.
 * variables NULL: references stay as they are and backquotes are passed over (an inactive branch).
 * As in psql, the text ends where '\0' puts a NUL.
 */
int slash_next(struct slash_line *line, enum slash_mode mode, bool strip_semicolons,
	const struct slash_variables *variables, struct slash_argument *argument, struct err *err);

/* Passes over a "\\" that ends the command; SQL goes on behind it. */
void slash_end(struct slash_line *line);

#endif
