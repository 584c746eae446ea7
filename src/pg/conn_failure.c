#include "pg/conn_failure.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* Texts of libpq, of the C library through it, and of the server; the first that occurs counts. */
static const struct {
	const char *text;
	enum conn_cause cause;
} reasons[] = {
	{ "PAM authentication failed", CONN_CAUSE_TOKEN },
	/* With and without TLS, where both were tried, means not at all. */
	{ "SSL encryption", CONN_CAUSE_NOT_ALLOWED },
	{ "SSL on", CONN_CAUSE_NOT_ALLOWED },
	{ "no encryption", CONN_CAUSE_TLS_REQUIRED },
	{ "SSL off", CONN_CAUSE_TLS_REQUIRED },
	{ "Peer authentication failed", CONN_CAUSE_PEER },
	{ "does not match host name", CONN_CAUSE_OTHER_NAME },
	{ "certificate has expired", CONN_CAUSE_EXPIRED },
	{ "certificate verify failed", CONN_CAUSE_CERTIFICATE },
	{ "root certificate file", CONN_CAUSE_NO_BUNDLE },
	{ "does not support SSL", CONN_CAUSE_NO_TLS },
	{ "invalid response to SSL negotiation", CONN_CAUSE_NOT_POSTGRESQL },
	{ "expected authentication request from server", CONN_CAUSE_NOT_POSTGRESQL },
	{ "no password supplied", CONN_CAUSE_NO_PASSWORD },
	{ "could not translate host name", CONN_CAUSE_UNKNOWN_HOST },
	{ "session is read-only", CONN_CAUSE_STANDBY },
	{ "server is in hot standby mode", CONN_CAUSE_STANDBY },
	{ "Network is unreachable", CONN_CAUSE_NO_NETWORK },
	{ "No route to host", CONN_CAUSE_NO_NETWORK },
	{ "Connection refused", CONN_CAUSE_REFUSED },
	{ "did not answer in time", CONN_CAUSE_NO_ANSWER },
	{ "timeout expired", CONN_CAUSE_NO_ANSWER },
	{ "Connection timed out", CONN_CAUSE_NO_ANSWER },
	{ "Operation timed out", CONN_CAUSE_NO_ANSWER },
	{ "No such file or directory", CONN_CAUSE_NO_SOCKET },
};

static const struct {
	const char *sqlstate;
	enum conn_cause cause;
} states[] = {
	{ "28P01", CONN_CAUSE_PASSWORD },
	{ CONN_STATE_NO_DATABASE, CONN_CAUSE_NO_DATABASE },
	{ CONN_STATE_NOT_ACCEPTING, CONN_CAUSE_NOT_ACCEPTING },
	{ CONN_STATE_TOO_MANY, CONN_CAUSE_TOO_MANY },
	{ "42501", CONN_CAUSE_NO_PRIVILEGE },
	{ "57P01", CONN_CAUSE_STOPPING },
};

static enum conn_cause by_reason(const char *detail, enum conn_cause otherwise)
{
	for (size_t i = 0; detail && i < ARRAY_SIZE(reasons); i++)
		if (strstr(detail, reasons[i].text))
			return reasons[i].cause;
	return otherwise;
}

enum conn_cause conn_failure_cause(const struct err *err)
{
	if (!err->sqlstate[0])
		return by_reason(err->detail, CONN_CAUSE_OTHER);
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (strcmp(err->sqlstate, states[i].sqlstate) == 0)
			return states[i].cause;
	if (strcmp(err->sqlstate, CONN_STATE_STARTING) == 0)
		return err->detail && strstr(err->detail, "shutting down") ? CONN_CAUSE_STOPPING
									   : CONN_CAUSE_STARTING;
	/* What else a server says in its own words is not about the way to it. */
	if (strcmp(err->sqlstate, "28000") == 0 && err->detail &&
		strstr(err->detail, "FATAL: role \""))
		return strstr(err->detail, "does not exist") ? CONN_CAUSE_NO_ROLE
							     : CONN_CAUSE_NO_LOGIN;
	if (strncmp(err->sqlstate, "28", 2) == 0)
		return by_reason(err->detail, CONN_CAUSE_NOT_ALLOWED);
	return CONN_CAUSE_OTHER;
}

const char *conn_cause_name(enum conn_cause cause)
{
	static const char *const names[] = {
#define X(cause, name, stage) name,
		CONN_CAUSES(X)
#undef X
	};

	return names[cause];
}

enum conn_stage conn_cause_stage(enum conn_cause cause)
{
	static const enum conn_stage stages[] = {
#define X(cause, name, stage) CONN_STAGE_##stage,
		CONN_CAUSES(X)
#undef X
	};

	return stages[cause];
}

/* What needs the parameters. */
static void hint_unreached(enum conn_cause cause, const struct params *params, struct err *err)
{
	const char *host = params_get(params, "host");
	const char *port = params_get(params, "port");

	if (host && host[0] == '/' && cause != CONN_CAUSE_REFUSED)
		err_hint(err, "Is a server running with its socket in \"%s\"?", host);
	else if (cause == CONN_CAUSE_REFUSED)
		err_hint(err, "Is the server running there? --wait keeps trying until it is.");
	else if (cause == CONN_CAUSE_NO_ANSWER)
		err_hint(err,
			"Something drops the packets on the way, most often a firewall or a "
			"security "
			"group that does not know this machine's address; or the host is down. "
			"Check "
			"host and port (%s) in the URL.",
			port ? port : "5432");
	else if (cause == CONN_CAUSE_NO_NETWORK)
		err_hint(err, "This machine has no way to that address: is its network, or the "
			      "VPN, up?");
	else if (cause == CONN_CAUSE_UNKNOWN_HOST)
		err_hint(err, "Check the host in the URL: no name server knows it, or this machine "
			      "reaches none.");
}

/* What is the same whatever the parameters are. */
static const char *hint_of(enum conn_cause cause)
{
	switch (cause) {
	case CONN_CAUSE_NO_DATABASE:
		return "Create it with db-create, or make it whole with db-setup.";
	case CONN_CAUSE_NOT_ACCEPTING:
		return "A reset may be loading it; what a killed one has left is put right by "
		       "db-create or db-setup.";
	case CONN_CAUSE_STARTING:
	case CONN_CAUSE_STOPPING:
	case CONN_CAUSE_TOO_MANY:
		return "This may pass: --wait keeps trying.";
	case CONN_CAUSE_PASSWORD:
		return "Check user and password in the URL; @ : / ? # % in a password must be "
		       "percent-encoded.";
	case CONN_CAUSE_NO_PASSWORD:
		return "Put the password into the URL, or into ~/.pgpass.";
	case CONN_CAUSE_PEER:
		return "Peer authentication wants a role named like the operating system's user; "
		       "name another way in with a URL.";
	case CONN_CAUSE_TLS_REQUIRED:
	case CONN_CAUSE_TOKEN:
	case CONN_CAUSE_NOT_ALLOWED:
		return "The server's pg_hba.conf does not let this user in from here, or not "
		       "without TLS (sslmode=require).";
	case CONN_CAUSE_NO_TLS:
		return "The server has no TLS switched on (its setting ssl), or something on the "
		       "way, a pooler or a tunnel, has none. sslmode=disable does without, and is "
		       "for this machine and private networks.";
	case CONN_CAUSE_CERTIFICATE:
		return "Name the CA that signed the server's certificate with sslrootcert=FILE in "
		       "the URL.";
	case CONN_CAUSE_EXPIRED:
		return "The server needs a new certificate (ssl_cert_file, then SELECT "
		       "pg_reload_conf()); check this machine's date too.";
	case CONN_CAUSE_OTHER_NAME:
		return "The host in the URL has to be a name of the certificate; where that name "
		       "does not lead to the server, its address goes into hostaddr.";
	case CONN_CAUSE_NO_BUNDLE:
		return "Name the CA that signed the server's certificate with sslrootcert=FILE in "
		       "the URL; sslrootcert=system takes the system's, with libpq 16 or newer.";
	case CONN_CAUSE_NOT_POSTGRESQL:
		return "Something else than PostgreSQL listens there: check the port in the URL.";
	case CONN_CAUSE_SILENT:
		return "Something accepts connections there but does not speak PostgreSQL's "
		       "protocol: a tunnel or a proxy without its other end, a wrong port, or a "
		       "server that hangs.";
	case CONN_CAUSE_STANDBY:
		return "This server is a standby, which takes no writes: name the primary in the "
		       "URL, or leave target_session_attrs out to read.";
	case CONN_CAUSE_NO_PRIVILEGE:
		return "Its owner can let the role in: GRANT CONNECT ON DATABASE … TO …;";
	default:
		return NULL;
	}
}

void conn_failure_hint(enum conn_cause cause, const struct params *params, struct err *err)
{
	const char *host = params_get(params, "host");
	const char *hint = hint_of(cause);

	if (cause == CONN_CAUSE_OTHER && host && host[0] == '/')
		cause = CONN_CAUSE_NO_SOCKET;
	if (hint)
		err_hint(err, "%s", hint);
	else if (!err->sqlstate[0])
		hint_unreached(cause, params, err);
}

int conn_failure(const struct params *params, const char *database, const char *sqlstate,
	const char *reason, struct err *err)
{
	CLEANUP(mem_cleanup) char *where = params_describe(params, database);

	err_set(err, ERR_CONNECT, "could not connect to %s", where);
	err_detail(err, "%s", reason);
	snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", sqlstate);
	conn_failure_hint(conn_failure_cause(err), params, err);
	return -1;
}
