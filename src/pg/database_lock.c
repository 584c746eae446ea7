#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/message.h"
#include "pg/conn_internal.h"
#include "pg/database.h"
#include "queries.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* Between two looks for a lock that is held through another maintenance database, or by a
 * connection of its own. */
#define LOCK_PAUSE_MS 50

#define VERSION_IDLE_TIMEOUT 140000
#define VERSION_TRANSACTION_TIMEOUT 170000

#define RESET_LOCK "dbrig reset "
#define BACKGROUND_LOCK "dbrig background "
#define WAITING_LOCK "dbrig waiting "

/* FNV-1a, 64 bits, over a prefix of ours and the name: collisions with other users of advisory
 * locks are as unlikely as the key is long. */
static char *lock_key(const char *prefix, const char *name)
{
	const char *const parts[] = { prefix, name };
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		for (const char *c = parts[i]; *c; c++)
			hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
	return mem_printf("%" PRId64, (int64_t)(hash & INT64_MAX));
}

static bool is_true(const PGresult *result, int row, int column)
{
	return strcmp(PQgetvalue(result, row, column), "t") == 0;
}

/* --- behind a pooler ------------------------------------------------------------------------- */

/*
 * A session's lock would stay with the pooler's session, which is the next client's. That of a
 * transaction goes with the transaction, through which the session is ours alone.
 */
static int open_keeper(struct conn *conn, struct conn **ret_keeper, struct err *err)
{
	const struct conn_options options = { .database = PQdb(conn_pg(conn)) };

	if (database_maintains_template1(conn)) {
		err_set(err, ERR_FAILED,
			"behind a pooler template1 cannot be the maintenance database");
		err_detail(err, "A session of it would keep new databases from being made.");
		err_hint(err, "Name another with --maintenance-db, or the server itself.");
		return -1;
	}
	return conn_open_beside(conn, &options, 0, ret_keeper, err);
}

/* The transaction is idle while others work. */
static const char *begin_text(struct conn *keeper)
{
	return conn_server_version(keeper) >= VERSION_TRANSACTION_TIMEOUT
		       ? "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; "
			 "SET LOCAL transaction_timeout = 0"
		       : "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0";
}

/* Without the lock no transaction is left open: it would keep one of the pooler's sessions. */
static int try_keeper(struct conn *keeper, const char *key, bool *ret_locked, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (conn_exec(keeper, begin_text(keeper), err) != 0 ||
		conn_query_row(keeper, query_lock_keep, 1, &key, &result, err) != 0)
		return -1;
	*ret_locked = is_true(result, 0, 0) && !is_true(result, 0, 1);
	return *ret_locked ? 0 : conn_exec(keeper, "ROLLBACK", err);
}

static struct conn_lock **find_kept(struct conn *conn, const char *key)
{
	struct conn_lock **at = &conn->locks;

	while (*at && strcmp((*at)->key, key) != 0)
		at = &(*at)->next;
	return at;
}

static void add_kept(struct conn *conn, const char *key, struct conn *keeper)
{
	struct conn_lock *lock = mem_calloc(1, sizeof(*lock));

	*lock = (struct conn_lock){
		.key = mem_strdup(key), .keeper = keeper, .count = 1, .next = conn->locks
	};
	conn->locks = lock;
}

static int try_kept(struct conn *conn, const char *key, bool *ret_locked, struct err *err)
{
	CLEANUP(conn_cleanup) struct conn *keeper = NULL;
	struct conn_lock *kept = *find_kept(conn, key);

	if (kept) {
		kept->count++;
		*ret_locked = true;
		return 0;
	}
	if (open_keeper(conn, &keeper, err) != 0 || try_keeper(keeper, key, ret_locked, err) != 0)
		return -1;
	if (*ret_locked)
		add_kept(conn, key, take_ptr(keeper));
	return 0;
}

/* Not by closing alone, which the pooler may notice late. */
static int release_kept(struct conn *conn, const char *key, struct err *err)
{
	struct conn_lock **at = find_kept(conn, key), *kept = *at;
	int result;

	if (!kept || --kept->count > 0)
		return 0;
	result = conn_exec(kept->keeper, "ROLLBACK", err);
	*at = kept->next;
	kept->next = NULL;
	conn_locks_free(kept);
	return result;
}

/* --- a lock ---------------------------------------------------------------------------------- */

/*
 * held: it is not tried any more, only looked at. *ret_elsewhere: it is, but so it is by somebody
 * who is connected to another database. Behind a pooler both are false until conn is known to be.
 */
static int try_session(struct conn *conn, const char *key, bool held, bool *ret_locked,
	bool *ret_elsewhere, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;
	CLEANUP(mem_cleanup) char *pid = mem_printf("%d", PQbackendPID(conn_pg(conn)));
	const char *values[] = { key, held ? "true" : "false", pid };

	if (conn_query_row(conn, query_lock_try, 3, values, &result, err) != 0)
		return -1;
	*ret_locked = is_true(result, 0, 0);
	*ret_elsewhere = is_true(result, 0, 1);
	conn_note_process(conn, PQgetvalue(result, 0, 2));
	return 0;
}

static int try_lock(struct conn *conn, const char *key, bool *ret_locked, struct err *err)
{
	bool elsewhere;

	if (!conn->pooled && try_session(conn, key, false, ret_locked, &elsewhere, err) != 0)
		return -1;
	return conn->pooled ? try_kept(conn, key, ret_locked, err) : 0;
}

static int release_lock(struct conn *conn, const char *key, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;

	if (conn->pooled)
		return release_kept(conn, key, err);
	return conn_query(conn, query_lock_release, 1, &key, &result, err);
}

/* False when nobody holds it any more. */
static bool tell_holder(struct conn *conn, const char *key, lock_waiting_fn *waiting, void *context)
{
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	CLEANUP(result_cleanup) PGresult *result = NULL;
	CLEANUP(mem_cleanup) char *holder = NULL;

	if (conn_query(conn, query_lock_holder, 1, &key, &result, &ignored) != 0 ||
		PQntuples(result) == 0)
		return false;
	holder = message_line("pid %s, user %s, application \"%s\", client %s",
		PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1), PQgetvalue(result, 0, 2),
		PQgetvalue(result, 0, 3));
	if (waiting)
		waiting(context, holder);
	return true;
}

/*
 * The lock lasts as long as the session, which is idle while others work; and a role's limits are
 * meant for its queries, not for making and dropping databases.
 */
static int lift_limits(struct conn *conn, struct err *err)
{
	const char *sql = conn_server_version(conn) >= VERSION_IDLE_TIMEOUT
				  ? "SET statement_timeout = 0; SET lock_timeout = 0; "
				    "SET default_transaction_read_only = off; "
				    "SET idle_session_timeout = 0"
				  : "SET statement_timeout = 0; SET lock_timeout = 0; "
				    "SET default_transaction_read_only = off";

	return conn_set(conn, sql, err);
}

static int pause_between(unsigned attempt, struct err *err)
{
	clock_sleep_ms(LOCK_PAUSE_MS + (attempt * 37 + (unsigned)getpid()) % LOCK_PAUSE_MS);
	return interrupt_check(err);
}

/* Not by a statement that waits: a pooler has few sessions, and the one who holds it needs some. */
static int wait_kept(struct conn *conn, const char *key, lock_waiting_fn *waiting, void *context,
	struct err *err)
{
	CLEANUP(conn_cleanup) struct conn *keeper = NULL;
	bool told = false;

	if (open_keeper(conn, &keeper, err) != 0)
		return -1;
	for (unsigned attempt = 0;; attempt++) {
		bool locked;

		if (try_keeper(keeper, key, &locked, err) != 0)
			return -1;
		if (locked)
			break;
		if (!told)
			told = tell_holder(conn, key, waiting, context);
		if (pause_between(attempt, err) != 0)
			return -1;
	}
	add_kept(conn, key, take_ptr(keeper));
	return 0;
}

/*
 * Advisory locks are those of one database, and others may be connected to another maintenance
 * database: whoever finds another holder lets go and tries again, so that of two that come at the
 * same time one gets through.
 */
int database_lock(struct conn *conn, const char *name, lock_waiting_fn *waiting, void *context,
	struct err *err)
{
	CLEANUP(mem_cleanup) char *key = lock_key(RESET_LOCK, name);
	const char *values[] = { key };
	bool told = false;

	if (lift_limits(conn, err) != 0)
		return -1;
	for (unsigned attempt = 0;; attempt++) {
		CLEANUP(result_cleanup) PGresult *waited = NULL;
		bool locked, elsewhere;

		if (try_session(conn, key, false, &locked, &elsewhere, err) != 0)
			return -1;
		if (conn->pooled)
			return wait_kept(conn, key, waiting, context, err);
		if (!locked) {
			if (!told)
				told = tell_holder(conn, key, waiting, context);
			if (conn_query(conn, query_lock_wait, 1, values, &waited, err) != 0 ||
				try_session(conn, key, true, &locked, &elsewhere, err) != 0)
				return -1;
		}
		if (!elsewhere)
			return 0;
		if (release_lock(conn, key, err) != 0)
			return -1;
		if (!told)
			told = tell_holder(conn, key, waiting, context);
		if (pause_between(attempt, err) != 0)
			return -1;
	}
}

int database_try_lock(struct conn *conn, const char *name, bool *ret_locked, struct err *err)
{
	CLEANUP(mem_cleanup) char *key = lock_key(RESET_LOCK, name);

	return try_lock(conn, key, ret_locked, err);
}

int database_is_locked(struct conn *conn, const char *name, bool *ret_locked, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *result = NULL;
	CLEANUP(mem_cleanup) char *key = lock_key(RESET_LOCK, name);
	const char *values[] = { key };

	if (conn_query(conn, query_lock_holder, 1, values, &result, err) != 0)
		return -1;
	*ret_locked = PQntuples(result) > 0;
	return 0;
}

int database_try_background_lock(
	struct conn *conn, const char *name, bool *ret_locked, struct err *err)
{
	CLEANUP(mem_cleanup) char *key = lock_key(BACKGROUND_LOCK, name);

	if (lift_limits(conn, err) != 0)
		return -1;
	return try_lock(conn, key, ret_locked, err);
}

int database_release_background_lock(struct conn *conn, const char *name, struct err *err)
{
	CLEANUP(mem_cleanup) char *key = lock_key(BACKGROUND_LOCK, name);

	return release_lock(conn, key, err);
}

int database_try_waiting_lock(
	struct conn *conn, const char *name, bool *ret_locked, struct err *err)
{
	CLEANUP(mem_cleanup) char *key = lock_key(WAITING_LOCK, name);

	return try_lock(conn, key, ret_locked, err);
}

int database_release_waiting_lock(struct conn *conn, const char *name, struct err *err)
{
	CLEANUP(mem_cleanup) char *key = lock_key(WAITING_LOCK, name);

	return release_lock(conn, key, err);
}
