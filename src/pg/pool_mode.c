#include "pg/pool_mode.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "pg/conn_internal.h"
#include "pg/session_settings.h"
#include "queries.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long a session may take that is free, or has to be connected first. */
#define FREE_MS 1000

/* How much later than the answer to a later request that to an earlier one may come. */
#define GRACE_MS 500

/* How long, and how often at least, the two are looked at by turns. */
#define SAMPLE_MS 50
#define SAMPLE_ROUNDS 2

#define STATE_PROTOCOL "08P01"

/* Waits for the answer to what was sent, for that long. */
static int wait_answer(struct conn *conn, int64_t milliseconds, bool *ret_answered, struct err *err)
{
	const int64_t deadline = clock_ms() + milliseconds;
	int64_t left;

	*ret_answered = false;
	while (PQisBusy(conn->pg) && (left = deadline - clock_ms()) > 0) {
		struct pollfd fds[] = {
			{ .fd = PQsocket(conn->pg), .events = POLLIN },
			{ .fd = interrupt_fd(), .events = POLLIN },
		};

		if (poll(fds, ARRAY_SIZE(fds), (int)left) < 0 && errno != EINTR)
			return err_errno(err, "could not wait for the server");
		if (interrupt_check(err) != 0)
			return -1;
		/* That the connection has ended is an answer too. */
		if (fds[0].revents && !PQconsumeInput(conn->pg))
			break;
	}
	*ret_answered = !PQisBusy(conn->pg);
	return 0;
}

/* Of a pooler in statement mode; but so it also says that a session was waited for too long. */
static bool forbids_transactions(const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	return state && strcmp(state, STATE_PROTOCOL) == 0 && message &&
	       strstr(message, "pooling mode");
}

/* The answer to BEGIN. */
static int take_begin(struct conn *conn, bool *ret_forbidden, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	*ret_forbidden = false;
	if (conn_next_result(conn, &result, err) != 0)
		return -1;
	if (PQresultStatus(result) != PGRES_COMMAND_OK) {
		*ret_forbidden = forbids_transactions(result);
		return *ret_forbidden ? 0 : conn_result_error(conn, result, ERR_FAILED, err);
	}
	conn_drain(conn);
	return 0;
}

/* One transaction; whether it is in another session than the ones before. */
static int has_moved(struct conn *conn, long pid, bool *ret_moved, struct err *err)
{
	struct session_settings now;

	if (session_settings_read(conn, &now, err) != 0)
		return -1;
	*ret_moved = now.pid != pid;
	return 0;
}

/*
 * Other clients take and give back sessions meanwhile, so that both may get the same one as before
 * by chance. Twice each in a row: a pooler that gives its sessions away in turn would otherwise
 * come round to the same one.
 */
static int sample(struct conn *const conns[2], const long pids[2], bool *ret_moved, struct err *err)
{
	static const size_t order[] = { 0, 1, 1, 0 };
	const int64_t deadline = clock_ms() + SAMPLE_MS;

	*ret_moved = false;
	for (size_t i = 0; i < SAMPLE_ROUNDS * ARRAY_SIZE(order) || clock_ms() < deadline; i++) {
		const size_t which = order[i % ARRAY_SIZE(order)];

		if (has_moved(conns[which], pids[which], ret_moved, err) != 0)
			return -1;
		if (*ret_moved)
			break;
	}
	return 0;
}

int pool_mode_shares(struct conn *first, struct conn *second, bool *ret_shares, struct err *err)
{
	struct session_settings before, between, after;
	bool answered;

	if (session_settings_read(first, &before, err) != 0)
		return -1;
	if (!PQsendQuery(second->pg, "BEGIN"))
		return conn_send_error(second, err);
	if (conn_flush(second, err) != 0 || wait_answer(second, FREE_MS, &answered, err) != 0)
		return -1;
	if (!answered) {
		if (session_settings_read(first, &after, err) != 0 ||
			wait_answer(second, GRACE_MS, &answered, err) != 0)
			return -1;
		*ret_shares = before.pid != after.pid;
		if (!answered || *ret_shares)
			return 0;
	}
	if (take_begin(second, ret_shares, err) != 0)
		return -1;
	if (*ret_shares)
		return 0;
	if (session_settings_read(second, &between, err) != 0)
		return -1;
	/* Where this is the only session, first would wait for the end of second's transaction. */
	*ret_shares = before.pid == between.pid;
	if (*ret_shares)
		return 0;
	if (has_moved(first, before.pid, ret_shares, err) != 0)
		return -1;
	if (*ret_shares)
		return 0;
	if (conn_exec(second, "ROLLBACK", err) != 0)
		return -1;
	return sample((struct conn *const[]){ first, second },
		(const long[]){ before.pid, between.pid }, ret_shares, err);
}

int pool_mode_leave_trace(struct conn *conn, struct pool_trace *ret_trace, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;
	struct pool_trace trace;
	const char *values[] = { trace.mark };

	snprintf(trace.mark, sizeof(trace.mark), "%ld-%" PRId64, (long)getpid(), clock_ms());
	if (conn_query_row(conn, query_session_trace_leave, 1, values, &result, err) != 0)
		return -1;
	trace.pid = strtol(PQgetvalue(result, 0, 1), NULL, 10);
	*ret_trace = trace;
	return 0;
}

int pool_mode_find_trace(struct conn *conn, const struct pool_trace *trace,
	enum pool_find *ret_find, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (conn_query_row(conn, query_session_trace_find, 0, NULL, &result, err) != 0)
		return -1;
	if (strcmp(PQgetvalue(result, 0, 0), trace->mark) == 0) {
		*ret_find = POOL_KEPT;
		return conn_exec(conn, "RESET dbrig.trace", err);
	}
	*ret_find =
		strtol(PQgetvalue(result, 0, 1), NULL, 10) == trace->pid ? POOL_RESET : POOL_OTHER;
	return 0;
}
