#include "app/client_password.h"

#include "base/mem.h"
#include "base/message.h"
#include "base/secret.h"
#include "pg/conn_failure.h"
#include "pg/probe.h"
#include "term/prompt.h"

int client_password_ask(struct context *context, struct client_password *password, struct err *err)
{
	struct params *params = &context->target.params;
	CLEANUP(mem_cleanup) char *user = probe_param(params, "user");
	CLEANUP(mem_cleanup)
	char *question =
		message_format("Password%s%s:", user ? " for user " : "", user ? user : "");
	CLEANUP(secret_release) struct secret secret = SECRET_INIT;

	password->asked = true;
	if (prompt_secret(question, &secret, err) != 0)
		return -1;
	params_set(params, "password", secret_is_set(&secret) ? secret_reveal(&secret) : NULL);
	return 0;
}

static bool is_wanted(const struct context *context, const struct client_password *password,
	const struct err *err)
{
	return password->asks && !password->asked && !context->target.params.source &&
	       err->kind == ERR_CONNECT && conn_failure_cause(err) == CONN_CAUSE_NO_PASSWORD &&
	       prompt_possible();
}

/* A hint about the URL is of no use for what was typed. */
static void explain_typed(
	const struct context *context, const struct client_password *password, struct err *err)
{
	if (!password->asked || context->target.params.source || err->kind != ERR_CONNECT ||
		conn_failure_cause(err) != CONN_CAUSE_PASSWORD)
		return;
	err_hint(err,
		"The server does not take what was typed for this user. A role that is not there, "
		"has no password or is past its VALID UNTIL is refused in the same words; a pooler "
		"may have users and passwords of its own.");
}

static int connect_typed(struct context *context, struct client_password *password,
	bool own_queries, struct conn **ret_conn, struct err *err)
{
	if (context_connect(context, own_queries, ret_conn, err) == 0)
		return 0;
	explain_typed(context, password, err);
	return -1;
}

int client_password_connect(struct context *context, struct client_password *password,
	bool own_queries, struct conn **ret_conn, struct err *err)
{
	if (connect_typed(context, password, own_queries, ret_conn, err) == 0)
		return 0;
	if (!is_wanted(context, password, err))
		return -1;
	err_release(err);
	if (client_password_ask(context, password, err) != 0)
		return -1;
	return connect_typed(context, password, own_queries, ret_conn, err);
}
