#include "app/alias.h"

#include "base/mem.h"
#include "pg/database.h"

#include <string.h>

int alias_refuse(const struct context *context, struct conn *conn, struct err *err)
{
	CLEANUP(mem_cleanup) char *name = NULL;
	const char *asked = PQdb(conn_pg(conn));

	if (database_own_name(conn, &name, err) != 0)
		return -1;
	if (strcmp(name, asked) == 0)
		return 0;
	err_set(err, ERR_REFUSED, "database \"%s\" is called \"%s\" on the server", asked, name);
	err_detail(err, "A pooler on the way has it under another name.");
	err_hint(err, "Name the server itself and \"%s\" in %s.", name, context->target.origin);
	return -1;
}

int alias_refuse_missing(struct context *context, struct conn *conn, struct err *err)
{
	CLEANUP(conn_cleanup) struct conn *other = NULL;
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	uint32_t oid;

	if (database_oid(conn, context->target.database, &oid, err) != 0)
		return -1;
	if (oid != 0 || context_connect(context, true, &other, &ignored) != 0)
		return 0;
	return alias_refuse(context, other, err);
}
