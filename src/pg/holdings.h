/* What a database holds, for whoever is about to destroy it. Only looks. */
#ifndef PG_HOLDINGS_H
#define PG_HOLDINGS_H

#include "pg/conn.h"
#include "pg/mark.h"

/* Of tables the largest, of sessions the largest groups of such as look alike. */
#define HOLDINGS_MOST 5

/* What is asked for by itself, so that the rest is known when one of them is not. */
enum holdings_part {
	HOLDINGS_DATABASE, /* owner, mark, the states */
	HOLDINGS_SIZE,
	HOLDINGS_SESSIONS,
	HOLDINGS_BESIDES, /* settings, privileges and the like */
	HOLDINGS_TABLES,
	HOLDINGS_OBJECTS,
	HOLDINGS_PARTS
};

struct holdings_table {
	const char *name; /* quoted as an identifier, its schema in front unless that is public */
	int64_t bytes;    /* with indexes, TOAST and partitions */
	int64_t rows;     /* by the statistics; -1: never analyzed */
	bool at_least;    /* some partitions were never analyzed */
};

struct holdings_sessions {
	long count;
	const char *user;
	const char *application; /* NULL: none */
	const char *client;      /* address or "local"; NULL: hidden from us */
};

/* Texts belong to the object. */
struct holdings {
	/* Of kind NONE: that part is known; else why not. */
	struct err unknown[HOLDINGS_PARTS];
	bool found; /* false: there is no such database, and nothing else is set */
	const char *owner;
	struct mark mark; /* MARK_NONE: when it was made is not known */
	int64_t bytes;
	long session_count;
	struct holdings_sessions sessions[HOLDINGS_MOST];
	size_t session_groups;
	char *besides; /* what it has and its contents do not tell, as in pg/sibling.h; NULL: none
			*/
	long table_count;
	struct holdings_table tables[HOLDINGS_MOST];
	size_t tables_shown;
	bool estimated; /* tables are locked or many: their sizes are those of the statistics */
	long view_count, function_count;
	PGresult *results[HOLDINGS_PARTS]; /* hold the texts */
};

#define HOLDINGS_INIT                                                                              \
	{                                                                                          \
		.found = false                                                                     \
	}

/* Usable as a CLEANUP handler. */
void holdings_release(struct holdings *holdings);

/*
 * Asks over a maintenance connection, and for tables and objects over one of its own, which is made
 * from the same parameters; each in a transaction that is rolled back. The role needs no more than
 * CONNECT. limit_ms is for all of it; a server that has fallen silent may take 5 seconds more.
 * Fails with INTERRUPTED only: everything else is noted in holdings->unknown.
 */
int holdings_ask(struct conn *maintenance, const char *database, int64_t limit_ms,
	struct holdings *holdings, struct err *err);

#endif
