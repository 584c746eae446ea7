#include "base/foreground.h"

#include "base/file.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/process.h"

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

/* The ones that are passed on to the program in the foreground, and are for this one too. */
static const int ending_signals[] = {
	SIGINT,
	SIGQUIT,
	SIGTERM,
	SIGHUP,
	SIGALRM,
	SIGABRT,
	SIGXCPU,
	SIGXFSZ,
	SIGVTALRM,
	SIGPROF,
	SIGSYS,
#ifdef SIGPWR
	SIGPWR,
#endif
#ifdef SIGSTKFLT
	SIGSTKFLT,
#endif
#if defined(SIGPOLL) && !defined(__APPLE__)
	SIGPOLL,
#endif
};

/* Which of them came, set by the handler: 1 by kill(), 2 from the terminal. */
static volatile sig_atomic_t arrived[NSIG];

#define MOST_DESCRIPTORS 1024
static bool inherited[MOST_DESCRIPTORS];
static bool remembered;

static bool is_ending(int number)
{
	for (size_t i = 0; i < ARRAY_SIZE(ending_signals); i++)
		if (ending_signals[i] == number)
			return true;
	return false;
}

/*
 * What ends a program that does nothing about it, and is sent from outside. Not what a program does
 * to itself: SIGSEGV, SIGBUS, SIGFPE, SIGILL, …
 */
static bool is_passed(int number)
{
#ifdef SIGRTMIN
	if (number >= SIGRTMIN && number <= SIGRTMAX)
		return true;
#endif
	return number == SIGUSR1 || number == SIGUSR2 || is_ending(number);
}

/* Those that base/interrupt.h catches. */
static bool is_caught(int number)
{
	return number == SIGINT || number == SIGTERM || number == SIGHUP;
}

static void hold_signals(struct signal_hold *hold, bool with_caught)
{
	sigset_t set;

	if (hold->on)
		return;
	sigemptyset(&set);
	if (with_caught)
		sigaddset(&set, SIGCHLD);
	for (int number = 1; number < NSIG; number++)
		if (is_passed(number) && (with_caught || !is_caught(number)))
			sigaddset(&set, number);
	sigprocmask(SIG_BLOCK, &set, &hold->before);
	hold->on = true;
}

void signal_hold(struct signal_hold *hold)
{
	hold_signals(hold, true);
}

void signal_hold_uncaught(struct signal_hold *hold)
{
	hold_signals(hold, false);
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

	for (int number = 1; number < NSIG; number++) {
		if (!is_passed(number))
			continue;
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
	for (int number = 1; number < NSIG; number++)
		if (is_passed(number))
			sigaction(number, &old[number], NULL);
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
	core_files_allow();
	execv(file, argv);
	error = errno;
	if (write(report, &error, sizeof(error)) < 0) {
		/* The parent is gone: nobody to tell. */
	}
	_exit(STATUS_CANNOT_EXECUTE);
}

/*
 * Passes on what came. Ctrl-C and Ctrl-\ the terminal sends to both; on a hang-up it tells only the
 * first process of its session, and of limits and timers the kernel tells this one alone.
 */
static void pass_on(pid_t pid, int *signal_number)
{
	for (int number = 1; number < NSIG; number++) {
		sig_atomic_t how = arrived[number];

		if (!how)
			continue;
		arrived[number] = 0;
		if (how == 2 && (number == SIGINT || number == SIGQUIT))
			continue;
		kill(pid, number);
		if (!is_ending(number))
			continue;
		*signal_number = number;
		/* A stopped program would learn of it only when somebody has it go on. */
		kill(pid, SIGCONT);
	}
}

static int follow(pid_t pid, struct foreground_end *end)
{
	sigset_t waiting;

	sigprocmask(SIG_SETMASK, NULL, &waiting);
	for (int number = 1; number < NSIG; number++)
		if (is_passed(number))
			sigdelset(&waiting, number);
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
