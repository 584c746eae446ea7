#!/usr/bin/env bats
# bats file_tags=once
# Our signatures beside botocore's, for random requests and authentication tokens at random times
# (tests/lib/sign-comparison). The fixed vectors are in tests/unit/test_sign.c.

load helper

setup_file() {
	SIGN_CASES=$(unit_program sign_cases)
	export SIGN_CASES
}

setup() {
	common_setup
}

@test "random requests and authentication tokens are signed as botocore signs them" {
	run "$ROOT/tests/lib/sign-comparison" "$SIGN_CASES" 250
	assert_status 0
	assert_equal '250 requests the same, 250 tokens the same, 0 different' "${lines[-1]}"
}

# As the program: ours, what it reads or prints changed by sed.
changing_program() {
	printf '#!/bin/sh\nsed "%s" | "%s" | sed "%s"\n' "$1" "$SIGN_CASES" "$2" >"$TEST_DIR/program"
	chmod +x "$TEST_DIR/program"
}

@test "the comparison with botocore notices a signer that differs" {
	changing_program '' ''
	run "$ROOT/tests/lib/sign-comparison" "$TEST_DIR/program" 20 1
	assert_status 0
	local change
	for change in 's/Signature=0*[1-9a-f]/&0/' 's/X-Amz-Date: /&0/' 's/Expires=900/Expires=901/' \
		's/^X-Amz-Security-Token.*/X-Other: 1/' 's/content-type;host/host/' 's/%2F/\//'; do
		changing_program '' "$change"
		run "$ROOT/tests/lib/sign-comparison" "$TEST_DIR/program" 20 1
		assert_status 1
		refute_contains "${lines[-1]}" ', 0 different'
	done
}

@test "the comparison with botocore notices a signer that misreads its input" {
	local change
	# Fields: kind, key, secret, session token, region, service, time, host, …
	for change in 's/[^\t]*/41/2' 's/[^\t]*/41/3' 's/[^\t]*/41/4' 's/[^\t]*/41/5' 's/[^\t]*/31/7' \
		's/[^\t]*/41/8' 's/[^\t]*$/42/'; do
		changing_program "${change//\\t/$'\t'}" ''
		run "$ROOT/tests/lib/sign-comparison" "$TEST_DIR/program" 5 1
		assert_status 1
		assert_matches "${lines[-1]}" '^0 requests the same, 0 tokens the same, 10 different$'
	done
}

@test "the comparison with botocore fails without a signer" {
	run "$ROOT/tests/lib/sign-comparison" "$TEST_DIR/missing" 5
	assert_status 2
	run "$ROOT/tests/lib/sign-comparison" /bin/true 5
	[ "$status" -ne 0 ]
}

@test "the comparison with botocore fails without botocore" {
	echo 'raise ImportError' >"$TEST_DIR/botocore.py"
	PYTHONPATH=$TEST_DIR run "$ROOT/tests/lib/sign-comparison" "$SIGN_CASES" 5
	assert_status 1
	assert_contains "$output" 'botocore is missing'
}
