/*
 * Making copies beside a database, under names that say so until they are complete: whoever finds
 * such a name and holds the lock of the background (pg/database.h) knows that its maker was killed.
 */
#ifndef APP_MAKING_H
#define APP_MAKING_H

#include "app/context.h"
#include "pg/sibling.h"

/*
 * To be called with the lock of the database held (heal_locked). Waits for what works in the
 * background for it, and keeps it away until making_end; drops what others have left unfinished or
 * to be dropped, and finds siblings anew.
 */
int making_begin(
	struct conn *conn, const char *database, struct siblings *siblings, struct err *err);

/*
 * Lets the background work again when held, and clears away what is marked as to be dropped or was
 * left unfinished: without an error when that fails, since the next command does it then.
 */
void making_end(struct context *context, struct conn *conn, bool held);

/*
 * Copies source as making, which does not accept connections. On an error nothing is left of it, or
 * what the next command clears away.
 */
int making_copy(
	struct conn *conn, const char *source, const char *making, bool force, struct err *err);

/* Drops a copy that was given up; that this fails is said with -v. */
void making_drop(struct conn *conn, const char *making);

/*
 * Fails, before anything is tried, when the server is a standby, the role may not create databases
 * (renaming needs that too), or does not own the database. verb: "restore", … for the message.
 */
int making_check(struct conn *conn, const struct siblings *siblings, const char *database,
	const char *verb, struct err *err);

/*
 * Warns of what a copy of the database does not have; what: "the snapshot". With keeps_comment the
 * comment is none of it.
 */
int making_warn(struct conn *conn, const char *database, const char *what, bool keeps_comment,
	struct err *err);

#endif
