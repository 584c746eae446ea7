#include "app/client_environment.h"

#include "base/mem.h"
#include "pg/probe.h"
#include "term/out.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

bool client_environment_has_service(const struct target *target)
{
	return params_get(&target->params, "service") || getenv("PGSERVICE");
}

bool client_environment_has_password(const struct target *target)
{
	CLEANUP(mem_cleanup) char *password = probe_param(&target->params, "password");
	const char *own = getenv("PGPASSWORD");
	const bool has = password && !(own && strcmp(own, password) == 0);

	if (password)
		mem_wipe(password, strlen(password));
	return has;
}

/* keyword='value' with libpq's quoting, for what no variable can carry. */
static void add_conninfo(struct strbuf *conninfo, const char *keyword, const char *value)
{
	strbuf_addf(conninfo, "%s%s='", conninfo->length ? " " : "", keyword);
	for (; *value; value++) {
		if (*value == '\'' || *value == '\\')
			strbuf_addc(conninfo, '\\');
		strbuf_addc(conninfo, *value);
	}
	strbuf_addc(conninfo, '\'');
}

/* libpq reads the service file for PGSERVICE alone, which the client then finds no more. */
static PQconninfoOption *resolved_service(const struct target *target)
{
	const char *service = params_get(&target->params, "service");
	PQconninfoOption *options;

	if (service)
		setenv("PGSERVICE", service, 1);
	options = PQconndefaults();
	unsetenv("PGSERVICE");
	return options;
}

/* A service may name libpq's own default, where a variable has another. */
static bool is_exported(const PQconninfoOption *option)
{
	return option->val && *option->val &&
	       (option->envvar || !option->compiled || strcmp(option->val, option->compiled) != 0);
}

void client_environment_export(
	const struct target *target, const struct client_passing *passing, struct strbuf *conninfo)
{
	const bool resolve = passing->resolve;
	PQconninfoOption *options = resolve ? resolved_service(target) : PQconndefaults();

	for (PQconninfoOption *option = options; option && option->keyword; option++) {
		const char *value = params_get(&target->params, option->keyword);

		if (resolve && strncmp(option->keyword, "service", strlen("service")) == 0)
			continue;
		if (strcmp(option->keyword, "dbname") == 0)
			value = passing->database;
		if (passing->no_password && strcmp(option->keyword, "password") == 0)
			continue;
		if (resolve && !value && is_exported(option))
			value = option->val;
		if (!value)
			continue;
		if (option->envvar)
			setenv(option->envvar, value, 1);
		else if (strchr(option->dispchar, '*'))
			out_warning(
				"%s is left out, as the command line would show it to other users",
				option->keyword);
		else
			add_conninfo(conninfo, option->keyword, value);
	}
	PQconninfoFree(options);
	setenv("PGAPPNAME", "db-connect", 0);
}
