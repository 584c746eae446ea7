#include "app/twin_way.h"

#include "base/address.h"
#include "base/clock.h"
#include "base/interfaces.h"
#include "base/mem.h"
#include "base/resolve.h"
#include "base/strbuf.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define ASK_MS 3000

#define ADDRESSES_MOST 16

char *twin_database(const struct env *env, const struct target *target)
{
	static const char *const keywords[][2] = { { "dbname", "PGDATABASE" },
		{ "user", "PGUSER" } };

	if (target->database)
		return mem_strdup(target->database);
	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++) {
		const char *set = params_get(&target->params, keywords[i][0]);
		char *value;

		if (!set)
			set = env_get(env, keywords[i][1], NULL);
		value = set ? mem_strdup(set) : probe_param(&target->params, keywords[i][0]);
		if (value)
			return value;
	}
	return NULL;
}

char *twin_key(const struct params *params, const char *database, const struct probe *probe)
{
	CLEANUP(strbuf_release) struct strbuf key = STRBUF_INIT_UNBOUNDED;
	CLEANUP(mem_cleanup) char *user = probe_param(params, "user");

	strbuf_addf(&key, "%s\n%s", user ? user : "", database ? database : "");
	for (size_t i = 0; i < probe->place_count; i++) {
		const struct probe_place *place = &probe->places[i];

		strbuf_addf(&key, "\n%s\n%s\n%s", place->host, place->address ? place->address : "",
			place->port);
	}
	return strbuf_detach(&key);
}

static bool is_socket(const char *host)
{
	return host[0] == '/' || host[0] == '@';
}

/* Of this machine, by name or address. */
static bool is_own(const struct probe_place *place)
{
	const char *text = place->address ? place->address : place->host;
	struct address address;

	if (!address_parse(text, strlen(text), &address))
		return strcasecmp(text, "localhost") == 0;
	return interfaces_have(&address);
}

bool twin_is_local(const struct probe *probe)
{
	for (size_t i = 0; i < probe->place_count; i++)
		if (probe->places[i].is_socket || is_own(&probe->places[i]))
			return true;
	return false;
}

int64_t twin_deadline(int64_t *deadline)
{
	if (*deadline == 0)
		*deadline = clock_ms() + ASK_MS;
	return *deadline;
}

/* Whether the place has the address that conn is connected to; names are looked up until then. */
static bool has_address(const struct probe_place *place, PGconn *pg, int64_t *deadline)
{
	const char *text = PQhostaddr(pg), *theirs = place->address ? place->address : place->host;
	struct address ours, addresses[ADDRESSES_MOST];
	size_t count;

	if (!text || !*text || place->is_socket || !address_parse(text, strlen(text), &ours))
		return false;
	if (address_parse(theirs, strlen(theirs), &addresses[0]))
		return address_equal(&ours, &addresses[0]);
	count = deadline ? resolve_addresses(
				   theirs, twin_deadline(deadline), addresses, ADDRESSES_MOST)
			 : 0;
	for (size_t i = 0; i < count; i++)
		if (address_equal(&ours, &addresses[i]))
			return true;
	return false;
}

bool twin_is_same_place(const struct probe *probe, struct conn *conn, int64_t *deadline)
{
	PGconn *pg = conn_pg(conn);
	const char *host = PQhost(pg);

	for (size_t i = 0; i < probe->place_count; i++) {
		const struct probe_place *place = &probe->places[i];

		if (strcmp(place->port, PQport(pg)) == 0 &&
			((host && !place->address && strcasecmp(place->host, host) == 0) ||
				has_address(place, pg, deadline)))
			return true;
	}
	return false;
}

/* One of them with our port on this machine, where we are too. any: also by the same kind of way.
 */
static bool is_near(const struct probe *probe, struct conn *conn, bool any)
{
	PGconn *pg = conn_pg(conn);
	const char *host = PQhost(pg), *address = PQhostaddr(pg);
	const bool on_socket = host && is_socket(host);
	struct probe_place own = { .host = mem_strdup(host ? host : ""),
		.address = address && *address ? mem_strdup(address) : NULL };
	const bool on_own_address = !on_socket && is_own(&own);

	mem_free(own.host);
	mem_free(own.address);
	for (size_t i = 0; i < probe->place_count; i++) {
		const struct probe_place *place = &probe->places[i];

		if (strcmp(place->port, PQport(pg)) == 0 &&
			((on_socket && (is_own(place) || (any && place->is_socket))) ||
				(on_own_address && (place->is_socket || (any && is_own(place))))))
			return true;
	}
	return false;
}

bool twin_is_near(const struct probe *probe, struct conn *conn)
{
	return is_near(probe, conn, false);
}

bool twin_is_one_of_several(const struct probe *probe, struct conn *conn)
{
	return probe->place_count > 1 && is_near(probe, conn, true);
}

/* *name without what stands before and behind its letters and digits; the length. */
static size_t trim(const char **name)
{
	size_t length;

	while (**name && !isalnum((unsigned char)**name))
		(*name)++;
	for (length = strlen(*name); length > 0 && !isalnum((unsigned char)(*name)[length - 1]);)
		length--;
	return length;
}

/* Of another word: shop_production, shop2. What is no ASCII is most likely a letter. */
static bool goes_on(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || (unsigned char)c >= 0x80;
}

bool twin_is_misspelt(const char *missing, const char *own)
{
	const size_t own_length = strlen(own);
	size_t length;

	if (missing[strcspn(missing, "${}<>")])
		return true;
	if (strncasecmp(missing, own, own_length) == 0 && missing[own_length] &&
		!goes_on(missing[own_length]))
		return true;
	length = trim(&missing);
	return length == trim(&own) && length > 0 && strncasecmp(missing, own, length) == 0;
}
