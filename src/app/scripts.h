/* The project's scripts: which files, what they hold, running them with what the user sees of it.
 */
#ifndef APP_SCRIPTS_H
#define APP_SCRIPTS_H

#include "app/context.h"
#include "pg/load.h"
#include "sql/check.h"
#include "sql/inputs.h"

struct scripts {
	struct load_file *files; /* path and name are owned */
	size_t count;
	bool keep_going;
	bool transaction;
	const char *insists; /* the option that insists on the transaction: a script that cannot run
				in one is an error; NULL: none does */
	bool allow_connect;  /* as in load_options, like batch and at_once */
	bool at_once;
	size_t batch;
	struct load_first first;    /* as in load_options; its texts and first_done are borrowed */
	const char *first_done;     /* told when they have run: "emptied 3 tables"; NULL */
	bool first_failed;          /* set by scripts_run: as in load_counts */
	struct variables variables; /* --set */
	struct stamps stamps;       /* set by scripts_check: of the files it has read */
	bool commented;             /* as in load_counts; set by scripts_run */
	bool commit_sent; /* set by scripts_run when it fails at COMMIT; the error tells more */
	uint64_t bytes;   /* set by scripts_check: of all that can be read beforehand */
	bool reads_pipe;  /* set by scripts_check: what comes is not known beforehand */
	/* Set by scripts_check, unless it has wants_inputs: as in script_summary; with reads_pipe
	 * unforeseen holds too. */
	struct script_found destructive;
	bool unforeseen;
	/* The error with which scripts_run refuses what would destroy data; kind NONE: it does not.
	 */
	struct err refusal;
	bool unasked;                /* as in load_options */
	struct load_judge judge;     /* as in load_options: guard_judge */
	bool wanted_transaction;     /* set by scripts_check: transaction before it was given up */
	bool wants_inputs;           /* asks scripts_check for the inputs */
	bool definitions_run;        /* as in script_inputs; set beside wants_inputs, for a seed */
	struct script_inputs inputs; /* its names may be missing: scripts_names */
};

#define SCRIPTS_INIT                                                                               \
	{                                                                                          \
		.transaction = true, .batch = LOAD_BATCH_AUTO                                      \
	}

/* -f/--file, --no-transaction, --keep-going, --single-transaction */
extern const struct option script_options[];

/* --set, --batch, --allow-connect, --dry-run: for any command that runs scripts. */
extern const struct option script_run_options[];

/* True with --dry-run. */
bool scripts_dry_run(void);

/* The files given by -f, else schema.sql in the project's db directory. */
int scripts_find_schema(const struct context *context, struct scripts *scripts, struct err *err);

/*
 * The files given by -f, else seed.sql, else the *.sql files of seeds/ by name. None at all is an
 * error unless missing_ok, when the list stays empty.
 */
int scripts_find_seed(
	const struct context *context, bool missing_ok, struct scripts *scripts, struct err *err);

/* As the two above, but of the options only script_run_options count: for db-setup. */
int scripts_find_default(const struct context *context, struct scripts *schema,
	struct scripts *seed, struct err *err);

/* Has option insist on one transaction for all scripts; a usage error when there is to be none. */
int scripts_insist(struct scripts *scripts, const char *option, struct err *err);

/*
 * Reads all regular files through, without a server: anything wrong with them is found before
 * something is changed. Scripts that cannot run in one transaction are recognized and switched to
 * running statement by statement, which is said in one line, or refused with SQL when the
 * transaction is insisted on. With wants_inputs, scripts that have not changed since an earlier
 * check are not read again (app/inputs_cache.h).
 */
int scripts_check(struct scripts *scripts, struct err *err);

/* "db/seed.sql:3: TRUNCATE", of destructive; NULL: there is none. The caller owns it. */
char *scripts_cause(const struct scripts *scripts);

/*
 * Makes sure that inputs.names and inputs.varying are there, after scripts_check with wants_inputs:
 * reads the scripts once more if it did not, or if there are data of COPY, which that leaves out.
 * Fails as scripts_check, and with SQL when they are not what was checked.
 */
int scripts_names(struct scripts *scripts, struct err *err);

/* Runs them over conn, which \connect closes (pg/load.h), and says what was done.
 * scripts->transaction is false afterwards when it was given up for what came through a pipe. */
int scripts_run(struct conn *conn, struct scripts *scripts, struct err *err);

/* Instead of running them: lists on stdout, with its place, each thing that would be done. */
int scripts_list(const struct scripts *scripts, struct err *err);

/* Usable as a CLEANUP handler. */
void scripts_release(struct scripts *scripts);

#endif
