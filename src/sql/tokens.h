/*
 * Walks over the words of one or several statements that the reader has cut, so that quotes and
 * comments close: enough to tell what a statement is, without a grammar.
 */
#ifndef SQL_TOKENS_H
#define SQL_TOKENS_H

#include "base/base.h"

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,   /* unquoted */
	TOKEN_NAME,   /* "…" and U&"…", its UESCAPE included */
	TOKEN_STRING, /* '…' and $$…$$ */
	TOKEN_SYMBOL, /* one byte of anything else */
};

/* To begin with only at, end and backslashes are set; tokens_next then makes the first current. */
struct tokens {
	const char *at, *end;
	bool backslashes;     /* escape in a plain '…': standard_conforming_strings is off */
	enum token_kind kind; /* of the current token */
	const char *text;
	size_t length;
};

/* Makes the next token current; its kind. */
enum token_kind tokens_next(struct tokens *tokens);

/* Whether the current token is this unquoted word, in any case, or this symbol. */
bool tokens_word(const struct tokens *tokens, const char *expected);
bool tokens_symbol(const struct tokens *tokens, char expected);

/* If the current token is that word: moves on. */
bool tokens_take(struct tokens *tokens, const char *expected);

/* From the "(" behind the ")" that belongs to it. */
void tokens_skip_parentheses(struct tokens *tokens);

/* schema.name, as words or quoted */
void tokens_skip_name(struct tokens *tokens);

/* Moves to the first token from the current one on that is outside parentheses and one of two words
 * (second may be NULL); false at the end. */
bool tokens_find(struct tokens *tokens, const char *first, const char *second);

/*
 * The current token is the "(" of an option list. Whether the option is there and not switched off;
 * with absent also when it is not there. Moves behind the list.
 */
bool tokens_option_on(struct tokens *tokens, const char *option, bool absent);

/*
 * Whether a text may begin with a word that begins with one of these letters (lower case): most of
 * what scripts consist of, INSERT above all, is told by that. In doubt true.
 */
bool tokens_may_begin_with(const char *text, size_t length, const char *letters);

#endif
