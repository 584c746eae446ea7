/* Emptying a database: which tables, by what statement, and what its failure means. */
#ifndef PG_TRUNCATE_H
#define PG_TRUNCATE_H

#include "pg/conn.h"

struct truncate_plan {
	char *sql;    /* one TRUNCATE of all, which restarts their sequences; NULL: there is none */
	size_t count; /* of tables, one with its partitions */
	char *comment; /* of the database; NULL: it has none */
};

#define TRUNCATE_PLAN_INIT                                                                         \
	{                                                                                          \
		0                                                                                  \
	}

/*
 * All ordinary and partitioned tables of the connected database, in one query; what stays is in
 * man/db-seed.1.in. The names are quoted by the server, in the encoding of conn.
 */
int truncate_find(struct conn *conn, struct truncate_plan *plan, struct err *err);

/* Adds to the server's error about plan->sql that it is about the emptying, and what to do. */
void truncate_explain(struct err *err);

/* Usable as a CLEANUP handler. */
void truncate_release(struct truncate_plan *plan);

#endif
