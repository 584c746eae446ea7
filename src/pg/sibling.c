#include "pg/sibling.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "queries.h"

#include <stdlib.h>
#include <string.h>

/* NAMEDATALEN - 1, as every server has it that was not built by hand. */
#define NAME_BYTES 63

#define INFIX ".dbrig-"
#define MAKING "making-"
#define TAG_DIGITS 8

/* --- names ----------------------------------------------------------------------------------- */

static const struct {
	enum mark_kind kind;
	const char *word;
} words[] = {
#define X(kind, word) { MARK_##kind, word },
	MARK_KINDS(X)
#undef X
};

static const char *word_of(enum mark_kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i].kind == kind)
			return words[i].word;
	BUG("a sibling without a kind");
}

/* The first digits of SHA-256. */
static void short_digest(const char *text, char ret_digits[static TAG_DIGITS + 1])
{
	struct digest digest = DIGEST_INIT;
	char hex[DIGEST_HEX_SIZE];

	digest_add(&digest, text, strlen(text));
	digest_end(&digest, hex);
	memcpy(ret_digits, hex, TAG_DIGITS);
	ret_digits[TAG_DIGITS] = '\0';
}

static void add_tag(struct strbuf *suffix, const char *tag)
{
	char digits[TAG_DIGITS + 1];
	size_t length = strlen(tag);

	if (length <= TAG_DIGITS && strspn(tag, "0123456789abcdef") == length) {
		strbuf_addf(suffix, "-%s", tag);
		return;
	}
	short_digest(tag, digits);
	strbuf_addf(suffix, "-%s", digits);
}

/* How many bytes of text fit in without cutting a character. */
static size_t whole_characters(const char *text, size_t limit)
{
	size_t length = limit;

	while (length > 0 && limit - length < 3 && ((unsigned char)text[length] & 0xC0) == 0x80)
		length--;
	/* Not UTF-8: anywhere is as good. */
	return ((unsigned char)text[length] & 0xC0) == 0x80 ? limit : length;
}

char *sibling_name(const char *database, enum mark_kind kind, const char *tag, bool making)
{
	CLEANUP(strbuf_release) struct strbuf suffix = STRBUF_INIT;
	char digits[TAG_DIGITS + 1];
	size_t room;

	strbuf_addf(&suffix, INFIX "%s%s", making ? MAKING : "", word_of(kind));
	if (tag && *tag)
		add_tag(&suffix, tag);
	room = NAME_BYTES - suffix.length;
	if (strlen(database) <= room)
		return mem_printf("%s%s", database, suffix.data);
	short_digest(database, digits);
	room = whole_characters(database, room - 1 - TAG_DIGITS);
	return mem_printf("%.*s~%s%s", (int)room, database, digits, suffix.data);
}

/* Skips text at *at. */
static bool skip(const char **at, const char *text)
{
	size_t length = strlen(text);

	if (strncmp(*at, text, length) != 0)
		return false;
	*at += length;
	return true;
}

/*
 * Takes a name of ours apart: true when it is the one that a sibling of that kind gets, whatever
 * its tag is.
 */
static bool parse_name(
	const char *database, const char *name, enum mark_kind *ret_kind, bool *ret_making)
{
	CLEANUP(mem_cleanup) char *expected = NULL;
	const char *at = name, *next;
	enum mark_kind kind = MARK_NONE;

	/* The last one: the database's own name may hold another. */
	while ((next = strstr(at, INFIX)))
		at = next + strlen(INFIX);
	if (at == name)
		return false;
	*ret_making = skip(&at, MAKING);
	for (size_t i = 0; i < ARRAY_SIZE(words) && kind == MARK_NONE; i++)
		if (skip(&at, words[i].word))
			kind = words[i].kind;
	if (kind == MARK_NONE)
		return false;
	if (*at == '-' && at[1])
		at++;
	else if (*at)
		return false;
	expected = sibling_name(database, kind, at, *ret_making);
	*ret_kind = kind;
	return strcmp(expected, name) == 0;
}

/* --- finding --------------------------------------------------------------------------------- */

static bool is_true(const PGresult *result, int row, int column)
{
	return strcmp(PQgetvalue(result, row, column), "t") == 0;
}

static void read_row(const PGresult *result, int row, struct sibling *sibling)
{
	*sibling = (struct sibling){
		.name = mem_strdup(PQgetvalue(result, row, 0)),
		.comment =
			PQgetisnull(result, row, 1) ? NULL : mem_strdup(PQgetvalue(result, row, 1)),
		.oid = (uint32_t)strtoul(PQgetvalue(result, row, 2), NULL, 10),
		.is_owner = is_true(result, row, 3),
		.invalid = is_true(result, row, 4),
		.allows_connections = is_true(result, row, 5),
		.owner = mem_strdup(PQgetvalue(result, row, 8)),
		.may_give = is_true(result, row, 9),
		.fits = is_true(result, row, 11),
	};
	mark_parse(sibling->comment, &sibling->mark);
}

static void sibling_release(struct sibling *sibling)
{
	mem_free(sibling->name);
	mem_free(sibling->comment);
	mem_free(sibling->owner);
	mark_release(&sibling->mark);
	*sibling = (struct sibling){ 0 };
}

/*
 * A mark goes along when somebody renames a database and so takes it for his own: only together
 * with the name does it count. A name alone counts where no mark was written yet.
 */
static bool belongs(struct sibling *sibling, const char *database)
{
	enum mark_kind kind;
	bool making;

	if (sibling->mark.kind != MARK_NONE && strcmp(sibling->mark.of, database) != 0)
		return false;
	if (sibling->mark.kind == MARK_COPY)
		return sibling->mark.tag && strcmp(sibling->mark.tag, sibling->name) == 0;
	if (!parse_name(database, sibling->name, &kind, &making))
		return false;
	if (sibling->mark.kind != MARK_NONE)
		return kind == sibling->mark.kind && !making &&
		       (kind != MARK_OLD || sibling->fits || sibling->is_owner);
	if (sibling->comment || (!making && kind != MARK_NEW))
		return false;
	sibling->mark.kind = MARK_NEW;
	sibling->mark.of = mem_strdup(database);
	return true;
}

/* One that was renamed, or came here in a dump, is nothing of ours. */
static void check_own_mark(struct sibling *self)
{
	const enum mark_kind kind = self->mark.kind;

	if ((kind == MARK_MADE || kind == MARK_LOADING) && strcmp(self->mark.of, self->name) != 0)
		mark_release(&self->mark);
}

static void sort_in(
	const PGresult *result, int row, const char *database, struct siblings *siblings)
{
	CLEANUP(mem_cleanup) char *old = sibling_name(database, MARK_OLD, NULL, false);
	struct sibling sibling = { 0 };

	read_row(result, row, &sibling);
	if (strcmp(sibling.name, database) == 0) {
		check_own_mark(&sibling);
		siblings->self = sibling;
		siblings->found = true;
	} else if (belongs(&sibling, database)) {
		siblings->items[siblings->count++] = sibling;
	} else if (strcmp(sibling.name, old) == 0) {
		siblings->in_the_way = sibling;
	} else {
		sibling_release(&sibling);
	}
}

/* What a mark of the database holds; the mark itself is parsed here, not by the server. */
static char *needle(const char *database)
{
	CLEANUP(mark_release)
	struct mark mark = { .kind = MARK_OLD, .of = mem_strdup(database) };
	CLEANUP(mem_cleanup) char *text = mark_apply(NULL, &mark);
	size_t start = strcspn(text, " ");

	/* Without the bracket at the end, where more fields follow. */
	return mem_strndup(text + start, strlen(text + start) - 1);
}

int siblings_find(
	struct conn *conn, const char *database, struct siblings *siblings, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;
	CLEANUP(mem_cleanup) char *field = needle(database);
	const char *values[] = { database, field };
	int rows;

	if (conn_query_row(conn, query_siblings, 2, values, &result, err) != 0)
		return -1;
	rows = PQntuples(result);
	siblings_release(siblings);
	siblings->items = mem_calloc((size_t)rows, sizeof(*siblings->items));
	for (int i = 0; i < rows; i++)
		if (!PQgetisnull(result, i, 0))
			sort_in(result, i, database, siblings);
	siblings->may_create = is_true(result, 0, 6);
	siblings->in_recovery = is_true(result, 0, 7);
	siblings->role = mem_strdup(PQgetvalue(result, 0, 10));
	return 0;
}

const struct sibling *siblings_get(
	const struct siblings *siblings, enum mark_kind kind, const char *key)
{
	for (size_t i = 0; i < siblings->count; i++) {
		const struct mark *mark = &siblings->items[i].mark;

		if (mark->kind == kind && (!key || strcmp(mark->key, key) == 0))
			return &siblings->items[i];
	}
	return NULL;
}

const char *siblings_owner_of_copy(const struct siblings *siblings, const struct sibling *source)
{
	return source && source->may_give ? source->owner : siblings->role;
}

void siblings_release(struct siblings *siblings)
{
	for (size_t i = 0; i < siblings->count; i++)
		sibling_release(&siblings->items[i]);
	mem_free(siblings->items);
	mem_free(siblings->role);
	sibling_release(&siblings->self);
	sibling_release(&siblings->in_the_way);
	*siblings = (struct siblings)SIBLINGS_INIT;
}
