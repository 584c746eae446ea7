#!/usr/bin/env bats
# bats file_tags=slow,once
# Scripts that destroy: what they may do to a protected database, and to any that is marked.

load helper
load protection
load setup
load terminal

setup() {
	protection_setup
	name=$(db shop)
	sql "$name" "CREATE TABLE customer (id int PRIMARY KEY, what text, more text);
		INSERT INTO customer VALUES (1, 'precious', 'too');
		CREATE TABLE part (id int); CREATE SEQUENCE counter; CREATE SCHEMA extra;
		CREATE TABLE extra.row (a int); INSERT INTO extra.row VALUES (7);
		CREATE MATERIALIZED VIEW seen AS SELECT * FROM customer;
		CREATE EXTENSION pg_trgm; CREATE TYPE mood AS ENUM ('fine'); CREATE DOMAIN age AS int;
		CREATE TABLE felt (mood mood, age age); INSERT INTO felt VALUES ('fine', 3);
		CREATE FUNCTION known(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT \$1';
		CREATE TABLE derived (a int, b int GENERATED ALWAYS AS (known(a)) STORED);
		CREATE TYPE place AS (x int, y int); CREATE TABLE lies (at place);
		INSERT INTO lies VALUES ((1, 2))"
	if ((SERVER_VERSION >= 15)); then
		destroying+=('MERGE ... THEN DELETE|MERGE INTO customer USING part ON true WHEN NOT MATCHED THEN DO NOTHING WHEN MATCHED THEN DELETE')
	fi
	PROD_CONNECTION_URL=$(url "$name")
	export PROD_CONNECTION_URL
	unset CONNECTION_URL
}

# All that must not change, but for the mark: the first write to prod sets that.
everything() {
	sql postgres "SELECT oid, datname FROM pg_database WHERE datname LIKE 't${BATS_SUITE_TEST_NUMBER}\\_%' ORDER BY oid"
	contents "$name"
}

destroying=(
	'TRUNCATE|TRUNCATE customer'
	'DROP TABLE|DROP TABLE customer CASCADE'
	'DROP TABLE|drop /* it */ table if exists "customer" cascade'
	'DROP SCHEMA|DROP SCHEMA extra CASCADE'
	'DROP MATERIALIZED VIEW|DROP MATERIALIZED VIEW seen'
	'DROP SEQUENCE|DROP SEQUENCE counter'
	'DROP EXTENSION|DROP EXTENSION pg_trgm'
	'DROP OWNED|DROP OWNED BY app CASCADE'
	'DROP ... CASCADE|DROP TYPE mood CASCADE'
	'DROP ... CASCADE|DROP DOMAIN age CASCADE'
	'DROP ... CASCADE|DROP FUNCTION known(int) CASCADE'
	'ALTER TYPE ... DROP ATTRIBUTE|ALTER TYPE place DROP ATTRIBUTE y CASCADE'
	'ALTER TABLE ... TYPE|ALTER TABLE felt ADD y int, ALTER COLUMN age TYPE text USING NULL'
	'ALTER TABLE ... TYPE|ALTER TABLE felt ALTER age TYPE smallint'
	'ALTER TABLE ... DROP COLUMN|ALTER TABLE customer ADD x int, DROP COLUMN more CASCADE'
	'ALTER TABLE ... DROP COLUMN|ALTER TABLE customer DROP IF EXISTS more CASCADE'
	'DELETE without WHERE|DELETE FROM customer'
	'DELETE without WHERE|DELETE FROM customer USING felt'
	"UPDATE without WHERE|UPDATE customer SET what = 'WHERE'"
	'DELETE without WHERE|WITH gone AS (DELETE FROM customer RETURNING *) SELECT * FROM gone WHERE id = 1'
	'DELETE without WHERE|COPY (DELETE FROM customer RETURNING id) TO stdout'
	'DELETE without WHERE|EXPLAIN ANALYZE DELETE FROM customer'
	'DELETE without WHERE|CREATE TABLE moved AS WITH gone AS (DELETE FROM customer RETURNING *) TABLE gone'
)

harmless="INSERT INTO part VALUES (1);
	INSERT INTO customer VALUES (1, 'new') ON CONFLICT (id) DO UPDATE SET what = 'precious';
	INSERT INTO customer VALUES (1, 'TRUNCATE customer') ON CONFLICT DO NOTHING;
	-- TRUNCATE customer;
	ALTER TABLE felt ADD CHECK (age > 0); ALTER TABLE felt ALTER age DROP DEFAULT;
	EXPLAIN DELETE FROM customer;
	UPDATE customer SET what = 'precious' WHERE id = 1; DELETE FROM customer WHERE id = 2;"

@test "a seed that destroys needs the confirmation on prod, whatever it destroys by" {
	before=$(everything)
	for line in "${destroying[@]}"; do
		printf "INSERT INTO part VALUES (1);\n\n%s;\n" "${line#*|}" >db/seed.sql
		run --separate-stderr db-seed prod </dev/null
		assert_refused "db/seed.sql:3: ${line%%|*} destroys data."
		assert_contains "$stderr" "--confirm $name"
	done
	# The server is not asked when the name of the target says enough.
	PROD_CONNECTION_URL=postgresql://nobody@127.0.0.1:1/$name run --separate-stderr db-seed prod </dev/null
	assert_status 4
}

@test "through a pipe it is refused when it comes, and what came before is rolled back" {
	before=$(everything)
	for line in "${destroying[@]}"; do
		run --separate-stderr db-seed prod -f - < <(printf "INSERT INTO part VALUES (1);\n\n%s;\n" "${line#*|}")
		assert_refused "<stdin>:3:1: ERROR: refusing to run a seed that destroys data in database \"$name\", which is protected"
		assert_contains "$stderr" "${line%%|*} destroys data."
		assert_contains "$stderr" 'Rolled back: nothing of the script is in the database.'
		assert_contains "$stderr" "--confirm $name"
	done
}

@test "without a transaction it is said what stays" {
	run --separate-stderr db-seed prod --no-transaction -f - <<<'INSERT INTO part VALUES (1); TRUNCATE customer; INSERT INTO part VALUES (2);'
	assert_status 4
	assert_contains "$stderr" 'The 1 statement before it stays in the database.'
	assert_equal '1 1' "$(sql "$name" 'SELECT * FROM part; SELECT id FROM customer' | paste -sd ' ')"
	run --separate-stderr db-seed prod --keep-going -f - <<<'nonsense; BEGIN; INSERT INTO part VALUES (3); TRUNCATE customer; COMMIT;'
	assert_status 4
	assert_equal '1 1' "$(sql "$name" 'SELECT * FROM part; SELECT id FROM customer' | paste -sd ' ')"
}

@test "what \\gexec, a variable, an include, \\copy or a semicolon hides is found" {
	before=$(everything)
	echo 'TRUNCATE customer;' >db/more.sql
	printf '%s\n' "SELECT 'SELECT 1', 'INSERT INTO part VALUES (1); TRUNCATE customer' \\gexec" >db/gexec.sql
	printf '%s\n' "SELECT 'TRUNCATE' AS verb \\gset" ':verb customer;' >db/gset.sql
	printf '%s\n' '\set verb TRUNCATE' ':verb customer;' >db/set.sql
	echo ':verb customer;' >db/given.sql
	echo '\ir more.sql' >db/include.sql
	printf '%s\n' 'SELECT true AS go \gset' '\if :go' '\ir more.sql' '\endif' >db/if.sql
	echo '\copy (DELETE FROM customer RETURNING id) TO stdout' >db/copy.sql
	echo 'SELECT 1\; TRUNCATE customer;' >db/several.sql
	printf '%s' 'TRUNCATE customer \g' >db/g.sql
	for file in gexec gset set given include if copy several g; do
		run --separate-stderr db-seed prod --set verb=TRUNCATE -f "db/$file.sql" </dev/null
		assert_refused 'destroys data.'
	done
	run --separate-stderr db-seed prod -f db/gexec.sql </dev/null
	assert_contains "$stderr" 'db/gexec.sql:1:1: ERROR: refusing to run a seed that destroys data'
	run --separate-stderr db-seed prod -f db/gset.sql </dev/null
	assert_contains "$stderr" 'db/gset.sql:2:1: ERROR: refusing'
	run --separate-stderr db-seed prod -f db/include.sql </dev/null
	assert_contains "$stderr" 'db/more.sql:1: TRUNCATE destroys data.'
}

@test "what only the server's settings or psql's own variables bring to light is refused when it comes" {
	unset PROD_CONNECTION_URL
	export CONNECTION_URL
	printf '%s\n' "COMMENT ON TABLE part IS 'the shop\\'s';" 'TRUNCATE customer CASCADE;' "-- that's all" \
		"INSERT INTO part VALUES (1);" >db/quote.sql
	printf "SELECT E'\203\\\\' ; TRUNCATE customer CASCADE; --';\n" >db/sjis.sql
	printf '%s\n' '\set ON_ERROR_STOP off' "DO \$\$ BEGIN RAISE EXCEPTION 'TRUNCATE customer CASCADE'; END \$\$;" \
		':LAST_ERROR_MESSAGE;' >db/message.sql
	printf '%s\n' 'INSERT INTO part VALUES (1);' >db/adds.sql
	CONNECTION_URL=$(url "$name") db-protect -q
	before=$(everything)
	for case in "quote|&options=-cstandard_conforming_strings%3Doff" "sjis|&client_encoding=sjis" 'message|'; do
		CONNECTION_URL="$(url "$name")${case#*|}" run --separate-stderr db-seed -f "db/${case%|*}.sql" </dev/null
		assert_contains "$stderr" "refusing to destroy data in database \"$name\", which is protected: it is marked"
		assert_contains "$stderr" 'TRUNCATE destroys data.'
		assert_equal "$before" "$(everything)"
	done
	CONNECTION_URL=$(url "$name") run --separate-stderr db-seed -f db/adds.sql </dev/null
	assert_status 0
	CONNECTION_URL="$(url "$name")&options=-cstandard_conforming_strings%3Doff" \
		run --separate-stderr db-seed -f db/quote.sql --confirm "$name"
	assert_status 0
	assert_equal 0 "$(sql "$name" 'SELECT count(*) FROM customer')"
}

@test "on a development database what comes to light is judged once, and run" {
	unset PROD_CONNECTION_URL
	printf '%s\n' "SELECT 'a\\' , ' ; TRUNCATE customer; TRUNCATE part; TRUNCATE lies; --';" >db/seed.sql
	mark=$(server_log_mark)
	CONNECTION_URL="$(url "$name")&options=-cstandard_conforming_strings%3Doff" run --separate-stderr db-seed
	assert_status 0
	assert_equal 0 "$(sql "$name" 'SELECT count(*) FROM customer')"
	assert_equal 2 "$(server_log_since "$mark" | grep -c 'connection authorized.*application_name=db-seed')"
}

@test "a seed that adds asks nothing, from a file and from a pipe" {
	printf '%s\n' "$harmless" >db/seed.sql
	run --separate-stderr db-seed prod </dev/null
	assert_status 0
	refute_contains "$stderr" 'destroys'
	run --separate-stderr db-seed prod -f - <db/seed.sql
	assert_status 0
	run_tty -- db-seed prod
	assert_status 0
	refute_contains "$output" 'Type its name'
	assert_equal 'precious 3' "$(sql "$name" 'SELECT what FROM customer; SELECT count(*) FROM part' | paste -sd ' ')"
}

@test "with the right name it runs, from a file and from a pipe" {
	echo 'TRUNCATE customer;' >db/seed.sql
	run --separate-stderr db-seed prod --confirm "$name" </dev/null
	assert_status 0
	assert_contains "$stderr" 'db/seed.sql:1: TRUNCATE destroys data'
	assert_contains "$stderr" "at stake: database \"$name\""
	assert_equal 0 "$(sql "$name" 'SELECT count(*) FROM customer')"
	run --separate-stderr db-seed prod --confirm "$name" -f - <<<'DROP TABLE felt'
	assert_status 0
	assert_equal '' "$(sql "$name" "SELECT to_regclass('felt')")"
	sql "$name" "INSERT INTO customer VALUES (1, 'precious')"
	answer 'Type its name to run a seed that destroys data in it: ' "$name"$'\n' db-seed prod
	assert_status 0
	assert_equal 0 "$(sql "$name" 'SELECT count(*) FROM customer')"
}

@test "a wrong name is refused, and so is an agent without its user's words" {
	before=$(everything)
	echo 'TRUNCATE customer;' >db/seed.sql
	for file in db/seed.sql -; do
		run --separate-stderr db-seed prod -f "$file" --confirm "${name^^}" <db/seed.sql
		assert_refused "--confirm names \"${name^^}\""
		DBRIG_AGENT=1 run --separate-stderr db-seed prod -f "$file" --confirm "$name" <db/seed.sql
		assert_refused 'ask'
		assert_contains "$stderr" DBRIG_CONSENT
	done
	answer 'destroys data in it: ' $'yes\n' db-seed prod
	assert_status 4
	assert_equal "$before" "$(everything)"
	DBRIG_AGENT=1 DBRIG_CONSENT='empty it' run --separate-stderr db-seed prod -f - --confirm "$name" <db/seed.sql
	assert_status 0
	assert_contains "$stderr" 'empty it'
	assert_equal 0 "$(sql "$name" 'SELECT count(*) FROM customer')"
}

@test "the mark alone, and production's URL as the local one, protect from seeds too" {
	echo 'TRUNCATE customer;' >db/seed.sql
	export CONNECTION_URL=$PROD_CONNECTION_URL
	before=$(everything)
	run --separate-stderr db-seed </dev/null
	assert_refused 'PROD_CONNECTION_URL leads to the same database'
	run --separate-stderr db-seed -f - <db/seed.sql
	assert_refused 'PROD_CONNECTION_URL leads to the same database'
	unset PROD_CONNECTION_URL
	db-protect -q
	run --separate-stderr db-seed </dev/null
	assert_refused 'it is marked as that of the target "local"'
	run --separate-stderr db-seed -f - <db/seed.sql
	assert_refused 'it is marked as that of the target "local"'
}

@test "on a local development database nothing is asked, whatever the seed does" {
	export CONNECTION_URL=$PROD_CONNECTION_URL
	unset PROD_CONNECTION_URL
	for line in "${destroying[@]}"; do
		printf 'BEGIN; %s; ROLLBACK;\n' "${line#*|}"
	done >db/seed.sql
	run_tty -- db-seed
	assert_status 0
	refute_contains "$output" 'Type its name'
	echo 'TRUNCATE customer;' >db/seed.sql
	run --separate-stderr db-seed -f - <db/seed.sql
	assert_status 0
	assert_equal 0 "$(sql "$name" 'SELECT count(*) FROM customer')"
}

@test "db-schema-load from a pipe into an empty protected database may drop" {
	empty=$(db empty)
	PROD_CONNECTION_URL=$(url "$empty") run --separate-stderr db-schema-load prod -f - <<<'DROP TABLE IF EXISTS item; CREATE TABLE item (a int); DELETE FROM item;'
	assert_status 0
	assert_equal item "$(sql "$empty" "SELECT to_regclass('item')")"
}

# --- databases -----------------------------------------------------------------------------------

# The mark on $name, and another database as the target local.
elsewhere() {
	db-protect -q prod
	unset PROD_CONNECTION_URL
	dev=$(db dev)
	use "$dev"
}

everything_and_mark() {
	everything
	comment "$name"
}

@test "a marked database is neither dropped nor renamed nor commented from another one" {
	elsewhere
	before=$(everything_and_mark)
	for statement in "DROP DATABASE \"$name\"" "DROP DATABASE IF EXISTS $name WITH (FORCE)" \
		"ALTER DATABASE \"$name\" RENAME TO $(db_name other)" "COMMENT ON DATABASE ${name^^} IS 'mine'" \
		"COMMENT ON DATABASE \"$name\" IS NULL" "DROP DATABASE U&\"${name/t/\\0074}\"" \
		"SELECT 'DROP DATABASE $name' \\gexec" "SELECT 1\\; COMMENT ON DATABASE $name IS NULL"; do
		printf 'CREATE TABLE IF NOT EXISTS kept (a int);\n%s;\n' "$statement" >x.sql
		[[ $statement != *gexec ]] || sed -i 's/gexec;/gexec/' x.sql
		for command in db-seed db-schema-load; do
			run --separate-stderr $command -f x.sql --confirm "$dev"
			assert_status 4
			assert_contains "$stderr" 'x.sql:2:'
			assert_contains "$stderr" 'refusing to '
			assert_equal "$before" "$(everything_and_mark)"
			run --separate-stderr $command -f - <x.sql
			assert_status 4
			assert_contains "$stderr" '<stdin>:2:'
			assert_equal "$before" "$(everything_and_mark)"
		done
	done
	printf 'DROP DATABASE "%s"' "$name" >x.sql
	run --separate-stderr db-seed -f x.sql
	assert_contains "$stderr" "refusing to drop database \"$name\", which is protected: it is marked as that of the target \"prod\""
}

@test "a reset's scripts do not do it either" {
	elsewhere
	for statement in "DROP DATABASE \"$name\"" "COMMENT ON DATABASE $name IS NULL" "SELECT 'DROP DATABASE $name' \\gexec"; do
		printf '%s\n' "$statement" >db/seed.sql
		run --separate-stderr db-setup
		assert_status 4
		assert_contains "$stderr" 'db/seed.sql:1:1: ERROR: refusing to '
		assert_equal '[dbrig:protected=prod]' "$(comment "$name")"
		db_exists "$name"
	done
	# Its own database has the name that scripts know.
	echo "COMMENT ON DATABASE \"$dev\" IS 'for work'" >db/seed.sql
	db-setup -q
	assert_contains "$(comment "$dev")" 'for work'
}

@test "a database that is not marked, or not there, is dropped, renamed and commented" {
	use "$(db dev)"
	other=$(db other)
	third=$(db_name third)
	printf '%s\n' "COMMENT ON DATABASE \"$other\" IS 'x';" "ALTER DATABASE \"$other\" RENAME TO \"$third\";" \
		"DROP DATABASE IF EXISTS \"$other\";" "COMMENT ON DATABASE \"$(db_name dev)\" IS 'y';" >x.sql
	run --separate-stderr db-schema-load -f x.sql
	assert_status 0
	assert_equal 'x y' "$(comment "$third") $(comment "$(db_name dev)")"
	run --separate-stderr db-seed -f - --no-transaction <<<"DROP DATABASE \"$third\""
	assert_status 0
	run ! db_exists "$third"
}

@test "a name that cannot be told is refused, and it is said how to write it" {
	use "$(db dev)"
	other=$(db other)
	run --separate-stderr db-schema-load -f - --no-transaction <<<"DROP DATABASE U&\"${other/t/!0074}\" UESCAPE '!'"
	assert_status 4
	assert_contains "$stderr" 'which database it names cannot be told'
	assert_contains "$stderr" 'hint: Write the name plainly'
	db_exists "$other"
}

@test "statements that were collected before a COMMENT ON DATABASE are run in their order" {
	use "$(db dev)"
	printf '%s\n' 'CREATE TABLE a (b int);' 'INSERT INTO a VALUES (1);' \
		"COMMENT ON DATABASE \"$(db other)\" IS 'x';" 'INSERT INTO a VALUES (2);' >x.sql
	mark=$(server_log_mark)
	run --separate-stderr db-seed -f x.sql
	assert_status 0
	assert_equal '1 2' "$(sql "$(db_name dev)" 'SELECT * FROM a' | paste -sd ' ')"
	assert_equal 1 "$(statements "$mark" "$(db_name dev)" | grep -c '^COMMIT')"
}

@test "pg_dump -C -c of a marked database, loaded into another one, drops nothing" {
	elsewhere
	before=$(everything)
	# A pg_dump that is older than the server dumps nothing; these are the lines that matter.
	"$SERVER_PG_DUMP" -C -c -d "$(url "$name")" >dump.sql ||
		printf '%s "%s"%s\n' 'DROP DATABASE' "$name" ';' 'CREATE DATABASE' "$name" ' WITH TEMPLATE = template0;' \
			'COMMENT ON DATABASE' "$name" " IS '[dbrig:protected=prod]';" '\connect' "$name" '' >dump.sql
	grep -q '^DROP DATABASE' dump.sql
	for load in '-f dump.sql' '-f -' '-f - --no-transaction'; do
		# shellcheck disable=SC2086 # several words
		run --separate-stderr db-schema-load $load <dump.sql
		assert_status 4
		assert_contains "$stderr" "refusing to drop database \"$name\""
		assert_equal "$before" "$(everything)"
		assert_equal '[dbrig:protected=prod]' "$(comment "$name")"
	done
}

@test "a seed for prod may not drop databases without the confirmation, but comment on its own" {
	other=$(db other)
	echo "DROP DATABASE \"$other\"" >db/seed.sql
	run --separate-stderr db-seed prod </dev/null
	assert_status 4
	assert_contains "$stderr" 'db/seed.sql:1: DROP DATABASE destroys data.'
	run --separate-stderr db-seed prod -f - <db/seed.sql
	assert_status 4
	db_exists "$other"
	echo "COMMENT ON DATABASE \"$name\" IS 'the shop'" >db/seed.sql
	run --separate-stderr db-seed prod </dev/null
	assert_status 0
	assert_equal 'the shop [dbrig:protected=prod]' "$(comment "$name")"
}
