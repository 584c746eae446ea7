#include "app/known_marks.h"

#include "app/known.h"
#include "app/private_server.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "pg/database.h"
#include "pg/identity.h"

#include <stdlib.h>
#include <string.h>

#define KIND_MARKED "marked"
/* By the directory of a private server: the names, a line each. */
#define KIND_MARKED_IN "marked-in"
#define MARKED_SECONDS KNOWN_FOR_EVER

/* By which a database is remembered; the caller owns it. */
static char *database_key(const struct target *target, const char *database)
{
	const char *host = params_get(&target->params, "host");
	const char *port = params_get(&target->params, "port");

	return mem_printf("%s\n%s\n%s", host ? host : "", port ? port : "", database);
}

/* Which database was marked. */
struct place {
	uint32_t oid; /* 0: an earlier version, or a server that did not answer, has left none */
	char *system; /* of its server; NULL: not known */
};

static void place_release(struct place *place)
{
	mem_free(place->system);
}

/* The next line of the text, which is cut there; NULL: it has no more. */
static char *cut_line(char *text)
{
	char *end = strchr(text, '\n');

	if (!end)
		return NULL;
	*end = '\0';
	return end + 1;
}

/* What is remembered: as which target, and a line each for oid and system. */
static bool get(
	const struct target *target, const char *database, char **ret_as, struct place *ret_place)
{
	CLEANUP(mem_cleanup) char *key = database_key(target, database);
	char *oid, *system;

	if (!known_get(KIND_MARKED, key, MARKED_SECONDS, ret_as))
		return false;
	oid = cut_line(*ret_as);
	system = oid ? cut_line(oid) : NULL;
	ret_place->oid = oid ? (uint32_t)strtoul(oid, NULL, 10) : 0;
	ret_place->system = system && *system ? mem_strdup(system) : NULL;
	return true;
}

static void put(const struct target *target, const char *as, const struct place *place)
{
	CLEANUP(mem_cleanup) char *key = database_key(target, target->database);
	CLEANUP(mem_cleanup)
	char *value = mem_printf(
		"%s\n%lu\n%s", as, (unsigned long)place->oid, place->system ? place->system : "");

	known_put(KIND_MARKED, key, value);
}

/* A server made anew gives its first database the oid that the first of the one before had. */
static bool is_same_server(const struct place *a, const struct place *b)
{
	return !a->system || !b->system || strcmp(a->system, b->system) == 0;
}

/* oid 0: there is no such database. A pooler may have another name for the one we are connected to.
 */
static int ask_place(
	const struct target *target, struct conn *conn, struct place *ret_place, struct err *err)
{
	const char *connected = PQdb(conn_pg(conn));
	const bool is_inside = connected && strcmp(connected, target->database) == 0;
	CLEANUP(mem_cleanup) char *comment = NULL;

	if (database_identity(
		    conn, is_inside ? NULL : target->database, &ret_place->oid, &comment, err) != 0)
		return -1;
	return identity_ask_system(conn, &ret_place->system, err);
}

static void forget(const struct target *target, const char *database)
{
	CLEANUP(mem_cleanup) char *key = database_key(target, database);
	CLEANUP(mem_cleanup) char *as = NULL;

	if (known_get(KIND_MARKED, key, MARKED_SECONDS, &as))
		known_put(KIND_MARKED, key, "");
}

/* --- of a private server --------------------------------------------------------------------- */

static void read_names(const char *directory, struct strlist *names)
{
	CLEANUP(mem_cleanup) char *text = NULL;
	char *rest = NULL;

	if (!known_get(KIND_MARKED_IN, directory, MARKED_SECONDS, &text))
		return;
	for (char *name = strtok_r(text, "\n", &rest); name; name = strtok_r(NULL, "\n", &rest))
		strlist_add(names, name);
}

/* Names with line breaks in them are not remembered. */
static void list(const char *directory, const char *database, bool listed)
{
	CLEANUP(strlist_release) struct strlist names = STRLIST_INIT;
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT_UNBOUNDED;
	bool was_listed = false;

	read_names(directory, &names);
	for (size_t i = 0; i < names.count; i++) {
		if (strcmp(names.items[i], database) == 0)
			was_listed = true;
		else
			strbuf_addf(&text, "%s\n", names.items[i]);
	}
	if (was_listed == listed || strchr(database, '\n'))
		return;
	if (listed)
		strbuf_addf(&text, "%s\n", database);
	known_put(KIND_MARKED_IN, directory, text.length > 0 ? text.data : "");
}

void known_marks_in_server(const struct context *context, struct strlist *names)
{
	const struct target *target = &context->target;
	CLEANUP(mem_cleanup) char *as = NULL;
	CLEANUP(place_release) struct place place = { 0 };

	read_names(target->server.directory, names);
	if (!strlist_has(names, target->database) && get(target, target->database, &as, &place))
		strlist_add(names, target->database);
}

void known_marks_forget_server(const struct context *context)
{
	const struct target *target = &context->target;
	CLEANUP(strlist_release) struct strlist names = STRLIST_INIT;

	known_marks_in_server(context, &names);
	for (size_t i = 0; i < names.count; i++) {
		forget(target, names.items[i]);
		list(target->server.directory, names.items[i], false);
	}
}

/* --- of any server --------------------------------------------------------------------------- */

bool known_marks_get(const struct context *context, char **ret_as)
{
	CLEANUP(place_release) struct place place = { 0 };

	return get(&context->target, context->target.database, ret_as, &place);
}

int known_marks_was(const struct context *context, struct conn *conn, uint32_t oid, char **ret_as,
	struct err *err)
{
	CLEANUP(mem_cleanup) char *as = NULL;
	CLEANUP(place_release) struct place known = { 0 };
	CLEANUP(place_release) struct place now = { .oid = oid };

	if (!get(&context->target, context->target.database, &as, &known) || known.oid == 0 ||
		known.oid != oid)
		return 0;
	if (identity_ask_system(conn, &now.system, err) != 0)
		return -1;
	if (is_same_server(&known, &now))
		*ret_as = take_ptr(as);
	return 0;
}

int known_marks_compare(const struct context *context, struct conn *conn, bool marked,
	char **ret_gone, struct err *err)
{
	const struct target *target = &context->target;
	CLEANUP(mem_cleanup) char *as = NULL;
	CLEANUP(place_release) struct place known = { 0 };
	CLEANUP(place_release) struct place now = { 0 };
	bool is_same;

	if (!get(target, target->database, &as, &known) || (known.oid == 0 && !marked))
		return 0;
	if (ask_place(target, conn, &now, err) != 0)
		return -1;
	is_same = now.oid == known.oid && is_same_server(&known, &now);
	if (marked && now.oid != 0 && (!is_same || (now.system && !known.system)))
		put(target, as, &now);
	else if (!marked && is_same)
		*ret_gone = take_ptr(as);
	return 0;
}

void known_marks_set(const struct context *context, struct conn *conn, const char *as)
{
	const struct target *target = &context->target;
	CLEANUP(mem_cleanup) char *directory = private_server_of(context, conn);
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	CLEANUP(place_release) struct place place = { 0 };

	if (!as) {
		forget(target, target->database);
	} else {
		/* Without it the next command that sees the mark remembers it. */
		if (ask_place(target, conn, &place, &ignored) != 0)
			interrupt_put_back(ignored.signal);
		put(target, as, &place);
	}
	if (directory)
		list(directory, target->database, as != NULL);
}

void known_marks_dropped(const struct context *context, struct conn *conn, bool keeps)
{
	const struct target *target = &context->target;
	CLEANUP(mem_cleanup) char *directory = private_server_of(context, conn);

	forget(target, target->database);
	if (directory && !keeps)
		list(directory, target->database, false);
}
