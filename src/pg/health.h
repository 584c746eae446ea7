/*
 * The health of a database: checks, each a query of src/pg/queries/doctor-*.sql, which say what
 * they found, how bad it is and what mends it. They run in one read-only transaction and take no
 * lock that anybody waits for.
 */
#ifndef PG_HEALTH_H
#define PG_HEALTH_H

#include "pg/conn.h"

/* From where on something is found; db-doctor(1) names them all. */
#define HEALTH_SEQUENCE_WARNING_PERCENT 75
#define HEALTH_SEQUENCE_ERROR_PERCENT 90
#define HEALTH_CONNECTIONS_WARNING_PERCENT 80
#define HEALTH_CONNECTIONS_ERROR_PERCENT 95
#define HEALTH_LONG_TRANSACTION_SECONDS 900
#define HEALTH_IDLE_TRANSACTION_SECONDS 300
#define HEALTH_PREPARED_SECONDS 900
#define HEALTH_SLOT_BYTES 1073741824
#define HEALTH_STALE_ROWS 1000
#define HEALTH_STALE_PERCENT 50
#define HEALTH_IDS_WARNING 500000000
#define HEALTH_IDS_ERROR 1500000000

/* No check may take longer, or wait longer for a lock. */
#define HEALTH_STATEMENT_SECONDS 10
#define HEALTH_LOCK_SECONDS 1

struct health_check {
	const char *id; /* stable: in ignore files, scripts, JSON */
	const char *query;
	const char *values[2]; /* the query's first parameters; NULL: none */
	bool wants_target;     /* its last parameter is the target */
	int since;             /* servers before that version cannot; 0: all can */
	const char *before;    /* with since: what is said there */
};

/* The checks in the order in which they run; an id of NULL ends them. */
extern const struct health_check health_checks[];

/* A row of a check; texts belong to the result it came from. */
struct health_row {
	const char *severity; /* "error", "warning", "info"; "unseen": what the role may not see */
	const char *object;   /* quoted as in SQL; NULL with "unseen" */
	const char *message;
	const char *fix;  /* SQL to be run as it is in this database; NULL: none */
	const char *note; /* what to do where that is not enough; NULL: nothing, as with checks of
			     four columns */
};

/* Begins the transaction that the checks run in. */
int health_begin(struct conn *conn, struct err *err);

/*
 * Runs a check. FAILED when this one cannot be done (time-out, a lock, a server that lacks
 * something): the next may be tried then. *ret_result is the caller's (PQclear).
 */
int health_run(struct conn *conn, const struct health_check *check, const char *target,
	PGresult **ret_result, struct err *err);

struct health_row health_row(const PGresult *result, int row);

/* What the role may do, and how the server is set: one row each, see pg/health.c for the columns.
 */
struct health_role {
	const char *user, *session_user;
	bool is_superuser, may_create_databases, may_create_roles, bypasses_rls, may_create_schemas,
		owns_database, may_create_in_public;
	const char *member_of; /* of well-known roles: "rds_superuser"; NULL: none */
	bool expires;
	int64_t expires_seconds; /* until the password is void, from now; negative: it is */
};

struct health_server {
	const char *version;
	bool is_standby, is_read_only;
	long connections, most_connections, reserved_connections, role_limit, database_limit;
	const char *ssl, *time_zone, *encoding, *collation;
	const char *statement_timeout, *lock_timeout, *idle_transaction_timeout,
		*idle_session_timeout, *transaction_timeout; /* "0": none */
};

/*
 * How the server let this session in: "scram-sha-256", "peer", "trust" and so on. Behind a pooler
 * that is the pooler's way in. *ret_method is the caller's; NULL before server 16, which cannot
 * say, and is asked for a sign of life only: a pooler may let in before it has a session to give.
 */
int health_read_method(struct conn *conn, char **ret_method, struct err *err);

/* Texts belong to *ret_result, the caller's. */
int health_read_role(
	struct conn *conn, struct health_role *role, PGresult **ret_result, struct err *err);
int health_read_server(
	struct conn *conn, struct health_server *server, PGresult **ret_result, struct err *err);

#endif
