/*
 * The least a libpq program can do to show the sessions: connect, run one query, print it. What
 * db-sessions is measured against.
 */
#include <libpq-fe.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	PGconn *conn = PQconnectdb(argc > 1 ? argv[1] : "");
	PGresult *result;
	int row, column;

	if (PQstatus(conn) != CONNECTION_OK) {
		fputs(PQerrorMessage(conn), stderr);
		PQfinish(conn);
		return 2;
	}
	result = PQexec(conn, "SELECT pid, usename, datname, client_addr, application_name, state, "
			      "backend_start, wait_event, query FROM pg_stat_activity");
	for (row = 0; row < PQntuples(result); row++) {
		for (column = 0; column < PQnfields(result); column++)
			printf("%s\t", PQgetvalue(result, row, column));
		putchar('\n');
	}
	PQclear(result);
	PQfinish(conn);
	return 0;
}
