/* What a script must not destroy: what nobody was asked about, and databases that are marked. */
#include "base/mem.h"
#include "pg/database.h"
#include "pg/load_internal.h"
#include "pg/protection.h"
#include "sql/destructive.h"
#include "sql/tokens.h"

#include <string.h>

static const char marked_hint[] =
	"Do what is meant for it on that target; db-protect --off lifts the mark there.";

int load_refuse_marked(struct conn *conn, const char *database, const char *what, struct err *err)
{
	CLEANUP(mem_cleanup) char *comment = NULL;
	CLEANUP(mem_cleanup) char *marked_as = NULL;

	if (database_comment(conn, database, &comment, err) != 0)
		return -1;
	if (protection_read(comment, &marked_as) != PROTECTION_MARKED)
		return 0;
	err_set(err, ERR_REFUSED,
		"refusing to %s database \"%s\", which is protected: it is marked %s%s%s", what,
		database ? database : PQdb(conn_pg(conn)),
		marked_as ? "as that of the target \"" : "by hand", marked_as ? marked_as : "",
		marked_as ? "\"" : "");
	err_hint(err, "%s", marked_hint);
	return -1;
}

bool load_is_home(const struct loader *loader, const char *database)
{
	return loader->home && strcmp(loader->home, database) == 0;
}

/* --- statements on a database ---------------------------------------------------------------- */

static bool is_utf8(PGconn *pg, const char *parameter)
{
	const char *encoding = PQparameterStatus(pg, parameter);

	return encoding && strcmp(encoding, "UTF8") == 0;
}

/* Letters are folded, and names cut, by the rules of the encoding. */
static bool is_certain(const struct loader *loader, const char *database)
{
	PGconn *pg = loader->conn->pg;

	for (const char *c = database; *c; c++)
		if ((unsigned char)*c >= 0x80)
			return is_utf8(pg, "client_encoding") && is_utf8(pg, "server_encoding");
	return true;
}

/*
 * Over a connection of its own: the loader's may be in a transaction that a query would disturb,
 * and has statements to send that come first.
 */
static int open_beside(struct loader *loader, struct conn **ret_conn, struct err *err)
{
	CLEANUP(params_release) struct params params = PARAMS_INIT;
	struct conn_options options = { .own_queries = true };

	conn_params(loader->conn, &params);
	options.application = params_get(&params, "fallback_application_name");
	if (!options.application)
		options.application = "dbrig";
	return conn_open(&params, &options, ret_conn, err);
}

static const char *action_of(const struct destructive *found)
{
	if (found->kind == DESTRUCTIVE_COMMENT)
		return "write the comment of";
	return strcmp(found->name, "DROP DATABASE") == 0 ? "drop" : "rename";
}

/*
 * The database that the loader is connected to is looked after by whoever began the run; the server
 * says what it is called there, since a pooler may have another name for it.
 */
static int check_database(struct loader *loader, const struct destructive *found, struct err *err)
{
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	CLEANUP(mem_cleanup) char *own = NULL;

	if (!found->database || !is_certain(loader, found->database)) {
		err_set(err, ERR_REFUSED,
			"refusing to run %s: which database it names cannot be told, and it may be "
			"a protected one",
			found->name);
		err_hint(err, "Write the name plainly: in ASCII, or without U&.");
		return -1;
	}
	if (loader->conn != loader->first && load_is_home(loader, found->database))
		return 0;
	if (open_beside(loader, &conn, err) != 0 || database_own_name(conn, &own, err) != 0)
		return -1;
	if (strcmp(own, found->database) == 0)
		return 0;
	return load_refuse_marked(conn, found->database, action_of(found), err);
}

/* --------------------------------------------------------------------------------------------- */

static int refuse(struct loader *loader, const struct destructive *found, struct err *err)
{
	const struct err *refusal = loader->options->refusal;

	err_set(err, ERR_REFUSED, "%s", refusal->message);
	err_detail(err, "%s destroys data.", found->name);
	err_hint(err, "%s", refusal->hint);
	return -1;
}

static int check(struct loader *loader, const struct destructive *found, struct err *err)
{
	if (loader->options->refusal && found->kind != DESTRUCTIVE_COMMENT)
		return refuse(loader, found, err);
	return found->kind == DESTRUCTIVE_DATA ? 0 : check_database(loader, found, err);
}

int load_protect(struct loader *loader, const struct script_statement *statement, struct err *err)
{
	const bool standard = script_has_standard_strings(loader->script);
	size_t at = 0;

	/* Only ALTER, COMMENT and DROP concern databases: an UPDATE need not be read to its end. */
	if (!loader->options->refusal && !statement->several &&
		!tokens_may_begin_with(statement->text, statement->length, "acd"))
		return 0;
	for (;;) {
		CLEANUP(destructive_release) struct destructive found = DESTRUCTIVE_INIT;

		if (!destructive_next(statement, standard, &at, &found))
			return 0;
		if (check(loader, &found, err) == 0)
			continue;
		if (err->kind == ERR_INTERRUPTED)
			return -1;
		if (loader->generator)
			load_place(loader->generator, err);
		else
			origin_place(&statement->origin, statement->text, statement->length,
				found.at, err);
		return -1;
	}
}
