#include "aws/http_internal.h"

#include "base/interrupt.h"
#include "base/mem.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define CONNECT_MS 5000
#define TOTAL_MS 15000
/* The longest wait without a look at the signals, for a program that does not catch them. */
#define POLL_MS 1000

struct http {
	CURLM *multi;
};

/* One request on its way. */
struct transfer {
	CURL *easy;
	struct curl_slist *headers;
	struct curl_slist *addresses;
	char *host;
	const struct http_request *request;
	struct http_response *response;
	size_t index;
	bool is_too_large;
	char error[CURL_ERROR_SIZE];
};

int64_t http_connect_ms(const struct http_request *request)
{
	return request->connect_ms > 0 ? request->connect_ms : CONNECT_MS;
}

int64_t http_total_ms(const struct http_request *request)
{
	return request->total_ms > 0 ? request->total_ms : TOTAL_MS;
}

size_t http_ceiling(const struct http_request *request)
{
	return request->ceiling ? request->ceiling : HTTP_ANSWER_CEILING;
}

/*
 * libcurl is told to leave signals alone (CURLOPT_NOSIGNAL), and then an older one's TLS may raise
 * SIGPIPE when the other side is gone.
 */
static struct sigaction ignore_sigpipe(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction before;

	sigaction(SIGPIPE, &ignore, &before);
	return before;
}

static void restore_sigpipe(const struct sigaction *before)
{
	sigaction(SIGPIPE, before, NULL);
}

int http_open(struct http **ret_http, struct err *err)
{
	struct http *http;
	CURLM *multi;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(err, ERR_FAILED, "could not initialize libcurl");
	multi = curl_multi_init();
	if (!multi)
		return err_set(err, ERR_FAILED, "could not initialize libcurl");
	http = mem_calloc(1, sizeof(*http));
	http->multi = multi;
	*ret_http = http;
	return 0;
}

void http_cleanup(struct http **http)
{
	struct sigaction before;

	if (!*http)
		return;
	before = ignore_sigpipe();
	curl_multi_cleanup((*http)->multi);
	restore_sigpipe(&before);
	mem_free(*http);
	*http = NULL;
}

void http_response_release(struct http_response *response)
{
	strbuf_release_secret(&response->body);
	mem_free(response->content_type);
	mem_free(response->date);
	mem_free(response->request_id);
	mem_free(response->failure);
	*response = (struct http_response)HTTP_RESPONSE_INIT;
}

/* --- what libcurl calls --------------------------------------------------------------------- */

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;

	if (!strbuf_grow_secret(&transfer->response->body, size * count)) {
		transfer->is_too_large = true;
		return 0;
	}
	strbuf_add(&transfer->response->body, bytes, size * count);
	return size * count;
}

/* Takes the value of a header line, which has no NUL at its end, when it is the one of that name.
 */
static void keep_header(const char *line, size_t length, const char *name, char **ret_value)
{
	size_t name_length = strlen(name);

	if (length <= name_length || line[name_length] != ':' ||
		strncasecmp(line, name, name_length) != 0)
		return;
	line += name_length + 1;
	length -= name_length + 1;
	while (length && strchr(" \t", *line)) {
		line++;
		length--;
	}
	while (length && strchr(" \t\r\n", line[length - 1]))
		length--;
	mem_free(*ret_value);
	*ret_value = mem_strndup(line, length);
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
	struct http_response *response = ((struct transfer *)context)->response;
	size_t length = size * count;

	keep_header(line, length, "Content-Type", &response->content_type);
	keep_header(line, length, "Date", &response->date);
	keep_header(line, length, "x-amzn-RequestId", &response->request_id);
	keep_header(line, length, "x-amz-request-id", &response->request_id);
	return length;
}

/* --- one transfer --------------------------------------------------------------------------- */

/*
 * libcurl refuses an option only when it was built without it or when memory is out. None of these
 * may be left out in silence.
 */
#define SET(easy, option, value)                                                                   \
	do {                                                                                       \
		if (curl_easy_setopt(easy, option, value) != CURLE_OK)                             \
			BUG("libcurl lacks " #option);                                             \
	} while (0)

static void add_line(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (!longer)
		BUG("libcurl has no memory");
	*list = longer;
}

/* The lines may hold keys and tokens. */
static void free_lines(struct curl_slist *list)
{
	for (struct curl_slist *line = list; line; line = line->next)
		mem_wipe(line->data, strlen(line->data));
	curl_slist_free_all(list);
}

static void transfer_release(struct transfer *transfer)
{
	curl_easy_cleanup(transfer->easy);
	free_lines(transfer->headers);
	curl_slist_free_all(transfer->addresses);
	mem_free(transfer->host);
}

static int set_headers(struct transfer *transfer, struct err *err)
{
	const struct strlist *headers = transfer->request->headers;
	bool has_type = false;

	for (size_t i = 0; headers && i < headers->count; i++) {
		const char *line = headers->items[i];

		if (strpbrk(line, "\r\n"))
			return err_set(err, ERR_USAGE,
				"the value of the header \"%.*s\" holds a line break",
				(int)strcspn(line, ":\r\n"), line);
		has_type = has_type || strncasecmp(line, "Content-Type:", 13) == 0;
		add_line(&transfer->headers, line);
	}
	/* libcurl would wait a second for a server that does not know it. */
	add_line(&transfer->headers, "Expect:");
	if (!has_type)
		add_line(&transfer->headers, "Content-Type:");
	SET(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
	/* What is for the server is not for a proxy on the way to it. */
	SET(transfer->easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	return 0;
}

static void set_method(const struct transfer *transfer)
{
	const struct http_request *request = transfer->request;

	SET(transfer->easy, CURLOPT_FRESH_CONNECT, request->fresh ? 1L : 0L);
	if (strcmp(request->method, "GET") == 0 && !request->body) {
		SET(transfer->easy, CURLOPT_HTTPGET, 1L);
		return;
	}
	SET(transfer->easy, CURLOPT_POST, 1L);
	SET(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE,
		(curl_off_t)(request->body ? request->body_length : 0));
	SET(transfer->easy, CURLOPT_POSTFIELDS, request->body ? request->body : "");
	if (strcmp(request->method, "POST") != 0)
		SET(transfer->easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_route(struct transfer *transfer, const struct http_url *url)
{
	const struct http_request *request = transfer->request;
	CURL *easy = transfer->easy;

#if LIBCURL_VERSION_NUM >= 0x075500
	SET(easy, CURLOPT_PROTOCOLS_STR, url->is_plain ? "http" : "https");
#else
	SET(easy, CURLOPT_PROTOCOLS, (long)(url->is_plain ? CURLPROTO_HTTP : CURLPROTO_HTTPS));
#endif
	SET(easy, CURLOPT_FOLLOWLOCATION, 0L);
	SET(easy, CURLOPT_IPRESOLVE,
		(long)(request->family == 4    ? CURL_IPRESOLVE_V4
			: request->family == 6 ? CURL_IPRESOLVE_V6
					       : CURL_IPRESOLVE_WHATEVER));
	/* A proxy would take what goes without TLS off the machine. */
	if (request->direct || url->is_plain)
		SET(easy, CURLOPT_PROXY, "");
	if (url->is_plain && url->is_localhost) {
		CLEANUP(mem_cleanup)
		char *pinned = mem_printf("localhost:%s:%s", url->port,
			request->family == 4   ? "127.0.0.1"
			: request->family == 6 ? "[::1]"
					       : "127.0.0.1,[::1]");

		add_line(&transfer->addresses, pinned);
		SET(easy, CURLOPT_RESOLVE, transfer->addresses);
	}
}

static void set_tls(const struct transfer *transfer)
{
	const char *bundle = transfer->request->ca_bundle;
	CURL *easy = transfer->easy;

	SET(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	SET(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	SET(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (bundle) {
		/* Instead of the system's certificates, not beside them. */
		SET(easy, CURLOPT_CAINFO, bundle);
		SET(easy, CURLOPT_CAPATH, (char *)NULL);
	}
}

static void set_limits(struct transfer *transfer)
{
	CURL *easy = transfer->easy;

	SET(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)http_connect_ms(transfer->request));
	SET(easy, CURLOPT_TIMEOUT_MS, (long)http_total_ms(transfer->request));
	SET(easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* A look-up that hangs is not waited for when the time is over or a signal came. */
	SET(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
	SET(easy, CURLOPT_WRITEFUNCTION, on_body);
	SET(easy, CURLOPT_WRITEDATA, transfer);
	SET(easy, CURLOPT_HEADERFUNCTION, on_header);
	SET(easy, CURLOPT_HEADERDATA, transfer);
	SET(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(easy, CURLOPT_ERRORBUFFER, transfer->error);
	SET(easy, CURLOPT_PRIVATE, transfer);
}

static int transfer_prepare(struct transfer *transfer, struct err *err)
{
	const struct http_request *request = transfer->request;
	CLEANUP(http_url_release) struct http_url url = HTTP_URL_INIT;
	const char *why = http_url_read(request->url, request->link_local, &url);

	if (*why)
		return err_set(err, ERR_USAGE, "cannot use the URL of a request: %s", why);
	http_response_release(transfer->response);
	strbuf_init(&transfer->response->body, http_ceiling(request));
	transfer->host = http_host(request->url);
	transfer->easy = curl_easy_init();
	if (!transfer->easy)
		BUG("libcurl has no memory");
	SET(transfer->easy, CURLOPT_URL, request->url);
	SET(transfer->easy, CURLOPT_USERAGENT, "dbrig/" DBRIG_VERSION);
	SET(transfer->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(transfer->easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	set_method(transfer);
	set_route(transfer, &url);
	set_tls(transfer);
	set_limits(transfer);
	return set_headers(transfer, err);
}

static void transfer_end(struct transfer *transfer, CURLcode code)
{
	struct http_response *response = transfer->response;

	if (code == CURLE_OK) {
		curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &response->status);
		response->done = true;
		return;
	}
	http_explain(&(struct http_failure){ .easy = transfer->easy,
			     .code = code,
			     .request = transfer->request,
			     .host = transfer->host,
			     .text = transfer->error,
			     .is_too_large = transfer->is_too_large },
		response);
	/* Half an answer is none. */
	strbuf_release_secret(&response->body);
}

/* --- several -------------------------------------------------------------------------------- */

static void wait_for_something(struct http *http)
{
	struct curl_waitfd wake = { .fd = interrupt_fd(), .events = CURL_WAIT_POLLIN };

	if (curl_multi_poll(http->multi, &wake, wake.fd >= 0 ? 1 : 0, POLL_MS, NULL) != CURLM_OK)
		BUG("libcurl cannot wait");
}

/* Until all have ended, one of them was enough, or a signal came. */
static int drive(
	struct http *http, size_t remaining, http_done_fn *done, void *context, struct err *err)
{
	while (remaining) {
		CURLMsg *message;
		int number;

		if (interrupt_check(err) != 0)
			return -1;
		if (curl_multi_perform(http->multi, &number) != CURLM_OK)
			BUG("libcurl cannot go on");
		while ((message = curl_multi_info_read(http->multi, &number))) {
			struct transfer *transfer = NULL;

			curl_easy_getinfo(
				message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
			transfer_end(transfer, message->data.result);
			remaining--;
			if (done && done(context, transfer->index, transfer->response))
				return 0;
		}
		if (remaining)
			wait_for_something(http);
	}
	return 0;
}

int http_perform_all(struct http *http, const struct http_request *requests, size_t count,
	struct http_response *responses, http_done_fn *done, void *context, struct err *err)
{
	CLEANUP(mem_cleanup) struct transfer *transfers = mem_calloc(count, sizeof(*transfers));
	struct sigaction before = ignore_sigpipe();
	int result = 0;

	for (size_t i = 0; i < count && result == 0; i++) {
		transfers[i].request = &requests[i];
		transfers[i].response = &responses[i];
		transfers[i].index = i;
		result = transfer_prepare(&transfers[i], err);
	}
	if (result == 0) {
		for (size_t i = 0; i < count; i++)
			curl_multi_add_handle(http->multi, transfers[i].easy);
		result = drive(http, count, done, context, err);
		for (size_t i = 0; i < count; i++)
			curl_multi_remove_handle(http->multi, transfers[i].easy);
	}
	for (size_t i = 0; i < count; i++)
		transfer_release(&transfers[i]);
	restore_sigpipe(&before);
	return result;
}

int http_perform(struct http *http, const struct http_request *request,
	struct http_response *response, struct err *err)
{
	if (http_perform_all(http, request, 1, response, NULL, NULL, err) != 0)
		return -1;
	if (!response->done)
		return err_set(err, response->failure_kind, "%s", response->failure);
	return 0;
}
