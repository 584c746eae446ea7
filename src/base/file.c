#include "base/file.h"

#include "base/interrupt.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_CHUNK ((size_t)64 << 10)

void fd_cleanup(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

void file_cleanup(FILE **file)
{
	if (*file)
		fclose(*file);
}

char *path_join(const char *directory, const char *name)
{
	size_t length = strlen(directory);

	while (length > 1 && directory[length - 1] == '/')
		length--;
	if (length == 1 && directory[0] == '/')
		length = 0;
	return mem_printf("%.*s/%s", (int)length, directory, name);
}

bool path_is_directory(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool path_exists(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0;
}

bool path_is_same(const char *path, const char *other)
{
	struct stat one, two;

	if (stat(path, &one) != 0 || stat(other, &two) != 0)
		return strcmp(path, other) == 0;
	return one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

bool path_is_pipe(const char *path)
{
	struct stat info;
	int result = strcmp(path, "-") == 0 ? fstat(STDIN_FILENO, &info) : stat(path, &info);

	return result == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

char *path_expand_home(char *path)
{
	const char *home = getenv("HOME");
	char *expanded;

	if (strncmp(path, "~/", 2) != 0 || !home)
		return path;
	expanded = path_join(home, path + 2);
	mem_free(path);
	return expanded;
}

int input_open(const char *path, const char *name, int *ret_fd, struct err *err)
{
	CLEANUP(fd_cleanup) int fd = -1;
	struct stat info;

	if (strcmp(path, "-") == 0)
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	/* Opening a pipe waits for a writer; a signal ends that. */
	if (fd < 0 && errno == EINTR && interrupt_check(err) != 0)
		return -1;
	if (fd < 0)
		return err_errno(err, "could not open file \"%s\"", name);
	if (fstat(fd, &info) != 0)
		return err_errno(err, "could not examine file \"%s\"", name);
	if (S_ISDIR(info.st_mode))
		return err_set(
			err, ERR_FAILED, "could not read file \"%s\": it is a directory", name);
	*ret_fd = take_fd(&fd);
	return 0;
}

ssize_t input_read(int fd, const char *name, char *buffer, size_t size, struct err *err)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = fd, .events = POLLIN },
			{ .fd = interrupt_fd(), .events = POLLIN },
		};
		ssize_t got;

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return err_errno(err, "could not wait for file \"%s\"", name);
		if (interrupt_check(err) != 0)
			return -1;
		got = read(fd, buffer, size);
		if (got >= 0)
			return got;
		if (errno != EINTR && errno != EAGAIN)
			return err_errno(err, "could not read file \"%s\"", name);
	}
}

static int read_all(int fd, const char *path, struct strbuf *out, struct err *err)
{
	ssize_t got;

	do {
		size_t room = out->ceiling - out->length;

		if (room == 0)
			return err_set(err, ERR_FAILED, "file \"%s\" is larger than %zu bytes",
				path, out->ceiling);
		if (room > READ_CHUNK)
			room = READ_CHUNK;
		strbuf_grow(out, room);
		got = input_read(fd, path, out->data + out->length, room, err);
		if (got < 0)
			return -1;
		out->length += (size_t)got;
		out->data[out->length] = '\0';
	} while (got > 0);
	return 0;
}

int file_read_all(const char *path, struct strbuf *out, struct err *err)
{
	CLEANUP(fd_cleanup) int fd = -1;

	if (input_open(path, path, &fd, err) != 0)
		return -1;
	return read_all(fd, path, out, err);
}

int file_read_regular(const char *path, struct strbuf *out, struct err *err)
{
	CLEANUP(fd_cleanup) int fd = -1;
	struct stat info;

	if (lstat(path, &info) != 0)
		return 1;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0 && errno == ELOOP)
		return err_set(
			err, ERR_FAILED, "could not read file \"%s\": it is a symbolic link", path);
	if (fd < 0)
		return err_errno(err, "could not open file \"%s\"", path);
	if (fstat(fd, &info) != 0)
		return err_errno(err, "could not examine file \"%s\"", path);
	if (!S_ISREG(info.st_mode))
		return err_set(err, ERR_FAILED, "could not read file \"%s\": it is %s", path,
			S_ISDIR(info.st_mode) ? "a directory" : "not a regular file");
	return read_all(fd, path, out, err);
}
