/* What has become of the settings that a session was asked to start with. */
#ifndef PG_SESSION_SETTINGS_H
#define PG_SESSION_SETTINGS_H

#include "pg/conn.h"

struct session_settings {
	bool read_only; /* default_transaction_read_only */
	/* Who set that: by startup options, by SET, or (neither) server, database or role. */
	bool read_only_by_options, read_only_by_set;
	bool limit_by_options; /* statement_timeout came with the startup options */
	long pid;              /* of the server's process that answered */
	bool direct; /* no pooler between: those invent the pid that a client gets for cancelling */
};

/* Asks; needs no search_path. Fails as conn_query does. */
int session_settings_read(struct conn *conn, struct session_settings *settings, struct err *err);

#endif
