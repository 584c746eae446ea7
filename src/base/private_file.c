#include "base/private_file.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_mine(const struct stat *state)
{
	return state->st_uid == geteuid() && (state->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static bool make_directory(const char *path)
{
	struct stat state;

	if (mkdir(path, S_IRWXU) != 0 && errno != EEXIST)
		return false;
	return stat(path, &state) == 0 && S_ISDIR(state.st_mode);
}

/* Every directory of path below the one that ends at from; path is as before afterwards. */
static bool make_directories(char *path, size_t from)
{
	for (char *slash = strchr(path + from, '/'); slash; slash = strchr(slash + 1, '/')) {
		bool made;

		if (slash == path + from)
			continue;
		*slash = '\0';
		made = make_directory(path);
		*slash = '/';
		if (!made)
			return false;
	}
	return make_directory(path);
}

char *private_directory(const char *variable, const char *otherwise, bool make)
{
	const char *home = getenv("HOME"), *given = getenv(variable);
	CLEANUP(mem_cleanup) char *base = NULL;
	CLEANUP(mem_cleanup) char *place = NULL;
	struct stat state;

	/* The specification wants paths that are not absolute to be ignored. */
	if (given && *given == '/')
		base = mem_strdup(given);
	else if (home && *home == '/')
		base = path_join(home, otherwise);
	if (!base || (make && !make_directories(
				      base, given && *given == '/' ? strlen(base) : strlen(home))))
		return NULL;
	place = path_join(base, "dbrig");
	if ((make && !make_directory(place)) || lstat(place, &state) != 0 ||
		!S_ISDIR(state.st_mode) || !is_mine(&state))
		return NULL;
	return take_ptr(place);
}

bool private_read(const char *path, struct strbuf *out, time_t *ret_written)
{
	CLEANUP(fd_cleanup) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat state;
	size_t size;

	if (fd < 0 || fstat(fd, &state) != 0 || !S_ISREG(state.st_mode) || !is_mine(&state) ||
		state.st_size <= 0)
		return false;
	size = (size_t)state.st_size;
	if (!strbuf_grow(out, size))
		return false;
	for (size_t done = 0; done < size;) {
		ssize_t got = read(fd, out->data + out->length, size - done);

		if (got <= 0)
			return false;
		out->length += (size_t)got;
		done += (size_t)got;
	}
	out->data[out->length] = '\0';
	if (ret_written)
		*ret_written = state.st_mtim.tv_sec;
	return true;
}

static bool write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t put = write(fd, bytes, length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		bytes += put;
		length -= (size_t)put;
	}
	return true;
}

void private_write(const char *path, const char *bytes, size_t length)
{
	CLEANUP(mem_cleanup) char *temporary = mem_printf("%s.XXXXXX", path);
	CLEANUP(fd_cleanup) int fd = mkostemp(temporary, O_CLOEXEC);

	if (fd < 0)
		return;
	if (!write_all(fd, bytes, length) || rename(temporary, path) != 0)
		unlink(temporary);
}
