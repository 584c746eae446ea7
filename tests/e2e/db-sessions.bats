#!/usr/bin/env bats
# Who is connected, and ending sessions.

load helper
load pgbouncer

setup() {
	common_setup
	DB=$(db main)
	export CONNECTION_URL
	CONNECTION_URL=$(url "$DB")
}

sessions() {
	run --separate-stderr db-sessions "$@"
}

# json QUERY: the last output as rows of one column s, each a session; only those of the test's database.
json() {
	"$SERVER_PSQL" -XAtq -v ON_ERROR_STOP=1 -v doc="$output" -v db="$DB" -d "$(url postgres)" <<-SQL
		WITH all_sessions AS (SELECT s FROM json_array_elements(:'doc'::json) s),
			sessions AS (SELECT s FROM all_sessions WHERE s->>'database' = :'db')
		$1
	SQL
}

# session_as ROLE DATABASE: a session of that role, running a query; sets SESSION_PID.
session_as() {
	local address
	address=$(url "$2")
	start_job env PGAPPNAME="as $1" "$SERVER_PSQL" -Xq -d "${address/postgres@/$1@}" \
		-c 'SELECT pg_sleep(600)'
	wait_until "[ -n \"\$(pid_of 'as $1')\" ]" || return
	SESSION_PID=$(pid_of "as $1")
}

pid_of() {
	sql postgres "SELECT pid FROM pg_stat_activity WHERE application_name = '$1' AND state = 'active'"
}

is_alive() {
	[ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE pid = $1")" = 1 ]
}

state_of() {
	sql postgres "SELECT state FROM pg_stat_activity WHERE pid = $1"
}

# --- the table ---------------------------------------------------------------------------------

@test "the columns stand in their order" {
	sessions
	assert_status 0
	assert_equal '' "$stderr"
	assert_equal 'pid user database client application state age wait blocked by query' \
		"$(head -n 1 <<<"$output" | tr -s ' ')"
}

@test "a session has a line with what it is and does" {
	start_session "$DB" 'my ide'
	sessions
	assert_status 0
	assert_matches "$(grep "^$SESSION_PID " <<<"$output")" \
		"^$SESSION_PID +postgres +$DB +local +my ide +idle +[0-9]+s +Client: ClientRead +SELECT pg_backend_pid\(\);\$"
}

@test "a session over TCP shows its address" {
	start_job "$SERVER_PSQL" -Xq -d "$(app_url "$DB")" -c 'SELECT pg_sleep(600)'
	wait_until "[ -n \"\$(pid_of psql)\" ]"
	sessions
	assert_matches "$output" " app +$DB +127\.0\.0\.1 +psql +active "
}

@test "the command's own session is not listed" {
	mark=$(server_log_mark)
	sessions --all
	own=$(server_log_since "$mark" | sed -n "s/^.* \[\([0-9]*\)\].*connection authorized.* database=$DB .*/\1/p")
	[ "$own" -gt 0 ]
	refute_contains "$output" db-sessions
	assert_equal '' "$(grep "^$own " <<<"$output" || :)"
}

@test "the server's idle background processes are listed with --all only" {
	sessions
	refute_contains "$output" checkpointer
	sessions --all
	assert_status 0
	assert_contains "$output" checkpointer
	sessions --all --json
	assert_equal t "$(json "SELECT bool_or(s->>'backend_type' = 'checkpointer'
		AND s->>'database' IS NULL) FROM all_sessions")"
}

@test "a session that waits for a lock shows who blocks it" {
	sql "$DB" 'CREATE TABLE t ()'
	start_session "$DB" holder 'BEGIN; LOCK TABLE t; SELECT pg_sleep(600)'
	holder=$SESSION_PID
	start_session "$DB" waiter 'SELECT * FROM t'
	waiter=$SESSION_PID
	wait_until "[ \"\$(sql postgres 'SELECT wait_event_type FROM pg_stat_activity
		WHERE pid = $waiter')\" = Lock ]"
	sessions
	assert_matches "$(grep "^$waiter " <<<"$output")" " active +[0-9]+s +Lock: relation +$holder +SELECT"
	assert_matches "$(grep "^$holder " <<<"$output")" ' Timeout: PgSleep +(BEGIN|SELECT)'
	sessions --json
	assert_equal "$waiter|$holder" "$(json "SELECT s->>'pid', s->'blocked_by'->>0 FROM sessions
		WHERE json_array_length(s->'blocked_by') > 0")"
}

@test "a transaction that is left open is shown as such" {
	start_session "$DB" lazy
	# shellcheck disable=SC2153 # start_session sets it
	echo 'BEGIN;' >&"$SESSION_FD"
	wait_until "[ \"\$(state_of $SESSION_PID)\" = 'idle in transaction' ]"
	sessions
	assert_contains "$(grep "^$SESSION_PID " <<<"$output")" ' idle in transaction '
}

@test "a query of several lines is shown on one" {
	start_session "$DB" lines $'SELECT\n  pg_sleep(600),\n\t1'
	sessions
	assert_matches "$(grep "^$SESSION_PID " <<<"$output")" 'SELECT pg_sleep\(600\), 1;$'
	assert_equal 2 "$(grep -c -e ^pid -e " $DB " <<<"$output")"
}

@test "on a terminal lines are cut at its width" {
	start_session "$DB" wide "SELECT pg_sleep(600) /* $(printf 'x%.0s' {1..300}) */"
	run_tty -- sh -c 'stty cols 120; db-sessions'
	assert_status 0
	assert_contains "$output" "$SESSION_PID"
	assert_equal 120 "$(awk '{ if (length($0) > n) n = length($0) } END { print n }' <<<"$output")"
	sessions
	assert_contains "$output" 'xxxx */'
}

# --- hostile text ------------------------------------------------------------------------------

@test "terminal escapes in a query and an application name are shown, not obeyed" {
	start_session "$DB" $'app\e[2J' "SELECT pg_sleep(600) /* "$'\e[31m \u202e \u009b \x07'" */"
	sessions
	assert_status 0
	assert_contains "$output" '/* \x1B[31m \u202E \x9B \x07 */'
	assert_equal '' "$(LC_ALL=C tr -d '\n -~' <<<"$output")"
	run_tty -- db-sessions
	refute_contains "$output" $'\e[31m'
	refute_contains "$output" $'\e[2J'
	refute_contains "$output" $'\u202e'
}

@test "JSON holds them as escapes, and they come back as they were" {
	query="SELECT pg_sleep(600) /* "$'\e[31m \u202e "\\ \n ä'" */"
	start_session "$DB" json "$query"
	sessions --json
	assert_status 0
	assert_equal '' "$(LC_ALL=C tr -d '\n -~' <<<"$output")"
	assert_equal "$query;" "$(json "SELECT s->>'query' FROM sessions WHERE s->>'pid' = '$SESSION_PID'")"
}

@test "names with odd characters are shown as they are" {
	name="$(db_name x) Ü\"'"
	sql postgres "CREATE DATABASE \"${name//\"/\"\"}\""
	start_session "$name" odd
	sessions
	assert_contains "$(grep "^$SESSION_PID " <<<"$output")" " $name "
}

# --- JSON --------------------------------------------------------------------------------------

@test "--json is an array of objects with the right types" {
	start_session "$DB" typed 'SELECT pg_sleep(600)'
	sessions --json
	assert_status 0
	assert_equal '' "$stderr"
	assert_equal "number string string null string string number string array string string" \
		"$(json "SELECT string_agg(coalesce(json_typeof(s->k), 'missing'), ' ' ORDER BY n)
			FROM sessions, unnest('{pid,user,database,nothing,application,state,age_seconds,wait,
			blocked_by,query,backend_type}'::text[]) WITH ORDINALITY u (k, n)" | sed s/missing/null/)"
	assert_equal "$SESSION_PID|postgres|$DB|local|typed|active|[]|client backend|t" \
		"$(json "SELECT s->>'pid', s->>'user', s->>'database', s->>'client', s->>'application',
			s->>'state', s->'blocked_by', s->>'backend_type',
			(s->>'age_seconds')::numeric BETWEEN 0 AND 60 FROM sessions")"
}

@test "--json prints an empty array when nobody is there" {
	# Those of the test before may still be ending.
	wait_until '[ "$(db-sessions --json)" = "[]" ]'
}

# --- one connection ----------------------------------------------------------------------------

@test "listing takes one connection and one statement" {
	mark=$(server_log_mark)
	sessions
	log=$(server_log_since "$mark" | grep -E " db=$DB .*app=db-sessions|connection authorized.* database=$DB ")
	assert_equal 1 "$(grep -c 'connection authorized' <<<"$log")"
	assert_equal 1 "$(grep -cE 'LOG:  (statement|execute)' <<<"$log")"
}

# --- cancel and kill ---------------------------------------------------------------------------

@test "--cancel stops the statement and leaves the session" {
	start_session "$DB" busy 'SELECT pg_sleep(600)'
	sessions --cancel "$SESSION_PID"
	assert_status 0
	wait_until "[ \"\$(state_of $SESSION_PID)\" = idle ]"
}

@test "--kill ends the sessions given and no other" {
	start_session "$DB" one
	one=$SESSION_PID
	start_session "$DB" two
	two=$SESSION_PID
	start_session "$DB" three
	sessions --kill "$one" --kill="$two"
	assert_status 0
	assert_equal '' "$(state_of "$one")$(state_of "$two")"
	is_alive "$SESSION_PID"
}

@test "--kill-all ends the other sessions of that database and no other, and not its own" {
	other=$(db other)
	start_session "$DB" one
	one=$SESSION_PID
	start_session "$DB" two 'SELECT pg_sleep(600)'
	two=$SESSION_PID
	start_session "$other" three
	sessions --kill-all
	assert_status 0
	assert_contains "$stderr" "ended 2 sessions of database \"$DB\""
	assert_equal '' "$(state_of "$one")$(state_of "$two")"
	is_alive "$SESSION_PID"
}

@test "--kill-all: a session that ends by itself as another one does is what was asked for" {
	sql "$DB" 'CREATE TABLE t ()'
	start_session "$DB" holder 'BEGIN; LOCK TABLE t; SELECT pg_sleep(600)'
	holder=$SESSION_PID
	for _ in 1 2 3; do
		start_job env PGAPPNAME=waiter "$SERVER_PSQL" -Xq -d "$CONNECTION_URL" -c 'SELECT * FROM t'
	done
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity
		WHERE datname = '$DB' AND wait_event_type = 'Lock'\")\" = 3 ]"
	sessions --kill-all
	assert_status 0
	refute_contains "$stderr" warning
	assert_contains "$stderr" "ended 4 sessions of database \"$DB\""
	assert_equal '' "$(state_of "$holder")"
	assert_equal 0 "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE datname = '$DB'")"
}

@test "--kill-all with nobody there is success" {
	sessions --kill-all
	assert_status 0
}

@test "--kill-all where no database is named is a usage error, and nothing is connected or ended" {
	start_session postgres safe
	mark=$(server_log_mark)
	for address in "$(url '')" "$(tcp_url app '')"; do
		CONNECTION_URL=$address PGDATABASE=$DB sessions --kill-all
		assert_status 64
		assert_contains "$stderr" 'CONNECTION_URL names no database'
	done
	refute_contains "$(server_log_since "$mark")" 'connection received'
	is_alive "$SESSION_PID"
	CONNECTION_URL=$(url '') PGDATABASE=$DB sessions
	assert_status 0
}

@test "--confirm where nothing is confirmed is a usage error" {
	start_session "$DB" safe
	for arguments in '' --json "--kill $SESSION_PID" "--cancel $SESSION_PID"; do
		# shellcheck disable=SC2086 # words
		sessions --confirm "$DB" $arguments
		assert_status 64
		assert_contains "$stderr" '--confirm goes with --kill-all'
	done
	is_alive "$SESSION_PID"
	sessions --confirm "$DB" --kill-all
	assert_status 0
	wait_until "! is_alive $SESSION_PID"
}

@test "a pid that does not exist is an error" {
	sessions --kill 2147483647
	assert_status 1
	assert_contains "$stderr" 'no session with pid 2147483647'
}

@test "what is not a pid is a usage error, and nothing is connected or killed" {
	start_session "$DB" safe
	mark=$(server_log_mark)
	for pid in x 0 -1 "${SESSION_PID}x" '' 99999999999; do
		sessions --kill="$SESSION_PID" --kill="$pid"
		assert_status 64
		sessions --cancel="$pid"
		assert_status 64
	done
	refute_contains "$(server_log_since "$mark")" 'connection received'
	is_alive "$SESSION_PID"
}

@test "options that exclude each other are a usage error" {
	start_session "$DB" safe
	sessions --kill "$SESSION_PID" --cancel "$SESSION_PID"
	assert_status 64
	sessions --kill-all --json
	assert_status 64
	sessions --kill-all --watch
	assert_status 64
	is_alive "$SESSION_PID"
}

@test "a background process of the server is refused with 4 and lives on" {
	pid=$(sql postgres "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
	for option in --kill --cancel; do
		sessions "$option" "$pid"
		assert_status 4
	done
	is_alive "$pid"
}

@test "rdsadmin is never ended, neither by name nor by --kill-all" {
	sql postgres 'CREATE ROLE rdsadmin LOGIN'
	session_as rdsadmin "$DB"
	admin=$SESSION_PID
	start_session "$DB" other
	for option in --kill --cancel; do
		sessions "$option" "$admin"
		assert_status 4
		assert_contains "$stderr" rdsadmin
	done
	sessions --kill-all
	assert_status 0
	assert_equal active "$(state_of "$admin")"
	assert_equal '' "$(state_of "$SESSION_PID")"
}

teardown() {
	common_teardown || return
	if [[ $BATS_TEST_DESCRIPTION == rdsadmin* ]]; then
		sql postgres 'DROP ROLE rdsadmin'
	fi
}

# --- rights ------------------------------------------------------------------------------------

@test "a role that may not see others sees that they are there" {
	start_session "$DB" hidden 'SELECT 1 AS geheim, pg_sleep(600)'
	CONNECTION_URL=$(nocreate_url "$DB")
	sessions
	assert_status 0
	line=$(grep "^$SESSION_PID " <<<"$output")
	assert_matches "$line" "^$SESSION_PID +postgres +$DB "
	assert_contains "$line" '<insufficient privilege>'
	refute_contains "$output" geheim
	refute_contains "$line" ' 0s'
	sessions --json
	assert_equal 'null|null' "$(json "SELECT json_typeof(s->'state'), json_typeof(s->'age_seconds')
		FROM sessions WHERE s->>'pid' = '$SESSION_PID'")"
}

@test "a role without the right to kill gets the server's reason, and the session lives" {
	start_session "$DB" strong 'SELECT pg_sleep(600)'
	CONNECTION_URL=$(nocreate_url "$DB")
	for option in "--kill=$SESSION_PID" "--cancel=$SESSION_PID" --kill-all; do
		sessions "$option"
		assert_status 1
		assert_matches "$stderr" 'permission denied|must be a superuser'
	done
	assert_equal active "$(state_of "$SESSION_PID")"
}

@test "a role may kill its own other sessions" {
	session_as nocreate "$DB"
	CONNECTION_URL=$(nocreate_url "$DB")
	sessions --kill "$SESSION_PID"
	assert_status 0
	assert_equal '' "$(state_of "$SESSION_PID")"
}

# --- watch -------------------------------------------------------------------------------------

@test "--watch prints again on the same connection and ends by SIGINT" {
	mark=$(server_log_mark)
	start_job db-sessions --watch=0.1
	wait_until '[ "$(grep -c ^pid "$JOB_OUT")" -ge 3 ]'
	kill -INT "$JOB_PID"
	wait_until job_ended
	finish_job
	assert_status 130
	assert_equal 1 "$(server_log_since "$mark" | grep -c "connection authorized.* database=$DB ")"
}

@test "--watch sees sessions come and go" {
	start_job db-sessions --watch=0.1
	wait_until '[ -s "$JOB_OUT" ]'
	start_session "$DB" newcomer
	wait_until '[ "$(tail -n 1 "$JOB_OUT" | grep -c newcomer)" = 1 ]'
	sql postgres "SELECT pg_terminate_backend($SESSION_PID)"
	wait_until '[ "$(tail -n 1 "$JOB_OUT" | grep -c newcomer)" = 0 ]'
}

@test "--watch ends with 2 when the server ends its session" {
	start_job db-sessions --watch=0.1
	wait_until '[ -s "$JOB_OUT" ]'
	sql postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$DB'"
	wait_until job_ended
	finish_job
	assert_status 2
}

@test "--watch into a pipe whose reader has gone is an error" {
	run --separate-stderr bash -c 'set -o pipefail; timeout 20 db-sessions --watch=0.1 | head -n 1'
	assert_status 1
	assert_contains "$stderr" 'could not write to standard output'
}

@test "an interval that is none is a usage error" {
	for seconds in 0 -1 x; do
		sessions --watch="$seconds"
		assert_status 64
	done
}

@test "behind a pooler that shares sessions nothing is left for the next client" {
	name=$(db shop)
	sql "$name" 'CREATE TABLE gold AS SELECT 1 AS g; GRANT SELECT ON gold TO app'
	start_pgbouncer transaction default_pool_size=1
	assert_equal 1 "$(through_bouncer "$name" 'SELECT g FROM gold')"
	CONNECTION_URL=$(bouncer_url "$name") run db-sessions
	assert_status 0
	assert_equal 1 "$(through_bouncer "$name" 'SELECT g FROM gold')"
	CONNECTION_URL=$(bouncer_url "$name") run db-doctor
	assert_equal 1 "$(through_bouncer "$name" 'SELECT g FROM gold')"
}
