#!/usr/bin/env bats
# bats file_tags=once
# What would make a session on a protected target writable unseen, or let no session begin.

load helper
load connect
load pgbouncer

setup() {
	connect_setup
	item_table
	# A client that tells that it was started.
	printf '#!/bin/sh\n: >"%s/started"\n' "$TEST_DIR" >"$TEST_DIR/psql"
	chmod +x "$TEST_DIR/psql"
}

assert_not_started() {
	[ ! -e "$TEST_DIR/started" ]
}

# --- the user's start-up file ------------------------------------------------------------------

@test "a transaction that the user's start-up file left open is rolled back" {
	start_pgbouncer session
	files=('BEGIN READ WRITE;' $'begin;\nset transaction read write;' $'\\set AUTOCOMMIT off\nSET TRANSACTION READ WRITE;'
		$'START TRANSACTION READ WRITE;\nnope;' $'BEGIN READ WRITE;\nSET default_transaction_read_only = off;\nSAVEPOINT a;'
		$'\\set ON_ERROR_ROLLBACK on\nBEGIN READ WRITE;\n\\q' $'SET default_transaction_read_only = off;\nBEGIN READ WRITE')
	for PROD_CONNECTION_URL in "$PROD_CONNECTION_URL" "$(bouncer_url "$DB")"; do
		for file in "${files[@]}"; do
			printf '%s\n' "$file" >"$HOME/.psqlrc"
			PROD_POOL_MODE=session connect prod -- -c 'INSERT INTO item VALUES (1)' -c 'COMMIT'
			assert_contains "$stderr" 'cannot execute INSERT in a read-only transaction'
			assert_equal 0 "$(rows)"
			PROD_POOL_MODE=session connect prod -- -Atc 'SHOW default_transaction_read_only'
			assert_matches "$output" $'(^|\n)on$'
		done
	done
}

@test "a start-up file that leads to a pooler elsewhere gets no session, and nothing is set there" {
	start_pgbouncer transaction ignore_startup_parameters=options,extra_float_digits default_pool_size=1
	printf '\\c - - - %s\n' "$BOUNCER_PORT" >"$HOME/.psqlrc"
	insert prod
	assert_contains "$stderr" 'could not be made read-only'
	assert_equal 0 "$(rows)"
	assert_equal 'off 0' "$(through_bouncer "$DB" 'SHOW default_transaction_read_only') $(
		through_bouncer "$DB" 'SHOW statement_timeout')"
}

@test "a start-up file that opens no transaction has none rolled back" {
	printf '\\set AUTOCOMMIT off\n' >"$HOME/.psqlrc"
	mark=$(server_log_mark)
	connect prod -- -v VERBOSITY=terse -Atc '\echo :AUTOCOMMIT' -c 'SELECT 1'
	assert_status 0
	assert_equal $'off\n1' "$output"
	refute_contains "$(statements "$mark" "$DB")" ROLLBACK
}

@test "a start-up file that leaves psql in restricted mode is refused in a sentence" {
	for text in $'SELECT 1;\n  \\restrict k\n' $'SELECT \'\\unrestrict k\';\\restrict k' \
		$'\\set a 1 \\restrict k\n' $'\\if true\n\\endif\n\\restrict k\n-- \\unrestrict k\n'; do
		printf '%s' "$text" >"$HOME/.psqlrc"
		insert prod
		assert_status 4
		assert_contains "$stderr" "\"$HOME/.psqlrc\" leaves psql in restricted mode"
		refute_contains "$stderr" /dev/fd
		assert_equal 0 "$(rows)"
	done
	for text in $'-- \\restrict k\n' $'\\set mine yes\n' $'SELECT $$\\restrict x$$ \\gset\n' $'/* \\restrict x */\n' \
		$'\\if false\n\\restrict k\n\\endif\n' $'\\! : \\restrict k\n' $'\\q\n\\restrict k\n'; do
		printf '%s' "$text" >"$HOME/.psqlrc"
		insert prod
		assert_status 1
		assert_contains "$stderr" 'cannot execute INSERT in a read-only transaction'
		refute_contains "$stderr" /dev/fd
	done
	# One that ends it, where psql knows it.
	if knows_restrict; then
		printf '\\restrict k\nSELECT 1;\n\\unrestrict k\n' >"$HOME/.psqlrc"
		insert prod
		assert_status 1
		assert_contains "$stderr" 'cannot execute INSERT in a read-only transaction'
		refute_contains "$stderr" /dev/fd
	fi
}

knows_restrict() {
	[ "$("$DB_CLIENT" -XAt -d "$(url "$DB")" -c '\restrict k' 2>&1)" = '' ]
}

@test "where a file that it includes does that, the session is read-only all the same" {
	start_pgbouncer session ignore_startup_parameters=options
	knows_restrict || return 0
	files=('set default_transaction_read_only=off;' 'BEGIN READ WRITE;' $'RESET ALL;\nBEGIN READ WRITE;\nnope;'
		$'\\set ON_ERROR_STOP on\nset default_transaction_read_only=off;\nBEGIN;\nSET TRANSACTION READ WRITE;'
		$'\\set AUTOCOMMIT off\nset default_transaction_read_only=off;' $'\\set SINGLELINE on\nset default_transaction_read_only=off;')
	for PROD_CONNECTION_URL in "$PROD_CONNECTION_URL" "$(bouncer_url "$DB")"; do
		for include in '\ir sub.sql' "\\i $HOME/sub.sql" "\\include $HOME/sub.sql" $'\\if true\n\\ir sub.sql\n\\endif'; do
			printf '%s\n' "$include" >"$HOME/.psqlrc"
			for file in "${files[@]}"; do
				printf '%s\n\\restrict abc\n' "$file" >"$HOME/sub.sql"
				PROD_POOL_MODE=session run --separate-stderr db-connect prod -- -Atqv ON_ERROR_STOP=0 \
					<<<$'ROLLBACK;\nINSERT INTO item VALUES (1);\nCOMMIT;'
				assert_contains "$stderr" 'cannot execute INSERT in a read-only transaction'
				assert_contains "$stderr" 'WARNING:  the start-up file has left psql in restricted mode'
				[ "$(grep -c 'backslash commands are restricted' <<<"$stderr")" -le 3 ]
				assert_equal 0 "$(rows)"
			done
			[ "$include" = '\ir sub.sql' ] || continue
			PROD_POOL_MODE=session connect prod -- -Atqc 'SHOW statement_timeout'
			assert_equal 5min "$output"
		done
	done
	# An error that ends such a file, and a session that may write.
	PROD_CONNECTION_URL=$(app_url "$DB")
	printf '\\set ON_ERROR_STOP on\nBEGIN READ WRITE;\n\\restrict abc\nnope;\n' >"$HOME/sub.sql"
	printf '\\ir sub.sql\n' >"$HOME/.psqlrc"
	insert prod
	assert_contains "$stderr" 'cannot execute INSERT in a read-only transaction'
	assert_equal 0 "$(rows)"
	printf '\\restrict abc\n' >"$HOME/sub.sql"
	run_tty $'INSERT INTO item VALUES (1);\n\004' -- db-connect prod --write
	assert_equal 1 "$(rows)"
	refute_contains "$output" dbrig
}

# --- poolers -----------------------------------------------------------------------------------

@test "PROD_POOL_MODE=session: a pool of one session is enough" {
	for setting in max_client_conn=20 ignore_startup_parameters=options; do
		start_pgbouncer session default_pool_size=1 "$setting"
		PROD_CONNECTION_URL=$(bouncer_url "$DB")
		began=$SECONDS
		PROD_POOL_MODE=session insert prod
		assert_status 1
		assert_contains "$stderr" 'cannot execute INSERT in a read-only transaction'
		[ $((SECONDS - began)) -lt 10 ]
		assert_equal 0 "$(rows)"
		assert_equal off "$(through_bouncer "$DB" 'SHOW default_transaction_read_only')"
	done
}

@test "before a pooler that shares sessions that is refused with one session too" {
	for mode in transaction statement; do
		for setting in max_client_conn=20 ignore_startup_parameters=options; do
			start_pgbouncer "$mode" default_pool_size=1 "$setting"
			PROD_CONNECTION_URL=$(bouncer_url "$DB")
			PROD_POOL_MODE=session insert prod
			assert_status 4
			assert_contains "$stderr" 'PROD_POOL_MODE is session, but the pooler shares sessions between clients'
			refute_contains "$stderr" 'none, as the session'
			assert_equal 0 "$(rows)"
			assert_equal off "$(through_bouncer "$DB" 'SHOW default_transaction_read_only')"
		done
	done
}

@test "before a pooler that does not reset its sessions that is refused, and nothing is left on them" {
	export PROD_POOL_MODE=session
	for setting in max_client_conn=20 ignore_startup_parameters=options server_round_robin=1; do
		for size in 1 5; do
			# A pool of one is the same whatever it does with several.
			[ "$size $setting" != '1 server_round_robin=1' ] || continue
			start_pgbouncer session "default_pool_size=$size" "$setting" server_reset_query=
			PROD_CONNECTION_URL=$(bouncer_url "$DB")
			for arguments in '' --write; do
				# shellcheck disable=SC2086 # words
				connect prod $arguments -- -c 'INSERT INTO item VALUES (1)'
				[ -n "$arguments" ] || assert_status 4
				[ -n "$arguments" ] || assert_contains "$stderr" 'does not reset its sessions between clients'
				# Whatever sessions the pool has.
				for _ in 1 2 3; do
					assert_equal 'off|0|' "$(through_bouncer "$DB" "SELECT current_setting('default_transaction_read_only'),
						current_setting('statement_timeout'), current_setting('dbrig.trace', true)")"
				done
			done
			assert_status 0
			assert_contains "$stderr" 'no time limits: the pooler does not take them'
			assert_equal 1 "$(rows)"
			sql "$DB" 'TRUNCATE item'
		done
	done
}

@test "while another client has the one session, connect_timeout ends the waiting" {
	start_pgbouncer session default_pool_size=1 ignore_startup_parameters=options
	mkfifo hold
	"$SERVER_PSQL" -XAtqd "$(bouncer_url "$DB")" <hold >held 2>&1 &
	exec {fd}>hold
	echo 'SELECT 1;' >&"$fd"
	wait_until '[ -s held ]'
	began=$SECONDS
	PROD_CONNECTION_URL="$(bouncer_url "$DB")?connect_timeout=2" DB_CLIENT=$TEST_DIR/psql connect prod
	# Of a target that is protected by its mark alone too.
	sql postgres "COMMENT ON DATABASE \"$DB\" IS '[dbrig:protected=prod]'"
	assert_status 2
	assert_contains "$stderr" 'the server has not answered a request within 2 s'
	assert_contains "$stderr" 'default_pool_size'
	PROD_CONNECTION_URL='' CONNECTION_URL="$(bouncer_url "$DB")?connect_timeout=2" DB_CLIENT=$TEST_DIR/psql connect
	assert_status 2
	assert_contains "$stderr" 'the server has not answered a request within 2 s'
	[ $((SECONDS - began)) -lt 10 ]
	assert_not_started
	exec {fd}>&-
	wait "$!"
}

# --- a server that lets nobody in --------------------------------------------------------------

@test "a server without a free connection is told as such, and no client is started" {
	own_server max_connections=5 superuser_reserved_connections=3
	sql postgres 'CREATE DATABASE shop OWNER app'
	sql postgres "COMMENT ON DATABASE shop IS '[dbrig:protected=prod]'"
	PROD_CONNECTION_URL=$(app_url shop)
	start_session postgres
	start_session postgres
	for arguments in '' --write '--write --no-timeout'; do
		# shellcheck disable=SC2086 # words
		DB_CLIENT=$TEST_DIR/psql connect prod $arguments
		[ "$arguments" != '--write --no-timeout' ] || break
		assert_status 2
		assert_matches "$stderr" 'remaining connection slots are reserved|too many clients already'
		assert_contains "$stderr" '(max_connections) are in use, or those it leaves to ordinary roles: --wait keeps trying until one ends.'
		refute_contains "$stderr" 'session is read-only'
		refute_contains "$stderr" pooler
		assert_not_started
	done
	rm -f "$TEST_DIR/started"
	# Whether it is protected could not be asked: a moment later a client may get in.
	PROD_CONNECTION_URL='' CONNECTION_URL=$(app_url shop) DB_CLIENT=$TEST_DIR/psql connect
	assert_status 2
	assert_matches "$stderr" 'remaining connection slots are reserved|too many clients already'
	assert_not_started
}
