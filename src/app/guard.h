/* Who may destroy what: the confirmation that a protected database needs. */
#ifndef APP_GUARD_H
#define APP_GUARD_H

#include "app/context.h"
#include "pg/load.h"
#include "pg/protection.h"

/* --confirm NAME */
extern const struct option guard_options[];

/* DB_PROTECTED_TARGETS, DBRIG_CONSENT, DBRIG_AGENT */
extern const struct variable guard_variables[];

/* What a command is about to do to the database of its target. */
struct guard {
	struct context *context;
	const char *what;    /* "drop", "empty the tables of": for messages */
	const char *cause;   /* NULL, or what destroys: "db/seed.sql:3: TRUNCATE" */
	const char *carrier; /* what has the mark that guard_decide is told; NULL: the database */
	const char *unseen;  /* why it counts for guard_decide_unseen; NULL: marked from here */
	bool destroys;       /* false: only a --confirm that names another database is refused */
	bool loses;          /* what the database holds is lost, and so is told first */
	bool clears;   /* and what killed resets have left beside it: a mark there counts as its own
			*/
	bool shows;    /* asked whether it is protected: a server's silence is not remembered */
	bool anew;     /* nothing is that was found out a moment ago */
	bool supposed; /* the comment is one that the database may get: what is remembered of its
			  mark does not count */
};

/*
 * Before anything is connected: fails with REFUSED when --confirm names another database, or when
 * the target alone (its name, DB_PROTECTED_TARGETS) makes a confirmation necessary that nobody can
 * give.
 */
int guard_check(const struct guard *guard, struct err *err);

/*
 * The decision, with what the server says. conn: any connection to it; comment: of the database,
 * NULL: none, or no such database. On a protected database it says what is about to be lost and
 * asks for its name, or fails with REFUSED; nothing is changed. Once the name was typed, what has
 * it must be what had it before, with the mark it had: else REFUSED too. So it does where it could
 * not be found out whether another target's URL leads there, which it says in any case. Sets the
 * context's protected_why, unknown_why and mark.
 */
int guard_decide(
	const struct guard *guard, struct conn *conn, const char *comment, struct err *err);

/*
 * The decision on a database that was marked from here (app/known_marks.h), or may be marked, where
 * its server cannot be asked: guard->loses must be false. Sets the context's protected_why.
 */
int guard_decide_unseen(const struct guard *guard, struct err *err);

/* --confirm was given. */
bool guard_has_confirmation(void);

/*
 * Whether what destroys may be run as well if it comes to light only then, when nobody can be asked
 * any more: 0, or -1 with the error to refuse it with. After guard_decide, without which only the
 * target's name counts.
 */
int guard_foresee(const struct guard *guard, struct err *err);

/*
 * Judges, by the same signs as guard_decide, the other databases that a script for the context's
 * target goes into, drops, renames or comments. Nobody is asked about them: what is confirmed is
 * the target's own. The context, which is borrowed, is not changed.
 */
struct load_judge guard_judge(struct context *context);

/* True once guard_decide has found it so, and for targets that are protected by name always. */
bool guard_protects(const struct context *context);

/*
 * After a script: puts the mark back that the comment has had before, if the script's COMMENT ON
 * DATABASE has taken it away, and says so. script: the script's connection, which may be closed.
 */
void guard_keep_mark(struct context *context, struct conn *script, const char *before);

/* Sets, lifts or takes away the mark, as that of the context's target. comment: as it is now. */
int guard_set_mark(struct context *context, struct conn *conn, const char *comment,
	enum protection_mark mark, struct err *err);

/*
 * Marks the database of a target that is protected by name or list unless it has a mark, and says
 * so; where our role may not, it says that. conn: a connection to its server. comment: as it is
 * now.
 */
void guard_mark(struct context *context, struct conn *conn, const char *comment);

#endif
