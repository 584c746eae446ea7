#include "base/mem.h"
#include "base/strbuf.h"
#include "cli/command.h"
#include "term/out.h"

#include <stdio.h>
#include <string.h>

#define LABEL_WIDTH 26
#define LINE_WIDTH 79

/* Prints text broken at blanks, its first line after a label, all lines at the same indent. */
static void print_entry(const char *label, const char *text)
{
	CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;

	strbuf_addf(&line, "  %s", label);
	if (line.length >= LABEL_WIDTH)
		strbuf_addf(&line, "\n%*s", LABEL_WIDTH, "");
	else
		strbuf_addf(&line, "%*s", (int)(LABEL_WIDTH - line.length), "");
	while (*text) {
		size_t room = LINE_WIDTH - LABEL_WIDTH;
		size_t length = strlen(text);

		if (length > room) {
			length = room;
			while (length > 0 && text[length] != ' ')
				length--;
			if (length == 0)
				length = strcspn(text, " ");
		}
		out_data("%s%.*s\n", line.data, (int)length, text);
		text += length;
		text += strspn(text, " ");
		strbuf_reset(&line);
		strbuf_addf(&line, "%*s", LABEL_WIDTH, "");
	}
}

static void print_option(const struct option *option)
{
	CLEANUP(strbuf_release) struct strbuf label = STRBUF_INIT;
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

	if (option->letter)
		strbuf_addf(&label, "-%c, ", option->letter);
	else
		strbuf_adds(&label, "    ");
	strbuf_addf(&label, "--%s", option->name);
	if (option->type == OPTION_SECONDS)
		strbuf_addf(&label, "[=%s]", option->argument);
	else if (option->argument)
		strbuf_addf(&label, " %s", option->argument);
	strbuf_adds(&text, option->help);
	if (option->environment)
		strbuf_addf(&text, " [$%s]", option->environment);
	print_entry(label.data, text.data);
}

static void print_options(const struct option *table)
{
	for (; table->name; table++)
		print_option(table);
}

void command_help(const struct command *cmd)
{
	out_data("%s: %s\n\nUsage: %s %s\n\nOptions:\n", cmd->name, cmd->summary, cmd->name,
		cmd->synopsis);
	for (const struct option *const *table = cmd->options; table && *table; table++)
		print_options(*table);
	print_options(common_options);
	out_data("\nEnvironment:\n");
	for (const struct variable *const *table = cmd->variables; table && *table; table++)
		for (const struct variable *variable = *table; variable->name; variable++)
			print_entry(variable->name, variable->help);
	for (const struct variable *variable = common_variables; variable->name; variable++)
		print_entry(variable->name, variable->help);
	if (cmd->examples) {
		out_data("\nExamples:\n");
		for (const struct example *example = cmd->examples; example->line; example++)
			out_data("  %s\n      %s\n", example->line, example->help);
	}
	out_data("\nExit status:\n");
	print_entry("0", "Done.");
	for (size_t i = 0;; i++) {
		char number[16];
		int status;
		const char *text = err_kind_text(i, &status);

		if (!text)
			break;
		snprintf(number, sizeof(number), "%d", status);
		print_entry(number, text);
	}
}
