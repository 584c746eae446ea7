#include "aws/ec2.h"

#include "base/mem.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The most AWS gives at once; a whole group mostly fits. Bounded so that no page is too large. */
#define PAGE_SIZE 1000
/* Far more than a group can have: an endpoint that never ends its list is stopped. */
#define MAX_PAGES 64

#define CODE_RULE_NOT_FOUND "InvalidSecurityGroupRuleId.NotFound"
#define CODE_DRY_RUN "DryRunOperation"

void ec2_rule_release(struct ec2_rule *rule)
{
	mem_free(rule->id);
	mem_free(rule->group);
	mem_free(rule->protocol);
	mem_free(rule->cidr);
	mem_free(rule->prefix_list);
	mem_free(rule->referenced_group);
	mem_free(rule->description);
	for (size_t i = 0; i < rule->tag_count; i++) {
		mem_free(rule->tags[i].key);
		mem_free(rule->tags[i].value);
	}
	mem_free(rule->tags);
	*rule = (struct ec2_rule){ 0 };
}

void ec2_rules_release(struct ec2_rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		ec2_rule_release(&rules->items[i]);
	mem_free(rules->items);
	*rules = (struct ec2_rules)EC2_RULES_INIT;
}

const char *ec2_rule_tag(const struct ec2_rule *rule, const char *key)
{
	for (size_t i = 0; i < rule->tag_count; i++)
		if (strcmp(rule->tags[i].key, key) == 0)
			return rule->tags[i].value;
	return NULL;
}

bool ec2_rule_covers(const struct ec2_rule *rule, const struct address *address, int port)
{
	struct cidr cidr;

	if (rule->is_egress || !rule->cidr || !cidr_parse(rule->cidr, &cidr) ||
		!cidr_covers(&cidr, address))
		return false;
	if (strcmp(rule->protocol, "-1") == 0)
		return true;
	return strcmp(rule->protocol, "tcp") == 0 && rule->from_port <= port &&
	       port <= rule->to_port;
}

char *ec2_rule_ports(const struct ec2_rule *rule)
{
	if (strcmp(rule->protocol, "-1") == 0)
		return mem_strdup("all");
	if (rule->from_port < 0)
		return mem_strdup(rule->protocol);
	if (rule->from_port == rule->to_port)
		return mem_printf("%s/%d", rule->protocol, rule->from_port);
	return mem_printf("%s/%d-%d", rule->protocol, rule->from_port, rule->to_port);
}

const char *ec2_rule_source(const struct ec2_rule *rule)
{
	if (rule->cidr)
		return rule->cidr;
	if (rule->prefix_list)
		return rule->prefix_list;
	return rule->referenced_group ? rule->referenced_group : "";
}

/* --- reading -------------------------------------------------------------------------------- */

static char *copy_text(const struct xml *item, const char *path, const char *otherwise)
{
	const char *text = xml_text(item, path);

	return mem_strdup(text && *text ? text : otherwise);
}

/* A port, or -1 for all; what is no number counts as no port at all, which nothing matches. */
static int parse_port(const char *text)
{
	char *end;
	long port;

	if (!text || !*text)
		return -1;
	errno = 0;
	port = strtol(text, &end, 10);
	return errno || *end || port < -1 || port > 65535 ? INT_MIN : (int)port;
}

static void parse_tags(const struct xml *item, struct ec2_rule *rule)
{
	const struct xml *set = xml_find(item, "tagSet");

	for (const struct xml *tag = set ? set->first : NULL; tag; tag = tag->next) {
		rule->tags = mem_resize(rule->tags, rule->tag_count + 1, sizeof(*rule->tags));
		rule->tags[rule->tag_count++] = (struct ec2_tag){
			.key = copy_text(tag, "key", ""),
			.value = copy_text(tag, "value", ""),
		};
	}
}

static struct ec2_rule parse_rule(const struct xml *item)
{
	const char *egress = xml_text(item, "isEgress");
	struct ec2_rule rule = {
		.id = copy_text(item, "securityGroupRuleId", ""),
		.group = copy_text(item, "groupId", ""),
		/* What does not say so is no rule for us to touch. */
		.is_egress = !egress || strcmp(egress, "false") != 0,
		.protocol = copy_text(item, "ipProtocol", ""),
		.from_port = parse_port(xml_text(item, "fromPort")),
		.to_port = parse_port(xml_text(item, "toPort")),
		.cidr = copy_text(item, "cidrIpv4", NULL),
		.prefix_list = copy_text(item, "prefixListId", NULL),
		.referenced_group = copy_text(item, "referencedGroupInfo/groupId", NULL),
		.description = copy_text(item, "description", ""),
	};

	if (!rule.cidr)
		rule.cidr = copy_text(item, "cidrIpv6", NULL);
	parse_tags(item, &rule);
	return rule;
}

static void parse_rules(const struct xml *document, struct ec2_rules *rules)
{
	const struct xml *set = xml_find(document, "securityGroupRuleSet");
	size_t count = rules->count;

	for (const struct xml *item = set ? set->first : NULL; item; item = item->next)
		count++;
	if (count == rules->count)
		return;
	rules->items = mem_resize(rules->items, count, sizeof(*rules->items));
	for (const struct xml *item = set->first; item; item = item->next)
		rules->items[rules->count++] = parse_rule(item);
}

static int call(struct aws *aws, const char *action, const struct query *query,
	struct aws_reply *reply, struct err *err)
{
	struct aws_request request = { .service = "ec2", .action = action, .query = query };

	aws_reply_release(reply);
	return aws_call(aws, &request, reply, err);
}

int ec2_rules_of_group(struct aws *aws, const char *group, struct ec2_rules *ret_rules,
	struct aws_reply *reply, struct err *err)
{
	CLEANUP(ec2_rules_release) struct ec2_rules rules = EC2_RULES_INIT;
	CLEANUP(mem_cleanup) char *token = NULL;

	for (int page = 0; page < MAX_PAGES; page++) {
		CLEANUP(query_release) struct query query = QUERY_INIT;
		const char *next;

		query_add(&query, "group-id", "Filter.1.Name");
		query_add(&query, group, "Filter.1.Value.1");
		query_add_int(&query, PAGE_SIZE, "MaxResults");
		if (token)
			query_add(&query, token, "NextToken");
		if (call(aws, "DescribeSecurityGroupRules", &query, reply, err) != 0)
			return -1;
		parse_rules(reply->document, &rules);
		next = xml_text(reply->document, "nextToken");
		if (!next || !*next) {
			*ret_rules = rules;
			rules = (struct ec2_rules)EC2_RULES_INIT;
			return 0;
		}
		mem_free(token);
		token = mem_strdup(next);
	}
	return err_set(err, ERR_FAILED, "the list of rules of %s does not end", group);
}

int ec2_rule_by_id(struct aws *aws, const char *id, struct ec2_rules *ret_rules,
	struct aws_reply *reply, struct err *err)
{
	CLEANUP(ec2_rules_release) struct ec2_rules rules = EC2_RULES_INIT;
	CLEANUP(query_release) struct query query = QUERY_INIT;

	query_add(&query, id, "SecurityGroupRuleId.1");
	if (call(aws, "DescribeSecurityGroupRules", &query, reply, err) != 0)
		return -1;
	parse_rules(reply->document, &rules);
	if (rules.count == 0) {
		mem_free(reply->code);
		reply->code = mem_strdup(CODE_RULE_NOT_FOUND);
		return err_set(err, ERR_FAILED, "DescribeSecurityGroupRules knows no rule %s", id);
	}
	if (rules.count > 1 || strcmp(rules.items[0].id, id) != 0)
		return err_set(err, ERR_FAILED,
			"DescribeSecurityGroupRules was asked for rule %s and answered with others",
			id);
	*ret_rules = rules;
	rules = (struct ec2_rules)EC2_RULES_INIT;
	return 0;
}

/* --- writing -------------------------------------------------------------------------------- */

/* A call that changes something, or with dry_run the question whether it may. */
static int write_call(struct aws *aws, const char *action, struct query *query, bool dry_run,
	struct aws_reply *reply, struct err *err)
{
	const char *answer;

	if (dry_run)
		query_add_bool(query, true, "DryRun");
	if (call(aws, action, query, reply, err) != 0) {
		if (!dry_run || !reply->code || strcmp(reply->code, CODE_DRY_RUN) != 0)
			return -1;
		err_release(err);
		return 0;
	}
	answer = xml_text(reply->document, "return");
	if (answer && strcmp(answer, "false") == 0)
		return err_set(err, ERR_FAILED, "%s was not carried out", action);
	return 0;
}

int ec2_rule_modify(struct aws *aws, const char *group, const char *id,
	const struct ec2_wanted *wanted, bool dry_run, struct aws_reply *reply, struct err *err)
{
	static const char rule[] = "SecurityGroupRule.1.SecurityGroupRule.";
	CLEANUP(query_release) struct query query = QUERY_INIT;
	CLEANUP(mem_cleanup) char *port = mem_printf("%d", wanted->port);
	struct cidr cidr = cidr_of(&wanted->address);
	char text[ADDRESS_TEXT_SIZE];

	query_add(&query, group, "GroupId");
	query_add(&query, id, "SecurityGroupRule.1.SecurityGroupRuleId");
	query_add(&query, wanted->description, "%sDescription", rule);
	query_add(&query, "tcp", "%sIpProtocol", rule);
	query_add(&query, port, "%sFromPort", rule);
	query_add(&query, port, "%sToPort", rule);
	query_add(&query, cidr_format(&cidr, text), "%sCidrIpv%d", rule, wanted->address.family);
	return write_call(aws, "ModifySecurityGroupRules", &query, dry_run, reply, err);
}

int ec2_rule_authorize(struct aws *aws, const char *group, const struct ec2_wanted *wanted,
	bool dry_run, char **ret_id, struct aws_reply *reply, struct err *err)
{
	CLEANUP(query_release) struct query query = QUERY_INIT;
	struct cidr cidr = cidr_of(&wanted->address);
	bool is_v4 = wanted->address.family == 4;
	const char *ranges =
		is_v4 ? "IpPermissions.1.IpRanges.1." : "IpPermissions.1.Ipv6Ranges.1.";
	char text[ADDRESS_TEXT_SIZE];
	const char *id;

	query_add(&query, group, "GroupId");
	query_add(&query, "tcp", "IpPermissions.1.IpProtocol");
	query_add_int(&query, wanted->port, "IpPermissions.1.FromPort");
	query_add_int(&query, wanted->port, "IpPermissions.1.ToPort");
	query_add(&query, cidr_format(&cidr, text), "%s%s", ranges, is_v4 ? "CidrIp" : "CidrIpv6");
	if (*wanted->description)
		query_add(&query, wanted->description, "%sDescription", ranges);
	if (wanted->tag_key) {
		query_add(&query, "security-group-rule", "TagSpecification.1.ResourceType");
		query_add(&query, wanted->tag_key, "TagSpecification.1.Tag.1.Key");
		query_add(&query, wanted->tag_value, "TagSpecification.1.Tag.1.Value");
	}
	if (write_call(aws, "AuthorizeSecurityGroupIngress", &query, dry_run, reply, err) != 0)
		return -1;
	id = reply->document
		     ? xml_text(reply->document, "securityGroupRuleSet/item/securityGroupRuleId")
		     : NULL;
	*ret_id = mem_strdup(id && *id ? id : NULL);
	return 0;
}

int ec2_rule_revoke(struct aws *aws, const char *group, const char *id, bool dry_run,
	struct aws_reply *reply, struct err *err)
{
	CLEANUP(query_release) struct query query = QUERY_INIT;

	query_add(&query, group, "GroupId");
	query_add(&query, id, "SecurityGroupRuleId.1");
	return write_call(aws, "RevokeSecurityGroupIngress", &query, dry_run, reply, err);
}

/* --- texts ---------------------------------------------------------------------------------- */

/* The text after prefix is hexadecimal and of one of the two lengths. */
static bool is_id(const char *text, const char *prefix, size_t length, size_t other_length)
{
	size_t rest;

	if (strncmp(text, prefix, strlen(prefix)) != 0)
		return false;
	text += strlen(prefix);
	rest = strlen(text);
	return (rest == length || rest == other_length) && strspn(text, "0123456789abcdef") == rest;
}

bool ec2_is_group_id(const char *text)
{
	return is_id(text, "sg-", 8, 17);
}

bool ec2_is_rule_id(const char *text)
{
	return is_id(text, "sgr-", 17, 17);
}

bool ec2_is_description(const char *text, const char **ret_why)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789. _-:/()#,@[]+=&;{}!$*";

	if (strlen(text) > 255) {
		*ret_why = "it is longer than 255 characters";
		return false;
	}
	if (text[strspn(text, allowed)]) {
		*ret_why = "it may hold letters, digits, blanks and ._-:/()#,@[]+=&;{}!$* only";
		return false;
	}
	return true;
}
