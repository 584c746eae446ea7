#!/usr/bin/env bats
# Stopping an instance, for seven days at most.

load helper
load aws

setup() {
	common_setup
	start_aws
}

stop() {
	run --separate-stderr rds-stop "$@"
}

state() {
	aws_instance_state "$1" | cut -d ' ' -f 1
}

# The day seven days from now, before and after midnight.
in_seven_days() {
	date -u -d '+7 days' +%F
}

@test "an instance that runs is stopped" {
	aws_instance mydb available
	stop --instance mydb
	assert_status 0
	assert_equal 'stopping mydb' "$output"
	assert_equal stopping "$(state mydb)"
	assert_equal 1 "$(aws_writes)"
}

@test "what is sent is what the aws CLI sends" {
	aws_instance mydb available
	stop --instance mydb
	assert_equal $'Action=StopDBInstance\nDBInstanceIdentifier=mydb\nVersion=2014-10-31' \
		"$(aws_parameters 2)"
}

@test "it tells that AWS starts it again after seven days, and on which day" {
	local before
	aws_instance mydb available
	before=$(in_seven_days)
	stop --instance mydb
	assert_contains "$stderr" 'seven days'
	assert_matches "$stderr" "$before|$(in_seven_days)"
}

@test "with --wait the time of the new start is AWS's" {
	aws_instance mydb available
	stop --instance mydb --wait=20
	assert_status 0
	assert_equal 'stopped mydb' "$output"
	assert_equal stopped "$(state mydb)"
	assert_contains "$stderr" "$(aws_instance_state mydb | grep -o 'AutomaticRestartTime=[^ ]*' | cut -d = -f 2)"
}

@test "one that is stopped already is success, tells the same and writes nothing" {
	aws_instance mydb stopped AutomaticRestartTime=2031-05-06T07:08:09.000Z
	stop --instance mydb
	assert_status 0
	assert_equal 'unchanged mydb' "$output"
	assert_contains "$stderr" 'is stopped already'
	assert_contains "$stderr" 2031-05-06T07:08:09.000Z
	assert_equal 0 "$(aws_writes)"
}

@test "one that is stopping already is success, and nothing is written" {
	aws_instance mydb stopping
	stop --instance mydb
	assert_status 0
	assert_equal 'stopping mydb' "$output"
	assert_equal 0 "$(aws_writes)"
}

@test "one that is busy cannot be stopped, and the hint says how to wait" {
	aws_instance mydb backing-up
	stop --instance mydb
	assert_status 1
	assert_contains "$stderr" InvalidDBInstanceState
	assert_contains "$stderr" --wait
	assert_equal backing-up "$(state mydb)"
}

@test "--wait with one that is busy waits for that, then stops it" {
	aws_instance mydb backing-up,backing-up,backing-up,available
	stop --instance mydb --wait=30
	assert_status 0
	assert_equal 'stopped mydb' "$output"
	assert_equal stopped "$(state mydb)"
}

@test "a target on the command line is stopped, never the one of DB_INSTANCE_ID" {
	aws_instance production available
	aws_instance mydb available
	DB_INSTANCE_ID=production \
		STAGING_CONNECTION_URL=postgresql://u@mydb.c1abcdefghij.eu-central-1.rds.amazonaws.com/x \
		stop staging
	assert_status 0
	assert_equal available "$(state production)"
	assert_equal stopping "$(state mydb)"
}

@test "a target without a URL stops nothing, whatever DB_INSTANCE_ID says" {
	aws_instance production available
	DB_INSTANCE_ID=production stop staging
	assert_status 64
	assert_equal '' "$(aws_requests)"
}

@test "an instance of a cluster is refused, with the command for the cluster" {
	aws_instance mydb available DBClusterIdentifier=aurora
	stop --instance mydb
	assert_status 1
	assert_contains "$stderr" 'aws rds stop-db-cluster --db-cluster-identifier aurora'
	assert_equal 0 "$(aws_writes)"
}

@test "an answer that was lost is no failure" {
	aws_instance mydb available
	aws_fault 'StopDBInstance lost'
	stop --instance mydb
	assert_status 0
	assert_matches "$(state mydb)" '^stop'
}

@test "throttling is waited out" {
	aws_instance mydb available
	aws_fault 'StopDBInstance throttle'
	stop --instance mydb
	assert_status 0
	assert_equal stopping "$(state mydb)"
}

@test "one that does not exist is status 1" {
	stop --instance nothere
	assert_status 1
	assert_equal 0 "$(aws_writes)"
}
