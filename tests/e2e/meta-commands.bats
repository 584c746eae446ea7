#!/usr/bin/env bats
# The meta-commands that need the server.

load helper
load scripts

@test "\\gset stores one row and leaves special variables alone" {
	cat >a.sql <<-'SQL'
		SELECT 5 AS five, NULL AS nothing, 'off' AS "ON_ERROR_STOP" \gset
		SELECT 6 AS five \gset my_
		\echo :five :my_five :{?nothing} :ON_ERROR_STOP :DBNAME
	SQL
	load_schema -f a.sql
	assert_status 0
	assert_equal "5 6 FALSE on $DB" "$output"
	assert_contains "$stderr" 'a.sql:1: \gset leaves the special variable "ON_ERROR_STOP" alone'
	for rows in 0 2; do
		printf 'SELECT 1;\nSELECT 1 AS a FROM generate_series(1, %d) \\gset\n' "$rows" >a.sql
		load_schema -f a.sql
		assert_fails_at a.sql:2:1 "$([ "$rows" = 0 ] && echo no rows || echo more than one row) returned for \\gset"
	done
}

@test "\\gexec runs every value, and errors have the place of the query" {
	cat >a.sql <<-'SQL'
		SELECT format('CREATE TABLE t%s ()', i), NULL FROM generate_series(1, 3) i \gexec
		SELECT 'SELECT 1' UNION ALL SELECT 'SELECT nope'
		\gexec
	SQL
	load_schema -f a.sql
	assert_fails_at a.sql:2:1 'column "nope" does not exist'
	assert_untouched
	sed -i 's/nope/2/' a.sql
	load_schema -f a.sql
	assert_status 0
	assert_equal 3 "$(sql "$DB" "SELECT count(*) FROM pg_class WHERE relname ~ '^t[123]\$'")"
}

@test "\\connect goes on in another database of the same server" {
	other=$(db other)
	cat >a.sql <<-SQL
		CREATE TABLE first ();
		\\connect $other
		CREATE TABLE second ();
		\\c "dbname=$DB"
		CREATE TABLE third ();
		\\echo :DBNAME
	SQL
	load_schema -f a.sql
	assert_status 0
	assert_equal "$DB" "$output"
	assert_equal 'first third' "$(sql "$DB" "SELECT string_agg(relname, ' ' ORDER BY 1) FROM pg_class
		WHERE relnamespace = 'public'::regnamespace")"
	assert_equal 0 "$(sql "$other" 'SELECT count(*) FROM second')"
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity
		WHERE datname IN ('$DB', '$other')\")\" = 0 ]"
}

@test "\\connect leaves the database it comes from, which can be dropped and made anew" {
	cat >a.sql <<-SQL
		CREATE TABLE before ();
		\\connect postgres
		DROP DATABASE $DB;
		CREATE DATABASE $DB;
		\\connect $DB
		CREATE TABLE after ();
	SQL
	"$SERVER_PSQL" -Xq -v ON_ERROR_STOP=1 -d "$(url "$DB")" -f a.sql
	sql "$DB" 'DROP TABLE after'
	load_schema -f a.sql
	assert_status 0
	assert_equal after "$(sql "$DB" "SELECT string_agg(relname, ' ' ORDER BY 1) FROM pg_class
		WHERE relnamespace = 'public'::regnamespace")"
	# The next file goes on where the one before has ended; a database that is gone is no error.
	printf '\\connect postgres\nDROP DATABASE %s;\n' "$DB" >a.sql
	printf '\\echo :DBNAME\n' >b.sql
	load_schema -f a.sql -f b.sql
	assert_status 0
	assert_equal postgres "$output"
	! db_exists "$DB" || return 1
}

@test "\\connect elsewhere is refused without --allow-connect, and gets no password with it" {
	CONNECTION_URL=$(app_url "$DB")
	export CONNECTION_URL
	local line
	while read -r line; do
		printf '%s\nCREATE TABLE t ();\n' "$line" >a.sql
		load_schema -f a.sql
		assert_status 4
		assert_contains "$stderr" 'a.sql:1'
		assert_contains "$stderr" --allow-connect
	done <<-'CASES'
		\connect - - otherhost.invalid
		\connect - nocreate
		\connect - - - 1
		\connect postgresql://nocreate@/postgres
		\connect "dbname=postgres sslmode=disable"
	CASES
	# Both have the same password, and need it.
	printf '\\connect - nocreate\nCREATE TABLE t ();\n' >a.sql
	load_schema --allow-connect -f a.sql
	assert_status 2
	assert_contains "$stderr" password
	refute_contains "$output$stderr" "$APP_PASSWORD"
	assert_untouched
}

@test "\\encoding is followed, and a wrong one is an error" {
	printf 'CREATE TABLE t (v text);\n\\encoding LATIN1\nINSERT INTO t VALUES (%s);\n\\echo :ENCODING\n' \
		"'"$'\xe9'"'" >a.sql
	load_schema -f a.sql
	assert_status 0
	assert_equal LATIN1 "$output"
	assert_equal é "$(sql "$DB" 'SELECT v FROM t')"
	printf 'SELECT 1;\n\\encoding bogus\n' >a.sql
	load_schema -f a.sql
	assert_status 3
	assert_contains "$stderr" 'a.sql:2'
}

@test "an include from standard input or a named pipe is read once, when the script runs" {
	printf 'CREATE TABLE t (a int);\n\\i /dev/stdin\n' >a.sql
	run --separate-stderr bash -c 'echo "INSERT INTO t VALUES (1);" | db-schema-load -f a.sql'
	assert_status 0
	assert_equal 1 "$(sql "$DB" 'SELECT a FROM t')"
	printf '\\i -\n' >a.sql
	run --separate-stderr bash -c 'db-schema-load -f a.sql <<<"INSERT INTO t VALUES (2);"'
	assert_status 0
	mkfifo pipe
	printf '\\ir pipe\n' >a.sql
	run --separate-stderr bash -c 'echo "INSERT INTO t VALUES (3);" >pipe & db-schema-load -f a.sql'
	assert_status 0
	assert_equal 6 "$(sql "$DB" 'SELECT sum(a) FROM t')"
}

@test "a file that the script writes itself can be included" {
	printf '%s\n' "\\copy (SELECT 'CREATE TABLE made ();') TO 'made.sql'" '\i made.sql' >a.sql
	load_schema -f a.sql
	assert_status 0
	assert_equal 1 "$(sql "$DB" "SELECT count(*) FROM pg_class WHERE relname = 'made'")"
}

@test "an error that a variable brings to light is at its own statement" {
	printf 'SELECT 1 AS a, nope;\n\n\nSELECT\n  :ROW_COUNT;\n' >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:1:16 'column "nope" does not exist'
}

@test "a script may begin with SET TRANSACTION" {
	printf 'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nCREATE TABLE t AS SELECT %s;\n' \
		"current_setting('transaction_isolation') AS level" >a.sql
	load_schema -f a.sql
	assert_status 0
	assert_equal serializable "$(sql "$DB" 'SELECT level FROM t')"
}

@test "a COPY row that a type's input function refuses is at its own line" {
	printf 'CREATE TABLE t (a int, j jsonb);\nCOPY t FROM stdin;\n1\t{}\n2\t{"a":}\n\\.\n' >a.sql
	load_schema -f a.sql
	assert_status 3
	assert_contains "$stderr" 'a.sql:4: ERROR: invalid input syntax for type json'
}

@test "settings that decide how strings are read hold for what follows" {
	cat >a.sql <<-'SQL'
		SET standard_conforming_strings = off;
		SET escape_string_warning = off;
		CREATE TABLE t (a text);
		INSERT INTO t VALUES ('a\'b');
	SQL
	load_schema -f a.sql
	assert_status 0
	refute_contains "$stderr" WARNING
	assert_equal "a'b" "$(sql "$DB" 'SELECT a FROM t')"
}

@test "what one transaction forbids names --no-transaction" {
	cat >a.sql <<-'SQL'
		CREATE TYPE e AS ENUM ('a');
		CREATE TABLE t (x e);
	SQL
	load_schema -f a.sql
	assert_status 0
	printf "ALTER TYPE e ADD VALUE 'b';\nINSERT INTO t VALUES ('b');\n" >b.sql
	load_schema -f b.sql
	assert_status 3
	assert_contains "$stderr" 'hint: New enum values must be committed before they can be used. --no-transaction of'
	load_schema -f b.sql --no-transaction
	assert_status 0
}

@test "an error of a statement that \\gexec ran shows that statement, without its password" {
	printf '%s\n' 'SELECT $$ALTER ROLE nobody_here PASSWORD $$' ' || quote_literal($$geheim$$)' '\gexec' >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:1:1 'role "nobody_here" does not exist'
	assert_contains "$stderr" "The query was: ALTER ROLE nobody_here PASSWORD '***'"
	refute_contains "$stderr" geheim
}

@test "data of one \\copy after the other are those of each" {
	printf '%s\n' 'CREATE TABLE t (v text);' '\copy t from stdin' a '\.' '\echo x' '' '\copy t from stdin' b '\.' \
		'\copy t from stdin csv header' v c '\.' >a.sql
	load_schema -f a.sql
	assert_status 0
	assert_equal a,b,c "$(sql "$DB" 'SELECT string_agg(v, $$,$$ ORDER BY v) FROM t')"
}
