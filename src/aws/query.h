/* The body of a request of the AWS Query protocol: NAME=VALUE&…, form-encoded. */
#ifndef AWS_QUERY_H
#define AWS_QUERY_H

#include "base/strbuf.h"

struct query {
	struct strbuf body; /* may hold a password: wiped when released */
};

#define QUERY_INIT                                                                                 \
	{                                                                                          \
		.body = STRBUF_INIT                                                                \
	}

/*
 * Adds name=value. Unreserved characters (RFC 3986) stay, everything else becomes %XX. The name may
 * be a format: query_add(&query, "on", "Filter.%d.Value", 1). Order is the order of calls.
 */
void query_add(struct query *query, const char *value, const char *name_format, ...)
	PRINTF_LIKE(3, 4);

void query_add_bool(struct query *query, bool value, const char *name);
void query_add_int(struct query *query, long long value, const char *name);

/* Wipes and frees; usable as a CLEANUP handler. */
void query_release(struct query *query);

#endif
