/* The script reader: what it cuts out of a text, where that stands, and what it says is wrong. */
#include "text_source.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "sql/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* "LINE:COLUMN TEXT|" for every statement, "{LINE DATA}|" for COPY data, "!LINE:COLUMN MESSAGE". */
static char *describe(const char *bytes, size_t length, size_t chunk, bool standard_strings)
{
	struct input input = { bytes, length, 0, chunk };
	struct script_source source = { read_input, &input };
	CLEANUP(script_reader_cleanup)
	struct script_reader *reader = script_reader_new("x.sql", source);
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
	struct script_statement statement;
	int result;

	script_reader_set_standard_strings(reader, standard_strings);
	while ((result = script_reader_next(reader, &statement, &err)) > 0) {
		CLEANUP(err_release) struct err place = ERR_INIT;
		const char *data;
		size_t data_length;

		if (result == 2) {
			strbuf_addf(&out, "\\%s|", script_reader_command(reader));
			script_reader_arguments(reader)->at =
				script_reader_arguments(reader)->length;
			continue;
		}
		assert_int_equal(strlen(statement.text), statement.length);
		origin_place(&statement.origin, statement.text, statement.length, 0, &place);
		assert_int_equal(
			origin_line(&statement.origin, statement.text, statement.length, 0),
			place.place.line);
		strbuf_addf(
			&out, "%zu:%zu %s|", place.place.line, place.place.column, statement.text);
		if (statement.class != SCRIPT_CLASS_COPY_FROM_STDIN)
			continue;
		assert_int_equal(script_reader_copy_begin(reader, &err), 0);
		strbuf_addf(&out, "{%zu ", script_reader_copy_line(reader));
		while ((result = script_reader_copy_data(reader, &data, &data_length, &err)) > 0)
			strbuf_add(&out, data, data_length);
		strbuf_adds(&out, "}|");
		if (result < 0)
			break;
	}
	if (result < 0) {
		assert_int_equal(err.kind, ERR_SQL);
		assert_string_equal(err.place.file, "x.sql");
		strbuf_addf(&out, "!%zu:%zu %s", err.place.line, err.place.column, err.message);
	} else {
		assert_int_equal(script_reader_bytes(reader), length);
	}
	return strbuf_detach(&out);
}

static void expect(const char *text, size_t length, bool standard_strings, const char *expected)
{
	static const size_t chunks[] = { 1, 2, 3, 7, SIZE_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(chunks); i++) {
		CLEANUP(mem_cleanup)
		char *got = describe(text, length, chunks[i], standard_strings);

		if (strcmp(got, expected) != 0)
			fail_msg("chunks of %zd\n  script   <%s>\n  got      <%s>\n  expected <%s>",
				(ssize_t)chunks[i], text, got, expected);
	}
}

struct example {
	const char *text, *expected;
};

static void expect_all(const struct example *examples, size_t count, bool standard_strings)
{
	for (size_t i = 0; i < count; i++)
		expect(examples[i].text, strlen(examples[i].text), standard_strings,
			examples[i].expected);
}

static void test_statements(void **state)
{
	static const struct example examples[] = {
		{ "", "" },
		{ " \n\t\r\n", "" },
		{ "-- only a comment", "" },
		{ "/* only a comment */\n", "" },
		{ ";;\n ;", "" },
		{ "SELECT 1;", "1:1 SELECT 1;|" },
		{ "SELECT 1", "1:1 SELECT 1|" },
		{ "SELECT 1 -- last\n/* c */ ", "1:1 SELECT 1|" },
		{ "SELECT 1 - 2 / 3", "1:1 SELECT 1 - 2 / 3|" },
		{ "SELECT 1 -", "1:1 SELECT 1 -|" },
		{ "a;b ; c", "1:1 a;|1:3 b ;|1:7 c|" },
		{ "a;\n  b\n;\r\n\tc;\r\n", "1:1 a;|2:3 b\n;|4:2 c;|" },
		{ "\xef\xbb\xbf"
		  "a;b",
			"1:1 a;|1:3 b|" },
		/* columns are characters; a byte that belongs to none counts as one */
		{ "/* \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 */ a", "1:11 a|" },
		{ "/* \xe9\xe2\x82 \xa4 */ a", "1:13 a|" },
		{ "'\xe2\x82\xac'; b", "1:1 '\xe2\x82\xac';|1:6 b|" },
		/* parentheses */
		{ "CREATE RULE r AS ON INSERT TO t DO (a; b);c",
			"1:1 CREATE RULE r AS ON INSERT TO t DO (a; b);|1:43 c|" },
		{ "a);b", "1:1 a);|1:4 b|" },
	};

	(void)state;
	expect_all(examples, ARRAY_SIZE(examples), true);
}

static void test_comments(void **state)
{
	static const struct example examples[] = {
		{ "-- a;\nb;", "2:1 b;|" },
		{ "a -- ;\r b;", "1:1 a -- ;\r b;|" },
		{ "/* a; /* ; */ ; */ b;", "1:20 b;|" },
		{ "/*/ ; */b;/**/c;", "1:9 b;|1:15 c;|" },
		{ "/**//***/a;/*/*/;*/*/b", "1:10 a;|1:22 b|" },
		{ "/*-- */a;--/*\nb;", "1:8 a;|2:1 b;|" },
		{ "a+/*;*/b;", "1:1 a+/*;*/b;|" },
		{ "a*--;\nb;", "1:1 a*--;\nb;|" },
		{ "- -a;-/*;*/b", "1:1 - -a;|1:6 -/*;*/b|" },
		{ "/ a;--\n;/", "1:1 / a;|2:2 /|" },
	};

	(void)state;
	expect_all(examples, ARRAY_SIZE(examples), true);
}

static void test_quotes(void **state)
{
	static const struct example examples[] = {
		{ "';';a", "1:1 ';';|1:5 a|" },
		{ "'a'';';b", "1:1 'a'';';|1:8 b|" },
		{ "'\\';b", "1:1 '\\';|1:5 b|" },
		{ "E'\\';';b", "1:1 E'\\';';|1:8 b|" },
		{ "e'\\\\';b", "1:1 e'\\\\';|1:7 b|" },
		{ "E'a'';\\';';b", "1:1 E'a'';\\';';|1:12 b|" },
		/* only e alone is a prefix */
		{ "ae'\\';b", "1:1 ae'\\';|1:7 b|" },
		{ "n'\\';N'';b", "1:1 n'\\';|1:6 N'';|1:10 b|" },
		{ "b'1';x'\\';u&'\\';U&\"\\;\";b",
			"1:1 b'1';|1:6 x'\\';|1:11 u&'\\';|1:17 U&\"\\;\";|1:24 b|" },
		{ "\"a;\"\"'\";'b", "1:1 \"a;\"\"'\";|!1:9 quoted string is never closed" },
		/* continuation keeps the rules of the first part */
		{ "E'a'\n'\\';';b", "1:1 E'a'\n'\\';';|2:7 b|" },
		{ "E'a' --c'\n '\\';';b", "1:1 E'a' --c'\n '\\';';|2:8 b|" },
		{ "E'a' '\\';b", "1:1 E'a' '\\';|1:10 b|" },
		{ "E'a' /*\n*/ '\\';b", "1:1 E'a' /*\n*/ '\\';|2:8 b|" },
		{ "E'a'\n,'\\';b", "1:1 E'a'\n,'\\';|2:6 b|" },
		{ "E'a'\n-'\\';b", "1:1 E'a'\n-'\\';|2:6 b|" },
		/* a letter that belongs to a number is no prefix */
		{ "1e'\\';b", "1:1 1e'\\';|1:7 b|" },
		{ "1e-'\\';1.e5-E'\\'';b", "1:1 1e-'\\';|1:8 1.e5-E'\\'';|1:19 b|" },
		/* variables */
		{ ":a$$;$$;b::$$;$$;c:=$$;$$", "1:1 :a$$;$$;|1:9 b::$$;$$;|1:18 c:=$$;$$|" },
	};
	static const struct example old_strings[] = {
		{ "'\\';';b", "1:1 '\\';';|1:7 b|" },
		{ "n'\\';';b", "1:1 n'\\';';|1:8 b|" },
		{ "u&'\\';b", "1:1 u&'\\';|1:7 b|" },
		{ "b'1''\\';';b", "1:1 b'1''\\';';|1:11 b|" },
	};

	(void)state;
	expect_all(examples, ARRAY_SIZE(examples), true);
	expect_all(old_strings, ARRAY_SIZE(old_strings), false);
}

static void test_dollar_quotes(void **state)
{
	static const struct example examples[] = {
		{ "$$;'$$;b", "1:1 $$;'$$;|1:8 b|" },
		{ "$a$;$$;$b$;$a$;b", "1:1 $a$;$$;$b$;$a$;|1:16 b|" },
		{ "$a$;$A$;$a$;b", "1:1 $a$;$A$;$a$;|1:13 b|" },
		{ "$a$;$$a$;b", "1:1 $a$;$$a$;|1:10 b|" },
		{ "$\xc3\xa9$;$\xc3\xa9$;b", "1:1 $\xc3\xa9$;$\xc3\xa9$;|1:9 b|" },
		/* a $ inside a name begins nothing */
		{ "a$b$;c;$b$;$b$", "1:1 a$b$;|1:6 c;|1:8 $b$;$b$|" },
		{ "\xc3\xa9$$;c", "1:1 \xc3\xa9$$;|1:5 c|" },
		/* parameters, and what looks like a tag */
		{ "$1;$1$$;$$;$;$a;b", "1:1 $1;|1:4 $1$$;$$;|1:12 $;|1:14 $a;|1:17 b|" },
		{ "$1a$;b", "1:1 $1a$;|1:6 b|" },
		{ "$e'\\';';b", "1:1 $e'\\';';|1:9 b|" },
		{ "12$$;$$;b", "1:1 12$$;$$;|1:9 b|" },
	};

	(void)state;
	expect_all(examples, ARRAY_SIZE(examples), true);
}

static void test_begin_atomic(void **state)
{
	static const struct example examples[] = {
		{ "CREATE FUNCTION f() BEGIN ATOMIC a; b; END; c;",
			"1:1 CREATE FUNCTION f() BEGIN ATOMIC a; b; END;|1:45 c;|" },
		{ "create or replace procedure f() begin case a; end; b; end;c",
			"1:1 create or replace procedure f() begin case a; end; b; end;|1:59 c|" },
		{ "create /* or */ \"x\" function f() begin a; end; b",
			"1:1 create /* or */ \"x\" function f() begin a; end;|1:48 b|" },
		{ "create view function begin a; end;b",
			"1:1 create view function begin a;|1:31 end;|1:35 b|" },
		{ "create function f(begin int) x; b",
			"1:1 create function f(begin int) x;|1:33 b|" },
		{ "create function f() case x; b", "1:1 create function f() case x;|1:29 b|" },
		{ "begin; a; end;", "1:1 begin;|1:8 a;|1:11 end;|" },
		/* what "\;" separates */
		{ "create function f() begin a\\; case\\; end; end; b",
			"1:1 create function f() begin a; case; end; end;|1:48 b|" },
		{ "create function f(\\;) begin a; end; b",
			"1:1 create function f(;) begin a; end;|1:37 b|" },
		{ "create function f() begin a; end\\; begin; b",
			"1:1 create function f() begin a; end; begin;|1:43 b|" },
		{ "create\\; function f() begin a; b",
			"1:1 create; function f() begin a;|1:32 b|" },
		/* sent as it is, as psql does */
		{ "create function f() begin a; b", "1:1 create function f() begin a; b|" },
	};

	(void)state;
	expect_all(examples, ARRAY_SIZE(examples), true);
}

static void test_copy(void **state)
{
	static const struct example examples[] = {
		{ "COPY t FROM stdin;\n1\n2\n\\.\nb;",
			"1:1 COPY t FROM stdin;|{2 1\n2\n}|5:1 b;|" },
		{ "COPY t FROM stdin;\n\\.\nb;", "1:1 COPY t FROM stdin;|{2 }|3:1 b;|" },
		{ "COPY t FROM stdin;\r\n1\r\n\\.\r\nb;",
			"1:1 COPY t FROM stdin;|{2 1\r\n}|4:1 b;|" },
		{ "COPY t FROM stdin;\n1\n\\.", "1:1 COPY t FROM stdin;|{2 1\n}|" },
		{ "COPY t FROM stdin;\n\\.\r", "1:1 COPY t FROM stdin;|{2 }|" },
		/* not an end mark */
		{ "COPY t FROM stdin;\n\\\\.\n\\.x\n \\.\n\\. \n;'\n\\.\nb;",
			"1:1 COPY t FROM stdin;|{2 \\\\.\n\\.x\n \\.\n\\. \n;'\n}|8:1 b;|" },
		/* the rest of the line comes after the data */
		{ "COPY t FROM stdin; a; b\n1\n\\.\n c;",
			"1:1 COPY t FROM stdin;|{2 1\n}|1:20 a;|1:23 b\n c;|" },
		{ "COPY t FROM stdin; COPY u FROM stdin; a\n1\n\\.\n2\n\\.\nb;c",
			"1:1 COPY t FROM stdin;|{2 1\n}|1:20 COPY u FROM stdin;|{4 2\n}|"
			"1:39 a\nb;|6:3 c|" },
		{ "COPY t FROM stdin; COPY\n1\n\\.\nu FROM stdin; a\n2\n\\.\nb",
			"1:1 COPY t FROM stdin;|{2 1\n}|1:20 COPY\nu FROM stdin;|{5 2\n}|"
			"4:15 a\nb|" },
		{ "COPY t FROM stdin; -- c\n1\n\\.\nb", "1:1 COPY t FROM stdin;|{2 1\n}|4:1 b|" },
		{ "COPY t FROM stdin; /* c\n1\n\\.\n*/ b",
			"1:1 COPY t FROM stdin;|{2 1\n}|4:4 b|" },
		{ "COPY t FROM stdin;\n1\n", "1:1 COPY t FROM stdin;|{2 1\n}|"
					     "!1:1 COPY data end without the end mark \"\\.\"" },
		{ " COPY t FROM stdin", "1:2 COPY t FROM stdin|{1 }|"
					"!1:2 COPY data end without the end mark \"\\.\"" },
		{ "COPY t FROM 'f';\n\\.", "1:1 COPY t FROM 'f';|"
					   "\\.|" },
	};

	(void)state;
	expect_all(examples, ARRAY_SIZE(examples), true);
}

static void test_errors(void **state)
{
	static const struct example examples[] = {
		{ "a;\n b 'c\n;d;", "1:1 a;|!2:4 quoted string is never closed" },
		{ "E'c\\'", "!1:2 quoted string is never closed" },
		{ "a \"c;", "!1:3 quoted identifier is never closed" },
		{ "a\n$q$ $q", "!2:1 dollar-quoted string is never closed" },
		{ "  /* /* */\na", "!1:3 comment is never closed" },
		{ "a /* b", "!1:3 comment is never closed" },
		{ "a (b (c);\nd", "!1:3 parenthesis is never closed" },
		{ "a;\\connect x", "1:1 a;|\\connect|" },
		{ "a \\g\nb", "\\g|1:1 a \nb|" },
		{ "\\i\\x", "\\i|" },
		{ "a\\;b", "1:1 a;b|" },
		{ "\\\nb", "\\|2:1 b|" },
		{ "COPY t FROM stdin; \\x y\n\\.\n", "1:1 COPY t FROM stdin;|{2 }|\\x|" },
	};

	(void)state;
	expect_all(examples, ARRAY_SIZE(examples), true);
	expect("a;\n b\0;", 7, true, "1:1 a;|!2:3 script holds a NUL byte");
	expect("abcd\n/* \0 */", 12, true, "!2:4 script holds a NUL byte");
	expect("\0\0;a", 4, true, "!1:1 script holds a NUL byte");
	expect("COPY t FROM stdin;\n1\n23\0\n\\.\n", 28, true,
		"1:1 COPY t FROM stdin;|{2 1\n}|!3:3 COPY data hold a NUL byte");
	expect("\xff\xfe"
	       "a\0",
		4, true, "!1:1 script looks like UTF-16");
	expect("\xfe\xff\0a", 4, true, "!1:1 script looks like UTF-16");
	expect("a\0b\0", 4, true, "!1:1 script looks like UTF-16");
	expect("\0a\0b", 4, true, "!1:1 script looks like UTF-16");
}

/* Long inputs, whose pieces do not fit into one chunk of the reader's own. */
static void test_long(void **state)
{
	enum { LINES = 40000 };
	CLEANUP(strbuf_release) struct strbuf script = STRBUF_INIT;
	CLEANUP(strbuf_release) struct strbuf expected = STRBUF_INIT;
	CLEANUP(mem_cleanup) char *got = NULL;

	(void)state;
	strbuf_adds(&script, "COPY t FROM stdin;\n");
	strbuf_adds(&expected, "1:1 COPY t FROM stdin;|{2 ");
	for (int i = 0; i < LINES; i++) {
		strbuf_addf(&script, "%d\t\\N\n", i);
		strbuf_addf(&expected, "%d\t\\N\n", i);
	}
	for (int i = 0; i < LINES; i++) {
		strbuf_adds(&script, "a line of 18 bytes");
		strbuf_adds(&expected, "a line of 18 bytes");
	}
	strbuf_adds(&script, "\\.\n\\.\n'");
	strbuf_addf(&expected, "\\.\n}|%d:1 '", LINES + 4);
	for (int i = 0; i < LINES; i++) {
		strbuf_addf(&script, "%d ;\n", i);
		strbuf_addf(&expected, "%d ;\n", i);
	}
	strbuf_adds(&script, "'; b");
	strbuf_addf(&expected, "';|%d:4 b|", LINES * 2 + 4);
	got = describe(script.data, script.length, SIZE_MAX, true);
	assert_int_equal(strlen(got), expected.length);
	assert_true(strcmp(got, expected.data) == 0);
}

/* file:line:column, the excerpt and the column in it, for the byte where needle stands. */
static void expect_place(const char *text, const char *needle, const char *expected)
{
	struct input input = { text, strlen(text), 0, SIZE_MAX };
	struct script_source source = { read_input, &input };
	CLEANUP(script_reader_cleanup)
	struct script_reader *reader = script_reader_new("x.sql", source);
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(mem_cleanup) char *got = NULL;
	struct script_statement statement;
	const char *found = NULL;
	const char *data;
	size_t length;

	while (!found && script_reader_next(reader, &statement, &err) > 0) {
		found = strstr(statement.text, needle);
		if (statement.class != SCRIPT_CLASS_COPY_FROM_STDIN)
			continue;
		assert_int_equal(script_reader_copy_begin(reader, &err), 0);
		while (script_reader_copy_data(reader, &data, &length, &err) > 0)
			continue;
	}
	assert_non_null(found);
	origin_place(&statement.origin, statement.text, statement.length,
		(size_t)(found - statement.text), &err);
	got = mem_printf("%s:%zu:%zu <%s> %zu", err.place.file, err.place.line, err.place.column,
		err.place.excerpt, err.place.excerpt_column);
	if (strcmp(got, expected) != 0)
		fail_msg("script   <%s>\n  got      %s\n  expected %s", text, got, expected);
}

static void test_place(void **state)
{
	static const struct {
		const char *text, *needle, *expected;
	} examples[] = {
		{ "a X b", "X", "x.sql:1:3 <a X b> 3" },
		{ "a;\n\t b\r\n  \xc3\xa9 X;\nc;", "X", "x.sql:3:5 <  \xc3\xa9 X;> 5" },
		{ "  a X", "X", "x.sql:1:5 <  a X> 5" },
		{ "a; X;", "X", "x.sql:1:4 <...X;> 4" },
		{ "/* c */ X;", "X", "x.sql:1:9 <...X;> 4" },
		{ "CREATE ROLE x PASSWORD 'abc' X", "X",
			"x.sql:1:30 <CREATE ROLE x PASSWORD '***' X> 30" },
		{ "CREATE ROLE x PASSWORD\n'a\nbc' X;", "X", "x.sql:3:5 <'***' X;> 7" },
		{ "CREATE ROLE x PASSWORD 'aXb';", "X",
			"x.sql:1:26 <CREATE ROLE x PASSWORD '***';> 24" },
		{ "COPY t FROM stdin; a\n1\n\\.\nb X;", "X", "x.sql:4:3 <b X;> 3" },
		{ "COPY t FROM stdin; a X\n1\n\\.\nb;", "X", "x.sql:1:22 <...a X> 6" },
		{ "COPY X FROM stdin;\n1\n\\.\n", "X", "x.sql:1:6 <COPY X FROM stdin;> 6" },
		{ "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,"
		  "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,X,y,z,"
		  "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z",
			"X",
			"x.sql:1:99 <...,s,t,u,v,w,x,y,z,"
			"a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,X,y,z,"
			"a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z> 67" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
		expect_place(examples[i].text, examples[i].needle, examples[i].expected);
}

static ssize_t read_fails(void *context, char *buffer, size_t size, struct err *err)
{
	(void)context;
	(void)buffer;
	(void)size;
	return err_set(err, ERR_FAILED, "could not read");
}

static void test_source_error(void **state)
{
	struct script_source source = { read_fails, NULL };
	CLEANUP(script_reader_cleanup)
	struct script_reader *reader = script_reader_new("x.sql", source);
	CLEANUP(err_release) struct err err = ERR_INIT;
	struct script_statement statement;

	(void)state;
	assert_int_equal(script_reader_next(reader, &statement, &err), -1);
	assert_int_equal(err.kind, ERR_FAILED);
	assert_string_equal(err.message, "could not read");
	assert_int_equal(script_reader_next(reader, &statement, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statements),
		cmocka_unit_test(test_comments),
		cmocka_unit_test(test_quotes),
		cmocka_unit_test(test_dollar_quotes),
		cmocka_unit_test(test_begin_atomic),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_source_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
