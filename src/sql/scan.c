#include "sql/scan_internal.h"

#include <string.h>

#define LETTER (WORD_START | WORD_CONT | TAG_CONT)

const unsigned char scan_classes[256] = {
	[' '] = SPACE,
	['\t'] = SPACE,
	['\n'] = SPACE,
	['\r'] = SPACE,
	['\f'] = SPACE,
	['$'] = WORD_CONT,
	['0' ... '9'] = WORD_CONT | TAG_CONT | DIGIT,
	['A' ... 'Z'] = LETTER,
	['_'] = LETTER,
	['a' ... 'z'] = LETTER,
	[0x80 ... 0xff] = LETTER,
};

void scan_init(struct scan *scan)
{
	*scan = (struct scan){ .standard_strings = true };
	/* The reader stops at its own ceiling long before. */
	strbuf_init(&scan->tag, SIZE_MAX / 4);
	scan_next(scan);
}

void scan_release(struct scan *scan)
{
	strbuf_release(&scan->tag);
}

void scan_next(struct scan *scan)
{
	scan->first = SCAN_NONE;
	scan->leading = false;
	scan->passed_over = false;
	scan->commented = false;
	scan->blank = true;
	scan->blank_from = scan->fed;
	atomic_next(&scan->atomic);
	scan->closed = SCAN_INITIAL;
}

void scan_abandon(struct scan *scan)
{
	scan->paren_depth = 0;
	scan->atomic.depth = 0;
	scan->state = SCAN_INITIAL;
	scan_next(scan);
}

void scan_take(struct scan *scan, size_t length)
{
	if (scan->first == SCAN_NONE)
		scan->first = scan->fed;
	scan->blank = false;
	scan->closed = SCAN_INITIAL;
	scan->fed += length;
}

void scan_separate(struct scan *scan)
{
	/* Within a body or parentheses it begins no statement: as psql 15.20, unlike 15.18. */
	if (scan->atomic.depth == 0 && scan->paren_depth == 0)
		atomic_next(&scan->atomic);
}

struct scan_mark scan_mark(const struct scan *scan)
{
	return (struct scan_mark){ .first = scan->first,
		.blank_from = scan->blank_from,
		.fed = scan->fed,
		.blank = scan->blank,
		.paren_depth = scan->paren_depth,
		.paren_open = scan->paren_open };
}

void scan_back(struct scan *scan, const struct scan_mark *mark)
{
	scan->first = mark->first;
	scan->blank_from = mark->blank_from;
	scan->fed = mark->fed;
	scan->blank = mark->blank;
	scan->paren_depth = mark->paren_depth;
	scan->paren_open = mark->paren_open;
	scan->closed = SCAN_INITIAL;
	scan->leading = false;
}

static uint64_t offset_of(const struct scan *scan, cursor p)
{
	return scan->fed + (uint64_t)(p - scan->base);
}

/* A token that is neither white space nor comment stands at p. */
static void significant(struct scan *scan, cursor p)
{
	if (scan->first == SCAN_NONE)
		scan->first = offset_of(scan, p);
	scan->leading = false;
	scan->blank = false;
	scan->closed = SCAN_INITIAL;
}

static void begin_quoted(struct scan *scan, enum scan_state state, cursor p)
{
	scan->open = offset_of(scan, p);
	scan->state = state;
}

void scan_boundary(struct scan *scan)
{
	switch (scan->state) {
	case SCAN_WORD:
		atomic_word_end(&scan->atomic, scan->paren_depth > 0);
		break;
	case SCAN_DASH:
	case SCAN_SLASH:
		scan_not_a_comment(scan);
		break;
	case SCAN_COMMENT_STAR:
	case SCAN_COMMENT_SLASH:
		scan->state = SCAN_COMMENT;
		return;
	case SCAN_LINE_COMMENT:
		scan_end_comment(scan);
		break;
	case SCAN_U_AMPERSAND:
	case SCAN_INTEGER:
	case SCAN_INTEGER_DOT:
	case SCAN_FRACTION:
	case SCAN_EXPONENT_MARK:
	case SCAN_EXPONENT_SIGN:
	case SCAN_DIGITS:
	case SCAN_JUNK:
	case SCAN_DOT:
	case SCAN_DOLLAR:
	case SCAN_DOLLAR_TAG:
		break;
	default:
		return;
	}
	scan->state = SCAN_INITIAL;
}

static enum scan_state plain_quote(const struct scan *scan)
{
	return scan->standard_strings ? SCAN_QUOTE : SCAN_ESCAPE;
}

static void begin_plain_quote(struct scan *scan, cursor p)
{
	enum scan_state state = plain_quote(scan);

	if (scan->closed != SCAN_INITIAL && scan->closed_newline)
		state = scan->closed;
	significant(scan, p);
	begin_quoted(scan, state, p);
}

/* What a quote right after a word of one letter begins; INITIAL when the letter is no prefix. */
static enum scan_state prefixed_quote(const struct scan *scan)
{
	switch (scan->atomic.word[0]) {
	case 'e':
		return SCAN_ESCAPE;
	case 'b':
	case 'x':
		return SCAN_BITS;
	case 'n':
		return plain_quote(scan);
	default:
		return SCAN_INITIAL;
	}
}

static cursor scan_word(struct scan *scan, cursor p, cursor end)
{
	cursor stop = skip(p, end, WORD_CONT);

	atomic_word_add(&scan->atomic, p, (size_t)(stop - p));
	if (stop == end)
		return stop;
	if (scan->atomic.word_length == 1) {
		if (scan->atomic.word[0] == 'u' && *stop == '&') {
			scan->state = SCAN_U_AMPERSAND;
			return stop + 1;
		}
		if (*stop == '\'' && prefixed_quote(scan) != SCAN_INITIAL) {
			begin_quoted(scan, prefixed_quote(scan), stop);
			return stop + 1;
		}
	}
	atomic_word_end(&scan->atomic, scan->paren_depth > 0);
	scan->state = SCAN_INITIAL;
	return stop;
}

static cursor scan_u_ampersand(struct scan *scan, cursor p)
{
	scan->state = SCAN_INITIAL;
	if (*p != '\'' && *p != '"')
		return p;
	begin_quoted(scan, *p == '"' ? SCAN_IDENTIFIER : SCAN_QUOTE, p);
	return p + 1;
}

/*
 * Only what decides where a number ends: a word that follows without a blank is a part of it, and
 * so is an e with its sign even when no digit follows.
 */
static cursor scan_number(struct scan *scan, cursor p, cursor end)
{
	enum scan_state state = scan->state;

	if (is(*p, DIGIT) && state != SCAN_EXPONENT_MARK && state != SCAN_JUNK) {
		if (state == SCAN_INTEGER_DOT || state == SCAN_DOT)
			scan->state = SCAN_FRACTION;
		else if (state == SCAN_EXPONENT_SIGN)
			scan->state = SCAN_DIGITS;
		return skip(p, end, DIGIT);
	}
	scan->state = SCAN_INITIAL;
	switch (state) {
	case SCAN_DOT:
		return *p == '.' ? p + 1 : p;
	case SCAN_EXPONENT_MARK:
		scan->state = *p == '+' || *p == '-' ? SCAN_EXPONENT_SIGN : SCAN_JUNK;
		return scan->state == SCAN_JUNK ? p : p + 1;
	case SCAN_EXPONENT_SIGN:
		return p;
	case SCAN_JUNK:
		p = skip(p, end, WORD_CONT);
		if (p == end)
			scan->state = SCAN_JUNK;
		return p;
	default:
		break;
	}
	if (*p == '.' && (state == SCAN_INTEGER || state == SCAN_INTEGER_DOT)) {
		/* 1.. is an integer and two dots. */
		if (state == SCAN_INTEGER)
			scan->state = SCAN_INTEGER_DOT;
		return p + 1;
	}
	if (!is(*p, WORD_START))
		return p;
	scan->state = SCAN_JUNK;
	if (state != SCAN_DIGITS && (*p == 'e' || *p == 'E'))
		scan->state = SCAN_EXPONENT_MARK;
	return p + 1;
}

static cursor scan_space(struct scan *scan, cursor p, cursor end)
{
	if (!scan->blank) {
		scan->blank = true;
		scan->blank_from = offset_of(scan, p);
	}
	for (; p < end && is(*p, SPACE); p++)
		if (is_newline(*p))
			scan->closed_newline = true;
	return p;
}

static void begin_maybe_comment(struct scan *scan, enum scan_state state, cursor p)
{
	scan->open = offset_of(scan, p);
	if (scan->first == SCAN_NONE) {
		scan->first = scan->open;
		scan->leading = true;
	}
	scan->state = state;
}

static enum scan_stop semicolon(struct scan *scan, cursor p)
{
	if (scan->paren_depth == 0 && scan->atomic.depth == 0)
		return SCAN_SEMICOLON;
	scan->passed_over = scan->passed_over || scan->paren_depth == 0;
	significant(scan, p);
	return SCAN_MORE;
}

static void parenthesis(struct scan *scan, cursor p)
{
	if (*p == '(') {
		if (scan->paren_depth++ == 0)
			scan->paren_open = offset_of(scan, p);
	} else if (scan->paren_depth > 0) {
		scan->paren_depth--;
	}
}

/* One byte outside everything that is neither white space, letter, digit nor the end. */
static void scan_symbol(struct scan *scan, cursor p)
{
	switch (*p) {
	case '-':
		begin_maybe_comment(scan, SCAN_DASH, p);
		return;
	case '/':
		begin_maybe_comment(scan, SCAN_SLASH, p);
		return;
	case '\'':
		begin_plain_quote(scan, p);
		return;
	default:
		break;
	}
	significant(scan, p);
	switch (*p) {
	case '"':
		begin_quoted(scan, SCAN_IDENTIFIER, p);
		break;
	case '$':
		begin_quoted(scan, SCAN_DOLLAR, p);
		break;
	case '.':
		scan->state = SCAN_DOT;
		break;
	case '(':
	case ')':
		parenthesis(scan, p);
		break;
	default:
		break;
	}
}

/* What cannot be a reference to a variable is passed over; otherwise p itself is returned. */
static cursor scan_colon(struct scan *scan, cursor p, cursor end)
{
	size_t length = 1;

	if (p + 1 == end || is(p[1], TAG_CONT) || p[1] == '\'' || p[1] == '"' || p[1] == '{')
		return p;
	significant(scan, p);
	if (p[1] == ':' || p[1] == '=')
		length++;
	return p + length;
}

static cursor scan_initial(struct scan *scan, cursor p, cursor end, enum scan_stop *stop)
{
	while (p < end && scan->state == SCAN_INITIAL) {
		if (is(*p, SPACE)) {
			p = scan_space(scan, p, end);
		} else if (is(*p, WORD_START)) {
			significant(scan, p);
			atomic_word_begin(&scan->atomic);
			scan->state = SCAN_WORD;
		} else if (is(*p, DIGIT)) {
			significant(scan, p);
			scan->state = SCAN_INTEGER;
		} else if (*p == ';') {
			*stop = semicolon(scan, p++);
			if (*stop != SCAN_MORE)
				break;
		} else if (*p == '\\') {
			*stop = SCAN_BACKSLASH;
			break;
		} else if (*p == ':') {
			cursor next = scan_colon(scan, p, end);

			if (next == p) {
				*stop = SCAN_COLON;
				break;
			}
			p = next;
		} else {
			scan_symbol(scan, p++);
		}
	}
	return p;
}

enum scan_stop scan_feed(struct scan *scan, const char *bytes, size_t length, size_t *ret_taken)
{
	cursor p = (cursor)bytes, end = p + length;
	enum scan_stop stop = SCAN_MORE;

	scan->base = p;
	while (p < end && stop == SCAN_MORE) {
		switch (scan->state) {
		case SCAN_INITIAL:
			p = scan_initial(scan, p, end, &stop);
			break;
		case SCAN_WORD:
			p = scan_word(scan, p, end);
			break;
		case SCAN_U_AMPERSAND:
			p = scan_u_ampersand(scan, p);
			break;
		case SCAN_INTEGER:
		case SCAN_INTEGER_DOT:
		case SCAN_FRACTION:
		case SCAN_EXPONENT_MARK:
		case SCAN_EXPONENT_SIGN:
		case SCAN_DIGITS:
		case SCAN_JUNK:
		case SCAN_DOT:
			p = scan_number(scan, p, end);
			break;
		case SCAN_DOLLAR:
		case SCAN_DOLLAR_TAG:
			p = scan_dollar(scan, p, end);
			break;
		case SCAN_DOLLAR_BODY:
			p = scan_dollar_body(scan, p, end);
			break;
		case SCAN_DASH:
		case SCAN_SLASH:
			p = scan_maybe_comment(scan, p);
			break;
		case SCAN_LINE_COMMENT:
			p = scan_line_comment(scan, p, end);
			break;
		case SCAN_COMMENT:
		case SCAN_COMMENT_STAR:
		case SCAN_COMMENT_SLASH:
			p = scan_comment(scan, p, end);
			break;
		case SCAN_QUOTE:
		case SCAN_QUOTE_END:
		case SCAN_ESCAPE:
		case SCAN_ESCAPE_SLASH:
		case SCAN_ESCAPE_END:
		case SCAN_BITS:
			p = scan_string(scan, p, end);
			break;
		case SCAN_IDENTIFIER:
			p = scan_identifier(scan, p, end);
			break;
		}
	}
	*ret_taken = (size_t)(p - (cursor)bytes);
	scan->fed += *ret_taken;
	scan->base = NULL;
	return stop;
}

const char *scan_finish(struct scan *scan, uint64_t *ret_open, uint64_t *ret_end)
{
	*ret_open = scan->open;
	switch (scan->state) {
	case SCAN_COMMENT:
	case SCAN_COMMENT_STAR:
	case SCAN_COMMENT_SLASH:
		return "comment";
	case SCAN_QUOTE:
	case SCAN_ESCAPE:
	case SCAN_ESCAPE_SLASH:
	case SCAN_BITS:
		return "quoted string";
	case SCAN_IDENTIFIER:
		return "quoted identifier";
	case SCAN_DOLLAR_BODY:
		return "dollar-quoted string";
	case SCAN_DASH:
	case SCAN_SLASH:
		scan_not_a_comment(scan);
		break;
	case SCAN_LINE_COMMENT:
		scan_end_comment(scan);
		break;
	default:
		break;
	}
	scan->state = SCAN_INITIAL;
	if (scan->paren_depth > 0) {
		*ret_open = scan->paren_open;
		return "parenthesis";
	}
	scan->atomic.depth = 0;
	*ret_end = scan->blank ? scan->blank_from : scan->fed;
	return NULL;
}
