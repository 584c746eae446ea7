/*
 * The script reader on arbitrary bytes. The first byte chooses the chunk size and the string rules,
 * the rest is the script. What must hold: the pieces are the same for every chunk size, stand in
 * order, and are what the file holds at their offset; the line and column of each are those of its
 * offset; masking does not stumble.
 */
#include "../unit/text_source.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "sql/classify.h"
#include "sql/mask.h"
#include "sql/reader.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		BUG("property of the script reader broken");
}

static void check_statement(
	const struct input *input, const struct script_statement *statement, bool changed)
{
	const struct position *start = &statement->origin.start;
	size_t line = 1;

	expect(statement->length > 0);
	expect(start->offset < input->length);
	for (size_t i = 0; i < start->offset; i++)
		line += input->bytes[i] == '\n';
	expect(line == start->line);
	/* After COPY data the rest of a line and what follows the data make one statement; "\;" and
	 * meta-commands in its midst are left out of the text. */
	if (changed || statement->origin.detail)
		return;
	expect(statement->length <= input->length - start->offset);
	expect(memcmp(statement->text, input->bytes + start->offset, statement->length) == 0);
}

static void copy(struct script_reader *reader, struct strbuf *trace, struct err *err)
{
	const char *data;
	size_t length;

	if (script_reader_copy_begin(reader, err))
		return;
	strbuf_addf(trace, "\ncopy %zu: ", script_reader_copy_line(reader));
	while (script_reader_copy_data(reader, &data, &length, err) > 0)
		strbuf_add(trace, data, length);
}

/* Everything the reader says about the input, as one text. */
static void run(struct input *input, bool standard_strings, struct strbuf *trace)
{
	struct script_source source = { read_input, input };
	CLEANUP(script_reader_cleanup)
	struct script_reader *reader = script_reader_new("fuzz", source);
	CLEANUP(err_release) struct err err = ERR_INIT;
	struct script_statement statement;
	uint64_t end = 0;
	bool joined = false, again = false;
	int result;

	script_reader_set_standard_strings(reader, standard_strings);
	while (err.kind == ERR_NONE &&
		(result = script_reader_next(reader, &statement, &err)) > 0) {
		if (result == 2) {
			strbuf_addf(trace, "\n\\%s", script_reader_command(reader));
			if (strcmp(script_reader_command(reader), "r") == 0)
				script_reader_discard(reader);
			if (strcmp(script_reader_command(reader), "g") != 0 ||
				!script_reader_send(reader, &statement))
				continue;
			again = true;
		}
		if (!again) {
			check_statement(input, &statement, joined);
			expect(joined || statement.origin.start.offset >= end);
			end = statement.origin.start.offset + statement.length;
		}
		again = false;
		strbuf_addf(trace, "\n%d %zu:%zu @%llu ", (int)statement.class,
			statement.origin.start.line, statement.origin.start.column,
			(unsigned long long)statement.origin.start.offset);
		strbuf_add(trace, statement.text, statement.length);
		origin_place(&statement.origin, statement.text, statement.length,
			statement.length / 2, &err);
		strbuf_addf(trace, "\n%zu:%zu %zu %s", err.place.line, err.place.column,
			err.place.excerpt_column, err.place.excerpt ? err.place.excerpt : "");
		if (statement.class == SCRIPT_CLASS_COPY_FROM_STDIN) {
			joined = true;
			copy(reader, trace, &err);
		}
	}
	if (err.kind != ERR_NONE)
		strbuf_addf(trace, "\n%s %zu:%zu %s", err.message, err.place.line, err.place.column,
			err.place.excerpt ? err.place.excerpt : "");
}

static void check_mask(const char *text, size_t length)
{
	CLEANUP(strbuf_release) struct strbuf masked = STRBUF_INIT;
	CLEANUP(mem_cleanup) char *copied = mem_strndup(text, length);
	CLEANUP(mem_cleanup) char *message = sql_mask_message(text, length, copied);
	CLEANUP(mem_cleanup) char *encoding = NULL;
	bool on, local;

	sql_mask(text, length, &masked);
	expect(message != NULL);
	classify_statement(text, length, NULL);
	classify_standard_strings(text, length, &on, &local);
	classify_changes_reading(text, length);
	classify_encoding(text, length, &encoding);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t chunks[] = { 1, 2, 3, 5, 7, 16, 64, 1000 };
	CLEANUP(strbuf_release) struct strbuf whole = STRBUF_INIT;
	CLEANUP(strbuf_release) struct strbuf cut = STRBUF_INIT;
	CLEANUP(mem_cleanup) char *bytes = NULL;
	struct input input;
	bool standard_strings;

	if (size == 0)
		return 0;
	standard_strings = (data[0] & 8) == 0;
	/* A copy of the exact size, so that the sanitizer sees every byte too far. */
	bytes = mem_calloc(size - 1, 1);
	memcpy(bytes, data + 1, size - 1);
	input = (struct input){ .bytes = bytes, .length = size - 1, .chunk = SIZE_MAX };
	run(&input, standard_strings, &whole);
	input = (struct input){ .bytes = bytes, .length = size - 1, .chunk = chunks[data[0] & 7] };
	run(&input, standard_strings, &cut);
	expect(whole.length == cut.length);
	expect(memcmp(whole.data, cut.data, whole.length) == 0);
	check_mask(bytes, size - 1);
	return 0;
}
