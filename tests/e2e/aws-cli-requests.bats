#!/usr/bin/env bats
# bats file_tags=once,slow
# What we send to AWS beside what the aws CLI sends for the same job, field by field.

load helper
load aws

G=sg-0123456789abcdef0
R=sgr-0123456789abcdef0

setup() {
	common_setup
	start_aws
}

# The number of the last request with that action.
last() {
	aws_requests | awk -v action="$1" '$2 == action { n = NR } END { print n + 0 }'
}

# same_request ACTION OURS... -- THEIRS...: runs both, each from the state that prepare() makes, and
# compares the last request with that action of each.
same_request() {
	local action=$1 ours=() first second
	shift
	while [ "$1" != -- ]; do
		ours+=("$1")
		shift
	done
	shift
	prepare
	run --separate-stderr "${ours[@]}" </dev/null
	assert_status 0
	first=$(last "$action")
	[ "$first" -gt 0 ] || {
		printf 'no %s from: %s\n' "$action" "${ours[*]}" >&2
		return 1
	}
	prepare
	run aws_cli "$@" </dev/null
	second=$(last "$action")
	[ "$second" -gt "$first" ] || {
		printf 'no %s from: aws %s\n%s\n' "$action" "$*" "$output" >&2
		return 1
	}
	assert_equal "$(head_of "$second")" "$(head_of "$first")"
	assert_equal "$(aws_parameters "$second")" "$(aws_parameters "$first")"
}

# The parts of the head that matter, with what differs from second to second masked.
head_of() {
	local name
	aws_request "$1" | sed -n '1s/\r$//p'
	for name in Host Content-Type; do
		printf '%s: %s\n' "$name" "$(aws_header "$1" "$name")"
	done
	aws_header "$1" Authorization | sed 's/Signature=.*//'
}

prepare() {
	aws_group $G
	aws_rule $R $G 20.1.1.1/32 5432 GITPOD
}

prepare_v6() {
	prepare() { aws_rule $R $G 2a01:4f8::1/128 5432 GITPOD; }
}

prepare_instance() {
	STATE=$1
	prepare() { aws_instance mydb "$STATE"; }
}

# An instance that each of the two makes.
prepare_none() {
	prepare() { aws_control forget mydb; }
}

update() {
	rds-update-sg-rule --group-id $G "$@"
}

# --- EC2 ---------------------------------------------------------------------------------------

@test "a rule is described by its id as the aws CLI does" {
	same_request DescribeSecurityGroupRules update --rule-id $R --ip 20.1.1.1 -- \
		ec2 describe-security-group-rules --security-group-rule-ids $R
}

@test "a group's rules are described as the aws CLI does with a page size" {
	same_request DescribeSecurityGroupRules update --show -- \
		ec2 describe-security-group-rules --filters Name=group-id,Values=$G --page-size 1000
}

@test "an IPv4 rule is modified as the aws CLI does" {
	same_request ModifySecurityGroupRules \
		update --rule-id $R --ip 20.1.1.2 --description 'a b: (c)/[d]+=&;{}!$*' -- \
		ec2 modify-security-group-rules --group-id $G --security-group-rules \
		'[{"SecurityGroupRuleId": "'$R'", "SecurityGroupRule": {"IpProtocol": "tcp", "FromPort": 5432,
			"ToPort": 5432, "CidrIpv4": "20.1.1.2/32", "Description": "a b: (c)/[d]+=&;{}!$*"}}]'
}

@test "an IPv6 rule is modified as the aws CLI does" {
	prepare_v6
	same_request ModifySecurityGroupRules update --rule-id $R -6 --ip 2a01:4f8::2 -- \
		ec2 modify-security-group-rules --group-id $G --security-group-rules \
		"SecurityGroupRuleId=$R,SecurityGroupRule={IpProtocol=tcp,FromPort=5432,ToPort=5432,CidrIpv6=2a01:4f8::2/128,Description=GITPOD}"
}

@test "a dry run is asked for as the aws CLI does" {
	same_request ModifySecurityGroupRules update --rule-id $R --ip 20.1.1.2 --dry-run -- \
		ec2 modify-security-group-rules --dry-run --group-id $G --security-group-rules \
		"SecurityGroupRuleId=$R,SecurityGroupRule={IpProtocol=tcp,FromPort=5432,ToPort=5432,CidrIpv4=20.1.1.2/32,Description=GITPOD}"
}

@test "an IPv4 rule with a tag is added as the aws CLI does" {
	same_request AuthorizeSecurityGroupIngress \
		update --create --ip 20.1.1.2 --port 6543 --description 'x y' --tag owner=alice@example.com -- \
		ec2 authorize-security-group-ingress --group-id $G --ip-permissions \
		'IpProtocol=tcp,FromPort=6543,ToPort=6543,IpRanges=[{CidrIp=20.1.1.2/32,Description=x y}]' \
		--tag-specifications 'ResourceType=security-group-rule,Tags=[{Key=owner,Value=alice@example.com}]'
}

@test "an IPv6 rule is added as the aws CLI does" {
	same_request AuthorizeSecurityGroupIngress update --create -6 --ip 2a01:4f8::2 -- \
		ec2 authorize-security-group-ingress --group-id $G --ip-permissions \
		'IpProtocol=tcp,FromPort=5432,ToPort=5432,Ipv6Ranges=[{CidrIpv6=2a01:4f8::2/128,Description=GITPOD}]'
}

@test "a rule is removed as the aws CLI does" {
	same_request RevokeSecurityGroupIngress update --remove --rule-id $R --ip 20.1.1.1 -- \
		ec2 revoke-security-group-ingress --group-id $G --security-group-rule-ids $R
}

# --- RDS ---------------------------------------------------------------------------------------

@test "an instance is described as the aws CLI does" {
	prepare_instance available
	same_request DescribeDBInstances rds-status --instance mydb -- \
		rds describe-db-instances --db-instance-identifier mydb
}

@test "all instances are described as the aws CLI does" {
	prepare_instance available
	same_request DescribeDBInstances rds-status --all -- rds describe-db-instances
}

@test "snapshots are asked for as the aws CLI does" {
	prepare_instance available
	same_request DescribeDBSnapshots rds-status --instance mydb --snapshots -- \
		rds describe-db-snapshots --db-instance-identifier mydb
}

@test "an instance is started as the aws CLI does" {
	prepare_instance stopped
	same_request StartDBInstance rds-start --instance mydb -- \
		rds start-db-instance --db-instance-identifier mydb
}

@test "an instance is stopped as the aws CLI does" {
	prepare_instance available
	same_request StopDBInstance rds-stop --instance mydb -- \
		rds stop-db-instance --db-instance-identifier mydb
}

@test "a master password is set as the aws CLI does" {
	prepare_instance available
	same_request ModifyDBInstance env DB_MASTER_PASSWORD='a+b&c=d%e;f' rds-password --instance mydb -- \
		rds modify-db-instance --db-instance-identifier mydb --master-user-password 'a+b&c=d%e;f' \
		--apply-immediately
}

@test "an instance with a password is created as the aws CLI does" {
	prepare_none
	same_request CreateDBInstance env DB_MASTER_PASSWORD='a+b&c=d%e' rds-create --instance mydb --yes \
		--database app --user alice --group-id $G --subnet-group inner --class db.t4g.small --storage 30 \
		--backup-days 3 --engine-version 16.3 --multi-az --iam --public --no-deletion-protection -- \
		rds create-db-instance --db-instance-identifier mydb --db-name app --engine postgres \
		--engine-version 16.3 --db-instance-class db.t4g.small --allocated-storage 30 \
		--storage-type gp3 --storage-encrypted --master-username alice \
		--master-user-password 'a+b&c=d%e' --vpc-security-group-ids $G --db-subnet-group-name inner \
		--backup-retention-period 3 --multi-az --enable-iam-database-authentication \
		--publicly-accessible --no-deletion-protection --copy-tags-to-snapshot \
		--auto-minor-version-upgrade
}

@test "an instance whose password AWS keeps is created as the aws CLI does" {
	prepare_none
	same_request CreateDBInstance rds-create --instance mydb --yes -- \
		rds create-db-instance --db-instance-identifier mydb --engine postgres \
		--db-instance-class db.t4g.micro --allocated-storage 20 --storage-type gp3 \
		--storage-encrypted --master-username postgres --manage-master-user-password \
		--backup-retention-period 7 --no-multi-az --no-enable-iam-database-authentication \
		--no-publicly-accessible --deletion-protection --copy-tags-to-snapshot \
		--auto-minor-version-upgrade
}

# --- STS ---------------------------------------------------------------------------------------

@test "a role is assumed as the aws CLI does" {
	mkdir "$HOME/.aws"
	cat >"$HOME/.aws/config" <<-END
		[profile base]
		aws_access_key_id = $AWS_ACCESS_KEY_ID
		aws_secret_access_key = $AWS_SECRET_ACCESS_KEY
		[profile work]
		role_arn = arn:aws:iam::123456789012:role/path/external-a+b
		source_profile = base
		role_session_name = a=b@c
		external_id = a+b
		duration_seconds = 1800
	END
	same_request AssumeRole update --profile work --rule-id $R --ip 20.1.1.1 -- \
		sts assume-role --role-arn arn:aws:iam::123456789012:role/path/external-a+b \
		--role-session-name a=b@c --external-id a+b --duration-seconds 1800
}

@test "a web identity is exchanged as the aws CLI does" {
	printf '%s\n' aGVhZA.Ym9keQ-_.c2ln >token
	export AWS_ROLE_ARN=arn:aws:iam::123456789012:role/ci AWS_ROLE_SESSION_NAME=job
	web() {
		env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY \
			AWS_WEB_IDENTITY_TOKEN_FILE="$TEST_DIR/token" rds-update-sg-rule --group-id $G --rule-id $R \
			--ip 20.1.1.1
	}
	same_request AssumeRoleWithWebIdentity web -- \
		sts assume-role-with-web-identity --role-arn $AWS_ROLE_ARN --role-session-name job \
		--web-identity-token aGVhZA.Ym9keQ-_.c2ln
}
