/* Reads a whole script without a server, so that what is wrong with it shows before anything runs.
 */
#ifndef SQL_CHECK_H
#define SQL_CHECK_H

#include "sql/reader.h"

/* The first statement of a class; line is 0 when there is none. */
struct script_found {
	size_t line;
	size_t column;
	char name[48]; /* such as "COMMIT" or "CREATE INDEX CONCURRENTLY" */
};

struct script_summary {
	size_t statements;
	size_t copies; /* those of them that are followed by COPY data */
	uint64_t bytes;
	struct script_found transaction;    /* of SCRIPT_CLASS_TRANSACTION */
	struct script_found no_transaction; /* of SCRIPT_CLASS_NO_TRANSACTION */
};

/*
 * Reads to the end, follows SET standard_conforming_strings, and takes every COPY FROM STDIN to be
 * followed by its data. Fails as the reader does; summary is then unchanged.
 */
int script_check(const char *name, struct script_source source, struct script_summary *summary,
	struct err *err);

#endif
