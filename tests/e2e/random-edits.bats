#!/usr/bin/env bats
# bats file_tags=slow,once
# Resets after random edits of what goes into them (tests/lib/random-edits, on a server of its own).

load helper

# random_edits ARGUMENT...: sets taken and wrong, of its last two lines.
random_edits() {
	run timeout 200 "$ROOT/tests/lib/random-edits" "$@"
	assert_matches "${lines[-2]}" '^[0-9]+ without an edit, ([0-9]+) of them copies, [0-9]+ failed$' || return
	taken=${BASH_REMATCH[1]}
	assert_matches "${lines[-1]}" '^[0-9]+ runs, ([0-9]+) wrong$' || return
	wrong=${BASH_REMATCH[1]}
}

# broken TEXT: a db-setup that runs shell text first when it may take a copy.
broken() {
	mkdir -p "$TEST_DIR/bin"
	cat >"$TEST_DIR/bin/db-setup" <<-SH
		#!/bin/sh
		case \$* in *--no-cache*) ;; *) $1 ;; esac
		exec "$DBRIG_BIN/db-setup" "\$@"
	SH
	chmod +x "$TEST_DIR/bin/db-setup"
	PATH=$TEST_DIR/bin:$PATH
}

@test "whatever is edited, a reset is never a stale copy" {
	random_edits --runs 2 --seed 4
	assert_status 0
	assert_equal 0 "$wrong"
	[ "$taken" -ge 3 ]
}

@test "random-edits notices settings that are not seen, data that are not fresh and copies that are not taken" {
	broken 'unset PGTZ PGOPTIONS PGDATESTYLE'
	random_edits --runs 1 --seed 300 --about settings
	assert_status 1
	assert_contains "$output" 'WRONG: not what --no-cache makes'
	broken 'set -- --cached-seed "$@"'
	random_edits --runs 1 --seed 2 --about variables
	assert_status 1
	assert_matches "$output" 'WRONG: .* (is older by|holds .* again)'
	broken 'export DB_CACHE=off'
	random_edits --runs 1 --seed 1
	assert_status 1
	assert_equal '0 0' "$taken $wrong"
}
