# The imitation of AWS (tests/lib/aws-endpoint) for end-to-end tests: `load helper`, `load aws`, then
# start_aws in setup or in a test. It ends with the test. What it keeps is in AWS_DIR, which is not
# below TEST_DIR because the requests in it carry secrets, for which a test may search TEST_DIR.
#
#   start_aws             starts it; exports AWS_ENDPOINT_URL, keys, AWS_REGION (eu-central-1) and
#                         AWS_EC2_METADATA_DISABLED=true; sets AWS_DIR. No files in $HOME/.aws.
#   aws_endpoint_second   starts another one, on another port, and prints its URL; what follows speaks
#                         to it with AWS_DIR=$AWS_DIR2 in front: AWS_DIR=$AWS_DIR2 aws_address 4 20.1.1.9
#   aws_tls CERT KEY      puts a TLS listener in front and prints its URL, https://localhost:PORT
#   stop_aws              ends the first one: nobody listens on its port any more
#
# State (of the region eu-central-1; other regions are empty)
#   aws_group ID          a security group without rules
#   aws_rule ID GROUP SOURCE [PORT [DESCRIPTION [KEY=VALUE...]]]
#                         puts a rule there or replaces it, the group too. SOURCE: a CIDR, pl-... or
#                         sg-...; PORT: [egress:][PROTOCOL/]FROM[-TO] or [egress:]all; default tcp 5432
#   aws_control many_rules COUNT GROUP
#                         adds COUNT rules for 30.0.*.*/32, tcp 5432, described "rule N", at once
#   aws_rules GROUP       "ID ingress|egress PROTOCOL FROM TO SOURCE DESCRIPTION [KEY=VALUE...]", by id
#   aws_instance ID STATUS[,STATUS...] [NAME=VALUE...]
#                         a DB instance; each Describe that shows it takes it to the next STATUS. NAMEs
#                         are the API's: Engine, Endpoint.Address, MasterUserSecret.SecretArn, ...
#   aws_instance_state ID "STATUS NAME=VALUE...": STATUS is what the next Describe shows;
#                         MasterUserPassword is the one in force; "none" for an unknown instance
#   aws_control forget ID removes a DB instance
#   aws_snapshot ID OF CREATED [TYPE [STATUS]]
#                         a snapshot of the instance or cluster OF: 2026-11-21T05:10:00.000Z, automated,
#                         available. A cluster is there when an instance has its DBClusterIdentifier, and
#                         can be restored to that instance's ClusterLatestRestorableTime
#   aws_page_size N       at most N items a page, whatever was asked for
#   aws_key ID SECRET [TOKEN [EXPIRES]]
#                         makes a key valid, until EXPIRES (seconds since 1970)
#   aws_key_of ID         its secret and its token, a line each
#   aws_address 4|6 TEXT [STATUS]
#                         what $AWS_ENDPOINT_URL/ip4 and /ip6 say from now on, exactly (20.1.1.1 and
#                         2a01:4f8::1 with a newline)
#   aws_set metadata_role NAME   the instance's role (dev-role; empty: none)
#   aws_set container_token TEXT the container service then wants it as Authorization
#   aws_set lifetime SECONDS     of temporary credentials (3600)
# IAM: AssumeRole is allowed for every role but those named forbidden...; one named external-ID wants
# that ExternalId. Web identity: any header.payload.signature; one with "expired" in it is expired.
# Metadata: AWS_EC2_METADATA_SERVICE_ENDPOINT=$AWS_ENDPOINT_URL; container:
# AWS_CONTAINER_CREDENTIALS_FULL_URI=$AWS_ENDPOINT_URL/v2/credentials/x. Key ids that are given out begin
# with ASIAEXAMPLE and ROLE, WEB, EC2 or BOX.
#
# Faults
#   aws_fault 'ACTION FAULT [ARGUMENT]' [TIMES]
#                         what the next TIMES (1; or always) calls of ACTION meet; * is any of EC2, RDS
#                         and STS; Ip4, Ip6, Token, Role, Credentials, Region are the unsigned ones. Orders
#                         queue up. Not carried out:
#     status N                that HTTP status        code N CODE MESSAGE...  that error
#     denied                  permission missing      throttle                too many requests
#     reset  hang             no answer               redirect URL            302
#     html  empty  garbage    200 with no XML         noop                    says true, does nothing
#   carried out, the answer then:
#     lost                    is not sent             slow SECONDS            comes later
#     cut  short              breaks off              big BYTES               is that much longer
#     doctype                 has a DOCTYPE
#   others:
#     stale N                 ACTION a write: the N Describes after it show the state before it; ACTION a
#                             Describe: N Describes from it on show the state of when this was ordered
#     skew SECONDS            from now on its clock is so far off
#   aws_faults            those still waiting
#
# What was received
#   aws_requests          "SERVICE ACTION STATUS" for each; STATUS is - when none was sent
#   aws_request N         the Nth one byte for byte
#   aws_parameters N      its form, NAME=VALUE, decoded and sorted
#   aws_header N NAME     a header of it; fails when there is none
#   aws_cli WORD...       runs the aws CLI on the endpoint (the distribution's where there is one)
#   aws_writes            how many calls of EC2, RDS, STS other than Describe, Assume, Get

# shellcheck shell=bash
# SC2154: helper.bash sets them.
# shellcheck disable=SC2154

start_aws() {
	unset "${!AWS_@}"
	AWS_DIR=$TEST_DIR.aws
	AWS_DIR2=$TEST_DIR.aws2
	aws_start_in "$AWS_DIR" || return
	AWS_ENDPOINT_URL=$(<"$AWS_DIR/url")
	export AWS_ENDPOINT_URL
	export AWS_ACCESS_KEY_ID=AKIDEXAMPLE
	export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
	export AWS_REGION=eu-central-1
	export AWS_EC2_METADATA_DISABLED=true
}

# Ends with the test's process ($$, in subshells too), or when its directory is removed.
aws_start_in() {
	"$ROOT/tests/lib/aws-endpoint" "$1" --owner $$ </dev/null >/dev/null 2>&1 3>&- 4>&- &
	JOBS+=($!)
	wait_until "[ -s '$1/url' ]"
}

aws_endpoint_second() {
	aws_start_in "$AWS_DIR2" || return
	cat "$AWS_DIR2/url"
}

stop_aws() {
	local url
	url=$(<"$AWS_DIR/url")
	rm -rf "$AWS_DIR"
	wait_until "! (exec 9<>'/dev/tcp/127.0.0.1/${url##*:}') 2>/dev/null"
}

aws_tls() {
	local url port
	url=$(<"$AWS_DIR/url")
	socat -d -d "OPENSSL-LISTEN:0,bind=127.0.0.1,fork,reuseaddr,cert=$1,key=$2,verify=0" \
		"TCP:127.0.0.1:${url##*:}" </dev/null >/dev/null 2>"$AWS_DIR/tls.log" 3>&- 4>&- &
	JOBS+=($!)
	wait_until "grep -q 'listening on' '$AWS_DIR/tls.log'" || return
	port=$(sed -n 's/^.*listening on .*:\([0-9]*\)$/\1/p' "$AWS_DIR/tls.log")
	printf 'https://localhost:%s\n' "$port"
}

aws_control() {
	local url status fd
	url=$(<"$AWS_DIR/url") || return
	exec {fd}<>"/dev/tcp/127.0.0.1/${url##*:}" || return
	printf 'CONTROL %d\n' $# >&"$fd"
	printf '%s\0' "$@" >&"$fd"
	IFS= read -r status <&"$fd" || status=1
	if [ "$status" = 0 ]; then
		cat <&"$fd"
	else
		cat <&"$fd" >&2
	fi
	exec {fd}>&-
	return "$status"
}

aws_group() {
	aws_control group "$@"
}

aws_rule() {
	aws_control rule "$@"
}

aws_rules() {
	aws_control rules "$@"
}

aws_instance() {
	aws_control instance "$@"
}

aws_snapshot() {
	aws_control snapshot "$@"
}

aws_instance_state() {
	aws_control instance_state "$@"
}

aws_page_size() {
	aws_control page_size "$@"
}

aws_key() {
	aws_control key "$@"
}

aws_key_of() {
	aws_control key_of "$@"
}

aws_address() {
	aws_control address "$@"
}

aws_set() {
	aws_control set "$@"
}

aws_fault() {
	aws_control fault "$@"
}

aws_faults() {
	aws_control faults
}

aws_requests() {
	aws_control requests
}

aws_request() {
	cat "$AWS_DIR/requests/$1"
}

aws_parameters() {
	aws_control parameters "$@"
}

aws_header() {
	local name value
	while IFS=: read -r name value; do
		value=${value%$'\r'}
		if [ "${name,,}" = "${2,,}" ]; then
			printf '%s\n' "${value# }"
			return
		fi
		[ "$name" != $'\r' ] || break
	done < <(aws_request "$1")
	return 1
}

# The one of the distribution before whatever else is called aws.
aws_cli_program() {
	if [ -x /usr/bin/aws ]; then
		printf '%s\n' /usr/bin/aws
	else
		command -v aws
	fi
}

# Older ones do not know AWS_ENDPOINT_URL, or AWS_REGION.
aws_cli() {
	AWS_DEFAULT_REGION=$AWS_REGION AWS_PAGER='' "$(aws_cli_program)" --endpoint-url "$AWS_ENDPOINT_URL" \
		--output json "$@"
}

aws_writes() {
	aws_control writes
}
