#include "sql/classify.h"

#include "base/mem.h"
#include "sql/tokens.h"

#include <string.h>
#include <strings.h>

/* Each of these gets the tokens after the first word and returns the name or NULL. */

static const char *copy_from_stdin(struct tokens *tokens)
{
	tokens_take(tokens, "binary");
	if (tokens_symbol(tokens, '('))
		return NULL;
	tokens_skip_name(tokens);
	if (tokens_symbol(tokens, '('))
		tokens_skip_parentheses(tokens);
	if (!tokens_take(tokens, "from"))
		return NULL;
	/* The grammar takes STDOUT for STDIN here. */
	return tokens_word(tokens, "stdin") || tokens_word(tokens, "stdout") ? "COPY FROM STDIN"
									     : NULL;
}

static const char *rollback(struct tokens *tokens)
{
	if (tokens_word(tokens, "prepared"))
		return "ROLLBACK PREPARED";
	if (!tokens_take(tokens, "work"))
		tokens_take(tokens, "transaction");
	return tokens_word(tokens, "to") ? NULL : "ROLLBACK";
}

static const char *create_subscription(struct tokens *tokens)
{
	if (tokens_find(tokens, "with", NULL) && tokens_next(tokens) == TOKEN_SYMBOL) {
		struct tokens again = *tokens;

		if (!tokens_option_on(&again, "connect", true) ||
			!tokens_option_on(tokens, "create_slot", true))
			return NULL;
	}
	return "CREATE SUBSCRIPTION";
}

static const char *create(struct tokens *tokens)
{
	if (tokens_word(tokens, "database"))
		return "CREATE DATABASE";
	if (tokens_word(tokens, "tablespace"))
		return "CREATE TABLESPACE";
	if (tokens_take(tokens, "subscription"))
		return create_subscription(tokens);
	tokens_take(tokens, "unique");
	if (tokens_take(tokens, "index") && tokens_word(tokens, "concurrently"))
		return "CREATE INDEX CONCURRENTLY";
	return NULL;
}

static const char *drop(struct tokens *tokens)
{
	if (tokens_word(tokens, "database"))
		return "DROP DATABASE";
	if (tokens_word(tokens, "tablespace"))
		return "DROP TABLESPACE";
	if (tokens_word(tokens, "subscription"))
		return "DROP SUBSCRIPTION";
	if (tokens_take(tokens, "index") && tokens_word(tokens, "concurrently"))
		return "DROP INDEX CONCURRENTLY";
	return NULL;
}

static const char *alter_subscription(struct tokens *tokens)
{
	tokens_skip_name(tokens);
	if (tokens_word(tokens, "refresh"))
		return "ALTER SUBSCRIPTION REFRESH PUBLICATION";
	if (!tokens_word(tokens, "set") && !tokens_word(tokens, "add") &&
		!tokens_word(tokens, "drop"))
		return NULL;
	tokens_next(tokens);
	if (!tokens_take(tokens, "publication"))
		return NULL;
	if (tokens_find(tokens, "with", NULL) && tokens_next(tokens) == TOKEN_SYMBOL &&
		!tokens_option_on(tokens, "refresh", true))
		return NULL;
	return "ALTER SUBSCRIPTION SET PUBLICATION";
}

static const char *alter(struct tokens *tokens)
{
	if (tokens_word(tokens, "system"))
		return "ALTER SYSTEM";
	if (tokens_take(tokens, "subscription"))
		return alter_subscription(tokens);
	if (tokens_take(tokens, "database")) {
		tokens_skip_name(tokens);
		return tokens_take(tokens, "set") && tokens_word(tokens, "tablespace")
			       ? "ALTER DATABASE SET TABLESPACE"
			       : NULL;
	}
	if (!tokens_take(tokens, "table"))
		return NULL;
	while (tokens_find(tokens, "detach", NULL)) {
		tokens_next(tokens);
		if (!tokens_take(tokens, "partition"))
			continue;
		tokens_skip_name(tokens);
		if (tokens_word(tokens, "concurrently"))
			return "DETACH PARTITION CONCURRENTLY";
	}
	return NULL;
}

static const char *reindex(struct tokens *tokens)
{
	if (tokens_symbol(tokens, '(') && tokens_option_on(tokens, "concurrently", false))
		return "REINDEX CONCURRENTLY";
	if (tokens_word(tokens, "database"))
		return "REINDEX DATABASE";
	if (tokens_word(tokens, "system"))
		return "REINDEX SYSTEM";
	if (tokens_word(tokens, "schema"))
		return "REINDEX SCHEMA";
	tokens_next(tokens);
	return tokens_word(tokens, "concurrently") ? "REINDEX CONCURRENTLY" : NULL;
}

/* Without a table it goes over all of them, each in its own transaction. */
static const char *cluster(struct tokens *tokens)
{
	if (tokens_symbol(tokens, '('))
		tokens_skip_parentheses(tokens);
	tokens_take(tokens, "verbose");
	return tokens->kind == TOKEN_END || tokens_symbol(tokens, ';') ? "CLUSTER" : NULL;
}

static const char *transaction(struct tokens *tokens)
{
	if (tokens_word(tokens, "begin"))
		return "BEGIN";
	if (tokens_word(tokens, "end"))
		return "END";
	if (tokens_word(tokens, "abort"))
		return "ABORT";
	if (tokens_take(tokens, "commit"))
		return tokens_word(tokens, "prepared") ? "COMMIT PREPARED" : "COMMIT";
	if (tokens_take(tokens, "rollback"))
		return rollback(tokens);
	if (tokens_take(tokens, "start"))
		return tokens_word(tokens, "transaction") ? "START TRANSACTION" : NULL;
	if (tokens_take(tokens, "prepare"))
		return tokens_word(tokens, "transaction") ? "PREPARE TRANSACTION" : NULL;
	return NULL;
}

static const char *no_transaction(struct tokens *tokens)
{
	if (tokens_word(tokens, "vacuum"))
		return "VACUUM";
	if (tokens_take(tokens, "create"))
		return create(tokens);
	if (tokens_take(tokens, "drop"))
		return drop(tokens);
	if (tokens_take(tokens, "alter"))
		return alter(tokens);
	if (tokens_take(tokens, "reindex"))
		return reindex(tokens);
	if (tokens_take(tokens, "cluster"))
		return cluster(tokens);
	if (tokens_take(tokens, "discard"))
		return tokens_word(tokens, "all") ? "DISCARD ALL" : NULL;
	if (tokens_take(tokens, "select") &&
		memmem(tokens->text, (size_t)(tokens->end - tokens->text),
			"_logical_replication_slot(", 26))
		return "SELECT of a logical replication slot";
	return NULL;
}

enum script_class classify_statement(const char *text, size_t length, const char **ret_name)
{
	struct tokens tokens = { .at = text, .end = text + length };
	enum script_class class = SCRIPT_CLASS_OTHER;
	struct tokens again;
	const char *name;

	if (ret_name)
		*ret_name = NULL;
	if (!tokens_may_begin_with(text, length, "abcdeprsv"))
		return class;
	tokens_next(&tokens);
	again = tokens;
	if (tokens_take(&tokens, "copy")) {
		name = copy_from_stdin(&tokens);
		class = SCRIPT_CLASS_COPY_FROM_STDIN;
	} else if ((name = transaction(&tokens))) {
		class = SCRIPT_CLASS_TRANSACTION;
	} else {
		name = no_transaction(&again);
		class = SCRIPT_CLASS_NO_TRANSACTION;
	}
	if (ret_name)
		*ret_name = name;
	return name ? class : SCRIPT_CLASS_OTHER;
}

/* RESET of the setting or of all, DISCARD ALL */
static bool resets(struct tokens *tokens, const char *setting)
{
	if (tokens_take(tokens, "reset"))
		return tokens_word(tokens, setting) || tokens_word(tokens, "all");
	return tokens_take(tokens, "discard") && tokens_word(tokens, "all");
}

/*
 * SELECT set_config('setting', 'value', false): the current token is then the value. *ret_local:
 * only to the end of the transaction.
 */
static bool calls_set_config(struct tokens *tokens, const char *setting, bool *ret_local)
{
	size_t length = strlen(setting);
	struct tokens after;

	if (!tokens_take(tokens, "select"))
		return false;
	if (tokens_take(tokens, "pg_catalog"))
		tokens_next(tokens);
	if (!tokens_take(tokens, "set_config") || !tokens_symbol(tokens, '(') ||
		tokens_next(tokens) != TOKEN_STRING || tokens->length != length + 2 ||
		strncasecmp(tokens->text + 1, setting, length) != 0)
		return false;
	tokens_next(tokens);
	if (!tokens_symbol(tokens, ',') || tokens_next(tokens) != TOKEN_STRING)
		return false;
	after = *tokens;
	tokens_next(&after);
	tokens_next(&after);
	*ret_local = tokens_word(&after, "true");
	return true;
}

/* Whether a value of SET means on. */
static bool is_on(const struct tokens *tokens)
{
	static const char *const words[] = { "on", "true", "yes", "1" };
	const bool quoted = tokens->kind == TOKEN_STRING && tokens->length >= 2;
	const char *value = quoted ? tokens->text + 1 : tokens->text;
	size_t length = quoted ? tokens->length - 2 : tokens->length;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (length == strlen(words[i]) && strncasecmp(value, words[i], length) == 0)
			return true;
	return tokens->kind == TOKEN_WORD && tokens_word(tokens, "default");
}

bool classify_standard_strings(const char *text, size_t length, bool *ret_on, bool *ret_local)
{
	struct tokens tokens = { .at = text, .end = text + length };
	struct tokens again;

	tokens_next(&tokens);
	again = tokens;
	/* What the server was configured with: on, everywhere since 9.1. */
	*ret_on = true;
	*ret_local = false;
	if (resets(&tokens, "standard_conforming_strings"))
		return true;
	if (calls_set_config(&again, "standard_conforming_strings", ret_local)) {
		*ret_on = is_on(&again);
		return true;
	}
	if (!tokens_take(&tokens, "set"))
		return false;
	if (!tokens_take(&tokens, "session"))
		*ret_local = tokens_take(&tokens, "local");
	if (!tokens_take(&tokens, "standard_conforming_strings"))
		return false;
	if (!tokens_symbol(&tokens, '=') && !tokens_word(&tokens, "to"))
		return false;
	if (tokens_next(&tokens) == TOKEN_END)
		return false;
	*ret_on = is_on(&tokens);
	return true;
}

/* The longest statement that is searched for a call of set_config. */
#define SEARCHED 4096

static bool contains(const char *text, size_t length, const char *word)
{
	size_t size = strlen(word);

	for (size_t i = 0; i + size <= length; i++)
		if (strncasecmp(text + i, word, size) == 0)
			return true;
	return false;
}

/* SET of this session's setting, with the current token behind the SET. */
static bool names_reading(struct tokens *tokens)
{
	if (!tokens_take(tokens, "session"))
		tokens_take(tokens, "local");
	return tokens_word(tokens, "standard_conforming_strings") ||
	       tokens_word(tokens, "client_encoding") || tokens_word(tokens, "backslash_quote") ||
	       tokens_word(tokens, "escape_string_warning") || tokens_word(tokens, "names") ||
	       tokens_word(tokens, "all") || tokens->kind == TOKEN_NAME;
}

bool classify_changes_reading(const char *text, size_t length)
{
	struct tokens tokens = { .at = text, .end = text + length };

	if (!tokens_may_begin_with(text, length, "drs"))
		return false;
	tokens_next(&tokens);
	if (tokens_take(&tokens, "set") || tokens_take(&tokens, "reset"))
		return names_reading(&tokens);
	if (tokens_take(&tokens, "discard"))
		return tokens_word(&tokens, "all");
	if (tokens_word(&tokens, "rollback"))
		return true;
	return tokens_word(&tokens, "select") && length <= SEARCHED &&
	       contains(text, length, "set_config") &&
	       (contains(text, length, "encoding") || contains(text, length, "conforming") ||
		       contains(text, length, "backslash_quote") ||
		       contains(text, length, "escape_string"));
}

bool classify_encoding(const char *text, size_t length, char **ret_name)
{
	struct tokens tokens = { .at = text, .end = text + length };
	struct tokens again;
	bool local;

	tokens_next(&tokens);
	again = tokens;
	if (resets(&tokens, "client_encoding")) {
		*ret_name = mem_strdup("");
		return true;
	}
	if (calls_set_config(&again, "client_encoding", &local)) {
		tokens = again;
	} else {
		if (!tokens_take(&tokens, "set"))
			return false;
		if (!tokens_take(&tokens, "session"))
			tokens_take(&tokens, "local");
		if (!tokens_take(&tokens, "names")) {
			if (!tokens_take(&tokens, "client_encoding"))
				return false;
			if (!tokens_symbol(&tokens, '=') && !tokens_word(&tokens, "to"))
				return false;
			tokens_next(&tokens);
		}
	}
	if (tokens.kind == TOKEN_STRING && tokens.length >= 2)
		*ret_name = mem_strndup(tokens.text + 1, tokens.length - 2);
	else
		*ret_name = mem_strndup(tokens.text, tokens.length);
	return true;
}
