#include "base/utf8.h"

size_t utf8_decode(const char *text, size_t length, uint32_t *ret_code)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = (unsigned char)text[0];
	size_t size;
	uint32_t code;

	if (first < 0x80) {
		*ret_code = first;
		return 1;
	}
	if (first >= 0xC2 && first <= 0xDF) {
		size = 2;
		code = first & 0x1Fu;
	} else if (first >= 0xE0 && first <= 0xEF) {
		size = 3;
		code = first & 0x0Fu;
	} else if (first >= 0xF0 && first <= 0xF4) {
		size = 4;
		code = first & 0x07u;
	} else {
		return 0;
	}
	if (size > length)
		return 0;
	for (size_t i = 1; i < size; i++) {
		unsigned char next = (unsigned char)text[i];

		if ((next & 0xC0u) != 0x80)
			return 0;
		code = code << 6 | (next & 0x3Fu);
	}
	if (code < smallest[size] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		return 0;
	*ret_code = code;
	return size;
}

bool utf8_is_hidden(uint32_t code)
{
	/* Characters that change what a reader sees without being seen: bidirectional controls
	 * (trojansource.codes), separators, zero-width and tag characters. */
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{ 0x80, 0x9F },
		{ 0xAD, 0xAD },
		{ 0x61C, 0x61C },
		{ 0x180E, 0x180E },
		{ 0x200B, 0x200F },
		{ 0x2028, 0x202E },
		{ 0x2060, 0x206F },
		{ 0xFEFF, 0xFEFF },
		{ 0xFFF9, 0xFFFB },
		{ 0xE0000, 0xE007F },
	};

	if (code < 0x20 || code == 0x7F)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		if (code >= hidden[i].first && code <= hidden[i].last)
			return true;
	return false;
}
