#!/usr/bin/env bats
# bats file_tags=once
# Servers and connections that fail, signals, and secrets.

load helper
load faults

# --- not reachable -----------------------------------------------------------------------------

@test "a refused connection is exit status 2, names the variable, and happens once" {
	make_project
	export CONNECTION_URL=postgresql://postgres@127.0.0.1:1/shop
	for command in db-create db-drop db-setup; do
		run "$command"
		assert_status 2
		assert_contains "$output" 'postgres@127.0.0.1:1'
		assert_contains "$output" CONNECTION_URL
		assert_contains "$output" --wait
	done
}

@test "a socket that is not there is exit status 2" {
	export CONNECTION_URL="postgresql://postgres@/shop?host=$TEST_DIR"
	run db-create
	assert_status 2
	assert_contains "$output" "$TEST_DIR"
}

@test "a host that does not exist is exit status 2" {
	export CONNECTION_URL=postgresql://postgres@no-such-host.invalid/shop
	run db-create
	assert_status 2
	assert_contains "$output" no-such-host.invalid
}

@test "a server that never answers is given up after connect_timeout with exit status 2" {
	endpoint silent
	use_endpoint shop
	CONNECTION_URL+='?connect_timeout=2'
	begin=$SECONDS
	run db-create
	assert_status 2
	((SECONDS - begin < 6))
	assert_contains "$output" 'did not answer'
}

@test "--wait gives up after the time given with exit status 6" {
	export CONNECTION_URL=postgresql://postgres@127.0.0.1:1/shop
	begin=$SECONDS
	run db-create --wait=0.4
	assert_status 6
	((SECONDS - begin < 4))
	assert_contains "$output" refused
}

@test "--wait succeeds once the server has been started" {
	use_server "$FILE_SERVER"
	make_project
	name=$(db_name shop)
	use "$name"
	pg_server pause
	start_job db-setup --wait=30
	wait_until 'grep -q "^waiting" "$JOB_ERR"'
	pg_server start
	finish_job
	assert_status 0
	assert_equal 3 "$(sql "$name" 'SELECT count(*) FROM item')"
}

@test "a server that is starting up is exit status 2 without --wait and waited for with it" {
	name=$(db_name shop)
	endpoint refuse 57P03 3
	use_endpoint "$name"
	run db-create
	assert_status 2
	assert_contains "$output" --wait
	run db-create --wait
	assert_status 0
	assert_contains "$output" 'waiting: '
	db_exists "$name"
}

@test "a server with too many connections is exit status 2 without --wait and waited for with it" {
	name=$(db_name shop)
	sql postgres "CREATE ROLE $name LOGIN CREATEDB CONNECTION LIMIT 0"
	use "$name"
	CONNECTION_URL=${CONNECTION_URL/postgres@/$name@}
	run db-create
	assert_status 2
	assert_contains "$output" 'too many connections'
	start_job db-create --wait=30
	wait_until 'grep -q "^waiting" "$JOB_ERR"'
	sql postgres "ALTER ROLE $name CONNECTION LIMIT -1"
	finish_job
	assert_status 0
	db_exists "$name"
}

@test "a wrong password fails at once, with --wait too, and is not shown" {
	address=$(app_url "$(db_name shop)")
	export CONNECTION_URL=${address/$APP_PASSWORD_ENCODED/wr0ng-one}
	mark=$(server_log_mark)
	begin=$SECONDS
	run db-create -v --wait=60
	assert_status 2
	((SECONDS - begin < 4))
	assert_contains "$output" 'password authentication failed'
	refute_contains "$output" wr0ng
	assert_equal 1 "$(server_log_since "$mark" | grep -c 'FATAL:  password authentication failed')"
}

@test "any other refusal fails at once with --wait too" {
	endpoint refuse 28000 1
	use_endpoint "$(db_name shop)"
	run db-create --wait=60
	assert_status 2
	assert_contains "$output" 'not now'
}

@test "a refusal in a language that we do not know names both that it may be" {
	endpoint refuse '28000 InitializeSessionUserId Rolle »niemand« ist nicht da' 9
	use_endpoint "$(db_name shop)"
	run db-create
	assert_status 2
	assert_contains "$output" 'ist nicht da'
	assert_matches "$output" 'hint: .*"postgres".*createuser postgres .*ALTER ROLE "postgres" LOGIN'
}

# --- an unusual server -------------------------------------------------------------------------

@test "without a database postgres the commands go through template1" {
	use_server "$FILE_SERVER"
	make_project
	name=$(db_name shop)
	use "$name"
	sql template1 'ALTER DATABASE postgres RENAME TO other'
	run db-create
	created="$status $output"
	run db-setup
	reset="$status $output"
	run db-drop
	dropped="$status $output"
	sql template1 'ALTER DATABASE other RENAME TO postgres'
	assert_matches "$created" '^0 .*created'
	assert_matches "$reset" '^0 .*done'
	assert_matches "$dropped" '^0 .*dropped'
}

@test "without a database postgres two db-setup at once leave the database whole" {
	use_server "$FILE_SERVER"
	old_database
	sql template1 'ALTER DATABASE postgres RENAME TO other'
	start_job db-setup
	first=$JOB_PID
	start_job db-setup
	finish_job
	second=$status
	wait "$first" && first=0 || first=$?
	sql template1 'ALTER DATABASE other RENAME TO postgres'
	# The one that waits is in the way of a CREATE DATABASE, which may then fail; never both.
	assert_matches "$first $second" '^(0 [01]|1 0)$'
	assert_equal 3 "$(sql "$name" 'SELECT count(*) FROM item')"
}

@test "db-drop names a prepared transaction, which --force cannot clear, and ends no session" {
	use_server "$FILE_SERVER"
	old_database
	sql "$name" "BEGIN; INSERT INTO old VALUES ('x'); PREPARE TRANSACTION 'it''s mine'"
	start_session "$name" 'my ide'
	run db-drop --force
	forced="$status $output"
	alive=$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE pid = $SESSION_PID")
	let_go
	run db-drop
	plain="$status $output"
	sql "$name" "ROLLBACK PREPARED 'it''s mine'"
	assert_matches "$forced" "^1 .*ROLLBACK PREPARED 'it''s mine'"
	assert_matches "$plain" "^1 .*ROLLBACK PREPARED 'it''s mine'"
	assert_equal 1 "$alive"
	assert_old_database
	run db-drop
	assert_status 0
}

@test "db-setup changes nothing where a prepared transaction is in the way" {
	use_server "$FILE_SERVER"
	old_database
	sql "$name" "BEGIN; INSERT INTO old VALUES ('x'); PREPARE TRANSACTION 'left'"
	start_session "$name" 'my ide'
	run db-setup
	alive=$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE pid = $SESSION_PID")
	sql "$name" "ROLLBACK PREPARED 'left'"
	assert_status 1
	assert_contains "$output" "ROLLBACK PREPARED 'left'"
	assert_equal 1 "$alive"
	assert_old_database
}

# --- lost on the way ---------------------------------------------------------------------------

@test "a connection ended in mid-load is exit status 2 and says what is left" {
	old_database
	echo 'SELECT pg_sleep(60);' >>db/schema.sql
	start_job db-setup
	wait_until 'running %pg_sleep%'
	sql postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE application_name = 'db-setup' AND datname = '$name'"
	finish_job
	assert_status 2
	assert_contains "$stderr" 'terminating connection'
	assert_contains "$stderr" "The old database \"$name\" is back as it was."
	assert_old_database
}

@test "a server stopped in mid-load is exit status 2, and the next db-create brings the old database back" {
	use_server "$FILE_SERVER"
	old_database
	echo 'SELECT pg_sleep(60);' >>db/seed.sql
	start_job db-setup
	wait_until 'running %pg_sleep%'
	pg_server pause
	finish_job
	assert_status 2
	pg_server start
	assert_equal 1 "$(grep -c 'waiting up to 10 s for the server' <<<"$stderr")"
	assert_contains "$stderr" "kept as \"$name.dbrig-old\""
	run db-create
	assert_status 0
	assert_contains "$output" 'its old database is back'
	assert_old_database
}

@test "a server that starts anew in mid-load brings the old database back at once" {
	use_server "$FILE_SERVER"
	old_database
	echo 'SELECT pg_sleep(60);' >>db/seed.sql
	start_job db-setup
	wait_until 'running %pg_sleep%'
	pg_server pause
	pg_server start
	finish_job
	assert_status 2
	assert_contains "$stderr" 'is back as it was'
	assert_old_database
}

@test "a connection that breaks in mid-COPY is exit status 2, and the old database is back" {
	old_database
	printf 'COPY item FROM stdin;\n7\tseven\n8\tunlucky\n\\.\n' >>db/seed.sql
	endpoint cut unlucky
	use_endpoint "$name"
	run db-setup
	assert_status 2
	assert_contains "$output" lost
	assert_old_database
}

@test "a connection that breaks after COMMIT was sent is reported as an unknown outcome" {
	old_database
	rm db/seed.sql
	endpoint swallow "SET SESSION AUTHORIZATION"
	use_endpoint "$name"
	run db-setup
	assert_status 2
	# Whatever became of it, that database is gone.
	refute_contains "$output" unknown
	assert_contains "$output" 'is back as it was'
	assert_old_database
	run db-schema-load
	assert_status 2
	assert_contains "$output" unknown
}

@test "a connection that breaks before the new database gets its name leaves the old one" {
	old_database
	endpoint cut 'ALTER DATABASE'
	use_endpoint "$name"
	run db-setup
	assert_status 2
	assert_old_database
}

@test "a connection that breaks after the DROP was sent is reported as an unknown outcome" {
	old_database
	endpoint swallow 'DROP DATABASE'
	use_endpoint "$name"
	run db-drop
	assert_status 2
	assert_contains "$output" unknown
}

@test "a connection that breaks after the renaming was sent: the next command brings the old database back" {
	old_database
	endpoint swallow 'ALTER DATABASE'
	use_endpoint "$name"
	run db-setup
	assert_status 2
	assert_contains "$output" unknown
	use "$name"
	run db-create
	assert_status 0
	assert_old_database
	assert_equal 0 "$(sql postgres "SELECT count(*) FROM pg_database WHERE datname LIKE '$name.dbrig-old'")"
}

@test "a connection that breaks after the CREATE was sent leaves the old database" {
	old_database
	endpoint swallow 'CREATE DATABASE'
	use_endpoint "$name"
	run db-setup
	assert_status 2
	assert_contains "$output" "The old database \"$name\" is as it was."
	assert_old_database
}

# --- last: the file's server is no use afterwards ------------------------------------------------

@test "on a read-only standby db-create, db-drop and db-setup fail, name the reason and change nothing" {
	use_server "$FILE_SERVER"
	old_database
	sql postgres CHECKPOINT
	pg_server standby
	for command in 'db-drop --force' db-setup; do
		# shellcheck disable=SC2086 # words are meant
		run $command
		assert_status 1
		assert_contains "$output" standby
		assert_contains "$output" primary
	done
	use "$(db_name new)"
	run db-create
	assert_status 1
	assert_contains "$output" primary
	assert_old_database
	use_server "$SUITE_SERVER"
}
