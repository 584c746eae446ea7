#!/usr/bin/env bats
# What a project's .env may not decide about connections to Amazon RDS: who gets a token.

load helper
load rds

setup_file() {
	start_rds_server
}

teardown_file() {
	stop_rds_server
}

setup() {
	common_setup
	unset CONNECTION_URL DATABASE_URL RDS_CA_BUNDLE "${!PG@}"
}

# A server that passes for the endpoint, with a certificate of its own authority: $PROJECT_CA, in the
# project, whose .env holds these lines. The user has Amazon's bundle, which is another.
hostile_project() {
	rds_server
	DB=$(db_name trust)
	sql postgres "CREATE DATABASE $DB OWNER app"
	beside db-sessions
	fake_token
	authority real
	install_bundle "$TEST_DIR/tls/real.pem"
	mkdir -p project/db project/sub
	cd project
	cp "$TEST_DIR/tls/amazon.pem" db/x.pem
}

# hostile TARGET LINE...: that .env is refused before a token is made, and nobody gets in.
hostile() {
	local target=$1
	shift
	printf '%s\n' "$@" >.env
	run --separate-stderr db-sessions "$target"
	assert_status 64
	assert_contains "$stderr" '=iam does not take a CA bundle from .env'
	assert_contains "$stderr" 'hint: Take it out and install Amazon'"'"'s bundle with rds-ca-bundle, or set RDS_CA_BUNDLE in the environment.'
	[ ! -e "$TEST_DIR/tokens" ]
}

@test "a CA bundle that .env names gets no token to a server of its author's" {
	hostile_project
	mark=$(server_log_mark)
	hostile local "CONNECTION_URL=$(rds_url app "$DB" sslrootcert=db/x.pem)" LOCAL_AUTH=iam
	assert_contains "$stderr" "CONNECTION_URL in $PWD/.env chooses what the server is verified with"
	hostile local "CONNECTION_URL=$(rds_url app "$DB")" LOCAL_AUTH=iam RDS_CA_BUNDLE="$PWD/db/x.pem"
	hostile local "CONNECTION_URL=$(rds_url app "$DB")" LOCAL_AUTH=iam PGSSLROOTCERT=db/x.pem
	hostile local "CONNECTION_URL=$(rds_url app "$DB" sslmode=verify-full)" LOCAL_AUTH=iam \
		PGSSLROOTCERT=db/x.pem
	hostile local PGHOST="$RDS_HOST" PGHOSTADDR=127.0.0.1 PGPORT="$SERVER_PORT" PGUSER=app \
		PGDATABASE="$DB" LOCAL_AUTH=iam PGSSLROOTCERT=db/x.pem
	# The user's own target, and the user's own wish for tokens.
	export PROD_AUTH=iam
	PROD_CONNECTION_URL=$(rds_url app "$DB") hostile prod RDS_CA_BUNDLE="$PWD/db/x.pem"
	hostile prod "PROD_DATABASE_URL=$(rds_url app "$DB" sslrootcert=db/x.pem)"
	assert_equal '' "$(authorized "$mark")"
}

@test "with the installed bundle a server of .env's author is not let near the token" {
	hostile_project
	mark=$(server_log_mark)
	printf '%s\n' "CONNECTION_URL=$(rds_url app "$DB")" LOCAL_AUTH=iam >.env
	run --separate-stderr db-sessions
	assert_status 2
	assert_contains "$stderr" 'certificate verify failed'
	assert_equal '' "$(authorized "$mark")"
}

@test "a bundle of the environment is taken for tokens, wherever the rest stands" {
	hostile_project
	printf '%s\n' "PROD_CONNECTION_URL=$(rds_url app "$DB")" PROD_AUTH=iam \
		RDS_CA_BUNDLE=/nowhere.pem >.env
	RDS_CA_BUNDLE=$PWD/db/x.pem run --separate-stderr db-sessions prod
	assert_status 0
	PGSSLROOTCERT=$PWD/db/x.pem run --separate-stderr db-sessions prod
	assert_status 0
	echo "RDS_CA_BUNDLE=$PWD/db/x.pem" >.env
	PROD_AUTH=iam PROD_CONNECTION_URL=$(rds_url app "$DB" "sslrootcert=$PWD/db/x.pem") \
		run --separate-stderr db-sessions prod
	assert_status 0
}

@test "without tokens .env may name the bundle" {
	hostile_project
	printf '%s\n' "PROD_CONNECTION_URL=$(rds_url "app:$APP_PASSWORD_ENCODED" "$DB")" \
		RDS_CA_BUNDLE="$PWD/db/x.pem" >.env
	run --separate-stderr db-sessions prod
	assert_status 0
}

@test "a relative RDS_CA_BUNDLE in .env is one of the project's, in every directory" {
	hostile_project
	printf '%s\n' "PROD_CONNECTION_URL=$(rds_url "app:$APP_PASSWORD_ENCODED" "$DB")" \
		RDS_CA_BUNDLE=db/x.pem >.env
	run --separate-stderr db-sessions prod
	assert_status 0
	cd sub
	run --separate-stderr db-sessions prod
	assert_status 0
	# In the environment it is relative to where the command runs.
	RDS_CA_BUNDLE=db/x.pem run --separate-stderr db-sessions prod
	assert_status 64
	assert_contains "$stderr" 'the RDS CA bundle "db/x.pem" does not exist'
}
