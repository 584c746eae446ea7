#include "loopback.h"

#include "aws/call_internal.h"
#include "base/clock.h"
#include "base/interrupt.h"

#include <time.h>

#define SECRET_KEY "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define SESSION_TOKEN "AQoDYXdzEPT//////////wEXAMPLE+token=="

#define CLOSE "Connection: close\r\n\r\n"
#define OK_ANSWER                                                                                  \
	"HTTP/1.1 200 OK\r\n" CLOSE "<DescribeXResponse xmlns=\"http://ec2.amazonaws.com/doc/"     \
	"2016-11-15/\"><requestId>4f-1</requestId><a>b</a></DescribeXResponse>"
#define EC2_ERROR(code, message)                                                                   \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>" code         \
	"</Code><Message>" message "</Message></Error></Errors><RequestID>4f-2</RequestID>"        \
	"</Response>"
#define ANSWER(status, body) "HTTP/1.1 " status " X\r\n" CLOSE body

static struct strbuf warnings = STRBUF_INIT, traces = STRBUF_INIT;

static void keep_warning(const char *line)
{
	strbuf_addf(&warnings, "%s\n", line);
}

static void keep_trace(const char *line)
{
	strbuf_addf(&traces, "%s\n", line);
}

/* What a test has: a server, the access to it, one call's outcome. */
struct fixture {
	struct loopback server;
	struct env env;
	struct aws *aws;
	struct aws_reply reply;
	struct err err;
};

static void fixture_release(struct fixture *fixture)
{
	loopback_stop(&fixture->server);
	aws_cleanup(&fixture->aws);
	aws_reply_release(&fixture->reply);
	err_release(&fixture->err);
	env_release(&fixture->env);
	strbuf_reset(&warnings);
	strbuf_reset(&traces);
}

static void start(struct fixture *fixture, const char *const *answers, double timeout)
{
	loopback_start(&fixture->server, loopback_answer, answers);
	setenv("AWS_ENDPOINT_URL", fixture->server.url, 1);
	setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
	setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY, 1);
	setenv("AWS_SESSION_TOKEN", SESSION_TOKEN, 1);
	setenv("AWS_REGION", "eu-central-1", 1);
	setenv("AWS_CONFIG_FILE", "/dev/null", 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
	check_number("aws_open",
		aws_open(&(struct aws_options){ .env = &fixture->env,
				 .timeout_seconds = timeout,
				 .trace = keep_trace,
				 .warn = keep_warning },
			&fixture->aws, &fixture->err),
		0);
}

static int describe(struct fixture *fixture)
{
	CLEANUP(query_release) struct query query = QUERY_INIT;

	query_add(&query, "sg-1", "GroupId");
	return aws_call(fixture->aws,
		&(struct aws_request){ .service = "ec2", .action = "DescribeX", .query = &query },
		&fixture->reply, &fixture->err);
}

/* --- request and answer --------------------------------------------------------------------- */

static void test_request_as_received(void **state)
{
	static const char *const answers[] = { OK_ANSWER, NULL };
	CLEANUP(fixture_release) struct fixture fixture = { .env = ENV_INIT };
	CLEANUP(mem_cleanup) char *host = NULL;
	const char *received;

	(void)state;
	start(&fixture, answers, 0);
	check_number("call", describe(&fixture), 0);
	received = fixture.server.log->requests[0];
	host = mem_printf("\r\nHost: 127.0.0.1:%d\r\n", fixture.server.port);
	check_number(received, strncmp(received, "POST / HTTP/1.1\r\n", 17), 0);
	check_holds("host", received, host);
	check_holds("type", received,
		"\r\nContent-Type: application/x-www-form-urlencoded; charset=utf-8\r\n");
	check_holds("body", received, "\r\n\r\nAction=DescribeX&Version=2016-11-15&GroupId=sg-1");
	check_holds("token", received, "\r\nX-Amz-Security-Token: " SESSION_TOKEN "\r\n");
	check_holds("scope", received, "/eu-central-1/ec2/aws4_request");
	check_number("secret key", strstr(received, "wJalr") != NULL, 0);
	check_text("answer", xml_text(fixture.reply.document, "a"), "b");
	check_text("request id", fixture.reply.request_id, "4f-1");
	check_text("code", fixture.reply.code, NULL);
	check_number("status", fixture.reply.status, 200);
	check_text("error", fixture.err.message, NULL);
}

static void test_services(void **state)
{
	static const struct {
		const char *service, *version;
	} cases[] = { { "ec2", "2016-11-15" }, { "rds", "2014-10-31" }, { "sts", "2011-06-15" } };
	static const char *const answers[] = { OK_ANSWER, NULL };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(fixture_release) struct fixture fixture = { .env = ENV_INIT };
		CLEANUP(mem_cleanup) char *body = NULL;
		CLEANUP(mem_cleanup) char *scope = NULL;

		start(&fixture, answers, 0);
		check_number("call",
			aws_call(fixture.aws,
				&(struct aws_request){
					.service = cases[i].service, .action = "DescribeX" },
				&fixture.reply, &fixture.err),
			0);
		body = mem_printf("\r\n\r\nAction=DescribeX&Version=%s", cases[i].version);
		scope = mem_printf("/eu-central-1/%s/aws4_request", cases[i].service);
		check_holds(cases[i].service, fixture.server.log->requests[0], body);
		check_holds(cases[i].service, fixture.server.log->requests[0], scope);
	}
}

static void test_unsigned_call_needs_no_credentials(void **state)
{
	static const char *const answers[] = { OK_ANSWER, NULL };
	CLEANUP(fixture_release) struct fixture fixture = { .env = ENV_INIT };
	const char *received;

	(void)state;
	start(&fixture, answers, 0);
	unsetenv("AWS_ACCESS_KEY_ID");
	check_number("call",
		aws_call(fixture.aws,
			&(struct aws_request){
				.service = "sts", .action = "DescribeX", .is_unsigned = true },
			&fixture.reply, &fixture.err),
		0);
	received = fixture.server.log->requests[0];
	check_number("authorization", strstr(received, "Authorization") != NULL, 0);
	check_holds("type", received, "\r\nContent-Type: application/x-www-form-urlencoded");
}

static void test_errors(void **state)
{
	static const struct {
		const char *answer, *code, *message, *id, *text, *hint;
	} cases[] = {
		{ ANSWER("400", EC2_ERROR("InvalidGroup.NotFound", "The group does not exist.")),
			"InvalidGroup.NotFound", "The group does not exist.", "4f-2",
			"DescribeX failed: InvalidGroup.NotFound: The group does not exist "
			"(eu-central-1, request 4f-2)",
			NULL },
		{ ANSWER("404",
			  "<ErrorResponse "
			  "xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\"><Error>"
			  "<Type>Sender</Type><Code>DBInstanceNotFound</Code><Message>DBInstance x "
			  "not found.</Message></Error><RequestId>9a</RequestId></ErrorResponse>"),
			"DBInstanceNotFound", "DBInstance x not found.", "9a",
			"DescribeX failed: DBInstanceNotFound: DBInstance x not found "
			"(eu-central-1, request 9a)",
			NULL },
		{ ANSWER("401",
			  "<ErrorResponse><Errors><Error><Code>AuthFailure</Code><Message>AWS was "
			  "not able to validate</Message></Error></Errors></ErrorResponse>"),
			"AuthFailure", "AWS was not able to validate", NULL,
			"DescribeX failed: AuthFailure: AWS was not able to validate "
			"(eu-central-1)",
			"Check that the secret key belongs to the access key, that the key is "
			"active, and this machine's clock." },
		{ "HTTP/1.1 400 X\r\nx-amzn-requestid: 7c\r\n" CLOSE
		  "{\"__type\":\"com.amazonaws.x#ExpiredTokenException\",\"message\":\"old\"}",
			"ExpiredTokenException", "old", "7c",
			"DescribeX failed: ExpiredTokenException: old (eu-central-1, request 7c)",
			"Get new credentials (of IAM Identity Center: aws sso login) and run the "
			"command again." },
		{ ANSWER("403", EC2_ERROR("UnauthorizedOperation",
					"You are not authorized to perform this operation. Encoded "
					"authorization failure message: bOqrm7-Zq")),
			"UnauthorizedOperation",
			"You are not authorized to perform this operation.", "4f-2",
			"DescribeX failed: UnauthorizedOperation: You are not authorized to "
			"perform this operation (eu-central-1, request 4f-2)",
			"Add the permission \"ec2:DescribeX\" to the IAM user or role of these "
			"credentials." },
		{ ANSWER("403",
			  EC2_ERROR("SignatureDoesNotMatch",
				  "It does not match.\n\nThe Canonical String for this request "
				  "should have "
				  "been\n'POST\n/\n\nx-amz-security-token:" SESSION_TOKEN "'")),
			"SignatureDoesNotMatch", "It does not match.", "4f-2",
			"DescribeX failed: SignatureDoesNotMatch: It does not match "
			"(eu-central-1, request 4f-2)",
			"Check that the secret key belongs to the access key, that the key is "
			"active, and this machine's clock." },
		{ ANSWER("400", EC2_ERROR("X", "token " SESSION_TOKEN " and " SECRET_KEY)), "X",
			"token", "4f-2", "DescribeX failed: X: token (eu-central-1, request 4f-2)",
			NULL },
		{ ANSWER("400", EC2_ERROR("X", "")), "X", "", "4f-2",
			"DescribeX failed: X (eu-central-1, request 4f-2)", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *answers[] = { cases[i].answer, NULL };
		CLEANUP(fixture_release) struct fixture fixture = { .env = ENV_INIT };

		start(&fixture, answers, 0);
		check_number(cases[i].code, describe(&fixture), -1);
		check_err(cases[i].code, &fixture.err, ERR_FAILED, cases[i].text);
		check_text(cases[i].code, fixture.err.hint, cases[i].hint);
		check_text(cases[i].code, fixture.reply.code, cases[i].code);
		check_text(cases[i].code, fixture.reply.message, cases[i].message);
		check_text(cases[i].code, fixture.reply.request_id, cases[i].id);
		check_number("document", fixture.reply.document != NULL, 0);
		check_number("attempts", fixture.server.log->count, 1);
	}
}

/* A password that AWS quotes is cut out, decoded as it was before it was sent. */
static void test_password_in_a_message_is_cut(void **state)
{
	static const char *const answers[] = {
		ANSWER("400", EC2_ERROR("InvalidParameterValue", "The value p@ss/w rd is bad")),
		NULL
	};
	CLEANUP(fixture_release) struct fixture fixture = { .env = ENV_INIT };
	CLEANUP(query_release) struct query query = QUERY_INIT;

	(void)state;
	start(&fixture, answers, 0);
	query_add(&query, "p@ss/w rd", "MasterUserPassword");
	query_add(&query, "x", "Y");
	check_number("call",
		aws_call(fixture.aws,
			&(struct aws_request){
				.service = "rds", .action = "ModifyX", .query = &query },
			&fixture.reply, &fixture.err),
		-1);
	check_err("cut", &fixture.err, ERR_FAILED,
		"ModifyX failed: InvalidParameterValue: The value (eu-central-1, request 4f-2)");
}

static void test_what_is_not_from_aws(void **state)
{
	static const struct {
		const char *answer, *text; /* %s: the host */
	} cases[] = {
		{ ANSWER("200", "<!DOCTYPE html><html></html>"),
			"DescribeX failed: what \"%s\" answered is not from AWS: it has a "
			"DOCTYPE" },
		{ ANSWER("200", "<html><body>Sign in</body></html>"),
			"DescribeX failed: what \"%s\" answered is not from AWS: its root element "
			"is another" },
		{ ANSWER("200", "<DescribeYResponse/>"),
			"DescribeX failed: what \"%s\" answered is not from AWS: its root element "
			"is another" },
		{ ANSWER("200", ""),
			"DescribeX failed: what \"%s\" answered is not from AWS: it is empty" },
		{ "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n" CLOSE,
			"DescribeX failed: \"%s\" answered with a redirect (status 302), which is "
			"not followed" },
		{ ANSWER("404", "<html/>"), "DescribeX failed: \"%s\" answered with status 404" },
		{ ANSWER("429", ""), "DescribeX failed: \"%s\" answered with status 429" },
		{ ANSWER("201", "<DescribeXResponse/>"),
			"DescribeX failed: \"%s\" answered with status 201" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *answers[] = { cases[i].answer, NULL };
		CLEANUP(fixture_release) struct fixture fixture = { .env = ENV_INIT };
		CLEANUP(mem_cleanup) char *host = NULL;
		CLEANUP(mem_cleanup) char *text = NULL;

		start(&fixture, answers, 0);
		host = mem_printf("127.0.0.1:%d", fixture.server.port);
		text = mem_printf(cases[i].text, host);
		check_number(cases[i].answer, describe(&fixture), -1);
		check_err(cases[i].answer, &fixture.err, ERR_FAILED, text);
		check_text(cases[i].answer, fixture.reply.code, NULL);
		check_number("document", fixture.reply.document != NULL, 0);
		check_number("attempts", fixture.server.log->count, 1);
	}
}

/* --- attempts ------------------------------------------------------------------------------- */

static void test_which_failures_may_pass(void **state)
{
	static const struct {
		long status;
		const char *code;
		bool may_pass;
	} cases[] = {
		{ 500, NULL, true },
		{ 502, NULL, true },
		{ 503, NULL, true },
		{ 504, NULL, true },
		{ 501, NULL, false },
		{ 505, NULL, false },
		{ 429, NULL, false },
		{ 404, NULL, false },
		{ 302, NULL, false },
		{ 200, NULL, false },
		{ 503, "RequestLimitExceeded", true },
		{ 500, "AuthFailure", true },
		{ 400, "Throttling", true },
		{ 400, "ThrottlingException", true },
		{ 400, "ThrottledException", true },
		{ 400, "RequestThrottled", true },
		{ 400, "RequestThrottledException", true },
		{ 400, "TooManyRequestsException", true },
		{ 400, "RequestLimitExceeded", true },
		{ 400, "BandwidthLimitExceeded", true },
		{ 400, "LimitExceededException", true },
		{ 400, "SlowDown", true },
		{ 400, "PriorRequestNotComplete", true },
		{ 400, "EC2ThrottledException", true },
		{ 400, "ProvisionedThroughputExceededException", true },
		{ 400, "TransactionInProgressException", true },
		{ 400, "RequestTimeout", true },
		{ 400, "RequestTimeoutException", true },
		{ 400, "IDPCommunicationError", true },
		{ 400, "AuthFailure", false },
		{ 400, "RequestExpired", false },
		{ 403, "UnauthorizedOperation", false },
		{ 403, "SignatureDoesNotMatch", false },
		{ 403, "RequestTimeTooSkewed", false },
		{ 400, "InvalidPermission.Duplicate", false },
		{ 400, "InvalidGroup.NotFound", false },
		{ 412, "DryRunOperation", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(mem_cleanup) char *code = mem_strdup(cases[i].code);
		CLEANUP(mem_cleanup)
		char *label = mem_printf("%ld %s", cases[i].status, code ? code : "");
		struct aws_reply reply = { .status = cases[i].status, .code = code };

		check_number(label, call_may_pass(&reply), cases[i].may_pass);
	}
}

static void test_what_passes_is_tried_again(void **state)
{
	static const struct {
		const char *label, *answers[4], *attempts; /* AWS_MAX_ATTEMPTS */
		int result, count;
		enum err_kind kind;
	} cases[] = {
		{ "503, then fine", { ANSWER("503", ""), OK_ANSWER }, NULL, 0, 2, ERR_NONE },
		{ "reset, then fine", { LOOPBACK_RESET, OK_ANSWER }, "2", 0, 2, ERR_NONE },
		{ "throttled", { ANSWER("400", EC2_ERROR("Throttling", "Slow")) }, "2", -1, 2,
			ERR_FAILED },
		{ "500 for ever", { ANSWER("500", "") }, NULL, -1, 3, ERR_FAILED },
		{ "one attempt", { LOOPBACK_CLOSE }, "1", -1, 1, ERR_CONNECT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(fixture_release) struct fixture fixture = { .env = ENV_INIT };
		int connections;

		setenv("AWS_MAX_ATTEMPTS", cases[i].attempts ? cases[i].attempts : "", 1);
		start(&fixture, cases[i].answers, 0);
		check_number(cases[i].label, describe(&fixture), cases[i].result);
		check_number(cases[i].label, fixture.err.kind, cases[i].kind);
		check_number(cases[i].label, fixture.server.log->count, cases[i].count);
		connections = fixture.server.log->connections;
		check_number(cases[i].label, connections, cases[i].count);
		if (cases[i].result == 0)
			check_text(cases[i].label, fixture.err.detail, NULL);
		else if (cases[i].count > 1)
			check_holds(cases[i].label, fixture.err.detail, "Tried ");
	}
}

static void test_number_of_attempts_that_is_none(void **state)
{
	static const char *const values[] = { "0", "-1", "x", "3x", "1000", "2.5" };
	static const char *const answers[] = { OK_ANSWER, NULL };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		CLEANUP(fixture_release) struct fixture fixture = { .env = ENV_INIT };

		setenv("AWS_MAX_ATTEMPTS", values[i], 1);
		start(&fixture, answers, 0);
		check_number(values[i], describe(&fixture), -1);
		check_number(values[i], fixture.err.kind, ERR_USAGE);
		check_holds(values[i], fixture.err.message, values[i]);
		check_number("requests", fixture.server.log->count, 0);
	}
}

static void test_time_runs_out(void **state)
{
	static const char *const answers[] = { LOOPBACK_HANG, NULL };
	CLEANUP(fixture_release) struct fixture fixture = { .env = ENV_INIT };
	CLEANUP(mem_cleanup) char *text = NULL;
	int64_t begin = clock_ms();

	(void)state;
	start(&fixture, answers, 0.5);
	check_number("call", describe(&fixture), -1);
	text = mem_printf(
		"DescribeX failed: no answer from \"127.0.0.1:%d\" within ", fixture.server.port);
	check_number("kind", fixture.err.kind, ERR_CONNECT);
	check_holds("message", fixture.err.message, text);
	check_number("lasts too long", clock_ms() - begin > 2000, 0);
	check_number("attempts", fixture.server.log->count, 1);
	check_text("no time for another", fixture.err.detail, NULL);
}

static void test_nobody_there(void **state)
{
	static const char *const answers[] = { OK_ANSWER, NULL };
	CLEANUP(fixture_release) struct fixture fixture = { .env = ENV_INIT };
	CLEANUP(mem_cleanup) char *url = NULL;
	CLEANUP(mem_cleanup) char *text = NULL;
	int port = loopback_closed_port();

	(void)state;
	start(&fixture, answers, 0);
	url = mem_printf("http://127.0.0.1:%d", port);
	text = mem_printf("DescribeX failed: could not connect to \"127.0.0.1:%d\": connection "
			  "refused",
		port);
	setenv("AWS_ENDPOINT_URL", url, 1);
	setenv("AWS_MAX_ATTEMPTS", "2", 1);
	check_number("call", describe(&fixture), -1);
	check_err("refused", &fixture.err, ERR_CONNECT, text);
	check_holds("detail", fixture.err.detail, "Tried 2 times");
}

static void test_trace_tells_of_each_request_without_secrets(void **state)
{
	static const char *const answers[] = { ANSWER("503", EC2_ERROR("SlowDown", "Slow")),
		OK_ANSWER, NULL };
	CLEANUP(fixture_release) struct fixture fixture = { .env = ENV_INIT };
	CLEANUP(mem_cleanup) char *expected = NULL;

	(void)state;
	start(&fixture, answers, 0);
	check_number("call", describe(&fixture), 0);
	expected = mem_printf("POST 127.0.0.1:%d DescribeX: status 503 SlowDown, request 4f-2 "
			      "(attempt 1)\nPOST 127.0.0.1:%d DescribeX: status 200, request 4f-1 "
			      "(attempt 2)\n",
		fixture.server.port, fixture.server.port);
	check_text("trace", traces.data, expected);
}

/* --- the clock ------------------------------------------------------------------------------ */

/* An answer of a server whose clock is ahead by that much; the caller owns it. */
static char *answer_at(int ahead, const char *code)
{
	time_t now = time(NULL) + ahead;
	struct tm parts;
	char date[64];

	gmtime_r(&now, &parts);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &parts);
	return mem_printf("HTTP/1.1 400 X\r\nDate: %s\r\n" CLOSE
			  "<Response><Errors><Error><Code>%s</Code><Message>m</Message></Error>"
			  "</Errors></Response>",
		date, code);
}

/* When the Nth request says it was signed, in seconds from now. */
static long signed_at(const struct loopback *server, int request)
{
	const char *text = strcasestr(server->log->requests[request], "\r\nX-Amz-Date: ");
	struct tm parts = { 0 };

	if (!text || !strptime(text + strlen("\r\nX-Amz-Date: "), "%Y%m%dT%H%M%SZ", &parts))
		return -1;
	return (long)(timegm(&parts) - time(NULL));
}

static void test_clock_is_set_right_once(void **state)
{
	static const struct {
		const char *code;
		int ahead;
		const char *warning; /* NULL: not corrected */
	} cases[] = {
		{ "RequestTimeTooSkewed", 1020, "this machine's clock is 17 min behind AWS's\n" },
		{ "RequestExpired", -1020, "this machine's clock is 17 min ahead of AWS's\n" },
		{ "SignatureDoesNotMatch", 86400, "this machine's clock is 24 h behind AWS's\n" },
		{ "RequestExpired", -864000, "this machine's clock is 10 days ahead of AWS's\n" },
		{ "AuthFailure", 300, "this machine's clock is 5 min behind AWS's\n" },
		{ "AuthFailure", 230, NULL },
		{ "InvalidGroup.NotFound", 1020, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(fixture_release) struct fixture fixture = { .env = ENV_INIT };
		CLEANUP(mem_cleanup) char *answer = answer_at(cases[i].ahead, cases[i].code);
		const char *answers[] = { answer, OK_ANSWER, NULL };

		start(&fixture, answers, 0);
		check_number(cases[i].code, describe(&fixture), cases[i].warning ? 0 : -1);
		check_number(cases[i].code, fixture.server.log->count, cases[i].warning ? 2 : 1);
		check_text(cases[i].code, warnings.data, cases[i].warning ? cases[i].warning : "");
		check_number("the first", labs(signed_at(&fixture.server, 0)) <= 5, 1);
		if (!cases[i].warning)
			continue;
		check_number(
			"the second", labs(signed_at(&fixture.server, 1) - cases[i].ahead) <= 5, 1);
		check_number("from now on",
			labs((long)(aws_now(fixture.aws) - time(NULL)) - cases[i].ahead) <= 5, 1);
		check_text("error", fixture.err.message, NULL);
	}
}

static void test_clock_that_stays_wrong_is_given_up(void **state)
{
	CLEANUP(fixture_release) struct fixture fixture = { .env = ENV_INIT };
	CLEANUP(mem_cleanup) char *first = answer_at(1000, "RequestExpired");
	CLEANUP(mem_cleanup) char *second = answer_at(5000, "RequestExpired");
	const char *answers[] = { first, second, NULL };

	(void)state;
	start(&fixture, answers, 0);
	check_number("call", describe(&fixture), -1);
	check_number("requests", fixture.server.log->count, 2);
	check_text("code", fixture.reply.code, "RequestExpired");
}

/* Last of all: the signals stay caught from here on. */
static void test_signal_ends_the_pause(void **state)
{
	static const char *const answers[] = { ANSWER("503", ""), LOOPBACK_HANG, NULL };
	CLEANUP(fixture_release) struct fixture fixture = { .env = ENV_INIT };
	int64_t begin = clock_ms();
	pid_t self = getpid(), child;

	(void)state;
	start(&fixture, answers, 0);
	interrupt_install();
	child = fork();
	if (child == 0) {
		while (fixture.server.log->count == 0)
			usleep(1000);
		kill(self, SIGTERM);
		_exit(0);
	}
	check_number("call", describe(&fixture), -1);
	check_number("kind", fixture.err.kind, ERR_INTERRUPTED);
	check_number("attempts", fixture.server.log->count, 1);
	check_number("lasts too long", clock_ms() - begin > 5000, 0);
	waitpid(child, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_request_as_received),
		UNIT_TEST(test_services),
		UNIT_TEST(test_unsigned_call_needs_no_credentials),
		UNIT_TEST(test_errors),
		UNIT_TEST(test_password_in_a_message_is_cut),
		UNIT_TEST(test_what_is_not_from_aws),
		UNIT_TEST(test_which_failures_may_pass),
		UNIT_TEST(test_what_passes_is_tried_again),
		UNIT_TEST(test_number_of_attempts_that_is_none),
		UNIT_TEST(test_time_runs_out),
		UNIT_TEST(test_nobody_there),
		UNIT_TEST(test_trace_tells_of_each_request_without_secrets),
		UNIT_TEST(test_clock_is_set_right_once),
		UNIT_TEST(test_clock_that_stays_wrong_is_given_up),
		UNIT_TEST(test_signal_ends_the_pause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
