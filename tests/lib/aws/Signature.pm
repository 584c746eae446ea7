# Checks AWS Signature Version 4, written from AWS's description and from nothing of ours.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
package Signature;
use strict;
use warnings;
use Answer;
use Digest::SHA qw(sha256_hex hmac_sha256 hmac_sha256_hex);
use Time::Local qw(timegm);

sub encode {
	my ($text) = @_;
	$text =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ge;
	return $text;
}

sub decode {
	my ($text) = @_;
	$text =~ s/\+/ /g;
	$text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
	return $text;
}

sub canonical_query {
	my ($query) = @_;
	my @pairs = map {
		my ($name, $value) = split /=/, $_, 2;
		[ encode(decode($name)), encode(decode($value // '')) ]
	} split /&/, $query;
	return join '&', map { "$_->[0]=$_->[1]" }
		sort { $a->[0] cmp $b->[0] || $a->[1] cmp $b->[1] } @pairs;
}

# The signature that the request should carry.
sub expected {
	my ($request, $secret, $signed, $scope) = @_;
	my $headers = join '', map {
		my $value = join ',', @{ $request->{headers}{$_} };
		$value =~ s/\s+/ /g;
		$value =~ s/^ | $//g;
		"$_:$value\n"
	} @$signed;
	my $canonical = join "\n", $request->{method}, $request->{path},
		canonical_query($request->{query}), $headers, join(';', @$signed),
		sha256_hex($request->{body});
	my $key = "AWS4$secret";
	$key = hmac_sha256($_, $key) for split m{/}, $scope;
	return hmac_sha256_hex(join("\n", 'AWS4-HMAC-SHA256', $request->{headers}{'x-amz-date'}[0],
		$scope, sha256_hex($canonical)), $key);
}

# EC2 says the same of whatever is wrong with a signature.
sub refuse {
	my ($service, $code, $message) = @_;
	fail(401, 'AuthFailure', 'AWS was not able to validate the provided access credentials')
		if $service eq 'ec2';
	fail(403, $code, $message);
}

sub check_time {
	my ($service, $date, $now) = @_;
	$date =~ /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/
		or refuse($service, 'IncompleteSignature', 'Date must be in ISO-8601 \'basic format\'.');
	my $sent = eval { timegm($6, $5, $4, $3, $2 - 1, $1) } // 0;
	return if abs($sent - $now) <= 300;
	my $clock = stamp($now);
	if ($sent < $now) {
		fail(400, 'RequestExpired', 'Request has expired.') if $service eq 'ec2';
		fail(403, 'SignatureDoesNotMatch',
			"Signature expired: $date is now earlier than " . stamp($now - 300)
				. " ($clock - 5 min.)");
	}
	refuse($service, 'SignatureDoesNotMatch',
		"Signature not yet current: $date is still later than " . stamp($now + 300)
			. " ($clock + 5 min.)");
}

sub stamp {
	my @t = gmtime shift;
	return sprintf '%04d%02d%02dT%02d%02d%02dZ', $t[5] + 1900, $t[4] + 1, @t[ 3, 2, 1, 0 ];
}

# Reads the Authorization header: (key id, scope without key id, signed header names, signature), or
# nothing when there is none.
sub parse {
	my ($request) = @_;
	my $header = $request->{headers}{authorization} or return;
	$header->[0] =~ m{^AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)/([^,\s]+),\s*
		SignedHeaders=([a-z0-9;-]+),\s*Signature=([0-9a-f]{64})$}x or return;
	return ($1, $2, $3, $4);
}

# Fails unless the request is signed for that service by a known key ({secret, token, expires}).
# Returns key id and region.
sub check {
	my ($request, $service, $keys, $now) = @_;
	my ($id, $scope, $signed, $signature) = parse($request);
	if (!defined $id) {
		fail(400, 'MissingParameter', 'The request must contain the parameter AWSAccessKeyId')
			if $service eq 'ec2';
		fail(403, 'IncompleteSignature', 'Authorization header is malformed.')
			if $request->{headers}{authorization};
		fail(403, 'MissingAuthenticationToken', 'Request is missing Authentication Token');
	}
	my ($day, $region, $for, $end, @rest) = split m{/}, $scope;
	my $date = ($request->{headers}{'x-amz-date'} || [''])->[0];
	my @names = split /;/, $signed;
	my %is_signed = map { $_ => 1 } @names;
	my @unsigned = grep { !$is_signed{$_} }
		'host', grep { /^x-amz-|^content-type$/ } keys %{ $request->{headers} };
	my @absent = grep { !$request->{headers}{$_} } @names;
	my @twice = grep { @{ $request->{headers}{$_} || [] } > 1 } 'host', 'x-amz-date', 'authorization',
		'x-amz-security-token', 'content-type';
	refuse($service, 'SignatureDoesNotMatch', "These headers are not as signed: @unsigned @absent @twice")
		if @unsigned || @absent || @twice || $signed ne join ';', sort @names;
	refuse($service, 'SignatureDoesNotMatch',
		"Credential should be scoped to correct service: '$service'.") if ($for // '') ne $service;
	refuse($service, 'SignatureDoesNotMatch', 'Credential should be scoped with a valid terminator: '
		. "'aws4_request'") if @rest || ($end // '') ne 'aws4_request';
	refuse($service, 'SignatureDoesNotMatch', "Date in Credential scope does not match YYYYMMDD from "
		. "ISO-8601 version of date from HTTP") if $day ne substr $date, 0, 8;
	my $key = $keys->{$id}
		or refuse($service, 'InvalidClientTokenId',
			'The security token included in the request is invalid.');
	my $token = $request->{headers}{'x-amz-security-token'};
	refuse($service, 'InvalidClientTokenId', 'The security token included in the request is invalid.')
		if ($token ? $token->[0] : '') ne ($key->{token} // '');
	refuse($service, 'SignatureDoesNotMatch', 'The request signature we calculated does not match the '
		. 'signature you provided. Check your AWS Secret Access Key and signing method. Consult the '
		. 'service documentation for details.')
		if $signature ne expected($request, $key->{secret}, \@names, $scope);
	check_time($service, $date, $now);
	if ($key->{expires} && $key->{expires} < $now) {
		fail(400, 'RequestExpired', 'Request has expired.') if $service eq 'ec2';
		fail(403, 'ExpiredToken', 'The security token included in the request is expired');
	}
	return ($id, $region);
}

1;
