#include "base/process.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

/* Enough for a server's open files; some systems begin at 256. */
#define WANTED_OPEN_FILES 4096
/* How long an interrupted program may take to end by itself. */
#define GRACE_MS 2000

/* What a child that did not get as far as its program tells its parent. */
enum step { STEP_ACCOUNT, STEP_SETUP, STEP_EXEC };

struct failure {
	enum step step;
	int error;
};

int account_enter(const struct account *account, struct account_switch *ret_switch, struct err *err)
{
	struct account_switch state = { .on = true, .gid = getegid() };

	if (geteuid() != 0)
		return 0;
	state.group_count = getgroups(0, NULL);
	if (state.group_count < 0)
		return err_errno(err, "could not read the list of groups");
	state.groups = mem_calloc((size_t)state.group_count, sizeof(*state.groups));
	state.group_count = getgroups(state.group_count, state.groups);
	if (state.group_count < 0 || setgroups(1, &account->gid) != 0 ||
		setegid(account->gid) != 0 || seteuid(account->uid) != 0) {
		err_errno(err, "could not become the account \"%s\"", account->name);
		account_leave(&state);
		return -1;
	}
	*ret_switch = state;
	return 0;
}

void account_leave(struct account_switch *state)
{
	if (!state->on)
		return;
	if (seteuid(0) != 0 || setegid(state->gid) != 0 ||
		(state->group_count >= 0 &&
			setgroups((size_t)state->group_count, state->groups) != 0))
		BUG("root cannot become root again");
	mem_free(state->groups);
	*state = (struct account_switch)ACCOUNT_SWITCH_INIT;
}

/* Becomes the account for good and makes sure that there is no way back. */
static int become(const struct account *account)
{
	if (!account || getuid() != 0)
		return 0;
	if (seteuid(0) != 0 || initgroups(account->name, account->gid) != 0 ||
		setgid(account->gid) != 0 || setuid(account->uid) != 0)
		return -1;
	if (getuid() != account->uid || geteuid() != account->uid || getgid() != account->gid ||
		getegid() != account->gid || setuid(0) == 0) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

static void close_from(int first)
{
	struct rlimit limit;
	int last = 65536;

#ifdef SYS_close_range
	if (syscall(SYS_close_range, (unsigned)first, ~0U, 0) == 0)
		return;
#endif
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < (rlim_t)last)
		last = (int)limit.rlim_cur;
	for (int fd = first; fd < last; fd++)
		close(fd);
}

static struct rlimit core_limit;
static bool core_is_refused;

void core_files_refuse(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) != 0)
		return;
	if (!core_is_refused)
		core_limit = limit;
	core_is_refused = true;
	/* The hard limit stays: it could not be raised again. */
	limit.rlim_cur = 0;
	setrlimit(RLIMIT_CORE, &limit);
}

void core_files_allow(void)
{
	if (core_is_refused)
		setrlimit(RLIMIT_CORE, &core_limit);
}

static void set_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < WANTED_OPEN_FILES) {
		limit.rlim_cur =
			limit.rlim_max < WANTED_OPEN_FILES ? limit.rlim_max : WANTED_OPEN_FILES;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	/* What the caller's shell allows for a file's size or processor time ends no server. */
	if (getrlimit(RLIMIT_FSIZE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_FSIZE, &limit);
	}
	if (getrlimit(RLIMIT_CPU, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_CPU, &limit);
	}
}

static NORETURN void child_fail(int report, enum step step)
{
	struct failure failure = { .step = step, .error = errno };

	if (write(report, &failure, sizeof(failure)) < 0) {
		/* The parent is gone: nobody to tell. */
	}
	_exit(127);
}

/* Whether a program of the user's could ask something: there is a terminal to open. */
static bool has_terminal(void)
{
	CLEANUP(fd_cleanup) int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	return fd >= 0;
}

/* The child's end of what process_run reads; errors -1: as output. */
struct child_ends {
	int output, errors, report;
	bool own_session;
};

static int set_descriptors(const struct child_ends *ends)
{
	int null = open("/dev/null", O_RDONLY);

	/* The ends are above 9: see pipe_high. */
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(ends->output, STDOUT_FILENO) < 0 ||
		(ends->errors != STDERR_FILENO && dup2(ends->errors, STDERR_FILENO) < 0) ||
		dup2(ends->report, 3) < 0 || fcntl(3, F_SETFD, FD_CLOEXEC) != 0)
		return -1;
	close_from(4);
	return 0;
}

/* Turns this process, just forked with all signals blocked, into the program. */
static NORETURN void child_exec(
	const struct process_spec *spec, const struct child_ends *ends, pid_t parent)
{
	/* execve changes nothing; its prototype is older than const. */
	union {
		const char *const *in;
		char *const *out;
		char **environment;
	} argv = { spec->argv }, environment = { spec->environment };
	int report = ends->report;
	sigset_t none;

	if (ends->own_session)
		setsid();
	if (become(spec->account) != 0)
		child_fail(report, STEP_ACCOUNT);
#ifdef __linux__
	if (parent) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(127);
	}
#else
	(void)parent;
#endif
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	if (!spec->as_caller) {
		umask(S_IRWXG | S_IRWXO);
		set_limits();
		if (chdir("/") != 0)
			child_fail(report, STEP_SETUP);
	}
	if (set_descriptors(ends) != 0)
		child_fail(report, STEP_SETUP);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (spec->as_caller) {
		core_files_allow();
		environ = environment.environment;
		execvp(spec->argv[0], argv.out);
	} else {
		execve(spec->argv[0], argv.out, environment.out);
	}
	child_fail(3, STEP_EXEC);
}

/* Moves a descriptor above those a child rearranges. */
static int move_high(int fd)
{
	int high;

	if (fd < 0)
		return -1;
	high = fcntl(fd, F_DUPFD_CLOEXEC, 10);
	close(fd);
	return high;
}

static int pipe_high(int fds[2], struct err *err)
{
	if (pipe(fds) != 0)
		return err_errno(err, "could not make a pipe");
	fds[0] = move_high(fds[0]);
	fds[1] = move_high(fds[1]);
	if (fds[0] < 0 || fds[1] < 0)
		return err_errno(err, "could not make a pipe");
	return 0;
}

/* Forks with all signals blocked in the child and unchanged in the parent. */
static pid_t fork_blocked(void)
{
	sigset_t all, old;
	pid_t pid;

	/* An inherited SIG_IGN would keep exit statuses from us. */
	signal(SIGCHLD, SIG_DFL);
	fflush(NULL);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (pid != 0)
		sigprocmask(SIG_SETMASK, &old, NULL);
	return pid;
}

/* read() of a whole small record, through signals. True when all of it came. */
static bool read_record(int fd, void *record, size_t size)
{
	ssize_t got;

	do
		got = read(fd, record, size);
	while (got < 0 && errno == EINTR);
	return got == (ssize_t)size;
}

/* Waits until the child has executed its program. */
static int read_report(const struct process_spec *spec, int report, struct err *err)
{
	struct failure failure;

	if (!read_record(report, &failure, sizeof(failure)))
		return 0;
	errno = failure.error;
	if (failure.step == STEP_ACCOUNT)
		return err_errno(err, "could not become the account \"%s\"", spec->account->name);
	return err_errno(err, "could not run \"%s\"", spec->argv[0]);
}

static void wait_for(pid_t pid, int *ret_status)
{
	while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
		;
}

/* Ends the child, with its whole session when that is its own, at first politely. */
static void end_child(pid_t pid, bool own_session)
{
	int64_t deadline = clock_ms() + GRACE_MS;
	pid_t whom = own_session ? -pid : pid;
	int status;

	kill(whom, SIGTERM);
	while (clock_ms() < deadline) {
		if (waitpid(pid, &status, WNOHANG) != 0) {
			/* Reaped: its number may be another's, but not that of its session. */
			if (own_session)
				kill(whom, SIGKILL);
			return;
		}
		clock_sleep_ms(5);
	}
	kill(whom, SIGKILL);
	wait_for(pid, &status);
}

/* Takes what is there to be read. True at the end of the output. */
static bool read_output(int fd, struct strbuf *output)
{
	char chunk[4096];
	ssize_t got = read(fd, chunk, sizeof(chunk));
	size_t room = output->ceiling - output->length;

	if (got < 0)
		return errno != EINTR && errno != EAGAIN;
	strbuf_add(output, chunk, (size_t)got < room ? (size_t)got : room);
	mem_wipe(chunk, (size_t)got);
	return got == 0;
}

/* What follow_child reads from: the child's stdout, and its stderr where that comes apart. */
struct child {
	pid_t pid;
	bool own_session;
	int fds[2]; /* -1: none, or at its end */
	struct strbuf *buffers[2];
};

/*
 * Reads what there is, waiting for it a little; less when both ends are closed, since the child is
 * then most likely about to end. True when something was there.
 */
static bool child_read(struct child *child)
{
	struct pollfd fds[] = {
		{ .fd = child->fds[0], .events = POLLIN },
		{ .fd = child->fds[1], .events = POLLIN },
		{ .fd = interrupt_fd(), .events = POLLIN },
	};
	bool is_open = child->fds[0] >= 0 || child->fds[1] >= 0;
	bool found = false;

	if (poll(fds, ARRAY_SIZE(fds), is_open ? 50 : 1) <= 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(child->fds); i++) {
		if (child->fds[i] < 0 || !fds[i].revents)
			continue;
		found = true;
		if (read_output(child->fds[i], child->buffers[i])) {
			close(child->fds[i]);
			child->fds[i] = -1;
		}
	}
	return found;
}

/* Reads the child's output until it has ended. */
static int follow_child(const struct process_spec *spec, struct child *child, int64_t timeout_ms,
	int *ret_status, struct err *err)
{
	int64_t deadline = clock_ms() + timeout_ms;

	for (;;) {
		/* A grandchild may hold the pipe open: the child's end counts. */
		if (!child_read(child) && waitpid(child->pid, ret_status, WNOHANG) == child->pid)
			return 0;
		if (interrupt_check(err) != 0) {
			end_child(child->pid, child->own_session);
			return -1;
		}
		if (spec->ends_at_ceiling &&
			child->buffers[0]->length == child->buffers[0]->ceiling) {
			end_child(child->pid, child->own_session);
			return err_set(err, ERR_FAILED, "\"%s\" printed more than %zu bytes",
				spec->argv[0], child->buffers[0]->ceiling);
		}
		if (clock_ms() > deadline) {
			end_child(child->pid, child->own_session);
			return err_set(err, ERR_TIMEOUT, "\"%s\" did not end within %lld seconds",
				spec->argv[0], (long long)(timeout_ms / 1000));
		}
	}
}

static void child_cleanup(struct child *child)
{
	for (size_t i = 0; i < ARRAY_SIZE(child->fds); i++)
		fd_cleanup(&child->fds[i]);
}

/* Forks the child; its ends of the pipes are closed here. */
static pid_t fork_child(const struct process_spec *spec, struct child_ends *ends)
{
	pid_t parent = getpid();
	pid_t pid = fork_blocked();

	if (pid == 0)
		child_exec(spec, ends, parent);
	close(ends->report);
	close(ends->output);
	if (spec->errors)
		close(ends->errors);
	return pid;
}

int process_run(const struct process_spec *spec, int64_t timeout_ms, struct strbuf *output,
	int *ret_status, struct err *err)
{
	CLEANUP(fd_cleanup) int report = -1;
	CLEANUP(child_cleanup)
	struct child child = { .fds = { -1, -1 }, .buffers = { output, spec->errors } };
	struct child_ends ends;
	int reports[2], outputs[2], errors[2];
	int status = 0;

	if (pipe_high(reports, err) != 0)
		return -1;
	report = reports[0];
	if (pipe_high(outputs, err) != 0) {
		close(reports[1]);
		return -1;
	}
	child.fds[0] = outputs[0];
	if (spec->errors && pipe_high(errors, err) != 0) {
		close(reports[1]);
		close(outputs[1]);
		return -1;
	}
	child.fds[1] = spec->errors ? errors[0] : -1;
	child.own_session = !spec->as_caller || !has_terminal();
	ends = (struct child_ends){ .output = outputs[1],
		.errors = spec->errors        ? errors[1]
			  : spec->keep_stderr ? STDERR_FILENO
					      : outputs[1],
		.report = reports[1],
		.own_session = child.own_session };
	child.pid = fork_child(spec, &ends);
	if (child.pid < 0)
		return err_errno(err, "could not start a process");
	if (read_report(spec, report, err) != 0) {
		wait_for(child.pid, &status);
		return -1;
	}
	if (follow_child(spec, &child, timeout_ms, &status, err) != 0)
		return -1;
	*ret_status = status;
	return 0;
}

int process_spawn(const struct process_spec *spec, int output, pid_t *ret_pid, struct err *err)
{
	CLEANUP(fd_cleanup) int report = -1;
	CLEANUP(fd_cleanup) int high = fcntl(output, F_DUPFD_CLOEXEC, 10);
	struct child_ends ends;
	int reports[2];
	int status;
	pid_t between, pid = 0;

	if (high < 0)
		return err_errno(err, "could not duplicate a descriptor");
	if (pipe_high(reports, err) != 0)
		return -1;
	report = reports[0];
	between = fork_blocked();
	if (between == 0) {
		/* The process between is gone at once: its child will be nobody's zombie. */
		if (fork() != 0)
			_exit(0);
		pid = getpid();
		if (write(reports[1], &pid, sizeof(pid)) < 0)
			_exit(127);
		ends = (struct child_ends){
			.output = high, .errors = high, .report = reports[1], .own_session = true
		};
		child_exec(spec, &ends, 0);
	}
	close(reports[1]);
	if (between < 0)
		return err_errno(err, "could not start a process");
	wait_for(between, &status);
	if (!read_record(report, &pid, sizeof(pid)) || pid <= 0)
		return err_set(
			err, ERR_FAILED, "could not start a process for \"%s\"", spec->argv[0]);
	if (read_report(spec, report, err) != 0)
		return -1;
	*ret_pid = pid;
	return 0;
}

/* In the new process: nothing of the caller's is held open, nor ever written to. */
static void detach_descriptors(void)
{
	int null = open("/dev/null", O_RDWR);

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (null < 0 || dup2(null, fd) < 0)
			_exit(127);
	close_from(STDERR_FILENO + 1);
}

bool process_detach(void)
{
	static const int terminal_signals[] = { SIGHUP, SIGINT, SIGQUIT };
	sigset_t none;

	if (fork_blocked() != 0)
		return false;
	setsid();
	interrupt_restore();
	/* What the terminal sent to the group we have been in is no longer for us: it may have been
	 * closed since. Ignoring a signal takes back one that is waiting. */
	for (size_t i = 0; i < ARRAY_SIZE(terminal_signals); i++) {
		signal(terminal_signals[i], SIG_IGN);
		signal(terminal_signals[i], SIG_DFL);
	}
	detach_descriptors();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	return true;
}

#ifdef __linux__
/* The letter after the last parenthesis of /proc/PID/stat; 0: unknown. */
static char process_letter(pid_t pid)
{
	CLEANUP(fd_cleanup) int fd = -1;
	char path[64], text[512];
	const char *end;
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	got = read(fd, text, sizeof(text) - 1);
	if (got <= 0)
		return 0;
	text[got] = '\0';
	end = strrchr(text, ')');
	return end && end[1] == ' ' ? end[2] : '\0';
}
#endif

bool process_alive(pid_t pid)
{
	if (kill(pid, 0) != 0 && errno == ESRCH)
		return false;
#ifdef __linux__
	/* In a container whose first process reaps nobody, the dead stay listed. */
	char letter = process_letter(pid);

	return letter != 'Z' && letter != 'X';
#else
	return true;
#endif
}
