/*
 * A program in the foreground: with the terminal, standard input and environment of this one, for
 * a caller that has something to undo when it ends. However it ends and whatever signal comes, the
 * caller goes on.
 */
#ifndef BASE_FOREGROUND_H
#define BASE_FOREGROUND_H

#include "base/err.h"

#include <signal.h>

/* The signals that would end this program are held back while one of these is on. */
struct signal_hold {
	bool on;
	sigset_t before;
};

#define SIGNAL_HOLD_INIT                                                                           \
	{                                                                                          \
		.on = false                                                                        \
	}

/*
 * From now until signal_release no signal but SIGKILL, SIGSTOP and those of a program's own faults
 * (SIGSEGV, SIGBUS, SIGFPE, SIGILL) disturbs what is done; those that come meanwhile are delivered
 * afterwards. Does nothing when it is on already.
 */
void signal_hold(struct signal_hold *hold);

/* The same for those that base/interrupt.h does not catch: SIGQUIT, SIGUSR1, SIGABRT, … */
void signal_hold_uncaught(struct signal_hold *hold);

/* Usable as a CLEANUP handler. */
void signal_release(struct signal_hold *hold);

struct foreground_end {
	int status; /* waitpid's */
	/*
	 * The last signal that was meant for this program: it was passed on to the other and this
	 * one should end by it too; 0: none. What is typed on the terminal (SIGINT, SIGQUIT)
	 * reaches the other by itself, and counts only when that ends by it: a program may have
	 * its own use for Ctrl-C.
	 */
	int signal_number;
};

/*
 * The file that a program's name stands for, by PATH as execvp does it; the caller owns it. NULL
 * with err set (FAILED): not found, *ret_status 127, or nothing to be executed, 126.
 */
char *foreground_find(const char *name, int *ret_status, struct err *err);

/*
 * Takes note of the descriptors that are open: these are the user's, and the program in the
 * foreground gets them. Of those opened later, by whatever library, it gets none.
 */
void foreground_remember(void);

/*
 * Runs the file in this process group and waits for its end. What would end this program is passed
 * on to it, and it goes on to take it when it was stopped; SIGUSR1, SIGUSR2 and the real-time
 * signals are passed on and are nothing more to us. All signals must be
 * held and foreground_remember have been called. The program begins with the signals as they were
 * before hold, the first one.
 * Fails with FAILED when it cannot be executed.
 */
int foreground_run(const char *file, char *const *argv, const struct signal_hold *hold,
	struct foreground_end *ret_end, struct err *err);

#endif
