/*
 * The memory of what was checked: scripts that have not changed are not read again, however large
 * they are. A record is a file under $XDG_CACHE_HOME/dbrig (else ~/.cache/dbrig, mode 0700), one
 * for each list of scripts with its variables and options, seen from one current directory. It
 * holds which files were read, in which state, and what was found, but nothing of what they hold:
 * no names, no values.
 *
 * A record counts only if every file it tells of is what it was: device, inode, size, time of
 * modification and of change, and if these times were more than two seconds old when reading began:
 * a file that is written within the same tick of its file system's clock could look unchanged
 * otherwise. It does not count when it is not ours alone, damaged, or of another version of dbrig.
 * Scripts with an obstacle are not recorded: what they find may depend on more than files, and they
 * are loaded anyway.
 *
 * Whatever goes wrong here, the scripts are read.
 */
#ifndef APP_INPUTS_CACHE_H
#define APP_INPUTS_CACHE_H

#include "app/scripts.h"

#include <time.h>

struct inputs_cache {
	char *path;            /* of the record; NULL: there is nowhere to keep one */
	char *id;              /* what the record is of, as a digest */
	struct timespec began; /* before anything is read */
};

#define INPUTS_CACHE_INIT                                                                          \
	{                                                                                          \
		0                                                                                  \
	}

/* To be called before the check. */
void inputs_cache_open(struct inputs_cache *cache, const struct scripts *scripts);

/*
 * Fills scripts with what scripts_check found the last time (inputs but for the names, stamps,
 * bytes, transaction), and messages with what it said; false, both unchanged: the scripts have to
 * be read.
 */
bool inputs_cache_read(
	const struct inputs_cache *cache, struct scripts *scripts, struct strlist *messages);

/* Writes the record, and removes those that were not used for 30 days. */
void inputs_cache_write(const struct inputs_cache *cache, const struct scripts *scripts,
	const struct strlist *messages);

/* Usable as a CLEANUP handler. */
void inputs_cache_release(struct inputs_cache *cache);

#endif
