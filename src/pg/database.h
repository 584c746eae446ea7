/* Creating, dropping and locking a database, over a maintenance connection (conn_open_maintenance).
 */
#ifndef PG_DATABASE_H
#define PG_DATABASE_H

#include "base/strlist.h"
#include "pg/conn.h"

#include <stdint.h>

struct database_state {
	bool found;
	bool is_template;
	bool invalid;     /* left behind by an interrupted DROP DATABASE (datconnlimit -2) */
	bool in_recovery; /* the server is a standby */
	bool is_owner;    /* the caller may drop it */
	bool obstructed;  /* by prepared transactions, active slots or subscriptions */
	bool connected;   /* somebody is, an autovacuum worker perhaps */
	int64_t next_xid; /* the server's next transaction, with its epoch */
	char started[24]; /* when the server was: as in struct identity */
};

/* Afterwards conn_is_pooled knows. */
int database_inspect(
	struct conn *conn, const char *name, struct database_state *state, struct err *err);

/* The failure to drop, rename, … (verb) a template, with the statement that makes it an ordinary
 * database. */
int database_refuse_template(
	struct conn *conn, const char *verb, const char *name, struct err *err);

/* 0: there is no database of that name. */
int database_oid(struct conn *conn, const char *name, uint32_t *ret_oid, struct err *err);

/* name NULL: of conn's database, whatever a pooler calls it. *ret_comment is the caller's; NULL: it
 * has none, or there is no such database. */
int database_comment(struct conn *conn, const char *name, char **ret_comment, struct err *err);

/* The same with its oid; 0: there is none. */
int database_identity(struct conn *conn, const char *name, uint32_t *ret_oid, char **ret_comment,
	struct err *err);

/* The name by which the server knows conn's database; the caller owns it. */
int database_own_name(struct conn *conn, char **ret_name, struct err *err);

/* NULL members take the server's defaults. */
struct database_create_options {
	const char *owner;
	const char *template;
	const char *encoding;
	const char *locale;
};

/*
 * Creates it. Already there is no error: *ret_created is false then. An invalid database of that
 * name is an error that says so.
 */
int database_create(struct conn *conn, const char *name,
	const struct database_create_options *options, bool *ret_created, struct err *err);

/*
 * Drops it. known is what database_inspect said a moment ago, or NULL. Missing is no error:
 * *ret_dropped is false then. Sessions in the way are listed in the error's detail, unless force
 * ends them; what force cannot clear (prepared transactions, active slots, subscriptions) is named
 * with the command that does. Nothing is dropped on any error; a signal may leave an invalid
 * database, which the next drop removes.
 */
int database_drop(struct conn *conn, const char *name, const struct database_state *known,
	bool force, bool *ret_dropped, struct err *err);

/* Told that another command holds the lock; holder may be NULL. */
typedef void lock_waiting_fn(void *context, const char *holder);

/*
 * Takes the lock that serializes what makes, drops, renames or marks a database of that name on
 * this server, waiting for it. It ends with the connection. Behind a pooler, whose sessions are
 * everybody's, a connection of its own holds each lock (so do those below) in an open transaction;
 * it is closed with conn, or when the lock is released. Afterwards conn_is_pooled knows.
 */
int database_lock(struct conn *conn, const char *name, lock_waiting_fn *waiting, void *context,
	struct err *err);

/* The same without waiting: *ret_locked is false when another session holds it. */
int database_try_lock(struct conn *conn, const char *name, bool *ret_locked, struct err *err);

/* Whether somebody holds it; conn: any connection to the server. */
int database_is_locked(struct conn *conn, const char *name, bool *ret_locked, struct err *err);

/*
 * Takes the lock of what is done in the background after a reset (dropping, preparing copies), of
 * which there is one for a database of that name on this server. It has nothing to do with
 * database_lock's. It ends with the connection or when it is released; taking it twice takes
 * releasing it twice.
 */
int database_try_background_lock(
	struct conn *conn, const char *name, bool *ret_locked, struct err *err);
int database_release_background_lock(struct conn *conn, const char *name, struct err *err);

/*
 * The lock of the one process that waits for the background's to become free: more are not needed.
 */
int database_try_waiting_lock(
	struct conn *conn, const char *name, bool *ret_locked, struct err *err);
int database_release_waiting_lock(struct conn *conn, const char *name, struct err *err);

/* True on a connection to template1: as long as it lasts nobody can create a database from that. */
bool database_maintains_template1(struct conn *conn);

/*
 * Whether a new session of the connected database would begin with settings of its own (ALTER
 * DATABASE or ALTER ROLE … SET), which the present session may not have seen.
 */
int database_has_settings(struct conn *conn, bool *ret_has, struct err *err);

/* Adds the names of all databases on the server. */
int database_names(struct conn *conn, struct strlist *names, struct err *err);

/* The same, and as many comments: "" where there is none. */
int database_comments(
	struct conn *conn, struct strlist *names, struct strlist *comments, struct err *err);

/*
 * Ends all sessions of a database but that of ours and waits, a second at most, until they have
 * gone. *ret_next_xid: the server's next transaction then; *ret_ours: whether that of ours is in
 * this database of conn's server, set also when they do not go. Fails when our role may not end one
 * of them, which leaves *ret_ours as it was. Neither connection may be pooled.
 */
int database_end_others(struct conn *conn, const char *name, struct conn *ours,
	int64_t *ret_next_xid, bool *ret_ours, struct err *err);

/*
 * Whether transactions from first up to but not including end have made or changed tables,
 * functions and the like in the connected database; rows of tables that were there are not looked
 * at.
 */
int database_was_changed(
	struct conn *conn, int64_t first, int64_t end, bool *ret_changed, struct err *err);

/*
 * What the connected database holds of the user's own (tables, views, sequences, functions, types,
 * large objects and the like; not what extensions made): "3 tables, 2 views and 1 function", NULL:
 * nothing. And its comment, NULL: it has none. Both are the caller's.
 */
int database_objects(struct conn *conn, char **ret_objects, char **ret_comment, struct err *err);

#endif
