/*
 * Looking names up for no longer than wanted. The system's resolver knows neither a time nor our
 * signals; it works in a thread, which is left to itself when the time is over.
 */
#ifndef BASE_RESOLVE_H
#define BASE_RESOLVE_H

#include "base/address.h"
#include "base/err.h"

#include <netdb.h>
#include <stdint.h>

/*
 * The addresses of host for stream sockets, in the resolver's order; port: a number, NULL: none.
 * An address as host is read at once, in this thread. Waits until the deadline (clock_ms).
 *
 * 0: *ret_list is the caller's (resolve_cleanup). 1: there are none, and *ret_reason is why, the
 * caller's too: the resolver's own words, or RESOLVE_NO_ANSWER and how long was waited. -1:
 * INTERRUPTED, or FAILED where no thread can be had.
 */
int resolve(const char *host, const char *port, int64_t deadline, struct addrinfo **ret_list,
	char **ret_reason, struct err *err);

#define RESOLVE_NO_ANSWER "no name server has answered within"

/* The address as text, with its zone; size: NI_MAXHOST is always enough. Returns buffer. */
char *resolve_text(const struct addrinfo *item, char *buffer, size_t size);

/*
 * The same as addresses, most of them at most; how many. 0 also when the name stands for none, when
 * the deadline has passed, or when a signal has come, which is pending then.
 */
size_t resolve_addresses(
	const char *host, int64_t deadline, struct address *addresses, size_t most);

/* Usable as a CLEANUP handler. */
void resolve_cleanup(struct addrinfo **list);

#endif
