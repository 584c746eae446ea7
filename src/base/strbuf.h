/*
 * A growing byte buffer that is always NUL-terminated. Every buffer has a ceiling: growing past it
 * fails instead of eating the machine. A buffer reused after strbuf_reset keeps its memory.
 */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include "base/base.h"

#include <stdarg.h>

struct strbuf {
	char *data;      /* never NULL after strbuf_init or STRBUF_INIT; data[length] is NUL */
	size_t length;   /* bytes used, without the NUL */
	size_t capacity; /* bytes allocated; 0 while data is the shared empty string */
	size_t ceiling;  /* the largest length allowed */
};

extern char strbuf_empty[];

/* For text of our own making (messages, paths): ceiling 16 MiB. */
#define STRBUF_DEFAULT_CEILING ((size_t)16 << 20)
#define STRBUF_INIT                                                                                \
	{                                                                                          \
		.data = strbuf_empty, .ceiling = STRBUF_DEFAULT_CEILING                            \
	}

/* For text from outside whose size others have bounded, or with a ceiling of its own. */
#define STRBUF_INIT_CEILING(bytes)                                                                 \
	{                                                                                          \
		.data = strbuf_empty, .ceiling = (bytes)                                           \
	}
#define STRBUF_INIT_UNBOUNDED STRBUF_INIT_CEILING(SIZE_MAX / 2)

void strbuf_init(struct strbuf *buf, size_t ceiling);

/* Frees the memory; the buffer is as after strbuf_init. Usable as a CLEANUP handler. */
void strbuf_release(struct strbuf *buf);

/* The same after wiping the contents. */
void strbuf_release_secret(struct strbuf *buf);

/* Length 0, memory kept. */
void strbuf_reset(struct strbuf *buf);

/*
 * Makes room for extra more bytes. False when that would pass the ceiling; the buffer is then
 * unchanged. The other functions that add stop the program in that case (BUG), so whoever
 * adds text from outside asks first.
 */
bool strbuf_grow(struct strbuf *buf, size_t extra);

/* The same for a buffer that holds a secret: what it held is wiped when it moves. */
bool strbuf_grow_secret(struct strbuf *buf, size_t extra);

void strbuf_add(struct strbuf *buf, const void *bytes, size_t length);
void strbuf_adds(struct strbuf *buf, const char *text);
void strbuf_addc(struct strbuf *buf, char c);
void strbuf_addf(struct strbuf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
void strbuf_vaddf(struct strbuf *buf, const char *format, va_list arguments) PRINTF_LIKE(2, 0);

/* One word of a POSIX shell's command line, quoted where it has to be. */
void strbuf_add_shell_word(struct strbuf *buf, const char *word);

/* Cuts to length bytes, which must not be more than there are. */
void strbuf_truncate(struct strbuf *buf, size_t length);

/* Removes length bytes from the front. */
void strbuf_consume(struct strbuf *buf, size_t length);

/* Hands the string to the caller, who frees it with mem_free; the buffer is empty afterwards. */
char *strbuf_detach(struct strbuf *buf);

#endif
