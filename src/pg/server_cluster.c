#include "pg/server_internal.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/message.h"
#include "base/strlist.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define INITDB_TIMEOUT_MS 300000
#define INITDB_OUTPUT ((size_t)256 << 10)
#define ROLE_NAME_BYTES 63

/* Data that can be made again: speed before safety, and no more disk or memory than needed. */
static const char settings[] =
	"\n"
	"# Set by dbrig. ALTER SYSTEM overrides, except for where the server listens.\n"
	"cluster_name = 'dbrig'\n"
	"listen_addresses = ''\n"
	"unix_socket_permissions = 0700\n"
	"fsync = off\n"
	"full_page_writes = off\n"
	"synchronous_commit = off\n"
	"wal_level = minimal\n"
	"max_wal_senders = 0\n"
	"max_wal_size = 512MB\n"
	"min_wal_size = 32MB\n"
	"shared_buffers = 128MB\n"
	"autovacuum = on\n"
	"logging_collector = off\n"
	"log_destination = 'stderr'\n"
	"log_line_prefix = '%m [%p] %q%u@%d %a '\n"
	"log_min_error_statement = error\n"
	"log_checkpoints = off\n";

static const char host_access[] = "# Only accounts that pg_ident.conf lists, over the socket.\n"
				  "local all all peer map=dbrig\n";

/* False also when it cannot be listed. */
static bool is_empty_directory(const char *path)
{
	DIR *directory = opendir(path);
	bool empty = directory != NULL;
	struct dirent *entry;

	while (empty && (entry = readdir(directory)))
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	if (directory)
		closedir(directory);
	return empty;
}

/* Names the directory that the account may not enter, and how it may again. */
static void explain_closed(const struct server *server, const char *path, struct err *err)
{
	CLEANUP(mem_cleanup) char *closed = server_closed_parent(path);
	CLEANUP(mem_cleanup) char *quoted = closed ? message_shell_word(closed) : NULL;
	struct stat info;

	if (!closed)
		return;
	err_detail(err,
		"The account \"%s\", which the private server runs under, may not enter "
		"\"%s\".",
		server->os_user, closed);
	if (stat(closed, &info) == 0 && info.st_uid == server->os_uid)
		err_hint(err, "It may again after: chmod 700 %s", quoted);
}

/* Why PG_VERSION was not to be had. Nothing here says that the data are lost. */
static int no_version(const struct server *server, const char *data, struct err *err)
{
	CLEANUP(mem_cleanup) char *path = path_join(data, "PG_VERSION");
	CLEANUP(fd_cleanup) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		return err_set(err, ERR_FAILED, "file \"%s\" holds no version number", path);
	if (errno != ENOENT) {
		err_errno(err, "could not open file \"%s\"", path);
		explain_closed(server, path, err);
		return -1;
	}
	if (is_empty_directory(data)) {
		err_set(err, ERR_FAILED, "directory \"%s\" is empty", data);
		err_hint(err, "Remove it with: db-server destroy");
		return -1;
	}
	err_set(err, ERR_FAILED, "file \"%s\" is missing", path);
	err_detail(err, "There are other files beside it; PostgreSQL does not start without it.");
	return -1;
}

int server_cluster_major(const struct server *server, struct err *err)
{
	CLEANUP(mem_cleanup) char *data = path_join(server->directory, "data");
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct stat info;
	int major = 0;

	if (lstat(data, &info) != 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : err_errno(err, "could not examine \"%s\"", data);
	/* Behind a link lies what is not ours to start or to remove. */
	if (!S_ISDIR(info.st_mode))
		return err_set(err, ERR_FAILED, "could not use \"%s\": it is %s", data,
			S_ISLNK(info.st_mode) ? "a symbolic link" : "not a directory");
	if (server_file_read(server, "data/PG_VERSION", &text))
		major = (int)strtol(text.data, NULL, 10);
	return major > 0 ? major : no_version(server, data, err);
}

bool server_cluster_is_empty(const struct server *server)
{
	CLEANUP(mem_cleanup) char *data = path_join(server->directory, "data");
	struct stat info;

	return (lstat(data, &info) != 0 && errno == ENOENT) || is_empty_directory(data);
}

/* A locale whose character type is Unicode's while sorting stays by byte. */
static const char *find_locale(void)
{
	static const char *const names[] = { "C.UTF-8", "C.utf8" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		locale_t locale = newlocale(LC_ALL_MASK, names[i], (locale_t)0);

		if (locale) {
			freelocale(locale);
			return names[i];
		}
	}
	return "C";
}

/* A line of pg_ident.conf; names are quoted, so none is a keyword. */
static void add_mapping(struct strbuf *out, const char *account, const char *role)
{
	/* A name with a quote or as a regular expression (/…) would mean something else. */
	if (strchr(account, '"') || account[0] == '/' || strchr(role, '"'))
		return;
	strbuf_addf(out, "dbrig \"%s\" \"%s\"\n", account, role);
}

static void add_account(struct strbuf *out, const char *account, int major)
{
	add_mapping(out, account, "postgres");
	if (major >= 16)
		strbuf_addf(out, "dbrig \"%s\" all\n", account);
	else if (strcmp(account, "postgres") != 0 && strlen(account) <= ROLE_NAME_BYTES)
		add_mapping(out, account, account);
}

/*
 * The accounts that may come in are the server's own and the caller's. They may be every role;
 * before PostgreSQL 16 a map cannot say so, and they may be postgres and the role of their own
 * name.
 */
static void write_identities(const struct server *server, int major, struct strbuf *out)
{
	const struct passwd *caller = getpwuid(getuid());

	strbuf_adds(out, "# map, operating system's user, role\n");
	add_account(out, server->os_user, major);
	if (caller && strcmp(caller->pw_name, server->os_user) != 0)
		add_account(out, caller->pw_name, major);
}

static int append_settings(int directory, const char *path, struct err *err)
{
	const size_t length = sizeof(settings) - 1;
	int fd = openat(directory, "postgresql.conf", O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	bool written;

	if (fd < 0)
		return err_errno(err, "could not open file \"%s/postgresql.conf\"", path);
	written = write(fd, settings, length) == (ssize_t)length;
	if (close(fd) != 0 || !written)
		return err_errno(err, "could not write file \"%s/postgresql.conf\"", path);
	return 0;
}

static int configure(const struct server *server, const char *path, int major, struct err *err)
{
	CLEANUP(fd_cleanup) int directory = -1;
	CLEANUP(strbuf_release) struct strbuf identities = STRBUF_INIT;

	directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (directory < 0)
		return err_errno(err, "could not open directory \"%s\"", path);
	write_identities(server, major, &identities);
	if (append_settings(directory, path, err) != 0 ||
		server_file_write(directory, path, "pg_hba.conf", host_access, err) != 0)
		return -1;
	return server_file_write(directory, path, "pg_ident.conf", identities.data, err);
}

/* The last lines of what a program printed, as detail. */
static void add_output(struct err *err, struct strbuf *output)
{
	while (output->length > 0 && output->data[output->length - 1] == '\n')
		strbuf_truncate(output, output->length - 1);
	for (size_t at = output->length, lines = 0; at > 0; at--)
		if (output->data[at - 1] == '\n' && ++lines == 10) {
			strbuf_consume(output, at);
			break;
		}
	if (output->length > 0)
		err_detail(err, "%s", output->data);
}

static int run_initdb(const struct server *server, const struct server_binaries *binaries,
	const char *path, struct err *err)
{
	CLEANUP(strlist_release) struct strlist argv = STRLIST_INIT;
	CLEANUP(strbuf_release) struct strbuf output;
	const struct account account = server_account(server);
	struct process_spec spec = { .environment = server_environment, .account = &account };
	int status;

	strbuf_init(&output, INITDB_OUTPUT);
	strlist_addf(&argv, "%s/initdb", binaries->bindir);
	strlist_addf(&argv, "--pgdata=%s", path);
	strlist_addf(&argv, "--username=%s", server->user);
	strlist_add(&argv, "--encoding=UTF8");
	strlist_addf(&argv, "--locale=%s", find_locale());
	strlist_add(&argv, "--lc-messages=C");
	strlist_add(&argv, "--auth-local=peer");
	strlist_add(&argv, "--auth-host=reject");
	strlist_add(&argv, "--no-sync");
	if (binaries->major >= 18)
		strlist_add(&argv, "--no-data-checksums");
	spec.argv = (const char *const *)argv.items;
	if (process_run(&spec, INITDB_TIMEOUT_MS, &output, &status, err) != 0)
		return -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	err_set(err, ERR_FAILED, "could not create the private server in \"%s\"",
		server->directory);
	add_output(err, &output);
	return -1;
}

int server_cluster_create(const struct server *server, const struct server_lock *lock,
	const struct server_binaries *binaries, struct err *err)
{
	CLEANUP(mem_cleanup) char *name = mem_printf(SERVER_LEFTOVER "%ld", (long)getpid());
	CLEANUP(mem_cleanup) char *path = path_join(server->directory, name);
	CLEANUP(err_release) struct err ignored = ERR_INIT;

	server_remove_leftovers(server, lock->directory);
	if (run_initdb(server, binaries, path, err) == 0 &&
		configure(server, path, binaries->major, err) == 0) {
		if (renameat(lock->directory, name, lock->directory, "data") == 0)
			return 0;
		err_errno(err, "could not rename \"%s\"", path);
	}
	server_tree_remove(lock->directory, name, &ignored);
	return -1;
}
