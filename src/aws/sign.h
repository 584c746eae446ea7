/*
 * AWS Signature Version 4: pure functions, the time is passed in.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
#ifndef AWS_SIGN_H
#define AWS_SIGN_H

#include "base/secret.h"
#include "base/strbuf.h"
#include "base/strlist.h"

#include <time.h>

struct credentials {
	char *access_key; /* the public part: AKIA…, ASIA… */
	struct secret secret_key;
	struct secret session_token; /* not set: long-term credentials */
	char *source;   /* for messages: "environment", "profile \"work\" (~/.aws/credentials)" */
	time_t expires; /* 0: never */
};

#define CREDENTIALS_INIT                                                                           \
	{                                                                                          \
		0                                                                                  \
	}

/* Wipes and frees; usable as a CLEANUP handler. */
void credentials_release(struct credentials *credentials);

/* Where and when a request is valid. region and service: "eu-central-1", "ec2". */
struct sign_scope {
	const char *region;
	const char *service;
	time_t now;
};

/* The parts of a POST / with an empty query. */
struct sign_request {
	const char *host; /* as sent in Host: lower case, with ":port" unless it is 443 or 80 */
	const char *content_type;
	const char *target; /* X-Amz-Target; NULL: none */
	const char *body;
	size_t body_length;
};

/*
 * Adds the header lines that make the request valid to headers: Content-Type, X-Amz-Date, with a
 * session token X-Amz-Security-Token, with a target X-Amz-Target, and Authorization. Host is the
 * caller's business. Signed are content-type;host;x-amz-date[;x-amz-security-token][;x-amz-target].
 * The lines with a token are secrets.
 */
void sign_post(const struct credentials *credentials, const struct sign_scope *scope,
	const struct sign_request *request, struct strlist *headers);

/*
 * The IAM authentication token for a database user: a presigned GET for the service rds-db, without
 * "https://", valid for 900 seconds. scope->service is not looked at. host is the endpoint's own
 * name in lower case; the signature leaves out ":443", the token keeps it.
 */
void sign_rds_token(const struct credentials *credentials, const struct sign_scope *scope,
	const char *host, int port, const char *user, struct secret *ret_token);

#endif
