#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NORETURN void out_of_memory(void)
{
	fputs("error: out of memory\n", stderr);
	_Exit(1);
}

void *mem_calloc(size_t count, size_t size)
{
	void *pointer = calloc(count ? count : 1, size ? size : 1);

	if (!pointer)
		out_of_memory();
	return pointer;
}

void *mem_resize(void *pointer, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		out_of_memory();
	pointer = realloc(pointer, total ? total : 1);
	if (!pointer)
		out_of_memory();
	return pointer;
}

char *mem_strdup(const char *text)
{
	return text ? mem_strndup(text, strlen(text)) : NULL;
}

char *mem_strndup(const char *text, size_t length)
{
	size_t actual = strnlen(text, length);
	char *copy = mem_calloc(actual + 1, 1);

	memcpy(copy, text, actual);
	return copy;
}

char *mem_vprintf(const char *format, va_list arguments)
{
	char *text = NULL;

	if (vasprintf(&text, format, arguments) < 0)
		out_of_memory();
	return text;
}

char *mem_printf(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = mem_vprintf(format, arguments);
	va_end(arguments);
	return text;
}

void mem_free(void *pointer)
{
	free(pointer);
}

void mem_wipe(void *pointer, size_t length)
{
	volatile unsigned char *bytes = pointer;

	/* A volatile loop: explicit_bzero is missing on macOS. */
	while (length-- > 0)
		*bytes++ = 0;
}

void mem_free_secret(char *text)
{
	if (!text)
		return;
	mem_wipe(text, strlen(text));
	free(text);
}

void mem_cleanup(void *pointer_to_pointer)
{
	void *pointer;

	memcpy(&pointer, pointer_to_pointer, sizeof(pointer));
	free(pointer);
}

void mem_cleanup_secret(char **pointer_to_text)
{
	mem_free_secret(*pointer_to_text);
}

NORETURN void bug_at(const char *file, int line, const char *what)
{
	fprintf(stderr, "error: internal error at %s:%d: %s\n", file, line, what);
	abort();
}
