/*
 * The private local server: a PostgreSQL cluster of the project's own, for its user only. It
 * listens on a Unix socket in a directory nobody else may enter, has no TCP port, accepts its owner
 * (and the caller, when root made it) by peer authentication, and is tuned for data that can be
 * made again.
 */
#ifndef PG_SERVER_H
#define PG_SERVER_H

#include "base/env.h"

#include <sys/types.h>

/* All strings are owned by the object; a zeroed object is an empty one. */
struct server {
	char *project_root; /* absolute */
	char *directory;    /* state directory of this server: lock, log, data/, … */
	char *socket_dir;   /* host to connect to; short enough for a socket address */
	char *database;     /* the project's default database name */
	char *user;         /* the superuser role: postgres */
	char *os_user;      /* the account the server runs under */
	uid_t os_uid;       /* and its numbers */
	gid_t os_gid;
	int port;              /* names the socket file only */
	char *bindir_override; /* DB_SERVER_BINDIR; NULL: look for the newest */
};

struct server_state {
	bool exists;   /* there is a cluster */
	bool running;  /* and it accepts connections */
	long pid;      /* of the postmaster, also while it starts or stops; 0: none */
	char *version; /* "15.18" of the running server, else the cluster's major version; NULL:
			  none */
	char *bindir;  /* the binaries it runs from, or would; NULL: none found */
};

/* Told what takes noticeable time ("creating the private server…"); may be NULL. */
typedef void server_progress_fn(void *context, const char *what);

/*
 * Works out where the private server of the project at project_root lives; touches nothing. Honours
 * DB_SERVER_DIR and DB_NAME (also from env's file), DB_SERVER_BINDIR and DB_SERVER_USER (from the
 * process environment only: a project's .env must not choose programs), XDG_STATE_HOME, HOME (or
 * the password database), XDG_RUNTIME_DIR. Relative paths count from the project root. Fails with
 * USAGE when that gives no directory, account or name.
 */
int server_locate(
	struct server *server, const struct env *env, const char *project_root, struct err *err);

/*
 * Makes sure that the server runs: creates the cluster when there is none, starts it when it is not
 * running, waits until it accepts connections. Safe against other processes that do the same at the
 * same time. A server that is already up costs no more than looking at a file and a socket. May
 * change server->socket_dir and port (to where the running server listens): read them afterwards.
 * Errors: FAILED (no binaries: hint names the package; not permitted; the server's own last log
 * lines as detail), TIMEOUT.
 */
int server_ensure(
	struct server *server, server_progress_fn *progress, void *context, struct err *err);

/*
 * The same for a server that there is: *ret_running is false when there is none, and none is made.
 * *ret_started (also set on errors): it did not run before.
 */
int server_start(struct server *server, server_progress_fn *progress, void *context,
	bool *ret_running, bool *ret_started, struct err *err);

/*
 * Fills *state; a server that does not exist is no error. May change socket_dir and port as
 * server_ensure does.
 */
int server_inspect(struct server *server, struct server_state *state, struct err *err);

/*
 * Stops it (fast shutdown) and waits; *ret_was_running tells whether there was anything to stop.
 * Fails with TIMEOUT when it does not end within a minute.
 */
int server_stop(struct server *server, bool *ret_was_running, struct err *err);

/* What a removal has found; strings are owned by the object. */
struct server_removal {
	bool existed;  /* there was a directory of a server's */
	bool had_data; /* with a cluster in it */
	char *link;    /* where the cluster's place was a symbolic link to, which stays; or NULL */
};

/*
 * Stops it and removes its directory with all data; *ret_removal tells what there was.
 * Follows no symbolic link, and refuses a directory that no private server was made in. When it
 * fails, the error says where what is left of the data is, or they are as they were.
 */
int server_destroy(struct server *server, struct server_removal *ret_removal, struct err *err);

/* From the best to the worst. */
enum server_holds {
	SERVER_HOLDS_NOT,
	SERVER_HOLDS_UNREADABLE, /* it is not in what could be read, and not all could be */
	SERVER_HOLDS,
};

/*
 * Whether the files with what all databases share, comments on them too, hold that text: for a
 * server that cannot be started. Texts of the past are found too; what is missing holds none.
 */
enum server_holds server_files_hold(const struct server *server, const char *text);

/* The same of what removals that failed, and creations that were cut short, have left. */
enum server_holds server_leftovers_hold(const struct server *server, const char *text);

/* postgresql:///database?host=…&port=…&user=… with what is needed percent-encoded; caller owns. */
char *server_url(const struct server *server);

void server_release(struct server *server);
void server_state_release(struct server_state *state);
void server_removal_release(struct server_removal *removal);

#endif
