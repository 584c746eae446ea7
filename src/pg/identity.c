#include "pg/identity.h"

#include "base/clock.h"
#include "base/mem.h"
#include "pg/probe.h"
#include "queries.h"

#include <poll.h>
#include <string.h>

/* Not by a statement_timeout: a pooler may give that to another session, and a server that hangs
 * does not keep it. */
static int wait_for_result(
	struct conn *conn, int64_t deadline, PGresult **ret_result, struct err *err)
{
	PGconn *pg = conn_pg(conn);

	for (;;) {
		int ready;

		while (!PQisBusy(pg)) {
			PGresult *result = PQgetResult(pg);

			if (!result)
				return 0;
			PQclear(*ret_result);
			*ret_result = result;
		}
		ready = probe_wait(PQsocket(pg), POLLIN, deadline, err);
		if (ready < 0)
			return -1;
		if (ready == 0)
			return err_set(err, ERR_TIMEOUT, "the server did not answer in time");
		if (!PQconsumeInput(pg))
			return conn_send_error(conn, err);
	}
}

/* value: of $1; NULL: there is none. */
static int query(struct conn *conn, const char *sql, const char *value, int64_t deadline,
	PGresult **ret_result, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (!PQsendQueryParams(conn_pg(conn), sql, value ? 1 : 0, NULL, &value, NULL, NULL, 0))
		return conn_send_error(conn, err);
	if (conn_flush(conn, err) != 0 || wait_for_result(conn, deadline, &result, err) != 0)
		return -1;
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		return conn_result_error(conn, result, ERR_FAILED, err);
	if (PQntuples(result) < 1)
		return err_set(
			err, ERR_FAILED, "the server gave no answer to a query that has one");
	*ret_result = take_ptr(result);
	return 0;
}

int identity_ask_place(
	struct conn *conn, int64_t deadline, struct identity *identity, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (query(conn, query_server_identity, NULL, deadline, &result, err) != 0)
		return -1;
	identity->database = mem_strdup(PQgetvalue(result, 0, 0));
	identity->start = mem_strdup(PQgetvalue(result, 0, 1));
	identity->comment = PQgetisnull(result, 0, 2) ? NULL : mem_strdup(PQgetvalue(result, 0, 2));
	identity->process = mem_strdup(PQgetvalue(result, 0, 3));
	conn_note_process(conn, identity->process);
	return 0;
}

int identity_ask(struct conn *conn, int64_t deadline, struct identity *identity, struct err *err)
{
	CLEANUP(identity_release) struct identity place = IDENTITY_INIT;
	CLEANUP(result_cleanup) PGresult *system = NULL;
	CLEANUP(err_release) struct err own = ERR_INIT;

	if (identity_ask_place(conn, deadline, &place, err) != 0)
		return -1;
	/* A role may not be allowed to. */
	if (query(conn, query_system_identifier, NULL, deadline, &system, &own) != 0 &&
		own.kind != ERR_FAILED) {
		*err = own;
		own = (struct err)ERR_INIT;
		return -1;
	}
	*identity = place;
	place = (struct identity)IDENTITY_INIT;
	identity->system = system ? mem_strdup(PQgetvalue(system, 0, 0)) : NULL;
	return 0;
}

int identity_ask_system(struct conn *conn, char **ret_system, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	*ret_system = NULL;
	if (conn_query_row(conn, query_system_identifier, 0, NULL, &result, err) == 0) {
		*ret_system = mem_strdup(PQgetvalue(result, 0, 0));
		return 0;
	}
	if (err->kind != ERR_FAILED)
		return -1;
	err_release(err);
	return 0;
}

int identity_has_role(
	struct conn *conn, const char *role, int64_t deadline, bool *ret_has, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (query(conn, query_server_has_role, role, deadline, &result, err) != 0)
		return -1;
	*ret_has = strcmp(PQgetvalue(result, 0, 0), "t") == 0;
	return 0;
}

bool identity_same_server(const struct identity *a, const struct identity *b)
{
	if (a->system && b->system)
		return strcmp(a->system, b->system) == 0;
	return a->start && b->start && strcmp(a->start, b->start) == 0;
}

bool identity_same_run(const struct identity *a, const struct identity *b)
{
	return strcmp(a->start, b->start) == 0;
}

void identity_release(struct identity *identity)
{
	mem_free(identity->system);
	mem_free(identity->start);
	mem_free(identity->database);
	mem_free(identity->comment);
	mem_free(identity->process);
	*identity = (struct identity)IDENTITY_INIT;
}
