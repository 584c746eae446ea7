/*
 * Hides the passwords a statement carries (CREATE ROLE … PASSWORD '…', user mapping options,
 * subscription connection strings), so that the text may be shown.
 */
#ifndef SQL_MASK_H
#define SQL_MASK_H

#include "base/strbuf.h"

/*
 * Appends text to out with every string literal that follows the word PASSWORD (or a quoted or
 * unquoted option name that ends in password), and every literal after CONNECTION, replaced by
 * '***'. A literal that is not closed is masked to the end of the text.
 */
void sql_mask(const char *text, size_t length, struct strbuf *out);

/*
 * Replaces in message every occurrence of the contents of a literal that sql_mask would hide in text
 * (of 3 bytes and more) by ***: the server repeats tokens of a failed statement in its errors. Returns
 * a new string that the caller owns.
 */
char *sql_mask_message(const char *text, size_t length, const char *message);

#endif
