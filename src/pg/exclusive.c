#include "pg/exclusive.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "pg/conn_internal.h"
#include "pg/obstacle.h"
#include "queries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long sessions that were told to end are waited for before the statement is sent anyhow. */
#define END_MS 1000
#define END_PAUSE_MS 1

/*
 * When the statement has not been answered by then somebody may have slipped in, and a second
 * connection ends whoever it is. The server looks again after 100 ms at the earliest; a copy of a
 * small database takes less than this and needs no second connection.
 */
#define WATCH_MS 25
#define WATCH_AGAIN_MS 3
#define WATCH_IDLE_MS 100
#define CONNECT_SECONDS 3

#define RETRY_MS 30000

/* What one round of ending sessions found. */
struct round {
	long sessions;
	long begun; /* of them, those that had begun by the time that was asked about */
	long fixed; /* of them, those that our role may not end */
	char now[48];
};

/* All databases concerned, as an array of oids for a query. */
struct watch {
	struct conn *conn;   /* whose statement is running */
	struct conn *second; /* NULL: not open */
	bool failed;         /* there will be no second connection */
	const char *names;
	char *oids; /* NULL: not asked for yet */
	const char *pid;
};

static long number(const PGresult *result, int column)
{
	return strtol(PQgetvalue(result, 0, column), NULL, 10);
}

/* since: a time of the server's as in round.now; pid: see the query. Both may be NULL. */
static int end_round(struct conn *conn, const char *oids, const char *since, const char *pid,
	struct round *round, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;
	const char *values[] = { oids, since, pid };
	notice_fn *notice = conn->notice;
	int failed;

	/* "PID 123 is not a PostgreSQL backend process": it went by itself. */
	conn->notice = NULL;
	failed = conn_query_row(conn, query_exclusive_end, 3, values, &result, err);
	conn->notice = notice;
	if (failed)
		return -1;
	round->sessions = number(result, 0);
	round->begun = number(result, 1);
	round->fixed = number(result, 2);
	snprintf(round->now, sizeof(round->now), "%s", PQgetvalue(result, 0, 3));
	return 0;
}

/* --- beforehand ------------------------------------------------------------------------------ */

/* Fails because of sessions, all or the fixed ones, of the first database that has any. */
static int tell_sessions(
	struct conn *conn, const struct exclusive *need, bool fixed, struct err *err)
{
	for (size_t i = 0; i < need->names.count; i++)
		if (obstacle_sessions(conn, need->verb, need->names.items[i], fixed, err) != 0)
			return -1;
	/* They have just gone. */
	return 0;
}

/*
 * Ends the sessions that there are and waits until they have gone; those that have come meanwhile
 * are not waited for.
 */
static int end_sessions(
	struct conn *conn, const struct exclusive *need, const char *oids, struct err *err)
{
	int64_t deadline = clock_ms() + END_MS;
	struct round first, round;

	if (end_round(conn, oids, NULL, NULL, &first, err) != 0)
		return -1;
	round = first;
	while (round.fixed == 0 && round.begun > 0 && clock_ms() < deadline) {
		clock_sleep_ms(END_PAUSE_MS);
		if (interrupt_check(err) != 0 ||
			end_round(conn, oids, first.now, NULL, &round, err) != 0)
			return -1;
	}
	return round.fixed > 0 ? tell_sessions(conn, need, true, err) : 0;
}

/* The names as an array for a query. */
static char *name_array(const struct strlist *names)
{
	CLEANUP(strbuf_release) struct strbuf array = STRBUF_INIT;

	for (size_t i = 0; i < names->count; i++) {
		strbuf_adds(&array, i ? ",\"" : "{\"");
		for (const char *c = names->items[i]; *c; c++) {
			if (*c == '"' || *c == '\\')
				strbuf_addc(&array, '\\');
			strbuf_addc(&array, *c);
		}
		strbuf_addc(&array, '"');
	}
	strbuf_adds(&array, names->count ? "}" : "{}");
	return strbuf_detach(&array);
}

/* *ret_oids is the caller's. */
static int look(struct conn *conn, const char *names, PGresult **ret_result, char **ret_oids,
	struct err *err)
{
	CLEANUP(strbuf_release) struct strbuf oids = STRBUF_INIT;

	if (conn_query(conn, query_exclusive_look, 1, &names, ret_result, err) != 0)
		return -1;
	strbuf_addc(&oids, '{');
	for (int i = 0; i < PQntuples(*ret_result); i++)
		strbuf_addf(&oids, "%s%s", i ? "," : "", PQgetvalue(*ret_result, i, 0));
	strbuf_addc(&oids, '}');
	*ret_oids = strbuf_detach(&oids);
	return 0;
}

/* Makes the databases free, as far as that can be done beforehand; *ret_oids is the caller's. */
static int clear(struct conn *conn, const struct exclusive *need, const char *names,
	char **ret_oids, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;
	bool busy = false;

	if (look(conn, names, &result, ret_oids, err) != 0)
		return -1;
	for (int i = 0; i < PQntuples(result); i++) {
		busy = busy || strcmp(PQgetvalue(result, i, 2), "t") == 0;
		/* Before sessions are ended in vain. */
		if (strcmp(PQgetvalue(result, i, 3), "t") == 0 &&
			obstacle_check(conn, need->verb, PQgetvalue(result, i, 1), false, err) != 0)
			return -1;
	}
	if (busy && !need->force && tell_sessions(conn, need, false, err) != 0)
		return -1;
	return busy && need->force ? end_sessions(conn, need, *ret_oids, err) : 0;
}

/* --- while the statement runs ---------------------------------------------------------------- */

static int open_second(struct watch *watch, struct err *err)
{
	const struct conn_options options = { .own_queries = true };

	return conn_open_beside(watch->conn, &options, CONNECT_SECONDS, &watch->second, err);
}

static int watch_sessions(struct watch *watch, struct round *round, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (!watch->second && open_second(watch, err) != 0)
		return -1;
	/* The names are still those of before: or nothing is ended, the statement being over. */
	if (!watch->oids && look(watch->second, watch->names, &result, &watch->oids, err) != 0)
		return -1;
	return end_round(watch->second, watch->oids, NULL, watch->pid, round, err);
}

/* Without a second connection the statement is left to the server, and then tried again. */
static int watch_round(void *context, struct err *err)
{
	struct watch *watch = context;
	struct round round = { 0 };

	if (watch->failed)
		return 0;
	if (watch_sessions(watch, &round, err) != 0) {
		if (err->kind == ERR_INTERRUPTED)
			return -1;
		err_release(err);
		watch->failed = true;
		watch->conn->stall_again_ms = 0;
		return 0;
	}
	/* Nobody is let in while the server waits, so that there is ever less to do. */
	if (round.sessions > 0)
		watch->conn->stall_again_ms = WATCH_AGAIN_MS;
	else if (watch->conn->stall_again_ms < WATCH_IDLE_MS)
		watch->conn->stall_again_ms *= 2;
	return 0;
}

/* *oids may be NULL, and is the caller's afterwards. */
static int exec_watched(
	struct conn *conn, const char *names, char **oids, const char *sql, struct err *err)
{
	CLEANUP(mem_cleanup) char *pid = mem_printf("%d", PQbackendPID(conn_pg(conn)));
	struct watch watch = { .conn = conn, .names = names, .oids = *oids, .pid = pid };
	int result;

	if (conn->stalled)
		BUG("somebody waits for this connection already");
	conn->stalled = watch_round;
	conn->stalled_context = &watch;
	conn->stall_ms = WATCH_MS + 2 * conn->round_trip_us / 1000;
	conn->stall_again_ms = WATCH_AGAIN_MS;
	result = conn_exec(conn, sql, err);
	conn->stalled = NULL;
	conn->stalled_context = NULL;
	conn->stall_ms = conn->stall_again_ms = 0;
	conn_close(watch.second);
	*oids = watch.oids;
	return result;
}

/* --- the whole ------------------------------------------------------------------------------- */

static bool is_in_use(const struct err *err)
{
	return err->kind == ERR_FAILED && strcmp(err->sqlstate, SQLSTATE_IN_USE) == 0;
}

/* What the server's refusal does not say: who it is that is in the way. */
static void explain_use(struct conn *conn, const struct exclusive *need, struct err *err)
{
	CLEANUP(err_release) struct err other = ERR_INIT;

	for (size_t i = 0; i < need->names.count; i++)
		obstacle_explain(conn, need->names.items[i], false, err);
	if (tell_sessions(conn, need, false, &other) != 0 && other.kind == ERR_FAILED &&
		other.detail) {
		err_release(err);
		*err = other;
		other = (struct err)ERR_INIT;
	}
}

/* What became of a request that was sent and has failed. */
static void tell_outcome(struct conn *conn, const struct exclusive *need, struct err *err)
{
	if (err->kind == ERR_CONNECT)
		err_detail_line(err, "Whether it took effect is unknown.");
	else if (err->kind == ERR_INTERRUPTED && conn->completed)
		err_note_line(err, "The signal came too late: it took effect.");
	else if (is_in_use(err))
		explain_use(conn, need, err);
}

int exclusive_exec(
	struct conn *conn, const struct exclusive *need, const char *sql, struct err *err)
{
	CLEANUP(mem_cleanup) char *names = name_array(&need->names);
	int64_t deadline = clock_ms() + RETRY_MS;

	for (bool unused = need->unused;; unused = false) {
		CLEANUP(mem_cleanup) char *oids = NULL;
		int failed;

		if (!unused && clear(conn, need, names, &oids, err) != 0)
			return -1;
		conn->completed = false;
		failed = need->force ? exec_watched(conn, names, &oids, sql, err)
				     : conn_exec(conn, sql, err);
		if (!failed)
			return 0;
		if (!is_in_use(err) || !(need->force || unused) || clock_ms() > deadline)
			break;
		err_release(err);
	}
	tell_outcome(conn, need, err);
	return -1;
}
