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

# The reset has succeeded; sets stderr.
finish_reset() {
	finish_job
	assert_status 0
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

# --- while somebody works on it ----------------------------------------------------------------

@test "db-protect waits for a reset, and its mark is there when that is done" {
	gated_reset
	protect_waits
	open_gate
	wait "$RESET_PID"
	finish_job
	assert_status 0
	assert_contains "$stderr" "\"$name\" is protected now"
	assert_equal '3|two' "$(items "$name")"
	assert_equal '[dbrig:protected=local]' "$(mark_of "$name")"
}

@test "db-protect waits for a reset, and marks the old database when that one comes back" {
	gated_reset
	protect_waits
	kill -TERM "$RESET_PID"
	wait "$RESET_PID" || :
	finish_job
	assert_status 0
	assert_old_database
	assert_equal '[dbrig:protected=local]' "$(mark_of "$name")"
}

@test "db-protect waits for a restore, and its mark is there when that is done" {
	db-snapshot -q save one
	sql "$name" 'DROP TABLE old'
	start_session postgres holder "BEGIN; COMMENT ON DATABASE \"$(sibling snapshot)\" IS '$(comment "$(sibling snapshot)")'; SELECT pg_sleep(60)"
	start_job db-snapshot restore one
	restore=$JOB_PID
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'db-snapshot'
		AND wait_event_type = 'Lock'\")\" = 1 ]"
	protect_waits
	open_gate
	wait "$restore"
	finish_job
	assert_status 0
	assert_old_database
	assert_equal '[dbrig:protected=local]' "$(mark_of "$name")"
}

# append NAME: a mark by hand behind the comment.
append() {
	sql postgres "COMMENT ON DATABASE \"$1\" IS '$(comment "$1") [dbrig:protected=prod]'"
}

@test "what is marked by hand while a reset is at work stays so, be it the new database or the old one" {
	gated_reset
	append "$name"
	append "$name.dbrig-old"
	open_gate
	finish_reset
	assert_contains "$stderr" "database \"$name\" was marked as protected meanwhile, and stays so"
	assert_equal '3|two' "$(items "$name")"
	assert_equal '[dbrig:protected=prod]' "$(comment "$name")"
	# It is remembered as one that was marked from here is.
	sql postgres "COMMENT ON DATABASE \"$name\" IS NULL"
	run --separate-stderr db-drop
	assert_status 4
	assert_contains "$stderr" 'it was marked as that of the target "prod", and its mark is gone'
	# The old one is a snapshot with its mark.
	snapshot=$(sibling snapshot)
	assert_equal precious "$(sql postgres "ALTER DATABASE \"$snapshot\" ALLOW_CONNECTIONS true" && sql "$snapshot" 'TABLE old')"
	assert_equal '[dbrig:protected=prod]' "$(mark_of "$snapshot")"
	drop_later "$snapshot"
}

@test "an old database whose comment is written anew while a reset is at work stays, with a warning" {
	gated_reset
	sql postgres "COMMENT ON DATABASE \"$name.dbrig-old\" IS '[dbrig:protected=prod]'"
	open_gate
	finish_reset
	assert_contains "$stderr" "warning: database \"$name.dbrig-old\" stays: it had the name of the old one"
	assert_equal '3|two' "$(items "$name")"
	assert_equal precious "$(sql "$name.dbrig-old" 'TABLE old')"
}

@test "--off waits for a reset, and what it says is so when that is done" {
	db-protect -q
	gated_reset --confirm "$name"
	protect_waits --off --confirm "$name"
	open_gate
	wait "$RESET_PID"
	finish_job
	assert_status 0
	assert_contains "$stderr" 'is not protected any more'
	assert_equal '3|two' "$(items "$name")"
	assert_equal '' "$(mark_of "$name")"
}

@test "--show waits for nobody" {
	db-protect -q
	gated_reset --confirm "$name"
	run --separate-stderr timeout 20 db-protect --show
	assert_status 0
	assert_contains "$output" 'is protected: it is marked'
	assert_equal '' "$stderr"
	open_gate
	wait "$RESET_PID"
}

# --- after a reset that was killed -------------------------------------------------------------

@test "after a killed reset db-protect heals and marks the old database" {
	gated_reset
	kill -KILL "$RESET_PID"
	run --separate-stderr db-protect
	assert_status 0
	assert_contains "$stderr" "a reset of database \"$name\" was killed (process $RESET_PID of "
	assert_contains "$stderr" 'its old database is back'
	assert_contains "$stderr" "what it had made stays as \"$name.dbrig-killed-"
	assert_contains "$stderr" 'is protected now'
	assert_old_database
	assert_equal '[dbrig:protected=local]' "$(mark_of "$name")"
	run db-create
	assert_status 0
	refute_contains "$output" killed
	assert_old_database
	assert_equal '[dbrig:protected=local]' "$(mark_of "$name")"
}

@test "after a killed reset --off needs the name, heals and takes the mark of the old database" {
	db-protect -q
	gated_reset --confirm "$name"
	kill -KILL "$RESET_PID"
	# As if the mark of the new one were gone.
	sql postgres "COMMENT ON DATABASE \"$name\" IS '$(comment "$name" | sed 's/ *\[dbrig:protected[^]]*\] *//')'"
	aside="database \"$name.dbrig-old\", which a reset that was killed has put aside, is marked as that of the target \"local\""
	run --separate-stderr db-protect --show
	assert_equal "database \"$name\" is protected: $aside" "$output"
	for command in db-drop 'db-protect --off'; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr $command
		assert_status 4
		assert_contains "$stderr" "which is protected: $aside"
	done
	assert_contains "$(comment "$name")" '[dbrig:loading'
	run --separate-stderr db-protect --off --confirm "$name"
	assert_status 0
	assert_contains "$stderr" 'its old database is back'
	assert_contains "$stderr" 'is not protected any more'
	assert_old_database
	assert_equal '' "$(mark_of "$name")"
}

@test "a mark that only what a killed reset has left carries is no mark of the old database" {
	gated_reset
	kill -KILL "$RESET_PID"
	sql postgres "COMMENT ON DATABASE \"$name\" IS '$(comment "$name") [dbrig:protected=local]'"
	run --separate-stderr db-protect
	assert_status 0
	assert_contains "$stderr" 'is protected now'
	assert_old_database
	assert_equal '[dbrig:protected=local]' "$(mark_of "$name")"
	# What was left is not dropped without the name, since somebody may have gone on with it.
	killed=$(sibling killed)
	db-protect -q --off --confirm "$name"
	for command in db-drop db-setup; do
		run --separate-stderr "$command"
		assert_status 4
		assert_contains "$stderr" "database \"$killed\", which goes with it, is marked as that of the target \"local\""
	done
	db_exists "$killed"
	assert_old_database
	open_gate
	run --separate-stderr db-setup --confirm "$name"
	assert_status 0
	assert_contains "$stderr" "beside    database \"$killed\", left by a reset that was killed, marked as protected"
	assert_equal '' "$(siblings)"
}

@test "what a killed reset has left and somebody has marked since is neither put aside nor dropped" {
	gated_reset
	kill -KILL "$RESET_PID"
	open_gate
	wait_until '! seeding'
	sql "$name" 'CREATE TABLE work ()'
	sql postgres "COMMENT ON DATABASE \"$name\" IS '[dbrig:protected=prod] do not touch'"
	for command in db-create db-protect; do
		run --separate-stderr "$command"
		assert_status 0
		assert_contains "$stderr" "its old database stays aside as \"$name.dbrig-old\", since somebody has written the comment of \"$name\" anew"
		assert_equal '[dbrig:protected=prod] do not touch' "$(comment "$name")"
	done
	for command in db-drop db-setup; do
		run "$command"
		assert_status 4
	done
	sql "$name" 'SELECT FROM work'
	db-drop -q --confirm "$name"
	db-create -q
	assert_old_database
}

@test "who may not create databases marks what is whole, and nothing that is half made" {
	sql postgres "ALTER DATABASE \"$name\" OWNER TO nocreate"
	CONNECTION_URL=$(nocreate_url "$name") run --separate-stderr db-protect
	assert_status 0
	assert_equal '[dbrig:protected=local]' "$(mark_of "$name")"
	gated_reset --confirm "$name"
	kill -KILL "$RESET_PID"
	before=$(comment "$name")
	assert_contains "$before" '[dbrig:loading'
	for command in db-protect "db-protect --off --confirm $name" db-create; do
		# shellcheck disable=SC2086 # words
		CONNECTION_URL=$(nocreate_url "$name") run --separate-stderr $command
		assert_status 1
		assert_contains "$stderr" "database \"$name\" is not complete: a reset of it was killed; the old one is kept as \"$name.dbrig-old\""
		assert_contains "$stderr" 'A role that may create databases'
		assert_equal "$before" "$(comment "$name")"
		assert_equal precious "$(sql "$name.dbrig-old" 'SELECT what FROM old')"
	done
	sql postgres "DROP DATABASE \"$name\" WITH (FORCE)"
	CONNECTION_URL=$(nocreate_url "$name") run --separate-stderr db-create
	assert_status 1
	assert_contains "$stderr" "database \"$name\" does not exist: a reset of it was killed; the old one is kept as \"$name.dbrig-old\""
	assert_contains "$stderr" 'A role that may create databases'
}

# --- a database that was given up --------------------------------------------------------------

@test "--drop-first that fails says that the mark went too, and it is not missed" {
	for failure in 'SELECT nonsense;' 'COMMIT; SELECT nonsense;'; do
		db-protect -q
		cp db/schema.sql schema
		echo "$failure" >>db/schema.sql
		run --separate-stderr db-setup --drop-first --confirm "$name"
		assert_status 3
		assert_contains "$stderr" '--drop-first gave the old one up'
		assert_contains "$stderr" 'Its mark went with it: db-protect sets it again'
		cp schema db/schema.sql
		db-create -q
		run --separate-stderr db-protect --show
		assert_contains "$output" 'is not protected'
		assert_equal '' "$stderr"
	done
}

@test "--drop-first that cannot make the new database says so, and that the mark went" {
	db-protect -q
	# What is made next is nothing of dbrig's.
	sql postgres "CREATE DATABASE \"$name.dbrig-new\""
	sql postgres "COMMENT ON DATABASE \"$name.dbrig-new\" IS 'mine'"
	drop_later "$name.dbrig-new"
	run --separate-stderr db-setup --drop-first --confirm "$name"
	assert_status 1
	assert_contains "$stderr" "Database \"$name\" does not exist: --drop-first gave the old one up."
	assert_contains "$stderr" 'Its mark went with it'
	! db_exists "$name" || return 1
}

@test "a mark that nothing was lost of is not said to be, nor one that comes by itself" {
	db-protect -q
	echo 'SELECT nonsense;' >>db/schema.sql
	run --separate-stderr db-setup --confirm "$name"
	assert_status 3
	refute_contains "$stderr" 'Its mark'
	assert_equal '[dbrig:protected=local]' "$(mark_of "$name")"
	PROD_CONNECTION_URL=$CONNECTION_URL run --separate-stderr db-setup prod --drop-first --confirm "$name"
	assert_status 3
	assert_contains "$stderr" '--drop-first gave the old one up'
	refute_contains "$stderr" 'Its mark'
	PROD_CONNECTION_URL=$CONNECTION_URL db-create -q prod
	assert_equal '[dbrig:protected=prod]' "$(mark_of "$name")"
	# Of one that was never marked.
	PROD_CONNECTION_URL='' db-protect -q --off --confirm "$name"
	run --separate-stderr db-setup --drop-first
	assert_status 3
	refute_contains "$stderr" 'Its mark'
}

@test "after a killed --drop-first the next reset sets the mark again, and --show says nothing false" {
	cp db/seed.sql seed
	db-protect -q
	gated_reset --drop-first --confirm "$name"
	kill -KILL "$RESET_PID"
	# From the moment that it has the name.
	assert_equal '[dbrig:protected=local]' "$(mark_of "$name")"
	cp seed db/seed.sql
	db-setup -q --confirm "$name"
	assert_equal '[dbrig:protected=local]' "$(mark_of "$name")"
	gated_reset --drop-first --confirm "$name"
	kill -KILL "$RESET_PID"
	db-create -q
	run --separate-stderr db-protect --show
	assert_contains "$output" 'is not protected'
	assert_contains "$stderr" 'its mark is gone'
	assert_contains "$stderr" 'or the database made anew'
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

# --- schemas that write the database's comment -------------------------------------------------

@test "a schema's COMMENT ON DATABASE does not hide that the reset was killed, nor the mark" {
	db-protect -q
	echo "COMMENT ON DATABASE \"$name\" IS 'the shop';" >>db/schema.sql
	echo 'INSERT INTO item VALUES (9);' >more.sql
	gated_reset --confirm "$name"
	run --separate-stderr db-seed -f more.sql
	assert_status 1
	assert_contains "$stderr" 'a reset is at work on it'
	kill -KILL "$RESET_PID"
	wait "$RESET_PID" || :
	open_gate
	wait_until '! seeding'
	assert_equal '[dbrig:protected=local]' "$(mark_of "$name")"
	run --separate-stderr db-seed -f more.sql
	assert_status 1
	assert_contains "$stderr" 'a reset of it was killed; the old one is kept as'
	run --separate-stderr db-sessions --kill-all
	assert_status 4
	run --separate-stderr db-create
	assert_status 0
	assert_old_database
	assert_equal '[dbrig:protected=local]' "$(mark_of "$name")"
}

@test "what the schema has written as the database's comment is there when the reset is complete" {
	echo "COMMENT ON DATABASE \"$name\" IS 'the shop';" >>db/schema.sql
	db-setup
	assert_equal 'the shop' "$(comment "$name")"
	db-protect -q
	db-setup --confirm "$name"
	assert_equal 'the shop' "$(comment "$name" | sed 's/ *\[dbrig:protected=local\] *//')"
	assert_equal '[dbrig:protected=local]' "$(mark_of "$name")"
	# A mark of its own.
	db-protect -q --off --confirm "$name"
	echo "COMMENT ON DATABASE \"$name\" IS 'the shop [dbrig:protected=prod]';" >>db/schema.sql
	db-setup
	assert_equal 'the shop [dbrig:protected=prod]' "$(comment "$name")"
	run db-setup
	assert_status 4
}
