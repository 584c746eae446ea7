#include "sql/inputs_walk.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void walk_obstacle(struct walk *walk, const char *text, const char *what)
{
	const struct script_statement *origin = walk->origin;
	size_t at = (size_t)(text - origin->text);

	if (walk->inputs->obstacle)
		return;
	script_inputs_obstacle(walk->inputs, origin->origin.file,
		origin_line(&origin->origin, origin->text, origin->length, at), what);
}

void walk_varies(struct walk *walk, const char *text, const char *what)
{
	const struct script_statement *origin = walk->origin;

	if (walk->inputs->varying.count >= SCRIPT_INPUTS_VARYING)
		return;
	script_inputs_varies(walk->inputs, origin->origin.file,
		origin_line(&origin->origin, origin->text, origin->length,
			(size_t)(text - origin->text)),
		what);
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
	case KEYWORD_ANALYZE:
	case KEYWORD_CLUSTER:
	case KEYWORD_COMMIT:
	case KEYWORD_CREATE:
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
		/* Other languages have other words for the time of day. */
		if (walk->depth == 0 && walk->statement.first == KEYWORD_DO &&
			!walk_next_is(walk, "plpgsql"))
			walk_varies(walk, text, "DO in another language");
		return;
	default:
		return;
	}
	if (walk->statement.runs && is_expression(walk, text))
		walk_varies(walk, text, keyword_name(keyword));
}

void walk_word(struct walk *walk, const char *text, enum keyword keyword)
{
	follow(walk, keyword);
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

/* What may stand beside today: '10:00', '+02', 'utc', 'am'. */
static bool is_time(const char *text, size_t length)
{
	static const char *const words[] = { "allballs", "am", "gmt", "pm", "utc", "z", "zulu" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i]) == length && strncasecmp(words[i], text, length) == 0)
			return true;
	for (size_t i = 0; i < length; i++)
		if (!strchr("0123456789:.+-,", text[i]))
			return false;
	return true;
}

static bool is_relative(const char *text, size_t length)
{
	static const char *const words[] = { "allballs", "now", "today", "tomorrow", "yesterday" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i]) == length && strncasecmp(words[i], text, length) == 0)
			return true;
	return false;
}

static const bool may_begin_time[256] = {
	['\t' ... '\r'] = true,
	[' '] = true,
	['+' ... '.'] = true,
	['0' ... ':'] = true,
	['A'] = true,
	['G'] = true,
	['N'] = true,
	['P'] = true,
	['T'] = true,
	['U'] = true,
	['Y'] = true,
	['Z'] = true,
	['a'] = true,
	['g'] = true,
	['n'] = true,
	['p'] = true,
	['t'] = true,
	['u'] = true,
	['y'] = true,
	['z'] = true,
};

void walk_literal(struct walk *walk, const char *text, size_t length)
{
	const struct walk_statement *statement = &walk->statement;
	const char *end = text + length, *p = text;
	bool relative = false;

	/* Longer ones than "yesterday 10:00:00.000000+02:00" are texts, as are most others. */
	if (length < 3 || length > 48 || !may_begin_time[(unsigned char)*p] ||
		!(statement->runs ||
			(walk->depth == 0 && (statement->first == KEYWORD_CREATE ||
						     statement->first == KEYWORD_ALTER))))
		return;
	while (p < end) {
		const char *from = p;

		if (isspace((unsigned char)*p)) {
			p++;
			continue;
		}
		while (p < end && !isspace((unsigned char)*p))
			p++;
		if (is_relative(from, (size_t)(p - from)))
			relative = true;
		else if (!is_time(from, (size_t)(p - from)))
			return;
	}
	if (relative) {
		CLEANUP(mem_cleanup) char *what = mem_printf("'%.*s'", (int)length, text);

		walk_varies(walk, text, what);
	}
}
