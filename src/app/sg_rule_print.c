/* What rds-update-sg-rule prints about a rule. */
#include "app/sg_rule.h"
#include "base/mem.h"
#include "term/json.h"
#include "term/safe.h"
#include "term/table.h"

#include <string.h>

static const char *action_name(const struct sg_job *job)
{
	bool dry = job->settings->options.dry_run;

	switch (job->action) {
	case SG_UNCHANGED:
	case SG_COVERED:
		break;
	case SG_CHANGED:
		return dry ? "would-change" : "changed";
	case SG_CREATED:
		return dry ? "would-create" : "created";
	case SG_REMOVED:
		return dry ? "would-remove" : "removed";
	case SG_ABSENT:
		return "absent";
	}
	return "unchanged";
}

/* The rule of the line: what covers us, what is ours, what was named. */
static const char *rule_id(const struct sg_job *job)
{
	if (job->id)
		return job->id;
	return job->settings->rule ? job->settings->rule : "-";
}

/* The source as it is now; the caller owns it. */
static char *current_source(const struct sg_job *job)
{
	struct cidr cidr = cidr_of(&job->wanted.address);
	char text[ADDRESS_TEXT_SIZE];

	if (job->action == SG_REMOVED)
		return mem_strdup(ec2_rule_source(&job->before));
	if (job->wanted.address.family == 0)
		return mem_strdup("-");
	return mem_strdup(cidr_format(&cidr, text));
}

/* What stands before the arrow: the source, and what else is going to be another. */
static void add_before(const struct sg_job *job, struct strbuf *line)
{
	const struct ec2_rule *before = &job->before;
	CLEANUP(mem_cleanup) char *ports = ec2_rule_ports(before);

	if (before->from_port != job->wanted.port || before->to_port != job->wanted.port ||
		strcmp(before->protocol, "tcp") != 0)
		strbuf_addf(line, " %s", ports);
	strbuf_addf(line, " %s", ec2_rule_source(before));
	if (strcmp(before->description, job->wanted.description) != 0)
		strbuf_addf(line, " \"%s\"", before->description);
	strbuf_adds(line, " ->");
}

char *sg_rule_line(const struct sg_job *job)
{
	struct strbuf line = STRBUF_INIT;
	CLEANUP(mem_cleanup) char *source = current_source(job);
	const char *description =
		job->action == SG_REMOVED ? job->before.description : job->wanted.description;

	strbuf_addf(&line, "%s %s %s %d", action_name(job), rule_id(job), job->settings->group,
		job->wanted.port);
	if (job->action == SG_CHANGED)
		add_before(job, &line);
	strbuf_addf(&line, " %s", source);
	/* A rule that covers us has another description; the note names it. */
	if (job->action != SG_COVERED)
		strbuf_addf(&line, " \"%s\"", description);
	return strbuf_detach(&line);
}

char *sg_rule_restored_line(const struct sg_job *job, enum sg_restored restored)
{
	const struct ec2_rule *before = &job->before;
	struct cidr cidr = cidr_of(&job->wanted.address);
	struct strbuf line = STRBUF_INIT;
	char text[ADDRESS_TEXT_SIZE];
	bool is_made = restored == SG_TAKEN_AWAY;

	strbuf_addf(&line, "%s %s %s %d",
		is_made                   ? "removed"
		: restored == SG_PUT_BACK ? "restored"
					  : "unchanged",
		job->id, job->settings->group, is_made ? job->wanted.port : before->from_port);
	if (restored == SG_PUT_BACK) {
		if (job->wanted.port != before->from_port)
			strbuf_addf(&line, " tcp/%d", job->wanted.port);
		strbuf_addf(&line, " %s", cidr_format(&cidr, text));
		if (strcmp(before->description, job->wanted.description) != 0)
			strbuf_addf(&line, " \"%s\"", job->wanted.description);
		strbuf_adds(&line, " ->");
	}
	strbuf_addf(&line, " %s \"%s\"",
		is_made ? cidr_format(&cidr, text) : ec2_rule_source(before),
		is_made ? job->wanted.description : before->description);
	return strbuf_detach(&line);
}

/* --- JSON ----------------------------------------------------------------------------------- */

static json_t *json_port(int port)
{
	return port < 0 ? json_null() : json_integer(port);
}

static json_t *json_rule(const struct ec2_rule *rule)
{
	json_t *object = json_object(), *tags = json_object();

	json_object_set_new(object, "rule", out_json_text(rule->id));
	json_object_set_new(object, "protocol", out_json_text(rule->protocol));
	json_object_set_new(object, "from_port", json_port(rule->from_port));
	json_object_set_new(object, "to_port", json_port(rule->to_port));
	json_object_set_new(object, "source", out_json_text(ec2_rule_source(rule)));
	json_object_set_new(object, "description", out_json_text(rule->description));
	for (size_t i = 0; i < rule->tag_count; i++) {
		CLEANUP(mem_cleanup) char *key = safe_text(rule->tags[i].key, SAFE_LINES);

		json_object_set_new(tags, key, out_json_text(rule->tags[i].value));
	}
	json_object_set_new(object, "tags", tags);
	return object;
}

void sg_rule_print_json(const struct sg_job *job)
{
	json_t *object = json_object();
	const char *id = rule_id(job);
	CLEANUP(mem_cleanup) char *source = current_source(job);
	bool gone = job->action == SG_REMOVED || job->action == SG_ABSENT;

	json_object_set_new(object, "action", json_string(action_name(job)));
	json_object_set_new(object, "rule", strcmp(id, "-") == 0 ? json_null() : out_json_text(id));
	json_object_set_new(object, "group", out_json_text(job->settings->group));
	json_object_set_new(object, "region", out_json_text(job->region));
	json_object_set_new(object, "port", json_integer(job->wanted.port));
	json_object_set_new(object, "source", gone ? json_null() : out_json_text(source));
	json_object_set_new(object, "description",
		gone || job->action == SG_COVERED ? json_null()
						  : out_json_text(job->wanted.description));
	json_object_set_new(object, "before",
		job->before.id && job->action != SG_COVERED ? json_rule(&job->before)
							    : json_null());
	json_object_set_new(object, "confirmed", json_boolean(job->confirmed));
	json_object_set_new(object, "note", out_json_text(job->note));
	out_json(object);
}

/* --- --show --------------------------------------------------------------------------------- */

static bool concerns(const struct sg_job *job, const struct ec2_rule *rule)
{
	int port = job->settings->port;

	if (rule->is_egress)
		return false;
	if (strcmp(rule->protocol, "-1") == 0)
		return true;
	return strcmp(rule->protocol, "tcp") == 0 && rule->from_port <= port &&
	       port <= rule->to_port;
}

static char *tag_list(const struct ec2_rule *rule)
{
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < rule->tag_count; i++)
		strbuf_addf(&text, "%s%s=%s", i ? " " : "", rule->tags[i].key, rule->tags[i].value);
	return strbuf_detach(&text);
}

static void show_table(const struct sg_job *job)
{
	static const char *const headers[] = { "rule", "port", "source", "description", "tags" };
	CLEANUP(table_cleanup) struct table *table = table_new(headers, ARRAY_SIZE(headers));

	for (size_t i = 0; i < job->rules.count; i++) {
		const struct ec2_rule *rule = &job->rules.items[i];
		CLEANUP(mem_cleanup) char *ports = NULL;
		CLEANUP(mem_cleanup) char *tags = NULL;

		if (!concerns(job, rule))
			continue;
		ports = ec2_rule_ports(rule);
		tags = tag_list(rule);
		table_cell(table, rule->id);
		table_cell(table, ports);
		table_cell(table, ec2_rule_source(rule));
		table_cell(table, rule->description);
		table_cell(table, tags);
	}
	table_print(table);
}

void sg_rule_show(const struct sg_job *job, bool json)
{
	json_t *object, *rules;

	if (!json) {
		show_table(job);
		return;
	}
	object = json_object();
	rules = json_array();
	for (size_t i = 0; i < job->rules.count; i++)
		if (concerns(job, &job->rules.items[i]))
			json_array_append_new(rules, json_rule(&job->rules.items[i]));
	json_object_set_new(object, "group", out_json_text(job->settings->group));
	json_object_set_new(object, "region", out_json_text(job->region));
	json_object_set_new(object, "port", json_integer(job->settings->port));
	json_object_set_new(object, "rules", rules);
	out_json(object);
}

/* --- undoing by hand ------------------------------------------------------------------------ */

/* One word of a shell's command line. */
static void add_word(struct strbuf *line, const char *word)
{
	strbuf_addc(line, ' ');
	strbuf_add_shell_word(line, word);
}

static void add_option(struct strbuf *line, const char *name, const char *value)
{
	add_word(line, name);
	add_word(line, value);
}

static void add_former_state(const struct sg_job *job, struct strbuf *line)
{
	struct address address;
	char text[ADDRESS_TEXT_SIZE];

	if (!sg_rule_is_plain(&job->before, &address))
		BUG("a rule was changed that cannot be put back");
	add_option(line, "--ip", address_format(&address, text));
	if (!address_is_global(&address, NULL))
		add_word(line, "--allow-private");
	strbuf_addf(line, " --port %d", job->before.from_port);
	if (job->before.from_port != job->wanted.port)
		add_word(line, "--force");
	add_option(line, "--description", job->before.description);
}

/* An address that --ip would not take cannot be put back so. */
static bool has_usable_address(const struct sg_job *job)
{
	struct address address;
	const char *why;

	return sg_rule_is_plain(&job->before, &address) && sg_address_is_usable(&address, &why);
}

char *sg_rule_undo_command(const struct sg_job *job, bool closes)
{
	struct strbuf line = STRBUF_INIT;
	bool removes = closes || !job->before.id || !has_usable_address(job);

	strbuf_adds(&line, "rds-update-sg-rule");
	if (removes)
		add_word(&line, job->id ? "--remove" : "--show");
	add_option(&line, "--group-id", job->settings->group);
	if (job->id)
		add_option(&line, "--rule-id", job->id);
	if (removes)
		strbuf_addf(&line, " --port %d", job->wanted.port);
	else
		add_former_state(job, &line);
	if (cloud_profile())
		add_option(&line, "--profile", cloud_profile());
	add_option(&line, "--region", job->region);
	return strbuf_detach(&line);
}
