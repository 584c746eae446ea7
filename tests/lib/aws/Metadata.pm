# What is asked without a signature: the instance's metadata (version 2 only), the container's
# credentials and the services that tell the public address.
package Metadata;
use strict;
use warnings;
use Sts;

# The name under which a request is recorded and meets faults; nothing for other paths.
sub action_of {
	my ($path) = @_;
	return ('address', 'Ip4') if $path eq '/ip4';
	return ('address', 'Ip6') if $path eq '/ip6';
	return ('metadata', 'Token') if $path eq '/latest/api/token';
	return ('metadata', 'Region') if $path eq '/latest/meta-data/placement/region';
	return ('metadata', 'Role') if $path eq '/latest/meta-data/iam/security-credentials/';
	return ('metadata', 'Credentials') if $path =~ m{^/latest/};
	return ('container', 'Credentials') if $path =~ m{^/v2/credentials/};
	return;
}

sub plain {
	my ($status, $body) = @_;
	return { status => $status, type => 'text/plain', body => $body };
}

sub credentials {
	my ($state, $source, %more) = @_;
	# Takes a while to load, and few ask for it.
	require JSON::PP;
	my $made = Sts::mint($state->{keys}, $source, $state->{lifetime} // 3600, $state->{now});
	return {
		status => 200,
		type => $source eq 'EC2' ? 'text/plain' : 'application/json',
		body => JSON::PP->new->canonical->pretty->encode({
			AccessKeyId => $made->{id},
			SecretAccessKey => $made->{secret},
			Token => $made->{token},
			Expiration => Sts::timestamp($made->{expires}),
			%more,
		}),
	};
}

sub header {
	my ($request, $name) = @_;
	return ($request->{headers}{$name} || [''])->[0];
}

sub metadata {
	my ($state, $request, $action) = @_;
	if ($action eq 'Token') {
		return plain(405, '') if $request->{method} ne 'PUT';
		return plain(403, '') if $request->{headers}{'x-forwarded-for'};
		return plain(400, '')
			unless header($request, 'x-aws-ec2-metadata-token-ttl-seconds') =~ /^[1-9][0-9]{0,4}\z/;
		return plain(200, $state->{metadata_token} = 'AQAEAMETADATA' . Sts::random_text(43));
	}
	return plain(405, '') if $request->{method} ne 'GET';
	return plain(401, '')
		if header($request, 'x-aws-ec2-metadata-token') ne ($state->{metadata_token} // "\0");
	return plain(200, $state->{region}) if $action eq 'Region';
	my $role = $state->{metadata_role} // 'dev-role';
	return plain(404, '') if $role eq '';
	return plain(200, $role) if $action eq 'Role';
	return plain(404, '')
		if $request->{path} ne "/latest/meta-data/iam/security-credentials/$role";
	return credentials($state, 'EC2', Code => 'Success', Type => 'AWS-HMAC',
		LastUpdated => Sts::timestamp($state->{now}));
}

sub container {
	my ($state, $request) = @_;
	return plain(405, '') if $request->{method} ne 'GET';
	my $wanted = $state->{container_token} // '';
	return { status => 401, type => 'application/json', body => '{"message":"not authorized"}' }
		if $wanted ne '' && header($request, 'authorization') ne $wanted;
	return credentials($state, 'BOX', RoleArn => 'arn:aws:iam::123456789012:role/task');
}

sub answer {
	my ($state, $request, $service, $action) = @_;
	return metadata($state, $request, $action) if $service eq 'metadata';
	return container($state, $request) if $service eq 'container';
	return plain(405, '') if $request->{method} ne 'GET';
	my $said = $state->{addresses}{$action};
	return plain($said->{status}, $said->{text});
}

1;
