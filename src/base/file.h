/* Files and descriptors. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/err.h"
#include "base/strbuf.h"

#include <stdio.h>
#include <sys/types.h>

/* CLEANUP handlers: CLEANUP(fd_cleanup) int fd = -1; CLEANUP(file_cleanup) FILE *file = NULL; */
void fd_cleanup(int *fd);
void file_cleanup(FILE **file);

/* Hands a descriptor out of a scope that would close it. */
int take_fd(int *fd);

/* Appends the whole file to out; fails with FAILED, also when it is larger than out's ceiling. */
int file_read_all(const char *path, struct strbuf *out, struct err *err);

/*
 * The same for a regular file only; it fails for anything else, a symbolic link too, and does not
 * wait for it. 1: nothing is there.
 */
int file_read_regular(const char *path, struct strbuf *out, struct err *err);

/* directory/name with exactly one slash between them; the caller owns the path. */
char *path_join(const char *directory, const char *name);

bool path_is_directory(const char *path);
bool path_exists(const char *path);

/* Both lead to one file; or, where there is none, are the same text. */
bool path_is_same(const char *path, const char *other);

/*
 * What it gives can be read only once: neither a regular file nor a directory; "-" is standard
 * input. False for what cannot be looked at.
 */
bool path_is_pipe(const char *path);

/* "~/x" in the home directory, anything else as it is; takes path, returns what the caller owns. */
char *path_expand_home(char *path);

/*
 * Opens a script for reading: path, or "-" for standard input; name is for messages. Refuses
 * directories. Waiting for data (a pipe) ends when a signal comes.
 */
int input_open(const char *path, const char *name, int *ret_fd, struct err *err);

/* read() that waits with interrupt_fd(); bytes read, 0 at the end, -1 with err set. */
ssize_t input_read(int fd, const char *name, char *buffer, size_t size, struct err *err);

#endif
