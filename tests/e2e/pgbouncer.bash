# PgBouncer before the test server: `load helper`, `load pgbouncer`.
#
#   start_pgbouncer MODE [NAME=VALUE ...]
#                          starts one with that pool_mode and further settings; it asks for no password
#                          unless auth_type says so. Sets BOUNCER_PORT
#   bouncer_url DATABASE [USER[:PASSWORD]]
#                          the URL of a database through it, for app unless USER is another
#   through_bouncer DATABASE QUERY
#                          runs a query as app through it, as any other client would; prints rows as sql does

# shellcheck shell=bash
# SC2154: helper.bash sets them.
# shellcheck disable=SC2154

start_pgbouncer() {
	local mode=$1 attempt account=() setting
	shift
	# It does not run as root, and reads its files after it has become another.
	if [ "$(id -u)" -eq 0 ]; then
		account=(-u "$SERVER_ACCOUNT")
	fi
	printf '"app" "%s"\n' "$APP_PASSWORD" >"$TEST_DIR/bouncer.users"
	printf '"postgres" ""\n' >>"$TEST_DIR/bouncer.users"
	for attempt in 1 2 3 4 5; do
		BOUNCER_PORT=$((20000 + (RANDOM * 3 + attempt) % 12000))
		{
			printf '[databases]\n* = host=%s port=%s\n[pgbouncer]\n' "$SERVER_SOCKET" "$SERVER_PORT"
			printf 'listen_addr = 127.0.0.1\nlisten_port = %s\nunix_socket_dir =\n' "$BOUNCER_PORT"
			printf 'auth_type = trust\nauth_file = %s\nadmin_users = postgres\n' "$TEST_DIR/bouncer.users"
			printf 'pool_mode = %s\n' "$mode"
			for setting; do
				printf '%s = %s\n' "${setting%%=*}" "${setting#*=}"
			done
		} >"$TEST_DIR/bouncer.ini"
		chmod 644 "$TEST_DIR"/bouncer.*
		PATH=$PATH:/usr/sbin start_job pgbouncer "${account[@]}" "$TEST_DIR/bouncer.ini"
		# shellcheck disable=SC2016 # wait_until expands it
		wait_until 'job_ended || grep -q "process up" "$JOB_ERR"'
		! job_ended || continue
		return 0
	done
	cat "$JOB_ERR" >&2
	return 1
}

bouncer_url() {
	local name=$1
	encode_variable name
	printf 'postgresql://%s@127.0.0.1:%s/%s\n' "${2:-app}" "$BOUNCER_PORT" "$name"
}

through_bouncer() {
	env -u PGOPTIONS "$SERVER_PSQL" -XAtq -v ON_ERROR_STOP=1 -d "$(bouncer_url "$1")" -c "$2"
}
