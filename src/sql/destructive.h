/*
 * Statements that destroy: rows, tables, databases. Pure text: what a statement does is judged by
 * its words alone, quoted names, strings and comments do not count. Not looked into are strings:
 * the body of DO and of functions, what EXECUTE is given. What a function, trigger or rule does is
 * not known either.
 */
#ifndef SQL_DESTRUCTIVE_H
#define SQL_DESTRUCTIVE_H

#include "sql/reader.h"

enum destructive_kind {
	DESTRUCTIVE_NONE,
	/*
	 * Of the connected database: TRUNCATE; DROP TABLE, SCHEMA, MATERIALIZED VIEW, SEQUENCE,
	 * EXTENSION, OWNED, and of anything with CASCADE; ALTER TABLE … DROP COLUMN and …
	 * TYPE; ALTER TYPE … DROP ATTRIBUTE; DELETE or UPDATE without WHERE and MERGE with
	 * THEN DELETE, also in WITH, COPY, PREPARE, CREATE TABLE AS and EXPLAIN ANALYZE.
	 */
	DESTRUCTIVE_DATA,
	/* DROP DATABASE, ALTER DATABASE … RENAME */
	DESTRUCTIVE_DATABASE,
	/* COMMENT ON DATABASE, by which a mark in the comment is lost */
	DESTRUCTIVE_COMMENT,
	/* CREATE DATABASE, which destroys nothing: what is done to that one is the script's own. */
	DESTRUCTIVE_CREATE,
	/* ALTER DATABASE of other kinds: one that belongs to somebody else, or takes no connections
	 * any more, is lost to those who use it. */
	DESTRUCTIVE_CHANGE,
};

struct destructive {
	enum destructive_kind kind;
	const char *name; /* for messages, "DROP TABLE", "DELETE without WHERE"; not to be freed */
	size_t at;        /* of its first byte in the text */
	/* DATABASE, COMMENT, CREATE, CHANGE: the database, as the server reads the name; NULL: it
	 * cannot be told. A name that is not all ASCII is told as in UTF-8. */
	char *database;
};

#define DESTRUCTIVE_INIT                                                                           \
	{                                                                                          \
		0                                                                                  \
	}

/*
 * The next one in a statement, which may hold several, from byte *at (0 to begin with) on, and sets
 * *at behind it. False when there is none any more; *found is empty then. standard_strings: how
 * '…' is read (script_has_standard_strings).
 */
bool destructive_next(const struct script_statement *statement, bool standard_strings, size_t *at,
	struct destructive *found);

/* Usable as a CLEANUP handler. */
void destructive_release(struct destructive *found);

#endif
