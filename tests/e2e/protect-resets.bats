#!/usr/bin/env bats
# The mark of db-protect while a reset or a restore is at work, and after one that failed or was killed;
# what the other commands do with a database that is not complete.

load helper
load setup

setup() {
	common_setup
	export DBRIG_AGENT=0 DB_CACHE=off
	make_project
	old_database
	drop_later "$name.dbrig-old"
}

# True while a seed waits for the session "gate" to end, or sleeps.
seeding() {
	[ "$(sql postgres "SELECT count(*) FROM pg_stat_activity
		WHERE datname = '$name' AND state = 'active' AND query ~ 'pg_sleep'")" = 1 ]
}

# gated_reset [OPTION...]: a reset that lasts until open_gate; sets RESET_PID.
gated_reset() {
	start_session postgres gate
	echo "DO \$\$ BEGIN WHILE EXISTS (SELECT FROM pg_stat_activity WHERE pid = $SESSION_PID)
		LOOP PERFORM pg_stat_clear_snapshot(), pg_sleep(0.02); END LOOP; END \$\$;" >>db/seed.sql
	start_job db-setup "$@"
	RESET_PID=$JOB_PID
	wait_until seeding
}

open_gate() {
	sql postgres "SELECT pg_terminate_backend($SESSION_PID)" >/dev/null
}

# protect_waits [OPTION...]: db-protect as the last job, which waits.
protect_waits() {
	start_job db-protect "$@"
	wait_until 'grep -q "^waiting: another command has database" "$JOB_ERR" || job_ended'
	assert_contains "$(<"$JOB_ERR")" "waiting: another command has database \"$name\" (pid "
}

mark_of() {
	comment "$1" | grep -o '\[dbrig:[a-z]*protected[^]]*\]' || :
}

# --- what is not complete ----------------------------------------------------------------------

# assert_incomplete WHY HINT
assert_incomplete() {
	local command
	for command in 'db-seed -f more.sql' 'db-seed --truncate -f more.sql' 'db-schema-load -f more.sql'; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr timeout 20 $command
		assert_status 1
		assert_contains "$stderr" "error: database \"$name\" is not complete: $1; the old one is kept as \"$name.dbrig-old\""
		assert_contains "$stderr" "$2"
		assert_equal '' "$(sql "$name" "SELECT relname FROM pg_class WHERE relname = 'more'")"
	done
	run --separate-stderr timeout 20 db-connect -- -Atc 'SELECT 1234'
	assert_status 0
	assert_equal 1234 "$output"
	assert_contains "$stderr" "warning: database \"$name\" is not complete: $1; the old one is kept as \"$name.dbrig-old\""
}

@test "db-seed and db-schema-load refuse what a killed reset has left, and db-connect warns" {
	cp db/seed.sql seed
	echo 'CREATE TABLE more ()' >more.sql
	gated_reset
	assert_incomplete 'a reset is at work on it' 'Run it again when the reset is done.'
	kill -KILL "$RESET_PID"
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid IN
		(SELECT pid FROM pg_stat_activity WHERE application_name = 'db-setup' AND datname = 'postgres')\")\" = 0 ]"
	open_gate
	assert_incomplete 'a reset of it was killed' 'Run db-setup or db-create first.'
	db-create -q
	assert_old_database
	run db-seed -f more.sql
	assert_status 0
	cp seed db/seed.sql
	run db-setup
	assert_status 0
}

@test "of a database that had no predecessor nothing is said to be kept; one that was renamed is its owner's" {
	echo 'CREATE TABLE more ()' >more.sql
	db-drop -q
	gated_reset
	kill -KILL "$RESET_PID"
	run --separate-stderr db-seed -f more.sql
	assert_status 1
	assert_matches "$stderr" 'is not complete: [a-z ]*'$'\n'
	refute_contains "$stderr" 'is kept as'
	open_gate
	wait_until '! seeding'
	sql postgres "ALTER DATABASE \"$name\" RENAME TO \"$(db_name mine)\""
	use "$(db_name mine)"
	run --separate-stderr db-seed -f more.sql
	assert_status 0
}

@test "an ordinary database is asked nothing more" {
	mark=$(server_log_mark)
	echo 'SELECT 1' >more.sql
	run db-seed -f more.sql
	assert_status 0
	assert_equal "SELECT pg_catalog.shobj_description(d.oid, 'pg_database')"$'\nBEGIN\nSELECT 1\nCOMMIT' \
		"$(statements "$mark" "$name")"
}
