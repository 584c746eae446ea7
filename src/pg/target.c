#include "pg/target.h"

#include "base/mem.h"
#include "base/message.h"
#include "base/strbuf.h"
#include "pg/probe.h"
#include "pg/protected_targets.h"
#include "pg/protection.h"
#include "pg/suffix.h"
#include "pg/target_internal.h"

#include <ctype.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A URL or a connection string, where a target's name belongs. */
static bool is_connection(const char *text)
{
	return strstr(text, "://") || strchr(text, '=');
}

bool target_is_name(const char *text, size_t length)
{
	for (size_t i = 1; i < length; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '-' && text[i] != '_')
			return false;
	return length > 0 && isalpha((unsigned char)text[0]);
}

static int check_name(const char *name, struct err *err)
{
	if (!target_is_name(name, strlen(name))) {
		err_set(err, ERR_USAGE, "\"%s\" is not a target name", name);
		if (is_connection(name))
			err_hint(err, "Name a target: a word such as local, prod or test. The URL "
				      "goes into CONNECTION_URL (local) or <NAME>_CONNECTION_URL.");
		else
			err_hint(err, "A target is a word such as local, prod or test; its URL "
				      "stands in <NAME>_CONNECTION_URL.");
		return -1;
	}
	return 0;
}

char *target_variable(const char *target, const char *suffix)
{
	struct strbuf name = STRBUF_INIT;

	if (strcmp(target, "local") != 0) {
		for (; *target; target++)
			strbuf_addc(&name,
				*target == '-' ? '_' : (char)toupper((unsigned char)*target));
		strbuf_addc(&name, '_');
	}
	strbuf_adds(&name, suffix);
	return strbuf_detach(&name);
}

char *target_pool_mode_variable(const char *name)
{
	if (strcmp(name, "local") == 0)
		return mem_strdup("LOCAL_POOL_MODE");
	return target_variable(name, "POOL_MODE");
}

static int use_url(struct target *target, const char *variable, const char *url, const char *file,
	struct err *err)
{
	target->origin = env_origin(variable, file);
	if (params_parse(&target->params, target->origin, url, err) != 0)
		return -1;
	target_note_ca(target, variable, file);
	return 0;
}

/* 1 when the variable is set and was parsed, 0 when it is not set, -1 on error. */
static int try_variable(
	struct target *target, const struct env *env, const char *variable, struct err *err)
{
	const char *file;
	const char *url = env_get(env, variable, &file);

	if (!url)
		return 0;
	return use_url(target, variable, url, file, err) == 0 ? 1 : -1;
}

static const char *const libpq_triggers[] = { "PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE" };

static void set_from_file(struct target *target, const struct env *env,
	const PQconninfoOption *option, const char *value, const char *file)
{
	CLEANUP(mem_cleanup) char *path = NULL;

	if (strcmp(option->keyword, "sslrootcert") == 0)
		path = target_ca_variable(env, option->envvar, NULL);
	params_set(&target->params, option->keyword, path ? path : value);
	if (path || strcmp(option->keyword, "servicefile") == 0)
		target_note_ca(target, option->envvar, file);
}

/*
 * libpq reads its own variables from the process environment; what stands in .env only is added
 * here. PQconndefaults also resolves PGSERVICE, so it tells whether a database is named.
 */
static int try_libpq_variables(struct target *target, const struct env *env, struct err *err)
{
	bool set = false;
	PQconninfoOption *defaults;

	for (size_t i = 0; i < ARRAY_SIZE(libpq_triggers); i++)
		set = set || env_get(env, libpq_triggers[i], NULL);
	if (!set)
		return 0;
	defaults = PQconndefaults();
	if (!defaults)
		return err_set(err, ERR_USAGE, "the PG* environment variables are not valid");
	for (PQconninfoOption *option = defaults; option->keyword; option++) {
		const char *file = NULL;
		const char *value = option->envvar ? env_get(env, option->envvar, &file) : NULL;

		if (value && file)
			set_from_file(target, env, option, value, file);
		else if (params_get(&target->params, "service"))
			continue; /* one that only .env names: it goes before these defaults */
		else if (strcmp(option->keyword, "dbname") == 0)
			params_set(&target->params, "dbname", option->val);
		else if (option->val && (strcmp(option->keyword, "host") == 0 ||
						strcmp(option->keyword, "port") == 0 ||
						strcmp(option->keyword, "user") == 0))
			params_set(&target->params, option->keyword, option->val);
	}
	PQconninfoFree(defaults);
	target->origin = mem_strdup("the PG* variables");
	target->from_libpq_variables = true;
	return 1;
}

static int use_private_server(
	struct target *target, const struct env *env, const char *project_root, struct err *err)
{
	char port[16];

	if (!project_root) {
		err_set(err, ERR_USAGE, "no project and no connection URL found");
		err_detail(err,
			"There is no directory db (DB_DIR) here or above it, and none of "
			"CONNECTION_URL, "
			"DATABASE_URL, PGHOST, PGHOSTADDR, PGSERVICE and PGDATABASE is set.");
		err_hint(err, "Set CONNECTION_URL, or call the command inside a project.");
		return -1;
	}
	if (server_locate(&target->server, env, project_root, err) != 0)
		return -1;
	snprintf(port, sizeof(port), "%d", target->server.port);
	params_set(&target->params, "host", target->server.socket_dir);
	params_set(&target->params, "port", port);
	params_set(&target->params, "user", target->server.user);
	params_set(&target->params, "dbname", target->server.database);
	target->origin = mem_strdup("the private local server");
	target->is_private = true;
	return 0;
}

/* No variable of the target is set: names those that were looked at. */
static int no_variable(const char *name, const char *first, const char *second,
	const struct env *env, struct err *err)
{
	err_set(err, ERR_USAGE, "no connection URL for target \"%s\"", name);
	err_detail(err, "Neither %s nor %s is set in the environment%s%s.", first, second,
		env->file ? " or in " : " (and there is no .env file)", env->file ? env->file : "");
	err_hint(err, "Set %s=postgresql://user:password@host:5432/database.", first);
	return -1;
}

/*
 * Keywords that libpq would take from a service or from its own variables and that matter here:
 * which database is meant, which server, and how it is verified; for a token also its port, and the
 * user when somebody named one. libpq's built-in defaults are left out.
 */
static bool is_wanted(const struct params *params, const PQconninfoOption *option, bool is_iam)
{
	const char *variable = getenv("PGSSLROOTCERT");

	if (!option->val || params_get(params, option->keyword) ||
		(option->compiled && strcmp(option->val, option->compiled) == 0))
		return false;
	if (strcmp(option->keyword, "dbname") == 0)
		return params_get(params, "service");
	/* The variable's value is looked at, and its absence reported, by target_rds.c. */
	if (strcmp(option->keyword, "sslrootcert") == 0)
		return !variable || strcmp(variable, option->val) != 0;
	if (strcmp(option->keyword, "user") == 0)
		return is_iam && (getenv("PGUSER") || params_get(params, "service"));
	if (strcmp(option->keyword, "port") == 0)
		return is_iam;
	return strcmp(option->keyword, "host") == 0 || strcmp(option->keyword, "sslmode") == 0;
}

/* Only PQconndefaults reads service files, and only for PGSERVICE. */
static void resolve_open_params(struct params *params, bool is_iam)
{
	const char *service = params_get(params, "service");
	CLEANUP(mem_cleanup) char *saved = mem_strdup(getenv("PGSERVICE"));
	PQconninfoOption *defaults;

	if (service)
		setenv("PGSERVICE", service, 1);
	defaults = PQconndefaults();
	for (PQconninfoOption *option = defaults; option && option->keyword; option++)
		if (is_wanted(params, option, is_iam))
			params_set(params, option->keyword, option->val);
	PQconninfoFree(defaults);
	if (saved)
		setenv("PGSERVICE", saved, 1);
	else
		unsetenv("PGSERVICE");
}

static int find_connection(
	struct target *target, const struct env *env, const char *project_root, struct err *err)
{
	CLEANUP(mem_cleanup) char *first = target_variable(target->name, "CONNECTION_URL");
	CLEANUP(mem_cleanup) char *second = target_variable(target->name, "DATABASE_URL");
	int found = try_variable(target, env, first, err);

	if (found == 0)
		found = try_variable(target, env, second, err);
	if (found != 0)
		return found < 0 ? -1 : 0;
	if (strcmp(target->name, "local") != 0)
		return no_variable(target->name, first, second, env, err);
	found = try_libpq_variables(target, env, err);
	if (found != 0)
		return found < 0 ? -1 : 0;
	return use_private_server(target, env, project_root, err);
}

/* A whole URL in the place of a host or a name would show its password, and be made a database. */
static int refuse_nested_url(const struct target *target, struct err *err)
{
	static const struct {
		const char *keyword, *what;
	} places[] = { { "host", "host" }, { "hostaddr", "host address" },
		{ "dbname", "database name" } };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const char *value = params_get(&target->params, places[i].keyword);

		if (!value || !strstr(value, "://"))
			continue;
		err_set(err, ERR_USAGE, "%s: the %s holds a whole URL", target->origin,
			places[i].what);
		err_hint(err, "A connection URL belongs into CONNECTION_URL, and all of it.");
		return -1;
	}
	return 0;
}

/* Where a URL is looked for. */
struct source {
	const struct env *env;
	const char *project_root;
	const struct env_value *url; /* this one; NULL: the variables in their order */
};

/* The part of target_resolve that does not need anything besides the variables. */
static int resolve_variables(
	struct target *target, const char *name, const struct source *source, struct err *err)
{
	const struct env_value *url = source->url;
	int result;

	if (check_name(name, err) != 0)
		return -1;
	target->name = mem_strdup(name);
	result = url ? use_url(target, url->name, url->value, url->file, err)
		     : find_connection(target, source->env, source->project_root, err);
	if (result != 0 || target_read_auth(target, source->env, err) != 0)
		return -1;
	if (!target->is_private)
		resolve_open_params(&target->params, target->is_iam);
	return refuse_nested_url(target, err);
}

/* The first of several ports; libpq takes an empty one for the default. */
static int first_port(const struct target *target, int *ret_port, struct err *err)
{
	const char *text = params_get(&target->params, "port");
	char *end;
	long port;

	*ret_port = 5432;
	if (!text || *text == ',')
		return 0;
	port = strtol(text, &end, 10);
	if (end == text || (*end && *end != ',') || port < 1 || port > 65535)
		return err_set(err, ERR_USAGE, "%s: \"%s\" is no port", target->origin, text);
	*ret_port = (int)port;
	return 0;
}

/* NULL for none, or an empty one. */
static char *first_of(const char *list)
{
	size_t length = list ? strcspn(list, ",") : 0;

	return length > 0 ? mem_strndup(list, length) : NULL;
}

int target_endpoint(const char *name, const struct env *env, struct target_endpoint *ret_endpoint,
	struct err *err)
{
	CLEANUP(target_release) struct target target = TARGET_INIT;
	const struct source source = { .env = env };
	const char *host, *address;

	if (resolve_variables(&target, name, &source, err) != 0 ||
		first_port(&target, &ret_endpoint->port, err) != 0)
		return -1;
	host = params_get(&target.params, "host");
	address = params_get(&target.params, "hostaddr");
	ret_endpoint->host = first_of(host ? host : address);
	ret_endpoint->address = first_of(address);
	ret_endpoint->user = mem_strdup(params_get(&target.params, "user"));
	ret_endpoint->several = (host && strchr(host, ',')) || (address && strchr(address, ','));
	return 0;
}

void target_endpoint_release(struct target_endpoint *endpoint)
{
	mem_free(endpoint->host);
	mem_free(endpoint->address);
	mem_free(endpoint->user);
	*endpoint = (struct target_endpoint)TARGET_ENDPOINT_INIT;
}

/* The private server's name has the suffix already; what prod is called is nobody's to change. */
static int add_suffix(struct target *target, const struct env *env, struct err *err)
{
	CLEANUP(mem_cleanup) char *suffix_origin = NULL;
	CLEANUP(mem_cleanup) char *url_origin = NULL;

	if (!target->database || target->is_private || target_is_protected(target))
		return 0;
	if (suffix_add(env, &target->database, &suffix_origin, err) != 0)
		return -1;
	if (suffix_origin) {
		url_origin = take_ptr(target->origin);
		target->origin = mem_printf("%s and %s", url_origin, suffix_origin);
	}
	return 0;
}

static void take_database(struct target *target)
{
	target->database = mem_strdup(params_get(&target->params, "dbname"));
	params_set(&target->params, "dbname", NULL);
}

int target_use_private(
	struct target *target, const struct env *env, const char *project_root, struct err *err)
{
	target->name = mem_strdup("local");
	if (protected_targets_find(env, target->name, &target->is_listed, err) != 0 ||
		use_private_server(target, env, project_root, err) != 0)
		return -1;
	take_database(target);
	return 0;
}

static int read_source(
	struct target *target, const char *name, const struct source *source, struct err *err)
{
	if (protected_targets_find(source->env, name, &target->is_listed, err) != 0 ||
		resolve_variables(target, name, source, err) != 0)
		return -1;
	take_database(target);
	return 0;
}

int target_read_value(struct target *target, const char *name, const struct env *env,
	const struct env_value *url, struct err *err)
{
	const struct source source = { .env = env, .url = url };

	return read_source(target, name, &source, err);
}

static int resolve_source(
	struct target *target, const char *name, const struct source *source, struct err *err)
{
	const struct env *env = source->env;
	const char *host;

	if (read_source(target, name, source, err) != 0)
		return -1;
	if (target->database && strlen(target->database) > DATABASE_NAME_MAX) {
		err_set(err, ERR_USAGE,
			"%s: the database name has %zu bytes, more than the %d PostgreSQL "
			"keeps",
			target->origin, strlen(target->database), DATABASE_NAME_MAX);
		err_hint(err,
			"The server would cut it and use another database; choose a shorter one.");
		return -1;
	}
	if (add_suffix(target, env, err) != 0)
		return -1;
	/* Several hosts are a primary and its standbys: all commands want the one that can write.
	 */
	host = params_get(&target->params, "host");
	if (host && strchr(host, ',') && !params_get(&target->params, "target_session_attrs"))
		params_set(&target->params, "target_session_attrs", "read-write");
	if (target_require_verified_tls(target, env, err) != 0)
		return -1;
	return target->is_iam ? target_check_iam(target, err) : 0;
}

int target_resolve(struct target *target, const char *name, const struct env *env,
	const char *project_root, struct err *err)
{
	const struct source source = { .env = env, .project_root = project_root };

	return resolve_source(target, name, &source, err);
}

int target_resolve_value(struct target *target, const char *name, const struct env *env,
	const struct env_value *url, struct err *err)
{
	const struct source source = { .env = env, .url = url };

	return resolve_source(target, name, &source, err);
}

bool target_is_protected(const struct target *target)
{
	return target->is_listed || protection_is_name(target->name);
}

char *target_describe(const struct target *target)
{
	if (target->is_private)
		return message_line("%s on the private local server", target->database);
	return params_describe(&target->params, target->database);
}

int target_check_service(const struct target *target, struct err *err)
{
	CLEANUP(mem_cleanup) char *trouble = probe_service_trouble(&target->params);

	if (!trouble)
		return 0;
	err_set(err, ERR_USAGE, "%s", trouble);
	if (params_get(&target->params, "service"))
		err_detail(err, "The service comes from %s.", target->origin);
	else
		err_detail(err, "The service comes from PGSERVICE.");
	err_hint(err, "Services are defined in ~/.pg_service.conf, or in the file that "
		      "PGSERVICEFILE names.");
	return -1;
}

int target_require_database(const struct target *target, struct err *err)
{
	if (target->database)
		return 0;
	if (target_check_service(target, err) != 0)
		return -1;
	if (target->from_libpq_variables) {
		err_set(err, ERR_USAGE, "%s name no database", target->origin);
		err_hint(err, "Set PGDATABASE.");
	} else {
		err_set(err, ERR_USAGE, "%s names no database", target->origin);
		err_hint(
			err, "Add it at the end of the URL: postgresql://user@host:5432/database.");
	}
	return -1;
}

/* Names of databases that are kept beside another one (pg/sibling.h). */
static int refuse_reserved(const struct target *target, struct err *err)
{
	if (!strstr(target->database, ".dbrig-"))
		return 0;
	err_set(err, ERR_REFUSED,
		"refusing to work on database \"%s\": names with .dbrig- are for "
		"what dbrig keeps beside a database",
		target->database);
	err_hint(err, "Rename it, or name another in %s.", target->origin);
	return -1;
}

int target_check_new_name(const char *name, struct err *err)
{
	if (!strstr(name, "://") && strncasecmp(name, "password=", strlen("password=")) != 0)
		return 0;
	err_set(err, ERR_USAGE, "\"%s\" cannot be a name: it is for connecting", name);
	err_hint(err, "A name is wanted here, not a URL; the server would show it to everybody.");
	return -1;
}

int target_require_own_database(const struct target *target, const char *verb, struct err *err)
{
	static const char *const maintenance[] = { "postgres", "template0", "template1" };

	if (target_require_database(target, err) != 0 || refuse_reserved(target, err) != 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(maintenance); i++) {
		if (strcmp(target->database, maintenance[i]) != 0)
			continue;
		err_set(err, ERR_REFUSED, "refusing to %s the maintenance database \"%s\"", verb,
			target->database);
		err_hint(err, "Name a database of your own in %s.", target->origin);
		return -1;
	}
	return 0;
}

void target_release(struct target *target)
{
	mem_free(target->name);
	mem_free(target->origin);
	params_release(&target->params);
	mem_free(target->database);
	mem_free(target->project_ca);
	server_release(&target->server);
	*target = (struct target)TARGET_INIT;
}
