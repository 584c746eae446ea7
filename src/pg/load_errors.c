/* From what the server says of an error to the place in the file. */
#include "base/mem.h"
#include "base/utf8.h"
#include "pg/load_internal.h"
#include "sql/mask.h"
#include "sql/scan.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Bytes of a query that a message quotes. */
#define QUERY_SHOWN ((size_t)1000)

#define SQLSTATE_IN_TRANSACTION "25001"
#define SQLSTATE_TERMINATION "2D000"
#define SQLSTATE_IN_USE "55006"
#define SQLSTATE_UNSAFE_VALUE "55P04"
#define SQLSTATE_INVALID_BYTES "22021"
#define SQLSTATE_NO_EQUIVALENT "22P05"

void load_place(const struct script_statement *statement, struct err *err)
{
	origin_place(&statement->origin, statement->length ? statement->text : "",
		statement->length, 0, err);
	/* A meta-command's place comes without its text. */
	if (statement->length == 0)
		mem_free(take_ptr(err->place.excerpt));
}

void load_place_item(
	struct loader *loader, const struct load_item *item, size_t at, struct err *err)
{
	if (item->generated)
		load_place(loader->generator, err);
	else
		origin_place(&item->origin, loader->batch.sent + item->at, item->length, at, err);
}

/* PostgreSQL counts characters of the client encoding, from 1. */
static size_t byte_of_character(
	const struct loader *loader, const char *text, size_t length, const char *position)
{
	int encoding = PQclientEncoding(loader->conn->pg);
	long character = strtol(position, NULL, 10);
	size_t at = 0;

	while (--character > 0 && at < length) {
		int size = PQmblen(text + at, encoding);

		at += size > 0 ? (size_t)size : 1;
	}
	return at < length ? at : length;
}

/* The statement that byte at of what was sent belongs to. */
static struct load_item *item_at(struct loader *loader, size_t at)
{
	struct load_batch *batch = &loader->batch;
	size_t low = 0, high = batch->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (batch->items[middle].at <= at)
			low = middle;
		else
			high = middle;
	}
	return &batch->items[low];
}

/* The first byte that is not UTF-8; length: none. */
static size_t find_invalid(const char *text, size_t length)
{
	uint32_t code;
	size_t at = 0;

	while (at < length) {
		size_t size = utf8_decode(text + at, length - at, &code);

		if (size == 0)
			break;
		at += size;
	}
	return at;
}

/* The bytes that a message names as "0xe2 0x82 0xac"; how many. */
static size_t named_bytes(const char *message, char bytes[8])
{
	size_t count = 0;

	for (const char *at = strstr(message, "0x"); at && count < 8 && strncmp(at, "0x", 2) == 0;
		at += 5) {
		bytes[count++] = (char)strtoul(at, NULL, 16);
		if (at[4] != ' ')
			break;
	}
	return count;
}

/*
 * The whole request is converted to the server's encoding before anything of it runs. When that
 * fails, which statement it was is found by the bytes that the server names; NULL: by none.
 */
static struct load_item *unconvertible_item(struct loader *loader, const struct err *err)
{
	struct load_batch *batch = &loader->batch;
	const char *encoding = PQparameterStatus(loader->conn->pg, "client_encoding");
	bool invalid = strcmp(err->sqlstate, SQLSTATE_INVALID_BYTES) == 0;
	size_t at = batch->sent_length;
	char bytes[8];

	if (batch->done > 0 || (!invalid && strcmp(err->sqlstate, SQLSTATE_NO_EQUIVALENT) != 0))
		return NULL;
	if (invalid && encoding && strcmp(encoding, "UTF8") == 0) {
		at = find_invalid(batch->sent, batch->sent_length);
	} else {
		size_t count = named_bytes(err->message, bytes);
		const char *found =
			count ? memmem(batch->sent, batch->sent_length, bytes, count) : NULL;

		if (found)
			at = (size_t)(found - batch->sent);
	}
	return at < batch->sent_length ? item_at(loader, at) : NULL;
}

/* --- inside function bodies ----------------------------------------------------------------- */

/* Where the body of a DO statement begins; NULL: it is none. */
static const char *do_body(const char *text, size_t length)
{
	const char *end = text + length;
	const char *at = text + 2;

	if (length < 4 || strncasecmp(text, "do", 2) != 0 ||
		!(isspace((unsigned char)*at) || *at == '$' || *at == '\''))
		return NULL;
	for (; at < end; at++) {
		const char *tag = at + 1;

		if (*at == '\'')
			return tag;
		if (*at != '$')
			continue;
		while (tag < end && (isalnum((unsigned char)*tag) || *tag == '_' || *tag & 0x80))
			tag++;
		if (tag < end && *tag == '$')
			return tag + 1;
	}
	return NULL;
}

/* The first byte of a line that the CONTEXT of an error counts in the body of a DO; NULL: none. */
static const char *do_line(const char *text, size_t length, const char *context)
{
	static const char begin[] = "PL/pgSQL function inline_code_block line ";
	const char *named = context ? strstr(context, begin) : NULL;
	const char *at = named ? do_body(text, length) : NULL;
	const char *end = text + length;
	unsigned long line;

	if (!at)
		return NULL;
	for (line = strtoul(named + strlen(begin), NULL, 10); line > 1; line--) {
		at = memchr(at, '\n', (size_t)(end - at));
		if (!at)
			return NULL;
		at++;
	}
	return at;
}

static const char *find(const char *text, const char *end, const char *what, size_t length)
{
	if (length == 0 || text >= end)
		return NULL;
	return memmem(text, (size_t)(end - text), what, length);
}

/*
 * The place in the statement where a query stands that a function ran: the only one that reads so,
 * or the first from the line on that is known. NULL: none.
 */
static const char *find_query(
	const char *text, size_t length, const char *line, const char *query, size_t query_length)
{
	const char *end = text + length;
	const char *first = find(text, end, query, query_length);

	if (!first || !find(first + 1, end, query, query_length))
		return first;
	return line ? find(line, end, query, query_length) : NULL;
}

/* Byte of the statement's text the error is at; 0 when nothing better than its begin is known. */
static size_t place_inside(
	struct loader *loader, const struct load_item *item, const PGresult *result)
{
	static const char wrapper[] = "SELECT ";
	const char *text = loader->batch.sent + item->at;
	const char *query = PQresultErrorField(result, PG_DIAG_INTERNAL_QUERY);
	const char *position = PQresultErrorField(result, PG_DIAG_INTERNAL_POSITION);
	const char *line = do_line(text, item->length, PQresultErrorField(result, PG_DIAG_CONTEXT));
	const char *found;

	if (query && position) {
		size_t length = strlen(query);
		size_t at = byte_of_character(loader, query, length, position);

		found = find_query(text, item->length, line, query, length);
		if (found)
			return (size_t)(found - text) + at;
		/* Until 13 PL/pgSQL makes queries of its expressions. */
		if (strncmp(query, wrapper, strlen(wrapper)) == 0 && at >= strlen(wrapper)) {
			found = find_query(text, item->length, line, query + strlen(wrapper),
				length - strlen(wrapper));
			if (found)
				return (size_t)(found - text) + at - strlen(wrapper);
		}
	}
	/* What stands on the first line is the statement itself as well. */
	if (!line || !memchr(text, '\n', (size_t)(line - text)))
		return 0;
	while (line < text + item->length && (*line == ' ' || *line == '\t'))
		line++;
	return (size_t)(line - text);
}

/* --- COPY ----------------------------------------------------------------------------------- */

/* The line "COPY t, line 12, column x": the number behind its "line "; 0: none. */
static size_t copy_line(const char *context)
{
	while (context) {
		const char *end = strchr(context, '\n');
		const char *line =
			strncmp(context, "COPY ", 5) == 0 ? strstr(context, ", line ") : NULL;

		if (line && (!end || line < end))
			return (size_t)strtoul(line + 7, NULL, 10);
		context = end ? end + 1 : NULL;
	}
	return 0;
}

/* What a transaction of its own for each statement would allow. */
static bool is_of_transaction(const char *sqlstate)
{
	static const char *const states[] = { SQLSTATE_IN_TRANSACTION, SQLSTATE_TERMINATION,
		SQLSTATE_IN_USE, SQLSTATE_UNSAFE_VALUE };

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (strcmp(sqlstate, states[i]) == 0)
			return true;
	return false;
}

/* An error in a row of COPY data is where the row is. */
static void place_in_data(
	struct loader *loader, const struct load_item *item, size_t line, struct err *err)
{
	const struct script_action *action = loader->copy.action;
	bool from_file = action && action->copy.from && action->copy.where != SCRIPT_COPY_SCRIPT;

	if (line == 0 || (!from_file && item->copy_line == 0))
		return;
	if (from_file) {
		mem_free(err->place.file);
		err->place.file = mem_strdup(
			action->copy.where == SCRIPT_COPY_FILE ? action->copy.file : "<stdin>");
	}
	err->place.line = (from_file ? 1 : item->copy_line) + line - 1;
	err->place.column = 0;
	mem_free(take_ptr(err->place.excerpt));
}

/* --- several in one -------------------------------------------------------------------------- */

size_t load_part_at(const struct loader *loader, const char *text, size_t length, size_t part)
{
	CLEANUP(scan_release) struct scan scan;
	enum scan_stop stop = SCAN_SEMICOLON;
	size_t at = 0, taken;

	scan_init(&scan);
	scan.standard_strings = strcmp(loader->batch.reading.standard_strings, "off") != 0;
	while (part > 0 && stop != SCAN_MORE) {
		stop = scan_feed(&scan, text + at, length - at, &taken);
		at += taken;
		if (stop == SCAN_SEMICOLON) {
			part -= scan.first != SCAN_NONE;
			scan_next(&scan);
		} else if (stop != SCAN_MORE) {
			scan_take(&scan, 1);
			at++;
		}
	}
	while (at < length && isspace((unsigned char)text[at]))
		at++;
	return at < length ? at : 0;
}

/* --- all together --------------------------------------------------------------------------- */

/* Replaces what the error repeats of a password in one of these texts. */
static void mask_repeated(struct err *err, const char *text, size_t length)
{
	char **texts[] = { &err->message, &err->detail, &err->hint, &err->context };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char *masked;

		if (!*texts[i])
			continue;
		masked = sql_mask_message(text, length, *texts[i]);
		mem_free(*texts[i]);
		*texts[i] = masked;
	}
}

/* The server repeats words of the statement, and of what its functions made and ran. */
static void mask_error(struct loader *loader, const struct load_item *item, const PGresult *result,
	struct err *err)
{
	const char *made[] = { PQresultErrorField(result, PG_DIAG_INTERNAL_QUERY),
		PQresultErrorField(result, PG_DIAG_CONTEXT) };

	mask_repeated(err, loader->batch.sent + item->at, item->length);
	for (size_t i = 0; i < ARRAY_SIZE(made); i++)
		if (made[i])
			mask_repeated(err, made[i], strlen(made[i]));
}

/* What stands nowhere in the script: the statement of a \gexec, a query that a function made. */
static void tell_query(struct err *err, const char *query)
{
	CLEANUP(strbuf_release) struct strbuf masked = STRBUF_INIT_UNBOUNDED;
	bool cut;

	sql_mask(query, strlen(query), &masked);
	cut = masked.length > QUERY_SHOWN;
	err_detail_line(err, "The query was: %.*s%s", (int)(cut ? QUERY_SHOWN : masked.length),
		masked.data, cut ? "..." : "");
}

/* The server may have answered more than has arrived. */
static void tell_range(struct loader *loader, const struct load_item *item, struct err *err)
{
	const struct load_batch *batch = &loader->batch;
	const struct load_item *last = &batch->items[batch->count - 1];

	if (item != last && item->origin.start.line != last->origin.start.line)
		err_detail_line(err, "The statements up to line %zu were sent together.",
			last->origin.start.line);
}

int load_result_error(struct loader *loader, const PGresult *result, struct err *err)
{
	const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
	const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);
	const char *query = PQresultErrorField(result, PG_DIAG_INTERNAL_QUERY);
	struct load_batch *batch = &loader->batch;
	struct load_item *item = load_current(loader), *other;
	size_t at = 0;

	/* The last answer to what is in front of the statements. */
	if (load_first_pending(loader) && batch->skip == 1) {
		conn_result_error(loader->conn, result, ERR_FAILED, err);
		loader->counts->first_failed = err->kind == ERR_FAILED;
		return -1;
	}
	conn_result_error(loader->conn, result, ERR_SQL, err);
	if (!item)
		return -1;
	if (position) {
		at = byte_of_character(loader, batch->sent, batch->sent_length, position);
		item = item_at(loader, at);
		at -= item->at;
	} else if ((other = unconvertible_item(loader, err))) {
		item = other;
	} else {
		at = place_inside(loader, item, result);
		if (at == 0 && batch->count == 1 && batch->answers > 0)
			at = load_part_at(
				loader, batch->sent + item->at, item->length, batch->answers);
	}
	load_place_item(loader, item, at, err);
	if (item->generated)
		query = batch->sent;
	if (query && (item->generated || at == 0))
		tell_query(err, query);
	place_in_data(loader, item, copy_line(context), err);
	if (err->kind == ERR_CONNECT)
		tell_range(loader, item, err);
	if (loader->transaction && is_of_transaction(err->sqlstate))
		load_hint_plain(loader, err);
	mask_error(loader, item, result, err);
	return -1;
}
