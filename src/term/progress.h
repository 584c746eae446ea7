/*
 * One line on the terminal that says how far a load is. It is on stderr, only when that is a
 * terminal that can erase and unless quiet; it shows after a second and at most ten times a second,
 * and term/out.h takes it away before anything else is printed.
 */
#ifndef TERM_PROGRESS_H
#define TERM_PROGRESS_H

#include "base/strbuf.h"

struct progress {
	const char *name; /* of the file being read; made terminal-safe here */
	uint64_t bytes;   /* read so far */
	uint64_t total;   /* to be read; 0: not known, as with a pipe */
	uint64_t statements;
	uint64_t rows; /* shown instead of the statements when there are more of them */
};

/*
 * Adds the line to out, at most width columns of it: what does not fit is left out, the least
 * important first, and the name is cut at its front. Adds nothing where not even the percentage
 * fits.
 */
void progress_format(
	const struct progress *progress, int64_t elapsed_us, size_t width, struct strbuf *out);

/* Begins a load. False when its progress will not be shown and need not be told. */
bool progress_begin(void);

/* Where the load is now; does nothing unless progress_begin was true. Cheap: call it often. */
void progress_update(const struct progress *progress);

/* Ends the load and takes the line away. Usable without progress_begin. */
void progress_end(void);

/*
 * For term/out.h. progress_make_room takes the line away because something else is to be printed;
 * progress_printed tells whether that ended with a newline, without which no line is shown.
 */
void progress_make_room(void);
void progress_printed(bool ends_line);

#endif
