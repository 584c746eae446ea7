#include "unit.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "pg/sibling.h"

#define X10(text) text text text text text text text text text text
#define D50 X10("ddddd")

/* Computed by another program. */
static const struct {
	const char *database;
	enum mark_kind kind;
	const char *tag;
	bool making;
	const char *name;
} names[] = {
	{ "shop", MARK_OLD, NULL, false, "shop.dbrig-old" },
	{ "shop", MARK_OLD, "", false, "shop.dbrig-old" },
	{ "shop", MARK_NEW, NULL, false, "shop.dbrig-new" },
	{ "shop", MARK_TEMPLATE, "1a2b3c4d", false, "shop.dbrig-template-1a2b3c4d" },
	{ "shop", MARK_TEMPLATE, "1a2b3c4d5", false, "shop.dbrig-template-194d4bc6" },
	{ "shop", MARK_SNAPSHOT, "before it", false, "shop.dbrig-snapshot-4f9781a9" },
	{ "shop", MARK_SNAPSHOT, "ABCD", false, "shop.dbrig-snapshot-e12e115a" },
	{ "shop", MARK_DROP, "0", false, "shop.dbrig-drop-0" },
	{ "shop", MARK_SPARE, NULL, true, "shop.dbrig-making-spare" },
	{ "shop", MARK_SPARE, "1a2b3c4d", true, "shop.dbrig-making-spare-1a2b3c4d" },
	{ "My \"Shop\"", MARK_OLD, NULL, false, "My \"Shop\".dbrig-old" },
	{ "gr\xc3\xb6\xc3\x9f"
	  "e",
		MARK_OLD, NULL, false,
		"gr\xc3\xb6\xc3\x9f"
		"e.dbrig-old" },
	{ D50 "dd", MARK_OLD, NULL, false, D50 "dd.dbrig-old" },
	{ D50 "ddd", MARK_OLD, NULL, false, D50 "ddd.dbrig-old" },
	{ D50 X10("d") "ddd", MARK_OLD, NULL, false, X10("dddd") "dddd~dc2d0f18.dbrig-old" },
	{ X10("\xc3\xa4\xc3\xa4\xc3\xa4") "\xc3\xa4", MARK_OLD, NULL, false,
		X10("\xc3\xa4\xc3\xa4") "\xc3\xa4\xc3\xa4~af5af882.dbrig-old" },
	{ "x" X10("\xc3\xa4\xc3\xa4\xc3\xa4") "\xc3\xa4", MARK_OLD, NULL, false,
		"x" X10("\xc3\xa4\xc3\xa4") "\xc3\xa4~7ac266e4.dbrig-old" },
	{ X10("\xe2\x82\xac\xe2\x82\xac") "\xe2\x82\xac", MARK_SPARE, "1a2b3c4d", true,
		"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82"
		"\xac\xe2\x82\xac~414c3f1d.dbrig-making-spare-1a2b3c4d" },
	{ X10("\xf0\x9f\x98\x80") "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
				  "\xf0"
				  "\x9f\x98\x80",
		MARK_DROP, "0", false, X10("\xf0\x9f\x98\x80") "~6cdc133c.dbrig-drop-0" },
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(mem_cleanup)
		char *name = sibling_name(
			names[i].database, names[i].kind, names[i].tag, names[i].making);

		check_text(names[i].name, name, names[i].name);
	}
}

/* Whatever the length of the name, it fits, is whole characters, and no two are the same. */
static void test_lengths(void **state)
{
	static const char *const characters[] = { "x", "\xc3\xa4", "\xe2\x82\xac",
		"\xf0\x9f\x98\x80", "\xa4" };
	static const enum mark_kind kinds[] = { MARK_OLD, MARK_NEW, MARK_DROP, MARK_TEMPLATE,
		MARK_SPARE, MARK_SNAPSHOT };

	(void)state;
	for (size_t c = 0; c < ARRAY_SIZE(characters); c++)
		for (size_t k = 0; k < ARRAY_SIZE(kinds) * 2; k++) {
			char database[64] = "";
			CLEANUP(mem_cleanup) char *last = mem_strdup("");

			while (strlen(database) + strlen(characters[c]) <= 63) {
				uint32_t code;
				char *name;

				strcat(database, characters[c]);
				name = sibling_name(database, kinds[k / 2], "some tag", k % 2 == 1);
				check_number(name, strlen(name) <= 63, true);
				for (const char *at = name; *at && c < 4;
					at += utf8_decode(at, strlen(at), &code))
					if (utf8_decode(at, strlen(at), &code) == 0) {
						unit_fail(database, name, "UTF-8");
						break;
					}
				check_number(name, strcmp(name, last) != 0, true);
				mem_free(last);
				last = name;
			}
		}
}

#define MB ((int64_t)1 << 20)

static const struct {
	const char *label;
	struct copy_source source;
	enum copy_strategy strategy;
} strategies[] = {
	{ "13", { 130000, true, false, -1 }, COPY_STRATEGY_SERVER },
	{ "14, no fsync", { 140099, false, false, -1 }, COPY_STRATEGY_SERVER },
	{ "15, empty", { 150000, true, false, 0 }, COPY_STRATEGY_WAL_LOG },
	{ "15, 8 MB", { 150018, true, false, 8 * MB }, COPY_STRATEGY_WAL_LOG },
	{ "15, 45 MB", { 150018, true, false, 45 * MB }, COPY_STRATEGY_WAL_LOG },
	{ "15, more", { 150018, true, false, 45 * MB + 1 }, COPY_STRATEGY_FILE_COPY },
	{ "15, 1 TB", { 150018, true, false, MB << 20 }, COPY_STRATEGY_FILE_COPY },
	{ "15, size not known", { 150018, true, false, -1 }, COPY_STRATEGY_SERVER },
	{ "15, no fsync, 8 MB", { 150018, false, false, 8 * MB }, COPY_STRATEGY_FILE_COPY },
	{ "15, no fsync, not known", { 150018, false, false, -1 }, COPY_STRATEGY_FILE_COPY },
	{ "18, 8 MB", { 180000, true, false, 8 * MB }, COPY_STRATEGY_WAL_LOG },
	{ "18, 100 MB", { 180000, true, false, 100 * MB }, COPY_STRATEGY_FILE_COPY },
	{ "18, clone, 8 MB", { 180000, true, true, 8 * MB }, COPY_STRATEGY_FILE_COPY },
	{ "18, clone, no fsync", { 180000, false, true, -1 }, COPY_STRATEGY_FILE_COPY },
};

static void test_strategies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(strategies); i++)
		check_number(strategies[i].label, copy_strategy_choose(&strategies[i].source),
			strategies[i].strategy);
}

static void test_get(void **state)
{
	struct sibling items[] = {
		{ .name = (char[]){ "a" }, .mark = { .kind = MARK_SPARE, .key = "1" } },
		{ .name = (char[]){ "b" }, .mark = { .kind = MARK_TEMPLATE, .key = "2" } },
		{ .name = (char[]){ "c" }, .mark = { .kind = MARK_TEMPLATE, .key = "1" } },
	};
	struct siblings siblings = { .items = items, .count = ARRAY_SIZE(items) };

	(void)state;
	check_text("first", siblings_get(&siblings, MARK_TEMPLATE, NULL)->name, "b");
	check_text("by key", siblings_get(&siblings, MARK_TEMPLATE, "1")->name, "c");
	check_number("no such key", siblings_get(&siblings, MARK_SPARE, "2") == NULL, true);
	check_number("no such kind", siblings_get(&siblings, MARK_OLD, NULL) == NULL, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_names),
		UNIT_TEST(test_lengths),
		UNIT_TEST(test_strategies),
		UNIT_TEST(test_get),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
