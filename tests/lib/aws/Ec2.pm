# Security-group rules as EC2 keeps them. Each handler takes (groups and rules of the region, the
# parameters) and returns XML, or fails.
package Ec2;
use strict;
use warnings;
use Answer;
use MIME::Base64 qw(encode_base64 decode_base64);
use Socket qw(AF_INET AF_INET6 inet_pton inet_ntop);

use constant QUOTA => 60;

our %HANDLER = (
	DescribeSecurityGroupRules => \&describe,
	ModifySecurityGroupRules => \&modify,
	AuthorizeSecurityGroupIngress => \&authorize,
	RevokeSecurityGroupIngress => \&revoke,
	UpdateSecurityGroupRuleDescriptionsIngress => \&update_descriptions,
);

my $SOURCE = qr/CidrIpv4|CidrIpv6|PrefixListId|ReferencedGroupId/;
my $N = qr/[1-9][0-9]*/;
my %PARAMETERS = (
	DescribeSecurityGroupRules =>
		qr/Filter\.$N\.(?:Name|Value\.$N)|SecurityGroupRuleId\.$N|MaxResults|NextToken/,
	ModifySecurityGroupRules => qr/GroupId|SecurityGroupRule\.$N\.(?:SecurityGroupRuleId|
		SecurityGroupRule\.(?:IpProtocol|FromPort|ToPort|Description|$SOURCE))/x,
	AuthorizeSecurityGroupIngress => qr/GroupId|GroupName|
		IpPermissions\.$N\.(?:IpProtocol|FromPort|ToPort|IpRanges\.$N\.(?:CidrIp|Description)|
			Ipv6Ranges\.$N\.(?:CidrIpv6|Description)|PrefixListIds\.$N\.(?:PrefixListId|Description)|
			Groups\.$N\.(?:GroupId|UserId|Description))|
		TagSpecification\.$N\.(?:ResourceType|Tag\.$N\.(?:Key|Value))/x,
	RevokeSecurityGroupIngress => qr/GroupId|SecurityGroupRuleId\.$N/,
	UpdateSecurityGroupRuleDescriptionsIngress =>
		qr/GroupId|SecurityGroupRuleDescription\.$N\.(?:SecurityGroupRuleId|Description)/,
);

sub check_parameters {
	my ($action, $parameters) = @_;
	for my $name (sort keys %$parameters) {
		fail(400, 'UnknownParameter', "The parameter $name is not recognized")
			unless $name =~ /^(?:Action|Version|DryRun|$PARAMETERS{$action})$/;
	}
}

# --- values ------------------------------------------------------------------------------------

# The canonical text of a CIDR of that family (4 or 6), host bits cleared.
sub canonical_cidr {
	my ($text, $family) = @_;
	my ($af, $bits) = $family == 4 ? (AF_INET, 32) : (AF_INET6, 128);
	my ($address, $prefix) = $text =~ m{^([0-9A-Fa-f.:]+)/(0|[1-9][0-9]{0,2})$};
	my $packed = defined $address && $prefix <= $bits ? inet_pton($af, $address) : undef;
	fail(400, 'InvalidParameterValue', "CIDR block $text is malformed") unless defined $packed;
	my $mask = pack 'B*', '1' x $prefix . '0' x ($bits - $prefix);
	return inet_ntop($af, $packed & $mask) . "/$prefix";
}

sub check_description {
	my ($text) = @_;
	fail(400, 'InvalidParameterValue', 'Invalid rule description. Valid descriptions are strings '
		. 'less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*')
		unless $text =~ m{^[a-zA-Z0-9. _\-:/()#,@\[\]+=&;\{\}!\$*]{0,255}\z};
}

sub check_group {
	my ($state, $id) = @_;
	fail(400, 'MissingParameter', 'The request must contain the parameter GroupId')
		unless defined $id && length $id;
	fail(400, 'InvalidGroupId.Malformed', qq(Invalid id: "$id" (expecting "sg-...")))
		unless $id =~ /^sg-(?:[0-9a-f]{8}|[0-9a-f]{17})$/;
	fail(400, 'InvalidGroup.NotFound', "The security group '$id' does not exist")
		unless $state->{groups}{$id};
	return $id;
}

sub find_rule {
	my ($state, $id, $group) = @_;
	fail(400, 'InvalidSecurityGroupRuleId.Malformed', qq(Invalid id: "$id" (expecting "sgr-...")))
		unless $id =~ /^sgr-[0-9a-f]{17}$/;
	my ($rule) = grep { $_->{id} eq $id } @{ $state->{rules} };
	fail(400, 'InvalidSecurityGroupRuleId.NotFound',
		"The security group rule ID '$id' does not exist")
		unless $rule && (!defined $group || $rule->{group} eq $group);
	return $rule;
}

sub check_ports {
	my ($protocol, $from, $to) = @_;
	fail(400, 'InvalidParameterValue', q(Invalid value 'null' for protocol. VPC security group rules )
		. 'must specify protocols explicitly.') unless defined $protocol;
	fail(400, 'InvalidParameterValue', "Invalid value '$protocol' for IP protocol. Unknown protocol.")
		unless $protocol =~ /^(?:tcp|udp|icmp|icmpv6|-1|[0-9]{1,3})$/;
	return if $protocol !~ /^(?:tcp|udp)$/;
	fail(400, 'InvalidParameterValue',
		'Invalid value for portRange. Must specify both from and to ports with TCP/UDP.')
		unless defined $from && defined $to;
	for ($from, $to) {
		fail(400, 'InvalidParameterValue', "Invalid value '$_' for port number") # as for "abc"
			unless /^[0-9]{1,5}$/ && $_ <= 65535;
	}
	fail(400, 'InvalidParameterValue', "Invalid TCP/UDP port range ($from:$to)") if $from > $to;
}

# --- rules -------------------------------------------------------------------------------------

# The rule with the same direction, protocol, ports and source, other than $but.
sub twin {
	my ($state, $rule, $but) = @_;
	my $identity = sub {
		join ' ', map { $_ // '' } @{ $_[0] }{qw(group egress protocol from to source)};
	};
	my $wanted = $identity->($rule);
	my ($twin) = grep { $_->{id} ne $but && $identity->($_) eq $wanted } @{ $state->{rules} };
	return $twin;
}

sub refuse_twin {
	my ($state, $rule, $but) = @_;
	return unless twin($state, $rule, $but);
	fail(400, 'InvalidPermission.Duplicate', sprintf
		'the specified rule "peer: %s, %s, from port: %s, to port: %s, ALLOW" already exists',
		$rule->{source}, uc $rule->{protocol}, $rule->{from}, $rule->{to});
}

sub rule_xml {
	my ($rule) = @_;
	my %source = (
		ipv4 => sub { elements(cidrIpv4 => $_[0]) },
		ipv6 => sub { elements(cidrIpv6 => $_[0]) },
		prefix_list => sub { elements(prefixListId => $_[0]) },
		group => sub { element('referencedGroupInfo', elements(groupId => $_[0],
			userId => '123456789012')) },
	);
	return elements(
		securityGroupRuleId => $rule->{id},
		groupId => $rule->{group},
		groupOwnerId => '123456789012',
		isEgress => $rule->{egress} ? 'true' : 'false',
		ipProtocol => $rule->{protocol},
		fromPort => $rule->{from},
		toPort => $rule->{to},
	) . $source{ $rule->{kind} }->($rule->{source})
		. elements(description => length $rule->{description} ? $rule->{description} : undef)
		. element('tagSet', map { element('item', elements(key => $_->[0], value => $_->[1])) }
			@{ $rule->{tags} });
}

sub kind_of {
	my ($source) = @_;
	return 'prefix_list' if $source =~ /^pl-/;
	return 'group' if $source =~ /^sg-/;
	return $source =~ /:/ ? 'ipv6' : 'ipv4';
}

sub new_id {
	my ($state) = @_;
	return sprintf 'sgr-%06x%011x', int rand 1 << 24, ++$state->{last_id};
}

# --- describe ----------------------------------------------------------------------------------

sub matches {
	my ($rule, $filter, $values) = @_;
	my %is = map { $_ => 1 } @$values;
	return $is{ $rule->{group} } if $filter eq 'group-id';
	return $is{ $rule->{id} } if $filter eq 'security-group-rule-id';
	if ($filter =~ /^tag:(.+)$/s) {
		my $key = $1;
		return scalar grep { $_->[0] eq $key && $is{ $_->[1] } } @{ $rule->{tags} };
	}
	fail(400, 'InvalidParameterValue', "The filter '$filter' is invalid");
}

# Where the page begins. The token is base64, so that it has to be encoded in the next request.
sub page_start {
	my ($token) = @_;
	return 0 unless defined $token;
	return $1 if decode_base64($token) =~ /^>>\?page ([0-9]+)\?>>$/;
	fail(400, 'InvalidPaginationToken', 'The specified pagination token is invalid.');
}

sub page_token {
	return encode_base64(">>?page $_[0]?>>", '');
}

sub describe {
	my ($state, $parameters) = @_;
	my @ids = map { $_->{''} // '' } numbered($parameters, 'SecurityGroupRuleId');
	my $max = $parameters->{MaxResults};
	fail(400, 'InvalidParameterCombination', 'The parameter SecurityGroupRuleIds cannot be used with '
		. 'the parameter MaxResults') if @ids && defined $max;
	fail(400, 'InvalidParameterValue', "Value ( $max ) for parameter maxResults is invalid. "
		. 'Expecting a value between 5 and 1000.')
		if defined $max && ($max !~ /^[0-9]{1,4}$/ || $max < 5 || $max > 1000);
	my @rules = @ids ? map { find_rule($state, $_) } @ids : @{ $state->{rules} };
	for my $filter (numbered($parameters, 'Filter')) {
		my $name = $filter->{Name} // '';
		my @values = map { $filter->{$_} } grep { /^Value/ } keys %$filter;
		check_group($state, $_) for $name eq 'group-id' ? @values : ();
		@rules = grep { matches($_, $name, \@values) } @rules;
		# A wrong filter is wrong for no rules as well.
		matches({ group => '', id => '', tags => [] }, $name, \@values);
	}
	my $start = page_start($parameters->{NextToken});
	my $size = $state->{page_size} && !@ids ? $state->{page_size} : 1000;
	$size = $max if defined $max && $max < $size;
	my @page = splice @rules, $start, $size;
	my $more = @rules > $start;
	return element('securityGroupRuleSet', map { element('item', rule_xml($_)) } @page)
		. ($more ? elements(nextToken => page_token($start + $size)) : '');
}

# --- writes ------------------------------------------------------------------------------------

sub dry_run {
	my ($parameters) = @_;
	fail(412, 'DryRunOperation', 'Request would have succeeded, but DryRun flag is set.')
		if lc($parameters->{DryRun} // '') eq 'true';
}

# The rule that a request describes, of the group and with the id of an existing one.
sub wanted_rule {
	my ($old, $request) = @_;
	my %kind = (CidrIpv4 => 'ipv4', CidrIpv6 => 'ipv6', PrefixListId => 'prefix_list',
		ReferencedGroupId => 'group');
	my @sources = grep { defined $request->{$_} } sort keys %kind;
	fail(400, 'InvalidParameterCombination', 'Only one of cidrIp, cidrIpv6, prefixListId, or '
		. 'referencedGroupId can be specified') if @sources > 1;
	fail(400, 'MissingParameter', 'The request must contain exactly one of: cidrIp, cidrIpv6, '
		. 'prefixListId, or referencedGroupId') unless @sources;
	my ($source) = @sources;
	check_ports(@{$request}{qw(IpProtocol FromPort ToPort)});
	fail(400, 'InvalidParameterValue', "Invalid rule type for security group rule '$old->{id}'. You "
		. "may not specify $source for an existing $old->{kind} rule.")
		if $kind{$source} ne $old->{kind};
	my $text = $request->{$source};
	$text = canonical_cidr($text, $source eq 'CidrIpv4' ? 4 : 6) if $source =~ /^Cidr/;
	check_description($request->{Description} // '');
	return {
		%$old,
		protocol => $request->{IpProtocol},
		from => $request->{FromPort} // -1,
		to => $request->{ToPort} // -1,
		source => $text,
		description => $request->{Description} // '',
	};
}

sub modify {
	my ($state, $parameters) = @_;
	my $group = check_group($state, $parameters->{GroupId});
	my @requests = numbered($parameters, 'SecurityGroupRule');
	fail(400, 'MissingParameter', 'The request must contain the parameter SecurityGroupRules')
		unless @requests;
	dry_run($parameters);
	my @changes;
	for my $request (@requests) {
		my $old = find_rule($state, $request->{SecurityGroupRuleId} // '', $group);
		my %inner = map { /^SecurityGroupRule\.(.+)$/ ? ($1 => $request->{$_}) : () } keys %$request;
		my $new = wanted_rule($old, \%inner);
		refuse_twin($state, $new, $old->{id});
		push @changes, [ $old, $new ];
	}
	%{ $_->[0] } = %{ $_->[1] } for @changes;
	return elements(return => 'true');
}

# The rules that one IpPermissions entry asks for.
sub permission_rules {
	my ($group, $permission) = @_;
	check_ports(@{$permission}{qw(IpProtocol FromPort ToPort)});
	my @rules;
	for my $form ([ 'IpRanges', 'CidrIp', 'ipv4' ], [ 'Ipv6Ranges', 'CidrIpv6', 'ipv6' ],
		[ 'PrefixListIds', 'PrefixListId', 'prefix_list' ], [ 'Groups', 'GroupId', 'group' ]) {
		my ($list, $name, $kind) = @$form;
		for my $item (numbered($permission, $list)) {
			my $source = $item->{$name} // '';
			$source = canonical_cidr($source, $kind eq 'ipv4' ? 4 : 6) if $kind =~ /^ipv/;
			check_description($item->{Description} // '');
			push @rules, {
				group => $group,
				egress => 0,
				protocol => $permission->{IpProtocol},
				from => $permission->{FromPort} // -1,
				to => $permission->{ToPort} // -1,
				kind => $kind,
				source => $source,
				description => $item->{Description} // '',
			};
		}
	}
	fail(400, 'MissingParameter', 'Source group or CIDR missing') unless @rules;
	return @rules;
}

sub requested_tags {
	my ($parameters) = @_;
	my @tags;
	for my $specification (numbered($parameters, 'TagSpecification')) {
		my $type = $specification->{ResourceType} // '';
		fail(400, 'InvalidParameterValue', "'$type' is not a valid taggable resource type for this "
			. 'operation.') if $type ne 'security-group-rule';
		for my $tag (numbered($specification, 'Tag')) {
			fail(400, 'InvalidParameterValue', 'Tag keys starting with \'aws:\' are reserved for '
				. 'internal use') if ($tag->{Key} // '') =~ /^aws:/i;
			fail(400, 'InvalidParameterValue', 'Tag key cannot be empty or too long')
				unless length($tag->{Key} // '') && length $tag->{Key} <= 128;
			push @tags, [ $tag->{Key}, $tag->{Value} // '' ];
		}
	}
	return @tags;
}

sub authorize {
	my ($state, $parameters) = @_;
	my $group = check_group($state, $parameters->{GroupId});
	my @rules = map { permission_rules($group, $_) } numbered($parameters, 'IpPermissions');
	my @tags = requested_tags($parameters);
	fail(400, 'MissingParameter', 'The request must contain the parameter ipPermissions')
		unless @rules;
	dry_run($parameters);
	for my $rule (@rules) {
		refuse_twin($state, $rule, '');
		my $count = grep { $_->{group} eq $group && !$_->{egress} && $_->{kind} eq $rule->{kind} }
			@{ $state->{rules} };
		fail(400, 'RulesPerSecurityGroupLimitExceeded',
			'The maximum number of rules per security group has been reached.') if $count >= QUOTA;
	}
	for my $rule (@rules) {
		$rule->{id} = new_id($state);
		$rule->{tags} = [@tags];
		push @{ $state->{rules} }, $rule;
	}
	return elements(return => 'true')
		. element('securityGroupRuleSet', map { element('item', rule_xml($_)) } @rules);
}

sub revoke {
	my ($state, $parameters) = @_;
	my $group = check_group($state, $parameters->{GroupId});
	my @ids = map { $_->{''} // '' } numbered($parameters, 'SecurityGroupRuleId');
	fail(400, 'MissingParameter', 'The request must contain the parameter securityGroupRuleIds')
		unless @ids;
	dry_run($parameters);
	for my $id (@ids) {
		my $rule = find_rule($state, $id, $group);
		fail(400, 'InvalidParameterValue', "The security group rule ID '$id' is not an ingress rule")
			if $rule->{egress};
	}
	my %gone = map { $_ => 1 } @ids;
	$state->{rules} = [ grep { !$gone{ $_->{id} } } @{ $state->{rules} } ];
	return elements(return => 'true');
}

sub update_descriptions {
	my ($state, $parameters) = @_;
	my $group = check_group($state, $parameters->{GroupId});
	my @requests = numbered($parameters, 'SecurityGroupRuleDescription');
	dry_run($parameters);
	check_description($_->{Description} // '') for @requests;
	my @rules = map { find_rule($state, $_->{SecurityGroupRuleId} // '', $group) } @requests;
	$rules[$_]{description} = $requests[$_]{Description} // '' for 0 .. $#rules;
	return elements(return => 'true');
}

# --- for tests ---------------------------------------------------------------------------------

# add ID GROUP SOURCE [PORT [DESCRIPTION [KEY=VALUE...]]]; PORT: [egress:][PROTOCOL/]FROM[-TO] or
# [egress:]all. Replaces a rule of the same id; quota and duplicates are not looked at.
sub add {
	my ($state, $id, $group, $source, $port, $description, @tags) = @_;
	$port = '5432' unless length($port // '');
	my $egress = $port =~ s/^egress:// ? 1 : 0;
	my $protocol = $port =~ s{^([^/]+)/}{} ? $1 : 'tcp';
	my ($from, $to) = $port eq 'all' ? (-1, -1) : $port =~ /^(-?[0-9]+)(?:-([0-9]+))?$/;
	die "what port is \"$port\"?\n" unless defined $from;
	my $kind = kind_of($source);
	$source = canonical_cidr($source, $kind eq 'ipv4' ? 4 : 6) if $kind =~ /^ipv/;
	$state->{groups}{$group} = 1;
	$state->{rules} = [ grep { $_->{id} ne $id } @{ $state->{rules} } ];
	push @{ $state->{rules} }, {
		id => $id, group => $group, egress => $egress,
		protocol => $port eq 'all' ? '-1' : $protocol, from => $from, to => $to // $from,
		kind => $kind, source => $source, description => $description // '',
		tags => [ map { [ split /=/, $_, 2 ] } @tags ],
	};
}

# "ID ingress|egress PROTOCOL FROM TO SOURCE DESCRIPTION [KEY=VALUE...]", by id.
sub list {
	my ($state, $group) = @_;
	return join '', map {
		my $rule = $_;
		my @words = ($rule->{id}, $rule->{egress} ? 'egress' : 'ingress',
			@{$rule}{qw(protocol from to source)}, grep { length } $rule->{description},
			map { "$_->[0]=$_->[1]" } @{ $rule->{tags} });
		"@words\n"
	} sort { $a->{id} cmp $b->{id} } grep { $_->{group} eq $group } @{ $state->{rules} };
}

1;
