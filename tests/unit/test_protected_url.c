#include "unit.h"

#include "base/mem.h"
#include "pg/protected_url.h"

#include <stdlib.h>

#define PROD "PROD_CONNECTION_URL"

/* Which URLs count, and as which target's; the second is in .env, behind the first. */
static void test_which_count(void **state)
{
	static const struct {
		const char *name, *value, *target; /* target NULL: does not count */
		const char *file_name, *file_value, *file_target;
	} cases[] = {
		{ PROD, "h:a", "prod", PROD, "h:b", "prod" },
		{ PROD, "h:a", "prod", PROD, "h:a", NULL },
		{ PROD, "h:a", "prod", "PROD_DATABASE_URL", "h:b", "prod" },
		{ PROD, "h:a", "prod", "PROD_DATABASE_URL", "h:a", NULL },
		{ PROD, "", NULL, PROD, "h:b", "prod" },
		{ PROD, " \t", NULL, PROD, "h:b", "prod" },
		{ PROD, "h:a", "prod", PROD, "", NULL },
		{ PROD, "h:a", "prod", "PROD_EU_CONNECTION_URL", "h:a", "prod_eu" },
		{ "LIVE_CONNECTION_URL", "h:a", "live", "TEST_CONNECTION_URL", "h:a", NULL },
		{ "CONNECTION_URL", "h:a", NULL, PROD, "h:a", "prod" },
		{ "DATABASE_URL", "h:a", NULL, "LIVE_DATABASE_URL", "h:a", "live" },
		{ "_CONNECTION_URL", "h:a", NULL, "PROD_URL", "h:a", NULL },
		{ PROD, "changeme", NULL, PROD, "<your URL here>", NULL },
		{ PROD, "ChangeMe", NULL, PROD, "...", NULL },
		{ PROD, "mysql://h/shop", NULL, PROD, "jdbc:mysql://h/shop", NULL },
		{ PROD, "jdbc:postgresql://h/shop", "prod", PROD, "postgres+x://h", "prod" },
		{ PROD, "ecto://h/shop", "prod", PROD, "psql://h/shop", "prod" },
		{ PROD, "op://vault/url", NULL, PROD, "$DATABASE_URL", "prod" },
		{ PROD, "dummy", NULL, PROD, "Not set", NULL },
		{ PROD, "xxx", NULL, PROD, "xX", "prod" },
		{ PROD, "XXXXX ", NULL, PROD, "n/a", NULL },
		{ PROD, "TODO: ask ops", NULL, PROD, "TODO: postgresql://h/shop", "prod" },
		{ PROD, "secret", NULL, PROD, "secrets", "prod" },
		{ PROD, "vault:db/prod#url", NULL, PROD, "ENC[AES256,data]", NULL },
		{ PROD, "arn:aws:ssm:eu:1:x", NULL, PROD, "arn:aws:rds:eu:1:x", "prod" },
		{ PROD, "${PROD_URL}", NULL, PROD, "${{ secrets.PROD }}", NULL },
		{ PROD, "${PROD_URL:-postgresql://h/shop}", "prod", PROD, "${A}b", "prod" },
		{ PROD, "file:./dev.db", NULL, PROD, "prisma+postgres://x/?api_key=y", NULL },
		{ PROD, "<postgresql://boss@127.0.0.1:7311/shop>", "prod", PROD, "<postgres://>",
			NULL },
		{ PROD, "<host=127.0.0.1 dbname=shop>", "prod", PROD, "<postgres:///shop>",
			"prod" },
		{ PROD, "fill_in", NULL, PROD, "0", NULL },
		{ PROD, "set-me", NULL, PROD, "00", "prod" },
		{ PROD, "ssm:/prod/url", NULL, PROD, "gcp-secret://p/url", NULL },
		{ PROD, "doppler://p", NULL, PROD, "{{ vault.prod_url }}", NULL },
		{ PROD, "{{ postgresql://h/shop }}", "prod", PROD, "{{a}}b", "prod" },
		{ PROD, "!vault prod", NULL, PROD, "sops:prod", NULL },
		{ PROD, "aws-sm://prod", NULL, PROD, "sm://p/prod", NULL },
		{ PROD, "secretref:prod", NULL, PROD, "@Microsoft.KeyVault(SecretUri=https://x/y)",
			NULL },
		{ PROD, "ref+vault://x#/y", NULL, PROD, "secret://x", NULL },
		{ PROD, "infisical://x", NULL, PROD, "keyring:prod", NULL },
		{ PROD, "libsql://h/shop", NULL, PROD, "ssm", "prod" },
		{ PROD, "DATABASE_URL", "prod", PROD, "<a>b", "prod" },
		{ PROD, "db.example.com", "prod", PROD, "dbname=mysql://h", "prod" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char listed[] = "DB_PROTECTED_TARGETS";
		CLEANUP(mem_cleanup) char *name = mem_strdup(cases[i].name);
		CLEANUP(mem_cleanup) char *file_name = mem_strdup(cases[i].file_name);
		struct env_value items[] = { { .name = name, .value = cases[i].value },
			{ .name = file_name, .value = cases[i].file_value, .file = ".env" },
			{ .name = listed, .value = "later" },
			{ .name = listed, .value = "live", .file = ".env" } };
		const struct env_values values = { .items = items, .count = ARRAY_SIZE(items) };
		CLEANUP(mem_cleanup) char *first = protected_url_target(&values, 0);
		CLEANUP(mem_cleanup) char *second = protected_url_target(&values, 1);

		check_text(cases[i].name, first, cases[i].target);
		check_text(cases[i].file_name, second, cases[i].file_target);
	}
}

/* Which has no prefix. */
static void test_local_counts_when_listed(void **state)
{
	char url[] = "CONNECTION_URL", other[] = "DATABASE_URL", listed[] = "DB_PROTECTED_TARGETS";
	struct env_value items[] = { { .name = url, .value = "h:a" },
		{ .name = other, .value = "h:b" }, { .name = listed, .value = "live Local" } };
	const struct env_values values = { .items = items, .count = ARRAY_SIZE(items) };
	CLEANUP(mem_cleanup) char *first = protected_url_target(&values, 0);
	CLEANUP(mem_cleanup) char *second = protected_url_target(&values, 1);

	(void)state;
	check_text("CONNECTION_URL", first, "local");
	check_text("DATABASE_URL", second, "local");
}

/* Hosts that stand for one, where all do. */
static void test_templates(void **state)
{
	static const struct {
		const char *url;
		bool is_template;
	} cases[] = {
		{ "postgresql://user:password@HOST:5432/database", true },
		{ "postgresql://host/db", true },
		{ "postgresql://hostname/db", true },
		{ "<postgres://you@your-host:5432/db>", true },
		{ "postgres://a:b@db.example.com/shop?sslmode=require", true },
		{ "postgres://a:b@example.org", true },
		{ "postgres://a:b@db.shop.invalid,db.EXAMPLE:1/x", true },
		{ "postgres://a:b@${HOST}:${PORT}/x", true },
		{ "postgres://$USER:$PASSWORD@$HOST/x", true },
		{ "postgres://a:b@{{ db_host }}:5432/x", true },
		{ "postgres://...", true },
		{ "postgres://<user>:<password>@<host>:<port>/<db>", true },
		{ "postgres://a:b@<your host>/x", true },
		{ "<postgres://a:b@<host>/x>", true },
		{ "postgres://a:b@<10.0.0.1>/x", false },
		{ "postgres://a:b@<localhost>/x", false },
		{ "postgres://a:b@<host", true },
		{ "postgres://<a@db/x", false },
		{ "postgres://a:b@prod-host/x", true },
		{ "postgres://a:b@your-db-host:5432/x", true },
		{ "postgres://a:b@my-host.com/x", true },
		{ "postgres://a:b@server/x", true },
		{ "postgres://a:b@PROD_DB_HOST/x", true },
		{ "postgres://a:b@Prod_Db_Host/x", false },
		{ "postgres://a:b@GHOSTS/x", false },
		{ "postgres://a:b@${HOST:-127.0.0.1}/x", false },
		{ "postgres://$USER:$PASSWORD@db/x", false },
		{ "postgres://a:b@db:${PORT}/x", false },
		{ "postgres://a:b@host,db/x", false },
		{ "postgres://host:a/b@db/x", false },
		{ "postgres://a@host/x?host=db", false },
		{ "postgres://a@host/x?hostaddr=10.0.0.1", false },
		{ "postgres://a@myhost/x", false },
		{ "postgres://a@notexample.com/x", false },
		{ "postgres://a@example.com.evil.io/x", false },
		{ "postgres://a@example/x", false },
		{ "postgres://a@localhost/x", false },
		{ "postgres://[::1]/x", false },
		{ "postgres:///x", false },
		{ "host=host dbname=x", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_number(cases[i].url, protected_url_is_template(cases[i].url),
			cases[i].is_template);
}

static void test_drivers(void **state)
{
	static const struct {
		const char *url, *plain;
	} cases[] = {
		{ "postgresql+asyncpg://a@h/d", "postgresql://a@h/d" },
		{ "postgres+psycopg2://h/d", "postgresql://h/d" },
		{ "jdbc:postgresql://h/d", "postgresql://h/d" },
		{ "postgresql://h/d", NULL },
		{ "jdbc:mysql://h/d", NULL },
		{ "postgresql+h/d?x=://", NULL },
		{ "postgresql+x", NULL },
		{ "postgresql://u:x@h/d?schema=public", "postgresql://u:x@h/d" },
		{ "postgres://u:x@h/d?schema=a&sslmode=require&pgbouncer=true",
			"postgresql://u:x@h/d?sslmode=require" },
		{ "postgres://u:x?schema=y@h/d?host=i&pool_timeout=3",
			"postgresql://u:x?schema=y@h/d?host=i" },
		{ "postgres://u:x?schema=y@h/d", NULL },
		{ "jdbc:postgresql://h/d?ssl=true&currentSchema=a", "postgresql://h/d?ssl=true" },
		{ "jdbc:postgresql:///d?cloudSqlInstance=i&x=y",
			"postgresql:///d?cloudSqlInstance=i" },
		{ "postgresql+asyncpg://h/d?ssl=require", "postgresql://h/d" },
		{ "postgresql://h/d?hostname=i", NULL },
		{ "postgresql://h/d?%68ost=i&schema", NULL },
		{ "postgresql://h/d?sslmode=disable&connect_timeout=3", NULL },
		{ "postgresql://h/d?", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(mem_cleanup) char *plain = protected_url_plain(cases[i].url);

		check_text(cases[i].url, plain, cases[i].plain);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_which_count),
		UNIT_TEST(test_local_counts_when_listed),
		UNIT_TEST(test_templates),
		UNIT_TEST(test_drivers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
