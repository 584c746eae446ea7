#!/usr/bin/env bats
# bats file_tags=once

load helper
load setup

# What dbrig keeps beside the test's database: kinds and names, one a line.
siblings() {
	sql postgres "SELECT datname FROM pg_database
		WHERE datname LIKE '${name//\'/\'\'}.dbrig-%' ORDER BY 1"
}

# The marks without what differs from run to run.
marks() {
	sql postgres "SELECT coalesce(substring(shobj_description(oid, 'pg_database')
			FROM '\[dbrig:[a-z]+'), '(none)') ||
			coalesce(substring(shobj_description(oid, 'pg_database') FROM ' (?:tag|undo)=[^ \]]*'), '')
		FROM pg_database WHERE datname LIKE '${name//\'/\'\'}.dbrig-%' ORDER BY 1"
}

content() {
	sql "$name" 'SELECT what FROM old'
}

change_to() {
	sql "$name" "UPDATE old SET what = '$1'"
}

oid_of() {
	sql postgres "SELECT oid FROM pg_database WHERE datname = '$1'"
}

use_prod() {
	export PROD_CONNECTION_URL=$CONNECTION_URL
	unset CONNECTION_URL
}

@test "db-snapshot save makes a copy that nobody can connect to, with the mark of the name" {
	old_database
	run --separate-stderr db-snapshot save first
	assert_status 0
	assert_equal '' "$output"
	assert_equal 1 "$(siblings | wc -l)"
	assert_equal 'f' "$(sql postgres "SELECT datallowconn FROM pg_database WHERE datname = '$(siblings)'")"
	assert_matches "$(sql postgres "SELECT shobj_description($(oid_of "$(siblings)"), 'pg_database')")" \
		"^\[dbrig:snapshot of=$name tag=first at=[-0-9T:]+Z user=[^ ]+ host=[^ ]+ pid=[0-9]+\]$"
	assert_equal '' "$(sql postgres "SELECT shobj_description($(oid_of "$name"), 'pg_database')")"
	assert_old_database
}

@test "db-snapshot restore brings the contents back, and undo twice is as before" {
	old_database
	db-snapshot save first
	change_to changed
	before=$(oid_of "$name")
	run db-snapshot restore first
	assert_status 0
	assert_old_database
	run db-snapshot undo
	assert_status 0
	assert_equal changed "$(content)"
	assert_equal "$before" "$(oid_of "$name")"
	assert_equal "$name" "$(sql postgres "SELECT datname FROM pg_database
		WHERE datname LIKE '$name%' AND datallowconn")"
	run db-snapshot undo
	assert_status 0
	assert_old_database
	assert_equal "$name" "$(sql postgres "SELECT datname FROM pg_database
		WHERE datname LIKE '$name%' AND datallowconn")"
	run db-snapshot undo
	assert_equal changed "$(content)"
	assert_equal $'[dbrig:snapshot tag=first\n[dbrig:snapshot undo=yes' "$(marks | sort)"
}

@test "db-snapshot undo is renames alone" {
	old_database
	db-snapshot save first
	db-snapshot restore first
	mark=$(server_log_mark)
	db-snapshot undo
	refute_contains "$(server_log_since "$mark" | grep -v 'pg_terminate')" 'CREATE DATABASE'
	assert_contains "$(server_log_since "$mark")" 'RENAME TO'
}

@test "a second restore keeps one undo: what was there before it" {
	old_database
	db-snapshot save first
	change_to second
	db-snapshot restore first
	change_to third
	run db-snapshot restore first
	assert_status 0
	assert_old_database
	assert_equal 2 "$(siblings | wc -l)"
	db-snapshot undo
	assert_equal third "$(content)"
}

@test "restore into a missing database makes it, and keeps nothing" {
	old_database
	db-snapshot save first
	sql postgres "DROP DATABASE $name"
	run db-snapshot restore first
	assert_status 0
	assert_old_database
	assert_equal '[dbrig:snapshot tag=first' "$(marks)"
}

@test "a dropped database comes back by undo, with nothing kept in its stead" {
	old_database
	db-snapshot save first
	change_to changed
	db-snapshot restore first
	db-drop
	run db-snapshot undo
	assert_status 0
	assert_equal changed "$(content)"
	assert_equal '[dbrig:snapshot tag=first' "$(marks)"
}

@test "undo without a restore fails and changes nothing" {
	old_database
	db-snapshot save first
	before=$(oid_of "$name")
	run db-snapshot undo
	assert_status 1
	assert_contains "$output" 'no restore'
	assert_equal "$before" "$(oid_of "$name")"
}

@test "a name that is taken is an error without --replace, and replaced with it" {
	old_database
	db-snapshot save first
	first=$(oid_of "$(siblings)")
	change_to changed
	run db-snapshot save first
	assert_status 1
	assert_contains "$output" --replace
	assert_equal "$first" "$(oid_of "$(siblings)")"
	run db-snapshot save first --replace
	assert_status 0
	assert_equal 1 "$(siblings | wc -l)"
	[ "$first" != "$(oid_of "$(siblings)")" ]
	change_to later
	db-snapshot restore first
	assert_equal changed "$(content)"
}

@test "an unknown name is exit status 1, named, with the hint to list, and nothing is changed" {
	old_database
	db-snapshot save first
	before=$(oid_of "$name")
	for arguments in 'restore none' 'drop none' 'rename none other'; do
		# shellcheck disable=SC2086 # words are meant
		run db-snapshot $arguments
		assert_status 1
		assert_contains "$output" '"none"'
		assert_contains "$output" 'db-snapshot list'
	done
	assert_equal "$before" "$(oid_of "$name")"
	assert_equal '[dbrig:snapshot tag=first' "$(marks)"
}

@test "odd names: quotes, UTF-8, 63 bytes, percent signs, hexadecimal digits" {
	old_database
	long=$(printf 'ü%.0s' {1..31})x
	for tag in "it's \"quoted\"" 'größe 数据' "$long" '%41 ]' 'deadbeef' 'undo' '[dbrig:old of=x]' "a'; DROP DATABASE \"$name\"; --"; do
		run db-snapshot save "$tag"
		assert_status 0
	done
	assert_equal 8 "$(siblings | wc -l)"
	change_to changed
	run --separate-stderr db-snapshot list --json
	for tag in "it's \"quoted\"" 'größe 数据' "$long" '%41 ]' 'deadbeef' 'undo' '[dbrig:old of=x]'; do
		assert_equal "$tag" "$(jq -r --arg tag "$tag" '.[] | select(.name == $tag) | .name' <<<"$output")"
		db-snapshot restore "$tag"
		assert_old_database
		db-snapshot drop "$tag"
	done
	run --separate-stderr db-snapshot list --json
	assert_equal 2 "$(jq length <<<"$output")"
}

@test "names that cannot be are refused before anything is connected" {
	old_database
	mark=$(server_log_mark)
	for tag in 'postgresql://bob:hunter2@h/y' 'password=hunter2' '' "$(printf 'x%.0s' {1..64})" $'a\tb' $'a\e[31m' $'\xff' $'a\u0085b' $'\x7f'; do
		run db-snapshot save "$tag"
		assert_status 64
		refute_contains "$output" $'\e'
		refute_contains "$output" hunter2
		run db-snapshot rename first "$tag"
		assert_status 64
	done
	refute_contains "$(server_log_since "$mark")" 'application_name=db-snapshot'
}

@test "a database of 63 bytes has snapshots, and its like-named neighbour has others" {
	name=$(db "$(printf 'n%.0s' {1..50})")
	name=$(printf '%-63.63s' "$(db_name "$(printf 'x%.0s' {1..63})")")
	near=${name%?}y
	drop_later "$name"
	drop_later "$near"
	for one in "$name" "$near"; do
		sql postgres "CREATE DATABASE $one"
		sql "$one" "CREATE TABLE old AS SELECT '$one' AS what"
		use "$one"
		run db-snapshot save same
		assert_status 0
	done
	use "$name"
	sql "$name" 'DELETE FROM old'
	db-snapshot restore same
	assert_equal "$name" "$(content)"
	db-snapshot drop same
	db-snapshot drop --undo
	run --separate-stderr db-snapshot list --json
	assert_equal '[]' "$output"
	use "$near"
	run --separate-stderr db-snapshot list --json
	assert_equal same "$(jq -r '.[].name' <<<"$output")"
	db-snapshot drop same
}

@test "list: names, sizes and the undo one; empty says so on stderr and succeeds" {
	old_database
	run --separate-stderr db-snapshot list
	assert_status 0
	assert_equal '' "$output"
	assert_contains "$stderr" 'no snapshot'
	db-snapshot save first
	db-snapshot restore first
	run --separate-stderr db-snapshot list
	assert_status 0
	assert_matches "$output" 'name +size +age +by +database'
	assert_matches "$output" "first +[0-9.]+ MB +[0-9]+s +[^ ]+ on [^ ]+ +$name.dbrig-snapshot-"
	assert_matches "$output" "\(undo\) +[0-9.]+ MB"
	run --separate-stderr db-snapshot list --json
	assert_equal 'first false null true' "$(jq -r '[sort_by(.undo)[] | .name, .undo] | join(" ")' <<<"$output" |
		sed 's/  / null /')"
	assert_equal "$(sql postgres "SELECT pg_database_size('$(siblings | head -n 1)')")" \
		"$(jq -r --arg d "$(siblings | head -n 1)" '.[] | select(.database == $d) | .bytes' <<<"$output")"
}

@test "list shows hostile comments and never obeys them" {
	old_database
	db-snapshot save first
	other="$name.dbrig-snapshot-00000000"
	sql postgres "CREATE DATABASE \"$other\""
	sql postgres "COMMENT ON DATABASE \"$other\" IS '[dbrig:snapshot of=$name tag=%1B%5B31mred%0Aline user=%1B%5D0%3Bx%07 host=%E2%80%AEh]'"
	run --separate-stderr db-snapshot list
	assert_status 0
	refute_contains "$output" $'\e'
	refute_contains "$output" $'\u202e'
	assert_equal 3 "$(wc -l <<<"$output")"
	run --separate-stderr db-snapshot list --json
	jq -e . <<<"$output"
	refute_contains "$output" $'\e'
	sql postgres "COMMENT ON DATABASE \"$other\" IS '[dbrig:snapshot of=$name tag=first'"
	run --separate-stderr db-snapshot list --json
	assert_equal 1 "$(jq length <<<"$output")"
}

@test "rename: the new name is found, the old one is not, a taken one is refused" {
	old_database
	db-snapshot save first
	db-snapshot save other
	run db-snapshot rename first other
	assert_status 1
	run db-snapshot rename first first
	assert_status 1
	run db-snapshot rename first second
	assert_status 0
	assert_equal $'[dbrig:snapshot tag=other\n[dbrig:snapshot tag=second' "$(marks | sort)"
	change_to changed
	db-snapshot restore second
	assert_old_database
}

@test "sessions: save lists them and copies nothing, --force ends them" {
	old_database
	start_session "$name" 'my ide'
	run db-snapshot save first
	assert_status 1
	assert_contains "$output" "pid $SESSION_PID"
	assert_contains "$output" --force
	assert_equal '' "$(siblings)"
	assert_equal 1 "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE pid = $SESSION_PID")"
	run db-snapshot save first --force
	assert_status 0
	assert_equal 0 "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE pid = $SESSION_PID")"
	assert_equal 1 "$(siblings | wc -l)"
}

@test "sessions: restore and undo end them where nothing is protected" {
	old_database
	db-snapshot save first
	change_to changed
	start_session "$name" 'my ide'
	run db-snapshot restore first
	assert_status 0
	assert_old_database
	start_session "$name" 'my ide'
	run db-snapshot undo
	assert_status 0
	assert_equal changed "$(content)"
}

@test "protected: all combinations of --confirm and --force" {
	old_database
	use_prod
	db-snapshot save first prod
	db-snapshot save second prod
	db-snapshot restore second prod --confirm "$name"
	before=$(marks)
	oid=$(oid_of "$name")
	for verb in 'save third --force' 'save first --replace' 'restore first' 'restore first --force' \
		'undo' 'undo --force' 'drop first' 'drop --undo'; do
		for confirm in '' '--confirm yes' "--confirm $name-x" '--confirm='; do
			# shellcheck disable=SC2086 # words are meant
			run db-snapshot $verb prod $confirm
			assert_status 4
			assert_contains "$output" --confirm
		done
	done
	assert_equal "$before" "$(marks)"
	assert_equal "$oid" "$(oid_of "$name")"
	for verb in 'save third --force' 'save first --replace' 'restore first' 'undo' 'drop first' 'drop --undo'; do
		# shellcheck disable=SC2086 # words are meant
		run db-snapshot $verb prod --confirm "$name"
		assert_status 0
	done
	for verb in 'save fourth' 'rename fourth fifth'; do
		# shellcheck disable=SC2086 # words are meant
		run db-snapshot $verb prod --confirm other
		assert_status 4
		# shellcheck disable=SC2086
		run db-snapshot $verb prod
		assert_status 0
	done
}

@test "protected: sessions are ended by restore and undo with --force only" {
	old_database
	use_prod
	db-snapshot save first prod
	for verb in 'restore first' undo; do
		start_session "$name" 'my ide'
		before=$(oid_of "$name")
		# shellcheck disable=SC2086 # words are meant
		run db-snapshot $verb prod --confirm "$name"
		assert_status 1
		assert_contains "$output" "pid $SESSION_PID"
		assert_equal "$before" "$(oid_of "$name")"
		refute_contains "$(siblings)" making
		# shellcheck disable=SC2086
		run db-snapshot $verb prod --confirm "$name" --force
		assert_status 0
		[ "$before" != "$(oid_of "$name")" ]
	done
}

@test "a wrong --confirm is refused on any target" {
	old_database
	db-snapshot save first
	before=$(marks)
	for verb in 'save second' 'restore first' undo 'drop first' 'rename first second'; do
		# shellcheck disable=SC2086 # words are meant
		run db-snapshot $verb --confirm other
		assert_status 4
	done
	assert_equal "$before" "$(marks)"
}

@test "a role without CREATEDB, and one that is not the owner, are told so and change nothing" {
	old_database
	export CONNECTION_URL
	CONNECTION_URL=$(nocreate_url "$name")
	run db-snapshot save first
	assert_status 1
	assert_contains "$output" CREATEDB
	CONNECTION_URL=$(app_url "$name")
	run db-snapshot save first
	assert_status 1
	assert_contains "$output" 'not its owner'
	assert_equal '' "$(siblings)"
	use "$name"
	db-snapshot save first
	sql postgres "ALTER DATABASE $name OWNER TO app"
	CONNECTION_URL=$(app_url "$name")
	for verb in 'restore first' 'drop first' 'rename first second' 'save first --replace'; do
		# shellcheck disable=SC2086 # words are meant
		run db-snapshot $verb
		assert_status 1
		assert_contains "$output" 'another role'
	done
	assert_equal '[dbrig:snapshot tag=first' "$(marks)"
	run --separate-stderr db-snapshot list
	assert_status 0
	assert_contains "$output" first
}

@test "an owner with CREATEDB who is no superuser can do all of it, and stays the owner" {
	name=$(db shop)
	sql postgres "ALTER DATABASE $name OWNER TO app"
	export CONNECTION_URL
	CONNECTION_URL=$(app_url "$name")
	sql "$name" "CREATE TABLE old (what text); INSERT INTO old VALUES ('precious'); GRANT ALL ON old TO app"
	for verb in 'save first' 'restore first' undo 'rename first second' 'drop second' 'drop --undo'; do
		# shellcheck disable=SC2086 # words are meant
		run db-snapshot $verb
		assert_status 0
	done
	assert_equal app "$(sql postgres "SELECT datdba::regrole FROM pg_database WHERE datname = '$name'")"
	assert_equal '' "$(siblings)"
}

@test "the comment stays with the name; what a copy does not have is named" {
	old_database
	sql postgres "COMMENT ON DATABASE $name IS 'the shop''s'"
	run db-snapshot save first
	assert_status 0
	refute_contains "$output" warning
	sql postgres "COMMENT ON DATABASE $name IS 'another'"
	db-snapshot restore first
	assert_equal another "$(sql postgres "SELECT shobj_description($(oid_of "$name"), 'pg_database')")"
	sql postgres "DROP DATABASE $name"
	db-snapshot restore first
	assert_equal "the shop's" "$(sql postgres "SELECT shobj_description($(oid_of "$name"), 'pg_database')")"
	sql postgres "ALTER DATABASE $name SET work_mem = '5MB'"
	sql postgres "ALTER DATABASE $name CONNECTION LIMIT 7"
	run db-snapshot save second
	assert_status 0
	assert_contains "$output" 'warning: '
	assert_contains "$output" 'ALTER DATABASE, a connection limit'
	refute_contains "$output" comment
	run db-snapshot restore second
	assert_contains "$output" 'warning: '
	# What is kept by renaming keeps it.
	db-snapshot undo
	assert_equal 5MB "$(sql "$name" 'SHOW work_mem')"
}

@test "snapshots survive db-setup and db-drop, which says that they stay" {
	old_database
	db-snapshot save first
	make_project
	run db-setup
	assert_status 0
	run db-drop
	assert_status 0
	assert_contains "$output" 'db-snapshot'
	assert_equal '[dbrig:snapshot tag=first' "$(marks)"
	db-snapshot restore first
	assert_old_database
}

@test "what the database was made from is known again after an undo" {
	make_project
	name=$(db_name shop)
	use "$name"
	db-setup --cache --no-spare --wait-drop
	before=$(sql postgres "SELECT substring(shobj_description($(oid_of "$name"), 'pg_database') FROM 'key=[0-9a-f]+')")
	[ -n "$before" ]
	db-snapshot save first
	db-snapshot restore first
	refute_contains "$(sql postgres "SELECT coalesce(shobj_description($(oid_of "$name"), 'pg_database'), '')")" dbrig
	db-snapshot undo
	assert_contains "$(sql postgres "SELECT shobj_description($(oid_of "$name"), 'pg_database')")" "[dbrig:made"
	assert_contains "$(sql postgres "SELECT shobj_description($(oid_of "$name"), 'pg_database')")" "$before"
}

@test "a prepared transaction in the way is named before a copy is made" {
	own_server max_prepared_transactions=5
	old_database
	db-snapshot save first
	sql "$name" "BEGIN; INSERT INTO old VALUES ('x'); PREPARE TRANSACTION 'gid_$name'"
	mark=$(server_log_mark)
	run db-snapshot restore first
	refute_contains "$(server_log_since "$mark")" 'CREATE DATABASE'
	sql "$name" "ROLLBACK PREPARED 'gid_$name'"
	assert_status 1
	assert_contains "$output" 'ROLLBACK PREPARED'
}

@test "two saves at once: both are there, or the second says that the name is taken" {
	old_database
	start_job db-snapshot save one
	first=$JOB_PID
	start_job db-snapshot save two
	finish_job
	assert_status 0
	wait "$first"
	assert_equal $'[dbrig:snapshot tag=one\n[dbrig:snapshot tag=two' "$(marks | sort)"
	start_job db-snapshot save same
	first=$JOB_PID
	start_job db-snapshot save same
	finish_job
	other=0
	wait "$first" || other=$?
	assert_equal 1 "$((status + other))"
	assert_equal 3 "$(siblings | wc -l)"
}

@test "a restore and a db-setup at once both succeed, one after the other" {
	old_database
	db-snapshot save first
	make_project
	start_job db-setup
	first=$JOB_PID
	start_job db-snapshot restore first
	finish_job
	assert_status 0
	wait "$first"
	db_exists "$name"
	refute_contains "$(siblings)" making
}

@test "what a killed save or restore has left is cleared by the next command" {
	old_database
	db-snapshot save first
	for left in "$name.dbrig-making-snapshot-deadbeef" "$name.dbrig-new"; do
		sql postgres "CREATE DATABASE \"$left\" ALLOW_CONNECTIONS false"
		db-snapshot save second --replace
		assert_equal 2 "$(siblings | wc -l)"
		db-snapshot drop second
	done
}

@test "signals at any moment of save and restore: old or new, and nothing left after the next command" {
	old_database
	db-snapshot save first
	for signal in INT TERM KILL; do
		for delay in 0.005 0.02 0.05 0.1; do
			for verb in 'save second --replace' 'restore first'; do
				# shellcheck disable=SC2086 # words are meant
				start_job db-snapshot $verb
				sleep "$delay"
				kill -"$signal" "$JOB_PID" 2>/dev/null || :
				finish_job
				run db-snapshot list --json
				assert_status 0
				assert_old_database
				run db-snapshot drop second
				refute_contains "$(siblings)" making
				refute_contains "$(siblings)" 'dbrig-drop'
			done
		done
	done
	run db-snapshot restore first
	assert_status 0
	assert_old_database
	[ "$(siblings | wc -l)" -le 2 ]
}

@test "a half dropped database is replaced by a restore" {
	old_database
	db-snapshot save first
	sql postgres "UPDATE pg_database SET datconnlimit = -2 WHERE datname = '$name'"
	run db-snapshot restore first
	assert_status 0
	assert_old_database
	assert_equal '[dbrig:snapshot tag=first' "$(marks)"
}

@test "a missing database cannot be saved" {
	name=$(db_name missing)
	use "$name"
	run db-snapshot save first
	assert_status 1
	assert_contains "$output" 'does not exist'
}

@test "the maintenance databases are refused" {
	for name in postgres template1; do
		use "$name"
		for verb in 'save x' 'restore x' undo 'drop x' 'rename x y'; do
			# shellcheck disable=SC2086 # words are meant
			run db-snapshot $verb
			assert_status 4
		done
	done
}

@test "wrong usage is exit status 64" {
	old_database
	for arguments in '' 'saves x' save restore drop rename 'rename x' 'save x local more' 'list local more' \
		'list --replace' 'save x --undo' 'save x --json' 'list --force' 'drop x --force' 'rename x y --force'; do
		# shellcheck disable=SC2086 # words are meant
		run db-snapshot $arguments
		assert_status 64
	done
	assert_equal '' "$(siblings)"
}
