#include "pg/conn_message.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "pg/conn_failure.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* "FATAL:  28P01: password …" → position of the SQLSTATE; NULL when the line has none. */
static const char *find_sqlstate(const char *line, size_t length)
{
	for (size_t i = 0; i + 8 < length; i++) {
		size_t digits = 0;

		if (strncmp(line + i, ":  ", 3) != 0)
			continue;
		while (digits < 5 && (isupper((unsigned char)line[i + 3 + digits]) ||
					     isdigit((unsigned char)line[i + 3 + digits])))
			digits++;
		if (digits == 5 && line[i + 8] == ':')
			return line + i + 3;
	}
	return NULL;
}

/* The line without its SQLSTATE, which goes into sqlstate. The caller owns it. */
static char *clean_line(const char *line, size_t length, char sqlstate[6])
{
	const char *state = find_sqlstate(line, length);
	size_t before;

	sqlstate[0] = '\0';
	if (!state)
		return mem_strndup(line, length);
	snprintf(sqlstate, 6, "%.5s", state);
	before = (size_t)(state - line);
	return mem_printf(
		"%.*s%.*s", (int)(before - 1), line, (int)(length - before - 7), state + 7);
}

static bool has_line(const struct strbuf *text, const char *line)
{
	const size_t length = strlen(line);
	const char *at = text->length ? text->data : NULL;

	while (at) {
		if (strncmp(at, line, length) == 0 && (at[length] == '\n' || at[length] == '\0'))
			return true;
		at = strchr(at, '\n');
		at += at != NULL;
	}
	return false;
}

/* Both results at once; ret_weight and sqlstate may be NULL. */
static char *read_message(const char *message, char sqlstate[6], int *ret_weight)
{
	struct strbuf out = STRBUF_INIT;
	int most = 0, most_with_state = 0;

	if (sqlstate)
		sqlstate[0] = '\0';
	while (message && *message) {
		const size_t length = strcspn(message, "\n");
		char state[6];
		CLEANUP(mem_cleanup) char *line = clean_line(message, length, state);
		const int weight = conn_failure_weight(state, line);

		message += length;
		message += *message == '\n';
		if (strncmp(line, "LOCATION:", 9) == 0 || length == 0)
			continue;
		most = weight > most ? weight : most;
		if (state[0] && weight > most_with_state) {
			most_with_state = weight;
			if (sqlstate)
				snprintf(sqlstate, 6, "%s", state);
		}
		if (has_line(&out, line))
			continue;
		strbuf_addf(&out, "%s%s", out.length ? "\n" : "", line);
	}
	if (ret_weight)
		*ret_weight = most;
	return strbuf_detach(&out);
}

char *conn_message_clean(const char *message, char sqlstate[6])
{
	return read_message(message, sqlstate, NULL);
}

int conn_message_weight(const char *message)
{
	int weight;

	mem_free(read_message(message, NULL, &weight));
	return weight;
}
