#!/usr/bin/env bats
# bats file_tags=once
# The way to the server: where it ends, why, and what is to be typed.

load helper
load rds
load doctor-way

# --- the whole way -----------------------------------------------------------------------------

@test "over TLS each step is told, in its order, with its time and its facts" {
	tls_server
	prod
	doctor
	assert_status 0
	assert_equal '' "$stderr"
	assert_equal 'target dns tcp tls server authentication database privileges settings' \
		"$(jq -r '[.steps[].step] | join(" ")' <<<"$output")"
	assert_equal 7 "$(jq '[.steps[] | select(.ms != null and .ms >= 0 and .ms < 10000)] | length' <<<"$output")"
	assert_equal '127.0.0.1' "$(facts tcp address)"
	assert_equal "$SERVER_PORT" "$(facts tcp port)"
	assert_equal TLSv1.3 "$(facts tls version)"
	assert_equal verify-full "$(facts tls sslmode)"
	assert_equal "CN=$HOST" "$(facts tls certificate.subject)"
	assert_equal "$HOST" "$(facts tls certificate.names)"
	assert_equal "$(date -u -d "$(openssl x509 -noout -enddate -in "$TEST_DIR/tls/good.pem" | cut -d= -f2)" +%F)" \
		"$(facts tls certificate.not_after)"
	assert_equal "app $(asked 'password' 'password (password)')" "$(facts authentication user) $(facts authentication method)"
	assert_equal "$(sql postgres 'SHOW server_version')" "$(facts settings version)"
	assert_equal true "$(facts privileges createdb)"
	run --separate-stderr db-doctor prod -v
	assert_status 0
	assert_matches "$output" "(^|"$'\n'")ok      tls +[0-9.]+ ms TLSv1.3, "
	refute_contains "$output$stderr" "$APP_PASSWORD"
}

@test "on a Unix socket there is neither name nor TLS" {
	CONNECTION_URL=$(url postgres) run --separate-stderr db-doctor --no-health
	assert_status 0
	assert_matches "$output" $'\n-       dns +none needed: a Unix socket\n'
	assert_matches "$output" $'\n-       tls +none needed: a Unix socket\n'
	assert_matches "$output" $'\nok      socket +[0-9.]+ ms '
}

@test "the host may come from libpq's variables, and from a service file" {
	PGHOST=$SERVER_SOCKET PGPORT=$SERVER_PORT PGUSER=postgres PGDATABASE=postgres \
		run --separate-stderr db-doctor --no-health --json
	assert_status 0
	assert_equal "$SERVER_SOCKET/.s.PGSQL.$SERVER_PORT" "$(facts socket address)"
	printf '[mine]\nhost=127.0.0.1\nport=%s\nuser=app\ndbname=postgres\n' "$SERVER_PORT" >services
	PGSERVICEFILE=$PWD/services PGPASSWORD=$APP_PASSWORD CONNECTION_URL='service=mine' \
		run --separate-stderr db-doctor --no-health
	assert_status 0
	assert_contains "$output" "127.0.0.1 accepts connections at port $SERVER_PORT"
}

@test "without a URL the private server is started and examined" {
	make_project
	run --separate-stderr db-doctor --fail-on warning
	assert_status 2
	assert_contains "$output" 'does not exist'
	db-create
	run --separate-stderr db-doctor --fail-on warning
	assert_status 0
	assert_contains "$output" 'nothing found'
}

# --- the ten causes ----------------------------------------------------------------------------

@test "wrong host: no name server knows it" {
	export PROD_CONNECTION_URL=postgresql://app:x@nowhere.invalid/db
	doctor
	ends_at dns unknown-host \
		'Check the host in the URL: no name server knows it, or this machine reaches none.'
}

@test "closed port: nothing listens there" {
	SERVER_PORT=$(closed_port)
	prod
	doctor
	ends_at tcp connection-refused 'Is the server running there? --wait keeps trying until it is.'
}

@test "a socket that is not there" {
	mkdir nothing
	export PROD_CONNECTION_URL="postgresql://app@/db?host=$PWD/nothing"
	doctor
	ends_at socket no-socket "Is a server running with its socket in \"$PWD/nothing\"?"
}

@test "TLS required: the server offers it, and lets nobody in without" {
	tls_server
	prod '' '' sslmode=disable
	doctor
	ends_at authentication tls-required 'The server offers TLS, and wants it here: sslmode=verify-full in the URL, or sslmode=require where its certificate cannot be verified.'
	assert_equal false "$(facts tls encrypted)"
}

@test "a server without TLS that lets nobody in is not one that wants it" {
	own_server
	lets_in
	prod '' '' ''
	doctor
	ends_at authentication not-let-in "The server's pg_hba.conf does not let this user in from here, or not without TLS (sslmode=require)."
	CONNECTION_URL=$(url postgres | sed 's/postgres@/app@/') run --separate-stderr db-doctor --no-health
	assert_contains "$stderr" "hint: The server's pg_hba.conf does not let this user in over its Unix socket: that takes a line of type local."
}

@test "TLS wanted from a server that has none" {
	own_server
	prod '' '' sslmode=require
	doctor
	assert_equal tls-not-offered "$(jq -r .failure.cause <<<"$output")"
	assert_equal tls "$(jq -r '.steps[-1].step' <<<"$output")"
	assert_status 2
}

@test "expired certificate: since when, and nothing secret is sent" {
	tls_server expired
	prod
	mark=$(server_log_mark)
	doctor
	ends_at tls certificate-expired "The server needs a new certificate (ssl_cert_file, then SELECT pg_reload_conf()); check this machine's date too."
	assert_contains "$(jq -r .failure.detail <<<"$output")" "EXPIRED on $(date -u -d yesterday +%F)"
	refute_contains "$(server_log_since "$mark")" 'user=app'
}

@test "an expired certificate that nobody verifies is a finding" {
	tls_server expired
	prod '' '' sslmode=require
	doctor --fail-on error
	assert_status 5
	assert_equal "certificate-expiry error CN=$HOST" "$(jq -r '.findings[] | "\(.id) \(.severity) \(.object)"' <<<"$output")"
}

@test "a certificate that ends soon is a finding, one that does not is none" {
	tls_server ending
	prod
	doctor
	assert_status 0
	assert_equal 'certificate-expiry warning' "$(jq -r '.findings[] | "\(.id) \(.severity)"' <<<"$output")"
	doctor --ignore certificate-expiry --fail-on warning
	assert_status 0
}

@test "wrong host name in the certificate: which names it has" {
	tls_server other other
	prod
	doctor
	ends_at tls certificate-other-name 'The host in the URL has to be a name of the certificate; where that name does not lead to the server, its address goes into hostaddr.'
	assert_contains "$(jq -r .failure.detail <<<"$output")" 'for other.example.test, until'
}

@test "a certificate of an authority that is not trusted: which one signed it" {
	tls_server
	authority stranger
	prod '' '' "sslmode=verify-full&sslrootcert=$TEST_DIR/tls/stranger.pem"
	doctor
	ends_at tls certificate-not-trusted "Name the CA that signed the server's certificate with sslrootcert=FILE in the URL."
	assert_contains "$(jq -r .failure.detail <<<"$output")" 'It was signed by CN=amazon root.'
	assert_contains "$(jq -r .failure.detail <<<"$output")" 'unable to get local issuer certificate'
}

@test "wrong password" {
	tls_server
	prod app:wrong
	doctor
	ends_at authentication wrong-password "$PASSWORD_HINT"
	assert_equal TLSv1.3 "$(facts tls version)"
}

@test "no password" {
	tls_server
	prod app
	doctor
	ends_at authentication no-password 'Put the password into the URL, or into ~/.pgpass.'
}

@test "a role that is not there" {
	export PROD_CONNECTION_URL
	PROD_CONNECTION_URL=$(url postgres)
	PROD_CONNECTION_URL=${PROD_CONNECTION_URL/postgres@/nobody_here@}
	doctor
	assert_status 2
	assert_equal 'authentication no-such-role' "$(jq -r '"\(.steps[-1].step) \(.failure.cause)"' <<<"$output")"
	assert_contains "$stderr" 'hint: There is no role "nobody_here"'
}

@test "a role that may not log in: the SQL that is told lets it, whatever its name" {
	sql postgres 'CREATE ROLE "o""d … one" NOLOGIN'
	export PROD_CONNECTION_URL
	PROD_CONNECTION_URL=$(url postgres)
	PROD_CONNECTION_URL=${PROD_CONNECTION_URL/postgres@/o%22d%20…%20one@}
	doctor
	assert_status 2
	hint=$(jq -r .failure.hint <<<"$output")
	assert_contains "$hint" 'ALTER ROLE "o""d … one" LOGIN allows it'
	sql postgres "${hint%% allows it*}"
	assert_equal t "$(sql postgres "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'o\"d … one'")"
	sql postgres 'DROP ROLE "o""d … one"'
}

@test "a role whose password has expired: the server does not say so, and we say that" {
	own_server
	sql postgres "ALTER ROLE app VALID UNTIL '2020-01-01'"
	prod '' '' ''
	doctor
	ends_at authentication wrong-password "$PASSWORD_HINT"
	assert_contains "$(<"$SERVER_LOG")" 'has an expired password'
}

@test "other ways in than by password: peer, ident, trust" {
	own_server
	lets_in 'local all all peer' 'host all all 127.0.0.1/32 ident'
	prod '' '' ''
	doctor
	ends_at authentication ident-refused 'The server asks an ident service on this machine (port 113) who is calling, and few machines have one: its pg_hba.conf needs another method here, such as scram-sha-256.'
	PROD_CONNECTION_URL="postgresql://nocreate@/postgres?host=$SERVER_SOCKET&port=$SERVER_PORT"
	doctor
	ends_at authentication other-system-user "Peer authentication wants a role named like the operating system's user; name another way in with a URL."
	prod '' '' ''
	lets_in 'host all all 127.0.0.1/32 scram-sha-256'
	doctor
	assert_equal "$(asked 'password' 'password (scram-sha-256)')" "$(facts authentication method)"
	lets_in 'host all all 127.0.0.1/32 trust'
	doctor
	assert_status 0
	assert_equal "$(asked 'no password asked for (trust, peer, certificate)' 'no password asked for (trust)')" \
		"$(facts authentication method)"
}

@test "a certificate of the client that the server wants" {
	tls_server
	lets_in 'hostssl all all 127.0.0.1/32 cert'
	install -m 644 "$TEST_DIR/tls/amazon.pem" "$SERVER_HOME/data/clients.pem"
	sql postgres "ALTER SYSTEM SET ssl_ca_file = 'clients.pem'"
	sql postgres 'SELECT pg_reload_conf()'
	lets_in 'hostssl all all 127.0.0.1/32 cert'
	prod
	doctor
	ends_at authentication client-certificate 'The server wants a certificate of the client that an authority it knows has signed: sslcert=FILE and sslkey=FILE in the URL, with the user as its CN unless pg_ident.conf says otherwise.'
	# One that the server does not know the authority of.
	openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=app -days 2 -keyout "$TEST_DIR/own.key" -out "$TEST_DIR/own.pem" 2>"$TEST_DIR/tls/log"
	chmod 600 "$TEST_DIR/own.key"
	PROD_CONNECTION_URL+="&sslcert=$TEST_DIR/own.pem&sslkey=$TEST_DIR/own.key"
	doctor
	assert_equal 'authentication client-certificate' "$(jq -r '"\(.steps[-1].step) \(.failure.cause)"' <<<"$output")"
}

@test "a way in that the URL rules out" {
	own_server
	prod '' '' channel_binding=require
	doctor
	ends_at authentication method-not-offered 'channel_binding or require_auth, in the URL or the environment, rules out the way in which the server lets this user in. Channel binding takes TLS and a password that the server keeps for scram-sha-256.'
}

@test "an option that the server does not take is not a missing privilege" {
	hint='The parameter comes from options in the URL, from PGOPTIONS or from a service file: take it out there.'
	for option in log_statement=all nope=1 work_mem=much novalue; do
		prod '' '' "options=-c%20${option/=/%3D}"
		doctor
		ends_at database option-refused "$hint"
	done
}

@test "a database that is closed, and one that was half dropped" {
	DB=$(db shut)
	sql postgres "ALTER DATABASE $DB ALLOW_CONNECTIONS false"
	prod '' "$DB" ''
	doctor
	ends_at database database-not-accepting 'A reset may be loading it; what a killed one has left is put right by db-create or db-setup. One that was closed by hand opens with ALTER DATABASE '"\"$DB\" ALLOW_CONNECTIONS true."
	sql postgres "ALTER DATABASE $DB ALLOW_CONNECTIONS true"
	sql postgres "UPDATE pg_database SET datconnlimit = -2 WHERE datname = '$DB'"
	doctor
	ends_at database half-dropped-database 'A DROP DATABASE was interrupted: db-drop ends it, and db-setup then makes the database anew.'
	unset PROD_CONNECTION_URL
	CONNECTION_URL=$(url "$DB") run --separate-stderr db-drop
	assert_status 0
	assert_equal 0 "$(sql postgres "SELECT count(*) FROM pg_database WHERE datname = '$DB'")"
}

@test "missing database" {
	tls_server
	prod '' nowhere
	doctor
	ends_at database no-such-database 'Create it with db-create, or make it whole with db-setup: both take a role that may create databases (CREATEDB).'
}

@test "a database whose locale the system does not have" {
	tls_server
	drop_later other_locale
	sql postgres 'CREATE DATABASE other_locale'
	sql postgres "UPDATE pg_database SET datcollate = 'xx_XX.UTF-8' WHERE datname = 'other_locale'"
	prod '' other_locale
	doctor
	ends_at database locale-missing "The database was made with a locale that the server's system does not have (any more): install it there (locale-gen, on Debian), or load a dump of it, taken where the locale is, into a database with another one."
}

@test "a URL that names no database: what db-create wants as well" {
	tls_server
	sql postgres 'DROP DATABASE IF EXISTS app'
	prod
	PROD_CONNECTION_URL=${PROD_CONNECTION_URL/\/postgres\?/?}
	doctor
	ends_at database no-such-database 'PROD_CONNECTION_URL names no database, and one named like the user was asked for: add the name at the end of the URL, postgresql://user@host:5432/database. db-create needs that too.'
	unset PROD_CONNECTION_URL
	PGHOST=127.0.0.1 PGPORT=$SERVER_PORT PGUSER=app PGPASSWORD=$APP_PASSWORD PGSSLMODE=require \
		run --separate-stderr db-doctor --no-health
	assert_status 2
	assert_contains "$stderr" 'was asked for: set PGDATABASE. db-create needs that too.'
}

@test "a database that the role may not connect to" {
	tls_server
	DB=$(db closed)
	sql "$DB" "REVOKE CONNECT ON DATABASE $DB FROM PUBLIC"
	prod '' "$DB"
	doctor
	ends_at database no-connect-privilege "Its owner can let the role in: GRANT CONNECT ON DATABASE \"$DB\" TO \"app\";"
	hint=$(jq -r .failure.hint <<<"$output")
	sql "$DB" "${hint#*: }"
	doctor
	assert_status 0
}

@test "too many connections: of the role" {
	own_server
	sql postgres 'ALTER ROLE app CONNECTION LIMIT 0'
	prod '' '' ''
	doctor
	ends_at database too-many-connections "The role's CONNECTION LIMIT is used up: --wait keeps trying until one of its connections ends, in vain if the limit is 0. Whoever may alter the role sees it in pg_roles.rolconnlimit, and sets it with ALTER ROLE \"app\" CONNECTION LIMIT."
}

@test "too many connections: of the database, and how many it takes" {
	own_server
	DB=$(db full)
	sql postgres "ALTER DATABASE $DB CONNECTION LIMIT 0"
	prod '' "$DB" ''
	doctor
	ends_at database too-many-connections "The database's CONNECTION LIMIT is used up: --wait keeps trying until one of its connections ends, in vain if the limit is 0. From another database it is seen in pg_database.datconnlimit; ALTER DATABASE \"$DB\" CONNECTION LIMIT sets it."
	# A superuser gets in, and is told.
	CONNECTION_URL=$(url "$DB") run --separate-stderr db-doctor --json --only connection-headroom
	assert_status 0
	assert_equal "error database $DB lets nobody but superusers connect: its CONNECTION LIMIT is 0" \
		"$(jq -r '.findings[] | "\(.severity) \(.object) \(.message)"' <<<"$output")"
	sql postgres "$(jq -r '.findings[].fix' <<<"$output")"
	doctor
	assert_status 0
}

@test "too many connections: of the server" {
	own_server max_connections=6 superuser_reserved_connections=3 max_wal_senders=0
	for number in 1 2 3; do
		start_session postgres "session $number"
	done
	# Superusers have them all, this session one more.
	CONNECTION_URL=$(url postgres) run --separate-stderr db-doctor --json --only connection-headroom
	assert_equal 'server 3 of 3 connections are in use null db-sessions local says who has them.' \
		"$(jq -r '.findings[] | "\(.object) \(.message) \(.fix) \(.note)"' <<<"$output")"
	prod '' '' ''
	doctor
	ends_at server too-many-connections "The server's connections (max_connections) are in use, or those it leaves to ordinary roles: --wait keeps trying until one ends. db-sessions says who has them, by a role that may use the reserved ones (a superuser, on RDS the master user); if all are needed, PgBouncer or the like shares them, and a higher max_connections takes a restart."
}

@test "server starting up: a standby that lets nobody read yet" {
	own_server hot_standby=off
	pg_server standby
	prod '' '' ''
	doctor
	hint='This is a standby that lets nobody in (its setting hot_standby is off): name the primary in the URL. --wait keeps trying until it is promoted.'
	[ "$SERVER_VERSION" -ge 14 ] || hint='The server is starting, and lets in once it has read back what was written last: after a crash, or on a standby, that may take minutes, and its log says how far it is. --wait keeps trying.'
	ends_at server starting-up "$hint"
}

@test "standby: a finding, and the cause where the URL asks for a primary" {
	own_server
	pg_server standby
	prod '' '' ''
	doctor --fail-on warning
	assert_status 5
	assert_equal 'standby warning' "$(jq -r '.findings[] | "\(.id) \(.severity)"' <<<"$output")"
	assert_equal true "$(facts settings in_recovery)"
	prod '' '' target_session_attrs=read-write
	doctor
	ends_at server standby 'This server is a standby, which takes no writes: name the primary in the URL, or leave target_session_attrs out to read.'
	prod '' '' target_session_attrs=standby
	doctor --fail-on warning
	assert_status 0
	assert_equal 'settings ok' "$(jq -r '.steps[-1] | "\(.step) \(.status)"' <<<"$output")"
	# Its health can be examined too.
	run --separate-stderr db-doctor prod
	assert_status 0
	assert_contains "$output" 'a standby does not count what changed'
}

@test "a primary, where the URL asks for a standby" {
	for wanted in standby read-only; do
		export PROD_CONNECTION_URL
		PROD_CONNECTION_URL="$(url postgres)&target_session_attrs=$wanted"
		doctor
		ends_at server primary 'This server is a primary, and target_session_attrs asks for one that only reads: name a standby in the URL, or leave target_session_attrs out.'
	done
}

# --- other causes ------------------------------------------------------------------------------

@test "something else than PostgreSQL listens there" {
	answering 'sysread $c, my $hello, 8; print $c "HTTP/1.1 400 Bad Request\r\n\r\n"; close $c;'
	prod '' '' sslmode=prefer
	doctor
	ends_at tls not-postgresql 'Something else than PostgreSQL listens there: check the port in the URL.'
}

@test "a server that takes the connection and says nothing" {
	answering 'push @kept, $c;'
	prod '' '' 'connect_timeout=2'
	SECONDS=0
	doctor
	[ "$SECONDS" -le 6 ]
	assert_status 2
	ends_at server silent "Something accepts connections there but does not speak PostgreSQL's protocol: a tunnel or a proxy without its other end, a wrong port, or a server that hangs."
	refute_contains "$stderr$output" 'drops the packets'
	assert_equal 'tls skipped' "$(jq -r '.steps[-2] | "\(.step) \(.status)"' <<<"$output")"
	prod '' '' 'connect_timeout=2&sslmode=disable'
	doctor
	assert_equal 'tls ok server failed silent' "$(jq -r '"\(.steps[-2].step) \(.steps[-2].status) \(.steps[-1].step) \(.steps[-1].status) \(.failure.cause)"' <<<"$output")"
}

# A port whose queue is full: packets to it are dropped. Sets SILENT_PORT.
dropping() {
	start_job perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1);
		my @kept = map { IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $s->sockport, Blocking => 0) } 1 .. 8;
		$| = 1;
		print $s->sockport, "\n";
		sleep 600;'
	wait_until "[ -s '$JOB_OUT' ]"
	SILENT_PORT=$(<"$JOB_OUT")
}

@test "a port that drops packets" {
	dropping
	export PROD_CONNECTION_URL="postgresql://app@127.0.0.1:$SILENT_PORT/db?connect_timeout=2"
	SECONDS=0
	doctor
	[ "$SECONDS" -le 4 ]
	ends_at tcp no-answer "Something drops the packets on the way, most often a firewall or a security group that does not know this machine's address; or the host is down. Check host and port ($SILENT_PORT) in the URL."
}

@test "an address that drops packets, tried before one that answers, is found out" {
	dropping
	export PROD_CONNECTION_URL="postgresql://app:$APP_PASSWORD_ENCODED@127.0.0.1:$SILENT_PORT,127.0.0.1:$SERVER_PORT/postgres?connect_timeout=3"
	doctor
	assert_equal 'address-unreachable warning' "$(jq -r '.findings[] | "\(.id) \(.severity)"' <<<"$output")"
	assert_equal warning "$(jq -r '.steps[2].status' <<<"$output")"
	if [ "$status" -ne 0 ]; then
		assert_equal 'tcp no-answer' "$(jq -r '"\(.steps[-1].step) \(.failure.cause)"' <<<"$output")"
		assert_contains "$stderr" 'does not answer, and is tried before'
	fi
}

# connections_to PORT: whether there is one, by the kernel's table (01: established).
connections_to() {
	grep -q "^ *[0-9]*: [0-9A-F]*:[0-9A-F]* [0-9A-F]*:$(printf %04X "$1") 01 " /proc/net/tcp
}

@test "a signal ends it at once, while a server says nothing" {
	answering 'push @kept, $c;'
	prod
	start_job db-doctor prod
	wait_until 'connections_to "$SERVER_PORT"'
	sleep 0.2
	kill -INT "$JOB_PID"
	wait_until job_ended 3
	finish_job
	assert_status 130
}

@test "a database that sessions begin read-only in is told" {
	tls_server
	DB=$(db_name ro)
	sql postgres "CREATE DATABASE $DB OWNER app"
	sql postgres "ALTER DATABASE $DB SET default_transaction_read_only = on"
	prod '' "$DB"
	doctor
	assert_equal "read-only $DB" "$(jq -r '.findings[] | "\(.id) \(.object)"' <<<"$output")"
}

@test "a role whose password expires soon is told" {
	own_server
	sql postgres "ALTER ROLE app VALID UNTIL '$(date -u -d '+10 days' +%F)'"
	prod '' '' ''
	doctor
	assert_equal 'password-expiry warning app' "$(jq -r '.findings[] | "\(.id) \(.severity) \(.object)"' <<<"$output")"
	sql postgres "ALTER ROLE app VALID UNTIL 'infinity'"
	doctor
	assert_equal '' "$(jq -r '.findings[].id' <<<"$output")"
}

@test "several hosts: the first that answers, and those before it" {
	tls_server
	closed=$(closed_port)
	export PROD_CONNECTION_URL="postgresql://app:$APP_PASSWORD_ENCODED@127.0.0.1:$closed,127.0.0.1:$SERVER_PORT/postgres?sslmode=require"
	doctor
	assert_status 0
	assert_contains "$(jq -r '.steps[] | select(.step == "tcp").text' <<<"$output")" 'Connection refused'
	assert_equal "$SERVER_PORT" "$(facts tcp port)"
}

@test "without --json the steps are printed, then the error on stderr" {
	SERVER_PORT=$(closed_port)
	prod
	run --separate-stderr db-doctor prod
	assert_status 2
	assert_matches "${lines[-1]}" '^FAILED  tcp +[0-9.]+ ms Connection refused$'
	assert_matches "$stderr" '^db-doctor: error: could not connect to app@'
}

@test "on RDS the hints are those of RDS" {
	rds_server
	export PROD_CONNECTION_URL
	PROD_CONNECTION_URL=$(rds_url "app:$APP_PASSWORD_ENCODED" postgres sslmode=disable)
	doctor
	ends_at authentication tls-required 'The server takes encrypted connections only. Leave sslmode out of the URL and PGSSLMODE unset: the connection is then encrypted and verified.'
}

# --- waiting -----------------------------------------------------------------------------------

@test "--wait: until the server is there, and then the way" {
	own_server
	prod '' '' ''
	pg_server pause
	start_job db-doctor prod --json --no-health --wait=30
	sleep 0.5
	pg_server start
	wait_until job_ended 20
	finish_job
	assert_status 0
	assert_equal 'wait ok' "$(jq -r '.steps[1] | "\(.step) \(.status)"' <<<"$output")"
	assert_equal settings "$(jq -r '.steps[-1].step' <<<"$output")"
}

@test "--wait: in vain, with the cause and status 6" {
	SERVER_PORT=$(closed_port)
	prod
	doctor --wait=0.5
	ends_at tcp connection-refused 'Is the server running there? --wait keeps trying until it is.' 6
}

# --- what is no way ----------------------------------------------------------------------------

@test "a service that no file has is told as libpq tells it, and no other server is looked at" {
	printf '[mine]\nport=%s\n[broken]\nnope=1\n' "$SERVER_PORT" >services
	# What libpq would fall back on.
	export PGSERVICEFILE=$PWD/services PGHOST=$SERVER_SOCKET PGPORT=$SERVER_PORT PGUSER=postgres
	PROD_CONNECTION_URL=service=nosuch doctor
	assert_status 64
	assert_equal 'no-target target 1 definition of service "nosuch" not found' \
		"$(jq -r '"\(.failure.cause) \(.steps[-1].step) \(.steps | length) \(.failure.message)"' <<<"$output")"
	assert_equal 'The service comes from PROD_CONNECTION_URL.' "$(jq -r .failure.detail <<<"$output")"
	assert_equal 'Services are defined in ~/.pg_service.conf, or in the file that PGSERVICEFILE names.' \
		"$(jq -r .failure.hint <<<"$output")"
	PGSERVICE=nosuch PROD_CONNECTION_URL=postgresql://postgres@/postgres doctor
	assert_status 64
	assert_contains "$stderr" 'The service comes from PGSERVICE.'
	PROD_CONNECTION_URL=service=broken doctor
	assert_status 64
	assert_contains "$stderr" "syntax error in service file \"$PWD/services\", line 4"
	PGSERVICEFILE=$PWD/nowhere PROD_CONNECTION_URL=service=mine doctor
	assert_status 64
	assert_contains "$stderr" "service file \"$PWD/nowhere\" not found"
	# One that says nothing new is there all the same.
	PROD_CONNECTION_URL='service=mine dbname=postgres' doctor
	assert_status 0
}

@test "--json: one object also where the URL is none" {
	for value in 'postgresql://[' 'nonsense' 'postgresql://app@db/x?nope=1'; do
		export PROD_CONNECTION_URL=$value
		doctor
		assert_status 64
		assert_equal 'prod false no-target target failed' \
			"$(jq -r '"\(.target) \(.connected) \(.failure.cause) \(.steps[-1].step) \(.steps[-1].status)"' <<<"$output")"
		assert_contains "$stderr" "$(jq -r .failure.message <<<"$output")"
		run --separate-stderr db-doctor prod
		assert_status 64
		assert_equal '' "$output"
	done
	unset PROD_CONNECTION_URL
	doctor
	assert_status 64
	assert_equal no-target "$(jq -r .failure.cause <<<"$output")"
}

@test "client_encoding: one that is none is a finding, which other clients are refused for" {
	export PROD_CONNECTION_URL
	PROD_CONNECTION_URL="$(url postgres)&client_encoding=nope"
	run ! "$SERVER_PSQL" -Xc 'SELECT 1' "$PROD_CONNECTION_URL"
	doctor --fail-on error
	assert_status 5
	assert_equal 'client-encoding error nope' "$(jq -r '.findings[] | "\(.id) \(.severity) \(.object)"' <<<"$output")"
	for encoding in auto latin1 UTF8; do
		PROD_CONNECTION_URL="$(url postgres)&client_encoding=$encoding"
		doctor
		assert_equal '' "$(jq -r '.findings[].id' <<<"$output")"
	done
	PROD_CONNECTION_URL=$(url postgres)
	PGCLIENTENCODING=nope doctor
	assert_equal client-encoding "$(jq -r '.findings[].id' <<<"$output")"
}
