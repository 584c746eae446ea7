/* What a server means that does not know the role, or does not let it in. */
#include "pg/conn_failure.h"
#include "pg/conn_internal.h"

#include "base/mem.h"
#include "base/message.h"

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

/* The server knows who it would be, but has no such role, or not for that. */
static void explain_role(struct err *err, PGconn *pg)
{
	const char *role = PQuser(pg);
	const char *source = who_names(role);
	CLEANUP(mem_cleanup) char *word = message_shell_word(role);
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
			"ALTER ROLE … LOGIN allows it to role \"%s\" (%s), or name another one in "
			"the URL.",
			role, source);
	else
		err_hint(err,
			"The role \"%s\" (%s) does not exist, when createuser %s makes it, or "
			"may not log in, when ALTER ROLE … LOGIN allows it; or name another one in "
			"the URL.",
			role, source, word);
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
