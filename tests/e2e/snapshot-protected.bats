#!/usr/bin/env bats
# Snapshots that carry the mark while the database of their name does not.

load helper
load setup

setup() {
	common_setup
	export DBRIG_AGENT=0
	old_database
}

# Names on the server, with comments: any change shows.
world() {
	sql postgres "SELECT oid, datname, shobj_description(oid, 'pg_database') FROM pg_database
		WHERE datname LIKE '$name%' ORDER BY 1"
}

# A new database without a mark, beside marked snapshots a and b and the marked copy for undo.
marked_snapshots() {
	db-protect -q
	db-snapshot -q save a
	db-snapshot -q save b
	db-snapshot -q restore a --confirm "$name"
	db-drop -q --confirm "$name"
	db-create -q
	sql "$name" "CREATE TABLE old (what text); INSERT INTO old VALUES ('new')"
	assert_equal '' "$(comment "$name")"
}

# refused TEXT COMMAND ...: exit status 4 with that text, and nothing has changed.
refused() {
	local text=$1 before
	shift
	before=$(world)
	run "$@"
	assert_status 4
	assert_contains "$output" "$text"
	assert_contains "$output" "--confirm $name"
	assert_equal "$before" "$(world)"
}

@test "drop, replace and restore that would lose a marked snapshot need the name" {
	marked_snapshots
	refused 'its snapshot "a" is marked as that of the target "local"' db-snapshot drop a
	refused 'its snapshot "b" is marked' db-snapshot save --replace b
	refused 'what the last restore has kept is marked' db-snapshot drop --undo
	refused 'what the last restore has kept is marked' db-snapshot restore b
	before=$(world)
	run db-snapshot drop a --confirm other
	assert_status 4
	assert_equal "$before" "$(world)"
	run db-snapshot drop a --confirm "$name"
	assert_status 0
	run db-snapshot drop --undo --confirm "$name"
	assert_status 0
	run db-snapshot save --replace b --confirm "$name"
	assert_status 0
	# It is a copy of the new database now.
	run db-snapshot drop b
	assert_status 0
}

@test "what loses nothing that is marked asks nothing" {
	marked_snapshots
	for words in 'save c' 'save --replace c' 'rename c d' 'drop d' 'rename a e'; do
		# shellcheck disable=SC2086 # words are meant
		run db-snapshot $words
		assert_status 0
	done
	refused 'its snapshot "e" is marked' db-snapshot drop e
}

@test "an AI agent needs its user's words for a marked snapshot" {
	marked_snapshots
	before=$(world)
	DBRIG_AGENT=1 run db-snapshot drop a --confirm "$name"
	assert_status 4
	assert_contains "$output" DBRIG_CONSENT
	assert_equal "$before" "$(world)"
	DBRIG_AGENT=1 DBRIG_CONSENT='drop a' run db-snapshot drop a --confirm "$name"
	assert_status 0
}

@test "what is restored from a marked snapshot is marked, beside the comment of the name" {
	marked_snapshots
	db-snapshot -q drop --undo --confirm "$name"
	sql postgres "COMMENT ON DATABASE \"$name\" IS 'the new shop'"
	run db-snapshot restore b
	assert_status 0
	assert_contains "$output" "database \"$name\" is protected now"
	assert_equal 'the new shop [dbrig:protected=local]' "$(comment "$name")"
	assert_old_database
	run db-drop
	assert_status 4
	assert_old_database
}

@test "undo brings a marked copy back as a marked database" {
	marked_snapshots
	run db-snapshot undo
	assert_status 0
	assert_contains "$output" "database \"$name\" is protected now"
	assert_equal '[dbrig:protected=local]' "$(comment "$name")"
	assert_old_database
	run db-drop
	assert_status 4
}

@test "undo leaves the mark on the name of a database that was marked since the restore" {
	db-snapshot -q save a
	db-snapshot -q restore a
	db-protect -q
	run db-snapshot undo
	assert_status 4
	run db-snapshot undo --confirm "$name"
	assert_status 0
	assert_contains "$output" "database \"$name\" stays protected, which what is in it was not"
	assert_equal '[dbrig:protected=local]' "$(comment "$name")"
	run db-drop
	assert_status 4
	assert_old_database
}

@test "a mark by hand on a snapshot counts, and --off on the database does not take it away" {
	db-snapshot -q save a
	snapshot=$(sql postgres "SELECT datname FROM pg_database WHERE datname LIKE '$name.dbrig-%'")
	sql postgres "COMMENT ON DATABASE \"$snapshot\" IS '$(comment "$snapshot") [dbrig:protected]'"
	refused 'its snapshot "a" is marked by hand' db-snapshot drop a
	db-protect -q
	db-protect -q --off --confirm "$name"
	refused 'its snapshot "a" is marked by hand' db-snapshot drop a
}

@test "sessions are ended by a restore that loses a marked copy with --force only" {
	marked_snapshots
	start_session "$name" 'my ide'
	run db-snapshot restore b --confirm "$name"
	assert_status 1
	assert_contains "$output" "pid $SESSION_PID"
	run db-snapshot restore b --confirm "$name" --force
	assert_status 0
	assert_old_database
}

@test "list tells which are protected" {
	db-snapshot -q save a
	db-protect -q
	db-snapshot -q save b
	run --separate-stderr db-snapshot list
	assert_matches "$output" 'database +protected'
	assert_equal 'b' "$(sed -n 's/^\([^ ]*\) .* yes *$/\1/p' <<<"$output")"
	run --separate-stderr db-snapshot list --json
	assert_equal 'a false b true' "$(jq -r '[sort_by(.name)[] | .name, .protected] | join(" ")' <<<"$output")"
}

@test "marked snapshots alone are in nobody's way: a missing database is made and dropped without a question" {
	marked_snapshots
	make_project
	export DB_CACHE=off
	db-drop -q
	before=$(world)
	run db-drop
	assert_status 0
	assert_equal "$before" "$(world)"
	run --separate-stderr db-setup
	assert_status 0
	refute_contains "$(comment "$name")" 'dbrig:protected'
	run db-setup --wait-drop
	assert_status 0
	refused 'its snapshot "a" is marked' db-snapshot drop a
}
