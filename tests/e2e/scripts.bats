#!/usr/bin/env bats
# What scripts hold, run by db-schema-load: statements, COPY data, dumps, files that are no scripts, and the
# places that errors name.

load helper
load scripts

# --- places ------------------------------------------------------------------------------------

@test "an error has file, line and column, the line and a caret" {
	cat >a.sql <<'SQL'
-- users
CREATE TABLE ok (id int);
CREATE TABLE users (
  id uuidd PRIMARY KEY,
  name text
);
SQL
	load_schema -f a.sql
	assert_fails_at a.sql:4:6 'type "uuidd" does not exist' '  id uuidd PRIMARY KEY,' '     ^'
	assert_untouched
}

@test "a syntax error points to the word it is at" {
	printf 'SELECT 1;\n\n  SELECT 1 FROM\n    WHERE x;\n' >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:4:5 'syntax error at or near "WHERE"' '    WHERE x;' '    ^'
}

@test "a syntax error at the end of the file points behind the last character" {
	printf 'CREATE TABLE t (id int);\nSELECT * FROM' >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:2:14 'syntax error at end of input' 'SELECT * FROM' '             ^'
	assert_untouched
}

@test "columns count characters, not bytes" {
	printf "SELECT 'äöü€😀', nope;\n" >a.sql
	load_schema -f a.sql
	# The last of them takes two columns on a terminal.
	assert_fails_at a.sql:1:17 'column "nope" does not exist' "SELECT 'äöü€😀', nope;" \
		'                 ^'
}

@test "columns count characters of earlier lines of the statement right as well" {
	printf "SELECT 'é',\n  'ü€',\n  'ß', nope;\n" >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:3:8 'column "nope" does not exist' "  'ß', nope;" '       ^'
}

@test "the caret stands below its word after tabs" {
	printf 'SELECT\n\t1,\tnope;\n' >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:2:5 'column "nope" does not exist'
	line=$(sed -n 's/^ *2 | //p' <<<"$stderr")
	caret=$(sed -n 's/^      | \( *\)^$/\1/p' <<<"$stderr")
	assert_equal "nope;" "${line:${#caret}}"
}

@test "a very long line is cut around the error" {
	printf 'SELECT %s nope, %s;\n' "$(printf '1, %.0s' {1..3000})" "$(printf '2, %.0s' {1..3000})3" >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:1:9009 'column "nope" does not exist'
	line=$(sed -n 's/^ *1 | //p' <<<"$stderr")
	caret=$(sed -n 's/^      | \( *\)^$/\1/p' <<<"$stderr")
	[ "${#line}" -lt 200 ]
	assert_equal nope "${line:${#caret}:4}"
	assert_matches "$line" '^\.\.\..*\.\.\.$'
}

@test "the second statement of a line is found in it" {
	printf "SELECT 'ä'; SELECT nope;\n" >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:1:20 'column "nope" does not exist'
}

@test "CRLF files have the same lines and columns" {
	printf 'CREATE TABLE t (\r\n  id int\r\n);\r\nSELECT id,\r\n  nope FROM t;\r\n' >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:5:3 'column "nope" does not exist' '  nope FROM t;' '  ^'
	refute_contains "$stderr" '\r'
}

@test "a byte order mark is skipped and does not count as a column" {
	printf '\xef\xbb\xbfSELECT nope;\n' >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:1:8 'column "nope" does not exist' 'SELECT nope;' '       ^'
	printf '\xef\xbb\xbfCREATE TABLE t (id int);\n' >a.sql
	load_schema -f a.sql
	assert_status 0
	assert_equal 0 "$(sql "$DB" 'SELECT count(*) FROM t')"
}

@test "a script in LATIN1 that says so is loaded, and its columns are right" {
	printf "SET client_encoding = 'LATIN1';\nCREATE TABLE t AS SELECT 'caf\xe9'::text AS c;\n" >a.sql
	load_schema -f a.sql
	assert_status 0
	assert_equal café "$(sql "$DB" 'SELECT c FROM t')"
	printf "SET client_encoding = 'LATIN1';\nSELECT 'caf\xe9', nope;\n" >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:2:16 'column "nope" does not exist'
}

@test "an error without a position is placed at the start of its statement" {
	cat >a.sql <<'SQL'
CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL);
-- the first row
/* and more */

  INSERT INTO t (id)
  VALUES (1);
SQL
	load_schema -f a.sql
	assert_fails_at a.sql:5:3 'null value in column "name" of relation "t"' '  INSERT INTO t (id)' '  ^'
	assert_contains "$stderr" 'detail: Failing row contains (1, null).'
	assert_untouched
}

@test "an error in COPY data names the line of the row" {
	cat >a.sql <<'SQL'
CREATE TABLE t (id int, name text);
COPY t (id, name)
  FROM stdin;
1	one
2	two
drei	three
4	four
\.
SQL
	load_schema -f a.sql
	assert_fails_at a.sql:6 'invalid input syntax for type integer: "drei"'
	assert_contains "$stderr" 'COPY t, line 3, column id'
	assert_untouched
}

@test "an error deep inside large COPY data names the line of the row" {
	{
		printf 'CREATE TABLE t (id int, pad text);\nCOPY t FROM stdin;\n'
		awk 'BEGIN { for (i = 1; i <= 30000; i++) print (i == 25000 ? "x" : i) "\tsome filling text" }'
		printf '\\.\nSELECT 1;\n'
	} >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:25002 'invalid input syntax for type integer: "x"'
	assert_untouched
}

@test "an error that comes at COMMIT undoes everything and names the script" {
	cat >a.sql <<'SQL'
CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE c (p int REFERENCES p DEFERRABLE INITIALLY DEFERRED);
INSERT INTO c VALUES (1);
SQL
	load_schema -f a.sql
	assert_status 3
	assert_contains "$stderr" 'violates foreign key constraint "c_p_fkey"'
	assert_contains "$stderr" 'Key (p)=(1) is not present in table "p".'
	assert_contains "$stderr" '"a.sql"'
	assert_untouched
}

@test "an error inside a function is placed at the statement that called it, with its context" {
	cat >a.sql <<'SQL'
CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  PERFORM nope;
  RETURN 1;
END $$;

SELECT f();
SQL
	load_schema -f a.sql
	assert_fails_at a.sql:7:1 'column "nope" does not exist' 'SELECT f();' '^'
	assert_contains "$stderr" 'context: PL/pgSQL function f() line 3 at PERFORM'
	assert_untouched
}

@test "a syntax error inside the body of a function is placed in the body" {
	cat >a.sql <<'SQL'
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $body$
  SELECT 1
  FRM x;
$body$;
SQL
	load_schema -f a.sql
	assert_fails_at a.sql:3:7 'syntax error at or near "x"' '  FRM x;' '      ^'
}

@test "the server's hint is kept" {
	printf 'CREATE TABLE t (name text);\nSELECT nam FROM t;\n' >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:2:8 'column "nam" does not exist'
	assert_contains "$stderr" 'hint: Perhaps you meant to reference the column "t.name".'
}

@test "-v shows the SQLSTATE" {
	echo 'SELECT nope;' >a.sql
	load_schema -f a.sql
	refute_contains "$stderr" 42703
	load_schema -v -f a.sql
	assert_fails_at a.sql:1:8 '42703: column "nope" does not exist'
}

@test "with GITHUB_ACTIONS an error is also printed as an annotation" {
	mkdir -p 'a,b'
	printf 'SELECT 1,\n  "a%%b\nc";\n' >'a,b/x.sql'
	GITHUB_ACTIONS=true load_schema -f a,b/x.sql
	assert_status 3
	assert_contains "$stderr" \
		$'\n::error file=a%2Cb/x.sql,line=2,col=3::column "a%25b%0Ac" does not exist'
}

# --- cutting statements ------------------------------------------------------------------------

@test "dollar quotes hold semicolons, quotes and other dollar quotes" {
	cat >a.sql <<'SQL'
CREATE TABLE t (id int, v text);
INSERT INTO t VALUES (1, $$it's; "x" -- no comment /*$$), (2, $a$ $$;$$ $b$ $a$);
CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $f$
DECLARE a$b int := 1; -- $f is no end
BEGIN
  EXECUTE $x$ SELECT $$;$$; $x$;
  RETURN 'a;$$' || a$b;
END;
$f$;
DO $ä$ BEGIN INSERT INTO t VALUES (3, 'three'); END $ä$;
SQL
	load_schema -f a.sql
	assert_status 0
	assert_equal $'1|it\'s; "x" -- no comment /*\n2| $$;$$ $b$ \n3|three\n4|a;$$1' \
		"$(sql "$DB" 'SELECT * FROM t UNION ALL SELECT 4, f() ORDER BY 1')"
}

@test "quotes: escapes, doubled quotes, continued strings, quoted names" {
	cat >a.sql <<'SQL'
CREATE TABLE "t;""x" (id int, v text);
INSERT INTO "t;""x" VALUES (1, E'a\'; b\\'), (2, 'c''; d\'), (3, e'x\';'
'y;z');
INSERT INTO "t;""x" VALUES (4, U&'d\0061t\+000061;'), (5, B'101'::text);
SQL
	load_schema -f a.sql
	assert_status 0
	assert_equal $'1|a\'; b\\\n2|c\'; d\\\n3|x\';y;z\n4|data;\n5|101' \
		"$(sql "$DB" 'SELECT * FROM "t;""x" ORDER BY 1')"
}

@test "with standard_conforming_strings off a backslash escapes in plain strings" {
	cat >a.sql <<'SQL'
CREATE TABLE t (id int, v text);
SET escape_string_warning = off;
SET standard_conforming_strings = off;
INSERT INTO t VALUES (1, 'a\'; b');
SET standard_conforming_strings = on;
INSERT INTO t VALUES (2, 'c\');
SQL
	load_schema -f a.sql
	assert_status 0
	assert_equal $'1|a\'; b\n2|c\\' "$(sql "$DB" 'SELECT * FROM t ORDER BY 1')"
}

@test "comments nest, and hold quotes and semicolons" {
	cat >a.sql <<'SQL'
-- it's; a "comment
/* one; ' /* two $$ */ still; " */ CREATE TABLE t (id int); --;
INSERT INTO t /* ; */ VALUES (1 -- ;'
);
/* last */
SQL
	mark=$(server_log_mark)
	load_schema -f a.sql
	assert_status 0
	assert_equal 1 "$(sql "$DB" 'SELECT id FROM t')"
	assert_equal 1 "$(statements "$mark" "$DB" | grep -c '^CREATE TABLE t')"
}

@test "a function body in BEGIN ATOMIC … END is one statement" {
	cat >a.sql <<'SQL'
CREATE TABLE t (id int);
CREATE FUNCTION f(a int) RETURNS text LANGUAGE sql
BEGIN ATOMIC
  INSERT INTO t VALUES (a);
  SELECT CASE WHEN a > 0 THEN 'more' ELSE 'less' END;
END;
SELECT f(7);
SQL
	load_schema -f a.sql
	if [ "$SERVER_VERSION" -lt 14 ]; then
		assert_fails_at a.sql:3:1 'syntax error at or near "BEGIN"'
		return
	fi
	assert_status 0
	assert_equal 7 "$(sql "$DB" 'SELECT id FROM t')"
}

@test "a rule with several actions in parentheses is one statement" {
	cat >a.sql <<'SQL'
CREATE TABLE t (id int);
CREATE TABLE log (id int);
CREATE RULE r AS ON INSERT TO t DO ALSO (
  INSERT INTO log VALUES (NEW.id);
  INSERT INTO log VALUES (NEW.id * 10);
);
INSERT INTO t VALUES (4);
SQL
	load_schema -f a.sql
	assert_status 0
	assert_equal '4 40' "$(sql "$DB" "SELECT string_agg(id::text, ' ' ORDER BY id) FROM log")"
}

@test "COPY data may look like SQL, and arrive as they are" {
	cat >a.sql <<'SQL'
CREATE TABLE t (id int, v text);
COPY t FROM stdin;
1	'; DROP TABLE t; --
2	$$ /* "
3	\N
4	\\.
5	a\tb\\c
6	\\i x.sql
\.
INSERT INTO t VALUES (7, 'after');
SQL
	load_schema -f a.sql
	assert_status 0
	assert_equal "$(printf '%s\n' "1|'; DROP TABLE t; --" '2|$$ /* "' '3|<null>' '4|\.' \
		$'5|a\tb\\c' '6|\i x.sql' '7|after')" \
		"$(sql "$DB" "SELECT id, coalesce(v, '<null>') FROM t ORDER BY id")"
}

@test "COPY data with CRLF lines are loaded" {
	printf 'CREATE TABLE t (id int);\r\nCOPY t FROM stdin;\r\n1\r\n2\r\n\\.\r\nINSERT INTO t VALUES (3);\r\n' \
		>a.sql
	load_schema -f a.sql
	assert_status 0
	assert_equal 6 "$(sql "$DB" 'SELECT sum(id) FROM t')"
}

@test "COPY data may end with the end mark at the end of the file without a newline" {
	printf 'CREATE TABLE t (id int);\nCOPY t FROM stdin;\n1\n2\n\\.' >a.sql
	load_schema -f a.sql
	assert_status 0
	assert_equal 3 "$(sql "$DB" 'SELECT sum(id) FROM t')"
}

@test "several COPY blocks follow each other, empty ones too" {
	cat >a.sql <<'SQL'
CREATE TABLE a (id int);
CREATE TABLE b (id int);
COPY a FROM stdin;
\.
COPY b FROM stdin WITH (FORMAT csv, HEADER);
id
1
\.
COPY a FROM stdin;
2
3
\.
SQL
	load_schema -f a.sql
	assert_status 0
	assert_equal '5|1' "$(sql "$DB" 'SELECT (SELECT sum(id) FROM a), (SELECT sum(id) FROM b)')"
}

@test "COPY data cut off by the end of the file are an error, and nothing is loaded" {
	printf 'CREATE TABLE t (id int);\nCOPY t FROM stdin;\n1\n2\n' >a.sql
	mark=$(server_log_mark)
	load_schema -f a.sql
	assert_fails_at a.sql:2:1 'COPY data end without the end mark'
	assert_equal '' "$(statements "$mark" "$DB")"
	# From a pipe it shows only at the end.
	load_schema -f - <a.sql
	assert_fails_at '<stdin>:2:1' 'COPY data end without the end mark'
	assert_untouched
}

@test "the last statement needs no semicolon" {
	printf 'CREATE TABLE a (id int);\nCREATE TABLE b (id int) -- done' >a.sql
	load_schema -f a.sql
	assert_status 0
	assert_equal 0 "$(sql "$DB" 'SELECT count(*) FROM a, b')"
}

@test "an empty script and one of comments only succeed with a warning" {
	: >empty.sql
	printf '\n-- nothing\n/* here; */ ;\n' >comments.sql
	for file in empty.sql comments.sql; do
		load_schema -f "$file"
		assert_status 0
		assert_contains "$stderr" "warning: \"$file\" holds no statement"
	done
}

# --- files that are not scripts ----------------------------------------------------------------

@test "a NUL byte is an error at its place, before anything runs" {
	printf 'CREATE TABLE t (id int);\nSELECT \0 1;\n' >a.sql
	mark=$(server_log_mark)
	load_schema -f a.sql
	assert_fails_at a.sql:2:8 'script holds a NUL byte'
	assert_equal '' "$(statements "$mark" "$DB")"
}

@test "a NUL byte in COPY data is an error at its line, and nothing is loaded" {
	printf 'CREATE TABLE t (v text);\nCOPY t FROM stdin;\na\nb\0c\n\\.\n' >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:4:2 'COPY data hold a NUL byte'
	assert_untouched
}

@test "UTF-16 is recognised, with and without a mark" {
	printf '\xff\xfeS\0E\0L\0' >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:1:1 'script looks like UTF-16'
	assert_contains "$stderr" iconv
	printf 'S\0E\0L\0' >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:1:1 'script looks like UTF-16'
}

@test "a binary file is an error, and nothing of it reaches the server" {
	printf 'PGDMP\1\16\0\4\10\1\1\1' >a.sql
	mark=$(server_log_mark)
	load_schema -f a.sql
	assert_fails_at a.sql:1:8 'script holds a NUL byte'
	assert_equal '' "$(statements "$mark" "$DB")"
	refute_contains "$stderr" $'\1'
}

@test "bytes that are not UTF-8 are the server's error, at the statement's place" {
	printf "SELECT 1;\nSELECT 'a\xff\xfe\xe9';\n" >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:2:1 'invalid byte sequence for encoding "UTF8"'
	refute_contains "$stderr" $'\xff'
}

@test "what is never closed is reported where it began, before anything runs" {
	local open message
	mark=$(server_log_mark)
	while IFS='~' read -r open message column; do
		printf 'CREATE TABLE t (id int);\n\nSELECT 1,\n  %s\n;\nSELECT 2;\n' "$open" >a.sql
		load_schema -f a.sql
		assert_fails_at "a.sql:4:${column:-3}" "$message is never closed" "  $open"
	done <<-'CASES'
		'a;~quoted string
		E'a\';~quoted string~4
		"a;~quoted identifier
		$$a;~dollar-quoted string
		$x$a; $$ $y$~dollar-quoted string
		/* a /* b */~comment
		(1, (2);~parenthesis
	CASES
	assert_equal '' "$(statements "$mark" "$DB")"
	assert_untouched
}

@test "a missing file, a directory and an unreadable file are errors before a connection is made" {
	mark=$(server_log_mark)
	load_schema -f nothere.sql
	assert_status 1
	assert_contains "$stderr" 'could not open file "nothere.sql": No such file or directory'
	mkdir d.sql
	load_schema -f d.sql
	assert_status 1
	assert_contains "$stderr" 'could not read file "d.sql": it is a directory'
	echo 'CREATE TABLE t ();' >secret.sql
	chmod 000 secret.sql
	chmod 755 .
	run --separate-stderr as_other "$(command -v db-schema-load)" -f secret.sql
	assert_status 1
	assert_contains "$stderr" 'could not open file "secret.sql": Permission denied'
	refute_contains "$(server_log_since "$mark")" "database=$DB "
}

@test "a second file that is missing is found before the first one runs" {
	echo 'CREATE TABLE t ();' >a.sql
	mark=$(server_log_mark)
	load_schema -f a.sql -f b.sql
	assert_status 1
	assert_contains "$stderr" b.sql
	refute_contains "$(server_log_since "$mark")" "database=$DB "
}

@test "a project without db/schema.sql is an error that names the file" {
	mkdir -p p/db
	cd p
	load_schema
	assert_status 1
	assert_contains "$stderr" 'db/schema.sql'
}

# --- pipes -------------------------------------------------------------------------------------

@test "standard input is read with -f -" {
	printf 'CREATE TABLE t (id int);\nCOPY t FROM stdin;\n1\n\\.\nINSERT INTO t VALUES (2)' |
		db-schema-load -f -
	assert_equal 3 "$(sql "$DB" 'SELECT sum(id) FROM t')"
	run --separate-stderr db-schema-load -f - <<<$'SELECT 1;\n SELECT nope;'
	assert_fails_at '<stdin>:2:9' 'column "nope" does not exist'
}

@test "a named pipe is read once, to its end" {
	mkfifo pipe
	seq 1 20000 | sed 's/.*/SELECT &;/' >many.sql
	sed -i '1i CREATE TABLE t (id int);' many.sql
	start_job db-schema-load -f pipe
	timeout 20 cat many.sql >pipe
	wait_until job_ended 30
	finish_job
	assert_status 0
	assert_equal 0 "$(sql "$DB" 'SELECT count(*) FROM t')"
	assert_contains "$stderr" '20001 statements'
}

@test "process substitution works" {
	run --separate-stderr db-schema-load -f <(echo 'CREATE TABLE t (id int);')
	assert_status 0
	assert_equal 0 "$(sql "$DB" 'SELECT count(*) FROM t')"
}

@test "several files run in their order, in one transaction" {
	echo 'CREATE TABLE a (id int);' >a.sql
	echo 'INSERT INTO a VALUES (1);' >b.sql
	load_schema -f a.sql -f b.sql
	assert_status 0
	assert_equal 1 "$(sql "$DB" 'SELECT id FROM a')"
	sql "$DB" 'DROP TABLE a'
	printf 'INSERT INTO a VALUES (1);\nINSERT INTO a VALUES (1, 2);\n' >b.sql
	load_schema -f a.sql -f b.sql
	assert_fails_at b.sql:2:26 'INSERT has more expressions than target columns'
	assert_untouched
}

# --- dumps -------------------------------------------------------------------------------------

# A database worth dumping, and its dump in dump.sql.
make_dump() {
	local from
	from=$(db from)
	"$SERVER_PSQL" -Xq -v ON_ERROR_STOP=1 -d "$(url "$from")" <<-'SQL'
		CREATE SCHEMA app;
		CREATE TYPE app.mood AS ENUM ('sad', 'it''s; ok');
		CREATE TABLE app.t (id serial PRIMARY KEY, m app.mood, v text DEFAULT 'a;b', CHECK (id > 0));
		CREATE TABLE empty (id int);
		INSERT INTO app.t (m, v) VALUES ('sad', E'tab\t nl\n \\. back\\'), ('it''s; ok', NULL);
		CREATE FUNCTION app.f() RETURNS trigger LANGUAGE plpgsql AS $_$
		BEGIN
		  NEW.v := $$x;$$;
		  RETURN NEW;
		END $_$;
		CREATE TRIGGER tr BEFORE INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION app.f();
		COMMENT ON TABLE app.t IS 'it''s; -- a comment';
		CREATE VIEW public.v AS SELECT * FROM app.t;
	SQL
	dump "$from" >dump.sql
}

# No pg_dump is as new as the server.
cannot_dump() {
	[ "$("$SERVER_PG_DUMP" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')" -lt "$SERVER_VERSION" ]
}

@test "a plain dump loads into an identical database" {
	make_dump
	if cannot_dump; then
		return
	fi
	load_schema -f dump.sql
	assert_status 0
	assert_equal "$(<dump.sql)" "$(dump "$DB")"
	assert_equal 2 "$(sql "$DB" 'SELECT count(*) FROM v')"
}

@test "what a file sets does not hold for the next one" {
	cat >a.sql <<'SQL'
SELECT pg_catalog.set_config('search_path', '', false);
SET statement_timeout = 1234;
SET standard_conforming_strings = off;
SET check_function_bodies = false;
SET ROLE app;
SQL
	cat >b.sql <<'SQL'
CREATE TABLE t AS SELECT current_setting('search_path') AS p,
  current_setting('statement_timeout') AS s, '\n' AS v, current_user::text AS u;
SQL
	load_schema -f a.sql -f b.sql
	assert_status 0
	assert_equal '"$user", public|0|\n|postgres' "$(sql "$DB" 'TABLE t')"
	sql "$DB" 'DROP TABLE t'
	load_schema --no-transaction -f a.sql -f b.sql
	assert_status 0
	assert_equal '"$user", public|0|\n|postgres' "$(sql "$DB" 'TABLE t')"
}

@test "a pipe that brings nothing is warned of" {
	run --separate-stderr db-schema-load -f - </dev/null
	assert_status 0
	assert_contains "$stderr" 'holds no statement'
}

@test "under GitHub Actions text from the server cannot be a command to the runner" {
	cat >a.sql <<-'SQL'
		DO $$ BEGIN RAISE NOTICE E'x\n::add-mask::a'; RAISE EXCEPTION E'y\n::add-mask::b'; END $$;
	SQL
	GITHUB_ACTIONS=true load_schema -f a.sql
	assert_status 3
	assert_equal '' "$(grep '^::' <<<"$stderr" | grep -v '^::error ')"
	assert_contains "$stderr" ' ::add-mask::b'
}

@test "a second script is watched for a dead client like the first" {
	cat >a.sql <<-'SQL'
		DO $$ BEGIN
		  RAISE NOTICE '%', current_setting('client_connection_check_interval', true);
		END $$;
	SQL
	load_schema -f a.sql -f a.sql
	assert_status 0
	if [ "$(sql postgres 'SHOW server_version_num')" -ge 140000 ]; then
		assert_equal 2 "$(grep -c 'NOTICE: 2s' <<<"$stderr")"
	fi
}

@test "passwords in nested strings are masked" {
	cat >a.sql <<-'SQL'
		DO $$ BEGIN EXECUTE 'create role zz password ''Geheim3'' bad'; END $$;
	SQL
	load_schema -e -f a.sql
	assert_status 3
	refute_contains "$output$stderr" Geheim3
}

@test "COPY data of tables with quotes or escapes in their names are loaded" {
	printf '%s\n' 'CREATE TABLE "a""b" ("c""" text);' 'COPY public."a""b" ("c""") FROM stdin;' 1 '\.' \
		'COPY U&"\0061!" FROM stdin;' 2 '\.' >a.sql
	sql "$DB" 'CREATE TABLE "a!" (v text)'
	load_schema -f a.sql
	assert_status 0
	assert_equal '1|2' "$(sql "$DB" 'SELECT "c""", v FROM "a""b", "a!"')"
}

@test "output that cannot be written after the load says that the load is done" {
	printf '%s\n' 'CREATE TABLE t ();' '\echo text' >a.sql
	run --separate-stderr bash -c 'db-schema-load -f a.sql >/dev/full'
	assert_status 1
	assert_contains "$stderr" 'The script is in the database.'
	assert_equal t "$(sql "$DB" 'SELECT relname FROM pg_class WHERE relname = $$t$$')"
}
