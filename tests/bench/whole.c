/*
 * whole CONNINFO FILE: sends a file as one query, in one transaction. The least that loading a
 * script can take, if memory does not matter: what the loads are measured against.
 */
#include "read_all.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	PGconn *conn;
	PGresult *result;
	char *text;
	int failed = 0;

	if (argc != 3) {
		fputs("usage: whole CONNINFO FILE\n", stderr);
		return 64;
	}
	conn = PQconnectdb(argv[1]);
	if (PQstatus(conn) != CONNECTION_OK) {
		fputs(PQerrorMessage(conn), stderr);
		PQfinish(conn);
		return 2;
	}
	text = read_all(argv[2]);
	/* Several statements in one query are one transaction as they are. */
	failed = !PQsendQuery(conn, text);
	free(text);
	while ((result = PQgetResult(conn)) != NULL) {
		if (PQresultStatus(result) != PGRES_COMMAND_OK &&
			PQresultStatus(result) != PGRES_TUPLES_OK)
			failed = 1;
		PQclear(result);
	}
	if (failed)
		fputs(PQerrorMessage(conn), stderr);
	PQfinish(conn);
	return failed;
}
