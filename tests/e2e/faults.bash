# What the tests of faults share: servers that misbehave, children that are killed.

# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # perl programs; variables of bats and of the tests

setup_file() {
	FILE_SERVER=$(mktemp -d "${TMPDIR:-/tmp}/pg.XXXXXX")
	export FILE_SERVER
	pg_server_at "$FILE_SERVER" start --owner $$ max_prepared_transactions=2
}

teardown_file() {
	pg_server_at "$FILE_SERVER" stop
}

teardown() {
	if ! pg_server_answers; then
		pg_server start
	fi
	common_teardown
}

pg_server_answers() {
	sql template1 'SELECT 1' >/dev/null 2>&1
}

# use NAME: makes that database the target local.
use() {
	CONNECTION_URL=$(url "$1")
	export CONNECTION_URL
}

# A project, and a database with a row that only a reset removes; sets $name.
old_database() {
	make_project
	name=$(db shop)
	sql "$name" "CREATE TABLE old (what text); INSERT INTO old VALUES ('precious')"
	use "$name"
}

assert_old_database() {
	assert_equal precious "$(sql "$name" 'SELECT what FROM old')"
}

# running PATTERN: success while db-setup's session runs a statement like that.
running() {
	[ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'db-setup'
		AND state = 'active' AND query LIKE '$1'")" -ge 1 ]
}

no_session() {
	[ "$(sql postgres "SELECT count(*) FROM pg_stat_activity
		WHERE application_name = 'db-setup'")" = 0 ]
}

# A server between the client and the real one, on port $ENDPOINT_PORT:
#   endpoint silent            takes connections and never says a word
#   endpoint refuse CODE N     answers the first N connections with that SQLSTATE, then passes all on;
#                              CODE may be "CODE FUNCTION MESSAGE"
#   endpoint cut TEXT          passes all on, but closes both sides when the client sends TEXT
#   endpoint swallow TEXT      the same once the real server has answered it
#   endpoint late TEXT         keeps the answer to TEXT back until the client asks to cancel it
# It writes a line to $ENDPOINT_LOG for each connection and when it keeps an answer back.
endpoint() {
	cat >"$TEST_DIR/endpoint.pl" <<-'PERL'
		use strict;
		use warnings;
		use IO::Select;
		use IO::Socket::INET;
		use IO::Socket::UNIX;

		my ($log_file, $socket, $mode, $what, $limit) = @ARGV;
		open(STDERR, '>>', $log_file) or die $!;
		my $listener = IO::Socket::INET->new(Listen => 16, LocalAddr => '127.0.0.1') or die $!;
		my $count = 0;
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

		# Requests for encryption are declined.
		sub startup {
			my ($client) = @_;
			for (;;) {
				my $size = take($client, 4);
				my $body = take($client, unpack('N', $size) - 4);
				my $code = unpack('N', $body);
				syswrite(STDERR, "cancel\n") if $code == 80877102;
				return $size . $body if $code != 80877103 && $code != 80877104;
				syswrite($client, 'N');
			}
		}

		sub keep_back {
			syswrite(STDERR, "kept back\n");
			for (1 .. 500) {
				open(my $log, '<', $log_file) or exit 0;
				return if grep { /cancel/ } <$log>;
				select(undef, undef, undef, 0.02);
			}
		}

		sub pass {
			my ($client, $first) = @_;
			my $server = IO::Socket::UNIX->new(Peer => $socket) or exit 0;
			my $select = IO::Select->new($client, $server);
			my $special = 0;
			syswrite($server, $first);
			for (;;) {
				for my $from ($select->can_read) {
					my $bytes;
					sysread($from, $bytes, 65536) or exit 0;
					if ($special && $from == $server) {
						exit 0 if $mode eq 'swallow';
						keep_back();
						$special = 0;
					}
					if ($from == $client && $mode =~ /cut|swallow|late/ && index($bytes, $what) >= 0) {
						exit 0 if $mode eq 'cut';
						$special = 1;
					}
					syswrite($from == $client ? $server : $client, $bytes);
				}
			}
		}

		while (my $client = $listener->accept) {
			$count++;
			syswrite(STDERR, "connection\n");
			next if fork;
			close $listener;
			take($client, 1 << 30) if $mode eq 'silent';
			my $first = startup($client);
			if ($mode eq 'refuse' && $count <= $limit) {
				my ($code, $function, $message) = split / /, $what, 3;
				my $text = "SFATAL\0VFATAL\0C$code\0M" . ($message // 'not now') . "\0" .
					($function ? "R$function\0" : '') . "\0";
				syswrite($client, 'E' . pack('N', 4 + length $text) . $text);
				exit 0;
			}
			pass($client, $first);
		}
	PERL
	ENDPOINT_LOG=$TEST_DIR/endpoint.log
	: >"$ENDPOINT_LOG"
	start_job perl "$TEST_DIR/endpoint.pl" "$ENDPOINT_LOG" "$SERVER_SOCKET/.s.PGSQL.$SERVER_PORT" "$@"
	wait_until "[ -s '$JOB_OUT' ]"
	ENDPOINT_PORT=$(<"$JOB_OUT")
}

# use_endpoint NAME: reaches that database through it.
use_endpoint() {
	export CONNECTION_URL="postgresql://postgres@127.0.0.1:$ENDPOINT_PORT/$1"
}

# start_child COMMAND ...: as start_job, but SIGINT works and the output ends in what the process ended
# by; sets CHILD_PID.
start_child() {
	rm -f "$TEST_DIR/child"
	start_job perl -e '
		my $file = shift;
		my $pid = fork;
		if (!$pid) {
			$SIG{$_} = "DEFAULT" for qw(INT TERM HUP);
			exec @ARGV;
		}
		open(my $out, ">", "$file.new");
		print $out "$pid\n";
		close $out;
		rename("$file.new", $file);
		waitpid($pid, 0);
		printf("signal %d, status %d\n", $? & 127, $? >> 8);' "$TEST_DIR/child" "$@"
	wait_until "[ -s '$TEST_DIR/child' ]"
	CHILD_PID=$(<"$TEST_DIR/child")
	JOBS+=("$CHILD_PID")
}

# assert_dies_by SIGNAL: sends it to the child; the child ends by it soon and leaves no session.
assert_dies_by() {
	kill "-$1" "$CHILD_PID"
	wait_until "! kill -0 $JOB_PID 2>/dev/null || is_zombie $JOB_PID" 5 || return
	finish_job
	assert_equal "signal $(kill -l "$1"), status 0" "$output" && wait_until no_session 3
}

# hold STATEMENT: a session of the maintenance database that keeps the locks of STATEMENT.
hold() {
	start_session postgres holder
	printf 'BEGIN; %s;\n' "$1" >&"$SESSION_FD"
	wait_until "[ \"\$(sql postgres 'SELECT state FROM pg_stat_activity
		WHERE pid = $SESSION_PID')\" = 'idle in transaction' ]"
}

let_go() {
	sql postgres "SELECT pg_terminate_backend($SESSION_PID)" >/dev/null
	wait_until "[ \"\$(sql postgres 'SELECT count(*) FROM pg_stat_activity
		WHERE pid = $SESSION_PID')\" = 0 ]"
}
