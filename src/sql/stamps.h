/*
 * Which state of each file was read: what was checked beforehand has to be what is run. A file is
 * another one when its device, inode, size or time of change differ.
 */
#ifndef SQL_STAMPS_H
#define SQL_STAMPS_H

#include "base/base.h"

#include <sys/stat.h>

struct stamps {
	struct stamp *items;
	size_t count;
};

#define STAMPS_INIT                                                                                \
	{                                                                                          \
		0                                                                                  \
	}

/* True when both are of the same file in the same state. */
bool stamp_equal(const struct stat *one, const struct stat *other);

/* Notes a file's state; of a path that was noted before, the first state stays. */
void stamps_add(struct stamps *stamps, const char *path, const struct stat *state);

/* False when that path was noted in another state. */
bool stamps_match(const struct stamps *stamps, const char *path, const struct stat *state);

/* Usable as a CLEANUP handler. */
void stamps_release(struct stamps *stamps);

#endif
