#!/usr/bin/env bats
# Servers and connections that fail, signals, and secrets.

load helper

# One more server for the tests that stop it, break it or need its settings.
setup_file() {
	FILE_SERVER=$(mktemp -d "${TMPDIR:-/tmp}/pg.XXXXXX")
	export FILE_SERVER
	pg_server_at "$FILE_SERVER" start --owner $$ max_prepared_transactions=2
}

teardown_file() {
	pg_server_at "$FILE_SERVER" stop
}

teardown() {
	if ! pg_server_answers; then
		pg_server start
	fi
	common_teardown
}

pg_server_answers() {
	sql template1 'SELECT 1' >/dev/null 2>&1
}

# use NAME: makes that database the target local.
use() {
	CONNECTION_URL=$(url "$1")
	export CONNECTION_URL
}

# A project, and a database with a row that only a reset removes; sets $name.
old_database() {
	make_project
	name=$(db shop)
	sql "$name" "CREATE TABLE old (what text); INSERT INTO old VALUES ('precious')"
	use "$name"
}

assert_old_database() {
	assert_equal precious "$(sql "$name" 'SELECT what FROM old')"
}

# running PATTERN: success while db-setup's session runs a statement like that.
running() {
	[ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'db-setup'
		AND state = 'active' AND query LIKE '$1'")" -ge 1 ]
}

no_session() {
	[ "$(sql postgres "SELECT count(*) FROM pg_stat_activity
		WHERE application_name = 'db-setup'")" = 0 ]
}

# A server between the client and the real one, on port $ENDPOINT_PORT:
#   endpoint silent            takes connections and never says a word
#   endpoint refuse CODE N     answers the first N connections with that SQLSTATE, then passes all on
#   endpoint cut TEXT          passes all on, but closes both sides when the client sends TEXT
#   endpoint swallow TEXT      the same once the real server has answered it
#   endpoint late TEXT         keeps the answer to TEXT back until the client asks to cancel it
# It writes a line to $ENDPOINT_LOG for each connection and when it keeps an answer back.
endpoint() {
	cat >"$TEST_DIR/endpoint.pl" <<-'PERL'
		use strict;
		use warnings;
		use IO::Select;
		use IO::Socket::INET;
		use IO::Socket::UNIX;

		my ($log_file, $socket, $mode, $what, $limit) = @ARGV;
		open(STDERR, '>>', $log_file) or die $!;
		my $listener = IO::Socket::INET->new(Listen => 16, LocalAddr => '127.0.0.1') or die $!;
		my $count = 0;
		$SIG{CHLD} = 'IGNORE';
		$| = 1;
		print $listener->sockport, "\n";

		sub take {
			my ($from, $size) = @_;
			my $bytes = '';
			while (length $bytes < $size) {
				sysread($from, $bytes, $size - length $bytes, length $bytes) or exit 0;
			}
			return $bytes;
		}

		# Requests for encryption are declined.
		sub startup {
			my ($client) = @_;
			for (;;) {
				my $size = take($client, 4);
				my $body = take($client, unpack('N', $size) - 4);
				my $code = unpack('N', $body);
				syswrite(STDERR, "cancel\n") if $code == 80877102;
				return $size . $body if $code != 80877103 && $code != 80877104;
				syswrite($client, 'N');
			}
		}

		sub keep_back {
			syswrite(STDERR, "kept back\n");
			for (1 .. 500) {
				open(my $log, '<', $log_file) or exit 0;
				return if grep { /cancel/ } <$log>;
				select(undef, undef, undef, 0.02);
			}
		}

		sub pass {
			my ($client, $first) = @_;
			my $server = IO::Socket::UNIX->new(Peer => $socket) or exit 0;
			my $select = IO::Select->new($client, $server);
			my $special = 0;
			syswrite($server, $first);
			for (;;) {
				for my $from ($select->can_read) {
					my $bytes;
					sysread($from, $bytes, 65536) or exit 0;
					if ($special && $from == $server) {
						exit 0 if $mode eq 'swallow';
						keep_back();
						$special = 0;
					}
					if ($from == $client && $mode =~ /cut|swallow|late/ && index($bytes, $what) >= 0) {
						exit 0 if $mode eq 'cut';
						$special = 1;
					}
					syswrite($from == $client ? $server : $client, $bytes);
				}
			}
		}

		while (my $client = $listener->accept) {
			$count++;
			syswrite(STDERR, "connection\n");
			next if fork;
			close $listener;
			take($client, 1 << 30) if $mode eq 'silent';
			my $first = startup($client);
			if ($mode eq 'refuse' && $count <= $limit) {
				my $text = "SFATAL\0VFATAL\0C$what\0Mnot now\0\0";
				syswrite($client, 'E' . pack('N', 4 + length $text) . $text);
				exit 0;
			}
			pass($client, $first);
		}
	PERL
	ENDPOINT_LOG=$TEST_DIR/endpoint.log
	: >"$ENDPOINT_LOG"
	start_job perl "$TEST_DIR/endpoint.pl" "$ENDPOINT_LOG" "$SERVER_SOCKET/.s.PGSQL.$SERVER_PORT" "$@"
	wait_until "[ -s '$JOB_OUT' ]"
	ENDPOINT_PORT=$(<"$JOB_OUT")
}

# use_endpoint NAME: reaches that database through it.
use_endpoint() {
	export CONNECTION_URL="postgresql://postgres@127.0.0.1:$ENDPOINT_PORT/$1"
}

# start_child COMMAND ...: as start_job, but SIGINT works and the output ends in what the process ended
# by; sets CHILD_PID.
start_child() {
	rm -f "$TEST_DIR/child"
	start_job perl -e '
		my $file = shift;
		my $pid = fork;
		if (!$pid) {
			$SIG{$_} = "DEFAULT" for qw(INT TERM HUP);
			exec @ARGV;
		}
		open(my $out, ">", "$file.new");
		print $out "$pid\n";
		close $out;
		rename("$file.new", $file);
		waitpid($pid, 0);
		printf("signal %d, status %d\n", $? & 127, $? >> 8);' "$TEST_DIR/child" "$@"
	wait_until "[ -s '$TEST_DIR/child' ]"
	CHILD_PID=$(<"$TEST_DIR/child")
	JOBS+=("$CHILD_PID")
}

# assert_dies_by SIGNAL: sends it to the child; the child ends by it soon and leaves no session.
assert_dies_by() {
	kill "-$1" "$CHILD_PID"
	wait_until "! kill -0 $JOB_PID 2>/dev/null || is_zombie $JOB_PID" 5 || return
	finish_job
	assert_equal "signal $(kill -l "$1"), status 0" "$output" && wait_until no_session 3
}

# hold STATEMENT: a session of the maintenance database that keeps the locks of STATEMENT.
hold() {
	start_session postgres holder
	printf 'BEGIN; %s;\n' "$1" >&"$SESSION_FD"
	wait_until "[ \"\$(sql postgres 'SELECT state FROM pg_stat_activity
		WHERE pid = $SESSION_PID')\" = 'idle in transaction' ]"
}

let_go() {
	sql postgres "SELECT pg_terminate_backend($SESSION_PID)" >/dev/null
	wait_until "[ \"\$(sql postgres 'SELECT count(*) FROM pg_stat_activity
		WHERE pid = $SESSION_PID')\" = 0 ]"
}

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
	assert_contains "$stderr" "The old database is gone; the new database \"$name\" is empty"
	assert_equal 0 "$(sql "$name" "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")"
}

@test "a server stopped in mid-load is exit status 2" {
	use_server "$FILE_SERVER"
	old_database
	echo 'SELECT pg_sleep(60);' >>db/seed.sql
	start_job db-setup
	wait_until 'running %pg_sleep%'
	pg_server pause
	finish_job
	assert_status 2
	pg_server start
	assert_equal 0 "$(sql "$name" 'SELECT count(*) FROM item')"
}

@test "a connection that breaks in mid-COPY is exit status 2, and no row stays" {
	old_database
	printf 'COPY item FROM stdin;\n7\tseven\n8\tunlucky\n\\.\n' >>db/seed.sql
	endpoint cut unlucky
	use_endpoint "$name"
	run db-setup
	assert_status 2
	assert_contains "$output" lost
	assert_equal 0 "$(sql "$name" 'SELECT count(*) FROM item')"
}

@test "a connection that breaks after COMMIT was sent is reported as an unknown outcome" {
	old_database
	rm db/seed.sql
	endpoint swallow COMMIT
	use_endpoint "$name"
	run db-setup
	assert_status 2
	assert_contains "$output" unknown
	wait_until "[ \"\$(sql '$name' \"SELECT count(*) FROM pg_tables WHERE tablename = 'item'\")\" = 1 ]"
}

@test "a connection that breaks before the DROP leaves the old database" {
	old_database
	endpoint cut 'DROP DATABASE'
	use_endpoint "$name"
	run db-setup
	assert_status 2
	assert_old_database
}

@test "a connection that breaks after the DROP was sent is reported as an unknown outcome" {
	old_database
	endpoint swallow 'DROP DATABASE'
	use_endpoint "$name"
	for command in db-setup db-drop; do
		run "$command"
		assert_status 2
		assert_contains "$output" unknown
		db_exists "$name" || sql postgres "CREATE DATABASE $name"
	done
}

@test "a connection that breaks after the CREATE was sent is not reported as if nothing had been created" {
	old_database
	endpoint swallow 'CREATE DATABASE'
	use_endpoint "$name"
	run db-setup
	assert_status 2
	assert_contains "$output" "the new database \"$name\" may not have been created"
}

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

@test "SIGINT and SIGTERM during the drop leave the old database" {
	old_database
	hold "COMMENT ON DATABASE $name IS 'x'"
	for signal in INT TERM; do
		start_child db-setup
		wait_until 'running DROP%'
		assert_dies_by "$signal"
		assert_old_database
		refute_contains "$stderr" 'gone'
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

@test "a signal that comes too late to stop the drop: db-setup says that the database is gone" {
	old_database
	endpoint late 'DROP DATABASE'
	use_endpoint "$name"
	start_child db-setup
	wait_until 'grep -q "kept back" "$ENDPOINT_LOG"'
	assert_dies_by INT
	assert_contains "$stderr" "\"$name\" is gone"
	! db_exists "$name" || return 1
}

@test "a signal that comes too late to stop the create: db-setup says that the new database is empty" {
	old_database
	endpoint late 'CREATE DATABASE'
	use_endpoint "$name"
	start_child db-setup
	wait_until 'grep -q "kept back" "$ENDPOINT_LOG"'
	assert_dies_by TERM
	assert_contains "$stderr" "the new database \"$name\" is empty"
	assert_equal 0 "$(sql "$name" "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")"
}

@test "SIGINT and SIGTERM during the create leave no half of a database, and say so" {
	old_database
	hold "COMMENT ON DATABASE template1 IS 'x'"
	for signal in INT TERM; do
		start_child db-setup
		wait_until 'running CREATE%'
		assert_dies_by "$signal"
		! db_exists "$name" || return 1
		assert_contains "$stderr" "atabase \"$name\" was not created"
	done
	let_go
	run db-setup
	assert_status 0
}

@test "SIGINT, SIGTERM and SIGHUP during the schema cancel the statement and roll back, and say so" {
	old_database
	echo 'SELECT pg_sleep(60);' >>db/schema.sql
	for signal in INT TERM HUP; do
		start_child db-setup
		wait_until 'running %pg_sleep%'
		assert_dies_by "$signal"
		assert_equal 0 "$(sql "$name" "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")"
		assert_contains "$stderr" 'Rolled back'
		assert_contains "$stderr" "The old database is gone; the new database \"$name\" is empty"
	done
}

@test "SIGINT and SIGTERM during the seed leave the schema and no row" {
	old_database
	echo 'SELECT pg_sleep(60);' >>db/seed.sql
	for signal in INT TERM; do
		start_child db-setup
		wait_until 'running %pg_sleep%'
		assert_dies_by "$signal"
		assert_equal 0 "$(sql "$name" 'SELECT count(*) FROM item')"
		assert_contains "$stderr" 'Rolled back'
		assert_contains "$stderr" 'holds the schema and no seed data'
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
		wait_until 'running COPY%'
		assert_dies_by "$signal"
		assert_equal 0 "$(sql "$name" 'SELECT count(*) FROM item')"
	done
	exec {fifo}>&-
}

@test "db-setup ends by the third signal even while the server ignores that it was cancelled" {
	old_database
	cat >>db/schema.sql <<-'SQL'
		DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$;
	SQL
	start_child db-setup
	wait_until 'running DO%'
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
