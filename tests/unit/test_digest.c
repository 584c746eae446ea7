#include "unit.h"

#include "base/digest.h"

/* FIPS 180-4 and the example values of NIST; the last is a million times "a". */
static const struct {
	const char *text;
	size_t times;
	const char *expected;
} vectors[] = {
	{ "", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
	  "lmnopqrsmnopqrstnopqrstu",
		1, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
	{ "aaaaaaaaaa", 100000,
		"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
};

static void test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		CLEANUP(digest_release) struct digest digest = DIGEST_INIT;
		char hex[DIGEST_HEX_SIZE];

		for (size_t j = 0; j < vectors[i].times; j++)
			digest_add(&digest, vectors[i].text, strlen(vectors[i].text));
		digest_end(&digest, hex);
		check_text(vectors[i].text, hex, vectors[i].expected);
	}
}

static void hash_texts(const char *one, const char *other, char *ret_hex)
{
	CLEANUP(digest_release) struct digest digest = DIGEST_INIT;

	digest_add_text(&digest, one);
	digest_add_text(&digest, other);
	digest_end(&digest, ret_hex);
}

static void test_texts_are_kept_apart(void **state)
{
	static const char *const pairs[][2] = { { "ab", "c" }, { "a", "bc" }, { "abc", "" },
		{ "abc", NULL }, { "", "abc" }, { NULL, "abc" }, { "", "" }, { NULL, NULL },
		{ "a1:b", "c" } };
	char digests[ARRAY_SIZE(pairs)][DIGEST_HEX_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		hash_texts(pairs[i][0], pairs[i][1], digests[i]);
		for (size_t j = 0; j < i; j++)
			check_number("different", strcmp(digests[i], digests[j]) != 0, 1);
	}
}

static void test_as_new_after_the_end(void **state)
{
	CLEANUP(digest_release) struct digest digest = DIGEST_INIT;
	char hex[DIGEST_HEX_SIZE];

	(void)state;
	digest_add(&digest, "x", 1);
	digest_end(&digest, hex);
	digest_end(&digest, hex);
	check_text("of nothing", hex, vectors[0].expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_vectors),
		UNIT_TEST(test_texts_are_kept_apart),
		UNIT_TEST(test_as_new_after_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
