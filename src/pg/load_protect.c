/* What a script must not destroy: what nobody was asked about, and other databases that are
 * protected. */
#include "base/mem.h"
#include "pg/database.h"
#include "pg/load_internal.h"
#include "pg/protection.h"
#include "sql/destructive.h"
#include "sql/tokens.h"

#include <string.h>

#define SILENCE_MS 15000

static const char *const deeds[] = {
	[LOAD_CONNECT] = "run a script in",
	[LOAD_DROP] = "drop",
	[LOAD_RENAME] = "rename",
	[LOAD_COMMENT] = "write the comment of",
	[LOAD_CHANGE] = "change",
	[LOAD_EMPTY] = "destroy data in",
};

static int find_mark(
	const struct load_other *other, struct load_verdict *ret_verdict, struct err *err)
{
	CLEANUP(mem_cleanup) char *comment = NULL;
	CLEANUP(mem_cleanup) char *marked_as = NULL;
	struct protection_signs signs = { .target = "" };

	if (database_comment(other->conn, other->database, &comment, err) != 0)
		return -1;
	signs.mark = protection_read(comment, &marked_as);
	signs.marked_as = marked_as;
	ret_verdict->protected_why = protection_reason(&signs);
	return 0;
}

static void refuse_protected(const struct load_other *other, const char *why, struct err *err)
{
	CLEANUP(mem_cleanup) char *confirm = protection_confirm_option(other->database);

	err_set(err, ERR_REFUSED, "refusing to %s database \"%s\", which is protected: %s",
		deeds[other->deed], other->database, why);
	if (other->deed == LOAD_EMPTY)
		err_hint(err, "If you mean it: %s.", confirm);
	else
		err_hint(err, "A confirmation is for the target's own database. Do what is meant "
			      "for this one on a target whose URL names it; db-protect --off "
			      "lifts a mark there.");
}

static void refuse_unknown(const struct load_other *other, const char *why, struct err *err)
{
	err_set(err, ERR_REFUSED,
		"refusing to %s database \"%s\", which may be production's: that could not be "
		"found "
		"out",
		deeds[other->deed], other->database);
	err_detail(err, "Not known is where this leads: %s.", why);
	err_hint(err, "If it is not: db-protect --off on a target whose URL names it says so once "
		      "and for all, as does putting the variable right, or unsetting it.");
}

int load_refuse_protected(struct loader *loader, const struct load_other *other, struct err *err)
{
	const struct load_judge *judge = &loader->options->judge;
	struct load_verdict verdict = LOAD_VERDICT_INIT;
	int result = judge->find ? judge->find(judge->context, other, &verdict, err)
				 : find_mark(other, &verdict, err);

	if (result == 0 && verdict.protected_why)
		refuse_protected(other, verdict.protected_why, err);
	else if (result == 0 && verdict.unknown_why)
		refuse_unknown(other, verdict.unknown_why, err);
	if (verdict.protected_why || verdict.unknown_why)
		result = -1;
	mem_free(verdict.protected_why);
	mem_free(verdict.unknown_why);
	return result;
}

bool load_has_made(const struct loader *loader, const char *database)
{
	return strlist_has(&loader->made, database);
}

bool load_is_home(const struct loader *loader, const char *database)
{
	return loader->home && strcmp(loader->home, database) == 0;
}

void load_leave_home(struct loader *loader)
{
	mem_free(take_ptr(loader->home));
	strlist_release(&loader->made);
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
	const struct conn_options options = { .own_queries = true };

	if (conn_open_beside(loader->conn, &options, 0, ret_conn, err) != 0) {
		err_detail_line(err, "This was a second connection, which looks whether the "
				     "statement concerns a protected database.");
		err_hint(err, "Let the role, or the pooler, have one connection more.");
		return -1;
	}
	/* A pooler may have no session left for it while the script has its own. */
	conn_limit_silence(*ret_conn, SILENCE_MS);
	return 0;
}

static enum load_deed deed_of(const struct destructive *found)
{
	if (found->kind == DESTRUCTIVE_COMMENT)
		return LOAD_COMMENT;
	if (found->kind == DESTRUCTIVE_CHANGE)
		return LOAD_CHANGE;
	return strcmp(found->name, "DROP DATABASE") == 0 ? LOAD_DROP : LOAD_RENAME;
}

/*
 * The database that the loader is connected to is looked after by whoever began the run; the server
 * says what it is called there, since a pooler may have another name for it.
 */
static int check_database(struct loader *loader, const struct destructive *found, struct err *err)
{
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	CLEANUP(mem_cleanup) char *own = NULL;
	struct load_other other = { .deed = deed_of(found), .database = found->database };
	uint32_t oid;

	if (!found->database || !is_certain(loader, found->database)) {
		err_set(err, ERR_REFUSED,
			"refusing to run %s: which database it names cannot be told, and it may be "
			"a protected one",
			found->name);
		err_hint(err, "Write the name plainly: in ASCII, or without U&.");
		return -1;
	}
	if (load_has_made(loader, found->database) ||
		(loader->conn != loader->first && load_is_home(loader, found->database)))
		return 0;
	if (open_beside(loader, &conn, err) != 0 || database_own_name(conn, &own, err) != 0)
		return -1;
	if (strcmp(own, found->database) == 0)
		return 0;
	if (database_oid(conn, found->database, &oid, err) != 0)
		return -1;
	other.conn = conn;
	/* What is not there the server itself has something to say about. */
	return oid == 0 ? 0 : load_refuse_protected(loader, &other, err);
}

/*
 * A database that is not there before CREATE DATABASE is nobody else's afterwards: a dump made with
 * pg_dump -C comes back to it, with the mark that it has just written.
 */
static int note_made(struct loader *loader, const struct destructive *found, struct err *err)
{
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	uint32_t oid;

	if (!found->database || !is_certain(loader, found->database))
		return 0;
	/* Where that cannot be found out it is as if it had been there. */
	if (open_beside(loader, &conn, err) != 0 ||
		database_oid(conn, found->database, &oid, err) != 0) {
		if (err->kind == ERR_INTERRUPTED)
			return -1;
		err_release(err);
		return 0;
	}
	if (oid == 0)
		strlist_add(&loader->made, found->database);
	return 0;
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

/* What destroys data was not seen beforehand: it is read otherwise with the server's settings, or
 * is what a variable of psql's own holds. */
static int check_unasked(struct loader *loader, const struct destructive *found, struct err *err)
{
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	CLEANUP(mem_cleanup) char *own = NULL;
	struct load_other other = { .deed = LOAD_EMPTY };

	if (!loader->options->unasked || loader->may_empty)
		return 0;
	if (open_beside(loader, &conn, err) != 0 || database_own_name(conn, &own, err) != 0)
		return -1;
	other.conn = conn;
	other.database = own;
	if (!load_has_made(loader, own) && load_refuse_protected(loader, &other, err) != 0) {
		err_detail_line(err, "%s destroys data.", found->name);
		return -1;
	}
	loader->may_empty = true;
	return 0;
}

/* Settings of its own are in many a schema, which needs no second connection for them; nor is one
 * refused whose name cannot be told. */
static bool is_of_connected(const struct loader *loader, const struct destructive *found)
{
	const char *connected = PQdb(loader->conn->pg);

	return !found->database || !is_certain(loader, found->database) ||
	       (connected && strcmp(connected, found->database) == 0);
}

static int check(struct loader *loader, const struct destructive *found, struct err *err)
{
	if (found->kind == DESTRUCTIVE_CREATE)
		return note_made(loader, found, err);
	if (found->kind == DESTRUCTIVE_CHANGE && is_of_connected(loader, found))
		return 0;
	if (found->kind == DESTRUCTIVE_COMMENT)
		loader->counts->commented = true;
	if (loader->options->refusal && found->kind != DESTRUCTIVE_COMMENT &&
		found->kind != DESTRUCTIVE_CHANGE)
		return refuse(loader, found, err);
	return found->kind == DESTRUCTIVE_DATA ? check_unasked(loader, found, err)
					       : check_database(loader, found, err);
}

int load_protect(struct loader *loader, const struct script_statement *statement, struct err *err)
{
	const bool standard = script_has_standard_strings(loader->script);
	size_t at = 0;

	/* Only ALTER, COMMENT and DROP concern databases: an UPDATE need not be read to its end. */
	if (!loader->options->refusal && !loader->options->unasked && !statement->several &&
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
