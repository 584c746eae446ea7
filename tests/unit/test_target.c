#include "unit.h"

#include "base/file.h"
#include "base/mem.h"
#include "params_text.h"
#include "pg/target.h"

#include <stdio.h>

/* A directory for the files the cases name by "~": service.conf and bundle.pem. */
static char directory[] = "/tmp/dbrig-unit-XXXXXX";

static void write_file(const char *name, const char *text)
{
	CLEANUP(mem_cleanup) char *path = path_join(directory, name);
	CLEANUP(file_cleanup) FILE *file = fopen(path, "w");

	if (!file || fputs(text, file) < 0)
		BUG("could not write a file for the test");
}

static int make_files(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	write_file("bundle.pem", "certificates\n");
	write_file("service.conf",
		"[one]\nhost=service-host\nport=7777\nuser=service-user\ndbname=service-db\n"
		"[bare]\nhost=bare-host\n"
		"[rds]\nhost=x.rds.amazonaws.com\ndbname=d\n"
		"[rds-require]\nhost=x.rds.amazonaws.com\ndbname=d\nsslmode=require\n"
		"[rds-root]\nhost=x.rds.amazonaws.com\ndbname=d\nsslrootcert=/service.pem\n");
	return 0;
}

static int remove_files(void **state)
{
	CLEANUP(mem_cleanup) char *bundle = path_join(directory, "bundle.pem");
	CLEANUP(mem_cleanup) char *service = path_join(directory, "service.conf");

	(void)state;
	unlink(bundle);
	unlink(service);
	return rmdir(directory);
}

/* The text with "~" replaced by the directory of the files. */
static char *expand(const char *text)
{
	struct strbuf out = STRBUF_INIT;

	for (; text && *text; text++) {
		if (*text == '~')
			strbuf_adds(&out, directory);
		else
			strbuf_addc(&out, *text);
	}
	return strbuf_detach(&out);
}

/* One resolved target, from "NAME=value|NAME=value" and the text of a .env file (NULL: none). */
struct resolved {
	struct env env;
	struct target target;
	struct err err;
	int result;
};

static void set_environment(const char *variables)
{
	CLEANUP(mem_cleanup) char *copy = expand(variables);
	static char *none[1];
	char *at = copy, *variable;

	environ = none;
	while ((variable = strsep(&at, "|")) != NULL) {
		char *equals = strchr(variable, '=');

		if (!equals)
			continue;
		*equals = '\0';
		setenv(variable, equals + 1, 1);
	}
}

static void resolve(struct resolved *r, const char *variables, const char *file, const char *name)
{
	CLEANUP(mem_cleanup) char *text = expand(file);

	set_environment(variables);
	if (file) {
		r->env.file = mem_strdup("the/.env");
		check_number(file, env_parse(&r->env, ".env", text, strlen(text), &r->err), 0);
	}
	r->result = target_resolve(&r->target, name, &r->env, NULL, &r->err);
}

static void resolved_release(struct resolved *r)
{
	target_release(&r->target);
	env_release(&r->env);
	err_release(&r->err);
}

/* Which variable is taken. */
static void test_order(void **state)
{
#define URL(host) "=postgresql://me@" host "/db"
	static const struct {
		const char *variables, *file, *name;
		const char *origin, *host;
	} cases[] = {
		{ "CONNECTION_URL" URL("a"), NULL, "local", "CONNECTION_URL", "a" },
		{ "DATABASE_URL" URL("a"), NULL, "local", "DATABASE_URL", "a" },
		{ "DATABASE_URL" URL("b") "|CONNECTION_URL" URL("a"), NULL, "local",
			"CONNECTION_URL", "a" },
		{ "CONNECTION_URL=|DATABASE_URL" URL("b"), NULL, "local", "DATABASE_URL", "b" },
		{ "CONNECTION_URL" URL("a") "|PGHOST=p|PGSERVICE=x", NULL, "local",
			"CONNECTION_URL", "a" },
		{ "LOCAL_CONNECTION_URL" URL("x") "|DATABASE_URL" URL("b"), NULL, "local",
			"DATABASE_URL", "b" },
		{ "PROD_CONNECTION_URL" URL("x") "|CONNECTION_URL" URL("a"), NULL, "local",
			"CONNECTION_URL", "a" },
		/* .env: the process environment wins, variable by variable */
		{ "", "CONNECTION_URL" URL("f"), "local", "CONNECTION_URL in the/.env", "f" },
		{ "", "DATABASE_URL" URL("f"), "local", "DATABASE_URL in the/.env", "f" },
		{ "CONNECTION_URL" URL("a"), "CONNECTION_URL" URL("f"), "local", "CONNECTION_URL", "a" },
		{ "DATABASE_URL" URL("b"), "CONNECTION_URL" URL("f"), "local",
			"CONNECTION_URL in the/.env", "f" },
		{ "CONNECTION_URL=", "CONNECTION_URL" URL("f") "\nDATABASE_URL" URL("g"), "local",
			"DATABASE_URL in the/.env", "g" },
		{ "PGHOST=p", "CONNECTION_URL" URL("f"), "local", "CONNECTION_URL in the/.env", "f" },
		{ "", "CONNECTION_URL='postgresql://me@f/db' # mine", "local",
			"CONNECTION_URL in the/.env", "f" },
		/* other targets */
		{ "PROD_CONNECTION_URL" URL("x") "|CONNECTION_URL" URL("a"), NULL, "prod",
			"PROD_CONNECTION_URL", "x" },
		{ "PROD_DATABASE_URL" URL("y"), NULL, "prod", "PROD_DATABASE_URL", "y" },
		{ "PROD_DATABASE_URL" URL("y") "|PROD_CONNECTION_URL" URL("x"), NULL, "prod",
			"PROD_CONNECTION_URL", "x" },
		{ "", "PROD_CONNECTION_URL" URL("f"), "prod", "PROD_CONNECTION_URL in the/.env", "f" },
		{ "TEST_CONNECTION_URL" URL("t"), NULL, "test", "TEST_CONNECTION_URL", "t" },
		{ "TEST_CONNECTION_URL" URL("t"), NULL, "Test", "TEST_CONNECTION_URL", "t" },
		{ "PROD_EU_1_CONNECTION_URL" URL("t"), NULL, "prod-eu-1", "PROD_EU_1_CONNECTION_URL",
			"t" },
		{ "PROD_EU_DATABASE_URL" URL("t"), NULL, "prod_eu", "PROD_EU_DATABASE_URL", "t" },
		{ "LOCAL_CONNECTION_URL" URL("x") "|CONNECTION_URL" URL("a"), NULL, "LOCAL",
			"LOCAL_CONNECTION_URL", "x" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(resolved_release) struct resolved r = { .result = 0 };

		resolve(&r, cases[i].variables, cases[i].file, cases[i].name);
		check_number(cases[i].variables, r.result, 0);
		check_text(cases[i].variables, r.err.message, NULL);
		check_text(cases[i].variables, r.target.origin, cases[i].origin);
		check_text(cases[i].variables, params_get(&r.target.params, "host"), cases[i].host);
		check_text(cases[i].variables, r.target.database, "db");
		check_text(cases[i].variables, params_get(&r.target.params, "dbname"), NULL);
		check_text(cases[i].variables, r.target.name, cases[i].name);
	}
}

/* Parameters (without libpq's own defaults that come from the machine) and the database's name. */
static void test_libpq_variables(void **state)
{
#define SERVICE "PGSERVICEFILE=~/service.conf|"
	static const struct {
		const char *variables, *file;
		const char *params, *database;
	} cases[] = {
		{ "PGUSER=me|PGHOST=h", NULL, "user=me host=h port=5432", NULL },
		{ "PGUSER=me|PGHOST=h|PGPORT=7|PGDATABASE=db", NULL, "user=me host=h port=7", "db" },
		{ "PGUSER=me|PGDATABASE=db", NULL, "user=me port=5432", "db" },
		{ "PGUSER=me|PGHOSTADDR=127.0.0.1|PGDATABASE=db", NULL, "user=me port=5432", "db" },
		/* the password stays where libpq finds it by itself */
		{ "PGUSER=me|PGHOST=h|PGPASSWORD=JQXZVK", NULL, "user=me host=h port=5432", NULL },
		/* in .env only, or in both */
		{ "", "PGUSER=me\nPGHOST=f\nPGPORT=8\nPGDATABASE=fd\nPGPASSWORD=pw",
			"user=me password=pw host=f port=8", "fd" },
		{ "PGHOST=h|PGUSER=me", "PGHOST=f\nPGDATABASE=fd", "user=me host=h port=5432", "fd" },
		{ "PGUSER=me", "PGHOST=f\nPGUSER=you\nPGSSLMODE=require",
			"user=me host=f port=5432 sslmode=require", NULL },
		{ "PGUSER=me|PGHOST=", "PGHOST=f\nPGDATABASE=fd", "user=me port=5432", "fd" },
		/* services */
		{ SERVICE "PGSERVICE=one", NULL, "user=service-user host=service-host port=7777",
			"service-db" },
		{ SERVICE "PGSERVICE=one|PGDATABASE=db|PGHOST=h|PGUSER=me", NULL,
			"user=service-user host=service-host port=7777", "service-db" },
		{ SERVICE "PGSERVICE=bare|PGDATABASE=db|PGUSER=me", NULL,
			"user=me host=bare-host port=5432", "db" },
		{ SERVICE "PGUSER=me", "PGSERVICE=one", "service=one host=service-host",
			"service-db" },
		{ SERVICE "PGUSER=me|PGHOST=h|PGPORT=1", "PGSERVICE=one\nPGDATABASE=fd",
			"service=one host=service-host", "fd" },
		/* what a URL leaves open libpq takes from its own variables */
		{ "CONNECTION_URL=postgresql:///db|PGHOST=h|PGPORT=1|PGSSLMODE=disable", NULL,
			"host=h sslmode=disable", "db" },
		{ SERVICE "CONNECTION_URL=postgresql://me@/db|PGSERVICE=one", NULL,
			"user=me host=service-host", "db" },
		{ "CONNECTION_URL=postgresql://me@h/db|PGHOST=p|PGDATABASE=pd|PGSSLMODE=prefer", NULL,
			"user=me host=h", "db" },
		{ SERVICE "CONNECTION_URL=postgresql:///?service=one", NULL,
			"service=one host=service-host", "service-db" },
		{ SERVICE "CONNECTION_URL=postgresql://me@h:1/db?service=one", NULL,
			"service=one user=me host=h port=1", "db" },
		{ SERVICE "CONNECTION_URL=service=bare|PGDATABASE=db", NULL,
			"service=bare host=bare-host", "db" },
		/* a URL is a target of its own: what .env says about others does not mix in */
		{ "CONNECTION_URL=postgresql://me@h/db", "PGHOST=f\nPGPASSWORD=pw\nPGPORT=8",
			"user=me host=h", "db" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(resolved_release) struct resolved r = { .result = 0 };
		CLEANUP(mem_cleanup) char *got = NULL;

		resolve(&r, cases[i].variables, cases[i].file, "local");
		check_number(cases[i].variables, r.result, 0);
		check_text(cases[i].variables, r.err.message, NULL);
		got = params_text(&r.target.params);
		check_text(cases[i].variables, got, cases[i].params);
		check_text(cases[i].variables, r.target.database, cases[i].database);
		check_number("private server", r.target.is_private, false);
	}
}

static void test_service_is_left_alone(void **state)
{
	CLEANUP(resolved_release) struct resolved r = { .result = 0 };

	(void)state;
	resolve(&r, SERVICE "PGSERVICE=bare|CONNECTION_URL=service=one", NULL, "local");
	check_text("database", r.target.database, "service-db");
	check_text("PGSERVICE", getenv("PGSERVICE"), "bare");
	resolved_release(&r);
	memset(&r, 0, sizeof(r));
	resolve(&r, SERVICE "CONNECTION_URL=service=one", NULL, "local");
	check_text("database", r.target.database, "service-db");
	check_text("PGSERVICE", getenv("PGSERVICE"), NULL);
}

/* Each piece stands in the message, detail or hint. */
static void test_errors(void **state)
{
	static const struct {
		const char *variables, *file, *name;
		const char *message, *detail, *hint;
	} cases[] = {
		{ "", NULL, "local", "no project and no connection URL found", "CONNECTION_URL",
			"Set CONNECTION_URL" },
		{ "", NULL, "local", "no project", "DATABASE_URL", NULL },
		{ "", NULL, "local", "no project", "PGHOST, PGHOSTADDR, PGSERVICE and PGDATABASE",
			NULL },
		{ "PGUSER=me|PGPORT=1|PGPASSWORD=x", NULL, "local", "no project", NULL, NULL },
		{ "CONNECTION_URL" URL("a"), NULL, "prod", "no connection URL for target \"prod\"",
			"Neither PROD_CONNECTION_URL nor PROD_DATABASE_URL is set in the environment "
			"(and there is no .env file).",
			"Set PROD_CONNECTION_URL=postgresql://" },
		{ "", "A=1", "prod", "no connection URL for target \"prod\"",
			"PROD_DATABASE_URL is set in the environment or in the/.env.", NULL },
		{ "PROD_CONNECTION_URL=", "PROD_CONNECTION_URL" URL("f"), "prod",
			"no connection URL for target \"prod\"", NULL, NULL },
		{ "PGHOST=h", NULL, "prod-eu", "no connection URL for target \"prod-eu\"",
			"Neither PROD_EU_CONNECTION_URL nor PROD_EU_DATABASE_URL",
			"Set PROD_EU_CONNECTION_URL=" },
		{ "TEST_CONNECTION_URL" URL("t"), NULL, "tests", "target \"tests\"",
			"TESTS_CONNECTION_URL", NULL },
		/* names */
		{ "", NULL, "", "\"\" is not a target name", NULL, "<NAME>_CONNECTION_URL" },
		{ "", NULL, "-", "\"-\" is not a target name", NULL, "local, prod or test" },
		{ "", NULL, "1st", "\"1st\" is not a target name", NULL, NULL },
		{ "", NULL, "a b", "\"a b\" is not a target name", NULL, NULL },
		{ "", NULL, "a=b", "\"a=b\" is not a target name", NULL, NULL },
		{ "", NULL, "db/schema.sql", "\"db/schema.sql\" is not a target name", NULL, NULL },
		{ "", NULL, "postgresql://h/db", "is not a target name", NULL, NULL },
		{ "", NULL, "pr\xC3\xB6" "d", "is not a target name", NULL, NULL },
		/* URLs that are not valid name their variable and its file */
		{ "CONNECTION_URL=JQXZVK", NULL, "local",
			"CONNECTION_URL is not a valid connection URL: ", NULL, "postgresql://" },
		{ "", "PROD_DATABASE_URL=JQXZVK", "prod",
			"PROD_DATABASE_URL in the/.env is not a valid connection URL: ", NULL, NULL },
		{ "CONNECTION_URL=x|DATABASE_URL" URL("b"), NULL, "local", "CONNECTION_URL is not",
			NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(resolved_release) struct resolved r = { .result = 0 };

		resolve(&r, cases[i].variables, cases[i].file, cases[i].name);
		check_number(cases[i].message, r.result, -1);
		check_number(cases[i].message, r.err.kind, ERR_USAGE);
		check_holds("message", r.err.message, cases[i].message);
		check_holds("detail", r.err.detail, cases[i].detail);
		check_holds("hint", r.err.hint, cases[i].hint);
		check_number("no value shown", r.err.message && strstr(r.err.message, "JQX"), 0);
	}
}

/* sslmode and sslrootcert; with an error, its message. */
static void test_rds_tls(void **state)
{
#define RDS "CONNECTION_URL=postgresql://me@x.eu.rds.amazonaws.com/db"
	static const struct {
		const char *variables, *file;
		const char *sslmode, *sslrootcert; /* NULL: not set */
		const char *error;
	} cases[] = {
		{ RDS "|RDS_CA_BUNDLE=~/bundle.pem", NULL, "verify-full", "~/bundle.pem", NULL },
		{ RDS, "RDS_CA_BUNDLE=~/bundle.pem", "verify-full", "~/bundle.pem", NULL },
		{ RDS "|PGSSLROOTCERT=~/bundle.pem", NULL, "verify-full", "~/bundle.pem", NULL },
		{ RDS, "PGSSLROOTCERT=~/bundle.pem", "verify-full", "~/bundle.pem", NULL },
		{ RDS "|PGSSLROOTCERT=~/bundle.pem|RDS_CA_BUNDLE=/nowhere", NULL, "verify-full",
			"~/bundle.pem", NULL },
		{ RDS "?sslrootcert=/mine.pem", NULL, "verify-full", "/mine.pem", NULL },
		{ RDS "?sslrootcert=/mine.pem|RDS_CA_BUNDLE=~/bundle.pem", NULL, "verify-full",
			"/mine.pem", NULL },
		{ "CONNECTION_URL=postgresql://X.RDS.AmazonAWS.com/db", NULL, NULL, NULL,
			"no CA bundle to verify the RDS server with" },
		{ RDS, NULL, NULL, NULL, "no CA bundle to verify the RDS server with" },
		{ RDS "|HOME=~|XDG_DATA_HOME=~", NULL, NULL, NULL,
			"no CA bundle to verify the RDS server with" },
		{ RDS "|RDS_CA_BUNDLE=/nowhere", NULL, NULL, NULL,
			"the RDS CA bundle \"/nowhere\" does not exist" },
		{ RDS "|PGSSLROOTCERT=/nowhere|RDS_CA_BUNDLE=~/bundle.pem", NULL, NULL, NULL,
			"the RDS CA bundle \"/nowhere\" does not exist" },
		/* an sslmode that somebody chose stays */
		{ RDS "?sslmode=require", NULL, "require", NULL, NULL },
		{ RDS "?sslmode=disable|RDS_CA_BUNDLE=~/bundle.pem", NULL, "disable", NULL, NULL },
		{ RDS "|PGSSLMODE=require", NULL, "require", NULL, NULL },
		{ RDS "|PGSSLMODE=prefer", NULL, "prefer", NULL, NULL },
		{ RDS "|PGSSLMODE=", "PGSSLMODE=require", NULL, NULL, "no CA bundle" },
		{ RDS "|PGSSLMODE=verify-ca", "PGSSLMODE=require", "verify-ca", NULL, NULL },
		{ RDS "|PGSSLMODE=", NULL, NULL, NULL, "no CA bundle" },
		{ RDS, "PGSSLMODE=require", "require", NULL, NULL },
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
		{ SERVICE "CONNECTION_URL=service=rds-root|PGSSLROOTCERT=/nowhere", NULL,
			"verify-full", "/service.pem", NULL },
		{ SERVICE "CONNECTION_URL=postgresql:///db|PGSERVICE=rds", NULL, NULL, NULL,
			"no CA bundle" },
		{ "CONNECTION_URL=postgresql:///db|PGHOST=x.rds.amazonaws.com", NULL, NULL, NULL,
			"no CA bundle" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(resolved_release) struct resolved r = { .result = 0 };
		CLEANUP(mem_cleanup)
		char *root = cases[i].sslrootcert ? expand(cases[i].sslrootcert) : NULL;

		resolve(&r, cases[i].variables, cases[i].file, "local");
		check_number(cases[i].variables, r.result, cases[i].error ? -1 : 0);
		if (cases[i].error) {
			check_holds(cases[i].variables, r.err.message, cases[i].error);
			check_number(cases[i].variables, r.err.kind, ERR_USAGE);
			continue;
		}
		check_text(cases[i].variables, params_get(&r.target.params, "sslmode"),
			cases[i].sslmode);
		check_text(cases[i].variables, params_get(&r.target.params, "sslrootcert"), root);
	}
}

static void test_installed_bundle(void **state)
{
	static const char *const variables[] = { RDS "|XDG_DATA_HOME=~/data",
		RDS "|HOME=~|XDG_DATA_HOME=", RDS "|HOME=~" };
	static const char *const paths[] = { "~/data/dbrig/rds-ca-bundle.pem",
		"~/.local/share/dbrig/rds-ca-bundle.pem", "~/.local/share/dbrig/rds-ca-bundle.pem" };
	CLEANUP(mem_cleanup)
	char *make = mem_printf("cd %s && mkdir -p data/dbrig .local/share/dbrig && "
				"touch data/dbrig/rds-ca-bundle.pem .local/share/dbrig/rds-ca-bundle.pem",
		directory);
	CLEANUP(mem_cleanup) char *clean = mem_printf("cd %s && rm -r data .local", directory);

	(void)state;
	environ = unit_environment;
	check_number("mkdir", system(make), 0);
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		CLEANUP(resolved_release) struct resolved r = { .result = 0 };
		CLEANUP(mem_cleanup) char *path = expand(paths[i]);

		resolve(&r, variables[i], NULL, "local");
		check_text(variables[i], r.err.message, NULL);
		check_text(variables[i], params_get(&r.target.params, "sslrootcert"), path);
		check_text(variables[i], params_get(&r.target.params, "sslmode"), "verify-full");
	}
	environ = unit_environment;
	check_number("rm", system(clean), 0);
}

static void test_several_hosts(void **state)
{
	static const struct {
		const char *variables, *expected; /* target_session_attrs */
	} cases[] = {
		{ "CONNECTION_URL=postgresql://a,b/db", "read-write" },
		{ "CONNECTION_URL=postgresql://a:1,b:2/db", "read-write" },
		{ "CONNECTION_URL=postgresql:///db?host=a,b", "read-write" },
		{ "PGHOST=a,b|PGUSER=me", "read-write" },
		{ "CONNECTION_URL=postgresql://a,b/db?target_session_attrs=any", "any" },
		{ "CONNECTION_URL=postgresql://a/db", NULL },
		{ "CONNECTION_URL=postgresql:///a,b", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(resolved_release) struct resolved r = { .result = 0 };

		resolve(&r, cases[i].variables, NULL, "local");
		check_text(cases[i].variables, r.err.message, NULL);
		check_text(cases[i].variables,
			params_get(&r.target.params, "target_session_attrs"), cases[i].expected);
	}
}

#define TEN "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN

/* Names the server would cut. */
static void test_name_length(void **state)
{
	static const struct {
		const char *name;
		const char *message; /* NULL: accepted */
	} cases[] = {
		{ "d", NULL },
		{ SIXTY "123", NULL },
		{ SIXTY "1234",
			"CONNECTION_URL: the database name has 64 bytes, more than the 63 PostgreSQL "
			"keeps" },
		{ SIXTY "1%C3%A9", NULL },
		{ SIXTY "12%C3%A9",
			"CONNECTION_URL: the database name has 64 bytes, more than the 63 PostgreSQL "
			"keeps" },
		{ SIXTY "\xE2\x82\xAC", NULL },
		{ SIXTY "\xE2\x82\xAC" "4",
			"CONNECTION_URL: the database name has 64 bytes, more than the 63 PostgreSQL "
			"keeps" },
		{ SIXTY SIXTY,
			"CONNECTION_URL: the database name has 120 bytes, more than the 63 PostgreSQL "
			"keeps" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(resolved_release) struct resolved r = { .result = 0 };
		CLEANUP(mem_cleanup)
		char *variable = mem_printf("CONNECTION_URL=postgresql://h/%s", cases[i].name);

		resolve(&r, variable, NULL, "local");
		check_number(cases[i].name, r.result, cases[i].message ? -1 : 0);
		check_err(cases[i].name, &r.err, cases[i].message ? ERR_USAGE : ERR_NONE,
			cases[i].message);
		if (cases[i].message)
			check_holds("hint", r.err.hint, "use another database");
	}
}

/* What may be created, dropped, reset. */
static void test_own_database(void **state)
{
	static const struct {
		const char *variables;
		int any, own;		/* results for a database at all, and one of the user's own */
		enum err_kind kind;	/* of the second */
		const char *message;
	} cases[] = {
		{ "CONNECTION_URL=postgresql://h/db", 0, 0, ERR_NONE, NULL },
		{ "CONNECTION_URL=postgresql://h/Postgres", 0, 0, ERR_NONE, NULL },
		{ "CONNECTION_URL=postgresql://h/postgres2", 0, 0, ERR_NONE, NULL },
		{ "CONNECTION_URL=postgresql://h/template", 0, 0, ERR_NONE, NULL },
		{ "CONNECTION_URL=postgresql://h/d%22%20b", 0, 0, ERR_NONE, NULL },
		{ "CONNECTION_URL=postgresql://h/postgres", 0, -1, ERR_REFUSED,
			"refusing to drop the maintenance database \"postgres\"" },
		{ "CONNECTION_URL=postgresql://h/p%6Fstgres", 0, -1, ERR_REFUSED,
			"refusing to drop the maintenance database \"postgres\"" },
		{ "CONNECTION_URL=postgresql://h/db?dbname=postgres", 0, -1, ERR_REFUSED,
			"refusing to drop the maintenance database \"postgres\"" },
		{ "CONNECTION_URL=postgresql://h/template0", 0, -1, ERR_REFUSED,
			"refusing to drop the maintenance database \"template0\"" },
		{ "CONNECTION_URL=dbname=template1", 0, -1, ERR_REFUSED,
			"refusing to drop the maintenance database \"template1\"" },
		{ "PGHOST=h|PGUSER=me|PGDATABASE=postgres", 0, -1, ERR_REFUSED,
			"refusing to drop the maintenance database \"postgres\"" },
		/* libpq would take the user's name */
		{ "CONNECTION_URL=postgresql://me@h", -1, -1, ERR_USAGE,
			"CONNECTION_URL names no database" },
		{ "CONNECTION_URL=postgresql://me@h/", -1, -1, ERR_USAGE,
			"CONNECTION_URL names no database" },
		{ "CONNECTION_URL=host=h user=me", -1, -1, ERR_USAGE,
			"CONNECTION_URL names no database" },
		{ "PGHOST=h|PGUSER=me", -1, -1, ERR_USAGE, "the PG* variables name no database" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(resolved_release) struct resolved r = { .result = 0 };
		CLEANUP(err_release) struct err err = ERR_INIT;

		resolve(&r, cases[i].variables, NULL, "local");
		check_text(cases[i].variables, r.err.message, NULL);
		check_number(cases[i].variables, target_require_database(&r.target, &err),
			cases[i].any);
		check_number(cases[i].variables,
			target_require_own_database(&r.target, "drop", &err), cases[i].own);
		check_err(cases[i].variables, &err, cases[i].kind, cases[i].message);
		check_number("a hint", !err.message || (err.hint && *err.hint), true);
	}
}

static void test_protected(void **state)
{
	static const struct {
		const char *name;
		bool protected;
	} cases[] = {
		{ "prod", true },	{ "production", true }, { "PROD", true },
		{ "Production", true }, { "local", false },	{ "test", false },
		{ "produce", false },	{ "pro", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct target target = { .name = mem_strdup(cases[i].name) };

		check_number(cases[i].name, target_is_protected(&target), cases[i].protected);
		target_release(&target);
	}
}

static void test_describe(void **state)
{
	CLEANUP(resolved_release) struct resolved r = { .result = 0 };
	CLEANUP(mem_cleanup) char *got = NULL;

	(void)state;
	resolve(&r, "CONNECTION_URL=postgresql://me:JQXZVK@h:1/db?password=JQXZVK", NULL, "local");
	got = target_describe(&r.target);
	check_text("without the password", got, "me@h:1/db");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_order),
		UNIT_TEST(test_libpq_variables),
		UNIT_TEST(test_service_is_left_alone),
		UNIT_TEST(test_errors),
		UNIT_TEST(test_rds_tls),
		UNIT_TEST(test_installed_bundle),
		UNIT_TEST(test_several_hosts),
		UNIT_TEST(test_name_length),
		UNIT_TEST(test_own_database),
		UNIT_TEST(test_protected),
		UNIT_TEST(test_describe),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
