#include "app/private_server.h"

#include "base/mem.h"

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
