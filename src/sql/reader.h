/*
 * Reads an SQL script from a stream and cuts it into statements, meta-commands and COPY data, in
 * bounded memory: two statements at most are held. Pure text: it never sees a connection. Statement
 * boundaries are those of psql's scanner (PostgreSQL src/fe_utils/psqlscan.l): comments (nested),
 * '…', E'…', U&'…', "…", dollar quotes, parentheses, BEGIN ATOMIC bodies.
 */
#ifndef SQL_READER_H
#define SQL_READER_H

#include "base/err.h"
#include "sql/encoding.h"
#include "sql/origin.h"
#include "sql/scan.h"
#include "sql/slash.h"

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
					 ALL, SELECT pg_create_logical_replication_slot */
};

struct script_statement {
	/* From the first byte that is neither white space nor comment through the closing semicolon
	 * (which is missing when the file ends without one, or a meta-command sends it);
	 * NUL-terminated; valid until the next call on the reader. */
	const char *text;
	size_t length;
	struct script_origin origin; /* its detail is borrowed, like text */
	/* Of several the gravest (sql/parts.h): its class, its name for messages, such as "COMMIT"
	 * (NULL for OTHER; not to be freed), and where in the text it begins. */
	enum script_class class;
	const char *class_name;
	size_t class_at;
	bool several;  /* holds more than one, by "\;" */
	size_t copies; /* how many of them are COPY FROM STDIN, each to be followed by its data */
	/* What is sent behind it in the same message could be read wrongly by the server: it
	 * changes standard_conforming_strings or the client encoding. */
	bool changes_reading;
};

struct script_reader;

/*
 * name is the file's name as messages show it; it is borrowed by the reader and by the origin of
 * everything it hands out. The source's context must outlive the reader.
 */
struct script_reader *script_reader_new(const char *name, struct script_source source);
void script_reader_free(struct script_reader *reader);
void script_reader_cleanup(struct script_reader **reader);

/*
 * Follows the server's standard_conforming_strings (on when the reader is made): whether a plain
 * '…' has no backslash escapes. Holds from the next statement on.
 */
void script_reader_set_standard_strings(struct script_reader *reader, bool on);

/* Follows the client encoding (safe when the reader is made). */
void script_reader_set_encoding(struct script_reader *reader, enum encoding encoding);

/* Who is asked for variables; borrowed. NULL, as when the reader is made: references stay. */
void script_reader_set_variables(
	struct script_reader *reader, const struct slash_variables *variables);

/* In a branch that is not taken: no statement is returned, no variable asked for. */
void script_reader_set_active(struct script_reader *reader, bool active);

/*
 * What comes next. Returns 1 and fills *statement; 2 for a meta-command, which
 * script_reader_command tells of; 0 at the end of the script; -1 with err set (kind SQL for what is
 * wrong in the text, with place and excerpt; whatever the source reported otherwise). Errors: a
 * quote, comment, dollar quote or parenthesis that is never closed (the place is where it began), a
 * NUL byte, UTF-16, a statement over the ceiling, what asking for a variable reported. Empty
 * statements (a lone semicolon) are passed over. After an error the reader cannot go on: every
 * further call fails.
 */
int script_reader_next(
	struct script_reader *reader, struct script_statement *statement, struct err *err);

/* --- after a meta-command -------------------------------------------------------------------- */

/* Its name without the backslash. */
const char *script_reader_command(const struct script_reader *reader);

/* What follows it on its line. What has not been taken from there is read as SQL. */
struct slash_line *script_reader_arguments(struct script_reader *reader);

/* Where it stands; without detail. */
void script_reader_command_origin(const struct script_reader *reader, struct script_origin *origin);

/* The query buffer: true; when it is empty the statement before it (perhaps none): false. */
bool script_reader_query(
	const struct script_reader *reader, const char **ret_text, size_t *ret_length);

/*
 * \g: makes the query buffer the current statement, as if it had ended with a semicolon; when it is
 * empty the one before it. 0 when there is none either.
 */
int script_reader_send(struct script_reader *reader, struct script_statement *statement);

/* \r: empties the query buffer. */
void script_reader_discard(struct script_reader *reader);

/* \if, \else: what the query buffer holds, to go back to it. */
struct script_reader_mark {
	struct scan_mark scan;
	size_t length, part, copies;
	bool several;
};

struct script_reader_mark script_reader_mark(const struct script_reader *reader);
void script_reader_back(struct script_reader *reader, const struct script_reader_mark *mark);

/* \q: nothing more is read; what is in the query buffer is the last statement. */
void script_reader_quit(struct script_reader *reader);

/* --- COPY data ------------------------------------------------------------------------------- */

/*
 * To be called after a statement that put the server into COPY FROM STDIN: makes the reader stand
 * at the first data line, which is the line after the one the statement ended on; whatever else
 * stands on the statement's own line is read as SQL after the data, as psql does. The statement's
 * text stays valid until the next script_reader_next. When the COPY failed, this and
 * script_reader_copy_data skip its data.
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

/* --- where it is ----------------------------------------------------------------------------- */

/* Bytes taken from the source so far. */
uint64_t script_reader_bytes(const struct script_reader *reader);

/* The line of the next byte. */
size_t script_reader_line_number(const struct script_reader *reader);

/* The file's name as given. */
const char *script_reader_name(const struct script_reader *reader);

#endif
