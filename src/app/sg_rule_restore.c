/* The end of --while: the rule as it was. */
#include "app/sg_rule.h"
#include "base/clock.h"
#include "base/mem.h"

/* So long what may pass is tried again, beyond the attempts of each call. */
#define PATIENCE_MS 20000
#define FIRST_PAUSE_MS 250
#define LONGEST_PAUSE_MS 4000

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

static struct ec2_wanted former_state(const struct sg_job *job)
{
	struct ec2_wanted wanted = {
		.port = job->before.from_port,
		.description = job->before.description,
	};

	if (!sg_rule_is_plain(&job->before, &wanted.address))
		BUG("a rule was changed that cannot be put back");
	return wanted;
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

/* Somebody else has it now. */
static char *note_changed(const struct sg_job *job, const struct ec2_rule *rule)
{
	const struct ec2_wanted *wanted = &job->wanted;
	bool covers = ec2_rule_covers(rule, &wanted->address, wanted->port);
	CLEANUP(mem_cleanup) char *ports = ec2_rule_ports(rule);
	char text[ADDRESS_TEXT_SIZE];

	return mem_printf("rule %s was changed to %s \"%s\" on %s meanwhile: left as it is%s%s",
		job->id, ec2_rule_source(rule), rule->description, ports,
		covers ? ", and still allows " : "",
		covers ? address_format(&wanted->address, text) : "");
}

/* What was written counts when AWS shows it: former, or that the rule is gone (NULL). */
static int confirm(struct sg_job *job, const struct ec2_wanted *former, struct err *err)
{
	CLEANUP(mem_cleanup) char *why = NULL;

	if (sg_rule_confirm(job, former, &why, err) != 0)
		return -1;
	if (job->confirmed)
		return 0;
	/* Its error is not that of a call that could be made again. */
	aws_reply_release(&job->reply);
	job->reply.code = mem_strdup("unconfirmed");
	return err_set(err, ERR_FAILED, "that was written, but %s", why);
}

/*
 * The rule as it was, when it is ours still: all of it is what we wrote. Or what was before, which
 * an answer out of date shows too; writing that once more does no harm.
 */
static int put_back(struct sg_job *job, const struct ec2_rule *rule, bool was_open,
	enum sg_restored *ret_restored, char **ret_note, struct err *err)
{
	struct ec2_wanted former = former_state(job);
	bool is_former = sg_rule_is_just(rule, &former);

	if (!is_former && !sg_rule_is_just(rule, &job->wanted)) {
		*ret_note = note_changed(job, rule);
		return 0;
	}
	if (ec2_rule_modify(job->aws, job->settings->group, job->id, &former, false, &job->reply,
		    err) != 0 ||
		confirm(job, &former, err) != 0)
		return -1;
	*ret_restored = is_former && !was_open ? SG_STILL : SG_PUT_BACK;
	return 0;
}

static int restore_once(struct sg_job *job, bool was_open, enum sg_restored *ret_restored,
	char **ret_note, struct err *err)
{
	CLEANUP(ec2_rules_release) struct ec2_rules rules = EC2_RULES_INIT;
	bool missing, created = !job->before.id;

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
	if (!created)
		return put_back(job, &rules.items[0], was_open, ret_restored, ret_note, err);
	if (!missing && !sg_rule_is_just(&rules.items[0], &job->wanted)) {
		*ret_note = note_changed(job, &rules.items[0]);
		return 0;
	}
	/* One that was made a moment ago may not be shown yet. */
	if (take_away(job, err) != 0 || confirm(job, NULL, err) != 0)
		return -1;
	*ret_restored = SG_TAKEN_AWAY;
	return 0;
}

static bool may_pass(const struct sg_job *job, const struct err *err)
{
	return err->kind == ERR_CONNECT || sg_rule_is_unclear(job, err);
}

int sg_rule_restore(
	struct sg_job *job, enum sg_restored *ret_restored, char **ret_note, struct err *err)
{
	int64_t deadline = clock_ms() + PATIENCE_MS;
	int64_t pause = FIRST_PAUSE_MS;
	bool was_open = job->confirmed;

	*ret_restored = SG_NOTHING;
	*ret_note = NULL;
	if (!job->written || job->action == SG_COVERED)
		return 0;
	while (restore_once(job, was_open, ret_restored, ret_note, err) != 0) {
		if (!may_pass(job, err) || clock_ms() + pause >= deadline)
			return -1;
		err_release(err);
		clock_sleep_ms(pause);
		pause = pause * 2 < LONGEST_PAUSE_MS ? pause * 2 : LONGEST_PAUSE_MS;
	}
	return 0;
}

char *sg_rule_check_covering(struct sg_job *job)
{
	CLEANUP(ec2_rules_release) struct ec2_rules rules = EC2_RULES_INIT;
	CLEANUP(err_release) struct err err = ERR_INIT;
	const struct ec2_wanted *wanted = &job->wanted;
	char text[ADDRESS_TEXT_SIZE];
	bool missing;

	address_format(&wanted->address, text);
	if (look(job, &rules, &missing, &err) != 0)
		return mem_printf("could not see whether rule %s still allows %s: %s", job->id,
			text, err.message);
	if (missing)
		return mem_printf("rule %s, which allowed %s, was removed while the command ran",
			job->id, text);
	if (ec2_rule_covers(&rules.items[0], &wanted->address, wanted->port))
		return NULL;
	return mem_printf("rule %s, which allowed %s, was changed to %s while the command ran",
		job->id, text, ec2_rule_source(&rules.items[0]));
}
