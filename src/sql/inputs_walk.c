#include "sql/inputs_walk.h"

#include "base/mem.h"
#include "sql/inputs_dates.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Longer strings are not shown. */
#define SHOWN_MOST 48

void walk_obstacle(struct walk *walk, const char *text, const char *what)
{
	const struct script_statement *origin = walk->origin;
	size_t at = (size_t)(text - origin->text);

	if (walk->inputs->obstacle)
		return;
	script_inputs_obstacle(walk->inputs, origin->origin.file,
		origin_line(&origin->origin, origin->text, origin->length, at), what);
}

static void note_in(
	const struct walk *walk, struct strlist *list, const char *text, const char *what)
{
	const struct script_statement *origin = walk->origin;

	if (list->count >= SCRIPT_INPUTS_VARYING)
		return;
	inputs_note(list, origin->origin.file,
		origin_line(&origin->origin, origin->text, origin->length,
			(size_t)(text - origin->text)),
		what);
}

void walk_varies_now(struct walk *walk, const char *text, const char *what)
{
	note_in(walk, &walk->inputs->varying, text, what);
}

void walk_varies(struct walk *walk, const char *text, const char *what)
{
	if (walk->statement.runs)
		walk_varies_now(walk, text, what);
	else if (walk->statement.defines)
		note_in(walk, &walk->inputs->words->varying, text, what);
}

/* --- what kind of statement it is ------------------------------------------------------------ */

void walk_semicolon(struct walk *walk)
{
	struct walk_statement *statement = &walk->statement;

	if (walk->depth > 0) {
		statement->copies = statement->grants = statement->writes = false;
		return;
	}
	*statement = (struct walk_statement){ .runs = true, .code = walk->dynamic };
}

void walk_begin_insert(struct walk *walk)
{
	walk->statement = (struct walk_statement){ .first = KEYWORD_INSERT,
		.runs = true,
		.code = walk->dynamic,
		.data = true,
		.writes = true };
}

static void begin(struct walk_statement *statement, enum keyword keyword)
{
	statement->first = keyword;
	switch (keyword) {
	case KEYWORD_INSERT:
	case KEYWORD_UPDATE:
	case KEYWORD_DELETE:
	case KEYWORD_MERGE:
		statement->data = true;
		break;
	case KEYWORD_DO:
		statement->code = true;
		break;
	case KEYWORD_COMMENT:
		statement->data = true;
		statement->runs = false;
		break;
	case KEYWORD_ALTER:
	case KEYWORD_CREATE:
		statement->defines = true;
		statement->runs = false;
		break;
	case KEYWORD_ANALYZE:
	case KEYWORD_CLUSTER:
	case KEYWORD_COMMIT:
	case KEYWORD_DISCARD:
	case KEYWORD_DROP:
	case KEYWORD_GRANT:
	case KEYWORD_LOCK:
	case KEYWORD_REASSIGN:
	case KEYWORD_REINDEX:
	case KEYWORD_RESET:
	case KEYWORD_REVOKE:
	case KEYWORD_ROLLBACK:
	case KEYWORD_SECURITY:
	case KEYWORD_SET:
	case KEYWORD_VACUUM:
		statement->runs = false;
		break;
	default:
		break;
	}
}

static bool is_routine(enum keyword object)
{
	return object == KEYWORD_FUNCTION || object == KEYWORD_PROCEDURE;
}

static void begin_create(struct walk_statement *statement, enum keyword keyword)
{
	switch (keyword) {
	case KEYWORD_OR:
	case KEYWORD_REPLACE:
	case KEYWORD_TEMP:
	case KEYWORD_TEMPORARY:
	case KEYWORD_UNLOGGED:
	case KEYWORD_GLOBAL:
	case KEYWORD_LOCAL:
		return;
	case KEYWORD_FUNCTION:
	case KEYWORD_PROCEDURE:
		statement->code = true;
		break;
	case KEYWORD_MATERIALIZED:
		statement->runs = true;
		break;
	default:
		break;
	}
	statement->object = keyword;
}

static bool begins_constraint(enum keyword keyword)
{
	return keyword == KEYWORD_CONSTRAINT || keyword == KEYWORD_PRIMARY ||
	       keyword == KEYWORD_FOREIGN || keyword == KEYWORD_UNIQUE ||
	       keyword == KEYWORD_CHECK || keyword == KEYWORD_EXCLUDE;
}

/* In the midst of a definition something begins that is evaluated right away. */
static bool begins_to_run(const struct walk *walk, enum keyword keyword)
{
	const struct walk_statement *statement = &walk->statement;

	if (statement->first == KEYWORD_CREATE && statement->object == KEYWORD_TABLE)
		return walk->parentheses == 0 &&
		       (keyword == KEYWORD_AS ||
			       (keyword == KEYWORD_VALUES && statement->previous == KEYWORD_FOR));
	if (statement->first != KEYWORD_ALTER)
		return false;
	return (statement->previous == KEYWORD_ADD && !begins_constraint(keyword)) ||
	       (keyword == KEYWORD_USING && statement->types) ||
	       (keyword == KEYWORD_VALUES && statement->previous == KEYWORD_FOR);
}

static void follow(struct walk *walk, enum keyword keyword)
{
	struct walk_statement *statement = &walk->statement;

	if (walk->depth > 0)
		return;
	if (statement->first == KEYWORD_NONE) {
		begin(statement, keyword);
	} else {
		if (statement->first == KEYWORD_CREATE && statement->object == KEYWORD_NONE)
			begin_create(statement, keyword);
		if (!statement->runs && begins_to_run(walk, keyword))
			statement->runs = true;
		if (keyword == KEYWORD_TYPE)
			statement->types = true;
		if (statement->first == KEYWORD_INSERT && keyword == KEYWORD_VALUES)
			statement->ends_head = true;
	}
}

/* --- obstacles ------------------------------------------------------------------------------- */

static bool is_pair(enum keyword first, enum keyword second)
{
	static const enum keyword pairs[][2] = {
		{ KEYWORD_ALTER, KEYWORD_DATABASE },
		{ KEYWORD_ALTER, KEYWORD_GROUP },
		{ KEYWORD_ALTER, KEYWORD_ROLE },
		{ KEYWORD_ALTER, KEYWORD_SUBSCRIPTION },
		{ KEYWORD_ALTER, KEYWORD_SYSTEM },
		{ KEYWORD_ALTER, KEYWORD_TABLESPACE },
		{ KEYWORD_ALTER, KEYWORD_USER },
		{ KEYWORD_COMMIT, KEYWORD_PREPARED },
		{ KEYWORD_CREATE, KEYWORD_DATABASE },
		{ KEYWORD_CREATE, KEYWORD_SUBSCRIPTION },
		{ KEYWORD_CREATE, KEYWORD_TABLESPACE },
		{ KEYWORD_DROP, KEYWORD_DATABASE },
		{ KEYWORD_DROP, KEYWORD_GROUP },
		{ KEYWORD_DROP, KEYWORD_OWNED },
		{ KEYWORD_DROP, KEYWORD_ROLE },
		{ KEYWORD_DROP, KEYWORD_SUBSCRIPTION },
		{ KEYWORD_DROP, KEYWORD_TABLESPACE },
		{ KEYWORD_DROP, KEYWORD_USER },
		{ KEYWORD_FOREIGN, KEYWORD_SCHEMA },
		{ KEYWORD_FOREIGN, KEYWORD_TABLE },
		{ KEYWORD_PREPARE, KEYWORD_TRANSACTION },
		{ KEYWORD_REASSIGN, KEYWORD_OWNED },
		{ KEYWORD_ROLLBACK, KEYWORD_PREPARED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		if (pairs[i][0] == first && pairs[i][1] == second)
			return true;
	return false;
}

/* GRANT … ON DATABASE, COMMENT ON ROLE */
static bool is_shared_object(enum keyword keyword)
{
	return keyword == KEYWORD_DATABASE || keyword == KEYWORD_TABLESPACE ||
	       keyword == KEYWORD_ROLE || keyword == KEYWORD_SUBSCRIPTION ||
	       keyword == KEYWORD_PARAMETER;
}

static void note_pair(struct walk *walk, const char *text, enum keyword keyword)
{
	enum keyword previous = walk->statement.previous;
	char what[64];

	if (!is_pair(previous, keyword) &&
		!(previous == KEYWORD_ON && walk->statement.grants && is_shared_object(keyword)))
		return;
	/* CREATE USER MAPPING and the like are of the database. */
	if (keyword == KEYWORD_USER && walk_next_is(walk, "mapping"))
		return;
	snprintf(what, sizeof(what), "%s %s", keyword_name(previous), keyword_name(keyword));
	walk_obstacle(walk, text, what);
}

/* COPY … FROM or TO: what follows, if it is neither a table of a query nor STDIN. */
static void note_copy(struct walk *walk, const char *text)
{
	const char *p = walk_skip_blank(walk->at, walk->end);
	bool string = p < walk->end && strchr("'$%\\", *p);

	/* What is put together at run time: 'COPY t FROM ' || … */
	if (p == walk->end && walk->depth > 0)
		string = true;
	if (walk->end - p > 1 && (*p | 0x20) == 'e' && p[1] == '\'')
		string = true;
	if (walk->end - p > 2 && (*p | 0x20) == 'u' && p[1] == '&' && p[2] == '\'')
		string = true;
	if (string)
		walk_obstacle(walk, text, "COPY with a file on the server");
	else if (walk_next_is(walk, "program"))
		walk_obstacle(walk, text, "COPY with a program");
}

static void note_word(struct walk *walk, const char *text, enum keyword keyword)
{
	struct walk_statement *statement = &walk->statement;

	switch (keyword) {
	case KEYWORD_EXTENSION:
		walk->inputs->wants_extensions = true;
		break;
	case KEYWORD_COPY:
		statement->copies |= walk->depth > 0 || statement->first == KEYWORD_COPY;
		break;
	case KEYWORD_FROM:
	case KEYWORD_TO:
		if (statement->copies && (walk->depth > 0 || walk->parentheses == 0))
			note_copy(walk, text);
		break;
	case KEYWORD_GRANT:
	case KEYWORD_REVOKE:
	case KEYWORD_COMMENT:
	case KEYWORD_LABEL:
		statement->grants = true;
		break;
	case KEYWORD_INSERT:
	case KEYWORD_UPDATE:
	case KEYWORD_DELETE:
	case KEYWORD_MERGE:
		statement->writes = true;
		break;
	case KEYWORD_OUTSIDE:
		if (walk->calls)
			walk_obstacle(
				walk, text, "a function that reaches outside of the database");
		break;
	case KEYWORD_SHARED:
		if (statement->writes)
			walk_obstacle(walk, text, "a catalog that all databases share");
		break;
	default:
		break;
	}
}

/* --- what varies ----------------------------------------------------------------------------- */

/* The last byte before text that is not white space; NUL: none. */
static char before(const struct walk *walk, const char *text)
{
	while (text > walk->begin && isspace((unsigned char)text[-1]))
		text--;
	return text > walk->begin ? text[-1] : '\0';
}

/* u.user and AS user are names. */
static bool is_expression(const struct walk *walk, const char *text)
{
	enum keyword previous = walk->statement.previous;

	if (before(walk, text) == '.' || previous == KEYWORD_AS)
		return false;
	return previous != KEYWORD_CREATE && previous != KEYWORD_ALTER && previous != KEYWORD_DROP;
}

/* Other languages have other words for the time of day. */
static void note_language(struct walk *walk, const char *text)
{
	const struct walk_statement *statement = &walk->statement;

	if (walk->depth > 0 || (statement->first != KEYWORD_DO && !is_routine(statement->object)) ||
		walk_next_is(walk, "plpgsql") ||
		(statement->first == KEYWORD_CREATE && walk_next_is(walk, "sql")))
		return;
	walk_varies(walk, text,
		statement->first == KEYWORD_DO ? "DO in another language"
					       : "a function in another language");
}

/* EXECUTE of PL/pgSQL, with what is put together at run time. */
static bool is_dynamic(const struct walk *walk)
{
	const struct walk_statement *statement = &walk->statement;

	if (walk->depth == 0 || (statement->first != KEYWORD_DO && !is_routine(statement->object)))
		return false;
	return !walk_next_is(walk, "function") && !walk_next_is(walk, "procedure") &&
	       !walk_next_is(walk, "on") && !walk_executes_literal(walk);
}

static void note_varying(struct walk *walk, const char *text, enum keyword keyword)
{
	switch (keyword) {
	case KEYWORD_USER:
		if (walk_next_is(walk, "mapping"))
			return;
		break;
	case KEYWORD_CURRENT_CATALOG:
	case KEYWORD_CURRENT_DATE:
	case KEYWORD_CURRENT_ROLE:
	case KEYWORD_CURRENT_TIME:
	case KEYWORD_CURRENT_TIMESTAMP:
	case KEYWORD_CURRENT_USER:
	case KEYWORD_LOCALTIME:
	case KEYWORD_LOCALTIMESTAMP:
	case KEYWORD_SESSION_USER:
	case KEYWORD_SYSTEM_USER:
	case KEYWORD_TABLESAMPLE:
		break;
	case KEYWORD_LANGUAGE:
		note_language(walk, text);
		return;
	case KEYWORD_EXECUTE:
		if (is_dynamic(walk))
			walk_varies(walk, text, "EXECUTE");
		return;
	case KEYWORD_EXTENSION:
		/* What it brings is not there yet, or no longer. */
		if (walk->statement.previous == KEYWORD_CREATE)
			note_in(walk, &walk->inputs->words->varying, text, "CREATE EXTENSION");
		return;
	default:
		return;
	}
	if (is_expression(walk, text))
		walk_varies(walk, text, keyword_name(keyword));
}

void walk_word(struct walk *walk, const char *text, enum keyword keyword)
{
	follow(walk, keyword);
	walk_order(walk, keyword);
	if (keyword != KEYWORD_OTHER) {
		note_pair(walk, text, keyword);
		note_word(walk, text, keyword);
		note_varying(walk, text, keyword);
	}
	walk->statement.previous = keyword;
	if (keyword == KEYWORD_INTO || (keyword == KEYWORD_COPY && walk->statement.copies))
		walk->statement.into = true;
	else if (walk->statement.into && (walk->at == walk->end || *walk->at != '.'))
		walk->statement.into = false;
}

bool walk_has_one_argument(const struct walk *walk)
{
	size_t depth = 0;

	for (const char *p = walk_skip_blank(walk->at, walk->end); p < walk->end; p++) {
		if (*p == '(')
			depth++;
		else if (*p == ')' && --depth == 0)
			return true;
		else if (*p == ',' && depth == 1)
			return false;
	}
	return true;
}

static bool is_body(const struct walk *walk)
{
	const struct walk_statement *statement = &walk->statement;

	return walk->depth == 0 &&
	       (statement->first == KEYWORD_DO ||
		       (is_routine(statement->object) && statement->previous == KEYWORD_AS));
}

void walk_literal(struct walk *walk, const char *text, size_t length)
{
	const struct walk_statement *statement = &walk->statement;
	CLEANUP(mem_cleanup) char *what = NULL;
	const char *word;
	size_t word_length;

	if ((!statement->runs && !statement->defines) || is_body(walk))
		return;
	word = dates_find(text, length, &word_length);
	if (!word)
		return;
	what = length <= SHOWN_MOST ? mem_printf("'%.*s'", (int)length, text)
				    : mem_printf("'%.*s' in a string", (int)word_length, word);
	/* A default of 'now' has become a date by then. */
	if (walk->depth == 0)
		walk_varies_now(walk, word, what);
	else
		walk_varies(walk, word, what);
}
