#include "aws/sign.h"

#include "base/mem.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#define SHA256_SIZE 32
#define SHA256_HEX_SIZE (2 * SHA256_SIZE + 1)
#define ALGORITHM "AWS4-HMAC-SHA256"

/* "20150830T123600Z" and its NUL; the date alone is the first eight of it. */
#define STAMP_SIZE 17
#define DATE_LENGTH 8

void credentials_release(struct credentials *credentials)
{
	mem_free(credentials->access_key);
	secret_release(&credentials->secret_key);
	secret_release(&credentials->session_token);
	mem_free(credentials->source);
	*credentials = (struct credentials)CREDENTIALS_INIT;
}

/* --- hashes --------------------------------------------------------------------------------- */

static void to_hex(const unsigned char *digest, char *hex)
{
	for (size_t i = 0; i < SHA256_SIZE; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static void hash_hex(const void *bytes, size_t length, char *hex)
{
	unsigned char digest[SHA256_SIZE];

	if (!EVP_Digest(bytes, length, digest, NULL, EVP_sha256(), NULL))
		BUG("no SHA-256");
	to_hex(digest, hex);
}

static void hmac(
	const void *key, size_t key_length, const char *text, size_t length, unsigned char *digest)
{
	const unsigned char *bytes = (const unsigned char *)text;

	if (!HMAC(EVP_sha256(), key, (int)key_length, bytes, length, digest, NULL))
		BUG("no HMAC with SHA-256");
}

/* --- what all signatures have in common ----------------------------------------------------- */

struct moment {
	char stamp[STAMP_SIZE];
};

static struct moment moment_of(time_t now)
{
	struct moment moment;
	struct tm utc;

	if (!gmtime_r(&now, &utc) || strftime(moment.stamp, sizeof(moment.stamp), "%Y%m%dT%H%M%SZ",
					     &utc) != STAMP_SIZE - 1)
		BUG("a time that no signature can carry");
	return moment;
}

/* DATE/REGION/SERVICE/aws4_request; the caller owns it. */
static char *scope_text(
	const struct moment *moment, const struct sign_scope *scope, const char *service)
{
	return mem_printf(
		"%.*s/%s/%s/aws4_request", DATE_LENGTH, moment->stamp, scope->region, service);
}

/* The signing key of the scope; the caller wipes it. */
static void derive_key(const struct secret *secret_key, const struct moment *moment,
	const char *region, const char *service, unsigned char *key)
{
	static const char prefix[4] = { 'A', 'W', 'S', '4' };
	size_t length = sizeof(prefix) + secret_length(secret_key);
	char *first = mem_calloc(length, 1);

	memcpy(first, prefix, sizeof(prefix));
	memcpy(first + sizeof(prefix), secret_reveal(secret_key), secret_length(secret_key));
	hmac(first, length, moment->stamp, DATE_LENGTH, key);
	OPENSSL_cleanse(first, length);
	mem_free(first);
	hmac(key, SHA256_SIZE, region, strlen(region), key);
	hmac(key, SHA256_SIZE, service, strlen(service), key);
	hmac(key, SHA256_SIZE, "aws4_request", strlen("aws4_request"), key);
}

/* The signature of a canonical request, as hexadecimal digits. */
static void sign(const struct credentials *credentials, const struct moment *moment,
	const struct sign_scope *scope, const char *service, const struct strbuf *canonical,
	char *signature)
{
	CLEANUP(mem_cleanup) char *where = scope_text(moment, scope, service);
	CLEANUP(mem_cleanup) char *text = NULL;
	unsigned char key[SHA256_SIZE], digest[SHA256_SIZE];
	char hash[SHA256_HEX_SIZE];

	hash_hex(canonical->data, canonical->length, hash);
	text = mem_printf(ALGORITHM "\n%s\n%s\n%s", moment->stamp, where, hash);
	derive_key(&credentials->secret_key, moment, scope->region, service, key);
	hmac(key, sizeof(key), text, strlen(text), digest);
	OPENSSL_cleanse(key, sizeof(key));
	to_hex(digest, signature);
}

/* Room for text of that length, so that no buffer with a secret in it is ever moved. */
static void make_room(struct strbuf *buf, size_t length)
{
	if (!strbuf_grow(buf, length))
		BUG("a header larger than any buffer");
}

/* --- POST with signed headers ---------------------------------------------------------------- */

/* One of the signed headers, in the canonical order. */
struct signed_header {
	const char *name;      /* as in the canonical request */
	const char *line_name; /* as sent; NULL: the caller sends it */
	const char *value;     /* NULL: not there */
};

/* NAME:VALUE, each run of blanks within the value one, those around it gone. */
static void add_canonical(struct strbuf *canonical, const struct signed_header *header)
{
	bool blank = false;

	strbuf_adds(canonical, header->name);
	strbuf_addc(canonical, ':');
	for (const char *c = header->value + strspn(header->value, " \t"); *c; c++) {
		if (*c == ' ' || *c == '\t') {
			blank = true;
			continue;
		}
		if (blank)
			strbuf_addc(canonical, ' ');
		blank = false;
		strbuf_addc(canonical, *c);
	}
	strbuf_addc(canonical, '\n');
}

static void add_line(struct strlist *headers, const struct signed_header *header)
{
	CLEANUP(strbuf_release_secret) struct strbuf line = STRBUF_INIT;

	make_room(&line, strlen(header->line_name) + 2 + strlen(header->value));
	strbuf_adds(&line, header->line_name);
	strbuf_adds(&line, ": ");
	strbuf_adds(&line, header->value);
	strlist_add(headers, line.data);
}

void sign_post(const struct credentials *credentials, const struct sign_scope *scope,
	const struct sign_request *request, struct strlist *headers)
{
	CLEANUP(strbuf_release_secret) struct strbuf canonical = STRBUF_INIT;
	CLEANUP(strbuf_release) struct strbuf names = STRBUF_INIT;
	CLEANUP(mem_cleanup) char *where = NULL;
	char signature[SHA256_HEX_SIZE], hash[SHA256_HEX_SIZE];
	struct moment moment = moment_of(scope->now);
	const char *token = secret_is_set(&credentials->session_token)
				    ? secret_reveal(&credentials->session_token)
				    : NULL;
	/* By name, as the canonical request wants them. */
	const struct signed_header signed_headers[] = {
		{ "content-type", "Content-Type", request->content_type },
		{ "host", NULL, request->host },
		{ "x-amz-date", "X-Amz-Date", moment.stamp },
		{ "x-amz-security-token", "X-Amz-Security-Token", token },
		{ "x-amz-target", "X-Amz-Target", request->target },
	};
	size_t room = 512;

	for (size_t i = 0; i < ARRAY_SIZE(signed_headers); i++)
		room += signed_headers[i].value ? strlen(signed_headers[i].value) : 0;
	make_room(&canonical, room);
	strbuf_adds(&canonical, "POST\n/\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(signed_headers); i++) {
		if (!signed_headers[i].value)
			continue;
		add_canonical(&canonical, &signed_headers[i]);
		strbuf_addf(&names, "%s%s", names.length ? ";" : "", signed_headers[i].name);
		if (signed_headers[i].line_name)
			add_line(headers, &signed_headers[i]);
	}
	hash_hex(request->body, request->body_length, hash);
	strbuf_addf(&canonical, "\n%s\n%s", names.data, hash);
	sign(credentials, &moment, scope, scope->service, &canonical, signature);
	where = scope_text(&moment, scope, scope->service);
	strlist_addf(headers,
		"Authorization: " ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s",
		credentials->access_key, where, names.data, signature);
}

/* --- presigned GET --------------------------------------------------------------------------- */

/* RFC 3986: unreserved characters as they are. */
static void add_encoded(struct strbuf *query, const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (isascii(*c) && (isalnum(*c) || strchr("-._~", *c)))
			strbuf_addc(query, (char)*c);
		else
			strbuf_addf(query, "%%%02X", *c);
	}
}

/* The parameters in the order of their names, which the canonical request wants. */
static void add_query(struct strbuf *query, const struct credentials *credentials,
	const struct moment *moment, const char *where, const char *user)
{
	strbuf_adds(query, "Action=connect&DBUser=");
	add_encoded(query, user);
	strbuf_adds(query, "&X-Amz-Algorithm=" ALGORITHM "&X-Amz-Credential=");
	add_encoded(query, credentials->access_key);
	add_encoded(query, "/");
	add_encoded(query, where);
	strbuf_addf(query, "&X-Amz-Date=%s&X-Amz-Expires=900", moment->stamp);
	if (secret_is_set(&credentials->session_token)) {
		strbuf_adds(query, "&X-Amz-Security-Token=");
		add_encoded(query, secret_reveal(&credentials->session_token));
	}
	strbuf_adds(query, "&X-Amz-SignedHeaders=host");
}

void sign_rds_token(const struct credentials *credentials, const struct sign_scope *scope,
	const char *host, int port, const char *user, struct secret *ret_token)
{
	static const char service[] = "rds-db";
	CLEANUP(strbuf_release_secret) struct strbuf canonical = STRBUF_INIT;
	CLEANUP(strbuf_release_secret) struct strbuf query = STRBUF_INIT;
	CLEANUP(strbuf_release_secret) struct strbuf token = STRBUF_INIT;
	CLEANUP(mem_cleanup) char *where = NULL;
	char signature[SHA256_HEX_SIZE], hash[SHA256_HEX_SIZE];
	struct moment moment = moment_of(scope->now);

	where = scope_text(&moment, scope, service);
	make_room(
		&query, 512 + 3 * (strlen(user) + strlen(credentials->access_key) + strlen(where) +
					  secret_length(&credentials->session_token)));
	add_query(&query, credentials, &moment, where, user);
	hash_hex("", 0, hash);
	make_room(&canonical, query.length + strlen(host) + 256);
	/* No strbuf_addf with the query in it: that would leave a copy. */
	strbuf_adds(&canonical, "GET\n/\n");
	strbuf_add(&canonical, query.data, query.length);
	strbuf_addf(&canonical, "\nhost:%s", host);
	if (port != 443)
		strbuf_addf(&canonical, ":%d", port);
	strbuf_addf(&canonical, "\n\nhost\n%s", hash);
	sign(credentials, &moment, scope, service, &canonical, signature);
	make_room(&token, query.length + strlen(host) + 256);
	strbuf_addf(&token, "%s:%d/?", host, port);
	strbuf_add(&token, query.data, query.length);
	strbuf_addf(&token, "&X-Amz-Signature=%s", signature);
	secret_set(ret_token, token.data, token.length);
}
