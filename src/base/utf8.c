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
