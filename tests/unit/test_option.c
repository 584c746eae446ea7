#include "unit.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "cli/option.h"

#define MAX_WORDS 8

/* What the tables below fill. */
static struct {
	bool quiet, force;
	int verbose;
	const char *name, *file;
	struct strlist files;
	double wait, every;
} values;

static const struct option first_table[] = {
	{ .name = "quiet", .letter = 'q', .type = OPTION_FLAG, .value = &values.quiet },
	{ .name = "force", .type = OPTION_FLAG, .value = &values.force, .environment = "T_FORCE" },
	{ .name = "verbose", .letter = 'v', .type = OPTION_COUNT, .value = &values.verbose },
	{ 0 },
};

static const struct option second_table[] = {
	{ .name = "name",
		.letter = 'n',
		.type = OPTION_STRING,
		.value = &values.name,
		.environment = "T_NAME" },
	{ .name = "file", .letter = 'f', .type = OPTION_LIST, .value = &values.files },
	{ .name = "wait",
		.letter = 'w',
		.type = OPTION_SECONDS,
		.value = &values.wait,
		.environment = "T_WAIT",
		.fallback = 60 },
	{ .name = "every", .type = OPTION_SECONDS, .value = &values.every, .fallback = 2 },
	{ 0 },
};

static const struct option *const tables[] = { first_table, second_table, NULL };

static void add_list(struct strbuf *out, const char *name, const struct strlist *list)
{
	for (size_t i = 0; i < list->count; i++)
		strbuf_addf(out, " %s=%s", name, list->items[i]);
}

/* All that is not at its initial value as one text. */
static char *describe(const struct strlist *words, const struct strlist *rest)
{
	struct strbuf out = STRBUF_INIT;

	if (values.quiet)
		strbuf_adds(&out, " quiet");
	if (values.force)
		strbuf_adds(&out, " force");
	if (values.verbose)
		strbuf_addf(&out, " verbose=%d", values.verbose);
	if (values.name)
		strbuf_addf(&out, " name=%s", values.name);
	add_list(&out, "file", &values.files);
	if (values.wait >= 0)
		strbuf_addf(&out, " wait=%g", values.wait);
	if (values.every >= 0)
		strbuf_addf(&out, " every=%g", values.every);
	add_list(&out, "word", words);
	add_list(&out, "rest", rest);
	strbuf_consume(&out, out.length ? 1 : 0);
	return strbuf_detach(&out);
}

/* The words of a case are divided by "|". */
static int parse(const char *line, bool with_rest, char **ret_values, struct err *err)
{
	CLEANUP(strlist_release) struct strlist words = STRLIST_INIT;
	CLEANUP(strlist_release) struct strlist rest = STRLIST_INIT;
	CLEANUP(mem_cleanup) char *copy = mem_strdup(line);
	char *argv[MAX_WORDS + 2] = { (char[]){ "db-test" } };
	char *at = copy;
	int argc = 1, result;

	while (at && *line && argc <= MAX_WORDS)
		argv[argc++] = strsep(&at, "|");
	strlist_release(&values.files);
	memset(&values, 0, sizeof(values));
	values.wait = values.every = -1;
	result = option_parse(tables, argc, argv, &words, with_rest ? &rest : NULL, err);
	*ret_values = describe(&words, &rest);
	strlist_release(&values.files);
	return result;
}

static void test_accepted(void **state)
{
	static const struct {
		const char *line, *expected;
	} cases[] = {
		{ "", "" },
		{ "prod", "word=prod" },
		{ "a|b|c", "word=a word=b word=c" },
		{ "", "" },
		{ "-", "word=-" },
		{ "--quiet", "quiet" },
		{ "-q", "quiet" },
		{ "-q|-q|--quiet", "quiet" },
		{ "--force", "force" },
		{ "-v", "verbose=1" },
		{ "-v|--verbose|-vv", "verbose=4" },
		{ "-vvv", "verbose=3" },
		{ "-qv", "quiet verbose=1" },
		{ "-vqv", "quiet verbose=2" },
		{ "--name=x", "name=x" },
		{ "--name|x", "name=x" },
		{ "-n|x", "name=x" },
		{ "-nx", "name=x" },
		{ "-n|x|-n|y", "name=y" },
		{ "--name=", "name=" },
		{ "--name|", "name=" },
		{ "--name=a=b", "name=a=b" },
		{ "--name=--quiet", "name=--quiet" },
		{ "-n--quiet", "name=--quiet" },
		{ "--name|-q", "name=-q" },
		{ "--name|-", "name=-" },
		{ "-n|-1", "name=-1" },
		{ "-fFILE", "file=FILE" },
		{ "-f|FILE", "file=FILE" },
		{ "-f|-", "file=-" },
		{ "-f|a|-fb|--file=c|--file|d", "file=a file=b file=c file=d" },
		{ "-qfFILE", "quiet file=FILE" },
		{ "-qf|FILE", "quiet file=FILE" },
		{ "-qvfv", "quiet verbose=1 file=v" },
		{ "a|-q|b|--name|x|c", "quiet name=x word=a word=b word=c" },
		{ "--wait", "wait=60" },
		{ "--wait|5", "wait=60 word=5" },
		{ "--wait=5", "wait=5" },
		{ "--wait=5s", "wait=5" },
		{ "--wait=0", "wait=0" },
		{ "--wait=1.5", "wait=1.5" },
		{ "--wait=1e3", "wait=1000" },
		{ "--wait=1000000", "wait=1e+06" },
		{ "--wait=5|--wait=7", "wait=7" },
		{ "--wait|prod", "wait=60 word=prod" },
		{ "-w", "wait=60" },
		{ "-qwv", "quiet verbose=1 wait=60" },
		{ "--every|--wait=3", "wait=3 every=2" },
		{ "--", "" },
		{ "--|-q", "word=-q" },
		{ "a|--|--name|b|--", "word=a word=--name word=b word=--" },
		{ "-q|--|x", "quiet word=x" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(err_release) struct err err = ERR_INIT;
		CLEANUP(mem_cleanup) char *got = NULL;

		check_number(cases[i].line, parse(cases[i].line, false, &got, &err), 0);
		check_text(cases[i].line, err.message, NULL);
		check_text(cases[i].line, got, cases[i].expected);
	}
}

static void test_refused(void **state)
{
#define TRY_HELP "Try --help for the options."
	static const struct {
		const char *line, *message, *hint;
	} cases[] = {
		{ "--nonsense", "unknown option \"--nonsense\"", TRY_HELP },
		{ "--nonsense=secret", "unknown option \"--nonsense\"", TRY_HELP },
		{ "-x", "unknown option \"-x\"", TRY_HELP },
		{ "-qx", "unknown option \"-x\"", TRY_HELP },
		{ "-1", "unknown option \"-1\"", TRY_HELP },
		{ "---quiet", "unknown option \"---quiet\"", TRY_HELP },
		{ "--=x", "unknown option \"--\"", TRY_HELP },
		{ "-=x", "unknown option \"-=\"", TRY_HELP },
		/* no abbreviations, no other case */
		{ "--forc", "unknown option \"--forc\"", TRY_HELP },
		{ "--f", "unknown option \"--f\"", TRY_HELP },
		{ "--forced", "unknown option \"--forced\"", TRY_HELP },
		{ "--FORCE", "unknown option \"--FORCE\"", TRY_HELP },
		{ "-Q", "unknown option \"-Q\"", TRY_HELP },
		{ "--nam=x", "unknown option \"--nam\"", TRY_HELP },
		/* values */
		{ "--quiet=yes", "option --quiet takes no value", TRY_HELP },
		{ "--quiet=", "option --quiet takes no value", TRY_HELP },
		{ "--verbose=2", "option --verbose takes no value", TRY_HELP },
		{ "--name", "option --name needs a value", TRY_HELP },
		{ "-n", "option -n needs a value", TRY_HELP },
		{ "-qn", "option -n needs a value", TRY_HELP },
		{ "a|--file", "option --file needs a value", TRY_HELP },
		{ "--name|--quiet", "option --name needs a value, but \"--quiet\" follows",
			"Write --name=--quiet if that is the value." },
		{ "--name|--", "option --name needs a value, but \"--\" follows",
			"Write --name=-- if that is the value." },
		{ "--file|--no-such", "option --file needs a value, but \"--no-such\" follows",
			"Write --file=--no-such if that is the value." },
		{ "-n|--quiet", "option -n needs a value, but \"--quiet\" follows", NULL },
		{ "-qf|--force", "option -f needs a value, but \"--force\" follows", NULL },
		/* seconds */
		{ "--wait=", "--wait: \"\" is not a number of seconds", TRY_HELP },
		{ "--wait=x", "--wait: \"x\" is not a number of seconds", TRY_HELP },
		{ "--wait=5m", "--wait: \"5m\" is not a number of seconds", TRY_HELP },
		{ "--wait=5ss", "--wait: \"5ss\" is not a number of seconds", TRY_HELP },
		{ "--wait=-1", "--wait: \"-1\" is not a number of seconds", TRY_HELP },
		{ "--wait=nan", "--wait: \"nan\" is not a number of seconds", TRY_HELP },
		{ "--wait=inf", "--wait: \"inf\" is not a number of seconds", TRY_HELP },
		{ "--wait=1000001", "--wait: \"1000001\" is not a number of seconds", TRY_HELP },
		{ "--wait=1e999", "--wait: \"1e999\" is not a number of seconds", TRY_HELP },
		{ "--every=s", "--every: \"s\" is not a number of seconds", TRY_HELP },
		{ "-w5", "unknown option \"-5\"", TRY_HELP },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(err_release) struct err err = ERR_INIT;
		CLEANUP(mem_cleanup) char *got = NULL;

		check_number(cases[i].line, parse(cases[i].line, false, &got, &err), -1);
		check_err(cases[i].line, &err, ERR_USAGE, cases[i].message);
		check_text(cases[i].line, err.hint, cases[i].hint);
	}
}

static void test_rest(void **state)
{
	static const struct {
		const char *line, *expected;
	} cases[] = {
		{ "a|b", "word=a word=b" },
		{ "a|--|b|-q|--name", "word=a rest=b rest=-q rest=--name" },
		{ "--|--|-q", "rest=-- rest=-q" },
		{ "a|--", "word=a" },
		{ "-q|--||x", "quiet rest= rest=x" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(err_release) struct err err = ERR_INIT;
		CLEANUP(mem_cleanup) char *got = NULL;

		check_number(cases[i].line, parse(cases[i].line, true, &got, &err), 0);
		check_text(cases[i].line, got, cases[i].expected);
	}
}

static void test_environment(void **state)
{
	static const struct {
		const char *variable, *value, *line;
		const char *expected; /* NULL: refused with the message */
		const char *message;
	} cases[] = {
		{ "T_NAME", "e", "", "name=e", NULL },
		{ "T_NAME", "e", "--name=x", "name=x", NULL },
		{ "T_NAME", "e", "-nx", "name=x", NULL },
		{ "T_NAME", "", "", "", NULL },
		{ "T_NAME", "--quiet", "", "name=--quiet", NULL },
		{ "T_WAIT", "7", "", "wait=7", NULL },
		{ "T_WAIT", "7", "--wait", "wait=60", NULL },
		{ "T_WAIT", "7", "--wait=3", "wait=3", NULL },
		{ "T_WAIT", "soon", "", NULL, "T_WAIT: \"soon\" is not a number of seconds" },
		{ "T_FORCE", "1", "", "force", NULL },
		{ "T_FORCE", "", "", "", NULL },
		{ "T_OTHER", "1", "", "", NULL },
		{ "name", "e", "", "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(err_release) struct err err = ERR_INIT;
		CLEANUP(mem_cleanup) char *got = NULL;
		bool refused = cases[i].message != NULL;

		setenv(cases[i].variable, cases[i].value, 1);
		check_number(cases[i].variable, parse(cases[i].line, false, &got, &err),
			refused ? -1 : 0);
		unsetenv(cases[i].variable);
		check_err(
			cases[i].variable, &err, refused ? ERR_USAGE : ERR_NONE, cases[i].message);
		if (!refused)
			check_text(cases[i].line, got, cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_accepted),
		UNIT_TEST(test_refused),
		UNIT_TEST(test_rest),
		UNIT_TEST(test_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
