#!/usr/bin/env bats
# db-protect: the mark, what --show tells, and --off.

load helper
load setup

setup() {
	common_setup
	export DBRIG_AGENT=0
	make_project
	name=$(db shop)
	use "$name"
}

@test "a database is marked beside its comment, and marking it again changes nothing" {
	sql postgres "COMMENT ON DATABASE \"$name\" IS 'the shop'"
	run --separate-stderr db-protect
	assert_status 0
	assert_contains "$stderr" "\"$name\" is protected now"
	assert_equal 'the shop [dbrig:protected=local]' "$(comment "$name")"
	mark=$(server_log_mark)
	run --separate-stderr db-protect
	assert_status 0
	assert_contains "$stderr" 'marked already'
	refute_contains "$(statements "$mark" postgres)" COMMENT
}

@test "--show says whether it is protected, and why" {
	run db-protect --show
	assert_equal "database \"$name\" is not protected" "$output"
	db-protect -q
	run db-protect --show
	assert_equal "database \"$name\" is protected: it is marked as that of the target \"local\"" "$output"
	run db-protect --show --json
	assert_equal 'true protected local false' \
		"$(jq -r '"\(.protected) \(.mark) \(.marked_as) \(.mark_is_gone)"' <<<"$output")"
	PROD_CONNECTION_URL=$CONNECTION_URL run db-protect --show prod
	assert_contains "$output" 'production by its name'
	DB_PROTECTED_TARGETS=local run db-protect --show
	assert_contains "$output" 'DB_PROTECTED_TARGETS'
}

@test "--show says that a mark is gone" {
	db-protect -q
	sql postgres "COMMENT ON DATABASE \"$name\" IS 'written anew'"
	run --separate-stderr db-protect --show
	assert_status 0
	assert_equal "database \"$name\" is protected: it was marked as that of the target \"local\", and its mark is gone" "$output"
	assert_contains "$stderr" 'its mark is gone'
	run db-protect --show --json
	assert_equal 'true true' "$(jq -r '"\(.protected) \(.mark_is_gone)"' <<<"$output")"
	db-protect -q
	run --separate-stderr db-protect --show
	assert_equal '' "$stderr"
}

@test "a database whose mark is gone is protected as before, until db-protect --off" {
	db-protect -q
	# As if an earlier version had remembered it: then it counts from the first look on.
	sed -i 2d "$(state_of_mark)"
	db-protect -q --show
	sql postgres "COMMENT ON DATABASE \"$name\" IS NULL"
	for command in db-drop db-setup 'db-protect --off'; do
		# shellcheck disable=SC2086 # words
		run $command
		assert_status 4
		assert_contains "$output" 'it was marked as that of the target "local", and its mark is gone'
	done
	db-setup -q --confirm "$name"
	assert_contains "$(comment "$name")" '[dbrig:protected=local]'
	# The new one is the one that was marked now.
	sql postgres "COMMENT ON DATABASE \"$name\" IS NULL"
	run db-drop
	assert_status 4
	run --separate-stderr db-protect --off --confirm "$name"
	assert_status 0
	assert_contains "$stderr" 'is not protected any more'
	assert_equal '' "$(comment "$name")"
	db-drop -q
}

@test "a database of the same oid in a server that was made anew has lost no mark" {
	db-protect -q
	# Its first database had that oid too.
	sed -i "3s/.*/1234567890/" "$(state_of_mark)"
	sql postgres "COMMENT ON DATABASE \"$name\" IS NULL"
	run --separate-stderr db-protect --show
	assert_equal "database \"$name\" is not protected" "$output"
	db-setup -q
	refute_contains "$(comment "$name")" protected
	# Once it is marked it is the one.
	sed -i "2s/.*/$(oid "$name")/" "$(state_of_mark)"
	sql postgres "COMMENT ON DATABASE \"$name\" IS '[dbrig:protected=local]'"
	db-protect -q --show
	sql postgres "COMMENT ON DATABASE \"$name\" IS NULL"
	run db-drop
	assert_status 4
}

state_of_mark() {
	ls "${XDG_STATE_HOME:-$HOME/.local/state}"/dbrig/known-marked-*
}

@test "a mark that went with its database, whose drop was confirmed, is not missed" {
	db-protect -q
	db-drop -q --confirm "$name"
	db-create -q
	run --separate-stderr db-protect --show
	assert_equal '' "$stderr"
	# Without the name it was not meant to go; the one that has its name now is another.
	db-protect -q
	sql postgres "DROP DATABASE \"$name\""
	db-create -q
	run --separate-stderr db-protect --show
	assert_contains "$output" 'is not protected'
	assert_contains "$stderr" 'its mark is gone'
	db-drop -q
}

@test "--off needs the name, and takes only the mark" {
	sql postgres "COMMENT ON DATABASE \"$name\" IS 'the shop'"
	db-protect -q
	run db-protect --off
	assert_status 4
	run db-protect --off --confirm other
	assert_status 4
	assert_equal 'the shop [dbrig:protected=local]' "$(comment "$name")"
	run --separate-stderr db-protect --off --confirm "$name"
	assert_status 0
	assert_contains "$stderr" 'not protected any more'
	assert_equal 'the shop' "$(comment "$name")"
	run --separate-stderr db-protect --show
	assert_equal '' "$stderr"
	run --separate-stderr db-protect --off
	assert_status 0
	assert_contains "$stderr" 'is not protected'
}

@test "--off on a target that is protected by its name takes the mark and says what stays" {
	export PROD_CONNECTION_URL=$CONNECTION_URL
	db-protect -q prod
	run --separate-stderr db-protect --off prod --confirm "$name"
	assert_status 0
	assert_contains "$stderr" "the mark of database \"$name\" is gone, but it stays protected: the target \"prod\" is"
	assert_contains "$stderr" 'than that of PROD_CONNECTION_URL, and where that is not set, no mark protects it'
	assert_equal '' "$(comment "$name")"
	run --separate-stderr db-protect --off prod --confirm "$name"
	assert_contains "$stderr" 'stays protected: the target "prod" is production by its name'
	refute_contains "$stderr" gone
	db-protect -q
	run --separate-stderr db-protect --off --confirm "$name"
	assert_contains "$stderr" 'is gone, but it stays protected: PROD_CONNECTION_URL leads to the same database; where'
	assert_equal '' "$(comment "$name")"
}

@test "a host that protects is contradicted by --off, for that database alone" {
	# A name of a provider's that leads to the test server.
	CONNECTION_URL=$(app_url "$name")
	CONNECTION_URL="${CONNECTION_URL/127.0.0.1/ep-shop.eu-central-1.aws.neon.tech}?hostaddr=127.0.0.1"
	sql postgres "ALTER DATABASE \"$name\" OWNER TO app"
	run db-drop
	assert_status 4
	assert_contains "$output" 'Neon'
	run db-protect --off
	assert_status 4
	db-protect -q --off --confirm "$name"
	assert_equal '[dbrig:unprotected]' "$(comment "$name")"
	run db-protect --show
	assert_contains "$output" 'is not protected'
	db-setup -q
	assert_contains "$(comment "$name")" '[dbrig:unprotected]'
	db-protect -q
	assert_equal '[dbrig:protected=local]' "$(comment "$name" | grep -o '\[dbrig:[a-z]*protected[^]]*\]')"
	db-protect -q --off --confirm "$name"
	db-drop -q
}

@test "who does not own the database is told so" {
	CONNECTION_URL=$(app_url "$name")
	run db-protect
	assert_status 1
	assert_contains "$output" 'must be owner'
	assert_contains "$output" 'Only its owner'
}

@test "a role whose transactions begin read-only can mark what it owns, and take the mark away" {
	sql postgres "ALTER DATABASE \"$name\" OWNER TO app"
	CONNECTION_URL=$(app_url "$name")
	PGOPTIONS='-c default_transaction_read_only=on' run db-protect
	assert_status 0
	assert_equal '[dbrig:protected=local]' "$(comment "$name")"
	PGOPTIONS='-c default_transaction_read_only=on' run db-protect --off --confirm "$name"
	assert_status 0
	assert_equal '' "$(comment "$name")"
}

@test "a failure that has nothing to do with the owner gives no hint about him" {
	own_server
	name=$(db shop)
	pg_server standby
	use "$name"
	run db-protect
	assert_status 1
	assert_contains "$output" 'recovery'
	refute_contains "$output" 'owner'
}

@test "a database that is missing, and options that do not go together" {
	use "$(db_name none)"
	run db-protect
	assert_status 1
	assert_contains "$output" 'does not exist'
	run db-protect --show --off
	assert_status 64
	run db-protect --json
	assert_status 64
	use "$name"
	for option in '' --show; do
		# shellcheck disable=SC2086 # or none
		run --separate-stderr db-protect $option --confirm "$name"
		assert_status 64
		assert_contains "$stderr" '--confirm goes with --off'
	done
	assert_equal '' "$(comment "$name")"
	CONNECTION_URL=$(url postgres) run db-protect
	assert_status 4
}

# The comment as it stands in the catalog, whatever its encoding, with \ooo for what is not ASCII.
bytes_of_comment() {
	sql postgres "SELECT encode(textsend(shobj_description(oid, 'pg_database')), 'escape')
		FROM pg_database WHERE datname = '$1'"
}

@test "a comment in the encoding of a database that has another keeps its bytes" {
	local words='o'\''x\\caf\351 [du]'
	name=$(db_name latin)
	sql postgres "CREATE DATABASE \"$name\" TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"
	use "$name"
	sql "$name" "COMMENT ON DATABASE \"$name\" IS E'o\\'x\\\\caf\\xE9 [du]'"
	assert_equal "$words" "$(bytes_of_comment "$name")"
	db-protect -q
	assert_equal "$words [dbrig:protected=local]" "$(bytes_of_comment "$name")"
	db-protect -q --off --confirm "$name"
	assert_equal "$words" "$(bytes_of_comment "$name")"
	# With other marks, under other names.
	db-snapshot -q save s
	db-snapshot -q restore s
	assert_equal "$words" "$(bytes_of_comment "$name")"
	db-snapshot -q drop s
	# There are no such words to copy.
	sql "$name" "COMMENT ON DATABASE \"$name\" IS E'[dbrig:protected=local] caf\\xE9'"
	run --separate-stderr db-protect --off --confirm "$name"
	assert_status 1
	assert_contains "$stderr" 'of another encoding'
	assert_contains "$stderr" 'COMMENT ON DATABASE'
	assert_equal '[dbrig:protected=local] caf\351' "$(bytes_of_comment "$name")"
	sql "$name" "COMMENT ON DATABASE \"$name\" IS E'caf\\xE9'"
	db-setup -q --no-spare
	assert_equal 3 "$(sql "$name" 'SELECT count(*) FROM item')"
}

@test "the mark protects a database that was renamed" {
	db-protect -q
	sql postgres "ALTER DATABASE \"$name\" RENAME TO \"$(db_name renamed)\""
	use "$(db_name renamed)"
	run db-drop
	assert_status 4
	db-drop -q --confirm "$(db_name renamed)"
}
