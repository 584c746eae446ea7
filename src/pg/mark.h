/*
 * The mark in a database's comment by which dbrig knows the databases it has made or put aside:
 * [dbrig:KIND of=shop at=2026-11-21T15:00:03Z …]. It stands beside whatever comment the user has
 * given, is one line, and every value is percent-encoded (all but A-Z a-z 0-9 . _ : -). Other marks
 * of the family ([dbrig:protected=…]) are left alone. No connection is needed here.
 */
#ifndef PG_MARK_H
#define PG_MARK_H

#include "base/base.h"
#include "base/digest.h"

#include <stdint.h>

/* kind, the word in the mark */
#define MARK_KINDS(X)                                                                              \
	X(LOADING, "loading")   /* under the real name, not complete yet */                        \
	X(MADE, "made")         /* under the real name, complete: what it was made from */         \
	X(NEW, "new")           /* about to get the real name */                                   \
	X(OLD, "old")           /* put aside; comes back if the reset fails */                     \
	X(DROP, "drop")         /* no longer wanted */                                             \
	X(TEMPLATE, "template") /* the result of a load, to be copied */                           \
	X(SPARE, "spare")       /* a copy of the template, ready to get the real name */           \
	X(KILLED, "killed") /* what a killed reset has left; for the next that succeeds to drop */ \
	X(SNAPSHOT, "snapshot") /* a copy that the user asked for */                               \
	X(COPY, "copy")         /* one of db-setup --copies, under a name of its own */

enum mark_kind {
	MARK_NONE = 0,
#define X(kind, word) MARK_##kind,
	MARK_KINDS(X)
#undef X
};

struct mark {
	enum mark_kind kind;
	char *of;                  /* the database it belongs to */
	char *tag;                 /* SNAPSHOT: the name the user gave; COPY: its own; NULL: none */
	char key[DIGEST_HEX_SIZE]; /* of what it was made from; "": not known */
	char base[DIGEST_HEX_SIZE]; /* MADE: of the schema alone, without the seed; "": not known */
	bool seeded;                /* TEMPLATE, SPARE, MADE: the seed is in it */
	bool undo;                  /* SNAPSHOT: kept by itself before a restore */
	char *copy;   /* OLD, SNAPSHOT with undo: what it is one of db-setup --copies of; NULL: none
		       */
	uint32_t oid; /* OLD: the database that has taken its place; 0: none yet */
	int64_t at;   /* seconds since 1970, by the clock of the client; 0: unknown */
	int64_t data_at; /* seeded: when the seed was run; 0: unknown */
	char *user;      /* the client's account; NULL: unknown */
	char *host;      /* the client's host name; NULL: unknown */
	long pid;        /* the client's process; 0: unknown */
};

#define MARK_INIT                                                                                  \
	{                                                                                          \
		0                                                                                  \
	}

/*
 * Finds the mark in a comment (NULL: none). False when there is none, or when it cannot be read:
 * unknown kind, no "of", a value that is wrong; fields that are not known are passed over. Of
 * several the last counts. The texts in *mark are owned by it.
 */
bool mark_parse(const char *comment, struct mark *mark);

/*
 * The comment (may be NULL) without any mark of ours, and with this one at its end unless mark is
 * NULL. What the user wrote stays as it is. NULL when nothing is left. The caller owns the text.
 */
char *mark_apply(const char *comment, const struct mark *mark);

/* Fills at, user, host and pid with what this process is. */
void mark_sign(struct mark *mark);

void mark_copy(struct mark *to, const struct mark *from);

/*
 * What the mark of database name says while it has that name goes along in the one it gets while it
 * is aside: what it was made from, and that it is one of db-setup --copies.
 */
void mark_keep(struct mark *aside, const struct mark *own, const char *name);

/* The mark that it had before mark_keep, in *own; false: none. */
bool mark_back(struct mark *own, const struct mark *aside);

/* Usable as a CLEANUP handler. */
void mark_release(struct mark *mark);

#endif
