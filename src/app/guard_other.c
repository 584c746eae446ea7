/* Other databases than the target's own, that a script is about to do something to. */
#include "app/guard.h"

#include "app/private_server.h"
#include "app/twin.h"
#include "base/mem.h"
#include "pg/database.h"

#include <string.h>

/*
 * The databases that every server has, which scripts for a whole server pass through: what says
 * something of the server or the target says nothing of them.
 */
static bool is_passed_through(const struct target *target, const struct load_other *other)
{
	if (other->deed != LOAD_CONNECT && other->deed != LOAD_COMMENT &&
		other->deed != LOAD_CHANGE)
		return false;
	if (target->database && strcmp(target->database, other->database) == 0)
		return false;
	return strcmp(other->database, "postgres") == 0 ||
	       strcmp(other->database, "template1") == 0;
}

/* The connection is one to the database itself. */
static bool is_inside(const struct load_other *other)
{
	return other->deed == LOAD_CONNECT || other->deed == LOAD_EMPTY;
}

/* By the server's name for it, and by the one that led there, which may be a pooler's. */
static int find_twin_of_other(struct context *context, const struct load_other *other,
	enum protection_mark mark, bool is_private, struct twin *ret_twin, struct err *err)
{
	const char *connected = PQdb(conn_pg(other->conn));
	struct twin_question question = {
		.context = context,
		.conn = other->conn,
		.database = other->database,
		.mark = mark,
		.destroys = true,
		.by_place = is_private,
	};

	if (twin_find(&question, ret_twin, err) != 0)
		return -1;
	if (ret_twin->same || ret_twin->unknown || !is_inside(other) || !connected ||
		strcmp(connected, other->database) == 0)
		return 0;
	question.database = connected;
	return twin_find(&question, ret_twin, err);
}

static int judge_other(void *data, const struct load_other *other, struct load_verdict *ret_verdict,
	struct err *err)
{
	struct context *context = data;
	const struct target *target = &context->target;
	/* --allow-connect leads away from it. */
	CLEANUP(mem_cleanup) char *private_server = private_server_of(context, other->conn);
	const bool is_private = private_server != NULL;
	CLEANUP(mem_cleanup) char *comment = NULL;
	CLEANUP(mem_cleanup) char *marked_as = NULL;
	CLEANUP(twin_release) struct twin twin = TWIN_INIT;
	struct protection_signs signs = { .target = "" };

	if (database_comment(other->conn, other->database, &comment, err) != 0)
		return -1;
	signs.mark = protection_read(comment, &marked_as);
	signs.marked_as = marked_as;
	if (!is_passed_through(target, other)) {
		signs.target = target->name;
		signs.is_listed = target->is_listed;
		signs.host = is_private ? NULL : PQhost(conn_pg(other->conn));
		signs.address = is_private ? NULL : conn_public_address(other->conn);
	}
	ret_verdict->protected_why = protection_reason(&signs);
	if (ret_verdict->protected_why)
		return 0;
	if (find_twin_of_other(context, other, signs.mark, is_private, &twin, err) != 0)
		return -1;
	signs.twin = twin.same;
	ret_verdict->protected_why = protection_reason(&signs);
	ret_verdict->unknown_why = take_ptr(twin.unknown);
	return 0;
}

struct load_judge guard_judge(struct context *context)
{
	return (struct load_judge){ .context = context, .find = judge_other };
}
