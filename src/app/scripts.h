/* The project's scripts: which files, what they hold, running them with what the user sees of it.
 */
#ifndef APP_SCRIPTS_H
#define APP_SCRIPTS_H

#include "app/context.h"
#include "pg/load.h"

struct scripts {
	struct load_file *files; /* path and name are owned */
	size_t count;
	bool keep_going;
	bool transaction;
	bool commit_sent; /* set by scripts_run when it fails at COMMIT; the error tells more */
	bool reads_pipe;  /* set by scripts_check: what comes is not known beforehand */
};

#define SCRIPTS_INIT                                                                               \
	{                                                                                          \
		.transaction = true                                                                \
	}

/* -f/--file, --no-transaction, --keep-going */
extern const struct option script_options[];

/* The files given by -f, else schema.sql in the project's db directory. */
int scripts_find_schema(const struct context *context, struct scripts *scripts, struct err *err);

/*
 * The files given by -f, else seed.sql, else the *.sql files of seeds/ by name. None at all is an
 * error unless missing_ok, when the list stays empty.
 */
int scripts_find_seed(
	const struct context *context, bool missing_ok, struct scripts *scripts, struct err *err);

/* As the two above, but -f is not looked at: for db-setup. */
int scripts_find_default(const struct context *context, struct scripts *schema,
	struct scripts *seed, struct err *err);

/*
 * Reads all regular files through, without a server: anything wrong with them is found before
 * something is changed. Scripts that cannot run in one transaction are recognized and switched to
 * running statement by statement, which is said in one line.
 */
int scripts_check(struct scripts *scripts, struct err *err);

/* Runs them over conn and says what was done. */
int scripts_run(struct conn *conn, struct scripts *scripts, struct err *err);

/* Usable as a CLEANUP handler. */
void scripts_release(struct scripts *scripts);

#endif
