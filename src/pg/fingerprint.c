#include "pg/sibling.h"

#include "queries.h"

int server_fingerprint(
	struct conn *conn, bool extensions, char ret_hex[static DIGEST_HEX_SIZE], struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;
	CLEANUP(digest_release) struct digest digest = DIGEST_INIT;
	const char *values[] = { extensions ? "true" : "false" };

	if (conn_query(conn, query_fingerprint, 1, values, &result, err) != 0)
		return -1;
	for (int i = 0; i < PQntuples(result); i++) {
		digest_add_text(&digest, PQgetvalue(result, i, 0));
		digest_add_text(&digest, PQgetvalue(result, i, 1));
	}
	digest_end(&digest, ret_hex);
	return 0;
}
