#include "pg/server_internal.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define START_TIMEOUT_MS 60000
#define STOP_TIMEOUT_MS 60000
/* The processes of a server that was killed notice it within moments. */
#define ORPHAN_TIMEOUT_MS 10000
#define LOG_LIMIT ((off_t)16 << 20)
#define LOG_TAIL 4096
#define LOG_TAIL_LINES 10

/* Lines of postmaster.pid, counted from 0 (PostgreSQL's src/include/utils/pidfile.h). */
enum { LINE_PID, LINE_PORT = 3, LINE_SOCKET_DIR = 4, LINE_STATUS = 7, LINE_COUNT = 8 };

static void split_lines(char *text, const char *lines[LINE_COUNT])
{
	for (size_t i = 0; i < LINE_COUNT; i++) {
		char *newline = text + strcspn(text, "\n");

		lines[i] = text;
		text = *newline ? newline + 1 : newline;
		*newline = '\0';
	}
}

static char *socket_path(const char *directory, int port)
{
	return mem_printf("%s/.s.PGSQL.%d", directory, port);
}

static bool socket_exists(const char *directory, int port)
{
	CLEANUP(mem_cleanup) char *path = socket_path(directory, port);
	struct stat info;

	return lstat(path, &info) == 0 && S_ISSOCK(info.st_mode);
}

/* Whether something accepts connections there. */
static bool socket_answers(const char *directory, int port)
{
	CLEANUP(mem_cleanup) char *path = socket_path(directory, port);
	CLEANUP(fd_cleanup) int fd = -1;
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return false;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	return fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
	       connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

enum identity { IDENTITY_NONE, IDENTITY_OURS, IDENTITY_OTHER, IDENTITY_UNKNOWN };

/*
 * Whose process that is. A server's working directory is its data directory, so after a crash or a
 * restart of the machine a process that came by the same number is told from the server.
 */
static enum identity identify(const struct server *server, pid_t pid)
{
	CLEANUP(mem_cleanup) char *data = path_join(server->directory, "data");
	char path[64];
	struct stat ours, its;

	if (!process_alive(pid))
		return IDENTITY_NONE;
	/* Our server runs under the account whose rights we have. */
	if (kill(pid, 0) != 0)
		return IDENTITY_OTHER;
	snprintf(path, sizeof(path), "/proc/%ld/cwd", (long)pid);
	if (stat(path, &its) != 0 || stat(data, &ours) != 0)
		return IDENTITY_UNKNOWN;
	return its.st_dev == ours.st_dev && its.st_ino == ours.st_ino ? IDENTITY_OURS
								      : IDENTITY_OTHER;
}

static enum postmaster_status judge(
	const struct server *server, const struct postmaster *postmaster, const char *status)
{
	enum identity identity = identify(server, postmaster->pid);
	const char *directory = postmaster->socket_dir;
	bool ready = strncmp(status, "ready", 5) == 0 && directory;

	if (identity == IDENTITY_UNKNOWN && ready) {
		/* When nobody listens in that closed directory, let PostgreSQL judge. */
		if (!socket_answers(directory, postmaster->port))
			return POSTMASTER_NONE;
		identity = IDENTITY_OURS;
	}
	if (identity == IDENTITY_NONE && ready && socket_answers(directory, postmaster->port))
		return POSTMASTER_ELSEWHERE;
	/* PostgreSQL would take one that ended and was not reaped for a living one. */
	if (identity == IDENTITY_NONE)
		return kill(postmaster->pid, 0) == 0 ? POSTMASTER_STALE : POSTMASTER_NONE;
	if (identity == IDENTITY_OTHER)
		return POSTMASTER_STALE;
	if (strncmp(status, "stopping", 8) == 0)
		return POSTMASTER_STOPPING;
	if (!ready)
		return POSTMASTER_STARTING;
	return socket_exists(directory, postmaster->port) ? POSTMASTER_READY : POSTMASTER_UNREACHED;
}

/* What it says of itself; false when there is no number of a process in it. */
static bool read_lines(char *text, const char *lines[LINE_COUNT], struct postmaster *ret_postmaster)
{
	long pid;

	split_lines(text, lines);
	pid = strtol(lines[LINE_PID], NULL, 10);
	/* A negative number is that of a single-user session somebody runs by hand. */
	ret_postmaster->pid = (pid_t)(pid < 0 ? -pid : pid);
	if (ret_postmaster->pid <= 1)
		ret_postmaster->pid = 0;
	ret_postmaster->port = (int)strtol(lines[LINE_PORT], NULL, 10);
	if (lines[LINE_SOCKET_DIR][0] == '/')
		ret_postmaster->socket_dir = mem_strdup(lines[LINE_SOCKET_DIR]);
	return ret_postmaster->pid > 0;
}

/*
 * A server goes on when its data are closed or moved while it runs. The lock beside its socket says
 * the same as postmaster.pid, but for its status.
 */
static void look_at_socket(const struct server *server, struct postmaster *postmaster)
{
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
	CLEANUP(mem_cleanup) char *socket = socket_path(server->socket_dir, server->port);
	CLEANUP(mem_cleanup) char *lock = mem_printf("%s.lock", socket);
	CLEANUP(mem_cleanup) char *data = path_join(server->directory, "data");
	const char *lines[LINE_COUNT];
	struct stat info;

	if (!server_path_read(lock, &text) || text.length == 0) {
		/* Nobody else can listen there. */
		if (socket_answers(server->socket_dir, server->port))
			*postmaster = (struct postmaster){ .status = POSTMASTER_ELSEWHERE,
				.socket_dir = mem_strdup(server->socket_dir),
				.port = server->port };
		return;
	}
	/* In a copy of the directory the lock is that of the server it was copied from. */
	if (!read_lines(text.data, lines, postmaster) || !postmaster->socket_dir ||
		!path_is_same(postmaster->socket_dir, server->socket_dir))
		return;
	postmaster->status = judge(server, postmaster, "ready");
	if (postmaster->status == POSTMASTER_STALE)
		postmaster->status = POSTMASTER_NONE;
	/* Nothing is to be had from one without its data. */
	if (postmaster->status == POSTMASTER_READY && lstat(data, &info) != 0 && errno == ENOENT)
		postmaster->status = POSTMASTER_UNREACHED;
}

void postmaster_look(const struct server *server, struct postmaster *postmaster)
{
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
	const char *lines[LINE_COUNT];

	*postmaster = (struct postmaster){ .status = POSTMASTER_NONE };
	if (!server_file_read(server, "data/postmaster.pid", &text) || text.length == 0)
		look_at_socket(server, postmaster);
	else if (read_lines(text.data, lines, postmaster))
		postmaster->status = judge(server, postmaster, lines[LINE_STATUS]);
	if (postmaster->status == POSTMASTER_NONE || postmaster->status == POSTMASTER_ELSEWHERE)
		postmaster->pid = 0;
}

void postmaster_release(struct postmaster *postmaster)
{
	mem_free(postmaster->socket_dir);
	*postmaster = (struct postmaster){ .status = POSTMASTER_NONE };
}

/* Opens the log for the server to append to; a large one is put aside first. */
static int open_log(const struct server *server, int directory, off_t *ret_size, struct err *err)
{
	struct stat info;
	int fd;

	if (fstatat(directory, "log", &info, AT_SYMLINK_NOFOLLOW) == 0 && info.st_size > LOG_LIMIT)
		renameat(directory, "log", directory, "log.old");
	fd = openat(directory, "log", O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		err_errno(err, "could not open file \"%s/log\"", server->directory);
		return -1;
	}
	*ret_size = fstat(fd, &info) == 0 ? info.st_size : 0;
	return fd;
}

/* What the server wrote to its log from that offset on; of much, the end. */
static char *read_log(const struct server *server, off_t from)
{
	CLEANUP(mem_cleanup) char *path = path_join(server->directory, "log");
	CLEANUP(fd_cleanup) int fd = -1;
	struct strbuf text = STRBUF_INIT;
	char chunk[LOG_TAIL];
	struct stat info;
	ssize_t got;

	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &info) == 0) {
		if (info.st_size - from > (off_t)sizeof(chunk))
			from = info.st_size - (off_t)sizeof(chunk);
		got = pread(fd, chunk, sizeof(chunk), from);
		if (got > 0)
			strbuf_add(&text, chunk, strnlen(chunk, (size_t)got));
	}
	while (text.length > 0 && text.data[text.length - 1] == '\n')
		strbuf_truncate(&text, text.length - 1);
	return strbuf_detach(&text);
}

static void add_log(const struct server *server, const char *log, struct err *err)
{
	const char *at = log + strlen(log);
	int lines = 0;

	for (; at > log; at--)
		if (at[-1] == '\n' && ++lines == LOG_TAIL_LINES)
			break;
	if (*at)
		err_detail(err, "%s", at);
	err_hint(err, "The server's log is \"%s/log\".", server->directory);
}

static const char *option_for_directory(struct strbuf *option, const char *directory)
{
	/* A list of directories: one in quotes may hold commas and blanks. */
	strbuf_adds(option, "unix_socket_directories=\"");
	for (; *directory; directory++) {
		if (*directory == '"')
			strbuf_addc(option, '"');
		strbuf_addc(option, *directory);
	}
	strbuf_addc(option, '"');
	return option->data;
}

static int spawn(const struct server *server, const struct server_binaries *binaries, int log,
	pid_t *ret_pid, struct err *err)
{
	CLEANUP(mem_cleanup) char *program = path_join(binaries->bindir, "postgres");
	CLEANUP(mem_cleanup) char *data = path_join(server->directory, "data");
	CLEANUP(mem_cleanup) char *port = mem_printf("port=%d", server->port);
	CLEANUP(strbuf_release) struct strbuf directory = STRBUF_INIT;
	const struct account account = server_account(server);
	const char *const argv[] = { program, "-D", data, "-c", port, "-c",
		"listen_addresses=", "-c", option_for_directory(&directory, server->socket_dir),
		NULL };
	const struct process_spec spec = {
		.argv = argv, .environment = server_environment, .account = &account
	};

	return process_spawn(&spec, log, ret_pid, err);
}

/* Notes what runs, for server_inspect. */
static int note_start(const struct server *server, int directory, pid_t pid,
	const struct server_binaries *binaries, struct err *err)
{
	CLEANUP(mem_cleanup)
	char *text = mem_printf("%ld\n%s\n%s\n", (long)pid, binaries->version, binaries->bindir);

	return server_file_write(directory, server->directory, "started", text, err);
}

int postmaster_wait_ready(const struct server *server, pid_t pid, struct err *err)
{
	int64_t deadline = clock_ms() + START_TIMEOUT_MS;
	int64_t pause = 1;

	for (;;) {
		struct postmaster postmaster;
		enum postmaster_status status;
		bool alive = process_alive(pid);

		postmaster_look(server, &postmaster);
		status = postmaster.status;
		/* Somebody may have started it by hand at the same moment. */
		if (!alive && status == POSTMASTER_STARTING)
			pid = postmaster.pid;
		postmaster_release(&postmaster);
		if (status == POSTMASTER_READY || status == POSTMASTER_ELSEWHERE)
			return 0;
		if (!alive && status != POSTMASTER_STARTING)
			return err_set(err, ERR_FAILED, "could not start the private server");
		if (interrupt_check(err) != 0)
			return -1;
		if (clock_ms() > deadline) {
			CLEANUP(mem_cleanup) char *log = read_log(server, 0);

			err_set(err, ERR_TIMEOUT,
				"the private server is not ready after %d seconds",
				START_TIMEOUT_MS / 1000);
			add_log(server, log, err);
			return -1;
		}
		clock_sleep_ms(pause);
		pause = pause < 10 ? pause + 1 : pause;
	}
}

static int start_once(const struct server *server, const struct server_lock *lock,
	const struct server_binaries *binaries, off_t *ret_log_from, struct err *err)
{
	CLEANUP(fd_cleanup) int log = open_log(server, lock->directory, ret_log_from, err);
	pid_t pid;

	if (log < 0 || spawn(server, binaries, log, &pid, err) != 0 ||
		note_start(server, lock->directory, pid, binaries, err) != 0)
		return -1;
	return postmaster_wait_ready(server, pid, err);
}

int postmaster_start(const struct server *server, const struct server_lock *lock,
	const struct server_binaries *binaries, struct err *err)
{
	int64_t deadline = clock_ms() + ORPHAN_TIMEOUT_MS;
	bool in_use = socket_answers(server->socket_dir, server->port);

	if (server_socket_directory(server, !in_use, err) != 0)
		return -1;
	for (;;) {
		CLEANUP(mem_cleanup) char *log = NULL;
		off_t from = -1;

		if (start_once(server, lock, binaries, &from, err) == 0)
			return 0;
		if (err->kind != ERR_FAILED || err->detail || from < 0)
			return -1;
		log = read_log(server, from);
		/* Processes of a server that was killed still hold its shared memory. */
		if (strstr(log, "is still in use") && clock_ms() < deadline) {
			clock_sleep_ms(100);
			if (interrupt_check(err) != 0)
				return -1;
			continue;
		}
		add_log(server, log, err);
		return -1;
	}
}

int postmaster_stop(
	const struct server *server, const struct postmaster *postmaster, struct err *err)
{
	int64_t deadline = clock_ms() + STOP_TIMEOUT_MS;
	int64_t pause = 1;

	if (postmaster->status != POSTMASTER_STOPPING && kill(postmaster->pid, SIGINT) != 0 &&
		errno != ESRCH)
		return err_errno(err, "could not stop the private server (process %ld)",
			(long)postmaster->pid);
	while (identify(server, postmaster->pid) == IDENTITY_OURS ||
		identify(server, postmaster->pid) == IDENTITY_UNKNOWN) {
		if (interrupt_check(err) != 0)
			return -1;
		if (clock_ms() > deadline) {
			CLEANUP(mem_cleanup) char *log = read_log(server, 0);

			err_set(err, ERR_TIMEOUT,
				"the private server (process %ld) did not stop within %d seconds",
				(long)postmaster->pid, STOP_TIMEOUT_MS / 1000);
			add_log(server, log, err);
			return -1;
		}
		clock_sleep_ms(pause);
		pause = pause < 20 ? pause + 1 : pause;
	}
	return 0;
}
