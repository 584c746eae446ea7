/* Connection parameters as one text, for comparing. */
#ifndef UNIT_PARAMS_TEXT_H
#define UNIT_PARAMS_TEXT_H

#include "base/strbuf.h"
#include "pg/params.h"

/* "keyword=value …": everything that is set and not empty, in the order of the list. */
static inline char *params_text(const struct params *params)
{
	struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < params->count; i++)
		if (*params->items[i].value)
			strbuf_addf(&out, "%s%s=%s", out.length ? " " : "",
				params->items[i].keyword, params->items[i].value);
	return strbuf_detach(&out);
}

#endif
