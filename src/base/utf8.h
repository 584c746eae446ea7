/* UTF-8, decoded strictly (RFC 3629). */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/base.h"

/*
 * Decodes the character at text. Returns its length in bytes (1 to 4) and stores the code point, or
 * 0 when the bytes are not valid UTF-8 (overlong, surrogate, cut off). length must be at least 1.
 */
size_t utf8_decode(const char *text, size_t length, uint32_t *ret_code);

/*
 * Controls (C0, DEL, C1) and what else changes what a reader sees without being seen itself:
 * bidirectional controls, separators, zero-width and tag characters.
 */
bool utf8_is_hidden(uint32_t code);

#endif
