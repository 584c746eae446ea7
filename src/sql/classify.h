/* What kind of statement a text is, as far as running a script has to know. */
#ifndef SQL_CLASSIFY_H
#define SQL_CLASSIFY_H

#include "sql/reader.h"

/*
 * The class of one statement, judged by its key words alone: quoted names, strings and comments do
 * not count. *ret_name (may be NULL) is a short name for messages, such as "COMMIT" or "CREATE
 * INDEX CONCURRENTLY"; NULL for the class OTHER. It is not to be freed.
 */
enum script_class classify_statement(const char *text, size_t length, const char **ret_name);

/* Whether the statement is SET standard_conforming_strings (not LOCAL), and to what. */
bool classify_standard_strings(const char *text, size_t length, bool *ret_on);

#endif
