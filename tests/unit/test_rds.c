#include "unit.h"

#include "app/instance.h"
#include "app/instance_create.h"
#include "aws/rds.h"
#include "base/mem.h"
#include "base/rds_endpoint.h"

struct name_case {
	const char *text;
	bool allowed;
};

static void test_instance_ids(void **state)
{
	static const struct name_case cases[] = {
		{ "mydb", true },
		{ "a", true },
		{ "My-Db-2", true },
		{ "a23456789012345678901234567890123456789012345678901234567890123", true },
		{ "", false },
		{ "1db", false },
		{ "-db", false },
		{ "db-", false },
		{ "my--db", false },
		{ "my_db", false },
		{ "my db", false },
		{ "my.db", false },
		{ "m\xc3\xbcller", false },
		{ "a234567890123456789012345678901234567890123456789012345678901234", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_number(cases[i].text, rds_is_instance_id(cases[i].text), cases[i].allowed);
}

static void test_classes(void **state)
{
	static const struct name_case cases[] = {
		{ "db.t4g.micro", true },
		{ "db.m7g.16xlarge", true },
		{ "db.r6i.4xlarge.tpc2.mem4x", true },
		{ "db.x2iedn.metal", true },
		{ "db.serverless", false },
		{ "t4g.micro", false },
		{ "db..micro", false },
		{ "db.t4g.", false },
		{ "db.t4g.micro;", false },
		{ "db.T4G.micro", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_number(cases[i].text, rds_is_class(cases[i].text), cases[i].allowed);
}

static void test_engine_versions(void **state)
{
	static const struct name_case cases[] = {
		{ "16", true },
		{ "16.3", true },
		{ "9.6.24", true },
		{ "11.22-rds.20240418", true },
		{ "", false },
		{ "latest", false },
		{ "16 3", false },
		{ "16&x=y", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_number(cases[i].text, rds_is_engine_version(cases[i].text), cases[i].allowed);
}

/* user is what is asked of the name as a master user's, why what is said against it. */
static void test_users_and_databases(void **state)
{
	static const struct {
		const char *text;
		bool user, database;
		const char *why;
	} cases[] = {
		{ "postgres", true, true, NULL },
		{ "shop_2", true, true, NULL },
		{ "a23456789012345678901234567890123456789012345678901234567890123", true, true,
			NULL },
		{ "a234567890123456789012345678901234567890123456789012345678901234", false, false,
			"longer" },
		{ "", false, false, "letter" },
		{ "1st", false, false, "letter" },
		{ "_x", false, false, "letter" },
		{ "my-db", false, false, "other than" },
		{ "my db", false, false, "other than" },
		{ "rdsadmin", false, false, "reserved" },
		{ "RDSAdmin", false, false, "reserved" },
		{ "admin", false, true, "reserved" },
		{ "pg_owner", false, true, "reserved" },
		{ "template1", true, false, "reserved" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *why = NULL;

		check_number(cases[i].text, rds_is_user(cases[i].text, &why), cases[i].user);
		check_number(
			cases[i].text, rds_is_database(cases[i].text, &why), cases[i].database);
		check_holds(cases[i].text, why, cases[i].why);
	}
}

static void test_passwords(void **state)
{
	static const struct name_case cases[] = {
		{ "12345678", true },
		{ "!#$%&'()*+,-.:;<=>?[\\]^_`{|}~", true },
		{ "1234567", false },
		{ "", false },
		{ "with space", false },
		{ "with/slash", false },
		{ "with@at888", false },
		{ "with\"quote", false },
		{ "with\ttab88", false },
		{ "with\x7f"
		  "delete",
			false },
		{ "m\xc3\xbcller888", false },
	};
	char longest[130];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(secret_release) struct secret password = SECRET_INIT;
		const char *why = NULL;

		secret_set(&password, cases[i].text, strlen(cases[i].text));
		check_number(cases[i].text, rds_is_password(&password, &why), cases[i].allowed);
		check_number("a reason is given", why == NULL, cases[i].allowed);
	}
	memset(longest, 'x', sizeof(longest));
	for (size_t length = 127; length <= 129; length++) {
		CLEANUP(secret_release) struct secret password = SECRET_INIT;
		const char *why;

		secret_set(&password, longest, length);
		check_number("length", rds_is_password(&password, &why), length <= 128);
	}
	{
		CLEANUP(secret_release) struct secret password = SECRET_INIT;
		const char *why;

		secret_set(&password, "12345678\0x", 10);
		check_number("a NUL", rds_is_password(&password, &why), false);
	}
}

static void test_hosts(void **state)
{
	static const struct {
		const char *host;
		bool known;
		const char *id, *region;
	} cases[] = {
		{ "mydb.abc123.eu-central-1.rds.amazonaws.com", true, "mydb", "eu-central-1" },
		{ "MyDB.abc123.EU-Central-1.RDS.amazonaws.com", true, "mydb", "eu-central-1" },
		{ "mydb.abc123.eu-central-1.rds.amazonaws.com.", true, "mydb", "eu-central-1" },
		{ "mydb.abc123.cn-north-1.rds.amazonaws.com.cn", true, "mydb", "cn-north-1" },
		{ "mydb.abc123.rds.cn-north-1.amazonaws.com.cn", true, "mydb", "cn-north-1" },
		{ "MyDB.abc123.RDS.cn-northwest-1.amazonaws.com.cn.", true, "mydb",
			"cn-northwest-1" },
		{ "a.cluster-ro-abc123.rds.cn-north-1.amazonaws.com.cn", true, NULL, "cn-north-1" },
		{ "a.proxy-abc123.rds.cn-north-1.amazonaws.com.cn", true, NULL, "cn-north-1" },
		{ "mydb.rds.cn-north-1.amazonaws.com.cn", false, NULL, NULL },
		{ "mydb.abc123.rds.nowhere.amazonaws.com.cn", false, NULL, NULL },
		{ "mydb.abc123.cn-north-1.amazonaws.com.cn", false, NULL, NULL },
		{ "rds.cn-north-1.amazonaws.com.cn", false, NULL, NULL },
		{ ".amazonaws.com.cn", false, NULL, NULL },
		{ "a.cluster-custom-abc123.us-east-1.rds.amazonaws.com", true, NULL, "us-east-1" },
		{ "mydb.abc123.us-gov-west-1.rds.amazonaws.com", true, "mydb", "us-gov-west-1" },
		{ "a.cluster-abc123.us-east-1.rds.amazonaws.com", true, NULL, "us-east-1" },
		{ "a.cluster-ro-abc123.us-east-1.rds.amazonaws.com", true, NULL, "us-east-1" },
		{ "a.proxy-abc123.us-east-1.rds.amazonaws.com", true, NULL, "us-east-1" },
		{ "b.endpoint.proxy-abc123.us-east-1.rds.amazonaws.com", true, NULL, "us-east-1" },
		{ "mydb.abc123.eu-central-1.rds.amazonaws.com.evil.example", false, NULL, NULL },
		{ "mydb.abc123.eu-central-1.rds.amazonaws.org", false, NULL, NULL },
		{ "mydb.abc123.nowhere.rds.amazonaws.com", false, NULL, NULL },
		{ "mydb.eu-central-1.rds.amazonaws.com", false, NULL, NULL },
		{ ".rds.amazonaws.com", false, NULL, NULL },
		{ "rds.amazonaws.com", false, NULL, NULL },
		{ "eu-central-1.rds.amazonaws.com", false, NULL, NULL },
		{ "db.example.com", false, NULL, NULL },
		{ "localhost", false, NULL, NULL },
		{ "/var/run/postgresql", false, NULL, NULL },
		{ ".", false, NULL, NULL },
		{ "", false, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(mem_cleanup) char *id = NULL;
		CLEANUP(mem_cleanup) char *region = NULL;

		check_number(
			cases[i].host, rds_parse_host(cases[i].host, &id, &region), cases[i].known);
		check_text(cases[i].host, id, cases[i].id);
		check_text(cases[i].host, region, cases[i].region);
	}
}

static void test_statuses(void **state)
{
	static const struct {
		const char *status;
		bool running, lost;
	} cases[] = {
		{ "available", true, false },
		{ "backing-up", true, false },
		{ "modifying", true, false },
		{ "resetting-master-credentials", true, false },
		{ "configuring-iam-database-auth", true, false },
		{ "storage-optimization", true, false },
		{ "creating", false, false },
		{ "starting", false, false },
		{ "stopping", false, false },
		{ "stopped", false, false },
		{ "failed", false, true },
		{ "deleting", false, true },
		{ "incompatible-network", false, true },
		{ "incompatible-parameters", false, true },
		{ "restore-error", false, true },
		{ "storage-full", false, true },
		{ "", false, false },
		{ "something-new", false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		check_number(
			cases[i].status, instance_is_running(cases[i].status), cases[i].running);
		check_number(cases[i].status, instance_is_lost(cases[i].status), cases[i].lost);
	}
}

static const struct rds_wanted wanted = {
	.id = "mydb",
	.class = "db.t4g.micro",
	.user = "postgres",
	.storage_gb = 20,
	.backup_days = 7,
	.deletion_protection = true,
};

/* A password appears once, encoded, and takes the place of AWS's own. */
static void test_query_with_password(void **state)
{
	CLEANUP(secret_release) struct secret password = SECRET_INIT;
	CLEANUP(query_release) struct query query = QUERY_INIT;
	struct rds_wanted with = wanted;

	(void)state;
	secret_set(&password, "a&b=c%d+e", 9);
	with.password = &password;
	rds_create_query(&with, &query);
	check_holds("query", query.body.data, "&MasterUserPassword=a%26b%3Dc%25d%2Be&");
	check_number("managed", strstr(query.body.data, "ManageMasterUserPassword") != NULL, 0);
}

static void test_query_is_listed_without_its_password(void **state)
{
	CLEANUP(secret_release) struct secret password = SECRET_INIT;
	CLEANUP(query_release) struct query query = QUERY_INIT;
	CLEANUP(strlist_release) struct strlist lines = STRLIST_INIT;

	(void)state;
	secret_set(&password, "topsecret", 9);
	query_add(&query, "a b&c=d%", "Name");
	query_add(&query, secret_reveal(&password), "MasterUserPassword");
	query_add(&query, "", "Empty");
	instance_list_query(&query, &lines);
	check_number("lines", (long long)lines.count, 3);
	check_text("decoded", lines.items[0], "Name=a b&c=d%");
	check_text("masked", lines.items[1], "MasterUserPassword=****");
	check_text("empty", lines.items[2], "Empty=");
}

static void test_wanted_is_checked(void **state)
{
	static const struct {
		int storage_gb, backup_days;
		bool allowed;
	} cases[] = {
		{ 20, 7, true },
		{ 65536, 35, true },
		{ 20, 0, true },
		{ 19, 7, false },
		{ 65537, 7, false },
		{ 20, 36, false },
		{ 20, -1, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(err_release) struct err err = ERR_INIT;
		struct rds_wanted one = wanted;

		one.storage_gb = cases[i].storage_gb;
		one.backup_days = cases[i].backup_days;
		check_number("numbers", instance_check_wanted(&one, &err) == 0, cases[i].allowed);
		check_number("kind", err.kind, cases[i].allowed ? ERR_NONE : ERR_USAGE);
	}
}

/* Of what was not asked for only the safety is compared. */
static void test_differences(void **state)
{
	static char id[] = "mydb", status[] = "available", engine[] = "postgres",
		    version[] = "16.3", class[] = "db.t3.micro", user[] = "root",
		    groups[] = "sg-11111111 sg-22222222";
	const struct rds_instance instance = {
		.id = id,
		.status = status,
		.engine = engine,
		.engine_version = version,
		.class = class,
		.master_user = user,
		.groups = groups,
		.storage_gb = 50,
		.backup_days = 1,
		.encrypted = false,
	};
	const struct rds_wanted cases[] = {
		{ .backup_days = -1 },
		{ .backup_days = -1, .engine_version = "16" },
		{ .backup_days = -1, .engine_version = "16.3" },
		{ .backup_days = -1, .engine_version = "1" },
		{ .backup_days = -1, .group = "sg-22222222" },
		{ .backup_days = -1, .group = "sg-2222222" },
		{ .backup_days = -1, .deletion_protection = true },
		{ .backup_days = 7,
			.storage_gb = 20,
			.class = "db.t4g.micro",
			.user = "postgres",
			.database = "shop" },
	};
	static const size_t counts[] = { 1, 1, 1, 2, 1, 2, 2, 6 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(strlist_release) struct strlist differences = STRLIST_INIT;

		instance_differences(&instance, &cases[i], &differences);
		check_number("differences", (long long)differences.count, (long long)counts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_instance_ids),
		UNIT_TEST(test_classes),
		UNIT_TEST(test_engine_versions),
		UNIT_TEST(test_users_and_databases),
		UNIT_TEST(test_passwords),
		UNIT_TEST(test_hosts),
		UNIT_TEST(test_statuses),
		UNIT_TEST(test_query_with_password),
		UNIT_TEST(test_query_is_listed_without_its_password),
		UNIT_TEST(test_wanted_is_checked),
		UNIT_TEST(test_differences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
