#include "base/message.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

struct formatter {
	const char *at; /* in the format */
	struct strbuf *out;
	va_list *arguments;
	bool everywhere; /* not only in quotes is text kept to one line */
	bool quoted;
};

/* A conversion, with its own argument to come: widths that were arguments are written out. */
struct conversion {
	char text[64];
	int longs; /* how many l */
	bool is_size;
	char kind;
};

static void add_line(struct strbuf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			strbuf_adds(out, "\\n");
		else if (*text == '\t')
			strbuf_adds(out, "\\t");
		else
			strbuf_addc(out, *text);
	}
}

/* The analyzer does not follow a list of arguments into a structure. */
/* NOLINTBEGIN(clang-analyzer-valist.Uninitialized) */

/* From behind the percent sign on. */
static struct conversion read_conversion(struct formatter *formatter)
{
	struct conversion conversion = { .text = "%" };
	size_t used = 1;

	for (;; formatter->at++) {
		const char c = *formatter->at;

		if (!c || used + 16 > sizeof(conversion.text))
			BUG("a message's format cannot be read");
		if (c == '*') {
			used += (size_t)snprintf(conversion.text + used,
				sizeof(conversion.text) - used, "%d",
				va_arg(*formatter->arguments, int));
			continue;
		}
		conversion.text[used++] = c;
		if (c == 'l')
			conversion.longs++;
		else if (c == 'z')
			conversion.is_size = true;
		else if (!strchr("-+ #0123456789.", c))
			break;
	}
	conversion.kind = *formatter->at++;
	return conversion;
}

/* Each type has to be fetched, and given on, as what it is. */
static char *convert_number(struct formatter *formatter, const struct conversion *conversion)
{
	const char *format = conversion->text;

	if (conversion->is_size)
		return mem_printf(format, va_arg(*formatter->arguments, size_t));
	if (conversion->longs > 1)
		return mem_printf(format, va_arg(*formatter->arguments, long long));
	if (conversion->longs == 1)
		return mem_printf(format, va_arg(*formatter->arguments, long));
	return mem_printf(format, va_arg(*formatter->arguments, int));
}

static char *convert(struct formatter *formatter, const struct conversion *conversion)
{
	switch (conversion->kind) {
	case 'd':
	case 'i':
	case 'u':
	case 'x':
	case 'X':
	case 'c':
		return convert_number(formatter, conversion);
	case 'f':
	case 'g':
		return mem_printf(conversion->text, va_arg(*formatter->arguments, double));
	case 's':
		return mem_printf(conversion->text, va_arg(*formatter->arguments, const char *));
	default:
		BUG("a message's format has a conversion that is not known");
	}
}

/* NOLINTEND(clang-analyzer-valist.Uninitialized) */

static void add_converted(struct formatter *formatter)
{
	const struct conversion conversion = read_conversion(formatter);
	CLEANUP(mem_cleanup) char *text = convert(formatter, &conversion);

	if (conversion.kind == 's' && (formatter->everywhere || formatter->quoted))
		add_line(formatter->out, text);
	else
		strbuf_adds(formatter->out, text);
}

static void run(struct formatter *formatter)
{
	while (*formatter->at) {
		const char c = *formatter->at++;

		if (c == '%' && *formatter->at != '%') {
			add_converted(formatter);
			continue;
		}
		if (c == '%')
			formatter->at++;
		formatter->quoted ^= c == '"';
		strbuf_addc(formatter->out, c);
	}
}

char *message_vformat(const char *format, va_list arguments)
{
	struct strbuf text = STRBUF_INIT_UNBOUNDED;
	va_list copy;
	struct formatter formatter = { .at = format, .out = &text };

	va_copy(copy, arguments);
	formatter.arguments = &copy;
	run(&formatter);
	va_end(copy);
	return strbuf_detach(&text);
}

char *message_format(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = message_vformat(format, arguments);
	va_end(arguments);
	return text;
}

char *message_line(const char *format, ...)
{
	struct strbuf text = STRBUF_INIT_UNBOUNDED;
	va_list arguments;
	struct formatter formatter = { .at = format, .out = &text, .everywhere = true };

	va_start(arguments, format);
	formatter.arguments = &arguments;
	run(&formatter);
	va_end(arguments);
	return strbuf_detach(&text);
}

void message_add(struct strbuf *list, const char *format, ...)
{
	va_list arguments;
	struct formatter formatter = { .at = format, .out = list, .everywhere = true };

	va_start(arguments, format);
	formatter.arguments = &arguments;
	run(&formatter);
	va_end(arguments);
}

char *message_shell_word(const char *word)
{
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT_UNBOUNDED;

	strbuf_add_shell_word(&text, word);
	return message_line("%s", text.data);
}
