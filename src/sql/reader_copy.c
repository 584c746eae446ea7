#include "base/mem.h"
#include "sql/reader_internal.h"

#include <string.h>

size_t script_reader_copy_line(const struct script_reader *reader)
{
	return reader->copy_line;
}

/* The COPY statement is what was handed out last, or the one before it when \g sent that again. */
static void place_statement(const struct script_reader *reader, struct err *err)
{
	const struct strbuf *text = reader->returned ? &reader->text : &reader->previous_text;

	origin_place(reader->returned ? &reader->origin : &reader->previous_origin, text->data,
		text->length, 0, err);
}

static bool all_blank(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!strchr(" \t\r\n\f", text[i]))
			return false;
	return true;
}

/* Where the next data byte stands. */
static struct position *data_position(struct script_reader *reader)
{
	return reader->rest.length > 0 ? &reader->resume : &reader->position;
}

static int take_rest_of_line(struct script_reader *reader, struct err *err)
{
	const char *newline = NULL;

	reader->resume = reader->position;
	reader->rest_at = 0;
	while (!newline) {
		size_t length;

		if (reader->at == reader->limit && reader->limit == reader->end &&
			reader_fill(reader, err))
			return -1;
		length = reader->limit - reader->at;
		if (length == 0)
			break;
		newline = memchr(reader->chunk + reader->at, '\n', length);
		if (newline)
			length = (size_t)(newline - (reader->chunk + reader->at)) + 1;
		if (!strbuf_grow(&reader->rest, length)) {
			reader->failed = true;
			err_set(err, ERR_SQL, "line is larger than %zu MiB",
				SCRIPT_STATEMENT_CEILING >> 20);
			place_statement(reader, err);
			return -1;
		}
		strbuf_add(&reader->rest, reader->chunk + reader->at, length);
		position_advance(&reader->resume, reader->chunk + reader->at, length);
		reader->at += length;
	}
	if (all_blank(reader->rest.data, reader->rest.length)) {
		strbuf_reset(&reader->rest);
		reader->position = reader->resume;
	}
	return 0;
}

int script_reader_copy_begin(struct script_reader *reader, struct err *err)
{
	if (reader->failed)
		return err_set(err, ERR_SQL, "script cannot be read any further");
	reader_finish_command(reader);
	/* A second COPY on one line, or in one statement: its data follow those of the first. */
	if (reader->rest_at == reader->rest.length && !reader->copied) {
		if (reader->rest.length > 0)
			reader->position = reader->resume;
		strbuf_reset(&reader->rest);
		if (take_rest_of_line(reader, err))
			return -1;
	}
	reader->copied = true;
	reader->in_line = false;
	reader->looked_at = 0;
	reader->copy_line = data_position(reader)->line;
	return 0;
}

/* Whether a line, without its newline, is the end mark. */
static bool is_end_mark(const char *line, size_t length)
{
	return (length == 2 && memcmp(line, "\\.", 2) == 0) ||
	       (length == 3 && memcmp(line, "\\.\r", 3) == 0);
}

/* Of constant size, so that compilers make vector instructions of the loop over it. */
#define BLOCK 128

/*
 * How much of the text holds no line that begins with a backslash, in whole blocks; *lines grows by
 * its newlines. The byte behind a block tells whether its last newline begins such a line.
 */
static size_t plain_blocks(const char *text, size_t length, size_t *lines)
{
	size_t at = 0;

	for (; length - at > BLOCK; at += BLOCK) {
		const char *block = text + at;
		unsigned char newlines = 0, marks = 0;

		for (size_t i = 0; i < BLOCK; i++) {
			unsigned char newline = block[i] == '\n';

			newlines = (unsigned char)(newlines + newline);
			marks |= newline & (block[i + 1] == '\\');
		}
		if (marks)
			break;
		*lines += newlines;
	}
	return at;
}

/*
 * Takes whole lines of the chunk, up to an end mark; *ret_length is their length. Takes the mark
 * and returns true when it is what comes next.
 */
static bool take_lines(struct script_reader *reader, size_t *ret_length)
{
	const char *from = reader->chunk + reader->at, *end = reader->chunk + reader->limit;
	const char *line = from, *look = from + reader->looked_at, *newline;
	struct position *position = data_position(reader);
	bool mark = false;
	size_t lines = 0;

	while (look < end) {
		if (*line != '\\' || reader->in_line) {
			size_t before = lines,
			       plain = plain_blocks(look, (size_t)(end - look), &lines);

			if (lines > before) {
				line = (const char *)memrchr(look, '\n', plain) + 1;
				reader->in_line = false;
			}
			look += plain;
		}
		newline = memchr(look, '\n', (size_t)(end - look));
		if (!newline)
			break;
		if (*line == '\\' && !reader->in_line &&
			is_end_mark(line, (size_t)(newline - line))) {
			mark = true;
			break;
		}
		reader->in_line = false;
		line = look = newline + 1;
		lines++;
	}
	/* What was looked at and holds no newline. */
	reader->looked_at = mark ? 0 : (size_t)(end - line);
	*ret_length = (size_t)(line - from);
	if (mark && lines == 0) {
		lines++;
		line = newline + 1;
	}
	if (lines > 0)
		*position = (struct position){ .offset = position->offset + (uint64_t)(line - from),
			.line = position->line + lines,
			.column = 1,
			.blank = true };
	reader->at += (size_t)(line - from);
	return mark && *ret_length == 0;
}

/* The line at the chunk's front has no newline there: an error, an end, or a line to be cut. */
static int take_partial(
	struct script_reader *reader, const char **ret_data, size_t *ret_length, struct err *err)
{
	const char *from = reader->chunk + reader->at;
	size_t length = reader->limit - reader->at;

	if (reader->limit < reader->end) {
		reader->failed = true;
		position_advance(data_position(reader), from, length);
		err_set(err, ERR_SQL, "COPY data hold a NUL byte");
		reader_place_set(reader, data_position(reader), err);
		return -1;
	}
	position_advance(data_position(reader), from, length);
	reader->at += length;
	reader->looked_at = 0;
	if (length > 0 && reader->source_ended && !reader->in_line && is_end_mark(from, length))
		return 0;
	if (length > 0) {
		reader->in_line = true;
		*ret_data = from;
		*ret_length = length;
		return 1;
	}
	reader->failed = true;
	err_set(err, ERR_SQL, "COPY data end without the end mark \"\\.\"");
	err_hint(err, "The file may have been cut off.");
	place_statement(reader, err);
	return -1;
}

int script_reader_copy_data(
	struct script_reader *reader, const char **ret_data, size_t *ret_length, struct err *err)
{
	if (reader->failed)
		return err_set(err, ERR_SQL, "script cannot be read any further");
	for (;;) {
		const char *from = reader->chunk + reader->at;
		size_t length;

		if (take_lines(reader, &length))
			return 0;
		if (length > 0) {
			*ret_data = from;
			*ret_length = length;
			return 1;
		}
		if (reader->limit < reader->end || reader->source_ended ||
			(reader->at == 0 && reader->end == READER_CHUNK))
			return take_partial(reader, ret_data, ret_length, err);
		if (reader_fill(reader, err))
			return -1;
	}
}
