/* The class of a text that may hold several statements, which the server runs as one request. */
#ifndef SQL_PARTS_H
#define SQL_PARTS_H

#include "sql/encoding.h"
#include "sql/reader.h"

/*
 * Sets class, class_name and class_at of a statement from all that its text holds, cut as the
 * server cuts it: the gravest counts (TRANSACTION, NO_TRANSACTION, COPY FROM STDIN, OTHER), and of
 * those the first. Sets several when there are more than one. standard_strings and encoding: how
 * the text is to be read.
 */
void parts_classify(
	struct script_statement *statement, bool standard_strings, enum encoding encoding);

#endif
