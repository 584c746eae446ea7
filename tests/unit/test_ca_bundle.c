#include "unit.h"

#include "app/ca_bundle.h"

/* An authority whose certificate is valid from 2026-11-21 12:55:56 for ten years. */
static const char authority[] = "-----BEGIN CERTIFICATE-----\n"
				"MIIBfTCCASOgAwIBAgIUF1qNSk4Ab9XJe6sQjbKj0fuTpH0wCgYIKoZIzj0EAwIw\n"
				"FDESMBAGA1UEAwwJdGVzdCByb290MB4XDTI2MTEyMTEyNTU1NloXDTM2MTExODEy\n"
				"NTU1NlowFDESMBAGA1UEAwwJdGVzdCByb290MFkwEwYHKoZIzj0CAQYIKoZIzj0D\n"
				"AQcDQgAE0MgdI7aguGJtrTCVeUyn1TQJNpzPnPPcSyxqEIRRi5wWcLhqtVS+sku4\n"
				"ZHGXaJT6I4zpLhU73Qwh/3UZjpqSf6NTMFEwHQYDVR0OBBYEFAYmgTO25oQynt8y\n"
				"2qofrmMKdoPFMB8GA1UdIwQYMBaAFAYmgTO25oQynt8y2qofrmMKdoPFMA8GA1Ud\n"
				"EwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhALLe8jxPC2ZRuB7bNTTrO1ts\n"
				"gGb3yDWAKRTEvHV0gFHSAiAD7XluYKBhw7UJZVOnJS814yZijiBOzuEaGNLKGdtL\n"
				"mA==\n"
				"-----END CERTIFICATE-----\n";

#define BEGIN ((time_t)1795265756)
#define END (BEGIN + (time_t)3650 * 24 * 3600)

static void test_validity(void **state)
{
	static const struct {
		const char *label;
		time_t now;
		const char *error; /* NULL: it can be used */
	} cases[] = {
		{ "a second early", BEGIN - 1,
			"\"x\" is of no use: none of its certificates is valid yet" },
		{ "the first second", BEGIN, NULL },
		{ "the last second", END - 1, NULL },
		{ "over", END, "\"x\" is of no use: all of its certificates have expired" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(err_release) struct err err = ERR_INIT;
		struct ca_bundle bundle = { .count = 0 };
		int result = ca_bundle_check(
			authority, strlen(authority), "\"x\"", cases[i].now, &bundle, &err);

		check_number(cases[i].label, result, cases[i].error ? -1 : 0);
		check_text(cases[i].label, err.message, cases[i].error);
		if (result == 0)
			check_number(cases[i].label, bundle.expiry, END);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_validity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
