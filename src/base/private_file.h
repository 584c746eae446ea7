/*
 * Small files that a command keeps for itself between runs, in a directory that nobody else can
 * write to. They are a convenience: what cannot be read or written is as if it were not there.
 */
#ifndef BASE_PRIVATE_FILE_H
#define BASE_PRIVATE_FILE_H

#include "base/strbuf.h"

#include <time.h>

/*
 * The directory dbrig below the one that variable names (XDG_CACHE_HOME), else below HOME/otherwise
 * (".cache"); with make it is made if need be. The caller owns the path. NULL: there is none that
 * only we can write to.
 */
char *private_directory(const char *variable, const char *otherwise, bool make);

/*
 * Appends the whole file to out, which ends at out's ceiling. False unless it is a regular file of
 * ours that nobody else can write to. *ret_written (may be NULL): when it was.
 */
bool private_read(const char *path, struct strbuf *out, time_t *ret_written);

/* Replaces the file as a whole, or leaves it as it is. */
void private_write(const char *path, const char *bytes, size_t length);

#endif
