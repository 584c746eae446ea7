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

/*
 * Whether the statement is SET standard_conforming_strings or RESET, and to what; *ret_local: only
 * to the end of the transaction.
 */
bool classify_standard_strings(const char *text, size_t length, bool *ret_on, bool *ret_local);

/*
 * Whether the server may read what follows differently once the statement has run: it may change
 * standard_conforming_strings or client_encoding. In doubt true.
 */
bool classify_changes_reading(const char *text, size_t length);

/* Whether it is SET client_encoding, SET NAMES or RESET, and to what ("": the database's own);
 * *ret_name is the caller's. */
bool classify_encoding(const char *text, size_t length, char **ret_name);

#endif
