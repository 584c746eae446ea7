#include "pg/health.h"

#include "base/mem.h"
#include "queries.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

const struct health_check health_checks[] = {
	{ .id = "database-collation-version",
		.query = query_doctor_database_collation_version,
		.since = 150000,
		.before = "servers before 15 do not note the version of the database's collation" },
	{ .id = "collation-version", .query = query_doctor_collation_version },
	{ .id = "transaction-ids",
		.query = query_doctor_transaction_ids,
		.values = { TEXT(HEALTH_IDS_WARNING), TEXT(HEALTH_IDS_ERROR) } },
	{ .id = "connection-headroom",
		.query = query_doctor_connection_headroom,
		.values = { TEXT(HEALTH_CONNECTIONS_WARNING_PERCENT),
			TEXT(HEALTH_CONNECTIONS_ERROR_PERCENT) },
		.wants_target = true },
	{ .id = "long-transaction",
		.query = query_doctor_long_transaction,
		.values = { TEXT(HEALTH_LONG_TRANSACTION_SECONDS) },
		.wants_target = true },
	{ .id = "idle-in-transaction",
		.query = query_doctor_idle_in_transaction,
		.values = { TEXT(HEALTH_IDLE_TRANSACTION_SECONDS) },
		.wants_target = true },
	{ .id = "prepared-transaction",
		.query = query_doctor_prepared_transaction,
		.values = { TEXT(HEALTH_PREPARED_SECONDS) } },
	{ .id = "replication-slot",
		.query = query_doctor_replication_slot,
		.values = { TEXT(HEALTH_SLOT_BYTES) } },
	{ .id = "sequence-near-end",
		.query = query_doctor_sequence_near_end,
		.values = { TEXT(HEALTH_SEQUENCE_WARNING_PERCENT),
			TEXT(HEALTH_SEQUENCE_ERROR_PERCENT) } },
	{ .id = "sequence-wider-than-column", .query = query_doctor_sequence_wider_than_column },
	{ .id = "invalid-index", .query = query_doctor_invalid_index },
	{ .id = "duplicate-index", .query = query_doctor_duplicate_index },
	{ .id = "fk-without-index", .query = query_doctor_fk_without_index },
	{ .id = "fk-type-mismatch", .query = query_doctor_fk_type_mismatch },
	{ .id = "no-primary-key", .query = query_doctor_no_primary_key },
	{ .id = "rls-policy-unused", .query = query_doctor_rls_policy_unused },
	{ .id = "rls-missing", .query = query_doctor_rls_missing },
	{ .id = "security-definer", .query = query_doctor_security_definer },
	{ .id = "extension-outdated", .query = query_doctor_extension_outdated },
	{ .id = "stale-statistics",
		.query = query_doctor_stale_statistics,
		.values = { TEXT(HEALTH_STALE_ROWS), TEXT(HEALTH_STALE_PERCENT) } },
	{ 0 },
};

int health_begin(struct conn *conn, struct err *err)
{
	const char *encoding = PQparameterStatus(conn_pg(conn), "server_encoding");

	/* The names of objects are written as in SQL, whatever the session's settings are. */
	if (conn_exec(conn,
		    "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY;"
		    " SET LOCAL statement_timeout = '" TEXT(
			    HEALTH_STATEMENT_SECONDS) "s';"
						      " SET LOCAL lock_timeout = '" TEXT(
							      HEALTH_LOCK_SECONDS) "s';"
										   " SET LOCAL "
										   "quote_all_"
										   "identifiers = "
										   "off",
		    err) != 0)
		return -1;
	/* There a name may be any bytes, which the server would not convert to UTF-8. */
	if (!encoding || strcmp(encoding, "SQL_ASCII") != 0)
		return 0;
	return conn_exec(conn, "SET LOCAL client_encoding = 'SQL_ASCII'", err);
}

int health_run(struct conn *conn, const struct health_check *check, const char *target,
	PGresult **ret_result, struct err *err)
{
	const char *values[3];
	int count = 0;

	while (count < 2 && check->values[count]) {
		values[count] = check->values[count];
		count++;
	}
	if (check->wants_target)
		values[count++] = target;
	return conn_query(conn, check->query, count, values, ret_result, err);
}

static const char *value(const PGresult *result, int row, int column)
{
	return PQgetisnull(result, row, column) ? NULL : PQgetvalue(result, row, column);
}

struct health_row health_row(const PGresult *result, int row)
{
	return (struct health_row){
		.severity = value(result, row, 0),
		.object = value(result, row, 1),
		.message = value(result, row, 2),
		.fix = value(result, row, 3),
		.note = PQnfields(result) > 4 ? value(result, row, 4) : NULL,
	};
}

static bool is_true(const PGresult *result, int column)
{
	return strcmp(PQgetvalue(result, 0, column), "t") == 0;
}

static long number(const PGresult *result, int column)
{
	return strtol(PQgetvalue(result, 0, column), NULL, 10);
}

int health_read_method(struct conn *conn, char **ret_method, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;
	const char *user;

	*ret_method = NULL;
	if (PQserverVersion(conn_pg(conn)) < 160000)
		return conn_query(conn, "SELECT", 0, NULL, &result, err);
	if (conn_query_row(conn, query_doctor_system_user, 0, NULL, &result, err) != 0)
		return -1;
	user = value(result, 0, 0);
	*ret_method = user ? mem_strndup(user, strcspn(user, ":")) : mem_strdup("trust");
	return 0;
}

int health_read_role(
	struct conn *conn, struct health_role *role, PGresult **ret_result, struct err *err)
{
	PGresult *result = NULL;

	if (conn_query_row(conn, query_doctor_role, 0, NULL, &result, err) != 0)
		return -1;
	*role = (struct health_role){
		.user = value(result, 0, 0),
		.session_user = value(result, 0, 1),
		.is_superuser = is_true(result, 2),
		.may_create_databases = is_true(result, 3),
		.may_create_roles = is_true(result, 4),
		.bypasses_rls = is_true(result, 5),
		.may_create_schemas = is_true(result, 6),
		.owns_database = is_true(result, 7),
		.may_create_in_public = is_true(result, 8),
		.member_of = value(result, 0, 9),
		.expires = value(result, 0, 10) != NULL,
		.expires_seconds = strtoll(PQgetvalue(result, 0, 10), NULL, 10),
	};
	*ret_result = result;
	return 0;
}

int health_read_server(
	struct conn *conn, struct health_server *server, PGresult **ret_result, struct err *err)
{
	PGresult *result = NULL;

	if (conn_query_row(conn, query_doctor_server, 0, NULL, &result, err) != 0)
		return -1;
	*server = (struct health_server){
		.version = value(result, 0, 0),
		.is_standby = is_true(result, 1),
		.is_read_only = strcmp(PQgetvalue(result, 0, 2), "on") == 0,
		.connections = number(result, 3),
		.most_connections = number(result, 4),
		.ssl = value(result, 0, 5),
		.time_zone = value(result, 0, 6),
		.encoding = value(result, 0, 7),
		.collation = value(result, 0, 8),
		.role_limit = number(result, 9),
		.database_limit = number(result, 10),
		.statement_timeout = value(result, 0, 11),
		.lock_timeout = value(result, 0, 12),
		.idle_transaction_timeout = value(result, 0, 13),
		.idle_session_timeout = value(result, 0, 14),
		.transaction_timeout = value(result, 0, 15),
		.reserved_connections = number(result, 16),
	};
	*ret_result = result;
	return 0;
}
