#!/usr/bin/env bats
# bats file_tags=once
# Names that are looked up: how long, which of their addresses is taken, and that the name stays what is
# verified and told.

load helper
load setup
load rds

setup_file() {
	start_rds_server
	certificate two amazon two.test
	cc -shared -fPIC -o "$BATS_FILE_TMPDIR/names.so" "$ROOT/tests/lib/names.c" -ldl
}

teardown_file() {
	stop_rds_server
}

setup() {
	common_setup
	unset CONNECTION_URL DATABASE_URL "${!PG@}"
	export DBRIG_AGENT=0 TEST_NAMES_LOG=$TEST_DIR/asked
	: >"$TEST_NAMES_LOG"
}

# names NAME=WHAT...: what the commands find (tests/lib/names.c).
names() {
	export TEST_NAMES=$* LD_PRELOAD=$BATS_FILE_TMPDIR/names.so
	# ASan would be first.
	export ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0
}

# host NAME [PARAMETERS]: CONNECTION_URL of the suite's server by that name.
host() {
	export CONNECTION_URL
	CONNECTION_URL=$(app_url "${DATABASE:-postgres}")
	CONNECTION_URL=${CONNECTION_URL/127.0.0.1/$1}${2:+?$2}
}

# took COMMAND...: runs it; sets $seconds.
took() {
	SECONDS=0
	run --separate-stderr "$@"
	seconds=$SECONDS
	refute_contains "$output$stderr" "$APP_PASSWORD"
}

# The server's port at that address, with a queue that is full: packets to it are dropped.
dropping() {
	start_job perl -MIO::Socket::INET -e '
		my ($address, $port) = @ARGV;
		my $s = IO::Socket::INET->new(LocalAddr => $address, LocalPort => $port, Listen => 1) or die $@;
		my @kept = map { IO::Socket::INET->new(PeerAddr => $address, PeerPort => $s->sockport, Blocking => 0) } 1 .. 8;
		$| = 1;
		print "drops\n";
		sleep 600;' "$1" "$SERVER_PORT"
	wait_until "[ -s '$JOB_OUT' ]"
}

# One that accepts connections to the server's port and says nothing; counts them in $JOB_OUT.
silent() {
	start_job perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new(LocalAddr => $ARGV[0], LocalPort => $ARGV[1], Listen => 9) or die $@;
		$| = 1;
		print "listens\n";
		while (my $c = $s->accept) { push @kept, $c; print "accepted\n" }' "$1" "$SERVER_PORT"
	wait_until "[ -s '$JOB_OUT' ]"
}

# --- how long ----------------------------------------------------------------------------------

@test "a name server that never answers is waited for as long as connect_timeout says" {
	names hang.test=hang
	host hang.test connect_timeout=2
	took db-sessions
	assert_status 2
	((seconds >= 2 && seconds <= 5))
	assert_contains "$stderr" 'could not connect to app@hang.test:'
	assert_contains "$stderr" 'could not translate host name "hang.test" to address: no name server has answered within 2 s'
	assert_contains "$stderr" 'do not answer: is its network, or the VPN, up?'
	PGCONNECT_TIMEOUT=3 CONNECTION_URL=${CONNECTION_URL%\?*} took db-sessions
	assert_status 2
	((seconds >= 3 && seconds <= 6))
	assert_equal $'hang.test\nhang.test' "$(<"$TEST_NAMES_LOG")"
}

@test "--wait ends while a name is looked up" {
	names hang.test=hang
	host hang.test
	took db-sessions --wait=1
	assert_status 6
	((seconds <= 4))
	assert_contains "$stderr" 'no name server has answered'
}

@test "db-doctor says that no name server answers, as soon as connect_timeout is over" {
	names hang.test=hang
	host hang.test connect_timeout=2
	took db-doctor --json --no-health
	assert_status 2
	((seconds >= 2 && seconds <= 5))
	assert_equal 'dns failed no-name-server' "$(jq -r '"\(.steps[-1].step) \(.steps[-1].status) \(.failure.cause)"' <<<"$output")"
}

@test "Ctrl-C ends a look-up at once, also where there is something to undo" {
	names later.test=then-hang:127.0.0.1
	make_project
	DATABASE=$(db shop)
	sql postgres "ALTER DATABASE \"$DATABASE\" OWNER TO app"
	before=$(sql postgres "SELECT oid FROM pg_database WHERE datname = '$DATABASE'")
	host later.test connect_timeout=60
	start_job db-setup
	wait_until "[ \$(grep -c . '$TEST_NAMES_LOG') -ge 2 ]"
	kill -INT "$JOB_PID"
	wait_until job_ended 5
	finish_job
	assert_status 130
	assert_contains "$stderr" interrupted
	assert_equal "$before" "$(sql postgres "SELECT oid FROM pg_database WHERE datname = '$DATABASE'")"
	assert_equal 1 "$(sql postgres "SELECT count(*) FROM pg_database WHERE datname LIKE '%${DATABASE}%'")"
}

@test "the question to production is over after three seconds, its name included" {
	names hang.test=hang
	make_project
	DATABASE=$(db shop)
	sql postgres "ALTER DATABASE \"$DATABASE\" OWNER TO app"
	host 127.0.0.1
	PROD_CONNECTION_URL=${CONNECTION_URL/127.0.0.1/hang.test}
	export PROD_CONNECTION_URL
	took db-drop
	assert_status 4
	((seconds <= 6))
	assert_contains "$stderr" "may be production's"
	db_exists "$DATABASE"
	start_job db-drop
	wait_until "[ \$(grep -c . '$TEST_NAMES_LOG') -ge 2 ]"
	kill -INT "$JOB_PID"
	wait_until job_ended 2
	finish_job
	assert_status 130
	db_exists "$DATABASE"
}

@test "a name of RDS that leads to this server is this server" {
	names "$RDS_HOST=127.0.0.3,127.0.0.1"
	make_project
	DATABASE=$(db shop)
	sql postgres "ALTER DATABASE \"$DATABASE\" OWNER TO app"
	host 127.0.0.1
	PROD_CONNECTION_URL=${CONNECTION_URL/127.0.0.1/$RDS_HOST}
	export PROD_CONNECTION_URL
	took db-drop
	assert_status 4
	assert_contains "$stderr" 'leads to the same database'
	db_exists "$DATABASE"
}

# --- which address -----------------------------------------------------------------------------

@test "each address has its time, and the first that accepts ends the search" {
	names two.test=127.0.0.2,127.0.0.3,127.0.0.1,127.0.0.4
	dropping 127.0.0.2
	silent 127.0.0.4
	host two.test connect_timeout=2
	mark=$(server_log_mark)
	took db-sessions
	assert_status 0
	((seconds >= 2 && seconds <= 5))
	assert_contains "$(server_log_since "$mark")" 'connection authorized: user=app'
	assert_equal listens "$(<"$JOB_OUT")"
	assert_equal two.test "$(<"$TEST_NAMES_LOG")"
}

@test "an address that accepts and says nothing is given up for the next one" {
	names two.test=127.0.0.4,127.0.0.1
	silent 127.0.0.4
	host two.test connect_timeout=2
	took db-sessions
	assert_status 0
	assert_contains "$(<"$JOB_OUT")" accepted
}

@test "a refused password ends the search" {
	names two.test=127.0.0.1,127.0.0.4
	silent 127.0.0.4
	host two.test connect_timeout=2
	CONNECTION_URL=${CONNECTION_URL/$APP_PASSWORD_ENCODED/wr0ng} took db-sessions
	assert_status 2
	assert_contains "$stderr" "connection to server at \"two.test\" (127.0.0.1), port $SERVER_PORT failed: FATAL: password authentication failed"
	assert_contains "$stderr" 'Check user and password'
	assert_equal listens "$(<"$JOB_OUT")"
}

@test "when none answers, each is told with the host's name" {
	names two.test=127.0.0.2,127.0.0.3,127.0.0.4
	dropping 127.0.0.2
	silent 127.0.0.4
	host two.test connect_timeout=2
	took db-sessions
	assert_status 2
	assert_contains "$stderr" "connection to server at \"two.test\" (127.0.0.2), port $SERVER_PORT failed: The server did not answer in time."
	assert_contains "$stderr" "connection to server at \"two.test\" (127.0.0.3), port $SERVER_PORT failed: Connection refused"
	assert_contains "$stderr" "connection to server at \"two.test\" (127.0.0.4), port $SERVER_PORT failed: The connection was accepted, but the server did not answer in time."
}

@test "parameters that are wrong are told once" {
	names two.test=127.0.0.1,127.0.0.1
	host two.test sslmode=perhaps
	took db-sessions
	assert_equal 1 "$(grep -c 'invalid sslmode' <<<"$stderr")"
}

# --- what stays libpq's ------------------------------------------------------------------------

@test "hostaddr, PGHOSTADDR and a service file go before the name" {
	names hang.test=hang
	host hang.test hostaddr=127.0.0.1
	took db-sessions
	assert_status 0
	host hang.test
	PGHOSTADDR=127.0.0.1 took db-sessions
	assert_status 0
	printf '[mine]\nhost=hang.test\nhostaddr=127.0.0.1\nport=%s\nuser=app\ndbname=postgres\n' "$SERVER_PORT" >services
	PGSERVICEFILE=$PWD/services PGPASSWORD=$APP_PASSWORD CONNECTION_URL='service=mine' took db-sessions
	assert_status 0
	assert_equal '' "$(<"$TEST_NAMES_LOG")"
}

@test "a name from PGHOST, and one from a service file, are looked up within the time" {
	names hang.test=hang
	unset CONNECTION_URL
	PGHOST=hang.test PGDATABASE=postgres PGCONNECT_TIMEOUT=2 took db-sessions
	assert_status 2
	((seconds >= 2 && seconds <= 5))
	printf '[mine]\nhost=hang.test\nconnect_timeout=2\ndbname=postgres\n' >services
	PGSERVICEFILE=$PWD/services CONNECTION_URL='service=mine' took db-sessions
	assert_status 2
	((seconds >= 2 && seconds <= 5))
}

@test "a password file goes by the name" {
	names two.test=127.0.0.3,127.0.0.1
	printf 'two.test:*:*:app:%s\n' "${APP_PASSWORD//:/\\:}" >"$HOME/.pgpass"
	chmod 600 "$HOME/.pgpass"
	host two.test
	CONNECTION_URL=${CONNECTION_URL/:$APP_PASSWORD_ENCODED/} took db-sessions
	assert_status 0
}

@test "a certificate is verified against the name, not the address" {
	rds_server
	for file in pem key; do
		install -m 600 "$TEST_DIR/tls/two.$file" "$SERVER_HOME/data/server.$file"
		[ "$(id -u)" -ne 0 ] || chown "$SERVER_ACCOUNT" "$SERVER_HOME/data/server.$file"
	done
	sql postgres 'SELECT pg_reload_conf()'
	names two.test=127.0.0.3,127.0.0.1 other.test=127.0.0.1
	host two.test "sslmode=verify-full&sslrootcert=$TEST_DIR/tls/amazon.pem"
	wait_until 'db-sessions >out 2>&1'
	host other.test "sslmode=verify-full&sslrootcert=$TEST_DIR/tls/amazon.pem"
	took db-sessions
	assert_status 2
	assert_contains "$stderr" 'server certificate for "two.test" does not match host name "other.test"'
}

@test "what a command prints for others to use has the name, not the address" {
	names two.test=127.0.0.3,127.0.0.1
	make_project
	DATABASE=$(db shop)
	sql postgres "ALTER DATABASE \"$DATABASE\" OWNER TO app"
	host two.test
	drop_later "${DATABASE}_copy"
	took db-clone --url "${DATABASE}_copy"
	assert_status 0
	assert_contains "$output" "@two.test:$SERVER_PORT/${DATABASE}_copy"
	refute_contains "$output" hostaddr
}

# --- who has said what -------------------------------------------------------------------------

@test "a server that accepts and says nothing is told from packets that are dropped" {
	silent 127.0.0.4
	host 127.0.0.4 connect_timeout=2
	took db-sessions
	assert_status 2
	assert_contains "$stderr" 'The connection was accepted, but the server did not answer in time.'
	assert_contains "$stderr" 'Something accepts connections there but does not speak'
	refute_contains "$stderr" 'drops the packets'
	host 127.0.0.4 'connect_timeout=2&sslmode=disable'
	took db-sessions
	assert_contains "$stderr" 'The connection was accepted, but the server did not answer in time.'
	dropping 127.0.0.2
	host 127.0.0.2 connect_timeout=2
	took db-sessions
	assert_status 2
	assert_contains "$stderr" 'detail: The server did not answer in time.'
	assert_contains "$stderr" 'drops the packets'
	refute_contains "$stderr" 'was accepted'
}
