#include "pg/server_internal.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "pg/protection.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MARKER "dbrig-server"
#define LOCK "lock"
/* Creating and starting take their own time-outs; whoever waits for them waits longer. */
#define LOCK_TIMEOUT_MS 420000
#define SMALL_FILE ((size_t)64 << 10)
/* What a tree may be deep; a cluster is not. */
#define MAX_DEPTH 64

struct account server_account(const struct server *server)
{
	return (struct account){
		.name = server->os_user,
		.uid = server->os_uid,
		.gid = server->os_gid,
	};
}

char *server_closed_parent(const char *path)
{
	CLEANUP(mem_cleanup) char *prefix = mem_strdup(path);

	for (char *slash = strchr(prefix + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (faccessat(AT_FDCWD, prefix, X_OK, AT_EACCESS) != 0 && errno == EACCES)
			return take_ptr(prefix);
		*slash = '/';
	}
	return NULL;
}

/* Says why a directory could not be opened, from errno. */
static int open_failed(const struct server *server, const char *path, struct err *err)
{
	int saved = errno;
	CLEANUP(mem_cleanup) char *closed = NULL;
	struct stat info;

	if ((saved == ELOOP || saved == ENOTDIR) && lstat(path, &info) == 0 &&
		!S_ISDIR(info.st_mode))
		return err_set(err, ERR_FAILED, "could not use \"%s\": it is %s", path,
			S_ISLNK(info.st_mode) ? "a symbolic link" : "not a directory");
	if (saved == EACCES)
		closed = server_closed_parent(path);
	errno = saved;
	err_errno(err, "could not open directory \"%s\"", path);
	if (closed) {
		err_detail(err,
			"The account \"%s\", which the private server runs under, may not "
			"enter \"%s\".",
			server->os_user, closed);
		err_hint(err, "Set DB_SERVER_DIR to a directory that it may enter.");
	}
	return -1;
}

static int check_owner(int fd, const char *path, uid_t owner, struct err *err)
{
	struct stat info;

	if (fstat(fd, &info) != 0)
		return err_errno(err, "could not examine directory \"%s\"", path);
	if (info.st_uid == owner)
		return 0;
	err_set(err, ERR_FAILED, "could not use directory \"%s\": it belongs to another user",
		path);
	err_detail(err, "Its owner is user number %lu; user number %lu is needed.",
		(unsigned long)info.st_uid, (unsigned long)owner);
	err_hint(err, "Set DB_SERVER_DIR to a directory that does not exist yet.");
	return -1;
}

/* Makes the directories above path that are missing. */
static int make_parents(const char *path, mode_t mode, struct err *err)
{
	CLEANUP(mem_cleanup) char *prefix = mem_strdup(path);

	for (char *slash = strchr(prefix + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		/* Whether it serves shows when the next one is made. */
		if (mkdir(prefix, mode) != 0 && errno != EEXIST && errno != EISDIR) {
			int reason = errno;

			if (!path_is_directory(prefix)) {
				errno = reason;
				err_errno(err, "could not create directory \"%s\"", prefix);
				err_hint(err, "Set DB_SERVER_DIR or XDG_STATE_HOME to a directory "
					      "you can write to.");
				return -1;
			}
		}
		*slash = '/';
	}
	return 0;
}

/* True when the directory holds nothing, or what making or removing one leaves that was cut short.
 */
static bool is_empty(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = copy < 0 ? NULL : fdopendir(copy);
	bool empty = directory != NULL;
	struct dirent *entry;

	if (!directory) {
		if (copy >= 0)
			close(copy);
		return false;
	}
	while (empty && (entry = readdir(directory)))
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
			strcmp(entry->d_name, LOCK) == 0 ||
			strcmp(entry->d_name, MARKER ".tmp") == 0;
	closedir(directory);
	return empty;
}

/* Root gives a directory that it just made, or an empty one of its own, to the account. */
static int give_away(const struct server *server, int fd, struct err *err)
{
	struct stat info;

	if (fstat(fd, &info) != 0)
		return err_errno(err, "could not examine directory \"%s\"", server->directory);
	if (info.st_uid != 0 || !is_empty(fd))
		return check_owner(fd, server->directory, server->os_uid, err);
	if (fchown(fd, server->os_uid, server->os_gid) != 0)
		return err_errno(err, "could not give directory \"%s\" to \"%s\"",
			server->directory, server->os_user);
	return 0;
}

/* Makes the state directory with the caller's own rights; an existing one will do. */
static int make_directory(const struct server *server, struct err *err)
{
	CLEANUP(fd_cleanup) int fd = -1;
	bool is_root = getuid() == 0;
	mode_t old_mask = umask(0);
	int result = make_parents(server->directory, is_root ? 0755 : 0700, err);

	umask(old_mask);
	if (result != 0)
		return -1;
	if (mkdir(server->directory, 0700) != 0 && errno != EEXIST) {
		err_errno(err, "could not create directory \"%s\"", server->directory);
		err_hint(err,
			"Set DB_SERVER_DIR or XDG_STATE_HOME to a directory you can write to.");
		return -1;
	}
	if (!is_root)
		return 0;
	fd = open(server->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return open_failed(server, server->directory, err);
	return give_away(server, fd, err);
}

static bool has_marker(int directory)
{
	struct stat info;

	return fstatat(directory, MARKER, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode);
}

static int refuse_foreign(const struct server *server, struct err *err)
{
	err_set(err, ERR_FAILED, "directory \"%s\" is not a private server's", server->directory);
	err_detail(err, "It holds something else.");
	err_hint(err, "Set DB_SERVER_DIR to a directory that is empty or does not exist.");
	return -1;
}

static bool is_foreign(int directory)
{
	return !has_marker(directory) && !is_empty(directory);
}

/*
 * Opens the state directory and makes sure that it is the account's. The descriptor belongs to the
 * lock even when that fails; it is -1 when there is no directory.
 */
static int open_directory(const struct server *server, struct server_lock *lock, struct err *err)
{
	struct stat info;
	int fd = open(server->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	lock->directory = fd;
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return open_failed(server, server->directory, err);
	if (check_owner(fd, server->directory, server->os_uid, err) != 0)
		return -1;
	/* Where there is a lock, somebody may be at work: that is looked at again once it is ours.
	 */
	if (is_foreign(fd) && fstatat(fd, LOCK, &info, AT_SYMLINK_NOFOLLOW) != 0)
		return refuse_foreign(server, err);
	return 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* False when somebody removed the lock or the directory while we waited for the lock. */
static bool still_there(const struct server *server, const struct server_lock *lock)
{
	struct stat held, found;

	return fstat(lock->directory, &held) == 0 && lstat(server->directory, &found) == 0 &&
	       same_file(&held, &found) && fstat(lock->file, &held) == 0 &&
	       fstatat(lock->directory, LOCK, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
	       same_file(&held, &found);
}

static int wait_for_lock(int fd, int64_t deadline, struct err *err)
{
	int64_t pause = 2;

	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_errno(err, "could not lock the private server");
		if (interrupt_check(err) != 0)
			return -1;
		if (clock_ms() > deadline) {
			err_set(err, ERR_TIMEOUT, "could not lock the private server");
			err_detail(err, "Another process is creating, starting or stopping it.");
			return -1;
		}
		clock_sleep_ms(pause);
		pause = pause < 50 ? pause * 2 : 50;
	}
	return 0;
}

/* Another process of root has just made the directory and is about to give it away. */
static bool is_being_made(const struct server *server, struct server_lock *lock)
{
	struct stat info;

	if (!lock->identity.on)
		return false;
	account_leave(&lock->identity);
	return lstat(server->directory, &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == 0 &&
	       time(NULL) - info.st_ctime <= 1;
}

/* One attempt: 0 locked or missing, 1 to be tried again, -1 failed. */
static int try_lock(const struct server *server, bool create, int64_t deadline,
	struct server_lock *lock, struct err *err)
{
	struct account account = server_account(server);

	if (create && make_directory(server, err) != 0)
		return -1;
	if (account_enter(&account, &lock->identity, err) != 0)
		return -1;
	if (open_directory(server, lock, err) != 0) {
		if (!is_being_made(server, lock))
			return -1;
		clock_sleep_ms(2);
		return 1;
	}
	if (lock->directory < 0)
		return create ? 1 : 0;
	lock->file = openat(lock->directory, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (lock->file < 0 && errno == ENOENT)
		return 1;
	if (lock->file < 0)
		return err_errno(err, "could not create file \"%s/" LOCK "\"", server->directory);
	if (wait_for_lock(lock->file, deadline, err) != 0)
		return -1;
	if (!still_there(server, lock))
		return 1;
	if (is_foreign(lock->directory))
		return refuse_foreign(server, err);
	if (fchmod(lock->directory, 0700) != 0)
		return err_errno(err, "could not change the mode of \"%s\"", server->directory);
	return 0;
}

int server_lock_take(
	const struct server *server, bool create, struct server_lock *lock, struct err *err)
{
	int64_t deadline = clock_ms() + LOCK_TIMEOUT_MS;
	int result;

	/* From now on there may be something to undo. */
	interrupt_install();
	while ((result = try_lock(server, create, deadline, lock, err)) == 1) {
		server_lock_release(lock);
		err_release(err);
		if (interrupt_check(err) != 0)
			return -1;
		if (clock_ms() > deadline)
			return err_set(err, ERR_TIMEOUT, "directory \"%s\" does not stay",
				server->directory);
	}
	if (result != 0) {
		server_lock_release(lock);
		return -1;
	}
	if (create && !has_marker(lock->directory)) {
		CLEANUP(mem_cleanup)
		char *text = mem_printf("The private PostgreSQL server of %s, made by dbrig.\n"
					"Remove it with: db-server destroy\n",
			server->project_root);

		return server_file_write(lock->directory, server->directory, MARKER, text, err);
	}
	return 0;
}

void server_lock_release(struct server_lock *lock)
{
	if (lock->file >= 0)
		close(lock->file);
	if (lock->directory >= 0)
		close(lock->directory);
	account_leave(&lock->identity);
	*lock = (struct server_lock)SERVER_LOCK_INIT;
}

/* Gives the owner the rights to remove a directory's entries; false, and errno, where that fails.
 */
static bool open_up(int parent, const char *name)
{
	struct stat info;

	return fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(info.st_mode) ||
	       faccessat(parent, name, R_OK | W_OK | X_OK, AT_EACCESS) == 0 ||
	       fchmodat(parent, name, 0700, AT_SYMLINK_NOFOLLOW) == 0;
}

static int remove_entry(int parent, const char *name, int depth, struct err *err);

static int remove_contents(int fd, int depth, struct err *err)
{
	DIR *directory = fdopendir(fd);
	struct dirent *entry;
	int result = 0;

	if (!directory) {
		err_errno(err, "could not read a directory");
		close(fd);
		return -1;
	}
	while (result == 0 && (entry = readdir(directory)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			result = remove_entry(dirfd(directory), entry->d_name, depth, err);
	closedir(directory);
	return result;
}

static int remove_entry(int parent, const char *name, int depth, struct err *err)
{
	int fd;

	/* Directories answer EISDIR on Linux, EPERM elsewhere. */
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_errno(err, "could not remove file \"%s\"", name);
	if (depth >= MAX_DEPTH)
		return err_set(err, ERR_FAILED, "directory \"%s\" is too deep to be removed", name);
	open_up(parent, name);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "could not open directory \"%s\"", name);
	if (remove_contents(fd, depth + 1, err) != 0)
		return -1;
	if (unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
		return err_errno(err, "could not remove directory \"%s\"", name);
	return 0;
}

int server_tree_remove(int directory, const char *name, struct err *err)
{
	return remove_entry(directory, name, 0, err);
}

/* Removes what is in the directory and begins with prefix, except for two names. */
static int remove_except(
	int directory, const char *first, const char *second, const char *prefix, struct err *err)
{
	int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	int result = 0;

	if (!stream) {
		err_errno(err, "could not read a directory");
		if (copy >= 0)
			close(copy);
		return -1;
	}
	while (result == 0 && (entry = readdir(stream))) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, first) == 0 ||
			strcmp(name, second) == 0 || strncmp(name, prefix, strlen(prefix)) != 0)
			continue;
		result = remove_entry(directory, name, 0, err);
	}
	closedir(stream);
	return result;
}

void server_remove_leftovers(const struct server *server, int directory)
{
	CLEANUP(err_release) struct err ignored = ERR_INIT;

	if (server_leftovers_hold(server, PROTECTION_TOKEN) != SERVER_HOLDS_NOT)
		return;
	/* One that another process is still writing into goes the next time. */
	remove_except(directory, "", "", SERVER_LEFTOVER, &ignored);
}

int server_socket_directory(const struct server *server, bool clear, struct err *err)
{
	const char *path = server->socket_dir;
	CLEANUP(fd_cleanup) int fd = -1;

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return err_errno(err, "could not create directory \"%s\"", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return open_failed(server, path, err);
	if (check_owner(fd, path, server->os_uid, err) != 0)
		return -1;
	if (fchmod(fd, 0700) != 0)
		return err_errno(err, "could not change the mode of \"%s\"", path);
	return clear ? remove_except(fd, "", "", ".s.PGSQL.", err) : 0;
}

/* A socket directory outside the state directory holds nothing but the socket's two files. */
static void remove_socket_directory(const struct server *server)
{
	CLEANUP(mem_cleanup) char *inside = path_join(server->directory, "run");
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	CLEANUP(fd_cleanup) int fd = -1;

	if (strcmp(inside, server->socket_dir) == 0)
		return;
	fd = open(server->socket_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || check_owner(fd, server->socket_dir, server->os_uid, &ignored) != 0)
		return;
	remove_except(fd, "", "", ".s.PGSQL.", &ignored);
	rmdir(server->socket_dir);
}

/* The cluster, and what earlier removals have left of others. */
static int remove_data(const struct server *server, const struct server_lock *lock, struct err *err)
{
	CLEANUP(mem_cleanup) char *aside = mem_printf(SERVER_LEFTOVER "%ld", (long)getpid());

	if (!open_up(lock->directory, "data"))
		return err_errno(
			err, "could not change the mode of \"%s/data\"", server->directory);
	/* First, so that they do not become more. */
	if (remove_except(lock->directory, "", "", SERVER_LEFTOVER, err) != 0) {
		err_detail_line(err,
			"It is in what an earlier removal has left, \"%s/" SERVER_LEFTOVER
			"*\"; nothing else was removed.",
			server->directory);
		return -1;
	}
	/* From here on there is no cluster any more, however soon we are stopped. */
	if (renameat(lock->directory, "data", lock->directory, aside) != 0)
		return errno == ENOENT
			       ? 0
			       : err_errno(err, "could not rename \"%s/data\"", server->directory);
	if (server_tree_remove(lock->directory, aside, err) == 0)
		return 0;
	err_detail_line(err, "What is left of the data is in \"%s/%s\".", server->directory, aside);
	return -1;
}

int server_directory_remove(const struct server *server, struct server_lock *lock, struct err *err)
{
	if (remove_data(server, lock, err) != 0)
		return -1;
	remove_socket_directory(server);
	if (remove_except(lock->directory, MARKER, LOCK, "", err) != 0 ||
		server_tree_remove(lock->directory, MARKER, err) != 0 ||
		server_tree_remove(lock->directory, LOCK, err) != 0)
		return -1;
	/*
	 * Root's rights may be needed for the last step. When it fails, the directory is a mount
	 * point or its parent is not ours, or somebody has already begun anew in it: nothing of
	 * ours is left.
	 */
	account_leave(&lock->identity);
	rmdir(server->directory);
	return 0;
}

bool server_file_read(const struct server *server, const char *name, struct strbuf *out)
{
	CLEANUP(mem_cleanup) char *path = path_join(server->directory, name);

	return server_path_read(path, out);
}

bool server_path_read(const char *path, struct strbuf *out)
{
	CLEANUP(fd_cleanup) int fd = -1;
	char chunk[2048];
	size_t total = 0;
	ssize_t got;

	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	while ((got = read(fd, chunk, sizeof(chunk))) > 0 && total < SMALL_FILE) {
		strbuf_add(out, chunk, (size_t)got);
		total += (size_t)got;
	}
	return got >= 0;
}

static bool write_whole(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t written = write(fd, text, left);

		if (written < 0 && errno != EINTR)
			return false;
		if (written > 0) {
			text += written;
			left -= (size_t)written;
		}
	}
	return true;
}

int server_file_write(
	int directory, const char *path, const char *name, const char *text, struct err *err)
{
	CLEANUP(mem_cleanup) char *temporary = mem_printf("%s.tmp", name);
	int fd = openat(
		directory, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool written;

	if (fd < 0)
		return err_errno(err, "could not create file \"%s/%s\"", path, temporary);
	written = write_whole(fd, text);
	/* A full disk may show only here. */
	if (close(fd) != 0 || !written || renameat(directory, temporary, directory, name) != 0) {
		err_errno(err, "could not write file \"%s/%s\"", path, name);
		unlinkat(directory, temporary, 0);
		return -1;
	}
	return 0;
}
