#!/usr/bin/env bats
# bats file_tags=once
# rds-update-sg-rule when AWS, the network, a colleague or the clock is not as it should be.

load helper
load aws
load sg-rule

setup() {
	sg_rule_setup
}

# The rule has our address.
assert_open() {
	assert_contains "$(aws_rules "$G")" "$R ingress tcp 5432 5432 $HERE/32 GITPOD"
}

assert_closed() {
	assert_equal "$R ingress tcp 5432 5432 20.9.9.9/32 GITPOD" "$(aws_rules "$G")"
}

# --- colleagues --------------------------------------------------------------------------------

@test "a colleague's rule behind the same address is enough, and ours is left" {
	aws_rule "$R2" "$G" "$HERE/32" 5432 alice
	update
	assert_status 0
	assert_equal "unchanged $R2 $G 5432 $HERE/32" "$output"
	assert_equal "note: $R2 \"alice\" already allows $HERE/32 on tcp/5432; $R left as it is" "$stderr"
	assert_contains "$(aws_rules "$G")" "$R ingress tcp 5432 5432 20.9.9.9/32 GITPOD"
}

@test "where the list shows the colleague's rule nothing is written" {
	unset DB_SG_RULE_ID
	aws_rule "$R2" "$G" "$HERE/32" 5432 alice
	update
	assert_status 0
	assert_equal 0 "$(aws_writes)"
}

@test "--create beside a colleague who was faster is success" {
	unset DB_SG_RULE_ID
	aws_fault 'DescribeSecurityGroupRules stale 1'
	aws_rule "$R2" "$G" "$HERE/32" 5432 alice
	update --create --description bob
	assert_status 0
	assert_equal "unchanged $R2 $G 5432 $HERE/32" "$output"
	assert_contains "$stderr" "$R2 \"alice\" already allows $HERE/32"
	assert_contains "$(aws_requests)" 'ec2 AuthorizeSecurityGroupIngress 400'
}

@test "a duplicate that nobody can see is an error" {
	aws_fault 'ModifySecurityGroupRules code 400 InvalidPermission.Duplicate the specified rule already exists'
	update
	assert_status 1
	assert_contains "$stderr" InvalidPermission.Duplicate
	assert_closed
}

@test "two processes at once put the same address into one rule" {
	local one two
	rds-update-sg-rule >one 2>&1 &
	one=$!
	rds-update-sg-rule >two 2>&1 &
	two=$!
	wait "$one"
	wait "$two"
	assert_open
}

@test "two processes that create at once make one rule" {
	local one two
	unset DB_SG_RULE_ID
	aws_fault 'AuthorizeSecurityGroupIngress slow 1'
	rds-update-sg-rule --create --description bob >one 2>&1 &
	one=$!
	rds-update-sg-rule --create --description bob >two 2>&1 &
	two=$!
	wait "$one"
	wait "$two"
	assert_equal 1 "$(aws_rules "$G" | grep -c " $HERE/32 bob")"
}

# --- answers that are late, lost or wrong ------------------------------------------------------

@test "a write whose answer is lost is done once and reported" {
	aws_fault 'ModifySecurityGroupRules lost'
	update
	assert_status 0
	assert_equal "changed $R $G 5432 20.9.9.9/32 -> $HERE/32 \"GITPOD\"" "$output"
	assert_open
}

@test "a new rule whose answer is lost is known and made once" {
	unset DB_SG_RULE_ID
	aws_fault 'AuthorizeSecurityGroupIngress lost'
	update --create --description bob
	assert_status 0
	assert_matches "$output" "^created sgr-[0-9a-f]{17} $G"
	assert_equal 1 "$(aws_rules "$G" | grep -c " $HERE/32 bob")"
}

@test "a removal whose answer is lost is success" {
	aws_fault 'RevokeSecurityGroupIngress lost'
	update --remove
	assert_status 0
	assert_contains "$output" removed
	assert_equal '' "$(aws_rules "$G")"
}

@test "a write whose answer is broken is looked for before anything is said" {
	local fault
	for fault in cut doctype; do
		aws_rule "$R" "$G" 20.9.9.9/32 5432 GITPOD
		aws_fault "ModifySecurityGroupRules $fault"
		update
		assert_status 0
		assert_equal "changed $R $G 5432 20.9.9.9/32 -> $HERE/32 \"GITPOD\"" "$output"
	done
	aws_fault 'RevokeSecurityGroupIngress cut'
	update --remove
	assert_status 0
	assert_contains "$output" "removed $R"
	aws_fault 'AuthorizeSecurityGroupIngress cut'
	DB_SG_RULE_ID='' update --create --description bob
	assert_status 0
	assert_matches "$output" "^created sgr-[0-9a-f]{17} $G"
}

@test "a broken answer to a write that was not done is an error" {
	aws_fault 'ModifySecurityGroupRules html'
	update
	assert_status 1
	assert_contains "$stderr" 'AWS still shows 20.9.9.9/32'
	assert_closed
}

@test "a signal while the rule is written: it is said that it may be changed" {
	aws_fault 'ModifySecurityGroupRules slow 1'
	start_job rds-update-sg-rule
	wait_until '[ "$(aws_writes)" = 1 ]'
	kill -TERM "$JOB_PID"
	finish_job
	assert_status 143
	assert_contains "$stderr" "rule $R of $G may be changed already"
}

@test "a state that is shown late is waited for" {
	aws_fault 'ModifySecurityGroupRules stale 1'
	update
	assert_status 0
	assert_equal '' "$stderr"
	assert_open
}

@test "a write that AWS only says it did is a warning" {
	aws_fault 'ModifySecurityGroupRules noop'
	update
	assert_status 0
	assert_contains "$stderr" 'warning: '
	assert_contains "$stderr" 'AWS still shows 20.9.9.9/32'
	assert_closed
}

@test "throttling and passing faults are tried again" {
	local fault
	for fault in throttle 'status 503' 'status 500' reset; do
		aws_rule "$R" "$G" 20.9.9.9/32 5432 GITPOD
		aws_fault "DescribeSecurityGroupRules $fault"
		aws_fault "ModifySecurityGroupRules $fault"
		update
		assert_status 0
		assert_open
	done
}

@test "what is no answer of AWS is never success" {
	local fault
	for fault in html empty garbage 'redirect https://example.com/'; do
		aws_fault "DescribeSecurityGroupRules $fault" always
		update
		[ "$status" -ne 0 ]
		assert_equal '' "$output"
		assert_equal 0 "$(aws_writes)"
		assert_closed
		stop_aws
		start_aws
		aws_rule "$R" "$G" 20.9.9.9/32 5432 GITPOD
	done
}

@test "no answer at all ends with status 2 when the time is over" {
	aws_fault '* hang' always
	update --timeout 2
	assert_status 2
	assert_closed
}

@test "address services that do not answer end with status 2" {
	local second
	unset GITPOD_IP
	second=$(aws_endpoint_second)
	aws_fault 'Ip4 hang'
	AWS_DIR=$AWS_DIR2 aws_fault 'Ip4 hang'
	DB_SG_IP_URLS="$AWS_ENDPOINT_URL/ip4,$second/ip4" update
	assert_status 2
	assert_closed
}

@test "nobody at the endpoint ends with status 2" {
	stop_aws
	update
	assert_status 2
}

@test "a clock that is wrong is corrected and mentioned" {
	aws_fault '* skew 1020'
	update
	assert_status 0
	assert_contains "$stderr" clock
	assert_open
}

# --- AWS says no -------------------------------------------------------------------------------

@test "a missing permission is an error without AWS's encoded message" {
	aws_fault 'ModifySecurityGroupRules denied'
	update
	assert_status 1
	assert_contains "$stderr" ModifySecurityGroupRules
	assert_contains "$stderr" UnauthorizedOperation
	refute_contains "$stderr" Zm9vYmFy
	assert_closed
}

@test "a full group is an error that says what to do" {
	unset DB_SG_RULE_ID
	aws_fault 'AuthorizeSecurityGroupIngress code 400 RulesPerSecurityGroupLimitExceeded The maximum number of rules'
	update --create --description bob
	assert_status 1
	assert_contains "$stderr" "security group $G is full: RulesPerSecurityGroupLimitExceeded (eu-central-1, request "
	assert_contains "$stderr" --remove
}

@test "an unknown group is an error that names group and region" {
	unset DB_SG_RULE_ID
	update --group-id sg-0123456789abcdef9 --create
	assert_status 1
	assert_contains "$stderr" sg-0123456789abcdef9
}

@test "a wrong secret key is an error about credentials" {
	AWS_SECRET_ACCESS_KEY=wrong update
	assert_status 1
	assert_equal 0 "$(aws_writes)"
	assert_contains "$stderr" AuthFailure
}

@test "expired credentials are an error" {
	aws_key ASIAOLD secret token 1000000000
	AWS_ACCESS_KEY_ID=ASIAOLD AWS_SECRET_ACCESS_KEY=secret AWS_SESSION_TOKEN=token update
	assert_status 1
	assert_closed
}

# --- secrets -----------------------------------------------------------------------------------

@test "no secret is in what is printed, whatever goes wrong" {
	local fault
	aws_key ASIASESSION s3cr3tKEY s3cr3tTOKEN
	export AWS_ACCESS_KEY_ID=ASIASESSION AWS_SECRET_ACCESS_KEY=s3cr3tKEY AWS_SESSION_TOKEN=s3cr3tTOKEN
	for fault in 'ModifySecurityGroupRules denied' '* html' '* reset' 'DescribeSecurityGroupRules code 400 X y'; do
		aws_fault "$fault"
		run rds-update-sg-rule -v -v --json
		refute_contains "$output" s3cr3t
		refute_contains "$output" Signature=
	done
	run rds-update-sg-rule -v
	assert_status 0
	refute_contains "$output" s3cr3t
	assert_equal "$(aws_header 1 x-amz-security-token)" s3cr3tTOKEN
}

@test "no secret is in the arguments or in a file" {
	aws_fault 'DescribeSecurityGroupRules slow 1'
	start_job rds-update-sg-rule
	sleep 0.4
	refute_contains "$(tr '\0' ' ' <"/proc/$JOB_PID/cmdline")" "$AWS_SECRET_ACCESS_KEY"
	finish_job
	assert_status 0
	assert_equal '' "$(grep -rlF "$AWS_SECRET_ACCESS_KEY" "$HOME")"
}

# --- --wait ------------------------------------------------------------------------------------

@test "--wait returns once the server of the target can be reached" {
	PROD_CONNECTION_URL=$(tcp_url app postgres) update --port "$SERVER_PORT" --force --wait=20
	assert_status 0
	assert_equal "$(aws_rules "$G")" "$R ingress tcp $SERVER_PORT $SERVER_PORT $HERE/32 GITPOD"
}

@test "--wait ends with 6 when the time is over, and the rule stays" {
	PROD_CONNECTION_URL=postgresql://u@127.0.0.1:1/d update --wait=1
	assert_status 6
	assert_contains "$stderr" 127.0.0.1
	assert_open
}

@test "--wait notices a private address before anything is asked or written" {
	SECONDS=0
	PROD_CONNECTION_URL=postgresql://u@10.255.255.1:5432/d update --wait=60
	assert_status 2
	[ "$SECONDS" -lt 20 ]
	assert_equal '' "$(aws_requests)"
	assert_contains "$stderr" 10.255.255.1
	assert_contains "$stderr" VPN
	assert_contains "$stderr" AWS-StartPortForwardingSessionToRemoteHost
}

@test "--wait for a target without a URL writes nothing" {
	update --wait
	assert_status 64
	assert_equal '' "$(aws_requests)"
}

# Twice: on a connection that was in use before, libcurl tries once more by itself.
@test "a write whose answers are all lost is looked for, and reported as done" {
	export AWS_MAX_ATTEMPTS=1
	aws_fault 'ModifySecurityGroupRules lost' 2
	update
	assert_status 0
	assert_equal "changed $R $G 5432 20.9.9.9/32 -> $HERE/32 \"GITPOD\"" "$output"
	assert_open
	aws_fault 'RevokeSecurityGroupIngress lost' 2
	update --remove
	assert_status 0
	assert_equal '' "$(aws_rules "$G")"
	unset DB_SG_RULE_ID
	aws_fault 'AuthorizeSecurityGroupIngress lost' 2
	update --create
	assert_status 0
	assert_matches "$output" ^created
	assert_equal 1 "$(aws_rules "$G" | wc -l)"
}

@test "a write without any answer that AWS does not show may still come" {
	export AWS_MAX_ATTEMPTS=1
	aws_fault 'ModifySecurityGroupRules reset' 2
	update
	assert_status 2
	assert_contains "$stderr" 'AWS may have carried it out. Looking for what became of it: AWS still shows 20.9.9.9/32'
	unset DB_SG_RULE_ID
	aws_fault 'AuthorizeSecurityGroupIngress reset' 2
	update --create --description other
	assert_status 2
	assert_contains "$stderr" 'AWS may have added the rule'
}

@test "--wait tries hostaddr, where the connections go" {
	local port=${SERVER_PORT}
	PROD_CONNECTION_URL="postgresql://app@mydb.abc123.eu-central-1.rds.amazonaws.com:$port/d?hostaddr=127.0.0.1" \
		update --port "$port" --force --wait=10
	assert_status 0
	PROD_CONNECTION_URL='postgresql://app@localhost/d?hostaddr=10.255.255.1' update --wait=1
	assert_status 2
	assert_contains "$stderr" 10.255.255.1
}

@test "--wait tries each address of a name, and is over in time when no name server answers" {
	local port=${SERVER_PORT} preload=$TEST_DIR/names.so
	cc -shared -fPIC -o "$preload" "$ROOT/tests/lib/names.c" -ldl
	export TEST_NAMES='two.test=127.0.0.3,127.0.0.1 hang.test=hang' ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0
	LD_PRELOAD=$preload PROD_CONNECTION_URL="postgresql://app@two.test:$port/d" \
		update --port "$port" --force --wait=10
	assert_status 0
	SECONDS=0
	LD_PRELOAD=$preload PROD_CONNECTION_URL="postgresql://app@hang.test:$port/d" \
		update --port "$port" --wait=1
	assert_status 6
	((SECONDS >= 3 && SECONDS <= 8))
}
