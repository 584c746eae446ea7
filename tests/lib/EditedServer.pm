# What random-edits changes on a server outside of any project: settings, roles, privileges, template1; all
# of it is taken back at the end of a run.
package EditedServer;
use strict;
use warnings;
use Exporter qw(import);
use FindBin qw($RealBin);
use Time::HiRes qw(sleep);
use lib $RealBin;
use RandomRuns;

our @EXPORT = qw(edit_server_of psql ask choose_other clean_server edit_setting edit_server);

my %server;
# How to take back what was set, and settings as they are.
my (%on_server, %value_of);

# What start_server said of it.
sub edit_server_of {
	(%server) = @_;
}

# Another than the first, mostly.
sub choose_other {
	my ($now, @words) = @_;
	my @others = grep { ($_ // '') ne ($now // '') } @words;
	return rand() < 0.9 ? choose(@others) : $now;
}

# What psql prints, or undef when it fails. Settings of ours do not reach it.
sub psql {
	my ($database, @rest) = @_;
	local %ENV = (PATH => $ENV{PATH}, PGCLIENTENCODING => 'UTF8', PGAPPNAME => 'tests');
	open(my $psql, '-|', $server{PSQL}, '-XAtq', '-v', 'ON_ERROR_STOP=1', '-h', $server{SOCKET}, '-p',
		$server{PORT}, '-U', 'postgres', '-d', $database, @rest) or die "psql: $!\n";
	local $/;
	my $text = <$psql>;
	close $psql or return;
	$text =~ s{\n\z}{};
	return $text;
}

sub ask {
	my ($text, $database) = @_;
	return psql($database // 'postgres', '-c', $text) // die "could not run: $text\n";
}

# New sessions have the new value when the postmaster has read it.
sub alter_system {
	my ($what) = @_;
	my $before = ask('SELECT extract(epoch FROM pg_conf_load_time())');
	ask("ALTER SYSTEM $what");
	ask('SELECT pg_reload_conf()');
	sleep 0.01 while ask('SELECT extract(epoch FROM pg_conf_load_time())') eq $before;
}

# The statistics of a session are there when it has gone.
sub in_template1 {
	my ($text) = @_;
	ask($text, 'template1');
	sleep 0.01 while ask("SELECT count(*) FROM pg_stat_activity WHERE datname = 'template1'");
}

sub clean_server {
	ask($_) for split /\n/, ask("SELECT format('ALTER DATABASE %I IS_TEMPLATE false', datname) || E'\\n' ||
		format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database WHERE datname ~ '^(shop|twin)'");
	$_->() for values %on_server;
	(%on_server, %value_of) = ();
}

my %SETTINGS = (datestyle => ['SQL, DMY', 'German'], timezone => ['Asia/Tokyo'], intervalstyle => ['iso_8601'],
	extra_float_digits => ['-3'], bytea_output => ['escape'], array_nulls => ['off'],
	search_path => ['zone, public'], client_encoding => ['LATIN1'], work_mem => ['5MB'], 'my.own' => ['1', '2']);

# For the role, for all roles, or for the server.
sub edit_setting {
	my $name = choose(sort keys %SETTINGS);
	# The server takes none that it does not know.
	my $where = choose('ALTER ROLE postgres', 'ALTER ROLE ALL', $name eq 'my.own' ? () : 'ALTER SYSTEM');
	my $value = choose_other($value_of{"$where $name"}, @{ $SETTINGS{$name} }, undef);
	my $quoted = !defined $value ? '' : $name eq 'search_path' ? $value : "'$value'";
	my $reset = "RESET $name";
	$reset = "SET timezone = 'UTC'" if "$where $name" eq 'ALTER SYSTEM timezone';
	my $run = $where eq 'ALTER SYSTEM' ? \&alter_system : sub { ask("$where $_[0]") };
	$on_server{"$where $name"} = sub { $run->($reset) };
	$value_of{"$where $name"} = $value;
	$run->(defined $value ? "SET $name = $quoted" : $reset);
	return "$where, $name is " . ($value // 'reset');
}

# A thing of the server that is there or not.
my %TOGGLES = (
	'role re_one' => ['CREATE ROLE re_one', 'DROP ROLE re_one'],
	'role re_two' => ['CREATE ROLE re_two', 'DROP ROLE re_two'],
	'connection limit' => ['ALTER ROLE app CONNECTION LIMIT 7', 'ALTER ROLE app CONNECTION LIMIT -1'],
	'comment on role' => [q(COMMENT ON ROLE app IS 'x'), 'COMMENT ON ROLE app IS NULL'],
	'member' => ['GRANT nocreate TO app', 'REVOKE nocreate FROM app'],
	'database privilege' => ['GRANT CREATE ON DATABASE postgres TO app', 'REVOKE CREATE ON DATABASE postgres FROM app'],
	'database limit' => ['ALTER DATABASE postgres CONNECTION LIMIT 50', 'ALTER DATABASE postgres CONNECTION LIMIT -1'],
	'template1 table' => ['CREATE TABLE extra (a int)', 'DROP TABLE extra'],
	'template1 function' => [q(CREATE FUNCTION extra() RETURNS int LANGUAGE sql AS 'SELECT 1'), 'DROP FUNCTION extra()'],
	'template1 comment' => [q(COMMENT ON SCHEMA public IS 'x'), q(COMMENT ON SCHEMA public IS 'y')],
	'template1 privileges' => ['ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO app',
		'ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM app'],
);

sub edit_server {
	my $what = choose(sort keys %TOGGLES);
	my ($do, $undo) = @{ $TOGGLES{$what} };
	my $run = $what =~ /^template1/ ? \&in_template1 : \&ask;
	if (delete $on_server{$what}) {
		$run->($undo);
		return "no $what";
	}
	$on_server{$what} = sub { $run->($undo) };
	$run->($do);
	return $what;
}

1;
