#!/usr/bin/env bats
# bats file_tags=slow,once
# Resets where somebody else has had a hand in it: databases that were renamed, made anew or worked in
# meanwhile, clients that come in, circumstances that change.

load helper
load setup

setup() {
	common_setup
	unset CI DB_CACHE
}

rename() {
	sql postgres "ALTER DATABASE \"$1\" RENAME TO \"$2\""
}

# --- databases that are somebody's ---------------------------------------------------------------

@test "a database that was renamed is nobody's but the user's" {
	project
	db_setup
	backup=$(db_name backup)
	rename "$name" "$backup"
	run db-drop -v
	assert_status 0
	assert_equal '3|two' "$(items "$backup")"
	db_setup
	db_setup
	db-drop
	assert_equal '3|two' "$(items "$backup")"
	# Under its new name it can be reset like any other.
	use "$backup"
	db_setup
	assert_equal '3|two' "$(items "$backup")"
}

@test "an old database that the user has rescued under another name stays" {
	make_project
	killed_setup
	rescued=$(db_name rescued)
	rename "$name.dbrig-old" "$rescued"
	sql postgres "DROP DATABASE \"$name\" WITH (FORCE)"
	sql postgres "CREATE DATABASE \"$name\""
	db_setup
	db-drop
	assert_equal precious "$(sql "$rescued" 'SELECT what FROM old')"
}

@test "a spare that was renamed or opened is not taken" {
	project
	warm_up
	mine=$(db_name mine)
	rename "$(sibling spare)" "$mine"
	sql postgres "ALTER DATABASE \"$mine\" ALLOW_CONNECTIONS true"
	sql "$mine" "CREATE TABLE work ()"
	db_setup
	sql "$mine" 'SELECT FROM work'
	sql postgres "ALTER DATABASE \"$(sibling spare)\" ALLOW_CONNECTIONS true"
	sql "$(sibling spare)" "CREATE TABLE work ()"
	db_setup
	assert_equal item "$(sql "$name" "SELECT string_agg(tablename, ' ') FROM pg_tables
		WHERE schemaname = 'public'")"
}

@test "a database that is marked while its successor is made is not replaced without its name" {
	project
	warm_up
	sql postgres "DROP DATABASE \"$(sibling spare)\""
	sql "$name" 'CREATE TABLE work ()'
	start_session postgres holder "BEGIN; COMMENT ON DATABASE \"$(sibling template)\" IS '$(comment "$(sibling template)")'; SELECT pg_sleep(60)"
	start_job db-setup
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity
		WHERE query LIKE 'CREATE DATABASE%$name%' AND wait_event_type = 'Lock'\")\" = 1 ]"
	sql postgres "COMMENT ON DATABASE \"$name\" IS 'mine [dbrig:protected=prod]'"
	sql postgres "SELECT pg_terminate_backend($SESSION_PID)"
	finish_job
	assert_status 4
	assert_contains "$stderr" 'it was marked as protected while the new one was made'
	assert_contains "$stderr" "The old database \"$name\" is as it was."
	assert_equal 'mine [dbrig:protected=prod]' "$(comment "$name")"
	sql "$name" 'SELECT FROM work'
}

@test "a comment that only talks of a mark renames nothing" {
	project
	notes=$(db notes)
	sql postgres "COMMENT ON DATABASE \"$notes\" IS 'was [dbrig:old of=$name] until June'"
	run db-create
	assert_status 0
	assert_contains "$output" "created database \"$name\""
	db_exists "$notes"
}

@test "what another role gives the name of an old one takes no database's place" {
	make_project
	old_database
	other=$(db_name other)
	sql postgres "CREATE ROLE \"$other\""
	sql postgres "CREATE DATABASE \"$name.dbrig-old\" OWNER \"$other\""
	drop_later "$name.dbrig-old"
	sql postgres "COMMENT ON DATABASE \"$name.dbrig-old\" IS '[dbrig:old of=$name oid=$(oid "$name") pid=1]'"
	for mark in '[dbrig:protected=prod]' "[dbrig:loading of=$name pid=1]"; do
		sql postgres "COMMENT ON DATABASE \"$name\" IS '$mark'"
		run db-create
		assert_status 0
		assert_contains "$output" "it belongs to role \"$other\""
		assert_old_database
	done
}

@test "an old database whose name was given away is kept as a snapshot, and by db-drop" {
	make_project
	killed_setup
	give_away() {
		sql postgres "DROP DATABASE \"$name\" WITH (FORCE)"
		sql postgres "CREATE DATABASE \"$name\""
	}
	give_away
	run db-drop
	assert_status 0
	db-create
	assert_old_database
	killed_setup_here() {
		echo 'SELECT pg_sleep(60);' >>db/seed.sql
		start_job db-setup
		wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity
			WHERE datname = '$name' AND query LIKE '%pg_sleep%'\")\" = 1 ]"
		kill -KILL "$JOB_PID"
		finish_job
		cp "$TEST_DIR/seed.sql" db/seed.sql
	}
	killed_setup_here
	give_away
	run db-setup
	assert_status 0
	snapshot=$(sed -n 's/.*kept as snapshot "\([^"]*\)".*/\1/p' <<<"$output")
	settled
	db-snapshot restore "$snapshot"
	assert_old_database
}

@test "a database of somebody else's in the place of ours stays" {
	make_project
	old_database
	sql postgres "ALTER DATABASE \"$name\" OWNER TO app"
	sql postgres "CREATE DATABASE \"$name.dbrig-new\" OWNER nocreate"
	drop_later "$name.dbrig-new"
	CONNECTION_URL=$(app_url "$name") run db-setup --no-cache
	assert_status 1
	assert_contains "$output" "database \"$name.dbrig-new\" is in the way"
	assert_contains "$output" 'It belongs to role "nocreate"'
	assert_contains "$output" 'Nothing was changed.'
	gone=$(db gone)
	sql postgres "ALTER DATABASE \"$gone\" OWNER TO app"
	sql postgres "CREATE DATABASE \"$gone.dbrig-new\" OWNER nocreate"
	drop_later "$gone.dbrig-new"
	CONNECTION_URL=$(app_url "$gone") run db-drop
	assert_status 0
	assert_contains "$output" "database \"$gone.dbrig-new\", kept for resets, is not dropped: it belongs to role \"nocreate\""
	db_exists "$gone.dbrig-new"
	sql postgres "COMMENT ON DATABASE \"$name.dbrig-new\" IS 'accounting'"
	run db-setup --no-cache
	assert_status 1
	assert_contains "$output" 'is in the way'
	db_exists "$name.dbrig-new"
	assert_old_database
	rename "$name.dbrig-new" "$name.dbrig-old"
	sql postgres "COMMENT ON DATABASE \"$name.dbrig-old\" IS '[dbrig:protected=prod]'"
	run --separate-stderr db-setup --no-cache
	assert_status 1
	assert_contains "$stderr" "database \"$name.dbrig-old\" is in the way"
	assert_contains "$stderr" 'It is protected: it is marked as that of the target "prod".'
	assert_contains "$stderr" 'Nothing was changed.'
	sql postgres "$(sed -n 's/^hint: .*: \(ALTER DATABASE .*\)\. If.*/\1/p' <<<"$stderr")"
	drop_later "${name}_kept"
	db-setup -q --no-cache
	db_exists "${name}_kept"
}

@test "names of what is kept are no targets" {
	project
	warm_up
	db-snapshot save first
	CONNECTION_URL=$(url "$(sibling template)")
	for command in db-setup db-drop db-create 'db-snapshot save x'; do
		# shellcheck disable=SC2086 # words are meant
		run $command
		assert_status 4
		assert_contains "$output" .dbrig-
	done
	use "$name"
	for command in db-setup db-drop db-create; do
		DB_NAME_SUFFIX=.dbrig-new run "$command"
		assert_status 4
	done
	assert_equal 'snapshot spare template' "$(siblings)"
}

@test "resets through different maintenance databases wait for each other" {
	make_project
	old_database
	echo 'SELECT pg_sleep(1);' >>db/seed.sql
	start_job db-setup --no-cache
	first=$JOB_PID
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity
		WHERE datname = '$name' AND query LIKE '%pg_sleep%'\")\" = 1 ]"
	run db-setup --no-cache --maintenance-db template1
	assert_status 0
	refute_contains "$output" killed
	assert_contains "$output" waiting
	wait "$first"
	assert_equal '3|two' "$(items "$name")"
	run db-setup --maintenance-db "$name"
	assert_status 64
}

@test "a schema that makes the database itself and then fails leaves the old one" {
	make_project
	old_database
	cat >db/schema.sql <<-SQL
		\\connect postgres
		DROP DATABASE "$name" WITH (FORCE);
		CREATE DATABASE "$name";
		\\connect "$name"
		CREATE TABLE item (id integer);
		SELECT nonsense;
	SQL
	for _ in 1 2; do
		run db-setup
		[ "$status" -ne 0 ]
		assert_contains "$output" 'is back as it was'
		assert_old_database
	done
}

@test "a schema may make the database itself; one that only drops it fails, and the old one is back" {
	make_project
	old_database
	cp db/schema.sql table.sql
	printf '\\connect postgres\nDROP DATABASE "%s";\nCREATE DATABASE "%s";\n\\connect "%s"\n' \
		"$name" "$name" "$name" | cat - table.sql >db/schema.sql
	run db-setup
	assert_status 0
	assert_equal '3|two' "$(items "$name")"
	sql "$name" "CREATE TABLE old (what text); INSERT INTO old VALUES ('precious')"
	printf '\\connect postgres\nDROP DATABASE "%s";\n' "$name" >db/schema.sql
	run db-setup
	[ "$status" -ne 0 ]
	assert_contains "$output" "\"$name\" does not exist"
	assert_contains "$output" 'is back as it was'
	assert_old_database
}

@test "what a killed reset has left takes no connections, and says what puts it right" {
	make_project
	killed_setup
	run db-seed
	assert_status 2
	assert_contains "$output" 'db-create'
	run db-create
	assert_status 0
	assert_old_database
}

@test "db-create drops no work done in what a killed reset has left" {
	make_project
	killed_setup --no-cache
	sql "$name" "CREATE TABLE work AS SELECT 'mine' AS what"
	run db-create
	assert_status 0
	assert_contains "$output" "$(sibling killed)"
	assert_old_database
	assert_equal mine "$(sql "$(sibling killed)" 'SELECT what FROM work')"
}

# --- who comes in ----------------------------------------------------------------------------------

@test "rows of a client that comes in while a reset is loading are not kept for later resets" {
	project
	echo 'CREATE TABLE visit (who text); SELECT pg_sleep(0.7);' >>db/schema.sql
	echo 'SELECT pg_sleep(0.7);' >>db/seed.sql
	db_setup --no-cache
	hammer
	run db-setup
	assert_status 0
	assert_contains "$output" 'kept a copy'
	assert_equal 0 "$(visits_in_the_copy)"
}

# hammer: a job that writes into $name's table visit again and again, whenever it can.
hammer() {
	start_job sh -c 'while :; do "$0" -XAtqd "$1" -c "INSERT INTO visit VALUES (1)"; done >/dev/null 2>&1' \
		"$SERVER_PSQL" "$CONNECTION_URL"
}

# The rows of visit after an unchanged reset that took a copy.
visits_in_the_copy() {
	kill -KILL "$JOB_PID"
	settled
	sql postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$name'" >/dev/null
	db_setup "$@" || return
	assert_contains "$stderr" 'nothing has changed' || return
	sql "$name" 'SELECT count(*) FROM visit'
}

@test "nor are they when the seed cannot be kept, with --cached-seed, or when the role has settings" {
	project
	role=$(db_name role)
	sql postgres "CREATE ROLE $role LOGIN SUPERUSER"
	export CONNECTION_URL=${CONNECTION_URL/postgres@/$role@}
	echo 'CREATE TABLE visit (who text); SELECT pg_sleep(0.7);' >>db/schema.sql
	echo "ALTER ROLE $role CONNECTION LIMIT 50;" >>db/seed.sql
	db_setup --no-cache
	hammer
	db-setup
	assert_equal 0 "$(visits_in_the_copy)"
	echo "INSERT INTO item VALUES (9, now()); SELECT pg_sleep(0.5);" >db/seed.sql
	hammer
	db-setup --cached-seed
	assert_equal 0 "$(visits_in_the_copy --cached-seed)"
	sql postgres "ALTER ROLE $role SET work_mem = '8MB'"
	echo "SELECT pg_sleep(0.5);" >db/seed.sql
	hammer
	db-setup
	assert_equal 0 "$(visits_in_the_copy)"
	db-drop -f
	sql postgres "DROP ROLE $role"
}

@test "sessions that may not be ended are found before anything is made" {
	project
	export PROD_CONNECTION_URL=$CONNECTION_URL
	db_setup prod --confirm "$name"
	start_session "$name" 'a customer'
	mark=$(server_log_mark)
	run db-setup prod --confirm "$name"
	assert_status 1
	assert_contains "$output" 'a customer'
	refute_contains "$(server_log_since "$mark")" 'CREATE DATABASE'
	refute_contains "$output" 'too late'
}

@test "an idle_session_timeout does not end a reset that loads longer" {
	[ "$SERVER_VERSION" -ge 14 ] || return 0
	project
	role=$(db_name role)
	sql postgres "CREATE ROLE $role LOGIN CREATEDB; ALTER ROLE $role SET idle_session_timeout = '300ms'"
	export CONNECTION_URL=${CONNECTION_URL/postgres@/$role@}
	echo 'SELECT pg_sleep(1);' >>db/schema.sql
	run db-setup --no-spare
	assert_status 0
	assert_equal '3|two' "$(items "$name")"
	db-drop -f
	sql postgres "DROP ROLE $role"
}

@test "a subscription in the old database is named, and nothing is changed" {
	make_project
	old_database
	sql "$name" "CREATE SUBSCRIPTION ${name}_s CONNECTION 'dbname=x' PUBLICATION p
		WITH (connect = false, enabled = false, slot_name = NONE, create_slot = false)" 2>/dev/null
	run db-setup
	sql "$name" "DROP SUBSCRIPTION ${name}_s"
	assert_status 1
	assert_contains "$output" "DROP SUBSCRIPTION ${name}_s"
	assert_old_database
	assert_equal '' "$(siblings)"
}

# --- circumstances -----------------------------------------------------------------------------------

@test "--cached-seed keeps data of a schema that vary only for who asks for them" {
	project
	echo 'CREATE TABLE made AS SELECT clock_timestamp() AS at;' >>db/schema.sql
	at() {
		sql "$name" 'SELECT at FROM made'
	}
	db_setup --cached-seed
	first=$(at)
	db_setup --cached-seed
	assert_contains "$stderr" 'data that vary are those of'
	assert_equal "$first" "$(at)"
	db_setup
	[ "$first" != "$(at)" ]
}

@test "another client encoding is another result" {
	project
	echo "INSERT INTO item VALUES (4, 'é');" >>db/seed.sql
	length() {
		sql "$name" 'SELECT length(name) FROM item WHERE id = 4'
	}
	warm_up
	assert_equal 1 "$(length)"
	PGCLIENTENCODING=LATIN1 db_setup
	assert_equal 2 "$(length)"
	CONNECTION_URL+='&client_encoding=LATIN1' db_setup
	assert_equal 2 "$(length)"
	db_setup
	assert_equal 1 "$(length)"
}

@test "without a spare nothing is left running or to be dropped" {
	make_project
	old_database
	sql "$name" "CREATE TABLE filler AS SELECT repeat('x', 1000) FROM generate_series(1, 50000)"
	for kept in '' template; do
		mark=$(server_log_mark)
		CI=1 run db-setup
		no_background
		assert_status 0
		assert_equal "$kept" "$(siblings)"
		# Who has put the old database aside has dropped it.
		assert_equal "DROP RENAME" "$(changes_since "$mark" | cut -d' ' -f2 | xargs)"
		assert_equal 1 "$(changes_since "$mark" | cut -d' ' -f1 | sort -u | wc -l)"
	done
}

# changes_since MARK: "PROCESS WORD" for each kind of change that was made to databases.
changes_since() {
	server_log_since "$1" |
		sed -n -E 's/.* \[([0-9]+)\] .*app=db-setup .*statement: .*(DROP|RENAME).*/\1 \2/p' | sort -u
}

@test "after a reset that failed on a spare there is a spare again" {
	project
	# Run each time, since it varies.
	echo "INSERT INTO item VALUES (4, now());" >>db/seed.sql
	warm_up
	sed -i 's/now()/nonsense/' db/seed.sql
	run db-setup
	assert_status 3
	settled
	assert_equal 'spare template' "$(siblings)"
	assert_equal 4 "$(sql "$name" 'SELECT count(*) FROM item')"
}

@test "an address in PGHOSTADDR decides whether the server is on this machine" {
	project
	warm_up
	PGHOSTADDR=192.0.2.1 run db-setup --cached-seed
	assert_contains "$output" '--cached-seed has no effect'
}

@test "limits of a role are no limits for making and dropping databases" {
	project
	role=$(db_name role)
	sql postgres "CREATE ROLE $role LOGIN CREATEDB; ALTER ROLE $role SET statement_timeout = '2ms';
		ALTER ROLE $role SET lock_timeout = '1ms'"
	export CONNECTION_URL=${CONNECTION_URL/postgres@/$role@}
	printf 'SET statement_timeout = 0;\n%s\n' "$(<db/schema.sql)" >db/schema.sql
	: >db/seed.sql
	run db-setup
	assert_status 0
	settled
	db-drop -f
	sql postgres "DROP ROLE $role"
}

@test "a database that is dropped while its spare is being made leaves nothing" {
	project
	warm_up
	# The copy waits for whoever is changing the template.
	start_session postgres holder "BEGIN; COMMENT ON DATABASE \"$(sibling template)\" IS '$(comment "$(sibling template)")'; SELECT pg_sleep(60)"
	db-setup
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'db-setup'
		AND query LIKE 'CREATE DATABASE%'\")\" = 1 ]"
	start_job db-drop
	wait_until "! db_exists '$name'"
	sql postgres "SELECT pg_terminate_backend($SESSION_PID)"
	finish_job
	assert_status 0
	settled
	assert_equal '' "$(siblings)"
}

@test "what a client makes in the moment the database is open for the reset is not kept" {
	project
	for _ in 1 2 3; do
		start_job sh -c 'while :; do "$0" -XAtqd "$1" -c "CREATE TABLE IF NOT EXISTS migrations (v text)" \
			-c "INSERT INTO migrations VALUES (1)"; done >/dev/null 2>&1' "$SERVER_PSQL" "$CONNECTION_URL"
	done
	for round in 1 2 3 4 5; do
		echo "-- $round" >>db/seed.sql
		db-setup -q --no-spare
		db-setup -q --no-spare
		template=$(sibling template)
		[ -n "$template" ] || continue
		sql postgres "CREATE DATABASE \"$(db_name look)\" TEMPLATE \"$template\""
		assert_equal '' "$(sql "$(db_name look)" "SELECT to_regclass('migrations')")"
		sql postgres "DROP DATABASE \"$(db_name look)\""
	done
	kill "${JOBS[@]}"
}

@test "the old database comes back although somebody has dropped the new one" {
	make_project
	old_database
	echo 'SELECT pg_sleep(60);' >db/seed.sql
	start_job db-setup --no-cache
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND datname = '$name'\")\" = 1 ]"
	sql postgres "DROP DATABASE \"$name\" WITH (FORCE)"
	finish_job
	assert_old_database
	assert_contains "$stderr" "The old database \"$name\" is back as it was."
	assert_equal '' "$(siblings)"
}

@test "of many resets in a row one process waits in the background" {
	project
	warm_up
	# The spare's copy waits for whoever is changing the template.
	start_session postgres holder "BEGIN; COMMENT ON DATABASE \"$(sibling template)\" IS '$(comment "$(sibling template)")'; SELECT pg_sleep(60)"
	db-setup -q
	wait_until '[ "$(background_processes | wc -l)" = 1 ]'
	for _ in 1 2 3 4; do
		db-setup -q --no-cache
	done
	# One at work, one that waits.
	wait_until '[ "$(background_processes | wc -l)" = 2 ]'
	sleep 0.5
	assert_equal 2 "$(background_processes | wc -l)"
	sql postgres "SELECT pg_terminate_backend($SESSION_PID)"
	settled
	assert_equal '' "$(siblings)"
}
