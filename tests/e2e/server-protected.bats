#!/usr/bin/env bats
# db-server destroy: databases in the private server that are protected.

load helper
load terminal

setup() {
	common_setup
	unset CONNECTION_URL DATABASE_URL PGHOST PGHOSTADDR PGSERVICE PGDATABASE DB_NAME
	export DBRIG_AGENT=0
	chmod 711 "$TEST_DIR"
	mkdir -p "$TEST_DIR/demo/db"
	cd "$TEST_DIR/demo" || return
	export DB_SERVER_DIR=$TEST_DIR/s
}

# The process number of the test's server.
postmaster() {
	head -n 1 "$DB_SERVER_DIR/data/postmaster.pid"
}

# Runs SQL on the private server as the caller.
private_sql() {
	"$SERVER_PSQL" -XAtq -v ON_ERROR_STOP=1 -d "$(db-server url | sed 's,///[^?]*,///postgres,')" -c "$1"
}

# private_db NAME [COMMENT]
private_db() {
	private_sql "CREATE DATABASE \"$1\""
	[ -z "${2-}" ] || private_sql "COMMENT ON DATABASE \"$1\" IS '$2'"
}

@test "destroy refuses when a database in it is marked, names it, and takes its name for a yes" {
	db-create
	db-protect
	pid=$(postmaster)
	for confirm in '' '--confirm other' '--confirm=' '--confirm DEMO'; do
		# shellcheck disable=SC2086 # words are meant
		run db-server destroy $confirm
		assert_status 4
		assert_contains "$output" 'database "demo"'
		assert_equal "$pid" "$(postmaster)"
	done
	yes | run db-server destroy
	assert_equal 1 "$(private_sql "SELECT count(*) FROM pg_database WHERE datname = 'demo'")"
	DBRIG_AGENT=1 run db-server destroy --confirm demo
	assert_status 4
	assert_contains "$output" DBRIG_CONSENT
	# A comment written anew has no mark; what was marked from here counts all the same.
	private_sql "COMMENT ON DATABASE demo IS 'our app'"
	run db-server destroy
	assert_status 4
	assert_contains "$output" 'its mark is gone'
	assert_equal "$pid" "$(postmaster)"
	run db-server destroy --confirm demo
	assert_status 0
	[ ! -e "$DB_SERVER_DIR" ]
}

@test "destroy starts a stopped server for the look, and stops it again when it refuses" {
	db-create
	db-protect
	db-server stop
	run db-server destroy
	assert_status 4
	assert_contains "$output" 'database "demo"'
	[ ! -e "$DB_SERVER_DIR/data/postmaster.pid" ]
	db-server start
	db-protect --off --confirm demo
	db-server stop
	run db-server destroy
	assert_status 0
	[ ! -e "$DB_SERVER_DIR" ]
}

@test "destroy of a server with several marked databases names them all" {
	db-server start
	private_db shop '[dbrig:protected=prod]'
	private_db demo '[dbrig:protected]'
	private_db other
	for confirm in '' '--confirm demo' '--confirm shop'; do
		# shellcheck disable=SC2086 # words are meant
		run db-server destroy $confirm
		assert_status 4
		assert_contains "$output" '"demo", "shop"'
		refute_contains "$output" '"other"'
		assert_equal 1 "$(grep -c 'Nothing was changed' <<<"$output")"
	done
	assert_equal 3 "$(private_sql "SELECT count(*) FROM pg_database WHERE datname IN ('demo', 'shop', 'other')")"
	DB_NAME=demo db-protect --off --confirm demo
	run db-server destroy --confirm shop
	assert_status 0
	[ ! -e "$DB_SERVER_DIR" ]
}

@test "destroy: a marked snapshot counts, under the name of its database" {
	db-create
	db-protect
	db-snapshot save a
	db-drop --confirm demo
	run db-server destroy
	assert_status 4
	assert_contains "$output" 'database "demo"'
	assert_contains "$output" 'demo.dbrig-snapshot-'
	db-create
	run db-server destroy
	assert_status 4
	# Without the snapshot it is not known whether the name's database was made of it.
	private_sql "DROP DATABASE \"$(private_sql "SELECT datname FROM pg_database WHERE datname ~ 'dbrig-snapshot'")\""
	run db-server destroy
	assert_status 4
	assert_contains "$output" 'database "demo", which is protected: it was marked once, and has no mark now'
	run db-server destroy --confirm demo
	assert_status 0
	[ ! -e "$DB_SERVER_DIR" ]
}

@test "destroy: a database that was renamed is not covered by what its comment says of another" {
	db-server start
	private_db mine '[dbrig:snapshot of=demo tag=a] [dbrig:protected=local]'
	run db-server destroy --confirm demo
	assert_status 4
	run db-server destroy --confirm mine
	assert_status 0
}

@test "destroy of a server without marked databases asks nothing, and makes none to look at" {
	db-create
	run --separate-stderr db-server destroy --confirm other
	assert_status 4
	run db-server destroy
	assert_status 0
	refute_contains "$output" protected
	run db-server destroy
	assert_status 0
	refute_contains "$output" creating
	db-create
	DB_PROTECTED_TARGETS=local DBRIG_AGENT=0 run db-server destroy
	assert_status 4
	[ -e "$DB_SERVER_DIR" ]
	# Nor for one that was marked, when another has its name now.
	db-protect
	private_sql 'DROP DATABASE demo'
	private_db demo
	run db-server destroy
	assert_status 0
	[ ! -e "$DB_SERVER_DIR" ]
}

# The server does not start any more.
break_server() {
	private_sql "ALTER SYSTEM SET shared_preload_libraries = 'no_such_library'"
	db-server stop
}

@test "destroy: what the URL of a protected target leads to counts, also where the server cannot be started" {
	db-server start
	private_db shop
	url=$(db-server url)
	shop=${url/demo/shop}
	pid=$(postmaster)
	for setting in "PROD_CONNECTION_URL=$shop" "PROD_DATABASE_URL=${shop/\/s\/run/\/s\/.\/run}" \
		"STAGING_CONNECTION_URL=$shop" "DB_PROTECTED_TARGETS=local CONNECTION_URL=$shop"; do
		# shellcheck disable=SC2086 # words are meant
		run env DB_PROTECTED_TARGETS=staging $setting db-server destroy
		assert_status 4
		assert_contains "$output" 'database "shop"'
		assert_equal "$pid" "$(postmaster)"
	done
	break_server
	PROD_CONNECTION_URL=$shop run db-server destroy
	assert_status 4
	assert_contains "$output" 'database "shop", which is protected: PROD_CONNECTION_URL leads to it'
	# Neither another server's nor one of a target that is not protected.
	export PROD_CONNECTION_URL=${shop/\/s\/run/\/other\/run} STAGING_CONNECTION_URL=$shop CONNECTION_URL=$shop
	mv "$DB_SERVER_DIR/data" "$TEST_DIR/moved"
	ln -s ../moved "$DB_SERVER_DIR/data"
	run db-server destroy
	assert_status 0
	assert_contains "$output" 'could not be looked at for protected databases'
	assert_contains "$output" "stay: \"data\" was a symbolic link to \"$DB_SERVER_DIR/../moved\""
	[ -e "$TEST_DIR/moved/PG_VERSION" ]
	[ ! -e "$DB_SERVER_DIR" ]
}

@test "destroy of a server that cannot be started refuses when a database in it was marked from here" {
	db-create
	db-protect
	break_server
	for confirm in '' '--confirm other'; do
		# shellcheck disable=SC2086 # words are meant
		run db-server destroy $confirm
		assert_status 4
		assert_contains "$output" 'database "demo"'
		[ -e "$DB_SERVER_DIR/data/PG_VERSION" ]
	done
	DBRIG_AGENT=1 run db-server destroy --confirm demo
	assert_status 4
	assert_contains "$output" DBRIG_CONSENT
	# Nor is it forgotten when its data are elsewhere, for a while perhaps.
	mv "$DB_SERVER_DIR/data" "$TEST_DIR/moved"
	run db-server destroy
	assert_status 4
	assert_contains "$output" 'database "demo"'
	mkdir "$DB_SERVER_DIR/data"
	chown --reference="$DB_SERVER_DIR" "$DB_SERVER_DIR/data"
	run db-server destroy --confirm demo
	assert_status 0
	assert_contains "$output" 'there were no data in it'
	[ ! -e "$DB_SERVER_DIR" ]
	# Another server in that place has nothing to do with it.
	db-create
	run --separate-stderr db-protect --show
	assert_equal '' "$stderr"
	break_server
	DB_PROTECTED_TARGETS=local run db-server destroy
	assert_status 4
	assert_contains "$output" DB_PROTECTED_TARGETS
	run db-server destroy
	assert_status 0
}

@test "destroy of a server that cannot be started finds a mark that was not set from here in its files" {
	db-server start
	private_db shop '[dbrig:protected=prod]'
	break_server
	for confirm in '' '--confirm shop'; do
		# shellcheck disable=SC2086 # words are meant
		run db-server destroy $confirm
		assert_status 4
		assert_contains "$output" 'destroy the private server with database "demo"'
		[ -e "$DB_SERVER_DIR/data/PG_VERSION" ]
	done
	run db-server destroy --confirm demo
	assert_status 0
	[ ! -e "$DB_SERVER_DIR" ]
}

# Commands as who may read no more than the server itself.
as_owner() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups "$@"
	else
		"$@"
	fi
}

@test "destroy of a server whose files cannot be read, also those left of one, asks for the name" {
	mkdir "$TEST_DIR/state"
	[ "$(id -u)" -ne 0 ] || chown nobody "$TEST_DIR/state"
	export DB_SERVER_DIR=$TEST_DIR/state/s
	url=$(as_owner db-server start)
	as_owner "$SERVER_PSQL" -XAtq -d "${url/demo/postgres}" -c 'CREATE DATABASE shop' \
		-c "COMMENT ON DATABASE shop IS '[dbrig:protected=prod]'"
	as_owner db-server stop
	for data in data data.tmp.1; do
		[ $data = data ] || mv "$DB_SERVER_DIR/data" "$DB_SERVER_DIR/$data"
		for mode in 0 700; do
			chmod $mode "$DB_SERVER_DIR/$data"
			# One that is there has a test of its own when it can be read.
			[ "$data $mode" != 'data 700' ] || continue
			run as_owner db-server destroy
			assert_status 4
			assert_contains "$output" 'database "demo"'
			[ -e "$DB_SERVER_DIR/$data/PG_VERSION" ]
			[ -e "$DB_SERVER_DIR/log" ]
		done
	done
	# Nor does a start remove it, or the server that is there then hide it.
	as_owner db-server start
	[ -e "$DB_SERVER_DIR/data.tmp.1/PG_VERSION" ]
	run as_owner db-server destroy
	assert_status 4
	assert_contains "$output" data.tmp
	as_owner db-server stop
	chmod 0 "$DB_SERVER_DIR/data.tmp.1" "$DB_SERVER_DIR/data"
	run as_owner db-server destroy --confirm demo
	assert_status 0
	[ ! -e "$DB_SERVER_DIR" ]
}

@test "destroy of a server that cannot be started knows of marks under other names and by its URL" {
	db-server start
	private_db shop
	private_db demo
	DB_NAME=shop db-protect
	CONNECTION_URL=$(db-server url) db-protect
	break_server
	for confirm in '' '--confirm demo' '--confirm shop'; do
		# shellcheck disable=SC2086 # words are meant
		run db-server destroy $confirm
		assert_status 4
		assert_contains "$output" '"shop", "demo"'
		assert_contains "$output" "remove the directory \"$DB_SERVER_DIR\""
	done
	rm "$DB_SERVER_DIR/data/postgresql.auto.conf"
	db-server start
	db-protect --off --confirm demo
	break_server
	run db-server destroy --confirm shop
	assert_status 0
	[ ! -e "$DB_SERVER_DIR" ]
}

@test "destroy of a server that cannot be started counts the snapshots of a marked database that was dropped" {
	db-create
	db-protect
	db-snapshot save a
	db-drop --confirm demo
	break_server
	run db-server destroy
	assert_status 4
	assert_contains "$output" 'database "demo"'
	run db-server destroy --confirm demo
	assert_status 0
	[ ! -e "$DB_SERVER_DIR" ]
}

@test "the server's URL leads to no production, whatever is not known of that" {
	db-create
	CONNECTION_URL=$(db-server url)
	export CONNECTION_URL PROD_CONNECTION_URL=postgresql://app@127.0.0.1:1/demo
	echo 'CREATE TABLE item (id integer);' >db/schema.sql
	run db-setup
	assert_status 0
	# Of a server that is not the project's it is not known.
	for setting in "DB_SERVER_DIR=$TEST_DIR/other" "CONNECTION_URL=${CONNECTION_URL/\/s\/run/\/s\/.\/run}"; do
		run env "$setting" db-setup
		assert_status 4
		assert_contains "$output" "may be production's"
	done
	db-protect
	run db-setup
	assert_status 4
	assert_contains "$output" 'is marked'
}

@test "destroy of a server that runs and lets nobody in fails" {
	db-create
	echo "local all all reject" >"$DB_SERVER_DIR/data/pg_hba.conf"
	kill -HUP "$(postmaster)"
	wait_until '! private_sql "SELECT 1" >/dev/null 2>&1'
	run db-server destroy
	[ "$status" -ne 0 ]
	assert_contains "$output" 'is not known'
	[ -e "$DB_SERVER_DIR/data" ]
	# Nor does one answer whose data were closed: it is found all the same, and can be stopped.
	pid=$(postmaster)
	chmod 0 "$DB_SERVER_DIR/data"
	run db-server destroy
	assert_status 2
	assert_contains "$output" 'is not known'
	kill -0 "$pid"
	[ -d "$DB_SERVER_DIR/data" ]
	assert_contains "$(db-server status)" "pid        $pid"
	db-server stop
	! kill -0 "$pid" 2>/dev/null || is_zombie "$pid"
	chmod 700 "$DB_SERVER_DIR/data"
}

# typed ANSWER ANSWER: db-server destroy, answered when it asks for demo and for shop.
typed() {
	on_terminal db-server destroy
	screen_has 'Database "demo" is protected'
	screen_ends 'destroy the private server with it: '
	type_keys "$1"$'\n'
	screen_has 'Database "shop" is protected'
	screen_ends 'destroy the private server with it: '
	type_keys "$2"$'\n'
	finish_terminal
}

@test "destroy asks for each name on the terminal, and one that is wrong keeps all" {
	db-server start
	private_db shop '[dbrig:protected=prod]'
	private_db demo '[dbrig:protected]'
	typed demo shpo
	assert_status 4
	assert_equal 2 "$(private_sql "SELECT count(*) FROM pg_database WHERE datname IN ('demo', 'shop')")"
	typed demo shop
	assert_status 0
	[ ! -e "$DB_SERVER_DIR" ]
}

@test "db-connect writes nothing into a marked database of the private server" {
	db-create
	private_sql 'CREATE DATABASE other'
	DB_NAME=other db-protect
	export DB_CLIENT=$SERVER_PSQL
	DB_NAME=other run db-connect -- -Xc 'CREATE TABLE item ()'
	assert_status 1
	assert_contains "$output" 'is protected: it is marked as that of the target "local"'
	assert_contains "$output" 'in a read-only transaction'
	DB_NAME=other run db-connect --write -- -Xc 'CREATE TABLE item ()'
	assert_status 0
	run db-connect -- -Xc 'CREATE TABLE item ()'
	assert_equal 'CREATE TABLE' "$output"
}
