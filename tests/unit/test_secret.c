#include "unit.h"

#include "base/mem.h"
#include "base/secret.h"

static void test_not_set(void **state)
{
	CLEANUP(secret_release) struct secret secret = SECRET_INIT;

	(void)state;
	check_number("set", secret_is_set(&secret), false);
	check_text("text", secret_reveal(&secret), "");
	check_number("length", (long long)secret_length(&secret), 0);
}

static void test_set_to_nothing_is_not_set(void **state)
{
	CLEANUP(secret_release) struct secret secret = SECRET_INIT;

	(void)state;
	secret_set(&secret, "abc", 3);
	secret_set(&secret, NULL, 0);
	check_number("set", secret_is_set(&secret), false);
	check_text("text", secret_reveal(&secret), "");
	check_number("length", (long long)secret_length(&secret), 0);
}

static void test_copy_of_a_part(void **state)
{
	CLEANUP(secret_release) struct secret secret = SECRET_INIT;
	char text[] = "s3cret\n";

	(void)state;
	secret_set(&secret, text, 6);
	memset(text, 'x', sizeof(text) - 1);
	check_number("set", secret_is_set(&secret), true);
	check_text("text", secret_reveal(&secret), "s3cret");
	check_number("length", (long long)secret_length(&secret), 6);
}

static void test_replaced(void **state)
{
	CLEANUP(secret_release) struct secret secret = SECRET_INIT;

	(void)state;
	secret_set(&secret, "the longer one", 14);
	secret_set(&secret, "short", 5);
	check_text("text", secret_reveal(&secret), "short");
	check_number("length", (long long)secret_length(&secret), 5);
}

static void test_set_from_its_own_text(void **state)
{
	CLEANUP(secret_release) struct secret secret = SECRET_INIT;

	(void)state;
	secret_set(&secret, "  padded", 8);
	secret_set(&secret, secret_reveal(&secret) + 2, secret_length(&secret) - 2);
	check_text("text", secret_reveal(&secret), "padded");
}

static void test_bytes_of_any_value(void **state)
{
	CLEANUP(secret_release) struct secret secret = SECRET_INIT;

	(void)state;
	secret_set(&secret, "a\0b", 3);
	check_number("length", (long long)secret_length(&secret), 3);
	check_number("bytes", memcmp(secret_reveal(&secret), "a\0b", 4), 0);
}

/* AddressSanitizer would see it. */
#ifndef DBRIG_SANITIZED
enum { WIPED_LENGTH = 96 };

/* The number of bytes of a value that stay in memory when ending it has ended. */
static long long bytes_left(struct secret *secret, void (*end)(struct secret *secret))
{
	/* malloc's own records are written into the first bytes of what is freed. */
	enum { RECORDS = 32 };
	char text[WIPED_LENGTH];
	/* Through an integer, or the compiler sees the use of freed memory. */
	volatile uintptr_t where;
	const volatile char *freed;
	long long left = 0;

	memset(text, 'k', sizeof(text));
	secret_set(secret, text, sizeof(text));
	where = (uintptr_t)secret_reveal(secret);
	freed = (const volatile char *)where;
	check_number("before", freed[WIPED_LENGTH - 1], 'k');
	end(secret);
	for (size_t i = RECORDS; i < WIPED_LENGTH; i++)
		left += freed[i] == 'k';
	return left;
}

static void replace(struct secret *secret)
{
	secret_set(secret, "other", 5);
}

static void test_wiped(void **state)
{
	CLEANUP(secret_release) struct secret secret = SECRET_INIT;

	(void)state;
	check_number("released", bytes_left(&secret, secret_release), 0);
	check_number("set", secret_is_set(&secret), false);
	check_number("replaced", bytes_left(&secret, replace), 0);
	check_text("text", secret_reveal(&secret), "other");
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_not_set),
		UNIT_TEST(test_set_to_nothing_is_not_set),
		UNIT_TEST(test_copy_of_a_part),
		UNIT_TEST(test_replaced),
		UNIT_TEST(test_set_from_its_own_text),
		UNIT_TEST(test_bytes_of_any_value),
#ifndef DBRIG_SANITIZED
		UNIT_TEST(test_wiped),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
