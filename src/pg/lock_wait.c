#include "pg/lock_wait.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/message.h"
#include "base/strbuf.h"
#include "queries.h"

#include <stdlib.h>
#include <string.h>

#define TIMEOUT_SECONDS 3

static const char *value(const PGresult *result, int column)
{
	return PQgetisnull(result, 0, column) ? NULL : PQgetvalue(result, 0, column);
}

static void describe(const PGresult *result, struct lock_wait *wait)
{
	struct strbuf text = STRBUF_INIT;
	const char *user = value(result, 1), *application = value(result, 2);
	const char *state = value(result, 3), *seconds = value(result, 4);
	char age[32];

	if (strcmp(PQgetvalue(result, 0, 0), "0") == 0)
		strbuf_adds(&text, "a prepared transaction");
	else
		message_add(&text, "pid %s", PQgetvalue(result, 0, 0));
	if (user) {
		message_add(&text, " (user %s", user);
		if (application)
			message_add(&text, ", application %s", application);
		if (state)
			message_add(&text, ", %s", state);
		if (state && seconds)
			message_add(&text, " for %s",
				clock_format((int64_t)strtoll(seconds, NULL, 10) * 1000000, age,
					sizeof(age)));
		strbuf_addc(&text, ')');
	}
	if (PQntuples(result) > 1)
		message_add(&text, " and %d more", PQntuples(result) - 1);
	wait->holder = strbuf_detach(&text);
	if (value(result, 5))
		wait->relation = message_line("%s", value(result, 5));
}

int lock_wait_ask(struct conn *conn, struct lock_wait *wait, struct err *err)
{
	CLEANUP(conn_cleanup) struct conn *second = NULL;
	CLEANUP(result_cleanup) PGresult *result = NULL;
	CLEANUP(mem_cleanup) char *pid = mem_printf("%d", PQbackendPID(conn_pg(conn)));
	const struct conn_options options = { .own_queries = true };
	const char *values[] = { pid };

	if (conn_open_beside(conn, &options, TIMEOUT_SECONDS, &second, err) != 0 ||
		conn_query(second, query_blocked_by, 1, values, &result, err) != 0) {
		if (err->kind == ERR_INTERRUPTED)
			return -1;
		err_release(err);
		return 0;
	}
	if (PQntuples(result) == 0)
		return 0;
	describe(result, wait);
	return 1;
}

void lock_wait_release(struct lock_wait *wait)
{
	mem_free(wait->holder);
	mem_free(wait->relation);
	*wait = (struct lock_wait)LOCK_WAIT_INIT;
}
