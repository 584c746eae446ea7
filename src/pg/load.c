/* The life of a run: its transaction, its files one after the other, what it leaves behind. */
#include "pg/load.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "pg/load_internal.h"
#include "pg/lock_wait.h"
#include "sql/source.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

void load_remark(struct loader *loader, const char *text)
{
	if (loader->observer->remark)
		loader->observer->remark(loader->observer->context, text);
}

/* --- what the script asks and is told --------------------------------------------------------- */

bool load_goes_on(const struct loader *loader)
{
	return !loader->transaction && loader->script && !script_stops_on_error(loader->script);
}

void load_count_failure(struct loader *loader, struct err *err)
{
	loader->counts->failed++;
	if (loader->observer->failed)
		loader->observer->failed(loader->observer->context, err);
	err_release(err);
}

void load_progress(struct loader *loader)
{
	const struct load_progress progress = { .file = loader->file_index,
		.bytes = loader->bytes_before + (loader->script ? script_bytes(loader->script) : 0),
		.statements = loader->counts->statements,
		.rows = loader->counts->rows };

	loader->counts->bytes = progress.bytes;
	if (loader->observer->progress)
		loader->observer->progress(loader->observer->context, &progress);
}

static int host_status(void *context, struct script_status *ret_status, struct err *err)
{
	struct loader *loader = context;

	if (load_flush(loader, err) != 0)
		return -1;
	*ret_status = loader->status;
	return 0;
}

static int host_quote(
	void *context, const char *text, bool identifier, char **ret_quoted, struct err *err)
{
	struct loader *loader = context;
	char *quoted =
		identifier ? conn_identifier(loader->conn, text) : conn_literal(loader->conn, text);

	if (!quoted)
		return err_set(err, ERR_SQL,
			"the value cannot be quoted: it is not valid in the client encoding");
	*ret_quoted = quoted;
	return 0;
}

/* A pipe that has nothing more for the moment: what was collected need not wait for it. */
static ssize_t read_pipe(void *context, char *buffer, size_t size, struct err *err)
{
	struct loader *loader = context;
	struct pollfd fd = { .fd = loader->pipe->fd, .events = POLLIN };

	if (loader->batch.count > 0 && !loader->batch.streaming && poll(&fd, 1, 0) == 0) {
		int result;

		loader->read_ahead = true;
		result = load_flush(loader, err);
		loader->read_ahead = false;
		if (result != 0)
			return -1;
	}
	return input_read(loader->pipe->fd, loader->pipe->name, buffer, size, err);
}

/* --- files ---------------------------------------------------------------------------------- */

static int do_action(struct loader *loader, const struct script_action *action, struct err *err)
{
	const struct load_observer *observer = loader->observer;

	if (action->kind == SCRIPT_STATEMENT)
		return load_statement(loader, &action->statement, err);
	loader->read_ahead = action->kind == SCRIPT_GSET || action->kind == SCRIPT_GEXEC;
	if ((action->kind == SCRIPT_END && loader->last ? load_flush_last : load_flush)(
		    loader, err) != 0)
		return -1;
	loader->read_ahead = false;
	switch (action->kind) {
	case SCRIPT_GSET:
		return load_gset(loader, action, err);
	case SCRIPT_GEXEC:
		return load_gexec(loader, action, err);
	case SCRIPT_CONNECT:
		return load_connect(loader, action, err);
	case SCRIPT_COPY:
		return load_copy_command(loader, action, err);
	case SCRIPT_ENCODING:
		return load_encoding(loader, action, err);
	case SCRIPT_PRINT:
		if (observer->print)
			observer->print(observer->context, action->text, action->text_length);
		return 0;
	case SCRIPT_WARN:
		if (observer->warn)
			observer->warn(observer->context, action->text, action->text_length);
		return 0;
	default:
		return 0;
	}
}

/*
 * What is wrong with the script comes after what was collected of it: an error of that is the
 * first.
 */
static int script_failed(struct loader *loader, struct err *err)
{
	CLEANUP(err_release) struct err earlier = ERR_INIT;

	if (err->kind == ERR_INTERRUPTED || err->kind == ERR_CONNECT)
		return -1;
	if (load_flush(loader, &earlier) != 0) {
		err_release(err);
		*err = earlier;
		earlier = (struct err)ERR_INIT;
		return -1;
	}
	if (!load_goes_on(loader) || !script_can_go_on(loader->script))
		return -1;
	load_count_failure(loader, err);
	return 0;
}

static int run_actions(struct loader *loader, struct err *err)
{
	for (;;) {
		struct script_action action = { 0 };

		if (script_next(loader->script, &action, err) != 0) {
			if (script_failed(loader, err) != 0)
				return -1;
			continue;
		}
		if (do_action(loader, &action, err) != 0)
			return -1;
		if (action.kind == SCRIPT_END)
			return 0;
	}
}

static int open_script(struct loader *loader, struct script_input *pipe, struct err *err)
{
	const struct load_file *file = loader->file;
	const struct script_options options = { .variables = loader->options->variables,
		.keep_going = loader->options->keep_going,
		.stamps = loader->options->stamps };
	const struct script_host host = {
		.context = loader, .status = host_status, .quote = host_quote
	};

	if (!path_is_pipe(file->path))
		return script_open(file->path, file->name, &options, &host, &loader->script, err);
	pipe->name = file->name;
	if (input_open(file->path, file->name, &pipe->fd, err) != 0)
		return -1;
	loader->pipe = pipe;
	loader->script = script_new(file->name,
		(struct script_source){ .read = read_pipe, .context = loader }, &options, &host);
	return 0;
}

static int run_file(struct loader *loader, const struct load_file *file, struct err *err)
{
	struct script_input pipe = { .fd = -1 };
	int result;

	loader->file = file;
	loader->begun_line = 0;
	if (open_script(loader, &pipe, err) != 0) {
		/* Waiting for a pipe's writer ends with a signal, too. */
		interrupt_check(err);
		return -1;
	}
	load_tell_connection(loader);
	result = run_actions(loader, err);
	if (result == 0)
		result = load_check_end(loader, err);
	load_progress(loader);
	loader->bytes_before = loader->counts->bytes;
	script_cleanup(&loader->script);
	fd_cleanup(&pipe.fd);
	loader->pipe = NULL;
	return result;
}

static int run_all(
	struct loader *loader, const struct load_file *files, size_t count, struct err *err)
{
	if (load_begin(loader, err) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		loader->file_index = i;
		loader->last = i + 1 == count;
		if (i > 0 && load_reset_session(loader, err) != 0)
			return -1;
		if (run_file(loader, &files[i], err) != 0)
			return -1;
	}
	/* Also when no file holds a statement. */
	if (loader->options->first.sql && load_ensure_begun(loader, err) != 0)
		return -1;
	if (loader->transaction)
		return load_commit(loader, files[count - 1].name, err);
	loader->check_client = "";
	return load_reset_session(loader, err);
}

/* Best effort: the error that is being reported matters more than one of ROLLBACK. */
static void roll_back(struct loader *loader)
{
	CLEANUP(err_release) struct err ignored = ERR_INIT;

	if (PQstatus(loader->conn->pg) == CONNECTION_OK &&
		PQtransactionStatus(loader->conn->pg) != PQTRANS_IDLE)
		conn_exec(loader->conn, "ROLLBACK", &ignored);
}

/* --- waiting -------------------------------------------------------------------------------- */

/* Where it waits. The answers to what came before may not have arrived: then it is known only that
 * it is a statement that names the relation. The caller owns the text. */
static char *describe_waiting(struct loader *loader, const char *relation)
{
	const struct load_batch *batch = &loader->batch;
	const char *dot = relation ? strrchr(relation, '.') : NULL;
	const struct load_item *first = NULL, *last = NULL;
	const char *name = dot ? dot + 1 : relation;

	for (size_t i = batch->done; name && i < batch->count; i++) {
		const struct load_item *item = &batch->items[i];
		CLEANUP(mem_cleanup)
		char *text = mem_strndup(batch->sent + item->at, item->length);

		if (!strcasestr(text, name))
			continue;
		first = first ? first : item;
		last = item;
	}
	if (!first) {
		first = load_current(loader);
		last = &batch->items[batch->count - 1];
	}
	if (first->origin.start.line == last->origin.start.line)
		return mem_printf(
			"%s:%zu: waiting for a lock", first->origin.file, first->origin.start.line);
	return mem_printf("%s:%zu: this statement, or one up to line %zu, is waiting for a lock",
		first->origin.file, first->origin.start.line, last->origin.start.line);
}

/* The same while options->first has not been answered. */
static char *describe_first_waiting(struct loader *loader)
{
	const char *doing = loader->options->first.doing;
	const struct load_batch *batch = &loader->batch;

	if (loader->first_running)
		return mem_printf("%s: waiting for a lock", doing);
	return mem_printf("%s, or a statement up to %s:%zu: waiting for a lock", doing,
		batch->items[batch->count - 1].origin.file,
		batch->items[batch->count - 1].origin.start.line);
}

static int tell_lock(void *context, struct err *err)
{
	struct loader *loader = context;
	CLEANUP(lock_wait_release) struct lock_wait wait = LOCK_WAIT_INIT;
	CLEANUP(mem_cleanup) char *where = NULL;
	CLEANUP(mem_cleanup) char *text = NULL;
	int result;

	if (loader->lock_told || (loader->batch.count == 0 && !loader->first_running))
		return 0;
	result = lock_wait_ask(loader->conn, &wait, err);
	if (result <= 0)
		return result;
	loader->lock_told = true;
	where = loader->first_running || load_first_pending(loader)
			? describe_first_waiting(loader)
			: describe_waiting(loader, wait.relation);
	text = mem_printf("%s%s%s: held by %s", where, wait.relation ? " on " : "",
		wait.relation ? wait.relation : "", wait.holder);
	load_remark(loader, text);
	return 0;
}

static void watch(struct loader *loader)
{
	loader->conn->notice = load_notice;
	loader->conn->notice_context = loader;
	loader->conn->stalled = tell_lock;
	loader->conn->stalled_context = loader;
}

void load_use_connection(struct loader *loader, struct conn *conn)
{
	/* As with psql: the script may go on to drop the database that it has left. */
	if (loader->conn != loader->first) {
		conn_close(loader->conn);
	} else {
		PQfinish(loader->first->pg);
		loader->first->pg = NULL;
	}
	loader->conn = conn;
	loader->may_empty = false;
	watch(loader);
}

int load_run(struct conn *conn, const struct load_file *files, size_t count,
	const struct load_options *options, const struct load_observer *observer,
	struct load_counts *counts, struct err *err)
{
	struct loader loader = { .conn = conn,
		.first = conn,
		.options = options,
		.observer = observer,
		.counts = counts,
		.transaction = options->transaction,
		.check_client = "",
		.status = { .sqlstate = "00000", .last_sqlstate = "00000", .last_message = "" },
		.batch = { .text = STRBUF_INIT_UNBOUNDED, .data = STRBUF_INIT_UNBOUNDED },
		.copy = { .fd = -1 } };
	notice_fn *saved_notice = conn->notice;
	void *saved_context = conn->notice_context;
	int result;

	if (count == 0)
		return 0;
	loader.home = mem_strdup(PQdb(conn->pg));
	watch(&loader);
	result = run_all(&loader, files, count, err);
	if (result != 0)
		roll_back(&loader);
	if (result != 0 && loader.transaction && counts->kept > 0)
		err_note_line(err, "The script ended the transaction it was run in: what was "
				   "committed stays in the database, look at it.");
	conn->notice = saved_notice;
	conn->notice_context = saved_context;
	conn->stalled = NULL;
	if (loader.conn != conn)
		conn_close(loader.conn);
	load_batch_release(&loader.batch);
	mem_free(loader.home);
	strlist_release(&loader.made);
	mem_free(loader.held);
	mem_free(loader.last_message);
	if (result == 0 && counts->failed > 0)
		return err_set(err, ERR_SQL, "%llu statement%s failed",
			(unsigned long long)counts->failed, counts->failed == 1 ? "" : "s");
	return result;
}
