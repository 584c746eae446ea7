#include "pg/mark.h"

#include "base/mem.h"
#include "base/strbuf.h"

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char opening[] = "[dbrig:";
#define OPENING_LENGTH (sizeof(opening) - 1)

/* "2026-11-21T15:00:03Z" and a NUL, with room for what a wrong clock may give. */
#define TIME_TEXT_SIZE 32
#define TIME_FORMAT "%Y-%m-%dT%H:%M:%SZ"

#define HOST_SIZE 256

static const struct {
	const char *word;
	enum mark_kind kind;
} kinds[] = {
#define X(name, text) { text, MARK_##name },
	MARK_KINDS(X)
#undef X
};

static const char *kind_word(enum mark_kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].kind == kind)
			return kinds[i].word;
	BUG("a mark without a kind");
}

static enum mark_kind kind_of(const char *word, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strlen(kinds[i].word) == length && memcmp(kinds[i].word, word, length) == 0)
			return kinds[i].kind;
	return MARK_NONE;
}

/* --- values ---------------------------------------------------------------------------------- */

static bool is_plain(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       (c && strchr("._:-", c));
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static void encode(struct strbuf *out, const char *text)
{
	for (; *text; text++)
		if (is_plain(*text))
			strbuf_addc(out, *text);
		else
			strbuf_addf(out, "%%%02X", (unsigned char)*text);
}

/* NULL: empty, a character that has to be encoded, or a percent sign without its digits. */
static char *decode(const char *value, size_t length)
{
	CLEANUP(mem_cleanup) char *text = mem_calloc(length + 1, 1);
	char *end = text;

	for (size_t i = 0; i < length; i++) {
		int high, low;

		if (is_plain(value[i])) {
			*end++ = value[i];
			continue;
		}
		if (value[i] != '%' || length - i < 3)
			return NULL;
		high = hex_digit(value[i + 1]);
		low = hex_digit(value[i + 2]);
		if (high < 0 || low < 0 || high + low == 0)
			return NULL;
		*end++ = (char)(high * 16 + low);
		i += 2;
	}
	return end > text ? take_ptr(text) : NULL;
}

static bool read_number(const char *text, int64_t highest, int64_t *ret_number)
{
	int64_t number = 0;

	for (const char *c = text; *c; c++) {
		if (*c < '0' || *c > '9' || number > (highest - (*c - '0')) / 10)
			return false;
		number = number * 10 + (*c - '0');
	}
	*ret_number = number;
	return number > 0;
}

static bool format_time(int64_t at, char text[TIME_TEXT_SIZE])
{
	time_t seconds = (time_t)at;
	struct tm parts;

	return gmtime_r(&seconds, &parts) &&
	       strftime(text, TIME_TEXT_SIZE, TIME_FORMAT, &parts) > 0;
}

/* Only what format_time writes. */
static bool read_time(const char *text, int64_t *ret_at)
{
	struct tm parts = { 0 };
	char again[TIME_TEXT_SIZE];
	const char *end = strptime(text, TIME_FORMAT, &parts);
	int64_t at;

	if (!end || *end)
		return false;
	at = timegm(&parts);
	if (at <= 0 || !format_time(at, again) || strcmp(again, text) != 0)
		return false;
	*ret_at = at;
	return true;
}

static bool read_key(const char *text, char key[static DIGEST_HEX_SIZE])
{
	if (strlen(text) != DIGEST_HEX_SIZE - 1 || strspn(text, "0123456789abcdef") != strlen(text))
		return false;
	memcpy(key, text, DIGEST_HEX_SIZE);
	return true;
}

static bool read_yes(const char *text, bool *ret_yes)
{
	*ret_yes = true;
	return strcmp(text, "yes") == 0;
}

static bool keep_text(char **text, char **ret_kept)
{
	mem_free(*ret_kept);
	*ret_kept = take_ptr(*text);
	return true;
}

/* --- reading --------------------------------------------------------------------------------- */

/* False when the value is wrong. What is not known may come from a later version. */
static bool take_field(struct mark *mark, const char *name, size_t length, char **value)
{
	char word[8] = "";
	int64_t number = 0;

	if (length >= sizeof(word))
		return true;
	memcpy(word, name, length);
	if (strcmp(word, "of") == 0)
		return keep_text(value, &mark->of);
	if (strcmp(word, "tag") == 0)
		return keep_text(value, &mark->tag);
	if (strcmp(word, "copy") == 0)
		return keep_text(value, &mark->copy);
	if (strcmp(word, "user") == 0)
		return keep_text(value, &mark->user);
	if (strcmp(word, "host") == 0)
		return keep_text(value, &mark->host);
	if (strcmp(word, "key") == 0)
		return read_key(*value, mark->key);
	if (strcmp(word, "base") == 0)
		return read_key(*value, mark->base);
	if (strcmp(word, "seeded") == 0)
		return read_yes(*value, &mark->seeded);
	if (strcmp(word, "undo") == 0)
		return read_yes(*value, &mark->undo);
	if (strcmp(word, "at") == 0)
		return read_time(*value, &mark->at);
	if (strcmp(word, "data") == 0)
		return read_time(*value, &mark->data_at);
	if (strcmp(word, "oid") == 0 && read_number(*value, UINT32_MAX, &number)) {
		mark->oid = (uint32_t)number;
		return true;
	}
	if (strcmp(word, "pid") == 0 && read_number(*value, INT_MAX, &number)) {
		mark->pid = (long)number;
		return true;
	}
	return strcmp(word, "oid") != 0 && strcmp(word, "pid") != 0;
}

/* Reads " name=value …" up to the bracket at end. */
static bool read_fields(struct mark *mark, const char *text, const char *end)
{
	while (text < end) {
		size_t name, length;
		CLEANUP(mem_cleanup) char *value = NULL;

		if (*text++ != ' ')
			return false;
		name = strspn(text, "abcdefghijklmnopqrstuvwxyz_");
		if (name == 0 || text[name] != '=')
			return false;
		length = strcspn(text + name + 1, " ]");
		value = decode(text + name + 1, length);
		if (!value || !take_field(mark, text, name, &value))
			return false;
		text += name + 1 + length;
	}
	return mark->of != NULL;
}

/* Whether text..end (end: the closing bracket) is a mark of ours. */
static bool read_mark(const char *text, const char *end, struct mark *mark)
{
	CLEANUP(mark_release) struct mark found = MARK_INIT;
	size_t word;

	if ((size_t)(end - text) < OPENING_LENGTH || memcmp(text, opening, OPENING_LENGTH) != 0)
		return false;
	text += OPENING_LENGTH;
	word = strcspn(text, " ]");
	found.kind = kind_of(text, word);
	if (found.kind == MARK_NONE || !read_fields(&found, text + word, end))
		return false;
	*mark = found;
	found = (struct mark)MARK_INIT;
	return true;
}

/*
 * The bracket that would open the mark that ends at end; NULL: none. There is no bracket inside of
 * a mark, so whatever a comment holds is looked at twice at most.
 */
static const char *opening_bracket(const char *text, const char *end)
{
	while (end > text) {
		end--;
		if (*end == '[')
			return end;
		if (*end == ']')
			return NULL;
	}
	return NULL;
}

bool mark_parse(const char *comment, struct mark *mark)
{
	const char *end = comment ? comment + strlen(comment) : NULL;

	while (comment && end > comment) {
		const char *start;

		if (*--end != ']')
			continue;
		start = opening_bracket(comment, end);
		if (start && read_mark(start, end, mark))
			return true;
	}
	return false;
}

/* --- writing --------------------------------------------------------------------------------- */

static void add_text(struct strbuf *out, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	strbuf_addf(out, " %s=", name);
	encode(out, value);
}

static void add_time(struct strbuf *out, const char *name, int64_t at)
{
	char text[TIME_TEXT_SIZE];

	if (at > 0 && format_time(at, text))
		strbuf_addf(out, " %s=%s", name, text);
}

static void add_mark(struct strbuf *out, const struct mark *mark)
{
	if (!mark->of || !*mark->of)
		BUG("a mark without its database");
	strbuf_addf(out, "%s%s", opening, kind_word(mark->kind));
	add_text(out, "of", mark->of);
	add_text(out, "tag", mark->tag);
	add_text(out, "key", mark->key);
	add_text(out, "base", mark->base);
	if (mark->seeded)
		strbuf_adds(out, " seeded=yes");
	if (mark->undo)
		strbuf_adds(out, " undo=yes");
	add_text(out, "copy", mark->copy);
	if (mark->oid)
		strbuf_addf(out, " oid=%lu", (unsigned long)mark->oid);
	add_time(out, "at", mark->at);
	add_time(out, "data", mark->data_at);
	add_text(out, "user", mark->user);
	add_text(out, "host", mark->host);
	if (mark->pid > 0)
		strbuf_addf(out, " pid=%ld", mark->pid);
	strbuf_addc(out, ']');
}

/*
 * Copies text without marks. One that only appears when another is taken out from within it is
 * taken out as well. The blank before a mark is the one that mark_apply has put there.
 */
static void copy_unmarked(struct strbuf *out, const char *text)
{
	for (; *text; text++) {
		CLEANUP(mark_release) struct mark found = MARK_INIT;
		const char *start;

		strbuf_addc(out, *text);
		if (*text != ']')
			continue;
		start = opening_bracket(out->data, out->data + out->length - 1);
		if (!start || !read_mark(start, out->data + out->length - 1, &found))
			continue;
		strbuf_truncate(out, (size_t)(start - out->data));
		if (out->length > 0 && out->data[out->length - 1] == ' ')
			strbuf_truncate(out, out->length - 1);
		else if (out->length == 0 && text[1] == ' ')
			text++;
	}
}

char *mark_apply(const char *comment, const struct mark *mark)
{
	/* The server has bounded the comment. */
	CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT_UNBOUNDED;

	copy_unmarked(&out, comment ? comment : "");
	if (mark) {
		if (out.length > 0)
			strbuf_addc(&out, ' ');
		add_mark(&out, mark);
	}
	return out.length > 0 ? strbuf_detach(&out) : NULL;
}

/* --- the object ------------------------------------------------------------------------------ */

void mark_sign(struct mark *mark)
{
	const struct passwd *entry = getpwuid(geteuid());
	char host[HOST_SIZE] = "";

	mem_free(mark->user);
	mem_free(mark->host);
	mark->at = (int64_t)time(NULL);
	mark->pid = (long)getpid();
	mark->user = entry && *entry->pw_name ? mem_strdup(entry->pw_name)
					      : mem_printf("%lu", (unsigned long)geteuid());
	/* A name that was cut need not end with NUL. */
	mark->host = gethostname(host, sizeof(host) - 1) == 0 && *host ? mem_strdup(host) : NULL;
}

void mark_copy(struct mark *to, const struct mark *from)
{
	struct mark copy = *from;

	copy.of = mem_strdup(from->of);
	copy.tag = mem_strdup(from->tag);
	copy.copy = mem_strdup(from->copy);
	copy.user = mem_strdup(from->user);
	copy.host = mem_strdup(from->host);
	mark_release(to);
	*to = copy;
}

void mark_keep(struct mark *aside, const struct mark *own, const char *name)
{
	if (own->kind == MARK_MADE) {
		memcpy(aside->key, own->key, sizeof(aside->key));
		memcpy(aside->base, own->base, sizeof(aside->base));
		aside->seeded = own->seeded;
		aside->data_at = own->data_at;
	} else if (own->kind == MARK_COPY && own->tag && strcmp(own->tag, name) == 0) {
		mem_free(aside->copy);
		aside->copy = mem_strdup(own->of);
	}
}

bool mark_back(struct mark *own, const struct mark *aside)
{
	if (!aside->key[0] && !aside->copy)
		return false;
	mark_copy(own, aside);
	own->undo = false;
	own->oid = 0;
	mem_free(own->copy);
	own->copy = NULL;
	if (aside->key[0]) {
		own->kind = MARK_MADE;
		return true;
	}
	own->kind = MARK_COPY;
	mem_free(own->of);
	mem_free(own->tag);
	own->of = mem_strdup(aside->copy);
	own->tag = mem_strdup(aside->of);
	return true;
}

void mark_release(struct mark *mark)
{
	mem_free(mark->of);
	mem_free(mark->tag);
	mem_free(mark->copy);
	mem_free(mark->user);
	mem_free(mark->host);
	*mark = (struct mark)MARK_INIT;
}
