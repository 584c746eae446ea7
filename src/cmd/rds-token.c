#include "app/cloud.h"
#include "aws/rds.h"
#include "base/address.h"
#include "base/mem.h"
#include "base/rds_endpoint.h"
#include "term/out.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_PORT 5432

static const char *opt_host, *opt_port, *opt_user;

static const struct option token_options[] = {
	{ .name = "host",
		.type = OPTION_STRING,
		.value = &opt_host,
		.argument = "NAME",
		.help = "the endpoint's own name, instead of a target" },
	{ .name = "port",
		.type = OPTION_STRING,
		.value = &opt_port,
		.argument = "NUMBER",
		.help = "the endpoint's port (that of the target, else 5432)" },
	{ .name = "user",
		.type = OPTION_STRING,
		.value = &opt_user,
		.argument = "NAME",
		.help = "the database user (that of the target)" },
	{ 0 },
};

static const struct variable token_variables[] = {
	{ "PROD_CONNECTION_URL", "Connection URL of the target prod, which is looked at unless "
				 "another is named; PROD_DATABASE_URL is looked at next." },
	{ "NAME_CONNECTION_URL", "The same of the target NAME, in upper case and with _ for -." },
	{ 0 },
};

/* What the token is for. */
struct login {
	char *host;
	int port;
	char *user;
};

static void login_release(struct login *login)
{
	mem_free(login->host);
	mem_free(login->user);
}

static int parse_port(const char *text, int *ret_port, struct err *err)
{
	char *end;
	long port = strtol(text, &end, 10);

	if (!isdigit((unsigned char)text[0]) || *end || port < 1 || port > 65535)
		return err_set(err, ERR_USAGE, "\"%s\" is not a port", text);
	*ret_port = (int)port;
	return 0;
}

/* The last label of an address in one of its short forms, "127.1" or "0x7f.1"; no name ends so. */
static bool is_number(const char *label)
{
	return isdigit((unsigned char)label[0]) &&
	       (label[strspn(label, "0123456789")] == '\0' || label[1] == 'x');
}

/*
 * The signature is over the name, and RDS knows its own names only: not an address, not the near
 * end of a tunnel.
 */
static int check_host(const char *host, struct err *err)
{
	const char *dot = strrchr(host, '.');
	const char *last = dot ? dot + 1 : host;
	size_t length = strlen(host);
	struct address address;

	if (length == 0 || length > 253 ||
		strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != length)
		return err_set(err, ERR_USAGE, "\"%s\" is not the name of a host", host);
	if (address_parse(host, length, &address) || is_number(last) ||
		strcmp(last, "localhost") == 0 || strcmp(last, "localdomain") == 0) {
		err_set(err, ERR_USAGE, "a token for \"%s\" would not be accepted", host);
		err_detail(err, "A token is valid for the endpoint's own name only.");
		err_hint(err, "Name it with --host mydb.abc123.eu-central-1.rds.amazonaws.com; "
			      "behind a tunnel connect with that name as host and the tunnel's end "
			      "as hostaddr.");
		return -1;
	}
	return 0;
}

static int from_target(
	struct context *context, const struct run *run, struct login *login, struct err *err)
{
	CLEANUP(target_endpoint_release) struct target_endpoint endpoint = TARGET_ENDPOINT_INIT;
	const char *target = run->words.count > 0 ? run->words.items[0] : "prod";

	if (target_endpoint(target, &context->env, &endpoint, err) != 0) {
		if (err->kind == ERR_USAGE)
			err_detail_line(err, "Without a target: --host, --port and --user.");
		return -1;
	}
	if (!endpoint.host) {
		err_set(err, ERR_USAGE, "the URL of the target \"%s\" names no host", target);
		return -1;
	}
	if (endpoint.several) {
		err_set(err, ERR_USAGE, "the URL of the target \"%s\" names several hosts", target);
		err_detail(err, "A token is good for one of them only.");
		err_hint(err, "Name it with --host.");
		return -1;
	}
	login->host = take_ptr(endpoint.host);
	login->port = endpoint.port;
	login->user = take_ptr(endpoint.user);
	return 0;
}

static int find_login(
	struct context *context, const struct run *run, struct login *login, struct err *err)
{
	size_t length;

	if (opt_host && run->words.count > 0)
		return err_set(err, ERR_USAGE, "--host and a target exclude each other");
	login->port = DEFAULT_PORT;
	if (opt_host)
		login->host = mem_strdup(opt_host);
	else if (from_target(context, run, login, err) != 0)
		return -1;
	if (opt_port && parse_port(opt_port, &login->port, err) != 0)
		return -1;
	if (opt_user) {
		mem_free(login->user);
		login->user = mem_strdup(opt_user);
	}
	for (char *c = login->host; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	/* The signature is over the name without the root's dot. */
	length = strlen(login->host);
	if (length > 1 && login->host[length - 1] == '.')
		login->host[length - 1] = '\0';
	if (check_host(login->host, err) != 0)
		return -1;
	if (!login->user || !*login->user) {
		err_set(err, ERR_USAGE, "no database user is named");
		err_hint(err, "Name it with --user.");
		return -1;
	}
	return 0;
}

/* --region, else that of the endpoint's name, which the configuration need not know. */
static int find_region(
	struct aws *aws, const struct login *login, char **ret_region, struct err *err)
{
	CLEANUP(mem_cleanup) char *id = NULL;
	CLEANUP(mem_cleanup) char *region = NULL;
	const char *configured;

	if (!aws_options(aws)->region && rds_parse_host(login->host, &id, &region)) {
		*ret_region = take_ptr(region);
		return 0;
	}
	if (aws_region(aws, &configured, err) != 0)
		return -1;
	*ret_region = mem_strdup(configured);
	return 0;
}

static int run_token(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	CLEANUP(login_release) struct login login = { 0 };
	CLEANUP(aws_cleanup) struct aws *aws = NULL;
	CLEANUP(mem_cleanup) char *region = NULL;
	CLEANUP(secret_release) struct secret token = SECRET_INIT;
	const struct credentials *credentials;
	struct sign_scope scope = { .service = "rds-db" };

	if (context_open_project(&context, run, err) != 0 ||
		find_login(&context, run, &login, err) != 0 ||
		cloud_open(&context, &aws, err) != 0 ||
		find_region(aws, &login, &region, err) != 0 ||
		aws_credentials(aws, &credentials, err) != 0)
		return -1;
	scope.region = region;
	scope.now = aws_now(aws);
	sign_rds_token(credentials, &scope, login.host, login.port, login.user, &token);
	out_detail("token for user %s of %s:%d in %s, with credentials from %s", login.user,
		login.host, login.port, region, credentials->source);
	/* What stdio keeps of it is gone with the process, whose memory no other may read. */
	out_raw(secret_reveal(&token), secret_length(&token));
	out_raw("\n", 1);
	return 0;
}

const struct command command = {
	.name = "rds-token",
	.summary = "print an IAM authentication token for a database user on RDS",
	.synopsis = "[options] [TARGET]",
	.options =
		(const struct option *const[]){ token_options, cloud_options, env_options, NULL },
	.variables = (const struct variable *const[]){ token_variables, cloud_variables, NULL },
	.examples =
		(const struct example[]){
			{ "PGPASSWORD=$(rds-token) psql -h … -U app shop",
				"connects as the user of prod's URL" },
			{ "rds-token --host mydb.abc123.eu-central-1.rds.amazonaws.com --user app",
				"without a target" },
			{ 0 },
		},
	.max_words = 1,
	.run = run_token,
};
