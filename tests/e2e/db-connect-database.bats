#!/usr/bin/env bats
# Which database decides whether a session is read-only: the one that psql goes to, whoever names it.

load helper
load connect

setup() {
	connect_setup
	item_table
	MARKED=$(db marked)
	sql "$MARKED" 'CREATE TABLE item (id integer); ALTER TABLE item OWNER TO app'
	sql postgres "COMMENT ON DATABASE \"$MARKED\" IS '[dbrig:protected=staging]'"
	export CONNECTION_URL
	CONNECTION_URL=$(tcp_url app '')
}

# assert_guarded NAME: the last session could write nothing, and said why.
assert_guarded() {
	assert_status 1
	assert_contains "$stderr" 'cannot execute INSERT in a read-only transaction'
	assert_contains "$stderr" 'local is protected: '
	assert_equal 0 "$(sql "$1" 'SELECT count(*) FROM item')"
}

# --- the URL names none ------------------------------------------------------------------------

@test "where the URL names no database, the one that libpq chooses decides" {
	PGDATABASE=$DB insert
	assert_guarded "$DB"
	assert_contains "$stderr" 'PROD_CONNECTION_URL leads to the same database; the session is read-only'
	PGDATABASE=$MARKED insert
	assert_guarded "$MARKED"
	PGDATABASE=$MARKED insert --write
	assert_status 0
	sql "$MARKED" 'TRUNCATE item'
	printf '[own]\ndbname=%s\n' "$MARKED" >services
	PGSERVICEFILE=services PGSERVICE=own insert
	assert_guarded "$MARKED"
	unset CONNECTION_URL
	PGHOST=127.0.0.1 PGPORT=$SERVER_PORT PGUSER=app PGPASSWORD=$APP_PASSWORD PGDATABASE=$MARKED insert
	assert_guarded "$MARKED"
}

@test "so it does where it is called like the role" {
	drop_later app
	sql postgres 'CREATE DATABASE app OWNER app'
	sql app 'CREATE TABLE item (id integer); ALTER TABLE item OWNER TO app'
	insert
	assert_status 0
	sql app 'TRUNCATE item'
	sql postgres "COMMENT ON DATABASE app IS '[dbrig:protected=staging]'"
	insert
	assert_guarded app
	export PROD_CONNECTION_URL
	PROD_CONNECTION_URL=$(tcp_url app '')
	sql postgres "COMMENT ON DATABASE app IS NULL"
	CONNECTION_URL=$(app_url app) insert
	assert_guarded app
}

@test "the client is given no more than the URL has, and a database that is not there is left to it" {
	printf '#!/bin/sh\nenv | grep "^PG" >"%s/record"\n' "$TEST_DIR" >client
	chmod +x client
	PGDATABASE=$MARKED DB_CLIENT=./client connect
	assert_status 0
	assert_equal "PGDATABASE=$MARKED" "$(grep '^PGDATABASE=' record)"
	assert_contains "$(<record)" 'default_transaction_read_only=on'
	CONNECTION_URL=$(tcp_url app '') PGDATABASE=nowhere DB_CLIENT=./client connect
	assert_status 0
	assert_equal '' "$stderr"
	refute_contains "$(<record)" PGOPTIONS
	PGDATABASE=nowhere insert
	assert_status 2
	assert_contains "$stderr" 'database "nowhere" does not exist'
	# What a service says of the database holds where it is resolved.
	printf '[own]\ndbname=%s\n' "$DB" >services
	PROD_CONNECTION_URL=$(tcp_url app '') PGSERVICEFILE=services PGSERVICE=own DB_CLIENT=./client connect prod
	assert_equal "PGDATABASE=$DB" "$(grep '^PGDATABASE=' record)"
}

# --- the arguments name one --------------------------------------------------------------------

@test "a database that psql's arguments name decides" {
	CONNECTION_URL=$(app_url postgres)
	for name in "$DB" "$MARKED"; do
		for words in "-d $name" "-d$name" "--dbname=$name" "--db $name" "-qAtd $name" "$name" "-X $name" "-- $name"; do
			# shellcheck disable=SC2086 # words
			connect -- -c 'INSERT INTO item VALUES (1)' $words
			assert_guarded "$name"
		done
	done
	connect --write -- -c 'INSERT INTO item VALUES (1)' "$MARKED"
	assert_status 0
	# And where the database of the URL is marked and another is named.
	CONNECTION_URL=$(app_url "$MARKED")
	free=$(db free)
	connect -- -XAtc 'SHOW default_transaction_read_only' "$free"
	assert_equal off "$output"
	refute_contains "$stderr" protected
	connect -- -XAtc 'SHOW default_transaction_read_only' -d "$free" -d "$MARKED"
	assert_equal on "$output"
	# A value of another option is none.
	CONNECTION_URL=$(app_url postgres) connect -- -XAt -v "$MARKED" -c 'SHOW default_transaction_read_only'
	assert_equal off "$output"
}

@test "arguments that lead to another server, by another role or a connection string are warned of" {
	CONNECTION_URL=$(app_url postgres)
	local_url=$(app_url postgres)
	local_url=${local_url/127.0.0.1/localhost}
	printf 'localhost:*:*:app:%s\n' "${APP_PASSWORD//:/\\:}" >passwords
	chmod 600 passwords
	export PGPASSFILE=$TEST_DIR/passwords
	for words in '-h localhost' '-U nocreate' '--username=nocreate' 'postgres nocreate' 'host=localhost' \
		"-d $local_url" "--dbname=$local_url"; do
		# shellcheck disable=SC2086 # words
		connect -- -XAtqc 'SELECT 1' $words
		assert_status 0
		assert_equal 1 "$output"
		assert_contains "$stderr" 'warning: the session is not guarded where the arguments lead'
		refute_contains "$stderr" "$APP_PASSWORD_ENCODED"
		assert_equal 1 "$(grep -c warning <<<"$stderr")"
	done
	# Where they name what the URL does they lead nowhere else.
	for words in postgres '-h 127.0.0.1 -U app' "postgres -p $SERVER_PORT" "-d $(app_url postgres)"; do
		# shellcheck disable=SC2086 # words
		connect -- -XAtqc 'SELECT 1' $words
		assert_status 0
		refute_contains "$stderr" warning
	done
	for words in "-h 127.0.0.1 $MARKED" "dbname=$MARKED" "-d $(app_url "$MARKED")"; do
		# shellcheck disable=SC2086 # words
		connect -- -c 'INSERT INTO item VALUES (1)' $words
		assert_guarded "$MARKED"
	done
	# The password of a connection string is one for asking, too.
	CONNECTION_URL=postgresql://app@127.0.0.1:$SERVER_PORT connect -- -c 'INSERT INTO item VALUES (1)' "$(app_url "$MARKED")"
	assert_guarded "$MARKED"
	connect prod -- -Atqc 'SHOW default_transaction_read_only' -U nocreate
	assert_equal on "$output"
	refute_contains "$stderr" 'not guarded'
}

@test "a server that the arguments name is not given the password of another" {
	# One that asks for it in clear, and says what it got.
	# shellcheck disable=SC2016 # perl's variables
	start_job perl -MIO::Socket::INET -e '
		$| = 1;
		my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 5);
		print $s->sockport, "\n";
		while (my $c = $s->accept) {
			while (sysread($c, my $bytes, 65536)) {
				my $encrypts = length $bytes == 8;
				print $bytes =~ /^p....(.*)\0/s ? "got $1\n" : "asked\n" unless $encrypts;
				last if $bytes =~ /^p/;
				syswrite $c, $encrypts ? "N" : pack("CNN", ord "R", 8, 3);
			}
		}'
	wait_until "[ -s '$JOB_OUT' ]"
	port=$(<"$JOB_OUT")
	export PGPASSFILE=$TEST_DIR/none PGSERVICEFILE=$TEST_DIR/services
	printf '[own]\nhost=127.0.0.1\nport=%s\nuser=app\npassword=%s\ndbname=postgres\n' \
		"$SERVER_PORT" "$APP_PASSWORD" >services
	for CONNECTION_URL in "$(app_url postgres)" 'postgresql:///?service=own'; do
		for words in "local -- -p $port" "local -- port=$port" "prod -- -h localhost -p $port"; do
			# shellcheck disable=SC2086 # words
			connect $words -wc 'SELECT 1'
			assert_status 2
			assert_contains "$stderr" "the password of ${words%% *} is not for the server that the arguments name"
		done
	done
	# What is meant for it goes there.
	connect -- -wc 'SELECT 1' "postgresql://app:own@127.0.0.1:$port/postgres"
	refute_contains "$stderr" 'the password of'
	PGPASSWORD=mine connect -- -wc 'SELECT 1' -p "$port"
	assert_equal "$port"$'\n'"$(printf 'asked\n%.0s' {1..6})"$'\nasked\ngot own\nasked\ngot mine' "$(<"$JOB_OUT")"
}

@test "a database among the arguments is psql's database, whatever else the URL says" {
	unset PROD_CONNECTION_URL
	sql postgres "COMMENT ON DATABASE \"$MARKED\" IS NULL"
	CONNECTION_URL="$(app_url postgres)?keepalives_idle=77"
	connect -- -XAtqc 'SELECT current_database(), current_user' "$MARKED"
	assert_equal "$MARKED|app" "$output"
	assert_contains "$stderr" "warning: left out, as the arguments name a database: keepalives_idle='77'"
	connect -- -XAtqc 'SELECT current_database()'
	assert_equal postgres "$output"
	assert_equal '' "$stderr"
}
