/* What the files of the script reader share among themselves. */
#ifndef SQL_READER_INTERNAL_H
#define SQL_READER_INTERNAL_H

#include "base/strbuf.h"
#include "sql/encoding.h"
#include "sql/origin.h"
#include "sql/reader.h"
#include "sql/scan.h"

#define READER_CHUNK ((size_t)256 << 10)

/* The value of a variable that is being read in place of its reference. */
struct expansion {
	char *name;
	char *value;
	size_t length, at;
};

struct script_reader {
	const char *name;
	struct script_source source;
	struct scan scan;
	const struct slash_variables *variables; /* NULL: none */
	bool inactive;
	bool started;
	bool failed;
	bool quit; /* what is left in the query buffer is the last */

	/* What the source gave: bytes from at to end are still to be read; the first NUL stops at
	 * limit. */
	char *chunk;
	size_t at, limit, end;
	bool source_ended;
	uint64_t bytes;
	struct position position; /* of the next byte to be scanned, variables apart */

	/* Encodings that are unsafe to scan. */
	enum encoding encoding;
	struct encoding_state encoding_state;

	/* The statement (or the comment that may come before it): the query buffer. */
	struct strbuf text;
	struct script_origin origin;
	struct origin_detail *detail; /* kept for reuse; origin.detail is it when it is needed */
	bool several;
	size_t part;   /* where the last of several begins */
	size_t copies; /* among those before it */
	bool returned; /* text was handed out */
	/* The one before it. */
	struct strbuf previous_text;
	struct script_origin previous_origin;
	struct origin_detail *previous_detail;
	size_t previous_copies;

	struct expansion *expansions;
	size_t depth;                       /* of variables in variables */
	struct strbuf reference;            /* the outermost as it stands in the file */
	struct position reference_position; /* and where */

	/* The rest of the line of a COPY statement, scanned before the chunk; resume is the
	 * chunk's. */
	struct strbuf rest;
	size_t rest_at;
	struct position resume;

	/* The meta-command. */
	char *command;
	const char *command_bytes; /* from its backslash on; NULL: none is being carried out */
	struct slash_line line;
	struct position command_position;

	/* COPY data: the position of the next data byte is resume or position. */
	bool copied;      /* of the current statement some were read */
	bool in_line;     /* a part of the line has been returned */
	size_t looked_at; /* bytes from at that hold no newline */
	size_t copy_line;
};

/* --- input ----------------------------------------------------------------------------------- */

/* Reads more behind what the chunk still holds; at the end of the source does nothing. */
int reader_fill(struct script_reader *reader, struct err *err);

/* Looks at the first bytes: a byte order mark, UTF-16. */
int reader_start(struct script_reader *reader, struct err *err);

/* What is to be scanned next; *ret_length is 0 at the end. */
int reader_input(
	struct script_reader *reader, const char **ret_bytes, size_t *ret_length, struct err *err);

/* The error that the next byte is a NUL. */
int reader_nul_byte(struct script_reader *reader, struct err *err);

/*
 * The same with as much as there is of the line: without its newline when it is in the file, up to
 * a NUL, and no more than a chunk.
 */
int reader_rest_of_line(
	struct script_reader *reader, const char **ret_bytes, size_t *ret_length, struct err *err);

/* Bytes of the input have been used: moves over them in the file and the buffers. */
void reader_pass(struct script_reader *reader, const char *bytes, size_t length);

/* Reads the variable's value, which it takes, before anything else. */
void reader_expand(struct script_reader *reader, const char *name, char *value);
bool reader_is_expanding(const struct script_reader *reader, const char *name);

/* --- the statement --------------------------------------------------------------------------- */

/* From now on text and file differ: raw is kept, too. */
struct origin_detail *reader_detail(struct script_reader *reader);

/* What comes next in the text stands at the next byte of the raw text. */
void reader_piece(struct script_reader *reader, bool fixed);

/* What the last meta-command has used of its line is behind us. */
void reader_finish_command(struct script_reader *reader);

/* Forgets the query buffer. */
void reader_forget(struct script_reader *reader);

/* The next bytes of the input become text, which is one token, without being scanned. */
int reader_take(struct script_reader *reader, const char *bytes, size_t length, const char *text,
	size_t text_length, struct err *err);

/* A colon that may begin a reference to a variable is the next byte. */
int reader_colon(struct script_reader *reader, struct err *err);

/* Gives err, which is set, the place of the next byte to be scanned, and returns -1 for good. */
int reader_fail_here(struct script_reader *reader, struct err *err);

/* Gives err the place of a position without an excerpt. */
void reader_place_set(
	const struct script_reader *reader, const struct position *position, struct err *err);

#endif
