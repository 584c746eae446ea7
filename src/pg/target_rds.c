/* Targets on Amazon RDS: TLS that verifies the server, and sign-in with IAM tokens. */
#include "base/file.h"
#include "base/mem.h"
#include "pg/target_internal.h"

#include <stdlib.h>
#include <string.h>

static bool ends_with(const char *text, size_t length, const char *suffix)
{
	size_t size = strlen(suffix);

	return length > size && strncasecmp(text + length - size, suffix, size) == 0;
}

static bool is_rds_host(const char *host, size_t length)
{
	/* DNS takes a dot at the end. */
	while (length > 0 && host[length - 1] == '.')
		length--;
	/* In China the region stands behind "rds". */
	return ends_with(host, length, ".rds.amazonaws.com") ||
	       ends_with(host, length, ".rds.cn-north-1.amazonaws.com.cn") ||
	       ends_with(host, length, ".rds.cn-northwest-1.amazonaws.com.cn");
}

static bool has_rds_host(const struct params *params)
{
	const char *host = params_get(params, "host");

	while (host) {
		size_t length = strcspn(host, ",");

		if (is_rds_host(host, length))
			return true;
		host = host[length] ? host + length + 1 : NULL;
	}
	return false;
}

bool target_is_rds(const struct target *target)
{
	return has_rds_host(&target->params);
}

/* --- TLS ------------------------------------------------------------------------------------- */

char *target_bundle_path(void)
{
	/* Not from .env: the place is the user's, not a project's. */
	const char *data = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");

	/* The XDG specification has relative paths ignored. */
	if (data && *data == '/')
		return mem_printf("%s/dbrig/rds-ca-bundle.pem", data);
	if (home && *home)
		return mem_printf("%s/.local/share/dbrig/rds-ca-bundle.pem", home);
	return NULL;
}

static int no_bundle(const struct params *params, struct err *err)
{
	err_set(err, ERR_USAGE, "no CA bundle to verify the RDS server with");
	err_detail(err,
		"Connections to %s are encrypted and verified (sslmode=verify-full) unless the "
		"URL says otherwise.",
		params_get(params, "host"));
	err_hint(err, "Install it with rds-ca-bundle, or set RDS_CA_BUNDLE to the path of one.");
	return -1;
}

static int no_such_bundle(const char *bundle, struct err *err)
{
	err_set(err, ERR_USAGE, "the RDS CA bundle \"%s\" does not exist", bundle);
	err_hint(err, "Install it there with rds-ca-bundle --output, or unset RDS_CA_BUNDLE and "
		      "PGSSLROOTCERT and install it with rds-ca-bundle.");
	return -1;
}

/*
 * RDS certificates are signed by Amazon's own authorities, which no system trusts by default: the
 * bundle is needed, and without it the only honest answer is to stop. (RDS Proxy has certificates
 * that libpq's "system" knows.)
 */
static int use_bundle(struct params *params, const struct env *env, bool required, struct err *err)
{
	const char *bundle = env_get(env, "PGSSLROOTCERT", NULL);
	CLEANUP(mem_cleanup) char *installed = target_bundle_path();

	if (params_get(params, "sslrootcert"))
		return 0;
	if (!bundle)
		bundle = env_get(env, "RDS_CA_BUNDLE", NULL);
	if (!bundle && installed && path_exists(installed))
		bundle = installed;
	if (bundle && (strcmp(bundle, "system") == 0 || path_exists(bundle))) {
		params_set(params, "sslrootcert", bundle);
		return 0;
	}
	if (!required)
		return 0;
	return bundle ? no_such_bundle(bundle, err) : no_bundle(params, err);
}

int target_require_verified_tls(struct params *params, const struct env *env, struct err *err)
{
	const char *mode = params_get(params, "sslmode");

	if (!has_rds_host(params))
		return 0;
	/* libpq does not see the one of .env. */
	if (!mode)
		mode = env_get(env, "PGSSLMODE", NULL);
	if (!mode) {
		params_set(params, "sslmode", "verify-full");
		return use_bundle(params, env, true, err);
	}
	if (!params_get(params, "sslmode"))
		params_set(params, "sslmode", mode);
	/* Who asks for it may have libpq's own root.crt: then there is no need for a bundle. */
	return strcmp(mode, "verify-full") == 0 ? use_bundle(params, env, false, err) : 0;
}

/* --- IAM ------------------------------------------------------------------------------------- */

int target_read_auth(struct target *target, const struct env *env, struct err *err)
{
	CLEANUP(mem_cleanup) char *variable = target_auth_variable(target->name);
	const char *value = env_get(env, variable, NULL);

	if (!value || strcmp(value, "password") == 0)
		return 0;
	if (strcmp(value, "iam") != 0) {
		err_set(err, ERR_USAGE, "%s is \"%s\"", variable, value);
		err_hint(err,
			"It can be iam (a token of AWS's, fresh for each connection) or password.");
		return -1;
	}
	target->is_iam = true;
	return 0;
}

char *target_auth_variable(const char *name)
{
	if (strcmp(name, "local") == 0)
		return mem_strdup("LOCAL_AUTH");
	return target_variable(name, "AUTH");
}

int target_check_iam(struct target *target, struct err *err)
{
	const struct params *params = &target->params;
	CLEANUP(mem_cleanup) char *variable = target_auth_variable(target->name);
	const char *host = params_get(params, "host");
	const char *addresses = params_get(params, "hostaddr");
	const char *mode = params_get(params, "sslmode");

	if ((host && strchr(host, ',')) || (addresses && strchr(addresses, ','))) {
		err_set(err, ERR_USAGE, "%s=iam cannot be used with several hosts", variable);
		err_detail(err, "%s names more than one, and a token is good for one.",
			target->origin);
		err_hint(err, "Name the cluster's writer endpoint alone.");
		return -1;
	}
	if (!host || !has_rds_host(params)) {
		err_set(err, ERR_USAGE, "%s=iam needs the endpoint of an RDS instance as host",
			variable);
		err_detail(err, "A token is good for that name only; %s has another host.",
			target->origin);
		err_hint(err, "Through a tunnel keep the endpoint as host, and add its local end: "
			      "?hostaddr=127.0.0.1.");
		return -1;
	}
	if (!params_get(params, "user")) {
		err_set(err, ERR_USAGE, "%s=iam needs a user in the URL", variable);
		err_hint(err, "Write it into %s: postgresql://user@%s/database.", target->origin,
			host);
		return -1;
	}
	if (!mode || strcmp(mode, "verify-full") != 0) {
		err_set(err, ERR_USAGE, "%s=iam needs sslmode=verify-full, not %s", variable,
			mode ? mode : "less");
		err_detail(err, "A token is as good as a password, for whoever gets it.");
		err_hint(err, "Take sslmode out of the URL, or PGSSLMODE out of the environment.");
		return -1;
	}
	params_set(&target->params, "password", NULL);
	return 0;
}
