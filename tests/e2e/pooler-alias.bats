#!/usr/bin/env bats
# A pooler that has a database under another name than the server.

load helper
load pgbouncer

setup() {
	common_setup
	DB=$(db main)
	sql "$DB" 'CREATE TABLE item (); ALTER TABLE item OWNER TO app'
	start_pgbouncer session
	sed -i "/^\[databases\]/a shop_alias = host=$SERVER_SOCKET port=$SERVER_PORT dbname=$DB" "$TEST_DIR/bouncer.ini"
	"$SERVER_PSQL" -Xqd "$(bouncer_url pgbouncer postgres)" -c RELOAD
	export CONNECTION_URL
	CONNECTION_URL=$(bouncer_url shop_alias)
}

@test "what goes by a database's name is refused where a pooler gives it another" {
	assert_equal "$DB" "$(through_bouncer shop_alias 'SELECT current_database()')"
	for command in 'db-protect' 'db-protect --show' 'db-drop' 'db-drop --force' 'db-sessions --kill-all'; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr $command
		assert_status 4
		assert_contains "$stderr" "database \"shop_alias\" is called \"$DB\" on the server"
	done
	assert_equal 1 "$(sql "$DB" "SELECT count(*) FROM pg_class WHERE relname = 'item'")"
}

@test "a database that is nowhere is still nothing to drop" {
	CONNECTION_URL=$(bouncer_url "${DB}_nowhere")
	run --separate-stderr db-drop
	assert_status 0
	assert_contains "$stderr$output" 'does not exist, nothing to drop'
}

mark_as_prod() {
	sql postgres "COMMENT ON DATABASE \"$1\" IS '[dbrig:protected=prod]'"
}

@test "the mark is found under a pooler's name for the database" {
	sql "$DB" 'ALTER TABLE item ADD a int; INSERT INTO item VALUES (1)'
	mark_as_prod "$DB"
	echo 'TRUNCATE item' >x.sql
	run --separate-stderr db-seed -f x.sql
	assert_status 4
	assert_contains "$stderr" 'it is marked as that of the target "prod"'
	CONNECTION_URL=$(bouncer_url "$(db dev)")
	printf '%s\n' '\connect shop_alias' 'TRUNCATE item;' >x.sql
	run --separate-stderr db-seed -f x.sql
	assert_status 4
	assert_contains "$stderr" "refusing to run a script in database \"$DB\""
	assert_equal 1 "$(sql "$DB" 'SELECT * FROM item')"
}

@test "db-connect finds the mark under a pooler's name, and writes nothing" {
	# One that another database of the server has.
	drop_later shop_alias
	sql postgres 'CREATE DATABASE shop_alias'
	mark_as_prod "$DB"
	sql "$DB" 'ALTER TABLE item ADD a int'
	DB_CLIENT=$SERVER_PSQL run --separate-stderr db-connect -- -c 'INSERT INTO item VALUES (1)'
	assert_status 4
	assert_contains "$stderr" 'cannot give a read-only session'
	DB_CLIENT=$SERVER_PSQL LOCAL_POOL_MODE=session run --separate-stderr db-connect -- -c 'INSERT INTO item VALUES (1)'
	assert_status 1
	assert_contains "$stderr" 'cannot execute INSERT in a read-only transaction'
	assert_equal '' "$(sql "$DB" 'SELECT * FROM item')"
	DB_CLIENT=$SERVER_PSQL run --separate-stderr db-connect --write -- -c 'INSERT INTO item VALUES (1)'
	assert_status 0
	assert_equal 1 "$(sql "$DB" 'SELECT * FROM item')"
}

@test "db-connect knows production under a pooler's name for it by what the database calls itself" {
	PROD_CONNECTION_URL=$(app_url "$DB") DB_CLIENT=$SERVER_PSQL \
		run --separate-stderr db-connect -- -c 'INSERT INTO item DEFAULT VALUES'
	assert_status 4
	assert_contains "$stderr" 'cannot give a read-only session'
	# And the other way round, where the URLs' names differ.
	PROD_CONNECTION_URL=$(bouncer_url shop_alias) CONNECTION_URL=$(app_url "$DB") DB_CLIENT=$SERVER_PSQL \
		run --separate-stderr db-connect -- -c 'INSERT INTO item DEFAULT VALUES'
	assert_status 1
	assert_contains "$stderr" 'cannot execute INSERT in a read-only transaction'
	assert_equal 0 "$(sql "$DB" 'SELECT count(*) FROM item')"
}

@test "a pooler's name for the connected database is not taken for the server's" {
	drop_later shop_alias
	sql postgres 'CREATE DATABASE shop_alias'
	mark_as_prod shop_alias
	echo "COMMENT ON DATABASE shop_alias IS NULL" >x.sql
	run --separate-stderr db-seed -f x.sql
	assert_status 4
	assert_contains "$stderr" 'refusing to write the comment of database "shop_alias"'
	assert_equal '[dbrig:protected=prod]' \
		"$(sql postgres "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'shop_alias'")"
}

comment_of() {
	sql postgres "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '$1'"
}

@test "the mark is set and kept under a pooler's name for the database" {
	sql postgres "ALTER DATABASE \"$DB\" OWNER TO app"
	echo 'INSERT INTO item DEFAULT VALUES' >x.sql
	PROD_CONNECTION_URL=$CONNECTION_URL run --separate-stderr db-seed -f x.sql prod
	assert_status 0
	assert_contains "$stderr" 'marked database "shop_alias" as protected'
	assert_equal '[dbrig:protected=prod]' "$(comment_of "$DB")"
	echo "COMMENT ON DATABASE \"$DB\" IS 'the shop'" >x.sql
	run --separate-stderr db-seed -f x.sql
	assert_status 0
	assert_contains "$stderr" 'is marked as protected again'
	assert_equal 'the shop [dbrig:protected=prod]' "$(comment_of "$DB")"
}

# The server's database PRODUCTION with a row in "item", marked; the pooler has it as NAME.
production_as() {
	PRODUCTION=$(db production)
	sql "$PRODUCTION" 'CREATE TABLE item (a int); ALTER TABLE item OWNER TO app; INSERT INTO item VALUES (7)'
	sql postgres "ALTER DATABASE \"$PRODUCTION\" OWNER TO app"
	mark_as_prod "$PRODUCTION"
	sed -i "/^\[databases\]/a $1 = host=$SERVER_SOCKET port=$SERVER_PORT dbname=$PRODUCTION" "$TEST_DIR/bouncer.ini"
	"$SERVER_PSQL" -Xqd "$(bouncer_url pgbouncer postgres)" -c RELOAD
	CONNECTION_URL=$(bouncer_url "$1")
	mkdir -p "$TEST_DIR/p/db"
	cd "$TEST_DIR/p"
	echo 'DROP TABLE IF EXISTS item; CREATE TABLE item (a int)' >db/schema.sql
	echo 'INSERT INTO item VALUES (1)' >db/seed.sql
}

oid_of() {
	sql postgres "SELECT oid FROM pg_database WHERE datname = '$1'"
}

@test "db-setup loads nothing into a database that a pooler has under the name of one it has made" {
	local name
	name=$(db_name other)
	production_as "$name"
	run --separate-stderr db-setup
	assert_status 4
	assert_contains "$stderr" "database \"$name\" is called \"$PRODUCTION\" on the server"
	assert_contains "$stderr" "Database \"$name\" does not exist, as before."
	assert_equal 7 "$(sql "$PRODUCTION" 'SELECT a FROM item')"
	assert_equal '' "$(sql postgres "SELECT datname FROM pg_database WHERE starts_with(datname, '$name')")"
	run --separate-stderr db-create
	assert_status 4
	assert_equal '' "$(sql postgres "SELECT datname FROM pg_database WHERE starts_with(datname, '$name')")"
}

@test "a pooler's name for another database touches the server's own in no command" {
	local name oid mark
	name=$(db other)
	sql postgres "ALTER DATABASE \"$name\" OWNER TO app"
	production_as "$name"
	oid=$(oid_of "$name")
	mark=$(server_log_mark)
	for command in db-setup 'db-setup --drop-first' db-drop 'db-drop --force' 'db-protect --show' db-protect db-create \
		"db-clone ${name}_2" 'db-snapshot save one' 'db-setup --copies 1'; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr $command
		assert_status 4
		assert_contains "$stderr" "database \"$name\" is called \"$PRODUCTION\" on the server"
		assert_contains "$stderr" 'Nothing was changed.'
	done
	refute_contains "$(server_log_since "$mark")" ' DATABASE "'
	assert_equal "$oid" "$(oid_of "$name")"
	assert_equal '' "$(comment_of "$name")"
	assert_equal 7 "$(sql "$PRODUCTION" 'SELECT a FROM item')"
}

@test "a pooler that leads to two servers is refused, whichever has the database" {
	local name first=$SERVER_HOME
	name=$(db_name other)
	own_server
	sql postgres "CREATE DATABASE \"$name\" OWNER app"
	sql "$name" 'CREATE TABLE item (a int); ALTER TABLE item OWNER TO app; INSERT INTO item VALUES (7)'
	sed -i "/^\[databases\]/a $name = host=$SERVER_SOCKET port=$SERVER_PORT" "$TEST_DIR/bouncer.ini"
	"$SERVER_PSQL" -Xqd "$(bouncer_url pgbouncer postgres)" -c RELOAD
	CONNECTION_URL=$(bouncer_url "$name")
	mkdir -p p/db
	cd p
	echo 'DROP TABLE IF EXISTS item; CREATE TABLE item (a int)' >db/schema.sql
	run --separate-stderr db-setup
	assert_status 4
	assert_contains "$stderr" "database \"$name\" is on another server than the maintenance database"
	assert_equal 7 "$(sql "$name" 'SELECT a FROM item')"
	use_server "$first"
	assert_equal '' "$(sql postgres "SELECT datname FROM pg_database WHERE starts_with(datname, '$name')")"
	sql postgres "CREATE DATABASE \"$name\" OWNER app"
	for command in db-setup db-drop db-protect; do
		run --separate-stderr $command
		assert_status 4
		assert_contains "$stderr" 'is on another server'
	done
	db_exists "$name"
}

@test "db-setup loads nothing into another server's database of that name, without a pooler too" {
	local name first=$SERVER_HOME others=$SERVER_SOCKET/.s.PGSQL.$SERVER_PORT
	name=$(db_name other)
	own_server
	sql postgres "CREATE DATABASE \"$name\" OWNER app"
	sql "$name" 'CREATE TABLE item (a int); ALTER TABLE item OWNER TO app; INSERT INTO item VALUES (7)'
	start_job "$ROOT/tests/lib/two-servers" "$name" "$SERVER_SOCKET/.s.PGSQL.$SERVER_PORT" "$others"
	wait_until '[ -s "$JOB_OUT" ]'
	CONNECTION_URL="postgresql://app:$APP_PASSWORD_ENCODED@127.0.0.1:$(cat "$JOB_OUT")/$name?sslmode=disable&gssencmode=disable"
	mkdir -p p/db
	cd p
	echo 'DROP TABLE IF EXISTS item; CREATE TABLE item (a int)' >db/schema.sql
	for options in '' --no-cache; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr db-setup $options
		assert_status 4
		assert_contains "$stderr" "Database \"$name\" does not exist, as before."
		assert_equal 7 "$(sql "$name" 'SELECT a FROM item')"
	done
	use_server "$first"
	assert_equal '' "$(sql postgres "SELECT datname FROM pg_database WHERE starts_with(datname, '$name')")"
}

@test "a script that creates a database is not led into another by its name" {
	drop_later shop_alias
	sql "$DB" 'ALTER TABLE item ADD a int; INSERT INTO item VALUES (1)'
	mark_as_prod "$DB"
	printf '%s\n' 'CREATE DATABASE shop_alias;' '\connect shop_alias' 'TRUNCATE item;' >x.sql
	CONNECTION_URL=$(bouncer_url "$(db dev)" postgres)
	run --separate-stderr db-seed -f x.sql
	assert_status 4
	assert_contains "$stderr" "refusing to run a script in database \"$DB\""
	assert_equal 1 "$(sql "$DB" 'SELECT * FROM item')"
}
