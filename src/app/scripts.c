#include "app/scripts.h"

#include "base/file.h"
#include "base/mem.h"
#include "term/safe.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What one message to the server can carry. */
#define BATCH_MOST ((size_t)1 << 30)

static struct strlist opt_files;
static bool opt_no_transaction, opt_keep_going, opt_single_transaction;
static struct strlist opt_set;
static const char *opt_batch;
static bool opt_allow_connect, opt_dry_run;

const struct option script_options[] = {
	{ .name = "file",
		.letter = 'f',
		.type = OPTION_LIST,
		.value = &opt_files,
		.argument = "FILE",
		.help = "run FILE instead (- for standard input); may be given several times" },
	{ .name = "no-transaction",
		.type = OPTION_FLAG,
		.value = &opt_no_transaction,
		.help = "run statement by statement instead of all in one transaction" },
	{ .name = "keep-going",
		.type = OPTION_FLAG,
		.value = &opt_keep_going,
		.help = "go on after a failed statement (without a transaction); the exit status "
			"still "
			"tells" },
	{ .name = "single-transaction",
		.letter = '1',
		.type = OPTION_FLAG,
		.value = &opt_single_transaction,
		.help = "refuse scripts that cannot run in one transaction, instead of running "
			"them statement by statement" },
	{ 0 },
};

const struct option script_run_options[] = {
	{ .name = "set",
		.type = OPTION_LIST,
		.value = &opt_set,
		.argument = "NAME=VALUE",
		.help = "give the psql variable NAME a value for the scripts; may be given several "
			"times" },
	{ .name = "batch",
		.type = OPTION_STRING,
		.value = &opt_batch,
		.argument = "BYTES",
		.help = "send at most so many bytes of statements together (64k, 1M); off: each "
			"alone" },
	{ .name = "allow-connect",
		.type = OPTION_FLAG,
		.value = &opt_allow_connect,
		.help = "let \\connect in a script name another host, port or user" },
	{ .name = "dry-run",
		.type = OPTION_FLAG,
		.value = &opt_dry_run,
		.help = "list what the scripts would do, without a server; nothing is changed" },
	{ 0 },
};

bool scripts_dry_run(void)
{
	return opt_dry_run;
}

/*
 * path as seen from the directory below or at root: files of the project are shown the way the user
 * would type them. Both are absolute; the caller owns the result.
 */
static char *relative_path(const char *cwd, const char *root, const char *path)
{
	struct strbuf out = STRBUF_INIT;
	size_t length = root ? strlen(root) : 0;

	if (!root || strncmp(cwd, root, length) != 0 || strncmp(path, root, length) != 0 ||
		path[length] != '/' || (cwd[length] != '/' && cwd[length]))
		return mem_strdup(path);
	for (const char *c = cwd + length; *c; c++)
		if (*c == '/')
			strbuf_adds(&out, "../");
	strbuf_adds(&out, path + length + 1);
	return strbuf_detach(&out);
}

/* A name stands in one line, whatever it holds. */
static void add_file(struct scripts *scripts, const char *path, const char *name)
{
	scripts->files = mem_resize(scripts->files, scripts->count + 1, sizeof(*scripts->files));
	scripts->files[scripts->count++] =
		(struct load_file){ .path = mem_strdup(path), .name = safe_text(name, SAFE_LINE) };
}

static void add_project_file(
	const struct context *context, struct scripts *scripts, const char *path)
{
	CLEANUP(mem_cleanup) char *name = relative_path(context->cwd, context->root, path);

	add_file(scripts, path, name);
}

/* Two of psql's own variables are switches that options of ours stand for. */
static int apply_switch(
	struct scripts *scripts, const char *name, const char *value, struct err *err)
{
	const bool stops = strcmp(name, "ON_ERROR_STOP") == 0;
	bool on = true;

	if (!stops && strcmp(name, "AUTOCOMMIT") != 0)
		return 0;
	if (*value && !variables_parse_bool(value, &on))
		return err_set(
			err, ERR_USAGE, "--set %s: \"%s\" is neither on nor off", name, value);
	if (on)
		return 0;
	if (stops) {
		scripts->keep_going = true;
		return 0;
	}
	err_set(err, ERR_USAGE, "--set AUTOCOMMIT=off is not supported");
	err_hint(err, "All scripts run in one transaction anyway, unless --no-transaction is "
		      "given.");
	return -1;
}

static int set_variable(struct scripts *scripts, const char *text, struct err *err)
{
	const char *equals = strchr(text, '=');
	const char *value = equals ? equals + 1 : "";
	CLEANUP(mem_cleanup)
	char *name = mem_strndup(text, equals ? (size_t)(equals - text) : strlen(text));

	if (!variables_valid_name(name)) {
		err_set(err, ERR_USAGE, "--set: \"%s\" cannot be the name of a variable", name);
		err_hint(err, "Names are made of letters, digits and underscores.");
		return -1;
	}
	variables_set(&scripts->variables, name, value);
	return apply_switch(scripts, name, value, err);
}

/* "off", "65536", "64k", "1M" */
static int parse_batch(const char *text, size_t *ret_bytes, struct err *err)
{
	unsigned long long number;
	unsigned shift = 0;
	char *end;

	if (strcmp(text, "off") == 0) {
		*ret_bytes = 0;
		return 0;
	}
	errno = 0;
	number = strtoull(text, &end, 10);
	if (*end == 'k' || *end == 'K')
		shift = 10;
	else if (*end == 'M')
		shift = 20;
	if (!isdigit((unsigned char)*text) || errno != 0 || end[shift > 0]) {
		err_set(err, ERR_USAGE, "--batch: \"%s\" is not a number of bytes", text);
		err_hint(err, "Examples: 65536, 64k, 1M, off.");
		return -1;
	}
	if (number > BATCH_MOST >> shift)
		return err_set(err, ERR_USAGE, "--batch: %s is more than 1024M", text);
	*ret_bytes = (size_t)number << shift;
	return 0;
}

static int take_run_options(struct scripts *scripts, struct err *err)
{
	scripts->allow_connect = opt_allow_connect;
	for (size_t i = 0; i < opt_set.count; i++)
		if (set_variable(scripts, opt_set.items[i], err) != 0)
			return -1;
	if (opt_batch && parse_batch(opt_batch, &scripts->batch, err) != 0)
		return -1;
	if (scripts->keep_going)
		scripts->transaction = false;
	return 0;
}

int scripts_insist(struct scripts *scripts, const char *option, struct err *err)
{
	scripts->insists = option;
	if (scripts->transaction)
		return 0;
	return err_set(err, ERR_USAGE, "%s and %s exclude each other", option,
		opt_no_transaction ? "--no-transaction"
		: opt_keep_going   ? "--keep-going"
				   : "--set ON_ERROR_STOP=off");
}

static int take_options(struct scripts *scripts, struct err *err)
{
	scripts->keep_going = opt_keep_going;
	scripts->transaction = !opt_no_transaction;
	if (take_run_options(scripts, err) != 0)
		return -1;
	if (opt_single_transaction && scripts_insist(scripts, "--single-transaction", err) != 0)
		return -1;
	for (size_t i = 0; i < opt_files.count; i++)
		add_file(scripts, opt_files.items[i],
			strcmp(opt_files.items[i], "-") == 0 ? "<stdin>" : opt_files.items[i]);
	return 0;
}

static int require_project(const struct context *context, struct err *err)
{
	const char *wanted = getenv("DB_DIR");

	if (context->db_dir)
		return 0;
	err_set(err, ERR_USAGE, "no project found: there is no directory \"%s\" here or above",
		wanted && *wanted ? wanted : "db");
	err_hint(err, "Call the command inside a project; DB_DIR names its directory of scripts if "
		      "that is not db.");
	return -1;
}

static int find_schema(const struct context *context, struct scripts *scripts, struct err *err)
{
	CLEANUP(mem_cleanup) char *path = NULL;

	if (require_project(context, err) != 0)
		return -1;
	path = path_join(context->db_dir, "schema.sql");
	add_project_file(context, scripts, path);
	return 0;
}

static bool is_sql_file(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > 4 && strcmp(name + length - 4, ".sql") == 0;
}

static int find_seeds_directory(
	const struct context *context, struct scripts *scripts, struct err *err)
{
	CLEANUP(mem_cleanup) char *directory = path_join(context->db_dir, "seeds");
	CLEANUP(strlist_release) struct strlist names = STRLIST_INIT;
	struct dirent *entry;
	DIR *stream = opendir(directory);

	if (!stream) {
		if (errno == ENOENT)
			return 0;
		return err_errno(err, "could not open directory \"%s\"", directory);
	}
	while ((entry = readdir(stream)))
		if (is_sql_file(entry->d_name))
			strlist_add(&names, entry->d_name);
	closedir(stream);
	strlist_sort(&names);
	for (size_t i = 0; i < names.count; i++) {
		CLEANUP(mem_cleanup) char *path = path_join(directory, names.items[i]);

		add_project_file(context, scripts, path);
	}
	return 0;
}

static int find_seed(
	const struct context *context, bool missing_ok, struct scripts *scripts, struct err *err)
{
	CLEANUP(mem_cleanup) char *path = NULL;

	if (require_project(context, err) != 0)
		return -1;
	path = path_join(context->db_dir, "seed.sql");
	if (path_exists(path) || errno != ENOENT) {
		add_project_file(context, scripts, path);
		return 0;
	}
	if (find_seeds_directory(context, scripts, err) != 0)
		return -1;
	if (scripts->count == 0 && !missing_ok) {
		err_set(err, ERR_FAILED, "no seed found in \"%s\"", context->db_dir);
		err_hint(err, "Put it into seed.sql or seeds/*.sql there, or name a file with -f.");
		return -1;
	}
	return 0;
}

int scripts_find_schema(const struct context *context, struct scripts *scripts, struct err *err)
{
	if (take_options(scripts, err) != 0)
		return -1;
	return scripts->count > 0 ? 0 : find_schema(context, scripts, err);
}

int scripts_find_seed(
	const struct context *context, bool missing_ok, struct scripts *scripts, struct err *err)
{
	if (take_options(scripts, err) != 0)
		return -1;
	return scripts->count > 0 ? 0 : find_seed(context, missing_ok, scripts, err);
}

int scripts_find_default(const struct context *context, struct scripts *schema,
	struct scripts *seed, struct err *err)
{
	if (take_run_options(schema, err) != 0 || take_run_options(seed, err) != 0 ||
		find_schema(context, schema, err) != 0)
		return -1;
	return find_seed(context, true, seed, err);
}

void scripts_release(struct scripts *scripts)
{
	for (size_t i = 0; i < scripts->count; i++) {
		mem_free(scripts->files[i].path);
		mem_free(scripts->files[i].name);
	}
	mem_free(scripts->files);
	variables_release(&scripts->variables);
	stamps_release(&scripts->stamps);
	script_inputs_release(&scripts->inputs);
	mem_free(scripts->destructive.file);
	err_release(&scripts->refusal);
	*scripts = (struct scripts)SCRIPTS_INIT;
}
