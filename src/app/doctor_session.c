/* The steps that libpq goes, watched while it goes them. */
#include "app/doctor_internal.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "pg/certificate.h"
#include "pg/health.h"
#include "term/json.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* How far an attempt has come, in the order in which libpq goes. */
enum rank { RANK_NONE, RANK_BEGUN, RANK_ASKED, RANK_LET_IN, RANK_READY };

/* The last attempt. Times are clock_us; 0: it has not come so far. */
struct watch {
	enum rank rank;
	int64_t begun, asked, answered, let_in, ready;
	bool is_tls, is_gss, used_password;
	char *version, *cipher;
	struct certificate certificate;
};

static void watch_release(struct watch *watch)
{
	mem_free(watch->version);
	mem_free(watch->cipher);
	certificate_release(&watch->certificate);
	*watch = (struct watch){ 0 };
}

static enum rank rank_of(ConnStatusType status)
{
	switch (status) {
	case CONNECTION_BAD:
		return RANK_NONE;
	case CONNECTION_AWAITING_RESPONSE:
		return RANK_ASKED;
	case CONNECTION_AUTH_OK:
	case CONNECTION_CONSUME:
	case CONNECTION_CHECK_WRITABLE:
	case CONNECTION_CHECK_TARGET:
	case CONNECTION_CHECK_STANDBY:
		return RANK_LET_IN;
	case CONNECTION_OK:
		return RANK_READY;
	default:
		return RANK_BEGUN;
	}
}

static void note_tls(struct watch *watch, PGconn *pg)
{
	watch->is_gss = PQgssEncInUse(pg);
	watch->is_tls = PQsslInUse(pg);
	if (!watch->is_tls)
		return;
	watch->version = mem_strdup(PQsslAttribute(pg, "protocol"));
	watch->cipher = mem_strdup(PQsslAttribute(pg, "cipher"));
	certificate_of(pg, &watch->certificate);
}

static void look(void *context, PGconn *pg)
{
	struct watch *watch = context;
	const enum rank rank = rank_of(PQstatus(pg));
	const int64_t now = clock_us();

	if (rank == RANK_NONE)
		return;
	if (rank < watch->rank) {
		watch_release(watch);
		watch->begun = now;
	}
	if (rank >= RANK_ASKED && watch->asked)
		watch->answered = watch->answered ? watch->answered : now;
	if (rank >= RANK_ASKED && !watch->asked) {
		watch->asked = now;
		note_tls(watch, pg);
	}
	if (rank >= RANK_LET_IN && !watch->let_in)
		watch->let_in = now;
	if (rank == RANK_READY)
		watch->ready = now;
	watch->used_password = PQconnectionUsedPassword(pg);
	watch->rank = rank;
}

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

	strbuf_adds(text, certificate->subject);
	if (certificate->names)
		strbuf_addf(text, ", for %s", certificate->names);
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

static bool tls_warns(const struct watch *watch, bool near)
{
	if (!watch->is_tls)
		return !watch->is_gss && !near;
	return watch->certificate.subject &&
	       doctor_days(watch->certificate.ends) < DOCTOR_EXPIRY_DAYS;
}

static void find_exposed(
	struct doctor *doctor, const struct watch *watch, const char *mode, const char *host)
{
	if (!watch->is_tls && !watch->is_gss)
		doctor_find(doctor, "not-encrypted", DOCTOR_WARN, host,
			mem_strdup("is reached through the internet, and the connection is not "
				   "encrypted"),
			NULL, mem_strdup("Put sslmode=verify-full into the URL."));
	else if (watch->is_tls && !verifies(mode))
		doctor_find(doctor, "tls-unverified", DOCTOR_INFO, host,
			mem_printf("is reached through the internet, and sslmode=%s does not "
				   "tell it from somebody in between",
				mode),
			NULL, mem_strdup("Put sslmode=verify-full into the URL."));
}

/* With a successful attempt, or one that failed behind this step. */
static void tell_tls(struct doctor *doctor, const struct probe *probe, const struct watch *watch)
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
	json_object_set_new(facts, "encrypted", json_boolean(watch->is_tls || watch->is_gss));
	if (watch->is_tls) {
		strbuf_addf(&text, "%s, %s, sslmode=%s", watch->version, watch->cipher, mode);
		json_object_set_new(facts, "version", out_json_text(watch->version));
		json_object_set_new(facts, "cipher", out_json_text(watch->cipher));
	} else if (watch->is_gss) {
		strbuf_adds(&text, "none: GSSAPI encrypts");
	} else {
		strbuf_addf(&text, "not encrypted, sslmode=%s", mode);
	}
	if (watch->certificate.subject) {
		strbuf_addc(&text, '\n');
		add_certificate(&text, &watch->certificate);
		json_object_set_new(facts, "certificate", certificate_facts(&watch->certificate));
	}
	doctor_step(doctor, "tls",
		tls_warns(watch, doctor_is_near(probe, address)) ? DOCTOR_WARNING : DOCTOR_OK,
		watch->begun && watch->asked ? watch->asked - watch->begun : -1,
		strbuf_detach(&text), facts);
	if (watch->certificate.subject)
		find_expiry(doctor, &watch->certificate);
	if (!doctor_is_near(probe, address))
		find_exposed(doctor, watch, mode ? mode : "prefer", place->host);
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
static char *method(const struct doctor *doctor, const struct watch *watch, const char *asked)
{
	if (doctor->context->target.is_iam)
		return mem_strdup("IAM token");
	if (asked && takes_password(asked) != watch->used_password)
		asked = NULL;
	if (watch->used_password)
		return asked ? mem_printf("password (%s)", asked) : mem_strdup("password");
	return mem_printf("no password asked for (%s)", asked ? asked : "trust, peer, certificate");
}

static void tell_server(struct doctor *doctor, const struct watch *watch)
{
	doctor_step(doctor, "server", DOCTOR_OK,
		watch->asked && watch->answered ? watch->answered - watch->asked : -1,
		mem_strdup("accepts connections"), NULL);
}

static void tell_authentication(
	struct doctor *doctor, const struct watch *watch, const char *user, const char *asked)
{
	CLEANUP(mem_cleanup) char *how = method(doctor, watch, asked);
	json_t *facts = json_object();
	const int64_t since = watch->answered ? watch->answered : watch->asked;

	json_object_set_new(facts, "user", out_json_text(user));
	json_object_set_new(facts, "method", out_json_text(how));
	doctor_step(doctor, "authentication", DOCTOR_OK,
		watch->let_in && since ? watch->let_in - since : -1,
		mem_printf("user \"%s\": %s", user ? user : "", how), facts);
}

static void tell_database(struct doctor *doctor, const struct watch *watch, PGconn *pg)
{
	json_t *facts = json_object();

	json_object_set_new(facts, "database", out_json_text(PQdb(pg)));
	doctor_step(doctor, "database", DOCTOR_OK,
		watch->ready && watch->let_in ? watch->ready - watch->let_in : -1,
		mem_printf("\"%s\"", PQdb(pg)), facts);
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
static enum conn_stage stage_of(
	enum conn_cause cause, const struct watch *watch, bool silent_first, const struct err *err)
{
	const bool is_own_limit =
		err->detail && (strstr(err->detail, "connections for role") ||
				       strstr(err->detail, "connections for database"));

	if (cause == CONN_CAUSE_TOO_MANY && is_own_limit)
		return CONN_STAGE_DATABASE;
	if (cause == CONN_CAUSE_NO_ANSWER && watch->rank < RANK_ASKED && silent_first)
		return CONN_STAGE_TCP;
	/* Its port has answered before: a server that is silent is so now. */
	if (cause != CONN_CAUSE_OTHER && cause != CONN_CAUSE_SILENT &&
		conn_cause_stage(cause) >= CONN_STAGE_TLS)
		return conn_cause_stage(cause);
	if (watch->rank >= RANK_LET_IN)
		return CONN_STAGE_DATABASE;
	if (cause == CONN_CAUSE_NO_ANSWER || cause == CONN_CAUSE_SILENT)
		return CONN_STAGE_SERVER;
	return watch->rank == RANK_ASKED ? CONN_STAGE_SERVER : CONN_STAGE_TLS;
}

/* When the stage that failed began; 0: not known. */
static int64_t began(const struct watch *watch, enum conn_stage stage)
{
	switch (stage) {
	case CONN_STAGE_SERVER:
		return watch->asked;
	case CONN_STAGE_AUTHENTICATION:
		return watch->answered ? watch->answered : watch->asked;
	case CONN_STAGE_DATABASE:
		return watch->let_in;
	default:
		return watch->begun;
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

static int failed(struct doctor *doctor, const struct probe *probe, const struct watch *watch,
	int64_t begun, struct err *err)
{
	static const char *const names[] = { "dns", "tcp", "tls", "server", "authentication",
		"database" };
	CLEANUP(mem_cleanup) char *user = probe_param(&doctor->context->target.params, "user");
	enum conn_cause cause = conn_failure_cause(err);
	const struct probe_address *silent = silent_address(probe);
	const enum conn_stage stage = stage_of(cause, watch, silent != NULL, err);
	const enum conn_cause said = cause;
	const int64_t since = began(watch, stage), now = clock_us();

	if (cause == CONN_CAUSE_NO_ANSWER && stage == CONN_STAGE_SERVER)
		cause = CONN_CAUSE_SILENT;
	/* A refusal for want of TLS comes from the step before it. */
	if (cause == CONN_CAUSE_SILENT && watch->rank < RANK_ASKED)
		doctor_step(doctor, "tls", DOCTOR_SKIPPED, -1,
			mem_strdup("not known: nothing was answered"), NULL);
	else if (stage > CONN_STAGE_TLS)
		tell_tls(doctor, probe, watch);
	if (stage > CONN_STAGE_SERVER)
		tell_server(doctor, watch);
	if (stage > CONN_STAGE_AUTHENTICATION)
		tell_authentication(doctor, watch, user, NULL);
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

int doctor_session(
	struct doctor *doctor, const struct probe *probe, struct conn **ret_conn, struct err *err)
{
	CLEANUP(watch_release) struct watch watch = { 0 };
	const struct conn_observer observer = { .look = look, .context = &watch };
	const int64_t begun = clock_us();
	CLEANUP(mem_cleanup) char *asked = NULL;
	struct conn *conn = NULL;
	int result;

	watch.begun = begun;
	doctor->context->observer = &observer;
	result = context_connect(doctor->context, true, &conn, err);
	doctor->context->observer = NULL;
	if (result != 0 && (err->kind == ERR_CONNECT || err->kind == ERR_TIMEOUT) &&
		!doctor->context->token.failed)
		return failed(doctor, probe, &watch, begun, err);
	if (result != 0)
		return -1;
	/* What cannot be asked is not said. */
	if (health_read_method(conn, &asked, err) != 0)
		err_release(err);
	tell_tls(doctor, probe, &watch);
	tell_server(doctor, &watch);
	tell_authentication(doctor, &watch, PQuser(conn_pg(conn)), asked);
	tell_database(doctor, &watch, conn_pg(conn));
	*ret_conn = conn;
	return 0;
}
