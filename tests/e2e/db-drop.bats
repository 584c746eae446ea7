#!/usr/bin/env bats

load helper

# use NAME: makes that database the target local.
use() {
	CONNECTION_URL=$(url "$1")
	export CONNECTION_URL
}

session_lives() {
	[ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE pid = $1")" = 1 ]
}

@test "db-drop drops the database and prints nothing on stdout" {
	name=$(db shop)
	use "$name"
	run --separate-stderr db-drop
	assert_status 0
	assert_equal '' "$output"
	assert_contains "$stderr" '== db-drop'
	! db_exists "$name" || return 1
}

@test "db-drop of a missing database says so and succeeds" {
	use "$(db_name missing)"
	run db-drop
	assert_status 0
	assert_contains "$output" 'does not exist'
	run db-drop --force
	assert_status 0
}

@test "db-drop drops exactly the database named, whatever its name holds" {
	near=$(db 'A "b')
	for word in 'a "b' "it's;--%41" 'größe/数据?'; do
		name=$(db "$word")
		use "$name"
		run db-drop
		assert_status 0
		! db_exists "$name" || return 1
	done
	db_exists "$near"
}

@test "db-drop lists the sessions in its way and drops nothing" {
	name=$(db shop)
	start_session "$name" 'my ide'
	first=$SESSION_PID
	start_session "$name" 'my console'
	use "$name"
	run db-drop
	assert_status 1
	assert_contains "$output" '2 sessions are connected'
	assert_contains "$output" "pid $first, user postgres, client local, application \"my ide\", idle"
	assert_contains "$output" "pid $SESSION_PID, user postgres, client local, application \"my console\", idle"
	assert_contains "$output" --force
	db_exists "$name"
	session_lives "$first"
	session_lives "$SESSION_PID"
}

@test "db-drop lists ten sessions and counts the others" {
	name=$(db shop)
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		start_session "$name" "number $i"
	done
	use "$name"
	run db-drop
	assert_status 1
	assert_contains "$output" '12 sessions are connected'
	assert_equal 10 "$(grep -c 'application "number' <<<"$output")"
	assert_contains "$output" '2 more'
	db_exists "$name"
}

@test "db-drop shows control characters of a session's user instead of obeying them" {
	name=$(db shop)
	role=$(db_name $'\e[31mred')
	sql postgres "CREATE ROLE \"$role\" LOGIN"
	address=$(url "$name")
	PGAPPNAME=red start_job "$SERVER_PSQL" -Xq "${address/postgres@/$(encode "$role")@}" -c 'SELECT pg_sleep(60)'
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'red'\")\" = 1 ]"
	use "$name"
	run db-drop
	assert_status 1
	assert_contains "$output" '[31mred'
	refute_contains "$output" $'\e'
}

@test "db-drop --force ends the sessions and drops the database" {
	name=$(db shop)
	start_session "$name" 'my ide'
	use "$name"
	run db-drop --force
	assert_status 0
	! db_exists "$name" || return 1
	wait_until "! session_lives $SESSION_PID"
}

@test "db-drop --force does not end sessions of other databases" {
	name=$(db shop)
	start_session "$(db other)" 'my ide'
	use "$name"
	run db-drop --force
	assert_status 0
	session_lives "$SESSION_PID"
}

@test "db-drop --force drops nothing when a session is not the role's to end" {
	name=$(db shop)
	sql postgres "ALTER DATABASE $name OWNER TO app"
	start_session "$name" 'a superuser'
	export CONNECTION_URL
	CONNECTION_URL=$(app_url "$name")
	run db-drop --force
	assert_status 1
	db_exists "$name"
	session_lives "$SESSION_PID"
}

@test "db-drop names a subscription in its way" {
	name=$(db shop)
	sql "$name" "CREATE SUBSCRIPTION sub CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false)" 2>/dev/null
	use "$name"
	run db-drop --force
	exists=0
	db_exists "$name" || exists=1
	sql "$name" 'ALTER SUBSCRIPTION sub SET (slot_name = NONE)'
	sql "$name" 'DROP SUBSCRIPTION sub'
	assert_status 1
	assert_contains "$output" 'DROP SUBSCRIPTION sub'
	assert_equal 0 "$exists"
}

@test "db-drop refuses a template and names the remedy" {
	name=$(db shop)
	sql postgres "ALTER DATABASE $name IS_TEMPLATE true"
	use "$name"
	run db-drop --force
	assert_status 1
	assert_contains "$output" 'IS_TEMPLATE false'
	db_exists "$name"
}

@test "db-drop refuses somebody else's database" {
	name=$(db shop)
	export CONNECTION_URL
	CONNECTION_URL=$(app_url "$name")
	run db-drop
	assert_status 1
	assert_contains "$output" 'not its owner'
	db_exists "$name"
}

@test "db-drop drops a half dropped database" {
	name=$(db shop)
	sql postgres "UPDATE pg_database SET datconnlimit = -2 WHERE datname = '$name'"
	use "$name"
	run db-drop
	assert_status 0
	! db_exists "$name" || return 1
}

@test "db-drop drops a database that allows no connections" {
	name=$(db shop)
	sql postgres "ALTER DATABASE $name ALLOW_CONNECTIONS false"
	use "$name"
	run db-drop
	assert_status 0
	! db_exists "$name" || return 1
}

@test "db-drop refuses the maintenance databases, whatever is added" {
	mark=$(server_log_mark)
	for name in postgres template0 template1; do
		use "$name"
		run db-drop
		assert_status 4
		run db-drop --force --confirm "$name"
		assert_status 4
		export PROD_CONNECTION_URL=$CONNECTION_URL
		run db-drop prod --confirm "$name" --maintenance-db "$(db_name none)"
		assert_status 4
	done
	refute_contains "$(server_log_since "$mark")" 'application_name=db-drop'
	assert_equal 3 "$(sql postgres "SELECT count(*) FROM pg_database
		WHERE datname IN ('postgres', 'template0', 'template1')")"
}

@test "db-drop refuses 64 bytes of name and leaves the database of the first 63" {
	long=$(db_name "$(printf 'x%.0s' {1..64})")
	long=${long:0:64}
	sql postgres "CREATE DATABASE ${long:0:63}"
	use "$long"
	run db-drop
	assert_status 64
	run db-drop --force --confirm "$long"
	assert_status 64
	db_exists "${long:0:63}"
}

@test "db-drop of a URL without a database does not drop the one named like the user" {
	role=$(db user)
	sql postgres "CREATE ROLE $role LOGIN SUPERUSER"
	export CONNECTION_URL="postgresql://$role@/?host=$SERVER_SOCKET&port=$SERVER_PORT"
	run db-drop
	assert_status 64
	assert_contains "$output" 'names no database'
	db_exists "$role"
}

@test "db-drop refuses to drop on prod until --confirm names the database" {
	name=$(db shop)
	export PROD_CONNECTION_URL
	PROD_CONNECTION_URL=$(url "$name")
	mark=$(server_log_mark)
	for arguments in '' --force "--confirm $name-2" '--confirm yes' '--confirm=' "--confirm=${name^^}"; do
		# shellcheck disable=SC2086 # words are meant
		run db-drop prod $arguments
		assert_status 4
		assert_contains "$output" --confirm
	done
	refute_contains "$(server_log_since "$mark")" 'DROP DATABASE'
	db_exists "$name"
	run db-drop prod --confirm "$name"
	assert_status 0
	! db_exists "$name" || return 1
}

@test "db-drop takes no consent from the environment, standard input or .env" {
	name=$(db shop)
	export PROD_CONNECTION_URL
	PROD_CONNECTION_URL=$(url "$name")
	mkdir db
	for variable in CONFIRM DB_CONFIRM DBRIG_CONFIRM DBRIG_CONSENT FORCE; do
		export "$variable=$name"
		echo "$variable=$name" >>.env
	done
	run db-drop prod < <(yes "$name")
	assert_status 4
	run db-drop PROD < <(yes "$name")
	assert_status 4
	db_exists "$name"
}

@test "db-drop refuses a target production as it refuses prod" {
	name=$(db shop)
	export PRODUCTION_CONNECTION_URL
	PRODUCTION_CONNECTION_URL=$(url "$name")
	run db-drop production
	assert_status 4
	db_exists "$name"
}

@test "db-drop prod never looks at the variables of local" {
	name=$(db shop)
	use "$name"
	run db-drop prod --confirm "$name"
	assert_status 64
	assert_contains "$output" PROD_CONNECTION_URL
	db_exists "$name"
}

@test "db-drop holds a wrong --confirm against any target" {
	name=$(db shop)
	use "$name"
	run db-drop --confirm other
	assert_status 4
	db_exists "$name"
}

@test "db-drop connects to the maintenance database, not to the one it drops" {
	name=$(db shop)
	use "$name"
	mark=$(server_log_mark)
	run db-drop
	assert_status 0
	assert_equal postgres "$(server_log_since "$mark" |
		sed -n 's/.*connection authorized: .* database=\([^ ]*\) application_name=db-drop.*/\1/p')"
}

@test "two db-drop at once both succeed" {
	name=$(db shop)
	use "$name"
	start_job db-drop
	first=$JOB_PID
	start_job db-drop
	finish_job
	assert_status 0
	wait "$first"
	! db_exists "$name" || return 1
}
