/* Running SQL scripts over a connection: statements and COPY data, errors with their place. */
#ifndef PG_LOAD_H
#define PG_LOAD_H

#include "base/err.h"
#include "pg/conn.h"
#include "sql/stamps.h"
#include "sql/variables.h"

#include <stdint.h>

struct load_file {
	char *path; /* "-": standard input */
	char *name; /* as messages show it */
};

/* A statement of the caller's own that the transaction begins with, in front of the first file. */
struct load_first {
	const char *sql;   /* without semicolon; NULL: none */
	const char *doing; /* for messages: "emptying the tables" */
};

/* What a script is about to do to a database that is not the one its run began in; LOAD_EMPTY, by
 * what destroys data, to the one it is in. */
enum load_deed { LOAD_CONNECT, LOAD_DROP, LOAD_RENAME, LOAD_COMMENT, LOAD_CHANGE, LOAD_EMPTY };

struct load_other {
	enum load_deed deed;
	struct conn *conn;    /* to its server; with CONNECT and EMPTY to the database itself */
	const char *database; /* that exists, as the server calls it */
};

/* Both are the caller's (mem_free); NULL: nothing speaks against it. */
struct load_verdict {
	char *protected_why; /* as protection_reason (pg/protection.h) */
	char *unknown_why;   /* whether it is protected could not be found out: why */
};

#define LOAD_VERDICT_INIT                                                                          \
	{                                                                                          \
		0                                                                                  \
	}

/* Whether such a database is protected. find NULL: by its mark alone. */
struct load_judge {
	void *context;
	/* Fails as a query to other->conn does, and with INTERRUPTED. */
	int (*find)(void *context, const struct load_other *other, struct load_verdict *ret_verdict,
		struct err *err);
};

struct load_options {
	bool transaction; /* all files in one; otherwise each statement by itself */
	/* With that: the option by which a script whose first statement cannot be in a transaction
	 * is refused, named in hints; NULL: the run goes on without one, with a remark. */
	const char *insist;
	struct load_first first; /* needs the transaction, and that it is insisted on */
	bool keep_going;         /* without a transaction: go on after a failed statement */
	bool allow_connect;      /* \connect may name another host, port or user */
	const struct variables *variables; /* psql variables to begin each file with; NULL: none */
	struct stamps *stamps;             /* of the files, when they were checked; NULL: none */
	/* Most bytes of statements that are sent together; 0: each alone; LOAD_BATCH_AUTO: by the
	 * distance of the server. */
	size_t batch;
	/*
	 * A load that is small is one request with its BEGIN and COMMIT, as it is with a server far
	 * away: it saves round trips, but what became of it is not known when the connection
	 * breaks.
	 */
	bool at_once;
	/*
	 * With which statements that destroy data or a database (sql/destructive.h) are refused
	 * before they are sent: its message and hint, with the place; NULL: they are run.
	 */
	const struct err *refusal;
	/* Nothing was found in the scripts that destroys data, so nobody was asked: what does so
	 * after all is refused where the judge finds the database protected. */
	bool unasked;
	/*
	 * A database other than the one the run began in that this finds protected, or of which it
	 * does not find out, is neither connected to nor dropped nor renamed nor commented in any
	 * case.
	 */
	struct load_judge judge;
};

#define LOAD_BATCH_AUTO SIZE_MAX

/* How far a run is. */
struct load_progress {
	size_t file;         /* index of the file being run */
	uint64_t bytes;      /* read so far, of all files and what they include */
	uint64_t statements; /* as in load_counts, of all files */
	uint64_t rows;
};

/* Told what happens; any function may be NULL. Texts are valid during the call. */
struct load_observer {
	void *context;
	void (*notice)(void *context, const char *file, size_t line, const struct notice *notice);
	void (*statement)(void *context, const char *text, size_t length); /* passwords masked */
	void (*copy_out)(void *context, const char *bytes, size_t length); /* COPY … TO STDOUT */
	void (*print)(void *context, const char *bytes, size_t length);    /* \echo and the like */
	void (*warn)(void *context, const char *bytes, size_t length);     /* \warn */
	void (*failed)(void *context, const struct err *err); /* keep_going: one failed statement */
	void (*remark)(void *context, const char *text); /* what the user should know: a lock that
							    is waited for, a pooler */
	void (*progress)(void *context, const struct load_progress *progress); /* often */
};

struct load_counts {
	uint64_t statements; /* that succeeded */
	uint64_t kept;       /* those of them that no open transaction can undo; in one of ours:
				after COMMIT, or when the script has ended it in spite of all,
				which the error's note then tells */
	uint64_t undone;     /* and those that the script itself rolled back */
	bool divided;        /* the last of those kept goes on behind its COMMIT (\;), with what
				can still be undone */
	uint64_t rows;       /* copied */
	uint64_t failed;     /* with keep_going */
	uint64_t bytes;      /* read from the files */
	bool unanswered;     /* without one: the connection was lost with a statement on its way
				that may have taken effect */
	bool commented;      /* a COMMENT ON DATABASE was come to, which takes marks away */
	bool commit_sent;    /* of the transaction; an error's note then says what became of it */
	bool no_transaction; /* options->transaction was given up, as a remark has said */
	bool first_failed;   /* the error is the server's, about options->first */
};

/*
 * Runs the files in their order. With options->transaction everything is rolled back on any error.
 * In a transaction, ours or the script's own, statements travel together, and each error, notice
 * and row count still belongs to its own; a syntax error is then reported before anything of its
 * batch has run. \connect changes the connection for what follows, up to the end of the run, and
 * closes conn, as psql does: conn_is_open tells, and conn_close is all that it is good for then.
 * Otherwise conn stays open and ends as it began. What a file leaves in the session (search_path of
 * a dump, other SETs) is undone before the next and at the end. Errors: SQL with file, line and
 * column, from the server or the reader; CONNECT when the connection was lost (the detail says when
 * it is unknown whether COMMIT took effect); FAILED when a file cannot be read, or for what the
 * server says of options->first, without a place; REFUSED by the options, or where a protected
 * database is concerned, with the place; INTERRUPTED. With keep_going the result is an error of
 * kind SQL when any failed.
 */
int load_run(struct conn *conn, const struct load_file *files, size_t count,
	const struct load_options *options, const struct load_observer *observer,
	struct load_counts *counts, struct err *err);

#endif
