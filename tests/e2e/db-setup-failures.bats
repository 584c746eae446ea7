#!/usr/bin/env bats
# db-setup where something is wrong: what forbids a reset is found before the drop, and a failure after it
# says what is left.

load helper
load setup

# --- files that are wrong: found before anything is dropped ------------------------------------

# db-setup fails and has not touched the old database.
assert_refused_before_drop() {
	local mark
	mark=$(server_log_mark)
	run db-setup
	[ "$status" -ne 0 ] || {
		echo "succeeded: $output" >&2
		return 1
	}
	refute_contains "$(server_log_since "$mark")" 'DROP DATABASE' && assert_old_database
}

@test "db-setup with a missing schema keeps the old database" {
	make_project
	old_database
	rm db/schema.sql
	assert_refused_before_drop
	assert_status 1
	assert_contains "$output" 'db/schema.sql'
}

@test "db-setup with a schema it cannot read keeps the old database" {
	make_project
	old_database
	rm db/schema.sql
	mkdir db/schema.sql
	assert_refused_before_drop
	assert_status 1
	rmdir db/schema.sql
	# Not even root can read this one.
	ln -s schema.sql db/schema.sql
	assert_refused_before_drop
	assert_status 1
	assert_contains "$output" 'db/schema.sql'
}

@test "db-setup with a seed it cannot read keeps the old database" {
	make_project
	old_database
	rm db/seed.sql
	ln -s seed.sql db/seed.sql
	assert_refused_before_drop
	assert_status 1
	assert_contains "$output" 'db/seed.sql'
}

@test "db-setup warns of an empty schema and goes on" {
	make_project
	: >db/schema.sql
	echo 'SELECT 1' >db/seed.sql
	old_database
	run db-setup
	assert_status 0
	assert_contains "$output" 'db/schema.sql'
	assert_contains "$output" 'no statement'
}

@test "db-setup with a NUL byte in a file keeps the old database and names line and column" {
	make_project
	old_database
	printf 'SELECT 1;\nSELECT \0002;\n' >>db/seed.sql
	assert_refused_before_drop
	assert_contains "$output" 'db/seed.sql:4:8:'
}

@test "db-setup with a binary or UTF-16 file keeps the old database" {
	make_project
	old_database
	head -c 4096 "$SERVER_BINDIR/postgres" >db/schema.sql
	assert_refused_before_drop
	printf '\xff\xfeS\0E\0L\0E\0C\0T\0 \0001\0;\0' >db/schema.sql
	assert_refused_before_drop
}

@test "db-setup with something unterminated keeps the old database and says where it began" {
	make_project
	old_database
	cp db/seed.sql seed
	for what in "SELECT 'open" 'SELECT "open' 'SELECT $x$ open $$' 'SELECT /* open /* */'; do
		printf '%s;\n\nSELECT 1;\n' "$what" | cat seed - >db/seed.sql
		assert_refused_before_drop
		assert_contains "$output" 'db/seed.sql:3:8:'
	done
	printf 'COPY item FROM stdin;\n9\tnine\n' | cat seed - >db/seed.sql
	assert_refused_before_drop
	assert_contains "$output" 'db/seed.sql:3:'
}

# --- scripts that fail -------------------------------------------------------------------------

@test "db-setup stops at an error in the schema: place, exit status 3, no seed, and the old database is back" {
	make_project
	printf 'SELECT 1,\n  größe::uuidd;\n' >>db/schema.sql
	old_database
	mark=$(server_log_mark)
	run db-setup
	assert_status 3
	assert_contains "$output" 'db/schema.sql:7:10: ERROR: type "uuidd" does not exist'
	assert_contains "$output" "The old database \"$name\" is back as it was."
	refute_contains "$(statements "$mark" "$name")" INSERT
	assert_old_database
}

@test "db-setup stops at an error in the seed: exit status 3, and the old database is back" {
	make_project
	echo "INSERT INTO item VALUES (5, NULL);" >>db/seed.sql
	old_database
	run db-setup
	assert_status 3
	assert_contains "$output" 'db/seed.sql:3'
	assert_contains "$output" 'null value in column "name"'
	assert_contains "$output" "The old database \"$name\" is back as it was."
	assert_old_database
}

@test "db-setup reports the file's line of a row that COPY refuses" {
	make_project
	printf 'COPY item FROM stdin;\n8\teight\nnine\tnine\n\\.\n' >>db/seed.sql
	old_database
	run db-setup
	assert_status 3
	assert_contains "$output" 'db/seed.sql:5:'
	assert_old_database
}

@test "db-setup fails when a deferred constraint fails at the end" {
	make_project
	cat >>db/schema.sql <<-'SQL'
		CREATE TABLE part (item integer REFERENCES item DEFERRABLE INITIALLY DEFERRED);
	SQL
	echo 'INSERT INTO part VALUES (99);' >>db/seed.sql
	old_database
	run db-setup
	assert_status 3
	assert_contains "$output" 'violates foreign key'
	assert_old_database
}

@test "db-setup fails when a script begins a transaction and never commits it" {
	make_project
	sed -i '1i BEGIN;' db/seed.sql
	old_database
	run db-setup
	assert_status 3
	assert_contains "$output" 'db/seed.sql:1'
	assert_old_database
}

@test "db-setup after a failed one needs no cleaning up" {
	make_project
	old_database
	echo 'SELECT nonsense;' >>db/seed.sql
	run db-setup
	assert_status 3
	sed -i '$d' db/seed.sql
	run db-setup
	assert_status 0
	assert_equal '3|two' "$(items "$name")"
}

# --- what forbids a reset is found before the drop ----------------------------------------------

@test "db-setup by a role without CREATEDB changes nothing, although it owns the database" {
	make_project
	old_database
	sql postgres "ALTER DATABASE $name OWNER TO nocreate"
	CONNECTION_URL=$(nocreate_url "$name")
	run db-setup
	assert_status 1
	assert_contains "$output" 'may not create databases'
	assert_contains "$output" 'ALTER ROLE "nocreate" CREATEDB'
	assert_old_database
}

# As the hint of the last run says, typed by a superuser.
follow_hint() {
	sql postgres "$(sed -n 's/^hint: .*: \(ALTER .*\)$/\1/p' <<<"$output")"
}

@test "db-setup of somebody else's database changes nothing" {
	make_project
	old_database
	CONNECTION_URL=$(app_url "$name")
	run db-setup
	assert_status 1
	assert_contains "$output" 'not its owner'
	assert_old_database
	follow_hint
	run db-setup
	assert_status 0
}

@test "db-setup of a template changes nothing" {
	make_project
	old_database
	sql postgres "ALTER DATABASE $name IS_TEMPLATE true"
	run db-setup
	assert_status 1
	assert_contains "$output" 'it is a template'
	assert_old_database
	follow_hint
	run db-setup
	assert_status 0
}

@test "db-setup changes nothing when a session is not the role's to end" {
	make_project
	old_database
	sql postgres "ALTER DATABASE $name OWNER TO app"
	start_session "$name" 'a superuser'
	CONNECTION_URL=$(app_url "$name")
	run db-setup
	assert_status 1
	assert_old_database
	assert_equal 1 "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE pid = $SESSION_PID")"
}

@test "db-setup refuses the maintenance databases" {
	make_project
	for name in postgres template0 template1; do
		use "$name"
		run db-setup
		assert_status 4
		run db-setup --force --confirm "$name"
		assert_status 4
	done
	assert_equal 0 "$(sql postgres "SELECT count(*) FROM pg_tables WHERE tablename = 'item'")"
}

@test "db-setup refuses 64 bytes of name and leaves the database of the first 63" {
	make_project
	long=$(db_name "$(printf 'x%.0s' {1..64})")
	long=${long:0:64}
	sql postgres "CREATE DATABASE ${long:0:63}"
	sql "${long:0:63}" 'CREATE TABLE kept ()'
	use "$long"
	run db-setup
	assert_status 64
	sql "${long:0:63}" 'SELECT FROM kept'
}

@test "db-setup refuses a URL without a database" {
	make_project
	role=$(db user)
	sql "$role" 'CREATE TABLE kept ()'
	sql postgres "CREATE ROLE $role LOGIN SUPERUSER"
	export CONNECTION_URL="postgresql://$role@/?host=$SERVER_SOCKET&port=$SERVER_PORT"
	run db-setup
	assert_status 64
	sql "$role" 'SELECT FROM kept'
}

# --- prod --------------------------------------------------------------------------------------

# The database of the target prod; sets $name.
prod_database() {
	old_database
	export PROD_CONNECTION_URL=$CONNECTION_URL
	unset CONNECTION_URL
}

@test "db-setup prod without the right --confirm changes nothing, whatever else is given" {
	make_project
	prod_database
	mark=$(server_log_mark)
	for arguments in '' --force '-f -f' '--confirm yes' '--confirm=' "--confirm=${name^^}"; do
		# shellcheck disable=SC2086 # words are meant
		run db-setup prod $arguments
		assert_status 4
		assert_contains "$output" --confirm
	done
	refute_contains "$(server_log_since "$mark")" 'DROP DATABASE'
	assert_old_database
}

@test "db-setup prod takes no consent from the environment, standard input or .env" {
	make_project
	prod_database
	for variable in CONFIRM DB_CONFIRM DBRIG_CONFIRM DBRIG_CONSENT FORCE CI; do
		export "$variable=$name"
		echo "$variable=$name" >>.env
	done
	run db-setup prod < <(yes "$name")
	assert_status 4
	assert_old_database
}

@test "db-setup prod --confirm NAME resets the database" {
	make_project
	prod_database
	run db-setup prod --confirm "$name"
	assert_status 0
	assert_equal '3|two' "$(items "$name")"
}

@test "db-setup prod --confirm NAME does not end sessions without --force" {
	make_project
	prod_database
	start_session "$name" 'a customer'
	run db-setup prod --confirm "$name"
	assert_status 1
	assert_contains "$output" 'a customer'
	assert_old_database
	assert_equal 1 "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE pid = $SESSION_PID")"
	run db-setup prod --confirm "$name" --force
	assert_status 0
	assert_equal '3|two' "$(items "$name")"
}

# --- two at once -------------------------------------------------------------------------------

# The key that db-setup locks, as it stands in pg_locks.
locked_by_setup() {
	sql postgres "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
		WHERE l.locktype = 'advisory' AND l.granted = $1 AND a.application_name = 'db-setup'"
}

@test "a second db-setup of the database waits, says for whom, and then runs" {
	make_project
	old_database
	start_session postgres gate
	echo "DO \$\$ BEGIN WHILE EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'gate')
		LOOP PERFORM pg_stat_clear_snapshot(), pg_sleep(0.02); END LOOP; END \$\$;" >>db/seed.sql
	start_job db-setup
	first=$JOB_PID
	wait_until '[ "$(locked_by_setup true)" = 1 ]'
	start_job db-setup
	wait_until 'grep -q waiting "$JOB_ERR"'
	wait_until '[ "$(locked_by_setup false)" = 1 ]'
	assert_contains "$(<"$JOB_ERR")" 'waiting: another command has database'
	assert_contains "$(<"$JOB_ERR")" 'application "db-setup"'
	sql postgres "SELECT pg_terminate_backend($SESSION_PID)"
	wait "$first"
	finish_job
	assert_status 0
	assert_equal '3|two' "$(items "$name")"
}

@test "db-setup of another database does not wait" {
	make_project
	cp -R "$PROJECT" "$TEST_DIR/slow"
	echo 'SELECT pg_sleep(60);' >>"$TEST_DIR/slow/db/seed.sql"
	use "$(db_name slow)"
	cd "$TEST_DIR/slow"
	start_job db-setup
	wait_until '[ "$(locked_by_setup true)" = 1 ]'
	cd "$PROJECT"
	name=$(db_name shop)
	use "$name"
	run db-setup
	assert_status 0
	assert_equal '3|two' "$(items "$name")"
}

@test "many db-setup at once leave the database whole" {
	make_project
	old_database
	pids=()
	for _ in 1 2 3 4; do
		start_job db-setup
		pids+=("$JOB_PID")
	done
	for JOB_PID in "${pids[@]}"; do
		finish_job
		assert_status 0
	done
	assert_equal '3|two' "$(items "$name")"
}
