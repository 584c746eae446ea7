#include "pg/varying.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "queries.h"

#include <string.h>

#define SQLSTATE_OTHER_ENCODING "22021"

/* As queries/varying.sql wants them; no name is empty. */
static void join(const struct strlist *names, struct strbuf *out)
{
	for (size_t i = 0; i < names->count; i++) {
		if (i > 0)
			strbuf_addc(out, '\x01');
		strbuf_adds(out, names->items[i]);
	}
}

static int ask(struct conn *conn, const char *names, PGresult **ret_result, struct err *err)
{
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	const bool begins = PQtransactionStatus(conn_pg(conn)) == PQTRANS_IDLE;

	/* Compiling the query would take seconds, running it takes milliseconds. */
	if (conn_exec(conn, begins ? "BEGIN; SET LOCAL jit = off" : "SET LOCAL jit = off", err) !=
		0)
		return -1;
	if (conn_query(conn, query_varying, 1, &names, ret_result, err) != 0) {
		if (begins)
			conn_exec(conn, "ROLLBACK", &ignored);
		return -1;
	}
	return begins ? conn_exec(conn, "ROLLBACK", err) : 0;
}

int varying_find(struct conn *conn, const struct strlist *names, char **ret_reason, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT_UNBOUNDED;

	join(names, &text);
	if (ask(conn, text.data, &result, err) != 0) {
		if (strcmp(err->sqlstate, SQLSTATE_OTHER_ENCODING) != 0)
			return -1;
		err_release(err);
		*ret_reason = mem_strdup("names in another encoding");
		return 0;
	}
	*ret_reason = PQntuples(result) > 0 ? mem_strdup(PQgetvalue(result, 0, 0)) : NULL;
	return 0;
}
