#include "pg/sibling.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "pg/exclusive.h"
#include "pg/obstacle.h"

#include <string.h>

static int add_identifier(struct conn *conn, struct strbuf *sql, const char *name, struct err *err)
{
	CLEANUP(mem_cleanup) char *quoted = conn_identifier(conn, name);

	if (!quoted)
		return err_set(err, ERR_USAGE, "\"%s\" is not valid text", name);
	strbuf_adds(sql, quoted);
	return 0;
}

/* keyword and the database's name, at the beginning of another statement. */
static int begin(struct conn *conn, struct strbuf *sql, const char *keyword, const char *name,
	struct err *err)
{
	strbuf_addf(sql, "%s%s ", sql->length ? "; " : "", keyword);
	return add_identifier(conn, sql, name, err);
}

static bool is_utf8(const char *text, size_t length)
{
	for (size_t at = 0, size; at < length; at += size) {
		uint32_t code;

		size = utf8_decode(text + at, length - at, &code);
		if (size == 0)
			return false;
	}
	return true;
}

static char *hexadecimal(const char *bytes, size_t length)
{
	struct strbuf text = STRBUF_INIT_UNBOUNDED;

	for (size_t i = 0; i < length; i++)
		strbuf_addf(&text, "%02x", (unsigned char)bytes[i]);
	return strbuf_detach(&text);
}

/* What every mark begins with, behind the words that somebody has written. */
#define MARK_BEGINS " [dbrig:"

/* A statement that is put together on the server may hold any byte that the catalogs do. No
 * function that is called looks at characters, some of which are none. */
static const char copy_bytes[] =
	"DECLARE words pg_catalog.text; BEGIN "
	"SELECT pg_catalog.split_part(d.description, '" MARK_BEGINS "', 1) INTO words "
	"FROM pg_catalog.pg_shdescription d "
	"WHERE d.classoid OPERATOR(pg_catalog.=) 'pg_catalog.pg_database'::pg_catalog.regclass "
	"AND pg_catalog.textsend(pg_catalog.split_part(d.description, '" MARK_BEGINS "', 1)) "
	"OPERATOR(pg_catalog.=) pg_catalog.decode('%s', 'hex') LIMIT 1; "
	"IF words IS NULL THEN RAISE EXCEPTION USING MESSAGE = '%s', HINT = '%s'; END IF; "
	"EXECUTE pg_catalog.format('COMMENT ON DATABASE %%I IS %%L', %s, "
	"words OPERATOR(pg_catalog.||) %s); END";

static const char other_encoding[] =
	"could not write the comment of a database of another encoding";
static const char other_encoding_hint[] = "Connected to that database, write its comment anew in "
					  "ASCII: COMMENT ON DATABASE NAME IS text.";

/*
 * A database of another encoding has its comment in that one: bytes that the server takes from
 * nobody here. It has them, though, beside some database, from which they are copied.
 */
static int set_bytes(struct conn *conn, struct strbuf *sql, const char *name, const char *comment,
	struct err *err)
{
	CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT_UNBOUNDED;
	const char *mark = strstr(comment, MARK_BEGINS);
	const char *marks = mark ? mark : comment + strlen(comment);
	CLEANUP(mem_cleanup) char *bytes = hexadecimal(comment, (size_t)(marks - comment));
	CLEANUP(mem_cleanup) char *quoted_name = conn_literal(conn, name);
	CLEANUP(mem_cleanup) char *quoted_marks = NULL;
	CLEANUP(mem_cleanup) char *block = NULL;

	if (is_utf8(marks, strlen(marks)))
		quoted_marks = conn_literal(conn, marks);
	if (!quoted_name || !quoted_marks) {
		err_set(err, ERR_FAILED, "%s", other_encoding);
		err_hint(err, "%s", other_encoding_hint);
		return -1;
	}
	strbuf_addf(&body, copy_bytes, bytes, other_encoding, other_encoding_hint, quoted_name,
		quoted_marks);
	block = conn_literal(conn, body.data);
	strbuf_addf(sql, "%sDO %s", sql->length ? "; " : "", block);
	return 0;
}

static int set_comment(struct conn *conn, struct strbuf *sql, const char *name, const char *comment,
	struct err *err)
{
	CLEANUP(mem_cleanup) char *quoted = NULL;

	if (comment && !is_utf8(comment, strlen(comment)))
		return set_bytes(conn, sql, name, comment, err);
	quoted = comment ? conn_literal(conn, comment) : NULL;
	if (comment && !quoted)
		return err_set(err, ERR_USAGE, "\"%s\" is not valid text", comment);
	if (begin(conn, sql, "COMMENT ON DATABASE", name, err) != 0)
		return -1;
	strbuf_adds(sql, " IS ");
	strbuf_adds(sql, quoted ? quoted : "NULL");
	return 0;
}

static int add_comment(struct conn *conn, struct strbuf *sql, const char *name,
	const struct database_change *change, struct err *err)
{
	CLEANUP(mem_cleanup) char *comment = mark_apply(change->comment, change->mark);

	return set_comment(conn, sql, name, comment, err);
}

static int add_change(struct conn *conn, struct strbuf *sql, const struct database_change *change,
	struct err *err)
{
	const char *name = change->name;

	if (change->new_name) {
		if (begin(conn, sql, "ALTER DATABASE", name, err) != 0)
			return -1;
		name = change->new_name;
		strbuf_adds(sql, " RENAME TO ");
		if (add_identifier(conn, sql, name, err) != 0)
			return -1;
	}
	if ((change->mark || change->unmark) && add_comment(conn, sql, name, change, err) != 0)
		return -1;
	if (change->allow_connections >= 0) {
		if (begin(conn, sql, "ALTER DATABASE", name, err) != 0)
			return -1;
		strbuf_addf(
			sql, " ALLOW_CONNECTIONS %s", change->allow_connections ? "true" : "false");
	}
	if (!change->owner)
		return 0;
	if (begin(conn, sql, "ALTER DATABASE", name, err) != 0)
		return -1;
	strbuf_adds(sql, " OWNER TO ");
	return add_identifier(conn, sql, change->owner, err);
}

int database_set_comment(struct conn *conn, const char *name, const char *comment, struct err *err)
{
	CLEANUP(strbuf_release) struct strbuf sql = STRBUF_INIT_UNBOUNDED;

	/* A role's default_transaction_read_only is for what is in a database. */
	strbuf_adds(&sql, "SET TRANSACTION READ WRITE");
	if (set_comment(conn, &sql, name, comment, err) != 0)
		return -1;
	return conn_exec(conn, sql.data, err);
}

static void exclusive_release(struct exclusive *need)
{
	strlist_release(&need->names);
}

int databases_change(struct conn *conn, const struct database_change *changes, size_t count,
	bool force, struct err *err)
{
	/* Comments from the server may be long. */
	CLEANUP(strbuf_release) struct strbuf sql = STRBUF_INIT_UNBOUNDED;
	CLEANUP(exclusive_release)
	struct exclusive need = { .verb = "rename", .force = force, .unused = true };
	int failed;

	for (size_t i = 0; i < count; i++) {
		if (add_change(conn, &sql, &changes[i], err) != 0)
			return -1;
		/* One that an earlier change has given is free, or nobody's as yet. */
		if (!changes[i].new_name)
			continue;
		strlist_add(&need.names, changes[i].name);
		need.unused = need.unused && changes[i].unused;
	}
	if (sql.length == 0)
		return 0;
	/* Several statements in one request are one transaction. */
	failed = need.names.count > 0 ? exclusive_exec(conn, &need, sql.data, err)
				      : conn_exec(conn, sql.data, err);
	/* What was found before anything was sent says it already. */
	if (failed && err->sqlstate[0])
		obstacle_failure(err, need.names.count > 0 ? "rename" : "change", changes[0].name);
	return failed ? -1 : 0;
}
