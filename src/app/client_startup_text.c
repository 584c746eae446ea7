#include "app/client_startup_text.h"

#include "app/client_session.h"
#include "base/mem.h"
#include "term/safe.h"

#include <string.h>

/* --- psql's variables ------------------------------------------------------------------------ */

/*
 * What would show our statements, ask about them, cut them or fetch their rows otherwise than
 * \gset takes them; would end the file; or would begin a transaction, which would stay for what
 * comes after.
 */
static const char *const quiet[][2] = {
	{ "ECHO", "none" },
	{ "FETCH_COUNT", "0" },
	{ "SINGLELINE", "off" },
	{ "SINGLESTEP", "off" },
	{ "ON_ERROR_STOP", "off" },
	{ "AUTOCOMMIT", "on" },
};

/* Both are for one line: psql shows a line, and decides what an error in it ends, before it. */
static void add_quiet(struct strbuf *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(quiet); i++)
		strbuf_addf(text, "\\set dbrig_%s :%s \\set %s %s ", quiet[i][0], quiet[i][0],
			quiet[i][0], quiet[i][1]);
}

static void end_quiet(struct strbuf *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(quiet); i++)
		strbuf_addf(text, "\\set %s :dbrig_%s \\unset dbrig_%s ", quiet[i][0], quiet[i][0],
			quiet[i][0]);
}

/* --- the session ----------------------------------------------------------------------------- */

static const char *const limits[][2] = {
	{ "statement_timeout", CLIENT_STATEMENT_TIMEOUT },
	{ "lock_timeout", CLIENT_LOCK_TIMEOUT },
	{ "idle_in_transaction_session_timeout", CLIENT_IDLE_TIMEOUT },
};

/*
 * set_config rather than SET: \gset takes its answer, so nothing is printed. What it sets would go
 * with a transaction that is rolled back, so there must be none around it.
 */
static void add_setting(struct strbuf *text, const char *name, const char *value)
{
	strbuf_addf(text,
		"SELECT pg_catalog.set_config('%s', '%s', false) AS dbrig_setting \\gset\n"
		"\\unset dbrig_setting\n",
		name, value);
}

static void add_settings(struct strbuf *text, bool read_only, bool with_limits)
{
	if (read_only)
		add_setting(text, "default_transaction_read_only", "on");
	for (size_t i = 0; with_limits && i < ARRAY_SIZE(limits); i++)
		add_setting(text, limits[i][0], limits[i][1]);
}

/*
 * A start-up file cannot end psql, but a \connect that fails in it costs the connection. There is
 * no service of that name; the message shows it.
 */
static void add_check(struct strbuf *text)
{
	strbuf_adds(text,
		"\\set dbrig_read_only off\n"
		"SELECT pg_catalog.current_setting('default_transaction_read_only') AS "
		"dbrig_read_only \\gset\n"
		"\\if :dbrig_read_only\n"
		"\\else\n"
		"\\connect -reuse-previous=off \"service='none, as the session could not be made "
		"read-only (db-connect --write)'\"\n"
		"\\endif\n"
		"\\unset dbrig_read_only\n");
}

/*
 * A transaction that the user's file has left open may be READ WRITE, and a ROLLBACK of it would
 * undo what is set in it. now() is when it began.
 */
static void add_rollback(struct strbuf *text)
{
	strbuf_adds(text, "\\set dbrig_alone off\n"
			  "SELECT pg_catalog.now() OPERATOR(pg_catalog.=) "
			  "pg_catalog.statement_timestamp() AS dbrig_alone \\gset\n"
			  "\\if :dbrig_alone\n"
			  "\\else\n"
			  "ROLLBACK;\n"
			  "\\endif\n"
			  "\\unset dbrig_alone\n");
}

/* Where the session is, as psql has it. */
static const char *const place[] = { "HOST", "PORT", "DBNAME" };

static void add_place(struct strbuf *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(place); i++)
		strbuf_addf(text, "\\set dbrig_%s :%s\n", place[i], place[i]);
}

/* Sets dbrig_same to whether it is there still. */
static void compare_place(struct strbuf *text)
{
	strbuf_adds(text, "\\set dbrig_same off\nSELECT ");
	for (size_t i = 0; i < ARRAY_SIZE(place); i++)
		strbuf_addf(text, "%s:'%s' OPERATOR(pg_catalog.=) :'dbrig_%s'", i ? " AND " : "",
			place[i], place[i]);
	strbuf_adds(text, " AS dbrig_same \\gset\n");
}

/*
 * What the user's file has undone, with \connect or RESET, is done again, but not elsewhere: there
 * a pooler may give the session with all that is set to the next client.
 */
static void add_mending(struct strbuf *text, const struct client_startup *startup)
{
	strbuf_adds(text, "\\set dbrig_mended off\n"
			  "\\set dbrig_read_only off\n"
			  "SELECT pg_catalog.current_setting('default_transaction_read_only') AS "
			  "dbrig_read_only \\gset\n"
			  "\\if :dbrig_read_only\n"
			  "\\else\n"
			  "\\set dbrig_mended on\n");
	compare_place(text);
	strbuf_adds(text, "\\if :dbrig_same\n");
	add_settings(text, true, startup->limits);
	strbuf_adds(text, "\\endif\n");
	add_check(text);
	strbuf_adds(text, "\\endif\n"
			  "\\unset dbrig_read_only\n"
			  "\\unset dbrig_same\n");
	for (size_t i = 0; i < ARRAY_SIZE(place); i++)
		strbuf_addf(text, "\\unset dbrig_%s\n", place[i]);
}

/* --- words ----------------------------------------------------------------------------------- */

/* psql's quotes for an argument of a meta-command: nothing in them is expanded. */
static void add_quoted(struct strbuf *text, const char *word)
{
	strbuf_addc(text, '\'');
	for (; *word; word++) {
		if (*word == '\n') {
			strbuf_adds(text, "\\n");
			continue;
		}
		if (*word == '\'' || *word == '\\')
			strbuf_addc(text, *word == '\'' ? '\'' : '\\');
		strbuf_addc(text, *word);
	}
	strbuf_addc(text, '\'');
}

/*
 * "prod:shop ro=> ". The database is psql's %/, which follows \c and whose value psql does not look
 * into; but it would reach the terminal as it is, so a name that could give orders there is left
 * out.
 */
static void add_prompt(struct strbuf *text, const struct client_startup *startup, const char *mode,
	const char *name)
{
	CLEANUP(mem_cleanup) char *safe = safe_text(startup->database, SAFE_LINE);
	const bool shown = !safe || strcmp(safe, startup->database) == 0;

	strbuf_addf(text, "\\set %s '", name);
	if (startup->colored)
		strbuf_addf(text, "%%[%%033[1;%dm%%]", startup->writes ? 31 : 32);
	strbuf_addf(text, "%s%s %s", startup->target, shown ? ":%/" : "", mode);
	if (startup->colored)
		strbuf_adds(text, "%[%033[0m%]");
	strbuf_adds(text, "%R%x%# '\n");
}

/* Where a SET had to mend what the user's file had undone, the session may lose it again. */
static void add_prompts(
	struct strbuf *text, const struct client_startup *startup, bool may_be_mended)
{
	static const char *const names[] = { "PROMPT1", "PROMPT2" };
	const char *mode = startup->writes ? "rw" : startup->uncertain ? "ro?" : "ro";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		add_prompt(text, startup, mode, names[i]);
	if (!may_be_mended)
		return;
	strbuf_adds(text, "\\if :dbrig_mended\n");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		add_prompt(text, startup, "ro?", names[i]);
	strbuf_adds(text, "\\endif\n");
}

/* --- restricted mode ------------------------------------------------------------------------- */

/*
 * SQL that needs no meta-command. The transaction is our own, as one that AUTOCOMMIT=off begins
 * would be rolled back with what is set in it.
 */
static void add_restricted(struct strbuf *text, const struct client_startup *startup)
{
	CLEANUP(strbuf_release) struct strbuf sql = STRBUF_INIT;

	strbuf_adds(&sql, "ROLLBACK; BEGIN; SET default_transaction_read_only = on; ");
	for (size_t i = 0; startup->limits && i < ARRAY_SIZE(limits); i++)
		strbuf_addf(&sql, "SET %s = '%s'; ", limits[i][0], limits[i][1]);
	strbuf_adds(&sql,
		"COMMIT; DO $dbrig$BEGIN RAISE WARNING 'the start-up file has left psql in "
		"restricted mode: the session was made read-only, and its prompt is not "
		"set'; END$dbrig$;");
	strbuf_adds(text, "\\set dbrig_restricted ");
	add_quoted(text, sql.data);
	strbuf_addc(text, '\n');
}

/* --- the files ------------------------------------------------------------------------------- */

/*
 * The variable dbrig_restricted is emptied behind the user's file, unless psql refuses to; then it
 * holds what is left to do. That stands on a line of its own, the first, as an error on any other
 * may end the file.
 */
void startup_text_first(const struct client_startup *startup, const char *user, const char *after,
	struct strbuf *text)
{
	add_quiet(text);
	strbuf_addc(text, '\n');
	add_settings(text, startup->set, startup->set_limits);
	if (startup->check)
		add_check(text);
	if (!user || !after) {
		if (startup->prompts)
			add_prompts(text, startup, false);
		end_quiet(text);
		strbuf_addc(text, '\n');
		return;
	}
	if (startup->check)
		add_restricted(text, startup);
	else
		strbuf_adds(text, "\\set dbrig_restricted ''\n");
	if (startup->check)
		add_place(text);
	strbuf_adds(text, "\\i ");
	add_quoted(text, user);
	strbuf_adds(text, " \\set dbrig_restricted '' ");
	add_quiet(text);
	strbuf_adds(text, "\n:dbrig_restricted\n\\i ");
	add_quoted(text, after);
	strbuf_addc(text, '\n');
}

void startup_text_user(const char *path, struct strbuf *text)
{
	end_quiet(text);
	strbuf_adds(text, "\\i ");
	add_quoted(text, path);
	strbuf_addc(text, '\n');
}

void startup_text_after(const struct client_startup *startup, struct strbuf *text)
{
	if (startup->check) {
		add_rollback(text);
		add_mending(text, startup);
	}
	if (startup->prompts)
		add_prompts(text, startup, startup->check);
	end_quiet(text);
	strbuf_adds(text, "\\unset dbrig_restricted \\unset dbrig_mended\n");
}
