/*
 * Other executables of this project, run for what they know: those that talk to AWS load libraries
 * which the db-* commands shall not wait for at every start.
 */
#ifndef APP_COMPANION_H
#define APP_COMPANION_H

#include "app/context.h"
#include "base/strbuf.h"
#include "base/strlist.h"

/* What one said. The buffers have room for their ceilings, so that no copy stays in memory. */
struct companion_answer {
	int status; /* exit status; 128 and more: ended by a signal */
	struct strbuf output, errors;
};

#define COMPANION_CEILING ((size_t)64 << 10)
#define COMPANION_ANSWER_INIT                                                                      \
	{                                                                                          \
		.output = STRBUF_INIT_CEILING(COMPANION_CEILING),                                  \
		.errors = STRBUF_INIT_CEILING(COMPANION_CEILING)                                   \
	}

/* Wipes; usable as a CLEANUP handler. */
void companion_answer_release(struct companion_answer *answer);

/*
 * Runs it with these arguments and the variables we go by (environment and .env file): the one that
 * lies beside the running program; the one in PATH only where that place cannot be known. One that
 * prints more than COMPANION_CEILING is ended, and that is a failure. Fails as process_run does;
 * that it ended badly is no failure.
 */
int companion_run(const struct context *context, const char *name, const struct strlist *arguments,
	int64_t timeout_ms, struct companion_answer *answer, struct err *err);

/*
 * The error of one that ended badly: message as given, kind by its exit status, what it said as
 * detail and hint. Returns -1.
 */
int companion_failed(const struct companion_answer *answer, const char *name, struct err *err,
	const char *format, ...) PRINTF_LIKE(4, 5);

#endif
