/*
 * Signs what it reads, for tests/lib/sign-comparison. A line of stdin is a case: words separated by
 * tabs, each as hexadecimal digits, "-" for one that is not there.
 *
 *   post  KEY SECRET SESSION-TOKEN REGION SERVICE TIME HOST CONTENT-TYPE TARGET BODY
 *   token KEY SECRET SESSION-TOKEN REGION SERVICE TIME HOST PORT USER
 *
 * For each it prints the header lines and an empty line, or the token.
 */
#include "aws/sign.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORDS = 11 };

struct word {
	char *text; /* NULL: not there */
	size_t length;
};

static struct word decode(const char *hex)
{
	struct word word = { 0 };

	if (strcmp(hex, "-") == 0)
		return word;
	word.length = strlen(hex) / 2;
	word.text = mem_calloc(word.length + 1, 1);
	for (size_t i = 0; i < word.length; i++) {
		char digits[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		word.text[i] = (char)strtol(digits, NULL, 16);
	}
	return word;
}

static void answer_post(const struct credentials *credentials, const struct sign_scope *scope,
	const struct word *words)
{
	CLEANUP(strlist_release) struct strlist headers = STRLIST_INIT;
	const struct sign_request request = {
		.host = words[7].text,
		.content_type = words[8].text,
		.target = words[9].text,
		.body = words[10].text,
		.body_length = words[10].length,
	};

	sign_post(credentials, scope, &request, &headers);
	for (size_t i = 0; i < headers.count; i++)
		puts(headers.items[i]);
	puts("");
}

static void answer_token(const struct credentials *credentials, const struct sign_scope *scope,
	const struct word *words)
{
	CLEANUP(secret_release) struct secret token = SECRET_INIT;

	sign_rds_token(credentials, scope, words[7].text, (int)strtol(words[8].text, NULL, 10),
		words[9].text, &token);
	puts(secret_reveal(&token));
}

static void answer(char *line)
{
	CLEANUP(credentials_release) struct credentials credentials = CREDENTIALS_INIT;
	struct sign_scope scope = { 0 };
	struct word words[MAX_WORDS] = { 0 };
	const char *kind = strsep(&line, "\t\n");
	char *hex;

	for (size_t i = 1; i < MAX_WORDS && (hex = strsep(&line, "\t\n")); i++)
		words[i] = decode(hex);
	credentials.access_key = mem_strdup(words[1].text);
	secret_set(&credentials.secret_key, words[2].text, words[2].length);
	secret_set(&credentials.session_token, words[3].text, words[3].length);
	scope.region = words[4].text;
	scope.service = words[5].text;
	scope.now = (time_t)strtoll(words[6].text, NULL, 10);
	if (strcmp(kind, "post") == 0)
		answer_post(&credentials, &scope, words);
	else
		answer_token(&credentials, &scope, words);
	for (size_t i = 0; i < MAX_WORDS; i++)
		mem_free(words[i].text);
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0)
		answer(line);
	free(line);
	return 0;
}
