#include "app/scripts.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "sql/check.h"
#include "sql/source.h"
#include "term/out.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct strlist opt_files;
static bool opt_no_transaction, opt_keep_going;

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
	{ 0 },
};

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

static void add_file(struct scripts *scripts, const char *path, const char *name)
{
	scripts->files = mem_resize(scripts->files, scripts->count + 1, sizeof(*scripts->files));
	scripts->files[scripts->count++] =
		(struct load_file){ .path = mem_strdup(path), .name = mem_strdup(name) };
}

static void add_project_file(
	const struct context *context, struct scripts *scripts, const char *path)
{
	CLEANUP(mem_cleanup) char *name = relative_path(context->cwd, context->root, path);

	add_file(scripts, path, name);
}

/* Applies the options; true when -f named the files. */
static bool take_options(struct scripts *scripts)
{
	scripts->keep_going = opt_keep_going;
	scripts->transaction = !opt_no_transaction && !opt_keep_going;
	for (size_t i = 0; i < opt_files.count; i++)
		add_file(scripts, opt_files.items[i],
			strcmp(opt_files.items[i], "-") == 0 ? "<stdin>" : opt_files.items[i]);
	return opt_files.count > 0;
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
	return take_options(scripts) ? 0 : find_schema(context, scripts, err);
}

int scripts_find_seed(
	const struct context *context, bool missing_ok, struct scripts *scripts, struct err *err)
{
	return take_options(scripts) ? 0 : find_seed(context, missing_ok, scripts, err);
}

int scripts_find_default(const struct context *context, struct scripts *schema,
	struct scripts *seed, struct err *err)
{
	if (find_schema(context, schema, err) != 0)
		return -1;
	return find_seed(context, true, seed, err);
}

static int check_file(struct scripts *scripts, const struct load_file *file, struct err *err)
{
	CLEANUP(fd_cleanup) int fd = -1;
	struct script_input input = { .name = file->name };
	struct script_summary summary = { 0 };
	struct stat info;

	/* A pipe can be read only once, and even opening and closing it would send its writer away.
	 */
	if (strcmp(file->path, "-") == 0) {
		scripts->reads_pipe = true;
		return 0;
	}
	if (stat(file->path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
		if (access(file->path, R_OK) != 0)
			return err_errno(err, "could not open file \"%s\"", file->name);
		scripts->reads_pipe = true;
		return 0;
	}
	if (input_open(file->path, file->name, &fd, err) != 0)
		return -1;
	input.fd = fd;
	if (script_check(file->name, script_source_of(&input), &summary, err) != 0)
		return -1;
	if (summary.statements == 0)
		out_warning("\"%s\" holds no statement", file->name);
	if (scripts->transaction && summary.no_transaction.line) {
		out_info("%s:%zu: %s cannot run in a transaction: running statement by statement",
			file->name, summary.no_transaction.line, summary.no_transaction.name);
		scripts->transaction = false;
	} else if (scripts->transaction && summary.transaction.line) {
		out_info(
			"%s:%zu: %s: the script controls transactions itself, running statement by "
			"statement",
			file->name, summary.transaction.line, summary.transaction.name);
		scripts->transaction = false;
	}
	return 0;
}

int scripts_check(struct scripts *scripts, struct err *err)
{
	for (size_t i = 0; i < scripts->count; i++)
		if (check_file(scripts, &scripts->files[i], err) != 0)
			return -1;
	return 0;
}

/* "… does not exist, skipping": what IF EXISTS was written for, said on every reset. */
static bool is_skipping(const struct notice *notice)
{
	const char *comma = strrchr(notice->message, ',');

	return strcmp(notice->severity, "NOTICE") == 0 && comma && strcmp(comma, ", skipping") == 0;
}

static void tell_notice(void *unused, const char *file, size_t line, const struct notice *notice)
{
	(void)unused;
	if (strcmp(notice->severity, "WARNING") == 0)
		out_warning("%s:%zu: %s", file, line, notice->message);
	else if (is_skipping(notice))
		out_detail("%s:%zu: %s: %s", file, line, notice->severity, notice->message);
	else
		out_info("%s:%zu: %s: %s", file, line, notice->severity, notice->message);
	if (notice->detail)
		out_detail("detail: %s", notice->detail);
	if (notice->hint)
		out_detail("hint: %s", notice->hint);
}

static void tell_statement(void *unused, const char *text, size_t length)
{
	(void)unused;
	out_info("%.*s", (int)(length > INT32_MAX ? INT32_MAX : length), text);
}

static void pass_copy_data(void *unused, const char *bytes, size_t length)
{
	(void)unused;
	out_raw(bytes, length);
}

static void tell_failed(void *unused, const struct err *err)
{
	(void)unused;
	out_error(err);
}

/* After a failure: what is left of the script in the database. */
static void tell_left(
	const struct scripts *scripts, const struct load_counts *counts, struct err *err)
{
	const char *plural = counts->statements == 1 ? "" : "s";

	if (counts->commit_sent || (err->kind != ERR_SQL && err->kind != ERR_INTERRUPTED))
		return;
	if (scripts->transaction)
		err_note_line(err, "Rolled back: nothing of the script is in the database.");
	else if (counts->failed > 0)
		err_note_line(
			err, "%" PRIu64 " statement%s succeeded.", counts->statements, plural);
	else if (counts->statements > 0)
		err_note_line(err, "The %" PRIu64 " statement%s before it stay in the database.",
			counts->statements, plural);
}

int scripts_run(struct conn *conn, struct scripts *scripts, struct err *err)
{
	const struct load_options options = { .transaction = scripts->transaction,
		.keep_going = scripts->keep_going };
	const struct load_observer observer = { .notice = tell_notice,
		.statement = context_echo() ? tell_statement : NULL,
		.copy_out = pass_copy_data,
		.failed = tell_failed };
	struct load_counts counts = { 0 };
	int64_t start = clock_us();
	char elapsed[32];

	if (load_run(conn, scripts->files, scripts->count, &options, &observer, &counts, err) !=
		0) {
		scripts->commit_sent = counts.commit_sent;
		tell_left(scripts, &counts, err);
		return -1;
	}
	/* Often a program before the pipe that failed. */
	if (scripts->reads_pipe && counts.statements == 0)
		out_warning("what came through the pipe holds no statement");
	out_info("%s%s: %" PRIu64 " statement%s (%s)",
		scripts->count == 1 ? scripts->files[0].name : "",
		scripts->count == 1 ? "" : "all scripts", counts.statements,
		counts.statements == 1 ? "" : "s",
		clock_format(clock_us() - start, elapsed, sizeof(elapsed)));
	return 0;
}

void scripts_release(struct scripts *scripts)
{
	for (size_t i = 0; i < scripts->count; i++) {
		mem_free(scripts->files[i].path);
		mem_free(scripts->files[i].name);
	}
	mem_free(scripts->files);
	*scripts = (struct scripts)SCRIPTS_INIT;
}
