/*
 * The start-up file's text, in three files, as psql takes no more meta-commands once the user's own
 * has left it in restricted mode: what comes before, the user's, and what comes after.
 */
#ifndef APP_CLIENT_STARTUP_TEXT_H
#define APP_CLIENT_STARTUP_TEXT_H

#include "app/client_startup.h"
#include "base/strbuf.h"

/*
 * The file that psql is given: SETs and check. user and after: the paths of the other two; both
 * NULL: the user has no file, and the prompts stand here.
 *
 * Before the user's file each variable of psql's that shows statements, asks about them or changes
 * how they are run is as the user had it, and after it as that has left it.
 */
void startup_text_first(const struct client_startup *startup, const char *user, const char *after,
	struct strbuf *text);

/* Reads the user's file, path; whatever that does, reading this one succeeds. */
void startup_text_user(const char *path, struct strbuf *text);

/* SETs and check again, and the prompts, which take the place of the user's. */
void startup_text_after(const struct client_startup *startup, struct strbuf *text);

#endif
