/* Opening a connection: parameters, attempts, waiting, what the failure means. */
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "pg/conn.h"
#include "pg/conn_failure.h"
#include "pg/conn_internal.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_SECONDS 15
#define MAX_PARAMS 64
#define FIRST_PAUSE_MS 20
#define LONGEST_PAUSE_MS 500
#define SHORTEST_ATTEMPT_MS 500
/* A token that is good for 15 minutes is replaced after 10 when the server is waited for. */
#define PASSWORD_LASTS_MS INT64_C(600000)

#define SQLSTATE_PROTOCOL "08P01"
#define SQLSTATE_IDENTITY "28000"

/* "FATAL:  28P01: password …" → position of the SQLSTATE; NULL when the line has none. */
static const char *find_sqlstate(const char *line, size_t length)
{
	for (size_t i = 0; i + 8 < length; i++) {
		size_t digits = 0;

		if (strncmp(line + i, ":  ", 3) != 0)
			continue;
		while (digits < 5 && (isupper((unsigned char)line[i + 3 + digits]) ||
					     isdigit((unsigned char)line[i + 3 + digits])))
			digits++;
		if (digits == 5 && line[i + 8] == ':')
			return line + i + 3;
	}
	return NULL;
}

char *conn_clean_message(const char *message, char sqlstate[6])
{
	struct strbuf out = STRBUF_INIT;

	while (message && *message) {
		size_t length = strcspn(message, "\n");
		const char *state = find_sqlstate(message, length);

		if (strncmp(message, "LOCATION:", 9) != 0 && length > 0) {
			if (out.length)
				strbuf_addc(&out, '\n');
			if (state) {
				size_t before = (size_t)(state - message);

				if (sqlstate && !sqlstate[0])
					snprintf(sqlstate, 6, "%.5s", state);
				strbuf_add(&out, message, before - 1);
				strbuf_add(&out, message + before + 7, length - before - 7);
			} else {
				strbuf_add(&out, message, length);
			}
		}
		message += length;
		message += *message == '\n';
	}
	return strbuf_detach(&out);
}

/* admin_shutdown, crash_shutdown, cannot_connect_now, … */
#define SHUTDOWN_CLASS "57P0"

/* Between two requests libpq takes the message that ends the connection for a notice. */
static bool is_end(const struct notice *notice)
{
	return strcmp(notice->severity, "FATAL") == 0 || strcmp(notice->severity, "PANIC") == 0 ||
	       (notice->sqlstate && strncmp(notice->sqlstate, SHUTDOWN_CLASS, 4) == 0);
}

static void receive_notice(void *context, const PGresult *result)
{
	struct conn *conn = context;
	struct notice notice = {
		.severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED),
		.sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE),
		.message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY),
		.detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL),
		.hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT),
		.context = PQresultErrorField(result, PG_DIAG_CONTEXT),
	};

	if (!notice.message || !notice.severity)
		return;
	if (is_end(&notice)) {
		mem_free(conn->last_words);
		conn->last_words = mem_strdup(notice.message);
	} else if (conn->notice)
		conn->notice(conn->notice_context, &notice);
}

/* What is passed to libpq; options_text holds a value made here. */
struct attempt {
	const char *keywords[MAX_PARAMS];
	const char *values[MAX_PARAMS];
	size_t count;
	char *options_text;
};

/* A connection being opened: what is wanted and, when its source gave one, the password. */
struct request {
	const struct params *params;
	const struct conn_options *options;
	const char *password; /* NULL: the one in params, if any */
	int64_t password_due; /* when it has to be replaced */
};

static void add(struct attempt *attempt, const char *keyword, const char *value)
{
	if (attempt->count + 2 > MAX_PARAMS)
		BUG("too many connection parameters");
	attempt->keywords[attempt->count] = keyword;
	attempt->values[attempt->count++] = value;
}

/* Parameters that are not passed on as they stand. */
static bool is_replaced(const struct request *request, const char *keyword)
{
	return strcmp(keyword, "options") == 0 ||
	       (request->password && strcmp(keyword, "password") == 0) ||
	       (request->options->own_queries && strcmp(keyword, "client_encoding") == 0);
}

static void prepare(struct attempt *attempt, const struct request *request, bool with_options)
{
	const struct params *params = request->params;
	const struct conn_options *options = request->options;
	const char *user_options = params_get(params, "options");

	if (!user_options)
		user_options = getenv("PGOPTIONS");
	if (options->own_queries && with_options)
		attempt->options_text =
			mem_printf("%s%s-c search_path=", user_options ? user_options : "",
				user_options && *user_options ? " " : "");
	for (size_t i = 0; i < params->count; i++)
		if (*params->items[i].value && !is_replaced(request, params->items[i].keyword))
			add(attempt, params->items[i].keyword, params->items[i].value);
	if (request->password)
		add(attempt, "password", request->password);
	if (attempt->options_text)
		add(attempt, "options", attempt->options_text);
	else if (user_options && *user_options)
		add(attempt, "options", user_options);
	/* Our own output is UTF-8 whatever the database's encoding is. */
	if (options->own_queries && !options->pin_later)
		add(attempt, "client_encoding", "UTF8");
	if (options->database)
		add(attempt, "dbname", options->database);
	add(attempt, "fallback_application_name", options->application);
}

int64_t conn_timeout_ms(const struct params *params)
{
	const char *text = params_get(params, "connect_timeout");
	long seconds;

	if (!text)
		text = getenv("PGCONNECT_TIMEOUT");
	seconds = text && *text ? strtol(text, NULL, 10) : CONNECT_TIMEOUT_SECONDS;
	/* As libpq has it: zero and less wait for ever, one second means two. */
	if (seconds <= 0)
		return INT64_MAX / 2;
	return (seconds < 2 ? 2 : seconds) * 1000;
}

/*
 * Drives PQconnectPoll to its end; *ret_timed_out when the time ran out. *ret_round_trip_us: from
 * the request for a session to the first answer.
 */
static int poll_connection(PGconn *pg, const struct conn_observer *observer, int64_t deadline,
	bool *ret_timed_out, int64_t *ret_round_trip_us, struct err *err)
{
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;
	int64_t asked = 0;

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = PQsocket(pg),
				.events = (short)(status == PGRES_POLLING_READING ? POLLIN
										  : POLLOUT) },
			{ .fd = interrupt_fd(), .events = POLLIN },
		};
		int64_t left = deadline - clock_ms();
		int ready;

		if (status == PGRES_POLLING_OK || status == PGRES_POLLING_FAILED)
			return 0;
		if (left <= 0) {
			*ret_timed_out = true;
			return 0;
		}
		if (asked == 0 && PQstatus(pg) == CONNECTION_AWAITING_RESPONSE &&
			status == PGRES_POLLING_READING)
			asked = clock_us();
		ready = poll(fds, ARRAY_SIZE(fds), left > 3600000 ? 3600000 : (int)left);
		if (ready < 0 && errno != EINTR)
			return err_errno(err, "could not wait for the connection");
		if (interrupt_check(err) != 0)
			return -1;
		if (ready > 0 && fds[0].revents && asked > 0 && *ret_round_trip_us == 0)
			*ret_round_trip_us = clock_us() - asked;
		if (ready > 0 && fds[0].revents)
			status = PQconnectPoll(pg);
		if (observer)
			observer->look(observer->context, pg);
	}
}

/* Whether that function of the server has refused: unlike messages it is never translated. */
static bool comes_from(PGconn *pg, const char *function)
{
	const char *location = strstr(PQerrorMessage(pg), "LOCATION:");

	return location && strstr(location, function);
}

static const char *who_names(const char *role)
{
	const struct passwd *account = getpwuid(geteuid());
	const char *variable = getenv("PGUSER");

	if (variable && strcmp(variable, role) == 0)
		return "PGUSER names it";
	if (account && strcmp(account->pw_name, role) == 0)
		return "your account has that name";
	return "the URL, a service file or .env names it";
}

/* The server knows who it would be, but has no such role, or not for that. */
static void explain_role(struct err *err, PGconn *pg)
{
	const char *role = PQuser(pg);
	const char *source = who_names(role);
	/* Both have the same SQLSTATE; in another language than English both are named. */
	const bool missing = err->detail && strstr(err->detail, "does not exist");
	const bool barred = err->detail && strstr(err->detail, "is not permitted to log in");

	if (missing && !barred)
		err_hint(err,
			"There is no role \"%s\" (%s): createuser \"%s\" makes it, or name another "
			"one in the URL.",
			role, source, role);
	else if (barred && !missing)
		err_hint(err,
			"ALTER ROLE … LOGIN allows it to role \"%s\" (%s), or name another one in "
			"the URL.",
			role, source);
	else
		err_hint(err,
			"The role \"%s\" (%s) does not exist, when createuser \"%s\" makes it, or "
			"may not log in, when ALTER ROLE … LOGIN allows it; or name another one in "
			"the URL.",
			role, source, role);
}

/* SQLSTATE 28000: by whom one wants to come in, and from where. */
static void explain_identity(struct err *err, PGconn *pg, const struct params *params)
{
	const char *host = params_get(params, "host");

	if (comes_from(pg, "InitializeSessionUserId"))
		explain_role(err, pg);
	else if ((!host || host[0] == '/') && !comes_from(pg, "ClientAuthentication"))
		conn_failure_hint(CONN_CAUSE_PEER, params, err);
	else
		conn_failure_hint(CONN_CAUSE_NOT_ALLOWED, params, err);
}

static const char no_answer[] = "The server did not answer in time.";

static int failed(PGconn *pg, const struct params *params, const struct conn_options *options,
	bool timed_out, struct err *err)
{
	char sqlstate[6] = "";
	CLEANUP(mem_cleanup)
	char *reason = timed_out ? mem_strdup(no_answer)
				 : conn_clean_message(PQerrorMessage(pg), sqlstate);

	conn_failure(params, options->database, sqlstate, reason, err);
	if (strcmp(sqlstate, SQLSTATE_IDENTITY) == 0)
		explain_identity(err, pg, params);
	return -1;
}

/* One attempt, synchronous but for signals and time; it may not take longer than limit_ms. */
static int attempt_once(const struct request *request, int64_t limit_ms, bool with_options,
	struct conn **ret_conn, struct err *err)
{
	const struct params *params = request->params;
	const struct conn_options *options = request->options;
	struct attempt attempt = { .count = 0 };
	struct conn *conn = mem_calloc(1, sizeof(*conn));
	int64_t allowed = conn_timeout_ms(params);
	bool timed_out = false;
	int result;

	if (allowed > limit_ms)
		allowed = limit_ms;
	prepare(&attempt, request, with_options);
	conn->pg = PQconnectStartParams(attempt.keywords, attempt.values, 0);
	mem_free(attempt.options_text);
	if (!conn->pg)
		BUG("libpq is out of memory");
	conn->notice = options->notice;
	conn->notice_context = options->notice_context;
	conn->trace = options->trace;
	conn->unpinned = options->own_queries && !with_options;
	conn->source = params->source;
	PQsetNoticeReceiver(conn->pg, receive_notice, conn);
	/* Verbose messages carry the SQLSTATE, which libpq offers in no other way here. */
	PQsetErrorVerbosity(conn->pg, PQERRORS_VERBOSE);
	result = 0;
	if (PQstatus(conn->pg) != CONNECTION_BAD)
		result = poll_connection(conn->pg, options->observer, clock_ms() + allowed,
			&timed_out, &conn->round_trip_us, err);
	if (result == 0 && PQstatus(conn->pg) != CONNECTION_OK)
		result = failed(conn->pg, params, options, timed_out, err);
	if (result == 0 && PQsetnonblocking(conn->pg, 1) != 0)
		result = conn_send_error(conn, err);
	if (result != 0) {
		conn_close(conn);
		return -1;
	}
	/* From here on there may be something to undo. */
	interrupt_install();
	*ret_conn = conn;
	return 0;
}

/* Poolers refuse the startup parameter "options"; then the setting is made by a statement if need
 * be. */
static int attempt_with_fallback(
	const struct request *request, int64_t limit_ms, struct conn **ret_conn, struct err *err)
{
	const bool with_options = !request->options->pin_later;

	if (attempt_once(request, limit_ms, with_options, ret_conn, err) == 0)
		return 0;
	if (!request->options->own_queries || !with_options ||
		strcmp(err->sqlstate, SQLSTATE_PROTOCOL) != 0 || !err->detail ||
		!strstr(err->detail, "options"))
		return -1;
	err_release(err);
	if (attempt_once(request, limit_ms, false, ret_conn, err) != 0)
		return -1;
	(*ret_conn)->pooled = true;
	return 0;
}

static bool may_pass(const struct err *err)
{
	static const char *const passing[] = { "Connection refused", "No such file or directory",
		"server closed the connection unexpectedly", "Connection reset by peer" };

	if (err->kind != ERR_CONNECT)
		return false;
	if (err->sqlstate[0])
		return strcmp(err->sqlstate, CONN_STATE_STARTING) == 0 ||
		       strcmp(err->sqlstate, CONN_STATE_TOO_MANY) == 0;
	for (size_t i = 0; i < ARRAY_SIZE(passing); i++)
		if (err->detail && strstr(err->detail, passing[i]))
			return true;
	return false;
}

static int waited_too_long(
	const struct params *params, const struct conn_options *options, struct err *err)
{
	CLEANUP(mem_cleanup) char *reason = mem_strdup(err->detail);
	CLEANUP(mem_cleanup) char *where = params_describe(params, options->database);

	err_set(err, ERR_TIMEOUT, "%s did not accept connections within %g s", where,
		options->wait_seconds);
	err_detail(err, "%s", reason);
	return -1;
}

/* Asks the source for a password, unless the one at hand still holds. */
static int ensure_password(struct request *request, struct err *err)
{
	struct password_source *source = request->params->source;

	if (!source || (request->password && clock_ms() < request->password_due))
		return 0;
	request->password_due = clock_ms() + PASSWORD_LASTS_MS;
	return source->fetch(source, &request->password, err);
}

int conn_open(const struct params *params, const struct conn_options *options,
	struct conn **ret_conn, struct err *err)
{
	struct request request = { .params = params, .options = options };
	const bool waits = options->wait_seconds > 0;
	int64_t left = waits ? (int64_t)(options->wait_seconds * 1000) : INT64_MAX / 2;
	int64_t deadline = clock_ms() + left;
	int64_t pause = FIRST_PAUSE_MS;
	bool told = false;

	if (ensure_password(&request, err) != 0)
		return -1;
	while (attempt_with_fallback(&request, left, ret_conn, err) != 0) {
		left = deadline - clock_ms();
		if (!waits || err->kind != ERR_CONNECT)
			return -1;
		/* An attempt that was cut short by the end of the waiting counts as waiting. */
		if (left <= 0 && (may_pass(err) || strcmp(err->detail, no_answer) == 0))
			return waited_too_long(params, options, err);
		if (!may_pass(err))
			return -1;
		if (!told && options->waiting)
			options->waiting(options->waiting_context, err);
		told = true;
		clock_sleep_ms(left < pause ? left : pause);
		pause = pause * 2 < LONGEST_PAUSE_MS ? pause * 2 : LONGEST_PAUSE_MS;
		if (interrupt_check(err) != 0)
			return -1;
		err_release(err);
		if (ensure_password(&request, err) != 0)
			return -1;
		/* Long enough that the last attempt can learn the reason. */
		left = deadline - clock_ms();
		left = left < SHORTEST_ATTEMPT_MS ? SHORTEST_ATTEMPT_MS : left;
	}
	return 0;
}

int conn_open_maintenance(const struct params *params, const struct conn_options *options,
	const char *maintenance_db, struct conn **ret_conn, struct err *err)
{
	struct conn_options maintenance = *options;

	maintenance.own_queries = maintenance.pin_later = true;
	maintenance.database = maintenance_db ? maintenance_db : "postgres";
	if (conn_open(params, &maintenance, ret_conn, err) == 0)
		return 0;
	if (maintenance_db || strcmp(err->sqlstate, CONN_STATE_NO_DATABASE) != 0)
		return -1;
	err_release(err);
	maintenance.database = "template1";
	return conn_open(params, &maintenance, ret_conn, err);
}

static void set_if_known(struct params *params, const char *keyword, const char *value)
{
	if (value && *value)
		params_set(params, keyword, value);
}

void conn_params(struct conn *conn, struct params *params)
{
	PGconn *pg = conn_pg(conn);
	PQconninfoOption *options = PQconninfo(pg);
	const char *hosts;

	if (!options)
		BUG("libpq is out of memory");
	for (PQconninfoOption *option = options; option->keyword; option++)
		set_if_known(params, option->keyword, option->val);
	PQconninfoFree(options);
	params->source = conn->source;
	/* Of several hosts and ports, those in use. */
	hosts = params_get(params, "host");
	if (!hosts)
		hosts = params_get(params, "hostaddr");
	if (hosts && strchr(hosts, ',')) {
		set_if_known(params, "host", PQhost(pg));
		set_if_known(params, "port", PQport(pg));
		params_set(params, "hostaddr", NULL);
	}
}
