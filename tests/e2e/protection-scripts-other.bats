#!/usr/bin/env bats
# bats file_tags=slow,once
# What a script may do to databases other than its own, when it is not a mark that protects them.

# SC2034: assert_refused reads it.
# shellcheck disable=SC2034

load helper
load protection
load setup
load pgbouncer

setup() {
	protection_setup
	live=$(db live)
	dev=$(db dev)
	sql "$live" "CREATE TABLE customer (what text); INSERT INTO customer VALUES ('precious')"
	sql "$dev" 'CREATE TABLE part (id int)'
	for database in "$live" "$dev"; do
		sql postgres "ALTER DATABASE \"$database\" OWNER TO app"
	done
	sql "$live" 'ALTER TABLE customer OWNER TO app'
	use "$dev"
	PROD_CONNECTION_URL=$(url "$live")
	export PROD_CONNECTION_URL
}

# Which databases there are, with their comments, and what live holds.
everything() {
	sql postgres "SELECT oid, datname, shobj_description(oid, 'pg_database') FROM pg_database
		WHERE datname LIKE 't${BATS_SUITE_TEST_NUMBER}\\_%' ORDER BY oid"
	contents "$live"
}

# The scripts, one a line, with what the message says of each.
scripts_against() {
	cat <<-SCRIPTS
		run a script in|\\connect "$1" \\\\ DROP TABLE customer;
		run a script in|\\connect "dbname=$1" \\\\ DROP TABLE customer;
		run a script in|\\connect postgres \\\\ \\connect $1 \\\\ DROP TABLE customer;
		drop|DROP DATABASE "$1";
		drop|DROP DATABASE IF EXISTS ${1^^} WITH (FORCE);
		drop|SELECT 'DROP DATABASE $1' \\gexec
		drop|\\connect postgres \\\\ DROP DATABASE $1;
		rename|ALTER DATABASE $1 RENAME TO $(db_name lost);
		write the comment of|COMMENT ON DATABASE $1 IS '[dbrig:unprotected]';
		change|ALTER DATABASE $1 ALLOW_CONNECTIONS false;
	SCRIPTS
}

# refuses_all DATABASE PART COMMAND ...: the command refuses each of them for its place.
refuses_all() {
	local database=$1 part=$2 line
	shift 2
	before=$(everything)
	while IFS= read -r line <&7; do
		printf '%s\n' "${line#*|}" | sed 's/ \\\\ /\n/g' >x.sql
		run --separate-stderr "$@" <x.sql
		assert_refused "refusing to ${line%%|*} database \"$database\", which $part"
		assert_matches "$stderr" '(x\.sql|<stdin>|db/seed\.sql):[12]:1: ERROR: refusing'
	done 7< <(scripts_against "$database")
}

@test "production beside the script's own database is left alone, whether it is marked or not" {
	for load in 'db-schema-load -f x.sql' 'db-seed -f x.sql' 'db-seed -f - --no-transaction' \
		"db-seed -f x.sql --confirm $dev"; do
		# shellcheck disable=SC2086 # several words
		refuses_all "$live" 'is protected: PROD_CONNECTION_URL leads to the same database' $load
	done
	assert_contains "$stderr" "hint: A confirmation is for the target's own database."
}

@test "a reset's scripts leave it alone too, and the old database comes back" {
	before=$(everything)
	while IFS='|' read -r what script <&7; do
		printf '%s\n' "$script" | sed 's/ \\\\ /\n/g' >db/seed.sql
		run --separate-stderr db-setup
		assert_refused "refusing to $what database \"$live\", which is protected: PROD_CONNECTION_URL"
	done 7< <(scripts_against "$live")
	echo 'CREATE TABLE item (a int)' >db/seed.sql
	printf '%s\n' "\\connect $live" 'DROP TABLE customer;' >db/schema.sql
	run --separate-stderr db-setup
	assert_refused "refusing to run a script in database \"$live\""
}

@test "production under another name of its host is recognised" {
	PROD_CONNECTION_URL=$(app_url "$live")
	refuses_all "$live" 'is protected: PROD_CONNECTION_URL leads' db-seed -f x.sql
	refute_contains "$stderr" "$APP_PASSWORD"
	CONNECTION_URL=$(app_url "$dev")
	PROD_CONNECTION_URL=${PROD_CONNECTION_URL/127.0.0.1/localhost}
	refuses_all "$live" 'is protected: PROD_CONNECTION_URL leads' db-seed -f x.sql
}

@test "through a pooler production is recognised by either of its names" {
	start_pgbouncer session $'[databases]\nshop'"=host=$SERVER_SOCKET port=$SERVER_PORT dbname=$live"
	PROD_CONNECTION_URL=$(bouncer_url shop)
	CONNECTION_URL=$(bouncer_url "$dev")
	refuses_all "$live" 'is protected: PROD_CONNECTION_URL leads' db-seed -f x.sql
	for PROD_CONNECTION_URL in "$(bouncer_url shop)" "$(app_url "$live")"; do
		printf '%s\n' '\connect shop' 'DROP TABLE customer;' >x.sql
		run --separate-stderr db-seed -f x.sql
		assert_refused "refusing to run a script in database \"$live\", which is protected"
	done
	# Its server is silent, its name says it.
	PROD_CONNECTION_URL="postgresql://nobody@127.0.0.1:$BOUNCER_PORT/shop"
	run --separate-stderr db-seed -f x.sql
	assert_refused "refusing to run a script in database \"$live\", which is protected"
}

@test "what cannot be found out is refused, and it is said what" {
	PROD_CONNECTION_URL="postgresql://app:geheim@127.0.0.1:1/$live"
	refuses_all "$live" "may be production's: that could not be found out" db-seed -f x.sql
	assert_contains "$stderr" 'Not known is where this leads: PROD_CONNECTION_URL ('
	assert_contains "$stderr" 'db-protect --off on a target whose URL names it'
	refute_contains "$stderr" geheim
	# What the hint says helps.
	CONNECTION_URL=$(url "$live") db-protect -q --off --confirm "$live"
	run --separate-stderr db-seed -f - --no-transaction <<<"DROP DATABASE \"$live\""
	assert_status 0
	assert_equal '' "$(oid "$live")"
	# Nothing of that name can be lost any more, and none is asked for.
	run --separate-stderr db-seed -f - --no-transaction <<<"DROP DATABASE IF EXISTS \"$live\""
	assert_status 0
	# Only for the target's own database, whose name differs.
	assert_equal 1 "$(grep -c asking <<<"$stderr")"
	run --separate-stderr db-seed -f - --no-transaction <<<"DROP DATABASE \"$live\""
	assert_status 3
	assert_contains "$stderr" "database \"$live\" does not exist"
}

@test "a confirmation for one database of a service is none for another" {
	PROD_CONNECTION_URL=
	CONNECTION_URL="$(app_url "$dev" | sed 's/127\.0\.0\.1/ep-shop.eu-central-1.aws.neon.tech/')?hostaddr=127.0.0.1"
	part='is protected: its host ep-shop.eu-central-1.aws.neon.tech is one of Neon'
	refuses_all "$live" "$part" db-seed -f x.sql --confirm "$dev"
	refuses_all "$live" "$part" db-schema-load -f x.sql --confirm "$dev"
	for database in postgres template1; do
		run --separate-stderr db-seed -f - --confirm "$dev" --no-transaction <<<"DROP DATABASE $database"
		assert_refused "refusing to drop database \"$database\", which is protected: its host"
	done
	# What is none of production's, by its mark.
	sql postgres "COMMENT ON DATABASE \"$live\" IS '[dbrig:unprotected]'"
	printf '%s\n' "\\connect $live" 'DROP TABLE customer;' >x.sql
	run --separate-stderr db-seed -f x.sql --confirm "$dev"
	assert_status 0
	assert_equal '' "$(sql "$live" "SELECT to_regclass('customer')")"
}

@test "nor is one for the database of a target that is protected by its name or by the list" {
	use "$live"
	PROD_CONNECTION_URL=$(url "$dev")
	db-protect -q prod
	refuses_all "$live" 'is protected: the target "prod" is production by its name' \
		db-seed prod -f x.sql --confirm "$dev"
	STAGE_CONNECTION_URL=$PROD_CONNECTION_URL DB_PROTECTED_TARGETS=stage \
		refuses_all "$live" 'is protected: the target "stage" is listed in DB_PROTECTED_TARGETS' \
		db-seed stage -f x.sql --confirm "$dev"
}

@test "a script for a whole server passes through postgres and template1 and comes back home" {
	cat >x.sql <<-SQL
		\\connect postgres
		COMMENT ON DATABASE postgres IS 'default administrative connection database';
		\\connect template1
		SELECT 1;
		\\connect $dev
		INSERT INTO part VALUES (1);
	SQL
	run --separate-stderr db-seed -f x.sql
	assert_status 0
	# The same for a target that everything but its own database is refused to.
	PROD_CONNECTION_URL=$CONNECTION_URL run --separate-stderr db-seed prod -f x.sql
	assert_status 0
	assert_equal '1 1' "$(sql "$dev" 'SELECT * FROM part' | paste -sd ' ')"
	printf '%s\n' '\connect postgres' "\\connect $dev" >>db/seed.sql
	run --separate-stderr db-setup --confirm "$dev"
	assert_status 0
	assert_equal '3|two' "$(items "$dev")"
	# Unless production's URL names it.
	PROD_CONNECTION_URL=$(url postgres) run --separate-stderr db-seed -f x.sql
	assert_status 4
	assert_contains "$stderr" 'refusing to run a script in database "postgres", which is protected: PROD_CONNECTION_URL'
}

@test "a target that has postgres for its own is not left for it under another address" {
	own_server
	PROD_CONNECTION_URL=$(url postgres)
	printf '%s\n' "\\connect \"$(app_url postgres)\"" 'CREATE TABLE t (a int);' >x.sql
	run --separate-stderr db-seed prod --allow-connect -f x.sql
	assert_status 4
	assert_contains "$stderr" 'database "postgres", which is protected: the target "prod" is production by its name'
	assert_equal '' "$(sql postgres "SELECT to_regclass('t')")"
}

@test "on other servers than production's everything is as before, and its server is asked once" {
	# Somewhere that would be waited for.
	PROD_CONNECTION_URL=postgresql://app@192.0.2.1/elsewhere
	other=$(db other)
	third=$(db_name third)
	cat >x.sql <<-SQL
		\\connect $other
		CREATE TABLE mine (a int);
		\\connect $dev
		COMMENT ON DATABASE $other IS 'x';
		ALTER DATABASE $other RENAME TO $third;
		DROP DATABASE IF EXISTS $other;
		DROP DATABASE $third;
		\\connect postgres
		DROP DATABASE IF EXISTS $third;
	SQL
	start=$SECONDS
	run --separate-stderr db-schema-load -f x.sql
	assert_status 0
	assert_equal 1 "$(grep -c asking <<<"$stderr")"
	((SECONDS - start <= 4))
	assert_equal '' "$(oid "$other")$(oid "$third")"
	run --separate-stderr db-setup
	assert_status 0
	refute_contains "$stderr" asking
}

@test "on the private local server nothing is refused, whatever production's is called" {
	unset CONNECTION_URL
	PROD_CONNECTION_URL=postgresql://app@127.0.0.1:1/shop
	printf '%s\n' 'CREATE DATABASE shop;' '\connect shop' 'CREATE TABLE t (a int);' '\connect postgres' \
		"COMMENT ON DATABASE shop IS 'x';" 'ALTER DATABASE shop RENAME TO other;' 'DROP DATABASE other;' >x.sql
	db-create -q
	run --separate-stderr db-seed -f x.sql
	assert_status 0
	refute_contains "$stderr" asking
	# But the mark counts there too.
	printf '%s\n' 'CREATE DATABASE shop;' "COMMENT ON DATABASE shop IS '[dbrig:protected=prod]';" >x.sql
	db-seed -q -f x.sql
	echo 'DROP DATABASE shop' >x.sql
	run --separate-stderr db-seed -f x.sql
	assert_status 4
	assert_contains "$stderr" 'refusing to drop database "shop", which is protected: it is marked'
}

@test "what a script has created is its own: a dump with its mark, a name that may be production's" {
	own=$(db_name own)
	drop_later "$own"
	# As pg_dump -C writes it: the mark, and another \connect after a setting.
	cat >x.sql <<-SQL
		CREATE DATABASE "$own" WITH TEMPLATE = template0;
		\\connect "$own"
		COMMENT ON DATABASE "$own" IS '[dbrig:protected=prod]';
		ALTER DATABASE "$own" SET work_mem TO '8MB';
		\\connect "$own"
		CREATE TABLE part (id int);
	SQL
	run --separate-stderr db-schema-load -f x.sql
	assert_status 0
	assert_equal 0 "$(sql "$own" 'SELECT count(*) FROM part')"
	assert_equal '[dbrig:protected=prod]' "$(comment "$own")"
	# It is nobody's own the next time, also where CREATE DATABASE fails and the script goes on.
	before=$(everything)
	run --separate-stderr db-schema-load --keep-going -f x.sql
	assert_refused "refusing to run a script in database \"$own\", which is protected"
	sql postgres "DROP DATABASE \"$own\""
	PROD_CONNECTION_URL=postgresql://app@nosuch.invalid/$own run --separate-stderr db-schema-load -f x.sql
	assert_status 0
	assert_equal 0 "$(sql "$own" 'SELECT count(*) FROM part')"
}
