#include "aws/http_internal.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

static void curl_url_release(CURLU **url)
{
	curl_url_cleanup(*url);
	*url = NULL;
}

void http_url_release(struct http_url *url)
{
	mem_free(url->host);
	mem_free(url->port);
	*url = (struct http_url)HTTP_URL_INIT;
}

/* A part of the URL as a string of our own; NULL: it has none. */
static char *part(CURLU *url, CURLUPart which, unsigned flags)
{
	char *text = NULL;
	char *copy;

	if (curl_url_get(url, which, &text, flags) != CURLUE_OK)
		return NULL;
	copy = mem_strdup(text);
	curl_free(text);
	return copy;
}

static bool has_part(CURLU *url, CURLUPart which)
{
	CLEANUP(mem_cleanup) char *text = part(url, which, 0);

	return text != NULL;
}

/* In lower case, as a signature needs it. */
static char *host_of(CURLU *url)
{
	char *host = part(url, CURLUPART_HOST, 0);

	for (char *c = host; c && *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return host;
}

/* Takes the brackets off. */
static void strip_brackets(char *host)
{
	size_t length = strlen(host);

	if (length < 2 || host[0] != '[' || host[length - 1] != ']')
		return;
	memmove(host, host + 1, length - 2);
	host[length - 2] = '\0';
}

/* Where plain http cannot be overheard: this machine; with link_local the link's own services. */
static bool is_near(const char *host, bool link_local)
{
	static const unsigned char container[4] = { 0xfd, 0x00, 0x0e, 0xc2 }; /* fd00:ec2::/32 */
	struct in_addr v4;
	struct in6_addr v6;
	unsigned char bytes[4];

	if (strcmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, &v4) == 1) {
		memcpy(bytes, &v4, sizeof(bytes));
		return bytes[0] == 127 || (link_local && bytes[0] == 169 && bytes[1] == 254);
	}
	if (inet_pton(AF_INET6, host, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6) ||
		       (link_local && memcmp(&v6, container, sizeof(container)) == 0);
	return false;
}

const char *http_url_read(const char *text, bool link_local, struct http_url *ret_url)
{
	CLEANUP(curl_url_release) CURLU *url = curl_url();
	CLEANUP(mem_cleanup) char *scheme = NULL;
	CLEANUP(http_url_release) struct http_url parts = HTTP_URL_INIT;

	if (!url)
		BUG("no URL parser");
	if (!strstr(text, "://") ||
		curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
		return "it is not a URL";
	scheme = part(url, CURLUPART_SCHEME, 0);
	if (!scheme || (strcasecmp(scheme, "https") != 0 && strcasecmp(scheme, "http") != 0))
		return "it begins neither with https:// nor with http://";
	if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD))
		return "it holds a user name or a password";
	if (has_part(url, CURLUPART_ZONEID))
		return "it holds a zone";
	parts.host = host_of(url);
	parts.port = part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	if (!parts.host || !*parts.host || !parts.port)
		return "it holds no host";
	strip_brackets(parts.host);
	parts.is_plain = strcasecmp(scheme, "http") == 0;
	parts.is_localhost = strcmp(parts.host, "localhost") == 0;
	if (parts.is_plain && !is_near(parts.host, link_local))
		return "http without TLS is only for addresses of this machine";
	ret_url->is_plain = parts.is_plain;
	ret_url->is_localhost = parts.is_localhost;
	ret_url->host = take_ptr(parts.host);
	ret_url->port = take_ptr(parts.port);
	return "";
}

const char *http_refuses(const char *url, bool link_local)
{
	CLEANUP(http_url_release) struct http_url parts = HTTP_URL_INIT;

	return http_url_read(url, link_local, &parts);
}

char *http_host(const char *url)
{
	CLEANUP(curl_url_release) CURLU *parsed = curl_url();
	CLEANUP(mem_cleanup) char *host = NULL;
	CLEANUP(mem_cleanup) char *port = NULL;

	if (!parsed)
		BUG("no URL parser");
	if (curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK)
		return NULL;
	host = host_of(parsed);
	port = part(parsed, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
	if (!host || !*host)
		return NULL;
	return port ? mem_printf("%s:%s", host, port) : take_ptr(host);
}

time_t http_date(const char *text)
{
	return text ? curl_getdate(text, NULL) : -1;
}
