/*
 * whole CONNINFO FILE: sends a file as one query, in one transaction. The least that loading a
 * script can take, if memory does not matter: what the loads are measured against.
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

static char *read_all(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text;
	long size;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0) {
		perror(path);
		exit(1);
	}
	rewind(file);
	text = malloc((size_t)size + 1);
	if (text == NULL || fread(text, 1, (size_t)size, file) != (size_t)size) {
		perror(path);
		exit(1);
	}
	text[size] = '\0';
	fclose(file);
	return text;
}

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
