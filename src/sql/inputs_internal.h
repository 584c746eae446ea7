/* What the files that gather the inputs of a load share among themselves. */
#ifndef SQL_INPUTS_INTERNAL_H
#define SQL_INPUTS_INTERNAL_H

#include "sql/inputs.h"

/* The longest name the server tells apart; what is longer it cuts off. */
#define WORD_SIZE 64

/* The words that mean something here, besides being names. */
/* clang-format off */
#define KEYWORDS(X) \
	X(ADD) X(AGGREGATE) X(ALTER) X(ANALYZE) X(AS) X(BEGIN) X(CHECK) X(CLUSTER) \
	X(COMMENT) X(COMMIT) X(CONSTRAINT) X(COPY) X(CREATE) X(CURRENT_CATALOG) \
	X(CURRENT_DATE) X(CURRENT_ROLE) X(CURRENT_TIME) X(CURRENT_TIMESTAMP) X(CURRENT_USER) \
	X(DATABASE) X(DEFAULT) X(DELETE) X(DETACH) X(DISABLE) X(DISCARD) X(DO) X(DROP) \
	X(END) X(EXCLUDE) X(EXECUTE) X(EXPRESSION) X(EXTENSION) X(FALSE) X(FOR) X(FOREIGN) \
	X(FROM) X(FUNCTION) X(GLOBAL) X(GRANT) X(GROUP) X(INDEX) X(INHERIT) X(INSERT) \
	X(INTO) X(LABEL) X(LANGUAGE) X(LOCAL) X(LOCALTIME) X(LOCALTIMESTAMP) X(LOCK) \
	X(MAPPING) X(MATERIALIZED) X(MERGE) X(ON) X(OR) X(OWNED) X(PARAMETER) X(PG_CATALOG) \
	X(PG_TEMP) X(POLICY) X(PREPARE) X(PREPARED) X(PRIMARY) X(PROCEDURE) X(PROGRAM) \
	X(REASSIGN) X(REINDEX) X(RELEASE) X(RENAME) X(REPLACE) X(RESET) X(REVOKE) X(ROLE) \
	X(ROLLBACK) X(ROUTINE) X(SAVEPOINT) X(SCHEMA) X(SECURITY) X(SELECT) X(SESSION_USER) \
	X(SET) X(SET_CONFIG) X(SHOW) X(START) X(SUBSCRIPTION) X(SYSTEM) X(SYSTEM_USER) \
	X(TABLE) X(TABLESAMPLE) X(TABLESPACE) X(TEMP) X(TEMPORARY) X(TO) X(TRANSACTION) \
	X(TRUE) X(TRUNCATE) X(TYPE) X(UNIQUE) X(UNLOGGED) X(UPDATE) X(USER) X(USING) \
	X(VACUUM) X(VALUES) X(VIEW)
/* clang-format on */

enum keyword {
	KEYWORD_NONE,
#define X(name) KEYWORD_##name,
	KEYWORDS(X)
#undef X
		KEYWORD_OUTSIDE, /* a function that reaches outside of the database */
	KEYWORD_SHARED,          /* a catalog that all databases share */
	KEYWORD_AGE,             /* a function that varies when it has one argument */
	KEYWORD_OTHER,           /* any other word */
};

/* As messages show it. */
const char *keyword_name(enum keyword keyword);

struct script_word {
	char *text;
	uint32_t hash;
	uint32_t length;
	enum keyword keyword;
	bool plain, call; /* mentioned by what runs, without or with a parenthesis behind it */
	bool defined_plain, defined_call; /* the same by definitions */
};

/* An INSERT as far as the word VALUES. */
struct words_head {
	char *text; /* NULL: none */
	size_t length;
};

#define WORDS_HEADS 64

/* A hash table; the heads of INSERTs that were gone through are remembered beside it. */
struct script_words {
	struct script_word *slots;
	size_t capacity, count;
	struct words_head heads[WORDS_HEADS];
	struct strlist varying; /* in definitions */
	bool has_run;           /* something that may have used a definition */
	bool temporary;         /* something is defined for the session only */
	bool undone;            /* a definition that may have been used is not what it was */
};

struct script_words *words_new(void);
void words_free(struct script_words *words);

/* FNV-1a, byte by byte. */
#define WORDS_HASH_INIT 2166136261U

static inline uint32_t words_hash(uint32_t hash, char c)
{
	return (hash ^ (unsigned char)c) * 16777619U;
}

uint32_t words_hash_of(const char *text, size_t length);

/* The word with this text, folded already, of at most WORD_SIZE - 1 bytes; NULL: too many. */
struct script_word *words_get(
	struct script_words *words, const char *text, size_t length, uint32_t hash);

/* Those that were mentioned, sorted. */
void words_list(const struct script_words *words, bool definitions, struct strlist *list);

/* Adds something that varies unless it is in the list or there are enough of them. */
void inputs_note(struct strlist *list, const char *file, size_t line, const char *what);

#endif
