#!/usr/bin/env bats
# IAM authentication tokens, made without asking anybody when the keys are static.

load helper

HOST=mydb.123456789012.eu-central-1.rds.amazonaws.com

setup() {
	common_setup
	export AWS_ACCESS_KEY_ID=AKIDEXAMPLE
	export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
	export AWS_EC2_METADATA_DISABLED=true
	# Nobody answers there: a token needs no network.
	export AWS_ENDPOINT_URL=http://127.0.0.1:1
}

token() {
	run --separate-stderr rds-token "$@"
}

# The signature that the last output should have, by the rules of Signature Version 4: query sorted,
# host signed without :443.
expected_signature() {
	perl -MDigest::SHA=hmac_sha256,hmac_sha256_hex,sha256_hex -e '
		my ($token, $secret) = @ARGV;
		my ($host, $query) = $token =~ m{^([^/]+)/\?(.*)&X-Amz-Signature=} or die "no token\n";
		$host =~ s/:443\z//;
		my %value = map { split /=/, $_, 2 } split /&/, $query;
		my $canonical = join "&", map { "$_=$value{$_}" } sort keys %value;
		(my $scope = $value{"X-Amz-Credential"}) =~ s/%2F/\//g;
		$scope =~ s/^[^\/]+\///;
		my $request = join "\n", "GET", "/", $canonical, "host:$host", "", "host", sha256_hex("");
		my $key = "AWS4$secret";
		$key = hmac_sha256($_, $key) for split /\//, $scope;
		print hmac_sha256_hex(join("\n", "AWS4-HMAC-SHA256", $value{"X-Amz-Date"}, $scope,
			sha256_hex($request)), $key), "\n";
	' "$output" "$AWS_SECRET_ACCESS_KEY"
}

# parameter NAME: its value in the last output, as it stands there.
parameter() {
	grep -o "[?&]$1=[^&]*" <<<"$output" | cut -d = -f 2-
}

@test "stdout is the token and a newline, stderr is empty" {
	rds-token --host "$HOST" --user jane_doe >out 2>err
	assert_equal 1 "$(wc -l <out)"
	assert_matches "$(<out)" "^$HOST:5432/\?Action=connect&DBUser=jane_doe&"
	assert_equal '' "$(<err)"
}

@test "the signature is that of Signature Version 4" {
	token --host "$HOST" --user jane_doe
	assert_status 0
	assert_equal "$(expected_signature)" "$(parameter X-Amz-Signature)"
	assert_equal 900 "$(parameter X-Amz-Expires)"
	assert_equal connect "$(parameter Action)"
}

@test "with temporary keys the session token is signed in" {
	export AWS_SESSION_TOKEN='AQoDYXdzEPT//////////wEXAMPLE+token=='
	token --host "$HOST" --user jane_doe
	assert_status 0
	assert_equal 'AQoDYXdzEPT%2F%2F%2F%2F%2F%2F%2F%2F%2F%2FwEXAMPLE%2Btoken%3D%3D' \
		"$(parameter X-Amz-Security-Token)"
	assert_equal "$(expected_signature)" "$(parameter X-Amz-Signature)"
}

@test "port 443 stays in the token and out of the signature" {
	token --host "$HOST" --port 443 --user u
	assert_matches "$output" "^$HOST:443/"
	assert_equal "$(expected_signature)" "$(parameter X-Amz-Signature)"
}

@test "a user with characters that need encoding is encoded" {
	token --host "$HOST" --user 'a b+c/ü&Action=x'
	assert_status 0
	assert_equal 'a%20b%2Bc%2F%C3%BC%26Action%3Dx' "$(parameter DBUser)"
	assert_equal "$(expected_signature)" "$(parameter X-Amz-Signature)"
}

@test "a host in capitals is signed as AWS knows it" {
	token --host "${HOST^^}" --user u
	assert_matches "$output" "^$HOST:5432/"
	assert_equal "$(expected_signature)" "$(parameter X-Amz-Signature)"
}

@test "the region comes from the endpoint's name, against AWS_REGION" {
	AWS_REGION=us-east-1 token --host "$HOST" --user u
	assert_contains "$(parameter X-Amz-Credential)" %2Feu-central-1%2Frds-db%2F
}

@test "the region of an endpoint in China is taken from its name" {
	AWS_REGION=us-east-1 token --host mydb.abc123.rds.cn-north-1.amazonaws.com.cn --user u
	assert_contains "$(parameter X-Amz-Credential)" %2Fcn-north-1%2Frds-db%2F
}

@test "--region goes before the endpoint's name" {
	token --host "$HOST" --user u --region us-west-2
	assert_contains "$(parameter X-Amz-Credential)" %2Fus-west-2%2F
}

@test "another name takes the region of the configuration" {
	AWS_REGION=us-east-1 token --host db.example.com --user u
	assert_status 0
	assert_contains "$(parameter X-Amz-Credential)" %2Fus-east-1%2F
}

@test "another name without a region is a usage error" {
	token --host db.example.com --user u
	assert_status 64
	assert_equal '' "$output"
	assert_contains "$stderr" region
}

@test "host, port and user come from the URL of prod" {
	PROD_CONNECTION_URL=postgresql://app:pw@$HOST:5433/shop token
	assert_status 0
	assert_matches "$output" "^$HOST:5433/"
	assert_equal app "$(parameter DBUser)"
}

@test "host, port and user come from the URL of the target that is named" {
	PROD_CONNECTION_URL=postgresql://app@$HOST/shop \
		STAGING_CONNECTION_URL=postgresql://dev@staging.123456789012.eu-west-1.rds.amazonaws.com/shop \
		token staging
	assert_matches "$output" '^staging\.'
	assert_equal dev "$(parameter DBUser)"
	assert_contains "$(parameter X-Amz-Credential)" %2Feu-west-1%2F
}

@test "--user goes before the URL's" {
	PROD_CONNECTION_URL=postgresql://app@$HOST/shop token --user other
	assert_equal other "$(parameter DBUser)"
}

@test "a URL with hostaddr is signed for its host" {
	PROD_CONNECTION_URL="postgresql://app@$HOST:5433/shop?hostaddr=127.0.0.1" token
	assert_matches "$output" "^$HOST:5433/"
}

@test "an address or localhost is refused: the token would not be accepted" {
	local host
	for host in localhost 127.0.0.1 10.0.0.1; do
		token --host "$host" --user u --region eu-central-1
		assert_status 64
		assert_equal '' "$output"
		assert_contains "$stderr" hostaddr
	done
}

@test "what is no host name, no port or no user is refused" {
	token --host 'a/b' --user u --region eu-central-1
	assert_status 64
	token --host 'a&b' --user u --region eu-central-1
	assert_status 64
	for port in 0 65536 -1 54x ''; do
		token --host "$HOST" --port="$port" --user u
		assert_status 64
	done
	token --host "$HOST"
	assert_status 64
	assert_contains "$stderr" --user
}

@test "--host and a target exclude each other" {
	token --host "$HOST" --user u prod
	assert_status 64
}

@test "without credentials nothing is printed on stdout and the status is 64" {
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	token --host "$HOST" --user u
	assert_status 64
	assert_equal '' "$output"
}

@test "an access key without its secret is an error" {
	unset AWS_SECRET_ACCESS_KEY
	token --host "$HOST" --user u
	assert_status 64
	assert_contains "$stderr" AWS_SECRET_ACCESS_KEY
}

@test "keys of a profile are used" {
	unset AWS_ACCESS_KEY_ID
	mkdir "$HOME/.aws"
	printf '[work]\naws_access_key_id = AKIDWORK\naws_secret_access_key = %s\n' \
		"$AWS_SECRET_ACCESS_KEY" >"$HOME/.aws/credentials"
	chmod 600 "$HOME/.aws/credentials"
	token --host "$HOST" --user u --profile work
	assert_status 0
	assert_matches "$(parameter X-Amz-Credential)" ^AKIDWORK
	assert_equal "$(expected_signature)" "$(parameter X-Amz-Signature)"
}

@test "-v tells whose token it is on stderr, and no secret" {
	token --host "$HOST" --user u -v
	assert_contains "$stderr" eu-central-1
	refute_contains "$stderr" "$AWS_SECRET_ACCESS_KEY"
	refute_contains "$stderr" "$(parameter X-Amz-Signature)"
	assert_equal 1 "$(wc -l <<<"$output")"
}

@test "a closed stdout is an error" {
	run bash -c "rds-token --host $HOST --user u >&-"
	assert_status 1
}

@test "a dot at the end of the host is not signed" {
	token --host "$HOST." --user app
	assert_status 0
	assert_matches "$output" "^$HOST:5432/"
	assert_equal "$(expected_signature)" "$(parameter X-Amz-Signature)"
}

@test "what is no endpoint's name in any spelling is refused" {
	local host
	for host in localhost. 127.1 0x7f.1 2130706433 db.localhost; do
		token --host "$host" --user app --region eu-central-1
		assert_status 64
		assert_equal '' "$output"
	done
}

@test "a URL with several hosts has no token" {
	PROD_CONNECTION_URL=postgresql://app@$HOST,other.$HOST/shop token
	assert_status 64
	assert_contains "$stderr" 'the URL of the target "prod" names several hosts'
	PROD_CONNECTION_URL="postgresql://app@$HOST/shop?hostaddr=127.0.0.1,127.0.0.2" token
	assert_status 64
	PROD_CONNECTION_URL=postgresql://app@$HOST,other.$HOST/shop token --host "$HOST" --user app
	assert_status 0
}
