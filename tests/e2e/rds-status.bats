#!/usr/bin/env bats
# bats file_tags=once
# What an instance is, and waiting until it is available or stopped.

load helper
load aws

setup() {
	common_setup
	start_aws
	HOST=mydb.c1abcdefghij.eu-central-1.rds.amazonaws.com
}

status() {
	run --separate-stderr rds-status "$@"
}

# json NAME: a value of the object that was printed.
json() {
	perl -MJSON::PP -0777 -e '
		my $value = JSON::PP->new->allow_nonref->decode($ARGV[0])->{$ARGV[1]};
		print defined $value ? ref $value ? ($value ? "true" : "false") : $value : "null", "\n"
	' "$output" "$1"
}

# cell COLUMN: that of the only row; the columns are at least two blanks apart.
cell() {
	awk -F '  +' -v column="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == column) at = i }
		NR == 2 { print $at }' <<<"$output"
}

# --- which instance ----------------------------------------------------------------------------

@test "the instance is the one that --instance names" {
	aws_instance other available
	aws_instance mydb available
	status --instance mydb
	assert_status 0
	assert_equal mydb "$(cell instance)"
	assert_contains "$(aws_parameters 1)" DBInstanceIdentifier=mydb
}

@test "an identifier in capitals is asked for as AWS keeps it" {
	aws_instance mydb available
	status --instance MyDB
	assert_status 0
	assert_contains "$(aws_parameters 1)" DBInstanceIdentifier=mydb
}

@test "DB_INSTANCE_ID names the instance" {
	aws_instance mydb available
	DB_INSTANCE_ID=mydb status
	assert_status 0
	assert_equal mydb "$(cell instance)"
}

@test "DB_INSTANCE_ID in .env names the instance" {
	aws_instance mydb available
	make_project
	printf 'DB_INSTANCE_ID=mydb\n' >.env
	status
	assert_status 0
	assert_equal mydb "$(cell instance)"
}

@test "without all that it is the one of prod's URL" {
	aws_instance mydb available
	PROD_CONNECTION_URL=postgresql://u:pw@$HOST/shop status
	assert_status 0
	assert_equal mydb "$(cell instance)"
}

@test "a target on the command line goes before DB_INSTANCE_ID" {
	aws_instance production available
	aws_instance mydb available
	DB_INSTANCE_ID=production STAGING_CONNECTION_URL=postgresql://u:pw@$HOST/shop status staging
	assert_status 0
	assert_equal mydb "$(cell instance)"
}

@test "the region comes from the endpoint's name, against AWS_REGION" {
	aws_instance mydb available
	AWS_REGION=us-east-1 PROD_CONNECTION_URL=postgresql://u:pw@$HOST/shop status
	assert_status 0
	assert_contains "$(aws_header 1 authorization)" /eu-central-1/rds/
}

@test "the region comes from the endpoint's name where no other is known" {
	aws_instance mydb available
	unset AWS_REGION
	PROD_CONNECTION_URL=postgresql://u:pw@$HOST/shop status
	assert_status 0
}

@test "--region goes before the endpoint's name" {
	PROD_CONNECTION_URL=postgresql://u:pw@$HOST/shop status --region us-east-1
	assert_contains "$(aws_header 1 authorization)" /us-east-1/rds/
}

@test "--instance and a target exclude each other" {
	status --instance mydb prod
	assert_status 64
	assert_equal '' "$(aws_requests)"
}

@test "a URL that names no RDS endpoint is a usage error that says what to set" {
	PROD_CONNECTION_URL=postgresql://u:pw@db.example.com/shop status
	assert_status 64
	assert_contains "$stderr" db.example.com
	assert_contains "$stderr" DB_INSTANCE_ID
	refute_contains "$stderr" pw@
}

@test "a cluster's endpoint is no instance" {
	PROD_CONNECTION_URL=postgresql://u@aurora.cluster-c1abcdefghij.eu-central-1.rds.amazonaws.com/shop \
		status
	assert_status 64
	assert_contains "$stderr" cluster
}

@test "with nothing that names an instance it says what to set" {
	status
	assert_status 64
	assert_contains "$stderr" --instance
}

@test "what is no identifier is refused before anything is sent" {
	for id in -x 1db my--db mydb- 'my db' 'a&Action=DeleteDBInstance' '' \
		a234567890123456789012345678901234567890123456789012345678901234; do
		status --instance="$id"
		assert_status 64
	done
	assert_equal '' "$(aws_requests)"
}

@test "an instance that does not exist fails with region, code and request id" {
	status --instance nothere
	assert_status 1
	assert_equal '' "$output"
	assert_contains "$stderr" 'instance "nothere" does not exist in eu-central-1 (DBInstanceNotFound, request '
	assert_contains "$stderr" 'rds-status --all'
}

# --- what is shown -----------------------------------------------------------------------------

@test "the columns stand in their order" {
	aws_instance mydb available
	status --instance mydb
	assert_equal 'instance status engine class storage multi-AZ public CA endpoint' \
		"$(head -n 1 <<<"$output" | tr -s ' ')"
	assert_equal '' "$stderr"
}

@test "a row holds what AWS says of the instance" {
	aws_instance mydb available EngineVersion=17.2 DBInstanceClass=db.m7g.large AllocatedStorage=100 \
		StorageType=gp3 StorageEncrypted=true MultiAZ=true PubliclyAccessible=false \
		CACertificateIdentifier=rds-ca-ecc384-g1 Port=5433
	status --instance mydb
	assert_equal 'mydb available postgres 17.2 db.m7g.large 100 GB gp3 yes no rds-ca-ecc384-g1' \
		"$(tail -n 1 <<<"$output" | tr -s ' ' | cut -d ' ' -f 1-11)"
	assert_equal "$HOST:5433" "$(cell endpoint)"
}

@test "storage that is not encrypted is called so" {
	aws_instance mydb available StorageEncrypted=false
	status --instance mydb
	assert_contains "$(cell storage)" 'not encrypted'
}

@test "an instance without an endpoint is shown" {
	aws_instance mydb creating
	status --instance mydb
	assert_status 0
	assert_equal creating "$(cell status)"
}

@test "of a stopped instance it tells when AWS starts it again" {
	aws_instance mydb stopped AutomaticRestartTime=2031-05-06T07:08:09.000Z
	status --instance mydb
	assert_status 0
	assert_contains "$stderr" 'seven days'
	assert_contains "$stderr" 2031-05-06T07:08:09.000Z
}

@test "--all shows all instances, over several pages" {
	local i
	for i in 1 2 3 4 5; do
		aws_instance "db$i" available
	done
	aws_page_size 2
	status --all
	assert_status 0
	assert_equal 'db1 db2 db3 db4 db5' "$(tail -n +2 <<<"$output" | awk '{ print $1 }' | xargs)"
	assert_equal 3 "$(aws_requests | wc -l)"
}

@test "--all without instances is a table without rows" {
	status --all
	assert_status 0
	assert_equal 1 "$(wc -l <<<"$output")"
}

@test "--all and one instance exclude each other" {
	status --all --instance mydb
	assert_status 64
	status --all prod
	assert_status 64
}

@test "--json is an object of all there is to know" {
	aws_instance mydb available AllocatedStorage=50 DBName=shop MasterUsername=owner \
		BackupRetentionPeriod=3 DeletionProtection=true EnableIAMDatabaseAuthentication=true \
		VpcSecurityGroupIds=sg-0123456789abcdef0,sg-0123456789abcdef1 \
		MasterUserSecret.SecretArn=arn:aws:secretsmanager:x
	status --instance mydb --json
	assert_status 0
	assert_equal mydb "$(json instance)"
	assert_equal available "$(json status)"
	assert_equal "$HOST" "$(json host)"
	assert_equal 5432 "$(json port)"
	assert_equal postgres "$(json engine)"
	assert_equal 16.3 "$(json engine_version)"
	assert_equal 50 "$(json storage_gb)"
	assert_equal false "$(json encrypted)"
	assert_equal true "$(json public)"
	assert_equal true "$(json deletion_protection)"
	assert_equal true "$(json iam_authentication)"
	assert_equal 3 "$(json backup_days)"
	assert_equal shop "$(json database)"
	assert_equal owner "$(json user)"
	assert_equal arn:aws:secretsmanager:x "$(json secret_arn)"
	assert_equal 'sg-0123456789abcdef0 sg-0123456789abcdef1' "$(json security_groups)"
	assert_equal null "$(json automatic_restart)"
}

@test "--json of an instance without an endpoint has null for host and port" {
	aws_instance mydb creating
	status --instance mydb --json
	assert_equal null "$(json host)"
	assert_equal null "$(json port)"
}

@test "--all --json is an array" {
	aws_instance db1 available
	aws_instance db2 stopped
	status --all --json
	assert_equal 'db1 available db2 stopped' "$(perl -MJSON::PP -e '
		print join " ", map { ($_->{instance}, $_->{status}) } @{ decode_json($ARGV[0]) }' "$output")"
}

@test "control characters from AWS are shown, not obeyed" {
	aws_instance mydb available DBInstanceClass=$'db.\xc2\x9b31m'
	status --instance mydb
	refute_contains "$output" $'\xc2\x9b'
	assert_contains "$output" 'db.\x'
}

# --- snapshots ---------------------------------------------------------------------------------

# ago SECONDS: a time as AWS writes it.
ago() {
	date -u -d "@$(($(date +%s) - $1))" +%Y-%m-%dT%H:%M:%S.000Z
}

# snapshot KEY: a value of last_snapshot in the object that was printed.
snapshot() {
	perl -MJSON::PP -e 'my $last = decode_json($ARGV[0])->{last_snapshot};
		print ref $last ? $last->{$ARGV[1]} : "none", "\n"' "$output" "$1"
}

@test "without --snapshots one request is made, and the JSON has no word about them" {
	aws_instance mydb available LatestRestorableTime="$(ago 300)"
	status --instance mydb --json
	assert_status 0
	refute_contains "$output" snapshot
	refute_contains "$output" restorable
	assert_equal 'rds DescribeDBInstances 200' "$(aws_requests)"
}

@test "--snapshots shows the last snapshot and up to when the instance can be restored" {
	aws_instance mydb available LatestRestorableTime="$(ago 330)"
	aws_snapshot rds:mydb-old mydb "$(ago 90000)"
	aws_snapshot before-launch mydb "$(ago 7260)" manual
	aws_snapshot rds:mydb-older mydb "$(ago 180000)"
	aws_snapshot rds:other mydb2 "$(ago 10)"
	status --instance mydb --snapshots
	assert_status 0
	assert_equal mydb "$(cell instance)"
	assert_matches "$output" 'last snapshot  before-launch \(manual\), 20.*Z, 2h01m ago'
	assert_matches "$output" 'restorable to  20.*Z, 5m3[0-9]s ago'
	assert_equal $'rds DescribeDBInstances 200\nrds DescribeDBSnapshots 200' "$(aws_requests)"
	assert_contains "$(aws_parameters 2)" DBInstanceIdentifier=mydb
}

@test "--snapshots --json has them as values, with ages" {
	aws_instance mydb available LatestRestorableTime="$(ago 300)"
	aws_snapshot rds:mydb-1 mydb "$(ago 3600)"
	status --instance mydb --snapshots --json
	assert_status 0
	assert_equal available "$(json status)"
	assert_equal rds:mydb-1 "$(snapshot snapshot)"
	assert_equal automated "$(snapshot type)"
	assert_matches "$(snapshot created)" '^20.*T.*Z$'
	assert_matches "$(snapshot age_seconds)" '^36[01][0-9]$'
	assert_matches "$(json restorable_to)" '^20.*T.*Z$'
	assert_matches "$(json restorable_age_seconds)" '^3[01][0-9]$'
	assert_equal null "$(json snapshots_denied)"
}

@test "the last snapshot is found over several pages" {
	local i
	aws_instance mydb available
	for i in 5 1 4 2 3; do
		aws_snapshot "rds:mydb-$i" mydb "$(ago $((i * 1000)))"
	done
	aws_page_size 2
	status --instance mydb --snapshots --json
	assert_equal rds:mydb-1 "$(snapshot snapshot)"
	assert_equal 4 "$(aws_requests | wc -l)"
}

@test "a snapshot that is not finished, or has failed, is not the last one" {
	aws_instance mydb available
	aws_snapshot rds:mydb-good mydb "$(ago 5000)"
	aws_snapshot rds:mydb-new mydb "$(ago 10)" automated creating
	aws_snapshot rds:mydb-bad mydb "$(ago 20)" manual failed
	status --instance mydb --snapshots --json
	assert_equal rds:mydb-good "$(snapshot snapshot)"
}

@test "without snapshots and backups --snapshots says so" {
	aws_instance mydb available BackupRetentionPeriod=0
	status --instance mydb --snapshots
	assert_status 0
	assert_contains "$output" 'last snapshot  none'
	assert_contains "$output" 'restorable to  nothing: automated backups are off'
	status --instance mydb --snapshots --json
	assert_equal null "$(json last_snapshot)"
	assert_equal null "$(json restorable_to)"
	assert_equal null "$(json restorable_age_seconds)"
}

@test "a missing permission for snapshots is a line, not a failure" {
	aws_instance mydb available LatestRestorableTime="$(ago 300)"
	aws_snapshot rds:mydb-1 mydb "$(ago 3600)"
	aws_fault 'DescribeDBSnapshots denied' always
	status --instance mydb --snapshots
	assert_status 0
	assert_equal mydb "$(cell instance)"
	refute_contains "$output" 'last snapshot'
	assert_contains "$output" 'restorable to  20'
	assert_matches "$output" 'not known      .*AccessDenied.*DescribeDBSnapshots'
	status --instance mydb --snapshots --json
	assert_status 0
	assert_equal none "$(snapshot snapshot)"
	assert_contains "$(json snapshots_denied)" AccessDenied
	assert_matches "$(json restorable_to)" '^20'
}

@test "other failures of asking for snapshots are failures" {
	aws_instance mydb available
	aws_fault 'DescribeDBSnapshots code 400 InvalidParameterValue no'
	status --instance mydb --snapshots
	assert_status 1
	assert_equal '' "$output"
	aws_fault 'DescribeDBSnapshots reset' always
	status --instance mydb --snapshots
	assert_status 2
	assert_equal '' "$output"
}

@test "of an instance in a cluster the snapshots are the cluster's" {
	aws_instance mydb available DBClusterIdentifier=aurora Engine=aurora-postgresql \
		ClusterLatestRestorableTime="$(ago 120)"
	aws_snapshot rds:mydb-1 mydb "$(ago 10)"
	aws_snapshot rds:aurora-1 aurora "$(ago 3600)"
	status --instance mydb --snapshots --json
	assert_status 0
	assert_equal rds:aurora-1 "$(snapshot snapshot)"
	assert_matches "$(json restorable_age_seconds)" '^12[0-9]$'
	assert_contains "$(aws_parameters 2)" DBClusterIdentifier=aurora
	assert_contains "$(aws_parameters 3)" DBClusterIdentifier=aurora
	aws_fault 'DescribeDBClusterSnapshots denied'
	aws_fault 'DescribeDBClusters denied'
	status --instance mydb --snapshots
	assert_status 0
	refute_contains "$output" 'restorable to'
	assert_matches "$output" 'not known      .*DescribeDBClusterSnapshots'
}

@test "--snapshots and --all exclude each other" {
	status --all --snapshots
	assert_status 64
	assert_equal '' "$(aws_requests)"
}

@test "control characters in a snapshot's name are shown, not obeyed" {
	aws_instance mydb available
	aws_snapshot $'x\xc2\x9b31m' mydb "$(ago 10)"
	status --instance mydb --snapshots
	refute_contains "$output" $'\xc2\x9b'
	assert_contains "$output" 'x\x'
}

# --- waiting -----------------------------------------------------------------------------------

@test "--wait-for available returns once the instance is available" {
	aws_instance mydb starting,backing-up,available
	status --instance mydb --wait-for available --wait=20
	assert_status 0
	assert_equal available "$(cell status)"
	assert_equal 3 "$(aws_requests | wc -l)"
	assert_equal $'instance "mydb": starting\ninstance "mydb": backing-up\ninstance "mydb": available' \
		"$stderr"
}

@test "--wait-for stopped returns once the instance is stopped" {
	aws_instance mydb stopping,stopped
	status --instance mydb --wait-for stopped --wait=20
	assert_status 0
	assert_equal stopped "$(cell status)"
}

@test "when the time runs out the status is 6 and tells what the instance is" {
	aws_instance mydb starting
	status --instance mydb --wait-for available --wait=1
	assert_status 6
	assert_equal '' "$output"
	assert_contains "$stderr" 'did not become available within 1 s: it is starting'
}

@test "--wait=0 looks once" {
	aws_instance mydb starting,available
	status --instance mydb --wait-for available --wait=0
	assert_status 6
	assert_equal 1 "$(aws_requests | wc -l)"
}

@test "a status that leads nowhere ends the waiting at once" {
	local state
	for state in failed deleting incompatible-parameters; do
		aws_instance mydb "$state"
		SECONDS=0
		status --instance mydb --wait-for available --wait=60
		assert_status 1
		assert_contains "$stderr" "is $state"
		[ "$SECONDS" -lt 5 ]
	done
}

@test "an instance that vanishes ends the waiting" {
	aws_instance mydb starting
	aws_fault 'DescribeDBInstances slow 0'
	aws_fault 'DescribeDBInstances code 404 DBInstanceNotFound DBInstance mydb not found.'
	status --instance mydb --wait-for available --wait=60
	assert_status 1
	assert_contains "$stderr" 'does not exist'
}

@test "an answer that does not come is waited for while there is time" {
	aws_instance mydb starting,available
	export AWS_MAX_ATTEMPTS=1
	aws_fault 'DescribeDBInstances reset' 2
	aws_fault 'DescribeDBInstances status 503'
	status --instance mydb --wait-for available --wait=30
	assert_status 0
	assert_equal available "$(cell status)"
}

@test "a missing permission ends the waiting" {
	aws_instance mydb starting
	aws_fault 'DescribeDBInstances denied' always
	status --instance mydb --wait-for available --wait=60
	assert_status 1
	assert_equal 1 "$(aws_requests | wc -l)"
}

@test "a signal ends the waiting, by that signal" {
	aws_instance mydb starting
	start_job rds-status --instance mydb --wait-for available
	wait_until '[ "$(aws_requests | wc -l)" -ge 1 ]'
	kill -TERM "$JOB_PID"
	finish_job
	assert_status 143
}

@test "--wait-for takes available and stopped only" {
	status --instance mydb --wait-for ready
	assert_status 64
	status --instance mydb --wait=3
	assert_status 64
	assert_equal '' "$(aws_requests)"
}

# --- failures ----------------------------------------------------------------------------------

@test "without credentials nothing is sent and the status is 64" {
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	status --instance mydb
	assert_status 64
	assert_equal '' "$(aws_requests)"
}

@test "no answer is status 2, after three attempts" {
	aws_instance mydb available
	aws_fault 'DescribeDBInstances reset' always
	status --instance mydb
	assert_status 2
	assert_equal 3 "$(aws_requests | wc -l)"
}

@test "a page of HTML is not taken for an empty list" {
	aws_fault 'DescribeDBInstances html' always
	status --all
	assert_status 1
	assert_equal '' "$output"
}

@test "a missing permission is status 1 and named" {
	aws_instance mydb available
	aws_fault 'DescribeDBInstances denied'
	status --instance mydb
	assert_status 1
	assert_contains "$stderr" DescribeDBInstances
}

@test "nothing but describing is asked of AWS" {
	aws_instance mydb stopped
	status --instance mydb
	status --all
	assert_equal 0 "$(aws_writes)"
}

@test "no secret is printed with -v" {
	aws_instance mydb available
	status --instance mydb -v
	assert_status 0
	assert_contains "$stderr" DescribeDBInstances
	refute_contains "$output$stderr" "$AWS_SECRET_ACCESS_KEY"
}

@test "--wait-for available fails at once when the storage is full" {
	aws_instance mydb storage-full
	SECONDS=0
	status --instance mydb --wait-for available
	assert_status 1
	[ "$SECONDS" -le 3 ]
	assert_contains "$stderr" 'its storage is full'
}
