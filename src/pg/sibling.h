/*
 * The databases that dbrig keeps beside a database: the one put aside during a reset, templates,
 * spares, snapshots. All of it over a maintenance connection (conn_open_maintenance). They are
 * known by the mark in their comment (pg/mark.h) and by their name together, except that names
 * ending in ".dbrig-new" and ".dbrig-making…" belong to dbrig: a CREATE DATABASE that was killed
 * before the comment was written leaves such a one.
 */
#ifndef PG_SIBLING_H
#define PG_SIBLING_H

#include "pg/conn.h"
#include "pg/mark.h"

struct sibling {
	char *name;
	char *comment;    /* with its mark; NULL: none */
	struct mark mark; /* of one that was left without a comment: MARK_NEW, of, and no more */
	uint32_t oid;
	char *owner;   /* the role it belongs to */
	bool is_owner; /* the caller may rename and drop it */
	bool may_give; /* the caller may have others belong to that role */
	bool fits;     /* OLD: its owner may drop the database, or is one that the database's
			  may act as; or there is none */
	bool invalid;  /* left behind by an interrupted DROP DATABASE */
	bool allows_connections;
};

struct siblings {
	struct sibling *items; /* by name */
	size_t count;
	/* The database itself: found is false when there is none of that name. Its mark has kind
	 * MARK_NONE, LOADING or MADE (or what it is to another database). */
	bool found;
	struct sibling self;
	/* Has the name of an old one and is none: its comment does not say so, or it does not fit
	 * and is not the caller's; name NULL: there is no such database. */
	struct sibling in_the_way;
	char *role;      /* the caller's */
	bool may_create; /* the caller is superuser or has CREATEDB */
	bool in_recovery;
};

#define SIBLINGS_INIT                                                                              \
	{                                                                                          \
		0                                                                                  \
	}

/*
 * One query. Siblings are those whose mark says of=database, and those without a comment whose name
 * is one that sibling_name gives with making, or for MARK_NEW.
 */
int siblings_find(
	struct conn *conn, const char *database, struct siblings *siblings, struct err *err);

/* The first of that kind (and, unless NULL, that key); NULL: none. */
const struct sibling *siblings_get(
	const struct siblings *siblings, enum mark_kind kind, const char *key);

/* The role that a copy of that one (or of the database itself) belongs to; NULL: a new one. */
const char *siblings_owner_of_copy(const struct siblings *siblings, const struct sibling *source);

void siblings_release(struct siblings *siblings);

/*
 * The name for a sibling: "shop.dbrig-old", "shop.dbrig-template-1a2b3c4d" (tag: NULL or what
 * tells several of a kind apart; the first 8 hexadecimal digits of its SHA-256 are used, unless it
 * is itself made of at most 8 such digits in lower case). At most 63 bytes: a long database name is
 * cut between two UTF-8 characters and gets "~" and 8 digits of its SHA-256. kind is OLD, NEW,
 * DROP, TEMPLATE, SPARE or SNAPSHOT; making: the name it has before it is complete
 * ("shop.dbrig-making-spare-1a2b3c4d"). The caller owns it.
 */
char *sibling_name(const char *database, enum mark_kind kind, const char *tag, bool making);

/* One of several changes that happen together. NULL members change nothing. */
struct database_change {
	const char *name; /* as it is before; a change that follows sees the new name */
	const char *new_name;
	const struct mark *mark; /* to put into its comment */
	bool unmark;             /* to take any mark out of it instead */
	const char *comment;     /* what the comment is now; with mark or unmark */
	int allow_connections;   /* 1, 0, or -1: as it is */
	const char *owner;       /* the role it is to belong to */
	bool unused;             /* nobody was connected to it a moment ago */
};

#define DATABASE_CHANGE_INIT                                                                       \
	{                                                                                          \
		.allow_connections = -1                                                            \
	}

/*
 * Carries the changes out in one transaction: one request. A database that is renamed must have no
 * sessions: with force they are ended, also those that keep coming, otherwise they are listed in
 * the error's detail, nothing changed. What no ending of sessions clears (prepared transactions)
 * is named with the command that does. Fails as conn_exec; nothing is changed then, except that
 * after CONNECT it is unknown whether the transaction took effect.
 */
int databases_change(struct conn *conn, const struct database_change *changes, size_t count,
	bool force, struct err *err);

/* comment NULL: none. For the database's owner only, also where transactions begin READ ONLY. Not
 * inside a transaction. */
int database_set_comment(struct conn *conn, const char *name, const char *comment, struct err *err);

enum copy_strategy {
	COPY_STRATEGY_SERVER, /* nothing is said: before 15, or the size is not known */
	COPY_STRATEGY_WAL_LOG,
	COPY_STRATEGY_FILE_COPY,
};

/* What decides how a database is copied. */
struct copy_source {
	int version; /* 150018 */
	bool fsync;
	bool clone;    /* 18 and later: file_copy_method=clone */
	int64_t bytes; /* -1: not known */
};

/* The fastest, by what was measured. Pure. */
enum copy_strategy copy_strategy_choose(const struct copy_source *source);

/*
 * CREATE DATABASE name TEMPLATE source, with the source's owner (where we may say so) and a
 * connection limit as the server gives it; the copy accepts connections or not as allow_connections
 * says. Sessions in source: as in databases_change, with "copy" as the verb. An existing name is an
 * error (42P04), nothing changed.
 */
int database_copy(struct conn *conn, const char *source, const char *name, bool allow_connections,
	bool force, struct err *err);

/* Bytes on disk; a database that is gone has 0. */
int database_size(struct conn *conn, const char *name, int64_t *ret_bytes, struct err *err);

/*
 * What the database has and a copy of it would not: settings (ALTER DATABASE … SET, ALTER ROLE … IN
 * DATABASE), privileges on the database itself, a connection limit, subscriptions, prepared
 * transactions; with_comment: and a comment besides marks. *ret_what names all of it ("settings
 * made by ALTER DATABASE, a connection limit"), NULL: nothing of the kind; the caller owns it.
 */
int database_uncopied(
	struct conn *conn, const char *name, bool with_comment, char **ret_what, struct err *err);

/*
 * SHA-256 of everything on the server that goes into the outcome of a load, besides the scripts:
 * version, current role, settings that are not at their default (but for those that only concern a
 * connection, such as application_name), roles with their attributes, memberships and settings,
 * what new databases are copied from (encoding, locale, how often template1 was written to), and
 * with extensions the versions that are available. A crash of the server changes it too. One query,
 * 2 to 4 ms on a connection that is new.
 */
int server_fingerprint(
	struct conn *conn, bool extensions, char ret_hex[static DIGEST_HEX_SIZE], struct err *err);

#endif
