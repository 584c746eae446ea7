#include "sql/script_internal.h"

#include "base/file.h"
#include "base/mem.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* --- arguments ------------------------------------------------------------------------------- */

int script_argument(struct script *script, enum slash_mode mode, bool strip_semicolons,
	struct slash_argument *argument, struct err *err)
{
	return slash_next(script_reader_arguments(script_top(script)->reader), mode,
		strip_semicolons, &script->lookup, argument, err);
}

int script_word(struct script *script, enum slash_mode mode, bool strip_semicolons, char **ret_text,
	struct err *err)
{
	CLEANUP(slash_argument_release) struct slash_argument argument = SLASH_ARGUMENT_INIT;
	int found = script_argument(script, mode, strip_semicolons, &argument, err);

	*ret_text = found > 0 ? strbuf_detach(&argument.text) : NULL;
	return found < 0 ? -1 : 0;
}

/* The same; that there is none is an error. */
static int required(struct script *script, const char *name, bool strip_semicolons, char **ret_text,
	struct err *err)
{
	if (script_word(script, SLASH_NORMAL, strip_semicolons, ret_text, err) != 0)
		return -1;
	if (*ret_text && **ret_text)
		return 0;
	err_set(err, ERR_SQL, "\\%s needs an argument", name);
	return -1;
}

int script_print(struct script *script, enum script_action_kind kind, struct script_action *action)
{
	action->kind = kind;
	action->text = script->text.data;
	action->text_length = script->text.length;
	return 1;
}

/* --- what is printed ------------------------------------------------------------------------- */

static int meta_echo(
	struct script *script, const char *name, struct script_action *action, struct err *err)
{
	CLEANUP(slash_argument_release) struct slash_argument argument = SLASH_ARGUMENT_INIT;
	bool newline = true, first = true;
	int more;

	strbuf_reset(&script->text);
	while ((more = script_argument(script, SLASH_NORMAL, false, &argument, err)) > 0) {
		if (first && newline && !argument.quote && strcmp(argument.text.data, "-n") == 0) {
			newline = false;
			continue;
		}
		if (!first)
			strbuf_addc(&script->text, ' ');
		first = false;
		strbuf_add(&script->text, argument.text.data, argument.text.length);
	}
	if (more < 0)
		return -1;
	if (newline)
		strbuf_addc(&script->text, '\n');
	return script_print(script, strcmp(name, "warn") == 0 ? SCRIPT_WARN : SCRIPT_PRINT, action);
}

static int meta_print(
	struct script *script, const char *name, struct script_action *action, struct err *err)
{
	const char *text;
	size_t length;

	(void)name;
	(void)err;
	script_reader_query(script_top(script)->reader, &text, &length);
	strbuf_reset(&script->text);
	if (length == 0)
		return 0;
	strbuf_add(&script->text, text, length);
	strbuf_addc(&script->text, '\n');
	return script_print(script, SCRIPT_PRINT, action);
}

/* --- variables ------------------------------------------------------------------------------- */

static int list_variables(struct script *script, struct script_action *action)
{
	const char *name, *value;

	strbuf_reset(&script->text);
	for (size_t i = 0; (name = variables_at(&script->variables, i, &value)); i++)
		strbuf_addf(&script->text, "%s = '%s'\n", name, value);
	return script_print(script, SCRIPT_PRINT, action);
}

static int meta_set(
	struct script *script, const char *name, struct script_action *action, struct err *err)
{
	CLEANUP(slash_argument_release) struct slash_argument argument = SLASH_ARGUMENT_INIT;
	CLEANUP(mem_cleanup) char *variable = NULL;
	CLEANUP(strbuf_release) struct strbuf value = STRBUF_INIT;
	int more;

	(void)name;
	if (script_word(script, SLASH_NORMAL, false, &variable, err) != 0)
		return -1;
	if (!variable)
		return list_variables(script, action);
	while ((more = script_argument(script, SLASH_NORMAL, false, &argument, err)) > 0) {
		if (!strbuf_grow(&value, argument.text.length))
			return err_set(err, ERR_SQL,
				"value of variable \"%s\" is larger than %zu MiB", variable,
				value.ceiling >> 20);
		strbuf_add(&value, argument.text.data, argument.text.length);
	}
	if (more < 0)
		return -1;
	return script_set(script, variable, value.data, err);
}

static int meta_unset(
	struct script *script, const char *name, struct script_action *action, struct err *err)
{
	CLEANUP(mem_cleanup) char *variable = NULL;

	(void)action;
	if (required(script, name, false, &variable, err) != 0)
		return -1;
	return script_set(script, variable, NULL, err);
}

static int meta_getenv(
	struct script *script, const char *name, struct script_action *action, struct err *err)
{
	CLEANUP(mem_cleanup) char *variable = NULL;
	CLEANUP(mem_cleanup) char *wanted = NULL;
	const char *value;

	(void)action;
	script_obstacle(script, "\\getenv");
	if (required(script, name, false, &variable, err) != 0 ||
		required(script, name, false, &wanted, err) != 0)
		return -1;
	value = getenv(wanted);
	return value ? script_set(script, variable, value, err) : 0;
}

static int ask(const char *question, struct strbuf *answer, struct err *err)
{
	CLEANUP(file_cleanup) FILE *terminal = fopen("/dev/tty", "r+e");
	int c;

	if (!terminal) {
		err_set(err, ERR_SQL, "\\prompt needs a terminal");
		err_hint(err, "Give the variable with --set NAME=VALUE and guard the \\prompt with "
			      "\\if :{?NAME}.");
		return -1;
	}
	setvbuf(terminal, NULL, _IONBF, 0);
	if (question)
		fputs(question, terminal);
	while ((c = getc(terminal)) != EOF && c != '\n')
		if (strbuf_grow(answer, 1))
			strbuf_addc(answer, (char)c);
	return 0;
}

static int meta_prompt(
	struct script *script, const char *name, struct script_action *action, struct err *err)
{
	CLEANUP(mem_cleanup) char *first = NULL;
	CLEANUP(mem_cleanup) char *second = NULL;
	CLEANUP(strbuf_release) struct strbuf answer = STRBUF_INIT;
	const char *variable;

	(void)action;
	script_obstacle(script, "\\prompt");
	if (required(script, name, false, &first, err) != 0 ||
		script_word(script, SLASH_NORMAL, false, &second, err) != 0)
		return -1;
	variable = second ? second : first;
	if (script->options.dry) {
		script->unknown = true;
		if (access("/dev/tty", R_OK | W_OK) != 0 && script->uncertain == 0)
			return ask(NULL, &answer, err);
		return script_set(script, variable, "", err);
	}
	if (ask(second ? first : NULL, &answer, err) != 0)
		return -1;
	return script_set(script, variable, answer.data, err);
}

/* --- files ----------------------------------------------------------------------------------- */

/* file as seen from beside the other one. */
static char *beside(const char *other, const char *file)
{
	const char *slash = strrchr(other, '/');

	if (!slash || *file == '/')
		return mem_strdup(file);
	return mem_printf("%.*s%s", (int)(slash - other) + 1, other, file);
}

static int meta_include(
	struct script *script, const char *name, struct script_action *action, struct err *err)
{
	const struct frame *frame = script_top(script);
	const size_t lookups = script->lookups;
	CLEANUP(mem_cleanup) char *file = NULL;

	(void)action;
	if (required(script, name, true, &file, err) != 0)
		return -1;
	if (script->unknown && script->lookups != lookups)
		script_obstacle(script, "include whose name a query may decide on");
	file = path_expand_home(file);
	if (strcmp(name, "ir") == 0 || strcmp(name, "include_relative") == 0) {
		script->include_path = beside(frame->path, file);
		script->include_name = beside(script_reader_name(frame->reader), file);
	} else {
		script->include_name = mem_strdup(strcmp(file, "-") == 0 ? "<stdin>" : file);
		script->include_path = take_ptr(file);
	}
	return 0;
}

static int meta_copy(
	struct script *script, const char *name, struct script_action *action, struct err *err)
{
	CLEANUP(slash_argument_release) struct slash_argument argument = SLASH_ARGUMENT_INIT;
	int found = script_argument(script, SLASH_WHOLE_LINE, false, &argument, err);

	(void)name;
	if (found < 0)
		return -1;
	return script_copy_parse(script, found ? argument.text.data : "", action, err);
}

/* --- the query buffer ------------------------------------------------------------------------ */

static int send(struct script *script, enum script_action_kind kind, struct script_action *action)
{
	if (!script_reader_send(script_top(script)->reader, &action->statement))
		return 0;
	action->kind = kind;
	return 1;
}

/* (format=… …): how the result would be printed. */
static int pass_options(struct script *script, const char *name, char *first, struct err *err)
{
	CLEANUP(mem_cleanup) char *word = first;

	while (!*word || word[strlen(word) - 1] != ')') {
		mem_free(take_ptr(word));
		if (script_word(script, SLASH_NORMAL, false, &word, err) != 0)
			return -1;
		if (!word)
			return err_set(err, ERR_SQL, "\\%s: missing right parenthesis", name);
	}
	return 0;
}

static int meta_g(
	struct script *script, const char *name, struct script_action *action, struct err *err)
{
	CLEANUP(mem_cleanup) char *file = NULL;

	if (script_word(script, SLASH_FILE, false, &file, err) != 0)
		return -1;
	if (file && *file == '(') {
		if (pass_options(script, name, take_ptr(file), err) != 0 ||
			script_word(script, SLASH_FILE, false, &file, err) != 0)
			return -1;
	}
	if (file)
		return err_set(err, ERR_SQL, "\\%s to a %s is not supported", name,
			*file == '|' ? "program" : "file");
	return send(script, SCRIPT_STATEMENT, action);
}

static int meta_gset(
	struct script *script, const char *name, struct script_action *action, struct err *err)
{
	(void)name;
	mem_free(take_ptr(script->words[4]));
	if (script_word(script, SLASH_NORMAL, false, &script->words[4], err) != 0)
		return -1;
	action->text = script->words[4] ? script->words[4] : "";
	action->text_length = strlen(action->text);
	return send(script, SCRIPT_GSET, action);
}

static int meta_gexec(
	struct script *script, const char *name, struct script_action *action, struct err *err)
{
	(void)name;
	(void)err;
	return send(script, SCRIPT_GEXEC, action);
}

static int meta_reset(
	struct script *script, const char *name, struct script_action *action, struct err *err)
{
	(void)name;
	(void)action;
	(void)err;
	script->discard = true;
	return 0;
}

static int meta_quit(
	struct script *script, const char *name, struct script_action *action, struct err *err)
{
	struct frame *frame = script_top(script);

	(void)name;
	(void)action;
	(void)err;
	/* In a branch that may not be taken the script may go on. */
	if (script->uncertain == 0)
		frame->quit = true;
	return 0;
}

/* --- restricted mode ------------------------------------------------------------------------- */

static int meta_restrict(
	struct script *script, const char *name, struct script_action *action, struct err *err)
{
	CLEANUP(mem_cleanup) char *key = NULL;

	(void)action;
	if (required(script, name, true, &key, err) != 0)
		return -1;
	script->restrict_key = take_ptr(key);
	return 0;
}

static int meta_unrestrict(
	struct script *script, const char *name, struct script_action *action, struct err *err)
{
	CLEANUP(mem_cleanup) char *key = NULL;

	(void)action;
	if (required(script, name, true, &key, err) != 0)
		return -1;
	if (!script->restrict_key)
		return err_set(err, ERR_SQL, "\\%s: not in restricted mode", name);
	if (strcmp(key, script->restrict_key) != 0)
		return err_set(err, ERR_SQL, "\\%s: wrong key", name);
	mem_free(take_ptr(script->restrict_key));
	return 0;
}

/* --- all of them ----------------------------------------------------------------------------- */

/* How what is printed would look: there is nothing to print. */
static int meta_ignore(
	struct script *script, const char *name, struct script_action *action, struct err *err)
{
	CLEANUP(slash_argument_release) struct slash_argument argument = SLASH_ARGUMENT_INIT;
	int more;

	(void)name;
	(void)action;
	do
		more = script_argument(script, SLASH_NORMAL, false, &argument, err);
	while (more > 0);
	return more;
}

/* A quote that is not closed is held against nobody where nothing is carried out, as in psql. */
static void pass_over(struct script *script, enum slash_mode mode)
{
	CLEANUP(slash_argument_release) struct slash_argument argument = SLASH_ARGUMENT_INIT;
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	struct slash_line *line = script_reader_arguments(script_top(script)->reader);

	while (slash_next(line, mode, false, NULL, &argument, &ignored) > 0)
		continue;
}

/* What only shows something, of the database or of psql: said, and passed over. */
static int show(struct script *script, const char *name, enum slash_mode mode)
{
	if (!script->warning)
		script->warning = mem_printf("%s:%zu: \\%s shows nothing here\n",
			script_file(script), script_line(script), name);
	pass_over(script, mode);
	return 0;
}

static int meta_show(
	struct script *script, const char *name, struct script_action *action, struct err *err)
{
	(void)action;
	(void)err;
	return show(script, name, SLASH_NORMAL);
}

static int meta_show_line(
	struct script *script, const char *name, struct script_action *action, struct err *err)
{
	(void)action;
	(void)err;
	return show(script, name, SLASH_WHOLE_LINE);
}

static int meta_refuse(
	struct script *script, const char *name, struct script_action *action, struct err *err)
{
	(void)script;
	(void)action;
	return err_set(err, ERR_SQL, "psql meta-command \\%s is not supported", name);
}

static int meta_branch(
	struct script *script, const char *name, struct script_action *action, struct err *err)
{
	(void)action;
	return script_branch(script, name, err);
}

struct meta {
	const char *name;
	meta_fn *run;
	enum slash_mode mode; /* of its arguments, for passing over them */
};

static const struct meta metas[] = {
	{ "if", meta_branch, SLASH_NORMAL },
	{ "elif", meta_branch, SLASH_NORMAL },
	{ "else", meta_branch, SLASH_NORMAL },
	{ "endif", meta_branch, SLASH_NORMAL },
	{ "restrict", meta_restrict, SLASH_NORMAL },
	{ "unrestrict", meta_unrestrict, SLASH_NORMAL },
	{ "c", script_connect, SLASH_NORMAL },
	{ "connect", script_connect, SLASH_NORMAL },
	{ "copy", meta_copy, SLASH_WHOLE_LINE },
	{ "echo", meta_echo, SLASH_NORMAL },
	{ "qecho", meta_echo, SLASH_NORMAL },
	{ "warn", meta_echo, SLASH_NORMAL },
	{ "encoding", script_encoding, SLASH_NORMAL },
	{ "g", meta_g, SLASH_FILE },
	{ "gx", meta_g, SLASH_FILE },
	{ "gexec", meta_gexec, SLASH_NORMAL },
	{ "gset", meta_gset, SLASH_NORMAL },
	{ "getenv", meta_getenv, SLASH_NORMAL },
	{ "i", meta_include, SLASH_NORMAL },
	{ "include", meta_include, SLASH_NORMAL },
	{ "ir", meta_include, SLASH_NORMAL },
	{ "include_relative", meta_include, SLASH_NORMAL },
	{ "p", meta_print, SLASH_NORMAL },
	{ "print", meta_print, SLASH_NORMAL },
	{ "prompt", meta_prompt, SLASH_NORMAL },
	{ "q", meta_quit, SLASH_NORMAL },
	{ "quit", meta_quit, SLASH_NORMAL },
	{ "r", meta_reset, SLASH_NORMAL },
	{ "reset", meta_reset, SLASH_NORMAL },
	{ "set", meta_set, SLASH_NORMAL },
	{ "unset", meta_unset, SLASH_NORMAL },
	{ "a", meta_ignore, SLASH_NORMAL },
	{ "C", meta_ignore, SLASH_NORMAL },
	{ "f", meta_ignore, SLASH_NORMAL },
	{ "H", meta_ignore, SLASH_NORMAL },
	{ "html", meta_ignore, SLASH_NORMAL },
	{ "pset", meta_ignore, SLASH_NORMAL },
	{ "t", meta_ignore, SLASH_NORMAL },
	{ "T", meta_ignore, SLASH_NORMAL },
	{ "timing", meta_ignore, SLASH_NORMAL },
	{ "x", meta_ignore, SLASH_NORMAL },
	{ "!", meta_refuse, SLASH_WHOLE_LINE },
	{ "?", meta_show, SLASH_NORMAL },
	{ "cd", meta_refuse, SLASH_NORMAL },
	{ "conninfo", meta_show, SLASH_NORMAL },
	{ "copyright", meta_show, SLASH_NORMAL },
	{ "crosstabview", meta_refuse, SLASH_NORMAL },
	{ "e", meta_refuse, SLASH_NORMAL },
	{ "edit", meta_refuse, SLASH_NORMAL },
	{ "ef", meta_refuse, SLASH_WHOLE_LINE },
	{ "errverbose", meta_show, SLASH_NORMAL },
	{ "ev", meta_refuse, SLASH_WHOLE_LINE },
	{ "gdesc", meta_refuse, SLASH_NORMAL },
	{ "h", meta_show_line, SLASH_WHOLE_LINE },
	{ "help", meta_show_line, SLASH_WHOLE_LINE },
	{ "l", meta_show, SLASH_NORMAL },
	{ "l+", meta_show, SLASH_NORMAL },
	{ "list", meta_show, SLASH_NORMAL },
	{ "list+", meta_show, SLASH_NORMAL },
	{ "o", meta_refuse, SLASH_FILE },
	{ "out", meta_refuse, SLASH_FILE },
	{ "password", meta_refuse, SLASH_NORMAL },
	{ "s", meta_refuse, SLASH_NORMAL },
	{ "setenv", meta_refuse, SLASH_NORMAL },
	{ "sf", meta_show_line, SLASH_WHOLE_LINE },
	{ "sf+", meta_show_line, SLASH_WHOLE_LINE },
	{ "sv", meta_show_line, SLASH_WHOLE_LINE },
	{ "sv+", meta_show_line, SLASH_WHOLE_LINE },
	{ "w", meta_refuse, SLASH_FILE },
	{ "write", meta_refuse, SLASH_FILE },
	{ "watch", meta_refuse, SLASH_NORMAL },
	{ "z", meta_show, SLASH_NORMAL },
};

/* Whole families: \d and what follows it, \lo_… */
static const struct meta describe = { "d", meta_show, SLASH_NORMAL };
static const struct meta large_objects = { "lo_", meta_refuse, SLASH_NORMAL };

static const struct meta *find(const char *name)
{
	/* The one command that psql takes in any case. */
	if (strcasecmp(name, "copy") == 0)
		name = "copy";
	for (size_t i = 0; i < ARRAY_SIZE(metas); i++)
		if (strcmp(metas[i].name, name) == 0)
			return &metas[i];
	if (name[0] == 'd')
		return &describe;
	return strncmp(name, "lo_", 3) == 0 ? &large_objects : NULL;
}

int script_meta(
	struct script *script, const char *name, struct script_action *action, struct err *err)
{
	const struct meta *meta;

	if (script->restrict_key && strcmp(name, "unrestrict") != 0)
		return err_set(err, ERR_SQL,
			"\\%s in restricted mode, where only \\unrestrict is allowed", name);
	if (!*name)
		return err_set(err, ERR_SQL, "stray backslash");
	if (strcmp(name, ".") == 0)
		return err_set(err, ERR_SQL, "end-of-copy mark \"\\.\" outside COPY data");
	meta = find(name);
	if (!meta)
		return err_set(err, ERR_SQL, "unknown meta-command \\%s", name);
	if (meta->run != meta_branch && !script_is_active(script)) {
		pass_over(script, meta->mode);
		return 0;
	}
	return meta->run(script, name, action, err);
}
