#include "sql/reader_internal.h"

#include "base/mem.h"

#include <string.h>

int reader_fill(struct script_reader *reader, struct err *err)
{
	size_t left = reader->end - reader->at;
	const char *nul;
	ssize_t count;

	if (reader->source_ended)
		return 0;
	if (left > 0 && reader->at > 0)
		memmove(reader->chunk, reader->chunk + reader->at, left);
	reader->limit -= reader->at;
	reader->at = 0;
	reader->end = left;
	count = reader->source.read(
		reader->source.context, reader->chunk + left, READER_CHUNK - left, err);
	if (count < 0) {
		reader->failed = true;
		return -1;
	}
	if (count == 0)
		reader->source_ended = true;
	reader->bytes += (uint64_t)count;
	if (reader->limit == left) {
		nul = memchr(reader->chunk + left, '\0', (size_t)count);
		reader->limit = nul ? (size_t)(nul - reader->chunk) : left + (size_t)count;
	}
	reader->end += (size_t)count;
	return 0;
}

/* Byte order mark; UTF-16, with such a mark or known by the NULs beside the first characters. */
int reader_start(struct script_reader *reader, struct err *err)
{
	const unsigned char *bytes = (const unsigned char *)reader->chunk;
	const char *encoding = NULL;

	while (reader->end < 4 && !reader->source_ended)
		if (reader_fill(reader, err))
			return -1;
	reader->started = true;
	if (reader->end >= 2 &&
		((bytes[0] == 0xff && bytes[1] == 0xfe) || (bytes[0] == 0xfe && bytes[1] == 0xff)))
		encoding = "UTF-16";
	else if (reader->end >= 2 && bytes[0] && !bytes[1])
		encoding = "UTF-16LE";
	else if (reader->end >= 2 && !bytes[0] && bytes[1])
		encoding = "UTF-16BE";
	if (encoding) {
		err_set(err, ERR_SQL, "script looks like UTF-16");
		err_hint(err, "Convert it to UTF-8, for example with \"iconv -f %s -t UTF-8\".",
			encoding);
		return reader_fail_here(reader, err);
	}
	if (reader->limit >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
		reader->at = 3;
		reader->position.offset = 3;
	}
	return 0;
}

int reader_nul_byte(struct script_reader *reader, struct err *err)
{
	err_set(err, ERR_SQL, "script holds a NUL byte");
	return reader_fail_here(reader, err);
}

/* --- variables ------------------------------------------------------------------------------- */

void reader_expand(struct script_reader *reader, const char *name, char *value)
{
	reader->expansions =
		mem_resize(reader->expansions, reader->depth + 1, sizeof(*reader->expansions));
	reader->expansions[reader->depth++] = (struct expansion){
		.name = mem_strdup(name), .value = value, .length = strlen(value)
	};
}

bool reader_is_expanding(const struct script_reader *reader, const char *name)
{
	for (size_t i = 0; i < reader->depth; i++)
		if (strcmp(reader->expansions[i].name, name) == 0)
			return true;
	return false;
}

/* Leaves the values that are used up. */
static void leave_expansions(struct script_reader *reader)
{
	while (reader->depth > 0) {
		struct expansion *top = &reader->expansions[reader->depth - 1];

		if (top->at < top->length)
			return;
		mem_free(top->name);
		mem_free(top->value);
		reader->depth--;
		scan_boundary(&reader->scan);
		if (reader->depth == 0 && reader->scan.first != SCAN_NONE)
			reader_piece(reader, false);
	}
}

/* --- what comes next ------------------------------------------------------------------------- */

static void end_rest(struct script_reader *reader)
{
	struct origin_detail *detail;

	strbuf_reset(&reader->rest);
	reader->rest_at = 0;
	reader->position = reader->resume;
	if (reader->scan.first == SCAN_NONE)
		return;
	detail = reader->detail;
	detail->joint = reader->origin.detail && detail->substituted ? detail->raw.length
								     : reader->text.length;
	detail->joint_position = reader->resume;
	reader->origin.detail = detail;
}

int reader_input(
	struct script_reader *reader, const char **ret_bytes, size_t *ret_length, struct err *err)
{
	leave_expansions(reader);
	if (reader->depth > 0) {
		struct expansion *top = &reader->expansions[reader->depth - 1];

		*ret_bytes = top->value + top->at;
		*ret_length = top->length - top->at;
		return 0;
	}
	if (reader->rest_at < reader->rest.length) {
		*ret_bytes = reader->rest.data + reader->rest_at;
		*ret_length = reader->rest.length - reader->rest_at;
		return 0;
	}
	if (reader->rest.length > 0)
		end_rest(reader);
	if (reader->at == reader->limit && reader->limit < reader->end)
		return reader_nul_byte(reader, err);
	if (reader->at == reader->end && reader_fill(reader, err))
		return -1;
	if (reader->at == reader->limit && reader->limit < reader->end)
		return reader_nul_byte(reader, err);
	*ret_bytes = reader->chunk + reader->at;
	*ret_length = reader->limit - reader->at;
	return 0;
}

int reader_rest_of_line(
	struct script_reader *reader, const char **ret_bytes, size_t *ret_length, struct err *err)
{
	const char *newline;
	size_t looked_at = 0;

	for (;;) {
		if (reader_input(reader, ret_bytes, ret_length, err))
			return -1;
		if (reader->depth > 0)
			return 0;
		newline = memchr(*ret_bytes + looked_at, '\n', *ret_length - looked_at);
		if (newline)
			*ret_length = (size_t)(newline - *ret_bytes);
		if (newline || reader->rest_at < reader->rest.length || reader->source_ended ||
			reader->limit < reader->end)
			return 0;
		looked_at = *ret_length;
		if (reader->at == 0 && reader->end == READER_CHUNK)
			return 0;
		if (reader_fill(reader, err))
			return -1;
	}
}

void reader_pass(struct script_reader *reader, const char *bytes, size_t length)
{
	if (reader->depth > 0) {
		reader->expansions[reader->depth - 1].at += length;
		return;
	}
	if (reader->rest_at < reader->rest.length)
		reader->rest_at += length;
	else
		reader->at += length;
	position_advance(&reader->position, bytes, length);
}
