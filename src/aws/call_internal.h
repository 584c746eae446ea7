/* What the files of aws_call share. */
#ifndef AWS_CALL_INTERNAL_H
#define AWS_CALL_INTERNAL_H

#include "aws/aws.h"

/* A call on its way, with what stays the same from one attempt to the next. */
struct call {
	struct aws *aws;
	const struct aws_request *request;
	struct aws_reply *reply;
	const char *region;
	char *endpoint;
	char *host;                            /* as in the Host header */
	const struct credentials *credentials; /* NULL: unsigned */
	struct strbuf body;
	int64_t begin, deadline; /* clock_ms */
	int attempt;             /* from 1 */
	bool clock_corrected;
};

/*
 * Reads an answer into the call's reply. 0 when it is the one that was asked for; otherwise -1, and
 * err says what AWS, or whoever answered in its place, said.
 */
int call_read(struct call *call, const struct http_response *response, struct err *err);

/* A failure like this one may pass. */
bool call_may_pass(const struct aws_reply *reply);

/* A failure like this one may come from a clock that is wrong. */
bool call_may_be_clock(const struct aws_reply *reply);

#endif
