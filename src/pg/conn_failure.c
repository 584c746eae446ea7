#include "pg/conn_failure.h"

#include "base/mem.h"
#include "base/resolve.h"
#include "pg/conn_pooler.h"

#include <stdio.h>
#include <string.h>

/* Texts of libpq, of the C library through it, and of the server; the first that occurs counts. */
static const struct {
	const char *text;
	enum conn_cause cause;
} reasons[] = {
	{ "PAM authentication failed", CONN_CAUSE_TOKEN },
	{ "Peer authentication failed", CONN_CAUSE_PEER },
	{ "Ident authentication failed", CONN_CAUSE_IDENT },
	{ "LDAP authentication failed", CONN_CAUSE_OUTSIDE },
	{ "RADIUS authentication failed", CONN_CAUSE_OUTSIDE },
	{ "GSSAPI authentication failed", CONN_CAUSE_OUTSIDE },
	{ "SSPI authentication failed", CONN_CAUSE_OUTSIDE },
	{ "OAuth bearer authentication failed", CONN_CAUSE_OUTSIDE },
	{ "GSSAPI continuation error", CONN_CAUSE_OUTSIDE },
	{ "certificate authentication failed", CONN_CAUSE_CLIENT_CERTIFICATE },
	{ "requires a valid client certificate", CONN_CAUSE_CLIENT_CERTIFICATE },
	/* What a server's TLS says of the client's certificate. */
	{ "alert unknown ca", CONN_CAUSE_CLIENT_CERTIFICATE },
	{ "alert bad certificate", CONN_CAUSE_CLIENT_CERTIFICATE },
	{ "alert certificate", CONN_CAUSE_CLIENT_CERTIFICATE },
	{ "root certificate store", CONN_CAUSE_NO_CLIENT_CA },
	{ "channel binding required", CONN_CAUSE_METHOD },
	{ "channel binding is required", CONN_CAUSE_METHOD },
	{ "authentication method requirement", CONN_CAUSE_METHOD },
	/* With and without TLS, where both were tried, means not at all. */
	{ "SSL encryption", CONN_CAUSE_NOT_ALLOWED },
	{ "SSL on", CONN_CAUSE_NOT_ALLOWED },
	{ "no encryption", CONN_CAUSE_TLS_REQUIRED },
	{ "SSL off", CONN_CAUSE_TLS_REQUIRED },
	{ "does not match host name", CONN_CAUSE_OTHER_NAME },
	{ "certificate has expired", CONN_CAUSE_EXPIRED },
	{ "certificate verify failed", CONN_CAUSE_CERTIFICATE },
	{ "root certificate file", CONN_CAUSE_NO_BUNDLE },
	{ "does not support SSL", CONN_CAUSE_NO_TLS },
	{ "invalid response to SSL negotiation", CONN_CAUSE_NOT_POSTGRESQL },
	{ "expected authentication request from server", CONN_CAUSE_NOT_POSTGRESQL },
	{ "no password supplied", CONN_CAUSE_NO_PASSWORD },
	{ RESOLVE_NO_ANSWER, CONN_CAUSE_NO_NAME_SERVER },
	{ "could not translate host name", CONN_CAUSE_UNKNOWN_HOST },
	{ "session is not read-only", CONN_CAUSE_PRIMARY },
	{ "server is not in hot standby mode", CONN_CAUSE_PRIMARY },
	{ "session is read-only", CONN_CAUSE_STANDBY },
	{ "server is in hot standby mode", CONN_CAUSE_STANDBY },
	{ "server closed the connection unexpectedly", CONN_CAUSE_CLOSED },
	{ "Connection reset by peer", CONN_CAUSE_CLOSED },
	{ "Network is unreachable", CONN_CAUSE_NO_NETWORK },
	{ "No route to host", CONN_CAUSE_NO_NETWORK },
	{ "Connection refused", CONN_CAUSE_REFUSED },
	{ "has not answered a request", CONN_CAUSE_NO_SERVER },
	{ CONN_SILENT, CONN_CAUSE_SILENT },
	{ CONN_NO_ANSWER, CONN_CAUSE_NO_ANSWER },
	{ "timeout expired", CONN_CAUSE_NO_ANSWER },
	{ "Connection timed out", CONN_CAUSE_NO_ANSWER },
	{ "Operation timed out", CONN_CAUSE_NO_ANSWER },
	{ "No such file or directory", CONN_CAUSE_NO_SOCKET },
	{ CONN_CONSOLE, CONN_CAUSE_CONSOLE },
};

static const struct {
	const char *sqlstate;
	enum conn_cause cause;
} states[] = {
	{ "28P01", CONN_CAUSE_PASSWORD },
	/* Of what is wrong in the server's configuration, all that a client meets. */
	{ "F0000", CONN_CAUSE_NO_CLIENT_CA },
	{ CONN_STATE_NO_DATABASE, CONN_CAUSE_NO_DATABASE },
	{ CONN_STATE_NOT_ACCEPTING, CONN_CAUSE_NOT_ACCEPTING },
	{ CONN_STATE_TOO_MANY, CONN_CAUSE_TOO_MANY },
	{ "42704", CONN_CAUSE_OPTIONS },
	{ "22023", CONN_CAUSE_OPTIONS },
	/* Before there is a statement: "-c x requires a value". */
	{ "42601", CONN_CAUSE_OPTIONS },
	{ "57P01", CONN_CAUSE_STOPPING },
};

static enum conn_cause by_reason(const char *detail, enum conn_cause otherwise)
{
	for (size_t i = 0; detail && i < ARRAY_SIZE(reasons); i++)
		if (strstr(detail, reasons[i].text))
			return reasons[i].cause;
	return otherwise;
}

static bool says(const struct err *err, const char *text)
{
	return err->detail && strstr(err->detail, text);
}

/* SQLSTATE 28000 is all kinds of authentication: the server's words tell which. */
static enum conn_cause said_of_identity(const char *detail, enum conn_cause otherwise)
{
	const struct pooler_refusal *refusal = conn_pooler_refusal("", detail);
	const enum conn_cause said = refusal ? refusal->cause : by_reason(detail, otherwise);

	return conn_cause_stage(said) == CONN_STAGE_AUTHENTICATION ? said : otherwise;
}

enum conn_cause conn_failure_cause(const struct err *err)
{
	const struct pooler_refusal *refusal = conn_pooler_refusal(err->sqlstate, err->detail);

	if (!err->sqlstate[0])
		return refusal ? refusal->cause : by_reason(err->detail, CONN_CAUSE_OTHER);
	if (strcmp(err->sqlstate, "42501") == 0)
		return says(err, "to set parameter") ? CONN_CAUSE_OPTIONS : CONN_CAUSE_NO_PRIVILEGE;
	if (says(err, "locale is incompatible with operating system"))
		return CONN_CAUSE_LOCALE;
	if (strcmp(err->sqlstate, CONN_STATE_NOT_ACCEPTING) == 0 && says(err, "invalid database"))
		return CONN_CAUSE_INVALID_DATABASE;
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (strcmp(err->sqlstate, states[i].sqlstate) == 0)
			return states[i].cause;
	if (strcmp(err->sqlstate, CONN_STATE_STARTING) == 0)
		return says(err, "shutting down") ? CONN_CAUSE_STOPPING : CONN_CAUSE_STARTING;
	if (refusal)
		return refusal->cause;
	/* What else a server says in its own words is not about the way to it. */
	if (strcmp(err->sqlstate, "28000") == 0 && says(err, "FATAL: role \""))
		return says(err, "does not exist") ? CONN_CAUSE_NO_ROLE : CONN_CAUSE_NO_LOGIN;
	if (strncmp(err->sqlstate, "28", 2) == 0)
		return said_of_identity(err->detail, CONN_CAUSE_NOT_ALLOWED);
	/* A pooler says it in PostgreSQL's words. */
	if (strcmp(err->sqlstate, CONN_STATE_PROTOCOL) == 0)
		return said_of_identity(err->detail, CONN_CAUSE_OTHER);
	return CONN_CAUSE_OTHER;
}

bool conn_failure_may_pass(const struct err *err)
{
	static const char *const passing[] = { "Connection refused", "No such file or directory",
		"server closed the connection unexpectedly", "Connection reset by peer" };
	const struct pooler_refusal *refusal = conn_pooler_refusal(err->sqlstate, err->detail);

	if (err->kind != ERR_CONNECT)
		return false;
	if (err->sqlstate[0])
		return strcmp(err->sqlstate, CONN_STATE_STARTING) == 0 ||
		       strcmp(err->sqlstate, CONN_STATE_TOO_MANY) == 0 ||
		       (refusal && refusal->may_pass);
	for (size_t i = 0; i < ARRAY_SIZE(passing); i++)
		if (says(err, passing[i]))
			return true;
	return false;
}

/* What pg_hba.conf has nothing for, or rejects; a pooler that wants TLS. */
static bool is_barred(const char *line)
{
	const struct pooler_refusal *refusal = conn_pooler_refusal("", line);

	return (refusal && refusal->cause == CONN_CAUSE_TLS_REQUIRED) ||
	       strstr(line, "FATAL: no pg_hba.conf entry for ") ||
	       strstr(line, "FATAL: pg_hba.conf rejects ");
}

int conn_failure_weight(const char *sqlstate, const char *line)
{
	enum { WEIGHT_ON_THE_WAY = 1, WEIGHT_BARRED, WEIGHT_IDENTITY, WEIGHT_DATABASE };
	const enum conn_cause cause = by_reason(line, CONN_CAUSE_OTHER);
	const bool is_told =
		cause != CONN_CAUSE_OTHER && conn_cause_stage(cause) == CONN_STAGE_AUTHENTICATION;

	if (is_barred(line))
		return WEIGHT_BARRED;
	if (is_told || strcmp(sqlstate, "28P01") == 0 || strcmp(sqlstate, "F0000") == 0 ||
		strstr(line, "FATAL: role \""))
		return WEIGHT_IDENTITY;
	/* In another language than English most likely what is_barred knows. */
	if (strncmp(sqlstate, "28", 2) == 0)
		return WEIGHT_BARRED;
	if (sqlstate[0])
		return WEIGHT_DATABASE;
	return strstr(line, "FATAL: ") ? WEIGHT_IDENTITY : WEIGHT_ON_THE_WAY;
}

char *conn_failure_reason(const struct err *err)
{
	CLEANUP(mem_cleanup) char *most = NULL;
	const char *text = err->detail ? err->detail : err->message;
	int weight = 0;
	char *reason;

	while (*text) {
		CLEANUP(mem_cleanup) char *line = mem_strndup(text, strcspn(text, "\n"));
		const int own = conn_failure_weight("", line);

		text += strlen(line);
		text += *text == '\n';
		if (own <= weight)
			continue;
		weight = own;
		mem_free(most);
		most = take_ptr(line);
	}
	if (!most)
		return mem_strdup("");
	reason = strstr(most, " failed: ");
	reason = reason ? reason + strlen(" failed: ") : most;
	if (strncmp(reason, "FATAL: ", 7) == 0 || strncmp(reason, "ERROR: ", 7) == 0)
		reason += 7;
	return mem_strdup(reason);
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

/* What a server wants of whoever signs in, where it is not just a password. */
static const char *authentication_hint(enum conn_cause cause)
{
	switch (cause) {
	case CONN_CAUSE_PEER:
		return "Peer authentication wants a role named like the operating system's user; "
		       "name another way in with a URL.";
	case CONN_CAUSE_IDENT:
		return "The server asks an ident service on this machine (port 113) who is "
		       "calling, and few machines have one: its pg_hba.conf needs another method "
		       "here, such as scram-sha-256.";
	case CONN_CAUSE_TOKEN:
		return "The server has PAM check the password. On RDS that is a user who signs in "
		       "with tokens (PROD_AUTH=iam, LOCAL_AUTH=iam, …); elsewhere the password is "
		       "that of another system, and the server's log says more.";
	case CONN_CAUSE_OUTSIDE:
		return "The server has another system (LDAP, RADIUS, Kerberos, OAuth) check who "
		       "this is: the password, or the ticket that klist shows, has to be that "
		       "system's. The server's log says more.";
	case CONN_CAUSE_CLIENT_CERTIFICATE:
		return "The server wants a certificate of the client that an authority it knows "
		       "has signed: sslcert=FILE and sslkey=FILE in the URL, with the user as "
		       "its CN unless pg_ident.conf says otherwise.";
	case CONN_CAUSE_NO_CLIENT_CA:
		return "The server's pg_hba.conf wants a certificate of the client (cert, "
		       "clientcert), and the server has no ssl_ca_file to check one by: set that, "
		       "then SELECT pg_reload_conf(), or change the line's method, such as to "
		       "scram-sha-256.";
	case CONN_CAUSE_METHOD:
		return "channel_binding or require_auth, in the URL or the environment, rules out "
		       "the way in which the server lets this user in. Channel binding takes TLS "
		       "and a password that the server keeps for scram-sha-256.";
	default:
		return NULL;
	}
}

/* What is there in place of the server that is wanted. */
static const char *other_end_hint(enum conn_cause cause)
{
	switch (cause) {
	case CONN_CAUSE_CLOSED:
		return "Something accepts connections there and closes them without a word, most "
		       "often a tunnel, a port forwarding or a proxy whose far end is not there: "
		       "check where it leads (ssh -L, kubectl port-forward, the load balancer's "
		       "targets), and that the server runs there. With neither in between, the "
		       "server's log says more.";
	case CONN_CAUSE_SILENT:
		return "Something accepts connections there but does not speak PostgreSQL's "
		       "protocol: a tunnel or a proxy without its other end, a wrong port, or a "
		       "server that hangs.";
	case CONN_CAUSE_STANDBY:
		return "This server is a standby, which takes no writes: name the primary in the "
		       "URL, or leave target_session_attrs out to read.";
	case CONN_CAUSE_PRIMARY:
		return "This server is a primary, and target_session_attrs asks for one that only "
		       "reads: name a standby in the URL, or leave target_session_attrs out.";
	case CONN_CAUSE_NO_SERVER:
		return "The connection was let in, and then nothing was answered: a pooler has its "
		       "clients wait while all sessions of its pool are taken (SHOW POOLS in "
		       "PgBouncer's console; db-sessions, past the pooler, says who keeps them), "
		       "or while the server does not answer it.";
	case CONN_CAUSE_NO_ENDPOINT:
	case CONN_CAUSE_ENDPOINT_DISABLED:
		return "The host in the URL has to be that of an endpoint, which has to be "
		       "enabled.";
	case CONN_CAUSE_CONSOLE:
		return "It takes PgBouncer's own commands (SHOW HELP) from psql, and no statement "
		       "of a database: name another database than pgbouncer in the URL.";
	case CONN_CAUSE_NO_TENANT:
		return "The user in the URL has to name the project as well.";
	default:
		return authentication_hint(cause);
	}
}

/* What is the same whatever the parameters are. */
static const char *hint_of(enum conn_cause cause)
{
	switch (cause) {
	case CONN_CAUSE_NO_NAME_SERVER:
		return "This machine's name servers (/etc/resolv.conf) do not answer: is its "
		       "network, or the VPN, up?";
	case CONN_CAUSE_NO_DATABASE:
		return "Create it with db-create, or make it whole with db-setup: both take a "
		       "role that may create databases (CREATEDB).";
	case CONN_CAUSE_NOT_ACCEPTING:
		return "A reset may be loading it; what a killed one has left is put right by "
		       "db-create or db-setup. One that was closed by hand opens with ALTER "
		       "DATABASE … ALLOW_CONNECTIONS true.";
	case CONN_CAUSE_INVALID_DATABASE:
		return "A DROP DATABASE was interrupted: db-drop ends it, and db-setup then makes "
		       "the database anew.";
	case CONN_CAUSE_LOCALE:
		return "The database was made with a locale that the server's system does not have "
		       "(any more): install it there (locale-gen, on Debian), or load a dump of "
		       "it, "
		       "taken where the locale is, into a database with another one.";
	case CONN_CAUSE_OPTIONS:
		return "The parameter comes from options in the URL, from PGOPTIONS or from a "
		       "service file: take it out there.";
	case CONN_CAUSE_STOPPING:
		return "The server is shutting down, to come back or for good: its log says on "
		       "whose request. --wait keeps trying until it lets in again.";
	case CONN_CAUSE_PASSWORD:
		return "Check user and password in the URL; @ : / ? # % in a password must be "
		       "percent-encoded. A role that is not there, has no password or is past its "
		       "VALID UNTIL is refused in the same words.";
	case CONN_CAUSE_NO_PASSWORD:
		return "Put the password into the URL, or into ~/.pgpass.";
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
	case CONN_CAUSE_NO_PRIVILEGE:
		return "Its owner can let the role in: GRANT CONNECT ON DATABASE … TO …;";
	default:
		return other_end_hint(cause);
	}
}

/* What pg_hba.conf lacks: a line over TLS, one without, or both. */
static const char *barred_hint(const struct err *err)
{
	const bool with = says(err, "SSL encryption") || says(err, "SSL on");
	const bool without = says(err, "no encryption") || says(err, "SSL off");

	if (says(err, "host \"[local]\""))
		return "The server's pg_hba.conf does not let this user in over its Unix socket: "
		       "that takes a line of type local.";
	if (with && without)
		return "The server's pg_hba.conf does not let this user in from here, neither with "
		       "TLS nor without.";
	if (with)
		return "The server's pg_hba.conf does not let this user in from here over TLS, "
		       "which is in use: it needs a hostssl or host line. Where it lets the user "
		       "in without TLS alone (hostnossl), that takes sslmode=disable, which is for "
		       "this machine and private networks.";
	return "The server's pg_hba.conf does not let this user in from here, or not without TLS "
	       "(sslmode=require).";
}

/* A limit of 0 never passes, and the server does not say how high it is. */
static const char *too_many_hint(const struct err *err)
{
	if (says(err, "too many connections for role"))
		return "The role's CONNECTION LIMIT is used up: --wait keeps trying until one of "
		       "its connections ends, in vain if the limit is 0. Whoever may alter the "
		       "role sees it in pg_roles.rolconnlimit, and sets it with ALTER ROLE … "
		       "CONNECTION LIMIT.";
	if (says(err, "too many connections for database"))
		return "The database's CONNECTION LIMIT is used up: --wait keeps trying until one "
		       "of its connections ends, in vain if the limit is 0. From another database "
		       "it is seen in pg_database.datconnlimit; ALTER DATABASE … CONNECTION LIMIT "
		       "sets it.";
	return "The server's connections (max_connections) are in use, or those it leaves to "
	       "ordinary roles: --wait keeps trying until one ends. db-sessions says who has them, "
	       "by a role that may use the reserved ones (a superuser, on RDS the master user); "
	       "if all are needed, PgBouncer or the like shares them, and a higher max_connections "
	       "takes a restart.";
}

/* Whoever is let in late: after a start, after a crash, or on a standby perhaps never. */
static const char *starting_hint(const struct err *err)
{
	if (says(err, "Hot standby mode is disabled"))
		return "This is a standby that lets nobody in (its setting hot_standby is off): "
		       "name the primary in the URL. --wait keeps trying until it is promoted.";
	if (says(err, "in recovery mode"))
		return "The server has crashed, or one of its processes has, and reads back what "
		       "was written last: its log says why, and how far it is. --wait keeps "
		       "trying.";
	return "The server is starting, and lets in once it has read back what was written last: "
	       "after a crash, or on a standby, that may take minutes, and its log says how far "
	       "it is. --wait keeps trying.";
}

/* libpq says where it had the password from where that was no parameter. */
static const char *password_hint(const struct err *err)
{
	if (says(err, "retrieved from file"))
		return "Check the password in that file: its first line for the host, port, "
		       "database and user counts. A role that is not there, has no password or is "
		       "past its VALID UNTIL is refused in the same words.";
	return hint_of(CONN_CAUSE_PASSWORD);
}

/* What needs the words, the server's or a pooler's. */
static const char *hint_of_words(enum conn_cause cause, const struct err *err)
{
	const struct pooler_refusal *refusal = conn_pooler_refusal(err->sqlstate, err->detail);

	if (refusal && refusal->cause == cause && refusal->hint)
		return refusal->hint;
	switch (cause) {
	case CONN_CAUSE_STARTING:
		return starting_hint(err);
	case CONN_CAUSE_TOO_MANY:
		return too_many_hint(err);
	case CONN_CAUSE_PASSWORD:
		return password_hint(err);
	case CONN_CAUSE_TLS_REQUIRED:
	case CONN_CAUSE_NOT_ALLOWED:
		return barred_hint(err);
	default:
		return hint_of(cause);
	}
}

void conn_failure_hint(enum conn_cause cause, const struct params *params, struct err *err)
{
	const char *host = params_get(params, "host");
	const char *hint;

	if ((cause == CONN_CAUSE_NOT_ALLOWED || cause == CONN_CAUSE_PEER) &&
		strcmp(err->sqlstate, CONN_STATE_PROTOCOL) != 0)
		cause = said_of_identity(err->detail, cause);
	hint = hint_of_words(cause, err);
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
