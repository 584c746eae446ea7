/* What people are told when no answer came. */
#include "aws/http_internal.h"

#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The proxy that libcurl used has no name here: its URL may hold a password. */
#define PROXY_HINT "the proxy of the environment"

/* "5 s", "1.5 s", "300 ms" */
static const char *duration(int64_t ms, char *buffer, size_t size)
{
	if (ms < 1000)
		snprintf(buffer, size, "%d ms", (int)ms);
	else
		snprintf(buffer, size, "%.3g s", (double)ms / 1000);
	return buffer;
}

static char *timed_out(const struct http_failure *failure)
{
	int64_t total = http_total_ms(failure->request);
	int64_t connect = http_connect_ms(failure->request);
	curl_off_t resolved = 0, connected = 0;
	char text[32];

	curl_easy_getinfo(failure->easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
	curl_easy_getinfo(failure->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
	if (connected > 0)
		return mem_printf("no answer from \"%s\" within %s", failure->host,
			duration(total, text, sizeof(text)));
	return mem_printf("could not %s \"%s\" within %s",
		resolved > 0 ? "connect to" : "resolve host", failure->host,
		duration(total < connect ? total : connect, text, sizeof(text)));
}

/*
 * To whom the connection was to be: the host, or the proxy before it, which libcurl names in its
 * text by host and port, without a password.
 */
static char *peer(const struct http_failure *failure)
{
	char host[256], port[6];

	if (sscanf(failure->text, "Failed to connect to %255s port %5s", host, port) != 2 ||
		strcasestr(failure->host, host))
		return mem_printf("\"%s\"", failure->host);
	return mem_printf("the proxy \"%s:%s\"", host, port);
}

static char *not_connected(const struct http_failure *failure)
{
	CLEANUP(mem_cleanup) char *to = peer(failure);
	long number = 0;

	curl_easy_getinfo(failure->easy, CURLINFO_OS_ERRNO, &number);
	if (number == ECONNREFUSED)
		return mem_printf("could not connect to %s: connection refused", to);
	return mem_printf("could not connect to %s: %s", to,
		number           ? strerror((int)number)
		: *failure->text ? failure->text
				 : curl_easy_strerror(failure->code));
}

/* libcurl's "SSL certificate problem: self-signed certificate" without what we say ourselves. */
static char *not_trusted(const struct http_failure *failure)
{
	static const char *const prefixes[] = { "SSL certificate problem: ", "SSL: " };
	const char *text = *failure->text ? failure->text : curl_easy_strerror(failure->code);

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		size_t length = strlen(prefixes[i]);

		if (strncmp(text, prefixes[i], length) == 0) {
			text += length;
			break;
		}
	}
	return mem_printf("TLS certificate of \"%s\" is not trusted: %s", failure->host, text);
}

static char *other(const struct http_failure *failure)
{
	return mem_printf("could not get an answer from \"%s\": %s", failure->host,
		*failure->text ? failure->text : curl_easy_strerror(failure->code));
}

void http_explain(const struct http_failure *failure, struct http_response *response)
{
	const char *bundle = failure->request->ca_bundle;

	response->failure_kind = ERR_CONNECT;
	if (failure->is_too_large) {
		response->failure = mem_printf("the answer of \"%s\" is larger than %zu bytes",
			failure->host, http_ceiling(failure->request));
		response->failure_kind = ERR_FAILED;
		response->is_final = true;
		return;
	}
	switch (failure->code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		response->failure = mem_printf("could not resolve host \"%s\"", failure->host);
		break;
	case CURLE_COULDNT_RESOLVE_PROXY:
		response->failure = mem_strdup("could not resolve " PROXY_HINT);
		break;
	case CURLE_COULDNT_CONNECT:
		response->failure = not_connected(failure);
		break;
	case CURLE_OPERATION_TIMEDOUT:
		response->failure = timed_out(failure);
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		response->failure = not_trusted(failure);
		response->is_final = true;
		break;
	case CURLE_SSL_CACERT_BADFILE:
		response->failure = mem_printf(
			"could not read the CA bundle \"%s\"", bundle ? bundle : "of the system");
		response->failure_kind = ERR_USAGE;
		response->is_final = true;
		break;
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
		response->failure = mem_printf(
			"the connection to \"%s\" was lost before its answer was complete",
			failure->host);
		break;
	default:
		response->failure = other(failure);
		break;
	}
}
