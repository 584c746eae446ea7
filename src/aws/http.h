/*
 * HTTP over libcurl with what this project asks of every request: certificates are always verified,
 * TLS 1.2 at least, no redirect is followed, http only where it cannot leave the machine, a ceiling
 * for the answer, deadlines, and a signal ends the waiting.
 */
#ifndef AWS_HTTP_H
#define AWS_HTTP_H

#include "base/err.h"
#include "base/strbuf.h"
#include "base/strlist.h"

#include <time.h>

#define HTTP_ANSWER_CEILING ((size_t)1 << 20)

struct http_request {
	const char *method; /* "GET", "POST", "PUT" */
	const char *url;
	const struct strlist *headers; /* whole lines, "Name: value"; may be NULL */
	const char *body;              /* NULL: none */
	size_t body_length;
	int family; /* 4, 6; 0: any */
	/*
	 * No proxy, whatever the environment says: for the public address, and for the metadata and
	 * container services, whose answers a proxy must not see.
	 */
	bool direct;
	/* http is allowed to link-local addresses too: the metadata and container services. */
	bool link_local;
	/* On a new connection: libcurl sends a request once more by itself, and tells nobody, when
	 * one that was in use before is lost. */
	bool fresh;
	const char *ca_bundle; /* NULL: the system's */
	int64_t connect_ms;    /* 0: 5,000 */
	int64_t total_ms;      /* 0: 15,000 */
	size_t ceiling;        /* 0: HTTP_ANSWER_CEILING */
};

struct http_response {
	bool done;   /* an answer came, of whatever status */
	long status; /* 200, … */
	struct strbuf body;
	char *content_type; /* NULL: none; as may be the others */
	char *date;
	char *request_id; /* x-amzn-requestid, x-amz-request-id */
	/*
	 * When not done: what went wrong, for people, with the host's name; NULL when it was
	 * dropped before it ended. Its kind: CONNECT (also when no connection came about in time),
	 * USAGE (the CA bundle cannot be read).
	 */
	char *failure;
	enum err_kind failure_kind;
	bool is_final; /* asking again would not help: the certificate, the answer's size */
};

#define HTTP_RESPONSE_INIT                                                                         \
	{                                                                                          \
		.body = STRBUF_INIT_CEILING(HTTP_ANSWER_CEILING)                                   \
	}

/* Wipes (an answer may hold keys) and frees; usable as a CLEANUP handler. */
void http_response_release(struct http_response *response);

/* Keeps connections for the next request to the same host. */
struct http;

int http_open(struct http **ret_http, struct err *err);
void http_cleanup(struct http **http);

/*
 * "" when the URL may be asked: https, or http to a loopback address or localhost (and, with
 * link_local, 169.254.0.0/16 and fd00:ec2::/32), without user or password in it. Otherwise why not,
 * a phrase.
 */
const char *http_refuses(const char *url, bool link_local);

/*
 * The host as it stands in the Host header: in lower case, with its port unless that is the
 * scheme's own, IPv6 addresses in brackets. NULL for what is no URL; the caller owns it.
 */
char *http_host(const char *url);

/* Seconds since 1970 of a Date header; -1 when it is none (or NULL). */
time_t http_date(const char *text);

/*
 * One request. A proxy is the environment's (https_proxy, no_proxy), for https only: http stays on
 * the machine. 0 once an answer came, of whatever status. Otherwise CONNECT or FAILED (the
 * message names the host, never the query or a header), USAGE for a URL that http_refuses, a header
 * with a line break in it or a CA bundle that cannot be read, INTERRUPTED.
 */
int http_perform(struct http *http, const struct http_request *request,
	struct http_response *response, struct err *err);

/*
 * Several at once. done is told of each that ends, well or not; when it returns true the rest are
 * dropped; it may be NULL. Fails only with INTERRUPTED and USAGE (nothing was sent then): what else
 * happened is in the responses.
 */
typedef bool http_done_fn(void *context, size_t index, const struct http_response *response);

int http_perform_all(struct http *http, const struct http_request *requests, size_t count,
	struct http_response *responses, http_done_fn *done, void *context, struct err *err);

#endif
