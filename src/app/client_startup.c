#include "app/client_startup.h"

#include "app/client_startup_text.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/process.h"
#include "sql/reader.h"

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

/* Bytes in memory, as a source for the reader. */
static ssize_t read_memory(void *context, char *buffer, size_t size, struct err *err)
{
	struct strbuf *rest = context;
	const size_t length = rest->length < size ? rest->length : size;

	(void)err;
	memcpy(buffer, rest->data, length);
	strbuf_consume(rest, length);
	return (ssize_t)length;
}

/* Passes over a meta-command's arguments; false: it has none. */
static bool pass_arguments(struct script_reader *reader, const char *command)
{
	const bool whole = strcmp(command, "!") == 0 || strcmp(command, "copy") == 0;
	struct slash_line *line = script_reader_arguments(reader);
	struct slash_argument argument = SLASH_ARGUMENT_INIT;
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	size_t count = 0;

	while (slash_next(line, whole ? SLASH_WHOLE_LINE : SLASH_NORMAL, false, NULL, &argument,
		       &ignored) == 1)
		count++;
	slash_argument_release(&argument);
	slash_end(line);
	return count > 0;
}

/* What an \if or an included file decides is left to psql; text is used up. */
static bool leaves_restricted(const char *path, struct strbuf *text)
{
	const struct script_source source = { .read = read_memory, .context = text };
	CLEANUP(script_reader_cleanup)
	struct script_reader *reader = script_reader_new(path, source);
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	struct script_statement statement;
	bool restricted = false;
	size_t depth = 0;
	int what;

	while ((what = script_reader_next(reader, &statement, &ignored)) > 0) {
		CLEANUP(mem_cleanup) char *command = NULL;
		bool has_argument;

		if (what == 1)
			continue;
		command = mem_strdup(script_reader_command(reader));
		has_argument = pass_arguments(reader, command);
		if (strcmp(command, "unrestrict") == 0)
			restricted = false;
		else if (restricted)
			continue;
		else if (strcmp(command, "if") == 0)
			depth++;
		else if (strcmp(command, "endif") == 0 && depth > 0)
			depth--;
		else if (depth == 0 && strcmp(command, "restrict") == 0)
			restricted = has_argument;
		else if (depth == 0 && (strcmp(command, "q") == 0 || strcmp(command, "quit") == 0))
			break;
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
		!leaves_restricted(path, &text))
		return 0;
	err_set(err, ERR_REFUSED, "\"%s\" leaves psql in restricted mode (\\restrict)", path);
	err_detail(err, "There psql would not take what comes after it, the prompt and what makes "
			"sure that the session is read-only.");
	err_hint(err, "End it there with \\unrestrict, or name another file in PSQLRC.");
	return -1;
}

/* --- files ----------------------------------------------------------------------------------- */

/*
 * A file without a name, as every directory may be looked into by others. from: what named the
 * directory, for messages.
 */
static int make_nameless(const char *directory, const char *from, const struct strbuf *text,
	int *ret_fd, struct err *err)
{
	CLEANUP(mem_cleanup) char *path = path_join(directory, ".db-connect-XXXXXX");
	/* Made with mode 0600; no O_CLOEXEC, as psql opens it through the descriptor. */
	CLEANUP(fd_cleanup) int fd = mkstemp(path);

	if (fd < 0)
		return err_errno(
			err, "could not make a file in directory \"%s\"%s", directory, from);
	if (unlink(path) != 0)
		return err_errno(err, "could not remove file \"%s\"", path);
	if (write(fd, text->data, text->length) != (ssize_t)text->length ||
		lseek(fd, 0, SEEK_SET) != 0)
		return err_errno(err, "could not write psql's start-up file in directory \"%s\"%s",
			directory, from);
	*ret_fd = take_fd(&fd);
	return 0;
}

static int open_nameless(const struct strbuf *text, int *ret_fd, struct err *err)
{
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	const char *named = getenv("TMPDIR");

	if (!named || *named != '/')
		return make_nameless("/tmp", "", text, ret_fd, err);
	if (make_nameless(named, " (TMPDIR)", text, ret_fd, err) == 0)
		return 0;
	if (make_nameless("/tmp", "", text, ret_fd, &ignored) != 0)
		return -1;
	err_release(err);
	return 0;
}

/* Its path for psql, which the caller owns. */
static int make_file(const struct strbuf *text, int *ret_fd, char **ret_path, struct err *err)
{
	CLEANUP(mem_cleanup) char *path = NULL;
	CLEANUP(fd_cleanup) int fd = -1;

	if (open_nameless(text, &fd, err) != 0)
		return -1;
	path = mem_printf("/dev/fd/%d", fd);
	/* psql passes over one that it cannot read, without a word. */
	if (access(path, R_OK) != 0) {
		err_errno(err, "could not open psql's start-up file as \"%s\"", path);
		return -1;
	}
	*ret_path = take_ptr(path);
	*ret_fd = take_fd(&fd);
	return 0;
}

int client_startup_export(const struct client_startup *startup, struct err *err)
{
	CLEANUP(strbuf_release) struct strbuf first = STRBUF_INIT;
	CLEANUP(strbuf_release) struct strbuf user = STRBUF_INIT;
	CLEANUP(strbuf_release) struct strbuf after = STRBUF_INIT;
	CLEANUP(mem_cleanup) char *own = user_file(startup->psql);
	CLEANUP(mem_cleanup) char *first_path = NULL, *user_path = NULL, *after_path = NULL;
	CLEANUP(fd_cleanup) int first_fd = -1, user_fd = -1, after_fd = -1;

	if (own) {
		startup_text_user(own, &user);
		startup_text_after(startup, &after);
		if (refuse_restricted(own, err) != 0 ||
			make_file(&user, &user_fd, &user_path, err) != 0 ||
			make_file(&after, &after_fd, &after_path, err) != 0)
			return -1;
	}
	startup_text_first(startup, user_path, after_path, &first);
	if (make_file(&first, &first_fd, &first_path, err) != 0)
		return -1;
	setenv("PSQLRC", first_path, 1);
	(void)take_fd(&first_fd);
	(void)take_fd(&user_fd);
	(void)take_fd(&after_fd);
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
