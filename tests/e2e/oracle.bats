#!/usr/bin/env bats
# bats file_tags=slow
# What our reader finds in a script, beside what psql finds in it: both run it against a server that
# says yes to everything and records what it was sent (tests/lib/oracle, imitation-server).

load helper

# oracle ARGUMENT...: sets same, failed, stricter and different, of its last line.
oracle() {
	# The psql of the machine, whatever server the other tests use.
	run env -u DB_TEST_BINDIR "$ROOT/tests/lib/oracle" --keep "$TEST_DIR" "$@"
	local counts='^([0-9]+) the same, ([0-9]+) failed on both sides, ([0-9]+) stricter, ([0-9]+) different$'
	assert_matches "${lines[-1]}" "$counts" || return
	same=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]}
	stricter=${BASH_REMATCH[3]} different=${BASH_REMATCH[4]}
}

# How many files of the corpus have a name like that.
files() {
	find "$ROOT/tests/corpus" -maxdepth 1 -name "$1" | wc -l
}

@test "the scripts of the corpus come down to the statements and COPY data that psql sends" {
	oracle "$ROOT"/tests/corpus/*.sql
	assert_status 0
	# Those that end badly run twice, from the file and from a pipe.
	assert_equal "$(($(files '*.fail.sql') * 2))" "$failed"
	assert_equal "$(($(files '*.stop.sql') * 2))" "$stricter"
	assert_equal "$(($(files '*.sql') - $(files '*.fail.sql') - $(files '*.stop.sql')))" "$same"
}

@test "random scripts come down to the statements and COPY data that psql sends" {
	# With sanitizers each takes three times as long.
	local count=200
	[ "${DBRIG_MODE:-}" != asan ] || count=60
	oracle --random 1 "$count"
	assert_status 0
	# Most succeed; those that fail count twice, from the file and from a pipe.
	[ "$same" -ge $((count * 2 / 5)) ] && [ "$((same + failed + stricter))" -ge "$count" ]
}

# As the loader: psql, on a script in which SUBSTITUTION was made.
changing_loader() {
	cat >"$TEST_DIR/loader" <<-SH
		#!/bin/sh
		if [ "\$2" = - ]; then cat; else cat "\$2"; fi | perl -0pe '$1' >"$TEST_DIR/changed.sql"
		exec "$(env -u DB_TEST_BINDIR "$ROOT/tests/lib/pg-server" client psql)" -XAtq \
			-v ON_ERROR_STOP=1 -f "$TEST_DIR/changed.sql" "\$CONNECTION_URL"
	SH
	chmod +x "$TEST_DIR/loader"
}

# bats test_tags=once
@test "the comparison with psql notices a reader that differs" {
	changing_loader ''
	oracle --loader "$TEST_DIR/loader" --random 1 40
	assert_equal 0 "$different"
	local change
	for change in 's/;/\\;/' 's/^1\t2$/1 2/m' 's/\\else/\\endif\n\\if true/' 's/\\echo/\\warn/'; do
		changing_loader "$change"
		oracle --loader "$TEST_DIR/loader" --random 1 40
		assert_status 1
		[ "$different" -ge 1 ]
	done
}
