#include "base/rds_endpoint.h"

#include "base/mem.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* A host's name without what all endpoints share. */
struct parts {
	size_t names;       /* length of what stands before it: mydb.abc123, or with the region */
	const char *region; /* where it has a place of its own; NULL: it is the last of the names */
	size_t region_length;
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* eu-central-1, us-gov-west-1. */
static bool is_region(const char *text, size_t length)
{
	size_t hyphens = 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] == '-')
			hyphens++;
		else if (!is_letter(text[i]) && !is_digit(text[i]))
			return false;
	}
	return length > 4 && hyphens >= 2 && is_letter(text[0]) && is_digit(text[length - 1]);
}

static bool ends_with(const char *text, size_t length, const char *suffix)
{
	size_t size = strlen(suffix);

	return length > size && strncasecmp(text + length - size, suffix, size) == 0;
}

/* The start of the last label; 0: there is one only. */
static size_t last_label(const char *text, size_t length)
{
	while (length > 0 && text[length - 1] != '.')
		length--;
	return length;
}

/* The forms: NAMES.rds.amazonaws.com, NAMES.rds.REGION.amazonaws.com.cn; the first also with .cn.
 */
static bool split(const char *host, size_t length, struct parts *ret_parts)
{
	static const char *const global[] = { ".rds.amazonaws.com", ".rds.amazonaws.com.cn" };
	static const char china[] = ".amazonaws.com.cn";
	size_t region;

	/* The root's dot, as in a name that no search list is to be tried on. */
	if (length > 0 && host[length - 1] == '.')
		length--;
	for (size_t i = 0; i < ARRAY_SIZE(global); i++) {
		if (ends_with(host, length, global[i])) {
			*ret_parts = (struct parts){ .names = length - strlen(global[i]) };
			return true;
		}
	}
	if (!ends_with(host, length, china))
		return false;
	length -= strlen(china);
	region = last_label(host, length);
	if (region == 0 || !is_region(host + region, length - region) ||
		!ends_with(host, region - 1, ".rds"))
		return false;
	*ret_parts = (struct parts){ .names = region - 1 - strlen(".rds"),
		.region = host + region,
		.region_length = length - region };
	return true;
}

bool rds_is_host(const char *host, size_t length)
{
	struct parts parts;

	return split(host, length, &parts);
}

static char *lower_copy(const char *text, size_t length)
{
	char *copy = mem_strndup(text, length);

	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

bool rds_parse_host(const char *host, char **ret_id, char **ret_region)
{
	struct parts parts;
	size_t id_length = strcspn(host, "."), dots = 0;
	const char *second = host + id_length + 1;

	if (!split(host, strlen(host), &parts))
		return false;
	if (!parts.region) {
		size_t region = last_label(host, parts.names);

		if (region == 0 || !is_region(host + region, parts.names - region))
			return false;
		parts.region = host + region;
		parts.region_length = parts.names - region;
		parts.names = region - 1;
	}
	if (id_length == 0 || id_length >= parts.names)
		return false;
	for (size_t i = 0; i < parts.names; i++)
		dots += host[i] == '.';
	*ret_region = lower_copy(parts.region, parts.region_length);
	/* Endpoints of clusters and proxies stand for no instance of that name. */
	*ret_id = dots == 1 && strncasecmp(second, "cluster-", 8) != 0 &&
				  strncasecmp(second, "proxy-", 6) != 0
			  ? lower_copy(host, id_length)
			  : NULL;
	return true;
}
