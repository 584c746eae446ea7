/* The way to the server up to its port, and the order of the steps. */
#include "app/doctor_internal.h"
#include "base/address.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/message.h"
#include "base/strbuf.h"
#include "term/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY_SECONDS 86400

char *doctor_date(int64_t seconds, char *buffer)
{
	time_t moment = (time_t)seconds;
	struct tm broken = { 0 };

	gmtime_r(&moment, &broken);
	strftime(buffer, 16, "%Y-%m-%d", &broken);
	return buffer;
}

int64_t doctor_days(int64_t seconds)
{
	return (seconds - (int64_t)time(NULL)) / DAY_SECONDS;
}

bool doctor_is_near(const struct probe *probe, const struct probe_address *address)
{
	struct address parsed;

	return probe->places[address->place].is_socket ||
	       !address_parse(address->text, strcspn(address->text, "%"), &parsed) ||
	       !address_is_global(&parsed, NULL);
}

int doctor_fail(
	struct doctor *doctor, const char *step, int64_t us, enum conn_cause cause, struct err *err)
{
	char *text = conn_failure_reason(err);
	json_t *facts = json_object();

	doctor->cause = conn_cause_name(cause);
	json_object_set_new(facts, "cause", json_string(doctor->cause));
	doctor_step(doctor, step, DOCTOR_FAILED, us, text, facts);
	return -1;
}

void doctor_no_target(struct doctor *doctor, const struct err *err)
{
	json_t *facts = json_object();

	doctor->begun = clock_us();
	doctor->cause = "no-target";
	json_object_set_new(facts, "cause", json_string(doctor->cause));
	doctor->tell = NULL;
	doctor_step(doctor, "target", DOCTOR_FAILED, -1, mem_strdup(err->message), facts);
}

/* --- the target ------------------------------------------------------------------------------- */

static int step_target(struct doctor *doctor, struct err *err)
{
	struct context *context = doctor->context;
	CLEANUP(mem_cleanup) char *where = NULL;
	const int64_t begun = clock_us();
	json_t *facts;
	char *text;

	if (context_ensure_server(context, err) != 0)
		return -1;
	where = target_describe(&context->target);
	text = context->target.is_private ? mem_printf("%s: %s", context->target.name, where)
					  : mem_printf("%s: %s, from %s", context->target.name,
						    where, context->target.origin);
	facts = json_object();
	json_object_set_new(facts, "private_server", json_boolean(context->target.is_private));
	doctor_step(doctor, "target", DOCTOR_OK,
		context->target.is_private ? clock_us() - begun : -1, text, facts);
	return 0;
}

/*
 * With --wait, until the server lets us in; then the way is gone step by step without waiting.
 * Where it does not come to that, the steps show why; *ret_timed_out then says what the exit status
 * is.
 */
static int step_wait(struct doctor *doctor, bool *ret_timed_out, struct err *err)
{
	const int64_t begun = clock_us();

	if (context_wait_seconds() <= 0)
		return 0;
	if (context_wait(doctor->context, err) == 0) {
		doctor_step(doctor, "wait", DOCTOR_OK, clock_us() - begun,
			mem_strdup("the server accepts connections"), NULL);
	} else if (err->kind == ERR_TIMEOUT || err->kind == ERR_CONNECT) {
		*ret_timed_out = err->kind == ERR_TIMEOUT;
		doctor_step(doctor, "wait", DOCTOR_WARNING, clock_us() - begun,
			mem_strdup(*ret_timed_out ? "the server did not accept connections in time"
						  : "waiting would not help"),
			NULL);
		err_release(err);
	} else {
		return -1;
	}
	doctor->context->at_once = true;
	return 0;
}

/* --- names and ports -------------------------------------------------------------------------- */

static const char *family(const struct probe_address *address)
{
	switch (address->socket.ss_family) {
	case AF_INET:
		return "IPv4";
	case AF_INET6:
		return "IPv6";
	default:
		return "socket";
	}
}

static void tell_names(struct doctor *doctor, const struct probe *probe, int64_t us)
{
	struct strbuf text = STRBUF_INIT;
	json_t *facts = json_object(), *addresses = json_array();
	size_t looked_up = 0, last = SIZE_MAX;

	for (size_t i = 0; i < probe->address_count; i++) {
		const struct probe_address *address = &probe->addresses[i];
		const struct probe_place *place = &probe->places[address->place];
		json_t *object = json_object();

		if (place->is_socket) {
			json_decref(object);
			continue;
		}
		looked_up += !place->address;
		if (address->place != last)
			message_add(&text, text.length ? "\n%s: " : "%s: ", place->host);
		else
			strbuf_adds(&text, ", ");
		last = address->place;
		strbuf_addf(&text, "%s (%s)", address->text, family(address));
		json_object_set_new(object, "host", out_json_text(place->host));
		json_object_set_new(object, "address", out_json_text(address->text));
		json_object_set_new(object, "family", json_string(family(address)));
		json_array_append_new(addresses, object);
	}
	json_object_set_new(facts, "addresses", addresses);
	if (text.length == 0)
		strbuf_adds(&text, "none needed: a Unix socket");
	else if (looked_up == 0)
		strbuf_adds(&text, "\nnot looked up: hostaddr gives the address");
	doctor_step(doctor, "dns", looked_up ? DOCTOR_OK : DOCTOR_SKIPPED, looked_up ? us : -1,
		strbuf_detach(&text), facts);
}

static int step_dns(struct doctor *doctor, struct probe *probe, struct err *err)
{
	const struct target *target = &doctor->context->target;
	CLEANUP(mem_cleanup) char *reason = NULL;
	const int64_t begun = clock_us();
	enum conn_cause cause;
	int result;

	if (probe_places(probe, &target->params, err) != 0)
		return -1;
	result = probe_look_up(probe, conn_timeout_ms(&target->params), &reason, err);
	if (result == 0)
		tell_names(doctor, probe, clock_us() - begun);
	if (result <= 0)
		return result;
	conn_failure(&target->params, target->database, "", reason, err);
	cause = conn_failure_cause(err);
	doctor_fail(doctor, "dns", clock_us() - begun, cause, err);
	return context_explain(doctor->context, err);
}

/* What is said of one address that did not answer. */
static const char *outcome(const struct probe_address *address)
{
	if (address->state == PROBE_OPEN)
		return "answers";
	return address->error == ETIMEDOUT ? "no answer" : strerror(address->error);
}

/* libpq tries the addresses in their order: one that is silent holds up each connection. */
static void find_unreachable(struct doctor *doctor, const struct probe *probe)
{
	for (const struct probe_address *address = probe->addresses; address < probe_first(probe);
		address++)
		if (address->error == ETIMEDOUT)
			doctor_find(doctor, "address-unreachable", DOCTOR_WARN, address->text,
				mem_printf(
					"does not answer, and is tried before %s: each connection "
					"may wait for it",
					probe_first(probe)->text),
				NULL, NULL);
}

static void tell_port(struct doctor *doctor, const struct probe *probe)
{
	const struct probe_address *first = probe_first(probe);
	const struct probe_place *place = &probe->places[first->place];
	struct strbuf text = STRBUF_INIT;
	json_t *facts = json_object();
	bool any_silent = false;

	if (place->is_socket)
		strbuf_addf(&text, "%s accepts connections", first->text);
	else
		strbuf_addf(&text, "%s accepts connections at port %s", first->text, place->port);
	for (const struct probe_address *address = probe->addresses; address < first; address++) {
		strbuf_addf(&text, "\n%s: %s", address->text, outcome(address));
		any_silent |= address->error == ETIMEDOUT;
	}
	json_object_set_new(facts, "address", out_json_text(first->text));
	json_object_set_new(facts, "port", json_integer(strtol(place->port, NULL, 10)));
	doctor_step(doctor, place->is_socket ? "socket" : "tcp",
		any_silent ? DOCTOR_WARNING : DOCTOR_OK, first->us, strbuf_detach(&text), facts);
	find_unreachable(doctor, probe);
}

static int step_tcp(struct doctor *doctor, struct probe *probe, struct err *err)
{
	const struct target *target = &doctor->context->target;
	CLEANUP(mem_cleanup) char *reason = NULL;
	const int64_t begun = clock_us();
	int result = probe_connect(probe, conn_timeout_ms(&target->params), &reason, err);
	enum conn_cause cause;

	if (result < 0)
		return -1;
	if (result == 0) {
		tell_port(doctor, probe);
		return 0;
	}
	conn_failure(&target->params, target->database, "", reason, err);
	cause = conn_failure_cause(err);
	doctor_fail(doctor, probe->places[probe->addresses[0].place].is_socket ? "socket" : "tcp",
		clock_us() - begun, cause, err);
	return context_explain(doctor->context, err);
}

/* --- the way ---------------------------------------------------------------------------------- */

int doctor_way(struct doctor *doctor, struct conn **ret_conn, struct err *err)
{
	CLEANUP(probe_release) struct probe probe = PROBE_INIT;
	CLEANUP(conn_cleanup) struct conn *conn = NULL;
	bool timed_out = false;

	doctor->begun = clock_us();
	if (step_target(doctor, err) != 0 || step_wait(doctor, &timed_out, err) != 0)
		return -1;
	if (step_dns(doctor, &probe, err) != 0 || step_tcp(doctor, &probe, err) != 0 ||
		doctor_session(doctor, &probe, &conn, err) != 0) {
		if (timed_out && err->kind == ERR_CONNECT)
			err->kind = ERR_TIMEOUT;
		return -1;
	}
	if (doctor_facts(doctor, &probe, conn, err) != 0)
		return -1;
	*ret_conn = take_ptr(conn);
	return 0;
}
