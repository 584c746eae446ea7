/* The data of COPY: a field that holds 'now' becomes the time of the load. */
#include "base/file.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "sql/inputs.h"
#include "sql/inputs_dates.h"

#include <string.h>
#include <unistd.h>

#define READ_SIZE ((size_t)1 << 20)

static size_t count_lines(const char *from, const char *to)
{
	size_t lines = 0;

	while ((from = memchr(from, '\n', (size_t)(to - from)))) {
		from++;
		lines++;
	}
	return lines;
}

void script_inputs_data(struct script_inputs *inputs, const char *file, size_t line,
	const char *data, size_t length)
{
	CLEANUP(mem_cleanup) char *what = NULL;
	size_t word_length;
	const char *word = dates_find(data, length, &word_length);

	if (!word)
		return;
	what = mem_printf("'%.*s' in the data", (int)word_length, word);
	script_inputs_varies(inputs, file, line + count_lines(data, word), what);
}

/* How much of it ends in a newline; all of it when none is there. */
static size_t whole_lines(const char *data, size_t length)
{
	const char *newline = memrchr(data, '\n', length);

	return newline ? (size_t)(newline - data) + 1 : length;
}

int script_inputs_data_file(struct script_inputs *inputs, const char *path, struct err *err)
{
	CLEANUP(fd_cleanup) int fd = -1;
	CLEANUP(mem_cleanup) char *buffer = mem_calloc(2 * READ_SIZE, 1);
	size_t held = 0, line = 1, varying = inputs->varying.count;
	ssize_t got = 1;

	if (input_open(path, path, &fd, err) != 0)
		return -1;
	while (got > 0 && inputs->varying.count == varying) {
		size_t whole;

		got = input_read(fd, path, buffer + held, READ_SIZE, err);
		if (got < 0)
			return -1;
		held += (size_t)got;
		whole = got > 0 ? whole_lines(buffer, held) : held;
		if (got > 0 && whole == held && held < READ_SIZE && buffer[held - 1] != '\n')
			continue;
		script_inputs_data(inputs, path, line, buffer, whole);
		line += count_lines(buffer, buffer + whole);
		held -= whole;
		memmove(buffer, buffer + whole, held);
	}
	return 0;
}
