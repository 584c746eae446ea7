/* The address under which the internet sees this machine. */
#ifndef AWS_PUBLIC_ADDRESS_H
#define AWS_PUBLIC_ADDRESS_H

#include "aws/http.h"
#include "base/address.h"

/*
 * Asks several services of different operators at once, directly, and takes what the first two that
 * answer say alike. services: URLs separated by blanks or commas (DB_SG_IP_URLS), NULL: checkip of
 * AWS, ipify, icanhazip, ifconfig.me. The operator is told by the domain the service's host is in
 * ("ipify.org"), for an address by the address, on loopback by host and port. Only status 200, at
 * most 64 bytes, one address of the family asked for and at most one newline count as an answer.
 *
 * Fails with USAGE (a URL that http_refuses, fewer than two operators, more than 16 services),
 * FAILED (two operators that disagree: the message lists who said what; an address that is not
 * global; fewer than two answers, because what came back was none), CONNECT (fewer than two
 * answers, because the others could not be reached), INTERRUPTED. Where answers are missing, the
 * detail says what happened to each service, and that a proxy which is set was not used. What does
 * not come from --ip is never trusted.
 */
int public_address_find(
	int family, const char *services, struct address *ret_address, struct err *err);

#endif
