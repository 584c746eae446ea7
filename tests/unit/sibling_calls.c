/*
 * One call of pg/sibling.h or pg/database.h on a live server, for tests/e2e/siblings.bats.
 *
 *   sibling_calls URL find DATABASE
 *   sibling_calls URL change FORCE (NAME NEW-NAME MARK COMMENT ALLOW)…   MARK: a kind or "unmark"
 *   sibling_calls URL copy FORCE SOURCE NAME ALLOW
 *   sibling_calls URL size|uncopied NAME
 *   sibling_calls URL fingerprint EXTENSIONS
 *   sibling_calls URL lock|try-lock|try-background NAME   holds it until the end of stdin
 *   sibling_calls URL background-twice NAME               the same, gives it back and stays
 *   sibling_calls URL pool NAME SECONDS                   a pool of clients: each stays until it is
 * ended and connects again at once
 *
 * "-" is an argument that is not there; flags are 0 and 1. An error goes to stderr, each of its
 * texts with its name in front; the exit status is that of its kind, 130 after a signal.
 */
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "pg/database.h"
#include "pg/sibling.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHANGE_WORDS = 5, MOST_CHANGES = 8, POOL = 8 };

static const char *optional(const char *word)
{
	return strcmp(word, "-") == 0 ? NULL : word;
}

static bool flag(const char *word)
{
	return strcmp(word, "1") == 0;
}

static const char *shown(const char *text)
{
	return text ? text : "-";
}

static void print_sibling(const struct sibling *sibling)
{
	static const char *const kinds[] = { [MARK_NONE] = "none",
#define X(kind, word) [MARK_##kind] = word,
		MARK_KINDS(X)
#undef X
	};

	printf("%s|%s|%s|%u|%s%s%s\n", sibling->name, kinds[sibling->mark.kind],
		shown(sibling->mark.of), (unsigned)sibling->oid, sibling->is_owner ? "owner " : "",
		sibling->invalid ? "invalid " : "", sibling->allows_connections ? "open" : "shut");
}

static int find(struct conn *conn, char **words, struct err *err)
{
	CLEANUP(siblings_release) struct siblings siblings = SIBLINGS_INIT;

	if (siblings_find(conn, words[0], &siblings, err) != 0)
		return -1;
	printf("%s%s%s\n", siblings.found ? "found " : "missing ",
		siblings.may_create ? "may-create " : "",
		siblings.in_recovery ? "recovery" : "primary");
	if (siblings.found)
		print_sibling(&siblings.self);
	for (size_t i = 0; i < siblings.count; i++)
		print_sibling(&siblings.items[i]);
	return 0;
}

static enum mark_kind kind_of(const char *word)
{
	CLEANUP(mem_cleanup) char *comment = mem_printf("[dbrig:%s of=x]", word);
	CLEANUP(mark_release) struct mark mark = MARK_INIT;

	return mark_parse(comment, &mark) ? mark.kind : MARK_NONE;
}

static int change(struct conn *conn, int count, char **words, struct err *err)
{
	struct database_change changes[MOST_CHANGES];
	struct mark marks[MOST_CHANGES] = { 0 };
	bool force = flag(words[0]);
	size_t used = 0;
	int result;

	for (words++, count--; count >= CHANGE_WORDS && used < MOST_CHANGES; used++) {
		bool unmark = strcmp(words[2], "unmark") == 0;

		marks[used].kind = kind_of(words[2]);
		marks[used].of = mem_strdup("shop");
		changes[used] = (struct database_change){
			.name = words[0],
			.new_name = optional(words[1]),
			.mark = optional(words[2]) && !unmark ? &marks[used] : NULL,
			.unmark = unmark,
			.comment = optional(words[3]),
			.allow_connections = optional(words[4]) ? flag(words[4]) : -1,
		};
		words += CHANGE_WORDS;
		count -= CHANGE_WORDS;
	}
	result = databases_change(conn, changes, used, force, err);
	for (size_t i = 0; i < used; i++)
		mark_release(&marks[i]);
	return result;
}

static int size(struct conn *conn, char **words, struct err *err)
{
	int64_t bytes;

	if (database_size(conn, words[0], &bytes, err) != 0)
		return -1;
	printf("%lld\n", (long long)bytes);
	return 0;
}

static int uncopied(struct conn *conn, char **words, struct err *err)
{
	CLEANUP(mem_cleanup) char *what = NULL;

	if (database_uncopied(conn, words[0], true, &what, err) != 0)
		return -1;
	puts(shown(what));
	return 0;
}

static int fingerprint(struct conn *conn, char **words, struct err *err)
{
	char hex[DIGEST_HEX_SIZE];

	if (server_fingerprint(conn, flag(words[0]), hex, err) != 0)
		return -1;
	puts(hex);
	return 0;
}

static void hold(bool locked)
{
	char bytes[64];

	puts(locked ? "locked" : "busy");
	fflush(stdout);
	while (locked && read(STDIN_FILENO, bytes, sizeof(bytes)) > 0)
		;
}

static int lock(struct conn *conn, const char *call, char **words, struct err *err)
{
	bool locked = true;
	int failed;

	if (strcmp(call, "lock") == 0)
		failed = database_lock(conn, words[0], NULL, NULL, err);
	else if (strcmp(call, "try-lock") == 0)
		failed = database_try_lock(conn, words[0], &locked, err);
	else
		failed = database_try_background_lock(conn, words[0], &locked, err);
	if (failed)
		return -1;
	hold(locked);
	return 0;
}

static int background_twice(struct conn *conn, char **words, struct err *err)
{
	bool locked = false;

	if (database_try_background_lock(conn, words[0], &locked, err) != 0)
		return -1;
	hold(locked);
	if (database_release_background_lock(conn, words[0], err) != 0)
		return -1;
	puts("released");
	fflush(stdout);
	sleep(60);
	return 0;
}

/* One client of the pool: whatever goes wrong, it connects again. Ends by the time or a signal. */
static void connect_again(const struct params *params, const char *name, int64_t deadline)
{
	const struct conn_options options = { .application = "pool", .database = name };

	while (clock_ms() < deadline) {
		CLEANUP(conn_cleanup) struct conn *conn = NULL;
		CLEANUP(err_release) struct err ignored = ERR_INIT;

		if (conn_open(params, &options, &conn, &ignored) == 0)
			conn_exec(conn, "SELECT pg_sleep(30)", &ignored);
		if (ignored.kind == ERR_INTERRUPTED)
			return;
	}
}

static int pool(struct conn *conn, char **words)
{
	CLEANUP(params_release) struct params params = PARAMS_INIT;
	int64_t deadline = clock_ms() + 1000 * strtol(words[1], NULL, 10);
	pid_t clients[POOL];

	conn_params(conn, &params);
	for (int i = 0; i < POOL; i++) {
		clients[i] = fork();
		if (clients[i] == 0) {
			connect_again(&params, words[0], deadline);
			_exit(0);
		}
	}
	while (clock_ms() < deadline && !interrupt_pending())
		clock_sleep_ms(1000);
	for (int i = 0; i < POOL; i++)
		kill(clients[i], SIGKILL);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	return 0;
}

static int call(struct conn *conn, const char *name, int count, char **words, struct err *err)
{
	if (strcmp(name, "find") == 0)
		return find(conn, words, err);
	if (strcmp(name, "change") == 0)
		return change(conn, count, words, err);
	if (strcmp(name, "copy") == 0 && count == 4)
		return database_copy(conn, words[1], words[2], flag(words[3]), flag(words[0]), err);
	if (strcmp(name, "size") == 0)
		return size(conn, words, err);
	if (strcmp(name, "uncopied") == 0)
		return uncopied(conn, words, err);
	if (strcmp(name, "fingerprint") == 0)
		return fingerprint(conn, words, err);
	if (strcmp(name, "background-twice") == 0)
		return background_twice(conn, words, err);
	if (strcmp(name, "pool") == 0 && count == 2)
		return pool(conn, words);
	return lock(conn, name, words, err);
}

static void print_text(const char *name, const char *text)
{
	if (text)
		fprintf(stderr, "%s: %s\n", name, text);
}

static int failed(const struct err *err)
{
	print_text("error", err->message);
	print_text("detail", err->detail);
	print_text("hint", err->hint);
	print_text("note", err->note);
	print_text("sqlstate", err->sqlstate);
	return err->kind == ERR_INTERRUPTED ? 130 : err_exit_status(err->kind);
}

int main(int count, char **words)
{
	CLEANUP(params_release) struct params params = PARAMS_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	const struct conn_options options = { .application = "sibling_calls" };

	if (count < 4)
		return 64;
	if (params_parse(&params, "URL", words[1], &err) != 0 ||
		conn_open_maintenance(&params, &options, NULL, &conn, &err) != 0 ||
		call(conn, words[2], count - 3, words + 3, &err) != 0)
		return failed(&err);
	return 0;
}
