#include "sql/tokens.h"

#include <string.h>
#include <strings.h>

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
static void skip_segment(struct tokens *tokens, char quote, bool escapes)
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

/* White space that holds a newline, and -- comments in it, in front of a quote: it is the same
 * string that goes on, by its rules. */
static bool goes_on(struct tokens *tokens)
{
	const char *p = tokens->at;
	bool newline = false;

	for (; p < tokens->end; p++) {
		if (*p == '\n' || *p == '\r') {
			newline = true;
		} else if (*p == '-' && p + 1 < tokens->end && p[1] == '-') {
			while (p + 1 < tokens->end && p[1] != '\n' && p[1] != '\r')
				p++;
		} else if (*p != ' ' && !(*p >= '\t' && *p <= '\r')) {
			break;
		}
	}
	if (!newline || p == tokens->end || *p != '\'')
		return false;
	tokens->at = p;
	return true;
}

static void skip_quoted(struct tokens *tokens, char quote, bool escapes)
{
	do
		skip_segment(tokens, quote, escapes);
	while (escapes && goes_on(tokens));
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

enum token_kind tokens_next(struct tokens *tokens)
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
		escapes = tokens->backslashes ||
			  (tokens->length == 1 && (*tokens->text | 0x20) == 'e');
		skip_quoted(tokens, '\'', escapes);
		tokens->kind = TOKEN_STRING;
	} else if (tokens->kind == TOKEN_END) {
		tokens->at++;
		tokens->kind = TOKEN_SYMBOL;
	}
	tokens->length = (size_t)(tokens->at - tokens->text);
	return tokens->kind;
}

bool tokens_word(const struct tokens *tokens, const char *expected)
{
	return tokens->kind == TOKEN_WORD && tokens->length == strlen(expected) &&
	       strncasecmp(tokens->text, expected, tokens->length) == 0;
}

bool tokens_symbol(const struct tokens *tokens, char expected)
{
	return tokens->kind == TOKEN_SYMBOL && *tokens->text == expected;
}

bool tokens_take(struct tokens *tokens, const char *expected)
{
	if (!tokens_word(tokens, expected))
		return false;
	tokens_next(tokens);
	return true;
}

void tokens_skip_parentheses(struct tokens *tokens)
{
	size_t depth = 0;

	do {
		if (tokens_symbol(tokens, '('))
			depth++;
		else if (tokens_symbol(tokens, ')'))
			depth--;
		tokens_next(tokens);
	} while (depth > 0 && tokens->kind != TOKEN_END);
}

void tokens_skip_name(struct tokens *tokens)
{
	tokens_next(tokens);
	while (tokens_symbol(tokens, '.')) {
		tokens_next(tokens);
		tokens_next(tokens);
	}
}

bool tokens_find(struct tokens *tokens, const char *first, const char *second)
{
	while (tokens->kind != TOKEN_END) {
		if (tokens_word(tokens, first) || (second && tokens_word(tokens, second)))
			return true;
		if (tokens_symbol(tokens, '('))
			tokens_skip_parentheses(tokens);
		else
			tokens_next(tokens);
	}
	return false;
}

/* An option's name may be quoted; in one with escapes it may be hidden. */
static bool take_option(struct tokens *tokens, const char *option)
{
	const size_t length = strlen(option);
	const bool found =
		tokens->kind == TOKEN_NAME &&
		(*tokens->text != '"' || (tokens->length == length + 2 &&
						 memcmp(tokens->text + 1, option, length) == 0));

	if (!found)
		return tokens_take(tokens, option);
	tokens_next(tokens);
	return true;
}

bool tokens_option_on(struct tokens *tokens, const char *option, bool absent)
{
	bool on = absent;

	while (tokens->kind != TOKEN_END && !tokens_symbol(tokens, ')')) {
		tokens_next(tokens);
		if (!take_option(tokens, option))
			continue;
		if (tokens_symbol(tokens, '='))
			tokens_next(tokens);
		on = !(tokens_word(tokens, "false") || tokens_word(tokens, "off") ||
			(tokens->kind == TOKEN_WORD && *tokens->text == '0') ||
			(tokens->kind == TOKEN_STRING &&
				(strncasecmp(tokens->text, "'f", 2) == 0 ||
					strncasecmp(tokens->text, "'of", 3) == 0 ||
					strncasecmp(tokens->text, "'n", 2) == 0 ||
					strncasecmp(tokens->text, "'0", 2) == 0)));
	}
	tokens_next(tokens);
	return on;
}

bool tokens_may_begin_with(const char *text, size_t length, const char *letters)
{
	unsigned char first = length > 0 ? (unsigned char)*text : '\0';

	return first < 'A' || first > 'z' || strchr(letters, first | 0x20);
}
