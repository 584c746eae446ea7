/*
 * The functions of OpenSSL 1.1, which do without what EVP does first: reading openssl.cnf and
 * loading providers take a millisecond, a twentieth of a reset.
 */
#define OPENSSL_API_COMPAT 0x10100000L

#include "base/digest.h"

#include "base/mem.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

static SHA256_CTX *begin(struct digest *digest)
{
	if (digest->state)
		return digest->state;
	digest->state = mem_calloc(1, sizeof(SHA256_CTX));
	if (!SHA256_Init(digest->state))
		BUG("no SHA-256");
	return digest->state;
}

void digest_add(struct digest *digest, const void *bytes, size_t length)
{
	if (!SHA256_Update(begin(digest), bytes, length))
		BUG("no SHA-256");
}

void digest_add_text(struct digest *digest, const char *text)
{
	char front[24];
	size_t length = text ? strlen(text) : 0;
	int size = text ? snprintf(front, sizeof(front), "%zu:", length)
			: snprintf(front, sizeof(front), "-");

	digest_add(digest, front, (size_t)size);
	if (text)
		digest_add(digest, text, length);
}

void digest_end(struct digest *digest, char ret_hex[static DIGEST_HEX_SIZE])
{
	unsigned char bytes[SHA256_DIGEST_LENGTH];

	if (!SHA256_Final(bytes, begin(digest)))
		BUG("no SHA-256");
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(ret_hex + 2 * i, 3, "%02x", bytes[i]);
	digest_release(digest);
}

void digest_release(struct digest *digest)
{
	mem_free(digest->state);
	digest->state = NULL;
}
