#include "base/address.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static int socket_family(int family)
{
	if (family == 4)
		return AF_INET;
	if (family == 6)
		return AF_INET6;
	BUG("address of no known family");
}

static unsigned bits_of(int family)
{
	return family == 4 ? 32 : 128;
}

bool address_parse(const char *text, size_t length, struct address *ret_address)
{
	static const char allowed[] = "0123456789abcdefABCDEF.:";
	struct address address = { 0 };
	char copy[ADDRESS_TEXT_SIZE];

	/* Some inet_pton know zones and leading zeros; a NUL would end the text early. */
	if (length >= sizeof(copy))
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!memchr(allowed, text[i], sizeof(allowed) - 1))
			return false;
	}
	memcpy(copy, text, length);
	copy[length] = '\0';
	address.family = strchr(copy, ':') ? 6 : 4;
	if (inet_pton(socket_family(address.family), copy, address.bytes) != 1)
		return false;
	*ret_address = address;
	return true;
}

/* Decimal digits without a sign or leading zeros. */
static bool parse_prefix(const char *text, unsigned ceiling, unsigned *ret_prefix)
{
	unsigned prefix = 0;
	size_t length = strlen(text);

	if (length == 0 || length > 3 || (text[0] == '0' && length > 1))
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		prefix = prefix * 10 + (unsigned)(text[i] - '0');
	}
	if (prefix > ceiling)
		return false;
	*ret_prefix = prefix;
	return true;
}

/* The bits of the byte at index that belong to a network of that many bits. */
static unsigned char mask_byte(unsigned prefix, unsigned index)
{
	if (prefix >= (index + 1) * 8)
		return 0xff;
	if (prefix <= index * 8)
		return 0;
	return (unsigned char)(0xff << (8 - prefix % 8));
}

bool address_of_socket(const struct sockaddr *socket, struct address *ret_address)
{
	*ret_address = (struct address){ 0 };
	if (socket->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)socket;

		ret_address->family = 4;
		memcpy(ret_address->bytes, &in->sin_addr, 4);
		return true;
	}
	if (socket->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const void *)socket;

		ret_address->family = 6;
		memcpy(ret_address->bytes, &in->sin6_addr, 16);
		return true;
	}
	return false;
}

bool cidr_parse(const char *text, struct cidr *ret_cidr)
{
	const char *slash = strchr(text, '/');
	struct cidr cidr;

	if (!slash || !address_parse(text, (size_t)(slash - text), &cidr.address))
		return false;
	if (!parse_prefix(slash + 1, bits_of(cidr.address.family), &cidr.prefix))
		return false;
	for (unsigned i = 0; i < sizeof(cidr.address.bytes); i++)
		cidr.address.bytes[i] &= mask_byte(cidr.prefix, i);
	*ret_cidr = cidr;
	return true;
}

char *address_format(const struct address *address, char *buffer)
{
	if (!inet_ntop(socket_family(address->family), address->bytes, buffer, ADDRESS_TEXT_SIZE))
		BUG("buffer too small for an address");
	return buffer;
}

char *cidr_format(const struct cidr *cidr, char *buffer)
{
	size_t length;

	address_format(&cidr->address, buffer);
	length = strlen(buffer);
	snprintf(buffer + length, ADDRESS_TEXT_SIZE - length, "/%u", cidr->prefix);
	return buffer;
}

struct cidr cidr_of(const struct address *address)
{
	return (struct cidr){ *address, bits_of(address->family) };
}

bool address_is_loopback(const struct address *address)
{
	static const unsigned char loopback[16] = { [15] = 1 };

	if (address->family == 4)
		return address->bytes[0] == 127;
	return memcmp(address->bytes, loopback, sizeof(loopback)) == 0;
}

bool address_equal(const struct address *a, const struct address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, bits_of(a->family) / 8) == 0;
}

bool cidr_covers(const struct cidr *cidr, const struct address *address)
{
	if (cidr->address.family != address->family)
		return false;
	for (unsigned i = 0; i < bits_of(address->family) / 8; i++) {
		if ((cidr->address.bytes[i] ^ address->bytes[i]) & mask_byte(cidr->prefix, i))
			return false;
	}
	return true;
}

/*
 * https://www.iana.org/assignments/iana-ipv4-special-registry/ and its counterpart for IPv6. The
 * first that covers an address names the reason.
 */
static const struct {
	const char *cidr;
	const char *why;
} not_global[] = {
	{ "0.0.0.0/8", "\"this network\"" },
	{ "10.0.0.0/8", "a private network (RFC 1918)" },
	{ "100.64.0.0/10", "carrier-grade NAT" },
	{ "127.0.0.0/8", "loopback" },
	{ "169.254.0.0/16", "link-local" },
	{ "172.16.0.0/12", "a private network (RFC 1918)" },
	{ "192.0.0.0/24", "reserved for protocol assignments" },
	{ "192.0.2.0/24", "reserved for documentation" },
	{ "192.88.99.0/24", "a 6to4 relay" },
	{ "192.168.0.0/16", "a private network (RFC 1918)" },
	{ "198.18.0.0/15", "reserved for benchmarks" },
	{ "198.51.100.0/24", "reserved for documentation" },
	{ "203.0.113.0/24", "reserved for documentation" },
	{ "224.0.0.0/4", "multicast" },
	{ "255.255.255.255/32", "broadcast" },
	{ "240.0.0.0/4", "reserved" },
	{ "::/128", "the unspecified address" },
	{ "::1/128", "loopback" },
	{ "::ffff:0.0.0.0/96", "an IPv4 address in IPv6 form" },
	{ "64:ff9b::/96", "an IPv4 address behind NAT64" },
	{ "fc00::/7", "a private network (RFC 4193)" },
	{ "fe80::/10", "link-local" },
	{ "ff00::/8", "multicast" },
	{ "2001::/32", "Teredo" },
	{ "2001::/23", "reserved for protocol assignments" },
	{ "2001:db8::/32", "reserved for documentation" },
	{ "2002::/16", "6to4" },
	{ "3fff::/20", "reserved for documentation" },
};

static const char *why_not_global(const struct address *address)
{
	struct cidr block;

	for (size_t i = 0; i < ARRAY_SIZE(not_global); i++) {
		if (!cidr_parse(not_global[i].cidr, &block))
			BUG("not a CIDR block");
		if (cidr_covers(&block, address))
			return not_global[i].why;
	}
	/* Of IPv6, only 2000::/3 has ever been given out. */
	if (address->family == 6 && address->bytes[0] >> 5 != 1)
		return "reserved";
	return NULL;
}

bool address_is_global(const struct address *address, const char **ret_why)
{
	const char *why = why_not_global(address);

	if (why && ret_why)
		*ret_why = why;
	return !why;
}
