#!/usr/bin/env bats
# Which seed files run, and in what order. How they run is in db-schema-load.bats.

load helper

setup() {
	common_setup
	DB=$(db main)
	export CONNECTION_URL
	CONNECTION_URL=$(url "$DB")
	make_project
	sql "$DB" 'CREATE TABLE item (id integer PRIMARY KEY, name text NOT NULL);
		CREATE TABLE log (n serial, file text)'
}

seed() {
	run --separate-stderr db-seed "$@"
}

items() {
	sql "$DB" "SELECT string_agg(id::text, ' ' ORDER BY id) FROM item"
}

@test "db/seed.sql of the project is loaded" {
	seed
	assert_status 0
	assert_equal '1|one 2|two 3|three' "$(sql "$DB" 'SELECT * FROM item ORDER BY id' | paste -sd ' ')"
}

@test "it runs in one transaction on one connection" {
	mark=$(server_log_mark)
	seed
	sent=$(statements "$mark" "$DB")
	assert_equal 1 "$(grep -c '^BEGIN' <<<"$sent")"
	assert_equal 1 "$(grep -c '^COMMIT' <<<"$sent")"
	assert_equal 1 "$(server_log_since "$mark" | grep -c "connection authorized.* database=$DB ")"
}

@test "an error in the last statement leaves no row, and says where and why" {
	printf "\nINSERT INTO item (id, name)\nVALUES (4, 'four'), (5, NULL);\n" >>db/seed.sql
	seed
	assert_status 3
	assert_contains "$stderr" 'db/seed.sql:4:1: ERROR: null value in column "name"'
	assert_contains "$stderr" 'detail: Failing row contains (5, null).'
	assert_equal '' "$(items)"
}

@test "seeding twice violates the key and changes nothing" {
	seed
	seed
	assert_status 3
	assert_contains "$stderr" 'db/seed.sql:1:1: ERROR: duplicate key value violates unique constraint'
	assert_contains "$stderr" 'Key (id)=(1) already exists.'
	assert_equal '1 2 3' "$(items)"
}

@test "the sample's seed may be loaded again" {
	rm -r db
	make_sample_project
	db-schema-load
	seed
	assert_status 0
	before=$(dump "$DB")
	seed
	assert_status 0
	assert_equal "$before" "$(dump "$DB")"
}

@test "db/seeds/*.sql run in the order of their bytes" {
	rm db/seed.sql
	mkdir db/seeds
	for file in 9.sql 10.sql B.sql a.sql _.sql ä.sql 'with blank.sql'; do
		echo "INSERT INTO log (file) VALUES ('$file');" >"db/seeds/$file"
	done
	echo 'broken' | tee db/seeds/.hidden.sql db/seeds/x.sql.bak >db/seeds/README.md
	seed
	assert_status 0
	assert_equal '10.sql,9.sql,B.sql,_.sql,a.sql,with blank.sql,ä.sql' \
		"$(sql "$DB" "SELECT string_agg(file, ',' ORDER BY n) FROM log")"
}

@test "an error in one of several seed files undoes the others" {
	rm db/seed.sql
	mkdir db/seeds
	echo "INSERT INTO item VALUES (1, 'one');" >db/seeds/1.sql
	echo "INSERT INTO itme VALUES (2, 'two');" >db/seeds/2.sql
	seed
	assert_status 3
	assert_contains "$stderr" 'db/seeds/2.sql:1:13: ERROR: relation "itme" does not exist'
	assert_equal '' "$(items)"
}

@test "seed.sql wins over seeds/" {
	mkdir db/seeds
	echo "INSERT INTO item VALUES (9, 'nine');" >db/seeds/1.sql
	seed
	assert_status 0
	assert_equal '1 2 3' "$(items)"
}

@test "with neither it fails and says where they belong, before a connection is made" {
	rm db/seed.sql
	mkdir db/seeds
	mark=$(server_log_mark)
	seed
	assert_status 1
	assert_contains "$stderr" 'no seed found'
	assert_contains "$stderr" 'seeds/*.sql'
	refute_contains "$(server_log_since "$mark")" "database=$DB "
}

@test "-f runs other files instead" {
	echo "INSERT INTO item VALUES (7, 'seven');" >seven.sql
	echo "INSERT INTO item VALUES (8, 'eight');" >eight.sql
	seed -f seven.sql --file=eight.sql
	assert_status 0
	assert_equal '7 8' "$(items)"
	seed -f - <<<"INSERT INTO item VALUES (9, 'nine')"
	assert_status 0
	assert_equal '7 8 9' "$(items)"
}

@test "an empty seed warns and succeeds" {
	: >db/seed.sql
	seed
	assert_status 0
	assert_contains "$stderr" 'warning: "db/seed.sql" holds no statement'
}

@test "it works from a sub-directory and shows paths from there" {
	rm db/seed.sql
	mkdir -p db/seeds/deep
	echo 'SELECT nope;' >db/seeds/1.sql
	cd db/seeds/deep
	seed
	assert_status 3
	assert_contains "$stderr" '../../../db/seeds/1.sql:1:8: ERROR: column "nope" does not exist'
}

@test "DB_DIR names another directory" {
	mv db sql
	DB_DIR=sql seed
	assert_status 0
	assert_equal '1 2 3' "$(items)"
}

@test "a missing table is named with its place" {
	sql "$DB" 'DROP TABLE item'
	seed
	assert_status 3
	assert_contains "$stderr" 'db/seed.sql:1:13: ERROR: relation "item" does not exist'
}

@test "a missing database is exit status 2 with a hint that names db-create" {
	CONNECTION_URL=$(url "$(db_name missing)")
	seed
	assert_status 2
	assert_contains "$stderr" db-create
}

@test "COPY data in a seed with a row that is wrong name its line" {
	printf 'COPY item FROM stdin;\n1\tone\n2\n\\.\n' >db/seed.sql
	seed
	assert_status 3
	assert_contains "$stderr" 'db/seed.sql:3: ERROR: missing data for column "name"'
	assert_equal '' "$(items)"
}

@test "SIGTERM during the seed leaves nothing" {
	printf 'SELECT pg_sleep(600);\n' >>db/seed.sql
	start_job db-seed
	wait_until "[ \"\$(sql postgres \"SELECT state FROM pg_stat_activity
		WHERE datname = '$DB' AND query LIKE '%pg_sleep%'\")\" = active ]"
	kill -TERM "$JOB_PID"
	wait_until job_ended
	finish_job
	assert_status 143
	assert_equal '' "$(items)"
	assert_equal 0 "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE datname = '$DB'")"
}
