#include "sql/inputs_dates.h"

#include <string.h>
#include <strings.h>

enum class {
	CLASS_OPEN = 1,  /* an element may begin behind it */
	CLASS_CLOSE = 2, /* an element ends before it */
	CLASS_BEGIN = 4, /* what a date with such a word may begin with */
	CLASS_TIME = 8,  /* what may stand before and between the words of it */
	CLASS_LETTER = 16,
	CLASS_JOIN = 32, /* holds words together: America/New_York, PST8PDT */
};

static const unsigned char classes[256] = {
	['\0' ... '\x08'] = CLASS_OPEN | CLASS_CLOSE,
	['\t' ... '\r'] = CLASS_OPEN | CLASS_CLOSE | CLASS_BEGIN | CLASS_TIME,
	['\x0e' ... '\x1f'] = CLASS_OPEN | CLASS_CLOSE,
	[' '] = CLASS_BEGIN | CLASS_TIME,
	['"'] = CLASS_OPEN | CLASS_CLOSE | CLASS_BEGIN,
	['\''] = CLASS_OPEN | CLASS_CLOSE | CLASS_BEGIN,
	['('] = CLASS_OPEN | CLASS_CLOSE | CLASS_BEGIN,
	[')'] = CLASS_CLOSE,
	[','] = CLASS_OPEN | CLASS_CLOSE | CLASS_BEGIN,
	[';'] = CLASS_OPEN | CLASS_CLOSE,
	['['] = CLASS_OPEN | CLASS_CLOSE | CLASS_BEGIN,
	[']'] = CLASS_CLOSE,
	['{'] = CLASS_OPEN | CLASS_CLOSE | CLASS_BEGIN,
	['|'] = CLASS_OPEN | CLASS_CLOSE,
	['}'] = CLASS_CLOSE,
	['+'] = CLASS_BEGIN | CLASS_TIME | CLASS_JOIN,
	['-'] = CLASS_BEGIN | CLASS_TIME | CLASS_JOIN,
	['.'] = CLASS_BEGIN | CLASS_TIME,
	['/'] = CLASS_JOIN,
	['0' ... '9'] = CLASS_BEGIN | CLASS_TIME | CLASS_JOIN,
	[':'] = CLASS_BEGIN | CLASS_TIME,
	['_'] = CLASS_JOIN,
	['A'] = CLASS_BEGIN | CLASS_LETTER,
	['B' ... 'F'] = CLASS_LETTER,
	['G'] = CLASS_BEGIN | CLASS_LETTER,
	['H' ... 'M'] = CLASS_LETTER,
	['N'] = CLASS_BEGIN | CLASS_LETTER,
	['O'] = CLASS_LETTER,
	['P'] = CLASS_BEGIN | CLASS_LETTER,
	['Q' ... 'S'] = CLASS_LETTER,
	['T' ... 'U'] = CLASS_BEGIN | CLASS_LETTER,
	['V' ... 'X'] = CLASS_LETTER,
	['Y' ... 'Z'] = CLASS_BEGIN | CLASS_LETTER,
	['a'] = CLASS_BEGIN | CLASS_LETTER,
	['b' ... 'f'] = CLASS_LETTER,
	['g'] = CLASS_BEGIN | CLASS_LETTER,
	['h' ... 'm'] = CLASS_LETTER,
	['n'] = CLASS_BEGIN | CLASS_LETTER,
	['o'] = CLASS_LETTER,
	['p'] = CLASS_BEGIN | CLASS_LETTER,
	['q' ... 's'] = CLASS_LETTER,
	['t' ... 'u'] = CLASS_BEGIN | CLASS_LETTER,
	['v' ... 'x'] = CLASS_LETTER,
	['y' ... 'z'] = CLASS_BEGIN | CLASS_LETTER,
	[0x80 ... 0xff] = CLASS_LETTER,
};

static bool is(char c, enum class class)
{
	return (classes[(unsigned char)c] & class) != 0;
}

static bool in_list(const char *const *list, size_t count, const char *word, size_t length)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(list[i]) == length && strncasecmp(list[i], word, length) == 0)
			return true;
	return false;
}

static bool is_relative(const char *word, size_t length)
{
	static const char *const words[] = { "allballs", "now", "today", "tomorrow", "yesterday" };

	return in_list(words, ARRAY_SIZE(words), word, length);
}

/* What may stand beside today, besides one time zone. */
static bool is_time(const char *word, size_t length)
{
	static const char *const words[] = { "ad", "allballs", "am", "at", "bc", "dst", "gmt", "on",
		"pm", "t", "utc", "z", "zulu", "sun", "sunday", "mon", "monday", "tue", "tues",
		"tuesday", "wed", "weds", "wednesday", "thu", "thur", "thurs", "thursday", "fri",
		"friday", "sat", "saturday" };

	return in_list(words, ARRAY_SIZE(words), word, length);
}

static const char *skip(const char *p, const char *end, enum class class)
{
	while (p < end && is(*p, class))
		p++;
	return p;
}

/* The server refuses two words that it does not know, even if one may be a time zone. */
static bool may_be_rest(const char *p, const char *end)
{
	size_t unknown = 0;
	bool joined = false;

	while (p < end && !is(*p, CLASS_CLOSE)) {
		const char *from = p;

		if (!is(*p, CLASS_LETTER)) {
			joined = is(*p++, CLASS_JOIN);
			continue;
		}
		p = skip(p, end, CLASS_LETTER);
		if (!is_time(from, (size_t)(p - from)) && !joined && ++unknown > 1)
			return false;
	}
	return true;
}

/* At the beginning of an element. */
static const char *match(const char *p, const char *end, size_t *ret_length)
{
	for (;;) {
		const char *from = skip(p, end, CLASS_TIME);

		p = skip(from, end, CLASS_LETTER);
		if (p == from || (p < end && *p == '_'))
			return NULL;
		*ret_length = (size_t)(p - from);
		if (is_relative(from, *ret_length))
			return may_be_rest(p, end) ? from : NULL;
		if (!is_time(from, *ret_length))
			return NULL;
	}
}

const char *dates_find(const char *text, size_t length, size_t *ret_length)
{
	const char *end = text + length, *p = text, *found;

	if (length < 3)
		return NULL;
	do {
		if (is(*p, CLASS_BEGIN) && (found = match(p, end, ret_length)))
			return found;
		while (p < end && !is(*p, CLASS_OPEN))
			p++;
		p++;
	} while (p < end);
	return NULL;
}
