#!/usr/bin/env bats
# Which database a command works on: variables, .env, target names, URLs, the private server.

load helper

setup() {
	common_setup
	unset CONNECTION_URL DATABASE_URL
	make_project
	# db-connect resolves a target and starts a client, which tells where it was sent.
	cat >"$TEST_DIR/client" <<-'SH'
		#!/bin/sh
		echo "$PGUSER|$PGPASSWORD|$PGHOST|$PGPORT|$PGDATABASE"
	SH
	chmod +x "$TEST_DIR/client"
	export DB_CLIENT=$TEST_DIR/client
}

# where ARGUMENT...: where a command with these arguments would go.
where() {
	run --separate-stderr db-connect "$@"
}

# The last run went to DATABASE.
assert_database() {
	assert_status 0 && assert_equal "$1" "${output##*|}"
}

# Nothing of the words is in any output of the last run.
refute_words() {
	local word
	for word; do
		refute_contains "$output$stderr" "$word" || return
	done
}

# --- variables ---------------------------------------------------------------------------------

@test "local: CONNECTION_URL before DATABASE_URL before PG* variables" {
	export CONNECTION_URL=postgresql://h/one DATABASE_URL=postgresql://h/two PGHOST=h PGDATABASE=three
	where
	assert_database one
	where local
	assert_database one
	unset CONNECTION_URL
	where
	assert_database two
	unset DATABASE_URL
	where
	assert_database three
}

@test "prod: PROD_CONNECTION_URL before PROD_DATABASE_URL, and nothing of local" {
	export CONNECTION_URL=postgresql://h/local DATABASE_URL=postgresql://h/local PGHOST=h PGDATABASE=local
	export PROD_CONNECTION_URL=postgresql://h/one PROD_DATABASE_URL=postgresql://h/two
	where prod --write --no-timeout
	assert_database one
	unset PROD_CONNECTION_URL
	where prod --write --no-timeout
	assert_database two
	unset PROD_DATABASE_URL
	where prod --write --no-timeout
	assert_status 64
}

@test "any other name: its own variables, upper case, dashes as underscores" {
	export TEST_CONNECTION_URL=postgresql://h/test EU_WEST_1_DATABASE_URL=postgresql://h/eu
	where test
	assert_database test
	where TEST
	assert_database test
	where eu-west-1
	assert_database eu
	where Eu_West_1
	assert_database eu
}

@test "an unknown target names the variables that were looked at" {
	where stage-2
	assert_status 64
	assert_contains "$stderr" 'no connection URL for target "stage-2"'
	assert_contains "$stderr" STAGE_2_CONNECTION_URL
	assert_contains "$stderr" STAGE_2_DATABASE_URL
	echo X=1 >.env
	where stage-2
	assert_contains "$stderr" .env
}

@test "what is no target name is a usage error" {
	for name in '' 'a b' a/b ä 1st 'x;y' "postgresql://u:hunter2@h/d"; do
		where "$name"
		assert_status 64
		assert_equal '' "$output"
	done
}

@test "an empty variable counts as not set" {
	CONNECTION_URL='' DATABASE_URL=postgresql://h/two where
	assert_database two
}

@test "all commands use the same target" {
	name=$(db one)
	export TEST_CONNECTION_URL
	TEST_CONNECTION_URL=$(url "$name")
	db-schema-load test
	db-seed test
	run db-sessions test
	assert_status 0
	assert_equal 3 "$(sql "$name" 'SELECT count(*) FROM item')"
}

# --- .env --------------------------------------------------------------------------------------

@test "the environment wins over .env" {
	echo CONNECTION_URL=postgresql://h/file >.env
	where
	assert_database file
	CONNECTION_URL=postgresql://h/environment where
	assert_database environment
}

@test "a variable set to nothing switches that of .env off" {
	printf 'CONNECTION_URL=postgresql://h/one\nDATABASE_URL=postgresql://h/two\n' >.env
	CONNECTION_URL='' where
	assert_database two
}

@test "CONNECTION_URL in .env wins over DATABASE_URL in the environment" {
	echo CONNECTION_URL=postgresql://h/one >.env
	DATABASE_URL=postgresql://h/two where
	assert_database one
}

@test ".env is data: # and \$ and backquotes in a password stay what they are" {
	local line
	# shellcheck disable=SC2016
	local url='postgresql://u:p#a$HOME${x}`touch${IFS}pwned`@h/d'
	for line in "CONNECTION_URL=$url" "CONNECTION_URL='$url'" "export CONNECTION_URL=$url # comment" \
		"CONNECTION_URL = \"$url\""; do
		printf '%s\n' "$line" >.env
		where
		assert_status 0
		# shellcheck disable=SC2016
		assert_equal 'u|p#a$HOME${x}`touch${IFS}pwned`|h||d' "$output"
	done
	[ ! -e pwned ]
}

@test ".env may have comments, CRLF lines, a byte order mark and no last newline" {
	printf '\xef\xbb\xbf# comment\r\n\r\nOTHER="two\nlines"\r\nCONNECTION_URL=postgresql://h/d' >.env
	where
	assert_database d
}

@test "a line of .env that cannot be read is named without its content" {
	printf 'A=1\nCONNECTION_URL postgresql://u:hunter2@h/d\n' >.env
	where
	assert_status 64
	assert_contains "$stderr" 'in line 2 of'
	refute_words hunter2
	printf 'A=1\nCONNECTION_URL="postgresql://u:hunter2@h/d\n' >.env
	where
	assert_status 64
	assert_contains "$stderr" 'unclosed quote in line 2 of'
	refute_words hunter2
}

@test ".env of the project is found from a sub-directory, and none in between is read" {
	echo CONNECTION_URL=postgresql://h/root >.env
	mkdir -p a/b
	echo CONNECTION_URL=postgresql://h/between >a/.env
	cd a/b
	where
	assert_database root
}

@test "--env-file reads another file, seen from where one is" {
	echo CONNECTION_URL=postgresql://h/root >.env
	mkdir a
	echo CONNECTION_URL=postgresql://h/other >a/my.env
	cd a
	where --env-file my.env
	assert_database other
	where --env-file="$PWD/my.env"
	assert_database other
}

@test "--env-file does not win over the environment" {
	echo CONNECTION_URL=postgresql://h/other >my.env
	CONNECTION_URL=postgresql://h/environment where --env-file my.env
	assert_database environment
}

@test "a missing --env-file is a configuration error" {
	CONNECTION_URL=postgresql://h/d where --env-file nowhere.env
	assert_status 64
	assert_contains "$stderr" nowhere.env
	where --env-file nowhere.env --no-env-file
	assert_status 64
}

@test "--no-env-file reads none" {
	echo TEST_CONNECTION_URL=postgresql://h/root >.env
	where --no-env-file test
	assert_status 64
	refute_contains "$stderr" "$PWD/.env"
}

@test "an unreadable .env is an error, not a silent fallback" {
	echo CONNECTION_URL=postgresql://h/d >.env
	chmod 000 .env
	if [ "$(id -u)" -eq 0 ]; then
		chmod 755 "$TEST_DIR" .
		run --separate-stderr setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups \
			"$(command -v db-connect)"
	else
		where
	fi
	assert_status 64
	assert_contains "$stderr" 'Permission denied'
}

# --- libpq's variables -------------------------------------------------------------------------

@test "PGHOST, PGPORT, PGUSER, PGPASSWORD and PGDATABASE are enough" {
	name=$(db one)
	export PGHOST=127.0.0.1 PGPORT=$SERVER_PORT PGUSER=app PGPASSWORD=$APP_PASSWORD PGDATABASE=$name
	mark=$(server_log_mark)
	run db-sessions
	assert_status 0
	assert_matches "$(server_log_since "$mark")" "authorized: user=app database=$name "
}

@test "PG* variables in .env count as well" {
	name=$(db one)
	printf 'PGHOST=127.0.0.1\nPGPORT=%s\nPGUSER=app\nPGPASSWORD="%s"\nPGDATABASE=%s\n' \
		"$SERVER_PORT" "$APP_PASSWORD" "$name" >.env
	mark=$(server_log_mark)
	run db-sessions
	assert_status 0
	assert_matches "$(server_log_since "$mark")" "authorized: user=app database=$name "
}

@test "what a URL leaves open comes from PG* variables" {
	CONNECTION_URL=postgresql:///d PGHOST=/nowhere PGPORT=1 where
	assert_equal '||/nowhere|1|d' "$output"
}

# service_file NAME: a service "main" for that database of the suite's server.
service_file() {
	printf '[main]\nhost=%s\nport=%s\nuser=postgres\ndbname=%s\n' \
		"$SERVER_SOCKET" "$SERVER_PORT" "$1" >"$TEST_DIR/services"
	export PGSERVICEFILE=$TEST_DIR/services
}

@test "a service is looked up: by PGSERVICE, in .env, in a URL" {
	name=$(db one)
	service_file "$name"
	mark=$(server_log_mark)
	PGSERVICE=main run db-schema-load
	assert_status 0
	echo PGSERVICE=main >.env
	run db-schema-load
	assert_status 0
	rm .env
	CONNECTION_URL='postgresql://?service=main' run db-schema-load
	assert_status 0
	CONNECTION_URL='service=main' run db-schema-load
	assert_status 0
	assert_equal 4 "$(server_log_since "$mark" | grep -c "authorized: user=postgres database=$name ")"
}

@test "a service that does not exist is an error, not the default server" {
	service_file x
	PGSERVICE=nope run --separate-stderr db-sessions
	[ "$status" -ne 0 ]
	assert_contains "$stderr" nope
	CONNECTION_URL='postgresql://?service=nope' run --separate-stderr db-sessions
	[ "$status" -ne 0 ]
	assert_contains "$stderr" nope
	CONNECTION_URL='postgresql://?service=nope' run --separate-stderr db-create
	assert_status 64
	assert_contains "$stderr" 'service "nope" not found'
}

@test "PGPASSFILE is used, and ignored when others may read it" {
	name=$(db one)
	export CONNECTION_URL="postgresql://app@127.0.0.1:$SERVER_PORT/$name" PGPASSFILE=$TEST_DIR/pass
	printf '127.0.0.1:%s:*:app:%s\n' "$SERVER_PORT" "${APP_PASSWORD//:/\\:}" >"$PGPASSFILE"
	chmod 600 "$PGPASSFILE"
	run db-sessions
	assert_status 0
	chmod 644 "$PGPASSFILE"
	run --separate-stderr db-sessions
	assert_status 2
	refute_words s3cret
}

@test "a wrong password is exit status 2, says whence the URL came, and is not shown" {
	echo "CONNECTION_URL=postgresql://app:hunter2@127.0.0.1:$SERVER_PORT/postgres" >.env
	run --separate-stderr db-sessions -v
	assert_status 2
	assert_contains "$stderr" 'password authentication failed for user "app"'
	assert_contains "$stderr" 'CONNECTION_URL in'
	refute_words hunter2
}

# --- URLs --------------------------------------------------------------------------------------

@test "a role that does not exist or may not log in is named, with whose name it is" {
	name=$(db shop)
	sql postgres 'CREATE ROLE nobody_there NOLOGIN'
	for user in nobody_here@ nobody_there@ ''; do
		CONNECTION_URL=$(url "$name" | sed "s/postgres@/$user/")
		export CONNECTION_URL
		hints+=$(PGUSER=nobody_else db-create 2>&1 | grep hint:)$'\n'
	done
	sql postgres 'DROP ROLE nobody_there'
	refute_contains "$hints" Peer
	assert_matches "$hints" 'no role "nobody_here" \(the URL.*createuser nobody_here '
	assert_matches "$hints" 'ALTER ROLE "nobody_there" LOGIN allows it to that role \(the URL'
	assert_matches "$hints" 'no role "nobody_else" \(PGUSER'
}

@test "both schemes, encoded parts, IPv6, socket directories and key=value strings are read" {
	CONNECTION_URL='postgres://u%40x:p%3A%2F@[::1]:99/d%20b' where
	assert_equal 'u@x|p:/|::1|99|d b' "$output"
	CONNECTION_URL='postgresql://u@%2Ftmp%2Fs/d' where
	assert_equal 'u||/tmp/s||d' "$output"
	CONNECTION_URL="host=h user=u password='p w\\'x' dbname=d port=7" where
	assert_equal "u|p w'x|h|7|d" "$output"
	CONNECTION_URL='postgresql://u@h/path?dbname=query' where
	assert_database query
}

@test "URLs that are wrong are refused with 64, and no piece of the password is shown" {
	local address
	while IFS= read -r address; do
		for command in db-connect db-sessions db-drop; do
			CONNECTION_URL=$address run --separate-stderr "$command" -v
			assert_status 64 || {
				printf 'command: %s, URL: %s\n' "$command" "$address" >&2
				return 1
			}
			assert_equal '' "$output"
			assert_contains "$stderr" CONNECTION_URL
			refute_words hunter pieces secretly || {
				printf 'URL: %s\n' "$address" >&2
				return 1
			}
		done
	done <<-'URLS'
		postgresql://u:hunter@pieces@h/d
		postgresql://u:hunter/pieces@h/d
		postgresql://u:%zzhunter@h/d
		postgresql://u:hunter%@h/d
		postgresql://u:hunter%00pieces@h/d
		postgresql://u:hunter@[::1/d
		postgresql://u:hunter@[::1]x/d
		postgresql://u:hunter
		postgresql://u:hunter/d
		postgresql://u:12hunter/d
		postgresql://u:hunter@h:port/d
		postgresql://u:hunter@h:99999/d
		postgresql://u:hunter@h:0/d
		postgresql://u:hunter@h/d?schema=public
		postgresql://u:hunter@h/d?nonsense
		postgresql://u@h/d?password=hunter&nope=pieces
		postgresql://u:hunter@h/d#fragment
		postgresql://u:hunter pieces@h/d
		 postgresql://u:hunter@h/d
		POSTGRESQL://u:hunter@h/d
		postgresql+psycopg2://u:hunter@h/d
		jdbc:postgresql://h/d?password=hunter
		mysql://u:hunter@h/d
		postgresql:/u:hunter@h/d
		u:hunter@h/d
		hunter@h:5432/d
		u%hunter:pieces@h/d
		"postgresql://u:hunter@h/d"
		host=h password=hunter pieces dbname=d
		host=h password='hunter pieces dbname=d
		host=h passwort=hunter dbname=d
		host=h port=x password=hunter
		host=h password="hunter pieces" secretly dbname=d
		hunter
	URLS
}

@test "a database name over 63 bytes is refused, one of 63 is not" {
	long=$(printf 'ü%.0s' {1..31})x
	CONNECTION_URL="postgresql://h/$long" where
	assert_database "$long"
	CONNECTION_URL="postgresql://h/${long}x" where
	assert_status 64
}

@test "a URL without a database is refused by what changes one" {
	CONNECTION_URL=$(url '')
	export CONNECTION_URL
	mark=$(server_log_mark)
	for command in db-create db-drop db-schema-load db-seed db-setup; do
		run --separate-stderr "$command"
		assert_status 64
		assert_contains "$stderr" 'names no database'
	done
	refute_contains "$(server_log_since "$mark")" 'connection received'
}

# --- RDS ---------------------------------------------------------------------------------------

# rds_url HOST [PARAMETERS]: goes to the suite's server, should anything connect.
rds_url() {
	printf 'postgresql://app:%s@%s:%s/postgres?hostaddr=127.0.0.1%s\n' \
		"$APP_PASSWORD_ENCODED" "$1" "$SERVER_PORT" "${2:-}"
}

@test "an RDS host without the CA bundle stops with 64, says how to get it, and connects to nothing" {
	local host
	mark=$(server_log_mark)
	for host in x.abc.eu-west-1.rds.amazonaws.com X.ABC.EU-WEST-1.RDS.AMAZONAWS.COM; do
		CONNECTION_URL=$(rds_url "$host") run --separate-stderr db-sessions
		assert_status 64
		assert_contains "$stderr" "Install it with rds-ca-bundle"
		assert_contains "$stderr" RDS_CA_BUNDLE
	done
	PGHOST=x.rds.amazonaws.com PGHOSTADDR=127.0.0.1 PGPORT=$SERVER_PORT run db-sessions
	assert_status 64
	refute_contains "$(server_log_since "$mark")" 'connection received'
}

@test "an RDS host with a dot at its end, or in China, is an RDS host too" {
	for host in x.rds.amazonaws.com. x.rds.cn-north-1.amazonaws.com.cn; do
		mark=$(server_log_mark)
		CONNECTION_URL=$(rds_url "$host") run db-sessions
		assert_status 64
		refute_contains "$(server_log_since "$mark")" 'connection received'
	done
}

@test "an RDS host in a service file is an RDS host too" {
	printf '[rds]\nhost=x.rds.amazonaws.com\nhostaddr=127.0.0.1\nport=%s\nuser=app\ndbname=postgres\n' \
		"$SERVER_PORT" >"$TEST_DIR/services"
	export PGSERVICEFILE=$TEST_DIR/services
	mark=$(server_log_mark)
	CONNECTION_URL='postgresql://?service=rds' run db-sessions
	assert_status 64
	PGSERVICE=rds run db-sessions
	assert_status 64
	refute_contains "$(server_log_since "$mark")" 'connection received'
}

@test "with the bundle an RDS host is connected to with verified TLS only" {
	: >"$TEST_DIR/bundle.pem"
	CONNECTION_URL=$(rds_url x.rds.amazonaws.com) RDS_CA_BUNDLE=$TEST_DIR/bundle.pem \
		DB_CLIENT=$TEST_DIR/tls
	export CONNECTION_URL RDS_CA_BUNDLE DB_CLIENT
	# A client would get no further: it is not started.
	printf '#!/bin/sh\necho started\n' >"$TEST_DIR/tls"
	chmod +x "$TEST_DIR/tls"
	# The suite's server has no TLS.
	mark=$(server_log_mark)
	where
	assert_status 2
	assert_equal '' "$output"
	run db-sessions
	assert_status 2
	refute_contains "$(server_log_since "$mark")" 'connection authorized'
}

@test "a bundle that does not exist stops with 64" {
	CONNECTION_URL=$(rds_url x.rds.amazonaws.com) RDS_CA_BUNDLE=$TEST_DIR/nope.pem \
		run --separate-stderr db-sessions
	assert_status 64
	assert_contains "$stderr" nope.pem
}

@test "an sslmode that the URL names is obeyed" {
	CONNECTION_URL=$(rds_url x.rds.amazonaws.com '&sslmode=disable') run db-sessions
	assert_status 0
}

# --- the private server ------------------------------------------------------------------------

@test "with nothing set the private local server is used, and started for it" {
	db-setup
	[ -f "$DB_SERVER_DIR/data/postmaster.pid" ]
	run --separate-stderr env DB_CLIENT="$SERVER_PSQL" db-connect -- \
		-XAt -c "SELECT current_database(), current_setting('listen_addresses'), (SELECT count(*) FROM item)"
	assert_status 0
	assert_equal 'project||3' "$output"
	db-server stop
	run db-sessions
	assert_status 0
}

@test "prod never falls back to the private server" {
	where prod
	assert_status 64
	[ ! -e "$DB_SERVER_DIR" ]
}

@test "outside a project with nothing set it says so" {
	cd /
	for command in db-connect db-sessions db-drop; do
		run --separate-stderr "$command"
		assert_status 64
		assert_contains "$stderr" 'no project'
		assert_contains "$stderr" CONNECTION_URL
	done
	[ ! -e "$DB_SERVER_DIR" ]
}

@test "outside a project a URL is enough" {
	cd /
	CONNECTION_URL=$(url postgres) run db-sessions
	assert_status 0
}

@test "-v tells where the connection goes and whence it came, without the password" {
	CONNECTION_URL=$(app_url postgres) run --separate-stderr db-sessions -v
	assert_status 0
	assert_contains "$stderr" 'CONNECTION_URL'
	assert_contains "$stderr" "app@127.0.0.1:$SERVER_PORT/postgres"
	refute_words s3cret
}

@test "HOME may be unset" {
	unset HOME
	CONNECTION_URL=$(url postgres) run db-sessions
	assert_status 0
}

@test "a whole URL in the place of a host or a database name is refused and not shown" {
	mark=$(server_log_mark)
	for variables in "PGHOST=$SERVER_SOCKET PGDATABASE=postgresql://u:Geheim@h/x" \
		"PGHOST=postgresql://u:Geheim@h/x PGDATABASE=x" \
		"CONNECTION_URL=dbname=postgresql://u:Geheim@h/x" \
		"CONNECTION_URL=postgresql:///postgresql%3A%2F%2Fu%3AGeheim%40h"; do
		read -ra assignments <<<"$variables"
		run env "${assignments[@]}" db-create -v
		assert_status 64
		refute_contains "$output" Geheim
	done
	refute_contains "$(server_log_since "$mark")" Geheim
}

@test "a target named after prod with a suffix is protected" {
	name=$(db main)
	for target in prod-eu PROD_2 production-x prod_ eu-prd1; do
		variable=$(tr a-z- A-Z_ <<<"$target")_CONNECTION_URL
		run env "$variable=$(url "$name")" db-drop "$target"
		assert_status 4
	done
	db_exists "$name"
	TEST_CONNECTION_URL=$(url "$name") run db-drop test
	assert_status 0
	! db_exists "$name" || return 1
}

@test "DB_DIR with a slash at its end has the same root, and so the same .env" {
	make_project
	printf 'TEST_CONNECTION_URL=%s\n' "$(url "$(db main)")" >.env
	cd /
	DB_DIR=$PROJECT/db/ run db-sessions test
	assert_status 0
}
