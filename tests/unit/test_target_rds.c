#include "target_fixture.h"

#define HOST "x.abc.eu-central-1.rds.amazonaws.com"
#define PROD "PROD_CONNECTION_URL=postgresql://"
#define BUNDLE "RDS_CA_BUNDLE=~/bundle.pem|"
#define IAM BUNDLE "PROD_AUTH=iam|"

static void test_sign_in(void **state)
{
	static const struct {
		const char *variables, *file;
		const char *user, *port; /* NULL: not set */
		const char *error;       /* how it begins; NULL: the target is one with is_iam */
	} cases[] = {
		{ IAM PROD "me@" HOST "/db", NULL, "me", NULL, NULL },
		{ BUNDLE PROD "me@" HOST "/db", "PROD_AUTH=iam", "me", NULL, NULL },
		{ IAM PROD "me@" HOST ":5433/db", NULL, "me", "5433", NULL },
		{ IAM PROD HOST "/db|PGUSER=me|PGPORT=7", NULL, "me", "7", NULL },
		{ IAM PROD "me@" HOST ":5433/db|PGUSER=you|PGPORT=7", NULL, "me", "5433", NULL },
		{ IAM PROD "me:secret@" HOST "/db", NULL, "me", NULL, NULL },
		{ IAM PROD "me@" HOST "/db?hostaddr=127.0.0.1&port=1", NULL, "me", "1", NULL },
		{ IAM PROD "me@" HOST "/db?sslmode=verify-full", NULL, "me", NULL, NULL },
		{ IAM PROD "me@" HOST "./db", NULL, "me", NULL, NULL },
		{ IAM PROD "me@" HOST "," HOST "/db", NULL, NULL, NULL,
			"PROD_AUTH=iam cannot be used with several hosts" },
		{ IAM PROD "me@" HOST "/db?hostaddr=127.0.0.1,127.0.0.2", NULL, NULL, NULL,
			"PROD_AUTH=iam cannot be used with several hosts" },
		{ IAM PROD "me@localhost/db", NULL, NULL, NULL,
			"PROD_AUTH=iam needs the endpoint" },
		{ IAM PROD "me@/db", NULL, NULL, NULL, "PROD_AUTH=iam needs the endpoint" },
		{ IAM PROD "/db?user=me&hostaddr=1.1.1.1", NULL, NULL, NULL,
			"PROD_AUTH=iam needs the endpoint" },
		{ IAM PROD HOST "/db", NULL, NULL, NULL, "PROD_AUTH=iam needs a user in the URL" },
		{ IAM PROD HOST "/db", "PGUSER=me", NULL, NULL,
			"PROD_AUTH=iam needs a user in the URL" },
		{ IAM PROD "me@" HOST "/db?sslmode=verify-ca", NULL, NULL, NULL,
			"PROD_AUTH=iam needs sslmode=verify-full, not verify-ca" },
		{ IAM PROD "me@" HOST "/db|PGSSLMODE=require", NULL, NULL, NULL,
			"PROD_AUTH=iam needs sslmode=verify-full, not require" },
		{ IAM PROD "me@" HOST "/db", "PGSSLMODE=disable", NULL, NULL,
			"PROD_AUTH=iam needs sslmode=verify-full, not disable" },
		{ "PROD_AUTH=iam|" PROD "me@" HOST "/db", NULL, NULL, NULL,
			"no CA bundle to verify the RDS server with" },
		{ BUNDLE "PROD_AUTH=IAM|" PROD "me@" HOST "/db", NULL, NULL, NULL,
			"PROD_AUTH is \"IAM\"" },
		{ BUNDLE "PROD_AUTH=aws|" PROD "me@" HOST "/db", NULL, NULL, NULL,
			"PROD_AUTH is \"aws\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(resolved_release) struct resolved r = { .result = 0 };

		resolve(&r, cases[i].variables, cases[i].file, "prod");
		check_number(cases[i].variables, r.result, cases[i].error ? -1 : 0);
		if (cases[i].error) {
			check_number(cases[i].variables, r.err.kind, ERR_USAGE);
			check_holds(cases[i].variables, r.err.message, cases[i].error);
			continue;
		}
		check_text(cases[i].variables, r.err.message, NULL);
		check_number(cases[i].variables, r.target.is_iam, true);
		check_text(cases[i].variables, params_get(&r.target.params, "user"), cases[i].user);
		check_text(cases[i].variables, params_get(&r.target.params, "port"), cases[i].port);
		check_text(cases[i].variables, params_get(&r.target.params, "password"), NULL);
		check_text(
			cases[i].variables, params_get(&r.target.params, "sslmode"), "verify-full");
	}
}

/* A .env does not choose whom a token is given to. */
static void test_project_ca(void **state)
{
	static const struct {
		const char *variables, *file;
		bool is_refused;
	} cases[] = {
		{ IAM PROD "me@" HOST "/db", "RDS_CA_BUNDLE=/x.pem\nPGSSLROOTCERT=", false },
		{ "PROD_AUTH=iam|" PROD "me@" HOST "/db", "RDS_CA_BUNDLE=~/bundle.pem", true },
		{ IAM PROD "me@" HOST "/db", "PGSSLROOTCERT=~/bundle.pem", true },
		{ IAM PROD "me@" HOST "/db?sslmode=verify-full", "PGSSLROOTCERT=~/bundle.pem",
			true },
		{ IAM PROD "me@" HOST "/db?sslrootcert=~/bundle.pem", NULL, false },
		{ IAM, PROD "me@" HOST "/db", false },
		{ IAM, PROD "me@" HOST "/db?hostaddr=127.0.0.1", false },
		{ IAM, PROD "me@" HOST "/db?sslrootcert=~/bundle.pem", true },
		{ IAM, PROD "me@" HOST "/db?sslrootcert=~/bundle.pem&hostaddr=127.0.0.1", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(resolved_release) struct resolved r = { .result = 0 };
		const char *name = cases[i].file ? cases[i].file : cases[i].variables;

		resolve(&r, cases[i].variables, cases[i].file, "prod");
		check_number(name, r.result, cases[i].is_refused ? -1 : 0);
		check_text(name, r.err.message,
			cases[i].is_refused ? "PROD_AUTH=iam does not take a CA bundle from .env"
					    : NULL);
		if (!cases[i].is_refused)
			check_text(name, params_get(&r.target.params, "gssencmode"), "disable");
	}
}

/* A password stays the way to sign in. */
static void test_no_iam(void **state)
{
	static const char *const cases[] = { BUNDLE PROD "me:secret@" HOST "/db",
		BUNDLE PROD "me:secret@" HOST "/db|PROD_AUTH=password",
		BUNDLE PROD "me:secret@" HOST "/db|PROD_AUTH=",
		BUNDLE PROD "me:secret@" HOST "/db|AUTH=iam|DB_AUTH=iam|LOCAL_AUTH=iam" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(resolved_release) struct resolved r = { .result = 0 };

		resolve(&r, cases[i], NULL, "prod");
		check_text(cases[i], r.err.message, NULL);
		check_number(cases[i], r.target.is_iam, false);
		check_text(cases[i], params_get(&r.target.params, "password"), "secret");
	}
}

static void test_variable(void **state)
{
	static const struct {
		const char *target, *variable;
	} cases[] = { { "local", "LOCAL_AUTH" }, { "prod", "PROD_AUTH" },
		{ "eu-west-1", "EU_WEST_1_AUTH" }, { "db", "DB_AUTH" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(mem_cleanup) char *variable = target_auth_variable(cases[i].target);

		check_text(cases[i].target, variable, cases[i].variable);
	}
}

/* A service's port and user are those of the token. */
static void test_service(void **state)
{
	CLEANUP(resolved_release) struct resolved r = { .result = 0 };

	(void)state;
	write_file(
		"service.conf", "[iam]\nhost=" HOST "\nport=7777\nuser=service-user\ndbname=d\n");
	resolve(&r, SERVICE IAM "PROD_CONNECTION_URL=service=iam", NULL, "prod");
	check_text("error", r.err.message, NULL);
	check_text("user", params_get(&r.target.params, "user"), "service-user");
	check_text("port", params_get(&r.target.params, "port"), "7777");
}

static void test_endpoint(void **state)
{
	static const struct {
		const char *variables, *host;
		int port;
		const char *user;
		const char *error;
	} cases[] = {
		/* without a bundle */
		{ PROD "me:secret@" HOST "/db", HOST, 5432, "me", NULL },
		{ PROD "me@" HOST ":6543/db", HOST, 6543, "me", NULL },
		{ PROD HOST "/db", HOST, 5432, NULL, NULL },
		{ PROD "me@" HOST ":6543," HOST ":1/db", HOST, 6543, "me", NULL },
		{ PROD "me@" HOST "," HOST ":1/db", HOST, 5432, "me", NULL },
		{ PROD "me@" HOST "/db?hostaddr=127.0.0.1", HOST, 5432, "me", NULL },
		{ PROD "/db?hostaddr=127.0.0.1", "127.0.0.1", 5432, NULL, NULL },
		{ PROD "/db", NULL, 5432, NULL, NULL },
		{ "PROD_CONNECTION_URL=host=h port=x", NULL, 0, NULL,
			"is not a number from 1 to 65535" },
		{ "PROD_CONNECTION_URL=host=h port=65536", NULL, 0, NULL,
			"is not a number from 1 to 65535" },
		{ "X=", NULL, 0, NULL, "no connection URL for target \"prod\"" },
		{ PROD "a@b:c@d/x", NULL, 0, NULL, "is not a valid connection URL" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(env_release) struct env env = ENV_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;
		CLEANUP(target_endpoint_release)
		struct target_endpoint endpoint = TARGET_ENDPOINT_INIT;

		set_environment(cases[i].variables);
		check_number(cases[i].variables, target_endpoint("prod", &env, &endpoint, &err),
			cases[i].error ? -1 : 0);
		check_holds(cases[i].variables, err.message, cases[i].error);
		if (cases[i].error) {
			check_number(cases[i].variables, err.kind, ERR_USAGE);
			continue;
		}
		check_text(cases[i].variables, endpoint.host, cases[i].host);
		check_number(cases[i].variables, endpoint.port, cases[i].port);
		check_text(cases[i].variables, endpoint.user, cases[i].user);
		check_number(cases[i].variables, endpoint.several,
			strstr(cases[i].variables, ",") != NULL);
		check_text(cases[i].variables, endpoint.address,
			strstr(cases[i].variables, "hostaddr") ? "127.0.0.1" : NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_sign_in),
		UNIT_TEST(test_project_ca),
		UNIT_TEST(test_no_iam),
		UNIT_TEST(test_variable),
		UNIT_TEST(test_service),
		UNIT_TEST(test_endpoint),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
