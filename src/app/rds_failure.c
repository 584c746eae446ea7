#include "app/rds_failure.h"

#include "base/mem.h"
#include "base/message.h"
#include "base/strbuf.h"
#include "pg/conn_failure.h"

#include <string.h>

enum rds_cause rds_failure_cause(const struct err *err)
{
	switch (conn_failure_cause(err)) {
	case CONN_CAUSE_TOKEN:
		return RDS_CAUSE_TOKEN;
	case CONN_CAUSE_TLS_REQUIRED:
		return RDS_CAUSE_NO_TLS;
	case CONN_CAUSE_OTHER_NAME:
		return RDS_CAUSE_OTHER_NAME;
	case CONN_CAUSE_CERTIFICATE:
		return RDS_CAUSE_CERTIFICATE;
	case CONN_CAUSE_NO_BUNDLE:
		return RDS_CAUSE_NO_BUNDLE;
	case CONN_CAUSE_PASSWORD:
		return RDS_CAUSE_PASSWORD;
	case CONN_CAUSE_NO_PASSWORD:
		return RDS_CAUSE_NO_PASSWORD;
	case CONN_CAUSE_UNKNOWN_HOST:
		return RDS_CAUSE_UNKNOWN_HOST;
	case CONN_CAUSE_NO_NETWORK:
		return RDS_CAUSE_NO_NETWORK;
	case CONN_CAUSE_REFUSED:
		return RDS_CAUSE_REFUSED;
	case CONN_CAUSE_NO_ANSWER:
		return RDS_CAUSE_NO_ANSWER;
	case CONN_CAUSE_SILENT:
		return RDS_CAUSE_SILENT;
	default:
		return RDS_CAUSE_OTHER;
	}
}

bool rds_cause_is_unreached(enum rds_cause cause)
{
	return cause == RDS_CAUSE_NO_ANSWER || cause == RDS_CAUSE_SILENT ||
	       cause == RDS_CAUSE_REFUSED || cause == RDS_CAUSE_NO_NETWORK ||
	       cause == RDS_CAUSE_UNKNOWN_HOST;
}

/* --- where it is ----------------------------------------------------------------------------- */

static bool is_private(const struct address *address)
{
	return !address_is_global(address, NULL);
}

/* All addresses that are known are of that sort. */
static bool all(const struct rds_facts *facts, bool (*is)(const struct address *address))
{
	for (size_t i = 0; i < facts->address_count; i++)
		if (!is(&facts->addresses[i]))
			return false;
	return facts->address_count > 0;
}

static char *list_addresses(const struct rds_facts *facts)
{
	struct strbuf text = STRBUF_INIT;
	char buffer[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < facts->address_count; i++)
		strbuf_addf(
			&text, "%s%s", i ? ", " : "", address_format(&facts->addresses[i], buffer));
	return strbuf_detach(&text);
}

static void explain_tunnel(enum rds_cause cause, const struct rds_facts *facts, struct err *err)
{
	CLEANUP(mem_cleanup) char *where = list_addresses(facts);

	if (cause == RDS_CAUSE_REFUSED)
		err_hint(err, "Is the tunnel running that should listen on %s, port %s?", where,
			facts->port ? facts->port : "5432");
	else
		err_hint(err,
			"Something listens on %s, but the server behind it does not answer: does "
			"the tunnel lead to %s, and does the instance's security group let in the "
			"machine at its other end?",
			where, facts->host);
}

static void explain_private(const struct rds_facts *facts, struct err *err)
{
	CLEANUP(mem_cleanup) char *where = list_addresses(facts);

	err_detail_line(err, "The host has private addresses only: %s.", where);
	err_hint(err,
		"It can be reached from inside its VPC only, whatever its security group says. Use "
		"the VPN, or forward a port with \"aws ssm start-session --document-name "
		"AWS-StartPortForwardingSessionToRemoteHost\" and add hostaddr=127.0.0.1 to the "
		"URL.");
}

/* --- the instance ---------------------------------------------------------------------------- */

/* True when the instance's state explains the failure. */
static bool explain_status(const struct rds_facts *facts, struct err *err)
{
	if (!facts->status || !facts->id)
		return false;
	err_detail_line(err, "AWS says that the instance \"%s\" is %s.", facts->id, facts->status);
	if (strcmp(facts->status, "stopped") == 0 || strcmp(facts->status, "stopping") == 0)
		err_hint(err, "Start it with: rds-start --instance %s --wait --region %s",
			facts->id, facts->region);
	else if (strcmp(facts->status, "starting") == 0 || strcmp(facts->status, "creating") == 0 ||
		 strcmp(facts->status, "rebooting") == 0)
		err_hint(err,
			"Wait for it with: rds-status --instance %s --wait-for available "
			"--region %s",
			facts->id, facts->region);
	else if (strcmp(facts->status, "deleting") == 0 || strcmp(facts->status, "failed") == 0 ||
		 strncmp(facts->status, "in", 2) == 0 /* incompatible-…, inaccessible-… */)
		err_hint(
			err, "See: rds-status --instance %s --region %s", facts->id, facts->region);
	else if (strcmp(facts->status, "storage-full") == 0)
		err_hint(err,
			"Its storage is full. Enlarge it: aws rds modify-db-instance "
			"--region %s --db-instance-identifier %s --apply-immediately "
			"--allocated-storage …",
			facts->region, facts->id);
	else
		return false;
	return true;
}

static void explain_unreached(enum rds_cause cause, const struct rds_facts *facts, struct err *err)
{
	if (explain_status(facts, err))
		return;
	if (cause == RDS_CAUSE_UNKNOWN_HOST)
		err_hint(err,
			"Is the name right, is the instance still there, and does this machine "
			"have a name server? rds-status --all lists the instances of a region.");
	else if (all(facts, address_is_loopback))
		explain_tunnel(cause, facts, err);
	else if (cause == RDS_CAUSE_SILENT)
		return;
	else if (all(facts, is_private))
		explain_private(facts, err);
	else if (cause == RDS_CAUSE_NO_ANSWER)
		err_hint(err,
			"Most likely the instance's security group does not let this machine in: "
			"rds-update-sg-rule puts its address into the rule.");
	else if (cause == RDS_CAUSE_NO_NETWORK)
		err_hint(err, "This machine has no way to that address: is its network up?");
	else
		err_hint(err,
			"Is %s the right port? The instance may also be restarting: rds-status "
			"shows its state and endpoint, --wait keeps trying.",
			facts->port ? facts->port : "5432");
}

/* --- getting in ------------------------------------------------------------------------------ */

/* As an identifier in SQL; the caller owns it. */
static char *quote_user(const char *user)
{
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct strbuf line = STRBUF_INIT;

	strbuf_addc(&text, '"');
	for (const char *c = user ? user : "…"; *c; c++) {
		if (*c == '"')
			strbuf_addc(&text, '"');
		strbuf_addc(&text, *c);
	}
	strbuf_addc(&text, '"');
	message_add(&line, "%s", text.data);
	return strbuf_detach(&line);
}

static void explain_token(const struct rds_facts *facts, struct err *err)
{
	CLEANUP(mem_cleanup) char *user = quote_user(facts->user);

	if (!facts->is_iam)
		err_hint(err,
			"This user signs in with tokens, not with a password: set %s=iam. A token "
			"that stands in the URL holds for 15 minutes.",
			facts->variable);
	else
		err_hint(err,
			"The token was refused. The user needs GRANT rds_iam TO %s, the AWS "
			"identity rds-db:connect for that user, and this machine the right time.",
			user);
}

static void explain_password(const struct rds_facts *facts, struct err *err)
{
	CLEANUP(mem_cleanup) char *user = quote_user(facts->user);

	if (facts->is_iam)
		err_hint(err,
			"The server took the token for a password: the user needs GRANT rds_iam TO "
			"%s, and the instance IAM authentication switched on.",
			user);
	else if (err->detail && strstr(err->detail, "retrieved from file"))
		err_hint(err, "Check the password in that file. rds-password sets a new one for "
			      "the master user.");
	else
		err_hint(err,
			"Check user and password in the URL; @ : / ? # %% in a password must be "
			"percent-encoded. rds-password sets a new one for the master user.");
}

static void explain_certificate(const struct rds_facts *facts, struct err *err)
{
	if (facts->root)
		err_hint(err,
			"The server was verified with \"%s\", which %s names. Without that the "
			"bundle is used that rds-ca-bundle installs. Endpoints of RDS Proxy have "
			"certificates of a public authority: for them name the system's bundle.",
			facts->root, facts->root_origin);
	else
		err_hint(err,
			"rds-ca-bundle installs the present CA bundle. Endpoints of RDS Proxy have "
			"certificates of a public authority: for them name the system's bundle "
			"with sslrootcert.");
}

static void explain_no_bundle(const struct rds_facts *facts, struct err *err)
{
	if (facts->root)
		err_hint(err,
			"Correct %s, which names \"%s\". Without that the bundle is used that "
			"rds-ca-bundle installs.",
			facts->root_origin, facts->root);
	else
		err_hint(err, "Install the CA bundle with rds-ca-bundle.");
}

void rds_failure_explain(enum rds_cause cause, const struct rds_facts *facts, struct err *err)
{
	if (rds_cause_is_unreached(cause))
		explain_unreached(cause, facts, err);
	else if (cause == RDS_CAUSE_TOKEN)
		explain_token(facts, err);
	else if (cause == RDS_CAUSE_PASSWORD)
		explain_password(facts, err);
	else if (cause == RDS_CAUSE_NO_TLS)
		err_hint(err,
			"The server takes encrypted connections only. Leave sslmode out of the URL "
			"and PGSSLMODE unset: the connection is then encrypted and verified.");
	else if (cause == RDS_CAUSE_CERTIFICATE)
		explain_certificate(facts, err);
	else if (cause == RDS_CAUSE_OTHER_NAME)
		err_hint(err,
			"The host in the URL has to be the endpoint's own name; where an alias or "
			"a tunnel leads goes into hostaddr.");
	else if (cause == RDS_CAUSE_NO_BUNDLE)
		explain_no_bundle(facts, err);
	else if (cause == RDS_CAUSE_NO_PASSWORD)
		err_hint(err,
			"Put the password into the URL or into ~/.pgpass, or sign in with tokens: "
			"%s=iam.",
			facts->variable);
}
