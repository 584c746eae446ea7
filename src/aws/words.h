/* Words of a line, as a POSIX shell would cut it, with nothing expanded. */
#ifndef AWS_WORDS_H
#define AWS_WORDS_H

#include "base/strlist.h"

/*
 * Adds the words of text: '…' as it stands, "…" with \" and \\, a backslash takes the next
 * character, blanks separate. Python's shlex.split, which is what credential_process and section
 * names are defined by. False for an open quote or a backslash at the end.
 */
bool words_split(const char *text, struct strlist *words);

#endif
