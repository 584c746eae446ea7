# What tests of protected databases have in common: `load helper`, `load protection`.

# shellcheck shell=bash
# SC2154: helper.bash and bats set them. SC2034: tests read TUNNEL_PORT.
# shellcheck disable=SC2154,SC2034

# A project whose commands take nobody for an AI agent.
protection_setup() {
	common_setup
	unset CI DB_CACHE
	export DBRIG_AGENT=0
	make_project
}

# assert_refused PART: the last run was, for that reason, and has changed nothing of what the test's
# own "everything" prints since $before.
assert_refused() {
	assert_status 4
	assert_contains "$stderr" 'refusing to '
	assert_contains "$stderr" "$1"
	assert_equal "$before" "$(everything)"
}

# tunnel [PORT [TO]]: a port of this machine that is forwarded to the server; sets TUNNEL_PORT.
tunnel() {
	start_job socat -d -d "TCP-LISTEN:${1:-0},bind=127.0.0.1,fork,reuseaddr" "TCP:127.0.0.1:${2:-$SERVER_PORT}"
	wait_until "grep -q 'listening on' '$JOB_ERR'"
	TUNNEL_PORT=$(sed -n 's/.*listening on .*:\([0-9]*\)$/\1/p' "$JOB_ERR")
}
