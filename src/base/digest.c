#include "base/digest.h"

#include "base/mem.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define SHA256_SIZE 32

static EVP_MD_CTX *begin(struct digest *digest)
{
	if (digest->state)
		return digest->state;
	digest->state = EVP_MD_CTX_new();
	if (!digest->state || !EVP_DigestInit_ex(digest->state, EVP_sha256(), NULL))
		BUG("no SHA-256");
	return digest->state;
}

void digest_add(struct digest *digest, const void *bytes, size_t length)
{
	if (!EVP_DigestUpdate(begin(digest), bytes, length))
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
	unsigned char bytes[SHA256_SIZE];

	if (!EVP_DigestFinal_ex(begin(digest), bytes, NULL))
		BUG("no SHA-256");
	for (size_t i = 0; i < SHA256_SIZE; i++)
		snprintf(ret_hex + 2 * i, 3, "%02x", bytes[i]);
	digest_release(digest);
}

void digest_release(struct digest *digest)
{
	EVP_MD_CTX_free(digest->state);
	digest->state = NULL;
}
