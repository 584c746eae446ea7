/* Where in a file one is, in lines and characters, and the line of it that an error shows. */
#ifndef SQL_POSITION_H
#define SQL_POSITION_H

#include "base/err.h"

/*
 * A place between two bytes. Lines end with a newline; columns count UTF-8 characters, and every
 * byte that belongs to none counts as one.
 */
struct position {
	uint64_t offset; /* bytes before it */
	size_t line;     /* from 1 */
	size_t column;   /* of the character that follows, from 1 */
	/* The character that has begun and is not yet complete: bytes to come, continuation bytes
	 * seen, and the range of the next. */
	unsigned char left, seen, low, high;
	/* What stands before it on its line, when that is only white space of moderate length. */
	bool blank;
	unsigned char indent_length;
	char indent[64];
};

#define POSITION_INIT                                                                              \
	{                                                                                          \
		.line = 1, .column = 1, .blank = true                                              \
	}

/* Moves over bytes; they may be cut anywhere. */
void position_advance(struct position *position, const char *bytes, size_t length);

/* Longest excerpt in characters. */
#define POSITION_EXCERPT 120

/*
 * Sets place's excerpt and excerpt_column: the line of text that holds byte at, as far as the text
 * goes. start is where the text begins in the file; when that is the line's first word, the
 * indentation is shown as well, otherwise "..." for what stands before. "..." also stands for what
 * is cut from a long line. Secrets are masked (sql/mask.h).
 */
void position_excerpt(const struct position *start, const char *text, size_t length, size_t at,
	struct err_place *place);

#endif
