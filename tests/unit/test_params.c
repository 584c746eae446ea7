#include "unit.h"

#include "base/mem.h"
#include "params_text.h"

/* All forms of libpq's own test (src/interfaces/libpq/t/001_uri.pl) and some more. */
static const struct {
	const char *text, *expected;
} accepted[] = {
	{ "postgresql://me:pw@h:12345/db", "user=me password=pw dbname=db host=h port=12345" },
	{ "postgres://me:pw@h:12345/db", "user=me password=pw dbname=db host=h port=12345" },
	{ "postgresql://me@h:12345/db", "user=me dbname=db host=h port=12345" },
	{ "postgresql://me@h/db", "user=me dbname=db host=h" },
	{ "postgresql://h:12345/db", "dbname=db host=h port=12345" },
	{ "postgresql://h/db", "dbname=db host=h" },
	{ "postgresql://me@h:12345/", "user=me host=h port=12345" },
	{ "postgresql://me@h/", "user=me host=h" },
	{ "postgresql://me@", "user=me" },
	{ "postgresql://h:12345/", "host=h port=12345" },
	{ "postgresql://h:12345", "host=h port=12345" },
	{ "postgresql://h/", "host=h" },
	{ "postgresql://h", "host=h" },
	{ "postgresql://", "" },
	{ "postgresql:///", "" },
	{ "postgresql:///db", "dbname=db" },
	{ "postgres://me@/db", "user=me dbname=db" },
	{ "postgresql://me:@h/db", "user=me dbname=db host=h" },
	{ "postgresql://:pw@h/db", "password=pw dbname=db host=h" },
	{ "postgresql://@h", "host=h" },
	{ "postgresql://h:/", "host=h" },
	{ "postgresql://:12345/", "port=12345" },
	{ "postgresql://h:1/d", "dbname=d host=h port=1" },
	{ "postgresql://h:65535/d", "dbname=d host=h port=65535" },
	/* the query */
	{ "postgresql://?hostaddr=127.0.0.1", "hostaddr=127.0.0.1" },
	{ "postgresql://h?hostaddr=63.1.2.4", "host=h hostaddr=63.1.2.4" },
	{ "postgresql://h/db?user=me", "user=me dbname=db host=h" },
	{ "postgresql://h/db?user=me&port=12345", "user=me dbname=db host=h port=12345" },
	{ "postgresql://h/db?u%73er=me", "user=me dbname=db host=h" },
	{ "postgresql://h:12345?user=me", "user=me host=h port=12345" },
	{ "postgresql://h?user=me", "user=me host=h" },
	{ "postgresql://h?", "host=h" },
	{ "postgresql://h/db?password=pw", "password=pw dbname=db host=h" },
	{ "postgresql://h/db?user=a&user=b", "user=b dbname=db host=h" },
	{ "postgresql://me@h/db?user=b", "user=b dbname=db host=h" },
	{ "postgresql://h/db?dbname=x", "dbname=x host=h" },
	{ "postgresql://h/db?user=me@x.y", "user=me@x.y dbname=db host=h" },
	{ "postgresql://me:pw@h/db?application_name=a@b",
		"user=me password=pw dbname=db host=h application_name=a@b" },
	{ "postgresql://h/db?sslmode=require", "dbname=db host=h sslmode=require" },
	{ "postgresql://h/db?ssl=true", "dbname=db host=h sslmode=require" },
	{ "postgresql://h/db?options=-c%20a%3Db", "dbname=db host=h options=-c a=b" },
	{ "postgresql://h/db?application_name=a%23b#c", "dbname=db host=h application_name=a#b#c" },
	{ "postgresql:///?service=prod", "service=prod" },
	/* percent-encoding */
	{ "postgresql://%68ost/", "host=host" },
	{ "postgresql://m%40e:p%40%3A%2F%3F%23%25%20w@h/d%2Fb",
		"user=m@e password=p@:/?#% w dbname=d/b host=h" },
	{ "postgresql://me:%c3%a9%C3%89@h/d%C3%A9",
		"user=me password=\xC3\xA9\xC3\x89 dbname=d\xC3\xA9 host=h" },
	{ "postgresql://me:%2540@h", "user=me password=%40 host=h" },
	{ "postgresql://h/d%22b%20%27", "dbname=d\"b ' host=h" },
	{ "postgresql://h/d%23b", "dbname=d#b host=h" },
	/* what libpq takes as it stands in a password */
	{ "postgresql://me:a:b@h/d", "user=me password=a:b dbname=d host=h" },
	{ "postgresql://me:a?b@h/d", "user=me password=a?b dbname=d host=h" },
	{ "postgresql://me:a#b@h/d", "user=me password=a#b dbname=d host=h" },
	{ "postgresql://me:!$&'()*+,;=[]\"@h/d",
		"user=me password=!$&'()*+,;=[]\" dbname=d host=h" },
	{ "postgresql://me:me@h/me", "user=me password=me dbname=me host=h" },
	/* IPv6 */
	{ "postgresql://[::1]:12345/db", "dbname=db host=::1 port=12345" },
	{ "postgresql://[::1]/db", "dbname=db host=::1" },
	{ "postgresql://[2001:db8::1234]/", "host=2001:db8::1234" },
	{ "postgresql://[::1]", "host=::1" },
	{ "postgres://me:pw@[fe80::1%25eth0]:1/d",
		"user=me password=pw dbname=d host=fe80::1%eth0 port=1" },
	/* sockets */
	{ "postgres://?host=/path/to/socket/dir", "host=/path/to/socket/dir" },
	{ "postgres://me@?host=/dir", "user=me host=/dir" },
	{ "postgres://me@/?host=/dir", "user=me host=/dir" },
	{ "postgres://me@:12345?host=/dir", "user=me host=/dir port=12345" },
	{ "postgres://me@:12345/db?host=/dir", "user=me dbname=db host=/dir port=12345" },
	{ "postgres://:12345/db?host=/dir", "dbname=db host=/dir port=12345" },
	{ "postgres://%2Fvar%2Flib%2Fpostgresql/db", "dbname=db host=/var/lib/postgresql" },
	{ "postgres:///db?host=/a%20b", "dbname=db host=/a b" },
	/* several hosts */
	{ "postgresql://a,b/db", "dbname=db host=a,b port=," },
	{ "postgresql://me:pw@a:1,b:2/db", "user=me password=pw dbname=db host=a,b port=1,2" },
	{ "postgresql://a:1,[::1]:2,b/db?target_session_attrs=any",
		"dbname=db host=a,::1,b port=1,2, target_session_attrs=any" },
	{ "postgresql://a,b:5433/db", "dbname=db host=a,b port=,5433" },
	/* keywords and values */
	{ "host=h", "host=h" },
	{ "host=h port=1 user=me password=pw dbname=db",
		"user=me password=pw dbname=db host=h port=1" },
	{ "host=h dbname='d b'", "dbname=d b host=h" },
	{ "password='a\\'b\\\\c d'", "password=a'b\\c d" },
	{ "password=a@b:c/d?e#f%g", "password=a@b:c/d?e#f%g" },
	{ "password=a=b", "password=a=b" },
	{ "host=h\npassword=pw\tdbname=db", "password=pw dbname=db host=h" },
	{ "service=prod", "service=prod" },
	{ "dbname=postgresql://x", "dbname=postgresql://x" },
	{ "host=''", "" },
};

static void test_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(accepted); i++) {
		CLEANUP(params_release) struct params params = PARAMS_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;
		CLEANUP(mem_cleanup) char *got = NULL;

		check_number(
			accepted[i].text, params_parse(&params, "URL", accepted[i].text, &err), 0);
		check_text(accepted[i].text, err.message, NULL);
		got = params_text(&params);
		check_text(accepted[i].text, got, accepted[i].expected);
	}
}

/* No piece of three bytes of the secret stands in the text. */
static void check_no_piece(const char *label, const char *text, const char *secret)
{
	for (size_t i = 0; text && i + 3 <= strlen(secret); i++) {
		CLEANUP(mem_cleanup) char *piece = mem_strndup(secret + i, 3);

		if (strstr(text, piece)) {
			print_error("%s: shows \"%s\"\n", label, piece);
			unit_fail(label, text, "no piece of the password");
			return;
		}
	}
}

struct refused {
	const char *text;
	const char *secret;  /* what must not be shown */
	const char *message; /* behind "URL is not a valid connection URL: " */
	const char *detail;  /* NULL: none, or any when it begins with "The URL reads" */
	const char *hint;    /* a piece of it */
};

static void check_refused(const struct refused *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct refused *c = &cases[i];
		CLEANUP(params_release) struct params params = PARAMS_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;
		CLEANUP(mem_cleanup)
		char *message = mem_printf("URL is not a valid connection URL: %s", c->message);

		check_number(c->text, params_parse(&params, "URL", c->text, &err), -1);
		check_err(c->text, &err, ERR_USAGE, message);
		check_text(c->text, err.detail, c->detail);
		check_holds(c->text, err.hint, c->hint);
		check_no_piece(c->text, err.message, c->secret);
		check_no_piece(c->text, err.detail, c->secret);
		check_no_piece(c->text, err.hint, c->secret);
	}
}

#define READS(text) "The URL reads " text "."

/* Raw characters where they change the meaning; the secrets consist of letters no message holds. */
static void test_raw_characters(void **state)
{
	static const struct refused cases[] = {
		{ "postgresql://me:JQX@ZVK@h:1/db", "JQX@ZVK", "the password holds a raw \"@\"",
			READS("postgresql://me:***@h:1/db"), "Write it as %40 there" },
		{ "postgresql://me:JQX/ZVK@h:1/db", "JQX/ZVK", "the password holds a raw \"/\"",
			READS("postgresql://me:***@h:1/db"), "Write it as %2F there" },
		{ "postgresql://me:JQX%ZVK@h:1/db", "JQX%ZVK", "the password holds a raw \"%\"",
			READS("postgresql://me:***@h:1/db"), "Write it as %25 there" },
		{ "postgresql://me:JQXZVK%@h:1/db", "JQXZVK%", "the password holds a raw \"%\"",
			READS("postgresql://me:***@h:1/db"), "Write it as %25 there" },
		{ "postgresql://me:JQXZVK%4@h/db", "JQXZVK%4", "the password holds a raw \"%\"",
			READS("postgresql://me:***@h/db"), "Write it as %25 there" },
		{ "postgresql://me:JQX%00ZVK@h/db", "JQX%00ZVK", "the password holds a raw \"%\"",
			READS("postgresql://me:***@h/db"), "Write it as %25 there" },
		{ "postgresql://me:@@JQX@h/db", "@JQX@", "the password holds a raw \"@\"",
			READS("postgresql://me:***@h/db"), "Write it as %40 there" },
		{ "postgresql://me:JQX?Z/VKQ@h/db", "JQX?Z/VKQ", "the password holds a raw \"/\"",
			READS("postgresql://me:***"), "Write it as %2F there" },
		{ "postgresql://me:JQX#Z@VKQ@h/db", "JQX#Z@VKQ", "the password holds a raw \"@\"",
			READS("postgresql://me:***@h/db"), "Write it as %40 there" },
		{ "postgresql://me:JQX:Z@VKQ@h/db", "JQX:Z@VKQ", "the password holds a raw \"@\"",
			READS("postgresql://me:***@h/db"), "Write it as %40 there" },
		{ "postgresql://me:12/JQZVK@h/db", "12/JQZVK", "the password holds a raw \"/\"",
			READS("postgresql://me:***@h/db"), "Write it as %2F there" },
		{ "postgresql://m@e:JQXZVK@h/db", "JQXZVK", "the user name holds a raw \"@\"",
			READS("postgresql://m@e:***@h/db"), "Write it as %40 there" },
		{ "postgresql://m/e:JQXZVK@h/db", "JQXZVK", "the user name holds a raw \"/\"",
			READS("postgresql://m/e:***@h/db"), "Write it as %2F there" },
		{ "postgresql://m%e:JQXZVK@h/db", "JQXZVK", "the user name holds a raw \"%\"",
			READS("postgresql://m%e:***@h/db"), "Write it as %25 there" },
		/* the user name may be shown though it equals the password */
		{ "postgresql://me:me%@h/me", "me%", "the password holds a raw \"%\"",
			READS("postgresql://me:***@h/me"), "Write it as %25 there" },
		{ "postgresql://me:JQX/ZVK@h/db?password=WYJ", "WYJ",
			"the password holds a raw \"/\"", READS("postgresql://me:***@h/db?…"),
			"Write it as %2F there" },
	};

	(void)state;
	check_refused(cases, ARRAY_SIZE(cases));
}

/* A "?" before an "@": libpq would take the query for a password, and the rest of it for the host.
 */
static void test_query_taken_for_password(void **state)
{
	static const struct refused cases[] = {
		{ "postgresql://h?password=JQX@ZVK", "JQX@ZVK", "the user name holds a raw \"?\"",
			READS("postgresql://h?…"), "Write it as %3F there" },
		{ "postgresql://h?user=a@b&password=JQXZVK", "JQXZVK",
			"the user name holds a raw \"?\"", READS("postgresql://h?…"), "%3F" },
		{ "postgresql://h:5432?user=a@b&password=JQXZVK", "JQXZVK",
			"the password holds a raw \"?\"", READS("postgresql://h:***"), "%3F" },
		{ "postgresql://h:1,g:2?user=a@b&password=JQXZVK", "JQXZVK",
			"the password holds a raw \"?\"", READS("postgresql://h:***"), "%3F" },
		{ "postgresql://m?e:JQXZVK@h/db", "JQXZVK", "the user name holds a raw \"?\"",
			READS("postgresql://m?…"), "%3F" },
		{ "postgresql://me:JQX@Z?VKQ@h/db", "JQX@Z?VKQ",
			"missing key/value separator \"=\" in URI query parameter: \"…\"",
			READS("postgresql://me:***"), "percent-encoded in each part" },
		{ "postgresql://me:JQX@Z?VKQ=WYJ@h/db", "JQX@Z?VKQ=WYJ",
			"invalid URI query parameter: \"…\"", READS("postgresql://me:***"),
			"percent-encoded in each part" },
		{ "postgresql://h/db?password=JQX@ZVK&schema=public", "JQX@ZVK",
			"invalid URI query parameter: \"…\"", READS("postgresql://h/db?…"),
			"Remove \"schema=…\"" },
		{ "postgresql://me:WYJ@h/db?password=JQX@ZVK&a=b", "JQX@ZVK",
			"invalid URI query parameter: \"a\"", READS("postgresql://me:***"), "" },
	};

	(void)state;
	check_refused(cases, ARRAY_SIZE(cases));
}

/* What is neither a URL of PostgreSQL's nor a keyword string. */
static void test_other_forms(void **state)
{
#define BEGIN "Begin it with postgresql:// in lower case"
#define WRITE_URL "Write postgresql://user:password@host:5432/database"
#define SCHEME(name) "\"" name ":\" is not a scheme PostgreSQL knows"
#define NEITHER "it is neither a URL nor a keyword=value string"
#define BLANK "it holds a blank or a line break"
	static const struct refused cases[] = {
		{ "", "", "it is empty", NULL, NULL },
		{ "POSTGRESQL://me:JQXZVK@h/db", "JQXZVK", SCHEME("POSTGRESQL"), NULL, BEGIN },
		{ "Postgres://me:JQXZVK@h/db", "JQXZVK", SCHEME("Postgres"), NULL, BEGIN },
		{ "postgre://me:JQXZVK@h/db", "JQXZVK", SCHEME("postgre"), NULL, BEGIN },
		{ "postgresql+psycopg2://me:JQXZVK@h/db", "JQXZVK", SCHEME("postgresql+psycopg2"),
			NULL, BEGIN },
		{ "postgresql:/me:JQXZVK@h/db", "JQXZVK", SCHEME("postgresql"), NULL, BEGIN },
		{ "postgresql:me:JQXZVK@h/db", "JQXZVK", SCHEME("postgresql"), NULL, BEGIN },
		{ "jdbc:postgresql://h/db?user=me&password=JQXZVK", "JQXZVK", SCHEME("jdbc"), NULL,
			BEGIN },
		{ "mysql://me:JQXZVK@h/db", "JQXZVK", SCHEME("mysql"), NULL, BEGIN },
		{ "me:JQXZVK@h/db", "JQXZVK", SCHEME("me"), NULL, BEGIN },
		{ "me:JQXZVK@h/db?sslmode=require", "JQXZVK", SCHEME("me"), NULL, BEGIN },
		{ "h:5432/db", "", SCHEME("h"), NULL, BEGIN },
		{ "me@h JQXZVK:5432", "JQXZVK", NEITHER, NULL, WRITE_URL },
		{ "host h password JQXZVK: a", "JQXZVK", NEITHER, NULL, WRITE_URL },
		{ "//me:JQXZVK@h/db", "JQXZVK", NEITHER, NULL, WRITE_URL },
		{ "://me:JQXZVK@h/db", "JQXZVK", SCHEME(""), NULL, BEGIN },
		{ "JQXZVK", "JQXZVK", NEITHER, NULL, WRITE_URL },
		{ "db", "", NEITHER, NULL, WRITE_URL },
		{ "host h password JQXZVK", "JQXZVK", NEITHER, NULL, WRITE_URL },
		{ "'postgresql://me:JQXZVK@h/db'", "JQXZVK", "it begins with a quote", NULL,
			"Remove the quotes" },
		{ "\"postgresql://me:JQXZVK@h/db\"", "JQXZVK", "it begins with a quote", NULL,
			"Remove the quotes" },
		/* blanks */
		{ " postgresql://me:JQXZVK@h/db", "JQXZVK", BLANK,
			"It stands at character 1 of 28.", "Remove it" },
		{ "postgresql://me:JQXZVK@h/db ", "JQXZVK", BLANK,
			"It stands at character 28 of 28.", "Remove it" },
		{ "postgresql://me:JQXZVK@h/db\n", "JQXZVK", BLANK,
			"It stands at character 28 of 28.", "Remove it" },
		{ "postgresql://me:JQXZVK@h/db\r", "JQXZVK", BLANK,
			"It stands at character 28 of 28.", "Remove it" },
		{ "postgresql://me:JQX ZVK@h/db", "JQX ZVK", BLANK,
			"It stands at character 20 of 28.", "write it as %20" },
		{ "postgresql://me:JQX\tZVK@h/db", "JQX\tZVK", BLANK,
			"It stands at character 20 of 28.", "write it as %20" },
		{ "postgresql://me:JQX\nZVK@h/db", "JQX\nZVK", BLANK,
			"It stands at character 20 of 28.", "write it as %20" },
		{ "\tdb", "", BLANK, "It stands at character 1 of 3.", "Remove it" },
		{ " host=h password=JQXZVK", "JQXZVK", BLANK, "It stands at character 1 of 23.",
			"Remove it" },
		{ " ", "", BLANK, "It stands at character 1 of 1.", "Remove it" },
	};

	(void)state;
	check_refused(cases, ARRAY_SIZE(cases));
}

#define COLON "A colon in a password is written %3A, a slash %2F."
#define PORT "the port is not a number from 1 to 65535"
static const struct refused bad_hosts_and_ports[] = {
	{ "postgresql://me:JQXZVK@h:99999/db", "JQXZVK", PORT,
		READS("postgresql://me:***@h:99999/db"), COLON },
	{ "postgresql://me:JQXZVK@h:0/db", "JQXZVK", PORT, READS("postgresql://me:***@h:0/db"),
		COLON },
	{ "postgresql://me:JQXZVK@h:65536/db", "JQXZVK", PORT,
		READS("postgresql://me:***@h:65536/db"), COLON },
	{ "postgresql://me:JQXZVK@h:-1/db", "JQXZVK", PORT, READS("postgresql://me:***@h:-1/db"),
		COLON },
	{ "postgresql://me:JQXZVK@h:text/db", "JQXZVK", PORT,
		READS("postgresql://me:***@h:text/db"), COLON },
	{ "postgresql://me:JQXZVK@h:1x/db", "JQXZVK", PORT, READS("postgresql://me:***@h:1x/db"),
		COLON },
	{ "postgresql://me:JQXZVK@h:99999999999999999999/db", "JQXZVK", PORT,
		READS("postgresql://me:***@h:99999999999999999999/db"), COLON },
	{ "postgresql://me:JQXZVK@a:1,b:70000/db", "JQXZVK", PORT,
		READS("postgresql://me:***@a:1,b:70000/db"), COLON },
	{ "postgresql://me:JQXZVK@h/db?port=99999", "JQXZVK", PORT,
		READS("postgresql://me:***@h/db?…"), COLON },
	{ "host=h port=99999 password=JQXZVK", "JQXZVK", PORT, NULL, NULL },
	{ "host=h port=JQX password=JQXZVK", "JQXZVK", PORT, NULL, NULL },
	/* the host forgotten: what follows the colon is the password */
	{ "postgresql://me:JQXZVK", "JQXZVK", PORT, READS("postgresql://me:***"), COLON },
	{ "postgresql://me:JQXZVK/db", "JQXZVK", PORT, READS("postgresql://me:***"), COLON },
	{ "postgresql://me:12JQXZVK/db", "JQXZVK", PORT, READS("postgresql://me:***"), COLON },
	{ "postgresql://me:12345678", "12345678", PORT, READS("postgresql://me:***"), COLON },
	{ "postgresql://a:1,me:JQXZVK/db", "JQXZVK", PORT, READS("postgresql://a:1,me:***"),
		COLON },
	{ "postgresql://h:99999/db", "", PORT, READS("postgresql://h:99999/db"), COLON },
	/* brackets */
	{ "postgresql://me:JQXZVK@[::1/db", "JQXZVK",
		"end of string reached when looking for matching \"]\" in IPv6 host "
		"address in "
		"URI: \"…\"",
		READS("postgresql://me:***@[::1/db"), WRITE_URL },
	{ "postgresql://[::1/db", "",
		"end of string reached when looking for matching \"]\" in IPv6 host "
		"address in "
		"URI: \"…\"",
		READS("postgresql://[::1/db"), WRITE_URL },
	{ "postgresql://me:JQXZVK@[]/db", "JQXZVK",
		"IPv6 host address may not be empty in URI: \"…\"",
		READS("postgresql://me:***@[]/db"), WRITE_URL },
	{ "postgresql://me:JQXZVK@[::1]z/db", "JQXZVK",
		"unexpected character \"z\" at position 29 in URI (expected \":\" or "
		"\"/\"): "
		"\"…\"",
		READS("postgresql://me:***@[::1]z/db"), WRITE_URL },
	/* percent signs and # behind the password */
	{ "postgresql://me:JQXZVK@h%/db", "JQXZVK", "invalid percent-encoded token: \"…\"",
		READS("postgresql://me:***@h%/db"), WRITE_URL },
	{ "postgresql://me:JQXZVK@h/d%zz", "JQXZVK", "invalid percent-encoded token: \"…\"",
		READS("postgresql://me:***@h/d%zz"), WRITE_URL },
	{ "postgresql://h/d%00b", "", "forbidden value %00 in percent-encoded value: \"…\"",
		READS("postgresql://h/d%00b"), WRITE_URL },
	{ "postgresql://me:JQXZVK@h/db#frag", "JQXZVK", "it holds a raw \"#\"",
		READS("postgresql://me:***@h/db#frag"), "Write it as %23" },
	{ "postgresql://me:JQXZVK@h#frag", "JQXZVK", "it holds a raw \"#\"",
		READS("postgresql://me:***@h#frag"), "Write it as %23" },
	{ "postgresql://me:JQX?ZVK@h/db#frag", "JQX?ZVK", "it holds a raw \"#\"",
		READS("postgresql://me:***"), "Write it as %23" },
	{ "postgresql://h/db#frag", "", "it holds a raw \"#\"", READS("postgresql://h/db#frag"),
		"Write it as %23" },
};

static void test_hosts_and_ports(void **state)
{
	(void)state;
	check_refused(bad_hosts_and_ports, ARRAY_SIZE(bad_hosts_and_ports));
}

static void test_parameters(void **state)
{
#define QUOTES "Values with blanks or quotes stand in single quotes"
#define UNKNOWN "invalid URI query parameter: \"…\""
#define NAMED(name) "invalid URI query parameter: \"" name "\""
#define MASKED READS("postgresql://me:***@h/db?…")
	static const struct refused cases[] = {
		{ "postgresql://me:JQXZVK@h/db?schema=public", "JQXZVK", NAMED("schema"), MASKED,
			"Remove \"schema=…\"" },
		{ "postgresql://me:JQXZVK@h/db?sslmode=require&schema=public", "JQXZVK",
			NAMED("schema"), MASKED, "Remove \"schema=…\"" },
		{ "postgresql://me:JQXZVK@h/db?sslmode=require&ssl=1", "JQXZVK", NAMED("ssl"),
			MASKED, "Remove \"ssl=…\"" },
		{ "postgresql://me:JQXZVK@h/db?pool_timeout=3", "JQXZVK", NAMED("pool_timeout"),
			MASKED, "Remove \"pool_timeout=…\"" },
		{ "postgresql://me:JQXZVK@h/db?pgbouncer=true", "JQXZVK", NAMED("pgbouncer"),
			MASKED, "Remove \"pgbouncer=…\"" },
		{ "postgresql://me:JQXZVK@h/db?passwort=JQXZVK", "JQXZVK", NAMED("passwort"),
			MASKED, WRITE_URL },
		{ "postgresql://me@h/db?JQXpassword=a", "JQX", UNKNOWN,
			READS("postgresql://me@h/db?…"), WRITE_URL },
		{ "postgresql://me@h/db?JQX-ZVK=a", "JQX", UNKNOWN, READS("postgresql://me@h/db?…"),
			WRITE_URL },
		{ "postgresql://me@h/db?JQX4567890123456789012345678901234567890x=a", "JQX",
			UNKNOWN, READS("postgresql://me@h/db?…"), WRITE_URL },
		{ "postgresql://me@h/db?JQXZVK", "JQXZVK",
			"missing key/value separator \"=\" in URI query parameter: \"…\"",
			READS("postgresql://me@h/db?…"), WRITE_URL },
		{ "postgresql://me@h/db?password=JQX=ZVK", "JQX=ZVK",
			"extra key/value separator \"=\" in URI query parameter: \"…\"",
			READS("postgresql://me@h/db?…"), WRITE_URL },
		{ "postgresql://me@h/db?password=JQX%ZVK", "JQX%ZVK",
			"invalid percent-encoded token: \"…\"", READS("postgresql://me@h/db?…"),
			WRITE_URL },
		{ "postgresql://me@h/db?a\"JQXZVK\"b=1", "JQXZVK", UNKNOWN,
			READS("postgresql://me@h/db?…"), WRITE_URL },
		{ "postgresql://me@h/db?password=JQX&ZVK=a", "ZVK", UNKNOWN,
			READS("postgresql://me@h/db?…"), WRITE_URL },
		{ "postgresql://me@h/db?password=JQX=ZVK&sslmode=a=b", "JQX",
			"extra key/value separator \"=\" in URI query parameter: \"…\"",
			READS("postgresql://me@h/db?…"), WRITE_URL },
		/* keyword form */
		{ "hst=h dbname=JQXZVK", "JQXZVK", "invalid connection option \"hst\"", NULL,
			QUOTES },
		{ "host=h password=JQX ZVK", "JQXZVK",
			"missing \"=\" after \"…\" in connection info string", NULL, QUOTES },
		{ "host=h password=JQX ZVK dbname=db", "JQXZVK",
			"missing \"=\" after \"…\" in connection info string", NULL, QUOTES },
		{ "host=h password=JQX ZVK=1", "ZVK", "invalid connection option \"…\"", NULL,
			QUOTES },
		{ "host=h password='JQXZVK", "JQXZVK",
			"unterminated quoted string in connection info string", NULL, QUOTES },
		{ "host=h password='JQX'ZVK", "ZVK",
			"missing \"=\" after \"…\" in connection info string", NULL, QUOTES },
		{ "host=h password=JQX Z\"VKW\"J", "VKW", "missing \"…\" in connection info string",
			NULL, QUOTES },
		{ "host=h password=JQX a\"ZVK\"b=\"c", "ZVK", "invalid connection option \"…\"",
			NULL, QUOTES },
		{ "me@h/db?password=JQXZVK", "JQXZVK", "invalid connection option \"…\"", NULL,
			QUOTES },
		{ "=JQXZVK", "JQXZVK", "invalid connection option \"…\"", NULL, QUOTES },
	};

	(void)state;
	check_refused(cases, ARRAY_SIZE(cases));
}

static void test_set_and_get(void **state)
{
	CLEANUP(params_release) struct params params = PARAMS_INIT;
	CLEANUP(params_release) struct params copy = PARAMS_INIT;
	CLEANUP(mem_cleanup) char *got = NULL;

	(void)state;
	check_text("not set", params_get(&params, "host"), NULL);
	params_set(&params, "host", "a");
	params_set(&params, "port", "");
	params_set(&params, "user", "me");
	params_set(&params, "host", "b");
	params_set(&params, "user", NULL);
	check_text("replaced", params_get(&params, "host"), "b");
	check_text("empty", params_get(&params, "port"), NULL);
	check_text("removed", params_get(&params, "user"), NULL);
	check_text("not a part of the name", params_get(&params, "hos"), NULL);
	params_set(&copy, "host", "c");
	params_set(&copy, "dbname", "db");
	params_copy(&copy, &params);
	params_set(&params, "host", "d");
	got = params_text(&copy);
	check_text("copied over", got, "host=b dbname=db");
}

static void test_describe(void **state)
{
	static const struct {
		const char *text, *database, *expected;
	} cases[] = {
		{ "postgresql://me:JQXZVK@h:1/db", "db", "me@h:1/db" },
		{ "postgresql://me:JQXZVK@h:1/db", "other", "me@h:1/other" },
		{ "postgresql://me:JQXZVK@h:1/db", NULL, "me@h:1" },
		{ "postgresql://h/db", "db", "h/db" },
		{ "postgresql:///db", "db", "localhost/db" },
		{ "postgresql://", NULL, "localhost" },
		{ "postgresql://[::1]:1/db", "db", "[::1]:1/db" },
		{ "postgresql://?hostaddr=::1", NULL, "[::1]" },
		{ "postgresql://?hostaddr=127.0.0.1&port=1", NULL, "127.0.0.1:1" },
		{ "postgresql://h?hostaddr=127.0.0.1", NULL, "h" },
		{ "postgres://me@:1/db?host=/dir", "db", "me@/db (socket in /dir)" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(params_release) struct params params = PARAMS_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;
		CLEANUP(mem_cleanup) char *got = NULL;

		check_number(cases[i].text, params_parse(&params, "URL", cases[i].text, &err), 0);
		got = params_describe(&params, cases[i].database);
		check_text(cases[i].text, got, cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_accepted),
		UNIT_TEST(test_raw_characters),
		UNIT_TEST(test_query_taken_for_password),
		UNIT_TEST(test_other_forms),
		UNIT_TEST(test_hosts_and_ports),
		UNIT_TEST(test_parameters),
		UNIT_TEST(test_set_and_get),
		UNIT_TEST(test_describe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
