#include "sql/destructive.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "sql/tokens.h"

#include <string.h>

/* First letters of what is looked at. */
#define LETTERS "acdemptuw"

/* The server cuts longer names. */
#define NAME_MOST 63

static void data(struct destructive *found, const char *name)
{
	found->kind = DESTRUCTIVE_DATA;
	found->name = name;
}

/* --- DELETE, UPDATE and MERGE ---------------------------------------------------------------- */

/* What is known of the statement in one pair of parentheses. */
enum {
	VERB_DELETE = 1,
	VERB_UPDATE = 2,
	HAS_WHERE = 4,
	IN_LIST = 8, /* of WITH: its verb is still to come */
	VERB_MERGE = 16,
	HAS_DELETE = 32, /* THEN DELETE */
};

/* What the token before means for the present one. */
enum before {
	BEFORE_OTHER,
	BEFORE_STATEMENT, /* a statement begins here */
	BEFORE_QUERY,     /* AS [MATERIALIZED]: behind a parenthesis one does */
	BEFORE_NAME,      /* here stands a name, whatever it looks like */
	BEFORE_ITEM,      /* WITH, comma: in the list of WITH the same */
	BEFORE_ACTION,    /* THEN */
};

static enum before take_before(const struct tokens *tokens, enum before before)
{
	if (tokens_symbol(tokens, '('))
		return before == BEFORE_STATEMENT || before == BEFORE_QUERY ? BEFORE_STATEMENT
									    : BEFORE_OTHER;
	if (tokens_word(tokens, "as") || tokens_word(tokens, "materialized"))
		return BEFORE_QUERY;
	if (tokens_symbol(tokens, '.'))
		return BEFORE_NAME;
	if (tokens_symbol(tokens, ',') || tokens_word(tokens, "with") ||
		tokens_word(tokens, "recursive"))
		return BEFORE_ITEM;
	return tokens_word(tokens, "then") ? BEFORE_ACTION : BEFORE_OTHER;
}

/* The word that says what a WITH is for. */
static bool is_verb(const struct tokens *tokens)
{
	static const char *const verbs[] = { "select", "insert", "update", "delete", "merge",
		"values", "table" };

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (tokens_word(tokens, verbs[i]))
			return true;
	return false;
}

static void note_word(const struct tokens *tokens, enum before before, char *state)
{
	if (before == BEFORE_STATEMENT && tokens_word(tokens, "with")) {
		*state = IN_LIST;
	} else if (before == BEFORE_STATEMENT ||
		   ((*state & IN_LIST) && before == BEFORE_OTHER && is_verb(tokens))) {
		*state = (char)(tokens_word(tokens, "delete")   ? VERB_DELETE
				: tokens_word(tokens, "update") ? VERB_UPDATE
				: tokens_word(tokens, "merge")  ? VERB_MERGE
								: 0);
	} else if (before == BEFORE_ACTION) {
		if ((*state & VERB_MERGE) && tokens_word(tokens, "delete"))
			*state |= HAS_DELETE;
	} else if (before != BEFORE_NAME && before != BEFORE_QUERY &&
		   tokens_word(tokens, "where")) {
		*state |= HAS_WHERE;
	}
}

static const char *verdict(char state)
{
	if (state & HAS_DELETE)
		return "MERGE ... THEN DELETE";
	if (state & HAS_WHERE)
		return NULL;
	if (state & VERB_DELETE)
		return "DELETE without WHERE";
	return state & VERB_UPDATE ? "UPDATE without WHERE" : NULL;
}

/* From the current token, where a statement begins, to its end. */
static void without_where(struct tokens *tokens, struct destructive *found)
{
	CLEANUP(strbuf_release) struct strbuf states = STRBUF_INIT_UNBOUNDED;
	enum before before = BEFORE_STATEMENT;
	const char *name = NULL;

	strbuf_addc(&states, 0);
	for (; !name && tokens->kind != TOKEN_END; tokens_next(tokens)) {
		if (tokens_symbol(tokens, '(')) {
			strbuf_addc(&states, 0);
		} else if (tokens_symbol(tokens, ')') && states.length > 1) {
			name = verdict(states.data[states.length - 1]);
			strbuf_truncate(&states, states.length - 1);
		} else if (tokens_symbol(tokens, ';') && states.length == 1) {
			break;
		} else if (tokens->kind == TOKEN_WORD) {
			note_word(tokens, before, &states.data[states.length - 1]);
		}
		before = take_before(tokens, before);
	}
	for (size_t i = states.length; !name && i > 0; i--)
		name = verdict(states.data[i - 1]);
	if (name)
		data(found, name);
}

/* PREPARE name (types) AS …, CREATE TABLE name AS … */
static void behind_as(struct tokens *tokens, struct destructive *found)
{
	if (!tokens_find(tokens, "as", NULL))
		return;
	tokens_next(tokens);
	without_where(tokens, found);
}

/* … AS */
static void create_table(struct tokens *tokens, struct destructive *found)
{
	if (!tokens_take(tokens, "unlogged")) {
		if (!tokens_take(tokens, "global"))
			tokens_take(tokens, "local");
		if (!tokens_take(tokens, "temporary"))
			tokens_take(tokens, "temp");
	}
	if (tokens_take(tokens, "table"))
		behind_as(tokens, found);
}

/* EXPLAIN runs the statement with ANALYZE only. */
static void explain(struct tokens *tokens, struct destructive *found)
{
	bool runs;

	if (tokens_symbol(tokens, '(')) {
		struct tokens british = *tokens;

		runs = tokens_option_on(tokens, "analyze", false);
		runs = tokens_option_on(&british, "analyse", false) || runs;
	} else {
		runs = tokens_take(tokens, "analyze") || tokens_take(tokens, "analyse");
		tokens_take(tokens, "verbose");
	}
	if (runs && tokens_take(tokens, "create"))
		create_table(tokens, found);
	else if (runs)
		without_where(tokens, found);
}

/* --- DROP and ALTER -------------------------------------------------------------------------- */

/* CASCADE is the last word. */
static bool cascades(struct tokens *tokens)
{
	bool last = false;

	for (; tokens->kind != TOKEN_END && !tokens_symbol(tokens, ';'); tokens_next(tokens))
		last = tokens_word(tokens, "cascade");
	return last;
}

static bool is_end(const struct tokens *tokens)
{
	return tokens->kind == TOKEN_END || tokens_symbol(tokens, ';');
}

/* To the next action of ALTER TABLE; false: there is none. */
static bool next_action(struct tokens *tokens)
{
	while (!is_end(tokens) && !tokens_symbol(tokens, ',')) {
		if (tokens_symbol(tokens, '('))
			tokens_skip_parentheses(tokens);
		else
			tokens_next(tokens);
	}
	if (is_end(tokens))
		return false;
	tokens_next(tokens);
	return true;
}

static void skip_if_exists(struct tokens *tokens)
{
	if (tokens_take(tokens, "if"))
		tokens_take(tokens, "exists");
}

/* [COLUMN] name [SET DATA] TYPE type: also without USING values may be rounded, or cut. */
static bool converts(struct tokens *tokens)
{
	tokens_take(tokens, "column");
	tokens_next(tokens);
	if (tokens_take(tokens, "set"))
		tokens_take(tokens, "data");
	return tokens_word(tokens, "type");
}

static void alter_table(struct tokens *tokens, struct destructive *found)
{
	skip_if_exists(tokens);
	tokens_take(tokens, "only");
	if (tokens_symbol(tokens, '('))
		tokens_skip_parentheses(tokens);
	else
		tokens_skip_name(tokens);
	if (tokens_symbol(tokens, '*'))
		tokens_next(tokens);
	do {
		if (tokens_take(tokens, "drop") && !tokens_word(tokens, "constraint")) {
			data(found, "ALTER TABLE ... DROP COLUMN");
			return;
		}
		if (tokens_take(tokens, "alter") && converts(tokens)) {
			data(found, "ALTER TABLE ... TYPE");
			return;
		}
	} while (next_action(tokens));
}

static void alter_type(struct tokens *tokens, struct destructive *found)
{
	tokens_skip_name(tokens);
	do {
		if (tokens_take(tokens, "drop") && tokens_word(tokens, "attribute")) {
			data(found, "ALTER TYPE ... DROP ATTRIBUTE");
			return;
		}
	} while (next_action(tokens));
}

static bool is_ascii(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] >= 0x80)
			return false;
	return true;
}

/* As the server reads it; the caller owns it. NULL: what it reads cannot be told. */
static char *read_name(const struct tokens *tokens)
{
	struct strbuf name = STRBUF_INIT_UNBOUNDED;
	const char *text = tokens->text;
	size_t length = tokens->length;

	if (tokens->kind == TOKEN_WORD) {
		for (size_t i = 0; i < length; i++)
			strbuf_addc(&name, (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20
										   : text[i]));
	} else if (tokens->kind == TOKEN_NAME && text[length - 1] == '"' &&
		   (*text == '"' || !memchr(text, '\\', length))) {
		for (size_t i = *text == '"' ? 1 : 3; i + 1 < length; i++) {
			strbuf_addc(&name, text[i]);
			i += text[i] == '"';
		}
	}
	if (name.length > NAME_MOST && is_ascii(name.data, name.length))
		strbuf_truncate(&name, NAME_MOST);
	if (name.length == 0 || name.length > NAME_MOST) {
		strbuf_release(&name);
		return NULL;
	}
	return strbuf_detach(&name);
}

static void database(struct tokens *tokens, enum destructive_kind kind, const char *name,
	struct destructive *found)
{
	found->kind = kind;
	found->name = name;
	found->database = read_name(tokens);
}

static void drop(struct tokens *tokens, struct destructive *found)
{
	static const struct {
		const char *word, *second, *name;
	} objects[] = {
		{ "table", NULL, "DROP TABLE" },
		{ "schema", NULL, "DROP SCHEMA" },
		{ "materialized", "view", "DROP MATERIALIZED VIEW" },
		{ "sequence", NULL, "DROP SEQUENCE" },
		{ "extension", NULL, "DROP EXTENSION" },
		{ "owned", "by", "DROP OWNED" },
	};

	if (tokens_take(tokens, "database")) {
		skip_if_exists(tokens);
		database(tokens, DESTRUCTIVE_DATABASE, "DROP DATABASE", found);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		if (!tokens_take(tokens, objects[i].word))
			continue;
		if (!objects[i].second || tokens_word(tokens, objects[i].second))
			data(found, objects[i].name);
		return;
	}
	if (cascades(tokens))
		data(found, "DROP ... CASCADE");
}

static void alter(struct tokens *tokens, struct destructive *found)
{
	struct tokens name;

	if (tokens_take(tokens, "table")) {
		alter_table(tokens, found);
	} else if (tokens_take(tokens, "type")) {
		alter_type(tokens, found);
	} else if (tokens_take(tokens, "database")) {
		name = *tokens;
		tokens_next(tokens);
		if (tokens_word(tokens, "rename"))
			database(&name, DESTRUCTIVE_DATABASE, "ALTER DATABASE ... RENAME", found);
		else
			database(&name, DESTRUCTIVE_CHANGE, "ALTER DATABASE", found);
	}
}

static void create(struct tokens *tokens, struct destructive *found)
{
	if (tokens_take(tokens, "database"))
		database(tokens, DESTRUCTIVE_CREATE, "CREATE DATABASE", found);
	else
		create_table(tokens, found);
}

static void comment(struct tokens *tokens, struct destructive *found)
{
	if (tokens_take(tokens, "on") && tokens_take(tokens, "database"))
		database(tokens, DESTRUCTIVE_COMMENT, "COMMENT ON DATABASE", found);
}

/* --------------------------------------------------------------------------------------------- */

static void judge(struct tokens tokens, struct destructive *found)
{
	if (tokens_word(&tokens, "truncate"))
		data(found, "TRUNCATE");
	else if (tokens_take(&tokens, "drop"))
		drop(&tokens, found);
	else if (tokens_take(&tokens, "alter"))
		alter(&tokens, found);
	else if (tokens_take(&tokens, "comment"))
		comment(&tokens, found);
	else if (tokens_take(&tokens, "explain"))
		explain(&tokens, found);
	else if (tokens_take(&tokens, "prepare"))
		behind_as(&tokens, found);
	else if (tokens_take(&tokens, "create"))
		create(&tokens, found);
	else if (tokens_word(&tokens, "delete") || tokens_word(&tokens, "update") ||
		 tokens_word(&tokens, "merge") || tokens_word(&tokens, "with") ||
		 tokens_symbol(&tokens, '(') ||
		 (tokens_take(&tokens, "copy") && tokens_symbol(&tokens, '(')))
		without_where(&tokens, found);
}

static void skip_statement(struct tokens *tokens)
{
	while (!is_end(tokens)) {
		if (tokens_symbol(tokens, '('))
			tokens_skip_parentheses(tokens);
		else
			tokens_next(tokens);
	}
}

bool destructive_next(const struct script_statement *statement, bool standard_strings, size_t *at,
	struct destructive *found)
{
	const char *text = statement->text;
	struct tokens tokens = {
		.at = text + *at, .end = text + statement->length, .backslashes = !standard_strings
	};

	*found = (struct destructive)DESTRUCTIVE_INIT;
	if (!statement->several) {
		if (*at > 0 || !tokens_may_begin_with(text, statement->length, LETTERS))
			return false;
		*at = statement->length;
		tokens_next(&tokens);
		judge(tokens, found);
		return found->kind != DESTRUCTIVE_NONE;
	}
	while (found->kind == DESTRUCTIVE_NONE && tokens_next(&tokens) != TOKEN_END) {
		found->at = (size_t)(tokens.text - text);
		judge(tokens, found);
		skip_statement(&tokens);
		*at = (size_t)(tokens.at - text);
	}
	return found->kind != DESTRUCTIVE_NONE;
}

void destructive_release(struct destructive *found)
{
	mem_free(found->database);
	*found = (struct destructive)DESTRUCTIVE_INIT;
}
