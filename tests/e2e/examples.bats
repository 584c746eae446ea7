#!/usr/bin/env bats
# The start-up examples: the commands in their files, run as they stand against an imitation of AWS and a
# PostgreSQL server.

load helper
load rds
load aws

G=sg-0123456789abcdef0
HERE=20.1.1.1/32

# What the services set: the project with its script, the variables, a server to reach, a bundle.
setup() {
	common_setup
	unset CONNECTION_URL DATABASE_URL "${!PG@}" GITPOD_IP GITHUB_ACTIONS
	start_aws
	aws_group "$G"
	aws_address 4 20.1.1.1
	DB_SG_IP_URLS="$AWS_ENDPOINT_URL/ip4 $(aws_endpoint_second)/ip4"
	AWS_DIR=$AWS_DIR2 aws_address 4 20.1.1.1
	make_project
	mkdir scripts
	printf '#!/bin/sh\necho installed >>%q\n' "$TEST_DIR/installed" >scripts/install-dbrig
	chmod +x scripts/install-dbrig
	DB=$(db_name shop)
	sql postgres "CREATE DATABASE $DB OWNER app"
	PROD_CONNECTION_URL=$(app_url "$DB")
	RDS_CA_BUNDLE_URL=$(bundle_server)
	export DB_SG_IP_URLS DB_SG_ID=$G PROD_CONNECTION_URL RDS_CA_BUNDLE_URL
	PLACE=$HOME/.local/share/dbrig/rds-ca-bundle.pem
}

# Serves the bundle of an authority of our own; prints its URL.
bundle_server() {
	local SERVER_PORT
	authority amazon
	answering '
		sysread $c, my $request, 4096;
		open my $file, "<", "'"$TEST_DIR/tls/amazon.pem"'"; local $/; my $body = <$file>;
		print $c "HTTP/1.1 200 OK\r\nContent-Length: ", length $body, "\r\n\r\n$body";
		close $c;' >/dev/null
	printf 'http://127.0.0.1:%s/global-bundle.pem\n' "$SERVER_PORT"
}

commands_of() {
	local kind=$1 file=$2
	shift 2
	"$ROOT/tests/lib/example-commands" "$kind" "$ROOT/examples/$file" "$@"
}

# expand TEXT: ${{ name }} and ${localEnv:NAME} replaced by what the service would put there; nothing of
# the kind may be left.
expand() {
	local text=$1
	text=${text//'${{ vars.DB_SG_ID }}'/$G}
	text=${text//'${{ secrets.PROD_CONNECTION_URL }}'/$PROD_CONNECTION_URL}
	text=${text//'${{ github.run_id }}'/4711}
	text=${text//'${localEnv:DB_SG_ID}'/$G}
	text=${text//'${localEnv:PROD_CONNECTION_URL}'/$PROD_CONNECTION_URL}
	text=${text//'${localEnv:AWS_REGION}'/$AWS_REGION}
	text=${text//'${localEnv:AWS_PROFILE}'/}
	text=${text//'${localEnv:USER}'/me}
	[[ $text != *'${{'* && $text != *localEnv* ]] || return
	printf '%s\n' "$text"
}

# export_all: NAME=VALUE lines from stdin, expanded.
export_all() {
	local line
	while IFS= read -r line; do
		line=$(expand "$line") || return
		export "${line?}"
	done
}

# The address of the group's only rule, and its description.
rule() {
	aws_rules "$G" | cut -d ' ' -f 4,6-
}

# --- workspaces --------------------------------------------------------------------------------

@test ".gitpod.yml: the workspace's address is in a rule of its owner, and the bundle in its place" {
	run --separate-stderr bash -e -c "$(commands_of yaml gitpod/.gitpod.yml tasks.0.init)"
	assert_status 0
	[ -e "$TEST_DIR/installed" ]
	unset DB_SG_DESCRIPTION
	export GITPOD_GIT_USER_EMAIL=me@example.org
	command=$(commands_of yaml gitpod/.gitpod.yml tasks.0.command)
	run --separate-stderr bash -c "$command"
	assert_status 0
	assert_equal "5432 $HERE gitpod me@example.org" "$(rule)"
	cmp "$TEST_DIR/tls/amazon.pem" "$PLACE"
	# The workspace starts again, elsewhere.
	aws_address 4 20.1.1.9
	AWS_DIR=$AWS_DIR2 aws_address 4 20.1.1.9
	run --separate-stderr bash -c "$command"
	assert_status 0
	assert_equal "5432 20.1.1.9/32 gitpod me@example.org" "$(rule)"
}

@test ".gitpod.yml: a colleague's rule is left alone" {
	aws_rule sgr-0123456789abcdef0 "$G" 20.7.7.7/32 5432 'gitpod you@example.org'
	GITPOD_GIT_USER_EMAIL=me@example.org \
		run bash -c "$(commands_of yaml gitpod/.gitpod.yml tasks.0.command)"
	assert_status 0
	assert_equal "5432 20.1.1.1/32 gitpod me@example.org
5432 20.7.7.7/32 gitpod you@example.org" "$(rule | sort)"
}

@test "devcontainer.json: the container's address is in a rule of its user" {
	export_all < <(commands_of json devcontainer/.devcontainer/devcontainer.json remoteEnv)
	run bash -c "$(commands_of json devcontainer/.devcontainer/devcontainer.json postCreateCommand)"
	assert_status 0
	[ -e "$TEST_DIR/installed" ]
	cmp "$TEST_DIR/tls/amazon.pem" "$PLACE"
	run bash -c "$(commands_of json devcontainer/.devcontainer/devcontainer.json postStartCommand)"
	assert_status 0
	assert_equal "5432 $HERE dev container of me" "$(rule)"
}

# --- GitHub Actions ----------------------------------------------------------------------------

WORKFLOW=github-actions/.github/workflows/database.yml

# run_job NAME: its steps as the runner runs them; sets status, output and STEPS, those that ran.
run_job() {
	local condition command failed=0
	export_all < <(commands_of yaml "$WORKFLOW" env "jobs.$1.env")
	STEPS=''
	while IFS='|' read -r condition command; do
		if [ "$failed" -ne 0 ] && [ "$condition" != 'always()' ]; then
			continue
		fi
		STEPS+="$command"$'\n'
		run bash -e -c "$(expand "$command")"
		[ "$status" -eq 0 ] || failed=$status
	done < <(commands_of yaml "$WORKFLOW" "jobs.$1.steps")
	status=$failed
}

# What the rule was while the schema was loaded.
note_rule() {
	mkdir -p "$TEST_DIR/wrapped"
	declare -f aws_control aws_rules rule >"$TEST_DIR/functions"
	cat >"$TEST_DIR/wrapped/db-schema-load" <<-SH
		#!/usr/bin/env bash
		AWS_DIR=$(printf %q "$AWS_DIR")
		G=$G
		. "$TEST_DIR/functions"
		rule >"$TEST_DIR/rule"
		exec "$DBRIG_BIN/db-schema-load" "\$@"
	SH
	chmod +x "$TEST_DIR/wrapped/db-schema-load"
	PATH=$TEST_DIR/wrapped:$PATH
}

tables() {
	sql "$DB" "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
}

@test "GitHub Actions, --while: the rule is there while the command runs, and gone afterwards" {
	note_rule
	run_job command
	assert_status 0
	assert_equal "5432 $HERE github run 4711, command" "$(<"$TEST_DIR/rule")"
	assert_equal 1 "$(tables)"
	assert_equal '' "$(rule)"
}

@test "GitHub Actions, --while: a command that fails fails the job, and the rule is gone" {
	echo 'CREATE TABLE item (id uuidd);' >db/schema.sql
	note_rule
	run_job command
	assert_status 3
	assert_equal "5432 $HERE github run 4711, command" "$(<"$TEST_DIR/rule")"
	assert_equal '' "$(rule)"
}

@test "GitHub Actions, steps: the rule is there for all of them, and gone afterwards" {
	note_rule
	run_job steps
	assert_status 0
	assert_equal "5432 $HERE github run 4711, steps" "$(<"$TEST_DIR/rule")"
	assert_equal 3 "$(sql "$DB" 'SELECT count(*) FROM item')"
	assert_equal '' "$(rule)"
}

@test "GitHub Actions, steps: the clean-up runs after a step that failed" {
	echo 'CREATE TABLE item (id uuidd);' >db/schema.sql
	run_job steps
	assert_status 3
	refute_contains "$STEPS" db-seed
	assert_contains "$STEPS" 'rds-update-sg-rule --remove'
	assert_equal '' "$(rule)"
}

@test "GitHub Actions: the two jobs of a run do not share a rule" {
	one=$(commands_of yaml "$WORKFLOW" jobs.command.env)
	two=$(commands_of yaml "$WORKFLOW" jobs.steps.env)
	assert_contains "$one" DB_SG_DESCRIPTION=
	assert_contains "$two" DB_SG_DESCRIPTION=
	[ "$one" != "$two" ]
}

# --- cron --------------------------------------------------------------------------------------

# run_cron: its commands, by sh, with its settings and little else.
run_cron() {
	local line settings=() commands=()
	while IFS= read -r line; do
		case $line in
		# Where this test has its programs and its keys.
		PATH=* | AWS_PROFILE=*) ;;
		[A-Z]*=*) settings+=("$line") ;;
		*) commands+=("$line") ;;
		esac
	done < <(commands_of cron cron/crontab)
	[ "${#commands[@]}" -eq 2 ] || return
	output=''
	for line in "${commands[@]}"; do
		output+=$(env -i HOME="$HOME" PATH="$PATH" DB_SG_IP_URLS="$DB_SG_IP_URLS" \
			AWS_ENDPOINT_URL="$AWS_ENDPOINT_URL" AWS_ACCESS_KEY_ID="$AWS_ACCESS_KEY_ID" \
			AWS_SECRET_ACCESS_KEY="$AWS_SECRET_ACCESS_KEY" AWS_EC2_METADATA_DISABLED=true \
			RDS_CA_BUNDLE_URL="$RDS_CA_BUNDLE_URL" "${settings[@]}" sh -c "$line" </dev/null 2>&1) ||
			return
	done
}

@test "crontab: a new address is put into the laptop's rule, the same one again is silent" {
	run_cron
	assert_equal "5432 $HERE laptop" "$(rule)"
	cmp "$TEST_DIR/tls/amazon.pem" "$PLACE"
	writes=$(aws_writes)
	run_cron
	assert_equal '' "$output"
	assert_equal "$writes" "$(aws_writes)"
}
