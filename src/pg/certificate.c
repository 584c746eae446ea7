#include "pg/certificate.h"

#include "base/address.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/strbuf.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MOST_NAMES 6
/* SSLRequest: its length, 8, and the code 1234 5679. */
static const unsigned char ssl_request[] = { 0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f };

void certificate_release(struct certificate *certificate)
{
	mem_free(certificate->subject);
	mem_free(certificate->issuer);
	mem_free(certificate->names);
	mem_free(certificate->problem);
	*certificate = (struct certificate)CERTIFICATE_INIT;
}

/* --- reading one ------------------------------------------------------------------------------ */

static char *name_text(const X509_NAME *name)
{
	BIO *memory = BIO_new(BIO_s_mem());
	char *bytes, *text;
	long length;

	if (!memory)
		BUG("OpenSSL is out of memory");
	X509_NAME_print_ex(memory, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
	length = BIO_get_mem_data(memory, &bytes);
	text = mem_strndup(length > 0 ? bytes : "", length > 0 ? (size_t)length : 0);
	BIO_free(memory);
	return text;
}

static int64_t seconds(const ASN1_TIME *moment)
{
	struct tm broken = { 0 };

	return ASN1_TIME_to_tm(moment, &broken) == 1 ? (int64_t)timegm(&broken) : 0;
}

static void add_name(struct strbuf *text, const GENERAL_NAME *name)
{
	struct address address = { 0 };
	char buffer[ADDRESS_TEXT_SIZE];

	if (name->type == GEN_DNS) {
		strbuf_addf(text, "%s%.*s", text->length ? ", " : "",
			ASN1_STRING_length(name->d.dNSName),
			(const char *)ASN1_STRING_get0_data(name->d.dNSName));
	} else if (name->type == GEN_IPADD) {
		int length = ASN1_STRING_length(name->d.iPAddress);

		if (length != 4 && length != 16)
			return;
		address.family = length == 4 ? 4 : 6;
		memcpy(address.bytes, ASN1_STRING_get0_data(name->d.iPAddress), (size_t)length);
		strbuf_addf(
			text, "%s%s", text->length ? ", " : "", address_format(&address, buffer));
	}
}

/* libpq takes the common name where there are no others. */
static char *names_of(X509 *x509)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
	struct strbuf text = STRBUF_INIT;
	char common[256] = "";

	for (int i = 0; names && i < sk_GENERAL_NAME_num(names) && i < MOST_NAMES; i++)
		add_name(&text, sk_GENERAL_NAME_value(names, i));
	if (names && sk_GENERAL_NAME_num(names) > MOST_NAMES)
		strbuf_adds(&text, ", …");
	GENERAL_NAMES_free(names);
	if (text.length == 0 && X509_NAME_get_text_by_NID(X509_get_subject_name(x509),
					NID_commonName, common, sizeof(common)) > 0)
		strbuf_adds(&text, common);
	return text.length ? strbuf_detach(&text) : NULL;
}

static void read_certificate(X509 *x509, struct certificate *certificate)
{
	certificate_release(certificate);
	certificate->subject = name_text(X509_get_subject_name(x509));
	certificate->issuer = name_text(X509_get_issuer_name(x509));
	certificate->names = names_of(x509);
	certificate->begins = seconds(X509_get0_notBefore(x509));
	certificate->ends = seconds(X509_get0_notAfter(x509));
	certificate->is_self_signed =
		X509_NAME_cmp(X509_get_subject_name(x509), X509_get_issuer_name(x509)) == 0;
}

void certificate_of(PGconn *pg, struct certificate *certificate)
{
	SSL *ssl = PQsslStruct(pg, "OpenSSL");
	X509 *x509 = ssl ? SSL_get_peer_certificate(ssl) : NULL;

	if (x509)
		read_certificate(x509, certificate);
	X509_free(x509);
}

/* --- asking for one --------------------------------------------------------------------------- */

static int unfit(struct err *err, const char *what)
{
	return err_set(err, ERR_CONNECT, "could not look at the server's certificate: %s", what);
}

static int connect_to(
	const struct probe_address *address, int64_t deadline, int *ret_fd, struct err *err)
{
	CLEANUP(fd_cleanup)
	int fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error = 0, ready;
	socklen_t size = sizeof(error);

	if (fd < 0)
		return unfit(err, strerror(errno));
	if (connect(fd, (const struct sockaddr *)&address->socket, address->length) != 0) {
		if (errno != EINPROGRESS)
			return unfit(err, strerror(errno));
		ready = probe_wait(fd, POLLOUT, deadline, err);
		if (ready <= 0)
			return ready < 0 ? -1 : unfit(err, strerror(ETIMEDOUT));
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error)
			return unfit(err, strerror(error));
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

/* The eight bytes of the request fit into an empty socket. */
static int request_tls(int fd, int64_t deadline, struct err *err)
{
	char answer = 0;
	int ready;

	if (write(fd, ssl_request, sizeof(ssl_request)) != (ssize_t)sizeof(ssl_request))
		return unfit(err, strerror(errno));
	ready = probe_wait(fd, POLLIN, deadline, err);
	if (ready <= 0)
		return ready < 0 ? -1 : unfit(err, strerror(ETIMEDOUT));
	if (read(fd, &answer, 1) != 1 || answer != 'S')
		return unfit(err, "it has no TLS");
	return 0;
}

static int shake_hands(SSL *ssl, int fd, int64_t deadline, struct err *err)
{
	for (;;) {
		int result = SSL_connect(ssl);
		int wanted = SSL_get_error(ssl, result);
		int ready;

		if (result == 1)
			return 0;
		if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE)
			return unfit(err, "the handshake failed");
		ready = probe_wait(
			fd, wanted == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline, err);
		if (ready <= 0)
			return ready < 0 ? -1 : unfit(err, strerror(ETIMEDOUT));
	}
}

static void ssl_cleanup(SSL **ssl)
{
	SSL_free(*ssl);
}

static void context_cleanup(SSL_CTX **context)
{
	SSL_CTX_free(*context);
	ERR_clear_error();
}

static bool is_address(const char *host)
{
	struct address address;

	return address_parse(host, strlen(host), &address);
}

int certificate_ask(const struct probe_address *address, const char *host, const char *root,
	int64_t timeout_ms, struct certificate *certificate, struct err *err)
{
	const int64_t deadline = clock_ms() + timeout_ms;
	CLEANUP(fd_cleanup) int fd = -1;
	CLEANUP(context_cleanup) SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	CLEANUP(ssl_cleanup) SSL *ssl = NULL;
	X509 *x509;

	if (!context)
		return unfit(err, "OpenSSL does not start");
	SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
	if (root && SSL_CTX_load_verify_locations(context, root, NULL) != 1)
		root = NULL;
	ssl = SSL_new(context);
	if (!ssl || connect_to(address, deadline, &fd, err) != 0)
		return ssl ? -1 : unfit(err, "OpenSSL does not start");
	if (!is_address(host)) {
		CLEANUP(mem_cleanup) char *name = mem_strdup(host);

		SSL_set_tlsext_host_name(ssl, name);
	}
	if (SSL_set_fd(ssl, fd) != 1)
		return unfit(err, "OpenSSL does not start");
	if (request_tls(fd, deadline, err) != 0 || shake_hands(ssl, fd, deadline, err) != 0)
		return -1;
	x509 = SSL_get_peer_certificate(ssl);
	if (!x509)
		return unfit(err, "it shows none");
	read_certificate(x509, certificate);
	X509_free(x509);
	if (root && SSL_get_verify_result(ssl) != X509_V_OK)
		certificate->problem =
			mem_strdup(X509_verify_cert_error_string(SSL_get_verify_result(ssl)));
	return 0;
}
