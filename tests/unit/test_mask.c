/* Passwords in statements and in the server's messages about them. */
#include "base/mem.h"
#include "sql/mask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_mask(void **state)
{
	static const struct {
		const char *text, *expected;
	} examples[] = {
		{ "", "" },
		{ "SELECT 'a'", "SELECT 'a'" },
		{ "CREATE ROLE x PASSWORD 'a' LOGIN", "CREATE ROLE x PASSWORD '***' LOGIN" },
		{ "create role x encrypted password'a''b';",
			"create role x encrypted password'***';" },
		{ "PASSWORD E'a\\'b' x", "PASSWORD '***' x" },
		{ "PASSWORD U&'a' x", "PASSWORD '***' x" },
		{ "PASSWORD $$a'$$ x", "PASSWORD '***' x" },
		{ "PASSWORD $a$b$$c$a$ x", "PASSWORD '***' x" },
		{ "PASSWORD -- c\n /* d */ 'a' x", "PASSWORD -- c\n /* d */ '***' x" },
		{ "PASSWORD 'a'\n 'b' x", "PASSWORD '***'\n '***' x" },
		{ "PASSWORD 'abc", "PASSWORD '***'" },
		{ "PASSWORD $$abc", "PASSWORD '***'" },
		{ "PASSWORD NULL 'a'", "PASSWORD NULL 'a'" },
		/* standard_conforming_strings may be off: the longer reading */
		{ "PASSWORD 'a\\'b' x", "PASSWORD '***' x" },
		{ "OPTIONS (user 'a', password 'b')", "OPTIONS (user 'a', password '***')" },
		{ "OPTIONS (SET \"sslPassword\" 'b')", "OPTIONS (SET \"sslPassword\" '***')" },
		{ "OPTIONS (password_required 'false')", "OPTIONS (password_required 'false')" },
		{ "CREATE SUBSCRIPTION s CONNECTION 'host=a password=bc' PUBLICATION p",
			"CREATE SUBSCRIPTION s CONNECTION '***' PUBLICATION p" },
		{ "CONNECTION LIMIT 5 'a'; my_connection 'b'",
			"CONNECTION LIMIT 5 'a'; my_connection 'b'" },
		{ "SET password = 'x', a.password TO 'y'; f(password => 'z')",
			"SET password = '***', a.password TO '***'; f(password => '***')" },
		{ "DO $x$BEGIN CREATE ROLE a PASSWORD 'b'; END$x$",
			"DO $x$BEGIN CREATE ROLE a PASSWORD '***'; END$x$" },
		/* inside a string: quotes doubled, doubled again, escaped */
		{ "DO $$BEGIN EXECUTE 'CREATE ROLE a PASSWORD ''b'' LOGIN'; END$$",
			"DO $$BEGIN EXECUTE 'CREATE ROLE a PASSWORD '***' LOGIN'; END$$" },
		{ "f('EXECUTE ''CREATE ROLE a PASSWORD ''''b'''' LOGIN''')",
			"f('EXECUTE ''CREATE ROLE a PASSWORD '***' LOGIN''')" },
		{ "f(E'PASSWORD \\'b\\' LOGIN')", "f(E'PASSWORD '***' LOGIN')" },
		{ "f('PASSWORD E''b'' x')", "f('PASSWORD E'***' x')" },
		{ "PASSWORD '' VALID UNTIL 'a'; f('')", "PASSWORD '***' VALID UNTIL 'a'; f('')" },
		{ "PASSWORD '''a''b' x", "PASSWORD '***' x" },
		{ "dblink('host=a password=b c=d')", "dblink('host=a password=*** c=d')" },
		{ "dblink('postgres://u:p@h/d?a=b@c')", "dblink('postgres://u:***@h/d?a=b@c')" },
		{ "'http://h:80/a' '@'", "'http://h:80/a' '@'" },
		{ "'http://h:80/a@b', x", "'http://h:80/a@b', x" },
		{ "'postgres://u:12/34@h', x", "'postgres://u:***@h', x" },
		/* the end of a string that the word stands in begins none */
		{ "CHECK (a <> 'password=' || b), c nope",
			"CHECK (a <> 'password=' || b), c nope" },
		{ "select E'password=\\'x', c, 'd'", "select E'password='***'', c, 'd'" },
		{ "select 'password' , 'abc', c", "select 'password' , 'abc', c" },
		{ "c = 'postgres://h/x?password'", "c = 'postgres://h/x?password'" },
		{ "(c = 'postgres://h/x?password=') d '", "(c = 'postgres://h/x?password=') d '" },
		{ "f('password=' || 'a' || g('b'), 'c')",
			"f('password=' || '***' || g('***'), 'c')" },
		{ "E'ROLE x PASSWORD ' || quote_literal('a'); 'b'",
			"E'ROLE x PASSWORD ' || quote_literal('***'); 'b'" },
		{ "PASSWORD ', a' x", "PASSWORD '***' x" },
		/* that a reading from the beginning would miss */
		{ "a 'b' \"c'd\" -- e'f\n PASSWORD ', a' x",
			"a 'b' \"c'd\" -- e'f\n PASSWORD '***' x" },
		{ "SELECT 'a\\' PASSWORD 'b' x", "SELECT 'a\\' PASSWORD '***' x" },
		{ "SELECT $$it's$$ PASSWORD 'b' x'", "SELECT $$it's$$ PASSWORD '***' x'" },
		/* a template's arguments */
		{ "format('x PASSWORD %L', 'a', f('b')); 'c'",
			"format('x PASSWORD %L', '***', f('***')); 'c'" },
		{ "format('PASSWORD ''%1$s'' x', 'a') 'c'",
			"format('PASSWORD ''%1$s'' x', '***') 'c'" },
		{ "format($f$PASSWORD %L$f$, 'a') 'c'", "format($f$PASSWORD %L$f$, '***') 'c'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

		sql_mask(examples[i].text, strlen(examples[i].text), &out);
		if (strcmp(out.data, examples[i].expected) != 0)
			fail_msg("%s\n  got      %s\n  expected %s", examples[i].text, out.data,
				examples[i].expected);
	}
}

static void test_mask_never_loses_its_way(void **state)
{
	static const char *const texts[] = {
		"'my password ', password 'secret' x",
		"-- don't password\nCREATE ROLE x PASSWORD 'secret'",
		"SELECT 'it''s', \"a'b\"; ALTER ROLE x PASSWORD 'secret'",
		"password 'a\\'; ALTER ROLE x PASSWORD 'secret'",
		"password E'a\\\\'; ALTER ROLE x PASSWORD 'secret'; '\\'",
		"password $a$ $b$; ALTER ROLE x PASSWORD 'secret'; $a$",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

		sql_mask(texts[i], strlen(texts[i]), &out);
		if (strstr(out.data, "secret"))
			fail_msg("%s\n  got %s", texts[i], out.data);
	}
}

static void test_mask_ceiling(void **state)
{
	CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

	(void)state;
	strbuf_init(&out, 12);
	sql_mask("a password 'b' c", 16, &out);
	assert_string_equal(out.data, "a password '");
}

static void test_message(void **state)
{
	static const struct {
		const char *text, *message, *expected;
	} examples[] = {
		{ "ALTER ROLE x PASSWORD 'hunter2' y", "syntax error at or near \"'hunter2'\"",
			"syntax error at or near \"'***'\"" },
		{ "PASSWORD 'hun''ter'", "x hun'ter y hun''ter", "x *** y ***" },
		{ "PASSWORD E'hun\\'ter'", "x hun'ter", "x ***" },
		{ "PASSWORD 'hunter2; b", "unterminated quoted string at or near \"'hunter2; b\"",
			"unterminated quoted string at or near \"'***\"" },
		{ "PASSWORD 'ab'", "about ab", "about ab" },
		{ "PASSWORD 'ab' 'ab'", "at or near \"'ab'\"", "at or near \"'***'\"" },
		{ "PASSWORD 'abc', password 'abcd'", "abcd abc", "*** ***" },
		{ "SELECT 'abc'", "abc", "abc" },
		{ "c('postgres://u:hunter2@h')", "to hunter2", "to ***" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		CLEANUP(mem_cleanup)
		char *got = sql_mask_message(
			examples[i].text, strlen(examples[i].text), examples[i].message);

		if (strcmp(got, examples[i].expected) != 0)
			fail_msg("%s: %s\n  got      %s\n  expected %s", examples[i].text,
				examples[i].message, got, examples[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mask),
		cmocka_unit_test(test_mask_never_loses_its_way),
		cmocka_unit_test(test_mask_ceiling),
		cmocka_unit_test(test_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
