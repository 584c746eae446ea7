#include "pg/session_settings.h"

#include "queries.h"

#include <stdlib.h>
#include <string.h>

int session_settings_read(struct conn *conn, struct session_settings *settings, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;
	const char *source;

	if (conn_query_row(conn, query_session_settings, 0, NULL, &result, err) != 0)
		return -1;
	source = PQgetvalue(result, 0, 1);
	conn_note_process(conn, PQgetvalue(result, 0, 3));
	/* pg_settings calls startup options "client". */
	*settings = (struct session_settings){
		.read_only = strcmp(PQgetvalue(result, 0, 0), "on") == 0,
		.read_only_by_options = strcmp(source, "client") == 0,
		.read_only_by_set = strcmp(source, "session") == 0,
		.limit_by_options = strcmp(PQgetvalue(result, 0, 2), "client") == 0,
		.pid = strtol(PQgetvalue(result, 0, 3), NULL, 10),
		.direct = !conn_is_pooled(conn),
	};
	return 0;
}
