/* Targets on Amazon RDS: TLS that verifies the server, and sign-in with IAM tokens. */
#include "base/file.h"
#include "base/mem.h"
#include "base/rds_endpoint.h"
#include "pg/target_internal.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

static bool has_rds_host(const struct params *params)
{
	const char *host = params_get(params, "host");

	while (host) {
		size_t length = strcspn(host, ",");

		if (rds_is_host(host, length))
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

static int no_such_bundle(const char *bundle, const char *variable, struct err *err)
{
	err_set(err, ERR_USAGE, "the RDS CA bundle \"%s\" does not exist", bundle);
	err_detail(err, "%s names it.", variable);
	err_hint(err,
		"Install it there with rds-ca-bundle --output, or correct %s. Unset, the one is "
		"used that rds-ca-bundle installs without --output.",
		variable);
	return -1;
}

/* The system's authorities; a libpq older than 16 takes the word for the name of a file. */
static bool is_system(const char *bundle)
{
	return strcmp(bundle, "system") == 0 && PQlibVersion() >= 160000;
}

char *target_ca_variable(const struct env *env, const char *variable, const char **ret_file)
{
	const char *file;
	const char *value = env_get(env, variable, &file);
	const char *slash = file ? strrchr(file, '/') : NULL;

	if (ret_file)
		*ret_file = file;
	if (!value || !slash || value[0] == '/' || strcmp(value, "system") == 0)
		return mem_strdup(value);
	return mem_printf("%.*s%s", (int)(slash - file + 1), file, value);
}

static void note(struct target *target, const char *variable, const char *file)
{
	mem_free(target->project_ca);
	target->project_ca = mem_printf("%s in %s", variable, file);
}

void target_note_ca(struct target *target, const char *variable, const char *file)
{
	const char *root = params_get(&target->params, "sslrootcert");

	/* A service file may name a root certificate as the URL may. */
	if (file && ((root && !is_system(root)) || params_get(&target->params, "servicefile")))
		note(target, variable, file);
}

/*
 * RDS certificates are signed by Amazon's own authorities, which no system trusts by default: the
 * bundle is needed, and without it the only honest answer is to stop. (RDS Proxy has certificates
 * that libpq's "system" knows.) One that is named has to be there.
 */
static int use_bundle(struct target *target, const struct env *env, bool required, struct err *err)
{
	struct params *params = &target->params;
	static const char *const variables[] = { "PGSSLROOTCERT", "RDS_CA_BUNDLE" };
	CLEANUP(mem_cleanup) char *installed = target_bundle_path();

	if (params_get(params, "sslrootcert"))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		const char *file;
		CLEANUP(mem_cleanup) char *bundle = target_ca_variable(env, variables[i], &file);

		if (!bundle)
			continue;
		if (strcmp(bundle, "system") != 0 && !path_exists(bundle))
			return no_such_bundle(bundle, variables[i], err);
		if (file && !is_system(bundle))
			note(target, variables[i], file);
		params_set(params, "sslrootcert", bundle);
		return 0;
	}
	if (installed && path_exists(installed)) {
		params_set(params, "sslrootcert", installed);
		return 0;
	}
	return required ? no_bundle(params, err) : 0;
}

/* A certificate is for the name without the root's dot, which DNS takes at its end. */
static void strip_dots(struct params *params)
{
	CLEANUP(strbuf_release) struct strbuf hosts = STRBUF_INIT;
	const char *host = params_get(params, "host");

	for (;;) {
		size_t length = strcspn(host, ",");
		bool dot = length > 0 && host[length - 1] == '.' && rds_is_host(host, length);

		strbuf_add(&hosts, host, length - dot);
		if (!host[length])
			break;
		strbuf_addc(&hosts, ',');
		host += length + 1;
	}
	params_set(params, "host", hosts.data);
}

int target_require_verified_tls(struct target *target, const struct env *env, struct err *err)
{
	struct params *params = &target->params;
	const char *mode = params_get(params, "sslmode");

	if (!has_rds_host(params))
		return 0;
	strip_dots(params);
	/* libpq does not see the one of .env. */
	if (!mode)
		mode = env_get(env, "PGSSLMODE", NULL);
	if (!mode) {
		params_set(params, "sslmode", "verify-full");
		return use_bundle(target, env, true, err);
	}
	if (!params_get(params, "sslmode"))
		params_set(params, "sslmode", mode);
	/* Who asks for it may have libpq's own root.crt: then there is no need for a bundle. */
	if (strcmp(mode, "verify-full") == 0 || strcmp(mode, "verify-ca") == 0)
		return use_bundle(target, env, false, err);
	return 0;
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

/*
 * With hostaddr a URL sends the endpoint's token to any machine; only the certificate tells that it
 * is not AWS's. Who wrote the one must not choose what verifies the other.
 */
static int refuse_project_ca(const struct target *target, const char *variable, struct err *err)
{
	if (!target->project_ca)
		return 0;
	err_set(err, ERR_USAGE, "%s=iam does not take a CA bundle from .env", variable);
	err_detail(err,
		"%s chooses what the server is verified with, and so who could get the token: "
		"that is the user's to say, not a project's.",
		target->project_ca);
	err_hint(err, "Take it out and install Amazon's bundle with rds-ca-bundle, or set "
		      "RDS_CA_BUNDLE in the environment.");
	return -1;
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
	if (refuse_project_ca(target, variable, err) != 0)
		return -1;
	params_set(&target->params, "password", NULL);
	params_set(&target->params, "gssencmode", "disable");
	return 0;
}
