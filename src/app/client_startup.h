/*
 * What psql is given for a session on a protected target besides the connection: a start-up file,
 * which reads the user's own, and a history of its own.
 */
#ifndef APP_CLIENT_STARTUP_H
#define APP_CLIENT_STARTUP_H

#include "base/err.h"

struct client_startup {
	const char *psql;     /* the program */
	const char *target;   /* a target's name: letters, digits, - and _ */
	const char *database; /* NULL: not known */
	bool prompts;         /* somebody sits before it */
	bool colored;
	bool writes;     /* what the prompt says: rw or ro */
	bool uncertain;  /* "ro?": it may stop being so unseen */
	bool set;        /* make the session read-only by SET */
	bool set_limits; /* set the time limits too */
	bool limits;     /* it has them, so they are set again where the user's file lost them */
	/* Give up the connection when it is not read-only; end a transaction that the user's file
	 * has left open, and undo what it has undone. */
	bool check;
};

/*
 * The start-up file psql of that version ("15.4", or with more behind it) would read in place of
 * path: path-15.4, path-15 or path; NULL: there is none. The caller owns it.
 */
char *client_startup_choose(const char *path, const char *version);

/*
 * Sets PSQLRC to a file which only this process and what takes its place can name: it has no name
 * in any directory (TMPDIR, or /tmp where that cannot be used), and goes with the last process that
 * has it open. It sets and checks, then reads the user's file, whatever that does and wherever it
 * ends, does both again and sets the prompts. The system-wide start-up file is psql's own affair.
 * Fails with FAILED, and with REFUSED when the user's file itself is seen to end in psql's
 * restricted mode; when it turns out to, the session is read-only, but the prompts stay.
 */
int client_startup_export(const struct client_startup *startup, struct err *err);

/*
 * Sets PSQL_HISTORY, unless the user has, to a file of that target's own, mode 0600, in
 * $XDG_STATE_HOME/dbrig (~/.local/state/dbrig), mode 0700; makes both. Fails with FAILED.
 */
int client_history_export(const char *target, const char *database, struct err *err);

#endif
