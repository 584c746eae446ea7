#include "unit.h"

#include "app/rds_failure.h"
#include "base/mem.h"

#define HOST "mydb.abc.eu-central-1.rds.amazonaws.com"
#define AT "connection to server at \"" HOST "\" (20.1.1.1), port 5432 failed: "

static void test_causes(void **state)
{
	static const struct {
		const char *detail, *sqlstate;
		enum rds_cause cause;
	} cases[] = {
		{ "The server did not answer in time.", "", RDS_CAUSE_NO_ANSWER },
		{ "The connection was accepted, but the server did not answer in time.", "",
			RDS_CAUSE_SILENT },
		{ AT "timeout expired", "", RDS_CAUSE_NO_ANSWER },
		{ AT "Connection timed out\n\tIs the server running on that host", "",
			RDS_CAUSE_NO_ANSWER },
		{ AT "Operation timed out", "", RDS_CAUSE_NO_ANSWER },
		{ AT "Connection refused\n\tIs the server running", "", RDS_CAUSE_REFUSED },
		{ AT "Network is unreachable", "", RDS_CAUSE_NO_NETWORK },
		{ AT "No route to host", "", RDS_CAUSE_NO_NETWORK },
		{ "could not translate host name \"" HOST
		  "\" to address: Name or service not known",
			"", RDS_CAUSE_UNKNOWN_HOST },
		{ AT "FATAL: no pg_hba.conf entry for host \"1.2.3.4\", user \"u\", database "
		     "\"d\", "
		     "no encryption",
			"28000", RDS_CAUSE_NO_TLS },
		{ AT "FATAL: no pg_hba.conf entry for host \"1.2.3.4\", user \"u\", database "
		     "\"d\", "
		     "SSL off",
			"28000", RDS_CAUSE_NO_TLS },
		{ AT "FATAL: no pg_hba.conf entry for host \"1.2.3.4\", user \"u\", database "
		     "\"d\", "
		     "SSL encryption",
			"28000", RDS_CAUSE_OTHER },
		{ AT "FATAL: PAM authentication failed for user \"u\"", "28000", RDS_CAUSE_TOKEN },
		{ AT "FATAL: password authentication failed for user \"u\"", "28P01",
			RDS_CAUSE_PASSWORD },
		{ AT "SSL error: certificate verify failed", "", RDS_CAUSE_CERTIFICATE },
		{ AT "server certificate for \"a\" does not match host name \"b\"", "",
			RDS_CAUSE_OTHER_NAME },
		{ AT "fe_sendauth: no password supplied", "", RDS_CAUSE_NO_PASSWORD },
		{ AT "root certificate file \"/x\" does not exist", "", RDS_CAUSE_NO_BUNDLE },
		{ AT "FATAL: database \"Connection refused\" does not exist", "3D000",
			RDS_CAUSE_OTHER },
		{ AT "FATAL: the database system is starting up", "57P03", RDS_CAUSE_OTHER },
		{ "something else", "", RDS_CAUSE_OTHER },
		{ NULL, "", RDS_CAUSE_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(err_release) struct err err = ERR_INIT;
		const char *label = cases[i].detail ? cases[i].detail : "no detail";

		err_set(&err, ERR_CONNECT, "could not connect");
		if (cases[i].detail)
			err_detail(&err, "%s", cases[i].detail);
		memcpy(err.sqlstate, cases[i].sqlstate, strlen(cases[i].sqlstate) + 1);
		check_number(label, rds_failure_cause(&err), cases[i].cause);
	}
}

static const struct {
	const char *label;
	enum rds_cause cause;
	const char *addresses[2];
	const char *status;
	bool is_iam;
	const char *hint;   /* part of it; NULL: the error's own is kept */
	const char *detail; /* part of it; NULL: none is added */
} explanations[] = {
	{ "dropped", RDS_CAUSE_NO_ANSWER, { "20.1.1.1" }, NULL, false,
		"security group does not let this machine in: rds-update-sg-rule", NULL },
	{ "dropped, IPv6", RDS_CAUSE_NO_ANSWER, { "2a01:4f8::1" }, NULL, false,
		"rds-update-sg-rule", NULL },
	{ "dropped, addresses unknown", RDS_CAUSE_NO_ANSWER, { NULL }, NULL, false,
		"rds-update-sg-rule", NULL },
	{ "dropped, one address is public", RDS_CAUSE_NO_ANSWER, { "10.0.0.1", "20.1.1.1" }, NULL,
		false, "rds-update-sg-rule", NULL },
	{ "dropped, available", RDS_CAUSE_NO_ANSWER, { "20.1.1.1" }, "available", false,
		"rds-update-sg-rule", "the instance \"mydb\" is available." },
	{ "dropped, stopped", RDS_CAUSE_NO_ANSWER, { "20.1.1.1" }, "stopped", false,
		"rds-start --instance mydb --wait --region eu-central-1",
		"the instance \"mydb\" is stopped." },
	{ "stopping", RDS_CAUSE_NO_ANSWER, { "20.1.1.1" }, "stopping", false,
		"rds-start --instance mydb", "is stopping." },
	{ "private and stopped", RDS_CAUSE_NO_ANSWER, { "10.0.0.1" }, "stopped", false,
		"rds-start --instance mydb --wait", "is stopped." },
	{ "starting", RDS_CAUSE_REFUSED, { "20.1.1.1" }, "starting", false,
		"rds-status --instance mydb --wait-for available", "is starting." },
	{ "failed", RDS_CAUSE_NO_ANSWER, { "20.1.1.1" }, "incompatible-network", false,
		"See: rds-status --instance mydb --region eu-central-1",
		"is incompatible-network." },
	{ "private", RDS_CAUSE_NO_ANSWER, { "10.0.3.4" }, NULL, false,
		"AWS-StartPortForwardingSessionToRemoteHost",
		"The host has private addresses only: 10.0.3.4." },
	{ "two private ones", RDS_CAUSE_NO_ANSWER, { "10.0.3.4", "172.31.0.9" }, NULL, false, "VPN",
		"10.0.3.4, 172.31.0.9." },
	{ "private, no route", RDS_CAUSE_NO_NETWORK, { "fd00::1" }, NULL, false, "VPN", "fd00::1" },
	{ "tunnel down", RDS_CAUSE_REFUSED, { "127.0.0.1" }, NULL, false,
		"Is the tunnel running that should listen on 127.0.0.1, port 6543?", NULL },
	{ "tunnel down, IPv6", RDS_CAUSE_REFUSED, { "::1" }, NULL, false,
		"Is the tunnel running that should listen on ::1, port 6543?", NULL },
	{ "tunnel to nowhere", RDS_CAUSE_NO_ANSWER, { "127.0.0.1" }, NULL, false,
		"does the tunnel lead to " HOST, NULL },
	{ "tunnel to a silent server", RDS_CAUSE_SILENT, { "127.0.0.1" }, NULL, false,
		"does the tunnel lead to " HOST, NULL },
	{ "silent, stopped", RDS_CAUSE_SILENT, { "20.1.1.1" }, "stopped", false, "rds-start",
		"is stopped." },
	{ "silent", RDS_CAUSE_SILENT, { "10.0.3.4" }, NULL, false, NULL, NULL },
	{ "port", RDS_CAUSE_REFUSED, { "20.1.1.1" }, NULL, false, "Is 6543 the right port?", NULL },
	{ "no network", RDS_CAUSE_NO_NETWORK, { "20.1.1.1" }, NULL, false, "is its network up?",
		NULL },
	{ "no such host", RDS_CAUSE_UNKNOWN_HOST, { NULL }, NULL, false, "rds-status --all", NULL },
	{ "no TLS", RDS_CAUSE_NO_TLS, { NULL }, NULL, false, "Leave sslmode out of the URL", NULL },
	{ "certificate", RDS_CAUSE_CERTIFICATE, { NULL }, NULL, false, "rds-ca-bundle", NULL },
	{ "other name", RDS_CAUSE_OTHER_NAME, { NULL }, NULL, false, "hostaddr", NULL },
	{ "no bundle", RDS_CAUSE_NO_BUNDLE, { NULL }, NULL, false, "rds-ca-bundle", NULL },
	{ "token", RDS_CAUSE_TOKEN, { NULL }, NULL, true, "GRANT rds_iam TO \"me\"", NULL },
	{ "password instead of a token", RDS_CAUSE_TOKEN, { NULL }, NULL, false,
		"set PROD_AUTH=iam", NULL },
	{ "token instead of a password", RDS_CAUSE_PASSWORD, { NULL }, NULL, true,
		"took the token for a password", NULL },
	{ "no password", RDS_CAUSE_NO_PASSWORD, { NULL }, NULL, false, "PROD_AUTH=iam", NULL },
	{ "full", RDS_CAUSE_REFUSED, { "20.1.1.1" }, "storage-full", false,
		"aws rds modify-db-instance --region eu-central-1 --db-instance-identifier mydb",
		"is storage-full." },
	{ "password", RDS_CAUSE_PASSWORD, { NULL }, NULL, false, "rds-password", NULL },
	{ "other", RDS_CAUSE_OTHER, { "10.0.0.1" }, "stopped", true, NULL, NULL },
};

static void test_explanations(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(explanations); i++) {
		CLEANUP(err_release) struct err err = ERR_INIT;
		struct address addresses[2];
		struct rds_facts facts = { .host = HOST,
			.id = "mydb",
			.region = "eu-central-1",
			.port = "6543",
			.user = "me",
			.variable = "PROD_AUTH",
			.is_iam = explanations[i].is_iam,
			.addresses = addresses,
			.status = explanations[i].status };

		for (; facts.address_count < 2 && explanations[i].addresses[facts.address_count];
			facts.address_count++) {
			const char *text = explanations[i].addresses[facts.address_count];

			check_number(text,
				address_parse(text, strlen(text), &addresses[facts.address_count]),
				true);
		}
		err_set(&err, ERR_CONNECT, "could not connect");
		err_detail(&err, "reason");
		err_hint(&err, "own hint");
		rds_failure_explain(explanations[i].cause, &facts, &err);
		check_holds(explanations[i].label, err.hint,
			explanations[i].hint ? explanations[i].hint : "own hint");
		if (explanations[i].detail)
			check_holds(explanations[i].label, err.detail, explanations[i].detail);
		else
			check_text(explanations[i].label, err.detail, "reason");
	}
}

/* A file that somebody named is what has to be corrected: another would not be looked at. */
static void test_named_root(void **state)
{
	static const enum rds_cause causes[] = { RDS_CAUSE_NO_BUNDLE, RDS_CAUSE_CERTIFICATE };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++) {
		CLEANUP(err_release) struct err err = ERR_INIT;
		struct rds_facts facts = { .host = HOST,
			.root = "/old.pem",
			.root_origin = "sslrootcert in PROD_CONNECTION_URL" };

		err_set(&err, ERR_CONNECT, "could not connect");
		rds_failure_explain(causes[i], &facts, &err);
		check_holds("the file", err.hint, "\"/old.pem\"");
		check_holds("its place", err.hint, "sslrootcert in PROD_CONNECTION_URL");
	}
}

static void test_quoted_user(void **state)
{
	CLEANUP(err_release) struct err err = ERR_INIT;
	struct rds_facts facts = { .host = HOST, .user = "o\"neil", .is_iam = true };

	(void)state;
	err_set(&err, ERR_CONNECT, "could not connect");
	rds_failure_explain(RDS_CAUSE_PASSWORD, &facts, &err);
	check_holds("quoted", err.hint, "GRANT rds_iam TO \"o\"\"neil\"");
}

/* A password that stands in a file is no matter of the URL. */
static void test_password_file(void **state)
{
	CLEANUP(err_release) struct err err = ERR_INIT;
	struct rds_facts facts = { .host = HOST, .user = "u" };

	(void)state;
	err_set(&err, ERR_CONNECT, "could not connect");
	err_detail(&err, "%s", "password retrieved from file \"/home/u/.pgpass\"");
	rds_failure_explain(RDS_CAUSE_PASSWORD, &facts, &err);
	check_holds("the file", err.hint, "in that file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_causes),
		UNIT_TEST(test_explanations),
		UNIT_TEST(test_named_root),
		UNIT_TEST(test_password_file),
		UNIT_TEST(test_quoted_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
