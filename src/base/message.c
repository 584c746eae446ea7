#include "base/message.h"

#include "base/mem.h"
#include "base/redact.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

struct formatter {
	const char *at; /* in the format */
	struct strbuf *out;
	va_list *arguments;
	bool everywhere; /* not only in quotes is text kept to one line */
	bool is_data;    /* passwords are what was asked for */
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

	/* Here it is known where each text ends. */
	if (conversion.kind == 's' && !formatter->is_data) {
		char *shown = redact_text(text);

		mem_free(text);
		text = shown;
	}
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

static char *vformat(const char *format, va_list arguments, bool is_data)
{
	struct strbuf text = STRBUF_INIT_UNBOUNDED;
	va_list copy;
	struct formatter formatter = { .at = format, .out = &text, .is_data = is_data };

	va_copy(copy, arguments);
	formatter.arguments = &copy;
	run(&formatter);
	va_end(copy);
	return strbuf_detach(&text);
}

char *message_vformat(const char *format, va_list arguments)
{
	return vformat(format, arguments, false);
}

char *message_vformat_data(const char *format, va_list arguments)
{
	return vformat(format, arguments, true);
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

/* Whether a terminal is shown the word as it is. */
static bool is_printed(const char *word)
{
	size_t left = strlen(word), size;
	uint32_t code;

	for (; left > 0; word += size, left -= size) {
		size = utf8_decode(word, left, &code);
		if (size == 0 || utf8_is_hidden(code))
			return false;
	}
	return true;
}

static void add_escaped(struct strbuf *out, const char *at, size_t size)
{
	static const char characters[] = "\n\t\r\033\\'", letters[] = "ntre\\'";
	const char *found = size == 1 ? strchr(characters, *at) : NULL;

	if (found) {
		strbuf_addf(out, "\\%c", letters[found - characters]);
		return;
	}
	for (size_t i = 0; i < size; i++)
		strbuf_addf(out, "\\x%02X", (unsigned char)at[i]);
}

/* $'…' of bash and zsh. */
static char *ansi_c_word(const char *word)
{
	struct strbuf text = STRBUF_INIT_UNBOUNDED;
	size_t left = strlen(word), size;

	strbuf_adds(&text, "$'");
	for (; left > 0; word += size, left -= size) {
		uint32_t code = 0;

		size = utf8_decode(word, left, &code);
		if (size == 0 || utf8_is_hidden(code) || strchr("\\'", *word))
			add_escaped(&text, word, size ? size : 1);
		else
			strbuf_add(&text, word, size);
		if (size == 0)
			size = 1;
	}
	strbuf_addc(&text, '\'');
	return strbuf_detach(&text);
}

char *message_shell_word(const char *word)
{
	CLEANUP(mem_cleanup) char *shown = redact_text(word);
	struct strbuf text = STRBUF_INIT_UNBOUNDED;

	if (!is_printed(shown))
		return ansi_c_word(shown);
	strbuf_add_shell_word(&text, shown);
	return strbuf_detach(&text);
}
