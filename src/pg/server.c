#include "pg/server.h"

#include "base/file.h"
#include "base/mem.h"
#include "pg/server_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Nothing of the caller's environment: the server outlives it. */
const char *const server_environment[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"LC_ALL=C",
	NULL,
};

void server_notify(const struct server_notice *notice, const char *format, ...)
{
	CLEANUP(mem_cleanup) char *text = NULL;
	va_list arguments;

	if (!notice->progress)
		return;
	va_start(arguments, format);
	text = mem_vprintf(format, arguments);
	va_end(arguments);
	notice->progress(notice->context, text);
}

/* Where a running server listens may differ from where we would let it. */
static void adopt_address(struct server *server, const struct postmaster *postmaster)
{
	if (!postmaster->socket_dir || strcmp(server->socket_dir, postmaster->socket_dir) == 0) {
		if (postmaster->socket_dir)
			server->port = postmaster->port;
		return;
	}
	mem_free(server->socket_dir);
	server->socket_dir = mem_strdup(postmaster->socket_dir);
	server->port = postmaster->port;
}

/* True, and the address known, when the server accepts connections. */
static bool is_up(struct server *server)
{
	CLEANUP(postmaster_release) struct postmaster postmaster;

	postmaster_look(server, &postmaster);
	if (postmaster.status != POSTMASTER_READY && postmaster.status != POSTMASTER_ELSEWHERE)
		return false;
	adopt_address(server, &postmaster);
	return true;
}

/* Makes the cluster when there is none, then starts the server process. */
static int create_and_start(struct server *server, const struct server_lock *lock,
	const struct server_notice *notice, struct err *err)
{
	CLEANUP(server_binaries_release) struct server_binaries binaries = { 0 };
	int major = server_cluster_major(server, err);

	if (major < 0)
		return -1;
	if (server_binaries_find(server, major, &binaries, err) != 0)
		return -1;
	if (major == 0) {
		server_notify(
			notice, "creating the private server (PostgreSQL %s)…", binaries.version);
		if (server_cluster_create(server, lock, &binaries, err) != 0)
			return -1;
	} else {
		server_notify(
			notice, "starting the private server (PostgreSQL %s)…", binaries.version);
	}
	return postmaster_start(server, lock, &binaries, err);
}

/* What is to be done about the process that was found; the lock is held. */
static int bring_up(struct server *server, const struct server_lock *lock,
	const struct server_notice *notice, struct err *err)
{
	CLEANUP(postmaster_release) struct postmaster postmaster;
	CLEANUP(mem_cleanup) char *pid_file = path_join(server->directory, "data/postmaster.pid");

	postmaster_look(server, &postmaster);
	switch (postmaster.status) {
	case POSTMASTER_READY:
	case POSTMASTER_ELSEWHERE:
		return 0;
	case POSTMASTER_STARTING:
		server_notify(notice, "waiting for the private server to start…");
		return postmaster_wait_ready(server, postmaster.pid, err);
	case POSTMASTER_STOPPING:
	case POSTMASTER_UNREACHED:
		server_notify(notice, "restarting the private server…");
		if (postmaster_stop(server, &postmaster, err) != 0)
			return -1;
		break;
	case POSTMASTER_STALE:
		/* PostgreSQL would take that process for a server. */
		if (unlink(pid_file) != 0 && errno != ENOENT)
			return err_errno(err, "could not remove file \"%s\"", pid_file);
		break;
	case POSTMASTER_NONE:
		break;
	}
	return create_and_start(server, lock, notice, err);
}

static bool look_if_up(struct server *server, struct err *err, int *ret_failed)
{
	CLEANUP(account_leave) struct account_switch identity = ACCOUNT_SWITCH_INIT;
	const struct account account = server_account(server);

	*ret_failed = account_enter(&account, &identity, err);
	return *ret_failed == 0 && is_up(server);
}

static int stopped_at_once(struct err *err)
{
	return err_set(err, ERR_FAILED, "the private server stopped again at once");
}

int server_ensure(
	struct server *server, server_progress_fn *progress, void *context, struct err *err)
{
	CLEANUP(server_lock_release) struct server_lock lock = SERVER_LOCK_INIT;
	const struct server_notice notice = { progress, context };
	int failed;

	if (look_if_up(server, err, &failed) || failed)
		return failed;
	if (server_lock_take(server, true, &lock, err) != 0 ||
		bring_up(server, &lock, &notice, err) != 0)
		return -1;
	return is_up(server) ? 0 : stopped_at_once(err);
}

int server_start(struct server *server, server_progress_fn *progress, void *context,
	bool *ret_running, bool *ret_started, struct err *err)
{
	CLEANUP(server_lock_release) struct server_lock lock = SERVER_LOCK_INIT;
	const struct server_notice notice = { progress, context };
	int failed, major;

	*ret_started = false;
	*ret_running = look_if_up(server, err, &failed);
	if (*ret_running || failed)
		return failed;
	if (server_lock_take(server, false, &lock, err) != 0)
		return -1;
	if (lock.directory < 0)
		return 0;
	major = server_cluster_major(server, err);
	if (major == 0)
		return 0;
	/* One that runs does without the file that names it. */
	err_release(err);
	*ret_started = !is_up(server);
	if (bring_up(server, &lock, &notice, err) != 0)
		return -1;
	*ret_running = is_up(server);
	return *ret_running ? 0 : stopped_at_once(err);
}

/* The version and the binaries of the running server, as its starter noted them. */
static bool read_start(const struct server *server, struct server_state *state)
{
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
	char *version, *bindir, *end;

	if (!server_file_read(server, "started", &text) ||
		strtol(text.data, &version, 10) != state->pid)
		return false;
	version += *version == '\n';
	end = version + strcspn(version, "\n");
	bindir = end + (*end == '\n');
	state->version = mem_strndup(version, (size_t)(end - version));
	state->bindir = mem_strndup(bindir, strcspn(bindir, "\n"));
	return true;
}

int server_inspect(struct server *server, struct server_state *state, struct err *err)
{
	CLEANUP(account_leave) struct account_switch identity = ACCOUNT_SWITCH_INIT;
	CLEANUP(postmaster_release) struct postmaster postmaster = { 0 };
	CLEANUP(server_binaries_release) struct server_binaries binaries = { 0 };
	CLEANUP(err_release) struct err ignored = ERR_INIT, unreadable = ERR_INIT;
	const struct account account = server_account(server);
	int major;

	if (account_enter(&account, &identity, err) != 0)
		return -1;
	major = server_cluster_major(server, &unreadable);
	postmaster_look(server, &postmaster);
	state->exists = major != 0;
	state->running =
		postmaster.status == POSTMASTER_READY || postmaster.status == POSTMASTER_ELSEWHERE;
	if (postmaster.status != POSTMASTER_STALE)
		state->pid = postmaster.pid;
	if (state->running)
		adopt_address(server, &postmaster);
	if (state->pid && read_start(server, state))
		return 0;
	if (major > 0)
		state->version = mem_printf("%d", major);
	if (server_binaries_find(server, major > 0 ? major : 0, &binaries, &ignored) == 0)
		state->bindir = take_ptr(binaries.bindir);
	else if (ignored.kind == ERR_INTERRUPTED) {
		*err = ignored;
		ignored = (struct err)ERR_INIT;
		return -1;
	}
	return 0;
}

/* Stops whatever server process there is; the lock is held. */
static int stop_locked(struct server *server, bool *ret_was_running, struct err *err)
{
	CLEANUP(postmaster_release) struct postmaster postmaster;

	postmaster_look(server, &postmaster);
	*ret_was_running = false;
	if (postmaster.status == POSTMASTER_NONE || postmaster.status == POSTMASTER_STALE)
		return 0;
	adopt_address(server, &postmaster);
	if (postmaster.status == POSTMASTER_ELSEWHERE) {
		err_set(err, ERR_FAILED, "could not stop the private server");
		err_detail(err, "It answers, but its process is not to be seen from here.");
		err_hint(err, "Stop it in the container where it was started.");
		return -1;
	}
	if (postmaster_stop(server, &postmaster, err) != 0)
		return -1;
	*ret_was_running = true;
	return 0;
}

int server_stop(struct server *server, bool *ret_was_running, struct err *err)
{
	CLEANUP(server_lock_release) struct server_lock lock = SERVER_LOCK_INIT;

	*ret_was_running = false;
	if (server_lock_take(server, false, &lock, err) != 0)
		return -1;
	return lock.directory < 0 ? 0 : stop_locked(server, ret_was_running, err);
}

/* Of a server whose directory is there. */
static void look_at_data(const struct server *server, struct server_removal *removal)
{
	CLEANUP(mem_cleanup) char *data = path_join(server->directory, "data");
	char place[PATH_MAX];
	ssize_t length = readlink(data, place, sizeof(place) - 1);

	removal->existed = true;
	removal->had_data = length < 0 && !server_cluster_is_empty(server);
	if (length < 0)
		return;
	place[length] = '\0';
	removal->link = *place == '/' ? mem_strdup(place) : path_join(server->directory, place);
}

int server_destroy(struct server *server, struct server_removal *ret_removal, struct err *err)
{
	CLEANUP(server_lock_release) struct server_lock lock = SERVER_LOCK_INIT;
	CLEANUP(server_removal_release) struct server_removal removal = { 0 };
	bool was_running;

	if (server_lock_take(server, false, &lock, err) != 0)
		return -1;
	if (lock.directory >= 0) {
		if (stop_locked(server, &was_running, err) != 0)
			return -1;
		look_at_data(server, &removal);
		if (server_directory_remove(server, &lock, err) != 0)
			return -1;
	}
	*ret_removal = removal;
	removal = (struct server_removal){ 0 };
	return 0;
}

void server_removal_release(struct server_removal *removal)
{
	mem_free(removal->link);
}
