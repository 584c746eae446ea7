/* The end of --while: the rule as it was. */
#include "app/sg_rule.h"
#include "base/mem.h"

/* The rule as it is now; missing is no error. */
static int look(struct sg_job *job, struct ec2_rules *rules, bool *ret_missing, struct err *err)
{
	*ret_missing = false;
	if (ec2_rule_by_id(job->aws, job->id, rules, &job->reply, err) == 0)
		return 0;
	*ret_missing = sg_rule_is_missing(job);
	if (!*ret_missing)
		return -1;
	err_release(err);
	return 0;
}

/*
 * Ours still: what we wrote. Or what was before, which an answer out of date shows too; writing
 * that once more does no harm.
 */
static bool is_ours(const struct sg_job *job, const struct ec2_rule *rule)
{
	struct address address, before;

	if (sg_rule_allows_just(rule, &job->wanted))
		return true;
	return job->before.id && sg_rule_is_plain(rule, &address) &&
	       sg_rule_is_plain(&job->before, &before) && address_equal(&address, &before) &&
	       rule->from_port == job->before.from_port;
}

static int put_back(struct sg_job *job, struct err *err)
{
	struct ec2_wanted wanted = {
		.port = job->before.from_port,
		.description = job->before.description,
	};

	if (!sg_rule_is_plain(&job->before, &wanted.address))
		BUG("a rule was changed that cannot be put back");
	return ec2_rule_modify(
		job->aws, job->settings->group, job->before.id, &wanted, false, &job->reply, err);
}

static int take_away(struct sg_job *job, struct err *err)
{
	if (ec2_rule_revoke(job->aws, job->settings->group, job->id, false, &job->reply, err) == 0)
		return 0;
	if (!sg_rule_is_missing(job))
		return -1;
	err_release(err);
	return 0;
}

/*
 * A rule was sent to be created and the answer never came: if it is there now, it is the one with
 * our description that was not there before.
 */
static int find_lost(struct sg_job *job, struct err *err)
{
	CLEANUP(ec2_rules_release) struct ec2_rules earlier = job->rules;
	const struct ec2_rule *created;

	job->rules = (struct ec2_rules)EC2_RULES_INIT;
	if (sg_rule_list(job, err) != 0)
		return -1;
	created = sg_rule_added_since(job, &earlier);
	job->id = mem_strdup(created ? created->id : NULL);
	return 0;
}

int sg_rule_restore(struct sg_job *job, char **ret_note, struct err *err)
{
	CLEANUP(ec2_rules_release) struct ec2_rules rules = EC2_RULES_INIT;
	bool missing, created = !job->before.id;

	*ret_note = NULL;
	if (!job->written || job->action == SG_COVERED)
		return 0;
	if (!job->id && find_lost(job, err) != 0)
		return -1;
	if (!job->id)
		return 0;
	if (look(job, &rules, &missing, err) != 0)
		return -1;
	if (missing && !created) {
		*ret_note =
			mem_printf("rule %s was removed meanwhile: it is not put back", job->id);
		return 0;
	}
	if (!missing && !is_ours(job, &rules.items[0])) {
		*ret_note = mem_printf("rule %s was changed to %s meanwhile: left as it is",
			job->id, ec2_rule_source(&rules.items[0]));
		return 0;
	}
	/* One that was made a moment ago may not be shown yet. */
	return created ? take_away(job, err) : put_back(job, err);
}
