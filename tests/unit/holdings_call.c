/*
 * app/holdings.h as a command of its own, for tests/e2e/holdings.bats: tells what the target's
 * database holds, and does nothing to it.
 *
 *   holdings_call [TARGET]
 *
 * As the commands that destroy do, it sets no limits of its own and looks for a signal afterwards.
 * Last it prints what its maintenance connection is left with: statement_timeout, lock_timeout,
 * transaction_read_only, and whether a statement after it works.
 */
#include "app/context.h"
#include "app/holdings.h"
#include "base/interrupt.h"
#include "term/out.h"

static int run_call(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (context_open(&context, run, err) != 0 ||
		context_connect_maintenance(&context, &conn, err) != 0)
		return -1;
	holdings_tell(&context, conn, false);
	if (interrupt_check(err) != 0 ||
		conn_query_row(conn,
			"SELECT pg_catalog.current_setting('statement_timeout') || ' ' || "
			"pg_catalog.current_setting('lock_timeout') || ' ' || "
			"pg_catalog.current_setting('transaction_read_only')",
			0, NULL, &result, err) != 0)
		return -1;
	out_data("%s\n", PQgetvalue(result, 0, 0));
	return 0;
}

const struct command command = {
	.name = "holdings_call",
	.summary = "tell what a database holds",
	.synopsis = "[options] [TARGET]",
	.options = (const struct option *const[]){ target_options, maintenance_options,
		echo_options, env_options, NULL },
	.variables = (const struct variable *const[]){ target_variables, NULL },
	.examples = (const struct example[]){ { 0 } },
	.max_words = 1,
	.run = run_call,
};

int main(int count, char **words)
{
	return command_main(&command, count, words);
}
