#!/usr/bin/env bats
# bats file_tags=once
# rds-update-sg-rule --while: a command behind an open rule, and the rule as it was afterwards.

load helper
load aws
load sg-rule

setup() {
	sg_rule_setup 'before us'
	BEFORE="$R ingress tcp 5432 5432 20.9.9.9/32 before us"
	OPEN="$R ingress tcp 5432 5432 $HERE/32 GITPOD"
	export -f aws_rules aws_control
	export AWS_DIR G
}

# open_while COMMAND...
open_while() {
	run --separate-stderr rds-update-sg-rule --while -- "$@"
}

open_while_waiting() {
	run --separate-stderr rds-update-sg-rule --wait=1 --while -- touch ran
}

# A command that tells what the group looked like while it ran, in the file seen; then the script.
looking() {
	bash -c 'aws_rules "$G" >seen; '"$1"
}
export -f looking

assert_restored() {
	assert_equal "$BEFORE" "$(aws_rules "$G")"
}

# start_waiting [TRAP]: a job whose command waits until it is told to go on by the file go, or ends by a
# signal.
start_waiting() {
	cat >wait.sh <<-END
		${1:-}
		echo \$\$ >pid.new && mv pid.new pid
		while [ ! -e go ]; do sleep 0.05; done
		exit 7
	END
	start_job rds-update-sg-rule --while -- bash wait.sh
	wait_until '[ -s pid ]' || return
	assert_equal "$OPEN" "$(aws_rules "$G")"
}

# --- a command that runs to its end ------------------------------------------------------------

@test "the rule is open while the command runs and as before afterwards" {
	open_while bash -c 'looking true'
	assert_status 0
	assert_equal "$OPEN" "$(<seen)"
	assert_restored
}

@test "the command's exit status is passed on" {
	open_while bash -c 'exit 3'
	assert_status 3
	assert_restored
	open_while bash -c 'exit 255'
	assert_status 255
	assert_restored
}

@test "standard output and input are the command's alone" {
	run --separate-stderr bash -c 'echo given | rds-update-sg-rule --while -- tr a-z A-Z'
	assert_status 0
	assert_equal GIVEN "$output"
	assert_contains "$stderr" "changed $R"
	assert_contains "$stderr" "restored $R"
}

@test "the arguments reach the command as they are" {
	open_while printf '<%s>' 'a  b' '' --version '$HOME' --
	assert_status 0
	assert_equal '<a  b><><--version><$HOME><-->' "$output"
}

@test "the command has the terminal" {
	run_tty 'typed
' -- rds-update-sg-rule -q --while -- bash -c 'test -t 0 && test -t 1 && read -r line && echo "<$line>"'
	assert_status 0
	assert_contains "$output" '<typed>'
	assert_restored
}

@test "the command inherits the environment and no descriptor of ours" {
	COLOUR=red open_while bash -c 'echo $COLOUR; ls /proc/$$/fd >fds; readlink /proc/$$/fd/* | grep -c socket'
	assert_equal $'red\n0' "$output"
	run --separate-stderr bash -c 'ls /proc/$$/fd >plain'
	assert_equal "$(<plain)" "$(<fds)"
}

@test "no variable is added to the command's environment" {
	env -u _ rds-update-sg-rule -q --while -- env | grep -v '^_=' | sort >with
	env | grep -v '^_=' | sort >without
	assert_equal "$(<without)" "$(<with)"
}

@test "a rule that was right is left as it is" {
	aws_rule "$R" "$G" "$HERE/32" 5432 GITPOD
	open_while true
	assert_status 0
	assert_equal 0 "$(aws_writes)"
	assert_equal "$OPEN" "$(aws_rules "$G")"
}

@test "a rule that was made for the command is removed" {
	unset DB_SG_RULE_ID
	run rds-update-sg-rule --create --description job-1 --while -- bash -c 'looking "exit 4"'
	assert_status 4
	assert_contains "$(<seen)" "ingress tcp 5432 5432 $HERE/32 job-1"
	assert_restored
}

@test "behind a colleague's rule the command runs and nothing is removed" {
	unset DB_SG_RULE_ID
	aws_rule "$R2" "$G" "$HERE/32" 5432 alice
	run rds-update-sg-rule --create --description job-1 --while -- true
	assert_status 0
	assert_equal 0 "$(aws_writes)"
}

@test "an IPv6 rule without a description is restored without one" {
	aws_rule "$R" "$G" 2a01:4f8::9/128 5432 ''
	BEFORE=$(aws_rules "$G")
	GITPOD_IP=2a01:4f8::1 DB_SG_RULE_ID_V6=$R open_while bash -c 'looking true'
	assert_status 0
	assert_contains "$(<seen)" 2a01:4f8::1/128
	assert_restored
}

# --- a command that does not run ---------------------------------------------------------------

@test "a command that is not there ends with 127 and nothing is opened" {
	run -127 rds-update-sg-rule --while -- no-such-command
	run -127 rds-update-sg-rule --while -- ./no-such-command
	assert_equal '' "$(aws_requests)"
}

@test "a command that cannot be executed ends with 126 and nothing is opened" {
	echo text >file
	open_while ./file
	assert_status 126
	open_while ./home
	assert_status 126
	assert_equal '' "$(aws_requests)"
}

@test "a file that turns out to be no program restores the rule" {
	printf '\177ELFgarbage' >program
	chmod +x program
	open_while ./program
	[ "$status" -ne 0 ]
	assert_contains "$stderr" program
	assert_restored
}

@test "the command does not run when the rule is not ours to open" {
	aws_rule "$R" "$G" 10.0.0.0/8 5432 office
	run rds-update-sg-rule --while -- touch ran
	assert_status 4
	[ ! -e ran ]
	run rds-update-sg-rule --force --while -- touch ran
	assert_status 4
	[ ! -e ran ]
	assert_equal 0 "$(aws_writes)"
}

@test "the command does not run when AWS does not show the open rule" {
	aws_fault 'ModifySecurityGroupRules noop'
	open_while touch ran
	assert_status 1
	[ ! -e ran ]
	refute_contains "$stderr" restored
	assert_contains "$stderr" "unchanged $R $G 5432 20.9.9.9/32"
	assert_restored
}

@test "the command does not run when the server cannot be reached within --wait" {
	PROD_CONNECTION_URL=postgresql://u@127.0.0.1:1/d open_while_waiting
	assert_status 6
	assert_contains "$stderr" 'within 1 second
'
	refute_contains "$stderr" 'The rule is set'
	[ ! -e ran ]
	assert_restored
}

@test "a refused write is an error and nothing is tried to be restored" {
	aws_fault 'ModifySecurityGroupRules denied' always
	open_while touch ran
	assert_status 1
	[ ! -e ran ]
	assert_equal 1 "$(aws_requests | grep -c ModifySecurityGroupRules)"
}

# --- signals -----------------------------------------------------------------------------------

@test "a command that is killed: the rule is restored and we end by the same signal" {
	local name
	for name in KILL TERM SEGV INT; do
		open_while bash -c "kill -$name \$\$"
		assert_status $((128 + $(kill -l "$name")))
		assert_restored
	done
}

@test "SIGTERM, SIGINT and SIGHUP are passed on and end us after the rule is restored" {
	local name
	for name in TERM INT HUP; do
		rm -f pid got
		start_waiting "trap 'echo $name >got; exit 0' $name"
		kill -"$name" "$JOB_PID"
		finish_job
		assert_status $((128 + $(kill -l "$name")))
		assert_equal "$name" "$(<got)"
		assert_restored
	done
}

@test "what else ends a program is passed on too, and does not leave the rule open" {
	local name
	for name in ABRT XCPU XFSZ VTALRM PROF PWR SYS ALRM; do
		rm -f pid got
		start_waiting "trap 'echo $name >got; exit 0' $name"
		kill -"$name" "$JOB_PID"
		finish_job
		assert_status $((128 + $(kill -l "$name")))
		assert_equal "$name" "$(<got)"
		assert_restored
	done
}

@test "a real-time signal is the command's alone" {
	start_waiting "trap 'echo RTMIN >got; exit 3' RTMIN"
	kill -RTMIN "$JOB_PID"
	finish_job
	assert_status 3
	assert_equal RTMIN "$(<got)"
	assert_restored
}

@test "a stopped command is ended all the same" {
	local name
	for name in TERM HUP INT; do
		rm -f pid
		start_waiting "trap 'exit 0' $name"
		kill -STOP "$(<pid)"
		kill -"$name" "$JOB_PID"
		wait_until job_ended 5
		finish_job
		assert_status $((128 + $(kill -l "$name")))
		assert_restored
	done
}

@test "a command that ignores the signal is waited for" {
	start_waiting "trap '' TERM INT"
	kill -TERM "$JOB_PID"
	kill -INT "$JOB_PID"
	kill -INT "$JOB_PID"
	kill -TERM "$JOB_PID"
	sleep 0.5
	kill -0 "$JOB_PID"
	assert_equal "$OPEN" "$(aws_rules "$G")"
	touch go
	finish_job
	[ "$status" -gt 128 ]
	assert_restored
}

@test "signals while the rule is restored do not stop that" {
	aws_fault 'ModifySecurityGroupRules slow 0'
	start_waiting
	aws_fault 'ModifySecurityGroupRules slow 1'
	kill -TERM "$JOB_PID"
	sleep 0.4
	kill -TERM "$JOB_PID"
	kill -INT "$JOB_PID"
	kill -INT "$JOB_PID"
	kill -HUP "$JOB_PID"
	finish_job
	[ "$status" -gt 128 ]
	assert_restored
}

@test "a signal while the rule is opened: the command does not run, the rule is restored" {
	aws_fault 'ModifySecurityGroupRules slow 1'
	start_job rds-update-sg-rule --while -- touch ran
	wait_until "aws_requests | grep -q Modify || [ \"\$(aws_rules $G)\" = '$OPEN' ]"
	kill -INT "$JOB_PID"
	finish_job
	assert_status 130
	[ ! -e ran ]
	assert_restored
}

@test "a signal that nobody expects while the rule is opened does not leave it open" {
	aws_fault 'ModifySecurityGroupRules stale 1'
	start_job rds-update-sg-rule --while -- sleep 1
	wait_until "[ \"\$(aws_rules $G)\" = '$OPEN' ]"
	kill -QUIT "$JOB_PID"
	finish_job
	assert_status $((128 + $(kill -l QUIT)))
	assert_restored
}

# Typed on a terminal, Ctrl-C reaches the command by itself, which may use it and go on.
@test "Ctrl-C on the terminal that the command handles does not end us" {
	cat >command.sh <<-'END'
		trap 'echo caught; exit 5' INT
		touch ready
		for i in {1..100}; do sleep 0.1; done
	END
	run_tty $'\x03' -- bash -c '
		rds-update-sg-rule -q --while -- bash command.sh; echo "status $?"'
	assert_contains "$output" 'caught'
	assert_contains "$output" 'status 5'
	assert_restored
}

@test "an ignored signal stays ignored for the command" {
	run bash -c 'trap "" HUP; exec rds-update-sg-rule -q --while -- grep SigIgn /proc/self/status'
	assert_status 0
	assert_matches "$output" '[13579bdf]$'
	assert_restored
}

@test "the command begins with no signal blocked" {
	open_while grep SigBlk /proc/self/status
	assert_matches "$output" ':[[:space:]]0+$'
}

# --- others, and AWS ---------------------------------------------------------------------------

@test "a rule that somebody else changed meanwhile is left" {
	start_waiting
	aws_rule "$R" "$G" 20.1.1.77/32 5432 bob
	touch go
	finish_job
	assert_status 7
	assert_contains "$stderr" "rule $R was changed to 20.1.1.77/32 \"bob\" on tcp/5432 meanwhile"
	assert_equal "$R ingress tcp 5432 5432 20.1.1.77/32 bob" "$(aws_rules "$G")"
}

@test "a rule that somebody else made theirs with the same address is left" {
	start_waiting
	aws_rule "$R" "$G" "$HERE/32" 5432 bob
	touch go
	finish_job
	assert_status 7
	assert_contains "$stderr" "left as it is, and still allows $HERE"
	assert_equal "$R ingress tcp 5432 5432 $HERE/32 bob" "$(aws_rules "$G")"
}

# start_behind_colleague: a job that leans on the rule of alice.
start_behind_colleague() {
	unset DB_SG_RULE_ID
	aws_rule "$R2" "$G" "$HERE/32" 5432 alice
	start_job rds-update-sg-rule --create --description job-1 --while -- \
		bash -c 'touch pid; while [ ! -e go ]; do sleep 0.05; done'
	wait_until '[ -e pid ]'
	assert_contains "$(<"$JOB_ERR")" "it is not this job's and may go"
}

@test "a colleague's rule that goes while the command runs is missed" {
	start_behind_colleague
	aws_rule "$R2" "$G" 20.1.1.88/32 5432 alice
	touch go
	finish_job
	assert_status 0
	assert_contains "$stderr" "warning: rule $R2, which allowed $HERE, was changed to 20.1.1.88/32"
	rm pid go
	start_behind_colleague
	bash -c "DB_SG_RULE_ID='' rds-update-sg-rule --remove --rule-id $R2"
	touch go
	finish_job
	assert_status 0
	assert_contains "$stderr" "warning: rule $R2, which allowed $HERE, was removed while the command ran"
	assert_equal 1 "$(aws_writes)"
}

@test "a colleague's rule that stays is no warning" {
	start_behind_colleague
	touch go
	finish_job
	refute_contains "$stderr" warning
}

@test "a state of before that is shown late does not keep the rule open" {
	start_waiting
	aws_fault 'DescribeSecurityGroupRules stale 1'
	touch go
	finish_job
	assert_status 7
	assert_restored
}

@test "a restoring write whose answer is lost is success" {
	start_waiting
	aws_fault 'ModifySecurityGroupRules lost'
	touch go
	finish_job
	assert_status 7
	assert_restored
}

# Twice: on a connection that was in use before, libcurl tries once more by itself.
@test "an opening write whose answers are all lost is undone" {
	export AWS_MAX_ATTEMPTS=1
	aws_fault 'ModifySecurityGroupRules lost' 2
	open_while touch ran
	assert_status 2
	[ ! -e ran ]
	assert_restored
}

@test "a new rule whose answers are all lost is removed" {
	unset DB_SG_RULE_ID
	export AWS_MAX_ATTEMPTS=1
	aws_fault 'AuthorizeSecurityGroupIngress lost' 2
	run rds-update-sg-rule --create --description job-1 --while -- touch ran
	assert_status 2
	[ ! -e ran ]
	assert_equal 1 "$(aws_requests | grep -c 'RevokeSecurityGroupIngress 200')"
	assert_restored
}

@test "passing faults are tried again for longer than one call does" {
	export AWS_MAX_ATTEMPTS=1
	start_waiting
	aws_fault 'ModifySecurityGroupRules status 503' 4
	touch go
	finish_job
	assert_status 7
	assert_contains "$stderr" "restored $R $G 5432 $HERE/32 \"GITPOD\" -> 20.9.9.9/32 \"before us\""
	assert_restored
}

# undo_command: what the last run said is to be typed.
undo_command() {
	sed -n 's/^.*type: //p' <<<"$stderr"
}

@test "a rule that cannot be restored: the error says what is left and the command that does it" {
	start_waiting
	aws_fault 'ModifySecurityGroupRules denied'
	touch go
	finish_job
	assert_status 7
	assert_contains "$stderr" "could not restore rule $R again"
	assert_contains "$stderr" "$G may still let $HERE in on tcp/5432"
	assert_equal "$OPEN" "$(aws_rules "$G")"
	bash -c "$(undo_command)"
	assert_restored
}

@test "a new rule that cannot be removed: the same" {
	unset DB_SG_RULE_ID
	aws_fault 'RevokeSecurityGroupIngress denied'
	run --separate-stderr rds-update-sg-rule --create --description "job 1" --while -- true
	assert_status 1
	assert_contains "$stderr" 'could not remove rule sgr-'
	bash -c "$(undo_command)"
	assert_restored
}

# Both at once: each looks for some seconds.
@test "a restoring write that AWS only says it did is an error with the command that does it" {
	local one
	aws_fault 'RevokeSecurityGroupIngress noop'
	start_waiting
	aws_fault 'ModifySecurityGroupRules noop'
	DB_SG_RULE_ID='' GITPOD_IP=20.1.1.3 rds-update-sg-rule --create --description job-2 \
		--while -- true 2>made &
	one=$!
	touch go
	finish_job
	assert_status 7
	assert_contains "$stderr" "could not restore rule $R again: that was written, but AWS still shows $HERE/32"
	refute_contains "$stderr" "restored $R"
	wait "$one" && status=0 || status=$?
	assert_status 1
	refute_contains "$(<made)" 'removed sgr-'
	assert_equal 2 "$(aws_rules "$G" | grep -c .)"
	bash -c "$(undo_command)"
	stderr=$(<made)
	assert_contains "$stderr" 'could not remove rule sgr-'
	bash -c "$(undo_command)"
	assert_restored
}

@test "a rule whose former address is another rule's by now can be closed by what is said" {
	start_waiting
	aws_rule "$R2" "$G" 20.9.9.9/32 5432 alice
	touch go
	finish_job
	assert_status 7
	assert_contains "$stderr" InvalidPermission.Duplicate
	assert_contains "$stderr" 'Another rule now allows 20.9.9.9/32'
	bash -c "$(undo_command)"
	assert_equal "$R2 ingress tcp 5432 5432 20.9.9.9/32 alice" "$(aws_rules "$G")"
}

@test "the command has the caller's limit for core files, which the program itself does not" {
	ulimit -S -c 0
	ulimit -S -c "$(ulimit -H -c)"
	open_while sh -c 'ulimit -S -c >core'
	assert_status 0
	assert_equal "$(ulimit -S -c)" "$(<core)"
	[ "$(<core)" != 0 ]
}
