#include "sql/script_internal.h"

#include "base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum special_kind {
	SPECIAL_BOOL,
	SPECIAL_NUMBER,
	SPECIAL_WORD, /* one of words, or also a boolean where words ends with a blank */
	SPECIAL_TEXT,
};

/*
 * The variables that psql treats specially (SetVariableHooks in its startup.c): what they may be,
 * and what they are to begin with and once unset. Most concern what is printed, which is nothing
 * here: they can be set, to no effect.
 */
struct special {
	const char *name;
	enum special_kind kind;
	const char *initial; /* NULL: none */
	const char *words;   /* of SPECIAL_WORD, each followed by a blank; bool stands for any */
	bool only_off;       /* switched on it would change how scripts are run: not supported */
};

static const struct special specials[] = {
	{ "AUTOCOMMIT", SPECIAL_BOOL, "on", NULL, false },
	{ "COMP_KEYWORD_CASE", SPECIAL_WORD, "preserve-upper",
		"lower upper preserve-lower preserve-upper ", false },
	{ "ECHO", SPECIAL_WORD, "none", "none errors queries all ", false },
	{ "ECHO_HIDDEN", SPECIAL_WORD, "off", "noexec bool ", false },
	{ "FETCH_COUNT", SPECIAL_NUMBER, "0", NULL, false },
	{ "HIDE_TABLEAM", SPECIAL_BOOL, "off", NULL, false },
	{ "HIDE_TOAST_COMPRESSION", SPECIAL_BOOL, "off", NULL, false },
	{ "HISTCONTROL", SPECIAL_WORD, "none", "ignorespace ignoredups ignoreboth none ", false },
	{ "HISTFILE", SPECIAL_TEXT, NULL, NULL, false },
	{ "HISTSIZE", SPECIAL_NUMBER, "500", NULL, false },
	{ "IGNOREEOF", SPECIAL_NUMBER, "0", NULL, false },
	{ "ON_ERROR_ROLLBACK", SPECIAL_WORD, "off", "interactive bool ", true },
	{ "ON_ERROR_STOP", SPECIAL_BOOL, "on", NULL, false },
	{ "PROMPT1", SPECIAL_TEXT, "%/%R%x%# ", NULL, false },
	{ "PROMPT2", SPECIAL_TEXT, "%/%R%x%# ", NULL, false },
	{ "PROMPT3", SPECIAL_TEXT, ">> ", NULL, false },
	{ "QUIET", SPECIAL_BOOL, "on", NULL, false },
	{ "SHOW_ALL_RESULTS", SPECIAL_BOOL, "on", NULL, false },
	{ "SHOW_CONTEXT", SPECIAL_WORD, "errors", "never errors always ", false },
	{ "SINGLELINE", SPECIAL_BOOL, "off", NULL, true },
	{ "SINGLESTEP", SPECIAL_BOOL, "off", NULL, true },
	{ "VERBOSITY", SPECIAL_WORD, "default", "default verbose terse sqlstate ", false },
};

static const struct special *find_special(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(specials); i++)
		if (strcmp(specials[i].name, name) == 0)
			return &specials[i];
	return NULL;
}

static bool is_on(const struct script *script, const char *name)
{
	const char *value = variables_get(&script->variables, name);
	bool on = false;

	return value && variables_parse_bool(value, &on) && on;
}

/* They are asked for at every statement. */
static void remember_modes(struct script *script)
{
	script->autocommits = is_on(script, "AUTOCOMMIT");
	script->stops_on_error = is_on(script, "ON_ERROR_STOP");
}

void script_variables_init(struct script *script)
{
	const struct variables *given = script->options.variables;
	const char *name, *value;

	for (size_t i = 0; i < ARRAY_SIZE(specials); i++)
		if (specials[i].initial)
			variables_set(&script->variables, specials[i].name, specials[i].initial);
	if (script->options.keep_going)
		variables_set(&script->variables, "ON_ERROR_STOP", "off");
	/* Of the psql whose ways these are: scripts ask what it can do. */
	variables_set(&script->variables, "VERSION", "PostgreSQL 15.18");
	variables_set(&script->variables, "VERSION_NAME", "15.18");
	variables_set(&script->variables, "VERSION_NUM", "150018");
	variables_set(&script->variables, "LAST_ERROR_MESSAGE", "");
	variables_set(&script->variables, "LAST_ERROR_SQLSTATE", "00000");
	for (size_t i = 0; given && (name = variables_at(given, i, &value)); i++) {
		CLEANUP(err_release) struct err ignored = ERR_INIT;

		script_set(script, name, value, &ignored);
	}
	remember_modes(script);
}

static bool is_number(const char *text)
{
	char *end;

	errno = 0;
	strtol(text, &end, 0);
	return errno == 0 && end != text && *end == '\0';
}

/* The words as psql's messages list them. */
static bool is_word(const struct special *special, const char *value)
{
	size_t length = strlen(value), size;
	bool ignored;

	for (const char *word = special->words; *word; word += size + 1) {
		size = strcspn(word, " ");
		if (size == 4 && strncmp(word, "bool", size) == 0) {
			if (variables_parse_bool(value, &ignored))
				return true;
		} else if (size == length && strncasecmp(word, value, size) == 0) {
			return true;
		}
	}
	return false;
}

static int check_special(const struct special *special, const char *value, struct err *err)
{
	bool on = false, right = true;

	switch (special->kind) {
	case SPECIAL_BOOL:
		right = variables_parse_bool(value, &on);
		break;
	case SPECIAL_NUMBER:
		right = is_number(value);
		break;
	case SPECIAL_WORD:
		right = is_word(special, value);
		if (right && special->only_off)
			variables_parse_bool(value, &on);
		break;
	case SPECIAL_TEXT:
		break;
	}
	if (!right)
		return err_set(
			err, ERR_SQL, "\"%s\" is no value for variable %s", value, special->name);
	if (on && special->only_off)
		return err_set(
			err, ERR_SQL, "variable %s switched on is not supported", special->name);
	return 0;
}

int script_set(struct script *script, const char *name, const char *value, struct err *err)
{
	const struct special *special = find_special(name);

	if (!variables_valid_name(name))
		return err_set(err, ERR_SQL, "\"%s\" is no name for a variable", name);
	if (special && special->kind == SPECIAL_BOOL && value && !*value)
		value = "on";
	else if (special && !value)
		value = special->kind == SPECIAL_BOOL ? "off" : special->initial;
	if (!value) {
		variables_unset(&script->variables, name);
		return 0;
	}
	if (special && check_special(special, value, err) != 0)
		return -1;
	variables_set(&script->variables, name, value);
	if (special)
		remember_modes(script);
	return 0;
}

void script_set_variable(struct script *script, const char *name, const char *value)
{
	if (value)
		variables_set(&script->variables, name, value);
	else
		variables_unset(&script->variables, name);
}

int script_gset(struct script *script, const char *name, const char *value, struct err *err)
{
	if (find_special(name))
		return 1;
	return script_set(script, name, value, err);
}

bool script_stops_on_error(const struct script *script)
{
	return script->stops_on_error;
}

bool script_autocommits(const struct script *script)
{
	return script->autocommits;
}

/* --- looking up ------------------------------------------------------------------------------ */

static bool is_status(const char *name)
{
	static const char *const names[] = { "ERROR", "SQLSTATE", "ROW_COUNT", "LAST_ERROR_MESSAGE",
		"LAST_ERROR_SQLSTATE" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* What only a connection knows. */
static bool is_of_connection(const char *name)
{
	static const char *const names[] = { "DBNAME", "USER", "HOST", "PORT", "ENCODING",
		"SERVER_VERSION_NAME", "SERVER_VERSION_NUM" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static int refresh_status(struct script *script, struct err *err)
{
	struct script_status status = { .last_message = "" };
	char rows[32];

	if (script->host.status(script->host.context, &status, err) != 0)
		return -1;
	if (!status.known)
		return 0;
	snprintf(rows, sizeof(rows), "%" PRIu64, status.rows);
	script_set_variable(script, "ERROR", status.failed ? "true" : "false");
	script_set_variable(script, "SQLSTATE", status.sqlstate);
	script_set_variable(script, "ROW_COUNT", rows);
	script_set_variable(script, "LAST_ERROR_SQLSTATE", status.last_sqlstate);
	script_set_variable(script, "LAST_ERROR_MESSAGE", status.last_message);
	return 0;
}

/* Where it is loaded is not the same for a copy, or for another name of the server. */
static void note_variable(struct script *script, const char *name)
{
	CLEANUP(mem_cleanup) char *what = NULL;

	script->lookups++;
	if (!script->options.inputs || !is_of_connection(name) || script->count == 0)
		return;
	what = mem_printf(":%s", name);
	script_inputs_varies(
		script->options.inputs, script_file(script), script_line(script), what);
}

/* Without a connection: right enough to find where the statement ends. */
static char *quote(const char *text, bool identifier)
{
	const char mark = identifier ? '"' : '\'';
	struct strbuf out = STRBUF_INIT_UNBOUNDED;

	if (!identifier && strchr(text, '\\'))
		strbuf_adds(&out, " E");
	strbuf_addc(&out, mark);
	for (; *text; text++) {
		if (*text == mark || (*text == '\\' && !identifier))
			strbuf_addc(&out, *text);
		strbuf_addc(&out, *text);
	}
	strbuf_addc(&out, mark);
	return strbuf_detach(&out);
}

int script_lookup(
	void *context, const char *name, enum variable_form form, char **ret_text, struct err *err)
{
	struct script *script = context;
	const char *value;

	*ret_text = NULL;
	note_variable(script, name);
	if (is_status(name)) {
		if (script->options.dry || !script->host.status)
			script->unknown = true;
		else if (refresh_status(script, err) != 0)
			return -1;
	} else if (script->options.dry && is_of_connection(name)) {
		script->unknown = true;
	}
	value = variables_get(&script->variables, name);
	if (!value)
		return 0;
	if (form == VARIABLE_PLAIN)
		*ret_text = mem_strdup(value);
	else if (script->host.quote)
		return script->host.quote(
			script->host.context, value, form == VARIABLE_IDENTIFIER, ret_text, err);
	else
		*ret_text = quote(value, form == VARIABLE_IDENTIFIER);
	return 0;
}
