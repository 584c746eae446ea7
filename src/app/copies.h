/* The copies NAME_1, NAME_2, … of a database that db-setup --copies makes for tests in parallel. */
#ifndef APP_COPIES_H
#define APP_COPIES_H

#include "app/context.h"

/* --copies N, --json */
extern const struct option copies_options[];

/* How many are wanted: *ret_count 0 without --copies. Fails with USAGE. */
int copies_wanted(size_t *ret_count, struct err *err);

/*
 * To be called before anything is changed: fails with REFUSED when the target is protected, or when
 * a database that is not one of its copies has the name of one; with USAGE when the names are too
 * long, with FAILED when a copy belongs to another role.
 */
int copies_check(struct context *context, size_t count, struct err *err);

/*
 * Makes that many of the database as it is after a reset, in place of those that there are; drops
 * those that an earlier run has made more; prints their URLs. When it fails, those made by then
 * stay, each complete, and the error's note names them.
 */
int copies_make(struct context *context, size_t count, struct err *err);

#endif
