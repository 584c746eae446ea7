/* Internet addresses and CIDR blocks, as text of the strict form and as bytes. */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include "base/base.h"

struct address {
	int family;              /* 4 or 6 */
	unsigned char bytes[16]; /* network order; 4 of them for IPv4 */
};

struct cidr {
	struct address address; /* with the host's bits zero */
	unsigned prefix;        /* bits: 0 to 32, or to 128 */
};

/* "ffff:…:255.255.255.255/128" and its NUL. */
#define ADDRESS_TEXT_SIZE 50

/*
 * As inet_pton: no leading zeros, no prefix, no zone, no brackets, no blanks. False otherwise, and
 * for a text with a NUL in it.
 */
bool address_parse(const char *text, size_t length, struct address *ret_address);

struct sockaddr;

/* False for other families than those of IPv4 and IPv6. */
bool address_of_socket(const struct sockaddr *socket, struct address *ret_address);

/* ADDRESS "/" PREFIX; the prefix without a sign or leading zeros. Host bits are cleared. */
bool cidr_parse(const char *text, struct cidr *ret_cidr);

/* The canonical text (RFC 5952 for IPv6) in buffer of ADDRESS_TEXT_SIZE; returns buffer. */
char *address_format(const struct address *address, char *buffer);
char *cidr_format(const struct cidr *cidr, char *buffer);

/* The block of that one address: /32 or /128. */
struct cidr cidr_of(const struct address *address);

bool address_equal(const struct address *a, const struct address *b);
/* False for different families. */
bool cidr_covers(const struct cidr *cidr, const struct address *address);

/* 127.0.0.0/8 and ::1. */
bool address_is_loopback(const struct address *address);

/*
 * True when the address can be seen on the internet. Otherwise *ret_why (may be NULL) is a phrase
 * like "a private network (RFC 1918)" or "carrier-grade NAT". Stricter than the registries: IPv4
 * 0/8 10/8 100.64/10 127/8 169.254/16 172.16/12 192.0.0/24 192.0.2/24 192.88.99/24 192.168/16
 * 198.18/15 198.51.100/24 203.0.113/24 224/4 240/4; IPv6 all outside 2000::/3, and 2001::/23
 * 2001:db8::/32 2002::/16 3fff::/20.
 */
bool address_is_global(const struct address *address, const char **ret_why);

#endif
