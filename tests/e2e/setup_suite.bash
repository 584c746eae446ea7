# One PostgreSQL server for the whole suite; tests/lib/pg-server makes it, helper.bash uses it.

# shellcheck shell=bash

setup_suite() {
	# The private server of root runs under another account, which has to pass through here.
	chmod 711 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/*/ 2>/dev/null || :
	SUITE_SERVER=$(mktemp -d "${TMPDIR:-/tmp}/pg.XXXXXX")
	export SUITE_SERVER
	# $$ is the suite's process: when it is killed, the server goes as well.
	"${BASH_SOURCE[0]%/*}"/../lib/pg-server start "$SUITE_SERVER" --owner $$
}

teardown_suite() {
	"${BASH_SOURCE[0]%/*}"/../lib/pg-server stop "$SUITE_SERVER"
}
