#include "sql/encoding.h"

#include <string.h>

/* PostgreSQL's NAMEDATALEN: it takes no longer name for an encoding's, whatever is in it. */
#define NAME_SIZE 64

/* Keeps what counts in a name; false: it cannot be one. */
static bool clean(const char *name, char *out)
{
	if (strlen(name) >= NAME_SIZE)
		return false;
	for (; *name; name++) {
		if (*name >= 'A' && *name <= 'Z')
			*out++ = (char)(*name - 'A' + 'a');
		else if ((*name >= 'a' && *name <= 'z') || (*name >= '0' && *name <= '9'))
			*out++ = *name;
	}
	*out = '\0';
	return true;
}

enum encoding encoding_by_name(const char *name)
{
	static const struct {
		const char *name;
		enum encoding encoding;
	} names[] = {
		{ "big5", ENCODING_BIG5 },
		{ "gb18030", ENCODING_GB18030 },
		{ "gbk", ENCODING_GBK },
		{ "johab", ENCODING_JOHAB },
		{ "mskanji", ENCODING_SJIS },
		{ "shiftjis", ENCODING_SJIS },
		{ "shiftjis2004", ENCODING_SJIS },
		{ "sjis", ENCODING_SJIS },
		{ "uhc", ENCODING_UHC },
		{ "win932", ENCODING_SJIS },
		{ "win936", ENCODING_GBK },
		{ "win949", ENCODING_UHC },
		{ "win950", ENCODING_BIG5 },
		{ "windows932", ENCODING_SJIS },
		{ "windows936", ENCODING_GBK },
		{ "windows949", ENCODING_UHC },
		{ "windows950", ENCODING_BIG5 },
	};
	char key[NAME_SIZE];

	if (!clean(name, key))
		return ENCODING_SAFE;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(key, names[i].name) == 0)
			return names[i].encoding;
	return ENCODING_SAFE;
}

/* How many bytes follow the first of a character; for GB18030 before the second is known. */
static unsigned following(enum encoding encoding, unsigned char first)
{
	if (first < 0x80 || encoding == ENCODING_SAFE)
		return 0;
	if (encoding == ENCODING_SJIS && first >= 0xa1 && first <= 0xdf)
		return 0;
	/* No such code in Johab, but PostgreSQL 15 measures it as EUC. */
	if (encoding == ENCODING_JOHAB && first == 0x8f)
		return 2;
	return 1;
}

/* The second byte of a GB18030 character of four bytes. */
static bool is_long(char second)
{
	return second >= '0' && second <= '9';
}

void encoding_hide(enum encoding encoding, struct encoding_state *state, const char *bytes,
	size_t length, char *out)
{
	for (size_t i = 0; i < length; i++) {
		if (state->left == 0 || bytes[i] == '\n') {
			state->left = following(encoding, (unsigned char)bytes[i]);
			state->undecided = encoding == ENCODING_GB18030 && state->left > 0;
			out[i] = bytes[i];
			continue;
		}
		state->left--;
		if (state->undecided && is_long(bytes[i]))
			state->left = 2;
		state->undecided = false;
		out[i] = (char)0xff;
	}
}

size_t encoding_step(enum encoding encoding, const char *bytes, size_t length)
{
	size_t step = 1 + following(encoding, (unsigned char)bytes[0]);

	if (encoding == ENCODING_GB18030 && step > 1 && length > 1 && is_long(bytes[1]))
		step = 4;
	return step < length ? step : length;
}
