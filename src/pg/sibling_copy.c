#include "pg/sibling.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "pg/exclusive.h"
#include "pg/obstacle.h"
#include "pg/protection.h"
#include "queries.h"

#include <stdlib.h>
#include <string.h>

#define VERSION_STRATEGY 150000

/*
 * Up to this size the pages through the log (no checkpoint) take less time than files that are
 * copied and flushed, between two checkpoints; measured with the default settings.
 */
#define WAL_LOG_BYTES ((int64_t)45 << 20)

/* A file system that cannot clone, as the server reports it. */
#define SQLSTATE_INTERNAL "XX000"
#define SQLSTATE_IO "58030"

enum copy_strategy copy_strategy_choose(const struct copy_source *source)
{
	if (source->version < VERSION_STRATEGY)
		return COPY_STRATEGY_SERVER;
	if (source->clone || !source->fsync)
		return COPY_STRATEGY_FILE_COPY;
	if (source->bytes < 0)
		return COPY_STRATEGY_SERVER;
	return source->bytes <= WAL_LOG_BYTES ? COPY_STRATEGY_WAL_LOG : COPY_STRATEGY_FILE_COPY;
}

static const char *strategy_clause(enum copy_strategy strategy)
{
	switch (strategy) {
	case COPY_STRATEGY_WAL_LOG:
		return " STRATEGY wal_log";
	case COPY_STRATEGY_FILE_COPY:
		return " STRATEGY file_copy";
	case COPY_STRATEGY_SERVER:
		break;
	}
	return "";
}

static bool is_true(const PGresult *result, int column)
{
	return strcmp(PQgetvalue(result, 0, column), "t") == 0;
}

/* *ret_owner: whom the copy shall belong to, the caller's; NULL: us. */
static int look_at_source(struct conn *conn, const char *name, struct copy_source *source,
	char **ret_owner, bool *ret_unused, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;
	const char *version = conn_server_version(conn) >= VERSION_STRATEGY ? "true" : "false";
	const char *values[] = { name, version };

	if (conn_query_row(conn, query_copy_source, 2, values, &result, err) != 0)
		return -1;
	*source = (struct copy_source){
		.version = conn_server_version(conn),
		.fsync = is_true(result, 0),
		.clone = is_true(result, 1),
		.bytes = PQgetisnull(result, 0, 2) ? -1
						   : strtoll(PQgetvalue(result, 0, 2), NULL, 10),
	};
	*ret_owner = PQgetisnull(result, 0, 3) ? NULL : mem_strdup(PQgetvalue(result, 0, 3));
	*ret_unused = is_true(result, 4);
	return 0;
}

static int add(struct conn *conn, struct strbuf *sql, const char *keyword, const char *name,
	struct err *err)
{
	CLEANUP(mem_cleanup) char *quoted = NULL;

	if (!name)
		return 0;
	quoted = conn_identifier(conn, name);
	if (!quoted)
		return err_set(err, ERR_USAGE, "\"%s\" is not valid text", name);
	strbuf_addf(sql, "%s %s", keyword, quoted);
	return 0;
}

static void exclusive_release(struct exclusive *need)
{
	strlist_release(&need->names);
}

/* Whether it was the cloning of files that failed: the settings promise what the disk cannot. */
static bool cannot_clone(const struct copy_source *source, const struct err *err)
{
	return source->clone && err->kind == ERR_FAILED &&
	       (strcmp(err->sqlstate, SQLSTATE_INTERNAL) == 0 ||
		       strcmp(err->sqlstate, SQLSTATE_IO) == 0);
}

int database_copy(struct conn *conn, const char *source, const char *name, bool allow_connections,
	bool force, struct err *err)
{
	CLEANUP(strbuf_release) struct strbuf sql = STRBUF_INIT;
	CLEANUP(mem_cleanup) char *owner = NULL;
	CLEANUP(exclusive_release) struct exclusive need = { .verb = "copy", .force = force };
	struct copy_source known = { 0 };
	size_t length;
	int failed;

	if (look_at_source(conn, source, &known, &owner, &need.unused, err) != 0 ||
		add(conn, &sql, "CREATE DATABASE", name, err) != 0 ||
		add(conn, &sql, " TEMPLATE", source, err) != 0 ||
		add(conn, &sql, " OWNER", owner, err) != 0)
		return -1;
	if (!allow_connections)
		strbuf_adds(&sql, " ALLOW_CONNECTIONS false");
	strlist_add(&need.names, source);
	length = sql.length;
	strbuf_adds(&sql, strategy_clause(copy_strategy_choose(&known)));
	failed = exclusive_exec(conn, &need, sql.data, err);
	if (failed && cannot_clone(&known, err)) {
		err_release(err);
		strbuf_truncate(&sql, length);
		failed = exclusive_exec(conn, &need, sql.data, err);
	}
	/* What was found before anything was sent says it already. */
	if (failed && err->sqlstate[0])
		obstacle_failure(err, "copy", source);
	return failed ? -1 : 0;
}

int database_size(struct conn *conn, const char *name, int64_t *ret_bytes, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (conn_query_row(conn, query_database_size, 1, &name, &result, err) != 0)
		return -1;
	*ret_bytes = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	return 0;
}

int database_uncopied(
	struct conn *conn, const char *name, bool with_comment, char **ret_what, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;
	CLEANUP(strbuf_release) struct strbuf what = STRBUF_INIT;
	CLEANUP(mem_cleanup) char *unmarked = NULL;
	CLEANUP(mem_cleanup) char *comment = NULL;

	if (conn_query(conn, query_database_uncopied, 1, &name, &result, err) != 0)
		return -1;
	for (int i = 0; i < PQntuples(result); i++)
		if (!PQgetisnull(result, i, 0))
			strbuf_addf(
				&what, "%s%s", what.length ? ", " : "", PQgetvalue(result, i, 0));
	if (with_comment && PQntuples(result) > 0) {
		unmarked = mark_apply(PQgetvalue(result, 0, 1), NULL);
		comment = protection_write(unmarked, PROTECTION_UNMARKED, NULL);
	}
	if (comment)
		strbuf_addf(&what, "%sa comment", what.length ? ", " : "");
	*ret_what = what.length ? strbuf_detach(&what) : NULL;
	return 0;
}
