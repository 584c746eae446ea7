/*
 * Whether and how the result of a reset is kept for the next one: what the user allows, and the
 * keys by which a result is found again.
 */
#ifndef APP_CACHE_H
#define APP_CACHE_H

#include "app/context.h"
#include "app/scripts.h"
#include "pg/sibling.h"

/* --cache, --no-cache, --cached-seed, --no-spare, --wait-drop */
extern const struct option cache_options[];
extern const struct variable cache_variables[];

struct cache_policy {
	bool on;          /* results are looked for and kept */
	bool asked;       /* the user wants that even for a protected database */
	bool spare;       /* the next copy is made ready in the background */
	bool frozen_seed; /* also a seed that varies from run to run is kept */
	bool wait_drop;   /* what is no longer wanted is dropped before the command returns */
	bool forget;      /* what is kept is dropped */
};

/*
 * What options, DB_CACHE and the target say: off for protected targets and servers that are not on
 * this machine, unless asked for. Fails with USAGE when they contradict each other.
 */
int cache_policy(const struct context *context, struct cache_policy *policy, struct err *err);

/* What a result depends on. */
struct cache_keys {
	char schema[DIGEST_HEX_SIZE]; /* the schema's scripts and the server */
	char full[DIGEST_HEX_SIZE];   /* those and the seed's */
};

/* Asks the server; schema and seed were checked with wants_inputs. */
int cache_keys(struct conn *conn, const struct target *target, const struct scripts *schema,
	const struct scripts *seed, struct cache_keys *keys, struct err *err);

/* Whether there is any kept result, whatever it is of. */
bool cache_has_any(const struct siblings *siblings);

/*
 * The kept result to begin with: a spare, else a template; NULL: none that fits. seeded: only one
 * that holds the seed too.
 */
const struct sibling *cache_find(const struct siblings *siblings, const struct cache_keys *keys,
	const struct cache_policy *policy, bool seeded);

/* Whether a template or spare, once made for these keys (hexadecimal), has become useless. */
bool cache_is_stale(const struct mark *mark, const char *schema_key, const char *full_key);

/*
 * Whether a result that took load_us to make is worth keeping, when copying it takes about as long
 * as size bytes do: clearly cheaper than the load. again: the same reset came before.
 */
bool cache_is_worth(int64_t load_us, int64_t size, bool again);

#endif
