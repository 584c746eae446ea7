/*
 * What the files server*.c share. A server's state directory belongs to the server's account, is
 * closed to everybody else and holds
 *
 *     dbrig-server   marks the directory as ours; never removed before everything else is
 *     lock           held (flock) by whoever creates, starts, stops or destroys
 *     data/          the cluster; data.tmp.PID while it is being made and while it is removed
 *     run/           the socket, unless the path is too long for one
 *     log, log.old   what the server writes
 *     started        pid, version and binaries of the last start
 */
#ifndef PG_SERVER_INTERNAL_H
#define PG_SERVER_INTERNAL_H

#include "base/process.h"
#include "base/strbuf.h"
#include "pg/server.h"

/* What the names begin with of a cluster that is being made or removed. */
#define SERVER_LEFTOVER "data.tmp."

/* Who is told what takes long. */
struct server_notice {
	server_progress_fn *progress;
	void *context;
};

void server_notify(const struct server_notice *notice, const char *format, ...) PRINTF_LIKE(2, 3);

/* The account the server runs under; the name is borrowed from server. */
struct account server_account(const struct server *server);

/* The environment of the server's own programs. */
extern const char *const server_environment[];

/* --- server_directory.c ----------------------------------------------------------------------- */

/* The state directory, opened and locked, with the account's rights taken on. */
struct server_lock {
	int directory; /* -1: there is none */
	int file;
	struct account_switch identity;
};

#define SERVER_LOCK_INIT                                                                           \
	{                                                                                          \
		.directory = -1, .file = -1                                                        \
	}

/*
 * Locks the state directory, waiting for others. When there is none: makes it if create is true,
 * else succeeds with directory -1. Fails with FAILED when it is not ours or cannot be used, with
 * TIMEOUT when another process keeps the lock for minutes.
 */
int server_lock_take(
	const struct server *server, bool create, struct server_lock *lock, struct err *err);

/* Usable as a CLEANUP handler. */
void server_lock_release(struct server_lock *lock);

/*
 * Makes the directory of the socket when needed and checks that it is the account's alone. clear:
 * also removes the socket and its lock file that a killed server left there.
 */
int server_socket_directory(const struct server *server, bool clear, struct err *err);

/*
 * The nearest directory above path that the rights taken on do not allow to enter; NULL: none. The
 * caller owns it.
 */
char *server_closed_parent(const char *path);

/*
 * Removes the state directory, which is locked and has no running server, and the lock with it.
 * What its owner may not enter or change is made accessible for that. A failure says what is left.
 */
int server_directory_remove(const struct server *server, struct server_lock *lock, struct err *err);

/* Removes a file, or a directory with everything in it; no symbolic link is followed. Missing is
 * fine. */
int server_tree_remove(int directory, const char *name, struct err *err);

/*
 * Removes what interrupted creations left behind, as far as possible; nothing when it holds the
 * mark of a protected database or cannot be read, as after a removal that failed: that is for
 * destroy.
 */
void server_remove_leftovers(const struct server *server, int directory);

/* Appends a small file of the state directory to out; false when it is missing or unreadable. */
bool server_file_read(const struct server *server, const char *name, struct strbuf *out);
bool server_path_read(const char *path, struct strbuf *out);

/* Writes a file into an open directory, whole or not at all. path is for messages. */
int server_file_write(
	int directory, const char *path, const char *name, const char *text, struct err *err);

/* --- server_binaries.c ------------------------------------------------------------------------ */

struct server_binaries {
	char *bindir;
	char *version; /* "15.18" */
	int major;
};

/*
 * Finds initdb and postgres: of that major version, or the newest when major is 0; always those in
 * DB_SERVER_BINDIR when that is set. Fails with FAILED or USAGE and says what to install. Runs the
 * programs it finds to ask for their version.
 */
int server_binaries_find(
	const struct server *server, int major, struct server_binaries *binaries, struct err *err);

void server_binaries_release(struct server_binaries *binaries);

/* --- server_cluster.c ------------------------------------------------------------------------- */

/*
 * The major version of the cluster in the state directory; 0: there is none; -1: it cannot be read,
 * fails with FAILED then, which says what is missing or closed.
 */
int server_cluster_major(const struct server *server, struct err *err);

/* Whether its directory is not there, or known to hold nothing. */
bool server_cluster_is_empty(const struct server *server);

/* Makes the cluster. Whatever happens, data/ is either complete or not there. */
int server_cluster_create(const struct server *server, const struct server_lock *lock,
	const struct server_binaries *binaries, struct err *err);

/* --- server_process.c ------------------------------------------------------------------------- */

enum postmaster_status {
	POSTMASTER_NONE,      /* no server process */
	POSTMASTER_STARTING,  /* there is one; it does not accept connections yet */
	POSTMASTER_READY,     /* it does, at socket_dir and port */
	POSTMASTER_UNREACHED, /* there is one, its socket or its data are gone */
	POSTMASTER_STOPPING,
	POSTMASTER_STALE, /* postmaster.pid names a process that is not a server of this cluster */
	POSTMASTER_ELSEWHERE, /* it answers, but its process is not to be seen: another container */
};

struct postmaster {
	enum postmaster_status status;
	pid_t pid;        /* 0 with NONE and ELSEWHERE */
	char *socket_dir; /* NULL: not known yet */
	int port;
};

/* Looks at the server process. The account's rights must be taken on. */
void postmaster_look(const struct server *server, struct postmaster *postmaster);
void postmaster_release(struct postmaster *postmaster);

/* Starts the server process and waits until it is ready. Needs the lock. */
int postmaster_start(const struct server *server, const struct server_lock *lock,
	const struct server_binaries *binaries, struct err *err);

/* Waits for a process that is starting until it is ready. */
int postmaster_wait_ready(const struct server *server, pid_t pid, struct err *err);

/* Tells the process to stop (unless it does already) and waits until it is gone. */
int postmaster_stop(
	const struct server *server, const struct postmaster *postmaster, struct err *err);

#endif
