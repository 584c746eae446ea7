#!/usr/bin/env bats
# Scripts that end a transaction in the midst of a statement (\;): it is seen, and what is said of what is left in
# the database is true.

load helper
load batches

setup() {
	common_setup
	unset CI
	export DBRIG_AGENT=0
	DB=$(db main)
	export CONNECTION_URL
	CONNECTION_URL=$(url "$DB")
	sql "$DB" 'CREATE TABLE par (a int); INSERT INTO par VALUES (1), (2);
		CREATE PROCEDURE cc() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$'
}

seed() {
	run --separate-stderr db-seed "$@"
}

par() {
	sql "$DB" "SELECT string_agg(a::text, ' ' ORDER BY a) FROM par"
}

# refused PLACE NAME: the last run was refused there, in front of the statement, and no row is lost.
refused() {
	assert_status 3
	assert_contains "$stderr" "a.sql:$1: ERROR: $2: the script controls transactions itself"
	refute_contains "$stderr" --no-transaction
	assert_equal '1 2' "$(par)"
	sql "$DB" 'TRUNCATE par; INSERT INTO par VALUES (1), (2)'
}

# --- behind "\;" --------------------------------------------------------------------------------

@test "--truncate: COMMIT behind \\; is seen before anything runs, by its place" {
	printf 'select 1\\;\n  commit\\; begin; \nselect 1/0;\n' >a.sql
	mark=$(server_log_mark)
	seed --truncate -f a.sql
	refused 2:3 COMMIT
	refute_contains "$(statements "$mark" "$DB")" 'TRUNCATE public.par RESTART'
	printf 'select 1\\; commit\\; select 2;\n' >a.sql
	seed --truncate -f a.sql
	refused 1:12 COMMIT
	printf '\\set c end\n\\set b begin\nselect 1\\; :c \\; :b;\nselect 1/0;\n' >a.sql
	seed --truncate -f a.sql
	refused 3:12 END
	# psql takes the name for the beginning of a body, the server does not.
	printf 'create function begin() returns int language sql return 1;\ncommit; begin; select 1/0; end; end;\n' >a.sql
	seed --truncate -f a.sql
	refused 2:1 COMMIT
}

@test "--truncate: from a pipe, of a variable and by \\gexec it is seen before it runs" {
	for script in 'select 1\\;  abort\\; begin;' 'select $$abort; begin$$ as c \\gset\nselect 1\\; :c;' \
		'select $$select 1; abort; begin$$ \\gexec' \
		'\\encoding SJIS\nselect $$select E\x27$$ || U&\x27\\8868\x27 || $$\x27;abort;begin;select \x27\x27$$ \\gexec'; do
		# shellcheck disable=SC2059 # a format it is
		printf "select 0;\n$script\nselect 1/0;\n" >a.sql
		seed --truncate -f - <a.sql
		assert_status 3
		assert_contains "$stderr" 'ERROR: ABORT: the script controls transactions itself'
		assert_contains "$stderr" 'every row is as it was'
		refute_contains "$stderr" --no-transaction
		assert_equal '1 2' "$(par)"
	done
}

@test "from a pipe the place is that of the statement behind \\;" {
	printf 'select 0;\nselect 1\\;\n  commit\\; begin;\n' >a.sql
	seed -f - <a.sql
	assert_status 3
	assert_contains "$stderr" '<stdin>:3:3: ERROR: COMMIT: the script controls transactions itself'
	assert_contains "$stderr" 'hint: --no-transaction of db-schema-load and db-seed'
	seed --single-transaction -f a.sql
	assert_status 3
	assert_contains "$stderr" 'a.sql:3:3: ERROR: COMMIT: the script controls transactions itself'
	assert_equal '1 2' "$(par)"
}

@test "bodies of routines, strings and ROLLBACK TO end no transaction" {
	cat >a.sql <<'SQL'
insert into par values (3)\; select ';commit;', $$;commit;$$;
savepoint a\; insert into par values (4)\; rollback to a;
create function f(a int) returns text begin atomic select 1; select case a when 1 then 'x' end; end\; select 2;
do $$ begin perform 1; end $$\; select 3;
SQL
	# Before 14 there are no such bodies; what fails the second time is then a type.
	if [ "$(sql "$DB" 'SHOW server_version_num')" -lt 140000 ]; then
		sed -i '/begin atomic/d' a.sql
		echo 'create type f as (a int);' >>a.sql
	fi
	mark=$(server_log_mark)
	seed --truncate -f a.sql
	assert_status 0
	assert_equal 3 "$(par)"
	seed -f a.sql
	assert_status 3
	refute_contains "$stderr" 'statement by statement'
	assert_contains "$stderr" 'Rolled back: nothing of the script is in the database.'
	assert_equal 3 "$(par)"
}

# --- what is left -------------------------------------------------------------------------------

# leaves ROWS TEXT: a.sql runs statement by statement and fails; so much is left of it, and that is said.
leaves() {
	seed -f a.sql
	assert_status 3
	assert_contains "$stderr" 'the script controls transactions itself, running statement by statement'
	assert_contains "$stderr" "$2"
	assert_equal "$1" "$(par)"
	sql "$DB" 'TRUNCATE par; INSERT INTO par VALUES (1), (2)'
}

@test "what was committed in the midst of a statement is said to stay" {
	last='What its last transaction did is rolled back, the'
	printf 'insert into par values (5)\\; commit\\; begin;\nselect 1/0;\n' >a.sql
	leaves '1 2 5' "$last 1 statement before it stays in the database."
	printf 'insert into par values (5)\\; commit\\; insert into par values (6)\\; select 1/0;\n' >a.sql
	leaves '1 2 5' "$last 1 statement before it stays in the database."
	printf 'begin;\ninsert into par values (5);\ncommit\\; begin;\ninsert into par values (6);\nselect 1/0;\n' >a.sql
	leaves '1 2 5' "$last 3 statements before it stay in the database."
	printf 'insert into par values (5)\\; commit\\; insert into par values (6);\nselect 1/0;\n' >a.sql
	leaves '1 2 5 6' 'The 1 statement before it stays in the database.'
}

@test "what was rolled back in the midst of a statement is not" {
	printf 'begin;\ninsert into par values (5);\nrollback\\; begin;\ninsert into par values (6);\nselect 1/0;\n' >a.sql
	leaves '1 2' 'Rolled back: nothing of the script is in the database.'
	printf 'begin;\ninsert into par values (5);\nrollback\\; insert into par values (6);\nselect 1/0;\n' >a.sql
	leaves '1 2 6' 'The 1 statement before it stays in the database.'
	printf 'begin;\ninsert into par values (5);\nsavepoint a\\; insert into par values (7)\\; rollback to a\\; select 1;\ncommit;\nselect 1/0;\n' >a.sql
	leaves '1 2 5' 'The 4 statements before it stay in the database.'
}

@test "a transaction begun in the midst of a statement and never ended is told by its line" {
	printf 'begin;\ninsert into par values (5);\ncommit\\; begin;\ninsert into par values (6);\n' >a.sql
	leaves '1 2 5' 'a.sql:3: ERROR: the transaction begun here is never committed'
}

@test "when the connection is lost in a statement that commits, nothing is denied" {
	printf 'insert into par values (5)\\; commit\\; select pg_terminate_backend(pg_backend_pid())\\; select 1;\n' >a.sql
	seed -f a.sql
	assert_status 2
	assert_contains "$stderr" 'Whether the statement that was running took effect is unknown'
	refute_contains "$stderr" 'Rolled back'
	assert_equal '1 2 5' "$(par)"
}

# --- unseen -------------------------------------------------------------------------------------

@test "a COMMIT that nobody could see is never followed by a denial" {
	proxy comments
	for after in 'begin' '' 'begin;insert into par values (8)'; do
		printf 'insert into par values (7);\nselect 1 /*;commit;%s*/;\nselect 1/0;\n' "$after" >a.sql
		for options in '--truncate' '--truncate --batch off' '--single-transaction'; do
			sql "$DB" 'TRUNCATE par; INSERT INTO par VALUES (1), (2)'
			# shellcheck disable=SC2086 # several words
			seed $options -f a.sql
			assert_status 3
			assert_contains "$stderr" \
				'The script ended the transaction it was run in: what was committed stays in the database, look at it.'
			refute_contains "$stderr" 'Rolled back'
			refute_contains "$stderr" 'as it was'
			assert_matches "$(par)" '^(1 2 )?7$'
		done
	done
}

@test "a ROLLBACK that nobody could see leaves nothing, and that is said" {
	proxy comments
	printf 'insert into par values (7);\nselect 1 /*;rollback*/;\nselect 1/0;\n' >a.sql
	seed --truncate --batch off -f a.sql
	assert_status 3
	assert_contains "$stderr" 'the script ended the transaction it was run in'
	assert_contains "$stderr" 'Rolled back: every row is as it was.'
	assert_equal '1 2' "$(par)"
}

@test "a procedure that commits fails, with a hint that can be followed" {
	echo 'call cc();' >a.sql
	seed --truncate -f a.sql
	assert_status 3
	assert_contains "$stderr" 'a.sql:1:1: ERROR: invalid transaction termination'
	assert_contains "$stderr" 'hint: Without --truncate it can be run statement by statement.'
	refute_contains "$stderr" --no-transaction
	assert_equal '1 2' "$(par)"
	seed -f a.sql
	assert_contains "$stderr" 'hint: --no-transaction of db-schema-load and db-seed runs it statement by statement.'
	seed --no-transaction -f a.sql
	assert_status 0
}
