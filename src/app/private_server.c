#include "app/private_server.h"

#include "app/twin_way.h"
#include "base/file.h"
#include "base/mem.h"
#include "pg/protected_url.h"

#include <stdio.h>
#include <string.h>

static bool is_at(struct conn *conn, const char *host, const char *port)
{
	PGconn *pg = conn_pg(conn);
	const char *its_host = PQhost(pg), *its_port = PQport(pg);

	return its_host && host && strcmp(its_host, host) == 0 && its_port && port &&
	       strcmp(its_port, port) == 0;
}

/* As db-server has it: of a server that runs, where it listens. */
static char *find(const struct context *context, struct conn *conn)
{
	CLEANUP(server_release) struct server server = { 0 };
	CLEANUP(server_state_release) struct server_state state = { 0 };
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	char port[16];

	if (server_locate(&server, &context->env, context->root, &ignored) != 0 ||
		server_inspect(&server, &state, &ignored) != 0 || !state.running)
		return NULL;
	snprintf(port, sizeof(port), "%d", server.port);
	return is_at(conn, server.socket_dir, port) ? take_ptr(server.directory) : NULL;
}

char *private_server_of(const struct context *context, struct conn *conn)
{
	const struct target *target = &context->target;
	const char *host = PQhost(conn_pg(conn));

	if (target->is_private && is_at(conn, params_get(&target->params, "host"),
					  params_get(&target->params, "port")))
		return mem_strdup(target->server.directory);
	/* Others are not looked for in vain. */
	return !target->is_private && context->root && host && *host == '/' ? find(context, conn)
									    : NULL;
}

/* --- by the URLs of protected targets -------------------------------------------------------- */

static bool has_place(const struct probe *probe, const struct server *server)
{
	char port[16];

	snprintf(port, sizeof(port), "%d", server->port);
	for (size_t i = 0; i < probe->place_count; i++) {
		const struct probe_place *place = &probe->places[i];

		if (place->is_socket && strcmp(place->port, port) == 0 &&
			path_is_same(place->host, server->socket_dir))
			return true;
	}
	return false;
}

/* The database it names, the caller's; NULL: the URL leads elsewhere, or cannot be read. */
static char *database_there(
	const struct context *context, const char *name, const struct env_value *url)
{
	CLEANUP(target_release) struct target target = TARGET_INIT;
	CLEANUP(probe_release) struct probe probe = PROBE_INIT;
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	CLEANUP(mem_cleanup_secret) char *plain = protected_url_plain(url->value);
	struct env_value read = *url;

	if (plain)
		read.value = plain;
	if (target_read_value(&target, name, &context->env, &read, &ignored) != 0 ||
		probe_places(&probe, &target.params, &ignored) != 0 ||
		!has_place(&probe, &context->target.server))
		return NULL;
	return twin_database(&context->env, &target);
}

void private_server_named(
	const struct context *context, struct strlist *databases, struct strlist *origins)
{
	CLEANUP(env_values_release) struct env_values values = ENV_VALUES_INIT;

	env_values(&context->env, &values);
	for (size_t i = 0; i < values.count; i++) {
		const struct env_value *url = &values.items[i];
		CLEANUP(mem_cleanup) char *name = protected_url_target(&values, i);
		CLEANUP(mem_cleanup)
		char *database = name ? database_there(context, name, url) : NULL;
		CLEANUP(mem_cleanup) char *origin = NULL;

		if (!database || strlist_has(databases, database))
			continue;
		origin = env_origin(url->name, url->file);
		strlist_add(databases, database);
		strlist_add(origins, origin);
	}
}
