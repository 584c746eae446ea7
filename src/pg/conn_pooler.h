/*
 * How poolers and the proxies of hosted servers refuse a connection: in their own words, mostly
 * under a SQLSTATE that says nothing (08P01: PgBouncer; XX000: Supabase's Supavisor, Neon). Pure.
 */
#ifndef PG_CONN_POOLER_H
#define PG_CONN_POOLER_H

#include "pg/conn_failure.h"

struct pooler_refusal {
	const char *text; /* all of the message; * stands for any characters */
	enum conn_cause cause;
	bool may_pass;    /* waiting may help */
	const char *hint; /* NULL: what is said of the cause whoever refuses */
};

/*
 * The refusal that a line of detail is, "… FATAL: message"; of several the one that says most.
 * NULL: none is. With 08P01 also what a server behind PgBouncer has said, which has lost its
 * SQLSTATE.
 */
const struct pooler_refusal *conn_pooler_refusal(const char *sqlstate, const char *detail);

#endif
