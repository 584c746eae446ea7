#!/usr/bin/env bats
# Starting a stopped instance.

load helper
load aws

setup() {
	common_setup
	start_aws
}

start() {
	run --separate-stderr rds-start "$@"
}

state() {
	aws_instance_state "$1" | cut -d ' ' -f 1
}

@test "a stopped instance is started" {
	aws_instance mydb stopped
	start --instance mydb
	assert_status 0
	assert_equal 'starting mydb' "$output"
	assert_equal starting "$(state mydb)"
	assert_equal 1 "$(aws_writes)"
}

@test "what is sent is what the aws CLI sends" {
	aws_instance mydb stopped
	start --instance mydb
	assert_equal $'Action=StartDBInstance\nDBInstanceIdentifier=mydb\nVersion=2014-10-31' \
		"$(aws_parameters 2)"
}

@test "the instance of a target's URL is started" {
	aws_instance mydb stopped
	aws_instance other stopped
	STAGING_CONNECTION_URL=postgresql://u@mydb.c1abcdefghij.eu-central-1.rds.amazonaws.com/x start staging
	assert_status 0
	assert_equal starting "$(state mydb)"
	assert_equal stopped "$(state other)"
}

@test "one whose storage is full is no success" {
	aws_instance mydb storage-full
	for option in '' --wait; do
		start --instance mydb ${option:+"$option"}
		assert_status 1
		assert_contains "$stderr" 'aws rds modify-db-instance --db-instance-identifier mydb'
	done
	assert_equal 0 "$(aws_writes)"
}

@test "one that runs already is success, and nothing is written" {
	local status_of
	for status_of in available backing-up storage-optimization; do
		aws_instance mydb "$status_of"
		start --instance mydb
		assert_status 0
		assert_equal 'unchanged mydb' "$output"
		assert_contains "$stderr" "is $status_of already"
	done
	assert_equal 0 "$(aws_writes)"
}

@test "one that is starting already is success, and nothing is written" {
	aws_instance mydb starting
	start --instance mydb
	assert_status 0
	assert_equal 'starting mydb' "$output"
	assert_equal 0 "$(aws_writes)"
}

@test "--wait returns once it is available, with the endpoint" {
	aws_instance mydb stopped
	start --instance mydb --wait=20
	assert_status 0
	assert_equal 'available mydb mydb.c1abcdefghij.eu-central-1.rds.amazonaws.com:5432' "$output"
	assert_equal available "$(state mydb)"
}

@test "--wait with one that is starting already waits and writes nothing" {
	aws_instance mydb starting,available
	start --instance mydb --wait=20
	assert_status 0
	assert_contains "$output" 'available mydb'
	assert_equal 0 "$(aws_writes)"
}

@test "--wait that runs out is status 6, and the instance goes on starting" {
	aws_instance mydb stopped
	start --instance mydb --wait=0
	assert_status 6
	assert_contains "$stderr" 'it is starting'
	assert_equal 1 "$(aws_writes)"
}

@test "one that is stopping cannot be started, and the hint says how to wait" {
	aws_instance mydb stopping
	start --instance mydb
	assert_status 1
	assert_equal '' "$output"
	assert_contains "$stderr" InvalidDBInstanceState
	assert_contains "$stderr" --wait
}

@test "--wait with one that is stopping waits for that, then starts it" {
	aws_instance mydb stopping,stopping,stopping,stopped
	start --instance mydb --wait=30
	assert_status 0
	assert_contains "$output" 'available mydb'
	assert_equal available "$(state mydb)"
}

@test "one that somebody else starts at the same moment is success" {
	aws_instance mydb stopped,starting
	aws_fault 'StartDBInstance code 400 InvalidDBInstanceState Instance mydb is not stopped.'
	start --instance mydb
	assert_status 0
	assert_equal 'starting mydb' "$output"
}

@test "an answer that was lost is no failure" {
	aws_instance mydb stopped
	aws_fault 'StartDBInstance lost'
	start --instance mydb --wait=30
	assert_status 0
	assert_equal available "$(state mydb)"
}

@test "AWS's list that lags behind is asked again" {
	aws_instance mydb stopped
	aws_fault 'StartDBInstance lost'
	aws_fault 'StartDBInstance stale 2'
	start --instance mydb
	assert_status 0
	assert_equal 'starting mydb' "$output"
}

@test "an instance that AWS keeps refusing fails with AWS's words" {
	aws_instance mydb stopped
	aws_fault 'StartDBInstance code 400 InvalidDBInstanceState Instance mydb is odd' always
	start --instance mydb --wait=60
	assert_status 1
	assert_contains "$stderr" 'Instance mydb is odd'
}

@test "an instance of a cluster is refused, with the command for the cluster" {
	aws_instance mydb stopped DBClusterIdentifier=aurora Engine=aurora-postgresql
	start --instance mydb
	assert_status 1
	assert_contains "$stderr" 'aws rds start-db-cluster --db-cluster-identifier aurora'
	assert_equal 0 "$(aws_writes)"
}

@test "a failed instance fails with AWS's words" {
	aws_instance mydb failed
	start --instance mydb --wait=60
	assert_status 1
	assert_contains "$stderr" InvalidDBInstanceState
}

@test "one that does not exist is status 1" {
	start --instance nothere
	assert_status 1
	assert_contains "$stderr" 'does not exist'
	assert_equal 0 "$(aws_writes)"
}

@test "a missing permission is status 1" {
	aws_instance mydb stopped
	aws_fault 'StartDBInstance denied'
	start --instance mydb
	assert_status 1
	assert_contains "$stderr" StartDBInstance
	assert_equal stopped "$(state mydb)"
}

@test "a signal while waiting ends it by that signal" {
	aws_instance mydb stopped
	aws_fault 'StartDBInstance stale 1000'
	start_job rds-start --instance mydb --wait
	wait_until '[ "$(aws_writes)" = 1 ]'
	kill -INT "$JOB_PID"
	finish_job
	assert_status 130
}

@test "an AWS that does not answer is status 2, as everywhere: 6 is for --wait" {
	aws_instance mydb stopped
	aws_fault 'DescribeDBInstances hang' always
	start --instance mydb --timeout 1
	assert_status 2
	assert_contains "$stderr" 'no answer from'
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	aws_fault 'Credentials hang' always
	AWS_CONTAINER_CREDENTIALS_FULL_URI=$AWS_ENDPOINT_URL/v2/credentials/x start --instance mydb
	assert_status 2
}
