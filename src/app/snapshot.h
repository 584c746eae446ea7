/*
 * Named copies of a database, kept beside it as siblings of kind SNAPSHOT (pg/sibling.h), and the
 * one that a restore keeps by itself. Every function takes a maintenance connection of the target's
 * and holds the locks of the database meanwhile. Killed at any moment, they leave the database as
 * it was or as it was to become, and nothing that the next command does not clear away.
 */
#ifndef APP_SNAPSHOT_H
#define APP_SNAPSHOT_H

#include "app/guard.h"
#include "pg/sibling.h"

struct snapshot_session {
	struct context *context;
	const char *database;
	struct conn *conn;
	struct siblings siblings;
	bool locked;  /* the database's lock is held */
	bool making;  /* the background is kept away */
	bool carried; /* what was brought back has made the database a marked one */
	bool stayed;  /* it was one, and is with what was brought back, which was not */
};

#define SNAPSHOT_NAME_MAX 63

/* Fails with USAGE unless it has 1 to 63 bytes of UTF-8 without control characters. */
int snapshot_check_name(const char *name, struct err *err);

/* What is given up besides the database itself. */
struct snapshot_loss {
	const char *name; /* the snapshot; NULL: none */
	bool undo;        /* what restores have kept */
};

/*
 * Connects, takes the lock, has the guard decide, heals, finds the snapshots. A mark on what is
 * lost (NULL: nothing) counts as one on the database.
 */
int snapshot_open(struct snapshot_session *session, const struct guard *guard,
	const struct snapshot_loss *loss, struct err *err);

/* Only to look at them: takes no lock and changes nothing. */
int snapshot_look(struct snapshot_session *session, struct context *context, struct err *err);

/* Usable as a CLEANUP handler; also after snapshot_open has failed. */
void snapshot_close(struct snapshot_session *session);

/*
 * Copies the database. A name that is taken is an error unless replace; the old one is given up in
 * the same transaction that gives the new one its name. Sessions are an error that lists them
 * unless force ends them.
 */
int snapshot_save(struct snapshot_session *session, const char *name, bool replace, bool force,
	struct err *err);

/*
 * A copy of the snapshot takes the database's place, and the database becomes the one that
 * snapshot_undo brings back. A missing database is fine. The mark that protects stays with the
 * database and comes with what is brought back, in both.
 */
int snapshot_restore(
	struct snapshot_session *session, const char *name, bool force, struct err *err);

/*
 * Exchanges the database with the one that the last restore has kept. *ret_at: when that was kept,
 * 0: unknown.
 */
int snapshot_undo(struct snapshot_session *session, bool force, int64_t *ret_at, struct err *err);

/* name NULL: the one that snapshot_undo would bring back. */
int snapshot_drop(struct snapshot_session *session, const char *name, struct err *err);

int snapshot_rename(
	struct snapshot_session *session, const char *name, const char *new_name, struct err *err);

#endif
