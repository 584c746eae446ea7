/* Opening a connection: parameters, attempts, waiting, what the failure means. */
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/message.h"
#include "base/strbuf.h"
#include "pg/conn.h"
#include "pg/conn_failure.h"
#include "pg/conn_internal.h"
#include "pg/conn_message.h"
#include "pg/probe.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_TIMEOUT_SECONDS 15
#define MAX_PARAMS 64
#define FIRST_PAUSE_MS 20
#define LONGEST_PAUSE_MS 500
#define SHORTEST_ATTEMPT_MS 500
/* A token that is good for 15 minutes is replaced after 10 when the server is waited for. */
#define PASSWORD_LASTS_MS INT64_C(600000)

#define SQLSTATE_IDENTITY "28000"

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
	const char *password;     /* NULL: the one in params, if any */
	int64_t password_due;     /* when it has to be replaced */
	struct strlist addresses; /* that we have looked up; none: libpq does */
	struct strbuf reasons;    /* why those that were tried have failed, a line for each */
	bool timed_out;           /* the last one, or the looking up */
};

/* One address, or all that libpq finds. */
struct way {
	const char *address; /* NULL: libpq's */
	bool with_options;
	int64_t deadline;
	bool unreached; /* the next address may do better */
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

static void prepare(struct attempt *attempt, const struct request *request, const struct way *way)
{
	const struct params *params = request->params;
	const struct conn_options *options = request->options;
	const char *user_options = params_get(params, "options");

	if (!user_options)
		user_options = getenv("PGOPTIONS");
	if (options->own_queries && way->with_options)
		attempt->options_text =
			mem_printf("%s%s-c search_path=", user_options ? user_options : "",
				user_options && *user_options ? " " : "");
	for (size_t i = 0; i < params->count; i++)
		if (*params->items[i].value && !is_replaced(request, params->items[i].keyword))
			add(attempt, params->items[i].keyword, params->items[i].value);
	if (way->address)
		add(attempt, "hostaddr", way->address);
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
	const bool service = params_get(params, "service") || getenv("PGSERVICE");
	CLEANUP(mem_cleanup)
	char *said = service ? probe_param(params, "connect_timeout") : NULL;
	const char *text = said ? said : params_get(params, "connect_timeout");
	long seconds;

	if (!text)
		text = getenv("PGCONNECT_TIMEOUT");
	seconds = text && *text ? strtol(text, NULL, 10) : CONNECT_TIMEOUT_SECONDS;
	/* As libpq has it: zero and less wait for ever, one second means two. */
	if (seconds <= 0)
		return INT64_MAX / 2;
	return (seconds < 2 ? 2 : seconds) * 1000;
}

/* How a connection being made comes on. */
struct progress {
	int64_t deadline; /* clock_ms */
	bool timed_out;
	bool unreached;        /* it has not come so far that somebody has accepted it */
	int64_t round_trip_us; /* from the request for a session to the first answer; 0: not known
				*/
};

/* Drives PQconnectPoll to its end, or to the deadline. */
static int poll_connection(PGconn *pg, const struct conn_observer *observer,
	struct progress *progress, struct err *err)
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
		int64_t left = progress->deadline - clock_ms();
		int ready;

		if (status == PGRES_POLLING_OK || status == PGRES_POLLING_FAILED)
			return 0;
		if (left <= 0) {
			progress->timed_out = true;
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
		if (ready > 0 && fds[0].revents && asked > 0 && progress->round_trip_us == 0)
			progress->round_trip_us = clock_us() - asked;
		if (ready > 0 && fds[0].revents) {
			progress->unreached = PQstatus(pg) == CONNECTION_STARTED;
			status = PQconnectPoll(pg);
		}
		if (observer)
			observer->look(observer->context, pg);
	}
}

/* libpq names the address alone where one is given: the host, whose name was looked up, comes back.
 */
static void add_reason(
	struct strbuf *reasons, const char *text, const char *host, const char *address)
{
	CLEANUP(mem_cleanup) char *given = address ? mem_printf(" at \"%s\", ", address) : NULL;
	const char *found;

	/* Wrong parameters are the same for all addresses. */
	if (reasons->length && strstr(reasons->data, text))
		return;
	if (reasons->length)
		strbuf_addc(reasons, '\n');
	while (given && (found = strstr(text, given))) {
		strbuf_add(reasons, text, (size_t)(found - text));
		message_add(reasons, " at \"%s\" (%s), ", host, address);
		text = found + strlen(given);
	}
	strbuf_adds(reasons, text);
}

/* Why it was given up; of one address among several which it is. The caller owns it. */
static char *silence(PGconn *pg, const struct way *way, bool several)
{
	const char *text = PQstatus(pg) == CONNECTION_STARTED || PQstatus(pg) == CONNECTION_NEEDED
				   ? CONN_NO_ANSWER
				   : CONN_SILENT;

	if (!several)
		return mem_strdup(text);
	return message_format("connection to server at \"%s\", port %s failed: %s", way->address,
		PQport(pg), text);
}

static int failed(struct request *request, const struct way *way, PGconn *pg, struct err *err)
{
	const char *database = request->options->database;
	char sqlstate[6] = "";
	CLEANUP(mem_cleanup)
	char *reason = request->timed_out ? silence(pg, way, request->addresses.count > 1)
					  : conn_message_clean(PQerrorMessage(pg), sqlstate);

	add_reason(&request->reasons, reason, PQhost(pg), way->address);
	conn_failure(request->params, database, sqlstate, request->reasons.data, err);
	if (strcmp(sqlstate, SQLSTATE_IDENTITY) == 0)
		conn_explain_identity(request->params, pg, err);
	/* Behind a pooler they may be others. */
	else if (sqlstate[0] && strcmp(sqlstate, CONN_STATE_PROTOCOL) != 0)
		conn_name_hint(pg, err);
	return -1;
}

static struct conn *begin(const struct request *request, const struct way *way)
{
	const struct conn_options *options = request->options;
	struct attempt attempt = { .count = 0 };
	struct conn *conn = mem_calloc(1, sizeof(*conn));

	prepare(&attempt, request, way);
	conn->pg = PQconnectStartParams(attempt.keywords, attempt.values, 0);
	mem_free(attempt.options_text);
	if (!conn->pg)
		BUG("libpq is out of memory");
	conn->notice = options->notice;
	conn->notice_context = options->notice_context;
	conn->trace = options->trace;
	conn->unpinned = options->own_queries && !way->with_options;
	conn->looked_up = way->address;
	conn->source = request->params->source;
	PQsetNoticeReceiver(conn->pg, receive_notice, conn);
	/* Verbose messages carry the SQLSTATE, which libpq offers in no other way here. */
	PQsetErrorVerbosity(conn->pg, PQERRORS_VERBOSE);
	return conn;
}

/* Synchronous but for signals and time. */
static int try_way(
	struct request *request, struct way *way, struct conn **ret_conn, struct err *err)
{
	struct conn *conn = begin(request, way);
	struct progress progress = { .deadline = way->deadline, .unreached = true };
	int result = 0;

	if (PQstatus(conn->pg) != CONNECTION_BAD)
		result = poll_connection(conn->pg, request->options->observer, &progress, err);
	conn->round_trip_us = progress.round_trip_us;
	request->timed_out = progress.timed_out;
	way->unreached = progress.unreached || progress.timed_out;
	if (result == 0 && PQstatus(conn->pg) != CONNECTION_OK)
		result = failed(request, way, conn->pg, err);
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

static int64_t allowed_until(const struct request *request, int64_t end)
{
	const int64_t own = clock_ms() + conn_timeout_ms(request->params);

	return own < end ? own : end;
}

/* Looks the host up once for all that is tried until end (clock_ms). */
static int look_up(struct request *request, int64_t end, struct err *err)
{
	CLEANUP(mem_cleanup) char *reason = NULL;
	int64_t deadline = allowed_until(request, end);
	int result;

	strlist_release(&request->addresses);
	result = conn_look_up(request->params, deadline, &request->addresses, &reason, err);
	if (result <= 0)
		return result;
	request->timed_out = clock_ms() >= deadline;
	return conn_failure(request->params, request->options->database, "", reason, err);
}

/* All addresses in their order, the first that is reached decides. */
static int try_all(struct request *request, int64_t end, bool with_options, struct conn **ret_conn,
	struct err *err)
{
	struct way way = { .with_options = with_options };
	size_t i = 0;

	strbuf_release(&request->reasons);
	do {
		if (request->addresses.count > 0)
			way.address = request->addresses.items[i++];
		way.deadline = allowed_until(request, end);
		if (try_way(request, &way, ret_conn, err) == 0)
			return 0;
	} while (i < request->addresses.count && err->kind == ERR_CONNECT && way.unreached &&
		 clock_ms() < end);
	return -1;
}

/* Poolers refuse the startup parameter "options"; then the setting is made by a statement if need
 * be. */
static int attempt_with_fallback(
	struct request *request, int64_t limit_ms, struct conn **ret_conn, struct err *err)
{
	const bool with_options = !request->options->pin_later;
	const int64_t end = clock_ms() + limit_ms;

	if (look_up(request, end, err) != 0)
		return -1;
	if (try_all(request, end, with_options, ret_conn, err) == 0)
		return 0;
	if (!request->options->own_queries || !with_options ||
		strcmp(err->sqlstate, CONN_STATE_PROTOCOL) != 0 || !err->detail ||
		!strstr(err->detail, "options"))
		return -1;
	err_release(err);
	if (try_all(request, end, false, ret_conn, err) != 0)
		return -1;
	(*ret_conn)->pooled = true;
	return 0;
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

static void request_release(struct request *request)
{
	strlist_release(&request->addresses);
	strbuf_release(&request->reasons);
}

static int64_t first_limit(const struct conn_options *options)
{
	if (options->wait_seconds > 0)
		return (int64_t)(options->wait_seconds * 1000);
	return options->deadline > 0 ? options->deadline - clock_ms() : INT64_MAX / 4;
}

int conn_open(const struct params *params, const struct conn_options *options,
	struct conn **ret_conn, struct err *err)
{
	CLEANUP(request_release)
	struct request request = { .params = params,
		.options = options,
		.addresses = STRLIST_INIT,
		.reasons = STRBUF_INIT };
	const bool waits = options->wait_seconds > 0;
	int64_t left = first_limit(options);
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
		if (left <= 0 && (conn_failure_may_pass(err) || request.timed_out))
			return waited_too_long(params, options, err);
		if (!conn_failure_may_pass(err))
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

int conn_open_beside(struct conn *conn, const struct conn_options *options, int seconds,
	struct conn **ret_conn, struct err *err)
{
	CLEANUP(params_release) struct params params = PARAMS_INIT;
	CLEANUP(mem_cleanup) char *limit = mem_printf("%d", seconds);
	struct conn_options second = *options;

	conn_params(conn, &params);
	if (second.deadline > 0)
		params.source = NULL;
	if (seconds > 0)
		params_set(&params, "connect_timeout", limit);
	second.application = params_get(&params, "fallback_application_name");
	if (!second.application)
		second.application = "dbrig";
	return conn_open(&params, &second, ret_conn, err);
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
		if (!conn->looked_up || strcmp(option->keyword, "hostaddr") != 0)
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
