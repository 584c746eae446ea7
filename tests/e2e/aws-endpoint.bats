#!/usr/bin/env bats
# bats file_tags=once,slow
# The imitation of AWS itself: a fault in it would be taken for one of ours, or hide one.

load helper
load aws
load aws-calls

setup() {
	common_setup
	start_aws
}

# --- the aws CLI -------------------------------------------------------------------------------

@test "the aws CLI sees a rule as it was put there" {
	aws_rule "$R" "$G" 20.1.1.1/32 5432 'GITPOD' owner=alice
	run aws_cli ec2 describe-security-group-rules --security-group-rule-ids "$R" --query \
		'SecurityGroupRules[0].[GroupId,IsEgress,IpProtocol,FromPort,ToPort,CidrIpv4,Description,Tags[0].Value]'
	assert_status 0
	assert_equal "[\"$G\",false,\"tcp\",5432,5432,\"20.1.1.1/32\",\"GITPOD\",\"alice\"]" \
		"$(tr -d ' \n' <<<"$output")"
}

@test "the aws CLI modifies an IPv6 rule" {
	aws_rule "$R" "$G" 2a01:4f8::1/128 5432 GITPOD
	run aws_cli ec2 modify-security-group-rules --group-id "$G" --security-group-rules \
		"SecurityGroupRuleId=$R,SecurityGroupRule={Description=new,IpProtocol=tcp,FromPort=5432,ToPort=5432,CidrIpv6=2a01:04f8::2/128}"
	assert_status 0
	assert_equal "$R ingress tcp 5432 5432 2a01:4f8::2/128 new" "$(aws_rules "$G")"
}

@test "the aws CLI adds a rule with a tag and removes it by the id it was given" {
	local id
	aws_group "$G"
	id=$(aws_cli ec2 authorize-security-group-ingress --group-id "$G" --ip-permissions \
		'IpProtocol=tcp,FromPort=5432,ToPort=5432,IpRanges=[{CidrIp=20.1.1.77/24,Description=x y}]' \
		--tag-specifications 'ResourceType=security-group-rule,Tags=[{Key=owner,Value=alice}]' \
		--query 'SecurityGroupRules[0].SecurityGroupRuleId' --output text)
	assert_equal "$id ingress tcp 5432 5432 20.1.1.0/24 x y owner=alice" "$(aws_rules "$G")"
	run aws_cli ec2 revoke-security-group-ingress --group-id "$G" --security-group-rule-ids "$id"
	assert_status 0
	assert_equal '' "$(aws_rules "$G")"
}

@test "the aws CLI gets every page" {
	local i
	for i in {1..12}; do
		aws_rule "$(printf 'sgr-%017x' "$i")" "$G" "20.1.1.$i/32"
	done
	aws_page_size 5
	run aws_cli ec2 describe-security-group-rules --filters Name=group-id,Values="$G" \
		--query 'length(SecurityGroupRules)'
	assert_equal 12 "$output"
	assert_equal 3 "$(aws_requests | grep -c '^ec2 DescribeSecurityGroupRules 200$')"
}

@test "the aws CLI's wrong secret key is refused" {
	AWS_SECRET_ACCESS_KEY=wrong run aws_cli rds describe-db-instances
	[ "$status" -ne 0 ]
	assert_contains "$output" SignatureDoesNotMatch
}

@test "the keys that the aws CLI gets for a role are good for calls" {
	local keys
	keys=$(aws_cli sts assume-role --role-arn arn:aws:iam::123456789012:role/work \
		--role-session-name test --output text \
		--query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]')
	read -r AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN <<<"$keys"
	export AWS_SESSION_TOKEN
	run aws_cli sts get-caller-identity --query Arn
	assert_contains "$output" assumed-role/ROLE
}

# --- signatures --------------------------------------------------------------------------------

@test "a call with the right signature is carried out" {
	aws_rule "$R" "$G" 20.1.1.1/32
	describe
	assert_answer 200 "<securityGroupRuleId>$R</securityGroupRuleId>" '<requestId>'
}

@test "EC2 refuses a wrong signature with AuthFailure in its own shape" {
	AWS_SECRET_ACCESS_KEY=wrong describe
	assert_answer 401 '<Response><Errors><Error><Code>AuthFailure</Code>' '<RequestID>'
}

@test "RDS refuses a wrong signature with SignatureDoesNotMatch in the other shape" {
	AWS_SECRET_ACCESS_KEY=wrong rds Action=DescribeDBInstances
	assert_answer 403 '<ErrorResponse' '<Type>Sender</Type><Code>SignatureDoesNotMatch</Code>' '<RequestId>'
}

@test "a key that nobody has is refused" {
	AWS_ACCESS_KEY_ID=AKIDOTHER rds Action=DescribeDBInstances
	assert_answer 403 InvalidClientTokenId
}

@test "a call without a signature is refused" {
	CALL_NO_SIGNATURE=1 rds Action=DescribeDBInstances
	assert_answer 403 MissingAuthenticationToken
}

@test "a body other than the signed one is refused" {
	aws_rule "$R" "$G" 20.1.1.1/32
	CALL_TAMPER="Action=RevokeSecurityGroupIngress&Version=2016-11-15&GroupId=$G&SecurityGroupRuleId.1=$R" \
		describe
	assert_answer 401 AuthFailure
	assert_contains "$(aws_rules "$G")" "$R"
}

@test "an X-Amz header that is not signed is refused" {
	CALL_UNSIGNED='X-Amz-Target: x' rds Action=DescribeDBInstances
	assert_answer 403 SignatureDoesNotMatch x-amz-target
}

@test "a signature for another service is refused" {
	CALL_SCOPE=ec2 rds Action=DescribeDBInstances
	assert_answer 403 'scoped to correct service'
}

@test "a session token of another key is refused" {
	aws_key ASIAONE secretone tokenone
	AWS_ACCESS_KEY_ID=ASIAONE AWS_SECRET_ACCESS_KEY=secretone AWS_SESSION_TOKEN=other \
		call sts Action=GetCallerIdentity
	assert_answer 403 InvalidClientTokenId
}

@test "an expired key is refused" {
	aws_key ASIAONE secretone tokenone $((EPOCHSECONDS - 1))
	export AWS_ACCESS_KEY_ID=ASIAONE AWS_SECRET_ACCESS_KEY=secretone AWS_SESSION_TOKEN=tokenone
	rds Action=DescribeDBInstances
	assert_answer 403 ExpiredToken
	describe
	assert_answer 400 RequestExpired
}

@test "a clock that is ten minutes off is refused, one that is four minutes off is not" {
	CALL_OFFSET=-600 rds Action=DescribeDBInstances
	assert_answer 403 'Signature expired'
	CALL_OFFSET=600 rds Action=DescribeDBInstances
	assert_answer 403 'Signature not yet current'
	CALL_OFFSET=-600 ec2 Action=DescribeSecurityGroupRules
	assert_answer 400 RequestExpired
	CALL_OFFSET=240 rds Action=DescribeDBInstances
	assert_answer 200
}

@test "another region has rules of its own" {
	aws_rule "$R" "$G" 20.1.1.1/32
	AWS_REGION=us-east-1 describe
	assert_answer 400 InvalidGroup.NotFound
}

# --- security-group rules ----------------------------------------------------------------------

@test "modifying a rule replaces its source and description" {
	aws_rule "$R" "$G" 20.1.1.1/32 5432 old
	modify "$R" CidrIpv4=20.1.1.2/32 SecurityGroupRule.1.SecurityGroupRule.Description=new
	assert_answer 200 '<ModifySecurityGroupRulesResponse' '<return>true</return>'
	assert_equal "$R ingress tcp 5432 5432 20.1.1.2/32 new" "$(aws_rules "$G")"
}

@test "a rule cannot become a duplicate of another, whatever their descriptions" {
	aws_rule "$R" "$G" 20.1.1.1/32 5432 alice
	aws_rule "$R2" "$G" 20.1.1.2/32 5432 bob
	modify "$R" CidrIpv4=20.1.1.2/32
	assert_answer 400 InvalidPermission.Duplicate \
		'"peer: 20.1.1.2/32, TCP, from port: 5432, to port: 5432, ALLOW" already exists'
	assert_contains "$(aws_rules "$G")" "$R ingress tcp 5432 5432 20.1.1.1/32 alice"
}

@test "an IPv4 rule cannot become an IPv6 rule" {
	aws_rule "$R" "$G" 20.1.1.1/32
	modify "$R" CidrIpv6=2a01:4f8::1/128
	assert_answer 400 InvalidParameterValue 'Invalid rule type'
}

@test "a malformed CIDR and a bad description are refused" {
	aws_rule "$R" "$G" 20.1.1.1/32
	modify "$R" CidrIpv4=20.1.1.1/33
	assert_answer 400 InvalidParameterValue '20.1.1.1/33 is malformed'
	modify "$R" CidrIpv4=20.1.1.2/32 "SecurityGroupRule.1.SecurityGroupRule.Description=alice's"
	assert_answer 400 InvalidParameterValue 'Invalid rule description'
	assert_contains "$(aws_rules "$G")" 20.1.1.1/32
}

@test "a rule is only found in its own group" {
	aws_rule "$R" sg-00000000 20.1.1.1/32
	aws_group "$G"
	modify "$R" CidrIpv4=20.1.1.2/32
	assert_answer 400 InvalidSecurityGroupRuleId.NotFound
}

@test "malformed ids are told from unknown ones" {
	ec2 Action=DescribeSecurityGroupRules SecurityGroupRuleId.1=sgr-12
	assert_answer 400 InvalidSecurityGroupRuleId.Malformed
	ec2 Action=DescribeSecurityGroupRules SecurityGroupRuleId.1="$R"
	assert_answer 400 InvalidSecurityGroupRuleId.NotFound
	ec2 Action=RevokeSecurityGroupIngress GroupId=sg-12 SecurityGroupRuleId.1="$R"
	assert_answer 400 InvalidGroupId.Malformed
}

@test "a filter that does not exist is refused" {
	ec2 Action=DescribeSecurityGroupRules Filter.1.Name=description Filter.1.Value.1=x
	assert_answer 400 InvalidParameterValue "The filter 'description' is invalid"
}

@test "a parameter that does not exist is refused" {
	aws_rule "$R" "$G" 20.1.1.1/32
	modify "$R" CidrIp=20.1.1.2/32
	assert_answer 400 UnknownParameter SecurityGroupRule.1.SecurityGroupRule.CidrIp
}

@test "rules are filtered by tag" {
	aws_rule "$R" "$G" 20.1.1.1/32 5432 x owner=alice
	aws_rule "$R2" "$G" 20.1.1.2/32 5432 x owner=bob
	describe Filter.2.Name=tag:owner Filter.2.Value.1=bob
	assert_answer 200 "$R2"
	refute_contains "$output" "$R"\<
}

@test "pages follow each other to the end" {
	local i token
	for i in {1..7}; do
		aws_rule "$(printf 'sgr-%017x' "$i")" "$G" "20.1.1.$i/32"
	done
	describe MaxResults=5
	assert_answer 200
	token=$(sed -n 's/.*<nextToken>\(.*\)<.nextToken>.*/\1/p' <<<"$output")
	assert_matches "$token" '[+/=]'
	describe MaxResults=5 "NextToken=$token"
	assert_answer 200 sgr-00000000000000006 sgr-00000000000000007
	refute_contains "$output" nextToken
}

@test "more than a thousand rules come in pages of a thousand, asked for or not" {
	aws_control many_rules 1200 "$G"
	describe
	assert_answer 200 '<description>rule 1000<' '<nextToken>'
	assert_equal 1000 "$(grep -o '<securityGroupRuleId>' <<<"$output" | wc -l)"
}

@test "authorizing an existing rule is refused as a duplicate" {
	aws_rule "$R" "$G" 20.1.1.1/32 5432 alice
	authorize IpRanges.1.CidrIp=20.1.1.1/32 IpPermissions.1.IpRanges.1.Description=bob
	assert_answer 400 InvalidPermission.Duplicate
}

@test "the sixty-first rule of a family is refused, one of the other family is not" {
	local i
	for i in {1..60}; do
		aws_rule "$(printf 'sgr-%017x' "$i")" "$G" "20.1.1.$i/32"
	done
	authorize IpRanges.1.CidrIp=20.1.2.1/32
	assert_answer 400 RulesPerSecurityGroupLimitExceeded
	authorize Ipv6Ranges.1.CidrIpv6=2a01:4f8::1/128
	assert_answer 200 '<cidrIpv6>2a01:4f8::1/128</cidrIpv6>'
}

@test "revoking a rule that is gone is refused" {
	aws_rule "$R" "$G" 20.1.1.1/32
	ec2 Action=RevokeSecurityGroupIngress GroupId="$G" SecurityGroupRuleId.1="$R"
	assert_answer 200
	ec2 Action=RevokeSecurityGroupIngress GroupId="$G" SecurityGroupRuleId.1="$R"
	assert_answer 400 InvalidSecurityGroupRuleId.NotFound
}

@test "a dry run is answered with 412 and changes nothing" {
	aws_rule "$R" "$G" 20.1.1.1/32
	modify "$R" CidrIpv4=20.1.1.2/32 DryRun=true
	assert_answer 412 DryRunOperation
	assert_contains "$(aws_rules "$G")" 20.1.1.1/32
}

@test "two modifications at once are one after the other" {
	aws_rule "$R" "$G" 20.1.1.1/32
	aws_rule "$R2" "$G" 20.1.1.2/32
	modify "$R" CidrIpv4=20.1.1.9/32 >"$TEST_DIR/one" &
	modify "$R2" CidrIpv4=20.1.1.9/32 >"$TEST_DIR/two"
	wait $!
	assert_equal 1 "$(aws_rules "$G" | grep -c 20.1.1.9/32)"
	assert_equal 1 "$(aws_requests | grep -c '^ec2 ModifySecurityGroupRules 400$')"
}

# --- instances ---------------------------------------------------------------------------------

# The states that describing shows, one after the other.
states() {
	local i
	for ((i = 0; i < $2; i++)); do
		"$ROOT/tests/lib/aws-call" rds Action=DescribeDBInstances "DBInstanceIdentifier=$1" |
			sed -n 's/.*<DBInstanceStatus>\(.*\)<.DBInstanceStatus>.*/\1/p'
	done | paste -sd ' '
}

@test "a new instance is created, backed up and available, with an endpoint at the end" {
	rds Action=CreateDBInstance DBInstanceIdentifier=MyDB DBInstanceClass=db.t4g.micro Engine=postgres \
		AllocatedStorage=20 MasterUsername=postgres ManageMasterUserPassword=true
	assert_answer 200 '<DBInstanceIdentifier>mydb</DBInstanceIdentifier>' '<SecretArn>'
	refute_contains "$output" '<Endpoint>'
	assert_equal 'creating backing-up available available' "$(states mydb 4)"
	rds Action=DescribeDBInstances DBInstanceIdentifier=mydb
	assert_contains "$output" '<Address>mydb.c1abcdefghij.eu-central-1.rds.amazonaws.com</Address>'
}

@test "a second instance of the same name is refused" {
	aws_instance mydb available
	rds Action=CreateDBInstance DBInstanceIdentifier=mydb DBInstanceClass=db.t4g.micro Engine=postgres \
		AllocatedStorage=20 MasterUsername=postgres ManageMasterUserPassword=true
	assert_answer 400 DBInstanceAlreadyExists
}

@test "a stopped instance starts, a running one cannot be started" {
	aws_instance mydb stopped
	rds Action=StartDBInstance DBInstanceIdentifier=mydb
	assert_answer 200 '<DBInstanceStatus>starting</DBInstanceStatus>'
	assert_equal 'starting available' "$(states mydb 2)"
	rds Action=StartDBInstance DBInstanceIdentifier=mydb
	assert_answer 400 InvalidDBInstanceState
}

@test "a running instance stops and says when it will be started" {
	aws_instance mydb available
	rds Action=StopDBInstance DBInstanceIdentifier=mydb
	assert_equal 'stopping stopped' "$(states mydb 2)"
	rds Action=DescribeDBInstances DBInstanceIdentifier=mydb
	assert_answer 200 '<AutomaticRestartTime>20'
	rds Action=StopDBInstance DBInstanceIdentifier=mydb
	assert_answer 400 InvalidDBInstanceState
}

@test "a new master password is pending, then being set, then in force" {
	aws_instance mydb available MasterUserPassword=old-password
	rds Action=ModifyDBInstance DBInstanceIdentifier=mydb MasterUserPassword=new-password ApplyImmediately=true
	assert_answer 200 '<MasterUserPassword>****</MasterUserPassword>'
	assert_contains "$(aws_instance_state mydb)" MasterUserPassword=old-password
	assert_equal 'available resetting-master-credentials available' "$(states mydb 3)"
	assert_contains "$(aws_instance_state mydb)" MasterUserPassword=new-password
	rds Action=DescribeDBInstances DBInstanceIdentifier=mydb
	refute_contains "$output" '****'
}

@test "a password that RDS does not take is refused" {
	aws_instance mydb available
	rds Action=ModifyDBInstance DBInstanceIdentifier=mydb MasterUserPassword=a/b/c/d/e
	assert_answer 400 InvalidParameterValue
}

@test "an unknown instance is not found" {
	rds Action=DescribeDBInstances DBInstanceIdentifier=other
	assert_answer 404 DBInstanceNotFound 'DBInstance other not found.'
}

@test "instances come in pages" {
	local marker
	aws_instance one available
	aws_instance two available
	aws_page_size 1
	rds Action=DescribeDBInstances
	assert_answer 200 '>one<'
	marker=$(sed -n 's/.*<Marker>\(.*\)<.Marker>.*/\1/p' <<<"$output")
	rds Action=DescribeDBInstances "Marker=$marker"
	assert_answer 200 '>two<'
	refute_contains "$output" '<Marker>'
}

# --- roles, metadata, containers, addresses ----------------------------------------------------

@test "a role that wants an external id is given with it only" {
	call sts Action=AssumeRole RoleArn=arn:aws:iam::123456789012:role/external-42 RoleSessionName=test
	assert_answer 403 AccessDenied
	call sts Action=AssumeRole RoleArn=arn:aws:iam::123456789012:role/external-42 RoleSessionName=test \
		ExternalId=42
	assert_answer 200 '<AccessKeyId>ASIAEXAMPLEROLE'
}

@test "a web identity needs no signature and gives keys that work" {
	CALL_NO_SIGNATURE=1 call sts Action=AssumeRoleWithWebIdentity RoleSessionName=test \
		RoleArn=arn:aws:iam::123456789012:role/ci WebIdentityToken=aGVhZA.Ym9keQ.c2ln
	assert_answer 200 '<AccessKeyId>ASIAEXAMPLEWEB'
	AWS_ACCESS_KEY_ID=$(sed -n 's/.*<AccessKeyId>\(.*\)<.AccessKeyId>.*/\1/p' <<<"$output")
	{
		read -r AWS_SECRET_ACCESS_KEY
		read -r AWS_SESSION_TOKEN
	} < <(aws_key_of "$AWS_ACCESS_KEY_ID")
	export AWS_SESSION_TOKEN
	call sts Action=GetCallerIdentity
	assert_answer 200 assumed-role/WEB
}

@test "a web identity that is no token or expired is refused" {
	CALL_NO_SIGNATURE=1 call sts Action=AssumeRoleWithWebIdentity RoleSessionName=test \
		RoleArn=arn:aws:iam::123456789012:role/ci WebIdentityToken=nonsense
	assert_answer 400 InvalidIdentityToken
	CALL_NO_SIGNATURE=1 call sts Action=AssumeRoleWithWebIdentity RoleSessionName=test \
		RoleArn=arn:aws:iam::123456789012:role/ci WebIdentityToken=aGVhZA.expired.c2ln
	assert_answer 400 ExpiredTokenException
}

@test "metadata is given to those with a token only" {
	local token
	get /latest/meta-data/iam/security-credentials/
	assert_answer 401
	METHOD=PUT get /latest/api/token
	assert_answer 400
	METHOD=PUT get /latest/api/token 'x-aws-ec2-metadata-token-ttl-seconds: 21600'
	assert_answer 200
	token=${lines[1]}
	get /latest/meta-data/iam/security-credentials/ "X-aws-ec2-metadata-token: $token"
	assert_answer 200 dev-role
	get /latest/meta-data/iam/security-credentials/dev-role "X-aws-ec2-metadata-token: $token"
	assert_answer 200 '"Code" : "Success"' '"AccessKeyId" : "ASIAEXAMPLEEC2' '"Token" :'
	get /latest/meta-data/placement/region "X-aws-ec2-metadata-token: $token"
	assert_answer 200 eu-central-1
}

@test "a container's keys need the authorization that was set" {
	aws_set container_token 'Bearer abc'
	get /v2/credentials/x
	assert_answer 401
	get /v2/credentials/x 'Authorization: Bearer abc'
	assert_answer 200 '"AccessKeyId" : "ASIAEXAMPLEBOX'
}

@test "an address service says exactly what it was told" {
	get /ip4
	assert_equal $'200\n20.1.1.1' "$output"
	aws_address 4 '<html>' 503
	get /ip4
	assert_equal $'503\n<html>' "$output"
	assert_equal $'address Ip4 200\naddress Ip4 503' "$(aws_requests)"
}

@test "a second endpoint answers for itself" {
	local url
	url=$(aws_endpoint_second)
	AWS_DIR=$AWS_DIR2 aws_address 4 20.1.1.9
	get /ip4
	assert_answer 200 20.1.1.1
	AWS_DIR=$AWS_DIR2 get /ip4
	assert_answer 200 20.1.1.9
	assert_equal "$url" "$(<"$AWS_DIR2/url")"
	[ "$url" != "$AWS_ENDPOINT_URL" ]
}

@test "a listener for TLS passes calls on" {
	local url
	openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost \
		2>/dev/null
	url=$(aws_tls cert.pem key.pem)
	assert_matches "$url" '^https://localhost:[0-9]+$'
	run openssl s_client -quiet -connect "${url#https://}" -CAfile cert.pem -verify_return_error \
		< <(printf 'GET /ip4 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'; sleep 1)
	assert_contains "$output" 20.1.1.1
}
