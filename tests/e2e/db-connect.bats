#!/usr/bin/env bats
# Starting psql with the connection in its environment.

load helper

setup() {
	common_setup
	DB=$(db main)
	export CONNECTION_URL
	CONNECTION_URL=$(app_url "$DB")
	# A client that writes down what it is given: arguments, PG* variables, signals.
	RECORD=$TEST_DIR/record
	export RECORD
	cat >"$TEST_DIR/client" <<-'SH'
		#!/bin/sh
		env | grep '^PG' | LC_ALL=C sort >"$RECORD.env"
		grep '^SigIgn' /proc/$$/status >"$RECORD.signals" 2>/dev/null
		: >"$RECORD.args"
		for argument; do
			printf '[%s]' "$argument" >>"$RECORD.args"
		done
		exit "${CLIENT_STATUS:-0}"
	SH
	chmod +x "$TEST_DIR/client"
	export DB_CLIENT=$TEST_DIR/client
}

connect() {
	run --separate-stderr db-connect "$@"
}

recorded() {
	sed -n "s/^$1=//p" "$RECORD.env"
}

# With the real psql; prints what it prints.
psql_connect() {
	DB_CLIENT=$SERVER_PSQL connect "$@"
}

@test "psql is connected to the target's database" {
	psql_connect -- -XAt -c 'SELECT current_database(), current_user'
	assert_status 0
	assert_equal "$DB|app" "$output"
	assert_equal '' "$stderr"
}

@test "the connection goes into PG* variables, the password into PGPASSWORD only" {
	connect
	assert_status 0
	assert_equal "127.0.0.1|$SERVER_PORT|app|$DB|$APP_PASSWORD" \
		"$(recorded PGHOST)|$(recorded PGPORT)|$(recorded PGUSER)|$(recorded PGDATABASE)|$(recorded PGPASSWORD)"
	assert_equal '' "$(<"$RECORD.args")"
	assert_equal 1 "$(grep -cF s3cret "$RECORD.env")"
}

@test "the running psql has the password on no command line" {
	DB_CLIENT=$SERVER_PSQL start_job db-connect -- -Xqc 'SELECT pg_sleep(600)'
	wait_until "[ \"\$(sql postgres \"SELECT state FROM pg_stat_activity WHERE datname = '$DB'\")\" = active ]"
	command=$(tr '\0' ' ' <"/proc/$JOB_PID/cmdline")
	assert_contains "$command" psql
	assert_contains "$command" pg_sleep
	# Of all processes of this test; others run beside it.
	mapfile -t lines < <(grep -lsF "DB_SERVER_DIR=$TEST_DIR/server" /proc/[0-9]*/environ | sed 's/environ$/cmdline/')
	assert_contains "${lines[*]}" "/proc/$JOB_PID/cmdline"
	run grep -lsaF -e s3cret -e "$APP_PASSWORD_ENCODED" "${lines[@]}"
	assert_equal '' "$output"
	assert_equal 400 "$(stat -c %a "/proc/$JOB_PID/environ")"
	# The client took the command's place.
	assert_contains "$(readlink "/proc/$JOB_PID/exe")" psql
}

@test "what follows -- is passed on unchanged" {
	connect -- -c 'a  b' '' "it's" '"x"' '$HOME' '*' '--' -v $'new\nline' --help ü
	assert_status 0
	assert_equal "[-c][a  b][][it's][\"x\"][\$HOME][*][--][-v]["$'new\nline'"][--help][ü]" \
		"$(<"$RECORD.args")"
}

@test "the target stands before --" {
	TEST_CONNECTION_URL='postgresql://x@y/z' connect test -- prod
	assert_status 0
	assert_equal 'z|[prod]' "$(recorded PGDATABASE)|$(<"$RECORD.args")"
}

@test "without -- a second word is a usage error" {
	connect local -c
	assert_status 64
	connect local prod
	assert_status 64
	[ ! -e "$RECORD.args" ]
}

@test "parameters that have no variable go into a connection string" {
	CONNECTION_URL+="?keepalives_idle=30&tcp_user_timeout=1000&sslmode=disable&fallback_application_name=it's%20%5C"
	connect -- -x
	assert_status 0
	assert_matches "$(<"$RECORD.args")" "^\[-d\]\[.*\]\[-x\]\$"
	assert_contains "$(<"$RECORD.args")" "keepalives_idle='30'"
	assert_contains "$(<"$RECORD.args")" "tcp_user_timeout='1000'"
	assert_contains "$(<"$RECORD.args")" "fallback_application_name='it\\'s \\\\'"
	refute_contains "$(<"$RECORD.args")" s3cret
	assert_equal disable "$(recorded PGSSLMODE)"
	# psql understands it, and what stands in the variables still holds.
	psql_connect -- -XAt -c 'SELECT current_database(), current_user'
	assert_status 0
	assert_equal "$DB|app" "$output"
}

@test "a secret that has no variable is left out with a warning that does not show it" {
	CONNECTION_URL+='?sslpassword=hunter2'
	connect
	assert_status 0
	assert_contains "$stderr" 'warning: sslpassword is left out'
	refute_contains "$stderr$(<"$RECORD.args")$(<"$RECORD.env")" hunter2
}

@test "several hosts are passed on, and the one that can write is asked for" {
	CONNECTION_URL='postgresql://u@one:1,two:2/d'
	connect
	assert_equal 'one,two|1,2|read-write' \
		"$(recorded PGHOST)|$(recorded PGPORT)|$(recorded PGTARGETSESSIONATTRS)"
}

@test "a URL without a database leaves the choice to psql" {
	CONNECTION_URL=$(tcp_url app '')
	PGDATABASE=$DB psql_connect -- -XAt -c 'SELECT current_database()'
	assert_equal "$DB" "$output"
}

@test "the URL in .env is used" {
	make_project
	echo "CONNECTION_URL=$CONNECTION_URL" >.env
	unset CONNECTION_URL
	mkdir sub
	cd sub
	psql_connect -- -XAt -c 'SELECT current_database()'
	assert_equal "$DB" "$output"
}

@test "a client named in .env is not started" {
	make_project
	printf 'DB_CLIENT=%s\n' "$DB_CLIENT" >.env
	unset DB_CLIENT
	mkdir bin
	printf '#!/bin/sh\necho "this is psql"\n' >bin/psql
	chmod +x bin/psql
	PATH=$PWD/bin:$PATH connect
	assert_equal 'this is psql' "$output"
	[ ! -e "$RECORD.args" ]
}

@test "a missing psql is an error that says how to get it" {
	unset DB_CLIENT
	run --separate-stderr env PATH="$DBRIG_BIN" "$(command -v db-connect)"
	assert_status 1
	assert_contains "$stderr" 'could not find the program "psql"'
	assert_contains "$stderr" postgresql-client
	DB_CLIENT=/nowhere/pgcli connect
	assert_status 1
	assert_contains "$stderr" /nowhere/pgcli
	DB_CLIENT=$TEST_DIR connect
	assert_status 1
	assert_contains "$stderr" 'Permission denied'
	DB_CLIENT='psql -X' connect
	assert_status 1
	assert_contains "$stderr" 'could not find the program "psql -X"'
	assert_contains "$stderr" 'DB_CLIENT takes no arguments: they stand behind --'
	# A directory of PATH that may not be entered says nothing of the program.
	mkdir -m 0 closed
	as_nobody=()
	[ "$(id -u)" -ne 0 ] || as_nobody=(setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups)
	PROD_CONNECTION_URL=$CONNECTION_URL DB_CLIENT=nope run --separate-stderr "${as_nobody[@]}" env -C / PATH="$TEST_DIR/closed:/usr/bin" "$(command -v db-connect)" prod --write --no-timeout
	chmod 700 closed
	assert_status 1
	assert_contains "$stderr" 'could not find the program "nope"'
}

@test "the client's exit status is passed on" {
	CLIENT_STATUS=42 connect
	assert_status 42
	psql_connect -- -X -c 'SELECT nope'
	assert_status 1
	run --separate-stderr env DB_CLIENT="$SERVER_PSQL" db-connect -- -X -v ON_ERROR_STOP=1 -f - <<<'SELECT nope;'
	assert_status 3
}

@test "standard input and output are the client's" {
	run --separate-stderr env DB_CLIENT="$SERVER_PSQL" db-connect -- -XAtq <<<'SELECT 6 * 7;'
	assert_equal 42 "$output"
}

@test "the client starts with the signals it would have without the command" {
	[ -d /proc/self ] || return 0
	"$DB_CLIENT"
	expected=$(<"$RECORD.signals")
	rm "$RECORD.signals"
	connect
	assert_contains "$expected" SigIgn
	assert_equal "$expected" "$(<"$RECORD.signals")"
	# The same when it has connected itself.
	connect --wait
	assert_equal "$expected" "$(<"$RECORD.signals")"
}

@test "signals that were ignored stay so" {
	run bash -c 'trap "" HUP; db-connect'
	assert_status 0
	ignored=$((16#$(sed -n 's/^SigIgn:[[:space:]]*//p' "$RECORD.signals")))
	[ $((ignored & 1)) -eq 1 ]
}

@test "the session is called db-connect unless the user says otherwise" {
	psql_connect -- -XAt -c 'SHOW application_name'
	assert_equal db-connect "$output"
	PGAPPNAME=mine psql_connect -- -XAt -c 'SHOW application_name'
	assert_equal mine "$output"
	CONNECTION_URL+='?application_name=url' psql_connect -- -XAt -c 'SHOW application_name'
	assert_equal url "$output"
}

@test "--wait starts the client once the server accepts connections" {
	own_server
	CONNECTION_URL=$(url postgres)
	pg_server pause
	start_job db-connect --wait=30
	wait_until 'grep -q waiting "$JOB_ERR"'
	[ ! -e "$RECORD.args" ]
	pg_server start
	wait_until job_ended
	finish_job
	assert_status 0
	[ -e "$RECORD.args" ]
}

@test "--wait in vain is exit status 6, and no client is started" {
	CONNECTION_URL='postgresql://u:hunter2@127.0.0.1:1/d'
	connect --wait=0.2
	assert_status 6
	refute_contains "$stderr" hunter2
	[ ! -e "$RECORD.args" ]
}

@test "--wait with a wrong password fails at once with 2" {
	CONNECTION_URL=${CONNECTION_URL/$APP_PASSWORD_ENCODED/hunter2}
	connect --wait=60
	assert_status 2
	assert_contains "$stderr" 'password authentication failed'
	refute_contains "$stderr" hunter2
	[ ! -e "$RECORD.args" ]
}

@test "before the client the database is asked whether it is protected, and nothing stays connected" {
	mark=$(server_log_mark)
	connect
	assert_equal 1 "$(server_log_since "$mark" | grep -c "connection authorized: user=app database=$DB ")"
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity WHERE datname = '$DB'\")\" = 0 ]"
}

@test "a database that cannot be asked is left to the client" {
	CONNECTION_URL='postgresql://u:hunter2@127.0.0.1:1/d'
	connect
	assert_status 0
	assert_equal '' "$stderr"
	[ -e "$RECORD.args" ]
}
