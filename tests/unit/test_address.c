#include "unit.h"

#include "base/address.h"
#include "base/mem.h"

#include <stdio.h>

static bool parse(const char *text, struct address *ret_address)
{
	return address_parse(text, strlen(text), ret_address);
}

/* formatted NULL: refused. */
static const struct {
	const char *text;
	const char *formatted;
} addresses[] = {
	{ "20.1.1.1", "20.1.1.1" },
	{ "0.0.0.0", "0.0.0.0" },
	{ "255.255.255.255", "255.255.255.255" },
	{ "2a01:4f8:0:0:0:0:0:1", "2a01:4f8::1" },
	{ "2A01:4F8::1", "2a01:4f8::1" },
	{ "2a01:04f8::0001", "2a01:4f8::1" },
	{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
	{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
	{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
	{ "::", "::" },
	{ "::1", "::1" },
	{ "::ffff:1.2.3.4", "::ffff:1.2.3.4" },
	{ "::ffff:102:304", "::ffff:1.2.3.4" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	{ "", NULL },
	{ " 20.1.1.1", NULL },
	{ "20.1.1.1 ", NULL },
	{ "20.1.1.1\n", NULL },
	{ "20.1.1.1\r\n", NULL },
	{ "20.1.1.1/32", NULL },
	{ "1.2.3.4/0", NULL },
	{ "2a01::1/128", NULL },
	{ "20.1.1", NULL },
	{ "20.1", NULL },
	{ "20", NULL },
	{ "335610113", NULL },
	{ "20.1.1.1.1", NULL },
	{ "20.1.1.", NULL },
	{ ".20.1.1.1", NULL },
	{ "20..1.1", NULL },
	{ "20.1.1.256", NULL },
	{ "20.1.1.1000", NULL },
	{ "20.1.1.01", NULL },
	{ "020.1.1.1", NULL },
	{ "20.1.1.00", NULL },
	{ "0x14.1.1.1", NULL },
	{ "20.1.1.a", NULL },
	{ "-20.1.1.1", NULL },
	{ "+20.1.1.1", NULL },
	{ "20.1.1.1:5432", NULL },
	{ "20.1.1.1, 20.1.1.2", NULL },
	{ "fe80::1%eth0", NULL },
	{ "fe80::1%1", NULL },
	{ "20.1.1.1%eth0", NULL },
	{ "[2a01::1]", NULL },
	{ "2a01:::1", NULL },
	{ "2a01::1::2", NULL },
	{ "2a01:1:2:3:4:5:6", NULL },
	{ "2a01:1:2:3:4:5:6:7:8", NULL },
	{ "2a01::12345", NULL },
	{ "2a01::g", NULL },
	{ ":2a01::1", NULL },
	{ "2a01:1:2:3:4:5:6:", NULL },
	{ "::ffff:1.2.3", NULL },
	{ "::1.2.3.256", NULL },
	{ "1.2.3.4::", NULL },
	{ "<html>", NULL },
	{ "localhost", NULL },
	{ "2a01:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", NULL },
	{ "\xef\xbc\x91.2.3.4", NULL },
};

static void test_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		const char *text = addresses[i].text;
		struct address address;
		char buffer[ADDRESS_TEXT_SIZE];
		bool parsed = parse(text, &address);

		check_text(text, parsed ? address_format(&address, buffer) : NULL,
			addresses[i].formatted);
		if (parsed)
			check_number(text, address.family, strchr(text, ':') ? 6 : 4);
	}
}

static void test_length_ends_the_text(void **state)
{
	static const char text[] = "20.1.1.19";
	struct address address;
	char buffer[ADDRESS_TEXT_SIZE];

	(void)state;
	assert_true(address_parse(text, 8, &address));
	check_text("eight bytes", address_format(&address, buffer), "20.1.1.1");
	check_number("no bytes", address_parse(text, 0, &address), false);
}

static void test_nul_in_the_text(void **state)
{
	struct address address;

	(void)state;
	check_number("behind", address_parse("20.1.1.1\0", 9, &address), false);
	check_number("within", address_parse("20.1.1.1\0.9", 11, &address), false);
	check_number("before",
		address_parse("\0"
			      "20.1.1.1",
			9, &address),
		false);
}

static void test_refused_leaves_the_result_alone(void **state)
{
	struct address address;
	struct cidr cidr;
	char buffer[ADDRESS_TEXT_SIZE];

	(void)state;
	assert_true(parse("20.1.1.1", &address));
	check_number("address", parse("20.1.1.2.", &address), false);
	check_text("address", address_format(&address, buffer), "20.1.1.1");
	assert_true(cidr_parse("20.1.1.1/32", &cidr));
	check_number("block", cidr_parse("20.1.1.2/33", &cidr), false);
	check_text("block", cidr_format(&cidr, buffer), "20.1.1.1/32");
}

static const struct {
	const char *text;
	const char *formatted; /* NULL: refused */
} blocks[] = {
	{ "20.1.1.1/32", "20.1.1.1/32" },
	{ "20.1.1.1/31", "20.1.1.0/31" },
	{ "20.1.1.77/24", "20.1.1.0/24" },
	{ "20.255.1.1/9", "20.128.0.0/9" },
	{ "20.255.1.1/8", "20.0.0.0/8" },
	{ "20.255.1.1/7", "20.0.0.0/7" },
	{ "255.255.255.255/1", "128.0.0.0/1" },
	{ "1.2.3.4/0", "0.0.0.0/0" },
	{ "2A01:4F8::FF/128", "2a01:4f8::ff/128" },
	{ "2a01:4f8::ff/121", "2a01:4f8::80/121" },
	{ "2a01:4f8:1:2:3:4:5:6/64", "2a01:4f8:1:2::/64" },
	{ "2a01:4f8::1/0", "::/0" },
	{ "", NULL },
	{ "/", NULL },
	{ "/32", NULL },
	{ "20.1.1.1", NULL },
	{ "20.1.1.1/", NULL },
	{ "20.1.1.1/33", NULL },
	{ "20.1.1.1/032", NULL },
	{ "20.1.1.1/00", NULL },
	{ "20.1.1.1/+8", NULL },
	{ "20.1.1.1/-0", NULL },
	{ "20.1.1.1/ 8", NULL },
	{ "20.1.1.1/8 ", NULL },
	{ "20.1.1.1/8/8", NULL },
	{ "20.1.1.1/255.255.255.0", NULL },
	{ "20.1.1.1/4294967328", NULL },
	{ "20.1.1.1/a", NULL },
	{ "20.1.1/24", NULL },
	{ "2a01::1/129", NULL },
	{ "2a01::1/999", NULL },
	{ "2a01::1/1280", NULL },
	{ "2a01::1%1/64", NULL },
};

static void test_blocks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
		struct cidr cidr;
		char buffer[ADDRESS_TEXT_SIZE];
		bool parsed = cidr_parse(blocks[i].text, &cidr);

		check_text(blocks[i].text, parsed ? cidr_format(&cidr, buffer) : NULL,
			blocks[i].formatted);
	}
}

static void test_block_of_one_address(void **state)
{
	struct address address;
	struct cidr cidr;
	char buffer[ADDRESS_TEXT_SIZE];

	(void)state;
	assert_true(parse("20.1.1.1", &address));
	cidr = cidr_of(&address);
	check_text("IPv4", cidr_format(&cidr, buffer), "20.1.1.1/32");
	assert_true(parse("2a01::1", &address));
	cidr = cidr_of(&address);
	check_text("IPv6", cidr_format(&cidr, buffer), "2a01::1/128");
}

static void test_longest_text_fits(void **state)
{
	struct cidr cidr;
	char buffer[ADDRESS_TEXT_SIZE];

	(void)state;
	assert_true(cidr_parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", &cidr));
	check_text(
		"block", cidr_format(&cidr, buffer), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
}

static void test_covers(void **state)
{
	static const struct {
		const char *block, *address;
		bool covers;
	} cases[] = {
		{ "20.1.1.1/32", "20.1.1.1", true },
		{ "20.1.1.1/32", "20.1.1.0", false },
		{ "20.1.1.0/31", "20.1.1.1", true },
		{ "20.1.1.0/31", "20.1.1.2", false },
		{ "10.0.0.0/8", "10.255.255.255", true },
		{ "10.0.0.0/8", "11.0.0.0", false },
		{ "100.64.0.0/10", "100.127.255.255", true },
		{ "100.64.0.0/10", "100.128.0.0", false },
		{ "0.0.0.0/0", "255.1.2.3", true },
		{ "::/0", "2a01::1", true },
		{ "::/0", "20.1.1.1", false },
		{ "0.0.0.0/0", "2a01::1", false },
		{ "2a01::/16", "2a01:ffff::1", true },
		{ "2a01::/16", "2a02::1", false },
		{ "2a01::1/128", "2a01::1", true },
		{ "2a01::1/128", "2a01::2", false },
		{ "1400::/8", "20.0.0.0", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cidr block;
		struct address address;
		char label[2 * ADDRESS_TEXT_SIZE];

		snprintf(label, sizeof(label), "%s %s", cases[i].block, cases[i].address);
		assert_true(cidr_parse(cases[i].block, &block));
		assert_true(parse(cases[i].address, &address));
		check_number(label, cidr_covers(&block, &address), cases[i].covers);
	}
}

static void test_equal(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{ "20.1.1.1/32", "20.1.1.1/32", true },
		{ "20.1.1.1/32", "20.1.1.2/32", false },
		{ "20.1.1.0/24", "20.1.1.9/24", true },
		{ "2a01:0:0::1/128", "2A01::1/128", true },
		{ "2a01::1/128", "2a01::2/128", false },
		{ "0.0.0.0/0", "::/0", false },
		{ "20.1.1.1/32", "1401:101::/32", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cidr a, b;
		char label[2 * ADDRESS_TEXT_SIZE];

		snprintf(label, sizeof(label), "%s %s", cases[i].a, cases[i].b);
		assert_true(cidr_parse(cases[i].a, &a) && cidr_parse(cases[i].b, &b));
		check_number(label, address_equal(&a.address, &b.address), cases[i].equal);
	}
}

/* Only the bytes of the family count, whatever stands behind them. */
static void test_equal_beside_rubbish(void **state)
{
	struct address a, b;

	(void)state;
	assert_true(parse("20.1.1.1", &a));
	b = a;
	memset(b.bytes + 4, 0xff, sizeof(b.bytes) - 4);
	check_number("equal", address_equal(&a, &b), true);
}

/* The addresses at both ends of each refused block, and their neighbours outside. */
static const struct {
	const char *address;
	const char *why; /* NULL: global */
} reach[] = {
	{ "0.0.0.0", "\"this network\"" },
	{ "0.255.255.255", "\"this network\"" },
	{ "1.0.0.0", NULL },
	{ "9.255.255.255", NULL },
	{ "10.0.0.0", "a private network (RFC 1918)" },
	{ "10.0.0.1", "a private network (RFC 1918)" },
	{ "10.255.255.255", "a private network (RFC 1918)" },
	{ "11.0.0.0", NULL },
	{ "100.63.255.255", NULL },
	{ "100.64.0.0", "carrier-grade NAT" },
	{ "100.64.3.7", "carrier-grade NAT" },
	{ "100.127.255.255", "carrier-grade NAT" },
	{ "100.128.0.0", NULL },
	{ "126.255.255.255", NULL },
	{ "127.0.0.0", "loopback" },
	{ "127.255.255.255", "loopback" },
	{ "128.0.0.0", NULL },
	{ "169.253.255.255", NULL },
	{ "169.254.0.0", "link-local" },
	{ "169.254.255.255", "link-local" },
	{ "169.255.0.0", NULL },
	{ "172.15.255.255", NULL },
	{ "172.16.0.0", "a private network (RFC 1918)" },
	{ "172.31.255.255", "a private network (RFC 1918)" },
	{ "172.32.0.0", NULL },
	{ "191.255.255.255", NULL },
	{ "192.0.0.0", "reserved for protocol assignments" },
	{ "192.0.0.8", "reserved for protocol assignments" },
	{ "192.0.0.255", "reserved for protocol assignments" },
	{ "192.0.1.0", NULL },
	{ "192.0.1.255", NULL },
	{ "192.0.2.0", "reserved for documentation" },
	{ "192.0.2.255", "reserved for documentation" },
	{ "192.0.3.0", NULL },
	{ "192.88.98.255", NULL },
	{ "192.88.99.0", "a 6to4 relay" },
	{ "192.88.99.255", "a 6to4 relay" },
	{ "192.88.100.0", NULL },
	{ "192.167.255.255", NULL },
	{ "192.168.0.0", "a private network (RFC 1918)" },
	{ "192.168.255.255", "a private network (RFC 1918)" },
	{ "192.169.0.0", NULL },
	{ "198.17.255.255", NULL },
	{ "198.18.0.0", "reserved for benchmarks" },
	{ "198.19.255.255", "reserved for benchmarks" },
	{ "198.20.0.0", NULL },
	{ "198.51.99.255", NULL },
	{ "198.51.100.0", "reserved for documentation" },
	{ "198.51.100.255", "reserved for documentation" },
	{ "198.51.101.0", NULL },
	{ "203.0.112.255", NULL },
	{ "203.0.113.0", "reserved for documentation" },
	{ "203.0.113.255", "reserved for documentation" },
	{ "203.0.114.0", NULL },
	{ "223.255.255.255", NULL },
	{ "224.0.0.0", "multicast" },
	{ "239.255.255.255", "multicast" },
	{ "240.0.0.0", "reserved" },
	{ "255.255.255.254", "reserved" },
	{ "255.255.255.255", "broadcast" },
	{ "20.1.1.1", NULL },
	{ "::", "the unspecified address" },
	{ "::1", "loopback" },
	{ "::2", "reserved" },
	{ "::1.2.3.4", "reserved" },
	{ "::ffff:20.1.1.1", "an IPv4 address in IPv6 form" },
	{ "::ffff:10.0.0.1", "an IPv4 address in IPv6 form" },
	{ "64:ff9b::20.1.1.1", "an IPv4 address behind NAT64" },
	{ "64:ff9b:1::1", "reserved" },
	{ "100::1", "reserved" },
	{ "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved" },
	{ "2000::", NULL },
	{ "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL },
	{ "2001::", "Teredo" },
	{ "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "Teredo" },
	{ "2001:1::", "reserved for protocol assignments" },
	{ "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved for protocol assignments" },
	{ "2001:200::", NULL },
	{ "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", NULL },
	{ "2001:db8::", "reserved for documentation" },
	{ "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "reserved for documentation" },
	{ "2001:db9::", NULL },
	{ "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL },
	{ "2002::", "6to4" },
	{ "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "6to4" },
	{ "2003::", NULL },
	{ "2a01:4f8::1", NULL },
	{ "2a05:d018:1:2::5", NULL },
	{ "2600:1f18::1", NULL },
	{ "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL },
	{ "3fff::", "reserved for documentation" },
	{ "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved for documentation" },
	{ "3fff:1000::", NULL },
	{ "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL },
	{ "4000::", "reserved" },
	{ "fbff::1", "reserved" },
	{ "fc00::", "a private network (RFC 4193)" },
	{ "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "a private network (RFC 4193)" },
	{ "fe00::", "reserved" },
	{ "fe80::1", "link-local" },
	{ "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "link-local" },
	{ "fec0::1", "reserved" },
	{ "ff02::1", "multicast" },
};

static void test_loopback(void **state)
{
	static const struct {
		const char *address;
		bool loopback;
	} cases[] = { { "127.0.0.1", true }, { "127.255.255.254", true },
		{ "126.255.255.255", false }, { "128.0.0.1", false }, { "10.0.0.1", false },
		{ "::1", true }, { "::2", false }, { "::", false }, { "7f00::1", false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct address address;

		assert_true(parse(cases[i].address, &address));
		check_number(cases[i].address, address_is_loopback(&address), cases[i].loopback);
	}
}

static void test_global(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(reach); i++) {
		struct address address;
		const char *why = NULL;

		assert_true(parse(reach[i].address, &address));
		check_number(reach[i].address, address_is_global(&address, &why), !reach[i].why);
		check_text(reach[i].address, why, reach[i].why);
		check_number(reach[i].address, address_is_global(&address, NULL), !reach[i].why);
	}
}

static void format_of_no_family(void)
{
	struct address address = { 0 };
	char buffer[ADDRESS_TEXT_SIZE];

	address_format(&address, buffer);
}

static void test_no_family_is_a_bug(void **state)
{
	(void)state;
	check_aborts("address_format", format_of_no_family);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_addresses),
		UNIT_TEST(test_length_ends_the_text),
		UNIT_TEST(test_nul_in_the_text),
		UNIT_TEST(test_refused_leaves_the_result_alone),
		UNIT_TEST(test_blocks),
		UNIT_TEST(test_block_of_one_address),
		UNIT_TEST(test_longest_text_fits),
		UNIT_TEST(test_covers),
		UNIT_TEST(test_equal),
		UNIT_TEST(test_equal_beside_rubbish),
		UNIT_TEST(test_loopback),
		UNIT_TEST(test_global),
		UNIT_TEST(test_no_family_is_a_bug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
