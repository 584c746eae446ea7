#include "base/mem.h"
#include "base/strbuf.h"
#include "pg/params.h"

#include <libpq-fe.h>
#include <string.h>

#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
#define DIGITS "0123456789"

/* plain: what stays as it is besides PLAIN. */
static void add_encoded(struct strbuf *url, const char *text, const char *plain)
{
	for (; *text; text++)
		if (strchr(PLAIN, *text) || strchr(plain, *text))
			strbuf_addc(url, *text);
		else
			strbuf_addf(url, "%%%02X", (unsigned char)*text);
}

/* libpq marks what must not be shown by an asterisk. */
static bool is_secret(const char *keyword)
{
	PQconninfoOption *options = PQconninfoParse("", NULL);
	bool secret = false;

	for (PQconninfoOption *option = options; option && option->keyword; option++)
		if (strcmp(option->keyword, keyword) == 0)
			secret = strchr(option->dispchar, '*') != NULL;
	PQconninfoFree(options);
	return secret || strcmp(keyword, "password") == 0;
}

/*
 * Whether host and port can stand before the path, where the most programs look for them. In a list
 * each host has a port of its own there, and a socket's directory cannot be told from the path.
 */
static bool fits_authority(const char *host, const char *port)
{
	if (!host)
		return false;
	if (strchr(host, ':'))
		return !host[strspn(host, PLAIN ":%")] && (!port || !port[strspn(port, DIGITS)]);
	return !host[strspn(host, PLAIN)] && (!port || !port[strspn(port, DIGITS)]);
}

static void add_authority(struct strbuf *url, const char *host, const char *port)
{
	if (strchr(host, ':')) {
		strbuf_addc(url, '[');
		add_encoded(url, host, ":");
		strbuf_addc(url, ']');
	} else {
		add_encoded(url, host, "");
	}
	if (port)
		strbuf_addf(url, ":%s", port);
}

static void add_query(struct strbuf *url, const struct params *params, bool has_authority)
{
	char separator = '?';

	for (size_t i = 0; i < params->count; i++) {
		const char *keyword = params->items[i].keyword;
		const char *value = params->items[i].value;

		if (!*value || strcmp(keyword, "user") == 0 || strcmp(keyword, "dbname") == 0 ||
			is_secret(keyword))
			continue;
		if (has_authority && (strcmp(keyword, "host") == 0 || strcmp(keyword, "port") == 0))
			continue;
		strbuf_addf(url, "%c%s=", separator, keyword);
		add_encoded(url, value, "/");
		separator = '&';
	}
}

char *params_url(const struct params *params, const char *database)
{
	struct strbuf url = STRBUF_INIT;
	const char *user = params_get(params, "user");
	const char *host = params_get(params, "host");
	const char *port = params_get(params, "port");
	const bool has_authority = fits_authority(host, port);

	strbuf_adds(&url, "postgresql://");
	if (user) {
		add_encoded(&url, user, "");
		strbuf_addc(&url, '@');
	}
	if (has_authority)
		add_authority(&url, host, port);
	if (database) {
		strbuf_addc(&url, '/');
		add_encoded(&url, database, "");
	} else if (!has_authority) {
		strbuf_addc(&url, '/');
	}
	add_query(&url, params, has_authority);
	return strbuf_detach(&url);
}
