/* A bundle of CA certificates: looking into it, and putting it in its place. */
#ifndef APP_CA_BUNDLE_H
#define APP_CA_BUNDLE_H

#include "base/err.h"

#include <time.h>

struct ca_bundle {
	size_t count;   /* certificates */
	size_t expired; /* of these */
	size_t future;  /* of these: not valid yet */
	time_t expiry;  /* the first of those that hold now */
};

/*
 * Looks at every certificate of a bundle in PEM; origin is for messages. Fails with FAILED when it
 * holds anything in PEM that is no CA certificate, none at all, or none that is valid now: a
 * bundle that passes can be verified with. now: seconds since 1970.
 */
int ca_bundle_check(const char *text, size_t length, const char *origin, time_t now,
	struct ca_bundle *ret_bundle, struct err *err);

/*
 * Makes the file hold these bytes, readable by all: at every moment it is the old or the new one
 * whole, also when the machine fails. A symbolic link stays, and its target is replaced; what
 * exists and is no regular file is left alone, and so is a link that leads nowhere: FAILED.
 * makes_directory: a directory that is missing is made, else it is an error. *ret_changed: false
 * when the file held them already and nothing was written. Removes what killed runs left beside it.
 */
int ca_bundle_install(const char *path, bool makes_directory, const char *text, size_t length,
	bool *ret_changed, struct err *err);

#endif
