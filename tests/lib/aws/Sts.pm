# The security token service, and the keys that tests and roles have. Keys are {secret, token, expires}
# by access key id.
package Sts;
use strict;
use warnings;
use Answer;
use MIME::Base64 qw(encode_base64);

our %HANDLER = (
	AssumeRole => \&assume_role,
	AssumeRoleWithWebIdentity => \&assume_with_web_identity,
	GetCallerIdentity => \&caller_identity,
);

my %PARAMETERS = (
	AssumeRole => qr/RoleArn|RoleSessionName|ExternalId|DurationSeconds|Policy|SerialNumber|TokenCode/,
	AssumeRoleWithWebIdentity => qr/RoleArn|RoleSessionName|WebIdentityToken|ProviderId|DurationSeconds/,
	GetCallerIdentity => qr/(?!)/,
);

sub check_parameters {
	my ($action, $parameters) = @_;
	for my $name (sort keys %$parameters) {
		fail(400, 'MalformedInput', "Unexpected parameter: $name")
			unless $name =~ /^(?:Action|Version|$PARAMETERS{$action})$/;
	}
}

sub timestamp {
	my @t = gmtime $_[0];
	return sprintf '%04d-%02d-%02dT%02d:%02d:%02dZ', $t[5] + 1900, $t[4] + 1, @t[ 3, 2, 1, 0 ];
}

sub random_text {
	my ($length) = @_;
	open my $random, '<:raw', '/dev/urandom' or die "/dev/urandom: $!\n";
	my $bytes = '';
	read $random, $bytes, $length;
	close $random;
	return substr encode_base64($bytes, ''), 0, $length;
}

# New temporary credentials, kept. The token is as long as a real one, with characters that have to
# be encoded in a URL. The key id tells whom they are for: ASIAEXAMPLE, the source, a number.
sub mint {
	my ($keys, $source, $lifetime, $now) = @_;
	my $id = sprintf 'ASIAEXAMPLE%s%03d', uc $source, scalar keys %$keys;
	$keys->{$id} = {
		secret => random_text(40),
		token => 'IQoJb3JpZ2lu+/' . random_text(900) . '==',
		expires => $now + $lifetime,
		source => $source,
	};
	return { %{ $keys->{$id} }, id => $id };
}

sub required {
	my ($parameters, @names) = @_;
	for (@names) {
		fail(400, 'ValidationError', "1 validation error detected: Value null at '" . lcfirst
			. "' failed to satisfy constraint: Member must not be null")
			unless length($parameters->{$_} // '');
	}
	fail(400, 'ValidationError', "$parameters->{RoleArn} is invalid")
		unless $parameters->{RoleArn} =~ m{^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.\@/_-]+\z};
	fail(400, 'ValidationError', "1 validation error detected: Value '$parameters->{RoleSessionName}' at "
		. "'roleSessionName' failed to satisfy constraint")
		unless $parameters->{RoleSessionName} =~ /^[A-Za-z0-9_+=,.\@-]{2,64}\z/;
	my $seconds = $parameters->{DurationSeconds} // 3600;
	fail(400, 'ValidationError', 'The requested DurationSeconds exceeds the MaxSessionDuration set for '
		. 'this role.') unless $seconds =~ /^[0-9]+\z/ && $seconds >= 900 && $seconds <= 43200;
}

# What both give. $source names the new key.
sub answer {
	my ($state, $parameters, $source) = @_;
	my $lifetime = $state->{lifetime} // $parameters->{DurationSeconds} // 3600;
	my $made = mint($state->{keys}, $source, $lifetime, $state->{now});
	my ($role) = $parameters->{RoleArn} =~ m{([^/]+)\z};
	return element('AssumedRoleUser', elements(
		AssumedRoleId => "AROAEXAMPLE:$parameters->{RoleSessionName}",
		Arn => "arn:aws:sts::123456789012:assumed-role/$role/$parameters->{RoleSessionName}",
	)) . element('Credentials', elements(
		AccessKeyId => $made->{id},
		SecretAccessKey => $made->{secret},
		SessionToken => $made->{token},
		Expiration => timestamp($made->{expires}),
	));
}

# Everybody may assume every role but those named forbidden…; one named external-ID wants that ExternalId.
sub assume_role {
	my ($state, $parameters) = @_;
	required($parameters, qw(RoleArn RoleSessionName));
	my ($role) = $parameters->{RoleArn} =~ m{([^/]+)\z};
	my ($external) = $role =~ /^external-(.+)\z/;
	fail(403, 'AccessDenied', 'User: arn:aws:iam::123456789012:user/dev is not authorized to perform: '
		. "sts:AssumeRole on resource: $parameters->{RoleArn}")
		if $role =~ /^forbidden/ || ($external // '') ne ($parameters->{ExternalId} // '');
	return answer($state, $parameters, 'ROLE');
}

# Any JSON web token's shape will do; one with "expired" in it is.
sub assume_with_web_identity {
	my ($state, $parameters) = @_;
	required($parameters, qw(RoleArn RoleSessionName WebIdentityToken));
	my $token = $parameters->{WebIdentityToken};
	fail(400, 'ExpiredTokenException', 'Token expired: current date/time must be before the expiration '
		. 'date/time') if $token =~ /expired/;
	fail(400, 'InvalidIdentityToken', 'The ID Token provided is not a valid JWT. (You may see this error '
		. 'if you sent an Access Token)') unless $token =~ /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){2}\z/;
	return answer($state, $parameters, 'WEB');
}

sub caller_identity {
	my ($state, $parameters, $region, $key) = @_;
	my $source = $state->{keys}{$key}{source};
	return elements(
		Arn => $source ? "arn:aws:sts::123456789012:assumed-role/$source/session"
		: 'arn:aws:iam::123456789012:user/dev',
		UserId => $key,
		Account => '123456789012',
	);
}

1;
