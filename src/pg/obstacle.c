#include "pg/obstacle.h"

#include "base/mem.h"
#include "base/message.h"
#include "queries.h"

#include <string.h>

#define SQLSTATE_READ_ONLY "25006"

/* Sessions listed in an error; more are counted. */
#define LISTED_SESSIONS 10

int obstacle_failure(struct err *err, const char *verb, const char *name)
{
	char *message;

	if (err->kind != ERR_FAILED)
		return -1;
	message = message_format("could not %s database \"%s\": %s", verb, name, err->message);
	mem_free(err->message);
	err->message = message;
	if (strcmp(err->sqlstate, SQLSTATE_READ_ONLY) == 0 && !err->hint)
		err_hint(err,
			"The server is read-only, probably a standby: use the URL of its primary.");
	return -1;
}

int obstacle_list_sessions(struct conn *conn, const char *name, bool fixed, struct strbuf *list,
	int *ret_count, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;
	int count = 0;

	if (conn_query(conn, query_database_sessions, 1, &name, &result, err) != 0)
		return -1;
	for (int i = 0; i < PQntuples(result); i++) {
		if (fixed && strcmp(PQgetvalue(result, i, 5), "t") == 0)
			continue;
		if (count++ >= LISTED_SESSIONS)
			continue;
		if (list->length > 0)
			strbuf_addc(list, '\n');
		message_add(list, "pid %s, user %s, client %s, application \"%s\", %s",
			PQgetvalue(result, i, 0), PQgetvalue(result, i, 1),
			PQgetvalue(result, i, 2), PQgetvalue(result, i, 3),
			PQgetvalue(result, i, 4));
	}
	if (count > LISTED_SESSIONS)
		strbuf_addf(list, "\n… and %d more", count - LISTED_SESSIONS);
	*ret_count = count;
	return 0;
}

int obstacle_sessions(
	struct conn *conn, const char *verb, const char *name, bool fixed, struct err *err)
{
	CLEANUP(strbuf_release) struct strbuf list = STRBUF_INIT;
	int count;

	if (obstacle_list_sessions(conn, name, fixed, &list, &count, err) != 0)
		return -1;
	if (count == 0)
		return 0;
	err_set(err, ERR_FAILED, "could not %s database \"%s\": %d session%s connected to it%s",
		verb, name, count, count == 1 ? " is" : "s are",
		fixed ? " that your role may not end" : "");
	err_detail(err, "%s", list.data);
	if (fixed)
		err_hint(err, "Close them, or be granted pg_signal_backend or their role "
			      "(a superuser's sessions only a superuser may end).");
	else
		err_hint(err, "Close them, or end them with --force.");
	return 1;
}

static void name_obstacles(const PGresult *result, struct err *err)
{
	err_detail(err, "In the way:");
	for (int i = 0; i < PQntuples(result); i++) {
		CLEANUP(mem_cleanup)
		char *line = message_line(
			"%s, cleared by %s", PQgetvalue(result, i, 0), PQgetvalue(result, i, 1));

		err_detail_line(err, "%s", line);
	}
	err_hint(err, "Ending sessions does not clear these; run the commands named.");
}

static int find(
	struct conn *conn, const char *name, bool drop, PGresult **ret_result, struct err *err)
{
	const char *values[] = { name, drop ? "false" : "true" };

	return conn_query(conn, query_database_obstacles, 2, values, ret_result, err);
}

int obstacle_check(
	struct conn *conn, const char *verb, const char *name, bool drop, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (find(conn, name, drop, &result, err) != 0)
		return -1;
	if (PQntuples(result) == 0)
		return 0;
	err_set(err, ERR_FAILED, "could not %s database \"%s\": it is in use", verb, name);
	name_obstacles(result, err);
	return -1;
}

void obstacle_explain(struct conn *conn, const char *name, bool drop, struct err *err)
{
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (find(conn, name, drop, &result, &ignored) == 0 && PQntuples(result) > 0)
		name_obstacles(result, err);
}
