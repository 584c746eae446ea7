#include "aws/words.h"

#include "base/strbuf.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Copies up to the closing quote; *at is behind the opening one. False when there is none. */
static bool add_quoted(const char **at, char quote, struct strbuf *word)
{
	for (; **at != quote; (*at)++) {
		if (!**at)
			return false;
		if (quote == '"' && **at == '\\' && ((*at)[1] == '"' || (*at)[1] == '\\'))
			(*at)++;
		strbuf_addc(word, **at);
	}
	(*at)++;
	return true;
}

bool words_split(const char *text, struct strlist *words)
{
	CLEANUP(strbuf_release_secret) struct strbuf word = STRBUF_INIT;
	bool in_word = false;

	while (*text) {
		char c = *text++;

		if (is_blank(c)) {
			if (in_word)
				strlist_add(words, word.data);
			strbuf_reset(&word);
			in_word = false;
			continue;
		}
		in_word = true;
		if (c == '\'' || c == '"') {
			if (!add_quoted(&text, c, &word))
				return false;
		} else if (c == '\\') {
			if (!*text)
				return false;
			strbuf_addc(&word, *text++);
		} else {
			strbuf_addc(&word, c);
		}
	}
	if (in_word)
		strlist_add(words, word.data);
	return true;
}
