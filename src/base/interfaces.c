#include "base/interfaces.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

/* False: of neither family. */
static bool read_address(const struct sockaddr *socket, struct address *ret_address)
{
	*ret_address = (struct address){ 0 };
	if (socket && socket->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, socket, sizeof(in));
		ret_address->family = 4;
		memcpy(ret_address->bytes, &in.sin_addr, 4);
		return true;
	}
	if (socket && socket->sa_family == AF_INET6) {
		struct sockaddr_in6 in;

		memcpy(&in, socket, sizeof(in));
		ret_address->family = 6;
		memcpy(ret_address->bytes, &in.sin6_addr, 16);
		return true;
	}
	return false;
}

static bool is_unspecified(const struct address *address)
{
	static const unsigned char none[16];

	return memcmp(address->bytes, none, address->family == 4 ? 4 : 16) == 0;
}

bool interfaces_have(const struct address *address)
{
	struct ifaddrs *list = NULL;
	bool found = address_is_loopback(address) || is_unspecified(address);

	if (found || getifaddrs(&list) != 0)
		return found;
	for (const struct ifaddrs *item = list; item && !found; item = item->ifa_next) {
		struct address own;

		found = read_address(item->ifa_addr, &own) && address_equal(&own, address);
	}
	freeifaddrs(list);
	return found;
}
