#!/usr/bin/env bats
# Servers at IPv6 addresses: connections, what is told, and whether they are production's. On a machine
# without IPv6 only what needs no connection to ::1.

load helper
load setup

setup() {
	common_setup
	unset CI DB_CACHE
	export DBRIG_AGENT=0
	make_project
	HERE=127.0.0.1
	if has_ipv6; then
		HERE='[::1]'
		own_server listen_addresses=127.0.0.1,::1
		echo 'host all all ::1/128 scram-sha-256' >>"$SERVER_HOME/data/pg_hba.conf"
		sql postgres 'SELECT pg_reload_conf()' >"$TEST_DIR/reload"
		wait_until "[ \"\$(sql postgres \"SELECT count(*) FROM pg_hba_file_rules WHERE address = '::1'\")\" = 1 ]"
	fi
	name=$(db shop)
	sql "$name" "CREATE TABLE customer (what text); INSERT INTO customer VALUES ('precious')"
	sql postgres "ALTER DATABASE \"$name\" OWNER TO app"
	by_address "$HERE"
}

has_ipv6() {
	perl -MSocket=:DEFAULT,inet_pton,pack_sockaddr_in6,AF_INET6 -e '
		socket(my $s, AF_INET6, SOCK_STREAM, 0) &&
			bind($s, pack_sockaddr_in6(0, inet_pton(AF_INET6, "::1"))) or exit 1'
}

# by_address HOST: CONNECTION_URL of the database there.
by_address() {
	CONNECTION_URL=$(app_url "$name")
	export CONNECTION_URL=${CONNECTION_URL/127.0.0.1/$1}
}

# prod HOST[:PORT] [PARAMETERS]: the same for PROD_CONNECTION_URL.
prod() {
	local url
	url=$(app_url "$name")
	[[ $1 == *]:* ]] && url=${url/127.0.0.1:$SERVER_PORT/$1} || url=${url/127.0.0.1/$1}
	export PROD_CONNECTION_URL=$url${2:+?$2}
}

assert_stays() {
	assert_status 4
	assert_equal precious "$(sql "$name" 'SELECT what FROM customer')"
}

@test "sessions are shown, and psql is connected, over ::1" {
	has_ipv6 || return 0
	mark=$(server_log_mark)
	run --separate-stderr db-sessions --json
	assert_status 0
	assert_contains "$(server_log_since "$mark")" 'connection received: host=::1 '
	DB_CLIENT=$SERVER_PSQL run --separate-stderr db-connect -- -XAtc 'SELECT inet_server_addr()'
	assert_status 0
	assert_equal ::1 "$output"
	run --separate-stderr db-doctor --no-health --json
	assert_status 0
	assert_equal '::1 IPv6' "$(jq -r '.steps[] | select(.step == "dns") | .facts.addresses[0] | "\(.address) \(.family)"' <<<"$output")"
}

@test "a connection to an IPv6 address that fails names it in brackets" {
	by_address '[2001:db8::5]'
	run --separate-stderr db-sessions
	assert_status 2
	assert_contains "$stderr" "could not connect to app@[2001:db8::5]:$SERVER_PORT/$name"
	refute_contains "$stderr" "$APP_PASSWORD"
}

@test "a database at ::1 is nobody's but ours" {
	run --separate-stderr db-protect --show
	assert_status 0
	assert_contains "$output" 'is not protected'
	run --separate-stderr db-drop
	assert_status 0
	assert_equal '' "$(oid "$name")"
}

@test "production's URL with ::1 in any form is recognised, and nobody is asked" {
	has_ipv6 || return 0
	for host in '[::1]' '[0:0:0:0:0:0:0:1]' '[::0001]'; do
		prod "$host"
		run --separate-stderr db-drop
		assert_stays
		assert_contains "$stderr" 'leads to the same database'
		refute_contains "$stderr" 'asking the server'
	done
}

@test "the same server by IPv4 and by IPv6 is recognised" {
	has_ipv6 || return 0
	prod '[::1]'
	by_address 127.0.0.1
	run --separate-stderr db-drop
	assert_stays
	assert_contains "$stderr" 'leads to the same database'
	by_address '[::1]'
	prod 127.0.0.1
	run --separate-stderr db-drop
	assert_stays
	assert_contains "$stderr" 'leads to the same database'
	# By its socket, when its address cannot be asked.
	use "$name"
	prod '[::1]' user=nobody
	rm -r "$HOME/.local/state/dbrig"
	run --separate-stderr db-drop
	assert_stays
	assert_contains "$stderr" 'leads to the same database'
}

@test "a tunnel that ends at ::1 is seen through" {
	has_ipv6 || return 0
	start_job socat -d -d "TCP6-LISTEN:0,bind=[::1],fork,reuseaddr" "TCP:127.0.0.1:$SERVER_PORT"
	wait_until "grep -q 'listening on' '$JOB_ERR'"
	port=$(sed -n 's/.*listening on .*:\([0-9]*\)$/\1/p' "$JOB_ERR")
	prod "[::1]:$port"
	run --separate-stderr db-drop
	assert_stays
	assert_contains "$stderr" 'leads to the same database'
}

@test "production at an IPv6 address that cannot be reached makes destroying commands ask" {
	prod '[2001:db8:1:2::5]' connect_timeout=2
	SECONDS=0
	run --separate-stderr db-drop
	((SECONDS <= 6))
	assert_stays
	assert_contains "$stderr" "may be production's"
	# Its own URL in CONNECTION_URL: there is nothing that could be lost.
	CONNECTION_URL=$PROD_CONNECTION_URL run --separate-stderr db-drop
	assert_status 2
	assert_contains "$stderr" '[2001:db8:1:2::5]'
}
