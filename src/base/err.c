#include "base/err.h"

#include "base/mem.h"
#include "base/message.h"

#include <errno.h>
#include <string.h>

static const struct {
	enum err_kind kind;
	int status;
	const char *text;
} err_kinds[] = {
#define X(kind, status, text) { ERR_##kind, status, text },
	ERR_KINDS(X)
#undef X
};

void err_release(struct err *err)
{
	mem_free(err->message);
	mem_free(err->detail);
	mem_free(err->hint);
	mem_free(err->context);
	mem_free(err->note);
	mem_free(err->severity);
	mem_free(err->place.file);
	mem_free(err->place.excerpt);
	*err = (struct err)ERR_INIT;
}

int err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
	va_list arguments;
	char *message;

	/* Formatted first: an argument may be a text of the object itself. */
	va_start(arguments, format);
	message = message_vformat(format, arguments);
	va_end(arguments);
	err_release(err);
	err->kind = kind;
	err->message = message;
	return -1;
}

static void replace(char **field, const char *format, va_list arguments)
{
	char *text = message_vformat(format, arguments);

	mem_free(*field);
	*field = text;
}

void err_detail(struct err *err, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	replace(&err->detail, format, arguments);
	va_end(arguments);
}

void err_hint(struct err *err, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	replace(&err->hint, format, arguments);
	va_end(arguments);
}

static void add_line(char **field, const char *line)
{
	char *text = *field ? mem_printf("%s\n%s", *field, line) : mem_strdup(line);

	mem_free(*field);
	*field = text;
}

static bool ends_with_line(const char *text, const char *line)
{
	const char *last = text ? strrchr(text, '\n') : NULL;

	return text && strcmp(last ? last + 1 : text, line) == 0;
}

void err_detail_line(struct err *err, const char *format, ...)
{
	CLEANUP(mem_cleanup) char *line = NULL;
	va_list arguments;

	va_start(arguments, format);
	line = message_vformat(format, arguments);
	va_end(arguments);
	add_line(&err->detail, line);
}

void err_note_line(struct err *err, const char *format, ...)
{
	CLEANUP(mem_cleanup) char *line = NULL;
	va_list arguments;

	va_start(arguments, format);
	line = message_vformat(format, arguments);
	va_end(arguments);
	if (!ends_with_line(err->note, line))
		add_line(&err->note, line);
}

int err_errno(struct err *err, const char *format, ...)
{
	int saved = errno;
	va_list arguments;
	CLEANUP(mem_cleanup) char *what = NULL;

	va_start(arguments, format);
	what = message_vformat(format, arguments);
	va_end(arguments);
	return err_set(err, ERR_FAILED, "%s: %s", what, strerror(saved));
}

int err_exit_status(enum err_kind kind)
{
	if (kind == ERR_NONE)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(err_kinds); i++)
		if (err_kinds[i].kind == kind)
			return err_kinds[i].status;
	return 1;
}

const char *err_kind_text(size_t index, int *ret_status)
{
	if (index >= ARRAY_SIZE(err_kinds))
		return NULL;
	*ret_status = err_kinds[index].status;
	return err_kinds[index].text;
}
