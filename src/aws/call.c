#include "aws/call_internal.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONTENT_TYPE "application/x-www-form-urlencoded; charset=utf-8"
#define TIMEOUT_MS 45000
#define REQUEST_MS 15000
/* What is left to do after a signal, undoing, does not take longer. */
#define TIMEOUT_AFTER_SIGNAL_MS 15000
#define ATTEMPTS 3
#define DELAY_CEILING_SECONDS 20
/* With less time than that no attempt is begun: it would only say that it had no time. */
#define LEAST_MS 500
/* Signatures hold for five minutes. */
#define SKEW_SECONDS 240

enum outcome { DONE, FAILED, AGAIN, AGAIN_AT_ONCE };

static void call_release(struct call *call)
{
	mem_free(call->endpoint);
	mem_free(call->host);
	strbuf_release_secret(&call->body);
}

/* --- before --------------------------------------------------------------------------------- */

static const char *api_version(const char *service)
{
	static const struct {
		const char *service, *version;
	} versions[] = {
		{ "ec2", "2016-11-15" },
		{ "rds", "2014-10-31" },
		{ "sts", "2011-06-15" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
		if (strcmp(service, versions[i].service) == 0)
			return versions[i].version;
	BUG("a service without a version");
}

static void write_body(struct call *call)
{
	const struct aws_request *request = call->request;
	const struct query *query = request->query;

	strbuf_init(&call->body, STRBUF_DEFAULT_CEILING);
	strbuf_grow_secret(&call->body, 128 + (query ? query->body.length : 0));
	strbuf_addf(&call->body, "Action=%s&Version=%s", request->action,
		api_version(request->service));
	if (query && query->body.length) {
		strbuf_addc(&call->body, '&');
		strbuf_add(&call->body, query->body.data, query->body.length);
	}
}

static int read_attempts(struct aws *aws, int *ret_attempts, struct err *err)
{
	const char *text = aws_setting(aws, "AWS_MAX_ATTEMPTS", "max_attempts");
	size_t digits = text ? strspn(text, "0123456789") : 0;

	*ret_attempts = ATTEMPTS;
	if (!text)
		return 0;
	if (digits > 0 && digits <= 3 && text[digits] == '\0')
		*ret_attempts = (int)strtol(text, NULL, 10);
	else
		*ret_attempts = 0;
	if (*ret_attempts == 0)
		return err_set(err, ERR_USAGE,
			"\"%s\" (AWS_MAX_ATTEMPTS or max_attempts) is not a number from 1 to 999",
			text);
	return 0;
}

static int call_prepare(struct call *call, struct err *err)
{
	const struct aws_request *request = call->request;
	double seconds = aws_options(call->aws)->timeout_seconds;
	int64_t timeout = seconds > 0 ? (int64_t)(seconds * 1000) : TIMEOUT_MS;

	if (interrupt_seen() && timeout > TIMEOUT_AFTER_SIGNAL_MS)
		timeout = TIMEOUT_AFTER_SIGNAL_MS;
	if (!request->is_unsigned) {
		call->credentials = request->credentials;
		if (!call->credentials && aws_credentials(call->aws, &call->credentials, err) != 0)
			return -1;
	}
	if (aws_region(call->aws, &call->region, err) != 0 ||
		aws_endpoint(call->aws, request->service, call->region, &call->endpoint, err) != 0)
		return -1;
	call->host = http_host(call->endpoint);
	if (!call->host)
		BUG("an endpoint without a host");
	write_body(call);
	/* Finding the credentials may have taken its own time. */
	call->begin = clock_ms();
	call->deadline = call->begin + timeout;
	return 0;
}

/* --- an attempt ----------------------------------------------------------------------------- */

static void add_headers(const struct call *call, struct strlist *headers)
{
	strlist_addf(headers, "Host: %s", call->host);
	if (!call->credentials) {
		strlist_add(headers, "Content-Type: " CONTENT_TYPE);
		return;
	}
	sign_post(call->credentials,
		&(struct sign_scope){ .region = call->region,
			.service = call->request->service,
			.now = aws_now(call->aws) },
		&(struct sign_request){ .host = call->host,
			.content_type = CONTENT_TYPE,
			.body = call->body.data,
			.body_length = call->body.length },
		headers);
}

static void trace(const struct call *call, const struct http_response *response)
{
	void (*write)(const char *line) = aws_options(call->aws)->trace;
	CLEANUP(mem_cleanup) char *line = NULL;
	CLEANUP(mem_cleanup) char *end = NULL;

	if (!write)
		return;
	if (response->done)
		end = mem_printf("status %ld%s%s%s%s", response->status,
			call->reply->code ? " " : "", call->reply->code ? call->reply->code : "",
			call->reply->request_id ? ", request " : "",
			call->reply->request_id ? call->reply->request_id : "");
	else
		end = mem_strdup(response->failure ? response->failure : "no answer");
	line = mem_printf("POST %s %s: %s (attempt %d)", call->host, call->request->action, end,
		call->attempt);
	write(line);
}

/* "17 min", "5 h", "3 days"; the caller owns it. */
static char *rough_duration(long seconds)
{
	if (seconds < 7200)
		return mem_printf("%ld min", (seconds + 30) / 60);
	if (seconds < 172800)
		return mem_printf("%ld h", (seconds + 1800) / 3600);
	return mem_printf("%ld days", (seconds + 43200) / 86400);
}

/* Sets the clock right when that may have been the reason; false otherwise. */
static bool correct_clock(struct call *call, const struct http_response *response)
{
	void (*warn)(const char *line) = aws_options(call->aws)->warn;
	CLEANUP(mem_cleanup) char *line = NULL;
	CLEANUP(mem_cleanup) char *by = NULL;
	time_t server = http_date(response->date);
	long behind;

	if (call->clock_corrected || !call->credentials || server < 0 ||
		!call_may_be_clock(call->reply))
		return false;
	behind = (long)(server - aws_now(call->aws));
	if (labs(behind) <= SKEW_SECONDS)
		return false;
	call->clock_corrected = true;
	aws_set_clock(call->aws, server);
	by = rough_duration(labs(behind));
	line = mem_printf(
		"this machine's clock is %s %s AWS's", by, behind > 0 ? "behind" : "ahead of");
	if (warn)
		warn(line);
	return true;
}

/* The message of http_perform with the call's name before it. */
static void name_call(const struct call *call, struct err *err)
{
	CLEANUP(mem_cleanup) char *message = mem_strdup(err->message);

	if (err->kind != ERR_INTERRUPTED)
		err_set(err, err->kind, "%s failed: %s", call->request->action, message);
}

static enum outcome attempt(struct call *call, struct err *err)
{
	CLEANUP(strlist_release_secret) struct strlist headers = STRLIST_INIT;
	CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
	CLEANUP(mem_cleanup) char *url = mem_printf("%s/", call->endpoint);
	int64_t left = call->deadline - clock_ms();
	struct http_request request = { .method = "POST",
		.url = url,
		.headers = &headers,
		.body = call->body.data,
		.body_length = call->body.length,
		.fresh = call->request->counts_attempts,
		.ca_bundle = aws_ca_bundle(call->aws),
		.total_ms = left < 1            ? 1
			    : left < REQUEST_MS ? left
						: REQUEST_MS };

	aws_reply_release(call->reply);
	add_headers(call, &headers);
	if (http_perform(aws_http(call->aws), &request, &response, err) != 0) {
		name_call(call, err);
		if (err->kind == ERR_INTERRUPTED)
			return FAILED;
		trace(call, &response);
		return response.is_final || err->kind == ERR_USAGE ? FAILED : AGAIN;
	}
	if (call_read(call, &response, err) == 0) {
		trace(call, &response);
		return DONE;
	}
	trace(call, &response);
	if (correct_clock(call, &response))
		return AGAIN_AT_ONCE;
	return call_may_pass(call->reply) ? AGAIN : FAILED;
}

/* --- attempts ------------------------------------------------------------------------------- */

/* Full jitter: those that failed together do not come back together. */
static int64_t delay_ms(int attempt)
{
	int64_t ceiling = 1;
	uint16_t random = 0;

	for (int i = 1; i < attempt && ceiling < DELAY_CEILING_SECONDS; i++)
		ceiling *= 2;
	if (ceiling > DELAY_CEILING_SECONDS)
		ceiling = DELAY_CEILING_SECONDS;
	if (getentropy(&random, sizeof(random)) != 0)
		random = UINT16_MAX / 2;
	return ceiling * 1000 * random / UINT16_MAX;
}

/* Waits before the next attempt; -1, err kept, when there is no time for one. */
static int pause_before_next(const struct call *call, struct err *err)
{
	int64_t delay = delay_ms(call->attempt);

	if (clock_ms() + delay + LEAST_MS >= call->deadline)
		return -1;
	clock_sleep_ms(delay);
	return interrupt_check(err);
}

/* How often it was tried, and so long that what one attempt waited does not say it. */
static void tell_attempts(const struct call *call, struct err *err)
{
	int64_t ms = clock_ms() - call->begin;

	if (err->kind == ERR_INTERRUPTED || call->attempt == 1)
		return;
	if (ms < 1000)
		err_detail_line(err, "Tried %d times.", call->attempt);
	else
		err_detail_line(
			err, "Tried %d times within %.3g s.", call->attempt, (double)ms / 1000);
}

int aws_call(struct aws *aws, const struct aws_request *request, struct aws_reply *reply,
	struct err *err)
{
	CLEANUP(call_release)
	struct call call = { .aws = aws, .request = request, .reply = reply, .body = STRBUF_INIT };
	int attempts;

	aws_reply_release(reply);
	if (read_attempts(aws, &attempts, err) != 0 || call_prepare(&call, err) != 0)
		return -1;
	for (call.attempt = 1;;) {
		enum outcome outcome = attempt(&call, err);

		reply->attempts = call.attempt;
		switch (outcome) {
		case DONE:
			err_release(err); /* of an earlier attempt */
			return 0;
		case FAILED:
			return -1;
		case AGAIN_AT_ONCE:
			break;
		case AGAIN:
			if (call.attempt == attempts || pause_before_next(&call, err) != 0) {
				tell_attempts(&call, err);
				return -1;
			}
			call.attempt++;
			break;
		}
	}
}
