#include "app/rds_host.h"

#include "app/companion.h"
#include "app/rds_failure.h"
#include "aws/rds.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/rds_endpoint.h"
#include "base/resolve.h"

#include <jansson.h>
#include <string.h>

#define STATUS_TIMEOUT_MS 3000
#define MAX_ADDRESSES 8
#define LOOK_UP_MS 2000

/*
 * What rds-status prints as JSON; *ret_object is the caller's. Fails when it cannot be known:
 * without credentials, without a network.
 */
static int ask(const struct context *context, const char *id, const char *region, bool snapshots,
	int64_t timeout_ms, json_t **ret_object, struct err *err)
{
	CLEANUP(strlist_release) struct strlist arguments = STRLIST_INIT;
	CLEANUP(companion_answer_release) struct companion_answer answer = COMPANION_ANSWER_INIT;
	json_t *object;

	strlist_add(&arguments, "-q");
	strlist_add(&arguments, "--json");
	strlist_addf(&arguments, "--instance=%s", id);
	strlist_addf(&arguments, "--region=%s", region);
	if (snapshots)
		strlist_add(&arguments, "--snapshots");
	if (companion_run(context, "rds-status", &arguments, timeout_ms, &answer, err) != 0)
		return -1;
	if (answer.status != 0)
		return companion_failed(
			&answer, "rds-status", err, "could not get the status of \"%s\"", id);
	object = json_loadb(answer.output.data, answer.output.length, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(object)) {
		json_decref(object);
		return err_set(err, ERR_FAILED, "what rds-status printed is not its JSON");
	}
	*ret_object = object;
	return 0;
}

/* A text in what rds-status printed; the caller owns it. NULL: none. */
static char *copy_member(const json_t *object, const char *name)
{
	return mem_strdup(json_string_value(json_object_get(object, name)));
}

/* NULL when it cannot be known. The caller owns it. */
static char *ask_status(const struct context *context, const char *id, const char *region)
{
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	json_t *instance = NULL;
	char *status;

	if (ask(context, id, region, false, STATUS_TIMEOUT_MS, &instance, &ignored) != 0)
		return NULL;
	status = copy_member(instance, "status");
	json_decref(instance);
	return status;
}

/*
 * Where the file of CA certificates was named; NULL: nowhere, it is the one that rds-ca-bundle
 * installs or libpq's own. The caller owns it.
 */
static char *name_root(const struct context *context, const char **ret_root)
{
	static const char *const variables[] = { "PGSSLROOTCERT", "RDS_CA_BUNDLE" };
	CLEANUP(mem_cleanup) char *installed = target_bundle_path();

	*ret_root = params_get(&context->target.params, "sslrootcert");
	if (!*ret_root || (installed && strcmp(*ret_root, installed) == 0)) {
		*ret_root = NULL;
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		CLEANUP(mem_cleanup)
		char *value = target_ca_variable(&context->env, variables[i], NULL);

		if (value && strcmp(value, *ret_root) == 0)
			return mem_strdup(variables[i]);
	}
	return mem_printf("sslrootcert in %s", context->target.origin);
}

static void explain(const struct context *context, enum rds_cause cause, struct err *err)
{
	const struct params *params = &context->target.params;
	const char *host = params_get(params, "host");
	const char *address = params_get(params, "hostaddr");
	CLEANUP(mem_cleanup) char *variable = target_auth_variable(context->target.name);
	CLEANUP(mem_cleanup) char *id = NULL;
	CLEANUP(mem_cleanup) char *region = NULL;
	CLEANUP(mem_cleanup) char *status = NULL;
	CLEANUP(mem_cleanup) char *root_origin = NULL;
	struct address addresses[MAX_ADDRESSES];
	struct rds_facts facts = {
		.host = host,
		.port = params_get(params, "port"),
		.user = params_get(params, "user"),
		.variable = variable,
		.is_iam = context->target.is_iam,
		.addresses = addresses,
	};

	root_origin = name_root(context, &facts.root);
	facts.root_origin = root_origin;
	if (rds_cause_is_unreached(cause)) {
		if (rds_parse_host(host, &id, &region) && id)
			status = ask_status(context, id, region);
		facts.id = id;
		facts.region = region;
		facts.status = status;
		if (cause != RDS_CAUSE_UNKNOWN_HOST)
			facts.address_count = resolve_addresses(address ? address : host,
				clock_ms() + LOOK_UP_MS, addresses, MAX_ADDRESSES);
	}
	rds_failure_explain(cause, &facts, err);
}

void rds_host_explain(const struct context *context, struct err *err)
{
	const char *host = params_get(&context->target.params, "host");
	enum rds_cause cause;

	/* Of several hosts it is not known which one the error is about. */
	if ((err->kind != ERR_CONNECT && err->kind != ERR_TIMEOUT) || interrupt_seen() ||
		!target_is_rds(&context->target) || strchr(host, ','))
		return;
	cause = rds_failure_cause(err);
	if (cause != RDS_CAUSE_OTHER)
		explain(context, cause, err);
}

/* --- backups ---------------------------------------------------------------------------------- */

void rds_backups_release(struct rds_backups *backups)
{
	mem_free(backups->snapshot);
	mem_free(backups->type);
	mem_free(backups->restorable);
	mem_free(backups->denied);
	*backups = (struct rds_backups)RDS_BACKUPS_INIT;
}

static int64_t read_age(const json_t *object, const char *name)
{
	const json_t *age = json_object_get(object, name);

	return json_is_integer(age) ? (int64_t)json_integer_value(age) : -1;
}

int rds_host_backups(const struct context *context, int64_t timeout_ms,
	struct rds_backups *ret_backups, struct err *err)
{
	const char *host = params_get(&context->target.params, "host");
	CLEANUP(mem_cleanup) char *id = NULL;
	CLEANUP(mem_cleanup) char *region = NULL;
	json_t *instance = NULL, *last;

	if (strchr(host, ','))
		return err_set(err, ERR_FAILED, "the URL names several hosts");
	if (!rds_parse_host(host, &id, &region) || !id)
		return err_set(err, ERR_FAILED,
			"the host is the endpoint of a cluster or a proxy, not of an instance");
	if (ask(context, id, region, true, timeout_ms, &instance, err) != 0)
		return -1;
	last = json_object_get(instance, "last_snapshot");
	*ret_backups = (struct rds_backups){
		.snapshot = copy_member(last, "snapshot"),
		.type = copy_member(last, "type"),
		.snapshot_age = read_age(last, "age_seconds"),
		.restorable = copy_member(instance, "restorable_to"),
		.restorable_age = read_age(instance, "restorable_age_seconds"),
		.denied = copy_member(instance, "snapshots_denied"),
	};
	json_decref(instance);
	return 0;
}
