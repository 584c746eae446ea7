/*
 * A secret: a key, a token, a password. It is no string, so that it cannot be printed by mistake;
 * the one way to its text has a name that a search finds.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/base.h"

struct secret {
	char *text_; /* for secret.c only; NULL: not set */
	size_t length_;
};

#define SECRET_INIT                                                                                \
	{                                                                                          \
		0                                                                                  \
	}

/* Keeps a copy; an earlier value is wiped. */
void secret_set(struct secret *secret, const char *text, size_t length);

/* True when it holds at least one byte. */
bool secret_is_set(const struct secret *secret);

/*
 * The text, NUL-terminated, borrowed until the secret changes; "" when not set. For what sends or
 * signs, never for what prints.
 */
const char *secret_reveal(const struct secret *secret);
size_t secret_length(const struct secret *secret);

/* Wipes and frees; usable as a CLEANUP handler. */
void secret_release(struct secret *secret);

#endif
