#!/usr/bin/env bats
# The private local server.

load helper

setup() {
	common_setup
	unset CONNECTION_URL DATABASE_URL PGHOST PGHOSTADDR PGSERVICE PGDATABASE DB_NAME
	chmod 711 "$TEST_DIR"
	mkdir -p "$TEST_DIR/demo/db"
	cd "$TEST_DIR/demo" || return
	export DB_SERVER_DIR=$TEST_DIR/s
	if [ -n "${DB_TEST_BINDIR:-}" ]; then
		export DB_SERVER_BINDIR=$DB_TEST_BINDIR
	fi
}

teardown() {
	if [ -n "${SHORT_DIR:-}" ]; then
		rm -rf "$SHORT_DIR"
	fi
	common_teardown
}

# The process number of the test's server.
postmaster() {
	head -n 1 "$DB_SERVER_DIR/data/postmaster.pid"
}

postmasters() {
	pgrep -fc -- "-D $DB_SERVER_DIR/data" || :
}

# A field of `db-server status`.
field() {
	db-server status | sed -n "s/^$1  *//p"
}

# Runs SQL on the private server as the caller.
private_sql() {
	"$SERVER_PSQL" -XAtq -v ON_ERROR_STOP=1 -d "$(db-server url | sed 's,///[^?]*,///postgres,')" -c "$1"
}

# as_other COMMAND...: as an account without privileges; as oneself when not root.
as_other() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups "$@"
	else
		"$@"
	fi
}

is_gone() {
	! kill -0 "$1" 2>/dev/null || is_zombie "$1"
}

@test "start creates the server, prints only its URL on stdout, and the URL works" {
	run --separate-stderr db-server start
	assert_status 0
	assert_equal "postgresql:///demo?host=$DB_SERVER_DIR/run&port=5432&user=postgres" "$output"
	assert_contains "$stderr" 'creating the private server'
	assert_equal 'postgres|dbrig|off|off|off' "$(private_sql "SELECT current_user,
		current_setting('cluster_name'), current_setting('fsync'),
		current_setting('full_page_writes'), current_setting('synchronous_commit')")"
	assert_equal UTF8 "$(private_sql 'SHOW server_encoding')"
}

@test "start on a running server prints the URL and starts nothing" {
	db-server start
	pid=$(postmaster)
	run --separate-stderr db-server start
	assert_status 0
	assert_equal '' "$stderr"
	assert_equal "$pid" "$(postmaster)"
}

@test "status tells URL, version, pid, directory and log; exit status 1 when it does not run" {
	run db-server status
	assert_status 1
	assert_contains "$output" 'not created yet'
	[ ! -e "$DB_SERVER_DIR" ]
	db-server start
	run db-server status
	assert_status 0
	assert_contains "$output" "url        $(db-server url)"
	assert_matches "$output" 'version    [0-9]+\.[0-9]+'
	assert_contains "$output" "pid        $(postmaster)"
	assert_contains "$output" "directory  $DB_SERVER_DIR"
	assert_contains "$output" "log        $DB_SERVER_DIR/log"
	assert_equal "$(private_sql 'SHOW server_version' | sed 's/ .*//')" "$(field version)"
	db-server stop
	run db-server status
	assert_status 1
	assert_contains "$output" 'stopped'
}

@test "status --json is one object with the same facts" {
	db-server start
	run --separate-stderr db-server status --json
	assert_status 0
	assert_contains "$output" '"running": true'
	assert_contains "$output" "\"pid\": $(postmaster)"
	assert_contains "$output" "\"url\": \"$(db-server url)\""
	db-server stop
	run --separate-stderr db-server status --json
	assert_status 1
	assert_contains "$output" '"running": false'
	assert_contains "$output" '"pid": null'
}

@test "a missing and an unknown word are usage errors, --json belongs to status" {
	run db-server
	assert_status 64
	run db-server restart
	assert_status 64
	assert_contains "$output" 'unknown word "restart"'
	run db-server start --json
	assert_status 64
	[ ! -e "$DB_SERVER_DIR" ]
}

@test "outside of a project it says so" {
	cd /
	run db-server start
	assert_status 64
	assert_contains "$output" 'no project found'
}

@test "eight starts at once create one cluster and one postmaster" {
	for i in 1 2 3 4 5 6 7 8; do
		db-server start >"$TEST_DIR/out.$i" 2>"$TEST_DIR/err.$i" 3>&- 4>&- &
		starts[i]=$!
	done
	wait "${starts[@]}"
	for i in 1 2 3 4 5 6 7 8; do
		assert_equal "$(db-server url)" "$(cat "$TEST_DIR/out.$i")"
	done
	assert_equal 1 "$(cat "$TEST_DIR"/err.* | grep -c creating)"
	assert_equal 1 "$(postmasters)"
	assert_equal '' "$(find "$DB_SERVER_DIR" -maxdepth 1 -name 'data.tmp*')"
}

@test "start and destroy at once end in one state or the other" {
	for i in 1 2 3; do
		db-server start >"$TEST_DIR/out.$i" 2>&1 3>&- 4>&- &
		starts[i]=$!
		db-server destroy >"$TEST_DIR/destroy.$i" 2>&1 3>&- 4>&- &
		destroys[i]=$!
	done
	for i in 1 2 3; do
		wait "${starts[i]}" || { cat "$TEST_DIR/out.$i"; return 1; }
		wait "${destroys[i]}" || { cat "$TEST_DIR/destroy.$i"; return 1; }
	done
	db-server start
	assert_equal 1 "$(postmasters)"
	db-server destroy
	[ ! -e "$DB_SERVER_DIR" ]
}

@test "a server whose postmaster was killed starts again with its data" {
	db-server start
	private_sql 'CREATE TABLE kept AS SELECT 42 AS n'
	# A kill costs the commits of the last moments: synchronous_commit is off.
	private_sql CHECKPOINT
	pid=$(postmaster)
	kill -KILL "$pid"
	wait_until "is_gone $pid"
	run db-server status
	assert_status 1
	db-server start
	[ "$(postmaster)" != "$pid" ]
	assert_equal 42 "$(private_sql 'SELECT n FROM kept')"
}

@test "a pid file that names somebody else's process is no obstacle and no target" {
	db-server start
	db-server stop
	sleep 300 3>&- 4>&- &
	victim=$!
	JOBS+=("$victim")
	# As a crash leaves it; the number was given to another process since.
	printf '%s\n%s\n1700000000\n5432\n%s\n\n  1234567         0\nready   \n' \
		"$victim" "$DB_SERVER_DIR/data" "$DB_SERVER_DIR/run" >"$DB_SERVER_DIR/data/postmaster.pid"
	chown --reference="$DB_SERVER_DIR" "$DB_SERVER_DIR/data/postmaster.pid"
	run db-server status
	assert_status 1
	run db-server stop
	assert_status 0
	assert_contains "$output" 'not running'
	kill -0 "$victim"
	db-server start
	db-server status
	kill -0 "$victim"
}

@test "a server that lost its socket is restarted" {
	db-server start
	pid=$(postmaster)
	rm -rf "$DB_SERVER_DIR/run"
	db-server start
	[ "$(postmaster)" != "$pid" ]
	assert_equal 1 "$(private_sql 'SELECT 1')"
	assert_equal 1 "$(postmasters)"
	# And one that lost its data is stopped, whoever moved them.
	pid=$(postmaster)
	mv "$DB_SERVER_DIR/data" "$TEST_DIR/data"
	run db-server destroy
	assert_status 0
	is_gone "$pid"
	[ -e "$TEST_DIR/data/PG_VERSION" ]
}

@test "the server outlives the caller's session and holds none of its descriptors" {
	exec 7>"$TEST_DIR/held"
	db-server start
	exec 7>&-
	pid=$(postmaster)
	assert_equal "$pid" "$(ps -o sid= -p "$pid" | tr -d ' ')"
	refute_contains "$(ls -l "/proc/$pid/fd")" "$TEST_DIR/held"
	refute_contains "$(ls -l "/proc/$pid/fd")" "$DB_SERVER_DIR/lock"
	assert_contains "$(readlink "/proc/$pid/fd/0")" /dev/null
	refute_contains "$(tr '\0' '\n' <"/proc/$pid/environ")" DB_SERVER_DIR
}

@test "an interrupted creation leaves nothing half-made, and the next start cleans up" {
	start_job db-server start
	wait_until "compgen -G '$DB_SERVER_DIR/data.tmp.*' >/dev/null"
	kill -TERM "$JOB_PID"
	finish_job
	assert_equal 143 "$status"
	[ ! -e "$DB_SERVER_DIR/data" ]
	assert_equal '' "$(find "$DB_SERVER_DIR" -maxdepth 1 -name 'data.tmp*')"
	start_job db-server start
	wait_until "compgen -G '$DB_SERVER_DIR/data.tmp.*' >/dev/null"
	kill -KILL "$JOB_PID"
	finish_job
	assert_equal 137 "$status"
	[ ! -e "$DB_SERVER_DIR/data" ]
	db-server start
	assert_equal '' "$(find "$DB_SERVER_DIR" -maxdepth 1 -name 'data.tmp*')"
	assert_equal 1 "$(private_sql 'SELECT 1')"
}

@test "stop ends open sessions, and stopping twice is no error" {
	db-server start
	start_job "$SERVER_PSQL" -X -d "$(db-server url | sed 's,///demo,///postgres,')" \
		-c "SET application_name = 'open'" -c 'SELECT pg_sleep(60)'
	wait_until "[ \"\$(private_sql \"SELECT count(*) FROM pg_stat_activity
		WHERE application_name = 'open'\")\" = 1 ]"
	pid=$(postmaster)
	run db-server stop
	assert_status 0
	is_gone "$pid"
	run db-server stop
	assert_status 0
	assert_contains "$output" 'not running'
}

@test "destroy removes everything, follows no symbolic link, and may be repeated" {
	mkdir "$TEST_DIR/precious"
	touch "$TEST_DIR/precious/file"
	db-server start
	ln -s "$TEST_DIR/precious" "$DB_SERVER_DIR/data/pg_tblspc/99999"
	ln -s "$TEST_DIR/precious" "$DB_SERVER_DIR/data.tmp.1"
	run db-server destroy
	assert_status 0
	[ ! -e "$DB_SERVER_DIR" ]
	[ -e "$TEST_DIR/precious/file" ]
	run db-server destroy
	assert_status 0
	assert_contains "$output" 'there is no private server'
}

@test "a directory that holds something else is neither used nor removed" {
	mkdir "$DB_SERVER_DIR"
	touch "$DB_SERVER_DIR/thesis"
	chmod 755 "$DB_SERVER_DIR"
	[ "$(id -u)" -ne 0 ] || chown nobody "$DB_SERVER_DIR"
	[ "$(id -u)" -ne 0 ] || export DB_SERVER_USER=nobody
	for word in start destroy stop; do
		run db-server $word
		assert_status 1
		assert_contains "$output" "is not a private server's"
	done
	assert_equal thesis "$(ls -A "$DB_SERVER_DIR")"
	assert_equal 755 "$(stat -c %a "$DB_SERVER_DIR")"
}

@test "a directory that is a symbolic link or somebody else's is refused" {
	mkdir "$TEST_DIR/elsewhere"
	ln -s "$TEST_DIR/elsewhere" "$DB_SERVER_DIR"
	run db-server start
	assert_status 1
	assert_contains "$output" 'is a symbolic link'
	assert_equal '' "$(ls -A "$TEST_DIR/elsewhere")"
	rm "$DB_SERVER_DIR"
	[ "$(id -u)" -eq 0 ] || return 0
	mkdir "$DB_SERVER_DIR"
	chown daemon "$DB_SERVER_DIR"
	run db-server start
	assert_status 1
	assert_contains "$output" 'belongs to another user'
}

@test "a long path gets a short socket directory, which nobody can put in our way" {
	long=$TEST_DIR/$(printf 'long%.0s' {1..30})
	mkdir -m 711 "$long"
	export DB_SERVER_DIR=$long/s
	unset XDG_RUNTIME_DIR
	url=$(db-server url)
	SHORT_DIR=${url#*host=}
	SHORT_DIR=${SHORT_DIR%%&*}
	assert_matches "$SHORT_DIR" '^/tmp/dbrig-[0-9]+-[0-9a-f]{8}$'
	mkdir "$TEST_DIR/trap"
	ln -s "$TEST_DIR/trap" "$SHORT_DIR"
	run db-server start
	assert_status 1
	assert_contains "$output" 'is a symbolic link'
	rm "$SHORT_DIR"
	assert_equal "$url" "$(db-server start)"
	assert_equal 700 "$(stat -c %a "$SHORT_DIR")"
	assert_equal 1 "$(private_sql 'SELECT 1')"
	db-server destroy
	[ ! -e "$SHORT_DIR" ]
}

@test "blanks, quotes, percent signs and commas in the path" {
	odd=$TEST_DIR/$(printf "it's 100%% \"odd\" \\\\ ü")
	mkdir -m 711 "$odd"
	export DB_SERVER_DIR="$odd/s"
	db-server start
	assert_equal 1 "$(private_sql 'SELECT 1')"
	db-server destroy
	mkdir -m 711 "$TEST_DIR/a,b"
	export DB_SERVER_DIR="$TEST_DIR/a,b/s"
	db-server start
	assert_equal 1 "$(private_sql 'SELECT 1')"
	db-server destroy
}

@test "called by root, the server runs under an unprivileged account in closed directories" {
	[ "$(id -u)" -eq 0 ] || return 0
	DB_SERVER_USER=nobody db-server start
	pid=$(postmaster)
	number=$(id -u nobody)
	assert_equal "$number $number $number $number" \
		"$(sed -n 's/^Uid:[[:space:]]*//p' "/proc/$pid/status" | tr '\t' ' ')"
	assert_matches "$(sed -n 's/^CapEff:[[:space:]]*//p' "/proc/$pid/status")" '^0+$'
	refute_contains " $(sed -n 's/^Groups:[[:space:]]*//p' "/proc/$pid/status") " ' 0 '
	assert_equal 'nobody 700' "$(stat -c '%U %a' "$DB_SERVER_DIR")"
	assert_equal 'nobody 700' "$(stat -c '%U %a' "$DB_SERVER_DIR/run")"
	assert_equal 1 "$(DB_SERVER_USER=nobody private_sql 'SELECT 1')"
	run as_other env DB_SERVER_USER= "$SERVER_PSQL" -XAtq \
		-d "postgresql:///postgres?host=$DB_SERVER_DIR/run&user=postgres" -c 'SELECT 2'
	assert_equal 2 "$output"
}

@test "other accounts cannot get in" {
	[ "$(id -u)" -eq 0 ] || return 0
	DB_SERVER_USER=nobody db-server start
	chmod 755 "$DB_SERVER_DIR" "$DB_SERVER_DIR/run"
	chmod 777 "$DB_SERVER_DIR/run/.s.PGSQL.5432"
	run setpriv --reuid=daemon --regid=daemon --clear-groups "$SERVER_PSQL" -XAtq \
		-d "postgresql:///postgres?host=$DB_SERVER_DIR/run&user=postgres" -c 'SELECT 2'
	[ "$status" -ne 0 ]
	assert_contains "$output" 'authentication failed'
}

@test "works for an account without privileges, without HOME, and with HOME unset" {
	[ "$(id -u)" -eq 0 ] || return 0
	mkdir "$TEST_DIR/state"
	chown nobody "$TEST_DIR/state"
	run --separate-stderr as_other env -u DB_SERVER_DIR -u HOME XDG_STATE_HOME="$TEST_DIR/state" \
		"$DBRIG_BIN/db-server" start
	assert_status 0
	assert_contains "$output" "$TEST_DIR/state/dbrig/demo-"
	run as_other env -u DB_SERVER_DIR -u HOME XDG_STATE_HOME="$TEST_DIR/state" \
		"$DBRIG_BIN/db-server" destroy
	assert_status 0
	# nobody's home in the password database does not exist and cannot be made.
	run as_other env -u DB_SERVER_DIR -u HOME -u XDG_STATE_HOME "$DBRIG_BIN/db-server" start
	assert_status 1
	assert_contains "$output" 'could not create directory'
}

@test "root without HOME uses /var/lib/dbrig" {
	[ "$(id -u)" -eq 0 ] || return 0
	run env -u HOME -u DB_SERVER_DIR "$DBRIG_BIN/db-server" status
	assert_contains "$output" 'directory  /var/lib/dbrig/demo-'
}

@test "a directory that is not writable is a clear error" {
	mkdir -m 555 "$TEST_DIR/locked"
	run as_other env DB_SERVER_DIR="$TEST_DIR/locked/s" "$DBRIG_BIN/db-server" start
	assert_status 1
	assert_contains "$output" "could not create directory \"$TEST_DIR/locked/s\": Permission denied"
}

@test "a directory the server's account may not enter is named" {
	[ "$(id -u)" -eq 0 ] || return 0
	mkdir -m 700 "$TEST_DIR/closed"
	export DB_SERVER_DIR=$TEST_DIR/closed/s
	run db-server start
	assert_status 1
	assert_contains "$output" "may not enter \"$TEST_DIR/closed\""
}

@test "no TCP port is opened, even when ALTER SYSTEM asks for one" {
	db-server start
	private_sql "ALTER SYSTEM SET listen_addresses = '127.0.0.1'"
	db-server stop
	db-server start
	assert_equal '' "$(private_sql 'SHOW listen_addresses')"
	refute_contains "$(find "/proc/$(postmaster)/fd" -printf '%l\n' | sed -n 's/socket:\[\(.*\)\]/\1/p' |
		while read -r inode; do awk -v i="$inode" '$10 == i { print "tcp" }' /proc/net/tcp \
			/proc/net/tcp6 2>/dev/null; done)" tcp
}

@test "a wrong DB_SERVER_BINDIR or DB_SERVER_USER is a usage error" {
	DB_SERVER_BINDIR=/nonexistent run db-server start
	assert_status 64
	assert_contains "$output" 'DB_SERVER_BINDIR: "/nonexistent" does not hold postgres and initdb'
	mkdir "$TEST_DIR/fake"
	printf '#!/bin/sh\necho "postgres (PostgreSQL) 12.4"\n' >"$TEST_DIR/fake/postgres"
	cp "$TEST_DIR/fake/postgres" "$TEST_DIR/fake/initdb"
	chmod -R 755 "$TEST_DIR/fake"
	DB_SERVER_BINDIR=$TEST_DIR/fake run db-server start
	assert_status 64
	assert_contains "$output" 'PostgreSQL 12.4 is too old'
	[ ! -e "$DB_SERVER_DIR/data" ]
	[ "$(id -u)" -eq 0 ] || return 0
	DB_SERVER_USER=nosuchuser run db-server start
	assert_status 64
	DB_SERVER_USER=root run db-server start
	assert_status 64
	assert_contains "$output" 'cannot run as "root"'
	chmod 700 "$TEST_DIR/fake"
	DB_SERVER_BINDIR=$TEST_DIR/fake run db-server start
	assert_status 64
	assert_contains "$output" 'may not run programs'
}

@test "data of a version whose programs are gone: names version and ways out" {
	db-server start
	db-server stop
	echo 99 >"$DB_SERVER_DIR/data/PG_VERSION"
	unset DB_SERVER_BINDIR
	mkdir -m 000 "$TEST_DIR/closed"
	PATH=$PATH:$TEST_DIR/closed:$TEST_DIR/closed run db-server start
	assert_status 1
	assert_contains "$output" 'no programs of PostgreSQL 99'
	assert_equal 1 "$(grep -c "may not use $TEST_DIR/closed" <<<"$output")"
	assert_contains "$output" 'DB_SERVER_BINDIR'
	assert_contains "$output" 'db-server destroy'
	db-server destroy
	[ ! -e "$DB_SERVER_DIR" ]
}

@test "data that cannot be read are not called lost: what is closed or missing is named" {
	db-server start
	db-server stop
	chmod 0 "$DB_SERVER_DIR/data"
	run db-create
	assert_status 1
	assert_contains "$output" "\"$DB_SERVER_DIR/data/PG_VERSION\": Permission denied"
	assert_contains "$output" "chmod 700 $DB_SERVER_DIR/data"
	refute_contains "$output" destroy
	chmod 700 "$DB_SERVER_DIR/data"
	mv "$DB_SERVER_DIR/data/PG_VERSION" "$TEST_DIR/kept"
	run db-server start
	assert_status 1
	assert_contains "$output" "\"$DB_SERVER_DIR/data/PG_VERSION\" is missing"
	refute_contains "$output" destroy
	mv "$TEST_DIR/kept" "$DB_SERVER_DIR/data/PG_VERSION"
	db-server start
	[ "$(id -u)" -eq 0 ] || return 0
	# What is left of another, and cannot be removed, is told before more is.
	mkdir -p "$DB_SERVER_DIR/data.tmp.1/others"
	touch "$DB_SERVER_DIR/data.tmp.1/others/file"
	run db-server destroy
	assert_status 1
	assert_contains "$output" "\"$DB_SERVER_DIR/data.tmp.*\"; nothing else was removed"
	[ -e "$DB_SERVER_DIR/data/PG_VERSION" ]
	mv "$DB_SERVER_DIR/data.tmp.1/others" "$DB_SERVER_DIR/data"
	run db-server destroy
	assert_status 1
	assert_matches "$output" "What is left of the data is in \"$DB_SERVER_DIR/data\\.tmp\\.[0-9]+\""
	[ -e "$DB_SERVER_DIR/log" ]
}

@test "a server that cannot start: fails at once with the last lines of its log" {
	db-server start
	private_sql "ALTER SYSTEM SET shared_preload_libraries = 'no_such_library'"
	db-server stop
	SECONDS=0
	run db-server start
	assert_status 1
	assert_contains "$output" 'could not start the private server'
	assert_contains "$output" 'no_such_library'
	[ "$SECONDS" -lt 10 ]
}

@test "the database is named after the project, unless DB_NAME says otherwise" {
	check() {
		mkdir -p "$TEST_DIR/$1/db"
		assert_equal "$2" "$(cd "$TEST_DIR/$1" && db-server url | sed 's,^postgresql:///,,; s,?.*,,')"
	}
	check 'My App-2' my_app_2
	check '2024' db_2024
	check 'postgres' postgres_dev
	check 'ü' app
	check "$(printf 'x%.0s' {1..80})" "$(printf 'x%.0s' {1..63})"
	DB_NAME='Odd näme' check demo 'Odd%20n%C3%A4me'
	DB_NAME=$(printf 'x%.0s' {1..64}) run db-server url
	assert_status 64
	echo 'DB_NAME=from_file' >.env
	assert_contains "$(db-server url)" '///from_file?'
}
