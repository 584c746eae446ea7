#include "app/client_startup.h"

#include "app/client_session.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/process.h"
#include "term/safe.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define USER_FILE_CEILING 1000000

/* --- the text -------------------------------------------------------------------------------- */

/* What stands between does not begin a transaction, which would stay for what comes after. */
static void begin_alone(struct strbuf *text)
{
	strbuf_adds(text, "\\set dbrig_autocommit :AUTOCOMMIT\n"
			  "\\set AUTOCOMMIT on\n");
}

static void end_alone(struct strbuf *text)
{
	strbuf_adds(text, "\\set AUTOCOMMIT :dbrig_autocommit\n"
			  "\\unset dbrig_autocommit\n");
}

/*
 * set_config rather than SET: \gset takes its answer, so nothing is printed. What it sets would go
 * with a transaction that is rolled back, so there must be none around it.
 */
static void add_settings(struct strbuf *text, bool limits)
{
	strbuf_adds(text, "SELECT pg_catalog.set_config('default_transaction_read_only', 'on', "
			  "false) AS dbrig_setting \\gset\n");
	if (limits)
		strbuf_adds(text,
			"SELECT pg_catalog.concat(pg_catalog.set_config('statement_timeout', "
			"'" CLIENT_STATEMENT_TIMEOUT "', false),\n"
			"  pg_catalog.set_config('lock_timeout', '" CLIENT_LOCK_TIMEOUT
			"', false),\n"
			"  pg_catalog.set_config('idle_in_transaction_session_timeout', "
			"'" CLIENT_IDLE_TIMEOUT "', false)) AS dbrig_setting \\gset\n");
	strbuf_adds(text, "\\unset dbrig_setting\n");
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

/* What the user's file has undone, with \connect or RESET, is done again. */
static void add_mending(struct strbuf *text, const struct client_startup *startup)
{
	strbuf_adds(text, "\\set dbrig_mended off\n"
			  "\\set dbrig_read_only off\n"
			  "SELECT pg_catalog.current_setting('default_transaction_read_only') AS "
			  "dbrig_read_only \\gset\n"
			  "\\if :dbrig_read_only\n"
			  "\\else\n"
			  "\\set dbrig_mended on\n");
	add_settings(text, startup->set_limits);
	add_check(text);
	strbuf_adds(text, "\\endif\n"
			  "\\unset dbrig_read_only\n");
}

/* psql decides before a line whether an error in it ends the file. */
static void add_user_file(
	struct strbuf *text, const struct client_startup *startup, const char *user_file)
{
	if (startup->check)
		strbuf_adds(text, "\\set dbrig_stop :ON_ERROR_STOP\n"
				  "\\set ON_ERROR_STOP off\n"
				  "\\set ON_ERROR_STOP :dbrig_stop ");
	strbuf_adds(text, "\\i ");
	add_quoted(text, user_file);
	strbuf_addc(text, '\n');
	if (!startup->check)
		return;
	strbuf_adds(text, "\\set dbrig_stop :ON_ERROR_STOP\n"
			  "\\set ON_ERROR_STOP off\n");
	begin_alone(text);
	add_rollback(text);
	add_mending(text, startup);
	end_alone(text);
	strbuf_adds(text, "\\set ON_ERROR_STOP :dbrig_stop\n"
			  "\\unset dbrig_stop\n");
}

void client_startup_text(
	const struct client_startup *startup, const char *user_file, struct strbuf *text)
{
	if (startup->check) {
		begin_alone(text);
		if (startup->set)
			add_settings(text, startup->set_limits);
		add_check(text);
		end_alone(text);
	}
	if (user_file)
		add_user_file(text, startup, user_file);
	if (startup->prompts)
		add_prompts(text, startup, user_file && startup->check);
	if (user_file && startup->check)
		strbuf_adds(text, "\\unset dbrig_mended\n");
}

/* --- the user's own file --------------------------------------------------------------------- */

static const char *home_directory(void)
{
	const char *home = getenv("HOME");
	const struct passwd *entry;

	if (home && *home)
		return home;
	entry = getpwuid(geteuid());
	return entry ? entry->pw_dir : NULL;
}

char *client_startup_choose(const char *path, const char *version)
{
	size_t major = strspn(version, "0123456789");
	char *const candidates[] = {
		*version ? mem_printf("%s-%s", path, version) : NULL,
		major ? mem_printf("%s-%.*s", path, (int)major, version) : NULL,
		mem_strdup(path),
	};
	char *chosen = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(candidates); i++)
		if (!chosen && candidates[i] && access(candidates[i], R_OK) == 0)
			chosen = candidates[i];
		else
			mem_free(candidates[i]);
	return chosen;
}

static void directory_cleanup(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

/* Whether there is a file for a version, so that psql has to be asked for its own. */
static bool has_versions(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	CLEANUP(mem_cleanup)
	char *parent = slash ? mem_strndup(path, (size_t)(slash - path) + 1) : mem_strdup(".");
	CLEANUP(directory_cleanup) DIR *directory = opendir(parent);
	const struct dirent *entry;

	while (directory && (entry = readdir(directory)) != NULL)
		if (strncmp(entry->d_name, name, strlen(name)) == 0 &&
			entry->d_name[strlen(name)] == '-')
			return true;
	return false;
}

/* "psql (PostgreSQL) 15.4 (Debian …)": what stands behind the parenthesis; "": not known. */
static char *psql_version(const char *psql)
{
	const char *const argv[] = { psql, "--version", NULL };
	struct process_spec spec = {
		.argv = argv,
		.environment = (const char *const *)environ,
		.as_caller = true,
		.keep_stderr = true,
	};
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	CLEANUP(strbuf_release) struct strbuf output = STRBUF_INIT_CEILING(1024);
	const char *version;
	int status;

	if (process_run(&spec, 10000, &output, &status, &ignored) != 0 || status != 0)
		return mem_strdup("");
	version = strstr(output.data, ") ");
	if (!version)
		return mem_strdup("");
	return mem_strndup(version + 2, strcspn(version + 2, "\n"));
}

static char *user_file(const char *psql)
{
	const char *given = getenv("PSQLRC");
	const char *home = home_directory();
	CLEANUP(mem_cleanup) char *path = NULL;
	CLEANUP(mem_cleanup) char *version = NULL;

	if (given && *given)
		path = path_expand_home(mem_strdup(given));
	else if (home)
		path = path_join(home, ".psqlrc");
	if (!path)
		return NULL;
	version = has_versions(path) ? psql_version(psql) : mem_strdup("");
	return client_startup_choose(path, version);
}

static bool starts_with(const char *text, const char *word)
{
	return strncmp(text, word, strlen(word)) == 0;
}

/* By the words alone: a comment at the end of a line, or quotes, are not told. */
static bool leaves_restricted(const char *text)
{
	bool restricted = false;

	while (*text) {
		text += strspn(text, " \t\r\n");
		if (starts_with(text, "--"))
			text += strcspn(text, "\n");
		for (; *text && *text != '\n'; text++)
			if (starts_with(text, "\\restrict"))
				restricted = true;
			else if (starts_with(text, "\\unrestrict"))
				restricted = false;
	}
	return restricted;
}

/* In restricted mode psql takes no meta-commands, which what follows the user's file is made of. */
static int refuse_restricted(const char *path, struct err *err)
{
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT_CEILING(USER_FILE_CEILING);
	CLEANUP(err_release) struct err ignored = ERR_INIT;

	/* What can be read only once, and what cannot be read, is psql's. */
	if (path_is_pipe(path) || file_read_all(path, &text, &ignored) != 0 || !text.length ||
		!leaves_restricted(text.data))
		return 0;
	err_set(err, ERR_REFUSED, "\"%s\" leaves psql in restricted mode (\\restrict)", path);
	err_detail(err, "There psql would not take what comes after it, the prompt and what makes "
			"sure that the session is read-only.");
	err_hint(err, "End it there with \\unrestrict, or name another file in PSQLRC.");
	return -1;
}

/* --- files ----------------------------------------------------------------------------------- */

/* A file without a name, as every directory may be looked into by others. */
static int open_nameless(int *ret_fd, struct err *err)
{
	const char *directory = getenv("TMPDIR");
	CLEANUP(mem_cleanup)
	char *path = path_join(
		directory && *directory == '/' ? directory : "/tmp", ".db-connect-XXXXXX");
	/* Made with mode 0600; no O_CLOEXEC, as psql opens it through the descriptor. */
	int fd = mkstemp(path);

	if (fd < 0)
		return err_errno(err, "could not make a file in \"%s\"", path);
	if (unlink(path) != 0) {
		err_errno(err, "could not remove file \"%s\"", path);
		close(fd);
		return -1;
	}
	*ret_fd = fd;
	return 0;
}

int client_startup_export(const struct client_startup *startup, struct err *err)
{
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
	CLEANUP(mem_cleanup) char *own = user_file(startup->psql);
	CLEANUP(mem_cleanup) char *path = NULL;
	CLEANUP(fd_cleanup) int fd = -1;

	if (own && refuse_restricted(own, err) != 0)
		return -1;
	client_startup_text(startup, own, &text);
	if (text.length == 0)
		return 0;
	if (open_nameless(&fd, err) != 0)
		return -1;
	if (write(fd, text.data, text.length) != (ssize_t)text.length ||
		lseek(fd, 0, SEEK_SET) != 0)
		return err_errno(err, "could not write psql's start-up file");
	path = mem_printf("/dev/fd/%d", fd);
	/* psql passes over one that it cannot read, without a word. */
	if (access(path, R_OK) != 0)
		return err_errno(err, "could not open psql's start-up file as \"%s\"", path);
	setenv("PSQLRC", path, 1);
	(void)take_fd(&fd);
	return 0;
}

/* --- history --------------------------------------------------------------------------------- */

static int make_directories(char *path, struct err *err)
{
	for (char *slash = path + 1;; slash++) {
		char after;

		slash += strcspn(slash, "/");
		after = *slash;
		*slash = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return err_errno(err, "could not make directory \"%s\"", path);
		if (!after)
			return 0;
		*slash = after;
	}
}

static char *history_directory(void)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = home_directory();

	/* The XDG specification has relative paths ignored. */
	if (state && *state == '/')
		return path_join(state, "dbrig");
	return home && *home == '/' ? path_join(home, ".local/state/dbrig") : NULL;
}

/* "history-prod-shop"; a database's name may hold anything, also slashes. */
static char *history_name(const char *target, const char *database)
{
	struct strbuf name = STRBUF_INIT;

	strbuf_addf(&name, "history-%s", target);
	if (database)
		strbuf_addc(&name, '-');
	for (; database && *database; database++)
		if (isalnum((unsigned char)*database) || strchr("._-", *database))
			strbuf_addc(&name, *database);
		else
			strbuf_addf(&name, "%%%02X", (unsigned char)*database);
	return strbuf_detach(&name);
}

int client_history_export(const char *target, const char *database, struct err *err)
{
	const char *given = getenv("PSQL_HISTORY");
	CLEANUP(mem_cleanup) char *directory = history_directory();
	CLEANUP(mem_cleanup) char *name = history_name(target, database);
	CLEANUP(mem_cleanup) char *path = NULL;
	CLEANUP(fd_cleanup) int fd = -1;

	if (given && *given)
		return 0;
	if (!directory)
		return err_set(err, ERR_FAILED, "no home directory is known");
	if (make_directories(directory, err) != 0)
		return -1;
	path = path_join(directory, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || fchmod(fd, 0600) != 0)
		return err_errno(err, "could not make file \"%s\"", path);
	setenv("PSQL_HISTORY", path, 1);
	return 0;
}
