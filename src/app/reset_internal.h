/* What the parts of app/reset share. */
#ifndef APP_RESET_INTERNAL_H
#define APP_RESET_INTERNAL_H

#include "app/reset.h"

struct reset {
	const struct guard *guard;
	struct context *context;
	struct scripts *schema, *seed;
	const struct reset_options *options;
	const char *database;
	/* The maintenance connection; its lock keeps a second db-setup of this database waiting. */
	struct conn *conn;
	struct conn *work; /* to the new database, while something is loaded; NULL otherwise */
	struct siblings siblings; /* as found at the beginning, after healing */
	bool had_old;             /* there was a database to reset */
	bool gave_up_old;         /* it was dropped first */
	bool connected;           /* and sessions in it */
	bool force;               /* sessions are ended */
	bool wait_drop;           /* what is no longer wanted is dropped before we are done */
	bool caching;             /* results are looked for and kept */
	/* Of the protection that goes from the old database to the new one. */
	enum protection_mark mark;
	char *marked_as; /* MARKED: as which target */
	bool closed; /* nobody else is let in while it is loaded: what they write would be kept */
	bool open;   /* the new database takes connections */
	char started[24]; /* when the server was: as in struct database_state */
	/* How often it was opened for our own session while it was closed to others, and the
	 * server's next transaction at the beginning and when it was last closed again. */
	unsigned openings;
	int64_t first_xid, closed_xid;
	bool sent;              /* the transaction that gives the new database the name was sent */
	bool exchanged;         /* and has succeeded */
	bool completing;        /* the transaction that makes it the valid one was sent */
	bool has_keys;          /* they were asked for; caching only */
	struct cache_keys keys; /* at the beginning */
	bool again;             /* the last reset was from the same keys */
	bool holds_schema, holds_seed; /* the copy that was begun with has them already */
	/* What makes their outcome another one each time, known once examined; NULL: nothing.
	 */
	char *schema_varying, *seed_varying;
	bool examined;
	bool placed;       /* a connection to the new database has been seen to lead there */
	const char *owner; /* the role that the new database belongs to as it was made; borrowed */
	bool made_new; /* there may be a database under the name for a new one, and it is ours */
	int64_t schema_us, seed_us; /* how long loading took */
};

/* Makes or takes the new database, beside the old one. *ret_name is the caller's; *ret_kept is what
 * was copied or taken, NULL: nothing. */
int reset_make(
	struct reset *reset, char **ret_name, const struct sibling **ret_kept, struct err *err);

/* Fails when the name that the old database gets while it is aside is that of another, or that for
 * the new one is another role's. */
int reset_check_way(const struct reset *reset, struct err *err);

/*
 * One transaction: the old database is put aside, or is already one to drop when nothing is left to
 * be loaded, and the new one, which has new_name, gets the name. comment: that the new one has.
 * REFUSED when somebody has marked the old one as protected since the guard decided, and its name
 * was not given.
 */
int reset_exchange(struct reset *reset, const char *new_name, const char *comment, bool complete,
	struct err *err);

/*
 * The same for the end of a load: the new database is complete, and the old one is to be dropped,
 * unless somebody has marked it as protected meanwhile. Tells of what stays so.
 */
int reset_complete(struct reset *reset, struct err *err);

/*
 * The comment (may be NULL) of the new database with the mark that the old one had, or with one
 * that was set meanwhile and protects. NULL: nothing is left. The caller owns it.
 */
char *reset_protect(const struct reset *reset, const char *comment);

/* Asks conn, a maintenance connection, for keys. */
int reset_find_keys(struct reset *reset, struct conn *conn, struct err *err);

/* Says what the database was made from; start_us: when that began (clock_us). */
void reset_tell_made(const struct reset *reset, const struct sibling *kept, int64_t start_us);

/*
 * Keeps what is loaded by now as a template if that is wanted and worth it; seeded: the seed is in
 * it. Closes reset->work then. That it cannot be kept is no error, only a signal is.
 */
int reset_keep(struct reset *reset, bool seeded, struct err *err);

/*
 * Opens reset->work unless it is open. REFUSED when it does not lead to the database that was made:
 * a pooler has the name for another one, or there are several servers.
 */
int reset_open(struct reset *reset, struct err *err);
void reset_close(struct reset *reset);

/* A script's COMMENT ON DATABASE may have taken away what tells that the database is half made, and
 * its protection: puts them back beside it. */
int reset_mark_again(struct reset *reset, struct err *err);

/* Opens the database to everybody, or only keeps those that are connected. */
int reset_allow_connections(struct reset *reset, bool allow, struct err *err);

/* Drops what was made and did not get the name, or stays with a remark. */
void reset_drop_new(struct reset *reset);

/* A mark of that kind for the database, signed. */
struct mark reset_mark(const struct reset *reset, enum mark_kind kind);

#endif
