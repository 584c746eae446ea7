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
