#include "loopback.h"

#include "aws/http.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"

#include <sys/stat.h>

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
#define KEPT_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok"

static const char *const ok_answers[] = { OK_ANSWER, NULL };
static const char *const hanging[] = { LOOPBACK_HANG, NULL };

static struct http *open_http(void)
{
	CLEANUP(err_release) struct err err = ERR_INIT;
	struct http *http = NULL;

	check_number("http_open", http_open(&http, &err), 0);
	return http;
}

/* A GET, or whatever request says already, of the server's URL. */
static int ask(const struct loopback *server, struct http_request request,
	struct http_response *response, struct err *err)
{
	CLEANUP(http_cleanup) struct http *http = open_http();

	if (!request.method)
		request.method = "GET";
	if (!request.url)
		request.url = server->url;
	return http_perform(http, &request, response, err);
}

/* --- what is sent --------------------------------------------------------------------------- */

static void test_request_as_received(void **state)
{
	CLEANUP(loopback_stop) struct loopback server = { 0 };
	CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(strlist_release) struct strlist headers = STRLIST_INIT;
	CLEANUP(mem_cleanup) char *url = NULL;
	CLEANUP(mem_cleanup) char *expected = NULL;

	(void)state;
	loopback_start(&server, loopback_answer, ok_answers);
	url = mem_printf("%s/a?b=c", server.url);
	expected = mem_printf("POST /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
			      "User-Agent: dbrig/" DBRIG_VERSION "\r\nAccept: */*\r\n"
			      "Content-Type: text/x\r\nX-Y: z\r\nContent-Length: 4\r\n\r\nbody",
		server.port);
	strlist_add(&headers, "Content-Type: text/x");
	strlist_add(&headers, "X-Y: z");
	check_number("ask",
		ask(&server,
			(struct http_request){ .method = "POST",
				.url = url,
				.headers = &headers,
				.body = "body and more",
				.body_length = 4 },
			&response, &err),
		0);
	check_text("request", server.log->requests[0], expected);
	check_number("done", response.done, true);
	check_number("status", response.status, 200);
	check_text("body", response.body.data, "ok");
}

static void test_methods(void **state)
{
	static const struct {
		const char *method, *first, *holds, *lacks;
	} cases[] = {
		{ "GET", "GET / HTTP/1.1\r\n", NULL, "Content-" },
		{ "PUT", "PUT / HTTP/1.1\r\n", "\r\nContent-Length: 0\r\n", "Content-Type" },
		{ "POST", "POST / HTTP/1.1\r\n", "\r\nContent-Length: 0\r\n", "Content-Type" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(loopback_stop) struct loopback server = { 0 };
		CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;
		const char *received;

		loopback_start(&server, loopback_answer, ok_answers);
		ask(&server, (struct http_request){ .method = cases[i].method }, &response, &err);
		received = server.log->requests[0];
		check_number(
			received, strncmp(received, cases[i].first, strlen(cases[i].first)), 0);
		check_holds(cases[i].method, received, cases[i].holds);
		check_number(received, strstr(received, cases[i].lacks) != NULL, 0);
		check_number(received, strstr(received, "Expect") != NULL, 0);
	}
}

/* Above 1 MiB libcurl would ask with "Expect: 100-continue" first. */
static void test_large_body_is_sent_at_once(void **state)
{
	CLEANUP(loopback_stop) struct loopback server = { 0 };
	CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;

	(void)state;
	loopback_start(&server, loopback_answer, ok_answers);
	for (int i = 0; i < 500000; i++)
		strbuf_adds(&body, "xyz");
	check_number("ask",
		ask(&server,
			(struct http_request){
				.method = "POST", .body = body.data, .body_length = body.length },
			&response, &err),
		0);
	check_number("all of it", strstr(server.log->requests[0], body.data) != NULL, 1);
	check_number("Expect", strstr(server.log->requests[0], "\r\nExpect") != NULL, 0);
}

static void test_netrc_is_not_read(void **state)
{
	static const char text[] = "machine 127.0.0.1 login Zq password Zq\n";
	CLEANUP(loopback_stop) struct loopback server = { 0 };
	CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;
	char home[] = "/tmp/dbrig-unit-XXXXXX";
	CLEANUP(mem_cleanup) char *path = NULL;

	(void)state;
	if (!mkdtemp(home))
		BUG("no directory for the test");
	path = path_join(home, ".netrc");
	{
		CLEANUP(file_cleanup) FILE *file = fopen(path, "w");

		if (!file || fputs(text, file) < 0)
			BUG("could not write a file for the test");
	}
	setenv("HOME", home, 1);
	loopback_start(&server, loopback_answer, ok_answers);
	check_number("ask", ask(&server, (struct http_request){ 0 }, &response, &err), 0);
	check_number("Authorization", strstr(server.log->requests[0], "Authorization") != NULL, 0);
	unlink(path);
	rmdir(home);
}

static void test_http_takes_no_proxy(void **state)
{
	static const char *const variables[] = { "http_proxy", "all_proxy", "ALL_PROXY" };
	CLEANUP(mem_cleanup) char *proxy = NULL;

	(void)state;
	proxy = mem_printf("http://127.0.0.1:%d", loopback_closed_port());
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		CLEANUP(loopback_stop) struct loopback server = { 0 };
		CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;

		loopback_start(&server, loopback_answer, ok_answers);
		setenv(variables[i], proxy, 1);
		check_number(
			variables[i], ask(&server, (struct http_request){ 0 }, &response, &err), 0);
		check_number(variables[i], server.log->count, 1);
	}
}

/* The proxy sees that a connection is asked for, and no header that is meant for the server. */
static void test_https_goes_through_the_proxy_unless_direct(void **state)
{
	static const char *const answers[] = { "HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n",
		NULL };

	(void)state;
	for (int direct = 0; direct < 2; direct++) {
		CLEANUP(loopback_stop) struct loopback proxy = { 0 };
		CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;
		CLEANUP(strlist_release) struct strlist headers = STRLIST_INIT;
		CLEANUP(mem_cleanup) char *url = NULL;

		loopback_start(&proxy, loopback_answer, answers);
		setenv("https_proxy", proxy.url, 1);
		url = mem_printf("https://127.0.0.1:%d/x", loopback_closed_port());
		strlist_add(&headers, "X-Amz-Security-Token: Zq");
		check_number("ask",
			ask(NULL,
				(struct http_request){
					.url = url, .headers = &headers, .direct = direct },
				&response, &err),
			-1);
		check_number("kind", err.kind, ERR_CONNECT);
		check_number("connections to the proxy", proxy.log->connections, !direct);
		if (!direct)
			check_number("request", strncmp(proxy.log->requests[0], "CONNECT ", 8), 0);
		check_number("token", strstr(proxy.log->requests[0], "Zq") != NULL, 0);
		check_number("path", strstr(proxy.log->requests[0], "/x") != NULL, 0);
	}
}

static void test_header_with_a_line_break_is_refused(void **state)
{
	static const char *const lines[] = { "X-Y: Zq\r\nX-Z: 1", "X-Y: Zq\n", "X-Y: Zq\r" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		CLEANUP(loopback_stop) struct loopback server = { 0 };
		CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;
		CLEANUP(strlist_release) struct strlist headers = STRLIST_INIT;

		loopback_start(&server, loopback_answer, ok_answers);
		strlist_add(&headers, lines[i]);
		check_number(lines[i],
			ask(&server, (struct http_request){ .headers = &headers }, &response, &err),
			-1);
		check_err(lines[i], &err, ERR_USAGE,
			"the value of the header \"X-Y\" holds a line break");
		check_number("connections", server.log->connections, 0);
	}
}

/* --- what comes back ------------------------------------------------------------------------ */

static void test_answers(void **state)
{
	static const struct {
		const char *answer;
		long status;
		const char *body, *type, *date, *id;
	} cases[] = {
		{ OK_ANSWER, 200, "ok", NULL, NULL, NULL },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
		  "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
			200, "abcde", NULL, NULL, NULL },
		{ "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end", 200, "until the end",
			NULL, NULL, NULL },
		{ "HTTP/1.1 403 No\r\ncontent-type:text/xml;charset=UTF-8 \r\n"
		  "Date: Sun, 30 Aug 2015 12:36:00 GMT\r\nx-amzn-requestid:  4f-2\r\n"
		  "Content-Length: 0\r\nConnection: close\r\n\r\n",
			403, "", "text/xml;charset=UTF-8", "Sun, 30 Aug 2015 12:36:00 GMT",
			"4f-2" },
		{ "HTTP/1.1 500 No\r\nX-Amz-Request-Id: A1\r\nContent-Length: 0\r\n"
		  "Connection: close\r\n\r\n",
			500, "", NULL, NULL, "A1" },
		{ "HTTP/1.1 100 Continue\r\n\r\n" OK_ANSWER, 200, "ok", NULL, NULL, NULL },
		{ "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n"
		  "Connection: close\r\n\r\n",
			302, "", NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *answers[] = { cases[i].answer, OK_ANSWER, NULL };
		CLEANUP(loopback_stop) struct loopback server = { 0 };
		CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;

		loopback_start(&server, loopback_answer, answers);
		check_number(cases[i].answer,
			ask(&server, (struct http_request){ 0 }, &response, &err), 0);
		check_text(cases[i].answer, err.message, NULL);
		check_number(cases[i].answer, response.status, cases[i].status);
		check_text(cases[i].answer, response.body.data, cases[i].body);
		check_text(cases[i].answer, response.content_type, cases[i].type);
		check_text(cases[i].answer, response.date, cases[i].date);
		check_text(cases[i].answer, response.request_id, cases[i].id);
		check_number("requests", server.log->count, 1);
	}
}

static void test_no_answer(void **state)
{
	static const struct {
		const char *answer;
		enum err_kind kind;
		const char *message; /* %s: the host */
		bool is_final;
	} cases[] = {
		{ LOOPBACK_CLOSE, ERR_CONNECT,
			"the connection to \"%s\" was lost before its answer was complete", false },
		{ LOOPBACK_RESET, ERR_CONNECT,
			"the connection to \"%s\" was lost before its answer was complete", false },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", ERR_CONNECT,
			"the connection to \"%s\" was lost before its answer was complete", false },
		{ LOOPBACK_HANG, ERR_CONNECT, "no answer from \"%s\" within 300 ms", false },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789", ERR_FAILED,
			"the answer of \"%s\" is larger than 8 bytes", true },
		{ LOOPBACK_ENDLESS, ERR_FAILED, "the answer of \"%s\" is larger than 8 bytes",
			true },
		{ "no HTTP at all\r\n\r\n", ERR_CONNECT, NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *answers[] = { cases[i].answer, NULL };
		CLEANUP(loopback_stop) struct loopback server = { 0 };
		CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;
		CLEANUP(mem_cleanup) char *host = NULL;
		CLEANUP(mem_cleanup) char *message = NULL;
		int64_t start = clock_ms();

		loopback_start(&server, loopback_answer, answers);
		host = mem_printf("127.0.0.1:%d", server.port);
		if (cases[i].message)
			message = mem_printf(cases[i].message, host);
		check_number(cases[i].answer,
			ask(&server, (struct http_request){ .total_ms = 300, .ceiling = 8 },
				&response, &err),
			-1);
		check_number(cases[i].answer, err.kind, cases[i].kind);
		check_holds(cases[i].answer, err.message, host);
		if (message)
			check_text(cases[i].answer, err.message, message);
		check_text(cases[i].answer, response.failure, err.message);
		check_number(cases[i].answer, response.is_final, cases[i].is_final);
		check_number(cases[i].answer, response.done, false);
		check_number("half an answer is kept", (long long)response.body.length, 0);
		check_number("lasts too long", clock_ms() - start > 3000, 0);
	}
}

static void test_ceiling_is_the_largest_answer(void **state)
{
	static const char *const answers[] = { "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n"
					       "12345678",
		NULL };
	CLEANUP(loopback_stop) struct loopback server = { 0 };
	CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;

	(void)state;
	loopback_start(&server, loopback_answer, answers);
	check_number(
		"ask", ask(&server, (struct http_request){ .ceiling = 8 }, &response, &err), 0);
	check_text("body", response.body.data, "12345678");
}

static void test_nobody_there(void **state)
{
	CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;
	int port = loopback_closed_port();
	CLEANUP(mem_cleanup) char *url = mem_printf("http://127.0.0.1:%d/?secret=Zq", port);
	CLEANUP(mem_cleanup)
	char *message =
		mem_printf("could not connect to \"127.0.0.1:%d\": connection refused", port);

	(void)state;
	check_number("ask", ask(NULL, (struct http_request){ .url = url }, &response, &err), -1);
	check_err("closed port", &err, ERR_CONNECT, message);
	check_number("ask",
		ask(NULL,
			(struct http_request){
				.url = "https://nowhere.invalid/?secret=Zq", .connect_ms = 2000 },
			&response, &err),
		-1);
	check_number("kind", err.kind, ERR_CONNECT);
	check_holds("no such host", err.message, "could not resolve host \"nowhere.invalid\"");
}

static void test_proxy_that_is_not_there_is_named(void **state)
{
	CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;
	int port = loopback_closed_port();
	CLEANUP(mem_cleanup) char *proxy = mem_printf("http://u:Zq@127.0.0.1:%d", port);
	CLEANUP(mem_cleanup)
	char *message = mem_printf(
		"could not connect to the proxy \"127.0.0.1:%d\": connection refused", port);

	(void)state;
	setenv("https_proxy", proxy, 1);
	check_number("ask",
		ask(NULL, (struct http_request){ .url = "https://example.com/" }, &response, &err),
		-1);
	check_err("proxy", &err, ERR_CONNECT, message);
}

static void test_family(void **state)
{
	CLEANUP(loopback_stop) struct loopback server = { 0 };
	CLEANUP(mem_cleanup) char *url = NULL;
	static const struct {
		int family, result;
	} cases[] = { { 0, 0 }, { 4, 0 }, { 6, -1 } };

	(void)state;
	loopback_start(&server, loopback_answer, ok_answers);
	url = mem_printf("http://localhost:%d/", server.port);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;
		int before = server.log->count;

		check_number("ask",
			ask(NULL, (struct http_request){ .url = url, .family = cases[i].family },
				&response, &err),
			cases[i].result);
		check_number("requests", server.log->count - before, cases[i].result == 0);
	}
}

static void test_connection_is_kept(void **state)
{
	static const char *const answers[] = { KEPT_ANSWER, NULL };
	CLEANUP(loopback_stop) struct loopback server = { 0 };
	CLEANUP(http_cleanup) struct http *http = open_http();
	CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;
	struct http_request request = { .method = "GET" };

	(void)state;
	loopback_start(&server, loopback_answer, answers);
	request.url = server.url;
	for (int i = 0; i < 3; i++) {
		check_number("ask", http_perform(http, &request, &response, &err), 0);
		check_text("body", response.body.data, "ok");
	}
	check_number("requests", server.log->count, 3);
	check_number("connections", server.log->connections, 1);
}

/* --- several, signals, URLs ----------------------------------------------------------------- */

struct seen {
	size_t count, indexes[4];
	size_t enough;
};

static bool note(void *context, size_t index, const struct http_response *response)
{
	struct seen *seen = context;

	(void)response;
	seen->indexes[seen->count++] = index;
	return seen->count == seen->enough;
}

static void test_rest_is_dropped_when_one_was_enough(void **state)
{
	CLEANUP(loopback_stop) struct loopback slow = { 0 };
	CLEANUP(loopback_stop) struct loopback fast = { 0 };
	CLEANUP(http_cleanup) struct http *http = open_http();
	CLEANUP(err_release) struct err err = ERR_INIT;
	struct http_response responses[2] = { HTTP_RESPONSE_INIT, HTTP_RESPONSE_INIT };
	struct http_request requests[2] = { { .method = "GET" }, { .method = "GET" } };
	struct seen seen = { .enough = 1 };
	int64_t start = clock_ms();

	(void)state;
	loopback_start(&slow, loopback_answer, hanging);
	loopback_start(&fast, loopback_answer, ok_answers);
	requests[0].url = slow.url;
	requests[1].url = fast.url;
	check_number("all", http_perform_all(http, requests, 2, responses, note, &seen, &err), 0);
	check_number("told", (long long)seen.count, 1);
	check_number("of", (long long)seen.indexes[0], 1);
	check_number("fast", responses[1].done, true);
	check_number("slow", responses[0].done, false);
	check_text("slow", responses[0].failure, NULL);
	check_number("lasts too long", clock_ms() - start > 3000, 0);
	for (size_t i = 0; i < 2; i++)
		http_response_release(&responses[i]);
}

static void test_all_are_told_of(void **state)
{
	CLEANUP(loopback_stop) struct loopback server = { 0 };
	CLEANUP(http_cleanup) struct http *http = open_http();
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(mem_cleanup) char *closed = NULL;
	struct http_response responses[2] = { HTTP_RESPONSE_INIT, HTTP_RESPONSE_INIT };
	struct http_request requests[2] = { { .method = "GET" }, { .method = "GET" } };
	struct seen seen = { .enough = 9 };

	(void)state;
	loopback_start(&server, loopback_answer, ok_answers);
	closed = mem_printf("http://127.0.0.1:%d/", loopback_closed_port());
	requests[0].url = closed;
	requests[1].url = server.url;
	check_number("all", http_perform_all(http, requests, 2, responses, note, &seen, &err), 0);
	check_number("told", (long long)seen.count, 2);
	check_number("closed", responses[0].done, false);
	check_number("closed", responses[0].failure_kind, ERR_CONNECT);
	check_number("server", responses[1].done, true);
	for (size_t i = 0; i < 2; i++)
		http_response_release(&responses[i]);
}

/* Last of all: the signals stay caught from here on. */
static void test_signal_ends_the_wait(void **state)
{
	CLEANUP(loopback_stop) struct loopback server = { 0 };
	CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;
	int64_t start = clock_ms();
	pid_t self = getpid(), child;

	(void)state;
	loopback_start(&server, loopback_answer, hanging);
	interrupt_install();
	child = fork();
	if (child == 0) {
		usleep(200000);
		kill(self, SIGTERM);
		_exit(0);
	}
	check_number("ask", ask(&server, (struct http_request){ 0 }, &response, &err), -1);
	check_number("kind", err.kind, ERR_INTERRUPTED);
	check_number("signal", err.signal, SIGTERM);
	check_number("the request was sent", server.log->count, 1);
	check_number("lasts too long", clock_ms() - start > 3000, 0);
	waitpid(child, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_request_as_received),
		UNIT_TEST(test_methods),
		UNIT_TEST(test_large_body_is_sent_at_once),
		UNIT_TEST(test_netrc_is_not_read),
		UNIT_TEST(test_http_takes_no_proxy),
		UNIT_TEST(test_https_goes_through_the_proxy_unless_direct),
		UNIT_TEST(test_header_with_a_line_break_is_refused),
		UNIT_TEST(test_answers),
		UNIT_TEST(test_no_answer),
		UNIT_TEST(test_ceiling_is_the_largest_answer),
		UNIT_TEST(test_nobody_there),
		UNIT_TEST(test_proxy_that_is_not_there_is_named),
		UNIT_TEST(test_family),
		UNIT_TEST(test_connection_is_kept),
		UNIT_TEST(test_rest_is_dropped_when_one_was_enough),
		UNIT_TEST(test_all_are_told_of),
		UNIT_TEST(test_signal_ends_the_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
