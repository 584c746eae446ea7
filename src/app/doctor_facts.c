/* The last steps: what the role may do, how the server is set. */
#include "app/doctor_internal.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/message.h"
#include "base/strbuf.h"
#include "pg/health.h"
#include "term/json.h"

#include <string.h>

static void add(struct strbuf *text, bool holds, const char *what)
{
	if (holds)
		strbuf_addf(text, "%s%s", text->length ? ", " : "", what);
}

static void find_password_expiry(struct doctor *doctor, const struct health_role *role)
{
	const int64_t days = role->expires_seconds / 86400;

	if (role->expires && days < DOCTOR_EXPIRY_DAYS)
		doctor_find(doctor, "password-expiry",
			role->expires_seconds < 0 ? DOCTOR_ERROR : DOCTOR_WARN, role->user,
			role->expires_seconds < 0
				? mem_strdup("the role's password has expired")
				: mem_printf("the role's password expires in %lld day%s",
					  (long long)days, days == 1 ? "" : "s"),
			NULL, NULL);
}

/* A pooler may have sessions of another role than the one that it lets in; options may set one. */
static char *with_role(const struct health_role *role, const char *user, struct strbuf *text)
{
	CLEANUP(mem_cleanup) char *rights = strbuf_detach(text);

	if (!user || strcmp(role->user, user) == 0)
		return take_ptr(rights);
	return message_format("as the role \"%s\"\n%s", role->user, rights);
}

/* user: who was let in. */
static void tell_role(
	struct doctor *doctor, const struct health_role *role, const char *user, int64_t us)
{
	struct strbuf text = STRBUF_INIT;
	json_t *facts = json_object();

	add(&text, role->is_superuser, "superuser");
	add(&text, role->owns_database, "owner of the database");
	add(&text, true, "may connect");
	add(&text, role->may_create_schemas, "create schemas");
	add(&text, role->may_create_in_public, "create tables in public");
	add(&text, role->may_create_databases, "create databases");
	add(&text, role->may_create_roles, "create roles");
	add(&text, role->bypasses_rls && !role->is_superuser, "pass by row-level security");
	if (!role->may_create_schemas && !role->may_create_in_public)
		strbuf_adds(&text, "; may create nothing in this database");
	if (role->member_of)
		message_add(&text, "\nmember of %s", role->member_of);
	json_object_set_new(facts, "user", out_json_text(role->user));
	json_object_set_new(facts, "superuser", json_boolean(role->is_superuser));
	json_object_set_new(facts, "owner", json_boolean(role->owns_database));
	json_object_set_new(facts, "create_schema", json_boolean(role->may_create_schemas));
	json_object_set_new(facts, "create_in_public", json_boolean(role->may_create_in_public));
	json_object_set_new(facts, "createdb", json_boolean(role->may_create_databases));
	json_object_set_new(facts, "createrole", json_boolean(role->may_create_roles));
	json_object_set_new(facts, "bypassrls", json_boolean(role->bypasses_rls));
	json_object_set_new(facts, "member_of", out_json_text(role->member_of));
	doctor_step(doctor, "privileges", DOCTOR_OK, us, with_role(role, user, &text), facts);
	find_password_expiry(doctor, role);
}

static void add_limit(struct strbuf *text, const char *name, const char *value)
{
	if (strcmp(value, "0") != 0)
		strbuf_addf(text, "%s%s %s", text->length ? ", " : "", name, value);
}

static char *limits(const struct health_server *server)
{
	struct strbuf text = STRBUF_INIT;

	if (server->role_limit >= 0)
		strbuf_addf(&text, "connections of the role %ld", server->role_limit);
	if (server->database_limit >= 0)
		strbuf_addf(&text, "%sconnections of the database %ld", text.length ? ", " : "",
			server->database_limit);
	add_limit(&text, "statement_timeout", server->statement_timeout);
	add_limit(&text, "lock_timeout", server->lock_timeout);
	add_limit(&text, "idle_in_transaction_session_timeout", server->idle_transaction_timeout);
	add_limit(&text, "idle_session_timeout", server->idle_session_timeout);
	add_limit(&text, "transaction_timeout", server->transaction_timeout);
	return text.length ? strbuf_detach(&text) : mem_strdup("none");
}

/* Who asks for a standby, or reads only, wants one. */
static bool wants_standby(const struct doctor *doctor)
{
	CLEANUP(mem_cleanup)
	char *wanted = probe_param(&doctor->context->target.params, "target_session_attrs");

	return wanted && (strstr(wanted, "standby") || strcmp(wanted, "read-only") == 0);
}

static void tell_server(struct doctor *doctor, const struct health_server *server, int64_t us)
{
	CLEANUP(mem_cleanup) char *limited = limits(server);
	json_t *facts = json_object();
	const bool warns = server->is_standby ? !wants_standby(doctor) : server->is_read_only;
	char *text = mem_printf("PostgreSQL %s, %s%s\n%ld of %ld connections in use\n%s, collation "
				"%s, time zone %s, ssl %s\nlimits: %s",
		server->version, server->is_standby ? "standby: read-only" : "primary",
		server->is_read_only && !server->is_standby ? ", sessions begin read-only" : "",
		server->connections, server->most_connections, server->encoding, server->collation,
		server->time_zone, server->ssl, limited);

	json_object_set_new(facts, "version", out_json_text(server->version));
	json_object_set_new(facts, "in_recovery", json_boolean(server->is_standby));
	json_object_set_new(
		facts, "default_transaction_read_only", json_boolean(server->is_read_only));
	json_object_set_new(facts, "connections", json_integer(server->connections));
	json_object_set_new(facts, "max_connections", json_integer(server->most_connections));
	json_object_set_new(
		facts, "reserved_connections", json_integer(server->reserved_connections));
	json_object_set_new(facts, "ssl", out_json_text(server->ssl));
	json_object_set_new(facts, "time_zone", out_json_text(server->time_zone));
	json_object_set_new(facts, "encoding", out_json_text(server->encoding));
	json_object_set_new(facts, "collation", out_json_text(server->collation));
	json_object_set_new(facts, "limits", out_json_text(limited));
	doctor_step(doctor, "settings", warns ? DOCTOR_WARNING : DOCTOR_OK, us, text, facts);
}

static void find_read_only(struct doctor *doctor, const struct probe *probe,
	const struct health_server *server, const char *database)
{
	const struct probe_address *address = probe_first(probe);

	if (server->is_standby && !wants_standby(doctor))
		doctor_find(doctor, "standby", DOCTOR_WARN, probe->places[address->place].host,
			mem_strdup("is a standby: whatever writes fails with \"cannot execute … "
				   "in a read-only transaction\""),
			NULL,
			mem_strdup("Name the primary in the URL, or add "
				   "target_session_attrs=read-write to several hosts."));
	else if (server->is_read_only && !server->is_standby)
		doctor_find(doctor, "read-only", DOCTOR_WARN, database,
			mem_strdup("sessions begin read-only: default_transaction_read_only is on"),
			NULL, NULL);
}

/* Ours is another one, so that what the URL asks for is not tried. */
static void find_client_encoding(struct doctor *doctor)
{
	CLEANUP(mem_cleanup)
	char *wanted = probe_param(&doctor->context->target.params, "client_encoding");

	if (wanted && *wanted && strcmp(wanted, "auto") != 0 && pg_char_to_encoding(wanted) < 0)
		doctor_find(doctor, "client-encoding", DOCTOR_ERROR, wanted,
			mem_strdup("is no encoding that PostgreSQL has, and client_encoding asks "
				   "for it: programs that do so are not let in"),
			NULL,
			mem_strdup("Take client_encoding out of the URL, or PGCLIENTENCODING out "
				   "of the environment, or make it UTF8."));
}

int doctor_facts(
	struct doctor *doctor, const struct probe *probe, struct conn *conn, struct err *err)
{
	CLEANUP(result_cleanup) PGresult *role_result = NULL;
	CLEANUP(result_cleanup) PGresult *server_result = NULL;
	struct health_role role;
	struct health_server server;
	int64_t begun = clock_us();

	if (health_read_role(conn, &role, &role_result, err) != 0)
		return -1;
	tell_role(doctor, &role, PQuser(conn_pg(conn)), clock_us() - begun);
	begun = clock_us();
	if (health_read_server(conn, &server, &server_result, err) != 0)
		return -1;
	tell_server(doctor, &server, clock_us() - begun);
	find_read_only(doctor, probe, &server, PQdb(conn_pg(conn)));
	find_client_encoding(doctor);
	return 0;
}
