/*
 * A psql script, ready to be run: reads it (sql/reader.h), follows its includes, variables and
 * conditionals, carries out the meta-commands that concern only the script, and hands out one by
 * one what is to be done with a server. Never sees a connection. What is done when, and what is
 * refused, follows psql 15.18 (src/bin/psql/mainloop.c, command.c); where it differs, the man page
 * db-schema-load(1) says so.
 */
#ifndef SQL_SCRIPT_H
#define SQL_SCRIPT_H

#include "sql/inputs.h"
#include "sql/reader.h"
#include "sql/stamps.h"
#include "sql/variables.h"

enum script_action_kind {
	SCRIPT_END,
	SCRIPT_STATEMENT, /* run statement; also for \g and \gx */
	SCRIPT_GSET,      /* run statement, which yields one row; script_gset each column */
	SCRIPT_GEXEC,     /* run statement; then run each value of its result as a statement, row by
			     row, NULLs left out */
	SCRIPT_CONNECT,   /* go on with connection */
	SCRIPT_COPY,      /* \copy: run copy.sql, with its data from or to copy.file */
	SCRIPT_ENCODING,  /* set the client encoding to text */
	SCRIPT_PRINT,     /* \echo, \qecho, \p, \set: text is for stdout */
	SCRIPT_WARN,      /* \warn: text is for stderr */
};

/* Where the data of a \copy come from or go to. */
enum script_copy_where {
	SCRIPT_COPY_FILE,    /* file */
	SCRIPT_COPY_SCRIPT,  /* from stdin: the lines that follow in the script; to stdout */
	SCRIPT_COPY_PROCESS, /* pstdin, pstdout: our own stdin and stdout */
};

struct script_action {
	enum script_action_kind kind;
	/* STATEMENT, GSET, GEXEC: what is to be run. COPY: its text is the SQL made of the \copy,
	 * and its place that of the meta-command. CONNECT, ENCODING: only its place. Valid until
	 * the next call on the script. */
	struct script_statement statement;
	const char *text; /* ENCODING: the name; PRINT, WARN: with its newline; GSET: the prefix */
	size_t text_length;
	struct {
		enum script_copy_where where;
		bool from;
		const char *file;
	} copy;
	struct {
		/* NULL: as it is. host, port and user only with allow_connect or when they are what
		 * is connected to anyway, which the caller has to see to. */
		const char *database, *user, *host, *port;
		const char *conninfo; /* a connection string or URI instead of the four */
		bool reuse;           /* psql's -reuse-previous; true unless switched off */
	} connect;
};

/* Outcome of the last statement, for the variables ERROR, SQLSTATE, ROW_COUNT, LAST_ERROR_*. */
struct script_status {
	bool known; /* false: there was none yet */
	bool failed;
	char sqlstate[6]; /* 00000 when it did not fail */
	uint64_t rows;
	char last_sqlstate[6];    /* of the last error, 00000: none */
	const char *last_message; /* "" : none; borrowed */
};

/* What the script asks of whoever runs it; a function that is NULL is never needed. */
struct script_host {
	void *context;
	/* Makes sure that everything handed out has been run, and tells the outcome of the last. */
	int (*status)(void *context, struct script_status *ret_status, struct err *err);
	/* text quoted as an SQL literal or identifier; *ret_quoted is the script's (mem_free).
	 * NULL: quoted by rules that need no connection, good enough for reading. */
	int (*quote)(void *context, const char *text, bool identifier, char **ret_quoted,
		struct err *err);
};

struct script_options {
	const struct variables *variables; /* --set; NULL: none */
	bool keep_going;                   /* ON_ERROR_STOP is off to begin with */
	/*
	 * Only reading, nothing is run: the outcome of queries is not known. Both branches of an
	 * \if that depends on them are gone through, and nothing in them is held against the script
	 * that may be right at run time, such as an include that is not there yet.
	 */
	bool dry;
	/*
	 * The files as they were when they were checked; NULL: they were not. A dry run notes them,
	 * another one fails when one has changed since.
	 */
	struct stamps *stamps;
	/* In a dry run: what the outcome depends on is noted here; NULL: it is not. */
	struct script_inputs *inputs;
};

struct script;

/* Opens path ("-": standard input); name is for messages. Both strings are copied. */
int script_open(const char *path, const char *name, const struct script_options *options,
	const struct script_host *host, struct script **ret_script, struct err *err);

/* The same from any source; includes are read from files. */
struct script *script_new(const char *name, struct script_source source,
	const struct script_options *options, const struct script_host *host);
void script_free(struct script *script);
void script_cleanup(struct script **script);

/*
 * The next thing to do. 0 with *action filled (SCRIPT_END at the end), or -1 with err set, place
 * included. Errors: everything of script_reader_next; an unknown or refused meta-command, a wrong
 * use of one; a file that cannot be read or that changed while or before it was read; \if without
 * \endif.
 */
int script_next(struct script *script, struct script_action *action, struct err *err);

/*
 * After script_next failed: whether it may be called again and goes on behind what was wrong (psql
 * without ON_ERROR_STOP goes on after a meta-command that failed).
 */
bool script_can_go_on(const struct script *script);

/* What the script says now: whether an error ends it, and whether each statement is committed. */
bool script_stops_on_error(const struct script *script);
bool script_autocommits(const struct script *script);

/* COPY data that follow the statement handed out last; see script_reader_copy_begin and _data. */
int script_copy_begin(struct script *script, struct err *err);
int script_copy_data(
	struct script *script, const char **ret_data, size_t *ret_length, struct err *err);
size_t script_copy_line(const struct script *script);

/* How the text is read now: '…' without escapes, and no byte of a character looks like ASCII. */
bool script_has_standard_strings(const struct script *script);
bool script_has_safe_encoding(const struct script *script);

/* Gives a text that was not read from the script (\gexec) its class, and whether it is several. */
void script_classify(const struct script *script, struct script_statement *statement);

/* What the server says; to be told after each request, and for a new connection. */
void script_set_standard_strings(struct script *script, bool on);
void script_set_encoding(struct script *script, const char *client_encoding);

/*
 * Sets a variable that psql gives values to itself (DBNAME, USER, HOST, PORT, ENCODING,
 * SERVER_VERSION_NAME, SERVER_VERSION_NUM); NULL unsets.
 */
void script_set_variable(struct script *script, const char *name, const char *value);

/*
 * Stores one column of a \gset: name is the prefix and the column's name together, value NULL for
 * NULL. Fails for a name that is no variable's. Returns 1, with nothing stored, for a variable that
 * psql treats specially (CVE-2020-25696).
 */
int script_gset(struct script *script, const char *name, const char *value, struct err *err);

/* In a dry run, after GSET: variables may from now on have been set to anything. */
void script_assume_unknown(struct script *script);

/* In a dry run: the action handed out last stands in a branch that may or may not be taken. */
bool script_is_uncertain(const struct script *script);

/* Bytes read so far, includes counted. */
uint64_t script_bytes(const struct script *script);

/* Name and line of what is being read, for messages. */
const char *script_file(const struct script *script);
size_t script_line(const struct script *script);

#endif
