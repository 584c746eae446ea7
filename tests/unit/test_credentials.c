#include "unit.h"

#include "aws/credentials.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/process.h"

#include <stdio.h>
#include <sys/stat.h>

/* HOME, with ~/.aws in it. */
static char *home;

static int make_home(void **state)
{
	char template[] = "/tmp/dbrig-unit-credentials-XXXXXX";
	CLEANUP(mem_cleanup) char *directory = NULL;

	(void)state;
	if (!mkdtemp(template))
		return -1;
	home = mem_strdup(template);
	directory = path_join(home, ".aws");
	return mkdir(directory, 0700);
}

static void write_file(const char *name, const char *text)
{
	CLEANUP(mem_cleanup) char *path = path_join(home, name);
	CLEANUP(file_cleanup) FILE *file = fopen(path, "w");

	if (!file || fputs(text, file) < 0)
		BUG("could not write a file for the test");
}

static int remove_home(void **state)
{
	static const char *const names[] = { ".aws/config", ".aws/credentials", "token" };
	CLEANUP(mem_cleanup) char *directory = path_join(home, ".aws");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(mem_cleanup) char *path = path_join(home, names[i]);

		unlink(path);
	}
	rmdir(directory);
	rmdir(home);
	mem_free(home);
	return 0;
}

/* An access without network: HOME has these files, and metadata is off. */
static struct aws *open_aws(
	const char *config, const char *credentials, const char *profile, const struct env *env)
{
	static const struct env none = ENV_INIT;
	const struct aws_options options = { .env = env ? env : &none, .profile = profile };
	struct aws *aws = NULL;
	struct err err = ERR_INIT;

	setenv("HOME", home, 1);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	write_file(".aws/config", config ? config : "");
	write_file(".aws/credentials", credentials ? credentials : "");
	if (aws_open(&options, &aws, &err) != 0)
		BUG(err.message);
	return aws;
}

static void test_times(void **state)
{
	static const struct {
		const char *text;
		long long seconds; /* -1: refused */
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2015-08-30T12:36:00Z", 1440938160 },
		{ "2024-02-29T23:59:59Z", 1709251199 },
		{ "2100-01-01T00:00:00Z", 4102444800 },
		{ "2015-08-30T12:36:00.123Z", 1440938160 },
		{ "2015-08-30T12:36:00+00:00", 1440938160 },
		{ "2015-08-30T12:36:00+02:30", 1440929160 },
		{ "2015-08-30T12:36:00-0230", 1440947160 },
		{ "2015-08-30 12:36:00Z", 1440938160 },
		{ "", -1 },
		{ "2015", -1 },
		{ "2015-08-30", -1 },
		{ "2015-08-30T12:36Z", -1 },
		{ "2015-08-30T12:36:00", -1 },
		{ "2015-08-30T12:36:00.Z", -1 },
		{ "2015-08-30T12:36:00Zx", -1 },
		{ "2015-08-30T12:36:00+2", -1 },
		{ "2015-13-30T12:36:00Z", -1 },
		{ "2015-00-30T12:36:00Z", -1 },
		{ "2015-08-32T12:36:00Z", -1 },
		{ "2015-08-30T24:36:00Z", -1 },
		{ "2015-08-30T12:60:00Z", -1 },
		{ "2015/08/30T12:36:00Z", -1 },
		{ "0000-08-30T12:36:00Z", -1 },
		{ "Sun, 30 Aug 2015 12:36:00 GMT", -1 },
		{ "1440938160", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		time_t time = 0;
		bool parsed = credentials_parse_time(cases[i].text, &time);

		check_number(cases[i].text, parsed ? (long long)time : -1, cases[i].seconds);
	}
}

static void test_texts_that_are_no_keys(void **state)
{
	static const struct {
		const char *key, *secret, *token, *message;
	} cases[] = {
		{ "AKID", "s/+=", "t/+==", NULL },
		{ "AKID", "s", NULL, NULL },
		{ "AKID\n", "s", NULL, "the access key id from here is not usable" },
		{ "AK ID", "s", NULL, "the access key id from here is not usable" },
		{ "AKID", "Zq\r", NULL, "the secret access key from here is not usable" },
		{ "AKID", "Zq\xC3\xA9", NULL, "the secret access key from here is not usable" },
		{ "AKID", "s", "Zq\nX: y", "the session token from here is not usable" },
		{ "AKID", "s", "\x7F", "the session token from here is not usable" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(credentials_release) struct credentials made = CREDENTIALS_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;
		int result = credentials_set(
			&made, "here", cases[i].key, cases[i].secret, cases[i].token, &err);

		check_number(cases[i].key, result, cases[i].message ? -1 : 0);
		check_text(cases[i].key, err.message, cases[i].message);
		check_text(cases[i].key, made.access_key, result == 0 ? cases[i].key : NULL);
	}
}

/* "Zq" stands for a secret: no error holds it. */
static void test_json(void **state)
{
#define KEYS "\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"Zq\""
	static const struct {
		const char *text;
		const char *message; /* NULL: it is read */
	} cases[] = {
		{ "{\"Version\":1," KEYS "}", NULL },
		{ " {\"Version\":1," KEYS ",\"SessionToken\":\"t\",\"x\":[1,{}]}\n", NULL },
		{ "{\"Version\":1," KEYS ",\"Expiration\":null}", NULL },
		{ "{\"Version\":1," KEYS ",\"Expiration\":\"2999-01-01T00:00:00Z\"}", NULL },
		{ "", "what came from here is not a JSON object" },
		{ "[]", "what came from here is not a JSON object" },
		{ "\"Zq\"", "what came from here is not a JSON object" },
		{ "Zq", "what came from here is not a JSON object" },
		{ "{\"Version\":1," KEYS "} Zq", "what came from here is not a JSON object" },
		{ "{\"Version\":1," KEYS, "what came from here is not a JSON object" },
		{ "{\"Version\":1," KEYS ",\"AccessKeyId\":\"B\"}",
			"what came from here is not a JSON object" },
		{ "{" KEYS "}", "the JSON from here has no \"Version\": 1" },
		{ "{\"Version\":2," KEYS "}", "the JSON from here has no \"Version\": 1" },
		{ "{\"Version\":\"1\"," KEYS "}", "the JSON from here has no \"Version\": 1" },
		{ "{\"Version\":1,\"AccessKeyId\":\"Zq\"}",
			"the JSON from here has no \"SecretAccessKey\"" },
		{ "{\"Version\":1,\"SecretAccessKey\":\"Zq\"}",
			"the JSON from here has no \"AccessKeyId\"" },
		{ "{\"Version\":1,\"AccessKeyId\":\"\",\"SecretAccessKey\":\"Zq\"}",
			"the JSON from here has no \"AccessKeyId\"" },
		{ "{\"Version\":1,\"AccessKeyId\":7,\"SecretAccessKey\":\"Zq\"}",
			"the JSON from here has no \"AccessKeyId\"" },
		{ "{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"Zq\\nZq\"}",
			"the secret access key from here is not usable" },
		{ "{\"Version\":1," KEYS ",\"Expiration\":\"2001-01-01T00:00:00Z\"}",
			"the credentials from here expired at 2001-01-01T00:00:00Z" },
		{ "{\"Version\":1," KEYS ",\"Expiration\":\"Zq\"}",
			"the expiry of the credentials from here is not a time like "
			"\"2030-01-31T12:00:00Z\"" },
		{ "{\"Version\":1," KEYS ",\"Expiration\":12}",
			"the expiry of the credentials from here is not a time like "
			"\"2030-01-31T12:00:00Z\"" },
	};
#undef KEYS
	static const struct credentials_json what = {
		.source = "here", .token_name = "SessionToken", .has_version = true
	};
	CLEANUP(aws_cleanup) struct aws *aws = open_aws(NULL, NULL, NULL, NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(credentials_release) struct credentials made = CREDENTIALS_INIT;
		CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;

		strbuf_adds(&text, cases[i].text);
		check_number(cases[i].text, credentials_read_json(&what, &text, aws, &made, &err),
			cases[i].message ? -1 : 0);
		check_err(cases[i].text, &err, cases[i].message ? ERR_FAILED : ERR_NONE,
			cases[i].message);
		if (cases[i].message)
			continue;
		check_text(cases[i].text, made.access_key, "A");
		check_text(cases[i].text, secret_reveal(&made.secret_key), "Zq");
	}
}

/* Keys of the process are not paired with those of .env. */
static void test_environment(void **state)
{
	static const struct {
		const char *label, *key, *secret, *token, *old_token, *file;
		const char *got; /* key, secret, token */
		const char *message;
	} cases[] = {
		{ "keys", "A", "s", NULL, NULL, "", "A s -", NULL },
		{ "keys and token", "A", "s", "t", NULL, "", "A s t", NULL },
		{ "old name", "A", "s", NULL, "o", "", "A s o", NULL },
		{ "both names", "A", "s", "t", "o", "", "A s t", NULL },
		{ "empty token", "A", "s", "", "o", "", "A s o", NULL },
		{ ".env", NULL, NULL, NULL, NULL,
			"AWS_ACCESS_KEY_ID=B\nAWS_SECRET_ACCESS_KEY=u\nAWS_SESSION_TOKEN=v\n",
			"B u v", NULL },
		{ ".env beside", "A", "s", NULL, NULL,
			"AWS_ACCESS_KEY_ID=B\nAWS_SECRET_ACCESS_KEY=u\nAWS_SESSION_TOKEN=v\n",
			"A s -", NULL },
		{ "no secret", "A", NULL, NULL, NULL, "", NULL,
			"AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not" },
		{ "empty secret", "A", "", NULL, NULL, "", NULL,
			"AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not" },
		{ "secret elsewhere", "A", NULL, NULL, NULL, "AWS_SECRET_ACCESS_KEY=u\n", NULL,
			"AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not" },
	};
	static const char *const names[] = { "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
		"AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *values[] = { cases[i].key, cases[i].secret, cases[i].token,
			cases[i].old_token };
		CLEANUP(env_release) struct env env = ENV_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;
		CLEANUP(credentials_release) struct credentials made = CREDENTIALS_INIT;
		CLEANUP(aws_cleanup) struct aws *aws = NULL;
		CLEANUP(mem_cleanup) char *got = NULL;

		for (size_t j = 0; j < ARRAY_SIZE(names); j++)
			if (values[j])
				setenv(names[j], values[j], 1);
			else
				unsetenv(names[j]);
		env.file = mem_strdup("the/.env");
		env_parse(&env, ".env", cases[i].file, strlen(cases[i].file), &err);
		aws = open_aws(NULL, NULL, NULL, &env);
		if (credentials_find(aws, &made, &err) == 0)
			got = mem_printf("%s %s %s", made.access_key,
				secret_reveal(&made.secret_key),
				secret_is_set(&made.session_token)
					? secret_reveal(&made.session_token)
					: "-");
		check_text(cases[i].label, got, cases[i].got);
		check_err(cases[i].label, &err, cases[i].message ? ERR_USAGE : ERR_NONE,
			cases[i].message);
	}
}

/* What a profile cannot be used for, without asking anybody. */
static void test_profiles_that_cannot_be_used(void **state)
{
	static const struct {
		const char *config, *message, *hint;
	} cases[] = {
		{ "[profile x]\naws_access_key_id = A\n",
			"profile \"x\" (~/.aws/config) has aws_access_key_id but no "
			"aws_secret_access_key",
			NULL },
		{ "[profile x]\naws_access_key_id = A\naws_secret_access_key = s t\n",
			"the secret access key from profile \"x\" (~/.aws/config) is not usable",
			NULL },
		{ "[profile x]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n",
			"profile \"x\" uses IAM Identity Center",
			"Add a profile with: credential_process = aws configure export-credentials "
			"--profile x (AWS CLI v2)." },
		{ "[profile x]\nlogin_session = arn:aws:iam::1:user/u\n",
			"profile \"x\" uses aws login",
			"Add a profile with: credential_process = aws configure export-credentials "
			"--profile x (AWS CLI v2)." },
		{ "[profile x]\nrole_arn = r\nsource_profile = y\nmfa_serial = m\n",
			"profile \"x\" asks for an MFA code",
			"Add a profile with: credential_process = aws configure export-credentials "
			"--profile x (AWS CLI v2)." },
		{ "[profile x]\nrole_arn = r\nsource_profile = y\n[profile y]\n"
		  "sso_account_id = 1\n",
			"profile \"y\" uses IAM Identity Center",
			"Add a profile with: credential_process = aws configure export-credentials "
			"--profile y (AWS CLI v2)." },
		{ "[profile x]\nrole_arn = r\n",
			"profile \"x\" has role_arn but neither source_profile nor "
			"credential_source",
			NULL },
		{ "[profile x]\nrole_arn = r\nsource_profile = y\n"
		  "credential_source = Environment\n",
			"profile \"x\" has both source_profile and credential_source", NULL },
		{ "[profile x]\nrole_arn = r\ncredential_source = Moon\n",
			"credential_source \"Moon\" of profile \"x\" is not one of Environment, "
			"EcsContainer, Ec2InstanceMetadata",
			NULL },
		{ "[profile x]\nrole_arn = r\ncredential_source = Environment\n",
			"no credentials in Environment, the credential_source of profile \"x\"",
			NULL },
		{ "[profile x]\nrole_arn = r\nsource_profile = y\n",
			"source_profile \"y\" of profile \"x\" does not exist", NULL },
		{ "[profile x]\nrole_arn = r\nsource_profile = y\n[profile y]\n",
			"source_profile \"y\" of profile \"x\" has no credentials", NULL },
		{ "[profile x]\nrole_arn = r\nsource_profile = x\n",
			"source_profile \"x\" of profile \"x\" leads back to itself", NULL },
		{ "[profile x]\nrole_arn = r\nsource_profile = y\n"
		  "[profile y]\nrole_arn = r\nsource_profile = x\n",
			"source_profile \"x\" of profile \"y\" leads back to itself", NULL },
		{ "[profile x]\nrole_arn = r\nsource_profile = y\n"
		  "[profile y]\nrole_arn = r\nsource_profile = z\n"
		  "[profile z]\nrole_arn = r\nsource_profile = y\n",
			"source_profile \"y\" of profile \"z\" leads back to itself", NULL },
		{ "[profile x]\nrole_arn = r\nsource_profile = y\nduration_seconds = 1h\n",
			"duration_seconds of profile \"x\" is not a number from 900 to 43200",
			NULL },
		{ "[profile x]\nrole_arn = r\nsource_profile = y\nduration_seconds = 899\n",
			"duration_seconds of profile \"x\" is not a number from 900 to 43200",
			NULL },
		{ "[profile x]\nweb_identity_token_file = /nowhere/token\n",
			"profile \"x\" has web_identity_token_file but no role_arn", NULL },
		{ "[profile x]\nweb_identity_token_file = /nowhere/token\nrole_arn = r\n",
			"could not open file \"/nowhere/token\": No such file or directory", NULL },
		{ "[profile x]\nweb_identity_token_file = /dev/null\nrole_arn = r\n",
			"web identity token file \"/dev/null\" is empty", NULL },
		{ "[profile x]\ncredential_process = 'Zq\n",
			"credential_process of profile \"x\" has an open quote", NULL },
		{ "[profile x]\n",
			"no AWS credentials: looked at profile \"x\" (~/.aws/credentials), web "
			"identity, container, EC2 metadata (switched off)",
			"Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with "
			"--profile or AWS_PROFILE." },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(aws_cleanup)
		struct aws *aws = open_aws(cases[i].config, NULL, "x", NULL);
		CLEANUP(credentials_release) struct credentials made = CREDENTIALS_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;

		check_number(cases[i].config, credentials_find(aws, &made, &err), -1);
		check_err(cases[i].config, &err, ERR_USAGE, cases[i].message);
		check_text(cases[i].config, err.hint, cases[i].hint);
		check_text(cases[i].config, made.access_key, NULL);
	}
}

static void test_chain_is_limited(void **state)
{
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
	CLEANUP(credentials_release) struct credentials made = CREDENTIALS_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(aws_cleanup) struct aws *aws = NULL;

	(void)state;
	for (int i = 0; i < 20; i++)
		strbuf_addf(&text, "[profile p%d]\nrole_arn = r\nsource_profile = p%d\n", i, i + 1);
	aws = open_aws(text.data, NULL, "p0", NULL);
	check_number("result", credentials_find(aws, &made, &err), -1);
	check_err("message", &err, ERR_USAGE,
		"profile \"p0\" goes through more than 8 profiles with roles");
}

static void test_container_addresses(void **state)
{
	static const struct {
		const char *variable, *value, *message;
	} cases[] = {
		{ "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@example.com/x",
			"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with \"/\"" },
		{ "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/x",
			"AWS_CONTAINER_CREDENTIALS_FULL_URI cannot be asked for credentials" },
		{ "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.169.254/x",
			"AWS_CONTAINER_CREDENTIALS_FULL_URI cannot be asked for credentials" },
		{ "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://[fd00:ec2::254]/x",
			"AWS_CONTAINER_CREDENTIALS_FULL_URI cannot be asked for credentials" },
		{ "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1@example.com/x",
			"AWS_CONTAINER_CREDENTIALS_FULL_URI cannot be asked for credentials" },
		{ "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://10.0.0.1/x",
			"AWS_CONTAINER_CREDENTIALS_FULL_URI cannot be asked for credentials" },
		{ "AWS_CONTAINER_CREDENTIALS_FULL_URI", "ftp://127.0.0.1/x",
			"AWS_CONTAINER_CREDENTIALS_FULL_URI cannot be asked for credentials" },
		{ "AWS_CONTAINER_CREDENTIALS_FULL_URI", "/x",
			"AWS_CONTAINER_CREDENTIALS_FULL_URI cannot be asked for credentials" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(aws_cleanup) struct aws *aws = open_aws(NULL, NULL, NULL, NULL);
		CLEANUP(credentials_release) struct credentials made = CREDENTIALS_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;

		unsetenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
		unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
		setenv(cases[i].variable, cases[i].value, 1);
		check_number(cases[i].value, credentials_find(aws, &made, &err), -1);
		check_err(cases[i].value, &err, ERR_USAGE, cases[i].message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_times),
		UNIT_TEST(test_texts_that_are_no_keys),
		UNIT_TEST(test_json),
		UNIT_TEST(test_environment),
		UNIT_TEST(test_profiles_that_cannot_be_used),
		UNIT_TEST(test_chain_is_limited),
		UNIT_TEST(test_container_addresses),
	};

	return cmocka_run_group_tests(tests, make_home, remove_home);
}
