#!/usr/bin/env bats
# Resets through a pooler whose sessions are another client's after each transaction.

load helper
load pgbouncer

setup() {
	common_setup
	make_project
	NAME=$(db_name main)
	start_pgbouncer transaction default_pool_size=3
	export CONNECTION_URL
	CONNECTION_URL=$(bouncer_url "$NAME")
}

locks_held() {
	sql postgres "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
		AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = 'postgres')"
}

# Databases of the test.
databases() {
	sql postgres "SELECT datname FROM pg_database WHERE starts_with(datname, '$NAME')"
}

@test "db-setup through a pooler leaves no lock, and the next one needs not wait" {
	for url in "$CONNECTION_URL" "$CONNECTION_URL" "$(app_url "$NAME")" "$CONNECTION_URL"; do
		CONNECTION_URL=$url run --separate-stderr timeout 20 db-setup
		assert_status 0
		refute_contains "$stderr" 'waiting:'
		wait_until '[ "$(locks_held)" = 0 ]'
	done
	refute_contains "$(databases)" .dbrig-old
	refute_contains "$(databases)" .dbrig-new
}

@test "commands through a pooler end without a lock, also those that hold several" {
	db-setup
	for command in 'db-snapshot save one' 'db-snapshot restore one' 'db-snapshot drop one' "db-clone $(db_name copy)" \
		db-create db-drop; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr timeout 20 $command
		assert_status 0
		wait_until '[ "$(locks_held)" = 0 ]'
	done
	run db_exists "$NAME"
	assert_status 1
}

@test "db-drop through a pooler is in nobody's way itself" {
	db "main" >/dev/null
	sql postgres "ALTER DATABASE \"$NAME\" OWNER TO app"
	run --separate-stderr db-drop
	assert_status 0
	run db_exists "$NAME"
	assert_status 1
}

# Starts a reset whose seed lasts two seconds, and waits until it is at it.
start_slow_reset() {
	echo "SELECT pg_sleep(2)" >db/seed.sql
	start_job db-setup
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(2)%' AND pid <> pg_backend_pid()\")\" = 1 ]"
}

@test "two resets wait for each other where one or both come through a pooler" {
	local direct first second
	direct=$(app_url "$NAME")
	for pair in "$CONNECTION_URL $CONNECTION_URL" "$direct $CONNECTION_URL" "$CONNECTION_URL $direct"; do
		read -r first second <<<"$pair"
		CONNECTION_URL=$first start_slow_reset
		echo 'SELECT 1' >db/seed.sql
		CONNECTION_URL=$second run --separate-stderr timeout 30 db-setup
		assert_status 0
		assert_contains "$stderr" 'waiting: another command has database'
		assert_contains "$stderr" 'application "db-setup"'
		job_ended
		finish_job
		assert_status 0
		wait_until '[ "$(locks_held)" = 0 ]'
	done
}

@test "db-protect waits for a reset where one or both come through a pooler" {
	local direct first second
	export DB_CACHE=off
	direct=$(app_url "$NAME")
	for pair in "$CONNECTION_URL $CONNECTION_URL" "$direct $CONNECTION_URL" "$CONNECTION_URL $direct"; do
		read -r first second <<<"$pair"
		CONNECTION_URL=$first start_slow_reset
		CONNECTION_URL=$second run --separate-stderr timeout 30 db-protect
		assert_status 0
		assert_contains "$stderr" 'waiting: another command has database'
		finish_job
		assert_status 0
		wait_until '[ "$(locks_held)" = 0 ]'
		assert_contains "$(sql postgres "SELECT shobj_description(oid, 'pg_database') FROM pg_database
			WHERE datname = '$NAME'")" '[dbrig:protected=local]'
		CONNECTION_URL=$second run timeout 30 db-protect --off --confirm "$NAME"
		assert_status 0
	done
}

@test "db-seed through a pooler refuses what a reset has not completed" {
	start_slow_reset
	echo 'CREATE TABLE more ()' >more.sql
	run --separate-stderr timeout 20 db-seed -f more.sql
	assert_status 1
	assert_contains "$stderr" 'is not complete: a reset is at work on it'
	kill -KILL "$JOB_PID"
	wait_until '[ "$(locks_held)" = 0 ]'
	run --separate-stderr timeout 20 db-seed -f more.sql
	assert_status 1
	assert_contains "$stderr" 'is not complete: a reset of it was killed'
}

@test "the lock behind a pooler goes with a reset that is killed" {
	start_slow_reset
	assert_equal 1 "$(locks_held)"
	kill -KILL "$JOB_PID"
	echo 'SELECT 1' >db/seed.sql
	CONNECTION_URL=$(app_url "$NAME") run --separate-stderr timeout 20 db-setup
	assert_status 0
	wait_until '[ "$(locks_held)" = 0 ]'
}

@test "a seed on a marked database asks nothing more of a pooler that has one session" {
	db main >/dev/null
	sql postgres "ALTER DATABASE \"$NAME\" OWNER TO app; COMMENT ON DATABASE \"$NAME\" IS '[dbrig:protected=local]'"
	start_pgbouncer session default_pool_size=1 max_db_connections=1
	CONNECTION_URL=$(bouncer_url "$NAME")
	echo 'SELECT 1;' >one.sql
	run --separate-stderr timeout 20 db-seed -f one.sql
	assert_status 0
	refute_contains "$stderr" 'is not known'
}
