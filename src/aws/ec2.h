/* Rules of security groups, through the EC2 API of 2016-11-15. */
#ifndef AWS_EC2_H
#define AWS_EC2_H

#include "aws/aws.h"
#include "base/address.h"

struct ec2_tag {
	char *key, *value;
};

struct ec2_rule {
	char *id;    /* sgr-… */
	char *group; /* sg-… */
	bool is_egress;
	char *protocol;         /* "tcp", "udp", "-1" for all, … */
	int from_port, to_port; /* -1: all */
	char *cidr;        /* IPv4 or IPv6, as AWS says it; NULL: the source is something else */
	char *prefix_list; /* pl-…; NULL */
	char *referenced_group; /* sg-…; NULL */
	char *description;      /* "" when there is none */
	struct ec2_tag *tags;
	size_t tag_count;
};

struct ec2_rules {
	struct ec2_rule *items;
	size_t count;
};

#define EC2_RULES_INIT                                                                             \
	{                                                                                          \
		0                                                                                  \
	}

void ec2_rule_release(struct ec2_rule *rule);
void ec2_rules_release(struct ec2_rules *rules);

/* The value of a tag; NULL: none. */
const char *ec2_rule_tag(const struct ec2_rule *rule, const char *key);

/* An ingress rule that lets that address reach that TCP port. */
bool ec2_rule_covers(const struct ec2_rule *rule, const struct address *address, int port);

/* What the rule says of its ports: "tcp/5432", "udp/1000-2000", "all"; the caller owns it. */
char *ec2_rule_ports(const struct ec2_rule *rule);
/* Its source: the CIDR, the prefix list or the group, borrowed; "" for none of them. */
const char *ec2_rule_source(const struct ec2_rule *rule);

/*
 * All calls fail as aws_call does.
 *
 * All rules of a group, all pages; or one rule by its id: *ret has one item, or the call fails,
 * with the code InvalidSecurityGroupRuleId.NotFound also where AWS answers with an empty list.
 */
int ec2_rules_of_group(struct aws *aws, const char *group, struct ec2_rules *ret_rules,
	struct aws_reply *reply, struct err *err);
int ec2_rule_by_id(struct aws *aws, const char *id, struct ec2_rules *ret_rules,
	struct aws_reply *reply, struct err *err);

/* What a rule shall be: TCP, one port, one address. */
struct ec2_wanted {
	struct address address;
	int port;
	const char *description;         /* "": none; sent as that, so that an earlier one goes */
	const char *tag_key, *tag_value; /* for a new rule; NULL: none */
};

/*
 * The three writes; all of them keep AWS's code in reply. With dry_run AWS only says whether it
 * would be allowed: success when it would.
 */
int ec2_rule_modify(struct aws *aws, const char *group, const char *id,
	const struct ec2_wanted *wanted, bool dry_run, struct aws_reply *reply, struct err *err);
/* *ret_id is the new rule's, the caller owns it; NULL with dry_run. */
int ec2_rule_authorize(struct aws *aws, const char *group, const struct ec2_wanted *wanted,
	bool dry_run, char **ret_id, struct aws_reply *reply, struct err *err);
int ec2_rule_revoke(struct aws *aws, const char *group, const char *id, bool dry_run,
	struct aws_reply *reply, struct err *err);

/* "sg-" and 8 or 17 hexadecimal digits; "sgr-" and 17. */
bool ec2_is_group_id(const char *text);
bool ec2_is_rule_id(const char *text);
/* At most 255 of the characters AWS allows; *ret_why otherwise, a phrase. */
bool ec2_is_description(const char *text, const char **ret_why);

#endif
