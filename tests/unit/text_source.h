/* A script's bytes from memory, in pieces of a chosen size: for the tests and fuzzers of the
 * reader. */
#ifndef UNIT_TEXT_SOURCE_H
#define UNIT_TEXT_SOURCE_H

#include "sql/reader.h"

#include <string.h>

struct input {
	const char *bytes;
	size_t length, at, chunk;
};

static inline ssize_t read_input(void *context, char *buffer, size_t size, struct err *err)
{
	struct input *input = context;
	size_t count = input->length - input->at;

	(void)err;
	if (count > size)
		count = size;
	if (count > input->chunk)
		count = input->chunk;
	memcpy(buffer, input->bytes + input->at, count);
	input->at += count;
	return (ssize_t)count;
}

#endif
