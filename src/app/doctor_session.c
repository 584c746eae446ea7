/* The steps that libpq goes, watched while it goes them. */
#include "app/doctor_internal.h"
#include "app/doctor_watch.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/message.h"
#include "base/strbuf.h"
#include "pg/certificate.h"
#include "pg/conn_pooler.h"
#include "pg/health.h"
#include "term/json.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* --- TLS -------------------------------------------------------------------------------------- */

static bool verifies(const char *mode)
{
	return strncmp(mode, "verify-", 7) == 0;
}

/* libpq verifies with sslmode=require as well when there is a file of CAs. */
static char *root_file(const struct params *params)
{
	CLEANUP(mem_cleanup) char *root = probe_param(params, "sslrootcert");
	CLEANUP(mem_cleanup)
	char *usual = path_expand_home(mem_strdup("~/.postgresql/root.crt"));

	if (root)
		return strcmp(root, "system") == 0 ? NULL : take_ptr(root);
	return path_exists(usual) ? take_ptr(usual) : NULL;
}

static json_t *certificate_facts(const struct certificate *certificate)
{
	json_t *object = json_object();
	char date[16];

	json_object_set_new(object, "subject", out_json_text(certificate->subject));
	json_object_set_new(object, "issuer", out_json_text(certificate->issuer));
	json_object_set_new(object, "names", out_json_text(certificate->names));
	json_object_set_new(
		object, "not_before", out_json_text(doctor_date(certificate->begins, date)));
	json_object_set_new(
		object, "not_after", out_json_text(doctor_date(certificate->ends, date)));
	json_object_set_new(object, "self_signed", json_boolean(certificate->is_self_signed));
	return object;
}

/* "CN=db, for db.example.com, until 2027-01-31 (in 40 days)" */
static void add_certificate(struct strbuf *text, const struct certificate *certificate)
{
	const int64_t days = doctor_days(certificate->ends);
	char date[16];

	message_add(text, "%s", certificate->subject);
	if (certificate->names)
		message_add(text, ", for %s", certificate->names);
	doctor_date(certificate->ends, date);
	if (certificate->ends <= (int64_t)time(NULL))
		strbuf_addf(text, ", EXPIRED on %s", date);
	else
		strbuf_addf(text, ", until %s (%lld day%s)", date, (long long)days,
			days == 1 ? "" : "s");
	if (certificate->is_self_signed)
		strbuf_adds(text, ", signed by itself");
}

static void find_expiry(struct doctor *doctor, const struct certificate *certificate)
{
	const int64_t days = doctor_days(certificate->ends);
	char date[16];

	doctor_date(certificate->ends, date);
	if (certificate->ends <= (int64_t)time(NULL))
		doctor_find(doctor, "certificate-expiry", DOCTOR_ERROR, certificate->subject,
			mem_printf("the server's certificate has expired on %s, and only clients "
				   "that do not verify it still connect",
				date),
			NULL, NULL);
	else if (days < DOCTOR_EXPIRY_DAYS)
		doctor_find(doctor, "certificate-expiry", DOCTOR_WARN, certificate->subject,
			mem_printf("the server's certificate expires on %s, in %lld day%s", date,
				(long long)days, days == 1 ? "" : "s"),
			NULL, NULL);
}

static bool tls_warns(const struct attempt *attempt, bool near)
{
	if (!attempt->is_tls)
		return !attempt->is_gss && !near;
	return attempt->certificate.subject &&
	       doctor_days(attempt->certificate.ends) < DOCTOR_EXPIRY_DAYS;
}

static void find_exposed(
	struct doctor *doctor, const struct attempt *attempt, const char *mode, const char *host)
{
	if (!attempt->is_tls && !attempt->is_gss)
		doctor_find(doctor, "not-encrypted", DOCTOR_WARN, host,
			mem_strdup("is reached through the internet, and the connection is not "
				   "encrypted"),
			NULL, mem_strdup("Put sslmode=verify-full into the URL."));
	else if (attempt->is_tls && !verifies(mode))
		doctor_find(doctor, "tls-unverified", DOCTOR_INFO, host,
			mem_printf("is reached through the internet, and sslmode=%s does not "
				   "tell it from somebody in between",
				mode),
			NULL, mem_strdup("Put sslmode=verify-full into the URL."));
}

/* With a successful attempt, or one that failed behind this step. */
static void tell_tls(
	struct doctor *doctor, const struct probe *probe, const struct attempt *attempt)
{
	const struct params *params = &doctor->context->target.params;
	const struct probe_address *address = probe_first(probe);
	const struct probe_place *place = &probe->places[address->place];
	CLEANUP(mem_cleanup) char *mode = probe_param(params, "sslmode");
	struct strbuf text = STRBUF_INIT;
	json_t *facts;

	if (place->is_socket) {
		doctor_step(doctor, "tls", DOCTOR_SKIPPED, -1,
			mem_strdup("none needed: a Unix socket"), NULL);
		return;
	}
	facts = json_object();
	json_object_set_new(facts, "sslmode", out_json_text(mode ? mode : "prefer"));
	json_object_set_new(facts, "encrypted", json_boolean(attempt->is_tls || attempt->is_gss));
	if (attempt->is_tls) {
		strbuf_addf(&text, "%s, %s, sslmode=%s", attempt->version, attempt->cipher, mode);
		json_object_set_new(facts, "version", out_json_text(attempt->version));
		json_object_set_new(facts, "cipher", out_json_text(attempt->cipher));
	} else if (attempt->is_gss) {
		strbuf_adds(&text, "none: GSSAPI encrypts");
	} else {
		strbuf_addf(&text, "not encrypted, sslmode=%s", mode);
	}
	if (attempt->certificate.subject) {
		strbuf_addc(&text, '\n');
		add_certificate(&text, &attempt->certificate);
		json_object_set_new(facts, "certificate", certificate_facts(&attempt->certificate));
	}
	doctor_step(doctor, "tls",
		tls_warns(attempt, doctor_is_near(probe, address)) ? DOCTOR_WARNING : DOCTOR_OK,
		attempt->begun && attempt->asked ? attempt->asked - attempt->begun : -1,
		strbuf_detach(&text), facts);
	if (attempt->certificate.subject)
		find_expiry(doctor, &attempt->certificate);
	if (!doctor_is_near(probe, address))
		find_exposed(doctor, attempt, mode ? mode : "prefer", place->host);
}

/* -1 with err INTERRUPTED; 1: the server shows none. Nothing is sent to it but the wish for TLS. */
static int ask_certificate(struct doctor *doctor, const struct probe *probe,
	struct certificate *certificate, struct err *err)
{
	const struct params *params = &doctor->context->target.params;
	const struct probe_address *address = probe_first(probe);
	CLEANUP(err_release) struct err failure = ERR_INIT;
	CLEANUP(mem_cleanup) char *root = root_file(params);

	if (certificate_ask(address, probe->places[address->place].host, root,
		    conn_timeout_ms(params), certificate, &failure) == 0)
		return 0;
	if (failure.kind != ERR_INTERRUPTED)
		return 1;
	err_release(err);
	*err = failure;
	failure = (struct err)ERR_INIT;
	return -1;
}

/* OpenSSL says only that a certificate is not trusted; the cause may become that it has expired. */
static int examine_certificate(
	struct doctor *doctor, const struct probe *probe, enum conn_cause *cause, struct err *err)
{
	CLEANUP(certificate_release) struct certificate certificate = CERTIFICATE_INIT;
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
	int result = ask_certificate(doctor, probe, &certificate, err);

	if (result != 0)
		return result < 0 ? -1 : 0;
	add_certificate(&text, &certificate);
	err_detail_line(err, "The server's certificate: %s.", text.data);
	if (!certificate.is_self_signed)
		err_detail_line(err, "It was signed by %s.", certificate.issuer);
	if (certificate.problem)
		err_detail_line(err, "OpenSSL: %s.", certificate.problem);
	if (*cause == CONN_CAUSE_CERTIFICATE && certificate.ends <= (int64_t)time(NULL))
		*cause = CONN_CAUSE_EXPIRED;
	return 0;
}

/* A server without TLS cannot want it: then it lets nobody in from here. */
static int examine_offer(
	struct doctor *doctor, const struct probe *probe, enum conn_cause *cause, struct err *err)
{
	CLEANUP(certificate_release) struct certificate certificate = CERTIFICATE_INIT;
	int result = ask_certificate(doctor, probe, &certificate, err);

	if (result < 0)
		return -1;
	if (result > 0 && conn_pooler_refusal(err->sqlstate, err->detail))
		return 0;
	if (result > 0)
		*cause = CONN_CAUSE_NOT_ALLOWED;
	else if (!target_is_rds(&doctor->context->target))
		err_hint(err,
			"The server offers TLS, and wants it here: sslmode=verify-full in the URL, "
			"or sslmode=require where its certificate cannot be verified.");
	return 0;
}

/* --- the rest --------------------------------------------------------------------------------- */

/* Whether the password that was asked for is what that method checks. */
static bool takes_password(const char *method)
{
	static const char *const others[] = { "trust", "peer", "ident", "cert", "gss", "sspi",
		"oauth" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (strcmp(method, others[i]) == 0)
			return false;
	return true;
}

/* asked: the server's method; NULL: not known. A pooler may have come in by another than we. */
static char *method(const struct doctor *doctor, const struct attempt *attempt, const char *asked)
{
	if (doctor->context->target.is_iam)
		return mem_strdup("IAM token");
	if (asked && takes_password(asked) != attempt->used_password)
		asked = NULL;
	if (attempt->used_password)
		return asked ? mem_printf("password (%s)", asked) : mem_strdup("password");
	return mem_printf("no password asked for (%s)", asked ? asked : "trust, peer, certificate");
}

static void tell_server(struct doctor *doctor, const struct attempt *attempt)
{
	doctor_step(doctor, "server", DOCTOR_OK,
		attempt->asked && attempt->answered ? attempt->answered - attempt->asked : -1,
		mem_strdup("accepts connections"), NULL);
}

static void tell_authentication(
	struct doctor *doctor, const struct attempt *attempt, const char *user, const char *asked)
{
	CLEANUP(mem_cleanup) char *how = method(doctor, attempt, asked);
	json_t *facts = json_object();
	const int64_t since = attempt->answered ? attempt->answered : attempt->asked;

	json_object_set_new(facts, "user", out_json_text(user));
	json_object_set_new(facts, "method", out_json_text(how));
	doctor_step(doctor, "authentication", DOCTOR_OK,
		attempt->let_in && since ? attempt->let_in - since : -1,
		message_format("user \"%s\": %s", user ? user : "", how), facts);
}

static void tell_database(struct doctor *doctor, const struct attempt *attempt, PGconn *pg)
{
	json_t *facts = json_object();

	json_object_set_new(facts, "database", out_json_text(PQdb(pg)));
	doctor_step(doctor, "database", DOCTOR_OK,
		attempt->ready && attempt->let_in ? attempt->ready - attempt->let_in : -1,
		message_format("\"%s\"", PQdb(pg)), facts);
}

/* One that libpq tries before the one that answers; NULL: none. */
static const struct probe_address *silent_address(const struct probe *probe)
{
	for (const struct probe_address *address = probe->addresses; address < probe_first(probe);
		address++)
		if (address->error == ETIMEDOUT)
			return address;
	return NULL;
}

/* The limits of a role or a database are looked at once it is known who it is. */
static enum conn_stage stage_of(enum conn_cause cause, const struct attempt *attempt,
	bool silent_first, const struct err *err)
{
	const bool is_own_limit =
		err->detail && (strstr(err->detail, "connections for role") ||
				       strstr(err->detail, "connections for database"));

	if (cause == CONN_CAUSE_TOO_MANY && is_own_limit)
		return CONN_STAGE_DATABASE;
	if (cause == CONN_CAUSE_NO_ANSWER && attempt->rank < RANK_ASKED && silent_first)
		return CONN_STAGE_TCP;
	/* Its port has answered before: a server that is silent is so now. */
	if (cause != CONN_CAUSE_OTHER && cause != CONN_CAUSE_SILENT && cause != CONN_CAUSE_CLOSED &&
		conn_cause_stage(cause) >= CONN_STAGE_TLS)
		return conn_cause_stage(cause);
	if (attempt->rank >= RANK_LET_IN)
		return CONN_STAGE_DATABASE;
	if (cause == CONN_CAUSE_NO_ANSWER || cause == CONN_CAUSE_SILENT)
		return CONN_STAGE_SERVER;
	return attempt->rank == RANK_ASKED ? CONN_STAGE_SERVER : CONN_STAGE_TLS;
}

/* When the stage that failed began; 0: not known. */
static int64_t began(const struct attempt *attempt, enum conn_stage stage)
{
	switch (stage) {
	case CONN_STAGE_SERVER:
		return attempt->asked;
	case CONN_STAGE_AUTHENTICATION:
		return attempt->answered ? attempt->answered : attempt->asked;
	case CONN_STAGE_DATABASE:
		return attempt->let_in;
	default:
		return attempt->begun;
	}
}

/* Puts in what libpq does not say: the certificate, and whether TLS would have helped. */
static int examine(
	struct doctor *doctor, const struct probe *probe, enum conn_cause *cause, struct err *err)
{
	if (*cause == CONN_CAUSE_CERTIFICATE || *cause == CONN_CAUSE_OTHER_NAME ||
		*cause == CONN_CAUSE_EXPIRED)
		return examine_certificate(doctor, probe, cause, err);
	if (*cause == CONN_CAUSE_TLS_REQUIRED)
		return examine_offer(doctor, probe, cause, err);
	return 0;
}

static int failed(struct doctor *doctor, const struct probe *probe, const struct attempt *attempt,
	int64_t begun, struct err *err)
{
	static const char *const names[] = { "dns", "tcp", "tls", "server", "authentication",
		"database" };
	CLEANUP(mem_cleanup) char *user = probe_param(&doctor->context->target.params, "user");
	enum conn_cause cause = conn_failure_cause(err);
	const struct probe_address *silent = silent_address(probe);
	const enum conn_stage stage = stage_of(cause, attempt, silent != NULL, err);
	const enum conn_cause said = cause;
	const int64_t since = began(attempt, stage), now = clock_us();

	if (cause == CONN_CAUSE_NO_ANSWER && stage == CONN_STAGE_SERVER)
		cause = CONN_CAUSE_SILENT;
	/* A refusal for want of TLS comes from the step before it. */
	if (cause == CONN_CAUSE_SILENT && attempt->rank < RANK_ASKED)
		doctor_step(doctor, "tls", DOCTOR_SKIPPED, -1,
			mem_strdup("not known: nothing was answered"), NULL);
	else if (stage > CONN_STAGE_TLS)
		tell_tls(doctor, probe, attempt);
	if (stage > CONN_STAGE_SERVER)
		tell_server(doctor, attempt);
	if (stage > CONN_STAGE_AUTHENTICATION)
		tell_authentication(doctor, attempt, user, NULL);
	if (examine(doctor, probe, &cause, err) != 0)
		return -1;
	if (stage == CONN_STAGE_TCP)
		err_detail_line(err, "%s does not answer, and is tried before %s, which does.",
			silent->text, probe_first(probe)->text);
	doctor_fail(doctor, names[stage], since ? now - since : now - begun, cause, err);
	/* Nobody sets the certificate of a server on RDS. */
	if (cause == CONN_CAUSE_SILENT ||
		(cause != said && !target_is_rds(&doctor->context->target)))
		conn_failure_hint(cause, &doctor->context->target.params, err);
	return -1;
}

/*
 * The first request. What cannot be asked is not said; but with the connection gone, what ended it
 * is why there is none: a pooler had nothing behind it.
 */
static int read_method(struct doctor *doctor, struct conn *conn, char **ret_method, struct err *err)
{
	const struct target *target = &doctor->context->target;
	CLEANUP(err_release) struct err failure = ERR_INIT;
	CLEANUP(mem_cleanup) char *reason = NULL;
	int result;

	conn_limit_silence(conn, conn_timeout_ms(&target->params));
	result = health_read_method(conn, ret_method, &failure);
	conn_limit_silence(conn, 0);
	if (result == 0 || failure.kind == ERR_FAILED)
		return 0;
	if (failure.kind != ERR_CONNECT) {
		err_release(err);
		*err = failure;
		failure = (struct err)ERR_INIT;
		return -1;
	}
	/* As libpq would have it; of a server that said nothing, how long it did. */
	reason = failure.severity ? mem_printf("%s: %s", failure.severity, failure.message)
		 : failure.detail && strcmp(failure.detail, CONN_SILENT) != 0
			 ? mem_strdup(failure.detail)
			 : mem_strdup(failure.message);
	conn_failure(&target->params, target->database, failure.sqlstate, reason, err);
	return context_explain(doctor->context, err);
}

/* PgBouncer's console, which takes no more than its own commands, has a version as no server has.
 */
static int refuse_console(struct doctor *doctor, struct conn *conn, struct err *err)
{
	const struct target *target = &doctor->context->target;
	const char *version = PQparameterStatus(conn_pg(conn), "server_version");

	if (!version || !strstr(version, "/bouncer"))
		return 0;
	conn_failure(&target->params, target->database, "", CONN_CONSOLE, err);
	return context_explain(doctor->context, err);
}

int doctor_session(
	struct doctor *doctor, const struct probe *probe, struct conn **ret_conn, struct err *err)
{
	CLEANUP(watch_release) struct watch watch = WATCH_INIT;
	const struct conn_observer observer = { .look = watch_look, .context = &watch };
	const int64_t begun = clock_us();
	CLEANUP(mem_cleanup) char *asked = NULL;
	struct conn *conn = NULL;
	int result;

	watch.now.begun = begun;
	doctor->context->observer = &observer;
	result = context_connect(doctor->context, true, &conn, err);
	doctor->context->observer = NULL;
	if (result != 0 && (err->kind == ERR_CONNECT || err->kind == ERR_TIMEOUT) &&
		!doctor->context->token.failed)
		return failed(doctor, probe, watch_failed(&watch), begun, err);
	if (result != 0)
		return -1;
	if (refuse_console(doctor, conn, err) != 0 || read_method(doctor, conn, &asked, err) != 0) {
		conn_close(conn);
		return err->kind == ERR_CONNECT ? failed(doctor, probe, &watch.now, begun, err)
						: -1;
	}
	tell_tls(doctor, probe, &watch.now);
	tell_server(doctor, &watch.now);
	tell_authentication(doctor, &watch.now, PQuser(conn_pg(conn)), asked);
	tell_database(doctor, &watch.now, conn_pg(conn));
	*ret_conn = conn;
	return 0;
}
