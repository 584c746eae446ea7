#include "aws/query.h"

#include "base/mem.h"

#include <stdarg.h>
#include <string.h>

static bool is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static void add_encoded(struct strbuf *body, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (const char *c = text; *c; c++) {
		unsigned char byte = (unsigned char)*c;

		if (is_unreserved(*c)) {
			strbuf_addc(body, *c);
		} else {
			strbuf_addc(body, '%');
			strbuf_addc(body, digits[byte >> 4]);
			strbuf_addc(body, digits[byte & 15]);
		}
	}
}

void query_add(struct query *query, const char *value, const char *name_format, ...)
{
	CLEANUP(mem_cleanup) char *name = NULL;
	va_list arguments;

	va_start(arguments, name_format);
	name = mem_vprintf(name_format, arguments);
	va_end(arguments);
	/* Room for all of it at once, so that no copy of a password is left behind in memory. */
	if (!strbuf_grow_secret(&query->body, 3 * (strlen(name) + strlen(value)) + 2))
		BUG("a request is too long");
	if (query->body.length)
		strbuf_addc(&query->body, '&');
	add_encoded(&query->body, name);
	strbuf_addc(&query->body, '=');
	add_encoded(&query->body, value);
}

void query_add_bool(struct query *query, bool value, const char *name)
{
	query_add(query, value ? "true" : "false", "%s", name);
}

void query_add_int(struct query *query, long long value, const char *name)
{
	CLEANUP(mem_cleanup) char *text = mem_printf("%lld", value);

	query_add(query, text, "%s", name);
}

void query_release(struct query *query)
{
	strbuf_release_secret(&query->body);
}
