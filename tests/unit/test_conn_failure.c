#include "unit.h"

#include "base/mem.h"
#include "pg/conn_failure.h"
#include "pg/conn_message.h"

#include <string.h>

#define AT "connection to server at \"db\" (10.0.0.1), port 5432 failed: "
#define HBA "FATAL: no pg_hba.conf entry for host \"10.0.0.9\", user \"u\", database \"d\", "

static void test_causes(void **state)
{
	static const struct {
		const char *detail, *sqlstate, *name;
		enum conn_stage stage;
	} cases[] = {
		{ "could not translate host name \"db\" to address: Name or service not known", "",
			"unknown-host", CONN_STAGE_DNS },
		{ "could not translate host name \"db\" to address: no name server has answered "
		  "within 2 s",
			"", "no-name-server", CONN_STAGE_DNS },
		{ AT "Connection refused", "", "connection-refused", CONN_STAGE_TCP },
		{ "The server did not answer in time.", "", "no-answer", CONN_STAGE_TCP },
		{ "The connection was accepted, but the server did not answer in time.", "",
			"silent", CONN_STAGE_SERVER },
		{ AT "The server did not answer in time.\n" AT
		     "The connection was accepted, but the server did not answer in time.",
			"", "silent", CONN_STAGE_SERVER },
		{ AT "No route to host", "", "no-network", CONN_STAGE_TCP },
		{ "connection to server on socket \"/x\" failed: No such file or directory", "",
			"no-socket", CONN_STAGE_TCP },
		{ AT "server does not support SSL, but SSL was required", "", "tls-not-offered",
			CONN_STAGE_TLS },
		{ AT "SSL error: certificate verify failed", "", "certificate-not-trusted",
			CONN_STAGE_TLS },
		{ AT "server certificate for \"a\" does not match host name \"b\"", "",
			"certificate-other-name", CONN_STAGE_TLS },
		{ AT "received invalid response to SSL negotiation: H", "", "not-postgresql",
			CONN_STAGE_TLS },
		{ AT "FATAL: the database system is starting up", "57P03", "starting-up",
			CONN_STAGE_SERVER },
		{ AT "FATAL: the database system is shutting down", "57P03", "shutting-down",
			CONN_STAGE_SERVER },
		{ AT "FATAL: sorry, too many clients already", "53300", "too-many-connections",
			CONN_STAGE_SERVER },
		{ AT "session is read-only", "", "standby", CONN_STAGE_SERVER },
		{ AT HBA "no encryption", "28000", "tls-required", CONN_STAGE_AUTHENTICATION },
		/* Tried with TLS, then without. */
		{ AT HBA "SSL encryption\n" AT HBA "no encryption", "28000", "not-let-in",
			CONN_STAGE_AUTHENTICATION },
		{ AT HBA "SSL encryption", "28000", "not-let-in", CONN_STAGE_AUTHENTICATION },
		/* What was said to the other try weighs less. */
		{ AT HBA "no encryption\n" AT "FATAL: PAM authentication failed for user \"u\"",
			"28000", "token-refused", CONN_STAGE_AUTHENTICATION },
		{ AT "SSL error: tlsv1 alert unknown ca\n" AT HBA "no encryption", "28000",
			"client-certificate", CONN_STAGE_AUTHENTICATION },
		{ AT "Connection refused\n" AT "FATAL: irgendwas", "28000", "not-let-in",
			CONN_STAGE_AUTHENTICATION },
		{ AT "FATAL: client certificates can only be checked if a root certificate store "
		     "is available",
			"F0000", "no-client-ca", CONN_STAGE_AUTHENTICATION },
		{ AT "FATAL: password authentication failed for user \"no encryption\"", "28P01",
			"wrong-password", CONN_STAGE_AUTHENTICATION },
		{ AT "FATAL: -c foo requires a value", "42601", "option-refused",
			CONN_STAGE_DATABASE },
		{ CONN_CONSOLE, "", "pooler-console", CONN_STAGE_DATABASE },
		{ AT "FATAL: Peer authentication failed for user \"u\"", "28000",
			"other-system-user", CONN_STAGE_AUTHENTICATION },
		{ AT "FATAL: Ident authentication failed for user \"u\"", "28000", "ident-refused",
			CONN_STAGE_AUTHENTICATION },
		{ AT "FATAL: PAM authentication failed for user \"u\"", "28000", "token-refused",
			CONN_STAGE_AUTHENTICATION },
		{ AT "FATAL: LDAP authentication failed for user \"u\"", "28000", "outside-refused",
			CONN_STAGE_AUTHENTICATION },
		{ AT "GSSAPI continuation error: No Kerberos credentials available", "",
			"outside-refused", CONN_STAGE_AUTHENTICATION },
		{ AT "FATAL: connection requires a valid client certificate", "28000",
			"client-certificate", CONN_STAGE_AUTHENTICATION },
		{ AT "SSL error: tlsv1 alert unknown ca", "", "client-certificate",
			CONN_STAGE_AUTHENTICATION },
		{ AT "SSL error: ssl/tls alert certificate expired", "", "client-certificate",
			CONN_STAGE_AUTHENTICATION },
		{ AT "channel binding required, but SSL not in use", "", "method-not-offered",
			CONN_STAGE_AUTHENTICATION },
		{ "authentication method requirement \"none\" failed: server did not complete "
		  "authentication",
			"", "method-not-offered", CONN_STAGE_AUTHENTICATION },
		{ AT "FATAL: role \"u\" is not permitted to log in", "28000", "role-may-not-log-in",
			CONN_STAGE_AUTHENTICATION },
		{ AT "FATAL: role \"u\" does not exist", "28000", "no-such-role",
			CONN_STAGE_AUTHENTICATION },
		{ AT "FATAL: database \"Connection refused\" does not exist", "3D000",
			"no-such-database", CONN_STAGE_DATABASE },
		{ AT "FATAL: permission denied for database \"d\"", "42501", "no-connect-privilege",
			CONN_STAGE_DATABASE },
		{ AT "FATAL: permission denied to set parameter \"log_statement\"", "42501",
			"option-refused", CONN_STAGE_DATABASE },
		{ AT "FATAL: unrecognized configuration parameter \"nope\"", "42704",
			"option-refused", CONN_STAGE_DATABASE },
		{ AT "FATAL: cannot connect to invalid database \"d\"", "55000",
			"half-dropped-database", CONN_STAGE_DATABASE },
		{ AT "FATAL: database locale is incompatible with operating system", "XX000",
			"locale-missing", CONN_STAGE_DATABASE },
		{ AT "FATAL: database \"d\" is not currently accepting connections", "55000",
			"database-not-accepting", CONN_STAGE_DATABASE },
		{ AT "server closed the connection unexpectedly\n\tThis probably means", "",
			"closed-at-once", CONN_STAGE_TLS },
		{ AT "could not receive data from server: Connection reset by peer", "",
			"closed-at-once", CONN_STAGE_TLS },
		{ AT "server is not in hot standby mode", "", "primary", CONN_STAGE_SERVER },
		{ AT "session is not read-only", "", "primary", CONN_STAGE_SERVER },
		{ NULL, "", "other", CONN_STAGE_DATABASE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(err_release) struct err err = ERR_INIT;
		enum conn_cause cause;

		err_set(&err, ERR_CONNECT, "could not connect");
		if (cases[i].detail)
			err_detail(&err, "%s", cases[i].detail);
		strcpy(err.sqlstate, cases[i].sqlstate);
		cause = conn_failure_cause(&err);
		if (strcmp(conn_cause_name(cause), cases[i].name) != 0)
			fail_msg("\"%s\": expected %s, got %s",
				cases[i].detail ? cases[i].detail : "", cases[i].name,
				conn_cause_name(cause));
		assert_int_equal(cases[i].stage, conn_cause_stage(cause));
	}
}

/* What SQLSTATE 28000 suggests by itself gives way to the server's words, and only to those. */
static void test_hint_of_the_words(void **state)
{
	CLEANUP(params_release) struct params params = PARAMS_INIT;
	static const struct {
		const char *detail, *hint;
	} cases[] = {
		{ "FATAL: Ident authentication failed for user \"u\"", "ident service" },
		{ "FATAL: LDAP authentication failed for user \"u\"", "LDAP" },
		{ "FATAL: irgendwas", "pg_hba.conf does not let" },
		{ AT "Connection refused\nFATAL: irgendwas", "pg_hba.conf does not let" },
		{ NULL, "pg_hba.conf does not let" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(err_release) struct err err = ERR_INIT;

		err_set(&err, ERR_CONNECT, "could not connect");
		if (cases[i].detail)
			err_detail(&err, "%s", cases[i].detail);
		conn_failure_hint(CONN_CAUSE_NOT_ALLOWED, &params, &err);
		if (!err.hint || !strstr(err.hint, cases[i].hint))
			fail_msg("\"%s\": %s", cases[i].detail ? cases[i].detail : "",
				err.hint ? err.hint : "no hint");
	}
}

/* A password that stands in a file is no matter of the URL. */
static void test_hint_of_the_file(void **state)
{
	CLEANUP(params_release) struct params params = PARAMS_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;

	(void)state;
	conn_failure(&params, NULL, "28P01",
		AT "FATAL: password authentication failed for user \"u\"\n"
		   "password retrieved from file \"/home/u/.pgpass\"",
		&err);
	assert_non_null(strstr(err.hint, "in that file"));
	assert_null(strstr(err.hint, "URL"));
}

/* libpq joins what its tries were told: one SQLSTATE and one line of them count. */
static void test_tries(void **state)
{
#define LOCATION "\nLOCATION:  auth_failed, auth.c:335\n"
#define BARRED(how) AT "FATAL:  28000: " ENTRY how LOCATION
#define ENTRY "no pg_hba.conf entry for host \"10.0.0.9\", user \"u\", database \"d\", "
#define WRONG AT "FATAL:  28P01: password authentication failed for user \"u\"" LOCATION
	static const struct {
		const char *message, *sqlstate, *reason;
		int lines;
	} cases[] = {
		{ WRONG, "28P01", "password authentication failed for user \"u\"", 1 },
		{ WRONG WRONG, "28P01", "password authentication failed for user \"u\"", 1 },
		{ WRONG BARRED("no encryption"), "28P01",
			"password authentication failed for user \"u\"", 2 },
		{ BARRED("no encryption") WRONG, "28P01",
			"password authentication failed for user \"u\"", 2 },
		{ BARRED("SSL encryption") BARRED("no encryption"), "28000", ENTRY "SSL encryption",
			2 },
		{ AT "FATAL:  F0000: client certificates can only be checked\n" BARRED(
			  "no encryption"),
			"F0000", "client certificates can only be checked", 2 },
		{ BARRED("no encryption") AT "FATAL:  3D000: database \"d\" does not exist\n",
			"3D000", "database \"d\" does not exist", 2 },
		{ AT "FATAL:  28000: kein Eintrag\n" AT "FATAL:  28P01: falsch\n", "28P01",
			"kein Eintrag", 2 },
		{ AT "SSL error: tlsv1 alert unknown ca\n" BARRED("no encryption"), "28000",
			"SSL error: tlsv1 alert unknown ca", 2 },
		{ AT "Connection refused\n" AT "No route to host\n", "", "Connection refused", 2 },
		/* A pooler that wants TLS says less than what it says with it. */
		{ AT "FATAL:  08P01: SSL required\n" AT
		     "FATAL:  08P01: SASL authentication failed\n",
			"08P01", "SASL authentication failed", 2 },
		{ AT "ERROR:  XX000: Endpoint ID is not specified.\n", "XX000",
			"Endpoint ID is not specified.", 1 },
		{ "", "", "could not connect", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(err_release) struct err err = ERR_INIT;
		CLEANUP(mem_cleanup) char *detail = NULL;
		CLEANUP(mem_cleanup) char *reason = NULL;
		char sqlstate[6] = "";
		int lines = 0;

		detail = conn_message_clean(cases[i].message, sqlstate);
		assert_string_equal(cases[i].sqlstate, sqlstate);
		for (const char *at = detail; *at; at++)
			lines += at == detail || at[-1] == '\n';
		assert_int_equal(cases[i].lines, lines);
		err_set(&err, ERR_CONNECT, "could not connect");
		if (*detail)
			err_detail(&err, "%s", detail);
		reason = conn_failure_reason(&err);
		assert_string_equal(cases[i].reason, reason);
	}
	assert_true(conn_message_weight(WRONG) > conn_message_weight(BARRED("no encryption")));
	assert_int_equal(
		conn_message_weight(WRONG), conn_message_weight(BARRED("SSL encryption") WRONG));
	assert_int_equal(0, conn_message_weight(""));
}

/* What poolers say: the cause, whether waiting may help, and of what the hint is. */
static void test_poolers(void **state)
{
	static const struct {
		const char *detail, *sqlstate, *name;
		bool may_pass;
		const char *hint;
	} cases[] = {
		/* PgBouncer */
		{ AT "FATAL: SASL authentication failed", "08P01", "wrong-password", false,
			"auth_file" },
		{ AT "FATAL: password authentication failed", "08P01", "wrong-password", false,
			"auth_file" },
		{ AT "FATAL: password authentication failed for user \"u\"", "28P01",
			"wrong-password", false, "VALID UNTIL" },
		{ AT "FATAL: no such user", "08P01", "no-such-role", false, "auth_file" },
		{ AT "FATAL: no such user: u", "28000", "no-such-role", false, "auth_file" },
		{ AT "FATAL: no such database: d", "08P01", "no-such-database", false,
			"[databases]" },
		{ AT "FATAL: no such database: d", "3D000", "no-such-database", false,
			"[databases]" },
		{ AT "FATAL: no such database: no more connections allowed", "08P01",
			"no-such-database", false, "[databases]" },
		{ AT "FATAL: database \"d\" does not exist", "3D000", "no-such-database", false,
			"db-create" },
		{ AT "FATAL: database \"d\" is disabled", "08P01", "database-not-accepting", false,
			"ENABLE" },
		{ AT "FATAL: no more connections allowed (max_client_conn)", "08P01",
			"too-many-connections", true, "max_client_conn" },
		{ AT "FATAL: no more connections allowed (max_client_conn)", "53300",
			"too-many-connections", true, "max_client_conn" },
		{ AT "FATAL: client connections exceeded (max_user_client_connections)", "08P01",
			"too-many-connections", true, "max_user_client_connections" },
		{ AT "FATAL: query_wait_timeout", "08P01", "pooler-without-server", true,
			"SHOW POOLS" },
		{ AT "FATAL: server login has been failing, try again later (server_login_retry)",
			"08P01", "pooler-without-server", true, "its log says more" },
		{ AT "FATAL: server login has been failing, cached error: connect failed "
		     "(server_login_retry)",
			"08P01", "pooler-without-server", true, "its log says more" },
		{ AT "ERROR: pgbouncer cannot connect to server", "08P01", "pooler-without-server",
			true, "its log says more" },
		{ AT "FATAL: server conn crashed?", "08P01", "pooler-without-server", true,
			"its log says more" },
		{ AT "FATAL: client_login_timeout (server down)", "08P01", "pooler-without-server",
			true, "its log says more" },
		{ AT "FATAL: bouncer config error", "08P01", "pooler-without-server", false,
			"configuration" },
		{ AT "FATAL: not allowed", "08P01", "no-connect-privilege", false, "console" },
		{ AT "FATAL: login rejected", "08P01", "not-let-in", false, "auth_hba_file" },
		{ AT "FATAL: SSL required", "08P01", "tls-required", false, "sslmode=require" },
		{ AT "FATAL: SSL required\n" AT "FATAL: SASL authentication failed", "08P01",
			"wrong-password", false, "auth_file" },
		{ AT "FATAL: PAM authentication failed", "08P01", "token-refused", false, "PAM" },
		{ AT "FATAL: unsupported startup parameter: extra", "08P01", "option-refused",
			false, "ignore_startup_parameters" },
		{ AT "FATAL: something else", "08P01", "other", false, NULL },
		/* What the server behind it has said. */
		{ AT "FATAL: database \"d\" does not exist", "08P01", "no-such-database", false,
			"db-create" },
		{ AT "FATAL: role \"u\" does not exist", "08P01", "no-such-role", false,
			"behind the pooler" },
		{ AT "FATAL: password authentication failed for user \"u\"", "08P01",
			"wrong-password", false, "has let the user in" },
		{ AT HBA "no encryption", "08P01", "not-let-in", false, "the pooler's address" },
		{ AT HBA "no encryption", "28000", "tls-required", false, "sslmode=require" },
		{ AT "FATAL: sorry, too many clients already", "08P01", "too-many-connections",
			true, "max_connections" },
		{ AT "FATAL: too many connections for role \"u\"", "08P01", "too-many-connections",
			true, "rolconnlimit" },
		{ AT "FATAL: the database system is starting up", "08P01", "starting-up", true,
			"starting" },
		/* Supabase */
		{ AT "FATAL: Tenant or user not found", "XX000", "no-such-tenant", false,
			"postgres.abcdefgh" },
		{ AT "FATAL: (ENOTFOUND) tenant/user postgres.x not found", "XX000",
			"no-such-tenant", false, "postgres.abcdefgh" },
		{ AT "FATAL: MaxClientsInSessionMode: max clients reached - in Session mode max "
		     "clients are limited to pool_size",
			"XX000", "too-many-connections", true, "6543" },
		{ AT "FATAL: (EMAXCLIENTCONN) max client connections reached, limit: 200", "XX000",
			"too-many-connections", true, "--wait" },
		{ AT "FATAL: SSL connection is required", "XX000", "tls-required", false,
			"sslmode=require" },
		{ AT "FATAL: Address not in tenant allow_list: {1, 2, 3, 4}", "XX000", "not-let-in",
			false, "settings of the project" },
		/* Neon */
		{ AT "ERROR: Endpoint ID is not specified. Either please upgrade", "XX000",
			"no-endpoint", false, "options=endpoint" },
		{ AT "ERROR: The endpoint ID is not specified. Either upgrade", "08P01",
			"no-endpoint", false, "options=endpoint" },
		{ AT "ERROR: The endpoint has been disabled. Enable it using Neon API and retry.",
			"XX000", "endpoint-disabled", false, "Enable" },
		{ AT "ERROR: endpoint is not available", "XX000", "pooler-without-server", true,
			"console" },
		{ AT "ERROR: password authentication failed for user 'u'", "XX000",
			"wrong-password", false, "percent-encoded" },
		{ AT "ERROR: connection is insecure (try using `sslmode=require`)", "28000",
			"tls-required", false, "sslmode=require" },
		{ AT "ERROR: connection is insecure (try using `sslmode=require`)", "",
			"tls-required", false, "sslmode=require" },
		/* Not about the connection */
		{ "not allowed", "", "other", false, NULL },
		{ AT "the server has not answered a request within 15 s", "",
			"pooler-without-server", false, "SHOW POOLS" },
	};
	CLEANUP(params_release) struct params params = PARAMS_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(err_release) struct err err = ERR_INIT;
		const char *name;

		conn_failure(&params, "d", cases[i].sqlstate, cases[i].detail, &err);
		name = conn_cause_name(conn_failure_cause(&err));
		if (strcmp(name, cases[i].name) != 0)
			fail_msg("\"%s\": expected %s, got %s", cases[i].detail, cases[i].name,
				name);
		if (conn_failure_may_pass(&err) != cases[i].may_pass)
			fail_msg("\"%s\": may_pass is %d", cases[i].detail, !cases[i].may_pass);
		if (!cases[i].hint != !err.hint || (err.hint && !strstr(err.hint, cases[i].hint)))
			fail_msg("\"%s\": %s", cases[i].detail, err.hint ? err.hint : "no hint");
	}
}

/* Those that a server itself may be waited for. */
static void test_may_pass(void **state)
{
	static const struct {
		const char *detail, *sqlstate;
		bool may_pass;
	} cases[] = {
		{ AT "Connection refused", "", true },
		{ AT "server closed the connection unexpectedly", "", true },
		{ AT "No route to host", "", false },
		{ AT "FATAL: the database system is starting up", "57P03", true },
		{ AT "FATAL: sorry, too many clients already", "53300", true },
		{ AT "FATAL: database \"Connection refused\" does not exist", "3D000", false },
	};
	CLEANUP(params_release) struct params params = PARAMS_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(err_release) struct err err = ERR_INIT;

		conn_failure(&params, "d", cases[i].sqlstate, cases[i].detail, &err);
		if (conn_failure_may_pass(&err) != cases[i].may_pass)
			fail_msg("\"%s\"", cases[i].detail);
	}
}

/* Every cause has something to say, but "other", and those whose hint names the role. */
static void test_hints(void **state)
{
	static const enum conn_cause causes[] = {
#define X(cause, name, stage) CONN_CAUSE_##cause,
		CONN_CAUSES(X)
#undef X
	};
	CLEANUP(params_release) struct params params = PARAMS_INIT;

	(void)state;
	params_set(&params, "host", "db");
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++) {
		CLEANUP(err_release) struct err err = ERR_INIT;

		if (causes[i] == CONN_CAUSE_NO_SOCKET)
			params_set(&params, "host", "/tmp");
		err_set(&err, ERR_CONNECT, "could not connect");
		conn_failure_hint(causes[i], &params, &err);
		if (!err.hint !=
			(causes[i] == CONN_CAUSE_OTHER || causes[i] == CONN_CAUSE_NO_ROLE ||
				causes[i] == CONN_CAUSE_NO_LOGIN))
			fail_msg("%s: %s", conn_cause_name(causes[i]),
				err.hint ? err.hint : "no hint");
		params_set(&params, "host", "db");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_hint_of_the_words),
		cmocka_unit_test(test_hint_of_the_file),
		cmocka_unit_test(test_tries),
		cmocka_unit_test(test_hints),
		cmocka_unit_test(test_poolers),
		cmocka_unit_test(test_may_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
