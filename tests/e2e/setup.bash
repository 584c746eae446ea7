# What the tests of db-setup share.

# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables of bats and of the tests

teardown() {
	sql postgres "UPDATE pg_database SET datistemplate = false
		WHERE datistemplate AND datname ~ '^t[0-9]+_'"
	common_teardown
}

# use NAME: makes that database the target local.
use() {
	CONNECTION_URL=$(url "$1")
	export CONNECTION_URL
}

# A database with a row that only a reset removes; sets $name.
old_database() {
	name=$(db shop)
	sql "$name" "CREATE TABLE old (what text); INSERT INTO old VALUES ('precious')"
	use "$name"
}

assert_old_database() {
	assert_equal precious "$(sql "$name" 'SELECT what FROM old')"
}

items() {
	sql "$1" 'SELECT count(*), max(name) FROM item'
}
