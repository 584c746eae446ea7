#!/usr/bin/env bats
# DB_NAME_SUFFIX: each working tree has a database of its own.

load helper
load setup

@test "every command works on the database with the suffix" {
	make_project
	name=$(db_name shop)
	use "$name"
	export DB_NAME_SUFFIX=_wt
	db-setup
	assert_equal '3|two' "$(items "${name}_wt")"
	! db_exists "$name" || return 1
	sql "${name}_wt" 'DELETE FROM item'
	db-seed
	assert_equal '3|two' "$(items "${name}_wt")"
	assert_equal "${name}_wt" "$(db-connect -- -XAtqc 'SELECT current_database()')"
	db-snapshot save first
	db-clone "$(db_name clone)"
	assert_equal '3|two' "$(items "$(db_name clone)")"
	db-drop
	! db_exists "${name}_wt" || return 1
	db-create
	db_exists "${name}_wt"
}

@test ".env holds the suffix, and two trees do not meet" {
	make_project
	name=$(db_name shop)
	use "$name"
	echo 'DB_NAME_SUFFIX=_a' >.env
	run db-setup -v
	assert_status 0
	assert_contains "$output" 'from CONNECTION_URL and DB_NAME_SUFFIX in '
	cp -R "$PROJECT" "$TEST_DIR/other"
	cd "$TEST_DIR/other"
	echo 'DB_NAME_SUFFIX=_b' >.env
	db-setup
	sql "${name}_b" 'DELETE FROM item'
	assert_equal '3|two' "$(items "${name}_a")"
}

@test "a protected target has no suffix" {
	make_project
	name=$(db shop)
	export PROD_CONNECTION_URL DB_NAME_SUFFIX=_wt
	PROD_CONNECTION_URL=$(url "$name")
	db-schema-load prod
	assert_equal 1 "$(sql "$name" "SELECT count(*) FROM pg_tables WHERE tablename = 'item'")"
	run db-drop prod --confirm "$name"
	assert_status 0
	! db_exists "$name" || return 1
}

@test "a suffix that cannot be is exit status 64 and connects to nothing" {
	make_project
	name=$(db shop)
	use "$name"
	mark=$(server_log_mark)
	for suffix in ' ' '/x' "'" '%41' 'ü' $'\e[31m' "$(printf 'x%.0s' {1..63})"; do
		DB_NAME_SUFFIX=$suffix run db-drop
		assert_status 64
		assert_contains "$output" DB_NAME_SUFFIX
		refute_contains "$output" $'\e'
	done
	refute_contains "$(server_log_since "$mark")" 'application_name=db-drop'
	db_exists "$name"
}

@test "the private local server's database has it too, also in its URL" {
	mkdir -p project/db
	cd project
	export DB_NAME=shop DB_NAME_SUFFIX=_wt
	assert_contains "$(db-server url)" /shop_wt?
	db-create
	assert_equal shop_wt "$(db-connect -- -XAtqc 'SELECT current_database()')"
}
