/*
 * The lexer that finds statement boundaries: the rules of psql's scanner (PostgreSQL 15,
 * src/fe_utils/psqlscan.l) as a state machine that is fed bytes in pieces of any size and never
 * looks back. Where psql, which scans line by line, and the server disagree, the server is
 * followed: a quoted string goes on after white space that holds a newline ('a'⏎'b'), with the
 * rules of the string it continues.
 *
 * Offsets count the bytes fed since scan_init.
 */
#ifndef SQL_SCAN_H
#define SQL_SCAN_H

#include "base/strbuf.h"
#include "sql/atomic.h"

#define SCAN_NONE UINT64_MAX

enum scan_state {
	SCAN_INITIAL,
	SCAN_WORD,          /* identifier or keyword */
	SCAN_U_AMPERSAND,   /* U& */
	SCAN_INTEGER,       /* 12 */
	SCAN_INTEGER_DOT,   /* 12. */
	SCAN_FRACTION,      /* 12.3 */
	SCAN_EXPONENT_MARK, /* 12e */
	SCAN_EXPONENT_SIGN, /* 12e- */
	SCAN_DIGITS,        /* digits that no exponent can follow: of an exponent, of $12 */
	SCAN_JUNK,          /* 12abc */
	SCAN_DOT,           /* . */
	SCAN_DOLLAR,        /* $ */
	SCAN_DOLLAR_TAG,    /* $tag */
	SCAN_DOLLAR_BODY,   /* $tag$… */
	SCAN_DASH,          /* - */
	SCAN_SLASH,         /* / */
	SCAN_LINE_COMMENT,  /* --… */
	SCAN_COMMENT,       /* slash-star… */
	SCAN_COMMENT_STAR,  /* the same, after a star */
	SCAN_COMMENT_SLASH, /* the same, after a slash */
	SCAN_QUOTE,         /* '… without escapes */
	SCAN_QUOTE_END,     /* the same, after a quote that may be the first of two */
	SCAN_ESCAPE,        /* E'… */
	SCAN_ESCAPE_SLASH,  /* the same, after a backslash */
	SCAN_ESCAPE_END,    /* the same, after a quote that may be the first of two */
	SCAN_BITS,          /* B'… and X'…, where two quotes are not one */
	SCAN_IDENTIFIER,    /* "… */
};

struct scan {
	enum scan_state state;
	char sign;             /* with SCAN_EXPONENT_SIGN */
	bool standard_strings; /* a plain '…' has no backslash escapes; settable at any time */

	/* Of the statement being scanned. */
	uint64_t first; /* its first byte, which may be that of a comment; SCAN_NONE: none yet */
	uint64_t blank_from; /* where the white space and comments it ends with began */
	bool blank;          /* it ends with such */
	bool commented;      /* before it, or in its place, stands a comment that psql sends */
	bool leading;        /* so far it is only a comment, or what may become one */
	bool passed_over; /* a semicolon in what looks like the body of a routine ended nothing */
	size_t paren_depth;
	uint64_t paren_open; /* the outermost open parenthesis */
	uint64_t open;       /* the open quote, comment or dollar quote, as the state says */

	struct atomic atomic; /* also holds the word being read */
	size_t comment_depth;
	struct strbuf tag; /* $tag$ */
	size_t tag_match;  /* bytes of it met in the body */
	enum scan_state
		closed; /* state of the string just closed, which may be continued; or INITIAL */
	bool closed_newline; /* a newline has followed it */

	uint64_t fed;
	const unsigned char *base; /* the piece being scanned */
};

enum scan_stop {
	SCAN_MORE,      /* the piece is used up */
	SCAN_SEMICOLON, /* a statement ends with the last byte taken; first is SCAN_NONE when it is
			   empty */
	SCAN_BACKSLASH, /* a backslash outside quotes and comments is the next byte, not taken */
	SCAN_COLON,     /* a colon that may begin a reference to a variable is the next byte, not
			   taken; scan_take it if it is none */
};

void scan_init(struct scan *scan);
void scan_release(struct scan *scan);

/* Scans bytes up to a stop; *ret_taken says how many it took. */
enum scan_stop scan_feed(struct scan *scan, const char *bytes, size_t length, size_t *ret_taken);

/* Begins the next statement, after SCAN_SEMICOLON or scan_finish. */
void scan_next(struct scan *scan);

/* Begins the next statement although this one has not ended: open parentheses are forgotten. */
void scan_abandon(struct scan *scan);

/* After a stop: length bytes that are not fed are one token of the statement. */
void scan_take(struct scan *scan, size_t length);

/* The semicolon of "\;", which has been taken, separates what psql takes to be one statement. */
void scan_separate(struct scan *scan);

/* Words, numbers, operators and -- comments do not go on in what is fed next (the end of a
 * variable's value). */
void scan_boundary(struct scan *scan);

/* What the text of the statement is measured by, to go back to it (\if); taken after a stop. */
struct scan_mark {
	uint64_t first, blank_from, fed;
	bool blank;
	size_t paren_depth;
	uint64_t paren_open;
};

struct scan_mark scan_mark(const struct scan *scan);
void scan_back(struct scan *scan, const struct scan_mark *mark);

/*
 * The input is at its end. Returns what is left open there (its name for a message, *ret_open its
 * offset), or NULL. Without it first is SCAN_NONE when no statement is left; otherwise the
 * statement ends before *ret_end.
 */
const char *scan_finish(struct scan *scan, uint64_t *ret_open, uint64_t *ret_end);

#endif
