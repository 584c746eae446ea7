#include "sql/parts.h"

#include "base/mem.h"
#include "sql/classify.h"
#include "sql/tokens.h"

static bool is_routine(struct tokens tokens)
{
	if (!tokens_take(&tokens, "create"))
		return false;
	if (tokens_take(&tokens, "or"))
		tokens_take(&tokens, "replace");
	return tokens_word(&tokens, "function") || tokens_word(&tokens, "procedure");
}

/*
 * From its first token to its semicolon or the end. psql counts BEGIN, CASE and END, which may be
 * names of columns; in the server's grammar a body begins with BEGIN ATOMIC, and the END that
 * closes it stands where a statement could begin.
 */
static void skip_statement(struct tokens *tokens)
{
	bool routine = is_routine(*tokens), begins = false;
	size_t depth = 0;

	while (tokens->kind != TOKEN_END && (depth > 0 || !tokens_symbol(tokens, ';'))) {
		const bool first = begins;

		begins = depth > 0 && tokens_symbol(tokens, ';');
		if (tokens_symbol(tokens, '(')) {
			tokens_skip_parentheses(tokens);
		} else if (routine && depth == 0 && tokens_take(tokens, "begin")) {
			begins = tokens_take(tokens, "atomic");
			depth = begins;
		} else {
			/* BEGIN as a statement of the body is an error to the server, here as
			 * there. */
			depth += first && tokens_word(tokens, "begin");
			depth -= first && tokens_word(tokens, "end");
			routine = routine && !(first && depth == 0);
			tokens_next(tokens);
		}
	}
}

static int gravity(enum script_class class)
{
	switch (class) {
	case SCRIPT_CLASS_TRANSACTION:
		return 3;
	case SCRIPT_CLASS_NO_TRANSACTION:
		return 2;
	case SCRIPT_CLASS_COPY_FROM_STDIN:
		return 1;
	default:
		return 0;
	}
}

static void judge(
	const char *text, size_t length, bool standard_strings, struct script_statement *statement)
{
	struct tokens tokens = {
		.at = text, .end = text + length, .backslashes = !standard_strings
	};
	size_t count = 0;

	while (tokens_next(&tokens) != TOKEN_END) {
		const char *begin = tokens.text;
		enum script_class class;
		const char *name;

		if (tokens_symbol(&tokens, ';'))
			continue;
		skip_statement(&tokens);
		count++;
		class = classify_statement(begin, (size_t)(tokens.text - begin), &name);
		if (gravity(class) <= gravity(statement->class))
			continue;
		statement->class = class;
		statement->class_name = name;
		statement->class_at = (size_t)(begin - text);
	}
	statement->several = statement->several || count > 1;
}

void parts_classify(
	struct script_statement *statement, bool standard_strings, enum encoding encoding)
{
	struct encoding_state state = { 0 };
	char *hidden;

	statement->class = SCRIPT_CLASS_OTHER;
	statement->class_name = NULL;
	statement->class_at = 0;
	if (encoding == ENCODING_SAFE) {
		judge(statement->text, statement->length, standard_strings, statement);
		return;
	}
	hidden = mem_calloc(statement->length + 1, 1);
	encoding_hide(encoding, &state, statement->text, statement->length, hidden);
	judge(hidden, statement->length, standard_strings, statement);
	mem_free(hidden);
}
