/*
 * Whether another way leads to a protected database: a tunnel, an alias of its host, its URL under
 * another name.
 */
#ifndef APP_TWIN_H
#define APP_TWIN_H

#include "app/context.h"

struct twin_question {
	struct context *context;
	struct conn *conn;    /* any connection to the context's server */
	const char *database; /* of that server, which is asked about; when conn is connected to it,
				 what the server calls it counts as well */
	enum protection_mark mark; /* that it has */
	bool destroys;             /* that a server was silent a moment ago is no answer then */
	bool anew;                 /* nor is what it said a moment ago */
	bool by_name;              /* only those whose URL names that database */
	bool by_place;             /* and the very place: nobody is asked, nothing stays unknown */
};

struct twin {
	char *same;    /* where the URL stands that leads there, "PROD_CONNECTION_URL in .env", and
			  more before a verb */
	char *unknown; /* whether one does could not be found out: which, and why */
};

#define TWIN_INIT                                                                                  \
	{                                                                                          \
		0                                                                                  \
	}

/*
 * Looks through the targets that are protected by name or by DB_PROTECTED_TARGETS for one whose URL
 * leads to the database. Servers are the same by address and port as libpq would use them, or when
 * they say so: by their system identifier, or where a role may not ask for that, by the time of
 * their start. All of them together are asked, and their names looked up, for three seconds at
 * most. Where the names of the databases differ, and the server was never heard of, it is asked too
 * (a pooler may have another name for it); that it is silent is no sign then, and it is asked again
 * after an hour.
 *
 * That a server is the same is believed for 30 days; that it is another for ten minutes, and for a
 * week where it does not answer any more. When its URL names this machine, where tunnels end,
 * nothing of that while it answers: it is asked each time. same says where it is what was said
 * once.
 *
 * A mark that lifts the protection (LIFTED) settles what could not be found out. It also settles a
 * copy of production's whole server, which calls itself what that does: when it is the same by what
 * it says alone, and production's database does not have that mark.
 *
 * Fails with INTERRUPTED, and as a query to conn does.
 */
int twin_find(const struct twin_question *asked, struct twin *ret_twin, struct err *err);

/* Usable as a CLEANUP handler. */
void twin_release(struct twin *twin);

/* Remembers what the context's server says, when the target is protected; conn: any to it. */
void twin_remember(struct context *context, struct conn *conn);

#endif
