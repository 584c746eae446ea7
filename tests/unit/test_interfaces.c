#include "unit.h"

#include "base/interfaces.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

/* What this machine would be seen as from a network, if it has one. Nothing is sent. */
static bool own_address(char *text, size_t size)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) }, from = { 0 };
	socklen_t length = sizeof(from);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	bool found;

	inet_pton(AF_INET, "192.0.2.1", &to.sin_addr);
	found = fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
		getsockname(fd, (struct sockaddr *)&from, &length) == 0 &&
		inet_ntop(AF_INET, &from.sin_addr, text, (socklen_t)size);
	if (fd >= 0)
		close(fd);
	return found;
}

static void test_addresses(void **state)
{
	static const struct {
		const char *text;
		bool is_own;
	} cases[] = { { "127.0.0.1", true }, { "127.8.9.1", true }, { "::1", true },
		{ "0.0.0.0", true }, { "::", true }, { "192.0.2.1", false },
		{ "2001:db8::1", false } };
	struct address address;
	char own[INET_ADDRSTRLEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(address_parse(cases[i].text, strlen(cases[i].text), &address));
		check_number(cases[i].text, interfaces_have(&address), cases[i].is_own);
	}
	if (!own_address(own, sizeof(own)))
		return;
	assert_true(address_parse(own, strlen(own), &address));
	check_number(own, interfaces_have(&address), true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
