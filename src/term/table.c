#include "term/table.h"

#include "base/mem.h"
#include "base/strlist.h"
#include "base/utf8.h"
#include "term/out.h"
#include "term/safe.h"

#include <ctype.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define GAP 2

struct table {
	const char *const *headers;
	size_t columns;
	struct strlist cells;
};

struct table *table_new(const char *const *headers, size_t columns)
{
	struct table *table = mem_calloc(1, sizeof(*table));

	table->headers = headers;
	table->columns = columns;
	return table;
}

void table_cleanup(struct table **table)
{
	if (!*table)
		return;
	strlist_release(&(*table)->cells);
	mem_free(*table);
}

void table_cell(struct table *table, const char *text)
{
	CLEANUP(strbuf_release) struct strbuf one_line = STRBUF_INIT_UNBOUNDED;
	CLEANUP(mem_cleanup) char *safe = NULL;

	for (const char *c = text ? text : ""; *c; c++) {
		if (!isspace((unsigned char)*c))
			strbuf_addc(&one_line, *c);
		else if (c[1] && !isspace((unsigned char)c[1]) && one_line.length > 0)
			strbuf_addc(&one_line, ' ');
	}
	safe = safe_text(one_line.data, SAFE_LINE);
	strlist_add(&table->cells, safe);
}

static size_t column_width(const struct table *table, size_t column)
{
	size_t width = strlen(table->headers[column]);

	for (size_t i = column; i < table->cells.count; i += table->columns) {
		const char *cell = table->cells.items[i];
		size_t needed = safe_width(cell, strlen(cell));

		width = needed > width ? needed : width;
	}
	return width;
}

/* Width of the terminal on stdout; 0: not a terminal, no limit. */
static size_t terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		return 0;
	return size.ws_col;
}

/* Cuts a line of safe text to so many columns. */
static void cut(struct strbuf *line, size_t limit)
{
	size_t at = 0, width = 0;

	while (limit > 0 && at < line->length) {
		uint32_t code;
		size_t size = utf8_decode(line->data + at, line->length - at, &code);

		size = size ? size : 1;
		width += safe_width(line->data + at, size);
		if (width > limit)
			break;
		at += size;
	}
	if (limit > 0)
		strbuf_truncate(line, at);
}

static void print_row(
	const struct table *table, const char *const *cells, const size_t *widths, size_t limit)
{
	CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT_UNBOUNDED;

	for (size_t i = 0; i < table->columns; i++) {
		strbuf_adds(&line, cells[i]);
		if (i + 1 < table->columns)
			strbuf_addf(&line, "%*s",
				(int)(widths[i] + GAP - safe_width(cells[i], strlen(cells[i]))),
				"");
	}
	cut(&line, limit);
	while (line.length > 0 && line.data[line.length - 1] == ' ')
		strbuf_truncate(&line, line.length - 1);
	strbuf_addc(&line, '\n');
	out_raw(line.data, line.length);
}

void table_print(const struct table *table)
{
	size_t limit = terminal_width();
	CLEANUP(mem_cleanup) size_t *widths = mem_calloc(table->columns, sizeof(*widths));

	for (size_t i = 0; i < table->columns; i++)
		widths[i] = column_width(table, i);
	print_row(table, table->headers, widths, limit);
	for (size_t i = 0; i + table->columns <= table->cells.count; i += table->columns)
		print_row(table, (const char *const *)table->cells.items + i, widths, limit);
}
