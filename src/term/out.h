/*
 * Everything that reaches the user's terminal. Data go to stdout, all else to stderr. Colours only
 * on a terminal and without NO_COLOR. Texts given to these functions may come from outside: they
 * are made terminal-safe here, and what a format has in double quotes is kept to one line
 * (base/message.h). A progress line (term/progress.h) is taken away first.
 */
#ifndef TERM_OUT_H
#define TERM_OUT_H

#include "base/err.h"

/* To be called once, before anything is printed. */
void out_init(const char *program);

/* What the options say: --no-color, -q, -v (how often). */
void out_set_color(bool allowed);
void out_set_quiet(bool quiet);
void out_set_verbose(int level);
int out_verbose(void);
bool out_quiet(void);

/* True when that stream shall carry colours. */
bool out_colored_stdout(void);
bool out_colored_stderr(void);

/* Data: formatted text to stdout, unchanged except for terminal safety of the whole line. */
void out_data(const char *format, ...) PRINTF_LIKE(1, 2);

/* Bytes to stdout as they are (JSON, COPY data): the caller answers for them. */
void out_raw(const char *bytes, size_t length);

/*
 * What a script itself says: \echo and the like to stdout, unchanged unless that is a terminal, and
 * at once; \warn to stderr, also when quiet. The text has its own newline, or none.
 */
void out_script(const char *bytes, size_t length);
void out_script_warn(const char *bytes, size_t length);

/* Columns for a line on stdout: those of the terminal, otherwise what is given. */
size_t out_width(size_t otherwise);

/* A cyan "== text" line on stderr, unless quiet. */
void out_step(const char *format, ...) PRINTF_LIKE(1, 2);

/* An informational line on stderr, unless quiet. */
void out_info(const char *format, ...) PRINTF_LIKE(1, 2);

/* The same only with -v. */
void out_detail(const char *format, ...) PRINTF_LIKE(1, 2);

/* "program: warning: text", also when quiet. */
void out_warning(const char *format, ...) PRINTF_LIKE(1, 2);

/*
 * The one place where an error object is printed: "program: error: message" or, with a place,
 * "file:line:column: ERROR: message" with the line and a caret; then detail, context, hint.
 * With GITHUB_ACTIONS set also the annotation "::error file=…".
 */
void out_error(const struct err *err);

/*
 * Flushes stdout. Non-zero with err set when something that was printed could not be written
 * (closed pipe, full disk).
 */
int out_finish(struct err *err);

#endif
