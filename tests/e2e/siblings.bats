#!/usr/bin/env bats
# What db-setup does with the databases beside a database, call by call (pg/sibling.h), by a program
# of its own: tests/unit/sibling_calls.c.

load helper

setup_file() {
	SIBLING_CALLS=$(unit_program sibling_calls)
	export SIBLING_CALLS
	FILE_SERVER=$(mktemp -d "${TMPDIR:-/tmp}/pg.XXXXXX")
	export FILE_SERVER
	pg_server_at "$FILE_SERVER" start --owner $$ max_prepared_transactions=2
}

teardown_file() {
	pg_server_at "$FILE_SERVER" stop
}

setup() {
	common_setup
	use_server "$FILE_SERVER"
	URL=$(url postgres)
	APP=$(app_url postgres)
}

# calls URL CALL ARGUMENT...: runs it, stderr apart.
calls() {
	run --separate-stderr "$SIBLING_CALLS" "$@"
}

# comment NAME: the database's comment.
comment() {
	sql postgres "SELECT shobj_description(oid, 'pg_database') FROM pg_database
		WHERE datname = '${1//\'/\'\'}'"
}

oid() {
	sql postgres "SELECT oid FROM pg_database WHERE datname = '${1//\'/\'\'}'"
}

session_lives() {
	[ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE pid = $1")" = 1 ]
}

milliseconds() {
	local now=${EPOCHREALTIME//[.,]/}
	echo $((now / 1000))
}

# --- finding -----------------------------------------------------------------------------------

@test "siblings are known by the mark in their comment, and by the names that only dbrig gives" {
	name=$(db shop)
	for word in .dbrig-old -backup .dbrig-new .dbrig-making-spare-12ab .dbrig-making-spare-xyz \
		.dbrig-spare .dbrig-new2 .dbrig-drop; do
		drop_later "$name$word"
		sql postgres "CREATE DATABASE \"$name$word\""
	done
	sql postgres "COMMENT ON DATABASE \"$name\" IS 'mine [dbrig:made of=$name]'"
	sql postgres "COMMENT ON DATABASE \"$name.dbrig-old\" IS 'mine [dbrig:old of=$name]'"
	# Renamed by somebody: his.
	sql postgres "COMMENT ON DATABASE \"$name-backup\" IS '[dbrig:snapshot of=$name tag=b]'"
	sql postgres "COMMENT ON DATABASE \"$name.dbrig-drop\" IS '[dbrig:drop of=other$name]'"
	calls "$URL" find "$name"
	assert_status 0
	assert_equal 'found may-create primary' "${lines[0]}"
	assert_equal "$name|made|$name|$(oid "$name")|owner open" "${lines[1]}"
	assert_equal "$name.dbrig-making-spare-12ab|new $name.dbrig-new|new $name.dbrig-old|old" \
		"$(printf '%s\n' "${lines[@]:2}" | cut -d'|' -f1,2 | paste -sd' ')"
}

@test "a database that does not exist has siblings, and others see whose they are" {
	name=$(db shop)
	sql postgres "ALTER DATABASE $name RENAME TO \"$name.dbrig-old\""
	drop_later "$name.dbrig-old"
	sql postgres "COMMENT ON DATABASE \"$name.dbrig-old\" IS '[dbrig:old of=$name]'"
	sql postgres "ALTER DATABASE \"$name.dbrig-old\" ALLOW_CONNECTIONS false"
	calls "$APP" find "$name"
	assert_status 0
	assert_equal 'missing may-create primary' "${lines[0]}"
	assert_equal "$name.dbrig-old|old|$name|$(oid "$name.dbrig-old")|shut" "${lines[1]}"
	calls "$(nocreate_url postgres)" find "$name"
	assert_equal 'missing primary' "${lines[0]}"
}

@test "names of any kind are found and changed" {
	for word in 'Größe "x" it'"'"'s {1,2} \\ %' "$(printf 'ä%.0s' {1..25})"; do
		name=$(db "$word")
		drop_later "$name"
		before=$(oid "$name")
		sql postgres "COMMENT ON DATABASE \"${name//\"/\"\"}\" IS 'it''s \"mine\"'"
		calls "$URL" change 1 "$name" "new of $name" old "$(comment "$name")" - \
			"new of $name" "$name" drop - 0
		assert_status 0
		assert_equal "$before" "$(oid "$name")"
		calls "$URL" find "$name"
		assert_contains "${lines[1]}" "$name|drop|shop|$before|owner shut"
	done
}

# --- changing ----------------------------------------------------------------------------------

# Makes two databases that change places; sets $name, $new, $first and $second (their oids).
two_databases() {
	name=$(db shop)
	new=$(db shop.new)
	drop_later "$name.old"
	first=$(oid "$name")
	second=$(oid "$new")
}

swap() {
	calls "$URL" change "$1" "$name" "$name.old" old 'it'"'"'s mine' - "$new" "$name" made - -
}

assert_swapped() {
	assert_equal "$first" "$(oid "$name.old")"
	assert_equal "$second" "$(oid "$name")"
	! db_exists "$new" || return 1
	assert_equal "it's mine [dbrig:old of=shop]" "$(comment "$name.old")"
	assert_equal '[dbrig:made of=shop]' "$(comment "$name")"
}

assert_not_swapped() {
	assert_equal "$first" "$(oid "$name")"
	assert_equal "$second" "$(oid "$new")"
	! db_exists "$name.old" || return 1
	assert_equal '' "$(comment "$name")$(comment "$new")"
}

@test "databases change their names, comments and doors in one request" {
	two_databases
	mark=$(server_log_mark)
	swap 0
	assert_status 0
	assert_swapped
	assert_equal 1 "$(server_log_since "$mark" | grep -c 'statement: ALTER DATABASE')"
	calls "$URL" change 0 "$name" - unmark "my shop $(comment "$name")" 0
	assert_status 0
	assert_equal 'my shop' "$(comment "$name")"
	assert_equal f "$(sql postgres "SELECT datallowconn FROM pg_database WHERE datname = '$name'")"
	calls "$URL" change 0 "$name" - unmark '[dbrig:made of=shop]' 1
	assert_equal '' "$(comment "$name")"
	assert_equal t "$(sql postgres "SELECT datallowconn FROM pg_database WHERE datname = '$name'")"
}

@test "changes that cannot all be made are not made" {
	two_databases
	calls "$URL" change 1 "$name" "$name.old" old - - "$new" "$name" made - - missing x - - -
	assert_status 1
	assert_contains "$stderr" 'database "missing" does not exist'
	assert_not_swapped
	calls "$URL" change 1 "$name" "$new" old - -
	assert_status 1
	assert_contains "$stderr" 'sqlstate: 42P04'
	assert_not_swapped
}

@test "without force sessions are listed at once, none is ended and nothing changes" {
	two_databases
	start_session "$new" 'my ide'
	began=$(milliseconds)
	swap 0
	assert_status 1
	[ $(($(milliseconds) - began)) -lt 2000 ]
	assert_contains "$stderr" "could not rename database \"$new\": 1 session is connected to it"
	assert_contains "$stderr" "detail: pid $SESSION_PID, user postgres, client local, application \"my ide\""
	session_lives "$SESSION_PID"
	assert_not_swapped
}

@test "with force sessions of every database that is renamed are ended, and no others" {
	two_databases
	other=$(db other)
	start_session "$other" 'not concerned'
	other_pid=$SESSION_PID
	start_session "$name" 'busy' 'SELECT pg_sleep(60)'
	start_session "$new" 'idle'
	began=$(milliseconds)
	swap 1
	assert_status 0
	took=$(($(milliseconds) - began))
	echo "took $took ms"
	[ "$took" -lt 1500 ]
	assert_swapped
	session_lives "$other_pid"
}

@test "a pool that connects again at once does not keep a database from being renamed" {
	two_databases
	start_job "$SIBLING_CALLS" "$URL" pool "$name" 20
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity
		WHERE datname = '$name' AND application_name = 'pool'\")\" -ge 2 ]"
	began=$(milliseconds)
	swap 1
	took=$(($(milliseconds) - began))
	echo "took $took ms: $stderr"
	assert_status 0
	[ "$took" -lt 4000 ]
	assert_swapped
	# Back and forth: the pool is in the database that comes as in the one that goes.
	calls "$URL" change 1 "$name" "$new" unmark - - "$name.old" "$name" unmark - -
	assert_status 0
	assert_not_swapped
	calls "$URL" copy 1 "$name" "$name.old" 1
	assert_status 0
	# The pool is alive and gets in again.
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity
		WHERE datname = '$name' AND application_name = 'pool'\")\" -ge 1 ]"
}

@test "sessions that our role may not end are an error that lists them, and none is ended" {
	name=$(db shop)
	sql postgres "ALTER DATABASE $name OWNER TO app"
	start_session "$name" 'a superuser'
	theirs=$SESSION_PID
	"$SERVER_PSQL" -XAtq -d "$(app_url "$name")" -c 'SELECT pg_sleep(60)' >/dev/null 2>&1 3>&- 4>&- &
	JOBS+=($!)
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity
		WHERE datname = '$name' AND usename = 'app'\")\" = 1 ]"
	began=$(milliseconds)
	for call in "change 1 $name $name.old - - -" "copy 1 $name $name.old 1"; do
		# shellcheck disable=SC2086 # words
		calls "$APP" $call
		assert_status 1
		assert_contains "$stderr" "database \"$name\": 1 session is connected to it that your role may not end"
		assert_contains "$stderr" "pid $theirs, user postgres"
		refute_contains "$stderr" 'user app'
	done
	[ $(($(milliseconds) - began)) -lt 3000 ]
	! db_exists "$name.old" || return 1
	assert_equal 2 "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE datname = '$name'")"
}

@test "a role ends the sessions of roles that it is a member of" {
	name=$(db shop)
	drop_later "$name.old"
	sql postgres "ALTER DATABASE $name OWNER TO app"
	sql postgres "CREATE ROLE t${BATS_SUITE_TEST_NUMBER}_r LOGIN IN ROLE pg_monitor;
		GRANT t${BATS_SUITE_TEST_NUMBER}_r TO app"
	PGUSER=t${BATS_SUITE_TEST_NUMBER}_r "$SERVER_PSQL" -XAtq -h "$SERVER_SOCKET" -p "$SERVER_PORT" \
		-d "$name" -c 'SELECT pg_sleep(60)' >/dev/null 2>&1 3>&- 4>&- &
	JOBS+=($!)
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity
		WHERE datname = '$name'\")\" = 1 ]"
	calls "$APP" change 1 "$name" "$name.old" - - -
	sql postgres "DROP ROLE t${BATS_SUITE_TEST_NUMBER}_r"
	assert_status 0
	db_exists "$name.old"
}

@test "a prepared transaction is named with its ROLLBACK PREPARED, and no session is ended" {
	two_databases
	sql "$name" "CREATE TABLE t (); BEGIN; INSERT INTO t DEFAULT VALUES; PREPARE TRANSACTION 'it''s'"
	start_session "$name" 'my ide'
	alive=
	for force in 0 1; do
		swap "$force"
		alive+="$status $stderr"
	done
	calls "$URL" copy 1 "$name" "$name.old" 1
	alive+="$status $stderr"
	session_lives "$SESSION_PID" || alive=
	sql "$name" "ROLLBACK PREPARED 'it''s'"
	assert_equal 3 "$(grep -c "ROLLBACK PREPARED 'it''s'" <<<"$alive")"
	assert_contains "$alive" "could not rename database \"$name\": it is in use"
	assert_contains "$alive" "could not copy database \"$name\": it is in use"
	assert_not_swapped
}

@test "who is not the owner changes nothing" {
	two_databases
	calls "$APP" change 1 "$name" "$name.old" old - -
	assert_status 1
	assert_contains "$stderr" "could not rename database \"$name\": must be owner of database $name"
	calls "$APP" change 1 "$name" - old - -
	assert_status 1
	assert_contains "$stderr" "could not change database \"$name\": must be owner"
	assert_not_swapped
}

@test "a standby refuses and names the way out" {
	own_server
	two_databases
	pg_server standby
	URL=$(url postgres)
	calls "$URL" find "$name"
	assert_equal 'found may-create recovery' "${lines[0]}"
	swap 1
	assert_status 1
	assert_contains "$stderr" 'hint: The server is read-only'
	calls "$URL" copy 1 "$name" x 1
	assert_status 1
	assert_contains "$stderr" 'hint: The server is read-only'
}

@test "a signal while sessions are waited for ends it, and nothing was changed" {
	name=$(db shop)
	# As a superuser would, and one that may not be ended: somebody holds the lock of the database.
	start_session postgres holder
	printf "BEGIN; ALTER DATABASE \"%s\" CONNECTION LIMIT 5;\n" "$name" >&"$SESSION_FD"
	printf "COMMENT ON DATABASE \"%s\" IS 'held';\n" "$name" >&"$SESSION_FD"
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_locks l JOIN pg_database d
		ON d.oid = l.objid WHERE l.locktype = 'object' AND d.datname = '$name'\")\" -ge 1 ]"
	start_job "$SIBLING_CALLS" "$URL" change 1 "$name" "$name.old" old - -
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_locks WHERE NOT granted\")\" = 1 ]"
	kill -INT "$JOB_PID"
	finish_job
	assert_status 130
	refute_contains "$stderr" 'too late'
	printf 'ROLLBACK;\n' >&"$SESSION_FD"
	db_exists "$name"
	! db_exists "$name.old" || return 1
	assert_equal 0 "$(sql postgres "SELECT count(*) FROM pg_stat_activity
		WHERE application_name = 'sibling_calls'")"
}

# --- copying -----------------------------------------------------------------------------------

@test "a copy holds the same, belongs to the source's owner and lets in or not" {
	name=$(db shop)
	drop_later "$name.copy"
	drop_later "$name.shut"
	sql "$name" "CREATE TABLE t AS SELECT 42 AS answer"
	sql postgres "ALTER DATABASE $name OWNER TO app"
	start_session "$name" 'my ide'
	calls "$URL" copy 0 "$name" "$name.copy" 1
	assert_status 1
	assert_contains "$stderr" "could not copy database \"$name\": 1 session is connected to it"
	! db_exists "$name.copy" || return 1
	calls "$URL" copy 1 "$name" "$name.copy" 1
	assert_status 0
	assert_equal 42 "$(sql "$name.copy" 'SELECT answer FROM t')"
	calls "$URL" copy 1 "$name" "$name.shut" 0
	assert_status 0
	assert_equal "$name.copy|app|t $name.shut|app|f" "$(sql postgres "SELECT datname, pg_get_userbyid(datdba),
		datallowconn FROM pg_database WHERE datname LIKE '$name.%' ORDER BY 1" | paste -sd' ')"
	calls "$URL" copy 1 "$name" "$name.copy" 1
	assert_status 1
	assert_contains "$stderr" 'sqlstate: 42P04'
	assert_equal 42 "$(sql "$name.copy" 'SELECT answer FROM t')"
	calls "$URL" copy 1 "$name.missing" x 1
	assert_status 1
	assert_contains "$stderr" 'does not exist'
}

@test "the size is that of the database, and a missing one has none" {
	name=$(db shop)
	calls "$URL" size "$name"
	assert_equal "$(sql postgres "SELECT pg_database_size('$name')")" "$output"
	calls "$URL" size "$name.missing"
	assert_equal 0 "$output"
}

# uncopied EXPECTED STATEMENT UNDO: with the statement made, that is what a copy leaves behind.
uncopied() {
	sql "${4:-postgres}" "$2"
	calls "$URL" uncopied "$name"
	sql "${4:-postgres}" "$3"
	assert_status 0
	assert_equal "$1" "$output"
}

@test "what a copy leaves behind is named" {
	name=$(db shop)
	db="DATABASE $name"
	uncopied - 'SELECT 1' 'SELECT 1'
	uncopied 'settings made by ALTER DATABASE' "ALTER $db SET work_mem = '8MB'" "ALTER $db RESET ALL"
	uncopied 'settings made by ALTER ROLE ... IN DATABASE' \
		"ALTER ROLE app IN $db SET work_mem = '8MB'" "ALTER ROLE app IN $db RESET ALL"
	uncopied 'privileges on the database itself' "REVOKE CONNECT ON $db FROM public" \
		"GRANT CONNECT ON $db TO public"
	uncopied 'a connection limit' "ALTER $db CONNECTION LIMIT 5" "ALTER $db CONNECTION LIMIT -1"
	uncopied 'settings made by ALTER DATABASE, settings made by ALTER ROLE ... IN DATABASE, a connection limit, a comment' \
		"ALTER $db SET work_mem = '8MB'; ALTER ROLE app IN $db SET work_mem = '8MB';
			ALTER $db CONNECTION LIMIT 5; COMMENT ON $db IS 'mine'" \
		"ALTER $db RESET ALL; ALTER ROLE app IN $db RESET ALL; ALTER $db CONNECTION LIMIT -1;
			COMMENT ON $db IS NULL"
	uncopied 'a comment' "COMMENT ON $db IS 'mine [dbrig:made of=shop]'" "COMMENT ON $db IS NULL"
	uncopied - "COMMENT ON $db IS '[dbrig:made of=shop]'" "COMMENT ON $db IS NULL"
	uncopied 'a prepared transaction' "BEGIN; CREATE TABLE p (); PREPARE TRANSACTION 'p'" \
		"ROLLBACK PREPARED 'p'" "$name"
	uncopied 'a subscription' \
		"CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false)" \
		'ALTER SUBSCRIPTION s SET (slot_name = NONE); DROP SUBSCRIPTION s' "$name"
	uncopied - 'SELECT 1' 'SELECT 1'
}

# --- the server's fingerprint ------------------------------------------------------------------

fingerprint() {
	"$SIBLING_CALLS" "${2:-$URL}" fingerprint "${1:-0}"
}

@test "the server's fingerprint stays while nothing changes, whatever comes and goes" {
	before=$(fingerprint)
	assert_matches "$before" '^[0-9a-f]{64}$'
	name=$(db other)
	sql "$name" 'CREATE TABLE t ()'
	sql postgres "ALTER DATABASE $name SET work_mem = '9MB'"
	assert_equal "$before" "$(PGAPPNAME=else fingerprint)"
	assert_equal "$before" "$(fingerprint)"
	sql postgres "ALTER SYSTEM SET log_min_duration_statement = 1234"
	sql postgres 'SELECT pg_reload_conf()'
	wait_until "[ \"\$(sql postgres 'SHOW log_min_duration_statement')\" = 1234ms ]"
	after=$(fingerprint)
	sql postgres 'ALTER SYSTEM RESET log_min_duration_statement'
	sql postgres 'SELECT pg_reload_conf()'
	assert_equal "$before" "$after"
}

# changes_fingerprint STATEMENT UNDO [DATABASE]
changes_fingerprint() {
	local before after
	before=$(fingerprint)
	sql "${3:-postgres}" "$1"
	after=$(fingerprint)
	sql "${3:-postgres}" "$2"
	if [ "$before" = "$after" ]; then
		printf 'the same fingerprint after: %s\n' "$1" >&2
		return 1
	fi
}

@test "the server's fingerprint changes with what a load may depend on" {
	changes_fingerprint 'CREATE ROLE t_r' 'DROP ROLE t_r'
	sql postgres 'CREATE ROLE t_r'
	changes_fingerprint 'ALTER ROLE t_r CREATEDB' 'ALTER ROLE t_r NOCREATEDB'
	changes_fingerprint 'GRANT app TO t_r' 'REVOKE app FROM t_r'
	changes_fingerprint "ALTER ROLE t_r SET work_mem = '9MB'" 'ALTER ROLE t_r RESET ALL'
	sql postgres 'DROP ROLE t_r'
	changes_fingerprint "ALTER ROLE ALL SET datestyle = 'SQL'" 'ALTER ROLE ALL RESET ALL'
	before=$(fingerprint)
	[ "$before" != "$(fingerprint 1)" ]
	[ "$before" != "$(fingerprint 0 "$APP")" ]
	[ "$before" != "$(PGTZ=Asia/Tokyo fingerprint)" ]
	[ "$before" != "$(PGOPTIONS='-c datestyle=German' fingerprint)" ]
	[ "$before" != "$(PGOPTIONS='-c search_path=x' fingerprint)" ]
	changes_fingerprint "ALTER ROLE ALL SET client_encoding = 'LATIN1'" 'ALTER ROLE ALL RESET ALL'
	[ "$before" != "$(PGCLIENTENCODING=LATIN1 fingerprint)" ]
	sql postgres "ALTER SYSTEM SET datestyle = 'German'"
	sql postgres 'SELECT pg_reload_conf()'
	wait_until "[ \"\$(sql postgres 'SHOW datestyle')\" = 'German, DMY' ]"
	after=$(fingerprint)
	sql postgres 'ALTER SYSTEM RESET datestyle'
	sql postgres 'SELECT pg_reload_conf()'
	[ "$before" != "$after" ]
}

crash() {
	kill -QUIT "$(head -n 1 "$SERVER_DIR/data/postmaster.pid")"
	wait_until "! sql postgres 'SELECT 1' >/dev/null 2>&1"
	pg_server start
}

@test "the server's fingerprint changes when template1 is written to" {
	own_server
	URL=$(url postgres)
	before=$(fingerprint)
	sql template1 'CREATE TABLE t ()'
	# Before 15 the counters come by way of a collector.
	wait_until '[ "$before" != "$(fingerprint)" ]' 5
	sql template1 'DROP TABLE t'
	assert_matches "$(fingerprint)" '^[0-9a-f]{64}$'
	[ "$before" != "$(fingerprint)" ]
	# A crash forgets how often it was.
	crash
	before=$(fingerprint)
	sql template1 'CREATE TABLE t ()'
	crash
	[ "$before" != "$(fingerprint)" ]
}

# --- locks -------------------------------------------------------------------------------------

@test "one reset holds its lock, and a try does not wait for it" {
	mkfifo hold
	start_job sh -c '"$0" "$1" lock shop <hold' "$SIBLING_CALLS" "$URL"
	exec {hold}>hold
	wait_until "grep -q locked '$JOB_OUT'"
	calls "$URL" try-lock shop </dev/null
	assert_equal busy "$output"
	calls "$URL" try-lock shop2 </dev/null
	assert_equal locked "$output"
	calls "$URL" try-background shop </dev/null
	assert_equal locked "$output"
	exec {hold}>&-
	finish_job
	calls "$URL" try-lock shop </dev/null
	assert_equal locked "$output"
}

@test "the lock of the background is held and given back" {
	mkfifo hold
	start_job sh -c '"$0" "$1" background-twice shop <hold' "$SIBLING_CALLS" "$URL"
	exec {hold}>hold
	wait_until "grep -q locked '$JOB_OUT'"
	calls "$URL" try-background shop </dev/null
	assert_equal busy "$output"
	calls "$URL" try-lock shop </dev/null
	assert_equal locked "$output"
	exec {hold}>&-
	wait_until "grep -q released '$JOB_OUT'"
	calls "$URL" try-background shop </dev/null
	assert_equal locked "$output"
}
