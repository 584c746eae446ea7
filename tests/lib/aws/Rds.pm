# Database instances as RDS keeps them. An instance is a hash of the API's own names
# (Endpoint.Address for nested ones) and a queue of states: each Describe that shows it takes it one
# state further.
package Rds;
use strict;
use warnings;
use Answer;
use MIME::Base64 qw(encode_base64 decode_base64);

our %HANDLER = (
	DescribeDBInstances => \&describe,
	CreateDBInstance => \&create,
	StartDBInstance => \&start,
	StopDBInstance => \&stop,
	ModifyDBInstance => \&modify,
	DescribeDBSnapshots => \&describe_snapshots,
	DescribeDBClusterSnapshots => \&describe_cluster_snapshots,
	DescribeDBClusters => \&describe_clusters,
);

my $N = qr/[1-9][0-9]*/;
my %PARAMETERS = (
	DescribeDBInstances => qr/DBInstanceIdentifier|MaxRecords|Marker|
		Filters\.Filter\.$N\.(?:Name|Values\.Value\.$N)/x,
	CreateDBInstance => qr/DBInstanceIdentifier|DBInstanceClass|Engine|EngineVersion|
		AllocatedStorage|StorageType|StorageEncrypted|KmsKeyId|DBName|Port|MasterUsername|
		MasterUserPassword|ManageMasterUserPassword|MasterUserSecretKmsKeyId|PubliclyAccessible|
		DeletionProtection|BackupRetentionPeriod|VpcSecurityGroupIds\.VpcSecurityGroupId\.$N|
		DBSubnetGroupName|DBParameterGroupName|CopyTagsToSnapshot|AutoMinorVersionUpgrade|MultiAZ|
		AvailabilityZone|EnableIAMDatabaseAuthentication|EnablePerformanceInsights|CACertificateIdentifier|
		MaxAllocatedStorage|Iops|Tags\.Tag\.$N\.(?:Key|Value)/x,
	StartDBInstance => qr/DBInstanceIdentifier/,
	StopDBInstance => qr/DBInstanceIdentifier|DBSnapshotIdentifier/,
	ModifyDBInstance => qr/DBInstanceIdentifier|MasterUserPassword|ManageMasterUserPassword|
		ApplyImmediately|DBInstanceClass|AllocatedStorage|DeletionProtection|PubliclyAccessible|
		BackupRetentionPeriod|EnableIAMDatabaseAuthentication|CACertificateIdentifier|
		RotateMasterUserPassword/x,
	DescribeDBSnapshots => qr/DBInstanceIdentifier|DBSnapshotIdentifier|SnapshotType|MaxRecords|Marker/,
	DescribeDBClusterSnapshots =>
		qr/DBClusterIdentifier|DBClusterSnapshotIdentifier|SnapshotType|MaxRecords|Marker/,
	DescribeDBClusters => qr/DBClusterIdentifier|MaxRecords|Marker/,
);

sub check_parameters {
	my ($action, $parameters) = @_;
	for my $name (sort keys %$parameters) {
		fail(400, 'MalformedInput', "Unexpected parameter: $name")
			unless $name =~ /^(?:Action|Version|$PARAMETERS{$action})$/;
	}
}

# --- instances ---------------------------------------------------------------------------------

# What a new instance has when nobody says otherwise; values of the API's own.
my %DEFAULT = (
	AllocatedStorage => 20,
	AutoMinorVersionUpgrade => 'true',
	BackupRetentionPeriod => 1,
	CACertificateIdentifier => 'rds-ca-rsa2048-g1',
	CopyTagsToSnapshot => 'false',
	DBInstanceClass => 'db.t4g.micro',
	DeletionProtection => 'false',
	EnableIAMDatabaseAuthentication => 'false',
	Engine => 'postgres',
	EngineVersion => '16.3',
	MasterUsername => 'postgres',
	MultiAZ => 'false',
	Port => 5432,
	PubliclyAccessible => 'true',
	StorageEncrypted => 'false',
	StorageType => 'gp2',
);

sub new_instance {
	my ($region, $id, %values) = @_;
	my %instance = (%DEFAULT, %values);
	my $port = delete $instance{Port};
	$instance{DBInstanceIdentifier} = $id;
	$instance{'Endpoint.Address'} //= "$id.c1abcdefghij.$region.rds.amazonaws.com";
	$instance{'Endpoint.Port'} //= $port;
	$instance{AvailabilityZone} //= "${region}a";
	$instance{DBInstanceArn} = "arn:aws:rds:$region:123456789012:db:$id";
	$instance{DbiResourceId} = 'db-' . uc substr join('', map { sprintf '%x', ord } split //, $id), 0, 26;
	if (lc($instance{ManageMasterUserPassword} // '') eq 'true') {
		$instance{'MasterUserSecret.SecretArn'} //=
			"arn:aws:secretsmanager:$region:123456789012:secret:rds!db-12345678-abcd-AbCdEf";
		$instance{'MasterUserSecret.SecretStatus'} //= 'active';
	}
	delete $instance{ManageMasterUserPassword};
	return \%instance;
}

# The state that the next Describe shows.
sub status {
	return $_[0]{states}[0];
}

sub advance {
	my ($instance) = @_;
	shift @{ $instance->{states} } if @{ $instance->{states} } > 1;
	settle($instance);
}

# A new password waits until its state has passed.
sub settle {
	my ($instance) = @_;
	my $values = $instance->{values};
	return if @{ $instance->{states} } > 1 || !defined $instance->{pending_password};
	$values->{MasterUserPassword} = delete $instance->{pending_password};
}

sub has_endpoint {
	return $_[0] !~ /^(?:creating|failed)$/;
}

my @SHOWN = qw(AllocatedStorage AutoMinorVersionUpgrade AvailabilityZone BackupRetentionPeriod
	CACertificateIdentifier CopyTagsToSnapshot DBClusterIdentifier DBInstanceArn DBInstanceClass
	DBInstanceIdentifier DBName DbiResourceId DeletionProtection Engine EngineVersion
	MasterUsername MaxAllocatedStorage MultiAZ PubliclyAccessible StorageEncrypted StorageType
	KmsKeyId Iops LatestRestorableTime);

sub instance_xml {
	my ($instance, $status) = @_;
	my $values = $instance->{values};
	my $xml = elements(map { ($_ => $values->{$_}) } @SHOWN);
	$xml .= elements(
		DBInstanceStatus => $status,
		IAMDatabaseAuthenticationEnabled => $values->{EnableIAMDatabaseAuthentication},
		DbInstancePort => 0,
		AutomaticRestartTime => $status eq 'stopped' ? $values->{AutomaticRestartTime} : undef,
		InstanceCreateTime => has_endpoint($status) ? '2024-01-01T00:00:00.000Z' : undef,
	);
	$xml .= element('Endpoint', elements(
		Address => $values->{'Endpoint.Address'},
		Port => $values->{'Endpoint.Port'},
		HostedZoneId => 'Z1RLNUO7B9Q6NB',
	)) if has_endpoint($status);
	$xml .= element('MasterUserSecret', elements(
		SecretArn => $values->{'MasterUserSecret.SecretArn'},
		SecretStatus => $values->{'MasterUserSecret.SecretStatus'},
	)) if defined $values->{'MasterUserSecret.SecretArn'};
	$xml .= element('PendingModifiedValues',
		defined $instance->{pending_password} ? elements(MasterUserPassword => '****') : '');
	$xml .= element('VpcSecurityGroups', map {
		element('VpcSecurityGroupMembership', elements(VpcSecurityGroupId => $_, Status => 'active'))
	} @{ $instance->{groups} || [] });
	$xml .= element('DBSubnetGroup', elements(DBSubnetGroupName => $values->{DBSubnetGroupName}))
		if defined $values->{DBSubnetGroupName};
	$xml .= element('CertificateDetails', elements(
		CAIdentifier => $values->{CACertificateIdentifier},
		ValidTill => '2061-05-18T22:51:27Z',
	)) if has_endpoint($status);
	return $xml;
}

# --- describe ----------------------------------------------------------------------------------

sub find {
	my ($state, $id) = @_;
	fail(400, 'InvalidParameterValue', 'The parameter DBInstanceIdentifier must be provided and must '
		. 'not be blank.') unless defined $id && length $id;
	fail(400, 'InvalidParameterValue', 'The parameter DBInstanceIdentifier is not a valid identifier. '
		. 'Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; '
		. 'and must not end with a hyphen or contain two consecutive hyphens.') unless valid_id($id);
	return $state->{instances}{ lc $id } || fail(404, 'DBInstanceNotFound',
		"DBInstance $id not found.");
}

sub valid_id {
	my ($id) = @_;
	return $id =~ /^[A-Za-z][A-Za-z0-9-]{0,62}\z/ && $id !~ /--|-\z/;
}

# The page of a list that is asked for, as XML: the list, then the marker of the next page.
sub page {
	my ($state, $parameters, $name, $to_xml, @all) = @_;
	my $max = $parameters->{MaxRecords} // 100;
	fail(400, 'InvalidParameterValue', "Invalid value $max for MaxRecords. Must be between 20 and 100")
		if $max !~ /^[0-9]{1,4}$/ || $max < 20 || $max > 100;
	$max = $state->{page_size} if $state->{page_size} && $state->{page_size} < $max;
	my $start = 0;
	if (defined $parameters->{Marker}) {
		($start) = decode_base64($parameters->{Marker}) =~ /^>>\?from ([0-9]+)\?>>$/;
		fail(400, 'InvalidParameterValue', 'The marker provided is invalid.') unless defined $start;
	}
	my @page = splice @all, $start, $max;
	my $more = @all > $start;
	my $xml = element($name, map { $to_xml->($_) } @page);
	return $xml . ($more ? elements(Marker => encode_base64('>>?from ' . ($start + $max) . '?>>', '')) : '');
}

sub describe {
	my ($state, $parameters) = @_;
	my @instances = defined $parameters->{DBInstanceIdentifier}
		? find($state, $parameters->{DBInstanceIdentifier})
		: map { $state->{instances}{$_} } sort keys %{ $state->{instances} };
	return page($state, $parameters, 'DBInstances', sub {
		my ($instance) = @_;
		my $xml = element('DBInstance', instance_xml($instance, status($instance)));
		advance($instance);
		return $xml;
	}, @instances);
}

# Of an instance that is not there AWS has no snapshots, which is no error.
sub snapshots_of {
	my ($state, $parameters, $kind, $of) = @_;
	return page($state, $parameters, "DB${kind}Snapshots", sub {
		my ($snapshot) = @_;
		return element("DB${kind}Snapshot", elements(
			"DB${kind}SnapshotIdentifier" => $snapshot->{id},
			($kind ? 'DBClusterIdentifier' : 'DBInstanceIdentifier') => $snapshot->{of},
			SnapshotCreateTime => $snapshot->{created},
			Engine => 'postgres',
			Status => $snapshot->{status},
			SnapshotType => $snapshot->{type},
		));
	}, grep { $_->{of} eq lc $of } @{ $state->{snapshots} || [] });
}

sub describe_snapshots {
	my ($state, $parameters) = @_;
	return snapshots_of($state, $parameters, '', $parameters->{DBInstanceIdentifier} // '');
}

sub describe_cluster_snapshots {
	my ($state, $parameters) = @_;
	return snapshots_of($state, $parameters, 'Cluster', $parameters->{DBClusterIdentifier} // '');
}

# A cluster is there when one of its instances is; what it is, is theirs.
sub describe_clusters {
	my ($state, $parameters) = @_;
	my $id = lc($parameters->{DBClusterIdentifier} // '');
	my ($instance) = grep { ($_->{values}{DBClusterIdentifier} // '') eq $id }
		map { $state->{instances}{$_} } sort keys %{ $state->{instances} };
	fail(404, 'DBClusterNotFoundFault', "DBCluster $id not found.") unless $instance;
	return element('DBClusters', element('DBCluster', elements(
		DBClusterIdentifier => $id,
		Status => 'available',
		LatestRestorableTime => $instance->{values}{ClusterLatestRestorableTime},
	)));
}

# --- writes ------------------------------------------------------------------------------------

sub check_password {
	my ($password) = @_;
	fail(400, 'InvalidParameterValue', 'The parameter MasterUserPassword is not a valid password '
		. 'because it is shorter than 8 characters.') if length $password < 8;
	fail(400, 'InvalidParameterValue', 'The parameter MasterUserPassword is not a valid password '
		. 'because it is longer than 128 characters.') if length $password > 128;
	fail(400, 'InvalidParameterValue', 'The parameter MasterUserPassword is not a valid password. Only '
		. q(printable ASCII characters besides '/', '@', '"', ' ' may be used.))
		if $password !~ /^[!-~]+\z/ || $password =~ m{[/\@"]};
}

sub check_creation {
	my ($parameters) = @_;
	for (qw(DBInstanceClass Engine)) {
		fail(400, 'MissingParameter', "The request must contain the parameter $_")
			unless length($parameters->{$_} // '');
	}
	for (qw(MasterUsername AllocatedStorage)) {
		fail(400, 'InvalidParameterValue', "The parameter $_ must be provided and must not be blank.")
			unless length($parameters->{$_} // '');
	}
	my $managed = lc($parameters->{ManageMasterUserPassword} // '') eq 'true';
	my $password = $parameters->{MasterUserPassword};
	fail(400, 'InvalidParameterCombination', 'You can\'t specify MasterUserPassword for an instance '
		. 'with ManageMasterUserPassword enabled.') if $managed && defined $password;
	fail(400, 'InvalidParameterValue', 'The parameter MasterUserPassword must be provided and must not '
		. 'be blank.') if !$managed && !length($password // '');
	check_password($password) unless $managed;
	fail(400, 'InvalidParameterValue', 'Invalid master user name')
		unless $parameters->{MasterUsername} =~ /^[A-Za-z][A-Za-z0-9_]{0,62}\z/;
	fail(400, 'InvalidParameterValue', 'MasterUsername ' . $parameters->{MasterUsername} . ' cannot be '
		. 'used as it is a reserved word used by the engine')
		if $parameters->{MasterUsername} =~ /^(?:rdsadmin|admin|user|public|rdsrepladmin)\z/;
	fail(400, 'InvalidParameterCombination', 'Invalid storage size for engine name postgres and storage '
		. 'type ' . ($parameters->{StorageType} // 'gp2') . ': ' . $parameters->{AllocatedStorage})
		unless $parameters->{AllocatedStorage} =~ /^[0-9]{2,5}\z/ && $parameters->{AllocatedStorage} >= 20;
	fail(400, 'InvalidParameterValue', 'DBName must begin with a letter and contain only alphanumeric '
		. 'characters.') unless ($parameters->{DBName} // 'a') =~ /^[A-Za-z][A-Za-z0-9_]{0,62}\z/;
}

sub create {
	my ($state, $parameters, $region) = @_;
	my $id = lc($parameters->{DBInstanceIdentifier} // '');
	fail(400, 'InvalidParameterValue', 'The parameter DBInstanceIdentifier is not a valid identifier.')
		unless valid_id($id);
	check_creation($parameters);
	fail(400, 'DBInstanceAlreadyExists', 'DB instance already exists') if $state->{instances}{$id};
	my %values = map { ($_ => $parameters->{$_}) }
		grep { !/^(?:Action|Version|DBInstanceIdentifier|Tags\.|VpcSecurityGroupIds)/ } keys %$parameters;
	my $instance = {
		values => new_instance($region, $id, %values),
		states => [qw(creating backing-up available)],
		groups => [ map { $_->{''} } numbered($parameters, 'VpcSecurityGroupIds.VpcSecurityGroupId') ],
	};
	$state->{instances}{$id} = $instance;
	return element('DBInstance', instance_xml($instance, 'creating'));
}

sub start {
	my ($state, $parameters) = @_;
	my $instance = find($state, $parameters->{DBInstanceIdentifier});
	refuse_cluster($instance);
	fail(400, 'InvalidDBInstanceState',
		"Instance $instance->{values}{DBInstanceIdentifier} is not stopped.")
		if status($instance) ne 'stopped';
	$instance->{states} = [qw(starting available)];
	return element('DBInstance', instance_xml($instance, 'starting'));
}

sub refuse_cluster {
	my ($instance) = @_;
	fail(400, 'InvalidParameterCombination', 'aurora-postgresql DB instances are not eligible for '
		. 'stopping and starting.') if defined $instance->{values}{DBClusterIdentifier};
}

sub stop {
	my ($state, $parameters) = @_;
	my $instance = find($state, $parameters->{DBInstanceIdentifier});
	refuse_cluster($instance);
	fail(400, 'InvalidDBInstanceState',
		"Instance $instance->{values}{DBInstanceIdentifier} is not in available state.")
		if status($instance) ne 'available';
	my @t = gmtime time + 7 * 86400;
	$instance->{values}{AutomaticRestartTime} = sprintf '%04d-%02d-%02dT%02d:%02d:%02d.000Z',
		$t[5] + 1900, $t[4] + 1, @t[ 3, 2, 1, 0 ];
	$instance->{states} = [qw(stopping stopped)];
	return element('DBInstance', instance_xml($instance, 'stopping'));
}

# A new password is first only pending: the instance goes on being available for a Describe.
sub modify {
	my ($state, $parameters) = @_;
	my $instance = find($state, $parameters->{DBInstanceIdentifier});
	my $values = $instance->{values};
	my $password = $parameters->{MasterUserPassword};
	fail(400, 'InvalidDBInstanceState',
		"Database instance is not in available state.") if status($instance) ne 'available';
	if (defined $password) {
		check_password($password);
		fail(400, 'InvalidParameterCombination', 'You can\'t specify MasterUserPassword for an instance '
			. 'with ManageMasterUserPassword enabled.') if defined $values->{'MasterUserSecret.SecretArn'};
		$instance->{pending_password} = $password;
		$instance->{states} = [qw(available resetting-master-credentials available)];
	}
	for (grep { !/^(?:Action|Version|DBInstanceIdentifier|ApplyImmediately|MasterUserPassword)$/ }
		keys %$parameters) {
		$values->{$_} = $parameters->{$_};
	}
	return element('DBInstance', instance_xml($instance, 'available'));
}

# --- for tests ---------------------------------------------------------------------------------

# add ID STATUS[,STATUS...] [NAME=VALUE ...]
sub add {
	my ($state, $region, $id, $status, @values) = @_;
	my %values = map { split /=/, $_, 2 } @values;
	my @groups = split /,/, delete $values{VpcSecurityGroupIds} // '';
	$state->{instances}{ lc $id } = {
		values => new_instance($region, lc $id, %values),
		states => [ split /,/, $status ],
		groups => \@groups,
	};
}

# add_snapshot ID OF CREATED [TYPE [STATUS]]: OF is an instance or a cluster.
sub add_snapshot {
	my ($state, $id, $of, $created, $type, $status) = @_;
	push @{ $state->{snapshots} }, { id => $id, of => lc $of, created => $created,
		type => $type // 'automated', status => $status // 'available' };
}

sub show {
	my ($state, $id) = @_;
	my $instance = $state->{instances}{ lc $id } or return "none\n";
	my %values = %{ $instance->{values} };
	$values{VpcSecurityGroupIds} = join ',', @{ $instance->{groups} } if @{ $instance->{groups} };
	return join(' ', status($instance), map { "$_=$values{$_}" } sort keys %values) . "\n";
}

1;
