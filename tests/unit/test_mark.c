#include "unit.h"

#include "base/mem.h"
#include "pg/mark.h"

#include <time.h>

#define KEY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* --- reading --------------------------------------------------------------------------------- */

/* of NULL: there is no mark in it. */
static const struct {
	const char *comment;
	enum mark_kind kind;
	const char *of;
} comments[] = {
	{ "[dbrig:old of=shop]", MARK_OLD, "shop" },
	{ "[dbrig:made of=shop at=2026-11-21T15:00:03Z]", MARK_MADE, "shop" },
	{ "my shop [dbrig:spare of=shop]", MARK_SPARE, "shop" },
	{ "[dbrig:template of=shop] my shop", MARK_TEMPLATE, "shop" },
	{ "line\nline [dbrig:new of=shop]\n", MARK_NEW, "shop" },
	{ "x[dbrig:copy of=shop]y", MARK_COPY, "shop" },
	{ "[dbrig:old of=one] [dbrig:drop of=two]", MARK_DROP, "two" },
	{ "[dbrig:old of=one] [dbrig:drop of=]", MARK_OLD, "one" },
	{ "[dbrig:old of=one] [dbrig:drop", MARK_OLD, "one" },
	{ "[dbrig:protected=1] [dbrig:loading of=shop]", MARK_LOADING, "shop" },
	{ "[dbrig:loading of=shop] [dbrig:protected=1]", MARK_LOADING, "shop" },
	{ "[dbrig:[dbrig:snapshot of=shop]", MARK_SNAPSHOT, "shop" },
	{ "[[dbrig:old of=shop]]", MARK_OLD, "shop" },
	{ "[dbrig:old of=gr%C3%B6%C3%9Fe]", MARK_OLD,
		"gr\xc3\xb6\xc3\x9f"
		"e" },
	{ "[dbrig:old of=%22it%27s%22%5D%20%25]", MARK_OLD, "\"it's\"] %" },
	{ "[dbrig:old of=a%0ab]", MARK_OLD, "a\nb" },
	{ "[dbrig:old of=shop later=x%20y other_field=1]", MARK_OLD, "shop" },
	{ "[dbrig:old later=1 of=shop]", MARK_OLD, "shop" },
	{ "[dbrig:old of=one of=two]", MARK_OLD, "two" },
	{ "", MARK_NONE, NULL },
	{ "my shop", MARK_NONE, NULL },
	{ "a comment that talks about [dbrig:old and nothing else", MARK_NONE, NULL },
	{ "a comment that talks about [dbrig:old]", MARK_NONE, NULL },
	{ "a comment that talks about [dbrig:old of=…]", MARK_NONE, NULL },
	{ "[dbrig:protected=1]", MARK_NONE, NULL },
	{ "[dbrig:elder of=shop]", MARK_NONE, NULL },
	{ "[dbrig:olde of=shop]", MARK_NONE, NULL },
	{ "[dbrig:ol of=shop]", MARK_NONE, NULL },
	{ "[dbrig: of=shop]", MARK_NONE, NULL },
	{ "[dbrig:OLD of=shop]", MARK_NONE, NULL },
	{ "[DBRIG:old of=shop]", MARK_NONE, NULL },
	{ "dbrig:old of=shop]", MARK_NONE, NULL },
	{ "[dbrig:old  of=shop]", MARK_NONE, NULL },
	{ "[dbrig:old of=shop ]", MARK_NONE, NULL },
	{ "[dbrig:old\tof=shop]", MARK_NONE, NULL },
	{ "[dbrig:old\nof=shop]", MARK_NONE, NULL },
	{ "[dbrig:old of=shop\n]", MARK_NONE, NULL },
	{ "[dbrig:old of=sh\x01op]", MARK_NONE, NULL },
	{ "[dbrig:old of=\x1b[31m]", MARK_NONE, NULL },
	{ "[dbrig:old of=gr\xc3\xb6\xc3\x9f"
	  "e]",
		MARK_NONE, NULL },
	{ "[dbrig:old of=]", MARK_NONE, NULL },
	{ "[dbrig:old of]", MARK_NONE, NULL },
	{ "[dbrig:old =shop]", MARK_NONE, NULL },
	{ "[dbrig:old Of=shop]", MARK_NONE, NULL },
	{ "[dbrig:old at=2026-11-21T15:00:03Z]", MARK_NONE, NULL },
	{ "[dbrig:old of=%]", MARK_NONE, NULL },
	{ "[dbrig:old of=a%2]", MARK_NONE, NULL },
	{ "[dbrig:old of=%zz]", MARK_NONE, NULL },
	{ "[dbrig:old of=a%00b]", MARK_NONE, NULL },
	{ "[dbrig:old of=a%", MARK_NONE, NULL },
	{ "[dbrig:old of=shop at=yesterday]", MARK_NONE, NULL },
	{ "[dbrig:old of=shop at=2026-02-30T15:00:03Z]", MARK_NONE, NULL },
	{ "[dbrig:old of=shop at=2026-11-21T15:00:03]", MARK_NONE, NULL },
	{ "[dbrig:old of=shop at=2026-11-21T25:00:03Z]", MARK_NONE, NULL },
	{ "[dbrig:old of=shop at=1969-11-21T15:00:03Z]", MARK_NONE, NULL },
	{ "[dbrig:old of=shop pid=12x]", MARK_NONE, NULL },
	{ "[dbrig:old of=shop pid=-1]", MARK_NONE, NULL },
	{ "[dbrig:old of=shop pid=99999999999999999999]", MARK_NONE, NULL },
	{ "[dbrig:old of=shop oid=4294967296]", MARK_NONE, NULL },
	{ "[dbrig:old of=shop oid=0]", MARK_NONE, NULL },
	{ "[dbrig:made of=shop key=123]", MARK_NONE, NULL },
	{ "[dbrig:made of=shop key=" KEY "0]", MARK_NONE, NULL },
	{ "[dbrig:made of=shop seeded=no]", MARK_NONE, NULL },
};

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(comments); i++) {
		CLEANUP(mark_release) struct mark mark = MARK_INIT;
		bool found = mark_parse(comments[i].comment, &mark);

		check_number(comments[i].comment, found, comments[i].of != NULL);
		check_number(comments[i].comment, mark.kind, comments[i].kind);
		check_text(comments[i].comment, mark.of, comments[i].of);
	}
}

static void test_no_comment(void **state)
{
	struct mark mark = MARK_INIT;

	(void)state;
	check_number("NULL", mark_parse(NULL, &mark), false);
	check_text("NULL", mark_apply(NULL, NULL), NULL);
	check_text("empty", mark_apply("", NULL), NULL);
}

static void test_fields(void **state)
{
	CLEANUP(mark_release) struct mark mark = MARK_INIT;

	(void)state;
	assert_true(mark_parse(
		"[dbrig:snapshot of=shop tag=before%20it key=" KEY
		" seeded=yes undo=yes copy=st%26ore oid=4294967295 at=2026-11-21T15:00:03Z "
		"data=2024-02-29T23:59:59Z user=j%C3%B6 host=box-1.lan pid=4711]",
		&mark));
	check_text("tag", mark.tag, "before it");
	check_text("key", mark.key, KEY);
	check_number("seeded", mark.seeded, true);
	check_number("undo", mark.undo, true);
	check_text("copy", mark.copy, "st&ore");
	check_number("oid", mark.oid, 4294967295);
	check_number("at", mark.at, 1795273203);
	check_number("data", mark.data_at, 1709251199);
	check_text("user", mark.user, "j\xc3\xb6");
	check_text("host", mark.host, "box-1.lan");
	check_number("pid", mark.pid, 4711);
}

/* --- writing --------------------------------------------------------------------------------- */

#define M "[dbrig:old of=shop]"

/* expected NULL: nothing is left. with: the same with the mark of M. */
static const struct {
	const char *comment, *without, *with;
} applied[] = {
	{ NULL, NULL, M },
	{ "", NULL, M },
	{ "my shop", "my shop", "my shop " M },
	{ "my shop ", "my shop ", "my shop  " M },
	{ " ", " ", "  " M },
	{ "it's\n\"mine\"\n", "it's\n\"mine\"\n", "it's\n\"mine\"\n " M },
	{ M, NULL, M },
	{ "my shop " M, "my shop", "my shop " M },
	{ "my shop  " M, "my shop ", "my shop  " M },
	{ M " my shop", "my shop", "my shop " M },
	{ "my " M " shop", "my shop", "my shop " M },
	{ "my" M "shop", "myshop", "myshop " M },
	{ "my shop [dbrig:made of=shop] [dbrig:drop of=other]", "my shop", "my shop " M },
	{ "[dbrig:made of=shop][dbrig:drop of=other]", NULL, M },
	{ "[dbrig:protected=1] " M, "[dbrig:protected=1]", "[dbrig:protected=1] " M },
	{ M " [dbrig:protected=1]", "[dbrig:protected=1]", "[dbrig:protected=1] " M },
	{ "[dbrig:elder of=shop]", "[dbrig:elder of=shop]", "[dbrig:elder of=shop] " M },
	{ "see [dbrig:old", "see [dbrig:old", "see [dbrig:old " M },
	{ "see [dbrig:old of=shop at=x]", "see [dbrig:old of=shop at=x]",
		"see [dbrig:old of=shop at=x] " M },
	/* Taking one out must not leave another. */
	{ "[dbrig:" M "old of=shop]", NULL, M },
	{ "a [dbrig:[dbrig:old of=x]old of=[dbrig:new of=y]shop] b", "a b", "a b " M },
	{ "[dbrig:old " M "of=shop]", "[dbrig:oldof=shop]", "[dbrig:oldof=shop] " M },
};

static void test_apply(void **state)
{
	const struct mark mark = { .kind = MARK_OLD, .of = (char[]){ "shop" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(applied); i++) {
		CLEANUP(mem_cleanup) char *without = mark_apply(applied[i].comment, NULL);
		CLEANUP(mem_cleanup) char *with = mark_apply(applied[i].comment, &mark);
		CLEANUP(mem_cleanup) char *again = mark_apply(with, NULL);
		const char *label = applied[i].comment ? applied[i].comment : "NULL";

		check_text(label, without, applied[i].without);
		check_text(label, with, applied[i].with);
		check_text(label, again, applied[i].without);
	}
}

/* Every byte in every text comes back, and the mark is one line of ASCII. */
static void test_every_byte(void **state)
{
	char bytes[256];
	struct mark mark = { .kind = MARK_SNAPSHOT,
		.of = bytes,
		.tag = bytes,
		.copy = bytes,
		.user = bytes,
		.host = bytes,
		.key = KEY,
		.seeded = true,
		.undo = true,
		.oid = 4294967295,
		.at = 1,
		.data_at = 253402300799,
		.pid = 2147483647 };
	CLEANUP(mark_release) struct mark read = MARK_INIT;
	CLEANUP(mem_cleanup) char *text = NULL, *again = NULL;

	(void)state;
	for (int i = 0; i < 255; i++)
		bytes[i] = (char)(i + 1);
	bytes[255] = '\0';
	text = mark_apply(NULL, &mark);
	for (const char *c = text; *c; c++)
		check_number(text, *c >= ' ' && *c <= '~', true);
	assert_true(mark_parse(text, &read));
	check_text("of", read.of, bytes);
	check_text("tag", read.tag, bytes);
	check_text("copy", read.copy, bytes);
	check_text("user", read.user, bytes);
	check_text("host", read.host, bytes);
	again = mark_apply(text, &read);
	check_text("again", again, text);
}

/* 100 KB of what a comment may hold to make the reader slow; a second would be a thousand times
 * too long. */
static void test_long_comments(void **state)
{
	static const char *const pieces[] = { "[", "]", "[dbrig:", "[dbrig:old of=", "[]", "a",
		"] ", "[dbrig:old of=x", "[dbrig:old of=x]", "%", "[dbrig:old of=x] ]" };
	enum { LENGTH = 100000 };
	clock_t begin = clock();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		CLEANUP(mem_cleanup) char *text = mem_calloc(LENGTH + 32, 1);
		CLEANUP(mem_cleanup) char *without = NULL;
		CLEANUP(mark_release) struct mark mark = MARK_INIT;

		for (size_t length = 0; length < LENGTH; length += strlen(pieces[i]))
			memcpy(text + length, pieces[i], strlen(pieces[i]));
		mark_parse(text, &mark);
		without = mark_apply(text, NULL);
		mark_release(&mark);
		check_number(pieces[i], mark_parse(without, &mark), false);
	}
	check_number("took less than a second", clock() - begin < CLOCKS_PER_SEC, true);
}

/* --- the object ------------------------------------------------------------------------------ */

static void test_sign(void **state)
{
	CLEANUP(mark_release) struct mark mark = { .kind = MARK_OLD, .of = mem_strdup("shop") };
	CLEANUP(mark_release) struct mark copy = MARK_INIT;
	char host[256] = "";

	(void)state;
	gethostname(host, sizeof(host) - 1);
	mark_sign(&mark);
	mark_sign(&mark);
	check_number("pid", mark.pid, getpid());
	check_number("at", llabs((long long)mark.at - (long long)time(NULL)) <= 5, true);
	check_text("host", mark.host, host);
	check_number("user", mark.user != NULL && *mark.user, true);
	mark_copy(&copy, &mark);
	mark_copy(&copy, &mark);
	check_text("of", copy.of, "shop");
	check_text("user", copy.user, mark.user);
	check_number("own text", copy.of != mark.of, true);
}

/* own NULL: there is none. */
static const struct {
	const char *own, *aside, *back;
} kept[] = {
	{ "[dbrig:made of=shop_1 key=" KEY " base=" KEY " seeded=yes]",
		"[dbrig:old of=shop_1 key=" KEY " base=" KEY " seeded=yes oid=7]",
		"[dbrig:made of=shop_1 key=" KEY " base=" KEY " seeded=yes]" },
	{ "[dbrig:copy of=shop tag=shop_1]", "[dbrig:old of=shop_1 copy=shop oid=7]",
		"[dbrig:copy of=shop tag=shop_1]" },
	/* That of another name is nobody's. */
	{ "[dbrig:copy of=shop tag=shop_2]", "[dbrig:old of=shop_1 oid=7]", NULL },
	{ "[dbrig:copy of=shop]", "[dbrig:old of=shop_1 oid=7]", NULL },
	{ "[dbrig:loading of=shop_1]", "[dbrig:old of=shop_1 oid=7]", NULL },
	{ NULL, "[dbrig:old of=shop_1 oid=7]", NULL },
};

static void test_keep(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		CLEANUP(mark_release) struct mark own = MARK_INIT;
		CLEANUP(mark_release) struct mark back = MARK_INIT;
		CLEANUP(mark_release)
		struct mark aside = { .kind = MARK_OLD, .of = mem_strdup("shop_1"), .oid = 7 };
		CLEANUP(mem_cleanup) char *text = NULL, *again = NULL;

		mark_parse(kept[i].own, &own);
		mark_keep(&aside, &own, "shop_1");
		text = mark_apply(NULL, &aside);
		check_text(kept[i].aside, text, kept[i].aside);
		if (mark_back(&back, &aside))
			again = mark_apply(NULL, &back);
		check_text(kept[i].aside, again, kept[i].back);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_parse),
		UNIT_TEST(test_no_comment),
		UNIT_TEST(test_fields),
		UNIT_TEST(test_apply),
		UNIT_TEST(test_every_byte),
		UNIT_TEST(test_long_comments),
		UNIT_TEST(test_sign),
		UNIT_TEST(test_keep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
