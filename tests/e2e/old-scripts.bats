#!/usr/bin/env bats
# What the folder of bash-around-psql scripts that these commands replace got wrong, one test for each
# fault. The seventh (an unchecked public address in a security-group rule) is rds-update-sg-rule's and
# tested with it.

load helper

# use NAME: makes that database the target local.
use() {
	CONNECTION_URL=$(url "$1")
	export CONNECTION_URL
}

@test "1: the database's name may be part of the user's name and of the password" {
	make_project
	name=$(db_name shop)
	sql postgres "CREATE ROLE ${name}root LOGIN CREATEDB PASSWORD '/$name'"
	export CONNECTION_URL="postgresql://${name}root:%2F$name@127.0.0.1:$SERVER_PORT/$name"
	mark=$(server_log_mark)
	for _ in 1 2; do
		run db-setup
		assert_status 0
	done
	assert_equal 3 "$(sql "$name" 'SELECT count(*) FROM item')"
	assert_equal "${name}root" "$(server_log_since "$mark" |
		sed -n 's/.*connection authorized: user=\([^ ]*\) .*application_name=db-setup.*/\1/p' | sort -u)"
}

@test "1: the database's name may be part of the host" {
	make_project
	# The socket's directory ends in it.
	name=${SERVER_SOCKET##*/}
	drop_later "$name"
	export CONNECTION_URL="postgresql://postgres@/$name?host=$SERVER_SOCKET&port=$SERVER_PORT"
	run db-setup
	assert_status 0
	assert_equal 3 "$(sql "$name" 'SELECT count(*) FROM item')"
}

@test "2: a seed that violates NOT NULL fails db-seed and db-setup, with the place" {
	make_project
	echo 'INSERT INTO item (id) VALUES (9);' >>db/seed.sql
	name=$(db_name shop)
	use "$name"
	run db-setup
	assert_status 3
	assert_contains "$output" 'db/seed.sql:3'
	! db_exists "$name" || return 1
	db-create -q
	db-schema-load -q
	run db-seed
	assert_status 3
	assert_contains "$output" 'db/seed.sql:3'
	assert_equal 0 "$(sql "$name" 'SELECT count(*) FROM item')"
}

@test "2: a misspelt statement in the schema fails db-schema-load" {
	make_project
	echo 'CREATE TABEL oops ();' >>db/schema.sql
	use "$(db shop)"
	run db-schema-load
	assert_status 3
	assert_contains "$output" 'db/schema.sql:6:8'
}

@test "3: after the first failure nothing more is done" {
	make_project
	echo 'SELECT nonsense; CREATE TABLE after_it ();' >>db/schema.sql
	name=$(db_name shop)
	use "$name"
	mark=$(server_log_mark)
	run db-setup
	assert_status 3
	refute_contains "$(statements "$mark" "$name")" after_it
	refute_contains "$(statements "$mark" "$name")" INSERT
	refute_contains "$output" '== db-seed'
}

@test "3: when the old database cannot be dropped, nothing is created or loaded over it" {
	make_project
	name=$(db shop)
	sql "$name" 'CREATE TABLE kept ()'
	export CONNECTION_URL
	CONNECTION_URL=$(app_url "$name")
	mark=$(server_log_mark)
	run db-setup
	assert_status 1
	refute_contains "$(server_log_since "$mark")" 'CREATE DATABASE'
	assert_equal '' "$(statements "$mark" "$name")"
	sql "$name" 'SELECT FROM kept'
}

@test "4: db-schema-load prod does not drop production's tables without a question" {
	make_project
	name=$(db shop)
	sql "$name" "CREATE TABLE item (customer text); INSERT INTO item VALUES ('the best')"
	export PROD_CONNECTION_URL
	PROD_CONNECTION_URL=$(url "$name")
	run db-schema-load prod
	assert_status 4
	assert_contains "$output" --confirm
	assert_equal 'the best' "$(sql "$name" 'SELECT customer FROM item')"
}

@test "5: a connected IDE is named by db-drop, and neither db-drop --force nor db-setup fails for it" {
	make_project
	name=$(db shop)
	use "$name"
	start_session "$name" 'my ide'
	run db-drop
	assert_status 1
	assert_contains "$output" 'my ide'
	run db-setup
	assert_status 0
	start_session "$name" 'my ide'
	run db-drop --force
	assert_status 0
	! db_exists "$name" || return 1
}

# Processes with the text in their command line; the search must not show it itself.
command_lines_with() {
	grep -laF -f <(printf '%s\n' "$1") /proc/[0-9]*/cmdline 2>/dev/null |
		sed 's,^/proc/,,; s,/cmdline$,,'
}

@test "6: the password stands on no command line while a script runs" {
	make_project
	echo 'SELECT pg_sleep(60);' >>db/schema.sql
	name=$(db_name shop)
	# Nobody else on this machine has this one.
	password="p$RANDOM$RANDOM$RANDOM$RANDOM"
	sql postgres "CREATE ROLE $name LOGIN CREATEDB"
	"$SERVER_PSQL" -Xq -d "$(url postgres)" <<<"ALTER ROLE $name PASSWORD '$password'"
	export CONNECTION_URL="postgresql://$name:$password@127.0.0.1:$SERVER_PORT/$name"
	# The search itself finds what a script would show.
	start_job bash -c ': "$0"; sleep 60; :' "$CONNECTION_URL"
	wait_until '[ "$(command_lines_with "$password")" = "$JOB_PID" ]'
	kill -KILL "$JOB_PID"
	wait "$JOB_PID" || :
	start_job db-setup
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity
		WHERE usename = '$name' AND query LIKE '%pg_sleep%' AND state = 'active'\")\" = 1 ]"
	assert_equal '' "$(command_lines_with "$password")"
	[ -n "$(command_lines_with db-setup)" ]
}

@test "8: db-setup works from a sub-directory, for a project and a database of any name" {
	make_project
	mkdir -p 'backend/my app'
	mv "$PROJECT" "$TEST_DIR/other place"
	cd "$TEST_DIR/other place/backend/my app"
	name=$(db_name 'Any Name')
	use "$name"
	run db-setup
	assert_status 0
	assert_equal 3 "$(sql "$name" 'SELECT count(*) FROM item')"
	run db-seed
	assert_contains "$output" '../../db/seed.sql'
}
