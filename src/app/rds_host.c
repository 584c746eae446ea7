#include "app/rds_host.h"

#include "app/companion.h"
#include "app/rds_failure.h"
#include "aws/rds.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/rds_endpoint.h"

#include <jansson.h>
#include <string.h>

#define STATUS_TIMEOUT_MS 3000
#define MAX_ADDRESSES 8

/* The value of "status" in what rds-status printed; the caller owns it. NULL: none. */
static char *read_status(const struct strbuf *json)
{
	json_t *instance = json_loadb(json->data, json->length, JSON_REJECT_DUPLICATES, NULL);
	char *status = mem_strdup(json_string_value(json_object_get(instance, "status")));

	json_decref(instance);
	return status;
}

/* NULL when it cannot be known: without credentials, without a network. The caller owns it. */
static char *ask_status(const struct context *context, const char *id, const char *region)
{
	CLEANUP(strlist_release) struct strlist arguments = STRLIST_INIT;
	CLEANUP(companion_answer_release) struct companion_answer answer = COMPANION_ANSWER_INIT;
	CLEANUP(err_release) struct err ignored = ERR_INIT;

	strlist_add(&arguments, "-q");
	strlist_add(&arguments, "--json");
	strlist_addf(&arguments, "--instance=%s", id);
	strlist_addf(&arguments, "--region=%s", region);
	if (companion_run(
		    context, "rds-status", &arguments, STATUS_TIMEOUT_MS, &answer, &ignored) != 0 ||
		answer.status != 0)
		return NULL;
	return read_status(&answer.output);
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
			facts.address_count =
				address_look_up(address ? address : host, addresses, MAX_ADDRESSES);
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
