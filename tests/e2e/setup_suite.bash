# One PostgreSQL server for the whole suite; tests/lib/pg-server makes it, helper.bash uses it. Where
# SUITE_SERVER names one, it is that.

# shellcheck shell=bash
# shellcheck disable=SC2154 # the variables of the server's env file

setup_suite() {
	# The private server of root runs under another account, which has to pass through here.
	chmod 711 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/*/ 2>/dev/null || :
	SUITE_OWNS_SERVER=false
	if [ -z "${SUITE_SERVER:-}" ]; then
		SUITE_SERVER=$(mktemp -d "${TMPDIR:-/tmp}/pg.XXXXXX")
		export SUITE_SERVER
		SUITE_OWNS_SERVER=true
		# $$ is the suite's process: when it is killed, the server goes as well.
		"${BASH_SOURCE[0]%/*}"/../lib/pg-server start "$SUITE_SERVER" --owner $$
	fi
}

# A database that no test is known by would have stayed. (One that is may have been made after all when
# whoever ordered it had been killed.)
teardown_suite() {
	local left
	# shellcheck source=/dev/null
	. "$SUITE_SERVER/env"
	left=$("$SERVER_PSQL" -XAtq -h "$SERVER_SOCKET" -p "$SERVER_PORT" -U postgres -d postgres -f - <<-'SQL'
		SELECT CASE WHEN datistemplate THEN format('ALTER DATABASE %I IS_TEMPLATE false', datname) END,
			format('DROP DATABASE IF EXISTS %I WITH (FORCE)', datname)
		FROM pg_database WHERE datname ~ '(^|[^a-z0-9])t[0-9]+_' \gexec
		SELECT datname FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1')
	SQL
	)
	if $SUITE_OWNS_SERVER; then
		"${BASH_SOURCE[0]%/*}"/../lib/pg-server stop "$SUITE_SERVER"
	fi
	if [ -n "$left" ]; then
		printf 'databases left behind:\n%s\n' "$left" >&2
		return 1
	fi
}
