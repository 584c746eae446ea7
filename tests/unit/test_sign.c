#include "unit.h"

#include "aws/sign.h"
#include "base/mem.h"

#define EC2_HOST "ec2.us-east-1.amazonaws.com"
#define EC2_TYPE "application/x-www-form-urlencoded; charset=utf-8"
#define EC2_BODY                                                                                   \
	"Action=DescribeSecurityGroupRules&Version=2016-11-15&SecurityGroupRuleId.1="              \
	"sgr-0123456789abcdef0"
#define POST_TOKEN "AQoDYXdzEPT//////////wEXAMPLE+token=="

#define RDS_HOST "mydb.123456789012.us-east-1.rds.amazonaws.com"
#define RDS_TOKEN "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWL+bpxKA=="
#define RDS_QUERY(user, rest)                                                                      \
	"/?Action=connect&DBUser=" user                                                            \
	"&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1"    \
	"%2Frds-db%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=900" rest
#define NO_TOKEN "&X-Amz-SignedHeaders=host&X-Amz-Signature="

/* Sunday, 30 August 2015, 12:36:00 UTC */
static const struct sign_scope ec2_scope = { "us-east-1", "ec2", 1440938160 };

static void fill(struct credentials *credentials, const char *token)
{
	static const char key[] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

	credentials->access_key = mem_strdup("AKIDEXAMPLE");
	secret_set(&credentials->secret_key, key, strlen(key));
	if (token)
		secret_set(&credentials->session_token, token, strlen(token));
}

/* The expected signatures are botocore's. */
static const struct {
	const char *label;
	const char *session_token;
	struct sign_request request;
	const char *lines[5];
} posts[] = {
	{ "without a session token", NULL,
		{ EC2_HOST, EC2_TYPE, NULL, EC2_BODY, sizeof(EC2_BODY) - 1 },
		{ "Content-Type: " EC2_TYPE, "X-Amz-Date: 20150830T123600Z",
			"Authorization: AWS4-HMAC-SHA256 "
			"Credential=AKIDEXAMPLE/20150830/us-east-1/ec2/aws4_request, "
			"SignedHeaders=content-type;host;x-amz-date, "
			"Signature="
			"f08434b01803430d1189fe3428d88dcdb6d19823a1dad9fb095efe496ce2ccbd" } },
	{ "with a session token", POST_TOKEN,
		{ EC2_HOST, EC2_TYPE, NULL, EC2_BODY, sizeof(EC2_BODY) - 1 },
		{ "Content-Type: " EC2_TYPE, "X-Amz-Date: 20150830T123600Z",
			"X-Amz-Security-Token: " POST_TOKEN,
			"Authorization: AWS4-HMAC-SHA256 "
			"Credential=AKIDEXAMPLE/20150830/us-east-1/ec2/aws4_request, "
			"SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, "
			"Signature="
			"befa153a5c36777a654ce1d20da8fe1686b7c9101d99804e7e800fd17d0c2385" } },
	{ "with a target", POST_TOKEN,
		{ EC2_HOST ":8443", "application/x-amz-json-1.1", "AmazonSSM.GetParameter", "{}",
			2 },
		{ "Content-Type: application/x-amz-json-1.1", "X-Amz-Date: 20150830T123600Z",
			"X-Amz-Security-Token: " POST_TOKEN, "X-Amz-Target: AmazonSSM.GetParameter",
			"Authorization: AWS4-HMAC-SHA256 "
			"Credential=AKIDEXAMPLE/20150830/us-east-1/ec2/aws4_request, "
			"SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-"
			"target, "
			"Signature="
			"86396702d8fe178a0c5a69d87b3bd846560c96c41ab75e0161cc0b88f4286139" } },
	{ "without a body", NULL, { EC2_HOST, EC2_TYPE, NULL, NULL, 0 },
		{ "Content-Type: " EC2_TYPE, "X-Amz-Date: 20150830T123600Z",
			"Authorization: AWS4-HMAC-SHA256 "
			"Credential=AKIDEXAMPLE/20150830/us-east-1/ec2/aws4_request, "
			"SignedHeaders=content-type;host;x-amz-date, "
			"Signature="
			"1f1ef3b4c6d7d28cc6daa8ad74dbb36e307042f398efec1d015e1991f978e759" } },
};

static void test_posts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(posts); i++) {
		CLEANUP(credentials_release) struct credentials credentials = CREDENTIALS_INIT;
		CLEANUP(strlist_release) struct strlist headers = STRLIST_INIT;
		size_t count = 0;

		fill(&credentials, posts[i].session_token);
		sign_post(&credentials, &ec2_scope, &posts[i].request, &headers);
		for (; count < ARRAY_SIZE(posts[i].lines) && posts[i].lines[count]; count++)
			check_text(posts[i].label,
				count < headers.count ? headers.items[count] : NULL,
				posts[i].lines[count]);
		check_number(posts[i].label, (long long)headers.count, (long long)count);
	}
}

static void test_headers_are_added_behind_those_there(void **state)
{
	CLEANUP(credentials_release) struct credentials credentials = CREDENTIALS_INIT;
	CLEANUP(strlist_release) struct strlist headers = STRLIST_INIT;

	(void)state;
	fill(&credentials, NULL);
	strlist_add(&headers, "Accept: text/xml");
	sign_post(&credentials, &ec2_scope, &posts[0].request, &headers);
	check_text("first", headers.items[0], "Accept: text/xml");
	check_text("second", headers.items[1], posts[0].lines[0]);
	check_text("last", headers.items[3], posts[0].lines[2]);
}

/* AWS makes one blank of several and drops those around a value before it checks. */
static void test_blanks_in_header_values(void **state)
{
	CLEANUP(credentials_release) struct credentials credentials = CREDENTIALS_INIT;
	CLEANUP(strlist_release) struct strlist headers = STRLIST_INIT;
	struct sign_request request = posts[0].request;

	(void)state;
	fill(&credentials, NULL);
	request.content_type = "  application/x-www-form-urlencoded; \t charset=utf-8\t ";
	sign_post(&credentials, &ec2_scope, &request, &headers);
	check_text("authorization", headers.items[2], posts[0].lines[2]);
}

static void test_body_of_any_bytes(void **state)
{
	CLEANUP(credentials_release) struct credentials credentials = CREDENTIALS_INIT;
	CLEANUP(strlist_release) struct strlist headers = STRLIST_INIT;
	struct sign_request request = { EC2_HOST, EC2_TYPE, NULL, "a\0b", 3 };

	(void)state;
	fill(&credentials, NULL);
	sign_post(&credentials, &ec2_scope, &request, &headers);
	check_text("authorization", strstr(headers.items[2], "Signature="),
		"Signature=70b8b1dd64b3dc61faccc65659fc5d1843bffba726e6db6c6fcab8b52bce48d0");
}

static const struct {
	const char *label;
	const char *session_token;
	const char *host;
	int port;
	const char *user;
	const char *token;
} tokens[] = {
	{ "without a session token", NULL, RDS_HOST, 5432, "jane_doe",
		RDS_HOST
		":5432" RDS_QUERY("jane_doe", NO_TOKEN) "afc7166ff652dbab5148d09b8ce95fd7722824b4f3"
							"fbfaeb85d1b2616e805045" },
	{ "with a session token", RDS_TOKEN, RDS_HOST, 5432, "jane_doe",
		RDS_HOST ":5432" RDS_QUERY("jane_doe",
			"&X-Amz-Security-Token=AQoDYXdzEPT%2F%2F%2F%2F%2F%2F%2F%2F%2F%"
			"2FwEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWL%2BbpxKA%3D%"
			"3D" NO_TOKEN) "efe98b72a3df5beaf1544d7c24f5d8bef348311d2d7dec8"
				       "886f92bf050310c2e" },
	{ "on port 443", NULL, RDS_HOST, 443, "jane_doe",
		RDS_HOST ":443" RDS_QUERY("jane_doe", NO_TOKEN) "4913acc53e4754e894e82698b2b195fcc5"
								"c7d28b8c8fae0f3dbeb952298cd957" },
	{ "a user that needs encoding", NULL, RDS_HOST, 5432, "J\xc3\xa4n d@e/+%~.-_",
		RDS_HOST ":5432" RDS_QUERY("J%C3%A4n%20d%40e%2F%2B%25~.-_",
			NO_TOKEN) "a77fb6a58bdc2e0b434c7df5cde84b57b24d562e71671d6473bf04876d0f44b"
				  "7" },
};

static void test_tokens(void **state)
{
	/* The service is rds-db whatever the scope is for. */
	const struct sign_scope scope = { "us-east-1", NULL, ec2_scope.now };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
		CLEANUP(credentials_release) struct credentials credentials = CREDENTIALS_INIT;
		CLEANUP(secret_release) struct secret token = SECRET_INIT;

		fill(&credentials, tokens[i].session_token);
		sign_rds_token(&credentials, &scope, tokens[i].host, tokens[i].port, tokens[i].user,
			&token);
		check_text(tokens[i].label, secret_reveal(&token), tokens[i].token);
		check_number(tokens[i].label, (long long)secret_length(&token),
			(long long)strlen(tokens[i].token));
	}
}

static void test_released_credentials_are_empty(void **state)
{
	struct credentials credentials = CREDENTIALS_INIT;

	(void)state;
	fill(&credentials, POST_TOKEN);
	credentials.source = mem_strdup("environment");
	credentials.expires = 1;
	credentials_release(&credentials);
	check_text("key", credentials.access_key, NULL);
	check_text("source", credentials.source, NULL);
	check_number("secret", secret_is_set(&credentials.secret_key), false);
	check_number("token", secret_is_set(&credentials.session_token), false);
	check_number("expires", credentials.expires, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_posts),
		UNIT_TEST(test_headers_are_added_behind_those_there),
		UNIT_TEST(test_blanks_in_header_values),
		UNIT_TEST(test_body_of_any_bytes),
		UNIT_TEST(test_tokens),
		UNIT_TEST(test_released_credentials_are_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
