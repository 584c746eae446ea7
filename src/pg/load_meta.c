/* Meta-commands that need the server: \gset, \gexec, \connect, \encoding. */
#include "base/mem.h"
#include "pg/database.h"
#include "pg/load_internal.h"

#include <stdlib.h>
#include <string.h>

/* --- \gset and \gexec ----------------------------------------------------------------------- */

/* An error of ours, where psql would report one of the meta-command. */
static int fail(struct loader *loader, const struct script_action *action, struct err *err)
{
	load_place(&action->statement, err);
	if (!load_goes_on(loader))
		return -1;
	load_count_failure(loader, err);
	return 0;
}

static int store_column(struct loader *loader, const struct script_action *action,
	const PGresult *result, int column, struct err *err)
{
	CLEANUP(mem_cleanup)
	char *name = mem_printf("%.*s%s", (int)action->text_length,
		action->text ? action->text : "", PQfname(result, column));
	const char *value = PQgetisnull(result, 0, column) ? NULL : PQgetvalue(result, 0, column);
	int stored = script_gset(loader->script, name, value, err);

	if (stored > 0) {
		CLEANUP(mem_cleanup)
		char *text = mem_printf("%s:%zu: \\gset leaves the special variable \"%s\" alone",
			action->statement.origin.file, action->statement.origin.start.line, name);

		load_remark(loader, text);
	}
	return stored < 0 ? -1 : 0;
}

int load_gset(struct loader *loader, const struct script_action *action, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (load_alone(loader, &action->statement, false, &result, err) != 0)
		return load_failed(loader, err);
	/* Nothing that yields rows. */
	if (!result)
		return 0;
	if (PQntuples(result) != 1) {
		err_set(err, ERR_SQL, "%s",
			PQntuples(result) > 1 ? "more than one row returned for \\gset"
					      : "no rows returned for \\gset");
		return fail(loader, action, err);
	}
	for (int column = 0; column < PQnfields(result); column++)
		if (store_column(loader, action, result, column, err) != 0)
			return fail(loader, action, err);
	return 0;
}

static int run_value(struct loader *loader, const struct script_action *action, const char *value,
	struct err *err)
{
	struct script_statement statement = action->statement;

	statement.text = value;
	statement.length = strlen(value);
	/* What the text holds nobody has looked at. */
	statement.several = true;
	statement.changes_reading = true;
	if (statement.length == 0)
		return 0;
	if (load_alone(loader, &statement, true, NULL, err) != 0)
		return load_failed(loader, err);
	return 0;
}

int load_gexec(struct loader *loader, const struct script_action *action, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;
	CLEANUP(mem_cleanup)
	char *text = mem_strndup(action->statement.text, action->statement.length);
	struct script_action copy = *action;
	int outcome = 0;

	if (load_alone(loader, &action->statement, false, &result, err) != 0)
		return load_failed(loader, err);
	copy.statement.text = text;
	loader->generator = &copy.statement;
	for (int row = 0; result && outcome == 0 && row < PQntuples(result); row++)
		for (int column = 0; outcome == 0 && column < PQnfields(result); column++)
			if (!PQgetisnull(result, row, column))
				outcome = run_value(
					loader, &copy, PQgetvalue(result, row, column), err);
	loader->generator = NULL;
	return outcome;
}

/* --- \connect ------------------------------------------------------------------------------- */

static bool is(const char *one, const char *other)
{
	return strcmp(one ? one : "", other ? other : "") == 0;
}

/* What identifies the server and who one is there; a password is for these. */
static const char *const identity[] = { "host", "port", "user" };

static const char *present(const struct loader *loader, const struct params *now, size_t i)
{
	PGconn *pg = loader->conn->pg;
	const char *const values[] = { PQhost(pg), PQport(pg), PQuser(pg) };

	return values[i] && *values[i] ? values[i] : params_get(now, identity[i]);
}

/* The parameters that the meta-command names. */
static int wanted_params(const struct script_action *action, struct params *wanted, struct err *err)
{
	const char *names[] = { "dbname", "host", "port", "user" };
	const char *values[] = { action->connect.database, action->connect.host,
		action->connect.port, action->connect.user };

	if (action->connect.conninfo) {
		if (params_parse(wanted, "\\connect", action->connect.conninfo, err) == 0)
			return 0;
		err->kind = ERR_SQL;
		return -1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (values[i])
			params_set(wanted, names[i], values[i]);
	return 0;
}

static bool is_identity(const char *keyword)
{
	for (size_t i = 0; i < ARRAY_SIZE(identity); i++)
		if (strcmp(keyword, identity[i]) == 0)
			return true;
	return false;
}

/* Whether the session would be that of another server or user; *other: of other parameters. */
static bool differs(const struct loader *loader, const struct params *now,
	const struct params *wanted, bool *other)
{
	bool result = false;

	*other = false;
	for (size_t i = 0; i < ARRAY_SIZE(identity); i++) {
		const char *value = params_get(wanted, identity[i]);

		if (value && !is(value, present(loader, now, i)))
			result = true;
	}
	for (size_t i = 0; i < wanted->count; i++) {
		const char *keyword = wanted->items[i].keyword;

		if (*wanted->items[i].value && strcmp(keyword, "dbname") != 0 &&
			!is_identity(keyword) &&
			!is(wanted->items[i].value, params_get(now, keyword)))
			*other = true;
	}
	return result;
}

/* Another user is still in the same database. */
static bool leaves_server(
	const struct loader *loader, const struct params *now, const struct params *wanted)
{
	static const char *const ways[] = { "hostaddr", "service" };

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		const char *value = params_get(wanted, ways[i]);

		if (value && !is(value, params_get(now, ways[i])))
			return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(identity); i++) {
		const char *value = params_get(wanted, identity[i]);

		if (value && strcmp(identity[i], "user") != 0 &&
			!is(value, present(loader, now, i)))
			return true;
	}
	return false;
}

static void forget_secrets(struct params *params)
{
	static const char *const secret[] = { "password", "passfile", "service", "sslpassword" };

	for (size_t i = 0; i < ARRAY_SIZE(secret); i++)
		params_set(params, secret[i], NULL);
	params->source = NULL;
}

/* The parameters of the new connection. Another server never gets the password of this one. */
static void merge(const struct loader *loader, const struct params *now,
	const struct params *wanted, bool elsewhere, bool other, bool reuse, struct params *merged)
{
	const char *host = params_get(wanted, "host");

	if (reuse) {
		params_copy(merged, now);
		if (elsewhere)
			forget_secrets(merged);
		/* An address is that of the host, also for another user or port there. */
		if (host && *host && !is(host, present(loader, now, 0)))
			params_set(merged, "hostaddr", NULL);
	} else {
		params_set(merged, "dbname", PQdb(loader->conn->pg));
	}
	/* A token is for a server that is verified as the target says, and as nothing else says. */
	if (other && merged->source) {
		params_set(merged, "password", NULL);
		merged->source = NULL;
	}
	for (size_t i = 0; i < wanted->count; i++)
		if (*wanted->items[i].value)
			params_set(merged, wanted->items[i].keyword, wanted->items[i].value);
}

/* libpq takes the password from the environment for whatever server it is. */
static int open_connection(
	const struct params *params, bool elsewhere, struct conn **ret_conn, struct err *err)
{
	CLEANUP(mem_cleanup_secret)
	char *password = elsewhere ? mem_strdup(getenv("PGPASSWORD")) : NULL;
	struct conn_options options = { .application =
						params_get(params, "fallback_application_name"),
		.database = params_get(params, "dbname") };
	int result;

	if (!options.application)
		options.application = "dbrig";
	if (password)
		unsetenv("PGPASSWORD");
	result = conn_open(params, &options, ret_conn, err);
	if (password)
		setenv("PGPASSWORD", password, 1);
	return result;
}

static int refuse(struct loader *loader, const struct params *wanted, const struct params *now,
	bool reuse, bool *ret_elsewhere, bool *ret_other, struct err *err)
{
	*ret_elsewhere = differs(loader, now, wanted, ret_other) || !reuse;
	if ((!*ret_elsewhere && !*ret_other) || loader->options->allow_connect)
		return 0;
	err_set(err, ERR_REFUSED, "\\connect would leave the server, or its user");
	err_hint(err, "--allow-connect allows another host, port, user or other parameters.");
	return -1;
}

/* A pooler may have another name for it than the server. */
static int check_entered(struct loader *loader, struct conn *conn, struct err *err)
{
	CLEANUP(mem_cleanup) char *name = NULL;

	if (database_own_name(conn, &name, err) != 0)
		return -1;
	if (load_has_made(loader, name))
		return 0;
	return load_refuse_protected(loader,
		&(struct load_other){ .deed = LOAD_CONNECT, .conn = conn, .database = name }, err);
}

static int switch_connection(
	struct loader *loader, const struct script_action *action, struct err *err)
{
	CLEANUP(params_release) struct params now = PARAMS_INIT;
	CLEANUP(params_release) struct params wanted = PARAMS_INIT;
	CLEANUP(params_release) struct params merged = PARAMS_INIT;
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	bool elsewhere, other;

	conn_params(loader->conn, &now);
	if (wanted_params(action, &wanted, err) != 0 ||
		refuse(loader, &wanted, &now, action->connect.reuse, &elsewhere, &other, err) != 0)
		return -1;
	merge(loader, &now, &wanted, elsewhere, other, action->connect.reuse, &merged);
	if (open_connection(&merged, elsewhere, &conn, err) != 0)
		return -1;
	if (!action->connect.reuse || leaves_server(loader, &now, &wanted))
		load_leave_home(loader);
	if (!load_is_home(loader, PQdb(conn_pg(conn))) && check_entered(loader, conn, err) != 0)
		return -1;
	conn->trace = loader->conn->trace;
	load_use_connection(loader, take_ptr(conn));
	if (load_begin(loader, err) != 0)
		return -1;
	load_tell_connection(loader);
	return 0;
}

int load_connect(struct loader *loader, const struct script_action *action, struct err *err)
{
	static const char what[] = "\\connect cannot be in a transaction";
	int result;

	if (loader->transaction && !loader->any_statement && !loader->options->insist) {
		if (load_give_up_transaction(loader, what, err) != 0)
			return -1;
	} else if (loader->transaction) {
		err_set(err, ERR_SQL, "%s", what);
		load_place(&action->statement, err);
		if (!loader->options->first.sql)
			load_hint_plain(loader, err);
		return -1;
	}
	if (load_check_end(loader, err) != 0)
		return -1;
	/* Going on in the wrong database would be worse than ending. */
	result = switch_connection(loader, action, err);
	if (result != 0 && err->kind != ERR_INTERRUPTED && !err->place.file)
		load_place(&action->statement, err);
	return result;
}

/* --- \encoding ------------------------------------------------------------------------------ */

int load_encoding(struct loader *loader, const struct script_action *action, struct err *err)
{
	CLEANUP(mem_cleanup) char *name = mem_strndup(action->text, action->text_length);
	CLEANUP(mem_cleanup) char *literal = conn_literal(loader->conn, name);
	CLEANUP(mem_cleanup) char *sql = NULL;

	if (!literal) {
		err_set(err, ERR_SQL, "\\encoding: the name is not valid text");
		return fail(loader, action, err);
	}
	sql = mem_printf("SET client_encoding TO %s", literal);
	if (load_ensure_begun(loader, err) != 0)
		return -1;
	if (conn_exec(loader->conn, sql, err) == 0) {
		load_tell_connection(loader);
		return 0;
	}
	if (err->kind != ERR_FAILED)
		return -1;
	err->kind = ERR_SQL;
	return fail(loader, action, err);
}
