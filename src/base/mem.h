/*
 * Memory. malloc and free appear only in base/; everything else asks here. Running out of memory
 * is not an error a caller can handle: these functions stop the program with a message instead of
 * returning NULL.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/base.h"

#include <stdarg.h>

/* Zeroed memory for count objects of size bytes; the caller owns it (mem_free). */
void *mem_calloc(size_t count, size_t size);

/* Changes the size of an array of count objects; pointer may be NULL. The old pointer is void. */
void *mem_resize(void *pointer, size_t count, size_t size);

/* Copies; the caller owns the copy. mem_strdup(NULL) is NULL. */
char *mem_strdup(const char *text);
char *mem_strndup(const char *text, size_t length);

/* A formatted string that the caller owns. */
char *mem_printf(const char *format, ...) PRINTF_LIKE(1, 2);
char *mem_vprintf(const char *format, va_list arguments) PRINTF_LIKE(1, 0);

void mem_free(void *pointer);

/* Overwrites length bytes so that the compiler cannot leave it out. */
void mem_wipe(void *pointer, size_t length);

/* Wipes a string to its end, then frees it; NULL is allowed. */
void mem_free_secret(char *text);

/* CLEANUP handlers: CLEANUP(mem_cleanup) char *path = …; */
void mem_cleanup(void *pointer_to_pointer);
void mem_cleanup_secret(char **pointer_to_text);

/* Stops the program: a broken invariant of our own, never bad input. Says what and where. */
NORETURN void bug_at(const char *file, int line, const char *what);
#define BUG(what) bug_at(__FILE__, __LINE__, what)

#endif
