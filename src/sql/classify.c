#include "sql/classify.h"

#include "base/mem.h"

#include <string.h>
#include <strings.h>

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,   /* unquoted */
	TOKEN_NAME,   /* "…" */
	TOKEN_STRING, /* '…' and $$…$$ */
	TOKEN_SYMBOL, /* one byte of anything else */
};

/* Walks over the tokens of a statement that the reader has cut, so that quotes and comments close.
 */
struct tokens {
	const char *at, *end;
	enum token_kind kind; /* of the current token */
	const char *text;
	size_t length;
};

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static bool at(const struct tokens *tokens, const char *symbol)
{
	size_t length = strlen(symbol);

	return (size_t)(tokens->end - tokens->at) >= length &&
	       memcmp(tokens->at, symbol, length) == 0;
}

static void skip_comment(struct tokens *tokens)
{
	size_t depth = 0;

	do {
		if (at(tokens, "/*")) {
			depth++;
			tokens->at += 2;
		} else if (at(tokens, "*/")) {
			depth--;
			tokens->at += 2;
		} else {
			tokens->at++;
		}
	} while (depth > 0 && tokens->at < tokens->end);
}

static void skip_blank(struct tokens *tokens)
{
	while (tokens->at < tokens->end) {
		if (*tokens->at == ' ' || (*tokens->at >= '\t' && *tokens->at <= '\r')) {
			tokens->at++;
		} else if (at(tokens, "--")) {
			while (tokens->at < tokens->end && *tokens->at != '\n' &&
				*tokens->at != '\r')
				tokens->at++;
		} else if (at(tokens, "/*")) {
			skip_comment(tokens);
		} else {
			return;
		}
	}
}

/* To behind the closing quote; two quotes stand for one. */
static void skip_quoted(struct tokens *tokens, char quote, bool escapes)
{
	for (tokens->at++; tokens->at < tokens->end; tokens->at++) {
		if (*tokens->at == quote) {
			tokens->at++;
			if (tokens->at == tokens->end || *tokens->at != quote)
				return;
			continue;
		}
		if (escapes && *tokens->at == '\\' && tokens->at + 1 < tokens->end)
			tokens->at++;
	}
}

static bool skip_dollar_quoted(struct tokens *tokens)
{
	const char *tag = tokens->at + 1, *close;
	size_t length;

	while (tag < tokens->end && *tag != '$' && is_word(*tag))
		tag++;
	if (tag >= tokens->end || *tag != '$')
		return false;
	length = (size_t)(++tag - tokens->at);
	close = memmem(tag, (size_t)(tokens->end - tag), tokens->at, length);
	tokens->at = close ? close + length : tokens->end;
	return true;
}

/* U&"…" and U&'…', with an UESCAPE behind it. */
static bool take_unicode_quoted(struct tokens *tokens)
{
	struct tokens behind;
	char quote;

	if (tokens->end - tokens->at < 3 || (*tokens->at | 0x20) != 'u' || tokens->at[1] != '&' ||
		(tokens->at[2] != '"' && tokens->at[2] != '\''))
		return false;
	quote = tokens->at[2];
	tokens->at += 2;
	skip_quoted(tokens, quote, false);
	tokens->kind = quote == '"' ? TOKEN_NAME : TOKEN_STRING;
	behind = *tokens;
	skip_blank(&behind);
	if (behind.end - behind.at > 7 && strncasecmp(behind.at, "uescape", 7) == 0 &&
		!is_word(behind.at[7])) {
		behind.at += 7;
		skip_blank(&behind);
		if (behind.at < behind.end && *behind.at == '\'') {
			skip_quoted(&behind, '\'', false);
			tokens->at = behind.at;
		}
	}
	tokens->length = (size_t)(tokens->at - tokens->text);
	return true;
}

static enum token_kind next(struct tokens *tokens)
{
	bool escapes;

	skip_blank(tokens);
	tokens->text = tokens->at;
	tokens->kind = TOKEN_END;
	if (tokens->at == tokens->end)
		return TOKEN_END;
	if (take_unicode_quoted(tokens))
		return tokens->kind;
	if (*tokens->at == '"') {
		skip_quoted(tokens, '"', false);
		tokens->kind = TOKEN_NAME;
	} else if (*tokens->at == '$' && skip_dollar_quoted(tokens)) {
		tokens->kind = TOKEN_STRING;
	} else if (is_word(*tokens->at) && *tokens->at != '$') {
		while (tokens->at < tokens->end && is_word(*tokens->at))
			tokens->at++;
		tokens->kind = TOKEN_WORD;
	}
	tokens->length = (size_t)(tokens->at - tokens->text);
	if (tokens->at < tokens->end && *tokens->at == '\'' && tokens->length <= 1) {
		escapes = tokens->length == 1 && (*tokens->text == 'e' || *tokens->text == 'E');
		skip_quoted(tokens, '\'', escapes);
		tokens->kind = TOKEN_STRING;
	} else if (tokens->kind == TOKEN_END) {
		tokens->at++;
		tokens->kind = TOKEN_SYMBOL;
	}
	tokens->length = (size_t)(tokens->at - tokens->text);
	return tokens->kind;
}

static bool word(const struct tokens *tokens, const char *expected)
{
	return tokens->kind == TOKEN_WORD && tokens->length == strlen(expected) &&
	       strncasecmp(tokens->text, expected, tokens->length) == 0;
}

static bool symbol(const struct tokens *tokens, char expected)
{
	return tokens->kind == TOKEN_SYMBOL && *tokens->text == expected;
}

/* If the current token is that word: moves on. */
static bool take(struct tokens *tokens, const char *expected)
{
	if (!word(tokens, expected))
		return false;
	next(tokens);
	return true;
}

static void skip_parentheses(struct tokens *tokens)
{
	size_t depth = 0;

	do {
		if (symbol(tokens, '('))
			depth++;
		else if (symbol(tokens, ')'))
			depth--;
		next(tokens);
	} while (depth > 0 && tokens->kind != TOKEN_END);
}

/* schema.name, as words or quoted */
static void skip_qualified_name(struct tokens *tokens)
{
	next(tokens);
	while (symbol(tokens, '.')) {
		next(tokens);
		next(tokens);
	}
}

/* Moves to the next token outside parentheses that is one of two words; false at the end. */
static bool find(struct tokens *tokens, const char *first, const char *second)
{
	while (tokens->kind != TOKEN_END) {
		if (word(tokens, first) || (second && word(tokens, second)))
			return true;
		if (symbol(tokens, '('))
			skip_parentheses(tokens);
		else
			next(tokens);
	}
	return false;
}

/*
 * The current token is the "(" of an option list. Whether the option is there and not switched off;
 * with absent_too also when it is not there. Moves behind the list.
 */
static bool option_on(struct tokens *tokens, const char *option, bool absent)
{
	bool on = absent;

	while (tokens->kind != TOKEN_END && !symbol(tokens, ')')) {
		next(tokens);
		if (!take(tokens, option))
			continue;
		if (symbol(tokens, '='))
			next(tokens);
		on = !(word(tokens, "false") || word(tokens, "off") ||
			(tokens->kind == TOKEN_WORD && *tokens->text == '0') ||
			(tokens->kind == TOKEN_STRING &&
				(strncasecmp(tokens->text, "'f", 2) == 0 ||
					strncasecmp(tokens->text, "'of", 3) == 0 ||
					strncasecmp(tokens->text, "'n", 2) == 0 ||
					strncasecmp(tokens->text, "'0", 2) == 0)));
	}
	next(tokens);
	return on;
}

/* Each of these gets the tokens after the first word and returns the name or NULL. */

static const char *copy_from_stdin(struct tokens *tokens)
{
	take(tokens, "binary");
	if (symbol(tokens, '('))
		return NULL;
	skip_qualified_name(tokens);
	if (symbol(tokens, '('))
		skip_parentheses(tokens);
	if (!take(tokens, "from"))
		return NULL;
	/* The grammar takes STDOUT for STDIN here. */
	return word(tokens, "stdin") || word(tokens, "stdout") ? "COPY FROM STDIN" : NULL;
}

static const char *rollback(struct tokens *tokens)
{
	if (word(tokens, "prepared"))
		return "ROLLBACK PREPARED";
	if (!take(tokens, "work"))
		take(tokens, "transaction");
	return word(tokens, "to") ? NULL : "ROLLBACK";
}

static const char *create_subscription(struct tokens *tokens)
{
	if (find(tokens, "with", NULL) && next(tokens) == TOKEN_SYMBOL) {
		struct tokens again = *tokens;

		if (!option_on(&again, "connect", true) || !option_on(tokens, "create_slot", true))
			return NULL;
	}
	return "CREATE SUBSCRIPTION";
}

static const char *create(struct tokens *tokens)
{
	if (word(tokens, "database"))
		return "CREATE DATABASE";
	if (word(tokens, "tablespace"))
		return "CREATE TABLESPACE";
	if (take(tokens, "subscription"))
		return create_subscription(tokens);
	take(tokens, "unique");
	if (take(tokens, "index") && word(tokens, "concurrently"))
		return "CREATE INDEX CONCURRENTLY";
	return NULL;
}

static const char *drop(struct tokens *tokens)
{
	if (word(tokens, "database"))
		return "DROP DATABASE";
	if (word(tokens, "tablespace"))
		return "DROP TABLESPACE";
	if (word(tokens, "subscription"))
		return "DROP SUBSCRIPTION";
	if (take(tokens, "index") && word(tokens, "concurrently"))
		return "DROP INDEX CONCURRENTLY";
	return NULL;
}

static const char *alter_subscription(struct tokens *tokens)
{
	skip_qualified_name(tokens);
	if (word(tokens, "refresh"))
		return "ALTER SUBSCRIPTION REFRESH PUBLICATION";
	if (!word(tokens, "set") && !word(tokens, "add") && !word(tokens, "drop"))
		return NULL;
	next(tokens);
	if (!take(tokens, "publication"))
		return NULL;
	if (find(tokens, "with", NULL) && next(tokens) == TOKEN_SYMBOL &&
		!option_on(tokens, "refresh", true))
		return NULL;
	return "ALTER SUBSCRIPTION SET PUBLICATION";
}

static const char *alter(struct tokens *tokens)
{
	if (word(tokens, "system"))
		return "ALTER SYSTEM";
	if (take(tokens, "subscription"))
		return alter_subscription(tokens);
	if (take(tokens, "database")) {
		skip_qualified_name(tokens);
		return take(tokens, "set") && word(tokens, "tablespace")
			       ? "ALTER DATABASE SET TABLESPACE"
			       : NULL;
	}
	if (!take(tokens, "table"))
		return NULL;
	while (find(tokens, "detach", NULL)) {
		next(tokens);
		if (!take(tokens, "partition"))
			continue;
		skip_qualified_name(tokens);
		if (word(tokens, "concurrently"))
			return "DETACH PARTITION CONCURRENTLY";
	}
	return NULL;
}

static const char *reindex(struct tokens *tokens)
{
	if (symbol(tokens, '(') && option_on(tokens, "concurrently", false))
		return "REINDEX CONCURRENTLY";
	if (word(tokens, "database"))
		return "REINDEX DATABASE";
	if (word(tokens, "system"))
		return "REINDEX SYSTEM";
	if (word(tokens, "schema"))
		return "REINDEX SCHEMA";
	next(tokens);
	return word(tokens, "concurrently") ? "REINDEX CONCURRENTLY" : NULL;
}

/* Without a table it goes over all of them, each in its own transaction. */
static const char *cluster(struct tokens *tokens)
{
	if (symbol(tokens, '('))
		skip_parentheses(tokens);
	take(tokens, "verbose");
	return tokens->kind == TOKEN_END || symbol(tokens, ';') ? "CLUSTER" : NULL;
}

static const char *transaction(struct tokens *tokens)
{
	if (word(tokens, "begin"))
		return "BEGIN";
	if (word(tokens, "end"))
		return "END";
	if (word(tokens, "abort"))
		return "ABORT";
	if (take(tokens, "commit"))
		return word(tokens, "prepared") ? "COMMIT PREPARED" : "COMMIT";
	if (take(tokens, "rollback"))
		return rollback(tokens);
	if (take(tokens, "start"))
		return word(tokens, "transaction") ? "START TRANSACTION" : NULL;
	if (take(tokens, "prepare"))
		return word(tokens, "transaction") ? "PREPARE TRANSACTION" : NULL;
	return NULL;
}

static const char *no_transaction(struct tokens *tokens)
{
	if (word(tokens, "vacuum"))
		return "VACUUM";
	if (take(tokens, "create"))
		return create(tokens);
	if (take(tokens, "drop"))
		return drop(tokens);
	if (take(tokens, "alter"))
		return alter(tokens);
	if (take(tokens, "reindex"))
		return reindex(tokens);
	if (take(tokens, "cluster"))
		return cluster(tokens);
	if (take(tokens, "discard"))
		return word(tokens, "all") ? "DISCARD ALL" : NULL;
	if (take(tokens, "select") && memmem(tokens->text, (size_t)(tokens->end - tokens->text),
					      "_logical_replication_slot(", 26))
		return "SELECT of a logical replication slot";
	return NULL;
}

/* What most scripts consist of, INSERT above all, is told by its first letter. */
static bool may_begin_with(const char *text, size_t length, const char *letters)
{
	unsigned char first = length > 0 ? (unsigned char)*text : '\0';

	return first < 'A' || first > 'z' || strchr(letters, first | 0x20);
}

enum script_class classify_statement(const char *text, size_t length, const char **ret_name)
{
	struct tokens tokens = { .at = text, .end = text + length };
	enum script_class class = SCRIPT_CLASS_OTHER;
	struct tokens again;
	const char *name;

	if (ret_name)
		*ret_name = NULL;
	if (!may_begin_with(text, length, "abcdeprsv"))
		return class;
	next(&tokens);
	again = tokens;
	if (take(&tokens, "copy")) {
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
	if (take(tokens, "reset"))
		return word(tokens, setting) || word(tokens, "all");
	return take(tokens, "discard") && word(tokens, "all");
}

/*
 * SELECT set_config('setting', 'value', false): the current token is then the value. *ret_local:
 * only to the end of the transaction.
 */
static bool calls_set_config(struct tokens *tokens, const char *setting, bool *ret_local)
{
	size_t length = strlen(setting);
	struct tokens after;

	if (!take(tokens, "select"))
		return false;
	if (take(tokens, "pg_catalog"))
		next(tokens);
	if (!take(tokens, "set_config") || !symbol(tokens, '(') || next(tokens) != TOKEN_STRING ||
		tokens->length != length + 2 || strncasecmp(tokens->text + 1, setting, length) != 0)
		return false;
	next(tokens);
	if (!symbol(tokens, ',') || next(tokens) != TOKEN_STRING)
		return false;
	after = *tokens;
	next(&after);
	next(&after);
	*ret_local = word(&after, "true");
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
	return tokens->kind == TOKEN_WORD && word(tokens, "default");
}

bool classify_standard_strings(const char *text, size_t length, bool *ret_on, bool *ret_local)
{
	struct tokens tokens = { .at = text, .end = text + length };
	struct tokens again;

	next(&tokens);
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
	if (!take(&tokens, "set"))
		return false;
	if (!take(&tokens, "session"))
		*ret_local = take(&tokens, "local");
	if (!take(&tokens, "standard_conforming_strings"))
		return false;
	if (!symbol(&tokens, '=') && !word(&tokens, "to"))
		return false;
	if (next(&tokens) == TOKEN_END)
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
	if (!take(tokens, "session"))
		take(tokens, "local");
	return word(tokens, "standard_conforming_strings") || word(tokens, "client_encoding") ||
	       word(tokens, "backslash_quote") || word(tokens, "escape_string_warning") ||
	       word(tokens, "names") || word(tokens, "all") || tokens->kind == TOKEN_NAME;
}

bool classify_changes_reading(const char *text, size_t length)
{
	struct tokens tokens = { .at = text, .end = text + length };

	if (!may_begin_with(text, length, "drs"))
		return false;
	next(&tokens);
	if (take(&tokens, "set") || take(&tokens, "reset"))
		return names_reading(&tokens);
	if (take(&tokens, "discard"))
		return word(&tokens, "all");
	if (word(&tokens, "rollback"))
		return true;
	return word(&tokens, "select") && length <= SEARCHED &&
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

	next(&tokens);
	again = tokens;
	if (resets(&tokens, "client_encoding")) {
		*ret_name = mem_strdup("");
		return true;
	}
	if (calls_set_config(&again, "client_encoding", &local)) {
		tokens = again;
	} else {
		if (!take(&tokens, "set"))
			return false;
		if (!take(&tokens, "session"))
			take(&tokens, "local");
		if (!take(&tokens, "names")) {
			if (!take(&tokens, "client_encoding"))
				return false;
			if (!symbol(&tokens, '=') && !word(&tokens, "to"))
				return false;
			next(&tokens);
		}
	}
	if (tokens.kind == TOKEN_STRING && tokens.length >= 2)
		*ret_name = mem_strndup(tokens.text + 1, tokens.length - 2);
	else
		*ret_name = mem_strndup(tokens.text, tokens.length);
	return true;
}
