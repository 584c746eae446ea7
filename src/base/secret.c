#include "base/secret.h"

#include "base/mem.h"

#include <string.h>

void secret_set(struct secret *secret, const char *text, size_t length)
{
	char *copy = NULL;

	/* Before the old value goes: text may be a part of it. */
	if (length > 0) {
		copy = mem_calloc(length + 1, 1);
		memcpy(copy, text, length);
	}
	secret_release(secret);
	secret->text_ = copy;
	secret->length_ = length;
}

bool secret_is_set(const struct secret *secret)
{
	return secret->length_ > 0;
}

const char *secret_reveal(const struct secret *secret)
{
	return secret->text_ ? secret->text_ : "";
}

size_t secret_length(const struct secret *secret)
{
	return secret->length_;
}

void secret_release(struct secret *secret)
{
	if (secret->text_)
		mem_wipe(secret->text_, secret->length_);
	mem_free(secret->text_);
	*secret = (struct secret)SECRET_INIT;
}
