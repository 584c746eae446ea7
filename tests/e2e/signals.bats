#!/usr/bin/env bats
# Signals at every step, pipes, and secrets while commands run.

load helper
load faults

# --- signals -----------------------------------------------------------------------------------

@test "SIGINT and SIGTERM end db-setup while it connects or waits for the server" {
	make_project
	for signal in INT TERM; do
		endpoint silent
		use_endpoint shop
		start_child db-setup
		wait_until 'grep -q connection "$ENDPOINT_LOG"'
		assert_dies_by "$signal"
		export CONNECTION_URL=postgresql://postgres@127.0.0.1:1/shop
		start_child db-setup --wait=60
		wait_until 'grep -q "^waiting" "$JOB_ERR"'
		assert_dies_by "$signal"
	done
}

@test "SIGINT and SIGTERM end a db-setup that waits for another one, and nothing is changed" {
	old_database
	echo 'SELECT pg_sleep(60);' >>db/seed.sql
	name=$(db_name busy)
	use "$name"
	start_job db-setup
	wait_until 'running %pg_sleep%'
	for signal in INT TERM; do
		start_child db-setup
		wait_until 'running %pg_advisory_lock%'
		kill "-$signal" "$CHILD_PID"
		finish_job
		assert_equal "signal $(kill -l "$signal"), status 0" "$output"
		wait_until '! running %pg_advisory_lock%'
		running %pg_sleep%
	done
}

@test "SIGINT and SIGTERM end a db-protect that waits for a reset, and nothing is marked" {
	old_database
	echo 'SELECT pg_sleep(60);' >>db/seed.sql
	start_job db-setup --no-cache
	wait_until 'running %pg_sleep%'
	before=$(sql postgres "SELECT description FROM pg_shdescription WHERE description LIKE '%of=$name %' ORDER BY 1")
	for signal in INT TERM; do
		start_child env PGAPPNAME=db-setup db-protect
		wait_until 'running %pg_advisory_lock%'
		kill "-$signal" "$CHILD_PID"
		finish_job
		assert_equal "signal $(kill -l "$signal"), status 0" "$output"
		wait_until '! running %pg_advisory_lock%'
		running %pg_sleep%
	done
	assert_equal "$before" "$(sql postgres "SELECT description FROM pg_shdescription WHERE description LIKE '%of=$name %' ORDER BY 1")"
	refute_contains "$before" protected
}

@test "SIGINT and SIGTERM while the new database gets its name leave the old one" {
	old_database
	hold "COMMENT ON DATABASE $name IS 'x'"
	for signal in INT TERM; do
		start_child db-setup
		wait_until 'running %RENAME%'
		assert_dies_by "$signal"
		assert_old_database
		assert_contains "$stderr" "The old database \"$name\" is as it was."
	done
}

@test "after SIGINT or SIGTERM the copies that stay are named, and are whole; no other is there" {
	old_database
	names() {
		sql postgres "SELECT datname FROM pg_database WHERE starts_with(datname, '${name}_')
			OR starts_with(datname, '$name.') ORDER BY length(datname), 1"
	}
	db-setup --no-cache --copies 30 >earlier
	for signal in INT TERM; do
		before=$(sql postgres "SELECT max(oid::text::integer) FROM pg_database")
		start_child db-setup --no-cache --copies 30
		wait_until "[ -n \"\$(sql postgres \"SELECT 1 FROM pg_database WHERE datname = '${name}_2' AND oid > $before\")\" ]"
		assert_dies_by "$signal"
		assert_contains "$stderr" 'The reset itself is complete; these copies were made: '
		assert_equal "$(sed -n 's/.*copies were made: \(.*\)\./\1/p' <<<"$stderr" | grep -o '[^", ]*' |
			sort -V)" "$(names)"
		[ "$(names | wc -l)" -lt 30 ]
		for one in $(names); do
			assert_equal '3|two' "$(sql "$one" 'SELECT count(*), max(name) FROM item')"
		done
	done
}

@test "SIGINT and SIGTERM during db-drop leave the database" {
	old_database
	hold "COMMENT ON DATABASE $name IS 'x'"
	for signal in INT TERM; do
		start_child env PGAPPNAME=db-setup db-drop
		wait_until 'running DROP%'
		assert_dies_by "$signal"
		assert_old_database
	done
}

@test "a signal that comes too late to stop the drop: db-drop says that the database is gone" {
	old_database
	endpoint late 'DROP DATABASE'
	use_endpoint "$name"
	start_child db-drop
	wait_until 'grep -q "kept back" "$ENDPOINT_LOG"'
	assert_dies_by INT
	assert_contains "$stderr" "\"$name\" is gone"
	! db_exists "$name" || return 1
}

@test "a signal that comes too late to stop a step of db-setup leaves the old database" {
	old_database
	for step in 'CREATE DATABASE' 'ALTER DATABASE'; do
		endpoint late "$step"
		use_endpoint "$name"
		start_child db-setup
		wait_until 'grep -q "kept back" "$ENDPOINT_LOG"'
		assert_dies_by TERM
		assert_matches "$stderr" "The old database \"$name\" is (as it was|back as it was)"
		assert_old_database
		assert_equal 0 "$(sql postgres "SELECT count(*) FROM pg_database WHERE datname LIKE '$name.%'")"
	done
}

@test "SIGINT and SIGTERM during the create leave no half of a database, and say so" {
	old_database
	hold "COMMENT ON DATABASE template1 IS 'x'"
	for signal in INT TERM; do
		start_child db-setup
		wait_until 'running CREATE%'
		assert_dies_by "$signal"
		assert_old_database
		assert_contains "$stderr" "The old database \"$name\" is as it was."
	done
	let_go
	run db-setup
	assert_status 0
}

@test "SIGINT, SIGTERM and SIGHUP during the schema cancel the statement, and the old database is back" {
	old_database
	echo 'SELECT pg_sleep(60);' >>db/schema.sql
	for signal in INT TERM HUP; do
		start_child db-setup
		wait_until 'running %pg_sleep%'
		assert_dies_by "$signal"
		assert_contains "$stderr" "The old database \"$name\" is back as it was."
		assert_old_database
	done
}

@test "SIGINT and SIGTERM during the seed bring the old database back" {
	old_database
	echo 'SELECT pg_sleep(60);' >>db/seed.sql
	for signal in INT TERM; do
		start_child db-setup
		wait_until 'running %pg_sleep%'
		assert_dies_by "$signal"
		assert_contains "$stderr" "The old database \"$name\" is back as it was."
		assert_old_database
	done
}

@test "SIGINT and SIGTERM end a COPY whose data do not come" {
	old_database
	rm db/seed.sql
	mkfifo db/seed.sql
	exec {fifo}<>db/seed.sql
	for signal in INT TERM; do
		printf 'COPY item FROM stdin;\n7\tseven\n' >&"$fifo"
		start_child db-setup
		wait_until 'running %COPY%'
		assert_dies_by "$signal"
		assert_old_database
	done
	exec {fifo}>&-
}

@test "db-setup ends by the third signal even while the server ignores that it was cancelled" {
	old_database
	cat >>db/schema.sql <<-'SQL'
		DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$;
	SQL
	start_child db-setup
	wait_until 'running %query_canceled%'
	kill -TERM "$CHILD_PID"
	kill -TERM "$CHILD_PID"
	# Signals that come together count as one.
	wait_until "! kill -TERM $CHILD_PID 2>/dev/null"
	finish_job
	assert_equal 'signal 15, status 0' "$output"
	sql postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$name'"
}

@test "after SIGKILL in mid-load the statement ends by itself, and the next db-setup succeeds" {
	old_database
	cp db/schema.sql "$TEST_DIR/schema.sql"
	echo 'SELECT pg_sleep(60);' >>db/schema.sql
	start_child db-setup
	wait_until 'running %pg_sleep%'
	kill -KILL "$CHILD_PID"
	finish_job
	assert_equal 'signal 9, status 0' "$output"
	if [ "$SERVER_VERSION" -ge 14 ]; then
		wait_until '! running %pg_sleep%' 8
	fi
	cp "$TEST_DIR/schema.sql" db/schema.sql
	run db-setup
	assert_status 0
	assert_equal 3 "$(sql "$name" 'SELECT count(*) FROM item')"
}

@test "after SIGKILL the next db-setup does not wait for the statement that was left" {
	old_database
	cp db/schema.sql "$TEST_DIR/schema.sql"
	echo 'SELECT pg_sleep(60);' >>db/schema.sql
	start_child db-setup
	wait_until 'running %pg_sleep%'
	kill -KILL "$CHILD_PID"
	finish_job
	cp "$TEST_DIR/schema.sql" db/schema.sql
	begin=$SECONDS
	run db-setup
	assert_status 0
	((SECONDS - begin < 5))
	assert_equal 3 "$(sql "$name" 'SELECT count(*) FROM item')"
}

# --- pipes -------------------------------------------------------------------------------------

@test "db-setup loads a seed that comes through a pipe" {
	old_database
	mv db/seed.sql "$TEST_DIR/seed.sql"
	mkfifo db/seed.sql
	start_job sh -c 'cat "$0" >db/seed.sql' "$TEST_DIR/seed.sql"
	run timeout 10 db-setup
	assert_status 0
	assert_equal 3 "$(sql "$name" 'SELECT count(*) FROM item')"
}

# --- secrets -----------------------------------------------------------------------------------

# watch_command_lines TEXT ...: a job that looks at all command lines over and over, until
# $TEST_DIR/end is there, and prints each text whenever one holds it.
watch_command_lines() {
	# Its own command line must not hold them.
	printf '%s\n' "$@" >"$TEST_DIR/texts"
	start_job perl -e '
		my ($end, $file) = @ARGV;
		open(my $in, "<", $file) or die $!;
		chomp(my @texts = <$in>);
		$| = 1;
		print "watching\n";
		until (-e $end) {
			for my $process (glob("/proc/[0-9]*/cmdline")) {
				open(my $in, "<", $process) or next;
				my $line = do { local $/; <$in> } // "";
				for my $text (@texts) {
					print "$text\n" if index($line, $text) >= 0;
				}
			}
			select(undef, undef, undef, 0.002);
		}' "$TEST_DIR/end" "$TEST_DIR/texts"
	wait_until "[ -s '$JOB_OUT' ]"
}

@test "no command shows the password: not in /proc, not in its output, not in the server's log" {
	make_project
	name=$(db_name shop)
	password="pw-$RANDOM$RANDOM$RANDOM@"
	encoded=${password/@/%40}
	control="control-$RANDOM$RANDOM$RANDOM"
	sql postgres "CREATE ROLE $name LOGIN CREATEDB"
	# Without the log, which holds statements.
	"$SERVER_PSQL" -Xq -d "$(url postgres)" <<-SQL
		SET log_statement = 'none';
		ALTER ROLE $name PASSWORD '$password';
	SQL
	watch_command_lines "${password%@}" "$control"
	mark=$(server_log_mark)
	export CONNECTION_URL="postgresql://$name:$encoded@127.0.0.1:$SERVER_PORT/$name"
	{
		bash -c ': "$0"; sleep 0.3; :' "$control"
		db-create -v -e
		db-setup -v -e
		db-setup -v -e --confirm "$name"
		db-schema-load -v -e
		db-seed -v -e || :
		db-sessions -v
		db-sessions --json
		PATH=${SERVER_PSQL%/*}:$PATH db-connect -- -Xc 'SELECT pg_sleep(0.3)'
		db-drop -v -e
		db-setup --maintenance-db nowhere || :
		CONNECTION_URL="postgresql://$name:$password@127.0.0.1:$SERVER_PORT/$name" db-setup -v || :
		CONNECTION_URL="postgresql://$name:$encoded@127.0.0.1:x$SERVER_PORT/$name" db-setup -v || :
		CONNECTION_URL="postgresql://$name:$encoded@127.0.0.1:1/$name" db-setup -v || :
		CONNECTION_URL="postgresql://$name:x$encoded@127.0.0.1:$SERVER_PORT/$name" db-setup -v || :
		CONNECTION_URL="user=$name password=$password host" db-setup -v || :
	} >"$TEST_DIR/output" 2>&1
	touch "$TEST_DIR/end"
	finish_job
	assert_status 0
	assert_equal "$control watching" "$(sort -u <<<"$output" | xargs)"
	refute_contains "$(<"$TEST_DIR/output")" "${password%@}"
	refute_contains "$(server_log_since "$mark")" "${password%@}"
	# All of this happened.
	assert_contains "$(<"$TEST_DIR/output")" "dropped database \"$name\""
	assert_contains "$(<"$TEST_DIR/output")" 'password authentication failed'
	assert_contains "$(server_log_since "$mark")" 'pg_sleep(0.3)'
}

@test "a signal ends a command within seconds although the server has stopped answering" {
	own_server
	make_project
	name=$(db_name shop)
	use "$name"
	echo 'SELECT pg_sleep(60);' >>db/schema.sql
	start_job db-setup
	wait_until 'running %pg_sleep%'
	postmaster=$(head -n 1 "$SERVER_HOME/data/postmaster.pid")
	mapfile -t processes < <(pgrep -P "$postmaster")
	kill -STOP "$postmaster" "${processes[@]}"
	kill -TERM "$JOB_PID"
	wait_until job_ended 20 || late=1
	kill -CONT "$postmaster" "${processes[@]}"
	assert_equal '' "${late:-}"
	finish_job
	assert_status 143
	assert_contains "$stderr" 'did not answer'
}
