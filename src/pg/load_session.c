/* The session of a run: how it begins and ends, and how far away the server is. */
#include "base/clock.h"
#include "base/mem.h"
#include "pg/load_internal.h"

#include <stdlib.h>
#include <string.h>

#define CHECK_CLIENT "client_connection_check_interval = '2s'; "
#define OWN_PROCESS "SELECT pg_catalog.pg_backend_pid()"
#define RESET "SET SESSION AUTHORIZATION DEFAULT; RESET ALL"
#define SQLSTATE_INVALID_VALUE "22023"
#define SQLSTATE_UNKNOWN_SETTING "42704"

/* From such a round trip on a load is one request where it can be. */
#define FAR_US 8000

#define KIB ((size_t)1024)
#define BATCH_NEAR (64 * KIB)
#define BATCH_PER_MS (256 * KIB)
#define BATCH_MOST (4096 * KIB)

/* --- requests of our own -------------------------------------------------------------------- */

/* What became of a request that holds several statements. */
struct answer {
	unsigned done;  /* statements that succeeded */
	char value[32]; /* the last one a query yielded */
	bool rolled_back;
};

static void note_answer(PGresult *result, struct answer *answer)
{
	if (*PQcmdStatus(result))
		answer->done++;
	if (strcmp(PQcmdStatus(result), "ROLLBACK") == 0)
		answer->rolled_back = true;
	if (PQntuples(result) > 0)
		snprintf(answer->value, sizeof(answer->value), "%s", PQgetvalue(result, 0, 0));
}

/* As conn_exec, with the answer. */
static int request(struct loader *loader, const char *sql, struct answer *answer, struct err *err)
{
	struct conn *conn = loader->conn;
	bool failed = false;

	if (conn->trace)
		conn->trace(sql);
	*answer = (struct answer){ 0 };
	if (!PQsendQuery(conn->pg, sql))
		return conn_send_error(conn, err);
	if (conn_flush(conn, err) != 0)
		return -1;
	for (;;) {
		CLEANUP(result_cleanup) PGresult *result = NULL;
		ExecStatusType status;

		if (conn_next_result(conn, &result, err) != 0)
			return -1;
		if (!result)
			break;
		status = PQresultStatus(result);
		if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ||
			status == PGRES_EMPTY_QUERY)
			note_answer(result, answer);
		else if (!failed)
			failed = conn_result_error(conn, result, ERR_FAILED, err) != 0;
		if (PQstatus(conn->pg) == CONNECTION_BAD)
			break;
	}
	if (conn_take_interrupt(conn, err) != 0)
		return -1;
	return failed ? -1 : 0;
}

/* --- begin ---------------------------------------------------------------------------------- */

/*
 * A client that is killed outright leaves its statement running, with its locks, until the server
 * next writes to the socket; the setting makes the server look (14 and later, not on every
 * platform).
 */
static const char *check_client(struct loader *loader)
{
	if (conn_server_version(loader->conn) < 140000)
		return "";
	return loader->transaction ? "SET LOCAL " CHECK_CLIENT : "SET " CHECK_CLIENT;
}

/* The caller owns the text. */
static char *begin_text(const struct loader *loader)
{
	/* In a transaction of its own: the script's may begin with SET TRANSACTION, which must come
	 * before any query. */
	if (loader->transaction)
		return mem_printf(
			"BEGIN\n; " OWN_PROCESS "; COMMIT; BEGIN; %s", loader->check_client);
	return mem_printf("%s" OWN_PROCESS, loader->check_client);
}

static int send_begin(struct loader *loader, struct answer *answer, struct err *err)
{
	CLEANUP(mem_cleanup) char *sql = begin_text(loader);

	return request(loader, sql, answer, err);
}

/* One more round trip that asks for nothing, not even for a line in the server's log. */
static int ping(struct loader *loader, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;
	struct conn *conn = loader->conn;

	if (!PQenterPipelineMode(conn->pg) || !PQpipelineSync(conn->pg))
		return conn_send_error(conn, err);
	if (conn_flush(conn, err) != 0 || conn_next_result(conn, &result, err) != 0)
		return -1;
	if (PQresultStatus(result) != PGRES_PIPELINE_SYNC)
		return conn_result_error(conn, result, ERR_FAILED, err);
	PQexitPipelineMode(conn->pg);
	return conn_take_interrupt(conn, err);
}

/* How much may be on its way at once so that the server never waits for us. */
static int measure(struct loader *loader, int64_t round_trip, struct err *err)
{
	size_t bytes;

	loader->batch_bytes = loader->options->batch;
	if (loader->options->batch != LOAD_BATCH_AUTO)
		return 0;
	/* Was it the server's work or the way? */
	if (round_trip >= 300 && round_trip <= 3000) {
		int64_t start = clock_us();

		if (ping(loader, err) != 0)
			return -1;
		if (clock_us() - start < round_trip)
			round_trip = clock_us() - start;
	}
	bytes = (size_t)round_trip * (BATCH_PER_MS / 1000);
	if (round_trip < 500)
		loader->batch_bytes = BATCH_NEAR;
	else if (bytes < BATCH_PER_MS)
		loader->batch_bytes = BATCH_PER_MS;
	else
		loader->batch_bytes = bytes < BATCH_MOST ? bytes : BATCH_MOST;
	return 0;
}

static void tell_pooler(struct loader *loader)
{
	if (loader->pooled_told)
		return;
	loader->pooled_told = true;
	load_remark(loader,
		loader->transaction
			? "a connection pooler stands between here and the server: settings are "
			  "undone before COMMIT"
			: "a connection pooler stands between here and the server: settings (SET, "
			  "the search_path of a dump) may not hold from statement to statement");
}

void load_note_process(struct loader *loader, const char *pid)
{
	conn_note_process(loader->conn, pid);
	if (conn_is_pooled(loader->conn))
		tell_pooler(loader);
}

bool load_cannot_watch(const struct loader *loader, const struct err *err)
{
	return *loader->check_client &&
	       (strcmp(err->sqlstate, SQLSTATE_INVALID_VALUE) == 0 ||
		       strcmp(err->sqlstate, SQLSTATE_UNKNOWN_SETTING) == 0);
}

bool load_first_pending(const struct loader *loader)
{
	return loader->options->first.sql && loader->batch.skip > 0;
}

/* A request of its own: how long it takes says nothing about the distance. */
static int run_first(struct loader *loader, struct err *err)
{
	struct answer answer;
	int result;

	if (!loader->options->first.sql)
		return 0;
	loader->first_running = true;
	loader->lock_told = false;
	result = request(loader, loader->options->first.sql, &answer, err);
	loader->first_running = false;
	loader->counts->first_failed = result != 0 && err->kind == ERR_FAILED;
	return result;
}

static int begin(struct loader *loader, struct err *err)
{
	struct answer answer;
	int64_t start = clock_us();

	if (send_begin(loader, &answer, err) != 0) {
		if (!load_cannot_watch(loader, err))
			return -1;
		err_release(err);
		loader->check_client = "";
		if (loader->transaction && request(loader, "ROLLBACK", &answer, err) != 0)
			return -1;
		start = clock_us();
		if (send_begin(loader, &answer, err) != 0)
			return -1;
	}
	load_note_process(loader, answer.value);
	if (measure(loader, clock_us() - start, err) != 0)
		return -1;
	return run_first(loader, err);
}

/* The server is so far away that a request which only begins a transaction would be felt. */
static bool is_far(const struct loader *loader)
{
	const char *host = PQhost(loader->conn->pg);

	return loader->conn->round_trip_us >= FAR_US && host && *host != '/';
}

int load_begin(struct loader *loader, struct err *err)
{
	loader->check_client = check_client(loader);
	if (!loader->transaction || loader->options->batch != LOAD_BATCH_AUTO ||
		!(is_far(loader) || loader->options->at_once))
		return begin(loader, err);
	loader->begin_due = true;
	if (is_far(loader))
		return measure(loader, loader->conn->round_trip_us, err);
	loader->batch_bytes = BATCH_NEAR;
	return 0;
}

int load_ensure_begun(struct loader *loader, struct err *err)
{
	if (!loader->begin_due)
		return 0;
	loader->begin_due = false;
	return begin(loader, err);
}

void load_enclose(struct loader *loader)
{
	struct load_batch *batch = &loader->batch;
	CLEANUP(mem_cleanup) char *sql = begin_text(loader);
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT_UNBOUNDED;
	const char *first = loader->options->first.sql;
	const bool watched = *loader->check_client;

	if (loader->conn->trace)
		loader->conn->trace(sql);
	if (first && loader->conn->trace)
		loader->conn->trace(first);
	strbuf_addf(&text, "%s\n", sql);
	if (first)
		strbuf_addf(&text, "%s;\n", first);
	batch->prefix = text.length;
	batch->skip = 4u + watched + (first != NULL);
	strbuf_add(&text, batch->text.data, batch->text.length);
	for (size_t i = 0; i < batch->count; i++)
		batch->items[i].at += batch->prefix;
	if (batch->commits)
		strbuf_adds(&text, "\n;\nCOMMIT; " RESET);
	strbuf_release(&batch->text);
	batch->text = text;
	text = (struct strbuf)STRBUF_INIT;
	loader->begin_due = false;
}

int load_begin_plainly(struct loader *loader, struct err *err)
{
	struct load_batch *batch = &loader->batch;
	struct answer answer;

	err_release(err);
	loader->check_client = "";
	if (request(loader, "ROLLBACK", &answer, err) != 0 || begin(loader, err) != 0)
		return -1;
	strbuf_consume(&batch->text, batch->prefix);
	for (size_t i = 0; i < batch->count; i++)
		batch->items[i].at -= batch->prefix;
	batch->prefix = batch->skip = 0;
	batch->sent = NULL;
	return 0;
}

int load_give_up_transaction(struct loader *loader, const char *what, struct err *err)
{
	CLEANUP(mem_cleanup)
	char *text = mem_printf("%s:%zu: %s: running statement by statement",
		script_file(loader->script), script_line(loader->script), what);

	if (!loader->begin_due && conn_exec(loader->conn, "ROLLBACK", err) != 0)
		return -1;
	loader->begin_due = false;
	loader->transaction = false;
	loader->counts->no_transaction = true;
	load_remark(loader, text);
	return load_begin(loader, err);
}

/* --- end ------------------------------------------------------------------------------------ */

/* What a script set is undone, so that the next one starts from the same ground. */
int load_reset_session(struct loader *loader, struct err *err)
{
	CLEANUP(mem_cleanup) char *sql = mem_printf(RESET "; %s", loader->check_client);

	/* Nothing was run that could have set anything. */
	if (loader->begin_due)
		return 0;
	return conn_exec(loader->conn, sql, err);
}

/* A script that ends inside its own transaction would lose everything since BEGIN in silence. */
int load_check_end(struct loader *loader, struct err *err)
{
	if (loader->transaction || PQtransactionStatus(loader->conn->pg) == PQTRANS_IDLE)
		return 0;
	if (script_autocommits(loader->script)) {
		err_set(err, ERR_SQL, "the transaction begun here is never committed");
		err_hint(err, "Add COMMIT at the end of the script.");
	} else {
		err_set(err, ERR_SQL,
			"AUTOCOMMIT is off and what was done since this statement is never "
			"committed");
		err_hint(err, "Add COMMIT at the end of the script, or \\set AUTOCOMMIT on.");
	}
	err->place.file = mem_strdup(loader->begun_file ? loader->begun_file : loader->file->name);
	err->place.line = loader->begun_line;
	return -1;
}

/* What the script ended itself is told by load_run. */
static void note_rolled_back(const struct loader *loader, struct err *err)
{
	if (loader->counts->kept == 0)
		err_note_line(err, "Rolled back: nothing of the script is in the database.");
}

/* A COMMIT that did not go well: what is known of its outcome.
 */
static int tell_outcome(struct loader *loader, bool committed, const char *last, struct err *err)
{
	if (err->kind == ERR_INTERRUPTED && committed) {
		err_note_line(err, "The signal came after COMMIT: the script is in the database.");
	} else if (committed) {
		err_note_line(err, "The script is in the database.");
	} else if (err->kind == ERR_FAILED) {
		err->kind = ERR_SQL;
		err_detail_line(err,
			"The error came at COMMIT, from a deferred constraint or trigger; "
			"\"%s\" was the last script.",
			last);
		note_rolled_back(loader, err);
	} else if (err->kind == ERR_INTERRUPTED && PQstatus(loader->conn->pg) == CONNECTION_OK) {
		note_rolled_back(loader, err);
	} else {
		err_note_line(err,
			"COMMIT was sent: whether the script took effect is unknown, look at "
			"the database.");
	}
	return -1;
}

static int tell_rolled_back(const struct loader *loader, struct err *err)
{
	err_set(err, ERR_SQL, "the server rolled the transaction back at COMMIT");
	note_rolled_back(loader, err);
	return -1;
}

int load_tell_outcome(struct loader *loader, bool committed, struct err *err)
{
	if (!err->kind)
		return tell_rolled_back(loader, err);
	return tell_outcome(loader, committed, loader->file->name, err);
}

/*
 * Behind a pooler the next statement may meet another session: there the settings go before COMMIT,
 * and before them, because they may depend on the settings, the deferred triggers.
 */
int load_commit(struct loader *loader, const char *last, struct err *err)
{
	const char *direct = "COMMIT\n; " RESET;
	const char *pooled = "SET CONSTRAINTS ALL IMMEDIATE; " RESET "; COMMIT";
	unsigned before = conn_is_pooled(loader->conn) ? 3 : 0;
	struct answer answer;

	/* Nothing to commit, or done with the last statements. */
	if (loader->begin_due || loader->committed)
		return 0;
	loader->counts->commit_sent = true;
	if (request(loader, conn_is_pooled(loader->conn) ? pooled : direct, &answer, err) != 0)
		return tell_outcome(loader, answer.done > before, last, err);
	if (!answer.rolled_back)
		return 0;
	return tell_rolled_back(loader, err);
}

void load_tell_connection(struct loader *loader)
{
	PGconn *pg = loader->conn->pg;
	struct script *script = loader->script;
	const char *standard = PQparameterStatus(pg, "standard_conforming_strings");
	const char *encoding = PQparameterStatus(pg, "client_encoding");
	char version[16];

	snprintf(version, sizeof(version), "%d", PQserverVersion(pg));
	script_set_variable(script, "DBNAME", PQdb(pg));
	script_set_variable(script, "USER", PQuser(pg));
	script_set_variable(script, "HOST", PQhost(pg));
	script_set_variable(script, "PORT", PQport(pg));
	script_set_variable(script, "ENCODING", encoding);
	script_set_variable(script, "SERVER_VERSION_NAME", PQparameterStatus(pg, "server_version"));
	script_set_variable(script, "SERVER_VERSION_NUM", version);
	script_set_standard_strings(script, !standard || strcmp(standard, "off") != 0);
	if (encoding)
		script_set_encoding(script, encoding);
}
