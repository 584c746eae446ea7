/*
 * A command is data: each file in src/cmd/ defines `const struct command command`, and
 * src/main/main.c runs the one its executable holds.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli/option.h"

struct run {
	const struct command *command;
	struct strlist words; /* what stands on the command line besides options */
	struct strlist rest;  /* what stands after "--" (only when command->passes_rest) */
	int status; /* exit status of a run that did not fail; 0 unless the command sets it */
};

struct example {
	const char *line; /* NULL ends the table */
	const char *help;
};

struct command {
	const char *name;
	const char *summary;  /* a phrase in lower case without a full stop */
	const char *synopsis; /* e.g. "[options] [TARGET]" */
	const struct option *const
		*options; /* NULL-terminated list of tables, without the common ones */
	const struct variable *const *variables; /* NULL-terminated list of tables */
	const struct example *examples;
	size_t max_words; /* more words than these are a usage error */
	bool passes_rest; /* "--" begins words for another program */
	/* Surplus words may be passwords: they are not shown. NULL, or a hint about that. */
	const char *secret_words;
	/* 0, or non-zero with err set. Prints its data and progress through term/out.h. */
	int (*run)(struct run *run, struct err *err);
};

extern const struct command command;

/*
 * The life cycle of every command: parse, --help, --version, run, report, exit status; a run ended
 * by a signal ends by that signal. Returns the exit status for main.
 */
int command_main(const struct command *cmd, int argc, char **argv);

/* The options every command has (--help, --version, -q, -v, --no-color): part of every table list.
 */
extern const struct option common_options[];
extern const struct variable common_variables[];

/* What --help prints. */
void command_help(const struct command *cmd);

#endif
