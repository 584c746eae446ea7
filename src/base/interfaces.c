#include "base/interfaces.h"

#include <ifaddrs.h>
#include <string.h>

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

		found = item->ifa_addr && address_of_socket(item->ifa_addr, &own) &&
			address_equal(&own, address);
	}
	freeifaddrs(list);
	return found;
}
