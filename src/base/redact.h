/*
 * Hides passwords in text that is shown: connection URLs and connection strings may stand where
 * something else belongs, and would be repeated in the message about it.
 *
 * What is hidden, in favour of too much:
 * - the password in scheme://user:password@host, of any scheme, also where the whole is
 *   percent-encoded, and where characters stand in it that had to be encoded; in a text that begins
 *   with a URL of PostgreSQL blanks and quotes, too;
 * - the password in user:password@host where no blank and nothing else stands in the text;
 * - the value in password=value (any name that ends so, and libpq's other secrets), bare or in
 *   single quotes as libpq reads it, with blanks around the equals sign, and in a URL's query.
 * What was hidden before stays as it is. What SQL hides is for sql/mask.h.
 */
#ifndef BASE_REDACT_H
#define BASE_REDACT_H

#include "base/strbuf.h"

/* Appends text to out with *** in place of every password. */
void redact_add(struct strbuf *out, const char *text);

/* The same as a new string, which the caller owns. */
char *redact_text(const char *text);

#endif
