#include "pg/ping.h"

#include "base/address.h"
#include "base/mem.h"

#include <libpq-fe.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* The shortest libpq knows: it takes 1 for 2. */
#define TIMEOUT_SECONDS "2"

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

static bool take_address(const struct sockaddr *from, struct address *to)
{
	if (from->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)from;

		to->family = 4;
		memcpy(to->bytes, &in->sin_addr, 4);
		return true;
	}
	if (from->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const void *)from;

		to->family = 6;
		memcpy(to->bytes, &in->sin6_addr, 16);
		return true;
	}
	return false;
}

static bool is_loopback(const struct address *address)
{
	static const unsigned char loopback[16] = { [15] = 1 };

	return address->family == 4 ? address->bytes[0] == 127
				    : memcmp(address->bytes, loopback, 16) == 0;
}

bool ping_is_private(const struct ping_host *host, char **ret_address)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	struct address found = { 0 };
	bool is_private = false;

	if (host->host[0] == '/' || getaddrinfo(host->host, NULL, &hints, &list) != 0)
		return false;
	for (const struct addrinfo *item = list; item; item = item->ai_next) {
		struct address address = { 0 };

		if (!take_address(item->ai_addr, &address))
			continue;
		is_private = !is_loopback(&address) && !address_is_global(&address, NULL);
		if (!is_private)
			break;
		found = address;
	}
	freeaddrinfo(list);
	if (is_private) {
		char text[ADDRESS_TEXT_SIZE];

		*ret_address = mem_strdup(address_format(&found, text));
	}
	return is_private;
}
