/* Which URLs may be asked, and who is believed over TLS. */
#include "loopback.h"

#include "aws/http.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* --- URLs ----------------------------------------------------------------------------------- */

#define NOT_A_URL "it is not a URL"
#define NOT_HTTP "it begins neither with https:// nor with http://"
#define WITH_USER "it holds a user name or a password"
#define NOT_NEAR "http without TLS is only for addresses of this machine"

static void test_urls(void **state)
{
	static const struct {
		const char *url, *why, *why_link_local; /* the last NULL: the same */
	} cases[] = {
		{ "https://ec2.eu-central-1.amazonaws.com", "", NULL },
		{ "https://ec2.eu-central-1.amazonaws.com:8443/x?y", "", NULL },
		{ "HTTPS://EC2.eu-central-1.amazonaws.com/", "", NULL },
		{ "https://10.0.0.1/", "", NULL },
		{ "http://127.0.0.1", "", NULL },
		{ "http://127.0.0.1:5000/", "", NULL },
		{ "http://127.255.255.254/", "", NULL },
		{ "http://[::1]:5000/", "", NULL },
		{ "http://localhost", "", NULL },
		{ "http://LOCALHOST:5000", "", NULL },
		{ "http://169.254.169.254/latest", NOT_NEAR, "" },
		{ "http://169.254.170.2/", NOT_NEAR, "" },
		{ "http://[fd00:ec2::254]/", NOT_NEAR, "" },
		{ "http://[fd00:ec2::23]:80/", NOT_NEAR, "" },
		{ "http://[fd00:ec3::254]/", NOT_NEAR, NULL },
		{ "http://169.253.169.254/", NOT_NEAR, NULL },
		{ "http://128.0.0.1/", NOT_NEAR, NULL },
		{ "http://126.255.255.255/", NOT_NEAR, NULL },
		{ "http://0.0.0.0/", NOT_NEAR, NULL },
		{ "http://[::]/", NOT_NEAR, NULL },
		{ "http://[::2]/", NOT_NEAR, NULL },
		{ "http://[::ffff:127.0.0.1]/", NOT_NEAR, NULL },
		{ "http://ec2.eu-central-1.amazonaws.com/", NOT_NEAR, NULL },
		{ "http://localhost.example.com/", NOT_NEAR, NULL },
		{ "http://127.0.0.1.example.com/", NOT_NEAR, NULL },
		{ "http://example.com/127.0.0.1", NOT_NEAR, NULL },
		{ "http://example.com#127.0.0.1", NOT_NEAR, NULL },
		{ "http://example.com?@127.0.0.1", NOT_NEAR, NULL },
		{ "http://127.0.0.1@example.com/", WITH_USER, NULL },
		{ "https://user@example.com/", WITH_USER, NULL },
		{ "https://user:Zq@example.com/", WITH_USER, NULL },
		{ "https://:Zq@example.com/", WITH_USER, NULL },
		{ "ftp://example.com/", NOT_HTTP, NULL },
		{ "file:///etc/passwd", NOT_HTTP, NULL },
		{ "httpss://example.com/", NOT_HTTP, NULL },
		{ "example.com", NOT_A_URL, NULL },
		{ "https:/example.com", NOT_A_URL, NULL },
		{ "https://", NOT_A_URL, NULL },
		{ "https://example.com:70000/", NOT_A_URL, NULL },
		{ "https://exa mple.com/", NOT_A_URL, NULL },
		{ "https://example.com/\r\nX: y", NOT_A_URL, NULL },
		{ "", NOT_A_URL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		check_text(cases[i].url, http_refuses(cases[i].url, false), cases[i].why);
		check_text(cases[i].url, http_refuses(cases[i].url, true),
			cases[i].why_link_local ? cases[i].why_link_local : cases[i].why);
	}
}

static void test_refused_url_is_not_asked(void **state)
{
	CLEANUP(http_cleanup) struct http *http = NULL;
	CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;

	(void)state;
	http_open(&http, &err);
	check_number("ask",
		http_perform(http,
			&(struct http_request){
				.method = "GET", .url = "https://u:Zq@127.0.0.1:1/" },
			&response, &err),
		-1);
	check_err("refused", &err, ERR_USAGE, "cannot use the URL of a request: " WITH_USER);
}

static void test_hosts(void **state)
{
	static const struct {
		const char *url, *host;
	} cases[] = {
		{ "https://EC2.Eu-central-1.amazonaws.com", "ec2.eu-central-1.amazonaws.com" },
		{ "https://h:443/x", "h" },
		{ "http://h:80/x", "h" },
		{ "https://h:80/x", "h:80" },
		{ "http://h:443/x", "h:443" },
		{ "http://[::1]:5000/", "[::1]:5000" },
		{ "http://[::1]", "[::1]" },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(mem_cleanup) char *host = http_host(cases[i].url);

		check_text(cases[i].url, host, cases[i].host);
	}
}

static void test_dates(void **state)
{
	(void)state;
	check_number("RFC 9110", http_date("Sun, 30 Aug 2015 12:36:00 GMT"), 1440938160);
	check_number("none", http_date(NULL), -1);
	check_number("garbage", http_date("garbage"), -1);
}

/* --- TLS ------------------------------------------------------------------------------------ */

struct tls {
	EVP_PKEY *key;
	X509 *certificate;
	char path[32]; /* of the certificate in a file */
	int max_version;
};

static void add_names(X509 *certificate, const char *names)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);

	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
}

/* A certificate for those names that is its own issuer. */
static void make_certificate(struct tls *tls, const char *names, long days)
{
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);
	FILE *file;

	tls->key = EVP_EC_gen("P-256");
	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -172800);
	X509_gmtime_adj(X509_getm_notAfter(certificate), days * 86400);
	X509_set_pubkey(certificate, tls->key);
	X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)"unit test", -1, -1, 0);
	X509_set_issuer_name(certificate, name);
	add_names(certificate, names);
	if (!X509_sign(certificate, tls->key, EVP_sha256()))
		BUG("no certificate for the test");
	tls->certificate = certificate;
	snprintf(tls->path, sizeof(tls->path), "/tmp/dbrig-unit-%ld.pem", (long)getpid());
	file = fopen(tls->path, "w");
	if (!file || !PEM_write_X509(file, certificate) || fclose(file) != 0)
		BUG("no certificate for the test");
}

static void tls_release(struct tls *tls)
{
	unlink(tls->path);
	X509_free(tls->certificate);
	EVP_PKEY_free(tls->key);
}

/* Counts a request only when something was sent over a connection that was trusted. */
static void serve_tls(int fd, struct loopback_log *log, const void *context)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	const struct tls *tls = context;
	SSL_CTX *settings = SSL_CTX_new(TLS_server_method());
	SSL *session;
	int got;

	SSL_CTX_set_security_level(settings, 0);
	SSL_CTX_set_min_proto_version(settings, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(settings, tls->max_version);
	SSL_CTX_use_certificate(settings, tls->certificate);
	SSL_CTX_use_PrivateKey(settings, tls->key);
	session = SSL_new(settings);
	SSL_set_fd(session, fd);
	if (SSL_accept(session) == 1) {
		got = SSL_read(session, log->requests[0], LOOPBACK_REQUEST_SIZE - 1);
		if (got > 0) {
			log->count++;
			SSL_write(session, answer, sizeof(answer) - 1);
		}
	}
	SSL_free(session);
	SSL_CTX_free(settings);
}

static void test_certificates(void **state)
{
	static const struct {
		const char *label, *names, *host;
		long days;
		bool has_bundle;
		int max_version;
		int result;
		const char *message; /* its beginning, %s: host and port */
	} cases[] = {
		{ "known", "IP:127.0.0.1", "127.0.0.1", 1, true, 0, 0, NULL },
		{ "TLS 1.2", "IP:127.0.0.1", "127.0.0.1", 1, true, TLS1_2_VERSION, 0, NULL },
		{ "self-signed", "IP:127.0.0.1", "127.0.0.1", 1, false, 0, -1,
			"TLS certificate of \"%s\" is not trusted: self" },
		{ "another name", "DNS:example.com", "127.0.0.1", 1, true, 0, -1,
			"TLS certificate of \"%s\" is not trusted: " },
		{ "an address for a name", "IP:127.0.0.1", "localhost", 1, true, 0, -1,
			"TLS certificate of \"%s\" is not trusted: " },
		{ "expired", "IP:127.0.0.1", "127.0.0.1", -1, true, 0, -1,
			"TLS certificate of \"%s\" is not trusted: certificate has expired" },
		{ "TLS 1.1", "IP:127.0.0.1", "127.0.0.1", 1, true, TLS1_1_VERSION, -1,
			"could not get an answer from \"%s\": " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(tls_release) struct tls tls = { .max_version = cases[i].max_version };
		CLEANUP(loopback_stop) struct loopback server = { 0 };
		CLEANUP(http_cleanup) struct http *http = NULL;
		CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
		CLEANUP(err_release) struct err err = ERR_INIT;
		CLEANUP(mem_cleanup) char *url = NULL;
		CLEANUP(mem_cleanup) char *message = NULL;

		make_certificate(&tls, cases[i].names, cases[i].days);
		loopback_start(&server, serve_tls, &tls);
		url = mem_printf("https://%s:%d/", cases[i].host, server.port);
		http_open(&http, &err);
		check_number(cases[i].label,
			http_perform(http,
				&(struct http_request){ .method = "GET",
					.url = url,
					.ca_bundle = cases[i].has_bundle ? tls.path : NULL },
				&response, &err),
			cases[i].result);
		check_number(cases[i].label, server.log->connections, 1);
		check_number(cases[i].label, server.log->count, cases[i].result == 0);
		check_number(cases[i].label, err.kind, cases[i].result ? ERR_CONNECT : ERR_NONE);
		if (!cases[i].message)
			continue;
		url[strlen(url) - 1] = '\0';
		message = mem_printf(cases[i].message, url + strlen("https://"));
		check_holds(cases[i].label, err.message, message);
		if (strstr(message, "trusted"))
			check_number("asking again would not help", response.is_final, true);
	}
}

static void test_bundle_that_cannot_be_read(void **state)
{
	CLEANUP(tls_release) struct tls tls = { 0 };
	CLEANUP(loopback_stop) struct loopback server = { 0 };
	CLEANUP(http_cleanup) struct http *http = NULL;
	CLEANUP(http_response_release) struct http_response response = HTTP_RESPONSE_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(mem_cleanup) char *url = NULL;

	(void)state;
	make_certificate(&tls, "IP:127.0.0.1", 1);
	loopback_start(&server, serve_tls, &tls);
	url = mem_printf("https://127.0.0.1:%d/", server.port);
	http_open(&http, &err);
	check_number("ask",
		http_perform(http,
			&(struct http_request){
				.method = "GET", .url = url, .ca_bundle = "/nowhere/x.pem" },
			&response, &err),
		-1);
	check_err("bundle", &err, ERR_USAGE, "could not read the CA bundle \"/nowhere/x.pem\"");
	check_number("requests", server.log->count, 0);
}

/*
 * Configures OpenSSL to accept what is older than TLS 1.2, as some machines' administrators do, so
 * that it is not the one that refuses.
 */
static void configure_openssl(void)
{
	static const char text[] = "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n"
				   "[c]\nMinProtocol = TLSv1\nCipherString = DEFAULT@SECLEVEL=0\n";
	char path[] = "/tmp/dbrig-unit-XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0 || write(fd, text, sizeof(text) - 1) != sizeof(text) - 1)
		BUG("could not write a file for the test");
	close(fd);
	setenv("OPENSSL_CONF", path, 1);
	OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, NULL);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_urls),
		UNIT_TEST(test_refused_url_is_not_asked),
		UNIT_TEST(test_hosts),
		UNIT_TEST(test_dates),
		UNIT_TEST(test_certificates),
		UNIT_TEST(test_bundle_that_cannot_be_read),
	};

	configure_openssl();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
