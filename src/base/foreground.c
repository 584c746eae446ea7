#include "base/foreground.h"

#include "base/file.h"
#include "base/interrupt.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS_CANNOT_EXECUTE 126
#define STATUS_NOT_FOUND 127

/* What ends a program that does nothing about it, and is sent from outside. */
static const int held_signals[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM,
	SIGCHLD };

static const int uncaught_signals[] = { SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM };

/* The ones that are passed on to the program in the foreground. */
static const int passed_signals[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 };

/* Which of them came, set by the handler: 1 by kill(), 2 from the terminal. */
static volatile sig_atomic_t arrived[NSIG];

#define MOST_DESCRIPTORS 1024
static bool inherited[MOST_DESCRIPTORS];
static bool remembered;

static void hold_signals(struct signal_hold *hold, const int *signals, size_t count)
{
	sigset_t set;

	if (hold->on)
		return;
	sigemptyset(&set);
	for (size_t i = 0; i < count; i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, &hold->before);
	hold->on = true;
}

void signal_hold(struct signal_hold *hold)
{
	hold_signals(hold, held_signals, ARRAY_SIZE(held_signals));
}

void signal_hold_uncaught(struct signal_hold *hold)
{
	hold_signals(hold, uncaught_signals, ARRAY_SIZE(uncaught_signals));
}

void signal_release(struct signal_hold *hold)
{
	if (!hold->on)
		return;
	sigprocmask(SIG_SETMASK, &hold->before, NULL);
	hold->on = false;
}

/* --- descriptors ---------------------------------------------------------------------------- */

void foreground_remember(void)
{
	for (int fd = 0; fd < MOST_DESCRIPTORS; fd++)
		inherited[fd] = fcntl(fd, F_GETFD) >= 0;
	remembered = true;
}

/* Libraries do not mark all of theirs. */
static void keep_own_descriptors(void)
{
	for (int fd = STDERR_FILENO + 1; fd < MOST_DESCRIPTORS; fd++)
		if (!inherited[fd])
			fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* --- finding -------------------------------------------------------------------------------- */

static bool is_file(const char *path)
{
	struct stat about;

	return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

static char *fail_to_find(const char *name, bool exists, int *ret_status, struct err *err)
{
	if (exists) {
		*ret_status = STATUS_CANNOT_EXECUTE;
		err_set(err, ERR_FAILED, "cannot execute \"%s\"", name);
	} else {
		*ret_status = STATUS_NOT_FOUND;
		err_set(err, ERR_FAILED, "could not find the program \"%s\"", name);
	}
	return NULL;
}

char *foreground_find(const char *name, int *ret_status, struct err *err)
{
	const char *path = getenv("PATH");
	bool exists = false;

	if (strchr(name, '/')) {
		if (is_file(name) && access(name, X_OK) == 0)
			return mem_strdup(name);
		return fail_to_find(name, path_exists(name), ret_status, err);
	}
	for (path = path && *name ? path : ""; *path; path += strspn(path, ":")) {
		size_t length = strcspn(path, ":");
		CLEANUP(mem_cleanup) char *directory = mem_strndup(path, length);
		char *file = length > 0 ? path_join(directory, name) : mem_strdup("");

		if (is_file(file)) {
			if (access(file, X_OK) == 0)
				return file;
			exists = true;
		}
		mem_free(file);
		path += length;
	}
	return fail_to_find(name, exists, ret_status, err);
}

/* --- running -------------------------------------------------------------------------------- */

static void note_signal(int number, siginfo_t *info, void *unused)
{
	(void)unused;
#ifdef SI_KERNEL
	arrived[number] = info->si_code == SI_KERNEL ? 2 : 1;
#else
	arrived[number] = info->si_pid == 0 ? 2 : 1;
#endif
}

/* Handlers for the time of the run; what was ignored stays ignored, and is not passed on. */
static void install(struct sigaction old[NSIG])
{
	struct sigaction action = { .sa_flags = SA_SIGINFO, .sa_sigaction = note_signal };

	for (size_t i = 0; i < ARRAY_SIZE(passed_signals); i++) {
		int number = passed_signals[i];

		arrived[number] = 0;
		sigaction(number, NULL, &old[number]);
		if (old[number].sa_handler != SIG_IGN)
			sigaction(number, &action, NULL);
	}
	/* Ignored, it would keep the exit status from us. */
	sigaction(SIGCHLD, &action, &old[SIGCHLD]);
}

static void uninstall(const struct sigaction old[NSIG])
{
	for (size_t i = 0; i < ARRAY_SIZE(passed_signals); i++)
		sigaction(passed_signals[i], &old[passed_signals[i]], NULL);
	sigaction(SIGCHLD, &old[SIGCHLD], NULL);
}

static NORETURN void become(const char *file, char *const *argv, const struct signal_hold *hold,
	const struct sigaction old[NSIG], int report)
{
	int error;

	keep_own_descriptors();
	uninstall(old);
	interrupt_restore();
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &hold->before, NULL);
	execv(file, argv);
	error = errno;
	if (write(report, &error, sizeof(error)) < 0) {
		/* The parent is gone: nobody to tell. */
	}
	_exit(STATUS_CANNOT_EXECUTE);
}

/* Passes on what came. On a hang-up the terminal tells only the first process of its session. */
static void pass_on(pid_t pid, int *signal_number)
{
	for (size_t i = 0; i < ARRAY_SIZE(passed_signals); i++) {
		int number = passed_signals[i];
		sig_atomic_t how = arrived[number];

		if (!how)
			continue;
		arrived[number] = 0;
		if (how == 2 && number != SIGHUP)
			continue;
		kill(pid, number);
		if (number != SIGUSR1 && number != SIGUSR2)
			*signal_number = number;
	}
}

static int follow(pid_t pid, struct foreground_end *end)
{
	sigset_t waiting;

	sigprocmask(SIG_SETMASK, NULL, &waiting);
	for (size_t i = 0; i < ARRAY_SIZE(passed_signals); i++)
		sigdelset(&waiting, passed_signals[i]);
	sigdelset(&waiting, SIGCHLD);
	for (;;) {
		pid_t ended = waitpid(pid, &end->status, WNOHANG);

		if (ended == pid)
			return 0;
		if (ended < 0 && errno != EINTR)
			return -1;
		pass_on(pid, &end->signal_number);
		/* All of them are blocked but here: none can come between the look and the wait. */
		sigsuspend(&waiting);
		pass_on(pid, &end->signal_number);
	}
}

int foreground_run(const char *file, char *const *argv, const struct signal_hold *hold,
	struct foreground_end *ret_end, struct err *err)
{
	CLEANUP(fd_cleanup) int report = -1;
	struct foreground_end end = { 0 };
	struct sigaction old[NSIG] = { 0 };
	int reports[2], error, result;
	ssize_t got;
	pid_t pid;

	if (!hold->on || !remembered)
		BUG("no preparation for a program in the foreground");
	if (pipe(reports) != 0)
		return err_errno(err, "could not make a pipe");
	report = reports[0];
	fcntl(reports[0], F_SETFD, FD_CLOEXEC);
	fcntl(reports[1], F_SETFD, FD_CLOEXEC);
	fflush(NULL);
	install(old);
	pid = fork();
	if (pid == 0)
		become(file, argv, hold, old, reports[1]);
	close(reports[1]);
	if (pid < 0) {
		uninstall(old);
		return err_errno(err, "could not start a process");
	}
	do
		got = read(report, &error, sizeof(error));
	while (got < 0 && errno == EINTR);
	result = follow(pid, &end);
	uninstall(old);
	if (got == (ssize_t)sizeof(error)) {
		errno = error;
		return err_errno(err, "could not execute \"%s\"", file);
	}
	if (result != 0)
		return err_errno(err, "could not wait for \"%s\"", file);
	*ret_end = end;
	return 0;
}
