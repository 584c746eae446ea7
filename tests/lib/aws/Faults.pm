# What goes wrong on demand. Orders queue up; each waits for the next call it is meant for.
package Faults;
use strict;
use warnings;
use Answer;

my @queue;

# add SNAPSHOT, "ACTION KIND [ARGUMENT]", [TIMES]: TIMES is a number (1) or "always". The snapshot is
# the state that `stale` shows when the call is a Describe.
sub add {
	my ($snapshot, $order, $times) = @_;
	my ($action, $kind, $argument) = $order =~ /^(\S+) (\S+)(?: (.*))?$/s;
	die "what fault is \"$order\"?\n" unless defined $kind && $kind =~ /^(?:status|code|reset|hang|
		html|empty|garbage|cut|short|doctype|big|redirect|lost|stale|skew|denied|throttle|slow|noop)\z/x;
	push @queue, {
		action => $action,
		kind => $kind,
		argument => $argument // '',
		times => $times // 1,
		snapshot => $kind eq 'stale' ? $snapshot : undef,
	};
}

sub list {
	return join '', map { "$_->{action} $_->{kind} $_->{argument} $_->{times}\n" } @queue;
}

# The fault that this call meets; "*" is any call of EC2, RDS and STS.
sub due {
	my ($service, $action) = @_;
	my $aws = $service =~ /^(?:ec2|rds|sts)$/;
	for my $i (0 .. $#queue) {
		my $fault = $queue[$i];
		next unless $fault->{action} eq $action || $aws && $fault->{action} eq '*';
		splice @queue, $i, 1 if $fault->{times} ne 'always' && --$fault->{times} <= 0;
		return $fault;
	}
	return;
}

sub denial {
	my ($service, $action, $region) = @_;
	my $who = 'User: arn:aws:iam::123456789012:user/dev is not authorized to perform: '
		. "$service:$action on resource: arn:aws:$service:$region:123456789012:* because no "
		. "identity-based policy allows the $service:$action action";
	return (403, 'AccessDenied', $who) if $service ne 'ec2';
	return (403, 'UnauthorizedOperation', "You are not authorized to perform this operation. $who. "
		. 'Encoded authorization failure message: ' . 'Zm9vYmFyYmF6cXV4' x 20);
}

sub error {
	my ($service, $id, $status, $code, $message) = @_;
	return {
		status => $status, type => 'text/xml;charset=UTF-8', id => $id,
		body => error_answer($service, $id,
			{ status => $status, code => $code, message => $message }),
	};
}

my $PAGE = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><p>Please sign in to "
	. "this network.<br></body></html>\n";

# The answer to a call that is not carried out; nothing when it is.
sub replace {
	my ($fault, $service, $id) = @_;
	my ($kind, $argument) = @{$fault}{qw(kind argument)};
	return { fate => $kind } if $kind eq 'reset' || $kind eq 'hang';
	return { status => 200, type => 'text/html', body => $PAGE } if $kind eq 'html';
	return { status => 200, type => 'text/xml;charset=UTF-8', body => '' } if $kind eq 'empty';
	return { status => 200, type => 'text/xml;charset=UTF-8', body => "\0\x01\xff\xfe<<&;]]>\x80" x 20 }
		if $kind eq 'garbage';
	return { status => 302, type => 'text/html', body => '', headers => ["Location: $argument"] }
		if $kind eq 'redirect';
	if ($kind eq 'status') {
		my %code = (500 => 'InternalError', 503 => $service eq 'ec2' ? 'Unavailable' : 'ServiceUnavailable');
		return error($service, $id, $argument, $code{$argument}, 'An internal error has occurred')
			if $code{$argument} && $service =~ /^(?:ec2|rds|sts)$/;
		return { status => $argument, type => 'text/plain', body => '' };
	}
	if ($kind eq 'code') {
		my ($status, $code, $message) = split / /, $argument, 3;
		return error($service, $id, $status, $code, $message // '');
	}
	if ($kind eq 'throttle') {
		return error($service, $id, 503, 'RequestLimitExceeded', 'Request limit exceeded.')
			if $service eq 'ec2';
		return error($service, $id, 400, 'Throttling', 'Rate exceeded');
	}
	return;
}

# What becomes of the answer to a call that was carried out.
sub spoil {
	my ($fault, $answer) = @_;
	my ($kind, $argument) = @{$fault}{qw(kind argument)};
	if ($kind eq 'lost') {
		return { %$answer, fate => 'close' };
	} elsif ($kind eq 'short') {
		return { %$answer, fate => 'short' };
	} elsif ($kind eq 'cut') {
		return { %$answer, body => substr $answer->{body}, 0, length($answer->{body}) / 2 };
	} elsif ($kind eq 'doctype') {
		my $body = $answer->{body};
		$body =~ s{(<\?xml[^>]*\?>\s*)?}{${\($1 // '')}<!DOCTYPE x [<!ENTITY e "e">]>\n};
		return { %$answer, body => $body };
	} elsif ($kind eq 'big') {
		my $body = $answer->{body};
		$body =~ s{(</[A-Za-z0-9]+>)\s*\z}{'<padding>' . 'x' x $argument . '</padding>' . $1}e;
		return { %$answer, body => $body };
	} elsif ($kind eq 'slow') {
		return { %$answer, delay => $argument };
	}
	return $answer;
}

1;
