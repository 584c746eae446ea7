#!/usr/bin/env bats
# A server so far away that a whole load is one request: BEGIN in front of the statements, COMMIT behind.

load helper
load scripts
load batches

@test "a small script is one request to a server far away" {
	inserts 500 >a.sql
	printf 'COPY t FROM stdin;\n501\n502\n\\.\n' >>a.sql
	proxy far
	mark=$(server_log_mark)
	load_schema -f a.sql
	assert_status 0
	assert_equal 1 "$(requests "$mark")"
	assert_equal 502 "$(sql "$DB" 'SELECT count(*) FROM t')"
	assert_contains "$stderr" '502 statements, 2 rows copied'
}

@test "far away an error is at its place, and nothing is loaded" {
	printf 'CREATE TABLE t (id int);\nSELECT 1;\n  SELECT missing;\n' >a.sql
	proxy far
	load_schema -f a.sql
	assert_fails_at a.sql:3:10 'column "missing" does not exist' '  SELECT missing;' '         ^'
	assert_contains "$stderr" 'Rolled back: nothing of the script is in the database.'
	printf 'CREATE TABLE t (id int PRIMARY KEY);\nINSERT INTO t VALUES (1);\nINSERT INTO t VALUES (1);\n' >a.sql
	load_schema -f a.sql
	assert_fails_at a.sql:3:1 'duplicate key value violates unique constraint "t_pkey"'
	assert_untouched
}

@test "far away a constraint that fails at COMMIT is told as such" {
	cat >a.sql <<-'SQL'
		CREATE TABLE p (id int PRIMARY KEY);
		CREATE TABLE c (id int REFERENCES p DEFERRABLE INITIALLY DEFERRED);
		INSERT INTO c VALUES (1);
	SQL
	proxy far
	load_schema -f a.sql
	assert_status 3
	assert_contains "$stderr" 'violates foreign key constraint'
	assert_contains "$stderr" 'The error came at COMMIT'
	assert_contains "$stderr" 'Rolled back: nothing of the script is in the database.'
	assert_untouched
}

@test "far away several files and larger ones are still one transaction" {
	inserts 3000 >a.sql
	printf 'SET search_path = nowhere;\n' >>a.sql
	printf 'INSERT INTO t VALUES (0);\nSELECT 1/0;\n' >b.sql
	proxy far
	load_schema -f a.sql -f b.sql
	assert_fails_at b.sql:2:1 'division by zero'
	assert_untouched
	printf 'INSERT INTO t VALUES (0);\n' >b.sql
	load_schema -f a.sql -f b.sql
	assert_status 0
	assert_equal 3001 "$(sql "$DB" 'SELECT count(*) FROM t')"
}

@test "far away what cannot be in a transaction is run statement by statement" {
	printf 'VACUUM;\nCREATE TABLE t ();\n' >a.sql
	proxy far
	run --separate-stderr bash -c 'db-schema-load -f - <a.sql'
	assert_status 0
	run --separate-stderr bash -c 'cat a.sql | db-schema-load -f -'
	assert_status 3
	assert_contains "$stderr" 'relation "t" already exists'
}

@test "far away settings are undone behind a pooler" {
	printf 'SET search_path = nowhere;\nCREATE TABLE public.t ();\n' >a.sql
	proxy far-pid
	mark=$(server_log_mark)
	load_schema -f a.sql
	assert_status 0
	assert_contains "$stderr" 'a connection pooler stands between'
	assert_contains "$(server_log_since "$mark")" 'RESET ALL'
}

@test "far away a connection that is lost at COMMIT leaves the outcome unknown, and says so" {
	printf 'CREATE TABLE t ();\n' >a.sql
	proxy far-cut
	load_schema -f a.sql
	assert_status 2
	assert_contains "$stderr" 'COMMIT was sent: whether the script took effect is unknown'
	refute_contains "$stderr" 'Rolled back'
	assert_equal 1 "$(sql "$DB" "SELECT count(*) FROM pg_class WHERE relname = 't'")"
}

@test "SIGINT ends a load far away" {
	printf 'CREATE TABLE t ();\nSELECT pg_sleep(600);\n' >a.sql
	proxy far
	start_job db-schema-load -f a.sql
	wait_until '[ "$(sql postgres "SELECT count(*) FROM pg_stat_activity
		WHERE datname = '"'$DB'"' AND wait_event = '"'PgSleep'"'")" = 1 ]'
	kill -INT "$JOB_PID"
	wait_until job_ended
	finish_job
	assert_status 130
	assert_contains "$(cat "$JOB_ERR")" 'Rolled back: nothing of the script is in the database.'
	assert_untouched
}

@test "a signal that comes before the server has asked for a COPY's data is not lost" {
	sql "$DB" 'CREATE TABLE t (id int)'
	mkfifo seed
	exec {fifo}<>seed
	printf 'COPY t FROM stdin;\n1\n' >&"$fifo"
	proxy moon
	start_job db-seed -f seed
	wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_stat_activity
		WHERE application_name = 'db-seed' AND state = 'active' AND query LIKE '%COPY t%'\")\" = 1 ]" 20
	# The server's question is still on its way, and no data will follow.
	kill -INT "$JOB_PID"
	wait_until job_ended 8
	finish_job
	assert_equal 130 "$status"
	exec {fifo}>&-
	assert_equal 0 "$(sql "$DB" 'SELECT count(*) FROM t')"
}
