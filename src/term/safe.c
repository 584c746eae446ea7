#include "term/safe.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <string.h>

struct code_range {
	uint32_t first, last;
};

/* East Asian Wide and Fullwidth, and pictographs (Unicode 15, TR 11), in coarse blocks. */
static const struct code_range wide[] = {
	{ 0x1100, 0x115F },
	{ 0x2E80, 0x303E },
	{ 0x3041, 0x33FF },
	{ 0x3400, 0x4DBF },
	{ 0x4E00, 0x9FFF },
	{ 0xA000, 0xA4CF },
	{ 0xAC00, 0xD7A3 },
	{ 0xF900, 0xFAFF },
	{ 0xFE30, 0xFE6F },
	{ 0xFF00, 0xFF60 },
	{ 0xFFE0, 0xFFE6 },
	{ 0x1F300, 0x1F64F },
	{ 0x1F680, 0x1F6FF },
	{ 0x1F900, 0x1F9FF },
	{ 0x20000, 0x3FFFD },
};

static const struct code_range combining[] = {
	{ 0x300, 0x36F },
	{ 0x1AB0, 0x1AFF },
	{ 0x1DC0, 0x1DFF },
	{ 0x20D0, 0x20FF },
	{ 0xFE00, 0xFE0F },
	{ 0xFE20, 0xFE2F },
};

static bool in_ranges(uint32_t code, const struct code_range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

static void add_control(struct strbuf *out, unsigned char c)
{
	switch (c) {
	case '\n':
		strbuf_adds(out, "\\n");
		break;
	case '\r':
		strbuf_adds(out, "\\r");
		break;
	case '\t':
		strbuf_adds(out, "\\t");
		break;
	default:
		strbuf_addf(out, "\\x%02X", c);
	}
}

void safe_add(struct strbuf *out, const char *text, size_t length, enum safe_mode mode)
{
	size_t at = 0;

	while (at < length) {
		unsigned char c = (unsigned char)text[at];
		uint32_t code;
		size_t size = utf8_decode(text + at, length - at, &code);

		if (size == 0) {
			strbuf_addf(out, "\\x%02X", c);
			size = 1;
		} else if (code < 0x20 || code == 0x7F) {
			if (mode == SAFE_LINES && (c == '\n' || c == '\t'))
				strbuf_addc(out, (char)c);
			else
				add_control(out, c);
		} else if (utf8_is_hidden(code)) {
			strbuf_addf(out, code < 0x100 ? "\\x%02X" : "\\u%04X", code);
		} else {
			strbuf_add(out, text + at, size);
		}
		at += size;
	}
}

char *safe_text(const char *text, enum safe_mode mode)
{
	struct strbuf out = STRBUF_INIT;

	if (!text)
		return NULL;
	safe_add(&out, text, strlen(text), mode);
	return strbuf_detach(&out);
}

size_t safe_width(const char *text, size_t length)
{
	size_t width = 0;
	size_t at = 0;

	while (at < length) {
		uint32_t code;
		size_t size = utf8_decode(text + at, length - at, &code);

		if (size == 0) {
			size = 1;
			width++;
		} else if (in_ranges(code, wide, ARRAY_SIZE(wide))) {
			width += 2;
		} else if (!in_ranges(code, combining, ARRAY_SIZE(combining))) {
			width++;
		}
		at += size;
	}
	return width;
}
