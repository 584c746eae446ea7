/* Whether a server can be reached, without a connection to any of its databases. */
#ifndef PG_PING_H
#define PG_PING_H

#include "base/err.h"

struct ping_host {
	const char *host;
	int port;
	const char *user; /* whom the server's log shall name; NULL: libpq's default */
};

/*
 * True when something that speaks PostgreSQL's protocol answers within two seconds for each of the
 * host's addresses, and two for looking them up, even if only to say that it refuses or is starting
 * up. False when a signal has come, which is pending then.
 */
bool ping_reaches(const struct ping_host *host);

/*
 * True when the name (or address) stands for addresses that cannot be reached through the internet,
 * and for those alone; *ret_address is then one of them, the caller's. Addresses of this machine
 * count as reachable: behind them is a tunnel. False when the name cannot be looked up in two
 * seconds.
 */
bool ping_is_private(const struct ping_host *host, char **ret_address);

#endif
