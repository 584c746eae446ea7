/*
 * Writes a command's man page (from a template on stdin, its generated blocks filled from the
 * option table) or its bash completion. Built once per command, like the command itself.
 */
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "pg/protection.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Text for mdoc: a sentence, with what roff would take for a request or an escape made plain. */
static void print_sentence(const char *text)
{
	size_t length = strlen(text);
	bool first = true;

	if (*text == '.' || *text == '\'')
		fputs("\\&", stdout);
	while (*text) {
		uint32_t code;
		size_t size = utf8_decode(text, strlen(text), &code);

		if (code == '\\')
			fputs("\\e", stdout);
		else if (code == '-')
			fputs("\\-", stdout);
		else if (code > 0x7F)
			printf("\\[u%04X]", code);
		else
			putchar(first ? toupper((int)code) : (int)code);
		first = false;
		text += size ? size : 1;
		/* mdoc wants every sentence on a line of its own. */
		if (code == '.' && *text == ' ') {
			putchar('\n');
			text++;
		}
	}
	fputs(length > 0 && text[-1] == '.' ? "\n" : ".\n", stdout);
}

static void print_option(const struct option *option)
{
	fputs(".It ", stdout);
	if (option->letter)
		printf("Fl %c , ", option->letter);
	printf("Fl \\-%s", option->name);
	if (option->type == OPTION_SECONDS)
		printf(" Ns Oo = Ns Ar %s Oc", option->argument);
	else if (option->argument)
		printf(" Ar %s", option->argument);
	putchar('\n');
	print_sentence(option->help);
	if (option->environment)
		printf("Default:\n.Ev %s .\n", option->environment);
}

static void print_options(void)
{
	puts(".Bl -tag -width Ds");
	for (const struct option *const *table = command.options; table && *table; table++)
		for (const struct option *option = *table; option->name; option++)
			print_option(option);
	for (const struct option *option = common_options; option->name; option++)
		print_option(option);
	puts(".El");
}

static void print_variables(void)
{
	puts(".Bl -tag -width Ds");
	for (const struct variable *const *table = command.variables;; table++) {
		const struct variable *variable = table && *table ? *table : common_variables;

		for (; variable->name; variable++) {
			printf(".It Ev %s\n", variable->name);
			print_sentence(variable->help);
		}
		if (!table || !*table)
			break;
	}
	puts(".El");
}

static void print_statuses(void)
{
	int status;
	const char *text;

	puts(".Bl -tag -width Ds\n.It 0\nDone.");
	for (size_t i = 0; (text = err_kind_text(i, &status)); i++) {
		printf(".It %d\n", status);
		print_sentence(text);
	}
	puts(".El");
	puts("A command ended by a signal, after it has undone what was half done, ends by that "
	     "signal.");
}

static void print_agent_variables(void)
{
	for (size_t i = 0; protection_agent_variables[i]; i++)
		printf(".Ev %s%s\n", protection_agent_variables[i],
			protection_agent_variables[i + 1] ? " ," : "");
}

static void print_man(void)
{
	char line[4096];

	while (fgets(line, sizeof(line), stdin)) {
		if (strcmp(line, "@OPTIONS@\n") == 0)
			print_options();
		else if (strcmp(line, "@ENVIRONMENT@\n") == 0)
			print_variables();
		else if (strcmp(line, "@EXIT_STATUS@\n") == 0)
			print_statuses();
		else if (strcmp(line, "@AGENT_VARIABLES@\n") == 0)
			print_agent_variables();
		else
			fputs(line, stdout);
	}
}

static void print_completion(void)
{
	CLEANUP(mem_cleanup) char *function = mem_strdup(command.name);

	for (char *c = function; *c; c++)
		if (*c == '-')
			*c = '_';
	printf("_%s()\n{\n\tlocal words='local prod test", function);
	for (const struct option *const *table = command.options; table && *table; table++)
		for (const struct option *option = *table; option->name; option++)
			printf(" --%s", option->name);
	for (const struct option *option = common_options; option->name; option++)
		printf(" --%s", option->name);
	printf("'\n\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- "
	       "\"${COMP_WORDS[COMP_CWORD]}\")\n}\n");
	printf("complete -o default -F _%s %s\n", function, command.name);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--man") == 0)
		print_man();
	else if (argc == 2 && strcmp(argv[1], "--completion") == 0)
		print_completion();
	else
		return 64;
	return fflush(stdout) == 0 ? 0 : 1;
}
