#!/usr/bin/env bats
# bats file_tags=slow,once
# A table of attempts on a protected database: each command that destroys, in each way in which such
# accidents happen. Not one of them may lose anything.

load helper
load protection
load setup
load terminal

setup() {
	protection_setup
	echo 'TRUNCATE customer' >empty.sql
	name=$(db_name shop)
	PROD_URL=$(app_url "$name")
}

# use NAME: the same by the server's socket, and as the owner.
use() {
	CONNECTION_URL=$(url "$1")
	export CONNECTION_URL=${CONNECTION_URL/postgres@/app@}
}

# $name with a row that must stay, a snapshot and what its restore has kept, marked or not, and a session;
# nothing in the environment leads there yet.
production() {
	CONNECTION_URL=$PROD_URL db-create -q
	sql "$name" "CREATE TABLE customer (what text); INSERT INTO customer VALUES ('precious')"
	CONNECTION_URL=$PROD_URL db-snapshot -q save s
	CONNECTION_URL=$PROD_URL db-snapshot -q restore s
	start_job env PGAPPNAME='a customer' "$SERVER_PSQL" -XAtqc 'SELECT pg_sleep(600)' "$PROD_URL"
	wait_until "[ \"\$(sessions)\" != '' ]"
	before=$(everything)
}

# What must not change: the databases and their comments, the row, the session.
everything() {
	sql postgres "SELECT oid, datname, shobj_description(oid, 'pg_database')
		FROM pg_database WHERE datname LIKE '$name%' ORDER BY oid"
	sql "$name" 'SELECT * FROM customer'
	sessions
}

sessions() {
	sql postgres "SELECT pid FROM pg_stat_activity WHERE datname = '$name' AND application_name = 'a customer'"
}

# attempts ARGUMENT...: every destroying command with these arguments is refused, for a reason it tells.
attempts() {
	local command commands=(db-drop db-setup 'db-snapshot restore s' 'db-snapshot undo'
		'db-snapshot save s --replace')
	# Those have a --force; it changes nothing.
	if [[ " $* " != *' --force '* ]]; then
		commands+=(db-schema-load 'db-seed -f empty.sql' 'db-seed --truncate' 'db-snapshot drop s' 'db-sessions --kill-all' 'db-protect --off')
	fi
	for command in "${commands[@]}"; do
		# shellcheck disable=SC2086 # several words
		attempt $command "$@" || return
	done
}

attempt() {
	run --separate-stderr "$@" </dev/null
	if [ "$status" != 4 ] || [[ $stderr != *refusing\ to* ]] || [ "$before" != "$(everything)" ]; then
		printf '%s: status %s\n%s\n%s\n' "$*" "$status" "$stderr" "$(everything)" >&2
		return 1
	fi
}

@test "production's URL in CONNECTION_URL, as it stands" {
	production
	export PROD_CONNECTION_URL=$PROD_URL CONNECTION_URL=$PROD_URL
	attempts
	assert_contains "$stderr" 'PROD_CONNECTION_URL leads to the same database'
	attempts --force
}

@test "production under another target's name" {
	production
	export PROD_CONNECTION_URL=$PROD_URL STAGING_CONNECTION_URL=$PROD_URL
	attempts staging
}

@test "production through a tunnel" {
	production
	export PROD_CONNECTION_URL=$PROD_URL
	tunnel
	CONNECTION_URL=${PROD_URL/:$SERVER_PORT/:$TUNNEL_PORT}
	export CONNECTION_URL
	attempts
	attempts --force
}

@test "production by its socket, while its URL names an address" {
	production
	export PROD_CONNECTION_URL=$PROD_URL
	use "$name"
	attempts
}

@test "production under another name of its host" {
	production
	export PROD_CONNECTION_URL=$PROD_URL
	CONNECTION_URL=${PROD_URL/127.0.0.1/localhost}
	export CONNECTION_URL
	attempts
}

@test "the mark alone" {
	production
	use "$name"
	db-protect -q
	before=$(everything)
	attempts
	assert_contains "$stderr" 'marked as that of the target "local"'
	attempts --force
	unset CONNECTION_URL
	export PGHOST=$SERVER_SOCKET PGPORT=$SERVER_PORT PGUSER=postgres PGDATABASE=$name
	attempts
}

@test "a .env that was exchanged for production's" {
	production
	printf 'CONNECTION_URL=%s\nPROD_CONNECTION_URL=%s\n' "$PROD_URL" "$PROD_URL" >.env
	attempts
	assert_contains "$stderr" 'PROD_CONNECTION_URL in '
}

@test "an AI agent that confirms by itself" {
	production
	export PROD_CONNECTION_URL=$PROD_URL
	unset DBRIG_AGENT
	for variable in CLAUDECODE CURSOR_AGENT AI_AGENT; do
		export "$variable=1"
		attempt db-drop prod --confirm "$name"
		assert_contains "$stderr" "$variable says that an AI agent is calling"
		assert_contains "$stderr" 'ask'
		unset "$variable"
	done
	export DBRIG_AGENT=1
	attempts prod --confirm "$name"
	DBRIG_CONSENT=' ' attempts prod --confirm "$name"
	DBRIG_CONSENT=. attempt db-drop prod --confirm "$name"
	DBRIG_CONSENT=yes attempts prod --confirm "$name"
	assert_contains "$stderr" "What DBRIG_CONSENT holds are not a user's own words"
	DBRIG_CONSENT='drop it' attempts prod
	assert_contains "$stderr" 'not asked for on a terminal'
	DBRIG_CONSENT='drop it' attempts prod --force
}

@test "an AI agent with its user's words, which are shown" {
	production
	export PROD_CONNECTION_URL=$PROD_URL DBRIG_AGENT=1
	DBRIG_CONSENT=$'drop the shop\e[2J,\nhint: please' run --separate-stderr db-drop prod --force --confirm "$name"
	assert_status 0
	assert_contains "$stderr" 'drop the shop\x1B[2J,\nhint: please'
	assert_contains "$stderr" "at stake: database \"$name\""
	refute_contains "$stderr" $'\e[2J'
	assert_equal '' "$(oid "$name")"
}

@test "answers from a pipe" {
	production
	export PROD_CONNECTION_URL=$PROD_URL
	for answer in y yes "$name"; do
		run --separate-stderr bash -c 'yes "$1" | db-drop prod --force' _ "$answer"
		assert_status 4
		run --separate-stderr bash -c 'yes "$1" | db-setup prod' _ "$answer"
		assert_status 4
		assert_equal "$before" "$(everything)"
	done
}

@test "no terminal, and --force" {
	production
	export PROD_CONNECTION_URL=$PROD_URL
	attempts prod
	attempts prod --force
	PRODUCTION_CONNECTION_URL=$PROD_URL attempts PRODUCTION
	unset PROD_CONNECTION_URL
	PROD_EU_CONNECTION_URL=$PROD_URL attempts prod-eu
	DB_PROTECTED_TARGETS='live, staging' LIVE_CONNECTION_URL=$PROD_URL attempts live
}

@test "a wrong --confirm" {
	production
	export PROD_CONNECTION_URL=$PROD_URL
	attempts prod --confirm "${name^^}"
	attempts prod --confirm "$name "
	attempts prod --confirm ''
	attempts prod --confirm prod
	attempts prod --confirm "$name" --confirm other
	use "$name"
	unset PROD_CONNECTION_URL
	attempts --confirm other
}

@test "a wrong name, or none, typed on the terminal" {
	production
	export PROD_CONNECTION_URL=$PROD_URL
	for typed in y yes '' "${name^^}" "$name x"; do
		answer 'Type its name to drop it: ' "$typed"$'\n' db-drop prod --force
		assert_status 4
		assert_contains "$output" 'that is not its name'
		assert_equal "$before" "$(everything)"
	done
}

@test "what was typed before the question, not finished, without end or with a NUL is no answer" {
	production
	export PROD_CONNECTION_URL=$PROD_URL
	# Typed ahead, as a pasted block is: the terminal has it when the question comes.
	on_terminal bash -c 'read -r; exec db-drop prod --force'
	type_keys $'\n'"$name"$'\n'
	screen_ends 'to drop it: '
	type_keys $'\n'
	finish_terminal
	assert_status 4
	assert_equal "$before" "$(everything)"
	answer 'to drop it: ' "$name"$'\004\004' db-drop prod --force
	assert_status 4
	assert_equal "$before" "$(everything)"
	answer 'to drop it: ' "$(printf '%03000d' 0)"$'\n' db-drop prod --force
	assert_status 4
	assert_contains "$output" 'the answer is longer'
	assert_equal "$before" "$(everything)"
	# A NUL is written beside type_keys: no shell's word holds one.
	on_terminal bash -c 'db-drop prod --force; echo "it was $?"; read -r -t 1 line; echo "left: $line."'
	screen_ends 'to drop it: '
	printf '%s\0 NO I DO NOT\n' "$name" >&"$KEYS"
	finish_terminal
	assert_contains "$output" 'the answer holds a NUL'
	assert_contains "$output" 'Nothing was changed.'
	assert_contains "$output" 'it was 4'
	assert_contains "$output" 'left: .'
	assert_equal "$before" "$(everything)"
}

@test "a name typed for one database does not confirm another that was given it meanwhile" {
	production
	export PROD_CONNECTION_URL=$PROD_URL
	other=$(db other)
	on_terminal db-setup prod --force
	screen_ends 'to reset it: '
	sql postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$name'"
	sql postgres "ALTER DATABASE \"$name\" RENAME TO \"${name}_x\""
	sql postgres "ALTER DATABASE \"$other\" RENAME TO \"$name\""
	before=$(everything)
	type_keys "$name"$'\n'
	finish_terminal
	assert_status 4
	assert_contains "$output" "database \"$name\" is another one than when its name was asked for"
	assert_contains "$output" 'Run it again'
	assert_equal "$before" "$(everything)"
}

@test "a name typed does not confirm where the mark has changed meanwhile" {
	production
	export PROD_CONNECTION_URL=$PROD_URL
	on_terminal db-drop prod --force
	screen_ends 'to drop it: '
	sql postgres "COMMENT ON DATABASE \"$name\" IS '[dbrig:protected=live]'"
	before=$(everything)
	type_keys "$name"$'\n'
	finish_terminal
	assert_status 4
	assert_contains "$output" "the protection mark of database \"$name\" is another one"
	assert_equal "$before" "$(everything)"
}

@test "SIGINT at the question changes nothing" {
	production
	export PROD_CONNECTION_URL=$PROD_URL
	on_terminal db-drop prod --force
	screen_ends 'to drop it: '
	type_keys $'\003'
	finish_terminal
	assert_equal "$before" "$(everything)"
}

@test "the right name on the terminal drops" {
	production
	export PROD_CONNECTION_URL=$PROD_URL
	on_terminal db-drop prod --force
	screen_ends 'to drop it: '
	# What will go is told first.
	screen_has "at stake: database \"$name\""
	screen_has 'holds     1 table'
	type_keys "$name"$'\n'
	finish_terminal
	assert_status 0
	assert_equal '' "$(oid "$name")"
}

@test "on a local development database the same commands ask nothing" {
	name=$(db_name shop)
	use "$name"
	PROD_CONNECTION_URL=$(tcp_url postgres other)
	export PROD_CONNECTION_URL
	run_tty -- db-setup
	assert_status 0
	refute_contains "$output" 'Type its name'
	db_setup
	db-schema-load -q
	db-seed -q --truncate
	echo 'TRUNCATE item' >empty.sql
	db-seed -q -f empty.sql
	assert_equal 0 "$(sql "$name" 'SELECT count(*) FROM item')"
	db-snapshot -q save s
	db-snapshot -q save s --replace
	db-snapshot -q restore s
	db-snapshot -q undo
	db-snapshot -q drop s
	db-sessions --kill-all
	run_tty -- db-drop
	assert_status 0
	assert_equal '' "$(oid "$name")"
}

# --- the mark ------------------------------------------------------------------------------------

@test "the first write to prod marks its database, and the mark stays" {
	export PROD_CONNECTION_URL=$PROD_URL
	run --separate-stderr db-create prod
	assert_contains "$stderr" 'marked database'
	assert_equal '[dbrig:protected=prod]' "$(comment "$name")"
	sql postgres "COMMENT ON DATABASE \"$name\" IS 'the shop [dbrig:protected=prod]'"
	db-setup -q prod --confirm "$name"
	assert_contains "$(comment "$name")" '[dbrig:protected=prod]'
	db-setup -q prod --confirm "$name" --cache
	db-setup -q prod --confirm "$name" --cache
	assert_contains "$(comment "$name")" '[dbrig:protected=prod]'
	db-snapshot -q save s prod
	sql postgres "COMMENT ON DATABASE \"$name\" IS '[dbrig:protected=prod]'"
	db-snapshot -q restore s prod --confirm "$name"
	assert_contains "$(comment "$name")" '[dbrig:protected=prod]'
	db-snapshot -q undo prod --confirm "$name"
	assert_contains "$(comment "$name")" '[dbrig:protected=prod]'
	CONNECTION_URL=$PROD_URL db-clone -q "$(db_name clone)"
	assert_equal '' "$(comment "$(db_name clone)")"
	drop_later "$(db_name clone)"
}

@test "a mark that its owner has set, who is no superuser, stays through a restart" {
	own_server
	sql postgres "CREATE DATABASE \"$name\" OWNER app"
	sql "$name" "CREATE TABLE customer (what text); INSERT INTO customer VALUES ('precious')"
	CONNECTION_URL=$(app_url "$name")
	export CONNECTION_URL
	db-protect -q
	assert_equal f "$(sql postgres "SELECT rolsuper FROM pg_roles WHERE rolname = 'app'")"
	pg_server pause
	pg_server start
	before=$(everything)
	attempt db-drop
	attempt db-setup
}

@test "db-schema-load and db-seed mark it too, and who may not says so" {
	CONNECTION_URL=$PROD_URL db-create -q
	PROD_CONNECTION_URL=$PROD_URL db-schema-load -q prod
	assert_equal '[dbrig:protected=prod]' "$(comment "$name")"
	sql postgres "COMMENT ON DATABASE \"$name\" IS NULL"
	PROD_CONNECTION_URL=$PROD_URL db-seed -q prod
	assert_equal '[dbrig:protected=prod]' "$(comment "$name")"
	sql postgres "COMMENT ON DATABASE \"$name\" IS NULL; ALTER DATABASE \"$name\" OWNER TO postgres"
	sql "$name" 'TRUNCATE item'
	PROD_CONNECTION_URL=$(app_url "$name") run --separate-stderr db-seed prod
	assert_status 0
	assert_contains "$stderr" 'is not marked as protected: must be owner'
}

@test "the mark stays through a failed reset and one that was killed" {
	use "$name"
	db_setup
	db-protect -q
	echo 'nonsense;' >>db/seed.sql
	run db-setup --confirm "$name"
	assert_status 3
	assert_contains "$(comment "$name")" '[dbrig:protected=local]'
	echo 'SELECT pg_sleep(60);' >db/seed.sql
	start_job db-setup --confirm "$name"
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND datname = '$name'\")\" = 1 ]"
	kill -KILL "$JOB_PID"
	assert_contains "$(comment "$name")" '[dbrig:protected=local]'
	run db-drop
	assert_status 4
	run db-setup
	assert_status 4
}

@test "copies for tests are refused on a marked database" {
	use "$name"
	db_setup
	db-protect -q
	run db-setup --copies 2 --confirm "$name"
	assert_status 4
	assert_equal '' "$(oid "${name}_1")"
}

@test "a script may not go into a database that is marked, nor take its own mark away" {
	use "$name"
	db_setup
	db-protect -q
	dev=$(db_name dev)
	use "$dev"
	db-create -q
	for command in 'db-schema-load -f' 'db-seed -f'; do
		printf '\\connect "%s"\nDROP TABLE item;\n' "$name" >x.sql
		# shellcheck disable=SC2086 # two words
		run --separate-stderr $command x.sql
		assert_status 4
		assert_contains "$stderr" "refusing to run a script in database \"$name\""
	done
	assert_equal '3|two' "$(items "$name")"
	db-drop -q
	use "$name"
	echo "COMMENT ON DATABASE \"$name\" IS 'anew'" >x.sql
	run --separate-stderr db-seed -f x.sql
	assert_status 0
	assert_contains "$stderr" 'marked as protected again'
	assert_equal 'anew [dbrig:protected=local]' "$(comment "$name")"
	run --separate-stderr db-schema-load -f x.sql --confirm "$name"
	assert_equal 'anew [dbrig:protected=local]' "$(comment "$name")"
}
