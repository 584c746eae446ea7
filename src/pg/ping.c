#include "pg/ping.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/resolve.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

/* The shortest libpq knows: it takes 1 for 2. */
#define TIMEOUT_SECONDS "2"

#define LOOK_UP_MS 2000
#define MOST_ADDRESSES 16

/* What is NULL is left to libpq. */
static bool reaches(const struct ping_host *host, const char *address)
{
	char port[16];
	/* Without TLS: the answer to the first packet is enough, whatever it says. */
	const char *keywords[] = { "host", "port", "dbname", "connect_timeout", "sslmode",
		"gssencmode", "fallback_application_name", "user", "hostaddr", NULL };
	const char *values[] = { host->host, port, "postgres", TIMEOUT_SECONDS, "disable",
		"disable", "dbrig", host->user, address, NULL };

	snprintf(port, sizeof(port), "%d", host->port);
	switch (PQpingParams(keywords, values, 0)) {
	case PQPING_OK:
	case PQPING_REJECT:
		return true;
	default:
		return false;
	}
}

bool ping_reaches(const struct ping_host *host)
{
	CLEANUP(resolve_cleanup) struct addrinfo *list = NULL;
	CLEANUP(mem_cleanup) char *reason = NULL;
	CLEANUP(err_release) struct err err = ERR_INIT;
	char address[NI_MAXHOST];

	/* libpq takes the variable's address for the host's. */
	if (host->host[0] == '/' || getenv("PGHOSTADDR"))
		return reaches(host, NULL);
	if (resolve(host->host, NULL, clock_ms() + LOOK_UP_MS, &list, &reason, &err) < 0 &&
		err.kind == ERR_INTERRUPTED)
		interrupt_put_back(err.signal);
	for (const struct addrinfo *item = list; item && !interrupt_pending(); item = item->ai_next)
		if (reaches(host, resolve_text(item, address, sizeof(address))))
			return true;
	return false;
}

bool ping_is_private(const struct ping_host *host, char **ret_address)
{
	struct address addresses[MOST_ADDRESSES];
	char text[ADDRESS_TEXT_SIZE];
	size_t count = 0;

	if (host->host[0] != '/')
		count = resolve_addresses(
			host->host, clock_ms() + LOOK_UP_MS, addresses, ARRAY_SIZE(addresses));
	if (count == 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (address_is_loopback(&addresses[i]) || address_is_global(&addresses[i], NULL))
			return false;
	*ret_address = mem_strdup(address_format(&addresses[0], text));
	return true;
}
