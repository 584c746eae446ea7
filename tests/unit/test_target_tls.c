#include "target_fixture.h"

#include <sys/stat.h>

/* sslmode and sslrootcert; with an error, its message. */
#define RDS "CONNECTION_URL=postgresql://me@x.eu.rds.amazonaws.com/db"
static const struct {
	const char *variables, *file;
	const char *sslmode, *sslrootcert; /* NULL: not set */
	const char *error;
} tls_cases[] = {
	{ RDS "|RDS_CA_BUNDLE=~/bundle.pem", NULL, "verify-full", "~/bundle.pem", NULL },
	{ RDS, "RDS_CA_BUNDLE=~/bundle.pem", "verify-full", "~/bundle.pem", NULL },
	{ RDS "|PGSSLROOTCERT=~/bundle.pem", NULL, "verify-full", "~/bundle.pem", NULL },
	{ RDS, "PGSSLROOTCERT=~/bundle.pem", "verify-full", "~/bundle.pem", NULL },
	{ RDS "|PGSSLROOTCERT=~/bundle.pem|RDS_CA_BUNDLE=/nowhere", NULL, "verify-full",
		"~/bundle.pem", NULL },
	{ RDS "?sslrootcert=/mine.pem", NULL, "verify-full", "/mine.pem", NULL },
	{ RDS "?sslrootcert=/mine.pem|RDS_CA_BUNDLE=~/bundle.pem", NULL, "verify-full", "/mine.pem",
		NULL },
	{ "CONNECTION_URL=postgresql://X.RDS.AmazonAWS.com/db", NULL, NULL, NULL,
		"no CA bundle to verify the RDS server with" },
	{ RDS, NULL, NULL, NULL, "no CA bundle to verify the RDS server with" },
	{ RDS "|HOME=~|XDG_DATA_HOME=~", NULL, NULL, NULL,
		"no CA bundle to verify the RDS server with" },
	{ RDS "|RDS_CA_BUNDLE=/nowhere", NULL, NULL, NULL,
		"the RDS CA bundle \"/nowhere\" does not exist" },
	{ RDS "|PGSSLROOTCERT=/nowhere|RDS_CA_BUNDLE=~/bundle.pem", NULL, NULL, NULL,
		"the RDS CA bundle \"/nowhere\" does not exist" },
	/* the forms of names */
	{ "CONNECTION_URL=postgresql://x.abc.rds.cn-north-1.amazonaws.com.cn/db", NULL, NULL, NULL,
		"no CA bundle" },
	{ "CONNECTION_URL=postgresql://x.abc.cn-north-1.rds.amazonaws.com.cn/db", NULL, NULL, NULL,
		"no CA bundle" },
	{ "CONNECTION_URL=postgresql://x.cluster-ro-abc.eu-west-1.rds.amazonaws.com/db", NULL, NULL,
		NULL, "no CA bundle" },
	{ "CONNECTION_URL=postgresql://x.proxy-abc.eu-west-1.rds.amazonaws.com/db", NULL, NULL,
		NULL, "no CA bundle" },
	{ "CONNECTION_URL=postgresql://rds.cn-north-1.amazonaws.com.cn/db", NULL, NULL, NULL,
		NULL },
	/* an sslmode that somebody chose stays */
	{ RDS "?sslmode=require", NULL, "require", NULL, NULL },
	{ RDS "?sslmode=disable|RDS_CA_BUNDLE=~/bundle.pem", NULL, "disable", NULL, NULL },
	{ RDS "|PGSSLMODE=require", NULL, "require", NULL, NULL },
	{ RDS "|PGSSLMODE=prefer", NULL, "prefer", NULL, NULL },
	{ RDS "|PGSSLMODE=", "PGSSLMODE=require", NULL, NULL, "no CA bundle" },
	{ RDS "|PGSSLMODE=verify-ca", "PGSSLMODE=require", "verify-ca", NULL, NULL },
	{ RDS "?sslmode=verify-ca|RDS_CA_BUNDLE=~/bundle.pem", NULL, "verify-ca", "~/bundle.pem",
		NULL },
	{ RDS "?sslmode=verify-full|RDS_CA_BUNDLE=/nowhere", NULL, NULL, NULL,
		"the RDS CA bundle \"/nowhere\" does not exist" },
	{ RDS "?sslmode=verify-ca|PGSSLROOTCERT=/nowhere", NULL, NULL, NULL,
		"the RDS CA bundle \"/nowhere\" does not exist" },
	{ RDS "|PGSSLMODE=", NULL, NULL, NULL, "no CA bundle" },
	{ RDS, "PGSSLMODE=require", "require", NULL, NULL },
	/* one that wants a bundle gets it where there is one */
	{ RDS "?sslmode=verify-full|RDS_CA_BUNDLE=~/bundle.pem", NULL, "verify-full",
		"~/bundle.pem", NULL },
	{ RDS "?sslmode=verify-full", NULL, "verify-full", NULL, NULL },
	{ RDS "?sslmode=verify-full&sslrootcert=/mine.pem|RDS_CA_BUNDLE=~/bundle.pem", NULL,
		"verify-full", "/mine.pem", NULL },
	{ RDS "|PGSSLMODE=verify-full|RDS_CA_BUNDLE=~/bundle.pem", NULL, "verify-full",
		"~/bundle.pem", NULL },
	{ RDS "?sslmode=require|RDS_CA_BUNDLE=~/bundle.pem", NULL, "require", NULL, NULL },
	{ RDS "|PGSSLROOTCERT=system", NULL, "verify-full", "system", NULL },
	{ RDS, "PGSSLROOTCERT=system", "verify-full", "system", NULL },
	/* several hosts, ports, other names */
	{ "CONNECTION_URL=postgresql://a,x.rds.amazonaws.com:1,b/db", NULL, NULL, NULL,
		"no CA bundle" },
	{ "CONNECTION_URL=postgresql://x.rds.amazonaws.com:1/db", NULL, NULL, NULL,
		"no CA bundle" },
	{ "CONNECTION_URL=host=x.rds.amazonaws.com", NULL, NULL, NULL, "no CA bundle" },
	{ "CONNECTION_URL=postgresql:///db?host=x.rds.amazonaws.com", NULL, NULL, NULL,
		"no CA bundle" },
	{ "PGHOST=x.rds.amazonaws.com|PGUSER=me", NULL, NULL, NULL, "no CA bundle" },
	{ "PGUSER=me", "PGHOST=x.rds.amazonaws.com", NULL, NULL, "no CA bundle" },
	{ "CONNECTION_URL=postgresql://x.rds.amazonaws.com.evil.example/db", NULL, NULL, NULL,
		NULL },
	{ "CONNECTION_URL=postgresql://x-rds.amazonaws.com/db", NULL, NULL, NULL, NULL },
	{ "CONNECTION_URL=postgresql://.rds.amazonaws.com/db", NULL, NULL, NULL, NULL },
	{ "CONNECTION_URL=postgresql://h/x.rds.amazonaws.com", NULL, NULL, NULL, NULL },
	/* through a service */
	{ SERVICE "CONNECTION_URL=service=rds", NULL, NULL, NULL, "no CA bundle" },
	{ SERVICE "PGUSER=me|PGSERVICE=rds", NULL, NULL, NULL, "no CA bundle" },
	{ SERVICE "PGUSER=me", "PGSERVICE=rds", NULL, NULL, "no CA bundle" },
	{ SERVICE "CONNECTION_URL=service=rds-require", NULL, "require", NULL, NULL },
	{ SERVICE "PGUSER=me|PGSERVICE=rds-require", NULL, "require", NULL, NULL },
	{ SERVICE "CONNECTION_URL=postgresql://h/db?service=rds", NULL, NULL, NULL, NULL },
	{ SERVICE "CONNECTION_URL=service=rds-root", NULL, "verify-full", "/service.pem", NULL },
	{ SERVICE "CONNECTION_URL=service=rds-root|PGSSLROOTCERT=/nowhere", NULL, "verify-full",
		"/service.pem", NULL },
	{ SERVICE "CONNECTION_URL=postgresql:///db|PGSERVICE=rds", NULL, NULL, NULL,
		"no CA bundle" },
	{ "CONNECTION_URL=postgresql:///db|PGHOST=x.rds.amazonaws.com", NULL, NULL, NULL,
		"no CA bundle" },
};

static void test_rds_tls(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tls_cases); i++) {
		CLEANUP(resolved_release) struct resolved r = { .result = 0 };
		CLEANUP(mem_cleanup)
		char *root = tls_cases[i].sslrootcert ? expand(tls_cases[i].sslrootcert) : NULL;

		resolve(&r, tls_cases[i].variables, tls_cases[i].file, "local");
		check_number(tls_cases[i].variables, r.result, tls_cases[i].error ? -1 : 0);
		if (tls_cases[i].error) {
			check_holds(tls_cases[i].variables, r.err.message, tls_cases[i].error);
			check_number(tls_cases[i].variables, r.err.kind, ERR_USAGE);
			continue;
		}
		check_text(tls_cases[i].variables, params_get(&r.target.params, "sslmode"),
			tls_cases[i].sslmode);
		check_text(
			tls_cases[i].variables, params_get(&r.target.params, "sslrootcert"), root);
	}
}

/* In the order in which they are made; removed in the opposite one. */
static const char *const installed[] = { "data", "data/dbrig", ".local", ".local/share",
	".local/share/dbrig" };

static int install_bundles(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(installed); i++) {
		CLEANUP(mem_cleanup) char *path = path_join(directory, installed[i]);

		if (mkdir(path, 0700) != 0)
			return -1;
	}
	write_file("data/dbrig/rds-ca-bundle.pem", "");
	write_file(".local/share/dbrig/rds-ca-bundle.pem", "");
	return unit_setup(state);
}

static int remove_bundles(void **state)
{
	CLEANUP(mem_cleanup) char *first = path_join(directory, "data/dbrig/rds-ca-bundle.pem");
	CLEANUP(mem_cleanup)
	char *second = path_join(directory, ".local/share/dbrig/rds-ca-bundle.pem");

	unlink(first);
	unlink(second);
	for (size_t i = ARRAY_SIZE(installed); i-- > 0;) {
		CLEANUP(mem_cleanup) char *path = path_join(directory, installed[i]);

		rmdir(path);
	}
	return unit_teardown(state);
}

static void test_installed_bundle(void **state)
{
	static const struct {
		const char *variables, *path;
	} cases[] = {
		{ RDS "|XDG_DATA_HOME=~/data", "~/data/dbrig/rds-ca-bundle.pem" },
		{ RDS "|HOME=~", "~/.local/share/dbrig/rds-ca-bundle.pem" },
		{ RDS "|HOME=~|XDG_DATA_HOME=", "~/.local/share/dbrig/rds-ca-bundle.pem" },
		{ RDS "|HOME=~|XDG_DATA_HOME=~/data", "~/data/dbrig/rds-ca-bundle.pem" },
		{ RDS "|HOME=~|RDS_CA_BUNDLE=~/bundle.pem", "~/bundle.pem" },
		{ RDS "|HOME=~|XDG_DATA_HOME=relative", "~/.local/share/dbrig/rds-ca-bundle.pem" },
		{ RDS "?sslmode=verify-full|HOME=~", "~/.local/share/dbrig/rds-ca-bundle.pem" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(resolved_release) struct resolved r = { .result = 0 };
		CLEANUP(mem_cleanup) char *path = expand(cases[i].path);

		resolve(&r, cases[i].variables, NULL, "local");
		check_text(cases[i].variables, r.err.message, NULL);
		check_text(cases[i].variables, params_get(&r.target.params, "sslrootcert"), path);
		check_text(
			cases[i].variables, params_get(&r.target.params, "sslmode"), "verify-full");
	}
}

/* What is compared with the certificate has no dot at its end. */
static void test_root_dot(void **state)
{
	static const struct {
		const char *hosts, *expected;
	} cases[] = {
		{ "x.eu.rds.amazonaws.com.", "x.eu.rds.amazonaws.com" },
		{ "a.,x.rds.amazonaws.com.,b", "a.,x.rds.amazonaws.com,b" },
		{ "db.example.com.", "db.example.com." },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(resolved_release) struct resolved r = { .result = 0 };
		CLEANUP(mem_cleanup)
		char *variables = mem_printf(
			"CONNECTION_URL=postgresql://me@%s/db|RDS_CA_BUNDLE=~/bundle.pem",
			cases[i].hosts);

		resolve(&r, variables, NULL, "local");
		check_text(cases[i].hosts, r.err.message, NULL);
		check_text(cases[i].hosts, params_get(&r.target.params, "host"), cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_rds_tls),
		UNIT_TEST(test_root_dot),
		cmocka_unit_test_setup_teardown(
			test_installed_bundle, install_bundles, remove_bundles),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
