/*
 * What is defined is looked for on the server when all has run. That finds nothing of a definition
 * that something has used and that is gone by then, or another.
 */
#include "sql/inputs_walk.h"

/* Statements that do not use anything, and what is no reason to think so: a dump begins with SELECT
 * pg_catalog.set_config('search_path', '', false). */
static bool is_quiet(enum keyword first, enum keyword keyword)
{
	switch (first) {
	case KEYWORD_BEGIN:
	case KEYWORD_END:
	case KEYWORD_RELEASE:
	case KEYWORD_SAVEPOINT:
	case KEYWORD_SHOW:
	case KEYWORD_START:
		return true;
	case KEYWORD_SELECT:
		return keyword == KEYWORD_SELECT || keyword == KEYWORD_PG_CATALOG ||
		       keyword == KEYWORD_SET_CONFIG || keyword == KEYWORD_TRUE ||
		       keyword == KEYWORD_FALSE;
	default:
		return false;
	}
}

static bool is_altered(const struct walk_statement *statement, enum keyword keyword)
{
	switch (keyword) {
	case KEYWORD_DETACH:
	case KEYWORD_DISABLE:
	case KEYWORD_DROP:
	case KEYWORD_EXPRESSION:
	case KEYWORD_INHERIT:
	case KEYWORD_RENAME:
		return true;
	case KEYWORD_AGGREGATE:
	case KEYWORD_FUNCTION:
	case KEYWORD_POLICY:
	case KEYWORD_PROCEDURE:
	case KEYWORD_ROUTINE:
		return statement->previous == KEYWORD_ALTER;
	case KEYWORD_DEFAULT:
		return statement->previous == KEYWORD_SET;
	case KEYWORD_TYPE:
		return statement->previous != KEYWORD_ALTER;
	default:
		return false;
	}
}

static bool is_undone(const struct walk *walk, enum keyword keyword)
{
	const struct walk_statement *statement = &walk->statement;

	if (walk->depth > 0)
		return statement->runs &&
		       (keyword == KEYWORD_DROP || keyword == KEYWORD_DISABLE ||
			       keyword == KEYWORD_REPLACE ||
			       (statement->previous == KEYWORD_SET && keyword == KEYWORD_DEFAULT));
	switch (statement->first) {
	case KEYWORD_ALTER:
		return is_altered(statement, keyword);
	case KEYWORD_CREATE:
		return statement->previous == KEYWORD_OR && keyword == KEYWORD_REPLACE;
	case KEYWORD_DROP:
		return statement->previous == KEYWORD_DROP && keyword != KEYWORD_INDEX;
	case KEYWORD_ROLLBACK:
		return true;
	default:
		return false;
	}
}

void walk_order(struct walk *walk, enum keyword keyword)
{
	const struct walk_statement *statement = &walk->statement;
	struct script_words *words = walk->inputs->words;

	if (keyword == KEYWORD_TEMP || keyword == KEYWORD_TEMPORARY)
		words->temporary = true;
	/* At the end of a function's search_path it means nothing. */
	if (keyword == KEYWORD_PG_TEMP &&
		(statement->first == KEYWORD_SET || (walk->at < walk->end && *walk->at == '.')))
		words->temporary = true;
	if (statement->runs && !is_quiet(statement->first, keyword))
		words->has_run = true;
	if (words->has_run && is_undone(walk, keyword))
		words->undone = true;
}
