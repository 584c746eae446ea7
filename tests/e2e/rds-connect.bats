#!/usr/bin/env bats
# Connections to Amazon RDS: TLS that verifies, IAM tokens, and what a failure says.

load helper
load rds
load aws

setup_file() {
	start_rds_server
}

teardown_file() {
	stop_rds_server
}

setup() {
	common_setup
	unset CONNECTION_URL DATABASE_URL "${!PG@}"
}

# ssl_of_session [ARGUMENT...]: has a command on prod note how its own session is encrypted.
load_ssl() {
	run --separate-stderr db-schema-load prod -f - "$@" <<-'SQL'
		CREATE TABLE session AS SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid();
	SQL
}

prod() {
	PROD_CONNECTION_URL=$(rds_url "$@")
	export PROD_CONNECTION_URL
}

app_database() {
	DB=$(db_name rds)
	sql postgres "CREATE DATABASE $DB OWNER app"
}

# --- TLS ---------------------------------------------------------------------------------------

@test "a server on RDS is verified with the installed bundle, and the session is encrypted" {
	rds_server
	app_database
	install_bundle
	prod "app:$APP_PASSWORD_ENCODED" "$DB"
	load_ssl
	assert_status 0
	assert_equal t "$(sql "$DB" 'SELECT ssl FROM session')"
}

@test "a bundle that rds-ca-bundle installed is the one that is used" {
	rds_server
	app_database
	prod "app:$APP_PASSWORD_ENCODED" "$DB"
	load_ssl
	assert_status 64
	assert_contains "$stderr" 'hint: Install it with rds-ca-bundle'
	rds-ca-bundle --from "$TEST_DIR/tls/amazon.pem"
	load_ssl
	assert_status 0
}

@test "a server whose certificate another authority signed is not let near the password" {
	rds_server
	authority other
	install_bundle "$TEST_DIR/tls/other.pem"
	prod "app:$APP_PASSWORD_ENCODED" postgres
	mark=$(server_log_mark)
	run --separate-stderr db-sessions prod
	assert_status 2
	assert_contains "$stderr" 'certificate verify failed'
	assert_contains "$stderr" 'hint: rds-ca-bundle installs the present CA bundle.'
	assert_equal '' "$(authorized "$mark")"
}

@test "a server whose certificate is for another name is refused" {
	rds_server
	install_bundle
	RDS_HOST=other.abc123.eu-central-1.rds.amazonaws.com prod "app:$APP_PASSWORD_ENCODED" postgres
	mark=$(server_log_mark)
	run --separate-stderr db-sessions prod
	assert_status 2
	assert_contains "$stderr" 'does not match host name'
	assert_contains "$stderr" "hint: The host in the URL has to be the endpoint's own name"
	assert_equal '' "$(authorized "$mark")"
}

@test "a server without TLS is refused: nothing falls back to a weaker mode" {
	authority amazon
	install_bundle
	prod "app:$APP_PASSWORD_ENCODED" postgres
	mark=$(server_log_mark)
	run --separate-stderr db-sessions prod
	assert_status 2
	assert_contains "$stderr" 'server does not support SSL'
	refute_contains "$(server_log_since "$mark")" 'user=app'
}

@test "sslmode=verify-full in the URL takes the installed bundle too" {
	rds_server
	install_bundle
	prod "app:$APP_PASSWORD_ENCODED" postgres sslmode=verify-full
	run --separate-stderr db-sessions prod
	assert_status 0
}

@test "sslmode=verify-ca takes the installed bundle too" {
	rds_server
	install_bundle
	prod "app:$APP_PASSWORD_ENCODED" postgres sslmode=verify-ca
	run --separate-stderr db-sessions prod
	assert_status 0
}

@test "a missing file that sslrootcert names is what the hint is about" {
	rds_server
	prod "app:$APP_PASSWORD_ENCODED" postgres sslrootcert=/nowhere.pem
	run --separate-stderr db-sessions prod
	assert_status 2
	assert_contains "$stderr" 'hint: Correct sslrootcert in PROD_CONNECTION_URL, which names "/nowhere.pem".'
	prod "app:$APP_PASSWORD_ENCODED" postgres
	PGSSLROOTCERT=/nowhere.pem run --separate-stderr db-sessions prod
	assert_status 64
	assert_contains "$stderr" 'PGSSLROOTCERT names it.'
}

@test "a dot at the end of the host does not keep the certificate from matching" {
	rds_server
	install_bundle
	RDS_HOST+=. prod "app:$APP_PASSWORD_ENCODED" postgres
	run --separate-stderr db-sessions prod
	assert_status 0
}

@test "the place of the bundle cannot be moved by .env" {
	rds_server
	install_bundle
	mkdir -p "$TEST_DIR/evil/dbrig" db
	authority other
	cp "$TEST_DIR/tls/other.pem" "$TEST_DIR/evil/dbrig/rds-ca-bundle.pem"
	echo "XDG_DATA_HOME=$TEST_DIR/evil" >.env
	prod "app:$APP_PASSWORD_ENCODED" postgres
	run --separate-stderr db-sessions prod
	assert_status 0
}

# --- IAM ---------------------------------------------------------------------------------------

# A server, a bundle, a target prod that signs in with tokens, and the commands beside a rds-token.
iam_target() {
	rds_server
	app_database
	install_bundle
	beside "$@"
	fake_token
	prod app "$DB"
	export PROD_AUTH=iam
}

@test "with PROD_AUTH=iam the password is what rds-token prints" {
	iam_target db-schema-load
	load_ssl
	assert_status 0
	assert_equal t "$(sql "$DB" 'SELECT ssl FROM session')"
	assert_equal "-q --host=$RDS_HOST --port=$SERVER_PORT --user=app --no-env-file" \
		"$(<"$TEST_DIR/tokens")"
}

@test "every connection has a token of its own" {
	iam_target db-schema-load
	mark=$(server_log_mark)
	run --separate-stderr db-schema-load prod --no-transaction -f - <<-SQL
		SELECT 1;
		\\connect postgres
		SELECT 2;
		\\connect $DB
		SELECT 3;
	SQL
	assert_status 0
	[ "$(authorized "$mark" | wc -l)" -ge 3 ]
	assert_equal "$(authorized "$mark" | wc -l)" "$(wc -l <"$TEST_DIR/tokens")"
}

@test "the second connection that says who holds a lock has a token too" {
	iam_target db-schema-load
	sql "$DB" 'CREATE TABLE taken (id integer); ALTER TABLE taken OWNER TO app'
	start_session "$DB" holder "BEGIN; LOCK TABLE taken; SELECT pg_sleep(60)"
	echo 'ALTER TABLE taken ADD name text;' >alter.sql
	start_job db-schema-load prod --confirm "$DB" -f alter.sql
	wait_until "grep -q 'application holder' '$JOB_ERR'" 20
	[ "$(wc -l <"$TEST_DIR/tokens")" -ge 2 ]
	kill -INT "$JOB_PID"
	finish_job
}

@test "a \\connect with other parameters never gets the token" {
	iam_target db-schema-load
	printf 'hostnossl all all 127.0.0.1/32 password\n' >>"$SERVER_HOME/data/pg_hba.conf"
	sql postgres 'SELECT pg_reload_conf()'
	mark=$(server_log_mark)
	run --separate-stderr db-schema-load prod --allow-connect --no-transaction -f - <<-'SQL'
		\connect -reuse-previous=on "sslmode=disable"
		SELECT 1;
	SQL
	[ "$status" -ne 0 ]
	refute_contains "$(authorized "$mark" | grep -v SSL || :)" app
	assert_contains "$stderr" 'no password supplied'
}

@test "db-connect gives the token to the client in PGPASSWORD, and in no argument" {
	iam_target db-connect
	cat >client <<-'SH'
		#!/bin/sh
		echo "$PGPASSWORD|$PGSSLMODE|$*"
		exec psql "$@" -XAtc 'SELECT current_user' </dev/null
	SH
	chmod +x client
	DB_CLIENT=./client run --separate-stderr db-connect prod
	assert_status 0
	assert_matches "${lines[0]}" '^t0ken-2-[0-9]+\|verify-full\|'
	refute_contains "${lines[0]#*|}" t0ken
	assert_equal app "${lines[1]}"
}

@test "no token is in what is printed, with -v and --echo and when it is refused" {
	iam_target db-schema-load
	load_ssl -v --echo
	assert_status 0
	refute_contains "$output$stderr" t0ken
	sed -i 's/^echo "$token"/echo t0ken-wrong/' "$BESIDE/rds-token"
	load_ssl -v --echo
	assert_status 2
	assert_contains "$stderr" 'password authentication failed'
	refute_contains "$output$stderr" t0ken
}

@test "a token that is taken for a password is explained" {
	iam_target db-sessions
	sed -i 's/^echo "$token"/echo t0ken-wrong/' "$BESIDE/rds-token"
	run --separate-stderr db-sessions prod
	assert_status 2
	assert_contains "$stderr" 'hint: The server took the token for a password: the user needs GRANT rds_iam TO "app"'
}

@test "rds-token's own error is passed on with its exit status" {
	iam_target db-sessions
	for expected in 1 2 6 64; do
		cat >"$BESIDE/rds-token" <<-SH
			#!/bin/sh
			echo 'rds-token: error: no AWS credentials' >&2
			echo 'detail: Looked here and there.' >&2
			echo 'hint: Set AWS_PROFILE.' >&2
			exit $expected
		SH
		run --separate-stderr db-sessions prod
		assert_status "$expected"
		assert_equal "db-sessions: error: could not get an IAM token for user \"app\" of $RDS_HOST
detail: no AWS credentials
Looked here and there.
hint: Set AWS_PROFILE." "$stderr"
	done
}

@test "what is no token is not sent, and not shown" {
	iam_target db-sessions
	for answer in '' 'two words' $'two\nlines' $'bell\a'; do
		printf '#!/bin/bash\nprintf %%s\\\\n %q\n' "$answer" >"$BESIDE/rds-token"
		mark=$(server_log_mark)
		run --separate-stderr db-sessions prod
		assert_status 1
		assert_contains "$stderr" 'what rds-token printed is none'
		refute_contains "$stderr" "${answer:-nothing}"
		refute_contains "$(server_log_since "$mark")" 'user=app'
	done
}

@test "without rds-token the error says what is missing" {
	iam_target db-sessions
	rm "$BESIDE/rds-token"
	PATH=$BESIDE:/usr/bin:/bin run --separate-stderr db-sessions prod
	assert_status 1
	assert_contains "$stderr" "could not run \"$BESIDE/rds-token\": No such file or directory"
	assert_contains "$stderr" 'hint: rds-token belongs to dbrig: install it beside db-sessions.'
}

@test "PROD_AUTH may stand in .env, which rds-token then reads too" {
	iam_target db-sessions
	unset PROD_AUTH
	mkdir db sub
	echo PROD_AUTH=iam >.env
	cd sub
	run --separate-stderr db-sessions prod
	assert_status 0
	assert_contains "$(<"$TEST_DIR/tokens")" " --env-file=$TEST_DIR/.env"
}

@test "a password in the URL is not sent with PROD_AUTH=iam" {
	iam_target db-sessions
	prod app:wrong "$DB"
	run --separate-stderr db-sessions prod
	assert_status 0
}

@test "the server sees exactly the token that rds-token makes of the AWS keys" {
	iam_target db-sessions
	start_aws
	# The role's password becomes what the real one made a moment before it is used.
	cat >"$BESIDE/rds-token" <<-SH
		#!/usr/bin/env bash
		token=\$("$DBRIG_BIN/rds-token" "\$@") || exit
		echo "ALTER ROLE app PASSWORD '\$token'" | "$SERVER_PSQL" -XAtq -d "$(url postgres)" || exit
		echo "\$token"
	SH
	mark=$(server_log_mark)
	run --separate-stderr db-sessions prod
	assert_status 0
	assert_equal 1 "$(authorized "$mark" | wc -l)"
	assert_contains "$(server_log_since "$mark")" \
		"$RDS_HOST:$SERVER_PORT/?Action=connect&DBUser=app&"
}

@test "another rds-token in PATH is not asked" {
	iam_target db-sessions
	mkdir other
	mv "$BESIDE/rds-token" other/
	PATH=$BESIDE:$PWD/other:$PATH run --separate-stderr db-sessions prod
	assert_status 1
	[ ! -e "$TEST_DIR/tokens" ]
	cd other
	PATH=.:$BESIDE:$PATH run --separate-stderr db-sessions prod
	assert_status 1
	[ ! -e "$TEST_DIR/tokens" ]
}

@test "an rds-token that prints without end is ended, and a token too long is not sent" {
	iam_target db-sessions
	printf '#!/bin/sh\necho $$ >%q\nexec yes\n' "$TEST_DIR/pid" >"$BESIDE/rds-token"
	SECONDS=0
	run --separate-stderr db-sessions prod
	assert_status 1
	[ "$SECONDS" -le 5 ]
	assert_contains "$stderr" 'printed more than 65536 bytes'
	refute_contains "$stderr" hint
	[ ! -d "/proc/$(<"$TEST_DIR/pid")" ]
	printf '#!/bin/sh\nhead -c 16385 /dev/zero | tr "\\\\0" x\n' >"$BESIDE/rds-token"
	mark=$(server_log_mark)
	run --separate-stderr db-sessions prod
	assert_status 1
	assert_contains "$stderr" 'what rds-token printed is none'
	refute_contains "$(server_log_since "$mark")" 'user=app'
}

# refused URL MESSAGE: prod with that URL and PROD_AUTH=iam is a usage error.
refused() {
	PROD_CONNECTION_URL=$1 PROD_AUTH=${3:-iam} run --separate-stderr db-sessions prod
	assert_status 64 && assert_contains "$stderr" "db-sessions: error: $2"
}

@test "PROD_AUTH=iam is refused where a token could not be used, or would be exposed" {
	authority amazon
	install_bundle
	beside db-sessions
	printf '#!/bin/sh\necho >%q\n' "$TEST_DIR/asked" >"$BESIDE/rds-token"
	chmod +x "$BESIDE/rds-token"
	refused "postgresql://app@$RDS_HOST,other.$RDS_HOST/db" 'PROD_AUTH=iam cannot be used with several hosts'
	refused "postgresql://app@localhost/db" 'PROD_AUTH=iam needs the endpoint of an RDS instance as host'
	refused "postgresql:///db?user=app&hostaddr=127.0.0.1" 'PROD_AUTH=iam needs the endpoint of an RDS instance'
	refused "postgresql://$RDS_HOST/db" 'PROD_AUTH=iam needs a user in the URL'
	for mode in disable allow prefer require verify-ca; do
		refused "postgresql://app@$RDS_HOST/db?sslmode=$mode" \
			"PROD_AUTH=iam needs sslmode=verify-full, not $mode"
		PGSSLMODE=$mode refused "postgresql://app@$RDS_HOST/db" \
			"PROD_AUTH=iam needs sslmode=verify-full, not $mode"
	done
	refused "postgresql://app@$RDS_HOST/db" 'PROD_AUTH is "IAM"' IAM
	[ ! -e "$TEST_DIR/asked" ]
}

@test "PROD_AUTH=password is the same as none" {
	rds_server
	install_bundle
	prod "app:$APP_PASSWORD_ENCODED" postgres
	PROD_AUTH=password run --separate-stderr db-sessions prod
	assert_status 0
}

@test "the local target signs in with tokens by LOCAL_AUTH" {
	iam_target db-sessions
	unset PROD_AUTH
	CONNECTION_URL=$PROD_CONNECTION_URL LOCAL_AUTH=iam run --separate-stderr db-sessions
	assert_status 0
	assert_equal 1 "$(wc -l <"$TEST_DIR/tokens")"
}

# --- failures explained ------------------------------------------------------------------------

# A server that refuses everybody with this SQLSTATE and message.
refusing() {
	answering '
		sysread $c, my $startup, 4096;
		my $text = "SFATAL\0VFATAL\0C'"$1"'\0M'"$2"'\0\0";
		print $c "E", pack("N", 4 + length $text), $text;
		close $c;'
}

@test "a refused connection through hostaddr asks for the tunnel" {
	authority amazon
	install_bundle
	SERVER_PORT=$(closed_port)
	prod app:x db
	run --separate-stderr db-sessions prod
	assert_status 2
	assert_contains "$stderr" "hint: Is the tunnel running that should listen on 127.0.0.1, port $SERVER_PORT?"
	assert_contains "$stderr" 'The connection comes from PROD_CONNECTION_URL.'
}

@test "a server that does not answer is explained, with --wait too" {
	authority amazon
	install_bundle
	answering 'push @kept, $c;'
	prod app:x db connect_timeout=2
	run --separate-stderr db-sessions prod
	assert_status 2
	assert_contains "$stderr" 'hint: Something listens on 127.0.0.1, but the server behind it does not answer'
	run --separate-stderr db-sessions prod --wait=1
	assert_status 6
	assert_contains "$stderr" 'hint: Something listens on 127.0.0.1, but the server behind it does not answer'
}

@test "an endpoint that does not exist is explained" {
	authority amazon
	install_bundle
	PROD_CONNECTION_URL=postgresql://app:x@gone.invalid.eu-central-1.rds.amazonaws.com/db \
		run --separate-stderr db-sessions prod
	assert_status 2
	assert_contains "$stderr" 'hint: Is the name right, is the instance still there'
}

@test "a server that wants TLS is explained" {
	rds_server
	prod "app:$APP_PASSWORD_ENCODED" postgres sslmode=disable
	run --separate-stderr db-sessions prod
	assert_status 2
	assert_contains "$stderr" 'no encryption'
	assert_contains "$stderr" 'hint: The server takes encrypted connections only. Leave sslmode out of the URL'
}

@test "a refused token is explained" {
	refusing 28000 'PAM authentication failed for user \"app\"'
	prod app:x db sslmode=disable
	run --separate-stderr db-sessions prod
	assert_status 2
	assert_contains "$stderr" 'hint: This user signs in with tokens, not with a password: set PROD_AUTH=iam.'
}

@test "a wrong password names rds-password, on RDS only" {
	rds_server
	install_bundle
	prod app:wrong postgres
	run --separate-stderr db-sessions prod
	assert_status 2
	assert_contains "$stderr" 'rds-password sets a new one for the master user.'
	CONNECTION_URL=postgresql://app:wrong@localhost:$SERVER_PORT/postgres run --separate-stderr db-sessions
	assert_status 2
	refute_contains "$stderr" rds-
}

@test "a database that does not exist keeps its own hint" {
	rds_server
	install_bundle
	prod "app:$APP_PASSWORD_ENCODED" nowhere
	run --separate-stderr db-sessions prod
	assert_status 2
	assert_contains "$stderr" 'hint: Create it with db-create'
}

@test "db-connect explains a server on RDS that is not reached, and starts no client" {
	authority amazon
	install_bundle
	SERVER_PORT=$(closed_port)
	prod app:x db
	DB_CLIENT=true run --separate-stderr db-connect prod
	assert_status 2
	assert_contains "$stderr" 'hint: Is the tunnel running'
}

@test "db-connect leaves a missing password, and what the server says, to the client" {
	rds_server
	install_bundle
	prod app postgres
	# Without a terminal, on which it would be asked for.
	DB_CLIENT=true run --separate-stderr setsid -w db-connect prod
	assert_status 0
	prod "app:$APP_PASSWORD_ENCODED" nowhere
	DB_CLIENT=true run --separate-stderr db-connect prod
	assert_status 0
	prod app:wrong postgres
	DB_CLIENT=true run --separate-stderr db-connect prod
	assert_status 2
}

@test "a missing password is explained" {
	rds_server
	install_bundle
	prod app postgres
	run --separate-stderr db-sessions prod
	assert_status 2
	assert_contains "$stderr" 'hint: Put the password into the URL or into ~/.pgpass, or sign in with tokens: PROD_AUTH=iam.'
}

@test "a \\connect as another user keeps the address of the same host" {
	rds_server
	install_bundle
	prod "app:$APP_PASSWORD_ENCODED" postgres
	PGPASSFILE=$TEST_DIR/pgpass
	echo "*:*:*:other:secret" >"$PGPASSFILE"
	chmod 600 "$PGPASSFILE"
	export PGPASSFILE
	sql postgres "CREATE ROLE other LOGIN PASSWORD 'secret'"
	mark=$(server_log_mark)
	run --separate-stderr db-schema-load prod --confirm postgres --allow-connect --no-transaction -f - <<-SQL
		\\connect postgres other $RDS_HOST
		SELECT 1;
	SQL
	assert_status 0
	assert_contains "$(server_log_since "$mark")" 'connection authorized: user=other'
}

# --- asking AWS --------------------------------------------------------------------------------

# A target whose tunnel is down, and an instance of that name in a state.
unreachable() {
	authority amazon
	install_bundle
	start_aws
	aws_instance mydb "$1"
	SERVER_PORT=$(closed_port)
	prod app:x db
}

@test "with credentials a stopped instance is recognized" {
	unreachable stopped
	run --separate-stderr db-sessions prod
	assert_status 2
	assert_contains "$stderr" 'AWS says that the instance "mydb" is stopped.'
	assert_contains "$stderr" 'hint: Start it with: rds-start --instance mydb --wait --region eu-central-1'
	assert_equal 'rds DescribeDBInstances 200' "$(aws_requests)"
}

@test "an instance that is available is not the cause" {
	unreachable available
	run --separate-stderr db-sessions prod
	assert_status 2
	assert_contains "$stderr" 'AWS says that the instance "mydb" is available.'
	assert_contains "$stderr" 'hint: Is the tunnel running'
}

@test "AWS is asked in the region of the endpoint" {
	unreachable stopped
	AWS_REGION=us-east-1 run --separate-stderr db-sessions prod
	assert_contains "$stderr" 'is stopped.'
}

@test "an AWS that does not answer costs three seconds and no more" {
	unreachable stopped
	aws_fault 'DescribeDBInstances hang' always
	SECONDS=0
	run --separate-stderr db-sessions prod
	assert_status 2
	[ "$SECONDS" -le 6 ]
	assert_contains "$stderr" 'hint: Is the tunnel running'
	refute_contains "$stderr" DescribeDBInstances
}

@test "without credentials nothing is said about them" {
	unreachable stopped
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	run --separate-stderr db-sessions prod
	assert_status 2
	assert_contains "$stderr" 'hint: Is the tunnel running'
	refute_contains "$stderr" credentials
	assert_equal '' "$(aws_requests)"
}

@test "AWS is not asked when the server itself has answered" {
	rds_server
	install_bundle
	start_aws
	aws_instance mydb available
	prod app:wrong postgres
	run --separate-stderr db-sessions prod
	assert_status 2
	assert_equal '' "$(aws_requests)"
}
