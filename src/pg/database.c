#include "pg/database.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "pg/obstacle.h"
#include "queries.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SQLSTATE_UNIQUE "23505"
#define SQLSTATE_NOT_READY "55000"

/* How long a CREATE is tried again while a killed one is still finishing on the server. */
#define CREATE_RETRY_MS 5000
/* And while another of our own sessions is in template1, which it copies. */
#define CREATE_IN_USE_MS 20000
#define CREATE_PAUSE_MS 50

#define END_OTHERS_MS 1000

static bool is_true(const PGresult *result, int row, int column)
{
	return strcmp(PQgetvalue(result, row, column), "t") == 0;
}

int database_inspect(
	struct conn *conn, const char *name, struct database_state *state, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (conn_query_row(conn, query_database_state, 1, &name, &result, err) != 0)
		return -1;
	*state = (struct database_state){
		.found = is_true(result, 0, 0),
		.is_template = is_true(result, 0, 1),
		.invalid = is_true(result, 0, 2),
		.in_recovery = is_true(result, 0, 3),
		.is_owner = is_true(result, 0, 4),
		.obstructed = is_true(result, 0, 5),
		.connected = is_true(result, 0, 6),
		.next_xid = strtoll(PQgetvalue(result, 0, 7), NULL, 10),
	};
	snprintf(state->started, sizeof(state->started), "%s", PQgetvalue(result, 0, 8));
	conn_note_process(conn, PQgetvalue(result, 0, 9));
	return 0;
}

int database_oid(struct conn *conn, const char *name, uint32_t *ret_oid, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (conn_query_row(conn, query_database_oid, 1, &name, &result, err) != 0)
		return -1;
	*ret_oid = (uint32_t)strtoul(PQgetvalue(result, 0, 0), NULL, 10);
	return 0;
}

int database_comment(struct conn *conn, const char *name, char **ret_comment, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	*ret_comment = NULL;
	if (conn_query(conn, query_database_comment, 1, &name, &result, err) != 0)
		return -1;
	if (PQntuples(result) > 0 && !PQgetisnull(result, 0, 0))
		*ret_comment = mem_strdup(PQgetvalue(result, 0, 0));
	return 0;
}

int database_identity(
	struct conn *conn, const char *name, uint32_t *ret_oid, char **ret_comment, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	*ret_oid = 0;
	*ret_comment = NULL;
	if (conn_query(conn, query_database_identity, 1, &name, &result, err) != 0)
		return -1;
	if (PQntuples(result) == 0)
		return 0;
	*ret_oid = (uint32_t)strtoul(PQgetvalue(result, 0, 0), NULL, 10);
	if (!PQgetisnull(result, 0, 1))
		*ret_comment = mem_strdup(PQgetvalue(result, 0, 1));
	return 0;
}

int database_own_name(struct conn *conn, char **ret_name, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (conn_query_row(conn, query_current_database, 0, NULL, &result, err) != 0)
		return -1;
	*ret_name = mem_strdup(PQgetvalue(result, 0, 0));
	return 0;
}

static int add_clause(struct conn *conn, struct strbuf *sql, const char *keyword, const char *value,
	bool identifier, struct err *err)
{
	CLEANUP(mem_cleanup) char *quoted = NULL;

	if (!value)
		return 0;
	quoted = identifier ? conn_identifier(conn, value) : conn_literal(conn, value);
	if (!quoted)
		return err_set(err, ERR_USAGE, "\"%s\" is not valid text", value);
	strbuf_addf(sql, "%s%s %s", sql->length ? " " : "", keyword, quoted);
	return 0;
}

static int build_create(struct conn *conn, const char *name,
	const struct database_create_options *options, struct strbuf *sql, struct err *err)
{
	if (add_clause(conn, sql, "CREATE DATABASE", name, true, err) != 0 ||
		add_clause(conn, sql, "OWNER", options->owner, true, err) != 0 ||
		add_clause(conn, sql, "TEMPLATE", options->template, true, err) != 0 ||
		add_clause(conn, sql, "ENCODING", options->encoding, false, err) != 0 ||
		add_clause(conn, sql, "LOCALE", options->locale, false, err) != 0)
		return -1;
	return 0;
}

static int already_there(struct conn *conn, const char *name, struct err *err)
{
	struct database_state state = { 0 };

	err_release(err);
	if (database_inspect(conn, name, &state, err) != 0)
		return -1;
	if (!state.invalid)
		return 0;
	err_set(err, ERR_FAILED, "database \"%s\" exists but is invalid", name);
	err_detail(err, "A DROP DATABASE was interrupted; what is left cannot be connected to.");
	err_hint(err, "Remove it with db-drop, or use db-setup.");
	return -1;
}

/* What a CREATE has failed of passes by itself. */
static bool may_create_later(struct conn *conn, const struct err *err, int64_t started)
{
	const int64_t waited = clock_ms() - started;

	/* Another CREATE of the same name is just finishing. */
	if (strcmp(err->sqlstate, SQLSTATE_UNIQUE) == 0)
		return waited < CREATE_RETRY_MS;
	/* Others like us have template1 as their maintenance database. */
	return strcmp(err->sqlstate, SQLSTATE_IN_USE) == 0 && database_maintains_template1(conn) &&
	       waited < CREATE_IN_USE_MS;
}

int database_create(struct conn *conn, const char *name,
	const struct database_create_options *options, bool *ret_created, struct err *err)
{
	CLEANUP(strbuf_release) struct strbuf sql = STRBUF_INIT;
	const int64_t started = clock_ms();

	if (build_create(conn, name, options, &sql, err) != 0)
		return -1;
	while (conn_exec(conn, sql.data, err) != 0) {
		if (strcmp(err->sqlstate, SQLSTATE_DUPLICATE_DATABASE) == 0) {
			*ret_created = false;
			return already_there(conn, name, err);
		}
		if (!may_create_later(conn, err, started))
			break;
		clock_sleep_ms(CREATE_PAUSE_MS);
		if (interrupt_check(err) != 0)
			return -1;
		err_release(err);
	}
	if (err->kind == ERR_NONE) {
		*ret_created = true;
		return 0;
	}
	obstacle_failure(err, "create", name);
	if (strcmp(err->sqlstate, SQLSTATE_IN_USE) == 0)
		err_hint(err, "Somebody is connected to the template: end that session, or with "
			      "db-create "
			      "use --template template0.");
	return -1;
}

int database_refuse_template(struct conn *conn, const char *verb, const char *name, struct err *err)
{
	CLEANUP(mem_cleanup) char *quoted = conn_identifier(conn, name);

	err_set(err, ERR_FAILED, "could not %s database \"%s\": it is a template", verb, name);
	err_hint(err, "This makes it an ordinary one: ALTER DATABASE %s IS_TEMPLATE false", quoted);
	return -1;
}

static int check_droppable(
	struct conn *conn, const char *name, const struct database_state *state, struct err *err)
{
	if (state->in_recovery) {
		err_set(err, ERR_FAILED,
			"could not drop database \"%s\": the server is a read-only "
			"standby",
			name);
		err_hint(err, "Use the URL of its primary.");
		return -1;
	}
	if (state->is_template)
		return database_refuse_template(conn, "drop", name, err);
	if (!state->is_owner)
		return err_set(err, ERR_FAILED,
			"could not drop database \"%s\": you are not its owner", name);
	return 0;
}

/* Adds to the error of a DROP DATABASE what stands in its way. */
static void explain_drop(struct conn *conn, const char *name, bool force, struct err *err)
{
	CLEANUP(strbuf_release) struct strbuf list = STRBUF_INIT;
	CLEANUP(err_release) struct err other = ERR_INIT;
	struct database_state state = { 0 };
	int count;

	if (err->kind == ERR_INTERRUPTED) {
		if (database_inspect(conn, name, &state, &other) != 0)
			return;
		if (state.invalid)
			err_note_line(err,
				"Database \"%s\" is half dropped and cannot be used; the next "
				"db-drop or db-setup removes it.",
				name);
		else if (!state.found)
			err_note_line(
				err, "The signal came too late: database \"%s\" is gone.", name);
	} else if (err->kind == ERR_CONNECT) {
		err_note_line(err, "Whether database \"%s\" was dropped is unknown.", name);
	} else if (strcmp(err->sqlstate, SQLSTATE_PRIVILEGE) == 0) {
		/* A session of a role that ours may not end. */
		if (force && obstacle_list_sessions(conn, name, true, &list, &count, &other) == 0 &&
			count > 0)
			err_detail_line(err, "%s", list.data);
	} else if (strcmp(err->sqlstate, SQLSTATE_IN_USE) == 0 ||
		   strcmp(err->sqlstate, SQLSTATE_NOT_READY) == 0) {
		/* Somebody connected in between, or something holds it that is no session. */
		obstacle_explain(conn, name, true, err);
		if (!force && obstacle_sessions(conn, "drop", name, false, &other) > 0) {
			err_release(err);
			*err = other;
			other = (struct err)ERR_INIT;
		}
	}
}

int database_drop(struct conn *conn, const char *name, const struct database_state *known,
	bool force, bool *ret_dropped, struct err *err)
{
	CLEANUP(strbuf_release) struct strbuf sql = STRBUF_INIT;
	struct database_state state = { 0 };

	if (known)
		state = *known;
	else if (database_inspect(conn, name, &state, err) != 0)
		return -1;
	*ret_dropped = false;
	if (!state.found)
		return 0;
	if (check_droppable(conn, name, &state, err) != 0)
		return -1;
	/* Before FORCE ends sessions in vain. */
	if (state.obstructed && obstacle_check(conn, "drop", name, true, err) != 0)
		return -1;
	if (!force && state.connected && obstacle_sessions(conn, "drop", name, false, err) != 0)
		return -1;
	if (add_clause(conn, &sql, "DROP DATABASE IF EXISTS", name, true, err) != 0)
		return -1;
	if (force)
		strbuf_adds(&sql, " WITH (FORCE)");
	if (conn_exec(conn, sql.data, err) != 0) {
		obstacle_failure(err, "drop", name);
		explain_drop(conn, name, force, err);
		return -1;
	}
	*ret_dropped = true;
	return 0;
}

bool database_maintains_template1(struct conn *conn)
{
	return strcmp(PQdb(conn_pg(conn)), "template1") == 0;
}

int database_names(struct conn *conn, struct strlist *names, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (conn_query(conn, query_database_names, 0, NULL, &result, err) != 0)
		return -1;
	for (int i = 0; i < PQntuples(result); i++)
		strlist_add(names, PQgetvalue(result, i, 0));
	return 0;
}

int database_comments(
	struct conn *conn, struct strlist *names, struct strlist *comments, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (conn_query(conn, query_database_names, 0, NULL, &result, err) != 0)
		return -1;
	for (int i = 0; i < PQntuples(result); i++) {
		strlist_add(names, PQgetvalue(result, i, 0));
		strlist_add(comments, PQgetvalue(result, i, 1));
	}
	return 0;
}

/* A row for each kind; the caller owns it. */
static char *list_objects(const PGresult *result)
{
	struct strbuf text = STRBUF_INIT;
	const int count = PQntuples(result);

	for (int i = 0; i < count; i++) {
		const char *number = PQgetvalue(result, i, 1);

		strbuf_addf(&text, "%s%s %s%s",
			i == 0          ? ""
			: i + 1 < count ? ", "
					: " and ",
			number, PQgetvalue(result, i, 0), strcmp(number, "1") == 0 ? "" : "s");
	}
	return strbuf_detach(&text);
}

int database_objects(struct conn *conn, char **ret_objects, char **ret_comment, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (conn_query_row(conn, query_database_objects, 0, NULL, &result, err) != 0)
		return -1;
	*ret_objects = PQgetisnull(result, 0, 0) ? NULL : list_objects(result);
	*ret_comment = PQgetisnull(result, 0, 2) ? NULL : mem_strdup(PQgetvalue(result, 0, 2));
	return 0;
}

int database_has_settings(struct conn *conn, bool *ret_has, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (conn_query_row(conn, query_database_has_settings, 0, NULL, &result, err) != 0)
		return -1;
	*ret_has = is_true(result, 0, 0);
	return 0;
}

int database_end_others(struct conn *conn, const char *name, struct conn *ours,
	int64_t *ret_next_xid, bool *ret_ours, struct err *err)
{
	const int64_t deadline = clock_ms() + END_OTHERS_MS;
	CLEANUP(mem_cleanup) char *pid = mem_printf("%d", PQbackendPID(conn_pg(ours)));
	const char *values[] = { name, pid };

	for (;;) {
		CLEANUP(result_cleanup) PGresult *result = NULL;

		if (conn_query_row(conn, query_database_end_others, 2, values, &result, err) != 0)
			return -1;
		*ret_next_xid = strtoll(PQgetvalue(result, 0, 1), NULL, 10);
		*ret_ours = strcmp(PQgetvalue(result, 0, 3), "0") != 0;
		if (strcmp(PQgetvalue(result, 0, 0), "0") == 0)
			return 0;
		if (clock_ms() > deadline)
			return err_set(err, ERR_FAILED, "other sessions do not end");
		clock_sleep_ms(1);
		if (interrupt_check(err) != 0)
			return -1;
	}
}

int database_was_changed(
	struct conn *conn, int64_t first, int64_t end, bool *ret_changed, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;
	CLEANUP(mem_cleanup) char *first_text = mem_printf("%" PRId64, first);
	CLEANUP(mem_cleanup) char *end_text = mem_printf("%" PRId64, end);
	const char *values[] = { first_text, end_text };

	if (conn_query_row(conn, query_database_changed, 2, values, &result, err) != 0)
		return -1;
	*ret_changed = is_true(result, 0, 0);
	return 0;
}
