#include "term/out.h"

#include "base/mem.h"
#include "base/message.h"
#include "base/redact.h"
#include "base/utf8.h"
#include "term/progress.h"
#include "term/safe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLOR_STEP "\033[1;36m"
#define COLOR_ERROR "\033[1;31m"
#define COLOR_WARNING "\033[1;33m"
#define COLOR_HINT "\033[1m"
#define COLOR_OFF "\033[0m"

static struct {
	const char *program;
	bool color_allowed;
	bool quiet;
	int verbose;
	bool stdout_closed;
	bool stdout_terminal;
	int stdout_errno; /* first error that writing to stdout gave */
} state = { .program = "dbrig", .color_allowed = true };

/* A closed standard descriptor would be taken by the next file or socket that is opened, and what
 * we print would go there. */
static bool occupy(int fd, int flags)
{
	if (fcntl(fd, F_GETFD) >= 0)
		return false;
	if (open("/dev/null", flags) != fd)
		BUG("a standard descriptor cannot be replaced");
	return true;
}

void out_init(const char *program)
{
	state.program = program;
	/* Reading fails then, as it would of the closed one. */
	occupy(STDIN_FILENO, O_WRONLY);
	state.stdout_closed = occupy(STDOUT_FILENO, O_WRONLY);
	occupy(STDERR_FILENO, O_WRONLY);
	state.stdout_terminal = isatty(STDOUT_FILENO);
	/* A reader that went away is an error that out_finish reports; dying here could leave a
	 * database half made. */
	signal(SIGPIPE, SIG_IGN);
}

void out_set_color(bool allowed)
{
	state.color_allowed = allowed;
}

void out_set_quiet(bool quiet)
{
	state.quiet = quiet;
}

void out_set_verbose(int level)
{
	state.verbose = level;
}

int out_verbose(void)
{
	return state.verbose;
}

bool out_quiet(void)
{
	return state.quiet;
}

static bool colored(int fd)
{
	const char *no_color = getenv("NO_COLOR");
	const char *pg_color = getenv("PG_COLOR");
	const char *terminal = getenv("TERM");

	if (!state.color_allowed || (no_color && *no_color))
		return false;
	if (pg_color && strcmp(pg_color, "always") == 0)
		return true;
	if (pg_color && strcmp(pg_color, "never") == 0)
		return false;
	return isatty(fd) && terminal && strcmp(terminal, "dumb") != 0;
}

bool out_colored_stdout(void)
{
	return colored(STDOUT_FILENO);
}

bool out_colored_stderr(void)
{
	return colored(STDERR_FILENO);
}

static void flush_stdout(void)
{
	if (fflush(stdout) != 0 && !state.stdout_errno)
		state.stdout_errno = errno;
}

void out_raw(const char *bytes, size_t length)
{
	const bool ends_line = length == 0 || bytes[length - 1] == '\n';

	if (state.stdout_closed && !state.stdout_errno)
		state.stdout_errno = EBADF;
	if (state.stdout_terminal && length > 0)
		progress_make_room();
	if (fwrite(bytes, 1, length, stdout) != length && !state.stdout_errno)
		state.stdout_errno = errno;
	if (!state.stdout_terminal || length == 0)
		return;
	/* What stderr says next comes behind it. */
	if (!ends_line)
		flush_stdout();
	progress_printed(ends_line);
}

void out_script(const char *bytes, size_t length)
{
	CLEANUP(strbuf_release) struct strbuf safe = STRBUF_INIT_UNBOUNDED;

	if (state.stdout_terminal) {
		safe_add(&safe, bytes, length, SAFE_LINES);
		out_raw(safe.data, safe.length);
	} else {
		out_raw(bytes, length);
	}
	flush_stdout();
}

size_t out_width(size_t otherwise)
{
	struct winsize size;

	if (!state.stdout_terminal || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 ||
		size.ws_col == 0)
		return otherwise;
	return size.ws_col;
}

void out_data(const char *format, ...)
{
	CLEANUP(strbuf_release) struct strbuf safe = STRBUF_INIT_UNBOUNDED;
	CLEANUP(mem_cleanup) char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = message_vformat_data(format, arguments);
	va_end(arguments);
	safe_add(&safe, text, strlen(text), SAFE_LINES);
	out_raw(safe.data, safe.length);
}

int out_finish(struct err *err)
{
	flush_stdout();
	if (!state.stdout_errno)
		return 0;
	return err_set(err, ERR_FAILED, "could not write to standard output: %s",
		strerror(state.stdout_errno));
}

static bool in_github_actions(void)
{
	const char *actions = getenv("GITHUB_ACTIONS");

	return actions && *actions;
}

/* Under GitHub Actions such a line is a command to the runner. */
static bool is_command(const char *line)
{
	return in_github_actions() && (strncmp(line, "::", 2) == 0 || strncmp(line, "##[", 3) == 0);
}

/* A line that reads as one of those that out_error and out_warning begin. */
static bool is_labelled(const char *line)
{
	static const char *const labels[] = {
		"error:", "warning:", "detail:", "context:", "note:", "hint:"
	};
	const bool is_ours = strncmp(line, "db-", 3) == 0 || strncmp(line, "rds-", 4) == 0;

	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		if (strncasecmp(line, labels[i], strlen(labels[i])) == 0)
			return true;
	return is_ours && line[strspn(line, "abcdefghijklmnopqrstuvwxyz-")] == ':';
}

/*
 * Adds text from anywhere, terminal-safe. A blank before a line that has a meaning of its own makes
 * it text again: a server's words may hold a name with a newline.
 */
static void add_text(struct strbuf *out, const char *text)
{
	CLEANUP(mem_cleanup) char *safe = safe_text(text, SAFE_LINES);

	for (const char *c = safe; *c; c++) {
		const bool begins = out->length == 0 || out->data[out->length - 1] == '\n';

		if (begins && (is_command(c) || (c > safe && is_labelled(c))))
			strbuf_addc(out, ' ');
		strbuf_addc(out, *c);
	}
}

/* In one write, so that lines of several processes do not mix. */
static void write_stderr(const struct strbuf *text)
{
	progress_make_room();
	fwrite(text->data, 1, text->length, stderr);
	if (text->length > 0)
		progress_printed(text->data[text->length - 1] == '\n');
}

static void message(const char *color, const char *prefix, const char *format, va_list arguments)
{
	CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT_UNBOUNDED;
	CLEANUP(mem_cleanup) char *text = message_vformat(format, arguments);

	if (!out_colored_stderr())
		color = NULL;
	if (color)
		strbuf_adds(&line, color);
	strbuf_adds(&line, prefix);
	add_text(&line, text);
	if (color)
		strbuf_adds(&line, COLOR_OFF);
	strbuf_addc(&line, '\n');
	write_stderr(&line);
}

void out_step(const char *format, ...)
{
	va_list arguments;

	if (state.quiet)
		return;
	va_start(arguments, format);
	message(COLOR_STEP, "== ", format, arguments);
	va_end(arguments);
}

void out_info(const char *format, ...)
{
	va_list arguments;

	if (state.quiet)
		return;
	va_start(arguments, format);
	message(NULL, "", format, arguments);
	va_end(arguments);
}

void out_detail(const char *format, ...)
{
	va_list arguments;

	if (state.quiet || state.verbose < 1)
		return;
	va_start(arguments, format);
	message(NULL, "", format, arguments);
	va_end(arguments);
}

void out_script_warn(const char *bytes, size_t length)
{
	CLEANUP(mem_cleanup) char *copy = mem_strndup(bytes, length);
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT_UNBOUNDED;

	add_text(&text, copy);
	write_stderr(&text);
}

static void add_label(struct strbuf *out, const char *color, const char *label)
{
	bool colors = out_colored_stderr();

	if (colors)
		strbuf_adds(out, color);
	strbuf_adds(out, label);
	if (colors)
		strbuf_adds(out, COLOR_OFF);
	strbuf_addc(out, ' ');
}

void out_warning(const char *format, ...)
{
	CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
	CLEANUP(mem_cleanup) char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = message_vformat(format, arguments);
	va_end(arguments);
	strbuf_addf(&line, "%s: ", state.program);
	add_label(&line, COLOR_WARNING, "warning:");
	add_text(&line, text);
	strbuf_addc(&line, '\n');
	write_stderr(&line);
}

/* The file's line and a caret below the column. A tab takes four blanks in both. */
static void add_excerpt(struct strbuf *out, const struct err_place *place)
{
	CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
	size_t length = strlen(place->excerpt);
	size_t at = 0, column = 1, caret = 0;

	while (at < length) {
		uint32_t code;
		size_t size = utf8_decode(place->excerpt + at, length - at, &code);

		if (size == 0)
			size = 1;
		if (column++ == place->excerpt_column)
			caret = safe_width(line.data, line.length);
		if (place->excerpt[at] == '\t')
			strbuf_adds(&line, "    ");
		else
			safe_add(&line, place->excerpt + at, size, SAFE_LINE);
		at += size;
	}
	if (place->excerpt_column >= column)
		caret = safe_width(line.data, line.length);
	strbuf_addf(out, "%5zu | %s\n", place->line, line.data);
	if (place->excerpt_column > 0)
		strbuf_addf(out, "      | %*s^\n", (int)caret, "");
}

static void add_field(struct strbuf *out, const char *label, const char *text)
{
	if (!text || !*text)
		return;
	add_label(out, COLOR_HINT, label);
	add_text(out, text);
	strbuf_addc(out, '\n');
}

/* GitHub's workflow command, escaped as actions/toolkit does (command.ts). */
static void add_escaped(struct strbuf *out, const char *text, bool property)
{
	CLEANUP(mem_cleanup) char *safe = safe_text(text, SAFE_LINES);

	for (const char *c = safe; *c; c++) {
		if (strchr("%\r\n", *c) || (property && strchr(":,", *c)))
			strbuf_addf(out, "%%%02X", (unsigned char)*c);
		else
			strbuf_addc(out, *c);
	}
}

static void add_annotation(struct strbuf *out, const struct err *err)
{
	if (!in_github_actions() || !err->place.file)
		return;
	strbuf_adds(out, "::error file=");
	add_escaped(out, err->place.file, true);
	strbuf_addf(out, ",line=%zu", err->place.line);
	if (err->place.column)
		strbuf_addf(out, ",col=%zu", err->place.column);
	strbuf_adds(out, "::");
	add_escaped(out, err->message, false);
	strbuf_addc(out, '\n');
}

void out_error(const struct err *err)
{
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT_UNBOUNDED;
	CLEANUP(mem_cleanup) char *label = NULL;

	/* Data that were printed before the error come before it. */
	fflush(stdout);
	if (err->place.file) {
		safe_add(&text, err->place.file, strlen(err->place.file), SAFE_LINE);
		strbuf_addf(&text, ":%zu:", err->place.line);
		if (err->place.column)
			strbuf_addf(&text, "%zu:", err->place.column);
		strbuf_addc(&text, ' ');
		label = mem_printf("%s:", err->severity ? err->severity : "ERROR");
	} else {
		strbuf_addf(&text, "%s: ", state.program);
		label = mem_strdup("error:");
	}
	add_label(&text, COLOR_ERROR, label);
	if (err->sqlstate[0] && state.verbose > 0)
		strbuf_addf(&text, "%s: ", err->sqlstate);
	add_text(&text, err->message);
	strbuf_addc(&text, '\n');
	if (err->place.file && err->place.excerpt)
		add_excerpt(&text, &err->place);
	add_field(&text, "detail:", err->detail);
	add_field(&text, "context:", err->context);
	add_field(&text, "note:", err->note);
	add_field(&text, "hint:", err->hint);
	add_annotation(&text, err);
	write_stderr(&text);
}
