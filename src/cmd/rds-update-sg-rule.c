#include "app/sg_rule.h"
#include "aws/public_address.h"
#include "base/foreground.h"
#include "base/mem.h"
#include "term/out.h"

#define WAIT_DEFAULT_SECONDS 30

static struct sg_options opt;
static bool opt_json;
static double opt_wait = -1;

static const struct option rule_options[] = {
	{ .name = "group-id",
		.type = OPTION_STRING,
		.value = &opt.group,
		.argument = "ID",
		.help = "the security group (DB_SG_ID)" },
	{ .name = "rule-id",
		.type = OPTION_STRING,
		.value = &opt.rule,
		.argument = "ID",
		.help = "the rule (DB_SG_RULE_ID, with an IPv6 address DB_SG_RULE_ID_V6); without "
			"it the rule is found by tag or description" },
	{ .name = "ip",
		.type = OPTION_STRING,
		.value = &opt.ip,
		.argument = "ADDRESS",
		.help = "the address to let in (GITPOD_IP); auto: find it out" },
	{ .name = "ipv4",
		.letter = '4',
		.type = OPTION_FLAG,
		.value = &opt.ipv4,
		.help = "let the IPv4 address in, which is the default" },
	{ .name = "ipv6",
		.letter = '6',
		.type = OPTION_FLAG,
		.value = &opt.ipv6,
		.help = "let the IPv6 address in" },
	{ .name = "description",
		.letter = 'd',
		.type = OPTION_STRING,
		.value = &opt.description,
		.argument = "TEXT",
		.help = "the rule's description (DB_SG_DESCRIPTION; GITPOD)" },
	{ .name = "tag",
		.type = OPTION_STRING,
		.value = &opt.tag,
		.argument = "KEY=VALUE",
		.help = "find the rule by this tag, and give it to a new one" },
	{ .name = "port",
		.letter = 'p',
		.type = OPTION_STRING,
		.value = &opt.port,
		.argument = "NUMBER",
		.help = "the database's port (DB_SG_PORT; 5432)" },
	{ .name = "create",
		.type = OPTION_FLAG,
		.value = &opt.create,
		.help = "add a rule when there is none" },
	{ .name = "remove",
		.type = OPTION_FLAG,
		.value = &opt.remove,
		.help = "remove the rule; one that is gone already is success" },
	{ .name = "show",
		.type = OPTION_FLAG,
		.value = &opt.show,
		.help = "list the group's rules for the port" },
	{ .name = "while",
		.type = OPTION_FLAG,
		.value = &opt.run_command,
		.help = "run the command after --, then put the rule back as it was" },
	{ .name = "dry-run",
		.letter = 'n',
		.type = OPTION_FLAG,
		.value = &opt.dry_run,
		.help = "change nothing; say what would be done, and whether AWS allows it" },
	{ .name = "force",
		.letter = 'f',
		.type = OPTION_FLAG,
		.value = &opt.force,
		.help = "overwrite a rule for more than one address, or another port" },
	{ .name = "allow-private",
		.type = OPTION_FLAG,
		.value = &opt.allow_private,
		.help = "allow an address that is not public, for VPNs and peering" },
	{ .name = "wait",
		.type = OPTION_SECONDS,
		.value = &opt_wait,
		.argument = "SECONDS",
		.fallback = WAIT_DEFAULT_SECONDS,
		.help = "then wait so long (30 without a number) until the target's server can be "
			"reached" },
	{ .name = "json",
		.type = OPTION_FLAG,
		.value = &opt_json,
		.help = "print a JSON object instead of a line" },
	{ 0 },
};

static const struct variable rule_variables[] = {
	{ "DB_SG_ID", "Id of the security group." },
	{ "DB_SG_RULE_ID", "Id of the rule for an IPv4 address." },
	{ "DB_SG_RULE_ID_V6", "Id of the rule for an IPv6 address." },
	{ "DB_SG_DESCRIPTION", "Description of the rule, if it is not GITPOD." },
	{ "DB_SG_PORT", "The database's port, if it is not 5432." },
	{ "DB_SG_IP_URLS",
		"Services that tell the public address, at least two, instead of the four that "
		"are built in. Ignored in .env." },
	{ "GITPOD_IP", "The address to let in. Set but empty is an error. Ignored in .env." },
	{ "PROD_CONNECTION_URL", "Connection URL of the target prod, whose host --wait tries; "
				 "PROD_DATABASE_URL is looked at next." },
	{ 0 },
};

static int check_options(const struct run *run, struct err *err)
{
	if (opt.run_command != (run->rest.count > 0)) {
		err_set(err, ERR_USAGE,
			opt.run_command ? "--while needs a command after --"
					: "a command after -- needs --while");
		err_hint(err, "For example: rds-update-sg-rule --while -- bin/db-schema-load prod");
		return -1;
	}
	if (opt.run_command && opt_json)
		return err_set(err, ERR_USAGE,
			"--while and --json exclude each other: standard output is the command's");
	if (opt_wait >= 0 && (opt.show || opt.remove || opt.dry_run))
		return err_set(err, ERR_USAGE,
			"--wait and --show, --remove or --dry-run exclude each other");
	return 0;
}

/* Credentials first: a missing key must not cost a question to the address services. */
static int prepare(struct sg_job *job, struct err *err)
{
	const struct sg_settings *settings = job->settings;
	const struct credentials *credentials;

	if (aws_region(job->aws, &job->region, err) != 0 ||
		aws_credentials(job->aws, &credentials, err) != 0)
		return -1;
	job->wanted.port = settings->port;
	job->wanted.description = settings->description;
	job->wanted.tag_key = settings->tag_key;
	job->wanted.tag_value = settings->tag_value;
	job->wanted.address = settings->address;
	if (settings->has_address || !sg_settings_need_address(settings))
		return 0;
	return public_address_find(settings->family, settings->services, &job->wanted.address, err);
}

static void report(const struct sg_job *job)
{
	CLEANUP(mem_cleanup) char *line = sg_rule_line(job);
	bool wrote =
		job->action == SG_CHANGED || job->action == SG_CREATED || job->action == SG_REMOVED;

	if (job->note && wrote && !job->confirmed)
		out_warning("%s", job->note);
	else if (job->note)
		out_info("note: %s", job->note);
	if (opt_json)
		sg_rule_print_json(job);
	else if (wrote || !out_quiet())
		out_data("%s\n", line);
}

static int run_job(struct sg_job *job, const struct sg_host *host, struct err *err)
{
	int result;

	if (opt.show) {
		if (sg_rule_list(job, err) != 0)
			return -1;
		sg_rule_show(job, opt_json);
		return 0;
	}
	result = opt.remove ? sg_rule_remove(job, err) : sg_rule_update(job, err);
	if (result != 0) {
		if (err->kind == ERR_INTERRUPTED && job->written)
			err_detail(err, "The write was under way: rule %s of %s may be %s already.",
				job->before.id ? job->before.id : "(a new one)",
				job->settings->group,
				opt.remove       ? "removed"
				: job->before.id ? "changed"
						 : "there");
		return -1;
	}
	report(job);
	return host->name ? sg_rule_wait(host, job->settings, opt_wait, err) : 0;
}

/* The command is looked for before anything is opened for it. */
static int find_command(struct run *run, char **ret_file, struct err *err)
{
	int status = 0;

	foreground_remember();
	*ret_file = foreground_find(run->rest.items[0], &status, err);
	if (*ret_file)
		return 0;
	out_error(err);
	err_release(err);
	run->status = status;
	return -1;
}

static int run_update(struct run *run, struct err *err)
{
	CLEANUP(context_release) struct context context = CONTEXT_INIT;
	CLEANUP(sg_settings_release) struct sg_settings settings = SG_SETTINGS_INIT;
	CLEANUP(sg_host_release) struct sg_host host = SG_HOST_INIT;
	CLEANUP(aws_cleanup) struct aws *aws = NULL;
	CLEANUP(sg_job_release) struct sg_job job = SG_JOB_INIT;
	CLEANUP(mem_cleanup) char *file = NULL;
	const char *target = run->words.count > 0 ? run->words.items[0] : "prod";

	if (check_options(run, err) != 0 || context_open_project(&context, run, err) != 0 ||
		sg_settings_resolve(&settings, &opt, &context.env, err) != 0 ||
		(opt_wait >= 0 && sg_host_resolve(&host, &context, target, err) != 0))
		return -1;
	if (opt.run_command && find_command(run, &file, err) != 0)
		return 0;
	if (sg_host_check(&host, &settings, err) != 0)
		return -1;
	if (cloud_open(&context, &aws, err) != 0)
		return -1;
	job.settings = &settings;
	job.aws = aws;
	if (prepare(&job, err) != 0)
		return -1;
	if (!opt.run_command)
		return run_job(&job, &host, err);
	return sg_rule_while(
		&job, host.name ? &host : NULL, opt_wait, file, &run->rest, &run->status, err);
}

const struct command command = {
	.name = "rds-update-sg-rule",
	.summary = "let this machine's public address into the security group of a database",
	.synopsis = "[options] [TARGET] [--while -- COMMAND...]",
	.options = (const struct option *const[]){ rule_options, cloud_options, env_options, NULL },
	.variables = (const struct variable *const[]){ rule_variables, cloud_variables, NULL },
	.examples =
		(const struct example[]){
			{ "rds-update-sg-rule", "puts the address into the rule DB_SG_RULE_ID of "
						"the group DB_SG_ID" },
			{ "rds-update-sg-rule --create --description alice-laptop",
				"keeps one rule for this machine" },
			{ "rds-update-sg-rule --while -- bin/db-schema-load prod",
				"opens the rule for one command" },
			{ 0 },
		},
	.max_words = 1,
	.passes_rest = true,
	.run = run_update,
};
