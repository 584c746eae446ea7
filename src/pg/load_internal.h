/* What the files of the runner share among themselves. */
#ifndef PG_LOAD_INTERNAL_H
#define PG_LOAD_INTERNAL_H

#include "base/strbuf.h"
#include "base/strlist.h"
#include "pg/conn_internal.h"
#include "pg/load.h"
#include "sql/script.h"

#define LOAD_BLOCK ((size_t)64 << 10)

/* A statement on its way. */
struct load_item {
	size_t at, length;           /* of its text in what is sent */
	struct script_origin origin; /* its detail is ours */
	enum script_class class;
	bool several;                /* (\;): its answers are more than one */
	bool generated;              /* by \gexec: errors have the place of the query */
	bool data_foreseen;          /* a COPY whose data are read along */
	size_t data_at, data_length; /* the data that were */
	size_t copy_line;            /* of the file, on which its COPY data begin; 0: none */
};

/* By which rules the server reads. */
struct load_reading {
	char standard_strings[8];
	char encoding[64];
};

/* Statements that travel together. */
struct load_batch {
	struct strbuf text;
	const char *sent; /* text.data, or the script's own text of a single statement */
	size_t sent_length;
	struct strbuf data;
	struct load_item *items;
	size_t count, capacity;
	size_t done;                 /* statements that the server has answered */
	size_t answers;              /* the same, those within a single one (\;) counted too */
	bool rolls_back;             /* the last answer is that of a ROLLBACK */
	struct load_reading reading; /* when it was sent */
	bool changes;                /* the last one changes how the server reads what follows */
	bool open;                   /* the data of the last one's COPY go on in the script */
	bool streaming;              /* and the server is taking them */
	bool in_copy;                /* the server is sending or taking COPY data */
	size_t prefix;               /* bytes of what is sent that begin the transaction */
	unsigned skip;               /* answers to it that are still to come */
	bool commits;                /* COMMIT follows the last statement */
	bool committed;              /* and has succeeded */
	bool rolled_back;            /* or has not */
	PGresult *kept;              /* with loader->keep_result: the last that has rows */
};

struct held_notice;

/* Data of the \copy that is running. */
struct load_copy {
	const struct script_action *action; /* NULL: none */
	int fd;                             /* of a file, or of our stdin; -1: none */
	bool begun;                         /* the server has asked for data */
};

/* One run over all files. */
struct loader {
	struct conn *conn;  /* in use now */
	struct conn *first; /* the caller's; without its handle once it was left */
	char *home; /* the database that one is connected to; NULL once its server was left */
	struct strlist made; /* databases that the script has created on the server */
	const struct load_options *options;
	const struct load_observer *observer;
	struct load_counts *counts;
	bool transaction; /* as the option, unless the first statement could not be in one */
	const char *check_client; /* has the server watch for our end; "" where it cannot */
	bool begin_due;           /* the transaction begins with the first request */
	bool first_running;       /* options->first is, as a request of its own */
	bool committed;           /* the last request has ended the transaction */
	bool may_empty;           /* the judge has nothing against it, on this connection */
	bool pooled_told;         /* that one stands between */
	size_t batch_bytes;
	bool any_statement; /* one was handed out */

	const struct load_file *file; /* being run */
	size_t file_index;
	bool last;             /* of the files */
	uint64_t bytes_before; /* of the files before it */
	struct script *script;
	struct script_input *pipe; /* where it comes from, unless the script opened it itself */
	struct script_status status;
	char *last_message;
	const char *begun_file; /* where the script's own open transaction began */
	size_t begun_line;      /* 0: none */

	struct load_batch batch;
	struct load_copy copy;
	const struct script_statement *generator; /* the query of the \gexec that is running */
	bool keep_result;
	bool read_ahead; /* of the script more was read than was sent */
	struct held_notice *held;
	size_t held_count;
	bool lock_told;
	int64_t unexplained_since; /* COPY data: the server said something that is no notice */
	size_t inputs_seen;
};

/* --- load.c --- */

/* An error does not end the run. */
bool load_goes_on(const struct loader *loader);

/* Reports err as a failure that does not end the run, and empties it. */
void load_count_failure(struct loader *loader, struct err *err);

/* Goes on with conn, which becomes the loader's. */
void load_use_connection(struct loader *loader, struct conn *conn);

void load_remark(struct loader *loader, const char *text);
void load_progress(struct loader *loader);

/* --- load_session.c --- */

/* Opens what the options ask for on a connection just taken into use. */
int load_begin(struct loader *loader, struct err *err);

/* The first statement of a run cannot be in a transaction: goes on without. */
int load_give_up_transaction(struct loader *loader, const char *what, struct err *err);

int load_reset_session(struct loader *loader, struct err *err);

/* Begins the transaction that is due, by a request of its own. */
int load_ensure_begun(struct loader *loader, struct err *err);

/* The same by what is put before the batch, and COMMIT behind it when it is the whole of the run.
 */
void load_enclose(struct loader *loader);

/* The process that the answer to the beginning names. */
void load_note_process(struct loader *loader, const char *pid);

/* Whether options->first is in front of a batch and has not been answered yet. */
bool load_first_pending(const struct loader *loader);

/* Whether err says that the server cannot watch for our end. */
bool load_cannot_watch(const struct loader *loader, const struct err *err);

/* The server could not be asked to watch for our end: sends the batch again without. */
int load_begin_plainly(struct loader *loader, struct err *err);

/* What is known of a COMMIT that followed the last statement and failed. Returns -1. */
int load_tell_outcome(struct loader *loader, bool committed, struct err *err);

/* Fails when the script's own transaction is still open. */
int load_check_end(struct loader *loader, struct err *err);

/* The end of a run in one transaction, the session's settings included; last: its last script. */
int load_commit(struct loader *loader, const char *last, struct err *err);

/* The script's variables about the connection, and how the server reads. */
void load_tell_connection(struct loader *loader);

/* --- load_batch.c --- */

/* Takes a statement into the batch, and sends it when it is time. */
int load_statement(
	struct loader *loader, const struct script_statement *statement, struct err *err);

/* Runs a statement alone; ret_result: its rows (PQclear), NULL when it gave none. */
int load_alone(struct loader *loader, const struct script_statement *statement, bool generated,
	PGresult **ret_result, struct err *err);

/* Sends what is collected and takes the answers. */
int load_flush(struct loader *loader, struct err *err);

/* The same at the end of the run, together with COMMIT where that is possible. */
int load_flush_last(struct loader *loader, struct err *err);

/* How many bytes may travel together now; 0: one statement at a time. */
size_t load_limit(const struct loader *loader);

void load_batch_release(struct load_batch *batch);

/* After a statement failed: counts the failure and goes on, or returns -1. */
int load_failed(struct loader *loader, struct err *err);

/* Takes what the server answers until it is done, or asks for data that go on in the script. */
int load_take_results(struct loader *loader, struct err *err);

/* Gives up what the server is doing after a failure of ours. */
void load_abandon(struct loader *loader, struct err *err);

/* The statement that is being answered, the last when all are; NULL: none. */
struct load_item *load_current(struct loader *loader);

/* notice_fn */
void load_notice(void *context, const struct notice *notice);

/* --- load_transaction.c --- */

/* Adds to err's hint how the script runs without a transaction of ours. */
void load_hint_plain(const struct loader *loader, struct err *err);

/* Before a statement is taken: fails when it cannot be in the transaction, or gives that up. */
int load_check_allowed(
	struct loader *loader, const struct script_statement *statement, struct err *err);

/* Counts what stays, with each statement's command tag. */
void load_note_end(struct loader *loader, const char *tag);

/* Behind the last answer, whose statement is last: fails when the transaction of ours has ended. */
int load_follow_transaction(struct loader *loader, const struct load_item *last, struct err *err);

/* The connection was lost, as err says: whether it is known what took effect. */
void load_note_loss(struct loader *loader, const struct err *err);

/* --- load_copy.c --- */

/* Reads the data of the COPY that was added last; sends when they are too many. */
int load_collect_copy(struct loader *loader, struct err *err);

/* The server asks for data, or sends some. */
int load_copy_in(struct loader *loader, struct err *err);
int load_copy_out(struct loader *loader, struct err *err);

/* \copy */
int load_copy_command(struct loader *loader, const struct script_action *action, struct err *err);

/* --- load_errors.c --- */

/*
 * Where in the text of several statements (\;), as it was sent, the one behind so many others
 * begins; 0 also when there are not so many.
 */
size_t load_part_at(const struct loader *loader, const char *text, size_t length, size_t part);

/* Fills err from a failed result, with its place in the script. Returns -1. */
int load_result_error(struct loader *loader, const PGresult *result, struct err *err);

/* The place of a statement's first byte, and of byte at of one on its way. */
void load_place(const struct script_statement *statement, struct err *err);
void load_place_item(
	struct loader *loader, const struct load_item *item, size_t at, struct err *err);

/* --- load_protect.c --- */

/*
 * Fails with REFUSED when the database is protected by what options->judge finds, or that is not
 * known.
 */
int load_refuse_protected(struct loader *loader, const struct load_other *other, struct err *err);

/* Whether the script has created it: the name is the server's, which a pooler's may hide. */
bool load_has_made(const struct loader *loader, const char *database);

/* Whether it is the database the run began in: whoever runs the script was asked about that one. */
bool load_is_home(const struct loader *loader, const char *database);

/* \connect has led to another server. */
void load_leave_home(struct loader *loader);

/* Before a statement is taken: fails with REFUSED when it would destroy what must not be lost. */
int load_protect(struct loader *loader, const struct script_statement *statement, struct err *err);

/* --- load_meta.c --- */

int load_gset(struct loader *loader, const struct script_action *action, struct err *err);
int load_gexec(struct loader *loader, const struct script_action *action, struct err *err);
int load_connect(struct loader *loader, const struct script_action *action, struct err *err);
int load_encoding(struct loader *loader, const struct script_action *action, struct err *err);

#endif
