#include "pg/truncate.h"

#include "base/mem.h"
#include "queries.h"

#include <stdlib.h>
#include <string.h>

#define SQLSTATE_REFERENCED "0A000"
#define SQLSTATE_PRIVILEGE "42501"
#define SQLSTATE_NO_TABLE "42P01"
#define SQLSTATE_NO_SCHEMA "3F000"

int truncate_find(struct conn *conn, struct truncate_plan *plan, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (conn_query_row(conn, query_truncate_plan, 0, NULL, &result, err) != 0)
		return -1;
	*plan = (struct truncate_plan){ .count = strtoul(PQgetvalue(result, 0, 1), NULL, 10) };
	if (plan->count > 0)
		plan->sql = mem_printf("TRUNCATE %s RESTART IDENTITY", PQgetvalue(result, 0, 0));
	if (!PQgetisnull(result, 0, 2))
		plan->comment = mem_strdup(PQgetvalue(result, 0, 2));
	return 0;
}

void truncate_explain(struct err *err)
{
	CLEANUP(mem_cleanup) char *reason = take_ptr(err->message);

	err->message = mem_printf("could not empty the tables: %s", reason);
	/* The server's hint would be CASCADE. */
	if (strcmp(err->sqlstate, SQLSTATE_REFERENCED) == 0 && err->hint)
		err_hint(err, "A table that is not emptied, because an extension or a migration "
			      "tool keeps it, has a foreign key to one that would be.");
	else if (strcmp(err->sqlstate, SQLSTATE_PRIVILEGE) == 0)
		err_hint(err, "It takes the privilege TRUNCATE on every table, and owning the "
			      "sequences of their columns; their owner has both.");
	else if (strcmp(err->sqlstate, SQLSTATE_NO_TABLE) == 0 ||
		 strcmp(err->sqlstate, SQLSTATE_NO_SCHEMA) == 0)
		err_hint(err, "Somebody has just dropped it: run the command again.");
}

void truncate_release(struct truncate_plan *plan)
{
	mem_free(plan->sql);
	mem_free(plan->comment);
	*plan = (struct truncate_plan)TRUNCATE_PLAN_INIT;
}
