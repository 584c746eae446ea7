#!/usr/bin/env bats
# bats file_tags=once
# What poolers, proxies and tunnels answer in place of a server: where the way ends, why, and what to do.

load helper
load rds
load pgbouncer
load doctor-way

NO_SERVER_HINT='The pooler is there, but does not reach the server behind it, or is not let in: check that the server runs, and the host, port, user and password that the pooler has for it; its log says more. --wait keeps trying.'
ENCRYPT_HINT='It takes encrypted connections only: put sslmode=verify-full into the URL, or sslmode=require where its certificate cannot be verified.'

# through USER[:PASSWORD] [DATABASE] [PARAMETERS]: target prod is that, through PgBouncer.
through() {
	export PROD_CONNECTION_URL="postgresql://$1@127.0.0.1:$BOUNCER_PORT/${2:-postgres}?$3"
}

# hold [DATABASE]: a client that keeps its session of PgBouncer until release.
hold() {
	start_job perl -e 'open my $p, "|-", @ARGV or die; $p->autoflush; print $p "SELECT 1;\n"; sleep 600' -MIO::Handle \
		"$SERVER_PSQL" -XAtq -d "$(bouncer_url "${1:-postgres}")"
	HOLDER=$JOB_PID
	wait_until "[ -s '$JOB_OUT' ]"
}

# refuses SEVERITY SQLSTATE MESSAGE: a server that says just that to everybody, and writes a line for each.
refuses() {
	MESSAGE="S$1\\0C$2\\0M$3\\0\\0" answering '
		$SIG{PIPE} = "IGNORE";
		sysread $c, my $hello, 10000 or next;
		print "asked\n";
		my $m = $ENV{MESSAGE} =~ s/\\0/\0/gr;
		print $c "E", pack("N", length($m) + 4), $m;
		close $c;'
	export PROD_CONNECTION_URL="postgresql://app:x@127.0.0.1:$SERVER_PORT/db?sslmode=disable"
}

# --- PgBouncer ---------------------------------------------------------------------------------

@test "PgBouncer: a wrong password, however it is checked" {
	for type in scram-sha-256 md5; do
		start_pgbouncer session "auth_type=$type"
		through app:wrong
		doctor
		ends_at authentication wrong-password "The pooler keeps users and passwords of its own (PgBouncer: auth_file, auth_query), and refuses in the same words whom it does not know. Check user and password in the URL, where @ : / ? # % in a password must be percent-encoded, and those that the pooler has."
	done
}

@test "PgBouncer: a user that it does not have" {
	start_pgbouncer session \
		$'max_client_conn=100\n[databases]\n'"forced = host=$SERVER_SOCKET port=$SERVER_PORT dbname=postgres user=app"
	# Or one that it lets in, and has sessions of another role for.
	through postgres forced
	doctor --no-health
	assert_status 0
	assert_contains "$(jq -r '.steps[] | select(.step == "privileges").text' <<<"$output")" $'as the role "app"\n'
	through app postgres
	doctor --no-health
	refute_contains "$(jq -r '.steps[] | select(.step == "privileges").text' <<<"$output")" 'as the role'
	through stranger
	doctor
	ends_at authentication no-such-role 'The pooler does not know the user: its own list (PgBouncer: auth_file, or what auth_query finds) has to have the one in the URL, whatever the server behind it has.'
}

@test "PgBouncer: a database that it does not have, and one that the server behind it does not have" {
	start_pgbouncer session
	through app nowhere_at_all
	doctor
	ends_at database no-such-database 'Create it with db-create, or make it whole with db-setup: both take a role that may create databases (CREATEDB).'
	refuses FATAL 08P01 'no such database: db'
	doctor
	ends_at database no-such-database "The pooler's configuration names no such database (PgBouncer: [databases], where * stands for all): name another one in the URL, or add a line for it, then RELOAD in the pooler's console."
}

@test "PgBouncer: a password that the server behind it does not take" {
	own_server
	sql postgres "ALTER ROLE app PASSWORD 'another'"
	lets_in 'local all all scram-sha-256'
	start_pgbouncer session
	through app
	doctor
	ends_at authentication wrong-password "The pooler has let the user in, and the server behind it has not: the password that the pooler has for the user (PgBouncer: auth_file, or in [databases]) is not the server's."
}

@test "PgBouncer: its console is not for everybody" {
	start_pgbouncer session
	through app pgbouncer
	doctor
	ends_at database no-connect-privilege "The database pgbouncer is PgBouncer's own console, for its admin_users and stats_users: name another database in the URL."
}

@test "PgBouncer: its console is no database, for those who are let in either" {
	start_pgbouncer session
	through postgres pgbouncer
	doctor
	ends_at database pooler-console "It takes PgBouncer's own commands (SHOW HELP) from psql, and no statement of a database: name another database than pgbouncer in the URL."
	assert_equal "This is PgBouncer's own console, and no database." "$(jq -r '.steps[-1].text' <<<"$output")"
	# Nothing was sent that it does not know.
	refute_contains "$(<"$JOB_ERR")" 'bad packet'
}

@test "PgBouncer: all its connections are in use, and --wait waits for one" {
	start_pgbouncer session max_client_conn=1
	through app
	hold
	doctor
	ends_at server too-many-connections "All connections that the pooler takes from clients are in use: --wait keeps trying until one ends. SHOW CLIENTS in PgBouncer's console (database pgbouncer, as one of its admin_users) says who has them; max_client_conn sets how many there are."
	start_job db-doctor prod --json --no-health --wait=30
	sleep 1
	run ! job_ended
	pkill -KILL -P "$HOLDER"
	kill -KILL "$HOLDER"
	wait_until job_ended 20
	finish_job
	assert_status 0
	assert_equal 'wait ok' "$(jq -r '.steps[1] | "\(.step) \(.status)"' <<<"$output")"
}

@test "PgBouncer: no session of its pool becomes free" {
	start_pgbouncer session default_pool_size=1 query_wait_timeout=1
	hold
	through app
	doctor
	ends_at server pooler-without-server "No connection of the pooler's to the server became free in time (PgBouncer: query_wait_timeout). Either its pool is in use (SHOW POOLS in its console; db-sessions, past the pooler, says who keeps its sessions), or the server does not answer it. --wait keeps trying."
}

@test "PgBouncer: one that says nothing for longer than connect_timeout" {
	start_pgbouncer session default_pool_size=1
	hold
	through app postgres connect_timeout=2
	SECONDS=0
	doctor
	[ "$SECONDS" -lt 20 ]
	assert_status 2
	assert_equal 'server pooler-without-server' "$(jq -r '"\(.steps[-1].step) \(.failure.cause)"' <<<"$output")"
	assert_contains "$stderr" 'a pooler has its clients wait while all sessions of its pool are taken'
}

@test "PgBouncer: the server behind it does not run, and --wait waits for it" {
	own_server
	start_pgbouncer session server_login_retry=1 query_wait_timeout=3
	through app
	pg_server pause
	doctor
	assert_status 2
	assert_equal 'server pooler-without-server' "$(jq -r '"\(.steps[-1].step) \(.failure.cause)"' <<<"$output")"
	start_job db-doctor prod --json --no-health --wait=60
	sleep 1
	run ! job_ended
	pg_server start
	wait_until job_ended 40
	finish_job
	assert_status 0
	refuses FATAL 08P01 'server login has been failing, try again later (server_login_retry)'
	doctor
	ends_at server pooler-without-server "$NO_SERVER_HINT"
}

@test "PgBouncer: TLS is wanted" {
	install -m 644 "$BATS_FILE_TMPDIR"/tls/good.* "$TEST_DIR"
	start_pgbouncer session client_tls_sslmode=require "client_tls_key_file=$TEST_DIR/good.key" \
		"client_tls_cert_file=$TEST_DIR/good.pem"
	through app postgres sslmode=disable
	doctor
	assert_equal 'SSL required' "$(jq -r '.steps[-1].text' <<<"$output")"
	ends_at authentication tls-required 'The server offers TLS, and wants it here: sslmode=verify-full in the URL, or sslmode=require where its certificate cannot be verified.'
	through app postgres sslmode=allow
	doctor
	assert_status 0
	assert_equal true "$(facts tls encrypted)"
}

@test "PgBouncer: a parameter that it does not take" {
	start_pgbouncer session
	through app postgres 'options=-c%20work_mem%3D8MB'
	doctor
	ends_at database option-refused 'The pooler takes no such parameter when a session begins: leave it out of the URL, of PGOPTIONS and of other PG… variables, or have the pooler pass over it (PgBouncer: ignore_startup_parameters).'
}

# --- hosted ------------------------------------------------------------------------------------

@test "Supabase: a user without its project, and too many clients, which --wait waits for" {
	refuses FATAL XX000 'Tenant or user not found'
	doctor --wait=2
	ends_at authentication no-such-tenant "Through Supabase's pooler the user is NAME.PROJECT, such as postgres.abcdefgh, and the host that of the project's region: copy both from the project's connection string. A project that is paused is refused in the same words."
	refuses FATAL XX000 'MaxClientsInSessionMode: max clients reached - in Session mode max clients are limited to pool_size'
	doctor --wait=2
	ends_at server too-many-connections "In session mode the pooler takes as many clients as its pool has connections, each for as long as it stays: --wait keeps trying until one ends. Transaction mode (on Supabase port 6543) shares them; the pool's size is set in the project's settings." 6
	[ "$(grep -c asked "$JOB_OUT")" -ge 4 ]
}

@test "Neon: endpoints that are not named, or disabled, or away" {
	refuses ERROR XX000 "Endpoint ID is not specified. Either please upgrade the postgres client library (libpq) for SNI support or pass the endpoint ID (first part of the domain name) as a parameter: '?options=endpoint%3D<endpoint-id>'. See more at https://neon.tech/sni"
	doctor
	ends_at server no-endpoint "Neon tells its endpoints apart by the host name that comes with TLS: name the host as the project's connection string has it, not by an address or an alias, and leave sslsni on. What cannot puts options=endpoint%3D with the name's first part into the URL."
	refuses ERROR XX000 'The endpoint has been disabled. Enable it using Neon API and retry.'
	doctor --wait=2
	ends_at server endpoint-disabled "Enable the endpoint in Neon's console, or through its API."
	refuses ERROR XX000 'endpoint is not available'
	doctor
	ends_at server pooler-without-server "The endpoint's compute does not start: Neon's console says whether it is suspended, or the project past its limits. --wait keeps trying."
}

@test "Neon: an unencrypted connection is not blamed on pg_hba.conf" {
	for state in 28000 XX000; do
		refuses ERROR "$state" 'connection is insecure (try using `sslmode=require`)'
		doctor
		ends_at authentication tls-required "$ENCRYPT_HINT"
	done
}

# --- tunnels -----------------------------------------------------------------------------------

@test "a port that takes connections and closes them at once" {
	answering 'close $c;'
	for mode in prefer disable; do
		export PROD_CONNECTION_URL="postgresql://app:x@127.0.0.1:$SERVER_PORT/db?sslmode=$mode"
		doctor
		step=tls
		[ "$mode" = prefer ] || step=server
		ends_at "$step" closed-at-once "Something accepts connections there and closes them without a word, most often a tunnel, a port forwarding or a proxy whose far end is not there: check where it leads (ssh -L, kubectl port-forward, the load balancer's targets), and that the server runs there. With neither in between, the server's log says more."
	done
}

# --- the manual --------------------------------------------------------------------------------

@test "every cause stands in the manual" {
	manual=$(sed -n '/^The causes are$/,/^The options are/p' "$ROOT/man/db-doctor.1.in")
	names=$(sed -n 's/^\tX([A-Z_]*, "\([a-z-]*\)".*/\1/p' "$ROOT/src/pg/conn_failure.h")
	[ "$(wc -l <<<"$names")" -ge 40 ]
	for name in $names; do
		grep -qE "[ .]$name( |\$)" <<<"$manual" || printf '%s\n' "$name"
	done >missing
	assert_equal '' "$(<missing)"
}
