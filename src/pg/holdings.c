#include "pg/holdings.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "pg/conn_internal.h"
#include "pg/database.h"
#include "queries.h"

#include <stdlib.h>
#include <string.h>

#define CONNECT_SECONDS 3
#define STATEMENT_MS 5000
#define LEAVE_MS 1000
#define LOCK_MS 1000
/* How much later than its own limit the server may answer. */
#define GRACE_MS 500

#define SQLSTATE_CANCELED "57014"
#define SQLSTATE_NO_LOCK "55P03"

void holdings_release(struct holdings *holdings)
{
	for (size_t i = 0; i < HOLDINGS_PARTS; i++) {
		err_release(&holdings->unknown[i]);
		PQclear(holdings->results[i]);
	}
	mark_release(&holdings->mark);
	mem_free(holdings->besides);
	*holdings = (struct holdings)HOLDINGS_INIT;
}

/* --- asking ----------------------------------------------------------------------------------- */

/* One connection while it is asked: what has been set on it, and until when there is time. */
struct inquiry {
	struct conn *conn;
	struct holdings *holdings;
	const char *database;
	int64_t deadline;
	int64_t statement_ms; /* the limit of the open transaction; 0: none is open */
};

/* The server is silent past its own limit. */
static int give_up(void *unused, struct err *err)
{
	(void)unused;
	return err_set(err, ERR_TIMEOUT, "the server does not answer");
}

static int end(struct inquiry *inquiry, struct err *err)
{
	if (inquiry->statement_ms == 0)
		return 0;
	inquiry->statement_ms = 0;
	return PQstatus(conn_pg(inquiry->conn)) == CONNECTION_BAD
		       ? 0
		       : conn_exec(inquiry->conn, "ROLLBACK", err);
}

/*
 * A transaction keeps the limits, and whatever fails within them, away from the work the connection
 * is for.
 */
static int begin(struct inquiry *inquiry, struct err *err)
{
	int64_t left = inquiry->deadline - clock_ms();
	CLEANUP(mem_cleanup) char *sql = NULL;

	if (left <= 0)
		return err_set(err, ERR_TIMEOUT, "no time was left to ask");
	left = left < STATEMENT_MS ? left : STATEMENT_MS;
	if (inquiry->statement_ms != 0 && inquiry->statement_ms <= left + GRACE_MS)
		return 0;
	sql = mem_printf("%sSET LOCAL statement_timeout = %d; SET LOCAL lock_timeout = %d",
		inquiry->statement_ms == 0 ? "BEGIN READ ONLY; " : "", (int)left, LOCK_MS);
	inquiry->statement_ms = left;
	return conn_exec(inquiry->conn, sql, err);
}

static int ask_within(struct inquiry *inquiry, const char *sql, int count,
	const char *const *values, PGresult **ret_result, struct err *err)
{
	struct conn *conn = inquiry->conn;
	const bool watched = !conn->stalled;
	void (*trace)(const char *) = conn->trace;
	int failed;

	/* What is only looked at is not echoed. */
	conn->trace = NULL;
	if (watched) {
		conn->stalled = give_up;
		conn->stall_ms = inquiry->deadline - clock_ms() + GRACE_MS;
		conn->stall_ms = conn->stall_ms > GRACE_MS ? conn->stall_ms : GRACE_MS;
	}
	failed = begin(inquiry, err) != 0 ||
		 conn_query(conn, sql, count, values, ret_result, err) != 0;
	if (failed) {
		CLEANUP(err_release) struct err ignored = ERR_INIT;

		end(inquiry, &ignored);
	}
	if (watched) {
		conn->stalled = NULL;
		conn->stall_ms = conn->stalled_due = 0;
	}
	conn->trace = trace;
	return failed ? -1 : 0;
}

/* Only a signal ends everything. */
static int pass(struct holdings *holdings, enum holdings_part part, struct err *err)
{
	if (err->kind == ERR_INTERRUPTED)
		return -1;
	holdings->unknown[part] = *err;
	*err = (struct err)ERR_INIT;
	return 0;
}

/* *ret_result NULL: it is noted why. */
static int ask(struct inquiry *inquiry, enum holdings_part part, const char *sql, int count,
	const char *const *values, PGresult **ret_result, struct err *err)
{
	PGresult **result = &inquiry->holdings->results[part];

	*ret_result = NULL;
	if (ask_within(inquiry, sql, count, values, result, err) != 0)
		return pass(inquiry->holdings, part, err);
	*ret_result = *result;
	return 0;
}

/* --- from outside ----------------------------------------------------------------------------- */

static const char *value(const PGresult *result, int row, int column)
{
	return PQgetisnull(result, row, column) ? NULL : PQgetvalue(result, row, column);
}

static int64_t number(const PGresult *result, int row, int column)
{
	return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

static bool is_true(const PGresult *result, int row, int column)
{
	return strcmp(PQgetvalue(result, row, column), "t") == 0;
}

/* Why nobody can look into the database; otherwise nothing. */
static void note_closed(struct holdings *holdings, const PGresult *result)
{
	const char *why = NULL;

	if (is_true(result, 0, 1))
		why = "the database is half dropped and cannot be connected to";
	else if (!is_true(result, 0, 2))
		why = "the database takes no connections";
	for (int part = HOLDINGS_TABLES; why && part <= HOLDINGS_OBJECTS; part++)
		err_set(&holdings->unknown[part], ERR_FAILED, "%s", why);
}

static int ask_database(struct inquiry *inquiry, struct err *err)
{
	struct holdings *holdings = inquiry->holdings;
	PGresult *result;

	if (ask(inquiry, HOLDINGS_DATABASE, query_holdings_database, 1, &inquiry->database, &result,
		    err) != 0)
		return -1;
	/* When even that is not known, the rest is tried. */
	holdings->found = !result || PQntuples(result) > 0;
	if (!result || !holdings->found)
		return 0;
	holdings->owner = value(result, 0, 0);
	if (!mark_parse(value(result, 0, 3), &holdings->mark))
		holdings->mark = (struct mark)MARK_INIT;
	note_closed(holdings, result);
	return 0;
}

static int ask_size(struct inquiry *inquiry, struct err *err)
{
	PGresult *result;

	if (ask(inquiry, HOLDINGS_SIZE, query_database_size, 1, &inquiry->database, &result, err) !=
		0)
		return -1;
	if (result)
		inquiry->holdings->bytes = number(result, 0, 0);
	return 0;
}

#define TEXT(number) TEXT_OF(number)
#define TEXT_OF(number) #number

static int ask_sessions(struct inquiry *inquiry, struct err *err)
{
	struct holdings *holdings = inquiry->holdings;
	const char *values[] = { inquiry->database, TEXT(HOLDINGS_MOST) };
	PGresult *result;

	if (ask(inquiry, HOLDINGS_SESSIONS, query_holdings_sessions, 2, values, &result, err) != 0)
		return -1;
	for (int i = 0; i < PQntuples(result) && i < HOLDINGS_MOST; i++) {
		holdings->session_count = (long)number(result, i, 0);
		holdings->sessions[holdings->session_groups++] = (struct holdings_sessions){
			.count = (long)number(result, i, 1),
			.user = value(result, i, 2),
			.application = value(result, i, 3),
			.client = value(result, i, 4),
		};
	}
	return 0;
}

static int ask_besides(struct inquiry *inquiry, struct err *err)
{
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
	PGresult *result;

	if (ask(inquiry, HOLDINGS_BESIDES, query_database_uncopied, 1, &inquiry->database, &result,
		    err) != 0)
		return -1;
	for (int i = 0; i < PQntuples(result); i++)
		if (value(result, i, 0))
			strbuf_addf(&text, "%s%s", text.length ? ", " : "", value(result, i, 0));
	if (text.length)
		inquiry->holdings->besides = strbuf_detach(&text);
	return 0;
}

/* --- from inside ------------------------------------------------------------------------------ */

static bool is_slow(const struct err *err)
{
	return strcmp(err->sqlstate, SQLSTATE_NO_LOCK) == 0 ||
	       strcmp(err->sqlstate, SQLSTATE_CANCELED) == 0;
}

/* Sizes are measured; when that would take too long, those of the statistics will do. */
static int ask_tables(struct inquiry *inquiry, struct err *err)
{
	struct holdings *holdings = inquiry->holdings;
	struct err *unknown = &holdings->unknown[HOLDINGS_TABLES];
	const char *values[] = { TEXT(HOLDINGS_MOST), "true" };
	PGresult *result;

	if (ask(inquiry, HOLDINGS_TABLES, query_holdings_tables, 2, values, &result, err) != 0)
		return -1;
	if (!result && is_slow(unknown)) {
		err_release(unknown);
		holdings->estimated = true;
		values[1] = "false";
		if (ask(inquiry, HOLDINGS_TABLES, query_holdings_tables, 2, values, &result, err) !=
			0)
			return -1;
	}
	for (int i = 0; i < PQntuples(result) && i < HOLDINGS_MOST; i++) {
		holdings->table_count = (long)number(result, i, 0);
		holdings->tables[holdings->tables_shown++] = (struct holdings_table){
			.name = value(result, i, 1),
			.bytes = number(result, i, 2),
			.rows = value(result, i, 3) ? number(result, i, 3) : -1,
			.at_least = is_true(result, i, 4),
		};
	}
	return 0;
}

static int ask_objects(struct inquiry *inquiry, struct err *err)
{
	PGresult *result;

	if (ask(inquiry, HOLDINGS_OBJECTS, query_holdings_objects, 0, NULL, &result, err) != 0)
		return -1;
	if (result) {
		inquiry->holdings->view_count = (long)number(result, 0, 0);
		inquiry->holdings->function_count = (long)number(result, 0, 1);
	}
	return 0;
}

/*
 * A second connection to the database itself. A password that was made for the first is good for
 * this one too, and making another would take its time.
 */
static int connect_inside(struct conn *maintenance, const struct inquiry *inquiry,
	struct conn **ret_conn, struct err *err)
{
	const struct conn_options options = {
		.own_queries = true,
		.database = inquiry->database,
		.deadline = inquiry->deadline,
	};

	if (inquiry->deadline <= clock_ms()) {
		err_set(err, ERR_TIMEOUT, "no time was left to ask");
		return -1;
	}
	return conn_open_beside(maintenance, &options, CONNECT_SECONDS, ret_conn, err);
}

/* Its session is not to stand in the way of what comes next: it ends a moment after it is closed.
 */
static int leave(struct conn *maintenance, struct conn *conn, struct err *err)
{
	CLEANUP(mem_cleanup) char *pid = mem_printf("%d", PQbackendPID(conn_pg(conn)));
	const char *values[] = { pid };
	const int64_t deadline = clock_ms() + LEAVE_MS;
	bool gone = false;

	conn_close(conn);
	while (!gone && clock_ms() < deadline) {
		CLEANUP(result_cleanup) PGresult *result = NULL;

		if (conn_query(maintenance, query_session_of_pid, 1, values, &result, err) != 0)
			return -1;
		gone = PQntuples(result) == 0;
		if (!gone)
			clock_sleep_ms(1);
	}
	return 0;
}

static int ask_inside(struct conn *maintenance, struct inquiry *inquiry, struct err *err)
{
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	struct holdings *holdings = inquiry->holdings;

	if (connect_inside(maintenance, inquiry, &conn, err) != 0)
		return pass(holdings, HOLDINGS_TABLES, err);
	inquiry->conn = conn;
	if (ask_tables(inquiry, err) != 0 || ask_objects(inquiry, err) != 0)
		return -1;
	return leave(maintenance, take_ptr(conn), err);
}

int holdings_ask(struct conn *maintenance, const char *database, int64_t limit_ms,
	struct holdings *holdings, struct err *err)
{
	struct inquiry outside = {
		.conn = maintenance,
		.holdings = holdings,
		.database = database,
		.deadline = clock_ms() + limit_ms,
	};
	struct inquiry inside = outside;
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	int failed = ask_database(&outside, err) != 0 ||
		     (holdings->found &&
			     (ask_size(&outside, err) != 0 || ask_sessions(&outside, err) != 0 ||
				     ask_besides(&outside, err) != 0));

	end(&outside, &ignored);
	if (failed)
		return -1;
	if (ignored.kind == ERR_INTERRUPTED) {
		*err = ignored;
		ignored = (struct err)ERR_INIT;
		return -1;
	}
	if (!holdings->found || holdings->unknown[HOLDINGS_TABLES].kind != ERR_NONE)
		return 0;
	return ask_inside(maintenance, &inside, err);
}
