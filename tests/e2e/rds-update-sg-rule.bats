#!/usr/bin/env bats
# This machine's address into the rule of a security group, against an imitation of AWS.

load helper
load aws
load sg-rule

R3=sgr-0123456789abcdef3

setup() {
	sg_rule_setup
}

# assert_nothing_written STATUS PART...: the last run ended so, said so, and left AWS as it was.
assert_nothing_written() {
	local part
	assert_status "$1"
	assert_equal 0 "$(aws_writes)"
	for part in "${@:2}"; do
		assert_contains "$output$stderr" "$part"
	done
}

# assert_one_error: one message, one line, in the house's form.
assert_one_error() {
	assert_equal '' "$output"
	assert_equal 1 "$(grep -c '^rds-update-sg-rule: error: ' <<<"$stderr")"
}

# number_of ACTION: the number of the last request of that action.
number_of() {
	aws_requests | grep -n " $1 " | tail -n 1 | cut -d: -f1
}

# --- writing and not writing -------------------------------------------------------------------

@test "the address comes into the rule" {
	update
	assert_status 0
	assert_equal "changed $R $G 5432 20.9.9.9/32 -> $HERE/32 \"GITPOD\"" "$output"
	assert_equal '' "$stderr"
	assert_equal "$R ingress tcp 5432 5432 $HERE/32 GITPOD" "$(aws_rules "$G")"
}

@test "the rule is looked at, written and looked at again" {
	update
	assert_equal "ec2 DescribeSecurityGroupRules 200
ec2 ModifySecurityGroupRules 200
ec2 DescribeSecurityGroupRules 200" "$(aws_requests)"
}

@test "the write has the fields that the aws CLI sends" {
	update
	assert_equal "Action=ModifySecurityGroupRules
GroupId=$G
SecurityGroupRule.1.SecurityGroupRule.CidrIpv4=$HERE/32
SecurityGroupRule.1.SecurityGroupRule.Description=GITPOD
SecurityGroupRule.1.SecurityGroupRule.FromPort=5432
SecurityGroupRule.1.SecurityGroupRule.IpProtocol=tcp
SecurityGroupRule.1.SecurityGroupRule.ToPort=5432
SecurityGroupRule.1.SecurityGroupRuleId=$R
Version=2016-11-15" "$(aws_parameters "$(number_of ModifySecurityGroupRules)")"
}

@test "a rule that is right is not written" {
	update
	update
	assert_status 0
	assert_equal "unchanged $R $G 5432 $HERE/32 \"GITPOD\"" "$output"
	assert_equal 1 "$(aws_writes)"
}

@test "with -q a rule that is right is silent" {
	aws_rule "$R" "$G" "$HERE/32" 5432 GITPOD
	update -q
	assert_nothing_written 0
	assert_equal '' "$output$stderr"
}

@test "another description is written, and the old one shown" {
	aws_rule "$R" "$G" "$HERE/32" 5432 'my laptop'
	update --description 'my phone'
	assert_status 0
	assert_equal "changed $R $G 5432 $HERE/32 \"my laptop\" -> $HERE/32 \"my phone\"" "$output"
	assert_equal "$R ingress tcp 5432 5432 $HERE/32 my phone" "$(aws_rules "$G")"
}

@test "the variables may stand in .env" {
	printf 'DB_SG_ID=%s\nDB_SG_RULE_ID=%s\n' "$G" "$R" >.env
	unset DB_SG_ID DB_SG_RULE_ID
	update
	assert_status 0
	assert_equal "$R ingress tcp 5432 5432 $HERE/32 GITPOD" "$(aws_rules "$G")"
}

@test "a project does not choose by .env which address is let in" {
	local second
	second=$(aws_endpoint_second)
	aws_address 4 20.1.1.9
	AWS_DIR=$AWS_DIR2 aws_address 4 20.1.1.9
	printf 'GITPOD_IP=20.6.6.6\n' >.env
	unset GITPOD_IP
	DB_SG_IP_URLS="$AWS_ENDPOINT_URL/ip4 $second/ip4" update
	assert_status 0
	assert_contains "$stderr" 'warning: GITPOD_IP in '
	assert_equal "$R ingress tcp 5432 5432 20.1.1.9/32 GITPOD" "$(aws_rules "$G")"
	update --ip "$HERE"
	assert_equal '' "$stderr"
}

@test "a project does not choose by .env who is asked for the address" {
	printf 'DB_SG_IP_URLS="%s/ip4 %s/ip4"\n' "$AWS_ENDPOINT_URL" "$(aws_endpoint_second)" >.env
	GITPOD_IP='' timeout 1 rds-update-sg-rule --ip auto 2>said || :
	assert_contains "$(<said)" 'warning: DB_SG_IP_URLS in '
	refute_contains "$(aws_requests)" address
	assert_equal 0 "$(aws_writes)"
}

@test "--ip goes before GITPOD_IP" {
	update --ip 20.1.1.8
	assert_equal "$R ingress tcp 5432 5432 20.1.1.8/32 GITPOD" "$(aws_rules "$G")"
}

@test "an IPv6 address comes into a rule for IPv6 however either is spelled" {
	aws_rule "$R2" "$G" 2a01:4f8::9/128 5432 GITPOD
	DB_SG_RULE_ID_V6=$R2 GITPOD_IP=2A01:04F8:0:0::1 update
	assert_status 0
	assert_equal "changed $R2 $G 5432 2a01:4f8::9/128 -> 2a01:4f8::1/128 \"GITPOD\"" "$output"
	assert_contains "$(aws_rules "$G")" "$R2 ingress tcp 5432 5432 2a01:4f8::1/128 GITPOD"
	DB_SG_RULE_ID_V6=$R2 GITPOD_IP=2a01:4f8:0::1 update
	assert_equal 1 "$(aws_writes)"
}

# --- addresses ---------------------------------------------------------------------------------

@test "an address that is none is one error, and AWS is not even asked" {
	local value
	for value in '' '<html>' 10.0.0.1 1.2.3.4/0 2a01:4f8::1 '20.1.1.2 ' 020.1.1.2 '20.1.1.2
20.1.1.3' 100.64.3.7 203.0.113.5 127.0.0.1 0.0.0.0; do
		GITPOD_IP=$value update
		assert_nothing_written 64
		assert_one_error
		assert_equal '' "$(aws_requests)"
	done
}

@test "an address that is not public is named with its kind and its variable" {
	GITPOD_IP=100.64.3.7 update
	assert_contains "$stderr" '100.64.3.7 (GITPOD_IP) is not a public address (carrier-grade NAT)'
	assert_contains "$stderr" --allow-private
}

@test "--allow-private lets a private address pass" {
	GITPOD_IP=10.0.0.1 update --allow-private
	assert_status 0
	assert_equal "$R ingress tcp 5432 5432 10.0.0.1/32 GITPOD" "$(aws_rules "$G")"
}

@test "--allow-private lets no address pass that no machine can come from" {
	local value
	for value in 0.0.0.0 127.0.0.1 169.254.1.1 224.0.0.1 255.255.255.255 240.0.0.1 :: ::1 fe80::1 \
		ff02::1; do
		update --allow-private --rule-id "$R" --ip "$value"
		assert_nothing_written 64 "$value (--ip)"
	done
}

@test "an empty GITPOD_IP is passed over by --ip auto and by --ip" {
	GITPOD_IP='' update --ip 20.1.1.8
	assert_status 0
}

@test "an IPv6 address does not get into a rule for IPv4" {
	update --ip 2a01:4f8::1 --rule-id "$R"
	assert_nothing_written 4 "rule $R is for IPv4"
	update --force --ip 2a01:4f8::1 --rule-id "$R"
	assert_nothing_written 4 "rule $R is for IPv4"
}

@test "-4 refuses an IPv6 address and -6 an IPv4 one" {
	update -4 --ip 2a01:4f8::1
	assert_nothing_written 64 '2a01:4f8::1 (--ip)'
	update -6
	assert_nothing_written 64 "$HERE (GITPOD_IP)"
}

# two_services A B: what they say.
two_services() {
	local second
	second=$(aws_endpoint_second)
	aws_address 4 "$1"
	AWS_DIR=$AWS_DIR2 aws_address 4 "$2"
	export DB_SG_IP_URLS="$AWS_ENDPOINT_URL/ip4 $second/ip4"
	unset GITPOD_IP
}

@test "without an address the one that two services agree on is taken" {
	two_services 20.1.1.5 $'20.1.1.5\n'
	update
	assert_status 0
	assert_equal "$R ingress tcp 5432 5432 20.1.1.5/32 GITPOD" "$(aws_rules "$G")"
}

@test "--ip auto asks the services although GITPOD_IP is set" {
	two_services 20.1.1.5 20.1.1.5
	GITPOD_IP=20.1.1.6 update --ip auto
	assert_equal "$R ingress tcp 5432 5432 20.1.1.5/32 GITPOD" "$(aws_rules "$G")"
}

@test "services that disagree are one error that names what each said" {
	two_services 20.1.1.5 20.1.1.6
	update
	assert_nothing_written 1 20.1.1.5 20.1.1.6 --ip
	assert_one_error
}

@test "a page for people instead of an address is no answer" {
	two_services 20.1.1.5 '<html><body>20.1.1.5</body></html>'
	update
	[ "$status" -ne 0 ]
	assert_equal 0 "$(aws_writes)"
	assert_one_error
}

@test "missing credentials cost no question to the address services" {
	two_services 20.1.1.5 20.1.1.5
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	update
	assert_nothing_written 64
	assert_one_error
	assert_equal '' "$(aws_requests)"
}

# --- options and variables ---------------------------------------------------------------------

@test "what is wrong before any request ends with 64 and without one" {
	local arguments
	while read -r arguments; do
		# shellcheck disable=SC2086 # words
		update $arguments
		assert_nothing_written 64
		assert_one_error
		assert_equal '' "$(aws_requests)"
	done <<-'END'
		--group-id sg-123
		--group-id sg-0123456789ABCDEF0
		--rule-id sg-0123456789abcdef0
		--rule-id sgr-0123456789abcdef
		--port 0
		--port 65536
		--port 5432x
		--port -1
		--description it's
		--description a>b
		--tag owner
		--tag =alice
		--tag aws:owner=alice
		--create --remove
		--show --remove
		-4 -6
		--ip 20.1.1.2/32
		--timeout 0
		--timeout 0x10
		--timeout 1e1
		--timeout +5
		--timeout inf
		--timeout .
		--timeout x
		--region eu-central-1.example.com
		--while
		--while --show -- true
		--while --remove -- true
		--while --dry-run -- true
		--while --json -- true
		-- true
		--wait --show
		--wait unset-target
		one two
	END
}

@test "a description may have 255 characters and no more" {
	local text
	text=$(printf 'x%.0s' {1..256})
	update --description "$text"
	assert_nothing_written 64 255
	update --description "${text:1}"
	assert_status 0
}

@test "an unset DB_SG_ID is named" {
	unset DB_SG_ID
	update
	assert_nothing_written 64 'DB_SG_ID is not set (security group id, like sg-0123456789abcdef0)'
}

@test "an access key without its secret is an error" {
	unset AWS_SECRET_ACCESS_KEY
	update
	assert_nothing_written 64 AWS_SECRET_ACCESS_KEY
}

# --- finding the rule --------------------------------------------------------------------------

@test "without an id the rule is the one with the description" {
	unset DB_SG_RULE_ID
	aws_rule "$R2" "$G" 20.9.9.8/32 5432 bob
	aws_rule "$R3" "$G" 20.9.9.7/32 22 GITPOD
	update
	assert_status 0
	assert_equal "$R ingress tcp 5432 5432 $HERE/32 GITPOD
$R2 ingress tcp 5432 5432 20.9.9.8/32 bob
$R3 ingress tcp 22 22 20.9.9.7/32 GITPOD" "$(aws_rules "$G")"
}

@test "a tag finds the rule before the description does" {
	unset DB_SG_RULE_ID
	aws_rule "$R2" "$G" 20.9.9.8/32 5432 GITPOD owner=alice
	aws_rule "$R3" "$G" 20.9.9.7/32 5432 GITPOD owner=bob
	update --tag owner=alice
	assert_status 0
	assert_contains "$(aws_rules "$G")" "$R2 ingress tcp 5432 5432 $HERE/32 GITPOD owner=alice"
	assert_equal 1 "$(aws_writes)"
}

@test "with a tag the default description finds nobody's rule" {
	unset DB_SG_RULE_ID
	update --tag owner=alice
	assert_nothing_written 1 'owner=alice' --create
}

@test "several rules with the description are listed and left" {
	unset DB_SG_RULE_ID
	aws_rule "$R2" "$G" 20.9.9.8/32 5432 GITPOD
	update
	assert_nothing_written 1 "$R allows 20.9.9.9/32" "$R2 allows 20.9.9.8/32" --rule-id
}

@test "of several rules the one that is right already is enough" {
	unset DB_SG_RULE_ID
	aws_rule "$R2" "$G" "$HERE/32" 5432 GITPOD
	update
	assert_nothing_written 0 "unchanged $R2"
}

@test "a rule is found on the last of several pages" {
	local i
	unset DB_SG_RULE_ID
	aws_page_size 7
	for i in {1..20}; do
		aws_rule "$(printf 'sgr-%017x' "$i")" "$G" "20.2.2.$i/32" 5432 other
	done
	aws_rule sgr-fffffffffffffffff "$G" 20.9.9.8/32 5432 last
	update --description last
	assert_status 0
	assert_contains "$(aws_rules "$G")" "sgr-fffffffffffffffff ingress tcp 5432 5432 $HERE/32 last"
	assert_equal 4 "$(number_of ModifySecurityGroupRules | awk '{ print $1 - 1 }')"
}

@test "no rule is an error that names --create and --show" {
	unset DB_SG_RULE_ID
	update --description nobody
	assert_nothing_written 1 '"nobody"' --create --show
}

@test "an unknown id is an error with AWS's code, region and request" {
	update --rule-id "$R3"
	assert_nothing_written 1 "rule $R3 not found in $G: InvalidSecurityGroupRuleId.NotFound (eu-central-1, request "
	assert_contains "$stderr" --create
}

@test "a rule of another group is left" {
	aws_rule "$R2" sg-0123456789abcdef9 20.9.9.8/32 5432 GITPOD
	update --rule-id "$R2"
	assert_nothing_written 1 sg-0123456789abcdef9
}

# --- rules that are not ours to overwrite ------------------------------------------------------

# refuses_source SOURCE PORT PART: without --force it is left.
refuses_source() {
	aws_rule "$R" "$G" "$1" "$2" GITPOD
	update
	assert_nothing_written 4 "$3" "$R"
	assert_one_error
}

@test "a rule for many addresses, another port or another protocol is not overwritten" {
	refuses_source 10.0.0.0/8 5432 10.0.0.0/8
	refuses_source 0.0.0.0/0 5432 0.0.0.0/0
	refuses_source 20.1.1.0/24 5432 20.1.1.0/24
	refuses_source 20.9.9.9/32 22 tcp/22
	refuses_source 20.9.9.9/32 5000-6000 tcp/5000-6000
	refuses_source 20.9.9.9/32 udp/5432 udp/5432
	refuses_source 20.9.9.9/32 all 'on all'
}

@test "--force overwrites them" {
	aws_rule "$R" "$G" 10.0.0.0/8 5432 GITPOD
	update --force
	assert_status 0
	assert_equal "$R ingress tcp 5432 5432 $HERE/32 GITPOD" "$(aws_rules "$G")"
	aws_rule "$R" "$G" 20.9.9.9/32 22 ssh
	update --force
	assert_status 0
	assert_equal "changed $R $G 5432 tcp/22 20.9.9.9/32 \"ssh\" -> $HERE/32 \"GITPOD\"" "$output"
	assert_equal "$R ingress tcp 5432 5432 $HERE/32 GITPOD" "$(aws_rules "$G")"
}

@test "a prefix list, a group and an egress rule are left even with --force" {
	local source
	for source in pl-0123456789abcdef0 sg-0123456789abcdef9; do
		aws_rule "$R" "$G" "$source" 5432 GITPOD
		update --force
		assert_nothing_written 4 "$source"
	done
	aws_rule "$R" "$G" 20.9.9.9/32 egress:5432 GITPOD
	update --force
	assert_nothing_written 4 egress
}

# --- --create and --remove ---------------------------------------------------------------------

@test "--create adds a rule with description and tag, once" {
	unset DB_SG_RULE_ID
	update --create --description alice --tag owner=alice
	assert_status 0
	assert_matches "$output" "^created sgr-[0-9a-f]{17} $G 5432 $HERE/32 \"alice\"$"
	assert_contains "$(aws_rules "$G")" "ingress tcp 5432 5432 $HERE/32 alice owner=alice"
	update --create --description alice --tag owner=alice
	assert_status 0
	assert_contains "$output" unchanged
	assert_equal 1 "$(aws_writes)"
}

@test "the new rule is asked for as the aws CLI does" {
	unset DB_SG_RULE_ID
	update --create --description alice --tag owner=alice
	assert_equal "Action=AuthorizeSecurityGroupIngress
GroupId=$G
IpPermissions.1.FromPort=5432
IpPermissions.1.IpProtocol=tcp
IpPermissions.1.IpRanges.1.CidrIp=$HERE/32
IpPermissions.1.IpRanges.1.Description=alice
IpPermissions.1.ToPort=5432
TagSpecification.1.ResourceType=security-group-rule
TagSpecification.1.Tag.1.Key=owner
TagSpecification.1.Tag.1.Value=alice
Version=2016-11-15" "$(aws_parameters "$(number_of AuthorizeSecurityGroupIngress)")"
}

@test "--create adds a rule for IPv6" {
	update --create -6 --ip 2a01:4f8::1 --description alice
	assert_status 0
	assert_contains "$(aws_rules "$G")" "ingress tcp 5432 5432 2a01:4f8::1/128 alice"
}

@test "--create makes a rule anew whose id is gone" {
	update --create --rule-id "$R3" --description alice
	assert_status 0
	assert_contains "$(aws_rules "$G")" "ingress tcp 5432 5432 $HERE/32 alice"
}

@test "--create adds nothing when another rule lets the address in" {
	unset DB_SG_RULE_ID
	aws_rule "$R2" "$G" 20.1.0.0/16 5432 office
	update --create --description alice
	assert_nothing_written 0 "$R2 \"office\" already allows 20.1.0.0/16 on tcp/5432"
}

@test "--remove takes our rule away and is content when it is gone" {
	unset DB_SG_RULE_ID
	aws_rule "$R" "$G" "$HERE/32" 5432 GITPOD
	update --remove
	assert_status 0
	assert_equal "removed $R $G 5432 $HERE/32 \"GITPOD\"" "$output"
	assert_equal '' "$(aws_rules "$G")"
	update --remove
	assert_status 0
	assert_contains "$output" absent
	assert_equal 1 "$(aws_writes)"
}

@test "--remove of a rule in a group that nobody knows is an error" {
	update --remove --rule-id "$R3"
	assert_nothing_written 0 absent
	update --remove --rule-id "$R3" --group-id sg-0123456789abcdef9
	assert_nothing_written 1 'security group sg-0123456789abcdef9 not found'
	update --remove --region eu-west-1
	assert_nothing_written 1 "security group $G not found" eu-west-1
}

@test "--remove by description leaves a rule with another address" {
	unset DB_SG_RULE_ID
	update --remove
	assert_nothing_written 0 "$R \"GITPOD\" allows 20.9.9.9/32, not $HERE"
	assert_equal "$R ingress tcp 5432 5432 20.9.9.9/32 GITPOD" "$(aws_rules "$G")"
}

@test "--remove by description leaves the rules of others with our address" {
	unset DB_SG_RULE_ID
	aws_rule "$R" "$G" "$HERE/32" 5432 bob
	update --remove --description alice
	assert_nothing_written 0
}

@test "--remove with an id asks nobody for the address" {
	unset GITPOD_IP
	DB_SG_IP_URLS="$AWS_ENDPOINT_URL/ip4 $AWS_ENDPOINT_URL/ip6" update --remove
	assert_status 0
	assert_equal '' "$(aws_rules "$G")"
	refute_contains "$(aws_requests)" ip4
	update --remove
	assert_status 0
}

@test "--remove leaves a wide rule without --force" {
	aws_rule "$R" "$G" 10.0.0.0/8 5432 GITPOD
	update --remove
	assert_nothing_written 4 10.0.0.0/8 --force
	update --remove --force
	assert_status 0
	assert_equal '' "$(aws_rules "$G")"
}

# --- --dry-run, --show, --json -----------------------------------------------------------------

@test "--dry-run asks AWS whether it may and changes nothing" {
	update --dry-run
	assert_status 0
	assert_equal "would-change $R $G 5432 20.9.9.9/32 -> $HERE/32 \"GITPOD\"" "$output"
	assert_contains "$(aws_parameters "$(number_of ModifySecurityGroupRules)")" DryRun=true
	assert_equal "$R ingress tcp 5432 5432 20.9.9.9/32 GITPOD" "$(aws_rules "$G")"
	unset DB_SG_RULE_ID
	update --dry-run --create --description alice
	assert_contains "$output" "would-create - $G"
	update --dry-run --remove --rule-id "$R"
	assert_contains "$output" "would-remove $R $G"
	assert_equal "$R ingress tcp 5432 5432 20.9.9.9/32 GITPOD" "$(aws_rules "$G")"
}

@test "--dry-run says when AWS would not allow it" {
	aws_fault 'ModifySecurityGroupRules denied'
	update --dry-run
	assert_status 1
	assert_contains "$stderr" ModifySecurityGroupRules
	assert_contains "$stderr" UnauthorizedOperation
}

@test "--show lists the ingress rules that concern the port" {
	aws_rule "$R2" "$G" 10.0.0.0/8 5000-6000 office team=db
	aws_rule "$R3" "$G" 10.0.0.0/8 22 ssh
	unset GITPOD_IP
	update --show
	assert_nothing_written 0
	assert_matches "$output" "$R +tcp/5432 +20.9.9.9/32 +GITPOD"
	assert_matches "$output" "$R2 +tcp/5000-6000 +10.0.0.0/8 +office +team=db"
	refute_contains "$output" "$R3"
}

# field EXPRESSION: of the JSON object in $output.
field() {
	perl -MJSON::PP -e 'local $/; my $o = decode_json(<STDIN>); my $v = eval "\$o->$ARGV[0]"; print $v // "null"' "$1" <<<"$output"
}

@test "--json is one object that says what was and what is" {
	update --json
	assert_status 0
	assert_equal changed "$(field '{action}')"
	assert_equal "$R" "$(field '{rule}')"
	assert_equal "$HERE/32" "$(field '{source}')"
	assert_equal 20.9.9.9/32 "$(field '{before}{source}')"
	assert_equal eu-central-1 "$(field '{region}')"
	assert_equal 1 "$(field '{confirmed}')"
	update --show --json
	assert_equal "$R" "$(field '{rules}[0]{rule}')"
}

@test "what AWS says of a rule cannot reach the terminal as it is" {
	aws_rule "$R2" "$G" 20.1.1.9/32 5432 $'a\xc2\x9b31mb'
	update --show
	assert_status 0
	assert_contains "$output" 'a\x9B31mb'
}
