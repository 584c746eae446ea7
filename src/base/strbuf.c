#include "base/strbuf.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* Shared by all empty buffers; never written to, as capacity is 0 there. */
char strbuf_empty[1];

void strbuf_init(struct strbuf *buf, size_t ceiling)
{
	*buf = (struct strbuf){ .data = strbuf_empty, .ceiling = ceiling };
}

void strbuf_release(struct strbuf *buf)
{
	if (buf->capacity)
		mem_free(buf->data);
	strbuf_init(buf, buf->ceiling);
}

void strbuf_release_secret(struct strbuf *buf)
{
	if (buf->capacity)
		mem_wipe(buf->data, buf->capacity);
	strbuf_release(buf);
}

void strbuf_reset(struct strbuf *buf)
{
	buf->length = 0;
	if (buf->capacity)
		buf->data[0] = '\0';
}

/* The capacity to have for extra more bytes: as it is when they fit; 0: past the ceiling. */
static size_t capacity_for(const struct strbuf *buf, size_t extra)
{
	size_t needed, capacity;

	if (extra > buf->ceiling || buf->length > buf->ceiling - extra)
		return 0;
	needed = buf->length + extra + 1;
	if (needed <= buf->capacity)
		return buf->capacity;
	capacity = buf->capacity + buf->capacity / 2;
	if (capacity < needed)
		capacity = needed;
	return capacity < 64 ? 64 : capacity;
}

bool strbuf_grow(struct strbuf *buf, size_t extra)
{
	size_t capacity = capacity_for(buf, extra);

	if (capacity == 0)
		return false;
	if (capacity == buf->capacity)
		return true;
	if (buf->capacity) {
		buf->data = mem_resize(buf->data, capacity, 1);
	} else {
		buf->data = mem_resize(NULL, capacity, 1);
		buf->data[0] = '\0';
	}
	buf->capacity = capacity;
	return true;
}

bool strbuf_grow_secret(struct strbuf *buf, size_t extra)
{
	size_t capacity = capacity_for(buf, extra);
	char *data;

	if (capacity == 0)
		return false;
	if (capacity == buf->capacity)
		return true;
	data = mem_resize(NULL, capacity, 1);
	memcpy(data, buf->data, buf->length + 1);
	if (buf->capacity) {
		mem_wipe(buf->data, buf->capacity);
		mem_free(buf->data);
	}
	buf->data = data;
	buf->capacity = capacity;
	return true;
}

void strbuf_add(struct strbuf *buf, const void *bytes, size_t length)
{
	if (length == 0)
		return;
	if (!strbuf_grow(buf, length))
		BUG("buffer ceiling passed without being checked");
	memcpy(buf->data + buf->length, bytes, length);
	buf->length += length;
	buf->data[buf->length] = '\0';
}

void strbuf_adds(struct strbuf *buf, const char *text)
{
	strbuf_add(buf, text, strlen(text));
}

void strbuf_addc(struct strbuf *buf, char c)
{
	strbuf_add(buf, &c, 1);
}

void strbuf_add_shell_word(struct strbuf *buf, const char *word)
{
	bool plain =
		*word && word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					   "0123456789._-:/=+,@%")] == '\0';

	if (plain) {
		strbuf_adds(buf, word);
		return;
	}
	strbuf_addc(buf, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			strbuf_adds(buf, "'\\''");
		else
			strbuf_addc(buf, *word);
	}
	strbuf_addc(buf, '\'');
}

void strbuf_vaddf(struct strbuf *buf, const char *format, va_list arguments)
{
	char *text = mem_vprintf(format, arguments);

	strbuf_adds(buf, text);
	mem_free(text);
}

void strbuf_addf(struct strbuf *buf, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	strbuf_vaddf(buf, format, arguments);
	va_end(arguments);
}

void strbuf_truncate(struct strbuf *buf, size_t length)
{
	if (length > buf->length)
		BUG("truncating a buffer to more than it holds");
	buf->length = length;
	if (buf->capacity)
		buf->data[length] = '\0';
}

void strbuf_consume(struct strbuf *buf, size_t length)
{
	if (length > buf->length)
		BUG("consuming more than the buffer holds");
	if (length == 0)
		return;
	memmove(buf->data, buf->data + length, buf->length - length);
	strbuf_truncate(buf, buf->length - length);
}

char *strbuf_detach(struct strbuf *buf)
{
	char *text = buf->capacity ? buf->data : mem_strdup("");

	buf->capacity = 0;
	strbuf_init(buf, buf->ceiling);
	return text;
}
