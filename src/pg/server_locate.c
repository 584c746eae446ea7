#include "pg/server_internal.h"

#include "base/file.h"
#include "base/mem.h"
#include "pg/suffix.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define DEFAULT_PORT 5432
#define ROOT_STATE_HOME "/var/lib/dbrig"
#define DATABASE_NAME_BYTES 63
/* Of the project's name in that of the state directory: leaves room for a socket's address. */
#define DIRECTORY_NAME_BYTES 40
/* "/.s.PGSQL.5432" */
#define SOCKET_NAME_BYTES 14

/* FNV-1a. Only has to tell the projects of one user apart. */
static uint32_t hash(const char *text)
{
	uint32_t value = 2166136261U;

	for (; *text; text++)
		value = (value ^ (unsigned char)*text) * 16777619U;
	return value;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* The project's name as a database name: my-App → my_app. */
static char *derive_database(const char *project_root)
{
	static const char *const taken[] = { "postgres", "template0", "template1" };
	struct strbuf name = STRBUF_INIT;

	for (const char *c = base_name(project_root); *c; c++) {
		char lower = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;

		if (is_plain(lower))
			strbuf_addc(&name, lower);
		else if (name.length > 0 && name.data[name.length - 1] != '_')
			strbuf_addc(&name, '_');
		if (name.length == 1 && lower >= '0' && lower <= '9') {
			strbuf_reset(&name);
			strbuf_addf(&name, "db_%c", lower);
		}
	}
	if (name.length > DATABASE_NAME_BYTES)
		strbuf_truncate(&name, DATABASE_NAME_BYTES);
	while (name.length > 0 && name.data[name.length - 1] == '_')
		strbuf_truncate(&name, name.length - 1);
	if (name.length == 0)
		strbuf_adds(&name, "app");
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		if (strcmp(name.data, taken[i]) == 0) {
			strbuf_adds(&name, "_dev");
			break;
		}
	return strbuf_detach(&name);
}

/* "<project>-<8 hex digits>": readable, and different for every project. */
static char *state_name(const char *project_root)
{
	struct strbuf name = STRBUF_INIT;
	char *text;

	for (const char *c = base_name(project_root); *c && name.length < DIRECTORY_NAME_BYTES;
		c++) {
		bool keep = is_plain(*c) || (*c >= 'A' && *c <= 'Z') || *c == '.' || *c == '-';

		strbuf_addc(&name, keep ? *c : '_');
	}
	text = mem_printf("%s-%08x", name.length ? name.data : "root", hash(project_root));
	strbuf_release(&name);
	return text;
}

static int find_account(struct server *server, struct err *err)
{
	const char *wanted = getenv("DB_SERVER_USER");
	const struct passwd *entry;

	if (getuid() != 0) {
		entry = getpwuid(getuid());
		if (!entry) {
			err_set(err, ERR_USAGE, "the current user (number %lu) has no name",
				(unsigned long)getuid());
			err_detail(err, "PostgreSQL refuses to run for a user whom the password "
					"database does not know.");
			err_hint(err, "Add the user to /etc/passwd, or set CONNECTION_URL to use "
				      "another server.");
			return -1;
		}
	} else if (wanted && *wanted) {
		entry = getpwnam(wanted);
		if (!entry)
			return err_set(err, ERR_USAGE, "DB_SERVER_USER: user \"%s\" does not exist",
				wanted);
		if (entry->pw_uid == 0)
			return err_set(err, ERR_USAGE,
				"DB_SERVER_USER: PostgreSQL cannot run as \"%s\"", wanted);
	} else {
		entry = getpwnam("postgres");
		if (!entry || entry->pw_uid == 0)
			entry = getpwnam("nobody");
		if (!entry || entry->pw_uid == 0) {
			err_set(err, ERR_USAGE, "no account to run PostgreSQL under");
			err_detail(err,
				"PostgreSQL cannot run as root, and there is neither a user "
				"\"postgres\" nor \"nobody\".");
			err_hint(err, "Set DB_SERVER_USER to a user without privileges.");
			return -1;
		}
	}
	server->os_user = mem_strdup(entry->pw_name);
	server->os_uid = entry->pw_uid;
	server->os_gid = entry->pw_gid;
	return 0;
}

/* Where the user's state directories are. */
static char *state_home(struct err *err)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	const struct passwd *entry;

	if (getuid() == 0)
		return mem_strdup(ROOT_STATE_HOME);
	/* The specification wants relative ones to be ignored. */
	if (state && state[0] == '/')
		return path_join(state, "dbrig");
	if (!home || home[0] != '/') {
		entry = getpwuid(getuid());
		home = entry ? entry->pw_dir : NULL;
	}
	if (home && home[0] == '/')
		return mem_printf("%s/.local/state/dbrig", strcmp(home, "/") == 0 ? "" : home);
	err_set(err, ERR_USAGE, "no directory for the private server: no home directory is known");
	err_hint(err, "Set HOME or DB_SERVER_DIR.");
	return NULL;
}

/* A path from the environment: absolute, without slashes at its end. */
static char *absolute_path(const char *path, const char *project_root)
{
	char *result = path[0] == '/' ? mem_strdup(path) : path_join(project_root, path);
	size_t length = strlen(result);

	while (length > 1 && result[length - 1] == '/')
		result[--length] = '\0';
	return result;
}

/* The path is written into one-line fields, and its last part is made and removed. */
static int check_directory_name(const char *variable, const char *path, struct err *err)
{
	const char *name = base_name(path);

	for (const char *c = path; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return err_set(err, ERR_USAGE, "%s holds a control character", variable);
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(
			err, ERR_USAGE, "%s: \"%s\" is not a directory name", variable, path);
	return 0;
}

static int find_directory(struct server *server, const struct env *env, struct err *err)
{
	const char *wanted = env_get(env, "DB_SERVER_DIR", NULL);
	CLEANUP(mem_cleanup) char *home = NULL;
	CLEANUP(mem_cleanup) char *name = NULL;

	if (wanted) {
		server->directory = absolute_path(wanted, server->project_root);
		return check_directory_name("DB_SERVER_DIR", server->directory, err);
	}
	home = state_home(err);
	if (!home)
		return -1;
	name = state_name(server->project_root);
	server->directory = path_join(home, name);
	return check_directory_name(getuid() == 0 ? "the project's path" : "XDG_STATE_HOME or HOME",
		server->directory, err);
}

/* A socket's address has little room; a comma would separate two hosts for libpq. */
static bool fits_socket(const char *directory)
{
	return strlen(directory) + SOCKET_NAME_BYTES <
		       sizeof(((struct sockaddr_un *)0)->sun_path) &&
	       !strchr(directory, ',');
}

static void find_socket_directory(struct server *server)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	uint32_t number = hash(server->directory);
	struct stat info;

	server->socket_dir = path_join(server->directory, "run");
	if (fits_socket(server->socket_dir))
		return;
	mem_free(server->socket_dir);
	server->socket_dir = NULL;
	if (getuid() != 0 && runtime && runtime[0] == '/' && lstat(runtime, &info) == 0 &&
		S_ISDIR(info.st_mode) && info.st_uid == getuid() &&
		(info.st_mode & (S_IRWXG | S_IRWXO)) == 0) {
		server->socket_dir = mem_printf("%s/dbrig-%08x", runtime, number);
		if (fits_socket(server->socket_dir))
			return;
		mem_free(server->socket_dir);
	}
	server->socket_dir =
		mem_printf("/tmp/dbrig-%lu-%08x", (unsigned long)server->os_uid, number);
}

static int find_database(struct server *server, const struct env *env, struct err *err)
{
	const char *source;
	const char *wanted = env_get(env, "DB_NAME", &source);
	CLEANUP(mem_cleanup) char *suffix_origin = NULL;

	if (!wanted) {
		server->database = derive_database(server->project_root);
		return suffix_add(env, &server->database, &suffix_origin, err);
	}
	if (strlen(wanted) > DATABASE_NAME_BYTES) {
		err_set(err, ERR_USAGE, "DB_NAME has %zu bytes, more than the %d PostgreSQL keeps",
			strlen(wanted), DATABASE_NAME_BYTES);
		err_hint(err,
			"The server would cut it and use another database; choose a shorter one.");
		return -1;
	}
	server->database = mem_strdup(wanted);
	return suffix_add(env, &server->database, &suffix_origin, err);
}

int server_locate(
	struct server *server, const struct env *env, const char *project_root, struct err *err)
{
	const char *bindir = getenv("DB_SERVER_BINDIR");
	/* One project, one server, whichever way one came to it. */
	char *resolved = realpath(project_root, NULL);

	server->project_root = resolved ? resolved : mem_strdup(project_root);
	server->user = mem_strdup("postgres");
	server->port = DEFAULT_PORT;
	if (bindir && *bindir)
		server->bindir_override = absolute_path(bindir, server->project_root);
	if (find_account(server, err) != 0 || find_directory(server, env, err) != 0 ||
		find_database(server, env, err) != 0)
		return -1;
	find_socket_directory(server);
	return 0;
}

static void add_encoded(struct strbuf *url, const char *text, const char *plain)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (is_plain(*text) || (c >= 'A' && c <= 'Z') || strchr(plain, c))
			strbuf_addc(url, *text);
		else
			strbuf_addf(url, "%%%02X", c);
	}
}

char *server_url(const struct server *server)
{
	struct strbuf url = STRBUF_INIT;

	strbuf_adds(&url, "postgresql:///");
	add_encoded(&url, server->database, "-._~");
	strbuf_adds(&url, "?host=");
	add_encoded(&url, server->socket_dir, "-._~/");
	strbuf_addf(&url, "&port=%d&user=", server->port);
	add_encoded(&url, server->user, "-._~");
	return strbuf_detach(&url);
}

void server_release(struct server *server)
{
	mem_free(server->project_root);
	mem_free(server->directory);
	mem_free(server->socket_dir);
	mem_free(server->database);
	mem_free(server->user);
	mem_free(server->os_user);
	mem_free(server->bindir_override);
	*server = (struct server){ 0 };
}

void server_state_release(struct server_state *state)
{
	mem_free(state->version);
	mem_free(state->bindir);
	*state = (struct server_state){ 0 };
}
