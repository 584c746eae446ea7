#!/usr/bin/env bats
# rds-ca-bundle: the CA bundle downloaded or copied, looked at, and put in its place.

load helper
load rds

setup() {
	common_setup
	unset "${!AWS_@}" SSL_CERT_FILE CURL_CA_BUNDLE XDG_DATA_HOME RDS_CA_BUNDLE PGSSLROOTCERT
	PLACE=$HOME/.local/share/dbrig/rds-ca-bundle.pem
}

# A bundle of two authorities, one valid for 10 days and one for 20.
two_authorities() {
	authority one 10
	authority two 20
	cat "$TEST_DIR/tls/one.pem" "$TEST_DIR/tls/two.pem" >bundle.pem
}

# serving FILE [STATUS]: a web server whose answer is that file; sets URL.
serving() {
	answering '
		my $request = "";
		sysread $c, $request, 4096, length $request until $request =~ /\r\n\r\n/;
		open my $record, ">>", "requests"; print $record $request; close $record;
		open my $file, "<", "'"$1"'"; local $/; my $body = <$file>;
		print $c "HTTP/1.1 '"${2:-200 OK}"'\r\nContent-Length: ", length $body,
			"\r\nConnection: close\r\n\r\n$body";
		close $c;'
	URL=http://127.0.0.1:$SERVER_PORT/global-bundle.pem
}

bundle() {
	run --separate-stderr rds-ca-bundle "$@"
}


# --- installing --------------------------------------------------------------------------------

@test "the bundle is downloaded and installed byte for byte, for all to read" {
	two_authorities
	serving bundle.pem
	bundle --url "$URL"
	assert_status 0
	cmp bundle.pem "$PLACE"
	assert_equal 644 "$(stat -c %a "$PLACE")"
	assert_equal "$(basename "$PLACE")" "$(ls -A "$(dirname "$PLACE")")"
	assert_equal "installed \"$PLACE\": 2 certificates, the next expires on $(date -u -d '+10 days' +%F)" "$output"
	assert_matches "$(<requests)" '^GET /global-bundle\.pem HTTP/1\.1'
}

@test "RDS_CA_BUNDLE_URL names the source, but not from .env" {
	two_authorities
	serving bundle.pem
	mkdir db
	echo "RDS_CA_BUNDLE_URL=$URL" >.env
	# A name that is refused before anything is sent stands for Amazon's.
	bundle --url 'ftp://127.0.0.1/x'
	assert_status 64
	[ ! -e requests ]
	RDS_CA_BUNDLE_URL=$URL bundle
	assert_status 0
	cmp bundle.pem "$PLACE"
}

@test "a copy is installed offline with --from" {
	two_authorities
	bundle --from bundle.pem
	assert_status 0
	cmp bundle.pem "$PLACE"
}

@test "XDG_DATA_HOME is the place" {
	two_authorities
	XDG_DATA_HOME=$TEST_DIR/data bundle --from bundle.pem
	assert_status 0
	cmp bundle.pem "$TEST_DIR/data/dbrig/rds-ca-bundle.pem"
	[ ! -e "$PLACE" ]
}

@test "--output is the place, in a directory that is there" {
	two_authorities
	bundle --from bundle.pem --output a/b/c.pem
	assert_status 1
	[ ! -e a ]
	bundle --from bundle.pem -o c.pem
	assert_status 0
	cmp bundle.pem c.pem
	[ ! -e "$PLACE" ]
}

@test "--output - writes the bundle to standard output, and nothing else" {
	two_authorities
	rds-ca-bundle --from bundle.pem --output - >out 2>err
	cmp bundle.pem out
	assert_equal '' "$(<err)"
	[ ! -e ./- ]
	[ ! -e "$PLACE" ]
	bundle --show --output -
	assert_status 64
}

@test "what is there and is no regular file is left as it is" {
	two_authorities
	mkfifo pipe
	mkdir directory
	ln -s pipe link
	for file in pipe directory link; do
		run --separate-stderr timeout 5 rds-ca-bundle --from bundle.pem --output "$file"
		assert_status 1
	done
	[ -p pipe ]
	[ -L link ]
	assert_equal '' "$(ls -A directory)"
	refute_contains "$(ls -A)" .rds-ca-bundle-
	assert_contains "$stderr" '"link" is not a regular file'
}

@test "a symbolic link stays, and the file it leads to is replaced" {
	two_authorities
	mkdir dotfiles
	echo old >dotfiles/ca.pem
	ln -s dotfiles/ca.pem link
	bundle --from bundle.pem --output link
	assert_status 0
	[ -L link ]
	cmp bundle.pem dotfiles/ca.pem
	[ ! -L dotfiles/ca.pem ]
	assert_equal ca.pem "$(ls -A dotfiles)"
}

@test "a symbolic link that leads nowhere, or round in a circle, is an error" {
	two_authorities
	ln -s nowhere dangling
	ln -s loop loop
	for file in dangling loop; do
		bundle --from bundle.pem --output "$file"
		assert_status 1
		assert_contains "$stderr" "could not follow the symbolic link \"$file\""
		[ -L "$file" ]
	done
	[ ! -e nowhere ]
}

@test "a directory that cannot be made is reported with the reason" {
	two_authorities
	ln -s nowhere data
	XDG_DATA_HOME=$PWD/data bundle --from bundle.pem
	assert_status 1
	assert_contains "$stderr" "could not make directory \"$PWD/data\": File exists"
}

@test "what a killed run left behind is removed an hour later, and nothing else" {
	two_authorities
	mkdir place
	touch -d '2 hours ago' place/.rds-ca-bundle-Ab12Cd place/ca.pem.backup place/.rds-ca-bundle-mine
	touch place/.rds-ca-bundle-Ef34Gh
	ln -s ca.pem place/.rds-ca-bundle-Ij56Kl
	touch -h -d '2 hours ago' place/.rds-ca-bundle-Ij56Kl
	bundle --from bundle.pem --output place/ca.pem
	assert_status 0
	assert_equal '.rds-ca-bundle-Ef34Gh
.rds-ca-bundle-Ij56Kl
.rds-ca-bundle-mine
ca.pem
ca.pem.backup' "$(LC_ALL=C ls -A place)"
}

@test "without HOME it is a usage error" {
	two_authorities
	HOME='' bundle --from bundle.pem
	assert_status 64
	assert_contains "$stderr" 'hint: Name a file with --output.'
}

@test "an unchanged bundle is not written again" {
	two_authorities
	bundle --from bundle.pem
	before=$(stat -c '%i %Y' "$PLACE")
	bundle --from bundle.pem
	assert_status 0
	assert_matches "$output" '^unchanged '
	assert_equal "$before" "$(stat -c '%i %Y' "$PLACE")"
	bundle --from bundle.pem -q
	assert_status 0
	assert_equal '' "$output$stderr"
}

@test "a new bundle replaces the old one in one step" {
	two_authorities
	authority three
	bundle --from bundle.pem
	exec {old}<"$PLACE"
	bundle --from "$TEST_DIR/tls/three.pem"
	assert_status 0
	# Who has the old one open still reads it whole.
	cmp bundle.pem - <&"$old"
	cmp "$TEST_DIR/tls/three.pem" "$PLACE"
	assert_equal "$(basename "$PLACE")" "$(ls -A "$(dirname "$PLACE")")"
}

@test "a full disk leaves the old bundle, and nothing else" {
	two_authorities
	authority three
	bundle --from "$TEST_DIR/tls/three.pem"
	# Larger than the limit of 1 KiB, which the message is not.
	cat bundle.pem bundle.pem bundle.pem >large.pem
	run --separate-stderr bash -c 'ulimit -f 1; trap "" XFSZ; rds-ca-bundle --from large.pem'
	assert_status 1
	assert_contains "$stderr" 'could not write file'
	cmp "$TEST_DIR/tls/three.pem" "$PLACE"
	assert_equal "$(basename "$PLACE")" "$(ls -A "$(dirname "$PLACE")")"
}

@test "a warning tells when another bundle counts" {
	two_authorities
	RDS_CA_BUNDLE=/elsewhere.pem bundle --from bundle.pem
	assert_status 0
	assert_contains "$stderr" 'warning: RDS_CA_BUNDLE is set: "/elsewhere.pem" is used instead'
	RDS_CA_BUNDLE=$PLACE bundle --from bundle.pem
	assert_equal '' "$stderr"
}

# --- what is refused ---------------------------------------------------------------------------

# refused MESSAGE: bundle.pem is refused with that message, and the old bundle stays.
refused() {
	if [ ! -e "$PLACE" ]; then
		authority old
		install_bundle "$TEST_DIR/tls/old.pem"
	fi
	bundle --from bundle.pem
	assert_status 1 && assert_contains "$stderr" "$1" && assert_equal '' "$output" &&
		cmp "$TEST_DIR/tls/old.pem" "$PLACE"
}

@test "what is no bundle is refused, and the old one stays" {
	: >bundle.pem
	refused '"bundle.pem" is no CA bundle: it holds no certificate'
	echo '<html>200 OK</html>' >bundle.pem
	refused 'it holds no certificate'
	two_authorities
	head -c -100 bundle.pem >cut.pem
	mv cut.pem bundle.pem
	refused 'certificate 2 cannot be read'
	two_authorities
	sed '3s/./!/' bundle.pem >bad.pem
	mv bad.pem bundle.pem
	refused 'certificate 1 cannot be read'
}

@test "a certificate that is no authority's is refused" {
	two_authorities
	certificate server one "$RDS_HOST"
	cat "$TEST_DIR/tls/server.pem" >>bundle.pem
	refused 'certificate 3 is not that of an authority'
}

@test "a bundle with a private key in it is refused" {
	two_authorities
	cat "$TEST_DIR/tls/one.key" >>bundle.pem
	refused 'it holds something besides certificates'
}

@test "comments between the certificates are allowed" {
	two_authorities
	{
		echo '# Amazon RDS'
		cat bundle.pem
		echo '# end'
	} >commented.pem
	bundle --from commented.pem
	assert_status 0
	assert_contains "$output" '2 certificates'
}

# expired NAME: an authority whose certificate ended long ago.
expired() {
	authority "$1"
	openssl x509 -in "$TEST_DIR/tls/$1.pem" -signkey "$TEST_DIR/tls/$1.key" -days -1 \
		-out "$TEST_DIR/tls/$1.pem" 2>"$TEST_DIR/tls/log"
}

@test "expired certificates are counted, and nothing but expired ones is refused" {
	two_authorities
	expired past
	cp "$TEST_DIR/tls/past.pem" bundle.pem
	refused 'all of its certificates have expired'
	cat "$TEST_DIR/tls/two.pem" >>bundle.pem
	bundle --from bundle.pem
	assert_status 0
	assert_contains "$output" "2 certificates, the next expires on $(date -u -d '+20 days' +%F)"
	assert_contains "$stderr" 'warning: 1 of its certificates has expired'
}

@test "a larger file than any bundle is refused" {
	head -c 5000000 /dev/zero >bundle.pem
	refused 'larger than'
}

@test "a missing file is an error" {
	bundle --from nowhere.pem
	assert_status 1
	assert_contains "$stderr" 'could not open file "nowhere.pem"'
}

# --- downloading -------------------------------------------------------------------------------

@test "an answer of another status is refused, and a redirect is not followed" {
	two_authorities
	for answer in '404 Not Found' '500 Internal Server Error' '302 Found' '206 Partial Content'; do
		serving bundle.pem "$answer"
		bundle --url "$URL"
		assert_status 1
		assert_contains "$stderr" "could not download \"$URL\": the answer has status ${answer%% *}"
	done
	[ ! -e "$PLACE" ]
}

@test "an error page with status 200 is refused" {
	echo '<html>Sign in to the network</html>' >page.html
	serving page.html
	bundle --url "$URL"
	assert_status 1
	assert_contains "$stderr" "\"$URL\" is no CA bundle"
	[ ! -e "$PLACE" ]
}

@test "a server that is not there has exit status 2" {
	bundle --url "http://127.0.0.1:$(closed_port)/x"
	assert_status 2
	assert_contains "$stderr" 'install a copy with --from'
}

@test "http to another machine, and a URL with a password in it, are refused" {
	for url in http://20.1.1.1/bundle.pem http://truststore.pki.rds.amazonaws.com/x https://u:hunter2@127.0.0.1/x; do
		bundle --url "$url"
		assert_status 64
		refute_contains "$stderr" hunter2
	done
}

# tls_serving: bundle.pem over https on localhost; sets URL. The server's authority is "web".
tls_serving() {
	authority web
	certificate localhost web localhost
	start_job openssl s_server -WWW -accept 127.0.0.1:0 -cert "$TEST_DIR/tls/localhost.pem" \
		-key "$TEST_DIR/tls/localhost.key"
	wait_until "grep -q 'ACCEPT 127' '$JOB_OUT'"
	URL=https://localhost:$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$JOB_OUT")/bundle.pem
}

@test "a download from a server that is not trusted is refused" {
	two_authorities
	tls_serving
	bundle --url "$URL"
	assert_status 2
	assert_matches "$stderr" 'certificate'
	[ ! -e "$PLACE" ]
}

@test "AWS_CA_BUNDLE names who vouches for the download" {
	two_authorities
	tls_serving
	AWS_CA_BUNDLE=$TEST_DIR/tls/web.pem bundle --url "$URL"
	assert_status 0
	cmp bundle.pem "$PLACE"
}

# --- looking -----------------------------------------------------------------------------------

@test "--show tells of the installed bundle and writes nothing" {
	two_authorities
	bundle --show
	assert_status 1
	assert_contains "$stderr" "there is no CA bundle at \"$PLACE\""
	[ ! -e "$PLACE" ]
	bundle --from bundle.pem
	bundle --show
	assert_status 0
	assert_equal "\"$PLACE\": 2 certificates, the next expires on $(date -u -d '+10 days' +%F)" "$output"
	bundle --show --output bundle.pem
	assert_status 0
	assert_contains "$output" '"bundle.pem": 2 certificates'
}

@test "--show finds what is wrong with it" {
	install_bundle /dev/null
	bundle --show
	assert_status 1
	assert_contains "$stderr" "\"$PLACE\" is no CA bundle"
}

@test "--show and --from exclude each other" {
	bundle --show --from x
	assert_status 64
}

@test "another name of the file just installed is no other bundle" {
	two_authorities
	PGSSLROOTCERT='' RDS_CA_BUNDLE=$PWD/o.pem bundle --from bundle.pem --output o.pem
	assert_status 0
	refute_contains "$stderr" 'is used instead'
	RDS_CA_BUNDLE=$PWD/bundle.pem bundle --from bundle.pem --output o.pem
	assert_contains "$stderr" 'RDS_CA_BUNDLE is set'
}

@test "the hint about a missing bundle names its file" {
	bundle --show --output 'no such.pem'
	assert_status 1
	assert_contains "$stderr" "hint: Install it with: rds-ca-bundle --output 'no such.pem'"
}

@test "--url with --from or --show is a usage error, RDS_CA_BUNDLE_URL is none" {
	two_authorities
	bundle --from bundle.pem --url http://127.0.0.1:1/
	assert_status 64
	assert_contains "$stderr" '--url and --from exclude each other'
	bundle --show --url http://127.0.0.1:1/
	assert_status 64
	RDS_CA_BUNDLE_URL=http://127.0.0.1:1/ bundle --from bundle.pem
	assert_status 0
}
