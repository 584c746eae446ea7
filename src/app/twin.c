#include "app/twin.h"

#include "app/known.h"
#include "base/address.h"
#include "base/mem.h"
#include "pg/database.h"
#include "pg/protection.h"
#include "term/out.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONNECT_SECONDS "3"

/* How long a server's answer counts, and that there was none. */
#define KNOWN_SECONDS ((int64_t)30 * 24 * 3600)
#define UNKNOWN_SECONDS ((int64_t)10 * 60)

#define KIND_SERVER "server"
#define KIND_SILENT "silent"

#define ADDRESSES_MOST 16

/* --- servers --------------------------------------------------------------------------------- */

static const char *host_of(const struct target *target)
{
	const char *host = params_get(&target->params, "host");

	if (!host)
		host = params_get(&target->params, "hostaddr");
	return host ? host : "";
}

static const char *port_of(const struct target *target)
{
	const char *port = params_get(&target->params, "port");

	return port ? port : "5432";
}

/* By which a server is remembered; the caller owns it. */
static char *server_key(const struct target *target)
{
	return mem_printf("%s\n%s", host_of(target), port_of(target));
}

/* What the server at the other end of that URL calls itself; NULL: it does not say. */
static int ask_other(
	struct context *context, struct target *other, char **ret_identifier, struct err *err)
{
	const struct conn_options options = {
		.application = context->program, .database = other->database, .own_queries = true
	};
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	CLEANUP(err_release) struct err own = ERR_INIT;

	params_set(&other->params, "connect_timeout", CONNECT_SECONDS);
	out_info("asking the server of %s whether it is this one", other->origin);
	if (conn_open(&other->params, &options, &conn, &own) == 0 &&
		server_identifier(conn, ret_identifier, &own) == 0)
		return 0;
	if (own.kind != ERR_INTERRUPTED)
		return 0;
	*err = own;
	own = (struct err)ERR_INIT;
	return -1;
}

static int identify_other(
	struct context *context, struct target *other, char **ret_identifier, struct err *err)
{
	CLEANUP(mem_cleanup) char *key = server_key(other);
	CLEANUP(mem_cleanup) char *silent = NULL;

	if (known_get(KIND_SERVER, key, KNOWN_SECONDS, ret_identifier))
		return 0;
	/* A token would have to be fetched. */
	if (other->is_iam || known_get(KIND_SILENT, key, UNKNOWN_SECONDS, &silent))
		return 0;
	if (ask_other(context, other, ret_identifier, err) != 0)
		return -1;
	if (*ret_identifier)
		known_put(KIND_SERVER, key, *ret_identifier);
	else
		known_put(KIND_SILENT, key, "1");
	return 0;
}

/* Whether the other URL's host stands for the address that conn is connected to. */
static bool has_address(const struct target *other, struct conn *conn)
{
	const char *text = PQhostaddr(conn_pg(conn));
	struct address ours, addresses[ADDRESSES_MOST];
	size_t count;

	if (!text || !address_parse(text, strlen(text), &ours) ||
		strcmp(PQport(conn_pg(conn)), port_of(other)) != 0 || *host_of(other) == '/')
		return false;
	count = address_look_up(host_of(other), addresses, ADDRESSES_MOST);
	for (size_t i = 0; i < count; i++)
		if (address_equal(&ours, &addresses[i]))
			return true;
	return false;
}

/* --- looking through the targets ------------------------------------------------------------- */

/* "PROD_EU_CONNECTION_URL" -> "prod_eu"; NULL: no variable of a target. The caller owns it. */
static char *target_of(const char *variable)
{
	static const char *const endings[] = { "_CONNECTION_URL", "_DATABASE_URL" };

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t length = strlen(variable), tail = strlen(endings[i]);
		char *name;

		if (length <= tail || strcmp(variable + length - tail, endings[i]) != 0)
			continue;
		name = mem_strndup(variable, length - tail);
		for (char *c = name; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		return name;
	}
	return NULL;
}

static int compare(struct context *context, struct conn *conn, const char *name, bool *ret_same,
	struct err *err)
{
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	CLEANUP(target_release) struct target other = TARGET_INIT;
	CLEANUP(mem_cleanup) char *theirs = NULL;
	CLEANUP(mem_cleanup) char *ours = NULL;

	*ret_same = false;
	if (target_resolve(&other, name, &context->env, context->root, &ignored) != 0 ||
		!target_is_protected(&other) || !other.database ||
		strcmp(other.database, context->target.database) != 0)
		return 0;
	*ret_same = (strcasecmp(host_of(&other), host_of(&context->target)) == 0 &&
			    strcmp(port_of(&other), port_of(&context->target)) == 0) ||
		    has_address(&other, conn);
	if (*ret_same || server_identifier(conn, &ours, &ignored) != 0)
		return 0;
	if (identify_other(context, &other, &theirs, err) != 0)
		return -1;
	*ret_same = theirs && strcmp(ours, theirs) == 0;
	return 0;
}

int twin_find(struct context *context, struct conn *conn, char **ret_origin, struct err *err)
{
	CLEANUP(strlist_release) struct strlist variables = STRLIST_INIT;
	const char *file;

	*ret_origin = NULL;
	env_names(&context->env, &variables);
	for (size_t i = 0; i < variables.count; i++) {
		CLEANUP(mem_cleanup) char *name = target_of(variables.items[i]);
		bool same;

		if (!name || strcasecmp(name, context->target.name) == 0)
			continue;
		if (compare(context, conn, name, &same, err) != 0)
			return -1;
		if (!same)
			continue;
		env_get(&context->env, variables.items[i], &file);
		*ret_origin = file ? mem_printf("%s in %s", variables.items[i], file)
				   : mem_strdup(variables.items[i]);
		return 0;
	}
	return 0;
}

void twin_remember(struct context *context, struct conn *conn)
{
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	CLEANUP(mem_cleanup) char *key = server_key(&context->target);
	CLEANUP(mem_cleanup) char *known = NULL;
	CLEANUP(mem_cleanup) char *identifier = NULL;

	if (!target_is_protected(&context->target) ||
		known_get(KIND_SERVER, key, KNOWN_SECONDS / 2, &known) ||
		server_identifier(conn, &identifier, &ignored) != 0)
		return;
	known_put(KIND_SERVER, key, identifier);
}
