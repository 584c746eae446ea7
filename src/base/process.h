/*
 * Child processes and the account they run under. A child begins clean: own session, default
 * signals, stdin from /dev/null, no other descriptor, the environment it is given, directory "/",
 * umask 077. process_spec.as_caller leaves a child more of what its caller has.
 */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include "base/err.h"
#include "base/strbuf.h"

#include <sys/types.h>

/* An account of the operating system; name is borrowed. */
struct account {
	const char *name;
	uid_t uid;
	gid_t gid;
};

/*
 * What account_enter changed. While a switch is on, files are opened and signals are sent with the
 * account's rights only, so whatever the account may have planted cannot be turned against root.
 */
struct account_switch {
	bool on;
	gid_t gid;
	gid_t *groups;
	int group_count;
};

#define ACCOUNT_SWITCH_INIT                                                                        \
	{                                                                                          \
		0                                                                                  \
	}

/*
 * Takes on the account's effective user and groups when the program runs as root; otherwise does
 * nothing. Must not be nested.
 */
int account_enter(
	const struct account *account, struct account_switch *ret_switch, struct err *err);

/* Becomes root again; usable as a CLEANUP handler. Stops the program when that is not possible. */
void account_leave(struct account_switch *state);

struct process_spec {
	const char *const *argv;        /* argv[0] is the program's path; NULL-terminated */
	const char *const *environment; /* NULL-terminated */
	/* When the real user is root, the child becomes this account for good; NULL: no change. */
	const struct account *account;
	/*
	 * A program of the user's own: argv[0] without a slash is looked for in PATH; directory,
	 * umask and limits stay as they are, and so does the session when it has a terminal, so
	 * that the program can ask something there. Only for process_run.
	 */
	bool as_caller;
	/* Where stderr goes in process_run: to errors, else with keep_stderr to the caller's, else
	 * to output. What passes the ceiling of errors is dropped. */
	struct strbuf *errors;
	bool keep_stderr;
	/* process_run ends the program, and fails with FAILED, when output has reached its ceiling.
	 */
	bool ends_at_ceiling;
};

/*
 * Runs a program to its end. What it writes to stdout (and stderr, see process_spec) is appended to
 * output; what passes output's ceiling is dropped. No copy of it stays behind in memory when output
 * has room for its ceiling (strbuf_grow). *ret_status is waitpid's. Fails with FAILED when the
 * program cannot be run, with TIMEOUT when it lasts longer than timeout_ms, with INTERRUPTED when a
 * signal comes; in the last two cases the program and its children were ended first (only the
 * program itself when it shares the caller's session). It does not outlive the caller.
 */
int process_run(const struct process_spec *spec, int64_t timeout_ms, struct strbuf *output,
	int *ret_status, struct err *err);

/*
 * Starts a program that goes on when the caller ends; it is no child of the caller. Its stdout and
 * stderr go to the descriptor output. Returns once the program was executed, or fails with FAILED.
 */
int process_spawn(const struct process_spec *spec, int output, pid_t *ret_pid, struct err *err);

/*
 * Makes a process that goes on when the caller ends, which should be soon: a copy of the caller in
 * a session of its own, with standard streams from and to /dev/null, no other descriptor and
 * signals as a new program has them. (Until then it is a child of the caller, since a process
 * between the two would cost as much time again.) True in that process, which has to end by _exit;
 * false in the caller, also when no process could be made.
 */
bool process_detach(void);

/*
 * No core file shows this process's memory from now on; programs that are started as the user's own
 * (as_caller, base/foreground.h) may leave one as before.
 */
void core_files_refuse(void);

/* The limit as it was, for a program that takes this one's place; core_files_refuse sets it again.
 * Async-signal-safe. */
void core_files_allow(void);

/* True while that process runs; one that has ended but was not reaped does not. */
bool process_alive(pid_t pid);

#endif
