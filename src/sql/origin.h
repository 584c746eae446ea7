/* Where the text of a statement stands in the file it was read from. */
#ifndef SQL_ORIGIN_H
#define SQL_ORIGIN_H

#include "base/strbuf.h"
#include "sql/position.h"

/*
 * From byte text_at of the text on, it stands at byte raw_at of the raw text: byte by byte, or,
 * when fixed, all of it comes from the reference to a variable that stands there.
 */
struct origin_piece {
	size_t text_at;
	size_t raw_at;
	bool fixed;
};

/* What only few statements have: variables in them, or COPY data in their midst. */
struct origin_detail {
	bool substituted;  /* raw and pieces hold */
	struct strbuf raw; /* the text as it stands in the file */
	struct origin_piece *pieces;
	size_t count, capacity;
	/* Byte joint of the raw text, and all that follows, stands behind COPY data. */
	size_t joint;
	struct position joint_position;
};

struct script_origin {
	const char *file;             /* borrowed */
	struct position start;        /* of the text's first byte */
	struct origin_detail *detail; /* NULL: text and file are the same */
};

struct origin_detail *origin_detail_new(void);
struct origin_detail *origin_detail_copy(const struct origin_detail *detail);
void origin_detail_free(struct origin_detail *detail);

/*
 * Sets err->place to where byte at of the text stands in the file: line and column, and as excerpt
 * the file's line as far as it belongs to the statement, cut to about 120 characters around the
 * column when it is long, with "..." for what is cut and for other text that stands before the
 * statement on its first line, and with the literals of passwords masked (sql/mask.h). What a
 * variable gave stands where the reference does. A byte behind the text is taken for its end; no
 * text (NULL) is an empty one.
 */
void origin_place(const struct script_origin *origin, const char *text, size_t length, size_t at,
	struct err *err);

/* The line alone, for a byte of the text; cheaper. */
size_t origin_line(const struct script_origin *origin, const char *text, size_t length, size_t at);

#endif
