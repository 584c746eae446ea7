# A server that passes for one on Amazon RDS, for end-to-end tests: `load helper`, `load rds`. Its name
# is that of an endpoint and stands in its certificate; hostaddr leads to this machine.
#
#   authority NAME         makes a CA: $TEST_DIR/tls/NAME.pem and its key
#   certificate NAME CA HOST
#                          makes a certificate of that CA for HOST: $TEST_DIR/tls/NAME.pem, NAME.key
#   rds_server [HOST]      starts a server of the test's own that takes connections over TLS only, with a
#                          certificate for HOST ($RDS_HOST), and passwords in clear within TLS as IAM
#                          does. The CA is $TEST_DIR/tls/amazon.pem
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

authority() {
	local dir=$TEST_DIR/tls
	mkdir -p "$dir"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days "${2:-30}" \
		-subj "/CN=$1 root" -addext 'basicConstraints=critical,CA:TRUE' \
		-keyout "$dir/$1.key" -out "$dir/$1.pem" 2>"$dir/log"
}

certificate() {
	local dir=$TEST_DIR/tls
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$3" \
		-keyout "$dir/$1.key" -out "$dir/$1.csr" 2>"$dir/log" || return
	openssl x509 -req -in "$dir/$1.csr" -CA "$dir/$2.pem" -CAkey "$dir/$2.key" -set_serial 1 \
		-days 30 -extfile <(printf 'subjectAltName=DNS:%s\n' "$3") -out "$dir/$1.pem" 2>"$dir/log"
}

rds_server() {
	local host=${1:-$RDS_HOST} data file
	authority amazon && certificate server amazon "$host" && own_server || return
	data=$SERVER_HOME/data
	for file in pem key; do
		install -m 600 "$TEST_DIR/tls/server.$file" "$data/server.$file" || return
	done
	printf 'local all all trust\nhostssl all all 127.0.0.1/32 password\n' >"$data/pg_hba.conf"
	if [ "$(id -u)" -eq 0 ]; then
		chown "$SERVER_ACCOUNT" "$data"/server.* "$data/pg_hba.conf" || return
	fi
	sql postgres "ALTER SYSTEM SET ssl_cert_file = 'server.pem'"
	sql postgres "ALTER SYSTEM SET ssl_key_file = 'server.key'"
	sql postgres 'ALTER SYSTEM SET ssl = on'
	sql postgres 'SELECT pg_reload_conf()' >"$TEST_DIR/tls/log"
	wait_until "[ \"\$(sql postgres 'SHOW ssl')\" = on ]"
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
