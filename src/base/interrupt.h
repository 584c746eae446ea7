/*
 * SIGINT, SIGTERM and SIGHUP. Until interrupt_install the default disposition holds: a program that
 * has nothing to undo dies at once. Afterwards a signal is remembered and the code that waits looks
 * at it; the third one ends the program at once, whatever it is doing.
 */
#ifndef BASE_INTERRUPT_H
#define BASE_INTERRUPT_H

#include "base/err.h"

/* Begins to catch the signals. A signal that was ignored when the program began stays ignored. */
void interrupt_install(void);

/* The signal that came and was not yet taken; 0: none. */
int interrupt_pending(void);

/* A descriptor that is readable once a signal has come (for poll); -1 before interrupt_install. */
int interrupt_fd(void);

/*
 * When a signal is pending: takes it, sets err to INTERRUPTED and returns -1; what follows
 * (undoing) is not disturbed by it any more. Otherwise 0.
 */
int interrupt_check(struct err *err);

/*
 * For what was only meant to help, and was ended by a signal: the one that interrupt_check took is
 * pending again, so that whoever is asked next finds it.
 */
void interrupt_put_back(int signal_number);

/* True once a signal was taken: whatever follows should not take long. */
bool interrupt_seen(void);

/* Ends the program by the signal's default action. */
NORETURN void interrupt_die(int signal_number);

/* In a child after fork: puts the default dispositions back, as before interrupt_install. */
void interrupt_restore(void);

#endif
