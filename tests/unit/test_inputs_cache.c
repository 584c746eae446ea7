/* Scripts that have not changed are not read again, and those that have always are. */
#include "unit.h"

#include "app/inputs_cache.h"
#include "base/mem.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

enum { FILES = 4, EDITS = 300, TEXT = 64 };

static char directory[] = "/tmp/cacheXXXXXX";

static int begin(void **state)
{
	(void)state;
	return mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

static int end(void **state)
{
	CLEANUP(mem_cleanup) char *removal = mem_printf("rm -r %s", directory);

	(void)state;
	return chdir("/") == 0 && system(removal) == 0 ? 0 : -1;
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void use_cache(void)
{
	setenv("XDG_CACHE_HOME", directory, 1);
}

static void add_file(struct scripts *scripts, const char *path)
{
	scripts->files = mem_resize(scripts->files, scripts->count + 1, sizeof(*scripts->files));
	scripts->files[scripts->count++] =
		(struct load_file){ .path = mem_strdup(path), .name = mem_strdup(path) };
}

/* a.sql, the variable x with that value (NULL: none). */
static void make(struct scripts *scripts, const char *value)
{
	*scripts = (struct scripts)SCRIPTS_INIT;
	scripts->wants_inputs = true;
	add_file(scripts, "a.sql");
	if (value)
		variables_set(&scripts->variables, "x", value);
}

static int check(struct scripts *scripts, const char *value)
{
	CLEANUP(err_release) struct err err = ERR_INIT;

	make(scripts, value);
	if (scripts_check(scripts, &err) == 0)
		return 0;
	print_error("%s\n", err.message);
	return -1;
}

static void wait_ms(long milliseconds)
{
	const struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

/* Writes a record as if the scripts had been read much later, so that it counts at once. What
 * changes from now on has to have other times. */
static void settle(const char *value)
{
	CLEANUP(scripts_release) struct scripts scripts = SCRIPTS_INIT;
	CLEANUP(inputs_cache_release) struct inputs_cache cache = INPUTS_CACHE_INIT;
	CLEANUP(strlist_release) struct strlist messages = STRLIST_INIT;

	make(&scripts, value);
	inputs_cache_open(&cache, &scripts);
	scripts_release(&scripts);
	assert_int_equal(check(&scripts, value), 0);
	cache.began.tv_sec += 60;
	inputs_cache_write(&cache, &scripts, &messages);
	wait_ms(12);
}

/* Whether a check of a.sql as it is now takes the record that is there. */
static bool is_remembered(const char *value)
{
	CLEANUP(scripts_release) struct scripts scripts = SCRIPTS_INIT;

	assert_int_equal(check(&scripts, value), 0);
	return !scripts.inputs.names_known;
}

static char *record_path(void)
{
	CLEANUP(scripts_release) struct scripts scripts = SCRIPTS_INIT;
	CLEANUP(inputs_cache_release) struct inputs_cache cache = INPUTS_CACHE_INIT;

	make(&scripts, NULL);
	inputs_cache_open(&cache, &scripts);
	return mem_strdup(cache.path);
}

static void test_remembered(void **state)
{
	CLEANUP(scripts_release) struct scripts first = SCRIPTS_INIT;
	CLEANUP(scripts_release) struct scripts second = SCRIPTS_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(mem_cleanup) char *record = NULL;
	struct stat info;

	(void)state;
	use_cache();
	write_file("a.sql", "\\i b.sql\nCREATE EXTENSION x;\nSELECT CURRENT_DATE;\nVACUUM;\n");
	write_file("b.sql", "SELECT f();\n");
	check_number("check", check(&first, NULL), 0);
	check_number("too new", is_remembered(NULL), 0);
	wait_ms(2500);
	check_number("not settled when it was read", is_remembered(NULL), 0);
	check_number("check", check(&second, NULL), 0);
	check_number("remembered", second.inputs.names_known, 0);
	check_text("key", second.inputs.key, first.inputs.key);
	check_number("extensions", second.inputs.wants_extensions, 1);
	check_number("transaction", second.transaction, 0);
	check_number("bytes", (long long)second.bytes, (long long)first.bytes);
	check_number("varying", (long long)second.inputs.varying.count, 1);
	check_number("files", (long long)second.inputs.file_count, 2);
	check_number("stamped", (long long)second.stamps.count, (long long)first.stamps.count);
	check_number("names", scripts_names(&second, &err), 0);
	check_number("as many", (long long)second.inputs.names.count,
		(long long)first.inputs.names.count);
	record = record_path();
	check_number("record", stat(record, &info), 0);
	check_number("mode", info.st_mode & 0777, 0600);
	check_number("another variable", is_remembered("1"), 0);
	check_number("chdir", chdir("dbrig"), 0);
	write_file("a.sql", "SELECT 1;");
	check_number("another directory", is_remembered(NULL), 0);
	check_number("chdir", chdir(".."), 0);
	check_number("still there", is_remembered(NULL), 1);
}

static void test_names_of_changed_scripts(void **state)
{
	CLEANUP(scripts_release) struct scripts scripts = SCRIPTS_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;

	(void)state;
	use_cache();
	write_file("a.sql", "\\i b.sql\n");
	settle(NULL);
	check_number("check", check(&scripts, NULL), 0);
	check_number("remembered", scripts.inputs.names_known, 0);
	write_file("b.sql", "SELECT g();\n");
	check_number("names", scripts_names(&scripts, &err), -1);
	check_err("changed", &err, ERR_SQL, "the scripts changed after they were checked");
}

static void damage(const char *path, off_t at)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char c = 0;

	assert_int_equal(pread(fd, &c, 1, at), 1);
	c ^= 1;
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	close(fd);
}

/* Each time the scripts are read, and the record is written anew. */
static void test_records_that_do_not_count(void **state)
{
	CLEANUP(mem_cleanup) char *path = NULL;
	struct stat info;

	(void)state;
	use_cache();
	path = record_path();
	settle(NULL);
	check_number("remembered", is_remembered(NULL), 1);
	assert_int_equal(stat(path, &info), 0);
	for (off_t at = 0; at < info.st_size; at += 7) {
		damage(path, at);
		check_number("damaged", is_remembered(NULL), 0);
		settle(NULL);
	}
	for (off_t size = 0; size < info.st_size; size += 11) {
		check_number("truncate", truncate(path, size), 0);
		check_number("truncated", is_remembered(NULL), 0);
		settle(NULL);
	}
	chmod(path, 0622);
	check_number("others may write", is_remembered(NULL), 0);
	settle(NULL);
	check_number("remembered", is_remembered(NULL), 1);
	if (geteuid() == 0) {
		check_number("chown", chown(path, 1, 1), 0);
		check_number("not ours", is_remembered(NULL), 0);
		settle(NULL);
		check_number("chmod", chmod("dbrig", 0777), 0);
		check_number("directory", is_remembered(NULL), 0);
		check_number("chmod", chmod("dbrig", 0700), 0);
	}
	check_number("remembered", is_remembered(NULL), 1);
	unsetenv("XDG_CACHE_HOME");
	check_number("nowhere", is_remembered(NULL), 0);
}

static void test_old_records_go(void **state)
{
	const struct timespec times[2] = { { .tv_sec = time(NULL) - 31 * 24 * 3600 },
		{ .tv_sec = time(NULL) - 31 * 24 * 3600 } };

	(void)state;
	use_cache();
	write_file("dbrig/inputs-old", "x");
	write_file("dbrig/other", "x");
	utimensat(AT_FDCWD, "dbrig/inputs-old", times, 0);
	utimensat(AT_FDCWD, "dbrig/other", times, 0);
	is_remembered("something new");
	check_number("old", access("dbrig/inputs-old", F_OK), -1);
	check_number("not a record", access("dbrig/other", F_OK), 0);
}

static void test_obstacles_are_not_remembered(void **state)
{
	(void)state;
	use_cache();
	write_file("a.sql", "ALTER ROLE x LOGIN;\n");
	settle(NULL);
	check_number("read again", is_remembered(NULL), 0);
}

/* --- any edit -------------------------------------------------------------------------------- */

/* What the files hold, and the variable: the model that the key is compared with. */
struct tree {
	char text[FILES][TEXT];
	int include[FILES - 1]; /* which of b, c, d the lines of a.sql name */
	int value;
};

static const char *const names[FILES] = { "a.sql", "b.sql", "c.sql", "d.sql" };

static void write_tree(struct tree *tree)
{
	snprintf(tree->text[0], TEXT, "\\i %s\n\\i %s\n\\i %s\n", names[tree->include[0]],
		names[tree->include[1]], names[tree->include[2]]);
	write_file(names[0], tree->text[0]);
}

/* Contents in the order of opening. */
static char *model(const struct tree *tree)
{
	return mem_printf("%d|%s|%s|%s|%s", tree->value, tree->text[0],
		tree->text[tree->include[0]], tree->text[tree->include[1]],
		tree->text[tree->include[2]]);
}

static void edit(struct tree *tree, unsigned *seed)
{
	int which = 1 + rand_r(seed) % (FILES - 1);
	char *text = tree->text[which];
	size_t length = strlen(text);
	struct timespec times[2];
	struct stat info;
	int other, swap;

	stat(names[which], &info);
	switch (rand_r(seed) % 8) {
	case 0: /* a byte, in the same second and of the same size */
		text[7] = (char)('0' + rand_r(seed) % 10);
		write_file(names[which], text);
		break;
	case 1: /* the same, and the time of modification put back */
		text[7] = (char)('0' + rand_r(seed) % 10);
		write_file(names[which], text);
		times[0] = info.st_atim;
		times[1] = info.st_mtim;
		utimensat(AT_FDCWD, names[which], times, 0);
		break;
	case 2:
		if (length + 2 < TEXT)
			strcat(text, "\n");
		write_file(names[which], text);
		break;
	case 3: /* another name for an include */
		tree->include[rand_r(seed) % (FILES - 1)] = which;
		write_tree(tree);
		break;
	case 4: /* two change places */
		other = rand_r(seed) % (FILES - 1);
		swap = tree->include[0];
		tree->include[0] = tree->include[other];
		tree->include[other] = swap;
		write_tree(tree);
		break;
	case 5: /* touch */
		utimensat(AT_FDCWD, names[which], NULL, 0);
		break;
	case 6: /* an older file of the same size takes its place */
		text[7] = (char)('0' + rand_r(seed) % 10);
		write_file("new.sql", text);
		times[0] = info.st_atim;
		times[1] = info.st_mtim;
		utimensat(AT_FDCWD, "new.sql", times, 0);
		rename("new.sql", names[which]);
		break;
	default:
		tree->value = rand_r(seed) % 3;
	}
}

/*
 * Half of the edits follow a record that counts by its time, so that nothing but the stamps can
 * tell that there was one; the others follow the reading at once, in the same tick of the clock.
 */
static void test_edits(void **state)
{
	struct tree tree = { .include = { 1, 2, 3 } };
	CLEANUP(strlist_release) struct strlist models = STRLIST_INIT;
	CLEANUP(strlist_release) struct strlist keys = STRLIST_INIT;
	unsigned seed = 20261121;
	int remembered = 0, known = 0;

	(void)state;
	use_cache();
	for (int i = 1; i < FILES; i++) {
		snprintf(tree.text[i], TEXT, "SELECT %d;\n", i);
		write_file(names[i], tree.text[i]);
	}
	write_tree(&tree);
	for (int i = 0; i < EDITS; i++) {
		CLEANUP(scripts_release) struct scripts scripts = SCRIPTS_INIT;
		CLEANUP(mem_cleanup) char *now = NULL;
		char value[2] = { (char)('0' + tree.value), '\0' };

		if (i % 2 == 0)
			settle(value);
		edit(&tree, &seed);
		value[0] = (char)('0' + tree.value);
		now = model(&tree);
		assert_int_equal(check(&scripts, value), 0);
		remembered += !scripts.inputs.names_known;
		for (size_t j = 0; j < models.count; j++) {
			bool same = strcmp(models.items[j], now) == 0;

			known += same;
			if (same != (strcmp(keys.items[j], scripts.inputs.key) == 0))
				check_text(now, models.items[j], same ? "the same key" : "another");
		}
		strlist_add(&models, now);
		strlist_add(&keys, scripts.inputs.key);
	}
	/* Both have to be met for the test to say anything. */
	check_number("some were remembered", remembered > 0, 1);
	check_number("some came again", known > 0, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_remembered),
		UNIT_TEST(test_names_of_changed_scripts),
		UNIT_TEST(test_records_that_do_not_count),
		UNIT_TEST(test_old_records_go),
		UNIT_TEST(test_obstacles_are_not_remembered),
		UNIT_TEST(test_edits),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
