#include "sql/mask.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Shorter contents would blot out ordinary words of a message. */
#define SHORTEST 3

/* How much white space and comment may stand before a literal; bounds the work on hostile text. */
#define BLANK_REACH ((size_t)16 << 10)

static void add(struct sql_secrets *secrets, struct sql_secret secret)
{
	if (secrets->count == secrets->capacity) {
		secrets->capacity = secrets->capacity ? secrets->capacity * 2 : 8;
		secrets->items =
			mem_resize(secrets->items, secrets->capacity, sizeof(*secrets->items));
	}
	secrets->items[secrets->count++] = secret;
}

void sql_secrets_release(struct sql_secrets *secrets)
{
	mem_free(secrets->items);
	*secrets = (struct sql_secrets)SQL_SECRETS_INIT;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static bool word_at(const char *text, size_t length, size_t i, const char *word)
{
	size_t word_length = strlen(word);

	return length - i >= word_length && strncasecmp(text + i, word, word_length) == 0 &&
	       (i + word_length == length || !is_word(text[i + word_length]));
}

static bool at(const char *text, size_t length, size_t i, const char *symbol)
{
	size_t symbol_length = strlen(symbol);

	return length - i >= symbol_length && memcmp(text + i, symbol, symbol_length) == 0;
}

static size_t skip_blank(const char *text, size_t length, size_t i)
{
	if (length - i > BLANK_REACH)
		length = i + BLANK_REACH;
	for (;;) {
		if (i < length && is_space(text[i])) {
			i++;
		} else if (at(text, length, i, "--")) {
			const char *newline = memchr(text + i, '\n', length - i);

			i = newline ? (size_t)(newline - text) : length;
		} else if (at(text, length, i, "/*")) {
			const char *close = memmem(text + i + 2, length - i - 2, "*/", 2);

			i = close ? (size_t)(close - text) + 2 : length;
		} else {
			return i;
		}
	}
}

static size_t skip_joint(const char *text, size_t length, size_t i)
{
	i = skip_blank(text, length, i);
	if (at(text, length, i, ":=") || at(text, length, i, "=>"))
		i = skip_blank(text, length, i + 2);
	else if (at(text, length, i, "="))
		i = skip_blank(text, length, i + 1);
	else if (word_at(text, length, i, "to"))
		i = skip_blank(text, length, i + 2);
	while (at(text, length, i, "("))
		i = skip_blank(text, length, i + 1);
	return i;
}

/* The closing quote of a string whose contents begin at i; length when there is none. */
static size_t quote_end(const char *text, size_t length, size_t i, bool escapes)
{
	for (; i < length; i++) {
		if (escapes && text[i] == '\\')
			i++;
		else if (text[i] == '\'' && at(text, length, i, "''"))
			i++;
		else if (text[i] == '\'')
			return i;
	}
	return length;
}

/* The string that a place stands in, as far as reading from the text's beginning tells. */
struct reading {
	size_t at;           /* read so far */
	size_t start, close; /* of the last string: its opening and closing quote */
};

/* Reads on from a place outside of strings; returns where such a place comes next. */
static size_t read_one(const char *text, size_t length, struct reading *reading, size_t i)
{
	const bool escapes = i > 0 && (text[i - 1] == 'e' || text[i - 1] == 'E') &&
			     (i == 1 || !is_word(text[i - 2]));
	const char *close;

	if (text[i] == '\'') {
		reading->start = i;
		reading->close = quote_end(text, length, i + 1, escapes);
		return reading->close < length ? reading->close + 1 : length;
	}
	if (text[i] == '"') {
		close = memchr(text + i + 1, '"', length - i - 1);
		return close ? (size_t)(close - text) + 1 : i + 1;
	}
	if (at(text, length, i, "--") || at(text, length, i, "/*")) {
		const size_t end = skip_blank(text, length, i);

		return end > i ? end : i + 1;
	}
	return i + 1;
}

/* Whether i stands inside of a string with both its quotes. Only ever asked of later places. */
static bool is_inside(const char *text, size_t length, struct reading *reading, size_t i)
{
	while (reading->at < i)
		reading->at = read_one(text, length, reading, reading->at);
	return reading->start < i && i < reading->close && reading->close < length;
}

/*
 * Whether the quote at i ends the string that the word before it stands in, and so begins none. As
 * the reading may have lost its way, what follows has to look like it, too.
 */
static bool ends_string(const char *text, size_t length, const struct reading *reading, size_t i)
{
	if (i != reading->close || at(text, length, i, "''"))
		return false;
	i = skip_blank(text, length, i + 1);
	return i >= length || strchr(",;)|:=<>!", text[i]) || word_at(text, length, i, "as") ||
	       word_at(text, length, i, "from");
}

static bool dollar_literal(const char *text, size_t length, size_t i, struct sql_secret *secret)
{
	size_t tag = i + 1;
	const char *close;

	while (tag < length && text[tag] != '$' && is_word(text[tag]))
		tag++;
	if (tag >= length || text[tag] != '$')
		return false;
	tag++;
	close = memmem(text + tag, length - tag, text + i, tag - i);
	*secret = (struct sql_secret){ .start = i, .content_start = tag, .quoted = true };
	secret->content_end = close ? (size_t)(close - text) : length;
	secret->end = close ? secret->content_end + (tag - i) : length;
	return true;
}

/*
 * A literal inside a string: its quotes are doubled (or doubled again), or escaped. Returns how
 * many bytes its opening quote has; 0 when i stands at no such quote. An empty literal looks alike
 * but for what follows it.
 */
static size_t nested_quote(const char *text, size_t length, size_t i)
{
	size_t quotes = 0;

	if (at(text, length, i, "\\'"))
		return 2;
	while (i + quotes < length && text[i + quotes] == '\'')
		quotes++;
	if (quotes < 2 || quotes % 2 != 0 || i + quotes >= length || is_space(text[i + quotes]) ||
		strchr(";,)", text[i + quotes]))
		return 0;
	return quotes;
}

static size_t add_nested(const char *text, size_t length, size_t i, struct sql_secrets *secrets)
{
	size_t quotes = nested_quote(text, length, i);
	size_t content = i + quotes;
	const char *close = memmem(text + content, length - content, text + i, quotes);
	size_t end = close ? (size_t)(close - text) : length;
	struct sql_secret secret = { .start = i,
		.quoted = true,
		.content_start = content,
		.content_end = end,
		.end = close ? end + quotes : length };

	add(secrets, secret);
	return secret.end;
}

/* Adds the literal at i, if one is there; returns where it ends, or i. */
static size_t add_literal(const char *text, size_t length, size_t i, struct sql_secrets *secrets)
{
	struct sql_secret secret = { .start = i, .quoted = true };
	bool escapes = false;

	if (i >= length)
		return i;
	if (text[i] == '$') {
		if (!dollar_literal(text, length, i, &secret))
			return i;
		add(secrets, secret);
		return secret.end;
	}
	if (length - i >= 3 && strncasecmp(text + i, "u&'", 3) == 0) {
		i += 2;
	} else if (length - i >= 2 && text[i + 1] == '\'' && strchr("eEbBxXnN", text[i])) {
		escapes = text[i] == 'e' || text[i] == 'E';
		i++;
	}
	if (nested_quote(text, length, i) > 0)
		return add_nested(text, length, i, secrets);
	if (text[i] != '\'')
		return secret.start;
	secret.content_start = i + 1;
	for (;; escapes = true) {
		secret.content_end = quote_end(text, length, i + 1, escapes);
		secret.end = secret.content_end < length ? secret.content_end + 1 : length;
		add(secrets, secret);
		/* With standard_conforming_strings off a plain string has escapes, too. */
		if (escapes || !memchr(text + i, '\\', secret.end - i))
			return secret.end;
	}
}

static void add_literals(const char *text, size_t length, size_t i, struct sql_secrets *secrets)
{
	size_t end = add_literal(text, length, i, secrets);

	while (end > i && end < length) {
		i = skip_blank(text, length, end);
		if (!at(text, length, i, "'"))
			break;
		end = add_literal(text, length, i, secrets);
	}
}

/* password=value of a connection string; i is after the =. */
static void add_bare(const char *text, size_t length, size_t i, struct sql_secrets *secrets)
{
	size_t end = i;

	while (end < length && !is_space(text[end]) && !strchr("'\"&;,()", text[end]))
		end++;
	if (end > i)
		add(secrets,
			(struct sql_secret){
				.start = i, .end = end, .content_start = i, .content_end = end });
}

/* Literals among what follows at i, to the end of an operand or, with several, of the call. */
static void add_operands(
	const char *text, size_t length, size_t i, bool several, struct sql_secrets *secrets)
{
	size_t depth = 0, last = length - i > BLANK_REACH ? i + BLANK_REACH : length;

	while (i < last && text[i] != ';') {
		/* A dollar may end the template. */
		const bool skipped = several && text[i] == '$';
		const size_t end = skipped ? i : add_literal(text, length, i, secrets);

		if (text[i] == '(')
			depth++;
		else if ((text[i] == ')' && depth-- == 0) ||
			 (text[i] == ',' && depth == 0 && !several))
			return;
		i = end > i ? end : i + 1;
	}
}

/* %L and the like of format(), also in quotes. */
static bool is_placeholder(const char *text, size_t length, size_t i)
{
	while (i < length && text[i] == '\'')
		i++;
	if (i >= length || text[i] != '%')
		return false;
	for (i++; i < length && ((text[i] >= '0' && text[i] <= '9') || text[i] == '$'); i++)
		;
	return i < length && strchr("LsI", text[i]);
}

/* Behind the word PASSWORD, which ends at i. */
static void add_password(const char *text, size_t length, size_t i, struct reading *reading,
	struct sql_secrets *secrets)
{
	const bool inside = is_inside(text, length, reading, i - 1);
	size_t joint;

	if (at(text, length, i, "\""))
		i++;
	if (at(text, length, i, "=") && !at(text, length, i, "=>"))
		add_bare(text, length, i + 1, secrets);
	joint = skip_joint(text, length, i);
	if (is_placeholder(text, length, joint)) {
		add_operands(text, length, inside ? reading->close + 1 : joint, true, secrets);
	} else if (!inside || !ends_string(text, length, reading, joint)) {
		/* What begins in a string goes no further, unless its end was misread. */
		if (inside && joint + 2 < reading->close && at(text, length, joint, "\\'"))
			length = reading->close;
		add_literals(text, length, joint, secrets);
	} else {
		joint = skip_blank(text, length, joint + 1);
		if (at(text, length, joint, "||"))
			add_operands(text, length, joint + 2, false, secrets);
	}
}

/* A number from begin to end is a port rather than a password, but for PostgreSQL's mistaken URLs.
 */
static bool is_port(const char *text, size_t scheme_end, size_t begin, size_t end)
{
	static const char *const names[] = { "postgres", "postgresql" };
	size_t i = begin;

	for (size_t name = 0; name < ARRAY_SIZE(names); name++) {
		const size_t size = strlen(names[name]);

		if (scheme_end >= size &&
			strncasecmp(text + scheme_end - size, names[name], size) == 0)
			return false;
	}
	while (i < end && text[i] >= '0' && text[i] <= '9')
		i++;
	return i == end && end > begin;
}

/* scheme://user:password@; i is after the slashes. */
static void add_url(const char *text, size_t length, size_t i, struct sql_secrets *secrets)
{
	const size_t scheme_end = i - 3;
	size_t colon = 0, sign = 0;

	for (; i < length && !is_space(text[i]) && text[i] != '\'' && text[i] != '"'; i++) {
		if (text[i] == ':' && !colon)
			colon = i;
		else if (text[i] == '@' && colon)
			sign = i;
		else if (text[i] == '?' ||
			 (text[i] == '/' &&
				 (sign || !colon || is_port(text, scheme_end, colon + 1, i))))
			break;
	}
	if (sign > colon + 1)
		add(secrets, (struct sql_secret){ .start = colon + 1,
				     .end = sign,
				     .content_start = colon + 1,
				     .content_end = sign });
}

static int by_start(const void *left, const void *right)
{
	const struct sql_secret *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->end == b->end ? 0 : a->end > b->end ? -1 : 1;
}

void sql_secrets_find(const char *text, size_t length, struct sql_secrets *secrets)
{
	static const char password[] = "password", connection[] = "connection";
	struct reading reading = { 0 };

	for (size_t i = 0; i < length; i++) {
		char c = text[i];
		size_t before = secrets->count;

		if ((c == 'p' || c == 'P') && word_at(text, length, i, password)) {
			add_password(text, length, i + strlen(password), &reading, secrets);
		} else if ((c == 'c' || c == 'C') && (i == 0 || !is_word(text[i - 1])) &&
			   word_at(text, length, i, connection)) {
			i += strlen(connection) - 1;
			add_literals(text, length, skip_joint(text, length, i + 1), secrets);
		} else if (c == ':' && at(text, length, i, "://")) {
			add_url(text, length, i + 3, secrets);
		}
		/* Nothing is left to hide behind a literal without an end. */
		if (secrets->count > before && secrets->items[before].end == length)
			break;
	}
	if (secrets->count > 1)
		qsort(secrets->items, secrets->count, sizeof(*secrets->items), by_start);
}

/* Adds as much as the ceiling allows. */
static void add_fitting(struct strbuf *out, const char *bytes, size_t length)
{
	size_t room = out->ceiling > out->length ? out->ceiling - out->length : 0;

	strbuf_add(out, bytes, length < room ? length : room);
}

void sql_mask(const char *text, size_t length, struct strbuf *out)
{
	CLEANUP(sql_secrets_release) struct sql_secrets secrets = SQL_SECRETS_INIT;
	size_t done = 0;

	sql_secrets_find(text, length, &secrets);
	for (size_t i = 0; i < secrets.count; i++) {
		const struct sql_secret *secret = &secrets.items[i];

		if (secret->end <= done)
			continue;
		if (secret->start >= done) {
			const char *mark = secret->quoted ? "'***'" : "***";

			add_fitting(out, text + done, secret->start - done);
			add_fitting(out, mark, strlen(mark));
		}
		done = secret->end;
	}
	add_fitting(out, text + done, length - done);
}

/* Replaces every occurrence of secret in *message by the mark. */
static void blot_out(char **message, const char *secret, size_t length, const char *mark)
{
	CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
	const char *rest = *message, *found;
	size_t left = strlen(rest);

	if (length < SHORTEST)
		return;
	/* A message that quotes an unfinished string is as long as the statement. */
	out.ceiling = SIZE_MAX / 2;
	while ((found = memmem(rest, left, secret, length))) {
		strbuf_add(&out, rest, (size_t)(found - rest));
		strbuf_adds(&out, mark);
		left -= (size_t)(found - rest) + length;
		rest = found + length;
	}
	if (rest == *message)
		return;
	strbuf_add(&out, rest, left);
	mem_free(*message);
	*message = strbuf_detach(&out);
}

/* The contents as the server stores them, for the escapes a password is likely to hold. */
static void unescape(const char *text, size_t length, bool backslashes, struct strbuf *out)
{
	for (size_t i = 0; i < length; i++) {
		if (i + 1 < length && ((text[i] == '\'' && text[i + 1] == '\'') ||
					      (backslashes && text[i] == '\\')))
			i++;
		strbuf_addc(out, text[i]);
	}
}

/* A short one only where it stands as a literal. */
static void blot_out_short(char **message, const char *content, size_t length)
{
	CLEANUP(strbuf_release_secret) struct strbuf literal = STRBUF_INIT;

	if (length == 0 || length >= SHORTEST)
		return;
	strbuf_addc(&literal, '\'');
	strbuf_add(&literal, content, length);
	strbuf_addc(&literal, '\'');
	blot_out(message, literal.data, literal.length, "'***'");
}

static int by_content(const void *left, const void *right)
{
	const struct sql_secret *a = left, *b = right;
	size_t a_length = a->content_end - a->content_start;
	size_t b_length = b->content_end - b->content_start;

	return a_length == b_length ? 0 : a_length > b_length ? -1 : 1;
}

char *sql_mask_message(const char *text, size_t length, const char *message)
{
	CLEANUP(sql_secrets_release) struct sql_secrets secrets = SQL_SECRETS_INIT;
	char *result = mem_strdup(message);

	sql_secrets_find(text, length, &secrets);
	/* Long ones first: a short one may be part of a long one. */
	if (secrets.count > 1)
		qsort(secrets.items, secrets.count, sizeof(*secrets.items), by_content);
	for (size_t i = 0; i < secrets.count; i++) {
		const struct sql_secret *secret = &secrets.items[i];
		const char *content = text + secret->content_start;
		size_t content_length = secret->content_end - secret->content_start;

		if (secret->quoted)
			blot_out_short(&result, content, content_length);
		blot_out(&result, content, content_length, "***");
		if (content_length > STRBUF_DEFAULT_CEILING)
			continue;
		for (int backslashes = 0; backslashes < 2; backslashes++) {
			CLEANUP(strbuf_release_secret) struct strbuf plain = STRBUF_INIT;

			unescape(content, content_length, backslashes != 0, &plain);
			blot_out(&result, plain.data, plain.length, "***");
		}
	}
	return result;
}
