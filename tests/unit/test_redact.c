/* Passwords in text that is shown. */
#include "unit.h"

#include "base/mem.h"
#include "base/redact.h"

static const struct {
	const char *text, *expected;
} cases[] = {
	{ "", "" },
	{ "shop", "shop" },
	{ "postgresql://app:sekret@127.0.0.1/shop", "postgresql://app:***@127.0.0.1/shop" },
	{ "POSTGRES://app:sekret@h", "POSTGRES://app:***@h" },
	{ "postgresql://:sekret@h", "postgresql://:***@h" },
	{ "postgresql://app:se%40k%2Fret@h/d", "postgresql://app:***@h/d" },
	{ "--x=postgresql://app:sekret@h", "--x=postgresql://app:***@h" },
	{ "http://me:sekret@proxy:80/a", "http://me:***@proxy:80/a" },
	/* what had to be encoded, and was not */
	{ "postgresql://app:s@k:r@h/d", "postgresql://app:***@h/d" },
	{ "postgresql://app:se/k?r#t@h/d", "postgresql://app:***@h/d" },
	{ "postgresql://app:12/34@h/d", "postgresql://app:***@h/d" },
	{ "postgresql://app:se \"k' t@h/d", "postgresql://app:***@h/d" },
	{ "at postgresql://app:s'k\"t@h/d, \"x@y\"", "at postgresql://app:***@h/d, \"x@y\"" },
	/* without a password */
	{ "postgresql://app@h:5432/d", "postgresql://app@h:5432/d" },
	{ "postgresql://app:@h/d", "postgresql://app:@h/d" },
	{ "postgresql://h:5432/d", "postgresql://h:5432/d" },
	{ "postgresql://h:5432,i:5433/d?options=a@b", "postgresql://h:5432,i:5433/d?options=a@b" },
	{ "postgresql://[::1]:5432/d", "postgresql://[::1]:5432/d" },
	{ "http://h:80/a@b", "http://h:80/a@b" },
	{ "see https://x.org/a: b@c.d", "see https://x.org/a: b@c.d" },
	{ "a b:c@d", "a b:c@d" },
	{ "arn:aws:sts::1:assumed-role/r/a@b.c", "arn:aws:sts::1:assumed-role/r/a@b.c" },
	{ "app@h:5432/d@e", "app@h:5432/d@e" },
	{ "postgresql:/app@h", "postgresql:/app@h" },
	/* without a scheme, alone */
	{ "app:sekret@h/d", "app:***@h/d" },
	{ "app:/se@k@h/d?password=a", "app:***@h/d?password=***" },
	{ "postgresql:app:sekret@h/d", "postgresql:***@h/d" },
	{ "password=a:sekret@h", "password=***:***@h" },
	/* cut off, as a path, as a part of another */
	{ "postgresql://app:sekr", "postgresql://app:***" },
	{ "\"/tmp/postgresql:/app:sekret@h/d\"", "\"/tmp/postgresql:/app:***@h/d\"" },
	{ "u=postgres%3A%2F%2Fapp%3Asekret%40h&a=%40", "u=postgres%3A%2F%2Fapp%3A***%40h&a=%40" },
	/* the query */
	{ "postgresql://h/d?user=a&password=sekret&x=y",
		"postgresql://h/d?user=a&password=***&x=y" },
	{ "postgresql://h/d?sslpassword=s k", "postgresql://h/d?sslpassword=***" },
	{ "\"postgresql://h/d?password=sekret\" is", "\"postgresql://h/d?password=***\" is" },
	{ "postgresql://a:b@h/d?password=c", "postgresql://a:***@h/d?password=***" },
	/* connection strings */
	{ "host=h password=sekret user=a", "host=h password=*** user=a" },
	{ "password = sekret", "password = ***" },
	{ "PGPASSWORD=sekret", "PGPASSWORD=***" },
	{ "password='se k\\'ret' host=h", "password=*** host=h" },
	{ "password='se k", "password=***" },
	{ "password=se\\ k&\"r host=h", "password=*** host=h" },
	{ "sslpassword=a password=b", "sslpassword=*** password=***" },
	{ "\"host=h password=sekret\" is", "\"host=h password=***\" is" },
	{ "'password=sekret'.", "'password=***'." },
	{ "oauth_client_secret=a scram_client_key=b",
		"oauth_client_secret=*** scram_client_key=***" },
	{ "password=", "password=" },
	{ "the password is wrong", "the password is wrong" },
	{ "password_required=false", "password_required=false" },
};

static void test_redact(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(mem_cleanup) char *text = redact_text(cases[i].text);
		CLEANUP(mem_cleanup) char *again = redact_text(text);

		check_text(cases[i].text, text, cases[i].expected);
		check_text("what was hidden stays as it is", again, cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_redact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
