# A server that passes for one on Amazon RDS, for end-to-end tests: `load helper`, `load rds`. Its name
# is that of an endpoint and stands in its certificate; hostaddr leads to this machine.
#
#   authority NAME         makes a CA: $TEST_DIR/tls/NAME.pem and its key
#   certificate NAME CA HOST
#                          makes a certificate of that CA for HOST: $TEST_DIR/tls/NAME.pem, NAME.key
#   start_rds_server       in setup_file: starts one server for the tests of a file, which takes connections
#                          over TLS only, with a certificate for $RDS_HOST, and passwords in clear within
#                          TLS as IAM does
#   stop_rds_server        in teardown_file: ends it
#   rds_server             has a test use that server, as no other test has changed it (but databases stay
#                          until its end, roles as well). The CA is $TEST_DIR/tls/amazon.pem
#   rds_url USER[:PASSWORD] DATABASE [PARAMETERS]
#                          the URL of a database there
#   install_bundle [FILE]  puts the CA bundle ($TEST_DIR/tls/amazon.pem) where rds-ca-bundle would
#   beside COMMAND...      copies of these executables in $BESIDE, which is put first in PATH
#   fake_token             a rds-token in $BESIDE: each of its tokens is the password of the role app
#                          until the next one; its arguments are lines of $TEST_DIR/tokens
#   closed_port            prints a port of this machine that nothing listens on
#   answering PERL         a server whose every connection $c meets that code; sets SERVER_PORT
#   authorized MARK        the connections that the server let in since a mark, one a line

# shellcheck shell=bash
# SC2034: the tests use them. SC2154: helper.bash sets them.
# shellcheck disable=SC2034,SC2154

RDS_HOST=mydb.abc123.eu-central-1.rds.amazonaws.com

# In setup_file there is no test yet.
tls_dir() {
	printf '%s\n' "${TEST_DIR:-$BATS_FILE_TMPDIR}/tls"
}

authority() {
	local dir
	dir=$(tls_dir)
	mkdir -p "$dir"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days "${2:-30}" \
		-subj "/CN=$1 root" -addext 'basicConstraints=critical,CA:TRUE' \
		-keyout "$dir/$1.key" -out "$dir/$1.pem" 2>"$dir/log"
}

certificate() {
	local dir
	dir=$(tls_dir)
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$3" \
		-keyout "$dir/$1.key" -out "$dir/$1.csr" 2>"$dir/log" || return
	openssl x509 -req -in "$dir/$1.csr" -CA "$dir/$2.pem" -CAkey "$dir/$2.key" -set_serial 1 \
		-days 30 -extfile <(printf 'subjectAltName=DNS:%s\n' "$3") -out "$dir/$1.pem" 2>"$dir/log"
}

start_rds_server() {
	local home file
	authority amazon && certificate server amazon "$RDS_HOST" || return
	# Not in the file's directory: the path of a socket has to be short.
	home=$(mktemp -d "${TMPDIR:-/tmp}/pg.XXXXXX")
	printf '%s\n' "$home" >"$BATS_FILE_TMPDIR/rds"
	pg_server_at "$home" start --owner $$ || return
	use_server "$home"
	for file in pem key; do
		install -m 600 "$BATS_FILE_TMPDIR/tls/server.$file" "$home/data/server.$file" || return
	done
	if [ "$(id -u)" -eq 0 ]; then
		chown "$SERVER_ACCOUNT" "$home/data"/server.* || return
	fi
	printf 'local all all trust\nhostssl all all 127.0.0.1/32 password\n' >"$BATS_FILE_TMPDIR/hba"
	cat "$BATS_FILE_TMPDIR/hba" >"$home/data/pg_hba.conf"
	sql postgres - <<-'SQL'
		ALTER SYSTEM SET ssl_cert_file = 'server.pem';
		ALTER SYSTEM SET ssl_key_file = 'server.key';
		ALTER SYSTEM SET ssl = on;
		SELECT pg_reload_conf() \g /dev/null
	SQL
	wait_until "[ \"\$(sql postgres 'SHOW ssl')\" = on ]"
}

stop_rds_server() {
	pg_server_at "$(<"$BATS_FILE_TMPDIR/rds")" stop
}

rds_server() {
	local others='FROM pg_stat_activity WHERE datname IS NOT NULL AND pid <> pg_backend_pid()'
	use_server "$(<"$BATS_FILE_TMPDIR/rds")"
	mkdir -p "$TEST_DIR/tls" && cp "$BATS_FILE_TMPDIR"/tls/* "$TEST_DIR/tls/" || return
	if ! cmp -s "$BATS_FILE_TMPDIR/hba" "$SERVER_HOME/data/pg_hba.conf"; then
		cat "$BATS_FILE_TMPDIR/hba" >"$SERVER_HOME/data/pg_hba.conf"
		sql postgres 'SELECT pg_reload_conf()' >"$TEST_DIR/tls/log" || return
	fi
	sql postgres "ALTER ROLE app PASSWORD '$APP_PASSWORD'" || return
	# What sessions of another test say at their end is in the log now and not later.
	sql postgres "SELECT pg_terminate_backend(pid) $others" >"$TEST_DIR/tls/log" || return
	wait_until "[ \"\$(sql postgres 'SELECT count(*) $others')\" = 0 ]"
}

rds_url() {
	printf 'postgresql://%s@%s:%s/%s?hostaddr=127.0.0.1%s\n' \
		"$1" "$RDS_HOST" "$SERVER_PORT" "$2" "${3:+&$3}"
}

install_bundle() {
	mkdir -p "$HOME/.local/share/dbrig"
	cp "${1:-$TEST_DIR/tls/amazon.pem}" "$HOME/.local/share/dbrig/rds-ca-bundle.pem"
}

beside() {
	local name
	BESIDE=$TEST_DIR/beside
	mkdir -p "$BESIDE"
	for name; do
		cp "$DBRIG_BIN/$name" "$BESIDE/" || return
	done
	PATH=$BESIDE:$PATH
}

fake_token() {
	cat >"$BESIDE/rds-token" <<-SH
		#!/usr/bin/env bash
		echo "\$*" >>"$TEST_DIR/tokens"
		token=t0ken-\$(wc -l <"$TEST_DIR/tokens")-\$RANDOM
		"$SERVER_PSQL" -XAtq -d "$(url postgres)" -c "ALTER ROLE app PASSWORD '\$token'" || exit
		echo "\$token"
	SH
	chmod +x "$BESIDE/rds-token"
}

authorized() {
	server_log_since "$1" | grep -o 'connection authorized: user=app .*' || :
}

closed_port() {
	perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1)->sockport'
}

answering() {
	# shellcheck disable=SC2016 # perl's variables
	start_job perl -MIO::Socket::INET -e '
		$| = 1;
		my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 5);
		print $s->sockport, "\n";
		my @kept;
		while (my $c = $s->accept) {'"$1"'}'
	wait_until "[ -s '$JOB_OUT' ]"
	SERVER_PORT=$(<"$JOB_OUT")
}
