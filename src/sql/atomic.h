/*
 * psql's way to know that semicolons belong to the body of a routine (BEGIN ATOMIC … END): when the
 * statement's first words are CREATE [OR REPLACE] FUNCTION|PROCEDURE, BEGIN and CASE outside
 * parentheses wait for their END.
 */
#ifndef SQL_ATOMIC_H
#define SQL_ATOMIC_H

#include "base/base.h"

struct atomic {
	char word[10];      /* the current word's first bytes in lower case */
	size_t word_length; /* all of it */
	char words[4];  /* first letters of the first four words, 0 for one that plays no part */
	unsigned count; /* stops at 4 */
	bool routine;
	size_t depth; /* BEGINs and CASEs without their END; semicolons end nothing while there are
		       */
};

/* Begins the next statement. The depth stays: a semicolon ends a statement only when it is 0. */
void atomic_next(struct atomic *atomic);

/* A word, in pieces: begin, add each, end. */
void atomic_word_begin(struct atomic *atomic);
void atomic_word_add(struct atomic *atomic, const unsigned char *bytes, size_t length);
void atomic_word_end(struct atomic *atomic, bool in_parentheses);

#endif
