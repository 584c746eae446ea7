/*
 * Hides the passwords a statement carries (CREATE ROLE … PASSWORD '…', user mapping options,
 * subscription connection strings), so that the text may be shown.
 *
 * What is hidden:
 * - a literal of any form ('…', E'…', $$…$$ and so on) after the word PASSWORD, after a quoted or
 *   unquoted name that ends in password, and after the word CONNECTION; white space, comments, an
 *   opening parenthesis, =, :=, => and TO may stand between, and literals that continue the first
 *   are hidden with it;
 * - where PASSWORD ends a string ('… PASSWORD ' || x), the literals in the operands that follow,
 * and those among the arguments of a template (format('… PASSWORD %L', x));
 * - the value in password=value without blanks, and the password in scheme://user:password@, as
 *   connection strings inside of literals hold them.
 *
 * The search hardly depends on what surrounds it (quotes, comments, function bodies): it rather
 * hides too much than loses its way. A quote that ends the string in which PASSWORD stands is taken
 * for that only where it reads so from the text's beginning and by what follows. A literal that is
 * not closed is hidden to the end of the text. Where a backslash may or may not escape a quote, the
 * longer reading is hidden.
 */
#ifndef SQL_MASK_H
#define SQL_MASK_H

#include "base/strbuf.h"

/*
 * Appends text to out with every hidden literal replaced by '***' and other hidden parts by ***.
 * What out's ceiling does not allow is left out.
 */
void sql_mask(const char *text, size_t length, struct strbuf *out);

/*
 * Replaces in message every occurrence of what sql_mask would hide in text (literals' contents, as
 * written and without their escapes; of less than 3 bytes only in quotes) by ***: the server
 * repeats tokens of a failed statement in its errors. Returns a new string that the caller owns.
 */
char *sql_mask_message(const char *text, size_t length, const char *message);

/* A hidden part of a text; content is the literal without its quotes. */
struct sql_secret {
	size_t start, end;
	size_t content_start, content_end;
	bool quoted;
};

struct sql_secrets {
	struct sql_secret *items; /* by start, the longer first; they may overlap */
	size_t count;
	size_t capacity;
};

#define SQL_SECRETS_INIT                                                                           \
	{                                                                                          \
		0                                                                                  \
	}

/* Finds what sql_mask hides. */
void sql_secrets_find(const char *text, size_t length, struct sql_secrets *secrets);
void sql_secrets_release(struct sql_secrets *secrets);

#endif
