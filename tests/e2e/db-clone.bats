#!/usr/bin/env bats

load helper
load setup

session_lives() {
	[ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE pid = $1")" = 1 ]
}

@test "db-clone copies the contents, and prints nothing on stdout" {
	old_database
	clone=$(db_name clone)
	run --separate-stderr db-clone "$clone"
	assert_status 0
	assert_equal '' "$output"
	assert_contains "$stderr" "$clone"
	assert_equal "$(dump "$name")" "$(dump "$clone")"
	sql "$clone" "UPDATE old SET what = 'changed'"
	assert_old_database
}

@test "db-clone TARGET NEWNAME copies that target's database" {
	old_database
	export TEST_CONNECTION_URL=$CONNECTION_URL
	unset CONNECTION_URL
	run db-clone test "$(db_name clone)"
	assert_status 0
	assert_equal precious "$(sql "$(db_name clone)" 'SELECT what FROM old')"
}

@test "an existing name is an error that changes nothing" {
	old_database
	clone=$(db clone)
	sql "$clone" 'CREATE TABLE mine ()'
	run db-clone "$clone"
	assert_status 1
	assert_contains "$output" 'exists already'
	run db-clone "$name"
	assert_status 1
	assert_equal 1 "$(sql "$clone" "SELECT count(*) FROM pg_tables WHERE tablename = 'mine'")"
}

@test "names that cannot be are refused before anything is connected" {
	old_database
	mark=$(server_log_mark)
	for clone in postgres template0 template1; do
		run db-clone "$clone"
		assert_status 4
	done
	for clone in 'postgresql://bob:hunter2@h/y' 'Password=hunter2' '' "$(printf 'x%.0s' {1..64})" "$name.dbrig-new" 'x.dbrig-making-spare-12'; do
		run db-clone "$clone"
		assert_status 64
		refute_contains "$output" hunter2
	done
	run db-clone
	assert_status 64
	run db-clone local a b
	assert_status 64
	run db-clone a --url --json
	assert_status 64
	refute_contains "$(server_log_since "$mark")" 'application_name=db-clone'
}

@test "odd names are taken as they are" {
	old_database
	for word in 'a "b' "it's;--%41" 'größe/数据?'; do
		clone=$(db_name "$word")
		run --separate-stderr db-clone "$clone" --json
		assert_status 0
		assert_equal "$clone" "$(jq -r .name <<<"$output")"
		assert_equal "$clone" "$("$SERVER_PSQL" -XAtq -d "$(jq -r .url <<<"$output")" -c 'SELECT current_database()')"
	done
}

@test "--url prints one that works, without the password" {
	old_database
	sql postgres "ALTER DATABASE $name OWNER TO app"
	sql "$name" 'GRANT ALL ON old TO app'
	export CONNECTION_URL
	CONNECTION_URL=$(app_url "$name")
	clone=$(db_name clone)
	run --separate-stderr db-clone "$clone" --url
	assert_status 0
	refute_contains "$output" "$APP_PASSWORD_ENCODED"
	refute_contains "$output" s3cret
	assert_equal precious "$(PGPASSWORD=$APP_PASSWORD "$SERVER_PSQL" -XAtq -d "$output" -c 'SELECT what FROM old')"
	assert_equal app "$(sql postgres "SELECT datdba::regrole FROM pg_database WHERE datname = '$clone'")"
}

@test "--url and --json print what PGPORT, PGUSER or a service file adds" {
	old_database
	# Neither works by itself.
	printf '[main]\nhost=%s\nport=%s\nuser=postgres\ndbname=%s\noptions=-cwork_mem=5MB\n' \
		"$SERVER_SOCKET" "$SERVER_PORT" "$name" >service.conf
	export CONNECTION_URL
	CONNECTION_URL="postgresql:///$name?host=$SERVER_SOCKET_ENCODED" PGUSER=postgres PGPORT=$SERVER_PORT \
		run --separate-stderr db-clone "$(db_name one)" --url
	assert_status 0
	assert_equal "$(db_name one)" "$("$SERVER_PSQL" -XAtq -d "$output" -c 'SELECT current_database()')"
	CONNECTION_URL='postgresql://?service=main' PGSERVICEFILE=$PWD/service.conf \
		run --separate-stderr db-clone "$(db_name two)" --json
	assert_status 0
	assert_equal "$(db_name two) 5MB" "$("$SERVER_PSQL" -XAtq -d "$(jq -r .url <<<"$output")" \
		-c "SELECT current_database() || ' ' || current_setting('work_mem')")"
}

@test "sessions in the source are listed; --force ends them" {
	old_database
	start_session "$name" 'my ide'
	clone=$(db_name clone)
	run db-clone "$clone"
	assert_status 1
	assert_contains "$output" "pid $SESSION_PID"
	assert_contains "$output" --force
	session_lives "$SESSION_PID"
	! db_exists "$clone" || return 1
	run db-clone "$clone" --force
	assert_status 0
	! session_lives "$SESSION_PID" || return 1
}

@test "protected: a clone needs no confirmation, --force does" {
	old_database
	export PROD_CONNECTION_URL=$CONNECTION_URL
	unset CONNECTION_URL
	run db-clone prod "$(db_name one)"
	assert_status 0
	start_session "$name" 'my ide'
	for arguments in --force '--force --confirm yes' '--confirm yes'; do
		# shellcheck disable=SC2086 # words are meant
		run db-clone prod "$(db_name two)" $arguments
		assert_status 4
	done
	run db-clone prod "$(db_name two)" --confirm "$name"
	assert_status 1
	session_lives "$SESSION_PID"
	run db-clone prod "$(db_name two)" --confirm "$name" --force
	assert_status 0
}

@test "no mark and no comment is copied, and what is not copied is named" {
	make_project
	name=$(db_name shop)
	use "$name"
	db-setup --cache --no-spare
	sql postgres "ALTER DATABASE $name CONNECTION LIMIT 7"
	sql postgres "ALTER DATABASE $name SET work_mem = '5MB'"
	clone=$(db_name clone)
	run db-clone "$clone"
	assert_status 0
	assert_contains "$output" 'contents: settings made by ALTER DATABASE, a connection limit'
	assert_equal '' "$(sql postgres "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '$clone'")"
}

@test "a missing source and missing rights fail and make nothing" {
	old_database
	clone=$(db_name clone)
	export CONNECTION_URL
	CONNECTION_URL=$(nocreate_url "$name")
	run db-clone "$clone"
	assert_status 1
	assert_contains "$output" CREATEDB
	CONNECTION_URL=$(app_url "$name")
	run db-clone "$clone"
	assert_status 1
	use "$(db_name missing)"
	run db-clone "$clone"
	assert_status 1
	assert_contains "$output" 'does not exist'
	! db_exists "$clone" || return 1
}

@test "two clones of the same name at once: one is made, the other fails" {
	old_database
	clone=$(db_name clone)
	start_job db-clone "$clone"
	first=$JOB_PID
	start_job db-clone "$clone"
	finish_job
	other=0
	wait "$first" || other=$?
	assert_equal 1 "$((status + other))"
	assert_equal precious "$(sql "$clone" 'SELECT what FROM old')"
}

@test "a signal leaves no half of a clone" {
	old_database
	clone=$(db_name clone)
	for signal in INT TERM KILL; do
		start_job db-clone "$clone"
		sleep 0.05
		kill -"$signal" "$JOB_PID" 2>/dev/null || :
		finish_job
		wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'db-clone'\")\" = 0 ]"
		if db_exists "$clone"; then
			assert_equal precious "$(sql "$clone" 'SELECT what FROM old')"
			sql postgres "DROP DATABASE $clone"
		fi
	done
}
