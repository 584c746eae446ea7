# The way to a server with TLS, for tests of db-doctor: `load helper`, `load rds`, `load doctor-way`.

# shellcheck shell=bash
# SC2154: helper.bash, rds.bash and bats set them. SC2034: tests read them.
# shellcheck disable=SC2154,SC2034

HOST=db.example.test

PASSWORD_HINT='Check user and password in the URL; @ : / ? # % in a password must be percent-encoded. A role that is not there, has no password or is past its VALID UNTIL is refused in the same words.'

# The server of rds.bash, and certificates for tls_server.
setup_file() {
	start_rds_server
	# Not the name of one on RDS: what is said of those has its own tests.
	certificate good amazon "$HOST"
	sign good 90
	certificate other amazon other.example.test
	sign expired -1
	sign ending 20
}

teardown_file() {
	stop_rds_server
}

setup() {
	common_setup
	unset CONNECTION_URL DATABASE_URL "${!PG@}"
}

# sign NAME DAYS: another certificate for the same key and host.
sign() {
	local dir=$BATS_FILE_TMPDIR/tls
	openssl x509 -req -in "$dir/good.csr" -CA "$dir/amazon.pem" -CAkey "$dir/amazon.key" \
		-set_serial $((RANDOM + 10)) -days "$2" \
		-extfile <(printf 'subjectAltName=DNS:%s\n' "$HOST") -out "$dir/$1.pem" 2>"$dir/log"
}

# The server with TLS, with that certificate ("good").
tls_server() {
	rds_server
	install -m 600 "$TEST_DIR/tls/${1:-good}.pem" "$SERVER_HOME/data/server.pem" || return
	install -m 600 "$TEST_DIR/tls/${2:-good}.key" "$SERVER_HOME/data/server.key" || return
	if [ "$(id -u)" -eq 0 ]; then
		chown "$SERVER_ACCOUNT" "$SERVER_HOME/data"/server.*
	fi
	sql postgres 'SELECT pg_reload_conf()' >"$TEST_DIR/tls/log"
	wait_until "[ \"\$(shown_serial)\" = \"\$(openssl x509 -noout -serial -in '$TEST_DIR/tls/${1:-good}.pem')\" ]"
}

shown_serial() {
	openssl s_client -starttls postgres -connect "127.0.0.1:$SERVER_PORT" </dev/null 2>/dev/null |
		openssl x509 -noout -serial
}

# prod [USER:PASSWORD] [DATABASE] [PARAMETERS]
prod() {
	local parameters=${3-sslmode=verify-full&sslrootcert=$TEST_DIR/tls/amazon.pem}
	export PROD_CONNECTION_URL
	PROD_CONNECTION_URL=postgresql://${1:-app:$APP_PASSWORD_ENCODED}@$HOST:$SERVER_PORT/${2:-postgres}
	PROD_CONNECTION_URL+="?hostaddr=127.0.0.1${parameters:+&$parameters}"
}

# doctor [ARGUMENT...]: as JSON, by target prod.
doctor() {
	run --separate-stderr db-doctor prod --json --no-health "$@"
	refute_contains "$output$stderr" "$APP_PASSWORD"
	refute_contains "$output$stderr" "$APP_PASSWORD_ENCODED"
}

# ends_at STEP CAUSE HINT [STATUS]: the way's last step, why, and what is said.
ends_at() {
	assert_status "${4:-2}"
	assert_equal "$1 failed $2 $2" "$(jq -r '"\(.steps[-1].step) \(.steps[-1].status) \(.steps[-1].facts.cause) \(.failure.cause)"' <<<"$output")"
	assert_equal 1 "$(jq '[.steps[] | select(.status == "failed")] | length' <<<"$output")"
	assert_equal "$3" "$(jq -r '.failure.hint' <<<"$output")"
	assert_contains "$stderr" "hint: $3"
	assert_contains "$stderr" 'The connection comes from PROD_CONNECTION_URL.'
}

facts() {
	jq -r ".steps[] | select(.step == \"$1\") | .facts.$2" <<<"$output"
}

# asked BEFORE FROM: the method as it is told before server 16, which does not say it, and from there on.
asked() {
	[ "$SERVER_VERSION" -ge 16 ] && set -- "$2"
	printf '%s\n' "$1"
}

# lets_in LINE...: the server's pg_hba.conf, whose socket stays open to postgres.
lets_in() {
	printf '%s\n' 'local all postgres trust' "$@" >"$SERVER_HOME/data/pg_hba.conf"
	sql postgres 'SELECT pg_reload_conf()'
	wait_until "[ \"\$(sql postgres 'SELECT count(*) FROM pg_hba_file_rules WHERE error IS NULL')\" = $(($# + 1)) ]"
	sleep 0.3
}
