#!/usr/bin/env bats
# bats file_tags=slow
# Loads that are disturbed at random moments (tests/lib/random-faults, on a server of its own).

load helper

# random_faults ARGUMENT...: sets undone, complete, unknown and wrong, of its last two lines.
random_faults() {
	run timeout 100 "$ROOT/tests/lib/random-faults" "$@"
	local counts='^([0-9]+) undone, ([0-9]+) complete, ([0-9]+) unknown$'
	assert_matches "${lines[-2]}" "$counts" || return
	undone=${BASH_REMATCH[1]} complete=${BASH_REMATCH[2]} unknown=${BASH_REMATCH[3]}
	assert_matches "${lines[-1]}" '^[0-9]+ runs, ([0-9]+) wrong$' || return
	wrong=${BASH_REMATCH[1]}
}

@test "a load that is killed, cut off or whose server dies leaves the database as before or complete" {
	random_faults --runs 22 --seed 1
	assert_status 0
	assert_equal 0 "$wrong"
	assert_equal 22 "$((undone + complete + unknown))"
	# The faults did hit.
	[ "$undone" -ge 8 ]
}

# loader OPTION ...: db-schema-load of the tool under test, with faults of its own.
loader() {
	mkdir -p "$TEST_DIR/bin"
	cat >"$TEST_DIR/bin/db-schema-load"
	chmod +x "$TEST_DIR/bin/db-schema-load"
	PATH=$TEST_DIR/bin:$PATH
}

# bats test_tags=once
@test "random-faults notices half a load, a wrong status and a wrong word" {
	loader <<-SH
		#!/bin/sh
		exec "$DBRIG_BIN/db-schema-load" --no-transaction "\$@"
	SH
	random_faults --runs 3 --seed 8
	assert_status 1
	assert_contains "$output" 'neither as before nor complete'
	loader <<-SH
		#!/bin/sh
		trap : INT TERM HUP
		"$DBRIG_BIN/db-schema-load" "\$@" || exit 3
	SH
	random_faults --runs 3 --seed 8
	assert_status 1
	assert_matches "$output" 'the wrong status|ended by the wrong thing'
}
