/*
 * Parsing of connection URLs: libpq does it. What is here finds out, before and after, what libpq
 * would silently misread (another scheme is a database name to it, "#x" a part of one) and says
 * what is wrong in words of its own, because libpq's messages quote the password.
 */
#include "base/mem.h"
#include "base/strbuf.h"
#include "pg/params.h"

#include <ctype.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SCHEME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-."

static int invalid(struct err *err, const char *variable, const char *what)
{
	return err_set(err, ERR_USAGE, "%s is not a valid connection URL: %s", variable, what);
}

/* Length of "postgresql://" or "postgres://"; 0 when text begins with neither. */
static size_t scheme_length(const char *text)
{
	static const char *const schemes[] = { "postgresql://", "postgres://" };

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (strncmp(text, schemes[i], strlen(schemes[i])) == 0)
			return strlen(schemes[i]);
	return 0;
}

/* The first colon that no port follows; NULL: none. Hosts in brackets are passed over. */
static const char *colon_without_port(const char *rest, const char *end)
{
	const char *c = rest;

	while (c < end && *c != '/') {
		if (*c == '[' && (c == rest || c[-1] == ',')) {
			c += strcspn(c, "]/,");
		} else if (*c == ':') {
			size_t digits = strspn(c + 1, "0123456789");

			if (digits > 5 || !strchr("/?,", c[1 + digits]))
				return c;
			c += 1 + digits;
		} else {
			c++;
		}
	}
	return NULL;
}

/*
 * The URL with everything that may be a secret replaced: from the first colon behind the scheme to
 * the last "@" anywhere, and the whole query. With a "?" before that "@" either may be the
 * password's.
 */
static char *masked(const char *text)
{
	const char *rest = text + scheme_length(text);
	const char *colon = strchr(rest, ':');
	const char *at = strrchr(rest, '@');
	const char *query = strchr(rest, '?');
	const char *end = query ? query : rest + strlen(rest);

	if (query && at && query < at) {
		if (colon && colon < query)
			return mem_printf("%.*s:***", (int)(colon - text), text);
		return mem_printf("%.*s?…", (int)(query - text), text);
	}
	if (at && colon && colon < at)
		return mem_printf("%.*s:***%.*s%s", (int)(colon - text), text, (int)(end - at), at,
			query ? "?…" : "");
	/* Without "@" what follows a colon should be a port, but may be a mistyped password. */
	colon = at ? NULL : colon_without_port(rest, end);
	if (colon)
		return mem_printf("%.*s:***", (int)(colon - text), text);
	return mem_printf("%.*s%s", (int)(end - text), text, query ? "?…" : "");
}

static int invalid_url(struct err *err, const char *variable, const char *text, const char *what)
{
	CLEANUP(mem_cleanup) char *shown = masked(text);

	invalid(err, variable, what);
	err_detail(err, "The URL reads %s.", shown);
	return -1;
}

/* Whatever is not one of libpq's two forms. */
static int check_form(const char *variable, const char *text, struct err *err)
{
	size_t scheme = strcspn(text, ":=");

	if (strlen(text) == 0)
		return invalid(err, variable, "it is empty");
	for (const char *c = text; *c; c++) {
		if (!isspace((unsigned char)*c))
			continue;
		if (c == text || c[1] == '\0' || scheme_length(text)) {
			invalid(err, variable, "it holds a blank or a line break");
			err_detail(err, "It stands at character %zu of %zu.",
				(size_t)(c - text) + 1, strlen(text));
			err_hint(err, "Remove it, or write it as %%20 if it belongs to a value.");
			return -1;
		}
	}
	if (scheme_length(text))
		return 0;
	if (text[0] == '\'' || text[0] == '"') {
		invalid(err, variable, "it begins with a quote");
		err_hint(err, "Remove the quotes: a shell and .env take them off, others do not.");
		return -1;
	}
	/* Only a word is shown: anything else before a colon may hold a password. */
	if (text[scheme] == ':' && scheme == strspn(text, SCHEME_CHARACTERS)) {
		err_set(err, ERR_USAGE,
			"%s is not a valid connection URL: \"%.*s:\" is not a "
			"scheme PostgreSQL knows",
			variable, (int)scheme, text);
		err_hint(
			err, "Begin it with postgresql:// in lower case, without a driver's name.");
		return -1;
	}
	if (text[scheme] != '=') {
		invalid(err, variable, "it is neither a URL nor a keyword=value string");
		err_hint(err, "Write postgresql://user:password@host:5432/database.");
		return -1;
	}
	return 0;
}

/* A percent sign that does not begin an encoded byte; NULL: all are right. */
static const char *bad_percent(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] != '%')
			continue;
		if (i + 2 >= length || !isxdigit((unsigned char)text[i + 1]) ||
			!isxdigit((unsigned char)text[i + 2]) ||
			(text[i + 1] == '0' && text[i + 2] == '0'))
			return text + i;
		i += 2;
	}
	return NULL;
}

static int raw_character(
	const char *variable, const char *text, char c, bool in_password, struct err *err)
{
	CLEANUP(mem_cleanup)
	char *what =
		mem_printf("the %s holds a raw \"%c\"", in_password ? "password" : "user name", c);

	invalid_url(err, variable, text, what);
	err_hint(err, "Write it as %%%02X there; @ : / ? # %% and blanks must be percent-encoded.",
		(unsigned char)c);
	return -1;
}

/* "?keyword=…" */
static bool begins_query(const char *text)
{
	size_t length = strspn(text + 1, "abcdefghijklmnopqrstuvwxyz_");

	return length > 1 && text[1 + length] == '=';
}

/* User and password, where a raw @, / or % makes libpq read another host. */
static int check_userinfo(const char *variable, const char *text, struct err *err)
{
	const char *rest = text + scheme_length(text);
	const char *first_at = strchr(rest, '@');
	const char *query = strchr(rest, '?');
	const char *slash = strchr(rest, '/');
	const char *last_at = first_at;
	const char *colon, *bad;

	/* No credentials, or an @ in the query of a URL without. */
	if (!first_at || (query && slash && slash < query && query < first_at))
		return 0;
	/* Up to that @ libpq takes even a query for the password. */
	colon = strchr(rest, ':');
	if (query && query < first_at && (!colon || colon > query || begins_query(query)))
		return raw_character(variable, text, '?', colon && colon < query, err);
	query = strchr(first_at, '?');
	for (const char *c = first_at; *c && c != query; c++)
		if (*c == '@')
			last_at = c;
	colon = memchr(rest, ':', (size_t)(last_at - rest));
	for (const char *c = rest; c < last_at; c++)
		if (*c == '@' || *c == '/')
			return raw_character(variable, text, *c, colon && c > colon, err);
	bad = bad_percent(rest, (size_t)(last_at - rest));
	if (bad)
		return raw_character(variable, text, '%', colon && bad > colon, err);
	return 0;
}

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
#define LONGEST_NAME 40

static bool ends_in_password(const char *name, size_t length)
{
	static const char password[] = "password";
	const size_t size = strlen(password);

	return length >= size && strncasecmp(name + length - size, password, size) == 0;
}

/*
 * Whether what libpq quotes is the name of a parameter, as the text has it, that may be shown. What
 * stands before an "@" or behind a password may be a part of that.
 */
static bool is_shown_name(const char *name, size_t length, const char *text)
{
	const bool url = scheme_length(text) > 0;
	const char *at = text;

	if (length == 0 || length > LONGEST_NAME || strspn(name, NAME_CHARACTERS) != length ||
		ends_in_password(name, length))
		return false;
	for (; *at; at++)
		if (strncmp(at, name, length) == 0 && at[length] == '=' &&
			(url ? at > text && strchr("?&", at[-1])
			     : at == text || isspace((unsigned char)at[-1])))
			break;
	if (!*at || (url && strchr(at, '@')))
		return false;
	for (const char *c = text; c < at; c++)
		if (strncasecmp(c, "password", 8) == 0)
			return false;
	return true;
}

/*
 * libpq's message without what it quotes: those are pieces of the text that was parsed. Single
 * characters and names of parameters stay. Where the text itself holds quotes nobody knows which
 * ones belong together: everything between the first and the last goes.
 */
static char *without_quotes(const char *message, const char *text)
{
	struct strbuf out = STRBUF_INIT;
	bool ambiguous = strchr(text, '"') != NULL;

	while (*message && *message != '\n') {
		const char *close;

		if (*message != '"') {
			strbuf_addc(&out, *message++);
			continue;
		}
		close = ambiguous ? strrchr(message, '"') : strchr(message + 1, '"');
		if (!ambiguous && close &&
			(close - message == 2 ||
				is_shown_name(message + 1, (size_t)(close - message - 1), text)))
			strbuf_add(&out, message, (size_t)(close - message) + 1);
		else
			strbuf_adds(&out, "\"…\"");
		message = close ? close + 1 : "";
	}
	return strbuf_detach(&out);
}

/* A keyword of the query that libpq does not know may be named: it stands in clear between ? or &
 * and
 * =, which a password never does. */
static const char *unknown_keyword(const char *text)
{
	static const struct {
		const char *name, *origin;
	} known[] = {
		{ "schema", "Prisma" },
		{ "pgbouncer", "Prisma" },
		{ "connection_limit", "Prisma" },
		{ "pool_timeout", "Prisma" },
		{ "socket", "dbmate" },
		{ "sslaccept", "Prisma" },
		{ "charset", "other drivers" },
		{ "serverVersion", "Doctrine" },
		{ "pool", "ActiveRecord" },
		{ "ssl", "other drivers" },
	};
	const char *query = strrchr(text, '?');

	for (; query; query = strchr(query, '&')) {
		size_t length = strcspn(++query, "=&");

		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			if (strlen(known[i].name) == length &&
				strncmp(query, known[i].name, length) == 0)
				return known[i].name;
	}
	return NULL;
}

static int explain_libpq(
	const char *variable, const char *text, const char *message, struct err *err)
{
	CLEANUP(mem_cleanup) char *what = without_quotes(message ? message : "out of memory", text);
	const char *keyword = unknown_keyword(text);

	if (!scheme_length(text)) {
		invalid(err, variable, what);
		err_hint(err, "Values with blanks or quotes stand in single quotes, \\' and \\\\ "
			      "inside.");
		return -1;
	}
	invalid_url(err, variable, text, what);
	if (keyword)
		err_hint(err, "Remove \"%s=…\": PostgreSQL does not know that parameter.", keyword);
	else
		err_hint(err,
			"Write postgresql://user:password@host:5432/database, with @ : / ? # %% "
			"percent-encoded in each part.");
	return -1;
}

static int check_ports(const char *variable, const char *text, const char *ports, struct err *err)
{
	const char *at = ports;

	while (at) {
		size_t length = strcspn(at, ",");
		CLEANUP(mem_cleanup) char *port = mem_strndup(at, length);
		char *end;
		long number = strtol(port, &end, 10);

		if (length > 0 && (*end || number < 1 || number > 65535)) {
			const char *what = "the port is not a number from 1 to 65535";

			if (!scheme_length(text))
				return invalid(err, variable, what);
			invalid_url(err, variable, text, what);
			err_hint(err, "A colon in a password is written %%3A, a slash %%2F.");
			return -1;
		}
		at = at[length] ? at + length + 1 : NULL;
	}
	return 0;
}

static int check_parsed(
	const char *variable, const char *text, const struct params *params, struct err *err)
{
	const char *ports = params_get(params, "port");
	const char *rest = text + scheme_length(text);
	const char *at = rest + strcspn(rest, "@/");
	const char *host = *at == '@' ? at : rest;

	if (ports && check_ports(variable, text, ports, err) != 0)
		return -1;
	if (rest > text && host[strcspn(host, "?#")] == '#') {
		invalid_url(err, variable, text, "it holds a raw \"#\"");
		err_hint(err, "Write it as %%23 if it belongs to a name, or remove it.");
		return -1;
	}
	return 0;
}

int params_parse(struct params *params, const char *variable, const char *text, struct err *err)
{
	PQconninfoOption *options;
	char *message = NULL;

	if (check_form(variable, text, err) != 0)
		return -1;
	if (scheme_length(text) && check_userinfo(variable, text, err) != 0)
		return -1;
	options = PQconninfoParse(text, &message);
	if (!options) {
		explain_libpq(variable, text, message, err);
		PQfreemem(message);
		return -1;
	}
	for (PQconninfoOption *option = options; option->keyword; option++)
		if (option->val)
			params_set(params, option->keyword, option->val);
	PQconninfoFree(options);
	return check_parsed(variable, text, params, err);
}
