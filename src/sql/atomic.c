#include "sql/atomic.h"

#include <string.h>

void atomic_next(struct atomic *atomic)
{
	atomic->count = 0;
	atomic->routine = false;
}

void atomic_word_begin(struct atomic *atomic)
{
	atomic->word_length = 0;
}

void atomic_word_add(struct atomic *atomic, const unsigned char *bytes, size_t length)
{
	size_t at = atomic->word_length;

	atomic->word_length += length;
	for (; length > 0 && at < sizeof(atomic->word); at++, length--) {
		unsigned char c = *bytes++;

		atomic->word[at] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
	}
}

static bool word_is(const struct atomic *atomic, const char *word)
{
	size_t length = strlen(word);

	return atomic->word_length == length && memcmp(atomic->word, word, length) == 0;
}

static void remember(struct atomic *atomic)
{
	char *words = atomic->words;

	if (atomic->count == 0)
		memset(words, 0, sizeof(atomic->words));
	if (word_is(atomic, "create") || word_is(atomic, "function") ||
		word_is(atomic, "procedure") || word_is(atomic, "or") || word_is(atomic, "replace"))
		words[atomic->count] = atomic->word[0];
	atomic->count++;
	if (words[0] != 'c')
		atomic->routine = false;
	else if (words[1] == 'o' && words[2] == 'r')
		atomic->routine = words[3] == 'f' || words[3] == 'p';
	else
		atomic->routine = words[1] == 'f' || words[1] == 'p';
}

void atomic_word_end(struct atomic *atomic, bool in_parentheses)
{
	if (atomic->count < ARRAY_SIZE(atomic->words))
		remember(atomic);
	if (!atomic->routine || in_parentheses)
		return;
	if (word_is(atomic, "begin"))
		atomic->depth++;
	else if (atomic->depth > 0 && word_is(atomic, "case"))
		atomic->depth++;
	else if (atomic->depth > 0 && word_is(atomic, "end"))
		atomic->depth--;
}
