#include "base/redact.h"

#include "base/mem.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t\r\n\v\f"
#define DIGITS "0123456789"

/* Parts of a text that is being read. */
struct span {
	const char *start, *end;
};

static const char hidden[] = "***";

static bool begins(const char *text, const char *word)
{
	return strncasecmp(text, word, strlen(word)) == 0;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* The text is a URL of PostgreSQL from its beginning on: what follows may be its password's. */
static bool is_url(const char *text)
{
	return begins(text, "postgres:/") || begins(text, "postgresql:/");
}

static const char *url_end(const char *text, const char *at)
{
	return at + strcspn(at, is_url(text) ? "\n" : BLANKS);
}

/* Whether the scheme that ends at the colon is PostgreSQL's. */
static bool is_postgres(const char *text, const char *colon)
{
	static const char *const names[] = { "postgres", "postgresql" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const size_t length = strlen(names[i]);

		if ((size_t)(colon - text) >= length &&
			strncasecmp(colon - length, names[i], length) == 0)
			return true;
	}
	return false;
}

static const char *find(struct span in, const char *what)
{
	return memmem(in.start, (size_t)(in.end - in.start), what, strlen(what));
}

static const char *find_last(struct span in, const char *what)
{
	const char *last = NULL, *at;

	while ((at = find(in, what))) {
		last = at;
		in.start = at + 1;
	}
	return last;
}

/* No password, but a port: nothing of the host's part follows it. */
static bool is_port(struct span span)
{
	const char *behind = span.start + strspn(span.start, DIGITS);

	return behind > span.start && (behind >= span.end || !is_word(*behind));
}

/* Between user: and @host. colon: of the scheme. */
static bool url_password(
	const char *text, const char *colon, const char *user, struct span *ret_secret)
{
	const bool postgres = is_postgres(text, colon);
	struct span url = { user, url_end(text, user) };
	const char *separator = find(url, ":"), *sign = find(url, "@"), *query, *last;

	if (!separator || *user == '[')
		return false;
	url.start = separator + 1;
	if (!sign) {
		/* It was cut off. */
		*ret_secret = (struct span){ url.start, user + strcspn(user, BLANKS "\"'") };
		return postgres && ret_secret->end > url.start && !is_port(url);
	}
	if (sign < separator)
		return false;
	query = find(url, "?");
	if (is_port(url) && (!postgres || (query && query < sign)) &&
		strcspn(url.start, "/?#") < (size_t)(sign - url.start))
		return false;
	/* Signs in the query are none of the host's. */
	query = find((struct span){ sign, url.end }, "?");
	if (query)
		url.end = query;
	/* There is one in any case. */
	last = find_last(url, "@");
	*ret_secret = (struct span){ url.start, last ? last : sign };
	return ret_secret->end > ret_secret->start;
}

/* As a value in another URL. */
static bool encoded_password(const char *user, struct span *ret_secret)
{
	struct span url = { user, user + strcspn(user, BLANKS "\"'&") };
	const char *separator = find(url, "%3A"), *sign = find_last(url, "%40");

	if (!separator || !sign || sign <= separator + 3)
		return false;
	*ret_secret = (struct span){ separator + 3, sign };
	return true;
}

/* Text that was put into quotes by us goes on behind them. */
static const char *without_quotes(struct span value)
{
	const char *end = value.end;

	while (end > value.start && strchr(",.;:)", end[-1]))
		end--;
	if (end == value.start || !strchr("\"'", end[-1]))
		return value.end;
	while (end > value.start && strchr("\"'", end[-1]))
		end--;
	return end;
}

static struct span quoted_value(const char *at)
{
	struct span value = { at, at + 1 };

	for (; *value.end && *value.end != '\''; value.end++)
		if (*value.end == '\\' && value.end[1])
			value.end++;
	value.end += *value.end == '\'';
	return value;
}

static struct span bare_value(const char *at)
{
	struct span value = { at, at };

	for (; *value.end && !isspace((unsigned char)*value.end); value.end++)
		if (*value.end == '\\' && value.end[1])
			value.end++;
	value.end = without_quotes(value);
	return value;
}

static struct span query_value(const char *text, const char *at)
{
	struct span value = { at, url_end(text, at) };
	const char *next = find(value, "&");

	if (next)
		value.end = next;
	value.end = without_quotes(value);
	return value;
}

/* Behind a keyword that is over at "at". */
static bool pair_value(
	const char *text, const char *keyword, const char *at, struct span *ret_value)
{
	at += strspn(at, BLANKS);
	if (*at != '=')
		return false;
	at++;
	at += *at == '>';
	while (keyword > text && is_word(keyword[-1]))
		keyword--;
	if (keyword > text && strchr("?&", keyword[-1])) {
		*ret_value = query_value(text, at);
	} else {
		at += strspn(at, BLANKS);
		*ret_value = *at == '\'' ? quoted_value(at) : bare_value(at);
	}
	return ret_value->end > ret_value->start;
}

static bool secret_at(const char *text, const char *at, struct span *ret_secret)
{
	static const char *const keywords[] = { "password", "scram_client_key", "scram_server_key",
		"oauth_client_secret" };

	if (begins(at, "://"))
		return url_password(text, at, at + 3, ret_secret);
	/* As a path, one of the slashes is left. */
	if (begins(at, ":/") && is_postgres(text, at))
		return url_password(text, at, at + 2, ret_secret);
	if (begins(at, "%3A%2F%2F"))
		return encoded_password(at + 9, ret_secret);
	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
		if (begins(at, keywords[i]))
			return pair_value(text, at, at + strlen(keywords[i]), ret_secret);
	return false;
}

/* user:password@host without a scheme, as all of a text; an ARN may end with an address. */
static bool is_userinfo(const char *text, struct span *ret_secret)
{
	const char *colon = text + strcspn(text, ":/@"), *sign = strrchr(text, '@');

	*ret_secret = (struct span){ colon + 1, sign };
	return *colon == ':' && colon > text && sign && sign > colon + 1 &&
	       !text[strcspn(text, BLANKS)] && !begins(text, "arn:") && !begins(colon, "://") &&
	       !(begins(colon, ":/") && is_postgres(text, colon));
}

void redact_add(struct strbuf *out, const char *text)
{
	const char *done = text;
	struct span userinfo;

	if (is_userinfo(text, &userinfo)) {
		CLEANUP(mem_cleanup)
		char *user = mem_strndup(text, (size_t)(userinfo.start - 1 - text));

		redact_add(out, user);
		strbuf_addf(out, ":%s", hidden);
		done = userinfo.end;
	}
	for (const char *at = done; *at; at++) {
		struct span secret;

		if (!strchr(":%pPsSoO", *at) || !secret_at(text, at, &secret))
			continue;
		strbuf_add(out, done, (size_t)(secret.start - done));
		strbuf_adds(out, hidden);
		done = secret.end;
		at = done - 1;
	}
	strbuf_adds(out, done);
}

char *redact_text(const char *text)
{
	struct strbuf out = STRBUF_INIT_UNBOUNDED;

	redact_add(&out, text);
	return strbuf_detach(&out);
}
