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
	assert_contains "$stderr" 'refusing to run a script in database "shop_alias"'
	assert_equal 1 "$(sql "$DB" 'SELECT * FROM item')"
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
