#include "pg/params.h"

#include "base/mem.h"
#include "base/message.h"
#include "base/strbuf.h"

#include <string.h>

static struct param *find(const struct params *params, const char *keyword)
{
	for (size_t i = 0; i < params->count; i++)
		if (strcmp(params->items[i].keyword, keyword) == 0)
			return &params->items[i];
	return NULL;
}

const char *params_get(const struct params *params, const char *keyword)
{
	const struct param *param = find(params, keyword);

	return param && *param->value ? param->value : NULL;
}

void params_set(struct params *params, const char *keyword, const char *value)
{
	struct param *param = find(params, keyword);
	char *copy = mem_strdup(value ? value : "");

	if (param) {
		mem_free_secret(param->value);
		param->value = copy;
		return;
	}
	params->items = mem_resize(params->items, params->count + 1, sizeof(*params->items));
	params->items[params->count++] =
		(struct param){ .keyword = mem_strdup(keyword), .value = copy };
}

void params_copy(struct params *to, const struct params *from)
{
	for (size_t i = 0; i < from->count; i++)
		params_set(to, from->items[i].keyword, from->items[i].value);
	if (from->source)
		to->source = from->source;
}

char *params_describe(const struct params *params, const char *database)
{
	struct strbuf text = STRBUF_INIT;
	const char *user = params_get(params, "user");
	const char *host = params_get(params, "host");
	const char *port = params_get(params, "port");
	const char *socket = NULL;

	if (!host)
		host = params_get(params, "hostaddr");
	if (user)
		message_add(&text, "%s@", user);
	if (host && host[0] == '/')
		socket = host;
	else if (host && strchr(host, ':'))
		message_add(&text, "[%s]", host);
	else
		message_add(&text, "%s", host ? host : "localhost");
	if (port && !socket)
		message_add(&text, ":%s", port);
	if (database)
		message_add(&text, "/%s", database);
	if (socket)
		message_add(&text, " (socket in %s)", socket);
	return strbuf_detach(&text);
}

void params_release(struct params *params)
{
	for (size_t i = 0; i < params->count; i++) {
		mem_free(params->items[i].keyword);
		mem_free_secret(params->items[i].value);
	}
	mem_free(params->items);
	*params = (struct params)PARAMS_INIT;
}
