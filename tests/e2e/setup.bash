# What the tests of db-setup share.

# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables of bats and of the tests

# use NAME: makes that database the target local.
use() {
	CONNECTION_URL=$(url "$1")
	export CONNECTION_URL
}

# A database with a row that only a reset removes; sets $name.
old_database() {
	name=$(db shop)
	sql "$name" "CREATE TABLE old (what text); INSERT INTO old VALUES ('precious')"
	use "$name"
}

assert_old_database() {
	assert_equal precious "$(sql "$name" 'SELECT what FROM old')"
}

items() {
	sql "$1" 'SELECT count(*), max(name) FROM item'
}

# --- resets whose result is kept ---------------------------------------------------------------

# A project and the target local without a database; sets $name.
project() {
	make_project
	name=$(db_name shop)
	use "$name"
}

# The databases beside $name, sorted, without what is random or a hash: "spare template".
siblings() {
	sql postgres "SELECT coalesce(string_agg(regexp_replace(substr(datname, length('$name') + 8),
		'-[0-9a-f]{8}\$', ''), ' ' ORDER BY datname COLLATE \"C\"), '')
		FROM pg_database WHERE starts_with(datname, '$name.dbrig-')"
}

sibling() {
	sql postgres "SELECT datname FROM pg_database WHERE starts_with(datname, '$name.dbrig-$1')"
}

oid() {
	sql postgres "SELECT oid FROM pg_database WHERE datname = '$1'"
}

comment() {
	sql postgres "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '$1'"
}

# What db-setup leaves running has ended.
no_background() {
	[ "$(sql postgres "SELECT count(*) FROM pg_stat_activity
		WHERE application_name = 'db-setup'")" = 0 ] && [ -z "$(background_processes)" ]
}

# Processes db-setup whose environment is this test's; other tests run at the same time.
background_processes() {
	local pid
	for pid in $(pgrep -x db-setup); do
		if grep -qsF "DB_SERVER_DIR=$TEST_DIR/server" "/proc/$pid/environ"; then
			printf '%s\n' "$pid"
		fi
	done
}

settled() {
	wait_until no_background 20
}

# db_setup [OPTION...]: succeeds, and what it leaves running has ended.
db_setup() {
	run --separate-stderr db-setup "$@"
	assert_status 0 && settled
}

# Three resets: then there are a template and a spare.
warm_up() {
	db_setup "$@" && db_setup "$@" && assert_equal 'spare template' "$(siblings)"
}

# killed_setup [OPTION...]: a db-setup that was killed in the middle of its seed; $name was there before.
killed_setup() {
	old_database
	cp db/seed.sql "$TEST_DIR/seed.sql"
	echo 'SELECT pg_sleep(60);' >>db/seed.sql
	start_job db-setup "$@"
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity
		WHERE datname = '$name' AND query LIKE '%pg_sleep%'\")\" = 1 ]"
	kill -KILL "$JOB_PID"
	finish_job
	cp "$TEST_DIR/seed.sql" db/seed.sql
	assert_equal old "$(siblings)"
}
