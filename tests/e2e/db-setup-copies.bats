#!/usr/bin/env bats
# db-setup --copies: databases for tests that run in parallel.

load helper
load setup

project() {
	make_project
	name=$(db_name shop)
	use "$name"
}

names() {
	sql postgres "SELECT datname FROM pg_database WHERE datname LIKE '$name%' ORDER BY 1"
}

oid_of() {
	sql postgres "SELECT oid FROM pg_database WHERE datname = '$1'"
}

@test "--copies makes that many equal databases and prints URLs that work" {
	project
	run --separate-stderr db-setup --no-cache --copies 3
	assert_status 0
	assert_equal 3 "$(wc -l <<<"$output")"
	i=1
	while IFS= read -r one; do
		assert_equal "${name}_$i" "$("$SERVER_PSQL" -XAtq -d "$one" -c 'SELECT current_database()')"
		assert_equal "$(dump "$name")" "$(dump "${name}_$i")"
		i=$((i + 1))
	done <<<"$output"
	assert_equal "$name ${name}_1 ${name}_2 ${name}_3" "$(names | grep -v dbrig | xargs)"
}

@test "--json prints names and URLs, without the password" {
	project
	export CONNECTION_URL
	CONNECTION_URL=$(app_url "$name")
	run --separate-stderr db-setup --copies 2 --json
	assert_status 0
	assert_equal "${name}_1 ${name}_2" "$(jq -r '[.[].name] | join(" ")' <<<"$output")"
	refute_contains "$output$stderr" s3cret
	assert_equal 3 "$(PGPASSWORD=$APP_PASSWORD "$SERVER_PSQL" -XAtq -d "$(jq -r '.[1].url' <<<"$output")" \
		-c 'SELECT count(*) FROM item')"
}

@test "URLs hold the port and the user that the environment gives" {
	project
	export CONNECTION_URL="postgresql:///$name?host=$SERVER_SOCKET_ENCODED"
	PGUSER=postgres PGPORT=$SERVER_PORT run --separate-stderr db-setup --copies 1
	assert_status 0
	assert_equal "${name}_1" "$("$SERVER_PSQL" -XAtq -d "$output" -c 'SELECT current_database()')"
}

@test "a second run replaces the copies, ends their sessions, and drops those beyond" {
	project
	db-setup --copies 3
	before=$(oid_of "${name}_1")
	sql "${name}_1" 'DROP TABLE item'
	start_session "${name}_1" 'a test'
	run db-setup --copies 2
	assert_status 0
	[ "$before" != "$(oid_of "${name}_1")" ]
	assert_equal '3|two' "$(items "${name}_1")"
	! db_exists "${name}_3" || return 1
}

@test "a database of that name without the mark is refused with 4 before anything is changed" {
	project
	db-setup
	sql "$name" 'CREATE TABLE precious ()'
	before=$(oid_of "$name")
	sql postgres "CREATE DATABASE ${name}_2"
	sql postgres "COMMENT ON DATABASE ${name}_2 IS '[dbrig:copy of=another]'"
	run db-setup --copies 2
	assert_status 4
	assert_contains "$output" "${name}_2"
	assert_equal "$before" "$(oid_of "$name")"
	! db_exists "${name}_1" || return 1
	db_exists "${name}_2"
	run db-setup --copies 1
	assert_status 0
}

@test "all databases in the way are named, with what removes them" {
	project
	db-setup --copies 3
	sql postgres "COMMENT ON DATABASE ${name}_1 IS 'mine'; COMMENT ON DATABASE ${name}_3 IS NULL"
	run db-setup --copies 3
	assert_status 4
	hint=$(sed -n 's/.*in production neither: \(.*;\)$/\1/p' <<<"$output")
	while IFS= read -r -d ';' statement; do
		sql postgres "$statement"
	done <<<"$hint"
	assert_equal "$name ${name}_2" "$(names | grep -v dbrig | xargs)"
	run db-setup --copies 3
	assert_status 0
	assert_equal "$name ${name}_1 ${name}_2 ${name}_3" "$(names | grep -v dbrig | xargs)"
}

@test "a copy that was protected is neither replaced nor dropped" {
	project
	db-setup --copies 3
	sql postgres "COMMENT ON DATABASE ${name}_2 IS '$(comment "${name}_2") [dbrig:protected=prod]'"
	before=$(oid_of "${name}_2")
	run db-setup --copies 3
	assert_status 4
	assert_contains "$output" "\"${name}_2\""
	run db-setup --copies 1
	assert_status 0
	assert_equal "$name ${name}_1 ${name}_2" "$(names | grep -v dbrig | xargs)"
	assert_equal "$before" "$(oid_of "${name}_2")"
}

@test "a copy that a snapshot is restored to, or whose own reset fails, stays a copy" {
	project
	db-setup --copies 1
	use "${name}_1"
	db-snapshot save first
	db-snapshot restore first
	assert_matches "$(comment "${name}_1")" "^\[dbrig:copy of=$name tag=${name}_1 "
	db-snapshot undo
	assert_matches "$(comment "${name}_1")" "^\[dbrig:copy of=$name tag=${name}_1 "
	echo 'SELECT nonsense;' >db/broken.sql
	cp db/schema.sql db/kept.sql
	cat db/broken.sql >>db/schema.sql
	run db-setup
	[ "$status" -ne 0 ]
	assert_contains "$output" 'is back as it was'
	assert_matches "$(comment "${name}_1")" "^\[dbrig:copy of=$name tag=${name}_1 "
	cp db/kept.sql db/schema.sql
	use "$name"
	before=$(oid_of "${name}_1")
	run db-setup --copies 1
	assert_status 0
	[ "$before" != "$(oid_of "${name}_1")" ]
}

@test "what was somebody's own before a copy had its name is no copy when it comes back" {
	project
	db-setup
	copy=$(db_name shop)_1
	drop_later "$copy"
	sql postgres "CREATE DATABASE $copy"
	sql "$copy" 'CREATE TABLE precious ()'
	use "$copy"
	db-snapshot save own
	db-snapshot restore own
	sql postgres "DROP DATABASE $copy"
	use "$name"
	db-setup --copies 1
	use "$copy"
	db-snapshot undo
	use "$name"
	run db-setup --copies 1
	assert_status 4
	assert_equal 0 "$(sql "$copy" 'SELECT count(*) FROM precious')"
}

@test "numbers that are none are exit status 64, and nothing is connected" {
	project
	mark=$(server_log_mark)
	for n in 0 257 -1 +1 1.5 x '' ' 1' 1x 99999999999999999999; do
		run db-setup "--copies=$n"
		assert_status 64
	done
	run db-setup --json
	assert_status 64
	refute_contains "$(server_log_since "$mark")" 'application_name=db-setup'
}

@test "names over 63 bytes are exit status 64 before anything is changed" {
	make_project
	name=$(printf '%-62.62s' "$(db_name "$(printf 'x%.0s' {1..62})")")
	drop_later "$name"
	use "$name"
	run db-setup --copies 1
	assert_status 64
	! db_exists "$name" || return 1
}

@test "protected targets are refused with 4" {
	project
	db-setup
	before=$(oid_of "$name")
	export PROD_CONNECTION_URL=$CONNECTION_URL
	run db-setup prod --copies 2 --confirm "$name" --force
	assert_status 4
	assert_equal "$before" "$(oid_of "$name")"
	! db_exists "${name}_1" || return 1
}

@test "copies are made from the template where it holds the seed" {
	project
	db-setup --cache --no-spare --wait-drop
	db-setup --cache --no-spare --wait-drop
	mark=$(server_log_mark)
	db-setup --cache --no-spare --wait-drop --copies 2
	assert_equal 2 "$(server_log_since "$mark" |
		grep 'CREATE DATABASE' | grep 'making-copy' | grep -c 'TEMPLATE "[^"]*dbrig-template')"
	assert_equal '3|two' "$(items "${name}_2")"
}

@test "sessions that connect to the database do not spoil its copies" {
	project
	db-setup --no-cache
	start_session "$name" 'my ide'
	run db-setup --no-cache --copies 1
	assert_status 0
	assert_equal '3|two' "$(items "${name}_1")"
}

@test "a failure names the copies of an earlier run that are still there" {
	project
	db-setup --copies 3 >earlier
	sql postgres "ALTER DATABASE ${name}_2 IS_TEMPLATE true"
	run db-setup --copies 3
	sql postgres "ALTER DATABASE ${name}_2 IS_TEMPLATE false"
	assert_status 1
	assert_contains "$output" 'The reset itself is complete; no copy was made.'
	assert_contains "$output" "still there: \"${name}_2\", \"${name}_3\"."
	assert_equal "$name ${name}_2 ${name}_3" "$(names | grep -v dbrig | xargs)"
}

@test "killed at any moment: the next run replaces what is there" {
	project
	for delay in 0.1 0.3 0.5; do
		start_job db-setup --no-cache --copies 3
		sleep "$delay"
		kill -KILL "$JOB_PID" 2>/dev/null || :
		finish_job
		run db-setup --no-cache --wait-drop --copies 2
		assert_status 0
		assert_equal "$name ${name}_1 ${name}_2" "$(names | xargs)"
		assert_equal '3|two' "$(items "${name}_2")"
	done
}

@test "a comment is copied; settings of the database, which are not, are named" {
	project
	echo "COMMENT ON DATABASE $name IS 'the shop''s'; ALTER DATABASE $name SET work_mem = '5MB';" >>db/schema.sql
	run db-setup --no-cache --copies 1
	assert_status 0
	assert_contains "$output" 'ALTER DATABASE'
	assert_matches "$(sql postgres "SELECT shobj_description(oid, 'pg_database')
		FROM pg_database WHERE datname = '${name}_1'")" "^the shop's \[dbrig:copy of=$name "
}
