/*
 * Client encodings in which a byte under 128 can be the second, third or fourth of a character:
 * there a backslash byte need not be a backslash. The rules are those of PostgreSQL's
 * src/common/wchar.c (pg_encoding_mblen) and of psql, which hides such bytes from its scanner.
 */
#ifndef SQL_ENCODING_H
#define SQL_ENCODING_H

#include "base/base.h"

enum encoding {
	ENCODING_SAFE, /* every other one, UTF-8 included */
	ENCODING_SJIS, /* also SHIFT_JIS_2004 */
	ENCODING_BIG5,
	ENCODING_GBK,
	ENCODING_UHC,
	ENCODING_JOHAB,
	ENCODING_GB18030,
};

/*
 * By PostgreSQL's names and aliases as SET client_encoding takes them: case, hyphens, underscores
 * and other punctuation do not count ("shift_jis", "MSKANJI", "Win949", "gb-18030").
 */
enum encoding encoding_by_name(const char *name);

/* Where in a character the bytes fed so far have ended; zeroed: between two. */
struct encoding_state {
	unsigned left;  /* bytes of it to come */
	bool undecided; /* GB18030: the second byte decides whether two more follow */
};

/*
 * Writes length bytes to out in which the bytes of a character after its first are 0xff; bytes may
 * be cut anywhere. A newline ends a character that lacks bytes, as psql goes by lines; it is never
 * hidden. Not for ENCODING_SAFE.
 */
void encoding_hide(enum encoding encoding, struct encoding_state *state, const char *bytes,
	size_t length, char *out);

/*
 * How many of length bytes the character at bytes takes, one at least; 1 for ENCODING_SAFE. bytes
 * begin a character and are of one line. length must be at least 1.
 */
size_t encoding_step(enum encoding encoding, const char *bytes, size_t length);

#endif
