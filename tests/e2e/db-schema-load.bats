#!/usr/bin/env bats
# db-schema-load: transactions, passwords, notices, the project, prod, faults. What a script may hold and
# the places of errors are in scripts.bats; db-seed runs its scripts with the same code.

load helper
load scripts

# --- the usual case ----------------------------------------------------------------------------

@test "db/schema.sql of the project leaves what psql leaves" {
	make_sample_project
	load_schema
	assert_status 0
	other=$(db psql)
	"$SERVER_PSQL" -Xq1 -v ON_ERROR_STOP=1 -d "$(url "$other")" -f db/schema.sql
	assert_equal "$(dump "$other")" "$(dump "$DB")"
}

@test "a script runs in one transaction on one connection" {
	make_project
	mark=$(server_log_mark)
	load_schema
	assert_status 0
	sent=$(statements "$mark" "$DB")
	assert_equal 1 "$(grep -c '^BEGIN' <<<"$sent")"
	assert_equal 1 "$(grep -c '^COMMIT' <<<"$sent")"
	assert_matches "$sent" $'BEGIN\nDROP TABLE.*COMMIT'
	assert_equal 1 "$(server_log_since "$mark" | grep -c "connection authorized.* database=$DB ")"
}

@test "an error in the last statement leaves nothing of the script" {
	make_project
	echo 'SELECT 1/0;' >>db/schema.sql
	load_schema
	assert_fails_at db/schema.sql:6:1 'division by zero'
	assert_untouched
	assert_equal 0 "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE datname = '$DB'")"
}

@test "nothing goes to stdout, and with -q nothing to stderr" {
	make_project
	load_schema -q
	assert_status 0
	assert_equal '' "$output$stderr"
}

@test "what COPY TO STDOUT yields goes to stdout" {
	printf "COPY (VALUES (1, 'a'), (2, NULL)) TO STDOUT;\n" >a.sql
	load_schema -f a.sql
	assert_status 0
	assert_equal $'1\ta\n2\t\\N' "$output"
}

# --- psql --------------------------------------------------------------------------------------

@test "meta-commands that run programs or write files are refused by name, before anything runs" {
	local line name
	mark=$(server_log_mark)
	while read -r line; do
		name=${line%% *}
		printf 'CREATE TABLE t (id int);\n  %s\n' "$line" >a.sql
		load_schema -f a.sql
		assert_fails_at a.sql:2:3 "psql meta-command $name is not supported" "  $name" '  ^'
		refute_contains "$stderr" hunter2
	done <<-'CASES'
		\! echo hunter2
		\setenv A hunter2
		\o hunter2
		\w hunter2
		\lo_export 1 hunter2
	CASES
	assert_equal '' "$(statements "$mark" "$DB")"
}

@test "a meta-command's arguments, which may be a password, are not shown" {
	printf '\\connect postgresql://u:hunter2@h/d\n' >a.sql
	load_schema -f a.sql
	assert_status 4
	assert_contains "$stderr" 'a.sql:1:1: ERROR'
	refute_contains "$stderr" hunter2
}

# --- passwords ---------------------------------------------------------------------------------

@test "passwords in a script are masked in errors, excerpts and --echo" {
	role=$(db_name r)
	cat >a.sql <<SQL
CREATE ROLE "$role" PASSWORD 'hunter2';
CREATE USER MAPPING FOR postgres SERVER nope OPTIONS (user 'x', password 'hunter2');
SQL
	load_schema --echo -v -f a.sql
	assert_status 3
	assert_contains "$stderr" "CREATE ROLE \"$role\" PASSWORD '***';"
	assert_contains "$stderr" "password '***'"
	refute_contains "$output$stderr" hunter2
	assert_equal 0 "$(sql postgres "SELECT count(*) FROM pg_roles WHERE rolname = '$role'")"
}

@test "a password in a statement that a function made is masked in what the server says of it" {
	cat >a.sql <<'SQL'
CREATE FUNCTION f(p text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
	EXECUTE format('ALTER ROLE t_none PASSWORD %L', 'hun' || p);
END $$;
SELECT f('ter2');
SQL
	load_schema -f a.sql
	assert_status 3
	assert_contains "$stderr" "context: SQL statement \"ALTER ROLE t_none PASSWORD '***'\""
	sed -i "s/PASSWORD %L/PASSWORD %1\$L %1\$L/" a.sql
	load_schema -f a.sql
	assert_contains "$stderr" "PASSWORD '***' '***'"
	refute_contains "$stderr" hunter2
}

@test "a password that is itself the error is masked, with the caret in place" {
	printf "CREATE ROLE r PASSWORD 'hunter2' 'hunter2' oops;\nCREATE ROLE r PASSWORD hunter2;\n" >a.sql
	load_schema -f a.sql
	assert_status 3
	refute_contains "$stderr" hunter2
	GITHUB_ACTIONS=1 load_schema -v -f a.sql
	refute_contains "$stderr" hunter2
	printf "CREATE TABLE u (a text CHECK (a <> 'password=' || a), c nope);\n" >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:1:57 'type "nope" does not exist' \
		"CREATE TABLE u (a text CHECK (a <> 'password=' || a), c nope);" "$(printf '%56s^' '')"
}

@test "--echo shows every statement that is sent" {
	make_project
	mark=$(server_log_mark)
	load_schema --echo
	assert_status 0
	assert_equal '' "$output"
	while IFS= read -r line; do
		assert_contains "$stderr" "$line"
	done < <(grep -v '^ *$' db/schema.sql)
}

# --- without a transaction ---------------------------------------------------------------------

@test "--no-transaction keeps what came before the error" {
	printf 'CREATE TABLE a ();\nSELECT nope;\nCREATE TABLE b ();\n' >a.sql
	load_schema --no-transaction -f a.sql
	assert_fails_at a.sql:2:8 'column "nope" does not exist'
	assert_equal a "$(sql "$DB" "SELECT relname FROM pg_class WHERE relname IN ('a', 'b')")"
}

@test "--keep-going goes on, reports every failed statement and exits with 3" {
	printf 'CREATE TABLE a ();\nSELECT nope;\nCREATE TABLE b ();\nSELECT 1/0;\nCREATE TABLE c ();\n' >a.sql
	load_schema --keep-going -f a.sql
	assert_fails_at a.sql:2:8 'column "nope" does not exist'
	assert_fails_at a.sql:4:1 'division by zero'
	assert_contains "$stderr" '2 statements failed'
	assert_equal 3 "$(sql "$DB" "SELECT count(*) FROM pg_class WHERE relname IN ('a', 'b', 'c')")"
}

@test "--keep-going skips the data of a COPY that failed" {
	cat >a.sql <<'SQL'
CREATE TABLE a (id int);
COPY nope FROM stdin;
1
DROP TABLE a;
\.
COPY a FROM stdin;
x
CREATE TABLE wrong ();
\.
INSERT INTO a VALUES (1);
SQL
	load_schema --keep-going -f a.sql
	assert_fails_at a.sql:2:1 'relation "nope" does not exist'
	assert_fails_at a.sql:7 'invalid input syntax for type integer: "x"'
	assert_contains "$stderr" '2 statements failed'
	assert_equal 1 "$(sql "$DB" 'SELECT id FROM a')"
	assert_equal a "$(sql "$DB" "SELECT relname FROM pg_class WHERE relname IN ('a', 'wrong')")"
}

@test "a script with its own BEGIN and COMMIT runs statement by statement, and that is said" {
	cat >a.sql <<'SQL'
CREATE TABLE a ();
BEGIN;
CREATE TABLE b ();
ROLLBACK;
BEGIN;
CREATE TABLE c ();
COMMIT;
SELECT nope;
SQL
	mark=$(server_log_mark)
	load_schema -f a.sql
	assert_fails_at a.sql:8:8 'column "nope" does not exist'
	assert_contains "$stderr" 'a.sql:2: BEGIN: the script controls transactions itself'
	assert_equal 'a c' "$(sql "$DB" "SELECT string_agg(relname, ' ' ORDER BY 1) FROM pg_class
		WHERE relname IN ('a', 'b', 'c')")"
	assert_equal 2 "$(statements "$mark" "$DB" | grep -c '^BEGIN')"
}

@test "a script with a statement that cannot be in a transaction runs statement by statement" {
	cat >a.sql <<'SQL'
CREATE TABLE a (id int);
CREATE INDEX CONCURRENTLY a_id ON a (id);
VACUUM a;
SQL
	load_schema -f a.sql
	assert_status 0
	assert_contains "$stderr" 'a.sql:2: CREATE INDEX CONCURRENTLY cannot run in a transaction'
	assert_equal t "$(sql "$DB" "SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_id'::regclass")"
}

@test "from standard input such statements are refused with the option that allows them" {
	local statement
	for statement in COMMIT 'VACUUM t' 'CREATE INDEX CONCURRENTLY i ON t (id)'; do
		load_schema -f - <<<"CREATE TABLE t (id int); $statement;"
		assert_status 3
		assert_contains "$stderr" '<stdin>:1:26: ERROR: '
		assert_contains "$stderr" --no-transaction
		assert_untouched
	done
	load_schema --no-transaction -f - <<<'CREATE TABLE t (id int); VACUUM t;'
	assert_status 0
}

@test "a transaction that is begun and never committed is an error where it began" {
	printf 'CREATE TABLE a ();\n\nBEGIN;\nCREATE TABLE b ();\n' >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:3 'the transaction begun here is never committed'
	assert_equal a "$(sql "$DB" "SELECT relname FROM pg_class WHERE relname IN ('a', 'b')")"
}

# --- notices -----------------------------------------------------------------------------------

@test "notices carry file and line" {
	cat >a.sql <<'SQL'
DO $$ BEGIN RAISE NOTICE 'a note'; END $$;

DO $$ BEGIN
  RAISE WARNING 'careful';
END $$;
SQL
	load_schema -f a.sql
	assert_status 0
	assert_contains "$stderr" 'a.sql:1: NOTICE: a note'
	assert_contains "$stderr" 'warning: a.sql:3: careful'
}

@test "terminal escapes in notices, errors and the script are shown, not obeyed" {
	printf '%s\n' "DO \$\$ BEGIN RAISE NOTICE E'n\\x1b]0;title\\x07 \\u202Ex\\r'; END \$\$;" \
		"DO \$\$ BEGIN RAISE EXCEPTION E'e\\x1b[31m\\u009b2J' USING DETAIL = E'd\\x1b[0m', HINT = E'h\\x1b'; END \$\$;" \
		>a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:2:1 'e\x1B[31m\x9B2J'
	assert_contains "$stderr" 'a.sql:1: NOTICE: n\x1B]0;title\x07 \u202Ex\r'
	assert_contains "$stderr" 'detail: d\x1B[0m'
	assert_contains "$stderr" 'hint: h\x1B'
	refute_contains "$stderr" $'\e'
	refute_contains "$stderr" $'\u202e'
	refute_contains "$stderr" $'\u009b'
	printf 'SELECT \e[31m\xe2\x80\xae nope;\n' >a.sql
	load_schema --echo -f a.sql
	assert_status 3
	refute_contains "$stderr" $'\e'
	refute_contains "$stderr" $'\u202e'
}

@test "that IF EXISTS found nothing is said with -v only" {
	echo 'DROP TABLE IF EXISTS nope;' >a.sql
	load_schema -f a.sql
	refute_contains "$stderr" NOTICE
	load_schema -v -f a.sql
	assert_contains "$stderr" 'a.sql:1: NOTICE: table "nope" does not exist, skipping'
}

# --- the project -------------------------------------------------------------------------------

@test "it works from a sub-directory and shows the path from there" {
	make_project
	echo 'SELECT nope;' >>db/schema.sql
	mkdir -p app/src
	cd app/src
	load_schema
	assert_fails_at ../../db/schema.sql:6:8 'column "nope" does not exist'
}

@test "DB_DIR names another directory, relative to the project or absolute" {
	mkdir -p p/sql/base p/sub
	echo 'CREATE TABLE t ();' >p/sql/base/schema.sql
	cd p/sub
	DB_DIR=sql/base load_schema
	assert_status 0
	assert_equal 0 "$(sql "$DB" 'SELECT count(*) FROM t')"
	cd /
	DB_DIR=$TEST_DIR/p/sql/base load_schema
	assert_status 3
	assert_contains "$stderr" 'relation "t" already exists'
}

@test "outside a project it says so, and -f still works" {
	cd /
	load_schema
	assert_status 64
	assert_contains "$stderr" 'no project'
	echo 'CREATE TABLE t ();' >"$TEST_DIR/a.sql"
	load_schema -f "$TEST_DIR/a.sql"
	assert_status 0
}

# --- prod --------------------------------------------------------------------------------------

@test "on prod an empty database is loaded without a confirmation" {
	make_project
	PROD_CONNECTION_URL=$CONNECTION_URL load_schema prod
	assert_status 0
	assert_equal 0 "$(sql "$DB" 'SELECT count(*) FROM item')"
}

@test "on prod a database with tables is refused with 4 and not changed" {
	make_project
	sql "$DB" 'CREATE TABLE item (precious int); INSERT INTO item VALUES (1)'
	mark=$(server_log_mark)
	for target in prod production PROD; do
		PROD_CONNECTION_URL=$CONNECTION_URL PRODUCTION_CONNECTION_URL=$CONNECTION_URL \
			load_schema "$target"
		assert_status 4
		assert_contains "$stderr" "--confirm $DB"
	done
	refute_contains "$(statements "$mark" "$DB")" 'DROP TABLE'
	assert_equal 1 "$(sql "$DB" 'SELECT precious FROM item')"
}

@test "on prod --confirm has to name the database" {
	make_project
	sql "$DB" 'CREATE TABLE item (precious int)'
	PROD_CONNECTION_URL=$CONNECTION_URL load_schema prod --confirm wrong
	assert_status 4
	assert_equal 1 "$(sql "$DB" "SELECT count(*) FROM pg_attribute WHERE attname = 'precious'")"
	PROD_CONNECTION_URL=$CONNECTION_URL load_schema prod --confirm "$DB"
	assert_status 0
	assert_equal 0 "$(sql "$DB" "SELECT count(*) FROM pg_attribute WHERE attname = 'precious'")"
}

@test "tables in other schemas, partitions and foreign tables count as tables" {
	make_project
	sql "$DB" 'CREATE SCHEMA s; CREATE TABLE s.p (id int) PARTITION BY LIST (id)'
	PROD_CONNECTION_URL=$CONNECTION_URL load_schema prod
	assert_status 4
}

@test "on prod whatever else the database holds of its own is in the way as well, and is named" {
	make_project
	holds() {
		db=$(db "$1")
		sql "$db" "$2"
		CONNECTION_URL=$(url "$db")
		PROD_CONNECTION_URL=$CONNECTION_URL load_schema prod
		assert_status 4
		assert_contains "$stderr" "refusing to load a schema over what is in database \"$db\""
		assert_contains "$stderr" "It holds $3."
	}
	holds a 'CREATE VIEW v AS SELECT 1' '1 view'
	holds b 'CREATE MATERIALIZED VIEW v AS SELECT 1' '1 materialized view'
	holds c 'CREATE SEQUENCE v; CREATE SEQUENCE w' '2 sequences'
	holds d "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'" '1 function'
	holds e "CREATE PROCEDURE f() LANGUAGE sql AS 'SELECT 1'" '1 procedure'
	holds f 'CREATE AGGREGATE f (int) (SFUNC = int4pl, STYPE = int)' '1 aggregate'
	holds g "CREATE TYPE f AS ENUM ('a')" '1 type'
	holds h 'CREATE TYPE f AS (a int)' '1 type'
	# With its constructors, its array and its multirange.
	holds i 'CREATE TYPE f AS RANGE (SUBTYPE = int)' '1 type'
	holds j 'CREATE DOMAIN f AS int' '1 domain'
	holds k 'CREATE SCHEMA s; CREATE TABLE s.a (n serial, m int GENERATED ALWAYS AS IDENTITY); CREATE TABLE s.b ();
		CREATE TABLE public.c (a int[]); CREATE VIEW s.v AS SELECT 1; CREATE VIEW s.w AS SELECT 1;
		CREATE DOMAIN s.d AS int' '3 tables, 2 views and 1 domain'
	holds l 'SELECT lo_create(0); SELECT lo_create(7)' '2 large objects'
	holds m 'CREATE TABLE t (); SELECT lo_create(0)' '1 table and 1 large object'
}

@test "on prod what extensions made, empty schemas and temporary tables are not in the way" {
	make_project
	sql "$DB" 'CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE SCHEMA s'
	start_session "$DB"
	printf 'CREATE TEMP TABLE mine (n serial); CREATE TYPE pg_temp.t AS (a int); SELECT 1;\n' >&"$SESSION_FD"
	wait_until "[ \"\$(sql '$DB' \"SELECT count(*) FROM pg_type WHERE typname = 't'\")\" = 1 ]"
	PROD_CONNECTION_URL=$CONNECTION_URL load_schema prod
	assert_status 0
}

@test "on prod the operators and names of the user's do not hide what there is" {
	make_project
	sql "$DB" "CREATE SCHEMA trap; CREATE FUNCTION trap.ne(name, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
		CREATE OPERATOR trap.<> (LEFTARG = name, RIGHTARG = text, FUNCTION = trap.ne);
		CREATE FUNCTION trap.eq(\"char\", \"char\") RETURNS boolean LANGUAGE sql AS 'SELECT false';
		CREATE OPERATOR trap.= (LEFTARG = \"char\", RIGHTARG = \"char\", FUNCTION = trap.eq);
		CREATE TABLE trap.pg_class (a int);
		ALTER DATABASE \"$DB\" SET search_path = trap, public, pg_catalog"
	PROD_CONNECTION_URL=$CONNECTION_URL load_schema prod
	assert_status 4
	assert_contains "$stderr" 'It holds 1 table and 2 functions.'
}

# --- faults ------------------------------------------------------------------------------------

@test "a missing database is exit status 2 with a hint that names db-create" {
	make_project
	CONNECTION_URL=$(url "$(db_name missing)")
	load_schema
	assert_status 2
	assert_contains "$stderr" db-create
}

@test "a large script takes bounded memory" {
	mkfifo pipe
	# The sanitizer would keep what was freed.
	export ASAN_OPTIONS=${ASAN_OPTIONS:-}:quarantine_size_mb=1
	start_job db-schema-load -f pipe
	{
		echo 'CREATE TABLE t (id int, v text);'
		pad=$(printf '%0500d' 0)
		seq 1 20000 | sed "s/.*/INSERT INTO t VALUES (&, '$pad');/"
		echo 'COPY t FROM stdin;'
		seq 1 60000 | sed "s/\$/\t$pad/"
		echo '\.'
		# Enough behind it that all of the above has been read.
		yes 'SELECT 1;' | head -n 40000
		peak=$(awk '/^VmHWM:/ { print $2 }' "/proc/$JOB_PID/status")
		echo "$peak" >peak
	} >pipe
	wait_until job_ended 30
	finish_job
	assert_status 0
	assert_equal 80000 "$(sql "$DB" 'SELECT count(*) FROM t')"
	# 10 MB of statements and 30 MB of data.
	limit=16000
	if [ "$DBRIG_MODE" = asan ]; then
		limit=50000
	fi
	[ "$(<peak)" -gt 0 ]
	[ "$(<peak)" -lt "$limit" ] || {
		cat peak >&2
		return 1
	}
}

# What the database's other session is doing, if there is one.
activity() {
	sql postgres "SELECT state || ' ' || left(query, 4) FROM pg_stat_activity WHERE datname = '$DB'"
}

@test "SIGINT during a COPY from a pipe rolls back and ends the session" {
	mkfifo pipe
	start_job db-schema-load -f pipe
	exec 9>pipe
	printf 'CREATE TABLE t (id int);\nCOPY t FROM stdin;\n1\n2\n' >&9
	wait_until '[[ "$(activity)" == active* ]]'
	kill -INT "$JOB_PID"
	wait_until job_ended
	finish_job
	exec 9>&-
	assert_status 130
	assert_untouched
	assert_equal '' "$(activity)"
}

@test "SIGTERM while standard input does not end rolls back" {
	mkfifo pipe
	start_job bash -c 'exec db-schema-load -f - <pipe'
	exec 9>pipe
	printf 'CREATE TABLE t (id int);\nSELECT 1;\nSEL' >&9
	wait_until '[ "$(activity)" = "idle in transaction CREA" ]'
	kill -TERM "$JOB_PID"
	wait_until job_ended
	finish_job
	exec 9>&-
	assert_status 143
	assert_untouched
	wait_until '[ -z "$(activity)" ]'
}

@test "SIGTERM while a pipe has no writer yet ends it" {
	mkfifo pipe
	start_job db-schema-load -f pipe
	wait_until '[ "$(activity)" = "idle in transaction BEGI" ]'
	kill -TERM "$JOB_PID"
	wait_until job_ended
	finish_job
	assert_status 143
	wait_until '[ -z "$(activity)" ]'
}

@test "SIGINT cancels the statement that runs" {
	printf 'CREATE TABLE t ();\nSELECT pg_sleep(600);\n' >a.sql
	start_job db-schema-load -f a.sql
	wait_until '[ "$(activity)" = "active CREA" ]'
	kill -INT "$JOB_PID"
	wait_until job_ended
	finish_job
	assert_status 130
	assert_equal '' "$(activity)"
	assert_untouched
}

@test "a loader that was killed leaves no statement running" {
	if [ "$SERVER_VERSION" -lt 14 ]; then
		return
	fi
	printf 'SELECT pg_sleep(600);\n' >a.sql
	start_job db-schema-load -f a.sql
	wait_until '[ "$(activity)" = "active SELE" ]'
	kill -KILL "$JOB_PID"
	wait_until '[ -z "$(activity)" ]'
}

@test "a session that is ended by the server is exit status 2, and nothing is loaded" {
	printf 'CREATE TABLE t ();\nSELECT pg_sleep(600);\n' >a.sql
	start_job db-schema-load -f a.sql
	wait_until '[ "$(activity)" = "active CREA" ]'
	sql postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$DB'"
	wait_until job_ended
	finish_job
	assert_status 2
	assert_contains "$stderr" 'terminating connection due to administrator command'
	assert_untouched
}

@test "a closed stdout that data should go to is an error" {
	echo 'COPY (SELECT 1) TO STDOUT;' >a.sql
	run --separate-stderr bash -c 'db-schema-load -f a.sql >&-'
	assert_status 1
	assert_contains "$stderr" 'could not write to standard output'
}
