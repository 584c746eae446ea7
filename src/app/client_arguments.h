/* What stands behind -- for the client, as psql reads it. */
#ifndef APP_CLIENT_ARGUMENTS_H
#define APP_CLIENT_ARGUMENTS_H

#include "base/strlist.h"

#include <stdbool.h>

/*
 * -X among psql's arguments. One that is the value of a long option is taken for it too: better one
 * too many than one too few.
 */
bool client_arguments_no_startup_file(const struct strlist *arguments);

/*
 * The keyword, "options" or "service", of a connection string or URL among the arguments that
 * counts before PGOPTIONS; NULL: there is none. What psql takes for something else is passed over;
 * of other programs, whose options are not known, every argument is looked at. Static text.
 */
const char *client_arguments_overrule(const struct strlist *arguments, bool is_psql);

#endif
