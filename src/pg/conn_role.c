/* What a server means that does not know the role, or does not let it in. */
#include "pg/conn_failure.h"
#include "pg/conn_internal.h"

#include "base/mem.h"
#include "base/message.h"
#include "base/strbuf.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether that function of the server has refused: unlike messages it is never translated. */
static bool comes_from(PGconn *pg, const char *function)
{
	const char *location = strstr(PQerrorMessage(pg), "LOCATION:");

	return location && strstr(location, function);
}

static const char *who_names(const char *role)
{
	const struct passwd *account = getpwuid(geteuid());
	const char *variable = getenv("PGUSER");

	if (variable && strcmp(variable, role) == 0)
		return "PGUSER names it";
	if (account && strcmp(account->pw_name, role) == 0)
		return "your account has that name";
	return "the URL, a service file or .env names it";
}

/* As an SQL identifier, in one line. The caller owns it. */
static char *identifier(const char *name)
{
	CLEANUP(strbuf_release) struct strbuf doubled = STRBUF_INIT;

	for (; *name; name++) {
		if (*name == '"')
			strbuf_addc(&doubled, '"');
		strbuf_addc(&doubled, *name);
	}
	return message_format("\"%s\"", doubled.data ? doubled.data : "");
}

/* The server knows who it would be, but has no such role, or not for that. */
static void explain_role(struct err *err, PGconn *pg)
{
	const char *role = PQuser(pg);
	const char *source = who_names(role);
	CLEANUP(mem_cleanup) char *word = message_shell_word(role);
	CLEANUP(mem_cleanup) char *name = identifier(role);
	/* Both have the same SQLSTATE; in another language than English both are named. */
	const bool missing = err->detail && strstr(err->detail, "does not exist");
	const bool barred = err->detail && strstr(err->detail, "is not permitted to log in");

	if (missing && !barred)
		err_hint(err,
			"There is no role \"%s\" (%s): createuser %s makes it, or name another "
			"one in the URL.",
			role, source, word);
	else if (barred && !missing)
		err_hint(err,
			"ALTER ROLE %s LOGIN allows it to that role (%s), or name another one in "
			"the URL.",
			name, source);
	else
		err_hint(err,
			"The role \"%s\" (%s) does not exist, when createuser %s makes it, or "
			"may not log in, when ALTER ROLE %s LOGIN allows it; or name another one "
			"in "
			"the URL.",
			role, source, word, name);
}

void conn_explain_identity(const struct params *params, PGconn *pg, struct err *err)
{
	const char *host = params_get(params, "host");

	if (comes_from(pg, "InitializeSessionUserId"))
		explain_role(err, pg);
	else if ((!host || host[0] == '/') && !comes_from(pg, "ClientAuthentication"))
		conn_failure_hint(CONN_CAUSE_PEER, params, err);
	else
		conn_failure_hint(CONN_CAUSE_NOT_ALLOWED, params, err);
}

void conn_name_hint(PGconn *pg, struct err *err)
{
	CLEANUP(mem_cleanup) char *database = identifier(PQdb(pg));
	CLEANUP(mem_cleanup) char *role = identifier(PQuser(pg));
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
	const struct {
		const char *before, *name;
	} places[] = { { " DATABASE …", database }, { " ROLE …", role }, { " TO …", role } };
	bool any = false;

	for (const char *p = err->hint; p && *p;) {
		size_t i = 0;

		while (i < ARRAY_SIZE(places) &&
			strncmp(p, places[i].before, strlen(places[i].before)) != 0)
			i++;
		if (i == ARRAY_SIZE(places)) {
			strbuf_addc(&text, *p++);
			continue;
		}
		p += strlen(places[i].before);
		strbuf_addf(&text, "%.*s%s", (int)(strlen(places[i].before) - strlen("…")),
			places[i].before, places[i].name);
		any = true;
	}
	if (any)
		err_hint(err, "%s", text.data);
}
