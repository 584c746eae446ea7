#include "unit.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "base/strlist.h"

static void check_buffer(const char *label, const struct strbuf *buf, const char *expected)
{
	check_text(label, buf->data, expected);
	check_number(label, (long long)buf->length, (long long)strlen(expected));
	check_number("the capacity holds the NUL",
		buf->capacity == 0 || buf->capacity > buf->length, true);
}

static void test_adding(void **state)
{
	CLEANUP(strbuf_release) struct strbuf buf = STRBUF_INIT;

	(void)state;
	check_buffer("new", &buf, "");
	strbuf_add(&buf, "", 0);
	check_number("adding nothing allocates nothing", (long long)buf.capacity, 0);
	strbuf_adds(&buf, "one");
	check_buffer("adds", &buf, "one");
	strbuf_addc(&buf, ' ');
	strbuf_add(&buf, "two three", 3);
	check_buffer("add", &buf, "one two");
	strbuf_addf(&buf, " %d%% %s", 3, "x");
	check_buffer("addf", &buf, "one two 3% x");
	strbuf_add(&buf, "\0z", 2);
	check_number("a NUL counts", (long long)buf.length, 14);
	check_number("behind the NUL", buf.data[13], 'z');
	strbuf_reset(&buf);
	check_buffer("reset", &buf, "");
	check_number("reset keeps the memory", buf.capacity > 0, true);
	strbuf_release(&buf);
	strbuf_release(&buf);
	check_buffer("released twice", &buf, "");
	check_number("release keeps the ceiling", (long long)buf.ceiling,
		(long long)STRBUF_DEFAULT_CEILING);
}

static void test_growing(void **state)
{
	CLEANUP(strbuf_release) struct strbuf buf = STRBUF_INIT;

	(void)state;
	for (int i = 0; i < 5000; i++)
		strbuf_addc(&buf, (char)('a' + i % 26));
	check_number("length", (long long)buf.length, 5000);
	check_number("length by strlen", (long long)strlen(buf.data), 5000);
	for (int i = 0; i < 5000; i++)
		if (buf.data[i] != 'a' + i % 26) {
			check_number("byte", buf.data[i], 'a' + i % 26);
			break;
		}
	check_number("capacity stays near the length", buf.capacity < 2 * buf.length, true);
}

/* There is room for the NUL at every length, however the memory was got. */
static void test_room_for_nul(void **state)
{
	static const char bytes[300] = "";

	(void)state;
	for (size_t length = 1; length <= sizeof(bytes); length++) {
		CLEANUP(strbuf_release) struct strbuf buf = STRBUF_INIT;

		strbuf_add(&buf, bytes, length);
		check_number("at once", buf.capacity > buf.length, true);
		strbuf_addc(&buf, 'x');
		check_number("one more", buf.capacity > buf.length, true);
	}
}

static void test_cutting(void **state)
{
	static const struct {
		const char *text;
		size_t truncate, consume;
		const char *expected;
	} cases[] = {
		{ "", 0, 0, "" },
		{ "abc", 3, 0, "abc" },
		{ "abc", 0, 0, "" },
		{ "abc", 2, 0, "ab" },
		{ "abc", 3, 1, "bc" },
		{ "abc", 3, 3, "" },
		{ "abcdef", 5, 2, "cde" },
		{ "abcdef", 1, 1, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(strbuf_release) struct strbuf buf = STRBUF_INIT;

		strbuf_adds(&buf, cases[i].text);
		strbuf_truncate(&buf, cases[i].truncate);
		strbuf_consume(&buf, cases[i].consume);
		check_buffer(cases[i].text, &buf, cases[i].expected);
	}
}

static void test_detaching(void **state)
{
	CLEANUP(strbuf_release) struct strbuf buf = STRBUF_INIT_CEILING(100);
	char *text = strbuf_detach(&buf);

	(void)state;
	check_text("of an empty buffer", text, "");
	mem_free(text);
	strbuf_adds(&buf, "abc");
	text = strbuf_detach(&buf);
	check_text("text", text, "abc");
	check_buffer("the buffer afterwards", &buf, "");
	strbuf_adds(&buf, "new");
	check_text("text after the buffer was used again", text, "abc");
	check_number("the ceiling stays", (long long)buf.ceiling, 100);
	mem_free(text);
}

static void test_ceiling(void **state)
{
	static const struct {
		const char *text;
		size_t ceiling, extra;
		bool fits;
	} cases[] = {
		{ "", 0, 0, true },
		{ "", 0, 1, false },
		{ "", 4, 4, true },
		{ "", 4, 5, false },
		{ "abc", 4, 1, true },
		{ "abc", 4, 2, false },
		{ "abc", 3, 0, true },
		{ "abc", 3, 1, false },
		{ "abc", 100, SIZE_MAX, false },
		{ "abc", 100, SIZE_MAX - 2, false },
		{ "abc", SIZE_MAX / 2, SIZE_MAX / 2 - 2, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(strbuf_release) struct strbuf buf = STRBUF_INIT_CEILING(cases[i].ceiling);

		strbuf_adds(&buf, cases[i].text);
		check_number("room", strbuf_grow(&buf, cases[i].extra), cases[i].fits);
		check_buffer("unchanged", &buf, cases[i].text);
	}
}

static void pass_ceiling(void)
{
	struct strbuf buf = STRBUF_INIT_CEILING(3);

	strbuf_adds(&buf, "abcd");
}

static void truncate_too_far(void)
{
	struct strbuf buf = STRBUF_INIT;

	strbuf_adds(&buf, "abc");
	strbuf_truncate(&buf, 4);
}

static void consume_too_much(void)
{
	struct strbuf buf = STRBUF_INIT;

	strbuf_adds(&buf, "abc");
	strbuf_consume(&buf, 4);
}

static void test_broken_invariants(void **state)
{
	(void)state;
	check_aborts("adding past the ceiling", pass_ceiling);
	check_aborts("truncating to more than there is", truncate_too_far);
	check_aborts("consuming more than there is", consume_too_much);
}

static void test_wiping(void **state)
{
	char secret[] = "abcdef";

	(void)state;
	mem_wipe(secret, 3);
	check_number("wiped", secret[0] | secret[1] | secret[2], 0);
	check_text("not wiped", secret + 3, "def");
	mem_free_secret(NULL);
}

static void test_copies(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		const char *expected;
	} cases[] = {
		{ "", 0, "" },
		{ "", 5, "" },
		{ "abc", 0, "" },
		{ "abc", 2, "ab" },
		{ "abc", 3, "abc" },
		{ "abc", 99, "abc" },
	};

	(void)state;
	check_text("of NULL", mem_strdup(NULL), NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(mem_cleanup) char *copy = mem_strndup(cases[i].text, cases[i].length);

		check_text("copy", copy, cases[i].expected);
	}
}

static void test_list(void **state)
{
	CLEANUP(strlist_release) struct strlist list = STRLIST_INIT;
	static const char *const sorted[] = { "", "B", "a", "aa", "b", "n0", "n1", "n2", "n3", "n4",
		"n5", "n6", "n7", "n8", "n9", "\xC3\xA9" };

	(void)state;
	strlist_sort(&list);
	strlist_add(&list, "b");
	check_text("ends with NULL", list.items[1], NULL);
	strlist_add(&list, "\xC3\xA9");
	strlist_add(&list, "a");
	for (int i = 9; i >= 0; i--)
		strlist_addf(&list, "n%d", i);
	strlist_add(&list, "");
	strlist_add(&list, "aa");
	strlist_add(&list, "B");
	strlist_sort(&list);
	check_number("count", (long long)list.count, ARRAY_SIZE(sorted));
	for (size_t i = 0; i < ARRAY_SIZE(sorted) && i < list.count; i++)
		check_text("sorted by byte", list.items[i], sorted[i]);
	check_text("still ends with NULL", list.items[list.count], NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_adding),
		UNIT_TEST(test_growing),
		UNIT_TEST(test_room_for_nul),
		UNIT_TEST(test_cutting),
		UNIT_TEST(test_detaching),
		UNIT_TEST(test_ceiling),
		UNIT_TEST(test_broken_invariants),
		UNIT_TEST(test_wiping),
		UNIT_TEST(test_copies),
		UNIT_TEST(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
