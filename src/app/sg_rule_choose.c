/* Which rule is meant, and whether it may be touched. */
#include "app/sg_rule.h"
#include "base/mem.h"

#include <string.h>

/* Of these a list in an error message shows no more. */
#define MOST_LISTED 10

bool sg_rule_is_plain(const struct ec2_rule *rule, struct address *ret_address)
{
	struct cidr cidr;

	if (rule->is_egress || !rule->cidr || !cidr_parse(rule->cidr, &cidr) ||
		strcmp(rule->protocol, "tcp") != 0 || rule->from_port != rule->to_port ||
		rule->from_port < 0 || cidr.prefix != (cidr.address.family == 4 ? 32 : 128))
		return false;
	if (ret_address)
		*ret_address = cidr.address;
	return true;
}

bool sg_rule_allows_just(const struct ec2_rule *rule, const struct ec2_wanted *wanted)
{
	struct address address;

	return sg_rule_is_plain(rule, &address) && rule->from_port == wanted->port &&
	       address_equal(&address, &wanted->address);
}

static size_t length_without_blanks(const char *text)
{
	size_t length = strlen(text);

	while (length > 0 && text[length - 1] == ' ')
		length--;
	return length;
}

bool sg_rule_is_just(const struct ec2_rule *rule, const struct ec2_wanted *wanted)
{
	size_t length = length_without_blanks(wanted->description);

	return sg_rule_allows_just(rule, wanted) &&
	       length_without_blanks(rule->description) == length &&
	       strncmp(rule->description, wanted->description, length) == 0;
}

/* --- finding -------------------------------------------------------------------------------- */

static bool is_for_us(const struct sg_job *job, const struct ec2_rule *rule)
{
	struct cidr cidr;

	return !rule->is_egress && strcmp(rule->protocol, "tcp") == 0 &&
	       rule->from_port == job->wanted.port && rule->to_port == job->wanted.port &&
	       rule->cidr && cidr_parse(rule->cidr, &cidr) &&
	       cidr.address.family == job->settings->family;
}

static bool has_tag(const struct sg_job *job, const struct ec2_rule *rule)
{
	const char *value = ec2_rule_tag(rule, job->settings->tag_key);

	return value && strcmp(value, job->settings->tag_value) == 0;
}

/* Somebody else's tag of the same key makes it somebody else's rule. */
static bool is_described(const struct sg_job *job, const struct ec2_rule *rule)
{
	return *job->settings->description &&
	       strcmp(rule->description, job->settings->description) == 0 &&
	       !(job->settings->tag_key && ec2_rule_tag(rule, job->settings->tag_key));
}

static size_t collect(struct sg_job *job, struct ec2_rule **rules,
	bool (*is_ours)(const struct sg_job *, const struct ec2_rule *))
{
	size_t count = 0;

	for (size_t i = 0; i < job->rules.count; i++)
		if (is_for_us(job, &job->rules.items[i]) && is_ours(job, &job->rules.items[i]))
			rules[count++] = &job->rules.items[i];
	return count;
}

size_t sg_rule_candidates(struct sg_job *job, struct ec2_rule ***ret_rules)
{
	struct ec2_rule **rules = mem_calloc(job->rules.count + 1, sizeof(struct ec2_rule *));
	size_t count = 0;

	if (job->settings->tag_key)
		count = collect(job, rules, has_tag);
	/* The default description is everybody's: with a tag it does not single out a rule. */
	if (count == 0 && (!job->settings->tag_key || job->settings->described))
		count = collect(job, rules, is_described);
	*ret_rules = rules;
	return count;
}

static int fail_ambiguous(
	const struct sg_job *job, struct ec2_rule *const *rules, size_t count, struct err *err)
{
	const struct sg_settings *settings = job->settings;

	if (settings->tag_key)
		err_set(err, ERR_FAILED, "%zu rules of %s could be meant", count, settings->group);
	else
		err_set(err, ERR_FAILED, "%zu rules of %s have the description \"%s\"", count,
			settings->group, settings->description);
	for (size_t i = 0; i < count && i < MOST_LISTED; i++)
		err_detail_line(err, "%s allows %s%s", rules[i]->id, rules[i]->cidr,
			i + 1 == MOST_LISTED && count > MOST_LISTED ? ", and so on" : "");
	err_hint(err, "Say which with --rule-id, or give each machine a --description or --tag of "
		      "its own.");
	return -1;
}

int sg_rule_choose(struct sg_job *job, struct ec2_rule **ret_rule, struct err *err)
{
	CLEANUP(mem_cleanup) struct ec2_rule **rules = NULL;
	size_t count = sg_rule_candidates(job, &rules);

	*ret_rule = NULL;
	if (count <= 1) {
		*ret_rule = count ? rules[0] : NULL;
		return 0;
	}
	for (size_t i = 0; i < count; i++)
		if (sg_rule_allows_just(rules[i], &job->wanted))
			*ret_rule = rules[i];
	return *ret_rule ? 0 : fail_ambiguous(job, rules, count, err);
}

const struct ec2_rule *sg_rule_covering(const struct sg_job *job)
{
	const struct ec2_rules *rules = &job->rules;

	/* One for just this address before a wide one: it says more. */
	for (size_t i = 0; i < rules->count; i++)
		if (sg_rule_allows_just(&rules->items[i], &job->wanted))
			return &rules->items[i];
	for (size_t i = 0; i < rules->count; i++)
		if (ec2_rule_covers(&rules->items[i], &job->wanted.address, job->wanted.port))
			return &rules->items[i];
	return NULL;
}

static bool has_id(const struct ec2_rules *rules, const char *id)
{
	for (size_t i = 0; i < rules->count; i++)
		if (rules->items[i].id && strcmp(rules->items[i].id, id) == 0)
			return true;
	return false;
}

const struct ec2_rule *sg_rule_added_since(
	const struct sg_job *job, const struct ec2_rules *earlier)
{
	for (size_t i = 0; i < job->rules.count; i++) {
		const struct ec2_rule *rule = &job->rules.items[i];

		if (!has_id(earlier, rule->id) && sg_rule_allows_just(rule, &job->wanted) &&
			strcmp(rule->description, job->wanted.description) == 0)
			return rule;
	}
	return NULL;
}

/* --- safety --------------------------------------------------------------------------------- */

/* What no --force makes possible. */
static int check_possible(const struct sg_job *job, const struct ec2_rule *rule, struct err *err)
{
	bool removes = job->settings->options.remove;
	struct cidr cidr;

	if (rule->is_egress)
		return err_set(err, ERR_REFUSED, "rule %s is an egress rule", rule->id);
	if (removes)
		return 0;
	if (!rule->cidr || !cidr_parse(rule->cidr, &cidr)) {
		err_set(err, ERR_REFUSED,
			"rule %s allows %s, which AWS cannot change into an address", rule->id,
			ec2_rule_source(rule));
	} else if (cidr.address.family != job->wanted.address.family) {
		err_set(err, ERR_REFUSED,
			"rule %s is for IPv%d (%s), and AWS cannot make it one for IPv%d", rule->id,
			cidr.address.family, rule->cidr, job->wanted.address.family);
	} else {
		return 0;
	}
	err_hint(err, "Name another rule with --rule-id, or have one added with --create.");
	return -1;
}

int sg_rule_check_safe(const struct sg_job *job, const struct ec2_rule *rule, struct err *err)
{
	const struct sg_options *options = &job->settings->options;
	CLEANUP(mem_cleanup) char *ports = ec2_rule_ports(rule);
	bool is_plain = sg_rule_is_plain(rule, NULL);

	if (check_possible(job, rule, err) != 0)
		return -1;
	if (options->run_command && !is_plain)
		return err_set(err, ERR_REFUSED,
			"rule %s now allows %s on %s, which --while could not put back", rule->id,
			ec2_rule_source(rule), ports);
	if (options->force)
		return 0;
	if (is_plain && rule->from_port == job->settings->port)
		return 0;
	if (strcmp(rule->protocol, "tcp") == 0 && rule->from_port == job->settings->port &&
		rule->to_port == job->settings->port)
		err_set(err, ERR_REFUSED, "rule %s now allows %s, not a single address", rule->id,
			ec2_rule_source(rule));
	else
		err_set(err, ERR_REFUSED, "rule %s now allows %s on %s, not tcp/%d", rule->id,
			ec2_rule_source(rule), ports, job->settings->port);
	err_hint(err, "Pass --force to %s it all the same.",
		options->remove ? "remove" : "overwrite");
	return -1;
}

/* --- errors --------------------------------------------------------------------------------- */

static bool code_is(const struct sg_job *job, const char *code)
{
	return job->reply.code && strcmp(job->reply.code, code) == 0;
}

bool sg_rule_is_missing(const struct sg_job *job)
{
	return code_is(job, "InvalidSecurityGroupRuleId.NotFound") ||
	       code_is(job, "InvalidPermission.NotFound");
}

bool sg_rule_is_duplicate(const struct sg_job *job)
{
	return code_is(job, "InvalidPermission.Duplicate");
}

int sg_rule_explain(const struct sg_job *job, const char *id, struct err *err)
{
	const char *group = job->settings->group;
	const char *request = job->reply.request_id ? job->reply.request_id : "unknown";

	if (err->kind != ERR_FAILED || !job->reply.code)
		return -1;
	if (id && sg_rule_is_missing(job)) {
		err_set(err, ERR_FAILED, "rule %s not found in %s: %s (%s, request %s)", id, group,
			job->reply.code, job->region, request);
		err_hint(err, "Run with --show to list the group's rules, with --create to add "
			      "one.");
	} else if (code_is(job, "InvalidGroup.NotFound")) {
		err_set(err, ERR_FAILED, "security group %s not found: %s (%s, request %s)", group,
			job->reply.code, job->region, request);
		err_hint(err, "Check DB_SG_ID, the region and the account.");
	} else if (code_is(job, "RulesPerSecurityGroupLimitExceeded")) {
		err_set(err, ERR_FAILED, "security group %s is full: %s (%s, request %s)", group,
			job->reply.code, job->region, request);
		err_hint(err, "See what can go with --show, and remove it with --remove "
			      "--rule-id.");
	}
	return -1;
}
