#include "pg/conn_pooler.h"

#include "base/mem.h"

#include <fnmatch.h>
#include <string.h>

#define BUSY                                                                                       \
	"All connections that the pooler takes from clients are in use: --wait keeps trying "      \
	"until "                                                                                   \
	"one ends."
#define NO_SERVER                                                                                  \
	"The pooler is there, but does not reach the server behind it, or is not let in: check "   \
	"that the server runs, and the host, port, user and password that the pooler has for it; " \
	"its log says more. "
#define WAIT "--wait keeps trying."
#define SESSION_MODE                                                                               \
	"In session mode the pooler takes as many clients as its pool has connections, each for "  \
	"as long as it stays: --wait keeps trying until one ends. Transaction mode (on Supabase "  \
	"port 6543) shares them; the pool's size is set in the project's settings."
#define ENCRYPT                                                                                    \
	"It takes encrypted connections only: put sslmode=verify-full into the URL, or "           \
	"sslmode=require where its certificate cannot be verified."
#define NO_ENTRY                                                                                   \
	"The pooler does not know the user: its own list (PgBouncer: auth_file, or what "          \
	"auth_query finds) has to have the one in the URL, whatever the server behind it has."
#define OWN_PASSWORD                                                                               \
	"The pooler keeps users and passwords of its own (PgBouncer: auth_file, auth_query), and " \
	"refuses in the same words whom it does not know. Check user and password in the URL, "    \
	"where @ : / ? # % in a password must be percent-encoded, and those that the pooler has."
#define NO_TENANT                                                                                  \
	"Through Supabase's pooler the user is NAME.PROJECT, such as postgres.abcdefgh, and the "  \
	"host that of the project's region: copy both from the project's connection string. A "    \
	"project that is paused is refused in the same words."
#define NO_SNI                                                                                     \
	"Neon tells its endpoints apart by the host name that comes with TLS: name the host as "   \
	"the project's connection string has it, not by an address or an alias, and leave sslsni " \
	"on. What cannot puts options=endpoint%3D with the name's first part into the URL."
#define ADDRESS                                                                                    \
	"The project lets in certain addresses only, and this machine's is none of them: add it "  \
	"in the settings of the project."
#define HBA                                                                                        \
	"The pg_hba.conf of the server behind the pooler does not let this user in from the "      \
	"pooler's address."

/*
 * In the order in which they count where there are several: want of TLS last, since libpq tries
 * with it and without, and was told something else with it.
 */
static const struct pooler_refusal refusals[] = {
	/* PgBouncer: src/client.c, src/objects.c, src/janitor.c */
	{ "SASL authentication failed", CONN_CAUSE_PASSWORD, false, OWN_PASSWORD },
	{ "password authentication failed", CONN_CAUSE_PASSWORD, false, OWN_PASSWORD },
	{ "no such user", CONN_CAUSE_NO_ROLE, false, NO_ENTRY },
	{ "no such user: *", CONN_CAUSE_NO_ROLE, false, NO_ENTRY },
	{ "\"trust\" authentication failed", CONN_CAUSE_NO_ROLE, false, NO_ENTRY },
	{ "no such database: *", CONN_CAUSE_NO_DATABASE, false,
		"The pooler's configuration names no such database (PgBouncer: [databases], where "
		"* stands for all): name another one in the URL, or add a line for it, then RELOAD "
		"in the pooler's console." },
	{ "database \"*\" is disabled", CONN_CAUSE_NOT_ACCEPTING, false,
		"Somebody has closed it in PgBouncer's console (DISABLE): ENABLE opens it there." },
	{ "no more connections allowed*", CONN_CAUSE_TOO_MANY, true,
		BUSY " SHOW CLIENTS in PgBouncer's console (database pgbouncer, as one of its "
		     "admin_users) says who has them; max_client_conn sets how many there are." },
	{ "client connections exceeded*", CONN_CAUSE_TOO_MANY, true,
		BUSY " The limit is the database's or the user's in the pooler's configuration "
		     "(max_db_client_connections, max_user_client_connections)." },
	{ "query_wait_timeout", CONN_CAUSE_NO_SERVER, true,
		"No connection of the pooler's to the server became free in time (PgBouncer: "
		"query_wait_timeout). Either its pool is in use (SHOW POOLS in its console; "
		"db-sessions, past the pooler, says who keeps its sessions), or the server does "
		"not "
		"answer it. " WAIT },
	{ "server login has been failing*", CONN_CAUSE_NO_SERVER, true, NO_SERVER WAIT },
	{ "pgbouncer cannot connect to server", CONN_CAUSE_NO_SERVER, true, NO_SERVER WAIT },
	{ "server conn crashed[?]", CONN_CAUSE_NO_SERVER, true, NO_SERVER WAIT },
	{ "client_login_timeout*", CONN_CAUSE_NO_SERVER, true, NO_SERVER WAIT },
	{ "bouncer config error", CONN_CAUSE_NO_SERVER, false,
		"PgBouncer's configuration does not fit together; its log says where." },
	{ "unsupported startup parameter*", CONN_CAUSE_OPTIONS, false,
		"The pooler takes no such parameter when a session begins: leave it out of the "
		"URL, "
		"of PGOPTIONS and of other PG… variables, or have the pooler pass over it "
		"(PgBouncer: ignore_startup_parameters)." },
	{ "not allowed", CONN_CAUSE_NO_PRIVILEGE, false,
		"The database pgbouncer is PgBouncer's own console, for its admin_users and "
		"stats_users: name another database in the URL." },
	{ "*login rejected", CONN_CAUSE_NOT_ALLOWED, false,
		"The pooler's own rules (PgBouncer: auth_hba_file) do not let this user in from "
		"here." },
	/* Supabase's Supavisor, before its codes and with them */
	{ "Tenant or user not found*", CONN_CAUSE_NO_TENANT, false, NO_TENANT },
	{ "(ENOTFOUND) *", CONN_CAUSE_NO_TENANT, false, NO_TENANT },
	{ "MaxClientsInSessionMode: *", CONN_CAUSE_TOO_MANY, true, SESSION_MODE },
	{ "*max clients reached in session mode*", CONN_CAUSE_TOO_MANY, true, SESSION_MODE },
	{ "*[Mm]ax client connections reached*", CONN_CAUSE_TOO_MANY, true, BUSY },
	{ "*Address not in tenant allow_list: *", CONN_CAUSE_NOT_ALLOWED, false, ADDRESS },
	/* Neon's proxy */
	{ "*ndpoint ID is not specified*", CONN_CAUSE_NO_ENDPOINT, false, NO_SNI },
	{ "*requested endpoint could not be found*", CONN_CAUSE_NO_ENDPOINT, false,
		"The host in the URL is that of an endpoint which Neon does not have: copy it from "
		"the project's connection string." },
	{ "*ndpoint has been disabled*", CONN_CAUSE_ENDPOINT_DISABLED, false,
		"Enable the endpoint in Neon's console, or through its API." },
	{ "*ndpoint is not available*", CONN_CAUSE_NO_SERVER, true,
		"The endpoint's compute does not start: Neon's console says whether it is "
		"suspended, or the project past its limits. " WAIT },
	{ "*ouldn't connect to compute node*", CONN_CAUSE_NO_SERVER, true,
		"Neon's proxy does not reach the endpoint's compute, which may be starting: " WAIT
		" Neon's console says more." },
	{ "Too many connections to this endpoint*", CONN_CAUSE_TOO_MANY, true, BUSY },
	{ "password authentication failed for user '*'", CONN_CAUSE_PASSWORD, false, NULL },
	{ "This IP address * is not allowed to connect to this endpoint*", CONN_CAUSE_NOT_ALLOWED,
		false, ADDRESS },
	/* Want of TLS: PgBouncer, Supavisor, Neon */
	{ "SSL required", CONN_CAUSE_TLS_REQUIRED, false, ENCRYPT },
	{ "TLS connection required", CONN_CAUSE_TLS_REQUIRED, false, ENCRYPT },
	{ "*SSL connection is required", CONN_CAUSE_TLS_REQUIRED, false, ENCRYPT },
	{ "*connection is insecure*", CONN_CAUSE_TLS_REQUIRED, false, ENCRYPT },
};

/* What PgBouncer passes on from a server that does not let it in. */
static const struct pooler_refusal relayed[] = {
	{ "database \"*\" does not exist", CONN_CAUSE_NO_DATABASE, false, NULL },
	{ "database \"*\" is not currently accepting connections", CONN_CAUSE_NOT_ACCEPTING, false,
		NULL },
	{ "cannot connect to invalid database \"*\"", CONN_CAUSE_INVALID_DATABASE, false, NULL },
	{ "permission denied for database *", CONN_CAUSE_NO_PRIVILEGE, false, NULL },
	{ "role \"*\" does not exist", CONN_CAUSE_NO_ROLE, false,
		"The server behind the pooler has no such role: createuser makes it there, or name "
		"another one in the URL." },
	{ "role \"*\" is not permitted to log in", CONN_CAUSE_NO_LOGIN, false,
		"ALTER ROLE … LOGIN allows it on the server behind the pooler; or name another "
		"role in the URL." },
	{ "password authentication failed for user \"*\"", CONN_CAUSE_PASSWORD, false,
		"The pooler has let the user in, and the server behind it has not: the password "
		"that the pooler has for the user (PgBouncer: auth_file, or in [databases]) is not "
		"the server's." },
	{ "no pg_hba.conf entry for *", CONN_CAUSE_NOT_ALLOWED, false, HBA },
	{ "pg_hba.conf rejects *", CONN_CAUSE_NOT_ALLOWED, false, HBA },
	{ "sorry, too many clients already", CONN_CAUSE_TOO_MANY, true, NULL },
	{ "remaining connection slots are reserved *", CONN_CAUSE_TOO_MANY, true, NULL },
	{ "too many connections for *", CONN_CAUSE_TOO_MANY, true, NULL },
	{ "the database system is shutting down", CONN_CAUSE_STOPPING, true, NULL },
	{ "the database system is *", CONN_CAUSE_STARTING, true, NULL },
};

/* What a line of libpq's has behind the severity; NULL: it has none, and is libpq's own. */
static const char *message_of(const char *line)
{
	const char *fatal = strstr(line, "FATAL: "), *error = strstr(line, "ERROR: ");
	const char *found = fatal && (!error || fatal < error) ? fatal : error;

	if (!found)
		return NULL;
	found += strlen("FATAL: ");
	return found + strspn(found, " ");
}

/* The first of count refusals that a line of detail is. */
static const struct pooler_refusal *find(
	const struct pooler_refusal *table, size_t count, const char *detail)
{
	size_t first = count;

	while (detail && *detail) {
		CLEANUP(mem_cleanup) char *line = mem_strndup(detail, strcspn(detail, "\n"));
		const char *message = message_of(line);

		for (size_t i = 0; message && i < first; i++)
			if (fnmatch(table[i].text, message, 0) == 0)
				first = i;
		detail += strlen(line);
		detail += *detail == '\n';
	}
	return first < count ? &table[first] : NULL;
}

const struct pooler_refusal *conn_pooler_refusal(const char *sqlstate, const char *detail)
{
	const struct pooler_refusal *own = find(refusals, ARRAY_SIZE(refusals), detail);

	if (own || strcmp(sqlstate, CONN_STATE_PROTOCOL) != 0)
		return own;
	return find(relayed, ARRAY_SIZE(relayed), detail);
}
