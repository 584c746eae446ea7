#include "unit.h"

#include "base/mem.h"
#include "pg/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT "[dbrig:protected"

/* A directory like a server's; part: "global" or "pg_wal", whose file has TEXT behind so many
 * bytes. */
static bool holds(const char *part, size_t before)
{
	char directory[] = "/tmp/test-server-files-XXXXXX";
	CLEANUP(mem_cleanup) char *text = mem_calloc(1, before + sizeof(TEXT));
	struct server server = { 0 };
	char path[128];
	FILE *file;
	bool found;

	assert_non_null(mkdtemp(directory));
	server.directory = directory;
	memset(text, '[', before);
	memcpy(text + before, TEXT, sizeof(TEXT));
	snprintf(path, sizeof(path), "%s/data", directory);
	assert_int_equal(0, mkdir(path, 0700));
	snprintf(path, sizeof(path), "%s/data/%s", directory, part);
	assert_int_equal(0, mkdir(path, 0700));
	snprintf(path, sizeof(path), "%s/data/%s/1262", directory, part);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(1, fwrite(text, before + sizeof(TEXT) - 1, 1, file));
	assert_int_equal(0, fclose(file));
	found = server_files_hold(&server, TEXT);
	assert_false(server_files_hold(&server, TEXT "=prod"));
	assert_int_equal(0, unlink(path));
	*strrchr(path, '/') = '\0';
	assert_int_equal(0, rmdir(path));
	*strrchr(path, '/') = '\0';
	assert_int_equal(0, rmdir(path));
	assert_int_equal(0, rmdir(directory));
	return found;
}

/* A file is read in blocks of 65536 bytes. */
static void test_text_is_found_wherever_it_stands(void **state)
{
	static const size_t places[] = { 0, 1, 65519, 65520, 65521, 65535, 65536, 131064, 200000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		assert_true(holds("global", places[i]));
	assert_true(holds("pg_wal", 65530));
	assert_false(holds("pg_xact", 0));
}

static void test_nothing_is_found_where_there_is_no_server(void **state)
{
	char nowhere[] = "/nowhere";
	const struct server server = { .directory = nowhere };

	(void)state;
	assert_false(server_files_hold(&server, TEXT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_text_is_found_wherever_it_stands),
		UNIT_TEST(test_nothing_is_found_where_there_is_no_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
