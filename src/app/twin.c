#include "app/twin.h"

#include "app/known.h"
#include "app/twin_way.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/message.h"
#include "base/strbuf.h"
#include "pg/conn_failure.h"
#include "pg/conn_pooler.h"
#include "pg/database.h"
#include "pg/identity.h"
#include "pg/probe.h"
#include "pg/protected_targets.h"
#include "pg/protected_url.h"
#include "term/out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* With less a server is not asked: that it was silent would say nothing of it. */
#define ASK_LEAST_MS 500
#define OWN_MS 60000

#define MINUTE ((int64_t)60)
#define HOUR ((int64_t)3600)
#define DAY ((int64_t)24 * 3600)

/* How long it counts that a server is the same, another, another though it is silent now. */
#define SAME_SECONDS (30 * DAY)
#define OTHER_SECONDS (10 * MINUTE)
#define OTHER_SILENT_SECONDS (7 * DAY)
#define SILENT_SECONDS (10 * MINUTE)

#define KIND_SERVER "server"
#define KIND_SILENT "silent"
#define KIND_SETTLED "settled"

enum answer { ANSWER_OTHER, ANSWER_SAME, ANSWER_UNKNOWN };

/* One search through the variables. */
struct search {
	const struct twin_question *question;
	struct identity ours; /* once it was asked for */
	bool asked_ours;
	char *own; /* what our database is called there, once it was asked; NULL: not known */
	bool asked_own;
	int64_t deadline; /* of all that is asked elsewhere; 0: nothing was yet */
};

/* The URL of a protected target that may lead to the database. */
struct candidate {
	const struct env_value *url; /* NULL: none, but the PG* variables of local */
	struct env_value plain;      /* that URL without its driver's name, with plain_value */
	char *plain_value;
	struct target target;
	char *database;
	struct probe probe; /* its places */
	char *key;          /* by which what it said is remembered */
	bool same_name;
	bool same_place;
	char *silent;     /* why it could not be asked; or that lacks does not say enough */
	bool lacks;       /* its server, and no pooler, said that there is no such database */
	bool is_recalled; /* that it is the same was not asked now, or not answered */
};

static void candidate_release(struct candidate *candidate)
{
	mem_free_secret(candidate->plain_value);
	target_release(&candidate->target);
	mem_free(candidate->database);
	probe_release(&candidate->probe);
	mem_free(candidate->key);
	mem_free(candidate->silent);
}

/* --- what they say --------------------------------------------------------------------------- */

static void remember(const char *key, const struct identity *identity)
{
	CLEANUP(mem_cleanup)
	char *value = mem_printf("%s\n%s\n%s", identity->system ? identity->system : "",
		identity->start, identity->database);

	known_put(KIND_SERVER, key, value);
}

/* Another identifier is another server; another start may be the same one, started again. */
static bool is_other(const struct identity *a, const struct identity *b)
{
	return a->system && b->system && strcmp(a->system, b->system) != 0;
}

/* False: it said nothing within that time. */
static bool recall(const char *key, int64_t most_seconds, struct identity *identity)
{
	CLEANUP(mem_cleanup) char *value = NULL;
	char *start, *database;

	if (!known_get(KIND_SERVER, key, most_seconds, &value))
		return false;
	start = strchr(value, '\n');
	database = start ? strchr(start + 1, '\n') : NULL;
	if (!database)
		return false;
	*start++ = *database++ = '\0';
	identity_release(identity);
	identity->system = *value ? mem_strdup(value) : NULL;
	identity->start = mem_strdup(start);
	identity->database = mem_strdup(database);
	return true;
}

static bool says_missing(const struct err *err)
{
	return strcmp(err->sqlstate, CONN_STATE_NO_DATABASE) == 0 &&
	       !conn_pooler_refusal(err->sqlstate, err->detail);
}

/* A server that has no such database may be this one all the same, and the name mistyped. What it
 * does not say here either stays empty. */
static int question_lacking(const struct params *params, const struct conn_options *options,
	struct identity *theirs, struct err *err)
{
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	CLEANUP(err_release) struct err own = ERR_INIT;

	if (conn_open_maintenance(params, options, NULL, &conn, &own) == 0 &&
		identity_ask(conn, options->deadline, theirs, &own) == 0) {
		mem_free(theirs->database);
		theirs->database = mem_strdup("");
		return 0;
	}
	if (own.kind != ERR_INTERRUPTED)
		return 0;
	*err = own;
	own = (struct err)ERR_INIT;
	return -1;
}

/* Asks the other server; what it does not say is in candidate->silent. */
static int question(struct search *search, struct candidate *candidate, struct identity *theirs,
	struct err *err)
{
	struct context *context = search->question->context;
	const struct conn_options options = { .application = context->program,
		.database = candidate->database,
		.deadline = twin_deadline(&search->deadline) };
	CLEANUP(target_release) struct target target = TARGET_INIT;
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	CLEANUP(err_release) struct err own = ERR_INIT;

	if (search->deadline - clock_ms() < ASK_LEAST_MS) {
		candidate->silent = mem_strdup(
			"looking up its host, or other servers, had taken up the time to ask");
		return 0;
	}
	if (target_resolve_value(
		    &target, candidate->target.name, &context->env, candidate->url, &own) != 0) {
		candidate->silent = mem_strdup(own.message);
		return 0;
	}
	if (target.is_iam) {
		candidate->silent = mem_strdup("it would take a token of AWS's");
		return 0;
	}
	params_set(&target.params, "client_encoding", "UTF8");
	out_info("asking the server of %s whether it is this one", candidate->target.origin);
	if (conn_open(&target.params, &options, &conn, &own) == 0 &&
		identity_ask(conn, search->deadline, theirs, &own) == 0)
		return 0;
	if (own.kind == ERR_INTERRUPTED) {
		*err = own;
		own = (struct err)ERR_INIT;
		return -1;
	}
	candidate->lacks = says_missing(&own);
	if (candidate->lacks)
		return question_lacking(&target.params, &options, theirs, err);
	/* Its first line; that of several hosts has many. */
	candidate->silent = own.detail ? mem_strndup(own.detail, strcspn(own.detail, "\n"))
				       : mem_strdup(own.message);
	return 0;
}

/* The same, and remembers it. */
static int ask(struct search *search, struct candidate *candidate, struct identity *theirs,
	struct err *err)
{
	CLEANUP(mem_cleanup) char *said = NULL;

	identity_release(theirs);
	if (question(search, candidate, theirs, err) != 0)
		return -1;
	/* Where it is asked each time that is said once in a while. */
	if (candidate->silent && !candidate->same_name &&
		!known_get(KIND_SILENT, candidate->key, HOUR, &said))
		out_info("it did not say, and is taken for another one, as its database has "
			 "another name: %s",
			candidate->silent);
	if (candidate->silent)
		known_put(KIND_SILENT, candidate->key, candidate->silent);
	else if (theirs->start)
		remember(candidate->key, theirs);
	return 0;
}

static int ask_ours(struct search *search, struct err *err)
{
	if (search->asked_ours)
		return 0;
	search->asked_ours = true;
	return identity_ask(search->question->conn, clock_ms() + OWN_MS, &search->ours, err);
}

/* A server without its service's own role is not one of that service's. */
static int serves_another(struct search *search, const struct candidate *candidate,
	bool *ret_another, struct err *err)
{
	const struct probe *probe = &candidate->probe;

	*ret_another = probe->place_count > 0;
	for (size_t i = 0; i < probe->place_count && *ret_another; i++) {
		const struct probe_place *place = &probe->places[i];
		/* Behind an address of its own there may be anything. */
		const char *role = place->address ? NULL : protection_service_role(place->host);
		bool has = true;

		if (role && identity_has_role(search->question->conn, role, clock_ms() + OWN_MS,
				    &has, err) != 0)
			return -1;
		*ret_another = !has;
	}
	return 0;
}

/* A pooler's name for it may differ from the server's. */
static int ask_own_name(struct search *search, struct err *err)
{
	struct conn *conn = search->question->conn;
	const char *connected = PQdb(conn_pg(conn));

	if (search->asked_own || !connected || strcmp(connected, search->question->database) != 0)
		return 0;
	search->asked_own = true;
	return database_own_name(conn, &search->own, err);
}

/* What our database is called there; over a maintenance connection it is what we call it. */
static const char *own_database(const struct search *search)
{
	const char *connected = PQdb(conn_pg(search->question->conn));
	const char *name = search->question->database;

	return search->ours.database && connected && strcmp(connected, name) == 0
		       ? search->ours.database
		       : name;
}

static bool is_same(const struct search *search, const struct identity *theirs)
{
	return theirs->database && identity_same_server(&search->ours, theirs) &&
	       strcmp(theirs->database, own_database(search)) == 0;
}

/* --- one of them ----------------------------------------------------------------------------- */

/*
 * The mark says that our database is not production's, the server that it is: a copy of the whole
 * server. Production itself has the same mark then, unless it is one.
 */
static int settle(struct search *search, struct candidate *candidate, enum answer *ret_answer,
	struct err *err)
{
	CLEANUP(identity_release) struct identity theirs = IDENTITY_INIT;
	CLEANUP(mem_cleanup) char *known = NULL;
	CLEANUP(mem_cleanup)
	char *key = mem_printf("%s\n%s\n%s", candidate->key,
		search->ours.system ? search->ours.system : "", own_database(search));

	*ret_answer = ANSWER_OTHER;
	if (!search->question->anew && known_get(KIND_SETTLED, key, OTHER_SECONDS, &known))
		return 0;
	if (ask(search, candidate, &theirs, err) != 0)
		return -1;
	candidate->is_recalled = candidate->silent || candidate->lacks;
	if (candidate->is_recalled)
		*ret_answer = !search->question->anew &&
					      known_get(KIND_SETTLED, key, SAME_SECONDS, &known)
				      ? ANSWER_OTHER
				      : ANSWER_SAME;
	else if (is_same(search, &theirs) &&
		 protection_read(theirs.comment, NULL) == PROTECTION_LIFTED)
		*ret_answer = ANSWER_SAME;
	else
		known_put(KIND_SETTLED, key, "yes");
	return 0;
}

/*
 * A pooler's name for production's database may be any: its server is asked what it is really
 * called. That it is silent is no sign then, and is not waited for every time; where tunnels end
 * that takes no time, and the next one may be open.
 */
static bool is_worth_asking(const struct candidate *candidate)
{
	CLEANUP(mem_cleanup) char *silent = NULL;

	return twin_is_local(&candidate->probe) ||
	       !known_get(KIND_SILENT, candidate->key, HOUR, &silent);
}

/*
 * Its server has no such database: another one than ours, which has it, or the same, and then the
 * URL may mean ours. One of quite another name has not been made yet.
 */
static enum answer answer_lacking(
	struct search *search, struct candidate *candidate, const struct identity *theirs)
{
	struct conn *conn = search->question->conn;
	bool may_be_ours;

	if (theirs->start)
		may_be_ours = identity_same_server(&search->ours, theirs);
	else
		may_be_ours = (candidate->same_name && conn_is_pooled(conn)) ||
			      twin_is_same_place(&candidate->probe, conn, &search->deadline) ||
			      (!candidate->same_name && twin_is_near(&candidate->probe, conn));
	if (!may_be_ours || (!candidate->same_name &&
				    !twin_is_misspelt(candidate->database, own_database(search))))
		return ANSWER_OTHER;
	candidate->silent = message_line("its database \"%s\" is not there, on the same server: is "
					 "the name mistyped?",
		candidate->database);
	return ANSWER_UNKNOWN;
}

static enum answer recalled_same(struct candidate *candidate)
{
	candidate->is_recalled = true;
	return ANSWER_SAME;
}

/* What was remembered decides where it may; otherwise the server does. */
static int compare_servers(struct search *search, struct candidate *candidate,
	enum answer *ret_answer, struct err *err)
{
	const struct twin_question *asked = search->question;
	const bool lifted = asked->mark == PROTECTION_LIFTED;
	CLEANUP(identity_release) struct identity theirs = IDENTITY_INIT;
	const bool known = recall(candidate->key, SAME_SECONDS, &theirs);
	bool another, was_same;

	*ret_answer = ANSWER_OTHER;
	if (!candidate->same_name && !candidate->same_place && !known &&
		!is_worth_asking(candidate))
		return 0;
	if (serves_another(search, candidate, &another, err) != 0)
		return -1;
	if (another)
		return 0;
	if (ask_ours(search, err) != 0)
		return -1;
	was_same = known && is_same(search, &theirs);
	/* Where it is lifted, settle asks. */
	if (was_same && (lifted || (!asked->anew && !twin_is_local(&candidate->probe)))) {
		*ret_answer = recalled_same(candidate);
	} else if (!asked->anew && !twin_is_local(&candidate->probe) &&
		   recall(candidate->key, candidate->same_name ? OTHER_SECONDS : SAME_SECONDS,
			   &theirs) &&
		   (is_other(&search->ours, &theirs) ||
			   (!candidate->same_name && *theirs.database))) {
		return 0;
	} else {
		const bool may_wait = (!asked->destroys || lifted || !candidate->same_name) &&
				      !twin_is_local(&candidate->probe);

		if ((asked->anew || !may_wait ||
			    !known_get(KIND_SILENT, candidate->key, SILENT_SECONDS,
				    &candidate->silent)) &&
			ask(search, candidate, &theirs, err) != 0)
			return -1;
		if (candidate->lacks)
			*ret_answer =
				lifted ? ANSWER_OTHER : answer_lacking(search, candidate, &theirs);
		else if (!candidate->silent)
			*ret_answer = is_same(search, &theirs) ? ANSWER_SAME : ANSWER_OTHER;
		else if (candidate->same_name && twin_is_near(&candidate->probe, asked->conn))
			*ret_answer = ANSWER_SAME;
		else if (was_same)
			*ret_answer = recalled_same(candidate);
		else if (candidate->same_name &&
			 (twin_is_local(&candidate->probe) ||
				 !recall(candidate->key, OTHER_SILENT_SECONDS, &theirs) ||
				 !is_other(&search->ours, &theirs)))
			*ret_answer = lifted ? ANSWER_OTHER : ANSWER_UNKNOWN;
	}
	return *ret_answer == ANSWER_SAME && lifted && !candidate->same_place
		       ? settle(search, candidate, ret_answer, err)
		       : 0;
}

/* The caller owns it. */
static char *origin_of(const struct env_value *url)
{
	return url ? env_origin(url->name, url->file) : mem_strdup("what the PG* variables name");
}

/*
 * Why nothing can be said of where the URL leads; the caller owns it. NULL: the candidate's places
 * are set, or the URL is none of a target.
 */
static char *unusable(struct candidate *candidate, const char *name, const struct env *env)
{
	CLEANUP(err_release) struct err own = ERR_INIT;
	CLEANUP(mem_cleanup) char *origin = origin_of(candidate->url);

	if (candidate->url && protected_url_is_bracketed(candidate->url->value))
		return message_line("%s stands between < and >, and is a URL without them", origin);
	candidate->plain_value = candidate->url ? protected_url_plain(candidate->url->value) : NULL;
	if (candidate->plain_value) {
		candidate->plain = *candidate->url;
		candidate->plain.value = candidate->plain_value;
		candidate->url = &candidate->plain;
	}
	if (target_read_value(&candidate->target, name, env, candidate->url, &own) != 0 ||
		probe_places(&candidate->probe, &candidate->target.params, &own) != 0)
		return candidate->target.name ? mem_strdup(own.message) : NULL;
	if (!probe_has_service(&candidate->target.params))
		return mem_printf("the service \"%s\" is in no service file",
			params_get(&candidate->target.params, "service"));
	/* libpq takes all of "host=h;port=1" for a name; what follows may be a password. */
	for (size_t i = 0; i < candidate->probe.place_count; i++)
		if (!candidate->probe.places[i].is_socket &&
			strchr(candidate->probe.places[i].host, ';'))
			return message_line("%s: the host holds a semicolon; libpq wants blanks "
					    "between the parameters",
				origin);
	return NULL;
}

/* *ret_reason: of what is not known, or where SAME is what was known once; NULL otherwise. name: of
 * the target that url is one of; url: NULL: the PG* variables */
static int compare(struct search *search, const char *name, const struct env_value *url,
	enum answer *ret_answer, char **ret_reason, struct err *err)
{
	const struct twin_question *asked = search->question;
	struct context *context = asked->context;
	CLEANUP(candidate_release) struct candidate candidate = { .url = url };
	CLEANUP(mem_cleanup) char *trouble = unusable(&candidate, name, &context->env);
	/* A machine may have such a name all the same: the very place counts. */
	const bool is_template = url && protected_url_is_template(url->value);

	*ret_answer = ANSWER_OTHER;
	if (trouble && !is_template && asked->mark != PROTECTION_LIFTED && !asked->by_place) {
		*ret_answer = ANSWER_UNKNOWN;
		*ret_reason = take_ptr(trouble);
		return 0;
	}
	if (trouble || candidate.probe.place_count == 0)
		return 0;
	candidate.database = twin_database(&context->env, &candidate.target);
	if (!candidate.database)
		return 0;
	if (ask_own_name(search, err) != 0)
		return -1;
	candidate.key = twin_key(&candidate.target.params, candidate.database, &candidate.probe);
	candidate.same_name = strcmp(candidate.database, asked->database) == 0 ||
			      (search->own && strcmp(candidate.database, search->own) == 0);
	if (asked->by_name && !candidate.same_name)
		return 0;
	candidate.same_place = twin_is_same_place(&candidate.probe, asked->conn,
		candidate.same_name && !asked->by_place && !is_template ? &search->deadline : NULL);
	if (candidate.same_name &&
		(candidate.same_place ||
			(asked->mark != PROTECTION_LIFTED && !asked->by_place && !is_template &&
				twin_is_one_of_several(&candidate.probe, asked->conn))))
		*ret_answer = ANSWER_SAME;
	if (*ret_answer == ANSWER_SAME || asked->by_place || is_template)
		return 0;
	if (compare_servers(search, &candidate, ret_answer, err) != 0)
		return -1;
	if (*ret_answer == ANSWER_UNKNOWN)
		*ret_reason = take_ptr(candidate.silent);
	else if (*ret_answer == ANSWER_SAME && candidate.is_recalled)
		*ret_reason = mem_strdup("by what its server said when it was asked last,");
	return 0;
}

/* --- looking through the targets ------------------------------------------------------------- */

/* What could not be read is as a URL that cannot be used. NULL: nothing; the caller's. */
static char *unread_text(const struct twin_question *asked)
{
	const struct env *env = &asked->context->env;

	if (!env->aside_trouble || asked->mark == PROTECTION_LIFTED || asked->by_place)
		return NULL;
	return message_line(
		"a URL that may stand in %s (%s)", env->aside->file, env->aside_trouble);
}

/* A reason that is about the variable names it itself. */
static int look_at(struct search *search, const char *name, const struct env_value *url,
	struct twin *ret_twin, struct err *err)
{
	CLEANUP(mem_cleanup) char *origin = origin_of(url);
	CLEANUP(mem_cleanup) char *reason = NULL;
	enum answer answer;

	if (compare(search, name, url, &answer, &reason, err) != 0)
		return -1;
	if (answer == ANSWER_SAME)
		ret_twin->same = reason ? mem_printf("%s, %s", origin, reason) : take_ptr(origin);
	else if (answer == ANSWER_UNKNOWN && !ret_twin->unknown)
		ret_twin->unknown = url && strncmp(reason, url->name, strlen(url->name)) == 0
					    ? take_ptr(reason)
					    : message_line("%s (%s)", origin, reason);
	return 0;
}

/* Where local has no URL, as target_resolve has it. */
static bool has_local_variables(const struct env *env, const struct env_values *values)
{
	CLEANUP(target_release) struct target local = TARGET_INIT;
	CLEANUP(err_release) struct err ignored = ERR_INIT;

	return protected_targets_have(values, "local") &&
	       target_read_value(&local, "local", env, NULL, &ignored) == 0 &&
	       local.from_libpq_variables;
}

int twin_find(const struct twin_question *asked, struct twin *ret_twin, struct err *err)
{
	const struct env *env = &asked->context->env;
	const char *own_name = asked->context->target.name;
	CLEANUP(env_values_release) struct env_values values = ENV_VALUES_INIT;
	struct search search = { .question = asked };
	int result = 0;

	env_values(env, &values);
	for (size_t i = 0; i < values.count && result == 0 && !ret_twin->same; i++) {
		CLEANUP(mem_cleanup) char *name = protected_url_target(&values, i);

		if (name && strcasecmp(name, own_name) != 0)
			result = look_at(&search, name, &values.items[i], ret_twin, err);
	}
	if (result == 0 && !ret_twin->same && strcmp(own_name, "local") != 0 &&
		has_local_variables(env, &values))
		result = look_at(&search, "local", NULL, ret_twin, err);
	if (result == 0 && !ret_twin->same && !ret_twin->unknown)
		ret_twin->unknown = unread_text(asked);
	identity_release(&search.ours);
	mem_free(search.own);
	return result;
}

void twin_release(struct twin *twin)
{
	mem_free(twin->same);
	mem_free(twin->unknown);
	*twin = (struct twin)TWIN_INIT;
}

void twin_remember(struct context *context, struct conn *conn)
{
	const struct target *target = &context->target;
	CLEANUP(err_release) struct err ignored = ERR_INIT;
	CLEANUP(probe_release) struct probe probe = PROBE_INIT;
	CLEANUP(identity_release) struct identity known = IDENTITY_INIT, identity = IDENTITY_INIT;
	CLEANUP(mem_cleanup) char *key = NULL;

	if (!target_is_protected(target) || probe_places(&probe, &target->params, &ignored) != 0)
		return;
	key = twin_key(&target->params, target->database, &probe);
	if (recall(key, DAY, &known) ||
		identity_ask(conn, clock_ms() + OWN_MS, &identity, &ignored) != 0)
		return;
	/* A maintenance connection does not tell what a pooler's name leads to. */
	if (strcmp(PQdb(conn_pg(conn)), target->database) != 0) {
		mem_free(identity.database);
		identity.database =
			mem_strdup(recall(key, SAME_SECONDS, &known) ? known.database : "");
	}
	remember(key, &identity);
}
