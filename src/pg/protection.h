/*
 * Whether a database is one that must not be lost, and who may destroy it all the same. Pure: no
 * connection is needed here, app/guard finds out what these functions are told.
 */
#ifndef PG_PROTECTION_H
#define PG_PROTECTION_H

#include "base/base.h"

/* --- the mark in the database's comment ------------------------------------------------------ */

/* What every mark that protects begins with. */
#define PROTECTION_TOKEN "[dbrig:protected"

/*
 * [dbrig:protected=prod], with the name of the target it was marked as, or [dbrig:unprotected].
 * What somebody wrote by hand and begins as the first ("[dbrig:protected", in any case, with blanks
 * in it) protects as well: a slip must not lose a database. It
 * stands beside whatever comment there is and beside the marks of pg/mark.h. An owner may write it,
 * it can be read from any database of the server, and CREATE DATABASE … TEMPLATE does not copy it.
 */
enum protection_mark {
	PROTECTION_UNMARKED,
	PROTECTION_MARKED,
	PROTECTION_LIFTED, /* the user has said that host and address mean nothing here */
};

/* comment may be NULL. *ret_target (may be NULL) is set for MARKED and the caller's, and is left as
 * it is for a mark by hand. Of several marks one that protects counts, and the last target. */
enum protection_mark protection_read(const char *comment, char **ret_target);

/*
 * The comment (may be NULL) with that mark, or without one, in place of those it has; target: for
 * MARKED, NULL: as by hand. NULL: nothing is left. The caller owns it.
 */
char *protection_write(const char *comment, enum protection_mark mark, const char *target);

/* The comment to with the mark that from has, or without; both may be NULL, as may the result. */
char *protection_carry(const char *to, const char *from);

/* --- the signs ------------------------------------------------------------------------------- */

/*
 * One of the words between - and _ is prod, production or prd, in any case and with digits behind
 * it or none (prod-eu, eu_prod2), unless the word before says the opposite: non, not, no, pre, un.
 */
bool protection_is_name(const char *target);

/* What may stand between the names of a list. */
#define PROTECTION_SEPARATORS " \t\r\n,;"

/* Whether a list of target names holds this one, in any case and with _ or -. */
bool protection_lists(const char *list, const char *target);

/* The service that a host's name belongs to, "Amazon RDS"; NULL: none that is known. */
const char *protection_service(const char *host);

/*
 * A role that each server of the host's service has and that nobody there can drop; NULL: none is
 * known. A server without it is not of that service.
 */
const char *protection_service_role(const char *host);

struct protection_signs {
	const char *target;        /* its name */
	bool is_listed;            /* in DB_PROTECTED_TARGETS */
	enum protection_mark mark; /* of the database */
	const char *marked_as;     /* MARKED: as which target; NULL: by hand */
	const char *was_marked_as; /* UNMARKED: as which target it was, once; NULL: not known to
				      have been */
	const char *carrier;       /* MARKED: what has the mark; NULL: the database itself */
	const char *host;          /* as the URL names it; NULL: a socket */
	const char *address;       /* that the server has, if it is one of the internet; NULL */
	const char *twin;          /* variable whose URL leads to the same database; NULL: none */
};

/*
 * Why the database counts as protected, to go on from "… is protected: "; the caller owns it. NULL:
 * it does not.
 */
char *protection_reason(const struct protection_signs *signs);

/* --- the decision ---------------------------------------------------------------------------- */

struct protection_case {
	bool is_protected;
	const char *database;
	const char *confirm; /* --confirm; NULL: not given */
	bool has_terminal;   /* the name can be typed */
	const char *typed;   /* what was; NULL: it was not asked for */
	bool is_agent;       /* an AI agent is calling */
	const char *consent; /* DBRIG_CONSENT; NULL: none */
};

enum protection_verdict {
	PROTECTION_ALLOWED,
	PROTECTION_ASK,           /* for the database's name, on the terminal */
	PROTECTION_OTHER_CONFIRM, /* --confirm names another database */
	PROTECTION_OTHER_TYPED,   /* something else was typed */
	PROTECTION_UNCONFIRMED,   /* nobody has confirmed, and there is nobody to ask */
	PROTECTION_NO_CONSENT,    /* an agent without its user's words */
};

/*
 * Whether that may be a user's own words: two at least with a letter in each, of a script without
 * blanks two letters. A "y" or "." is what a program answers by itself. NULL is none.
 */
bool protection_is_consent(const char *words);

/*
 * The one decision on destroying. What neither --force nor an answer from a pipe nor a variable can
 * replace is the database's name: given with --confirm or typed on a terminal. An agent has to give
 * it with --confirm, and its user's own words besides.
 */
enum protection_verdict protection_decide(const struct protection_case *request);

/* --- agents ---------------------------------------------------------------------------------- */

/*
 * By what an AI agent that runs commands is known, mostly the environment variable's name; NULL: by
 * nothing. DBRIG_AGENT=0 says that it is none, any other value that it is one.
 */
const char *protection_agent(void);

/* The variables that protection_agent looks at, NULL at the end: for the documentation. */
extern const char *const protection_agent_variables[];

/* "--confirm shop", to be typed in a shell; the caller owns it. */
char *protection_confirm_option(const char *database);

#endif
