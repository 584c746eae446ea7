# What the tests of batches share: scripts, counting requests, a server in between.

# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables of bats and of the tests

# The number of requests that database was sent since MARK.
requests() {
	server_log_since "$1" | grep -F " db=$DB " | grep -c 'LOG:  statement: '
}

# inserts COUNT: a table t and so many rows, one statement each.
inserts() {
	echo 'CREATE TABLE t (id int PRIMARY KEY);'
	seq 1 "$1" | sed 's/.*/INSERT INTO t VALUES (&);/'
}

# tables COUNT: so many tables of three rows, as pg_dump writes them.
tables() {
	local i
	for ((i = 1; i <= $1; i++)); do
		printf 'CREATE TABLE c%d (id int, v text);\n\nCOPY c%d (id, v) FROM stdin;\n' $i $i
		printf '1\tone\n2\t\\N\n3\tthree of %d\n\\.\n\n' $i
	done
}

# A server between the client and the real one, on port $PROXY_PORT: `delay` gives every answer 5 ms,
# `far` 15 ms, `moon` half a second, `pid` names another process than the one that answers, as a pooler does, `cut` swallows the
# answer to COMMIT and closes; `far-cut` and so on do both. `comments` makes the server run what stands in /* */.
proxy() {
	cat >proxy.pl <<-'PERL'
		use strict;
		use warnings;
		use IO::Select;
		use IO::Socket::INET;
		use IO::Socket::UNIX;

		my ($socket, $mode) = @ARGV;
		my $delay = $mode =~ /moon/ ? 0.5 : $mode =~ /far/ ? 0.015 : $mode eq 'delay' ? 0.005 : 0;
		my $cuts = $mode =~ /cut/;
		my $listener = IO::Socket::INET->new(Listen => 16, LocalAddr => '127.0.0.1') or die $!;
		$SIG{CHLD} = 'IGNORE';
		$| = 1;
		print $listener->sockport, "\n";
		sub take {
			my ($from, $size) = @_;
			my $bytes = '';
			while (length $bytes < $size) {
				sysread($from, $bytes, $size - length $bytes, length $bytes) or exit 0;
			}
			return $bytes;
		}
		while (my $client = $listener->accept) {
			next if fork;
			my $first;
			for (;;) {
				my $size = take($client, 4);
				$first = $size . take($client, unpack('N', $size) - 4);
				last if unpack('x4N', $first) < 80877103;
				exit 0 if unpack('x4N', $first) == 80877102;
				syswrite($client, 'N');
			}
			my $server = IO::Socket::UNIX->new(Peer => $socket) or exit 0;
			my $select = IO::Select->new($client, $server);
			my $known = $mode !~ /pid/;
			syswrite($server, $first);
			for (;;) {
				for my $from ($select->can_read) {
					my $bytes;
					sysread($from, $bytes, 262144) or exit 0;
					if ($from == $server && !$known && $bytes =~ /K\0\0\0\014/g) {
						substr($bytes, pos $bytes, 4) = pack('N', 7);
						$known = 1;
					}
					select(undef, undef, undef, $delay) if $from == $server;
					exit 0 if $cuts && $from == $server && $bytes =~ /COMMIT\0/;
					$bytes =~ s{/\*(.*?)\*/}{;;$1;;}g if $mode =~ /comments/ && $from == $client;
					my $to = $from == $client ? $server : $client;
					my $at = 0;
					$at += syswrite($to, $bytes, length($bytes) - $at, $at) // exit 0
						while $at < length $bytes;
				}
			}
		}
	PERL
	start_job perl proxy.pl "$SERVER_SOCKET/.s.PGSQL.$SERVER_PORT" "$1"
	wait_until "[ -s '$JOB_OUT' ]"
	PROXY_PORT=$(<"$JOB_OUT")
	export CONNECTION_URL="postgresql://postgres@127.0.0.1:$PROXY_PORT/$DB"
}
