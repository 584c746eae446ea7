/* Profile, region, endpoints, and how long credentials are kept. */
#include "loopback.h"

#include "aws/aws.h"
#include "base/file.h"

#include <sys/stat.h>
#include <time.h>

static struct strbuf warnings = STRBUF_INIT;

static void keep_warning(const char *line)
{
	strbuf_addf(&warnings, "%s\n", line);
}

/* A directory with the two files, and the access that reads them. */
struct fixture {
	char directory[64];
	char *config, *credentials; /* paths */
	struct env env;
	struct aws *aws;
	struct err err;
};

static void write_file(const char *path, const char *text, mode_t mode)
{
	CLEANUP(file_cleanup) FILE *file = fopen(path, "w");

	if (!file || fputs(text, file) < 0 || fchmod(fileno(file), mode) != 0)
		BUG("could not write a file for the test");
}

static void prepare(struct fixture *fixture, const char *config, const char *credentials)
{
	*fixture = (struct fixture){ .directory = "/tmp/dbrig-unit-XXXXXX", .env = ENV_INIT };
	if (!mkdtemp(fixture->directory))
		BUG("no directory for the test");
	fixture->config = path_join(fixture->directory, "config");
	fixture->credentials = path_join(fixture->directory, "credentials");
	write_file(fixture->config, config, 0600);
	write_file(fixture->credentials, credentials, 0600);
	setenv("AWS_CONFIG_FILE", fixture->config, 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", fixture->credentials, 1);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	strbuf_reset(&warnings);
}

static int open_aws(struct fixture *fixture, const char *profile, const char *region)
{
	return aws_open(&(struct aws_options){ .env = &fixture->env,
				.profile = profile,
				.region = region,
				.warn = keep_warning },
		&fixture->aws, &fixture->err);
}

static void fixture_release(struct fixture *fixture)
{
	static const char *const names[] = { "config", "credentials", "count" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(mem_cleanup) char *path = path_join(fixture->directory, names[i]);

		unlink(path);
	}
	rmdir(fixture->directory);
	aws_cleanup(&fixture->aws);
	mem_free(fixture->config);
	mem_free(fixture->credentials);
	env_release(&fixture->env);
	err_release(&fixture->err);
}

/* --- profile and region --------------------------------------------------------------------- */

static const char profiles[] = "[default]\nregion = eu-west-1\n[profile a]\nregion = eu-west-2\n"
			       "[profile b]\n[profile bad]\nregion = eu-west-1.example.com/\n";

static void test_profile_and_region(void **state)
{
	static const struct {
		const char *option, *aws_profile, *default_profile;   /* profile */
		const char *region, *aws_region, *aws_default_region; /* region */
		const char *expected_profile, *expected_region, *message;
	} cases[] = {
		{ NULL, NULL, NULL, NULL, NULL, NULL, "default", "eu-west-1", NULL },
		{ NULL, "a", NULL, NULL, NULL, NULL, "a", "eu-west-2", NULL },
		{ NULL, NULL, "a", NULL, NULL, NULL, "a", "eu-west-2", NULL },
		{ NULL, "a", "b", NULL, NULL, NULL, "a", "eu-west-2", NULL },
		{ "a", "b", "b", NULL, NULL, NULL, "a", "eu-west-2", NULL },
		{ "a", NULL, NULL, NULL, NULL, "us-east-2", "a", "us-east-2", NULL },
		{ "a", NULL, NULL, NULL, "us-east-1", "us-east-2", "a", "us-east-1", NULL },
		{ "a", NULL, NULL, "ap-south-1", "us-east-1", NULL, "a", "ap-south-1", NULL },
		{ NULL, "bad", NULL, NULL, "us-east-1", NULL, "bad", "us-east-1", NULL },
		{ NULL, NULL, NULL, NULL, "", "us-east-2", "default", "us-east-2", NULL },
		{ "b", NULL, NULL, NULL, NULL, NULL, "b", NULL, "no AWS region is set" },
		{ "x", NULL, NULL, NULL, NULL, NULL, NULL, NULL,
			"profile \"x\" (--profile) is neither in \"" },
		{ NULL, "x", NULL, NULL, NULL, NULL, NULL, NULL,
			"profile \"x\" (AWS_PROFILE) is neither in \"" },
		{ NULL, "bad", NULL, NULL, NULL, NULL, NULL, NULL, "\"eu-west-1.example.com/\" (" },
		{ NULL, NULL, NULL, "eu", NULL, NULL, NULL, NULL,
			"\"eu\" (--region) is not the name of an AWS region" },
		{ NULL, NULL, NULL, NULL, "eu-west-1.x", NULL, NULL, NULL,
			"\"eu-west-1.x\" (AWS_REGION) is not the name of an AWS region" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(fixture_release) struct fixture fixture;
		CLEANUP(mem_cleanup) char *label = mem_printf("case %zu", i);
		const char *region = NULL;
		bool is_open;

		unsetenv("AWS_PROFILE");
		unsetenv("AWS_DEFAULT_PROFILE");
		unsetenv("AWS_REGION");
		unsetenv("AWS_DEFAULT_REGION");
		setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
		setenv("AWS_SECRET_ACCESS_KEY", "x", 1);
		if (cases[i].aws_profile)
			setenv("AWS_PROFILE", cases[i].aws_profile, 1);
		if (cases[i].default_profile)
			setenv("AWS_DEFAULT_PROFILE", cases[i].default_profile, 1);
		if (cases[i].aws_region)
			setenv("AWS_REGION", cases[i].aws_region, 1);
		if (cases[i].aws_default_region)
			setenv("AWS_DEFAULT_REGION", cases[i].aws_default_region, 1);
		prepare(&fixture, profiles, "[b]\naws_access_key_id=B\naws_secret_access_key=b\n");
		is_open = open_aws(&fixture, cases[i].option, cases[i].region) == 0;
		check_number(label, is_open, cases[i].expected_profile != NULL);
		if (is_open) {
			check_text(label, aws_profile(fixture.aws), cases[i].expected_profile);
			aws_region(fixture.aws, &region, &fixture.err);
		}
		check_text(label, region, cases[i].expected_region);
		check_number(label, fixture.err.kind, cases[i].message ? ERR_USAGE : ERR_NONE);
		check_holds(label, fixture.err.message, cases[i].message);
	}
}

#define METADATA(body) "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" body

/* Only an instance that uses its own role is taken to mean its own region. */
static void test_region_of_the_instance(void **state)
{
	static const struct {
		const char *key; /* in the environment */
		const char *answer, *region, *message;
	} cases[] = {
		{ NULL, "eu-north-1", "eu-north-1", NULL },
		{ NULL, "eu-north-1.example.com/", NULL,
			"\"eu-north-1.example.com/\" (EC2 instance metadata) is not the name of an "
			"AWS region" },
		{ "A", "eu-north-1", NULL, "no AWS region is set" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(mem_cleanup)
		char *region_answer = mem_printf(METADATA("%s"), cases[i].answer);
		const char *answers[] = { METADATA("token"), METADATA("role"),
			METADATA("{\"Code\":\"Success\",\"AccessKeyId\":\"A\","
				 "\"SecretAccessKey\":\"s\",\"Token\":\"t\","
				 "\"Expiration\":\"2099-01-01T00:00:00Z\"}"),
			METADATA("token"), region_answer, NULL };
		CLEANUP(fixture_release) struct fixture fixture;
		CLEANUP(loopback_stop) struct loopback server = { 0 };
		const char *region = NULL;

		setenv("AWS_ACCESS_KEY_ID", cases[i].key ? cases[i].key : "", 1);
		setenv("AWS_SECRET_ACCESS_KEY", cases[i].key ? cases[i].key : "", 1);
		prepare(&fixture, "", "");
		loopback_start(&server, loopback_answer, answers);
		setenv("AWS_EC2_METADATA_DISABLED", "", 1);
		setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url, 1);
		open_aws(&fixture, NULL, NULL);
		check_number(cases[i].answer, aws_region(fixture.aws, &region, &fixture.err),
			cases[i].region ? 0 : -1);
		check_text(cases[i].answer, region, cases[i].region);
		check_text(cases[i].answer, fixture.err.message, cases[i].message);
		check_number("requests", server.log->count, cases[i].key ? 0 : 5);
	}
}

static void test_names_of_regions(void **state)
{
	static const struct {
		const char *text;
		bool is_region;
	} cases[] = {
		{ "eu-central-1", true },
		{ "us-gov-west-1", true },
		{ "us-isob-east-1", true },
		{ "cn-northwest-1", true },
		{ "eusc-de-east-1", true },
		{ "ap-southeast-10", true },
		{ "", false },
		{ "eu", false },
		{ "eu-1", false },
		{ "eu-central", false },
		{ "eu-central-", false },
		{ "eu--central-1", false },
		{ "eu-central-1-", false },
		{ "eu-central-1a", false },
		{ "eu-central-1.x", false },
		{ "eu-central-1/", false },
		{ "eu-central-1\n", false },
		{ "eu-central-12345678", false },
		{ "EU-central-1", false },
		{ "abcd-central-1", false },
		{ "e-central-1", false },
		{ "aws-global", false },
		{ " eu-central-1", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_number(cases[i].text, aws_is_region(cases[i].text), cases[i].is_region);
}

/* --- endpoints ------------------------------------------------------------------------------ */

/* The hosts are those that botocore makes of the same. */
static void test_built_in_endpoints(void **state)
{
	static const struct {
		const char *service, *region;
		bool is_fips, is_dual;
		const char *url;
	} cases[] = {
		{ "ec2", "eu-central-1", false, false, "https://ec2.eu-central-1.amazonaws.com" },
		{ "rds", "us-east-1", false, false, "https://rds.us-east-1.amazonaws.com" },
		{ "sts", "us-east-1", false, false, "https://sts.us-east-1.amazonaws.com" },
		{ "ec2", "eu-central-1", true, false,
			"https://ec2-fips.eu-central-1.amazonaws.com" },
		{ "ec2", "eu-central-1", false, true, "https://ec2.eu-central-1.api.aws" },
		{ "rds", "eu-central-1", true, true, "https://rds-fips.eu-central-1.api.aws" },
		{ "rds", "cn-north-1", false, false, "https://rds.cn-north-1.amazonaws.com.cn" },
		{ "sts", "cn-north-1", false, true,
			"https://sts.cn-north-1.api.amazonwebservices.com.cn" },
		{ "rds", "us-gov-west-1", true, false, "https://rds.us-gov-west-1.amazonaws.com" },
		{ "rds", "us-gov-west-1", true, true, "https://rds-fips.us-gov-west-1.api.aws" },
		{ "ec2", "eusc-de-east-1", false, false,
			"https://ec2.eusc-de-east-1.amazonaws.eu" },
		{ "ec2", "us-iso-east-1", false, false, "https://ec2.us-iso-east-1.c2s.ic.gov" },
		{ "ec2", "us-isob-east-1", false, false,
			"https://ec2.us-isob-east-1.sc2s.sgov.gov" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(fixture_release) struct fixture fixture;
		CLEANUP(mem_cleanup) char *url = NULL;

		setenv("AWS_USE_FIPS_ENDPOINT", cases[i].is_fips ? "true" : "false", 1);
		setenv("AWS_USE_DUALSTACK_ENDPOINT", cases[i].is_dual ? "True" : "", 1);
		prepare(&fixture, "", "");
		open_aws(&fixture, NULL, NULL);
		check_number(cases[i].url,
			aws_endpoint(
				fixture.aws, cases[i].service, cases[i].region, &url, &fixture.err),
			0);
		check_text(cases[i].url, url, cases[i].url);
	}
}

#define SERVICES "[services s]\nec2 =\n  endpoint_url = https://section\n"

static void test_configured_endpoints(void **state)
{
	static const struct {
		const char *label, *config, *service_url, *url, *ignore, *expected;
	} cases[] = {
		{ "service", "", "https://one", "https://two", NULL, "https://one" },
		{ "all", "", NULL, "https://two", NULL, "https://two" },
		{ "a slash", "", NULL, "https://two/", NULL, "https://two" },
		{ "a port", "", NULL, "http://[::1]:5000/", NULL, "http://[::1]:5000" },
		{ "all before the profile",
			"[default]\nservices = s\nendpoint_url = https://profile\n" SERVICES, NULL,
			"https://two", NULL, "https://two" },
		{ "section", "[default]\nservices = s\nendpoint_url = https://profile\n" SERVICES,
			NULL, NULL, NULL, "https://section" },
		{ "profile", "[default]\nendpoint_url = https://profile\n" SERVICES, NULL, NULL,
			NULL, "https://profile" },
		{ "ignored", "[default]\nendpoint_url = https://profile\n", "https://one",
			"https://two", "true", "https://ec2.eu-central-1.amazonaws.com" },
		{ "ignored by the profile",
			"[default]\nignore_configured_endpoint_urls = true\n"
			"endpoint_url = https://profile\n",
			NULL, "https://two", NULL, "https://ec2.eu-central-1.amazonaws.com" },
		{ "not ignored", "", NULL, "https://two", "false", "https://two" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(fixture_release) struct fixture fixture;
		CLEANUP(mem_cleanup) char *url = NULL;

		setenv("AWS_ENDPOINT_URL_EC2", cases[i].service_url ? cases[i].service_url : "", 1);
		setenv("AWS_ENDPOINT_URL_RDS", "https://another", 1);
		setenv("AWS_ENDPOINT_URL", cases[i].url ? cases[i].url : "", 1);
		setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
			cases[i].ignore ? cases[i].ignore : "", 1);
		prepare(&fixture, cases[i].config, "");
		open_aws(&fixture, NULL, NULL);
		check_number(cases[i].label,
			aws_endpoint(fixture.aws, "ec2", "eu-central-1", &url, &fixture.err), 0);
		check_text(cases[i].label, url, cases[i].expected);
	}
}

static void test_refused_endpoints(void **state)
{
	static const struct {
		const char *url, *why;
	} cases[] = {
		{ "http://example.com", "http without TLS is only for addresses of this machine" },
		{ "http://169.254.169.254", "http without TLS is only for addresses of this "
					    "machine" },
		{ "https://u:Zq@example.com", "it holds a user name or a password" },
		{ "example.com", "it is not a URL" },
		{ "https://example.com/Zq", "it has a path or a query" },
		{ "https://example.com?Zq", "it has a path or a query" },
		{ "https://example.com#Zq", "it has a path or a query" },
		{ "https://example.com//", "it has a path or a query" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(fixture_release) struct fixture fixture;
		CLEANUP(mem_cleanup) char *url = NULL;
		CLEANUP(mem_cleanup)
		char *message = mem_printf(
			"cannot use the endpoint for \"ec2\" (AWS_ENDPOINT_URL): %s", cases[i].why);

		setenv("AWS_ENDPOINT_URL", cases[i].url, 1);
		prepare(&fixture, "", "");
		open_aws(&fixture, NULL, NULL);
		check_number(cases[i].url,
			aws_endpoint(fixture.aws, "ec2", "eu-central-1", &url, &fixture.err), -1);
		check_err(cases[i].url, &fixture.err, ERR_USAGE, message);
		check_number("shown", fixture.err.hint && strstr(fixture.err.hint, "Zq"), 0);
	}
}

static void test_ca_bundle(void **state)
{
	static const struct {
		const char *aws, *config, *ssl, *curl, *expected;
	} cases[] = {
		{ NULL, "", NULL, NULL, NULL },
		{ NULL, "", NULL, "/curl", "/curl" },
		{ NULL, "", "/ssl", "/curl", "/ssl" },
		{ NULL, "[default]\nca_bundle = /profile\n", "/ssl", "/curl", "/profile" },
		{ "/aws", "[default]\nca_bundle = /profile\n", "/ssl", "/curl", "/aws" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(fixture_release) struct fixture fixture;

		setenv("AWS_CA_BUNDLE", cases[i].aws ? cases[i].aws : "", 1);
		setenv("SSL_CERT_FILE", cases[i].ssl ? cases[i].ssl : "", 1);
		setenv("CURL_CA_BUNDLE", cases[i].curl ? cases[i].curl : "", 1);
		prepare(&fixture, cases[i].config, "");
		open_aws(&fixture, NULL, NULL);
		check_text("path", aws_ca_bundle(fixture.aws), cases[i].expected);
	}
}

/* --- credentials are kept ------------------------------------------------------------------- */

/* A credential_process that counts its runs and gives credentials with that much time left. */
static char *process_config(const char *directory, int seconds)
{
	time_t expires = time(NULL) + seconds;
	struct tm parts;
	char date[64];

	gmtime_r(&expires, &parts);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &parts);
	return mem_printf("[default]\ncredential_process = /bin/sh -c 'echo x >>%s/count; "
			  "[ $(wc -l <%s/count) -le 2 ] && echo '\\''{\"Version\":1,"
			  "\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Expiration\":\"%s\"}"
			  "'\\'''\n",
		directory, directory, date);
}

static void test_credentials_are_found_anew_when_they_run_out(void **state)
{
	static const struct {
		const char *label;
		int seconds, runs;
	} cases[] = { { "long", 3600, 1 }, { "under five minutes", 200, 3 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(fixture_release) struct fixture fixture;
		CLEANUP(mem_cleanup) char *config = NULL;
		CLEANUP(mem_cleanup) char *count = NULL;
		CLEANUP(strbuf_release) struct strbuf runs = STRBUF_INIT;
		const struct credentials *credentials = NULL;

		setenv("PATH", "/usr/bin:/bin", 1);
		prepare(&fixture, "", "");
		config = process_config(fixture.directory, cases[i].seconds);
		write_file(fixture.config, config, 0600);
		open_aws(&fixture, NULL, NULL);
		/* The third run gives none: then the old ones serve. */
		for (int call = 0; call < 3; call++) {
			credentials = NULL;
			check_number(cases[i].label,
				aws_credentials(fixture.aws, &credentials, &fixture.err), 0);
			check_text(cases[i].label, fixture.err.message, NULL);
			check_text(
				cases[i].label, credentials ? credentials->access_key : NULL, "A");
		}
		count = path_join(fixture.directory, "count");
		file_read_all(count, &runs, &fixture.err);
		check_number(cases[i].label, (long long)runs.length / 2, cases[i].runs);
	}
}

static void test_exposed_file_is_warned_of_when_it_is_used(void **state)
{
	static const char keys[] = "[default]\naws_access_key_id=B\naws_secret_access_key=b\n";
	static const struct {
		mode_t mode;
		const char *key; /* in the environment */
		bool warns;
	} cases[] = { { 0644, NULL, true }, { 0600, NULL, false }, { 0644, "A", false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(fixture_release) struct fixture fixture;
		const struct credentials *credentials = NULL;

		setenv("AWS_ACCESS_KEY_ID", cases[i].key ? cases[i].key : "", 1);
		setenv("AWS_SECRET_ACCESS_KEY", cases[i].key ? cases[i].key : "", 1);
		prepare(&fixture, "", keys);
		chmod(fixture.credentials, cases[i].mode);
		open_aws(&fixture, NULL, NULL);
		check_number(
			"credentials", aws_credentials(fixture.aws, &credentials, &fixture.err), 0);
		aws_credentials(fixture.aws, &credentials, &fixture.err);
		check_number("warning", strstr(warnings.data, fixture.credentials) != NULL,
			cases[i].warns);
		check_number("lines", (long long)strcspn(warnings.data, "\n"),
			cases[i].warns ? (long long)warnings.length - 1 : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_profile_and_region),
		UNIT_TEST(test_region_of_the_instance),
		UNIT_TEST(test_names_of_regions),
		UNIT_TEST(test_built_in_endpoints),
		UNIT_TEST(test_configured_endpoints),
		UNIT_TEST(test_refused_endpoints),
		UNIT_TEST(test_ca_bundle),
		UNIT_TEST(test_credentials_are_found_anew_when_they_run_out),
		UNIT_TEST(test_exposed_file_is_warned_of_when_it_is_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
