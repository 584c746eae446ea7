/* What a server that cannot be started has in its files. */
#include "pg/server.h"

#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BLOCK 65536

/* Over the borders of what is read at a time, too. */
static bool file_holds(int directory, const char *name, const char *text)
{
	const size_t length = strlen(text);
	CLEANUP(fd_cleanup)
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	CLEANUP(mem_cleanup) char *block = mem_calloc(1, BLOCK + length);
	size_t kept = 0;
	ssize_t count;

	while (fd >= 0 && (count = read(fd, block + kept, BLOCK)) > 0) {
		size_t there = kept + (size_t)count;

		if (memmem(block, there, text, length))
			return true;
		kept = there < length ? there : length - 1;
		memmove(block, block + there - kept, kept);
	}
	return false;
}

static bool directory_holds(const char *path, const char *text)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	bool found = false;

	while (directory && !found && (entry = readdir(directory)))
		found = file_holds(dirfd(directory), entry->d_name, text);
	if (directory)
		closedir(directory);
	return found;
}

bool server_files_hold(const struct server *server, const char *text)
{
	/* What all databases share, and the log of what may not be there yet. */
	static const char *const parts[] = { "data/global", "data/pg_wal" };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		CLEANUP(mem_cleanup) char *path = path_join(server->directory, parts[i]);

		if (directory_holds(path, text))
			return true;
	}
	return false;
}
