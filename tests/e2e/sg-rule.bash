# What tests of rds-update-sg-rule have in common: `load helper`, `load aws`, `load sg-rule`.

# shellcheck shell=bash
# SC2034: tests read them.
# shellcheck disable=SC2034

G=sg-0123456789abcdef0
R=sgr-0123456789abcdef0
R2=sgr-0123456789abcdef2
HERE=20.1.1.2

# sg_rule_setup [DESCRIPTION]: the rule R of the group G is there, with another's address.
sg_rule_setup() {
	common_setup
	start_aws
	export DB_SG_ID=$G DB_SG_RULE_ID=$R GITPOD_IP=$HERE
	aws_rule "$R" "$G" 20.9.9.9/32 5432 "${1-GITPOD}"
}

update() {
	run --separate-stderr rds-update-sg-rule "$@"
}
