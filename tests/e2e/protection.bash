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

# contents NAME: a line for each catalog and each table, sequence and view of that database: how many rows,
# and a digest. Any change shows, also one that was made and taken back; a dump takes ten times as long.
contents() {
	sql "$1" "
		WITH objects AS (
			SELECT 'pg_class' AS name, oid::text AS key, xmin FROM pg_class UNION ALL
			SELECT 'pg_type', oid::text, xmin FROM pg_type UNION ALL
			SELECT 'pg_proc', oid::text, xmin FROM pg_proc UNION ALL
			SELECT 'pg_namespace', oid::text, xmin FROM pg_namespace UNION ALL
			SELECT 'pg_constraint', oid::text, xmin FROM pg_constraint UNION ALL
			SELECT 'pg_extension', oid::text, xmin FROM pg_extension UNION ALL
			SELECT 'pg_trigger', oid::text, xmin FROM pg_trigger UNION ALL
			SELECT 'pg_rewrite', oid::text, xmin FROM pg_rewrite UNION ALL
			SELECT 'pg_attribute', attrelid || '.' || attnum, xmin FROM pg_attribute)
		SELECT name, count(*), md5(string_agg(key || ' ' || xmin, ',' ORDER BY key)) FROM objects GROUP BY name
		UNION ALL
		SELECT oid::regclass::text, relfilenode, md5(query_to_xml('TABLE ' || oid::regclass, true, false, '')::text)
		FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'p', 'S', 'm') ORDER BY 1"
}
