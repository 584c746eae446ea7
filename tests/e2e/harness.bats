#!/usr/bin/env bats
# bats file_tags=once
# The harness itself: what the other tests rely on.

load helper

@test "a database of the test exists, and other names do not" {
	name=$(db one)
	db_exists "$name"
	! db_exists "$(db_name two)" || return 1
}

@test "URLs reach databases with any name, as superuser and as app with its password" {
	name="$(db_name x) ü\"'/?#%&@:"
	drop_later "$name"
	sql postgres "CREATE DATABASE \"${name//\"/\"\"}\""
	assert_equal "$name" "$(sql "$name" 'SELECT current_database()')"
	run "$SERVER_PSQL" -XAtq -d "$(app_url "$name")" -c "SELECT current_user, current_database()"
	assert_status 0
	assert_equal "app|$name" "$output"
}

@test "a wrong password is refused over TCP" {
	address=$(app_url postgres)
	run "$SERVER_PSQL" -XAtq -d "${address/$APP_PASSWORD_ENCODED/wrong}" -c 'SELECT 1'
	[ "$status" -ne 0 ]
	assert_contains "$output" 'password authentication failed'
}

@test "nocreate may connect but not create a database" {
	run "$SERVER_PSQL" -XAtq -d "$(nocreate_url postgres)" -c "CREATE DATABASE $(db_name no)"
	[ "$status" -ne 0 ]
	assert_contains "$output" 'permission denied'
}

@test "the log tells which statements a database was sent since a mark" {
	name=$(db log)
	sql "$name" 'SELECT 1'
	mark=$(server_log_mark)
	sql "$name" 'SELECT 2'
	sql postgres 'SELECT 3'
	assert_equal 'SELECT 2' "$(statements "$mark" "$name")"
	assert_contains "$(server_log_since "$mark")" 'app=tests'
}

@test "a session stays open, idle or running a query" {
	name=$(db session)
	start_session "$name" 'my ide'
	assert_equal "my ide|idle" \
		"$(sql postgres "SELECT application_name, state FROM pg_stat_activity WHERE pid = $SESSION_PID")"
	start_session "$name" 'my query' 'SELECT pg_sleep(60)'
	assert_equal "my query|active" \
		"$(sql postgres "SELECT application_name, state FROM pg_stat_activity WHERE pid = $SESSION_PID")"
}

@test "equal databases have equal dumps, and different ones do not" {
	one=$(db one)
	two=$(db two)
	for name in "$one" "$two"; do
		"$SERVER_PSQL" -Xq1 -v ON_ERROR_STOP=1 -d "$(url "$name")" <<-'SQL'
			CREATE TABLE t (id integer PRIMARY KEY, name text DEFAULT 'x');
			INSERT INTO t VALUES (1), (2);
		SQL
	done
	assert_equal "$(dump "$one")" "$(dump "$two")"
	assert_equal "$(dump_by_query "$one")" "$(dump_by_query "$two")"
	sql "$two" "UPDATE t SET name = 'y' WHERE id = 2"
	[ "$(dump "$one")" != "$(dump "$two")" ]
	[ "$(dump_by_query "$one")" != "$(dump_by_query "$two")" ]
	sql "$two" "UPDATE t SET name = 'x' WHERE id = 2; ALTER TABLE t ALTER name DROP DEFAULT"
	[ "$(dump "$one")" != "$(dump "$two")" ]
	[ "$(dump_by_query "$one")" != "$(dump_by_query "$two")" ]
}

@test "a server of the test's own can stop, come back on its port, and become a standby" {
	own_server work_mem=7MB
	assert_equal 7MB "$(sql postgres 'SHOW work_mem')"
	port=$SERVER_PORT
	pg_server pause
	run sql postgres 'SELECT 1'
	[ "$status" -ne 0 ]
	pg_server start
	assert_equal "$port" "$(sql postgres 'SHOW port')"
	pg_server standby
	run sql postgres 'CREATE TABLE t ()'
	assert_contains "$output" 'read-only transaction'
}

@test "a server goes when its owner is gone" {
	start_job sleep 60
	dir=$(mktemp -d "$TMPDIR/pg.XXXXXX")
	pg_server_at "$dir" start --owner "$JOB_PID"
	read -r pid <"$dir/data/postmaster.pid"
	kill -0 "$pid"
	kill -KILL "$JOB_PID"
	wait "$JOB_PID" 2>/dev/null || :
	wait_until "[ ! -d '$dir' ]"
	wait_until "! kill -0 $pid 2>/dev/null || is_zombie $pid"
}

@test "a program run on a terminal sees one and reads what is typed" {
	run_tty 'typed
' -- sh -c 'test -t 0 && test -t 1 && test -t 2 && read -r line && echo "got $line"; exit 7'
	assert_status 7
	assert_contains "$output" 'got typed'
}

@test "a background job's status and output are collected" {
	start_job sh -c 'echo out; echo err >&2; exit 3'
	finish_job
	assert_status 3
	assert_equal out "$output"
	assert_equal err "$stderr"
}

@test "assertions fail when they should" {
	run assert_equal a b
	[ "$status" -eq 1 ]
	run assert_contains abc x
	[ "$status" -eq 1 ]
	run assert_matches abc '^x'
	[ "$status" -eq 1 ]
	run refute_contains abc b
	[ "$status" -eq 1 ]
	run wait_until false 0
	[ "$status" -eq 1 ]
	run false
	# shellcheck disable=SC2314 # its own status is what is looked at
	! assert_status 0
}

@test "both sample files loaded twice leave what they leave loaded once" {
	name=$(db sample)
	load="$SERVER_PSQL -Xq1 -v ON_ERROR_STOP=1 -d $(url "$name") -f $ROOT/db/schema.sql -f $ROOT/db/seed.sql"
	rows='SELECT (SELECT count(*) FROM users), count(*), sum(replies_count) FROM activities'
	$load
	assert_equal '3|3|1' "$(sql "$name" "$rows")"
	"$SERVER_PSQL" -Xq1 -v ON_ERROR_STOP=1 -d "$(url "$name")" -f "$ROOT/db/seed.sql"
	assert_equal '3|3|1' "$(sql "$name" "$rows")"
	$load
	assert_equal '3|3|1' "$(sql "$name" "$rows")"
}

@test "deleting a sample user takes the activities along" {
	name=$(db sample)
	"$SERVER_PSQL" -Xq1 -v ON_ERROR_STOP=1 -d "$(url "$name")" \
		-f "$ROOT/db/schema.sql" -f "$ROOT/db/seed.sql"
	sql "$name" "DELETE FROM users WHERE handle = 'londo'"
	assert_equal 1 "$(sql "$name" 'SELECT count(*) FROM activities')"
}

@test "the server takes every query of src/pg/queries" {
	for file in "$ROOT"/src/pg/queries/*.sql; do
		since=$(sed -n '1s/^-- Servers from \([0-9]*\) on:.*/\1/p' "$file")
		[ "$SERVER_VERSION" -ge "${since:-0}" ] || continue
		run "$SERVER_PSQL" -X -v ON_ERROR_STOP=1 -d "$(url postgres)" \
			-c "PREPARE q AS $("$ROOT/scripts/embed-sql" --text "$file")"
		printf '%s: %s\n' "$file" "$output"
		assert_status 0
	done
}
