/* A table of text columns on stdout, aligned, everything in it terminal-safe. */
#ifndef TERM_TABLE_H
#define TERM_TABLE_H

#include "base/strbuf.h"

struct table;

/* columns headers; they are borrowed and must outlive the table. */
struct table *table_new(const char *const *headers, size_t columns);
void table_cleanup(struct table **table);

/* The next cell, row by row; NULL is shown as an empty cell. Runs of white space become one blank.
 */
void table_cell(struct table *table, const char *text);

/*
 * Prints headers and rows through term/out.h. On a terminal lines are cut at its width (the last
 * column is the one that suffers), elsewhere they are whole.
 */
void table_print(const struct table *table);

#endif
