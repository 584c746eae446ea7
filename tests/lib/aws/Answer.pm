# Answers of AWS's Query protocol: elements, results, and errors in the shapes of EC2 and of the
# others. A handler ends with an error by `fail HTTP-STATUS, CODE, MESSAGE`.
package Answer;
use strict;
use warnings;
use Exporter 'import';
our @EXPORT = qw(element elements text fail result error_answer request_id numbered);

our %NAMESPACE = (
	ec2 => 'http://ec2.amazonaws.com/doc/2016-11-15/',
	rds => 'http://rds.amazonaws.com/doc/2014-10-31/',
	sts => 'https://sts.amazonaws.com/doc/2011-06-15/',
);

sub text {
	my ($text) = @_;
	$text =~ s/&/&amp;/g;
	$text =~ s/</&lt;/g;
	$text =~ s/>/&gt;/g;
	return $text;
}

# element NAME, CONTENT: content that is XML already.
sub element {
	my ($name, @content) = @_;
	my $content = join '', @content;
	return length $content ? "<$name>$content</$name>" : "<$name/>";
}

# elements NAME => TEXT, ...: one each, those without a value left out.
sub elements {
	my $xml = '';
	while (my ($name, $value) = splice @_, 0, 2) {
		$xml .= element($name, text($value)) if defined $value;
	}
	return $xml;
}

sub fail {
	my ($status, $code, $message) = @_;
	die { status => $status, code => $code, message => $message };
}

sub request_id {
	return join '-', map { join '', map { sprintf '%x', int rand 16 } 1 .. $_ } 8, 4, 4, 4, 12;
}

my $PROLOGUE = qq(<?xml version="1.0" encoding="UTF-8"?>\n);

# The document of a success. EC2 puts the request id first, the others wrap their result.
sub result {
	my ($service, $action, $id, @content) = @_;
	my $open = qq(<${action}Response xmlns="$NAMESPACE{$service}">);
	my $inner = $service eq 'ec2'
		? element('requestId', $id) . join '', @content
		: element("${action}Result", @content)
			. element('ResponseMetadata', element('RequestId', $id));
	return "$PROLOGUE$open$inner</${action}Response>";
}

sub error_answer {
	my ($service, $id, $error) = @_;
	my @parts = elements(Code => $error->{code}, Message => $error->{message});
	return $PROLOGUE . element('Response', element('Errors', element('Error', @parts)),
		element('RequestID', $id)) if $service eq 'ec2';
	my $type = $error->{status} < 500 ? 'Sender' : 'Receiver';
	my $body = element('Error', element('Type', $type), @parts) . element('RequestId', $id);
	my $namespace = $NAMESPACE{$service} || $NAMESPACE{rds};
	return qq(<ErrorResponse xmlns="$namespace">$body</ErrorResponse>\n);
}

# The values of PREFIX.1, PREFIX.2, …: by number a hash of what follows, or '' => the plain value.
sub numbered {
	my ($parameters, $prefix) = @_;
	my %items;
	for my $name (keys %$parameters) {
		$items{$1}{ $2 // '' } = $parameters->{$name}
			if $name =~ /^\Q$prefix\E\.([1-9][0-9]*)(?:\.(.+))?$/;
	}
	return map { $items{$_} } sort { $a <=> $b } keys %items;
}

1;
