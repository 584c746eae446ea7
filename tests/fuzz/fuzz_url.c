/*
 * Connection URLs of arbitrary bytes. What must hold of one that is refused: no piece of four bytes
 * of what may be the password (from the first colon behind the scheme to the last "@", and the
 * query) stands in the error's texts, unless it stands elsewhere in the URL or in our own words, or
 * in the name of a parameter.
 */
#include "base/mem.h"
#include "pg/params.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PIECE ((size_t)4)

/* All words that are the same for every URL. */
static const char own_words[] =
	"URL is not a valid connection URL: it holds a blank or a line break\n"
	"It stands at character 0123456789 of 0123456789.\n"
	"Remove it, or write it as %20 if it belongs to a value.\n"
	"it begins with a quote\n"
	"Remove the quotes: a shell and .env take them off, others do not.\n"
	"it is empty\n"
	"it is neither a URL nor a keyword=value string\n"
	"\" is not a scheme PostgreSQL knows\n"
	"Begin it with postgresql:// in lower case, without a driver's name.\n"
	"Write postgresql://user:password@host:5432/database.\n"
	"the password holds a raw \" the user name holds a raw \"\n"
	"Write it as %23 there; %25 there; %2F there; %3A there; %3F there; %40 there; "
	"@ : / ? # % and blanks must be percent-encoded.\n"
	"The URL reads postgresql:// reads postgres:// :***\n"
	"missing \"=\" after \"…\" in connection info string\n"
	"missing \"…\" in connection info string\n"
	"unterminated quoted string in connection info string\n"
	"invalid connection option \"…\"\n"
	"Values with blanks or quotes stand in single quotes, \\' and \\\\ inside.\n"
	"invalid URI query parameter: \"…\"\n"
	"missing key/value separator \"=\" in URI query parameter: \"…\"\n"
	"extra key/value separator \"=\" in URI query parameter: \"…\"\n"
	"forbidden value %00 in percent-encoded value: \"…\"\n"
	"invalid percent-encoded token: \"…\"\n"
	"end of string reached when looking for matching \"]\" in IPv6 host address in URI: \"…\"\n"
	"IPv6 host address may not be empty in URI: \"…\"\n"
	"unexpected character \" at position in URI (expected \":\" or \"/\"): \"…\"\n"
	"unexpected character \"…\" at position in URI (expected \"…\n"
	"\" at position 0123456789 in URI\n"
	"Write postgresql://user:password@host:5432/database, with @ : / ? # % percent-encoded in "
	"each part.\n"
	"Remove \"schema=…\" \"pgbouncer=…\" \"connection_limit=…\" \"pool_timeout=…\" "
	"\"socket=…\" "
	"\"sslaccept=…\" \"charset=…\" \"serverVersion=…\" \"pool=…\" \"ssl=…\": PostgreSQL does "
	"not "
	"know that parameter.\n"
	"the port is not a number from 1 to 65535\n"
	"A colon in a password is written %3A, a slash %2F.\n"
	"it holds a raw \"#\"\n"
	"Write it as %23 if it belongs to a name, or remove it.\n";

static bool contains(const char *text, const char *piece)
{
	return memmem(text, strlen(text), piece, PIECE) != NULL;
}

/* A piece that may have come about where our own words and the URL's meet. */
static bool is_seam(const char *piece)
{
	for (size_t i = 0; i < PIECE; i++)
		if (strchr("\"*\xE2\x80\xA6", piece[i]))
			return true;
	return false;
}

/* In a name before "=" that neither "@" follows nor a password precedes. */
static bool is_name(const char *text, const char *piece)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
	const char *begin = piece, *end = piece + strspn(piece, letters);

	while (begin > text && strchr(letters, begin[-1]))
		begin--;
	if (end < piece + PIECE || *end != '=')
		return false;
	for (const char *c = text; c < begin; c++)
		if (strncasecmp(c, "password", 8) == 0)
			return false;
	if (strstr(text, "://"))
		return begin > text && strchr("?&", begin[-1]) && !strchr(end, '@');
	return begin == text || strchr(" \t\n\r\v\f", begin[-1]);
}

/* shown holds no piece of the bytes from start to end of text, but for the exceptions above. */
static void expect_hidden(const char *shown, const char *text, const char *start, const char *end)
{
	CLEANUP(mem_cleanup)
	char *elsewhere = mem_printf("%.*s\n%s.", (int)(start - text), text, end);

	for (const char *piece = start; shown && piece + PIECE <= end; piece++) {
		if (!contains(shown, piece) || contains(own_words, piece) ||
			contains(elsewhere, piece) || is_seam(piece) || is_name(text, piece))
			continue;
		fprintf(stderr, "URL: %s\nshown: %s\npiece: %.4s\n", text, shown, piece);
		BUG("a piece of the password is shown");
	}
}

/* The parts of the text that may be a password. */
static void check_error(const char *text, const struct err *err)
{
	const char *const shown[] = { err->message, err->detail, err->hint };
	const char *scheme = strstr(text, "://");
	const char *rest = scheme ? scheme + 3 : text;
	const char *colon = strchr(rest, ':');
	const char *at = strrchr(rest, '@');
	const char *query = strchr(at ? at : rest, '?');

	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		if (colon && at && colon < at)
			expect_hidden(shown[i], text, colon + 1, at);
		if (query)
			expect_hidden(shown[i], text, query + 1, text + strlen(text));
		if (!scheme && strchr(text, '='))
			expect_hidden(shown[i], text, strchr(text, '=') + 1, text + strlen(text));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(params_release) struct params params = PARAMS_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(mem_cleanup) char *text = NULL;
	CLEANUP(mem_cleanup) char *described = NULL;

	text = mem_calloc(size + 1, 1);
	memcpy(text, data, size);
	if (params_parse(&params, "URL", text, &err) == 0) {
		if (err.kind != ERR_NONE)
			BUG("accepted with an error");
		described = params_describe(&params, params_get(&params, "dbname"));
		if (!*described)
			BUG("nothing to describe");
	} else {
		if (err.kind != ERR_USAGE || !err.message)
			BUG("refused without an error");
		check_error(text, &err);
	}
	return 0;
}
