#!/usr/bin/env bats
# db-seed --truncate: which tables are emptied, that it is all or nothing, and who has to be asked.

load helper
load batches
load terminal

setup() {
	common_setup
	unset CI
	export DBRIG_AGENT=0
	DB=$(db main)
	export CONNECTION_URL
	CONNECTION_URL=$(url "$DB")
	make_project
	sql "$DB" "CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL, n int GENERATED ALWAYS AS IDENTITY);
		INSERT INTO item (id, name) VALUES (1, 'old'), (9, 'nine')"
}

seed() {
	run --separate-stderr db-seed "$@"
}

items() {
	sql "$DB" "SELECT string_agg(concat_ws(':', id, n), ' ' ORDER BY id) FROM item"
}

# kept: the rows are as they were.
kept() {
	assert_equal '1:1 9:2' "$(items)"
}

# rows TABLE...: how many each of them holds.
rows() {
	local table
	for table in "$@"; do
		sql "$DB" "SELECT count(*) FROM $table"
	done | paste -sd ' '
}

# --- what is emptied ----------------------------------------------------------------------------

@test "the rows are replaced and the sequences of columns begin anew, in the seed's own transaction" {
	sql "$DB" 'CREATE TABLE log (n serial, what text); INSERT INTO log (what) VALUES (1), (2)'
	echo "INSERT INTO log (what) VALUES ('seed');" >>db/seed.sql
	mark=$(server_log_mark)
	seed --truncate
	assert_status 0
	assert_equal '1:1 2:2 3:3' "$(items)"
	assert_equal '1|seed' "$(sql "$DB" 'SELECT * FROM log')"
	assert_contains "$stderr" $'emptied 2 tables\ndb/seed.sql: 3 statements ('
	sent=$(statements "$mark" "$DB")
	assert_equal 1 "$(grep -c TRUNCATE <<<"$sent")"
	assert_equal "TRUNCATE public.item, public.log RESTART IDENTITY" \
		"$(grep -A1 '^BEGIN' <<<"$sent" | grep TRUNCATE)"
	assert_equal 1 "$(grep -c '^BEGIN' <<<"$sent")"
	assert_equal 1 "$(grep -c '^COMMIT' <<<"$sent")"
	seed --truncate -q
	assert_status 0
	assert_equal '1:1 2:2 3:3' "$(items)"
}

@test "foreign keys in a cycle do not matter" {
	sql "$DB" 'CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY REFERENCES a);
		INSERT INTO a VALUES (1); INSERT INTO b VALUES (1); ALTER TABLE a ADD FOREIGN KEY (id) REFERENCES b;
		ALTER TABLE item ADD up int REFERENCES item, ADD FOREIGN KEY (id) REFERENCES a NOT VALID'
	echo 'SELECT 1;' >db/seed.sql
	seed --truncate
	assert_status 0
	assert_equal '0 0 0' "$(rows a b item)"
	assert_contains "$stderr" 'emptied 3 tables'
}

@test "odd names, in every schema" {
	sql "$DB" 'CREATE SCHEMA "s; DROP TABLE item"; CREATE SCHEMA "Ä""x"; CREATE SCHEMA "only";
		CREATE TABLE "s; DROP TABLE item"."a b" AS SELECT 1; CREATE TABLE "Ä""x"."select" AS SELECT 1;
		CREATE TABLE "only"."%I\x" AS SELECT 1;
		CREATE TABLE "$$"(); CREATE UNLOGGED TABLE "'"$(printf 'l%.0s' {1..63})"'" AS SELECT 1'
	for encoding in utf8 latin1; do
		sql "$DB" 'INSERT INTO "Ä""x"."select" VALUES (1)'
		PGCLIENTENCODING=$encoding seed --truncate
		assert_status 0
		assert_contains "$stderr" 'emptied 6 tables'
		assert_equal '0 0 0 0 3' "$(rows '"s; DROP TABLE item"."a b"' '"Ä""x"."select"' '"only"."%I\x"' \
			"$(printf 'l%.0s' {1..63})" item)"
	done
}

@test "a search_path and operators of the user's do not lead astray" {
	sql "$DB" "CREATE SCHEMA trap; CREATE TABLE trap.pg_class (relname name);
		CREATE FUNCTION trap.eq(name, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
		CREATE OPERATOR trap.= (LEFTARG = name, RIGHTARG = text, FUNCTION = trap.eq);
		CREATE FUNCTION trap.count(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 0';
		ALTER DATABASE \"$DB\" SET search_path = trap, public, pg_catalog;
		ALTER DATABASE \"$DB\" SET quote_all_identifiers = on"
	echo "INSERT INTO public.item VALUES (1, 'one');" >db/seed.sql
	seed --truncate
	assert_status 0
	assert_contains "$stderr" 'emptied 2 tables'
	assert_equal 1:1 "$(items)"
}

@test "a partitioned table is emptied with its partitions, and counts once" {
	sql "$DB" 'CREATE SCHEMA parts; CREATE TABLE p (id int PRIMARY KEY) PARTITION BY LIST (id);
		CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
		CREATE TABLE parts.p2 PARTITION OF p FOR VALUES IN (2) PARTITION BY LIST (id);
		CREATE TABLE parts.p3 PARTITION OF parts.p2 DEFAULT;
		CREATE TABLE child () INHERITS (item);
		INSERT INTO p VALUES (1), (2); ALTER TABLE item ADD p int REFERENCES p; UPDATE item SET p = 2;
		INSERT INTO child (id, name, n) VALUES (5, 5, 5)'
	seed --truncate
	assert_status 0
	assert_equal '0 0 3' "$(rows p child item)"
	assert_contains "$stderr" 'emptied 3 tables'
}

@test "a foreign table keeps its rows, also as a partition or a child, whose siblings are emptied" {
	other=$(db other)
	sql "$other" "CREATE TABLE far (id int, name text, n int); INSERT INTO far VALUES (3, 'far', 3)"
	sql "$DB" "CREATE EXTENSION postgres_fdw;
		CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw
			OPTIONS (host '$SERVER_SOCKET', port '$SERVER_PORT', dbname '$other');
		CREATE USER MAPPING FOR postgres SERVER other OPTIONS (user 'postgres');
		CREATE FOREIGN TABLE alone (id int) SERVER other OPTIONS (table_name 'far');
		CREATE TABLE p (id int, name text, n int) PARTITION BY LIST (id);
		CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
		CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2) PARTITION BY LIST (id);
		CREATE TABLE p21 PARTITION OF p2 DEFAULT;
		CREATE FOREIGN TABLE p3 PARTITION OF p FOR VALUES IN (3) SERVER other OPTIONS (table_name 'far');
		CREATE TABLE parent (id int, name text, n int); CREATE TABLE child () INHERITS (parent);
		CREATE FOREIGN TABLE f () INHERITS (child) SERVER other OPTIONS (table_name 'far');
		INSERT INTO p VALUES (1), (2); INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1)"
	seed --truncate
	assert_status 0
	assert_equal 1 "$(sql "$other" 'SELECT count(*) FROM far')"
	assert_equal '1 1 1 3' "$(rows p parent child item)"
}

@test "tables of extensions, temporary ones and the bookkeeping of migrations keep their rows" {
	sql "$DB" "CREATE TABLE ext (id int); INSERT INTO ext VALUES (1);
		CREATE EXTENSION hstore; ALTER EXTENSION hstore ADD TABLE ext;
		CREATE SCHEMA hold; ALTER EXTENSION hstore ADD SCHEMA hold; CREATE TABLE hold.chunk AS SELECT 1;
		CREATE SCHEMA supabase_migrations; CREATE TABLE supabase_migrations.seed_files AS SELECT 1;
		CREATE TABLE schema_migrations (version text); INSERT INTO schema_migrations VALUES (1);
		CREATE SCHEMA app; CREATE TABLE app.alembic_version AS SELECT 1;
		CREATE TABLE \"__EFMigrationsHistory\" AS SELECT 1; CREATE TABLE \"SequelizeMeta\" AS SELECT 1;
		CREATE TABLE migrations (id serial, \"timestamp\" bigint, name text);
		INSERT INTO migrations VALUES (1, 1, 1);
		CREATE TABLE app.migrations (id serial, migration text, batch int, gone int);
		ALTER TABLE app.migrations DROP gone; INSERT INTO app.migrations VALUES (1, 1, 1);
		CREATE SCHEMA birds; CREATE TABLE birds.migrations (id int, species text); INSERT INTO birds.migrations VALUES (1);
		CREATE TABLE _prisma_migration AS SELECT 1"
	start_session "$DB"
	printf 'CREATE TEMP TABLE mine AS SELECT 1 AS one; SELECT 1;\n' >&"$SESSION_FD"
	wait_until "[ \"\$(sql '$DB' \"SELECT count(*) FROM pg_class WHERE relname = 'mine'\")\" = 1 ]"
	seed --truncate
	assert_status 0
	assert_contains "$stderr" 'emptied 3 tables'
	assert_equal '1 1 1 1 1 1 1 1 1' "$(rows ext hold.chunk supabase_migrations.seed_files schema_migrations \
		app.alembic_version '"__EFMigrationsHistory"' '"SequelizeMeta"' migrations app.migrations)"
	assert_equal '0 0 3' "$(rows birds.migrations _prisma_migration item)"
}

@test "a table that stays and has a foreign key to one that is emptied: an error, and nothing is lost" {
	sql "$DB" 'CREATE TABLE schema_migrations (item int REFERENCES item); INSERT INTO schema_migrations VALUES (9)'
	for way in near far; do
		[ "$way" = near ] || proxy far
		seed --truncate
		assert_status 1
		assert_contains "$stderr" \
			'could not empty the tables: cannot truncate a table referenced in a foreign key constraint'
		assert_contains "$stderr" 'Table "schema_migrations" references "item".'
		assert_contains "$stderr" 'hint: A table that is not emptied'
		refute_contains "$stderr" CASCADE
		refute_contains "$stderr" 'seed.sql:1'
		assert_contains "$stderr" 'every row is as it was'
		kept
	done
}

@test "a database without a table is seeded, which is said" {
	sql "$DB" 'DROP TABLE item'
	echo 'CREATE TABLE made ();' >db/seed.sql
	seed --truncate
	assert_status 0
	assert_contains "$stderr" 'there was no table to empty'
	assert_equal 0 "$(rows made)"
}

@test "a seed without a statement empties the tables, near and far away" {
	echo '-- nothing' >db/seed.sql
	seed --truncate
	assert_status 0
	assert_equal 0 "$(rows item)"
	sql "$DB" 'INSERT INTO item VALUES (1, 1)'
	proxy far
	seed --truncate
	assert_status 0
	assert_equal 0 "$(rows item)"
}

# --- all or nothing -----------------------------------------------------------------------------

@test "a seed that fails leaves every row and every sequence as it was" {
	echo 'SELECT nope;' >>db/seed.sql
	for batch in 64k off; do
		seed --truncate --batch "$batch"
		assert_status 3
		assert_contains "$stderr" 'db/seed.sql:3:8: ERROR: column "nope" does not exist'
		assert_contains "$stderr" 'Rolled back: every row is as it was.'
		refute_contains "$stderr" emptied
		kept
	done
	sql "$DB" "INSERT INTO item VALUES (10, 'x')"
	assert_equal '1:1 9:2 10:3' "$(items)"
}

@test "a constraint that fails at COMMIT, and a file that is missing in the midst, lose nothing" {
	sql "$DB" 'ALTER TABLE item ADD up int REFERENCES item DEFERRABLE INITIALLY DEFERRED'
	echo "INSERT INTO item (id, name, up) VALUES (4, 'four', 77);" >>db/seed.sql
	seed --truncate
	assert_status 3
	assert_contains "$stderr" 'The error came at COMMIT'
	kept
	printf "SELECT 'missing.sql' AS file \\\\gset\n\\\\i :file\n" >db/seed.sql
	seed --truncate
	assert_status 3
	assert_contains "$stderr" 'every row is as it was'
	kept
}

@test "SIGINT and SIGTERM during the seed lose nothing" {
	printf 'SELECT pg_sleep(600);\n' >>db/seed.sql
	for signal in INT TERM; do
		start_job db-seed --truncate
		wait_until "[ \"\$(sql postgres \"SELECT state FROM pg_stat_activity
			WHERE datname = '$DB' AND query LIKE '%pg_sleep%'\")\" = active ]"
		kill "-$signal" "$JOB_PID"
		wait_until job_ended
		finish_job
		assert_equal "$((128 + $(kill -l "$signal")))" "$status"
		assert_contains "$stderr" 'every row is as it was'
		kept
	done
}

@test "SIGKILL during the seed loses nothing" {
	printf 'SELECT pg_sleep(3);\n' >>db/seed.sql
	start_job db-seed --truncate
	wait_until "[ \"\$(sql postgres \"SELECT state FROM pg_stat_activity
		WHERE datname = '$DB' AND query LIKE '%pg_sleep%'\")\" = active ]"
	kill -KILL "$JOB_PID"
	wait_until job_ended
	kept
}

@test "a lock that is waited for is told, and SIGINT ends the wait" {
	start_session "$DB" 'my ide'
	printf 'BEGIN; SELECT 1 FROM item;\n' >&"$SESSION_FD"
	start_job db-seed --truncate
	wait_until "grep -q 'held by' '$JOB_ERR'"
	assert_contains "$(<"$JOB_ERR")" \
		"emptying the tables: waiting for a lock on public.item: held by pid $SESSION_PID (user postgres, application my ide"
	kill -INT "$JOB_PID"
	wait_until job_ended
	finish_job
	assert_status 130
	kept
	start_job db-seed --truncate
	wait_until "grep -q 'held by' '$JOB_ERR'"
	printf 'COMMIT;\n' >&"$SESSION_FD"
	finish_job
	assert_status 0
	assert_equal '1:1 2:2 3:3' "$(items)"
}

@test "a table that is dropped meanwhile is told, and nothing is lost" {
	sql "$DB" 'CREATE TABLE gone ()'
	start_session "$DB"
	printf 'BEGIN; DROP TABLE gone;\n' >&"$SESSION_FD"
	start_job db-seed --truncate
	wait_until "grep -q 'held by' '$JOB_ERR'"
	printf 'COMMIT;\n' >&"$SESSION_FD"
	finish_job
	assert_status 1
	assert_matches "$stderr" 'could not empty the tables: .*gone'
	kept
}

@test "without the privilege nothing is lost" {
	sql "$DB" 'CREATE TABLE mine (id int); ALTER TABLE mine OWNER TO app; INSERT INTO mine VALUES (1);
		GRANT ALL ON item TO app'
	CONNECTION_URL=$(app_url "$DB")
	seed --truncate
	assert_status 1
	assert_matches "$stderr" 'could not empty the tables: must be owner of (sequence|relation) item_n_seq'
	assert_contains "$stderr" 'privilege TRUNCATE'
	sql "$DB" 'REVOKE ALL ON item FROM app'
	seed --truncate
	assert_status 1
	assert_contains "$stderr" 'could not empty the tables: permission denied for table item'
	assert_equal '1 2' "$(rows mine item)"
	kept
}

@test "--no-transaction, --keep-going and the like are usage errors" {
	mark=$(server_log_mark)
	for option in --no-transaction --keep-going '--set ON_ERROR_STOP=off'; do
		for dry in '' --dry-run; do
			# shellcheck disable=SC2086 # several words
			seed --truncate $option $dry
			assert_status 64
			assert_contains "$stderr" "--truncate and $option exclude each other"
		done
	done
	refute_contains "$(server_log_since "$mark")" "database=$DB "
	kept
}

@test "a seed that cannot run in a transaction is refused, from a file and from a pipe" {
	for statement in 'VACUUM;' 'COMMIT;' 'BEGIN;' '\connect -' 'CREATE INDEX CONCURRENTLY ON item (name);'; do
		printf '%s\n' "$statement" >db/seed.sql
		seed --truncate
		assert_status 3
		assert_contains "$stderr" db/seed.sql:1
		kept
		seed --truncate -f - <db/seed.sql
		assert_status 3
		assert_contains "$stderr" 'every row is as it was'
		refute_contains "$stderr" --no-transaction
		kept
	done
	printf "SELECT 'COMMIT' \\\\gexec\n" >db/seed.sql
	seed --truncate
	assert_status 3
	kept
}

@test "--dry-run says what would be emptied, and reaches no server" {
	mark=$(server_log_mark)
	seed --truncate --dry-run
	assert_status 0
	assert_contains "$output" 'db/seed.sql:1:1: INSERT INTO item'
	assert_contains "$stderr" '--truncate: before that, all tables would be emptied'
	refute_contains "$(server_log_since "$mark")" "database=$DB "
	seed --dry-run
	refute_contains "$stderr" emptied
	kept
}

# --- far away, and behind a pooler --------------------------------------------------------------

@test "to a server far away it is in the one request with the seed" {
	proxy far
	mark=$(server_log_mark)
	seed --truncate
	assert_status 0
	# Behind the question what there is.
	assert_equal 1 "$(requests "$mark")"
	assert_contains "$stderr" $'emptied 1 table\ndb/seed.sql: 2 statements ('
	assert_equal '1:1 2:2 3:3' "$(items)"
	sql "$DB" 'DELETE FROM item WHERE id > 2'
	echo '  SELECT nope;' >>db/seed.sql
	seed --truncate
	assert_status 3
	assert_contains "$stderr" 'db/seed.sql:3:10: ERROR: column "nope" does not exist'
	assert_contains "$stderr" 'every row is as it was'
	assert_equal '1:1 2:2' "$(items)"
}

@test "far away a lock that is waited for is told" {
	proxy far
	start_session "$DB" 'my ide'
	printf 'BEGIN; SELECT 1 FROM item;\n' >&"$SESSION_FD"
	start_job db-seed --truncate
	wait_until "grep -q 'held by' '$JOB_ERR'"
	printf 'COMMIT;\n' >&"$SESSION_FD"
	finish_job
	assert_status 0
	assert_contains "$stderr" \
		"emptying the tables, or a statement up to db/seed.sql:2: waiting for a lock on public.item: held by pid $SESSION_PID"
	assert_equal '1:1 2:2 3:3' "$(items)"
}

@test "when the answer to COMMIT is lost, that is told" {
	proxy far-cut
	seed --truncate
	assert_status 2
	assert_contains "$stderr" 'COMMIT was sent: whether the script took effect is unknown'
	refute_contains "$stderr" 'as it was'
}

@test "a psql script that begins the session anew finds the rows gone in each of its files" {
	echo "SET search_path = nowhere; INSERT INTO public.item VALUES (1, 'a');" >a.sql
	echo "INSERT INTO item VALUES (2, 'b');" >b.sql
	seed --truncate -f a.sql -f b.sql
	assert_status 0
	assert_contains "$stderr" $'emptied 1 table\nall scripts: '
	assert_equal '1:1 2:2' "$(items)"
}

# --- protection ---------------------------------------------------------------------------------

@test "a local development database is emptied without a question" {
	PROD_CONNECTION_URL=$(tcp_url postgres other)
	export PROD_CONNECTION_URL
	run_tty -- db-seed --truncate
	assert_status 0
	refute_contains "$output" 'Type its name'
	assert_equal '1:1 2:2 3:3' "$(items)"
}

@test "on prod it is refused without --confirm, before anything is connected" {
	export PROD_CONNECTION_URL=$CONNECTION_URL
	mark=$(server_log_mark)
	for arguments in '' '--confirm wrong' '--batch off'; do
		# shellcheck disable=SC2086 # several words
		seed prod --truncate $arguments
		assert_status 4
		assert_contains "$stderr" "refusing to empty the tables of database \"$DB\""
		kept
	done
	refute_contains "$(server_log_since "$mark")" app=db-seed
	run --separate-stderr bash -c 'yes "$1" | db-seed prod --truncate' _ "$DB"
	assert_status 4
	kept
}

@test "a --confirm that names another database is refused, on every target and without --truncate too" {
	for option in --truncate --quiet; do
		seed "$option" --confirm other
		assert_status 4
		kept
	done
	sql "$DB" 'DELETE FROM item'
	seed --confirm "$DB"
	assert_status 0
}

@test "a database with the mark is refused, and nothing is sent to be run; with its name it is emptied" {
	db-protect -q
	mark=$(server_log_mark)
	seed --truncate
	assert_status 4
	assert_contains "$stderr" "refusing to empty the tables of database \"$DB\", which is protected"
	assert_contains "$stderr" 'It has 1 table to empty.'
	assert_contains "$stderr" "--confirm $DB"
	refute_contains "$(statements "$mark" "$DB")" TRUNCATE
	kept
	seed --truncate --confirm "$DB"
	assert_status 0
	assert_contains "$stderr" "at stake: database \"$DB\""
	assert_equal '1:1 2:2 3:3' "$(items)"
	db-protect --show | grep -q protected
}

@test "an empty protected database asks for nothing" {
	db-protect -q
	sql "$DB" 'DROP TABLE item'
	echo 'SELECT 1;' >db/seed.sql
	seed --truncate
	assert_status 0
}

@test "an AI agent needs its user's words as well" {
	db-protect -q
	export DBRIG_AGENT=1
	seed --truncate --confirm "$DB"
	assert_status 4
	assert_contains "$stderr" 'ask'
	kept
	DBRIG_CONSENT='replant the shop' seed --truncate --confirm "$DB"
	assert_status 0
	assert_contains "$stderr" 'replant the shop'
	assert_equal '1:1 2:2 3:3' "$(items)"
}

@test "the right name on the terminal empties, another does not" {
	export PROD_CONNECTION_URL=$CONNECTION_URL
	answer 'Type its name to empty the tables of it: ' $'no\n' db-seed prod --truncate
	assert_status 4
	kept
	answer 'of it: ' "$DB"$'\n' db-seed prod --truncate
	assert_status 0
	assert_equal '1:1 2:2 3:3' "$(items)"
}
