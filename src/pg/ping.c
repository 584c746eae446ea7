#include "pg/ping.h"

#include "base/address.h"
#include "base/mem.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

/* The shortest libpq knows: it takes 1 for 2. */
#define TIMEOUT_SECONDS "2"

#define MOST_ADDRESSES 16

bool ping_reaches(const struct ping_host *host)
{
	char port[16];
	/* Without TLS: the answer to the first packet is enough, whatever it says. */
	const char *keywords[] = { "host", "port", "dbname", "connect_timeout", "sslmode",
		"gssencmode", "fallback_application_name", host->user ? "user" : NULL, NULL };
	const char *values[] = { host->host, port, "postgres", TIMEOUT_SECONDS, "disable",
		"disable", "dbrig", host->user, NULL };

	snprintf(port, sizeof(port), "%d", host->port);
	switch (PQpingParams(keywords, values, 0)) {
	case PQPING_OK:
	case PQPING_REJECT:
		return true;
	default:
		return false;
	}
}

static bool is_loopback(const struct address *address)
{
	static const unsigned char loopback[16] = { [15] = 1 };

	return address->family == 4 ? address->bytes[0] == 127
				    : memcmp(address->bytes, loopback, 16) == 0;
}

bool ping_is_private(const struct ping_host *host, char **ret_address)
{
	struct address addresses[MOST_ADDRESSES];
	char text[ADDRESS_TEXT_SIZE];
	size_t count = 0;

	if (host->host[0] != '/')
		count = address_look_up(host->host, addresses, ARRAY_SIZE(addresses));
	if (count == 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (is_loopback(&addresses[i]) || address_is_global(&addresses[i], NULL))
			return false;
	*ret_address = mem_strdup(address_format(&addresses[0], text));
	return true;
}
