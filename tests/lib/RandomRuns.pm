# What random-edits, random-faults and random-kills have in common: a server of their own, files, and
# the processes that a program under test leaves behind.
package RandomRuns;
use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use POSIX qw(:sys_wait_h);
use Time::HiRes qw(sleep time);

our @EXPORT = qw(choose write_file read_whole start_server pg_server stop_server wait_for_end detached);

my $lib = dirname(abs_path(__FILE__));
my ($home, $owner);

sub choose {
	return $_[ int rand @_ ];
}

# Makes the directories above it as well.
sub write_file {
	my ($path, @parts) = @_;
	make_path(dirname($path));
	open(my $out, '>', $path) or die "$path: $!\n";
	print $out @parts;
	close $out or die "$path: $!\n";
}

# '' when it cannot be read.
sub read_whole {
	my ($path) = @_;
	open(my $in, '<', $path) or return '';
	local $/;
	return <$in> // '';
}

# tests/lib/pg-server WHAT for the server of start_server; true when it succeeds.
sub pg_server {
	my ($what, @rest) = @_;
	return system("$lib/pg-server", $what, $home, @rest) == 0;
}

# Its directory, then what env says of it: SOCKET, PORT, PSQL and so on. In that directory, work is for
# the caller, and goes away with it. in_memory: only where there is room.
sub start_server {
	my ($in_memory, @settings) = @_;
	my ($room) = $in_memory ? `df -Pm /dev/shm 2>/dev/null` =~ /(\d+)\s+\d+%\s+\/dev\/shm$/m : ();
	$owner = $$;
	$home = tempdir('pg.XXXXXX', ($room // 0) >= 1024 ? (DIR => '/dev/shm') : (TMPDIR => 1));
	pg_server('start', '--owner', $owner, 'log_statement=none', @settings)
		or die "the server did not start\n";
	make_path("$home/work");
	return ($home, read_whole("$home/env") =~ /^SERVER_(\w+)=(.*)$/mg);
}

# To be called at the end, whatever that is; only the process that started it does something.
sub stop_server {
	my $status = $?;
	pg_server('stop') if defined $home && $$ == $owner && -d $home;
	$? = $status;
}

# The status, as waitpid has it, or -1 when it had to be killed.
sub wait_for_end {
	my ($pid, $seconds) = @_;
	my $deadline = time + $seconds;
	while (time < $deadline) {
		return $? if waitpid($pid, WNOHANG) == $pid;
		sleep 0.002;
	}
	kill 'KILL', $pid;
	waitpid $pid, 0;
	return -1;
}

# Processes that nobody waits for and whose environment has the variable with our own number.
sub detached {
	my ($variable) = @_;
	my @found;
	for my $dir (glob '/proc/[0-9]*') {
		my ($parent) = read_whole("$dir/stat") =~ /\) \S (\d+)/;
		push @found, $dir =~ /(\d+)$/ if defined $parent && $parent != $$ &&
			read_whole("$dir/environ") =~ /(?:^|\0)$variable=$$\0/;
	}
	return @found;
}

1;
