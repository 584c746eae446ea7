#include "app/holdings.h"

#include "app/rds_host.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "pg/holdings.h"
#include "pg/protection.h"
#include "pg/sibling.h"
#include "term/out.h"
#include "term/safe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* All of it, and of that what the server and what AWS may take. */
#define LIMIT_MS 10000
#define SERVER_MS 5000
#define AWS_MS 3000

/* Of 80 columns, what a name may take. */
#define NAME_COLUMNS 20
#define TABLE_COLUMNS 38

#define LABEL_WIDTH 9

static const char not_known[] = "not known: ";

/* --- words ------------------------------------------------------------------------------------ */

/* Safe text of so many columns at most, "…" included; the caller owns it. */
static char *shorten(const char *text, size_t columns)
{
	char *safe = safe_text(text, SAFE_LINE);
	size_t length = strlen(safe), at = 0, width = 0;
	char *cut;

	if (safe_width(safe, length) <= columns)
		return safe;
	while (at < length) {
		uint32_t code;
		size_t size = utf8_decode(safe + at, length - at, &code);

		size = size ? size : 1;
		width += safe_width(safe + at, size);
		if (width > columns - 1)
			break;
		at += size;
	}
	cut = mem_printf("%.*s…", (int)at, safe);
	mem_free(safe);
	return cut;
}

/* "1.4 GB", in units of 1024 as the server's own; the caller owns it. */
static char *format_size(int64_t bytes)
{
	static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB", "PB" };
	double size = (double)bytes;
	size_t unit = 0;

	while (size >= 1000 && unit + 1 < ARRAY_SIZE(units)) {
		size /= 1024;
		unit++;
	}
	/* "8 kB", not "8.0 kB". */
	return mem_printf("%.*f %s", size < 9.95 && size * 10 - (double)(int)size * 10 >= 0.5, size,
		units[unit]);
}

/* "3,400,000"; the caller owns it. */
static char *format_count(int64_t count)
{
	CLEANUP(mem_cleanup) char *digits = mem_printf("%" PRId64, count);
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0, left = strlen(digits); left > 0; i++, left--) {
		if (i > 0 && left % 3 == 0)
			strbuf_addc(&text, ',');
		strbuf_addc(&text, digits[i]);
	}
	return strbuf_detach(&text);
}

/* What went wrong, in a line: the server's own words before ours. The caller owns it. */
static char *reason(const struct err *err)
{
	const char *text = err->detail ? err->detail : err->message;
	const char *about = strstr(text, "FATAL: ");
	CLEANUP(mem_cleanup) char *line = NULL;

	/* After libpq's words about the connection. */
	text = about ? about + strlen("FATAL: ") : text;
	line = mem_strndup(text, strcspn(text, "\n"));
	return safe_text(line, SAFE_LINE);
}

/* A line below the heading; the label is empty when the line goes on with the one above. */
static void tell(const char *label, const char *text)
{
	out_info("  %-*s %s", LABEL_WIDTH, label, text);
}

static void tell_unknown(const char *label, const struct err *why)
{
	CLEANUP(mem_cleanup) char *words = reason(why);
	CLEANUP(mem_cleanup) char *text = mem_printf("%s%s", not_known, words);

	tell(label, text);
}

static const char *plural(long count)
{
	return count == 1 ? "" : "s";
}

/* --- the database ----------------------------------------------------------------------------- */

static void tell_made(const struct mark *mark)
{
	CLEANUP(mem_cleanup) char *user = shorten(mark->user ? mark->user : "", NAME_COLUMNS);
	CLEANUP(mem_cleanup) char *host = shorten(mark->host ? mark->host : "", NAME_COLUMNS);
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
	time_t at = (time_t)mark->at;
	int64_t age = (int64_t)(time(NULL) - at);
	char day[32], buffer[32];
	struct tm parts;

	if (mark->kind != MARK_MADE || mark->at <= 0 || !gmtime_r(&at, &parts) ||
		strftime(day, sizeof(day), "%Y-%m-%d %H:%M UTC", &parts) == 0)
		return;
	strbuf_adds(&text, day);
	if (age >= 0)
		strbuf_addf(&text, ", %s ago", clock_format_age(age, buffer, sizeof(buffer)));
	if (*user)
		strbuf_addf(&text, ", by %s", user);
	if (*host)
		strbuf_addf(&text, " on %s", host);
	tell("made", text.data);
}

static void tell_size(const struct holdings *holdings)
{
	CLEANUP(mem_cleanup) char *size = format_size(holdings->bytes);

	if (holdings->unknown[HOLDINGS_SIZE].kind != ERR_NONE)
		tell_unknown("size", &holdings->unknown[HOLDINGS_SIZE]);
	else
		tell("size", size);
}

static void tell_database(const struct holdings *holdings)
{
	CLEANUP(mem_cleanup) char *owner = safe_text(holdings->owner, SAFE_LINE);

	if (owner)
		tell("owner", owner);
	else
		tell_unknown("owner", &holdings->unknown[HOLDINGS_DATABASE]);
	tell_made(&holdings->mark);
	tell_size(holdings);
}

/* --- tables ----------------------------------------------------------------------------------- */

/* "about 3,400,000 rows"; the caller owns it. */
static char *describe_rows(const struct holdings_table *table)
{
	CLEANUP(mem_cleanup) char *count = format_count(table->rows);

	if (table->rows < 0)
		return mem_strdup("never analyzed");
	return mem_printf("%s %s row%s", table->at_least ? "at least" : "about", count,
		plural(table->rows == 1 ? 1 : 2));
}

static void tell_tables(const struct holdings *holdings)
{
	char *sizes[HOLDINGS_MOST], *rows[HOLDINGS_MOST];
	size_t size_width = 0, rows_width = 0;

	for (size_t i = 0; i < holdings->tables_shown; i++) {
		sizes[i] = format_size(holdings->tables[i].bytes);
		rows[i] = describe_rows(&holdings->tables[i]);
		size_width = strlen(sizes[i]) > size_width ? strlen(sizes[i]) : size_width;
		rows_width = strlen(rows[i]) > rows_width ? strlen(rows[i]) : rows_width;
	}
	for (size_t i = 0; i < holdings->tables_shown; i++) {
		CLEANUP(mem_cleanup)
		char *name = shorten(holdings->tables[i].name, TABLE_COLUMNS);
		CLEANUP(mem_cleanup)
		char *line = mem_printf(
			"%*s  %-*s  %s", (int)size_width, sizes[i], (int)rows_width, rows[i], name);

		tell("", line);
		mem_free(sizes[i]);
		mem_free(rows[i]);
	}
}

static void tell_objects(const struct holdings *holdings)
{
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

	if (holdings->unknown[HOLDINGS_TABLES].kind != ERR_NONE) {
		tell_unknown("holds", &holdings->unknown[HOLDINGS_TABLES]);
		return;
	}
	strbuf_addf(&text, "%ld table%s", holdings->table_count, plural(holdings->table_count));
	if (holdings->unknown[HOLDINGS_OBJECTS].kind == ERR_NONE)
		strbuf_addf(&text, ", %ld view%s, %ld function%s", holdings->view_count,
			plural(holdings->view_count), holdings->function_count,
			plural(holdings->function_count));
	if ((size_t)holdings->table_count > holdings->tables_shown)
		strbuf_adds(&text, "; the largest");
	if (holdings->estimated)
		strbuf_adds(&text, "; sizes are estimates");
	tell("holds", text.data);
	tell_tables(holdings);
}

/* --- sessions --------------------------------------------------------------------------------- */

static void tell_group(const struct holdings_sessions *group)
{
	CLEANUP(mem_cleanup)
	char *user = shorten(group->user ? group->user : "a dropped role", NAME_COLUMNS);
	CLEANUP(mem_cleanup)
	char *application = shorten(group->application ? group->application : "", NAME_COLUMNS);
	CLEANUP(mem_cleanup) char *client = safe_text(group->client, SAFE_LINE);
	CLEANUP(mem_cleanup)
	char *line = mem_printf("%ld of %s%s%s%s%s", group->count, user, *application ? ", " : "",
		application, client ? ", " : "", client ? client : "");

	tell("", line);
}

static void tell_sessions(const struct holdings *holdings)
{
	long told = 0;
	CLEANUP(mem_cleanup) char *count = mem_printf("%ld", holdings->session_count);
	CLEANUP(mem_cleanup) char *more = NULL;

	if (holdings->unknown[HOLDINGS_SESSIONS].kind != ERR_NONE) {
		tell_unknown("sessions", &holdings->unknown[HOLDINGS_SESSIONS]);
		return;
	}
	tell("sessions", holdings->session_count > 0 ? count : "none");
	for (size_t i = 0; i < holdings->session_groups; i++) {
		tell_group(&holdings->sessions[i]);
		told += holdings->sessions[i].count;
	}
	if (told < holdings->session_count) {
		more = mem_printf("and %ld more", holdings->session_count - told);
		tell("", more);
	}
}

/* What no script brings back. */
static void tell_besides(const struct holdings *holdings)
{
	if (holdings->unknown[HOLDINGS_BESIDES].kind != ERR_NONE)
		tell_unknown("besides", &holdings->unknown[HOLDINGS_BESIDES]);
	else if (holdings->besides)
		tell("besides", holdings->besides);
}

/* --- backups ---------------------------------------------------------------------------------- */

/* ", 5h10m ago"; nothing when the age is not known. The caller owns it. */
static char *describe_age(int64_t seconds)
{
	char buffer[32];

	if (seconds < 0)
		return mem_strdup("");
	return mem_printf(", %s ago", clock_format_age(seconds, buffer, sizeof(buffer)));
}

static void tell_backups(const struct rds_backups *backups)
{
	CLEANUP(mem_cleanup) char *snapshot_age = describe_age(backups->snapshot_age);
	CLEANUP(mem_cleanup) char *restorable_age = describe_age(backups->restorable_age);
	CLEANUP(mem_cleanup)
	char *snapshot = mem_printf("%s (%s)%s", backups->snapshot ? backups->snapshot : "",
		backups->type ? backups->type : "", snapshot_age);
	CLEANUP(mem_cleanup)
	char *restorable = mem_printf("possible up to %s%s",
		backups->restorable ? backups->restorable : "", restorable_age);
	CLEANUP(mem_cleanup)
	char *denied = mem_printf("%s%s", not_known, backups->denied ? backups->denied : "");

	if (backups->snapshot)
		tell("snapshot", snapshot);
	else
		tell("snapshot", backups->denied ? denied : "none on RDS");
	if (backups->restorable)
		tell("restore", restorable);
	else if (!backups->denied)
		tell("restore", "not possible to a point in time");
}

/* -1: a signal. */
static int tell_rds(const struct context *context, int64_t timeout_ms, struct err *err)
{
	CLEANUP(rds_backups_release) struct rds_backups backups = RDS_BACKUPS_INIT;

	if (!target_is_rds(&context->target))
		return 0;
	if (rds_host_backups(context, timeout_ms, &backups, err) == 0) {
		tell_backups(&backups);
		return 0;
	}
	if (err->kind == ERR_INTERRUPTED)
		return -1;
	tell_unknown("snapshot", err);
	return 0;
}

/*
 * What a killed reset has put aside gets its name back before anything is done, so it is that one.
 * *ret_aside stays NULL where there is none, and is the caller's.
 */
static int ask_aside(struct conn *maintenance, const char *database, struct holdings *holdings,
	char **ret_aside, struct err *err)
{
	CLEANUP(mem_cleanup) char *old = sibling_name(database, MARK_OLD, NULL, false);
	CLEANUP(holdings_release) struct holdings aside = HOLDINGS_INIT;

	if (holdings->found && holdings->mark.kind != MARK_LOADING)
		return 0;
	if (holdings_ask(maintenance, old, SERVER_MS, &aside, err) != 0)
		return -1;
	if (!aside.found || aside.mark.kind != MARK_OLD)
		return 0;
	holdings_release(holdings);
	*holdings = aside;
	aside = (struct holdings)HOLDINGS_INIT;
	*ret_aside = take_ptr(old);
	return 0;
}

static void tell_what(const struct holdings *holdings, const char *name, bool aside)
{
	if (!holdings->found) {
		out_info("at stake: nothing, database \"%s\" does not exist", name);
		return;
	}
	out_info("at stake: database \"%s\"%s", name,
		aside ? ", which a reset that was killed has put aside" : "");
	tell_database(holdings);
	tell_objects(holdings);
	tell_sessions(holdings);
	tell_besides(holdings);
}

/* What killed resets have left, which somebody may have gone on with. */
static void tell_killed(struct conn *maintenance, const char *database)
{
	CLEANUP(siblings_release) struct siblings siblings = SIBLINGS_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;

	if (siblings_find(maintenance, database, &siblings, &err) != 0) {
		interrupt_put_back(err.signal);
		tell_unknown("beside", &err);
	}
	for (size_t i = 0; i < siblings.count; i++) {
		const struct sibling *sibling = &siblings.items[i];
		const bool marked = protection_read(sibling->comment, NULL) == PROTECTION_MARKED;
		CLEANUP(mem_cleanup) char *name = safe_text(sibling->name, SAFE_LINE);
		CLEANUP(mem_cleanup)
		char *text = mem_printf("database \"%s\", left by a reset that was killed%s", name,
			marked ? ", marked as protected" : "");

		if (sibling->mark.kind == MARK_KILLED && sibling->is_owner)
			tell("beside", text);
	}
}

void holdings_tell(struct context *context, struct conn *maintenance, bool killed)
{
	CLEANUP(holdings_release) struct holdings holdings = HOLDINGS_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(mem_cleanup) char *name = safe_text(context->target.database, SAFE_LINE);
	CLEANUP(mem_cleanup) char *aside = NULL;
	const int64_t deadline = clock_ms() + LIMIT_MS;
	int64_t left;

	if (out_quiet())
		return;
	if (holdings_ask(maintenance, context->target.database, SERVER_MS, &holdings, &err) != 0 ||
		ask_aside(maintenance, context->target.database, &holdings, &aside, &err) != 0) {
		interrupt_put_back(err.signal);
		return;
	}
	tell_what(&holdings, name, aside != NULL);
	if (killed)
		tell_killed(maintenance, context->target.database);
	if (!holdings.found)
		return;
	left = deadline - clock_ms();
	left = left < AWS_MS / 3 ? AWS_MS / 3 : left > AWS_MS ? AWS_MS : left;
	if (tell_rds(context, left, &err) != 0)
		interrupt_put_back(err.signal);
}
