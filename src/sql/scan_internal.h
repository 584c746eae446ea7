/* What the files of the lexer share among themselves. */
#ifndef SQL_SCAN_INTERNAL_H
#define SQL_SCAN_INTERNAL_H

#include "sql/scan.h"

typedef const unsigned char *cursor;

enum {
	SPACE = 1,
	WORD_START = 2,
	WORD_CONT = 4,
	TAG_CONT = 8, /* also what a psql variable's name is made of */
	DIGIT = 16,
};

extern const unsigned char scan_classes[256];

static inline bool is(unsigned char c, unsigned class)
{
	return (scan_classes[c] & class) != 0;
}

static inline bool is_newline(unsigned char c)
{
	return c == '\n' || c == '\r';
}

static inline cursor skip(cursor p, cursor end, unsigned class)
{
	while (p < end && is(*p, class))
		p++;
	return p;
}

/* The - or / before p is an operator after all. */
void scan_not_a_comment(struct scan *scan);

/* Each goes on in its state from p, at most to end, and returns how far it came. */
cursor scan_dollar(struct scan *scan, cursor p, cursor end);
cursor scan_dollar_body(struct scan *scan, cursor p, cursor end);
cursor scan_maybe_comment(struct scan *scan, cursor p);
cursor scan_line_comment(struct scan *scan, cursor p, cursor end);
cursor scan_comment(struct scan *scan, cursor p, cursor end);
cursor scan_string(struct scan *scan, cursor p, cursor end);
cursor scan_identifier(struct scan *scan, cursor p, cursor end);

/* At the end of the input, or of what replaces it for a while. */
void scan_end_comment(struct scan *scan);

#endif
