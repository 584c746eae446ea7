#include "sql/reader.h"

#include "base/mem.h"
#include "sql/classify.h"
#include "sql/parts.h"
#include "sql/reader_internal.h"

#include <string.h>

/* A buffer that one huge statement blew up is given back. */
#define KEPT_CAPACITY ((size_t)16 << 20)

struct script_reader *script_reader_new(const char *name, struct script_source source)
{
	struct script_reader *reader = mem_calloc(1, sizeof(*reader));

	reader->name = name;
	reader->source = source;
	scan_init(&reader->scan);
	reader->chunk = mem_calloc(READER_CHUNK, 1);
	reader->position = (struct position)POSITION_INIT;
	reader->detail = origin_detail_new();
	reader->previous_detail = origin_detail_new();
	reader->origin.file = reader->name;
	reader->origin.start = reader->position;
	strbuf_init(&reader->text, SCRIPT_STATEMENT_CEILING);
	strbuf_init(&reader->previous_text, SCRIPT_STATEMENT_CEILING);
	strbuf_init(&reader->rest, SCRIPT_STATEMENT_CEILING);
	strbuf_init(&reader->reference, SCRIPT_STATEMENT_CEILING);
	return reader;
}

void script_reader_free(struct script_reader *reader)
{
	if (!reader)
		return;
	for (size_t i = 0; i < reader->depth; i++) {
		mem_free(reader->expansions[i].name);
		mem_free(reader->expansions[i].value);
	}
	mem_free(reader->expansions);
	scan_release(&reader->scan);
	strbuf_release(&reader->text);
	strbuf_release(&reader->previous_text);
	strbuf_release(&reader->rest);
	strbuf_release(&reader->reference);
	origin_detail_free(reader->detail);
	origin_detail_free(reader->previous_detail);
	mem_free(reader->command);
	mem_free(reader->chunk);

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

void script_reader_set_encoding(struct script_reader *reader, enum encoding encoding)
{
	if (reader->encoding != encoding)
		reader->encoding_state = (struct encoding_state){ 0 };
	reader->encoding = encoding;
}

void script_reader_set_variables(
	struct script_reader *reader, const struct slash_variables *variables)
{
	reader->variables = variables;
}

void script_reader_set_active(struct script_reader *reader, bool active)
{
	reader->inactive = !active;
}

uint64_t script_reader_bytes(const struct script_reader *reader)
{
	return reader->bytes;
}

size_t script_reader_line_number(const struct script_reader *reader)
{
	return reader->position.line;
}

const char *script_reader_name(const struct script_reader *reader)
{
	return reader->name;
}

/* --- errors ---------------------------------------------------------------------------------- */

void reader_place_set(
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

int reader_fail_here(struct script_reader *reader, struct err *err)
{
	reader->failed = true;
	if (reader->scan.first == SCAN_NONE || reader->inactive) {
		reader_place_set(reader, &reader->position, err);
		return -1;
	}
	origin_place(
		&reader->origin, reader->text.data, reader->text.length, reader->text.length, err);
	return -1;
}

static int fail_at(struct script_reader *reader, size_t at, struct err *err)
{
	reader->failed = true;
	origin_place(&reader->origin, reader->text.data, reader->text.length, at, err);
	return -1;
}

/* --- the query buffer ------------------------------------------------------------------------ */

struct origin_detail *reader_detail(struct script_reader *reader)
{
	struct origin_detail *detail = reader->detail;

	if (!detail->substituted) {
		detail->substituted = true;
		strbuf_reset(&detail->raw);
		strbuf_add(&detail->raw, reader->text.data, reader->text.length);
	}
	reader->origin.detail = detail;
	return detail;
}

void reader_piece(struct script_reader *reader, bool fixed)
{
	struct origin_detail *detail = reader_detail(reader);

	if (detail->count == detail->capacity) {
		detail->capacity = detail->capacity ? 2 * detail->capacity : 8;
		detail->pieces =
			mem_resize(detail->pieces, detail->capacity, sizeof(*detail->pieces));
	}
	detail->pieces[detail->count++] = (struct origin_piece){
		.text_at = reader->text.length, .raw_at = detail->raw.length, .fixed = fixed
	};
}

/* The statement begins at the next byte of the file. */
static void begin_statement(struct script_reader *reader, const struct position *start)
{
	strbuf_reset(&reader->text);
	reader->origin.start = *start;
	reader->origin.detail = NULL;
	reader->detail->substituted = false;
	reader->detail->count = 0;
	reader->detail->joint = SIZE_MAX;
	strbuf_reset(&reader->detail->raw);
}

/* A statement that begins within the value of a variable stands where its reference does. */
static void begin_in_expansion(struct script_reader *reader)
{
	begin_statement(reader, &reader->reference_position);
	reader_piece(reader, true);
	strbuf_add(&reader->detail->raw, reader->reference.data, reader->reference.length);
}

void reader_forget(struct script_reader *reader)
{
	if (reader->text.capacity > KEPT_CAPACITY)
		strbuf_release(&reader->text);
	if (reader->detail->raw.capacity > KEPT_CAPACITY)
		strbuf_release(&reader->detail->raw);
	begin_statement(reader, &reader->position);
	reader->several = false;
	reader->part = 0;
	reader->copies = 0;
	reader->copied = false;
	reader->returned = false;
}

/* What was handed out is now the one before. */
static void make_previous(struct script_reader *reader)
{
	struct strbuf text = reader->text;
	struct origin_detail *detail = reader->detail;
	struct script_origin origin = reader->origin;

	reader->text = reader->previous_text;
	reader->detail = reader->previous_detail;
	reader->previous_text = text;
	reader->previous_origin = origin;
	reader->previous_copies = reader->copies;
	reader->previous_detail = detail;
	reader_forget(reader);
}

static int too_large(struct script_reader *reader, struct err *err)
{
	err_set(err, ERR_SQL, "statement is larger than %zu MiB", SCRIPT_STATEMENT_CEILING >> 20);
	return fail_at(reader, 0, err);
}

/* The scanner has taken these bytes of the input: keeps the statement's part of them. */
static int keep(struct script_reader *reader, const char *bytes, size_t length, struct err *err)
{
	const struct scan *scan = &reader->scan;
	uint64_t begin = scan->fed - length;
	bool expanded = reader->depth > 0;
	size_t before = 0;

	if (reader->inactive) {
		reader_pass(reader, bytes, length);
		if (reader->text.length > 0 && !expanded)
			strbuf_add(&reader_detail(reader)->raw, bytes, length);
		return 0;
	}
	if (scan->first == SCAN_NONE || scan->first >= begin) {
		before = scan->first == SCAN_NONE ? length : (size_t)(scan->first - begin);
		reader_pass(reader, bytes, before);
		if (expanded)
			begin_in_expansion(reader);
		else
			begin_statement(reader, &reader->position);
	}
	if (!strbuf_grow(&reader->text, length - before))
		return too_large(reader, err);
	strbuf_add(&reader->text, bytes + before, length - before);
	if (reader->detail->substituted && !expanded)
		strbuf_add(&reader->detail->raw, bytes + before, length - before);
	reader_pass(reader, bytes + before, length - before);
	return 0;
}

int reader_take(struct script_reader *reader, const char *bytes, size_t length, const char *text,
	size_t text_length, struct err *err)
{
	bool expanded = reader->depth > 0, changed = text != bytes;

	if (reader->inactive) {
		scan_take(&reader->scan, length);
		return keep(reader, bytes, length, err);
	}
	if (reader->scan.first == SCAN_NONE) {
		if (expanded)
			begin_in_expansion(reader);
		else
			begin_statement(reader, &reader->position);
	}
	scan_take(&reader->scan, text_length);
	if (!strbuf_grow(&reader->text, text_length))
		return too_large(reader, err);
	if (changed && !expanded)
		reader_piece(reader, true);
	strbuf_add(&reader->text, text, text_length);
	if (reader->detail->substituted && !expanded)
		strbuf_add(&reader->detail->raw, bytes, length);
	if (changed && !expanded)
		reader_piece(reader, false);
	reader_pass(reader, bytes, length);
	return 0;
}

static bool is_copy(const char *text, size_t length)
{
	return classify_statement(text, length, NULL) == SCRIPT_CLASS_COPY_FROM_STDIN;
}

/* One of several statements has ended. */
static void end_part(struct script_reader *reader)
{
	const struct strbuf *text = &reader->text;

	if (is_copy(text->data + reader->part, text->length - reader->part))
		reader->copies++;
	reader->part = text->length;
	reader->several = true;
}

/* Where a semicolon ended nothing the server may see the end of a statement all the same. */
static void classify(const struct script_reader *reader, struct script_statement *statement)
{
	if (statement->several || reader->scan.passed_over)
		parts_classify(statement, reader->scan.standard_strings, reader->encoding);
	else
		statement->class = classify_statement(
			statement->text, statement->length, &statement->class_name);
}

static void fill_statement(struct script_reader *reader, struct script_statement *statement)
{
	*statement = (struct script_statement){
		.text = reader->text.data,
		.length = reader->text.length,
		.origin = reader->origin,
		.several = reader->several,
		.changes_reading = classify_changes_reading(reader->text.data, reader->text.length),
	};
	classify(reader, statement);
	if (reader->several)
		end_part(reader);
	else
		reader->copies = statement->class == SCRIPT_CLASS_COPY_FROM_STDIN;
	statement->copies = reader->copies;
	reader->returned = true;
}

/* --- meta-commands --------------------------------------------------------------------------- */

void reader_finish_command(struct script_reader *reader)
{
	const char *bytes = reader->command_bytes;
	size_t length;

	if (!bytes)
		return;
	length = (size_t)(reader->line.text - bytes) + reader->line.at;
	reader->command_bytes = NULL;
	/* In the midst of a statement, which goes on behind it. */
	if (reader->text.length > 0 && !reader->returned) {
		strbuf_add(&reader_detail(reader)->raw, bytes, length);
		reader_piece(reader, false);
	}
	reader_pass(reader, bytes, length);
}

/* A backslash outside quotes and comments is the next byte: 0 when SQL goes on, 2: a command. */
static int backslash(struct script_reader *reader, struct err *err)
{
	const char *bytes;
	size_t length, at = 1;

	if (reader_rest_of_line(reader, &bytes, &length, err) != 0)
		return -1;
	if (length > 1 && (bytes[1] == ';' || bytes[1] == ':')) {
		if (reader_take(reader, bytes, 2, bytes + 1, 1, err) != 0)
			return -1;
		if (bytes[1] == ';') {
			scan_separate(&reader->scan);
			end_part(reader);
		}
		return 0;
	}
	if (reader->depth > 0) {
		err_set(err, ERR_SQL,
			"a meta-command in the value of variable \"%s\" is not supported",
			reader->expansions[reader->depth - 1].name);
		return reader_fail_here(reader, err);
	}
	if (length >= READER_CHUNK) {
		err_set(err, ERR_SQL, "line of a meta-command is longer than %zu KiB",
			READER_CHUNK >> 10);
		return reader_fail_here(reader, err);
	}
	if (reader->rest.length == 0 && reader->limit < reader->end &&
		reader->at + length == reader->limit) {
		reader_pass(reader, bytes, length);
		return reader_nul_byte(reader, err);
	}
	while (at < length && !strchr(" \t\r\n\f\\", bytes[at]))
		at++;
	mem_free(reader->command);
	reader->command = mem_strndup(bytes + 1, at - 1);
	reader->command_bytes = bytes;
	reader->command_position = reader->position;
	reader->line = (struct slash_line){
		.text = bytes + at, .length = length - at, .encoding = reader->encoding
	};
	/* Data that follow it are its own. */
	reader->copied = false;
	return 2;
}

const char *script_reader_command(const struct script_reader *reader)
{
	return reader->command;
}

struct slash_line *script_reader_arguments(struct script_reader *reader)
{
	return &reader->line;
}

/* The arguments, which may be anybody's password, are not shown. */
void script_reader_command_origin(const struct script_reader *reader, struct script_origin *origin)
{
	*origin = (struct script_origin){ .file = reader->name, .start = reader->command_position };
}

bool script_reader_query(
	const struct script_reader *reader, const char **ret_text, size_t *ret_length)
{
	const struct strbuf *text =
		reader->text.length > 0 ? &reader->text : &reader->previous_text;

	*ret_text = text->data;
	*ret_length = text->length;
	/* A line that holds only meta-commands adds nothing, not even its beginning. */
	if (text->length > 0 && text->data[text->length - 1] == '\n')
		--*ret_length;
	if (reader->text.length == 0 && reader->scan.commented)
		*ret_length = 0;
	return reader->text.length > 0;
}

/* White space and comments at the end are no part of the statement. */
static void trim(struct script_reader *reader)
{
	const struct scan *scan = &reader->scan;
	size_t length = (size_t)((scan->blank ? scan->blank_from : scan->fed) - scan->first);

	if (length < reader->text.length)
		strbuf_truncate(&reader->text, length);
}

int script_reader_send(struct script_reader *reader, struct script_statement *statement)
{
	if (reader->text.length == 0) {
		/* A comment is all there is: psql sends that, and the server finds nothing in it.
		 */
		if (reader->scan.commented)
			strbuf_reset(&reader->previous_text);
		if (reader->previous_text.length == 0)
			return 0;
		reader->copied = false;
		*statement = (struct script_statement){ .text = reader->previous_text.data,
			.length = reader->previous_text.length,
			.origin = reader->previous_origin,
			.several = true,
			.changes_reading = true };
		classify(reader, statement);
		return 1;
	}
	trim(reader);
	fill_statement(reader, statement);
	return 1;
}

void script_reader_discard(struct script_reader *reader)
{
	reader_finish_command(reader);
	reader_forget(reader);
	scan_abandon(&reader->scan);
}

struct script_reader_mark script_reader_mark(const struct script_reader *reader)
{
	return (struct script_reader_mark){ .scan = scan_mark(&reader->scan),
		.length = reader->text.length,
		.part = reader->part,
		.copies = reader->copies,
		.several = reader->several };
}

void script_reader_back(struct script_reader *reader, const struct script_reader_mark *mark)
{
	/* The command itself was met behind what is taken back. */
	scan_back(&reader->scan, &mark->scan);
	reader->several = mark->several;
	reader->part = mark->part;
	reader->copies = mark->copies;
	strbuf_truncate(&reader->text, mark->length);
}

void script_reader_quit(struct script_reader *reader)
{
	reader_finish_command(reader);
	reader->quit = true;
}

/* --- statements ------------------------------------------------------------------------------ */

static int finish(struct script_reader *reader, struct script_statement *statement, struct err *err)
{
	uint64_t open, end;
	const char *what;

	if (reader->inactive)
		return 0;
	if (!reader->quit) {
		what = scan_finish(&reader->scan, &open, &end);
		if (what) {
			err_set(err, ERR_SQL, "%s is never closed", what);
			return fail_at(reader, (size_t)(open - reader->scan.first), err);
		}
	}
	if (reader->scan.first == SCAN_NONE)
		return 0;
	trim(reader);
	fill_statement(reader, statement);
	return 1;
}

/* Scans with the bytes hidden that are only parts of characters. */
static enum scan_stop feed_hidden(
	struct script_reader *reader, const char *bytes, size_t length, size_t *ret_taken)
{
	char hidden[4096];
	struct encoding_state state = reader->encoding_state;
	enum scan_stop stop;

	if (length > sizeof(hidden))
		length = sizeof(hidden);
	encoding_hide(reader->encoding, &state, bytes, length, hidden);
	stop = scan_feed(&reader->scan, hidden, length, ret_taken);
	encoding_hide(reader->encoding, &reader->encoding_state, bytes, *ret_taken, hidden);
	return stop;
}

/* One step: 0 to go on, else what script_reader_next returns; *ret_end at the end. */
static int step(struct script_reader *reader, struct script_statement *statement, bool *ret_end,
	struct err *err)
{
	enum scan_stop stop;
	const char *bytes = NULL;
	size_t length = 0;

	*ret_end = reader->quit;
	if (!reader->quit && reader_input(reader, &bytes, &length, err))
		return -1;
	if (length == 0) {
		*ret_end = true;
		return finish(reader, statement, err);
	}
	stop = reader->encoding == ENCODING_SAFE ? scan_feed(&reader->scan, bytes, length, &length)
						 : feed_hidden(reader, bytes, length, &length);
	if (keep(reader, bytes, length, err))
		return -1;
	switch (stop) {
	case SCAN_BACKSLASH:
		return backslash(reader, err);
	case SCAN_COLON:
		return reader_colon(reader, err);
	case SCAN_SEMICOLON:
		if (reader->inactive || reader->scan.first == SCAN_NONE) {
			scan_next(&reader->scan);
			if (!reader->inactive) {
				strbuf_reset(&reader->previous_text);
				strbuf_addc(&reader->previous_text, ';');
			}
			return 0;
		}
		fill_statement(reader, statement);
		return 1;
	default:
		return 0;
	}
}

int script_reader_next(
	struct script_reader *reader, struct script_statement *statement, struct err *err)
{
	bool end = false;
	int result = 0;

	if (reader->failed)
		return err_set(err, ERR_SQL, "script cannot be read any further");
	reader_finish_command(reader);
	if (reader->returned) {
		make_previous(reader);
		scan_abandon(&reader->scan);
	}
	if (!reader->started && reader_start(reader, err))
		return -1;
	while (result == 0 && !end)
		result = step(reader, statement, &end, err);
	return result;
}
