/* Meta-commands about the connection. */
#include "sql/script_internal.h"

#include "base/mem.h"

#include <string.h>

/* Its arguments may be anybody's password: only the name is shown. */
static void place(struct script *script, const char *name, struct script_action *action)
{
	struct script_statement *statement = &action->statement;

	strbuf_reset(&script->command);
	strbuf_addf(&script->command, "\\%s", name);
	statement->text = script->command.data;
	statement->length = script->command.length;
	script_reader_command_origin(script_top(script)->reader, &statement->origin);
}

/* "-" and nothing mean: as it is. */
static int connect_word(struct script *script, size_t index, struct err *err)
{
	CLEANUP(slash_argument_release) struct slash_argument argument = SLASH_ARGUMENT_INIT;
	int found = script_argument(script, SLASH_NAME_CASED, true, &argument, err);

	mem_free(take_ptr(script->words[index]));
	if (found < 0)
		return -1;
	if (found &&
		(argument.quote || (strcmp(argument.text.data, "-") != 0 && *argument.text.data)))
		script->words[index] = strbuf_detach(&argument.text);
	return 0;
}

static bool is_conninfo(const char *word)
{
	return strchr(word, '=') || strncmp(word, "postgresql://", 13) == 0 ||
	       strncmp(word, "postgres://", 11) == 0;
}

int script_connect(
	struct script *script, const char *name, struct script_action *action, struct err *err)
{
	static const char prefix[] = "-reuse-previous=";
	char **words = script->words;

	action->connect.reuse = true;
	if (script->options.dry) {
		script_set_standard_strings(script, true);
		script_set_encoding(script, "");
	}
	if (connect_word(script, 0, err) != 0)
		return -1;
	if (words[0] && strncmp(words[0], prefix, strlen(prefix)) == 0) {
		if (!variables_parse_bool(words[0] + strlen(prefix), &action->connect.reuse))
			return err_set(
				err, ERR_SQL, "\\%s: %s is neither on nor off", name, prefix);
		if (connect_word(script, 0, err) != 0)
			return -1;
	}
	for (size_t i = 1; i < 4; i++)
		if (connect_word(script, i, err) != 0)
			return -1;
	action->kind = SCRIPT_CONNECT;
	place(script, name, action);
	if (words[0] && is_conninfo(words[0])) {
		if (words[1] || words[2] || words[3])
			return err_set(err, ERR_SQL,
				"\\%s: a connection string leaves no room for user, host and port",
				name);
		action->connect.conninfo = words[0];
		return 1;
	}
	action->connect.database = words[0];
	action->connect.user = words[1];
	action->connect.host = words[2];
	action->connect.port = words[3];
	return 1;
}

int script_encoding(
	struct script *script, const char *name, struct script_action *action, struct err *err)
{
	mem_free(take_ptr(script->words[4]));
	if (script_word(script, SLASH_NORMAL, false, &script->words[4], err) != 0)
		return -1;
	if (!script->words[4]) {
		const char *encoding = variables_get(&script->variables, "ENCODING");

		strbuf_reset(&script->text);
		strbuf_addf(&script->text, "%s\n", encoding ? encoding : "");
		return script_print(script, SCRIPT_PRINT, action);
	}
	if (script->options.dry)
		script_set_encoding(script, script->words[4]);
	action->kind = SCRIPT_ENCODING;
	action->text = script->words[4];
	action->text_length = strlen(script->words[4]);
	place(script, name, action);
	return 1;
}
