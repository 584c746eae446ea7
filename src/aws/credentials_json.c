#include "aws/credentials.h"

#include "base/mem.h"

#include <jansson.h>
#include <string.h>

/*
 * jansson's memory while an object with keys is read: each piece knows its size and is wiped when
 * it is freed. Only between secret_json_begin and secret_json_end, within which everything that was
 * allocated is freed again.
 */
#define PIECE_HEADER 16

struct allocator {
	json_malloc_t allocate;
	json_free_t release;
};

static void *piece_allocate(size_t size)
{
	char *piece = mem_calloc(size + PIECE_HEADER, 1);

	memcpy(piece, &size, sizeof(size));
	return piece + PIECE_HEADER;
}

static void piece_release(void *pointer)
{
	char *piece = pointer;
	size_t size;

	if (!piece)
		return;
	piece -= PIECE_HEADER;
	memcpy(&size, piece, sizeof(size));
	mem_wipe(piece, size + PIECE_HEADER);
	mem_free(piece);
}

static void secret_json_begin(struct allocator *before)
{
	json_get_alloc_funcs(&before->allocate, &before->release);
	json_set_alloc_funcs(piece_allocate, piece_release);
}

static void secret_json_end(const struct allocator *before)
{
	json_set_alloc_funcs(before->allocate, before->release);
}

/* The object; NULL otherwise. jansson's own error text is not taken: it quotes its input. */
static json_t *load_object(const struct strbuf *text)
{
	json_t *root = json_loadb(text->data, text->length, JSON_REJECT_DUPLICATES, NULL);

	if (root && !json_is_object(root)) {
		json_decref(root);
		return NULL;
	}
	return root;
}

/* A member that is a text with something in it. */
static const char *get_text(const json_t *root, const char *name)
{
	const char *value = json_string_value(json_object_get(root, name));

	return value && *value ? value : NULL;
}

static int read_object(const struct credentials_json *what, const json_t *root, struct aws *aws,
	struct credentials *credentials, struct err *err)
{
	const json_t *version = json_object_get(root, "Version");
	const char *key = get_text(root, "AccessKeyId");
	const char *secret = get_text(root, "SecretAccessKey");
	const char *token = get_text(root, what->token_name);
	const json_t *expiry = json_object_get(root, "Expiration");
	const char *missing = !key                          ? "AccessKeyId"
			      : !secret                     ? "SecretAccessKey"
			      : !token && what->needs_token ? what->token_name
							    : NULL;

	if (what->has_version && (!json_is_integer(version) || json_integer_value(version) != 1))
		return err_set(
			err, ERR_FAILED, "the JSON from %s has no \"Version\": 1", what->source);
	if (missing)
		return err_set(
			err, ERR_FAILED, "the JSON from %s has no \"%s\"", what->source, missing);
	if (credentials_set(credentials, what->source, key, secret, token, err) != 0) {
		err->kind = ERR_FAILED;
		return -1;
	}
	if (!expiry || json_is_null(expiry))
		return 0;
	return credentials_set_expiry(
		credentials, aws, json_is_string(expiry) ? json_string_value(expiry) : "", err);
}

int credentials_read_json(const struct credentials_json *what, const struct strbuf *text,
	struct aws *aws, struct credentials *credentials, struct err *err)
{
	struct allocator before;
	json_t *root;
	int result;

	secret_json_begin(&before);
	root = load_object(text);
	if (root)
		result = read_object(what, root, aws, credentials, err);
	else
		result = err_set(
			err, ERR_FAILED, "what came from %s is not a JSON object", what->source);
	json_decref(root);
	secret_json_end(&before);
	return result;
}

char *credentials_json_text(const struct strbuf *text, const char *name)
{
	struct allocator before;
	json_t *root;
	char *copy;

	secret_json_begin(&before);
	root = load_object(text);
	copy = root ? mem_strdup(get_text(root, name)) : NULL;
	json_decref(root);
	secret_json_end(&before);
	return copy;
}
