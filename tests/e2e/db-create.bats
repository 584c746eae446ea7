#!/usr/bin/env bats

load helper

# use NAME: makes that database the target local.
use() {
	CONNECTION_URL=$(url "$1")
	export CONNECTION_URL
}

# oid NAME: stays the same as long as nobody drops the database.
oid() {
	sql postgres "SELECT oid FROM pg_database WHERE datname = '${1//\'/\'\'}'"
}

@test "db-create creates the database and prints nothing on stdout" {
	name=$(db_name shop)
	use "$name"
	run --separate-stderr db-create
	assert_status 0
	assert_equal '' "$output"
	assert_contains "$stderr" "== db-create"
	db_exists "$name"
}

@test "db-create leaves an existing database as it is, says so and succeeds" {
	name=$(db shop)
	sql "$name" 'CREATE TABLE kept ()'
	before=$(oid "$name")
	use "$name"
	run --separate-stderr db-create
	assert_status 0
	assert_contains "$stderr" 'already exists'
	assert_equal "$before" "$(oid "$name")"
	sql "$name" 'SELECT FROM kept'
}

@test "db-create takes every name as it is: quotes, blanks, case, Unicode, URL characters" {
	for word in 'Upper and "quoted"' "it's;--" 'größe 数据' '%41/b?c=d&e#f' 'u@h:1\2$$'; do
		name=$(db_name "$word")
		use "$name"
		run db-create
		assert_status 0
		assert_equal "$name" "$(sql "$name" 'SELECT current_database()')"
	done
}

@test "db-create and db-drop take a name with a line break" {
	name=$(db_name $'line\nbreak')
	use "$name"
	run db-create
	assert_status 0
	db_exists "$name"
	run db-drop
	assert_status 0
	! db_exists "$name" || return 1
}

@test "db-create takes a name that looks like a conninfo" {
	name="dbname=$(db_name x)"
	use "$name"
	run db-create
	assert_status 0
	db_exists "$name"
}

@test "a connection string is no name of a database to db-create and db-setup" {
	make_project
	use 'password=hunter2'
	mark=$(server_log_mark)
	for command in db-create db-setup; do
		run "$command"
		assert_status 64
		assert_contains "$output" 'A name is wanted here, not a URL'
		refute_contains "$output" hunter2
	done
	refute_contains "$(server_log_since "$mark")" "application_name=db-"
}

@test "db-create takes 63 bytes of name" {
	name=$(db_name "$(printf 'x%.0s' {1..63})")
	name=${name:0:63}
	use "$name"
	run db-create
	assert_status 0
	db_exists "$name"
}

@test "db-create refuses 64 bytes of name, which the server would cut" {
	mark=$(server_log_mark)
	for letter in x ü; do
		name=$(db_name "$(printf "$letter%.0s" {1..64})")
		while [ "$(printf %s "$name" | wc -c)" -gt 64 ]; do
			name=${name%?}
		done
		[ "$(printf %s "$name" | wc -c)" -eq 64 ] || name+=y
		use "$name"
		run db-create
		assert_status 64
		assert_contains "$output" '64 bytes'
	done
	refute_contains "$(server_log_since "$mark")" 'CREATE DATABASE'
	assert_equal 0 "$(sql postgres \
		"SELECT count(*) FROM pg_database WHERE datname LIKE '$(db_name '')%'")"
}

@test "db-create refuses a URL that names no database" {
	for address in "postgresql://postgres@127.0.0.1:$SERVER_PORT" \
		"postgresql://postgres@127.0.0.1:$SERVER_PORT/" "host=127.0.0.1 port=$SERVER_PORT user=postgres"; do
		export CONNECTION_URL=$address
		mark=$(server_log_mark)
		run db-create
		assert_status 64
		assert_contains "$output" 'CONNECTION_URL names no database'
		refute_contains "$(server_log_since "$mark")" 'connection received'
	done
}

@test "db-create logs in with a user and a password that hold the database's name and @ : / # %" {
	name=$(db_name shop)
	role="${name}@:/#% $name"
	sql postgres "CREATE ROLE \"$role\" LOGIN CREATEDB PASSWORD '/$name@:/#%?$name'"
	export CONNECTION_URL
	CONNECTION_URL="postgresql://$(encode "$role"):$(encode "/$name@:/#%?$name")@127.0.0.1:$SERVER_PORT/$name"
	run db-create
	assert_status 0
	assert_equal "$role" "$(sql postgres \
		"SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = '$name'")"
}

@test "db-create gives the database the owner, template, encoding and locale asked for" {
	name=$(db_name shop)
	use "$name"
	run db-create --owner=app --template=template0 --encoding=SQL_ASCII --locale=C
	assert_status 0
	assert_equal 'app|SQL_ASCII|C|C' "$(sql postgres "SELECT pg_get_userbyid(datdba),
		pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database
		WHERE datname = '$name'")"
}

@test "db-create copies the template asked for" {
	template=$(db 'my "template"')
	sql "$template" 'CREATE TABLE copied ()'
	name=$(db_name shop)
	use "$name"
	run db-create -T "$template"
	assert_status 0
	sql "$name" 'SELECT FROM copied'
}

@test "db-create quotes the values of its options" {
	name=$(db_name shop)
	use "$name"
	run db-create --owner 'app" TEMPLATE "template0' --encoding "x' OWNER app --"
	assert_status 1
	assert_contains "$output" "x' OWNER app -- is not a valid encoding name"
	run db-create --owner 'app" TEMPLATE "template0'
	assert_status 1
	assert_contains "$output" 'role "app" TEMPLATE "template0" does not exist'
	! db_exists "$name" || return 1
}

@test "db-create fails for a role that may not create databases" {
	name=$(db_name shop)
	export CONNECTION_URL
	CONNECTION_URL=$(nocreate_url "$name")
	run db-create
	assert_status 1
	assert_contains "$output" 'permission denied'
	! db_exists "$name" || return 1
}

@test "db-create names a half dropped database instead of calling it there" {
	name=$(db shop)
	sql postgres "UPDATE pg_database SET datconnlimit = -2 WHERE datname = '$name'"
	use "$name"
	run db-create
	assert_status 1
	assert_contains "$output" 'invalid'
	assert_contains "$output" 'db-drop'
	assert_equal -2 "$(sql postgres "SELECT datconnlimit FROM pg_database WHERE datname = '$name'")"
}

@test "db-create waits for somebody who is using the template for a moment" {
	start_session template1
	name=$(db_name shop)
	use "$name"
	start_job db-create
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity
		WHERE application_name = 'db-create' AND query LIKE 'CREATE DATABASE%' AND state = 'active'\")\" = 1 ]"
	sql postgres "SELECT pg_terminate_backend($SESSION_PID)"
	finish_job
	assert_status 0
	db_exists "$name"
}

@test "db-create is not held up by users of template1 when told to copy template0" {
	start_session template1
	name=$(db_name shop)
	use "$name"
	run db-create --template template0
	assert_status 0
	db_exists "$name"
}

@test "several db-create at once all succeed" {
	name=$(db_name shop)
	use "$name"
	pids=()
	for _ in 1 2 3 4; do
		start_job db-create
		pids+=("$JOB_PID")
	done
	for JOB_PID in "${pids[@]}"; do
		finish_job
		assert_status 0
	done
	db_exists "$name"
}

@test "db-create connects once, to the maintenance database" {
	name=$(db_name shop)
	use "$name"
	mark=$(server_log_mark)
	run db-create
	assert_status 0
	assert_equal postgres "$(server_log_since "$mark" |
		sed -n 's/.*connection authorized: .* database=\([^ ]*\) application_name=db-create.*/\1/p')"
}

@test "db-create connects to the maintenance database it is told" {
	other=$(db other)
	name=$(db_name shop)
	use "$name"
	mark=$(server_log_mark)
	run db-create --maintenance-db "$other"
	assert_status 0
	assert_contains "$(statements "$mark" "$other")" "CREATE DATABASE \"$name\""
}

@test "db-create needs no confirmation on prod" {
	name=$(db_name shop)
	export PROD_CONNECTION_URL
	PROD_CONNECTION_URL=$(url "$name")
	run db-create prod
	assert_status 0
	db_exists "$name"
}

@test "db-create needs no project and no HOME" {
	name=$(db_name shop)
	use "$name"
	unset HOME
	cd /
	run db-create
	assert_status 0
	db_exists "$name"
}

@test "db-create -e shows the SQL it sends" {
	name=$(db_name shop)
	use "$name"
	run --separate-stderr db-create -e
	assert_status 0
	assert_contains "$stderr" "CREATE DATABASE \"$name\""
}

@test "db-create -q says nothing" {
	name=$(db_name shop)
	use "$name"
	run db-create -q
	assert_status 0
	assert_equal '' "$output"
	db_exists "$name"
}
