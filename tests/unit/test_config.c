#include "unit.h"

#include "aws/config.h"
#include "aws/words.h"
#include "base/file.h"
#include "base/mem.h"

#include <stdio.h>
#include <sys/stat.h>

/* A directory of the test's own as HOME, with ~/.aws. */
static char *home;

static int make_home(void **state)
{
	char template[] = "/tmp/dbrig-unit-config-XXXXXX";
	CLEANUP(mem_cleanup) char *directory = NULL;

	(void)state;
	if (!mkdtemp(template))
		return -1;
	home = mem_strdup(template);
	directory = path_join(home, ".aws");
	return mkdir(directory, 0700);
}

static void remove_file(const char *name)
{
	CLEANUP(mem_cleanup) char *path = path_join(home, name);

	unlink(path);
}

static int remove_home(void **state)
{
	CLEANUP(mem_cleanup) char *directory = path_join(home, ".aws");

	(void)state;
	remove_file(".aws/config");
	remove_file(".aws/credentials");
	remove_file("elsewhere");
	rmdir(directory);
	rmdir(home);
	mem_free(home);
	return 0;
}

static void write_bytes(const char *name, const char *bytes, size_t length, mode_t mode)
{
	CLEANUP(mem_cleanup) char *path = path_join(home, name);
	CLEANUP(file_cleanup) FILE *file = fopen(path, "w");

	if (!file || fwrite(bytes, 1, length, file) != length || fchmod(fileno(file), mode) != 0)
		BUG("could not write a file for the test");
}

/* A NULL text: no such file. */
static void write_files(const char *config, const char *credentials)
{
	setenv("HOME", home, 1);
	remove_file(".aws/config");
	remove_file(".aws/credentials");
	if (config)
		write_bytes(".aws/config", config, strlen(config), 0600);
	if (credentials)
		write_bytes(".aws/credentials", credentials, strlen(credentials), 0600);
}

static int read_config(struct config **ret_config, struct err *err)
{
	CLEANUP(env_release) struct env env = ENV_INIT;

	return config_read(&env, ret_config, err);
}

/* The value of "a" in profile "default" of the config file. */
static void test_values(void **state)
{
	static const struct {
		const char *text;
		const char *value;
	} cases[] = {
		{ "[default]\na = x\n", "x" },
		{ "[default]\na=x", "x" },
		{ "[default]\r\na = x\r\n", "x" },
		{ "[default]\na\t=\tx y \t\n", "x y" },
		{ "[default]\nA = x\n", "x" },
		{ "[default]\na: x\n", "x" },
		{ "[default]\na = http://h:1/?b=c\n", "http://h:1/?b=c" },
		{ "[default]\na = AQo//+==\n", "AQo//+==" },
		{ "[default]\na =\n", NULL },
		{ "[default]\na = \"x\"\n", "\"x\"" },
		/* Comments are lines, never the end of one. */
		{ "[default]\na = x # y ; z\n", "x # y ; z" },
		{ "# c\n[default]\n; c = d\n  # e\na = x\n", "x" },
		{ "[default]\n#a = y\na = x\n", "x" },
		{ "[default] ; with a comment\na = x\n", "x" },
		{ "\xEF\xBB\xBF[default]\na = x\n", "x" },
		{ "\n\n[default]\n\na = x\n\n", "x" },
		/* Which section. */
		{ "[profile default]\na = x\n", "x" },
		{ "[profile \"default\"]\na = x\n", "x" },
		{ "[profile\tdefault]\na = x\n", "x" },
		{ "[default]\na = y\n[profile default]\na = x\n", "x" },
		{ "[profile default]\na = x\n[default]\na = y\n", "x" },
		{ "[profile other]\na = y\n[default]\na = x\n", "x" },
		{ "[other]\na = y\n", NULL },
		{ "[Default]\na = y\n", NULL },
		{ "[profile default more]\na = y\n", NULL },
		{ "[profile 'default]\na = y\n", NULL },
		{ "[sso-session default]\na = y\n", NULL },
		{ "[services default]\na = y\n", NULL },
		{ "[profiled default]\na = y\n", NULL },
		/* Indentation. */
		{ "[default]\n  b = 1\n  a = x\n", "x" },
		{ "  [default]\n  b = 1\n  a = x\n", "x" },
		{ "[default]\n\tb = 1\n\ta = x\n", "x" },
		{ "[default]\nb = 1\n  a = y\n", NULL },
		{ "[default]\na = x\n  y\n\n  z\n\nb = 1\n", "x\ny\n\nz" },
		{ "[default]\nb =\n  a = y\na = x\n", "x" },
		{ "[default]\nb =\n  a = y\n\n  # c\n\n  d = z\na = x\n", "x" },
		{ "[default]\n  b = 1\n    more\n  a = x\n", "x" },
		{ "[default]\nb = 1\n  [profile c]\na = x\n", "x" },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(config_cleanup) struct config *config = NULL;
		CLEANUP(err_release) struct err err = ERR_INIT;

		write_files(cases[i].text, NULL);
		if (check_number(cases[i].text, read_config(&config, &err), 0))
			check_text(cases[i].text, config_get(config, "default", "a", NULL),
				cases[i].value);
		check_text(cases[i].text, err.message, NULL);
	}
}

/* "Zq" stands for a value; no error holds it. */
static void test_errors(void **state)
{
	static const struct {
		const char *text, *what;
	} cases[] = {
		{ "a = Zq\n", "a setting before any [section] in line 1" },
		{ "\n# c\nZq\n", "a setting before any [section] in line 3" },
		{ "[default]\n\nZq\n", "expected NAME = value in line 3" },
		{ "[default]\n= Zq\n", "expected NAME = value in line 2" },
		{ "[default\na = Zq\n",
			"section header without a name or without \"]\" in line 1" },
		{ "[]\na = Zq\n", "section header without a name or without \"]\" in line 1" },
		{ "[default]\na = 1\n[default]\nb = 2\n",
			"a section that was there before in line 3" },
		{ "[default]\na = Zq\nA = Zq\n", "a setting that was there before in line 3" },
		{ "[default]\na =\n  Zq\n", "expected NAME = value in line 3" },
		{ "[default]\na =\n  = Zq\n", "expected NAME = value in line 3" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(config_cleanup) struct config *config = NULL;
		CLEANUP(err_release) struct err err = ERR_INIT;
		CLEANUP(mem_cleanup)
		char *message = mem_printf("%s of \"~/.aws/config\"", cases[i].what);

		write_files(cases[i].text, NULL);
		check_number(cases[i].text, read_config(&config, &err), -1);
		check_err(cases[i].text, &err, ERR_USAGE, message);
		check_text(cases[i].text, err.detail, NULL);
	}
}

static void test_credentials_file_has_plain_names(void **state)
{
	CLEANUP(config_cleanup) struct config *config = NULL;
	CLEANUP(err_release) struct err err = ERR_INIT;

	(void)state;
	write_files(NULL, "[default]\na = 1\n[x]\na = 2\n[profile y]\na = 3\n[my x]\na = 4\n");
	check_number("read", read_config(&config, &err), 0);
	check_text("default", config_get(config, "default", "a", NULL), "1");
	check_text("x", config_get(config, "x", "a", NULL), "2");
	check_text("y", config_get(config, "y", "a", NULL), NULL);
	check_text("profile y", config_get(config, "profile y", "a", NULL), "3");
	check_text("my x", config_get(config, "my x", "a", NULL), "4");
}

static void test_credentials_file_wins(void **state)
{
	CLEANUP(config_cleanup) struct config *config = NULL;
	CLEANUP(err_release) struct err err = ERR_INIT;
	const char *path = NULL;

	(void)state;
	write_files("[profile x]\na = 1\nb = 2\nc = 3\n[profile y]\n", "[x]\na = 4\nc =\n[z]\n");
	check_number("read", read_config(&config, &err), 0);
	check_text("a", config_get(config, "x", "a", &path), "4");
	check_text("a is from", path, "~/.aws/credentials");
	check_text("b", config_get(config, "x", "b", &path), "2");
	check_text("b is from", path, "~/.aws/config");
	check_text("c", config_get(config, "x", "c", NULL), "3");
	check_text(
		"a of the config file", config_get_from(config, CONFIG_FILE_CONFIG, "x", "a"), "1");
	check_text("b of the credentials file",
		config_get_from(config, CONFIG_FILE_CREDENTIALS, "x", "b"), NULL);
	check_number("profile of both", config_has_profile(config, "x"), true);
	check_number("profile of the config file", config_has_profile(config, "y"), true);
	check_number("profile of the credentials file", config_has_profile(config, "z"), true);
	check_number("no profile", config_has_profile(config, "q"), false);
}

static void test_service_endpoints(void **state)
{
	static const char text[] = "[default]\nservices = dev\n[profile other]\nservices = none\n"
				   "[services dev]\nec2 =\n  endpoint_url = http://h:1/?a=b\n"
				   "rds =\n  Endpoint_URL = http://h:2\n  retries = 2\nsts =\n"
				   "s3 =\nendpoint_url = http://h:3\n";
	CLEANUP(config_cleanup) struct config *config = NULL;
	CLEANUP(err_release) struct err err = ERR_INIT;

	(void)state;
	write_files(text, NULL);
	check_number("read", read_config(&config, &err), 0);
	check_text("ec2", config_service_endpoint(config, "default", "ec2"), "http://h:1/?a=b");
	check_text("rds", config_service_endpoint(config, "default", "rds"), "http://h:2");
	check_text("sts", config_service_endpoint(config, "default", "sts"), NULL);
	check_text("s3", config_service_endpoint(config, "default", "s3"), NULL);
	check_text(
		"a section that is missing", config_service_endpoint(config, "other", "ec2"), NULL);
	check_text("a profile that is missing", config_service_endpoint(config, "q", "ec2"), NULL);
}

static void test_files_named_by_variables(void **state)
{
	CLEANUP(config_cleanup) struct config *config = NULL;
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(mem_cleanup) char *path = path_join(home, "elsewhere");

	(void)state;
	write_files("[default]\na = 1\n", "[default]\nb = 2\n");
	write_bytes("elsewhere", "[default]\na = 3\n", 16, 0644);
	setenv("AWS_CONFIG_FILE", "~/elsewhere", 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
	check_number("read", read_config(&config, &err), 0);
	check_text("a", config_get_from(config, CONFIG_FILE_CONFIG, "default", "a"), "3");
	check_text("b", config_get(config, "default", "b", NULL), NULL);
	check_text("config path", config_path(config), "~/elsewhere");
	check_text("credentials path", config_credentials_path(config), path);
	check_number("exposed", config_credentials_exposed(config), true);
}

static void test_exposed_credentials_file(void **state)
{
	static const struct {
		mode_t mode;
		bool exposed;
	} cases[] = {
		{ 0600, false },
		{ 0400, false },
		{ 0700, false },
		{ 0622, false },
		{ 0640, true },
		{ 0604, true },
		{ 0644, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(config_cleanup) struct config *config = NULL;
		CLEANUP(err_release) struct err err = ERR_INIT;
		CLEANUP(mem_cleanup) char *label = mem_printf("mode %o", cases[i].mode);

		/* The config file, which anybody may read, does not count. */
		write_files("[default]\n", NULL);
		write_bytes(".aws/config", "", 0, 0644);
		write_bytes(".aws/credentials", "[default]\n", 10, cases[i].mode);
		check_number(label, read_config(&config, &err), 0);
		check_number(label, config_credentials_exposed(config), cases[i].exposed);
	}
}

static void test_no_files(void **state)
{
	CLEANUP(config_cleanup) struct config *config = NULL;
	CLEANUP(config_cleanup) struct config *null_files = NULL;
	CLEANUP(err_release) struct err err = ERR_INIT;

	(void)state;
	write_files(NULL, NULL);
	check_number("missing", read_config(&config, &err), 0);
	check_number("missing: profile", config_has_profile(config, "default"), false);
	setenv("AWS_CONFIG_FILE", "/dev/null", 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials", 1);
	check_number("null", read_config(&null_files, &err), 0);
	check_text("null: path", config_path(null_files), "/dev/null");
}

static void test_files_that_cannot_be_read(void **state)
{
	CLEANUP(config_cleanup) struct config *config = NULL;
	CLEANUP(err_release) struct err err = ERR_INIT;

	(void)state;
	write_files(NULL, NULL);
	setenv("AWS_CONFIG_FILE", "/tmp", 1);
	check_number("directory", read_config(&config, &err), -1);
	check_err("directory", &err, ERR_USAGE, "could not read file \"/tmp\": it is a directory");
	setenv("AWS_CONFIG_FILE", "/dev/zero", 1);
	check_number("endless", read_config(&config, &err), -1);
	check_err("endless", &err, ERR_USAGE, "file \"/dev/zero\" is larger than 1048576 bytes");
	unsetenv("AWS_CONFIG_FILE");
	write_bytes(".aws/credentials", "[default]\na = \0Zq\n", 18, 0600);
	check_number("binary", read_config(&config, &err), -1);
	check_err("binary", &err, ERR_USAGE, "\"~/.aws/credentials\" is not a text file");
}

/* Some readers cut lines at 200 bytes; session tokens have a thousand and more. */
static void test_long_value(void **state)
{
	CLEANUP(config_cleanup) struct config *config = NULL;
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
	size_t start;

	(void)state;
	strbuf_adds(&text, "[default]\na = ");
	start = text.length;
	for (int i = 0; i < 100000; i++)
		strbuf_addc(&text, (char)('a' + i % 26));
	write_files(text.data, NULL);
	check_number("read", read_config(&config, &err), 0);
	check_text("value", config_get(config, "default", "a", NULL), text.data + start);
}

/* The words joined by |; NULL: refused. */
static void test_words(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "a b", "a|b|" },
		{ "  a\t b\n", "a|b|" },
		{ "", "" },
		{ " ", "" },
		{ "a \"b c\" d", "a|b c|d|" },
		{ "a 'b c' d", "a|b c|d|" },
		{ "a \"\" ''", "a|||" },
		{ "a'b'\"c\"d", "abcd|" },
		{ "a\\ b \\\"c \\'", "a b|\"c|'|" },
		{ "\"a\\\"b\\\\c\\n\\$\"", "a\"b\\c\\n\\$|" },
		{ "'a\\'", "a\\|" },
		{ "a # $HOME `b` $(c) ; d | e > f *", "a|#|$HOME|`b`|$(c)|;|d|||e|>|f|*|" },
		{ "a \"b", NULL },
		{ "a 'b", NULL },
		{ "a \"b\\\"", NULL },
		{ "a\\", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(strlist_release) struct strlist words = STRLIST_INIT;
		CLEANUP(strbuf_release) struct strbuf joined = STRBUF_INIT;
		bool split = words_split(cases[i].text, &words);

		for (size_t j = 0; j < words.count; j++)
			strbuf_addf(&joined, "%s|", words.items[j]);
		check_text(cases[i].text, split ? joined.data : NULL, cases[i].words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_values),
		UNIT_TEST(test_errors),
		UNIT_TEST(test_credentials_file_has_plain_names),
		UNIT_TEST(test_credentials_file_wins),
		UNIT_TEST(test_service_endpoints),
		UNIT_TEST(test_files_named_by_variables),
		UNIT_TEST(test_exposed_credentials_file),
		UNIT_TEST(test_no_files),
		UNIT_TEST(test_files_that_cannot_be_read),
		UNIT_TEST(test_long_value),
		UNIT_TEST(test_words),
	};

	return cmocka_run_group_tests(tests, make_home, remove_home);
}
