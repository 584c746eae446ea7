/*
 * What psql is given for a session on a protected target besides the connection: a start-up file,
 * which reads the user's own, and a history of its own.
 */
#ifndef APP_CLIENT_STARTUP_H
#define APP_CLIENT_STARTUP_H

#include "base/err.h"
#include "base/strbuf.h"

struct client_startup {
	const char *psql;     /* the program */
	const char *target;   /* a target's name: letters, digits, - and _ */
	const char *database; /* NULL: not known */
	bool prompts;         /* somebody sits before it */
	bool colored;
	bool writes;     /* what the prompt says: rw or ro */
	bool uncertain;  /* "ro?": it may stop being so unseen */
	bool set;        /* make the session read-only by SET */
	bool set_limits; /* with set: time limits too */
	/* Give up the connection when it is not read-only; end a transaction that the user's file
	 * has left open, and undo what it has undone. */
	bool check;
};

/*
 * The start-up file's text: SETs and check first, then the user's file (NULL: none), whatever it
 * does and wherever it ends, then both again, then the prompts, which take the place of the user's.
 */
void client_startup_text(
	const struct client_startup *startup, const char *user_file, struct strbuf *text);

/*
 * The start-up file psql of that version ("15.4", or with more behind it) would read in place of
 * path: path-15.4, path-15 or path; NULL: there is none. The caller owns it.
 */
char *client_startup_choose(const char *path, const char *version);

/*
 * Sets PSQLRC to a file with that text which only this process and what takes its place can name:
 * it has no name in any directory, and goes with the last process that has it open. The system-wide
 * start-up file is psql's own affair. Fails with FAILED, and with REFUSED when the user's file ends
 * in psql's restricted mode.
 */
int client_startup_export(const struct client_startup *startup, struct err *err);

/*
 * Sets PSQL_HISTORY, unless the user has, to a file of that target's own, mode 0600, in
 * $XDG_STATE_HOME/dbrig (~/.local/state/dbrig), mode 0700; makes both. Fails with FAILED.
 */
int client_history_export(const char *target, const char *database, struct err *err);

#endif
