#include "pg/sessions.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "pg/conn_internal.h"
#include "queries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define END_TIMEOUT_MS 5000
#define END_PAUSE_MS 5

static const char *value(const PGresult *result, int row, int column)
{
	return PQgetisnull(result, row, column) ? NULL : PQgetvalue(result, row, column);
}

int sessions_list(
	struct conn *conn, bool background_workers, struct session_list *list, struct err *err)
{
	const char *all = background_workers ? "true" : "false";
	PGresult *result = NULL;

	if (conn_query(conn, query_sessions, 1, &all, &result, err) != 0)
		return -1;
	list->result = result;
	list->count = (size_t)PQntuples(result);
	list->items = mem_calloc(list->count, sizeof(*list->items));
	for (int i = 0; i < PQntuples(result); i++)
		list->items[i] = (struct session){
			.pid = strtol(PQgetvalue(result, i, 0), NULL, 10),
			.user = value(result, i, 1),
			.database = value(result, i, 2),
			.client = value(result, i, 3),
			.application = value(result, i, 4),
			.state = value(result, i, 5),
			.age_seconds = PQgetisnull(result, i, 6)
					       ? -1
					       : strtod(PQgetvalue(result, i, 6), NULL),
			.wait = value(result, i, 7),
			.blocked_by = value(result, i, 8),
			.query = value(result, i, 9),
			.backend_type = value(result, i, 10),
		};
	return 0;
}

void session_list_release(struct session_list *list)
{
	mem_free(list->items);
	PQclear(list->result);
	*list = (struct session_list){ 0 };
}

static bool is_true(const PGresult *result, int column)
{
	return strcmp(PQgetvalue(result, 0, column), "t") == 0;
}

/* Refuses what must not be signalled; the pid's session must exist. */
static int check_session(struct conn *conn, const char *pid, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (conn_query(conn, query_session_of_pid, 1, &pid, &result, err) != 0)
		return -1;
	if (PQntuples(result) == 0)
		return err_set(err, ERR_FAILED, "there is no session with pid %s", pid);
	if (is_true(result, 3))
		return err_set(err, ERR_REFUSED, "pid %s is this command's own session", pid);
	if (is_true(result, 4))
		return err_set(
			err, ERR_REFUSED, "pid %s belongs to rdsadmin, Amazon's own user", pid);
	if (!is_true(result, 5))
		return err_set(
			err, ERR_REFUSED, "pid %s is one of the server's own processes", pid);
	return 0;
}

/* The server only passes the request on; the session ends when it next looks. */
static int wait_until_gone(struct conn *conn, const char *pid, struct err *err)
{
	int64_t deadline = clock_ms() + END_TIMEOUT_MS;

	for (;;) {
		CLEANUP(result_cleanup) PGresult *result = NULL;

		if (conn_query(conn, query_session_of_pid, 1, &pid, &result, err) != 0)
			return -1;
		if (PQntuples(result) == 0)
			return 0;
		if (clock_ms() > deadline)
			return err_set(err, ERR_TIMEOUT,
				"session %s was told to end but is still there after %d seconds",
				pid, END_TIMEOUT_MS / 1000);
		clock_sleep_ms(END_PAUSE_MS);
		if (interrupt_check(err) != 0)
			return -1;
	}
}

int session_signal(struct conn *conn, long pid, bool end, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;
	char text[24];
	const char *parameter = text;
	notice_fn *notice = conn->notice;
	int failed;

	snprintf(text, sizeof(text), "%ld", pid);
	if (check_session(conn, text, err) != 0)
		return -1;
	/* "PID 123 is not a PostgreSQL backend process": it has just gone by itself. */
	conn->notice = NULL;
	failed = conn_query_row(conn, end ? query_session_terminate : query_session_cancel, 1,
		&parameter, &result, err);
	conn->notice = notice;
	if (failed)
		return -1;
	if (!is_true(result, 0))
		return err_set(err, ERR_FAILED, "could not signal the session with pid %ld", pid);
	return end ? wait_until_gone(conn, text, err) : 0;
}

int sessions_of_database(struct conn *conn, const char *database, long **ret_pids,
	size_t *ret_count, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;
	long *pids;

	if (conn_query(conn, query_sessions_of_database, 1, &database, &result, err) != 0)
		return -1;
	pids = mem_calloc((size_t)PQntuples(result), sizeof(*pids));
	for (int i = 0; i < PQntuples(result); i++)
		pids[i] = strtol(PQgetvalue(result, i, 0), NULL, 10);
	*ret_pids = pids;
	*ret_count = (size_t)PQntuples(result);
	return 0;
}

int session_exists(struct conn *conn, const char *pid, bool *ret_exists, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (conn_query_row(conn, query_session_exists, 1, &pid, &result, err) != 0)
		return -1;
	*ret_exists = strcmp(PQgetvalue(result, 0, 0), "t") == 0;
	return 0;
}
