/* SHA-256 of what comes in pieces. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/base.h"

/* 64 hexadecimal digits in lower case and a NUL. */
#define DIGEST_HEX_SIZE 65

struct digest {
	void *state; /* OpenSSL's; NULL: not begun */
};

#define DIGEST_INIT                                                                                \
	{                                                                                          \
		0                                                                                  \
	}

/* Adds bytes as they are. */
void digest_add(struct digest *digest, const void *bytes, size_t length);

/*
 * Adds a text with its length in front, so that texts never run into each other; NULL differs from
 * "".
 */
void digest_add_text(struct digest *digest, const char *text);

/* The digest of all that was added; the object is as new afterwards. */
void digest_end(struct digest *digest, char ret_hex[static DIGEST_HEX_SIZE]);

/* Usable as a CLEANUP handler. */
void digest_release(struct digest *digest);

#endif
