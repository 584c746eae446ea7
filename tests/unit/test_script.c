/* The script engine: what it hands out of a script, and where that stands. */
#include "text_source.h"
#include "unit.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "sql/script.h"

#include <stdio.h>
#include <sys/stat.h>

static int tell_status(void *context, struct script_status *status, struct err *err)
{
	(void)context;
	(void)err;
	*status = (struct script_status){ .known = true,
		.failed = true,
		.sqlstate = "22012",
		.rows = 7,
		.last_sqlstate = "22012",
		.last_message = "division by zero" };
	return 0;
}

static void add_place(struct strbuf *out, const struct script_statement *statement, size_t at)
{
	CLEANUP(err_release) struct err place = ERR_INIT;

	origin_place(&statement->origin, statement->text ? statement->text : "", statement->length,
		at, &place);
	strbuf_addf(out, "%zu:%zu ", place.place.line, place.place.column);
}

static void add_copy_data(struct script *script, struct strbuf *out, struct err *err)
{
	const char *data;
	size_t length;

	if (script_copy_begin(script, err) != 0)
		return;
	strbuf_addf(out, "{%zu ", script_copy_line(script));
	while (script_copy_data(script, &data, &length, err) > 0)
		strbuf_add(out, data, length);
	strbuf_adds(out, "}|");
}

static const char *or_dash(const char *text)
{
	return text ? text : "-";
}

static void add_action(struct strbuf *out, const struct script_action *action)
{
	static const char *const names[] = { [SCRIPT_GSET] = "GSET",
		[SCRIPT_GEXEC] = "GEXEC",
		[SCRIPT_ENCODING] = "ENCODING",
		[SCRIPT_PRINT] = "PRINT",
		[SCRIPT_WARN] = "WARN" };
	const char *text = action->text ? action->text : "";

	switch (action->kind) {
	case SCRIPT_END:
		break;
	case SCRIPT_STATEMENT:
		add_place(out, &action->statement, 0);
		strbuf_addf(out, "%s%s|", action->statement.several ? "* " : "",
			action->statement.text);
		break;
	case SCRIPT_GSET:
	case SCRIPT_GEXEC:
		add_place(out, &action->statement, 0);
		strbuf_addf(out, "%s %s %s|", names[action->kind], text, action->statement.text);
		break;
	case SCRIPT_CONNECT:
		add_place(out, &action->statement, 0);
		strbuf_addf(out, "CONNECT %s %s %s %s %s %d|", or_dash(action->connect.conninfo),
			or_dash(action->connect.database), or_dash(action->connect.user),
			or_dash(action->connect.host), or_dash(action->connect.port),
			action->connect.reuse);
		break;
	case SCRIPT_COPY:
		add_place(out, &action->statement, 0);
		strbuf_addf(out, "%s <%d %s>|", action->statement.text, (int)action->copy.where,
			action->copy.file ? action->copy.file : "");
		break;
	default:
		strbuf_addf(out, "%s %s|", names[action->kind], text);
	}
}

/* How many times COPY data follow. */
static size_t count_data(const struct script_action *action)
{
	if (action->kind == SCRIPT_COPY)
		return action->copy.from && action->copy.where == SCRIPT_COPY_SCRIPT;
	return action->kind == SCRIPT_STATEMENT ? action->statement.copies : 0;
}

static void run(struct script *script, struct strbuf *out)
{
	for (;;) {
		CLEANUP(err_release) struct err err = ERR_INIT;
		struct script_action action;

		if (script_next(script, &action, &err) == 0) {
			if (action.kind == SCRIPT_END)
				return;
			add_action(out, &action);
			for (size_t i = 0; i < count_data(&action); i++)
				add_copy_data(script, out, &err);
			if (action.kind == SCRIPT_GSET)
				script_gset(script, "x", "7", &err);
		}
		if (err.kind) {
			strbuf_addf(
				out, "!%zu:%zu %s|", err.place.line, err.place.column, err.message);
			if (!script_can_go_on(script))
				return;
		}
	}
}

/* Everything the engine hands out, as one text; !LINE:COLUMN MESSAGE for errors. */
static char *describe(const char *text, size_t chunk, bool dry)
{
	struct input input = { text, strlen(text), 0, chunk };
	const struct script_source source = { read_input, &input };
	const struct script_options options = { .dry = dry };
	const struct script_host host = { .status = tell_status };
	CLEANUP(script_cleanup)
	struct script *script = script_new("x.sql", source, &options, dry ? NULL : &host);
	struct strbuf out = STRBUF_INIT;

	if (dry)
		script_assume_unknown(script);
	run(script, &out);
	return strbuf_detach(&out);
}

struct example {
	const char *text, *expected;
};

static void expect_mode(const struct example *examples, size_t count, bool dry)
{
	static const size_t chunks[] = { SIZE_MAX, 1, 2, 3, 7 };

	for (size_t i = 0; i < count; i++)
		for (size_t c = 0; c < ARRAY_SIZE(chunks); c++) {
			CLEANUP(mem_cleanup)
			char *got = describe(examples[i].text, chunks[c], dry);

			if (strcmp(got, examples[i].expected) != 0) {
				unit_fail(examples[i].text, got, examples[i].expected);
				break;
			}
		}
}

static void expect_all(const struct example *examples, size_t count)
{
	expect_mode(examples, count, false);
}

static void test_variables(void **state)
{
	static const struct example examples[] = {
		{ "\\set a 1\nSELECT :a, :b;", "2:1 SELECT 1, :b;|" },
		{ "\\set a 'it''s' b\nSELECT :'a', :\"a\", :VERBOSITY;",
			"2:1 SELECT 'it''sb', \"it'sb\", default;|" },
		{ "\\set a ''\n:a; b", "2:5 b|" },
		{ "\\set a 'x;y'\nq :a z;", "2:1 q x;|2:3 y z;|" },
		{ "\\set a 'x'';z'\n\\set b y\n:a ';:b;", "3:1 x';z ';|3:6 y;|" },
		{ "\\set a :a\\\\ :a;", "1:13 :a;|" },
		{ "\\set a ':b'\n\\set b ':a c'\n:a;", "3:1 :a c;|" },
		{ "\\set a 5\nx::a::a:=:a ':a' \":a\" $$:a$$ -- :a\n E':a':a;",
			"2:1 x::a::a:=5 ':a' \":a\" $$:a$$ -- :a\n E':a'5;|" },
		{ ":{?a} :{?VERBOSITY} :{?a :{a}", "1:1 FALSE TRUE :{?a :{a}|" },
		{ "\\set a b\nx :'a :\"a :{?a :' :a' :\"';", "2:1 x :'a :\"a :{?a :' b' :\"';|" },
		{ "\\set x e\n\\set y '''a\\\\''b'\n:x:y c';d",
			"!3:7 quoted string is never closed|" },
		{ "\\set d $q$\n:d a;b $q$; :d c;d:d;",
			"2:1 $q$ a;b $q$;|!2:13 dollar-quoted string is never closed|" },
		{ "\\set c /*\n:c * / ; */ a; b", "2:13 a;|2:16 b|" },
		{ "\\set m '\\\\echo x'\na :m b;c",
			"!2:3 a meta-command in the value of variable \"m\" is not supported|" },
		{ "\\set a\n\\set b :a\nx:b;", "3:1 x;|" },
		{ "\\set c '-- x'\na :c;b", "2:1 a -- x;|2:6 b|" },
		{ "\\unset a\n\\set a 1\n\\unset a\n:a;", "4:1 :a;|" },
		{ "\\unset\nb;", "!1:1 \\unset needs an argument|2:1 b;|" },
		{ "\\set a-b 1\nb;", "!1:1 \"a-b\" is no name for a variable|2:1 b;|" },
		{ "\\set AUTOCOMMIT maybe\n:AUTOCOMMIT;",
			"!1:1 \"maybe\" is no value for variable AUTOCOMMIT|2:1 on;|" },
		{ "\\set ON_ERROR_STOP\n:ON_ERROR_STOP;\\unset ON_ERROR_STOP\\\\:ON_ERROR_STOP;",
			"2:1 on;|2:38 off;|" },
		{ "\\set SINGLELINE 1\nb;",
			"!1:1 variable SINGLELINE switched on is not supported|2:1 b;|" },
		{ "\\set ON_ERROR_ROLLBACK interactive\n:ON_ERROR_ROLLBACK", "2:1 interactive|" },
		{ "\\set VERBOSITY loud\n\\set HISTSIZE x\n\\set ECHO all\nb;",
			"!1:1 \"loud\" is no value for variable VERBOSITY|"
			"!2:1 \"x\" is no value for variable HISTSIZE|4:1 b;|" },
		{ "SELECT :ERROR, :'SQLSTATE', :ROW_COUNT, :'LAST_ERROR_MESSAGE';",
			"1:1 SELECT true, '22012', 7, 'division by zero';|" },
		{ "\\set a `date`\nb;", "!1:1 backquotes, which run a program, are not "
					"supported|2:1 b;|" },
		{ "\\set a 'b\nb;", "!1:1 unterminated quoted string|2:1 b;|" },
		{ "a\\:b:c\\;d;e", "1:1 * a:b:c;d;|1:11 e|" },
	};

	(void)state;
	expect_all(examples, ARRAY_SIZE(examples));
}

static void test_branches(void **state)
{
	static const struct example examples[] = {
		{ "\\if true\na;\n\\else\nb;\n\\endif\nc;", "2:1 a;|6:1 c;|" },
		{ "\\if 0\na;\n\\elif off\nb;\n\\elif yes\nc;\n\\elif on\nd;\n\\else\ne;\n\\endif "
		  "f",
			"6:1 c;|WARN x.sql:11: \\endif: extra argument \"f\" ignored\n|" },
		{ "\\if 0\n\\if 1\na;\n\\else\nb;\n\\endif\n\\else\nc;\n\\endif\nd",
			"8:1 c;|10:1 d|" },
		{ "\\if 0\n\\i missing\n\\echo 'x\n\\! ls `a`\n\\copy x\n:a;'\n;'\\endif\nb;",
			"8:1 b;|" },
		{ "\\if 0\n\\foo\n\\endif\na;", "!2:1 unknown meta-command \\foo|4:1 a;|" },
		{ "SELECT\n\\if 1\n a,\n\\else\n b,\n\\endif\n c;\nd;",
			"1:1 SELECT\n\n a,\n\n c;|8:1 d;|" },
		{ "SELECT (\\if 0 \\\\ (a; \\else\n b \\endif\n );c;",
			"1:1 SELECT (\n b \n );|3:4 c;|" },
		{ "\\if 0\na '\n\\endif\n';\n\\endif\nb;", "6:1 b;|" },
		{ "\\if 1\na;", "2:1 a;|!1:1 \\if without \\endif|" },
		{ "\\if 1\na;\n\\q\nb;", "2:1 a;|" },
		{ "\\else\n\\endif\n\\elif\na;",
			"!1:1 \\else without \\if|!2:1 \\endif without \\if|!3:1 \\elif without "
			"\\if|4:1 a;|" },
		{ "\\if 1\n\\else\n\\else\n\\elif 1\n\\endif\na;",
			"!3:1 \\else behind \\else|!4:1 \\elif behind \\else|6:1 a;|" },
		{ "\\if maybe\na;\n\\else\nb;\n\\endif",
			"!1:1 \\if: \"maybe\" is no boolean|4:1 b;|" },
		{ "\\if :x\na;\n\\endif\nb;", "!1:1 \\if: \":x\" is no boolean|4:1 b;|" },
		{ "\\set x on\n\\if :x\na;\n\\endif\n\\if :{?y}\nb;\n\\endif\nc;",
			"3:1 a;|8:1 c;|" },
		{ "\\if :ERROR\na;\n\\endif", "2:1 a;|" },
		{ "\\if 0\nCOPY t FROM stdin;\n1\n\\.\n\\endif\na;",
			"!4:1 end-of-copy mark \"\\.\" outside COPY data|6:1 a;|" },
	};

	(void)state;
	expect_all(examples, ARRAY_SIZE(examples));
}

static void test_commands(void **state)
{
	static const struct example examples[] = {
		{ "\\echo a  'b  c' \"d\" :x\n\\echo -n e\n\\qecho\n\\warn f\\\\g;",
			"PRINT a b  c \"d\" :x\n|PRINT e|PRINT \n|WARN f\n|4:10 g;|" },
		{ "\\echo Use \"CREATE EXTENSION x\" to load this file. \\quit\na;",
			"PRINT Use \"CREATE EXTENSION x\" to load this file.\n|" },
		{ "a \\g\nb \\gx\nc \\gset\nd \\gset p_\n:x;e \\gexec",
			"1:1 a|2:1 b|3:1 GSET  c|4:1 GSET p_ d|5:1 7;|5:4 GEXEC  e|" },
		{ "a;\\g\n\\gset\n:x", "1:1 a;|1:1 * a;|1:1 GSET  a;|3:1 7|" },
		{ "\\g\na;", "2:1 a;|" },
		{ "a;;\\g\n\\p\n", "1:1 a;|1:1 * ;|PRINT ;\n|" },
		{ "a (b \\g\nc;", "1:1 a (b|2:1 c;|" },
		{ "a \\g (format=x expanded) \nb \\g f\nc \\g |sh\nd;",
			"1:1 a|!2:3 \\g to a file is not supported|!3:3 \\g to a program is not "
			"supported|2:1 b \nc \nd;|" },
		{ "a (b\n\\r\nc;\\p\nd\\p\n", "3:1 c;|PRINT c;\n|PRINT d\n|4:1 d|" },
		{ "\\p\na; /* c */ \\g\n\\g\n-- d\nb; -- c\n\\g", "2:1 a;|5:1 b;|5:1 * b;|" },
		{ "a \\q\nb;", "1:1 a|" },
		{ "\\x\n\\pset format x\n\\timing on\n\\t\\a\na;", "5:1 a;|" },
		{ "\\! ls\n\\o x\n\\w x\n\\s\n\\setenv A b\n\\crosstabview\n\\watch 1\n\\lo_import "
		  "x\n\\bind "
		  "1\na;",
			"!1:1 psql meta-command \\! is not supported|"
			"!2:1 psql meta-command \\o is not supported|"
			"!3:1 psql meta-command \\w is not supported|"
			"!4:1 psql meta-command \\s is not supported|"
			"!5:1 psql meta-command \\setenv is not supported|"
			"!6:1 psql meta-command \\crosstabview is not supported|"
			"!7:1 psql meta-command \\watch is not supported|"
			"!8:1 psql meta-command \\lo_import is not supported|"
			"!9:1 unknown meta-command \\bind|10:1 a;|" },
		{ "\\d 'a b\n\\dt+ x \\echo b\n\\z\n\\sf f(int)\na;",
			"WARN x.sql:1: \\d shows nothing here\n|"
			"WARN x.sql:2: \\dt+ shows nothing here\n|PRINT b\n|"
			"WARN x.sql:3: \\z shows nothing here\n|"
			"WARN x.sql:4: \\sf shows nothing here\n|5:1 a;|" },
		{ "COPY t FROM stdin\\; a\\; COPY u FROM stdin;\n1\n\\.\n2\n\\.\nb;",
			"1:1 * COPY t FROM stdin; a; COPY u FROM stdin;|{2 1\n}|{4 2\n}|6:1 b;|" },
		{ "a\\; COPY t FROM stdin \\g\n1\n\\.\nb;",
			"1:1 * a; COPY t FROM stdin|{2 1\n}|4:1 b;|" },
		{ "a\\\nb", "!1:2 stray backslash|1:1 a\nb|" },
		{ "\\.\na;", "!1:1 end-of-copy mark \"\\.\" outside COPY data|2:1 a;|" },
		{ "\\c a\n\\connect - u - 5;\n\\c \"A b\"\n\\c a;\n\\c -reuse-previous=off "
		  "'host=x y'\n\\c\n\\c postgres://h/d\n\\c x=y z\n",
			"1:1 CONNECT - a - - - 1|2:1 CONNECT - - u - 5 1|3:1 CONNECT - A b - - - "
			"1|4:1 CONNECT - a - - - 1|5:1 CONNECT host=x y - - - - 0|6:1 CONNECT - - "
			"- - - 1|7:1 CONNECT postgres://h/d - - - - 1|!8:1 \\c: a connection "
			"string leaves no room for user, host and port|" },
		{ "\\encoding latin1\n\\encoding\n", "ENCODING latin1|PRINT \n|" },
		{ "COPY t FROM stdin \\g\n1\n\\.\na;", "1:1 COPY t FROM stdin|{2 1\n}|4:1 a;|" },
	};

	(void)state;
	expect_all(examples, ARRAY_SIZE(examples));
}

static void test_copy(void **state)
{
	static const struct example examples[] = {
		{ "\\copy t from stdin\n1\n\\.\na;",
			"1:1 COPY  t FROM STDIN  <1 >|{2 1\n}|4:1 a;|" },
		{ "\\copy t from stdin\n1\n\\.\n\\echo\n\n\\copy t from stdin\n2\n\\.\na;",
			"1:1 COPY  t FROM STDIN  <1 >|{2 1\n}|PRINT \n|"
			"6:1 COPY  t FROM STDIN  <1 >|{7 2\n}|9:1 a;|" },
		{ "\\COPY s . \"T\" ( a , b ) FROM 'f''g' with (format csv)\na;",
			"1:1 COPY  s.\"T\" ( a , b ) FROM STDIN with (format csv) <0 f'g>|2:1 "
			"a;|" },
		{ "\\copy (select ')', \"(\", E'\\'(' from (values (1)) v) to f.csv csv;\na;",
			"1:1 COPY  ( select ')' , \"(\" , E'\\'(' from ( values ( 1 ) ) v ) TO "
			"STDOUT csv; <0 f.csv>|2:1 a;|" },
		{ "\\copy t to pstdout\n\\copy t from pstdin\n\\copy t to stdout",
			"1:1 COPY  t TO STDOUT  <2 >|2:1 COPY  t FROM STDIN  <2 >|3:1 COPY  t TO "
			"STDOUT  <1 >|" },
		{ "\\copy t from program 'ls'\n\\copy\n\\copy t\n\\copy t at x\n\\copy t from\na;",
			"!1:1 \\copy from or to a program is not supported|"
			"!2:1 \\copy: syntax error at the end of the line|"
			"!3:1 \\copy: syntax error at the end of the line|"
			"!4:1 \\copy: syntax error at \"at\"|"
			"!5:1 \\copy: syntax error at the end of the line|6:1 a;|" },
	};

	(void)state;
	expect_all(examples, ARRAY_SIZE(examples));
}

static void test_restrict(void **state)
{
	static const struct example examples[] = {
		{ "\\restrict k\na;\n\\unrestrict k\n\\echo b", "2:1 a;|PRINT b\n|" },
		{ "\\restrict k\n\\echo b\n\\i x\n\\restrict k\n\\if 1\n:VERBOSITY\\;b;\n"
		  "\\unrestrict l\n\\unrestrict\n\\g",
			"!2:1 \\echo in restricted mode, where only \\unrestrict is allowed|"
			"!3:1 \\i in restricted mode, where only \\unrestrict is allowed|"
			"!4:1 \\restrict in restricted mode, where only \\unrestrict is allowed|"
			"!5:1 \\if in restricted mode, where only \\unrestrict is allowed|"
			"6:1 * default;b;|!7:1 \\unrestrict: wrong key|"
			"!8:1 \\unrestrict needs an argument|"
			"!9:1 \\g in restricted mode, where only \\unrestrict is allowed|" },
		{ "\\restrict\n\\unrestrict k\na;",
			"!1:1 \\restrict needs an argument|"
			"!2:1 \\unrestrict: not in restricted mode|3:1 a;|" },
		{ "\\if 0\n\\restrict k\n\\endif\n\\echo b", "PRINT b\n|" },
		{ "\\restrict k\nCOPY t FROM stdin;\n\\echo\n\\.\na;",
			"2:1 COPY t FROM stdin;|{3 \\echo\n}|5:1 a;|" },
	};

	(void)state;
	expect_all(examples, ARRAY_SIZE(examples));
}

/* Without a server every branch that may be taken is gone through. */
static void test_dry(void **state)
{
	static const struct example examples[] = {
		{ "\\if :x\na;\n\\elif 1\nb;\n\\else\nc;\n\\endif\nd;",
			"2:1 a;|4:1 b;|6:1 c;|8:1 d;|" },
		{ "\\if :x\n\\i missing.sql\n\\q\n\\endif\nd;",
			"WARN x.sql:2: include of \"missing.sql\" is not looked into\n|5:1 d;|" },
		{ "\\if 0\na;\n\\else\nb;\n\\endif", "4:1 b;|" },
		{ "SET standard_conforming_strings = off; '\\';a;';b;",
			"1:1 SET standard_conforming_strings = off;|1:40 '\\';a;';|1:48 b;|" },
		{ "SET client_encoding = 'SJIS'; '\x95\\';a",
			"1:1 SET client_encoding = 'SJIS';|1:31 '\x95\\';|1:36 a|" },
		{ "\\encoding sjis\nx\x95\\y;a", "ENCODING sjis|2:1 x\x95\\y;|2:6 a|" },
	};

	(void)state;
	expect_mode(examples, ARRAY_SIZE(examples), true);
}

/* LINE:COLUMN <EXCERPT> COLUMN-IN-IT of the byte of the statement's text where needle stands. */
static char *place_of(const char *text, const char *needle)
{
	struct input input = { text, strlen(text), 0, 3 };
	const struct script_source source = { read_input, &input };
	const struct script_options options = { 0 };
	CLEANUP(script_cleanup)
	struct script *script = script_new("x.sql", source, &options, NULL);
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(strbuf_release) struct strbuf ignored = STRBUF_INIT;
	struct script_action action;

	while (script_next(script, &action, &err) == 0 && action.kind != SCRIPT_END) {
		const struct script_statement *statement = &action.statement;
		const char *found = statement->text ? strstr(statement->text, needle) : NULL;

		for (size_t i = 0; i < count_data(&action); i++)
			add_copy_data(script, &ignored, &err);
		if (!found)
			continue;
		origin_place(&statement->origin, statement->text, statement->length,
			(size_t)(found - statement->text), &err);
		return mem_printf("%zu:%zu <%s> %zu", err.place.line, err.place.column,
			err.place.excerpt, err.place.excerpt_column);
	}
	return mem_strdup("not found");
}

static void test_places(void **state)
{
	static const struct {
		const char *text, *needle, *expected;
	} examples[] = {
		{ "\\set v 'long value here'\nSELECT :v X;", "X", "2:11 <SELECT :v X;> 11" },
		{ "\\set v 'long value here'\nSELECT :v X;", "value", "2:8 <SELECT :v X;> 8" },
		{ "\\set v 'long value here'\nSELECT :'v', X;", "here", "2:8 <SELECT :'v', X;> 8" },
		{ "\\set v 'long value here'\nSELECT :'v', X;", "X", "2:14 <SELECT :'v', X;> 14" },
		{ "\\set v 'a b'\n  :v,\n :v X;", "X", "3:5 < :v X;> 5" },
		{ "\\set v 'a; b'\n:v X;", "X", "2:4 <:v X;> 4" },
		{ "\\set v w\n\\set w 'p q'\nx ::v :v :w :{?v} X;", "X",
			"3:19 <x ::v :v :w :{?v} X;> 19" },
		{ "a \\; X;", "X", "1:6 <a \\; X;> 6" },
		{ "a\n\\if 0\nb\n\\else\nc\n\\endif\nd X;", "X", "7:3 <d X;> 3" },
		{ "a \\if 1 \\\\ X \\endif\n;", "X", "1:12 <a \\if 1 \\\\ X \\endif> 12" },
		{ "a\n\\if 1\nb X\n\\else\nc\n\\endif\nd;", "X", "3:3 <b X> 3" },
		{ "\\set t 't'\nCOPY :t FROM stdin; b :t X\n1\n\\.\nc Y;", "X",
			"2:26 <...b :t X> 9" },
		{ "\\set t 't'\nCOPY :t FROM stdin; b :t X\n1\n\\.\nc Z;", "Z", "5:3 <c Z;> 3" },
		{ "\\copy t from stdin with X\n\\.\n", "X", "1:1 <\\copy> 1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		CLEANUP(mem_cleanup) char *got = place_of(examples[i].text, examples[i].needle);

		if (strcmp(got, examples[i].expected) != 0)
			unit_fail(examples[i].text, got, examples[i].expected);
	}
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static char *describe_file(const char *path)
{
	const struct script_options options = { 0 };
	CLEANUP(script_cleanup) struct script *script = NULL;
	CLEANUP(err_release) struct err err = ERR_INIT;
	struct strbuf out = STRBUF_INIT;

	if (script_open(path, path, &options, NULL, &script, &err) != 0)
		return mem_strdup(err.message);
	run(script, &out);
	return strbuf_detach(&out);
}

static void test_includes(void **state)
{
	char directory[] = "/tmp/scriptXXXXXX";
	CLEANUP(mem_cleanup) char *got = NULL;

	(void)state;
	assert_non_null(mkdtemp(directory));
	assert_int_equal(chdir(directory), 0);
	assert_int_equal(mkdir("sub", 0700), 0);
	write_file("a.sql", "a;\n\\set v 1\n\\i sub/b.sql\n:v\n\\ir sub/c.sql\n;\\i missing\n"
			    "\\ir 'sub/c.sql' \\\\ e;");
	write_file("sub/b.sql", "b\n\\ir c.sql\n\\i c.sql\n\\q\nnever;");
	write_file("sub/c.sql", "c;\\set v :v:v");
	write_file("loop.sql", "x;\n\\ir loop.sql\n");
	got = describe_file("a.sql");
	check_text("includes", got,
		"1:1 a;|1:1 c;|!3:1 could not open file \"c.sql\": No such file or directory|"
		"1:1 b|1:1 c;|4:1 11\n\n;|!6:2 could not open file \"missing\": No such file or "
		"directory|1:1 c;|7:20 e;|");
	mem_free(got);
	got = describe_file("loop.sql");
	check_holds("loop", got, "!2:1 includes are nested more than 64 deep|");
	mem_free(got);
	got = describe_file("sub");
	check_holds("directory", got, "directory");
	check_number("clean-up",
		unlink("a.sql") | unlink("loop.sql") | unlink("sub/b.sql") | unlink("sub/c.sql") |
			rmdir("sub") | chdir("/") | rmdir(directory),
		0);
}

static void test_gset(void **state)
{
	struct input input = { ":a :b;", 6, 0, SIZE_MAX };
	const struct script_source source = { read_input, &input };
	const struct script_options options = { 0 };
	CLEANUP(script_cleanup)
	struct script *script = script_new("x.sql", source, &options, NULL);
	CLEANUP(err_release) struct err err = ERR_INIT;
	struct script_action action;

	(void)state;
	assert_int_equal(script_gset(script, "a", "1", &err), 0);
	assert_int_equal(script_gset(script, "b", "2", &err), 0);
	assert_int_equal(script_gset(script, "b", NULL, &err), 0);
	assert_int_equal(script_gset(script, "ON_ERROR_STOP", "off", &err), 1);
	assert_int_equal(script_gset(script, "?column?", "1", &err), -1);
	assert_true(script_stops_on_error(script));
	assert_int_equal(script_next(script, &action, &err), 0);
	assert_string_equal(action.statement.text, "1 :b;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_variables),
		UNIT_TEST(test_branches),
		UNIT_TEST(test_commands),
		UNIT_TEST(test_copy),
		UNIT_TEST(test_restrict),
		UNIT_TEST(test_dry),
		UNIT_TEST(test_places),
		UNIT_TEST(test_includes),
		UNIT_TEST(test_gset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
