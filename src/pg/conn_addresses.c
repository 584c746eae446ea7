/* What libpq would look up, and wait for whatever time and signals say. */
#include "base/address.h"
#include "base/mem.h"
#include "base/message.h"
#include "base/resolve.h"
#include "pg/conn_internal.h"
#include "pg/probe.h"

#include <string.h>

/* "disable" is what libpq does without being told, and does not know before version 16. */
static bool balances(const struct params *params)
{
	CLEANUP(mem_cleanup) char *mode = probe_param(params, "load_balance_hosts");

	return mode && strcmp(mode, "disable") != 0;
}

/* The name, which the caller owns; NULL: there is nothing to be looked up here. */
static char *name_of(const struct params *params)
{
	CLEANUP(mem_cleanup) char *host = probe_param(params, "host");
	CLEANUP(mem_cleanup) char *address = NULL;
	struct address parsed;

	if (!host || host[0] == '/' || host[0] == '@' || strchr(host, ',') ||
		address_parse(host, strlen(host), &parsed))
		return NULL;
	address = probe_param(params, "hostaddr");
	return address || balances(params) ? NULL : take_ptr(host);
}

int conn_look_up(const struct params *params, int64_t deadline, struct strlist *addresses,
	char **ret_reason, struct err *err)
{
	CLEANUP(mem_cleanup) char *name = name_of(params);
	CLEANUP(mem_cleanup) char *reason = NULL;
	CLEANUP(resolve_cleanup) struct addrinfo *list = NULL;
	char text[NI_MAXHOST];
	int result;

	if (!name)
		return 0;
	result = resolve(name, NULL, deadline, &list, &reason, err);
	if (result > 0)
		*ret_reason = message_format(
			"could not translate host name \"%s\" to address: %s", name, reason);
	for (const struct addrinfo *item = list; item; item = item->ai_next)
		strlist_add(addresses, resolve_text(item, text, sizeof(text)));
	return result;
}

const char *conn_public_address(const struct conn *conn)
{
	const char *text = PQhostaddr(conn->pg);
	struct address address;

	return text && address_parse(text, strlen(text), &address) &&
			       address_is_global(&address, NULL)
		       ? text
		       : NULL;
}
