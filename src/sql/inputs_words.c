#include "sql/inputs_internal.h"

#include "base/mem.h"

#include <string.h>

#define FIRST_CAPACITY 1024

static const struct {
	const char *shown;
} keywords[] = {
#define X(name) [KEYWORD_##name] = { #name },
	KEYWORDS(X)
#undef X
};

const char *keyword_name(enum keyword keyword)
{
	return keyword < ARRAY_SIZE(keywords) ? keywords[keyword].shown : NULL;
}

struct script_words *words_new(void)
{
	struct script_words *words = mem_calloc(1, sizeof(*words));

	words->capacity = FIRST_CAPACITY;
	words->slots = mem_calloc(words->capacity, sizeof(*words->slots));
	return words;
}

void words_free(struct script_words *words)
{
	if (!words)
		return;
	for (size_t i = 0; i < words->capacity; i++)
		mem_free(words->slots[i].text);
	mem_free(words->slots);
	for (size_t i = 0; i < WORDS_HEADS; i++)
		mem_free(words->heads[i].text);
	strlist_release(&words->varying);
	mem_free(words);
}

/* A name with its schema or without; a star at the end stands for anything. */
static bool in_list(const char *const *list, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(list[i]);

		if (list[i][length - 1] == '*' ? strncmp(list[i], text, length - 1) == 0
					       : strcmp(list[i], text) == 0)
			return true;
	}
	return false;
}

/* What reads or writes files, other sessions, other servers, or what all databases share. */
static bool reaches_outside(const char *text)
{
	static const char *const functions[] = { "dblink*", "lo_export", "lo_import",
		"pg_cancel_backend", "pg_copy_logical_replication_slot",
		"pg_copy_physical_replication_slot", "pg_create_logical_replication_slot",
		"pg_create_physical_replication_slot", "pg_create_restore_point",
		"pg_drop_replication_slot", "pg_file_*", "pg_import_system_collations",
		"pg_logical_emit_message", "pg_logical_slot_*", "pg_ls_*", "pg_promote",
		"pg_read_binary_file", "pg_read_file", "pg_reload_conf", "pg_replication_*",
		"pg_rotate_logfile*", "pg_stat_file", "pg_switch_wal", "pg_terminate_backend",
		"pg_wal_replay_*" };

	return in_list(functions, ARRAY_SIZE(functions), text);
}

static bool is_shared_catalog(const char *text)
{
	static const char *const catalogs[] = { "pg_authid", "pg_auth_members", "pg_database",
		"pg_db_role_setting", "pg_parameter_acl", "pg_replication_origin", "pg_shdepend",
		"pg_shdescription", "pg_shseclabel", "pg_subscription", "pg_tablespace" };

	return in_list(catalogs, ARRAY_SIZE(catalogs), text);
}

static enum keyword find_keyword(const char *text)
{
	char upper[WORD_SIZE];
	size_t length = strlen(text);

	for (size_t i = 0; i <= length; i++)
		upper[i] = (char)(text[i] >= 'a' && text[i] <= 'z' ? text[i] - 0x20 : text[i]);
	for (size_t i = 1; i < ARRAY_SIZE(keywords); i++)
		if (strcmp(keywords[i].shown, upper) == 0)
			return (enum keyword)i;
	if (reaches_outside(text))
		return KEYWORD_OUTSIDE;
	if (is_shared_catalog(text))
		return KEYWORD_SHARED;
	return strcmp(text, "age") == 0 ? KEYWORD_AGE : KEYWORD_OTHER;
}

uint32_t words_hash_of(const char *text, size_t length)
{
	uint32_t hash = WORDS_HASH_INIT;

	for (size_t i = 0; i < length; i++)
		hash = words_hash(hash, text[i]);
	return hash;
}

static struct script_word *find_slot(
	struct script_words *words, const char *text, size_t length, uint32_t hash)
{
	size_t at = hash & (words->capacity - 1);

	for (;; at = (at + 1) & (words->capacity - 1)) {
		struct script_word *word = &words->slots[at];

		if (!word->text || (word->hash == hash && word->length == length &&
					   memcmp(word->text, text, length) == 0))
			return word;
	}
}

static void grow(struct script_words *words)
{
	struct script_word *old = words->slots;
	size_t count = words->capacity;

	words->capacity *= 2;
	words->slots = mem_calloc(words->capacity, sizeof(*words->slots));
	for (size_t i = 0; i < count; i++)
		if (old[i].text)
			*find_slot(words, old[i].text, old[i].length, old[i].hash) = old[i];
	mem_free(old);
}

struct script_word *words_get(
	struct script_words *words, const char *text, size_t length, uint32_t hash)
{
	struct script_word *word = find_slot(words, text, length, hash);

	if (word->text)
		return word;
	if (words->count >= SCRIPT_INPUTS_NAMES)
		return NULL;
	if (2 * ++words->count > words->capacity) {
		grow(words);
		word = find_slot(words, text, length, hash);
	}
	*word = (struct script_word){
		.text = mem_strndup(text, length), .hash = hash, .length = (uint32_t)length
	};
	word->keyword = find_keyword(word->text);
	return word;
}

void words_list(const struct script_words *words, bool definitions, struct strlist *list)
{
	for (size_t i = 0; i < words->capacity; i++) {
		const struct script_word *word = &words->slots[i];

		if (word->plain || (definitions && word->defined_plain))
			strlist_add(list, word->text);
		if (word->call || (definitions && word->defined_call))
			strlist_addf(list, "%s(", word->text);
	}
	strlist_sort(list);
}
