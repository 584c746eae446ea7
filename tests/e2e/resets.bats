#!/usr/bin/env bats
# bats file_tags=slow
# What db-setup keeps: the old database until the new one is complete, templates and spares for resets
# that come again, and what becomes of them.

load helper
load setup

# Settings that would make all of this another test.
setup() {
	common_setup
	unset CI DB_CACHE
}

# --- templates and spares ----------------------------------------------------------------------

@test "a reset that comes a second time is kept, and the third is a change of names" {
	project
	db_setup
	assert_equal '' "$(siblings)"
	db_setup
	assert_contains "$stderr" 'kept a copy with schema and seed'
	assert_equal 'spare template' "$(siblings)"
	spare=$(oid "$(sibling spare)")
	before=$(dump "$name")
	sql "$name" "DROP TABLE item"
	mark=$(server_log_mark)
	db-setup --no-spare
	assert_equal "$spare" "$(oid "$name")"
	refute_contains "$(server_log_since "$mark")" 'CREATE TABLE'
	refute_contains "$(server_log_since "$mark")" 'CREATE DATABASE'
	assert_equal "$before" "$(dump "$name")"
}

@test "without a spare an unchanged reset is a copy of the template" {
	project
	warm_up
	db_setup --no-spare
	assert_equal template "$(siblings)"
	mark=$(server_log_mark)
	db_setup
	assert_contains "$stderr" 'nothing has changed: copied'
	assert_contains "$(server_log_since "$mark")" "TEMPLATE \"$(sibling template)\""
	refute_contains "$(server_log_since "$mark")" 'CREATE TABLE'
	assert_equal '3|two' "$(items "$name")"
}

@test "a load that takes long is kept the first time" {
	project
	echo 'SELECT pg_sleep(0.7);' >>db/seed.sql
	db_setup
	assert_equal 'spare template' "$(siblings)"
}

@test "templates and spares take no connections, and say in their comment what they are" {
	project
	warm_up
	for kind in template spare; do
		run sql "$(sibling $kind)" 'SELECT 1'
		[ "$status" -ne 0 ]
		assert_contains "$(comment "$(sibling $kind)")" "[dbrig:$kind of=$name "
	done
	assert_matches "$(comment "$name")" "^\\[dbrig:made of=$name "
}

@test "every change of what goes into a reset is seen" {
	project
	echo "\\ir part.sql" >>db/schema.sql
	echo "CREATE TABLE part AS SELECT 1 AS n, :'who' AS who;" >db/part.sql
	state() {
		sql "$name" "SELECT n, who, (SELECT max(name) FROM item) FROM part"
	}
	warm_up --set who=me
	db_setup --set who=me
	assert_equal '1|me|two' "$(state)"
	db_setup --set who=you
	assert_equal '1|you|two' "$(state)"
	sed -i 's/1 AS n/2 AS n/' db/part.sql
	db_setup --set who=you
	assert_equal '2|you|two' "$(state)"
	sed -i "s/'two'/'zwo'/" db/seed.sql
	db_setup --set who=you
	assert_equal '2|you|zwo' "$(state)"
	# The same size, and a time of change that was before.
	touch -r db/part.sql "$TEST_DIR/time"
	sed -i 's/2 AS n/3 AS n/' db/part.sql
	touch -r "$TEST_DIR/time" db/part.sql
	db_setup --set who=you
	assert_equal '3|you|zwo' "$(state)"
}

@test "the data of a \\copy that change are seen, and refused when they change meanwhile" {
	project
	printf '1,one\n' >rows.csv
	echo "\\copy item from 'rows.csv' csv" >db/seed.sql
	warm_up
	printf '2,two\n' >rows.csv
	db_setup
	assert_equal '1|two' "$(items "$name")"
	echo 'SELECT pg_sleep(1);' >>db/schema.sql
	start_job db-setup
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity WHERE datname = '$name'
		AND query LIKE '%pg_sleep%'\")\" = 1 ]"
	printf '3,three\n' >rows.csv
	finish_job
	assert_status 3
	assert_contains "$stderr" 'file "rows.csv" changed after it was checked'
	assert_equal '1|two' "$(items "$name")"
}

@test "an edit within a moment is seen" {
	project
	warm_up
	for n in 1 2 3 4 5 6; do
		sed -i "s/'tw.*')/'tw$n')/" db/seed.sql
		run db-setup
		assert_status 0
		assert_equal "tw$n" "$(sql "$name" 'SELECT name FROM item WHERE id = 2')"
	done
	settled
}

@test "changed inputs drop the old template and its spare" {
	project
	warm_up
	before=$(sibling template)
	echo "INSERT INTO item VALUES (4, 'zz');" >>db/seed.sql
	db_setup
	assert_equal '' "$(siblings)"
	db_setup
	assert_equal 'spare template' "$(siblings)"
	[ "$before" != "$(sibling template)" ]
}

@test "options of the session that change are seen" {
	project
	warm_up
	PGOPTIONS='-c my.setting=1' db_setup
	refute_contains "$stderr" 'nothing has changed'
}

@test "a role or a setting of the server that changes is seen" {
	project
	role=$(db_name role)
	echo "DO \$\$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$role') THEN
		CREATE ROLE $role; END IF; END \$\$; GRANT SELECT ON item TO $role;" >>db/schema.sql
	# The first makes the role, which the second sees; the third is the first that comes again.
	db_setup
	db_setup
	db_setup
	db_setup
	assert_contains "$stderr" 'nothing has changed'
	sql postgres "ALTER ROLE $role SET work_mem = '5MB'"
	db_setup
	refute_contains "$stderr" 'nothing has changed'
	sql "$name" "DROP OWNED BY $role"
	db-drop -f -q
	sql postgres "DROP ROLE $role"
	db_setup
	assert_equal 1 "$(sql postgres "SELECT count(*) FROM pg_roles WHERE rolname = '$role'")"
	db-drop -f -q
	sql postgres "DROP ROLE $role"
}

@test "what is written to template1 is seen" {
	own_server
	project
	warm_up
	sql template1 'CREATE TABLE extra ()'
	sleep 0.5
	db_setup
	assert_equal 1 "$(sql "$name" "SELECT count(*) FROM pg_tables WHERE tablename = 'extra'")"
}

@test "a seed that varies is run each time on a copy of the schema" {
	project
	sed -i 's/name text NOT NULL/name text NOT NULL, at timestamptz DEFAULT clock_timestamp()/' db/schema.sql
	db_setup
	db_setup -v
	assert_contains "$stderr" 'kept a copy with the schema'
	assert_contains "$stderr" 'clock_timestamp()'
	at=$(sql "$name" 'SELECT max(at) FROM item')
	mark=$(server_log_mark)
	db_setup
	assert_contains "$(server_log_since "$mark")" 'INSERT INTO item'
	refute_contains "$(server_log_since "$mark")" 'CREATE TABLE'
	[ "$at" != "$(sql "$name" 'SELECT max(at) FROM item')" ]
	assert_equal 3 "$(sql "$name" 'SELECT count(*) FROM item')"
}

@test "--cached-seed keeps data that vary, and says how old they are" {
	project
	sed -i 's/name text NOT NULL/name text NOT NULL, at timestamptz DEFAULT clock_timestamp()/' db/schema.sql
	db_setup --cached-seed
	at=$(sql "$name" 'SELECT max(at) FROM item')
	db_setup --cached-seed
	assert_contains "$stderr" 'data that vary are those of'
	assert_equal "$at" "$(sql "$name" 'SELECT max(at) FROM item')"
	# Who does not ask for them does not get them.
	db_setup
	[ "$at" != "$(sql "$name" 'SELECT max(at) FROM item')" ]
}

@test "what a copy would not have is not kept" {
	project
	echo "ALTER DATABASE \"$name\" SET work_mem = '5MB';" >>db/schema.sql
	for _ in 1 2 3; do
		db_setup -v
	done
	assert_contains "$stderr" 'no copy is kept'
	assert_equal '' "$(siblings)"
	assert_equal 5MB "$(sql "$name" 'SHOW work_mem')"
}

@test "--no-cache and DB_CACHE=off take nothing, keep nothing and drop what was kept" {
	project
	warm_up
	mark=$(server_log_mark)
	db_setup --no-cache
	assert_equal '' "$(siblings)"
	DB_CACHE=off db_setup
	assert_equal 2 "$(server_log_since "$mark" | grep -c 'CREATE TABLE item')"
	echo 'DB_CACHE=off' >.env
	db_setup
	assert_equal 3 "$(server_log_since "$mark" | grep -c 'CREATE TABLE item')"
	DB_CACHE=maybe run db-setup
	assert_status 64
	run db-setup --cache --no-cache
	assert_status 64
}

@test "with CI set no spare is made" {
	project
	export CI=true
	db_setup
	db_setup
	assert_equal template "$(siblings)"
}

@test "on protected targets nothing is kept unless --cache asks for it" {
	project
	export PROD_CONNECTION_URL=$CONNECTION_URL
	for _ in 1 2 3; do
		db_setup prod --confirm "$name"
	done
	assert_equal '' "$(siblings)"
	assert_equal '[dbrig:protected=prod]' "$(comment "$name")"
	db_setup prod --confirm "$name" --cache
	db_setup prod --confirm "$name" --cache
	assert_equal 'spare template' "$(siblings)"
}

@test "a database that only has such a name is left alone" {
	project
	mine="$name.dbrig-template-00000000"
	sql postgres "CREATE DATABASE \"$mine\""
	warm_mine() {
		db_setup
		db_setup
		db_setup
		db-drop
	}
	warm_mine
	db_exists "$mine"
	assert_equal template "$(siblings)"
}

@test "db-drop drops template and spare too" {
	project
	warm_up
	run db-drop
	assert_status 0
	assert_equal '' "$(siblings)"
}

# --- sessions that keep coming -----------------------------------------------------------------

@test "db-setup prevails over a pool of clients that connect again at once" {
	project
	warm_up
	cat >"$TEST_DIR/pool.pl" <<-'PERL'
		my ($psql, $url, $end) = @ARGV;
		for (1 .. 6) {
			next if fork;
			until (-e $end) {
				system("'$psql' -XAtqd '$url' -c 'SELECT pg_sleep(60)' >/dev/null 2>&1");
			}
			exit;
		}
		1 while wait > 0;
	PERL
	start_job perl "$TEST_DIR/pool.pl" "$SERVER_PSQL" "$CONNECTION_URL" "$TEST_DIR/end"
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity WHERE datname = '$name'\")\" -ge 6 ]"
	for options in '' --no-cache ''; do
		sql "$name" 'CREATE TABLE junk ()'
		# shellcheck disable=SC2086 # none or one
		run timeout 30 db-setup $options
		assert_status 0
		assert_equal item "$(sql "$name" "SELECT string_agg(tablename, ' ') FROM pg_tables
			WHERE schemaname = 'public'")"
	done
	touch "$TEST_DIR/end"
	sql postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$name'"
	finish_job
	settled
}

# vanishing NAME: renames database NAME away, which takes effect when somebody waits for it.
vanishing() {
	sql postgres - <<-SQL
		BEGIN;
		ALTER DATABASE "$1" RENAME TO "t${BATS_TEST_NUMBER}_away";
		DO \$\$
		BEGIN
			FOR i IN 1 .. 1000 LOOP
				IF EXISTS (SELECT FROM pg_locks WHERE NOT granted) THEN RETURN; END IF;
				PERFORM pg_sleep(0.01);
			END LOOP;
			RAISE 'nobody waits';
		END \$\$;
		COMMIT;
	SQL
}

@test "db-setup goes on without a spare that goes while it is being taken" {
	project
	warm_up
	start_job vanishing "$(sibling spare)"
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_locks WHERE relation = 'pg_database'::regclass
		AND mode = 'RowExclusiveLock'\")\" = 1 ]"
	sql "$name" 'CREATE TABLE junk ()'
	run db-setup -v
	assert_status 0
	assert_contains "$output" 'does not exist'
	assert_contains "$output" 'nothing has changed: copied database'
	finish_job
	assert_status 0
	assert_equal item "$(sql "$name" "SELECT string_agg(tablename, ' ') FROM pg_tables
		WHERE schemaname = 'public'")"
	settled
}

# --- killed ------------------------------------------------------------------------------------

@test "after SIGKILL db-create brings the old database back, and says so" {
	make_project
	killed_setup
	run db-create
	assert_status 0
	assert_contains "$output" "a reset of database \"$name\" was killed"
	assert_contains "$output" "process $JOB_PID of "
	assert_contains "$output" 'already exists'
	assert_old_database
	db_setup
	assert_equal '3|two' "$(items "$name")"
	assert_equal '' "$(siblings)"
}

@test "after SIGKILL db-setup takes the old database for the old one" {
	make_project
	killed_setup
	echo 'SELECT nonsense;' >>db/schema.sql
	run db-setup
	assert_status 3
	assert_contains "$output" 'was killed'
	assert_contains "$output" 'is back as it was'
	assert_old_database
}

@test "after SIGKILL db-drop drops all of it" {
	make_project
	killed_setup
	run db-drop
	assert_status 0
	assert_contains "$output" 'was killed'
	! db_exists "$name" || return 1
	assert_equal '' "$(siblings)"
}

@test "after SIGKILL of the first reset of all db-create puts the half-made database out of the way" {
	make_project
	killed_setup
	# As if there had been none before.
	sql postgres "DROP DATABASE \"$name.dbrig-old\""
	run db-create
	assert_status 0
	assert_contains "$output" 'what it had made is no longer under that name'
	assert_contains "$output" "created database \"$name\""
	assert_equal killed "$(siblings)"
	assert_equal 0 "$(sql "$name" "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")"
}

@test "a database that somebody has made since is neither replaced nor dropped by db-create" {
	make_project
	killed_setup
	sql postgres "DROP DATABASE \"$name\" WITH (FORCE)" "CREATE DATABASE \"$name\""
	sql postgres "CREATE DATABASE \"$name\""
	sql "$name" 'CREATE TABLE since ()'
	run db-create
	assert_status 0
	assert_contains "$output" "stays aside as \"$name.dbrig-old\""
	sql "$name" 'SELECT FROM since'
	db_setup
	assert_equal snapshot "$(siblings)"
}

# bats test_tags=once
@test "resets killed at random moments leave the old database or the new one, and nothing else" {
	run timeout 100 "$ROOT/tests/lib/random-kills" --runs 10 --seed 1
	assert_status 0
	assert_equal '10 runs, 0 wrong' "${lines[-1]}"
	assert_matches "${lines[-2]}" '^[1-9][0-9]* old, [1-9][0-9]* new, [0-9]+ empty$'
}

# bats test_tags=once
@test "random-kills notices a reset that drops first" {
	mkdir "$TEST_DIR/bin"
	printf '#!/bin/sh\nexec "%s/db-setup" --drop-first "$@"\n' "$DBRIG_BIN" >"$TEST_DIR/bin/db-setup"
	chmod +x "$TEST_DIR/bin/db-setup"
	PATH=$TEST_DIR/bin:$PATH run timeout 100 "$ROOT/tests/lib/random-kills" --runs 8 --seed 1
	assert_status 1
	assert_contains "$output" 'WRONG: after db-create'
}

# --- the old one -------------------------------------------------------------------------------

@test "a reset that fails leaves the old database with its comment, settings and privileges" {
	make_project
	old_database
	sql postgres "COMMENT ON DATABASE $name IS 'it''s [dbrig:mine]'; ALTER DATABASE $name SET work_mem = '5MB';
		GRANT CONNECT ON DATABASE $name TO app"
	before=$(sql postgres "SELECT * FROM pg_database WHERE datname = '$name'")
	echo 'SELECT nonsense;' >>db/seed.sql
	run db-setup
	assert_status 3
	assert_equal "$before" "$(sql postgres "SELECT * FROM pg_database WHERE datname = '$name'")"
	assert_equal "it's [dbrig:mine]" "$(comment "$name")"
	assert_equal 5MB "$(sql "$name" 'SHOW work_mem')"
	assert_old_database
	assert_equal '' "$(siblings)"
}

@test "the old database can be used until the new one is made" {
	make_project
	old_database
	start_session "$name" gate
	sql postgres "SELECT pg_advisory_lock(1)" >/dev/null
	# A CREATE DATABASE waits for whoever is changing its template.
	start_session postgres 'holds template1' "BEGIN; COMMENT ON DATABASE template1 IS 'x'; SELECT pg_sleep(60)"
	start_job db-setup --no-cache
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'db-setup'
		AND query LIKE 'CREATE DATABASE%'\")\" = 1 ]"
	assert_old_database
	sql postgres "SELECT pg_terminate_backend($SESSION_PID)"
	finish_job
	assert_status 0
	settled
	assert_equal '3|two' "$(items "$name")"
}

@test "a comment that the schema gives the database stays" {
	project
	echo "COMMENT ON DATABASE \"$name\" IS 'the shop';" >>db/schema.sql
	db_setup
	assert_matches "$(comment "$name")" '^the shop'
}

@test "--wait-drop returns when the old database is gone" {
	make_project
	old_database
	run db-setup --wait-drop --no-spare
	assert_status 0
	assert_equal '' "$(siblings)"
}

@test "--drop-first drops the old database before it makes the new one" {
	make_project
	old_database
	mark=$(server_log_mark)
	run db-setup --drop-first
	assert_status 0
	assert_contains "$output" "dropped database \"$name\""
	assert_equal 'DROP CREATE' "$(server_log_since "$mark" |
		sed -nE 's/.*LOG:  statement: (DROP|CREATE) DATABASE .*/\1/p' | xargs)"
	echo 'SELECT nonsense;' >>db/schema.sql
	run db-setup --drop-first
	assert_status 3
	assert_contains "$output" '--drop-first gave the old one up'
	! db_exists "$name" || return 1
}

# --- what is left running ----------------------------------------------------------------------

@test "the process in the background has no terminal, no file of ours and no parent that waits" {
	project
	warm_up
	# The spare's copy waits for whoever is changing the template.
	start_session postgres holder "BEGIN; COMMENT ON DATABASE \"$(sibling template)\" IS '$(comment "$(sibling template)")'; SELECT pg_sleep(60)"
	TERM=xterm run_tty -- sh -c 'exec 5>"$0"; db-setup' "$TEST_DIR/five"
	assert_status 0
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'db-setup'
		AND query LIKE 'CREATE DATABASE%'\")\" = 1 ]"
	pid=$(background_processes)
	assert_equal '?' "$(ps -o tty= -p "$pid" | xargs)"
	assert_equal "$pid" "$(($(ps -o sess= -p "$pid") == pid ? pid : $(ps -o sess= -p "$pid") > 1 ? pid : 0))"
	for fd in 0 1 2; do
		assert_equal /dev/null "$(readlink "/proc/$pid/fd/$fd")"
	done
	refute_contains "$(ls -l "/proc/$pid/fd")" "$TEST_DIR/five"
	# Killed, it leaves nothing that the next reset does not clear away.
	kill -KILL "$pid"
	sql postgres "SELECT pg_terminate_backend($SESSION_PID)"
	db_setup
	assert_equal 'spare template' "$(siblings)"
}
