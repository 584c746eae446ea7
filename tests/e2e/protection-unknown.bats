#!/usr/bin/env bats
# bats file_tags=slow,once
# When it cannot be found out whether another target's URL leads to the database, or only in another
# way than by the same host, port and name.

load helper
load protection
load setup
load pgbouncer

setup() {
	protection_setup
	name=$(db shop)
	sql "$name" "CREATE TABLE customer (what text); INSERT INTO customer VALUES ('precious')"
	sql postgres "ALTER DATABASE \"$name\" OWNER TO app"
	use "$name"
	PROD_URL=$(app_url "$name")
}

# A port where nobody listens; sets $closed.
closed_port() {
	tunnel
	kill "$JOB_PID"
	finish_job
	closed=$TUNNEL_PORT
}

assert_stays() {
	assert_status 4
	assert_equal precious "$(sql "$name" 'SELECT what FROM customer')"
}

@test "a server that is silent makes destroying commands ask, whatever was found out before" {
	closed_port
	export PROD_CONNECTION_URL=${PROD_URL/:$SERVER_PORT/:$closed}
	run --separate-stderr db-protect --show
	assert_contains "$output" 'not known to be protected'
	assert_contains "$output" PROD_CONNECTION_URL
	for command in db-drop db-setup db-schema-load 'db-sessions --kill-all'; do
		# shellcheck disable=SC2086 # several words
		run --separate-stderr $command </dev/null
		assert_stays
		assert_contains "$stderr" "may be production's"
		assert_contains "$stderr" PROD_CONNECTION_URL
		refute_contains "$stderr" "$APP_PASSWORD"
	done
	# Now it is there, and is this one.
	tunnel "$closed"
	run --separate-stderr db-drop
	assert_stays
	assert_contains "$stderr" 'leads to the same database'
}

@test "what is not known is settled for a database by --off, until it is dropped" {
	closed_port
	export PROD_CONNECTION_URL=${PROD_URL/:$SERVER_PORT/:$closed}
	run --separate-stderr db-protect --off
	assert_stays
	run --separate-stderr db-protect --off --confirm "$name"
	assert_status 0
	assert_equal '[dbrig:unprotected]' "$(comment "$name")"
	assert_equal 1 "$(grep -c 'asking the server' <<<"$stderr")"
	db-setup -q
	assert_contains "$(comment "$name")" '[dbrig:unprotected]'
	db-setup -q
	db-drop -q
	assert_equal '' "$(oid "$name")"
	# What was said of that one is not said of the next.
	db-setup -q
	run --separate-stderr db-setup
	assert_status 4
	assert_contains "$stderr" "db-protect --off --confirm $name says so until it is dropped"
}

@test "a database that is not there yet is made without a question" {
	closed_port
	use "$(db_name new)"
	export PROD_CONNECTION_URL=${CONNECTION_URL/port=$SERVER_PORT/port=1}
	run --separate-stderr db-setup
	assert_status 0
	run --separate-stderr db-setup
	assert_status 4
}

@test "a confirmation goes on, with a warning" {
	closed_port
	PROD_CONNECTION_URL=${PROD_URL/:$SERVER_PORT/:$closed} run --separate-stderr db-drop --confirm "$name"
	assert_status 0
	assert_contains "$stderr" 'could not be found out'
	assert_equal '' "$(oid "$name")"
}

@test "a tunnel that leads elsewhere than it did is noticed" {
	local here=$SERVER_PORT
	# Another server with a database of the same name.
	own_server
	there=$SERVER_PORT
	sql postgres "CREATE DATABASE \"$name\" OWNER app"
	use_server "$SUITE_SERVER"
	tunnel 0 "$there"
	export PROD_CONNECTION_URL=${PROD_URL/:$here/:$TUNNEL_PORT}
	run --separate-stderr db-protect --show
	assert_contains "$output" 'is not protected'
	mark=$(server_log_mark)
	db-schema-load -q
	kill "$JOB_PID"
	finish_job
	tunnel "$TUNNEL_PORT" "$here"
	run --separate-stderr db-drop
	assert_status 4
	assert_contains "$stderr" 'PROD_CONNECTION_URL leads to the same database'
	assert_equal precious "$(sql "$name" 'SELECT what FROM customer')"
	# What it said counts while it is silent, and not when it leads elsewhere again.
	kill "$JOB_PID"
	finish_job
	run --separate-stderr db-drop
	assert_stays
	assert_contains "$stderr" 'PROD_CONNECTION_URL, by what its server said when it was asked last, leads to the same database'
	tunnel "$TUNNEL_PORT" "$there"
	run --separate-stderr db-protect --show
	assert_contains "$output" 'is not protected'
}

@test "the same server is asked once in ten minutes, at an address of this machine each time" {
	cc -shared -fPIC -o "$TEST_DIR/names.so" "$ROOT/tests/lib/names.c" -ldl
	own_server
	there=$SERVER_PORT log=$SERVER_LOG
	sql postgres "CREATE DATABASE \"$name\" OWNER app"
	use_server "$SUITE_SERVER"
	export PROD_CONNECTION_URL=${PROD_URL/127.0.0.1:$SERVER_PORT/prod.test:$there}
	export TEST_NAMES=prod.test=127.0.0.1 TEST_NAMES_LOG=$TEST_DIR/asked LD_PRELOAD=$TEST_DIR/names.so
	# ASan would be first.
	export ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0
	db-setup -q
	asked=$(grep -c pg_control_system "$log")
	[ "$asked" -gt 0 ]
	db-setup -q
	db-setup -q
	assert_equal "$asked" "$(grep -c pg_control_system "$log")"
	# What is dated in the future is as old as anything.
	find "$HOME/.local/state/dbrig" -name 'known-server-*' -exec touch -d '2 days' {} +
	db-setup -q
	[ "$(grep -c pg_control_system "$log")" -gt "$asked" ]
	unset LD_PRELOAD
	# A tunnel may lead elsewhere the next moment, also one that listens to a network.
	own=$(hostname -I 2>/dev/null | grep -oE '^[0-9.]+') || own=127.0.0.1
	start_job socat -d -d "TCP-LISTEN:0,bind=$own,fork,reuseaddr" "TCP:127.0.0.1:$there"
	wait_until "grep -q 'listening on' '$JOB_ERR'"
	port=$(sed -n 's/.*listening on .*:\([0-9]*\)$/\1/p' "$JOB_ERR")
	for place in "127.0.0.1:$there" "$own:$port"; do
		PROD_CONNECTION_URL=${PROD_URL/127.0.0.1:$SERVER_PORT/$place}
		db-setup -q
		asked=$(grep -c pg_control_system "$log")
		db-setup -q
		[ "$(grep -c pg_control_system "$log")" -gt "$asked" ]
	done
	run --separate-stderr db-protect --off
	assert_status 0
	assert_equal 1 "$(grep -c 'asking the server of PROD_CONNECTION_URL' <<<"$stderr")"
}

@test "a URL whose service is in no file may lead anywhere, one that is blank leads nowhere" {
	for PROD_CONNECTION_URL in service=nix 'postgresql:///?service=nix' "postgresql:///$name?service=nix"; do
		export PROD_CONNECTION_URL
		run --separate-stderr db-drop
		assert_stays
		assert_contains "$stderr" PROD_CONNECTION_URL
	done
	printf '[live]\nhost=127.0.0.1\nport=%s\ndbname=%s\n' "$SERVER_PORT" "$name" >"$TEST_DIR/services"
	PGSERVICEFILE=$TEST_DIR/services PROD_CONNECTION_URL=service=live CONNECTION_URL=$PROD_URL \
		run --separate-stderr db-drop
	assert_stays
	assert_contains "$stderr" 'leads to the same database'
	PROD_CONNECTION_URL=' ' run --separate-stderr db-drop
	assert_status 0
}

@test "production's URL counts where a stale one goes before it" {
	other=$(app_url other)
	printf 'PROD_CONNECTION_URL=%s\n' "$PROD_URL" >.env
	# Exported, and exported as nothing; our way is the same as production's, or its socket.
	for PROD_CONNECTION_URL in "$other" ''; do
		export PROD_CONNECTION_URL
		for url in "$PROD_URL" "$CONNECTION_URL"; do
			CONNECTION_URL=$url run --separate-stderr db-drop
			assert_stays
			assert_contains "$stderr" "PROD_CONNECTION_URL in $PWD/.env leads to the same database"
		done
	done
	# The target prod is nowhere, or where the stale one leads, all the same.
	run --separate-stderr db-protect --show prod
	assert_contains "$stderr" 'no connection URL for target "prod"'
	PROD_CONNECTION_URL=$other run --separate-stderr db-protect --show prod
	assert_contains "$output$stderr" '"other"'
	refute_contains "$output$stderr" "$name"
	printf 'PROD_CONNECTION_URL=%s\nPROD_DATABASE_URL=%s\n' "$other" "$PROD_URL" >.env
	unset PROD_CONNECTION_URL
	run --separate-stderr db-drop
	assert_stays
	assert_contains "$stderr" "PROD_DATABASE_URL in $PWD/.env leads to the same database"
	printf 'PROD_CONNECTION_URL=%s\nPROD_CONNECTION_URL=%s\n' "$PROD_URL" "$other" >.env
	echo 'A=1' >other.env
	for option in '' --no-env-file --env-file=other.env; do
		run --separate-stderr db-drop $option
		assert_stays
	done
	# What stands before a line that cannot be read counts, and that there is one is said.
	echo 'A' >>.env
	run --separate-stderr db-drop --no-env-file
	assert_stays
	assert_contains "$stderr" "$PWD/.env"
	# What stands behind it, or in what is no text or no file, is not known.
	for text in 'A\nPROD_CONNECTION_URL=%s\n' 'PROD_CONNECTION_URL=%s\n\0'; do
		# shellcheck disable=SC2059 # a format
		printf "$text" "$PROD_URL" >.env
		for option in --no-env-file --env-file=other.env; do
			run --separate-stderr db-drop $option
			assert_stays
			assert_contains "$stderr" "found out: a URL that may stand in $PWD/.env ("
		done
	done
	for make in 'ln -s nowhere .env' 'mkdir .env'; do
		rm .env
		$make
		run --separate-stderr db-drop --no-env-file
		assert_stays
		assert_contains "$stderr" "found out: a URL that may stand in $PWD/.env (could not"
		run --separate-stderr db-drop
		assert_status 64
	done
	# One that does not destroy only says so.
	run --separate-stderr db-sessions --no-env-file
	assert_status 0
	assert_contains "$stderr" "may not be known: "
	rmdir .env
	PROD_DATABASE_URL=$PROD_URL PROD_CONNECTION_URL=$other run --separate-stderr db-drop
	assert_stays
	assert_contains "$stderr" 'PROD_DATABASE_URL leads to the same database'
}

@test "a stale URL's server is not taken for that of the one it hides, and equal URLs are asked once" {
	closed_port
	unreached=${PROD_URL/:$SERVER_PORT/:$closed}
	printf 'PROD_CONNECTION_URL=%s\n' "$unreached" >.env
	PROD_DATABASE_URL=$unreached PROD_CONNECTION_URL=$unreached run --separate-stderr db-drop
	assert_stays
	assert_equal 1 "$(grep -c 'asking the server' <<<"$stderr")"
	PROD_CONNECTION_URL=$(app_url "$(db other)") run --separate-stderr db-drop
	assert_stays
	assert_contains "$stderr" "found out: PROD_CONNECTION_URL in $PWD/.env"
	assert_contains "$stderr" "may be production's"
}

@test "a URL that cannot be used is compared as far as it can be read" {
	# No CA bundle, and yet the same host.
	host=shop.abc123.eu-central-1.rds.amazonaws.com
	export PROD_CONNECTION_URL="${PROD_URL/127.0.0.1/$host}?hostaddr=127.0.0.1"
	CONNECTION_URL=$PROD_URL run --separate-stderr db-drop
	assert_stays
	assert_contains "$stderr" 'leads to the same database'
	PROD_CONNECTION_URL="postgresql://app:s3cret@x@127.0.0.1/$name"
	run --separate-stderr db-drop
	assert_stays
	assert_contains "$stderr" 'found out: PROD_CONNECTION_URL is not a valid connection URL: the password holds a raw "@"'
	assert_contains "$stderr" 'putting the variable right'
	refute_contains "$stderr" s3cret
	unset PROD_CONNECTION_URL
	echo "PROD_CONNECTION_URL=db.example.com:5432/$name" >.env
	run --separate-stderr db-drop
	assert_stays
	assert_contains "$stderr" "found out: PROD_CONNECTION_URL in $PWD/.env is not a valid connection URL"
}

@test "a URL in brackets, and one with a driver's name, are production's" {
	PROD_CONNECTION_URL="<$PROD_URL>" run --separate-stderr db-drop
	assert_stays
	assert_contains "$stderr" 'PROD_CONNECTION_URL stands between < and >'
	refute_contains "$stderr" "$APP_PASSWORD"
	for url in "postgresql+asyncpg:${PROD_URL#*:}" "jdbc:postgresql:${PROD_URL#*:}" \
		"$PROD_URL?schema=public&connection_limit=5"; do
		PROD_CONNECTION_URL=$url run --separate-stderr db-drop
		assert_stays
		assert_contains "$stderr" 'PROD_CONNECTION_URL leads to the same database'
	done
}

@test "a mistyped name of production's database is noticed on its server, and another server lacks it" {
	# By the same place; by another way to the same server.
	closed_port
	tunnel "$closed"
	for PROD_CONNECTION_URL in "$PROD_URL/" "${PROD_URL/:$SERVER_PORT/:$closed}%20"; do
		export PROD_CONNECTION_URL
		for command in db-drop db-setup; do
			run --separate-stderr "$command"
			assert_stays
			assert_contains "$stderr" 'is not there, on the same server: is the name mistyped?'
		done
	done
	for tail in '&sslmode=disable' /public '%3Fsslmode=disable' '\n'; do
		PROD_CONNECTION_URL=$PROD_URL$tail run --separate-stderr db-drop
		assert_stays
	done
	for database in '${DB}' "$name\$SUFFIX" '%24%7BDB%7D' '{{db}}' '<db>'; do
		PROD_CONNECTION_URL=${PROD_URL/$name/$database} run --separate-stderr db-drop
		assert_stays
	done
	# One that has not been made yet.
	PROD_CONNECTION_URL=${PROD_URL}_production run db-sessions --kill-all
	assert_status 0
	# libpq takes this for a host, and it may hold a password.
	PROD_CONNECTION_URL="host=localhost;port=$SERVER_PORT;database=$name;password=s3cret"
	run --separate-stderr db-drop
	assert_stays
	assert_contains "$stderr" 'PROD_CONNECTION_URL: the host holds a semicolon'
	refute_contains "$stderr" s3cret
	# Another server that answers, and has none of that name.
	PROD_CONNECTION_URL=$PROD_URL
	own_server
	CONNECTION_URL=$(app_url "other$name")
	sql postgres "CREATE DATABASE \"other$name\" OWNER app"
	PROD_CONNECTION_URL=${PROD_CONNECTION_URL/$name/other$name}
	run --separate-stderr db-drop
	assert_status 0
	assert_equal '' "$(oid "other$name")"
}

@test "a placeholder, and the URL of another kind of database, ask nothing" {
	for PROD_CONNECTION_URL in changeme '<your URL>' "mysql://h/$name" op://vault/prod/url \
		"postgresql://user:password@HOST:5432/$name" "postgresql://app@\${PROD_HOST}:\${PORT}/$name" \
		"<postgresql://u@db.example.com/$name>"; do
		export PROD_CONNECTION_URL
		run --separate-stderr db-drop
		assert_status 0
		refute_contains "$stderr" PROD_CONNECTION_URL
		db-create -q
	done
}

@test "a server that is none of production's service is told from it without a question" {
	own_server
	PROD_URL=$(app_url "$name")
	rds=${PROD_URL/127.0.0.1/shop.abc123.eu-central-1.rds.amazonaws.com}
	export CONNECTION_URL=$PROD_URL
	export PROD_CONNECTION_URL=$rds
	sql postgres "CREATE DATABASE \"$name\" OWNER app"
	run --separate-stderr db-setup
	assert_status 0
	PROD_AUTH=iam run --separate-stderr db-drop
	assert_status 0
	refute_contains "$stderr" 'asking the server'
	refute_contains "$stderr" 'could not be found out'
	# One of the service it may be; and a list with another host, or another address, leads anywhere.
	sql postgres "CREATE DATABASE \"$name\" OWNER app"
	sql "$name" "CREATE TABLE customer (what text); INSERT INTO customer VALUES ('precious')"
	for PROD_CONNECTION_URL in "$rds?hostaddr=192.0.2.1" \
		"${PROD_URL/127.0.0.1:$SERVER_PORT/shop.abc123.eu-central-1.rds.amazonaws.com:1,192.0.2.1:1}"; do
		run --separate-stderr db-drop
		assert_stays
	done
	sql postgres 'CREATE ROLE rdsadmin'
	PROD_CONNECTION_URL=$rds
	run --separate-stderr db-drop
	assert_stays
	assert_contains "$stderr" 'CA bundle'
	assert_contains "$stderr" PROD_CONNECTION_URL
	PROD_CONNECTION_URL=$rds PROD_AUTH=iam run --separate-stderr db-drop
	assert_stays
}

@test "a URL without a database means that of its user, or PGDATABASE" {
	export PROD_CONNECTION_URL=${PROD_URL%/*}
	CONNECTION_URL=$PROD_URL PGDATABASE=$name run --separate-stderr db-drop
	assert_stays
	assert_contains "$stderr" 'leads to the same database'
	sql postgres "CREATE ROLE \"$name\" LOGIN"
	PROD_CONNECTION_URL=postgresql://$name@127.0.0.1:$SERVER_PORT
	CONNECTION_URL=$PROD_URL run --separate-stderr db-drop
	sql postgres "DROP ROLE \"$name\""
	assert_stays
	assert_contains "$stderr" 'leads to the same database'
}

@test "several hosts and PGPORT are what libpq makes of them" {
	for place in "192.0.2.1:1,127.0.0.1:$SERVER_PORT" 127.0.0.1 "192.0.2.1:1,localhost:$SERVER_PORT"; do
		PROD_CONNECTION_URL=${PROD_URL/127.0.0.1:$SERVER_PORT/$place}
		export PROD_CONNECTION_URL
		mark=$(server_log_mark)
		CONNECTION_URL=$PROD_URL PGPORT=$SERVER_PORT run --separate-stderr db-drop
		assert_stays
		assert_contains "$stderr" 'leads to the same database'
		# Nobody had to be asked.
		refute_contains "$(statements "$mark" "$name")" pg_control_system
	done
	# By another way of this machine's; the first is another server that answers.
	local here=$SERVER_PORT
	own_server
	sql postgres "CREATE DATABASE \"$name\" OWNER app"
	there=$SERVER_PORT
	use_server "$SUITE_SERVER"
	url="postgresql://app:$APP_PASSWORD_ENCODED@127.0.0.1:$here/$name"
	for place in "127.0.0.1:$there,[::1]:$here/$name" "/$name?host=127.0.0.1,$SERVER_SOCKET&port=$there,$here"; do
		export PROD_CONNECTION_URL=postgresql://app:$APP_PASSWORD_ENCODED@$place
		CONNECTION_URL=$url run --separate-stderr db-drop
		assert_stays
		assert_contains "$stderr" 'leads to the same database'
	done
}

@test "a pooler's name for production's database is seen through" {
	start_pgbouncer session $'[databases]\nlive'"=host=$SERVER_SOCKET port=$SERVER_PORT dbname=$name"
	PROD_CONNECTION_URL=$(bouncer_url live)
	export PROD_CONNECTION_URL
	# Also when its tunnel was closed a moment ago.
	closed_port
	PROD_CONNECTION_URL=${PROD_CONNECTION_URL/:$BOUNCER_PORT/:$closed} run --separate-stderr db-protect --show
	assert_equal "database \"$name\" is not protected" "$output"
	tunnel "$closed" "$BOUNCER_PORT"
	PROD_CONNECTION_URL=${PROD_CONNECTION_URL/:$BOUNCER_PORT/:$closed} run --separate-stderr db-drop
	assert_stays
	assert_contains "$stderr" 'leads to the same database'
	run --separate-stderr db-drop
	assert_stays
	assert_contains "$stderr" 'leads to the same database'
	# And the other way round, known or not.
	CONNECTION_URL=$(bouncer_url live)
	PROD_CONNECTION_URL=$PROD_URL
	run --separate-stderr db-seed --truncate
	assert_stays
	assert_contains "$stderr" 'leads to the same database'
	PROD_CONNECTION_URL=$PROD_URL
	db-protect --show prod
	run --separate-stderr db-schema-load
	assert_stays
	assert_contains "$stderr" 'leads to the same database'
}

@test "a role that may not ask for the system identifier recognises the server all the same" {
	own_server
	sql postgres "CREATE DATABASE \"$name\" OWNER app"
	sql "$name" "CREATE TABLE customer (what text); INSERT INTO customer VALUES ('precious')"
	for database in postgres "$name"; do
		sql "$database" 'REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC'
	done
	tunnel
	PROD_CONNECTION_URL=$(app_url "$name")
	export PROD_CONNECTION_URL=${PROD_CONNECTION_URL/:$SERVER_PORT/:$TUNNEL_PORT}
	CONNECTION_URL=$(app_url "$name") run --separate-stderr db-drop
	assert_stays
	assert_contains "$stderr" 'leads to the same database'
}

@test "a login that production's server refuses is said where the names differ, once an hour, and is no sign" {
	cc -shared -fPIC -o "$TEST_DIR/names.so" "$ROOT/tests/lib/names.c" -ldl
	export TEST_NAMES=prod.test=127.0.0.1 ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0
	local wrong=${PROD_URL/:$APP_PASSWORD_ENCODED@/:wrong@}
	wrong=${wrong/$name/other}
	# On this machine it is asked each time.
	for PROD_CONNECTION_URL in "${wrong/127.0.0.1/prod.test}" "$wrong"; do
		export PROD_CONNECTION_URL
		LD_PRELOAD=$TEST_DIR/names.so run --separate-stderr db-drop
		assert_status 0
		assert_contains "$stderr" 'it did not say, and is taken for another one, as its database has another name: '
		assert_contains "$stderr" 'password authentication failed'
		db-create -q
		LD_PRELOAD=$TEST_DIR/names.so run --separate-stderr db-protect --show
		assert_equal "database \"$name\" is not protected" "$output"
		refute_contains "$stderr" 'did not say'
		[[ $PROD_CONNECTION_URL = *prod.test* ]] || assert_contains "$stderr" 'asking the server'
		[[ $PROD_CONNECTION_URL != *prod.test* ]] || refute_contains "$stderr" 'asking the server'
	done
	run --separate-stderr db-protect --off
	assert_status 0
	assert_equal 1 "$(grep -c 'asking the server' <<<"$stderr")"
	find "$HOME/.local/state/dbrig" -name 'known-silent-*' -exec touch -d '61 minutes ago' {} +
	PROD_CONNECTION_URL=${wrong/127.0.0.1/prod.test} LD_PRELOAD=$TEST_DIR/names.so run --separate-stderr db-protect --show
	assert_contains "$stderr" 'asking the server'
}

@test "a server that hangs is waited for three seconds at most" {
	own_server
	there=$SERVER_PORT own=$SERVER_HOME
	sql postgres "CREATE DATABASE \"$name\" OWNER app"
	use_server "$SUITE_SERVER"
	export PROD_CONNECTION_URL=${PROD_URL/:$SERVER_PORT/:$there} PROD_EU_CONNECTION_URL=${PROD_URL/:$SERVER_PORT/:$there}
	read -r process <"$own/data/postmaster.pid"
	kill -STOP "$process"
	SECONDS=0
	run --separate-stderr db-drop
	took=$SECONDS
	kill -CONT "$process"
	assert_stays
	((took <= 4))
}

@test "snapshots of a protected database stay protected when it is gone" {
	db-protect -q
	db-snapshot -q save s
	sql postgres "DROP DATABASE \"$name\""
	run --separate-stderr db-snapshot drop s
	assert_status 4
	assert_contains "$stderr" 'marked as that of the target "local"'
	assert_matches "$(siblings)" snapshot
	db-snapshot -q drop s --confirm "$name"
	assert_equal '' "$(siblings)"
}

@test "a copy that has become production is not replaced" {
	db-setup -q --copies 2
	before=$(oid "${name}_2")
	drop_later "${name}_1"
	export PROD_CONNECTION_URL=${PROD_URL}_2
	run --separate-stderr db-setup --copies 2
	assert_status 4
	assert_contains "$stderr" 'leads to it'
	assert_equal "$before" "$(oid "${name}_2")"
}

@test "a copy of production's whole server is settled by --off, production itself is not" {
	own_server
	production=$SERVER_HOME production_port=$SERVER_PORT
	sql postgres "CREATE DATABASE \"$name\" OWNER app"
	PROD_CONNECTION_URL=$(app_url "$name")
	export PROD_CONNECTION_URL
	db-protect -q prod
	# Under another way to it.
	tunnel
	CONNECTION_URL=${PROD_CONNECTION_URL/:$production_port/:$TUNNEL_PORT}
	for _ in 1 2; do
		run --separate-stderr db-protect --off --confirm "$name"
		assert_contains "$stderr" 'stays protected'
		assert_equal '[dbrig:protected=prod]' "$(comment "$name")"
	done
	pg_server pause
	copy=$(mktemp -d "${TMPDIR:-/tmp}/pg.XXXXXX")
	OWN_SERVERS+=("$copy")
	rm -r "$copy"
	cp -a "$production" "$copy"
	sed -i -e "s#$production#$copy#g" -e "s/^SERVER_PORT=.*/SERVER_PORT=$((production_port + 1))/" "$copy/env"
	sed -i "s#$production#$copy#g" "$copy/data/postgresql.auto.conf"
	pg_server_at "$copy" start
	pg_server start
	use_server "$copy"
	CONNECTION_URL=$(app_url "$name")
	run --separate-stderr db-drop
	assert_status 4
	run --separate-stderr db-protect --off --confirm "$name"
	assert_status 0
	assert_contains "$stderr" 'is not protected any more'
	assert_equal '[dbrig:unprotected]' "$(comment "$name")"
	db-setup -q
	# That is settled: production is not asked each time.
	run --separate-stderr db-setup
	assert_status 0
	refute_contains "$stderr" 'asking the server'
	db-drop -q
	assert_equal '' "$(oid "$name")"
	use_server "$production"
	assert_equal '[dbrig:protected=prod]' "$(comment "$name")"
}

@test "local is found under another target's URL, where it is listed" {
	export DB_PROTECTED_TARGETS=local DEV_CONNECTION_URL=$PROD_URL
	for CONNECTION_URL in "$PROD_URL" "${PROD_URL/$name/other}"; do
		DATABASE_URL=$PROD_URL run --separate-stderr db-drop dev
		assert_stays
		assert_contains "$stderr" '_URL leads to the same database'
	done
	unset CONNECTION_URL
	for variables in "PGHOST=127.0.0.1 PGDATABASE=$name" "PGHOST=$SERVER_SOCKET PGDATABASE=$name"; do
		# shellcheck disable=SC2086 # several words
		PGPORT=$SERVER_PORT run --separate-stderr env $variables db-drop dev
		assert_stays
		assert_contains "$stderr" 'the PG* variables name leads to the same database'
	done
	DB_PROTECTED_TARGETS=live PGHOST=127.0.0.1 PGPORT=$SERVER_PORT PGDATABASE=$name run --separate-stderr db-drop dev
	assert_status 0
}

@test "production's URL may name the private server itself" {
	unset CONNECTION_URL
	db-setup -q
	url=$(db-server url)
	PROD_CONNECTION_URL=$url run --separate-stderr db-drop
	assert_status 4
	assert_contains "$stderr" 'leads to the same database'
	PROD_CONNECTION_URL=$url CONNECTION_URL=$url run --separate-stderr db-setup
	assert_status 4
	# Another database of it, and what cannot be asked, are nobody's business there.
	PROD_CONNECTION_URL=postgresql://app@192.0.2.1/project run --separate-stderr db-setup
	assert_status 0
	refute_contains "$stderr" asking
	db-drop -q
}
