#include "app/alias.h"
#include "app/guard.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "pg/database.h"
#include "pg/sessions.h"
#include "term/json.h"
#include "term/out.h"
#include "term/table.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WATCH_SECONDS 2

static bool opt_all, opt_json, opt_kill_all;
static double opt_watch = -1;
static struct strlist opt_cancel, opt_kill;

static const struct option sessions_options[] = {
	{ .name = "all",
		.letter = 'a',
		.type = OPTION_FLAG,
		.value = &opt_all,
		.help = "show the server's idle background processes too" },
	{ .name = "json",
		.type = OPTION_FLAG,
		.value = &opt_json,
		.help = "print a JSON array instead of a table" },
	{ .name = "watch",
		.type = OPTION_SECONDS,
		.value = &opt_watch,
		.argument = "SECONDS",
		.fallback = WATCH_SECONDS,
		.help = "print again every 2 (or so many) seconds" },
	{ .name = "cancel",
		.type = OPTION_LIST,
		.value = &opt_cancel,
		.argument = "PID",
		.help = "cancel the statement of that session; may be given several times" },
	{ .name = "kill",
		.type = OPTION_LIST,
		.value = &opt_kill,
		.argument = "PID",
		.help = "end that session; may be given several times" },
	{ .name = "kill-all",
		.type = OPTION_FLAG,
		.value = &opt_kill_all,
		.help = "end all other client sessions of the target's database, never "
			"rdsadmin's" },
	{ 0 },
};

static void print_table(const struct session_list *list)
{
	static const char *const headers[] = { "pid", "user", "database", "client", "application",
		"state", "age", "wait", "blocked by", "query" };
	CLEANUP(table_cleanup) struct table *table = table_new(headers, ARRAY_SIZE(headers));

	for (size_t i = 0; i < list->count; i++) {
		const struct session *session = &list->items[i];
		char pid[24], age[32] = "";

		snprintf(pid, sizeof(pid), "%ld", session->pid);
		if (session->age_seconds >= 0)
			clock_format_age((int64_t)session->age_seconds, age, sizeof(age));
		table_cell(table, pid);
		table_cell(table, session->user);
		table_cell(table, session->database);
		table_cell(table, session->client);
		table_cell(table, session->application);
		table_cell(table, session->state);
		table_cell(table, age);
		table_cell(table, session->wait);
		table_cell(table, session->blocked_by);
		table_cell(table, session->query);
	}
	table_print(table);
}

static json_t *json_pids(const char *list)
{
	json_t *array = json_array();

	while (list && *list) {
		char *end;

		json_array_append_new(array, json_integer(strtol(list, &end, 10)));
		list = *end == ',' ? end + 1 : NULL;
	}
	return array;
}

static void print_json(const struct session_list *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++) {
		const struct session *session = &list->items[i];
		json_t *object = json_object();

		json_object_set_new(object, "pid", json_integer(session->pid));
		json_object_set_new(object, "user", out_json_text(session->user));
		json_object_set_new(object, "database", out_json_text(session->database));
		json_object_set_new(object, "client", out_json_text(session->client));
		json_object_set_new(object, "application", out_json_text(session->application));
		json_object_set_new(object, "state", out_json_text(session->state));
		json_object_set_new(object, "age_seconds",
			session->age_seconds >= 0 ? json_real(session->age_seconds) : json_null());
		json_object_set_new(object, "wait", out_json_text(session->wait));
		json_object_set_new(object, "blocked_by", json_pids(session->blocked_by));
		json_object_set_new(object, "query", out_json_text(session->query));
		json_object_set_new(object, "backend_type", out_json_text(session->backend_type));
		json_array_append_new(array, object);
	}
	out_json(array);
}

static int show(struct conn *conn, struct err *err)
{
	struct session_list list = { 0 };

	if (sessions_list(conn, opt_all, &list, err) != 0)
		return -1;
	if (opt_json)
		print_json(&list);
	else
		print_table(&list);
	session_list_release(&list);
	return 0;
}

static int watch(struct conn *conn, struct err *err)
{
	static const char clear[] = "\033[H\033[2J";

	for (;;) {
		if (isatty(STDOUT_FILENO))
			out_raw(clear, strlen(clear));
		if (show(conn, err) != 0 || out_finish(err) != 0)
			return -1;
		clock_sleep_ms((int64_t)(opt_watch * 1000));
		if (interrupt_check(err) != 0)
			return -1;
	}
}

static int parse_pid(const char *text, long *ret_pid, struct err *err)
{
	char *end;

	errno = 0;
	*ret_pid = strtol(text, &end, 10);
	if (errno || end == text || *end || *ret_pid <= 0 || *ret_pid > INT_MAX)
		return err_set(err, ERR_USAGE, "\"%s\" is not a process id", text);
	return 0;
}

static int signal_listed(struct conn *conn, const struct strlist *pids, bool end, struct err *err)
{
	for (size_t i = 0; i < pids->count; i++) {
		long pid;

		if (parse_pid(pids->items[i], &pid, err) != 0 ||
			session_signal(conn, pid, end, err) != 0)
			return -1;
		out_info(end ? "ended session %ld" : "cancelled the statement of session %ld", pid);
	}
	return 0;
}

/* Ends a session, unless the end of another, such as a lock's holder, has let it end by itself. */
static int end_session(struct conn *conn, long pid, struct err *err)
{
	char text[24];
	CLEANUP(err_release) struct err unknown = ERR_INIT;
	bool exists = true;

	if (session_signal(conn, pid, true, err) == 0)
		return 0;
	snprintf(text, sizeof(text), "%ld", pid);
	if (err->kind != ERR_FAILED || session_exists(conn, text, &exists, &unknown) != 0 || exists)
		return -1;
	err_release(err);
	return 0;
}

/* Goes on after a session that could not be ended; the first reason is reported. */
static int kill_all(struct conn *conn, struct err *err)
{
	CLEANUP(mem_cleanup) long *pids = NULL;
	const char *database = PQdb(conn_pg(conn));
	size_t count, ended = 0;
	int failed = 0;

	if (sessions_of_database(conn, database, &pids, &count, err) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		CLEANUP(err_release) struct err one = ERR_INIT;

		if (end_session(conn, pids[i], &one) == 0) {
			ended++;
			continue;
		}
		if (one.kind == ERR_CONNECT || one.kind == ERR_INTERRUPTED) {
			*err = one;
			one = (struct err)ERR_INIT;
			return -1;
		}
		out_warning("session %ld: %s", pids[i], one.message);
		failed++;
	}
	out_info("ended %zu session%s of database \"%s\"", ended, ended == 1 ? "" : "s", database);
	if (failed)
		return err_set(err, ERR_FAILED, "%d session%s could not be ended", failed,
			failed == 1 ? "" : "s");
	return 0;
}

static int check_options(struct err *err)
{
	int actions = (opt_cancel.count > 0) + (opt_kill.count > 0) + opt_kill_all;
	long pid;

	if (actions > 1 || (actions > 0 && (opt_watch >= 0 || opt_json)))
		return err_set(err, ERR_USAGE,
			"--cancel, --kill, --kill-all and --watch or --json exclude each other");
	if (guard_has_confirmation() && !opt_kill_all)
		return err_set(err, ERR_USAGE, "--confirm goes with --kill-all");
	if (opt_watch >= 0 && opt_watch < 0.1)
		return err_set(err, ERR_USAGE, "--watch needs at least 0.1 seconds");
	for (size_t i = 0; i < opt_cancel.count; i++)
		if (parse_pid(opt_cancel.items[i], &pid, err) != 0)
			return -1;
	for (size_t i = 0; i < opt_kill.count; i++)
		if (parse_pid(opt_kill.items[i], &pid, err) != 0)
			return -1;
	return 0;
}

/* What libpq would take for the database is not what somebody meant to free of its sessions. */
static int require_database(const struct context *context, struct err *err)
{
	return opt_kill_all ? target_require_database(&context->target, err) : 0;
}

static int run_sessions(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	CLEANUP(conn_cleanup) struct conn *conn = NULL;

	if (check_options(err) != 0 || context_open(&context, run, err) != 0 ||
		require_database(&context, err) != 0 ||
		context_connect(&context, true, &conn, err) != 0)
		return -1;
	if (opt_cancel.count > 0)
		return signal_listed(conn, &opt_cancel, false, err);
	if (opt_kill.count > 0)
		return signal_listed(conn, &opt_kill, true, err);
	if (opt_kill_all) {
		const struct guard guard = {
			.context = &context, .what = "end all sessions of", .destroys = true
		};
		CLEANUP(mem_cleanup) char *comment = NULL;

		if (alias_refuse(&context, conn, err) != 0 ||
			database_comment(conn, context.target.database, &comment, err) != 0 ||
			guard_decide(&guard, conn, comment, err) != 0)
			return -1;
		return kill_all(conn, err);
	}
	return opt_watch >= 0 ? watch(conn, err) : show(conn, err);
}

const struct command command = {
	.name = "db-sessions",
	.summary = "show who is connected to the server of a target, and end sessions",
	.synopsis = "[options] [TARGET]",
	.options = (const struct option *const[]){ sessions_options, guard_options, target_options,
		env_options, NULL },
	.variables = (const struct variable *const[]){ guard_variables, target_variables, NULL },
	.examples =
		(const struct example[]){
			{ "db-sessions prod",
				"who is connected, in which state, waiting for whom" },
			{ "db-sessions --kill-all",
				"ends whatever is connected to the development database" },
			{ "db-sessions prod --cancel 4711", "stops what that session is doing" },
			{ 0 },
		},
	.max_words = 1,
	.run = run_sessions,
};
