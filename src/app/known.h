/*
 * What was learned about servers and databases in earlier runs, in the user's state directory
 * (XDG_STATE_HOME, ~/.local/state). Nothing depends on its being there.
 */
#ifndef APP_KNOWN_H
#define APP_KNOWN_H

#include "base/base.h"

#include <stdint.h>

#define KNOWN_FOR_EVER INT64_MAX

/* kind: a word of ours; key: any text. *ret_value is the caller's. False: nothing is known, or what
 * is known is older than that, or dated in the future: KNOWN_FOR_EVER whatever its date. */
bool known_get(const char *kind, const char *key, int64_t most_seconds, char **ret_value);

/* value "": nothing is known any more. */
void known_put(const char *kind, const char *key, const char *value);

#endif
