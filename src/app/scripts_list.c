#include "app/scripts.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "sql/mask.h"
#include "sql/script.h"
#include "term/out.h"
#include "term/safe.h"

#include <inttypes.h>
#include <string.h>

#define LINE_WIDTH 120
/* What is left for a statement behind a long file name. */
#define TEXT_LEAST 30
/* Enough of a statement to find what is secret in its first line. */
#define MASKED_MOST ((size_t)64 << 10)

struct listing {
	struct script *script;
	struct strbuf line; /* reused */
	uint64_t statements;
	uint64_t rows; /* lines of COPY data */
};

/* The first line of text without its secrets, terminal-safe. */
static void first_line(const char *text, size_t length, struct strbuf *out)
{
	CLEANUP(strbuf_release) struct strbuf masked = STRBUF_INIT;
	size_t end;

	sql_mask(text, length < MASKED_MOST ? length : MASKED_MOST, &masked);
	end = strcspn(masked.data, "\n");
	while (end > 0 && strchr(" \t\r", masked.data[end - 1]))
		end--;
	safe_add(out, masked.data, end, SAFE_LINE);
}

/* Adds as much of text as room columns hold, with "..." for the rest. */
static void add_cut(struct strbuf *out, const struct strbuf *text, size_t room)
{
	size_t at = 0, width = 0;

	if (safe_width(text->data, text->length) <= room) {
		strbuf_add(out, text->data, text->length);
		return;
	}
	for (;;) {
		uint32_t code;
		size_t size = utf8_decode(text->data + at, text->length - at, &code);

		size = size ? size : 1;
		width += safe_width(text->data + at, size);
		if (width > room - 3)
			break;
		at += size;
	}
	strbuf_add(out, text->data, at);
	strbuf_adds(out, "...");
}

/* One line: the place, text, and behind it what is never cut. */
static void print_item(struct listing *listing, const struct script_action *action,
	const struct strbuf *text, const struct strbuf *behind)
{
	const struct script_origin *origin = &action->statement.origin;
	const char *perhaps = script_is_uncertain(listing->script) ? "  (if the \\if holds)" : "";
	struct strbuf *line = &listing->line;
	size_t used, limit = out_width(LINE_WIDTH);

	strbuf_reset(line);
	safe_add(line, origin->file, strlen(origin->file), SAFE_LINE);
	strbuf_addf(line, ":%zu:%zu: ", origin->start.line, origin->start.column);
	used = safe_width(line->data, line->length) + safe_width(behind->data, behind->length) +
	       strlen(perhaps);
	add_cut(line, text, limit > used + TEXT_LEAST ? limit - used : TEXT_LEAST);
	strbuf_add(line, behind->data, behind->length);
	strbuf_adds(line, perhaps);
	strbuf_addc(line, '\n');
	out_raw(line->data, line->length);
}

static int read_data(struct listing *listing, struct strbuf *behind, struct err *err)
{
	uint64_t lines = 0, bytes = 0;
	const char *data;
	size_t length;
	int more = script_copy_begin(listing->script, err);

	if (more != 0)
		return -1;
	while ((more = script_copy_data(listing->script, &data, &length, err)) > 0) {
		const char *end = data + length;

		bytes += length;
		for (const char *c = data; (c = memchr(c, '\n', (size_t)(end - c))); c++)
			lines++;
	}
	if (more < 0)
		return -1;
	strbuf_addf(behind, "  (%" PRIu64 " line%s, %" PRIu64 " bytes of data)", lines,
		lines == 1 ? "" : "s", bytes);
	listing->rows += lines;
	return 0;
}

static void add_safe(struct strbuf *out, const char *text)
{
	safe_add(out, text, strlen(text), SAFE_LINE);
}

static int list_statement(
	struct listing *listing, const struct script_action *action, struct err *err)
{
	const struct script_statement *statement = &action->statement;
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
	CLEANUP(strbuf_release) struct strbuf behind = STRBUF_INIT;

	listing->statements++;
	first_line(statement->text, statement->length, &text);
	if (action->kind == SCRIPT_GSET) {
		strbuf_adds(&behind, " \\gset");
		if (*action->text) {
			strbuf_addc(&behind, ' ');
			add_safe(&behind, action->text);
		}
	} else if (action->kind == SCRIPT_GEXEC) {
		strbuf_adds(&behind, " \\gexec");
	}
	for (size_t i = 0; i < statement->copies; i++)
		if (read_data(listing, &behind, err) != 0)
			return -1;
	print_item(listing, action, &text, &behind);
	if (action->kind != SCRIPT_STATEMENT)
		script_assume_unknown(listing->script);
	return 0;
}

static int list_copy(struct listing *listing, const struct script_action *action, struct err *err)
{
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
	CLEANUP(strbuf_release) struct strbuf behind = STRBUF_INIT;
	const bool from = action->copy.from;

	listing->statements++;
	strbuf_adds(&text, "\\copy: ");
	first_line(action->statement.text, action->statement.length, &text);
	switch (action->copy.where) {
	case SCRIPT_COPY_FILE:
		strbuf_adds(&behind, from ? "  (from file \"" : "  (to file \"");
		add_safe(&behind, action->copy.file);
		strbuf_adds(&behind, "\")");
		break;
	case SCRIPT_COPY_SCRIPT:
		if (from && read_data(listing, &behind, err) != 0)
			return -1;
		break;
	case SCRIPT_COPY_PROCESS:
		strbuf_adds(&behind, from ? "  (from standard input)" : "  (to standard output)");
		break;
	}
	print_item(listing, action, &text, &behind);
	return 0;
}

static void list_connect(struct listing *listing, const struct script_action *action)
{
	const char *const words[] = { action->connect.database, action->connect.user,
		action->connect.host, action->connect.port };
	CLEANUP(strbuf_release) struct strbuf plain = STRBUF_INIT;
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
	CLEANUP(strbuf_release) struct strbuf behind = STRBUF_INIT;
	size_t count = ARRAY_SIZE(words);

	strbuf_adds(&plain, "\\connect");
	if (action->connect.conninfo) {
		strbuf_addf(&plain, " %s", action->connect.conninfo);
		count = 0;
	}
	while (count > 0 && !words[count - 1])
		count--;
	for (size_t i = 0; i < count; i++)
		strbuf_addf(&plain, " %s", words[i] ? words[i] : "-");
	first_line(plain.data, plain.length, &text);
	print_item(listing, action, &text, &behind);
}

static void list_encoding(struct listing *listing, const struct script_action *action)
{
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
	CLEANUP(strbuf_release) struct strbuf behind = STRBUF_INIT;

	strbuf_adds(&text, "\\encoding ");
	add_safe(&text, action->text);
	print_item(listing, action, &text, &behind);
}

/* 1 when there is more to come. */
static int list_next(struct listing *listing, struct err *err)
{
	struct script_action action = { .kind = SCRIPT_END };

	if (script_next(listing->script, &action, err) != 0)
		return -1;
	switch (action.kind) {
	case SCRIPT_END:
		return 0;
	case SCRIPT_STATEMENT:
	case SCRIPT_GSET:
	case SCRIPT_GEXEC:
		return list_statement(listing, &action, err) == 0 ? 1 : -1;
	case SCRIPT_COPY:
		return list_copy(listing, &action, err) == 0 ? 1 : -1;
	case SCRIPT_CONNECT:
		list_connect(listing, &action);
		return 1;
	case SCRIPT_ENCODING:
		list_encoding(listing, &action);
		return 1;
	case SCRIPT_PRINT:
	case SCRIPT_WARN:
		/* Does nothing with a database. */
		return 1;
	}
	BUG("an action of no kind");
}

static int list_file(const struct scripts *scripts, const struct load_file *file, struct err *err)
{
	const struct script_options options = {
		.variables = &scripts->variables, .keep_going = scripts->keep_going, .dry = true
	};
	const struct script_host host = { 0 };
	CLEANUP(script_cleanup) struct script *script = NULL;
	struct listing listing = { .line = STRBUF_INIT };
	int more;

	if (script_open(file->path, file->name, &options, &host, &script, err) != 0)
		return -1;
	listing.script = script;
	while ((more = list_next(&listing, err)) > 0)
		continue;
	strbuf_release(&listing.line);
	if (more < 0)
		return -1;
	out_info("%s: %" PRIu64 " statement%s, %" PRIu64 " row%s to copy; nothing was run",
		file->name, listing.statements, listing.statements == 1 ? "" : "s", listing.rows,
		listing.rows == 1 ? "" : "s");
	return 0;
}

int scripts_list(const struct scripts *scripts, struct err *err)
{
	for (size_t i = 0; i < scripts->count; i++)
		if (list_file(scripts, &scripts->files[i], err) != 0)
			return -1;
	return 0;
}
