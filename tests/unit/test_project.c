#include "unit.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/project.h"

#include <stdio.h>
#include <sys/stat.h>

/*
 * A tree of its own:
 *   a/db/  a/b/c/  a/sql/  n/  n/db (a file)  n/data/x/  p/db (a link to a/db)
 */
static char root[] = "/tmp/dbrig-unit-XXXXXX";

static const char *const directories[] = { "a", "a/db", "a/b", "a/b/c", "a/sql", "n", "n/data",
	"n/data/x", "p" };

static int make_tree(void **state)
{
	(void)state;
	if (!mkdtemp(root))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		CLEANUP(mem_cleanup) char *path = path_join(root, directories[i]);

		if (mkdir(path, 0700) != 0)
			return -1;
	}
	CLEANUP(mem_cleanup) char *file = path_join(root, "n/db");
	CLEANUP(mem_cleanup) char *link = path_join(root, "p/db");
	CLEANUP(file_cleanup) FILE *stream = fopen(file, "w");

	return stream ? symlink("../a/db", link) : -1;
}

static int remove_tree(void **state)
{
	CLEANUP(mem_cleanup) char *file = path_join(root, "n/db");
	CLEANUP(mem_cleanup) char *link = path_join(root, "p/db");

	(void)state;
	unlink(file);
	unlink(link);
	for (size_t i = ARRAY_SIZE(directories); i-- > 0;) {
		CLEANUP(mem_cleanup) char *path = path_join(root, directories[i]);

		rmdir(path);
	}
	return rmdir(root);
}

static void test_root(void **state)
{
	static const struct {
		const char *start, *db_dir;
		const char *expected; /* NULL: no project */
	} cases[] = {
		{ "a", NULL, "a" },
		{ "a/db", NULL, "a" },
		{ "a/b", NULL, "a" },
		{ "a/b/c", NULL, "a" },
		{ "a/sql", NULL, "a" },
		{ "p", NULL, "p" },
		{ "n", NULL, NULL },        /* db is a file there */
		{ "n/data/x", NULL, NULL }, /* and no other above */
		{ "a/b", "sql", "a" },
		{ "a/b/c", "b/c", "a" },
		{ "n/data/x", "data", "n" },
		{ "n", "data/x", "n" },
		{ "n", "missing", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(mem_cleanup) char *start = path_join(root, cases[i].start);
		CLEANUP(mem_cleanup)
		char *expected = cases[i].expected ? path_join(root, cases[i].expected) : NULL;
		CLEANUP(mem_cleanup) char *found = project_find_root(start, cases[i].db_dir);

		check_text(start, found, expected);
	}
}

static void test_filesystem_root(void **state)
{
	CLEANUP(mem_cleanup) char *found = project_find_root("/tmp", "tmp");
	CLEANUP(mem_cleanup) char *itself = project_find_root("/", "tmp");
	CLEANUP(mem_cleanup) char *none = project_find_root("/", "no-such-directory");

	(void)state;
	check_text("the project may be /", found, "/");
	check_text("from / itself", itself, "/");
	check_text("nothing in /", none, NULL);
}

static void test_cwd(void **state)
{
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(mem_cleanup) char *start = path_join(root, "a/b");
	CLEANUP(mem_cleanup) char *gone = path_join(root, "gone");
	CLEANUP(mem_cleanup) char *cwd = NULL;
	CLEANUP(mem_cleanup) char *none = NULL;

	(void)state;
	check_number("chdir", chdir(start), 0);
	cwd = project_cwd(&err);
	check_text("absolute", cwd, start);
	check_number("make a directory", mkdir(gone, 0700), 0);
	check_number("enter it", chdir(gone), 0);
	check_number("remove it", rmdir(gone), 0);
	none = project_cwd(&err);
	check_text("a directory that is gone", none, NULL);
	check_err("says so", &err, ERR_FAILED,
		"could not determine the current directory: No such file or directory");
	check_number("leave", chdir("/"), 0);
}

static void test_path_join(void **state)
{
	static const struct {
		const char *directory, *name, *expected;
	} cases[] = {
		{ "a", "b", "a/b" },
		{ "a/", "b", "a/b" },
		{ "a//", "b", "a/b" },
		{ "/", "b", "/b" },
		{ "//", "b", "/b" },
		{ "/a", "b/c", "/a/b/c" },
		{ ".", "b", "./b" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(mem_cleanup) char *path = path_join(cases[i].directory, cases[i].name);

		check_text(cases[i].directory, path, cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_root),
		UNIT_TEST(test_filesystem_root),
		UNIT_TEST(test_cwd),
		UNIT_TEST(test_path_join),
	};

	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
