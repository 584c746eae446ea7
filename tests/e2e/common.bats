#!/usr/bin/env bats
# What holds for every executable: a new file in src/cmd/ is covered here without another line.

load helper

# each FUNCTION: calls it with the name of every command; names those that fail.
each() {
	local source name failed=''
	for source in "$ROOT"/src/cmd/*.c; do
		name=$(basename "$source" .c)
		"$1" "$name" || failed+=" $name"
	done
	assert_equal '' "$failed"
}

# The long options that a text (the help, a man page as a terminal shows it) has an entry for.
entries() {
	grep -oE '^ {2,6}(-[a-zA-Z0-9?], )?--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort -u
}

# man_options NAME: the long options its man page documents.
man_options() {
	mandoc -T ascii "$ROOT/build/release/man/$1.1" | sed 's/.\x08//g' |
		sed -n '/^OPTIONS/,/^[A-NP-Z]/p' | entries
}

man_page_agrees() {
	run --separate-stderr "$1" --help
	assert_status 0 && assert_equal '' "$stderr" && assert_contains "$output" "$1" &&
		assert_contains "$output" --help && assert_equal "$(man_options "$1")" "$(entries <<<"$output")"
}

@test "--help goes to stdout and has the same options as the man page" {
	each man_page_agrees
}

version_is_printed() {
	run --separate-stderr "$1" --version
	assert_status 0 && assert_equal '' "$stderr" && assert_matches "$output" "^$1 .*[0-9]+\.[0-9]+"
}

@test "--version prints the name and a version" {
	each version_is_printed
}

# is_usage_error NAME ARGUMENT...: status 64, a message on stderr, nothing on stdout.
is_usage_error() {
	run --separate-stderr "$@"
	assert_status 64 && assert_equal '' "$output" && assert_contains "$stderr" "$1: error: "
}

unknown_option_fails() {
	is_usage_error "$1" --no-such-option && assert_contains "$stderr" --no-such-option &&
		is_usage_error "$1" -%
}

@test "an unknown option is a usage error that names it" {
	each unknown_option_fails
}

abbreviation_fails() {
	is_usage_error "$1" --hel && is_usage_error "$1" --versio
}

@test "an abbreviated long option is refused" {
	each abbreviation_fails
}

# The options that take a value are those that the help shows with one (--file FILE, --file=FILE).
value_options() {
	"$1" --help | grep -oE -- '--[a-z-]+[ =][A-Z]+' | sed 's/[ =].*//' | sort -u
}

option_as_value_fails() {
	local option
	for option in $(value_options "$1"); do
		is_usage_error "$1" "$option" --help && assert_contains "$stderr" "$option" || return
	done
}

@test "an option's value that begins with -- is refused" {
	each option_as_value_fails
	# Not vacuous: some command has such an option.
	assert_contains "$(value_options db-schema-load)" --file
}

flag_with_value_fails() {
	is_usage_error "$1" --help=yes
}

@test "a flag given a value is refused" {
	each flag_with_value_fails
}

control_characters_are_shown() {
	run --separate-stderr "$1" $'--x\e[31m'
	assert_status 64 && refute_contains "$stderr" $'\e'
}

@test "control characters in a wrong option are shown, not obeyed" {
	each control_characters_are_shown
}

password_is_hidden() {
	local url='postgresql://app:sekret1@127.0.0.1:1/shop?sslpassword=sekret1' case words
	for case in "$url" "local|$url" "x|y|host=h password='a sekret1'" "--no-such=$url" "--$url" "--wait=$url" \
		"--confirm=--$url" "--env-file=$url"; do
		IFS='|' read -ra words <<<"$case"
		run --separate-stderr "$1" "${words[@]}"
		refute_contains "$output$stderr" sekret || return
	done
}

@test "a URL where something else belongs is shown without its password" {
	each password_is_hidden
	run --separate-stderr db-drop 'postgresql://app:sekret1@127.0.0.1/shop'
	assert_status 64
	assert_contains "$stderr" '"postgresql://app:***@127.0.0.1/shop" is not a target name'
	assert_contains "$stderr" 'CONNECTION_URL'
}

closed_stdout_fails() {
	run --separate-stderr bash -c '"$0" --help >&-' "$1"
	[ "$status" -ne 0 ] && assert_contains "$stderr" "$1: error: "
}

@test "--help with stdout closed is an error" {
	each closed_stdout_fails
}

full_disk_fails() {
	run --separate-stderr bash -c '"$0" --help >/dev/full' "$1"
	[ "$status" -ne 0 ] && assert_contains "$stderr" "$1: error: "
}

@test "--help onto a full disk is an error" {
	each full_disk_fails
}

empty_environment_works() {
	local path
	path=$(command -v "$1")
	run env -i "$path" --help
	assert_status 0
}

@test "--help works in an empty environment" {
	each empty_environment_works
}

has_its_companions() {
	local file
	for file in "man/$1.1.in" "tests/e2e/$1.bats"; do
		[ -f "$ROOT/$file" ] || {
			printf 'missing: %s\n' "$file" >&2
			return 1
		}
	done
	# shellcheck disable=SC2016 # the backquotes are Markdown's
	grep -qE '^\| *`'"$1"'[` ]' "$ROOT/README.md" || {
		printf 'README.md has no table row for %s\n' "$1" >&2
		return 1
	}
}

@test "every command has a man page, an end-to-end test and a README row" {
	each has_its_companions
}
