/* A walk over the text of a statement, for the files that gather the inputs of a load. */
#ifndef SQL_INPUTS_WALK_H
#define SQL_INPUTS_WALK_H

#include "sql/inputs_internal.h"
#include "sql/reader.h"

/* What the words since the last semicolon have told. */
struct walk_statement {
	enum keyword first;          /* its first word, of the outermost text */
	enum keyword object;         /* CREATE: of what */
	enum keyword previous;       /* the word right before; NONE: something else is in between */
	bool runs;                   /* what is mentioned is run, not only defined */
	bool defines;                /* what is mentioned is run later, if at all; unless runs */
	bool code;                   /* its strings are code */
	bool data;                   /* its dollar-quoted strings are not */
	bool copies, grants, writes; /* COPY; GRANT, COMMENT and the like; INSERT and the like */
	bool into;                   /* the name of a table comes next: INSERT INTO, COPY */
	bool types;                  /* ALTER … TYPE */
	bool ends_head;              /* INSERT: the word VALUES was just taken */
};

struct walk {
	struct script_inputs *inputs;
	const struct script_statement *origin;
	bool dynamic, escapes;
	const char *begin, *at, *end; /* of the text that is gone through */
	size_t depth;                 /* of strings that are code */
	size_t quotes; /* how many of them stand for one, or end a string; 0: they are not to be
			  told apart */
	size_t parentheses;
	bool calls; /* a parenthesis follows the word that was taken last */
	struct walk_statement statement;
};

/* At text, which is part of the statement's. */
void walk_obstacle(struct walk *walk, const char *text, const char *what);
void walk_varies(struct walk *walk, const char *text, const char *what);

/* The same even in a definition. */
void walk_varies_now(struct walk *walk, const char *text, const char *what);

/* What the word that begins at text means; at is behind it. */
void walk_word(struct walk *walk, const char *text, enum keyword keyword);

/* Whether it runs something, or undoes definitions that something may have used. */
void walk_order(struct walk *walk, enum keyword keyword);

/* The contents of a string. */
void walk_literal(struct walk *walk, const char *text, size_t length);

/* A statement begins. */
void walk_semicolon(struct walk *walk);

/* The same for the head of an INSERT, which is behind it. */
void walk_begin_insert(struct walk *walk);

/* What comes next. */
const char *walk_skip_blank(const char *p, const char *end);
bool walk_next_is(const struct walk *walk, const char *word);
bool walk_has_one_argument(const struct walk *walk);
bool walk_executes_literal(const struct walk *walk);

#endif
