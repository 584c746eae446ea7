#!/usr/bin/env bats
# bats file_tags=once
# What the imitation of AWS does wrong on demand, and what it records.

load helper
load aws
load aws-calls

setup() {
	common_setup
	start_aws
}

# --- faults ------------------------------------------------------------------------------------

@test "a fault meets one call and no more" {
	aws_fault 'DescribeDBInstances status 503'
	rds Action=DescribeDBInstances
	assert_answer 503 ServiceUnavailable
	rds Action=DescribeDBInstances
	assert_answer 200
}

@test "faults queue up, wait for their action, and may last" {
	aws_fault 'DescribeDBInstances throttle' 2
	aws_fault 'DescribeDBInstances code 400 Custom A message.' always
	call sts Action=GetCallerIdentity
	assert_answer 200
	rds Action=DescribeDBInstances
	assert_answer 400 Throttling
	rds Action=DescribeDBInstances
	assert_answer 400 Throttling
	rds Action=DescribeDBInstances
	assert_answer 400 '<Code>Custom</Code><Message>A message.</Message>'
	rds Action=DescribeDBInstances
	assert_answer 400 '<Code>Custom</Code>'
}

@test "throttling and missing permission look as each service has them" {
	aws_fault '* throttle'
	ec2 Action=DescribeSecurityGroupRules
	assert_answer 503 RequestLimitExceeded
	aws_fault '* denied' 2
	ec2 Action=DescribeSecurityGroupRules
	assert_answer 403 UnauthorizedOperation 'Encoded authorization failure message:'
	rds Action=DescribeDBInstances
	assert_answer 403 AccessDenied
}

@test "a connection that is reset, or hangs, gives no answer" {
	aws_fault '* reset'
	rds Action=DescribeDBInstances
	assert_status 1
	aws_fault '* hang'
	CALL_SECONDS=1 rds Action=DescribeDBInstances
	assert_status 2
	assert_equal $'rds DescribeDBInstances -\nrds DescribeDBInstances -' "$(aws_requests)"
}

@test "answers that are no answer come with 200 and change nothing" {
	local fault
	aws_rule "$R" "$G" 20.1.1.1/32
	for fault in html empty garbage noop; do
		aws_fault "ModifySecurityGroupRules $fault"
		modify "$R" CidrIpv4=20.1.1.2/32
		assert_answer 200
		assert_contains "$(aws_rules "$G")" 20.1.1.1/32
	done
}

@test "a redirect names its target" {
	aws_fault 'Ip4 redirect http://127.0.0.1:1/'
	run bash -c 'exec 3<>/dev/tcp/127.0.0.1/"$1"; printf "GET /ip4 HTTP/1.1\r\nConnection: close\r\n\r\n" >&3
		cat <&3' bash "${AWS_ENDPOINT_URL##*:}"
	assert_contains "$output" 'HTTP/1.1 302'
	assert_contains "$output" 'Location: http://127.0.0.1:1/'
}

@test "a lost answer's call was carried out" {
	aws_rule "$R" "$G" 20.1.1.1/32
	aws_fault 'ModifySecurityGroupRules lost'
	modify "$R" CidrIpv4=20.1.1.2/32
	assert_status 1
	assert_contains "$(aws_rules "$G")" 20.1.1.2/32
}

@test "stale answers show the state before a write, as often as asked" {
	aws_rule "$R" "$G" 20.1.1.1/32
	aws_fault 'ModifySecurityGroupRules stale 2'
	modify "$R" CidrIpv4=20.1.1.2/32
	describe
	assert_answer 200 20.1.1.1/32
	describe
	assert_answer 200 20.1.1.1/32
	describe
	assert_answer 200 20.1.1.2/32
}

@test "a clock that was set off refuses the right time and takes its own" {
	aws_fault 'DescribeDBInstances skew 1020'
	rds Action=DescribeDBInstances
	assert_answer 403 'Signature expired'
	CALL_OFFSET=1020 rds Action=DescribeDBInstances
	assert_answer 200
}

@test "spoilt answers are longer, shorter, late, or have a DOCTYPE" {
	aws_fault 'DescribeDBInstances big 2000000'
	rds Action=DescribeDBInstances
	assert_status 0
	[ "${#output}" -gt 2000000 ]
	aws_fault 'DescribeDBInstances cut'
	rds Action=DescribeDBInstances
	refute_contains "$output" '</DescribeDBInstancesResponse>'
	aws_fault 'DescribeDBInstances doctype'
	rds Action=DescribeDBInstances
	assert_answer 200 '<!DOCTYPE'
	aws_fault 'DescribeDBInstances slow 2'
	CALL_SECONDS=1 rds Action=DescribeDBInstances
	assert_status 2
}

# --- records -----------------------------------------------------------------------------------

@test "a request is kept byte for byte" {
	local text=$'POST /x?y HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n\x01b%\xff'
	printf '%s' "$text" >"/dev/tcp/127.0.0.1/${AWS_ENDPOINT_URL##*:}"
	wait_until "[ -e '$AWS_DIR/requests/1' ]"
	assert_equal "$(printf '%s' "$text" | od -c)" "$(aws_request 1 | od -c)"
}

@test "writes are counted, reads are not" {
	aws_rule "$R" "$G" 20.1.1.1/32
	describe
	call sts Action=GetCallerIdentity
	get /ip4
	assert_equal 0 "$(aws_writes)"
	modify "$R" CidrIpv4=20.1.1.2/32
	assert_equal 1 "$(aws_writes)"
	assert_contains "$(aws_parameters 4)" SecurityGroupRule.1.SecurityGroupRule.CidrIpv4=20.1.1.2/32
	assert_matches "$(aws_header 4 authorization)" '^AWS4-HMAC-SHA256 '
}

@test "the endpoint ends when its owner does" {
	local owner pid
	sleep 60 &
	owner=$!
	JOBS+=("$owner")
	"$ROOT/tests/lib/aws-endpoint" "$TEST_DIR/short" --owner "$owner" 3>&- 4>&- &
	pid=$!
	JOBS+=("$pid")
	wait_until "[ -s '$TEST_DIR/short/url' ]"
	kill "$owner"
	wait "$owner" || :
	wait_until "! kill -0 $pid 2>/dev/null || is_zombie $pid"
}

@test "nobody listens any more once the endpoint was stopped" {
	call sts Action=GetCallerIdentity
	assert_answer 200
	stop_aws
	call sts Action=GetCallerIdentity
	assert_contains "$output" 'cannot connect'
}
