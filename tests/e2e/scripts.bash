# What the tests of running scripts share: db-schema-load.bats and scripts.bats.

# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables of bats and of the tests

setup() {
	common_setup
	DB=$(db main)
	export CONNECTION_URL
	CONNECTION_URL=$(url "$DB")
}

# load ARGUMENT...: runs the command, streams apart.
load_schema() {
	run --separate-stderr db-schema-load "$@"
}

# The last run ended with an error of the script at PLACE: message, the file's line, a caret.
# assert_fails_at PLACE MESSAGE [EXCERPT [CARET]]
assert_fails_at() {
	local line
	assert_status 3 && assert_contains "$stderr" "$1: ERROR: $2" || return
	if [ $# -gt 2 ]; then
		line=${1#*:}
		line=$(printf '%5d | %s' "${line%%:*}" "$3")
		assert_contains "$stderr" "$line"$'\n'"      | ${4:-}" || return
	fi
}

# No relation, function or type of the script is in the database.
assert_untouched() {
	assert_equal '0|0|0' "$(sql "$DB" "SELECT
		(SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace),
		(SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace),
		(SELECT count(*) FROM pg_namespace WHERE oid >= 16384 AND nspname <> 'public')")"
}

# Runs a command as an account that is not root.
as_other() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups "$@"
	else
		"$@"
	fi
}
