#include "pg/server_internal.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/strlist.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OLDEST_MAJOR 13
#define VERSION_TIMEOUT_MS 20000
#define VERSION_OUTPUT ((size_t)4096)

/* Where packages put the server's programs: Debian, SUSE, PGDG's RPMs, Alpine, Gentoo, Homebrew, …
 */
static const char *const places[] = {
	"/usr/lib/postgresql/*/bin",
	"/usr/lib/postgresql*/bin",
	"/usr/lib64/postgresql*/bin",
	"/usr/pgsql-*/bin",
	"/usr/libexec/postgresql*",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
	"/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
	"/usr/local/pgsql/bin",
	"/usr/local/bin",
	"/usr/bin",
};

/* One directory with a server's programs. */
struct candidate {
	char version[32];
	int major;
	int minor; /* -1: a beta, a release candidate, a development version */
};

/* "postgres (PostgreSQL) 15.18 (Debian …)": false when it is something else. */
static bool parse_version(const char *text, struct candidate *candidate)
{
	static const char lead[] = "postgres (PostgreSQL) ";
	size_t length;
	char *end;

	if (strncmp(text, lead, sizeof(lead) - 1) != 0)
		return false;
	text += sizeof(lead) - 1;
	length = strcspn(text, " \n");
	if (length == 0 || length >= sizeof(candidate->version))
		return false;
	memcpy(candidate->version, text, length);
	candidate->version[length] = '\0';
	candidate->major = (int)strtol(candidate->version, &end, 10);
	candidate->minor = *end == '.' ? (int)strtol(end + 1, NULL, 10) : -1;
	return candidate->major > 0;
}

enum usable { USABLE, MISSING, FORBIDDEN };

static enum usable check_program(const char *directory, const char *name)
{
	CLEANUP(mem_cleanup) char *path = path_join(directory, name);

	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0)
		return USABLE;
	return errno == EACCES ? FORBIDDEN : MISSING;
}

static enum usable check_directory(const char *directory)
{
	enum usable postgres = check_program(directory, "postgres");

	return postgres == USABLE ? check_program(directory, "initdb") : postgres;
}

/* Asks the server program for its version, under the server's account. */
static int ask_version(const struct server *server, const char *directory,
	struct candidate *candidate, struct err *err)
{
	CLEANUP(mem_cleanup) char *program = path_join(directory, "postgres");
	CLEANUP(strbuf_release) struct strbuf output;
	const struct account account = server_account(server);
	const char *const argv[] = { program, "--version", NULL };
	const struct process_spec spec = {
		.argv = argv, .environment = server_environment, .account = &account
	};
	int status;

	strbuf_init(&output, VERSION_OUTPUT);
	if (process_run(&spec, VERSION_TIMEOUT_MS, &output, &status, err) != 0)
		return -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && parse_version(output.data, candidate))
		return 0;
	err_set(err, ERR_FAILED, "could not determine the version of \"%s\"", program);
	if (output.length > 0)
		err_detail(err, "%s", output.data);
	return -1;
}

/* Everything that was seen in the search, the best so far included. */
struct search {
	int major; /* wanted; 0: the newest */
	struct candidate best;
	char *directory;
	struct strlist seen;      /* programs, by device and inode */
	struct strlist other;     /* "14.2 in /usr/lib/…": not what is wanted */
	struct strlist forbidden; /* directories the account may not look into */
};

static void search_release(struct search *search)
{
	mem_free(search->directory);
	strlist_release(&search->seen);
	strlist_release(&search->other);
	strlist_release(&search->forbidden);
}

/* Any release before any beta, then the newer one. */
static bool is_better(const struct candidate *a, const struct candidate *b)
{
	if ((a->minor < 0) != (b->minor < 0))
		return b->minor < 0;
	if (a->major != b->major)
		return a->major > b->major;
	return a->minor > b->minor;
}

/* True the first time: /usr/bin, /bin and PATH name the same programs. */
static bool remember(struct search *search, const char *directory)
{
	CLEANUP(mem_cleanup) char *program = path_join(directory, "postgres");
	CLEANUP(mem_cleanup) char *key = NULL;
	struct stat info;

	if (stat(program, &info) != 0)
		return false;
	key = mem_printf(
		"%llu:%llu", (unsigned long long)info.st_dev, (unsigned long long)info.st_ino);
	if (strlist_has(&search->seen, key))
		return false;
	strlist_add(&search->seen, key);
	return true;
}

/* Looks at one directory. Fails only when the whole search must end. */
static int consider(
	const struct server *server, struct search *search, const char *directory, struct err *err)
{
	CLEANUP(err_release) struct err problem = ERR_INIT;
	enum usable usable = check_directory(directory);
	struct candidate candidate;

	/* PATH may name it more than once. */
	if (usable == FORBIDDEN && !strlist_has(&search->forbidden, directory))
		strlist_add(&search->forbidden, directory);
	if (usable != USABLE || !remember(search, directory))
		return 0;
	if (ask_version(server, directory, &candidate, &problem) != 0) {
		if (problem.kind == ERR_INTERRUPTED) {
			err_release(err);
			*err = problem;
			problem = (struct err)ERR_INIT;
			return -1;
		}
		strlist_addf(&search->other, "%s (its version is unknown)", directory);
	} else if (search->major ? candidate.major != search->major
				 : candidate.major < OLDEST_MAJOR) {
		strlist_addf(&search->other, "%s in %s", candidate.version, directory);
	} else if (!search->directory || is_better(&candidate, &search->best)) {
		mem_free(search->directory);
		search->directory = mem_strdup(directory);
		search->best = candidate;
	}
	return 0;
}

static int search_places(const struct server *server, struct search *search, struct err *err)
{
	const char *path = getenv("PATH");
	glob_t found = { 0 };
	int result = 0;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		glob(places[i], i ? GLOB_APPEND : 0, NULL, &found);
	for (size_t i = 0; result == 0 && i < found.gl_pathc; i++)
		result = consider(server, search, found.gl_pathv[i], err);
	globfree(&found);
	while (result == 0 && path && *path) {
		size_t length = strcspn(path, ":");
		CLEANUP(mem_cleanup) char *directory = mem_strndup(path, length);

		if (directory[0] == '/')
			result = consider(server, search, directory, err);
		path += length + (path[length] == ':');
	}
	return result;
}

static void list_others(const struct search *search, const struct server *server, struct err *err)
{
	for (size_t i = 0; i < search->other.count; i++)
		err_detail_line(err, "There is %s.", search->other.items[i]);
	for (size_t i = 0; i < search->forbidden.count; i++)
		err_detail_line(err, "The account \"%s\" may not use %s.", server->os_user,
			search->forbidden.items[i]);
}

static int nothing_found(const struct search *search, const struct server *server, struct err *err)
{
	if (search->major) {
		err_set(err, ERR_FAILED,
			"no programs of PostgreSQL %d, which made the private server's data, were "
			"found",
			search->major);
		list_others(search, server, err);
		err_hint(err,
			"Install PostgreSQL %d, set DB_SERVER_BINDIR to the directory of its "
			"programs, "
			"or remove the data with: db-server destroy",
			search->major);
		return -1;
	}
	err_set(err, ERR_FAILED, "no PostgreSQL server programs of version %d or newer were found",
		OLDEST_MAJOR);
	list_others(search, server, err);
	err_hint(err,
		"Install them (Debian, Ubuntu, Alpine: postgresql; Fedora: postgresql-server; "
		"Homebrew: postgresql@17), set DB_SERVER_BINDIR to where they are, or set "
		"CONNECTION_URL to use another server.");
	return -1;
}

/* DB_SERVER_BINDIR: that directory or none. */
static int check_override(
	const struct server *server, int major, struct candidate *candidate, struct err *err)
{
	const char *directory = server->bindir_override;
	enum usable usable = check_directory(directory);

	if (usable == FORBIDDEN) {
		err_set(err, ERR_USAGE,
			"DB_SERVER_BINDIR: the account \"%s\" may not run programs in \"%s\"",
			server->os_user, directory);
		err_hint(err, "The directory, those above it and the programs must be open to it.");
		return -1;
	}
	if (usable == MISSING) {
		err_set(err, ERR_USAGE,
			"DB_SERVER_BINDIR: \"%s\" does not hold postgres and initdb", directory);
		err_hint(err, "The directory is the one that pg_config --bindir prints.");
		return -1;
	}
	if (ask_version(server, directory, candidate, err) != 0)
		return -1;
	if (candidate->major < OLDEST_MAJOR)
		return err_set(err, ERR_USAGE,
			"DB_SERVER_BINDIR: PostgreSQL %s is too old, version %d or newer is needed",
			candidate->version, OLDEST_MAJOR);
	if (major && candidate->major != major) {
		err_set(err, ERR_USAGE,
			"DB_SERVER_BINDIR: PostgreSQL %s cannot run data made by version %d",
			candidate->version, major);
		err_hint(err, "Unset it, or remove the data with: db-server destroy");
		return -1;
	}
	return 0;
}

int server_binaries_find(
	const struct server *server, int major, struct server_binaries *binaries, struct err *err)
{
	CLEANUP(search_release) struct search search = { .major = major };

	if (server->bindir_override) {
		if (check_override(server, major, &search.best, err) != 0)
			return -1;
		search.directory = mem_strdup(server->bindir_override);
	} else if (search_places(server, &search, err) != 0) {
		return -1;
	}
	if (!search.directory)
		return nothing_found(&search, server, err);
	binaries->bindir = take_ptr(search.directory);
	binaries->version = mem_strdup(search.best.version);
	binaries->major = search.best.major;
	return 0;
}

void server_binaries_release(struct server_binaries *binaries)
{
	mem_free(binaries->bindir);
	mem_free(binaries->version);
	*binaries = (struct server_binaries){ 0 };
}
