#include "sql/position.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "sql/mask.h"

#include <string.h>

/* A first byte after which others follow, and what the second may be. */
static bool utf8_begin(struct position *position, unsigned char c)
{
	position->seen = 0;
	position->low = 0x80;
	position->high = 0xbf;
	if (c < 0xc2 || c > 0xf4)
		return false;
	if (c < 0xe0) {
		position->left = 1;
	} else if (c < 0xf0) {
		position->left = 2;
		if (c == 0xe0)
			position->low = 0xa0;
		if (c == 0xed)
			position->high = 0x9f;
	} else {
		position->left = 3;
		if (c == 0xf0)
			position->low = 0x90;
		if (c == 0xf4)
			position->high = 0x8f;
	}
	return true;
}

static void add_byte(struct position *position, unsigned char c)
{
	if (position->left > 0) {
		if (c >= position->low && c <= position->high) {
			position->left--;
			position->seen++;
			position->low = 0x80;
			position->high = 0xbf;
			return;
		}
		/* The character is broken: its first byte was counted, the others were not. */
		position->column += position->seen;
		position->left = 0;
	}
	position->column++;
	if (c >= 0x80)
		utf8_begin(position, c);
}

static bool eight_ascii(const char *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return (word & UINT64_C(0x8080808080808080)) == 0;
}

static void add_indent(struct position *position, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length && position->blank; i++) {
		char c = bytes[i];

		if ((c == ' ' || c == '\t' || c == '\r' || c == '\f') &&
			position->indent_length < sizeof(position->indent))
			position->indent[position->indent_length++] = c;
		else
			position->blank = false;
	}
}

void position_advance(struct position *position, const char *bytes, size_t length)
{
	const char *end = bytes + length;
	const char *newline;

	position->offset += length;
	while (bytes < end && (newline = memchr(bytes, '\n', (size_t)(end - bytes)))) {
		position->line++;
		position->column = 1;
		position->left = 0;
		position->blank = true;
		position->indent_length = 0;
		bytes = newline + 1;
	}
	add_indent(position, bytes, (size_t)(end - bytes));
	while (bytes < end) {
		if (position->left == 0 && end - bytes >= 8 && eight_ascii(bytes)) {
			position->column += 8;
			bytes += 8;
		} else {
			add_byte(position, (unsigned char)*bytes++);
		}
	}
}

/* A part of a text in which an excerpt is cut. */
struct window {
	size_t from, to;
	bool cut_before, cut_after;
};

/* The line around at, at most so many bytes to each side that cutting it to size stays cheap. */
static struct window find_line(const char *text, size_t length, size_t at)
{
	const size_t reach = (size_t)POSITION_EXCERPT * 4;
	struct window window = { .from = at, .to = at };

	while (window.from > 0 && text[window.from - 1] != '\n') {
		if (at - window.from == reach) {
			window.cut_before = true;
			break;
		}
		window.from--;
	}
	while (window.to < length && text[window.to] != '\n') {
		if (window.to - at == reach) {
			window.cut_after = true;
			break;
		}
		window.to++;
	}
	if (!window.cut_after && window.to > at && text[window.to - 1] == '\r')
		window.to--;
	return window;
}

static bool inside_character(const char *text, size_t length, size_t i)
{
	return i < length && ((unsigned char)text[i] & 0xc0) == 0x80;
}

/* Adds the window with its secrets masked; returns where in out the byte at lands. */
static size_t add_masked(
	const struct window *window, const char *text, size_t length, size_t at, struct strbuf *out)
{
	CLEANUP(sql_secrets_release) struct sql_secrets secrets = SQL_SECRETS_INIT;
	size_t done = window->from, landed = SIZE_MAX;

	sql_secrets_find(text, length, &secrets);
	for (size_t i = 0; i < secrets.count && secrets.items[i].start < window->to; i++) {
		const struct sql_secret *secret = &secrets.items[i];
		size_t from;

		if (secret->end <= done)
			continue;
		from = secret->start > done ? secret->start : done;
		if (landed == SIZE_MAX && at < from)
			landed = out->length + (at - done);
		strbuf_add(out, text + done, from - done);
		if (landed == SIZE_MAX && at < secret->end)
			landed = out->length;
		/* One that overlaps the last is hidden by the same mark. */
		if (secret->start >= done || done == window->from)
			strbuf_adds(out, secret->quoted ? "'***'" : "***");
		done = secret->end;
	}
	if (done > window->to)
		done = window->to;
	if (landed == SIZE_MAX)
		landed = out->length + (at > done ? at - done : 0);
	strbuf_add(out, text + done, window->to - done);
	return landed;
}

/* Cuts what lies more than half the excerpt's length from at, more where the other side is short.
 */
static void cut(struct strbuf *line, size_t *at, struct window *window)
{
	size_t from = *at, to = *at, before = 0,
	       after = 0; /* bytes, bytes, characters, characters */
	bool moved = true;

	while (moved && before + after < POSITION_EXCERPT) {
		moved = false;
		if (from > 0 && (before <= after || to >= line->length)) {
			do
				from--;
			while (from > 0 && inside_character(line->data, line->length, from));
			before++;
			moved = true;
		}
		if (to < line->length && (after < before || from == 0)) {
			do
				to++;
			while (inside_character(line->data, line->length, to));
			after++;
			moved = true;
		}
	}
	window->cut_after = window->cut_after || to < line->length;
	window->cut_before = window->cut_before || from > 0;
	strbuf_truncate(line, to);
	strbuf_consume(line, from);
	*at -= from;
}

void position_excerpt(const struct position *start, const char *text, size_t length, size_t at,
	struct err_place *place)
{
	CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
	CLEANUP(strbuf_release) struct strbuf excerpt = STRBUF_INIT;
	struct position column = POSITION_INIT;
	struct window window = find_line(text, length, at);

	if (window.from == 0 && !window.cut_before) {
		if (start->blank)
			strbuf_add(&line, start->indent, start->indent_length);
		else
			window.cut_before = true;
	}
	at = add_masked(&window, text, length, at, &line);
	cut(&line, &at, &window);
	if (window.cut_before)
		strbuf_adds(&excerpt, "...");
	strbuf_add(&excerpt, line.data, line.length);
	position_advance(&column, excerpt.data, at + (window.cut_before ? 3 : 0));
	if (window.cut_after)
		strbuf_adds(&excerpt, "...");
	mem_free(place->excerpt);
	place->excerpt = excerpt.length > 0 ? strbuf_detach(&excerpt) : NULL;
	place->excerpt_column = place->excerpt ? column.column : 0;
}
