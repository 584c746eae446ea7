#include "term/progress.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "term/out.h"
#include "term/safe.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define FIRST_US 1000000
#define INTERVAL_US 100000
#define DEFAULT_WIDTH 80
#define ERASE "\r\033[K"
#define GAP 2
#define NAME_LEAST 12

static struct {
	bool active;
	bool shown;
	bool in_line; /* the cursor stands behind text of others */
	int64_t start_us, next_us;
} state;

/* The fields behind the name. */
struct fields {
	char percent[8], bytes[48], count[40], rate[32], left[32];
};

/* Powers of 1000; *ret_name is the unit. */
static double unit_of(uint64_t bytes, const char **ret_name)
{
	static const char *const names[] = { "B", "kB", "MB", "GB", "TB" };
	double unit = 1;
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(names) && (double)bytes >= unit * 1000) {
		unit *= 1000;
		i++;
	}
	*ret_name = names[i];
	return unit;
}

static void format_bytes(const struct progress *progress, char *buffer, size_t size)
{
	uint64_t largest = progress->bytes > progress->total ? progress->bytes : progress->total;
	const char *name;
	double unit = unit_of(largest, &name);
	int decimals = unit > 1 ? 1 : 0;

	if (progress->total > 0)
		snprintf(buffer, size, "%.*f of %.*f %s", decimals, (double)progress->bytes / unit,
			decimals, (double)progress->total / unit, name);
	else
		snprintf(buffer, size, "%.*f %s", decimals, (double)progress->bytes / unit, name);
}

static void format_count(const struct progress *progress, char *buffer, size_t size)
{
	bool rows = progress->rows > progress->statements;
	uint64_t count = rows ? progress->rows : progress->statements;

	snprintf(buffer, size, "%" PRIu64 " %s%s", count, rows ? "row" : "statement",
		count == 1 ? "" : "s");
}

static void format_rate(
	const struct progress *progress, int64_t elapsed_us, char *buffer, size_t size)
{
	double rate;

	if (elapsed_us <= 0)
		return;
	rate = (double)progress->bytes / (double)elapsed_us;
	if (rate < 1)
		snprintf(buffer, size, "%.0f kB/s", rate * 1000);
	else
		snprintf(buffer, size, "%.1f MB/s", rate);
}

static void format_left(
	const struct progress *progress, int64_t elapsed_us, char *buffer, size_t size)
{
	double seconds;
	unsigned whole;

	if (progress->bytes == 0 || progress->bytes >= progress->total || elapsed_us <= 0)
		return;
	seconds = (double)elapsed_us / 1e6 * (double)(progress->total - progress->bytes) /
		  (double)progress->bytes;
	/* A guess of days says nothing. */
	if (seconds >= 100 * 3600.0)
		return;
	whole = (unsigned)(seconds + 0.5);
	if (whole >= 3600)
		snprintf(buffer, size, "%u:%02u:%02u left", whole / 3600, whole / 60 % 60,
			whole % 60);
	else
		snprintf(buffer, size, "%u:%02u left", whole / 60, whole % 60);
}

static unsigned percent_of(const struct progress *progress)
{
	if (progress->bytes >= progress->total)
		return 100;
	return (unsigned)((double)progress->bytes / (double)progress->total * 100);
}

static void fill_fields(const struct progress *progress, int64_t elapsed_us, struct fields *fields)
{
	*fields = (struct fields){ 0 };
	if (progress->total > 0)
		snprintf(fields->percent, sizeof(fields->percent), "%3u%%", percent_of(progress));
	format_bytes(progress, fields->bytes, sizeof(fields->bytes));
	format_count(progress, fields->count, sizeof(fields->count));
	format_rate(progress, elapsed_us, fields->rate, sizeof(fields->rate));
	format_left(progress, elapsed_us, fields->left, sizeof(fields->left));
}

static void join(const struct fields *fields, struct strbuf *out)
{
	const char *const texts[] = { fields->percent, fields->bytes, fields->count, fields->rate,
		fields->left };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (*texts[i])
			strbuf_addf(out, "%s%s", out->length > 0 ? "  " : "", texts[i]);
}

/* The fields in so many columns; out stays empty where nothing fits. */
static void fit_fields(struct fields *fields, bool total, size_t width, struct strbuf *out)
{
	/* In the order in which they are given up; the percentage, or the bytes, stays. */
	char *const losers[] = { fields->rate, fields->count, total ? fields->bytes : fields->left,
		fields->left };

	for (size_t i = 0;; i++) {
		join(fields, out);
		if (out->length <= width)
			return;
		strbuf_reset(out);
		if (i == ARRAY_SIZE(losers))
			return;
		*losers[i] = '\0';
	}
}

/* name, without what is too much at its front, in at most width columns. */
static void add_name(struct strbuf *out, const char *name, size_t length, size_t width)
{
	size_t needed = safe_width(name, length), at = 0;

	if (needed > width && width > 3) {
		while (needed > width - 3) {
			uint32_t code;
			size_t size = utf8_decode(name + at, length - at, &code);

			size = size ? size : 1;
			needed -= safe_width(name + at, size);
			at += size;
		}
		strbuf_adds(out, "...");
	}
	if (needed <= width)
		strbuf_add(out, name + at, length - at);
}

/* Few sizes, so that the line does not jump about when a number gets longer. */
static void add_bar(struct strbuf *out, const struct progress *progress, size_t room)
{
	size_t width = room >= 34 ? 32 : room >= 18 ? 16 : room >= 10 ? 8 : 0;
	size_t filled = width * percent_of(progress) / 100;

	if (width == 0)
		return;
	strbuf_adds(out, "[");
	for (size_t i = 0; i < width; i++)
		strbuf_addc(out, i < filled ? '=' : ' ');
	strbuf_adds(out, "]  ");
}

void progress_format(
	const struct progress *progress, int64_t elapsed_us, size_t width, struct strbuf *out)
{
	CLEANUP(strbuf_release) struct strbuf tail = STRBUF_INIT;
	CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT_UNBOUNDED;
	struct fields fields;
	size_t name_width, reserved, room;

	safe_add(&name, progress->name, strlen(progress->name), SAFE_LINE);
	name_width = safe_width(name.data, name.length);
	reserved = (name_width < NAME_LEAST ? name_width : NAME_LEAST) + GAP;
	fill_fields(progress, elapsed_us, &fields);
	if (width > reserved)
		fit_fields(&fields, progress->total > 0, width - reserved, &tail);
	if (tail.length == 0) {
		/* Without the name, then. */
		fill_fields(progress, elapsed_us, &fields);
		fit_fields(&fields, progress->total > 0, width, out);
		return;
	}
	room = width - tail.length - GAP;
	add_name(out, name.data, name.length, room);
	strbuf_addf(out, "%*s", GAP, "");
	if (progress->total > 0 && room > name_width + GAP)
		add_bar(out, progress, room - name_width - GAP);
	strbuf_add(out, tail.data, tail.length);
}

static bool can_erase(void)
{
	const char *terminal = getenv("TERM");

	return isatty(STDERR_FILENO) && terminal && *terminal && strcmp(terminal, "dumb") != 0;
}

bool progress_begin(void)
{
	state.active = !out_quiet() && can_erase();
	state.start_us = clock_us();
	state.next_us = state.start_us + FIRST_US;
	return state.active;
}

static size_t terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return DEFAULT_WIDTH;
	return size.ws_col;
}

/* A job that was sent to the background leaves the terminal to the shell. */
static bool in_background(void)
{
	pid_t owner = tcgetpgrp(STDERR_FILENO);

	return owner > 0 && owner != getpgrp();
}

void progress_update(const struct progress *progress)
{
	CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT_UNBOUNDED;
	int64_t now;

	if (!state.active)
		return;
	now = clock_us();
	if (now < state.next_us)
		return;
	state.next_us = now + INTERVAL_US;
	if (state.in_line || in_background()) {
		state.shown = false;
		return;
	}
	/* The last column stays free: some terminals wrap when it is written to. */
	strbuf_adds(&line, "\r");
	progress_format(progress, now - state.start_us, terminal_width() - 1, &line);
	strbuf_adds(&line, "\033[K");
	fwrite(line.data, 1, line.length, stderr);
	state.shown = true;
}

void progress_make_room(void)
{
	if (!state.shown)
		return;
	state.shown = false;
	if (!in_background())
		fwrite(ERASE, 1, strlen(ERASE), stderr);
}

void progress_printed(bool ends_line)
{
	state.in_line = !ends_line;
}

void progress_end(void)
{
	progress_make_room();
	state.active = false;
}
