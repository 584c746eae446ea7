/*
 * Goes through the text of a statement for what its outcome depends on. Strings that are code
 * (function bodies, DO, \gexec, what those hold in their turn) are gone through in the same way.
 */
#include "sql/inputs_internal.h"

#include "base/mem.h"
#include "sql/inputs_walk.h"

#include <string.h>
#include <strings.h>

/* Code within strings within code; deeper is an obstacle. */
#define DEPTH 16

/* The head of an INSERT that is remembered, and the part of it that tells it from others: what
 * follows "INSERT INTO ". */
#define HEAD_MOST ((size_t)4096)
#define HEAD_SKIPPED 12
#define HEAD_PARTS 4

enum class {
	CLASS_BLANK = 1,
	CLASS_START = 2, /* of a word */
	CLASS_WORD = 4,
	CLASS_DIGIT = 8,
};

static const unsigned char classes[256] = {
	[' '] = CLASS_BLANK,
	['\t' ... '\r'] = CLASS_BLANK,
	['0' ... '9'] = CLASS_WORD | CLASS_DIGIT,
	['$'] = CLASS_WORD,
	['_'] = CLASS_START | CLASS_WORD,
	['A' ... 'Z'] = CLASS_START | CLASS_WORD,
	['a' ... 'z'] = CLASS_START | CLASS_WORD,
	[0x80 ... 0xff] = CLASS_START | CLASS_WORD,
};

static bool is(char c, enum class class)
{
	return (classes[(unsigned char)c] & class) != 0;
}

static const char *skip(const char *p, const char *end, enum class class)
{
	while (p < end && is(*p, class))
		p++;
	return p;
}

static const char *skip_comment(const char *p, const char *end)
{
	size_t depth = 0;

	do {
		if (end - p >= 2 && p[0] == '/' && p[1] == '*') {
			depth++;
			p += 2;
		} else if (end - p >= 2 && p[0] == '*' && p[1] == '/') {
			depth--;
			p += 2;
		} else {
			p++;
		}
	} while (depth > 0 && p < end);
	return p;
}

static bool at_comment(const char *p, const char *end)
{
	return end - p >= 2 && ((p[0] == '-' && p[1] == '-') || (p[0] == '/' && p[1] == '*'));
}

static const char *skip_one_comment(const char *p, const char *end)
{
	if (*p == '/')
		return skip_comment(p, end);
	while (p < end && *p != '\n' && *p != '\r')
		p++;
	return p;
}

const char *walk_skip_blank(const char *p, const char *end)
{
	for (;;) {
		p = skip(p, end, CLASS_BLANK);
		if (!at_comment(p, end))
			return p;
		p = skip_one_comment(p, end);
	}
}

bool walk_next_is(const struct walk *walk, const char *word)
{
	const char *p = walk_skip_blank(walk->at, walk->end);
	const char *stop = skip(p, walk->end, CLASS_WORD);

	return (size_t)(stop - p) == strlen(word) && strncasecmp(p, word, strlen(word)) == 0;
}

/* --- names ----------------------------------------------------------------------------------- */

/* The server cuts names to 63 bytes, between two characters. */
static size_t cut(const char *text, size_t length)
{
	if (length < WORD_SIZE)
		return length;
	length = WORD_SIZE - 1;
	while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	return length;
}

static bool parenthesis_follows(const struct walk *walk)
{
	const char *p = walk_skip_blank(walk->at, walk->end);

	return p < walk->end && *p == '(';
}

/* text is folded and cut; the word that a statement begins with is no name. */
static struct script_word *mention(
	struct walk *walk, const char *text, size_t length, uint32_t hash, const char *at)
{
	struct script_word *word = words_get(walk->inputs->words, text, length, hash);

	if (!word) {
		walk_obstacle(walk, at, "too many different names");
		return NULL;
	}
	walk->calls = parenthesis_follows(walk);
	if ((!walk->statement.runs && !walk->statement.defines) ||
		(walk->statement.first == KEYWORD_NONE && word->keyword != KEYWORD_TRUNCATE))
		return word;
	/* A table with its columns is not called; age() depends on the time only with one argument.
	 */
	if (!walk->calls || walk->statement.into)
		*(walk->statement.runs ? &word->plain : &word->defined_plain) = true;
	else if (word->keyword != KEYWORD_AGE || walk_has_one_argument(walk))
		*(walk->statement.runs ? &word->call : &word->defined_call) = true;
	return word;
}

static void take_word(struct walk *walk)
{
	const char *from = walk->at, *p = from;
	char folded[WORD_SIZE];
	uint32_t hash = WORDS_HASH_INIT;
	struct script_word *word;
	size_t length = 0;

	for (; p < walk->end && is(*p, CLASS_WORD); p++) {
		char c = (char)(*p >= 'A' && *p <= 'Z' ? *p + 0x20 : *p);

		if (length < sizeof(folded))
			folded[length++] = c;
		hash = words_hash(hash, c);
	}
	walk->at = p;
	if (length == sizeof(folded)) {
		length = cut(folded, length);
		hash = words_hash_of(folded, length);
	}
	word = mention(walk, folded, length, hash, from);
	walk_word(walk, from, word ? word->keyword : KEYWORD_OTHER);
}

/* The words of what may be a name, or not, in code that a string is cut into at random. */
static void take_words(struct walk *walk, const char *from, const char *to)
{
	struct walk inner = *walk;

	inner.at = from;
	inner.end = to;
	while (inner.at < to) {
		if (is(*inner.at, CLASS_START))
			take_word(&inner);
		else
			inner.at = is(*inner.at, CLASS_WORD) ? skip(inner.at, to, CLASS_WORD)
							     : inner.at + 1;
	}
	walk->statement = inner.statement;
}

/* "…": two quotes stand for one. */
static void take_quoted_name(struct walk *walk)
{
	CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT_UNBOUNDED;
	const char *from = walk->at + 1, *p = from, *quote;

	while ((quote = memchr(p, '"', (size_t)(walk->end - p)))) {
		strbuf_add(&name, p, (size_t)(quote - p));
		p = quote + 1;
		if (p == walk->end || *p != '"')
			break;
		strbuf_addc(&name, *p++);
	}
	walk->at = quote ? p : from;
	if (!quote)
		return;
	name.length = cut(name.data, name.length);
	if (name.length > 0)
		mention(walk, name.data, name.length, words_hash_of(name.data, name.length), from);
	if (walk->depth > 0)
		take_words(walk, from, quote);
	walk_word(walk, from, KEYWORD_OTHER);
}

/* --- strings --------------------------------------------------------------------------------- */

static void walk_text(struct walk *walk);

/* What a string holds, if it is code. */
static void enter(struct walk *walk, const char *from, const char *to, size_t quotes)
{
	struct walk inner = *walk;

	if (walk->depth == DEPTH) {
		walk_obstacle(walk, from, "strings nested too deep");
		return;
	}
	inner.depth++;
	inner.begin = inner.at = from;
	inner.end = to;
	inner.parentheses = 0;
	inner.quotes = quotes;
	walk_text(&inner);
	walk->statement = inner.statement;
}

/* The closing quote, or the end. */
static const char *find_quote(const struct walk *walk, const char *p, bool escapes)
{
	for (; p < walk->end; p++) {
		if (!escapes) {
			p = memchr(p, '\'', (size_t)(walk->end - p));
			if (!p)
				return walk->end;
		}
		if (*p == '\\' && escapes && p + 1 < walk->end) {
			p++;
		} else if (*p == '\'') {
			if (p + 1 == walk->end || p[1] != '\'')
				return p;
			p++;
		}
	}
	return walk->end;
}

static size_t count_quotes(const char *p, const char *end)
{
	const char *from = p;

	while (p < end && *p == '\'')
		p++;
	return (size_t)(p - from);
}

/* EXECUTE '…', with nothing put to it; an odd number of quotes ends the string. */
bool walk_executes_literal(const struct walk *walk)
{
	const char *p = walk_skip_blank(walk->at, walk->end), *end = walk->end;
	struct walk behind = *walk;
	size_t quotes = count_quotes(p, end);

	if (walk->quotes == 0 || quotes != walk->quotes)
		return false;
	do {
		p += quotes > 0 ? quotes : 1;
		quotes = count_quotes(p, end);
		if (p == end || *p == '\\' || quotes % walk->quotes != 0)
			return false;
	} while (quotes / walk->quotes % 2 == 0);
	behind.at = walk_skip_blank(p + quotes, end);
	return behind.at == end || *behind.at == ';' || walk_next_is(&behind, "into") ||
	       walk_next_is(&behind, "using") || walk_next_is(&behind, "loop");
}

static void take_string(struct walk *walk, bool escapes)
{
	const char *from = walk->at + 1;
	const char *to = find_quote(walk, from, escapes);

	walk->at = to < walk->end ? to + 1 : to;
	walk_literal(walk, from, (size_t)(to - from));
	if (walk->depth > 0 || walk->statement.code)
		enter(walk, from, to, walk->depth == 0 && !escapes ? 2 : 0);
	else
		walk->statement.previous = KEYWORD_NONE;
}

static void take_dollar(struct walk *walk)
{
	const char *tag = walk->at, *p = tag + 1, *close;
	size_t length;

	if (p < walk->end && is(*p, CLASS_DIGIT)) {
		walk->at = skip(p, walk->end, CLASS_DIGIT);
		return;
	}
	while (p < walk->end && *p != '$' && is(*p, CLASS_WORD))
		p++;
	if (p == walk->end || *p != '$') {
		walk->at++;
		return;
	}
	length = (size_t)(++p - tag);
	close = memmem(p, (size_t)(walk->end - p), tag, length);
	walk->at = close ? close + length : walk->end;
	close = close ? close : walk->end;
	walk_literal(walk, p, (size_t)(close - p));
	if (walk->depth > 0 || walk->statement.code || !walk->statement.data)
		enter(walk, p, close, 1);
	else
		walk->statement.previous = KEYWORD_NONE;
}

/* A letter with a quote behind it: E'…', B'…', X'…', N'…', U&'…', U&"…". */
static bool take_prefixed(struct walk *walk)
{
	const char *p = walk->at;

	if (walk->end - p < 2 || (p[1] != '\'' && p[1] != '&'))
		return false;
	if (p[1] == '\'' && strchr("eEbBxXnN", *p)) {
		walk->at++;
		take_string(walk, *p == 'e' || *p == 'E' || (walk->escapes && (*p | 0x20) == 'n'));
		return true;
	}
	if (walk->end - p < 3 || (*p | 0x20) != 'u' || p[1] != '&' || (p[2] != '\'' && p[2] != '"'))
		return false;
	walk->at += 2;
	if (p[2] == '\'') {
		take_string(walk, false);
		return true;
	}
	/* What it names takes reading the escapes. */
	walk_varies(walk, p, "a name with Unicode escapes");
	take_quoted_name(walk);
	return true;
}

/* --- the text -------------------------------------------------------------------------------- */

static void take_symbol(struct walk *walk)
{
	char c = *walk->at++;

	if (c == '(')
		walk->parentheses++;
	else if (c == ')' && walk->parentheses > 0)
		walk->parentheses--;
	else if (c == ';')
		walk_semicolon(walk);
	/* 'ALTER ' || 'ROLE' */
	if (walk->depth == 0 || c != '|')
		walk->statement.previous = KEYWORD_NONE;
	/* The escapes of E'…'. */
	if (walk->depth > 0 && c == '\\' && walk->at < walk->end && *walk->at != '\'')
		walk->at++;
}

/* Behind the last word of its head an INSERT looks like one before. */
static struct words_head *find_head(const struct walk *walk)
{
	uint64_t parts[HEAD_PARTS];
	uint64_t hash = 0;

	if ((size_t)(walk->end - walk->begin) < HEAD_SKIPPED + sizeof(parts))
		return NULL;
	memcpy(parts, walk->begin + HEAD_SKIPPED, sizeof(parts));
	for (size_t i = 0; i < HEAD_PARTS; i++)
		hash = (hash ^ parts[i]) * 0x9e3779b97f4a7c15U;
	return &walk->inputs->words->heads[(hash >> 32) % WORDS_HEADS];
}

static void remember_head(struct walk *walk)
{
	struct words_head *head = find_head(walk);
	size_t length = (size_t)(walk->at - walk->begin);

	if (!head || length > HEAD_MOST)
		return;
	mem_free(head->text);
	head->text = mem_strndup(walk->begin, length);
	head->length = length;
}

static void skip_head(struct walk *walk)
{
	const struct words_head *head = find_head(walk);

	if (!head || !head->text || (size_t)(walk->end - walk->begin) <= head->length ||
		memcmp(walk->begin, head->text, head->length) != 0 ||
		is(walk->begin[head->length], CLASS_WORD))
		return;
	walk->at += head->length;
	walk_begin_insert(walk);
}

static void end_head(struct walk *walk)
{
	if (walk->depth == 0 && walk->parentheses == 0)
		remember_head(walk);
	walk->statement.ends_head = false;
}

static void walk_text(struct walk *walk)
{
	while (walk->at < walk->end) {
		char c = *walk->at;

		if (is(c, CLASS_BLANK)) {
			walk->at++;
		} else if (is(c, CLASS_START)) {
			if (!take_prefixed(walk))
				take_word(walk);
			if (walk->statement.ends_head)
				end_head(walk);
		} else if (is(c, CLASS_DIGIT)) {
			walk->at = skip(walk->at, walk->end, CLASS_WORD);
			walk->statement.previous = KEYWORD_NONE;
		} else if (c == '\'') {
			take_string(walk, walk->escapes);
		} else if (c == '"') {
			take_quoted_name(walk);
		} else if (c == '$') {
			take_dollar(walk);
		} else if (at_comment(walk->at, walk->end)) {
			walk->at = skip_one_comment(walk->at, walk->end);
		} else {
			take_symbol(walk);
		}
	}
}

void script_inputs_statement(struct script_inputs *inputs, const struct script_statement *statement,
	bool dynamic, bool escapes)
{
	struct walk walk = { .inputs = inputs,
		.origin = statement,
		.dynamic = dynamic,
		.escapes = escapes,
		.begin = statement->text,
		.at = statement->text,
		.end = statement->text + statement->length };

	if (!inputs->words)
		inputs->words = words_new();
	walk.quotes = 1;
	walk_semicolon(&walk);
	skip_head(&walk);
	walk_text(&walk);
}
