#include "base/interrupt.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIGNALS_BEFORE_GIVING_UP 3

static const int caught_signals[] = { SIGINT, SIGTERM, SIGHUP };

static volatile sig_atomic_t pending_signal;
static volatile sig_atomic_t signal_count;
static bool seen;
static int wake_pipe[2] = { -1, -1 };

static void wake(void)
{
	int saved = errno;

	if (write(wake_pipe[1], "", 1) < 0) {
		/* The pipe is full: then it is readable, which is all that matters. */
	}
	errno = saved;
}

static void handle_signal(int signal_number)
{
	pending_signal = signal_number;
	signal_count = signal_count + 1;
	if (signal_count >= SIGNALS_BEFORE_GIVING_UP) {
		signal(signal_number, SIG_DFL);
		raise(signal_number); /* delivered when the handler returns and unblocks it */
	}
	wake();
}

void interrupt_install(void)
{
	struct sigaction action = { .sa_handler = handle_signal };

	if (wake_pipe[0] >= 0)
		return;
	if (pipe(wake_pipe) != 0)
		BUG("no pipe for signals");
	for (int i = 0; i < 2; i++) {
		fcntl(wake_pipe[i], F_SETFD, FD_CLOEXEC);
		fcntl(wake_pipe[i], F_SETFL, O_NONBLOCK);
	}
	/* No SA_RESTART: whoever waits in a system call comes back and looks. */
	for (size_t i = 0; i < ARRAY_SIZE(caught_signals); i++) {
		struct sigaction old;

		sigaction(caught_signals[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaction(caught_signals[i], &action, NULL);
	}
}

int interrupt_pending(void)
{
	return pending_signal;
}

int interrupt_fd(void)
{
	return wake_pipe[0];
}

int interrupt_check(struct err *err)
{
	int signal_number = pending_signal;
	char drain[16];

	if (!signal_number)
		return 0;
	pending_signal = 0;
	seen = true;
	while (read(wake_pipe[0], drain, sizeof(drain)) > 0)
		;
	err_set(err, ERR_INTERRUPTED, "interrupted by signal %d (%s)", signal_number,
		strsignal(signal_number));
	err->signal = signal_number;
	return -1;
}

void interrupt_put_back(int signal_number)
{
	if (!pending_signal)
		pending_signal = signal_number;
	seen = false;
	wake();
}

bool interrupt_seen(void)
{
	return seen;
}

void interrupt_restore(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(caught_signals); i++) {
		struct sigaction old;

		sigaction(caught_signals[i], NULL, &old);
		if (old.sa_handler == handle_signal)
			signal(caught_signals[i], SIG_DFL);
	}
	/* The pipe is the parent's. */
	wake_pipe[0] = wake_pipe[1] = -1;
	pending_signal = 0;
	seen = false;
}

NORETURN void interrupt_die(int signal_number)
{
	sigset_t set;

	signal(signal_number, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, signal_number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(signal_number);
	_Exit(128 + signal_number);
}
