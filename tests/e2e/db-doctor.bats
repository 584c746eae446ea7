#!/usr/bin/env bats
# The health of a database: what db-doctor finds in it, and what it is told to leave out.

load helper
load doctor

# check ID PARAMETER...: a check's query by itself, where a test cannot wait for what it looks for.
check() {
	local file=$ROOT/src/pg/queries/doctor-$1.sql
	shift
	sql "$DB" - <<-SQL
		PREPARE q AS $("$ROOT/scripts/embed-sql" --text "$file");
		EXECUTE q ($(printf "'%s'," "$@" | sed 's/,$//'));
	SQL
}

# --- each check --------------------------------------------------------------------------------

@test "an empty database has nothing" {
	doctor
	assert_status 0
	assert_equal '' "$stderr$FOUND"
	assert_equal 20 "$(jq '.summary.checks + .summary.not_seen' <<<"$output")"
	run --separate-stderr db-doctor
	assert_status 0
	assert_matches "${lines[-1]}" '^nothing found \((20|19) checks of the database in [0-9.]+ m?s\)$'
}

@test "invalid-index: an index that could not be built, and its mending" {
	sql "$DB" 'CREATE TABLE t (a int PRIMARY KEY, b int); INSERT INTO t VALUES (1, 1), (2, 1)'
	run sql "$DB" 'CREATE UNIQUE INDEX CONCURRENTLY bad ON t (b)'
	[ "$status" -ne 0 ]
	finds invalid-index 'error public.bad'
	# What would fail is not proposed as SQL.
	assert_equal 'null Remove the rows that are the same in b first, then REINDEX INDEX CONCURRENTLY public.bad; while there are such rows it fails and leaves an invalid bad_ccnew behind, for DROP INDEX CONCURRENTLY.' \
		"$(jq -r '.findings[] | "\(.fix) \(.note)"' <<<"$output")"
	run ! sql "$DB" 'REINDEX INDEX CONCURRENTLY public.bad'
	finds invalid-index 'error public.bad' 'error public.bad_ccnew'
	mend
	finds invalid-index 'error public.bad'
	sql "$DB" 'DELETE FROM t WHERE a = 2'
	sql "$DB" 'REINDEX INDEX CONCURRENTLY public.bad'
	finds invalid-index
	assert_equal t "$(sql "$DB" "SELECT indisvalid FROM pg_index WHERE indexrelid = 'bad'::regclass")"
	sql "$DB" 'CREATE INDEX plain ON t (b)'
	sql "$DB" "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'plain'::regclass"
	finds invalid-index 'error public.plain'
	mend
	finds invalid-index
}

@test "invalid-index: one that is being built is told as such" {
	sql "$DB" 'CREATE TABLE t (a int)'
	start_session "$DB" writer "BEGIN; INSERT INTO t VALUES (1); SELECT pg_sleep(600)"
	start_job "$SERVER_PSQL" -Xq -d "$CONNECTION_URL" -c 'CREATE INDEX CONCURRENTLY slow ON t (a)'
	wait_until "[ \"\$(sql '$DB' \"SELECT count(*) FROM pg_class WHERE relname = 'slow'\")\" = 1 ]"
	finds invalid-index 'info public.slow'
	assert_contains "$output" 'is at work on'
	assert_equal null "$(jq '.findings[0].fix' <<<"$output")"
}

@test "fk-without-index: in whatever order an index names the columns, and behind no others" {
	sql "$DB" - <<-'SQL'
		CREATE TABLE parent (id int PRIMARY KEY, a int, b int, UNIQUE (a, b));
		CREATE TABLE bare (id int PRIMARY KEY, p int REFERENCES parent);
		CREATE TABLE pair (id int PRIMARY KEY, a int, b int, FOREIGN KEY (a, b) REFERENCES parent (a, b));
		CREATE TABLE behind (id int PRIMARY KEY, x int, p int REFERENCES parent);
		CREATE INDEX ON behind (x, p);
		CREATE TABLE part (id int PRIMARY KEY, x int, p int REFERENCES parent);
		CREATE INDEX ON part (p) WHERE x > 0;
		CREATE TABLE fine (id int PRIMARY KEY, p int REFERENCES parent, a int, b int,
			FOREIGN KEY (a, b) REFERENCES parent (a, b));
		CREATE INDEX ON fine (p) WHERE p IS NOT NULL;
		CREATE INDEX ON fine (b, a, id);
		CREATE TABLE key (p int PRIMARY KEY REFERENCES parent);
		CREATE TABLE split (id int, p int REFERENCES parent) PARTITION BY RANGE (id);
		CREATE TABLE split_1 PARTITION OF split FOR VALUES FROM (1) TO (10);
	SQL
	finds fk-without-index 'warning public.bare (bare_p_fkey)' 'warning public.behind (behind_p_fkey)' \
		'warning public.pair (pair_a_b_fkey)' 'warning public.part (part_p_fkey)' \
		'warning public.split (split_p_fkey)'
	mend
	finds fk-without-index
}

@test "fk-without-index: keys over time, and keys that are not enforced" {
	[ "$SERVER_VERSION" -ge 18 ] || {
		assert_equal '' "$(sql "$DB" "SELECT 1 FROM pg_attribute WHERE attrelid = 'pg_constraint'::regclass AND attname = 'conenforced'")"
		return
	}
	sql "$DB" - <<-'SQL'
		CREATE EXTENSION btree_gist;
		CREATE TABLE room (id int, during daterange, PRIMARY KEY (id, during WITHOUT OVERLAPS));
		CREATE TABLE stay (id int PRIMARY KEY, room int, during daterange,
			FOREIGN KEY (room, PERIOD during) REFERENCES room (id, PERIOD during));
		CREATE INDEX ON stay USING gist (room, during);
		CREATE TABLE bare (id int PRIMARY KEY, room int, during daterange,
			FOREIGN KEY (room, PERIOD during) REFERENCES room (id, PERIOD during));
		CREATE TABLE parent (id int PRIMARY KEY);
		CREATE TABLE noted (id int PRIMARY KEY, p int REFERENCES parent NOT ENFORCED);
	SQL
	finds fk-without-index 'warning public.bare (bare_room_during_fkey)'
}

@test "fk-type-mismatch: a column narrower than the key it refers to" {
	sql "$DB" - <<-'SQL'
		CREATE TABLE parent (id bigint PRIMARY KEY);
		CREATE TABLE narrow (id int PRIMARY KEY, p int REFERENCES parent);
		CREATE TABLE wide (id int PRIMARY KEY, p bigint REFERENCES parent);
	SQL
	finds fk-type-mismatch 'warning public.narrow.p'
	assert_contains "$(jq -r '.findings[].note' <<<"$output")" 'rewrites the table'
	mend
	finds fk-type-mismatch
	sql "$DB" - <<-'SQL'
		CREATE TABLE key (v varchar(20) UNIQUE, t text UNIQUE, n numeric(10) UNIQUE, s numeric(8,3) UNIQUE, c char(4) UNIQUE);
		CREATE TABLE short (v varchar(5) COLLATE "C" REFERENCES key (v), t varchar(9) REFERENCES key (t),
			n numeric(4) REFERENCES key (n), s numeric(8,2) REFERENCES key (s), c char(2) REFERENCES key (c));
		CREATE TABLE long (v varchar(20) REFERENCES key (v), w text REFERENCES key (v), t text REFERENCES key (t),
			n numeric REFERENCES key (n), s numeric(9,3) REFERENCES key (s), c char(4) REFERENCES key (c));
	SQL
	finds fk-type-mismatch 'warning public.short.c' 'warning public.short.n' 'warning public.short.s' \
		'warning public.short.t' 'warning public.short.v'
	assert_contains "$output" 'is numeric(4,0) and refers to public.key.n, which is numeric(10,0): it cannot hold the larger keys'
	mend
	assert_equal 'character(4) numeric(10,0) numeric(9,3) text character varying(20)' \
		"$(sql "$DB" "SELECT string_agg(format_type(atttypid, atttypmod), ' ' ORDER BY attname) FROM pg_attribute
		WHERE attrelid = 'short'::regclass AND attnum > 0")"
	assert_equal C "$(sql "$DB" "SELECT collname FROM pg_attribute JOIN pg_collation l ON l.oid = attcollation
		WHERE attrelid = 'short'::regclass AND attname = 'v'")"
	finds fk-type-mismatch
}

@test "fk-type-mismatch: what keeps the column from being changed is named in place of SQL that fails" {
	sql "$DB" - <<-'SQL'
		CREATE TABLE parent (id bigint PRIMARY KEY);
		CREATE TABLE seen (p int REFERENCES parent);
		CREATE VIEW public."the view" AS SELECT p FROM seen;
		CREATE TABLE guarded (p int REFERENCES parent, twice int GENERATED ALWAYS AS (p * 2) STORED);
		CREATE POLICY mine ON guarded USING (p > 1);
		CREATE TABLE watched (p int REFERENCES parent);
		CREATE TRIGGER watch BEFORE UPDATE OF p ON watched FOR EACH ROW
			EXECUTE FUNCTION suppress_redundant_updates_trigger();
		CREATE TABLE key (p int REFERENCES parent) PARTITION BY RANGE (p);
		CREATE TABLE below (p int REFERENCES parent, at date) PARTITION BY RANGE (at);
		CREATE TABLE below_part PARTITION OF below DEFAULT PARTITION BY RANGE (p);
		CREATE TABLE top (p int);
		CREATE TABLE heir (FOREIGN KEY (p) REFERENCES parent) INHERITS (top);
		CREATE TABLE small (id int PRIMARY KEY);
		CREATE TABLE couple (a smallint REFERENCES small, b int REFERENCES parent);
	SQL
	doctor --only fk-type-mismatch
	notes=$(jq -r '.findings[] | .object + ": " + .note' <<<"$output")
	for line in 'public.seen.p: Drop view public."the view", which would be in the way, then ALTER TABLE public.seen ALTER COLUMN p TYPE bigint; and make it again as it was.' \
		'public.guarded.p: Drop generated column twice of public.guarded, policy mine on table public.guarded, which' \
		'public.watched.p: Drop trigger watch on table public.watched, which' \
		'public.key.p: The type of public.key.p cannot be changed, as it is in its partition key' \
		'public.below.p: The type of public.below_part.p cannot be changed, as it is in its partition key: it takes a new table with a column that is bigint.'; do
		assert_contains "$notes" "$line"
	done
	assert_equal 'ALTER TABLE public.couple ALTER COLUMN a TYPE integer; ALTER TABLE public.couple ALTER COLUMN b TYPE bigint; ALTER TABLE public.top ALTER COLUMN p TYPE bigint;' \
		"$(jq -r '[.findings[].fix | values] | join(" ")' <<<"$output")"
	mend
	doctor --only fk-type-mismatch
	assert_equal 0 "$(jq '[.findings[].fix | values] | length' <<<"$output")"
	# The server takes none of the others.
	for table in seen guarded watched key below; do
		run ! sql "$DB" "ALTER TABLE $table ALTER p TYPE bigint"
	done
}

@test "rls-missing: tables without row-level security beside others that have it" {
	sql "$DB" - <<-'SQL'
		CREATE TABLE guarded (id int PRIMARY KEY);
		ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
		CREATE TABLE open (id int PRIMARY KEY);
		CREATE SCHEMA other;
		CREATE TABLE other.open (id int PRIMARY KEY);
	SQL
	finds rls-missing 'warning public.open'
	# Without a policy it would show no row.
	assert_equal null "$(jq '.findings[].fix' <<<"$output")"
	assert_equal 'Write its policies first (CREATE POLICY ... ON public.open ...), then ALTER TABLE public.open ENABLE ROW LEVEL SECURITY; without a policy nobody but the owner and roles that pass by row-level security sees a row.' \
		"$(jq -r '.findings[].note' <<<"$output")"
	sql "$DB" 'CREATE POLICY mine ON public.open USING (true); ALTER TABLE public.open ENABLE ROW LEVEL SECURITY'
	finds rls-missing
}

@test "rls-policy-unused: policies without row-level security" {
	sql "$DB" - <<-'SQL'
		CREATE TABLE idle (id int PRIMARY KEY);
		CREATE POLICY mine ON idle USING (true);
		CREATE TABLE guarded (id int PRIMARY KEY);
		CREATE POLICY mine ON guarded USING (true);
		ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
	SQL
	finds rls-policy-unused 'error public.idle'
	assert_contains "$(jq -r '.findings[].note' <<<"$output")" 'see and change only the rows that the policies let them'
	mend
	finds rls-policy-unused
	finds rls-missing
}

@test "rls-policy-unused: restrictive policies alone let nobody see a row" {
	sql "$DB" - <<-'SQL'
		CREATE TABLE idle (id int PRIMARY KEY);
		CREATE POLICY narrower ON idle AS RESTRICTIVE USING (true);
		CREATE POLICY narrowest ON idle AS RESTRICTIVE USING (true);
	SQL
	finds rls-policy-unused 'error public.idle'
	assert_equal null "$(jq '.findings[].fix' <<<"$output")"
	assert_contains "$(jq -r '.findings[].note' <<<"$output")" 'Write a permissive one first'
}

@test "stale-statistics: tables never analyzed, or changed since" {
	sql "$DB" - <<-'SQL'
		CREATE TABLE never (id int PRIMARY KEY);
		INSERT INTO never SELECT generate_series(1, 2000);
		CREATE TABLE changed (id int PRIMARY KEY);
		INSERT INTO changed SELECT generate_series(1, 1000);
		ANALYZE changed;
		INSERT INTO changed SELECT generate_series(1001, 5000);
		CREATE TABLE fresh (id int PRIMARY KEY);
		INSERT INTO fresh SELECT generate_series(1, 2000);
		ANALYZE fresh;
		CREATE TABLE small (id int PRIMARY KEY);
		INSERT INTO small VALUES (1);
	SQL
	wait_until "[ \"\$(sql '$DB' 'SELECT min(n_live_tup) FROM pg_stat_user_tables
		WHERE relname <> \$\$small\$\$')\" -ge 2000 ]"
	finds stale-statistics 'info public.changed' 'warning public.never'
	mend
	wait_until '[ -z "$(db-doctor --json --only stale-statistics | jq -r ".findings[].id")" ]'
}

@test "stale-statistics: what autovacuum will analyze is no warning" {
	own_server autovacuum=on autovacuum_naptime=2000000
	DB=$(db loaded)
	CONNECTION_URL=$(url "$DB")
	sql "$DB" - <<-'SQL'
		CREATE TABLE loaded (id int PRIMARY KEY);
		CREATE TABLE left_out (id int PRIMARY KEY) WITH (autovacuum_enabled = off);
		INSERT INTO loaded SELECT generate_series(1, 2000);
		INSERT INTO left_out SELECT generate_series(1, 2000);
	SQL
	wait_until "[ \"\$(sql '$DB' 'SELECT min(n_live_tup) FROM pg_stat_user_tables')\" -ge 2000 ]"
	finds stale-statistics 'warning public.left_out' 'info public.loaded'
	assert_contains "$output" 'guesses until autovacuum does that'
}

@test "collation-version: a collation that the system has another version of, where it is used" {
	sql "$DB" - <<-'SQL'
		CREATE COLLATION used (provider = icu, locale = 'de');
		CREATE COLLATION unused (provider = icu, locale = 'de');
		CREATE COLLATION fine (provider = icu, locale = 'de');
		CREATE COLLATION idle (provider = icu, locale = 'de');
		CREATE COLLATION dividing (provider = icu, locale = 'de');
		CREATE TABLE t (a text COLLATE used PRIMARY KEY, b text COLLATE fine, c text COLLATE idle);
		CREATE INDEX first ON t (lower(b COLLATE used));
		CREATE INDEX other ON t (b);
		ALTER TABLE t ADD CONSTRAINT one EXCLUDE (b COLLATE used WITH =);
		CREATE TABLE part (a text COLLATE dividing) PARTITION BY RANGE (a);
		UPDATE pg_collation SET collversion = '1.0' WHERE collname IN ('used', 'unused', 'idle', 'dividing');
	SQL
	finds collation-version 'error public.dividing' 'info public.idle' 'error public.used'
	assert_equal 'null
ALTER COLLATION public.idle REFRESH VERSION;
REINDEX INDEX CONCURRENTLY public.first; REINDEX INDEX public.one; REINDEX INDEX CONCURRENTLY public.t_pkey; ALTER COLLATION public.used REFRESH VERSION;' \
		"$(jq -r '.findings[].fix' <<<"$output")"
	assert_contains "$(jq -r '.findings[0].note' <<<"$output")" 'look for rows that belong into another partition'
	mend
	finds collation-version 'error public.dividing'
}

@test "database-collation-version: the same for the database; before 15 it is not known" {
	if [ "$SERVER_VERSION" -lt 15 ]; then
		finds database-collation-version
		assert_contains "$(missed)" 'servers before 15'
		return
	fi
	finds database-collation-version
	DB=$(db_name icu)
	sql postgres "CREATE DATABASE $DB TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de'"
	CONNECTION_URL=$(url "$DB")
	finds database-collation-version
	sql postgres "UPDATE pg_database SET datcollversion = '1.0' WHERE datname = '$DB'"
	finds database-collation-version "error $DB"
	mend
	finds database-collation-version
}

@test "extension-outdated: an extension with an update, and what belongs to extensions is left alone" {
	sql "$DB" "CREATE EXTENSION hstore VERSION '1.4'"
	finds extension-outdated 'info hstore'
	mend
	finds extension-outdated
	sql "$DB" "CREATE TABLE config (a int); ALTER EXTENSION hstore ADD TABLE config;
		CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
		ALTER EXTENSION hstore ADD FUNCTION f()"
	doctor
	assert_equal '' "$FOUND"
}

@test "connection-headroom: of a database with a limit" {
	sql postgres "ALTER DATABASE $DB CONNECTION LIMIT 2"
	start_session "$DB" one
	finds connection-headroom "error database $DB"
	mend
	finds connection-headroom
}

@test "transaction-ids: a database that was not frozen for long" {
	sql postgres "UPDATE pg_database SET datfrozenxid = ((txid_current() + 4294967296 - 600000000)
		% 4294967296)::text::xid WHERE datname = '$DB'"
	doctor --only transaction-ids
	assert_contains "$FOUND" "warning $DB"
	assert_equal 'VACUUM (FREEZE); null' \
		"$(jq -r --arg db "$DB" '.findings[] | select(.object == $db) | "\(.fix) \(.note)"' <<<"$output")"
	# Another database's is not to be run here, and no name becomes part of a command.
	odd="t${BATS_SUITE_TEST_NUMBER} \$(touch here)"
	drop_later "$odd"
	sql postgres "CREATE DATABASE \"$odd\""
	sql postgres "UPDATE pg_database SET datfrozenxid = ((txid_current()
		+ 4294967296 - 600000000) % 4294967296)::text::xid WHERE datname = '$odd'"
	doctor --only transaction-ids
	assert_equal "null Connected to the database \"$odd\": VACUUM (FREEZE);" \
		"$(jq -r --arg db "\"$odd\"" '.findings[] | select(.object == $db) | "\(.fix) \(.note)"' <<<"$output")"
	sql postgres "UPDATE pg_database SET datfrozenxid = (SELECT datfrozenxid FROM pg_database
		WHERE datname = 'postgres') WHERE datname = '$odd'"
	sql postgres "UPDATE pg_database SET datfrozenxid = ((txid_current() + 4294967296 - 1600000000)
		% 4294967296)::text::xid WHERE datname = '$DB'"
	doctor --only transaction-ids
	assert_contains "$FOUND" "error $DB"
	sql postgres "UPDATE pg_database SET datfrozenxid = (SELECT datfrozenxid FROM pg_database
		WHERE datname = 'postgres') WHERE datname = '$DB'"
	finds transaction-ids
}

@test "replication-slot: one that nobody reads from" {
	sql postgres "SELECT pg_create_physical_replication_slot('t${BATS_SUITE_TEST_NUMBER}_slot', true)"
	# Its standby may be restarting.
	finds replication-slot
	slot=t${BATS_SUITE_TEST_NUMBER}_slot
	assert_matches "$(check replication-slot 0)" "warning\|$slot\|is a replication slot that nobody reads from: .* of WAL are kept for it\|\|If its standby or subscriber is gone for good: SELECT pg_drop_replication_slot\('$slot'\);"
	sql postgres "SELECT pg_drop_replication_slot('$slot')"
	refute_contains "$(check replication-slot 0)" "$slot"
}

@test "long-transaction and idle-in-transaction: by their queries, since nobody waits that long" {
	start_session "$DB" busy 'BEGIN; SELECT pg_sleep(600)'
	busy=$SESSION_PID
	start_session "$DB" lazy
	echo 'BEGIN;' >&"$SESSION_FD"
	wait_until "[ \"\$(sql postgres 'SELECT state FROM pg_stat_activity WHERE pid = $SESSION_PID')\" = \
		'idle in transaction' ]"
	assert_contains "$(check long-transaction 0 prod)" \
		"warning|pid $busy|a transaction of postgres in $DB is open for 0 min (busy)||If it is not needed any more: db-sessions prod --kill $busy"
	assert_equal '' "$(check long-transaction 0 prod | grep "pid $SESSION_PID" || :)"
	assert_contains "$(check idle-in-transaction 0 prod)" "warning|pid $SESSION_PID|postgres has sat in"
	assert_equal '' "$(check idle-in-transaction 0 prod | grep "pid $busy" || :)"
	finds long-transaction
	finds idle-in-transaction
}

@test "long-transaction: a role without pg_read_all_stats is told what it does not see" {
	start_session "$DB" one
	CONNECTION_URL=$(app_url "$DB")
	finds long-transaction
	assert_matches "$(missed)" 'of [0-9]+ other sessions? the role sees neither state nor age'
}

@test "prepared-transaction by its query, and replication-slot: half of what may be kept" {
	own_server max_prepared_transactions=2 max_slot_wal_keep_size=32MB
	DB=$(db prepared)
	sql "$DB" "BEGIN; CREATE TABLE t (a int); PREPARE TRANSACTION 'it''s';"
	assert_matches "$(check prepared-transaction 0)" "^warning\|'it''s'\|was prepared by postgres in $DB 0 min ago"
	assert_contains "$(check prepared-transaction 0)" \
		"waits for it||Ask its coordinator whether it was committed elsewhere; then, connected to the database $DB: COMMIT PREPARED 'it''s'; or ROLLBACK PREPARED 'it''s';"
	assert_equal '' "$(check prepared-transaction 900)"
	sql "$DB" "ROLLBACK PREPARED 'it''s'"
	sql postgres "SELECT pg_create_physical_replication_slot('slot', true)"
	CONNECTION_URL=$(url "$DB")
	finds replication-slot
	for word in one two; do
		sql postgres "SELECT pg_logical_emit_message(false, '', '$word'), pg_switch_wal()"
	done
	finds replication-slot 'warning slot'
}

# --- names, rights, locks ----------------------------------------------------------------------

@test "odd names are quoted, shown and not obeyed, and what mends them runs" {
	long=$(printf 'x%.0s' {1..63})
	odd=$'new\nline \e[31m "quoted" ü\u202e'
	sql "$DB" "CREATE SCHEMA \"a.b\"; CREATE TABLE parent (id int PRIMARY KEY);
		CREATE TABLE \"a.b\".\"${odd//\"/\"\"}\" (id int PRIMARY KEY, \"${odd//\"/\"\"}\" int REFERENCES parent);
		CREATE TABLE $long (id int PRIMARY KEY, $long int REFERENCES parent)"
	run --separate-stderr db-doctor --only fk-without-index
	assert_status 0
	assert_contains "$output" '\x1B[31m ""quoted"" ü\u202E'
	refute_contains "$output" $'\e'
	refute_contains "$output" $'\u202e'
	doctor --only fk-without-index
	assert_equal 2 "$(jq '.findings | length' <<<"$output")"
	assert_contains "$(jq -r '.findings[0].object' <<<"$output")" "\"a.b\".\"${odd//\"/\"\"}\" ("
	mend
	finds fk-without-index
}

@test "a role with no rights in the database sees its catalogs all the same" {
	sql "$DB" - <<-'SQL'
		CREATE SCHEMA secret;
		CREATE TABLE secret.bare (a int);
		REVOKE ALL ON SCHEMA secret, public FROM PUBLIC;
	SQL
	CONNECTION_URL=$(nocreate_url "$DB")
	finds no-primary-key 'warning secret.bare'
	run --separate-stderr db-doctor
	assert_status 0
	assert_contains "$output" 'may create nothing'
}

@test "a table that somebody has locked holds up nothing" {
	sql "$DB" 'CREATE TABLE t (a int, b text DEFAULT now()::text); CREATE INDEX ON t ((a + 1)) WHERE a > 0'
	start_session "$DB" holder 'BEGIN; LOCK TABLE t; SELECT pg_sleep(600)'
	SECONDS=0
	doctor
	assert_status 0
	[ "$SECONDS" -le 8 ]
	assert_contains "$FOUND" 'warning public.t'
}

@test "the checks run in one read-only transaction with time limits" {
	mark=$(server_log_mark)
	doctor
	log=$(statements "$mark" "$DB")
	assert_equal 1 "$(grep -c '^BEGIN ' <<<"$log")"
	assert_contains "$log" 'BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL statement_timeout'
	assert_equal COMMIT "$(tail -n 1 <<<"$log")"
	assert_equal 1 "$(server_log_since "$mark" | grep -c "connection authorized.* database=$DB ")"
}

@test "the checks take no lock but ACCESS SHARE" {
	sql "$DB" 'CREATE TABLE t (a int, b int); CREATE INDEX ON t ((a + 1)) WHERE b > 0; CREATE INDEX ON t ((a + 1)) WHERE b > 0'
	for file in "$ROOT"/src/pg/queries/doctor-*.sql; do
		since=$(sed -n '1s/^-- Servers from \([0-9]*\) on:.*/\1/p' "$file")
		[ "$SERVER_VERSION" -ge "${since:-0}" ] || continue
		query=$("$ROOT/scripts/embed-sql" --text "$file")
		count=$(grep -o '\$[0-9]' <<<"$query" | sort | tail -n 1)
		arguments=$(seq -s , "${count:+${count#?}}" 2>/dev/null || :)
		printf 'PREPARE q AS %s;\nEXECUTE q%s \\g /dev/null\nDEALLOCATE q;\n' \
			"$query" "${count:+ ($arguments)}"
	done >all.sql
	printf 'BEGIN READ ONLY;\n%s\n' "$(<all.sql)" >all.sql.new
	echo "SELECT DISTINCT mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype <> 'virtualxid';" >>all.sql.new
	assert_equal AccessShareLock "$(sql "$DB" - <all.sql.new)"
}

@test "a check that fails is told, and the others are made" {
	sql "$DB" 'CREATE TABLE bare (a int)'
	# Not even its own catalog.
	sql "$DB" 'REVOKE SELECT ON pg_catalog.pg_policy FROM PUBLIC'
	CONNECTION_URL=$(app_url "$DB")
	doctor
	assert_status 0
	assert_contains "$(missed)" 'rls-policy-unused: could not be made: permission denied for table pg_policy'
	assert_contains "$FOUND" 'warning public.bare'
	assert_equal 18 "$(jq '.summary.checks + ([.not_seen[] | select(.id == "database-collation-version")] | length)' <<<"$output")"
}

# --- options -----------------------------------------------------------------------------------

@test "--fail-on: 5 when something as bad was found, else 0" {
	sql "$DB" 'CREATE TABLE bare (a int)'
	run --separate-stderr db-doctor --fail-on warning
	assert_status 5
	assert_equal '' "$stderr"
	run --separate-stderr db-doctor --fail-on error
	assert_status 0
	run --separate-stderr db-doctor --fail-on warning --only invalid-index
	assert_status 0
	run --separate-stderr db-doctor --fail-on warning --ignore no-primary-key:public.bare
	assert_status 0
	assert_matches "${lines[-1]}" '^nothing found, 1 ignored'
	run --separate-stderr db-doctor --fail-on info
	assert_status 64
}

@test "--ignore: a check, an object, a schema" {
	sql "$DB" 'CREATE SCHEMA log; CREATE TABLE log.a (a int); CREATE TABLE log.b (a int); CREATE TABLE c (a int)'
	doctor --ignore no-primary-key:log.a
	assert_equal $'warning log.b\nwarning public.c' "$FOUND"
	doctor --ignore 'no-primary-key:log.*'
	assert_equal 'warning public.c' "$FOUND"
	assert_equal 2 "$(jq .summary.ignored <<<"$output")"
	doctor --ignore no-primary-key --ignore fk-without-index
	assert_equal '' "$FOUND"
	doctor --ignore no-primary-key:log
	assert_equal 3 "$(wc -l <<<"$FOUND")"
}

@test "the ignore file: comments, objects, and lines that match nothing any more" {
	make_project
	sql "$DB" 'CREATE TABLE bare (a int); CREATE TABLE "Odd:name" (a int)'
	cat >.dbrig-doctor-ignore <<-'FILE'
		# logs need none
		no-primary-key:public.bare

		  no-primary-key:public."Odd:name"
		fk-without-index:public.gone (gone_fkey)
	FILE
	cd db
	run --separate-stderr db-doctor -v
	assert_status 0
	assert_matches "${lines[-1]}" '^nothing found, 2 ignored'
	assert_contains "$stderr" '.dbrig-doctor-ignore:5: "fk-without-index:public.gone (gone_fkey)" matches nothing any more'
	refute_contains "$stderr" 'bare'
	run --separate-stderr db-doctor
	assert_equal '' "$stderr"
	run --separate-stderr db-doctor -v --only no-primary-key
	refute_contains "$stderr" 'matches nothing'
}

@test "an ignore file that is none is refused at once" {
	make_project
	mkfifo .dbrig-doctor-ignore
	SECONDS=0
	run --separate-stderr timeout 20 db-doctor
	[ "$SECONDS" -lt 10 ]
	assert_status 1
	assert_contains "$stderr" '.dbrig-doctor-ignore": it is not a regular file'
	rm .dbrig-doctor-ignore
	echo 'hidden: s3cret' >elsewhere
	for file in elsewhere nowhere; do
		ln -sfn "$file" .dbrig-doctor-ignore
		run --separate-stderr db-doctor
		assert_status 1
		assert_contains "$stderr" '.dbrig-doctor-ignore": it is a symbolic link'
		refute_contains "$stderr" hidden
	done
	rm .dbrig-doctor-ignore
	mkdir .dbrig-doctor-ignore
	run --separate-stderr db-doctor
	assert_status 1
	assert_contains "$stderr" '.dbrig-doctor-ignore": it is a directory'
}

@test "an unknown id is an error, with its line in the file, and nothing is connected" {
	make_project
	mark=$(server_log_mark)
	printf 'no-primary-key\nno-such-check:public.t\n' >.dbrig-doctor-ignore
	run --separate-stderr db-doctor
	assert_status 64
	assert_contains "$stderr" 'there is no check "no-such-check" in line 2 of "'
	assert_contains "$stderr" 'hint: There are: address-unreachable, '
	rm .dbrig-doctor-ignore
	for option in --ignore=nothing --ignore=nothing:public.t --only=nothing --ignore=no-primary-key:; do
		run --separate-stderr db-doctor "$option"
		assert_status 64
	done
	refute_contains "$(server_log_since "$mark")" 'connection received'
}

@test "--no-health looks at nothing in the database" {
	sql "$DB" 'CREATE TABLE bare (a int)'
	doctor --no-health
	assert_status 0
	assert_equal '0' "$(jq .summary.checks <<<"$output")"
	assert_equal '' "$FOUND"
	run --separate-stderr db-doctor --no-health --only standby --only no-primary-key
	assert_status 64
	assert_contains "$stderr" '--no-health leaves out what "--only no-primary-key" asks for'
	run --separate-stderr db-doctor --no-health --only standby
	assert_status 0
}

@test "more than ten findings of a check are summed up, without -v or --only" {
	echo "SELECT format('CREATE TABLE t%s (a int)', n) FROM generate_series(1, 25) n \gexec" | sql "$DB" -
	run --separate-stderr db-doctor
	assert_equal 10 "$(grep -c '^warning  no-primary-key' <<<"$output")"
	assert_contains "$output" '… and 15 more: --only no-primary-key shows them all'
	assert_contains "$output" '25 warnings'
	run --separate-stderr db-doctor --only no-primary-key
	assert_equal 25 "$(grep -c '^warning  no-primary-key' <<<"$output")"
}

@test "the rows fit 80 columns but for what is to be copied, and are without colours" {
	sql "$DB" 'CREATE TABLE bare (a int); CREATE TABLE parent (id int PRIMARY KEY);
		CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES parent)'
	run --separate-stderr db-doctor
	assert_equal '' "$(grep -v '^ *> ' <<<"$output" | grep -E '^.{81,}$' || :)"
	refute_contains "$output" $'\e'
	assert_matches "$output" $'warning  no-primary-key  public\\.bare\n         has no primary key'
	TERM=xterm run_tty -- db-doctor
	assert_contains "$output" $'\e['
}

@test "-q leaves out what is well" {
	sql "$DB" 'CREATE TABLE bare (a int)'
	run --separate-stderr db-doctor -q
	assert_equal 'warning  no-primary-key  public.bare' "${lines[0]}"
	sql "$DB" 'DROP TABLE bare'
	run --separate-stderr db-doctor -q
	assert_equal '' "$output$stderr"
}
