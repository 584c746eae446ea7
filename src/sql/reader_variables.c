/* References to variables in SQL. */
#include "base/mem.h"
#include "sql/reader_internal.h"

#include <string.h>

struct reference {
	enum variable_form form;
	bool test; /* :{?name} */
	const char *name;
	size_t name_length;
	size_t length; /* of the whole; without a name: of what is passed over */
};

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || (unsigned char)c >= 0x80;
}

/* What stands at a colon; without a name it is none. */
static struct reference parse_reference(const char *bytes, size_t length)
{
	struct reference reference = { .length = 1 };
	size_t at = 1, name;
	char close = '\0';

	if (length > 1 && (bytes[1] == ':' || bytes[1] == '=')) {
		reference.length = 2;
		return reference;
	}
	if (length > 1 && (bytes[1] == '\'' || bytes[1] == '"')) {
		close = bytes[at++];
		reference.form = close == '"' ? VARIABLE_IDENTIFIER : VARIABLE_LITERAL;
	} else if (length > 2 && bytes[1] == '{' && bytes[2] == '?') {
		close = '}';
		at = 3;
		reference.test = true;
	}
	name = at;
	while (at < length && is_name(bytes[at]))
		at++;
	if (at == name || (close && (at == length || bytes[at] != close)))
		return reference;
	reference.name = bytes + name;
	reference.name_length = at - name;
	reference.length = close ? at + 1 : at;
	return reference;
}

static int expand(struct script_reader *reader, const char *name, char *value, const char *bytes,
	size_t length)
{
	if (reader->depth == 0) {
		strbuf_reset(&reader->reference);
		strbuf_add(&reader->reference, bytes, length);
		reader->reference_position = reader->position;
		if (reader->scan.first != SCAN_NONE) {
			reader_piece(reader, true);
			strbuf_add(&reader->detail->raw, bytes, length);
		}
	}
	reader_pass(reader, bytes, length);
	reader_expand(reader, name, value);
	return 0;
}

int reader_colon(struct script_reader *reader, struct err *err)
{
	CLEANUP(mem_cleanup) char *name = NULL;
	CLEANUP(mem_cleanup) char *value = NULL;
	struct reference reference;
	const char *bytes;
	size_t length;

	if (reader_rest_of_line(reader, &bytes, &length, err) != 0)
		return -1;
	reference = parse_reference(bytes, length);
	if (!reference.name || !reader->variables || reader->inactive)
		return reader_take(reader, bytes, reference.length, bytes, reference.length, err);
	name = mem_strndup(reference.name, reference.name_length);
	if (reader->variables->get(reader->variables->context, name, reference.form, &value, err) !=
		0) {
		/* Of a statement that had to be run first? */
		if (!err->place.file)
			return reader_fail_here(reader, err);
		reader->failed = true;
		return -1;
	}
	if (reference.test) {
		const char *answer = value ? "TRUE" : "FALSE";

		return reader_take(reader, bytes, reference.length, answer, strlen(answer), err);
	}
	if (!value || (reference.form == VARIABLE_PLAIN && reader_is_expanding(reader, name)))
		return reader_take(reader, bytes, reference.length, bytes, reference.length, err);
	if (reference.form != VARIABLE_PLAIN)
		return reader_take(reader, bytes, reference.length, value, strlen(value), err);
	return expand(reader, name, take_ptr(value), bytes, reference.length);
}
