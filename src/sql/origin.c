#include "sql/origin.h"

#include "base/mem.h"
#include "sql/reader.h"

#include <string.h>

struct origin_detail *origin_detail_new(void)
{
	struct origin_detail *detail = mem_calloc(1, sizeof(*detail));

	strbuf_init(&detail->raw, 2 * SCRIPT_STATEMENT_CEILING);
	detail->joint = SIZE_MAX;
	return detail;
}

struct origin_detail *origin_detail_copy(const struct origin_detail *detail)
{
	struct origin_detail *copy;

	if (!detail)
		return NULL;
	copy = origin_detail_new();
	copy->substituted = detail->substituted;
	copy->joint = detail->joint;
	copy->joint_position = detail->joint_position;
	strbuf_add(&copy->raw, detail->raw.data, detail->raw.length);
	copy->count = copy->capacity = detail->count;
	copy->pieces = mem_resize(NULL, detail->count, sizeof(*copy->pieces));
	if (detail->count > 0)
		memcpy(copy->pieces, detail->pieces, detail->count * sizeof(*copy->pieces));
	return copy;
}

void origin_detail_free(struct origin_detail *detail)
{
	if (!detail)
		return;
	strbuf_release(&detail->raw);
	mem_free(detail->pieces);
	mem_free(detail);
}

/* Where in the raw text a byte of the text stands. */
static size_t raw_offset(const struct origin_detail *detail, size_t at)
{
	size_t low = 0, high = detail->count;
	const struct origin_piece *piece;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (detail->pieces[middle].text_at <= at)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return at < detail->raw.length ? at : detail->raw.length;
	piece = &detail->pieces[low - 1];
	if (piece->fixed)
		return piece->raw_at;
	at = piece->raw_at + (at - piece->text_at);
	return at < detail->raw.length ? at : detail->raw.length;
}

struct raw {
	const char *text;
	size_t length;
	size_t at;
};

static struct raw to_raw(
	const struct script_origin *origin, const char *text, size_t length, size_t at)
{
	const struct origin_detail *detail = origin->detail;

	if (detail && detail->substituted)
		return (struct raw){ detail->raw.data, detail->raw.length, raw_offset(detail, at) };
	return (struct raw){ text ? text : "", length, at < length ? at : length };
}

static void advance(const struct script_origin *origin, const struct raw *raw, size_t at,
	struct position *position)
{
	const struct origin_detail *detail = origin->detail;

	*position = origin->start;
	if (detail && at >= detail->joint) {
		*position = detail->joint_position;
		position_advance(position, raw->text + detail->joint, at - detail->joint);
	} else {
		position_advance(position, raw->text, at);
	}
}

void origin_place(const struct script_origin *origin, const char *text, size_t length, size_t at,
	struct err *err)
{
	struct raw raw = to_raw(origin, text, length, at);
	struct err_place *place = &err->place;
	char *file = mem_strdup(origin->file);
	struct position position;

	advance(origin, &raw, raw.at, &position);
	mem_free(place->file);
	mem_free(place->excerpt);
	*place = (struct err_place){
		.file = file, .line = position.line, .column = position.column
	};
	position_excerpt(&origin->start, raw.text, raw.length, raw.at, place);
}

size_t origin_line(const struct script_origin *origin, const char *text, size_t length, size_t at)
{
	struct raw raw = to_raw(origin, text, length, at);
	struct position position;

	advance(origin, &raw, raw.at, &position);
	return position.line;
}
