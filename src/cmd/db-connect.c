#include "app/client_arguments.h"
#include "app/client_environment.h"
#include "app/client_password.h"
#include "app/client_session.h"
#include "app/client_startup.h"
#include "app/context.h"
#include "app/guard.h"
#include "app/half_made.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/process.h"
#include "base/strbuf.h"
#include "pg/conn_failure.h"
#include "pg/database.h"
#include "term/out.h"
#include "term/prompt.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool opt_write, opt_no_timeout;

static const struct option connect_options[] = {
	{ .name = "write",
		.type = OPTION_FLAG,
		.value = &opt_write,
		.help = "on a protected target: a session that may write" },
	{ .name = "no-timeout",
		.type = OPTION_FLAG,
		.value = &opt_no_timeout,
		.help = "on a protected target: a session without time limits" },
	{ 0 },
};

static const struct variable connect_variables[] = {
	{ "DB_CLIENT", "The program to start instead of psql. It finds the connection in the PG* "
		       "variables." },
	{ "DB_PROTECTED_TARGETS", "Targets that are protected as prod is, with blanks or commas "
				  "between them; one in .env counts besides." },
	{ "PROD_POOL_MODE",
		"The pool mode of the pooler that the target prod is reached through; when it is "
		"session, one that takes no startup options still gives a read-only session. "
		"Likewise NAME_POOL_MODE." },
	{ "PSQLRC", "The user's start-up file of psql, if it is not ~/.psqlrc." },
	{ "PSQL_HISTORY", "psql's history, on a protected target instead of one of its own." },
	{ "XDG_STATE_HOME",
		"Where the history of a protected target is kept, in dbrig/; ~/.local/state." },
	{ "TMPDIR",
		"Where psql's start-up file is written, which has no name; /tmp, also where TMPDIR "
		"cannot be used." },
	{ 0 },
};

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
 * Whether there is such a file: execvp says EACCES also where a directory of PATH may not be
 * entered.
 */
static bool is_in_path(const char *name)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/') || !path)
		return true;
	for (;; path++) {
		const size_t length = strcspn(path, ":");
		CLEANUP(mem_cleanup)
		char *file =
			mem_printf("%.*s/%s", length ? (int)length : 1, length ? path : ".", name);

		if (access(file, F_OK) == 0)
			return true;
		path += length;
		if (!*path)
			return false;
	}
}

static int start_client(const struct strlist *arguments, struct err *err)
{
	const char *client = arguments->items[0];
	int reason;

	interrupt_restore();
	signal(SIGPIPE, SIG_DFL);
	core_files_allow();
	execvp(client, arguments->items);
	reason = errno;
	core_files_refuse();
	if (reason != ENOENT && (reason != EACCES || is_in_path(client))) {
		errno = reason;
		return err_errno(err, "could not start \"%s\"", client);
	}
	err_set(err, ERR_FAILED, "could not find the program \"%s\"", client);
	if (strpbrk(client, " \t"))
		err_hint(err,
			"DB_CLIENT takes no arguments: they stand behind -- (db-connect -- -X).");
	else
		err_hint(err, "Install it (Debian, Ubuntu and Alpine: postgresql-client, Fedora: "
			      "postgresql, "
			      "Homebrew: libpq) or set DB_CLIENT to another client.");
	return -1;
}

/* The client, when it is started a moment later, may well be let in where we were not. */
static bool may_pass(const struct err *err, enum conn_cause cause)
{
	static const char *const classes[] = {
		"08", /* a pooler, in its own words */
		"53", /* too many connections */
		"57", /* starting up, shutting down */
	};

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (strncmp(err->sqlstate, classes[i], 2) == 0)
			return true;
	/* The last two of a hosted pooler. */
	return cause == CONN_CAUSE_SILENT || cause == CONN_CAUSE_TOO_MANY ||
	       cause == CONN_CAUSE_NO_SERVER;
}

/* What the client would explain itself, or ask for: a password. */
static bool is_for_client(const struct context *context, const struct err *err)
{
	enum conn_cause cause = conn_failure_cause(err);

	return err->kind == ERR_CONNECT && !context->token.failed && !may_pass(err, cause) &&
	       conn_cause_stage(cause) >= CONN_STAGE_AUTHENTICATION &&
	       cause != CONN_CAUSE_TLS_REQUIRED && cause != CONN_CAUSE_PASSWORD &&
	       cause != CONN_CAUSE_TOKEN;
}

/*
 * There are many ways in which RDS is not reached, and no client explains them: a connection of our
 * own does. Other servers are not asked twice.
 */
static int make_ready(struct context *context, struct client_password *password, struct err *err)
{
	CLEANUP(conn_cleanup) struct conn *conn = NULL;

	if (!target_is_rds(&context->target))
		return context_wait(context, err);
	if (client_password_connect(context, password, true, &conn, err) == 0)
		return 0;
	if (password->asked || !is_for_client(context, err))
		return -1;
	err_release(err);
	return 0;
}

/* --- the password ---------------------------------------------------------------------------- */

/* By whom, and where from, the client is given its password. */
struct login {
	struct client_password password;
	bool elsewhere; /* psql's arguments lead to another server, or name another user */
	bool unknown;   /* so no password was asked for, without which nobody could ask */
	bool asks_anew; /* the client may ask for another than it is given */
};

/*
 * With psql's -W it is asked for at once, and psql would ask again: *ret_arguments, for the client,
 * are without it then. What leads elsewhere is given no password for here, nor one that was typed.
 */
static int choose_password(struct context *context, const struct strlist *given, bool is_psql,
	struct login *login, struct strlist *ret_arguments, struct err *err)
{
	const enum client_password_wish wish =
		is_psql ? client_arguments_password(given) : CLIENT_PASSWORD_AS_NEEDED;

	login->password.asks = wish != CLIENT_PASSWORD_NEVER && !login->elsewhere;
	if (wish == CLIENT_PASSWORD_ASK && login->password.asks && !context->target.is_iam &&
		prompt_possible()) {
		client_arguments_drop_password(given, ret_arguments);
		return client_password_ask(context, &login->password, err);
	}
	login->asks_anew = login->password.asks && (!is_psql || wish == CLIENT_PASSWORD_ASK);
	for (size_t i = 0; i < given->count; i++)
		strlist_add(ret_arguments, given->items[i]);
	return 0;
}

/* --- protected targets ----------------------------------------------------------------------- */

/* The client may get in where we were not let in: by a password that it asks for. */
static bool may_ask(const struct login *login, enum conn_cause cause)
{
	return (cause == CONN_CAUSE_NO_PASSWORD && login->password.asks) ||
	       (cause == CONN_CAUSE_PASSWORD && login->asks_anew);
}

/* For a database that could not be asked; the client will hear why. */
static bool has_protected_host(const struct target *target)
{
	const struct protection_signs signs = {
		.target = target->name,
		.is_listed = target->is_listed,
		.host = params_get(&target->params, "host"),
	};
	CLEANUP(mem_cleanup) char *why = protection_reason(&signs);

	return why != NULL;
}

/*
 * By the target's name, else by what the database, its server and its address say. Where none is
 * named the target has the one that libpq chooses afterwards. Warns of one that a reset has not
 * completed.
 */
static int is_protected(
	struct context *context, struct login *login, bool *ret_protected, struct err *err)
{
	const struct guard guard = { .context = context, .what = "connect to" };
	struct target *target = &context->target;
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	CLEANUP(mem_cleanup) char *comment = NULL;

	*ret_protected = guard_protects(context);
	if (*ret_protected)
		return 0;
	if (client_password_connect(context, &login->password, true, &conn, err) != 0) {
		const enum conn_cause cause = conn_failure_cause(err);

		if (err->kind != ERR_CONNECT || may_pass(err, cause) || login->password.asked)
			return -1;
		err_release(err);
		*ret_protected = has_protected_host(target);
		login->unknown = login->elsewhere && cause == CONN_CAUSE_NO_PASSWORD;
		if (!*ret_protected && may_ask(login, cause))
			out_warning("whether the database is protected could not be found out "
				    "without a password: a session that begins is not guarded");
		return 0;
	}
	conn_limit_silence(conn, conn_timeout_ms(&target->params));
	if (!target->database)
		target->database = mem_strdup(PQdb(conn_pg(conn)));
	/* A pooler may have another name for the database. */
	if (database_comment(conn, NULL, &comment, err) != 0 ||
		half_made_warn(conn, comment, err) != 0 ||
		guard_decide(&guard, conn, comment, err) != 0)
		return -1;
	*ret_protected = guard_protects(context);
	return 0;
}

/* psql, also by a path, and as distributions name several of them: psql-15, psql15. */
static bool is_psql(const char *client)
{
	const char *slash = strrchr(client, '/');
	const char *name = slash ? slash + 1 : client;

	return strncmp(name, "psql", 4) == 0 &&
	       strspn(name + 4, "-.0123456789") == strlen(name + 4);
}

/* Whoever drops the options there would be found out by the start-up file alone. */
static int check_elsewhere(
	const struct context *context, const struct client_session *session, struct err *err)
{
	if (session->read_only == CLIENT_WRITES || !session->no_startup_file)
		return 0;
	err_set(err, ERR_REFUSED,
		"-X leaves out the start-up file that checks whether the session is read-only "
		"where the arguments lead");
	err_hint(err,
		"Leave out -X, or put the connection string, host, port or user among the "
		"arguments into %s; --write gives a session that may write.",
		context->target.origin);
	return -1;
}

/* A connection that the arguments name reaches the client behind all that was done here. */
static int check_arguments(const struct context *context, const struct strlist *arguments,
	struct client_session *session, struct err *err)
{
	const char *keyword = client_arguments_overrule(arguments, session->is_psql);

	if (!keyword)
		return 0;
	if (session->read_only == CLIENT_WRITES) {
		session->limits = false;
		session->no_limits = true;
		out_warning("no time limits: the connection among the arguments has its own %s",
			keyword);
		return 0;
	}
	err_set(err, ERR_REFUSED,
		"the connection among the arguments has its own %s, which would take the place of "
		"what makes the session read-only",
		keyword);
	err_hint(err, "Put them into %s, or add --write for a session that may write.",
		context->target.origin);
	return -1;
}

static bool is_typed_on(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/* psql's prompt has nothing that follows a setting. */
static void tell_guard(const struct client_session *session)
{
	if (session->is_psql && is_typed_on())
		out_info("a guard against slips: SET default_transaction_read_only = off, BEGIN "
			 "READ WRITE, and \\connect with options, a service or a pooler of its "
			 "own lift it, and the prompt still says ro");
}

static void tell_session(const struct context *context, const struct client_session *session)
{
	const char *why = context->protected_why;
	CLEANUP(mem_cleanup)
	char *target = mem_printf(
		"%s is protected%s%s", context->target.name, why ? ": " : "", why ? why : "");
	const bool unknown = session->read_only == CLIENT_READ_ONLY_UNKNOWN;

	if (session->read_only == CLIENT_READ_ONLY_SET)
		out_warning(
			"the pooler takes no startup options: the session is read-only by a SET, "
			"which \\connect, RESET ALL, DISCARD ALL and a lost connection undo");
	else if (unknown && (!session->is_psql || session->no_startup_file))
		out_warning("whether the session will be read-only could not be checked: the "
			    "connection is left to the client");
	else if (unknown)
		out_info("%s; the session is to be read-only (--write lifts that): psql gives up a "
			 "connection that is not",
			target);
	else if (session->read_only == CLIENT_READ_ONLY_OPTIONS && !session->is_psql)
		out_info("%s; the session is read-only (--write lifts that) through "
			 "PGOPTIONS, which a client that is not built on libpq may ignore",
			target);
	else if (session->read_only != CLIENT_WRITES && !session->certain)
		out_info("%s; the session is read-only (--write lifts that), but a pooler is on "
			 "the way: RESET ALL, DISCARD ALL and \\connect may lift it too",
			target);
	else if (session->read_only != CLIENT_WRITES)
		out_info("%s; the session is read-only (--write lifts that)", target);
	if (session->limits)
		out_info("limits: statement " CLIENT_STATEMENT_TIMEOUT
			 ", waiting for a lock " CLIENT_LOCK_TIMEOUT
			 ", idle in a transaction " CLIENT_IDLE_TIMEOUT
			 " (--no-timeout lifts them%s)",
			session->by_set ? ", as \\connect, RESET ALL and DISCARD ALL do" : "");
	else if (!session->no_limits)
		out_info("no time limits: the pooler does not take them");
	if (session->read_only != CLIENT_WRITES)
		tell_guard(session);
}

/*
 * Gives psql its start-up file and its history. Where nobody types there is neither a prompt nor a
 * history.
 */
static int export_startup(const struct context *context, const struct client_session *session,
	const char *client, struct err *err)
{
	CLEANUP(err_release) struct err history = ERR_INIT;
	const bool interactive = is_typed_on();
	const struct client_startup startup = {
		.psql = client,
		.target = context->target.name,
		.database = context->target.database,
		.prompts = interactive,
		.colored = out_colored_stdout(),
		.writes = session->read_only == CLIENT_WRITES,
		.uncertain = !session->certain,
		.set = session->read_only == CLIENT_READ_ONLY_SET,
		.set_limits = session->limits && session->by_set,
		.limits = session->limits,
		.check = session->read_only != CLIENT_WRITES,
	};

	if (!session->is_psql)
		return 0;
	if (interactive && client_history_export(startup.target, startup.database, &history) != 0)
		out_warning("the history is that of other targets: %s%s%s", history.message,
			history.detail ? ": " : "", history.detail ? history.detail : "");
	if (session->no_startup_file || !(interactive || startup.check || startup.set_limits))
		return 0;
	return client_startup_export(&startup, err);
}

/* --- the run --------------------------------------------------------------------------------- */

/* What decides is the database that the client goes to; it is let in by the password it is given.
 */
static void follow_arguments(struct target *target, const struct client_lead *lead)
{
	if (lead->password && !lead->elsewhere)
		params_set(&target->params, "password", lead->password);
	if (!lead->database)
		return;
	mem_free(target->database);
	target->database = mem_strdup(lead->database);
}

static void warn_elsewhere(const struct context *context, const struct login *login)
{
	CLEANUP(mem_cleanup)
	char *unknown = login->unknown
				? mem_printf("; whether the database of %s is protected could not "
					     "be found out without a password",
					  context->target.name)
				: NULL;

	out_warning("the session is not guarded where the arguments lead, which have a connection "
		    "string, host, port or user of their own%s",
		unknown ? unknown : "");
}

/* Beside another -d ours would count for nothing, or make a user of the database's name. */
static void add_connection(
	struct strlist *arguments, const struct strbuf *conninfo, const struct client_lead *lead)
{
	if (conninfo->length == 0)
		return;
	if (lead->takes_place) {
		out_warning("left out, as the arguments name a database: %s", conninfo->data);
		return;
	}
	strlist_add(arguments, "-d");
	strlist_add(arguments, conninfo->data);
}

/* The password of one server is not for another, which would be told it in clear if it asks so. */
static bool withholds_password(const struct context *context, const struct client_lead *lead)
{
	if (!lead->other_server)
		return false;
	if (!lead->password && client_environment_has_password(&context->target))
		out_info("the password of %s is not for the server that the arguments name: psql "
			 "asks for one, or finds it in ~/.pgpass",
			context->target.name);
	return true;
}

static int run_connect(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	CLEANUP(strbuf_release) struct strbuf conninfo = STRBUF_INIT;
	CLEANUP(strlist_release) struct strlist arguments = STRLIST_INIT;
	CLEANUP(strlist_release) struct strlist rest = STRLIST_INIT;
	CLEANUP(mem_cleanup) char *database = NULL;
	struct login login = { 0 };
	struct client_passing passing = { 0 };
	struct client_session session = {
		.write = opt_write,
		.no_limits = opt_no_timeout,
		.password = &login.password,
	};
	CLEANUP(client_lead_release) struct client_lead lead = { 0 };
	/* Not from .env: a project that was just cloned must not choose programs to run. */
	const char *client = getenv("DB_CLIENT");
	bool guarded, asks;

	if (!client || !*client)
		client = "psql";
	session.is_psql = is_psql(client);
	session.no_startup_file = session.is_psql && client_arguments_no_startup_file(&run->rest);
	/* Without a connection of our own the client would be told, in its own words. */
	if (context_open(&context, run, err) != 0 ||
		target_check_service(&context.target, err) != 0)
		return -1;
	if (session.is_psql)
		client_arguments_lead(&run->rest, &context.target.params, &lead);
	database = mem_strdup(context.target.database);
	follow_arguments(&context.target, &lead);
	login.elsewhere = lead.elsewhere;
	if (choose_password(&context, &run->rest, session.is_psql, &login, &rest, err) != 0 ||
		is_protected(&context, &login, &guarded, err) != 0)
		return -1;
	if (!guarded && lead.elsewhere)
		warn_elsewhere(&context, &login);
	asks = guarded && !(opt_write && opt_no_timeout);
	if ((asks ? client_session_choose(&context, &session, is_for_client, err)
		  : make_ready(&context, &login.password, err)) != 0 ||
		use_token(&context.target.params, err) != 0)
		return -1;
	if (asks && (check_arguments(&context, &run->rest, &session, err) != 0 ||
			    (lead.elsewhere && check_elsewhere(&context, &session, err) != 0)))
		return -1;
	if (asks)
		tell_session(&context, &session);
	passing.database = database;
	passing.no_password = withholds_password(&context, &lead);
	/* A service's own password would count before the one that was typed, or be sent along. */
	passing.resolve = (asks || login.password.asked || passing.no_password) &&
			  client_environment_has_service(&context.target);
	client_environment_export(&context.target, &passing, &conninfo);
	if (guarded && export_startup(&context, &session, client, err) != 0)
		return -1;
	strlist_add(&arguments, client);
	add_connection(&arguments, &conninfo, &lead);
	for (size_t i = 0; i < rest.count; i++)
		strlist_add(&arguments, rest.items[i]);
	return start_client(&arguments, err);
}

const struct command command = {
	.name = "db-connect",
	.summary = "open psql on the database of a target",
	.synopsis = "[options] [TARGET] [-- ARGUMENT...]",
	.options = (const struct option *const[]){ connect_options, target_options, env_options,
		NULL },
	.variables = (const struct variable *const[]){ connect_variables, target_variables, NULL },
	.examples =
		(const struct example[]){
			{ "db-connect prod",
				"psql on PROD_CONNECTION_URL, read-only, its password off the "
				"command line" },
			{ "db-connect prod --write", "the same in a session that may write" },
			{ "db-connect -- -c 'table users'", "what follows -- goes to psql" },
			{ 0 },
		},
	.max_words = 1,
	.passes_rest = true,
	.run = run_connect,
};
