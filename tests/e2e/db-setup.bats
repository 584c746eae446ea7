#!/usr/bin/env bats


load helper
load setup

# --- what it makes -----------------------------------------------------------------------------

@test "db-setup makes a database from schema and seed where there was none" {
	make_project
	name=$(db_name shop)
	use "$name"
	run --separate-stderr db-setup
	assert_status 0
	assert_equal '' "$output"
	assert_equal '3|two' "$(items "$name")"
}

@test "db-setup leaves nothing of the old database" {
	make_project
	old_database
	run db-setup
	assert_status 0
	assert_equal item "$(sql "$name" "SELECT string_agg(tablename, ' ') FROM pg_tables
		WHERE schemaname = 'public'")"
	assert_equal '3|two' "$(items "$name")"
}

@test "db-setup twice leaves what db-setup once leaves" {
	make_project
	name=$(db_name shop)
	use "$name"
	run db-setup
	assert_status 0
	before=$(dump "$name")
	run db-setup
	assert_status 0
	assert_equal "$before" "$(dump "$name")"
}

# assert_as_psql NAME: the database is what psql makes of the same two files. (Not with CSV: psql before
# 18 sends the end mark along, which servers from 18 on take for data.)
assert_as_psql() {
	local reference
	reference=$(db reference)
	"$SERVER_PSQL" -Xq -v ON_ERROR_STOP=1 -1 -d "$(url "$reference")" \
		-f db/schema.sql -f db/seed.sql >/dev/null || return
	dump "$reference" | without_times >"$TEST_DIR/expected"
	dump "$1" | without_times >"$TEST_DIR/actual"
	grep -q 'person\|users' "$TEST_DIR/expected" && diff "$TEST_DIR/expected" "$TEST_DIR/actual" >&2
}

# Two loads differ in now().
without_times() {
	sed -E 's/[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9:]{8}(\.[0-9]+)?[+-][0-9:]+/TIME/g'
}

@test "db-setup leaves of the sample project exactly what psql leaves" {
	make_sample_project
	name=$(db_name shop)
	use "$name"
	run db-setup
	assert_status 0
	assert_equal '3|3' "$(sql "$name" 'SELECT (SELECT count(*) FROM users), count(*) FROM activities')"
	assert_as_psql "$name"
}

rich_schema() {
	cat <<-'SQL'
		-- a comment; with a semicolon and an unfinished 'quote
		/* a /* nested; */ comment; */
		CREATE SCHEMA "odd; schema" CREATE TABLE part (id integer PRIMARY KEY);
		CREATE TYPE mood AS ENUM ('sad', 'it''s; fine', E'tab\t\';');
		CREATE DOMAIN short AS text CHECK (length(VALUE) < 10);
		CREATE TABLE person (
		  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- comment in here;
		  name text NOT NULL DEFAULT 'a;b',
		  feeling mood DEFAULT E'it\'s; fine',
		  "weird "";"" column" text DEFAULT $q$dollar; 'quote$q$,
		  part integer REFERENCES "odd; schema".part (id) DEFERRABLE INITIALLY DEFERRED,
		  upper_name text GENERATED ALWAYS AS (upper(name)) STORED
		);
		CREATE INDEX ON person (lower(name)) WHERE name <> ';';
		CREATE FUNCTION shout(what text) RETURNS text LANGUAGE plpgsql AS $body$
		DECLARE
		  result text := $$inner; $1 text$$;
		BEGIN
		  -- END; $$
		  RETURN upper(what) || '!' || result;
		END;
		$body$;
		CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS '
		BEGIN
		  NEW.name := NEW.name || ''; stamped'';
		  RETURN NEW;
		END;
		';
		CREATE TRIGGER stamp BEFORE INSERT ON person FOR EACH ROW EXECUTE FUNCTION stamp();
		CREATE RULE quiet AS ON DELETE TO person DO INSTEAD (SELECT 1; SELECT 2);
		CREATE VIEW loud AS SELECT shout(name) AS name FROM person;
		DO $$ BEGIN EXECUTE 'CREATE TABLE dynamic (x int); COMMENT ON TABLE dynamic IS ''made; by DO'''; END $$;
		COMMENT ON TABLE person IS E'line one\nline; two';
		CREATE SEQUENCE numbers START 100;
		SET standard_conforming_strings = off;
		CREATE TABLE backslash AS SELECT 'it\'s; here'::text AS c;
		SET standard_conforming_strings = on;
		SET search_path = "odd; schema";
		CREATE TABLE elsewhere (id integer);
	SQL
	if [ "$SERVER_VERSION" -ge 14 ]; then
		cat <<-'SQL'
			CREATE FUNCTION public.twice(n integer) RETURNS integer LANGUAGE SQL
			BEGIN ATOMIC
			  SELECT 1;
			  SELECT CASE WHEN n > 0 THEN n * 2 ELSE 0 END;
			END;
		SQL
	fi
}

rich_seed() {
	cat <<-'SQL'
		INSERT INTO "odd; schema".part VALUES (1), (2);
		COPY public.person (name, "weird "";"" column", part) FROM stdin;
		one; two	\N	1
		tab\there	back\\slash; 'quote	2
		-- no comment	$$	\N
		\.
		COPY "odd; schema".elsewhere FROM stdin WITH (DELIMITER '|');
		7
		8
		\.
		COPY public.dynamic FROM stdin;
		\.
		SELECT nextval('public.numbers');
		UPDATE public.person SET name = U&'d\0061t\+000061' WHERE part = 2;
		INSERT INTO public.person (name) VALUES ('first'
		  ' and second line; größe 数据')
	SQL
}

@test "db-setup leaves of quotes, bodies, COPY data and triggers exactly what psql leaves" {
	make_project
	rich_schema >db/schema.sql
	rich_seed >db/seed.sql
	# psql runs both files in one session, where the schema's search_path would stay.
	sed -i '1i SET search_path = DEFAULT;' db/seed.sql
	name=$(db_name shop)
	use "$name"
	run db-setup
	assert_status 0
	assert_equal 4 "$(sql "$name" 'SELECT count(*) FROM person')"
	assert_as_psql "$name"
}

@test "db-setup loads the same from files with CRLF line ends and a byte order mark" {
	make_project
	printf '\xef\xbb\xbf%s' "$(rich_schema)" | sed 's/$/\r/' >db/schema.sql
	rich_seed | sed 's/$/\r/' >db/seed.sql
	sed -i '1i SET search_path = DEFAULT;' db/seed.sql
	name=$(db_name shop)
	use "$name"
	run db-setup
	assert_status 0
	assert_equal 4 "$(sql "$name" 'SELECT count(*) FROM person')"
	assert_as_psql "$name"
}

@test "db-setup starts the seed with the settings the schema started with" {
	make_project
	echo "SET search_path = nowhere; SET standard_conforming_strings = off; SET ROLE app;
		SET client_encoding = 'LATIN1';" >>db/schema.sql
	echo "INSERT INTO item VALUES (4, 'back\\slash ü ' || current_user)" >>db/seed.sql
	name=$(db_name shop)
	use "$name"
	run db-setup
	assert_status 0
	assert_equal 'back\slash ü postgres' "$(sql "$name" 'SELECT name FROM item WHERE id = 4')"
}

@test "db-setup runs seeds/*.sql in order where there is no seed.sql" {
	make_project
	rm db/seed.sql
	mkdir db/seeds
	echo "INSERT INTO item VALUES (1, 'one')" >db/seeds/10-first.sql
	echo "UPDATE item SET name = name || ' two'" >db/seeds/20-second.sql
	echo "UPDATE item SET name = name || ' three'" >'db/seeds/30 third.sql'
	echo 'no SQL' >db/seeds/README.txt
	name=$(db_name shop)
	use "$name"
	run db-setup
	assert_status 0
	assert_equal 'one two three' "$(sql "$name" 'SELECT name FROM item')"
}

@test "db-setup without any seed says so and succeeds" {
	make_project
	rm db/seed.sql
	name=$(db_name shop)
	use "$name"
	run db-setup
	assert_status 0
	assert_contains "$output" 'nothing to load'
	assert_equal '0|' "$(items "$name")"
}

@test "db-setup runs statement by statement what cannot run in a transaction, and names it" {
	make_project
	echo 'CREATE INDEX CONCURRENTLY item_name ON item (name);' >>db/schema.sql
	name=$(db_name shop)
	use "$name"
	run db-setup
	assert_status 0
	assert_contains "$output" 'db/schema.sql:6: CREATE INDEX CONCURRENTLY'
	assert_equal 1 "$(sql "$name" "SELECT count(*) FROM pg_indexes WHERE indexname = 'item_name'")"
}

@test "db-setup resets databases with any name" {
	make_project
	for word in 'Upper and "quoted"' "it's;--%41" 'größe/数据?a=b'; do
		name=$(db_name "$word")
		use "$name"
		for _ in 1 2; do
			run db-setup
			assert_status 0
		done
		assert_equal '3|two' "$(items "$name")"
	done
}

@test "db-setup ends sessions that are in its way" {
	make_project
	old_database
	start_session "$name" 'my ide'
	run db-setup
	assert_status 0
	assert_equal '3|two' "$(items "$name")"
	assert_equal 0 "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE pid = $SESSION_PID")"
}

@test "db-setup replaces a half dropped database" {
	make_project
	old_database
	sql postgres "UPDATE pg_database SET datconnlimit = -2 WHERE datname = '$name'"
	run db-setup
	assert_status 0
	assert_equal '3|two' "$(items "$name")"
}

@test "db-setup by a role with CREATEDB makes everything that role's" {
	make_project
	name=$(db_name shop)
	export CONNECTION_URL
	CONNECTION_URL=$(app_url "$name")
	run db-setup
	assert_status 0
	assert_equal 'app|app' "$(sql "$name" "SELECT pg_get_userbyid(datdba), tableowner
		FROM pg_database, pg_tables WHERE datname = '$name' AND tablename = 'item'")"
}

owner() {
	sql postgres "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = '$1'"
}

# With all that belongs to them.
drop_roles() {
	local role
	for role in "$@"; do
		names_of "${name}_$role" | while IFS= read -r database; do
			sql postgres "DROP DATABASE IF EXISTS \"$database\""
		done
		sql postgres "DROP ROLE ${name}_$role"
	done
}

names_of() {
	sql postgres "SELECT datname FROM pg_database WHERE pg_get_userbyid(datdba) = '$1'"
}

@test "the new database belongs to the owner of the old one, in whatever way it is made" {
	make_project
	old_database
	sql postgres "CREATE ROLE ${name}_team; CREATE ROLE ${name}_crew; GRANT ${name}_team, ${name}_crew TO app"
	export CONNECTION_URL
	for CONNECTION_URL in "$CONNECTION_URL" "$(app_url "$name")"; do
		sql postgres "ALTER DATABASE $name OWNER TO ${name}_team"
		run db-setup --no-cache
		assert_status 0
		assert_equal "${name}_team" "$(owner "$name")"
		assert_equal '3|two' "$(items "$name")"
		run db-setup --no-cache --drop-first --copies 1
		assert_status 0
		assert_equal "${name}_team ${name}_team" "$(owner "$name") $(owner "${name}_1")"
		# The template belongs to it too, and is copied for another one.
		db-setup --cache --no-spare
		db-setup --cache --no-spare
		assert_contains "$(siblings)" template
		assert_equal "${name}_team" "$(owner "$(sibling template)")"
		sql postgres "ALTER DATABASE $name OWNER TO ${name}_crew"
		run db-setup --cache --copies 1
		assert_contains "$output" 'copied database'
		assert_equal "${name}_crew ${name}_crew" "$(owner "$name") $(owner "${name}_1")"
		wait_until '[ -n "$(sibling spare)" ]'
		mark=$(server_log_mark)
		run db-setup --cache
		assert_contains "$output" 'put the spare in place'
		refute_contains "$output" warning
		assert_equal "${name}_crew" "$(owner "$name")"
		assert_contains "$(server_log_since "$mark" | grep RENAME)" "OWNER TO"
		wait_until no_background
		db-setup --no-cache --wait-drop
	done
	drop_roles team crew
}

@test "an owner that our role may not give it to is named in a warning" {
	make_project
	old_database
	sql postgres "CREATE ROLE ${name}_team; ALTER DATABASE $name OWNER TO ${name}_team"
	export CONNECTION_URL
	CONNECTION_URL=$(app_url "$name")
	# Before 16 whoever has a role's rights may give to it.
	if [ "$(sql postgres "SELECT current_setting('server_version_num')::integer / 10000")" -ge 16 ]; then
		sql postgres "GRANT ${name}_team TO app WITH INHERIT TRUE, SET FALSE"
		expected=app
	else
		sql postgres "GRANT ${name}_team TO app"
		expected=${name}_team
	fi
	run db-setup --no-cache
	assert_status 0
	assert_equal "$expected" "$(owner "$name")"
	if [ "$expected" = app ]; then
		assert_contains "$output" "warning: the new database \"$name\" belongs to role \"app\": yours may not give it to \"${name}_team\""
	else
		refute_contains "$output" warning
	fi
	drop_roles team
}

# --- how it goes about it ----------------------------------------------------------------------

@test "db-setup uses two connections" {
	make_project
	old_database
	mark=$(server_log_mark)
	run db-setup --no-cache --no-spare
	assert_status 0
	assert_equal "postgres $name" "$(server_log_since "$mark" |
		sed -n 's/.*connection authorized: .* database=\([^ ]*\) application_name=db-setup.*/\1/p' | xargs)"
	assert_equal 0 "$(sql postgres "SELECT count(*) FROM pg_stat_activity
		WHERE application_name = 'db-setup'")"
}

@test "db-setup needs no other program: no psql, no shell, no createdb" {
	make_project
	old_database
	PATH=/nonexistent run "$DBRIG_BIN/db-setup"
	assert_status 0
	assert_equal '3|two' "$(items "$name")"
}

@test "db-setup prints the steps in order on stderr" {
	make_project
	old_database
	run --separate-stderr db-setup
	assert_status 0
	assert_equal '' "$output"
	assert_equal 'db-create db-schema-load db-seed done' \
		"$(sed -n 's/^== \([a-z-]*\).*/\1/p' <<<"$stderr" | xargs)"
	refute_contains "$stderr" $'\e'
}

@test "db-setup prints its step lines in cyan on a terminal" {
	make_project
	old_database
	TERM=xterm run_tty -- db-setup
	assert_status 0
	assert_contains "$output" $'\e[1;36m== db-create\e[0m'
}

@test "db-setup prints no colours on a terminal with NO_COLOR or --no-color" {
	make_project
	old_database
	TERM=xterm NO_COLOR=1 run_tty -- sh -c 'db-setup && NO_COLOR= db-setup --no-color'
	assert_status 0
	assert_contains "$output" '== db-create'
	refute_contains "$output" $'\e'
}

@test "db-setup -q prints nothing" {
	make_project
	old_database
	run db-setup -q
	assert_status 0
	assert_equal '' "$output"
}

@test "db-setup -e shows the SQL of every step, passwords masked" {
	make_project
	echo "CREATE ROLE $(db_name role) PASSWORD 'very-secret';" >>db/schema.sql
	old_database
	run db-setup -e --wait-drop
	assert_status 0
	assert_contains "$output" "CREATE DATABASE \"$name.dbrig-new\""
	assert_contains "$output" "ALTER DATABASE \"$name\" RENAME TO \"$name.dbrig-old\""
	assert_contains "$output" "DROP DATABASE IF EXISTS \"$name.dbrig-drop-"
	assert_contains "$output" 'CREATE TABLE item'
	assert_contains "$output" 'INSERT INTO item'
	assert_contains "$output" 'CREATE ROLE'
	refute_contains "$output" very-secret
}

@test "db-setup works from any directory of the project and shows paths as seen from there" {
	make_project
	mkdir -p 'app/a b'
	echo 'SELECT nonsense;' >>db/schema.sql
	cd 'app/a b'
	old_database
	run db-setup
	assert_status 3
	assert_contains "$output" '../../db/schema.sql:6:8: ERROR:'
}

@test "db-setup outside of any project changes nothing" {
	old_database
	run db-setup
	assert_status 64
	assert_old_database
}

@test "db-setup works with HOME unset" {
	make_project
	old_database
	unset HOME
	run db-setup
	assert_status 0
	assert_equal '3|two' "$(items "$name")"
}

@test "db-setup works with its standard descriptors closed, and sends the server nothing it should not" {
	make_project
	old_database
	mark=$(server_log_mark)
	db-setup <&- >&- 2>&-
	assert_equal '3|two' "$(items "$name")"
	run grep -E ' (ERROR|FATAL|WARNING): ' <(server_log_since "$mark")
	assert_equal '' "$output"
}

@test "db-setup finishes when nobody reads its messages any more" {
	make_project
	old_database
	mkfifo "$TEST_DIR/messages"
	start_job sh -c 'exec db-setup 2>"$0"' "$TEST_DIR/messages"
	# The reader goes at once.
	: <"$TEST_DIR/messages"
	finish_job
	assert_equal '3|two' "$(items "$name")"
	assert_status 0
}

@test "db-setup writes nothing into the project, which may be read-only" {
	make_project
	old_database
	mark=$TEST_DIR/mark
	touch "$mark"
	chmod -R a-w "$PROJECT"
	run db-setup
	chmod -R u+w "$PROJECT"
	assert_status 0
	assert_equal '' "$(find "$PROJECT" -newer "$mark")"
	assert_equal '' "$(find "$HOME" -mindepth 1 ! -path "$HOME/.cache" ! -path "$HOME/.cache/dbrig*")"
}

@test "db-setup takes the URL from .env of the project" {
	make_project
	name=$(db_name shop)
	echo "CONNECTION_URL='$(url "$name")'" >.env
	run db-setup
	assert_status 0
	assert_equal '3|two' "$(items "$name")"
}

@test "db-setup NAME resets the database of NAME_CONNECTION_URL and not the local one" {
	make_project
	old_database
	other=$(db_name other)
	export TEST_EU_CONNECTION_URL
	TEST_EU_CONNECTION_URL=$(url "$other")
	run db-setup test-eu
	assert_status 0
	assert_equal '3|two' "$(items "$other")"
	assert_old_database
}

@test "the seed begins with the settings that the schema gave the database" {
	make_project
	name=$(db_name shop)
	drop_later "$name"
	use "$name"
	cat >db/schema.sql <<-'SQL'
		CREATE TABLE t (d date);
		DO $$ BEGIN
		  EXECUTE format('ALTER DATABASE %I SET datestyle = ''ISO, DMY''', current_database());
		END $$;
	SQL
	echo "INSERT INTO t VALUES ('03/04/2026');" >db/seed.sql
	run db-setup
	assert_status 0
	assert_equal 2026-04-03 "$(sql "$name" "SELECT to_char(d, 'YYYY-MM-DD') FROM t")"
}
