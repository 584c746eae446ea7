/*
 * How a client's session on a protected target becomes read-only and gets time limits. By startup
 * options (PGOPTIONS), which libpq sends with every connection the client makes. Poolers may refuse
 * options or drop them in silence, so a connection of our own is made before and asked what came of
 * them.
 *
 * A pooler without options leaves only SET, and that is safe in one case only. With
 * pool_mode=transaction (PgBouncer) a SET stays on the server's session, which other clients get
 * next: production would turn read-only for them. From outside a pool mode cannot be told for
 * certain, so SET is used where NAME_POOL_MODE=session says that it is safe, and refused otherwise;
 * also where the pooler turns out to share its sessions all the same, or not to reset them.
 */
#ifndef APP_CLIENT_SESSION_H
#define APP_CLIENT_SESSION_H

#include "app/client_password.h"

/* The limits of a session on a protected target. */
#define CLIENT_STATEMENT_TIMEOUT "5min"
#define CLIENT_LOCK_TIMEOUT "10s"
#define CLIENT_IDLE_TIMEOUT "5min" /* idle_in_transaction_session_timeout */

enum client_read_only {
	CLIENT_WRITES,            /* the session may write */
	CLIENT_READ_ONLY_OPTIONS, /* read-only by startup options, also after a reconnect */
	CLIENT_READ_ONLY_SERVER,  /* by a setting of the server for the role or the database */
	CLIENT_READ_ONLY_SET,     /* to be made read-only by SET once it is there */
	CLIENT_READ_ONLY_UNKNOWN, /* options are sent, but nobody could ask what comes of them */
};

struct client_session {
	/* Wanted; given by the caller. */
	bool write, no_limits;
	bool is_psql;                     /* the client can be given a start-up file */
	bool no_startup_file;             /* psql's -X */
	struct client_password *password; /* borrowed */
	/* Found. */
	enum client_read_only read_only;
	/* No pooler between: what made it read-only comes back whenever the session is reset. */
	bool certain;
	bool limits; /* it has them */
	/* What it has is not in the options but to be set by the start-up file. */
	bool by_set;
};

/*
 * Decides, and puts the options into context->target.params, the user's own kept: those of the
 * URL, else of its service or PGSERVICE, else PGOPTIONS. The client must not be given the service
 * itself, whose options would take the place of ours. For a session that shall be read-only, or
 * have limits, or both. When the connection fails in a way that is_for_client leaves to the client,
 * read_only is UNKNOWN; not where the password was asked for here. Fails with REFUSED where the
 * session cannot be made read-only, with USAGE for a NAME_POOL_MODE that is none, else as
 * context_connect does.
 */
int client_session_choose(struct context *context, struct client_session *session,
	bool (*is_for_client)(const struct context *context, const struct err *err),
	struct err *err);

#endif
