/*
 * Reads an SQL script from a stream and cuts it into statements and COPY data, in bounded memory:
 * one statement at a time is held. Pure text: it never sees a connection. Statement boundaries are
 * those of psql's scanner (PostgreSQL src/fe_utils/psqlscan.l): comments (nested), '…', E'…',
 * U&'…', "…", dollar quotes, parentheses, BEGIN ATOMIC bodies.
 */
#ifndef SQL_READER_H
#define SQL_READER_H

#include "base/err.h"

#include <sys/types.h>

/* Largest statement: what one protocol message can carry is 1 GiB. */
#define SCRIPT_STATEMENT_CEILING ((size_t)1 << 30)

/*
 * Where the bytes come from. Returns how many bytes were stored (at most size), 0 at the end, or -1
 * with err set. Any chunk size is allowed.
 */
struct script_source {
	ssize_t (*read)(void *context, char *buffer, size_t size, struct err *err);
	void *context;
};

enum script_class {
	SCRIPT_CLASS_OTHER,
	SCRIPT_CLASS_COPY_FROM_STDIN, /* COPY … FROM STDIN: data follows on the next line */
	SCRIPT_CLASS_TRANSACTION,     /* BEGIN, START TRANSACTION, COMMIT, END, ABORT, ROLLBACK (not
					 ROLLBACK TO), PREPARE TRANSACTION, COMMIT/ROLLBACK PREPARED */
	SCRIPT_CLASS_NO_TRANSACTION,  /* cannot run in a transaction block: CREATE/DROP DATABASE or
					 TABLESPACE, ALTER SYSTEM, VACUUM, CREATE/DROP INDEX
					 CONCURRENTLY, REINDEX … CONCURRENTLY|SCHEMA|DATABASE|
					 SYSTEM, ALTER DATABASE … SET TABLESPACE, CREATE (with a
					 slot), DROP and refreshing ALTER SUBSCRIPTION, CLUSTER
					 without a table, DETACH PARTITION … CONCURRENTLY, DISCARD
					 ALL */
};

struct script_statement {
	/* From the first byte that is neither white space nor comment through the closing semicolon
	 * (which is missing when the file ends without one); NUL-terminated; valid until the next
	 * call on the reader. */
	const char *text;
	size_t length;
	uint64_t offset; /* of text in the stream, bytes from 0 */
	size_t line;     /* of the first character, from 1 */
	size_t column;   /* in characters, from 1 */
	enum script_class class;
};

struct script_reader;

/* name is the file's name as messages show it. The source's context must outlive the reader. */
struct script_reader *script_reader_new(const char *name, struct script_source source);
void script_reader_free(struct script_reader *reader);
void script_reader_cleanup(struct script_reader **reader);

/*
 * Follows the server's standard_conforming_strings (on when the reader is made): whether a plain
 * '…' has no backslash escapes. Holds from the next statement on.
 */
void script_reader_set_standard_strings(struct script_reader *reader, bool on);

/*
 * The next statement. Returns 1 and fills *statement, 0 at the end of the script, -1 with err set
 * (kind SQL for what is wrong in the text, with place and excerpt; whatever the source reported
 * otherwise). Errors: a quote, comment, dollar quote or parenthesis that is never closed (the place
 * is where it began), a NUL byte, UTF-16, a backslash command (named), a statement over the
 * ceiling. Empty statements (a lone semicolon) are passed over. After an error the reader cannot go
 * on: every further call fails.
 */
int script_reader_next(
	struct script_reader *reader, struct script_statement *statement, struct err *err);

/*
 * To be called after a statement that put the server into COPY FROM STDIN: makes the reader stand
 * at the first data line, which is the line after the one the statement ended on; whatever else
 * stands on the statement's own line is read as SQL after the data, as psql does. The statement's
 * text stays valid, and script_reader_place goes on to speak of it, until the next
 * script_reader_next. When the COPY failed, this and script_reader_copy_data skip its data.
 */
int script_reader_copy_begin(struct script_reader *reader, struct err *err);

/*
 * The next block of COPY data, whole lines with their newlines where the block is not cut by size.
 * Returns 1 with *ret_data valid until the next call, 0 after the end mark (a line "\.", also with
 * CR LF or at the end of the file without a newline), -1 with err set: SQL, when the file ends
 * before the end mark (the place is that of the COPY statement; what data there were have been
 * returned) or a NUL byte is met. A block is as large as what the source gave at once, up to 256
 * KiB.
 */
int script_reader_copy_data(
	struct script_reader *reader, const char **ret_data, size_t *ret_length, struct err *err);

/* The line of the file on which the current COPY data begin. */
size_t script_reader_copy_line(const struct script_reader *reader);

/* Bytes taken from the source so far. */
uint64_t script_reader_bytes(const struct script_reader *reader);

/* The file's name as given. */
const char *script_reader_name(const struct script_reader *reader);

/*
 * Sets err->place to where byte byte_offset of the current statement's text stands in the file:
 * line and column, and as excerpt the file's line as far as it belongs to the statement, cut to
 * about 120 characters around the column when it is long, with "..." for what is cut and for other
 * text that stands before the statement on its first line, and with the literals of passwords
 * masked (sql/mask.h). An offset behind the text is taken for its end.
 */
void script_reader_place(const struct script_reader *reader, size_t byte_offset, struct err *err);

#endif
