#!/usr/bin/env bats
# What psql is given on a protected target: a start-up file, a prompt and a history of its own.

load helper
load connect
load terminal
load pgbouncer

setup() {
	connect_setup
}

# --- psql's start-up file ----------------------------------------------------------------------

# started [ARGUMENT...]: an interactive session says which start-up file it has read.
started() {
	run_tty $'\\echo = :mine =\n\\q\n' -- db-connect prod "$@"
}

@test "the user's start-up file is read, in psql's order" {
	version=$("$DB_CLIENT" --version | sed 's/^[^)]*) //')
	printf '\\set mine home\n' >"$HOME/.psqlrc"
	started
	assert_contains "$output" '= home ='
	printf '\\set mine major\n' >"$HOME/.psqlrc-${version%%.*}"
	started
	assert_contains "$output" '= major ='
	printf '\\set mine minor\n' >"$HOME/.psqlrc-$version"
	started
	assert_contains "$output" '= minor ='
	mkdir "$HOME/it's \\ \$(touch pwned) \`touch pwned\`"
	printf '\\set mine named\n' >"$HOME/it's \\ \$(touch pwned) \`touch pwned\`/rc"
	# shellcheck disable=SC2088 # the command expands it
	PSQLRC="~/it's \\ \$(touch pwned) \`touch pwned\`/rc" started
	assert_contains "$output" '= named ='
	[ ! -e pwned ]
	PSQLRC=/nowhere started
	assert_contains "$output" '= :mine ='
	started -- -X
	assert_contains "$output" '= :mine ='
}

@test "the start-up file leaves nothing behind, and nobody else can open it" {
	mkdir "$TEST_DIR/tmp"
	export TMPDIR=$TEST_DIR/tmp
	on_terminal db-connect prod
	screen_ends '=> '
	pid=$(for one in /proc/[0-9]*; do
		if grep -qszxF "TMPDIR=$TMPDIR" "$one/environ" && grep -qsz '^PSQLRC=/dev/fd' "$one/environ"; then
			echo "${one#/proc/}"
		fi
	done)
	file=$(tr '\0' '\n' <"/proc/$pid/environ" | sed -n 's/^PSQLRC=//p')
	assert_matches "$file" '^/dev/fd/[0-9]+$'
	assert_contains "$(readlink "/proc/$pid/fd/${file##*/}")" '(deleted)'
	assert_equal 600 "$(stat -Lc %a "/proc/$pid/fd/${file##*/}")"
	type_keys $'\\q\n'
	finish_terminal
	assert_equal '' "$(ls -A "$TMPDIR")"
}

@test "statements of the start-up file's own are neither shown nor asked about, and leave nothing in psql" {
	for text in '\set FETCH_COUNT 1' '\set ECHO all' '\set ECHO queries' '\set SINGLESTEP on' '\set SINGLELINE on' \
		'\set AUTOCOMMIT off' '\set ON_ERROR_STOP on' '\set ON_ERROR_ROLLBACK on'; do
		printf '%s\n' "$text" >"$HOME/.psqlrc"
		connect prod -- -At -c '\set' </dev/null
		assert_status 0
		name=${text#*set } value=${text##* } name=${name% *}
		assert_equal "$name = '$value'" "$(grep "^$name = " <<<"$output")"
		refute_contains "$output$stderr" dbrig_
		refute_contains "$output$stderr" set_config
		refute_contains "$output$stderr" '***'
		assert_equal '' "$(grep -v 'session is read-only\|^limits:' <<<"$stderr")"
	done
	# What the command line sets holds for the user's file.
	printf '\\echo = :FETCH_COUNT :SINGLESTEP :AUTOCOMMIT :ON_ERROR_STOP\n' >"$HOME/.psqlrc"
	connect prod -- -At -v FETCH_COUNT=7 -v AUTOCOMMIT=off -v ON_ERROR_STOP=1 -s -c '\q'
	assert_equal '= 7 on off 1' "$output"
}

@test "a TMPDIR that cannot be used is passed over" {
	printf '\\set mine yes\n' >"$HOME/.psqlrc"
	for TMPDIR in /nonexistent /proc; do
		TMPDIR=$TMPDIR connect prod -- -Atc '\echo :mine' -c 'SHOW default_transaction_read_only'
		assert_status 0
		assert_equal $'yes\non' "$output"
		refute_contains "$stderr" nonexistent
	done
}

# --- the prompt --------------------------------------------------------------------------------

@test "the prompt shows target, database and mode, whatever the user's start-up file says" {
	printf "\\\\set PROMPT1 'mine> '\n" >"$HOME/.psqlrc"
	run_tty $'\\c postgres\n\\q\n' -- env TERM=xterm db-connect prod --no-color
	assert_contains "$output" "prod:$DB ro=> "
	assert_contains "$output" 'prod:postgres ro=> '
	refute_contains "$output" 'mine>'
	run_tty $'SELECT\n1;\n\\q\n' -- env TERM=xterm NO_COLOR=1 db-connect prod --write
	assert_contains "$output" "prod:$DB rw=> "
	assert_contains "$output" "prod:$DB rw-> "
	url=$PROD_CONNECTION_URL
	unset PROD_CONNECTION_URL
	# psql before 15 takes the account's home directory for HOME.
	CONNECTION_URL=$url PSQLRC=$HOME/.psqlrc run_tty $'\\q\n' -- db-connect
	assert_contains "$output" 'mine> '
}

@test "the prompt is green, and red where the session may write" {
	run_tty $'\\q\n' -- env TERM=xterm db-connect prod
	assert_contains "$output" $'\033[1;32mprod:'"$DB"$' ro\033[0m=> '
	run_tty $'\\q\n' -- env TERM=xterm db-connect prod --write
	assert_contains "$output" $'\033[1;31mprod:'"$DB"$' rw\033[0m=> '
	run_tty $'\\q\n' -- env TERM=xterm NO_COLOR=1 db-connect prod
	refute_contains "$output" $'\033[1;3'
}

@test "a session that is read-only by SET asserts nothing in its prompt" {
	start_pgbouncer session
	PROD_CONNECTION_URL=$(bouncer_url "$DB")
	PROD_POOL_MODE=session run_tty $'\\q\n' -- db-connect prod --no-color
	assert_contains "$output" "prod:$DB ro?=> "
	assert_contains "$output" '\connect, RESET ALL, DISCARD ALL and a lost connection undo'
	# And where a start-up file had to be mended.
	printf 'SET default_transaction_read_only = off;\n' >"$HOME/.psqlrc"
	PROD_CONNECTION_URL=$(app_url "$DB")
	run_tty $'\\q\n' -- db-connect prod --no-color
	assert_contains "$output" "prod:$DB ro?=> "
}

@test "nothing in the name of a database is obeyed" {
	name="$DB"'%`touch pwned`%[%n'"'"'\! touch pwned'
	drop_later "$name"
	sql postgres "CREATE DATABASE \"$name\"" 2>/dev/null || sql postgres "CREATE DATABASE \"${name//\'/\'\'}\""
	PROD_CONNECTION_URL=$(app_url "$name")
	run_tty $'\\q\n' -- db-connect prod --no-color
	assert_contains "$output" "prod:$name ro=> "
	[ ! -e pwned ]
	name="$DB"$'\033]0;title\007'
	drop_later "$name"
	sql postgres "CREATE DATABASE \"$name\""
	PROD_CONNECTION_URL=$(app_url "$name")
	run_tty $'\\q\n' -- db-connect prod --no-color
	assert_contains "$output" 'prod ro=> '
	refute_contains "$output" $'\033]0;title'
}

# --- the history -------------------------------------------------------------------------------

@test "a protected target has a history of its own, which nobody else can read" {
	umask 022
	run_tty $'SELECT 4711;\n\\q\n' -- env TERM=xterm db-connect prod
	history=$HOME/.local/state/dbrig/history-prod-$DB
	assert_equal 600 "$(stat -c %a "$history")"
	assert_equal 700 "$(stat -c %a "${history%/*}")"
	assert_contains "$(<"$history")" 4711
	[ ! -e "$HOME/.psql_history" ]
	XDG_STATE_HOME=$TEST_DIR/state run_tty $'\\q\n' -- db-connect prod
	[ -e "$TEST_DIR/state/dbrig/history-prod-$DB" ]
}

@test "the user's PSQL_HISTORY is left alone, and where nobody types there is no history" {
	connect prod -- -c 'SELECT 1'
	assert_status 0
	PSQL_HISTORY=$TEST_DIR/mine run_tty $'SELECT 4711;\n\\q\n' -- env TERM=xterm db-connect prod
	assert_contains "$(<"$TEST_DIR/mine")" 4711
	[ ! -e "$HOME/.local" ]
}

@test "a history that cannot be made is said, and the session begins" {
	: >"$HOME/.local"
	run_tty $'SELECT 6 * 7;\n\\q\n' -- db-connect prod
	assert_contains "$output" 'warning: the history is that of other targets'
	assert_contains "$output" 42
}
