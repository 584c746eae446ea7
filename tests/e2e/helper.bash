# What the end-to-end tests share. A test file begins with `load helper`; setup and teardown are
# defined here (a file with its own calls common_setup and common_teardown in them).
#
# Every test starts in an empty directory of its own ($TEST_DIR), with an empty HOME, no connection
# variables, DB_SERVER_DIR below $TEST_DIR, and the executables under test first in PATH. What a test
# leaves running there or on the server is ended and dropped after it.
#
# Servers and databases
#   db WORD               creates a database of this test and prints its name
#   db_name WORD          prints that name without creating it (t12_WORD; dropped after the test too)
#   drop_later NAME       also drop this database after the test
#   url NAME              URL of a database for the superuser, over the Unix socket
#   app_url NAME          the same for the role app (CREATEDB), over TCP with its password
#   nocreate_url NAME     the same for the role nocreate, which may not create databases
#   sql NAME QUERY        runs a query as superuser; prints unaligned rows, columns split by |. QUERY may
#                         be -, for the script on standard input
#   db_exists NAME        success when the server has that database
#   dump NAME             a text that is equal for equal databases: pg_dump's, or where no pg_dump is
#                         new enough for the server, catalogs and rows by queries
#   server_log_mark       prints a mark
#   server_log_since MARK prints what the server logged since (log_statement is all)
#   statements MARK NAME  prints the statements that database was sent since
#   own_server [NAME=VALUE ...]
#                         starts another server for this test alone and makes all of the above use it
#   pg_server COMMAND     tests/lib/pg-server on the server in use (pause, start, standby)
#   start_session NAME [APPLICATION] [QUERY]
#                         keeps a connection open in the background (idle, or running QUERY); sets
#                         SESSION_PID to its server process
#   $APP_PASSWORD, $APP_PASSWORD_ENCODED, $SERVER_* (see pg-server)
#
# Files
#   make_project          a small project in $TEST_DIR/project: db/schema.sql, db/seed.sql; goes there
#   make_sample_project   the same with the sample files of the repository
#
# Running
#   unit_program NAME     builds that program of tests/unit with the library under test, prints its path
#   run, run --separate-stderr
#                         of bats: $status, $output, $stderr
#   run_tty [INPUT] -- COMMAND ...
#                         runs on a terminal of its own, INPUT typed in; $status, $output (both streams)
#   start_job COMMAND ... runs in the background; sets JOB_PID, JOB_OUT and JOB_ERR (files); is killed
#                         after the test
#   job_ended             success when the last one is no longer running, for wait_until
#   finish_job            waits for the last one; sets $status, $output, $stderr
#   wait_until CONDITION [SECONDS]
#                         until the shell text CONDITION succeeds; fails after 10 seconds
#
# Assertions (each prints both sides when it fails)
#   assert_status STATUS             of the last run; prints its output too
#   assert_equal EXPECTED ACTUAL
#   assert_contains TEXT PART        refute_contains TEXT PART
#   assert_matches TEXT REGEX

# shellcheck shell=bash
# The variables of bats and of the server's env file come from elsewhere.
# shellcheck disable=SC2034,SC2154

bats_require_minimum_version 1.8.0

ROOT=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
: "${DBRIG_BIN:=$ROOT/bin}"

# Everything that needs encoding in a URL; decoded and encoded.
APP_PASSWORD='s3cret@:/#%pw'
APP_PASSWORD_ENCODED='s3cret%40%3A%2F%23%25pw'

setup() {
	common_setup
}

teardown() {
	common_teardown
}

unit_program() {
	local mode=${DBRIG_MODE:-release}
	make -s -C "$ROOT" MODE="$mode" "build/$mode/unit/$1" >&2 && printf '%s\n' "$ROOT/build/$mode/unit/$1"
}

common_setup() {
	TEST_DIR=$BATS_TEST_TMPDIR
	JOBS=()
	OWN_SERVERS=()
	EXTRA_DATABASES=()
	use_server "$SUITE_SERVER"
	: >"$TEST_DIR.begin"
	mkdir -p "$TEST_DIR/home"
	export HOME=$TEST_DIR/home
	export PATH=$DBRIG_BIN:$PATH
	# Should a command start the private server, then here, and with the programs under test.
	export DB_SERVER_DIR=$TEST_DIR/server
	if [ -n "${DB_TEST_BINDIR:-}" ]; then
		export DB_SERVER_BINDIR=$DB_TEST_BINDIR
	fi
	start_alarm
	cd "$TEST_DIR" || return
}

common_teardown() {
	local job dir failed=0
	for job in "${JOBS[@]}"; do
		kill -KILL "$job" 2>/dev/null || :
		wait "$job" 2>/dev/null || :
	done
	kill "$ALARM" 2>/dev/null || :
	stop_private_servers || failed=1
	kill_leftovers
	for dir in "${OWN_SERVERS[@]}"; do
		pg_server_at "$dir" stop || failed=1
	done
	use_server "$SUITE_SERVER"
	drop_test_databases || failed=1
	cd "$ROOT" || failed=1
	return $failed
}

# --- servers and databases ---------------------------------------------------------------------

use_server() {
	SERVER_HOME=$1
	# shellcheck source=/dev/null
	. "$1/env"
	SERVER_SOCKET_ENCODED=$SERVER_SOCKET
	encode_variable SERVER_SOCKET_ENCODED
}

pg_server_at() {
	local dir=$1 command=$2
	shift 2
	# Without the mark of kill_leftovers: a server may be meant for more than one test.
	env -u DB_SERVER_DIR "$ROOT/tests/lib/pg-server" "$command" "$dir" "$@" 3>&- 4>&-
}

pg_server() {
	local command=$1
	shift
	pg_server_at "$SERVER_HOME" "$command" "$@"
}

own_server() {
	local dir
	# Not in the test's directory: the path of a socket has to be short.
	dir=$(mktemp -d "${TMPDIR:-/tmp}/pg.XXXXXX")
	OWN_SERVERS+=("$dir")
	pg_server_at "$dir" start --owner $$ "$@" || return
	use_server "$dir"
}

# Ends what the test ran and did not end, known by its environment.
kill_leftovers() {
	local file
	while IFS= read -r file; do
		file=${file#/proc/}
		kill -KILL "${file%/environ}" 2>/dev/null || :
	done < <(grep -lsF "DB_SERVER_DIR=$TEST_DIR/server" /proc/[0-9]*/environ)
}

# Ends a test that hangs: first what it runs, then itself. (BATS_TEST_TIMEOUT goes on waiting for the
# output of a command that hangs, and a test's `wait` would wait for its timer.)
start_alarm() {
	(
		sleep "${DBRIG_TEST_SECONDS:-300}"
		kill_leftovers
		sleep 10
		kill -TERM $$
	) </dev/null >/dev/null 2>&1 3>&- 4>&- &
	ALARM=$!
	disown "$ALARM"
}

# Stops what `local` without a URL started for this test.
stop_private_servers() {
	local file pid
	while IFS= read -r file; do
		read -r pid <"$file"
		kill -QUIT "$pid" 2>/dev/null || continue
		wait_until "! kill -0 $pid 2>/dev/null || is_zombie $pid"
	done < <(find "$TEST_DIR" -name postmaster.pid 2>/dev/null)
}

# A process that ended and was not waited for by its parent.
is_zombie() {
	grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null
}

db_name() {
	printf 't%s_%s\n' "$BATS_SUITE_TEST_NUMBER" "$1"
}

db() {
	local name
	name=$(db_name "$1")
	sql postgres "CREATE DATABASE \"${name//\"/\"\"}\"" && printf '%s\n' "$name"
}

drop_later() {
	EXTRA_DATABASES+=("$1")
}

# Ours are those named after the test, and those the test declared. A server that has logged nothing
# since the test began was not asked for any. A template is made an ordinary database first.
drop_test_databases() {
	local extra
	local condition="datname ~ '(^|[^a-z0-9])t${BATS_SUITE_TEST_NUMBER}_'"
	[ "$SERVER_LOG" -nt "$TEST_DIR.begin" ] || return 0
	for extra in "${EXTRA_DATABASES[@]}"; do
		condition+=" OR datname = '${extra//\'/\'\'}'"
	done
	sql postgres - <<-SQL
		SELECT CASE WHEN datistemplate THEN format('ALTER DATABASE %I IS_TEMPLATE false', datname) END,
			format('DROP DATABASE IF EXISTS %I WITH (FORCE)', datname)
		FROM pg_database WHERE $condition \gexec
	SQL
}

# Percent-encodes every byte that is not plain.
encode() {
	local plain=$1
	encode_variable plain
	printf %s "$plain"
}

# encode_variable NAME: the same for the value of a variable. (bats has its hands in every command that
# a test's shell runs: a loop over bytes takes its time.)
encode_variable() {
	local LC_ALL=C byte code encoded='' i
	local -n text=$1
	# Slashes by far the most often.
	text=${text//%/%25}
	text=${text//\//%2F}
	[[ $text == *[!a-zA-Z0-9._~%-]* ]] || return 0
	for ((i = 0; i < ${#text}; i++)); do
		byte=${text:i:1}
		if [[ $byte != [a-zA-Z0-9._~%-] ]]; then
			printf -v code %d "'$byte"
			printf -v byte %%%02X $((code & 255))
		fi
		encoded+=$byte
	done
	text=$encoded
}

url() {
	local name=$1
	encode_variable name
	printf 'postgresql://postgres@/%s?host=%s&port=%s\n' "$name" "$SERVER_SOCKET_ENCODED" "$SERVER_PORT"
}

tcp_url() {
	local name=$2
	encode_variable name
	printf 'postgresql://%s:%s@127.0.0.1:%s/%s\n' "$1" "$APP_PASSWORD_ENCODED" "$SERVER_PORT" "$name"
}

app_url() {
	tcp_url app "$1"
}

nocreate_url() {
	tcp_url nocreate "$1"
}

sql() {
	local name=${1//\\/\\\\} script=(-c "$2")
	[ "$2" != - ] || script=(-f -)
	PGAPPNAME=tests "$SERVER_PSQL" -XAtq -v ON_ERROR_STOP=1 \
		-d "dbname='${name//\'/\\\'}' user=postgres host='$SERVER_SOCKET' port=$SERVER_PORT" "${script[@]}"
}

db_exists() {
	[ "$(sql postgres "SELECT count(*) FROM pg_database WHERE datname = '${1//\'/\'\'}'")" = 1 ]
}

dump() {
	local version
	version=$("$SERVER_PG_DUMP" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
	if [ "$version" -ge "$SERVER_VERSION" ]; then
		# \restrict carries a random key.
		"$SERVER_PG_DUMP" -d "$(url "$1")" | sed '/^\\\(un\)\{0,1\}restrict /d'
	else
		dump_by_query "$1"
	fi
}

dump_by_query() {
	local table
	"$SERVER_PSQL" -XAtq -v ON_ERROR_STOP=1 -d "$(url "$1")" -f "$ROOT/tests/lib/fingerprint.sql" ||
		return
	while IFS= read -r table; do
		printf '%s\n' "$table"
		sql "$1" "COPY (SELECT * FROM $table AS t ORDER BY t::text) TO STDOUT" || return
	done < <(sql "$1" "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
		WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1")
}

server_log_mark() {
	wc -c <"$SERVER_LOG"
}

server_log_since() {
	tail -c "+$(($1 + 1))" "$SERVER_LOG"
}

statements() {
	server_log_since "$1" | grep -F " db=$2 " | sed -n \
		-e 's/^.* LOG:  statement: //p' -e 's/^.* LOG:  execute [^:]*: //p'
}

start_session() {
	local name=$1 application=${2:-session} query=${3:-} fifo
	fifo=$(mktemp -u "$TEST_DIR/session.XXXXXX")
	mkfifo "$fifo"
	PGAPPNAME=$application "$SERVER_PSQL" -XAtq -d "$(url "$name")" \
		<"$fifo" >"$fifo.out" 2>&1 3>&- 4>&- &
	JOBS+=($!)
	# The session lasts as long as somebody holds the pipe open for writing.
	exec {SESSION_FD}>"$fifo"
	printf '%s\n' 'SELECT pg_backend_pid();' >&"$SESSION_FD"
	wait_until "[ -s '$fifo.out' ]" || return
	SESSION_PID=$(head -n 1 "$fifo.out")
	if [ -n "$query" ]; then
		printf '%s;\n' "$query" >&"$SESSION_FD"
		wait_until "[ \"\$(sql postgres 'SELECT state FROM pg_stat_activity
			WHERE pid = $SESSION_PID')\" = active ]"
	fi
}

# --- files -------------------------------------------------------------------------------------

make_project() {
	PROJECT=$TEST_DIR/project
	mkdir -p "$PROJECT/db"
	cat >"$PROJECT/db/schema.sql" <<-'SQL'
		DROP TABLE IF EXISTS item;
		CREATE TABLE item (
		  id integer PRIMARY KEY,
		  name text NOT NULL
		);
	SQL
	cat >"$PROJECT/db/seed.sql" <<-'SQL'
		INSERT INTO item (id, name) VALUES (1, 'one'), (2, 'two');
		INSERT INTO item (id, name) VALUES (3, 'three');
	SQL
	cd "$PROJECT" || return
}

make_sample_project() {
	PROJECT=$TEST_DIR/project
	mkdir -p "$PROJECT"
	cp -R "$ROOT/db" "$PROJECT/db"
	cd "$PROJECT" || return
}

# --- running -----------------------------------------------------------------------------------

run_tty() {
	local input=''
	if [ "$1" != -- ]; then
		input=$1
		shift
	fi
	shift
	run tty_run "$input" "$@"
	output=${output//$'\r'/}
}

# What is typed is kept open for a moment: an end of input would hang up the terminal.
tty_run() {
	local input=$1
	shift
	{
		sleep 0.3
		printf '%s' "$input"
		sleep 0.7
	} | SHELL=/bin/bash script -qec "$(printf '%q ' "$@")" /dev/null
}

start_job() {
	JOB_OUT=$(mktemp "$TEST_DIR/job.XXXXXX")
	JOB_ERR=$JOB_OUT.err
	# There from the first moment, for who reads it while another job is waited for.
	: >"$JOB_ERR"
	(
		# The shell has background jobs ignore these, and programs keep it that way.
		trap - INT QUIT
		if [ "$(type -t "$1")" = function ]; then
			"$@"
		else
			exec "$@"
		fi
	) >"$JOB_OUT" 2>"$JOB_ERR" </dev/null 3>&- 4>&- &
	JOB_PID=$!
	JOBS+=("$JOB_PID")
}

# Waits for the last job; sets status, output and stderr as run does.
finish_job() {
	wait "$JOB_PID" && status=0 || status=$?
	output=$(<"$JOB_OUT")
	stderr=$(<"$JOB_ERR")
}

wait_until() {
	local condition=$1 end=$((SECONDS + ${2:-10}))
	until eval "$condition"; do
		if ((SECONDS >= end)); then
			printf 'waited in vain for: %s\n' "$condition" >&2
			return 1
		fi
		sleep 0.05
	done
}

# --- assertions --------------------------------------------------------------------------------

assert_status() {
	if [ "$status" -ne "$1" ]; then
		printf 'expected status %s, got %s\n-- output\n%s\n' "$1" "$status" "$output" >&2
		if [ -n "${stderr:-}" ]; then
			printf -- '-- stderr\n%s\n' "$stderr" >&2
		fi
		return 1
	fi
}

assert_equal() {
	if [ "$1" != "$2" ]; then
		printf 'expected: %s\nactual:   %s\n' "$1" "$2" >&2
		return 1
	fi
}

assert_contains() {
	if [[ $1 != *"$2"* ]]; then
		printf 'expected to find: %s\nin: %s\n' "$2" "$1" >&2
		return 1
	fi
}

refute_contains() {
	if [[ $1 == *"$2"* ]]; then
		printf 'expected not to find: %s\nin: %s\n' "$2" "$1" >&2
		return 1
	fi
}

assert_matches() {
	if ! [[ $1 =~ $2 ]]; then
		printf 'expected to match: %s\nactual: %s\n' "$2" "$1" >&2
		return 1
	fi
}

# The last job is no longer running; for wait_until, so that a job that hangs fails its test.
job_ended() {
	! kill -0 "$JOB_PID" 2>/dev/null || is_zombie "$JOB_PID"
}
