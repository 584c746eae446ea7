# Calls of the imitation of AWS without any of our programs, for the tests of the imitation itself.
# `load aws` first.
#
#   call SERVICE NAME=VALUE...         a signed call (tests/lib/aws-call); sets $status, $output, $lines
#   ec2, rds                           the same
#   describe [NAME=VALUE...]           DescribeSecurityGroupRules of the group $G
#   modify ID SOURCE [NAME=VALUE...]   ModifySecurityGroupRules; SOURCE as CidrIpv4=20.1.1.1/32
#   authorize RANGE [NAME=VALUE...]    AuthorizeSecurityGroupIngress; RANGE as IpRanges.1.CidrIp=...
#   get PATH [HEADER...]               an unsigned GET, or METHOD
#   assert_answer STATUS [PART...]     of the last call

# shellcheck shell=bash
# SC2154: helper.bash and bats set them. SC2034: the tests use them.
# shellcheck disable=SC2154,SC2034

G=sg-0123456789abcdef0
R=sgr-0123456789abcdef0
R2=sgr-0123456789abcdef2

call() {
	run "$ROOT/tests/lib/aws-call" "$@"
}

ec2() {
	call ec2 "$@"
}

rds() {
	call rds "$@"
}

assert_answer() {
	local part
	assert_status 0
	assert_equal "$1" "${lines[0]}"
	for part in "${@:2}"; do
		assert_contains "$output" "$part"
	done
}

describe() {
	ec2 Action=DescribeSecurityGroupRules Filter.1.Name=group-id "Filter.1.Value.1=$G" "$@"
}

modify() {
	ec2 Action=ModifySecurityGroupRules "GroupId=$G" "SecurityGroupRule.1.SecurityGroupRuleId=$1" \
		SecurityGroupRule.1.SecurityGroupRule.IpProtocol=tcp \
		SecurityGroupRule.1.SecurityGroupRule.FromPort=5432 \
		SecurityGroupRule.1.SecurityGroupRule.ToPort=5432 \
		"SecurityGroupRule.1.SecurityGroupRule.$2" "${@:3}"
}

authorize() {
	ec2 Action=AuthorizeSecurityGroupIngress "GroupId=$G" IpPermissions.1.IpProtocol=tcp \
		IpPermissions.1.FromPort=5432 IpPermissions.1.ToPort=5432 "IpPermissions.1.$1" "${@:2}"
}

get() {
	run get_now "$@"
}

get_now() {
	local path=$1 url fd
	shift
	url=$(<"$AWS_DIR/url")
	exec {fd}<>"/dev/tcp/127.0.0.1/${url##*:}"
	{
		printf '%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n' "${METHOD:-GET}" "$path"
		[ $# -eq 0 ] || printf '%s\r\n' "$@"
		printf '\r\n'
	} >&"$fd"
	sed -n -e '1s/^HTTP[^ ]* \([0-9]*\).*/\1/p' -e '1,/^\r$/d' -e p <&"$fd"
	exec {fd}>&-
}
