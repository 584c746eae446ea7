#!/usr/bin/env bats
# Names that a shell would run, and names that would read as words of ours: neither in what is told
# nor in the commands that are told to be typed.

load helper
load setup
load protection
load terminal

setup() {
	protection_setup
	forged=$'\nhint: forged\nnote: forged\ndb-drop: forged'
}

# assert_not_forged [server]: whatever the last run said, no line of it passes for one of ours. A blank before
# it excuses that in the server's own words only.
assert_not_forged() {
	local text=$output${stderr:-} begin='^[[:blank:]]*'
	[ "${1:-}" != server ] || begin='^'
	assert_contains "$text" forged
	if grep -qE "$begin(note|hint|db-drop): forged" <<<"$text"; then
		printf 'a forged line in: %s\n' "$text" >&2
		return 1
	fi
}

assert_not_forged_if_told() {
	[[ $output$stderr != *forged* ]] || assert_not_forged
}

# typed_back: what the hint has told to type, as a shell reads it, a word a line.
typed_back() {
	local words
	words=$(sed -n 's/^hint: If you mean it: \(.*\)\.$/\1/p' <<<"$stderr")
	bash -c 'eval "set -- $1"; printf "%s\n" "$@"' _ "$words"
}

@test "the confirmation that is told can be pasted, whatever the database is called" {
	# shellcheck disable=SC2016 # nothing is to be expanded
	for word in 'My Shop' "o'neil" '$(touch ran)' '`touch ran`' 'a;touch ran' '*' '"' $'\\' 'größe' \
		$'\t\e[1m\n\'\\\u202e'; do
		name=$(db "$word")
		use "$name"
		db-protect -q
		run --separate-stderr db-drop
		assert_status 4
		assert_equal "--confirm"$'\n'"$name" "$(typed_back)"
		bash -c "db-drop -q $(sed -n 's/^hint: If you mean it: \(.*\)\.$/\1/p' <<<"$stderr")"
		assert_equal '' "$(sql postgres "SELECT oid FROM pg_database WHERE datname = '${name//\'/\'\'}'")"
	done
	[ ! -e ran ]
}

@test "a name that looks like an option is confirmed with an equals sign" {
	drop_later --force
	sql postgres 'CREATE DATABASE "--force"'
	use --force
	db-protect -q
	run --separate-stderr db-drop
	assert_contains "$stderr" 'If you mean it: --confirm=--force.'
	run --separate-stderr db-drop --confirm=--force
	assert_status 0
}

@test "the other hints with a name in them can be pasted" {
	name=$(db 'My Shop')
	use "$name"
	db-protect -q
	DBRIG_AGENT=1 run --separate-stderr db-drop
	assert_contains "$stderr" "give --confirm '$name'."
	sql postgres "COMMENT ON DATABASE \"$name\" IS NULL"
	run --separate-stderr db-drop
	assert_contains "$stderr" "db-protect --off --confirm '$name' says that it is not protected any more"
	db-protect -q --off --confirm "$name"
	prod=$(app_url "$name")
	PROD_CONNECTION_URL=${prod/:$SERVER_PORT/:1} run --separate-stderr db-drop
	assert_status 4
	assert_contains "$stderr" "db-protect --off --confirm '$name' says so"
	assert_contains "$stderr" "If you mean it anyway: --confirm '$name'."
	CONNECTION_URL=${CONNECTION_URL/postgres@/%24(id)@} run --separate-stderr db-sessions
	assert_contains "$stderr" "createuser '\$(id)' makes it"
	run --separate-stderr db-drop --confirm '--My Shop'
	assert_contains "$stderr" "Write --confirm='--My Shop' if that is the value."
}

@test "a database's name cannot pass for a line of ours" {
	name=$(db "odd$forged")
	use "$name"
	for command in 'db-create' 'db-protect' 'db-protect --show' 'db-drop' 'db-setup' 'db-setup --confirm other' \
		'db-seed -f missing' 'db-sessions' 'db-snapshot save' 'db-snapshot save s' 'db-snapshot list' \
		'db-snapshot restore missing' 'db-doctor' 'db-sessions --kill-all'; do
		# shellcheck disable=SC2086 # several words
		run --separate-stderr $command
		assert_not_forged_if_told
	done
	drop_later "$name.dbrig-snapshot-s"
	run --separate-stderr db-drop --confirm "$name"
	assert_status 0
	assert_not_forged
	# Not there any more: the server's own words have the name.
	run --separate-stderr db-seed
	assert_status 2
	assert_not_forged server
}

@test "at the question, too" {
	name=$(db "odd$forged")
	use "$name"
	db-protect -q
	answer 'Type its name to drop it: ' $'y\n' db-drop
	assert_status 4
	stderr='' assert_not_forged
}

@test "names of roles and applications in sessions cannot pass for lines of ours" {
	name=$(db shop)
	role=$(db_name "role$forged")
	sql postgres "CREATE ROLE \"$role\" LOGIN SUPERUSER"
	use "$name"
	sql "$name" 'CREATE TABLE item ()'
	address=$(url "$name")
	start_job env PGAPPNAME="odd$forged" "$SERVER_PSQL" -Xq "${address/postgres@/$(encode "$role")@}" \
		-c 'BEGIN; LOCK TABLE item; SELECT pg_sleep(60)'
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation IS NOT NULL AND database = (SELECT oid FROM pg_database WHERE datname = '$name')\")\" != 0 ]"
	run --separate-stderr db-drop
	assert_status 1
	assert_contains "$stderr" 'role\nhint: forged\nnote: forged'
	assert_not_forged
	run --separate-stderr db-sessions
	assert_not_forged
	run --separate-stderr db-doctor
	assert_not_forged_if_told
	db-protect -q
	run --separate-stderr db-drop --confirm "$name"
	assert_contains "$stderr" 'at stake'
	assert_not_forged_if_told
	echo 'LOCK TABLE item' >db/seed.sql
	PGOPTIONS='-c lock_timeout=5s' run --separate-stderr db-seed
	assert_contains "$stderr" 'held by pid'
	assert_not_forged
	sql postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$name'"
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity WHERE datname = '$name'\")\" = 0 ]"
	sql postgres "DROP ROLE \"$role\""
}

@test "who made a database, by a comment that somebody has written, cannot pass for a line of ours" {
	name=$(db shop)
	use "$name"
	sql postgres "COMMENT ON DATABASE \"$name\" IS '[dbrig:made of=$name at=2026-01-01T00:00:00Z user=x%0Ahint:%20forged] [dbrig:protected=x]'"
	run --separate-stderr db-drop --confirm "$name"
	assert_not_forged
}
