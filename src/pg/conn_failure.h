/*
 * Why a connection could not be made, told from what the server or libpq said, and what to type.
 * Pure.
 */
#ifndef PG_CONN_FAILURE_H
#define PG_CONN_FAILURE_H

#include "pg/params.h"

#define CONN_STATE_NO_DATABASE "3D000"
#define CONN_STATE_NOT_ACCEPTING "55000"
#define CONN_STATE_PROTOCOL "08P01"
#define CONN_STATE_STARTING "57P03"
#define CONN_STATE_TOO_MANY "53300"

/* What is said of a connection that took too long, before and after somebody has accepted it. */
#define CONN_NO_ANSWER "The server did not answer in time."
#define CONN_SILENT "The connection was accepted, but the server did not answer in time."

/* What is said where PgBouncer lets somebody into its own console. */
#define CONN_CONSOLE "This is PgBouncer's own console, and no database."

/* How far the connection had come when it failed; the names of db-doctor's steps. */
enum conn_stage {
	CONN_STAGE_DNS,
	CONN_STAGE_TCP,
	CONN_STAGE_TLS,
	CONN_STAGE_SERVER,
	CONN_STAGE_AUTHENTICATION,
	CONN_STAGE_DATABASE
};

/* cause, its name (stable: it is in db-doctor's JSON), the stage it belongs to */
#define CONN_CAUSES(X)                                                                             \
	X(OTHER, "other", DATABASE)                                                                \
	X(UNKNOWN_HOST, "unknown-host", DNS)                                                       \
	X(NO_NAME_SERVER, "no-name-server", DNS)                                                   \
	X(REFUSED, "connection-refused", TCP)                                                      \
	X(NO_ANSWER, "no-answer", TCP)                                                             \
	X(NO_NETWORK, "no-network", TCP)                                                           \
	X(NO_SOCKET, "no-socket", TCP)                                                             \
	X(NO_TLS, "tls-not-offered", TLS)                                                          \
	X(CERTIFICATE, "certificate-not-trusted", TLS)                                             \
	X(EXPIRED, "certificate-expired", TLS)                                                     \
	X(OTHER_NAME, "certificate-other-name", TLS)                                               \
	X(NO_BUNDLE, "no-root-certificate", TLS)                                                   \
	X(NOT_POSTGRESQL, "not-postgresql", TLS)                                                   \
	X(CLOSED, "closed-at-once", TLS)                                                           \
	X(SILENT, "silent", SERVER)                                                                \
	X(STARTING, "starting-up", SERVER)                                                         \
	X(STOPPING, "shutting-down", SERVER)                                                       \
	X(TOO_MANY, "too-many-connections", SERVER)                                                \
	X(STANDBY, "standby", SERVER)                                                              \
	X(PRIMARY, "primary", SERVER)                                                              \
	X(NO_SERVER, "pooler-without-server", SERVER)                                              \
	X(NO_ENDPOINT, "no-endpoint", SERVER)                                                      \
	X(ENDPOINT_DISABLED, "endpoint-disabled", SERVER)                                          \
	X(TLS_REQUIRED, "tls-required", AUTHENTICATION)                                            \
	X(PASSWORD, "wrong-password", AUTHENTICATION)                                              \
	X(NO_PASSWORD, "no-password", AUTHENTICATION)                                              \
	X(TOKEN, "token-refused", AUTHENTICATION)                                                  \
	X(PEER, "other-system-user", AUTHENTICATION)                                               \
	X(NO_ROLE, "no-such-role", AUTHENTICATION)                                                 \
	X(NO_LOGIN, "role-may-not-log-in", AUTHENTICATION)                                         \
	X(NO_TENANT, "no-such-tenant", AUTHENTICATION)                                             \
	X(IDENT, "ident-refused", AUTHENTICATION)                                                  \
	X(OUTSIDE, "outside-refused", AUTHENTICATION)                                              \
	X(CLIENT_CERTIFICATE, "client-certificate", AUTHENTICATION)                                \
	X(NO_CLIENT_CA, "no-client-ca", AUTHENTICATION)                                            \
	X(METHOD, "method-not-offered", AUTHENTICATION)                                            \
	X(NOT_ALLOWED, "not-let-in", AUTHENTICATION)                                               \
	X(NO_DATABASE, "no-such-database", DATABASE)                                               \
	X(NO_PRIVILEGE, "no-connect-privilege", DATABASE)                                          \
	X(NOT_ACCEPTING, "database-not-accepting", DATABASE)                                       \
	X(INVALID_DATABASE, "half-dropped-database", DATABASE)                                     \
	X(LOCALE, "locale-missing", DATABASE)                                                      \
	X(CONSOLE, "pooler-console", DATABASE)                                                     \
	X(OPTIONS, "option-refused", DATABASE)

enum conn_cause {
#define X(cause, name, stage) CONN_CAUSE_##cause,
	CONN_CAUSES(X)
#undef X
};

/*
 * What err, whose kind is CONNECT or TIMEOUT, comes from: by its SQLSTATE and its detail.
 */
enum conn_cause conn_failure_cause(const struct err *err);

/*
 * True when waiting may help: connection refused or closed, socket missing, starting up or shutting
 * down (57P03), no connection free (53300, or in a pooler's words), a pooler without its server.
 */
bool conn_failure_may_pass(const struct err *err);

/*
 * How much a line of libpq's message weighs among those of other tries: what came further says more
 * of the cause. A server whose pg_hba.conf has nothing for one of TLS and no TLS weighs less than
 * what it says to the other. sqlstate may be empty. From 1 on.
 */
int conn_failure_weight(const char *sqlstate, const char *line);

/* The line of err's detail that weighs most, without what connected whereto; the caller owns it. */
char *conn_failure_reason(const struct err *err);

const char *conn_cause_name(enum conn_cause cause);
enum conn_stage conn_cause_stage(enum conn_cause cause);

/*
 * Puts what to do into err's hint, which stays as it is where there is nothing to say. NOT_ALLOWED
 * and PEER, which a SQLSTATE alone may have suggested, give way to what err's detail says.
 */
void conn_failure_hint(enum conn_cause cause, const struct params *params, struct err *err);

/*
 * Sets err to CONNECT, with reason as its detail and the hint for it: the error of every connection
 * that could not be made. database: NULL, none. Returns -1.
 */
int conn_failure(const struct params *params, const char *database, const char *sqlstate,
	const char *reason, struct err *err);

#endif
