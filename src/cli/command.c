#include "cli/command.h"

#include "base/interrupt.h"
#include "base/mem.h"
#include "base/process.h"
#include "term/out.h"

#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#define MAX_TABLES 12

static bool opt_help, opt_version, opt_quiet, opt_no_color;
static int opt_verbose;

const struct option common_options[] = {
	{ .name = "quiet",
		.letter = 'q',
		.type = OPTION_FLAG,
		.value = &opt_quiet,
		.help = "print errors and warnings only" },
	{ .name = "verbose",
		.letter = 'v',
		.type = OPTION_COUNT,
		.value = &opt_verbose,
		.help = "say more: where the connection comes from, SQLSTATE of errors" },
	{ .name = "no-color",
		.type = OPTION_FLAG,
		.value = &opt_no_color,
		.help = "no colours, even on a terminal" },
	{ .name = "help",
		.letter = '?',
		.type = OPTION_FLAG,
		.value = &opt_help,
		.help = "show this help" },
	{ .name = "version",
		.letter = 'V',
		.type = OPTION_FLAG,
		.value = &opt_version,
		.help = "show the version" },
	{ 0 },
};

const struct variable common_variables[] = {
	{ "NO_COLOR", "When set and not empty: no colours." },
	{ "PG_COLOR", "As for the PostgreSQL programs: always, never or auto." },
	{ "GITHUB_ACTIONS", "When set: errors in scripts are also printed as annotations." },
	{ 0 },
};

/* The command's tables and the common ones as one list. */
static void all_tables(const struct command *cmd, const struct option *tables[MAX_TABLES])
{
	size_t count = 0;

	for (const struct option *const *table = cmd->options; table && *table; table++) {
		if (count + 2 >= MAX_TABLES)
			BUG("too many option tables");
		tables[count++] = *table;
	}
	tables[count++] = common_options;
	tables[count] = NULL;
}

static int check_words(const struct run *run, struct err *err)
{
	if (run->words.count <= run->command->max_words)
		return 0;
	if (run->command->secret_words) {
		err_set(err, ERR_USAGE, "unexpected argument");
		err_detail(err, "Usage: %s %s", run->command->name, run->command->synopsis);
		err_hint(err, "%s", run->command->secret_words);
		return -1;
	}
	err_set(err, ERR_USAGE, "unexpected argument \"%s\"",
		run->words.items[run->command->max_words]);
	err_hint(err, "Usage: %s %s", run->command->name, run->command->synopsis);
	return -1;
}

/* Passwords pass through this process: neither a core file nor another process of the user shall
 * see its memory. Sanitizers trace the process themselves and need the door open. */
static void keep_memory_private(void)
{
	core_files_refuse();
#if defined(__linux__) && !defined(DBRIG_SANITIZED)
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

static int run_command(struct run *run, int argc, char **argv, struct err *err)
{
	const struct command *cmd = run->command;
	const struct option *tables[MAX_TABLES];

	all_tables(cmd, tables);
	if (option_parse(
		    tables, argc, argv, &run->words, cmd->passes_rest ? &run->rest : NULL, err)) {
		if (cmd->passes_rest)
			err_hint(err,
				"Options of the program that is started go after --; try --help.");
		return -1;
	}
	out_set_color(!opt_no_color);
	out_set_quiet(opt_quiet);
	out_set_verbose(opt_verbose);
	if (opt_help) {
		command_help(cmd);
		return 0;
	}
	if (opt_version) {
		out_data("%s (dbrig) %s\n", cmd->name, DBRIG_VERSION);
		return 0;
	}
	if (check_words(run, err) != 0)
		return -1;
	return cmd->run(run, err);
}

int command_main(const struct command *cmd, int argc, char **argv)
{
	CLEANUP(err_release) struct err err = ERR_INIT;
	struct run run = { .command = cmd };
	int result;

	keep_memory_private();
	out_init(cmd->name);
	result = run_command(&run, argc, argv, &err);
	strlist_release(&run.words);
	strlist_release(&run.rest);
	if (result == 0)
		result = out_finish(&err);
	if (result == 0)
		return run.status;
	if (err.kind == ERR_NONE)
		BUG("a command failed without an error");
	if (err.kind != ERR_INTERRUPTED || err.detail || err.note)
		out_error(&err);
	if (err.kind == ERR_INTERRUPTED) {
		int signal_number = err.signal;

		err_release(&err);
		interrupt_die(signal_number);
	}
	return err_exit_status(err.kind);
}
