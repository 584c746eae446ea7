#!/usr/bin/env bats
# With sslmode=prefer and allow libpq tries with TLS and without, and joins what both were told: the try
# that came further is the one that db-doctor tells of.

load helper
load rds
load doctor-way

@test "wrong password with sslmode=prefer and allow: TLS is told as it was tried" {
	tls_server ending
	for line in hostssl host; do
		lets_in "$line all all 127.0.0.1/32 scram-sha-256"
		for mode in prefer allow; do
			prod app:wrong '' "sslmode=$mode"
			doctor
			ends_at authentication wrong-password "$PASSWORD_HINT"
			assert_equal "TLSv1.3 $mode true CN=$HOST" \
				"$(facts tls version) $(facts tls sslmode) $(facts tls encrypted) $(facts tls certificate.subject)"
			assert_equal certificate-expiry "$(jq -r '.findings[].id' <<<"$output")"
			assert_equal 'password authentication failed for user "app"' "$(jq -r '.steps[-1].text' <<<"$output")"
			assert_equal 28P01 "$(jq -r .failure.sqlstate <<<"$output")"
			assert_equal 1 "$(jq -r .failure.detail <<<"$output" | grep -c 'password authentication failed')"
		done
	done
}

@test "a role that is not there, or is expired, or rejected, with sslmode=prefer: TLS is told as it was tried" {
	tls_server
	lets_in 'host all all 127.0.0.1/32 trust'
	prod nobody_here '' sslmode=prefer
	doctor
	assert_equal "no-such-role TLSv1.3" "$(jq -r .failure.cause <<<"$output") $(facts tls version)"
	lets_in 'host all all 127.0.0.1/32 scram-sha-256'
	sql postgres "DROP ROLE IF EXISTS late; CREATE ROLE late LOGIN PASSWORD 'x' VALID UNTIL '2020-01-01'"
	prod late:x '' sslmode=prefer
	doctor
	ends_at authentication wrong-password "$PASSWORD_HINT"
	assert_equal TLSv1.3 "$(facts tls version)"
	lets_in 'host all all 127.0.0.1/32 reject'
	prod '' '' sslmode=prefer
	doctor
	ends_at authentication not-let-in "The server's pg_hba.conf does not let this user in from here, neither with TLS nor without."
	assert_equal TLSv1.3 "$(facts tls version)"
}

@test "a user who is let in without TLS only" {
	tls_server
	lets_in 'hostnossl all all 127.0.0.1/32 scram-sha-256'
	for mode in prefer allow; do
		prod app:wrong '' "sslmode=$mode"
		doctor
		ends_at authentication wrong-password "$PASSWORD_HINT"
		assert_equal false "$(facts tls encrypted)"
	done
	prod '' '' sslmode=require
	doctor
	ends_at authentication not-let-in "The server's pg_hba.conf does not let this user in from here over TLS, which is in use: it needs a hostssl or host line. Where it lets the user in without TLS alone (hostnossl), that takes sslmode=disable, which is for this machine and private networks."
	assert_equal TLSv1.3 "$(facts tls version)"
	# And that is so.
	prod '' '' sslmode=disable
	doctor
	assert_status 0
}

@test "a certificate of the client that the server wants, and cannot check" {
	tls_server
	sql postgres 'ALTER SYSTEM RESET ssl_ca_file'
	lets_in 'hostssl all all 127.0.0.1/32 cert'
	wait_until "[ -z \"\$(sql postgres 'SHOW ssl_ca_file')\" ]"
	for mode in prefer require; do
		prod '' '' "sslmode=$mode"
		doctor
		ends_at authentication no-client-ca "The server's pg_hba.conf wants a certificate of the client (cert, clientcert), and the server has no ssl_ca_file to check one by: set that, then SELECT pg_reload_conf(), or change the line's method, such as to scram-sha-256."
		assert_equal TLSv1.3 "$(facts tls version)"
	done
}
