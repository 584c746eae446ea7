#!/usr/bin/env bats
# Our programs against moto_server, an imitation of AWS that others wrote. By hand: scripts/test-moto.

load ../e2e/helper
load ../e2e/aws

KEY=AKIDEXAMPLE
SECRET=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY

# start_moto [NAME=VALUE...]: a moto_server with these in its environment.
start_moto() {
	env "$@" "${MOTO_SERVER:-moto_server}" -H 127.0.0.1 -p 0 </dev/null >"$TEST_DIR/moto.log" 2>&1 \
		3>&- 4>&- &
	JOBS+=($!)
	wait_until "grep -q 'Running on http' '$TEST_DIR/moto.log'" 30
	AWS_ENDPOINT_URL=$(sed -n 's/.*Running on \(http[^ ]*\).*/\1/p' "$TEST_DIR/moto.log")
	export AWS_ENDPOINT_URL AWS_REGION=eu-central-1 AWS_EC2_METADATA_DISABLED=true
	export AWS_ACCESS_KEY_ID=$KEY AWS_SECRET_ACCESS_KEY=$SECRET
}

# A group with one rule: DB_SG_ID and DB_SG_RULE_ID.
make_rule() {
	DB_SG_ID=$(aws_cli ec2 create-security-group --group-name db --description db --query GroupId \
		--output text)
	DB_SG_RULE_ID=$(aws_cli ec2 authorize-security-group-ingress --group-id "$DB_SG_ID" \
		--ip-permissions "IpProtocol=tcp,FromPort=5432,ToPort=5432,IpRanges=[{CidrIp=${1:-20.1.1.1/32},Description=GITPOD}]" \
		--query 'SecurityGroupRules[0].SecurityGroupRuleId' --output text)
	export DB_SG_ID DB_SG_RULE_ID
}

# "CIDR FROM TO DESCRIPTION" of the ingress rules, as the aws CLI sees them.
rules_seen() {
	aws_cli ec2 describe-security-group-rules --filters "Name=group-id,Values=$DB_SG_ID" --output text \
		--query 'SecurityGroupRules[?!IsEgress].[CidrIpv4,FromPort,ToPort,Description]' | tr '\t' ' '
}

# The POST requests that moto has answered with success.
posts() {
	grep -c '"POST / HTTP/1.1" 200' "$TEST_DIR/moto.log"
}

# A user with these actions allowed; prints its key and secret. Three calls.
make_user() {
	aws_cli iam create-user --user-name "$1" >/dev/null
	aws_cli iam put-user-policy --user-name "$1" --policy-name p --policy-document "{
		\"Version\": \"2012-10-17\",
		\"Statement\": [{\"Effect\": \"Allow\", \"Action\": $2, \"Resource\": \"*\"}]}"
	aws_cli iam create-access-key --user-name "$1" --output text \
		--query 'AccessKey.[AccessKeyId,SecretAccessKey]'
}

use_user() {
	read -r AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY <<<"$1"
	export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
}

# --- rules -------------------------------------------------------------------------------------

@test "from an empty environment the rule is right, as the aws CLI sees it" {
	start_moto
	make_rule
	run env -i PATH="$PATH" DB_SG_ID="$DB_SG_ID" DB_SG_RULE_ID="$DB_SG_RULE_ID" GITPOD_IP=20.1.1.2 \
		AWS_ACCESS_KEY_ID=$KEY AWS_SECRET_ACCESS_KEY=$SECRET AWS_REGION=eu-central-1 \
		AWS_ENDPOINT_URL="$AWS_ENDPOINT_URL" rds-update-sg-rule
	assert_status 0
	assert_equal '20.1.1.2/32 5432 5432 GITPOD' "$(rules_seen)"
}

@test "a second run only reads" {
	local before
	start_moto
	make_rule
	rds-update-sg-rule --ip 20.1.1.2
	before=$(posts)
	run rds-update-sg-rule --ip 20.1.1.2
	assert_status 0
	assert_equal $((before + 1)) "$(posts)"
	assert_equal '20.1.1.2/32 5432 5432 GITPOD' "$(rules_seen)"
}

@test "a rule is added with its tag, found by it, and removed" {
	start_moto
	make_rule
	unset DB_SG_RULE_ID
	rds-update-sg-rule --create --tag owner=alice --ip 20.1.1.3
	assert_equal $'20.1.1.1/32 5432 5432 GITPOD\n20.1.1.3/32 5432 5432 GITPOD' "$(rules_seen)"
	rds-update-sg-rule --tag owner=alice --ip 20.1.1.4
	assert_equal $'20.1.1.1/32 5432 5432 GITPOD\n20.1.1.4/32 5432 5432 GITPOD' "$(rules_seen)"
	rds-update-sg-rule --remove --tag owner=alice --ip 20.1.1.4
	assert_equal '20.1.1.1/32 5432 5432 GITPOD' "$(rules_seen)"
}

@test "a command runs while the rule is open, and the rule is as before afterwards" {
	start_moto
	make_rule
	export -f rules_seen aws_cli aws_cli_program
	run rds-update-sg-rule --ip 20.1.1.5 -q --while -- bash -c 'rules_seen; exit 7'
	assert_status 7
	assert_equal '20.1.1.5/32 5432 5432 GITPOD' "$output"
	assert_equal '20.1.1.1/32 5432 5432 GITPOD' "$(rules_seen)"
}

@test "a dry run changes nothing" {
	start_moto
	make_rule
	run rds-update-sg-rule --dry-run --ip 20.1.1.2
	assert_status 0
	assert_equal '20.1.1.1/32 5432 5432 GITPOD' "$(rules_seen)"
}

@test "an unknown rule is an error" {
	start_moto
	make_rule
	run rds-update-sg-rule --rule-id sgr-00000000000000000 --ip 20.1.1.2
	assert_status 1
	assert_contains "$output" InvalidSecurityGroupRuleId.NotFound
}

@test "a write that is confirmed but not done is noticed" {
	# moto says true to changing an IPv6 rule, and changes nothing.
	start_moto
	make_rule
	DB_SG_RULE_ID_V6=$(aws_cli ec2 authorize-security-group-ingress --group-id "$DB_SG_ID" \
		--ip-permissions 'IpProtocol=tcp,FromPort=5432,ToPort=5432,Ipv6Ranges=[{CidrIpv6=2a01:4f8::1/128}]' \
		--query 'SecurityGroupRules[0].SecurityGroupRuleId' --output text)
	export DB_SG_RULE_ID_V6
	run --separate-stderr rds-update-sg-rule -6 --ip 2a01:4f8::2
	assert_contains "$stderr" "$DB_SG_RULE_ID_V6"
	assert_matches "$stderr" '(warning|error): '
}

# --- instances ---------------------------------------------------------------------------------

instance_seen() {
	aws_cli rds describe-db-instances --db-instance-identifier mydb --output text \
		--query "DBInstances[0].[$1]" | tr '\t' ' '
}

@test "an instance is created as the aws CLI sees it" {
	start_moto
	run rds-create --instance mydb --database app --user alice --yes
	assert_status 0
	assert_equal 'postgres db.t4g.micro 20 app alice True False True 7' "$(instance_seen \
		'Engine,DBInstanceClass,AllocatedStorage,DBName,MasterUsername,StorageEncrypted,PubliclyAccessible,DeletionProtection,BackupRetentionPeriod')"
}

@test "an instance is stopped and started" {
	start_moto
	rds-create --instance mydb --yes
	rds-stop --instance mydb
	assert_equal stopped "$(instance_seen DBInstanceStatus)"
	run rds-stop --instance mydb
	assert_status 0
	rds-start --instance mydb --wait=10
	assert_equal available "$(instance_seen DBInstanceStatus)"
}

@test "the last snapshot is the newest" {
	start_moto
	rds-create --instance mydb --yes
	rds-create --instance other --yes
	aws_cli rds create-db-snapshot --db-instance-identifier mydb --db-snapshot-identifier first >/dev/null
	sleep 1.1
	aws_cli rds create-db-snapshot --db-instance-identifier mydb --db-snapshot-identifier second >/dev/null
	sleep 1.1
	aws_cli rds create-db-snapshot --db-instance-identifier other --db-snapshot-identifier third >/dev/null
	run rds-status --instance mydb --snapshots
	assert_status 0
	assert_contains "$output" 'last snapshot  second (manual), '
}

@test "without the permission for snapshots the instance is shown" {
	start_moto INITIAL_NO_AUTH_ACTION_COUNT=4
	aws_cli rds create-db-instance --db-instance-identifier mydb --engine postgres \
		--db-instance-class db.t4g.micro --allocated-storage 20 --master-username alice \
		--master-user-password secret88 >/dev/null
	use_user "$(make_user alice '["rds:DescribeDBInstances"]')"
	run rds-status --instance mydb --snapshots
	assert_status 0
	assert_contains "$output" 'not known'
	assert_contains "$output" DescribeDBSnapshots
}

@test "an instance that does not exist is an error" {
	start_moto
	run rds-status --instance other
	assert_status 1
	assert_contains "$output" DBInstanceNotFound
}

# --- authentication ----------------------------------------------------------------------------

@test "a signature holds before moto's own check, and the rule is changed" {
	start_moto INITIAL_NO_AUTH_ACTION_COUNT=5
	make_rule
	use_user "$(make_user alice '["ec2:*"]')"
	run rds-update-sg-rule --ip 20.1.1.2
	assert_status 0
	assert_equal '20.1.1.2/32 5432 5432 GITPOD' "$(rules_seen)"
}

@test "a wrong secret key is refused, and nothing is changed" {
	start_moto INITIAL_NO_AUTH_ACTION_COUNT=5
	make_rule
	use_user "$(make_user alice '["ec2:*"]')"
	AWS_SECRET_ACCESS_KEY=${AWS_SECRET_ACCESS_KEY}x run rds-update-sg-rule --ip 20.1.1.2
	assert_status 1
	assert_equal '20.1.1.1/32 5432 5432 GITPOD' "$(rules_seen)"
}

@test "a missing permission is an error that names it, and nothing is changed" {
	start_moto INITIAL_NO_AUTH_ACTION_COUNT=5
	make_rule
	use_user "$(make_user alice '["ec2:Describe*"]')"
	run rds-update-sg-rule --ip 20.1.1.2
	assert_status 1
	assert_contains "$output" ModifySecurityGroupRules
	assert_equal '20.1.1.1/32 5432 5432 GITPOD' "$(rules_seen)"
}

@test "the keys of a role are good for calls" {
	start_moto INITIAL_NO_AUTH_ACTION_COUNT=7
	make_rule
	aws_cli iam create-role --role-name db --assume-role-policy-document '{"Version": "2012-10-17",
		"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}' >/dev/null
	aws_cli iam put-role-policy --role-name db --policy-name p --policy-document '{"Version": "2012-10-17",
		"Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]}'
	use_user "$(make_user alice '["sts:AssumeRole"]')"
	mkdir -p "$HOME/.aws"
	cat >"$HOME/.aws/config" <<-END
		[profile base]
		aws_access_key_id = $AWS_ACCESS_KEY_ID
		aws_secret_access_key = $AWS_SECRET_ACCESS_KEY
		[profile db]
		role_arn = arn:aws:iam::123456789012:role/db
		source_profile = base
	END
	run rds-update-sg-rule --profile db --ip 20.1.1.2
	assert_status 0
	run rds-update-sg-rule --profile db --ip 20.1.1.2
	assert_matches "$output" '^unchanged '
}
