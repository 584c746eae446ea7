#!/usr/bin/env bats
# bats file_tags=slow,once
# Where AWS credentials are looked for: beside botocore (tests/lib/credentials-matrix), and what that
# does not show. The program is tests/unit/credentials_probe, which prints no secret but its digest.

load helper
load aws

setup_file() {
	PROBE=$(unit_program credentials_probe)
	export PROBE
}

setup() {
	common_setup
	start_aws
	# Without the keys; each test says where its own are.
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	mkdir "$HOME/.aws"
}

matrix() {
	run "$ROOT/tests/lib/credentials-matrix" "$@"
}

# use_process SHELL: the default profile's credential_process is a script with these lines.
use_process() {
	printf '#!/bin/sh\n%s\n' "$1" >"$TEST_DIR/process"
	chmod +x "$TEST_DIR/process"
	printf '[default]\ncredential_process = %s\n' "$TEST_DIR/process" >"$HOME/.aws/config"
}

use_instance() {
	unset AWS_EC2_METADATA_DISABLED
	export AWS_EC2_METADATA_SERVICE_ENDPOINT=$AWS_ENDPOINT_URL
}

JSON='{"Version":1,"AccessKeyId":"P","SecretAccessKey":"Zq7secret","SessionToken":"Zq7token"}'

# The line of the probe's output that begins with that word.
found() {
	sed -n "s/^$1 //p" <<<"$output"
}

# --- beside botocore ---------------------------------------------------------------------------

@test "credentials are looked for in the places, in the order and with the requests of botocore" {
	matrix "$PROBE" "$AWS_DIR" "$TEST_DIR/matrix"
	assert_status 0
	local counts='^([0-9]+) the same, ([0-9]+) ours alone, ([0-9]+) different on purpose, 0 wrong$'
	assert_matches "${lines[-1]}" "$counts"
	[ "${BASH_REMATCH[1]}" -ge 95 ]
	[ "${BASH_REMATCH[2]}" -le 2 ]
	[ "${BASH_REMATCH[3]}" -le 12 ]
}

# As the program: ours, after shell lines, and what it prints changed by sed.
changing_probe() {
	printf '#!/bin/sh\n%s\n"%s" "$@" >out; status=$?\nsed "%s" out; exit $status\n' \
		"$1" "$PROBE" "$2" >"$TEST_DIR/program"
	chmod +x "$TEST_DIR/program"
}

# bats test_tags=once
@test "the comparison with botocore notices another result" {
	local change
	changing_probe '' ''
	matrix "$TEST_DIR/program" "$AWS_DIR" "$TEST_DIR/matrix" 'credentials file with a token'
	assert_status 0
	for change in 's/^key F/key G/' 's/^secret ./secret x/' 's/^token .*/token none/' \
		's/^source .*/source environment/'; do
		changing_probe '' "$change"
		matrix "$TEST_DIR/program" "$AWS_DIR" "$TEST_DIR/matrix" 'credentials file with a token'
		assert_status 1
		assert_equal '0 the same, 0 ours alone, 0 different on purpose, 1 wrong' "${lines[-1]}"
	done
}

# bats test_tags=once
@test "the comparison with botocore notices other requests" {
	local change
	for change in s/1800/1900/ s/my-session/other/ /duration/d; do
		changing_probe "sed '$change' \"\$HOME/.aws/config\" >config; export AWS_CONFIG_FILE=\$PWD/config" ''
		matrix "$TEST_DIR/program" "$AWS_DIR" "$TEST_DIR/matrix" 'role with all settings'
		assert_status 1
		assert_contains "$output" 'requests:'
		assert_equal '0 the same, 0 ours alone, 0 different on purpose, 1 wrong' "${lines[-1]}"
	done
}

# bats test_tags=once
@test "the comparison with botocore fails without botocore" {
	echo 'raise ImportError' >"$TEST_DIR/botocore.py"
	PYTHONPATH=$TEST_DIR matrix "$PROBE" "$AWS_DIR" "$TEST_DIR/matrix"
	assert_status 1
	assert_contains "$output" 'botocore is missing'
}

# --- credential_process ------------------------------------------------------------------------

@test "credential_process is run without a shell" {
	printf '#!/bin/sh\nprintf "%%s|" "$@" >"%s"\n' "$TEST_DIR/arguments" >"$TEST_DIR/words"
	chmod +x "$TEST_DIR/words"
	printf '[default]\ncredential_process = %s $HOME `id` "a b" ; ls | cat > %s\n' \
		"$TEST_DIR/words" "$TEST_DIR/other" >"$HOME/.aws/config"
	run "$PROBE"
	assert_status 1
	assert_equal "\$HOME|\`id\`|a b|;|ls|||cat|>|$TEST_DIR/other|" "$(<"$TEST_DIR/arguments")"
	[ ! -e "$TEST_DIR/other" ]
}

@test "credential_process gets the caller's directory and environment, and no input" {
	use_process "pwd >'$TEST_DIR/seen'; echo \"\$WORD\" >>'$TEST_DIR/seen'; cat >>'$TEST_DIR/seen'; echo '$JSON'"
	mkdir "$TEST_DIR/here"
	cd "$TEST_DIR/here"
	WORD=word run "$PROBE" <<<'not for it'
	assert_status 0
	assert_equal P "$(found key)"
	assert_equal "$TEST_DIR/here"$'\n'word "$(<"$TEST_DIR/seen")"
}

@test "credential_process is looked for in PATH" {
	use_process "echo '$JSON'"
	echo $'[default]\ncredential_process = process' >"$HOME/.aws/config"
	PATH=$TEST_DIR:$PATH run "$PROBE"
	assert_status 0
	assert_equal 'profile "default" (credential_process)' "$(found source)"
}

@test "credential_process speaks to the user on standard error, and its output is not shown" {
	local json
	for json in "$JSON" "${JSON/\"Version\":1,/}" "${JSON/\}/} Zq7}" "${JSON/:1/:Zq7}" "${JSON/P/Zq7 Zq7}"; do
		use_process "echo 'touch the key' >&2; echo '$json'"
		run --separate-stderr "$PROBE"
		assert_contains "$stderr" 'touch the key'
		refute_contains "$output$stderr" Zq7
	done
}

@test "credential_process that fails is an error with its status" {
	use_process "echo '$JSON'; exit 3"
	run "$PROBE"
	assert_status 1
	assert_contains "$output" 'credential_process of profile "default" failed with status 3'
	refute_contains "$output" Zq7
	use_process 'kill -KILL $$'
	run "$PROBE"
	assert_status 1
	assert_contains "$output" 'credential_process of profile "default" was ended by signal 9'
}

@test "credential_process that writes without end is an error" {
	use_process 'yes Zq7 | head -c 3000000'
	run "$PROBE"
	assert_status 1
	assert_contains "$output" 'wrote more than 65535 bytes'
	refute_contains "$output" Zq7
}

@test "a signal ends credential_process with its children" {
	use_process "sleep 100 & echo \$\$ \$! >'$TEST_DIR/pids.new'; mv '$TEST_DIR/pids.new' '$TEST_DIR/pids'; wait"
	start_job setsid "$PROBE"
	wait_until "[ -s '$TEST_DIR/pids' ]"
	kill -TERM "$JOB_PID"
	finish_job
	assert_status 143
	local pid
	for pid in $(<"$TEST_DIR/pids"); do
		wait_until "! kill -0 $pid 2>/dev/null || is_zombie $pid"
	done
}

@test "credential_process ends when its caller is killed outright" {
	use_process "echo \$\$ >'$TEST_DIR/pid.new'; mv '$TEST_DIR/pid.new' '$TEST_DIR/pid'; exec sleep 100"
	start_job "$PROBE"
	wait_until "[ -s '$TEST_DIR/pid' ]"
	kill -KILL "$JOB_PID"
	finish_job
	wait_until "! kill -0 $(<"$TEST_DIR/pid") 2>/dev/null || is_zombie $(<"$TEST_DIR/pid")"
}

@test "credential_process can ask something on the terminal" {
	use_process "printf 'code: ' >/dev/tty; read -r code </dev/tty; echo '$JSON' | sed \"s/:\\\"P/:\\\"P\$code/\""
	run_tty $'123\n' -- "$PROBE"
	assert_status 0
	assert_contains "$output" 'key P123'
}

# --- the container's and the instance's services -----------------------------------------------

@test "credentials of a container or an instance are not asked for through a proxy" {
	export http_proxy=http://127.0.0.1:1 HTTP_PROXY=http://127.0.0.1:1 ALL_PROXY=http://127.0.0.1:1
	AWS_CONTAINER_CREDENTIALS_FULL_URI=$AWS_ENDPOINT_URL/v2/credentials/x run "$PROBE"
	assert_status 0
	assert_matches "$(found key)" '^ASIAEXAMPLEBOX'
	use_instance
	run "$PROBE"
	assert_status 0
	assert_matches "$(found key)" '^ASIAEXAMPLEEC2'
}

@test "the instance is asked with a session's token and never without" {
	use_instance
	aws_fault 'Token status 403'
	run "$PROBE"
	assert_status 64
	assert_equal 'metadata Token 403' "$(aws_requests)"
	run "$PROBE"
	assert_status 0
	assert_equal $'metadata Token 403\nmetadata Token 200\nmetadata Role 200\nmetadata Credentials 200' \
		"$(aws_requests)"
	aws_header 3 x-aws-ec2-metadata-token
	aws_header 4 x-aws-ec2-metadata-token
}

@test "an instance's service that does not answer costs about a second" {
	use_instance
	aws_fault 'Token hang'
	SECONDS=0
	run "$PROBE"
	assert_status 64
	assert_contains "$output" 'no AWS credentials: looked at environment, profile "default" (~/.aws/credentials), web identity, container, EC2 metadata'
	[ "$SECONDS" -le 4 ]
	assert_equal 'metadata Token -' "$(aws_requests)"
}

@test "a signal ends the waiting for the instance's service" {
	use_instance
	export AWS_CONTAINER_CREDENTIALS_FULL_URI=$AWS_ENDPOINT_URL/v2/credentials/x
	aws_fault 'Credentials hang' always
	start_job "$PROBE"
	wait_until '[ -n "$(aws_requests)" ]'
	kill -INT "$JOB_PID"
	wait_until job_ended 2
	finish_job
	assert_status 130
	assert_equal 1 "$(aws_requests | wc -l)"
}

@test "the credentials of an instance without a role are missing, and the message says so" {
	use_instance
	aws_set metadata_role ''
	run "$PROBE"
	assert_status 64
	assert_contains "$output" 'EC2 metadata: the instance has no role.'
}

@test "expired credentials of an instance are used on" {
	use_instance
	aws_set lifetime -60
	run "$PROBE"
	assert_status 0
	[ "$(found expires)" -gt "$(date +%s)" ]
}

@test "expired credentials of a container are an error" {
	export AWS_CONTAINER_CREDENTIALS_FULL_URI=$AWS_ENDPOINT_URL/v2/credentials/x
	aws_set lifetime -60
	run "$PROBE"
	assert_status 1
	assert_contains "$output" 'the credentials from container expired at '
}

@test "the region of the instance counts when the credentials are its own" {
	use_instance
	unset AWS_REGION
	run "$PROBE" --show-region
	assert_status 0
	assert_equal eu-central-1 "$(found region)"
	AWS_ACCESS_KEY_ID=A AWS_SECRET_ACCESS_KEY=s run "$PROBE" --show-region
	assert_status 64
	assert_contains "$output" 'no AWS region is set'
}

@test "the container's service is asked again when it fails, three times in all" {
	export AWS_CONTAINER_CREDENTIALS_FULL_URI=$AWS_ENDPOINT_URL/v2/credentials/x
	aws_fault 'Credentials status 500'
	aws_fault 'Credentials reset'
	run "$PROBE"
	assert_status 0
	assert_equal $'container Credentials 500\ncontainer Credentials -\ncontainer Credentials 200' "$(aws_requests)"
	aws_fault 'Credentials status 503' 3
	run "$PROBE"
	assert_status 1
	assert_contains "$output" "the container's credentials service answered with status 503"
	assert_equal 6 "$(aws_requests | wc -l)"
}

@test "a container's token that holds the end of a line is not sent" {
	export AWS_CONTAINER_CREDENTIALS_FULL_URI=$AWS_ENDPOINT_URL/v2/credentials/x
	AWS_CONTAINER_AUTHORIZATION_TOKEN=$'Zq7\r\nX-Other: y' run "$PROBE"
	assert_status 64
	refute_contains "$output" Zq7
	assert_equal '' "$(aws_requests)"
}

# --- secrets -----------------------------------------------------------------------------------

@test "no error about credentials holds a secret" {
	local text
	for text in $'[default]\naws_access_key_id = A\naws_secret_access_key = Zq7 x\n' \
		$'[default]\naws_access_key_id = A\naws_secret_access_key = a\naws_session_token = Zq7\tx\n' \
		$'[default]\naws_access_key_id = A\naws_secret_access_key = a\nZq7\n' \
		$'aws_secret_access_key = Zq7\n'; do
		printf %s "$text" >"$HOME/.aws/credentials"
		run "$PROBE"
		assert_status 64
		refute_contains "$output" Zq7
	done
	rm "$HOME/.aws/credentials"
	AWS_ACCESS_KEY_ID=A AWS_SECRET_ACCESS_KEY='Zq7 ' run "$PROBE"
	assert_status 64
	refute_contains "$output" Zq7
	echo 'a.Zq7expired.c' >"$TEST_DIR/jwt"
	AWS_WEB_IDENTITY_TOKEN_FILE=$TEST_DIR/jwt AWS_ROLE_ARN=arn:aws:iam::123456789012:role/r run "$PROBE"
	assert_status 1
	assert_contains "$output" ExpiredTokenException
	refute_contains "$output" Zq7
}

@test "a credentials file that others can read is used with a warning" {
	printf '[default]\naws_access_key_id = A\naws_secret_access_key = s\n' >"$HOME/.aws/credentials"
	chmod 600 "$HOME/.aws/credentials"
	run --separate-stderr "$PROBE"
	assert_status 0
	assert_equal '' "$stderr"
	chmod 640 "$HOME/.aws/credentials"
	run --separate-stderr "$PROBE"
	assert_status 0
	assert_equal A "$(found key)"
	assert_contains "$stderr" 'others can read "~/.aws/credentials"'
}

@test "the role and the profile are named when AWS does not give the role" {
	printf '[profile x]\nrole_arn = arn:aws:iam::123456789012:role/forbidden\nsource_profile = s\n' \
		>"$HOME/.aws/config"
	printf '[s]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = %s\n' \
		wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY >"$HOME/.aws/credentials"
	run "$PROBE" --profile x
	assert_status 1
	assert_contains "$output" AccessDenied
	assert_contains "$output" 'The call was for role arn:aws:iam::123456789012:role/forbidden of profile "x".'
}

# --- .env ------------------------------------------------------------------------------------------

@test "a project's .env names no program, no file of keys and no place that keys are sent to" {
	start_aws
	aws_instance mydb available
	mkdir -p evil db
	printf '[default]\ncredential_process = /usr/bin/touch %s/ran\n' "$TEST_DIR" >evil/config
	printf 'AWS_CONFIG_FILE=%s/evil/config\nAWS_ENDPOINT_URL_RDS=http://127.0.0.1:1\n' "$TEST_DIR" >.env
	run --separate-stderr rds-status --instance mydb
	assert_status 0
	assert_contains "$stderr" 'AWS_CONFIG_FILE in "'
	assert_contains "$stderr" 'AWS_ENDPOINT_URL_RDS in "'
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	run --separate-stderr rds-status --instance mydb
	assert_status 64
	[ ! -e ran ]
	# What the user sets is another matter.
	AWS_CONFIG_FILE=$TEST_DIR/evil/config run --separate-stderr rds-status --instance mydb
	[ -e ran ]
}

@test "AWS_MAX_ATTEMPTS counts in .env, as the page says" {
	export AWS_ACCESS_KEY_ID=AKIDEXAMPLE
	export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
	mkdir db
	aws_instance mydb available
	echo AWS_MAX_ATTEMPTS=1 >.env
	aws_fault 'DescribeDBInstances status 503'
	run --separate-stderr rds-status --instance mydb
	assert_status 1
	assert_equal 1 "$(aws_requests | wc -l)"
}
