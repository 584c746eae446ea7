/*
 * reset MAINTENANCE-CONNINFO CONNINFO DATABASE [FILE ...]: drops a database, creates it and sends
 * each file as one query, in one process: the least a reset can take that keeps nothing. With "-t
 * TEMPLATE" instead of files it creates it as a copy.
 */
#include "read_all.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static PGconn *open_or_exit(const char *conninfo)
{
	PGconn *conn = PQconnectdb(conninfo);

	if (PQstatus(conn) != CONNECTION_OK) {
		fputs(PQerrorMessage(conn), stderr);
		exit(2);
	}
	return conn;
}

static void run_or_exit(PGconn *conn, const char *sql)
{
	PGresult *result = PQexec(conn, sql);

	if (PQresultStatus(result) != PGRES_COMMAND_OK &&
		PQresultStatus(result) != PGRES_TUPLES_OK) {
		fputs(PQerrorMessage(conn), stderr);
		exit(1);
	}
	PQclear(result);
}

int main(int argc, char **argv)
{
	char sql[512];
	PGconn *conn;

	if (argc < 4) {
		fputs("usage: reset MAINTENANCE-CONNINFO CONNINFO DATABASE [FILE ...|-t "
		      "TEMPLATE]\n",
			stderr);
		return 64;
	}
	conn = open_or_exit(argv[1]);
	PQsetNoticeProcessor(conn, NULL, NULL);
	snprintf(sql, sizeof(sql), "DROP DATABASE IF EXISTS \"%s\" WITH (FORCE)", argv[3]);
	run_or_exit(conn, sql);
	if (argc == 6 && strcmp(argv[4], "-t") == 0)
		snprintf(sql, sizeof(sql), "CREATE DATABASE \"%s\" TEMPLATE \"%s\"", argv[3],
			argv[5]);
	else
		snprintf(sql, sizeof(sql), "CREATE DATABASE \"%s\"", argv[3]);
	run_or_exit(conn, sql);
	PQfinish(conn);
	if (argc == 4 || strcmp(argv[4], "-t") == 0)
		return 0;
	conn = open_or_exit(argv[2]);
	for (int i = 4; i < argc; i++) {
		char *text = read_all(argv[i]);

		run_or_exit(conn, text);
		free(text);
	}
	PQfinish(conn);
	return 0;
}
