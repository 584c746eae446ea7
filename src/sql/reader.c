#include "sql/reader.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "sql/classify.h"
#include "sql/position.h"
#include "sql/scan.h"

#include <string.h>

#define CHUNK ((size_t)256 << 10)

/* A buffer that one huge statement blew up is given back. */
#define KEPT_CAPACITY ((size_t)16 << 20)

/* Longest name of a meta-command that a message shows. */
#define COMMAND_NAME 32

struct script_reader {
	char *name;
	struct script_source source;
	struct scan scan;
	bool started;
	bool failed;

	/* What the source gave: bytes from at to end are still to be read; the first NUL stops at
	 * limit. */
	char *chunk;
	size_t at, limit, end;
	bool source_ended;
	uint64_t bytes;
	struct position position; /* of the next byte to be scanned */

	/* The statement (or the comment that may come before it): text, and where it begins. */
	struct strbuf text;
	struct position start;
	/* Where text holds a line that COPY data separated from what follows it: what follows
	 * begins at byte joint and stands at joint_position in the file. */
	size_t joint;
	struct position joint_position;

	/* The rest of the line of a COPY statement, scanned before the chunk; resume is the
	 * chunk's. */
	struct strbuf rest;
	size_t rest_at;
	struct position resume;

	/* COPY data: the position of the next data byte is resume or position. */
	bool in_line;     /* a part of the line has been returned */
	size_t looked_at; /* bytes from at that hold no newline */
	size_t copy_line;
};

struct script_reader *script_reader_new(const char *name, struct script_source source)
{
	struct script_reader *reader = mem_calloc(1, sizeof(*reader));

	reader->name = mem_strdup(name);
	reader->source = source;
	scan_init(&reader->scan);
	reader->chunk = mem_calloc(CHUNK, 1);
	reader->position = (struct position)POSITION_INIT;
	reader->start = reader->position;
	reader->joint = SIZE_MAX;
	strbuf_init(&reader->text, SCRIPT_STATEMENT_CEILING);
	strbuf_init(&reader->rest, SCRIPT_STATEMENT_CEILING);
	return reader;
}

void script_reader_free(struct script_reader *reader)
{
	if (!reader)
		return;
	scan_release(&reader->scan);
	strbuf_release(&reader->text);
	strbuf_release(&reader->rest);
	mem_free(reader->chunk);
	mem_free(reader->name);
	mem_free(reader);
}

void script_reader_cleanup(struct script_reader **reader)
{
	script_reader_free(*reader);
	*reader = NULL;
}

void script_reader_set_standard_strings(struct script_reader *reader, bool on)
{
	reader->scan.standard_strings = on;
}

size_t script_reader_copy_line(const struct script_reader *reader)
{
	return reader->copy_line;
}

uint64_t script_reader_bytes(const struct script_reader *reader)
{
	return reader->bytes;
}

const char *script_reader_name(const struct script_reader *reader)
{
	return reader->name;
}

/* --- errors ---------------------------------------------------------------------------------- */

static void place_set(
	const struct script_reader *reader, const struct position *position, struct err *err)
{
	struct err_place *place = &err->place;
	char *file = mem_strdup(reader->name);

	mem_free(place->file);
	mem_free(place->excerpt);
	*place = (struct err_place){
		.file = file, .line = position->line, .column = position->column
	};
}

void script_reader_place(const struct script_reader *reader, size_t byte_offset, struct err *err)
{
	const struct strbuf *text = &reader->text;
	size_t at = byte_offset < text->length ? byte_offset : text->length;
	struct position position = reader->start;

	if (at >= reader->joint) {
		position = reader->joint_position;
		position_advance(&position, text->data + reader->joint, at - reader->joint);
	} else {
		position_advance(&position, text->data, at);
	}
	place_set(reader, &position, err);
	position_excerpt(&reader->start, text->data, text->length, at, &err->place);
}

/* Gives err, which is set, the place of the next byte to be scanned. */
static int fail_here(struct script_reader *reader, struct err *err)
{
	reader->failed = true;
	if (reader->scan.first == SCAN_NONE) {
		strbuf_reset(&reader->text);
		reader->start = reader->position;
		reader->joint = SIZE_MAX;
	}
	script_reader_place(reader, reader->text.length, err);
	return -1;
}

/* --- input ----------------------------------------------------------------------------------- */

/* Reads more behind what the chunk still holds; at the end of the source does nothing. */
static int fill(struct script_reader *reader, struct err *err)
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
		reader->source.context, reader->chunk + left, CHUNK - left, err);
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
static int start(struct script_reader *reader, struct err *err)
{
	const unsigned char *bytes = (const unsigned char *)reader->chunk;
	const char *encoding = NULL;

	while (reader->end < 4 && !reader->source_ended)
		if (fill(reader, err))
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
		return fail_here(reader, err);
	}
	if (reader->limit >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
		reader->at = 3;
		reader->position.offset = 3;
	}
	return 0;
}

static int nul_byte(struct script_reader *reader, struct err *err)
{
	err_set(err, ERR_SQL, "script holds a NUL byte");
	return fail_here(reader, err);
}

/* What is to be scanned next; *ret_length is 0 at the end. */
static int input(
	struct script_reader *reader, const char **ret_bytes, size_t *ret_length, struct err *err)
{
	if (reader->rest_at < reader->rest.length) {
		*ret_bytes = reader->rest.data + reader->rest_at;
		*ret_length = reader->rest.length - reader->rest_at;
		return 0;
	}
	if (reader->rest.length > 0) {
		strbuf_reset(&reader->rest);
		reader->rest_at = 0;
		reader->position = reader->resume;
		reader->joint = reader->text.length;
		reader->joint_position = reader->resume;
	}
	if (reader->at == reader->limit && reader->limit < reader->end)
		return nul_byte(reader, err);
	if (reader->at == reader->end && fill(reader, err))
		return -1;
	if (reader->at == reader->limit && reader->limit < reader->end)
		return nul_byte(reader, err);
	*ret_bytes = reader->chunk + reader->at;
	*ret_length = reader->limit - reader->at;
	return 0;
}

/* The scanner has taken these bytes of the input: keeps the statement's part of them. */
static int keep(struct script_reader *reader, const char *bytes, size_t length, struct err *err)
{
	const struct scan *scan = &reader->scan;
	uint64_t begin = scan->fed - length;
	size_t before = 0;

	if (reader->rest_at < reader->rest.length)
		reader->rest_at += length;
	else
		reader->at += length;
	if (scan->first == SCAN_NONE || scan->first >= begin) {
		before = scan->first == SCAN_NONE ? length : (size_t)(scan->first - begin);
		strbuf_reset(&reader->text);
		position_advance(&reader->position, bytes, before);
		reader->start = reader->position;
		reader->joint = SIZE_MAX;
	}
	if (!strbuf_grow(&reader->text, length - before)) {
		reader->failed = true;
		err_set(err, ERR_SQL, "statement is larger than %zu MiB",
			SCRIPT_STATEMENT_CEILING >> 20);
		script_reader_place(reader, 0, err);
		return -1;
	}
	strbuf_add(&reader->text, bytes + before, length - before);
	position_advance(&reader->position, bytes + before, length - before);
	return 0;
}

/* --- statements ------------------------------------------------------------------------------ */

/*
 * A backslash outside quotes and comments is the next byte: reads the command's name. Everything
 * that deals with meta-commands starts here.
 */
static int meta_command(struct script_reader *reader, struct err *err)
{
	char name[COMMAND_NAME + 1];
	size_t length = 0, at;
	const char *bytes;

	/* The name ends at white space or at a further backslash; it may continue in the next
	 * chunk. */
	for (at = 1;; at++) {
		size_t left;

		if (reader->rest.length > 0) {
			bytes = reader->rest.data + reader->rest_at;
			left = reader->rest.length - reader->rest_at;
		} else {
			while (at >= reader->limit - reader->at && reader->limit == reader->end &&
				!reader->source_ended)
				if (fill(reader, err))
					return -1;
			bytes = reader->chunk + reader->at;
			left = reader->limit - reader->at;
		}
		if (at >= left || length == COMMAND_NAME || strchr(" \t\r\n\f\v\\", bytes[at]))
			break;
		name[length++] = bytes[at];
	}
	name[length] = '\0';
	if (length == 0)
		err_set(err, ERR_SQL, "stray backslash");
	else if (strcmp(name, ".") == 0)
		err_set(err, ERR_SQL, "end-of-copy mark \"\\.\" outside COPY data");
	else
		err_set(err, ERR_SQL, "psql meta-command \\%s is not supported", name);
	fail_here(reader, err);
	/* The excerpt shows the command without its arguments, which may be anybody's password. */
	if (strbuf_grow(&reader->text, length + 1)) {
		at = reader->text.length;
		strbuf_addf(&reader->text, "\\%s", name);
		script_reader_place(reader, at, err);
	}
	return -1;
}

static void fill_statement(struct script_reader *reader, struct script_statement *statement)
{
	*statement = (struct script_statement){
		.text = reader->text.data,
		.length = reader->text.length,
		.offset = reader->start.offset,
		.line = reader->start.line,
		.column = reader->start.column,
		.class = classify_statement(reader->text.data, reader->text.length, NULL),
	};
}

static int finish(struct script_reader *reader, struct script_statement *statement, struct err *err)
{
	uint64_t open, end;
	const char *what = scan_finish(&reader->scan, &open, &end);

	if (what) {
		reader->failed = true;
		err_set(err, ERR_SQL, "%s is never closed", what);
		script_reader_place(reader, (size_t)(open - reader->scan.first), err);
		return -1;
	}
	if (reader->scan.first == SCAN_NONE)
		return 0;
	strbuf_truncate(&reader->text, (size_t)(end - reader->scan.first));
	fill_statement(reader, statement);
	return 1;
}

int script_reader_next(
	struct script_reader *reader, struct script_statement *statement, struct err *err)
{
	if (reader->failed)
		return err_set(err, ERR_SQL, "script cannot be read any further");
	if (reader->text.capacity > KEPT_CAPACITY)
		strbuf_release(&reader->text);
	strbuf_reset(&reader->text);
	scan_next(&reader->scan);
	if (!reader->started && start(reader, err))
		return -1;
	for (;;) {
		enum scan_stop stop;
		const char *bytes = NULL;
		size_t length = 0;

		if (input(reader, &bytes, &length, err))
			return -1;
		if (length == 0)
			return finish(reader, statement, err);
		stop = scan_feed(&reader->scan, bytes, length, &length);
		if (keep(reader, bytes, length, err))
			return -1;
		if (stop == SCAN_BACKSLASH)
			return meta_command(reader, err);
		if (stop == SCAN_SEMICOLON && reader->scan.first != SCAN_NONE) {
			fill_statement(reader, statement);
			return 1;
		}
	}
}

/* --- COPY data ------------------------------------------------------------------------------- */

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
			fill(reader, err))
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
			script_reader_place(reader, 0, err);
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
	/* A second COPY on one line: its data follow those of the first. */
	if (reader->rest_at == reader->rest.length) {
		if (reader->rest.length > 0)
			reader->position = reader->resume;
		strbuf_reset(&reader->rest);
		if (take_rest_of_line(reader, err))
			return -1;
	}
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

	while (look < end && (newline = memchr(look, '\n', (size_t)(end - look)))) {
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
		place_set(reader, data_position(reader), err);
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
	script_reader_place(reader, 0, err);
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
			(reader->at == 0 && reader->end == CHUNK))
			return take_partial(reader, ret_data, ret_length, err);
		if (fill(reader, err))
			return -1;
	}
}
