#include "app/context.h"
#include "app/rds_failure.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/process.h"
#include "base/strbuf.h"
#include "term/out.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct variable connect_variables[] = {
	{ "DB_CLIENT", "The program to start instead of psql. It finds the connection in the PG* "
		       "variables." },
	{ 0 },
};

/* keyword='value' with libpq's quoting, for what no variable can carry. */
static void add_conninfo(struct strbuf *conninfo, const char *keyword, const char *value)
{
	strbuf_addf(conninfo, "%s%s='", conninfo->length ? " " : "", keyword);
	for (; *value; value++) {
		if (*value == '\'' || *value == '\\')
			strbuf_addc(conninfo, '\\');
		strbuf_addc(conninfo, *value);
	}
	strbuf_addc(conninfo, '\'');
}

/* The client gets a token that holds for connecting within the next 15 minutes. */
static int use_token(struct params *params, struct err *err)
{
	const char *token;

	if (!params->source)
		return 0;
	if (params->source->fetch(params->source, &token, err) != 0)
		return -1;
	params_set(params, "password", token);
	return 0;
}

/*
 * Puts the target into the environment, where no other user of the machine can read it. What libpq
 * has no variable for goes into conninfo, which will stand on the command line: never a secret.
 */
static void export_target(const struct target *target, struct strbuf *conninfo)
{
	PQconninfoOption *options = PQconndefaults();

	for (PQconninfoOption *option = options; option && option->keyword; option++) {
		const char *value = params_get(&target->params, option->keyword);

		if (strcmp(option->keyword, "dbname") == 0)
			value = target->database;
		if (!value)
			continue;
		if (option->envvar)
			setenv(option->envvar, value, 1);
		else if (strchr(option->dispchar, '*'))
			out_warning(
				"%s is left out, as the command line would show it to other users",
				option->keyword);
		else
			add_conninfo(conninfo, option->keyword, value);
	}
	PQconninfoFree(options);
	setenv("PGAPPNAME", "db-connect", 0);
}

static int start_client(const struct strlist *arguments, struct err *err)
{
	const char *client = arguments->items[0];

	interrupt_restore();
	signal(SIGPIPE, SIG_DFL);
	core_files_allow();
	execvp(client, arguments->items);
	core_files_refuse();
	if (errno != ENOENT)
		return err_errno(err, "could not start \"%s\"", client);
	err_set(err, ERR_FAILED, "could not find the program \"%s\"", client);
	err_hint(err,
		"Install it (Debian, Ubuntu and Alpine: postgresql-client, Fedora: postgresql, "
		"Homebrew: libpq) or set DB_CLIENT to another client.");
	return -1;
}

/* What the client would explain itself, or ask for: a password. */
static bool is_for_client(const struct context *context, const struct err *err)
{
	enum rds_cause cause = rds_failure_cause(err);

	return err->kind == ERR_CONNECT && !context->token.failed &&
	       (cause == RDS_CAUSE_OTHER || cause == RDS_CAUSE_NO_PASSWORD);
}

/*
 * There are many ways in which RDS is not reached, and no client explains them: a connection of our
 * own does. Other servers are not asked twice.
 */
static int make_ready(struct context *context, struct err *err)
{
	CLEANUP(conn_cleanup) struct conn *conn = NULL;

	if (!target_is_rds(&context->target))
		return context_wait(context, err);
	if (context_connect(context, true, &conn, err) == 0)
		return 0;
	if (!is_for_client(context, err))
		return -1;
	err_release(err);
	return 0;
}

static int run_connect(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	CLEANUP(strbuf_release) struct strbuf conninfo = STRBUF_INIT;
	CLEANUP(strlist_release) struct strlist arguments = STRLIST_INIT;
	const char *client;

	if (context_open(&context, run, err) != 0 || make_ready(&context, err) != 0 ||
		use_token(&context.target.params, err) != 0)
		return -1;
	/* Not from .env: a project that was just cloned must not choose programs to run. */
	client = getenv("DB_CLIENT");
	strlist_add(&arguments, client && *client ? client : "psql");
	export_target(&context.target, &conninfo);
	if (conninfo.length > 0) {
		strlist_add(&arguments, "-d");
		strlist_add(&arguments, conninfo.data);
	}
	for (size_t i = 0; i < run->rest.count; i++)
		strlist_add(&arguments, run->rest.items[i]);
	return start_client(&arguments, err);
}

const struct command command = {
	.name = "db-connect",
	.summary = "open psql on the database of a target",
	.synopsis = "[options] [TARGET] [-- ARGUMENT...]",
	.options = (const struct option *const[]){ target_options, env_options, NULL },
	.variables = (const struct variable *const[]){ connect_variables, target_variables, NULL },
	.examples =
		(const struct example[]){
			{ "db-connect prod",
				"psql on PROD_CONNECTION_URL, its password off the command line" },
			{ "db-connect -- -c 'table users'", "what follows -- goes to psql" },
			{ 0 },
		},
	.max_words = 1,
	.passes_rest = true,
	.run = run_connect,
};
