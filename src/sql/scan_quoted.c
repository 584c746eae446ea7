#include "sql/scan_internal.h"

#include <string.h>

cursor scan_dollar(struct scan *scan, cursor p, cursor end)
{
	cursor stop;

	if (scan->state == SCAN_DOLLAR) {
		if (is(*p, DIGIT)) {
			scan->state = SCAN_DIGITS;
			return p;
		}
		if (*p != '$' && !is(*p, WORD_START)) {
			scan->state = SCAN_INITIAL;
			return p;
		}
		strbuf_reset(&scan->tag);
		strbuf_addc(&scan->tag, '$');
		scan->state = SCAN_DOLLAR_TAG;
	}
	stop = skip(p, end, TAG_CONT);
	strbuf_add(&scan->tag, p, (size_t)(stop - p));
	if (stop == end)
		return stop;
	if (*stop == '$') {
		strbuf_addc(&scan->tag, '$');
		scan->tag_match = 0;
		scan->state = SCAN_DOLLAR_BODY;
		return stop + 1;
	}
	/* A lone $ and a word. */
	atomic_word_begin(&scan->atomic);
	atomic_word_add(&scan->atomic, (cursor)scan->tag.data + 1, scan->tag.length - 1);
	scan->state = SCAN_WORD;
	return stop;
}

cursor scan_dollar_body(struct scan *scan, cursor p, cursor end)
{
	while (p < end) {
		if (scan->tag_match == 0) {
			p = memchr(p, '$', (size_t)(end - p));
			if (!p)
				return end;
		} else if (*p != (unsigned char)scan->tag.data[scan->tag_match]) {
			/* The tag holds no $ inside: only this byte can begin it anew. */
			scan->tag_match = 0;
			continue;
		}
		p++;
		if (++scan->tag_match == scan->tag.length) {
			scan->state = SCAN_INITIAL;
			break;
		}
	}
	return p;
}

void scan_not_a_comment(struct scan *scan)
{
	scan->leading = false;
	scan->blank = false;
	scan->closed = SCAN_INITIAL;
	scan->state = SCAN_INITIAL;
}

static void begin_comment(struct scan *scan, enum scan_state state)
{
	if (!scan->blank) {
		scan->blank = true;
		scan->blank_from = scan->open;
	}
	scan->state = state;
}

void scan_end_comment(struct scan *scan)
{
	if (scan->leading) {
		scan->leading = false;
		scan->first = SCAN_NONE;
	}
	scan->state = SCAN_INITIAL;
}

cursor scan_comment(struct scan *scan, cursor p, cursor end)
{
	for (; p < end; p++) {
		if (*p == '/') {
			if (scan->state != SCAN_COMMENT_STAR) {
				scan->state = SCAN_COMMENT_SLASH;
			} else if (scan->comment_depth-- == 0) {
				scan->commented = true;
				scan_end_comment(scan);
				return p + 1;
			} else {
				scan->state = SCAN_COMMENT;
			}
		} else if (*p == '*') {
			if (scan->state == SCAN_COMMENT_SLASH) {
				scan->comment_depth++;
				scan->state = SCAN_COMMENT;
			} else {
				scan->state = SCAN_COMMENT_STAR;
			}
		} else {
			scan->state = SCAN_COMMENT;
		}
	}
	return p;
}

cursor scan_maybe_comment(struct scan *scan, cursor p)
{
	if (scan->state == SCAN_DASH && *p == '-') {
		begin_comment(scan, SCAN_LINE_COMMENT);
		return p + 1;
	}
	if (scan->state == SCAN_SLASH && *p == '*') {
		scan->comment_depth = 0;
		scan->closed = SCAN_INITIAL;
		begin_comment(scan, SCAN_COMMENT);
		return p + 1;
	}
	scan_not_a_comment(scan);
	return p;
}

cursor scan_line_comment(struct scan *scan, cursor p, cursor end)
{
	while (p < end && !is_newline(*p))
		p++;
	if (p < end)
		scan_end_comment(scan);
	return p;
}

/* To the delimiter, which is taken. */
static cursor scan_to(struct scan *scan, cursor p, cursor end, char delimiter, enum scan_state next)
{
	p = memchr(p, delimiter, (size_t)(end - p));
	if (!p)
		return end;
	scan->state = next;
	return p + 1;
}

static cursor scan_escape(struct scan *scan, cursor p, cursor end)
{
	if (scan->state == SCAN_ESCAPE_SLASH) {
		scan->state = SCAN_ESCAPE;
		p++;
	}
	for (; p < end; p++) {
		if (*p == '\'')
			scan->state = SCAN_ESCAPE_END;
		else if (*p == '\\')
			scan->state = SCAN_ESCAPE_SLASH;
		else
			continue;
		return p + 1;
	}
	return p;
}

static void string_closed(struct scan *scan, enum scan_state state)
{
	scan->closed = state;
	scan->closed_newline = false;
	scan->state = SCAN_INITIAL;
}

cursor scan_string(struct scan *scan, cursor p, cursor end)
{
	switch (scan->state) {
	case SCAN_QUOTE:
		return scan_to(scan, p, end, '\'', SCAN_QUOTE_END);
	case SCAN_BITS:
		p = scan_to(scan, p, end, '\'', SCAN_INITIAL);
		if (scan->state == SCAN_INITIAL)
			string_closed(scan, SCAN_BITS);
		return p;
	case SCAN_QUOTE_END:
	case SCAN_ESCAPE_END: {
		enum scan_state inside = scan->state == SCAN_QUOTE_END ? SCAN_QUOTE : SCAN_ESCAPE;

		if (*p != '\'') {
			string_closed(scan, inside);
			return p;
		}
		scan->state = inside;
		return p + 1;
	}
	default:
		return scan_escape(scan, p, end);
	}
}

cursor scan_identifier(struct scan *scan, cursor p, cursor end)
{
	/* Two quotes end one and begin another, which comes to the same. */
	return scan_to(scan, p, end, '"', SCAN_INITIAL);
}
