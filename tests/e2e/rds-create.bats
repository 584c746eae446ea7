#!/usr/bin/env bats
# A new instance: what is sent, what is asked before, and what happens when it is there already.

load helper
load aws
load terminal

PASSWORD='S3cret+new~pass%word=1'

setup() {
	common_setup
	start_aws
	make_project
}

create() {
	run --separate-stderr rds-create --instance mydb "$@"
}

value() {
	aws_instance_state mydb | tr ' ' '\n' | sed -n "s/^$1=//p"
}

# The number of the request that created something.
creation() {
	aws_requests | grep -n CreateDBInstance | cut -d : -f 1
}

# --- what is sent ------------------------------------------------------------------------------

@test "the defaults are small and safe" {
	create --yes
	assert_status 0
	assert_equal 'creating mydb' "$output"
	assert_equal 'Action=CreateDBInstance
AllocatedStorage=20
AutoMinorVersionUpgrade=true
BackupRetentionPeriod=7
CopyTagsToSnapshot=true
DBInstanceClass=db.t4g.micro
DBInstanceIdentifier=mydb
DeletionProtection=true
EnableIAMDatabaseAuthentication=false
Engine=postgres
ManageMasterUserPassword=true
MasterUsername=postgres
MultiAZ=false
PubliclyAccessible=false
StorageEncrypted=true
StorageType=gp3
Version=2014-10-31' "$(aws_parameters "$(creation)")"
}

@test "every option arrives" {
	create --yes --class db.m7g.large --engine-version 16.3 --storage 100 --database shop --user owner \
		--public --backup-days 14 --no-deletion-protection --subnet-group private --multi-az --iam \
		--group-id sg-0123456789abcdef0
	assert_status 0
	assert_equal 'Action=CreateDBInstance
AllocatedStorage=100
AutoMinorVersionUpgrade=true
BackupRetentionPeriod=14
CopyTagsToSnapshot=true
DBInstanceClass=db.m7g.large
DBInstanceIdentifier=mydb
DBName=shop
DBSubnetGroupName=private
DeletionProtection=false
EnableIAMDatabaseAuthentication=true
Engine=postgres
EngineVersion=16.3
ManageMasterUserPassword=true
MasterUsername=owner
MultiAZ=true
PubliclyAccessible=true
StorageEncrypted=true
StorageType=gp3
Version=2014-10-31
VpcSecurityGroupIds.VpcSecurityGroupId.1=sg-0123456789abcdef0' "$(aws_parameters "$(creation)")"
}

@test "DB_SG_ID of .env is its security group" {
	printf 'DB_SG_ID=sg-0123456789abcdef0\n' >.env
	create --yes
	assert_status 0
	assert_equal sg-0123456789abcdef0 "$(value VpcSecurityGroupIds)"
}

@test "DB_INSTANCE_ID names it" {
	DB_INSTANCE_ID=another run --separate-stderr rds-create --yes
	assert_status 0
	assert_matches "$(aws_instance_state another)" ^creating
}

@test "without a name it is a usage error, whatever prod's URL says" {
	PROD_CONNECTION_URL=postgresql://u@mydb.c1abcdefghij.eu-central-1.rds.amazonaws.com/x \
		run --separate-stderr rds-create --yes
	assert_status 64
	assert_equal '' "$(aws_requests)"
}

# --- the master password -----------------------------------------------------------------------

@test "DB_MASTER_PASSWORD is its master password, and no output shows it" {
	DB_MASTER_PASSWORD=$PASSWORD create --yes -v
	assert_status 0
	assert_equal "$PASSWORD" "$(value MasterUserPassword)"
	assert_equal '' "$(aws_parameters "$(creation)" | grep Manage || :)"
	refute_contains "$output$stderr" "$PASSWORD"
	refute_contains "$output$stderr" S3cret%2B
}

@test "DB_MASTER_PASSWORD in .env is warned of and not used" {
	printf 'DB_MASTER_PASSWORD=from-the-file\n' >.env
	create --yes
	assert_status 0
	assert_contains "$stderr" warning
	assert_equal '' "$(value MasterUserPassword)"
}

@test "--password asks for it at the terminal, before the question" {
	on_terminal rds-create --instance mydb --password
	screen_ends 'New master password for instance "mydb": '
	type_keys "$PASSWORD"$'\n'
	screen_ends 'The same again: '
	type_keys "$PASSWORD"$'\n'
	screen_ends 'Create instance "mydb"? [y/N] '
	type_keys $'y\n'
	finish_terminal
	assert_status 0
	assert_equal "$PASSWORD" "$(value MasterUserPassword)"
	refute_contains "$output" "$PASSWORD"
}

@test "a password behind --password is not shown" {
	run --separate-stderr rds-create --instance mydb --password "$PASSWORD"
	assert_status 64
	assert_contains "$stderr" 'error: unexpected argument'
	refute_contains "$output$stderr" "$PASSWORD"
	assert_equal '' "$(aws_requests)"
}

@test "a password that RDS would refuse is refused before anything is sent" {
	DB_MASTER_PASSWORD=short create --yes
	assert_status 64
	assert_equal '' "$(aws_requests)"
}

# --- the question ------------------------------------------------------------------------------

@test "without a terminal and without --yes it is refused and nothing is created" {
	run --separate-stderr setsid -w rds-create --instance mydb </dev/null
	assert_status 4
	assert_contains "$stderr" --yes
	assert_equal 0 "$(aws_writes)"
}

@test "on a terminal it shows what costs money and asks" {
	on_terminal rds-create --instance mydb --class db.m7g.large --storage 100 --multi-az --public
	screen_ends 'Create instance "mydb"? [y/N] '
	assert_equal 0 "$(aws_writes)"
	type_keys $'y\n'
	finish_terminal
	assert_status 0
	assert_contains "$output" db.m7g.large
	assert_contains "$output" '100 GB gp3'
	assert_matches "$output" 'multi-AZ: +yes'
	assert_matches "$output" 'address: +public IPv4'
	assert_contains "$output" 'kept for 7 days'
	assert_matches "$(aws_instance_state mydb)" ^creating
}

@test "with -q the question shows it all the same" {
	on_terminal rds-create -q --instance mydb
	screen_ends 'Create instance "mydb"? [y/N] '
	assert_contains "$(screen)" db.t4g.micro
	type_keys $'n\n'
	finish_terminal
	assert_status 4
}

@test "every answer but y and yes declines: status 4, nothing created" {
	local answer
	for answer in n no '' yup '  y'; do
		rm -f "$TEST_DIR/keys"
		on_terminal rds-create --instance mydb
		screen_ends 'Create instance "mydb"? [y/N] '
		type_keys "$answer"$'\n'
		finish_terminal
		assert_status 4
	done
	assert_equal 0 "$(aws_writes)"
}

@test "the end of input declines" {
	on_terminal rds-create --instance mydb
	screen_ends 'Create instance "mydb"? [y/N] '
	type_keys $'\004'
	finish_terminal
	assert_status 4
	assert_equal 0 "$(aws_writes)"
}

@test "an interrupt at the question ends it by the signal and creates nothing" {
	on_terminal bash -c 'trap : INT; rds-create --instance mydb; echo "status $?"'
	screen_ends 'Create instance "mydb"? [y/N] '
	type_keys $'\003'
	finish_terminal
	assert_contains "$output" 'status 130'
	assert_equal 0 "$(aws_writes)"
}

@test "--dry-run prints what would be sent, without the password, and creates nothing" {
	DB_MASTER_PASSWORD=$PASSWORD create --dry-run --database shop
	assert_status 0
	assert_equal 'would-create mydb' "$(head -n 1 <<<"$output")"
	assert_contains "$output" $'\nDBName=shop\n'
	assert_contains "$output" $'\nMasterUserPassword=****\n'
	refute_contains "$output$stderr" "$PASSWORD"
	assert_equal 0 "$(aws_writes)"
}

@test "what --dry-run prints is what is sent" {
	local printed
	create --dry-run --group-id sg-0123456789abcdef0
	printed=$(tail -n +2 <<<"$output" | LC_ALL=C sort)
	create --yes --group-id sg-0123456789abcdef0
	assert_equal "$(aws_parameters "$(creation)" | grep -v '^Action=\|^Version=' | LC_ALL=C sort)" "$printed"
}

# --- one that is there -------------------------------------------------------------------------

# as_by_default [NAME=VALUE...]: an instance as rds-create makes it without options.
as_by_default() {
	aws_instance mydb available StorageEncrypted=true PubliclyAccessible=false DeletionProtection=true \
		BackupRetentionPeriod=7 StorageType=gp3 "$@"
}

@test "one that exists as wanted is success and unchanged, without a question" {
	as_by_default
	create
	assert_status 0
	assert_equal 'unchanged mydb' "$output"
	assert_contains "$stderr" 'exists already'
	refute_contains "$stderr" warning
	assert_equal 0 "$(aws_writes)"
}

@test "what one that exists has otherwise is told" {
	as_by_default AllocatedStorage=50 DBInstanceClass=db.t3.micro PubliclyAccessible=true \
		EngineVersion=15.4 DBName=other MasterUsername=root VpcSecurityGroupIds=sg-0123456789abcdef1
	create --storage 20 --class db.t4g.micro --engine-version 16 --database shop --user owner \
		--group-id sg-0123456789abcdef0 --backup-days 30
	assert_status 0
	assert_contains "$stderr" 'the storage is 50 GB, not 20 GB'
	assert_contains "$stderr" 'the class is db.t3.micro, not db.t4g.micro'
	assert_contains "$stderr" 'the version is 15.4, not 16'
	assert_contains "$stderr" 'the database is other, not shop'
	assert_contains "$stderr" 'the master user is root, not owner'
	assert_contains "$stderr" 'the security group is sg-0123456789abcdef1, not sg-0123456789abcdef0'
	assert_contains "$stderr" 'kept for 7 days, not 30'
	assert_contains "$stderr" 'the public address is on'
	assert_equal 9 "$(grep -c . <<<"$stderr")"
	assert_equal 0 "$(aws_writes)"
}

@test "settings that were not asked for are no difference" {
	as_by_default AllocatedStorage=50 DBInstanceClass=db.t3.micro DBName=other MasterUsername=root
	create --engine-version 16
	refute_contains "$stderr" warning
}

@test "a password for one that exists is not set, and that is told" {
	as_by_default MasterUserPassword=the-old-one
	DB_MASTER_PASSWORD=$PASSWORD create
	assert_status 0
	assert_contains "$stderr" rds-password
	assert_equal the-old-one "$(value MasterUserPassword)"
}

@test "one that somebody else creates at the same moment is success" {
	as_by_default
	aws_fault 'DescribeDBInstances code 404 DBInstanceNotFound DBInstance mydb not found.'
	create --yes
	assert_status 0
	assert_equal 'unchanged mydb' "$output"
}

@test "an answer that was lost is no failure" {
	aws_fault 'CreateDBInstance lost'
	create --yes
	assert_status 0
	assert_matches "$(aws_instance_state mydb)" '^(creating|backing-up)'
}

@test "an answer that was lost for good is no failure when the instance is there" {
	aws_fault 'CreateDBInstance lost' always
	AWS_MAX_ATTEMPTS=1 create --yes
	assert_status 0
	assert_matches "$(aws_instance_state mydb)" '^(creating|backing-up)'
}

@test "without any answer it says that the instance may be there" {
	aws_fault 'CreateDBInstance reset' always
	AWS_MAX_ATTEMPTS=1 create --yes
	assert_status 2
	assert_contains "$stderr" 'the instance may be there'
	assert_contains "$stderr" 'rds-status --instance mydb'
}

@test "one whose answer AWS refused is not said to be there" {
	aws_fault 'CreateDBInstance denied'
	create --yes
	assert_status 1
	refute_contains "$stderr" 'may be there'
}

@test "a subnet group of other characters is a usage error" {
	create --yes --subnet-group 'a/b'
	assert_status 64
	assert_equal '' "$(aws_requests)"
}

@test "one that is being deleted is no success" {
	aws_instance mydb deleting
	create --yes
	assert_status 1
	assert_contains "$stderr" deleting
	assert_equal 0 "$(aws_writes)"
}

# --- waiting -----------------------------------------------------------------------------------

@test "--wait returns once it is available, with endpoint, URL and where the password is" {
	create --yes --wait=30 --database shop
	assert_status 0
	assert_equal 'available mydb mydb.c1abcdefghij.eu-central-1.rds.amazonaws.com:5432' "$output"
	assert_contains "$stderr" postgresql://postgres@mydb.c1abcdefghij.eu-central-1.rds.amazonaws.com:5432/shop
	assert_contains "$stderr" 'secretsmanager get-secret-value'
}

@test "--wait with a list that does not show it yet waits on" {
	aws_fault 'CreateDBInstance stale 2'
	create --yes --wait=30
	assert_status 0
	assert_matches "$output" ^available
}

@test "--wait with one that is there and being created waits for it" {
	aws_instance mydb creating,creating,available
	create --wait=30
	assert_status 0
	assert_matches "$output" ^available
	assert_equal 0 "$(aws_writes)"
}

@test "--wait that runs out is status 6" {
	create --yes --wait=0
	assert_status 6
	assert_matches "$(aws_instance_state mydb)" "^(creating|backing-up)"
}

@test "an instance that fails while it is waited for is status 1" {
	aws_instance mydb creating,failed
	create --wait=30
	assert_status 1
	assert_contains "$stderr" failed
}

# --- what is refused before anything is sent ---------------------------------------------------

@test "settings that AWS would refuse are refused before anything is sent" {
	local bad
	for bad in --class=t4g.micro '--class=db.t4g.micro;x' --engine-version=latest --storage=19 \
		--storage=65537 --storage=20GB --storage=-20 --backup-days=36 --backup-days=x \
		--database=1shop --database=my-db --database=rdsadmin --user=admin --user=pg_owner \
		--user=1owner --user=a.b --group-id=default --group-id=sg-xyz; do
		create --yes "$bad"
		assert_status 64
		assert_contains "$stderr" 'error: '
	done
	assert_equal '' "$(aws_requests)"
}

@test "a target on the command line is a usage error" {
	create --yes prod
	assert_status 64
}

@test "what AWS refuses is status 1, in its words and with the request's id" {
	aws_fault 'CreateDBInstance code 400 InsufficientDBInstanceCapacity No capacity in eu-central-1a'
	create --yes
	assert_status 1
	assert_contains "$stderr" 'No capacity in eu-central-1a'
	assert_contains "$stderr" request
}

@test "a missing permission is status 1 and nothing is created" {
	aws_fault 'CreateDBInstance denied'
	create --yes
	assert_status 1
	assert_equal none "$(aws_instance_state mydb)"
}

@test "one whose answer was lost is this run's own: no warning, and its URL" {
	aws_fault 'CreateDBInstance lost'
	DB_MASTER_PASSWORD=$PASSWORD create --yes --wait=30
	assert_status 0
	assert_matches "$output" '^available mydb '
	assert_contains "$stderr" 'its URL: postgresql://postgres@'
	refute_contains "$stderr" 'exists already'
	refute_contains "$stderr" 'is not changed'
	assert_equal "$PASSWORD" "$(value MasterUserPassword)"
}

@test "one whose answer breaks off is there, and said to be begun" {
	aws_fault 'CreateDBInstance cut'
	create --yes
	assert_status 0
	assert_equal 'creating mydb' "$output"
	assert_contains "$stderr" 'rds-status --instance mydb --wait-for available --region eu-central-1'
}

@test "after a lost answer one that looks otherwise is not taken for this run's own" {
	aws_instance mydb available DBInstanceClass=db.m5.large
	aws_fault 'DescribeDBInstances code 404 DBInstanceNotFound DBInstance mydb not found.'
	aws_fault 'CreateDBInstance reset' always
	AWS_MAX_ATTEMPTS=1 create --yes
	assert_status 0
	assert_equal 'unchanged mydb' "$output"
}
