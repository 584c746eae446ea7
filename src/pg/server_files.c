/* What a server that cannot be started has in its files, and what is left of one. */
#include "pg/server_internal.h"

#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 65536

/* What is not there holds nothing, nor does what is no part of a cluster: a link, a socket. */
static enum server_holds judge_failure(int reason)
{
	return reason == ENOENT || reason == ENOTDIR || reason == ELOOP || reason == ENXIO ||
			       reason == EISDIR
		       ? SERVER_HOLDS_NOT
		       : SERVER_HOLDS_UNREADABLE;
}

static enum server_holds worse(enum server_holds a, enum server_holds b)
{
	return a > b ? a : b;
}

/* Over the borders of what is read at a time, too. */
static enum server_holds file_holds(int directory, const char *name, const char *text)
{
	const size_t length = strlen(text);
	CLEANUP(fd_cleanup)
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	CLEANUP(mem_cleanup) char *block = NULL;
	size_t kept = 0;
	ssize_t count;

	if (fd < 0)
		return judge_failure(errno);
	block = mem_calloc(1, BLOCK + length);
	while ((count = read(fd, block + kept, BLOCK)) > 0) {
		size_t there = kept + (size_t)count;

		if (memmem(block, there, text, length))
			return SERVER_HOLDS;
		kept = there < length ? there : length - 1;
		memmove(block, block + there - kept, kept);
	}
	return count < 0 ? judge_failure(errno) : SERVER_HOLDS_NOT;
}

typedef enum server_holds entry_fn(int directory, const char *name, const char *text);

/* The worst of what look finds in the entries of a directory whose names begin with prefix. */
static enum server_holds each_entry(
	int parent, const char *path, const char *prefix, entry_fn *look, const char *text)
{
	int fd = openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	enum server_holds found = SERVER_HOLDS_NOT;
	struct dirent *entry;

	if (!directory) {
		found = judge_failure(errno);
		if (fd >= 0)
			close(fd);
		return found;
	}
	while (found != SERVER_HOLDS && (errno = 0, entry = readdir(directory)))
		if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
			found = worse(found, look(dirfd(directory), entry->d_name, text));
	if (found != SERVER_HOLDS && errno != 0)
		found = SERVER_HOLDS_UNREADABLE;
	closedir(directory);
	return found;
}

static enum server_holds cluster_holds(int directory, const char *name, const char *text)
{
	/* What all databases share, and the log of what may not be there yet. */
	static const char *const parts[] = { "global", "pg_wal" };
	enum server_holds found = SERVER_HOLDS_NOT;
	struct stat info;

	if (fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
		return judge_failure(errno);
	for (size_t i = 0; i < ARRAY_SIZE(parts) && S_ISDIR(info.st_mode); i++) {
		CLEANUP(mem_cleanup) char *path = path_join(name, parts[i]);

		found = worse(found, each_entry(directory, path, "", file_holds, text));
	}
	return found;
}

enum server_holds server_files_hold(const struct server *server, const char *text)
{
	CLEANUP(mem_cleanup) char *data = path_join(server->directory, "data");

	return cluster_holds(AT_FDCWD, data, text);
}

enum server_holds server_leftovers_hold(const struct server *server, const char *text)
{
	return each_entry(AT_FDCWD, server->directory, SERVER_LEFTOVER, cluster_holds, text);
}
