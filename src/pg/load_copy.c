/* COPY: data that travel with a batch, data that follow it, and \copy. */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "pg/load_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* So long the server may have said something unknown before the data are held back. */
#define UNEXPLAINED_MS 1000

/* --- to the server -------------------------------------------------------------------------- */

/*
 * While it takes data the server says nothing but notices, and that the COPY has failed. libpq
 * hands the failure out only when the data have ended; that something came which was no notice is
 * seen.
 */
static bool has_failed(struct loader *loader)
{
	struct conn *conn = loader->conn;
	struct pollfd fd = { .fd = PQsocket(conn->pg), .events = POLLIN };

	if (poll(&fd, 1, 0) > 0 && fd.revents) {
		conn->inputs++;
		if (!PQconsumeInput(conn->pg))
			return true;
	}
	if (conn->inputs != loader->inputs_seen) {
		loader->inputs_seen = conn->inputs;
		loader->unexplained_since = clock_ms();
	}
	return loader->unexplained_since != 0 &&
	       clock_ms() - loader->unexplained_since >= UNEXPLAINED_MS;
}

static void begin_data(struct loader *loader)
{
	loader->batch.in_copy = true;
	loader->copy.begun = true;
	loader->inputs_seen = loader->conn->inputs;
	loader->unexplained_since = 0;
}

/* Returns 1 when the server has already given up. */
static int put_data(struct loader *loader, const char *data, size_t length, struct err *err)
{
	PGconn *pg = loader->conn->pg;

	while (length > 0) {
		size_t size = length < LOAD_BLOCK ? length : LOAD_BLOCK;

		/* 0 means that the output buffer is full, which cannot be after a flush. */
		if (PQputCopyData(pg, data, (int)size) != 1)
			return conn_send_error(loader->conn, err);
		if (conn_flush(loader->conn, err) != 0) {
			PQputCopyEnd(pg, "interrupted");
			return -1;
		}
		if (has_failed(loader))
			return 1;
		data += size;
		length -= size;
		load_progress(loader);
	}
	return 0;
}

/* reason: why the data are not complete; NULL: they are. */
static int end_data(struct loader *loader, const char *reason, struct err *err)
{
	loader->batch.in_copy = false;
	if (PQputCopyEnd(loader->conn->pg, reason) != 1)
		return conn_send_error(loader->conn, err);
	return conn_flush(loader->conn, err);
}

static const char given_up[] = "the server has reported an error";
static const char unreadable[] = "the data could not be read";

/* Where a block of data comes from; as script_copy_data. */
typedef int next_block(
	struct loader *loader, const char **ret_data, size_t *ret_length, struct err *err);

static int block_of_script(
	struct loader *loader, const char **ret_data, size_t *ret_length, struct err *err)
{
	return script_copy_data(loader->script, ret_data, ret_length, err);
}

static int block_of_file(
	struct loader *loader, const char **ret_data, size_t *ret_length, struct err *err)
{
	struct strbuf *block = &loader->batch.data;
	const char *name = loader->copy.action->copy.file;
	ssize_t got;

	strbuf_grow(block, LOAD_BLOCK);
	got = input_read(loader->copy.fd, name ? name : "<stdin>", block->data, LOAD_BLOCK, err);
	if (got <= 0)
		return (int)got;
	*ret_data = block->data;
	*ret_length = (size_t)got;
	return 1;
}

/* All data that are left, from first to last. */
static int pass_data(struct loader *loader, next_block *next, struct err *err)
{
	const char *data = NULL;
	size_t length = 0;
	int more, put = 0;

	while ((more = next(loader, &data, &length, err)) > 0) {
		/* When the run goes on, what is left in the script is read all the same. */
		if (put == 0)
			put = put_data(loader, data, length, err);
		if (put < 0)
			return -1;
		if (put > 0 && (next == block_of_file || !load_goes_on(loader)))
			break;
	}
	if (more < 0) {
		CLEANUP(err_release) struct err ignored = ERR_INIT;

		end_data(loader, unreadable, &ignored);
		return -1;
	}
	return end_data(loader, put > 0 ? given_up : NULL, err);
}

/* A COPY FROM STDIN that was not known as one, or one of several in a statement. */
static int copy_unforeseen(struct loader *loader, struct err *err)
{
	struct load_batch *batch = &loader->batch;
	struct load_item *item = load_current(loader);

	if (item + 1 != batch->items + batch->count || loader->read_ahead || item->generated) {
		CLEANUP(err_release) struct err ignored = ERR_INIT;

		end_data(loader, "its data cannot be read from here", &ignored);
		err_set(err, ERR_SQL, "COPY FROM STDIN where its data cannot be read");
		load_place_item(loader, item, 0, err);
		err_hint(err, "--batch off sends each statement by itself.");
		return -1;
	}
	/* A second one in the statement goes on where the first has ended. */
	if (item->copy_line > 0) {
		item->copy_line = script_line(loader->script);
	} else if (script_copy_begin(loader->script, err) == 0) {
		item->copy_line = script_copy_line(loader->script);
	} else {
		CLEANUP(err_release) struct err ignored = ERR_INIT;

		end_data(loader, unreadable, &ignored);
		return -1;
	}
	return pass_data(loader, block_of_script, err);
}

int load_copy_in(struct loader *loader, struct err *err)
{
	struct load_batch *batch = &loader->batch;
	struct load_item *item = load_current(loader);
	int put;

	begin_data(loader);
	/* A signal that came while the server was waited for: the data may never come. */
	if (loader->conn->interrupted.kind)
		return end_data(loader, "interrupted", err);
	if (loader->copy.action && loader->copy.fd >= 0)
		return pass_data(loader, block_of_file, err);
	if (!item->data_foreseen)
		return copy_unforeseen(loader, err);
	put = put_data(loader, batch->data.data + item->data_at, item->data_length, err);
	if (put < 0)
		return -1;
	if (batch->open && item + 1 == batch->items + batch->count && put == 0) {
		batch->streaming = true;
		return 0;
	}
	return end_data(loader, put > 0 ? given_up : NULL, err);
}

/* --- with a batch --------------------------------------------------------------------------- */

/* The COPY has failed: what is left of its data is no SQL. The error is kept. */
static int skip_data(struct loader *loader, struct err *err)
{
	CLEANUP(err_release) struct err later = ERR_INIT;
	const char *data;
	size_t length;
	int more;

	if (!load_goes_on(loader) || err->kind != ERR_SQL)
		return -1;
	do
		more = script_copy_data(loader->script, &data, &length, &later);
	while (more > 0);
	if (more < 0 && later.kind != ERR_SQL) {
		err_release(err);
		*err = later;
		later = (struct err)ERR_INIT;
	}
	return -1;
}

static int take_block(struct loader *loader, const char *data, size_t length, struct err *err)
{
	struct load_batch *batch = &loader->batch;
	int put;

	/* The server did not ask for data. */
	if (batch->count == 0)
		return 0;
	if (!batch->streaming) {
		strbuf_add(&batch->data, data, length);
		batch->items[batch->count - 1].data_length += length;
		return 0;
	}
	put = put_data(loader, data, length, err);
	if (put == 0)
		return 0;
	if (put < 0) {
		load_abandon(loader, err);
		return -1;
	}
	/* The server's answer is the error. */
	if (end_data(loader, given_up, err) == 0 && load_flush(loader, err) == 0)
		err_set(err, ERR_FAILED, "the COPY ended before its data did");
	return -1;
}

static int end_collecting(struct loader *loader, int more, struct err *err)
{
	struct load_batch *batch = &loader->batch;

	batch->open = false;
	if (more >= 0 && !batch->streaming)
		return 0;
	if (more < 0 && batch->streaming) {
		CLEANUP(err_release) struct err ignored = ERR_INIT;

		end_data(loader, unreadable, &ignored);
		load_abandon(loader, err);
	}
	if (more < 0)
		return -1;
	return end_data(loader, NULL, err) == 0 ? load_flush(loader, err) : -1;
}

int load_collect_copy(struct loader *loader, struct err *err)
{
	struct load_batch *batch = &loader->batch;
	struct load_item *item = &batch->items[batch->count - 1];
	const char *data;
	size_t length, most = load_limit(loader);
	int more;

	item->data_foreseen = true;
	item->data_at = batch->data.length;
	batch->open = true;
	/* A pipe that keeps the rest of the line to itself may have the batch sent already here. */
	if (script_copy_begin(loader->script, err) != 0)
		return end_collecting(loader, -1, err);
	if (batch->count > 0)
		item->copy_line = script_copy_line(loader->script);
	for (;;) {
		if (!batch->streaming && batch->text.length + batch->data.length >= most &&
			load_flush(loader, err) != 0)
			return skip_data(loader, err);
		more = script_copy_data(loader->script, &data, &length, err);
		if (more <= 0)
			return end_collecting(loader, more, err);
		if (take_block(loader, data, length, err) != 0)
			return skip_data(loader, err);
	}
}

/* --- from the server ------------------------------------------------------------------------ */

static int write_all(int fd, const char *name, const char *bytes, size_t length, struct err *err)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return err_errno(err, "could not write file \"%s\"", name);
		bytes += written;
		length -= (size_t)written;
	}
	return 0;
}

int load_copy_out(struct loader *loader, struct err *err)
{
	const struct load_observer *observer = loader->observer;
	PGconn *pg = loader->conn->pg;
	int result = 0;

	for (;;) {
		char *data = NULL;
		int length = PQgetCopyData(pg, &data, 1);

		if (length > 0) {
			if (loader->copy.action && loader->copy.fd >= 0) {
				if (result == 0)
					result = write_all(loader->copy.fd,
						loader->copy.action->copy.file, data,
						(size_t)length, err);
			} else if (observer->copy_out) {
				observer->copy_out(observer->context, data, (size_t)length);
			}
			PQfreemem(data);
		} else if (length == 0) {
			if (conn_wait_input(loader->conn, err) != 0)
				return -1;
		} else {
			/* The end, or an error that the next result tells. */
			return result;
		}
	}
}

/* --- \copy ---------------------------------------------------------------------------------- */

/* A result that is kept is known by what was in the file when it was checked. */
static int check_copy_file(const struct loader *loader, const char *file, int fd, struct err *err)
{
	const struct stamps *stamps = loader->options->stamps;
	struct stat state;

	if (!stamps || fstat(fd, &state) != 0 || stamps_match(stamps, file, &state))
		return 0;
	err_set(err, ERR_FAILED, "file \"%s\" changed after it was checked", file);
	err_hint(err, "Run it again when nobody is writing to it.");
	return -1;
}

static int open_copy_file(const struct loader *loader, const struct script_action *action,
	int *ret_fd, struct err *err)
{
	const char *file = action->copy.file;

	if (action->copy.where == SCRIPT_COPY_SCRIPT ||
		(action->copy.where == SCRIPT_COPY_PROCESS && !action->copy.from))
		return 0;
	if (action->copy.from) {
		bool process = action->copy.where == SCRIPT_COPY_PROCESS;

		if (input_open(process ? "-" : file, process ? "<stdin>" : file, ret_fd, err) != 0)
			return -1;
		return process ? 0 : check_copy_file(loader, file, *ret_fd, err);
	}
	*ret_fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
	if (*ret_fd < 0)
		return err_errno(err, "could not open file \"%s\"", file);
	return 0;
}

/* A file of ours that fails is no reason to end a run that goes on after errors. */
static int command_failed(
	struct loader *loader, const struct script_action *action, struct err *err)
{
	if (err->kind != ERR_FAILED)
		return load_failed(loader, err);
	err->kind = ERR_SQL;
	if (!err->place.file)
		load_place(&action->statement, err);
	if (!load_goes_on(loader))
		return -1;
	load_count_failure(loader, err);
	return 0;
}

int load_copy_command(struct loader *loader, const struct script_action *action, struct err *err)
{
	CLEANUP(fd_cleanup) int fd = -1;
	const char *data;
	size_t length;
	bool begun;
	int result;

	if (open_copy_file(loader, action, &fd, err) != 0)
		return command_failed(loader, action, err);
	loader->copy = (struct load_copy){ .action = action, .fd = fd };
	result = load_alone(loader, &action->statement, false, NULL, err);
	begun = loader->copy.begun;
	loader->copy = (struct load_copy){ .fd = -1 };
	if (result == 0)
		return 0;
	if (command_failed(loader, action, err) != 0)
		return -1;
	if (begun || !action->copy.from || action->copy.where != SCRIPT_COPY_SCRIPT)
		return 0;
	if (script_copy_begin(loader->script, err) != 0)
		return -1;
	while ((result = script_copy_data(loader->script, &data, &length, err)) > 0)
		;
	return result;
}
