/* A URL that leads where a connection has led, whoever uses it and with what environment. */
#include "base/mem.h"
#include "pg/conn_internal.h"

#include <stdlib.h>
#include <string.h>

/* Where the server is, and how it is verified. Where a service file is gone, all that it may say.
 */
static const char *const lasting[] = { "hostaddr", "port", "sslmode", "sslnegotiation",
	"sslrootcert", "sslcert", "sslkey", "sslcrl", "sslcrldir", "sslsni", "requirepeer",
	"require_auth", "channel_binding", "ssl_min_protocol_version", "ssl_max_protocol_version",
	"gssencmode", "krbsrvname", "gsslib", "target_session_attrs" };

/* A session's options are part of it where a service file says them, which the URL does not name.
 */
static bool is_lasting(const char *keyword, bool service)
{
	if (service && strcmp(keyword, "options") == 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(lasting); i++)
		if (strcmp(lasting[i], keyword) == 0)
			return true;
	return false;
}

static void add(struct params *params, const char *keyword, const char *value)
{
	if (value && *value && !params_get(params, keyword))
		params_set(params, keyword, value);
}

/* A port is said in any case: another one may be in the environment of whoever uses the URL. */
static bool is_default(const PQconninfoOption *option)
{
	return option->compiled && strcmp(option->val, option->compiled) == 0 &&
	       strcmp(option->keyword, "port") != 0;
}

char *conn_url(struct conn *conn, const struct params *params, const char *database)
{
	CLEANUP(params_release) struct params whole = PARAMS_INIT;
	PQconninfoOption *options = PQconninfo(conn_pg(conn));
	const bool service = params_get(params, "service") || getenv("PGSERVICE");
	const char *host = NULL;

	if (!options)
		BUG("libpq is out of memory");
	params_copy(&whole, params);
	params_set(&whole, "service", NULL);
	params_set(&whole, "servicefile", NULL);
	for (PQconninfoOption *option = options; option->keyword; option++) {
		if (strcmp(option->keyword, "host") == 0)
			host = option->val;
		if (conn->looked_up && strcmp(option->keyword, "hostaddr") == 0)
			continue;
		if (option->val && is_lasting(option->keyword, service) && !is_default(option))
			add(&whole, option->keyword, option->val);
	}
	add(&whole, "user", PQuser(conn_pg(conn)));
	/* Without one libpq has taken the directory that it was built with, or the address. */
	add(&whole, "host", host);
	if (!params_get(&whole, "hostaddr"))
		add(&whole, "host", PQhost(conn_pg(conn)));
	PQconninfoFree(options);
	return params_url(&whole, database);
}
