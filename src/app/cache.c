#include "app/cache.h"

#include "base/address.h"
#include "base/mem.h"
#include "term/out.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Changes whenever a result made by an older dbrig must not be taken by a newer one. */
#define CACHE_FORMAT "dbrig result 1"

/*
 * What copying costs: a fixed part, and one for each MB that is more than what is measured where
 * fsync is on (research on PostgreSQL 15: 12 ms for an empty database, 1.4 to 2.4 ms for a MB).
 */
#define COPY_FIXED_US 20000
#define COPY_US_PER_MB 2000
/* A copy may cost this part of a load that is seen for the first time. */
#define COPY_PART 8
/* And the load has to be worth it. */
#define LOAD_US 200000

static bool opt_cache;
static bool opt_no_cache;
static bool opt_cached_seed;
static bool opt_no_spare;
static bool opt_wait_drop;

const struct option cache_options[] = {
	{ .name = "cached-seed",
		.type = OPTION_FLAG,
		.value = &opt_cached_seed,
		.help = "keep the data of a seed too that calls now(), random() and the like: they "
			"stay as they were when it ran" },
	{ .name = "no-cache",
		.type = OPTION_FLAG,
		.value = &opt_no_cache,
		.help = "run schema and seed even if nothing has changed, and keep no copy" },
	{ .name = "cache",
		.type = OPTION_FLAG,
		.value = &opt_cache,
		.help = "keep copies also on a protected target or another machine's server" },
	{ .name = "no-spare",
		.type = OPTION_FLAG,
		.value = &opt_no_spare,
		.help = "prepare no copy for the next reset in the background; so by default when "
			"CI is set" },
	{ .name = "wait-drop",
		.type = OPTION_FLAG,
		.value = &opt_wait_drop,
		.help = "return when the old database is dropped, not already when the new one is "
			"ready" },
	{ 0 },
};

const struct variable cache_variables[] = {
	{ "DB_CACHE", "off: as --no-cache; on: as --cache." },
	{ "CI", "When it is set to anything but false, no spare is prepared." },
	{ 0 },
};

static bool is_loopback_host(const char *host, size_t length)
{
	struct address address;

	/* The directory of a Unix socket, or an abstract one. */
	if (length == 0 || host[0] == '/' || host[0] == '@')
		return true;
	if (length == strlen("localhost") && strncasecmp(host, "localhost", length) == 0)
		return true;
	return address_parse(host, length, &address) && address_is_loopback(&address);
}

/* Every host of the list is this machine; "": a socket. */
static bool are_loopback(const char *hosts)
{
	for (;;) {
		size_t length = strcspn(hosts, ",");

		if (!is_loopback_host(hosts, length))
			return false;
		if (hosts[length] == '\0')
			return true;
		hosts += length + 1;
	}
}

static bool is_here(const struct target *target)
{
	const char *host = params_get(&target->params, "host");
	const char *address = params_get(&target->params, "hostaddr");

	if (target->is_private)
		return true;
	if (!address)
		address = getenv("PGHOSTADDR");
	if (address && *address)
		return are_loopback(address);
	/* Without a host libpq looks for one in the environment. */
	if (!host && (getenv("PGSERVICE") || params_get(&target->params, "service")))
		return false;
	if (!host)
		host = getenv("PGHOST");
	return are_loopback(host ? host : "");
}

static bool says(const char *value, const char *const *words)
{
	for (; *words; words++)
		if (strcasecmp(value, *words) == 0)
			return true;
	return false;
}

/* DB_CACHE, from the environment or .env: 1, 0, or -1 for neither. */
static int read_variable(const struct context *context, int *ret_on, struct err *err)
{
	static const char *const on[] = { "on", "yes", "true", "1", NULL };
	static const char *const off[] = { "off", "no", "false", "0", NULL };
	const char *value = env_get(&context->env, "DB_CACHE", NULL);

	*ret_on = -1;
	if (!value || !*value)
		return 0;
	if (says(value, on))
		*ret_on = 1;
	else if (says(value, off))
		*ret_on = 0;
	else
		return err_set(err, ERR_USAGE, "DB_CACHE is \"%s\", neither on nor off", value);
	return 0;
}

static bool in_ci(void)
{
	const char *value = getenv("CI");

	return value && *value && strcasecmp(value, "false") != 0;
}

int cache_policy(const struct context *context, struct cache_policy *policy, struct err *err)
{
	const bool is_protected = target_is_protected(&context->target);
	int variable;

	if (opt_cache && opt_no_cache)
		return err_set(err, ERR_USAGE, "--cache and --no-cache exclude each other");
	if (opt_cached_seed && opt_no_cache)
		return err_set(err, ERR_USAGE, "--cached-seed and --no-cache exclude each other");
	if (read_variable(context, &variable, err) != 0)
		return -1;
	*policy = (struct cache_policy){
		.spare = !opt_no_spare && !in_ci(),
		.frozen_seed = opt_cached_seed,
	};
	/* Without a spare nothing is left running. */
	policy->wait_drop = opt_wait_drop || !policy->spare || is_protected;
	if (opt_cache || opt_no_cache)
		policy->on = opt_cache;
	else if (variable >= 0)
		policy->on = variable;
	else
		policy->on = !is_protected && is_here(&context->target);
	policy->asked = opt_cache || variable == 1;
	policy->forget = opt_no_cache || variable == 0;
	if (opt_cached_seed && !policy->on)
		out_warning("--cached-seed has no effect: on this target copies are kept only with "
			    "--cache");
	return 0;
}

/*
 * What libpq asks of a session by itself and the server does not tell of a maintenance connection,
 * which has an encoding of its own.
 */
static void add_session(struct digest *digest, const struct target *target)
{
	static const char *const variables[] = { "PGCLIENTENCODING", "PGDATESTYLE", "PGTZ",
		"PGGEQO", "PGOPTIONS" };
	static const char *const keywords[] = { "client_encoding", "options" };

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		digest_add_text(digest, getenv(variables[i]));
	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
		digest_add_text(digest, params_get(&target->params, keywords[i]));
}

int cache_keys(struct conn *conn, const struct target *target, const struct scripts *schema,
	const struct scripts *seed, struct cache_keys *keys, struct err *err)
{
	CLEANUP(digest_release) struct digest digest = DIGEST_INIT;
	char server[DIGEST_HEX_SIZE];

	if (server_fingerprint(conn,
		    schema->inputs.wants_extensions || seed->inputs.wants_extensions, server,
		    err) != 0)
		return -1;
	digest_add_text(&digest, CACHE_FORMAT);
	digest_add_text(&digest, server);
	add_session(&digest, target);
	digest_add_text(&digest, schema->inputs.key);
	digest_end(&digest, keys->schema);
	digest_add_text(&digest, keys->schema);
	digest_add_text(&digest, seed->inputs.key);
	digest_end(&digest, keys->full);
	return 0;
}

static bool fits(
	const struct mark *mark, const struct cache_keys *keys, const struct cache_policy *policy)
{
	/* Data that vary are only for who asks for them. */
	return strcmp(mark->key, mark->seeded ? keys->full : keys->schema) == 0 &&
	       (mark->data_at == 0 || policy->frozen_seed);
}

bool cache_has_any(const struct siblings *siblings)
{
	return siblings_get(siblings, MARK_TEMPLATE, NULL) ||
	       siblings_get(siblings, MARK_SPARE, NULL);
}

const struct sibling *cache_find(const struct siblings *siblings, const struct cache_keys *keys,
	const struct cache_policy *policy, bool seeded)
{
	const struct sibling *found = NULL;

	for (size_t i = 0; i < siblings->count; i++) {
		const struct sibling *sibling = &siblings->items[i];
		const struct mark *mark = &sibling->mark;

		/* One that takes connections may have been changed. */
		if ((mark->kind != MARK_SPARE && mark->kind != MARK_TEMPLATE) ||
			!sibling->is_owner || sibling->invalid || sibling->allows_connections ||
			!fits(mark, keys, policy) || (seeded && !mark->seeded))
			continue;
		/* What holds the seed too is nearer to the end; then a spare is nearer than a
		 * template. */
		if (!found || (mark->seeded && !found->mark.seeded) ||
			(mark->seeded == found->mark.seeded && mark->kind == MARK_SPARE))
			found = sibling;
	}
	return found;
}

bool cache_is_stale(const struct mark *mark, const char *schema_key, const char *full_key)
{
	return strcmp(mark->key, mark->seeded ? full_key : schema_key) != 0;
}

bool cache_is_worth(int64_t load_us, int64_t size, bool again)
{
	const int64_t copy_us = COPY_FIXED_US + size / (1 << 20) * COPY_US_PER_MB;

	if (again)
		return true;
	return load_us > LOAD_US && copy_us < load_us / COPY_PART;
}
