/*
 * The script engine on arbitrary bytes: meta-commands, variables, conditionals. The first byte
 * chooses the chunk size and whether the run is dry, the rest is the script. What must hold: all it
 * hands out is the same for every chunk size; places lie within the file; it comes to an end.
 */
#include "../unit/text_source.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "sql/script.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Variables can multiply a text without end. */
#define TRACE_CEILING ((size_t)4 << 20)

/* Newlines in the input. */
static size_t file_lines;

static void expect(bool holds)
{
	if (!holds)
		BUG("property of the script engine broken");
}

static int tell_status(void *context, struct script_status *status, struct err *err)
{
	(void)context;
	(void)err;
	*status = (struct script_status){ .known = true, .rows = 1, .last_message = "" };
	return 0;
}

static void add(struct strbuf *trace, const char *bytes, size_t length)
{
	if (bytes && trace->length + length < TRACE_CEILING)
		strbuf_add(trace, bytes, length);
}

static void add_place(struct strbuf *trace, const struct script_statement *statement)
{
	CLEANUP(err_release) struct err err = ERR_INIT;

	for (size_t i = 0; i < 3; i++) {
		origin_place(&statement->origin, statement->text, statement->length,
			i * statement->length / 2, &err);
		expect(err.place.line >= 1 && err.place.line <= file_lines + 1);
		expect(origin_line(&statement->origin, statement->text, statement->length,
			       i * statement->length / 2) == err.place.line);
		if (trace->length < TRACE_CEILING)
			strbuf_addf(trace, "%zu:%zu %zu ", err.place.line, err.place.column,
				err.place.excerpt_column);
	}
}

static bool has_data(const struct script_action *action)
{
	if (action->kind == SCRIPT_COPY)
		return action->copy.from && action->copy.where == SCRIPT_COPY_SCRIPT;
	return action->kind == SCRIPT_STATEMENT &&
	       action->statement.class == SCRIPT_CLASS_COPY_FROM_STDIN;
}

static void follow(struct script *script, const struct script_action *action, struct strbuf *trace,
	struct err *err)
{
	const char *data;
	size_t length;

	strbuf_addf(trace, "\n%d ", (int)action->kind);
	add(trace, action->text, action->text_length);
	if (action->statement.origin.file) {
		add(trace, action->statement.text, action->statement.length);
		add_place(trace, &action->statement);
	}
	if (action->kind == SCRIPT_GSET)
		script_gset(script, "x", "1", err);
	if (!has_data(action) || script_copy_begin(script, err) != 0)
		return;
	while (script_copy_data(script, &data, &length, err) > 0)
		add(trace, data, length);
}

/* Everything the engine says about the input, as one text. */
static void run(struct input *input, bool dry, struct strbuf *trace)
{
	struct script_source source = { read_input, input };
	const struct script_options options = { .dry = dry };
	const struct script_host host = { .status = tell_status };
	CLEANUP(script_cleanup)
	struct script *script = script_new("fuzz", source, &options, &host);
	struct script_action action = { .kind = SCRIPT_PRINT };

	while (action.kind != SCRIPT_END && trace->length < TRACE_CEILING) {
		CLEANUP(err_release) struct err err = ERR_INIT;

		if (script_next(script, &action, &err) == 0)
			follow(script, &action, trace, &err);
		if (err.kind == ERR_NONE)
			continue;
		strbuf_addf(trace, "\n%s %zu:%zu", err.message, err.place.line, err.place.column);
		if (!script_can_go_on(script))
			return;
	}
}

/* A file that is included would make the outcome depend on the machine, and \prompt waits. */
static bool is_harmless(const char *bytes, size_t length)
{
	for (size_t i = 0; i + 1 < length; i++)
		if (bytes[i] == '\\' && bytes[i + 1] == 'i' &&
			(i + 2 == length || bytes[i + 2] != 'f'))
			return false;
	return !memmem(bytes, length, "\\prompt", 7) && !memmem(bytes, length, "\\getenv", 7);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t chunks[] = { 1, 2, 3, 5, 7, 16, 64, 1000 };
	CLEANUP(strbuf_release) struct strbuf whole = STRBUF_INIT_UNBOUNDED;
	CLEANUP(strbuf_release) struct strbuf cut = STRBUF_INIT_UNBOUNDED;
	CLEANUP(mem_cleanup) char *bytes = NULL;
	struct input input = { 0 };
	bool dry;

	if (size == 0 || !is_harmless((const char *)data + 1, size - 1))
		return 0;
	dry = (data[0] & 8) != 0;
	/* A copy of the exact size, so that the sanitizer sees every byte too far. */
	bytes = mem_calloc(size - 1, 1);
	memcpy(bytes, data + 1, size - 1);
	file_lines = 0;
	for (size_t i = 0; i < size - 1; i++)
		file_lines += bytes[i] == '\n';
	input.bytes = bytes;
	input.length = size - 1;
	input.chunk = SIZE_MAX;
	run(&input, dry, &whole);
	input.at = 0;
	input.chunk = chunks[data[0] & 7];
	run(&input, dry, &cut);
	if (whole.length >= TRACE_CEILING || cut.length >= TRACE_CEILING)
		return 0;
	expect(whole.length == cut.length);
	expect(memcmp(whole.data, cut.data, whole.length) == 0);
	return 0;
}
