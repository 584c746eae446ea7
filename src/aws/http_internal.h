/* What the files of http share. */
#ifndef AWS_HTTP_INTERNAL_H
#define AWS_HTTP_INTERNAL_H

#include "aws/http.h"

#include <curl/curl.h>

/* The parts of a URL that decide how it may be asked. The caller owns both texts. */
struct http_url {
	bool is_plain; /* http, not https */
	bool is_localhost;
	char *host; /* without brackets, in lower case */
	char *port; /* always there */
};

#define HTTP_URL_INIT                                                                              \
	{                                                                                          \
		0                                                                                  \
	}

void http_url_release(struct http_url *url);

/* "" and the parts, or why the URL is refused; see http_refuses. */
const char *http_url_read(const char *text, bool link_local, struct http_url *ret_url);

/* A transfer that libcurl has ended without an answer. */
struct http_failure {
	CURL *easy;
	CURLcode code;
	const struct http_request *request;
	const char *host; /* for people */
	const char *text; /* libcurl's own, may be "" */
	bool is_too_large;
};

/* Sets failure, failure_kind and is_final of response. */
void http_explain(const struct http_failure *failure, struct http_response *response);

/* The limits of a request, defaults filled in. */
int64_t http_connect_ms(const struct http_request *request);
int64_t http_total_ms(const struct http_request *request);
size_t http_ceiling(const struct http_request *request);

#endif
