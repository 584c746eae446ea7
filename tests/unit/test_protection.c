#include "unit.h"

#include "base/mem.h"
#include "pg/protection.h"

#include <stdlib.h>
#include <string.h>

/* --- the mark -------------------------------------------------------------------------------- */

static void test_mark_read(void **state)
{
	(void)state;
	static const struct {
		const char *comment;
		enum protection_mark mark;
		const char *target;
	} cases[] = {
		{ NULL, PROTECTION_UNMARKED, NULL },
		{ "", PROTECTION_UNMARKED, NULL },
		{ "the shop", PROTECTION_UNMARKED, NULL },
		{ "[dbrig:protected=prod]", PROTECTION_MARKED, "prod" },
		{ "the shop [dbrig:protected=prod-eu_2] of ours", PROTECTION_MARKED, "prod-eu_2" },
		{ "[dbrig:unprotected]", PROTECTION_LIFTED, NULL },
		{ "[dbrig:unprotected] [dbrig:protected=prod]", PROTECTION_MARKED, "prod" },
		{ "[dbrig:protected=prod][dbrig:unprotected]", PROTECTION_MARKED, "prod" },
		{ "[dbrig:protected=a] [dbrig:protected=b]", PROTECTION_MARKED, "b" },
		{ "[[dbrig:protected=prod]]", PROTECTION_MARKED, "prod" },
		/* By hand. */
		{ "[dbrig:protected=]", PROTECTION_MARKED, NULL },
		{ "[dbrig:protected=a b]", PROTECTION_MARKED, NULL },
		{ "[dbrig:protected=prod", PROTECTION_MARKED, NULL },
		{ "[dbrig:protected]", PROTECTION_MARKED, NULL },
		{ "[DBRIG:PROTECTED=prod]", PROTECTION_MARKED, NULL },
		{ "the shop [ dbrig : Protected = prod ] of ours", PROTECTION_MARKED, NULL },
		{ "[dbrig:protected: yes, do not touch!", PROTECTION_MARKED, NULL },
		{ "[dbrig:protected] [dbrig:unprotected]", PROTECTION_MARKED, NULL },
		{ "[dbrig:protected] [dbrig:protected=prod]", PROTECTION_MARKED, "prod" },
		{ "dbrig:protected", PROTECTION_UNMARKED, NULL },
		{ "[dbrig:prot]", PROTECTION_UNMARKED, NULL },
		{ "[DBRIG:UNPROTECTED]", PROTECTION_UNMARKED, NULL },
		{ "[dbrig:made of=shop] [dbrig:protected=prod]", PROTECTION_MARKED, "prod" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(mem_cleanup) char *target = NULL;

		assert_int_equal(protection_read(cases[i].comment, &target), cases[i].mark);
		if (cases[i].target)
			assert_string_equal(target, cases[i].target);
		else
			assert_null(target);
		assert_int_equal(protection_read(cases[i].comment, NULL), cases[i].mark);
	}
}

static void test_mark_write(void **state)
{
	(void)state;
	static const struct {
		const char *comment;
		enum protection_mark mark;
		const char *result;
	} cases[] = {
		{ NULL, PROTECTION_UNMARKED, NULL },
		{ NULL, PROTECTION_MARKED, "[dbrig:protected=prod]" },
		{ NULL, PROTECTION_LIFTED, "[dbrig:unprotected]" },
		{ "the shop", PROTECTION_MARKED, "the shop [dbrig:protected=prod]" },
		{ "the shop [dbrig:protected=x]", PROTECTION_MARKED,
			"the shop [dbrig:protected=prod]" },
		{ "the shop [dbrig:protected=x]", PROTECTION_UNMARKED, "the shop" },
		{ "[dbrig:protected=x] the shop", PROTECTION_UNMARKED, "the shop" },
		{ "[dbrig:protected=x] [dbrig:made of=shop]", PROTECTION_MARKED,
			"[dbrig:made of=shop] [dbrig:protected=prod]" },
		{ "the shop [dbrig:protected=x]", PROTECTION_LIFTED,
			"the shop [dbrig:unprotected]" },
		{ "[dbrig:protected=x]", PROTECTION_UNMARKED, NULL },
		{ "[dbrig:pro[dbrig:unprotected]tected=x]", PROTECTION_UNMARKED, NULL },
		{ "a [dbrig:made of=shop]", PROTECTION_MARKED,
			"a [dbrig:made of=shop] [dbrig:protected=prod]" },
		{ "a[b]", PROTECTION_UNMARKED, "a[b]" },
		{ "the shop [DBRIG: Protected] of ours", PROTECTION_UNMARKED, "the shop of ours" },
		{ "the shop [dbrig:protected=a b] x", PROTECTION_LIFTED,
			"the shop x [dbrig:unprotected]" },
		{ "[dbrig:protected=prod and more", PROTECTION_UNMARKED, "and more" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(mem_cleanup)
		char *result = protection_write(cases[i].comment, cases[i].mark, "prod");

		if (cases[i].result)
			assert_string_equal(result, cases[i].result);
		else
			assert_null(result);
	}
}

static void test_mark_carried(void **state)
{
	(void)state;
	CLEANUP(mem_cleanup) char *kept = protection_carry("new", "old [dbrig:protected=prod]");
	CLEANUP(mem_cleanup) char *none = protection_carry("new [dbrig:protected=prod]", "old");
	CLEANUP(mem_cleanup) char *free_one = protection_carry(NULL, "[dbrig:unprotected] x");
	CLEANUP(mem_cleanup) char *by_hand = protection_carry("new", "old [Dbrig:Protected");

	assert_string_equal(kept, "new [dbrig:protected=prod]");
	assert_string_equal(none, "new");
	assert_string_equal(free_one, "[dbrig:unprotected]");
	assert_string_equal(by_hand, "new [dbrig:protected]");
	assert_null(protection_carry(NULL, NULL));
}

/* --- the signs ------------------------------------------------------------------------------- */

static void test_names(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool is_production;
	} cases[] = {
		{ "prod", true },
		{ "PROD", true },
		{ "Production", true },
		{ "prd", true },
		{ "prod-eu", true },
		{ "production_2", true },
		{ "prod_", true },
		{ "eu-prod", true },
		{ "shop_eu_PRD", true },
		{ "prod2", true },
		{ "production02", true },
		{ "eu_prod1-b", true },
		{ "x-prod", true },
		{ "non-x-prod", true },
		{ "prod-not-prod", true },
		{ "not_", false },
		{ "local", false },
		{ "test", false },
		{ "product", false },
		{ "preprod", false },
		{ "staging", false },
		{ "produ", false },
		{ "prods", false },
		{ "2prod", false },
		{ "prod2x", false },
		{ "nonprod", false },
		{ "non-prod", false },
		{ "not_prod", false },
		{ "No-Production2", false },
		{ "pre_prod-eu", false },
		{ "un-prd", false },
		{ "non--prod", false },
		{ "-", false },
		{ "", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_number(
			cases[i].name, protection_is_name(cases[i].name), cases[i].is_production);
}

static void test_list(void **state)
{
	(void)state;
	assert_true(protection_lists("staging", "staging"));
	assert_true(protection_lists("a, Staging ,b", "staging"));
	assert_true(protection_lists("a\tb\nstaging", "staging"));
	assert_true(protection_lists("a\r\nlive-eu\r", "live_eu"));
	assert_true(protection_lists("LIVE_EU", "live-eu"));
	assert_true(protection_lists("staging\r", "staging"));
	assert_false(protection_lists("live eu", "live-eu"));
	assert_true(protection_lists("live;staging", "staging"));
	assert_false(protection_lists("staging2", "staging"));
	assert_false(protection_lists("", "staging"));
	assert_false(protection_lists(" , ", "staging"));
	assert_false(protection_lists(NULL, "staging"));
}

static void test_services(void **state)
{
	(void)state;
	static const char *const hosted[] = { "mydb.abc123.eu-central-1.rds.amazonaws.com",
		"mydb.abc123.rds.cn-north-1.amazonaws.com.cn",
		"MYDB.ABC123.EU-CENTRAL-1.RDS.AMAZONAWS.COM.", "/cloudsql/project:region:instance",
		"shop.postgres.database.azure.com", "db.abcdef.supabase.co",
		"aws-0-eu-central-1.pooler.supabase.com", "ep-x-123.eu-central-1.aws.neon.tech",
		"neon.tech.", "dpg-abc-a.frankfurt-postgres.render.com" };
	static const char *const own[] = { "localhost", "127.0.0.1", "::1", "",
		"/var/run/postgresql", "db", "db.internal", "notneon.tech", "neon.tech.example.org",
		"render.com", "www.render.com", "postgres.render.com.evil.org" };

	for (size_t i = 0; i < ARRAY_SIZE(hosted); i++)
		assert_non_null(protection_service(hosted[i]));
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		assert_null(protection_service(own[i]));
}

static void test_service_roles(void **state)
{
	(void)state;
	assert_string_equal(
		"rdsadmin", protection_service_role("mydb.abc123.eu-central-1.rds.amazonaws.com"));
	assert_string_equal(
		"cloudsqlsuperuser", protection_service_role("/cloudsql/project:region:instance"));
	assert_string_equal(
		"azure_pg_admin", protection_service_role("shop.postgres.database.azure.com"));
	assert_string_equal("supabase_admin", protection_service_role("db.abcdef.supabase.co"));
	assert_null(protection_service_role("dpg-abc-a.frankfurt-postgres.render.com"));
	assert_null(protection_service_role("localhost"));
}

/* Each sign alone, and which of several is told: the one that says most. */
static void test_reason(void **state)
{
	(void)state;
	static const struct {
		struct protection_signs signs;
		const char *told; /* NULL: not protected */
	} cases[] = {
		{ { .target = "local" }, NULL },
		{ { .target = "local", .host = "localhost" }, NULL },
		{ { .target = "prod" }, "production by its name" },
		{ { .target = "prod", .mark = PROTECTION_LIFTED }, "production by its name" },
		{ { .target = "staging", .is_listed = true }, "DB_PROTECTED_TARGETS" },
		{ { .target = "staging", .is_listed = true, .mark = PROTECTION_LIFTED },
			"DB_PROTECTED_TARGETS" },
		{ { .target = "local", .mark = PROTECTION_MARKED, .marked_as = "prod" },
			"marked as that of the target \"prod\"" },
		{ { .target = "local", .mark = PROTECTION_MARKED }, "it is marked by hand" },
		{ { .target = "local",
			  .mark = PROTECTION_MARKED,
			  .marked_as = "prod",
			  .carrier = "its snapshot" },
			"its snapshot is marked as that of the target \"prod\"" },
		{ { .target = "local", .mark = PROTECTION_MARKED, .carrier = "its snapshot" },
			"its snapshot is marked by hand" },
		{ { .target = "local", .was_marked_as = "prod" },
			"it was marked as that of the target \"prod\", and its mark is gone" },
		{ { .target = "local", .was_marked_as = "prod", .mark = PROTECTION_MARKED },
			"it is marked by hand" },
		{ { .target = "local", .was_marked_as = "prod", .mark = PROTECTION_LIFTED }, NULL },
		{ { .target = "prod", .was_marked_as = "prod" }, "production by its name" },
		{ { .target = "staging", .is_listed = true, .was_marked_as = "prod" },
			"DB_PROTECTED_TARGETS" },
		{ { .target = "local", .was_marked_as = "prod", .twin = "PROD_CONNECTION_URL" },
			"its mark is gone" },
		{ { .target = "local", .was_marked_as = "prod", .host = "x.neon.tech" },
			"its mark is gone" },
		{ { .target = "local", .was_marked_as = "prod", .address = "1.2.3.4" },
			"its mark is gone" },
		{ { .target = "local", .twin = "PROD_CONNECTION_URL" },
			"PROD_CONNECTION_URL leads to the same database" },
		{ { .target = "local", .twin = "PROD_CONNECTION_URL", .mark = PROTECTION_LIFTED },
			"PROD_CONNECTION_URL leads to the same database" },
		{ { .target = "local", .host = "x.abc123.eu-west-1.rds.amazonaws.com" },
			"Amazon RDS" },
		{ { .target = "local", .host = "localhost,x.neon.tech" }, "x.neon.tech" },
		{ { .target = "local",
			  .host = "x.abc123.eu-west-1.rds.amazonaws.com",
			  .mark = PROTECTION_LIFTED },
			NULL },
		{ { .target = "local", .address = "1.2.3.4" }, "on the internet" },
		{ { .target = "local", .address = "2a05:d018::5" },
			"its server 2a05:d018::5 is on the internet" },
		{ { .target = "local", .host = "::1" }, NULL },
		{ { .target = "local", .host = "2a05:d018::5" }, NULL },
		{ { .target = "local", .address = "1.2.3.4", .mark = PROTECTION_LIFTED }, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(mem_cleanup) char *reason = protection_reason(&cases[i].signs);

		if (!cases[i].told) {
			assert_null(reason);
			continue;
		}
		assert_non_null(reason);
		assert_non_null(strstr(reason, cases[i].told));
	}
}

/* --- the decision ---------------------------------------------------------------------------- */

static void test_consent(void **state)
{
	static const struct {
		const char *words;
		bool is_consent;
	} cases[] = {
		{ NULL, false }, { "", false }, { " \t\n", false }, { ".", false }, { "y", false },
		{ "yes", false }, { " yes ", false }, { "yes.", false }, { "yes !", false },
		{ "1 2", false }, { "ok 1", false }, { "drop-it", false },
		{ "\xF0\x9F\x91\x8D \xF0\x9F\x91\x8D", false },    /* pictographs */
		{ "\xE2\x80\xA6 \xE2\x80\xA6", false },            /* ellipses */
		{ "\xFF \xFF", false }, { "\xE6\x98\xAF", false }, /* one ideograph */
		{ "drop it", true }, { "drop\nit", true }, { "\"2x: a, b\"", true },
		{ "\xC3\xA4h \xC3\xB6h", true }, { "\xD0\xB4\xD0\xB0 \xD0\xB4\xD0\xB0", true },
		{ "\xE5\x88\xA0\xE9\x99\xA4", true }, /* two ideographs */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_number(cases[i].words ? cases[i].words : "NULL",
			protection_is_consent(cases[i].words), cases[i].is_consent);
}

static const char *const confirms[] = { NULL, "shop", "SHOP", "shop2", "" };
static const char *const typings[] = { NULL, "shop", "Shop", "y", "" };
static const char *const consents[] = { NULL, "", "  \t", "y", "yes, drop the shop" };

/* Said once more in other words, for each of the combinations. */
static enum protection_verdict expected(const struct protection_case *c)
{
	const bool named = c->confirm && strcmp(c->confirm, "shop") == 0;
	const bool consented = c->consent && strchr(c->consent, ',');

	if (c->confirm && !named)
		return PROTECTION_OTHER_CONFIRM;
	if (!c->is_protected)
		return PROTECTION_ALLOWED;
	if (c->is_agent)
		return !consented ? PROTECTION_NO_CONSENT
		       : named    ? PROTECTION_ALLOWED
				  : PROTECTION_UNCONFIRMED;
	if (named)
		return PROTECTION_ALLOWED;
	if (!c->has_terminal)
		return PROTECTION_UNCONFIRMED;
	if (!c->typed)
		return PROTECTION_ASK;
	return strcmp(c->typed, "shop") == 0 ? PROTECTION_ALLOWED : PROTECTION_OTHER_TYPED;
}

static void test_every_decision(void **state)
{
	(void)state;
	size_t allowed = 0, total = 0;

	for (unsigned bits = 0; bits < 8; bits++)
		for (size_t c = 0; c < ARRAY_SIZE(confirms); c++)
			for (size_t t = 0; t < ARRAY_SIZE(typings); t++)
				for (size_t w = 0; w < ARRAY_SIZE(consents); w++) {
					const struct protection_case one = {
						.is_protected = bits & 1,
						.has_terminal = bits & 2,
						.is_agent = bits & 4,
						.database = "shop",
						.confirm = confirms[c],
						.typed = typings[t],
						.consent = consents[w],
					};

					assert_int_equal(protection_decide(&one), expected(&one));
					total++;
					allowed += one.is_protected &&
						   protection_decide(&one) == PROTECTION_ALLOWED;
				}
	assert_int_equal(total, 1000);
	/* With the name: a person 25 ways each with and without a terminal, 5 by typing it; an
	 * agent 5 each with consent. */
	assert_int_equal(allowed, 2 * 25 + 5 + 2 * 5);
}

/* --- agents ---------------------------------------------------------------------------------- */

static void test_agents(void **state)
{
	(void)state;
	for (size_t i = 0; protection_agent_variables[i]; i++)
		unsetenv(protection_agent_variables[i]);
	unsetenv("DBRIG_AGENT");
	unsetenv("REPLIT_SESSION");
	assert_null(protection_agent());
	for (size_t i = 0; protection_agent_variables[i]; i++) {
		setenv(protection_agent_variables[i], "1", 1);
		assert_string_equal(protection_agent(), protection_agent_variables[i]);
		setenv("DBRIG_AGENT", "0", 1);
		assert_null(protection_agent());
		unsetenv("DBRIG_AGENT");
		setenv(protection_agent_variables[i], "", 1);
		assert_null(protection_agent());
		unsetenv(protection_agent_variables[i]);
	}
	setenv("REPLIT_SESSION", "person-1", 1);
	assert_null(protection_agent());
	setenv("REPLIT_SESSION", "agent-1", 1);
	assert_string_equal(protection_agent(), "REPLIT_SESSION");
	unsetenv("REPLIT_SESSION");
	setenv("DBRIG_AGENT", "1", 1);
	assert_string_equal(protection_agent(), "DBRIG_AGENT");
	unsetenv("DBRIG_AGENT");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mark_read),
		cmocka_unit_test(test_mark_write),
		cmocka_unit_test(test_mark_carried),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_services),
		cmocka_unit_test(test_service_roles),
		cmocka_unit_test(test_reason),
		cmocka_unit_test(test_every_decision),
		cmocka_unit_test(test_consent),
		cmocka_unit_test(test_agents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
