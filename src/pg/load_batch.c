/* Statements that travel together: collecting them, sending them, whose answer is whose. */
#include "base/mem.h"
#include "pg/load_internal.h"
#include "sql/classify.h"
#include "sql/mask.h"

#include <stdlib.h>
#include <string.h>

#define MOST_STATEMENTS 16384
/* Bytes of a request. */
#define WAIT_FROM ((size_t)16 << 20)
#define SQLSTATE_NONE "00000"

size_t load_limit(const struct loader *loader)
{
	if (loader->options->batch == 0 || !script_stops_on_error(loader->script))
		return 0;
	if (!loader->transaction && PQtransactionStatus(loader->conn->pg) != PQTRANS_INTRANS)
		return 0;
	return loader->batch_bytes;
}

struct load_item *load_current(struct loader *loader)
{
	struct load_batch *batch = &loader->batch;

	if (batch->count == 0)
		return NULL;
	return &batch->items[batch->done < batch->count ? batch->done : batch->count - 1];
}

static void reset_batch(struct load_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		origin_detail_free(batch->items[i].origin.detail);
	batch->count = batch->done = 0;
	strbuf_reset(&batch->text);
	strbuf_reset(&batch->data);
	batch->sent = NULL;
	batch->changes = batch->open = batch->streaming = batch->in_copy = false;
	batch->commits = batch->committed = batch->rolled_back = batch->rolls_back = false;
	batch->answers = 0;
	batch->prefix = batch->skip = 0;
}

void load_batch_release(struct load_batch *batch)
{
	reset_batch(batch);
	strbuf_release(&batch->text);
	strbuf_release(&batch->data);
	mem_free(batch->items);
	PQclear(batch->kept);
}

/*
 * Between two statements: the semicolon that the first may lack, because a meta-command or the end
 * of the file ended it. One in a comment is none; a second one does no harm.
 */
static void separate(struct strbuf *text)
{
	const char *line = text->length ? memrchr(text->data, '\n', text->length) : NULL;
	size_t at = line ? (size_t)(line - text->data) : 0;

	if (text->length == 0)
		return;
	if (text->data[text->length - 1] != ';' ||
		memmem(text->data + at, text->length - at, "--", 2))
		strbuf_adds(text, "\n;");
	strbuf_addc(text, '\n');
}

static void add_item(struct loader *loader, const struct script_statement *statement, bool borrow)
{
	struct load_batch *batch = &loader->batch;
	struct load_item *item;

	if (batch->count == batch->capacity) {
		batch->capacity = batch->capacity ? batch->capacity * 2 : 64;
		batch->items = mem_resize(batch->items, batch->capacity, sizeof(*batch->items));
	}
	separate(&batch->text);
	item = &batch->items[batch->count++];
	*item = (struct load_item){ .at = batch->text.length,
		.length = statement->length,
		.origin = statement->origin,
		.class = statement->class,
		.several = statement->several };
	if (statement->origin.detail)
		item->origin.detail = origin_detail_copy(statement->origin.detail);
	if (borrow) {
		batch->sent = statement->text;
		batch->sent_length = statement->length;
	} else {
		strbuf_add(&batch->text, statement->text, statement->length);
	}
}

/* --- notices -------------------------------------------------------------------------------- */

struct held_notice {
	char *texts[6];
};

static void tell_notice(struct loader *loader, const struct notice *notice)
{
	const struct load_item *item = load_current(loader);

	if (!loader->observer->notice || !item)
		return;
	loader->observer->notice(loader->observer->context, item->origin.file,
		origin_line(&item->origin, loader->batch.sent + item->at, item->length, 0), notice);
}

/*
 * libpq passes notices on while it reads ahead: one that came behind a result which has not been
 * fetched is of the statement after it. Whether there is such a result libpq says in one way only:
 * the single-row mode, which is on anyway, cannot be set then.
 */
void load_notice(void *context, const struct notice *notice)
{
	struct loader *loader = context;
	struct load_batch *batch = &loader->batch;
	const char *const texts[] = { notice->severity, notice->sqlstate, notice->message,
		notice->detail, notice->hint, notice->context };
	struct held_notice *held;

	loader->unexplained_since = 0;
	if (batch->count - batch->done < 2 || batch->in_copy ||
		PQsetSingleRowMode(loader->conn->pg)) {
		tell_notice(loader, notice);
		return;
	}
	loader->held = mem_resize(loader->held, loader->held_count + 1, sizeof(*loader->held));
	held = &loader->held[loader->held_count++];
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		held->texts[i] = mem_strdup(texts[i]);
}

static void release_notices(struct loader *loader)
{
	for (size_t i = 0; i < loader->held_count; i++) {
		char **texts = loader->held[i].texts;
		const struct notice notice = { texts[0], texts[1], texts[2], texts[3], texts[4],
			texts[5] };

		tell_notice(loader, &notice);
		for (size_t j = 0; j < ARRAY_SIZE(loader->held[i].texts); j++)
			mem_free(texts[j]);
	}
	loader->held_count = 0;
}

/* --- results -------------------------------------------------------------------------------- */

static void remember_failure(struct loader *loader, const struct err *err)
{
	struct script_status *status = &loader->status;

	status->known = true;
	status->failed = true;
	status->rows = 0;
	snprintf(status->sqlstate, sizeof(status->sqlstate), "%s", err->sqlstate);
	memcpy(status->last_sqlstate, status->sqlstate, sizeof(status->sqlstate));
	mem_free(loader->last_message);
	loader->last_message = mem_strdup(err->message);
	status->last_message = loader->last_message;
}

/* Only what ends in a command tag is a statement's result: a rule may add others before it. */
static void count_result(struct loader *loader, PGresult *result)
{
	struct load_batch *batch = &loader->batch;
	const char *tag = PQcmdStatus(result);

	if (!*tag && PQresultStatus(result) != PGRES_EMPTY_QUERY)
		return;
	if (batch->skip > 0) {
		batch->skip--;
		return;
	}
	if (batch->commits && batch->done == batch->count) {
		batch->committed = batch->committed || strcmp(tag, "COMMIT") == 0;
		batch->rolled_back = batch->rolled_back || strcmp(tag, "ROLLBACK") == 0;
		return;
	}
	if (batch->done < batch->count && (batch->count > 1 || batch->done == 0)) {
		batch->done++;
		loader->counts->statements++;
	}
	load_note_end(loader, tag);
	batch->answers++;
	batch->rolls_back = strcmp(tag, "ROLLBACK") == 0;
	loader->status.known = true;
	loader->status.failed = false;
	snprintf(loader->status.sqlstate, sizeof(loader->status.sqlstate), SQLSTATE_NONE);
	loader->status.rows = strtoull(PQcmdTuples(result), NULL, 10);
	if (strncmp(tag, "COPY ", 5) == 0)
		loader->counts->rows += loader->status.rows;
}

/* One result; sets *failed when the server refused the statement. */
static int take_result(struct loader *loader, PGresult **result, bool *failed, struct err *err)
{
	switch (PQresultStatus(*result)) {
	case PGRES_COPY_IN:
		release_notices(loader);
		return load_copy_in(loader, err);
	case PGRES_COPY_OUT:
		release_notices(loader);
		return load_copy_out(loader, err);
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_SINGLE_TUPLE:
	case PGRES_EMPTY_QUERY:
		if (loader->batch.skip > 0 && PQntuples(*result) > 0)
			load_note_process(loader, PQgetvalue(*result, 0, 0));
		count_result(loader, *result);
		release_notices(loader);
		if (loader->keep_result && PQresultStatus(*result) == PGRES_TUPLES_OK) {
			PQclear(loader->batch.kept);
			loader->batch.kept = take_ptr(*result);
		}
		return 0;
	default:
		release_notices(loader);
		if (!*failed) {
			if (loader->batch.commits && loader->batch.done == loader->batch.count)
				conn_result_error(loader->conn, *result, ERR_FAILED, err);
			else
				load_result_error(loader, *result, err);
			remember_failure(loader, err);
		}
		*failed = true;
		return err->kind == ERR_CONNECT ? -1 : 0;
	}
}

void load_abandon(struct loader *loader, struct err *err)
{
	/* The cause is in err; the server may add that the COPY was given up. */
	if (err->kind != ERR_CONNECT)
		conn_drain(loader->conn);
	conn_take_interrupt(loader->conn, err);
}

int load_take_results(struct loader *loader, struct err *err)
{
	bool failed = false;

	for (;;) {
		CLEANUP(result_cleanup) PGresult *result = NULL;

		if (conn_next_result(loader->conn, &result, err) != 0)
			return -1;
		if (!result)
			break;
		if (take_result(loader, &result, &failed, err) != 0) {
			load_abandon(loader, err);
			return -1;
		}
		if (loader->batch.streaming)
			return 0;
	}
	if (conn_take_interrupt(loader->conn, err) != 0)
		return -1;
	return failed ? -1 : 0;
}

/* --- sending -------------------------------------------------------------------------------- */

static struct load_reading how_read(PGconn *pg)
{
	const char *standard = PQparameterStatus(pg, "standard_conforming_strings");
	const char *encoding = PQparameterStatus(pg, "client_encoding");
	struct load_reading reading;

	snprintf(reading.standard_strings, sizeof(reading.standard_strings), "%s",
		standard ? standard : "on");
	snprintf(reading.encoding, sizeof(reading.encoding), "%s", encoding ? encoding : "");
	return reading;
}

/*
 * What was cut into statements by one rule must not be run under another: the statement that
 * changed the rule should have been the last of its batch.
 */
static int follow_reading(struct loader *loader, struct err *err)
{
	const struct load_batch *batch = &loader->batch;
	const struct load_reading *before = &batch->reading;
	struct load_reading now = how_read(loader->conn->pg);
	const char *changed = NULL;

	if (strcmp(now.standard_strings, before->standard_strings) != 0) {
		changed = "standard_conforming_strings";
		script_set_standard_strings(
			loader->script, strcmp(now.standard_strings, "off") != 0);
	}
	if (strcmp(now.encoding, before->encoding) != 0) {
		changed = "client_encoding";
		script_set_encoding(loader->script, now.encoding);
	}
	/* After COMMIT all settings are what they were. */
	if (!changed || (batch->count == 1 && !loader->read_ahead) || batch->changes ||
		batch->commits)
		return 0;
	err_set(err, ERR_SQL, "%s changed inside a batch", changed);
	load_place_item(loader, &batch->items[0], 0, err);
	err_detail(err,
		"It was changed by a statement between this one and line %zu; what was read "
		"behind it may have been misread.",
		batch->items[batch->count - 1].origin.start.line);
	err_hint(err, "--batch off sends each statement by itself.");
	return -1;
}

/* What is behind the last answer: all of it was run, and the next can be collected. */
static int finish(struct loader *loader, struct err *err)
{
	struct load_batch *batch = &loader->batch;
	struct load_item *last = &batch->items[batch->count - 1];
	int result = load_follow_transaction(loader, last, err);

	if (result == 0)
		result = follow_reading(loader, err);
	reset_batch(batch);
	load_progress(loader);
	return result;
}

/*
 * Without waiting libpq moves all that is left to the front after each write, which takes
 * quadratic time: what is very large is waited for, and a signal with it.
 */
static int send_text(struct loader *loader, struct err *err)
{
	const struct load_batch *batch = &loader->batch;
	PGconn *pg = loader->conn->pg;
	bool waits = batch->sent_length > WAIT_FROM && PQsetnonblocking(pg, 0) == 0;
	bool sent = PQsendQuery(pg, batch->sent);

	if (waits && PQsetnonblocking(pg, 1) != 0)
		sent = false;
	return sent ? 0 : conn_send_error(loader->conn, err);
}

static int send_batch(struct loader *loader, struct err *err)
{
	struct load_batch *batch = &loader->batch;
	PGconn *pg = loader->conn->pg;

	if (loader->begin_due && batch->sent && load_ensure_begun(loader, err) != 0)
		return -1;
	if (loader->begin_due)
		load_enclose(loader);
	if (!batch->sent) {
		batch->sent = batch->text.data;
		batch->sent_length = batch->text.length;
	}
	batch->reading = how_read(pg);
	loader->lock_told = false;
	if (send_text(loader, err) != 0)
		return -1;
	/* Rows are dropped one by one instead of being collected. */
	if (!loader->keep_result)
		PQsetSingleRowMode(pg);
	return conn_flush(loader->conn, err);
}

static int exchange(struct loader *loader, struct err *err)
{
	return send_batch(loader, err) == 0 ? load_take_results(loader, err) : -1;
}

/* What became of the COMMIT behind the statements? */
static int end_of_run(struct loader *loader, int result, struct err *err)
{
	const struct load_batch *batch = &loader->batch;

	loader->committed = batch->committed;
	if (result == 0 && !batch->rolled_back)
		return 0;
	loader->counts->commit_sent = true;
	return load_tell_outcome(loader, batch->committed, err);
}

int load_flush(struct loader *loader, struct err *err)
{
	struct load_batch *batch = &loader->batch;
	int result;

	if (batch->count == 0)
		return 0;
	if (batch->streaming) {
		/* The data are complete. */
		batch->streaming = false;
		result = load_take_results(loader, err);
	} else {
		result = exchange(loader, err);
		if (result != 0 && batch->skip > 0 && load_cannot_watch(loader, err) &&
			load_begin_plainly(loader, err) == 0)
			result = exchange(loader, err);
		if (result == 0 && batch->streaming)
			return 0;
	}
	/* Lost, or given up on, in its midst: COMMIT may have been reached. */
	if (batch->commits && (batch->done == batch->count || err->kind == ERR_CONNECT ||
				      err->kind == ERR_INTERRUPTED))
		result = end_of_run(loader, result, err);
	if (result == 0)
		return finish(loader, err);
	load_note_loss(loader, err);
	reset_batch(batch);
	return -1;
}

int load_flush_last(struct loader *loader, struct err *err)
{
	struct load_batch *batch = &loader->batch;

	batch->commits = loader->begin_due && !batch->sent && !batch->open && batch->count > 0;
	return load_flush(loader, err);
}

int load_failed(struct loader *loader, struct err *err)
{
	if (!load_goes_on(loader) || err->kind != ERR_SQL || !err->sqlstate[0])
		return -1;
	load_count_failure(loader, err);
	return 0;
}

/* --- collecting ----------------------------------------------------------------------------- */

static void observe(struct loader *loader, const struct script_statement *statement)
{
	CLEANUP(strbuf_release) struct strbuf masked = STRBUF_INIT_UNBOUNDED;

	if (!loader->observer->statement)
		return;
	sql_mask(statement->text, statement->length, &masked);
	loader->observer->statement(loader->observer->context, masked.data, masked.length);
}

static bool is_ordinary(enum script_class class)
{
	return class == SCRIPT_CLASS_OTHER || class == SCRIPT_CLASS_COPY_FROM_STDIN;
}

/* With AUTOCOMMIT off a transaction begins by itself; of several psql looks at the first. */
static int begin_if_needed(
	struct loader *loader, const struct script_statement *statement, struct err *err)
{
	if (loader->transaction || script_autocommits(loader->script) ||
		PQtransactionStatus(loader->conn->pg) != PQTRANS_IDLE ||
		!is_ordinary(classify_statement(statement->text, statement->length, NULL)))
		return 0;
	if (conn_exec(loader->conn, "BEGIN", err) != 0)
		return -1;
	loader->begun_file = statement->origin.file;
	loader->begun_line = statement->origin.start.line;
	return 0;
}

/* What every statement goes through before it is taken. */
static int prepare(struct loader *loader, const struct script_statement *statement, struct err *err)
{
	if (load_protect(loader, statement, err) != 0 ||
		load_check_allowed(loader, statement, err) != 0 ||
		begin_if_needed(loader, statement, err) != 0)
		return -1;
	loader->any_statement = true;
	observe(loader, statement);
	return 0;
}

/* Sends what came before a statement that was already read. */
static int flush_before(struct loader *loader, struct err *err)
{
	int result;

	loader->read_ahead = true;
	result = load_flush(loader, err);
	loader->read_ahead = false;
	return result;
}

static int flush_or_fail(struct loader *loader, struct err *err)
{
	return load_flush(loader, err) == 0 ? 0 : load_failed(loader, err);
}

int load_alone(struct loader *loader, const struct script_statement *statement, bool generated,
	PGresult **ret_result, struct err *err)
{
	struct script_statement judged = *statement;
	int result;

	if (generated)
		script_classify(loader->script, &judged);
	if (load_ensure_begun(loader, err) != 0 || prepare(loader, &judged, err) != 0)
		return -1;
	add_item(loader, &judged, true);
	loader->batch.items[0].generated = generated;
	loader->keep_result = ret_result != NULL;
	result = load_flush(loader, err);
	loader->keep_result = false;
	if (ret_result)
		*ret_result = result == 0 ? loader->batch.kept : NULL;
	if (!ret_result || result != 0)
		PQclear(loader->batch.kept);
	loader->batch.kept = NULL;
	return result;
}

int load_statement(struct loader *loader, const struct script_statement *statement, struct err *err)
{
	struct load_batch *batch = &loader->batch;
	bool copies = statement->class == SCRIPT_CLASS_COPY_FROM_STDIN && !statement->several;
	bool alone = statement->several || !is_ordinary(statement->class) ||
		     statement->length >= load_limit(loader);
	size_t most;

	if (alone && batch->count > 0 && flush_before(loader, err) != 0)
		return -1;
	if (prepare(loader, statement, err) != 0)
		return -1;
	/* Only now: a transaction may have been begun or given up. */
	most = load_limit(loader);
	alone = alone || statement->length >= most;
	add_item(loader, statement, alone && !copies);
	if (copies)
		return load_collect_copy(loader, err) == 0 ? 0 : load_failed(loader, err);
	batch->changes = statement->changes_reading;
	if (alone || batch->changes || batch->count >= MOST_STATEMENTS ||
		batch->text.length + batch->data.length >= most)
		return flush_or_fail(loader, err);
	return 0;
}
