/* Where the project is: its root, its files. */
#ifndef BASE_PROJECT_H
#define BASE_PROJECT_H

#include "base/err.h"

/*
 * The nearest directory from start upwards that holds a directory db (or $DB_DIR when that is
 * relative). Returns an absolute path that the caller owns, or NULL when there is none.
 */
char *project_find_root(const char *start, const char *db_dir);

/* The current directory as an absolute path that the caller owns; NULL with err set. */
char *project_cwd(struct err *err);

#endif
