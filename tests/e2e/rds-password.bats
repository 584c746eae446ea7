#!/usr/bin/env bats
# bats file_tags=once
# A new master password: where it comes from, where it goes and where it never stands.

load helper
load aws
load terminal

PASSWORD='S3cret+new~pass%word=1'

setup() {
	common_setup
	start_aws
}

# password [ARGUMENT...]: with stdin as it is.
password() {
	run --separate-stderr rds-password --instance mydb "$@"
}

in_force() {
	aws_instance_state mydb | grep -o 'MasterUserPassword=.*' | cut -d ' ' -f 1 | cut -d = -f 2-
}

# --- where it comes from -----------------------------------------------------------------------

@test "the password comes from DB_MASTER_PASSWORD and is in force afterwards" {
	aws_instance mydb available
	DB_MASTER_PASSWORD=$PASSWORD password
	assert_status 0
	assert_equal 'changed mydb' "$output"
	assert_equal "$PASSWORD" "$(in_force)"
	assert_equal available "$(aws_instance_state mydb | cut -d ' ' -f 1)"
}

@test "what is sent is what the aws CLI sends with --apply-immediately" {
	aws_instance mydb available
	DB_MASTER_PASSWORD=$PASSWORD password
	assert_equal "Action=ModifyDBInstance
ApplyImmediately=true
DBInstanceIdentifier=mydb
MasterUserPassword=$PASSWORD
Version=2014-10-31" "$(aws_parameters 2)"
}

@test "the password comes from a pipe, without its newline" {
	aws_instance mydb available
	password <<<"$PASSWORD"
	assert_status 0
	assert_equal "$PASSWORD" "$(in_force)"
}

@test "the password comes from a pipe without a newline too" {
	aws_instance mydb available
	password < <(printf %s "$PASSWORD")
	assert_status 0
	assert_equal "$PASSWORD" "$(in_force)"
}

@test "an empty pipe is a usage error" {
	aws_instance mydb available
	password </dev/null
	assert_status 64
	assert_contains "$stderr" DB_MASTER_PASSWORD
	assert_equal 0 "$(aws_writes)"
}

@test "a NUL in the pipe has a message of its own" {
	aws_instance mydb available
	password < <(printf 'Passw0rd\0rest')
	assert_status 64
	assert_contains "$stderr" 'the password holds a NUL byte'
	assert_equal 0 "$(aws_writes)"
}

@test "more than one line is a usage error" {
	aws_instance mydb available
	password <<<"$PASSWORD"$'\nanother'
	assert_status 64
	assert_equal 0 "$(aws_writes)"
}

@test "DB_MASTER_PASSWORD in .env is warned of and not used" {
	aws_instance mydb available
	make_project
	printf 'DB_MASTER_PASSWORD=from-the-file\n' >.env
	password <<<"$PASSWORD"
	assert_status 0
	assert_contains "$stderr" warning
	refute_contains "$stderr" from-the-file
	assert_equal "$PASSWORD" "$(in_force)"
}

@test "a password that RDS would refuse is refused before anything is sent" {
	local bad
	aws_instance mydb available
	for bad in short77 'with space8' 'with/slash8' 'with@at8888' 'with"quote8' $'with\ttab888' 'müller8888' \
		"$(printf '%0129d' 0)"; do
		DB_MASTER_PASSWORD=$bad password
		assert_status 64
		refute_contains "$stderr" "$bad"
	done
	assert_equal '' "$(aws_requests)"
}

# --- on a terminal -----------------------------------------------------------------------------

@test "on a terminal it is asked for twice and not shown" {
	aws_instance mydb available
	on_terminal rds-password --instance mydb
	screen_ends 'New master password for instance "mydb": '
	type_keys "$PASSWORD"$'\n'
	screen_ends 'The same again: '
	type_keys "$PASSWORD"$'\n'
	finish_terminal
	assert_status 0
	assert_equal "$PASSWORD" "$(in_force)"
	refute_contains "$output" "$PASSWORD"
}

@test "on a terminal two different answers are asked for again" {
	aws_instance mydb available
	on_terminal rds-password --instance mydb
	screen_ends 'New master password for instance "mydb": '
	type_keys $'one-of-them\n'
	screen_ends 'The same again: '
	type_keys $'the-other\n'
	wait_until '[ "$(screen | grep -c "New master password")" = 2 ]'
	type_keys "$PASSWORD"$'\n'
	wait_until '[ "$(screen | grep -c "The same again:")" = 2 ]'
	type_keys "$PASSWORD"$'\n'
	finish_terminal
	assert_status 0
	assert_equal "$PASSWORD" "$(in_force)"
}

@test "an empty answer fails and changes nothing" {
	aws_instance mydb available
	on_terminal rds-password --instance mydb
	screen_ends 'New master password for instance "mydb": '
	type_keys $'\n'
	finish_terminal
	assert_status 1
	assert_equal 0 "$(aws_writes)"
}

# What the terminal is like after the command: the word echo or -echo of stty.
ECHO_STATE='stty -a | grep -oE -- "-?\becho\b"'

@test "a signal during the question gives the terminal its echo back" {
	aws_instance mydb available
	on_terminal bash -c 'sh -c "echo \$\$ >pid; exec rds-password --instance mydb"
		echo "status $?"; '"$ECHO_STATE"
	screen_ends 'New master password for instance "mydb": '
	kill -TERM "$(<pid)"
	screen_has 'status 143'
	finish_terminal
	assert_equal echo "$(tail -n 1 <<<"$output")"
	assert_equal 0 "$(aws_writes)"
}

@test "an interrupt from the keyboard gives the terminal its echo back" {
	aws_instance mydb available
	on_terminal bash -c 'trap : INT; rds-password --instance mydb; '"$ECHO_STATE"
	screen_ends 'New master password for instance "mydb": '
	type_keys $'\003'
	finish_terminal
	assert_equal echo "$(tail -n 1 <<<"$output")"
	assert_equal 0 "$(aws_writes)"
}

@test "while the question stands the terminal does not echo" {
	aws_instance mydb available
	on_terminal bash -c 'tty >tty; exec rds-password --instance mydb'
	screen_ends 'New master password for instance "mydb": '
	run bash -c 'stty -a <"$(<tty)" | grep -oE -- "-?\becho\b"'
	assert_equal -echo "$output"
	type_keys $'\003'
	finish_terminal
}

@test "stopped at the question the terminal has its echo, and the question goes on afterwards" {
	aws_instance mydb available
	on_terminal bash -mc 'rds-password --instance mydb; '"$ECHO_STATE"'; echo continue; fg'
	screen_ends 'New master password for instance "mydb": '
	type_keys $'half\032'
	screen_has continue
	assert_contains "$(screen)" $'echo\ncontinue'
	refute_contains "$(screen)" -echo
	wait_until '[ "$(screen | grep -c "New master password")" = 2 ]'
	type_keys "$PASSWORD"$'\n'
	screen_ends 'The same again: '
	type_keys "$PASSWORD"$'\n'
	screen_has 'changed mydb'
	finish_terminal
	assert_equal "$PASSWORD" "$(in_force)"
	refute_contains "$output" "$PASSWORD"
}

# --- what AWS has to say -----------------------------------------------------------------------

@test "a password that AWS manages is refused, with the command that reads it" {
	aws_instance mydb available MasterUserSecret.SecretArn=arn:aws:secretsmanager:eu-central-1:1:secret:x
	DB_MASTER_PASSWORD=$PASSWORD password
	assert_status 4
	assert_contains "$stderr" "get-secret-value --secret-id arn:aws:secretsmanager:eu-central-1:1:secret:x "
	assert_equal 0 "$(aws_writes)"
}

@test "a password that AWS manages is refused before anybody types one" {
	aws_instance mydb available MasterUserSecret.SecretArn=arn:aws:secretsmanager:x
	run_tty -- rds-password --instance mydb
	assert_status 4
	refute_contains "$output" 'New master password'
}

@test "an instance of a cluster is refused" {
	aws_instance mydb available DBClusterIdentifier=aurora
	DB_MASTER_PASSWORD=$PASSWORD password
	assert_status 1
	assert_contains "$stderr" aurora
	assert_equal 0 "$(aws_writes)"
}

@test "it waits until the password is in force" {
	aws_instance mydb available
	DB_MASTER_PASSWORD=$PASSWORD password
	assert_contains "$stderr" resetting-master-credentials
	assert_equal "$PASSWORD" "$(in_force)"
}

@test "a list that does not show the change yet is not taken for its end" {
	aws_instance mydb available
	aws_fault 'ModifyDBInstance stale 2'
	DB_MASTER_PASSWORD=$PASSWORD password
	assert_status 0
	assert_contains "$stderr" resetting-master-credentials
	assert_equal "$PASSWORD" "$(in_force)"
}

@test "--no-wait returns once AWS has taken it" {
	aws_instance mydb available
	DB_MASTER_PASSWORD=$PASSWORD password --no-wait
	assert_status 0
	assert_equal 'changing mydb' "$output"
	assert_equal 2 "$(aws_requests | wc -l)"
}

@test "--wait that runs out is status 6 and says that AWS goes on" {
	aws_instance mydb available
	DB_MASTER_PASSWORD=$PASSWORD password --wait=0
	assert_status 6
	assert_contains "$stderr" 'goes on applying'
}

@test "one that is stopped is status 1, with what to do" {
	aws_instance mydb stopped
	DB_MASTER_PASSWORD=$PASSWORD password
	assert_status 1
	assert_contains "$stderr" InvalidDBInstanceState
	assert_contains "$stderr" rds-start
}

# --- where it never stands ---------------------------------------------------------------------

@test "the password is in no output, with -v neither" {
	aws_instance mydb available
	DB_MASTER_PASSWORD=$PASSWORD password -v
	assert_status 0
	refute_contains "$output$stderr" "$PASSWORD"
	refute_contains "$output$stderr" 'S3cret%2B'
	assert_contains "$stderr" ModifyDBInstance
}

@test "an error of AWS does not show the password" {
	aws_instance mydb available
	aws_fault 'ModifyDBInstance code 400 InvalidParameterValue No such thing'
	DB_MASTER_PASSWORD=$PASSWORD password -v
	assert_status 1
	refute_contains "$output$stderr" "$PASSWORD"
}

@test "a program that is started for credentials does not get DB_MASTER_PASSWORD" {
	aws_instance mydb available
	mkdir "$HOME/.aws"
	cat >process <<-SH
		#!/bin/sh
		env >"$TEST_DIR/process.env"
		echo '{"Version": 1, "AccessKeyId": "$AWS_ACCESS_KEY_ID", "SecretAccessKey": "$AWS_SECRET_ACCESS_KEY"}'
	SH
	chmod +x process
	printf '[default]\ncredential_process = %s/process\n' "$TEST_DIR" >"$HOME/.aws/config"
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	DB_MASTER_PASSWORD=$PASSWORD password --no-wait
	assert_status 0
	assert_contains "$(<process.env)" AWS_REGION=
	refute_contains "$(<process.env)" "$PASSWORD"
}

@test "there is no option that takes the password" {
	run rds-password --help
	refute_contains "$output" PASSWORD=
	password --password="$PASSWORD"
	assert_status 64
	password prod "$PASSWORD"
	assert_status 64
	refute_contains "$output$stderr" "$PASSWORD"
	assert_contains "$stderr" 'error: unexpected argument'
	assert_contains "$stderr" 'DB_MASTER_PASSWORD. One given as an argument now stands in the shell'
	assert_equal '' "$(aws_requests)"
}

@test "a --wait too short to see the change is status 6, and says what is known" {
	aws_instance mydb available
	aws_fault 'ModifyDBInstance stale 20'
	DB_MASTER_PASSWORD=$PASSWORD password --wait=1
	assert_status 6
	assert_equal '' "$output"
	assert_contains "$stderr" 'AWS has taken the new password, and does not show yet that it applies it.'
}

@test "a new password whose answer breaks off is taken, and waited for" {
	aws_instance mydb available
	aws_fault 'ModifyDBInstance cut'
	DB_MASTER_PASSWORD=$PASSWORD password --no-wait
	assert_status 0
	assert_equal 'changing mydb' "$output"
	aws_instance mydb available
	aws_fault 'ModifyDBInstance lost' always
	AWS_MAX_ATTEMPTS=1 DB_MASTER_PASSWORD=$PASSWORD password --wait=20
	assert_status 0
	assert_equal "$PASSWORD" "$(in_force)"
}

@test "where AWS does not show what became of it, the error says so" {
	aws_instance mydb available
	aws_fault 'ModifyDBInstance reset' 2
	AWS_MAX_ATTEMPTS=1 DB_MASTER_PASSWORD=$PASSWORD password
	assert_status 2
	assert_contains "$stderr" 'AWS may have taken the new password: try which one is in force.'
	aws_fault 'ModifyDBInstance denied'
	aws_instance other available
	DB_MASTER_PASSWORD=$PASSWORD run --separate-stderr rds-password --instance other
	refute_contains "$stderr" 'may have taken'
}

@test "a hint's command names the region, and the profile that was given" {
	mkdir -p "$HOME/.aws"
	printf '[me two]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = %s\n' \
		"$AWS_SECRET_ACCESS_KEY" >"$HOME/.aws/credentials"
	chmod 600 "$HOME/.aws/credentials"
	aws_instance mydb stopped
	AWS_REGION=us-east-1 DB_MASTER_PASSWORD=$PASSWORD password --region eu-central-1 --profile 'me two'
	assert_status 1
	assert_contains "$stderr" "rds-start --instance mydb --wait --profile 'me two' --region eu-central-1"
	# And does what it says.
	eval "AWS_REGION=us-east-1 $(sed -n 's/^hint: It is stopped: //p' <<<"$stderr")"
}
