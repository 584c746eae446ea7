#include "app/client_session.h"

#include "base/mem.h"
#include "pg/pool_mode.h"
#include "pg/probe.h"
#include "pg/session_settings.h"
#include "term/out.h"

#include <stdlib.h>
#include <string.h>

#define LIMITS                                                                                     \
	"-c statement_timeout=" CLIENT_STATEMENT_TIMEOUT " -c lock_timeout=" CLIENT_LOCK_TIMEOUT   \
	" -c idle_in_transaction_session_timeout=" CLIENT_IDLE_TIMEOUT
#define READ_ONLY "-c default_transaction_read_only=on"
#define READ_WRITE "-c default_transaction_read_only=off"

#define SQLSTATE_PROTOCOL "08P01"

/* How many sessions are looked at for one that was left before. */
#define TRACE_TRIES 3

/* What is being decided. */
struct choice {
	struct context *context;
	struct client_session *session;
	char *own_options; /* the user's; never NULL */
	bool options_refused;
};

static void choice_cleanup(struct choice *choice)
{
	mem_free(choice->own_options);
}

/* --- asking ---------------------------------------------------------------------------------- */

/* The user's limits count before ours, but what makes the session read-only comes last. */
static void set_options(struct choice *choice, const char *limits, const char *read_only)
{
	const char *own = choice->own_options;
	CLEANUP(mem_cleanup)
	char *options = mem_printf("%s%s%s%s%s", limits, *limits && *own ? " " : "", own,
		(*limits || *own) && *read_only ? " " : "", read_only);

	params_set(&choice->context->target.params, "options", *options ? options : NULL);
}

/* A pooler accepts whom it has no session for. */
static int connect_limited(struct choice *choice, struct conn **ret_conn, struct err *err)
{
	struct context *context = choice->context;

	if (client_password_connect(context, choice->session->password, false, ret_conn, err) != 0)
		return -1;
	conn_limit_silence(*ret_conn, conn_timeout_ms(&context->target.params));
	return 0;
}

static int ask(struct choice *choice, const char *limits, const char *read_only,
	struct session_settings *answer, struct err *err)
{
	CLEANUP(conn_cleanup) struct conn *conn = NULL;

	set_options(choice, limits, read_only);
	if (connect_limited(choice, &conn, err) != 0)
		return -1;
	return session_settings_read(conn, answer, err);
}

/* "unsupported startup parameter: options", or in newer ones "… parameter in options: name". */
static bool is_refusal(const struct err *err)
{
	return strcmp(err->sqlstate, SQLSTATE_PROTOCOL) == 0 && err->detail &&
	       strstr(err->detail, "options");
}

/* --- settings by SET -------------------------------------------------------------------------- */

/* NAME_POOL_MODE; *ret_mode, borrowed: NULL, it is not set. */
static int read_pool_mode(
	const struct choice *choice, const char *variable, const char **ret_mode, struct err *err)
{
	const char *mode = env_get(&choice->context->env, variable, NULL);

	if (mode && strcmp(mode, "session") != 0 && strcmp(mode, "transaction") != 0 &&
		strcmp(mode, "statement") != 0) {
		err_set(err, ERR_USAGE, "%s is \"%s\"", variable, mode);
		err_hint(err, "It can be session, transaction or statement.");
		return -1;
	}
	*ret_mode = mode;
	return 0;
}

static int refuse_shared(const struct choice *choice, const char *variable, struct err *err)
{
	err_set(err, ERR_REFUSED, "%s is session, but the pooler shares sessions between clients",
		variable);
	err_detail(err, "A SET that makes one read-only would reach other clients.");
	err_hint(err,
		"Take %s away, and name the server itself in %s; --write gives a session "
		"that may write.",
		variable, choice->context->target.origin);
	return -1;
}

static int refuse_unreset(const struct choice *choice, struct err *err)
{
	const char *origin = choice->context->target.origin;

	err_set(err, ERR_REFUSED,
		"the pooler that %s leads to does not reset its sessions between clients", origin);
	err_detail(err, "A SET that makes one read-only would stay for its next client.");
	err_hint(err,
		"Have it do so (PgBouncer: server_reset_query = DISCARD ALL), or name the server "
		"itself in %s; --write gives a session that may write.",
		origin);
	return -1;
}

static int check_sharing(struct choice *choice, const char *variable, struct err *err)
{
	CLEANUP(conn_cleanup) struct conn *first = NULL;
	CLEANUP(conn_cleanup) struct conn *second = NULL;
	bool shares;

	if (connect_limited(choice, &first, err) != 0 ||
		connect_limited(choice, &second, err) != 0 ||
		pool_mode_shares(first, second, &shares, err) != 0)
		return -1;
	return shares ? refuse_shared(choice, variable, err) : 0;
}

static int leave_trace(struct choice *choice, struct pool_trace *trace, struct err *err)
{
	CLEANUP(conn_cleanup) struct conn *conn = NULL;

	if (connect_limited(choice, &conn, err) != 0)
		return -1;
	return pool_mode_leave_trace(conn, trace, err);
}

/*
 * Poolers give away the session that was free last, so the next client has it most likely. One that
 * gives them away in turn comes to it again while there are few.
 */
static int check_reset(struct choice *choice, const char *variable, struct err *err)
{
	struct pool_trace trace;
	enum pool_find find = POOL_OTHER;

	if (leave_trace(choice, &trace, err) != 0)
		return -1;
	for (size_t i = 0; i < TRACE_TRIES && find == POOL_OTHER; i++) {
		CLEANUP(conn_cleanup) struct conn *next = NULL;

		if (connect_limited(choice, &next, err) != 0 ||
			pool_mode_find_trace(next, &trace, &find, err) != 0)
			return -1;
	}
	if (find != POOL_KEPT)
		return 0;
	/* One that shares its sessions resets none either. */
	return check_sharing(choice, variable, err) != 0 ? -1 : refuse_unreset(choice, err);
}

/*
 * Whoever says that the pool mode is session may be wrong. Its two connections are closed before
 * the next: one of them may still wait for the other's session.
 */
static int check_pool(struct choice *choice, const char *variable, struct err *err)
{
	if (check_sharing(choice, variable, err) != 0)
		return -1;
	return check_reset(choice, variable, err);
}

/* --- sessions that may write ----------------------------------------------------------------- */

/* Without limits where they could reach other clients, or cannot be set. */
static int choose_set_limits(struct choice *choice, struct err *err)
{
	struct client_session *session = choice->session;
	CLEANUP(mem_cleanup)
	char *variable = target_pool_mode_variable(choice->context->target.name);
	const char *mode;

	if (read_pool_mode(choice, variable, &mode, err) != 0)
		return -1;
	if (!mode || strcmp(mode, "session") != 0 || !session->is_psql || session->no_startup_file)
		return 0;
	if (check_pool(choice, variable, err) == 0) {
		session->limits = session->by_set = true;
		return 0;
	}
	if (err->kind != ERR_REFUSED)
		return -1;
	err_release(err);
	return 0;
}

static int choose_limits(struct choice *choice, struct err *err)
{
	struct session_settings answer = { 0 };

	if (ask(choice, LIMITS, "", &answer, err) == 0) {
		choice->session->limits = answer.limit_by_options;
	} else if (is_refusal(err)) {
		err_release(err);
		set_options(choice, "", "");
	} else {
		return -1;
	}
	return choice->session->limits ? 0 : choose_set_limits(choice, err);
}

/* --- read-only sessions ---------------------------------------------------------------------- */

/* As many of our options as are not refused; *ret_limits, *ret_read_only: those. */
static int ask_down(struct choice *choice, const char **ret_limits, const char **ret_read_only,
	struct session_settings *answer, struct err *err)
{
	const char *const limits[] = { choice->session->no_limits ? "" : LIMITS, "", "" };
	const char *const read_only[] = { READ_ONLY, READ_ONLY, "" };

	for (size_t i = 0;; i++) {
		if (i == 1 && !*limits[0])
			continue;
		if (ask(choice, limits[i], read_only[i], answer, err) == 0) {
			*ret_limits = limits[i];
			*ret_read_only = read_only[i];
			return 0;
		}
		if (i + 1 == ARRAY_SIZE(limits) || !is_refusal(err))
			return -1;
		err_release(err);
		choice->options_refused = true;
	}
}

/*
 * That a session behind a pooler is read-only may be what another client has left on it; when it is
 * as it was asked to be both times, the options did it.
 */
static int is_obeyed(struct choice *choice, const char *limits,
	const struct session_settings *answer, bool *ret_obeyed, struct err *err)
{
	struct session_settings other = { 0 };

	*ret_obeyed = answer->read_only && answer->read_only_by_options && answer->direct;
	if (*ret_obeyed || !answer->read_only)
		return 0;
	if (ask(choice, limits, READ_WRITE, &other, err) != 0)
		return -1;
	*ret_obeyed = !other.read_only;
	set_options(choice, limits, READ_ONLY);
	return 0;
}

static int refuse(const struct choice *choice, const char *variable, struct err *err)
{
	const struct target *target = &choice->context->target;

	err_set(err, ERR_REFUSED, "the pooler that %s leads to cannot give a read-only session",
		target->origin);
	err_detail(err,
		"It %s startup options, and unless its pool mode is session, a SET would reach the "
		"sessions of other clients.",
		choice->options_refused ? "refuses" : "ignores");
	err_hint(err,
		"Name the server itself in %s, or set %s=session where that is the pool mode; "
		"--write gives a session that may write.",
		target->origin, variable);
	return -1;
}

/* Behind a pooler that takes no options. */
static int choose_set(struct choice *choice, struct err *err)
{
	struct client_session *session = choice->session;
	CLEANUP(mem_cleanup)
	char *variable = target_pool_mode_variable(choice->context->target.name);
	const char *mode;

	if (read_pool_mode(choice, variable, &mode, err) != 0)
		return -1;
	if (!mode || strcmp(mode, "session") != 0)
		return refuse(choice, variable, err);
	if (!session->is_psql || session->no_startup_file) {
		err_set(err, ERR_REFUSED,
			session->is_psql
				? "-X leaves out the start-up file that makes this session "
				  "read-only"
				: "behind this pooler only psql can be given a read-only session");
		err_hint(err,
			"%s, or name the server itself in %s; --write gives a session that "
			"may write.",
			session->is_psql ? "Leave out -X" : "Unset DB_CLIENT",
			choice->context->target.origin);
		return -1;
	}
	if (check_pool(choice, variable, err) != 0)
		return -1;
	session->read_only = CLIENT_READ_ONLY_SET;
	session->by_set = true;
	session->limits = !session->no_limits;
	return 0;
}

/* A server whose default is "read-write" for several hosts would be none for a read-only session.
 */
static void want_primary(struct params *params)
{
	const char *wanted = params_get(params, "target_session_attrs");

	if (!wanted)
		wanted = getenv("PGTARGETSESSIONATTRS");
	if (wanted && strcmp(wanted, "read-write") == 0)
		params_set(params, "target_session_attrs", "primary");
}

static int choose_read_only(struct choice *choice, struct err *err)
{
	struct client_session *session = choice->session;
	struct session_settings answer = { 0 };
	const char *limits, *read_only;
	bool obeyed = false;

	want_primary(&choice->context->target.params);
	if (ask_down(choice, &limits, &read_only, &answer, err) != 0 ||
		(*read_only && is_obeyed(choice, limits, &answer, &obeyed, err) != 0))
		return -1;
	session->limits = *limits && answer.limit_by_options;
	session->certain = answer.direct;
	if (obeyed) {
		session->read_only = CLIENT_READ_ONLY_OPTIONS;
		return 0;
	}
	if (answer.read_only && !answer.read_only_by_options && !answer.read_only_by_set) {
		session->read_only = CLIENT_READ_ONLY_SERVER;
		return 0;
	}
	session->certain = false;
	set_options(choice, "", "");
	return choose_set(choice, err);
}

/* --- choosing -------------------------------------------------------------------------------- */

int client_session_choose(struct context *context, struct client_session *session,
	bool (*is_for_client)(const struct context *context, const struct err *err),
	struct err *err)
{
	CLEANUP(choice_cleanup)
	struct choice choice = { .context = context, .session = session };
	int result;

	choice.own_options = probe_param(&context->target.params, "options");
	if (!choice.own_options)
		choice.own_options = mem_strdup("");
	session->read_only = CLIENT_WRITES;
	session->limits = session->by_set = session->certain = false;
	result = session->write ? choose_limits(&choice, err) : choose_read_only(&choice, err);
	if (result == 0 || session->password->asked || !is_for_client(context, err))
		return result;
	err_release(err);
	session->certain = false;
	set_options(&choice, session->no_limits ? "" : LIMITS, session->write ? "" : READ_ONLY);
	session->limits = !session->no_limits;
	if (!session->write)
		session->read_only = CLIENT_READ_ONLY_UNKNOWN;
	return 0;
}
