#!/usr/bin/env bats
# bats file_tags=once
# Sessions on a protected target: read-only and limited in time, also through a pooler.

load helper
load connect
load terminal
load pgbouncer

setup() {
	connect_setup
	item_table
	sql "$DB" 'CREATE TABLE others (); ALTER TABLE others OWNER TO app'
	# A client that writes down its environment.
	cat >"$TEST_DIR/client" <<-SH
		#!/bin/sh
		env | grep '^P[GS]' >"$TEST_DIR/record"
	SH
	chmod +x "$TEST_DIR/client"
}

assert_read_only() {
	assert_status 1
	assert_contains "$stderr" 'cannot execute INSERT in a read-only transaction'
	assert_equal 0 "$(rows)"
}

# What another client of the pooler can still do.
assert_others_write() {
	assert_equal off "$(through_bouncer "$DB" 'SHOW default_transaction_read_only')"
	through_bouncer "$DB" 'INSERT INTO others DEFAULT VALUES'
}

recorded() {
	sed -n "s/^$1=//p" "$TEST_DIR/record"
}

# --- by startup options ------------------------------------------------------------------------

@test "a session on prod is read-only, and --write lifts that" {
	insert prod
	assert_read_only
	assert_contains "$stderr" 'prod is protected; the session is read-only (--write lifts that)'
	insert prod --write
	assert_status 0
	assert_equal 1 "$(rows)"
	refute_contains "$stderr" 'read-only'
}

@test "with -X, from standard input and after \\connect it is read-only as well" {
	connect prod -- -X -c 'INSERT INTO item VALUES (1)'
	assert_read_only
	for script in 'INSERT INTO item VALUES (1);' $'\\connect\nINSERT INTO item VALUES (1);'; do
		run --separate-stderr db-connect prod -- -v ON_ERROR_STOP=1 -f - <<<"$script"
		assert_status 3
		assert_equal 0 "$(rows)"
	done
}

@test "after a \\connect to another database, host, role or service it is read-only and limited as well" {
	service
	sql "$DB" 'GRANT ALL ON item TO nocreate'
	show='SELECT current_setting($$transaction_read_only$$), current_setting($$statement_timeout$$)'
	for where in postgres 'service=own' "\"postgresql://app:$APP_PASSWORD_ENCODED@localhost:$SERVER_PORT/$DB\"" \
		"\"host=127.0.0.1 dbname=$DB\"" "\"host=$SERVER_SOCKET user=postgres dbname=$DB\"" "- postgres $SERVER_SOCKET"; do
		connect prod -- -XAtq -v ON_ERROR_STOP=1 -c "\\connect $where" -c "$show"
		assert_status 0
		assert_equal 'on|5min' "$output"
	done
}

@test "what lifts it is said where somebody types, as the prompt does not show it" {
	run_tty $'SET default_transaction_read_only = off;\nINSERT INTO item VALUES (1);\n\\q\n' -- db-connect prod --no-color
	assert_contains "$output" 'a guard against slips: SET default_transaction_read_only = off, BEGIN READ WRITE, and \connect with'
	assert_contains "$output" "prod:$DB ro=> INSERT"
	assert_equal 1 "$(rows)"
	insert prod
	refute_contains "$stderr" 'guard against slips'
	run_tty $'\\q\n' -- db-connect prod --write --no-color
	refute_contains "$output" 'guard against slips'
}

@test "a connection that was lost comes back read-only" {
	on_terminal db-connect prod
	screen_ends "prod:$DB ro=> "
	sql postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$DB'"
	type_keys $'SELECT 1;\n'
	screen_has 'Succeeded'
	type_keys $'INSERT INTO item VALUES (1);\n'
	screen_has 'cannot execute INSERT in a read-only transaction'
	type_keys $'\\q\n'
	finish_terminal
	assert_equal 0 "$(rows)"
}

@test "a session on prod has time limits, also with --write, and --no-timeout lifts them" {
	limits=(-- -XAtq -c 'SHOW statement_timeout' -c 'SHOW lock_timeout' -c 'SHOW idle_in_transaction_session_timeout')
	for mode in -q --write; do
		connect prod "$mode" "${limits[@]}"
		assert_equal $'5min\n10s\n5min' "$output"
		connect prod "$mode" --no-timeout "${limits[@]}"
		assert_equal $'0\n0\n0' "$output"
	done
	connect prod --no-timeout -- -c 'INSERT INTO item VALUES (1)'
	assert_read_only
}

@test "a statement that lasts too long is ended" {
	PGOPTIONS='-c statement_timeout=50' connect prod -- -c 'SELECT pg_sleep(60)'
	assert_status 1
	assert_contains "$stderr" 'canceling statement due to statement timeout'
}

@test "the user's own options are kept, but do not make the session writable" {
	settings=(-- -XAtq -c 'SHOW statement_timeout' -c 'SHOW work_mem' -c 'SHOW lock_timeout' -c 'SHOW default_transaction_read_only')
	export PGOPTIONS='-c statement_timeout=7s -c work_mem=5MB -c default_transaction_read_only=off'
	connect prod "${settings[@]}"
	assert_equal $'7s\n5MB\n10s\non' "$output"
	PROD_CONNECTION_URL+='?options=-c%20work_mem%3D6MB'
	connect prod "${settings[@]}"
	assert_equal $'5min\n6MB\n10s\non' "$output"
	connect prod --write --no-timeout "${settings[@]}"
	assert_equal $'0\n6MB\n0\noff' "$output"
}

# service [LINE...]: a service file whose service own leads to the database, with these lines.
service() {
	printf '[own]\nhost=127.0.0.1\nport=%s\nuser=app\npassword=%s\ndbname=%s\n' \
		"$SERVER_PORT" "$APP_PASSWORD" "$DB" >"$TEST_DIR/services"
	printf '%s\n' "$@" >>"$TEST_DIR/services"
	export PGSERVICEFILE=$TEST_DIR/services
}

@test "a service's own options are kept, and do not make the session writable" {
	service 'options=-c work_mem=6MB -c default_transaction_read_only=off' keepalives_idle=77
	settings=(-- -XAtq -c 'SHOW work_mem' -c 'SHOW lock_timeout' -c 'SHOW default_transaction_read_only')
	url=$PROD_CONNECTION_URL
	PROD_CONNECTION_URL='postgresql:///?service=own'
	insert prod
	assert_read_only
	connect prod "${settings[@]}"
	assert_equal $'6MB\n10s\non' "$output"
	connect prod -- -XAtq -c '\c' -c 'SHOW default_transaction_read_only'
	assert_equal on "$output"
	PROD_CONNECTION_URL=$url PGSERVICE=own insert prod
	assert_read_only
	PROD_CONNECTION_URL=$url PGSERVICE=own connect prod "${settings[@]}"
	assert_equal $'6MB\n10s\non' "$output"
	connect prod --write "${settings[@]}"
	assert_equal $'6MB\n10s\noff' "$output"
	connect prod --write --no-timeout -- -XAtq -c 'SHOW work_mem'
	assert_equal 6MB "$output"
	DB_CLIENT=$TEST_DIR/client connect prod
	assert_equal '' "$(recorded PGSERVICE)"
	assert_equal "$DB" "$(recorded PGDATABASE)"
}

@test "a service that is not there starts no client" {
	service
	PROD_CONNECTION_URL='postgresql:///?service=other'
	for target in prod local; do
		for arguments in '' --write '--write --no-timeout'; do
			# shellcheck disable=SC2086 # words
			CONNECTION_URL=$PROD_CONNECTION_URL DB_CLIENT=$TEST_DIR/client connect $target $arguments
			assert_status 64
			assert_contains "$stderr" 'error: definition of service "other" not found'
			refute_contains "$stderr" 'could not connect'
			[ ! -e "$TEST_DIR/record" ]
		done
	done
	for command in 'db-sessions prod' 'db-protect --show prod' 'db-snapshot list prod'; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr $command
		assert_status 64
		assert_contains "$stderr" 'definition of service "other" not found'
	done
}

@test "a connection among the arguments that has options of its own is refused" {
	service 'options=-c work_mem=6MB'
	for words in '-d service=own' '-dservice=own' 'service=own' '--dbname=service=own' '--dbname service=own' \
		'-X postgresql:///?service=own' '-qAtd service=own' "postgresql:///$DB?options=-cwork_mem%3D6MB"; do
		# shellcheck disable=SC2086 # words
		connect prod -- -c 'INSERT INTO item VALUES (1)' $words
		assert_status 4
		assert_contains "$stderr" 'the connection among the arguments has its own'
		assert_equal 0 "$(rows)"
	done
	DB_CLIENT=$SERVER_PG_DUMP connect prod -- --dbname=service=own
	assert_status 4
	connect prod -- -XAtq -v service=own -c "SELECT 'options=x'" -c 'SHOW default_transaction_read_only' postgres
	assert_equal $'options=x\non' "$output"
	connect prod --write -- -X -c 'INSERT INTO item VALUES (1)' service=own
	assert_status 0
	assert_contains "$stderr" 'warning: no time limits: the connection among the arguments has its own service'
	refute_contains "$stderr" 'limits: statement'
}

@test "a connection among the arguments that is not read-only is given up" {
	start_pgbouncer session ignore_startup_parameters=options
	connect prod -- -d "$(bouncer_url "$DB")" -c 'INSERT INTO item VALUES (1)'
	[ "$status" -ne 0 ]
	assert_contains "$stderr" 'could not be made read-only'
	assert_equal 0 "$(rows)"
	# With -X nothing would check it.
	for words in "-X -p $BOUNCER_PORT" "-XAtp$BOUNCER_PORT" "--no-psqlrc --port=$BOUNCER_PORT" "-Xd $(bouncer_url "$DB")" \
		'-X -h localhost' '-X -U nocreate' "-X $DB nocreate"; do
		# shellcheck disable=SC2086 # words
		connect prod -- -c 'INSERT INTO item VALUES (1)' $words
		assert_status 4
		assert_contains "$stderr" 'hint: Leave out -X'
		refute_contains "$stderr" 'is protected'
		assert_equal 0 "$(rows)"
	done
	connect prod --write -- -X -p "$BOUNCER_PORT" -c 'INSERT INTO item VALUES (1)'
	assert_status 0
}

@test "what the user's start-up file undoes is done again, on any way to the server" {
	start_pgbouncer session
	files=('SET default_transaction_read_only = off;' $'\\set ON_ERROR_STOP on\nRESET ALL;\n\\c -\nSET default_transaction_read_only = off;\nnope;'
		$'SET default_transaction_read_only = off;\n\\set AUTOCOMMIT off\nSELECT 1 AS a \\gset\n'
		$'SET default_transaction_read_only = off;\nBEGIN;\nnope;\n' $'\\c -\n\\q\n')
	for PROD_CONNECTION_URL in "$PROD_CONNECTION_URL" "$(bouncer_url "$DB")"; do
		for file in "${files[@]}"; do
			printf '%s\n' "$file" >"$HOME/.psqlrc"
			PROD_POOL_MODE=session run --separate-stderr db-connect prod -- -Atq -v ON_ERROR_STOP=0 \
				<<<$'ROLLBACK;\nINSERT INTO item VALUES (1);\nCOMMIT;'
			assert_contains "$stderr" 'cannot execute INSERT in a read-only transaction'
			assert_equal 0 "$(rows)"
		done
		run_tty $'\\q\n' -- env PROD_POOL_MODE=session db-connect prod --no-color
		assert_contains "$output" "prod:$DB ro"
	done
	# The user's file is as it was: what it sets and what ends it.
	PROD_CONNECTION_URL=$(app_url "$DB")
	printf '\\set ON_ERROR_STOP on\n\\set AUTOCOMMIT off\n' >"$HOME/.psqlrc"
	connect prod -- -Atq -c '\echo :ON_ERROR_STOP :AUTOCOMMIT'
	assert_equal 'on off' "$output"
}

@test "of several hosts a read-only session takes the primary" {
	PROD_CONNECTION_URL="postgresql://app:$APP_PASSWORD_ENCODED@127.0.0.1:1,127.0.0.1:$SERVER_PORT/$DB"
	insert prod
	if [ "$("$DB_CLIENT" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')" -lt 14 ]; then
		assert_contains "$stderr" 'invalid target_session_attrs value: "primary"'
	else
		assert_read_only
	fi
	insert prod --write
	assert_status 0
}

@test "another client gets the options too, and is told what they depend on" {
	DB_CLIENT=$TEST_DIR/client connect prod
	assert_status 0
	assert_contains "$(recorded PGOPTIONS)" '-c default_transaction_read_only=on'
	assert_contains "$stderr" 'through PGOPTIONS, which a client that is not built on libpq may ignore'
	assert_equal '' "$(recorded PSQLRC)$(recorded PSQL_HISTORY)"
	# A pg_dump that is older than the server says so once it is connected.
	DB_CLIENT=$SERVER_PG_DUMP connect prod -- --data-only
	[[ $stderr == *'server version mismatch'* ]] || assert_status 0
}

@test "on other targets nothing changes" {
	CONNECTION_URL=$PROD_CONNECTION_URL
	unset PROD_CONNECTION_URL
	export CONNECTION_URL
	insert
	assert_status 0
	assert_equal '' "$stderr"
	mkdir bin
	cp client bin/psql
	DB_CLIENT=bin/psql run_tty -- db-connect
	assert_equal '' "$output"
	assert_equal '' "$(recorded PGOPTIONS)$(recorded PSQLRC)$(recorded PSQL_HISTORY)"
	[ ! -e "$HOME/.local/state/dbrig/history-local-$DB" ]
}

@test "production that is reached by another name is read-only too" {
	CONNECTION_URL=$PROD_CONNECTION_URL insert
	assert_read_only
	assert_contains "$stderr" 'local is protected: PROD_CONNECTION_URL leads to the same database; the session is read-only'
	CONNECTION_URL=$PROD_CONNECTION_URL run_tty $'\\q\n' -- db-connect --no-color
	assert_contains "$output" "local:$DB ro=> "
	unset PROD_CONNECTION_URL
	CONNECTION_URL=$(url "$DB") db-protect
	CONNECTION_URL=$(app_url "$DB") insert
	assert_read_only
	CONNECTION_URL=$(app_url "$DB") insert --write
	assert_status 0
	assert_equal 1 "$(rows)"
}

@test "with --write --no-timeout nothing is connected before the client" {
	mark=$(server_log_mark)
	DB_CLIENT=$TEST_DIR/client connect prod --write --no-timeout
	assert_status 0
	refute_contains "$(server_log_since "$mark")" "user=app database=$DB "
	assert_equal '' "$(recorded PGOPTIONS)"
}

@test "a server that is not there is exit status 2, and no client is started" {
	PROD_CONNECTION_URL=postgresql://app:hunter2@127.0.0.1:1/shop
	DB_CLIENT=$TEST_DIR/client connect prod
	assert_status 2
	assert_contains "$stderr" 'The connection comes from PROD_CONNECTION_URL.'
	refute_contains "$stderr" hunter2
	[ ! -e "$TEST_DIR/record" ]
}

# --- through a pooler --------------------------------------------------------------------------

@test "a pooler that refuses options is refused in every mode, and no other client is made read-only" {
	for mode in session transaction; do
		start_pgbouncer "$mode"
		PROD_CONNECTION_URL=$(bouncer_url "$DB")
		insert prod
		assert_status 4
		assert_contains "$stderr" 'cannot give a read-only session'
		assert_contains "$stderr" 'It refuses startup options'
		assert_contains "$stderr" 'PROD_POOL_MODE=session'
		assert_equal 0 "$(rows)"
		assert_others_write
		insert prod --write
		assert_status 0
		assert_equal 1 "$(rows)"
		assert_contains "$stderr" 'no time limits: the pooler does not take them'
		sql "$DB" 'TRUNCATE item'
	done
}

@test "a pooler that drops options in silence is found out" {
	for mode in session transaction; do
		start_pgbouncer "$mode" ignore_startup_parameters=options
		PROD_CONNECTION_URL=$(bouncer_url "$DB")
		insert prod
		assert_status 4
		assert_contains "$stderr" 'It ignores startup options'
		assert_equal 0 "$(rows)"
		assert_others_write
		insert prod --write
		assert_status 0
		assert_contains "$stderr" 'no time limits'
		sql "$DB" 'TRUNCATE item'
	done
}

@test "through a pooler nothing is written, whatever it does with options, and others go on writing" {
	# PgBouncer from 1.26 on passes on the one that makes a session read-only; older ones are refused.
	for setting in max_client_conn=20 ignore_startup_parameters=options ignore_startup_parameters=default_transaction_read_only; do
		for mode in session transaction; do
			start_pgbouncer "$mode" "$setting" default_pool_size=1
			PROD_CONNECTION_URL=$(bouncer_url "$DB")
			insert prod
			[ "$status" -ne 0 ]
			assert_equal 0 "$(rows)"
			assert_others_write
			insert prod --write
			assert_status 0
			assert_equal 1 "$(rows)"
			sql "$DB" 'TRUNCATE item'
		done
	done
}

@test "what another client left on a session is not taken for obedience" {
	start_pgbouncer transaction ignore_startup_parameters=options default_pool_size=1
	through_bouncer "$DB" 'SET default_transaction_read_only = on'
	PROD_CONNECTION_URL=$(bouncer_url "$DB")
	insert prod
	assert_status 4
}

@test "PROD_POOL_MODE=session: a SET makes the session read-only and limits it" {
	start_pgbouncer session
	PROD_CONNECTION_URL=$(bouncer_url "$DB")
	export PROD_POOL_MODE=session
	insert prod
	assert_read_only
	assert_contains "$stderr" 'warning: the pooler takes no startup options: the session is read-only by a SET'
	connect prod -- -Atq -c 'SHOW statement_timeout' -c 'SHOW lock_timeout' -c 'SHOW idle_in_transaction_session_timeout'
	assert_equal $'5min\n10s\n5min' "$output"
	connect prod --no-timeout -- -Atq -c 'SHOW statement_timeout' -c 'SHOW default_transaction_read_only'
	assert_equal $'0\non' "$output"
	assert_others_write
	insert prod --write
	assert_status 0
	assert_equal 1 "$(rows)"
}

@test "so it limits a session that may write" {
	limits=(-Atq -c 'SHOW statement_timeout' -c 'SHOW lock_timeout' -c 'SHOW idle_in_transaction_session_timeout')
	export PROD_POOL_MODE=session
	for setting in max_client_conn=20 ignore_startup_parameters=options; do
		start_pgbouncer session "$setting"
		PROD_CONNECTION_URL=$(bouncer_url "$DB")
		rm -f "$HOME/.psqlrc"
		connect prod --write -- "${limits[@]}"
		assert_equal $'5min\n10s\n5min' "$output"
		assert_contains "$stderr" 'limits: statement 5min'
		assert_contains "$stderr" '(--no-timeout lifts them, as \connect, RESET ALL and DISCARD ALL do)'
		connect prod --write --no-timeout -- "${limits[@]}"
		assert_equal $'0\n0\n0' "$output"
		connect prod --write -- -X "${limits[@]}"
		assert_equal $'0\n0\n0' "$output"
		assert_contains "$stderr" 'no time limits: the pooler does not take them'
		# The user's own come later.
		printf "SET lock_timeout = '7s';\n" >"$HOME/.psqlrc"
		connect prod --write -- "${limits[@]}"
		assert_equal $'5min\n7s\n5min' "$output"
		assert_equal 0 "$(through_bouncer "$DB" 'SHOW statement_timeout')"
	done
	start_pgbouncer transaction
	PROD_CONNECTION_URL=$(bouncer_url "$DB") insert prod --write
	assert_status 0
	assert_contains "$stderr" 'no time limits'
	assert_equal 0 "$(through_bouncer "$DB" 'SHOW statement_timeout')"
}

@test "that holds with the user's start-up file too, whatever it does" {
	start_pgbouncer session
	PROD_CONNECTION_URL=$(bouncer_url "$DB")
	export PROD_POOL_MODE=session
	printf '\\set ON_ERROR_STOP on\n\\set mine yes\nSELECT nope;\n\\set mine no\n' >"$HOME/.psqlrc"
	run --separate-stderr db-connect prod -- -Atq <<<$'\\echo :mine\nINSERT INTO item VALUES (1);\nCOMMIT;'
	assert_equal yes "$output"
	assert_contains "$stderr" 'cannot execute INSERT in a read-only transaction'
	# No transaction around the SET that a later ROLLBACK would undo.
	run --separate-stderr db-connect prod -- -v AUTOCOMMIT=off -Atq <<<$'ROLLBACK;\nINSERT INTO item VALUES (1);\nCOMMIT;'
	assert_contains "$stderr" 'cannot execute INSERT in a read-only transaction'
	assert_equal 0 "$(rows)"
}

@test "there -X and clients without a start-up file are refused" {
	start_pgbouncer session
	PROD_CONNECTION_URL=$(bouncer_url "$DB")
	export PROD_POOL_MODE=session
	for arguments in -X -AtX --no-psqlrc --no-ps; do
		connect prod -- "$arguments" -c 'INSERT INTO item VALUES (1)'
		assert_status 4
		assert_contains "$stderr" 'hint: Leave out -X'
	done
	assert_equal 0 "$(rows)"
	connect prod -- -Atq -c "SELECT 'X'" -F -X
	assert_status 0
	DB_CLIENT=$TEST_DIR/client connect prod
	assert_status 4
	[ ! -e "$TEST_DIR/record" ]
	connect prod --write -- -X -c 'INSERT INTO item VALUES (1)'
	assert_status 0
}

@test "PROD_POOL_MODE=session before a pooler that shares sessions is refused" {
	start_pgbouncer transaction
	PROD_CONNECTION_URL=$(bouncer_url "$DB")
	PROD_POOL_MODE=session insert prod
	assert_status 4
	assert_contains "$stderr" 'PROD_POOL_MODE is session, but the pooler shares sessions between clients'
	assert_equal 0 "$(rows)"
	assert_others_write
	PROD_POOL_MODE=statement insert prod
	assert_status 4
	PROD_POOL_MODE=sesion insert prod
	assert_status 64
	assert_contains "$stderr" 'PROD_POOL_MODE is "sesion"'
	# Sessions given away in turn: each of two clients comes to the one it had before, as it may where
	# others are busy.
	start_pgbouncer transaction server_round_robin=1 default_pool_size=2 ignore_startup_parameters=options
	for _ in 1 2; do
		start_job through_bouncer "$DB" 'SELECT pg_sleep(0.2)'
	done
	wait_until job_ended
	PROD_CONNECTION_URL=$(bouncer_url "$DB") PROD_POOL_MODE=session insert prod
	assert_status 4
	assert_contains "$stderr" 'PROD_POOL_MODE is session, but the pooler shares sessions between clients'
}

@test "a pooler that passes options on is believed" {
	# As PgBouncer from 1.20 on with track_extra_parameters: what tells a pooler is the pid.
	# shellcheck disable=SC2016 # perl's variables
	start_job perl -MIO::Socket::INET -MIO::Select -e '
		$| = 1;
		$SIG{CHLD} = "IGNORE";
		my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 5);
		print $s->sockport, "\n";
		while (my $c = $s->accept) {
			next if fork;
			my $p = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $ARGV[0]);
			my $both = IO::Select->new($c, $p);
			while (my @ready = $both->can_read) {
				for my $from (@ready) {
					sysread($from, my $bytes, 65536) or exit;
					$bytes =~ s/K\0\0\0\x0c..../K\0\0\0\x0c\0\0\0\x01/s if $from == $p;
					syswrite($from == $p ? $c : $p, $bytes);
				}
			}
		}' "$SERVER_PORT"
	wait_until "[ -s '$JOB_OUT' ]"
	PROD_CONNECTION_URL="postgresql://app:$APP_PASSWORD_ENCODED@127.0.0.1:$(<"$JOB_OUT")/$DB"
	mark=$(server_log_mark)
	insert prod
	assert_read_only
	assert_contains "$stderr" 'limits: statement 5min'
	assert_contains "$stderr" 'but a pooler is on the way: RESET ALL, DISCARD ALL and \connect may lift it too'
	# Tried both ways.
	assert_equal 3 "$(server_log_since "$mark" | grep -c 'connection authorized: user=app')"
}

@test "a role that is read-only by itself needs nothing of the pooler" {
	sql "$DB" "CREATE ROLE ${DB}_reader LOGIN; GRANT ALL ON item TO ${DB}_reader;
		ALTER ROLE ${DB}_reader SET default_transaction_read_only = on"
	start_pgbouncer transaction
	printf '"%s" ""\n' "${DB}_reader" >>"$TEST_DIR/bouncer.users"
	sql_bouncer=$(bouncer_url pgbouncer postgres)
	"$SERVER_PSQL" -Xqd "$sql_bouncer" -c RELOAD
	PROD_CONNECTION_URL=$(bouncer_url "$DB" "${DB}_reader")
	insert prod
	result=$status$stderr
	sql "$DB" "DROP OWNED BY ${DB}_reader; DROP ROLE ${DB}_reader"
	assert_contains "$result" 'cannot execute INSERT in a read-only transaction'
	assert_contains "$result" 'no time limits'
	assert_equal 0 "$(rows)"
}

@test "a connection that could not be tried before is given up unless it is read-only" {
	start_pgbouncer transaction ignore_startup_parameters=options auth_type=plain
	# Without a password in the URL and without a terminal psql reads it from standard input, and
	# nobody could ask the pooler before.
	PROD_CONNECTION_URL=$(bouncer_url "$DB")
	run --separate-stderr setsid -w db-connect prod -- -c 'INSERT INTO item VALUES (1)' <<<"$APP_PASSWORD"
	assert_contains "$stderr" 'could not be made read-only'
	assert_equal 0 "$(rows)"
	DB_CLIENT=$TEST_DIR/client run --separate-stderr setsid -w db-connect prod
	assert_contains "$stderr" 'warning: whether the session will be read-only could not be checked'
	# On a terminal it is asked for before.
	answer 'Password for user app: ' "$APP_PASSWORD"$'\n' db-connect prod -- -c 'INSERT INTO item VALUES (1)'
	assert_status 4
	assert_contains "$output" 'It ignores startup options'
	assert_equal 0 "$(rows)"
}

# --- the password ------------------------------------------------------------------------------

@test "a password that the server wants is asked for, and the session is guarded as with one in the URL" {
	bare=postgresql://app@127.0.0.1:$SERVER_PORT
	sql postgres "COMMENT ON DATABASE \"$DB\" IS '[dbrig:protected=prod]'"
	export CONNECTION_URL=$bare/$DB
	PROD_CONNECTION_URL=$bare/$DB
	# With a wrong one in the URL, -W asks for it at once, and psql does not again.
	export BASE_CONNECTION_URL=postgresql://app:wrong@127.0.0.1:$SERVER_PORT/postgres
	for words in 'prod --' 'local -- -X' "local -- -X -h 127.0.0.1 -p $SERVER_PORT -U app -d dbname=$DB" "base -- -AtW -d $DB"; do
		# shellcheck disable=SC2086 # words
		answer 'Password for user app: ' "$APP_PASSWORD"$'\n' db-connect $words -c 'INSERT INTO item VALUES (1)'
		assert_status 1
		assert_contains "$output" 'is protected'
		assert_contains "$output" 'cannot execute INSERT in a read-only transaction'
		assert_equal 1 "$(grep -o Password <<<"$output" | wc -l)"
		refute_contains "$output" "$APP_PASSWORD"
		assert_equal 0 "$(rows)"
	done
	answer 'Password for user app: ' "$APP_PASSWORD"$'\n' env DB_CLIENT="$TEST_DIR/client" db-connect
	assert_equal "$APP_PASSWORD" "$(recorded PGPASSWORD)"
	assert_contains "$(recorded PGOPTIONS)" default_transaction_read_only=on
	rm record
	# What is typed does not get in: a wrong one, the end of the input.
	for typed in $'wrong\n' $'\004'; do
		answer 'Password for user app: ' "$typed" env DB_CLIENT="$TEST_DIR/client" db-connect
		assert_status 2
		assert_matches "$output" 'password authentication failed|no password supplied'
		refute_contains "$output" 'percent-encoded'
		[ ! -e record ]
	done
	# Where nobody is asked, or nobody can be.
	on_terminal db-connect -- -w -c 'INSERT INTO item VALUES (1)'
	finish_terminal
	assert_status 2
	refute_contains "$output" 'Password for'
	DB_CLIENT=$TEST_DIR/client run --separate-stderr setsid -w db-connect
	assert_equal 'db-connect: warning: whether the database is protected could not be found out without a password: a session that begins is not guarded' "$stderr"
	run --separate-stderr setsid -w db-connect -- -h localhost -c 'INSERT INTO item VALUES (1)' <<<''
	assert_contains "$stderr" 'warning: the session is not guarded where the arguments lead'
	assert_contains "$stderr" '; whether the database of local is protected could not be found out without a password'
}

@test "the terminal echoes again after a signal during the question" {
	on_terminal bash -c 'trap : INT; PROD_CONNECTION_URL=$1 db-connect prod; echo "status $?"; stty -a | tr " " "\n" | grep -x -- "-*echo"' _ \
		"postgresql://app@127.0.0.1:$SERVER_PORT/$DB"
	screen_ends 'Password for user app: '
	type_keys $'typed\003'
	finish_terminal
	assert_contains "$output" $'status 130\necho'
	refute_contains "$output" typed
	# One that is not the terminal's, either.
	for name in ALRM USR1; do
		on_terminal bash -c 'PROD_CONNECTION_URL=$1 sh -c "echo \$\$ >pid; exec db-connect prod"; echo "status $?"; stty -a | tr " " "\n" | grep -x -- "-*echo"' _ \
			"postgresql://app@127.0.0.1:$SERVER_PORT/$DB"
		screen_ends 'Password for user app: '
		kill "-$name" "$(<pid)"
		finish_terminal
		assert_contains "$output" "status $((128 + $(kill -l "$name")))"$'\necho'
	done
}
