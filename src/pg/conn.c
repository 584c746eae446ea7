#include "pg/conn.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/redact.h"
#include "base/strbuf.h"
#include "pg/conn_failure.h"
#include "pg/conn_internal.h"
#include "pg/conn_message.h"
#include "queries.h"
#include "sql/mask.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long a server may take to answer a request to cancel. */
#define ANSWER_SECONDS 5
#define ANSWER_MS ((int64_t)ANSWER_SECONDS * 1000)

#define STALL_MS 2000
#define STALL_AGAIN_MS 30000
#define MEANWHILE_MS 1
#define POLL_MS 3600000

void conn_locks_free(struct conn_lock *locks)
{
	while (locks) {
		struct conn_lock *next = locks->next;

		conn_close(locks->keeper);
		mem_free(locks->key);
		mem_free(locks);
		locks = next;
	}
}

void conn_close(struct conn *conn)
{
	if (!conn)
		return;
	conn_locks_free(conn->locks);
	PQfinish(conn->pg);
	mem_free(conn->last_words);
	mem_free(conn);
}

bool conn_is_open(const struct conn *conn)
{
	return conn && conn->pg;
}

void conn_note_process(struct conn *conn, const char *pid)
{
	if (strtol(pid, NULL, 10) != PQbackendPID(conn->pg))
		conn->pooled = true;
}

bool conn_is_pooled(const struct conn *conn)
{
	return conn->pooled;
}

void conn_cleanup(struct conn **conn)
{
	conn_close(*conn);
}

void result_cleanup(PGresult **result)
{
	PQclear(*result);
}

PGconn *conn_pg(struct conn *conn)
{
	return conn->pg;
}

int conn_server_version(const struct conn *conn)
{
	return PQserverVersion(conn->pg);
}

char *conn_identifier(struct conn *conn, const char *name)
{
	char *quoted = PQescapeIdentifier(conn->pg, name, strlen(name));
	char *copy;

	if (!quoted)
		return NULL;
	copy = mem_strdup(quoted);
	PQfreemem(quoted);
	return copy;
}

char *conn_literal(struct conn *conn, const char *text)
{
	char *quoted = PQescapeLiteral(conn->pg, text, strlen(text));
	char *copy;

	if (!quoted)
		return NULL;
	copy = mem_strdup(quoted);
	PQfreemem(quoted);
	return copy;
}

static int lost(struct conn *conn, struct err *err)
{
	CLEANUP(mem_cleanup) char *reason = conn_message_clean(PQerrorMessage(conn->pg), NULL);

	err_set(err, ERR_CONNECT, "the connection to the server was lost");
	if (conn->last_words)
		err_detail(err, "%s", conn->last_words);
	else if (*reason)
		err_detail(err, "%s", reason);
	return -1;
}

int conn_send_error(struct conn *conn, struct err *err)
{
	CLEANUP(mem_cleanup) char *reason = NULL;

	if (PQstatus(conn->pg) == CONNECTION_BAD)
		return lost(conn, err);
	reason = conn_message_clean(PQerrorMessage(conn->pg), NULL);
	return err_set(err, ERR_FAILED, "could not send the statement: %s", reason);
}

/* Literals behind the word PASSWORD are hidden: statements that functions made stand in them. */
static char *field(const PGresult *result, int code)
{
	CLEANUP(strbuf_release) struct strbuf masked = STRBUF_INIT_UNBOUNDED;
	const char *text = PQresultErrorField(result, code);

	if (!text)
		return NULL;
	sql_mask(text, strlen(text), &masked);
	return redact_text(masked.data);
}

int conn_result_error(
	struct conn *conn, const PGresult *result, enum err_kind kind, struct err *err)
{
	CLEANUP(mem_cleanup) char *message = field(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	/* The end of the connection may not have been noticed yet. */
	bool gone =
		PQstatus(conn->pg) == CONNECTION_BAD ||
		(severity && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0));

	if (!message) {
		/* libpq's own: the connection broke, or it ran out of memory. */
		CLEANUP(mem_cleanup)
		char *reason = conn_message_clean(PQresultErrorMessage(result), NULL);

		if (gone)
			return lost(conn, err);
		return err_set(err, kind, "%s", *reason ? reason : "unknown error");
	}
	err_set(err, gone ? ERR_CONNECT : kind, "%s", message);
	err->detail = field(result, PG_DIAG_MESSAGE_DETAIL);
	err->hint = field(result, PG_DIAG_MESSAGE_HINT);
	err->context = field(result, PG_DIAG_CONTEXT);
	err->severity = mem_strdup(severity);
	if (sqlstate)
		snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", sqlstate);
	return -1;
}

/*
 * Tells the server to stop the running statement. A second connection carries the request. PQcancel
 * waits for it without a limit, so a child does it: a server that does not answer holds up nobody.
 */
static void cancel(struct conn *conn)
{
	PGcancel *request = PQgetCancel(conn->pg);
	char reason[256];
	pid_t child;

	if (!request)
		return;
	child = fork();
	if (child == 0) {
		interrupt_restore();
		alarm(ANSWER_SECONDS);
		PQcancel(request, reason, sizeof(reason));
		_exit(0);
	}
	PQfreeCancel(request);
	/* Until the request has arrived nothing else may be sent: it would be what is cancelled. */
	while (child > 0 && waitpid(child, NULL, WNOHANG) == 0 &&
		clock_ms() < conn->answer_deadline)
		poll(NULL, 0, 1);
}

void conn_limit_silence(struct conn *conn, int64_t milliseconds)
{
	conn->answer_ms = milliseconds;
	conn->answer_due = 0;
}

/* Until clock_ms is at deadline, for poll. */
static int until(int64_t deadline)
{
	int64_t left = deadline - clock_ms();

	return left <= 0 ? 0 : left > POLL_MS ? POLL_MS : (int)left;
}

/* How long poll may take: without end, but once a signal came everything is bounded. */
static int patience(struct conn *conn)
{
	if (conn->interrupted.kind)
		return until(conn->answer_deadline);
	if (interrupt_seen())
		return (int)ANSWER_MS;
	if (!conn->answer_ms)
		return -1;
	if (!conn->answer_due)
		conn->answer_due = clock_ms() + conn->answer_ms;
	return until(conn->answer_due);
}

/* The server has been silent for as long as it may. */
static int expire(struct conn *conn, struct err *err)
{
	shutdown(PQsocket(conn->pg), SHUT_RDWR);
	PQconsumeInput(conn->pg);
	err_set(err, ERR_CONNECT, "the server has not answered a request within %g s",
		(double)conn->answer_ms / 1000);
	err_detail(err, "%s", CONN_SILENT);
	err_hint(err, "A pooler on the way lets clients wait while all sessions of its pool are "
		      "taken (pool_size or default_pool_size of PgBouncer).");
	return -1;
}

/* The server does not answer: the connection is given up, and what it was doing is not known. */
static int give_up(struct conn *conn, struct err *err)
{
	shutdown(PQsocket(conn->pg), SHUT_RDWR);
	PQconsumeInput(conn->pg);
	if (conn_take_interrupt(conn, err) == 0)
		return lost(conn, err);
	err_note_line(err,
		"The server did not answer within %d seconds: what the statement did is "
		"unknown.",
		ANSWER_SECONDS);
	return -1;
}

/* How long until conn->stalled is due; -1: never. */
static int until_stalled(struct conn *conn)
{
	int64_t now;

	if (!conn->stalled || conn->interrupted.kind || interrupt_seen())
		return -1;
	now = clock_ms();
	if (!conn->stalled_due)
		conn->stalled_due = now + (conn->stall_ms ? conn->stall_ms : STALL_MS);
	return conn->stalled_due > now ? (int)(conn->stalled_due - now) : 0;
}

/* A signal that comes during the call counts as if it had come while waiting. */
static void tell_stalled(struct conn *conn)
{
	int (*stalled)(void *context, struct err *err) = conn->stalled;

	if (conn->stalled_once)
		conn->stalled = NULL;
	if (stalled(conn->stalled_context, &conn->interrupted) != 0) {
		conn->answer_deadline = clock_ms() + ANSWER_MS;
		cancel(conn);
	}
	conn->stalled_due =
		clock_ms() + (conn->stall_again_ms ? conn->stall_again_ms : STALL_AGAIN_MS);
}

/*
 * Waits until the socket can be read (or written, when asked). A signal cancels the statement once
 * and is remembered in conn->interrupted; the waiting goes on for a while, for the server's answer.
 */
static int wait_for_socket(struct conn *conn, bool writing, struct err *err)
{
	struct pollfd fds[] = {
		{ .fd = PQsocket(conn->pg),
			.events = (short)(writing ? POLLIN | POLLOUT : POLLIN) },
		{ .fd = interrupt_fd(), .events = POLLIN },
	};
	int stall = until_stalled(conn);
	int ready;

	if (fds[0].fd < 0)
		return lost(conn, err);
	ready = poll(fds, ARRAY_SIZE(fds), stall >= 0 ? stall : patience(conn));
	if (ready < 0 && errno != EINTR)
		return err_errno(err, "could not wait for the server");
	if (interrupt_check(&conn->interrupted) != 0) {
		conn->answer_deadline = clock_ms() + ANSWER_MS;
		cancel(conn);
	} else if (ready == 0 && stall >= 0) {
		tell_stalled(conn);
	} else if (ready == 0 && !conn->interrupted.kind && conn->answer_due) {
		return clock_ms() < conn->answer_due ? 0 : expire(conn, err);
	} else if (ready == 0) {
		return give_up(conn, err);
	}
	if (!fds[0].revents)
		return 0;
	conn->stalled_due = conn->answer_due = 0;
	conn->inputs += (fds[0].revents & POLLIN) != 0;
	return PQconsumeInput(conn->pg) ? 0 : lost(conn, err);
}

int conn_flush(struct conn *conn, struct err *err)
{
	for (;;) {
		int left = PQflush(conn->pg);

		if (left < 0)
			return conn_send_error(conn, err);
		if (left == 0)
			return 0;
		if (wait_for_socket(conn, true, err) != 0)
			return -1;
		/* A server that is not reading may be waiting for a lock: the cancel request
		 * frees it, but what was not sent stays unsent. */
		if (conn->interrupted.kind)
			return conn_take_interrupt(conn, err);
	}
}

int conn_take_interrupt(struct conn *conn, struct err *err)
{
	if (!conn->interrupted.kind)
		return 0;
	err_release(err);
	*err = conn->interrupted;
	conn->interrupted = (struct err)ERR_INIT;
	return -1;
}

int conn_wait_input(struct conn *conn, struct err *err)
{
	return wait_for_socket(conn, false, err);
}

int conn_next_result(struct conn *conn, PGresult **ret_result, struct err *err)
{
	while (PQisBusy(conn->pg)) {
		/* Something may be unsent after a signal has ended the sending of COPY data. */
		bool unsent = PQflush(conn->pg) > 0;

		if (wait_for_socket(conn, unsent, err) != 0)
			return -1;
	}
	*ret_result = PQgetResult(conn->pg);
	return 0;
}

void conn_drain(struct conn *conn)
{
	CLEANUP(err_release) struct err ignored = ERR_INIT;

	for (;;) {
		PGresult *result = NULL;
		ExecStatusType status;

		if (conn_next_result(conn, &result, &ignored) != 0 || !result)
			return;
		status = PQresultStatus(result);
		PQclear(result);
		/* libpq gives COPY results for ever until the copy is ended. */
		if (status == PGRES_COPY_IN)
			PQputCopyEnd(conn->pg, "aborted");
		else if (status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
			char *data = NULL;

			while (PQgetCopyData(conn->pg, &data, 0) > 0)
				PQfreemem(data);
		}
		if (PQstatus(conn->pg) == CONNECTION_BAD)
			return;
	}
}

/*
 * Collects the results of one request. The first error is kept, the last good result handed out
 * when ret_result is not NULL.
 */
static int collect(struct conn *conn, PGresult **ret_result, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *last = NULL;
	int failed = 0;

	for (;;) {
		PGresult *result = NULL;

		if (conn_next_result(conn, &result, err) != 0)
			return -1;
		if (!result)
			break;
		switch (PQresultStatus(result)) {
		case PGRES_COMMAND_OK:
		case PGRES_TUPLES_OK:
		case PGRES_EMPTY_QUERY:
			PQclear(last);
			last = result;
			continue;
		default:
			if (!failed)
				failed = conn_result_error(conn, result, ERR_FAILED, err);
			PQclear(result);
		}
		if (PQstatus(conn->pg) == CONNECTION_BAD)
			break;
	}
	/* The signal may have come too late to cancel anything; it still ends the run. */
	conn->completed = !failed;
	if (conn_take_interrupt(conn, err) != 0 || failed)
		return -1;
	if (ret_result)
		*ret_result = take_ptr(last);
	return 0;
}

static int exec(struct conn *conn, const char *sql, struct err *err)
{
	bool failed;

	if (conn->trace)
		conn->trace(sql);
	if (!PQsendQuery(conn->pg, sql))
		return conn_send_error(conn, err);
	failed = conn_flush(conn, err) != 0 || collect(conn, NULL, err) != 0;
	if (conn->stalled_once) {
		conn->stalled = NULL;
		conn->stalled_once = false;
		conn->stall_ms = 0;
	}
	return failed ? -1 : 0;
}

void conn_meanwhile(struct conn *conn, int (*work)(void *context, struct err *err), void *context)
{
	if (conn->stalled)
		BUG("somebody waits for this connection already");
	conn->stalled = work;
	conn->stalled_context = context;
	conn->stalled_once = true;
	conn->stall_ms = MEANWHILE_MS;
}

#define PIN "SET search_path = ''; SET client_encoding = 'UTF8'"

int conn_set(struct conn *conn, const char *sql, struct err *err)
{
	CLEANUP(mem_cleanup)
	char *all = conn->unpinned ? mem_printf(PIN "; %s", sql) : mem_strdup(sql);

	conn->unpinned = false;
	return exec(conn, all, err);
}

static int query(struct conn *conn, const char *sql, int count, const char *const *values,
	PGresult **ret_result, struct err *err)
{
	if (!PQsendQueryParams(conn->pg, sql, count, NULL, values, NULL, NULL, 0))
		return conn_send_error(conn, err);
	if (conn_flush(conn, err) != 0)
		return -1;
	return collect(conn, ret_result, err);
}

static int pin(struct conn *conn, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (!conn->unpinned)
		return 0;
	conn->unpinned = false;
	/* The server's session is another client's next. */
	if (conn->pooled) {
		if (query(conn, query_search_path_safe, 0, NULL, &result, err) != 0)
			return -1;
		if (PQntuples(result) == 1 && strcmp(PQgetvalue(result, 0, 0), "t") == 0)
			return 0;
	}
	return exec(conn, PIN, err);
}

int conn_exec(struct conn *conn, const char *sql, struct err *err)
{
	return pin(conn, err) == 0 ? exec(conn, sql, err) : -1;
}

int conn_query(struct conn *conn, const char *sql, int count, const char *const *values,
	PGresult **ret_result, struct err *err)
{
	if (pin(conn, err) != 0)
		return -1;
	return query(conn, sql, count, values, ret_result, err);
}

int conn_query_row(struct conn *conn, const char *sql, int count, const char *const *values,
	PGresult **ret_result, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (conn_query(conn, sql, count, values, &result, err) != 0)
		return -1;
	if (PQntuples(result) < 1)
		return err_set(
			err, ERR_FAILED, "the server gave no answer to a query that has one");
	*ret_result = take_ptr(result);
	return 0;
}
