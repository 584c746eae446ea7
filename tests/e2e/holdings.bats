#!/usr/bin/env bats
# What is said of a database before it is destroyed (app/holdings.h), by a program of its own:
# tests/unit/holdings_call.c.

load helper
load aws
load rds

setup_file() {
	HOLDINGS_CALL=$(unit_program holdings_call)
	export HOLDINGS_CALL
	start_rds_server
}

teardown_file() {
	stop_rds_server
}

setup() {
	common_setup
	# Where another account can reach it, and rds-status lies beside.
	beside rds-status
	cp "$HOLDINGS_CALL" "$BESIDE/"
	export CONNECTION_URL
}

# tell [ARGUMENT...]: runs it. It never writes, and leaves its connection without limits.
tell() {
	run --separate-stderr holdings_call "$@"
}

# line LABEL: what stands behind the label, with the lines that go on with it.
line() {
	awk -v label="  $1" 'substr($0, 1, 2) == "  " && substr($0, 3, 1) != " " { on = index($0, label " ") == 1 }
		on { print substr($0, 13) }' <<<"$stderr"
}

# hold DATABASE TABLE: a session that holds the table exclusively, for some seconds or until let_go.
hold() {
	start_session "$1" holder "BEGIN; LOCK TABLE $2; SELECT pg_sleep(20)"
}

# Before anything can fail: what comes after a test would wait for it.
let_go() {
	sql postgres "SELECT pg_terminate_backend($SESSION_PID)" >/dev/null
}

# waiting_for_lock: the server process that waits for a lock; fails when there is none.
waiting_for_lock() {
	WAITING=$(sql postgres 'SELECT pid FROM pg_locks WHERE NOT granted')
	[ -n "$WAITING" ]
}

# --- the database ------------------------------------------------------------------------------

@test "name, owner and size are told" {
	local name size
	name=$(db main)
	# Its first session makes it larger.
	sql "$name" "ALTER DATABASE $name OWNER TO app"
	CONNECTION_URL=$(url "$name") tell
	assert_status 0
	assert_equal "at stake: database \"$name\"" "$(head -n 1 <<<"$stderr")"
	assert_equal app "$(line owner)"
	size=$(sql postgres "SELECT pg_size_pretty(pg_database_size('$name'))")
	assert_matches "$(line size)" '^[0-9.]+ [kM]B$'
	# pg_size_pretty begins with the next unit later.
	if [[ $size == *kB ]]; then
		size=$(sql postgres "SELECT round(pg_database_size('$name') / 1048576.0, 1) || ' MB'")
	fi
	assert_equal "$size" "$(line size)"
	assert_equal '' "$(line made)"
}

@test "a database that db-setup made tells when, and by whom" {
	make_project
	CONNECTION_URL=$(url "$(db_name made)")
	db-setup
	tell
	assert_status 0
	assert_matches "$(line made)" '^20[0-9-]* [0-9:]* UTC, [0-9]+s ago, by [^ ]+ on [^ ]+$'
}

@test "a database that does not exist is none to lose" {
	CONNECTION_URL=$(url "$(db_name none)") tell
	assert_status 0
	assert_equal "at stake: nothing, database \"$(db_name none)\" does not exist" "$stderr"
}

@test "what a killed reset has put aside is what is told, not what it had begun" {
	local name
	make_project
	name=$(db aside)
	sql "$name" 'CREATE TABLE one (); CREATE TABLE two (); CREATE TABLE three ()'
	echo 'SELECT pg_sleep(60);' >>db/schema.sql
	CONNECTION_URL=$(url "$name")
	export CONNECTION_URL
	start_job db-setup
	wait_until "[ -n \"\$(sql postgres \"SELECT 1 FROM pg_stat_activity WHERE datname = '$name' AND state = 'active'\")\" ]"
	kill -KILL "$JOB_PID"
	finish_job
	tell
	assert_status 0
	assert_contains "$stderr" "at stake: database \"$name\", which a reset that was killed has put aside"
	assert_matches "$(line holds)" '^3 tables'
}

@test "what no script brings back is told" {
	local name
	name=$(db besides)
	CONNECTION_URL=$(url "$name") tell
	assert_equal '' "$(line besides)"
	sql postgres "REVOKE CONNECT ON DATABASE $name FROM PUBLIC"
	sql postgres "ALTER DATABASE $name SET timezone = 'UTC'"
	CONNECTION_URL=$(url "$name") tell
	assert_status 0
	assert_equal 'settings made by ALTER DATABASE, privileges on the database itself' "$(line besides)"
}

@test "a database that takes no connections is told of as far as it can be" {
	local name
	name=$(db shut)
	sql postgres "ALTER DATABASE $name ALLOW_CONNECTIONS false"
	CONNECTION_URL=$(url "$name") tell
	assert_status 0
	assert_matches "$(line size)" 'B$'
	assert_equal 'not known: the database takes no connections' "$(line holds)"
	assert_equal none "$(line sessions)"
}

@test "a half dropped database is told of as far as it can be" {
	local name
	name=$(db half)
	sql postgres "UPDATE pg_database SET datconnlimit = -2 WHERE datname = '$name'"
	CONNECTION_URL=$(url "$name") tell
	sql postgres "UPDATE pg_database SET datconnlimit = -1 WHERE datname = '$name'"
	assert_status 0
	assert_equal postgres "$(line owner)"
	assert_equal 'not known: the database is half dropped and cannot be connected to' "$(line holds)"
}

@test "with -q nothing is asked" {
	local name mark
	name=$(db quiet)
	mark=$(server_log_mark)
	CONNECTION_URL=$(url "$name") tell -q
	assert_status 0
	assert_equal '' "$stderr"
	assert_equal '' "$(statements "$mark" "$name")"
	refute_contains "$(server_log_since "$mark")" pg_database_size
}

# --- tables ------------------------------------------------------------------------------------

@test "the largest tables stand in their order with size and rows, and the others are counted" {
	local name
	name=$(db tables)
	sql "$name" - <<-'SQL'
		CREATE TABLE orders AS SELECT i, repeat('x', 500) FROM generate_series(1, 12345) i;
		CREATE TABLE middle AS SELECT i, repeat('x', 500) FROM generate_series(1, 2000) i;
		CREATE SCHEMA app;
		CREATE TABLE app.small AS SELECT i, repeat('x', 500) FROM generate_series(1, 200) i;
		CREATE TABLE one AS SELECT 1;
		CREATE TABLE empty (id int PRIMARY KEY);
		CREATE TABLE void ();
		CREATE VIEW v AS SELECT 1;
		CREATE MATERIALIZED VIEW m AS SELECT 1;
		CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
		ANALYZE orders;
		ANALYZE app.small;
		ANALYZE one;
	SQL
	CONNECTION_URL=$(url "$name") tell
	assert_status 0
	assert_equal '6 tables, 2 views, 1 function; the largest' "$(line holds | head -n 1)"
	assert_equal $'about 12,345 rows orders\nnever analyzed middle\nabout 200 rows app.small' \
		"$(line holds | sed -n 2,4p | sed 's/^ *[0-9.]* [kM]B *//' | tr -s ' ')"
	assert_equal 6 "$(line holds | wc -l)"
	assert_contains "$(line holds)" 'about 1 row '
	assert_matches "$(line holds)" 'about 0 rows +empty'
	refute_contains "$(line holds)" void
	assert_equal "$(sql "$name" "SELECT round(pg_total_relation_size('orders') / 1048576.0, 1) || ' MB'")" \
		"$(line holds | sed -n 2p | sed 's/^ *//' | cut -d ' ' -f 1,2)"
	# The sizes end, and the names begin, below each other.
	assert_equal 1 "$(line holds | tail -n +2 | awk '{ print match($0, /[kM]B  |bytes  /) + (/bytes  / ? 3 : 0) }' |
		sort -u | wc -l)"
}

@test "a database without tables says so" {
	CONNECTION_URL=$(url "$(db bare)") tell
	assert_equal '0 tables, 0 views, 0 functions' "$(line holds)"
}

@test "what an extension and the server made is not counted" {
	local name
	name=$(db extension)
	sql "$name" - <<-'SQL'
		CREATE TABLE theirs (i int);
		CREATE VIEW their_view AS SELECT 1;
		CREATE FUNCTION their_function() RETURNS int LANGUAGE sql AS 'SELECT 1';
		ALTER EXTENSION plpgsql ADD TABLE theirs;
		ALTER EXTENSION plpgsql ADD VIEW their_view;
		ALTER EXTENSION plpgsql ADD FUNCTION their_function();
		CREATE TABLE mine (i int);
	SQL
	start_session "$name" temporary 'CREATE TEMPORARY TABLE t (i int); SELECT pg_sleep(20)'
	CONNECTION_URL=$(url "$name") tell
	assert_equal '1 table, 0 views, 0 functions' "$(line holds | head -n 1)"
}

@test "a partitioned table is one, with the sizes and rows of its partitions" {
	local name size
	name=$(db parts)
	sql "$name" - <<-'SQL'
		CREATE TABLE event (id int, at int) PARTITION BY RANGE (at);
		CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (0) TO (1000);
		CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM (1000) TO (9000) PARTITION BY RANGE (at);
		CREATE TABLE event_2a PARTITION OF event_2 FOR VALUES FROM (1000) TO (9000);
		CREATE TABLE bare (id int) PARTITION BY RANGE (id);
		INSERT INTO event SELECT i, i FROM generate_series(0, 8999) i;
		ANALYZE event;
	SQL
	CONNECTION_URL=$(url "$name") tell
	assert_status 0
	assert_equal '2 tables, 0 views, 0 functions' "$(line holds | head -n 1)"
	size=$(sql "$name" "SELECT round((pg_total_relation_size('event_1')
		+ pg_total_relation_size('event_2a')) / 1024.0) || ' kB'")
	assert_equal "$size about 9,000 rows event" "$(line holds | sed -n 2p | tr -s ' ' | sed 's/^ //')"
	assert_equal '0 bytes about 0 rows bare' "$(line holds | sed -n 3p | tr -s ' ' | sed 's/^ //')"
	sql "$name" "CREATE TABLE event_3 PARTITION OF event FOR VALUES FROM (9000) TO (9999);
		INSERT INTO event VALUES (1, 9001)"
	CONNECTION_URL=$(url "$name") tell
	assert_contains "$(line holds)" 'at least 9,000 rows  event'
}

@test "odd names are shown, not obeyed, and lines stay short" {
	local name long
	name=$(db_name $'odd "\n\e[31m')
	drop_later "$name"
	long=$(printf 'x%.0s' {1..63})
	sql postgres "CREATE DATABASE \"${name//\"/\"\"}\""
	sql "$name" - <<-SQL
		CREATE SCHEMA "$long";
		CREATE TABLE "$long"."$long" AS SELECT 1 FROM generate_series(1, 9999);
		CREATE TABLE "two
		lines" AS SELECT 1 FROM generate_series(1, 999);
		CREATE TABLE "say ""hi"" $(printf '\033[2J')" (i int);
	SQL
	CONNECTION_URL=$(url "$name") tell
	assert_status 0
	refute_contains "$stderr" $'\e'
	assert_contains "$(head -n 1 <<<"$stderr")" 'odd "\n\x1B[31m"'
	assert_contains "$(line holds)" '"two\nlines"'
	assert_contains "$(line holds)" '"say ""hi"" \x1B[2J"'
	assert_matches "$(line holds)" 'x{30,}…'
	assert_equal 4 "$(line holds | wc -l)"
	[ "$(awk '{ print length }' <<<"$stderr" | sort -n | tail -n 1)" -le 80 ]
}

@test "a table that is held exclusively costs a second, and sizes are then estimates" {
	local name
	name=$(db locked)
	sql "$name" "CREATE TABLE a AS SELECT i FROM generate_series(1, 99999) i; CREATE TABLE b (i int); ANALYZE"
	hold "$name" b
	SECONDS=0
	CONNECTION_URL=$(url "$name") tell
	assert_status 0
	[ "$SECONDS" -le 4 ]
	assert_equal '2 tables, 0 views, 0 functions; sizes are estimates' "$(line holds | head -n 1)"
	assert_equal "$(sql "$name" "SELECT round(pg_relation_size('a') / 1048576.0, 1) || ' MB'") about 99,999 rows a" \
		"$(line holds | sed -n 2p | tr -s ' ' | sed 's/^ //')"
	assert_equal '0 0 off' "$output"
}

# --- rights ------------------------------------------------------------------------------------

@test "a role without any right is told why it cannot know" {
	local name
	name=$(db norights)
	sql "$name" 'CREATE TABLE secret AS SELECT 1'
	sql postgres "REVOKE CONNECT ON DATABASE $name FROM public"
	CONNECTION_URL=$(nocreate_url "$name") tell
	assert_status 0
	assert_equal postgres "$(line owner)"
	assert_equal "not known: permission denied for database $name" "$(line size)"
	assert_equal "not known: permission denied for database \"$name\"" "$(line holds)"
	assert_equal none "$(line sessions)"
	assert_equal '0 0 off' "$output"
	refute_contains "$stderr" "$APP_PASSWORD"
}

@test "a role that may only connect knows tables and sizes" {
	local name
	name=$(db connect)
	sql "$name" 'CREATE TABLE secret AS SELECT 1; ANALYZE; REVOKE ALL ON SCHEMA public FROM public'
	CONNECTION_URL=$(nocreate_url "$name") tell
	assert_status 0
	assert_matches "$(line size)" 'B$'
	assert_matches "$(line holds)" '8 kB  about 1 row  secret'
}

@test "catalogs that are closed are a reason, not a failure" {
	local name
	name=$(db closed)
	sql "$name" 'REVOKE SELECT ON pg_class FROM public'
	CONNECTION_URL=$(nocreate_url "$name") tell
	assert_status 0
	assert_equal 'not known: permission denied for table pg_class' "$(line holds)"
	assert_equal none "$(line sessions)"
}

# --- sessions ----------------------------------------------------------------------------------

@test "sessions of others are told in groups, the largest first" {
	local name i
	name=$(db sessions)
	for i in 1 2 3; do
		start_session "$name" web
	done
	start_session "$name" $'my\tide'
	CONNECTION_URL=$(url "$name") tell
	assert_status 0
	assert_equal 4 "$(line sessions | head -n 1)"
	assert_equal '3 of postgres, web, local' "$(line sessions | sed -n 2p)"
	assert_matches "$(line sessions | sed -n 3p)" '^1 of postgres, my.*ide, local$'
	assert_equal 3 "$(line sessions | wc -l)"
}

@test "of many kinds of sessions the first are told and the others counted" {
	local name i
	name=$(db many)
	for i in 1 2 3 4 5 6 7; do
		start_session "$name" "app $i"
	done
	CONNECTION_URL=$(url "$name") tell
	assert_equal 7 "$(line sessions | head -n 1)"
	assert_equal 'and 2 more' "$(line sessions | tail -n 1)"
}

@test "of sessions of other roles a role without rights sees no client" {
	local name
	name=$(db hidden)
	start_session "$name" web
	CONNECTION_URL=$(nocreate_url "$name") tell
	assert_equal $'1\n1 of postgres, web' "$(line sessions)"
}

@test "its own sessions are not counted, and none stays" {
	local name
	name=$(db own)
	CONNECTION_URL=$(url "$name") tell
	assert_equal none "$(line sessions)"
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity
		WHERE application_name = 'holdings_call'\")\" = 0 ]"
}

# --- what it leaves ----------------------------------------------------------------------------

@test "nothing is written, and the maintenance connection is left as it was" {
	local name mark
	name=$(db asked)
	sql "$name" 'CREATE TABLE t AS SELECT 1'
	mark=$(server_log_mark)
	CONNECTION_URL=$(url "$name") tell --echo
	assert_status 0
	assert_equal '0 0 off' "$output"
	refute_contains "$stderr" BEGIN
	assert_equal '' "$(statements "$mark" "$name" | grep -vE '^(BEGIN READ ONLY; SET LOCAL |WITH part|SELECT )')"
	assert_contains "$(statements "$mark" "$name")" 'SET LOCAL lock_timeout = 1000'
}

@test "a server that falls silent is not waited for without end" {
	local name
	name=$(db silent)
	hold postgres pg_shdescription
	CONNECTION_URL=$(url "$name") start_job holdings_call
	wait_until waiting_for_lock
	kill -STOP "$WAITING"
	SECONDS=0
	wait_until job_ended 20 && : || kill "$JOB_PID"
	kill -CONT "$WAITING"
	let_go
	[ "$SECONDS" -le 13 ]
	finish_job
	assert_equal 'not known: the server does not answer' "$(line owner)"
	assert_equal 'not known: no time was left to ask' "$(line holds)"
}

@test "what is locked is not waited for, and the rest is told" {
	local name
	name=$(db comment)
	hold postgres pg_shdescription
	CONNECTION_URL=$(url "$name") tell
	let_go
	assert_status 0
	assert_equal 'not known: canceling statement due to lock timeout' "$(line owner)"
	assert_matches "$(line size)" 'B$'
	assert_equal '0 tables, 0 views, 0 functions' "$(line holds)"
	assert_equal '0 0 off' "$output"
}

@test "a signal ends it, by that signal" {
	local name
	name=$(db signal)
	# The second connection waits for this while it begins.
	hold "$name" pg_class
	CONNECTION_URL=$(url "$name") start_job holdings_call
	wait_until waiting_for_lock
	kill -TERM "$JOB_PID"
	SECONDS=0
	finish_job
	let_go
	assert_status 143
	[ "$SECONDS" -le 2 ]
	assert_equal '' "$output"
}

@test "a database whose sessions cannot begin is not waited for without end" {
	local name
	name=$(db stuck)
	hold "$name" pg_class
	SECONDS=0
	CONNECTION_URL=$(url "$name") tell
	let_go
	assert_status 0
	[ "$SECONDS" -le 5 ]
	assert_equal 'not known: The connection was accepted, but the server did not answer in time.' "$(line holds)"
	assert_equal $'1\n1 of postgres, holder, local' "$(line sessions)"
}

# --- RDS ---------------------------------------------------------------------------------------

# prod_rds: prod is a database on a server that passes for one on RDS.
prod_rds() {
	rds_server
	install_bundle
	DB=$(db shop)
	CONNECTION_URL=
	PROD_CONNECTION_URL=$(rds_url "app:$APP_PASSWORD_ENCODED" "$DB")
	export PROD_CONNECTION_URL
	start_aws
}

ago() {
	date -u -d "@$(($(date +%s) - $1))" +%Y-%m-%dT%H:%M:%S.000Z
}

@test "for a host on RDS the last snapshot is told" {
	prod_rds
	aws_instance mydb available LatestRestorableTime="$(ago 330)"
	aws_snapshot rds:mydb-2026 mydb "$(ago 18600)"
	tell prod
	assert_equal 'rds:mydb-2026 (automated), 5h10m ago' "$(line snapshot)"
	assert_matches "$(line restore)" '^possible up to 20.*Z, 5m3[0-9]s ago$'

	aws_control forget mydb
	aws_instance mydb available BackupRetentionPeriod=0
	aws_fault 'DescribeDBSnapshots denied'
	tell prod
	assert_status 0
	assert_matches "$(line snapshot)" '^not known: .*DescribeDBSnapshots'

	aws_control forget mydb
	tell prod
	assert_status 0
	assert_matches "$(line snapshot)" '^not known: instance "mydb" does not exist'

	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	tell prod
	assert_status 0
	assert_matches "$(line snapshot)" '^not known: '
	refute_contains "$(line snapshot)" 'snapshot  '

	export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
	aws_fault 'DescribeDBInstances hang'
	SECONDS=0
	tell prod
	assert_status 0
	assert_matches "$(line snapshot)" '^not known: '
	[ "$SECONDS" -le 6 ]
}

@test "a signal while AWS is asked ends it" {
	prod_rds
	aws_fault 'DescribeDBInstances hang'
	start_job holdings_call prod
	wait_until '[ "$(aws_requests | wc -l)" -ge 1 ]'
	kill -INT "$JOB_PID"
	SECONDS=0
	finish_job
	assert_status 130
	[ "$SECONDS" -le 2 ]
	assert_equal '' "$output"
}

@test "another host is not looked up at AWS" {
	start_aws
	CONNECTION_URL=$(url "$(db elsewhere)") tell
	assert_equal '' "$(line snapshot)"
	assert_equal '' "$(aws_requests)"
}
