#include "pg/load.h"

#include "base/file.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "pg/conn_internal.h"
#include "sql/mask.h"
#include "sql/reader.h"
#include "sql/source.h"

#include <stdlib.h>
#include <string.h>

#define SQLSTATE_IN_TRANSACTION "25001"
#define SQLSTATE_TERMINATION "2D000"
#define CHECK_CLIENT "SET client_connection_check_interval = '2s'"

/* One run over all files. */
struct loader {
	struct conn *conn;
	const struct load_options *options;
	const struct load_observer *observer;
	struct load_counts *counts;
	/* of the file being run */
	const struct load_file *file;
	struct script_reader *reader;
	struct script_statement statement;
	bool checks_client;      /* the server watches for our end during a statement */
	size_t transaction_line; /* where the script's own open transaction began; 0: none */
};

static void forward_notice(void *context, const struct notice *notice)
{
	struct loader *loader = context;

	if (loader->observer->notice && loader->file)
		loader->observer->notice(loader->observer->context, loader->file->name,
			loader->statement.line, notice);
}

/* PostgreSQL counts characters of the client encoding, from 1. */
static size_t byte_of_character(struct loader *loader, const char *position)
{
	int encoding = PQclientEncoding(loader->conn->pg);
	long character = strtol(position, NULL, 10);
	size_t at = 0;

	while (--character > 0 && at < loader->statement.length) {
		int size = PQmblen(loader->statement.text + at, encoding);

		at += size > 0 ? (size_t)size : 1;
	}
	return at < loader->statement.length ? at : loader->statement.length;
}

/* "COPY t, line 12, column x": the number behind the first "line "; 0: none. */
static size_t copy_line(const char *context)
{
	const char *line =
		context && strncmp(context, "COPY ", 5) == 0 ? strstr(context, ", line ") : NULL;

	return line ? (size_t)strtoul(line + 7, NULL, 10) : 0;
}

/* Replaces what the error repeats of a password in the statement. */
static void mask_error(struct loader *loader, struct err *err)
{
	char **texts[] = { &err->message, &err->detail, &err->hint, &err->context };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char *masked;

		if (!*texts[i])
			continue;
		masked = sql_mask_message(
			loader->statement.text, loader->statement.length, *texts[i]);
		mem_free(*texts[i]);
		*texts[i] = masked;
	}
}

static int statement_error(struct loader *loader, const PGresult *result, struct err *err)
{
	const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
	size_t data_line = copy_line(PQresultErrorField(result, PG_DIAG_CONTEXT));

	conn_result_error(loader->conn, result, ERR_SQL, err);
	script_reader_place(
		loader->reader, position ? byte_of_character(loader, position) : 0, err);
	if (data_line > 0 && loader->statement.class == SCRIPT_CLASS_COPY_FROM_STDIN) {
		err->place.line = script_reader_copy_line(loader->reader) + data_line - 1;
		err->place.column = 0;
		mem_free(take_ptr(err->place.excerpt));
	}
	if ((strcmp(err->sqlstate, SQLSTATE_IN_TRANSACTION) == 0 ||
		    strcmp(err->sqlstate, SQLSTATE_TERMINATION) == 0) &&
		!err->hint && loader->options->transaction)
		err_hint(err, "--no-transaction runs the script statement by statement.");
	mask_error(loader, err);
	return -1;
}

/* Sends the data that follow the statement. A failure of the reader ends the COPY on the server. */
static int send_copy_data(struct loader *loader, struct err *err)
{
	PGconn *pg = loader->conn->pg;
	const char *data;
	size_t length;
	int more;

	if (script_reader_copy_begin(loader->reader, err) != 0) {
		PQputCopyEnd(pg, "the script could not be read");
		return -1;
	}
	while ((more = script_reader_copy_data(loader->reader, &data, &length, err)) > 0) {
		/* 0 means that the output buffer is full, which cannot be after a flush. */
		if (PQputCopyData(pg, data, (int)length) != 1)
			return conn_send_error(loader->conn, err);
		if (conn_flush(loader->conn, err) != 0) {
			PQputCopyEnd(pg, "interrupted");
			return -1;
		}
	}
	if (PQputCopyEnd(pg, more < 0 ? "the script could not be read" : NULL) != 1 && more == 0)
		return conn_send_error(loader->conn, err);
	return more < 0 ? -1 : conn_flush(loader->conn, err);
}

static int receive_copy_data(struct loader *loader, struct err *err)
{
	PGconn *pg = loader->conn->pg;

	for (;;) {
		char *data = NULL;
		int length = PQgetCopyData(pg, &data, 1);

		if (length > 0) {
			if (loader->observer->copy_out)
				loader->observer->copy_out(
					loader->observer->context, data, (size_t)length);
			PQfreemem(data);
		} else if (length == 0) {
			if (conn_wait_input(loader->conn, err) != 0)
				return -1;
		} else {
			/* The end, or an error that the next result tells. */
			return 0;
		}
	}
}

/* One result of the current statement; sets *failed when the server refused it. */
static int take_result(struct loader *loader, const PGresult *result, bool *failed, struct err *err)
{
	switch (PQresultStatus(result)) {
	case PGRES_COPY_IN:
		return send_copy_data(loader, err);
	case PGRES_COPY_OUT:
		return receive_copy_data(loader, err);
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_SINGLE_TUPLE:
	case PGRES_EMPTY_QUERY:
		return 0;
	default:
		if (!*failed)
			statement_error(loader, result, err);
		*failed = true;
		return err->kind == ERR_CONNECT ? -1 : 0;
	}
}

/*
 * Sends the current statement and takes all its results. Returns -1 with err set when it failed;
 * the connection is then ready for the next statement unless it was lost.
 */
static int run_statement(struct loader *loader, struct err *err)
{
	PGconn *pg = loader->conn->pg;
	bool failed = false;

	if (!PQsendQuery(pg, loader->statement.text) || conn_flush(loader->conn, err) != 0)
		return err->kind ? -1 : conn_send_error(loader->conn, err);
	/* Rows are dropped one by one instead of being collected. */
	PQsetSingleRowMode(pg);
	for (;;) {
		CLEANUP(result_cleanup) PGresult *result = NULL;

		if (conn_next_result(loader->conn, &result, err) != 0)
			return -1;
		if (!result)
			break;
		if (take_result(loader, result, &failed, err) != 0) {
			/* The cause is in err; the server may add that the COPY was given up. */
			if (err->kind != ERR_CONNECT)
				conn_drain(loader->conn);
			conn_take_interrupt(loader->conn, err);
			return -1;
		}
	}
	if (conn_take_interrupt(loader->conn, err) != 0)
		return -1;
	return failed ? -1 : 0;
}

/* In a transaction of ours the script's own BEGIN or COMMIT would end it half way. */
static int check_allowed(struct loader *loader, struct err *err)
{
	const char *what;

	if (!loader->options->transaction)
		return 0;
	if (loader->statement.class == SCRIPT_CLASS_TRANSACTION)
		what = "the script controls transactions itself";
	else if (loader->statement.class == SCRIPT_CLASS_NO_TRANSACTION)
		what = "this statement cannot run in a transaction";
	else
		return 0;
	err_set(err, ERR_SQL, "%s", what);
	script_reader_place(loader->reader, 0, err);
	err_hint(err, "--no-transaction runs the script statement by statement.");
	return -1;
}

static void observe(struct loader *loader)
{
	CLEANUP(strbuf_release) struct strbuf masked = STRBUF_INIT_UNBOUNDED;

	if (!loader->observer->statement)
		return;
	sql_mask(loader->statement.text, loader->statement.length, &masked);
	loader->observer->statement(loader->observer->context, masked.data, masked.length);
}

/* A COPY that failed leaves its data in the script: they are no SQL. */
static int skip_copy_data(struct loader *loader, struct err *err)
{
	const char *data;
	size_t length;
	int more;

	if (script_reader_copy_begin(loader->reader, err) != 0)
		return -1;
	do
		more = script_reader_copy_data(loader->reader, &data, &length, err);
	while (more > 0);
	return more;
}

static int handle_failure(struct loader *loader, bool copy_data_read, struct err *err)
{
	if (!loader->options->keep_going || err->kind != ERR_SQL || !err->sqlstate[0])
		return -1;
	loader->counts->failed++;
	if (loader->observer->failed)
		loader->observer->failed(loader->observer->context, err);
	err_release(err);
	if (loader->statement.class == SCRIPT_CLASS_COPY_FROM_STDIN && !copy_data_read)
		return skip_copy_data(loader, err);
	return 0;
}

static int run_statements(struct loader *loader, struct err *err)
{
	PGconn *pg = loader->conn->pg;
	int more;

	while ((more = script_reader_next(loader->reader, &loader->statement, err)) > 0) {
		const char *standard;
		size_t copy_before = script_reader_copy_line(loader->reader);
		PGTransactionStatusType status;

		if (check_allowed(loader, err) != 0)
			return -1;
		observe(loader);
		if (run_statement(loader, err) != 0) {
			bool consumed = script_reader_copy_line(loader->reader) != copy_before;

			if (handle_failure(loader, consumed, err) != 0)
				return -1;
		} else {
			loader->counts->statements++;
		}
		standard = PQparameterStatus(pg, "standard_conforming_strings");
		script_reader_set_standard_strings(
			loader->reader, !standard || strcmp(standard, "off") != 0);
		status = PQtransactionStatus(pg);
		if (status == PQTRANS_IDLE)
			loader->transaction_line = 0;
		else if (loader->transaction_line == 0)
			loader->transaction_line = loader->statement.line;
	}
	return more;
}

/* A script that ends inside its own transaction would lose everything since BEGIN in silence. */
static int check_end(struct loader *loader, struct err *err)
{
	if (loader->options->transaction || PQtransactionStatus(loader->conn->pg) == PQTRANS_IDLE)
		return 0;
	err_set(err, ERR_SQL, "the transaction begun here is never committed");
	err->place.file = mem_strdup(loader->file->name);
	err->place.line = loader->transaction_line;
	err_hint(err, "Add COMMIT at the end of the script.");
	return -1;
}

static int run_file(struct loader *loader, const struct load_file *file, struct err *err)
{
	CLEANUP(fd_cleanup) int fd = -1;
	CLEANUP(script_reader_cleanup) struct script_reader *reader = NULL;
	struct script_input input = { .name = file->name };
	int result;

	if (input_open(file->path, file->name, &fd, err) != 0) {
		/* Waiting for a pipe's writer ends with a signal, too. */
		interrupt_check(err);
		return -1;
	}
	input.fd = fd;
	reader = script_reader_new(file->name, script_source_of(&input));
	loader->file = file;
	loader->reader = reader;
	loader->transaction_line = 0;
	result = run_statements(loader, err);
	if (result == 0)
		result = check_end(loader, err);
	loader->counts->bytes += script_reader_bytes(reader);
	loader->reader = NULL;
	loader->file = NULL;
	return result;
}

/*
 * A client that is killed outright leaves its statement running, with its locks, until the server
 * next writes to the socket; this makes the server look (14 and later, not on every platform: hence
 * no error).
 */
static int begin(struct loader *loader, struct err *err)
{
	CLEANUP(err_release) struct err ignored = ERR_INIT;

	loader->checks_client = conn_server_version(loader->conn) >= 140000 &&
				conn_exec(loader->conn, CHECK_CLIENT, &ignored) == 0;
	if (ignored.kind && ignored.kind != ERR_FAILED) {
		*err = ignored;
		ignored = (struct err)ERR_INIT;
		return -1;
	}
	return loader->options->transaction ? conn_exec(loader->conn, "BEGIN", err) : 0;
}

/* What a script set is undone, so that the next one starts from the same ground. */
static int reset_session(struct loader *loader, struct err *err)
{
	static const char reset[] = "SET SESSION AUTHORIZATION DEFAULT; RESET ALL";
	static const char with_check[] =
		"SET SESSION AUTHORIZATION DEFAULT; RESET ALL; " CHECK_CLIENT;

	return conn_exec(loader->conn, loader->checks_client ? with_check : reset, err);
}

static int commit(struct loader *loader, const struct load_file *last, struct err *err)
{
	loader->conn->completed = false;
	loader->counts->commit_sent = true;
	if (conn_exec(loader->conn, "COMMIT", err) == 0)
		return 0;
	if (err->kind == ERR_FAILED) {
		err->kind = ERR_SQL;
		err_detail_line(err,
			"The error came at COMMIT, from a deferred constraint or trigger; "
			"\"%s\" was the last script.",
			last->name);
		err_note_line(err, "Rolled back: nothing of the script is in the database.");
	} else if (err->kind == ERR_INTERRUPTED && loader->conn->completed) {
		err_note_line(err, "The signal came after COMMIT: the script is in the database.");
	} else if (err->kind == ERR_INTERRUPTED && PQstatus(loader->conn->pg) == CONNECTION_OK) {
		err_note_line(err, "Rolled back: nothing of the script is in the database.");
	} else {
		err_note_line(err,
			"COMMIT was sent: whether the script took effect is unknown, look at "
			"the database.");
	}
	return -1;
}

static int run_all(
	struct loader *loader, const struct load_file *files, size_t count, struct err *err)
{
	if (begin(loader, err) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && reset_session(loader, err) != 0)
			return -1;
		if (run_file(loader, &files[i], err) != 0)
			return -1;
	}
	if (loader->options->transaction && commit(loader, &files[count - 1], err) != 0)
		return -1;
	return reset_session(loader, err);
}

/* Best effort: the error that is being reported matters more than one of ROLLBACK. */
static void roll_back(struct loader *loader)
{
	CLEANUP(err_release) struct err ignored = ERR_INIT;

	if (PQstatus(loader->conn->pg) == CONNECTION_OK &&
		PQtransactionStatus(loader->conn->pg) != PQTRANS_IDLE)
		conn_exec(loader->conn, "ROLLBACK", &ignored);
}

int load_run(struct conn *conn, const struct load_file *files, size_t count,
	const struct load_options *options, const struct load_observer *observer,
	struct load_counts *counts, struct err *err)
{
	struct loader loader = {
		.conn = conn, .options = options, .observer = observer, .counts = counts
	};
	notice_fn *saved_notice = conn->notice;
	void *saved_context = conn->notice_context;
	int result;

	if (count == 0)
		return 0;
	conn->notice = forward_notice;
	conn->notice_context = &loader;
	result = run_all(&loader, files, count, err);
	if (result != 0)
		roll_back(&loader);
	conn->notice = saved_notice;
	conn->notice_context = saved_context;
	if (result == 0 && counts->failed > 0)
		return err_set(err, ERR_SQL, "%llu statement%s failed",
			(unsigned long long)counts->failed, counts->failed == 1 ? "" : "s");
	return result;
}
