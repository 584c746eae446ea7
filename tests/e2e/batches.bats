#!/usr/bin/env bats
# Statements that travel together: how many at once, whose answer is whose, what ends a batch.

load helper
load scripts
load batches

# --- how many at once --------------------------------------------------------------------------

@test "a small script takes three requests: BEGIN, all of it, COMMIT" {
	inserts 500 >a.sql
	mark=$(server_log_mark)
	load_schema -f a.sql
	assert_status 0
	assert_equal 3 "$(requests "$mark")"
	assert_contains "$stderr" '501 statements'
	assert_equal 500 "$(sql "$DB" 'SELECT count(*) FROM t')"
}

@test "--batch limits the bytes of a request" {
	inserts 500 >a.sql
	mark=$(server_log_mark)
	load_schema --batch 1000 -f a.sql
	assert_status 0
	# 501 statements of 26 to 29 bytes, and the two of the transaction.
	count=$(requests "$mark")
	[ "$count" -ge 14 ] && [ "$count" -le 18 ]
}

@test "--batch off sends each statement by itself, as it stands" {
	printf "SELECT  'a' -- no\n;\nSELECT 2;SELECT 3" >a.sql
	mark=$(server_log_mark)
	load_schema --batch off -f a.sql
	assert_status 0
	# Behind the question whether the database is protected.
	assert_equal $'BEGIN\nSELECT  \'a\' -- no\nSELECT 2;\nSELECT 3\nCOMMIT' \
		"$(statements "$mark" "$DB" | sed 1d)"
}

@test "at a distance requests are larger" {
	inserts 12000 >a.sql
	# On a busy machine even the socket may seem far away.
	for _ in 1 2 3 4 5 6; do
		mark=$(server_log_mark)
		load_schema -f a.sql
		assert_status 0
		near=$(requests "$mark")
		sql "$DB" 'DROP TABLE t'
		[ "$near" -le 3 ] || break
	done
	proxy delay
	mark=$(server_log_mark)
	load_schema -f a.sql
	assert_status 0
	[ "$near" -gt 3 ]
	[ "$(requests "$mark")" -le 3 ]
	assert_equal 12000 "$(sql "$DB" 'SELECT count(*) FROM t')"
}

@test "without a transaction each statement is sent by itself, between BEGIN and COMMIT together" {
	printf '%s\n' 'CREATE TABLE a ();' 'CREATE TABLE b ();' 'BEGIN;' 'CREATE TABLE c ();' \
		'CREATE TABLE d ();' 'CREATE TABLE e ();' 'COMMIT;' >a.sql
	mark=$(server_log_mark)
	load_schema --no-transaction -f a.sql
	assert_status 0
	assert_equal $'CREATE TABLE a ();\nCREATE TABLE b ();\nBEGIN;\nCREATE TABLE c ();\nCOMMIT;' \
		"$(statements "$mark" "$DB" | grep -E '^(CREATE|BEGIN|COMMIT)')"
}

@test "a statement larger than a batch goes by itself" {
	{
		echo 'CREATE TABLE t (v text);'
		printf "INSERT INTO t VALUES ('%0200000d');\n" 0
		echo 'INSERT INTO t VALUES (1);'
	} >a.sql
	mark=$(server_log_mark)
	load_schema --batch 64k -f a.sql
	assert_status 0
	assert_equal 5 "$(requests "$mark")"
	assert_equal $'200000\n1' "$(sql "$DB" 'SELECT length(v) FROM t')"
}

@test "a pipe that gives nothing for the moment does not hold back what was read" {
	mkfifo pipe
	start_job db-schema-load -f pipe
	exec 9>pipe
	printf 'CREATE TABLE a ();\nSELECT 1;\nSEL' >&9
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity WHERE datname = '$DB'
		AND state = 'idle in transaction' AND query LIKE '%SELECT 1;'\")\" = 1 ]"
	printf 'ECT 1/0;\n' >&9
	exec 9>&-
	finish_job
	assert_status 3
	assert_contains "$stderr" 'pipe:3:1: ERROR: division by zero'
}

@test "a pipe may stop anywhere in a COPY" {
	mkfifo pipe
	start_job db-schema-load -f pipe
	exec 9>pipe
	for part in 'CREATE TABLE t (id int); COPY t FROM stdin;' '\n' '1\n' '2' '\n3\n' "\\\\" '.' '\nSELECT 1;'; do
		# shellcheck disable=SC2059 # parts are formats
		printf "$part" >&9
		sleep 0.1
	done
	exec 9>&-
	finish_job
	assert_status 0
	assert_equal '1 2 3' "$(sql "$DB" "SELECT string_agg(id::text, ' ' ORDER BY id) FROM t")"
}

@test "SIGINT ends a COPY that the server has stopped taking" {
	sql "$DB" "CREATE TABLE t (id int);
		CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
			'BEGIN IF NEW.id = 5 THEN PERFORM pg_sleep(60); END IF; RETURN NEW; END';
		CREATE TRIGGER f BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()"
	{
		echo 'COPY t FROM stdin;'
		seq 1 1000000
		echo '\.'
	} >a.sql
	start_job db-schema-load -f a.sql
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity WHERE datname = '$DB'
		AND wait_event = 'PgSleep'\")\" = 1 ]"
	kill -INT "$JOB_PID"
	wait_until job_ended 4
	finish_job
	assert_status 130
	assert_contains "$stderr" 'Rolled back'
	assert_equal 0 "$(sql "$DB" 'SELECT count(*) FROM t')"
}

@test "statements that end without a semicolon of their own are kept apart" {
	cat >a.sql <<-'SQL'
		SELECT 1 \g
		CREATE TABLE a () -- no semicolon;
		\g
		CREATE TABLE b () /* ; */ \g
		CREATE TABLE c ()
	SQL
	load_schema -f a.sql
	assert_status 0
	assert_equal 'a b c' "$(sql "$DB" "SELECT string_agg(relname, ' ' ORDER BY 1) FROM pg_class
		WHERE relname IN ('a', 'b', 'c')")"
}

# --- whose answer ------------------------------------------------------------------------------

@test "an error without a position is its statement's" {
	{
		inserts 300
		echo '  INSERT INTO t VALUES (17);'
		echo 'SELECT 1;'
	} >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:302:3 'duplicate key value' '  INSERT INTO t VALUES (17);' '  ^'
	assert_untouched
}

@test "an error with a position is at its character, whatever stands before" {
	{
		echo "SELECT 'äöü€😀';"
		echo 'SELECT 1;'
		printf 'SELECT 2,\n  nope;\n'
		echo 'SELECT 3;'
	} >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:4:3 'column "nope" does not exist' '  nope;' '  ^'
	printf "SELECT 'äöü€😀'; SELECT 'ä' \$;\n" >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:1:28 'syntax error'
}

@test "results that a rule adds are not taken for a statement's" {
	cat >a.sql <<-'SQL'
		CREATE TABLE t (id int PRIMARY KEY);
		CREATE RULE r AS ON INSERT TO t DO ALSO SELECT 1 UNION ALL SELECT 2;
		INSERT INTO t VALUES (1);
		INSERT INTO t VALUES (2);
		INSERT INTO t VALUES (2);
		SELECT 1;
	SQL
	load_schema -f a.sql
	assert_fails_at a.sql:5:1 'duplicate key value'
}

@test "each notice carries the line of its statement" {
	cat >a.sql <<-'SQL'
		SELECT 1;
		DROP TABLE IF EXISTS n2;
		DROP TABLE IF EXISTS n3;
		SELECT 1;
		CREATE FUNCTION tell(t text) RETURNS text LANGUAGE plpgsql AS $$
		BEGIN
		  RAISE NOTICE '%', t;
		  RETURN t;
		END $$;
		SELECT tell('from 10 ' || i) FROM generate_series(1, 3) i;
		DROP TABLE IF EXISTS n11;
		DO $$ BEGIN RAISE NOTICE 'n12'; RAISE NOTICE 'n12 again'; END $$; SELECT 1;
		DO $$ BEGIN RAISE NOTICE 'n13'; END $$;
	SQL
	load_schema -v -f a.sql
	assert_status 0
	assert_equal "$(printf '%s\n' \
		'a.sql:2: NOTICE: table "n2" does not exist, skipping' \
		'a.sql:3: NOTICE: table "n3" does not exist, skipping' \
		'a.sql:10: NOTICE: from 10 1' 'a.sql:10: NOTICE: from 10 2' 'a.sql:10: NOTICE: from 10 3' \
		'a.sql:11: NOTICE: table "n11" does not exist, skipping' \
		'a.sql:12: NOTICE: n12' 'a.sql:12: NOTICE: n12 again' 'a.sql:13: NOTICE: n13')" \
		"$(grep NOTICE <<<"$stderr")"
}

@test "bytes that the server cannot take are at their statement" {
	printf "SELECT 1;\nSELECT 2;\n  SELECT 'a\xff';\nSELECT 3;\n" >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:3:3 'invalid byte sequence'
}

# --- function bodies ---------------------------------------------------------------------------

@test "an error inside a DO is at its place in the body" {
	cat >a.sql <<-'SQL'
		SELECT 1;
		DO $$
		DECLARE i int;
		BEGIN
		  i := 1;
		  PERFORM 1 FROM nope;
		  PERFORM 1 FROM nope;
		END $$;
	SQL
	load_schema -f a.sql
	assert_fails_at a.sql:6:18 'relation "nope" does not exist' '  PERFORM 1 FROM nope;' '                 ^'
	assert_contains "$stderr" 'inline_code_block line 5'
	sed -i 's/PERFORM 1 FROM nope/PERFORM 1/; 7s/PERFORM 1/i := i + nope/' a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:7:12 'column "nope" does not exist'
}

@test "an error that a DO raises is at the line that raises it" {
	cat >a.sql <<-'SQL'
		SELECT 1;
		DO $x$ BEGIN

		  RAISE EXCEPTION 'no';
		END $x$;
	SQL
	load_schema -f a.sql
	assert_fails_at a.sql:4:3 no "  RAISE EXCEPTION 'no';" '  ^'
	printf "SELECT 1;\nDO '\nBEGIN\n  PERFORM 1/0;\nEND ';\n" >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:4:3 'division by zero'
}

@test "an error in the body of a function that is made is at its place" {
	cat >a.sql <<-'SQL'
		SELECT 1;
		CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$
		BEGIN
		  RETURN 1 + ;
		END $$;
	SQL
	load_schema -f a.sql
	assert_fails_at a.sql:4:13 'syntax error at end of input'
}

# --- COPY --------------------------------------------------------------------------------------

@test "COPYs travel with their data, many in one request" {
	tables 20 >a.sql
	echo 'CREATE TABLE empty (); COPY empty FROM stdin;' >>a.sql
	printf '\\.\nSELECT 1;\n' >>a.sql
	mark=$(server_log_mark)
	load_schema -f a.sql
	assert_status 0
	assert_equal 3 "$(requests "$mark")"
	assert_contains "$stderr" '43 statements, 60 rows copied'
	for i in 1 13 20; do
		assert_equal "1|one
2|
3|three of $i" "$(sql "$DB" "SELECT * FROM c$i ORDER BY id")"
	done
}

@test "an error in COPY data is at the row's own line" {
	tables 8 | sed '30s/.*/x\ty/' >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:30 'invalid input syntax for type integer: "x"'
	assert_contains "$stderr" 'COPY c4, line 3, column id: "x"'
	assert_untouched
	for batch in off 100; do
		load_schema --batch "$batch" -f a.sql
		assert_fails_at a.sql:30 'invalid input syntax for type integer: "x"'
		assert_untouched
	done
}

@test "a quoted value of several lines does not move the line of an error in CSV" {
	cat >a.sql <<-'SQL'
		CREATE TABLE t (id int, v text);
		COPY t FROM stdin (FORMAT csv);
		0,z
		1,"a
		b
		c"
		x,d
		\.
	SQL
	load_schema -f a.sql
	assert_fails_at a.sql:7 'invalid input syntax for type integer: "x"'
}

@test "a statement behind COPYs that fails is reported at its own place" {
	tables 5 >a.sql
	printf 'SELECT 1/0;\n' >>a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:41:1 'division by zero'
	assert_untouched
}

@test "a COPY that is refused among others is reported, and its data are no SQL" {
	tables 5 | sed '19s/c3/nope/' >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:19:1 'relation "nope" does not exist'
	assert_untouched
}

@test "data larger than a batch follow the COPY" {
	{
		tables 2
		printf 'CREATE TABLE big (id int, v text);\nCOPY big FROM stdin;\n'
		seq 1 200000 | sed 's/$/\tvalue/'
		printf '\\.\n'
		tables 3 | sed 's/c\([123]\)/d\1/'
	} >a.sql
	for batch in off 500 64k 1M; do
		load_schema --batch "$batch" -f a.sql
		assert_status 0
		assert_equal '200000|20000100000|3' "$(sql "$DB" \
			'SELECT count(*), sum(id), (SELECT count(*) FROM d3) FROM big')"
		sql "$DB" 'DROP TABLE big, c1, c2, d1, d2, d3'
	done
	sed -i '150000s/.*/x/' a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:150000 'invalid input syntax for type integer: "x"'
}

@test "a COPY that fails is reported while its data still come" {
	mkfifo pipe
	start_job db-schema-load -f pipe
	{
		printf 'CREATE TABLE t (id int);\nCOPY t FROM stdin;\n1\n2\nx\n'
		yes 1
	} >pipe 2>/dev/null &
	writer=$!
	JOBS+=("$writer")
	wait_until job_ended 20
	finish_job
	assert_status 3
	assert_contains "$stderr" 'pipe:5: ERROR: invalid input syntax for type integer: "x"'
}

@test "a COPY among several statements that are sent together finds its data" {
	cat >a.sql <<-'SQL'
		CREATE TABLE t (id int);
		INSERT INTO t VALUES (1)\; COPY t FROM stdin\; INSERT INTO t VALUES (4);
		2
		3
		\.
		INSERT INTO t VALUES (5);
		COPY t FROM stdin\; COPY t FROM stdin;
		6
		\.
		7
		\.
	SQL
	load_schema -f - <a.sql
	assert_status 0
	assert_equal '1 2 3 4 5 6 7' "$(sql "$DB" "SELECT string_agg(id::text, ' ' ORDER BY id) FROM t")"
}

@test "\\copy reads a file, and an error in it is at the file's line" {
	printf 'CREATE TABLE t (id int);\n\\copy t from data.txt\nSELECT nope;\n' >a.sql
	printf '1\n2\nx\n' >data.txt
	load_schema -f a.sql
	assert_fails_at data.txt:3 'invalid input syntax for type integer: "x"'
	assert_untouched
	sed -i '$d' a.sql
	printf '1\n2\n' >data.txt
	printf '\\copy t from stdin\n3\n\\.\n\\copy t to out.txt\n\\copy t to stdout\n' >>a.sql
	load_schema -f a.sql
	assert_status 0
	assert_equal $'1\n2\n3' "$(<out.txt)"
	assert_equal $'1\n2\n3' "$output"
}

@test "\\copy from pstdin reads our own standard input" {
	printf 'CREATE TABLE t (id int);\n\\copy t from pstdin\n' >a.sql
	load_schema -f a.sql < <(printf '1\n2\n')
	assert_status 0
	assert_equal 2 "$(sql "$DB" 'SELECT count(*) FROM t')"
}

# --- what changes how the server reads ---------------------------------------------------------

@test "standard_conforming_strings and client_encoding are followed from batch to batch" {
	{
		echo 'CREATE TABLE t (v text);'
		echo 'SET standard_conforming_strings = off;'
		printf '%s\n' "INSERT INTO t VALUES ('it\\'s; one');"
		echo 'SET standard_conforming_strings = on;'
		printf '%s\n' "INSERT INTO t VALUES ('a\\');"
		echo "SET client_encoding = 'LATIN1';"
		printf "INSERT INTO t VALUES ('\xe9');\n"
	} >a.sql
	load_schema -f a.sql
	assert_status 0
	assert_equal "it's; one|a\\|é" "$(sql "$DB" "SELECT string_agg(v, '|') FROM t")"
}

@test "what changes them unseen in the midst of a batch is an error, and nothing is stored" {
	cat >a.sql <<-'SQL'
		CREATE TABLE t ();
		DO $$ BEGIN EXECUTE 'SET standard_conforming' || '_strings = off'; END $$;
		CREATE TABLE u ();
	SQL
	load_schema -f a.sql
	assert_fails_at a.sql:1:1 'standard_conforming_strings changed inside a batch'
	assert_contains "$stderr" '--batch off'
	assert_untouched
	load_schema --batch off -f a.sql
	assert_status 0
}

# --- transactions ------------------------------------------------------------------------------

@test "a script that ends the transaction unseen is an error" {
	cat >a.sql <<-'SQL'
		CREATE TABLE t ();
		SELECT 'COMMIT' \gexec
		SELECT nope;
	SQL
	load_schema -f a.sql
	assert_status 3
	assert_contains "$stderr" 'a.sql:2:1: ERROR: COMMIT: the script controls transactions itself'
	assert_untouched
}

@test "from a pipe, a first statement that cannot be in a transaction switches it off" {
	other=$(db_name other)
	printf 'CREATE DATABASE %s;\nCREATE TABLE t ();\nSELECT nope;\n' "$other" >a.sql
	load_schema -f - <a.sql
	assert_status 3
	run --separate-stderr bash -c "cat a.sql | sed 's/other/more/' | db-schema-load -f -"
	assert_status 3
	assert_contains "$stderr" 'running statement by statement'
	refute_contains "$stderr" 'Rolled back'
	assert_equal 0 "$(sql "$DB" 'SELECT count(*) FROM t')"
}

@test "with AUTOCOMMIT off what is never committed is an error" {
	printf '\\set AUTOCOMMIT off\nCREATE TABLE a ();\nCOMMIT;\n\nCREATE TABLE b ();\n' >a.sql
	load_schema --no-transaction -f a.sql
	assert_fails_at a.sql:5 'AUTOCOMMIT is off'
	assert_equal a "$(sql "$DB" "SELECT relname FROM pg_class WHERE relname IN ('a', 'b')")"
}

@test "a file that switches ON_ERROR_STOP off goes on, and the exit status tells" {
	printf '\\set ON_ERROR_STOP off\nSELECT nope;\nCREATE TABLE a ();\n\\echo :ERROR\n' >a.sql
	load_schema --no-transaction -f a.sql
	assert_fails_at a.sql:2:8 'column "nope" does not exist'
	assert_contains "$stderr" '1 statement failed'
	assert_equal false "$output"
	assert_equal a "$(sql "$DB" "SELECT relname FROM pg_class WHERE relname = 'a'")"
}

# --- a lock that is not granted, a pooler --------------------------------------------------------

@test "a lock that is not granted within two seconds is told, with who holds it" {
	sql "$DB" 'CREATE TABLE held (id int)'
	start_session "$DB" 'my ide'
	printf 'BEGIN; LOCK held;\n' >&"$SESSION_FD"
	printf 'SELECT 1;\nSELECT 2;\nALTER TABLE held ADD v text;\nSELECT 3;\n' >a.sql
	start_job db-schema-load -f a.sql
	wait_until "grep -q 'held by' '$JOB_ERR'"
	printf 'COMMIT;\n' >&"$SESSION_FD"
	finish_job
	assert_status 0
	assert_matches "$stderr" \
		"a.sql:3: waiting for a lock on public.held: held by pid $SESSION_PID \\(user postgres, application my ide, idle in transaction for "
	assert_equal 1 "$(grep -c 'held by' <<<"$stderr")"
}

@test "a statement that only takes long says nothing about locks" {
	echo 'SELECT pg_sleep(2.5);' >a.sql
	load_schema -f a.sql
	assert_status 0
	refute_contains "$stderr" lock
}

@test "behind a pooler settings are undone together with COMMIT, and that is said" {
	proxy pid
	printf "SELECT set_config('search_path', '', false);\nCREATE TABLE public.t ();\n" >a.sql
	mark=$(server_log_mark)
	load_schema -f a.sql
	assert_status 0
	assert_contains "$stderr" 'connection pooler'
	# Far away, as a proxy on a busy machine is, the whole load is one request, and they are undone
	# in that.
	assert_matches "$(server_log_since "$mark" | grep -F COMMIT | tail -n 1)" \
		'RESET ALL; COMMIT$|COMMIT; .*RESET ALL$'
	load_schema --no-transaction -f a.sql
	assert_status 3
	assert_contains "$stderr" 'may not hold from statement to statement'
}

@test "behind a pooler a deferred constraint still fails before COMMIT" {
	proxy pid
	cat >a.sql <<-'SQL'
		CREATE TABLE t (id int UNIQUE DEFERRABLE INITIALLY DEFERRED);
		INSERT INTO t VALUES (1), (1);
	SQL
	load_schema -f a.sql
	assert_status 3
	assert_contains "$stderr" 'deferred constraint'
	assert_untouched
}

@test "what a failure inside the script's own transaction leaves is told" {
	printf 'CREATE TABLE t (id int);\nBEGIN;\nINSERT INTO t VALUES (1);\nSELECT 1/0;\n' >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:4:1 'division by zero'
	assert_contains "$stderr" 'What its last transaction did is rolled back, the 1 statement before it stays in the database.'
	assert_equal 0 "$(sql "$DB" 'SELECT count(*) FROM t')"
	printf 'BEGIN;\nDROP TABLE t;\nSELECT 1/0;\n' >a.sql
	load_schema -f a.sql
	assert_contains "$stderr" 'Rolled back: nothing of the script is in the database.'
	assert_equal 0 "$(sql "$DB" 'SELECT count(*) FROM t')"
}

@test "a connection that is lost leaves what is told: nothing, or the statements before it" {
	printf '%s\n' 'CREATE TABLE t (id int);' 'INSERT INTO t VALUES (1);' \
		'SELECT pg_terminate_backend(pg_backend_pid());' 'INSERT INTO t VALUES (2);' >a.sql
	load_schema -f a.sql
	assert_status 2
	assert_contains "$stderr" 'Rolled back: nothing of the script is in the database.'
	assert_untouched
	load_schema --no-transaction -f a.sql
	assert_status 2
	assert_contains "$stderr" 'Whether the statement that was running took effect is unknown'
	assert_contains "$stderr" '2 statements succeeded and stay in the database.'
	assert_equal 1 "$(sql "$DB" 'SELECT count(*) FROM t')"
}

@test "a connection that is lost in the script's own transaction has undone that" {
	printf '%s\n' 'CREATE TABLE t (id int);' 'BEGIN;' 'INSERT INTO t VALUES (1);' \
		'SELECT pg_terminate_backend(pg_backend_pid());' 'COMMIT;' >a.sql
	load_schema -f a.sql
	assert_status 2
	assert_contains "$stderr" 'What its last transaction did is rolled back, the 1 statement before it stays'
	refute_contains "$stderr" unknown
	assert_equal 0 "$(sql "$DB" 'SELECT count(*) FROM t')"
}

@test "what the script itself rolled back is not counted as staying" {
	printf '%s\n' 'CREATE TABLE t ();' 'BEGIN;' 'CREATE TABLE u ();' 'ROLLBACK;' 'SELECT 1/0;' >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:5:1 'division by zero'
	assert_contains "$stderr" 'The 1 statement before it stays in the database.'
}

@test "an error at run time in one of several statements sent as one names that" {
	printf 'SELECT 1 \\;\nSELECT '"';'"' \\;\n  SELECT 1/0 \\;\nSELECT 4;\n' >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:3:3 'division by zero'
}

@test "an error that a trigger raises under COPY is at the row's line" {
	sql "$DB" 'CREATE TABLE t (v int);
		CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
			$$BEGIN IF NEW.v = 2 THEN RAISE $x$two$x$; END IF; RETURN NEW; END$$;
		CREATE TRIGGER f BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()'
	printf 'COPY t FROM stdin;\n1\n2\n\\.\n' >a.sql
	load_schema -f a.sql
	assert_status 3
	assert_contains "$stderr" 'a.sql:3: ERROR: two'
}
