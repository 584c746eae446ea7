#!/usr/bin/env bats
# The options of the commands that run scripts: --set, --single-transaction, --batch, --dry-run; what the user
# sees of a load: summary, output of the script, progress.

load helper
load scripts

# is_usage_error TEXT ARGUMENT...: status 64 with that text, and nothing was connected.
is_usage_error() {
	local text=$1 mark
	shift
	mark=$(server_log_mark)
	load_schema "$@"
	assert_status 64 && assert_contains "$stderr" "$text" &&
		refute_contains "$(server_log_since "$mark")" "database=$DB "
}

# --- --set -------------------------------------------------------------------------------------

@test "--set gives a variable its value, plain, as a literal and as an identifier" {
	cat >a.sql <<'SQL'
CREATE TABLE :"tab" (v text, n int);
INSERT INTO :"tab" VALUES (:'val', :num + 1);
SQL
	load_schema --set 'tab=odd "name' --set "val=it's; a=b" --set=num=41 -f a.sql
	assert_status 0
	assert_equal "it's; a=b|42" "$(sql "$DB" 'TABLE "odd ""name"')"
}

@test "--set without a value sets an empty one" {
	cat >a.sql <<'SQL'
CREATE TABLE t AS SELECT :'a' AS a, :'b' AS b, :{?a} AS is_a, :{?c} AS is_c;
SQL
	load_schema --set a --set b= -f a.sql
	assert_status 0
	assert_equal '||t|f' "$(sql "$DB" 'TABLE t')"
}

@test "of --set for one name the last counts" {
	echo "CREATE TABLE t AS SELECT :'a' AS a;" >a.sql
	load_schema --set a=1 --set a=2 -f a.sql
	assert_status 0
	assert_equal 2 "$(sql "$DB" 'TABLE t')"
}

@test "every file begins with the values of --set" {
	printf '\\set v changed\nCREATE TABLE a AS SELECT :%s AS v;\n' "'v'" >a.sql
	echo "CREATE TABLE b AS SELECT :'v' AS v;" >b.sql
	load_schema --set v=given -f a.sql -f b.sql
	assert_status 0
	assert_equal 'changed|given' "$(sql "$DB" 'SELECT a.v, b.v FROM a, b')"
}

@test "--set with what is no name of a variable is a usage error that does not show the value" {
	local name
	echo 'SELECT 1;' >a.sql
	for name in a-b '' 'a b' 'a;'; do
		is_usage_error "--set: \"$name\" cannot be the name" -f a.sql --set "$name=hunter2"
		refute_contains "$stderr" hunter2
	done
	is_usage_error 'option --set needs a value' -f a.sql --set
}

@test "--set ON_ERROR_STOP=off goes on after errors, on is the default" {
	printf 'SELECT nope;\nCREATE TABLE a ();\n' >a.sql
	load_schema --set ON_ERROR_STOP=1 -f a.sql
	assert_fails_at a.sql:1:8 'column "nope" does not exist'
	assert_untouched
	load_schema --set ON_ERROR_STOP=off -f a.sql
	assert_fails_at a.sql:1:8 'column "nope" does not exist'
	assert_equal 1 "$(sql "$DB" "SELECT count(*) FROM pg_class WHERE relname = 'a'")"
	is_usage_error '"maybe" is neither on nor off' --set ON_ERROR_STOP=maybe -f a.sql
}

@test "--set AUTOCOMMIT=off is refused" {
	echo 'SELECT 1;' >a.sql
	is_usage_error 'AUTOCOMMIT=off is not supported' --set AUTOCOMMIT=off -f a.sql
}

@test "db-seed and db-setup take --set" {
	make_project
	echo "UPDATE item SET name = :'who' WHERE id = 1;" >>db/seed.sql
	run --separate-stderr db-setup --set who=Ada
	assert_status 0
	assert_equal Ada "$(sql "$DB" 'SELECT name FROM item WHERE id = 1')"
	sql "$DB" 'TRUNCATE item'
	run --separate-stderr db-seed --set who=Grace
	assert_status 0
	assert_equal Grace "$(sql "$DB" 'SELECT name FROM item WHERE id = 1')"
}

# --- --single-transaction ----------------------------------------------------------------------

@test "--single-transaction refuses what cannot be in one, with its place, before anything runs" {
	local statement name
	while IFS='~' read -r statement name; do
		printf 'CREATE TABLE t (id int);\n  %s\n' "$statement" >a.sql
		mark=$(server_log_mark)
		for option in --single-transaction -1; do
			load_schema "$option" -f a.sql
			assert_fails_at a.sql:2:3 "$name"
			assert_contains "$stderr" --single-transaction
		done
		refute_contains "$(server_log_since "$mark")" "database=$DB "
	done <<-'CASES'
		VACUUM;~VACUUM cannot run in a transaction
		CREATE INDEX CONCURRENTLY i ON t (id);~CREATE INDEX CONCURRENTLY cannot run in a transaction
		BEGIN;~BEGIN
		\connect postgres~\connect cannot run in a transaction
	CASES
	assert_untouched
}

@test "--single-transaction refuses a script that switches AUTOCOMMIT or ON_ERROR_STOP off" {
	local name
	for name in AUTOCOMMIT ON_ERROR_STOP; do
		printf '\\set %s off\nCREATE TABLE t ();\nCOMMIT;\n' "$name" >a.sql
		load_schema --single-transaction -f a.sql
		assert_fails_at a.sql:2:1 "\\set $name off"
		assert_untouched
	done
}

@test "--single-transaction names the file that was included" {
	echo '\ir b.sql' >a.sql
	printf '\nVACUUM;\n' >b.sql
	load_schema --single-transaction -f a.sql
	assert_fails_at b.sql:2:1 'VACUUM cannot run in a transaction'
}

@test "--single-transaction refuses such a statement from a pipe, too" {
	load_schema --single-transaction -f - <<<'VACUUM;'
	assert_status 3
	assert_contains "$stderr" VACUUM
	load_schema --single-transaction -f - <<<'CREATE TABLE t (id int); VACUUM;'
	assert_status 3
	assert_untouched
}

@test "--single-transaction runs other scripts as usual" {
	printf 'CREATE TABLE a ();\nSELECT nope;\n' >a.sql
	load_schema --single-transaction -f a.sql
	assert_fails_at a.sql:2:8 'column "nope" does not exist'
	assert_untouched
	echo 'CREATE TABLE a ();' >a.sql
	load_schema --single-transaction -f a.sql
	assert_status 0
	assert_equal 0 "$(sql "$DB" 'SELECT count(*) FROM a')"
}

@test "--single-transaction and what rules it out exclude each other" {
	echo 'SELECT 1;' >a.sql
	is_usage_error '--single-transaction and --no-transaction exclude' -1 --no-transaction -f a.sql
	is_usage_error '--single-transaction and --keep-going exclude' -1 --keep-going -f a.sql
	is_usage_error '--single-transaction and --set ON_ERROR_STOP=off exclude' -1 \
		--set ON_ERROR_STOP=off -f a.sql
}

# --- --batch -----------------------------------------------------------------------------------

# Twenty INSERTs of some 30 bytes.
make_inserts() {
	echo 'CREATE TABLE t (id int);' >a.sql
	seq 1 20 | sed 's/.*/INSERT INTO t VALUES (1000&);/' >>a.sql
}

# The messages of the last load that begin with an INSERT. The log has one entry for each message.
insert_messages() {
	statements "$1" "$DB" | grep -c '^INSERT'
}

@test "--batch off sends each statement alone" {
	make_inserts
	mark=$(server_log_mark)
	load_schema --batch off -f a.sql
	assert_status 0
	assert_equal 20 "$(insert_messages "$mark")"
	assert_equal 20 "$(sql "$DB" 'SELECT count(*) FROM t')"
}

@test "--batch BYTES sends as much together, otherwise it is found out" {
	local some
	make_inserts
	mark=$(server_log_mark)
	load_schema --batch 100 -f a.sql
	assert_status 0
	some=$(insert_messages "$mark")
	[ "$some" -ge 5 ] && [ "$some" -le 12 ] || assert_equal '5 to 12' "$some"
	assert_equal 20 "$(sql "$DB" 'SELECT count(*) FROM t')"
	sql "$DB" 'DROP TABLE t'
	mark=$(server_log_mark)
	load_schema -f a.sql
	assert_status 0
	# All of them behind the CREATE TABLE.
	assert_equal 0 "$(insert_messages "$mark" || :)"
	assert_equal 20 "$(sql "$DB" 'SELECT count(*) FROM t')"
}

@test "whatever the batch, an error is at its statement" {
	local batch
	printf 'SELECT 1;\nSELECT 2;\n  SELECT nope;\nSELECT 4;\n' >a.sql
	for batch in off 0 1 20 64k 1M; do
		load_schema --batch "$batch" -f a.sql
		assert_fails_at a.sql:3:10 'column "nope" does not exist' '  SELECT nope;' '         ^'
	done
}

@test "--batch with what is no number of bytes is a usage error" {
	local batch
	echo 'SELECT 1;' >a.sql
	for batch in x '' -1 +1 1G 5kk k ' 1' 1.5k 99999999999999999999; do
		is_usage_error '--batch' "--batch=$batch" -f a.sql
	done
	is_usage_error 'more than 1024M' --batch 1025M -f a.sql
}

# --- --dry-run ---------------------------------------------------------------------------------

@test "--dry-run lists each statement with its place, without a server" {
	cat >a.sql <<'SQL'
-- cities
CREATE TABLE cities (
  name text
);
  COPY cities FROM stdin; SELECT 1;
Rom
Oslo
\.
SET client_min_messages = warning
SQL
	CONNECTION_URL='postgresql://nobody@127.0.0.1:1/none'
	load_schema --dry-run -f a.sql
	assert_status 0
	assert_equal 'a.sql:2:1: CREATE TABLE cities (
a.sql:5:3: COPY cities FROM stdin;  (2 lines, 9 bytes of data)
a.sql:5:27: SELECT 1;
a.sql:9:1: SET client_min_messages = warning' "$output"
	assert_contains "$stderr" 'a.sql: 4 statements, 2 rows to copy; nothing was run'
}

@test "--dry-run connects nowhere and asks for no confirmation" {
	make_project
	sql "$DB" 'CREATE TABLE item (precious int)'
	mark=$(server_log_mark)
	PROD_CONNECTION_URL=$CONNECTION_URL load_schema --dry-run prod
	assert_status 0
	assert_equal 'db/schema.sql:1:1: DROP TABLE IF EXISTS item;
db/schema.sql:2:1: CREATE TABLE item (' "$output"
	PROD_CONNECTION_URL=$CONNECTION_URL run --separate-stderr db-setup --dry-run prod
	assert_status 0
	assert_contains "$output" 'db/schema.sql:1:1: DROP TABLE IF EXISTS item;'
	assert_contains "$output" 'db/seed.sql:2:1: INSERT INTO item'
	run --separate-stderr db-seed --dry-run
	assert_status 0
	assert_contains "$output" 'db/seed.sql:1:1: INSERT INTO item'
	refute_contains "$output" schema.sql
	refute_contains "$(server_log_since "$mark")" "database=$DB "
	assert_equal precious "$(sql "$DB" "SELECT attname FROM pg_attribute
		WHERE attrelid = 'item'::regclass AND attnum > 0")"
}

@test "--dry-run names the meta-commands that need a server" {
	cat >a.sql <<'SQL'
\set n 3
SELECT :n AS one \gset p_
SELECT 'VACUUM' \gexec
\copy t (a, b) from 'data.csv' csv
\encoding LATIN1
\if :p_one
SELECT 'perhaps';
\endif
\echo not listed
\ir b.sql
\connect other
SQL
	echo 'SELECT 2;' >b.sql
	: >data.csv
	load_schema --dry-run -f a.sql
	assert_status 0
	assert_contains "$output" 'a.sql:2:1: SELECT 3 AS one \gset p_'
	assert_contains "$output" "a.sql:3:1: SELECT 'VACUUM' \\gexec"
	assert_matches "$output" 'a\.sql:4:1: \\copy: COPY .*t.*FROM STDIN.*  \(from file "data\.csv"\)'
	assert_contains "$output" 'a.sql:5:1: \encoding LATIN1'
	assert_contains "$output" "a.sql:7:1: SELECT 'perhaps';  (if the \\if holds)"
	assert_contains "$output" 'b.sql:1:1: SELECT 2;'
	assert_contains "$output" 'a.sql:11:1: \connect other'
	assert_equal 7 "$(wc -l <<<"$output")"
}

@test "--dry-run puts in the values of --set and leaves out branches that are not taken" {
	cat >a.sql <<'SQL'
\if :big
SELECT :'who' AS big;
\else
SELECT :'who' AS small;
\endif
SQL
	load_schema --dry-run --set big=no --set who=Ada -f a.sql
	assert_status 0
	assert_equal "a.sql:4:1: SELECT 'Ada' AS small;" "$output"
}

@test "--dry-run reads standard input" {
	load_schema --dry-run -f - <<<$'SELECT 1;\nSELECT 2;'
	assert_status 0
	assert_equal $'<stdin>:1:1: SELECT 1;\n<stdin>:2:1: SELECT 2;' "$output"
}

@test "--dry-run masks passwords, shows controls and cuts long lines" {
	{
		printf "CREATE ROLE r PASSWORD 'hunter2\n hunter2';\n"
		printf 'SELECT \e[31m1;\n'
		printf "SELECT '%s';\n" "$(printf '%0300d' 0)"
	} >a.sql
	load_schema --dry-run -f a.sql
	assert_status 0
	refute_contains "$output$stderr" hunter2
	assert_contains "$output" "a.sql:1:1: CREATE ROLE r PASSWORD '***'"
	assert_contains "$output" 'a.sql:3:1: SELECT \x1B[31m1;'
	assert_equal 120 "$(tail -n 1 <<<"$output" | awk '{ print length }')"
	assert_matches "$output" '00\.\.\.$'
}

@test "--dry-run cuts lines at the width of the terminal" {
	printf "SELECT '%s';\n" "$(printf '%0300d' 0)" >a.sql
	run_tty -- bash -c 'stty cols 60; db-schema-load --dry-run -f a.sql'
	assert_status 0
	assert_equal 60 "$(grep '^a.sql:1:1: ' <<<"$output" | awk '{ print length }')"
}

@test "--dry-run fails where the script cannot be read" {
	printf "SELECT 1;\nSELECT 'a;\n" >a.sql
	load_schema --dry-run -f a.sql
	assert_fails_at a.sql:2:8 'quoted string is never closed'
	assert_equal '' "$output"
	load_schema --dry-run -f nothere.sql
	assert_status 1
	assert_contains "$stderr" 'could not open file "nothere.sql"'
}

@test "--dry-run says what cannot be in a transaction" {
	printf 'SELECT 1;\nVACUUM;\n' >a.sql
	load_schema --dry-run -f a.sql
	assert_status 0
	assert_contains "$stderr" 'a.sql:2: VACUUM cannot run in a transaction'
	load_schema --dry-run --single-transaction -f a.sql
	assert_fails_at a.sql:2:1 'VACUUM cannot run in a transaction'
}

# --- output ------------------------------------------------------------------------------------

@test "the summary has statements, rows and time" {
	printf 'CREATE TABLE t (id int);\nCOPY t FROM stdin;\n1\n2\n\\.\nSELECT 1;\n' >a.sql
	echo 'SELECT 1;' >b.sql
	load_schema -f a.sql
	assert_status 0
	assert_matches "$stderr" $'(^|\n)a\.sql: 3 statements, 2 rows copied \([0-9.]+ m?s\)$'
	load_schema -f b.sql
	assert_matches "$stderr" $'(^|\n)b\.sql: 1 statement \([0-9.]+ m?s\)$'
	sql "$DB" 'DROP TABLE t'
	load_schema -f a.sql -f b.sql
	assert_matches "$stderr" $'(^|\n)all scripts: 4 statements, 2 rows copied \([0-9.]+ m?s\)$'
}

@test "\\echo prints to stdout, \\warn to stderr, also with -q" {
	printf '\\echo one  two\n\\qecho three\n\\warn four\n\\echo -n five\nSELECT 1;\n' >a.sql
	load_schema -q -f a.sql
	assert_status 0
	assert_equal $'one two\nthree\nfive' "$output"
	assert_equal four "$stderr"
}

@test "what a script prints cannot steer the terminal" {
	printf '\\echo \e[31mred\n\\warn \e[31mred\nSELECT 1;\n' >a.sql
	run_tty -- db-schema-load --no-color -f a.sql
	assert_status 0
	assert_equal 2 "$(grep -c '\\x1B\[31mred' <<<"$output")"
	refute_contains "$output" $'\e[31m'
	load_schema -f a.sql
	assert_equal $'\e[31mred' "$output"
	assert_contains "$stderr" '\x1B[31mred'
}

# --- progress ----------------------------------------------------------------------------------

# A script that takes two seconds.
make_slow() {
	printf 'SELECT pg_sleep(0.4);\nSELECT pg_sleep(0.4);\nSELECT pg_sleep(0.4);\n' >a.sql
	printf "DO \$\$ BEGIN RAISE NOTICE 'hello'; END \$\$;\nSELECT pg_sleep(0.4);\n" >>a.sql
	printf 'SELECT pg_sleep(0.4);\nSELECT 1;\n' >>a.sql
}

# The lines that were shown and taken away again, with their codes, one a line.
frames() {
	tr '\r' '\n' <<<"$output" | grep -F $'\e[K'
}

@test "a load of more than a second shows its progress on a terminal, and takes it away" {
	local last
	make_slow
	run tty_run '' env TERM=xterm db-schema-load --batch off -f a.sql
	assert_status 0
	assert_matches "$(frames)" 'a\.sql  \[=+ *\]  +[0-9]+%  [0-9]+ of [0-9]+ B  [0-9]+ statements'
	# Nothing else stands on its line.
	assert_contains "$output" $'\r\e[Ka.sql:4: NOTICE: hello\r\n'
	last=${output##*$'\r\e[K'}
	assert_matches "$last" '^a\.sql: 7 statements \('
}

@test "the progress line is not wider than the terminal" {
	local line
	make_slow
	run tty_run '' env TERM=xterm bash -c 'stty cols 30; db-schema-load --batch off -f a.sql'
	assert_status 0
	assert_matches "$(frames)" 'a\.sql +[0-9]+%'
	while IFS= read -r line; do
		line=${line%%$'\e[K'*}
		[ ${#line} -lt 30 ] || assert_equal 'shorter than 30' "$line"
	done < <(frames)
}

@test "the progress of a pipe has no percentage" {
	make_slow
	run tty_run '' env TERM=xterm bash -c 'cat a.sql | db-schema-load --batch off -f -'
	assert_status 0
	assert_matches "$(frames)" '<stdin>  [0-9]+ B  [0-9]+ statements'
	refute_contains "$(frames)" %
}

@test "no progress in less than a second, with -q, on a dumb terminal, or without a terminal" {
	echo 'SELECT 1;' >b.sql
	run tty_run '' env TERM=xterm db-schema-load --no-color -f b.sql
	assert_status 0
	refute_contains "$output" $'\e'
	make_slow
	run tty_run '' env TERM=xterm db-schema-load -q --batch off -f a.sql
	assert_status 0
	refute_contains "$output" $'\e'
	run tty_run '' env TERM=dumb db-schema-load --batch off -f a.sql
	assert_status 0
	refute_contains "$output" $'\e'
	TERM=xterm load_schema --batch off -f a.sql
	assert_status 0
	refute_contains "$output$stderr" $'\e'
	refute_contains "$stderr" %
}

@test "--dry-run reads the data of every COPY among several statements sent together" {
	printf 'SELECT 1\\; COPY t FROM stdin\\; COPY u FROM stdin;\n1\n\\.\n2\n3\n\\.\nSELECT 2;\n' >a.sql
	load_schema --dry-run -f a.sql
	assert_status 0
	assert_contains "$output" '(1 line, 2 bytes of data)'
	assert_contains "$output" '(2 lines, 4 bytes of data)'
	assert_contains "$output" 'a.sql:7:1: SELECT 2;'
}

@test "a file that changed after it was checked is not run, and nothing stays of what ran before it" {
	printf 'CREATE TABLE b ();\n' >b.sql
	printf "CREATE TABLE a ();\n\\\\copy (SELECT 'CREATE TABLE c ();') TO 'b.sql'\n" >a.sql
	load_schema -f a.sql -f b.sql
	assert_status 3
	assert_contains "$stderr" 'file "b.sql" changed after it was checked'
	assert_equal '' "$(sql "$DB" 'SELECT relname FROM pg_class WHERE relname IN ($$a$$, $$b$$, $$c$$)')"
}

@test "a file that the script itself writes is included as it is then" {
	printf 'CREATE TABLE b ();\n' >b.sql
	printf "\\\\copy (SELECT 'CREATE TABLE c ();') TO 'b.sql'\n\\\\i b.sql\n" >a.sql
	load_schema -f a.sql
	assert_status 0
	assert_equal c "$(sql "$DB" 'SELECT relname FROM pg_class WHERE relname IN ($$b$$, $$c$$)')"
}

@test "a standard input that is closed is an error, not an empty script" {
	run --separate-stderr bash -c 'db-schema-load -f - <&-'
	assert_status 1
	assert_contains "$stderr" 'could not read file "<stdin>"'
}
