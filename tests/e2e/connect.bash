# What tests of sessions on a protected target have in common: `load helper`, `load connect`.

# shellcheck shell=bash
# SC2154: helper.bash and bats set them. SC2034: tests read DB.
# shellcheck disable=SC2154,SC2034

# The database DB is prod's, and psql the client.
connect_setup() {
	common_setup
	unset "${!PG@}" PSQLRC XDG_STATE_HOME NO_COLOR
	DB=$(db main)
	export PROD_CONNECTION_URL
	PROD_CONNECTION_URL=$(app_url "$DB")
	export DB_CLIENT=${DB_TEST_PSQL:-$SERVER_PSQL}
}

# A table of the role that the URL names.
item_table() {
	sql "$DB" 'CREATE TABLE item (id integer); ALTER TABLE item OWNER TO app'
}

connect() {
	run --separate-stderr db-connect "$@"
}

# insert ARGUMENT...: has a session write.
insert() {
	connect "$@" -- -c 'INSERT INTO item VALUES (1)'
}

rows() {
	sql "$DB" 'SELECT count(*) FROM item'
}
